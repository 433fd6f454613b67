"""Drift, diffusion and stable jumps in several dimensions, put together.

Diffusion without drift goes along edges as everywhere (space.py); drift as in plane_drift.py; jumps as in
isotropic_jumps.py (two axes of equal cells) or along axes (axis_jumps.py; any axes).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import InvalidInput
from fpsolve.functions import Points
from fpsolve.grid import Grid
from fpsolve.jumps import Stable
from fpsolve.operators.axis_jumps import AxisJumps, unit_line
from fpsolve.operators.coefficients import Coefficients
from fpsolve.operators.edges import Edges
from fpsolve.operators.fractional_plane import PlaneKernel
from fpsolve.operators.isotropic_jumps import IsotropicJumps
from fpsolve.operators.jump_line import refuse_skew, strength_at
from fpsolve.operators.jump_tails import check_ends, check_returns, tail_at
from fpsolve.operators.lattice import Lattice
from fpsolve.operators.line_jumps import LineJumps
from fpsolve.operators.outside import Outside
from fpsolve.operators.plane_drift import accurate_drift, positive_drift
from fpsolve.operators.plane_tails import plane_tails
from fpsolve.operators.space import space_edges
from fpsolve.operators.transport import FaceFluxes
from fpsolve.process import Process
from fpsolve.schemes import Positive, Scheme
from fpsolve.values.continuation import Beyond

__all__ = ["PlaneJumps", "space_with_jumps"]

Array = NDArray[np.float64]
ROUNDING = 1e-14  # of the largest rate: what a drift that just cancels the jumps against it leaves


@dataclass(frozen=True, eq=False)
class PlaneJumps:
    """Jumps in several dimensions.

    beside: the edges of drift and diffusion, where they have the positive form.  on: all of it on another grid, in
    positive form, for solvers.
    """

    jumps: IsotropicJumps | AxisJumps
    beside: Edges | None
    on: Callable[[Grid], SpaceWithJumps]

    @property
    def grid(self) -> Grid:
        """The cells."""
        return self.jumps.grid

    @property
    def killing(self) -> Array:
        """Rate out of each cell over absorbing ends."""
        return self.jumps.killing

    @property
    def capacity(self) -> Array:
        """The weights; next to open ends with those of the tails."""
        return self.jumps.capacity

    @property
    def laws(self) -> tuple[tuple[Beyond, Beyond], ...]:
        """Per axis, how the density goes on beyond the (lower, upper) end."""
        return self.jumps.laws

    @cached_property
    def is_markov(self) -> bool:
        """Whether no rate is negative, with the edges beside."""
        if self.beside is None or not self.jumps.is_positive:
            return False
        rates = self.beside.matrix() + self.jumps.local().matrix()
        largest = abs(rates).max()
        rates.setdiag(0.0)
        return bool(rates.min() >= -ROUNDING * largest) and bool(np.all(self.beside.killing >= 0.0))

    def apply(self, m: Array) -> Array:
        """J m."""
        return self.jumps.apply(m)

    def adjoint(self, f: Array) -> Array:
        """J^T f."""
        return self.jumps.adjoint(f)

    def matrix(self) -> Array:
        """J, shape (cells, cells)."""
        return self.jumps.matrix()


SpaceWithJumps = tuple[Edges, tuple[FaceFluxes, ...], PlaneJumps]


def space_with_jumps(process: Process, grid: Grid, scheme: Scheme, t: float = 0.0) -> SpaceWithJumps:
    """Edges, fluxes and jumps of `process` on `grid` at time t.

    Raises InvalidInput where a coefficient is not what it must be, for ends that jumps cannot have, and for isotropic
    jumps on cells that differ or on three axes.
    """
    for name, axis in zip(grid.names, grid.axes, strict=True):
        check_ends(axis, name)
    found = Coefficients(process, Lattice(grid), t)
    nodes = Points(
        grid.names, tuple(x.ravel() for x in np.meshgrid(*grid.nodes, indexing="ij")), (("cell", grid.shape),)
    )
    drift = found.lattice.at_nodes(found.drift)
    if isinstance(process.jumps, tuple):
        jumps: IsotropicJumps | AxisJumps = _along_axes(process.jumps, grid, nodes, drift, scheme, t)
    else:
        assert process.jumps is not None
        jumps = _isotropic(process.jumps, grid, nodes, drift, t)
    spread, lost = _spread(found, jumps), _lost(found, jumps)
    parts = [] if spread is None else [spread]
    on = partial(space_with_jumps, process, scheme=Positive(), t=t)
    if isinstance(scheme, Positive):
        parts += [positive_drift(found, k, jumps, spread) for k in range(grid.ndim)]
        edges = replace(_together(parts, grid), killing=lost)
        return edges, (), PlaneJumps(jumps, edges, on)
    fluxes = tuple(part for k in range(grid.ndim) for part in accurate_drift(found, k, jumps))
    return replace(_together(parts, grid), killing=lost), fluxes, PlaneJumps(jumps, None, on)


def _isotropic(jump: Stable, grid: Grid, nodes: Points, drift: Array, t: float) -> IsotropicJumps:
    if grid.ndim != 2:
        raise InvalidInput(
            f"{jump!r} are isotropic jumps on {grid.ndim} axes; they are solved for on two: give a tuple, one per axis"
        )
    for name, axis in zip(grid.names, grid.axes, strict=True):
        if axis.kind != "uniform":
            raise InvalidInput(
                f"{name} is a {axis.kind} axis; isotropic jumps need equal cells: use fp.Axis.uniform, or jumps along "
                "the axes (a tuple), which take any"
            )
    if callable(jump.scale) or np.ndim(jump.scale) == 0:
        strength, matrix = strength_at(jump, nodes, t), np.eye(2)
    else:
        strength, matrix = np.ones(nodes.size), np.array(jump.scale)
    first, second = (axis.cells if axis.periodic else None for axis in grid.axes)
    kernel = PlaneKernel(jump.alpha, np.array([axis.ds for axis in grid.axes]), matrix, (first, second))
    outside = Outside(grid, jump.alpha, int(np.abs(kernel.near[0]).max()))
    tails = plane_tails(outside, drift, strength.reshape(grid.shape))
    return IsotropicJumps(kernel, outside, strength, tails)


def _along_axes(
    jumps: tuple[Stable | None, ...], grid: Grid, nodes: Points, drift: Array, scheme: Scheme, t: float
) -> AxisJumps:
    lines: list[LineJumps | None] = []
    strengths = []
    for k, jump in enumerate(jumps):
        if jump is None:
            lines.append(None)
            strengths.append(np.zeros(grid.size))
            continue
        refuse_skew(jump)
        strength, axis = strength_at(jump, nodes, t), grid.axes[k]
        through = tuple(slice(None) if i == k else cells // 2 for i, cells in enumerate(grid.shape))
        along = drift[k][through], strength.reshape(grid.shape)[through]
        low, high = (
            tail_at(axis, jump.alpha, upper, *along, None) if axis.ends[upper] == "open" else None
            for upper in (False, True)
        )
        line = unit_line(jump.alpha, grid, k, (low, high))
        for end in line.ends if isinstance(scheme, Positive) else ():
            check_returns(axis, grid.names[k], jump.alpha, end)
        lines.append(line)
        strengths.append(strength)
    return AxisJumps(grid, tuple(lines), tuple(strengths))


def _spread(found: Coefficients, jumps: IsotropicJumps | AxisJumps) -> Edges | None:
    """The edges of diffusion without drift; None where there is no diffusion."""
    if not np.any(found.diffusion):
        return None
    grid, process = found.lattice.grid, found.process
    still = process.replace(drift=(0.0,) * grid.ndim, potential=None, temperature=None, gradient=None, jumps=None)
    edges = space_edges(still, grid, Positive(), found.t)[0]
    up = edges.up * jumps.shares(edges.left, edges.offsets)
    return replace(edges, up=up, down=edges.down * jumps.shares(edges.right, edges.offsets))


def _lost(found: Coefficients, jumps: IsotropicJumps | AxisJumps) -> Array:
    """What drift and diffusion take out of each cell over absorbing ends."""
    grid, process = found.lattice.grid, found.process
    if not any("absorbing" in axis.ends for axis in grid.axes):
        return np.zeros(grid.size)
    killing = space_edges(process.replace(jumps=None), grid, Positive(), found.t)[0].killing
    return killing * jumps.shares(np.arange(grid.size), np.zeros((grid.size, grid.ndim), dtype=np.int64))


def _together(parts: list[Edges], grid: Grid) -> Edges:
    """The edges of all parts, without what they kill."""
    cells, none = np.empty(0, dtype=np.int64), np.empty(0)
    nothing = Edges(cells, cells, cells.reshape(0, grid.ndim), none, none, none, none, none.astype(bool), none)
    names = ("left", "right", "offsets", "step", "log_conductance", "up", "down", "noiseless")
    joined = {name: np.concatenate([getattr(part, name) for part in [nothing, *parts]]) for name in names}
    return Edges(**joined, killing=np.zeros(grid.size))
