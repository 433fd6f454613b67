"""Characteristic functions of stable laws, and how far a sample is from them."""

import numpy as np


def characteristic(k, alpha, skew=0.0, scale=1.0):
    """E exp(i k S)."""
    tilt = skew * np.sign(k) * np.tan(np.pi * alpha / 2) if skew else 0.0
    return np.exp(-(np.abs(scale * k) ** alpha) * (1 - 1j * tilt))


def off(values, mean):
    """The distance of the sample mean of complex numbers from `mean`, in standard errors."""
    error = np.sqrt((np.var(values.real) + np.var(values.imag)) / values.size)
    return abs(values.mean() - mean) / error


def farthest(sample, law, wavenumbers=(0.3, 1.0, 2.5)):
    """The largest distance over a few wavenumbers; law: a function of them."""
    return max(off(np.exp(1j * k * sample), law(k)) for k in wavenumbers)
