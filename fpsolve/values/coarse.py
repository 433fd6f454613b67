"""A density elsewhere: its law at places between its nodes, and on fewer cells."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fpsolve.checks import whole
from fpsolve.errors import InvalidInput
from fpsolve.grid import Grid

if TYPE_CHECKING:
    from fpsolve.values.density import Density, Ends

Array = NDArray[np.float64]
FEWEST = 3  # cells of an axis


def coarsened(p: Density, factor: int) -> Density:
    """p at the nodes of a grid with `factor` times fewer cells along every axis; odd factors keep every such node."""
    whole("factor", factor, 1)
    for name, axis in zip(p.grid.names, p.grid.axes, strict=True):
        if axis.cells % factor or axis.cells < FEWEST * factor:
            raise InvalidInput(
                f"{name} has {axis.cells} cells, which do not merge by {factor} into {FEWEST} or more; give a "
                "factor of every axis's cells"
            )
    axes = [dataclasses.replace(axis, cells=axis.cells // factor) for axis in p.grid.axes]
    grid = Grid(**dict(zip(p.grid.names, axes, strict=True)))
    return law_at(p, grid, grid.mesh(), p.ends)


def law_at(p: Density, grid: Grid, place: Sequence[Array | float], ends: Ends) -> Density:
    """The density on `grid` proportional to p at these coordinates, one array per axis of p that broadcasts to it."""
    logs = p.curve.log(*place)
    if not np.any(np.isnan(logs)):
        return p.from_log(grid, logs, info=p.info, continued=ends).replace(time=p.time)
    # undershoots of a second-order transport are kept: they have no logarithm
    raw = p.replace(grid=grid, values=p.curve(*place), log_values=logs, error=None, continued=ends)
    return raw.replace(values=raw.values / raw.mass, log_values=logs - np.log(raw.mass))
