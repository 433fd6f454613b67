"""What a generator knows of jumps, whatever the number of coordinates."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import InvalidInput
from fpsolve.process import Process
from fpsolve.values.continuation import Beyond

__all__ = ["MOST_DENSE", "JumpTerms", "refuse_dense", "refuse_jumps"]

Array = NDArray[np.float64]
MOST_DENSE = 4000  # cells: 128 MB


class JumpTerms(Protocol):
    """J in dm/dt = (L + J) m.  Vectors are flat, C order, one entry a cell; they hold masses."""

    @property
    def killing(self) -> Array:
        """Rate at which jumps take mass out of each cell for good."""

    @property
    def capacity(self) -> Array:
        """Mass over density of each cell: its weight, with the tail beyond where an open end is next to it."""

    @property
    def laws(self) -> tuple[tuple[Beyond, Beyond], ...]:
        """Per axis, how the density goes on beyond the (lower, upper) end: a law, or not as one (False)."""

    @property
    def is_markov(self) -> bool:
        """Whether no rate is negative, together with the edges beside."""

    def apply(self, m: Array) -> Array:
        """J m."""

    def adjoint(self, f: Array) -> Array:
        """J^T f."""

    def matrix(self) -> Array:
        """J, shape (cells, cells): entry [y, x] is the rate x -> y; refused where it would not fit."""


def refuse_jumps(process: Process, what: str) -> None:
    """Raises InvalidInput where a process jumps, for a question that knows of paths without jumps only."""
    if process.jumps is not None:
        raise InvalidInput(
            f"{what} is not answered for jumps ({process!r}): paths leap over what lies between; ask stationary, "
            "evolve or simulate"
        )


def refuse_dense(cells: int) -> None:
    """Jumps join every pair of cells: beyond a few thousand of these the matrix is too large to be worth having."""
    if cells > MOST_DENSE:
        raise InvalidInput(
            f"the rates of jumps among {cells} cells join every pair of them, {8e-9 * cells**2:.2g} GB; they are given "
            f"up to {MOST_DENSE} cells: use apply, adjoint and resolvent, which need no matrix"
        )
