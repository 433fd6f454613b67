"""Jumps, memory and their particles under bad and extreme input: told, or answered rightly."""

import warnings

import numpy as np
import pytest
from mittag_leffler import E

import fpsolve as fp

WIDE = fp.Axis.sinh(-1e3, 1e3, 401, scale=0.3)
RNG = np.random.default_rng(0)
START = fp.Gaussian(1.0, 0.3)


def pull(x):
    return -x


def problem(diffusion=1.0, axis=None, **process):
    return fp.Problem(fp.Process(pull, diffusion, **process), fp.Grid(x=axis or fp.Axis.uniform(-8, 8, 400)))


@pytest.mark.parametrize("jumps", ["levy", 1.5, fp.Stable, (), (fp.Stable(1.5), 3)])
def test_what_is_no_jump_is_refused(jumps):
    with pytest.raises(fp.InvalidInput, match="jumps is"):
        fp.Process(pull, jumps=jumps)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("1.5",), "alpha is '1.5'"),
        ((np.nan,), "alpha is nan"),
        ((0.0,), "alpha is 0"),
        ((2.0001,), "alpha is 2.0001"),
        ((1j,), "alpha is 1j"),
        ((1.5, -1.0), "scale is -1"),
        ((1.5, np.nan), "scale is nan"),
        ((1.5, np.ones(2)), "scale is array"),
        ((1.5, np.ones((2, 3))), "square matrix"),
        ((1.5, 1.0, 2.0), "skew is 2"),
        ((1.0, 1.0, 0.5), "skew is 0.5 at alpha = 1"),
    ],
)
def test_row_23_jumps_out_of_range_are_refused(arguments, message):
    with pytest.raises(fp.InvalidInput, match=message):
        fp.Stable(*arguments)


@pytest.mark.parametrize(
    ("scale", "message"),
    [
        (lambda x: np.nan * x, "scale is nan at x="),
        (lambda x: x, r"scale is negative \(-"),
        (lambda x: 1.0 + 1j * x, "scale is complex at x="),
        (lambda x: np.ones(7), r"returned shape \(7,\)"),
        (lambda x: 1 / 0, "scale raised ZeroDivisionError"),
        (lambda x: 1.0 + RNG.random(x.shape), "scale gave .* and then"),
    ],
)
@pytest.mark.parametrize(
    "ask",
    [
        fp.stationary,
        lambda jumping: fp.evolve(jumping, START, [1.0]),
        lambda jumping: fp.simulate(jumping, START, [1.0], dt=0.1, n=50, seed=1, progress=False),
    ],
)
def test_row_23_scales_that_fail_are_told_by_every_engine(scale, message, ask):
    jumping = problem(jumps=fp.Stable(1.5, scale), axis=WIDE)
    with pytest.raises(fp.InvalidInput, match=message):
        ask(jumping)


def test_a_scale_of_two_coordinates_needs_two_axes():
    with pytest.raises(fp.InvalidInput, match="scale takes 2 coordinates"):
        problem(jumps=fp.Stable(1.5, lambda x, y: x))


def test_jumps_of_scale_zero_are_none():
    with_none = fp.stationary(problem(axis=WIDE))
    assert np.array_equal(fp.stationary(problem(axis=WIDE, jumps=fp.Stable(1.5, 0.0))).values, with_none.values)
    assert fp.Process(pull, 1.0, jumps=fp.Stable(2.0, 0)).jumps is None
    gibbs = fp.Process.gibbs(lambda x: x**2 / 2, temperature=1.0)
    assert gibbs.replace(jumps=fp.Stable(2.0, 0.0)).potential is not None
    both = fp.Process(lambda x, y: (-x, -y), 1.0, jumps=(fp.Stable(1.5, 0), fp.Stable(1.2)))
    assert both.jumps[0] is None
    assert both.jumps[1].alpha == 1.2
    assert fp.Process(lambda x, y: (-x, -y), 1.0, jumps=fp.Stable(1.5, np.zeros((2, 2)))).jumps is None


