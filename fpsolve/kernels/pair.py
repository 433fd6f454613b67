"""Paths of the rescaling pair in zeta and q: one particle after another, each with steps of its own length.

    dzeta = -4 (beta1 v - beta2) dt + 4 sqrt(T C) dW,   dq = -4 (T C + gamma) dt,   v = exp(q) sinh(zeta)/2

C grows as v^2, but in the particle's own clock, dtau = 4 T C dt, everything is bounded:

    dzeta = a dtau + 2 dW,   dq = -(1 + gamma/(T C)) dtau,   a = (beta2 - beta1 v)/(T C).

`walk_clock` takes Heun's steps of that (weak order 2), time by the trapezoidal rule; `walk_euler` Euler's steps of the
pair as it stands, in t.  Both move particles from one recorded time to the next, a stretch.  A step's normal is one of
the pair from the block  base + step // 2  of stream NORMALS, `base` standing for the stretch.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from fpsolve.kernels.jit import jit
from fpsolve.kernels.random import NORMALS, block_words, normal_pair

SWIFT = 5.0  # contraction of zeta per unit of the clock from which steps are shortened
APPROACH = 0.25  # of what is left to the recorded time: the clock's rate rarely grows fourfold in a step


@jit(parallel=True)
def walk_clock(key, base, first, span, dtau, noise, pull, decay, zeta, q):
    """Move particles first, first + 1, ... by the time `span`; `zeta` and `q` are changed in place.

    key, base, first: np.uint64; noise: T (alpha1, alpha2, alpha3); pull: (beta1, beta2); decay: gamma.  A step is dtau,
    shorter where zeta contracts swiftly, and near the end a quarter of what is left, until dtau^2 is.
    """
    for i in prange(zeta.size):
        zeta[i], q[i] = _clock_path(key, base, first + np.uint64(i), span, dtau, noise, pull, decay, zeta[i], q[i])


@jit(parallel=True)
def walk_euler(key, base, first, span, dt, noise, pull, decay, zeta, q):
    """As `walk_clock`, by Euler's steps of dt/(1 + 4 T C + 4 beta1 dv/dzeta) in t: shorter where things go fast."""
    for i in prange(zeta.size):
        zeta[i], q[i] = _euler_path(key, base, first + np.uint64(i), span, dt, noise, pull, decay, zeta[i], q[i])


@jit
def _clock_path(key, base, particle, span, dtau, noise, pull, decay, zeta, q):
    step, left, spare = 0, span, 0.0
    rate, force, slope = _local(zeta, q, noise, pull)
    while left > 0.0:
        ahead = 4.0 * rate * left  # on the clock, if it went on at this rate
        h = dtau * min(1.0, SWIFT * rate / (pull[0] * slope))
        arrives = ahead <= dtau * h
        h = ahead if arrives else min(h, max(APPROACH * ahead, dtau * h))
        normal, spare = _normal(key, base, step, particle, spare)
        kick, lag = 2.0 * np.sqrt(h) * normal, 1.0 + decay / rate
        far_rate, far_force, _ = _local(zeta + force / rate * h + kick, q - lag * h, noise, pull)
        zeta += 0.5 * (force / rate + far_force / far_rate) * h + kick
        q -= 0.5 * (lag + 1.0 + decay / far_rate) * h
        before = rate
        rate, force, slope = _local(zeta, q, noise, pull)
        left = 0.0 if arrives else left - 0.125 * h * (1.0 / before + 1.0 / rate)
        step += 1
    return zeta, q


@jit
def _euler_path(key, base, particle, span, dt, noise, pull, decay, zeta, q):
    step, left, spare = 0, span, 0.0
    while left > 0.0:
        rate, force, slope = _local(zeta, q, noise, pull)
        h = min(left, dt / (1.0 + 4.0 * (rate + pull[0] * slope)))
        normal, spare = _normal(key, base, step, particle, spare)
        zeta += 4.0 * (force * h + np.sqrt(rate * h) * normal)
        q -= 4.0 * (rate + decay) * h
        left -= h
        step += 1
    return zeta, q


@jit(inline=True)
def _local(zeta, q, noise, pull):
    """T C(v), beta2 - beta1 v and dv/dzeta."""
    up, down = np.exp(q + zeta), np.exp(q - zeta)
    v = 0.25 * (up - down)
    return (noise[0] * v - 2.0 * noise[1]) * v + noise[2], pull[1] - pull[0] * v, 0.25 * (up + down)


@jit(inline=True)
def _normal(key, base, step, particle, spare):
    """The normal of a step, and the one that its block holds for the next."""
    if step & 1:
        return spare, 0.0
    w0, w1, w2, w3 = block_words(key, base + np.uint64(step >> 1), particle, NORMALS)
    return normal_pair(w0, w1, w2, w3)
