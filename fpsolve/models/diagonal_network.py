"""Diagonal linear networks: f = v x, v a sum over d neurons of products of n = depth + 1 weights, balanced layers.

    A = -2 n d^(2/n-1) (beta1 v - beta2) |v|^(2-2/n) + 2 T n (n-1) d^(4/n-2) |v|^(4-4/n) C/v - 2 n gamma v
    D = 2 T n^2 d^(4/n-2) |v|^(4-4/n) C(v),       T = learning_rate/batch

for the loss (v x - y)^2 + gamma |theta|^2 and minibatches drawn with replacement (Ito).  At depth 1 the stationary
density exists below T_c = (|beta2| - gamma)/alpha3 only.  Ziyin, Li & Ueda, arXiv 2308.06671.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from fpsolve.checks import whole
from fpsolve.errors import InvalidInput
from fpsolve.models.balanced import BalancedLaw
from fpsolve.models.balanced_map import balanced_map
from fpsolve.models.balanced_model import BalancedModel
from fpsolve.models.balanced_subject import balanced_subject
from fpsolve.models.regression import Moments, Regression
from fpsolve.models.subject import Subject
from fpsolve.models.training import checked_moments, checked_training, described, moments_of, trained
from fpsolve.particles.sgd import Rate, diagonal_sgd
from fpsolve.particles.starts import Start
from fpsolve.progress import Progress
from fpsolve.random_map import RandomMap
from fpsolve.values.swarm import Swarm

__all__ = ["DiagonalNetwork", "InfiniteDepth"]


@dataclass(frozen=True, eq=False)
class DiagonalNetwork(BalancedModel):
    """A diagonal linear network trained by SGD on one-dimensional regression.

    data: a Regression (or Moments, without SGD: see `from_moments`).
    depth: the papers' D >= 0; the network has depth + 1 layers.  width: neurons d >= 1.
    learning_rate, batch: the step eta and the minibatch size S; 0.01 and 1 where they are left out, as the repr says.
    weight_decay: gamma >= 0.
    temperature: eta/S; give it only to have it checked against learning_rate and batch.

    Raises InvalidInput for arguments out of range, a batch larger than the data, a temperature in conflict.

    >>> net = DiagonalNetwork.from_moments(Moments(2, 2, 3, 1, 1), temperature=0.1)
    >>> round(net.critical_temperature, 6), net.tail_exponent, round(net.exact_mean, 9)
    (0.333333, 3.5, 0.844936471)
    """

    data: Regression | Moments
    depth: int = 1
    width: int = 1
    learning_rate: float | None = 0.01
    batch: int | None = 1
    weight_decay: float = 0.0
    temperature: float = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        found = checked_training(self.data, self.temperature, self.learning_rate, self.batch)
        object.__setattr__(self, "temperature", found)
        object.__setattr__(self, "depth", whole("depth", self.depth, 0))
        object.__setattr__(self, "width", whole("width", self.width, 1))
        if not (np.isfinite(self.weight_decay) and self.weight_decay >= 0):
            raise InvalidInput(f"weight_decay is {self.weight_decay}; give a finite number >= 0")

    @classmethod
    def from_moments(
        cls, moments: Moments, temperature: float, depth: int = 1, width: int = 1, weight_decay: float = 0.0
    ) -> DiagonalNetwork:
        """A network known by Moments, else InvalidInput, and its temperature: all of it works, `sgd` apart."""
        return cls(checked_moments(moments), depth, width, None, None, weight_decay, temperature)

    @staticmethod
    def infinite_depth(moments: Moments, ratio: float) -> InfiniteDepth:
        """The limit depth -> inf at fixed ratio = width/(depth temperature)."""
        return InfiniteDepth(moments, ratio)

    @property
    def moments(self) -> Moments:
        """alpha1, alpha2, alpha3, beta1, beta2 of the data."""
        return moments_of(self.data)

    @property
    def layers(self) -> int:
        """depth + 1."""
        return self.depth + 1

    @cached_property
    def law(self) -> BalancedLaw:
        """kappa = d^(1-2/n)/(n T), decay = gamma d^(2-4/n)/(n T), mobility = 2 T n^2 d^(4/n-2)."""
        n, d, temperature = self.layers, float(self.width), self.temperature
        return BalancedLaw(
            self.moments,
            n,
            kappa=d ** (1.0 - 2.0 / n) / (n * temperature),
            decay=self.weight_decay * d ** (2.0 - 4.0 / n) / (n * temperature),
            mobility=2.0 * temperature * n**2 * d ** (4.0 / n - 2.0),
        )

    @property
    def critical_temperature(self) -> float:
        """The temperature above which no stationary density exists on the side of the minimum.

        (|beta2| - gamma)/alpha3 at depth 1 (0 where that is negative); inf at depth 0 and, without weight decay, from
        depth 2 on (a crossover, no transition); 0 from depth 2 on with weight decay or beta2 = 0: never a density.
        """
        m = self.moments
        if self.layers == 1:
            return np.inf
        force = abs(m.beta2) - self.weight_decay
        if self.layers > 2:
            return np.inf if self.weight_decay == 0 and force > 0 else 0.0
        if force <= 0:
            return 0.0
        return force / m.alpha3 if m.alpha3 > 0 else np.inf

    @property
    def lyapunov_exponent(self) -> float:
        """Growth rate of ln |v| near 0 on the side of the minimum: 4 (|beta2| - gamma - T alpha3) at depth 1.

        From depth 2 on the linear part is the weight decay's alone, -2 n gamma.  Raises InvalidInput at depth 0, where
        v = 0 is an ordinary point.
        """
        m = self.moments
        if self.layers == 1:
            raise InvalidInput("depth is 0: v = 0 is not a fixed point of one layer, so it has no Lyapunov exponent")
        if self.layers == 2:
            return 4.0 * (abs(m.beta2) - self.weight_decay - self.temperature * m.alpha3)
        return -2.0 * self.layers * self.weight_decay

    def sgd(
        self,
        steps: int,
        n: int,
        seed: int,
        *,
        start: Start = None,
        learning_rate: Rate | None = None,
        replacement: bool = True,
        record: Sequence[int] | None = None,
        threads: int | None = None,
        progress: Progress = None,
        max_diverged: float = 0.01,
    ) -> Swarm:
        """Real minibatch SGD of this network on its data: n replicas, `steps` steps, no diffusion assumed.

        Positions are the process's coordinate v, `.weights` the layers, t = steps * learning_rate.  `learning_rate`
        (a function of the step, or one value per step) replaces the network's own; for the other arguments, the
        returned Swarm and what is raised see `fpsolve.particles.sgd.diagonal_sgd`.

        Raises InvalidInput where the network was made from moments.
        """
        data, own_rate, batch = self._trained()
        return diagonal_sgd(
            data.x,
            data.y,
            learning_rate=own_rate if learning_rate is None else learning_rate,
            steps=steps,
            n=n,
            seed=seed,
            depth=self.depth,
            width=self.width,
            batch=batch,
            weight_decay=self.weight_decay,
            start=start,
            replacement=replacement,
            record=record,
            threads=threads,
            progress=progress,
            max_diverged=max_diverged,
            relaxation_time=self.relaxation_time if self.law.has_minimum else None,
        )

    def random_map(self) -> RandomMap:
        """One step of minibatch SGD with replacement, the layers balanced: what `fp.transfer` takes; v is read off.

        On the side of the minimum.  Raises InvalidInput where the network was made from moments, or has no noise.
        """
        data, rate, batch = self._trained()
        self.law.check_noise()
        sizes = dict(layers=self.layers, width=self.width, batch=batch)
        return balanced_map(data, self.law, learning_rate=rate, weight_decay=self.weight_decay, **sizes)

    def subject(self) -> Subject:
        """What `fp.ladder` asks: SGD of v, with the loss as a function of v (weight decay included).

        Raises InvalidInput where the network was made from moments.
        """
        return balanced_subject(self.law, *self._trained(), self.grid(), self.random_map, self.sgd)

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed; a new learning_rate or batch brings its temperature with it."""
        if changes.keys() & {"learning_rate", "batch"}:
            changes = {"temperature": None, **changes}
        return dataclasses.replace(self, **changes)

    def _trained(self) -> tuple[Regression, float, int]:
        return trained("network", self.data, self.learning_rate, self.batch)

    def __repr__(self) -> str:
        decay = f", weight decay {self.weight_decay:g}" if self.weight_decay else ""
        how = described(self.data, self.learning_rate, self.batch)
        return (
            f"DiagonalNetwork(depth {self.depth}, width {self.width}, temperature {self.temperature:g} "
            f"(critical {self.critical_temperature:.6g}){decay}; {how})"
        )


