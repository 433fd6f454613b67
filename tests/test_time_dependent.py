"""Coefficients in motion: schedules of temperature, moving minima, few factorisations and calls; chains."""

from functools import partial

import mpmath as mp
import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

import fpsolve as fp
from fpsolve.initial import masses
from fpsolve.methods.flow import KEPT, Flow

GRID = fp.Grid(x=(-7, 7, 280))


def moments(rate, noise, mean, var, times, pull=lambda t: 0.0):
    """Mean and variance of dX = rate (pull(t) - X) dt + sqrt(2 noise(t)) dW."""

    def slopes(t, y):
        return [rate * (pull(t) - y[0]), -2 * rate * y[1] + 2 * noise(t)]

    return solve_ivp(slopes, (0, times[-1]), [mean, var], t_eval=times, rtol=1e-10, atol=1e-12).y


def warm_up_and_decay(t):
    """A temperature that rises over half a unit of time, and then falls like 1/t."""
    return 0.8 * min(t / 0.5, 1.0) / max(1.0, t / 0.5) + 0.05


def test_a_temperature_that_warms_up_and_decays():
    pr = fp.Problem(fp.Process(lambda x: -x, lambda x, t: warm_up_and_decay(t) + 0 * x), GRID)
    times = [0.5, 1.0, 3.0]  # the schedule has a kink at .5: a step ends there
    path = fp.evolve(pr, fp.Gaussian(1.5, 0.5), times, method=fp.TRBDF2(rtol=1e-4))
    mean, var = moments(1.0, warm_up_and_decay, 1.5, 0.25, times)
    assert path.mean() == pytest.approx(mean, abs=1e-3)
    assert path.var() == pytest.approx(var, abs=2e-3)
    assert path.info.mass_error < 1e-13
    assert path.info.smallest >= -1e-10 * path[0].values.max()
    assert path.info.method.startswith("TRBDF2")
    frozen = fp.evolve(pr.replace(process=pr.process.at(0.5)), fp.Gaussian(1.5, 0.5), times)
    assert abs(frozen.var()[2] - var[2]) > 0.3  # the control


def test_a_minimum_that_drifts_is_followed_with_a_lag():
    """The minimum moves at speed v: in the end the mean lags by v/rate behind it."""
    pr = fp.Problem(fp.Process(lambda x, t: 2.0 * (0.8 * t - 2 - x), 0.3), GRID)
    path = fp.evolve(pr, fp.Gaussian(-2, 0.4), [1.0, 4.0], method=fp.TRBDF2(rtol=1e-4))
    assert path.mean() == pytest.approx([0.8 * t - 2 - 0.4 * (1 - np.exp(-2 * t)) for t in (1.0, 4.0)], abs=2e-3)
    assert path.var() == pytest.approx([0.15 + 0.01 * np.exp(-4 * t) for t in (1.0, 4.0)], abs=2e-3)


def test_annealing_a_double_well_keeps_what_fast_cooling_freezes():
    """Slow cooling follows the equilibrium of a tilted well, fast cooling leaves mass in the upper one."""

    def lower(duration):
        def temperature(x, t):
            return 0.02 + 0.5 * np.exp(-6.0 * t / duration) + 0 * x

        pr = fp.Problem(fp.Process(lambda x: x - x**3 + 0.15, temperature), fp.Grid(x=(-3, 3, 90)))
        path = fp.evolve(pr, fp.Gaussian(-1, 0.2), [duration], method=fp.TRBDF2(rtol=1e-3))
        return path[0].probability(lambda x: x)

    fast, slow = lower(1.0), lower(100.0)
    assert fast < 0.5
    assert slow > 0.9


@pytest.mark.parametrize("method", [fp.TRBDF2(dt=0.1), fp.SDIRK2(dt=0.1), fp.BackwardEuler(dt=0.1)])
def test_functions_are_asked_twice_a_step_at_most(method):
    asked = set()

    def drift(x, t):
        asked.add(t)
        return np.cos(t) - x

    pr = fp.Problem(fp.Process(drift, 0.5), GRID)
    path = fp.evolve(pr, fp.Gaussian(0, 1), [1.0], method=method)
    assert path.info.steps == 10
    assert len(asked) <= 2 * 10 + 2


def turning(cells):
    """A double well of two coordinates whose temperature falls and whose saddle sways."""

    def drift(x, y, t):
        return x - x**3 + 0.3 * np.sin(3 * t), -y

    process = fp.Process(drift, lambda x, y, t: 0.15 / (1 + t) + 0 * x)
    return fp.Problem(process, fp.Grid(x=(-2.5, 2.5, cells), y=(-2, 2, cells)))


