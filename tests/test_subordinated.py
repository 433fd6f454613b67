"""Particles with memory: their clocks, one-time and two-time laws, ends, and time-dependent drift in physical time.

Tolerances are five standard errors of the sample unless a test says otherwise.
"""

import math
import warnings

import numpy as np
import pytest
from pymittagleffler import mittag_leffler
from scipy import stats
from scipy.integrate import quad
from scipy.special import betainc, gamma
from stable_laws import off

import fpsolve as fp
from fpsolve.particles.waiting import operational_time

N = 20_000
LINE = fp.Axis.uniform(-20, 20, 100)


def relaxation(beta, z):
    """E_beta(-z)."""
    return float(mittag_leffler(-z, beta, 1.0).real)


def slow(drift=0.0, diffusion=1.0, memory=0.7, axis=LINE, jumps=None):
    return fp.Problem(fp.Process(drift, diffusion, jumps=jumps, memory=memory), fp.Grid(x=axis))


def run(problem, start, times, dt, n=N, seed=7):
    return fp.simulate(problem, start, times, dt=dt, n=n, seed=seed, progress=False)


@pytest.mark.parametrize("beta", [0.3, 0.7, 0.95])
def test_free_subdiffusion_spreads_as_a_power_of_time(beta):
    """<x^2> = 2 D t^beta/Gamma(1 + beta), and a martingale: <x(s) x(t)> = <x(s)^2>."""
    swarm = run(slow(diffusion=0.5, memory=beta), fp.Point(0.0), [0.3, 1.0, 3.0], 0.1)
    x = swarm.positions[:, :, 0]
    for t, place in zip(swarm.times, x, strict=True):
        assert off(place**2, operational_time(t, beta)) < 5
        assert off(place**2, 1.15 * operational_time(t, beta)) > 5
        assert off(place**4, 6 * t ** (2 * beta) / gamma(1 + 2 * beta)) < 5
    assert off(x[2] * x[0], operational_time(0.3, beta)) < 5


def test_relaxation_is_mittag_leffler_and_its_bias_of_first_order():
    beta, t = 0.6, [0.2, 1.0]
    exact = np.array([2 * relaxation(beta, s**beta) for s in t])
    coarse, fine = (run(slow(lambda x: -x, 0.2, beta), fp.Point(2.0), t, dt, 40_000).mean() for dt in (0.2, 0.1))
    error = math.sqrt(5 * 0.6 / 40_000)
    assert np.all(np.abs(2 * fine - coarse - exact) < 4 * error)
    assert np.all(exact - coarse > 4 * error)  # the bias that is extrapolated away
    assert np.all(np.abs(2 * fine - coarse - 2 * np.exp(-np.array(t))) > 4 * error)  # without memory


def test_one_time_has_the_law_of_the_inverse_subordinator():
    """X(t) = W(2 (t/S)^beta), S by numpy in Kanter's form: two samples, Kolmogorov & Smirnov at 1 %."""
    beta, t, rng = 0.7, 1.5, np.random.default_rng(5)
    x = run(slow(memory=beta), fp.Point(0.0), [t], 0.05).at(t)[:, 0]

    def subordinated(beta):
        u, w = np.pi * rng.random(N), rng.standard_exponential(N)
        ratio = np.sin((1 - beta) * u) / w
        s = np.sin(beta * u) / np.sin(u) ** (1 / beta) * ratio ** ((1 - beta) / beta)
        return np.sqrt(2 * (t / s) ** beta) * rng.standard_normal(N)

    assert stats.ks_2samp(x, subordinated(beta)).pvalue > 0.01
    assert stats.ks_2samp(x, subordinated(0.5)).pvalue < 0.01


def test_particles_rest_as_long_as_the_arcsine_law_says():
    """P(no move in (s, t)) = I_(s/t)(beta, 1 - beta): a property of the two times together."""
    beta, s, t = 0.6, 1.0, 1.6
    x = run(slow(memory=beta), fp.Point(0.0), [s, t], 0.01, n=4000).positions[:, :, 0]
    rest = betainc(beta, 1 - beta, s / t)
    # a step of .01 lasts .01^(1/.6) = 5e-4 in physical time, so few that move are seen at rest
    assert abs((x[0] == x[1]).mean() - rest) < 5 * math.sqrt(rest * (1 - rest) / 4000)


