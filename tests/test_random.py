"""Random numbers from counters: the published vectors, a plain twin, and what a Monte Carlo run leans on."""

import math

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sgd_twin import philox_twin

from fpsolve.kernels.random import NORMALS, fill_normals, normal_pair, philox, uniform

plenty = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="more draws than plain Python makes in a minute")

WORD = st.integers(0, 2**32 - 1)
ONES = 0xFFFFFFFF
PUBLISHED = [
    ((0, 0, 0, 0), 0, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ((ONES, ONES, ONES, ONES), 2**64 - 1, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), 0x299F31D0_A4093822, "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


def block(counter, key):
    return [int(word) for word in philox(*map(np.uint64, counter), np.uint64(key))]


def normals(n, components=1, step=0, stream=NORMALS, seed=7, first=0, threads=None):
    out = np.empty((n, components))
    fill_normals(np.uint64(seed), np.uint64(step), np.uint64(stream), np.uint64(first), out, threads=threads)
    return out


@pytest.mark.parametrize(("counter", "key", "words"), PUBLISHED)
def test_philox_gives_the_published_vectors(counter, key, words):
    assert block(counter, key) == [int(word, 16) for word in words.split()]
    assert block(counter, key ^ 1) != [int(word, 16) for word in words.split()]


@settings(max_examples=50, deadline=None)
@given(counter=st.tuples(WORD, WORD, WORD, WORD), key=st.integers(0, 2**64 - 1))
def test_philox_agrees_with_plain_integers(counter, key):
    assert block(counter, key) == philox_twin(counter, key)


def test_uniforms_are_the_53_leading_bits():
    assert uniform(np.uint64(0), np.uint64(2**11 - 1)) == 0.0
    assert uniform(np.uint64(0), np.uint64(2**11)) == 2.0**-53
    assert uniform(np.uint64(ONES), np.uint64(ONES)) == 1 - 2.0**-53


def test_the_largest_normal_is_finite():
    top = normal_pair(np.uint64(ONES), np.uint64(ONES), np.uint64(0), np.uint64(0))
    assert top[0] == pytest.approx(math.sqrt(-2 * math.log(2.0**-53)))
    assert normal_pair(np.uint64(0), np.uint64(0), np.uint64(0), np.uint64(0)) == (0.0, 0.0)


@pytest.mark.parametrize("components", [1, 2, 3, 5])
def test_normals_agree_with_a_plain_box_muller(components):
    out = normals(6, components, step=2**33 + 5, seed=2**63 + 11, first=3)
    for i in range(6):
        for c in range(components):
            w = philox_twin((5, 2, 3 + i, 2 + 65536 * (c // 2)), 2**63 + 11)
            u, angle = (((a << 32 | b) >> 11) * 2.0**-53 for a, b in ((w[0], w[1]), (w[2], w[3])))
            turn = (math.cos, math.sin)[c % 2](2 * math.pi * angle)
            assert out[i, c] == pytest.approx(math.sqrt(-2 * math.log(1 - u)) * turn, rel=1e-13, abs=1e-15)


def test_normals_are_the_same_bits_for_any_threads_split_or_width():
    whole = normals(1000, 3)
    assert np.array_equal(whole, normals(1000, 3, threads=2))
    assert np.array_equal(whole[400:], normals(600, 3, first=400))
    assert np.array_equal(whole[:, :2], normals(1000, 2))


def test_no_number_comes_twice():
    runs = [dict(), dict(step=1), dict(step=2**32), dict(stream=NORMALS + 1), dict(seed=8), dict(seed=2**32 + 7)]
    every = np.concatenate([normals(500, 4, **run).ravel() for run in runs])
    assert np.unique(every).size == every.size


@plenty
def test_normals_are_normal():
    sample = np.concatenate([normals(2000, 2, step=step).ravel() for step in range(25)])
    assert stats.kstest(sample, "norm").pvalue > 1e-3
    assert stats.kstest(1.05 * sample, "norm").pvalue < 1e-3  # the test sees a deviation 5 % too large
    assert abs(sample.mean()) < 4 / math.sqrt(sample.size)
    assert abs(np.mean(sample**4) - 3) < 4 * math.sqrt(96 / sample.size)


@plenty
def test_steps_streams_particles_and_components_are_uncorrelated():
    base = normals(20_000, 4)
    others = [
        normals(20_000, 4, step=1),
        normals(20_000, 4, stream=NORMALS + 1),
        normals(20_000, 4, first=1),
        base[:, ::-1],
    ]
    for other in others:
        assert abs(np.mean(base * other)) < 4 / math.sqrt(base.size)
    assert np.mean(base * base) > 0.9  # the same check on equal numbers
