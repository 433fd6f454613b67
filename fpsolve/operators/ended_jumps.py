"""Jumps along one axis whose paths end in given sets: wherever in a set a jump lands, the path has left.

Rates among the free cells stay; those into the cells of a set, and into the tail beyond an open end that a set holds,
are its killing.  The nearest cell of a set begins at its boundary and not at its node: what jumps carry over that one
edge, of which the share theta lies before the boundary, is taken over theta, as diffusion is (targets.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fpsolve.operators.line_jumps import LineJumps
from fpsolve.operators.local import Chain
from fpsolve.operators.targets import FREE, Crossings
from fpsolve.values.continuation import Beyond

__all__ = ["EndedJumps", "ended_jumps", "nearer_rates"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class EndedJumps:
    """What is left of `line` on the cells that are free; nothing moves in others.

    line: with the positive edges of the same killed chain beside it.  entering: rate of jumps from each free cell into
    each set, (sets, cells).  nearer: what edges shortened to the boundaries add to the rates of `line`.
    """

    line: LineJumps
    free: Flags
    entering: Array
    nearer: Array

    @property
    def capacity(self) -> Array:
        """Mass over density."""
        return self.line.capacity

    @property
    def laws(self) -> tuple[tuple[Beyond, Beyond], ...]:
        """How the density goes on beyond the (lower, upper) end, where the cell before it is free."""
        ((lower, upper),) = self.line.laws
        return ((lower if self.free[0] else False, upper if self.free[-1] else False),)

    @cached_property
    def killing(self) -> Array:
        """Rate out of each free cell, into the sets and over absorbing ends."""
        return np.where(self.free, self.line.killing + self.entering.sum(axis=0), 0.0)

    @cached_property
    def outflow(self) -> Array:
        """Rate out of each free cell, to anywhere."""
        return np.where(self.free, self.line.outflow * self.line.lift + self.nearer, 0.0)

    @property
    def moving(self) -> Flags:
        """Cells from which paths jump."""
        return self.free & (self.line.lift > 0.0)

    @property
    def is_markov(self) -> bool:
        """Whether no rate is negative, with the edges beside."""
        return self.line.is_markov and bool(np.all(self.killing >= 0.0))

    def apply(self, m: Array) -> Array:
        """J m."""
        inside = np.where(self.free, m, 0.0)
        return np.where(self.free, self.line.apply(inside) - self.nearer * inside, 0.0)

    def adjoint(self, f: Array) -> Array:
        """J^T f."""
        inside = np.where(self.free, f, 0.0)
        return np.where(self.free, self.line.adjoint(inside) - self.nearer * inside, 0.0)

    def matrix(self) -> Array:
        """J."""
        found = np.where(np.logical_and.outer(self.free, self.free), self.line.matrix(), 0.0)
        found[np.diag_indices_from(found)] -= self.nearer
        return found


def ended_jumps(line: LineJumps, beside: Chain, owner: Indices, crossings: tuple[Crossings, ...]) -> EndedJumps:
    """`line` with paths that end in sets.

    beside: its positive edges with the same ends.  owner: whose each cell is, FREE or the index of a set.
    crossings: of the edges into each set.
    """
    free, sets = owner == FREE, range(len(crossings))
    near = [nearer_rates(line, found) for found in crossings]
    entering = [np.where(free, line.adjoint((owner == k).astype(float)), 0.0) + near[k] for k in sets]
    line = replace(line, positive=beside)
    return EndedJumps(line, free, np.array(entering).reshape(-1, owner.size), sum(near, np.zeros(owner.size)))


def nearer_rates(line: LineJumps, found: Crossings) -> Array:
    """What shortened edges add to the rates of jumps out of each cell."""
    over = (line.kernel.neighbours() + line.conductance)[found.edge] * line.lift[found.cell]
    more = np.bincount(found.cell, over * (1.0 / found.share - 1.0), minlength=line.lift.size)
    return np.asarray(more, dtype=float)