@pytest.mark.parametrize(("alpha", "beta"), [(1.5, 0.7), (0.8, 0.5)])
def test_space_time_fractional_flights(alpha, beta):
    """E exp(i k X) = E_beta(-|k|^alpha t^beta), whatever the step."""
    pr = slow(0.0, None, beta, fp.Axis.sinh(-1e3, 1e3, 201), fp.Stable(alpha))
    x = run(pr, fp.Point(0.0), [0.5, 2.0], 0.1).positions[:, :, 0]
    for t, place in zip((0.5, 2.0), x, strict=True):
        for k in (0.3, 1.0, 3.0):
            assert off(np.exp(1j * k * place), relaxation(beta, k**alpha * t**beta)) < 5
        assert off(np.exp(1j * place), relaxation(beta, 1.2 * t**beta)) > 5


def subordination_integral(x, alpha, beta):
    """P(X(1) < x) of the harmonic flight from 0: a stable law of scale^alpha (1 - exp(-alpha tau))/alpha, mixed over
    the law of E_1, P(E_1 > tau) = int_0^1 exp(-a(u) tau^(1/(1-beta))) du (Kanter)."""
    u, weights = np.polynomial.legendre.leggauss(200)
    u, weights = 0.5 * (u + 1), 0.5 * weights
    power = 1 / (1 - beta)
    a = np.sin((1 - beta) * np.pi * u) * np.sin(beta * np.pi * u) ** (beta * power) / np.sin(np.pi * u) ** power
    tau = np.linspace(0, 8, 801)
    above = np.exp(-a * tau[:, None] ** power) @ weights
    middle, shares = 0.5 * (tau[1:] + tau[:-1]), -np.diff(above)
    scale = (-np.expm1(-alpha * middle) / alpha) ** (1 / alpha)
    y = np.sinh(np.linspace(0, np.arcsinh(2e3), 300))
    levels = stats.levy_stable.cdf(y, alpha, 0.0)
    ratio = np.abs(x)[:, None] / scale
    upper = np.interp(ratio, y, levels, right=1.0)
    return np.where(x > 0, upper @ shares, 1 - upper @ shares) / shares.sum()


@pytest.mark.slow
def test_the_harmonic_space_time_fractional_law_at_a_million_samples():
    alpha, beta, n = 1.5, 0.7, 1_000_000
    pr = slow(lambda x: -x, None, beta, fp.Axis.sinh(-1e3, 1e3, 201), fp.Stable(alpha))
    x = np.sort(run(pr, fp.Point(0.0), [1.0], 0.02, n).at(1.0)[:, 0])
    places = np.sinh(np.linspace(-8, 8, 1601))

    def kolmogorov(alpha, beta):
        """The largest distance at all the samples; the law is linear between the places, within 1e-5."""
        exact = np.interp(x, places, subordination_integral(places, alpha, beta))
        return max(np.max(np.arange(1, n + 1) / n - exact), np.max(exact - np.arange(n) / n))

    band = 1.63 / math.sqrt(n)
    assert kolmogorov(alpha, beta) < band  # with twice the step its bias leads out of the band
    assert kolmogorov(1.45, beta) > band
    assert kolmogorov(alpha, 0.75) > band


def test_a_drift_in_physical_time_acts_while_the_clock_runs():
    """d<x> = cos(3 t) d<E_t>, <E_t>' = t^(beta - 1)/Gamma(beta)."""
    beta = 0.7
    swarm = run(slow(lambda x, t: np.cos(3 * t) + 0 * x, 0.1, beta), fp.Point(0.0), [0.5, 1.0, 2.0], 0.01, n=4000)
    for t, x in zip(swarm.times, swarm.positions[:, :, 0], strict=True):
        exact = quad(lambda s: np.cos(3 * s), 0, t, weight="alg", wvar=(beta - 1, 0))[0] / gamma(beta)
        assert off(x, exact) < 5
        assert off(x, operational_time(t, beta)) > 5  # a drift that the clock does not see


