"""What upwind transport along axes without noise adds of its own: a diffusion of the first order in the cells.

Mass hops from cell to cell with the drift, ds at a time at a rate of |A|/w, and hops at random times spread it as

    diffusion = ds^2/2 <hops per unit time> = <|A|> dx/2

would (in s, where the axis is mapped).  What that does to the density half the cells tell: the error of the first order
is twice as large there, so that the difference of the two answers is the error of the finer one.
Source: LeVeque, Finite Volume Methods for Hyperbolic Problems (2002), section 8.6.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.errors import ResolutionWarning, warn
from fpsolve.generator import Generator
from fpsolve.grid import Grid
from fpsolve.half_grid import HalfGrid

__all__ = ["UPWIND", "notes_of_upwind"]

Array = NDArray[np.float64]
UPWIND = "upwind transport along"  # how the warning begins: nested grids measure what it is about
MATTERS = 0.01  # of a variance
TOO_FAR = 0.025  # L1 between the answers of two grids, on rings
STILL = 1e-12  # of the variance, per unit of time that the axis takes: nothing moves


def notes_of_upwind(L: Generator, grid: Grid, masses: Array, half: HalfGrid) -> tuple[str, ...]:
    """What transport of first order adds to this density, a sentence for its `info`; a warning where it matters."""
    added = _diffusion(L, grid, masses)
    if not added:
        return ()
    along = " and ".join(grid.names[k] for k in added)
    shown = " and ".join(f"{value:.2g} to {_label(grid.axes[k], grid.names[k])}" for k, value in added.items())
    told = f"{UPWIND} {along}, which has no noise, adds a diffusion of {shown}"
    remedy = "fp.Accurate() is of second order"
    distance = half.distance(masses)
    if distance is None:
        return (f"{told}, of first order in the cells; {remedy}",)
    gains = _gains(grid, masses, half)
    effects = [f"variance of {label} {share:+.1%}" for label, share in gains.items()]
    worst = max((abs(share) for share in gains.values()), default=0.0) / MATTERS
    if any(grid.axes[k].periodic for k in added):
        effects.append(f"p by {distance:.2g} (L1)")
        worst = max(worst, distance / TOO_FAR)
    note = f"{told}; by comparison with half the cells this is worth about: {', '.join(effects)}"
    if worst > 1.0:
        warn(
            f"{note}; use scheme=fp.Accurate(), {np.ceil(worst):.3g} times the cells, or extrapolate the number that "
            "is wanted: fp.refined(question, problem, order=1)",
            ResolutionWarning,
        )
    return (f"{note}; {remedy}",)


def _diffusion(L: Generator, grid: Grid, masses: Array) -> dict[int, float]:
    """By axis, for those that have no noise anywhere and along which mass moves."""
    edges, found = L.edges, {}
    for k, axis in enumerate(grid.axes):
        across = edges.offsets[:, k] != 0
        if not np.any(across) or not np.all(edges.noiseless[across]):
            continue
        left, right = edges.left[across], edges.right[across]
        hops = float(edges.up[across] @ np.abs(masses[left]) + edges.down[across] @ np.abs(masses[right]))
        if hops > STILL * float(max(edges.up[across].max(), edges.down[across].max())):
            found[k] = 0.5 * axis.ds**2 * hops
    return found


def _gains(grid: Grid, masses: Array, half: HalfGrid) -> dict[str, float]:
    """Of every axis that is no ring: what its variance gains, of itself."""
    assert half.problem is not None
    assert half.masses is not None
    found, ours = {}, masses.reshape(grid.shape)
    for k, (name, axis) in enumerate(zip(grid.names, grid.axes, strict=True)):
        variance = _variance(axis, ours, k)
        if not axis.periodic and variance > axis.ds**2:  # else all mass is in a cell or two, and says nothing of spread
            share = _variance(half.problem.grid.axes[k], half.masses, k) / variance - 1.0
            found[_label(axis, name)] = share
    return found


def _variance(axis: Axis, masses: Array, k: int) -> float:
    profile = masses.sum(axis=tuple(i for i in range(masses.ndim) if i != k))
    profile = profile / profile.sum()
    s = axis.s_nodes
    return float(profile @ (s - profile @ s) ** 2)


def _label(axis: Axis, name: str) -> str:
    if axis.kind == "uniform":
        return name
    return f"ln|{name}|" if axis.kind == "log" else f"s({name})"
