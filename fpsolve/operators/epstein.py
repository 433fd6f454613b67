"""Moments of Epstein's sum over the plane's lattice, sum' (m.A m)^(-s), beyond where they converge.

With E(s; A) = sum over m in Z^2, m != 0, of (m.A m)^(-s), the second moments sum' m_i m_j (m.A m)^(-1-s) are
-dE/dA_ij / s; for 0 < s < 1 they are meant by analytic continuation, which is what a punctured midpoint rule misses at
a singularity.  By Riemann's split of the Mellin integral at t = 1: sums that converge like exp(-pi m.A m).
Source: Borwein et al., Lattice Sums Then and Now (2013), ch. 1; Crandall, Fast evaluation of Epstein zeta functions.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["lattice_moments"]

Array = NDArray[np.float64]
NOTHING = 13.0  # exp(-pi 13) is below rounding


def lattice_moments(form: Array, s: float) -> Array:
    """sum' m m^T (m.A m)^(-1-s), shape (2, 2), continued to 0 < s < 1.  form: A, positive definite."""
    unit, size = _normalised(form)
    m, inverse = _points(unit), np.asarray(np.linalg.inv(unit), dtype=float)
    x, y = _quadratic(unit, m), _quadratic(inverse, m)
    dual = m @ inverse
    moments = np.einsum("n,ni,nj->ij", _incomplete(1.0 + s, x), m, m)
    moments -= np.einsum("n,ni,nj->ij", _incomplete(2.0 - s, y), dual, dual)
    moments += inverse / (2.0 * math.pi) * (_incomplete(1.0 - s, y).sum() + 1.0 / (s - 1.0))
    return np.asarray(moments * (math.pi / size) ** (1.0 + s) / math.gamma(1.0 + s))


def _normalised(form: Array) -> tuple[Array, float]:
    """A over the root of its determinant, and that root."""
    size = math.sqrt(float(np.linalg.det(form)))
    return form / size, size


def _points(unit: Array) -> Array:
    """The points of the lattice, 0 left out, that count in the sums of a form of determinant 1 and of its inverse."""
    reach = math.ceil(math.sqrt(NOTHING / float(np.linalg.eigvalsh(unit)[0])))
    along = np.arange(-reach, reach + 1.0)
    m = np.stack(np.meshgrid(along, along, indexing="ij"), axis=-1).reshape(-1, 2)
    return m[np.any(m != 0, axis=1)]


def _quadratic(form: Array, m: Array) -> Array:
    return np.asarray(np.einsum("ni,ij,nj->n", m, form, m))


def _incomplete(a: float, x: Array) -> Array:
    """int_1^inf t^(a-1) exp(-pi x t) dt, a > 0."""
    from scipy.special import gammaincc

    z = math.pi * x
    return np.asarray(z**-a * math.gamma(a) * gammaincc(a, z))
