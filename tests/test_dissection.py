"""Nested dissection: an order of elimination that any graph may trust and a grid's places make cheap."""

import numpy as np
import pytest
from hypothesis import given, settings

from fpsolve.kernels.gth import _invert
from fpsolve.solvers.dissection import dissection, graph_of, uphill
from tests.chains import FIVE, LONG, SEVEN, balanced, bowl, chains, grid


@settings(deadline=None, max_examples=40)
@given(chains())
def test_separators_keep_their_halves_apart(chain):
    shape, rates = chain
    graph, places = graph_of(rates, grid(shape))
    tree = dissection(graph, places).tree
    assert sorted(tree.order) == list(range(len(places)))
    assert np.array_equal(tree.order[tree.place], np.arange(len(places)))
    node = np.repeat(np.arange(tree.first.size - 1), np.diff(tree.first))
    for x in range(len(places)):
        k = node[tree.place[x]]
        later = tree.place[graph.neighbour[graph.pointer[x] : graph.pointer[x + 1]]]
        later = later[later >= tree.first[k + 1]]
        assert np.all(np.isin(later, tree.boundary[tree.pointer[k] : tree.pointer[k + 1]]))


def test_the_work_grows_like_the_cube_of_the_side():
    work = {}
    for n in (64, 128):
        graph, places = graph_of(balanced(np.zeros(n * n), (n, n), FIVE), grid((n, n)))
        work[n] = dissection(graph, places, 0).work.sum()
    assert work[128] / work[64] < 9.0
    shuffled = np.random.default_rng(1).permutation(places)  # places that lead nowhere
    assert dissection(graph, shuffled, 0).work.sum() > 20 * work[128]


def test_a_grid_of_long_offsets_is_cut_along_them():
    shape, work = (96, 96), {}
    for name, offsets in (("short", SEVEN), ("long", LONG)):
        graph, places = graph_of(balanced(np.zeros(9216), shape, offsets), grid(shape))
        work[name] = dissection(graph, places, 0).work.sum()
    assert work["long"] < 1.5 * work["short"]


@pytest.mark.parametrize("size", [1, 2, 17, 32, 64])
def test_the_inverse_of_a_panel_has_no_subtraction(size):
    rng = np.random.default_rng(size)
    block, leaving = rng.random((size, size)), 1e-9 * rng.random(size)
    np.fill_diagonal(block, 0.0)
    inverse = np.empty((size, size))
    assert _invert(block.copy(), leaving.copy(), np.zeros(size), inverse, np.zeros(1)) == -1
    assert inverse.min() > 0
    assert inverse @ leaving == pytest.approx(np.ones(size), rel=1e-13)  # whoever enters, leaves
    if size > 1:  # the control
        by_lapack = np.linalg.inv(np.diag(leaving + block.sum(axis=1)) - block)
        assert np.abs(by_lapack @ leaving - 1).max() > 1e-10


def test_a_state_that_leaves_only_as_underflow_may_is_reported():
    block, inverse, rate = np.array([[0.0, 1.0], [1.0, 0.0]]), np.empty((2, 2)), np.zeros(1)
    assert _invert(block.copy(), np.array([0.0, 1e-295]), np.full(2, 1e-306), inverse, rate) == 1
    assert rate[0] == 1e-295
    assert _invert(block.copy(), np.array([0.0, 1e-290]), np.full(2, 1e-306), inverse, rate) == -1


@pytest.mark.parametrize("shape", [(41,), (20, 31), (9, 8, 7)])
def test_the_path_of_favourable_rates_leads_to_the_peak(shape):
    log_p = bowl(shape, 50.0)
    graph, _ = graph_of(balanced(log_p, shape, [tuple(row) for row in np.eye(len(shape), dtype=int)]), grid(shape))
    assert log_p[uphill(graph)] == log_p.max()
