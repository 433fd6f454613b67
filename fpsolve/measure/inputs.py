"""What can be measured: independent draws (n, d), and trajectories of n replicas in d coordinates at k times."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.axis import read_only
from fpsolve.checks import number, rising_times, whole
from fpsolve.errors import InvalidInput
from fpsolve.laws import Samples, side_of
from fpsolve.values.swarm import Swarm

__all__ = ["Paths", "batch_size", "draws", "paths", "spread", "symmetric"]

Array = NDArray[np.float64]
EQUAL = 1e-6  # of the spacing: times this close to equally spaced are
ROUNDING = 1e-12  # relative to the largest
UNITS = (1e-70, 1e70)  # between these fourth powers are doubles
FEW = 1000  # samples that tell the size of all


@dataclass(frozen=True, eq=False)
class Paths:
    """Trajectories: times (k,), rising; positions (k, n, d)."""

    names: tuple[str, ...]
    times: Array
    positions: Array

    @cached_property
    def spacing(self) -> float:
        """The time between neighbours.  Raises InvalidInput where it is not the same throughout."""
        gaps = np.diff(self.times)
        step = float(self.times[-1] - self.times[0]) / gaps.size
        if np.any(np.abs(gaps - step) > EQUAL * step):
            usual = float(np.median(gaps))
            i = int(np.argmax(np.abs(gaps - usual)))
            raise InvalidInput(
                f"the times are not equally spaced: {gaps[i]:.6g} after t={self.times[i]:.6g}, {usual:.6g} elsewhere; "
                "record at equal spacing, or leave out what is not"
            )
        return step

    def pairs(self, lag: float | None) -> tuple[float, NDArray[np.int64], NDArray[np.int64]]:
        """The lag, and the indices of all times followed by another at that distance (default: the spacing)."""
        if lag is None:
            k = np.arange(self.times.size - 1)
            return self.spacing, k, k + 1
        if not number("lag", lag) > 0:
            raise InvalidInput(f"lag is {lag}; give a time > 0")
        later = np.searchsorted(self.times, self.times + lag * (1.0 - EQUAL))
        inside = later < self.times.size
        first, later = np.flatnonzero(inside), later[inside]
        hit = np.abs(self.times[later] - self.times[first] - lag) <= EQUAL * lag
        if not hit.any():
            gaps = np.unique(np.diff(self.times).round(12))
            raise InvalidInput(
                f"lag is {lag:g}, but no two recorded times are that far apart; the shortest distance is {gaps[0]:g}"
            )
        return float(lag), first[hit], later[hit]

    @property
    def only(self) -> Array:
        """The positions (k, n) of a single coordinate."""
        if self.positions.shape[2] > 1:
            raise InvalidInput(
                f"the trajectories have {self.positions.shape[2]} coordinates ({', '.join(self.names)}); measure one "
                "at a time: positions[:, :, 0]"
            )
        return self.positions[:, :, 0]


def paths(given: Swarm | ArrayLike, times: ArrayLike | None, least: int) -> Paths:
    """Trajectories from a Swarm, or from an array (k,), (k, n) or (k, n, d) with its times (default 0, 1, ...)."""
    if isinstance(given, Swarm):
        if times is not None:
            raise InvalidInput("times are given beside a Swarm, which has its own; leave them out")
        gone = int((~given.alive()).sum())
        if gone:
            raise InvalidInput(
                f"{gone} of {len(given)} replicas have diverged or been absorbed by t={given.times[-1]:g}; the others "
                "alone are a biased choice: if that is wanted, give swarm.positions[:, swarm.alive()] and swarm.times"
            )
        positions, when, names = given.positions, given.times, given.names
    else:
        positions = _real("trajectories", given, (1, 2, 3))
        positions = positions.reshape(*positions.shape, *(1,) * (3 - positions.ndim))
        when = np.arange(float(len(positions))) if times is None else rising_times(times, -np.inf, "")
        names = tuple(f"x{i}" for i in range(positions.shape[2])) if positions.shape[2] > 1 else ("x",)
        if when.size != len(positions):
            raise InvalidInput(
                f"positions has shape {positions.shape}, but there are {when.size} times; the first index is the time"
            )
    if len(positions) < least:
        raise InvalidInput(f"the trajectories have {len(positions)} times; this needs {least} or more: record more")
    _finite("trajectories", positions)
    _representable("trajectories", positions.reshape(-1, positions.shape[2]))
    return Paths(names, read_only(np.array(when)), positions)


def draws(given: Swarm | ArrayLike, label: str, least: int, t: float | None = None) -> Array:
    """Independent draws (n, d) from an array (n,) or (n, d), or from a Swarm's replicas at t (default: the last)."""
    side = side_of(given, t, label)
    if not isinstance(side, Samples):
        raise InvalidInput(f"{label} is {type(given).__name__}; give samples of shape (n,) or (n, d), or a Swarm")
    if side.n < least:
        raise InvalidInput(f"{label} has {side.n} samples; this needs {least} or more: draw more")
    _representable(label, side.positions)
    return side.positions


