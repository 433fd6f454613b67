"""The solvers of 0 = L m beside each other: where each may be trusted, and that it says so where not."""

import sys

import numpy as np
import pytest
from scipy import sparse

import fpsolve.memory
import fpsolve.solvers.lu
import fpsolve.solvers.multigrid
from fpsolve.errors import InvalidInput, MissingExtra, NotConverged, NotEnoughMemory
from fpsolve.solvers.gth import GTH
from fpsolve.solvers.lu import SparseLU
from fpsolve.solvers.multigrid import Multigrid
from tests.chains import (
    FIVE,
    IN_SPACE,
    LONG,
    OBLIQUE,
    SEVEN,
    balanced,
    bowl,
    generator,
    grid,
    normalised,
    stirred,
    wells,
)

try:
    import pyamg  # noqa: F401
except ImportError:
    METHODS = [GTH(), SparseLU()]
else:
    METHODS = [GTH(), SparseLU(), Multigrid()]
needs_pyamg = pytest.mark.skipif(len(METHODS) < 3, reason="pyamg is not installed")
ACCURACY = {"GTH": 1e-12, "SparseLU": 1e-10, "Multigrid": 1e-10}


def named(method):
    return type(method).__name__


@pytest.mark.parametrize("method", METHODS, ids=named)
@pytest.mark.parametrize(
    ("shape", "offsets"),
    [((40, 33), FIVE), ((32, 32), SEVEN), ((30, 40), LONG), ((8, 9, 10), IN_SPACE), ((9, 9, 9), OBLIQUE)],
)
def test_one_peak_with_currents_is_right_in_its_tails(method, shape, offsets):
    log_p = bowl(shape, 30.0)
    rates = stirred(balanced(log_p, shape, offsets), log_p, shape)
    masses = method.null_vector(rates, grid(shape), progress=False)
    assert masses.sum() == pytest.approx(1.0, rel=1e-14)
    assert np.abs(masses / normalised(log_p) - 1).max() < ACCURACY[named(method)]
    assert np.abs(rates @ np.roll(masses, 1)).max() > 1e-6  # the control


@pytest.mark.parametrize("method", METHODS, ids=named)
def test_rings_in_both_directions(method):
    shape = (20, 24)
    angle = 2 * np.pi * grid(shape) / np.array(shape)
    log_p = 3 * np.cos(angle).sum(axis=1) + np.sin(angle[:, 0] + 2 * angle[:, 1])
    masses = method.null_vector(balanced(log_p, shape, SEVEN, periodic=(0, 1)), grid(shape))
    assert masses == pytest.approx(normalised(log_p), rel=ACCURACY[named(method)])


@pytest.mark.parametrize("method", METHODS, ids=named)
def test_a_single_cell_and_two(method):
    assert method.null_vector(sparse.csc_matrix((1, 1)), grid((1, 1))) == pytest.approx([1.0])
    two = generator(2, np.array([0, 1]), np.array([1, 0]), np.array([2.0, 1.0]))
    assert method.null_vector(two, grid((2, 1))) == pytest.approx([1 / 3, 2 / 3], rel=1e-14)


@pytest.mark.parametrize("method", METHODS, ids=named)
def test_what_goes_in_is_left_as_it_was(method):
    shape = (12, 12)
    rates = balanced(bowl(shape, 5.0), shape, FIVE)
    before, places = rates.copy(), grid(shape)
    method.null_vector(rates, places)
    assert (rates != before).nnz == 0
    assert np.array_equal(places, grid(shape))


@pytest.mark.parametrize("method", METHODS, ids=named)
def test_every_solver_has_a_name_and_progress(method):
    told, shape = [], (12, 12)
    method.null_vector(balanced(bowl(shape, 5.0), shape, FIVE), grid(shape), progress=lambda *seen: told.append(seen))
    assert len(method.name) > 5
    assert all(0 < done <= total for done, total in told)


@pytest.mark.parametrize("method", METHODS, ids=named)
def test_a_chain_in_two_pieces_is_refused(method):
    starts, stops = np.array([0, 1, 2, 3]), np.array([1, 0, 3, 2])
    with pytest.raises(NotConverged):
        method.null_vector(generator(4, starts, stops, np.ones(4)), grid((4, 1)))


@pytest.mark.parametrize("method", METHODS[1:], ids=named)
@pytest.mark.parametrize("barrier", [40.0, 100.0])
def test_only_gth_weighs_wells_far_apart(method, barrier):
    """The weights that the others find are wrong, or only a guess was right; either way they refuse."""
    shape = (48, 24)
    log_p = wells(shape, barrier)
    rates = stirred(balanced(log_p, shape, SEVEN), log_p, shape)
    left = grid(shape)[:, 0] < 24
    exact = normalised(log_p)[left].sum()
    assert GTH().null_vector(rates, grid(shape))[left].sum() == pytest.approx(exact, rel=1e-12)
    with pytest.raises(NotConverged, match=r"fp\.GTH\(\)") as caught:
        method.null_vector(rates, grid(shape))
    assert abs(caught.value.best[left].sum() / exact - 1) > 1e-3


@pytest.mark.parametrize("method", METHODS[1:], ids=named)
def test_the_error_that_is_announced_covers_the_one_that_is_made(method):
    shape = (48, 24)
    left, refused = grid(shape)[:, 0] < 24, 0
    for barrier in (2.0, 8.0, 14.0, 20.0, 26.0):
        log_p = wells(shape, barrier)
        rates = stirred(balanced(log_p, shape, SEVEN), log_p, shape)
        exact = normalised(log_p)[left].sum()
        try:
            masses = method.null_vector(rates, grid(shape))
        except NotConverged as error:
            refused += 1
            masses, tolerance = error.best, float(str(error).split(" may move ")[1].split(" by ")[1].split()[0])
        else:
            tolerance = 1e-6
        assert abs(masses[left].sum() / exact - 1) < tolerance
    assert 0 < refused < 4


