"""Densities in motion: exact transients in one and two dimensions, moving coefficients, ends, faults, going on."""

import sys
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm, solve_continuous_lyapunov

import fpsolve as fp


def problem(drift, diffusion, axis=(-6, 6, 240), scheme=None):
    return fp.Problem(fp.Process(drift, diffusion), fp.Grid(x=axis), scheme or fp.Positive())


def normal(mean, var):
    return lambda x: np.exp(-((x - mean) ** 2) / (2 * var)) / np.sqrt(2 * np.pi * var)


def l1(p, exact):
    """Distance of a density from a function of the coordinates."""
    return float(np.sum(p.grid.weights * np.abs(p.values - exact(*p.grid.mesh()))))


OU = problem(lambda x: -x, 0.5)
WELL = problem(lambda x: x - x**3, 0.25, (-3, 3, 150))


def ornstein_uhlenbeck(t, mean=2.0, var=0.25):
    """From a Gaussian, dX = -X dt + dW."""
    return mean * np.exp(-t), 0.5 + (var - 0.5) * np.exp(-2 * t)


def test_ornstein_uhlenbeck_transients_are_exact():
    path = fp.evolve(OU, fp.Gaussian(2.0, 0.5), [0.0, 0.3, 1.0, 3.0], method=fp.SDIRK2(rtol=1e-6))
    mean, var = ornstein_uhlenbeck(path.times)
    assert path.mean() == pytest.approx(mean, abs=1e-3)  # second order in the cell width .05
    assert path.var() == pytest.approx(var, abs=1e-3)
    for p, m, v in zip(path, mean, var, strict=True):
        assert l1(p, normal(m, v)) < 1e-3
    assert path.info.mass_error < 1e-13
    assert path.info.smallest >= 0
    assert path.info.method == "SDIRK2(dt=None, rtol=1e-06)"


def test_space_and_time_converge_together_at_second_order():
    def error(cells, dt):
        path = fp.evolve(problem(lambda x: -x, 0.5, (-6, 6, cells)), fp.Gaussian(2.0, 0.5), [1.0], method=fp.SDIRK2(dt))
        return l1(path[0], normal(*ornstein_uhlenbeck(1.0)))

    errors = [error(60, 0.1), error(120, 0.05), error(240, 0.025)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2.0, abs=0.15)
    assert np.log2(errors[1] / errors[2]) == pytest.approx(2.0, abs=0.1)


def test_convergence_of_an_evolved_density():
    start, method = fp.Gaussian(-1, 0.2), fp.SDIRK2(dt=0.02)
    order = fp.convergence(
        lambda pr: fp.evolve(pr, start, [1.0], method=method)[0], problem(lambda x: x - x**3, 0.25, (-3, 3, 60))
    )
    assert order.order == pytest.approx(2.0, abs=0.1)


def test_a_wrong_drift_is_noticed():
    wrong = fp.evolve(problem(lambda x: -1.1 * x, 0.5), fp.Gaussian(2.0, 0.5), [1.0])
    assert l1(wrong[0], normal(*ornstein_uhlenbeck(1.0))) > 0.05


def test_the_default_method_errs_by_about_its_tolerance():
    coarse, fine = (
        fp.evolve(WELL, fp.Gaussian(-1, 0.1), [0.5, 5.0], method=method) for method in (None, fp.SDIRK2(rtol=1e-7))
    )
    assert np.abs(coarse.masses - fine.masses).sum(axis=1).max() < 1e-4


def moving(t):
    """dX = (cos 2t - X) dt + sqrt(2 (1 + sin(3t)/2)) dW: mean and variance from N(1, 1/4), and D."""
    mean = (np.cos(2 * t) + 2 * np.sin(2 * t) + 4 * np.exp(-t)) / 5
    swing = (2 * np.sin(3 * t) - 3 * np.cos(3 * t) + 3 * np.exp(-2 * t)) / 13
    return mean, 0.25 * np.exp(-2 * t) + 1 - np.exp(-2 * t) + swing


def test_moving_coefficients_give_the_exact_law():
    pr = problem(lambda x, t: np.cos(2 * t) - x, lambda x, t: 1 + 0.5 * np.sin(3 * t) + 0 * x, (-8, 8, 160))
    for method in (fp.SDIRK2(dt=0.02), fp.SDIRK2(rtol=1e-4)):
        path = fp.evolve(pr, fp.Gaussian(1.0, 0.5), [0.0, 0.7, 2.0], method=method)
        mean, var = moving(path.times)
        assert path.mean() == pytest.approx(mean, abs=3e-3)
        assert path.var() == pytest.approx(var, abs=6e-3)
        assert path.info.mass_error < 1e-13
    frozen = fp.evolve(problem(lambda x: 1 - x, 1.0, (-8, 8, 160)), fp.Gaussian(1.0, 0.5), [2.0])
    assert abs(frozen.mean()[0] - moving(2.0)[0]) > 0.3  # the control


