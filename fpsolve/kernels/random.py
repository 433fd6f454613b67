"""Random numbers from counters: Philox4x32-10.  Salmon, Moraes, Dror & Shaw (SC'11), Parallel random numbers.

A block of four 32-bit words is a function of a 128-bit counter and a 64-bit key; nothing is carried from one to the
next, so any thread, process or restart that asks for the same counter gets the same bits.  Everywhere in fpsolve

    key     = the user's seed (64 bits): low word, high word
    counter = (block low, block high, particle, stream)

| stream | block | word used |
|---|---|---|
| SAMPLES, minibatches with replacement | draw // 4, draw = step * batch + place in the batch | draw % 4 |
| SHUFFLES, minibatches without | epoch * ceil(data / 4) + slot // 4 | slot % 4 |
| NORMALS, increments | step // 2, a pair for two steps; components 2, 3 in stream + 65536, ... | all four |
| STARTS, starting points | 0, and the next where a particle may not start | all four |
| RECORDS, times within a step | step | all four |
| BRIDGES, crossings of the lower and the upper end within a step; axis k in stream + 65536 k | step | all four |
| FRESH_DATA, a sample's normals; components 2, 3 in stream + 65536, ... | step * batch + place in it | all four |
| JUMPS, stable jumps; axis k (the size of an isotropic jump: 0) in stream + 65536 k | step | all four |
| DIRECTIONS, normals of isotropic jumps; components 2, 3 in stream + 65536, ... | step | all four |
| LANDINGS, when within a step a jump came | step | two |
| WAITS, times for which particles with memory wait | step | all four |
| CROSSINGS, uniforms within a step with memory; components 2, 3 in stream + 65536, ... | step | all four |

A draw serves one word, so four steps of batch 1 share a block: a restart at any step computes that block again and
takes up the words where they were.  Particles are numbered from 0 to 2^32 - 1.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from fpsolve.kernels.jit import jit

SAMPLES, SHUFFLES, NORMALS = np.uint64(0), np.uint64(1), np.uint64(2)
STARTS, RECORDS, BRIDGES = np.uint64(3), np.uint64(4), (np.uint64(5), np.uint64(6))
FRESH_DATA = np.uint64(7)
JUMPS, DIRECTIONS, LANDINGS = np.uint64(8), np.uint64(9), np.uint64(10)
WAITS, CROSSINGS = np.uint64(11), np.uint64(12)

_MASK, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_STRIP = 64
_COSINE = tuple((-1.0) ** k / math.factorial(2 * k) for k in range(9))
_SINE = tuple((-1.0) ** k / math.factorial(2 * k + 1) for k in range(9))
NEXT_STREAM, _ELEVEN, _LAST = np.uint64(65536), np.uint64(11), np.uint64(2048)


@jit(inline=True)
def philox(c0, c1, c2, c3, key):
    """The block of counter (c0, c1, c2, c3): four words, each in 32 of the 64 bits of a uint64."""
    k0, k1 = key & _MASK, key >> _HALF
    for _ in range(10):
        low, high = _M0 * c0, _M1 * c2
        c0, c1, c2, c3 = (high >> _HALF) ^ c1 ^ k0, high & _MASK, (low >> _HALF) ^ c3 ^ k1, low & _MASK
        k0, k1 = (k0 + _W0) & _MASK, (k1 + _W1) & _MASK
    return c0, c1, c2, c3


@jit(inline=True)
def block_words(key, block, particle, stream):
    """The four words of a 64-bit block number for one particle and stream."""
    return philox(block & _MASK, block >> _HALF, particle, stream, key)


@jit(inline=True)
def uniform(first, second):
    """A multiple of 2^-53 in [0, 1), from the 53 leading bits of two words."""
    return np.float64(np.int64(((first << _HALF) | second) >> _ELEVEN)) * 2.0**-53


@jit(inline=True)
def inner_uniform(first, second):
    """An odd multiple of 2^-53, so never 0 or 1: as `uniform`, the last of the 53 bits set."""
    return uniform(first, second | _LAST)


@jit(inline=True)
def turn(share):
    """cos and sin of 2 pi share, |share| up to a few, within 3e-16: Taylor series about the nearest quarter turn.

    Near its zeros each has that precision relative to itself, as far as `share` has.
    """
    quarter = np.floor(4.0 * share + 0.5)
    x = 2.0 * np.pi * (share - 0.25 * quarter)
    y = x * x
    c, s = 0.0, 0.0
    for k in range(8, -1, -1):
        c = c * y + _COSINE[k]
        s = s * y + _SINE[k]
    s *= x
    quadrant = np.int64(quarter)
    if quadrant & 1:
        c, s = -s, c
    if quadrant & 2:
        c, s = -c, -s
    return c, s


@jit
def normal_pair(w0, w1, w2, w3):
    """Two independent standard normals from a block (Box & Muller 1958); 53-bit uniforms reach 8.5 deviations."""
    radius = np.sqrt(-2.0 * np.log(1.0 - uniform(w0, w1)))
    cosine, sine = turn(uniform(w2, w3))
    return radius * cosine, radius * sine


@jit(parallel=True)
def fill_normals(key, step, stream, first, out):
    """Fill out[i, c] with the normal of particle first + i and component c at one step of one stream.

    key, step, stream, first: np.uint64; out: float64 (particles, components).  Plain Euler-Maruyama is then
    x += drift(x) * dt + sqrt(2 * diffusion(x) * dt) * out.
    """
    for part in prange((out.shape[0] + _STRIP - 1) // _STRIP):
        _fill_strip(key, step, stream, first, part * _STRIP, out)


@jit
def _fill_strip(key, step, stream, first, start, out):
    # as normal_pair, in two loops: the first, without calls to log, is SIMD
    count, components = min(_STRIP, out.shape[0] - start), out.shape[1]
    kept, cosines, sines = np.empty(_STRIP), np.empty(_STRIP), np.empty(_STRIP)
    for c in range(0, components, 2):
        for i in range(_STRIP):
            w0, w1, w2, w3 = block_words(key, step, first + np.uint64(start + i), stream)
            kept[i] = 1.0 - uniform(w0, w1)
            cosines[i], sines[i] = turn(uniform(w2, w3))
        for i in range(count):
            radius = np.sqrt(-2.0 * np.log(kept[i]))
            out[start + i, c] = radius * cosines[i]
            if c + 1 < components:
                out[start + i, c + 1] = radius * sines[i]
        stream += NEXT_STREAM
