"""The Fokker-Planck equation of SGD on gradients of samples, as functions of the parameters (Ito).

A = -E g,   D = factor Cov g        (E, Cov: over the samples)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.models.sample_gradients import SampleGradients

__all__ = ["GradientProcess"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GradientProcess:
    """Drift and diffusion at parameters given one by one, as arrays of any shape.

    factor: D over Cov g.
    """

    samples: SampleGradients
    factor: float

    def drift(self, *theta: Array) -> Any:
        """A: an array for one parameter, a tuple of them for two."""
        mean = -self.samples.mean(_places(theta))
        parts = tuple(row.reshape(_shape(theta)) for row in mean)
        return parts[0] if len(theta) == 1 else parts

    def diffusion(self, *theta: Array) -> Any:
        """D: an array for one parameter, rows of them for two."""
        d, shape = self.factor * self.samples.moments(_places(theta)).cov, _shape(theta)
        if len(theta) == 1:
            return d[0, 0].reshape(shape)
        return tuple(tuple(entry.reshape(shape) for entry in row) for row in d)

    def log_slope(self, theta: Array) -> Array:
        """A/D of one parameter, (k,), whose integral less ln D is ln p."""
        found = self.samples.moments(theta[None])
        with np.errstate(divide="ignore", invalid="ignore"):  # noise lost to rounding far out: whoever asks takes -inf
            return -found.mean[0] / (self.factor * found.cov[0, 0])


def _places(theta: tuple[Array, ...]) -> Array:
    """(parameters, k)."""
    return np.stack([np.ravel(part) for part in np.broadcast_arrays(*theta)])


def _shape(theta: tuple[Array, ...]) -> tuple[int, ...]:
    return np.broadcast_shapes(*map(np.shape, theta))
