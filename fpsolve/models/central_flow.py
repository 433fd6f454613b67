"""The central flow: where gradient descent of a finite learning rate goes on average at the edge of stability.

    theta' = -grad [L + <S, H>/2],   S >= 0 the smallest with lambda_max(H) <= 2/eta, and S = 0 below it

Descent oscillates along the sharpest direction once lambda_max exceeds 2/eta; the oscillation's covariance S pushes
down the sharpness until it no longer rises.  For one direction S = sigma^2 u u' and, at the edge,

    sigma^2 = max(0, -2 grad L . grad lambda/|grad lambda|^2)

Beyond the edge, where a density may reach, the sharpness is led back at the rate RETURN/eta.
Source: Cohen, Damian, Talwalkar, Kolter & Lee, arXiv 2410.24206.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.asking import ask, reals, shown
from fpsolve.checks import number, parameter_names, rising_times, whole
from fpsolve.errors import InvalidInput, NotConverged
from fpsolve.process import Process
from fpsolve.values.swarm import Swarm

__all__ = ["CentralFlow"]

Array = NDArray[np.float64]
DIFFERENCE = 1e-3  # of a unit or of a coordinate; fourth order
RETURN = 0.1
FAR = 1e8
SHARE = 1.0  # of the learning rate: a step of the flow, stable up to a sharpness of 2.7/eta


@dataclass(frozen=True, eq=False)
class CentralFlow:
    """Full-batch gradient descent in one or two parameters, and the flow that it follows on average.

    gradient: grad L as a function of the coordinates: one array, or a tuple of one per parameter.
    learning_rate: eta.  names: of the parameters, which also says how many there are.

    Raises InvalidInput for a learning rate that is not positive, more than two names and gradients of another shape.

    >>> sharpening = CentralFlow(lambda x, y: (y**2 / 2 - 0.02, x * y), learning_rate=0.5, names=("x", "y"))
    >>> round(float(sharpening.path((3.0, 0.0), [100.0]).at(100.0)[0, 0]), 6)   # x' = .02 up to 2/eta
    4.0
    """

    gradient: Callable[..., Any]
    learning_rate: float
    names: tuple[str, ...] = ("x", "y")

    def __post_init__(self) -> None:
        if not number("learning_rate", self.learning_rate) > 0:
            raise InvalidInput(f"learning_rate is {self.learning_rate}; give a finite number > 0")
        object.__setattr__(self, "names", parameter_names(self.names, (1, 2)))
        if not callable(self.gradient):
            raise InvalidInput(f"gradient is {self.gradient!r}; give a function of the coordinates")
        self._slope(np.zeros((len(self.names), 2)))

    @property
    def edge(self) -> float:
        """The largest sharpness that descent bears, 2/eta."""
        return 2.0 / self.learning_rate

    def sharpness(self, *x: ArrayLike) -> Array:
        """lambda_max of the Hessian, by differences of the gradient."""
        places, shape = self._places(x)
        return self._sharpness(places).reshape(shape)

    def oscillation(self, *x: ArrayLike) -> Array:
        """sigma^2: the variance of descent's oscillation along the sharpest direction; 0 below the edge."""
        places, shape = self._places(x)
        return self._pull(places)[1].reshape(shape)

    def velocity(self, *x: ArrayLike) -> Any:
        """theta' of the central flow, in the form of a drift."""
        places, shape = self._places(x)
        rows = tuple(row.reshape(shape) for row in self._velocity(places))
        return rows[0] if len(self.names) == 1 else rows

    def process(self, diffusion: Any) -> Process:
        """The central flow with noise: a process of its drift and the given D."""
        return Process(self.velocity, diffusion)

    def path(self, start: ArrayLike, times: ArrayLike) -> Swarm:
        """The central flow from `start` at t = 0, recorded at `times`.

        Raises InvalidInput for times that do not rise and starts of another size; NotConverged where it cannot be
        followed to the end.
        """
        stops, theta = rising_times(times, 0.0, "the start"), self._start(start)[:, None]
        longest, now, rows = SHARE * self.learning_rate, 0.0, []
        for stop in stops:
            steps = math.ceil((stop - now) / longest)
            for _ in range(steps):
                theta = self._advanced(theta, (stop - now) / steps)
            if np.any(np.isnan(theta)):
                raise NotConverged(
                    f"the central flow is not a number by t={stop:g}: the gradient is not finite on the way",
                    best=theta[:, 0],
                )
            if not np.all(np.abs(theta) < FAR):
                raise NotConverged(f"the central flow leaves every bound before t={stop:g}", best=theta[:, 0])
            now = float(stop)
            rows.append(theta[:, 0])
        return Swarm(self.names, stops, np.array(rows)[:, None, :])

    def descent(self, start: ArrayLike, steps: int) -> Swarm:
        """Gradient descent itself: theta <- theta - eta grad L, recorded at every step.

        Raises InvalidInput unless steps is whole and start has one number a parameter; NotConverged (its `best` is the
        path so far) where it diverges.
        """
        theta, rows = self._start(start)[:, None], []
        for step in range(whole("steps", steps, 1) + 1):
            rows.append(theta[:, 0])
            if not np.all(np.abs(theta) < FAR):
                found = self._record(rows[:-1])
                raise NotConverged(
                    f"gradient descent diverges after {step} steps: learning rate {self.learning_rate:g} is too large "
                    f"there (the edge is at a sharpness of {self.edge:g})",
                    best=found,
                )
            theta = theta - self.learning_rate * self._slope(theta)
        return self._record(rows)

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def _advanced(self, theta: Array, h: float) -> Array:
        """One step of the classical fourth-order Runge-Kutta method."""
        one = self._velocity(theta)
        two = self._velocity(theta + 0.5 * h * one)
        three = self._velocity(theta + 0.5 * h * two)
        four = self._velocity(theta + h * three)
        return theta + h / 6.0 * (one + 2.0 * two + 2.0 * three + four)

    def _record(self, rows: list[Array]) -> Swarm:
        numbers = np.arange(len(rows))
        return Swarm(self.names, self.learning_rate * numbers.astype(float), np.array(rows)[:, None, :], numbers)

    def _velocity(self, places: Array) -> Array:
        return -self._slope(places) - self._pull(places)[0]

    def _pull(self, places: Array) -> tuple[Array, Array]:
        """grad <S, H>/2 with the return to the edge, and sigma^2."""
        sharpness = self._sharpness(places)
        beyond = sharpness >= self.edge
        pull, variance = np.zeros_like(places), np.zeros(places.shape[1])
        if np.any(beyond):
            at = places[:, beyond]
            rise = np.stack([self._along(self._sharpness, at, k) for k in range(len(at))])
            size = np.sum(rise**2, axis=0)
            climbs = -np.sum(self._slope(at) * rise, axis=0)
            back = climbs + (sharpness[beyond] - self.edge) * RETURN / self.learning_rate
            with np.errstate(divide="ignore", invalid="ignore"):
                pull[:, beyond] = np.where(size > 0, rise * np.maximum(back, 0.0) / size, 0.0)
                variance[beyond] = np.where(size > 0, 2.0 * np.maximum(climbs, 0.0) / size, 0.0)
        return pull, variance

    def _sharpness(self, places: Array) -> Array:
        rows = np.stack([self._along(self._slope, places, k) for k in range(len(places))])
        symmetric = 0.5 * (rows + np.swapaxes(rows, 0, 1))
        return np.asarray(np.linalg.eigvalsh(np.moveaxis(symmetric, -1, 0))[:, -1], dtype=float)

    def _along(self, function: Callable[[Array], Array], places: Array, k: int) -> Array:
        """The derivative along axis k."""
        h = DIFFERENCE * np.maximum(np.abs(places[k]), 1.0)
        values = []
        for factor in (-2.0, -1.0, 1.0, 2.0):
            moved = places.copy()
            moved[k] = moved[k] + factor * h
            values.append(function(moved))
        difference: Array = (values[0] - 8.0 * values[1] + 8.0 * values[2] - values[3]) / (12.0 * h)
        return difference

    def _slope(self, places: Array) -> Array:
        answer = ask(self.gradient, "gradient", *places)
        parts = tuple(answer) if isinstance(answer, (tuple, list)) else (answer,)
        if len(parts) != len(places):
            raise InvalidInput(
                f"gradient returned {len(parts)} parts for the parameters {self.names}; give one array each, in a tuple"
            )
        numbers = [reals("gradient", part) for part in parts]
        if any(part.shape not in ((), places.shape[1:]) for part in numbers):
            raise InvalidInput(
                f"gradient returned shapes {[part.shape for part in numbers]} for {places.shape[1]} places; give one "
                "number per place"
            )
        return np.stack([np.broadcast_to(part, places.shape[1:]) for part in numbers])

    def _places(self, x: tuple[ArrayLike, ...]) -> tuple[Array, tuple[int, ...]]:
        arrays = np.broadcast_arrays(*(np.asarray(part, dtype=float) for part in x))
        if len(arrays) != len(self.names):
            raise InvalidInput(f"got {len(arrays)} coordinates; the parameters are {self.names}")
        return np.stack([part.ravel() for part in arrays]), arrays[0].shape

    def _start(self, start: ArrayLike) -> Array:
        begin = np.array(reals("start", start), ndmin=1)
        if begin.shape != (len(self.names),) or not np.all(np.isfinite(begin)):
            raise InvalidInput(f"start is {shown(start)}; give one finite number for each of {self.names}")
        return begin

    def __repr__(self) -> str:
        return f"CentralFlow({', '.join(self.names)}: learning rate {self.learning_rate:g}, edge {self.edge:g})"
