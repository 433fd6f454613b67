"""Correlated normals: one of unit variance per axis, with the correlations of a diffusion tensor.

    r_ij = D_ij/sqrt(D_ii D_jj),   g' = R g  with  R R^T = r

R is Cholesky's factor with its largest pivot first.  A pivot 1 - (sum of squares) within rounding of 0 is 0: the tensor
has no full rank there, and noise across its range, were it only of the size of sqrt(rounding), would be an invention.
Source: Higham, Accuracy and Stability of Numerical Algorithms (2002), section 10.3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsolve.particles.calls import pairs

__all__ = ["correlations", "mixed", "possible"]

Array = NDArray[np.float64]
ROUNDING = 64.0 * float(np.finfo(float).eps)  # three roundings in every entry make a tenth of it
SLACK = 1e-11  # by which a tensor may fail to be positive semidefinite and still be looked at more closely


def correlations(packed: Array, d: int) -> Array | None:
    """r_ij, one row per pair of axes; None where the tensor is diagonal (packed has d rows).

    >>> correlations(np.array([[4.0], [1.0], [-2.0]]), 2)
    array([[-1.]])
    """
    if len(packed) == d:
        return None
    r = np.empty((len(packed) - d, packed.shape[1]))
    for k, (i, j) in enumerate(pairs(d)):
        shared = packed[d + k]
        with np.errstate(divide="ignore", invalid="ignore"):
            r[k] = np.where(shared == 0.0, 0.0, shared / np.sqrt(packed[i]) / np.sqrt(packed[j]))
    return r


def possible(r: Array) -> NDArray[np.bool_]:
    """Where r may belong to a positive semidefinite tensor; never where it is not finite."""
    fits = np.all(np.abs(r) <= 1.0 + SLACK, axis=0)
    if len(r) == 3:
        a, b, c = r
        fits &= 1.0 + 2.0 * a * b * c - a * a - b * b - c * c >= -SLACK
    return np.asarray(fits)


def mixed(normals: Array, r: Array | None) -> Array:
    """Normals (d, n) with the correlations r, from independent ones."""
    if r is None:
        return normals
    r = np.clip(r, -1.0, 1.0)
    if len(r) == 1:
        return np.array([normals[0], r[0] * normals[0] + _root((1.0 - r[0]) * (1.0 + r[0])) * normals[1]])
    left = (1.0 - r[:2]) * (1.0 + r[:2])  # the variance of axes 1 and 2 that axis 0 does not explain
    swap = left[1] > left[0]
    near, far = np.where(swap, r[1], r[0]), np.where(swap, r[0], r[1])
    pivot, rest = _root(left.max(axis=0)), left.min(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        shared = np.where(pivot > 0.0, (r[2] - r[0] * r[1]) / pivot, 0.0)
    first = near * normals[0] + pivot * normals[1]
    second = far * normals[0] + shared * normals[1] + _root(rest - shared**2) * normals[2]
    return np.array([normals[0], np.where(swap, second, first), np.where(swap, first, second)])


def _root(pivot: Array) -> Array:
    return np.sqrt(np.where(pivot > ROUNDING, pivot, 0.0))
