"""Densities: statistics against closed forms, continuation beyond open ends, prints."""

import numpy as np
import pytest
from scipy import stats

import fpsolve as fp

NORMAL = fp.stationary(fp.Problem(fp.Process(lambda x: -x, 1.0), fp.Grid(x=(-9, 9, 300))))
HALF_LINE = fp.Axis.uniform(0, 4, 4000, ends=("reflecting", "open"))


def student(degrees, cells=800, reach=1e8):
    """Student's t law: A = -x, D = (degrees + x^2)/(degrees - 1), Ito."""
    scale = 1 / (degrees - 1)
    process = fp.Process(lambda x: -x, lambda x: scale * (degrees + x**2))
    return fp.stationary(fp.Problem(process, fp.Grid(x=fp.Axis.sinh(-reach, reach, cells))))


def test_student_helper_is_students_law():
    p = student(4)
    assert p.values == pytest.approx(stats.t(4).pdf(p.grid.nodes[0]), rel=1e-9)


def test_moments_of_a_gaussian():
    assert NORMAL.mean() == pytest.approx(0.0, abs=1e-14)
    assert NORMAL.var() == pytest.approx(1.0, abs=1e-13)
    assert NORMAL.moment(4) == pytest.approx(3.0, abs=1e-11)
    assert NORMAL.moment(3, central=True) == pytest.approx(0.0, abs=1e-12)
    assert NORMAL.expect(np.cos) == pytest.approx(np.exp(-0.5), abs=1e-14)
    assert NORMAL.expect(lambda x: x**2) == pytest.approx(NORMAL.moment(2), rel=1e-14)
    assert NORMAL.entropy() == pytest.approx(0.5 * np.log(2 * np.pi * np.e), abs=1e-13)
    assert NORMAL.mode() == pytest.approx(0.0, abs=1e-12)


def test_mass_is_masses_and_what_lies_beyond():
    p = student(1.5, reach=1e3)
    assert p.beyond > 1e-6
    assert p.masses.sum() + p.beyond == pytest.approx(p.mass, abs=1e-15)
    assert p.mass == pytest.approx(1.0, abs=1e-15)
    q = p.on_grid()
    assert q.masses.sum() == pytest.approx(1.0, abs=1e-15)
    assert q.beyond == 0.0
    assert q.mean() == pytest.approx(0.0, abs=1e-10)


@pytest.mark.parametrize("degrees", [2.5, 3.0, 7.0])
def test_power_law_tails_continue_to_infinity(degrees):
    p = student(degrees, reach=1e5)
    assert p.var() == pytest.approx(degrees / (degrees - 2), rel=1e-7)
    assert p.tail_exponent() == pytest.approx(degrees + 1, abs=1e-6)
    assert p.tail_exponent(end="lower") == pytest.approx(degrees + 1, abs=1e-6)
    assert p.tail_exponent(window=(1e2, 1e4)) == pytest.approx(degrees + 1, abs=1e-2)


def test_row_53_moments_beyond_the_exponent_are_infinite_with_the_exponent():
    p = student(1.5)
    with pytest.warns(fp.DegenerateWarning, match=r"order 2 of x is infinite: p ~ \|x\|\^-2\.5 at the lower end"):
        assert p.var() == np.inf
    with pytest.raises(fp.InvalidInput, match=r"order 3 of x does not exist: p ~ \|x\|\^-2\.5"):
        p.moment(3)
    with pytest.raises(fp.InvalidInput, match="not finite at every node of x"):
        p.moment(0.5)


def test_the_grid_alone_would_invent_a_variance():
    p = student(1.5)  # the control for the row above: the finite sum is a number, and wrong
    assert np.isfinite((p.masses * p.grid.nodes[0] ** 2).sum())


def test_exponential_tails_continue_on_uniform_axes():
    process = fp.Process(-1.0, 1.0)
    p = fp.stationary(fp.Problem(process, fp.Grid(x=HALF_LINE)))
    assert p.beyond == pytest.approx(np.exp(-4), rel=1e-4)
    assert p.mean() == pytest.approx(1.0, rel=1e-6)
    assert p.var() == pytest.approx(1.0, rel=1e-5)
    assert p.expect(lambda x: x**3) == pytest.approx(6.0, rel=1e-5)
    assert p.entropy() == pytest.approx(1.0, rel=1e-6)
    assert p.quantile(0.999) == pytest.approx(np.log(1000), rel=1e-5)
    assert p.cdf(20.0) == pytest.approx(1 - np.exp(-20), abs=1e-13)
    assert p(6.0) == pytest.approx(np.exp(-6), rel=1e-5)


