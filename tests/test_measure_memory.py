"""Autocorrelation and mean-square displacement: memory is found where it is, and not where it is not."""

import numpy as np
import pytest
from noises import autoregressive, subordinated_walk

from fpsolve.errors import InvalidInput
from fpsolve.measure import autocorrelation, mean_square_displacement
from fpsolve.values.swarm import Swarm


@pytest.mark.parametrize(("k", "n"), [(4000, 1), (800, 40)])
@pytest.mark.parametrize("rho", [0.0, 0.6, -0.5])
def test_the_autocorrelation_of_an_autoregression_is_a_power(rho, k, n):
    rng, exact = np.random.default_rng(1), rho ** np.arange(31.0)
    found = [autocorrelation(autoregressive(rng, rho, k, n), lags=30) for _ in range(40)]
    pulls = np.array([(f.value[1:] - exact[1:]) / f.error[1:] for f in found])
    assert pulls.std(axis=0).mean() == pytest.approx(1.0, abs=0.12)
    assert np.abs(pulls.mean(axis=0)).mean() < 0.3
    time = 0.5 + rho / (1 - rho)
    times, errors = np.array([f.time for f in found]), np.array([f.time_error for f in found])
    assert np.mean(np.abs(times - time) < 2 * errors) >= 0.9
    assert np.mean(np.abs(times - 2 * time) < 2 * errors) <= 0.1
    white = np.mean([f.is_white for f in found])
    assert white >= 0.85 if rho == 0.0 else white == 0.0
    assert found[0].n == k * n


def test_the_autocorrelation_is_that_of_direct_sums():
    x = np.random.default_rng(2).normal(size=(50, 3))
    found, c = autocorrelation(x, 0.1 * np.arange(50.0), lags=10), x - x.mean()
    direct = np.array([np.mean(c[: 50 - j] * c[j:]) for j in range(11)])
    assert found.value == pytest.approx(direct / direct[0], abs=1e-12)
    assert found.lags == pytest.approx(0.1 * np.arange(11))
    faster = autocorrelation(x, 0.01 * np.arange(50.0), lags=10)
    assert faster.time == pytest.approx(found.time / 10)
    assert faster.effective_samples == pytest.approx(found.effective_samples)


def test_white_noise_stays_in_its_band():
    found = autocorrelation(np.random.default_rng(3).normal(size=100_000), lags=1000)
    assert np.mean(np.abs(found.value[1:]) > found.white) == pytest.approx(0.05, abs=0.02)


# displacement

TIMES = np.append(0.0, np.geomspace(0.3, 100.0, 11))


@pytest.mark.parametrize("beta", [0.5, 0.8])
def test_the_exponent_of_a_subordinated_walk_is_its_memory(beta):
    x = np.vstack([np.zeros(4000), subordinated_walk(np.random.default_rng(4), beta, TIMES[1:], 4000)])
    found = mean_square_displacement(x, TIMES)
    assert found.exponent == pytest.approx(beta, abs=0.03)
    assert abs(found.exponent - beta) < 3 * found.exponent_error
    assert abs(found.exponent - (beta + 0.1)) > 4 * found.exponent_error
    assert found.power_law


def gaussian_walk(rng, n=2000, k=200, exponent=1.0):
    """<x^2> = t^exponent with Gaussian, independent increments, from x = 0 at t = 0."""
    t = np.arange(k + 1.0)
    steps = np.sqrt(np.diff(t**exponent))[:, None] * rng.normal(size=(k, n))
    return np.vstack([np.zeros(n), np.cumsum(steps, axis=0)])


def test_the_errors_of_the_exponent_are_its_scatter():
    rng = np.random.default_rng(5)
    found = [mean_square_displacement(gaussian_walk(rng, 200), seed=i, resamples=100) for i in range(40)]
    pulls = np.array([(f.exponent - 1.0) / f.exponent_error for f in found])
    assert pulls.std() == pytest.approx(1.0, abs=0.3)
    assert abs(pulls.mean()) < 0.35
    assert np.mean([f.power_law for f in found]) >= 0.95


@pytest.mark.parametrize("exponent", [0.4, 1.6])
def test_other_exponents_and_the_prefactor(exponent):
    found = mean_square_displacement(gaussian_walk(np.random.default_rng(6), exponent=exponent))
    assert abs(found.exponent - exponent) < 3 * found.exponent_error
    assert found.prefactor == pytest.approx(1.0, abs=0.2)


