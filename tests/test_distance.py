"""Distances: closed forms between Gaussians, scipy's statistics on samples, the inequalities between metrics."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from scipy.special import gammaln

import fpsolve as fp
from fpsolve.distance import METRICS, distance
from fpsolve.errors import DegenerateWarning, InvalidInput
from fpsolve.values.exact import ExactDensity
from fpsolve.values.swarm import Swarm

LINE = fp.Grid(x=(-12, 12, 400))
OTHER = fp.Grid(x=fp.Axis.sinh(-14, 13, 351, scale=1.0))
HEAVY = fp.Grid(x=fp.Axis.sinh(-1e4, 1e4, 801, scale=0.5))


def normal(mean=0.0, std=1.0, grid=LINE):
    return ExactDensity(lambda x: -((x - mean) ** 2) / (2 * std**2), grid)


def student(nu, mean=0.0, grid=HEAVY):
    return ExactDensity(lambda x: -(nu + 1) / 2 * np.log1p((x - mean) ** 2 / nu), grid)


@cache
def between_normals(mean, std):
    """Closed forms for N(0, 1) against N(mean, std^2); TV and W1 by scipy's own quadrature and densities."""
    x = np.linspace(-25, 25, 500_001)
    step = x[1] - x[0]
    other = stats.norm(mean, std)
    area = np.abs(stats.norm.pdf(x) - other.pdf(x)).sum() * step
    gaps = np.abs(stats.norm.cdf(x) - other.cdf(x))
    overlap = np.sqrt(2 * std / (1 + std**2)) * np.exp(-(mean**2) / (4 * (1 + std**2)))
    return {
        "L1": area,
        "TV": area / 2,
        "KL": np.log(std) + (1 + mean**2) / (2 * std**2) - 0.5,
        "hellinger": np.sqrt(1 - overlap),
        "W1": gaps.sum() * step,
        "W2": np.hypot(mean, std - 1),
        "KS": gaps.max(),
    }


SIDES = [
    ("one grid", lambda m, s: (normal().density, normal(m, s).density)),
    ("two grids", lambda m, s: (normal().density, normal(m, s, OTHER).density)),
    ("closed form on another grid", lambda m, s: (normal().density, normal(m, s, OTHER))),
]


@pytest.mark.parametrize(("mean", "std"), [(0.5, 1.3), (-1.0, 1.0), (0.0, 0.7)])
@pytest.mark.parametrize("sides", [pytest.param(f, id=name) for name, f in SIDES])
def test_gaussians_are_as_far_apart_as_the_closed_forms_say(mean, std, sides):
    p, q = sides(mean, std)
    expected = between_normals(mean, std)
    tolerance = dict(L1=3e-4, TV=2e-4, KL=1e-8, hellinger=1e-8, W1=5e-6, W2=5e-7, KS=5e-6)
    for metric, value in expected.items():
        assert distance(p, q, metric) == pytest.approx(value, abs=tolerance[metric]), metric
    wrong = between_normals(mean + 0.01, std)
    assert all(abs(distance(p, q, metric) - wrong[metric]) > tolerance[metric] for metric in ("KL", "hellinger", "W2"))


def test_kl_of_laws_that_hardly_differ_keeps_its_digits():
    for shift, tolerance in ((1e-3, 1e-6), (1e-7, 1e-6), (1e-9, 1e-4)):
        p, q = normal().density, normal(shift).density
        assert distance(p, q, "KL") == pytest.approx(shift**2 / 2, rel=tolerance, abs=0)
        assert distance(p, q, "hellinger") == pytest.approx(shift / np.sqrt(8), rel=tolerance, abs=0)


def test_mass_beyond_the_grid_is_counted():
    p = student(0.5, grid=fp.Grid(x=fp.Axis.sinh(-1e3, 1e3, 301))).density
    assert p.beyond > 0.01
    assert distance(p, p.on_grid(), "L1") == pytest.approx(2 * p.beyond, rel=1e-10)
    assert distance(p, p.on_grid(), "KL") == np.inf
    assert distance(p.on_grid(), p, "KL") == pytest.approx(-np.log1p(-p.beyond), rel=1e-8)
    wide = student(0.5, grid=fp.Grid(x=fp.Axis.sinh(-1e8, 1e8, 801))).density
    assert distance(p, wide, "TV") < 1e-6  # the continuation is the wider law's own tail


@pytest.mark.parametrize("nu", [2.5, 3.0, 5.0])
def test_a_shifted_heavy_tail_has_moved_by_its_shift(nu):
    for metric in ("W1", "W2"):
        assert distance(student(nu).density, student(nu, 0.3).density, metric) == pytest.approx(0.3, rel=1e-6)
    assert distance(student(nu), student(nu, 0.3), "KS") == pytest.approx(2 * stats.t.cdf(0.15, nu) - 1, abs=1e-8)