def test_both_ends_of_a_log_axis_continue():
    # a gamma law of shape .1 at 0 and an inverse power at infinity: A/D = .. gives p ~ v^-.9 and v^-3
    process = fp.Process(lambda v: v * (1.1 - v) / (1 + v), lambda v: v**2)
    p = fp.stationary(fp.Problem(process, fp.Grid(v=fp.Axis.log(1e-14, 1e8, 800))))
    exact = lambda v: v**-0.9 * (1 + v) ** -2.1  # noqa: E731 - int (1.1 - v)/(v (1 + v)) = 1.1 ln v - 2.1 ln(1 + v)
    v = p.grid.nodes[0]
    law = stats.betaprime(0.1, 2.0)
    assert p.values == pytest.approx(law.pdf(v), rel=1e-9)
    assert p.values / p.values[0] == pytest.approx(exact(v) / exact(v[0]), rel=1e-9)
    assert p.beyond > 0.03
    assert p.mean() == pytest.approx(law.mean(), rel=1e-9)
    for q in (1e-6, 0.05, 0.5, 0.999):
        assert p.quantile(q) == pytest.approx(law.ppf(q), rel=1e-4)
    assert p.mode() == 0.0
    assert p.cdf(0.0) == 0.0
    assert p.cdf(-1.0) == 0.0
    assert p.entropy() == pytest.approx(float(law.entropy()), abs=1e-6)


def test_cdf_and_quantiles_are_fourth_order():
    errors = []
    x = np.linspace(-2, 2, 7)
    for cells in (30, 90):
        p = fp.stationary(fp.Problem(fp.Process(lambda x: -x, 1.0), fp.Grid(x=(-8, 8, cells))))
        faces = p.grid.faces[0]
        errors.append(np.abs(p.cdf(faces) - stats.norm.cdf(faces)).max())
        assert p.cdf(x) == pytest.approx(stats.norm.cdf(x), abs=2e-3)
    assert np.log(errors[0] / errors[1]) / np.log(3) == pytest.approx(4.0, abs=0.2)
    assert NORMAL.quantile([0.01, 0.5, 0.975]) == pytest.approx(stats.norm.ppf([0.01, 0.5, 0.975]), abs=1e-4)
    assert NORMAL.cdf(NORMAL.quantile(0.3)) == pytest.approx(0.3, abs=1e-12)


def test_interpolation_keeps_relative_accuracy_in_the_tails():
    x = np.linspace(-8.5, 8.5, 41)
    assert NORMAL(x) == pytest.approx(stats.norm.pdf(x), rel=1e-10)
    assert NORMAL.log(x) == pytest.approx(stats.norm.logpdf(x), rel=1e-10)


def test_densities_are_periodic_or_zero_outside_as_their_ends_say():
    ring = fp.Axis.uniform(0, 2 * np.pi, 60, ends="periodic")
    p = fp.stationary(fp.Problem(fp.Process(np.cos, 0.5), fp.Grid(x=ring)))
    assert p(0.3 + 2 * np.pi) == pytest.approx(p(0.3), rel=1e-12)
    box = fp.Axis.uniform(0, 1, 20, ends="reflecting")
    q = fp.stationary(fp.Problem(fp.Process(0.0, 0.5), fp.Grid(x=box)))
    assert q(np.array([-0.1, 0.01, 0.5, 1.1])) == pytest.approx([0, 1, 1, 0])
    assert q.quantile([0.0, 0.25, 1.0]) == pytest.approx([0, 0.25, 1], abs=1e-9)


def asked_beyond(p, *x):
    with pytest.warns(fp.TruncationWarning, match="beyond the end") as seen:
        p(*x)
    return [str(warning.message) for warning in seen]


def test_values_beyond_a_grid_that_ends_before_the_law_does_are_told_once():
    p = fp.ExactDensity(lambda x: -(x**2) / 2, fp.Grid(x=(-5, 5, 200))).density
    told = asked_beyond(p, np.linspace(-12.0, 20.0, 9))
    assert len(told) == 1
    assert "p is asked at x=20, 15 beyond the end x=5 of its grid, and goes on there as an exponential" in told[0]
    off = float(told[0].split("off by ")[1].split()[0])
    with pytest.warns(fp.TruncationWarning):
        true = abs(p.log(20.0) - (-200.0 - 0.5 * np.log(2 * np.pi)))
    assert off == pytest.approx(true, rel=0.05)
    for x in (5.0, 5.2, -5.2, 0.0, np.nan):  # within a tenth of p
        p(x)
    plane = fp.ExactDensity(lambda x, y: -(x**2) / 2 - y**2, fp.Grid(x=(-5, 5, 40), y=(-4, 4, 40))).density
    assert "at y=-9" in asked_beyond(plane, 0.0, np.array([-9.0, 0.0]))[0]
    heavy = fp.ExactDensity(lambda x: -2 * np.log1p(x**2 / 3), fp.Grid(x=(-50, 50, 800))).density
    assert "as an exponential" in asked_beyond(heavy, 200.0)[0]