def test_a_confined_walk_has_no_exponent():
    x = autoregressive(np.random.default_rng(7), 0.95, 200, 1000)
    found = mean_square_displacement(x)
    assert not found.power_law
    assert found.bend < 0
    assert "no power law" in repr(found)


def test_steps_that_are_not_small_bend_the_start_only():
    rng = np.random.default_rng(8)
    x = gaussian_walk(rng) + 3.0 * rng.normal(size=(201, 2000))  # noise of measurement
    whole = mean_square_displacement(x, window=(1, 200))
    late = mean_square_displacement(gaussian_walk(rng) + 0.3 * rng.normal(size=(201, 2000)))
    assert not whole.power_law
    assert late.window == (10.0, 200.0)
    assert abs(late.exponent - 1.0) < 3 * late.exponent_error


def test_a_common_drift_counts_unless_it_is_taken_out():
    x = gaussian_walk(np.random.default_rng(9)) + 0.5 * np.arange(201.0)[:, None]
    raw, centred = mean_square_displacement(x), mean_square_displacement(x, centred=True)
    assert raw.exponent > 1.5
    assert abs(centred.exponent - 1.0) < 3 * centred.exponent_error


def test_time_averages_forget_the_memory_of_a_subordinated_walk():
    t = np.arange(101.0)
    x = np.vstack([np.zeros(600), subordinated_walk(np.random.default_rng(10), 0.5, t[1:], 600)])
    ensemble, along = mean_square_displacement(x, t), mean_square_displacement(x, t, time_averaged=True)
    assert ensemble.exponent == pytest.approx(0.5, abs=0.1)
    assert along.exponent == pytest.approx(1.0, abs=0.1)


def test_the_same_seed_gives_the_same_error():
    x = gaussian_walk(np.random.default_rng(11), 100)
    errors = [mean_square_displacement(x, seed=seed).exponent_error for seed in (1, 1, 2)]
    assert errors[0] == errors[1] != errors[2]


def test_records_that_cannot_be_measured_are_refused():
    x = np.random.default_rng(12).normal(size=(40, 30))
    uneven = np.append(np.arange(39.0), 50.0)
    hole = np.where(np.arange(1200).reshape(40, 30) == 35, np.nan, x)
    swarm = Swarm(("x",), np.arange(40.0), x[:, :, None], lost_at=np.where(np.arange(30) < 3, 5.0, np.inf))
    still = x.copy()
    still[:, 4] = 2.0
    for message, call in [
        ("not equally spaced: 12 after t=38, 1 elsewhere", lambda: autocorrelation(x, uneven)),
        ("1 values of 1200 that are not finite, the first at index \\(1, 5, 0\\)", lambda: autocorrelation(hole)),
        ("replica 4 is constant \\(2\\), 1 of 30 are", lambda: autocorrelation(still)),
        ("the trajectories have 7 times; this needs 8", lambda: autocorrelation(x[:7])),
        ("lags is 21, but there are 40 times", lambda: autocorrelation(x, lags=21)),
        ("the trajectories have 30 coordinates", lambda: autocorrelation(x[:, None, :])),
        ("3 of 30 replicas have diverged or been absorbed by t=39", lambda: mean_square_displacement(swarm)),
        ("there are 19 replicas; errors by bootstrap need 20", lambda: mean_square_displacement(x[:, :19])),
        ("no replica has moved by t=1", lambda: mean_square_displacement(np.ones((40, 30)))),
        ("window is \\(50, 60\\) and holds 0 of the times", lambda: mean_square_displacement(x, window=(50, 60))),
        ("not equally spaced", lambda: mean_square_displacement(x, uneven, time_averaged=True)),
        ("there are 39 times", lambda: autocorrelation(x, uneven[:39])),
        ("times\\[1\\]=0 follows times\\[0\\]=0", lambda: autocorrelation(x, np.zeros(40))),
        ("shape \\(0,\\)", lambda: autocorrelation([])),
        ("and type <U1", lambda: autocorrelation(["a", "b"])),
    ]:
        with pytest.raises(InvalidInput, match=message):
            call()
