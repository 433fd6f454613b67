"""Tails: exact power laws are found with honest errors, and a Gaussian is not taken for one."""

import numpy as np
import pytest
from scipy import stats

import fpsolve as fp
from fpsolve.errors import InvalidInput
from fpsolve.tails import hill, local_exponent
from fpsolve.values.exact import ExactDensity
from fpsolve.values.swarm import Swarm

SIDES = ("upper", "lower")
HEAVY = fp.Grid(x=fp.Axis.sinh(-1e4, 1e4, 801, scale=0.5))


def student(nu):
    return ExactDensity(lambda x: -(nu + 1) / 2 * np.log1p(x**2 / nu), HEAVY)


# densities


@pytest.mark.parametrize("end", ["upper", "lower"])
@pytest.mark.parametrize("window", [None, (10.0, 100.0), (300.0, 3000.0)])
@pytest.mark.parametrize("nu", [0.5, 2.0, 4.0])
def test_the_local_exponent_of_student_is_known_within_its_error(nu, window, end):
    q = local_exponent(student(nu), window, end=end)
    assert abs(q.value - (nu + 1)) <= q.error + 1e-9
    assert q.error < 0.2
    assert abs(q.value + 0.25 - (nu + 1)) > q.error  # the check would notice


def test_the_curve_is_the_derivative():
    q = local_exponent(student(3.0))
    expected = 4.0 * q.x**2 / (3.0 + q.x**2)
    assert np.abs(q.slope - expected)[20:].max() < 2e-3
    assert np.all(q.x > 0)
    x = local_exponent(student(3.0), end="lower").x
    assert np.all(x < 0)


def test_both_ends_of_a_log_axis_have_an_exponent():
    grid = fp.Grid(v=fp.Axis.log(1e-8, 1e8, 600))
    p = ExactDensity(lambda v: -0.5 * np.log(v) - 2.5 * np.log1p(v), grid)
    upper, lower = local_exponent(p), local_exponent(p, end="lower")
    assert upper.value == pytest.approx(3.0, abs=1e-6)
    assert upper.window == pytest.approx((1e7, 1e8))
    assert lower.value == pytest.approx(0.5, abs=1e-6)
    assert lower.window == pytest.approx((1e-8, 1e-7))


def test_a_gaussian_has_no_local_exponent_worth_its_error():
    p = ExactDensity(lambda x: -(x**2) / 2, fp.Grid(x=(-9, 9, 300)))
    q = local_exponent(p)
    assert q.error > q.value  # q(x) = x^2 is anything within the window
    assert local_exponent(student(3.0)).error < 1e-3 * local_exponent(student(3.0)).value


NO_LAW = "without levelling off, as where p falls faster than any power: no power law is seen on this grid"


@pytest.mark.parametrize(
    ("log_density", "axis", "end", "answer"),
    [
        *[(lambda x: -(x**2) / 2, fp.Axis.uniform(-r, r, 200), end, np.inf) for r in (3, 8) for end in SIDES],
        (lambda x: -np.abs(x), fp.Axis.uniform(-30, 30, 400), "upper", np.inf),
        (lambda v: 2 * np.log(v) - v, fp.Axis.log(1e-6, 40, 300), "upper", np.inf),
        (lambda v: -np.log(v) - np.log(v) ** 2 / 8, fp.Axis.log(1e-8, 1e8, 400), "upper", np.inf),
        (lambda v: -np.log(v) - np.log(v) ** 2 / 8, fp.Axis.log(1e-8, 1e8, 400), "lower", -np.inf),
        (lambda v: -2.5 * np.log(v) - 1 / v, fp.Axis.log(1e-2, 1e8, 400), "lower", -np.inf),
    ],
)
def test_a_tail_that_falls_faster_than_any_power_has_no_exponent(log_density, axis, end, answer):
    p = ExactDensity(log_density, fp.Grid(x=axis)).density
    with pytest.warns(fp.DegenerateWarning, match=NO_LAW):
        assert p.tail_exponent(end=end) == answer


