"""Direct solves of exponentials and three diagonals, against dense algebra; and GMRES."""

import time

import numpy as np
import pytest

import fpsolve as fp
from fpsolve.kernels.exponentials import apply_exponentials
from fpsolve.kernels.quasiseparable import factor, solve, solve_transposed
from fpsolve.solvers.gmres import gmres


def case(cells, terms, shift, seed=1):
    """(weights, decay, left, right, lower), diagonal, upper, and the matrix they stand for."""
    rng = np.random.default_rng(seed)
    decay, weights = rng.random((cells, terms)), rng.random(terms)
    decay[-1] = 0.0
    left, right, lower, upper = (rng.random(cells) for _ in range(4))
    lower, upper = -lower, -upper
    matrix = np.zeros((cells, cells))
    for i in range(cells):
        fall = np.ones(terms)
        for j in range(i - 1, -1, -1):
            fall *= decay[j]
            matrix[i, j] = -left[i] * (weights @ fall) * right[j]
            matrix[j, i] = -left[j] * (weights @ fall) * right[i]
    place = np.arange(cells - 1)
    matrix[place + 1, place] += lower[1:]
    matrix[place, place + 1] += upper[:-1]
    diagonal = -matrix.sum(axis=0) + shift
    return (weights, decay, left, right, lower), diagonal, upper, matrix + np.diag(diagonal)


def factored(parts, diagonal, upper):
    cells, terms = parts[1].shape
    kind = complex if np.iscomplexobj(diagonal) else float
    q, g, pivots = np.empty((cells, terms + 1), kind), np.empty((cells, terms + 1), kind), np.empty(cells, kind)
    factor(*parts, diagonal, upper, q, g, pivots)
    return q, g, pivots


@pytest.mark.parametrize("shift", [0.3, 0.2 + 1.5j], ids=["real", "complex"])
@pytest.mark.parametrize(("cells", "terms"), [(3, 1), (7, 4), (120, 9), (300, 30)])
def test_factors_solve_as_the_dense_matrix_does(cells, terms, shift):
    parts, diagonal, upper, matrix = case(cells, terms, shift)
    factors = factored(parts, diagonal, upper)
    b = np.random.default_rng(2).standard_normal(cells).astype(diagonal.dtype)
    y = np.empty_like(b)
    for run, dense in ((solve, matrix), (solve_transposed, matrix.T)):
        run(*parts, *factors, b, y)
        exact = np.linalg.solve(dense, b)
        assert np.abs(y - exact).max() < 1e-13 * np.abs(exact).max()


def test_a_wrong_entry_is_noticed():
    parts, diagonal, upper, matrix = case(50, 5, 0.3)
    factors = factored(parts, diagonal, upper)
    matrix[20, 21] *= 1.001
    b, y = np.ones(50), np.empty(50)
    solve(*parts, *factors, b, y)
    assert np.abs(y - np.linalg.solve(matrix, b)).max() > 1e-6 * np.abs(y).max()


def test_two_sweeps_apply_the_kernel():
    (weights, decay, _, _, _), *_ = case(40, 6, 0.0)
    v, y = np.random.default_rng(4).random(40), np.empty(40)
    apply_exponentials(weights, decay, v, y)
    expected = np.zeros(40)
    for i in range(40):
        for j in range(40):
            if i != j:
                expected[i] += weights @ np.prod(decay[min(i, j) : max(i, j)], axis=0) * v[j]
    assert y == pytest.approx(expected, rel=1e-13)


def test_columns_of_right_hand_sides_and_real_z_with_complex_ones():
    problem = fp.Problem(fp.Process(lambda x: -x, jumps=fp.Stable(1.2)), fp.Grid(x=fp.Axis.sinh(-50, 50, 450)))
    solver = fp.generator(problem).resolvent(0.8)
    b = np.random.default_rng(5).standard_normal((450, 2))
    assert solver.solve(b)[:, 1] == pytest.approx(solver.solve(b[:, 1]), rel=1e-12)
    both = solver.solve(b[:, 0] + 1j * b[:, 1])
    assert both.imag == pytest.approx(solver.solve(b[:, 1]), rel=1e-12)
    with pytest.raises(fp.InvalidInput, match=r"shape \(449,\); expected \(450,\)"):
        solver.solve(b[:-1, 0])
    with pytest.raises(fp.InvalidInput, match="z = 0 with no absorbing end"):
        fp.generator(problem).resolvent(0.0)


def test_at_zero_paths_that_absorbing_ends_stop_have_their_times():
    axis = fp.Axis.sinh(-50, 50, 450, ends=("absorbing", "open"))
    L = fp.generator(fp.Problem(fp.Process(lambda x: -x, jumps=fp.Stable(1.2)), fp.Grid(x=axis)))
    tau = L.resolvent(0.0).solve_adjoint(np.ones(450))
    assert L.adjoint(tau) == pytest.approx(-np.ones(450), abs=1e-8)
    assert tau.min() > 0.0


def test_gmres_solves_and_says_how():
    rng = np.random.default_rng(6)
    matrix = np.eye(80) + 0.05 * rng.standard_normal((80, 80))
    b = rng.standard_normal(80)
    x, history = gmres(lambda v: matrix @ v, b, 1e-12)
    assert np.linalg.norm(matrix @ x - b) <= 1e-12 * np.linalg.norm(b)
    assert history[0] == 1.0
    assert history[-1] <= 1e-12
    z, _ = gmres(lambda v: matrix @ v, b + 1j, 1e-12)
    assert z == pytest.approx(np.linalg.solve(matrix, b + 1j), rel=1e-9)
    assert gmres(lambda v: matrix @ v, np.zeros(80), 1e-12)[0] == pytest.approx(np.zeros(80))


def test_row_35_gmres_that_stalls_keeps_its_residuals():
    def shifted(v):  # a cyclic shift: nothing is won before the last product
        return np.roll(v, 1)

    b = np.zeros(200)
    b[0] = 1.0
    with pytest.raises(fp.NotConverged, match=r"stalls after 60 products at a residual of 1") as caught:
        gmres(shifted, b, 1e-12)
    assert len(caught.value.history) == 61
    assert caught.value.history[-1] == pytest.approx(1.0)
    assert caught.value.best.shape == (200,)


@pytest.mark.slow
def test_a_hundred_thousand_cells_are_factored_in_seconds():
    axis = fp.Axis.sinh(-1e4, 1e4, 100_000, scale=0.5)
    L = fp.generator(fp.Problem(fp.Process(lambda x: -(x**3), jumps=fp.Stable(1.0)), fp.Grid(x=axis)))
    b = np.random.default_rng(7).random(axis.cells)
    began = time.process_time()
    y = L.resolvent(1.0).solve(b)
    assert time.process_time() - began < 6.0
    assert y - L.apply(y) == pytest.approx(b, abs=1e-8 * np.abs(L.apply(y)).max())
