"""First passages of paths that jump, along one axis: a jump beyond the edge of a set has left it, wherever it lands.

    L^T tau = -1 on the free cells,    L^T h = -(rate out of each cell by exits that count),

L what is left of the generator on them (killed.py), solved directly.  Near an edge tau falls like distance^(alpha/2),
which equal cells see to that order of their width only: an axis that ends there and is clustered, Axis.tanh with
absorbing ends, to 4 - alpha.
Where an open end is free, paths beyond it come back as from a power-law tail: in finite mean time if this has a mass.
Source: Getoor, Trans. Amer. Math. Soc. 101, 75 (1961); Metzner, Schuette & Vanden-Eijnden, Multiscale Model. Simul. 7,
1192 (2009), for transition rates.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import DegenerateWarning, InvalidInput, NotConverged, TruncationWarning, warn
from fpsolve.killed import Killed
from fpsolve.operators.jump_tails import check_normalizable
from fpsolve.passage_sets import Asked
from fpsolve.solvers.quasiseparable import line_solver

__all__ = [
    "METHOD",
    "chances_with_jumps",
    "check_return",
    "endless_with_jumps",
    "into_cells",
    "leaving_cells",
    "moments_with_jumps",
    "solve_among",
    "time_to_middle",
    "to_one_side",
]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
METHOD = "direct solve of jumps and drift"
UNSURE = 1e-6  # what rounding may move an answer by, relative
EPSILON = float(np.finfo(float).eps)


def moments_with_jumps(k: Killed, order: int, endless: Flags) -> Array:
    """The moments <T^order> of the time to leave the free cells, 0 in others; (cells,).

    endless: cells where they are infinite.  Warns DegenerateWarning where paths may stay where they are for ever.
    """
    free = k.owner < 0
    values = np.where(endless & free, np.inf, 0.0)
    still = _stuck(k)
    if np.any(endless & free):
        return values
    if np.any(still):
        warn(
            f"the mean exit time is infinite: nothing moves in {int(still.sum())} cells, and jumps may end there",
            DegenerateWarning,
        )
        return np.where(free, np.inf, 0.0)
    solve = k.generator.resolvent(0.0).solve_adjoint
    tau = free.astype(float)
    _check_rounding(k, solve(np.where(free, leaving_cells(k), 0.0)))
    for n in range(1, order + 1):
        tau = np.where(free, solve(n * tau), 0.0)
    return tau


def chances_with_jumps(k: Killed, rewards: Array) -> Array:
    """The chance to leave the free cells by transitions whose rates out of each cell are `rewards`; 0 in others."""
    free = k.owner < 0
    if not np.any(rewards[free] > 0):
        return np.zeros(free.size)
    solve = k.generator.resolvent(0.0).solve_adjoint
    _check_rounding(k, solve(np.where(free, leaving_cells(k), 0.0)))
    return np.where(free, solve(np.where(free, rewards, 0.0)), 0.0)


def _stuck(k: Killed) -> Flags:
    """Free cells that nothing leaves: no jumps there, and no drift."""
    assert k.jumps is not None
    return (k.owner < 0) & ~k.jumps.moving & (leaving_cells(k) == 0.0)


def endless_with_jumps(asked: Asked, *, times: bool) -> Flags:
    """Cells from which the mean exit time is infinite, since paths are carried off beyond a free open end; warned of.

    times: False for chances, for which such an end only earns a TruncationWarning.
    Raises NotNormalizable where it cannot be told.
    """
    why = _carried_off(asked, times)
    if why and times:
        warn(f"the mean exit time is infinite: {why}", DegenerateWarning)
    elif why:
        message = f"{why}: what becomes of them is a guess; widen the grid until it does not matter"
        warn(message, TruncationWarning)
    return np.full(asked.chain.owner.size, bool(why) and times) & (asked.chain.owner < 0)


def check_return(asked: Asked, what: str) -> None:
    """Raises InvalidInput where paths are carried off beyond a free open end; NotNormalizable where they may be."""
    why = _carried_off(asked, True)
    if why:
        raise InvalidInput(f"{what}: {why}, so the mean exit time is infinite; make the end reflecting or absorbing")


def into_cells(k: Killed, cells: Flags) -> Array:
    """Rate of jumps out of each free cell into those of `cells` that lie in sets, (cells,)."""
    assert k.jumps is not None
    return np.where(k.owner < 0, k.jumps.line.adjoint((cells & (k.owner >= 0)).astype(float)), 0.0)


def to_one_side(k: Killed, upper: bool) -> Array:
    """Rate of jumps out of each free cell into sets above (below) where they began, (cells,)."""
    if k.grid.axes[0].periodic:
        raise InvalidInput(
            "on a ring a jump lands both above and below where it began; give the set that counts, as "
            "through=lambda x: ..."
        )
    total, cells = np.zeros(k.owner.size), np.arange(k.owner.size)
    for run in np.split(k.free, np.flatnonzero(np.diff(k.free) > 1) + 1):
        total[run] = into_cells(k, (cells > run[-1]) if upper else (cells < run[0]))[run]
    return total


def leaving_cells(k: Killed) -> Array:
    """Rate out of each free cell, to anywhere."""
    assert k.jumps is not None
    return k.jumps.outflow + k.jumps.line.positive.outflow


def solve_among(k: Killed, shift: float) -> Callable[[Array], Array]:
    """b -> (shift - L)^-1 b among the free cells."""
    solve = k.generator.resolvent(shift).solve

    def on_free(b: Array) -> Array:
        whole = np.zeros(k.owner.size)
        whole[k.free] = b
        return np.asarray(solve(whole))[k.free]

    return on_free


def time_to_middle(k: Killed) -> float:
    """A time not shorter than that of relaxation, where nothing leaves: the mean one to reach the middle cell."""
    assert k.jumps is not None
    cell = k.owner.size // 2
    killing = np.zeros(k.owner.size)
    killing[cell] = leaving_cells(k).max()
    near = line_solver(k.jumps.line, 0.0, killing)
    m, tau = near.solve(killing), near.solve_adjoint(np.ones(killing.size))
    return float(m @ tau / m.sum())


def _carried_off(asked: Asked, surely: bool) -> str:
    """Why paths do not come back in finite mean time from a free open end; empty where they do.

    surely: whether NotNormalizable is raised where it is undecided.
    """
    jumps, name, axis = asked.chain.jumps, asked.problem.grid.names[0], asked.problem.grid.axes[0]
    assert jumps is not None
    for end in jumps.line.ends:
        q, place = end.tail.stationary, f"the open end {name}={axis.hi if end.upper else axis.lo:.4g}"
        if not jumps.free[end.cell] or q > 1.0 + end.tail.uncertainty + 1e-6:
            continue
        if surely and q >= 1.0 - end.tail.uncertainty:
            check_normalizable(axis, name, end.upper, end.tail)
        if np.isnan(q):
            return f"jumps carry paths beyond {place}, and the drift does not lead back from there"
        return f"beyond {place} paths spend their time like |{name}|^-{q:.4g}, which has no integral"
    return ""


def _check_rounding(k: Killed, moves: Array) -> None:
    """Each move of a path, of which `moves` are expected before it leaves, may cost a rounding."""
    most = float(moves[k.owner < 0].max())
    if not EPSILON * most <= UNSURE:
        raise NotConverged(
            f"paths make {most:.3g} moves among the cells before they leave, and rounding may change the answer by "
            f"{EPSILON * most:.2g} of itself; use fewer cells, or fp.GTH(), which loses nothing (up to 4000 cells)"
        )
