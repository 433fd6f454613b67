"""Bad input and degenerate problems in two and three dimensions: each is refused or told, with numbers."""

import sys

import numpy as np
import planes
import pytest

import fpsolve as fp
from fpsolve.solvers.sets import closed_sets

PLANE = fp.Grid(x=(-5, 5, 32), y=(-5, 5, 32))
FULL = ((1.0, 0.4), (0.4, 0.5))


def pull(x, y):
    return -x, -y


def solve(drift, diffusion, convention="ito", grid=PLANE, **options):
    return fp.stationary(fp.Problem(fp.Process(drift, diffusion, convention), grid), **options)


# coefficients


@pytest.mark.parametrize(
    ("drift", "diffusion", "message"),
    [
        (
            lambda x, y: (np.where((x > 4) & (y < -4), np.nan, -x), -y),
            FULL,
            r"drift\[0\] is nan at x=4\.\d+, y=-4\.\d+ \(half cell \d+, \d+\); it must be finite",
        ),
        (lambda x, y: (-x, -y, 0 * x), FULL, "drift has 3 components; expected 2, one per axis"),
        (lambda y, x: (-x, -y), FULL, r"drift takes \(y, x\) but the grid's axes are \(x, y\)"),
        (pull, ((1.0, 0.2), (0.1, 1.0)), r"not symmetric: entries differ by 0\.1 at x=-?\d.*D_ij = D_ji"),
        (
            pull,
            lambda x, y: ((1 + 0 * x, 0.2 + 0 * x), (0.2 + 1e-6 * (x > 4), 1 + 0 * x)),
            r"not symmetric: entries differ by 1e-06 at x=4\.\d+",
        ),
        (pull, ((1.0, 2.0), (2.0, 1.0)), r"has a negative eigenvalue \(-1\) at x="),
        (pull, (1.0, -0.5), r"has a negative eigenvalue \(-0\.5\) at x="),
        (
            pull,
            lambda x, y: ((1 + 0 * x, 0.3 * x), (0.3 * x, 1 + 0 * x)),
            r"negative eigenvalue \(-0\.4\d+\) at x=-?4\.84\d+, y=",
        ),
        (pull, ((1.0, 0.4, 0.0), (0.4, 0.5, 0.0)), r"diffusion\[0\] has 3 components; expected 2"),
    ],
    ids=["nan", "components", "order", "asymmetric", "asymmetric somewhere", "indefinite", "negative", "somewhere",
         "shape"],
)  # fmt: skip
def test_rows_1_to_7_coefficients(drift, diffusion, message):
    with pytest.raises(fp.InvalidInput, match=message):
        solve(drift, diffusion)


RANK_ONE = ((1.0, 2.0), (2.0, 4.0))


@pytest.mark.parametrize(
    "process",
    [
        fp.Process(pull, RANK_ONE),
        fp.Process(pull, lambda x, y: ((1 + y * y, 0 * x + y), (0 * x + y, (y * y) / (1 + y * y)))),
        fp.Process.gibbs(lambda x, y: x * x + y * y, 1.0, mobility=RANK_ONE),
    ],
    ids=["constant", "turning", "gibbs"],
)
def test_a_rank_deficient_tensor_that_is_no_axis_is_refused_with_the_remedy(process):
    with pytest.raises(
        fp.InvalidInput,
        match=r"rank deficient at x=\S+, y=\S+ .*\(eigenvalues -?\d\S* to \d\S*\) along a direction that is no axis: "
        "choose coordinates in which the tensor is diagonal, or add a small isotropic diffusion",
    ):
        fp.stationary(fp.Problem(process, PLANE))


def test_a_regularised_tensor_is_accepted():
    near = ((1.0 + 1e-3, 2.0), (2.0, 4.0 + 1e-3))
    p = solve(pull, near, grid=fp.Grid(x=(-5, 5, 40), y=(-10, 10, 40)))
    assert p.covariance() == pytest.approx(np.array(near), abs=2e-2)


def test_a_rank_deficient_tensor_along_an_axis_is_transport():
    solid = fp.Process(lambda x, y, z: (y, -x - y + 0.2 * z, -z), ((0, 0, 0), (0, 1, 0.3), (0, 0.3, 1)))
    edges = fp.generator(fp.Problem(solid, fp.Grid(x=(-4, 4, 8), y=(-4, 4, 8), z=(-4, 4, 8)))).edges
    across = edges.offsets[edges.noiseless]
    assert np.array_equal(np.unique(across, axis=0), [[1, 0, 0]])
    assert not np.any(edges.offsets[~edges.noiseless][:, 0])


