"""Closed classes of a chain or ring of cells: sets of cells that paths reach and never leave.

Decided by which edges carry noise, not by rates: a rate may underflow where the path is still open.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.operators.local import Chain

Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ClosedClass:
    """Consecutive cells, and the edges beside them: None at an end of the grid, else the noiseless edge's index.

    `ring` marks a class that is the whole of a periodic axis, joined to itself.
    """

    cells: Indices
    edge_below: int | None = None
    edge_above: int | None = None
    ring: bool = False


def closed_classes(edges: Chain) -> list[ClosedClass]:
    """The closed classes, from the lowest cell up; dead cells belong to none."""
    n = edges.killing.size
    periodic = edges.step.size == n
    cut = np.flatnonzero(edges.noiseless)
    if periodic and _joins_itself(edges.step[cut]):
        return [ClosedClass(np.arange(n), ring=True)]
    starts = np.concatenate([[0], cut + 1]) if not periodic else (cut + 1) % n
    found = []
    below: int | None
    above: int | None
    for k, start in enumerate(starts):
        if periodic:
            below, above = int(cut[k]), int(cut[(k + 1) % cut.size])
            cells = (start + np.arange((int(cut[(k + 1) % cut.size]) - start) % n + 1)) % n
        else:
            below = int(cut[k - 1]) if k > 0 else None
            above = int(cut[k]) if k < cut.size else None
            cells = np.arange(start, (above if above is not None else n - 1) + 1)
        if not _leaks(edges, cells, below, above):
            found.append(ClosedClass(cells, below, above))
    return sorted(found, key=lambda c: int(c.cells[0]))


def _joins_itself(steps_without_noise: NDArray[np.float64]) -> bool:
    """A ring stays one class if every edge without noise lets mass through in the same direction."""
    return bool(np.all(steps_without_noise == np.inf) or np.all(steps_without_noise == -np.inf))


def _leaks(edges: Chain, cells: Indices, below: int | None, above: int | None) -> bool:
    if cells.size == 1 and edges.dead[cells[0]]:
        return True
    if above is not None and edges.step[above] == np.inf:
        return True
    if below is not None and edges.step[below] == -np.inf:
        return True
    return bool(np.any(edges.killing[cells] > 0))
