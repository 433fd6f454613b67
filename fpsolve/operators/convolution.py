"""The far rates of jumps on a grid, and on the cells around it, by FFT.

In an array of the FFT the grid's cells come first along each axis, then those beyond its upper end, and those before
its lower end last, where a circular convolution meets them; a periodic axis is the circle itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fpsolve.operators.fractional_plane import PlaneKernel

__all__ = ["Convolution"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Convolution:
    """Between the cells of a grid and `margins` more of them at both ends of each axis."""

    kernel: PlaneKernel
    shape: tuple[int, int]
    margins: tuple[int, int]

    @cached_property
    def sizes(self) -> tuple[int, int]:
        """Of the array."""
        from scipy.fft import next_fast_len

        first, second = (
            cells if period is not None else next_fast_len(2 * (cells + 2 * margin) - 1, real=True)
            for cells, period, margin in zip(self.shape, self.kernel.periods, self.margins, strict=True)
        )
        return first, second

    @cached_property
    def _transform(self) -> Array:
        from scipy.fft import rfft2

        steps, used = [], []
        for size, cells, period, margin in zip(self.sizes, self.shape, self.kernel.periods, self.margins, strict=True):
            place = np.arange(size)
            reach = size if period is not None else cells + 2 * margin
            steps.append(np.where(place < reach, place, place - size).astype(float))
            used.append((place < reach) | (place > size - reach))
        rates = self.kernel.far(*np.meshgrid(*steps, indexing="ij"))
        return np.asarray(rfft2(np.where(np.logical_and.outer(*used), rates, 0.0)))

    def places(self, at: Array) -> Indices:
        """Where cells (2, n), counted from the grid's first, lie in the array, flat."""
        i, j = at.astype(np.int64) % np.array(self.sizes)[:, None]
        return np.asarray(np.ravel_multi_index((i, j), self.sizes))

    def apply(self, values: Array) -> Array:
        """sum_y rate(x - y) v_y, an array of the FFT; values: one, or its first entries along each axis."""
        from scipy.fft import irfft2, rfft2

        return np.asarray(irfft2(self._transform * rfft2(values, self.sizes), self.sizes))
