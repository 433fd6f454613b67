"""Axes and grids: geometry, and what bad ones get (an axis checks itself when it is built)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fpsolve as fp

AXES = [
    fp.Axis.uniform(-3, 5, 40),
    fp.Axis.log(1e-6, 1e6, 40),
    fp.Axis.log(-1e6, -1e-6, 40),
    fp.Axis.sinh(-1e4, 1e3, 41, scale=0.5),
    fp.Axis.tanh(-1, 2, 41, reach=12),
    fp.Axis.mapped(np.sinh, np.cosh, -5, 5, 41),
]
IDS = [f"{axis.kind}{i}" for i, axis in enumerate(AXES)]


@pytest.mark.parametrize("axis", AXES, ids=IDS)
def test_nodes_lie_between_faces_and_the_inverse_map_finds_them(axis):
    assert np.all((axis.faces[:-1] <= axis.nodes) & (axis.nodes <= axis.faces[1:]))
    if axis.kind != "tanh":  # near its ends x has fewer digits than s
        assert axis.s(axis.nodes) == pytest.approx(axis.s_nodes, abs=1e-12)


@pytest.mark.parametrize("axis", AXES, ids=IDS)
def test_gaps_are_distances_between_nodes(axis):
    assert axis.gaps == pytest.approx(np.diff(axis.nodes), rel=1e-9, abs=1e-14 * np.abs(axis.nodes).max())


@pytest.mark.parametrize("axis", AXES, ids=IDS)
def test_odd_refinement_keeps_the_nodes(axis):
    fine = axis.refined(3)
    assert fine.cells == 3 * axis.cells
    assert fine.nodes[1::3] == pytest.approx(axis.nodes, rel=1e-12, abs=1e-12)


def test_midpoint_sums_are_spectral_on_a_log_axis():
    axis = fp.Axis.log(1e-6, 1e6, 100)
    density = np.exp(-0.5 * np.log(axis.nodes) ** 2) / (axis.nodes * np.sqrt(2 * np.pi))
    assert (axis.weights * density).sum() == pytest.approx(1.0, abs=1e-14)
    assert abs((np.diff(axis.faces) * density).sum() - 1) > 1e-3  # distances as weights fail the same check


def test_tanh_distances_to_the_ends_do_not_cancel():
    axis = fp.Axis.tanh(-1, 1, 801, reach=16)
    close = axis.map.distance_to_high(axis.s_faces[-1:])[0]
    assert close == pytest.approx(2 * np.exp(-32), rel=1e-12)
    assert axis.map.distance_to_low(axis.s_faces[:1])[0] == pytest.approx(close, rel=1e-12)


def test_symmetric_axes_are_symmetric_to_the_last_bit():
    for axis in (fp.Axis.uniform(-3, 3, 401), fp.Axis.sinh(-1e5, 1e5, 400, scale=0.3)):
        assert np.array_equal(axis.nodes, -axis.nodes[::-1])
        assert np.array_equal(axis.faces, -axis.faces[::-1])


def test_widened_axes_keep_the_cell_width():
    axis = fp.Axis.uniform(-1, 1, 100)
    wide = axis.widened(2.0)
    assert (wide.lo, wide.hi, wide.cells, wide.ds) == (-2.0, 2.0, 200, pytest.approx(axis.ds))


def test_a_grid_multiplies_weights_and_broadcasts_nodes():
    grid = fp.Grid(u=(-4, 4, 16), w=fp.Axis.log(1, 10, 8))
    assert (grid.names, grid.shape, grid.ndim, grid.size) == (("u", "w"), (16, 8), 2, 128)
    u, w = grid.mesh()
    assert (u + w).shape == grid.shape
    assert grid.weights == pytest.approx(np.outer(grid["u"].weights, grid["w"].weights))
    assert grid.refined(3).shape == (48, 24)
    assert grid.widened(2.0).shape == (32, 16)


def test_values_cannot_be_changed():
    axis = fp.Axis.uniform(0, 1, 4)
    with pytest.raises(ValueError, match="read-only"):
        axis.nodes[0] = 1.0


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: fp.Axis.uniform(0, 1, 2), "at least 3"),
        (lambda: fp.Axis.uniform(0, 1, 2.5), "whole number"),
        (lambda: fp.Axis.uniform(1, 1, 10), "lower bound must be smaller"),
        (lambda: fp.Axis.uniform(0, np.inf, 10), "bounds must be finite"),
        (lambda: fp.Axis.uniform(np.nan, 1, 10), "bounds must be finite"),
        (lambda: fp.Axis.log(0, 1, 10), "passes through 0"),
        (lambda: fp.Axis.log(-1, 1, 10), "passes through 0"),
        (lambda: fp.Axis.sinh(-1, 1, 10, scale=0), "positive, finite scale"),
        (lambda: fp.Axis.tanh(-1, 1, 10, reach=18), r"reach is 18.*\(0, 17\]"),
        (lambda: fp.Axis.uniform(0, 1, 10, ends="closed"), "'closed'; use 'open', 'reflecting', 'absorbing' or"),
        (lambda: fp.Axis.uniform(0, 1, 10, ends=("open", "periodic")), "periodic at both ends"),
        (lambda: fp.Axis.uniform(0, 1, 10, ends=("open",)), "a pair"),
        (lambda: fp.Grid(x=(0, 1)), "lo, hi, cells"),
        (fp.Grid, "one to three axes"),
        (lambda: fp.Grid(x=(0, 1, 9))["y"], "no axis 'y'"),
        (lambda: fp.Axis.uniform(0, 1, 9).refined(1.5), "whole number"),
        (lambda: fp.Axis.uniform(0, 1, 9).widened(-1), "positive, finite"),
    ],
)
def test_bad_axes_are_refused_with_the_reason(build, message):
    with pytest.raises(fp.InvalidInput, match=message):
        build()


def test_row_13_the_first_place_where_an_axis_stops_increasing_is_named():
    with pytest.raises(fp.InvalidInput, match="does not increase at node 4"):
        fp.Axis.mapped(lambda s: np.where(s < 0.5, s, 1 - s), lambda s: np.where(s < 0.5, 1.0, -1.0), 0, 1, 9)
    with pytest.raises(fp.InvalidInput, match=r"does not increase at node \d+"):  # duplicates
        fp.Axis.mapped(lambda s: np.floor(4 * s), np.ones_like, 0, 1, 9)
    with pytest.raises(fp.InvalidInput, match=r"node 0 of the axis is nan"):
        fp.Axis.mapped(lambda s: s * np.nan, np.ones_like, 0, 1, 9)


def test_row_15_very_unequal_neighbours_are_warned_of():
    with pytest.warns(fp.ResolutionWarning, match=r"by a factor .*e\+"):
        fp.Axis.log(1e-200, 1e200, 40)


def test_row_52_an_axis_cannot_be_called_t():
    with pytest.raises(fp.InvalidInput, match="t is reserved for time"):
        fp.Grid(t=(0, 1, 10))


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.integers(3, 200))
def test_uniform_weights_sum_to_the_length(lo, length, cells):
    axis = fp.Axis.uniform(lo, lo + length, cells)
    assert axis.weights.sum() == pytest.approx(axis.hi - axis.lo, rel=1e-12)