def test_a_narrow_window_does_not_make_a_power_law_of_a_gaussian():
    p = ExactDensity(lambda x: -(x**2) / 2, fp.Grid(x=(-8, 8, 400))).density
    with pytest.warns(fp.DegenerateWarning, match=r"exponent of p at the upper end goes from 4\.\d+ to 5\.\d+ over"):
        p.tail_exponent(window=(2.0, 2.5))


def test_an_exponent_that_has_not_settled_is_told():
    near = ExactDensity(student(3.0).log_density, fp.Grid(x=(-10, 10, 400))).density
    with pytest.warns(
        fp.DegenerateWarning, match=r"goes from 1\.74 to 3\.75 over .* has not settled: 3\.14 is its mean"
    ):
        assert near.tail_exponent() == pytest.approx(3.14, abs=0.01)
    far = ExactDensity(student(3.0).log_density, fp.Grid(x=(-100, 100, 800))).density
    assert far.tail_exponent() == pytest.approx(4.0, abs=0.02)  # without a warning


@pytest.mark.parametrize("correction", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("exponent", [-3.0, 0.0, 0.5])
def test_power_laws_with_slow_corrections_keep_their_exponent(correction, exponent):
    axis = fp.Axis.log(1e-6, 1e6, 400)
    p = ExactDensity(lambda v: -exponent * np.log(v) - 2 * v**correction - v, fp.Grid(v=axis)).density
    assert p.tail_exponent(end="lower") == pytest.approx(exponent, abs=0.01)
    heavy = ExactDensity(lambda v: (exponent - 3.0) * np.log(v) - 2 * v**-correction - 1 / v, fp.Grid(v=axis)).density
    assert heavy.tail_exponent() == pytest.approx(3.0 - exponent, abs=0.01)


def test_noise_on_a_power_law_is_no_trend():
    p = student(3.0).density
    rough = p.log_values + 0.02 * np.random.default_rng(0).normal(size=p.log_values.size)
    assert p.replace(values=np.exp(rough), log_values=rough).tail_exponent() == pytest.approx(4.0, abs=0.05)


def test_windows_without_nodes_are_refused():
    for window in [(1e5, 1e6), (3.0, 3.001)]:
        with pytest.raises(InvalidInput, match=r"holds \d nodes of x where p > 0; a slope and its error need three"):
            local_exponent(student(2.0), window)
    with pytest.raises(InvalidInput, match="end is 'right'; use 'upper' or 'lower'"):
        local_exponent(student(2.0), end="right")


# samples


def pareto(rng, n):
    return rng.pareto(2.0, n) + 1.0, 3.0


def heavy_student(rng, n):
    return stats.t.rvs(1.5, size=n, random_state=rng), 2.5


def mixture(rng, n):
    body, tail = np.abs(rng.normal(size=n)), 2.0 * (rng.pareto(2.5, n) + 1.0)
    return np.where(rng.random(n) < 0.2, tail, body), 3.5


def inverse_gamma(rng, n):
    return 1.0 / rng.gamma(1.5, size=n), 2.5


@pytest.mark.parametrize("law", [pareto, heavy_student, mixture, inverse_gamma])
def test_two_standard_errors_hold_the_exponent(law):
    rng, held, wrong = np.random.default_rng(11), 0, 0
    for _ in range(60):
        x, q = law(rng, 20_000)
        estimate = hill(x)
        held += abs(estimate.exponent - q) < 2 * estimate.error
        wrong += abs(estimate.exponent - 1.3 * q) < 2 * estimate.error
        assert estimate.heavy
    assert held >= 0.8 * 60
    assert wrong <= 0.2 * 60


def test_the_standard_error_is_the_scatter_on_exact_power_laws():
    rng = np.random.default_rng(12)
    found = [hill(rng.pareto(2.0, 2000) + 1.0, k=400) for _ in range(300)]
    pulls = np.array([(e.exponent - 3.0) / e.error for e in found])
    assert abs(pulls.mean()) < 0.2
    assert pulls.std() == pytest.approx(1.0, abs=0.12)
    assert found[0].error == pytest.approx((found[0].exponent - 1) / 20)


def test_a_gaussian_sample_has_no_stable_exponent():
    exponents = []
    for n in (2000, 20_000, 200_000):
        estimate = hill(np.random.default_rng(13).normal(size=n))
        assert not estimate.heavy
        assert "no power law seen" in repr(estimate)
        exponents.append(estimate.exponent)
    assert exponents[0] < exponents[1] < exponents[2]  # it grows with n
    k, q, error = estimate.curve_k, estimate.curve, estimate.curve_error
    few, many = np.searchsorted(k, 200), np.searchsorted(k, 20_000)
    assert q[few] - q[many] > 5 * error[few]  # and as k shrinks: no plateau
    plateau = hill(np.random.default_rng(13).pareto(2.0, 200_000) + 1.0)
    few, many = np.searchsorted(plateau.curve_k, 200), np.searchsorted(plateau.curve_k, 20_000)
    assert abs(plateau.curve[few] - plateau.curve[many]) < 3 * plateau.curve_error[few]


@pytest.mark.parametrize("law", [np.random.Generator.exponential, np.random.Generator.normal])
def test_light_tails_are_rarely_taken_for_power_laws(law):
    rng = np.random.default_rng(14)
    assert np.mean([hill(law(rng, size=5000)).heavy for _ in range(60)]) < 0.15


def test_the_estimate_has_no_unit_and_knows_both_ends():
    x = stats.t.rvs(2.0, size=20_000, random_state=3)
    one, scaled, mirrored = hill(x), hill(1e-6 * x), hill(-x, end="lower")
    assert scaled.exponent == pytest.approx(one.exponent, rel=1e-9)
    assert scaled.threshold == pytest.approx(1e-6 * one.threshold)
    assert mirrored.exponent == pytest.approx(one.exponent, rel=1e-12)
    assert mirrored.threshold == -one.threshold
    assert hill(x, end="lower").exponent != one.exponent
    swarm = Swarm(("x",), [0.0], x[None, :, None])
    assert hill(swarm).exponent == one.exponent


def test_the_plot_data_hold_the_estimate():
    x = np.random.default_rng(15).pareto(1.0, 3000) + 1.0
    for k in (10, 100, 2999):
        estimate = hill(x, k=k)
        top = np.sort(x)[::-1]
        assert estimate.exponent == pytest.approx(1 + 1 / np.mean(np.log(top[:k] / top[k])), rel=1e-9)
        assert estimate.curve[np.searchsorted(estimate.curve_k, k)] == pytest.approx(estimate.exponent, rel=0.1)


def test_samples_without_a_tail_are_refused():
    x = np.random.default_rng(16).normal(size=60)
    for message, samples, k, end in [
        ("of 60 samples lie on the upper side of 0; choosing k needs at least 50", x, None, "upper"),
        ("k is 59; give a whole number from 2 to", x, 59, "upper"),
        ("k is 1;", x, 1, "upper"),
        ("k is 3.0;", x, 3.0, "lower"),
        ("0 of 60 samples lie on the lower side of 0", np.abs(x), None, "lower"),
        ("the 6 largest samples are all 1;", np.ones(60), 5, "upper"),
        ("end is 'top'; use 'upper' or 'lower'", x, None, "top"),
        ("samples of one coordinate", np.ones((60, 2)), None, "upper"),
        ("samples of one coordinate", student(2.0), None, "upper"),
        ("2 samples of 60 that are not finite", np.where(np.arange(60) < 2, np.inf, x), None, "upper"),
    ]:
        with pytest.raises(InvalidInput, match=message):
            hill(samples, k, end=end)