def test_values_beyond_a_grid_within_the_law_of_its_end_are_silent():
    laplace = fp.ExactDensity(lambda x: -np.abs(x), fp.Grid(x=(-20, 20, 400))).density
    assert laplace(60.0) == pytest.approx(0.5 * np.exp(-60.0), rel=1e-3)
    heavy = student(3, reach=1e3)
    assert heavy(1e9) * 1e36 == pytest.approx(stats.t(3).pdf(1e9) * 1e36, rel=1e-3)
    growing = fp.ExactDensity(lambda v: 3.0 * np.log(v) - v, fp.Grid(v=fp.Axis.log(1e-4, 60.0, 300))).density
    assert growing(1e-9) == pytest.approx(1e-27 / 6.0, rel=1e-2)
    ring = fp.stationary(fp.Problem(fp.Process(np.cos, 1.0), fp.Grid(x=fp.Axis.uniform(0, 7, 60, ends="periodic"))))
    assert ring(20.0) == pytest.approx(ring(6.0))
    box = fp.stationary(
        fp.Problem(fp.Process(lambda x: -x, 1.0), fp.Grid(x=fp.Axis.uniform(-2, 2, 60, ends="reflecting")))
    )
    assert box(9.0) == 0.0


def test_sums_that_look_beyond_a_grid_are_silent():
    narrow, wide = (fp.ExactDensity(lambda x: -(x**2) / 2, fp.Grid(x=(-r, r, 200))).density for r in (5, 9))
    assert fp.distance(narrow, wide, "L1") < 1e-5
    assert fp.distance(wide, narrow, "KL") < 1e-4


def test_samples_follow_the_density():
    draws = NORMAL.sample(20_000, seed=1)
    assert stats.kstest(draws, "norm").pvalue > 1e-3
    assert stats.kstest(draws + 0.05, "norm").pvalue < 1e-6  # the control
    assert np.array_equal(draws, NORMAL.sample(20_000, seed=1))
    with pytest.raises(fp.InvalidInput, match="seed is -1"):
        NORMAL.sample(3, seed=-1)
    with pytest.raises(fp.InvalidInput, match="n is 0"):
        NORMAL.sample(0, seed=1)


def test_two_dimensional_densities_have_marginals_and_moments():
    grid = fp.Grid(u=(-8, 8, 60), w=fp.Axis.sinh(-20, 20, 80))
    u, w = grid.mesh()
    p = fp.Density.from_log(grid, -0.5 * (u - 1) ** 2 - 0.5 * (w / 2) ** 2)
    assert p.mass == pytest.approx(1.0, abs=1e-13)
    assert p.mean() == pytest.approx([1.0, 0.0], abs=1e-10)
    assert p.var() == pytest.approx([1.0, 4.0], abs=1e-9)
    assert p.mean("u") == pytest.approx(1.0)
    assert p.marginal("w").var() == pytest.approx(4.0, abs=1e-9)
    assert p.expect(lambda u, w: u * w) == pytest.approx(0.0, abs=1e-10)
    assert p(1.0, 0.0) == pytest.approx(1 / (4 * np.pi), rel=1e-2)
    draws = p.sample(4000, seed=3)
    assert draws.shape == (4000, 2)
    assert draws.mean(axis=0) == pytest.approx([1, 0], abs=0.15)
    with pytest.raises(fp.InvalidInput, match="take a marginal first"):
        p.quantile(0.5)


def test_a_density_prints_in_one_line():
    text = repr(NORMAL)
    assert "\n" not in text
    assert text.startswith("Density(x: 300 cells on [-9, 9], open; mass 1 ")
    assert "residual" in text
    assert "edge mass" in text
    assert text.endswith("error not estimated)")


def test_values_are_frozen():
    with pytest.raises(ValueError, match="read-only"):
        NORMAL.values[0] = 1.0
    with pytest.raises(AttributeError):
        NORMAL.error = 0.1
    assert NORMAL.replace(error=0.1).error == 0.1