def test_stratonovich_with_a_full_tensor_is_refused():
    def tensor(x, y):
        bent = 1 + 0.2 * np.sin(x)
        return (bent, 0.4 + 0 * x), (0.4 + 0 * x, bent)

    with pytest.raises(fp.InvalidInput, match="does not say how the noise is split among its sources.* Ito"):
        solve(pull, tensor, "stratonovich")
    assert solve(pull, tensor, "isothermal").mass == pytest.approx(1.0)


def test_a_loss_must_close_on_a_ring():
    ring = fp.Axis.uniform(0, 2 * np.pi, 16, ends="periodic")
    for mobility in (1.0, FULL):
        process = fp.Process.gibbs(lambda x, y: np.cos(x) + x + y * y / 2, 2.0, mobility=mobility)
        with pytest.raises(
            fp.InvalidInput, match=r"loss differs by 6\.28319 between the two ends of the periodic axis x"
        ):
            fp.stationary(fp.Problem(process, fp.Grid(x=ring, y=(-8, 8, 16))))
    closed = fp.Process.gibbs(lambda x, y: np.cos(x) + y * y / 2, 1.0, mobility=FULL)
    pr = fp.Problem(closed, fp.Grid(x=ring, y=(-8, 8, 16)))
    assert fp.current(pr, fp.stationary(pr)).is_equilibrium


def test_a_tensor_too_narrow_for_the_cells_is_refused():
    grid = fp.Grid(x=fp.Axis.log(1e-8, 1e8, 30), y=(-5, 5, 32))
    with pytest.raises(fp.InvalidInput, match=r"too anisotropic for this grid .* cells of another shape"):
        fp.generator(fp.Problem(fp.Process(pull, FULL), grid))


def test_row_15_neighbouring_cells_of_very_different_size():
    with pytest.warns(fp.ResolutionWarning, match=r"neighbouring cells differ in size by a factor 1\.7e\+07"):
        fp.Grid(x=fp.Axis.mapped(np.exp, np.exp, -50, 50, 6), y=(-1, 1, 5))


# regions without noise


def hole(x, y):
    return np.where(x * x + y * y < 1, 0.0, 1.0)


SIZE = (
    r"diffusion is 0 between 76 pairs of neighbouring cells of 1024 cells, within x in \[-1\.094, 1\.094\], y in \[-1"
)


@pytest.mark.parametrize("full", [False, True])
def test_row_5_a_region_without_noise_is_told_with_its_size(full):
    """The drift carries everything out of the hole, so the chain holds together."""

    def outward(x, y):
        strength = 5 * np.exp(-x * x - y * y) - 1
        return strength * x, strength * y

    def tensor(x, y):
        d = hole(x, y)
        return ((d, 0.3 * d), (0.3 * d, d)) if full else d

    with pytest.warns(fp.DegenerateWarning, match=SIZE):
        p = solve(outward, tensor)
    x, y = PLANE.mesh()
    assert p.masses[(x * x + y * y) < 0.8].sum() < 1e-3
    assert p.mass == pytest.approx(1.0)


def test_row_5_a_region_that_traps_splits_the_chain():
    with pytest.warns(fp.DegenerateWarning, match=SIZE), pytest.raises(fp.Reducible) as caught:
        solve(pull, hole)
    assert caught.value.sizes == (1, 1, 1, 1)  # the four cells around the middle, each for itself


def test_a_grid_on_which_nothing_moves_is_refused():
    with pytest.raises(fp.InvalidInput, match="no set of cells of x, y keeps its mass|nothing moves"):
        solve(lambda x, y: (0 * x, 0 * x), 0.0)


