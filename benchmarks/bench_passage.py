"""First passages and spectra: error and CPU time, beside finite differences and spsolve, and ARPACK on the same matrix.

    pytest benchmarks/bench_passage.py --benchmark-enable        timings by pytest-benchmark
    python -m benchmarks.bench_passage                           the tables: relative error and CPU milliseconds

The mean time from -1 to 1 in the double well x^4/4 - x^2/2, whose barrier is 1/(4 D), against 40 digits; the gap of the
same well against 1/tau_12 + 1/tau_21; a product of that well with a parabola in the plane, where GTH keeps its digits.
"""

from functools import partial

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import eigs, spsolve

import fpsolve as fp
from benchmarks.timing import cpu_ms

TIMES = {10: 102108.365457169837, 40: 1.05590086823710231e18, 80: 2.47334846710316183e35, 200: 3.21647120275202853e87}
SIZES = (100, 400, 1600, 11_000)


def well(kT, cells):
    """-1 is a node."""
    node = cells // 3
    width = 2.0 / (node + 0.5)
    return fp.Problem(fp.Process(lambda x: x - x**3, 0.25 / kT), fp.Grid(x=(-3.0, -3.0 + cells * width, cells))), node


def plane(kT, cells):
    reach = 3.0 / np.sqrt(kT)
    grid = fp.Grid(x=(-1.8, 1.8, cells), y=(-reach, reach, cells))
    return fp.Problem(fp.Process(lambda x, y: (x - x**3, -y), 0.25 / kT), grid)


def quadrature(kT, cells):
    pr, node = well(kT, cells)
    return fp.mean_exit_time(pr, (None, 1)).values[node]


def chain(kT, cells):
    pr, node = well(kT, cells)
    return fp.mean_exit_time(pr, (None, 1), method=fp.GTH()).values[node]


def by_hand(kT, cells):
    """A u' + D u'' = -1 by central differences on (-3, 1), u'(-3) = 0, u(1) = 0."""
    x, h = np.linspace(-3, 1, cells + 1, retstep=True)
    D, A = 0.25 / kT, x - x**3
    lower, upper = D / h**2 - A / (2 * h), D / h**2 + A / (2 * h)
    diagonal = -2 * D / h**2 * np.ones(cells + 1)
    upper[0] += lower[0]
    matrix = sparse.diags([lower[1:-1], diagonal[:-1], upper[:-2]], [-1, 0, 1], format="csc")
    return np.interp(-1.0, x[:-1], spsolve(matrix, -np.ones(cells)))


HOW = {"scale and speed": quadrature, "chain, GTH": chain, "by hand": by_hand}


def gap(kT, cells=400):
    return fp.spectrum(well(kT, cells)[0], 2).gap


def gap_by_arpack(kT, cells=400):
    L = fp.generator(well(kT, cells)[0])
    start = np.random.default_rng(1).standard_normal(cells)
    return np.sort(-eigs(L.rates(), k=3, sigma=1e-3, v0=start)[0].real)[1]


def exact_gap(kT):
    return 2.0 / TIMES[kT]


@pytest.mark.parametrize("how", HOW)
def test_mean_exit_time_400_cells(benchmark, how):
    benchmark(HOW[how], 10, 400)


@pytest.mark.parametrize("method", [fp.GTH(), fp.SparseLU()])
def test_mean_exit_time_in_the_plane(benchmark, method):
    benchmark.pedantic(fp.mean_exit_time, (plane(5, 128), ((None, 1), None)), {"method": method}, rounds=3)


def test_gap_of_a_deep_well(benchmark):
    benchmark(gap, 40)


@pytest.mark.parametrize("kT", TIMES)
def test_eleven_thousand_cells_are_enough_for_ten_digits(kT):
    assert quadrature(kT, 11_000) == pytest.approx(TIMES[kT], rel=1e-10)
    assert quadrature(kT, 400) == pytest.approx(TIMES[kT], rel=1e-10)


def times():
    print(f"{'barrier':>8}{'cells':>8}" + "".join(f"{how + ', error':>24}{'CPU ms':>8}" for how in HOW))
    for kT, exact in TIMES.items():
        for cells in SIZES:
            row = f"{kT:>5} kT{cells:>8}"
            for how in HOW.values():
                with np.errstate(all="ignore"):
                    error = abs(how(kT, cells) / exact - 1.0)
                row += f"{error:>24.1e}{cpu_ms(partial(how, kT, cells), 3):>8.1f}"
            print(row)


def gaps():
    print(f"\n{'barrier':>8}{'spectrum, error':>20}{'CPU ms':>8}{'ARPACK alone, error':>24}{'CPU ms':>8}")
    for kT in TIMES:
        ours, theirs = (abs(one(kT) / exact_gap(kT) - 1.0) for one in (gap, gap_by_arpack))
        row = f"{kT:>5} kT{ours:>20.1e}{cpu_ms(partial(gap, kT)):>8.1f}"
        print(row + f"{theirs:>24.1e}{cpu_ms(partial(gap_by_arpack, kT)):>8.1f}")


def in_the_plane():
    print(f"\n{'cells':>8}{'barrier':>10}{'GTH, CPU ms':>14}{'SparseLU':>12}{'distance':>12}")
    for cells in (64, 128, 256):
        for kT in (5, 40):
            pr, inside = plane(kT, cells), ((None, 1), None)
            a = fp.mean_exit_time(pr, inside)
            row = f"{cells:>5}^2{kT:>7} kT{cpu_ms(partial(fp.mean_exit_time, pr, inside), 3):>14.0f}"
            try:
                b = fp.mean_exit_time(pr, inside, method=fp.SparseLU())
                ms = cpu_ms(partial(fp.mean_exit_time, pr, inside, method=fp.SparseLU()), 3)
                row += f"{ms:>12.0f}{np.abs(a.values - b.values).max() / a.values.max():>12.1e}"
            except fp.NotConverged:
                row += f"{'refused':>12}"
            print(row)


if __name__ == "__main__":
    times()
    gaps()
    in_the_plane()