def test_one_factorisation_serves_many_times_in_two_dimensions():
    pr, start = turning(32), fp.Gaussian((-1, 0.0), (0.3, 0.3))
    path = fp.evolve(pr, start, [1.0], method=fp.TRBDF2(dt=0.02))
    steps, _, factored = (int(word) for word in path.info.notes[0].split() if word.isdigit())
    assert steps == 50
    assert factored <= 10
    assert path.info.mass_error < 1e-13
    m0, L = masses(start, pr.grid).ravel(), partial(fp.generator, pr)
    exact = solve_ivp(lambda t, m: L(t).rates() @ m, (0, 1), m0, method="DOP853", rtol=1e-6, atol=1e-9).y[:, -1]
    assert np.abs(path.masses[0].ravel() - exact).sum() < 1e-4
    y = path[0].marginal("y")
    assert y.var() == pytest.approx(
        np.exp(-2) * (0.09 + quad(lambda t: 0.3 * np.exp(2 * t) / (1 + t), 0, 1)[0]), abs=4e-3
    )


def test_increments_from_the_factors_of_another_time_are_exact():
    pr = turning(20)
    flow, b = Flow(partial(fp.generator, pr)), fp.generator(pr, 0.3).apply(np.full(400, 1 / 400))
    first = flow.solve(0.3, 3.0, b)
    assert flow.factored == 1
    for t in (0.31, 0.35):
        y = flow.increment(t, 3.0, b)
        exact = fp.generator(pr, t).resolvent(3.0).solve(b)
        assert np.abs(y - exact).sum() < 1e-11 * np.abs(exact).sum()
        assert abs(y.sum()) < 1e-15
        assert np.abs(first - exact).sum() > 1e-4 * np.abs(exact).sum()  # the control
    assert flow.factored == 1
    far = flow.increment(9.0, 3.0, b)  # an eighth of the noise is left: too far for corrections
    assert far == pytest.approx(fp.generator(pr, 9.0).resolvent(3.0).solve(b), rel=1e-12, abs=1e-18)
    assert flow.factored == 2


def test_sweeps_are_not_corrected_but_factored():
    pr = fp.Problem(fp.Process(lambda x, t: np.cos(t) - x, 0.5), GRID)
    flow, b = Flow(partial(fp.generator, pr)), np.random.default_rng(1).normal(size=280)
    for t in (0.0, 0.01, 0.02):
        flow.increment(t, 10.0, b)
    assert flow.factored == 3


def test_a_few_generators_are_kept():
    made = []

    def at(t):
        made.append(t)
        return fp.generator(turning(4), t)

    flow = Flow(at)
    for t in (0.0, 0.1, 0.0, 0.1, 0.2):
        flow.at(t)
    assert made == [0.0, 0.1, 0.2]
    assert KEPT >= 3


def test_a_chain_is_solved_as_a_matrix_would_be():
    """One row of a sweep: with killing, one-way edges, mapped cells, adjoint; a ring is left to sparse LU."""
    axes = [
        fp.Axis.uniform(-2, 2, 40, ends=("absorbing", "open")),
        fp.Axis.log(1e-3, 1e3, 50),
        fp.Axis.uniform(-3, 3, 5),
    ]
    for axis in axes:
        pr = fp.Problem(fp.Process(lambda x: 1 - x, lambda x: 0.3 + 0.1 * x**2), fp.Grid(x=axis))
        L = fp.generator(pr)
        b = np.random.default_rng(2).normal(size=L.size)
        assert L.bands is not None
        for z in (0.1, 30.0):
            matrix = z * np.eye(L.size) - L.rates().toarray()
            assert L.resolvent(z).solve(b) == pytest.approx(np.linalg.solve(matrix, b), rel=1e-8, abs=1e-10)
            assert L.resolvent(z).solve_adjoint(b) == pytest.approx(np.linalg.solve(matrix.T, b), rel=1e-8, abs=1e-10)
    ring = fp.Axis.uniform(0, 1, 20, ends="periodic")
    assert fp.generator(fp.Problem(fp.Process(0.0, 1.0), fp.Grid(x=ring))).bands is None


def test_backward_euler_keeps_every_digit_of_a_tail_on_a_chain():
    """No subtraction: masses of 1e-50 are right to rounding, against elimination in 60 digits."""
    pr = fp.Problem(fp.Process(lambda x: -x, 0.5), fp.Grid(x=(-12, 12, 60)))
    L = fp.generator(pr)
    path = fp.evolve(pr, fp.Point(0.2), [0.01], method=fp.BackwardEuler(dt=0.01))
    with mp.workdps(60):
        up, down = ([mp.mpf(float(rate)) for rate in rates] for rates in (L.edges.up, L.edges.down))
        matrix, right = mp.eye(60) / mp.mpf(0.01), mp.zeros(60, 1)
        for i, (forth, back) in enumerate(zip(up, down, strict=True)):
            matrix[i, i] += forth
            matrix[i + 1, i + 1] += back
            matrix[i + 1, i] -= forth
            matrix[i, i + 1] -= back
        right[int(np.argmin(np.abs(pr.grid.nodes[0] - 0.2)))] = 1 / mp.mpf(0.01)
        exact = np.array([float(m) for m in mp.lu_solve(matrix, right)])
    assert exact.min() < 1e-40
    assert path.masses[0] == pytest.approx(exact, rel=1e-13)