@pytest.mark.parametrize("nu", [1.2, 1.5, 3.0])
def test_the_tail_beyond_the_grid_moves_too(nu):
    mean_size = 2 * np.sqrt(nu / np.pi) * np.exp(gammaln((nu + 1) / 2) - gammaln(nu / 2)) / (nu - 1)
    assert distance(student(nu), [0.0], "W1") == pytest.approx(mean_size, rel=1e-5)


@pytest.mark.parametrize(("nu", "metric"), [(1.0, "W1"), (1.5, "W2"), (0.8, "W1"), (2.0, "W2")])
def test_transport_is_infinite_where_the_moment_is(nu, metric):
    p = student(nu).density
    with pytest.warns(DegenerateWarning, match=rf"{metric} is infinite: b has p ~ \|x\|\^-{nu + 1:.4g}"):
        assert distance(normal(grid=HEAVY), p, metric) == np.inf
    with pytest.warns(DegenerateWarning, match="infinite"):
        assert distance(p, np.array([0.0, 1.0]), metric) == np.inf


def test_the_end_at_zero_of_a_log_axis_has_every_moment():
    grid = fp.Grid(v=fp.Axis.log(1e-12, 1e6, 600))
    p = ExactDensity(lambda v: -0.9 * np.log(v) - v, grid)  # Gamma(0.1)
    q = ExactDensity(lambda v: -0.9 * np.log(v) - v / 2, grid)
    assert distance(p, q, "W1") == pytest.approx(0.1, rel=1e-6)
    assert distance(p, q, "W2") == pytest.approx(np.sqrt(0.1 * 1.1), rel=1e-5)


# samples


@pytest.mark.parametrize("n", [1, 10, 3000])
def test_ks_is_scipys(n):
    x, y = np.random.default_rng(n).normal(0.1, 1.1, n), np.random.default_rng(n + 1).normal(size=2 * n + 1)
    fine = normal(grid=fp.Grid(x=(-12, 12, 2400)))
    assert distance(x, fine, "KS") == pytest.approx(stats.kstest(x, "norm").statistic, abs=1e-8)
    assert distance(x, y, "KS") == pytest.approx(stats.ks_2samp(x, y).statistic, abs=1e-14)
    assert distance(np.round(x, 1), np.round(y, 1), "KS") == pytest.approx(
        stats.ks_2samp(np.round(x, 1), np.round(y, 1)).statistic, abs=1e-14
    )


def test_w1_of_samples_is_scipys_and_w2_that_of_the_sorted_pairs():
    rng = np.random.default_rng(0)
    x, y, z = rng.normal(size=500), rng.exponential(size=733), rng.exponential(size=500)
    assert distance(x, y, "W1") == pytest.approx(stats.wasserstein_distance(x, y), rel=1e-12)
    assert distance(x, z, "W2") == pytest.approx(np.sqrt(np.mean((np.sort(x) - np.sort(z)) ** 2)), rel=1e-12)


@pytest.mark.parametrize("place", [0.0, 0.7, -3.0])
def test_transport_to_a_point_is_a_moment_about_it(place):
    p, z = normal(), abs(place)
    expected = 2 * stats.norm.pdf(z) + z * (2 * stats.norm.cdf(z) - 1)  # <|X - place|>
    assert distance(p, [place], "W1") == pytest.approx(expected, rel=2e-6)
    assert distance([place], p, "W2") == pytest.approx(np.hypot(1.0, place), rel=1e-6)


def test_w1_from_samples_to_a_density_is_the_area_between_their_distributions():
    x = np.sort(np.random.default_rng(3).normal(0.2, 1, 40))
    fine = np.linspace(-12, 12, 1_200_001)
    area = np.abs(np.searchsorted(x, fine, side="right") / 40 - stats.norm.cdf(fine)).sum() * (fine[1] - fine[0])
    assert distance(x, normal(), "W1") == pytest.approx(area, abs=2e-5)


def test_binned_metrics_count_samples_in_the_densitys_cells():
    p, x = normal().density, np.random.default_rng(4).normal(size=2000)
    shares = np.histogram(x, p.grid.faces[0])[0] / x.size
    cells = np.diff(stats.norm.cdf(p.grid.faces[0]))
    assert distance(x, p, "L1") == pytest.approx(np.abs(shares - cells).sum(), abs=1e-6)
    some = shares > 0
    assert distance(x, p, "KL") == pytest.approx(np.sum(shares[some] * np.log(shares[some] / cells[some])), abs=1e-6)
    assert distance(p, x, "KL") == np.inf
    far = np.append(x, [-50.0, 50.0])
    assert distance(far, p, "TV") == pytest.approx(distance(x, p, "TV"), abs=3e-3)
    assert distance(np.full(10, 50.0), p, "TV") == pytest.approx(1.0, abs=1e-12)


