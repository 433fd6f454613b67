"""Null vectors in two and three dimensions: CPU time, memory and accuracy of each solver, and of what one writes today.

pytest benchmarks/bench_null_vectors.py --benchmark-enable        timings by pytest-benchmark
python -m benchmarks.bench_null_vectors                           the table; add 1024 or 64 for the large grids
"""

import resource
import sys
from functools import cache, partial

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import spsolve

import fpsolve as fp
from benchmarks.timing import cost
from fpsolve.errors import FpsolveError
from fpsolve.solvers.gth import GTH
from fpsolve.solvers.lu import SparseLU
from fpsolve.solvers.multigrid import Multigrid

PULL, NOISE = np.array([[1.0, 1.5], [-0.5, 1.0]]), np.array([[1.0, 0.4], [0.4, 0.5]])  # dX = -PULL X dt, D = NOISE
LONG = np.array([[1.0, 0.17], [0.17, 0.03]])  # offsets up to six cells; with this pull too, p is a round Gaussian
METHODS = {"GTH": GTH(), "SparseLU": SparseLU(), "Multigrid": Multigrid()}


def linear(n, pull, noise):
    """Linear drift and constant noise on a box of seven in units of the longest standard deviation."""
    drift = lambda *x: tuple(-sum(pull[i][j] * x[j] for j in range(len(x))) for i in range(len(x)))  # noqa: E731
    names = ("x", "y", "z")[: len(pull)]
    return fp.Problem(fp.Process(drift, tuple(map(tuple, noise))), fp.Grid(**dict.fromkeys(names, (-7, 7, n))))


PROBLEMS = {
    "two wells, five points": lambda n: fp.Problem(
        fp.Process(lambda x, y: (x - x**3, -y), 0.1), fp.Grid(x=(-2.5, 2.5, n), y=(-2, 2, n))
    ),
    "rotation, seven points": partial(linear, pull=PULL, noise=NOISE),
    "long offsets": partial(linear, pull=LONG, noise=LONG),
    "three dimensions, seven points": partial(linear, pull=np.eye(3), noise=np.diag([1.0, 0.8, 0.6])),
    "three dimensions, full tensor": partial(
        linear,
        pull=np.array([[1.0, 1.0, 0.0], [-1.0, 1.0, 0.5], [0.0, -0.5, 1.0]]),
        noise=np.array([[1.0, 0.2, 0.0], [0.2, 0.8, 0.1], [0.0, 0.1, 0.6]]),
    ),
}
FLAT, DEEP = (64, 128, 256), (16, 24, 32)  # cells along each axis


def sizes(name):
    return DEEP if "three" in name else FLAT


@cache
def chain(name, n):
    """The rates of a problem, and the places of its cells."""
    problem = PROBLEMS[name](n)
    rates = fp.generator(problem).rates()
    return rates, np.indices(problem.grid.shape).reshape(problem.grid.ndim, -1).T.copy()


def nine_points(n):
    """What one writes today for the rotation: central finite volumes, and the equation of one cell for p = 1 there."""
    h = 14.0 / n
    x = -7 + (np.arange(n) + 0.5) * h
    step = sparse.diags_array([-1 / h, 1 / h], offsets=[0, 1], shape=(n - 1, n))
    mean = sparse.diags_array([0.5, 0.5], offsets=[0, 1], shape=(n - 1, n))
    slope = sparse.diags_array([-0.5 / h, 0.5 / h], offsets=[-1, 1], shape=(n, n)).tolil()
    slope[0, :2] = slope[-1, -2:] = [-1 / h, 1 / h]
    one = sparse.eye_array(n)
    face, node = np.meshgrid(0.5 * (x[1:] + x[:-1]), x, indexing="ij")
    drift_x, drift_y = (-(PULL[k, k] * face + PULL[k, 1 - k] * node) for k in (0, 1))
    flux_x = sparse.diags_array(drift_x.ravel()) @ sparse.kron(mean, one) - NOISE[0, 0] * sparse.kron(step, one)
    flux_y = sparse.diags_array(drift_y.T.ravel()) @ sparse.kron(one, mean) - NOISE[1, 1] * sparse.kron(one, step)
    flux_x = flux_x - NOISE[0, 1] * sparse.kron(mean, slope)
    flux_y = flux_y - NOISE[0, 1] * sparse.kron(slope, mean)
    L = (sparse.kron(step.T, one) @ flux_x + sparse.kron(one, step.T) @ flux_y).tolil()
    middle = n * n // 2 + n // 2
    L.rows[middle], L.data[middle] = [middle], [1.0]
    return L.tocsc(), np.arange(n * n) == middle


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", PROBLEMS)
def test_null_vectors(benchmark, name, method):
    rates, places = chain(name, sizes(name)[0])
    benchmark.pedantic(METHODS[method].null_vector, (rates, places), rounds=3, warmup_rounds=1)


def test_nine_points_and_spsolve(benchmark):
    matrix, right = nine_points(64)
    benchmark.pedantic(spsolve, (matrix, right.astype(float)), rounds=3, warmup_rounds=1)


def row(name, n, methods=METHODS):
    rates, places = chain(name, n)
    reference = None
    for label in methods:
        call = partial(METHODS[label].null_vector, rates, places, progress=False)
        try:
            masses, seconds = cost(call, 3 if rates.shape[0] <= 70_000 else 1)
        except FpsolveError as error:
            print(f"{name:<34}{n:>6}  {label:<10} refuses: {str(error)[:90]}")
            continue
        reference = masses if reference is None else reference
        seen = reference > 1e-290
        apart = float(np.abs(masses[seen] / reference[seen] - 1).max())
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"{name:<34}{n:>6}  {label:<10}{seconds:>9.3f}{masses.min():>12.1e}{apart:>12.1e}{peak:>9.2f}")


def table(large):
    print(f"{'problem':<34}{'cells':>6}  {'method':<10}{'CPU s':>9}{'smallest':>12}{'from GTH':>12}{'peak GB':>9}")
    for name in PROBLEMS:
        chain.cache_clear()
        row(name, 16, ("GTH",))  # compiles
        for n in sizes(name):
            row(name, n)
    for n in (64, 128, 256):
        matrix, right = nine_points(n)
        p, seconds = cost(partial(spsolve, matrix, right.astype(float)), 3)
        print(f"{'rotation, nine points':<34}{n:>6}  {'spsolve':<10}{seconds:>9.3f}{p.min() / p.sum():>12.1e}")
    for n in large:
        for name in PROBLEMS:
            if ("three" in name) == (n < 256):
                chain.cache_clear()
                row(name, n, ("GTH",))


if __name__ == "__main__":
    table([int(word) for word in sys.argv[1:]])
