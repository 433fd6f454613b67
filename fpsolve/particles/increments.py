"""The random numbers of a simulated path, from counters (kernels/random.py): the same for any split or restart.

Axis k of a step takes component 2 k of the normals, that of the next step component 2 k + 1 of the block that the two
share.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsolve.kernels.random import BRIDGES, NEXT_STREAM, NORMALS, RECORDS, fill_normals
from fpsolve.kernels.stable import fill_particles

__all__ = ["Noise", "exponentials", "uniforms"]

Array = NDArray[np.float64]
Ids = NDArray[np.int64]


class Noise:
    """The normals of n particles in d coordinates; the block at hand is kept, since two steps share it."""

    def __init__(self, key: np.uint64, n: int, d: int = 1) -> None:
        self.key, self.d, self.block, self.pairs = key, d, -1, np.empty((n, 2 * d))

    def __call__(self, step: int, ids: Ids) -> Array:
        """One standard normal per axis and particle, shape (d, ids); ids: those of the step before, or fewer."""
        if step // 2 != self.block:
            self.block = -1  # an interruption in mid-fill must not leave a wrong block behind
            self._fill(np.uint64(step // 2), ids)
            self.block = step // 2
        normals = self.pairs[:, step % 2 :: 2].T
        return normals if ids.size == len(self.pairs) else normals[:, ids]

    def _fill(self, block: np.uint64, ids: Ids) -> None:
        if 2 * ids.size > len(self.pairs):  # one after the other they cost half as much
            fill_normals(self.key, block, NORMALS, np.uint64(0), self.pairs)
            return
        normals = np.empty((ids.size, 2 * self.d))
        fill_particles(self.key, block, NORMALS, ids.view(np.uint64), True, normals)
        self.pairs[ids] = normals

    def between(self, step: int) -> Array:
        """One more per axis, and one to share among them, for what is recorded within the step, shape (d + 1, n)."""
        draws = np.empty((len(self.pairs), self.d + 1))
        fill_normals(self.key, np.uint64(step), RECORDS, np.uint64(0), draws)
        return draws.T


def exponentials(key: np.uint64, n: int, step: int, upper: bool, axis: int) -> Array:
    """One standard exponential per particle, shape (n,), for an end of an axis."""
    normals = np.empty((n, 2))
    fill_normals(key, np.uint64(step), BRIDGES[upper] + NEXT_STREAM * np.uint64(axis), np.uint64(0), normals)
    return 0.5 * (normals[:, 0] ** 2 + normals[:, 1] ** 2)


def uniforms(key: np.uint64, step: int, stream: np.uint64, ids: Ids, components: int) -> Array:
    """Uniforms in (0, 1) of some particles, shape (components, ids)."""
    out = np.empty((ids.size, components))
    fill_particles(key, np.uint64(step), stream, ids.view(np.uint64), False, out)
    return out.T
