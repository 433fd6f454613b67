"""Drift, diffusion and stable jumps along one axis, put together.

With diffusion somewhere the edges are fitted exponentially (local.py); with Accurate() they carry diffusion alone, and
drift has fluxes of its own.  Without diffusion drift goes as in jump_drift.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.errors import InvalidInput
from fpsolve.functions import Points
from fpsolve.jumps import Stable
from fpsolve.operators.jump_drift import bare_chain, drift_fluxes, drift_over_ends, positive_drift
from fpsolve.operators.jump_ends import OpenEnd, Tail, lost_over, open_end
from fpsolve.operators.jump_kernel import kernel_of, local_conductance
from fpsolve.operators.jump_tails import check_ends, check_returns, tail_at
from fpsolve.operators.line_jumps import LineJumps
from fpsolve.operators.local import Chain, chain_edges
from fpsolve.operators.transport import FaceFluxes
from fpsolve.process import Process
from fpsolve.schemes import Positive, Scheme

__all__ = ["line_with_jumps"]

Array = NDArray[np.float64]
Tails = tuple[Tail | None, Tail | None]


def line_with_jumps(
    process: Process, axis: Axis, name: str, scheme: Scheme, t: float = 0.0, tails: Tails = (None, None)
) -> tuple[Chain, tuple[FaceFluxes, ...], LineJumps]:
    """Edges, fluxes and jumps of `process` on `axis` at time t.

    tails: how the density goes on beyond the (lower, upper) open end, where that is known better than from drift.
    Raises InvalidInput where a coefficient is not what it must be, and for ends that jumps cannot have.
    """
    check_ends(axis, name)
    jump = process.jumps[0] if isinstance(process.jumps, tuple) else process.jumps
    assert jump is not None
    refuse_skew(jump)
    nodes = Points((name,), (axis.nodes,), (("cell", axis.nodes.shape),))
    drift, strength = process.drift_at(nodes, t)[0], strength_at(jump, nodes, t)
    fitted = chain_edges(process, axis, name, t) if has_diffusion(process, nodes, t) else None
    ends = tuple(
        open_end(jump.alpha, axis, upper, tails[upper] or tail_at(axis, jump.alpha, upper, drift, strength, fitted))
        for upper in (False, True)
        if axis.ends[upper] == "open"
    )
    capacity = axis.weights.copy()
    for end in ends:
        if isinstance(scheme, Positive):
            check_returns(axis, name, jump.alpha, end)
        capacity[end.cell] += end.weight
    kernel, conductance = kernel_of(jump.alpha, axis), local_conductance(jump.alpha, axis)
    absorbing = [upper for upper in (False, True) if axis.ends[upper] == "absorbing"]
    lost = np.sum([np.zeros(axis.cells), *(lost_over(jump.alpha, axis, upper) for upper in absorbing)], axis=0)
    over = (kernel.neighbours() + conductance, strength)
    beside = _Beside(process, axis, name, t, drift, capacity)
    positive = beside.carried(over) if fitted is None else beside.reweighted(fitted)
    exact = isinstance(scheme, Positive) or not np.any(drift)
    jumps = LineJumps(axis, jump.alpha, strength, kernel, conductance, lost, ends, capacity, positive, exact)
    if exact:
        return positive, (), jumps
    fluxes = drift_fluxes(axis, drift, _tails_of_flux(axis, drift, ends), capacity)
    return beside.without_drift(fitted is not None), (fluxes,), jumps


def strength_at(jump: Stable, nodes: Points, t: float) -> Array:
    """scale^alpha at the nodes; InvalidInput where the scale is negative."""
    scale = jump.function.scalar(nodes, t)
    if np.any(scale < 0):
        worst = int(np.argmin(scale))
        raise InvalidInput(
            f"scale is negative ({scale[worst]:.6g}) at {nodes.describe(worst)}: the size of jumps cannot be; check "
            "the function's sign"
        )
    return np.asarray(scale**jump.alpha)


def has_diffusion(process: Process, nodes: Points, t: float) -> bool:
    """Whether there is diffusion at any node."""
    if process.log_diffusion is not None:
        return True
    return bool(np.any(process.diffusion_at(nodes, t) > 0))


def refuse_skew(jump: Stable) -> None:
    """Raises InvalidInput for jumps that are not symmetric."""
    if jump.skew:
        raise InvalidInput(
            f"{jump!r} has a skew; the equation is solved for symmetric jumps, and paths with skewed ones are "
            "simulated: fp.simulate"
        )


@dataclass(frozen=True)
class _Beside:
    """What stands beside the jumps."""

    process: Process
    axis: Axis
    name: str
    t: float
    drift: Array
    capacity: Array

    def carried(self, over: tuple[Array, Array]) -> Chain:
        """Drift alone, in its positive form.  over: rates between neighbours per unit of u, and u over p."""
        rates, strength = over
        left = np.arange(rates.size)
        jumps = rates * strength[left], rates * strength[(left + 1) % self.axis.cells]
        up, down = positive_drift(self.axis, self.drift, jumps, self.capacity)
        return bare_chain(self.axis, up, down, self._over_ends())

    def reweighted(self, fitted: Chain) -> Chain:
        """Fitted edges whose end cells carry tails."""
        share = self.axis.weights / self.capacity
        return replace(
            fitted,
            up=fitted.up * share[fitted.left],
            down=fitted.down * share[fitted.right],
            killing=fitted.killing * share,
        )

    def without_drift(self, diffuses: bool) -> Chain:
        """Diffusion alone, where there is any, and the drift over absorbing ends."""
        over = self._over_ends()
        if not diffuses:
            none = np.zeros(self.axis.gaps.size)
            return bare_chain(self.axis, none, none, over)
        still = self.process.replace(
            drift=0.0, potential=None, temperature=None, log_diffusion=None, drift_over_diffusion=None
        )
        fitted = self.reweighted(chain_edges(still, self.axis, self.name, self.t))
        return replace(fitted, killing=fitted.killing + over)

    def _over_ends(self) -> Array:
        faces = np.array([self.axis.lo, self.axis.hi])
        points = Points((self.name,), (faces,), (("end", (2,)),))
        if "absorbing" not in self.axis.ends:
            return np.zeros(self.axis.cells)
        return drift_over_ends(self.axis, self.process.drift_at(points, self.t)[0], self.capacity)


def _tails_of_flux(axis: Axis, drift: Array, ends: tuple[OpenEnd, ...]) -> tuple[Array | None, Array | None]:
    """A p at two nodes beyond the (lower, upper) open end over its value at the last node: both are powers of y."""
    found: dict[bool, Array] = {}
    for end in ends:
        step, last, before = (axis.ds, -1, -2) if end.upper else (-axis.ds, 0, 1)
        beyond = axis.x(axis.s_nodes[last] + step * np.arange(1.0, 3.0))
        y = np.abs(np.append(beyond, axis.nodes[[last, before]]) - end.tail.law.center)
        rise = np.log(drift[last] / drift[before]) / np.log(y[2] / y[3]) if drift[last] * drift[before] > 0 else 0.0
        found[end.upper] = (y[:2] / y[2]) ** (rise - end.tail.law.exponent)
    return found.get(False), found.get(True)