@dataclass(frozen=True, eq=False)
class InfiniteDepth(BalancedModel):
    """The diagonal network of infinite depth, at fixed ratio = width/(depth temperature).

    moments: of the data.  As n -> inf with d/(n T) = ratio and time counted in units of d/n:
    A = -2 (beta1 v - beta2) v^2 + (2/ratio) |v|^4 C/v,  D = (2/ratio) v^4 C, and
    p ~ |v|^-3 C^-1 exp(-ratio int (beta1 v - beta2)/(v^2 C) dv): width and depth enter with the temperature only.

    Raises InvalidInput unless ratio is positive and finite.

    >>> InfiniteDepth(Moments(2, 2, 3, 1, 1), ratio=1.0).tail_exponent
    5.0
    """

    moments: Moments
    ratio: float

    def __post_init__(self) -> None:
        checked_moments(self.moments)
        if not (np.isfinite(self.ratio) and self.ratio > 0):
            raise InvalidInput(f"ratio is {self.ratio}; width/(depth temperature) must be positive and finite")

    @cached_property
    def law(self) -> BalancedLaw:
        """kappa = ratio, mobility = 2/ratio."""
        return BalancedLaw(self.moments, None, kappa=self.ratio, decay=0.0, mobility=2.0 / self.ratio)

    @property
    def critical_temperature(self) -> float:
        """Infinite: normalisable for every ratio; 0 where beta2 = 0, never."""
        return np.inf if self.moments.beta2 != 0 else 0.0

    def __repr__(self) -> str:
        return f"InfiniteDepth(ratio {self.ratio:g}; {self.moments!r})"