def test_masses_build_a_density_as_they_are():
    grid = fp.Grid(x=(0, 1, 4))
    p = fp.Density.from_masses(grid, np.array([0.1, -0.1, 0.5, 0.5]))
    assert p.values == pytest.approx([0.4, -0.4, 2.0, 2.0])
    assert np.isnan(p.log_values[1])
    with pytest.raises(fp.InvalidInput, match="shape"):
        fp.Density(grid, np.ones(3), np.zeros(3))
    with pytest.raises(fp.InvalidInput, match="finite"):
        fp.Density.from_log(grid, np.full(4, -np.inf))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: p.quantile(1.5), r"must lie in \[0, 1\]"),
        (lambda p: p.tail_exponent(end="left"), "'upper' or 'lower'"),
        (lambda p: p.tail_exponent(window=(1e5, 1e6)), "holds 0 nodes"),
        (lambda p: p.tail_exponent(window=(3, 1)), "low < high"),
        (lambda p: p(1.0, 2.0), "takes 1 coordinates"),
        (lambda p: p.marginal("y"), "no axis 'y'"),
        (lambda p: p.mean("y"), "no axis 'y'"),
    ],
)
def test_bad_questions_are_refused(call, message):
    with pytest.raises(fp.InvalidInput, match=message):
        call(NORMAL)


def test_exact_densities_answer_like_computed_ones():
    exact = fp.ExactDensity(lambda x: -(x**2) / 2, NORMAL.grid, "normal law")
    x = np.linspace(-8, 8, 9)
    assert exact(x) == pytest.approx(stats.norm.pdf(x), rel=1e-13)
    assert exact.log(0.0) == pytest.approx(-0.5 * np.log(2 * np.pi), rel=1e-13)
    assert exact.on(fp.Grid(x=(-9, 9, 77))).var() == pytest.approx(1.0, abs=1e-12)
    assert (exact.mean(), exact.var(), exact.moment(4)) == pytest.approx((0.0, 1.0, 3.0), abs=1e-11)
    assert exact.quantile(0.5) == pytest.approx(0.0, abs=1e-10)
    assert exact.cdf(1.0) == pytest.approx(stats.norm.cdf(1.0), abs=1e-5)
    assert exact.expect(np.cos) == pytest.approx(np.exp(-0.5), abs=1e-13)
    assert repr(exact) == "ExactDensity(normal law; x: 300 cells on [-9, 9], open)"


def test_fields_are_functions_on_a_grid():
    field = fp.Field(NORMAL.grid, NORMAL.grid.nodes[0] ** 2, "square")
    assert field(0.5) == pytest.approx(0.25, abs=1e-10)
    assert np.isnan(field(20.0))
    assert repr(field) == "Field(square on x: 300 cells on [-9, 9], open; 0.0009 to 80.46)"
    with pytest.raises(fp.InvalidInput, match="shape"):
        fp.Field(NORMAL.grid, np.ones(3))
    with pytest.raises(fp.InvalidInput, match="takes 1 coordinates"):
        field(1.0, 2.0)
    plane = fp.Grid(u=(0, 1, 10), w=(0, 1, 10))
    assert fp.Field(plane, np.ones(plane.shape) * plane.mesh()[0])(0.5, 0.5) == pytest.approx(0.5)


def test_the_mode_lies_between_nodes():
    process = fp.Process(lambda v: v * (3 - v), lambda v: v**2)  # p ~ v exp(-v): its mode is 1
    p = fp.stationary(fp.Problem(process, fp.Grid(v=fp.Axis.log(1e-6, 1e3, 300))))
    assert p.mode() == pytest.approx(1.0, rel=1e-7)
    ring = fp.Axis.uniform(0, 2 * np.pi, 60, ends="periodic")
    q = fp.stationary(fp.Problem(fp.Process(lambda x: -np.sin(x - 0.01), 0.5), fp.Grid(x=ring)))
    assert q.mode() == pytest.approx(0.01, abs=1e-8)


def test_moments_that_diverge_inside_the_grid_are_refused():
    with pytest.raises(fp.InvalidInput, match="order -2 of x does not exist: p > 0 at x=0"):
        NORMAL.moment(-2)


def test_nan_in_is_nan_out():
    assert np.isnan(NORMAL.cdf(np.nan))
    assert np.isnan(NORMAL(np.nan))


def test_the_tail_is_the_end_at_infinity_on_a_negative_log_axis():
    net = fp.models.DiagonalNetwork.from_moments(fp.Moments(2, -2, 3, 1, -1), temperature=0.1)
    p = fp.stationary(net.problem())
    assert p.grid["v"].hi < 0
    assert p.tail_exponent() == pytest.approx(net.tail_exponent, rel=1e-8)
