"""Tail index: bounded noise has none, stable noise has its own, and the errors hold it."""

import re
import warnings

import numpy as np
import pytest
from noises import stable

from fpsolve.errors import DegenerateWarning, InvalidInput
from fpsolve.measure import tail_index
from fpsolve.values.swarm import Swarm

MANY = 100_000


def data_atoms(rng, n):
    """Draws from 442 heavy-looking samples: bounded."""
    return rng.choice(np.random.default_rng(5).standard_t(1.5, size=442), n)


BOUNDED = {
    "coin": lambda rng, n: rng.choice([-1.0, 1.0], n),
    "uniform": lambda rng, n: rng.uniform(-1, 1, n),
    "442 samples": data_atoms,
    "batch of 8": lambda rng, n: data_atoms(rng, (n, 8)).mean(axis=1),
    "mostly at rest": lambda rng, n: rng.choice([0.0, 1.0, -3.0], n, p=[0.9, 0.07, 0.03]),
}


@pytest.mark.parametrize("method", ["characteristic", "hill"])
@pytest.mark.parametrize("law", BOUNDED.values(), ids=BOUNDED.keys())
def test_bounded_noise_has_the_index_two(law, method):
    found = tail_index(law(np.random.default_rng(1), 10_000), method)
    assert not found.heavy
    assert found.index == 2.0
    assert "no heavy tail" in repr(found)
    if method == "characteristic":
        assert abs(found.alpha - 2.0) < max(0.05, 2 * found.error)
        assert not found.stable


@pytest.mark.parametrize("law", ["uniform", "coin", "batch of 8"])
def test_the_slope_at_zero_of_bounded_noise_is_two(law):
    assert tail_index(BOUNDED[law](np.random.default_rng(2), 50_000)).alpha == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("alpha", [1.2, 1.5, 1.8, 2.0])
def test_the_index_of_stable_noise_is_found(alpha):
    x = 3.0 * stable(np.random.default_rng(3), alpha, MANY) + 7.0
    found = tail_index(x)
    assert found.alpha == pytest.approx(alpha, abs=0.03)
    assert abs(found.alpha - alpha) < 3 * found.error
    assert found.error < 0.01
    assert abs(found.scale - 3.0) < 3.5 * found.scale_error
    assert found.stable
    assert found.heavy is (alpha < 2.0)
    assert abs(found.alpha - (alpha - 0.05)) > 4 * found.error  # an index .05 off is noticed


def estimates(law, seeds):
    """Of one set of samples per seed, whatever is said of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DegenerateWarning)
        return [tail_index(law(np.random.default_rng(seed))) for seed in seeds]


@pytest.mark.parametrize(("alpha", "skew"), [(0.8, 0.0), (1.5, 1.0), (1.9, 0.0), (2.0, 0.0)])
def test_two_standard_errors_hold_the_index(alpha, skew):
    rng = np.random.default_rng(4)
    found = estimates(lambda _: stable(rng, alpha, 2000, skew), range(30))
    pulls = np.array([(f.alpha - alpha) / f.error for f in found])
    assert np.mean(np.abs(pulls) < 2) >= 0.85
    assert np.mean([f.stable for f in found]) >= 0.8
    assert abs(pulls.mean()) < 0.6
    wrong = np.array([(f.alpha - 0.9 * alpha) / f.error for f in found])
    assert np.mean(np.abs(wrong) < 2) <= 0.15


def test_finite_variance_is_not_taken_for_stable_noise():
    rng = np.random.default_rng(6)
    for x in (rng.laplace(size=40_000), rng.exponential(size=40_000), rng.standard_t(3.0, size=40_000)):
        found = tail_index(x)
        assert not found.stable
        assert found.index == 2.0
    assert tail_index(stable(rng, 1.9, 40_000)).stable


def test_a_heavy_law_that_is_not_stable_is_told_and_hill_is_named():
    """Student's law of 1.7 degrees: its characteristic function bends, and no u gives 1.7."""
    x = np.random.default_rng(2).standard_t(1.7, MANY)
    with pytest.warns(DegenerateWarning, match=r"not stable \(p = .*depends on the u used.*method='hill'"):
        found = tail_index(x)
    assert re.search(r"not a stable law \(p = .*\): alpha falls with the u used, by .* method='hill'\)$", repr(found))
    assert found.trend < -5
    assert abs(found.alpha - 1.7) > 2 * found.error  # what the warning is for
    by_hill = tail_index(x, "hill")
    assert abs(by_hill.alpha - 1.7) < 2 * by_hill.error
    assert by_hill.trend is None


