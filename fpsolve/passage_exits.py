"""Where paths leave: by a named side of a box or end of the grid, or through a set."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.asking import shown
from fpsolve.errors import InvalidInput
from fpsolve.generator import generator
from fpsolve.grid import Grid
from fpsolve.operators.ended_jumps import nearer_rates
from fpsolve.operators.regions import Region, nodes_of, s_of
from fpsolve.operators.state_sets import Box, region_of
from fpsolve.passage_jumps import into_cells, to_one_side
from fpsolve.passage_line import Passage
from fpsolve.passage_sets import Asked
from fpsolve.problem import Problem

__all__ = ["Side", "counted_ends", "counted_rates", "exit_of"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
SIDES = ("lower", "upper")
OUTWARD = 1e-6  # of a cell: where a set is asked whether it holds an exit


@dataclass(frozen=True)
class Side:
    """The lower or upper side along one axis."""

    axis: int
    upper: bool


def exit_of(through: Any, grid: Grid) -> Side | Region:
    """What `through` means: "lower" or "upper" in one dimension, (axis, "lower" or "upper"), or a set."""
    if isinstance(through, str):
        if grid.ndim > 1 or through not in SIDES:
            wanted = "'lower', 'upper'" if grid.ndim == 1 else "(axis, 'lower') or (axis, 'upper'), as ('x', 'upper'),"
            raise InvalidInput(f"through is {shown(through)}; give {wanted} or a set")
        return Side(0, through == "upper")
    if isinstance(through, (tuple, list)) and len(through) == 2 and isinstance(through[0], str):
        name, side = through
        if name not in grid.names or side not in SIDES:
            raise InvalidInput(f"through is {shown(through)}; the axes are {grid.names} and their sides {SIDES}")
        return Side(grid.names.index(name), side == "upper")
    return region_of(through, grid, "through", margin=0.5)


def counted_ends(asked: Asked, found: Sequence[Passage], exit_: Side | Region) -> list[tuple[bool, bool]]:
    """Whether exits at the lower and the upper end of each stretch count."""
    if isinstance(exit_, Side):
        return [(not exit_.upper, exit_.upper) for _ in found]
    axis, counts = asked.problem.grid.axes[0], []
    for passage in found:
        places = np.array([passage.free.start, passage.free.stop])
        places = (places - s_of(axis, np.zeros(1))[0]) / axis.ds + np.array([-OUTWARD, OUTWARD])
        below, above = exit_.level(places[None]) >= 0.0
        counts.append((bool(below), bool(above)))
    return counts


def counted_rates(asked: Asked, exit_: Side | Region) -> Array:
    """Rate out of each cell by exits that count, (cells,).

    Raises InvalidInput where the set that is left has no such side.
    """
    chain = asked.chain
    if np.any(chain.carried):
        raise InvalidInput(
            "second-order transport does not say where paths leave; use scheme=fp.Positive() for exit probabilities"
        )
    total, known = _at_ends(asked, exit_)
    if chain.jumps is not None:
        total += to_one_side(chain, exit_.upper) if isinstance(exit_, Side) else into_cells(chain, exit_.cells)
    for found, rates in zip(chain.crossings, chain.entries, strict=True):
        counts = _over_boundary(asked, exit_, found.cell, found.places)
        if counts is not None:
            known = True
            total += np.bincount(found.cell, np.where(counts, rates, 0.0), minlength=total.size)
            if chain.jumps is not None:  # the nearest cells begin at their boundaries
                total += nearer_rates(
                    chain.jumps.line, dataclasses.replace(found, share=np.where(counts, found.share, 1))
                )
    if not known:
        assert isinstance(exit_, Side)
        name, side = asked.problem.grid.names[exit_.axis], SIDES[exit_.upper]
        raise InvalidInput(
            f"through is ({name!r}, {side!r}), but paths cannot leave there: inside has no such side, and the {side} "
            f"end of {name} does not absorb; give a box, an absorbing end, or a set"
        )
    return total


def _over_boundary(asked: Asked, exit_: Side | Region, cell: NDArray[np.int64], places: Array) -> Flags | None:
    """Which crossings of the boundary count; None where it has no such side."""
    start = nodes_of(asked.problem.grid)[:, cell]
    if isinstance(exit_, Region):
        away = places - start
        return exit_.level(places + OUTWARD * np.sign(away)) >= 0.0
    if asked.problem.grid.ndim == 1:
        return ((places - start)[0] > 0) == exit_.upper
    if asked.inside is None or not isinstance(asked.inside.level, Box):
        return None
    sides = {(k, inward < 0) for k, _, inward in asked.inside.level.sides}
    arcs = {k for k, _, _ in asked.inside.level.arcs}
    if (exit_.axis, exit_.upper) not in sides and exit_.axis not in arcs:
        return None
    axes, upper = asked.inside.level.side_at(places)
    return (axes == exit_.axis) & (upper == exit_.upper)


def _at_ends(asked: Asked, exit_: Side | Region) -> tuple[Array, bool]:
    """Rates over absorbing ends that count, and whether the exit is one of them."""
    chain, grid, total = asked.chain, asked.problem.grid, np.zeros(asked.chain.owner.size)
    rates = _rates_by_end(asked.ended)
    whole = sum(rates.values(), np.zeros(total.size))
    for (k, upper), rate in rates.items():
        with np.errstate(invalid="ignore", divide="ignore"):
            part = np.where(rate > 0, chain.at_ends * (rate / whole), 0.0)
        if isinstance(exit_, Side):
            total += part if (k, upper) == (exit_.axis, exit_.upper) else 0.0
        else:
            places = nodes_of(grid)
            places[k] = grid.shape[k] - 0.5 if upper else -0.5
            total += np.where(exit_.level(places) >= 0.0, part, 0.0)
    return total, isinstance(exit_, Region) or (exit_.axis, exit_.upper) in rates


def _rates_by_end(problem: Problem) -> dict[tuple[int, bool], Array]:
    """What each absorbing end takes from the cells, by (axis, upper?): the others made walls in turn."""
    grid = problem.grid
    absorbing = [(k, upper) for k, axis in enumerate(grid.axes) for upper in (False, True)
                 if axis.ends[upper] == "absorbing"]  # fmt: skip
    if len(absorbing) == 1:
        return {absorbing[0]: generator(problem).killing}
    found = {}
    for k, upper in absorbing:
        ends = {name: list(grid[name].ends) for name in grid.names}
        for i, above in absorbing:
            if (i, above) != (k, upper):
                ends[grid.names[i]][above] = "reflecting"
        axes = {name: dataclasses.replace(grid[name], ends=(low, high)) for name, (low, high) in ends.items()}
        found[k, upper] = generator(problem.replace(grid=Grid(**axes))).killing
    return found
