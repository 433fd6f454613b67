"""What a Caputo derivative remembers: all increments since the start, in a few dozen vectors.

    int_0^t (t - s)^-beta g'(s) ds/Gamma(1-beta) = sum_l omega_l H_l(t),
    H_l(t) = int_0^t exp(-lambda_l (t - s)) g'(s) ds,
for times that are at least the shortest step back (exponentials.py), where g is linear over each step; and the graded
steps that a start with g' ~ t^(beta-1) wants.
Sources: Jiang, Zhang, Zhang & Zhang, Commun. Comput. Phys. 21, 650 (2017); Stynes, O'Riordan & Gracia, SIAM J. Numer.
Anal. 55, 1057 (2017).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fpsolve.exponentials import sum_of_exponentials

__all__ = ["History", "graded", "mean_time"]

Array = NDArray[np.float64]
SHORT = 1e-2  # of the time: steps over which the mean time is taken from a series


class History:
    """H_l for states of `size` entries; steps no shorter than `shortest`, times up to `longest`."""

    def __init__(self, beta: float, shortest: float, longest: float, size: int, eps: float) -> None:
        self.rates, weights = sum_of_exponentials(beta, shortest, max(longest, shortest), eps)
        self.weights = weights / math.gamma(1.0 - beta)
        self.terms = np.zeros((self.rates.size, size))

    def after(self, step: float) -> Array:
        """The derivative at the end of a step to come, but for what changes over it.  Time moves on."""
        self.terms *= np.exp(-step * self.rates)[:, None]
        return np.asarray(self.weights @ self.terms)

    def add(self, change: Array, step: float) -> None:
        """What g changed by over the step that ends now."""
        share = step * self.rates
        gains = np.divide(-np.expm1(-share), share, out=np.ones_like(share), where=share > 0.0)
        self.terms += gains[:, None] * change


def graded(times: Array, steps: int, grading: float) -> tuple[Array, NDArray[np.int64]]:
    """Some `steps` + 1 times from 0, (k/steps)^grading of the last, moved so that all `times` are among them; where."""
    last = float(times[-1])
    marks = np.append(0.0, (times / last) ** (1.0 / grading))
    counts = np.maximum(1, np.rint(steps * np.diff(marks)).astype(np.int64))
    counts[np.diff(marks) == 0.0] = 0  # a time 0
    parts = [a + (b - a) * np.arange(n) / max(n, 1) for a, b, n in zip(marks[:-1], marks[1:], counts, strict=True)]
    places = np.cumsum(counts)
    nodes = last * np.append(np.concatenate(parts), 1.0) ** grading
    nodes[places] = times
    return nodes, places


def mean_time(begin: float, end: float, beta: float) -> float:
    """The mean of t over a step, weighted by t^(beta-1): when, on average, a clock that runs so has run."""
    step, middle = end - begin, 0.5 * (begin + end)
    if step < SHORT * middle:
        return middle + (beta - 1.0) / 12.0 * step**2 / middle
    power = beta + 1.0
    return beta / power * (end**power - begin**power) / (end**beta - begin**beta)
