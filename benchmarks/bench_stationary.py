"""Stationary densities: error and CPU time of fpsolve and of forty lines of scipy, problem by problem.

pytest benchmarks/bench_stationary.py --benchmark-enable          timings by pytest-benchmark
python -m benchmarks.bench_stationary                             the table: error and CPU milliseconds
"""

from functools import partial

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

import fpsolve as fp
from benchmarks.by_hand import stationary_by_hand
from benchmarks.timing import cpu_ms
from fpsolve.models import DiagonalNetwork, Moments

MOMENTS, TEMPERATURE = Moments(2, 2, 3, 1, 1), 0.1


def c(v):
    return 2 * v**2 - 4 * v + 3


PROBLEMS = {
    "Ornstein-Uhlenbeck": (lambda x: -x, lambda x: 1.0 + 0.0 * x, -8.0, 8.0, lambda x: -(x**2) / 2),
    "double well, T = .1": (lambda x: x - x**3, lambda x: 0.1 + 0.0 * x, -3.0, 3.0, lambda x: 5 * x**2 - 2.5 * x**4),
    "rotating D": (
        lambda x: -x,
        lambda x: 1.0 + 0.5 * np.sin(2 * x),
        -6.0,
        6.0,
        None,
    ),
    "diagonal network, depth 1, T = .1": (
        lambda v: -4 * v * (v - 1) + 4 * TEMPERATURE * v * c(v),
        lambda v: 8 * TEMPERATURE * v**2 * c(v),
        1e-6,
        1e6,
        None,
    ),
}
BY_HAND_RANGE = {"diagonal network, depth 1, T = .1": (1e-3, 30.0)}  # a uniform grid has no use for twelve decades
SIZES = (400, 1000, 10_000, 100_000)


def fpsolve_density(name, cells):
    drift, diffusion, lo, hi, _ = PROBLEMS[name]
    axis = fp.Axis.log(lo, hi, cells) if lo > 0 else fp.Axis.uniform(lo, hi, cells)
    return fp.stationary(fp.Problem(fp.Process(drift, diffusion), fp.Grid(x=axis)))


def reference(name):
    """ln p up to a constant, to about 1e-14: the closed form, or a very fine log-space integral."""
    _, _, _, _, exact = PROBLEMS[name]
    if exact is not None:
        return exact
    if "network" in name:
        return DiagonalNetwork.from_moments(MOMENTS, TEMPERATURE).exact_density().log
    x = np.linspace(-6, 6, 40_001)  # 12-point Gauss-Legendre on each piece, spline between
    h = 12.0 / 40_000
    points, weights = np.polynomial.legendre.leggauss(12)
    between = 0.5 * (x[:-1, None] + x[1:, None]) + 0.5 * h * points
    pieces = (-between / (1 + 0.5 * np.sin(2 * between))) @ weights * 0.5 * h
    sums = np.cumsum(pieces, dtype=np.longdouble).astype(float)
    integral = CubicSpline(x, np.concatenate([[0.0], sums]))
    return lambda y: integral(y) - np.log(1 + 0.5 * np.sin(2 * y))


def worst_error(x, p, log_reference):
    """Largest relative error where p exceeds 1e-12 of its peak, both scaled by their value at the peak."""
    logs = log_reference(x)
    peak = int(np.argmax(p))
    seen = p > 1e-12 * p.max()
    return float(np.abs(p[seen] / p[peak] / np.exp(logs[seen] - logs[peak]) - 1).max())


def by_hand(name, cells):
    drift, diffusion, lo, hi, _ = PROBLEMS[name]
    return stationary_by_hand(drift, diffusion, *BY_HAND_RANGE.get(name, (lo, hi)), cells)


@pytest.mark.parametrize("name", PROBLEMS)
def test_fpsolve_400_cells(benchmark, name):
    benchmark(fpsolve_density, name, 400)


@pytest.mark.parametrize("name", PROBLEMS)
def test_by_hand_400_cells(benchmark, name):
    benchmark(by_hand, name, 400)


def test_fpsolve_million_cells(benchmark):
    benchmark.pedantic(fpsolve_density, ("diagonal network, depth 1, T = .1", 1_000_000), rounds=3, warmup_rounds=1)


def table():
    print(f"{'problem':<36}{'cells':>9}{'fpsolve error':>15}{'CPU ms':>9}{'by hand error':>16}{'CPU ms':>9}")
    for name in PROBLEMS:
        log_reference = reference(name)
        for cells in SIZES:
            p = fpsolve_density(name, cells)
            ours = worst_error(p.grid.nodes[0], p.values, log_reference)
            our_ms = cpu_ms(partial(fpsolve_density, name, cells), 20 if cells <= 1000 else 3)
            x, q = by_hand(name, cells)
            theirs = worst_error(x, q, log_reference)
            their_ms = cpu_ms(partial(by_hand, name, cells), 20 if cells <= 1000 else 3)
            print(f"{name:<36}{cells:>9}{ours:>15.1e}{our_ms:>9.2f}{theirs:>16.1e}{their_ms:>9.2f}")
    ms = cpu_ms(partial(fpsolve_density, "diagonal network, depth 1, T = .1", 1_000_000), 3)
    print(f"diagonal network, 1,000,000 cells: {ms:.0f} CPU ms")


if __name__ == "__main__":
    table()
