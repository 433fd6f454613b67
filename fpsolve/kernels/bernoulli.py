"""The Bernoulli function B(z) = z/(exp(z) - 1) and its logarithm, to full relative precision for every z."""

from __future__ import annotations

import math

from fpsolve.kernels.jit import jit


@jit
def bernoulli(z):
    """B(z): 1 at 0, -z for z -> -inf, 0 for z -> inf.  B(-z) = exp(z) B(z)."""
    if z == 0.0:
        return 1.0
    if z > 745.0:
        return 0.0
    if z < -745.0:
        return -z
    return z / math.expm1(z)


@jit
def log_bernoulli(z):
    """ln B(z), finite for every finite z: ln z - z where B itself underflows."""
    if z == 0.0:
        return 0.0
    if z > 37.0:  # exp(-z) is below rounding
        return math.log(z) - z
    if z < -37.0:
        return math.log(-z)
    return math.log(z / math.expm1(z))
