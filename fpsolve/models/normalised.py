"""Regression with a normalised weight vector: f(x) = x.theta/|theta|, theta in R^2, a loss that no rescaling changes.

With theta = r (cos phi, sin phi) and a = (x_0, x_1, y), b = (cos phi, sin phi, -1), b' = db/dphi, a sample has the loss
(a.b)^2 and the gradient 2 (a.b)(a.b') e_phi/r.  Mean loss and gradient variance are sums over second and fourth moments
of a, so that they cost the same for any number of samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.axis import read_only
from fpsolve.errors import InvalidInput

__all__ = ["NormalisedRegression"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class NormalisedRegression:
    """Samples x (n, 2), y (n,) of a regression with a normalised weight vector.

    Raises InvalidInput for other shapes, numbers that are not finite, and constant columns.

    >>> data = NormalisedRegression([[1.0, 0.0], [0.0, 2.0]], [1.0, 0.0])
    >>> float(data.loss(0.0)), float(data.slope(0.0)), round(float(data.noise(np.pi / 2)), 12)
    (0.0, 0.0, 1.0)
    """

    x: Array
    y: Array

    def __post_init__(self) -> None:
        x, y = np.array(self.x, dtype=float), np.array(self.y, dtype=float)
        if x.ndim != 2 or x.shape[1] != 2 or y.shape != x.shape[:1] or len(y) == 0:
            raise InvalidInput(f"x has shape {x.shape} and y {y.shape}; give (n, 2) and (n,), n > 0")
        wrong = np.flatnonzero(~(np.isfinite(x).all(axis=1) & np.isfinite(y)))
        if wrong.size:
            raise InvalidInput(f"sample {wrong[0]} is {x[wrong[0]]}, {y[wrong[0]]}; drop what is not finite")
        for name, column in zip(("x[:, 0]", "x[:, 1]", "y"), np.column_stack([x, y]).T, strict=True):
            if np.ptp(column) == 0:
                raise InvalidInput(f"{name} is constant ({column[0]:g} in all {len(y)} samples); choose another column")
        object.__setattr__(self, "x", read_only(x))
        object.__setattr__(self, "y", read_only(y))

    @property
    def n(self) -> int:
        """How many samples."""
        return int(self.y.size)

    def loss(self, phi: ArrayLike) -> Array:
        """L, the mean loss at the angles phi, any shape."""
        b, _ = _directions(phi)
        return np.einsum("ij,i...,j...->...", self._second, b, b)

    def slope(self, phi: ArrayLike) -> Array:
        """L' = 2 <(a.b)(a.b')>."""
        b, turned = _directions(phi)
        return 2.0 * np.einsum("ij,i...,j...->...", self._second, b, turned)

    def noise(self, phi: ArrayLike) -> Array:
        """S = Var[2 (a.b)(a.b')] over the samples, each equally likely."""
        b, turned = _directions(phi)
        square = 4.0 * np.einsum("ijkl,i...,j...,k...,l...->...", self._fourth, b, b, turned, turned, optimize=True)
        return np.maximum(square - self.slope(phi) ** 2, 0.0)  # a variance: below 0 by rounding only

    def gradients(self, theta: Array, samples: NDArray[np.int64]) -> Array:
        """The mean gradient of each replica's minibatch, shape (n, 2); theta (n, 2), samples (n, batch)."""
        r, phi = np.hypot(*theta.T), np.arctan2(theta[:, 1], theta[:, 0])
        cosine, sine = np.cos(phi)[:, None], np.sin(phi)[:, None]
        x, y = self.x[samples], self.y[samples]
        error = cosine * x[..., 0] + sine * x[..., 1] - y
        slope = 2.0 * (error * (cosine * x[..., 1] - sine * x[..., 0])).mean(axis=1)
        return (slope / r)[:, None] * np.stack([-np.sin(phi), np.cos(phi)], axis=1)

    @cached_property
    def _samples(self) -> Array:
        return np.column_stack([self.x, self.y])

    @cached_property
    def _second(self) -> Array:
        return np.einsum("ni,nj->ij", self._samples, self._samples) / self.n

    @cached_property
    def _fourth(self) -> Array:
        a = self._samples
        return np.einsum("ni,nj,nk,nl->ijkl", a, a, a, a, optimize=True) / self.n

    def __repr__(self) -> str:
        return f"NormalisedRegression({self.n} samples)"


def _directions(phi: ArrayLike) -> tuple[Array, Array]:
    """b and b', shape (3, ...)."""
    angle = np.asarray(phi, dtype=float)
    cosine, sine, one = np.cos(angle), np.sin(angle), np.ones_like(angle)
    return np.array([cosine, sine, -one]), np.array([-sine, cosine, 0.0 * one])
