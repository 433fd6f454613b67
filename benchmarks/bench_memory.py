"""Fractional time: error and CPU time of contours and of L1, beside L1 that sums over its whole past.

    pytest benchmarks/bench_memory.py --benchmark-enable          timings by pytest-benchmark
    python -m benchmarks.bench_memory     the table: error, CPU seconds, states kept (L1) or solves (contours)

Ornstein-Uhlenbeck with memory .7 from N(2, .3^2), 1000 cells, t = 1; errors are L1 distances of the masses from the
eigenvectors of the same generator with Mittag-Leffler functions.  Naive L1 keeps every state and has dense weights.
"""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from pymittagleffler import mittag_leffler
from scipy.linalg import eigh_tridiagonal

import fpsolve as fp
from benchmarks.timing import cost
from fpsolve.initial import masses

BETA, T, REPEATS = 0.7, 1.0, 5
STEPS = (128, 512, 2048)


@dataclass(frozen=True)
class Run:
    """One solution."""

    error: float
    seconds: float
    vectors: int


def prepared(cells=1000, beta=BETA):
    problem = fp.Problem(fp.Process(lambda x: -x, 1.0, memory=beta), fp.Grid(x=(-8, 8, cells)))
    return fp.generator(problem), masses(fp.Gaussian(2.0, 0.3), problem.grid).ravel()


def exact(L, m0, beta, t):
    edges = L.edges
    log_m = np.append(0.0, np.cumsum(np.log(edges.up) - np.log(edges.down)))
    root = np.exp(0.5 * (log_m - log_m.max()))
    values, vectors = eigh_tridiagonal(L.rates().diagonal(), np.sqrt(edges.up * edges.down))
    return root * (
        vectors @ (mittag_leffler(np.minimum(values, 0.0) * t**beta, beta, 1.0).real * (vectors.T @ (m0 / root)))
    )


def contour(L, m0, t):
    m, info = fp.Contour().states(L, m0, np.atleast_1d(t))
    return m[-1], info.steps


def fast(L, m0, t, steps):
    m, info = fp.FastL1(steps=steps).states(L, m0, np.atleast_1d(t))
    return m[-1], int(info.notes[0].split("past in ")[1].split()[0])


def naive(L, m0, t, steps):
    """Graded L1 with every increment kept."""
    times = t * (np.arange(steps + 1) / steps) ** ((2 - BETA) / BETA)
    lengths = np.diff(times)
    increments, m = np.zeros((steps, m0.size)), m0
    for k in range(steps):
        ages = times[k + 1] - times[:k]
        weights = -(ages ** (1 - BETA)) * np.expm1((1 - BETA) * np.log1p(-lengths[:k] / ages))
        weights = np.append(weights, lengths[k] ** (1 - BETA))
        weights /= lengths[: k + 1] * math.gamma(2 - BETA)
        z = weights[-1]
        increments[k] = L.resolvent(z).solve(L.apply(m) - weights[:-1] @ increments[:k])
        m = m + increments[k]
    return m, steps


METHODS = {
    "Contour": contour,
    **{f"FastL1({n} steps)": lambda L, m0, t, n=n: fast(L, m0, t, n) for n in STEPS},
    **{f"naive L1, {n} steps": lambda L, m0, t, n=n: naive(L, m0, t, n) for n in STEPS},
}


def solved(method, repeats=REPEATS):
    L, m0 = prepared()
    (m, vectors), seconds = cost(lambda: METHODS[method](L, m0, T), repeats)
    return Run(float(np.abs(m - exact(L, m0, BETA, T)).sum()), seconds, vectors)


@pytest.mark.parametrize("beta", [0.3, 0.5, 0.7, 0.9])
def test_a_contour_takes_ten_milliseconds_a_time(beta):
    L, m0 = prepared(beta=beta)
    (m, _), seconds = cost(lambda: contour(L, m0, T), 15)
    assert np.abs(m - exact(L, m0, beta, T)).sum() < 1e-9
    assert seconds < 0.01


def test_twenty_times_of_a_decade_cost_less_than_five_times_one():
    L, m0 = prepared()
    one = cost(lambda: contour(L, m0, T), 15)[1]
    assert cost(lambda: contour(L, m0, np.geomspace(0.1 * T, T, 20)), 15)[1] < 5.0 * one


def test_a_short_memory_errs_no_more_than_the_whole_and_is_short():
    short, whole = solved("FastL1(512 steps)", 1), solved("naive L1, 512 steps", 1)
    assert short.error == pytest.approx(whole.error, rel=1e-3)
    assert short.vectors < 80


def test_a_short_memory_costs_less_where_there_are_many_steps():
    assert solved("FastL1(2048 steps)", 1).seconds < 0.8 * solved("naive L1, 2048 steps", 1).seconds


@pytest.mark.parametrize("method", ["Contour", "FastL1(512 steps)", "naive L1, 512 steps"])
def test_timing(benchmark, method):
    L, m0 = prepared()
    benchmark(METHODS[method], L, m0, T)


def main():
    for method in METHODS:
        run = solved(method, 1 if "2048" in method else 3)
        print(f"  {method:24s} error {run.error:.1e}  {run.seconds:8.4f} s  {run.vectors:5d} vectors or solves")


if __name__ == "__main__":
    main()
