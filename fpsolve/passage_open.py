"""Do paths come back from the open ends of a grid before they leave a set?  For chains of cells, where no scale tells.

The expected time that a path spends in each cell, n = (-L)^-1 e from a cell e in the middle, says it: if its marginal
along an axis does not fall toward an open end, a mean exit time would be the grid's invention.  This is asked of a
coarse grid, which is enough for a law.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fpsolve.errors import DegenerateWarning, InvalidInput, NotConverged, NotNormalizable, TruncationWarning, warn
from fpsolve.generator import generator
from fpsolve.grid import Grid
from fpsolve.killed import Killed, killed
from fpsolve.operators.ends import described, judge_open_end, warn_of_truncation
from fpsolve.operators.regions import Region
from fpsolve.passage_jumps import endless_with_jumps
from fpsolve.passage_sets import Asked
from fpsolve.resolvent import Resolvent
from fpsolve.solvers.sets import reaching
from fpsolve.values.continuation import continued_ends, share_beyond

__all__ = ["endless_cells"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]
COARSE = {1: 400, 2: 48, 3: 16}  # cells along an axis
NEGLIGIBLE = 1e-8  # of the time in the most visited slab


def endless_cells(asked: Asked, *, times: bool) -> Flags:
    """Cells from which the mean exit time is infinite since paths wander off at an open end, flat; warned of.

    times: False for chances, for which such an end only earns a TruncationWarning.
    Raises NotNormalizable where it cannot be told.
    """
    if asked.jumps:
        return endless_with_jumps(asked, times=times)
    chain = asked.chain
    endless = np.zeros(chain.owner.size, dtype=bool)
    beside = _free_beside_open_ends(chain, asked.ended.grid)
    if not beside:
        return endless
    try:
        coarse = _coarsened(asked)
    except InvalidInput:  # no scheme on so few cells: nothing is learnt
        return endless
    for spent in _times_spent(coarse):
        ends = [_End(coarse.grid, k, upper, spent) for k, upper in beside]
        for end in ends:
            if end.verdict == "infinite" or (end.verdict == "undecided" and not times):
                end.warn(times)
                endless |= times & reaching(chain.generator.edges, chain.generator.transport, beside[end.k, end.upper])
                break
        else:
            for end in ends:
                end.check()
    return endless & (chain.owner < 0)


def _free_beside_open_ends(chain: Killed, grid: Grid) -> dict[tuple[int, bool], Indices]:
    """The free cells beside each open end that has any."""
    found, cells = {}, np.arange(chain.owner.size).reshape(grid.shape)
    for k, axis in enumerate(grid.axes):
        for upper in (False, True):
            last = cells.take(-1 if upper else 0, axis=k).ravel()
            last = last[chain.owner[last] < 0]
            if continued_ends(axis)[upper] and last.size:
                found[k, upper] = last
    return found


def _coarsened(asked: Asked) -> Killed:
    problem, grid = asked.ended, asked.ended.grid
    axes = {}
    for name in grid.names:
        axes[name] = dataclasses.replace(grid[name], cells=min(grid[name].cells, COARSE[grid.ndim]))
        try:
            grid[name].refined(1)
        except InvalidInput:  # known by its arrays only
            axes[name] = grid[name]
    coarse = problem.replace(grid=Grid(**axes))
    regions = [dataclasses.replace(r, grid=coarse.grid, level=_Rescaled(r, coarse.grid)) for r in asked.regions]
    return killed(generator(coarse), coarse.grid, regions)


@dataclasses.dataclass(frozen=True, eq=False)
class _Rescaled:
    """The level of a region, asked at places counted in the cells of another grid over the same box."""

    region: Region
    grid: Grid

    def __call__(self, places: Array) -> Array:
        ratios = [one / other for one, other in zip(self.region.grid.shape, self.grid.shape, strict=True)]
        return self.region.level(np.stack([(p + 0.5) * r - 0.5 for p, r in zip(places, ratios, strict=True)]))


def _times_spent(chain: Killed) -> list[Array]:
    """Time spent in each cell, (cells,), for every connected part of the free cells that can be left."""
    from scipy.sparse.csgraph import connected_components

    rates = chain.generator.rates()[chain.free][:, chain.free].tocsc()
    count, label = connected_components(rates, directed=False)
    found = []
    for part in range(count):
        cells = np.flatnonzero(label == part)
        if not np.any(chain.loss[chain.free[cells]] > 0) or cells.size < 2:
            continue
        own = sparse.csc_matrix(rates[cells][:, cells])
        places = np.stack(np.unravel_index(chain.free[cells], chain.grid.shape), axis=1)
        start = np.zeros(cells.size)
        start[int(np.argmin(np.sum((places - places.mean(axis=0)) ** 2, axis=1)))] = 1.0
        spent = np.zeros(chain.owner.size)
        try:
            spent[chain.free[cells]] = Resolvent(own, 0.0).solve(start)
        except NotConverged:  # a barrier beyond rounding: what says nothing about the ends
            continue
        found.append(np.maximum(spent, 0.0))
    return found


class _End:
    """What the time spent in cells says about one open end: "finite", "infinite" or "undecided"."""

    def __init__(self, grid: Grid, k: int, upper: bool, spent: Array) -> None:
        self.k, self.upper, self.axis, self.name = k, upper, grid.axes[k], grid.names[k]
        self.profile = spent.reshape(grid.shape).sum(axis=tuple(i for i in range(grid.ndim) if i != k))
        self.verdict = "finite"
        outermost = self.profile[-1 if upper else 0]
        self.seen = bool(outermost > NEGLIGIBLE * self.profile.max())
        if self.seen:
            with np.errstate(divide="ignore"):
                log_p = np.log(self.profile / self.axis.weights)
            self.law, self.verdict = judge_open_end(self.axis, log_p, upper, marginal=True)
            self.shape, self.end, self.exponent, self.error = described(self.axis, self.name, self.law, upper)

    def warn(self, times: bool) -> None:
        """Say that paths do not come back, or too late."""
        seen = f"toward {self.end} the time that paths spend goes like {self.shape}"
        if times:
            warn(
                f"the mean exit time is infinite: {seen}, so its integral diverges, and paths that wander off there "
                "take for ever to come back, if they do",
                DegenerateWarning,
            )
            return
        warn(
            f"{seen} before they leave: many meet the open end {self.place}, which sends them back; widen the grid, or "
            "make the end reflecting or absorbing",
            TruncationWarning,
        )

    def check(self) -> None:
        """Warn of what lies beyond; NotNormalizable where it cannot be told."""
        if self.verdict == "undecided":
            raise NotNormalizable(
                f"toward {self.end} the time that paths spend goes like {self.shape}, and whether the mean exit time "
                f"is finite is undecided at this open end ({self.place}); widen the grid, or make the end reflecting "
                "or absorbing",
                end=self.end,
                exponent=self.exponent,
                uncertainty=self.error,
            )
        if self.seen:
            share = share_beyond(self.profile, self.upper) / float(self.profile.sum())
            middle = float(self.axis.nodes[int(np.argmax(self.profile))])
            reach = abs((self.axis.hi if self.upper else self.axis.lo) - middle)
            warn_of_truncation(self.axis, self.name, self.law, share / (1.0 + share), reach, self.upper)

    @property
    def place(self) -> str:
        """Where the grid ends."""
        return f"{self.name}={self.axis.hi if self.upper else self.axis.lo:.4g}"
