"""Densities of two and three coordinates: marginals, conditional laws, moments, draws, values between nodes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

import fpsolve as fp

COVARIANCE = np.array([[1.0, 0.6], [0.6, 2.0]])
MEAN = np.array([0.3, -0.2])
SOLID = np.array([[1.0, 0.3, -0.2], [0.3, 1.5, 0.4], [-0.2, 0.4, 0.8]])


def gaussian(grid, covariance=COVARIANCE, mean=MEAN):
    """A normal law with this covariance, on a grid of as many axes."""
    inverse = np.linalg.inv(covariance)

    def log_density(*x):
        away = np.stack(np.broadcast_arrays(*x), axis=-1) - mean
        return -0.5 * np.einsum("...i,ij,...j", away, inverse, away)

    return fp.ExactDensity(log_density, grid)


def plane(cells=48, reach=9.0):
    return fp.Grid(u=(-reach, reach, cells), w=(-1.4 * reach, 1.4 * reach, cells))


def ring(cells=40):
    return fp.Grid(u=fp.Axis.uniform(0, 2 * np.pi, cells, ends="periodic"), w=(-6, 6, cells))


def rough(u, w):
    return -(u**4 / 4 - u**2 / 2 + w**4 / 4 - 0.3 * u * w + 0.2 * u * w**2) / 0.5


P = gaussian(plane()).density
BOX = fp.Grid(x=(-6, 6, 20), y=(-7, 7, 22), z=(-5, 5, 18))
Q = gaussian(BOX, SOLID, np.zeros(3)).density


# marginals


def test_marginals_of_a_gaussian_are_gaussians():
    for name, mean, variance in (("u", 0.3, 1.0), ("w", -0.2, 2.0)):
        x = P.grid[name].nodes
        assert P.marginal(name).log_values == pytest.approx(stats.norm(mean, variance**0.5).logpdf(x), abs=2e-6)
    yx = Q.marginal("y", "x")
    assert yx.grid.names == ("y", "x")
    law = stats.multivariate_normal(np.zeros(2), SOLID[:2, :2])
    x, y = np.meshgrid(*Q.grid.nodes[:2], indexing="ij")
    assert np.abs(yx.values.T - law.pdf(np.stack([x, y], axis=-1))).max() < 1e-7
    assert Q.marginal("y", "x").marginal("y").values == pytest.approx(Q.marginal("y").values, rel=1e-12)
    assert Q.marginal("x", "y", "z") is Q


def test_marginals_keep_tails_that_underflow():
    far = gaussian(fp.Grid(u=(-60, 60, 240), w=(-60, 60, 240)), np.eye(2), np.zeros(2)).density
    marginal = far.marginal("u")
    assert marginal.log_values == pytest.approx(stats.norm.logpdf(far.grid.nodes[0]), rel=1e-12)
    with np.errstate(divide="ignore"):
        assert np.log(far.masses.sum(axis=1)).min() == -np.inf  # the control: the plain sum has lost them


def test_marginals_go_on_beyond_the_ends_of_the_others():
    heavy = fp.Grid(a=fp.Axis.sinh(-50, 50, 120), b=(-7, 7, 50))
    p = fp.ExactDensity(lambda a, b: -1.5 * np.log1p(a**2 / 2) - 0.5 * b**2, heavy).density  # Student(2), normal
    assert p.beyond == pytest.approx(2 * stats.t.sf(50, 2), rel=2e-3)
    assert p.marginal("b").mass == pytest.approx(1.0, abs=1e-14)
    assert p.marginal("b").values == pytest.approx(stats.norm.pdf(heavy.nodes[1]), rel=1e-9)
    assert p.marginal("a").beyond == pytest.approx(p.beyond, rel=1e-7)
    assert p.mean("b") == pytest.approx(0.0, abs=1e-12)
    assert p.var("b") == pytest.approx(1.0, abs=1e-9)


# moments


def test_covariances_of_gaussians():
    assert P.covariance() == pytest.approx(COVARIANCE, abs=1e-11)
    assert Q.covariance() == pytest.approx(SOLID, abs=3e-6)  # five deviations to the end of z
    assert gaussian(plane()).covariance() == pytest.approx(COVARIANCE, abs=1e-11)
    assert P.marginal("u").covariance() == pytest.approx(np.array([[1.0]]), abs=1e-11)
    assert gaussian(plane(), 1.01 * COVARIANCE).covariance() != pytest.approx(COVARIANCE, abs=1e-3)


def test_a_covariance_beside_an_infinite_variance_is_unknown():
    heavy = fp.Grid(a=fp.Axis.sinh(-1e4, 1e4, 120), b=(-7, 7, 40))
    p = fp.ExactDensity(lambda a, b: -1.25 * np.log1p(a**2) - 0.5 * b**2, heavy).density
    with pytest.warns(fp.DegenerateWarning, match="order 2 of a is infinite"):
        found = p.covariance()
    assert found[0, 0] == np.inf
    assert np.isnan(found[0, 1])
    assert found[1, 1] == pytest.approx(1.0, abs=1e-9)
    assert p.expect(lambda a, b: np.cos(a) * b**2) == pytest.approx(p.marginal("a").expect(np.cos), rel=1e-6)
    with pytest.raises(fp.InvalidInput, match="this mean does not exist: its sum diverges with both signs"):
        p.expect(lambda a, b: a**3 + 0 * b)


def test_entropy_goes_on_beyond_open_ends():
    assert P.entropy() == pytest.approx(0.5 * np.log(np.linalg.det(2 * np.pi * np.e * COVARIANCE)), abs=1e-11)
    wall = ("reflecting", "open")
    grid = fp.Grid(a=fp.Axis.uniform(0, 4, 200, ends=wall), b=fp.Axis.uniform(0, 3, 200, ends=wall))
    p = fp.ExactDensity(lambda a, b: -a - 2 * b, grid).density
    assert p.beyond == pytest.approx(1 - (1 - np.exp(-4)) * (1 - np.exp(-6)), rel=1e-3)
    assert p.entropy() == pytest.approx(2 - np.log(2), abs=1e-4)
    used = -float((p.masses * p.log_values).sum())
    assert abs(used - (2 - np.log(2))) > 0.05  # the control: the sum on the grid
    heavy = fp.Grid(a=fp.Axis.sinh(-1e3, 1e3, 150), b=(-7, 7, 40))
    q = fp.ExactDensity(lambda a, b: -2.0 * np.log1p(a**2 / 3) - 0.5 * b**2, heavy).density
    assert q.entropy() == pytest.approx(float(stats.t(3).entropy() + stats.norm.entropy()), abs=1e-6)


# conditional laws and means


def test_conditional_laws_of_a_gaussian():
    c = P.conditional(u=0.37)
    assert c.grid.names == ("w",)
    assert c.mass == pytest.approx(1.0, abs=1e-14)
    assert c.mean() == pytest.approx(-0.2 + 0.6 * 0.07, abs=1e-10)
    assert c.var() == pytest.approx(2 - 0.36, abs=1e-10)
    assert gaussian(plane(), 1.1 * COVARIANCE).density.conditional(u=0.37).var() != pytest.approx(1.64, rel=0.05)
    line = Q.conditional(x=0.4, z=-0.7)
    gain = SOLID[1, [0, 2]] @ np.linalg.inv(SOLID[np.ix_([0, 2], [0, 2])])
    assert line.mean() == pytest.approx(gain @ [0.4, -0.7], abs=1e-6)
    assert Q.conditional(y=0.1).conditional(x=0.4).values == pytest.approx(Q.conditional(x=0.4, y=0.1).values, rel=1e-9)


def test_conditional_means_of_a_gaussian_are_straight_lines():
    mean = P.conditional_mean("w", given="u")
    assert (mean.name, mean.grid.names) == ("<w | u>", ("u",))
    near = np.abs(P.grid.nodes[0]) < 6
    assert mean.values[near] == pytest.approx(-0.2 + 0.6 * (P.grid.nodes[0][near] - 0.3), abs=1e-8)
    both = Q.conditional_mean("y", given=("z", "x"))
    gain = SOLID[1, [2, 0]] @ np.linalg.inv(SOLID[np.ix_([2, 0], [2, 0])])
    expected = gain[0] * Q.grid.nodes[2][:, None] + gain[1] * Q.grid.nodes[0]
    assert both.values[6:12, 7:13] == pytest.approx(expected[6:12, 7:13], abs=1e-6)


def test_conditional_means_are_known_in_the_tails_and_not_where_nothing_is():
    far = gaussian(fp.Grid(u=(-60, 60, 240), w=(-60, 60, 240)), COVARIANCE, np.zeros(2)).density
    u = far.grid.nodes[0]
    assert far.conditional_mean("w", given="u").values == pytest.approx(0.6 * u, abs=1e-9)
    assert far.masses.sum(axis=1)[0] == 0.0  # the control: a quotient of masses would be 0/0
    u, w = far.grid.mesh()
    half = fp.Density.from_log(far.grid, np.where(u > 1, -(u**2) - w**2, -np.inf))
    assert np.isnan(half.conditional_mean("w", given="u").values).sum() == np.sum(u <= 1)
    heavy = fp.Grid(a=fp.Axis.log(1e-3, 1e5, 120), b=(-7, 7, 40))
    p = fp.ExactDensity(lambda a, b: -1.5 * np.log1p(a) - 1 / a - 0.5 * b**2, heavy).density
    with pytest.warns(fp.DegenerateWarning, match=r"<a \| b> is infinite"):
        assert np.all(p.conditional_mean("a", given="b").values == np.inf)


positive = arrays(float, (7, 6), elements=st.just(0.0) | st.floats(1e-6, 1.0)).filter(lambda m: m.sum() > 0.1)


@settings(max_examples=30, deadline=None)
@given(positive)
def test_laws_of_total_probability(masses):
    walls = {"ends": "reflecting"}
    grid = fp.Grid(u=fp.Axis.uniform(0, 1, 7, **walls), w=fp.Axis.log(1, 50, 6, **walls))
    p = fp.Density.from_masses(grid, masses / masses.sum())
    share, mean = p.marginal("u").masses, p.conditional_mean("w", given="u").values
    some = share > 0
    assert np.array_equal(np.isnan(mean), ~some)
    assert share[some] @ mean[some] == pytest.approx(p.mean("w"), rel=1e-12)
    assert share[some] @ (mean[some] * grid.nodes[0][some]) == pytest.approx(p.expect(lambda u, w: u * w), rel=1e-12)
    covariance = p.covariance()
    assert np.linalg.eigvalsh(covariance).min() >= -1e-12 * np.trace(covariance)
    for i in np.flatnonzero(p.values.min(axis=1) > 0):
        line = p.conditional(u=grid.nodes[0][i])
        assert line.masses * share[i] == pytest.approx(p.masses[i], rel=1e-9)


# between the nodes


def test_gaussians_are_interpolated_to_rounding_in_their_tails():
    u, w = np.random.default_rng(0).uniform(-8, 8, (2, 200))
    law = stats.multivariate_normal(MEAN, COVARIANCE)
    assert P.log(u, w) == pytest.approx(law.logpdf(np.stack([u, w], axis=-1)), rel=1e-10)
    assert P(u, w) == pytest.approx(law.pdf(np.stack([u, w], axis=-1)), rel=1e-10)
    assert isinstance(P(0.1, 0.2), float)
    assert P(u[:, None], w).shape == (200, 200)
    assert Q(*Q.grid.mesh()) == pytest.approx(Q.values, rel=1e-12)
    x = np.random.default_rng(1).uniform(-4, 4, (3, 50))
    assert Q.log(*x) == pytest.approx(stats.multivariate_normal(np.zeros(3), SOLID).logpdf(x.T), rel=1e-7)


def test_interpolation_is_of_fourth_order():
    u, w = np.random.default_rng(0).uniform(-2, 2, (2, 3000))
    errors = []
    for cells in (60, 180):
        grid = fp.Grid(u=fp.Axis.sinh(-3, 3, cells), w=(-3, 3, cells))
        exact = fp.ExactDensity(rough, grid)
        errors.append(np.abs(exact.density.log(u, w) - exact.log(u, w)).max())
    assert np.log(errors[0] / errors[1]) / np.log(3) == pytest.approx(4.0, abs=0.1)


def test_rings_wrap_and_walls_end():
    p = fp.ExactDensity(lambda u, w: 2 * np.cos(u - 0.3) - 0.5 * w**2, ring()).density
    u = np.linspace(-7, 14, 40)
    exact = np.exp(2 * np.cos(u - 0.3)) / np.exp(2 * np.cos(0.7))
    assert p(u, 0.3) / p(1.0, 0.3) == pytest.approx(exact, rel=1e-4)
    assert p.conditional(u=0.1 + 2 * np.pi).values == pytest.approx(p.conditional(u=0.1).values, rel=1e-12)
    box = fp.Grid(u=fp.Axis.uniform(0, 1, 8, ends="reflecting"), w=fp.Axis.log(1, 9, 8, ends="absorbing"))
    q = fp.ExactDensity(lambda u, w: -u + 0 * w, box).density
    outside = q(np.array([-0.01, 0.5, 1.01, 0.5, 0.5]), np.array([2, 0.9, 2, 9.1, -3.0]))
    assert np.array_equal(outside, np.zeros(5))
    assert q(0.01, 8.9) / q(0.5, 3.0) == pytest.approx(np.exp(0.49), rel=1e-9)  # within half a cell of both walls
    assert np.isnan(q(np.nan, 2.0))
    assert np.isnan(p.log(np.nan, 2.0))


def test_beyond_open_ends_p_goes_on_as_its_sums_do():
    wall = ("reflecting", "open")
    grid = fp.Grid(a=fp.Axis.uniform(0, 4, 80, ends=wall), b=fp.Axis.log(1, 50, 80, ends=wall))
    p = fp.ExactDensity(lambda a, b: -a - 3 * np.log(b), grid).density
    for a, b in ((6.0, 2.0), (1.0, 400.0), (5.0, 90.0)):
        assert p(a, b) / p(1.0, 2.0) == pytest.approx(np.exp(1 - a) * (2 / b) ** 3, rel=1e-9)
    s = grid.axes[1].s_faces[-1] + (np.arange(4000) + 0.5) * 0.01
    b = grid.axes[1].x(s)
    beyond = p(grid.nodes[0][:, None], b) * grid.axes[0].weights[:, None] * b * 0.01
    inside = p.masses.sum(axis=0)  # of a within the grid
    assert beyond.sum() == pytest.approx(inside.sum() * 50**-2 / (1 - 50**-2), rel=2e-3)


def test_where_p_vanishes_it_is_linear():
    walls = fp.Axis.uniform(0, 8, 8, ends="reflecting")
    grid = fp.Grid(u=walls, w=walls)
    u, w = grid.mesh()
    p = fp.Density.from_log(grid, np.where(u < 4, -0.1 * u - 0.2 * w, -np.inf))
    assert p(3.5, 2.5) == p.values[3, 2]
    assert p(4.0, 2.5) == pytest.approx(p.values[3, 2] / 2, rel=1e-12)
    assert p(6.1, 2.5) == 0.0
    assert p.log(6.1, 2.5) == -np.inf
    assert p(1.7, 2.2) / p.values[0, 0] == pytest.approx(np.exp(-0.1 * 1.2 - 0.2 * 1.7), rel=1e-12)  # away from there


# draws


def test_draws_have_the_moments_of_the_law_on_coarse_grids():
    coarse = gaussian(fp.Grid(u=(-7.5, 7.5, 15), w=(-9, 9, 18))).density  # cells as wide as a deviation
    x = coarse.sample(200_000, seed=1)
    assert np.array_equal(x, coarse.sample(200_000, seed=1))
    assert x.mean(axis=0) == pytest.approx(MEAN, abs=0.012)
    assert np.cov(x.T) == pytest.approx(COVARIANCE, abs=0.025)
    uniform = coarse.var("u") + 1 / 12  # the control: places drawn uniformly in the cells
    assert abs(uniform - 1.0) > 0.08
    fine = P.sample(20_000, seed=2)
    assert stats.kstest(fine[:, 0], stats.norm(0.3, 1).cdf).pvalue > 1e-3
    assert stats.kstest(fine @ [1, -1], stats.norm(0.5, np.sqrt(3 - 1.2)).cdf).pvalue > 1e-3
    assert stats.kstest(fine[:, 0] + 0.05, stats.norm(0.3, 1).cdf).pvalue < 1e-6
    assert np.cov(Q.sample(50_000, seed=3).T) == pytest.approx(SOLID, abs=0.05)


def test_draws_stay_where_mass_is():
    grid = fp.Grid(u=fp.Axis.uniform(0, 8, 8, ends="reflecting"), w=fp.Axis.uniform(0, 8, 8, ends="periodic"))
    u, w = grid.mesh()
    p = fp.Density.from_log(grid, np.where((u < 4) | (w > 6), -2.0 * u + np.cos(w * np.pi / 4), -np.inf))
    x = p.sample(5000, seed=4)
    assert np.all((x[:, 0] < 4) | (x[:, 1] > 6))
    assert np.all((x >= 0) & (x <= 8))


# modes


def test_modes_lie_between_nodes_or_at_ends():
    assert P.mode() == pytest.approx(tuple(MEAN), abs=1e-9)
    assert Q.mode() == pytest.approx((0.0, 0.0, 0.0), abs=1e-9)
    errors = []
    for cells in (90, 270):
        found = fp.ExactDensity(rough, fp.Grid(u=(-3, 3, cells), w=(-3, 3, cells))).density.mode()
        errors.append(np.abs(np.array(found) - [-1.17501532, -0.92299510]).max())
    assert errors[1] < errors[0] / 7 < 1e-3
    wall = fp.Grid(u=fp.Axis.log(1e-3, 10, 30), w=(-4, 4, 31))
    p = fp.ExactDensity(lambda u, w: -0.5 * np.log(u) - u - (w - 0.1) ** 2, wall).density
    assert p.mode() == pytest.approx((0.0, 0.1), abs=1e-9)
    q = fp.ExactDensity(lambda u, w: np.cos(u - 0.05) - 0.5 * (w - 0.1) ** 2, ring()).density
    assert q.mode() == pytest.approx((0.05, 0.1), abs=1e-4)


# what cannot be asked


def test_undershoots_are_kept_and_told():
    walls = {"ends": "reflecting"}
    grid = fp.Grid(u=fp.Axis.uniform(0, 1, 6, **walls), w=fp.Axis.uniform(0, 1, 5, **walls))
    masses = np.full((6, 5), 1.06 / 29)
    masses[2, 3] = -0.06
    p = fp.Density.from_masses(grid, masses)
    assert p.marginal("u").masses == pytest.approx(masses.sum(axis=1), rel=1e-12)
    assert np.isfinite(p.marginal("u").log_values).all()
    assert p(grid.nodes[0][2], grid.nodes[1][3]) == pytest.approx(-0.06 * 30)
    assert p.conditional(u=grid.nodes[0][2]).masses == pytest.approx(masses[2] / masses[2].sum(), rel=1e-12)
    assert p.conditional_mean("w", given="u").values == pytest.approx(masses @ grid.nodes[1] / masses.sum(axis=1))
    with pytest.raises(fp.InvalidInput, match="negative mass of 0.06 in 1 cells; a sample draws cells by their mass"):
        p.sample(3, seed=1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: p.marginal(), "marginal needs the name of a coordinate; the axes are"),
        (lambda p: p.marginal("u", "u"), "names u, u: give each coordinate once"),
        (lambda p: p.marginal("v"), "no axis 'v'"),
        (lambda p: p.conditional(), "needs a value for one of"),
        (lambda p: p.conditional(v=0.1), "no axis 'v'"),
        (lambda p: p.conditional(u=0.1, w=0.3), "leave at least one coordinate free"),
        (lambda p: p.conditional(u=9.5), r"u is 9.5; a conditional law is known on the grid, from -9 to 9"),
        (lambda p: p.conditional(u=np.nan), "u is nan"),
        (lambda p: p.conditional_mean("w", given="w"), "give each coordinate once"),
        (lambda p: p.conditional_mean("v", given="u"), "no axis 'v'"),
        (lambda p: p(0.1), "p takes 2 coordinates"),
        (lambda p: p.log(0.1, 0.2, 0.3), "p takes 2 coordinates"),
        (lambda p: p.cdf(0.1), "cdf needs one dimension, not .*; take a marginal first"),
        (lambda p: p.quantile(0.1), "take a marginal first"),
        (lambda p: p.tail_exponent(), "tail_exponent needs one dimension"),
        (lambda p: gaussian(p.grid)(0.1), "exact takes 2 coordinates"),
    ],
)
def test_bad_questions_are_refused(call, message):
    with pytest.raises(fp.InvalidInput, match=message):
        call(P)


def test_masses_that_are_infinite_are_refused():
    u, w = P.grid.mesh()
    with pytest.raises(fp.InvalidInput, match="the mass beyond the open ends is inf: p does not fall"):
        fp.Density.from_log(P.grid, -(u**2) + 0.1 * w)


def test_a_conditional_law_needs_mass():
    u, w = P.grid.mesh()
    p = fp.Density.from_log(P.grid, np.where(u < 0, -(u**2) - w**2, -np.inf))
    with pytest.raises(fp.InvalidInput, match="p is 0 wherever u=3"):
        p.conditional(u=3.0)


# closed forms


def test_closed_forms_of_several_coordinates():
    exact = gaussian(BOX, SOLID, np.zeros(3))
    x = np.random.default_rng(2).normal(size=(3, 20))
    law = stats.multivariate_normal(np.zeros(3), SOLID)
    assert exact.log(*x) == pytest.approx(law.logpdf(x.T), abs=1e-6)
    assert exact(0.1, 0.2, 0.3) == pytest.approx(law.pdf([0.1, 0.2, 0.3]), rel=1e-6)
    assert exact.mean() == pytest.approx(np.zeros(3), abs=1e-10)
    assert exact.marginal("x").var() == pytest.approx(1.0, abs=1e-7)
    assert exact.on(fp.Grid(x=(-7, 7, 24), y=(-8, 8, 25), z=(-6, 6, 26))).var("z") == pytest.approx(0.8, abs=1e-7)
    disc = fp.ExactDensity(lambda u, w: np.where(u**2 + w**2 < 4, 0.0, -np.inf), fp.Grid(u=(-3, 3, 60), w=(-3, 3, 60)))
    assert disc(0.1, 0.2) == pytest.approx(1 / (4 * np.pi), rel=0.02)
    assert disc(2.0, 2.0) == 0.0