def test_row_19_broken_ergodicity_has_one_density_for_each_side():
    """Noise along x vanishes at x = 0, where the drift does too."""
    pr = fp.Problem(
        fp.Process(lambda x, y: (x - x**3, x - y), lambda x, y: (0.1 * x**2, 1.0 + 0 * x)),
        fp.Grid(x=(-3, 3, 64), y=(-6, 6, 32)),
    )
    told = pytest.warns(fp.DegenerateWarning, match="diffusion is 0 between 32 pairs")
    with told, pytest.raises(fp.Reducible, match=r"2 closed classes \(of 1024, 1024 cells\).*fp\.components") as caught:
        fp.stationary(pr)
    assert caught.value.sizes == (1024, 1024)
    with pytest.warns(fp.DegenerateWarning):
        left, right = fp.components(pr)
    assert np.all(left.values[32:] == 0)
    assert np.all(right.values[:32] == 0)
    assert left.mass == pytest.approx(1.0, abs=1e-13)
    assert left.values == pytest.approx(right.values[::-1, ::-1], rel=1e-9)
    assert right.mean("x") > 0.8
    assert right.mean("y") == pytest.approx(right.mean("x"), abs=1e-5)


def test_a_chain_is_judged_by_its_edges_not_by_rates_that_underflow():
    """Steps of 800 between cells: rates of 1e-345 are 0 in doubles, the paths are there all the same."""
    pr = fp.Problem(fp.Process.gibbs(lambda x, y: 2000 * x * x + y * y, 1.0), fp.Grid(x=(-3, 3, 6), y=(-3, 3, 6)))
    L = fp.generator(pr)
    assert L.edges.up.min() == 0.0
    assert [part.size for part in closed_sets(L.edges)] == [36]


def two_wells(barrier):
    return fp.Problem(
        fp.Process.gibbs(lambda x, y: barrier * (x * x - 1) ** 2 + 4 * y * y, 1.0, mobility=((1.0, 0.3), (0.3, 1.0))),
        fp.Grid(x=(-1.8, 1.8, 48), y=(-2.5, 2.5, 24)),
    )


def test_row_20_wells_40_kT_apart_are_nearly_reducible():
    with pytest.warns(
        fp.DegenerateWarning,
        match=r"nearly reducible: a set of cells around x=\S+, y=\S+ with 0\.5 of the mass exchanges it at a rate of "
        r"\d\S*e-1[4-6] or slower, against \d\S* at the mode; a run shorter than \d\S*e\+1[3-5] never sees it",
    ):
        fp.stationary(two_wells(40.0))
    fp.stationary(two_wells(10.0))  # any warning here is an error


# ends and resolution


@pytest.mark.parametrize(
    ("drift", "end"),
    [
        (lambda x, y: (0.3 * x, -y), r"x -> -infinity it goes like exp"),
        (lambda x, y: (-x, 0 * x), r"y -> -?infinity"),
        (lambda x, y: (-x, 0.2 + 0 * x), r"y -> infinity"),
    ],
)
def test_what_has_no_stationary_density_is_refused(drift, end):
    with pytest.raises(
        fp.NotNormalizable, match=f"no stationary density: toward {end}.*make the end reflecting"
    ) as told:
        solve(drift, FULL)
    assert np.isfinite(told.value.exponent)


def test_absorbing_ends_and_time_leave_no_stationary_density():
    grid = fp.Grid(x=(-5, 5, 16), y=fp.Axis.uniform(-5, 5, 16, ends=("open", "absorbing")))
    for tensor in (1.0, FULL):
        with pytest.raises(fp.InvalidInput, match="every path ends at the absorbing end of y"):
            solve(pull, tensor, grid=grid)
    with pytest.raises(fp.InvalidInput, match="depends on t and has no stationary density"):
        solve(lambda x, y, t: (-x, -t * y), FULL)


@pytest.mark.parametrize("diffusion", [FULL, 1.0])
def test_row_25_a_drift_beyond_the_grid_is_told_with_its_place(diffusion):
    with pytest.warns(
        fp.ResolutionWarning, match=r"largest cell Peclet number is \S+ at x=\S+, y=\S+, so ln p changes"
    ):
        solve(lambda x, y: (-1e5 * x, -y), diffusion)


def test_row_25_a_density_narrower_than_the_cells_along_one_axis_is_told():
    with pytest.warns(fp.ResolutionWarning, match=r"1 of the mass lies in the two cells at x=-0\.15625 and 0\.15625"):
        solve(lambda x, y: (-1000.0 * x, -y), 1.0)
    with pytest.warns(
        fp.ResolutionWarning, match=r"0\.9\d+ of the mass lies in the one cell at y=0\.15625: .* narrower"
    ):
        solve(lambda x, y: (-x, -100.0 * (y - 0.1)), 1.0)


