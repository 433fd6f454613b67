"""A generator whose paths end in given sets: what is left of L on the free cells.

Edges between free cells stay.  Edges into a set become killing, shortened to its boundary (operators/targets.py); so
do jumps that land in one (operators/ended_jumps.py).
Cells that are not free hold nothing: what starts or is carried there leaves at the largest rate.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from fpsolve.generator import Generator
from fpsolve.grid import Grid
from fpsolve.operators.edges import Edges
from fpsolve.operators.ended_jumps import EndedJumps, ended_jumps
from fpsolve.operators.line_jumps import LineJumps
from fpsolve.operators.regions import Region
from fpsolve.operators.targets import FREE, Crossings, crossings, entry_rates, owners
from fpsolve.operators.transport import FaceFluxes

__all__ = ["Killed", "at_another_time", "killed"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
E = TypeVar("E", bound=Edges)


@dataclass(frozen=True, eq=False)
class Killed:
    """A generator with sets that paths end in.

    generator: of all cells.  owner: whose each cell is, FREE or an index into `regions`.
    crossings: edges into each region; entries: their rates.  carried: what transport takes out of each cell into each
        region, (regions, cells).
    at_ends: rate out of each free cell at the absorbing ends of the grid, jumps over them included.
    """

    generator: Generator
    grid: Grid
    regions: tuple[Region, ...]
    owner: Indices
    crossings: tuple[Crossings, ...]
    entries: tuple[Array, ...]
    carried: Array
    at_ends: Array

    @cached_property
    def free(self) -> Indices:
        """The free cells."""
        return np.flatnonzero(self.owner == FREE)

    def into(self, k: int) -> Array:
        """Rate out of each cell into the k-th region, (cells,)."""
        entering = np.bincount(self.crossings[k].cell, self.entries[k], minlength=self.owner.size)
        jumping = 0.0 if self.jumps is None else self.jumps.entering[k]
        return np.asarray(entering + self.carried[k] + jumping, dtype=float)

    @property
    def jumps(self) -> EndedJumps | None:
        """What jumps do among the free cells."""
        return self.generator.jumps if isinstance(self.generator.jumps, EndedJumps) else None

    @cached_property
    def loss(self) -> Array:
        """Rate at which each cell loses paths, to the sets and at absorbing ends; 0 in cells that are not free."""
        return sum((self.into(k) for k in range(len(self.regions))), self.at_ends.copy())


def killed(L: Generator, grid: Grid, regions: Sequence[Region], *, to_nodes: bool = False) -> Killed:
    """L with paths that end in `regions`.

    to_nodes: whether edges into them lead to the nodes, as in L, and not to the boundaries.
    """
    owner = owners(L.edges, regions)
    found = tuple(crossings(L.edges, owner, k, region) for k, region in enumerate(regions))
    if to_nodes:
        found = tuple(dataclasses.replace(part, share=np.ones(part.edge.size)) for part in found)
    return _killed(L, grid, tuple(regions), owner, found)


def at_another_time(known: Killed, L: Generator) -> Killed:
    """The same sets, with a generator of the same process at another time."""
    return _killed(L, known.grid, known.regions, known.owner, known.crossings)


def _killed(
    L: Generator, grid: Grid, regions: tuple[Region, ...], owner: Indices, found: tuple[Crossings, ...]
) -> Killed:
    edges, inside = L.edges, owner == FREE
    rates = tuple(entry_rates(edges, grid, part) for part in found)
    at_ends = np.where(inside, L.killing, 0.0)
    fast = max(float(part.max(initial=0.0)) for part in (edges.up, edges.down, edges.killing)) or 1.0
    kept = _restricted(edges, inside, _losses(edges, inside, found, rates, fast))
    transport, carried = _carried(L, inside, owner, len(regions))
    jumps = L.jumps
    if isinstance(jumps, LineJumps):
        beside = jumps.positive
        into = tuple(entry_rates(beside, grid, part) for part in found)
        positive = _restricted(beside, inside, _losses(beside, inside, found, into, fast))
        jumps = ended_jumps(jumps.summed, positive, owner, found)
    generator = dataclasses.replace(L, edges=kept, transport=transport, jumps=jumps)
    return Killed(generator, grid, regions, owner, found, rates, carried, at_ends)


def _losses(
    edges: E, inside: NDArray[np.bool_], found: tuple[Crossings, ...], rates: tuple[Array, ...], fast: float
) -> Array:
    """What edges take out of the free cells for good; `fast` out of others."""
    into = [np.bincount(part.cell, rate, minlength=inside.size) for part, rate in zip(found, rates, strict=True)]
    return np.where(inside, edges.killing + sum(into), fast)


def _restricted(edges: E, inside: NDArray[np.bool_], killing: Array) -> E:
    """All edges, those that touch other cells than free ones without noise and without rates."""
    kept = inside[edges.left] & inside[edges.right]
    return dataclasses.replace(
        edges,
        step=np.where(kept, edges.step, 0.0),
        log_conductance=np.where(kept, edges.log_conductance, -np.inf),
        up=np.where(kept, edges.up, 0.0),
        down=np.where(kept, edges.down, 0.0),
        noiseless=edges.noiseless | ~kept,
        killing=killing,
    )


def _carried(
    L: Generator, inside: NDArray[np.bool_], owner: Indices, count: int
) -> tuple[tuple[FaceFluxes, ...], Array]:
    """Second-order transport of what is inside; and what it takes out of each cell into each set."""
    parts, carried = [], np.zeros((count, owner.size))
    for part in L.transport:
        kept = inside[part.left] | inside[part.right]
        sources = part.sources[kept]
        coefficients = np.where(inside[sources], part.coefficients[kept], 0.0)
        parts.append(FaceFluxes(part.left[kept], part.right[kept], part.axis[kept], sources, coefficients))
        matrix = parts[-1].matrix(owner.size).tocoo()
        for k in range(count):
            into = owner[matrix.row] == k
            carried[k] += np.bincount(matrix.col[into], matrix.data[into], minlength=owner.size)
    return tuple(parts), carried