def test_a_gibbs_process_with_jumps_says_so():
    gibbs = fp.Process.gibbs(lambda x: x**2 / 2, temperature=1.0)
    assert repr(gibbs) == "Process.gibbs(temperature=1)"
    more = gibbs.replace(jumps=fp.Stable(1.5), memory=0.5)
    assert repr(more) == "Process.gibbs(temperature=1, Stable(alpha=1.5, scale=1), memory=0.5)"
    with pytest.raises(fp.InvalidInput, match="jumps of index 2 are diffusion"):
        gibbs.replace(jumps=fp.Stable(2.0))


@pytest.mark.parametrize("alpha", [0.05, 1.999, 2.0])
def test_extreme_indices_evolve_as_their_particles(alpha):
    jumping = problem(0.0, fp.Axis.sinh(-1e4, 1e4, 601, scale=0.3), jumps=fp.Stable(alpha))
    p = fp.evolve(jumping, START, [0.5])[0]
    swarm = fp.simulate(jumping, START, [0.5], dt=0.01, n=4000, seed=3, progress=False)
    inside = np.mean(np.abs(swarm.positions[0, :, 0]) < 2.0)
    assert inside == pytest.approx(p.cdf(2.0) - p.cdf(-2.0), abs=0.03)
    assert fp.evolve(jumping, START, [5.0])[0].cdf(2.0) - p.cdf(2.0) < -0.003 or alpha > 1  # it does move


def test_far_places_leave_no_stray_warnings():
    jumping = problem(0.0, fp.Axis.sinh(-1e6, 1e6, 401), jumps=fp.Stable(0.05))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fp.simulate(jumping, START, [1.0], dt=0.01, n=2000, seed=1, progress=False)


@pytest.mark.parametrize("times", ["abc", ["1.0"], [1j], None, [[1.0], [1.0, 2.0]], [[1.0, 2.0]], [], [np.nan], [-1.0]])
@pytest.mark.parametrize("memory", [1.0, 0.7])
def test_row_31_times_that_are_none_are_refused_by_every_engine(times, memory):
    asked = problem(memory=memory)
    for ask in (
        lambda: fp.evolve(asked, START, times),
        lambda: fp.survival(asked, START, times, inside=(-2, 2)),
        lambda: fp.simulate(asked, START, times, dt=0.1, n=5, seed=1, progress=False),
    ):
        with pytest.raises(fp.InvalidInput, match="times"):
            ask()


def test_a_run_of_no_length_is_refused_with_its_reason():
    with pytest.raises(fp.InvalidInput, match="times ends at t=0, where the run begins"):
        fp.simulate(problem(), START, [0.0], dt=0.1, n=5, seed=1)


@pytest.mark.parametrize("memory", [0.01, 0.999])
@pytest.mark.parametrize("t", [1e-12, 1.0, 1e12])
def test_row_24_extreme_memories_relax_as_mittag_leffler_functions(memory, t):
    found = fp.evolve(problem(memory=memory), START, [0.0, t])
    assert found.mean()[0] == pytest.approx(1.0)
    assert found.mean()[1] == pytest.approx(E(-(t**memory), memory).real, abs=2e-4)
    if t == 1.0:
        coarse = fp.evolve(problem(memory=memory), START, [t], method=fp.FastL1())
        assert coarse.mean()[0] == pytest.approx(found.mean()[1], abs=1e-3)


