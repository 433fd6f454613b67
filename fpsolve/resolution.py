"""Is the grid fine enough for the answer, and can the answer be reached?  Warnings that give a number."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import DegenerateWarning, ResolutionWarning, warn
from fpsolve.kernels.basins import joined, narrowest_pass
from fpsolve.operators.edges import Edges
from fpsolve.operators.local import Chain
from fpsolve.values.density import Density

__all__ = ["warn_if_nearly_reducible", "warn_if_nearly_split", "warn_of_coarse_cells", "warn_of_narrow_peaks"]

LARGEST_PECLET = 1000.0
MATTERS = 1e-9  # of the mass, in one cell
NARROW = 0.5  # of the mass in one cell: a Gaussian in its middle is three quarters of a cell wide
NARROW_PAIR = 0.82  # of it in two neighbours: the same Gaussian between them
NEARLY_REDUCIBLE = 1e-10  # of the local relaxation rate at the mode


def warn_of_coarse_cells(p: Density, edges: Edges, cells: NDArray[np.int64]) -> bool:
    """A leap of ln p between neighbouring cells that hold mass, or most of the mass of the class `cells` in one or two.

    Returns whether neither was found.
    """
    masses = p.masses.ravel()
    heavy = np.maximum(masses[edges.left], masses[edges.right]) > MATTERS
    peclet = np.where(heavy & np.isfinite(edges.step), np.abs(edges.step), 0.0)
    worst = int(np.argmax(peclet))
    message = _narrow(p, cells)
    if peclet[worst] > LARGEST_PECLET:
        message = (
            f"the drift is not resolved: the largest cell Peclet number is {peclet[worst]:.3g} at "
            f"{_place(p, int(edges.left[worst]))}, so ln p changes by that much between neighbouring cells; "
            f"use {np.ceil(peclet[worst] / LARGEST_PECLET):.3g} times the cells there at least"
        )
    if message:
        warn(message, ResolutionWarning)
    return not message


def warn_of_narrow_peaks(p: Density) -> None:
    """Most of the mass in one cell or two."""
    message = _narrow(p, np.arange(p.grid.size))
    if message:
        warn(message, ResolutionWarning)


def _narrow(p: Density, cells: NDArray[np.int64]) -> str:
    """What to say where, along some axis, one cell or two neighbours hold most of the mass."""
    places = np.unravel_index(cells, p.grid.shape)
    for k, (name, axis) in enumerate(zip(p.grid.names, p.grid.axes, strict=True)):
        if np.ptp(places[k]) < 2:
            continue
        profile = p.masses.sum(axis=tuple(i for i in range(p.grid.ndim) if i != k))
        pairs = profile[:-1] + profile[1:]
        peak, pair = int(np.argmax(profile)), int(np.argmax(pairs))
        if profile[peak] > NARROW:
            held, where = profile[peak], f"one cell at {name}={axis.nodes[peak]:.6g}"
        elif pairs[pair] > NARROW_PAIR:
            held, where = pairs[pair], f"two cells at {name}={axis.nodes[pair]:.6g} and {axis.nodes[pair + 1]:.6g}"
        else:
            continue
        return (
            f"{held:.3g} of the mass lies in the {where}: the density is narrower than the cell "
            f"({axis.weights[peak]:.2g}), so its moments are those of the cell; refine there"
        )
    return ""


def _place(p: Density, cell: int, digits: str = ".4g") -> str:
    where = np.unravel_index(cell, p.grid.shape)
    places = zip(p.grid.names, p.grid.axes, where, strict=True)
    return ", ".join(f"{name}={format(float(axis.nodes[i]), digits)}" for name, axis, i in places)


def warn_if_nearly_reducible(p: Density, edges: Chain, cells: NDArray[np.int64], bounds: tuple[float, float]) -> None:
    """Compare the slowest relaxation rate (`bounds`: of its time) with the local one at the mode, D p^2."""
    mode = cells[int(np.argmax(p.masses[cells][:-1]))]
    log_local = edges.log_conductance[mode] + np.log(p.grid.axes[0].gaps[mode]) + 2.0 * p.log_values[mode]
    slowest = 1.0 / bounds[0] if bounds[0] > 0 else np.inf
    if NEARLY_REDUCIBLE * np.exp(log_local) > slowest:
        if np.isfinite(bounds[1]):
            rates, time = f"is between {1 / bounds[1]:.2g} and {slowest:.2g}", f"{bounds[1]:.2g}"
        else:  # beyond what a double holds
            power = _log_traffic(p, edges, cells) / np.log(10.0)
            rates, time = f"is below 10^{power:.0f}", f"10^{-power:.0f}"
        warn(
            f"nearly reducible: the slowest relaxation rate {rates}, against {np.exp(log_local):.2g} at the mode; a "
            f"run shorter than {time} never sees it",
            DegenerateWarning,
        )


def _log_traffic(p: Density, edges: Chain, cells: NDArray[np.int64]) -> float:
    """ln of the least traffic(S, rest)/(mass(S) mass(rest)), S all cells below an edge: no slowest rate is larger."""
    masses, inside = p.masses[cells], cells[:-1]
    below, above = np.cumsum(masses)[:-1], np.cumsum(masses[::-1])[::-1][1:]
    with np.errstate(divide="ignore"):
        held = np.log(below) + np.log(above)
    log_flows = edges.log_coefficients[0][inside] + p.log_values[inside]
    return float(np.min((log_flows - held)[np.isfinite(held)]))


def warn_if_nearly_split(p: Density, edges: Edges) -> None:
    """Several peaks: bound the slowest rate by the traffic through the narrowest pass between them.

    For any set of cells S, the slowest rate is at most traffic(S, rest)/(mass(S) mass(rest)) (test function: the
    indicator of S; exact in detailed balance, of the symmetric part of L otherwise).
    """
    masses, logs = p.masses.ravel(), p.log_values.ravel()
    if _peaks(edges, masses, logs) < 2:
        return
    traffic = np.maximum(edges.up * masses[edges.left], edges.down * masses[edges.right])
    order = np.argsort(-traffic, kind="stable")
    least = MATTERS * float(masses.sum())
    position = narrowest_pass(order, edges.left, edges.right, traffic, masses, least)
    if position < 0:
        return
    inside = joined(order, position, edges.left, edges.right, edges.left[order[position]], masses.size)
    across = inside[edges.left] != inside[edges.right]
    held = float(masses[inside].sum())
    slowest = float(traffic[across].sum()) / (held * (float(masses.sum()) - held))
    peak = int(np.argmax(masses))
    local = min(_local_rate(p, edges, peak, k) for k in range(p.grid.ndim))
    if NEARLY_REDUCIBLE * local > slowest:
        slowest = max(slowest, 1e-300)  # it may have left what a double holds
        warn(
            f"nearly reducible: a set of cells around {_place(p, int(np.argmax(np.where(inside, masses, 0.0))))} with "
            f"{held:.3g} of the mass exchanges it at a rate of {slowest:.2g} or slower, against {local:.2g} at the "
            f"mode; a run shorter than {1.0 / slowest:.2g} never sees it",
            DegenerateWarning,
        )


def _peaks(edges: Edges, masses: NDArray[np.float64], logs: NDArray[np.float64]) -> int:
    """How many cells with mass have no neighbour where p is larger."""
    highest = masses > MATTERS
    highest[edges.left[logs[edges.left] < logs[edges.right]]] = False
    highest[edges.right[logs[edges.right] < logs[edges.left]]] = False
    return int(highest.sum())


def _local_rate(p: Density, edges: Edges, cell: int, k: int) -> float:
    """D_kk at the cell, from the jumps out of it, times the square of the marginal density there."""
    axis, place = p.grid.axes[k], int(np.unravel_index(cell, p.grid.shape)[k])
    out = np.concatenate([edges.up[edges.left == cell], edges.down[edges.right == cell]])
    jumps = np.concatenate([edges.offsets[edges.left == cell, k], edges.offsets[edges.right == cell, k]])
    diffusion = 0.5 * float(np.sum(out * (jumps * axis.weights[place]) ** 2))
    return diffusion * float(p.marginal(p.grid.names[k]).values[place]) ** 2
