"""A problem: one process on one grid, with the scheme that discretises it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fpsolve.asking import check_kind, shown
from fpsolve.errors import InvalidInput
from fpsolve.grid import Grid
from fpsolve.process import Process
from fpsolve.schemes import Accurate, Positive, Scheme

__all__ = ["Problem", "check_problem"]


@dataclass(frozen=True, eq=False)
class Problem:
    """A process on a grid, discretised by a scheme (`Positive()`): a pure value, which determines one generator.

    Raises InvalidInput where a coefficient takes another number of coordinates than the grid has axes, or jumps do not
    fit them.

    >>> import fpsolve as fp
    >>> fp.Problem(fp.Process(lambda x: -x, 1.0), fp.Grid(x=(-6, 6, 400)))
    Problem(Process(ito) on x: 400 cells on [-6, 6], open; Positive())
    """

    process: Process
    grid: Grid
    scheme: Scheme = field(default_factory=Positive)

    def __post_init__(self) -> None:
        check_kind("process", self.process, Process, "give an fp.Process: the call is Problem(process, grid)")
        check_kind("grid", self.grid, Grid, "give an fp.Grid, for example fp.Grid(x=(-3, 3, 400))")
        check_kind("scheme", self.scheme, (Positive, Accurate), "use fp.Positive() or fp.Accurate()")
        for function in (*self.process.functions.values(), *self.process.scales):
            function.check_signature(self.grid.names)
        self._check_jumps()

    def _check_jumps(self) -> None:
        """Jumps belong to as many axes as there are."""
        jumps, axes = self.process.jumps, self.grid.ndim
        if isinstance(jumps, tuple):
            if len(jumps) != axes:
                raise InvalidInput(
                    f"jumps has {len(jumps)} entries and the grid {axes} axes; give one per axis, or None"
                )
        elif jumps is not None:
            if jumps.skew and axes > 1:
                raise InvalidInput(
                    f"{jumps!r} has a skew, which isotropic jumps cannot have; give a tuple, one per axis"
                )
            if not callable(jumps.scale) and np.ndim(jumps.scale) == 2 and len(jumps.scale) != axes:
                raise InvalidInput(
                    f"the scale of {jumps!r} is {len(jumps.scale)} x {len(jumps.scale)}; the grid has {axes} axes"
                )

    def replace(self, **changes: Any) -> Problem:
        """A copy with another process, grid or scheme."""
        unknown = set(changes) - {f.name for f in dataclasses.fields(self)}
        if unknown:
            raise InvalidInput(f"a Problem has no field {sorted(unknown)}; its fields are process, grid and scheme")
        return dataclasses.replace(self, **changes)

    def __repr__(self) -> str:
        return f"Problem({self.process!r} on {self.grid.describe()}; {self.scheme!r})"


def check_problem(given: object, call: str = "it comes first in a question") -> None:
    """InvalidInput unless `given` is a Problem: what every question checks first.  call: its place, for the message."""
    if isinstance(given, (Process, Grid)):
        missing = "grid" if isinstance(given, Process) else "process"
        raise InvalidInput(f"problem is {shown(given)}, without a {missing}; give an fp.Problem(process, grid)")
    if not isinstance(given, type) and callable(getattr(given, "problem", None)):
        raise InvalidInput(f"problem is the model {shown(given)}; give what its .problem() returns")
    check_kind("problem", given, Problem, f"give an fp.Problem ({call})")
