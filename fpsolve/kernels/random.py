"""Random numbers from counters: Philox4x32-10.  Salmon, Moraes, Dror & Shaw (SC'11), Parallel random numbers.

A block of four 32-bit words is a function of a 128-bit counter and a 64-bit key; nothing is carried from one to the
next, so any thread, process or restart that asks for the same counter gets the same bits.  Everywhere in fpsolve

    key     = the user's seed (64 bits): low word, high word
    counter = (block low, block high, particle, stream)

| stream | block | word used |
|---|---|---|
| SAMPLES, minibatches with replacement | draw // 4, draw = step * batch + place in the batch | draw % 4 |
| SHUFFLES, minibatches without | epoch * ceil(data / 4) + slot // 4 | slot % 4 |
| NORMALS | step; components 0, 1 in the stream itself, 2, 3 in stream + 65536, ... | all four |

A draw serves one word, so four steps of batch 1 share a block: a restart at any step computes that block again and
takes up the words where they were.  Particles are numbered from 0 to 2^32 - 1.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from fpsolve.kernels.jit import jit

SAMPLES, SHUFFLES, NORMALS = np.uint64(0), np.uint64(1), np.uint64(2)

_MASK, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_NEXT_STREAM, _ELEVEN = np.uint64(65536), np.uint64(11)


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


@jit
def normal_pair(w0, w1, w2, w3):
    """Two independent standard normals from a block (Box & Muller 1958); 53-bit uniforms reach 8.5 deviations."""
    radius = np.sqrt(-2.0 * np.log(1.0 - uniform(w0, w1)))
    angle = 2.0 * np.pi * uniform(w2, w3)
    return radius * np.cos(angle), radius * np.sin(angle)


@jit(parallel=True)
def fill_normals(key, step, stream, first, out):
    """Fill out[i, c] with the normal of particle first + i and component c at one step of one stream.

    key, step, stream, first: np.uint64; out: float64 (particles, components).  Plain Euler-Maruyama is then
    x += drift(x) * dt + sqrt(2 * diffusion(x) * dt) * out.
    """
    particles, components = out.shape
    for i in prange(particles):
        particle, source = first + np.uint64(i), stream
        for c in range(0, components, 2):
            w0, w1, w2, w3 = block_words(key, step, particle, source)
            even, odd = normal_pair(w0, w1, w2, w3)
            out[i, c] = even
            if c + 1 < components:
                out[i, c + 1] = odd
            source += _NEXT_STREAM
