"""Selling's decomposition: any positive tensor is a sum of e e^T over short integer offsets, with weights >= 0."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpsolve.kernels.selling import decompose
from fpsolve.kernels.stencil import line_integrals, stencil_edges

PAIRS = {2: 3, 3: 6}
ANGLES = st.floats(0.0, 2 * np.pi)
LOGS = st.floats(-6.0, 0.0)  # decades below the largest eigenvalue
SIZES = st.floats(-8.0, 8.0)


def offsets_and_weights(*tensors):
    """One row per tensor; fails where the reduction does not end."""
    d = len(tensors[0])
    stacked = np.ascontiguousarray(np.moveaxis(np.array(tensors, dtype=float), 0, -1))
    offsets = np.full((len(tensors), PAIRS[d], d), 99, dtype=np.int64)
    weights = np.full((len(tensors), PAIRS[d]), np.nan)
    assert decompose(stacked, offsets, weights) == -1
    return offsets, weights


def rebuilt(offsets, weights):
    return np.einsum("...p,...pi,...pj->...ij", weights, offsets, offsets)


def in_the_plane(angle, decades, size=0.0):
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s], [s, c]])
    return 10.0**size * (turn * [1.0, 10.0**decades]) @ turn.T


def in_space(angles, decades, size=0.0):
    turn = np.eye(3)
    for (i, j), angle in zip(((0, 1), (1, 2), (0, 1)), angles, strict=True):
        step = np.eye(3)
        step[[i, i, j, j], [i, j, i, j]] = np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)
        turn = turn @ step
    return 10.0**size * (turn * [1.0, 10.0 ** decades[0], 10.0 ** decades[1]]) @ turn.T


def check(tensor):
    """What holds for every decomposition; returns the offsets in use."""
    offsets, weights = (part[0] for part in offsets_and_weights(tensor))
    values = np.linalg.eigvalsh(tensor)
    assert np.all(weights >= 0)
    assert rebuilt(offsets, weights) == pytest.approx(tensor, abs=values[-1] * (1e-14 + 1e-15 * values[-1] / values[0]))
    used = offsets[weights > 0]
    assert np.all(offsets[weights == 0] == 0)
    for offset in used:
        assert math.gcd(*(int(part) for part in offset)) == 1
        assert offset[np.flatnonzero(offset)[0]] > 0
    assert len({tuple(offset) for offset in used}) == len(used)
    return used, values


@settings(max_examples=300, deadline=None)
@given(ANGLES, LOGS, SIZES)
def test_two_dimensions(angle, decades, size):
    used, values = check(in_the_plane(angle, decades, size))
    # superbase vectors are no longer than twice the covering radius in the norm of D
    assert np.linalg.norm(used, axis=1).max() <= np.sqrt(2 * values[-1] / values[0]) * (1 + 1e-6)
    assert 2 <= len(used) <= 3


@settings(max_examples=300, deadline=None)
@given(st.tuples(ANGLES, ANGLES, ANGLES), st.tuples(LOGS, LOGS), SIZES)
def test_three_dimensions(angles, decades, size):
    used, values = check(in_space(angles, decades, size))
    assert np.linalg.norm(used, axis=1).max() <= 2 * np.sqrt(values[-1] / values[0]) * (1 + 1e-6)
    assert 3 <= len(used) <= 6


@pytest.mark.parametrize("tilt", [1e-2, 1e-3, 1.1e-3])
def test_an_axis_almost_along_the_grid_is_reached_in_many_steps(tilt):
    """Offsets of hundreds of cells need as many reductions: they must not be given up."""
    used, _ = check(in_the_plane(tilt, -6.0))
    assert np.abs(used).max() > 90
    check(in_space((tilt, 0.0, 0.0), (-6.0, -3.0)))


@pytest.mark.parametrize("d", [2, 3])
def test_diagonal_tensors_need_the_axes_only(d):
    diagonals = [entries for entries in itertools.product([0.0, 1e-9, 1.0, 5.0], repeat=d) if any(entries)]
    offsets, weights = offsets_and_weights(*(np.diag(entries) for entries in diagonals))
    assert rebuilt(offsets, weights) == pytest.approx(np.array([np.diag(entries) for entries in diagonals]), abs=1e-15)
    assert np.abs(offsets).sum(axis=-1).max() == 1


def test_nothing_gives_nothing():
    offsets, weights = offsets_and_weights(np.zeros((2, 2)))
    assert not np.any(offsets)
    assert not np.any(weights)


@pytest.mark.parametrize("offset", [(1, 1), (1, -1), (2, 1), (3, -5), (1, 0), (0, 1)])
def test_rank_one_along_an_offset_is_that_offset(offset):
    offsets, weights = offsets_and_weights(7.0 * np.outer(offset, offset))
    first = np.array(offset) * (1 if offset[0] > 0 or offset[0] == 0 else -1)
    assert offsets[0][weights[0] > 0].tolist() == [first.tolist()]
    assert weights[0].sum() == 7.0


def test_a_permuted_tensor_has_permuted_offsets():
    tensor = in_space((0.3, 1.1, 2.0), (-1.0, -2.5))
    order = [2, 0, 1]
    plain, permuted = (offsets_and_weights(part) for part in (tensor, tensor[np.ix_(order, order)]))

    def terms(offsets, weights):
        outer = [(round(float(w), 12), *np.outer(e, e).ravel().tolist()) for e, w in zip(offsets, weights, strict=True)]
        return sorted(term for term in outer if term[0] > 0)

    assert terms(plain[0][0][:, order], plain[1][0]) == terms(permuted[0][0], permuted[1][0])


def test_the_check_notices_a_wrong_weight():
    tensor = in_the_plane(0.4, -2.0)
    offsets, weights = offsets_and_weights(tensor)
    weights[0, 1] *= 1 + 1e-9
    assert rebuilt(offsets, weights)[0] != pytest.approx(tensor, abs=1e-11)


def test_an_indefinite_tensor_is_stuck_and_named():
    good, bad = np.eye(2), np.array([[1.0, 2.0], [2.0, 1.0]])
    tensors = np.ascontiguousarray(np.stack([good, bad], axis=-1))
    assert decompose(tensors, np.empty((2, 3, 2), dtype=np.int64), np.empty((2, 3))) == 1


def edges_of(shape, tensor, periodic=(False, False), absorbing=((False, False), (False, False))):
    """Edges of a constant tensor on a small grid by the kernel's two passes, and the decomposition they come from."""
    cells = int(np.prod(shape))
    offsets, weights = offsets_and_weights(*[tensor] * cells)
    shape, flags = np.array(shape, dtype=np.int64), (np.array(periodic), np.array(absorbing))
    none = np.empty(0, dtype=np.int64)
    nothing = (none, none, none.reshape(0, len(shape)), np.empty((0, 2)), none, np.empty(0))
    count = stencil_edges(shape, *flags, offsets, weights, *nothing)
    left, right, fates = (np.empty(count, dtype=np.int64) for _ in range(3))
    steps, parts, shares = np.empty((count, len(shape)), dtype=np.int64), np.empty((count, 2)), np.empty(count)
    assert stencil_edges(shape, *flags, offsets, weights, left, right, steps, parts, fates, shares) == count
    return left, right, steps, parts, fates, shares, (offsets[0], weights[0])


