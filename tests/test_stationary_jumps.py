"""Stationary densities of stable jumps: closed forms, tails to the end and beyond it, and what has no density."""

import time
from math import gamma

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import gamma as gamma_function
from scipy.special import voigt_profile
from scipy.stats import cauchy, levy_stable

import fpsolve as fp
from fpsolve.solvers.line_null import null_masses


def solve(drift, alpha, axis, scale=1.0, diffusion=None, scheme=None):
    process = fp.Process(drift, diffusion, jumps=fp.Stable(alpha, scale))
    return fp.stationary(fp.Problem(process, fp.Grid(x=axis), scheme or fp.Accurate()))


def quartic(cells, reach=1e4, scheme=None, ends="open"):
    """Cauchy jumps in U = x^4/4: p = 1/(pi (1 - x^2 + x^4)); p and that."""
    axis = fp.Axis.sinh(-reach, reach, cells, scale=0.5, ends=ends)
    p = solve(lambda x: -(x**3), 1.0, axis, scheme=scheme)
    return p, 1 / (np.pi * (1 - axis.nodes**2 + axis.nodes**4))


def at_zero(alpha):
    """p(0) of the harmonic well."""
    return gamma(1 + 1 / alpha) / np.pi * alpha ** (1 / alpha)


def test_the_quartic_well_with_cauchy_jumps_has_its_closed_form():
    quartic(401)  # kernels are compiled
    p, exact = quartic(4001)
    x = p.grid.nodes[0]
    assert np.abs(p.values - exact).max() < 1e-7
    assert np.abs(p.values / exact - 1)[np.abs(x) < 1e3].max() < 1e-5
    assert p.tail_exponent(window=(1e2, 1e3)) == pytest.approx(4.0, abs=1e-3)
    assert p.values.min() > 0.0
    assert p.info.residual < 1e-10
    assert p.info.seconds < 1.0
    assert p.mass == pytest.approx(1.0, abs=1e-14)
    assert p.beyond == pytest.approx(2 / (3 * np.pi * 1e12), rel=1e-3)
    assert "alpha + c - 1, c = 4" in p.info.notes[0]


def test_its_order_is_three():
    errors = [np.abs(p.values - exact).max() for p, exact in (quartic(801), quartic(2403))]
    assert np.log(errors[0] / errors[1]) / np.log(3.0) == pytest.approx(3.0, abs=0.25)


def test_censored_ends_fail_the_tail_claim():
    p, exact = quartic(801, ends="reflecting")
    x = p.grid.nodes[0]
    off = np.abs(p.values / exact - 1)
    assert off[np.abs(x) < 10].max() < 5e-3
    assert off[np.abs(x) > 5e3].min() > 0.3  # open ends: 1e-5


def test_the_positive_form_is_positive_and_of_first_order():
    errors = []
    for cells in (801, 2403):
        p, exact = quartic(cells, scheme=fp.Positive())
        assert p.values.min() > 0.0
        errors.append(np.abs(p.values / exact - 1).max())
    assert errors[0] < 0.02
    assert np.log(errors[0] / errors[1]) / np.log(3.0) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(
    ("alpha", "reach", "error"), [(0.5, 1e6, 5e-7), (1.0, 1e4, 1e-7), (1.5, 1e3, 1e-6), (1.9, 100, 5e-6)]
)
def test_the_harmonic_well_is_right_at_its_bottom(alpha, reach, error):
    p = solve(lambda x: -x, alpha, fp.Axis.sinh(-reach, reach, 801, scale=0.3))
    assert p.values[400] == pytest.approx(at_zero(alpha), abs=error)


def test_a_wrong_scale_is_noticed():
    p = solve(lambda x: -x, 1.0, fp.Axis.sinh(-1e4, 1e4, 801, scale=0.3), scale=1.0001)
    assert abs(p.values[400] - at_zero(1.0)) > 1e-5


@pytest.mark.parametrize(
    ("alpha", "reach", "error"), [(0.7, 1e6, 2e-6), (1.0, 1e4, 3e-6), (1.3, 1e4, 3e-6), (1.5, 1e4, 6e-6)]
)
def test_stable_laws_over_eight_decades(alpha, reach, error):
    p = solve(lambda x: -x, alpha, fp.Axis.sinh(-reach, reach, 1601, scale=0.3))
    some = np.arange(800, 1601, 40)
    size = (1 / alpha) ** (1 / alpha)
    exact = levy_stable.pdf(p.grid.nodes[0][some] / size, alpha, 0.0) / size
    assert exact.max() / exact.min() > 0.98e8
    assert p.values[some] == pytest.approx(exact, rel=error)


def test_diffusion_and_jumps_together_make_a_voigt_profile():
    for scheme, core, tail in ((fp.Accurate(), 5e-6, 5e-5), (fp.Positive(), 1e-3, 3e-2)):
        p = solve(lambda x: -x, 1.0, fp.Axis.sinh(-1e4, 1e4, 801, scale=0.3), diffusion=0.5, scheme=scheme)
        exact = voigt_profile(p.grid.nodes[0], np.sqrt(0.5), 1.0)
        assert p.values == pytest.approx(exact, abs=core)
        assert p.values == pytest.approx(exact, rel=tail)


