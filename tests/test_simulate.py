"""Simulated paths: exact laws within statistics, first order in dt, ends, and the same bits however a run is cut.

Tolerances are five standard errors of the sample unless they say otherwise.
"""

import warnings

import numpy as np
import pytest

import fpsolve as fp
from fpsolve.particles.simulate import simulate
from fpsolve.starts import Gaussian, Point

N = 40_000


def problem(drift, diffusion, axis=None, convention="ito"):
    axis = fp.Axis.uniform(-6, 6, 60) if axis is None else axis
    return fp.Problem(fp.Process(drift, diffusion, convention), fp.Grid(x=axis))


def run(pr, initial, times, dt, n=N, seed=7):
    return simulate(pr, initial, times, dt=dt, n=n, seed=seed, progress=False)


def x_of(swarm, t=None):
    return swarm.at(swarm.times[-1] if t is None else t)[:, 0]


def off(sample, mean):
    """Distance of the sample mean from `mean`, in standard errors."""
    return abs(sample.mean() - mean) / (sample.std() / np.sqrt(sample.size))


OU = problem(lambda x: -x, 0.5)


@pytest.mark.parametrize("dt", [0.1, 0.05])
def test_ornstein_uhlenbeck_has_the_law_of_its_steps(dt):
    x, k = x_of(run(OU, Point(1.0), [1.0], dt)), round(1 / dt)
    mean, var = (1 - dt) ** k, dt * ((1 - dt) ** (2 * np.arange(k))).sum()
    assert off(x, mean) < 5
    assert off((x - mean) ** 2, var) < 5


def test_the_bias_halves_with_dt_and_extrapolates_to_the_exact_law():
    biases = []
    for dt in (0.2, 0.1):
        x = x_of(run(OU, Point(4.0), [1.0], dt, n=200_000))
        biases.append(x.mean() - 4 * np.exp(-1))
    error = np.sqrt(0.43 / 200_000)
    assert abs(biases[0]) > 50 * error  # the check below would see a bias left over
    assert biases[0] / biases[1] == pytest.approx(2.0, abs=0.25)
    assert abs(2 * biases[1] - biases[0]) < 0.02  # of second order: .2^2/2


def test_a_wrong_drift_is_noticed():
    x = x_of(run(problem(lambda x: -1.1 * x, 0.5), Point(1.0), [1.0], 0.05))
    assert off(x, 0.95**20) > 5


@pytest.mark.parametrize(("convention", "c"), [("ito", 1.0), ("stratonovich", 0.5), ("isothermal", 0.0)])
def test_conventions_add_their_drift(convention, c):
    """d<x^2>/dt = -(3 + c)/2 ... stationary variances 1/3, 1/2, 1 for D = (1 + x^2)/4."""
    pr = problem(lambda x: -x, lambda x: 0.25 * (1 + x**2), fp.Axis.sinh(-1e4, 1e4, 200), convention)
    rate, dt, t = 1.5 - (1 - c), 0.02, 2.0
    exact = 0.5 / rate * -np.expm1(-rate * t)
    assert 0.5 / rate == pytest.approx({"ito": 1 / 3, "stratonovich": 1 / 2, "isothermal": 1.0}[convention])
    assert off(x_of(run(pr, Point(0.0), [t], dt)) ** 2, exact) < 5
    for other in (rate - 0.4, rate + 0.4):  # the neighbouring conventions' rates are off by 0.5
        assert off(x_of(run(pr, Point(0.0), [t], dt)) ** 2, 0.5 / other * -np.expm1(-other * t)) > 5


