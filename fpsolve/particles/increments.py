"""The normals of a simulated path, from counters (kernels/random.py): the same for any split or restart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsolve.kernels.random import NORMALS, RECORDS, fill_normals

__all__ = ["Noise"]

Array = NDArray[np.float64]


class Noise:
    """The normals of n particles; the block at hand is kept, since two steps share it."""

    def __init__(self, key: np.uint64, n: int) -> None:
        self.key, self.block, self.pairs = key, -1, np.empty((n, 2))

    def __call__(self, step: int) -> Array:
        """One standard normal per particle, shape (n,)."""
        if step // 2 != self.block:
            self.block = -1  # an interruption in mid-fill must not leave a wrong block behind
            fill_normals(self.key, np.uint64(step // 2), NORMALS, np.uint64(0), self.pairs)
            self.block = step // 2
        return self.pairs[:, step % 2]

    def between(self, step: int) -> Array:
        """Two more, for what is recorded within the step, shape (n, 2)."""
        draws = np.empty_like(self.pairs)
        fill_normals(self.key, np.uint64(step), RECORDS, np.uint64(0), draws)
        return draws
