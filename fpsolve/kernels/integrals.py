"""Running integrals of positive functions that span hundreds of orders of magnitude, from values at Gauss points.

On each panel the integral from its left end to each Gauss point is that of the interpolating polynomial, relative to
the panel's largest value; panels are added up in logarithms.  Nothing is subtracted but inside a panel.
"""

from __future__ import annotations

import math

import numpy as np

from fpsolve.kernels.chain import log_add
from fpsolve.kernels.jit import jit


@jit
def running_integrals(logs, inner, weights, start, at_breaks, at_points):
    """ln of start and the integral so far, at the panels' ends (panels + 1,) and Gauss points (panels, points).

    logs: ln of (integrand times panel width) at the points.  start: a logarithm.
    inner[k, j]: weight of point j in the integral to point k; weights: in that over the whole panel.
    """
    panels, points = logs.shape
    values, parts = np.empty(points), np.empty(points)
    total = start
    at_breaks[0] = total
    for i in range(panels):
        top = logs[i].max()
        if top == -math.inf:
            at_points[i] = total
            at_breaks[i + 1] = total
            continue
        whole, before, rough = 0.0, 0.0, False
        for k in range(points):
            values[k] = math.exp(logs[i, k] - top)
        for k in range(points):
            whole += weights[k] * values[k]
            part = 0.0
            for j in range(points):
                part += inner[k, j] * values[j]
            rough = rough or not part > before
            before = part
            parts[k] = part
        if rough or not whole > before:  # no polynomial on this panel: a rule whose weights are all positive
            part = 0.0
            for k in range(points):
                parts[k] = part + 0.5 * weights[k] * values[k]
                part += weights[k] * values[k]
        for k in range(points):
            at_points[i, k] = log_add(total, top + math.log(parts[k])) if parts[k] > 0.0 else total
        total = log_add(total, top + math.log(whole))
        at_breaks[i + 1] = total
