"""What a solver of 0 = L m is."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fpsolve.asking import check_kind
from fpsolve.progress import Progress


@runtime_checkable
class NullVector(Protocol):
    """Solves 0 = L m, sum(m) = 1, for a closed set of cells."""

    @property
    def name(self) -> str:
        """What it is called in `info.method`."""

    def null_vector(
        self, rates: sparse.csc_matrix, indices: NDArray[np.int64], *, progress: Progress = None
    ) -> NDArray[np.float64]:
        """Masses from `rates` (entry [y, x]: from x to y) of cells at the grid's `indices` (cells, ndim)."""


def check_null_vector(method: object) -> None:
    """InvalidInput unless `method` is None or solves 0 = L m."""
    if method is not None:
        check_kind(
            "method", method, NullVector, "stationary densities are solved by fp.GTH(), fp.SparseLU() or fp.Multigrid()"
        )
