"""A nearly symmetric loss: the rescaling pair f = u w x, and a term without noise that holds its charge near z0.

    loss = (u w x - y)^2 + zeta (u^2 - w^2 - z0)^2/2,     A = diag(1, -1):  (u, w) -> (e^l u, e^-l w)

The first part is symmetric sample by sample, so all its gradients are along (w, u), whatever the data: the noise in
(u, w) has rank one, Sigma = 4 C(v) (w, u)(w, u)'.  In v = u w and z = u^2 - w^2, s = u^2 + w^2 = sqrt(z^2 + 4 v^2),

    dv = [-2 (beta1 v - beta2) s + 4 T v C] dt + 2 sqrt(T C) s dW,    dz = -4 [zeta (z - z0) s + T C z] dt      (Ito)

the charge has no noise and needs no regularisation.  Where it rests, zeta grad L1' A theta = s2 Tr[Sigma A] with
s2 = T/2, L1 = (z - z0)^2/2 and Tr[Sigma A] = -4 C z: SGD pulls towards |u| = |w|, and zeta against it.  At the minimum
theta', A theta' is an eigenvector of the Hessian, of eigenvalue zeta h, h = 4 s: for strong zeta the charge is moved
by 2 s2 Tr[Sigma A]/(zeta h) = -T C z0/(zeta s), the weights by half of that over |A theta'| = sqrt(s).
Source: Ziyin, Wang, Li & Wu, arXiv 2402.07193.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.axis import Axis
from fpsolve.checks import number
from fpsolve.errors import InvalidInput
from fpsolve.grid import Grid
from fpsolve.models.regression import Moments, Regression
from fpsolve.models.training import checked_moments, checked_training, described, moments_of, trained
from fpsolve.particles.descent import descend, replicated
from fpsolve.problem import Problem
from fpsolve.process import Process
from fpsolve.progress import Progress
from fpsolve.values.exact import ExactDensity
from fpsolve.values.swarm import Swarm

__all__ = ["NearlySymmetric"]

Array = NDArray[np.float64]
FAR = 100.0  # of the largest scale of v: where its axis ends
WIDTHS = 8.0  # of v's law at the minimum: within them the charge's axis holds every balance
MARGINS = (0.5, 0.1)  # beyond these, away from z0 and past it
HALVINGS = 60
QUADRATURE = 80  # Gauss points from the minimum to v, in asinh(2 v/z0)


@dataclass(frozen=True, eq=False)
class NearlySymmetric:
    """Two layers of one weight each whose rescaling symmetry is broken by a term without noise.

    data: a Regression (or Moments, without SGD: see `from_moments`).  strength: zeta > 0.  charge: z0, not 0.
    learning_rate, batch: of SGD, 0.01 and 1 where they are left out, as the repr says; temperature: their quotient, to
        have it checked.

    Raises InvalidInput for arguments out of range, a batch larger than the data, a temperature in conflict.

    >>> model = NearlySymmetric.from_moments(Moments(0, 0, 1, 1, 1), strength=2.0, charge=1.5, temperature=0.02)
    >>> round(model.balanced_charge(), 6), round(model.charge + model.displacement, 6)
    (1.494015, 1.494)
    """

    data: Regression | Moments
    strength: float
    charge: float
    learning_rate: float | None = 0.01
    batch: int | None = 1
    temperature: float = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if not number("strength", self.strength) > 0:
            raise InvalidInput(f"strength is {self.strength}; give a finite number > 0 (at 0 use RescalingPair)")
        if number("charge", self.charge) == 0:
            raise InvalidInput(
                "charge is 0, which SGD favours too: nothing is displaced; give another, or RescalingPair"
            )
        found = checked_training(self.data, self.temperature, self.learning_rate, self.batch)
        object.__setattr__(self, "temperature", found)

    @classmethod
    def from_moments(cls, moments: Moments, strength: float, charge: float, temperature: float) -> NearlySymmetric:
        """A model known by Moments, else InvalidInput: all of it works, `sgd` apart."""
        return cls(checked_moments(moments), strength, charge, None, None, temperature)

    @property
    def moments(self) -> Moments:
        """alpha1, alpha2, alpha3, beta1, beta2 of the data."""
        return moments_of(self.data)

    @property
    def minimum(self) -> float:
        """v where both parts of the loss are lowest, beta2/beta1; z is z0 there."""
        return self.moments.beta2 / self.moments.beta1

    def noise_trace(self, v: ArrayLike, z: ArrayLike) -> Array:
        """Tr[Sigma A] = -4 C(v) z, any shape."""
        return -4.0 * self.moments.gradient_variance(v) * np.asarray(z, dtype=float)

    def charge_rate(self, v: ArrayLike, z: ArrayLike) -> Array:
        """dz/dt = -2 zeta grad L1' A theta + T Tr[Sigma A], without noise; its mean is 0 in a stationary state."""
        pull = 2.0 * (np.asarray(z, dtype=float) - self.charge) * _size(v, z)  # grad L1' A theta
        return -2.0 * self.strength * pull + self.temperature * self.noise_trace(v, z)

    def balanced_charge(self, v: ArrayLike | None = None) -> Any:
        """Where dz/dt = 0 at given v (by default at the minimum), between 0 and z0; any shape."""
        place = np.asarray(self.minimum if v is None else v, dtype=float)
        low, high = np.zeros(place.shape), np.ones(place.shape)  # of z0
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            short = np.sign(self.charge) * self.charge_rate(place, middle * self.charge) > 0
            low, high = np.where(short, middle, low), np.where(short, high, middle)
        answer = self.charge * high
        return float(answer) if place.ndim == 0 else answer

    @property
    def displacement(self) -> float:
        """Of the charge from z0 at the minimum, to first order in T/zeta: 2 s2 Tr[Sigma A]/(zeta h)."""
        return self.temperature * float(self.noise_trace(self.minimum, self.charge)) / (self.strength * self.stiffness)

    @property
    def weight_displacement(self) -> float:
        """Of (u, w) along A theta'/|A theta'|, to first order: s2 Tr[Sigma A]/(zeta h |A theta'|)."""
        return 0.5 * self.displacement / float(np.sqrt(_size(self.minimum, self.charge)))

    @property
    def stiffness(self) -> float:
        """h = 4 s: zeta h is the Hessian's eigenvalue along A theta' at the minimum."""
        return 4.0 * float(_size(self.minimum, self.charge))

    def coordinates(self, u: ArrayLike, w: ArrayLike) -> tuple[Array, Array]:
        """(v, z) = (u w, u^2 - w^2)."""
        u, w = np.asarray(u, dtype=float), np.asarray(w, dtype=float)
        return u * w, (u - w) * (u + w)

    def weights(self, v: ArrayLike, z: ArrayLike) -> tuple[Array, Array]:
        """(u, w) with these coordinates and u + w > 0 or, where that leaves a choice, u >= 0: (-u, -w) is the other."""
        v, z = (np.asarray(c, dtype=float) for c in (v, z))
        larger = np.sqrt(0.5 * (_size(v, z) + np.abs(z)))
        smaller = np.divide(v, larger, out=np.zeros(np.broadcast_shapes(v.shape, z.shape)), where=larger > 0)
        return np.where(z >= 0, larger, smaller), np.where(z >= 0, smaller, larger)

    def process(self) -> Process:
        """(v, z): an axis with noise, and one that is transported."""
        return Process(self._drift, (self._diffusion, 0.0))

    def weights_process(self, regularisation: float = 0.0) -> Process:
        """(u, w), with noise of rank one: exact for particles; the grid solver refuses tensors without full rank.

        regularisation: an isotropic diffusion >= 0 (else InvalidInput) to add.  It leaves the drifts of v and z alone,
        adds s times it to the diffusion of v, and gives the charge a noise that it does not have: a variance of about
        regularisation/zeta.
        """
        if not number("regularisation", regularisation) >= 0:
            raise InvalidInput(f"regularisation is {regularisation}; it is a diffusion: give a finite number >= 0")

        def diffusion(u: Array, w: Array) -> Any:
            size = 2.0 * self.temperature * self.moments.gradient_variance(u * w)
            shared = size * u * w
            return (size * w * w + regularisation, shared), (shared, size * u * u + regularisation)

        return Process(self._pull, diffusion)

    def grid(self, cells: tuple[int, int] = (300, 100)) -> Grid:
        """v on a sinh axis about the minimum; z, uniform, from z0 to the balances that v's fluctuations ask for."""
        around = self.minimum + self._width * np.linspace(-WIDTHS, WIDTHS, 101)
        balances = self.balanced_charge(around)
        gap = float(balances[np.argmax(np.abs(self.charge - balances))]) - self.charge  # towards 0
        ends = self.charge + gap * np.array([1.0 + MARGINS[0], -MARGINS[1]])
        low, high = np.sort(np.where(ends * self.charge > 0, ends, 0.0))
        return Grid(v=self._axis(cells[0]), z=Axis.uniform(float(low), float(high), cells[1]))

    def problem(self, cells: tuple[int, int] = (300, 100)) -> Problem:
        """The process of (v, z) on its grid."""
        return Problem(self.process(), self.grid(cells))

    def pinned_problem(self, cells: int = 800) -> Problem:
        """v alone at z = z0: the limit of infinite strength."""
        z0 = self.charge
        process = Process(lambda v: self._drift(v, z0)[0], lambda v: self._diffusion(v, z0))
        return Problem(process, Grid(v=self._axis(cells)))

    def exact_density(self, cells: int = 800) -> ExactDensity:
        """The stationary law of v at z = z0, the limit of infinite strength; s^2 = z0^2 + 4 v^2.

            p ~ s^-3/2 C^-1 exp(-int (beta1 v - beta2)/(T C s) dv)

        Raises InvalidInput where the gradient's noise vanishes at a place.
        """
        if self.moments.determinant == 0 and self.moments.alpha1 > 0:
            raise InvalidInput(
                f"the gradient noise vanishes at v = {self.moments.alpha2 / self.moments.alpha1:g}; there is no "
                "stationary density: give data with label noise"
            )
        return ExactDensity(self._log_pinned, Grid(v=self._axis(cells)), "charge held")

    def sgd(
        self,
        steps: int,
        n: int | None = None,
        *,
        seed: int,
        start: tuple[float, float] | Swarm | None = None,
        record: Sequence[int] | None = None,
        progress: Progress = None,
    ) -> Swarm:
        """Real minibatch SGD of (u, w), samples drawn with replacement; positions (v, z), `.weights` (u, w).

        start: (u, w), by default at the minimum with charge z0; or a Swarm to go on from.  Bits, record and errors:
        fpsolve/particles/descent.py.  Raises InvalidInput where the model was made from moments.
        """
        data, eta, batch = trained("model", self.data, self.learning_rate, self.batch)
        square, product = data.x**2, data.x * data.y

        def step(weights: Array, rng: np.random.Generator) -> Array:
            picks = rng.integers(data.n, size=(len(weights), batch))
            u, w = weights.T
            error = 2.0 * (u * w * square[picks].mean(axis=1) - product[picks].mean(axis=1))
            held = 2.0 * self.strength * (u * u - w * w - self.charge)
            return weights - eta * np.stack([error * w + held * u, error * u - held * w], axis=1)

        if start is None:
            start = tuple(float(c) for c in self.weights(self.minimum, self.charge))  # type: ignore[assignment]
        begin = start if isinstance(start, Swarm) else replicated(np.array(start, dtype=float), n)
        return descend(
            step, begin, names=("v", "z"), observe=lambda weights: np.stack(self.coordinates(*weights.T), axis=1),
            learning_rate=eta, steps=steps, seed=seed, record=record, progress=progress,
        )  # fmt: skip

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed; a new learning_rate or batch brings its temperature with it."""
        if changes.keys() & {"learning_rate", "batch"}:
            changes = {"temperature": None, **changes}
        return dataclasses.replace(self, **changes)

    @cached_property
    def _width(self) -> float:
        """The deviation of v about the minimum, at small temperatures: T C s/beta1."""
        noise = float(self.moments.gradient_variance(self.minimum))
        return float(np.sqrt(self.temperature * noise * _size(self.minimum, self.charge) / self.moments.beta1))

    def _axis(self, cells: int) -> Axis:
        width = self._width
        if width == 0:
            raise InvalidInput("the gradient noise vanishes at the minimum: there is no density; give noisy labels")
        far = FAR * max(abs(self.minimum), abs(self.charge), width)
        return Axis.sinh(self.minimum - far, self.minimum + far, cells, scale=width, center=self.minimum)

    def _drift(self, v: Array, z: Array | float) -> tuple[Array, Array]:
        m, s = self.moments, _size(v, z)
        gain = 4.0 * self.temperature * v * m.gradient_variance(v)
        return gain - 2.0 * (m.beta1 * v - m.beta2) * s, self.charge_rate(v, z)

    def _diffusion(self, v: Array, z: Array | float) -> Array:
        return 2.0 * self.temperature * self.moments.gradient_variance(v) * _size(v, z) ** 2

    def _pull(self, u: Array, w: Array) -> tuple[Array, Array]:
        error = 2.0 * (self.moments.beta1 * u * w - self.moments.beta2)
        held = 2.0 * self.strength * (u * u - w * w - self.charge)
        return -error * w - held * u, -error * u + held * w

    def _log_pinned(self, v: Array) -> Array:
        """With 2 v = |z0| sinh y, dv/s = dy/2: an integral over y, smooth and short."""
        size, m = abs(self.charge), self.moments
        y0, y = np.arcsinh(2.0 * self.minimum / size), np.arcsinh(2.0 * np.asarray(v, dtype=float) / size)
        points, parts = np.polynomial.legendre.leggauss(QUADRATURE)
        half = 0.5 * (y - y0)[..., None]
        along = 0.5 * size * np.sinh(y0 + half * (points + 1.0))
        slopes = (m.beta1 * along - m.beta2) / m.gradient_variance(along)
        action = 0.5 * (half * slopes * parts).sum(axis=-1) / self.temperature
        return -1.5 * np.log(_size(v, size)) - np.log(m.gradient_variance(v)) - action

    def __repr__(self) -> str:
        return (
            f"NearlySymmetric(strength {self.strength:g}, charge {self.charge:g} displaced by {self.displacement:.4g}, "
            f"temperature {self.temperature:g}; {described(self.data, self.learning_rate, self.batch)})"
        )


def _size(v: ArrayLike, z: ArrayLike) -> Array:
    """s = u^2 + w^2."""
    return np.asarray(np.hypot(z, 2.0 * np.asarray(v, dtype=float)))
