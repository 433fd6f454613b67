"""Throughput of simulated paths on one core: stable variates beside normals and scipy's sampler, and whole steps.

    pytest benchmarks/bench_particles.py --benchmark-enable    timings by pytest-benchmark
    python -m benchmarks.bench_particles                       the table: nanoseconds each, median of a few runs

A step is one of one particle: drift, noise and jumps, ends, and what is checked.  The prototype: 180 ns per stable
increment.
"""

from functools import partial

import numpy as np
import pytest
from scipy.stats import levy_stable

import fpsolve as fp
from benchmarks.timing import cpu_ms
from fpsolve.kernels.random import JUMPS, NORMALS, fill_normals
from fpsolve.particles.leaps import stable_variates, waits

KEY, PARTICLES, STEPS = np.uint64(1), 100_000, 20
IDS = np.arange(PARTICLES)
MOST = 180.0  # ns per stable variate
LINE = fp.Grid(x=fp.Axis.sinh(-1e3, 1e3, 201))
PLANE = fp.Grid(x=LINE.axes[0], y=LINE.axes[0])


def normals():
    fill_normals(KEY, np.uint64(0), NORMALS, np.uint64(0), np.empty((PARTICLES, 2)))


def paths(grid=LINE, **process):
    drift = (lambda x: -x) if grid.ndim == 1 else (lambda x, y: (-x, -y))
    start = fp.Point(*(0.0,) * grid.ndim)
    problem = fp.Problem(fp.Process(drift, **process), grid)
    fp.simulate(problem, start, [STEPS * 0.01], dt=0.01, n=PARTICLES, seed=1, progress=False)


WORK = {  # name: (what to run, how many that makes)
    "normals": (normals, 2 * PARTICLES),
    "stable, alpha 1": (partial(stable_variates, KEY, 0, JUMPS, IDS, 1.0), PARTICLES),
    "stable, alpha 1.5": (partial(stable_variates, KEY, 0, JUMPS, IDS, 1.5), PARTICLES),
    "stable, alpha 1.5, skew .5": (partial(stable_variates, KEY, 0, JUMPS, IDS, 1.5, 0.5), PARTICLES),
    "waiting times, memory .7": (partial(waits, KEY, 0, IDS, 0.7), PARTICLES),
    "stable by scipy": (partial(levy_stable.rvs, 1.5, 0.0, size=PARTICLES, random_state=1), PARTICLES),
    "step, diffusion": (partial(paths, diffusion=1.0), PARTICLES * STEPS),
    "step, jumps": (partial(paths, jumps=fp.Stable(1.5)), PARTICLES * STEPS),
    "step, isotropic jumps of two axes": (partial(paths, PLANE, jumps=fp.Stable(1.5)), PARTICLES * STEPS),
}


@pytest.mark.parametrize("name", WORK)
def test_throughput(benchmark, name):
    work, count = WORK[name]
    work()
    benchmark.pedantic(work, rounds=5)
    if benchmark.stats:
        benchmark.extra_info["nanoseconds"] = 1e9 * benchmark.stats.stats.median / count


def nanoseconds(name, repeats=7):
    """CPU time of each: the median of a few runs, after one that compiles."""
    work, count = WORK[name]
    return 1e6 * cpu_ms(work, repeats) / count


def test_a_stable_variate_takes_no_longer_than_the_prototype():
    assert nanoseconds("stable, alpha 1.5") < MOST


if __name__ == "__main__":
    for name in WORK:
        print(f"{name:34s} {nanoseconds(name):8.1f} ns")
