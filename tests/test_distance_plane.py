"""Distances in two and three dimensions: closed forms between Gaussians, what metrics obey, and their noise."""

import builtins
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import integrate, linalg, special, stats

import fpsolve as fp
from fpsolve.compare import compare
from fpsolve.distance import distance
from fpsolve.laws import paired
from fpsolve.noise import resampled, same_law
from fpsolve.sliced import directions
from fpsolve.values.sampling import cell_integrals

A, A_MEAN = np.array([[1.0, 0.4], [0.4, 0.8]]), np.zeros(2)
B, B_MEAN = np.array([[1.5, -0.3], [-0.3, 0.6]]), np.array([0.5, -0.3])
SLICED = ("sliced W1", "sliced W2")
needs_pot = pytest.mark.skipif(not pytest.importorskip("ot", reason="POT is not installed"), reason="POT")


def gaussian(grid, covariance, mean):
    inverse = np.linalg.inv(covariance)

    def log_density(*x):
        away = np.stack(np.broadcast_arrays(*x), axis=-1) - mean
        return -0.5 * np.einsum("...i,ij,...j", away, inverse, away)

    return fp.ExactDensity(log_density, grid)


def plane(cells, reach=8.0):
    return fp.Grid(u=(-reach, reach, cells), w=(-reach, reach, cells))


def bures(a, a_mean, b, b_mean):
    """W2 between Gaussians."""
    root = linalg.sqrtm(a)
    return np.sqrt(((a_mean - b_mean) ** 2).sum() + np.trace(a + b - 2 * linalg.sqrtm(root @ b @ root).real))


def sliced_bures(a, a_mean, b, b_mean, order=2):
    """Sliced W1 or W2 between Gaussians: the mean over many directions of the formulas of one dimension."""
    normals = np.random.default_rng(0).normal(size=(100_000, len(a)))
    e = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    if len(a) == 2:
        angles = (np.arange(20_000) + 0.5) * np.pi / 20_000
        e = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    shift = e @ (b_mean - a_mean)
    widths = [np.sqrt(np.einsum("ki,ij,kj->k", e, c, e)) for c in (a, b)]
    wider = widths[1] - widths[0]
    if order == 2:
        return np.sqrt(np.mean(shift**2 + wider**2))
    ratio = shift / wider  # <|shift + wider Z|>
    return np.mean(np.abs(wider) * (2 * stats.norm.pdf(ratio) + ratio * (2 * stats.norm.cdf(ratio) - 1)))


P, Q = (gaussian(plane(64), *law).density for law in ((A, A_MEAN), (B, B_MEAN)))


# sliced distances


@pytest.mark.parametrize("order", [1, 2])
def test_sliced_distances_between_gaussians(order):
    expected = sliced_bures(A, A_MEAN, B, B_MEAN, order)
    assert distance(P, Q, f"sliced W{order}") == pytest.approx(expected, rel=2e-3)
    assert distance(Q, P, f"sliced W{order}") == pytest.approx(expected, rel=2e-3)
    assert sliced_bures(A, A_MEAN, B, 1.05 * B_MEAN, order) != pytest.approx(expected, rel=1e-2)
    box = fp.Grid(**dict.fromkeys("xyz", (-6.5, 6.5, 18)))
    a, b = np.diag([1.0, 0.5, 1.2]), np.diag([0.7, 0.9, 0.9])
    p, q = gaussian(box, a, np.zeros(3)).density, gaussian(box, b, np.array([0.5, 0.0, 0.2])).density
    expected = sliced_bures(a, np.zeros(3), b, np.array([0.5, 0.0, 0.2]), order)
    assert distance(p, q, f"sliced W{order}") == pytest.approx(expected, rel=1e-2)


def test_sliced_distances_are_of_second_order_in_the_cells():
    expected = sliced_bures(A, A_MEAN, B, B_MEAN)
    errors = []
    for cells in (32, 96):
        p, q = (gaussian(plane(cells), *law).density for law in ((A, A_MEAN), (B, B_MEAN)))
        errors.append(abs(distance(p, q, "sliced W2") / expected - 1))
    assert np.log(errors[0] / errors[1]) / np.log(3) == pytest.approx(2.0, abs=0.1)


