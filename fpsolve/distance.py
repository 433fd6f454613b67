"""Distances between laws: densities, closed forms, swarms and samples, on either side.

    L1          int |p - q| dx                          TV   half of L1
    KL          int p ln(p/q) dx, of the first against the second; no metric
    hellinger   H^2 = 1/2 int (sqrt p - sqrt q)^2 dx
    KS          sup |F - G|
    W1, W2      (int_0^1 |F^-1(u) - G^-1(u)|^k du)^(1/k), k = 1, 2; in more dimensions min <|X - Y|^k>^(1/k)
    sliced W1   the mean of W1 between e.X and e.Y over all directions e; W1 itself in one dimension
    sliced W2   the root mean square of W2 between e.X and e.Y over all directions e; W2 itself in one dimension
    MMD         (<k(X,X')> - 2 <k(X,Y)> + <k(Y,Y')>)^(1/2), k(x, y) = exp(-|x - y|/h)

F and G are the distribution functions of p and q, X and Y draws from them, X' and Y' independent ones.
"""

from __future__ import annotations

import difflib

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import InvalidInput
from fpsolve.laws import Comparable, Law, Samples, Side, paired
from fpsolve.partition import kullback_leibler, log_shares, squared_hellinger
from fpsolve.plane_transport import plan_cost
from fpsolve.sliced import sliced_wasserstein
from fpsolve.transport import mean_discrepancy, wasserstein

__all__ = ["METRICS", "distance"]

Array = NDArray[np.float64]
METRICS = ("L1", "TV", "KL", "hellinger", "W1", "W2", "KS", "MMD", "sliced W1", "sliced W2")
BINNED = ("L1", "TV", "KL", "hellinger")


def distance(a: Comparable, b: Comparable, metric: str, *, t: float | None = None) -> float:
    """The distance between two laws.

    a, b: each a Density, an ExactDensity, a Swarm (its living replicas) or samples of shape (n,) or (n, d).
    metric: "L1", "TV", "KL", "hellinger", "W1", "W2", "KS", "MMD", "sliced W1" or "sliced W2", as the head of this
    module defines them.
    t: the recorded time at which a swarm is taken; default: its last.

    Densities on one grid are compared mass by mass, the mass beyond an open end counting as one more cell; on
    different grids (one dimension) ln p is interpolated and integrated over the union of their cells.  KS, W1 and W2
    are exact for samples, at both sides of each jump; KS needs one dimension.  W1 and W2 are infinite, with a
    DegenerateWarning, where a law lacks the moment of that order.  A periodic axis is taken as one period, cut open at
    its start; samples are brought into it.

    In several dimensions W1 and W2 need the extra `ot` and at most 2^24 pairs of points (two densities of 64 x 64
    cells, some 20 s).  Cells are then points at their nodes, what lies beyond open ends in the outermost ones: between
    densities of cells h wide W2^2 is too large by up to some h^2/6 for each axis, unless all moves by whole cells.
    The sliced distances need nothing more, know no such limit, and take cells for intervals, which adds h^2/12 to
    variances.  Sliced W2 <= W2/sqrt(d) in d dimensions, and equal for laws that differ by a shift.

    L1, TV, KL and hellinger bin samples in the density's cells.  That hides differences within a cell, and the noise
    of the counts adds up over the cells: with n samples in c occupied cells of equal mass, L1 between samples and
    their own law is near sqrt(2 c/(pi n)), KL near (c - 1)/(2 n), hellinger near sqrt(c/(8 n)).  `compare` measures it.
    KL is infinite where b has no mass and a has: put the samples first.  MMD has h = the mean of the two
    interquartile ranges in one dimension, in more the mean of those of all marginals of both; samples count with
    their own diagonal, so that MMD^2 between samples and their own law is near (1 - <k>)/n.  In several dimensions it
    costs all pairs of points (63 000 points at most), those of two densities on one grid being joined.

    Returns a float >= 0.  Raises InvalidInput for an unknown metric (with the nearest name), masses other than 1,
    samples that are not finite, dimensions that differ, and pairs that a metric cannot compare; MissingExtra for W1 and
    W2 of several coordinates without POT.
    Source: Gibbs & Su, Int. Stat. Rev. 70, 419 (2002); Gretton et al., J. Mach. Learn. Res. 13, 723 (2012) for MMD.

    >>> import fpsolve as fp
    >>> p = fp.stationary(fp.Problem(fp.Process(lambda x: -x, 1.0), fp.Grid(x=(-8, 8, 200))))
    >>> q = fp.stationary(fp.Problem(fp.Process(lambda x: 0.5 - x, 1.0), fp.Grid(x=(-8, 8, 200))))
    >>> round(distance(p, q, "W2"), 6), round(distance(p, q, "KL"), 6)
    (0.5, 0.125)
    """
    check_metric(metric)
    left, right = paired(a, b, t)
    if metric in BINNED:
        return from_shares(*log_shares(left, right), metric)
    if metric == "MMD":
        return mean_discrepancy(left, right)
    if metric == "KS":
        if left.ndim > 1:
            raise InvalidInput(f"KS needs one dimension, not {left.ndim}; compare marginals, or use L1, TV or MMD")
        return kolmogorov_smirnov(left, right)
    order = 1 if metric.endswith("W1") else 2
    if left.ndim == 1:
        return wasserstein(left, right, order)
    return (sliced_wasserstein if metric.startswith("sliced") else plan_cost)(left, right, order)


def check_metric(metric: str) -> None:
    """InvalidInput, with the nearest name, unless it is one of METRICS."""
    if metric in METRICS:
        return
    slices = str(metric).lower().startswith("slice")
    folded = {name.lower(): name for name in METRICS if name.startswith("sliced") == slices}
    near = difflib.get_close_matches(str(metric).lower(), list(folded), n=1, cutoff=0.0)
    hint = f"the nearest is {folded[near[0]]!r}" if near else "none is near"
    raise InvalidInput(f"metric is {metric!r}; {hint}: use one of {', '.join(METRICS)}")


def from_shares(log_a: Array, log_b: Array, metric: str) -> float:
    """A binned metric between two laws given as ln of their masses, cell by cell."""
    if metric == "KL":
        return float(kullback_leibler(log_a, log_b))
    if metric == "hellinger":
        return float(np.sqrt(squared_hellinger(log_a, log_b)))
    total = float(np.abs(np.exp(log_a) - np.exp(log_b)).sum())
    return total if metric == "L1" else 0.5 * total


def kolmogorov_smirnov(a: Side, b: Side) -> float:
    """sup |F - G|, from both sides of each jump; between densities, the largest of a grid refined around its best."""
    if isinstance(a, Law) and isinstance(b, Law):
        return _largest_difference(a, b)
    if isinstance(a, Samples) and isinstance(b, Samples):
        points = np.concatenate([a.lower.points, b.lower.points])
        return float(np.abs(a.lower(points) - b.lower(points)).max())
    law, samples = (a, b) if isinstance(a, Law) else (b, a)
    assert isinstance(law, Law)
    assert isinstance(samples, Samples)
    below, steps = law.lower(samples.lower.points), samples.lower.faces
    return float(max((steps[1:] - below).max(), (below - steps[:-1]).max()))


def _largest_difference(a: Law, b: Law) -> float:
    x = np.union1d(a.axis.faces, b.axis.faces)
    best = 0.0
    for _ in range(4):
        gaps = np.abs(a.lower(x) - b.lower(x))
        i = int(gaps.argmax())
        best = max(best, float(gaps[i]))
        x = np.linspace(x[max(i - 1, 0)], x[min(i + 1, x.size - 1)], 33)
    return best