def test_alpha_two_is_approached_without_a_jump():
    axis = fp.Axis.sinh(-30, 30, 601)
    well = fp.Process(lambda x: x - x**3, 0.25)
    gauss = fp.stationary(fp.Problem(well, fp.Grid(x=axis))).values
    gaps = [
        np.abs(solve(lambda x: x - x**3, a, axis, 0.5, scheme=fp.Positive()).values - gauss).max()
        for a in (1.9, 1.99, 1.999)
    ]
    assert gaps[0] > 8 * gaps[1]
    assert gaps[1] > 8 * gaps[2]
    assert gaps[2] < 2e-4


def test_a_ring_with_jumps_alone_is_flat():
    p = solve(0.0, 1.4, fp.Axis.uniform(0, 5, 77, ends="periodic"))
    assert p.values == pytest.approx(np.full(77, 0.2), rel=1e-12)


def test_on_a_ring_scale_to_the_alpha_times_p_is_flat():
    scale = lambda x: 1.0 + 0.5 * np.sin(2 * np.pi * x / 5)  # noqa: E731
    p = solve(0.0, 1.4, fp.Axis.uniform(0, 5, 450, ends="periodic"), scale)
    product = p.values * scale(p.grid.nodes[0]) ** 1.4
    assert product == pytest.approx(np.full(450, product[0]), rel=1e-11)


def test_uniform_axes_carry_the_tail_as_well():
    p = solve(lambda x: -x, 1.0, fp.Axis.uniform(-200, 200, 4001))
    assert p.values == pytest.approx(cauchy.pdf(p.grid.nodes[0]), abs=5e-5)
    assert p.beyond == pytest.approx(2 * cauchy.sf(200), rel=1e-3)
    x = np.array([-1e3, -150.3, 0.2, 4.0, 1e4])
    assert p.cdf(x) == pytest.approx(cauchy.cdf(x), abs=1e-5)
    assert p.quantile(np.array([1e-4, 0.9999])) == pytest.approx(cauchy.ppf([1e-4, 0.9999]), rel=1e-3)
    assert p(1e4) == pytest.approx(cauchy.pdf(1e4), rel=1e-3)
    assert p.entropy() == pytest.approx(np.log(4 * np.pi), abs=1e-4)


def test_a_drift_that_does_not_begin_at_zero_has_its_tail_around_its_middle():
    p = solve(lambda x: -(x - 30), 1.0, fp.Axis.uniform(-170, 230, 4001))
    assert p.values == pytest.approx(cauchy.pdf(p.grid.nodes[0] - 30), rel=2e-3)
    assert p.ends[0][1].center == pytest.approx(30, abs=1e-6)


def exponent_by_gamma_functions(alpha, size, rate):
    """q with rate (1 - q) x^-q = -(-Laplacian)^(alpha/2) size^alpha x^(alpha - q): a scale that grows like x."""

    def balance(q):
        g = gamma_function
        return rate * (1 - q) - (2 * size) ** alpha * g(q / 2) * g((1 - q + alpha) / 2) / g((1 - q) / 2) / g(
            (q - alpha) / 2
        )

    return brentq(balance, alpha + 0.2, 1 + alpha - 1e-3)


@pytest.mark.parametrize(("alpha", "size"), [(1.5, 0.5), (1.2, 0.5)])
def test_a_scale_that_grows_like_x_has_the_exponent_of_the_gamma_functions(alpha, size):
    axis = fp.Axis.sinh(-1e5, 1e5, 801)
    p = solve(lambda x: -x, alpha, axis, lambda x: size * np.sqrt(1 + x * x))
    assert "fitted to the last cells" in p.info.notes[0]
    assert p.ends[0][1].exponent == pytest.approx(exponent_by_gamma_functions(alpha, size, 1.0), abs=1e-4)


def test_a_drift_that_ripples_still_confines():
    p = solve(lambda x: -x + 3 * np.sin(x), 1.5, fp.Axis.sinh(-1e3, 1e3, 1601))
    assert p.ends[0][1].exponent == pytest.approx(2.5, abs=0.01)


@pytest.mark.parametrize(
    ("drift", "alpha", "match"),
    [
        (0.0, 1.5, "the drift does not lead back"),
        (lambda x: x, 1.5, "the drift does not lead back"),
        (lambda x: -x / (1 + x * x) ** 0.75, 1.0, r"\|x\|\^-0\.5 .*its integral diverges"),
        (lambda x: -x / (1 + x * x) ** 0.5, 1.0, "is undecided"),
    ],
)
def test_row_17_what_the_drift_does_not_confine_has_no_density(drift, alpha, match):
    with pytest.raises(fp.NotNormalizable, match=match) as caught:
        solve(drift, alpha, fp.Axis.sinh(-1e3, 1e3, 401))
    assert caught.value.end == "x -> -infinity"


