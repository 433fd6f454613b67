"""Powers as sums of exponentials with positive weights: histories and far fields at the cost of a few dozen terms.

    r^-P = 1/Gamma(P) int exp(-lambda r) lambda^(P-1) dlambda = sum_k omega_k exp(-lambda_k r),   r0 <= r <= R,
the trapezoidal rule in s, with lambda = exp(s - e), e = exp(-s)/R, so that terms below 1/R fall off doubly
exponentially.  Its error falls as |Gamma(P + i w)|/Gamma(P), w = 2 pi/step.
Source: McLean, Exponential sum approximations for t^-beta, in Contemporary Computational Mathematics (2018), p. 911.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["sum_of_exponentials"]

Array = NDArray[np.float64]
MARGIN = 3.0  # in ln(1/eps): the constants before the error of the trapezoidal rule


def sum_of_exponentials(power: float, r0: float, R: float, eps: float) -> tuple[Array, Array]:
    """(rates, weights), all >= 0, with r^-power = sum_k weights_k exp(-rates_k r) on [r0, R] to `eps` relative.

    power > 0, 0 < r0 <= R, 1e-14 <= eps < 1.

    >>> rates, weights = sum_of_exponentials(1.5, 1e-3, 1e4, 1e-10)
    >>> bool(abs(weights @ np.exp(-rates * 7.0) * 7.0**1.5 - 1) < 1e-10), bool(weights.min() >= 0)
    (True, True)
    """
    digits = math.log(1.0 / eps)
    step = _step(power, digits)
    first = -math.log1p(max(2.0, digits / power)) - math.log(R)
    last = math.log((digits + power + MARGIN) / r0)
    s = first + step * np.arange(math.ceil((last - first) / step) + 1)
    e = np.exp(-s) / R
    return np.exp(s - e), np.exp(power * (s - e)) * (1.0 + e) * (step / math.gamma(power))


def _step(power: float, digits: float) -> float:
    """The longest step of the trapezoidal rule: the frequency 2 pi/step at which its integrand has `digits` less."""
    frequency = digits + MARGIN
    for _ in range(4):  # frequency = (2/pi) (digits + max(0, power - 1/2) ln frequency), a contraction
        frequency = (digits + MARGIN + max(0.0, power - 0.5) * math.log(frequency)) * 2.0 / math.pi
    return 2.0 * math.pi / frequency
