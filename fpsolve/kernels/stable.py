"""Stable variates from counters, by Chambers, Mallows & Stuck in Kanter's form.

With U uniform in (0, 1), W = -ln U' exponential, b = 2 pi offset and e = (1 - alpha)/alpha,

    S = factor exp(shift) sin(alpha pi U + b)/sin(pi U) [|sin((1 - alpha) pi U - b)|/(W sin(pi U))]^e

| offset | factor | law, by its characteristic function or Laplace transform |
|---|---|---|
| -alpha/4 | 1 | symmetric: exp(-|k|^alpha) (tan pi(U - 1/2) at alpha = 1, Box & Muller at alpha = 2) |
| 0 | 1 | positive, alpha < 1: exp(-s^alpha) |
| 0 | cos(pi alpha/2)^(-1/alpha) | skew 1, alpha < 1: exp(-|k|^alpha (1 - i sign(k) tan(pi alpha/2))) |
| 0 | -|cos(pi alpha/2)|^(-1/alpha) | skew 1, alpha > 1: the same |
| a/(2 pi) - alpha/4, a = atan(skew tan(pi alpha/2)) | cos(a)^(-1/alpha) | any skew |

sin(pi U), never its cosine a quarter turn away, is what vanishes in the tails: they have all digits that U has.
shift joins the exponent before it is taken: at small alpha neither S nor its scale need be representable.
Source: Chambers, Mallows & Stuck, J. Amer. Statist. Assoc. 71, 340 (1976); Kanter, Ann. Probab. 3, 697 (1975).
"""

from __future__ import annotations

import numpy as np
from numba import prange

from fpsolve.kernels.jit import jit
from fpsolve.kernels.random import NEXT_STREAM, block_words, inner_uniform, normal_pair, turn

_STRIP = 64


@jit(parallel=True)
def fill_stable(key, step, stream, particles, alpha, offset, factor, shift, out):
    """Fill out[i] with a stable variate of particle particles[i] at one step of one stream.

    key, step, stream: np.uint64; particles (n,) uint64; alpha, offset, factor, shift: the law, see above; out (n,).
    """
    for part in prange((particles.size + _STRIP - 1) // _STRIP):
        _fill_strip(key, step, stream, particles, part * _STRIP, alpha, offset, factor, shift, out)


@jit(parallel=True)
def fill_particles(key, step, stream, particles, normal, out):
    """Fill out[i, c] with component c of particle particles[i] at one step of one stream.

    key, step, stream: np.uint64; particles (n,) uint64; out (n, components).
    normal: a bool: the normals of `fill_normals`, or uniforms in (0, 1).
    """
    for i in prange(particles.size):
        for c in range(0, out.shape[1], 2):
            number = stream + NEXT_STREAM * np.uint64(c // 2)
            w0, w1, w2, w3 = block_words(key, step, particles[i], number)
            if normal:
                first, second = normal_pair(w0, w1, w2, w3)
            else:
                first, second = inner_uniform(w0, w1), inner_uniform(w2, w3)
            out[i, c] = first
            if c + 1 < out.shape[1]:
                out[i, c + 1] = second


@jit
def _fill_strip(key, step, stream, particles, start, alpha, offset, factor, shift, out):
    # two loops: the first, without calls to log, is SIMD
    count, power = min(_STRIP, particles.size - start), (1.0 - alpha) / alpha
    kept, ratio, base = np.empty(_STRIP), np.empty(_STRIP), np.empty(_STRIP)
    for i in range(_STRIP):
        w0, w1, w2, w3 = block_words(key, step, particles[start + min(i, count - 1)], stream)
        half = 0.5 * inner_uniform(w0, w1)
        kept[i] = inner_uniform(w2, w3)
        _, whole = turn(half)
        _, upper = turn(alpha * half + offset)
        _, other = turn((1.0 - alpha) * half - offset)
        ratio[i] = factor * upper / whole
        base[i] = abs(other) / whole
    for i in range(count):
        out[start + i] = ratio[i] * np.exp(power * np.log(base[i] / -np.log(kept[i])) + shift)