def test_directions_integrate_polynomials_over_the_sphere():
    for ndim, moments in ((2, {2: 1 / 2, 4: 3 / 8, 6: 5 / 16}), (3, {2: 1 / 3, 4: 1 / 5, 6: 1 / 7})):
        e, shares = directions(ndim)
        assert np.linalg.norm(e, axis=1) == pytest.approx(np.ones(len(e)))
        axis = np.array([0.6, 0.0, 0.8])[:ndim] / np.linalg.norm([0.6, 0.0, 0.8][:ndim])
        for power, moment in moments.items():
            assert shares @ (e @ axis) ** power == pytest.approx(moment, rel=1e-12)
        assert np.mean((e[::2] @ axis) ** 2) != pytest.approx(moments[2], rel=1e-3) or ndim == 2  # the control
    with pytest.raises(fp.InvalidInput, match="two and three coordinates, not of 4"):
        distance(np.zeros((5, 4)), np.ones((5, 4)), "sliced W1")


def test_a_shift_is_seen_along_every_direction():
    shift = np.array([0.37, -0.11])
    q = gaussian(plane(64), A, shift).density
    length = np.linalg.norm(shift)
    assert distance(P, q, "sliced W2") == pytest.approx(length / np.sqrt(2), rel=1e-3)
    assert distance(P, q, "sliced W1") == pytest.approx(2 * length / np.pi, rel=1e-3)
    x, shift = np.random.default_rng(1).normal(size=(500, 3)), np.array([1.0, 2.0, 2.0])
    far = distance(x, x + shift, "sliced W2")
    assert far == pytest.approx(3 / np.sqrt(3), rel=1e-12)
    assert distance(x, x + shift, "sliced W1") == pytest.approx(3 / 2, rel=1e-2)


def test_sliced_distances_of_samples_are_means_over_their_shadows():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(200, 2)), rng.exponential(size=(330, 2))
    e, shares = directions(2)
    for order in (1, 2):
        each = [distance(x @ v, y @ v, f"W{order}") ** order for v in e]
        assert distance(x, y, f"sliced W{order}") == pytest.approx((shares @ each) ** (1 / order), rel=1e-9)
    assert distance(x[:, 0], y[:, 0], "sliced W1") == distance(x[:, 0], y[:, 0], "W1")


def test_cells_are_intervals_along_every_direction():
    side = fp.Axis.uniform(-1, 1, 3, ends="reflecting")
    p = fp.ExactDensity(lambda u, w: 0 * u, fp.Grid(u=side, w=side)).density
    assert distance(p, np.zeros((1, 2)), "sliced W2") == pytest.approx(np.sqrt(1 / 3), rel=1e-12)  # the root of 2^2/12
    point = np.array([[0.2, 0.1]])
    e, shares = directions(2)
    centres = np.stack(np.meshgrid(side.nodes, side.nodes), axis=-1).reshape(-1, 2) - point
    within = ((np.arange(4000) + 0.5) / 4000 - 0.5) * side.ds  # unit vectors: all shadows are as wide
    each = np.abs((centres @ e.T)[:, :, None] + within).mean(axis=(0, 2))
    assert distance(p, point, "sliced W1") == pytest.approx(shares @ each, rel=1e-6)


def test_samples_of_a_law_come_close_to_it():
    x = P.sample(20_000, seed=1)
    for metric in SLICED:
        near, far = distance(x, P, metric), distance(x, Q, metric)
        assert near < 0.02
        assert far == pytest.approx(distance(P, Q, metric), abs=0.02)


def test_mass_beyond_open_ends_stays_in_the_outermost_cells():
    wall = ("reflecting", "open")
    grid = fp.Grid(a=fp.Axis.uniform(0, 4, 40, ends=wall), b=fp.Axis.uniform(0, 1, 10, ends="reflecting"))
    p = fp.ExactDensity(lambda a, b: -a + 0 * b, grid).density
    assert p.beyond > 0.01
    masses = p.masses.copy()
    masses[-1] += p.beyond / 10
    a, b = np.broadcast_arrays(*grid.mesh())
    e, shares = directions(2)
    along = np.abs(e[:, 0, None, None] * a + e[:, 1, None, None] * b)
    expected, lost = (shares @ (along * m).sum(axis=(1, 2)) for m in (masses, p.on_grid().masses))
    found = distance(p, np.zeros((1, 2)), "sliced W1")
    assert found == pytest.approx(expected, rel=3e-3)
    assert found != pytest.approx(lost, rel=2e-2)