def driven_by_numpy(beta, t_end, dt, n, rng):
    """The same process by an independent path simulation: dX = (2 sin 3T - X) dtau + sqrt(2 D(T)) dW, read at E_t."""
    x, clock, going = np.zeros(n), np.zeros(n), np.ones(n, dtype=bool)
    while going.any():
        u, w = np.pi * rng.random(n), rng.standard_exponential(n)
        s = np.sin(beta * u) / np.sin(u) ** (1 / beta) * (np.sin((1 - beta) * u) / w) ** ((1 - beta) / beta)
        later = clock + dt ** (1 / beta) * s
        move = (2 * np.sin(3 * clock) - x) * dt + np.sqrt(0.2 * dt * (1 + clock)) * rng.standard_normal(n)
        x = np.where(going, x + move * np.where(later > t_end, rng.random(n), 1.0), x)
        going &= later <= t_end
        clock = later
    return x


def test_a_driven_process_agrees_with_paths_by_numpy():
    """Time-dependent drift and diffusion: two samples, Kolmogorov & Smirnov at 1 %."""
    pr = slow(lambda x, t: 2 * np.sin(3 * t) - x, lambda x, t: 0.1 * (1 + t) + 0 * x, 0.8)
    x = run(pr, fp.Point(0.0), [1.0], 0.04).at(1.0)[:, 0]
    same = driven_by_numpy(0.8, 1.0, 0.04, N, np.random.default_rng(3))
    other = driven_by_numpy(0.7, 1.0, 0.04, N, np.random.default_rng(3))
    assert stats.ks_2samp(x, same).pvalue > 0.01
    assert stats.ks_2samp(x, other).pvalue < 0.01