def test_two_dimensions_rotate_and_spread_as_they_should():
    A, D = np.array([[-1.0, -1.5], [0.5, -1.0]]), np.array([[1.0, 0.4], [0.4, 0.5]])
    grid = fp.Grid(x=(-6, 6, 60), y=(-5, 5, 60))
    pr = fp.Problem(fp.Process(lambda x, y: (-x - 1.5 * y, 0.5 * x - y), D), grid)
    path = fp.evolve(pr, fp.Gaussian((1.0, 0.5), (0.6, 0.6)), [0.0, 0.3, 1.0])
    still = solve_continuous_lyapunov(A, -2 * D)
    for p in path:
        flow = expm(A * p.time)
        assert p.mean() == pytest.approx(flow @ [1.0, 0.5], abs=6e-3)
        assert p.var() == pytest.approx(np.diag(still + flow @ (0.36 * np.eye(2) - still) @ flow.T), abs=1e-2)
    assert path.mean().shape == path.var().shape == (3, 2)
    assert path.info.mass_error < 1e-13
    assert path.info.smallest >= 0


def test_an_equilibrium_stays_and_everything_else_goes_there():
    p = fp.stationary(WELL)
    assert fp.evolve(WELL, p, [10.0])[0].values == pytest.approx(p.values, abs=1e-13)
    path = fp.evolve(WELL, fp.Point(-1.02), [300.0])
    assert path[0].values == pytest.approx(p.values, abs=1e-6)


def test_absorbing_ends_take_mass():
    """Free diffusion between absorbing ends from the middle: survival is a series of sines."""
    axis = fp.Axis.uniform(-1, 1, 201, ends="absorbing")
    path = fp.evolve(problem(0.0, 0.5, axis), fp.Point(0.0), [0.1, 0.5, 2.0], method=fp.SDIRK2(rtol=1e-6))
    k = np.arange(200)
    terms = (-1.0) ** k / (2 * k + 1) * np.exp(-0.5 * ((2 * k + 1) * np.pi / 2) ** 2 * path.times[:, None])
    assert path.mass == pytest.approx(4 / np.pi * terms.sum(axis=1), rel=2e-4)
    assert path.info.mass_error is None  # nothing is conserved
    assert path[2].mass == pytest.approx(path.mass[2])


def test_nothing_is_left_after_a_very_long_time():
    axis = fp.Axis.uniform(-1, 1, 41, ends="absorbing")
    path = fp.evolve(problem(0.0, 0.5, axis), fp.Point(0.0), [1e3, 1e4, 1e5])
    assert path.mass[-1] == 0.0
    assert np.all(np.isfinite(path.masses))


@settings(deadline=None, max_examples=15)
@given(
    st.floats(-20, 20), st.floats(0.01, 5), st.floats(0.01, 3.0), st.sampled_from(["periodic", "reflecting", "open"])
)
def test_mass_is_conserved_whatever_moves_it(force, strength, t, ends):
    axis = fp.Axis.uniform(-np.pi, np.pi, 41, ends=ends)
    pr = problem(lambda x: force * np.cos(x) + 1, lambda x: strength * (1.1 + np.sin(x)), axis)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fp.TruncationWarning)
        path = fp.evolve(pr, fp.Point(axis.nodes[20]), [0.1 * t, t])
    assert path.info.mass_error < 1e-13
    assert path.masses.min() >= -1e-10 * path.masses.max()


def test_a_run_that_goes_on_equals_one_run():
    method = fp.SDIRK2(dt=1 / 64)
    whole = fp.evolve(WELL, fp.Gaussian(-1, 0.1), [0.5, 1.0, 2.0], method=method)
    first = fp.evolve(WELL, fp.Gaussian(-1, 0.1), [0.5, 1.0], method=method)
    for start in (first, first[-1]):
        rest = fp.evolve(WELL, start, [1.0, 2.0], method=method)
        assert rest.times == pytest.approx([1.0, 2.0])
        assert rest[0].values == pytest.approx(first[1].values, rel=1e-14)
        assert rest.masses[1] == pytest.approx(whole.masses[2], rel=1e-12, abs=1e-15)