def sampled(function):
    """The function, and a list of how many points it is asked at a time."""
    asked = []

    def counted(x):
        asked.append(np.size(x))
        return function(x)

    return counted, asked


@pytest.mark.parametrize("moves", ["drift", "diffusion"])
def test_what_does_not_move_is_sampled_once(moves):
    still, asked = sampled(lambda x: 0.5 + 0.1 * np.cos(x))
    parts = {"drift": lambda x: still(x) - x, "diffusion": still}
    parts[moves] = lambda x, t: np.cos(t) - x if moves == "drift" else 0.5 + 0.1 * np.sin(t) + 0 * x
    pr = fp.Problem(fp.Process(**parts), GRID)
    fp.generator(pr, 0.0)
    asked.clear()
    for t in (0.1, 0.2, 0.3):
        fp.generator(pr, t)
    assert max(asked, default=0) < 280  # at an end, where a wall may be natural, but not along the axis


MOVING = {
    "drift": (lambda x, t: np.cos(t) - x, lambda x: 0.3 + 0.1 * x**2),
    "diffusion": (lambda x: -x, lambda x, t: 0.3 + 0.1 * t * x**2),
    "both": (lambda x, t: np.cos(t) - x, lambda x, t: np.exp(-t * x**2)),
    "a zero of the noise": (lambda x: 0.3 - x, lambda x, t: (x - t) ** 2),
    "a zero of the noise that stays": (lambda x, t: t - x, lambda x: (x - 0.4) ** 2),
    "noise that comes": (lambda x: -x, lambda x, t: np.maximum(t - 0.1, 0.0) + 0 * x),
}


def around(f):
    """The same on a ring of length 4."""
    if f.__code__.co_argcount == 1:
        return lambda x: f(np.sin(0.5 * np.pi * x))
    return lambda x, t: f(np.sin(0.5 * np.pi * x), t)


@pytest.mark.parametrize("ends", ["open", "absorbing", "periodic"])
@pytest.mark.parametrize("name", list(MOVING))
@pytest.mark.parametrize("convention", ["ito", "isothermal"])
def test_a_generator_in_motion_is_that_of_the_process_at_rest(name, ends, convention):
    """To the last bit, however much of it is kept from other times."""
    grid = fp.Grid(x=fp.Axis.uniform(-2, 2, 41, ends=ends))
    parts = [around(f) if ends == "periodic" else f for f in MOVING[name]]
    pr = fp.Problem(fp.Process(*parts, convention), grid)
    before = None
    for t in (0.0, 0.1, 0.7):
        L, frozen = fp.generator(pr, t).chain, fp.generator(pr.replace(process=pr.process.at(t))).chain
        for part in ("step", "log_conductance", "up", "down", "killing", "noiseless", "dead", "zeros"):
            np.testing.assert_array_equal(getattr(L, part), getattr(frozen, part))
        assert before is None or not np.array_equal(L.up, before)  # the control: it does move
        before = None if name == "noise that comes" else L.up.copy()


def test_noise_that_turns_negative_is_refused_when_it_does():
    pr = fp.Problem(fp.Process(lambda x: -x, lambda x, t: 0.5 - t + 0 * x), GRID)
    with pytest.raises(fp.InvalidInput, match=r"diffusion is negative \(-0\.\d+\)"):
        fp.evolve(pr, fp.Gaussian(0, 1), [1.0], method=fp.TRBDF2(dt=0.05))


def test_a_narrow_zero_of_the_noise_is_found_wherever_it_moves():
    """D is about 1 but for a zero between nodes, which no sample comes near: spread 3 in ln D."""
    process = fp.Process(lambda x: 1.0 + 0 * x, lambda x, t: (x - t) ** 2 / ((x - t) ** 2 + 0.01))
    pr = fp.Problem(process, fp.Grid(x=(-2, 2, 41)))
    for t in (0.31, 0.7, 1.13):
        found = fp.generator(pr, t).chain
        assert found.zeros[found.noiseless] == pytest.approx(t, abs=1e-6)
        assert np.all(found.down[found.noiseless] == 0.0)  # what has passed it does not come back
        assert found.noiseless.any()
    nearly = process.replace(diffusion=lambda x, t: 0.05 + (x - t) ** 2 / ((x - t) ** 2 + 0.01))
    assert not fp.generator(pr.replace(process=nearly), 0.31).chain.noiseless.any()  # the control
