"""A scale-invariant loss of two weights, theta = r (cos phi, sin phi), under SGD with weight decay gamma |theta|^2.

    dr = (-2 gamma r + T S(phi)/(2 r^3)) dt,     dphi = -L'(phi)/r^2 dt + sqrt(T S(phi))/r^2 dW      (Ito)

L and S are the loss and the variance of a sample's slope at r = 1; gradients are tangential and fall as 1/r, so the
norm carries no noise and grows by Ito's term alone: d(r^4)/dt = -8 gamma r^4 + 2 T S(phi), path by path.  Gradient
descent keeps it.  For constant S = s

    r^4(t) = T s/(4 gamma) + (r_0^4 - T s/(4 gamma)) exp(-8 gamma t),    r_0^4 + 2 T s t at gamma = 0

and the angle settles to p ~ exp(-L/sqrt(gamma T s)): weight decay makes its temperature.
Source: Ziyin, Wang, Li & Wu, arXiv 2402.07193; the law of the angle from the settled norm.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.asking import shown
from fpsolve.axis import Axis
from fpsolve.checks import number, whole
from fpsolve.errors import InvalidInput
from fpsolve.functions import Function, Points
from fpsolve.grid import Grid
from fpsolve.models.normalised import NormalisedRegression
from fpsolve.models.temperature import checked_temperature
from fpsolve.particles.course import batch_size
from fpsolve.particles.descent import descend, replicated
from fpsolve.problem import Problem
from fpsolve.process import Process
from fpsolve.progress import Progress
from fpsolve.values.exact import ExactDensity
from fpsolve.values.swarm import Swarm

__all__ = ["ScaleInvariant"]

Array = NDArray[np.float64]
Angular = Callable[[Array], Any]
TURN = 2.0 * np.pi
DIFFERENCE = 1e-3  # radians, fourth order: as accurate as the loss itself for slopes of a few periods
LOOKED_AT = 720  # angles
PERIOD_TOLERANCE, SLOPE_TOLERANCE = 1e-9, 1e-5  # of the largest value
MARGIN = 0.5  # of the norm, below and above where it settles


@dataclass(frozen=True, eq=False)
class ScaleInvariant:
    """Norm and angle of two weights under a loss that no rescaling changes.

    loss: L(phi), of period 2 pi.  noise: S(phi) >= 0, or a number.  temperature: T = learning_rate/batch.
    weight_decay: gamma >= 0.  slope: L'(phi); otherwise by differences of the loss.
    data, batch: what `sgd` draws from, set by `from_data`.

    Raises InvalidInput for numbers out of range, a loss or noise that fails, does not close on the circle or is
    negative, and a slope that is not the loss's.

    >>> model = ScaleInvariant(lambda phi: -np.cos(phi), noise=2.0, temperature=0.1, weight_decay=0.05)
    >>> model.settled_norm, round(model.angular_temperature, 6), round(model.norm_at(1.0, start=2.0), 6)
    (1.0, 0.1, 1.823424)
    """

    loss: Angular
    noise: Angular | float = 1.0
    temperature: float = 0.1
    weight_decay: float = 0.0
    slope: Angular | None = None
    data: NormalisedRegression | None = None
    batch: int = 1

    def __post_init__(self) -> None:
        checked_temperature(self.temperature, None, None)
        whole("batch", self.batch, 1)
        if not number("weight_decay", self.weight_decay) >= 0:
            raise InvalidInput(f"weight_decay is {self.weight_decay}; give a finite number >= 0")
        if not callable(self.loss):
            raise InvalidInput(f"loss is {self.loss!r}; give a function of the angle phi")
        if not callable(self.noise):
            number("noise", self.noise)
        self._check_functions()

    @classmethod
    def from_data(
        cls, data: NormalisedRegression, learning_rate: float, batch: int = 1, weight_decay: float = 0.0
    ) -> ScaleInvariant:
        """A NormalisedRegression (else InvalidInput) trained by SGD: loss, slope and noise are the samples' own."""
        if not isinstance(data, NormalisedRegression):
            raise InvalidInput(f"data is {type(data).__name__}; give a NormalisedRegression(x, y)")
        temperature = checked_temperature(None, learning_rate, batch)
        batch_size(batch, data.n)
        return cls(data.loss, data.noise, temperature, weight_decay, data.slope, data, batch)

    @property
    def settled_norm(self) -> float:
        """r* = (T s/(4 gamma))^(1/4), to which r tends; inf without weight decay.  Constant noise only."""
        s = self._constant_noise("the norm settles at one place")
        return (self.temperature * s / (4.0 * self.weight_decay)) ** 0.25 if self.weight_decay > 0 else np.inf

    @property
    def angular_temperature(self) -> float:
        """sqrt(gamma T s) = T s/(2 r*^2): p ~ exp(-L/it) once r has settled.  Constant noise only."""
        s = self._constant_noise("the angle has a temperature")
        return float(np.sqrt(self.weight_decay * self.temperature * s))

    def norm_at(self, t: ArrayLike, start: ArrayLike) -> Any:
        """r at times t >= 0 from r = `start` > 0; they broadcast; else InvalidInput.  Constant noise only."""
        gain = 2.0 * self.temperature * self._constant_noise("the norm moves alike on every path")
        times, r0 = np.asarray(t, dtype=float), np.asarray(start, dtype=float)
        if not (np.all(np.isfinite(times) & (times >= 0)) and np.all(np.isfinite(r0) & (r0 > 0))):
            raise InvalidInput(f"t is {shown(t)} and start is {shown(start)}; give finite times >= 0 and norms > 0")
        rate = 8.0 * self.weight_decay
        grown = times if rate == 0 else -np.expm1(-rate * times) / rate
        answer = (r0**4 * np.exp(-rate * times) + gain * grown) ** 0.25
        return float(answer) if answer.ndim == 0 else answer

    def fourth_power_rate(self, r: ArrayLike, phi: ArrayLike) -> Array:
        """d(r^4)/dt = -8 gamma r^4 + 2 T S(phi), for any noise; its mean is 0 in a stationary state."""
        power = np.asarray(r, dtype=float) ** 4
        return -8.0 * self.weight_decay * power + 2.0 * self.temperature * self.noise_at(phi)

    def slope_at(self, phi: ArrayLike) -> Array:
        """L'(phi), any shape."""
        angle = np.asarray(phi, dtype=float)
        return self._difference(angle) if self.slope is None else _shaped(self.slope, angle)

    def noise_at(self, phi: ArrayLike) -> Array:
        """S(phi), any shape."""
        angle = np.asarray(phi, dtype=float)
        return _shaped(self.noise, angle) if callable(self.noise) else np.full(angle.shape, float(self.noise))

    def process(self) -> Process:
        """(r, phi): drift, and a diffusion T S/(2 r^4) of the angle alone."""
        return Process(self._drift, (0.0, self._diffusion))

    def grid(self, cells: tuple[int, int] = (200, 128), radius: tuple[float, float] | None = None) -> Grid:
        """r between `radius`, uniform and open; phi in [0, 2 pi], periodic.

        radius: by default half as far again as all norms at which r may settle.

        Raises InvalidInput where there is none: without weight decay the norm grows for ever.
        """
        low, high = self._settling() if radius is None else radius
        turn = Axis.uniform(0.0, TURN, cells[1], ends="periodic")
        if not 0 < low < high:
            raise InvalidInput(f"radius runs from {low:g} to {high:g}; it must be positive and rise")
        return Grid(r=Axis.uniform(low, high, cells[0]), phi=turn)

    def problem(self, cells: tuple[int, int] = (200, 128), radius: tuple[float, float] | None = None) -> Problem:
        """The process on its grid."""
        return Problem(self.process(), self.grid(cells, radius))

    def exact_density(self, cells: int = 400) -> ExactDensity:
        """The law of the angle when the norm has settled, p ~ exp(-L/sqrt(gamma T s)).  Constant noise only.

        Raises InvalidInput without weight decay or noise: the angle then freezes as the norm grows, or rolls down.
        """
        temperature = self.angular_temperature
        if temperature == 0:
            raise InvalidInput(
                "weight_decay or noise is 0: the norm does not settle where the angle keeps moving, so no stationary "
                "law of the angle exists; give both"
            )
        grid = Grid(phi=Axis.uniform(0.0, TURN, cells, ends="periodic"))
        return ExactDensity(lambda phi: -_shaped(self.loss, phi) / temperature, grid, "settled norm")

    def sgd(
        self,
        steps: int,
        n: int | None = None,
        *,
        seed: int,
        start: tuple[float, float] | Swarm = (1.0, 0.0),
        record: Sequence[int] | None = None,
        progress: Progress = None,
    ) -> Swarm:
        """Real minibatch SGD of theta on the data, drawn with replacement; positions (r, phi), `.weights` theta.

        start: (r, phi), or a Swarm to go on from.  Path by path, r^2 changes to (1 - 2 eta gamma)^2 r^2 + eta^2 |g|^2.
        Bits, record and errors: fpsolve/particles/descent.py.  Raises InvalidInput without data.
        """
        if self.data is None:
            raise InvalidInput("this model has a loss but no data to draw minibatches from; use from_data")
        data, eta = self.data, self.temperature * self.batch

        def step(theta: Array, rng: np.random.Generator) -> Array:
            samples = rng.integers(data.n, size=(len(theta), self.batch))
            return (1.0 - 2.0 * eta * self.weight_decay) * theta - eta * data.gradients(theta, samples)

        if not isinstance(start, Swarm):
            r, phi = (number(name, value) for name, value in zip(("r", "phi"), start, strict=True))
            begin: Array | Swarm = replicated(r * np.array([np.cos(phi), np.sin(phi)]), n)
        else:
            begin = start
        return descend(
            step, begin, names=("r", "phi"), observe=_polar, learning_rate=eta, steps=steps, seed=seed, record=record,
            progress=progress,
        )  # fmt: skip

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def _drift(self, r: Array, phi: Array) -> tuple[Array, Array]:
        growth = 0.5 * self.temperature * self.noise_at(phi) / r**3
        return growth - 2.0 * self.weight_decay * r, -self.slope_at(phi) / r**2

    def _diffusion(self, r: Array, phi: Array) -> Array:
        return 0.5 * self.temperature * self.noise_at(phi) / r**4

    @cached_property
    def _angles(self) -> Array:
        return np.linspace(0.0, TURN, LOOKED_AT, endpoint=False)

    def _settling(self) -> tuple[float, float]:
        noise = self.noise_at(self._angles)
        if self.weight_decay == 0 or noise.max() == 0:
            raise InvalidInput("without weight decay or noise the norm settles nowhere; give radius=(from, to)")
        low, high = ((self.temperature * s / (4.0 * self.weight_decay)) ** 0.25 for s in (noise.min(), noise.max()))
        return max(low, 0.1 * high) * (1.0 - MARGIN), high * (1.0 + MARGIN)

    def _constant_noise(self, what: str) -> float:
        if callable(self.noise):
            raise InvalidInput(
                f"noise is a function of the angle; {what} only where it is constant: give a number, or use "
                "fourth_power_rate, which holds for any noise"
            )
        return float(self.noise)

    def _check_functions(self) -> None:
        points = Points(("phi",), (self._angles,), (("angle", self._angles.shape),))
        for label, given in (("loss", self.loss), ("noise", self.noise), ("slope", self.slope)):
            if given is not None:
                _check_period(Function(given, label), points)
        _check_sign(self.noise_at(self._angles), points)
        if self.slope is not None:
            _check_slope(self.slope_at(self._angles), self._difference(self._angles), points)

    def _difference(self, phi: Array) -> Array:
        far, near = (
            _shaped(self.loss, phi + k * DIFFERENCE) - _shaped(self.loss, phi - k * DIFFERENCE) for k in (2, 1)
        )
        return (8.0 * near - far) / (12.0 * DIFFERENCE)

    def __repr__(self) -> str:
        noise = "noise of the angle" if callable(self.noise) else f"noise {self.noise:g}"
        return f"ScaleInvariant({noise}, temperature {self.temperature:g}, weight decay {self.weight_decay:g})"