def spread(x: Array, label: str) -> None:
    """InvalidInput where a column of x is constant."""
    flat = np.flatnonzero(np.all(x == x[:1], axis=0))
    if flat.size:
        value = float(x.reshape(len(x), -1)[0, flat[0]])
        raise InvalidInput(
            f"{label} is constant ({value:g} in all {len(x)} samples of coordinate {flat[0]}): without noise there is "
            "nothing to measure; leave that coordinate out"
        )


def batch_size(batch: int, samples: int) -> int:
    """A batch of at least 1 and at most `samples`."""
    if whole("batch", batch, 1) > samples:
        raise InvalidInput(f"batch is {batch} but the data have {samples} samples; give a batch of at most that")
    return int(batch)


def symmetric(label: str, given: ArrayLike, d: int | None = None) -> Array:
    """A finite symmetric (d, d) matrix of any size."""
    matrix = np.atleast_2d(_real(label, given, (0, 1, 2)))
    if matrix.shape[0] != matrix.shape[1] or (d is not None and len(matrix) != d):
        size = "a square matrix" if d is None else f"shape ({d}, {d})"
        raise InvalidInput(f"{label} has shape {np.shape(given)}; give {size}")
    _finite(label, matrix)
    skew = float(np.abs(matrix - matrix.T).max())
    if skew > ROUNDING * np.abs(matrix).max():
        raise InvalidInput(f"{label} is not symmetric: entries differ by {skew:.6g}; give one with M_ij = M_ji")
    return matrix


def _real(label: str, given: ArrayLike, ndim: tuple[int, ...]) -> Array:
    raw = np.asarray(given)
    if raw.dtype.kind not in "biuf" or raw.ndim not in ndim or raw.size == 0:
        shapes = "a matrix" if label != "trajectories" else "a Swarm, or real positions (k,), (k, n) or (k, n, d)"
        raise InvalidInput(
            f"{label} is {type(given).__name__} of shape {raw.shape} and type {raw.dtype}; give {shapes}, not empty"
        )
    return raw.astype(float)


def _representable(label: str, x: Array) -> None:
    """InvalidInput for units in which moments of x (n, d) are no doubles; a few outliers do not count."""
    few = x[:: max(1, len(x) // FEW)]
    size = np.median(np.abs(few - np.median(few, axis=0)), axis=0)
    wrong = np.flatnonzero((size > 0) & ((size < UNITS[0]) | (size > UNITS[1])))
    if wrong.size:
        raise InvalidInput(
            f"{label} vary by about {size[wrong[0]]:.2g} in coordinate {wrong[0]}, and powers of that are 0 or "
            "infinite; give them in other units"
        )


def _finite(label: str, values: Array) -> None:
    wrong = np.argwhere(~np.isfinite(values))
    if len(wrong):
        place = tuple(int(i) for i in wrong[0])
        raise InvalidInput(
            f"{label} has {len(wrong)} values of {values.size} that are not finite, the first at index {place}; find "
            "out why before measuring: leaving them out would bias the answer"
        )
