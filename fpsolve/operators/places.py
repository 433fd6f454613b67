"""Where a process is sampled along an axis: at nodes, in the middle of intervals, and at Gauss points of these.

Intervals run from node to node, and half a cell from the last node to an absorbing face.  Each has a middle (where its
conductance is taken) and Gauss-Legendre points (where A/D is integrated).  Of a process in motion only what moves is
asked for again at other times.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.functions import Points
from fpsolve.process import Process

__all__ = ["Intervals", "Places", "Still", "gauss", "intervals", "places_of"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


def _on_unit_interval(points: Array, weights: Array) -> tuple[Array, Array]:
    return 0.5 + 0.5 * points, 0.5 * weights


GAUSS = _on_unit_interval(*np.polynomial.legendre.leggauss(4))
GAUSS_FINE = _on_unit_interval(*np.polynomial.legendre.leggauss(2))
FINE = 100_000  # cells: from here on two points per cell integrate A/D to rounding


@dataclass(frozen=True, eq=False)
class Intervals:
    """Stretches [start, stop] of s with their middles, and their lengths in x.

    `halves` says which end (upper?) each of the last ones belongs to.
    """

    start: Array
    stop: Array
    middle: Array
    length: Array
    halves: tuple[bool, ...]

    @property
    def inner(self) -> int:
        """Number of intervals from node to node."""
        return self.start.size - len(self.halves)


def intervals(axis: Axis) -> Intervals:
    """Node to node (round the ring if periodic), then the half cells at absorbing ends."""
    s = axis.s_nodes
    start, stop, middle, length = [s[:-1]], [s[1:]], [axis.s_faces[1:-1]], [axis.gaps]
    if axis.periodic:
        start.append(s[-1:])
        stop.append(s[-1:] + axis.ds)
        middle.append(axis.s_faces[-1:])
    halves = tuple(upper for upper in (False, True) if axis.ends[upper] == "absorbing")
    for upper in halves:
        low, high = (s[-1:], axis.s_faces[-1:]) if upper else (axis.s_faces[:1], s[:1])
        start.append(low)
        stop.append(high)
        middle.append(0.5 * (low + high))
        length.append(axis.map.gap(low, 0.5 * axis.ds))
    joined = [np.concatenate(parts) for parts in (start, stop, middle, length)]
    return Intervals(joined[0], joined[1], joined[2], joined[3], halves)


def gauss(axis: Axis) -> tuple[Array, Array]:
    """Points in [0, 1] and weights that integrate A/D over an interval."""
    return GAUSS if axis.cells < FINE else GAUSS_FINE


@dataclass(frozen=True, eq=False)
class Places:
    """Where a process is sampled on an axis: the same at all times."""

    axis: Axis
    name: str
    intervals: Intervals
    s_quad: Array
    points: Points

    @classmethod
    def of(cls, axis: Axis, name: str, quadrature_points: bool) -> Places:
        """Nodes, middles of the intervals, and their Gauss points if asked for."""
        found = intervals(axis)
        s = found.start[:, None] + gauss(axis)[0] * (found.stop - found.start)[:, None]
        s = np.where(s > axis.stop, s - (axis.stop - axis.start), s) if axis.periodic else s
        parts = [axis.nodes, axis.x(found.middle)]
        sections: list[tuple[str, tuple[int, ...]]] = [("cell", parts[0].shape), ("face", parts[1].shape)]
        if quadrature_points:
            parts.append(axis.x(s).ravel())
            sections.append(("between cells", s.shape))
        return cls(axis, name, found, s, Points((name,), (np.concatenate(parts),), tuple(sections)))

    @cached_property
    def lengths(self) -> Array:
        """What the Gauss points of each interval stand for in x."""
        return np.asarray(self.axis.dx(self.s_quad) * (self.intervals.stop - self.intervals.start)[:, None])

    @cached_property
    def log_lengths(self) -> Array:
        """ln of the intervals' lengths."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.intervals.length))

    @cached_property
    def log_weights(self) -> tuple[Array, Array]:
        """ln of the weights of the cells to the left and to the right of each inner interval."""
        log_w, inner = np.log(self.axis.weights), self.intervals.inner
        return log_w[:inner], np.append(log_w[1:], log_w[0])[:inner]

    @cached_property
    def links(self) -> tuple[Indices, Indices, Indices]:
        """The cells to the left and to the right of each inner interval, and the offset from one to the other."""
        left = np.arange(self.intervals.inner, dtype=np.int64)
        found = left, (left + 1) % self.axis.cells, np.ones((left.size, 1), dtype=np.int64)
        for indices in found:  # shared by the edges of all times
            indices.setflags(write=False)
        return found


@dataclass(frozen=True, eq=False)
class Still:
    """What a process in motion has at its places at all times: drift, D and ln D, None where they move."""

    drift: Array | None = None
    diffusion: Array | None = None
    log_diffusion: Array | None = None


_moving: weakref.WeakKeyDictionary[Process, tuple[Places, Still]] = weakref.WeakKeyDictionary()


def places_of(process: Process, axis: Axis, name: str) -> tuple[Places, Still]:
    """The places; of a process in motion also what does not move there, and both only once."""
    known = _moving.get(process)
    if known is not None and known[0].axis is axis and known[0].name == name:
        return known
    found = Places.of(axis, name, process.potential is None), Still()
    if process.time_dependent:
        found = found[0], _at_rest(process, found[0].points)
        _moving[process] = found
    return found


def _at_rest(process: Process, points: Points) -> Still:
    """Direct forms and losses have other uses for drift and D: nothing is kept of these."""
    if process.potential is not None or process.log_diffusion is not None or process.drift_over_diffusion is not None:
        return Still()
    moves = {label: process.functions[label].takes_time for label in ("drift", "diffusion")}
    drift = None if moves["drift"] else process.drift_at(points)[0]
    if moves["diffusion"]:
        return Still(drift)
    diffusion = process.diffusion_at(points)[0, 0]
    with np.errstate(divide="ignore"):
        return Still(drift, diffusion, np.log(diffusion))
