"""One step of many particles: drift, noise and jumps, what the ends do to them, and places within the step.

First the Gaussian step and the walls' part in it, then the jump, of the size that the scale has where the step began.
A jump that lands where the drift is steep came at some time within the step, uniformly distributed: for the rest of it
the particle follows the drift from there.  Without that it would be seen there for a whole step, and tails would be too
heavy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.kernels.random import LANDINGS
from fpsolve.particles.calls import Time, at
from fpsolve.particles.euler import Local, LocalCoefficients
from fpsolve.particles.increments import Noise, uniforms
from fpsolve.particles.leaps import Leaps
from fpsolve.particles.steep import carried, steep
from fpsolve.particles.walls import Slant, Walls

__all__ = ["Moves", "Step"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ids = NDArray[np.int64]
DIVERGED = 1e100  # |x| beyond which a particle is lost
VANISHED = 1e-300  # |x| below which it is lost on a log axis
FOLDING = ("reflecting",)
HOLDING = ("reflecting", "absorbing")  # of those that have not left yet


@dataclass(frozen=True, eq=False)
class Step:
    """A step of the particles `ids` from `old` at time t to `new`, shape (d, ids), and what it was made of.

    gone: those that stop here; wild: of these, those that diverged.  leaps: variates and sizes of the jumps.
    """

    number: int
    ids: Ids
    t: Time
    old: Array
    local: Local
    normals: Array
    leaps: tuple[Array, Array] | None
    new: Array
    gone: Flags
    wild: Flags

    def at(self, index: Ids) -> Step:
        """That of some of the particles."""
        leaps = None if self.leaps is None else (self.leaps[0][:, index], self.leaps[1][:, index])
        local, t, rows = self.local.at(index), at(self.t, index), (self.old, self.normals, self.new)
        old, normals, new = (row[:, index] for row in rows)
        gone, wild = self.gone[index], self.wild[index]
        return Step(self.number, self.ids[index], t, old, local, normals, leaps, new, gone, wild)


@dataclass(frozen=True, eq=False)
class Moves:
    """What does not change from step to step."""

    coefficients: LocalCoefficients
    walls: Walls
    noise: Noise
    leaps: Leaps | None
    dt: float

    def step(self, old: Array, t: Time, number: int, ids: Ids) -> Step:
        """One step of length dt of the particles ids, from their places `old` (d, ids)."""
        local, normals = self.coefficients(old, t), self.noise(number, ids)
        begun = Step(number, ids, t, old, local, normals, None, old, *np.zeros((2, ids.size), dtype=bool))
        new, bent = self._diffused(begun, self.dt, normals, FOLDING)
        wild = self._wild(new)
        new = np.where(wild, old, new)
        gone = self.walls.absorb(old, new, local.d * self.dt, number, ids) | wild
        begun = replace(begun, new=new, gone=gone, wild=wild)
        return begun if self.leaps is None else self._leapt(begun, self.leaps, bent)

    def between(self, begun: Step, part: Time, draws: Array, left: Flags) -> Array:
        """Places within a step, at the share `part` of it (one, or one for each), shape (d, ids).

        The Gaussian path by a Brownian bridge with the normals `draws` (d, ids).  The jump by the variate of the whole
        step, of the size that belongs to the share: the law at that time is right, that of the two places together is
        not (no bridge of a stable path is known in closed form).  left: those that have been taken by then.
        """
        bridge = np.sqrt(part) * begun.normals + np.sqrt(1.0 - part) * draws
        place, bent = self._diffused(begun, part * self.dt, bridge, HOLDING)
        if self.leaps is not None and begun.leaps is not None:
            leap = self.leaps.leap(*begun.leaps, part * self.dt)
            place, _ = self.walls.landed(place, leap, stopping=HOLDING)
            place = self._settled(begun, place, ~(begun.gone | bent), HOLDING, part * self.dt)
        return np.where(left, begun.new, np.where(self._wild(place), begun.old, place))

    def _leapt(self, begun: Step, leaps: Leaps, bent: Flags) -> Step:
        """The step, with the jump after the rest."""
        variates, sizes = leaps.variates(begun.number, begun.ids), leaps.sizes(begun.old, begun.t)
        new, taken = self.walls.landed(begun.new, leaps.leap(variates, sizes, self.dt))
        new, taken = np.where(begun.gone, begun.new, new), taken & ~begun.gone
        settled = self._settled(begun, new, ~(begun.gone | taken | bent), FOLDING, self.dt)
        if settled is not new:  # the drift itself may lead out
            new, led = self.walls.landed(settled, 0.0)
            taken |= led & ~begun.gone
        wild = self._wild(new) & ~begun.gone
        new = np.where(wild, begun.old, new)
        gone, wild = begun.gone | taken | wild, begun.wild | wild
        return replace(begun, leaps=(variates, sizes), new=new, gone=gone, wild=wild)

    def _diffused(self, begun: Step, duration: Time, normals: Array, folding: tuple[str, ...]) -> tuple[Array, Flags]:
        """Places after the drift and the Gaussian noise of a duration, folded at the ends named; where it was steep."""
        old, local, flags = begun.old, begun.local, np.zeros(begun.ids.size, dtype=bool)
        place = self.coefficients.moved(old, local, duration, normals)
        if self.leaps is not None:
            bent = steep(self.coefficients, old, local, begun.t, duration)
            if bent.size:
                some, times = local.at(bent), np.broadcast_to(duration, begun.ids.shape)[bent]
                along = carried(self.coefficients, old[:, bent], at(begun.t, bent), times)
                noise = Local(np.zeros_like(along), some.d, some.r)
                place[:, bent] = self.coefficients.moved(along, noise, times, normals[:, bent])
                flags[bent] = True
        return self.walls.confined(place, self._slant(local, begun.t), folding=folding), flags

    def _settled(self, begun: Step, place: Array, moving: Flags, folding: tuple[str, ...], duration: Time) -> Array:
        """Places after jumps, where the drift is steep moved on by it for what was left of the duration.

        For that time the drift from where the step began is taken back.  moving: those whose drift was not steep there.
        """
        moving = moving & ~self._wild(place)
        index = np.flatnonzero(moving)
        there, t = place if moving.all() else place[:, index], at(begun.t, index)
        durations = np.broadcast_to(duration, begun.ids.shape)[index]
        bent = steep(self.coefficients, there, self.coefficients(there, t), t, durations)
        if bent.size == 0:
            return place
        landed = index[bent]
        left = uniforms(self.walls.key, begun.number, LANDINGS, begun.ids[landed], 1)[0] * durations[bent]
        there = self.coefficients.drifted(there[:, bent], -begun.local.a[:, landed], left)
        place = place.copy()
        place[:, landed] = self.walls.confined(carried(self.coefficients, there, at(t, bent), left), folding=folding)
        return place

    def _slant(self, local: Local, t: Time) -> Slant | None:
        """The directions in which walls push, at the places where the step began or where it touches them."""
        if local.r is None:
            return None

        def slant(k: int, index: Ids, touched: Array | None) -> Array:
            if touched is None or self.coefficients.uniform:
                return self.coefficients.slant(local.at(index), k)
            return self.coefficients.slant(self.coefficients(touched, at(t, index)), k)

        return slant

    def _wild(self, x: Array) -> Flags:
        size, low = np.abs(x), np.where(self.coefficients.logarithmic, VANISHED, 0.0)[:, None]
        flags: Any = ~np.all((size >= low) & (size <= DIVERGED), axis=0)
        return flags
