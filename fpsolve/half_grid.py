"""The same stationary density on half the cells: what resolution still changes, measured instead of guessed."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import InvalidInput
from fpsolve.generator import Generator, generator
from fpsolve.grid import Grid
from fpsolve.problem import Problem
from fpsolve.progress import Progress
from fpsolve.solvers.null_vector import NullVector
from fpsolve.solvers.sets import closed_sets

__all__ = ["HalfGrid", "null_masses"]

Array = NDArray[np.float64]
FEWEST = 4  # cells along an axis of the coarser grid


@dataclass(frozen=True, eq=False)
class HalfGrid:
    """`problem` on a grid half as fine, and its density by the same method; both None where there is none."""

    fine: Problem
    method: NullVector

    @cached_property
    def problem(self) -> Problem | None:
        axes = dict(zip(self.fine.grid.names, self.fine.grid.axes, strict=True))
        if any(axis.cells < 2 * FEWEST for axis in axes.values()):
            return None
        try:
            for axis in axes.values():
                axis.refined(1)
        except InvalidInput:  # an axis known by its arrays only
            return None
        coarse = {name: dataclasses.replace(axis, cells=axis.cells // 2) for name, axis in axes.items()}
        return self.fine.replace(grid=Grid(**coarse))

    @cached_property
    def masses(self) -> Array | None:
        """Its masses, of the shape of its grid."""
        if self.problem is None:
            return None
        L = generator(self.problem)
        closed = closed_sets(L.edges, L.transport)
        return null_masses(L, closed[0], self.method, False).reshape(L.shape) if len(closed) == 1 else None

    def distance(self, masses: Array) -> float | None:
        """The sum of all |differences| from `masses` on the fine grid."""
        if self.masses is None:
            return None
        ours = masses.reshape(self.fine.grid.shape)
        for k, count in enumerate(self.masses.shape):
            ours = _merged(ours, k, count)
        return float(np.abs(ours - self.masses).sum())


def null_masses(L: Generator, cells: NDArray[np.int64], method: NullVector, progress: Progress) -> Array:
    """The masses of the closed set `cells`, shape (all cells,)."""
    rates = L.rates()
    if cells.size < L.size:
        rates = rates[cells][:, cells].tocsc()
    masses = np.zeros(L.size)
    if cells.size == 1:
        masses[cells] = 1.0
    else:
        indices = np.stack(np.unravel_index(cells, L.shape), axis=1)
        masses[cells] = method.null_vector(rates, indices, progress=progress)
    return masses


def _merged(masses: Array, k: int, count: int) -> Array:
    """Masses on `count` wider cells along axis k; where a face falls inside a cell, that cell's mass is shared."""
    cells = masses.shape[k]
    below = np.moveaxis(np.cumsum(masses, axis=k), k, -1)
    below = np.concatenate([np.zeros((*below.shape[:-1], 1)), below], axis=-1)
    place = np.arange(count + 1) * (cells / count)
    low = np.minimum(place.astype(int), cells - 1)
    inside = below[..., low] + (place - low) * (below[..., low + 1] - below[..., low])
    return np.moveaxis(np.diff(inside, axis=-1), -1, k)
