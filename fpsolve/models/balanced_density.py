"""Closed forms of the balanced network's stationary law: no quadrature, no solver.

    ln p(v) = -3 (1 - e) ln v - ln C(v) - kappa F(v),   F = int (beta1 v - beta2) v^(2e - 2)/C dv,   e = 1/layers

F in closed form: for one layer on the whole line, else for v > 0.  With n >= 3 layers, v = u^n turns the integrand
into a rational function of u: its pole at 0 gives b2/(a3 (n - 2)) u^(2 - n), the rest has simple poles at the 2n
roots of C(u^n) = 0.  Ziyin, Li & Ueda, arXiv 2308.06671.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsolve.models.regression import Moments

__all__ = ["force_integral", "log_noise"]

Array = NDArray[np.float64]
LARGE = 1e60  # C(v) overflows from 1e154 on


def log_noise(moments: Moments, v: Array) -> Array:
    """ln C(v), C(v) = alpha1 v^2 - 2 alpha2 v + alpha3, without overflow."""
    with np.errstate(divide="ignore", over="ignore"):
        if moments.alpha1 == 0:
            return np.log(moments.gradient_variance(v))
        far = np.abs(v) > LARGE
        w = np.where(far, v, LARGE)
        per_square = moments.alpha1 - 2.0 * moments.alpha2 / w + moments.alpha3 / w / w
        near = np.log(moments.gradient_variance(np.where(far, 0.0, v)))
        return np.where(far, 2.0 * np.log(np.abs(w)) + np.log(per_square), near)


def force_integral(moments: Moments, layers: int | None, v: Array) -> Array:
    """F(v) up to a constant; `layers` None is the infinitely deep network."""
    if moments.alpha1 == 0:
        return _constant_noise(moments, layers, v)
    if layers == 1:
        return _one_layer(moments, v)
    if layers == 2:
        return _two_layers(moments, v)
    if layers is None:
        return _infinitely_many(moments, v)
    return _many_layers(moments, layers, v)


def _angle(m: Moments, v: Array) -> Array:
    """int dv/C = atan((alpha1 v - alpha2)/sqrt Delta)/sqrt Delta."""
    root = np.sqrt(m.determinant)
    return np.arctan((m.alpha1 * v - m.alpha2) / root) / root


def _one_layer(m: Moments, v: Array) -> Array:
    return 0.5 * m.beta1 / m.alpha1 * log_noise(m, v) + (m.alpha2 * m.beta1 / m.alpha1 - m.beta2) * _angle(m, v)


def _two_layers(m: Moments, v: Array) -> Array:
    slope = m.beta2 / m.alpha3
    return -slope * np.log(v) + 0.5 * slope * log_noise(m, v) + (m.beta1 - m.alpha2 * slope) * _angle(m, v)


def _infinitely_many(m: Moments, v: Array) -> Array:
    slope = m.beta2 / m.alpha3
    log_share = (m.beta1 - 2.0 * m.alpha2 * slope) / m.alpha3
    logs = log_share * (np.log(v) - 0.5 * log_noise(m, v))
    return slope / v + logs + (m.alpha1 * slope + m.alpha2 * log_share) * _angle(m, v)


def _many_layers(m: Moments, layers: int, v: Array) -> Array:
    u = v ** (1.0 / layers)
    slope = m.beta2 / m.alpha3
    # what is left of (beta1 w - beta2)/C(w), w = u^n, once its value at 0 is taken out: w (k0 + k1 w)/C(w)
    k0, k1 = m.beta1 - 2.0 * m.alpha2 * slope, slope * m.alpha1
    root_of_noise = complex(m.alpha2, np.sqrt(m.determinant)) / m.alpha1
    residue = (k0 + k1 * root_of_noise) / (2j * np.sqrt(m.determinant) * root_of_noise)
    poles = root_of_noise ** (1.0 / layers) * np.exp(2j * np.pi * np.arange(layers) / layers)
    total = np.zeros_like(u)
    for pole in poles:
        # u is real and positive, the pole is neither: 1 - u/pole never meets the cut of the logarithm
        total += 2.0 * (residue * pole**2 * np.log(1.0 - u / pole)).real
    return layers / (layers - 2.0) * slope * u ** (2.0 - layers) + total


def _constant_noise(m: Moments, layers: int | None, v: Array) -> Array:
    """alpha1 = 0 (x^2 is the same for all samples): C = alpha3, and F is a sum of powers."""
    if layers is None:
        return (m.beta1 * np.log(v) + m.beta2 / v) / m.alpha3
    if layers == 2:
        return (m.beta1 * v - m.beta2 * np.log(v)) / m.alpha3
    share = 2.0 / layers
    if layers == 1:
        return (0.5 * m.beta1 * v**2 - m.beta2 * v) / m.alpha3
    return (m.beta1 * v**share / share - m.beta2 * v ** (share - 1.0) / (share - 1.0)) / m.alpha3