# sparse LU


def test_lu_takes_rates_that_are_negative_and_returns_the_masses_as_they_are():
    shape = (15, 15)
    rates = balanced(bowl(shape, 5.0), shape, FIVE)
    antidiffusion = generator(225, np.array([0]), np.array([1]), np.array([-0.9 * rates[1, 0]]))
    masses = SparseLU().null_vector((rates + antidiffusion).tocsc(), grid(shape))
    assert np.abs((rates + antidiffusion) @ masses).max() < 1e-16
    with pytest.raises(InvalidInput, match=r"negative, the worst .* from cell 0 to cell 2.*fp\.Positive"):
        GTH().null_vector(
            generator(3, np.array([0, 1, 2, 0]), np.array([1, 2, 0, 2]), np.array([2, 1, 1, -1.0])), grid((3, 1))
        )


def test_row_35_negative_masses_of_a_positive_chain_are_refused_with_their_worst():
    shape = (48, 24)
    log_p = wells(shape, 50.0)
    with pytest.raises(NotConverged, match=r"\d+ masses are negative, the worst -|rounding may move") as caught:
        SparseLU().null_vector(balanced(log_p, shape, SEVEN), grid(shape))
    assert caught.value.best.shape == (48 * 24,)
    assert len(caught.value.history) == 1


def test_row_35_columns_that_do_not_sum_to_zero_leave_a_residual():
    shape = (10, 10)
    rates = balanced(bowl(shape, 5.0), shape, FIVE) - 1e-3 * sparse.identity(100, format="csc")
    with pytest.raises(NotConverged, match="the residual is .* above rtol=1e-06"):
        SparseLU().null_vector(rates.tocsc(), grid(shape))


def test_row_34_factors_beyond_32_bits_offer_another_method(monkeypatch):
    shape = (20, 20)
    monkeypatch.setattr(fpsolve.solvers.lu, "MOST_ENTRIES", 1000)
    with pytest.raises(InvalidInput, match=r"factors of 400 cells would have .* use fp\.GTH\(\) or fp\.Multigrid\(\)"):
        SparseLU().null_vector(balanced(bowl(shape, 5.0), shape, FIVE), grid(shape))


def test_the_entries_of_the_factors_are_foreseen(monkeypatch):
    seen, shape = {}, (40, 40)
    monkeypatch.setattr(fpsolve.solvers.lu, "require", lambda estimate, *_: seen.update(foreseen=estimate))
    original = sparse.linalg.splu

    def watched(*arguments, **options):
        seen["factors"] = original(*arguments, **options)
        return seen["factors"]

    monkeypatch.setattr(sparse.linalg, "splu", watched)
    SparseLU().null_vector(balanced(bowl(shape, 5.0), shape, SEVEN), grid(shape))
    entries = seen["foreseen"] / fpsolve.solvers.lu.BYTES_PER_ENTRY
    assert 0.98 < entries / seen["factors"].nnz < 1.5


@pytest.mark.parametrize("method", METHODS, ids=named)
def test_row_33_memory_is_asked_for_first(method, monkeypatch):
    shape = (30, 30)
    monkeypatch.setattr(fpsolve.memory, "SMALL", 0.0)
    monkeypatch.setattr(fpsolve.memory, "available_bytes", lambda: 1e4)
    with pytest.raises(NotEnoughMemory, match=r"900 cells needs about .* GB, and 1e-05 GB are available"):
        method.null_vector(balanced(bowl(shape, 5.0), shape, FIVE), grid(shape))


@pytest.mark.parametrize("rtol", [0.0, -1e-6, 1.0, np.nan])
@pytest.mark.parametrize("kind", [SparseLU, Multigrid])
def test_tolerances_are_checked(kind, rtol):
    with pytest.raises(InvalidInput, match="rtol is"):
        kind(rtol=rtol)


# multigrid


@needs_pyamg
def test_multigrid_carries_tails_that_underflow():
    shape = (40, 40)
    log_p = bowl(shape, 600.0)
    masses = Multigrid().null_vector(stirred(balanced(log_p, shape, FIVE), log_p, shape, 1e-3), grid(shape))
    seen = normalised(log_p) > 1e-300
    assert masses[~seen].max() < 1e-299
    assert masses[seen] == pytest.approx(normalised(log_p)[seen], rel=1e-10)


@needs_pyamg
def test_row_35_multigrid_without_enough_rounds_keeps_what_it_has(monkeypatch):
    monkeypatch.setattr(fpsolve.solvers.multigrid, "ROUNDS", 2)
    monkeypatch.setattr(fpsolve.solvers.multigrid, "ITERATIONS", 1)
    shape = (48, 48)
    log_p = bowl(shape, 30.0)
    with pytest.raises(NotConverged, match=r"out of balance by .* after 2 rounds, above rtol=1e-12") as caught:
        Multigrid().null_vector(stirred(balanced(log_p, shape, FIVE), log_p, shape, 5.0), grid(shape))
    assert len(caught.value.history) == 3
    assert caught.value.best.sum() == pytest.approx(1.0)


def test_a_missing_extra_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyamg", None)
    with pytest.raises(MissingExtra, match=r"pip install 'fpsolve\[amg\]'"):
        Multigrid().null_vector(balanced(np.zeros(4), (2, 2), FIVE), grid((2, 2)))
