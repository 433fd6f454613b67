"""Rank-one factorisation with label noise: how SGD shares a product between two layers of unequal width.

f(x) = u (w.x), u in R^m (outputs), w in R^k (inputs of unit covariance), loss |f(x) - y|^2, y = M x + sigma xi, M of
rank one and xi unit label noise.  Gradient descent keeps |u|^2 - |w|^2; SGD at temperature T moves it, without noise:

    d(|u|^2 - |w|^2)/dt = 4 T sigma^2 (m |w|^2 - k |u|^2)

so that along the valley of minima, where |u| |w| is given, chi = ln(|u|/|w|) obeys

    chi' = -2 T sigma^2 (k e^chi - m e^-chi)/cosh chi,   and ends at |u|^2/|w|^2 = m/k.

The layers balance to 1 only where m = k.  With d = 2 (chi - chi*) and F = (1/k + 1/m) ln|e^d - 1| - d/m the way from
chi_0 to chi takes the time (F(d_0) - F(d))/(8 T sigma^2).  All this to first order in T sigma^2.
Source: Ziyin, Wang, Li & Wu, arXiv 2402.07193 (law); the closed form by partial fractions in |u|^2/|w|^2.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.asking import shown
from fpsolve.axis import Axis
from fpsolve.checks import number, whole
from fpsolve.errors import InvalidInput
from fpsolve.grid import Grid
from fpsolve.models.dense_network import DenseNetwork
from fpsolve.models.samples import GaussianSamples
from fpsolve.models.temperature import checked_temperature
from fpsolve.particles.descent import descend, replicated
from fpsolve.problem import Problem
from fpsolve.process import Process
from fpsolve.progress import Progress
from fpsolve.values.swarm import Swarm

__all__ = ["RankOneFactorisation"]

Array = NDArray[np.float64]
NEAR = -30.0  # ln|d| below which e^d - 1 is d
MARGIN, ITERATIONS = 1e-9, 500  # of the bracket of a root, in ln|d|, and of its search


@dataclass(frozen=True, eq=False)
class RankOneFactorisation:
    """Two layers of one neuron, trained on a rank-one map with noisy labels.

    outputs, inputs: m and k.  noise: sigma > 0, the deviation of each label's noise.  temperature: T = learning_rate /
    batch.  strength: |u| |w| at the minima, the size of the map to be learnt.

    Raises InvalidInput for arguments out of range.

    >>> model = RankOneFactorisation(outputs=4, inputs=1, noise=1.0, temperature=0.01)
    >>> model.balanced_ratio, round(model.fixed_point, 9), round(1 / model.relaxation_time, 12)
    (4.0, 0.693147181, 0.064)
    """

    outputs: int
    inputs: int
    noise: float
    temperature: float
    strength: float = 1.0

    def __post_init__(self) -> None:
        whole("outputs", self.outputs, 1)
        whole("inputs", self.inputs, 1)
        checked_temperature(self.temperature, None, None)
        for name in ("noise", "strength"):
            if not number(name, getattr(self, name)) > 0:
                raise InvalidInput(f"{name} is {getattr(self, name)}; give a finite number > 0")

    @classmethod
    def from_sgd(
        cls, outputs: int, inputs: int, noise: float, *, learning_rate: float, batch: int = 1, strength: float = 1.0
    ) -> RankOneFactorisation:
        """The model at the temperature learning_rate/batch."""
        return cls(outputs, inputs, noise, checked_temperature(None, learning_rate, batch), strength)

    @property
    def balanced_ratio(self) -> float:
        """|u|^2/|w|^2 at the end: m/k."""
        return self.outputs / self.inputs

    @property
    def fixed_point(self) -> float:
        """chi at the end: ln(m/k)/2."""
        return 0.5 * float(np.log(self.balanced_ratio))

    @property
    def relaxation_time(self) -> float:
        """1/(8 T sigma^2 m k/(m + k)): how chi approaches its end at last."""
        return (self.outputs + self.inputs) / (self._speed * self.outputs * self.inputs)

    def rate(self, chi: ArrayLike) -> Any:
        """chi', any shape."""
        decay = np.exp(-2.0 * np.abs(chi))  # e^chi/cosh chi = 2/(1 + e^-2chi), without overflow
        up = np.where(np.asarray(chi) > 0, 2.0, 2.0 * decay) / (1.0 + decay)
        answer = -0.25 * self._speed * (self.inputs * up - self.outputs * (2.0 - up))
        return float(answer) if np.ndim(chi) == 0 else answer

    def time_between(self, start: float, stop: float) -> float:
        """How long chi takes from `start` to `stop`; inf to the fixed point.

        Raises InvalidInput where it never passes there on its way: `stop` must lie between `start` and the fixed point.
        """
        d0, d = (2.0 * (number(name, chi) - self.fixed_point) for name, chi in (("start", start), ("stop", stop)))
        if d0 == d:
            return 0.0
        if d * d0 < 0 or abs(d) > abs(d0):
            raise InvalidInput(
                f"chi never goes from {start:g} to {stop:g}; it goes from {start:g} towards {self.fixed_point:.6g} only"
            )
        if d == 0:
            return np.inf
        sign = float(np.sign(d))
        return (self._action(sign, float(np.log(abs(d0)))) - self._action(sign, float(np.log(abs(d))))) / self._speed

    def at(self, t: ArrayLike, start: float) -> Any:
        """chi at times t >= 0, any shape, from `start` at t = 0, else InvalidInput: the closed form's root."""
        times = np.asarray(t, dtype=float)
        if not np.all(np.isfinite(times) & (times >= 0)):
            raise InvalidInput(f"t is {shown(t)}; give finite times >= 0")
        answers = np.array([self._chi_at(float(s), number("start", start)) for s in times.ravel()])
        return float(answers[0]) if times.ndim == 0 else answers.reshape(times.shape)

    def process(self) -> Process:
        """chi's own drift, without noise: an axis that is transported."""
        return Process(self.rate, 0.0)

    def grid(self, cells: int = 401, reach: float = 3.0) -> Grid:
        """chi within `reach` of the fixed point, which is a node where cells is odd."""
        return Grid(chi=Axis.uniform(self.fixed_point - reach, self.fixed_point + reach, cells))

    def problem(self, cells: int = 401, reach: float = 3.0) -> Problem:
        """The process on its grid."""
        return Problem(self.process(), self.grid(cells, reach))

    def sgd(
        self,
        steps: int,
        n: int | None = None,
        *,
        seed: int,
        start: float | Swarm = 0.0,
        batch: int = 1,
        record: Sequence[int] | None = None,
        progress: Progress = None,
    ) -> Swarm:
        """Real SGD of the two vectors on fresh samples: n replicas, at the learning rate temperature * batch.

        start: chi at a minimum, or a Swarm to go on from.  Positions are chi and ln(|u| |w|/strength); `.weights` are
        u and w side by side, shape (n, m + k).  Bits, record and errors: fpsolve/particles/descent.py.
        Raises InvalidInput for batch < 1 and a start that is no number.
        """
        learning_rate = self.temperature * whole("batch", batch, 1)
        return descend(
            lambda weights, rng: weights - learning_rate * self._gradient(weights, batch, rng),
            start if isinstance(start, Swarm) else replicated(self._minimum(number("start", start)), n),
            names=("chi", "growth"),
            observe=self._observed,
            learning_rate=learning_rate,
            steps=steps,
            seed=seed,
            record=record,
            progress=progress,
            relaxation_time=self.relaxation_time,
        )

    def network(self, batch: int = 1) -> DenseNetwork:
        """The same layers as a network of one hidden neuron, W = w', U = u: much faster; InvalidInput for batch < 1."""
        teacher = np.zeros((self.outputs, self.inputs))
        teacher[0, 0] = self.strength
        data = GaussianSamples(teacher, 1.0, self.noise**2)
        return DenseNetwork(data, (1,), learning_rate=self.temperature * whole("batch", batch, 1), batch=batch)

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    @property
    def _speed(self) -> float:
        return 8.0 * self.temperature * self.noise**2

    def _action(self, sign: float, log_size: float) -> float:
        """F at d = sign exp(log_size): ln|e^d - 1| is d + ln(1 - e^-d) for d > 0, and ln|d| near 0."""
        size = np.exp(log_size)
        lost = log_size if log_size < NEAR else np.log(-np.expm1(-size))
        grown = lost + (size if sign > 0 else 0.0)
        return float((1.0 / self.inputs + 1.0 / self.outputs) * grown - sign * size / self.outputs)

    def _chi_at(self, t: float, start: float) -> float:
        from scipy.optimize import brentq

        d = 2.0 * (start - self.fixed_point)
        if d == 0 or t == 0:
            return start
        sign, high = float(np.sign(d)), float(np.log(abs(d)))
        goal = self._action(sign, high) - self._speed * t
        low = high - self._speed * t * max(self.outputs, self.inputs)  # dF/dln|d| is never below 1/max(m, k)
        log_size = brentq(
            lambda y: self._action(sign, y) - goal, low - MARGIN, high + MARGIN, xtol=1e-13, maxiter=ITERATIONS
        )
        return self.fixed_point + 0.5 * sign * float(np.exp(log_size))

    def _minimum(self, chi: float) -> Array:
        weights = np.zeros(self.outputs + self.inputs)
        weights[0], weights[self.outputs] = np.sqrt(self.strength) * np.exp([0.5 * chi, -0.5 * chi])
        return weights

    def _gradient(self, weights: Array, batch: int, rng: np.random.Generator) -> Array:
        """The minibatch mean of (2 e (w.x), 2 (u.e) x), e = u (w.x) - y; the map to be learnt is strength e_0 e_0'."""
        n, m = len(weights), self.outputs
        u, w = weights[:, None, :m], weights[:, None, m:]
        x, error = rng.standard_normal((n, batch, self.inputs)), -self.noise * rng.standard_normal((n, batch, m))
        signal = (w * x).sum(axis=2, keepdims=True)
        error += u * signal
        error[:, :, 0] -= self.strength * x[:, :, 0]
        pull = (u * error).sum(axis=2, keepdims=True)
        return 2.0 * np.concatenate([(error * signal).mean(axis=1), (pull * x).mean(axis=1)], axis=1)

    def _observed(self, weights: Array) -> Array:
        u, w = (np.log(np.linalg.norm(part, axis=1)) for part in np.split(weights, [self.outputs], axis=1))
        return np.stack([u - w, u + w - np.log(self.strength)], axis=1)

    def __repr__(self) -> str:
        return (
            f"RankOneFactorisation({self.outputs} outputs, {self.inputs} inputs, label noise {self.noise:g}, "
            f"temperature {self.temperature:g}: |u|^2/|w|^2 tends to {self.balanced_ratio:.4g})"
        )
