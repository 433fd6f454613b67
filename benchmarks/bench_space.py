"""Stationary densities in two and three dimensions: error and CPU time, beside central finite volumes and spsolve.

    pytest benchmarks/bench_space.py --benchmark-enable          timings by pytest-benchmark
    python -m benchmarks.bench_space                             the table: error, smallest density, CPU seconds, ratio

Linear drifts with a current, whose Gaussians are known.  Assembly and solution are timed together.  In space the
hand-written scheme, whose factors fill up fastest, is timed at 24^3 only.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest

import fpsolve as fp
from benchmarks.by_hand import nine_point_by_hand
from benchmarks.timing import cost

PLANE = fp.models.LinearGaussian([[1.0, 1.5], [-0.5, 1.0]], [[1.0, 0.4], [0.4, 0.5]])
SPACE = fp.models.LinearGaussian(
    [[1.0, 1.0, 0.0], [-0.5, 1.0, 0.5], [0.0, -0.5, 1.0]], [[1.0, 0.3, 0.1], [0.3, 0.6, 0.2], [0.1, 0.2, 0.8]]
)
METHODS = {"GTH": fp.GTH(), "SparseLU": fp.SparseLU()}
LARGEST = {"GTH": 3.0, "SparseLU": 1.0}  # CPU time at 256^2 over that of central finite volumes
RUNS = {  # model, cells: what solves it
    ("plane", 128): ("by hand", "GTH", "SparseLU"),
    ("plane", 256): ("by hand", "GTH", "SparseLU"),
    ("plane", 512): ("by hand", "GTH", "SparseLU"),
    ("space", 24): ("by hand", "GTH", "SparseLU"),
    ("space", 48): ("GTH", "SparseLU"),
}
MODELS = {"plane": PLANE, "space": SPACE}


@dataclass(frozen=True)
class Run:
    """One solution: L1 error, smallest density, CPU seconds."""

    error: float
    smallest: float
    seconds: float


def fpsolve_density(model, cells, method):
    return fp.stationary(model.problem(cells), method=METHODS[method], progress=False).values


def by_hand(model, cells):
    reach = 7.0 * np.sqrt(np.diag(model.covariance))
    drift = partial(linear, model.drift_matrix)
    return nine_point_by_hand(drift, lambda *x: model.diffusion, reach, cells)[1]


def linear(matrix, *x):
    return tuple(-sum(entry * part for entry, part in zip(row, x, strict=True)) for row in matrix)


def solved(name, cells, how):
    model = MODELS[name]
    return by_hand(model, cells) if how == "by hand" else fpsolve_density(model, cells, how)


def measured(name, cells, how, repeat=3):
    """The error, and the median CPU time after one run that compiles."""
    grid = MODELS[name].problem(cells).grid
    exact = MODELS[name].exact_density().on(grid).values
    solved(name, 16, how)
    p, seconds = cost(partial(solved, name, cells, how), repeat)
    volume = float(np.prod([axis.ds for axis in grid.axes]))
    return Run(float(np.abs(p - exact).sum()) * volume, float(p.min()), seconds)


@pytest.mark.parametrize("how", ["by hand", *METHODS])
def test_plane_256(benchmark, how):
    solved("plane", 16, how)
    benchmark.pedantic(solved, ("plane", 256, how), rounds=3)


@pytest.mark.parametrize("how", METHODS)
def test_plane_512(benchmark, how):
    solved("plane", 16, how)
    benchmark.pedantic(solved, ("plane", 512, how), rounds=1)


@pytest.mark.slow
@pytest.mark.parametrize("how", METHODS)
def test_space_48(benchmark, how):
    solved("space", 16, how)
    benchmark.pedantic(solved, ("space", 48, how), rounds=1)


@pytest.mark.parametrize("how", METHODS)
def test_no_slower_than_promised_and_more_accurate_than_central_finite_volumes(how):
    theirs, ours = measured("plane", 256, "by hand"), measured("plane", 256, how)
    assert ours.seconds <= LARGEST[how] * theirs.seconds
    assert ours.error < theirs.error
    assert ours.smallest > 0


def table():
    print(f"{'problem':<10}{'cells':>7}  {'method':<10}{'L1 error':>10}{'smallest p':>12}{'CPU s':>9}{'ratio':>7}")
    for (name, cells), methods in RUNS.items():
        base = None
        for how in methods:
            run = measured(name, cells, how, repeat=3 if cells in (24, 128, 256) else 1)
            base = run.seconds if how == "by hand" else base
            ratio = f"{run.seconds / base:.2f}" if base else ""
            size = f"{cells}^{2 if name == 'plane' else 3}"
            print(f"{name:<10}{size:>7}  {how:<10}{run.error:>10.1e}{run.smallest:>12.1e}{run.seconds:>9.2f}{ratio:>7}")


if __name__ == "__main__":
    table()