def test_a_stiff_drift_that_is_resolved_is_not_told():
    grid = fp.Grid(x=(-0.05, 0.05, 64), y=(-6, 6, 48))
    assert solve(lambda x, y: (-1e4 * x, -y), 1.0, grid=grid).var("x") == pytest.approx(1e-4, rel=1e-5)


# memory, size and solvers


def test_row_33_memory_is_asked_for_before_each_stage(monkeypatch):
    memory = sys.modules["fpsolve.memory"]
    pr = planes.linear(64).problem
    monkeypatch.setattr(memory, "SMALL", 0.0)
    monkeypatch.setattr(memory, "available_bytes", lambda: 1e6)
    with pytest.raises(fp.NotEnoughMemory, match=r"generator of 4096 cells needs about 0\.00369 GB, and 0\.001 GB are"):
        fp.stationary(pr)
    monkeypatch.setattr(memory, "available_bytes", lambda: 4096 * 900 + 1.0)
    fp.generator(pr)
    monkeypatch.setattr(memory, "available_bytes", lambda: 1e5)
    with pytest.raises(fp.NotEnoughMemory, match=r"elimination of 4096 cells needs about .*use fewer cells"):
        fp.stationary(pr)
    with pytest.raises(fp.NotEnoughMemory, match=r"factorisation of 4096 cells needs about"):
        fp.stationary(pr, method=fp.SparseLU())


def test_row_33_long_offsets_need_more_memory(monkeypatch):
    memory = sys.modules["fpsolve.memory"]
    monkeypatch.setattr(memory, "SMALL", 0.0)
    monkeypatch.setattr(memory, "available_bytes", lambda: 1024 * 900 + 1.0)
    module = sys.modules["fpsolve.operators.selling"]
    monkeypatch.setattr(module, "BYTES_PER_EDGE", 1e4)
    with pytest.raises(fp.NotEnoughMemory, match=r"\d+ edges of 1024 cells needs about .*less anisotropic"):
        fp.generator(planes.rotating(32, 100).problem)


def test_row_34_indices_that_would_overflow_offer_another_method(monkeypatch):
    monkeypatch.setattr(sys.modules["fpsolve.solvers.lu"], "MOST_ENTRIES", 1000)
    with pytest.raises(fp.InvalidInput, match=r"factors of 256 cells would have .* use fp\.GTH\(\)"):
        fp.stationary(planes.linear(16).problem, method=fp.SparseLU())


class Wrong:
    """A method whose answer is what it is told to be."""

    name = "wrong"

    def __init__(self, answer):
        self.answer = answer

    def null_vector(self, rates, indices, *, progress=None):
        return self.answer


def test_row_35_an_answer_that_is_no_null_vector_is_refused_and_kept():
    """Both where it is positive, and where it is not finite."""
    given = planes.linear(16)
    with pytest.raises(fp.NotConverged, match=r"does not solve L p = 0: residual 0\.\d+ .*best") as caught:
        fp.stationary(given.problem, method=Wrong(np.full(256, 1 / 256)))
    assert isinstance(caught.value.best, fp.Density)
    assert caught.value.history[0] > 1e-3
    almost = given.masses.ravel().copy()
    with pytest.raises(fp.NotConverged):
        fp.stationary(given.problem, method=Wrong(almost))  # the continuum's masses are not the chain's
    right = fp.stationary(given.problem).masses.ravel()
    assert fp.stationary(given.problem, method=Wrong(right)).mass == pytest.approx(1.0)


def test_row_35_negative_masses_are_counted_never_hidden():
    given = planes.linear(16)
    right = fp.stationary(given.problem).masses.ravel().copy()
    right[0] = -1e-12
    p = fp.stationary(given.problem, method=Wrong(right))
    assert "1 masses are negative, the smallest -1e-12" in p.info.notes[0]
    assert p.masses.ravel()[0] == -1e-12
    assert np.isnan(p.log_values.ravel()[0])


def test_row_35_masses_that_are_not_numbers_are_refused():
    with pytest.raises(fp.NotConverged, match="residual nan"):
        fp.stationary(planes.linear(16).problem, method=Wrong(np.full(256, np.nan)))
