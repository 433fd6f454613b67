"""Matrices as arguments of models: drift matrices, tensors and covariances, checked."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.asking import shown
from fpsolve.errors import InvalidInput

__all__ = ["ROUNDING", "inverse", "per_axis", "square", "symmetric", "tensor"]

Array = NDArray[np.float64]
ROUNDING = 1e-12  # relative to the largest


def square(label: str, given: ArrayLike, most: int = 3) -> Array:
    """A finite square matrix of at most `most` rows; a number is one of one row.

    Raises InvalidInput, as all here, naming `label`.
    """
    matrix = np.atleast_2d(np.array(given, dtype=float))
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not 1 <= len(matrix) <= most:
        raise InvalidInput(f"{label} has shape {np.shape(given)}; give a square matrix of 1 to {most} rows")
    if not np.all(np.isfinite(matrix)):
        raise InvalidInput(f"{label} is {matrix.tolist()}; give finite numbers")
    return matrix


def symmetric(label: str, given: ArrayLike, most: int = 3) -> Array:
    """A symmetric matrix of at most `most` rows."""
    matrix = square(label, given, most)
    skew = float(np.abs(matrix - matrix.T).max())
    if skew > ROUNDING * np.abs(matrix).max():
        raise InvalidInput(f"{label} is not symmetric: entries differ by {skew:.6g}; give one with M_ij = M_ji")
    return matrix


def tensor(label: str, given: ArrayLike, d: int) -> Array:
    """A symmetric, positive semidefinite (d, d) matrix, from itself, one number per axis or one for all.

    >>> tensor("diffusion", (1.0, 0.5), 2).tolist()
    [[1.0, 0.0], [0.0, 0.5]]
    """
    numbers = np.array(given, dtype=float)
    diagonal = numbers.shape in ((), (1,), (d,))
    matrix = symmetric(label, np.diag(np.broadcast_to(numbers, d)) if diagonal else numbers, most=max(d, 3))
    if len(matrix) != d:
        raise InvalidInput(
            f"{label} has shape {np.shape(given)} for {d} axes; give shape ({d}, {d}), one number per axis, or one"
        )
    lowest = float(np.linalg.eigvalsh(matrix)[0])
    if lowest < -ROUNDING * np.abs(matrix).max():
        raise InvalidInput(f"{label} has the negative eigenvalue {lowest:.6g}; a covariance cannot: check its signs")
    return matrix


def per_axis(label: str, given: ArrayLike, d: int) -> Array:
    """One finite number per axis, from these or one for all."""
    numbers = np.array(given, dtype=float)
    if numbers.shape not in ((), (1,), (d,)) or not np.all(np.isfinite(numbers)):
        raise InvalidInput(f"{label} is {shown(given)}; give a finite number for each of the {d} axes, or one for all")
    return np.array(np.broadcast_to(numbers, d))


def inverse(covariance: Array) -> Array:
    """The precision matrix of a density.  Raises InvalidInput where a direction has no spread."""
    scale = np.sqrt(np.diag(covariance))
    if np.all(scale > 0):
        sizes, frame = np.linalg.eigh(covariance / np.outer(scale, scale))
        if sizes[0] > ROUNDING:
            return np.asarray((frame / sizes) @ frame.T / np.outer(scale, scale))
    raise InvalidInput(
        f"the covariance {np.round(covariance, 12).tolist()} has no full rank: noise never reaches some direction, so "
        "there is no density; give it noise, or leave that direction out"
    )