def test_the_documented_bias_of_binning():
    p = fp.stationary(fp.Problem(fp.Process(0.0, 1.0), fp.Grid(x=fp.Axis.uniform(0, 1, 50, ends="reflecting"))))
    x, n, c = np.random.default_rng(5).random((40, 5000)), 5000, 50
    expected = {"L1": np.sqrt(2 * c / (np.pi * n)), "KL": (c - 1) / (2 * n), "hellinger": np.sqrt(c / (8 * n))}
    for metric, value in expected.items():
        assert np.mean([distance(row, p, metric) for row in x]) == pytest.approx(value, rel=0.05), metric


def test_mmd_is_the_double_sum_over_pairs():
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=120), rng.normal(0.4, 1.2, size=90)

    def pairs(a, b, h):
        return np.exp(-np.abs(a[:, None] - b) / h).mean()

    def spread(z):
        return np.diff(np.sort(z)[[int(np.ceil(z.size / 4)) - 1, int(np.ceil(3 * z.size / 4)) - 1]])[0]

    h = (spread(x) + spread(y)) / 2
    expected = np.sqrt(pairs(x, x, h) + pairs(y, y, h) - 2 * pairs(x, y, h))
    assert distance(x, y, "MMD") == pytest.approx(expected, rel=1e-9)
    flat = distance(np.stack([x, 0 * x], axis=1), np.stack([y, 0 * y], axis=1), "MMD")
    half = np.sqrt(pairs(x, x, h / 2) + pairs(y, y, h / 2) - 2 * pairs(x, y, h / 2))  # four ranges, two of them 0
    assert flat == pytest.approx(half, rel=1e-6)


def test_mmd_between_densities_is_its_integral():
    x = np.linspace(-14, 14, 4001)
    apart = stats.norm.pdf(x) - stats.norm.pdf(x, 0.5, 1.3)
    h = 0.5 * (2 * stats.norm.ppf(0.75)) * 2.3
    square = apart @ np.exp(-np.abs(x[:, None] - x) / h) @ apart * (x[1] - x[0]) ** 2
    assert distance(normal(), normal(0.5, 1.3), "MMD") == pytest.approx(np.sqrt(square), abs=1e-5)


def test_swarms_are_taken_at_a_time_without_their_lost_replicas():
    x = np.random.default_rng(7).normal(size=(2, 400, 1)) + np.array([5.0, 0.0])[:, None, None]
    x[1, :50] = 1e6
    lost = np.where(np.arange(400) < 50, 1.0, np.inf)
    swarm = Swarm(("x",), [0.0, 1.0], x, lost_at=lost)
    assert distance(normal(), swarm, "W1") == pytest.approx(distance(normal(), x[1, 50:, 0], "W1"), rel=1e-12)
    assert distance(swarm, normal(), "W1", t=0.0) == pytest.approx(distance(x[0, :, 0], normal(), "W1"), rel=1e-12)
    assert distance(swarm, swarm, "W1") == 0.0


def test_samples_on_a_ring_are_brought_into_its_period():
    ring = fp.Grid(x=fp.Axis.uniform(0, 1, 60, ends="periodic"))
    p = fp.stationary(fp.Problem(fp.Process(1.0, 1.0), ring))
    x = np.random.default_rng(8).random(500)
    for metric in METRICS:
        moved = distance(x + np.arange(500) % 7 - 3, p, metric)
        assert moved == pytest.approx(distance(x, p, metric), abs=1e-12)


# several dimensions


def test_gaussians_of_two_coordinates():
    plane = fp.Grid(u=(-7, 7, 90), w=(-8, 8, 100))
    p = ExactDensity(lambda u, w: -(u**2) / 2 - w**2 / 2, plane)
    q = ExactDensity(lambda u, w: -((u - 0.6) ** 2) / 2 - (w + 0.3) ** 2 / 2, plane)
    square = 0.6**2 + 0.3**2
    assert distance(p, q, "KL") == pytest.approx(square / 2, rel=1e-9)
    assert distance(p, q, "hellinger") == pytest.approx(np.sqrt(1 - np.exp(-square / 8)), rel=1e-9)
    assert distance(p, q, "TV") == pytest.approx(2 * stats.norm.cdf(np.sqrt(square) / 2) - 1, abs=2e-4)
    x = p.density.sample(20_000, seed=1)
    assert distance(x, p, "TV") < distance(x, q, "TV")
    swarm = Swarm(("w", "u"), [0.0], x[None, :, ::-1])
    with pytest.raises(InvalidInput, match=r"a has the coordinates \('w', 'u'\) and b \('u', 'w'\)"):
        distance(swarm, p, "TV")
    for metric in ("KS", "W1", "W2"):
        with pytest.raises(InvalidInput, match=f"{metric} needs one dimension, not 2"):
            distance(p, q, metric)
    with pytest.raises(InvalidInput, match="compared on one grid"):
        distance(p, q.on(fp.Grid(u=(-7, 7, 80), w=(-8, 8, 100))), "L1")


