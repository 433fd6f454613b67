"""Starts: masses that are right to rounding where they are resolved, and what is refused."""

import numpy as np
import pytest
from scipy.special import ndtr

import fpsolve as fp
from fpsolve.initial import masses
from fpsolve.particles.draws import draw
from fpsolve.starts import Gaussian, Point

LINE = fp.Grid(x=(-3, 3, 400))
PLANE = fp.Grid(x=(-6, 6, 96), y=fp.Axis.sinh(-40, 40, 160))
RING = fp.Grid(x=fp.Axis.uniform(-np.pi, np.pi, 64, ends="periodic"))


def moments(m, grid):
    x = grid.nodes[0]
    mean = float(m @ x)
    return mean, float(m @ (x - mean) ** 2)


AXES = [fp.Axis.uniform(-4, 2, 99), fp.Axis.sinh(-30, 30, 400), fp.Axis.tanh(-9, 9, 800, reach=4)]


@pytest.mark.parametrize("axis", AXES, ids=lambda axis: axis.kind)
def test_a_gaussian_is_spectral_on_any_map(axis):
    mean, var = moments(masses(Gaussian(-1, 0.3), fp.Grid(x=axis)), fp.Grid(x=axis))
    assert (mean, var) == pytest.approx((-1, 0.09), abs=2e-12)


def test_weights_as_distances_between_faces_would_be_noticed():
    grid = fp.Grid(x=fp.Axis.sinh(-30, 30, 400))
    wrong = np.diff(grid.faces[0]) * Gaussian(-1, 0.3).density(grid.nodes[0])
    assert abs(wrong.sum() - 1) > 1e-5


def test_a_correlated_gaussian_in_the_plane():
    cov = np.array([[1.0, 0.4], [0.4, 0.5]])
    m = masses(Gaussian((0.5, -0.3), cov=cov), PLANE)
    x, y = np.broadcast_arrays(*PLANE.mesh())
    assert m.shape == PLANE.shape
    assert (m.sum(), (m * x).sum(), (m * y).sum()) == pytest.approx((1, 0.5, -0.3), abs=1e-6)
    assert (m * (x - 0.5) * (y + 0.3)).sum() == pytest.approx(0.4, abs=1e-6)


def test_a_gaussian_wraps_round_a_ring():
    m = masses(Gaussian(3.0, 0.5), RING)
    assert m.sum() == pytest.approx(1, abs=1e-14)
    assert np.exp(1j * RING.nodes[0]) @ m == pytest.approx(np.exp(3j - 0.125), abs=1e-14)
    assert masses(Gaussian(3.0 + 2 * np.pi, 0.5), RING) == pytest.approx(m, abs=1e-15)


def test_functions_densities_and_arrays_give_the_same_masses():
    expected = masses(Gaussian(0, 0.4), LINE)
    by_function = masses(lambda x: np.exp(-(x**2) / 0.32) / np.sqrt(0.32 * np.pi), LINE)
    p = fp.Density.from_masses(LINE, expected)
    assert by_function == pytest.approx(expected, abs=1e-16)
    assert np.array_equal(masses(p, LINE), expected)
    assert np.array_equal(masses(expected, LINE), expected)
    assert masses(p, fp.Grid(x=(-3, 3, 300))).sum() == pytest.approx(1, abs=1e-7)


def test_row_26_a_negative_density_is_refused_with_its_minimum():
    with pytest.raises(fp.InvalidInput, match=r"negative in \d+ cells \(minimum -0\.47\d* at x=-2\.9"):
        masses(lambda x: x / 6.25, LINE)
    m = masses(Gaussian(0, 0.4), LINE).copy()
    m[7] = -1e-18
    with pytest.raises(fp.InvalidInput, match="is negative in 1 cells"):
        masses(m, LINE)
    assert masses(fp.Density.from_masses(LINE, m), LINE)[7] == -1e-18  # a solver's rounding, kept as it is


def test_row_27_a_mass_that_is_not_one_is_refused_unless_asked_for():
    twice = lambda x: 2 * Gaussian(0, 0.4).density(x)  # noqa: E731
    with pytest.raises(fp.InvalidInput, match=r"mass is 2, not 1.*normalize=True"):
        masses(twice, LINE)
    assert masses(twice, LINE, normalize=True).sum() == pytest.approx(1, abs=1e-15)
    with pytest.raises(fp.InvalidInput, match=r"the initial mass is 0\.5"):  # half of it beyond the grid
        masses(Gaussian(-3, 0.4), LINE)
    with pytest.raises(fp.InvalidInput, match="narrower than its cells"):
        masses(Gaussian(0, 1e-3), LINE)


