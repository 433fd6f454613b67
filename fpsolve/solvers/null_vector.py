"""What a solver of 0 = L m is."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fpsolve.progress import Progress


class NullVector(Protocol):
    """Solves 0 = L m, sum(m) = 1, for a closed set of cells."""

    @property
    def name(self) -> str:
        """What it is called in `info.method`."""

    def null_vector(
        self, rates: sparse.csc_matrix, indices: NDArray[np.int64], *, progress: Progress = None
    ) -> NDArray[np.float64]:
        """Masses from `rates` (entry [y, x]: from x to y) of cells at the grid's `indices` (cells, ndim)."""
