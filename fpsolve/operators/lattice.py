"""The half lattice of a grid: nodes, faces and corners, every half step in s, and differences along it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.functions import Points
from fpsolve.grid import Grid

__all__ = ["Lattice"]

Array = NDArray[np.float64]
STENCIL = 7


@dataclass(frozen=True, eq=False)
class Lattice:
    """Half steps of a grid: along each axis position h lies at face h/2 (even) or node (h - 1)/2 (odd).

    Outer faces are left out unless the axis is periodic or absorbing there: functions may fail where nobody needs them.
    """

    grid: Grid

    @cached_property
    def first(self) -> tuple[int, ...]:
        """The lowest h of each axis, 0 or 1."""
        return tuple(0 if axis.ends[0] in ("periodic", "absorbing") else 1 for axis in self.grid.axes)

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Positions per axis."""
        last = [2 * axis.cells - (axis.ends[1] != "absorbing") for axis in self.grid.axes]
        return tuple(stop - start + 1 for start, stop in zip(self.first, last, strict=True))

    @cached_property
    def s(self) -> tuple[Array, ...]:
        """Computational coordinates of the positions, per axis."""
        found = []
        for axis, first, count in zip(self.grid.axes, self.first, self.shape, strict=True):
            s = np.empty(2 * axis.cells + 1)
            s[::2], s[1::2] = axis.s_faces, axis.s_nodes
            found.append(s[first : first + count])
        return tuple(found)

    @cached_property
    def lengths(self) -> tuple[Array, ...]:
        """x'(s) ds at the positions, shaped to broadcast along each axis."""
        axes = self.grid.axes
        return tuple(self.along(k, axes[k].dx(s) * axes[k].ds) for k, s in enumerate(self.s))

    @cached_property
    def points(self) -> Points:
        """All positions, flat, C order."""
        x = [axis.x(s) for axis, s in zip(self.grid.axes, self.s, strict=True)]
        mesh = np.meshgrid(*x, indexing="ij")
        return Points(self.grid.names, tuple(part.ravel() for part in mesh), (("half cell", self.shape),))

    def along(self, k: int, values: Array) -> Array:
        """One value per position of axis k, shaped to broadcast over the lattice."""
        return values.reshape([-1 if i == k else 1 for i in range(self.grid.ndim)])

    def nodes(self, k: int) -> slice:
        """The nodes among the positions of axis k."""
        start = 1 - self.first[k]
        return slice(start, start + 2 * self.grid.shape[k] - 1, 2)

    def faces(self, k: int) -> slice:
        """The faces between neighbours among the positions of axis k; on a periodic axis the outer face comes first."""
        if self.grid.axes[k].periodic:
            return slice(0, None, 2)
        return slice(2 - self.first[k], 2 * self.grid.shape[k] - 1 - self.first[k], 2)

    def at_nodes(self, values: Array) -> Array:
        """Values (..., *lattice shape) at the nodes."""
        index: tuple[Any, ...] = (..., *(self.nodes(k) for k in range(self.grid.ndim)))
        return values[index]

    def at_faces(self, values: Array, k: int) -> Array:
        """Values (..., *lattice shape) at the faces across axis k."""
        chosen = tuple(self.faces(i) if i == k else self.nodes(i) for i in range(self.grid.ndim))
        index: tuple[Any, ...] = (..., *chosen)
        found = values[index]
        return np.roll(found, -1, axis=k - self.grid.ndim) if self.grid.axes[k].periodic else found

    def derivative(self, values: Array, k: int) -> Array:
        """d/ds_k per cell, sixth order; one-sided stencils near ends."""
        along = k - self.grid.ndim
        count = values.shape[along]
        if self.grid.axes[k].periodic:
            weights = _weights(np.arange(-3, 4)) * 2.0
            return sum(w * np.roll(values, -j, axis=along) for j, w in zip(range(-3, 4), weights, strict=True) if w)
        width = min(STENCIL, count)
        half = width // 2
        moved = np.moveaxis(values, along, -1)
        result = np.empty_like(moved)
        inner = slice(half, count - (width - 1 - half))
        weights = _weights(np.arange(width) - half) * 2.0
        result[..., inner] = sum(w * moved[..., j : count - (width - 1) + j] for j, w in enumerate(weights))
        for i in [*range(half), *range(count - (width - 1 - half), count)]:
            start = 0 if i < half else count - width
            result[..., i] = moved[..., start : start + width] @ (_weights(np.arange(width) + start - i) * 2.0)
        return np.moveaxis(result, -1, along)


def _weights(offsets: NDArray[np.int64]) -> Array:
    """Weights of the first derivative at 0 from values at integer offsets."""
    powers = np.vander(offsets.astype(float), increasing=True).T
    weights = np.linalg.solve(powers, np.eye(offsets.size)[1])
    weights[np.abs(weights) < 1e-14] = 0.0
    return weights
