"""Stationary densities in two and three dimensions: the manufactured table, tails, wells far apart, nested grids."""

import warnings

import numpy as np
import planes
import pytest

import fpsolve as fp

TABLE = {  # L1 at 32, 64 and 128 cells a side
    "a": (planes.linear, (1.4e-2, 3.5e-3, 8.75e-4)),
    "b, condition 100": (lambda n: planes.rotating(n, 100), (1.5e-3, 1.4e-4, 7.55e-6)),
    "b, condition 10": (lambda n: planes.rotating(n, 10), (6.3e-5, 3.8e-6, 2.35e-7)),
    "c": (lambda n: planes.rotating(n, 10, 1.0), (0.155, 4.2e-2, 1.1e-2)),
    "d": (lambda n: planes.rotating(n, 100, 0.02), (0.12, 0.16, 9.15e-2)),
}
DRIVEN = "cd"  # whose currents these grids do not resolve: they warn


def solved(given, **options):
    """The density, and the warnings on the way."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        p = fp.stationary(given.problem, **options)
    assert all(issubclass(one.category, fp.FpsolveWarning) for one in told)
    return p, told


@pytest.mark.parametrize("test", list(TABLE))
def test_the_manufactured_table(test):
    make, bounds = TABLE[test]
    errors = []
    for cells, bound in zip((32, 64, 128), bounds, strict=True):
        given = make(cells)
        p, told = solved(given)
        errors.append(given.error(p))
        assert errors[-1] <= bound
        assert p.values.min() > 0
        assert abs(p.mass - 1) <= 1e-13
        L = fp.generator(given.problem)
        change = L.apply(p.masses.ravel())
        assert abs(change.sum()) <= 1e-15 * np.abs(L.rates().diagonal() * p.masses.ravel()).sum()
        assert np.abs(change).max() <= 1e-13 * np.abs(L.rates().diagonal() * p.masses.ravel()).max()
        assert bool(told) == (test in DRIVEN)
        if told and errors[-1] > 0.02:
            assert told[0].category is fp.ResolutionWarning
    expected, within = (2.0, 0.1) if test == "a" else (4.0, 0.3)
    if test not in DRIVEN:
        assert planes.order(errors)[-1] == pytest.approx(expected, abs=within)


def test_another_drift_misses_the_table():
    given = planes.linear(64)
    other = planes.linear(64, matrix=planes.LINEAR + np.diag([0.02, 0.0]))
    assert given.error(fp.stationary(other.problem.replace(grid=given.problem.grid))) > 4e-3


@pytest.mark.parametrize("cells", [32, 33, 64, 65, 128])
def test_a_current_beyond_the_grid_is_told(cells):
    """Test e, condition 100 and strong current: the density is in the wrong place altogether."""
    given = planes.rotating(cells, 100, 1.0)
    p, told = solved(given)
    assert given.error(p) > 1.9
    assert told[0].category is fp.ResolutionWarning
    assert "the current is not resolved: half the cells" in str(told[0].message) or "in the one cell" in str(
        told[0].message
    )


@pytest.mark.parametrize("cells", [64, 65, 256])
def test_a_weak_current_under_a_narrow_tensor_is_told_while_it_is_not_resolved(cells):
    """Test d: 16 % at 64^2, and still 3 % at 256^2, with small steps and small affinities."""
    with pytest.warns(fp.ResolutionWarning, match=r"half the cells give a density 0\.\d+ away \(L1\).*fp\.refined"):
        fp.stationary(planes.rotating(cells, 100, 0.02).problem)


def test_a_resolved_current_that_meets_the_end_of_the_grid_is_no_divergence():
    """Test c on a fine grid: the current piles up, 1e-4 of the peak, against the ends of its box."""
    given = planes.rotating(192, 10, 1.0)
    with pytest.warns(fp.TruncationWarning) as told:
        p = fp.stationary(given.problem)
    assert given.error(p) < 6e-3
    assert any("piles up in the last" in str(one.message) for one in told)
    assert {one.filename for one in told} == {__file__}


def test_three_dimensions():
    errors = []
    for make in (planes.equilibrium_in_space, planes.linear_in_space):
        rows = []
        for cells in (16, 24):
            given = make(cells)
            p = fp.stationary(given.problem)
            assert p.values.min() > 0
            assert abs(p.mass - 1) <= 1e-13
            rows.append(given.error(p))
        errors.append(rows)
    assert errors[0][1] < 5e-5
    assert errors[1][1] < 7.5e-3
    equilibrium, driven = (planes.order(rows, 1.5)[0] for rows in errors)
    assert equilibrium == pytest.approx(4.0, abs=0.3)
    assert driven == pytest.approx(2.0, abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "bound", "expected", "within"),
    [(planes.equilibrium_in_space, 3e-6, 4.0, 0.3), (planes.linear_in_space, 1.9e-3, 2.0, 0.1)],
)
def test_three_dimensions_in_48_cells_a_side(make, bound, expected, within):
    errors = []
    for cells in (24, 48):
        given = make(cells)
        p = fp.stationary(given.problem, progress=False)
        errors.append(given.error(p))
        assert p.values.min() > 0
        assert abs(p.mass - 1) <= 1e-13
    assert errors[-1] < bound
    assert planes.order(errors)[0] == pytest.approx(expected, abs=within)


# nested grids


def worst(p, given):
    """The largest relative error of p where its error bar counts."""
    exact = given.masses / given.problem.grid.weights
    heavy = p.masses > 1e-8 * p.masses.max()
    return float(np.abs(p.values / exact - 1)[heavy].max())


def test_nested_grids_extrapolate_a_density_with_a_bar_that_covers():
    given = planes.linear(80)
    p = fp.refined(fp.stationary, given.problem, order=2)
    assert given.error(p) < 5e-6
    assert np.all(p.values > 0)
    assert abs(p.mass - 1) < 1e-12
    assert worst(p, given) < p.error < 0.2
    assert worst(fp.stationary(given.problem), given) > 50 * worst(p, given)


def test_without_an_order_three_grids_show_it():
    """Coarse grids: in the tails the order is seen below 2, so the bar is wide, and covers."""
    given = planes.linear(27)
    p = fp.refined(fp.stationary, given.problem)
    assert "with order 1.7" in p.info.notes[-1]
    assert worst(p, given) < p.error < 0.1
    assert given.error(p) < 1e-3


def test_entropy_production_is_extrapolated_as_a_number():
    def produced(pr):
        return fp.entropy_production(pr, fp.stationary(pr))

    rate = fp.refined(produced, planes.linear(64).problem, order=2)
    assert rate == pytest.approx(planes.ENTROPY_PRODUCTION, rel=2e-5)
    assert abs(rate - planes.ENTROPY_PRODUCTION) < rate.error


# tails and wells


def test_tails_down_to_1e_100_are_right_in_every_cell():
    """A skew Gaussian under a full tensor, ln p down to -250: an order of elimination that subtracts loses it."""

    def loss(x, y):
        return 3 * x * x + 2 * x * y + 2.5 * y * y

    grid = fp.Grid(x=(-6, 6, 64), y=(-6, 6, 64))
    pr = fp.Problem(fp.Process.gibbs(loss, 1.0, mobility=((1.0, 0.4), (0.4, 0.5))), grid)
    exact = planes.on_cells(grid, -loss(*grid.mesh()))
    p = fp.stationary(pr)
    deep = exact > 1e-105
    assert exact.min() < 1e-100
    assert np.abs(p.masses / exact - 1)[deep].max() < 1e-12
    with np.errstate(divide="ignore"):
        lost = np.abs(fp.SparseLU(rtol=0.5).null_vector(*_chain(pr)).reshape(grid.shape) / exact - 1)
    assert lost[exact > 1e-8].max() < 1e-6  # fine where the mass is


def _chain(pr):
    return fp.generator(pr).rates(), np.stack(np.unravel_index(np.arange(pr.grid.size), pr.grid.shape), axis=1)


def wells(barrier, tilt=0.3):
    """Two wells at x = -+1 with `barrier` kT between them, not equally deep, and their exact masses."""

    def loss(x, y):
        return barrier * (x * x - 1) ** 2 + tilt * x + 4 * y * y

    grid = fp.Grid(x=(-1.8, 1.8, 48), y=(-2.5, 2.5, 24))
    pr = fp.Problem(fp.Process.gibbs(loss, 1.0, mobility=((1.0, 0.3), (0.3, 1.0))), grid)
    return pr, planes.on_cells(grid, -loss(*grid.mesh()))


def shares(masses):
    return masses[:24].sum() / masses[24:].sum()


def test_weights_of_wells_40_kT_apart_are_right_and_sparse_lu_refuses():
    pr, exact = wells(40.0)
    with pytest.warns(fp.DegenerateWarning, match="nearly reducible"):
        p = fp.stationary(pr)
    assert shares(p.masses) == pytest.approx(shares(exact), rel=1e-12)
    assert shares(exact) == pytest.approx(np.exp(0.6), rel=0.01)
    with pytest.raises(fp.NotConverged, match=r"use fp\.GTH\(\)") as caught:
        fp.stationary(pr, method=fp.SparseLU())
    assert shares(caught.value.best.reshape(48, 24)) != pytest.approx(shares(exact), rel=1e-6)


def test_sparse_lu_agrees_where_there_is_one_peak():
    given = planes.linear(48)
    p = fp.stationary(given.problem, method=fp.SparseLU())
    assert np.abs(p.masses - fp.stationary(given.problem).masses).sum() < 1e-11
    assert "LU" in p.info.method


@pytest.mark.parametrize("barrier", [5.0, 10.0])
def test_wells_that_a_run_would_join_are_not_warned_of(barrier):
    pr, exact = wells(barrier)
    assert shares(fp.stationary(pr).masses) == pytest.approx(shares(exact), rel=1e-12)


def test_row_20_the_rate_between_wells_is_a_bound_of_the_right_size(monkeypatch):
    """At 12 kT the slowest rate can be had from the spectrum; there the warning is asked to speak up."""
    import re
    import sys

    from scipy.sparse.linalg import eigs

    pr, _ = wells(12.0)
    L = fp.generator(pr)
    slowest = sorted(-eigs(L.rates(), k=2, sigma=1e-8, v0=np.ones(L.size))[0].real)[1]
    monkeypatch.setattr(sys.modules["fpsolve.resolution"], "NEARLY_REDUCIBLE", 1.0)
    with pytest.warns(fp.DegenerateWarning, match="nearly reducible") as told:
        fp.stationary(pr)
    message = str(told[0].message)
    bound = float(re.search(r"at a rate of (\S+) or slower", message)[1])
    held = float(re.search(r"with (\S+) of the mass", message)[1])
    assert slowest < bound < 20 * slowest
    assert "around x=0." in message or "around x=1" in message or "around x=-" in message
    assert held == pytest.approx(1 / (1 + np.exp(0.6)), rel=0.02) or held == pytest.approx(
        1 / (1 + np.exp(-0.6)), rel=0.02
    )


# the same answer from other sides


def test_one_dimension_by_elimination_is_the_closed_form():
    pr = fp.Problem(fp.Process(lambda x: x - x**3, 0.1), fp.Grid(x=(-3, 3, 200)))
    plain, by_gth = fp.stationary(pr), fp.stationary(pr, method=fp.GTH())
    assert np.abs(by_gth.masses / plain.masses - 1).max() < 1e-11
    assert fp.generator(pr).chain.step.size == 199
    with pytest.raises(fp.InvalidInput, match="2 dimensions; a chain has one"):
        _ = fp.generator(planes.linear(8).problem).chain


def test_a_drift_in_other_coordinates_has_the_transformed_density():
    """x = exp(u): a linear drift with correlated noise, written in x by Ito's rule."""
    flat = fp.Process(lambda u, y: (-u + 0.5 * y, -y - 0.3 * u), ((1.0, 0.4), (0.4, 0.8)))

    def drift(x, y):
        u = np.log(x)
        return x * (-u + 0.5 * y + 1.0), -y - 0.3 * u  # Ito: + D_uu x''/2 twice

    bent = fp.Process(drift, lambda x, y: ((x * x, 0.4 * x), (0.4 * x, 0.8 + 0 * x)))
    p = fp.stationary(fp.Problem(flat, fp.Grid(u=(-7, 7, 80), y=(-6, 6, 80))))
    q = fp.stationary(fp.Problem(bent, fp.Grid(x=fp.Axis.log(np.exp(-7), np.exp(7), 80), y=(-6, 6, 80))))
    assert np.abs(p.masses - q.masses).sum() < 2e-3
    wrong = bent.replace(drift=lambda x, y: (x * (-np.log(x) + 0.5 * y), -y - 0.3 * np.log(x)))
    assert np.abs(p.masses - fp.stationary(fp.Problem(wrong, q.grid)).masses).sum() > 0.1


