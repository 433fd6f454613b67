"""The stretches that closed sets leave free on one axis, with what lies at the ends of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.operators.regions import ON_BOUNDARY, Region, s_of

__all__ = ["FreeStretch", "free_stretches"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class FreeStretch:
    """Consecutive free cells.

    start, stop: its ends in s; on a periodic axis stop may lie beyond the axis's end.  nodes: of its cells, in s.
    below, above: the set that begins there, as an index; None where it is the axis that ends.
    """

    cells: Indices
    nodes: Array
    start: float
    stop: float
    below: int | None
    above: int | None


def free_stretches(regions: Sequence[Region], axis: Axis) -> list[FreeStretch]:
    """What `regions` leave free, from below; nothing for a periodic axis on which no set lies."""
    places = np.arange(axis.cells, dtype=float)
    owner = np.full(places.size, -1)
    for k, region in enumerate(regions):
        owner[(owner < 0) & region.cells] = k
    if not axis.periodic:
        places = np.concatenate([[-0.5], places, [axis.cells - 0.5]])
        owner = np.concatenate([[_at_face(regions, owner, False)], owner, [_at_face(regions, owner, True)]])
    else:
        if np.all(owner < 0) or np.all(owner >= 0):
            return []
        first = int(np.argmax(owner >= 0))  # go round from inside a set, and close the ring behind it
        places, owner = (
            np.append(places[first:], places[: first + 1] + axis.cells),
            np.append(owner[first:], owner[: first + 1]),
        )
    free = np.flatnonzero(owner < 0)
    runs = np.split(free, np.flatnonzero(np.diff(free) > 1) + 1) if free.size else []
    found = [_stretch(regions, axis, places, owner, run) for run in runs]
    return [stretch for stretch in found if stretch.cells.size]


def _at_face(regions: Sequence[Region], owner: Indices, upper: bool) -> int:
    """Whose an outer face is: as its level says, or as the last node's if the level says the same there."""
    last = owner.size - 1.0 if upper else 0.0
    for k, region in enumerate(regions):
        face, node = region.level(np.array([[last + (0.5 if upper else -0.5), last]]))
        if face != node and face >= 0.0:
            return k
        if face != node and owner[int(last)] == k:
            return -1
    return int(owner[int(last)])


def _stretch(regions: Sequence[Region], axis: Axis, places: Array, owner: Indices, run: Indices) -> FreeStretch:
    ends: list[float] = []
    beside: list[int | None] = []
    for last, step in ((int(run[0]), -1), (int(run[-1]), 1)):
        beyond = last + step
        if not 0 <= beyond < places.size:
            ends.append(float(places[last]))
            beside.append(None)
            continue
        beside.append(int(owner[beyond]))
        near, far = places[None, [last]], places[None, [beyond]]
        ends.append(float(near[0, 0] + regions[owner[beyond]].share(near, far)[0] * step))
    inside = places[run]
    inside = inside[(inside > ends[0] + ON_BOUNDARY) & (inside < ends[1] - ON_BOUNDARY)]
    inside = inside[inside == np.round(inside)]
    unrolled = axis.s_nodes[0] + inside * axis.ds if axis.periodic else axis.s_nodes[inside.astype(int)]
    start, stop = (_s(axis, end) for end in ends)
    return FreeStretch(inside.astype(np.int64) % axis.cells, unrolled, start, stop, beside[0], beside[1])


def _s(axis: Axis, place: float) -> float:
    if axis.periodic:
        return float(axis.s_nodes[0] + place * axis.ds)
    return float(np.clip(s_of(axis, np.array(place)), axis.start, axis.stop))