def test_row_17_one_more_power_confines():
    p = solve(lambda x: -x / (1 + x * x) ** 0.5, 1.5, fp.Axis.sinh(-1e3, 1e3, 401))
    assert p.ends[0][0].exponent == pytest.approx(1.5, abs=1e-3)


def test_row_18_a_domain_too_small_for_the_tail_is_told_with_the_share():
    match = r"0\.039 of the mass lies beyond the open end x=-?8, known to about 0\.003"
    with pytest.warns(fp.TruncationWarning, match=match):
        p = solve(lambda x: -x, 1.0, fp.Axis.uniform(-8, 8, 401))
    assert p.beyond == pytest.approx(2 * cauchy.sf(8), abs=0.003)
    wide = solve(lambda x: -x, 1.0, fp.Axis.sinh(-200, 200, 401))  # no warning
    assert wide.beyond == pytest.approx(2 * cauchy.sf(200), rel=1e-3)


def test_row_35_a_drift_too_steep_for_the_grid_stalls_with_its_residuals():
    axis = fp.Axis.uniform(-5, 5, 101, ends="reflecting")
    with pytest.raises(fp.NotConverged, match=r"GMRES stalls.*use fp\.Positive") as caught:
        solve(lambda x: -x + 300 * np.sin(11 * x), 1.0, axis)
    assert len(caught.value.history) > 60
    assert caught.value.best.shape == (101,)
    p = solve(lambda x: -x + 300 * np.sin(11 * x), 1.0, axis, scheme=fp.Positive())
    assert p.values.min() > 0.0


def test_negative_densities_are_told_and_the_positive_form_is_returned(monkeypatch):
    axis = fp.Axis.sinh(-1e3, 1e3, 301)

    def undershooting(jumps, apply):
        positive, m, products = null_masses(jumps, apply)
        m[7] = -m[7]
        return positive, m, products

    monkeypatch.setattr("fpsolve.stationary_jumps.null_masses", undershooting)
    with pytest.warns(fp.ResolutionWarning, match=r"negative densities in 1 cells.*Positive\(\).*use more cells"):
        p = solve(lambda x: -(x**3), 1.0, axis)
    monkeypatch.undo()
    assert p.values == pytest.approx(solve(lambda x: -(x**3), 1.0, axis, scheme=fp.Positive()).values, rel=1e-10)


def test_absorbing_ends_have_no_stationary_density():
    with pytest.raises(fp.InvalidInput, match="every path ends at the absorbing end"):
        solve(lambda x: -x, 1.0, fp.Axis.uniform(-8, 8, 50, ends=("absorbing", "open")))


def test_jumps_leave_no_method_to_choose_and_one_class():
    problem = fp.Problem(fp.Process(lambda x: x - x**3, jumps=fp.Stable(1.0)), fp.Grid(x=fp.Axis.sinh(-1e3, 1e3, 301)))
    with pytest.raises(fp.InvalidInput, match="leave method out"):
        fp.stationary(problem, method=fp.GTH())
    assert len(fp.components(problem)) == 1


def test_power_law_tails_survive_files_and_comparisons(tmp_path):
    p = solve(lambda x: -x, 1.5, fp.Axis.uniform(-100, 100, 1001))
    again = fp.load(p.save(tmp_path / "p.npz"))
    assert again.ends == p.ends
    assert again.beyond == p.beyond
    other = solve(lambda x: -x, 1.5, fp.Axis.sinh(-1e4, 1e4, 1001))
    for metric, most in (("KS", 3e-4), ("TV", 1e-3), ("W1", 1e-2), ("KL", 1e-4)):
        assert fp.distance(p, other, metric) < most
    assert p.expect(np.abs) == pytest.approx(2 / np.pi * gamma(1 - 1 / 1.5) * (1 / 1.5) ** (1 / 1.5), rel=3e-3)
    with pytest.warns(fp.DegenerateWarning, match=r"infinite: p ~ \|x\|\^-2\.5 at the lower end"):
        assert p.var() == np.inf


@pytest.mark.slow
def test_a_hundred_thousand_cells_directly():
    began = time.process_time()
    p, exact = quartic(100_000, scheme=fp.Positive())
    assert time.process_time() - began < 4.0 * 2  # two on a quiet core
    assert np.abs(p.values / exact - 1).max() < 1e-3


@pytest.mark.slow
@pytest.mark.parametrize(("alpha", "reach"), [(0.5, 1e8), (1.0, 1e4), (1.5, 1e4), (1.9, 1e3)])
def test_the_harmonic_well_on_a_fine_grid(alpha, reach):
    p = solve(lambda x: -x, alpha, fp.Axis.sinh(-reach, reach, 6401, scale=0.3))
    assert p.values[3200] == pytest.approx(at_zero(alpha), abs=5e-8)