def test_coefficients_are_taken_at_the_time_a_run_goes_on_from():
    pr = problem(lambda x, t: np.cos(2 * t) - x, lambda x, t: 1 + 0.5 * np.sin(3 * t) + 0 * x, (-8, 8, 80))
    method = fp.SDIRK2(dt=1 / 32)
    whole = fp.evolve(pr, fp.Gaussian(1, 0.5), [1.0, 2.0], method=method)
    first = fp.evolve(pr, fp.Gaussian(1, 0.5), [1.0], method=method)
    rest = fp.evolve(pr, first, [2.0], method=method)
    assert rest.masses[0] == pytest.approx(whole.masses[1], rel=1e-12, abs=1e-15)
    afresh = fp.evolve(pr, first[0].replace(time=None), [1.0], method=method)
    assert abs(afresh.mean()[0] - rest.mean()[0]) > 0.1  # the control


def test_a_density_on_another_grid_is_interpolated():
    path = fp.evolve(OU, fp.Gaussian(2.0, 0.5), [1.0])
    finer = problem(lambda x: -x, 0.5, (-6, 6, 480))
    assert fp.evolve(finer, path[0], [1.0]).mean() == pytest.approx(path.mean(), abs=1e-5)


class Stop:
    """Ctrl-C once so many thousandths of the run's time are done."""

    def __init__(self, at):
        self.at = at

    def __call__(self, done, total):
        assert total == 1000
        if done >= self.at:
            raise KeyboardInterrupt


def test_row_50_an_interrupted_run_keeps_what_it_has_and_goes_on():
    method = fp.SDIRK2(dt=0.01)
    with pytest.warns(fp.FpsolveWarning, match=r"interrupted at t=1\.2\d? of 2: a partial evolution"):
        part = fp.evolve(WELL, fp.Gaussian(-1, 0.1), [0.5, 1.0, 2.0], method=method, progress=Stop(600))
    assert not part.finished
    assert part.times == pytest.approx([0.5, 1.0, 1.2], abs=0.011)
    assert "partial" in repr(part)
    whole = fp.evolve(WELL, fp.Gaussian(-1, 0.1), [0.5, 1.0, 2.0], method=method)
    assert np.array_equal(part.masses[:2], whole.masses[:2])
    rest = fp.evolve(WELL, part, [2.0], method=method)
    assert rest.finished
    assert rest.masses[0] == pytest.approx(whole.masses[2], abs=1e-12)


def test_row_50_an_interruption_before_the_first_time_keeps_the_state():
    with pytest.warns(fp.FpsolveWarning, match="interrupted at t="):
        part = fp.evolve(WELL, fp.Gaussian(-1, 0.1), [2.0], method=fp.SDIRK2(), progress=Stop(100))
    assert len(part) == 1
    assert 0.2 <= part.times[0] < 1.0
    assert part.mass == pytest.approx(1.0)


def test_progress_is_told_in_thousandths_of_the_time():
    told = []
    fp.evolve(WELL, fp.Gaussian(-1, 0.1), [0.5, 2.0], progress=lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1] == (1000, 1000)


def test_row_26_a_negative_start_is_refused():
    with pytest.raises(fp.InvalidInput, match=r"is negative in \d+ cells \(minimum -"):
        fp.evolve(OU, lambda x: normal(0, 1)(x) * (1 - 0.3 * x**2), [1.0])


def test_row_27_a_start_whose_mass_is_not_1_is_refused():
    with pytest.raises(fp.InvalidInput, match=r"the initial mass is 0\.69999"):
        fp.evolve(OU, lambda x: 0.7 * normal(0, 1)(x), [1.0])


def test_row_28_a_start_that_is_zero_is_refused():
    with pytest.raises(fp.InvalidInput, match="is 0 in every cell"):
        fp.evolve(OU, lambda x: 0 * x, [1.0])


def test_row_29_a_point_between_nodes_tells_the_shift():
    with pytest.warns(fp.ResolutionWarning, match=r"mean shifts, that of x by 0\.015") as caught:
        fp.evolve(OU, fp.Point(0.01), [1.0])
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([1.0, 0.5], r"times\[1\]=0\.5 follows times\[0\]=1; times must rise"),
        ([1.0, 1.0], "times must rise"),
        ([-1.0, 1.0], "times begins with -1, but the start is at t=0"),
        ([], "give finite times, one or more"),
        ([np.nan], "give finite times"),
        ([[0.5, 1.0]], "give finite times"),
    ],
)
def test_row_31_times_must_rise_from_the_start(times, message):
    with pytest.raises(fp.InvalidInput, match=message):
        fp.evolve(OU, fp.Gaussian(0, 1), times)


def test_row_31_a_run_cannot_go_on_to_earlier_times():
    path = fp.evolve(OU, fp.Gaussian(0, 0.5), [1.0])
    with pytest.raises(fp.InvalidInput, match=r"begins with 0\.5, but what it goes on from ends at t=1"):
        fp.evolve(OU, path, [0.5, 2.0])


