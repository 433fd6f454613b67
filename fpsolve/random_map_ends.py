"""A random map far out: the power laws of its law toward x = 0 and infinity, and whether there is a law at all.

Where the steps are multiplicative, s' - s no longer dependent on s, the law is exp(kappa s) with E exp(-kappa xi) = 1:
toward 0 with kappa > 0 if E xi > 0 there, else all mass condenses; toward infinity the other way round.
Source: Kesten, Acta Math. 131, 207 (1973).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsolve.branches import branches
from fpsolve.errors import InvalidInput, NotNormalizable
from fpsolve.random_map import RandomMap

__all__ = ["check_ends", "lower_exponent", "upper_exponent"]

Array = NDArray[np.float64]
FAR = 20.0  # in ln u beyond the domain
ALIKE = 1e-6  # what displacements FAR and 2 FAR out may differ by to be called multiplicative
STILL = 1e-6  # displacements below it are none: the map does nothing at this end
LARGEST = 1e4  # exponents beyond are infinite
SMALLEST = 1e-300


def lower_exponent(random_map: RandomMap) -> float | None:
    """kappa in p ~ |x|^(kappa - 1) as x -> 0: negative where all mass condenses there, inf where nothing goes there.

    None where the map is not multiplicative near 0, or does nothing there.

    >>> halved = RandomMap(lambda x, a: a * x, [0.5, 4.0], (0.1, 10.0), "log")
    >>> round(lower_exponent(halved), 9)
    0.694241914
    """
    if not random_map.logarithmic:
        return None
    far = _growth(random_map, random_map.span[0] - FAR * np.array([1.0, 2.0]))
    return None if far is None else _exponent(*far) / abs(random_map.readout.power)


def upper_exponent(random_map: RandomMap) -> float | None:
    """kappa in P(|x| > r) ~ r^-kappa as r -> inf: negative where mass runs away; None where there is no such law."""
    far = np.exp(FAR * np.array([1.0, 2.0]))
    if random_map.logarithmic:
        places = [random_map.span[1] + np.log(far)]
    else:
        places = [side * max(map(abs, random_map.domain)) * far for side in (1.0, -1.0)]
    growths = [growth for s in places if (growth := _growth(random_map, s)) is not None]
    if not growths:
        return None
    return min(_exponent(-xi, weights) for xi, weights in growths) / abs(random_map.readout.power)


def check_ends(random_map: RandomMap) -> None:
    """Raises NotNormalizable where mass condenses at 0 or runs away to infinity."""
    name = random_map.name
    kappa = lower_exponent(random_map)
    if kappa is not None and kappa <= 0:
        raise NotNormalizable(
            f"no stationary law: near {name} = 0 the mean of ln|{name}'/{name}| is not positive, so all mass condenses "
            f"at {name} = 0 (p would go as {name}^{kappa - 1.0:.4g}); a smaller learning rate or a larger batch may "
            "keep it away",
            end=f"{name} -> 0",
            exponent=kappa - 1.0,
            uncertainty=0.0,
        )
    kappa = upper_exponent(random_map)
    if kappa is not None and kappa <= 0:
        raise NotNormalizable(
            f"no stationary law: far out the mean of ln|{name}'/{name}| is not negative, so the map diverges; lower "
            "the learning rate, or enlarge the batch",
            end=f"|{name}| -> inf",
            exponent=-1.0 - kappa,
            uncertainty=0.0,
        )


def _growth(random_map: RandomMap, s: Array) -> tuple[Array, Array] | None:
    """ln|u'/u| of the branches and their weights at the second of two places, unless the first differs."""
    try:
        with np.errstate(all="ignore"):
            found = branches(random_map, s, smoothed=False)
    except InvalidInput:  # so far out the map may not be defined: nothing is known of it there
        return None
    xi, weights = found.displacements, found.weights
    if not random_map.logarithmic:
        xi = np.log(np.maximum(np.abs(1.0 + xi / s[:, None]), SMALLEST))
    if np.abs(xi).max() < STILL or np.abs(xi[1] - xi[0]).max() > ALIKE:
        return None
    return xi[1], weights[-1]


def _exponent(xi: Array, weights: Array) -> float:
    """The kappa != 0 with E exp(-kappa xi) = 1, of the sign of E xi; inf, of that sign, where there is none."""
    from scipy.optimize import brentq

    sign = 1.0 if float(xi @ weights) > 0 else -1.0
    if not np.any((sign * xi < 0) & (weights > 0)):
        return sign * np.inf

    def excess(kappa: float) -> float:
        powers = -sign * kappa * xi
        top = float(powers.max())
        return top + float(np.log(np.maximum(np.exp(powers - top) @ weights, SMALLEST)))

    high = 1e-3
    while excess(high) <= 0:
        high *= 2.0
        if high > LARGEST:
            return sign * np.inf
    low = 0.5 * high
    while excess(low) > 0:
        low *= 0.5
        if low < SMALLEST:
            return 0.0
    return sign * float(brentq(excess, low, high, xtol=1e-15, rtol=1e-14))
