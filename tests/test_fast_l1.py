"""Fast L1: its order, a memory that grows like ln(steps), signs and mass, and coefficients of physical time."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mittag_leffler import E, driven_mean, interval, on_line

import fpsolve as fp
from fpsolve.initial import masses
from fpsolve.methods.fast_l1 import Past, _Run
from fpsolve.methods.flow import Flow
from fpsolve.methods.history import History, graded, mean_time
from fpsolve.methods.march import Interrupted, Method


class Decay:
    """One state that decays: D^beta u = -u."""

    killing = np.ones(1)
    is_markov = has_real_spectrum = True

    def __init__(self, beta):
        self.memory = beta

    def apply(self, m):
        return -m

    def resolvent(self, z):
        return type("Inverse", (), {"solve": lambda self, b: b / (z + 1.0)})()


def decayed(beta, steps, grading):
    """All steps: times, u and D^(1-beta) u."""
    past = Past(Flow(Decay(beta)), np.ones(1), np.ones(1), 0.0)
    run = _Run(past, steps, grading)
    run.recorded = set(range(1, run.nodes.size))
    run.follow(False)
    return run.nodes[1:], np.array(run.rows)[:, 0], np.array(run.speeds)[:, 0]


def worst(beta, steps, grading):
    t, u, _ = decayed(beta, steps, grading)
    return np.abs(u - E(-(t**beta), beta).real).max()


@pytest.mark.parametrize(
    ("beta", "grading", "steps"), [(0.5, 3.0, 512), (0.5, 2.0, 256), (0.5, 1.0, 256), (0.7, 1.0, 128), (0.9, 2.0, 128)]
)
def test_the_order_is_that_of_the_grading_or_of_l1(beta, grading, steps):
    errors = [worst(beta, n, grading) for n in (steps, 2 * steps)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(min(grading * beta, 2 - beta), abs=0.1)


def test_the_error_is_that_of_the_prototype():
    assert worst(0.5, 512, 3.0) < 5e-5
    assert worst(0.5, 512, 1.0) > 1e-2  # equal steps lose the start


def test_what_moves_is_known_too():
    t, _, speeds = decayed(0.6, 512, 7 / 3)
    exact = t**-0.4 * E(-(t**0.6), 0.6, 0.6).real
    assert speeds[40:] == pytest.approx(exact[40:], rel=3e-3)
    assert speeds[-1] == pytest.approx(exact[-1], rel=2e-4)


def direct(changes, t, beta):
    """The Caputo derivative of a piecewise linear g at each step's end, but for the step itself, term by term."""
    found = np.zeros(len(changes))
    for k in range(1, len(changes)):
        for j in range(k):
            part = ((t[k + 1] - t[j]) ** (1 - beta) - (t[k + 1] - t[j + 1]) ** (1 - beta)) / (t[j + 1] - t[j])
            found[k] += changes[j] * part / math.gamma(2 - beta)
    return found


@pytest.mark.parametrize("beta", [0.2, 0.5, 0.9])
def test_a_history_is_the_sum_over_all_steps(beta):
    t, _ = graded(np.array([0.3, 2.0]), 40, 2.0)
    changes = np.random.default_rng(1).random(t.size - 1)
    history, found = History(beta, np.diff(t)[1:].min(), 2.0, 1, 1e-12), []
    for change, h in zip(changes, np.diff(t), strict=True):
        found.append(history.after(h)[0])
        history.add(np.array([change]), h)
    assert found == pytest.approx(direct(changes, t, beta), rel=1e-9)
    assert found != pytest.approx(direct(changes, t, beta + 0.001), rel=1e-4)


def test_the_memory_grows_like_the_logarithm_of_the_steps():
    L = fp.generator(well(0.5))
    m0 = masses(fp.Gaussian(1.0, 0.3), well(0.5).grid)
    vectors = []
    for steps in (64, 256, 1024):
        info = fp.FastL1(steps=steps).states(L, m0, np.array([1.0]))[1]
        assert info.steps == steps
        vectors.append(int(info.notes[0].split("past in ")[1].split()[0]))
    assert vectors[2] < 120
    assert abs((vectors[2] - vectors[1]) - (vectors[1] - vectors[0])) <= 1


@given(
    st.lists(st.floats(0.0, 100.0, width=32), min_size=1, max_size=6, unique=True), st.integers(1, 200), st.floats(1, 9)
)
def test_steps_end_on_every_time(times, steps, grading):
    times = np.sort(times)
    if times[-1] < 1e-3 or np.any(np.diff(times) < 1e-3 * times[-1]):
        return
    nodes, places = graded(times, steps, grading)
    assert np.array_equal(nodes[places], times)
    assert nodes[0] == 0.0
    assert np.all(np.diff(nodes) > 0)
    assert nodes.size - 1 <= steps + times.size


