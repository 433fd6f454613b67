"""Densities in motion: error and CPU time, beside what scipy offers for the same generator.

    pytest benchmarks/bench_evolve.py --benchmark-enable          timings by pytest-benchmark
    python -m benchmarks.bench_evolve     the table: error in time, CPU seconds, smallest p, mass

solve_ivp(BDF) with the Jacobian given, expm_multiply, and Crank-Nicolson with one sparse LU, all on `L.rates()`; the
generator is assembled beforehand for everyone.  Errors are L1 distances of the masses from Krylov(tol=1e-12).
"""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
from scipy import sparse
from scipy.integrate import solve_ivp
from scipy.sparse.linalg import expm_multiply, splu

import fpsolve as fp
from benchmarks.timing import cost
from fpsolve.initial import masses

BDF_SHARE = {"Ornstein-Uhlenbeck": 0.3, "double well, 128 x 128": 0.4}  # of the CPU time of BDF: what Krylov may take
REPEATS = 5


@dataclass(frozen=True)
class Run:
    """One solution."""

    error: float
    seconds: float
    smallest: float
    mass_error: float


def ornstein_uhlenbeck(cells=1600):
    """dX = -X dt + sqrt(2) dW from N(2, .1) on +-7."""
    return fp.Problem(fp.Process(lambda x: -x, 1.0), fp.Grid(x=(-7, 7, cells))), fp.Gaussian(2.0, cov=0.1), 1.0


def double_well(cells):
    """U = (x^2 - 1)^2/4 + y^2/2, D = .1, from a Gaussian at (-1, .3)."""
    grid = fp.Grid(x=(-2, 2, cells), y=(-2, 2, cells))
    process = fp.Process(lambda x, y: (x - x**3, -y), 0.1)
    return fp.Problem(process, grid), fp.Gaussian((-1.0, 0.3), 0.15), 2.0


PROBLEMS = {
    "Ornstein-Uhlenbeck": ornstein_uhlenbeck(),
    "double well, 64 x 64": double_well(64),
    "double well, 128 x 128": double_well(128),
}


def krylov(L, m0, t):
    return fp.Krylov().states(L, m0, [t])[0][0]


def tr_bdf2(L, m0, t):
    return fp.TRBDF2(rtol=1e-4).states(L, m0, [t])[0][0]


def bdf(L, m0, t):
    M = L.rates()
    return solve_ivp(lambda _, m: M @ m, (0, t), m0, method="BDF", jac=M, rtol=1e-6, atol=1e-9 * m0.max()).y[:, -1]


def exponential(L, m0, t):
    return expm_multiply(t * L.rates(), m0)


def crank_nicolson(L, m0, t, steps=200):
    M, one = L.rates(), sparse.identity(L.size, format="csc")
    factors, right = splu((one - 0.5 * t / steps * M).tocsc()), one + 0.5 * t / steps * M
    m = m0
    for _ in range(steps):
        m = factors.solve(right @ m)
    return m


METHODS = {
    "Krylov": krylov,
    "TRBDF2(rtol=1e-4)": tr_bdf2,
    "solve_ivp(BDF, rtol=1e-6)": bdf,
    "expm_multiply": exponential,
    "Crank-Nicolson, 200 steps": crank_nicolson,
}


def prepared(name):
    problem, start, t = PROBLEMS[name]
    return fp.generator(problem), masses(start, problem.grid).ravel(), t


def solved(name, method, repeats=REPEATS):
    """The answer's error, and the median of `repeats` CPU times."""
    L, m0, t = prepared(name)
    exact = fp.Krylov(tol=1e-12).states(L, m0, [t])[0][0]
    m, seconds = cost(partial(METHODS[method], L, m0, t), repeats)
    lowest = float(m.min() / m.max())
    return Run(float(np.abs(m - exact).sum()), seconds, lowest, abs(float(m.sum() - m0.sum())))


@pytest.mark.parametrize("name", list(BDF_SHARE))
def test_krylov_beside_bdf_on_the_same_generator(name):
    ours, other = solved(name, "Krylov"), solved(name, "solve_ivp(BDF, rtol=1e-6)", 3)
    assert ours.error < 1e-9 < other.error
    assert ours.seconds < BDF_SHARE[name] * other.seconds
    assert ours.smallest > -1e-15
    assert ours.mass_error < 1e-13


def test_ornstein_uhlenbeck_is_right_to_its_cells():
    problem, start, t = PROBLEMS["Ornstein-Uhlenbeck"]
    p = fp.evolve(problem, start, [t])[0]
    var = 1.0 - 0.9 * math.exp(-2.0 * t)
    exact = np.exp(-((problem.grid.nodes[0] - 2 * math.exp(-t)) ** 2) / (2 * var)) / math.sqrt(2 * math.pi * var)
    assert np.sum(problem.grid.weights * np.abs(p.values - exact)) < 1.5e-5


def test_twenty_times_of_a_decade_cost_at_most_three_times_one():
    for name in BDF_SHARE:
        L, m0, t = prepared(name)
        many, one = (
            cost(partial(fp.Krylov().states, L, m0, times), REPEATS)[1] for times in (np.geomspace(0.1 * t, t, 20), [t])
        )
        assert many < 3.0 * one


@pytest.mark.parametrize("name", list(PROBLEMS))
@pytest.mark.parametrize("method", ["Krylov", "solve_ivp(BDF, rtol=1e-6)"])
def test_timing(benchmark, name, method):
    L, m0, t = prepared(name)
    benchmark(METHODS[method], L, m0, t)


def main():
    for name in PROBLEMS:
        print(name)
        for method in METHODS:
            run = solved(name, method)
            print(
                f"  {method:27s} error {run.error:.1e}  {run.seconds:7.4f} s  min p {run.smallest:+.0e} of the peak  "
                f"mass {run.mass_error:.0e}"
            )


if __name__ == "__main__":
    main()
