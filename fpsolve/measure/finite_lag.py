"""From moments over a lag to drift and diffusion: what the lag and the bins do to them, to first order.

    <dx>/tau      = A + (tau/2)(A_k d_k A + D_kl d_k d_l A)
    Cov(dx)/2 tau = D + (tau/2)(A_k d_k D + J D + D J' + D_kl d_k d_l D),     J_ik = d_k A_i

Derivatives come from parabolas through the neighbouring bins, weighted by their errors.  A bin whose starts have the
covariance W shows a quantity q as q + W_kl d_k d_l q/2.
Source: Gottschall & Peinke, New J. Phys. 10, 083034 (2008), and the expansion of exp(tau L) to tau^2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.measure.conditional import Moments

__all__ = ["Coefficients", "coefficients"]

Array = NDArray[np.float64]
FEWEST_REACH = 2  # bins to each side of a parabola
REACH = 6  # a sixth of the bins to each side


@dataclass(frozen=True, eq=False)
class Coefficients:
    """Drift (m, d) and diffusion (m, d, d) with standard errors and the biases they may have."""

    drift: Array
    drift_error: Array
    drift_bias: Array
    diffusion: Array
    diffusion_error: Array
    diffusion_bias: Array


@dataclass(frozen=True, eq=False)
class _Slopes:
    """gradient (m, ..., d) and hessian (m, ..., d, d) of a quantity (m, ...), and their standard errors."""

    gradient: Array
    gradient_error: Array
    hessian: Array
    hessian_error: Array


def coefficients(found: Moments, shape: tuple[int, ...], tau: float, continuous: bool) -> Coefficients:
    """Drift and diffusion from moments over the lag tau in bins of this shape; continuous: take the lag out."""
    A, A_error = found.mean / tau, found.mean_error / tau
    D, D_error = found.covariance / (2.0 * tau), found.covariance_error / (2.0 * tau)
    reach = np.array([max(FEWEST_REACH, -(-size // REACH)) for size in shape])
    windows, near = _neighbours(found.seen, shape, reach), _neighbours(found.seen, shape, np.ones_like(reach))
    a, b = _slopes(found.place, A, A_error, windows), _slopes(found.place, D, D_error, windows)
    A_bias, D_bias = _of_bins(a, found.width), _of_bins(b, found.width)
    if continuous:
        to_A, to_A_error, to_D, to_D_error = _of_lag(A, D, a, b, tau)
        late_A, late_D = _next_order(found, (A, A_error, to_A), (D, D_error, to_D), windows, near, tau)
        A, A_error, A_bias = A - to_A, np.hypot(A_error, to_A_error), A_bias + late_A
        D, D_error, D_bias = D - to_D, np.hypot(D_error, to_D_error), D_bias + late_D
    return Coefficients(A, A_error, A_bias, D, D_error, D_bias)


def _of_lag(A: Array, D: Array, a: _Slopes, b: _Slopes, tau: float) -> tuple[Array, Array, Array, Array]:
    """What a lag adds to drift and diffusion, each with its standard error."""
    half = 0.5 * tau
    to_A = np.einsum("mk,mik->mi", A, a.gradient) + np.einsum("mkl,mikl->mi", D, a.hessian)
    turned = np.einsum("mik,mkj->mij", a.gradient, D)
    to_D = np.einsum("mk,mijk->mij", A, b.gradient) + np.einsum("mkl,mijkl->mij", D, b.hessian)
    A2, D2, J2 = A**2, D**2, a.gradient_error**2
    to_A_error = np.einsum("mk,mik->mi", A2, J2) + np.einsum("mkl,mikl->mi", D2, a.hessian_error**2)
    turned_error = np.einsum("mik,mkj->mij", J2, D2)
    to_D_error = np.einsum("mk,mijk->mij", A2, b.gradient_error**2)
    to_D_error += np.einsum("mkl,mijkl->mij", D2, b.hessian_error**2)
    # on the diagonal both halves of J D + D J' are one and the same
    return (
        half * to_A,
        half * np.sqrt(to_A_error),
        half * (to_D + turned + turned.swapaxes(1, 2)),
        half * np.sqrt(to_D_error + (np.sqrt(turned_error) + np.sqrt(turned_error).swapaxes(1, 2)) ** 2),
    )


def _next_order(
    found: Moments,
    drift: tuple[Array, Array, Array],
    diffusion: tuple[Array, Array, Array],
    windows: list[NDArray[np.int64]],
    near: list[NDArray[np.int64]],
    tau: float,
) -> tuple[Array, Array]:
    """What is left at order tau^2, by size: the change of the correction once it is made, the largest nearby.

    drift, diffusion: values, errors and corrections.  windows: of the parabolas; near: next neighbours.
    """
    A, D = drift[0] - drift[2], diffusion[0] - diffusion[2]
    a, b = _slopes(found.place, A, drift[1], windows), _slopes(found.place, D, diffusion[1], windows)
    again_A, _, again_D, _ = _of_lag(A, D, a, b, tau)
    return _largest(again_A - drift[2], near), _largest(again_D - diffusion[2], near)


def _largest(x: Array, near: list[NDArray[np.int64]]) -> Array:
    """The largest |x| of each bin and those beside it: a zero of one correction is no zero of the next."""
    far = np.full(x.shape, np.nan)
    for i, window in enumerate(near):
        sizes = np.abs(x[window])
        if np.isfinite(sizes).any():
            far[i] = np.nanmax(sizes, axis=0)
    return far


def _of_bins(q: _Slopes, width: Array) -> Array:
    """|W_kl d_k d_l q|/2, and its standard error on top: a curvature seen as 0 by chance is no flatness."""
    extra = width.ndim  # hessian (m, ..., d, d) beside width (m, d, d)
    w = width.reshape(len(width), *(1,) * (q.hessian.ndim - extra), *width.shape[1:])
    seen = np.abs(np.sum(w * q.hessian, axis=(-2, -1)))
    return np.asarray(0.5 * (seen + np.sqrt(np.sum((w * q.hessian_error) ** 2, axis=(-2, -1)))))


def _neighbours(seen: NDArray[np.bool_], shape: tuple[int, ...], reach: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The bins within reach of each, and at an edge as many on its one side."""
    index = np.indices(shape).reshape(len(shape), -1).T
    centre = np.clip(index, np.minimum(reach, (np.array(shape) - 1) // 2), np.array(shape) - 1 - reach)
    return [
        np.flatnonzero(np.all(np.abs(index - middle) <= reach, axis=1) & seen) if here else np.empty(0, np.int64)
        for middle, here in zip(centre, seen, strict=True)
    ]


def _slopes(place: Array, value: Array, error: Array, windows: list[NDArray[np.int64]]) -> _Slopes:
    """Weighted parabolas through value (m, ...) at place (m, d); nan where a window has too few bins."""
    m, d = place.shape
    flat, scatter = value.reshape(m, -1), error.reshape(m, -1)
    pairs = [(i, j) for i in range(d) for j in range(i, d)]
    found = np.full((2, m, flat.shape[1], 1 + d + len(pairs)), np.nan)
    for i, window in enumerate(windows):
        if window.size < found.shape[-1] + 1:
            continue
        x = place[window] - place[i]
        scale = np.abs(x).max(axis=0)
        x = x / scale
        units = np.array([1.0, *scale, *(scale[j] * scale[k] for j, k in pairs)])
        design = np.column_stack([np.ones(len(x)), x, *(x[:, j] * x[:, k] / (1 + (j == k)) for j, k in pairs)])
        for c in range(flat.shape[1]):
            unit = scatter[window, c].min()
            root = unit / scatter[window, c]
            inverse = np.linalg.pinv(design * root[:, None])
            fitted = inverse @ (root * flat[window, c])
            rest = root * (flat[window, c] - design @ fitted) / unit
            # a parabola that misses its points by more than their errors knows its slopes no better
            misfit = max(1.0, float(rest @ rest) / (window.size - fitted.size))
            found[0, i, c] = fitted / units
            found[1, i, c] = np.sqrt(misfit * np.sum(inverse**2, axis=1)) * unit / units
    gradient = found[..., 1 : 1 + d].reshape(2, *value.shape, d)
    hessian = np.empty((2, *value.shape, d, d))
    for n, (j, k) in enumerate(pairs):
        hessian[..., j, k] = hessian[..., k, j] = found[..., 1 + d + n].reshape(2, *value.shape)
    return _Slopes(gradient[0], gradient[1], hessian[0], hessian[1])
