"""The normals of a simulated path, from counters (kernels/random.py): the same for any split or restart.

Axis k of a step takes component 2 k, that of the next step component 2 k + 1 of the block that the two share.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsolve.kernels.random import BRIDGES, NORMALS, RECORDS, fill_normals

__all__ = ["Noise", "exponentials"]

Array = NDArray[np.float64]
NEXT_PAIR = 65536  # what a stream's number grows by from one pair of components to the next, in `fill_normals`


class Noise:
    """The normals of n particles in d coordinates; the block at hand is kept, since two steps share it."""

    def __init__(self, key: np.uint64, n: int, d: int = 1) -> None:
        self.key, self.d, self.block, self.pairs = key, d, -1, np.empty((n, 2 * d))

    def __call__(self, step: int) -> Array:
        """One standard normal per axis and particle, shape (d, n)."""
        if step // 2 != self.block:
            self.block = -1  # an interruption in mid-fill must not leave a wrong block behind
            fill_normals(self.key, np.uint64(step // 2), NORMALS, np.uint64(0), self.pairs)
            self.block = step // 2
        return self.pairs[:, step % 2 :: 2].T

    def between(self, step: int) -> Array:
        """One more per axis, and one to share among them, for what is recorded within the step, shape (d + 1, n)."""
        draws = np.empty((len(self.pairs), self.d + 1))
        fill_normals(self.key, np.uint64(step), RECORDS, np.uint64(0), draws)
        return draws.T


def exponentials(key: np.uint64, n: int, step: int, upper: bool, axis: int) -> Array:
    """One standard exponential per particle, shape (n,), for an end of an axis."""
    normals = np.empty((n, 2))
    fill_normals(key, np.uint64(step), BRIDGES[upper] + np.uint64(NEXT_PAIR * axis), np.uint64(0), normals)
    return 0.5 * (normals[:, 0] ** 2 + normals[:, 1] ** 2)