def test_a_trend_is_seen_before_the_shape_is():
    """At 10^4 samples chi^2 alone rejects Student's law of 1.7 degrees once in seven times."""
    found = estimates(lambda rng: rng.standard_t(1.7, 10_000), range(12))
    assert np.mean([f.heavy and not f.stable for f in found]) >= 0.75
    assert np.mean([f.trend for f in found]) < -3
    assert all("use method='hill'" in repr(f) for f in found if not f.stable)
    plain = estimates(lambda rng: stable(rng, 1.34, 10_000), range(12))
    assert abs(np.mean([f.trend for f in plain])) < 0.8
    assert sum(not f.stable for f in plain) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [1.2, 1.5, 1.8, 2.0])
def test_stable_noise_is_rarely_called_something_else(alpha):
    found = estimates(lambda rng: stable(rng, alpha, MANY), range(50))
    assert np.mean([f.heavy and not f.stable for f in found]) <= 0.02
    trends = np.array([f.trend for f in found])
    assert abs(trends.mean()) < 0.5
    assert trends.std() == pytest.approx(1.0, abs=0.3)


def test_hill_finds_power_laws_and_the_largest_values_of_stable_noise():
    rng = np.random.default_rng(7)
    for x, alpha in [(rng.standard_t(1.5, size=MANY), 1.5), (stable(rng, 1.2, MANY), 1.2)]:
        found = tail_index(x, "hill")
        assert abs(found.alpha - alpha) < 3 * found.error
        assert abs(found.alpha - 1.3 * alpha) > 3 * found.error
        assert found.heavy
    light = tail_index(rng.standard_t(4.0, size=MANY), "hill")
    assert light.alpha == pytest.approx(4.0, abs=1.0)  # a power law, but of finite variance
    assert light.index == 2.0
    fixed = tail_index(rng.standard_t(1.5, size=2000), "hill", k=100)
    assert fixed.used == 100
    assert fixed.error == pytest.approx(fixed.alpha / 10)


def test_the_index_has_no_unit_and_needs_no_centre():
    x = stable(np.random.default_rng(8), 1.5, 5000)
    one, moved = tail_index(x), tail_index(1e-6 * x + 5.0)
    assert moved.alpha == pytest.approx(one.alpha, rel=1e-6)
    assert moved.scale == pytest.approx(1e-6 * one.scale, rel=1e-5)
    assert tail_index(-x).alpha == pytest.approx(one.alpha, rel=1e-9)
    assert tail_index(Swarm(("x",), [0.0], x[None, :, None])).alpha == one.alpha


def test_the_curve_ends_at_the_estimate():
    found = tail_index(stable(np.random.default_rng(9), 1.5, 5000))
    assert found.curve[-1] == found.alpha
    assert found.curve_x[-1] == found.used
    assert np.all(np.diff(found.curve_error) < 0)  # more of phi, less error


def test_noise_that_cannot_be_measured_is_refused():
    x = np.random.default_rng(10).normal(size=1000)
    rare = np.zeros(1000)
    rare[:20] = 1.0
    for message, samples, options in [
        ("samples has 499 samples; this needs 500 or more", x[:499], {}),
        ("samples has 2 coordinates; give one", x.reshape(500, 2), {}),
        ("the noise is constant \\(3 in all 1000", np.full(1000, 3.0), {}),
        ("1 samples of 1000 that are not finite", np.where(np.arange(1000) == 4, np.inf, x), {}),
        ("method is 'moment'; use 'characteristic' or 'hill'", x, {"method": "moment"}),
        ("k is 50, which the characteristic function does not have", x, {"k": 50}),
        ("all but a few of them are one and the same value", rare, {}),
        ("shape \\(0,\\)", [], {}),
    ]:
        with pytest.raises(InvalidInput, match=message):
            tail_index(samples, **options)
