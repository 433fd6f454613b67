"""What a first-passage question is about: a problem, its generator, and the sets that end its paths; checked."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import InvalidInput
from fpsolve.generator import Generator, generator
from fpsolve.grid import Grid
from fpsolve.killed import Killed, killed
from fpsolve.operators.jump_terms import refuse_jumps
from fpsolve.operators.regions import Region
from fpsolve.operators.state_sets import StateSet, region_of
from fpsolve.operators.targets import owners
from fpsolve.problem import Problem, check_problem

__all__ = ["Asked", "between", "leaving", "refuse_memory"]

Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Asked:
    """Paths of `problem` that end in `regions` and at absorbing ends; inside: the set that they leave, if it is one."""

    problem: Problem
    regions: tuple[Region, ...]
    inside: Region | None = None

    @cached_property
    def L(self) -> Generator:
        """The generator of the problem."""
        return generator(self.problem)

    @cached_property
    def owner(self) -> Indices:
        """Whose each cell is, flat."""
        return owners(self.L.edges, self.regions)

    @property
    def in_closed_form(self) -> bool:
        """Whether there is one dimension, with noise everywhere inside it."""
        return self.problem.grid.ndim == 1 and not self.jumps and not np.any(self.L.edges.noiseless)

    @property
    def jumps(self) -> bool:
        """Whether paths jump."""
        return self.problem.process.jumps is not None

    @cached_property
    def ended(self) -> Problem:
        """The problem for the chain of cells: sides of boxes on outer faces have become absorbing ends.

        Raises InvalidInput where a side lies between the last nodes and the outer face.
        """
        grid = self.problem.grid
        ends = {name: list(grid[name].ends) for name in grid.names}
        for region in self.regions:
            for k, upper in region.halves:
                axis, name = grid.axes[k], grid.names[k]
                raise InvalidInput(
                    f"a side of {region.label} lies beyond the last node {name}={axis.nodes[-1 if upper else 0]:.6g}: "
                    f"put it on the outer face {axis.hi if upper else axis.lo:.6g}, or widen the grid"
                )
            for k, upper in region.faces:
                ends[grid.names[k]][upper] = "absorbing"
        if not any(region.faces for region in self.regions):
            return self.problem
        axes = {name: dataclasses.replace(grid[name], ends=(low, high)) for name, (low, high) in ends.items()}
        return self.problem.replace(grid=Grid(**axes))

    @cached_property
    def chain(self) -> Killed:
        """The chain of cells with these sets.  Raises InvalidInput as `ended` does."""
        return killed(self.ended_generator, self.problem.grid, self.regions)

    @property
    def ended_generator(self) -> Generator:
        """The generator of `ended`."""
        return generator(self.ended)

    def check_escape(self) -> None:
        """Raises InvalidInput where nothing ends a path."""
        absorbing = any("absorbing" in axis.ends for axis in self.problem.grid.axes)
        ended = any(np.any(region.cells) or region.faces or region.halves for region in self.regions)
        if not absorbing and not ended:
            what = "inside is the whole grid" if self.regions else "no set is given"
            raise InvalidInput(
                f"{what}, and no end of it absorbs, so no path ever leaves: give a set that ends inside the grid, "
                "inside=(lo, hi), or absorbing ends"
            )


def leaving(problem: Problem, inside: StateSet | None, *, at_any_time: bool = False) -> Asked:
    """Paths that leave `inside`, or the grid by its absorbing ends.

    at_any_time: whether the process may depend on t.  Raises InvalidInput where nothing is inside.
    """
    _check(problem, at_any_time)
    if inside is None:
        return Asked(problem, ())
    region = region_of(inside, problem.grid, "inside")
    asked = Asked(problem, (region.complement,), region)
    if np.all(asked.owner >= 0):
        widths = ", ".join(f"{problem.grid[name].weights.min():.3g} along {name}" for name in problem.grid.names)
        raise InvalidInput(
            f"no node lies inside: the set is empty, outside the grid ({problem.grid.describe()}), or narrower than "
            f"its cells ({widths} or more); is the level positive inside?"
        )
    return asked


def between(problem: Problem, source: StateSet, target: StateSet) -> Asked:
    """Paths that end in `source` or in `target`.  Raises InvalidInput where one is empty, and where they overlap."""
    _check(problem)
    regions = (region_of(source, problem.grid, "source"), region_of(target, problem.grid, "target"))
    for region in regions:
        if not np.any(region.cells):
            raise InvalidInput(
                f"no node lies in {region.label}: it is empty, outside the grid ({problem.grid.describe()}), or "
                "narrower than its cells; is the level positive inside?"
            )
    both = regions[0].cells & regions[1].cells
    if np.any(both):
        place = np.unravel_index(int(np.argmax(both)), problem.grid.shape)
        where = ", ".join(f"{n}={problem.grid[n].nodes[i]:.4g}" for n, i in zip(problem.grid.names, place, strict=True))
        raise InvalidInput(
            f"source and target overlap in {int(both.sum())} cells, the first at {where}; keep them apart"
        )
    return Asked(problem, regions)


def refuse_memory(problem: Problem, why: str) -> None:
    """Raises InvalidInput where paths wait so long that the question has no answer."""
    check_problem(problem)
    if problem.process.memory < 1.0:
        raise InvalidInput(f"the process has the memory {problem.process.memory:g}, and {why}")


def _check(problem: Problem, at_any_time: bool = False) -> None:
    check_problem(problem)
    if problem.grid.ndim > 1:
        refuse_jumps(problem.process, "a question about passages in several coordinates")
    if problem.process.time_dependent and not at_any_time:
        raise InvalidInput(
            "the process depends on t, so a first passage depends on when it begins; freeze it, process.at(t), or ask "
            "fp.survival, which follows it in time"
        )
    generator(problem)
