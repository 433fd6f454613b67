"""Throughput of the particle kernels on one core: SGD updates, normals, and a numpy loop for scale.

    pytest benchmarks/bench_sgd.py --benchmark-enable          timings by pytest-benchmark
    python -m benchmarks.bench_sgd                             the table: millions a second

An update is one step of one replica, all its weights.  The prototypes: 78 M updates/s/core at depth 1 with a Philox
block a step (106 M with a block for four), 62 M with batch 4; 25 M normals/s/core.
"""

import time
from functools import partial

import numpy as np
import pytest

from benchmarks.timing import rate, throughput
from fpsolve.kernels.random import NORMALS, fill_normals
from fpsolve.particles.sgd import diagonal_sgd

RANDOM = np.random.Generator(np.random.Philox(1))
X = RANDOM.standard_normal(442)
Y = 0.3 * X + RANDOM.standard_normal(442)
REPLICAS, STEPS, PARTICLES = 1600, 2000, 200_000
FEWEST = 40e6  # updates per second and core at depth 1, width 1, batch 1


def sgd(**how):
    return diagonal_sgd(X, Y, learning_rate=0.01, steps=STEPS, n=REPLICAS, seed=1, progress=False, **how)


def sgd_by_numpy():
    """The same walk as a numpy user writes it: all replicas a step, fifty steps."""
    random = np.random.Generator(np.random.Philox(1))
    u, w = np.full((2, REPLICAS), 0.5)
    for _ in range(50):
        i = random.integers(0, X.size, REPLICAS)
        m = 0.02 * (u * w * X[i] - Y[i]) * X[i]
        u, w = u - m * w, w - m * u


def normals(components):
    out = np.empty((PARTICLES, components))
    fill_normals(np.uint64(1), np.uint64(0), NORMALS, np.uint64(0), out)


def normals_by_numpy():
    np.random.Generator(np.random.Philox(1)).standard_normal(PARTICLES)


WORK = {  # name: (what to run, how many updates or normals that makes)
    "SGD depth 1": (sgd, REPLICAS * STEPS),
    "SGD depth 1, 2 threads": (partial(sgd, threads=2), REPLICAS * STEPS),
    "SGD depth 1, shuffled epochs": (partial(sgd, replacement=False), REPLICAS * STEPS),
    "SGD depth 1, batch 4": (partial(sgd, batch=4), REPLICAS * STEPS),
    "SGD depth 2": (partial(sgd, depth=2), REPLICAS * STEPS),
    "SGD depth 1, width 4": (partial(sgd, width=4), REPLICAS * STEPS),
    "SGD depth 1, numpy": (sgd_by_numpy, REPLICAS * 50),
    "normals, 1 a particle": (partial(normals, 1), PARTICLES),
    "normals, 2 a particle": (partial(normals, 2), 2 * PARTICLES),
    "normals, numpy": (normals_by_numpy, PARTICLES),
}


@pytest.mark.parametrize("name", WORK)
def test_throughput(benchmark, name):
    throughput(benchmark, *WORK[name])


def a_second(name):
    """How many a second of the clock, which threads shorten."""
    return rate(*WORK[name], repeats=7, clock=time.perf_counter)


def test_depth_one_reaches_forty_million_updates_a_second():
    assert a_second("SGD depth 1") > FEWEST


if __name__ == "__main__":
    for name in WORK:
        print(f"{name:32s} {a_second(name) / 1e6:8.1f} M/s")
