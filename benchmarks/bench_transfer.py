"""The exact law of SGD: error and CPU time of `fp.transfer`, beside replicas of the same SGD, compiled and by numpy.

    pytest benchmarks/bench_transfer.py --benchmark-enable       timings by pytest-benchmark
    python -m benchmarks.bench_transfer    the table: error of the mean, CPU seconds; a number adds so many replicas

The two-layer network on the data of cases/diabetes_sgd.py at .3 T_c.  Replicas run from the minimum until they forget
it; their mean has the standard error sqrt(var/n), so what a million cost, and what as many as fit into the time of the
exact law are worth, follow from how many run in a second.
"""

import sys
from functools import cache, partial

import numpy as np
import pytest

import fpsolve as fp
from benchmarks.timing import cost, rate
from cases.diabetes_sgd import RELAXATION_TIMES, network

NET = network(0.3)
NODES, REFERENCE, MILLION = 1000, 4000, 10**6
MOST = 0.5  # CPU seconds of the exact law


def exact_law(nodes=NODES):
    return fp.transfer(NET, nodes)


@cache
def reference():
    law = exact_law(REFERENCE)
    return law.mean(), law.var()


@cache
def steps():
    """How many make a replica forget its start."""
    slowest = fp.stationary(NET.problem()).info.relaxation_time[1]
    return int(np.ceil(RELAXATION_TIMES * slowest / NET.learning_rate))


def compiled(replicas):
    return NET.sgd(steps(), replicas, seed=1, start=NET.minimum, progress=False).positions[-1, :, 0]


def by_numpy(replicas, count):
    """All replicas a step, as a numpy user writes it."""
    random = np.random.Generator(np.random.Philox(1))
    x, y, eta = NET.data.x, NET.data.y, NET.learning_rate
    u = w = np.full(replicas, np.sqrt(NET.minimum))
    for _ in range(count):
        i = random.integers(0, x.size, replicas)
        g = 2.0 * eta * (u * w * x[i] - y[i]) * x[i]
        u, w = u - g * w, w - g * u
    return u * w


def replicas_a_second():
    few = 1600
    return {
        "replicas, compiled": rate(partial(compiled, few), few, repeats=3),
        "replicas, numpy": rate(partial(by_numpy, few, 200), few * 200 / steps(), repeats=3),
    }


def error(mean):
    """Of the mean, relative."""
    return abs(mean / reference()[0] - 1.0)


def standard_error(replicas):
    """Of the mean of so many replicas, relative."""
    mean, var = reference()
    return np.sqrt(var / replicas) / mean


def test_exact_law(benchmark):
    benchmark(exact_law)


def test_replicas(benchmark):
    compiled(10)
    benchmark.pedantic(compiled, (1000,), rounds=3)


def test_a_thousand_nodes_are_exact_to_rounding_in_half_a_second():
    exact_law()
    law, seconds = cost(exact_law, 5)
    assert error(law.mean()) < 1e-12
    assert law.var() == pytest.approx(reference()[1], rel=1e-11)
    assert seconds < MOST


def test_replicas_have_the_exact_law_but_not_its_digits():
    found = compiled(1000)
    assert 1e-4 < error(found.mean()) < 4.0 * standard_error(found.size)


def table(counts):
    print(f"{'':20}{'nodes, replicas':>16}{'error':>10}{'standard error':>16}{'CPU s':>10}")
    exact_law()
    for nodes in (250, 500, NODES):
        law, seconds = cost(partial(exact_law, nodes), 5)
        print(f"{'exact law':20}{nodes:>16}{error(law.mean()):>10.1e}{'':>16}{seconds:>10.3f}")
    for count in counts:
        found, took = cost(partial(compiled, count), 1)
        row = f"{error(found.mean()):>10.1e}{standard_error(count):>16.1e}{took:>10.2f}"
        print(f"{'replicas, compiled':20}{count:>16}{row}")
    for how, speed in replicas_a_second().items():
        for count in (MILLION, max(1, int(speed * seconds))):
            print(f"{how:20}{count:>16}{'':>10}{standard_error(count):>16.1e}{count / speed:>10.2f}  by their rate")


if __name__ == "__main__":
    table([1000, 10_000, *map(int, sys.argv[1:])])
