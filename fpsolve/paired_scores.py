"""Which of two laws do samples prefer?  Paired scores, and p-values corrected for how many are asked.

    s(x) = int (F(y) - 1{x <= y})^2 dG(y)

with F the law under trial and G one that all trials share: a proper score, between 0 and 1 whatever the tails.  In
several dimensions it is averaged over directions, G being the samples' own shadow.  Over
independent samples the mean difference of two laws' scores is normal, with the error that the differences themselves
tell.
Source: Gneiting & Raftery, J. Am. Stat. Assoc. 102, 359 (2007); Diebold & Mariano, J. Bus. Econ. Stat. 13, 253 (1995);
Holm, Scand. J. Stat. 6, 65 (1979).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.asking import shown
from fpsolve.errors import InvalidInput
from fpsolve.sliced import directions, projected_cdf
from fpsolve.values.density import Density

__all__ = ["holm", "plane_scores", "preference", "scores"]

Array = NDArray[np.float64]
QUANTILES = 1000


def scores(p: Density, samples: Array, common: Density) -> Array:
    """The score of each sample (n,) under p, smaller for better; common: G."""
    y = np.asarray(common.quantile((np.arange(QUANTILES) + 0.5) / QUANTILES))
    return _scores(np.asarray(p.cdf(y)), y, samples)


def plane_scores(p: Density, samples: Array) -> Array:
    """The score of each sample (n, d) under p, the mean over directions."""
    vectors, shares = directions(p.grid.ndim)
    total = np.zeros(len(samples))
    for e, share in zip(vectors, shares, strict=True):
        along = samples @ e
        y = np.quantile(along, (np.arange(QUANTILES) + 0.5) / QUANTILES)
        total += share * _scores(projected_cdf(p, e, y), y, along)
    return total


def _scores(f: Array, y: Array, samples: Array) -> Array:
    below = np.concatenate([[0.0], np.cumsum(f**2)])  # F^2 at the y below x, (1 - F)^2 at those above
    above = np.concatenate([np.cumsum(((1.0 - f) ** 2)[::-1])[::-1], [0.0]])
    place = np.searchsorted(y, samples)
    return (below[place] + above[place]) / QUANTILES


def preference(one: Array, other: Array) -> float:
    """The two-sided p-value of two laws having the same mean score, from paired scores; 1 where they never differ."""
    from scipy.special import ndtr

    difference = one - other
    error = float(difference.std(ddof=1)) / np.sqrt(difference.size)
    if error == 0.0:
        return 1.0
    return float(2.0 * ndtr(-abs(float(difference.mean())) / error))


def holm(p_values: ArrayLike) -> Array:
    """p-values corrected for their number (Holm's step-down rule), in the order given.

    >>> holm([0.01, 0.04, 0.03]).round(6).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.atleast_1d(np.array(p_values, dtype=float))
    if p.ndim != 1 or not np.all((p >= 0) & (p <= 1)):
        raise InvalidInput(f"p_values is {shown(p_values)}; give probabilities between 0 and 1, in a row")
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * (p.size - np.arange(p.size)))
    corrected = np.empty(p.size)
    corrected[order] = np.minimum(stepped, 1.0)
    return corrected
