"""Increments given the place: their mean and covariance in bins, in one coordinate or more.

In each bin dx is fitted by a + B (x - <x>), so that the slope of the drift counts neither as noise nor, since <x> is
the mean place, as drift.  The increments of a Markov process are uncorrelated given their start: standard errors are
those of independent samples.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.asking import reals, shown
from fpsolve.checks import whole
from fpsolve.errors import InvalidInput

__all__ = ["FEWEST_PAIRS", "Moments", "edges_of", "moments_in_bins"]

Array = NDArray[np.float64]
FEWEST_PAIRS = 20  # in a bin
FEWEST_BINS = 5  # of which a parabola has curvature with an error


@dataclass(frozen=True, eq=False)
class Moments:
    """m bins, d coordinates; nan where a bin has fewer than 20 increments.

    counts (m,); place (m, d), the mean start; width (m, d, d), the starts' covariance; mean, mean_error (m, d) and
    covariance, covariance_error (m, d, d) of the increments; kurtosis (m, d), excess.
    """

    counts: NDArray[np.int64]
    place: Array
    width: Array
    mean: Array
    mean_error: Array
    covariance: Array
    covariance_error: Array
    kurtosis: Array

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Which bins have enough increments."""
        return self.counts >= FEWEST_PAIRS


def edges_of(label: str, x: Array, bins: int | ArrayLike) -> Array:
    """The edges of bins of equal counts of x (n,), or those given, checked."""
    if isinstance(bins, (int, np.integer)):
        count = whole(label, bins, FEWEST_BINS)
        if x.size < FEWEST_PAIRS * count:
            raise InvalidInput(
                f"{x.size} increments in {count} bins are fewer than {FEWEST_PAIRS} each; give more, or fewer bins"
            )
        edges = np.quantile(x, np.linspace(0.0, 1.0, count + 1))
        if np.any(np.diff(edges) <= 0):
            raise InvalidInput(
                f"{label}={count} bins of equal counts have no width: {np.unique(x).size} places only, out of {x.size} "
                "increments; give edges instead"
            )
        return edges
    edges = np.array(reals(label, bins))
    if edges.ndim != 1 or edges.size <= FEWEST_BINS or not np.all(np.isfinite(edges)) or np.any(np.diff(edges) <= 0):
        raise InvalidInput(
            f"{label} is {shown(bins)}; give a whole number >= {FEWEST_BINS}, or {FEWEST_BINS + 1} or more rising edges"
        )
    return edges


def moments_in_bins(x: Array, dx: Array, edges: tuple[Array, ...]) -> Moments:
    """Moments of the increments dx (n, d) that start at x (n, d), in the bins between the edges of each axis.

    Raises InvalidInput where fewer than 5 bins have 20 increments, and where a bin has no noise.
    """
    shape = tuple(e.size - 1 for e in edges)
    m, d = int(np.prod(shape)), x.shape[1]
    cell, inside = np.zeros(len(x), dtype=np.int64), np.ones(len(x), dtype=bool)
    for k, e in enumerate(edges):
        i = np.where(x[:, k] == e[-1], e.size - 2, np.searchsorted(e, x[:, k], side="right") - 1)
        inside &= (i >= 0) & (i < e.size - 1)
        cell = cell * shape[k] + i
    x, dx, cell = x[inside], dx[inside], cell[inside]
    order = np.argsort(cell, kind="stable")
    stops = np.searchsorted(cell[order], np.arange(m + 1))
    counts = np.diff(stops)
    if np.sum(counts >= FEWEST_PAIRS) < FEWEST_BINS:
        raise InvalidInput(
            f"only {int(np.sum(counts >= FEWEST_PAIRS))} of {m} bins hold {FEWEST_PAIRS} or more of the {inside.size} "
            f"increments; derivatives need {FEWEST_BINS}: give more data, or wider bins"
        )
    rows = [
        _one(x[order[i:j]], dx[order[i:j]]) if j - i >= FEWEST_PAIRS else _nothing(d)
        for i, j in itertools.pairwise(stops)
    ]
    found = Moments(counts, *(np.array(column) for column in zip(*rows, strict=True)))
    still = np.flatnonzero(np.any(found.mean_error == 0.0, axis=1))
    if still.size:
        raise InvalidInput(
            f"the increments from around {found.place[still[0]].tolist()} are all alike, in {still.size} of {m} bins: "
            "without noise there is no diffusion to measure; leave that part out"
        )
    return found


def _one(x: Array, dx: Array) -> tuple[Array, ...]:
    n, d = x.shape
    place = x.mean(axis=0)
    design = np.column_stack([np.ones(n), x - place])
    rest = dx - design @ np.linalg.lstsq(design, dx, rcond=None)[0]
    products = rest[:, :, None] * rest[:, None, :]
    covariance = products.sum(axis=0) / (n - d - 1.0)
    variance = np.diag(covariance)
    with np.errstate(divide="ignore", invalid="ignore"):
        kurtosis = np.mean(rest**4, axis=0) / variance**2 - 3.0
    return (
        place,
        np.atleast_2d(np.cov(x.T, ddof=0)),
        dx.mean(axis=0),
        np.sqrt(variance / n),
        covariance,
        products.std(axis=0) / np.sqrt(n),
        kurtosis,
    )


def _nothing(d: int) -> tuple[Array, ...]:
    row, square = np.full(d, np.nan), np.full((d, d), np.nan)
    return row, square, row, row, square, square, row