def test_row_28_nothing_but_zeros_is_refused():
    with pytest.raises(fp.InvalidInput, match="0 in every cell"):
        masses(lambda x: 0.0 * x, LINE)
    with pytest.raises(fp.InvalidInput, match="0 in every cell"):
        masses(Gaussian(100, 0.1), LINE, normalize=True)


def test_row_29_a_point_between_nodes_says_how_far_the_mean_shifts():
    grid = fp.Grid(x=(0, 1, 10))
    with pytest.warns(fp.ResolutionWarning, match=r"mean shifts, that of x by 0\.02 \(to 0\.35, cell 3\)"):
        m = masses(Point(0.33), grid)
    assert np.flatnonzero(m) == [3]
    assert m[3] == 1.0
    assert masses(Point(np.nextafter(grid.nodes[0][3], 1)), grid)[3] == 1.0  # on a node to rounding: no warning
    for outside in (-0.01, 1.01):
        with pytest.raises(fp.InvalidInput, match="outside the grid"):
            masses(Point(outside), grid)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Gaussian(0), "give one of the two"),
        (lambda: Gaussian(0, 1, 1), "give one of the two"),
        (lambda: Gaussian(0, 0.0), "positive, finite deviation"),
        (lambda: Gaussian(np.nan, 1.0), "mean is"),
        (lambda: Gaussian((0, 0), cov=[[1, 2], [2, 1]]), "smallest eigenvalue -1"),
        (lambda: Gaussian((0, 0), cov=[[1, 0.2], [0.1, 1]]), "differ by 0.1"),
        (lambda: Point(np.inf), "finite number per axis"),
        (Point, "one finite number per axis"),
        (lambda: masses(Gaussian((0, 0), 1), LINE), "2 coordinates"),
        (lambda: masses(Point(0, 0), LINE), "2 coordinates"),
        (lambda: masses(np.ones(3) / 3, LINE), r"shape \(3,\)"),
        (lambda: masses("start", LINE), "give a Gaussian"),
        (lambda: masses(np.full(400, np.nan), LINE), "not finite"),
        (lambda: masses(lambda x, y: x, LINE), "takes 2 coordinates"),
        (lambda: draw(Gaussian(0, 1), LINE, 0, 1), "n is 0"),
        (lambda: draw(Gaussian(0, 1), LINE, 9, -1), "seed is -1"),
        (lambda: draw(Gaussian(3, 1), fp.Grid(x=fp.Axis.log(1e-3, 1e3, 9)), 9, 1), "0.00135 of .* beyond an end of x"),
    ],
)
def test_wrong_starts_are_refused(build, message):
    with pytest.raises(fp.InvalidInput, match=message):
        build()


def test_starts_are_frozen():
    start = Gaussian([0.0, 1.0], std=[1.0, 2.0])
    with pytest.raises(AttributeError):
        start.mean = 2
    with pytest.raises(ValueError, match="read-only"):
        start.covariance[0, 0] = 5
    assert start.mean == (0.0, 1.0)


def ks(sample, cdf):
    sample = np.sort(sample)
    steps = np.arange(sample.size + 1) / sample.size
    return max(np.max(cdf(sample) - steps[:-1]), np.max(steps[1:] - cdf(sample))) * np.sqrt(sample.size)


def test_particles_are_drawn_from_the_start():
    n = 20_000
    normal = lambda x: ndtr((x - 0.3) / 0.5)  # noqa: E731
    assert ks(draw(Gaussian(0.3, 0.5), LINE, n, 1)[:, 0], normal) < 1.95
    assert ks(draw(lambda x: Gaussian(0.3, 0.5).density(x), LINE, n, 2)[:, 0], normal) < 1.95
    assert ks(draw(Gaussian(0.3, 0.55), LINE, n, 1)[:, 0], normal) > 1.95  # the same check fails on another law
    p = fp.stationary(fp.Problem(fp.Process(lambda x: -x, 1.0), fp.Grid(x=(-9, 9, 200))))
    assert ks(draw(p, p.grid, n, 3)[:, 0], ndtr) < 1.95
    assert np.all(draw(Point(0.123), LINE, 5, 0) == 0.123)


def test_draws_repeat_with_their_seed_and_stay_inside():
    wall = fp.Grid(x=fp.Axis.uniform(0, 6, 60, ends=("reflecting", "open")))
    x = draw(Gaussian(1.0, 0.2), wall, 1_000_000, 4)
    assert x.min() > 0
    assert np.array_equal(x[:1000], draw(Gaussian(1.0, 0.2), wall, 1000, 4))
    assert not np.array_equal(x[:1000], draw(Gaussian(1.0, 0.2), wall, 1000, 5))
    assert np.cov(draw(Gaussian((0, 0), cov=[[1, 0.4], [0.4, 0.5]]), PLANE, 50_000, 6).T) == pytest.approx(
        np.array([[1, 0.4], [0.4, 0.5]]), abs=0.03
    )
