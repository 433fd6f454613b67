"""Throughput of the engines of real SGD on one core, beside what one would otherwise write, and normals for scale.

    pytest benchmarks/bench_engines.py --benchmark-enable      timings by pytest-benchmark
    python -m benchmarks.bench_engines                         the table: millions a second, and per normal

An update is one step of one replica, all its weights, on one sample.  The same 4-4-4 linear network by numpy, and by
JAX (compiled, a scan over steps) where it is installed: all replicas at once, a pass over them per step.
"""

import importlib.util
from functools import cache, partial

import numpy as np
import pytest

from benchmarks.bench_sgd import normals, normals_by_numpy
from benchmarks.bench_sgd import sgd as pair
from benchmarks.timing import rate, throughput
from fpsolve.models import DenseNetwork, GaussianSamples

REPLICAS, STEPS, NORMALS = 1600, 2000, 400_000
MAP = np.random.Generator(np.random.Philox(1)).standard_normal((4, 4)) / 2
FRESH = GaussianSamples(MAP, 1.0, 0.1)
DATA = FRESH.drawn(442, seed=1)
RATE, START = 0.005, np.tile(np.eye(4), (2, 1, 1))
FEWEST = {"pair": 40e6, "4-4-4 linear": 10e6}  # updates per second and core, on a core that makes 25 million normals/s
SLOW_CORE = 25e6


def dense(data=DATA, steps=STEPS, hidden=(4,), start="xavier", replacement=True, **how):
    net = DenseNetwork(data, hidden, learning_rate=RATE, **how)
    net.sgd(steps, REPLICAS, seed=1, start=start, progress=False, replacement=replacement)


def by_numpy(steps=50):
    """All replicas a step, as a numpy user writes it."""
    random = np.random.Generator(np.random.Philox(1))
    W, U = (np.tile(matrix, (REPLICAS, 1, 1)) for matrix in START)
    for _ in range(steps):
        i = random.integers(0, DATA.n, REPLICAS)
        x, y = DATA.x[i][:, :, None], DATA.y[i][:, :, None]
        h = W @ x
        e = 2 * (U @ h - y)
        W, U = W - RATE * (np.swapaxes(U, 1, 2) @ e) * np.swapaxes(x, 1, 2), U - RATE * e * np.swapaxes(h, 1, 2)


def by_loops(steps=200):
    """One replica, a plain loop over steps."""
    random = np.random.Generator(np.random.Philox(1))
    W, U = START
    for _ in range(steps):
        i = random.integers(DATA.n)
        x, y = DATA.x[i], DATA.y[i]
        h = W @ x
        e = 2 * (U @ h - y)
        W, U = W - RATE * np.outer(U.T @ e, x), U - RATE * np.outer(e, h)


@cache
def jax_walk():
    import jax

    jax.config.update("jax_enable_x64", True)
    x, y = jax.numpy.asarray(DATA.x), jax.numpy.asarray(DATA.y)

    def loss(weights, i):
        W, U = weights
        return jax.numpy.sum((U @ (W @ x[i]) - y[i]) ** 2)

    slope = jax.vmap(jax.grad(loss))

    def step(weights, key):
        i = jax.random.randint(key, (REPLICAS,), 0, DATA.n)
        return jax.tree_util.tree_map(lambda w, g: w - RATE * g, weights, slope(weights, i)), None

    return jax.jit(lambda weights, keys: jax.lax.scan(step, weights, keys)[0])


def by_jax(steps=200):
    import jax

    weights = tuple(jax.numpy.asarray(np.tile(matrix, (REPLICAS, 1, 1))) for matrix in START)
    jax.block_until_ready(jax_walk()(weights, jax.random.split(jax.random.PRNGKey(1), steps)))


UPDATES = REPLICAS * STEPS
WORK = {  # name: (what to run, how many updates or normals that makes)
    "normals": (partial(normals, 2), NORMALS),
    "normals, numpy": (normals_by_numpy, NORMALS // 2),
    "pair": (pair, UPDATES),
    "pair as a dense network": (partial(dense, hidden=(1,), data=GaussianSamples([[0.3]]).drawn(442, 1)), UPDATES),
    "4-4-4 linear": (dense, UPDATES),
    "4-4-4 linear, shuffled epochs": (partial(dense, replacement=False), UPDATES),
    "4-4-4 linear, batch 4": (partial(dense, batch=4), UPDATES),
    "4-4-4 linear, momentum": (partial(dense, momentum=0.5), UPDATES),
    "4-4-4 linear, clipped": (partial(dense, clip=1.0), UPDATES),
    "4-4-4 linear, fresh samples (8 normals)": (partial(dense, FRESH), UPDATES),
    "4-4-4-4 linear chain": (partial(dense, hidden=(4, 4)), UPDATES),
    "4-4-4 leaky ReLU": (partial(dense, activation="leaky_relu"), UPDATES),
    "4-4-4 tanh": (partial(dense, activation="tanh"), UPDATES),
    "4-4-4 swish": (partial(dense, activation="swish"), UPDATES),
    "4-4-4 tanh, Net-B": (partial(dense, activation="tanh", normalised="each"), UPDATES),
    "4-40-4 linear": (partial(dense, steps=200, hidden=(40,)), REPLICAS * 200),
    "4-4-4 linear, numpy": (by_numpy, REPLICAS * 50),
    "4-4-4 linear, numpy, one replica": (by_loops, 200),
}
if importlib.util.find_spec("jax"):
    WORK["4-4-4 linear, JAX"] = (by_jax, REPLICAS * 200)


@pytest.mark.parametrize("name", WORK)
def test_throughput(benchmark, name):
    throughput(benchmark, *WORK[name])


def a_second(name):
    """How many a CPU second."""
    return rate(*WORK[name], repeats=5)


@pytest.mark.parametrize("name", FEWEST)
def test_engines_are_as_fast_as_promised(name):
    core = a_second("normals")
    assert a_second(name) > FEWEST[name] * min(1.0, core / SLOW_CORE)


if __name__ == "__main__":
    core = a_second("normals")
    for name in WORK:
        found = a_second(name)
        print(f"{name:42s} {found / 1e6:9.3f} M/s {found / core:8.3f} of the normals")
