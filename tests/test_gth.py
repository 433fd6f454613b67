"""Elimination without subtraction: every mass right to rounding relative to itself, or refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from scipy import sparse

import fpsolve.memory
import fpsolve.solvers.gth
from fpsolve.errors import InvalidInput, NotConverged, NotEnoughMemory
from fpsolve.solvers.gth import GTH
from tests.chains import (
    FIVE,
    IN_SPACE,
    LONG,
    OBLIQUE,
    SEVEN,
    balanced,
    bowl,
    chains,
    dense_null_vector,
    edges,
    exact_null_vector,
    exact_passage,
    generator,
    grid,
    normalised,
    stirred,
    wells,
)


def worst(masses, exact):
    """Largest error of a mass relative to itself."""
    return np.abs(masses / exact - 1).max()


@pytest.mark.parametrize(
    ("shape", "offsets"),
    [
        ((60,), [(1,)]),
        ((37, 50), FIVE),
        ((48, 48), SEVEN),
        ((40, 61), LONG),
        ((9, 12, 11), IN_SPACE),
        ((8, 9, 13), OBLIQUE),
    ],
)
def test_tails_are_right_to_rounding_entry_by_entry(shape, offsets):
    log_p = bowl(shape, 240.0 if len(shape) < 3 else 120.0)
    uneven = lambda x, y: np.exp(3 * np.sin(0.3 * x + 1) + np.cos(y))  # noqa: E731
    masses = GTH().null_vector(balanced(log_p, shape, offsets, conductance=uneven), grid(shape))
    assert masses.min() < 1e-103
    assert worst(masses, normalised(log_p)) < 1e-12


def test_a_rate_off_by_one_in_a_million_is_noticed():
    log_p = bowl((20, 20), 240.0)
    rates = balanced(log_p, (20, 20), FIVE)
    rates[21, 20] *= 1 + 1e-6
    assert worst(GTH().null_vector(rates, grid((20, 20))), normalised(log_p)) > 1e-8


@pytest.mark.parametrize("barrier", [5.0, 40.0, 100.0, 400.0, 600.0])
def test_weights_of_wells_do_not_depend_on_the_barrier(barrier):
    shape = (40, 24)
    log_p = wells(shape, barrier)
    rates = stirred(balanced(log_p, shape, SEVEN), log_p, shape)
    masses, exact = GTH().null_vector(rates, grid(shape)), normalised(log_p)
    left = grid(shape)[:, 0] < 20
    assert masses[left].sum() / masses[~left].sum() == pytest.approx(exact[left].sum() / exact[~left].sum(), rel=1e-12)
    assert worst(masses[exact > 1e-290], exact[exact > 1e-290]) < 1e-12


def test_currents_are_those_of_the_exact_chain():
    rng = np.random.default_rng(3)
    starts, stops = edges((6, 5), LONG + FIVE, periodic=(0,))
    starts, stops = np.append(starts, stops), np.append(stops, starts)
    rates = generator(30, starts, stops, 10.0 ** rng.uniform(-30, 30, starts.size))
    assert worst(GTH().null_vector(rates, grid((6, 5))), exact_null_vector(rates)) < 1e-13


@settings(deadline=None, max_examples=60)
@given(chains())
def test_any_chain_on_any_grid_agrees_with_the_dense_elimination(chain):
    shape, rates = chain
    masses = GTH().null_vector(rates, grid(shape))
    assert masses.sum() == pytest.approx(1.0, rel=1e-14)
    assert worst(masses, dense_null_vector(rates)) < 1e-12


def test_the_order_of_the_cells_does_not_matter():
    shape, shuffled = (30, 31), np.random.default_rng(1).permutation(930)
    log_p = bowl(shape, 100.0)
    rates = stirred(balanced(log_p, shape, SEVEN), log_p, shape)
    masses = GTH().null_vector(rates[shuffled][:, shuffled].tocsc(), grid(shape)[shuffled])
    assert worst(masses, GTH().null_vector(rates, grid(shape))[shuffled]) < 1e-13


@pytest.mark.parametrize("last", [0, 5 * 6 + 3, 15 * 6 + 1])
def test_an_elimination_that_would_end_high_up_ends_elsewhere(monkeypatch, last):
    """A dip 800 kT above the well: its bottom and its side are poor states to end with."""
    shape = (50, 6)
    log_p = np.interp(grid(shape)[:, 0], [0, 5, 10, 40, 49], [-830, -800, -820, 0, -60.0])
    exact = normalised(log_p)
    monkeypatch.setattr(fpsolve.solvers.gth, "uphill", lambda graph: last)
    masses = GTH().null_vector(balanced(log_p, shape, FIVE), grid(shape))
    seen = exact > 1e-290
    assert worst(masses[seen], exact[seen]) < 1e-12
    assert masses[~seen].max() < 1e-289


@pytest.mark.parametrize(("barrier", "tilt"), [(720.0, 0.3), (900.0, 0.0), (400.0, 300.0)])
def test_barriers_beyond_double_precision_are_refused(barrier, tilt):
    shape = (60, 8)
    with pytest.raises(NotConverged, match=r"barrier .*(underflow|vanish)"):
        GTH().null_vector(balanced(wells(shape, barrier, tilt), shape, FIVE), grid(shape))


def test_a_chain_in_two_pieces_names_a_cell_of_each():
    starts, stops = np.array([0, 1, 2, 3]), np.array([1, 0, 3, 2])
    with pytest.raises(NotConverged, match=r"no path leads from cell \d \(at \(\d\)\) to cell \d.*each closed class"):
        GTH().null_vector(generator(4, starts, stops, np.ones(4)), grid((4,)))


def test_cells_that_are_never_returned_to_hold_nothing():
    starts, stops = np.array([0, 1, 2, 1]), np.array([1, 2, 1, 2])
    assert GTH().null_vector(generator(3, starts, stops, np.ones(4)), grid((3,))) == pytest.approx([0, 1 / 3, 2 / 3])


def test_negative_rates_are_refused_with_their_worst():
    rates = balanced(bowl((5, 5), 3.0), (5, 5), FIVE)
    rates[1, 0], rates[7, 6] = -0.5, -2.0
    with pytest.raises(InvalidInput, match=r"2 rates .* negative, the worst -2 from cell 6 to cell 7"):
        GTH().null_vector(rates, grid((5, 5)))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_rates_that_are_not_finite_are_refused(bad):
    rates = balanced(bowl((5, 5), 3.0), (5, 5), FIVE)
    rates[6, 1] = bad
    with pytest.raises(InvalidInput, match="1 rates are not finite, the first from cell 1 to cell 6"):
        GTH().null_vector(rates, grid((5, 5)))


def test_shapes_that_do_not_agree_are_refused():
    rates = balanced(bowl((5, 5), 3.0), (5, 5), FIVE)
    with pytest.raises(InvalidInput, match=r"indices has shape \(24, 2\); expected \(25, ndim\)"):
        GTH().null_vector(rates, grid((5, 5))[1:])
    with pytest.raises(InvalidInput, match="sparse square matrix"):
        GTH().null_vector(rates[1:], grid((5, 5)))
    with pytest.raises(InvalidInput, match="sparse square matrix"):
        GTH().null_vector(rates.toarray(), grid((5, 5)))


def test_row_33_memory_is_asked_for_before_it_is_taken(monkeypatch):
    shape = (64, 64)
    rates = balanced(bowl(shape, 3.0), shape, FIVE)
    monkeypatch.setattr(fpsolve.memory, "SMALL", 0.0)
    monkeypatch.setattr(fpsolve.memory, "available_bytes", lambda: 1e5)
    monkeypatch.setattr(fpsolve.solvers.gth, "eliminate", None)  # must not be reached
    with pytest.raises(NotEnoughMemory, match=r"elimination of 4096 cells.*0.00\d+ GB.*Multigrid"):
        GTH().null_vector(rates, grid(shape))


def test_progress_rises_to_its_end_and_may_interrupt(monkeypatch):
    monkeypatch.setattr(fpsolve.solvers.gth, "CHUNK", 1e5)
    shape, told = (30, 30), []
    rates = balanced(bowl(shape, 3.0), shape, FIVE)
    GTH().null_vector(rates, grid(shape), progress=lambda done, total: told.append((done, total)))
    done, total = zip(*told, strict=True)
    assert len(done) > 5
    assert list(done) == sorted(set(done))
    assert done[-1] == total[0]

    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        GTH().null_vector(rates, grid(shape), progress=interrupt)


def test_a_single_cell_holds_everything():
    assert GTH().null_vector(sparse.csc_matrix((1, 1)), np.zeros((1, 2), dtype=int)) == pytest.approx([1.0])


def test_a_front_that_is_wide_and_one_of_many_panels():
    """One dense node: more cells than a panel, all joined, in leaves of their own."""
    rng = np.random.default_rng(5)
    rates = 10.0 ** rng.uniform(-8, 8, (150, 150))
    np.fill_diagonal(rates, 0.0)
    rates = sparse.csc_matrix(rates - np.diag(rates.sum(axis=0)))
    masses = GTH().null_vector(rates, np.zeros((150, 1), dtype=int))
    assert worst(masses, dense_null_vector(rates)) < 1e-13


# first passages


@pytest.mark.parametrize("barrier", [1.0, 40.0, 200.0])
def test_mean_times_are_right_to_rounding_behind_any_barrier(barrier):
    shape = (18, 4)
    rates = balanced(wells(shape, barrier, tilt=0.3 * barrier), shape, SEVEN)
    killing = np.where(grid(shape)[:, 0] == 8, 0.7, 0.0)  # near the top
    rhs = 1.0 + np.sin(np.arange(72.0))
    tau = GTH().first_passage(rates, killing, rhs, grid(shape))
    assert worst(tau, exact_passage(rates, killing, rhs, digits=200)) < 1e-13


def test_lu_loses_the_mean_times_that_elimination_keeps():
    shape = (18, 4)
    rates = balanced(wells(shape, 60.0), shape, SEVEN)
    killing = np.where(grid(shape)[:, 0] == 8, 0.7, 0.0)
    by_lu = np.linalg.solve(np.diag(killing) - rates.toarray().T, np.ones(72))
    assert worst(by_lu, exact_passage(rates, killing, np.ones(72))) > 1e-3


def test_probabilities_to_end_at_either_side_sum_to_one():
    shape = (33, 20)
    log_p = wells(shape, 30.0)
    rates, x = stirred(balanced(log_p, shape, SEVEN), log_p, shape), grid(shape)[:, 0]
    sides = np.stack([np.where(x == 0, 2.0, 0.0), np.where(x == 32, 3.0, 0.0)], axis=1)
    ends = GTH().first_passage(rates, sides.sum(axis=1), sides, grid(shape))
    assert ends.shape == (660, 2)
    assert ends.sum(axis=1) == pytest.approx(np.ones(660), rel=1e-12)
    assert ends.min() > 0
    assert ends[x == 0, 0].min() > ends[x == 32, 0].max()


def test_times_scale_with_the_unit_of_time():
    shape = (9, 9)
    rates, killing = balanced(bowl(shape, 9.0), shape, FIVE), np.eye(81)[3]
    one, other = (GTH().first_passage(unit * rates, unit * killing, np.ones(81), grid(shape)) for unit in (1.0, 1e-80))
    assert worst(1e-80 * other, one) < 1e-14


def test_a_cell_with_no_way_out_is_named():
    starts, stops = np.array([0, 1, 2, 3]), np.array([1, 0, 3, 2])
    with pytest.raises(NotConverged, match=r"no path leads from cell [23] .*infinite"):
        GTH().first_passage(generator(4, starts, stops, np.ones(4)), [1.0, 0, 0, 0], np.ones(4), grid((4,)))


@pytest.mark.parametrize(
    ("killing", "rhs", "message"),
    [
        ([1.0, -1.0, 0.0], np.ones(3), "killing has 1 entries .* the first -1 at cell 1"),
        ([1.0, 0.0, 0.0], [1.0, 1.0, np.nan], "rhs has 1 entries .* the first nan at cell 2"),
        ([1.0, 0.0], np.ones(3), r"killing has shape \(2,\)"),
        (np.ones((3, 1)), np.ones(3), r"killing has shape \(3, 1\)"),
        ([1.0, 0.0, 0.0], np.ones((2, 3)), r"rhs has shape \(2, 3\)"),
    ],
)
def test_killing_and_right_hand_sides_are_checked(killing, rhs, message):
    with pytest.raises(InvalidInput, match=message):
        GTH().first_passage(balanced(np.zeros(3), (3,), [(1,)]), killing, rhs, grid((3,)))