@pytest.mark.parametrize("metric", SLICED)
def test_sliced_distances_are_infinite_where_a_moment_is(metric):
    heavy = fp.Grid(a=fp.Axis.sinh(-1e4, 1e4, 80), b=(-7, 7, 30))
    p = fp.ExactDensity(lambda a, b: -np.log1p(a**2) - 0.5 * b**2, heavy).density
    with pytest.warns(fp.DegenerateWarning, match=r"W\d is infinite: a has p ~ \|x\|\^-2 at its lower end along a"):
        assert distance(p, np.zeros((3, 2)), metric) == np.inf
    with pytest.raises(fp.InvalidInput, match=r"is infinite: p ~ \|x\|\^-2 at its lower end along a"):
        compare(p, np.zeros((3, 2)), metric)


# the cheapest plan


@needs_pot
def test_w2_between_gaussians_is_bures():
    p, q = P.coarsened(2), Q.coarsened(2)
    expected = bures(A, A_MEAN, B, B_MEAN)
    excess = distance(p, q, "W2") ** 2 - expected**2
    assert 0 < excess < 2 * 0.5**2 / 6  # of cells that are points, as `distance` tells
    shift = np.array([0.5, -1.0])  # whole cells: exact
    r = gaussian(plane(32), A, shift).density
    whole = gaussian(plane(32), A, A_MEAN).density
    assert distance(whole, r, "W2") == pytest.approx(np.linalg.norm(shift), rel=1e-9)
    assert distance(whole, r, "W1") == pytest.approx(np.linalg.norm(shift), rel=1e-9)
    assert distance(whole, r, "W2") != pytest.approx(1.02 * np.linalg.norm(shift), rel=1e-2)


@needs_pot
def test_plans_between_samples():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(40, 2)), rng.normal(1.0, 2.0, size=(40, 2))
    from scipy.optimize import linear_sum_assignment

    costs = ((x[:, None] - y) ** 2).sum(axis=-1)
    assert distance(x, y, "W2") == pytest.approx(np.sqrt(costs[linear_sum_assignment(costs)].mean()), rel=1e-9)
    line = np.stack([x[:, 0], 0 * x[:, 0]], axis=-1), np.stack([y[:30, 0], 0 * y[:30, 0]], axis=-1)
    for metric in ("W1", "W2"):
        assert distance(*line, metric) == pytest.approx(distance(x[:, 0], y[:30, 0], metric), rel=1e-9)
        assert distance(P.coarsened(4), [[1.0, 2.0]], metric) > 2.0


def test_a_missing_extra_says_its_install_line(monkeypatch):
    real = builtins.__import__

    def without_pot(name, *rest, **more):
        if name == "ot":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without_pot)
    with pytest.raises(fp.MissingExtra, match=r"pip install 'fpsolve\[ot\]'; 'sliced W2' needs nothing more"):
        distance(np.zeros((3, 2)), np.ones((3, 2)), "W2")
    assert distance(np.zeros((3, 2)), np.ones((3, 2)), "sliced W2") == pytest.approx(1.0)


def test_problems_that_are_too_large_are_refused_before_they_start():
    fine = gaussian(plane(96), A, A_MEAN).density
    with pytest.raises(
        fp.InvalidInput, match=r"W2 needs one dimension, not 2, or fewer points: 9216 in a and 9216 in b"
    ):
        distance(fine, fine, "W2")
    with pytest.raises(fp.InvalidInput, match="compare by W2 needs one dimension, not 2"):
        compare(P, np.zeros((3, 2)), "W2")
    with pytest.raises(fp.InvalidInput, match="KS needs one dimension, not 2"):
        distance(P, Q, "KS")
    with pytest.raises(fp.InvalidInput, match="compares all pairs of 80000 points; .* take 'sliced W1'"):
        distance(np.random.default_rng(0).random((40_000, 2)), np.zeros((40_000, 2)), "MMD")


