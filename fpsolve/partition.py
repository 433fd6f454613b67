"""Two laws as masses on the same cells, in logarithms, and the divergences that compare them cell by cell.

The mass beyond the cells counts as more cells: one at each end in one dimension, one in all in more.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import InvalidInput
from fpsolve.grid import Grid
from fpsolve.laws import Law, Samples, Side
from fpsolve.values import sampling
from fpsolve.values.density import Density
from fpsolve.values.power_law import PowerLaw
from fpsolve.values.sampling import refuse_negative

__all__ = ["cell_integrals", "counts_in", "kullback_leibler", "log_shares", "same_cells", "squared_hellinger"]

Array = NDArray[np.float64]
RULE = np.polynomial.legendre.leggauss(4)


def log_shares(a: Side, b: Side) -> tuple[Array, Array]:
    """ln of the masses of both laws on common cells."""
    if isinstance(a, Samples) and isinstance(b, Samples):
        raise InvalidInput(
            "both sides are samples, which have no cells to be binned in; compare them by KS, W1, W2 or MMD, or give a "
            "density on one side"
        )
    if isinstance(a, Samples) and isinstance(b, Law):
        return _log(counts_in(b.density.grid, a) / a.n), _log(cell_integrals(b))
    if isinstance(b, Samples) and isinstance(a, Law):
        return _log(cell_integrals(a)), _log(counts_in(a.density.grid, b) / b.n)
    assert isinstance(a, Law)
    assert isinstance(b, Law)
    if same_cells(a.density.grid, b.density.grid):
        return _log_masses(a), _log_masses(b)
    if a.ndim > 1:
        raise InvalidInput(
            f"the two grids differ ({a.density.grid.describe()} and {b.density.grid.describe()}); in several "
            "dimensions densities are compared on one grid, or by their marginals"
        )
    return _on_union(a, b)


def counts_in(grid: Grid, samples: Samples) -> Array:
    """How many samples fall into each cell, then beyond: below and above in one dimension, outside in more."""
    if grid.ndim == 1:
        edges = np.concatenate([[-np.inf], grid.faces[0], [np.inf]])
        counts = np.diff(np.searchsorted(samples.lower.points, edges, side="right"))
        return np.concatenate([counts[1:-1], counts[[0, -1]]]).astype(float)
    counts = np.histogramdd(samples.positions, bins=list(grid.faces))[0].ravel()
    return np.append(counts, samples.n - counts.sum())


def cell_integrals(law: Law) -> Array:
    """The integral of p over each cell, and the mass beyond, laid out as `counts_in` does.

    To fourth order: in one dimension (22 m_i + m_(i-1) + m_(i+1))/24, in more the same along every axis.
    """
    p = law.density
    _refuse_negative(p)
    if law.ndim > 1:
        shares = sampling.cell_integrals(p).ravel()
        return np.append(shares, p.mass - shares.sum())
    first, last = p.masses[[0, -1]]
    if law.axis.periodic:
        first, last = last, first
    else:  # the series goes on beyond a continued end
        first *= np.exp(law.lower.fall_low * law.axis.ds) if law.lower.below > 0 else 1.0
        last *= np.exp(law.upper.fall_low * law.axis.ds) if law.upper.below > 0 else 1.0
    slopes = np.diff(np.concatenate([[first], p.masses, [last]]))
    return np.concatenate([p.masses + np.diff(slopes) / 24.0, [law.lower.faces[0], law.upper.faces[0]]])


def kullback_leibler(log_a: Array, log_b: Array) -> Array:
    """sum of a ln(a/b) - a + b over the last axis: never negative, and exact for laws that hardly differ."""
    with np.errstate(over="ignore", invalid="ignore"):
        a, b = np.exp(log_a), np.exp(log_b)
        ratio = np.where(a > 0, log_b - log_a, 0.0)
        near = a * (np.expm1(ratio) - ratio)  # the same without cancellation
        far = b - a - a * ratio
    return np.where(a > 0, np.where(np.abs(ratio) < 1.0, near, far), b).sum(axis=-1)


def squared_hellinger(log_a: Array, log_b: Array) -> Array:
    """1/2 sum (sqrt a - sqrt b)^2 over the last axis."""
    return 0.5 * ((np.exp(0.5 * log_a) - np.exp(0.5 * log_b)) ** 2).sum(axis=-1)


def _on_union(a: Law, b: Law) -> tuple[Array, Array]:
    """Gauss-Legendre points in every interval between faces of either grid, and what lies beyond both."""
    _refuse_negative(a.density)
    _refuse_negative(b.density)
    faces = np.union1d(a.axis.faces, b.axis.faces)
    half, middle = 0.5 * np.diff(faces), 0.5 * (faces[:-1] + faces[1:])
    points = (middle[:, None] + half[:, None] * RULE[0]).ravel()
    log_weights = np.log((half[:, None] * RULE[1]).ravel())
    logs = [np.concatenate([_unmasked(law, points) + log_weights, _log_beyond(law, faces)]) for law in (a, b)]
    return logs[0], logs[1]


def _log_masses(law: Law) -> Array:
    p = law.density
    _refuse_negative(p)
    logs = np.where(np.isnan(p.log_values), _log(p.masses), p.log_values + np.log(p.grid.weights))
    beyond = _log_beyond(law, law.axis.faces) if law.ndim == 1 else _log(np.array([p.mass - p.masses.sum()]))
    return np.append(logs.ravel(), beyond)


def _unmasked(law: Law, x: Array) -> Array:
    """ln p between the nodes, also where p is too small for its logarithm to be known: the metric sums it as it is."""
    logs = np.asarray(law.log(x))
    masked = np.isnan(logs)
    if np.any(masked):
        logs[masked] = _log(np.asarray(law.density.curve(x[masked])))
    return logs


def _log_beyond(law: Law, faces: Array) -> Array:
    """ln of the mass below the first face and above the last, none of which lies inside the law's own grid.

    In logarithms, since KL asks for ratios of shares that are far too small to matter otherwise.
    """
    p, axis, answer = law.density, law.axis, np.full(2, -np.inf)
    for upper, place, last, before in ((False, 0, 0, 1), (True, -1, -1, -2)):
        beyond = p.ends[0][upper]
        if isinstance(beyond, PowerLaw):
            share = np.log(beyond.weight(axis, upper)) + p.log_values[last]
            answer[place] = share + float(beyond.log_left(faces[place], axis, upper))
            continue
        fall = p.log_values[last] - p.log_values[before] + np.log(axis.weights[last] / axis.weights[before])
        farther = np.abs(axis.s(faces[place]) - axis.s_faces[place]) / axis.ds
        if beyond and fall < 0 and np.isfinite(p.log_values[last]) and not np.isnan(farther):
            answer[place] = p.log_values[last] + np.log(axis.weights[last]) + fall * (1.0 + farther)
            answer[place] -= np.log(-np.expm1(fall))
    return answer


def _log(masses: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.log(np.where(masses > 0, masses, 0.0))


def _refuse_negative(p: Density) -> None:
    refuse_negative(p, "this metric compares shares of mass, which cannot be negative")


def same_cells(one: Grid, other: Grid) -> bool:
    """Whether two grids have the same nodes and faces."""
    return one.shape == other.shape and all(
        np.array_equal(a.nodes, b.nodes) and np.array_equal(a.faces, b.faces)
        for a, b in zip(one.axes, other.axes, strict=True)
    )
