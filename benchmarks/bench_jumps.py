"""Stable jumps: error and CPU time of stationary densities and exit times, beside a dense script on equal cells.

    pytest benchmarks/bench_jumps.py --benchmark-enable          timings by pytest-benchmark
    python -m benchmarks.bench_jumps      the tables: error, tail, CPU seconds of assembly and of the solve

The quartic well with Cauchy jumps, p = 1/(pi (1 - x^2 + x^4)), and the mean exit time of (-1, 1) for alpha = 1.  The
script is what one would write: the singular integral by a punctured sum with its second-order correction on equal
cells, upwind drift, nothing beyond the ends, numpy.linalg.
"""

import time
from dataclasses import dataclass

import numpy as np
import pytest

import fpsolve as fp

REACH = 1e4  # of the well's axis; the script reaches as far as its cells allow
REPEATS = 3


@dataclass(frozen=True)
class Run:
    """One solution: its largest error, the relative one of the tail at x = 20, and CPU seconds."""

    error: float
    tail: float
    assembly: float
    solve: float


def exact(x):
    return 1.0 / (np.pi * (1.0 - x**2 + x**4))


def dense_laplacian(cells, reach, killed):
    """-(-Laplacian)^(1/2) of densities on equal cells; killed: whether what leaves is lost, or kept inside."""
    h = 2.0 * reach / cells
    x = -reach + h * (np.arange(cells) + 0.5)
    distance = np.abs(x[:, None] - x[None, :])
    np.fill_diagonal(distance, 1.0)
    matrix = h / (np.pi * distance**2)
    np.fill_diagonal(matrix, 0.0)
    near = 0.5 / (np.pi * h)  # -zeta(0)/(pi h): what the punctured sum misses
    matrix += near * (np.eye(cells, k=1) + np.eye(cells, k=-1))
    outside = (1.0 / (reach - x) + 1.0 / (reach + x)) / np.pi if killed else 0.0
    matrix -= np.diag(matrix.sum(axis=0) + outside)
    return x, h, matrix


def script_well(cells, reach):
    began = time.process_time()
    x, h, matrix = dense_laplacian(cells, reach, killed=False)
    face = -((x[:-1] + 0.5 * h) ** 3) / h
    up, down = np.maximum(face, 0.0), np.maximum(-face, 0.0)
    i = np.arange(cells - 1)
    matrix[i + 1, i] += up
    matrix[i, i] -= up
    matrix[i, i + 1] += down
    matrix[i + 1, i + 1] -= down
    middle = time.process_time()
    matrix[cells // 2] = h
    b = np.zeros(cells)
    b[cells // 2] = 1.0
    p = np.linalg.solve(matrix, b)
    ended = time.process_time()
    return _run(x, p, middle - began, ended - middle)


def package_well(cells, scheme):
    axis = fp.Axis.sinh(-REACH, REACH, cells, scale=0.5)
    process = fp.Process(lambda x: -(x**3), jumps=fp.Stable(1.0))
    problem = fp.Problem(process, fp.Grid(x=axis), scheme)
    began = time.process_time()
    fp.generator(problem)
    middle = time.process_time()
    p = fp.stationary(problem)
    ended = time.process_time()
    return _run(axis.nodes, p.values, middle - began, ended - middle)


def _run(x, p, assembly, solve):
    tail = float(np.interp(20.0, x, p / exact(x)) - 1.0)
    return Run(float(np.abs(p - exact(x)).max()), abs(tail), assembly, solve)


def script_exit(cells):
    began = time.process_time()
    x, _, matrix = dense_laplacian(cells, 1.0, killed=True)
    tau = np.linalg.solve(-matrix.T, np.ones(cells))
    return float(np.abs(tau - np.sqrt(1.0 - x**2)).max()), time.process_time() - began


def package_exit(cells):
    axis = fp.Axis.tanh(-1, 1, cells, reach=14, ends="absorbing")
    problem = fp.Problem(fp.Process(0.0, jumps=fp.Stable(1.0)), fp.Grid(x=axis))
    began = time.process_time()
    tau = fp.mean_exit_time(problem)
    return float(np.abs(tau.values - np.sqrt(1.0 - axis.nodes**2)).max()), time.process_time() - began


WELLS = {
    "fpsolve, Accurate, 801 cells": lambda: package_well(801, fp.Accurate()),
    "fpsolve, Accurate, 4001 cells": lambda: package_well(4001, fp.Accurate()),
    "fpsolve, Positive, 801 cells": lambda: package_well(801, fp.Positive()),
    "fpsolve, Positive, 100,000 cells": lambda: package_well(100_000, fp.Positive()),
    "dense script, 801 cells to 25": lambda: script_well(801, 25.0),
    "dense script, 3201 cells to 25": lambda: script_well(3201, 25.0),
    "dense script, 3201 cells to 100": lambda: script_well(3201, 100.0),
}
EXITS = {
    "fpsolve, 201 cells": lambda: package_exit(201),
    "fpsolve, 801 cells": lambda: package_exit(801),
    "dense script, 801 cells": lambda: script_exit(801),
    "dense script, 3201 cells": lambda: script_exit(3201),
}


def median(call, repeats=REPEATS):
    """The run that takes the median of the CPU times."""
    runs = [call() for _ in range(repeats)]
    return sorted(runs, key=lambda run: run.solve if isinstance(run, Run) else run[1])[repeats // 2]


def test_the_tail_needs_an_axis_of_many_decades():
    script, package = WELLS["dense script, 801 cells to 25"](), WELLS["fpsolve, Accurate, 801 cells"]()
    assert package.error < 1e-5 < 1e-3 < script.error
    assert package.tail < 1e-4 < 0.1 < script.tail


def test_the_edge_needs_a_clustered_axis():
    assert package_exit(801)[0] < 1e-5 < 1e-3 < script_exit(801)[0]


def test_a_solve_grows_with_the_cells_and_not_with_their_cube():
    few, many = (median(lambda n=n: package_well(n, fp.Positive())).solve for n in (5_000, 20_000))
    assert many < 8.0 * few


@pytest.mark.parametrize("name", ["fpsolve, Accurate, 801 cells", "dense script, 801 cells to 25"])
def test_timing(benchmark, name):
    benchmark(WELLS[name])


def main():
    for name, call in WELLS.items():
        run = median(call)
        print(f"  {name:34s} error {run.error:.1e}  tail {run.tail:.1e}  {run.assembly:.3f} + {run.solve:.3f} s")
    for name, call in EXITS.items():
        error, seconds = median(call)
        print(f"  exit time: {name:34s} error {error:.1e}  {seconds:.3f} s")


if __name__ == "__main__":
    main()