SHORT, COARSE = (-2, 2), (-4, 4)
ASKED = {
    "truncated, 1-D": (fp.TruncationWarning, lambda x: -x, fp.Grid(x=(*SHORT, 40))),
    "truncated, 2-D": (fp.TruncationWarning, lambda x, y: (-x, -y), fp.Grid(x=(*SHORT, 20), y=(-6, 6, 30))),
    "truncated, 3-D": (
        fp.TruncationWarning,
        lambda x, y, z: (-x, -y, -z),
        fp.Grid(x=(*SHORT, 10), y=(-6, 6, 16), z=(-6, 6, 16)),
    ),
    "coarse, 1-D": (fp.ResolutionWarning, lambda x: -1e4 * x, fp.Grid(x=(*COARSE, 20))),
    "coarse, 2-D": (fp.ResolutionWarning, lambda x, y: (-1e4 * x, -y), fp.Grid(x=(*COARSE, 20), y=(-6, 6, 30))),
    "coarse, 3-D": (
        fp.ResolutionWarning,
        lambda x, y, z: (-1e4 * x, -y, -z),
        fp.Grid(x=(*COARSE, 10), y=(-6, 6, 16), z=(-6, 6, 16)),
    ),
}


@pytest.mark.parametrize("ask", [fp.stationary, lambda problem: fp.components(problem)[0]])
@pytest.mark.parametrize("case", list(ASKED))
def test_warnings_point_at_the_line_that_asked(case, ask):
    kind, drift, grid = ASKED[case]
    with pytest.warns(kind) as told:
        ask(fp.Problem(fp.Process(drift, 1.0), grid))
    assert {one.filename for one in told} == {__file__}