def test_row_30_a_step_longer_than_the_run_is_refused():
    with pytest.raises(fp.InvalidInput, match="dt is 3 but the run lasts 2"):
        fp.evolve(OU, fp.Gaussian(0, 1), [1.0, 2.0], method=fp.SDIRK2(dt=3.0))


@pytest.mark.parametrize("method", ["sdirk2", fp.SDIRK2, 1e-3])
def test_a_method_is_an_object(method):
    with pytest.raises(fp.InvalidInput, match="give a time stepper: fp.Krylov.*fp.SDIRK2"):
        fp.evolve(OU, fp.Gaussian(0, 1), [1.0], method=method)


def test_a_problem_is_asked_for():
    with pytest.raises(fp.InvalidInput, match="give an fp.Problem"):
        fp.evolve(OU.process, fp.Gaussian(0, 1), [1.0])


def test_row_33_too_many_states_for_the_memory_are_refused_before_they_are_computed(monkeypatch):
    memory = sys.modules["fpsolve.memory"]
    monkeypatch.setattr(memory, "available_bytes", lambda: 1e6)
    monkeypatch.setattr(memory, "SMALL", 0.0)
    with pytest.raises(fp.NotEnoughMemory, match="240 cells at 100000 times needs"):
        fp.evolve(OU, fp.Gaussian(0, 1), np.linspace(0, 1, 100_000))


def test_steps_too_long_for_a_point_are_told_and_nothing_is_clipped():
    with pytest.warns(fp.ResolutionWarning, match=r"p falls to -0\.\d+ of its peak at t=0\.1: the steps are too long"):
        path = fp.evolve(OU, fp.Point(OU.grid.nodes[0][120]), [0.1, 1.0], method=fp.SDIRK2(dt=0.1))
    assert path.info.smallest == path[0].values.min() < 0
    assert np.isnan(path[0].log_values).any()
    assert path.mass == pytest.approx(1.0, abs=1e-13)


def test_undershoots_of_accurate_transport_are_told_in_info():
    process = fp.Process(lambda x, q: (-x, -1 + 0 * q), lambda x, q: (1.0 + 0 * x, 0 * x))
    grid = fp.Grid(x=fp.Axis.uniform(-4, 4, 20, ends="reflecting"), q=fp.Axis.uniform(-3, 2, 50, ends="reflecting"))
    start, method = fp.Gaussian((0.0, 0.5), (0.8, 0.15)), fp.SDIRK2(dt=0.02)
    steep = fp.evolve(fp.Problem(process, grid, fp.Accurate()), start, [1.0], method=method)
    assert any("accurate transport undershoots" in note for note in steep.info.notes)
    assert steep.info.smallest < 0
    wide = fp.evolve(fp.Problem(process, grid), start, [1.0], method=method)
    assert wide.info.smallest >= 0
    assert steep.info.mass_error < 1e-13
    assert wide.info.mass_error < 1e-13
    for path, spread in ((steep, 0.15**2), (wide, 0.15**2 + 0.1)):  # first order adds the diffusion dq/2
        assert path.mean()[0, 1] == pytest.approx(-0.5, abs=2e-3)
        assert path.var()[0, 1] == pytest.approx(spread, abs=2e-2)


def test_row_18_what_reaches_an_open_end_is_told():
    def run(drift, times, ends="open"):
        axis = fp.Axis.uniform(-3, 2, 100, ends=ends)
        return fp.evolve(problem(drift, 0.25, axis), fp.Gaussian(0.0, 0.1), times)

    with pytest.warns(fp.TruncationWarning, match=r"1\.\de-05 of the mass would lie beyond .* x=2 at t=1; .* to x=3"):
        path = run(lambda x: -x, [0.5, 1.0])
    assert path.info.edge_mass == pytest.approx(9e-6, rel=0.5)  # exactly: erfc of 4.29 deviations
    with pytest.warns(
        fp.TruncationWarning, match=r"0\.\d+ of the mass is held back at the open end x=2 at t=0.8; widen"
    ):
        run(1.0, [0.1, 0.8])
    assert run(1.0, [0.1, 0.8], "reflecting").info.edge_mass == 0.0
    assert run(1.0, [0.1]).info.edge_mass < 1e-12  # it rises there too, of next to nothing
    with pytest.warns(fp.TruncationWarning, match=r"^0\.\d+ of the mass would lie beyond"):
        run(0.0, [12.0], ("open", "reflecting"))  # nearly flat: many times what the grid holds, never more than all
