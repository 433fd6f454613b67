"""Moments of the balanced law from its closed form, independent of any grid or solver.

One layer has them in closed form: mean beta2/beta1, variance C(beta2/beta1)/(kappa beta1 - alpha1).  Elsewhere
E v^k = int exp((k+1) s) p(exp s) ds by the trapezoidal rule in s = ln v, which converges geometrically for an analytic
integrand, continued at both ends as the geometric series that the power laws there make of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import InvalidInput
from fpsolve.models.balanced import BalancedLaw

__all__ = ["exact_moment"]

Array = NDArray[np.float64]
REACH = (-100.0, 220.0)  # ln(v/minimum) that is summed; the power laws hold to exp(-100) beyond


def exact_moment(law: BalancedLaw, order: float) -> float:
    """E v^order on the side of the minimum; inf where the tail does not carry it.

    Raises NotNormalizable where there is no density, InvalidInput for a fractional power of a negative v and for one
    layer's orders other than 0, 1 and 2.
    """
    law.check_noise()
    if law.layers == 1:
        return _moment_of_one_layer(law, order)
    law.check_normalizable(law.side)
    if law.side < 0 and order != int(order):
        raise InvalidInput(f"order is {order} and v < 0: a fractional power of a negative number; take a whole order")
    if not -1.0 - law.exponent_at_zero(law.side) < order < law.tail_exponent - 1.0:
        return float(law.side**order * np.inf)
    right = law if law.side > 0 else law.mirrored()
    s = _nodes(right)
    terms = right.log_density(np.exp(s)) + s
    weights = np.exp(terms - terms.max())
    return law.side**order * _continued_sum(weights * np.exp(order * s)) / _continued_sum(weights)


def _moment_of_one_layer(law: BalancedLaw, order: float) -> float:
    m = law.effective_moments
    mean = m.beta2 / m.beta1
    if order not in (0, 1, 2):
        raise InvalidInput(f"order is {order}; one layer has closed forms for orders 0, 1 and 2: ask a density instead")
    if order < 2:
        return mean**order
    room = law.kappa * m.beta1 - m.alpha1
    return mean**2 + float(m.gradient_variance(mean)) / room if room > 0 else np.inf


def _nodes(law: BalancedLaw) -> Array:
    """Nodes in ln v whose step resolves the peak and the nearest complex zero of C."""
    m = law.moments
    width = np.sqrt(law.variance_at_minimum) / law.minimum
    step = min(0.05, 0.4 * width, law.strip / 8.0)
    return np.log(m.beta2 / m.beta1) + np.arange(REACH[0], REACH[1], step)


def _continued_sum(terms: Array) -> float:
    """The sum of terms that go on as a geometric series at both ends."""
    total = float(np.sum(terms))
    for last, before in ((terms[0], terms[1]), (terms[-1], terms[-2])):
        if 0 < last < before:
            total += float(last * last / (before - last))
    return total
