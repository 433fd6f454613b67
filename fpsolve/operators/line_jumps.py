"""Stable jumps among the cells of one axis.

Acting on u = scale^alpha p, which jumps read where they start:
    (J p)_i = sum_(j != i) S_ij (u_j - u_i) - loss_i u_i + what passes between the cells and the tails beyond open ends,
S the symmetric kernel and local conductances of jump_kernel.py, the ends as in jump_ends.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.kernels.edges import flow_along
from fpsolve.operators.jump_ends import OpenEnd
from fpsolve.operators.jump_kernel import Exponentials, Kernel, Toeplitz
from fpsolve.operators.jump_terms import refuse_dense
from fpsolve.operators.local import Chain
from fpsolve.values.continuation import Beyond

__all__ = ["LineJumps"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LineJumps:
    """Stable jumps along one axis, and what their solvers know of the edges beside them.

    strength: scale^alpha at the nodes.  kernel: the far part; conductance: per gap, in addition to it.
    lost: rate of loss over absorbing ends, per unit of w p scale^alpha.  ends: the open ones.
    capacity: w, next to open ends with the tail's weight.
    positive: the edges beside the jumps in their positive form; exact: whether they are all that is beside them.
    """

    axis: Axis
    alpha: float
    strength: Array
    kernel: Kernel
    conductance: Array
    lost: Array
    ends: tuple[OpenEnd, ...]
    capacity: Array
    positive: Chain
    exact: bool

    @cached_property
    def lift(self) -> Array:
        """u over m: scale^alpha / capacity."""
        return self.strength / self.capacity

    @cached_property
    def killing(self) -> Array:
        """Rate out of each cell over absorbing ends."""
        return self._losses * self.lift

    @cached_property
    def _losses(self) -> Array:
        found = self.lost * self.axis.weights
        for end in self.ends:
            found[end.cell] += end.lost
        return found

    @property
    def summed(self) -> LineJumps:
        """The same with its kernel as it is solved: an FFT would spread rounding of the peak over the tails."""
        if not isinstance(self.kernel, Toeplitz) or self.axis.periodic:
            return self
        return replace(self, kernel=Exponentials(self.alpha, self.axis))

    @property
    def between(self) -> tuple[Indices, Indices]:
        """The cells on the left and on the right of each gap."""
        left = np.arange(self.conductance.size)
        return left, (left + 1) % self.axis.cells

    @cached_property
    def is_markov(self) -> bool:
        """Whether no rate is negative, with the edges beside."""
        if not self.exact:
            return False
        (left, right), beside = self.between, self.positive
        rates = self.kernel.neighbours() + self.conductance
        up, down = beside.up + rates * self.lift[left], beside.down + rates * self.lift[right]
        ends = [part for end in self.ends for part in (end.out, end.back)]
        return all(bool(np.all(part >= 0)) for part in (up, down, self.killing, *ends))

    @cached_property
    def laws(self) -> tuple[tuple[Beyond, Beyond], ...]:
        """How the density goes on beyond the (lower, upper) end."""
        known: dict[bool, Beyond] = {end.upper: end.tail.law for end in self.ends}
        return ((known.get(False, False), known.get(True, False)),)

    @cached_property
    def outflow(self) -> Array:
        """What leaves each cell per unit of u."""
        left, right = self.between
        near = np.bincount(left, self.conductance, minlength=self.axis.cells)
        return self.far_outflow + near + np.bincount(right, self.conductance, minlength=self.axis.cells)

    @cached_property
    def far_outflow(self) -> Array:
        """What leaves each cell per unit of u, but for the local conductances."""
        return self.outflow_by(self.kernel)

    def outflow_by(self, kernel: Kernel) -> Array:
        """The same with the far part in another form."""
        found = kernel.apply(np.ones(self.axis.cells)) + self._losses
        for end in self.ends:
            found += end.out
            found[end.cell] += end.back.sum()
        return found

    def apply(self, m: Array) -> Array:
        """J m."""
        u = self.lift * m
        change = self._symmetric(u)
        for end in self.ends:
            change[end.cell] += end.out @ u
            change += end.back * u[end.cell]
        return change

    def adjoint(self, f: Array) -> Array:
        """J^T f."""
        change = self._symmetric(f)
        for end in self.ends:
            change += end.out * f[end.cell]
            change[end.cell] += end.back @ f
        return self.lift * change

    def _symmetric(self, u: Array) -> Array:
        """S u - outflow u."""
        change = self.kernel.apply(u) - self.far_outflow * u
        flow_along(*self.between, self.conductance, self.conductance, u, change)
        return change

    def matrix(self) -> Array:
        """J, from the closed form of the kernel."""
        refuse_dense(self.axis.cells)
        found = np.array(self.kernel.matrix())
        left, right = self.between
        found[left, right] += self.conductance
        found[right, left] += self.conductance
        for end in self.ends:
            found[end.cell] += end.out
            found[:, end.cell] += end.back
        found[np.diag_indices_from(found)] -= found.sum(axis=0) + self._losses
        return found * self.lift
