"""What flows over the edges of a generator, how irreversibly, and over which faces of the grid.

Over the edge between two cells flows F = k (B(-step) p_left - B(step) p_right), with the affinity
a = step + ln p_left - ln p_right; the generator's own fluxes, so div J = -(L m)/w cell by cell.  Schnakenberg's sum
sigma = sum F a (k_B = 1) is >= 0 edge by edge.
A ring's stationary current is found from its circulation Phi = closed integral of A/D, not as a difference: with
f the one-way fluxes, F = J everywhere means sum -ln(1 - J/f) = Phi, whose root keeps its digits however small it is.
Source: Schnakenberg, Rev. Mod. Phys. 48, 571 (1976).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import DegenerateWarning, ResolutionWarning, warn
from fpsolve.evolve import with_tails
from fpsolve.generator import Generator
from fpsolve.grid import Grid
from fpsolve.kernels.fluxes import face_fluxes
from fpsolve.kernels.routing import route
from fpsolve.operators.edges import Edges
from fpsolve.values.density import Density

__all__ = ["Flows", "entropy_production_of", "flows_of", "masses_of", "over_faces"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
EPSILON = float(np.finfo(float).eps)
ROUNDINGS = 16.0  # per logarithm that enters a flux
NEGLIGIBLE = 1e-12  # of the largest flux
BOUND = 1e-3  # of the entropy production: what may come from a bound


@dataclass(frozen=True, eq=False)
class Flows:
    """Per edge: the net flux, the affinity, and the net over the one-way flux beside what rounding makes of it."""

    fluxes: Array
    affinities: Array
    imbalance: Array
    rounding: Array


def flows_of(L: Generator, p: Density) -> Flows:
    """Fluxes in log space; from masses where p is not positive; carried by the drift alone where there is no noise."""
    edges, masses, logs = L.edges, masses_of(L, p), p.log_values.ravel()
    left, right = logs[edges.left], logs[edges.right]
    size = edges.step.size
    fluxes, affinities = np.empty(size), np.empty(size)
    plain = edges.noiseless | np.isnan(left) | np.isnan(right)
    step, conductance = np.where(plain, 0.0, edges.step), np.where(plain, 0.0, edges.log_conductance)
    face_fluxes(step, conductance, np.where(plain, 0.0, left), np.where(plain, 0.0, right), fluxes, affinities)
    forth, back = edges.up * masses[edges.left], edges.down * masses[edges.right]
    fluxes = np.where(plain, forth - back, fluxes)
    with np.errstate(divide="ignore", invalid="ignore"):
        affinities = np.where(plain, np.log(forth / back), affinities)
    if L.jumps is not None:  # drift alone, in its positive form: what goes back is none of its own
        affinities = np.where(edges.noiseless, np.copysign(np.inf, fluxes), affinities)
    affinities = np.where(fluxes == 0.0, 0.0, affinities)
    doubt = EPSILON * ROUNDINGS * (1.0 + np.abs(step) + _finite(left) + _finite(right))
    imbalance = -np.expm1(-np.abs(affinities))
    found = Flows(fluxes, affinities, np.where(np.isnan(affinities), 1.0, imbalance), doubt)
    ring = L.jumps is None and len(L.shape) == 1 and edges.step.size == edges.killing.size and not np.any(plain)
    return _on_a_ring(edges, left, found) if ring else found


def masses_of(L: Generator, p: Density) -> Array:
    """The generator's masses, flat: beside jumps with the tails beyond open ends."""
    return np.asarray(p.masses.ravel() * with_tails(L, p.grid))


def over_faces(L: Generator, grid: Grid, p: Density, found: Flows) -> tuple[Array, ...]:
    """J at the faces across each axis: flux per area, the grid's shape with one more along that axis.

    What absorbing ends take from a cell leaves it straight through the nearest of them.
    """
    masses, edges = masses_of(L, p), L.edges
    shapes = [tuple(n + (i == k) for i, n in enumerate(grid.shape)) for k in range(grid.ndim)]
    starts = np.concatenate([[0], np.cumsum([int(np.prod(shape)) for shape in shapes])])
    faces = np.zeros(int(starts[-1]))
    geometry = (
        np.array(grid.shape, dtype=np.int64),
        np.array([axis.periodic for axis in grid.axes]),
        np.array(list(itertools.permutations(range(grid.ndim))), dtype=np.int64),
    )
    route(*geometry, edges.left, edges.offsets, found.fluxes, starts, faces)
    for part in L.transport:
        offsets = np.zeros((part.left.size, grid.ndim), dtype=np.int64)
        offsets[np.arange(part.left.size), part.axis] = 1
        route(*geometry, part.left, offsets, part.fluxes(masses), starts, faces)
    if np.any(edges.killing > 0):
        cells, offsets = _ways_out(grid, np.flatnonzero(edges.killing > 0))
        route(*geometry, cells, offsets, edges.killing[cells] * masses[cells], starts, faces)
    result = []
    for k, (axis, shape) in enumerate(zip(grid.axes, shapes, strict=True)):
        J = faces[starts[k] : starts[k + 1]].reshape(shape)
        if axis.periodic:
            J[(slice(None),) * k + (-1,)] = J[(slice(None),) * k + (0,)]
        result.append(J / grid.areas(k))
    return tuple(result)