def test_negative_masses_are_refused():
    masses = P.masses.copy()
    masses[10, 12] = -1e-3
    masses[30, 30] += 1e-3 + P.masses[10, 12]
    negative = fp.Density.from_masses(P.grid, masses)
    for metric in ("L1", *SLICED, "W1"):
        with pytest.raises(fp.InvalidInput, match=r"negative mass of 0.001 in 1 cells"):
            distance(negative, P.coarsened(1), metric) if metric != "W1" else distance(negative, [[0.0, 0.0]], metric)


# what every metric obeys


shares = arrays(float, (5, 4), elements=st.floats(1e-3, 1.0))


def stepwise(values):
    walls = {"ends": "reflecting"}
    grid = fp.Grid(u=fp.Axis.uniform(0, 5, 5, **walls), w=fp.Axis.uniform(0, 8, 4, **walls))
    return fp.Density.from_masses(grid, values / values.sum())


@needs_pot
@settings(max_examples=8, deadline=None)
@given(shares, shares, shares)
def test_inequalities_between_metrics_of_two_coordinates(a, b, c):
    p, q, r = stepwise(a), stepwise(b), stepwise(c)
    metrics = ("L1", "TV", "KL", "hellinger", "W1", "W2", "MMD", *SLICED)
    d = {metric: distance(p, q, metric) for metric in metrics}
    for metric in metrics:
        assert distance(p, p, metric) == pytest.approx(0.0, abs=1e-7)
        if metric != "KL":
            assert distance(q, p, metric) == pytest.approx(d[metric], rel=1e-7, abs=1e-9)
        if metric not in ("KL", "TV", "MMD"):  # the width of MMD's kernel depends on the pair
            assert d[metric] <= distance(p, r, metric) + distance(r, q, metric) + 1e-7
    assert d["TV"] == d["L1"] / 2
    assert d["W1"] <= d["W2"] + 1e-9
    assert d["sliced W1"] <= d["sliced W2"] + 1e-9
    assert 2 * d["TV"] ** 2 <= d["KL"] + 1e-12
    assert d["hellinger"] ** 2 <= d["TV"] + 1e-12


# binned metrics and the mean discrepancy


def test_divergences_between_gaussians():
    inverse = np.linalg.inv(B)
    away = B_MEAN - A_MEAN
    ratio = np.log(np.linalg.det(B) / np.linalg.det(A))
    assert distance(P, Q, "KL") == pytest.approx(0.5 * (np.trace(inverse @ A) + away @ inverse @ away - 2 + ratio))
    half = (A + B) / 2
    overlap = (np.linalg.det(A) * np.linalg.det(B)) ** 0.25 / np.linalg.det(half) ** 0.5
    overlap *= np.exp(-away @ np.linalg.inv(half) @ away / 8)
    assert distance(P, Q, "hellinger") == pytest.approx(np.sqrt(1 - overlap), rel=1e-9)
    box = fp.Grid(**dict.fromkeys("xyz", (-7, 7, 20)))
    p, q = (gaussian(box, np.eye(3), np.full(3, m)).density for m in (0.0, 0.3))
    assert distance(p, q, "KL") == pytest.approx(3 * 0.3**2 / 2, rel=1e-6)
    assert distance(p, q, "TV") == pytest.approx(2 * stats.norm.cdf(np.sqrt(3) * 0.15) - 1, rel=1e-2)


def test_samples_are_held_against_integrals_over_cells():
    errors, control = [], []
    for cells in (14, 42):
        p = gaussian(fp.Grid(**dict.fromkeys("xyz", (-6, 6, cells))), np.eye(3), np.zeros(3)).density
        edges = np.diff(stats.norm.cdf(p.grid.faces[0]))
        exact = np.einsum("i,j,k->ijk", edges, edges, edges)
        errors.append(np.abs(cell_integrals(p) - exact).sum())
        control.append(np.abs(p.masses - exact).sum())
    assert np.log(errors[0] / errors[1]) / np.log(3) == pytest.approx(4.0, abs=0.2)
    assert np.log(control[0] / control[1]) / np.log(3) == pytest.approx(2.0, abs=0.2)
    x = np.random.default_rng(5).normal(size=(5000, 3))
    counts = np.histogramdd(x, p.grid.faces)[0] / len(x)
    assert distance(x, p, "L1") == pytest.approx(np.abs(counts - exact).sum(), abs=1e-3)