def test_the_mean_time_of_a_step_is_weighted_by_the_clock():
    for begin, end, beta in ((0.0, 1.0, 0.5), (1.0, 1.5, 0.3), (1.0, 1.001, 0.7), (1.0, 1.0 + 1e-12, 0.7)):
        s = begin + (end - begin) * (np.arange(200_000) + 0.5) / 200_000
        weights = s ** (beta - 1)
        assert mean_time(begin, end, beta) == pytest.approx(
            (s * weights).sum() / weights.sum(), rel=1e-3 * (end - begin)
        )


def well(memory, cells=120):
    return fp.Problem(fp.Process(lambda x: x - x**3, 0.25, memory=memory), fp.Grid(x=(-3, 3, cells)))


@pytest.mark.parametrize("beta", [0.4, 0.8])
def test_a_constant_generator_gives_what_its_eigenvectors_say(beta):
    pr, times = well(beta), np.array([0.0, 0.1, 2.0])
    L, m0 = fp.generator(pr), masses(fp.Gaussian(1.0, 0.3), pr.grid)
    exact = on_line(L, m0, beta, times)
    off = []
    for steps in (128, 512):
        rows, info = fp.FastL1(steps=steps).states(L, m0, times)
        off.append(max(np.abs(a - b).sum() for a, b in zip(rows, exact, strict=True)))
        assert info.steps == pytest.approx(steps, abs=2)
    assert off[1] < 1e-3
    assert np.log2(off[0] / off[1]) / 2 > 0.8 * (2 - beta)
    rows, info = fp.FastL1(rtol=1e-3).states(L, m0, times)
    off = max(np.abs(a - b).sum() for a, b in zip(rows, exact, strict=True))
    assert off < 2 * info.time_error
    assert info.time_error < 1e-3


def driven(beta, cells=200, frequency=3.0, k=1.0):
    process = fp.Process(lambda x, t: -k * x + 2 * np.cos(frequency * t), 0.5, memory=beta)
    return fp.Problem(process, fp.Grid(x=(-7, 7, cells)))


@pytest.mark.parametrize("beta", [0.4, 0.7, 0.9])
def test_a_force_in_physical_time_moves_the_mean_as_its_integral_says(beta):
    times = np.array([0.5, 1.0, 2.0])
    exact = [driven_mean(t, beta, 1.0, lambda s: 2 * math.cos(3 * s), 1.0) for t in times]
    found = fp.evolve(driven(beta), fp.Gaussian(1.0, 0.5), times, method=fp.FastL1(steps=384))
    assert found.mean() == pytest.approx(exact, abs=2e-3)
    assert found.info.mass_error < 1e-13
    assert found.info.smallest > 0
    other = [driven_mean(t, beta, 1.0, lambda s: 2 * math.cos(3.1 * s), 1.0) for t in times]
    assert np.abs(found.mean() - other).max() > 2e-2


def test_a_force_in_the_clock_s_own_time_would_be_another_process():
    """The control: D_t^beta p = L(t) p is not what particles do, and its mean is elsewhere."""
    beta, T, steps = 0.7, 2.0, 2000
    t = np.linspace(0, T, steps + 1)
    weights = np.diff(np.arange(steps + 1.0) ** (1 - beta))  # plain L1 of M, with D^beta M = -M + force
    z, M = (T / steps) ** -beta / math.gamma(2 - beta), np.ones(steps + 1)
    for n in range(1, steps + 1):
        past = weights[1:n][::-1] @ np.diff(M[:n]) if n > 1 else 0.0
        M[n] = (z * (M[n - 1] - past) + 2 * math.cos(3 * t[n])) / (z + 1)
    assert abs(M[-1] - driven_mean(T, beta, 1.0, lambda s: 2 * math.cos(3 * s), 1.0)) > 0.1


def subordinated(beta, T, n, step, seed):
    """Particles in plain numpy: Euler steps of the clock's time, physical time by one-sided stable increments."""
    rng = np.random.default_rng(seed)
    x, now, running = rng.normal(1.0, 0.5, n), np.zeros(n), np.ones(n, dtype=bool)
    while np.any(running):
        u, e = np.pi * (rng.random(n) - 0.5), rng.exponential(size=n)
        angle = beta * (u + np.pi / 2)
        jump = np.sin(angle) / np.cos(u) ** (1 / beta) * (np.cos(u - angle) / e) ** ((1 - beta) / beta)
        later = now + step ** (1 / beta) * jump
        running &= later <= T
        kick = np.sqrt(2 * 0.5 * step) * rng.normal(size=n)
        x = np.where(running, x + (-x + 2 * np.cos(3 * now)) * step + kick, x)
        now = later
    return x


