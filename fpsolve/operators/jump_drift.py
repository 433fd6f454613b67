"""Drift beside jumps, where there is no diffusion to fit exponentials to: F = A p at the nodes, fluxes at the faces.

Positive: (F_i + F_(i+1))/2 + e (F_i - F_(i+1)), or + e (p_i - p_(i+1)) where the drift turns between the two nodes,
with the least e that keeps both rates between them, those of the jumps included, from being negative: first order
where e != 0, second elsewhere.
Accurate: (2 F_(i-2) - 13 F_(i-1) + 47 F_i + 27 F_(i+1) - 3 F_(i+2))/60, i the node upwind of the face: of fifth order
in s (fourth where the drift turns), with just enough upwinding to damp what a central flux leaves to jumps alone.
Before an open end nodes that are not there have the values of the power-law tail; before other ends four nodes make a
flux of fourth order.
Over an absorbing face the drift carries p of the last cell, outward only; over other outer faces nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.errors import InvalidInput
from fpsolve.operators.local import Chain
from fpsolve.operators.transport import FaceFluxes

__all__ = ["bare_chain", "drift_fluxes", "drift_over_ends", "positive_drift"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
# F at a face from the nodes around it: two behind the one upwind of it, and two beyond the face
UPWIND, AHEAD, BACK = np.array([2.0, -13.0, 47.0, 27.0, -3.0]) / 60.0, np.arange(-2, 3), np.arange(3, -2, -1)
# before a wall from the four nodes next to it, at the first and the second face from there
WALLED = np.array([[3.0, 13.0, -5.0, 1.0], [-1.0, 7.0, 7.0, -1.0]]) / 12.0
NEAREST = np.arange(4)
CENTRAL, AT_WALL = np.array([-1.0, 7.0, 7.0, -1.0]) / 12.0, np.array([0.0, -1.0, 5.0, 2.0]) / 6.0

FEWEST = 6  # cells that such fluxes need
ROUNDING = 8.0 * np.finfo(float).eps  # a rate that is to be 0 must not come out negative


def positive_drift(axis: Axis, drift: Array, jumps: tuple[Array, Array], capacity: Array) -> tuple[Array, Array]:
    """Rates up and down every edge, which with those of the jumps are not negative.

    jumps: what the jumps alone carry over each edge, up and down, per unit of density.
    """
    edges = axis.gaps.size
    left, right = np.arange(edges), (np.arange(edges) + 1) % axis.cells
    up, down = 0.5 * drift[left], -0.5 * drift[right]
    extra = np.maximum(0.0, -np.minimum(up + jumps[0], down + jumps[1]))
    extra += np.where(extra > 0, ROUNDING * (np.abs(up) + np.abs(down)), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        more_up = extra * np.where((up > 0) & (down < 0), up / -down, 1.0)
        more_down = extra * np.where((up < 0) & (down > 0), down / -up, 1.0)
    return (up + more_up) / capacity[left], (down + more_down) / capacity[right]


def drift_over_ends(axis: Axis, drift: Array, capacity: Array) -> Array:
    """Rate at which the drift at the outer faces, (lower, upper), carries mass out of each cell: absorbing ends."""
    killing = np.zeros(axis.cells)
    for cell, outward, end in ((0, -drift[0], axis.ends[0]), (-1, drift[1], axis.ends[1])):
        if end == "absorbing":
            killing[cell] += max(float(outward), 0.0) / capacity[cell]
    return killing


def bare_chain(axis: Axis, up: Array, down: Array, killing: Array) -> Chain:
    """Edges without noise of their own that carry what is given: drift, beside jumps."""
    left = np.arange(up.size)
    return Chain(
        left=left,
        right=(left + 1) % axis.cells,
        offsets=np.ones((left.size, 1), dtype=np.int64),
        step=np.zeros(left.size),
        log_conductance=np.full(left.size, -np.inf),
        up=up,
        down=down,
        noiseless=np.ones(left.size, dtype=bool),
        killing=killing,
        dead=np.zeros(axis.cells, dtype=bool),
        zeros=np.full(left.size, np.nan),
        natural=(False, False),
    )


def drift_fluxes(axis: Axis, drift: Array, beyond: tuple[Array | None, Array | None], capacity: Array) -> FaceFluxes:
    """Fluxes of fifth order over every inner face.

    beyond: F at the two nodes beyond the (lower, upper) end over F at the last one, None where there are none.
    """
    n, faces = axis.cells, axis.gaps.size
    if n < FEWEST:
        raise InvalidInput(f"{n} cells are too few for fluxes of fifth order beside jumps: at least {FEWEST}")
    left = np.arange(faces)
    forward = drift[left] + drift[(left + 1) % n] >= 0
    sources = left[:, None] + np.where(forward[:, None], AHEAD, BACK)
    weights = np.tile(UPWIND, (faces, 1))
    if not axis.periodic:
        for upper, ratios in enumerate(beyond):
            _close(sources, weights, n, bool(upper), ratios)
    sources %= n
    return FaceFluxes(
        left, (left + 1) % n, np.zeros(faces, dtype=np.int64), sources, weights * (drift / capacity)[sources]
    )


def _close(sources: Indices, weights: Array, n: int, upper: bool, ratios: Array | None) -> None:
    """Nodes beyond an end: the last one stands for those of a tail; before other ends fewer nodes make the flux."""
    over = sources - (n - 1) if upper else -sources
    for face in np.flatnonzero((over > 0).any(axis=1)):
        out = over[face] > 0
        if ratios is not None:
            weights[face, out] *= ratios[over[face, out] - 1]
            sources[face, out] = n - 1 if upper else 0
            continue
        weights[face], sources[face] = 0.0, n - 1 if upper else 0
        nodes = n - 1 - NEAREST if upper else NEAREST
        distance = n - 2 - face if upper else face
        weights[face, :4], sources[face, :4] = WALLED[distance], nodes
