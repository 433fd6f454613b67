"""What jumps along one axis carry over its faces, and the entropy that they produce.

Over the face f jumps carry, per unit time, the mass that lands above from below less the mass that lands below from
above,

    J(f) = sum over pairs i < f < j of S_ij (u_i - u_j) + what leaves over absorbing ends,    u = scale^alpha p,

S the symmetric kernel: a jump counts at every face that it passes, so that div J = -(J p) cell by cell.  What passes
from the cells into the tail beyond an open end crosses the faces up to that end.  On a ring jumps pass faces both ways
round, and the mean of their J over the ring is 0, since as many go up as down from every place.
Each pair of cells balances or not: Schnakenberg's sum over pairs,

    sigma = sum over i < j of S_ij (u_i - u_j) ln(u_i/u_j) >= 0,

in which the tail beyond an open end is one more state; it converges as cells shrink.
Source: Schnakenberg, Rev. Mod. Phys. 48, 571 (1976).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsolve.kernels.edges import flow_along
from fpsolve.operators.jump_ends import lost_over
from fpsolve.operators.line_jumps import LineJumps

__all__ = ["jump_entropy_production", "jump_imbalance", "over_faces_by_jumps"]

Array = NDArray[np.float64]
ROUNDINGS = 16.0  # per cell, by a direct solve


def over_faces_by_jumps(jumps: LineJumps, m: Array) -> Array:
    """J at the faces, (cells + 1,), of the generator's masses m."""
    axis, change = jumps.axis, jumps.apply(m)
    through = np.append(0.0, -np.cumsum(change))
    if axis.periodic:
        return np.asarray(through - through[1:] @ axis.gaps / axis.gaps.sum())
    u = jumps.lift * m
    lower = 0.0
    if axis.ends[0] == "absorbing":
        lower = float((axis.weights * lost_over(jumps.alpha, axis, False)) @ u)
        lower += sum(end.lost * u[end.cell] for end in jumps.ends)
    through -= lower
    if axis.ends[1] != "absorbing":
        through[-1] = 0.0  # but for rounding
    return through


def jump_entropy_production(jumps: LineJumps, m: Array) -> float:
    """sigma of the generator's masses m; infinite where u is 0 in some cells and not in others."""
    u = jumps.lift * m
    if np.any(u <= 0.0):
        return np.inf if np.any(u > 0.0) else 0.0
    above = u - u.min()  # so that what is balanced cancels before it is summed
    found = -float(np.log1p(above / u.min()) @ _between_cells(jumps.summed, above))
    for end in jumps.ends:
        out, back = end.out * u, end.back * u[end.cell]
        pairs = (out > 0) & (back > 0)
        found += float(np.sum((out - back)[pairs] * np.log(out[pairs] / back[pairs])))
    return found


def jump_imbalance(jumps: LineJumps, m: Array) -> tuple[float, float]:
    """The largest net flux between two cells over its one-way flux, and what rounding makes of it."""
    u = jumps.lift * m
    if not np.any(jumps.strength > 0):
        return 0.0, 0.0
    largest = float(u.max())
    imbalance = 1.0 - float(u.min()) / largest
    return imbalance, ROUNDINGS * float(np.finfo(float).eps) * u.size * (1.0 + abs(np.log(largest)))


def _between_cells(jumps: LineJumps, u: Array) -> Array:
    """sum_j S_ij (u_j - u_i)."""
    change = jumps.kernel.apply(u) - jumps.kernel.apply(np.ones(u.size)) * u
    flow_along(*jumps.between, jumps.conductance, jumps.conductance, u, change)
    return change