def test_a_driven_well_with_memory_is_that_of_its_particles():
    beta, T, n = 0.7, 1.2, 8_000
    x = np.sort(subordinated(beta, T, n, 0.02, 3))
    p = fp.evolve(driven(beta), fp.Gaussian(1.0, 0.5), [T], method=fp.FastL1(steps=256))[0]
    distance = np.abs(p.cdf(x) - (np.arange(n) + 0.5) / n).max()
    assert distance < 1.63 / np.sqrt(n) + 6e-3  # one in a hundred, and the steps of particles
    still = fp.evolve(driven(beta, frequency=0.0), fp.Gaussian(1.0, 0.5), [T], method=fp.FastL1(steps=256))[0]
    assert np.abs(still.cdf(x) - (np.arange(n) + 0.5) / n).max() > 0.1


@settings(deadline=None, max_examples=20)
@given(st.floats(0.1, 0.99), st.floats(-20, 20), st.floats(1e-3, 10.0), st.integers(1, 12), st.integers(0, 40))
def test_no_step_is_too_long_for_signs_and_mass(beta, force, T, steps, cell):
    axis = fp.Axis.uniform(-np.pi, np.pi, 41, ends="reflecting")
    process = fp.Process(lambda x, t: force * np.cos(x + t), lambda x, t: 1.1 + np.sin(x - 3 * t), memory=beta)
    pr = fp.Problem(process, fp.Grid(x=axis))
    path = fp.evolve(pr, fp.Point(axis.nodes[cell]), [0.3 * T, T], method=fp.FastL1(steps=steps))
    assert path.masses.min() >= 0
    assert path.mass == pytest.approx(1.0, abs=1e-13)


def test_survival_in_motion_and_at_rest():
    t = np.array([0.1, 1.0, 10.0])
    walk = fp.Problem(fp.Process(0.0, 0.5, memory=0.7), fp.Grid(x=(-2, 2, 201)))
    S = fp.survival(walk, fp.Point(0.0), t, inside=(-1, 1), method=fp.FastL1(steps=512))
    exact, density = interval(t, 0.7)
    assert S.probability == pytest.approx(exact, rel=2e-3)
    assert S.exit_density == pytest.approx(density, rel=5e-3)
    moving = fp.Problem(fp.Process(lambda x, t: 0.0 * x * t, 0.5, memory=0.7), fp.Grid(x=(-2, 2, 201)))
    again = fp.survival(moving, fp.Point(0.0), t[:2], inside=(-1, 1), method=fp.FastL1(rtol=3e-3))
    assert again.info.method.startswith("FastL1")
    assert again.probability == pytest.approx(exact[:2], rel=5e-3)


def test_two_coordinates_in_motion():
    """Coordinates that do not feel each other share one clock: each has the law that it has alone."""
    process = fp.Process(lambda x, y, t: (-x + 2 * np.cos(3 * t), -y), (0.5, 0.5), memory=0.7)
    grid, method = fp.Grid(x=(-4, 5, 30), y=(-4, 4, 24)), fp.FastL1(steps=48)
    path = fp.evolve(fp.Problem(process, grid), fp.Gaussian((1.0, 0.5), 0.5), [1.0], method=method)
    line = driven(0.7).replace(grid=fp.Grid(x=(-4, 5, 30)))
    alone = fp.evolve(line, fp.Gaussian(1.0, 0.5), [1.0], method=method)
    assert path[0].marginal("x").masses == pytest.approx(alone[0].masses, abs=1e-6)
    assert path.mean()[0, 1] == pytest.approx(0.5 * E(-1.0, 0.7).real, abs=1e-2)
    assert path.info.mass_error < 1e-13
    together = path[0].expect(lambda x, y: x * y)
    assert abs(together - path.mean()[0, 0] * path.mean()[0, 1]) > 0.05  # of one clock: not independent


def test_a_run_is_told_interrupted_and_kept():
    L, m0 = fp.generator(well(0.6)), masses(fp.Gaussian(1.0, 0.3), well(0.6).grid)
    told = []
    fp.FastL1(steps=30).states(L, m0, np.array([1.0]), progress=lambda done, total: told.append((done, total)))
    assert told == [(k + 1, 30) for k in range(30)]

    def stop(done, total):
        if total == 30 and done == 20:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        fp.FastL1(steps=30, grading=1.0).states(L, m0, np.array([0.5, 1.0]), progress=stop)
    assert caught.value.times == pytest.approx([0.5, 20 / 30])
    assert isinstance(fp.FastL1(), Method)

    def stop_later(done, total):
        if total == 128:
            raise KeyboardInterrupt

    with pytest.warns(fp.FpsolveWarning, match="with memory nothing goes on"):
        path = fp.evolve(well(0.6), fp.Gaussian(1.0, 0.3), [0.5, 1.0], method=fp.FastL1(), progress=stop_later)
    assert not path.finished
    assert path.times.tolist() == [0.5, 1.0]  # with 64 steps
