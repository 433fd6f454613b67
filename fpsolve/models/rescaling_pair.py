"""The rescaling pair: a two-layer network f = u w x whose layers need not be balanced.

With v = u w, z = u^2 - w^2, q = ln|z| and zeta = asinh(2 v/|z|), under the loss (v x - y)^2 + gamma (u^2 + w^2),

    dzeta = -4 (beta1 v - beta2) dt + 4 sqrt(T C(v)) dW,   dq = -4 (T C(v) + gamma) dt   (Ito, T = learning_rate/batch)

z carries no noise and keeps its sign: each sign is a problem of its own.  It dies out, the law of balance, and v is
left with the law of the balanced network of depth 1.  Ziyin, Li & Ueda, arXiv 2308.06671.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.errors import InvalidInput
from fpsolve.initial import Initial
from fpsolve.models.diagonal_network import DiagonalNetwork
from fpsolve.models.pair_coordinates import to_coordinates
from fpsolve.models.pair_model import PairModel
from fpsolve.models.pair_start import GaussianWeights
from fpsolve.models.pair_weights import Weights, drawn_weights, tell_of_crossings
from fpsolve.models.regression import Moments, Regression
from fpsolve.models.training import checked_moments, described, moments_of, trained
from fpsolve.particles.draws import draw
from fpsolve.particles.pair import PairLaw, pair_paths
from fpsolve.particles.rates import Rate
from fpsolve.particles.sgd import diagonal_sgd
from fpsolve.progress import Progress
from fpsolve.values.exact import ExactDensity
from fpsolve.values.swarm import Swarm

__all__ = ["RescalingPair"]

Array = NDArray[np.float64]
SHEETS = {1: "u^2 > w^2", -1: "u^2 < w^2"}
NAMES = ("zeta", "q")


@dataclass(frozen=True, eq=False)
class RescalingPair(PairModel):
    """Two layers of one weight each, u and w, trained by SGD on one-dimensional regression.

    data: a Regression (or Moments, without SGD: see `from_moments`).
    learning_rate, batch: the step eta and the minibatch size S; 0.01 and 1 where they are left out, as the repr says.
    weight_decay: gamma >= 0.
    sign: 1 where u^2 > w^2, -1 where u^2 < w^2; both have the same process.
    temperature: eta/S; give it only to have it checked against learning_rate and batch.

    Raises InvalidInput for arguments out of range, a batch larger than the data, a temperature in conflict.

    >>> pair = RescalingPair.from_moments(Moments(1, 0.5, 1, 1, 1), temperature=0.3)
    >>> zeta, q = pair.coordinates(1.6, 0.3)
    >>> round(float(pair.v(zeta, q)), 12), round(float(pair.z(zeta, q)), 12)
    (0.48, 2.47)
    >>> round(pair.rate_of_ln_z, 5)
    -1.41188
    """

    data: Regression | Moments
    learning_rate: float | None = 0.01
    batch: int | None = 1
    weight_decay: float = 0.0
    sign: int = 1
    temperature: float = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if isinstance(self.sign, bool) or self.sign not in SHEETS:
            raise InvalidInput(f"sign is {self.sign!r}; it is that of z = u^2 - w^2: give 1 or -1")
        object.__setattr__(self, "temperature", self.balanced().temperature)

    @classmethod
    def from_moments(
        cls, moments: Moments, temperature: float, weight_decay: float = 0.0, sign: int = 1
    ) -> RescalingPair:
        """A pair known by Moments, else InvalidInput, and its temperature: all of it works, `sgd` apart."""
        return cls(checked_moments(moments), None, None, weight_decay, sign, temperature)

    @property
    def moments(self) -> Moments:
        """alpha1, alpha2, alpha3, beta1, beta2 of the data."""
        return moments_of(self.data)

    @property
    def critical_temperature(self) -> float:
        """(|beta2| - gamma)/alpha3: at and above it v dies out as well, and there is no stationary density."""
        return self.balanced().critical_temperature

    @property
    def rate_of_ln_z(self) -> float:
        """The law of balance, d ln|z|/dt once z has died out: -4 (T <C> + gamma) = -4 (|beta2| - beta1 |<v>|).

        The second form, in which <v> is that of the balanced network, holds below the critical temperature (<d ln v>
        vanishes); above it v = 0 and the rate is -4 (T alpha3 + gamma).
        """
        m = self.moments
        if self.temperature >= self.critical_temperature:
            return -4.0 * (self.temperature * m.alpha3 + self.weight_decay)
        return -4.0 * (abs(m.beta2) - m.beta1 * abs(self.balanced().exact_mean))

    def balanced(self) -> DiagonalNetwork:
        """The network of depth 1 that is left when z = 0."""
        return self._balanced

    def exact_density(self) -> ExactDensity:
        """The stationary density of v in closed form, once z has died out; see `DiagonalNetwork.exact_density`."""
        return self.balanced().exact_density()

    def simulate(
        self,
        initial: Initial | Weights | Swarm,
        times: ArrayLike,
        *,
        n: int | None = None,
        seed: int,
        dtau: float = 0.02,
        dt: float | None = None,
        threads: int | None = None,
        progress: Progress = None,
    ) -> Swarm:
        """Simulate n particles, each in its own clock dtau = 4 T C dt, and record (zeta, q) at `times`.

        initial: `pair.initial(...)`, weights (u, w), numbers or one each per particle, any start that `masses` takes,
        or a Swarm, whose particles go on.  n: left out with a Swarm, needed without, else InvalidInput.  The other
        arguments, and what else is raised: `fpsolve.particles.pair.pair_paths`.
        """
        if isinstance(initial, Swarm):
            if initial.names != NAMES or n not in (None, len(initial)):
                raise InvalidInput(f"initial is {initial!r}; give one in {NAMES}, and leave n out")
            start: ArrayLike | Swarm = initial
        elif isinstance(initial, (GaussianWeights, tuple, list, np.ndarray)):
            start = np.stack(to_coordinates(*drawn_weights(initial, n, seed, self.sign)), axis=-1)
        elif n is None:
            raise InvalidInput("n is missing; give the number of particles")
        else:
            start = draw(cast(Initial, initial), getattr(initial, "grid", None) or self.grid(), n, seed)
        m, temperature = self.moments, self.temperature
        law = PairLaw(
            (temperature * m.alpha1, temperature * m.alpha2, temperature * m.alpha3),
            (m.beta1, m.beta2),
            float(self.weight_decay),
        )
        return pair_paths(start, times, law, seed=seed, dtau=dtau, dt=dt, threads=threads, progress=progress)

    def sgd(
        self,
        steps: int,
        n: int | None,
        seed: int,
        *,
        start: GaussianWeights | Weights | Swarm,
        learning_rate: Rate | None = None,
        replacement: bool = True,
        record: Sequence[int] | None = None,
        threads: int | None = None,
        progress: Progress = None,
        max_diverged: float = 0.01,
    ) -> Swarm:
        """Real minibatch SGD of both weights on the data.

            z' = z [(1 - 2 eta gamma)^2 - 4 eta^2 g^2]      (path by path; g: the minibatch mean of (v x - y) x)

        start: `pair.initial(...)`, weights (u, w), or a Swarm that SGD returned.  Positions are (zeta, q), `.weights`
        (n, 2, 1) the last u and w.  For the other arguments and what is raised see `DiagonalNetwork.sgd`.

        Raises InvalidInput where the pair was made from moments.  Warns DegenerateWarning where z changed its sign, as
        a finite learning rate can make it, or is lost in rounding: the coordinates hold |z| only.
        """
        data, own_rate, batch = trained("pair", self.data, self.learning_rate, self.batch)
        if not isinstance(start, Swarm):
            weights: Array | Swarm = np.stack(drawn_weights(start, n, seed, self.sign), axis=-1)[:, :, None]
        else:
            weights = start
        swarm = diagonal_sgd(
            data.x,
            data.y,
            learning_rate=own_rate if learning_rate is None else learning_rate,
            steps=steps,
            n=n,
            seed=seed,
            batch=batch,
            weight_decay=self.weight_decay,
            start=weights,
            replacement=replacement,
            record=record,
            threads=threads,
            progress=progress,
            max_diverged=max_diverged,
            relaxation_time=self.balanced().relaxation_time if self.balanced().law.has_minimum else None,
            names=NAMES,
            observe=_positions,
        )
        tell_of_crossings(swarm, self.sign)
        return swarm

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed; a new learning_rate or batch brings its temperature with it."""
        if changes.keys() & {"learning_rate", "batch"}:
            changes = {"temperature": None, **changes}
        return dataclasses.replace(self, **changes)

    @cached_property
    def _balanced(self) -> DiagonalNetwork:
        return DiagonalNetwork(self.data, 1, 1, self.learning_rate, self.batch, self.weight_decay, self.temperature)

    def __repr__(self) -> str:
        decay = f", weight decay {self.weight_decay:g}" if self.weight_decay else ""
        how = described(self.data, self.learning_rate, self.batch)
        return (
            f"RescalingPair({SHEETS[self.sign]}, temperature {self.temperature:g} "
            f"(critical {self.critical_temperature:.6g}){decay}; {how})"
        )


def _positions(weights: Array) -> Array:
    """(zeta, q) of weights (n, 2, 1), shape (n, 2)."""
    return np.stack(to_coordinates(weights[:, 0, 0], weights[:, 1, 0]), axis=-1)
