"""Stable variates from counters: their laws beside scipy's and the printed formula, and the same bits for any split.

Laws are compared through characteristic functions, whose sample has errors even where no moment exists: five standard
errors unless a test says otherwise.
"""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import gamma
from sgd_twin import philox_twin
from stable_laws import characteristic, farthest, off

from fpsolve.kernels.random import JUMPS, NORMALS, WAITS, fill_normals
from fpsolve.kernels.stable import fill_particles, fill_stable
from fpsolve.particles.leaps import _law, stable_variates, waits

KEY, N = np.uint64(7), 40_000
IDS = np.arange(N)
LAWS = [(0.5, 0.0), (1.0, 0.0), (1.0001, 0.0), (1.5, 0.0), (1.999, 0.0), (0.5, 1.0), (0.7, -1.0), (0.5, 0.4)]
LAWS += [(1.5, 1.0), (1.5, -1.0), (1.3, -0.4), (1.05, 0.5)]


@pytest.mark.parametrize(("alpha", "skew"), LAWS)
def test_variates_have_the_law_of_the_docstring(alpha, skew):
    sample = stable_variates(KEY, 3, JUMPS, IDS, alpha, skew)
    assert farthest(sample, lambda k: characteristic(k, alpha, skew)) < 5
    assert farthest(sample, lambda k: characteristic(k, 0.85 * alpha, skew)) > 5
    if skew:
        assert farthest(sample, lambda k: characteristic(k, alpha, -skew)) > 5


def test_variates_have_the_distribution_function_of_scipy():
    """Kolmogorov's 1 % level (an upper bound for a few points); a wrong index is beyond it."""
    places = np.array([-30.0, -3.0, -0.8, -0.2, 0.1, 0.5, 1.5, 8.0, 100.0])
    for alpha, skew in ((0.7, 0.0), (1.5, 0.0), (1.3, 0.6)):
        sample = np.sort(stable_variates(KEY, 0, JUMPS, IDS, alpha, skew))
        levels = np.searchsorted(sample, places) / N
        band = 1.63 / math.sqrt(N)
        assert np.abs(levels - stats.levy_stable.cdf(places, alpha, skew)).max() < band
        assert np.abs(levels - stats.levy_stable.cdf(places, 1.15 * alpha, skew)).max() > band


def test_cauchy_and_normal_are_among_them():
    assert stats.kstest(stable_variates(KEY, 0, JUMPS, IDS, 1.0), "cauchy").pvalue > 0.01
    assert stats.kstest(stable_variates(KEY, 0, JUMPS, IDS, 2.0) / math.sqrt(2), "norm").pvalue > 0.01
    assert stats.kstest(stable_variates(KEY, 0, JUMPS, IDS, 1.1), "cauchy").pvalue < 0.01
    near = stable_variates(KEY, 0, JUMPS, IDS, 1.0 + 1e-12)
    assert near == pytest.approx(stable_variates(KEY, 0, JUMPS, IDS, 1.0), rel=1e-9)


def test_tails_have_their_power():
    """P(|S| > x) -> (2/pi) Gamma(alpha) sin(pi alpha/2) x^-alpha."""
    sample = np.abs(stable_variates(KEY, 1, JUMPS, np.arange(400_000), 0.8))
    for x in (1e2, 1e3, 1e4):
        expected = 2 / np.pi * gamma(0.8) * np.sin(0.4 * np.pi) * x**-0.8
        assert abs((sample > x).mean() - expected) < 5 * math.sqrt(expected / sample.size) + expected * x**-0.8


@pytest.mark.parametrize("memory", [0.1, 0.5, 0.95])
def test_waits_have_their_laplace_transform(memory):
    sample = waits(KEY, 2, IDS, memory)
    assert sample.min() > 0
    for s in (0.3, 1.0, 4.0):
        assert off(np.exp(-s * sample), np.exp(-(s**memory))) < 5
        assert off(np.exp(-s * sample), np.exp(-((1.1 * s) ** memory))) > 4 or memory < 0.5


def stable_twin(seed, step, stream, particle, alpha, skew):
    """Chambers, Mallows & Stuck as they print it, by plain Python."""
    w = philox_twin((step, 0, particle, stream), seed)
    u, v = ((((a << 32 | b) >> 11) | 1) * 2.0**-53 for a, b in ((w[0], w[1]), (w[2], w[3])))
    angle, wait = math.pi * (u - 0.5), -math.log(v)
    if alpha == 1.0:
        return math.tan(angle)
    tilt = math.atan(skew * math.tan(math.pi * alpha / 2)) / alpha
    size = (1 + (skew * math.tan(math.pi * alpha / 2)) ** 2) ** (0.5 / alpha)
    rest = (math.cos(angle - alpha * (angle + tilt)) / wait) ** ((1 - alpha) / alpha)
    return size * math.sin(alpha * (angle + tilt)) / math.cos(angle) ** (1 / alpha) * rest


@pytest.mark.parametrize(("alpha", "skew"), LAWS)
def test_the_kernel_agrees_with_the_printed_formula(alpha, skew):
    ids = np.array([0, 5, 2**31, 77])
    got = stable_variates(np.uint64(2**63 + 1), 11, WAITS, ids, alpha, skew)
    sign = -1.0 if skew == -1.0 else 1.0  # the mirror image of skew 1
    expected = [sign * stable_twin(2**63 + 1, 11, int(WAITS), int(i), alpha, sign * skew) for i in ids]
    assert got == pytest.approx(expected, rel=1e-9)  # the printed form cancels


def test_variates_are_the_same_bits_for_any_threads_or_selection():
    ids, whole, other = np.arange(1000, dtype=np.uint64), np.empty(1000), np.empty(1000)
    fill_stable(KEY, np.uint64(4), JUMPS, ids, *_law(1.5, 0.0), 0.0, whole)
    fill_stable(KEY, np.uint64(4), JUMPS, ids, *_law(1.5, 0.0), 0.0, other, threads=2)
    assert np.array_equal(whole, other)
    some = np.array([3, 999, 64, 65, 0])
    assert np.array_equal(stable_variates(KEY, 4, JUMPS, some, 1.5), whole[some])
    assert not np.array_equal(stable_variates(KEY, 5, JUMPS, some, 1.5), whole[some])
    normals, few = np.empty((1000, 3)), np.empty((5, 3))
    fill_normals(KEY, np.uint64(4), NORMALS, np.uint64(0), normals)
    fill_particles(KEY, np.uint64(4), NORMALS, some.astype(np.uint64), True, few)
    assert np.array_equal(few, normals[some])