def _ways_out(grid: Grid, cells: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each cell the offset that takes it beyond the nearest absorbing end."""
    place = np.unravel_index(cells, grid.shape)
    best, offsets = np.full(cells.size, np.iinfo(np.int64).max), np.zeros((cells.size, grid.ndim), dtype=np.int64)
    for k, axis in enumerate(grid.axes):
        for upper in (False, True):
            if axis.ends[upper] == "absorbing":
                steps = axis.cells - place[k] if upper else place[k] + 1
                nearer = steps < best
                best = np.where(nearer, steps, best)
                offsets[nearer] = 0
                offsets[nearer, k] = steps[nearer] * (1 if upper else -1)
    return cells, offsets


def entropy_production_of(L: Generator, p: Density, found: Flows) -> float:
    """Sum of flux times affinity; inf with a DegenerateWarning where something flows that nothing brings back.

    Beside masses below the floor of a method it is a bound; see `_below_the_floor`.
    """
    unknown, least = _below_the_floor(L, p)
    flows = (found.fluxes != 0.0) & ~unknown
    endless = flows & ~np.isfinite(found.affinities)
    carried = np.concatenate([np.zeros(0), *(part.fluxes(masses_of(L, p)) for part in L.transport)])
    # what p loses to rounding or underflow in its far tails has no affinity either, and counts for nothing
    largest = max(np.abs(found.fluxes).max(initial=0.0), np.abs(carried).max(initial=0.0))
    counts = endless & (np.abs(found.fluxes) > NEGLIGIBLE * largest)
    one_way = np.concatenate([np.abs(found.fluxes[counts]), np.abs(carried)[np.abs(carried) > NEGLIGIBLE * largest]])
    if one_way.size:
        warn(
            f"the entropy production is infinite: {one_way.max():.3g} flows over "
            f"{one_way.size} edges that let nothing back (no noise there, or p = 0 beyond); give the process "
            "noise there, or a density that is positive",
            DegenerateWarning,
        )
        return math.inf
    used = flows & ~endless
    total = math.fsum(found.fluxes[used] * found.affinities[used]) + math.fsum(least)
    if math.fsum(least) > BOUND * total:
        warn(
            f"the entropy production is known from below only: {total:.6g}, of which {math.fsum(least):.2g} is a bound "
            f"for flows over {int(np.sum(least > 0.0))} edges into cells whose mass is below the method's floor, "
            f"{p.info.floor:.2g} of the largest; give the method a smaller tol, or use finer cells",
            ResolutionWarning,
        )
    return total


def _below_the_floor(L: Generator, p: Density) -> tuple[Flags, Array]:
    """Which edges lead to or from masked masses, of which nothing is known but that they are below the floor.

    And the least that each of them adds to the entropy production: of a flow from a known mass f that the floor itself
    could not balance, (f - b) ln(f/b) with b the most that can come back; else 0.
    A mass that is exactly 0 beside a known one is no error of a method, and where there is no noise the flow is known
    wherever its source is: these stay what they are.
    """
    edges, dark = L.edges, np.isnan(p.log_values.ravel())
    if p.info.floor is None or not np.any(dark):
        return np.zeros(edges.step.size, dtype=bool), np.zeros(0)
    masses, most = masses_of(L, p), p.info.floor * float(p.masses.max()) * with_tails(L, p.grid)
    left, right = dark[edges.left], dark[edges.right]
    empty = np.where(left, masses[edges.left], masses[edges.right]) == 0.0
    fitted = (left | right) & ~((left ^ right) & empty)
    unknown = np.where(edges.noiseless, (left & (edges.up > 0.0)) | (right & (edges.down > 0.0)), fitted)
    seen = np.where(dark, most, masses)
    forth, back = edges.up * seen[edges.left], edges.down * seen[edges.right]
    bounded = unknown & ~edges.noiseless & np.where(forth > back, right & ~left, left & ~right) & (forth * back > 0.0)
    forth, back = forth[bounded], back[bounded]
    return unknown, (forth - back) * np.log(forth / back)


def _on_a_ring(edges: Edges, log_left: Array, found: Flows) -> Flows:
    """The constant current of a stationary density on a ring; what was found if p is not stationary.

    With r = min(f)/f and y = J/min(f), the root of sum -log1p(-y r) = Phi lies between Phi/(sum r + Phi) and Phi/sum r.
    """
    phi = math.fsum(edges.step)
    if not np.all(np.isfinite(log_left)) or abs(phi) > 700.0 * edges.step.size:
        return found
    one_way = (edges.log_coefficients[0] if phi >= 0 else edges.log_coefficients[1]) + (
        log_left if phi >= 0 else np.roll(log_left, -1)
    )
    ratios = np.exp(one_way.min() - one_way)
    share = _root(abs(phi), ratios)
    J = math.copysign(share * math.exp(one_way.min()), phi)
    if np.any(np.abs(found.fluxes - J) > found.rounding * np.exp(one_way) + 4 * EPSILON * abs(J)):
        return found
    doubt = EPSILON * float(np.abs(edges.step).sum()) / float(ratios.sum())
    with np.errstate(divide="ignore"):
        affinities = np.copysign(-np.log1p(-share * ratios), phi)
    constant = np.full(edges.step.size, J)
    # where J/f is 1 to rounding the sum of logarithms has no digits: there the affinities themselves have them all
    affinities = np.where(share * ratios < 0.5, affinities, found.affinities)
    return Flows(constant, affinities, share * ratios, np.full(edges.step.size, doubt))


def _root(phi: float, ratios: Array) -> float:
    """y in [0, 1] with sum -log1p(-y ratios) = phi >= 0; the largest ratio is 1."""
    from scipy.optimize import brentq

    total = float(ratios.sum())
    low, high = phi / (total + phi), min(phi / total, 1.0 - 0.5 * EPSILON)

    def excess(y: float) -> float:
        return math.fsum(-np.log1p(-y * ratios)) - phi

    if low >= high or excess(low) >= 0.0:
        return low
    if excess(high) <= 0.0:
        return high
    return float(brentq(excess, low, high, xtol=EPSILON * low, rtol=4 * EPSILON))


def _finite(logs: Array) -> Array:
    return np.where(np.isfinite(logs), np.abs(logs), 0.0)