def test_stratonovich_drift_on_a_log_axis():
    """dX = X o sqrt(2 D) dW has ln X driftless; Ito has -D, isothermal +D."""
    for convention, drift in (("ito", -0.2), ("stratonovich", 0.0), ("isothermal", 0.2)):
        pr = problem(0.0, lambda x: 0.2 * x**2, fp.Axis.log(1e-3, 1e3, 100), convention)
        y = np.log(x_of(run(pr, Point(2.0), [1.0], 0.25)))
        assert off(y, np.log(2) + drift) < 5
        assert off((y - y.mean()) ** 2, 0.4) < 5


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_geometric_brownian_motion_keeps_its_sign_and_has_its_law_at_long_steps(sign):
    axis = fp.Axis.log(*sorted((sign * 1e-2, sign * 1e2)), 100)
    x = x_of(run(problem(lambda x: -3 * x, lambda x: 2.0 * x**2, axis), Point(sign), [3.0], 0.25))
    assert np.all(sign * x > 0)
    assert off(np.log(sign * x), -15.0) < 5
    assert off((np.log(sign * x) + 15) ** 2, 12.0) < 5


@pytest.mark.filterwarnings("ignore::fpsolve.errors.ResolutionWarning")  # the step is too long on purpose
def test_plain_steps_would_lose_the_sign():
    x = x_of(run(problem(lambda x: -3 * x, lambda x: 2.0 * x**2, fp.Axis.sinh(-9, 9, 50)), Point(1.0), [3.0], 0.5))
    assert np.any(x < 0)


def test_gamma_law_on_a_log_axis():
    """dx = (1 - x) dt + sqrt(2 x/2) dW: p = Gamma(2, 1/2), mean 1, variance 1/2."""
    pr = problem(lambda x: 1 - x, lambda x: 0.5 * x, fp.Axis.log(1e-3, 1e2, 100))
    means = []
    for dt in (0.02, 0.01):
        x = x_of(run(pr, fp.stationary(pr), [1.0], dt))
        means.append(x.mean())
        assert off((x - 1) ** 2, 0.5) < 6
    assert abs(2 * means[1] - means[0] - 1) < 5 * 3 * np.sqrt(0.5 / N)


def test_steps_too_long_for_a_log_axis_do_not_leap():
    """D/x^2 = 1/(2x) diverges at 0: where dt is too long for it, exponentials of the step would reach 1e50."""
    pr = problem(lambda x: 1 - x, lambda x: 0.5 * x, fp.Axis.log(1e-3, 1e2, 100))
    x = x_of(run(pr, Gaussian(1.0, 0.1), [10.0], 0.1, n=2_000))
    assert 1e-6 < x.min() < x.max() < 30
    assert x.mean() == pytest.approx(1.0, abs=0.2)


def test_a_noise_too_strong_for_the_step_keeps_a_finite_spread():
    """v = 2 D dt/x^2 = 8: the variance of ln x is 1 + ln 8, not 8, and the mean of x stays."""
    pr = problem(0.0, lambda x: 4.0 * x**2, fp.Axis.log(1e-3, 1e3, 100))
    x = x_of(run(pr, Point(1.0), [1.0], 1.0))
    assert off((np.log(x) + 0.5 * (1 + np.log(8))) ** 2, 1 + np.log(8)) < 5
    assert off(x, 1.0) < 5


def test_direct_forms_serve_where_the_diffusion_underflows():
    plain = fp.Process(lambda x: -0.5 * x, lambda x: 0.3 * x**2)
    direct = plain.replace(
        log_diffusion=lambda x: np.log(0.3) + 2 * np.log(x), drift_over_diffusion=lambda x: -0.5 / 0.3 / x
    )
    axis = fp.Grid(x=fp.Axis.log(1e-3, 1e3, 100))
    one, other = (x_of(run(fp.Problem(p, axis), Point(1.0), [1.0], 0.1, n=100)) for p in (plain, direct))
    assert other == pytest.approx(one, rel=1e-11)


def test_reflecting_half_line_is_exponential():
    pr = problem(-1.0, 1.0, fp.Axis.uniform(0, 20, 100, ends=("reflecting", "open")))
    means = []
    for dt in (0.04, 0.02):
        x = x_of(run(pr, fp.stationary(pr), [2.0], dt))
        assert x.min() >= 0
        means.append(x.mean())
    assert abs(2 * means[1] - means[0] - 1) < 5 * 3 / np.sqrt(N)


