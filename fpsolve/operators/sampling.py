"""Coefficients of a one-dimensional process where exponential fitting needs them, from one call of each function.

Of a process in motion thousands of these are taken, so what does not move is kept (places.py).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.errors import InvalidInput
from fpsolve.functions import Function, Points
from fpsolve.kernels.fluxes import quadrature
from fpsolve.operators.places import Still, gauss, places_of
from fpsolve.process import CONVENTIONS, Process

Array = NDArray[np.float64]


STEEP = 0.4  # a fall of ln D from cell to cell that deserves a look at the face beyond
NATURAL = np.log(1e-9)


def log_diffusion_and_slope(
    process: Process, points: Points, t: float, still: Still | None = None
) -> tuple[Array, Array]:
    """ln D and A/D at the points, from their direct forms where a process gives them; A/D is 0 for a Gibbs process.

    still: what is known there.
    """
    still = still or Still()
    if process.log_diffusion is not None and process.drift_over_diffusion is not None:
        return process.direct_at("log_diffusion", points, t), process.direct_at("drift_over_diffusion", points, t)
    diffusion = process.diffusion_at(points, t)[0, 0] if still.diffusion is None else still.diffusion
    if process.potential is not None:  # the loss says it all
        with np.errstate(divide="ignore"):
            return np.log(diffusion), np.zeros(points.size)
    drift = process.drift_at(points, t)[0] if still.drift is None else still.drift
    with np.errstate(divide="ignore", invalid="ignore"):
        log_d = np.log(diffusion) if still.log_diffusion is None else still.log_diffusion
        ratio = drift / diffusion
    if process.log_diffusion is not None:
        log_d = process.direct_at("log_diffusion", points, t)
    if process.drift_over_diffusion is not None:
        ratio = process.direct_at("drift_over_diffusion", points, t)
    return log_d, ratio


class Samples:
    """ln D and A/D of `process` on `axis` at time t; `name` is the axis's, for messages."""

    def __init__(self, process: Process, axis: Axis, name: str, t: float) -> None:
        self.process, self.axis, self.name, self.t = process, axis, name, t
        self.places, still = places_of(process, axis, name)
        self.intervals, self.s_quad = self.places.intervals, self.places.s_quad
        self.gauss_weights = gauss(axis)[1]
        log_d, ratio = self._coefficients(self.places.points, still)
        self.lowest, self.highest = float(log_d.min()), float(log_d.max())
        nodes, edges = axis.cells, self.intervals.middle.size
        self.log_d_nodes, self.log_d_middle = log_d[:nodes], log_d[nodes : nodes + edges]
        self.log_d_quad, self.ratio_quad = log_d[nodes + edges :], ratio[nodes + edges :]

    def _coefficients(self, points: Points, still: Still) -> tuple[Array, Array]:
        log_d, ratio = log_diffusion_and_slope(self.process, points, self.t, still)
        if self.process.log_diffusion is not None and self.process.drift_over_diffusion is not None:
            self._check_direct(points, log_d, ratio)
        return log_d, ratio

    def _check_direct(self, points: Points, log_d: Array, ratio: Array) -> None:
        """The direct forms must be those of drift and diffusion wherever D does not underflow."""
        few = np.unique(np.linspace(0, self.axis.cells - 1, 8).astype(int))
        some = Points(points.names, (points.coordinates[0][few],), (("sample", few.shape),))
        diffusion = self.process.diffusion_at(some, self.t)[0, 0]
        drift = self.process.drift_at(some, self.t)[0]
        usable = (diffusion > 1e-280) & (diffusion < 1e280)
        for k, a, d in zip(few[usable], drift[usable], diffusion[usable], strict=True):
            if abs(np.log(d) - log_d[k]) > 1e-6 or abs(a / d - ratio[k]) > 1e-6 * max(abs(ratio[k]), abs(a / d)):
                raise InvalidInput(
                    f"log_diffusion or drift_over_diffusion disagrees with drift and diffusion at "
                    f"{points.describe(int(k))}: ln D is {log_d[k]:.8g} against {np.log(d):.8g}, "
                    f"A/D is {ratio[k]:.8g} against {a / d:.8g}"
                )

    def steps(self) -> Array:
        """ln p gained over each interval at vanishing flux; not finite where the noise vanishes."""
        process = self.process
        if process.potential is not None:
            nodes = Points((self.name,), (self.axis.nodes,), (("cell", self.axis.nodes.shape),))
            losses = process.potential_at(nodes, self.t)
            self._check_loss(losses)
            return self._falls(losses, self._loss_at_end)
        c = CONVENTIONS[process.convention]
        with np.errstate(invalid="ignore"):  # where the noise vanishes; such edges are replaced by transport
            slopes = self.ratio_quad.reshape(self.s_quad.shape) * self.places.lengths
            integrals = quadrature(slopes, self.gauss_weights)
            return integrals + c * self._falls(self.log_d_nodes, self.log_d_at_end) if c else integrals

    def _check_loss(self, losses: Array) -> None:
        """A given gradient must be the loss's, and on a ring the loss must close."""
        process, axis = self.process, self.axis
        if axis.periodic:
            gap, size = self._loss_at_end(True) - self._loss_at_end(False), float(np.ptp(losses))
            if abs(gap) > 1e-9 * (size + abs(losses).max() + 1e-300):
                raise InvalidInput(
                    f"loss differs by {gap * (process.temperature or 1.0):.6g} between the two ends of the periodic "
                    f"axis {self.name}: it is no function on a ring; give drift and diffusion instead"
                )
        if process.gradient is None or not callable(process.gradient):
            return
        few = np.unique(np.linspace(1, axis.cells - 2, 8).astype(int))
        x = axis.nodes[few]
        step = 1e-3 * axis.weights[few]
        around = [
            process.potential_at(Points((self.name,), (place,), (("sample", place.shape),)), self.t)
            for place in (x - step, x + step)
        ]
        slopes = (around[1] - around[0]) / (2.0 * step) * (process.temperature or 1.0)
        given = Function(process.gradient, "gradient").scalar(Points((self.name,), (x,), (("sample", x.shape),)))
        scale = np.maximum(np.abs(slopes), np.abs(given)) + 1e-6 * np.abs(given).max()
        wrong = np.abs(slopes - given) > 1e-2 * scale
        if np.any(wrong):
            bad = int(np.argmax(wrong))
            raise InvalidInput(
                f"gradient is {given[bad]:.6g} at {self.name}={x[bad]:.6g}, but the loss changes there by "
                f"{slopes[bad]:.6g} per unit of {self.name}; give the derivative of the loss, or leave it out"
            )

    def _falls(self, at_nodes: Array, at_end: Callable[[bool], float]) -> Array:
        """value(start) - value(stop) of each interval."""
        parts = [at_nodes[:-1] - at_nodes[1:]]
        if self.axis.periodic:
            parts.append(at_nodes[-1:] - at_nodes[:1])
        for upper in self.intervals.halves:
            end = at_end(upper)
            parts.append(np.array([at_nodes[-1] - end if upper else end - at_nodes[0]]))
        return np.concatenate(parts) if len(parts) > 1 else parts[0]

    def _end(self, upper: bool) -> Points:
        return Points((self.name,), (np.array([self.axis.hi if upper else self.axis.lo]),), (("end", (1,)),))

    def _loss_at_end(self, upper: bool) -> float:
        return float(self.process.potential_at(self._end(upper), self.t)[0])

    def log_d_at_end(self, upper: bool) -> float:
        """ln D at an outer face."""
        if self.process.log_diffusion is not None:
            return float(self.process.direct_at("log_diffusion", self._end(upper), self.t)[0])
        diffusion = self.process.diffusion_at(self._end(upper), self.t)[0, 0, 0]
        return float(np.log(diffusion)) if diffusion > 0 else -np.inf

    def drift_at_end(self, upper: bool) -> float:
        """A at an outer face."""
        return float(self.process.drift_at(self._end(upper), self.t)[0, 0])

    @cached_property
    def natural(self) -> tuple[bool, bool]:
        """Whether the noise vanishes at the lower and upper outer face: nothing lies beyond a natural boundary."""
        if self.lowest > self.highest - STEEP:
            return (False, False)
        return (self._vanishes(False), self._vanishes(True))

    def _vanishes(self, upper: bool) -> bool:
        node, inner = (self.log_d_nodes[k] for k in ((-1, -2) if upper else (0, 1)))
        if self.axis.ends[upper] not in ("open", "reflecting") or node > inner - STEEP:
            return False
        try:
            return bool(self.log_d_at_end(upper) < node + NATURAL)
        except InvalidInput:  # a coefficient may diverge at the last face, where nobody needs it
            return False

    def at(self, s: float) -> tuple[float, float]:
        """(ln D, A) at one s."""
        point = Points((self.name,), (np.atleast_1d(self.axis.x(s)),), (("point", (1,)),))
        diffusion = float(self.process.diffusion_at(point, self.t)[0, 0, 0])
        drift = float(self.process.drift_at(point, self.t)[0, 0])
        return (float(np.log(diffusion)) if diffusion > 0 else -np.inf), drift

    def pull_to_end(self, k: int, upper: bool) -> float:
        """Outward A y/D over the k-th interval, y the distance to the outer face that ends it: constant if D ~ y."""
        if self.process.potential is not None:
            return 0.0
        s = self.s_quad[k]
        distance = self.axis.hi - self.axis.x(s) if upper else self.axis.x(s) - self.axis.lo
        outward = self.ratio_quad.reshape(self.s_quad.shape)[k] * (1 if upper else -1)
        return float(self.gauss_weights @ (outward * distance))

    def drift_at_middles(self) -> Array:
        """A at the middle of every inner interval."""
        x = self.axis.x(self.intervals.middle[: self.intervals.inner])
        return self.process.drift_at(Points((self.name,), (x,), (("face", x.shape),)), self.t)[0]

    def along(self) -> tuple[Array, Array]:
        """s and ln D at nodes and faces of the inner intervals, in order."""
        inner = self.intervals.inner
        s, log_d = np.empty(2 * inner), np.empty(2 * inner)
        s[::2], s[1::2] = self.axis.s_nodes[:inner], self.intervals.middle[:inner]
        log_d[::2], log_d[1::2] = self.log_d_nodes[:inner], self.log_d_middle[:inner]
        return s, log_d