def test_mmd_between_gaussians():
    eye = np.eye(2)
    p, q = gaussian(plane(80, 7.0), eye, np.zeros(2)), gaussian(plane(80, 7.0), eye, np.array([0.8, 0.0]))
    h = 2 * stats.norm.ppf(0.75)  # the interquartile range of every marginal

    def kernel(shift):  # <exp(-R/h)>, R the distance of two draws: Rice's law of width sqrt 2
        bulk = lambda r: r / 2 * np.exp(-((r - shift) ** 2) / 4 - r / h) * special.ive(0, r * shift / 2)  # noqa: E731
        return integrate.quad(bulk, 0, 30)[0]

    found = distance(p, q, "MMD")
    assert found == pytest.approx(np.sqrt(2 * kernel(0.0) - 2 * kernel(0.8)), rel=2e-3)
    assert found != pytest.approx(np.sqrt(2 * kernel(0.0) - 2 * kernel(0.9)), rel=3e-2)


def test_mmd_of_two_densities_on_a_large_grid_takes_a_second():
    p, q = (gaussian(plane(128), *law).density for law in ((A, A_MEAN), (B, B_MEAN)))
    started = time.process_time()
    assert distance(p, q, "MMD") == pytest.approx(distance(P, Q, "MMD"), rel=5e-3)
    assert time.process_time() - started < 8.0  # 1.2 s on an idle core
    assert distance(p, p, "MMD") == 0.0


# comparisons


@pytest.mark.parametrize("metric", ["hellinger", *SLICED])
def test_the_right_law_agrees_and_a_wrong_one_does_not(metric):
    x = np.random.default_rng(11).multivariate_normal(A_MEAN, A, 2000)
    p = P.coarsened(2) if metric == "hellinger" else P
    right = compare(p, x, metric, resamples=40)
    assert right.agrees
    assert right.interval[0] <= right.value <= right.interval[1]
    wrong = compare(p, x @ [[1.0, 0.15], [-0.15, 1.0]] + 0.3, metric, resamples=40)
    assert not wrong.agrees
    assert wrong.p_value < 0.03
    again = compare(p, x, metric, resamples=40)
    assert (again.interval, again.noise_floor) == (right.interval, right.noise_floor)


@pytest.mark.parametrize(("metric", "n"), [("sliced W1", 60), ("sliced W2", 1000)])
def test_simulated_noise_has_the_law_of_real_samples(metric, n):
    rng, p = np.random.default_rng(n), gaussian(plane(40, 7.0), A, A_MEAN).density
    real = np.array([distance(rng.multivariate_normal(A_MEAN, A, n), p, metric) for _ in range(20)])
    law, samples = paired(p, rng.multivariate_normal(A_MEAN, A, n))
    simulated = same_law(law, n, metric, 80, np.random.default_rng(1))
    assert stats.ks_2samp(real, simulated).pvalue > 1e-3
    other = same_law(law, 3 * n, metric, 80, np.random.default_rng(2))  # the check notices another n
    assert stats.ks_2samp(real, other).pvalue < 1e-3
    around = resampled(law, samples, metric, 20, np.random.default_rng(3))
    index = np.random.default_rng(3).integers(n, size=n)
    assert around[0] == pytest.approx(distance(samples.positions[index], samples.positions, metric), rel=1e-9)


# fewer cells


def test_coarsened_densities_are_the_law_on_fewer_cells():
    half, exact = P.coarsened(2), gaussian(plane(32), A, A_MEAN).density
    assert half.grid.shape == (32, 32)
    assert half.log_values == pytest.approx(exact.log_values, abs=1e-9)
    assert half.covariance() == pytest.approx(A, abs=1e-9)
    third = gaussian(plane(63), A, A_MEAN).density
    assert third.coarsened(3).log_values == pytest.approx(third.log_values[1::3, 1::3], abs=1e-9)
    with pytest.raises(fp.InvalidInput, match="u has 64 cells, which do not merge by 3 into 3 or more"):
        P.coarsened(3)
    with pytest.raises(fp.InvalidInput, match="factor is 1.5"):
        P.coarsened(1.5)
