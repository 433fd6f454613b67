"""Running integrals of positive functions that span hundreds of orders of magnitude, from values at Gauss points.

On each panel the integral from its left end to each Gauss point is that of the interpolating polynomial, relative to
the panel's largest value; panels are added up in logarithms.  Nothing is subtracted but inside a panel.
Where exp(l) changes by more than exp(STEEP) it is its logarithm that a polynomial follows, and

    int exp(l) = q exp(l),   q' + l' q = 1,   q a polynomial too: the solution that varies as slowly as l' does.

Source: Levin, Math. Comp. 38, 531 (1982).
"""

from __future__ import annotations

import math

import numpy as np

from fpsolve.kernels.chain import log_add
from fpsolve.kernels.jit import jit

STEEP = 12.0
SWEEPS = 10


@jit
def _log_difference(a, b):
    """ln |exp(a) - exp(b)|."""
    return max(a, b) + math.log(-math.expm1(-abs(a - b))) if a != b else -math.inf


@jit
def _steep_parts(logs, slopes, ends, parts):
    """ln of the integral from the left end to each point, `parts`, and to the right end, which is returned.

    -inf where l' has a zero: no such q.
    """
    points = logs.size
    rate, factor, last = np.empty(points), np.empty(points), np.zeros(points)
    for k in range(points):
        rate[k] = 0.0
        for j in range(points):
            rate[k] += slopes[k, j] * logs[j]
    for _ in range(SWEEPS):  # q = (1 - q')/l': the derivative is nilpotent, and small beside l'
        for k in range(points):
            slope = 0.0
            for j in range(points):
                slope += slopes[k, j] * last[j]
            factor[k] = (1.0 - slope) / rate[k] if rate[k] != 0.0 else 0.0
        last[:] = factor
    left, right, left_factor, right_factor, turns = 0.0, 0.0, 0.0, 0.0, False
    for j in range(points):
        turns = turns or not factor[j] * factor[0] > 0.0
        left += ends[0, j] * logs[j]
        right += ends[1, j] * logs[j]
        left_factor += ends[0, j] * factor[j]
        right_factor += ends[1, j] * factor[j]
    if turns or not (left_factor * factor[0] > 0.0 and right_factor * factor[0] > 0.0):
        return -math.inf
    left += math.log(abs(left_factor))
    for k in range(points):
        parts[k] = _log_difference(math.log(abs(factor[k])) + logs[k], left)
    return _log_difference(math.log(abs(right_factor)) + right, left)


@jit
def _gentle_parts(logs, inner, weights, values, parts):
    """As `_steep_parts`, by the polynomial through exp(logs); by a cruder rule with positive weights if that is not
    positive throughout.
    """
    points, top = logs.size, logs.max()
    whole, before, rough = 0.0, 0.0, False
    for k in range(points):
        values[k] = math.exp(logs[k] - top)
    for k in range(points):
        whole += weights[k] * values[k]
        part = 0.0
        for j in range(points):
            part += inner[k, j] * values[j]
        rough = rough or not part > before
        before = part
        parts[k] = part
    if rough or not whole > before:
        part = 0.0
        for k in range(points):
            parts[k] = part + 0.5 * weights[k] * values[k]
            part += weights[k] * values[k]
    for k in range(points):
        parts[k] = top + math.log(parts[k]) if parts[k] > 0.0 else -math.inf
    return top + math.log(whole)


@jit
def running_integrals(logs, inner, weights, slopes, ends, start, at_breaks, at_points):
    """ln of start and the integral so far, at the panels' ends (panels + 1,) and Gauss points (panels, points).

    logs: ln of (integrand times panel width) at the points.  start: a logarithm.
    inner[k, j]: weight of point j in the integral to point k; weights: in that over the whole panel; slopes[k, j]: in
    the derivative at point k; ends[0 or 1, j]: in the value at either end.
    """
    panels, points = logs.shape
    values, parts = np.empty(points), np.empty(points)
    total = start
    at_breaks[0] = total
    for i in range(panels):
        top, low = logs[i].max(), logs[i].min()
        whole = -math.inf
        if -math.inf < low and top - low > STEEP:
            whole = _steep_parts(logs[i], slopes, ends, parts)
        if whole == -math.inf and top > -math.inf:
            whole = _gentle_parts(logs[i], inner, weights, values, parts)
        for k in range(points):
            at_points[i, k] = log_add(total, parts[k]) if whole > -math.inf else total
        total = log_add(total, whole)
        at_breaks[i + 1] = total