def _shaped(function: Angular, phi: Array) -> Array:
    return np.array(np.broadcast_to(np.asarray(function(phi), dtype=float), np.shape(phi)))


def _polar(theta: Array) -> Array:
    return np.stack([np.hypot(*theta.T), np.mod(np.arctan2(theta[:, 1], theta[:, 0]), TURN)], axis=1)


def _check_period(function: Function, points: Points) -> None:
    (phi,) = points.coordinates
    values = function.scalar(points)
    gap = np.abs(function.scalar(Points(points.names, (phi + TURN,), points.sections)) - values)
    if gap.max() > PERIOD_TOLERANCE * np.abs(values).max():
        worst = int(np.argmax(gap))
        raise InvalidInput(
            f"{function.label} changes by {gap[worst]:.6g} over a full turn from phi={phi[worst]:.6g}; it must have "
            "the period 2 pi"
        )


def _check_sign(noise: Array, points: Points) -> None:
    if noise.min() < 0:
        worst = int(np.argmin(noise))
        raise InvalidInput(f"noise is {noise[worst]:.6g} at {points.describe(worst)}; a variance is never negative")


def _check_slope(given: Array, found: Array, points: Points) -> None:
    off = np.abs(given - found)
    if off.max() > SLOPE_TOLERANCE * np.maximum(np.abs(found), np.abs(given)).max():
        worst = int(np.argmax(off))
        raise InvalidInput(
            f"slope is {given[worst]:.6g} at {points.describe(worst)}, but the loss changes there by "
            f"{found[worst]:.6g} per radian; give the derivative of the loss, or leave it out"
        )