def test_every_pair_is_joined_once_with_the_weights_of_both_ends():
    shape, tensor = (6, 5), in_the_plane(0.5, -1.5)
    left, right, steps, parts, fates, _, (offsets, weights) = edges_of(shape, tensor)
    inside = fates == 0
    assert np.array_equal(parts[inside, 0], parts[inside, 1])
    found = {(int(a), int(b)): float(w) for a, b, w in zip(left[inside], right[inside], parts[inside, 0], strict=True)}
    expected = {}
    for place in np.ndindex(shape):
        for offset, weight in zip(offsets, weights, strict=True):
            other = tuple(np.add(place, offset))
            if all(0 <= i < n for i, n in zip(other, shape, strict=True)):
                ends = tuple(int(np.ravel_multi_index(index, shape)) for index in (place, other))
                expected[ends] = float(weight)
    assert found == expected
    assert len(found) == inside.sum()
    places = np.stack(np.unravel_index(left, shape), axis=1)
    assert np.array_equal((places + steps)[inside], np.stack(np.unravel_index(right[inside], shape), axis=1))
    outside = np.any(((places + steps) < 0) | ((places + steps) >= shape), axis=1)
    assert np.array_equal(outside, ~inside)


def test_periodic_grids_lose_no_offset():
    shape = (4, 3)  # smaller than some offsets
    left, _, steps, parts, fates, _, (_, weights) = edges_of(shape, in_the_plane(0.4, -2.5), (True, True))
    assert np.all(fates == 0)
    assert left.size == 12 * np.count_nonzero(weights)
    assert np.abs(steps).max() >= 3
    assert np.all(parts[:, 0] == parts[:, 1])


def test_offsets_over_an_absorbing_face_end_on_it():
    left, right, steps, _, fates, shares, _ = edges_of(
        (5, 5), in_the_plane(0.4, -2.0), absorbing=((True, True), (False, False))
    )
    places = np.stack(np.unravel_index(left, (5, 5)), axis=1)
    out = fates == 2
    assert np.array_equal(left[out], right[out])
    reached = places[out] + 0.5 + shares[out, None] * steps[out]
    assert np.all(np.isclose(reached[:, 0], 0.0) | np.isclose(reached[:, 0], 5.0))  # on the face, not beyond the others
    assert np.all((reached[:, 1] >= 0) & (reached[:, 1] <= 5))
    dropped = fates == 1
    assert np.any(dropped)
    first_wall = places[dropped] + 0.5 + shares[dropped, None] * steps[dropped]
    assert np.all(np.isclose(first_wall[:, 1], 0.0) | np.isclose(first_wall[:, 1], 5.0))


def test_line_integrals_are_simpsons_rule():
    """Exact for slopes of third degree along the offset; not for the fourth."""
    shape, first = np.array([8, 9], dtype=np.int64), np.array([1, 1], dtype=np.int64)
    lattice = 2 * shape - 1
    u, v = np.meshgrid(*(np.arange(n) / 2.0 for n in lattice), indexing="ij")
    left = np.array([np.ravel_multi_index((1, 6), (8, 9))], dtype=np.int64)
    offset = np.array([[5, -3]], dtype=np.int64)

    def along(loss, slopes):
        result = np.empty(1)
        line_integrals(np.stack([part.ravel() for part in slopes]), lattice, first, shape, left, offset, result)
        return result[0] - (loss(6, 3) - loss(1, 6))

    quartic = along(lambda x, y: x**3 * y, (3 * u**2 * v, u**3))
    assert quartic == pytest.approx(0.0, abs=1e-9)
    assert abs(along(lambda x, y: x**3 * y**3, (3 * u**2 * v**3, 3 * u**3 * v**2))) > 1.0