# what every metric obeys


shares = arrays(float, 12, elements=st.floats(1e-6, 1.0))


def stepwise(values):
    return fp.Density.from_masses(fp.Grid(x=fp.Axis.uniform(0, 3, 12, ends="reflecting")), values / values.sum())


@settings(max_examples=6, deadline=None)
@given(shares, shares, shares)
def test_inequalities_between_metrics(a, b, c):
    p, q, r = stepwise(a), stepwise(b), stepwise(c)
    d = {metric: distance(p, q, metric) for metric in METRICS}
    for metric in METRICS:
        assert d[metric] >= 0.0
        assert distance(p, p, metric) == pytest.approx(0.0, abs=1e-12)
        if metric != "KL":
            assert distance(q, p, metric) == pytest.approx(d[metric], rel=1e-9, abs=1e-9)
        if metric in ("L1", "hellinger", "KS", "W2"):  # the width of MMD's kernel depends on the pair
            assert d[metric] <= (distance(p, r, metric) + distance(r, q, metric)) * (1 + 1e-6) + 1e-9
    assert d["TV"] == d["L1"] / 2
    assert d["TV"] <= 1.0
    assert d["hellinger"] ** 2 <= d["TV"] + 1e-12
    assert d["TV"] <= np.sqrt(2) * d["hellinger"] + 1e-12
    assert 2 * d["TV"] ** 2 <= d["KL"] + 1e-12
    assert d["W1"] <= d["W2"] * (1 + 1e-6) + 1e-9
    assert d["KS"] <= d["TV"] + np.abs(np.diff(np.append(p.masses - q.masses, 0.0))).max() / 12  # of the interpolation


points = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30)


@settings(max_examples=25, deadline=None)
@given(points, points, st.floats(0.01, 100))
def test_samples_scale_and_exchange(x, y, scale):
    x, y = np.array(x), np.array(y)
    for metric in ("W1", "W2", "KS"):
        d = distance(x, y, metric)
        assert distance(y, x, metric) == pytest.approx(d, rel=1e-9, abs=1e-12)
        assert distance(x, x, metric) == 0.0
        grown = distance(scale * x, scale * y, metric)
        assert grown == pytest.approx(d * (1.0 if metric == "KS" else scale), rel=1e-9, abs=1e-9)
    assert distance(x, y, "W1") <= distance(x, y, "W2") * (1 + 1e-9) + 1e-12


# what cannot be compared


NEAREST = [("Ks", "KS"), ("wasserstein1", "W1"), ("Helinger", "hellinger"), ("MDD", "MMD")]


@pytest.mark.parametrize(("name", "near"), NEAREST)
def test_unknown_metrics_get_the_nearest_name(name, near):
    with pytest.raises(InvalidInput, match=f"metric is '{name}'; the nearest is '{near}'"):
        distance(normal(), normal(), name)


def test_sides_that_cannot_be_compared_are_refused():
    p = normal().density
    x = np.zeros(5)
    half = fp.Density.from_masses(LINE, 0.5 * p.masses)
    moved = p.masses.copy()
    moved[[3, 9]] += [-1e-3, 1e-3]
    negative = fp.Density.from_masses(LINE, moved)
    for message, pair, metric in [
        ("both sides are samples", (x, x), "L1"),
        ("a is a density of mass 0.5", (half, p), "KS"),
        ("negative mass of 0.001 in 1 cells", (p, negative), "KL"),
        ("b has 1 samples of 3 that are not finite, the first at index 1", (p, [0.0, np.nan, 1.0]), "KS"),
        ("give a Density, an ExactDensity, a Swarm", (p, "swarm"), "KS"),
        ("give a Density, an ExactDensity, a Swarm", (p, []), "KS"),
        ("a has 1 coordinates and b has 2", (p, np.zeros((5, 2))), "MMD"),
    ]:
        with pytest.raises(InvalidInput, match=message):
            distance(*pair, metric)


def test_round_off_below_zero_is_no_obstacle():
    p = normal().density
    masses = p.masses - np.where(np.arange(400) == 3, 1e-15, 0)
    noisy = fp.Density.from_masses(LINE, masses)
    for metric in METRICS:
        assert distance(noisy, normal(0.1), metric) == pytest.approx(distance(p, normal(0.1), metric), abs=1e-7)
