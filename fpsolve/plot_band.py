"""Bands that hold a whole law: shares of samples in bins, or beyond their own order statistics, all at once.

    in bins       k_i of n samples in bin i:   Beta(a/2; k_i, n - k_i + 1) <= p_i <= Beta(1 - a/2; k_i + 1, n - k_i)
    beyond        the i-th largest of n:       P(X > x_(i)) ~ Beta(i, n - i + 1), whatever the law

with a = (1 - level)/(number of intervals): by Bonferroni's inequality all of them hold together with probability
`level` or more.  One standard error around each of 30 bins misses the law somewhere nearly always.
Clopper & Pearson, Biometrika 26, 404 (1934); David & Nagaraja, Order Statistics (2003), sec. 2.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LEVEL", "beyond", "draw_beyond", "draw_in_bins", "in_bins"]

Array = NDArray[np.float64]
LEVEL = 0.95
RANKS = 40  # order statistics that carry a band


def in_bins(counts: ArrayLike, n: int, level: float = LEVEL) -> tuple[Array, Array]:
    """Bounds of the probabilities of bins that were fixed beforehand, given the counts of n samples in them.

    >>> low, high = in_bins([10, 80, 10], 100)
    >>> low.round(2), high.round(2)
    (array([0.04, 0.69, 0.04]), array([0.19, 0.89, 0.19]))
    """
    from scipy.special import betaincinv

    k = np.asarray(counts, dtype=float)
    a = (1.0 - level) / k.size
    low = np.where(k > 0, betaincinv(np.maximum(k, 1.0), n - k + 1.0, 0.5 * a), 0.0)
    high = np.where(k < n, betaincinv(k + 1.0, np.maximum(n - k, 1.0), 1.0 - 0.5 * a), 1.0)
    return low, high


def beyond(samples: ArrayLike, level: float = LEVEL) -> tuple[Array, Array, Array, Array]:
    """Order statistics (falling), the share of samples from each on, and bounds of P(X > x) there."""
    from scipy.special import betaincinv

    x = np.sort(np.asarray(samples, dtype=float))[::-1]
    rank = np.unique(np.geomspace(1, x.size, RANKS).astype(int))
    a = (1.0 - level) / rank.size
    low, high = (betaincinv(rank, x.size - rank + 1.0, q) for q in (0.5 * a, 1.0 - 0.5 * a))
    return x[rank - 1], rank / x.size, low, high


def draw_in_bins(ax: Axes, samples: ArrayLike, edges: Array, *, colour: str = "0.35", label: str | None = None) -> Axes:
    """Draw the density of samples in bins: a dash per bin, and the band as boxes.  Returns the Axes."""
    x = np.asarray(samples, dtype=float)
    counts, width = np.histogram(x, edges)[0], np.diff(edges)
    low, high = in_bins(counts, x.size)
    ax.stairs(high / width, edges, baseline=low / width, fill=True, color=colour, alpha=0.35, lw=0, label=label)
    ax.hlines(
        (counts / x.size / width)[counts > 0], edges[:-1][counts > 0], edges[1:][counts > 0], color=colour, lw=1.0
    )
    return ax


def draw_beyond(ax: Axes, samples: ArrayLike, *, colour: str, label: str | None = None) -> Axes:
    """Draw the share of samples beyond each size, and steps that hold P(X > x) between them.  Returns the Axes."""
    x, share, low, high = beyond(samples)
    # between two of them P(X > x) lies between their bounds, since it falls
    corners = np.repeat(x, 2)[1:-1]
    ax.fill_between(corners, np.repeat(low[:-1], 2), np.repeat(high[1:], 2), color=colour, alpha=0.25, lw=0)
    ax.plot(x, share, ".", ms=4, color=colour, label=label)
    return ax
