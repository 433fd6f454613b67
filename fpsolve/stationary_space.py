"""The stationary density of one closed set of cells in two or three dimensions: a null vector of L.

Where a current makes the answer depend on the resolution, the same question is asked of a grid half as fine: the
distance between the two answers is a warning's number.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import ResolutionWarning, warn
from fpsolve.generator import Generator
from fpsolve.grid import Grid
from fpsolve.half_grid import HalfGrid, null_masses
from fpsolve.operators.edges import Edges
from fpsolve.operators.ends import check_open_end, piled_up, warn_of_truncation
from fpsolve.problem import Problem
from fpsolve.progress import Progress
from fpsolve.resolution import MATTERS, warn_if_nearly_split, warn_of_coarse_cells
from fpsolve.solvers.gth import GTH
from fpsolve.solvers.null_vector import NullVector
from fpsolve.upwind import notes_of_upwind
from fpsolve.values.continuation import EndLaw, continued_ends
from fpsolve.values.density import Density
from fpsolve.values.info import Info

__all__ = ["LARGEST_RESIDUAL", "ROUNDING", "density_in_space", "end_laws"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
LARGEST_RESIDUAL = 1e-6  # of the largest one-way flow
IRREVERSIBLE = 0.1  # affinity of one edge, where p matters
STEEP = 5.0  # ln p over one edge
LONG = 3  # cells that an offset spans
TOO_FAR = 0.025  # L1 between the answers of two grids
TAIL_CELLS = 4  # from which the law of an end is read
ROUNDING = 1e-12  # of the mass: what methods other than GTH leave in cells that hold none
FEWEST = 16  # cells along an axis of the coarser one


def density_in_space(problem: Problem, L: Generator, cells: Indices, method: NullVector, progress: Progress) -> Density:
    """The density of the closed set `cells` of `problem`, by `method`."""
    started = time.process_time()
    grid = problem.grid
    masses = null_masses(L, cells, method, progress)
    negative = int((masses < 0).sum())
    flow = np.bincount(L.edges.left, L.edges.up * masses[L.edges.left], minlength=masses.size)
    flow += np.bincount(L.edges.right, L.edges.down * masses[L.edges.right], minlength=masses.size)
    residual = float(np.abs(L.apply(masses)[cells]).max() / flow.max()) if cells.size > 1 else 0.0
    p = Density.from_masses(grid, masses)
    notes: tuple[str, ...] = ()
    if residual < LARGEST_RESIDUAL:  # else it is no answer, and its caller refuses it
        half = HalfGrid(problem, method)
        p = _judged(L, p, cells, half)
        notes = notes_of_upwind(L, grid, masses, half)
    info = Info(
        method=method.name,
        residual=residual,
        mass_error=abs(p.mass - 1.0),
        smallest=float(p.values.min()),
        edge_mass=p.beyond,
        seconds=time.process_time() - started,
        notes=((f"{negative} masses are negative, the smallest {masses.min():.3g}",) if negative else ()) + notes,
    )
    return p.replace(info=info)


def _judged(L: Generator, bare: Density, cells: Indices, half: HalfGrid) -> Density:
    """The density with what lies beyond its open ends, after warnings of what it does not resolve."""
    masses, grid = bare.masses.ravel(), bare.grid
    negative = bool(np.any(masses < 0))
    resolved = negative or (warn_of_coarse_cells(bare, L.edges, cells) and _is_resolved(L, masses, half))
    # what is not resolved says nothing about the ends
    laws = end_laws(grid, L.edges, masses, 0.0 if isinstance(half.method, GTH) else ROUNDING) if resolved else {}
    continued = _continued(grid, laws)
    if negative:
        p = bare.replace(continued=continued)
    else:
        p = Density.from_log(grid, bare.log_values, continued=continued)
        warn_if_nearly_split(p, L.edges)
    _warn_of_ends(p, laws)
    return p


def end_laws(grid: Grid, edges: Edges, masses: Array, floor: float) -> dict[tuple[int, bool], EndLaw]:
    """How the marginal of each axis with noise ends at its open ends, but for those that cut a current off.

    floor: of the mass, below which cells tell nothing.

    Raises NotNormalizable where it does not end.
    """
    laws = {}
    for k, (name, axis) in enumerate(zip(grid.names, grid.axes, strict=True)):
        others = tuple(i for i in range(grid.ndim) if i != k)
        raw = masses.reshape(grid.shape).sum(axis=others)
        profile = np.maximum(raw, 0.0)
        noisy = bool(np.any(~edges.noiseless & (edges.offsets[:, k] != 0)))
        for upper in (False, True):
            with np.errstate(divide="ignore", invalid="ignore"):
                last = raw[-TAIL_CELLS:] if upper else raw[:TAIL_CELLS]
                if np.any(last < 0.0) or last.max() < floor:
                    continue  # undershoots of second-order transport, or rounding: nothing is left to be continued
                if axis.ends[upper] == "open" and not piled_up(axis, name, profile, upper) and noisy:
                    log_p = np.log(profile / axis.weights)
                    laws[k, upper] = check_open_end(axis, name, log_p, upper, marginal=True)
    return laws


def _continued(grid: Grid, laws: dict[tuple[int, bool], EndLaw]) -> tuple[tuple[bool, bool], ...]:
    found = []
    for k, axis in enumerate(grid.axes):
        goes_on = continued_ends(axis)
        found.append(((k, False) in laws and goes_on[0], (k, True) in laws and goes_on[1]))
    return tuple(found)


def _warn_of_ends(p: Density, laws: dict[tuple[int, bool], EndLaw]) -> None:
    for k, (name, axis) in enumerate(zip(p.grid.names, p.grid.axes, strict=True)):
        profile = p.marginal(name)
        for upper in (False, True):
            if p.ends[k][upper]:
                peak = float(axis.nodes[int(np.argmax(profile.masses))])
                reach = abs((axis.hi if upper else axis.lo) - peak)
                warn_of_truncation(axis, name, laws[k, upper], profile.shares[upper], reach, upper, profile.log_values)


def _is_resolved(L: Generator, masses: Array, half: HalfGrid) -> bool:
    """Where irreversible drift meets steep steps or long offsets: what half the cells give must not be far away."""
    edges = L.edges
    heavy = ~edges.noiseless & (np.maximum(masses[edges.left], masses[edges.right]) > MATTERS * masses.max())
    with np.errstate(divide="ignore", invalid="ignore"):
        log_p = np.log(masses / half.fine.grid.weights.ravel())
        affinity = float(np.abs(edges.step + log_p[edges.left] - log_p[edges.right])[heavy].max(initial=0.0))
    steep = float(np.abs(edges.step[heavy]).max(initial=0.0))
    long = int(np.abs(edges.offsets[heavy]).max(initial=0))
    if affinity < IRREVERSIBLE or (steep < STEEP and long < LONG):
        return True
    distance = half.distance(masses) if min(L.shape) >= 2 * FEWEST else None
    if distance is None or distance <= TOO_FAR:
        return True
    warn(
        f"the current is not resolved: half the cells give a density {distance:.2g} away (L1), so this one may be "
        f"off by {distance / 3:.2g} or more (steps of ln p up to {steep:.3g} between cells, irreversible by "
        f"{affinity:.3g}); use more cells, or fp.refined(fp.stationary, problem) and its error",
        ResolutionWarning,
    )
    return False
