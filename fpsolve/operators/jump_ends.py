"""Jumps that leave the axis: for good at absorbing ends, and into the power-law tail beyond open ones.

Rates from cell i over the end b, per unit of w p scale^alpha (the last term is what the midpoint rule over the cells
that are not there would have missed, F = C x'(s) |x(s) - x_i|^(-1-alpha), its derivative outward and at b):
    out_i = (C/alpha) |b - x_i|^-alpha + (ds^2/24) dF/ds;
it is taken as an exponential, which is the same to that order and positive next to the end of the coarsest axis.
Beyond an open end p = p_N (y/y_N)^-q, y the distance from the middle of the drift; scale^alpha ~ y^g there.  The last
cell carries that tail: it weighs more than its width, jumps beyond the end land in it, and the tail's own jumps return
to cell i at the rate, per unit of p_N scale_N^alpha,
    C w_i int_b^inf (y/y_N)^(g-q) |x - x_i|^(-1-alpha) dx
        = C w_i y_N^(q-g) y_b^-(q-g+alpha)/(q-g+alpha) 2F1(1+alpha, q-g+alpha; q-g+alpha+1; y_i/y_b).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.maps import TanhMap
from fpsolve.operators.jump_kernel import conductance_to_end, constant_of
from fpsolve.values.power_law import PowerLaw, slope_at_face

__all__ = ["OpenEnd", "Tail", "distances_to", "lost_over", "open_end"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Tail:
    """How p goes on beyond an open end, and scale^alpha ~ y^growth.

    source: where the exponent comes from, for people.
    stationary: the exponent that a stationary density would have, and `uncertainty` how far it may be off: what `law`
    has where it exceeds 1; NaN where the drift does not lead back.
    """

    law: PowerLaw
    growth: float
    source: str
    stationary: float
    uncertainty: float

    @property
    def exponent(self) -> float:
        """q in p ~ y^-q."""
        return self.law.exponent

    @property
    def center(self) -> float:
        """Where y is 0."""
        return self.law.center


@dataclass(frozen=True, eq=False)
class OpenEnd:
    """An open end and what its last cell stands for.

    weight: of the tail, per unit of p in that cell.  out: from every cell beyond the end; back: from the tail to every
    cell; both 0 at `cell` itself.  lost: from the tail over the other end, where that absorbs.
    """

    upper: bool
    cell: int
    tail: Tail
    weight: float
    out: Array
    back: Array
    lost: float


def distances_to(axis: Axis, upper: bool) -> Array:
    """From every node to the end of the axis; on tanh axes to where the map ends."""
    if isinstance(axis.map, TanhMap):
        return axis.map.distance_to_high(axis.s_nodes) if upper else axis.map.distance_to_low(axis.s_nodes)
    half = axis.map.gap(axis.s_nodes[-1:] if upper else axis.s_faces[:1], 0.5 * axis.ds)
    gaps = axis.gaps[::-1] if upper else axis.gaps
    outward = np.cumsum(np.concatenate([half, gaps[: axis.cells - 1]]))
    return outward[::-1] if upper else outward


def over_end(alpha: float, axis: Axis, upper: bool) -> Array:
    """out_i / w_i: the rate of jumps of unit scale over an end."""
    distance = distances_to(axis, upper)
    rate = constant_of(alpha) / alpha * distance**-alpha
    if isinstance(axis.map, TanhMap):  # its cells go on to where the map ends, smaller and smaller
        return rate
    slope, bend = slope_at_face(axis, upper)
    # dF/ds over the integral, outward: |x - x_i| grows by x' per unit of s
    change = alpha * (bend - (1.0 + alpha) * slope**2 / distance) / distance
    return rate * np.exp(axis.ds**2 / 24.0 * change)


def lost_over(alpha: float, axis: Axis, upper: bool) -> Array:
    """Rate of each cell's loss over an absorbing end, per unit of w p scale^alpha."""
    rate = over_end(alpha, axis, upper)
    cell = -1 if upper else 0
    distance = float(distances_to(axis, upper)[cell])
    rate[cell] += conductance_to_end(alpha, axis, upper, distance) / float(axis.weights[cell])
    return rate


def open_end(alpha: float, axis: Axis, upper: bool, tail: Tail) -> OpenEnd:
    """What is beyond an open end where p goes on like `tail`."""
    cell = axis.cells - 1 if upper else 0
    out = axis.weights * over_end(alpha, axis, upper)
    out[cell] = 0.0
    back, across = _returns(alpha, axis, upper, tail, cell)
    if axis.ends[not upper] == "open":
        back[0 if upper else -1] += across
    lost = across if axis.ends[not upper] == "absorbing" else 0.0
    return OpenEnd(upper, cell, tail, tail.law.weight(axis, upper), out, back, lost)


def _returns(alpha: float, axis: Axis, upper: bool, tail: Tail, cell: int) -> tuple[Array, float]:
    """Rates of return from the tail to each cell, and from the tail to beyond the other end."""
    from scipy.special import hyp2f1

    node, end = tail.law.reach(axis, upper)
    fall, sign, center = tail.law.exponent - tail.growth, 1.0 if upper else -1.0, tail.law.center
    power = fall + alpha
    scale = constant_of(alpha) * (node / end) ** fall * end**-alpha
    places = np.minimum(sign * (axis.nodes - center) / end, 1.0)
    places[cell] = 0.0  # not asked for
    back = axis.weights * scale / power * hyp2f1(1.0 + alpha, power, power + 1.0, places)
    back[cell] = 0.0
    far = sign * ((axis.lo if upper else axis.hi) - center) / end
    across = scale / alpha * end / (power - 1.0) * float(hyp2f1(alpha, power - 1.0, power, far))
    return np.asarray(back, dtype=np.float64), across
