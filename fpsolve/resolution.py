"""Is the grid fine enough for the answer, and can the answer be reached?  Warnings that give a number."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import DegenerateWarning, ResolutionWarning
from fpsolve.operators.local import Edges
from fpsolve.values.density import Density

__all__ = ["warn_if_nearly_reducible", "warn_of_coarse_cells"]

LARGEST_PECLET = 1000.0
MATTERS = 1e-9  # of the mass, in one cell
NARROW = 0.5  # of the mass in one cell: a Gaussian there is two thirds of a cell wide
NEARLY_REDUCIBLE = 1e-10  # of the local relaxation rate at the mode


def warn_of_coarse_cells(p: Density, edges: Edges, cells: int) -> None:
    """A leap of ln p between neighbouring cells that hold mass, or one of the class's `cells` with most of the mass."""
    axis, name = p.grid.axes[0], p.grid.names[0]
    heavy = np.maximum(p.masses[edges.left], p.masses[edges.right]) > MATTERS
    peclet = np.where(heavy & np.isfinite(edges.step), np.abs(edges.step), 0.0)
    worst, peak = int(np.argmax(peclet)), int(np.argmax(p.masses))
    if peclet[worst] > LARGEST_PECLET:
        message = (
            f"the drift is not resolved: the largest cell Peclet number is {peclet[worst]:.3g} at "
            f"{name}={axis.nodes[worst]:.4g}, so ln p changes by that much between neighbouring cells; "
            f"use {peclet[worst]:.3g} times the cells there"
        )
    elif cells > 1 and p.masses[peak] > NARROW:
        message = (
            f"{p.masses[peak]:.3g} of the mass lies in the one cell at {name}={axis.nodes[peak]:.6g}: the density is "
            f"narrower than the cell ({axis.weights[peak]:.2g}), so its moments are those of the cell; refine there"
        )
    else:
        return
    warnings.warn(message, ResolutionWarning, stacklevel=4)


def warn_if_nearly_reducible(p: Density, edges: Edges, cells: NDArray[np.int64], bounds: tuple[float, float]) -> None:
    """Compare the slowest relaxation rate (`bounds`: of its time) with the local one at the mode, D p^2."""
    mode = cells[int(np.argmax(p.masses[cells][:-1]))]
    log_local = edges.log_conductance[mode] + np.log(p.grid.axes[0].gaps[mode]) + 2.0 * p.log_values[mode]
    slowest = 1.0 / bounds[0] if bounds[0] > 0 else np.inf
    if NEARLY_REDUCIBLE * np.exp(log_local) > slowest:
        warnings.warn(
            f"nearly reducible: the slowest relaxation rate is between {1 / bounds[1]:.2g} and {slowest:.2g}, "
            f"against {np.exp(log_local):.2g} at the mode; a run shorter than {bounds[1]:.2g} never sees it",
            DegenerateWarning,
            stacklevel=4,
        )