def test_two_walls_fold_steps_that_cross_several_times():
    pr = problem(0.0, 50.0, fp.Axis.uniform(-1, 2, 30, ends="reflecting"))
    x = x_of(run(pr, Point(-1.0), [1.0], 0.25))
    assert x.min() >= -1
    assert x.max() <= 2
    assert off(x, 0.5) < 5
    assert off((x - 0.5) ** 2, 0.75) < 5


def test_reflection_on_a_log_axis():
    pr = problem(lambda x: 0.1 * x, lambda x: 0.1 * x**2, fp.Axis.log(0.1, 10, 30, ends="reflecting"))  # ln x: free
    y = np.log(x_of(run(pr, Point(1.0), [60.0], 0.5, n=10_000)))
    assert np.abs(y).max() <= np.log(10) * (1 + 1e-12)
    assert off(y**2, np.log(10) ** 2 / 3) < 5


def test_a_ring_wraps():
    pr = problem(1.0, 0.5, fp.Axis.uniform(-np.pi, np.pi, 60, ends="periodic"))
    x = x_of(run(pr, Point(3.0), [2.0], 0.1))
    assert np.abs(x).max() <= np.pi
    assert np.abs(np.exp(1j * x).mean() - np.exp(5j - 1.0)) < 5 / np.sqrt(N)