def test_survival_between_absorbing_ends():
    """sum of c_k E_beta(-lambda_k t^beta), free diffusion from the middle."""
    beta, k = 0.6, 2 * np.arange(60) + 1
    swarm = run(slow(memory=beta, axis=fp.Axis.uniform(-1, 1, 100, ends="absorbing")), fp.Point(0.0), [0.1, 1.0], 0.02)
    for t in (0.1, 1.0):
        terms = [(-1.0) ** (j // 2) / j * relaxation(beta, (j * np.pi / 2) ** 2 * t**beta) for j in k]
        exact = 4 / np.pi * math.fsum(terms)
        alive = swarm.alive(t)
        assert abs(alive.mean() - exact) < 5 * math.sqrt(exact * (1 - exact) / N)
        assert np.all(np.abs(swarm.at(t)[alive]) < 1)
        assert np.all(np.abs(swarm.at(t)[~alive]) == 1)
    assert np.all(swarm.absorbed_at[~swarm.alive(0.1)] == 0.1)


def test_two_coordinates_wait_together():
    process = fp.Process(lambda x, y, t: (np.cos(t) + 0 * x, -y), ((1.0, 0.4), (0.4, 0.5)), memory=0.7)
    x = run(fp.Problem(process, fp.Grid(x=LINE, y=LINE)), fp.Point(0.0, 2.0), [0.5, 0.51], 0.02, n=4000).positions
    assert off(x[0, :, 1], 2 * relaxation(0.7, 0.5**0.7)) < 6
    rest = x[0] == x[1]
    assert np.array_equal(rest[:, 0], rest[:, 1])
    assert rest.mean() > 0.5


def test_bits_depend_neither_on_the_times_recorded_nor_on_the_others():
    pr = slow(lambda x, t: np.sin(t) - x, 0.5, 0.6, jumps=fp.Stable(1.5, 0.3))
    one = run(pr, fp.Gaussian(0, 1), [3.0], 0.1, n=70)
    many = run(pr, fp.Gaussian(0, 1), [0.0, 0.17, 0.3, 1.5, 3.0, 9.0], 0.1, n=70)
    assert np.array_equal(one.at(3.0), many.at(3.0))
    assert np.array_equal(run(pr, fp.Gaussian(0, 1), [3.0], 0.1, n=9).at(3.0), one.at(3.0)[:9])
    assert not np.array_equal(run(pr, fp.Gaussian(0, 1), [3.0], 0.1, n=70, seed=8).at(3.0), one.at(3.0))
    start = run(pr, fp.Point(0.3), [0.0, 1.0], 0.1, n=5).at(0.0)
    assert np.all(start == 0.3)


def test_a_swarm_cannot_go_on_since_it_does_not_know_how_long_it_has_waited():
    swarm = run(slow(), fp.Point(0.0), [1.0], 0.1, n=5)
    with pytest.raises(fp.InvalidInput, match=r"memory=0\.7: what comes next depends on how long each particle"):
        fp.simulate(slow(), swarm, [2.0], dt=0.1, seed=7, progress=False)


def test_row_30_a_step_longer_than_the_operational_time_is_refused():
    with pytest.raises(fp.InvalidInput, match=r"dt is 1\.2 but the run lasts 1\.1"):
        run(slow(), fp.Point(0.0), [1.0], 1.2, n=5)


def test_a_step_that_overshoots_in_operational_time_is_told():
    with pytest.warns(fp.ResolutionWarning, match="steps overshoot"):
        run(slow(lambda x: -3 * x, 1.0), fp.Point(0.0), [9.0], 0.5, n=50)


def test_functions_of_one_time_are_called_particle_by_particle_with_a_warning():
    pr = slow(lambda x, t: -x * (1.0 if t < 0.5 else 2.0), 0.3)
    with pytest.warns(fp.DegenerateWarning, match="drift takes one time for all places only"):
        swarm = run(pr, fp.Point(1.0), [1.0], 0.1, n=60)
    with pytest.warns(fp.DegenerateWarning, match="drift takes one time for all places only"):
        run(slow(lambda x, t: -x * (1.0 + np.max(t)), 0.3), fp.Point(1.0), [1.0], 0.1, n=60)
    arrays = slow(lambda x, t: -x * np.where(t < 0.5, 1.0, 2.0), 0.3)
    assert np.array_equal(run(arrays, fp.Point(1.0), [1.0], 0.1, n=60).at(1.0), swarm.at(1.0))


def test_a_coefficient_that_fails_at_some_time_is_told():
    pr = slow(1.0, lambda x, t: 1.0 - t + 0 * x)
    with pytest.raises(fp.InvalidInput, match=r"diffusion is negative .* at x="):
        run(pr, fp.Point(0.0), [3.0], 0.05, n=50)


@pytest.mark.filterwarnings("ignore::fpsolve.errors.ResolutionWarning")  # the step is too long on purpose
def test_row_36_divergence_is_counted():
    pr = slow(lambda x: -(x**3), 0.5, 0.7)
    with pytest.raises(fp.NotConverged, match=r"particles diverged by t=.*shorten it"):
        run(pr, fp.Gaussian(0, 1.5), [20.0], 0.4, n=1000)
    few = run(pr, fp.Gaussian(0, 1.0), [1.0], 0.2, n=10_000)
    assert 0 < few.diverged.sum() < 100
    assert np.all(np.isfinite(few.positions))


def test_an_interrupted_run_keeps_the_times_that_all_have_passed():
    pr = slow(lambda x: -x, 0.5)

    def interrupted_at(share):
        def interrupt(done, total):
            if done >= share * total:
                raise KeyboardInterrupt

        return interrupt

    times = [0.2, 30.0]
    whole = run(pr, fp.Point(1.0), times[:1], 0.05, n=40)
    with pytest.warns(fp.FpsolveWarning, match="a partial swarm"):
        partial = fp.simulate(pr, fp.Point(1.0), times, dt=0.05, n=40, seed=7, progress=interrupted_at(0.03))
    assert not partial.finished
    assert partial.times.tolist() == [0.2]
    assert np.array_equal(partial.at(0.2), whole.at(0.2))
    with pytest.warns(fp.FpsolveWarning, match="a partial swarm"):
        nothing = fp.simulate(pr, fp.Point(1.0), times, dt=0.05, n=40, seed=7, progress=interrupted_at(0.0))
    assert nothing.times.tolist() == [0.0]
    assert np.all(nothing.positions == 1.0)


def test_a_memory_close_to_one_is_hardly_one():
    """E_beta -> exp: the clock of .999 is almost physical time."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        slowly = run(slow(lambda x: -x, 0.5, 0.999), fp.Point(1.0), [1.0], 0.1, n=4000).at(1.0)[:, 0]
    assert off(slowly, 0.9**10) < 5