def test_clocks_of_a_small_memory_neither_stop_nor_overflow():
    """dt^(1/memory) is 1e-400 here, and what it multiplies beyond 1e308."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        swarm = fp.simulate(problem(memory=0.01), START, [1.0], dt=1e-4, n=2, seed=1, progress=False)
    assert np.all(np.isfinite(swarm.positions))
    fast = fp.simulate(problem(memory=0.01), START, [1.0], dt=5e-3, n=1500, seed=2, progress=False)
    assert fast.positions[0].mean() == pytest.approx(E(-1.0, 0.01).real, abs=0.08)


@pytest.mark.parametrize("t", [1e-300, 1e300])
def test_times_at_the_ends_of_double_precision_are_answered_or_refused(t):
    for method in (fp.Krylov(), fp.BackwardEuler(dt=t / 10)):
        try:
            mean = fp.evolve(problem(), START, [t], method=method).mean()[0]
        except fp.NotConverged:
            continue
        assert mean == pytest.approx(1.0 if t < 1 else 0.0, abs=1e-9)


@pytest.mark.parametrize("memory", [1.0, 0.6])
def test_row_50_an_interrupted_run_with_jumps_keeps_what_it_has(memory):
    def stop(done, total):
        if done > 0.4 * total:
            raise KeyboardInterrupt

    jumping = problem(memory=memory, jumps=fp.Stable(1.5))
    with pytest.warns(fp.FpsolveWarning, match="interrupted"):
        swarm = fp.simulate(jumping, START, [0.1, 0.2, 1.0], dt=0.01, n=40, seed=1, progress=stop)
    assert not swarm.finished
    assert np.all(np.isfinite(swarm.positions))
    with pytest.warns(fp.FpsolveWarning, match="interrupted"):
        path = fp.evolve(jumping, START, [0.1, 0.2, 1.0], progress=stop)
    assert not path.finished
    assert path.mass == pytest.approx(np.ones(len(path)), abs=1e-10)


def test_row_17_a_grid_that_cannot_tell_says_so_instead_of_naming_an_exponent():
    coarse = problem(0.0, fp.Axis.uniform(-1, 1, 3), jumps=fp.Stable(0.8))
    with pytest.raises(fp.InvalidInput, match="3 cells, too few to tell"):
        fp.stationary(coarse)
    with pytest.raises(fp.NotNormalizable, match="undecided"):
        fp.stationary(coarse.replace(grid=fp.Grid(x=(-1, 1, 4))))


def test_row_53_moments_beyond_the_tail_are_refused_at_rest_and_in_motion():
    jumping = problem(0.0, WIDE, jumps=fp.Stable(0.8))
    p = fp.stationary(jumping.replace(grid=fp.Grid(x=fp.Axis.sinh(-1e8, 1e8, 401))))
    path = fp.evolve(jumping, START, [1.0])
    for mean in (p.mean, path.mean, path[0].mean):
        with pytest.raises(fp.InvalidInput, match="moment of order 1 of x does not exist"):
            mean()
    with pytest.warns(fp.DegenerateWarning, match="moment of order 2 of x is infinite"):
        assert fp.evolve(problem(0.0, WIDE, jumps=fp.Stable(1.5)), START, [1.0])[0].var() == np.inf


def growing(power, alpha=1.2):
    return fp.Stable(alpha, scale=lambda *x: (1 + x[0] ** 2) ** (0.5 * power))


def test_a_scale_that_grows_faster_than_any_tail_falls_is_told_with_end_and_numbers():
    message = (
        r"toward the open end x=-1000 the scale of jumps grows like \|x\|\^3 over .*, scale\^alpha like \|x\|\^3\.6, "
        r"and p falls like \|x\|\^-2\.2 .*3\.6 - 2\.2 is not below 0\.2; let the scale level off there \(slower than "
        r"\|x\|\^2\).*'reflecting' or 'absorbing'"
    )
    with pytest.raises(fp.InvalidInput, match=message):
        fp.generator(problem(None, WIDE, jumps=growing(3.0)))
    mixed = fp.Axis.sinh(-1e3, 1e3, 401, scale=0.3, ends=("reflecting", "open"))
    with pytest.raises(fp.InvalidInput, match=r"open end x=1000 .*3\.6 - 2\.2 is not below 1\.2"):
        fp.generator(problem(None, mixed, jumps=growing(3.0)))
    plane = fp.Grid(x=fp.Axis.sinh(-100, 100, 41), y=(-5, 5, 5))
    process = fp.Process(lambda x, y: (-x, -y), (0.0, 0.5), jumps=(growing(3.0), None))
    with pytest.raises(fp.InvalidInput, match="toward the open end x=-100 the scale of jumps grows"):
        fp.generator(fp.Problem(process, plane))


def test_what_the_message_about_a_growing_scale_advises_helps():
    def leveled(x):
        y = np.minimum(np.abs(x), 100.0)
        return (1 + y**2) ** 1.5

    walls = fp.Axis.sinh(-1e3, 1e3, 401, scale=0.3, ends="reflecting")
    for pr in (
        problem(None, WIDE, jumps=growing(1.9)),
        problem(None, WIDE, jumps=fp.Stable(1.2, leveled)),
        problem(None, walls, jumps=growing(3.0)),
    ):
        assert fp.generator(pr).is_markov
    accurate = problem(None, WIDE, jumps=growing(2.3)).replace(scheme=fp.Accurate())
    assert "fitted to the last cells" in fp.stationary(accurate).info.notes[0]