def test_first_passage_has_its_closed_form():
    """Survival of free diffusion between absorbing ends, started in the middle."""
    pr = problem(0.0, 1.0, fp.Axis.uniform(-1, 1, 100, ends="absorbing"))
    k = 2 * np.arange(40) + 1
    swarm = run(pr, Point(0.0), [0.1, 0.3], 0.01)
    for t in (0.1, 0.3):
        exact = (4 / np.pi * (-1.0) ** (k // 2) / k * np.exp(-((k * np.pi / 2) ** 2) * t)).sum()
        alive = swarm.alive(t)
        assert abs(alive.mean() - exact) < 5 * np.sqrt(exact * (1 - exact) / N)
        assert np.array_equal(swarm.absorbed_at <= t, ~alive)
        assert np.all(np.abs(swarm.at(t)[~alive]) == 1)
        assert np.all(np.abs(swarm.at(t)[alive]) < 1)


def test_a_swarm_counts_the_absorbed_apart_from_the_diverged():
    pr = problem(0.0, 1.0, fp.Axis.uniform(-1, 1, 100, ends="absorbing"))
    swarm = run(pr, Point(0.0), [0.3], 0.01, n=1000)
    assert swarm.diverged.sum() == 0
    assert f"{swarm.absorbed.sum()} absorbed" in repr(swarm)


def test_without_the_bridge_too_many_would_survive():
    """The correction is what makes the test above pass: checking places at steps only is off by many errors."""
    free = problem(0.0, 1.0)
    paths = run(free, Point(0.0), np.arange(1, 31) * 0.01, 0.01).positions[:, :, 0]
    k = 2 * np.arange(40) + 1
    exact = (4 / np.pi * (-1.0) ** (k // 2) / k * np.exp(-((k * np.pi / 2) ** 2) * 0.3)).sum()
    assert (np.abs(paths).max(axis=0) < 1).mean() - exact > 10 * np.sqrt(exact / N)


def test_absorption_recorded_between_steps():
    pr = problem(0.0, 1.0, fp.Axis.uniform(-1, 1, 100, ends="absorbing"))
    alive = [run(pr, Point(0.0), [0.1, t, 0.3], 0.02).alive(t).mean() for t in (0.2, 0.21, 0.22)]
    assert alive[0] > alive[1] > alive[2]
    assert alive[1] == pytest.approx(np.sqrt(alive[0] * alive[2]), abs=2e-3)


def test_time_dependent_coefficients():
    pr = problem(lambda x, t: np.cos(t) + 0 * x, lambda x, t: 0.5 * t)
    swarm = run(pr, Point(0.0), [1.0, 3.0], 0.01)
    for t in (1.0, 3.0):
        assert abs(swarm.at(t).mean() - np.sin(t)) < 5 * t / np.sqrt(2 * N) + 0.01 * abs(1 - np.cos(t))
        assert swarm.at(t).var() == pytest.approx(t**2 / 2, rel=0.04)


def test_bits_do_not_depend_on_the_times_recorded():
    one = run(OU, Gaussian(0, 1), [3.0], 0.1, n=50)
    many = run(OU, Gaussian(0, 1), [0.0, 0.17, 0.3, 1.234, 1.5, 3.0], 0.1, n=50)
    assert np.array_equal(one.at(3.0), many.at(3.0))
    assert np.array_equal(many.at(0.17), run(OU, Gaussian(0, 1), [0.17], 0.1, n=50).at(0.17))


@pytest.mark.parametrize(
    "axis",
    [
        fp.Axis.uniform(-1, 1, 50, ends=("reflecting", "absorbing")),
        fp.Axis.log(1e-2, 1e2, 50),
        fp.Axis.uniform(-1, 1, 50, ends="periodic"),
    ],
    ids=["walls", "log", "ring"],
)
def test_a_split_run_has_the_bits_of_the_whole(axis):
    pr = problem(lambda x: -x, lambda x: 0.3 * x**2, axis)
    whole = run(pr, Point(0.5), [0.5, 1.1, 2.0], 0.1, n=200)
    first = run(pr, Point(0.5), [1.1], 0.1, n=200)
    rest = simulate(pr, first, [2.0], dt=0.1, seed=7, progress=False)
    assert np.array_equal(rest.at(2.0), whole.at(2.0))
    assert np.array_equal(rest.alive(), whole.alive())
    other = simulate(pr, first, [2.0], dt=0.1, seed=8, progress=False)
    assert not np.array_equal(other.at(2.0), whole.at(2.0))


def test_fewer_particles_are_the_first_of_more():
    few, many = (run(OU, Point(1.0), [1.0], 0.1, n=n) for n in (9, 90))
    assert np.array_equal(few.at(1.0), many.at(1.0)[:9])


def test_places_between_steps_have_the_law_of_the_process():
    swarm = run(problem(0.0, 0.5), Point(0.0), [0.05, 0.12, 0.2], 0.2)
    for t in (0.05, 0.12, 0.2):
        assert off(x_of(swarm, t) ** 2, t) < 5


@pytest.mark.parametrize("dt", [0.0, -0.1, np.nan, np.inf, 3.5])
def test_row_30_a_wrong_step_is_refused(dt):
    with pytest.raises(fp.InvalidInput, match="dt is"):
        run(OU, Point(0.0), [1.0, 3.0], dt, n=5)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([1.0, 0.5], "must rise"),
        ([1.0, 1.0], "must rise"),
        ([-1.0, 1.0], "later times"),
        ([], "one or more"),
        ([1.0, np.nan], "finite"),
    ],
)
def test_row_31_wrong_times_are_refused(times, message):
    with pytest.raises(fp.InvalidInput, match=message):
        run(OU, Point(0.0), times, 0.1, n=5)


@pytest.mark.filterwarnings("ignore::fpsolve.errors.ResolutionWarning")  # the step is too long on purpose
def test_row_36_divergence_is_counted_and_too_much_of_it_refused():
    pr = problem(lambda x: -(x**3), 0.5)
    with pytest.raises(fp.NotConverged, match=r"particles diverged by t=.*shorten it") as caught:
        run(pr, Gaussian(0, 1.5), [5.0], 0.4, n=1000)
    assert caught.value.best.diverged.mean() > 0.01
    few = run(pr, Gaussian(0, 1.0), [2.0], 0.2, n=20_000)
    assert 0 < few.diverged.sum() < 200
    assert "diverged" in repr(few)
    assert np.all(np.isfinite(few.positions))
    assert abs(few.mean()[-1]) < 0.1  # of those alive


@pytest.mark.parametrize("seed", [-1, 1.5, True, 2**64])
def test_row_38_a_wrong_seed_is_refused(seed):
    with pytest.raises(fp.InvalidInput, match="seed is"):
        run(OU, Point(0.0), [1.0], 0.1, n=5, seed=seed)


def test_coefficients_are_checked_where_the_particles_go():
    with pytest.raises(fp.InvalidInput, match=r"diffusion is negative .* at x="):
        run(problem(1.0, lambda x: 2.0 - x), Point(0.0), [5.0], 0.01, n=20)
    with pytest.raises(fp.InvalidInput, match="drift is nan at x="):
        run(problem(lambda x: np.where(x > 2, np.nan, 1.0), 0.1), Point(0.0), [5.0], 0.01, n=20)

    def breaks(x):
        if np.max(x) > 2:
            raise ZeroDivisionError("too far")
        return 1.0 + 0 * x

    with pytest.raises(fp.InvalidInput, match=r"drift raised ZeroDivisionError: too far at t="):
        run(problem(breaks, 0.1), Point(0.0), [5.0], 0.01, n=20)


def test_functions_of_scalars_are_called_point_by_point_with_a_warning():
    pr = problem(lambda x: -x if x > 0 else -0.5 * x, 0.5)
    with pytest.warns(fp.FpsolveWarning, match="accepts scalars only"):
        swarm = run(pr, Gaussian(0, 1), [1.0], 0.1, n=50)
    array = problem(lambda x: np.where(x > 0, -x, -0.5 * x), 0.5)
    assert np.array_equal(swarm.at(1.0), run(array, Gaussian(0, 1), [1.0], 0.1, n=50).at(1.0))


def test_what_cannot_be_simulated_is_refused():
    swarm = run(OU, Point(0.0), [0.25], 0.1, n=5)
    with pytest.raises(fp.InvalidInput, match=r"2\.5 steps of dt=0\.1"):
        run(OU, swarm, [1.0], 0.1, n=5)
    with pytest.raises(fp.InvalidInput, match="n is missing"):
        run(OU, Point(0.0), [1.0], 0.1, n=None)
    with pytest.raises(fp.InvalidInput, match="the swarm has 5 particles"):
        run(OU, swarm, [1.0], 0.05, n=6)


def test_an_interrupted_run_keeps_what_it_has():
    def interrupt(done, total):
        if done >= 50:
            raise KeyboardInterrupt

    with pytest.warns(fp.FpsolveWarning, match="a partial swarm"):
        partial = simulate(OU, Point(1.0), [0.2, 9.0], dt=0.01, n=5, seed=7, progress=interrupt)
    assert not partial.finished
    assert np.array_equal(partial.at(0.2), run(OU, Point(1.0), [0.2], 0.01, n=5).at(0.2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rest = simulate(OU, partial, [9.0], dt=0.01, seed=7, progress=False)
    assert np.array_equal(rest.at(9.0), run(OU, Point(1.0), [9.0], 0.01, n=5).at(9.0))


def test_a_step_that_overshoots_is_told_and_one_that_explodes_refused():
    well = fp.Problem(fp.Process(lambda x: -x, 1.0), fp.Grid(x=(-8, 8, 100)))
    with pytest.warns(fp.ResolutionWarning, match=r"overshoot by 0\.9 .*factor of about 20"):
        fp.simulate(well, fp.Point(0.08), [19.0], dt=1.9, n=50, seed=1, progress=False)
    with pytest.raises(fp.InvalidInput, match=r"dt is 2\.5, but the drift contracts at rate 1 .*use dt < 0\.2"):
        fp.simulate(well, fp.Point(0.08), [10.0], dt=2.5, n=50, seed=1, progress=False)


def test_gibbs_particles_find_their_own_gradient_far_from_the_origin():
    process = fp.Process.gibbs(lambda x: -np.cos(3 * (x - 1000)) + 0.5 * (x - 1000) ** 2, 1.0)
    problem = fp.Problem(process, fp.Grid(x=fp.Axis.uniform(992, 1008, 400, ends="reflecting")))
    swarm = fp.simulate(problem, fp.Point(1000.02), [6.0], dt=1e-2, n=10_000, seed=1, progress=False)
    assert swarm.var()[-1] == pytest.approx(fp.stationary(problem).var(), abs=0.05)
