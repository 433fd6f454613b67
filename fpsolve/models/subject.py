"""What the ladder asks of a model of SGD in one coordinate x: the pieces that theories of SGD are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from fpsolve.grid import Grid
from fpsolve.progress import Progress
from fpsolve.random_map import RandomMap
from fpsolve.values.swarm import Swarm

__all__ = ["HasSubject", "Subject"]

Array = NDArray[np.float64]
Coefficient = Callable[[Array], Array]


@runtime_checkable
class HasSubject(Protocol):
    """A model of one coordinate that the ladder can be built from."""

    def subject(self) -> Subject: ...


@dataclass(frozen=True, eq=False)
class Subject:
    """SGD of one coordinate.

    name: of the coordinate x.  minimum: of the loss.  rate: of the linear return to it.
    flow: x' without noise.  slope: L'(x) of the loss as a function of x.  drift, diffusion: of the Ito equation.
    grid: where its density lives.  learning_rate, batch, samples: eta, S, N.
    residual: sigma^2, the mean squared residual at the minimum; None where the loss is no sum of squares.
    skewness: of a sample's gradient at the minimum.
    random_map: one step of SGD, None where it has none in one coordinate.
    sgd: (steps, places (n,), seed, steps to record, progress) -> Swarm with positions (times, n, 1).
    """

    name: str
    minimum: float
    rate: float
    flow: Coefficient
    slope: Coefficient
    drift: Coefficient
    diffusion: Coefficient
    grid: Grid
    learning_rate: float
    batch: int
    samples: int
    residual: float | None
    skewness: float
    random_map: RandomMap | None
    sgd: Callable[[int, Array, int, Sequence[int], Progress], Swarm]

    @property
    def temperature(self) -> float:
        """T = learning_rate/batch."""
        return self.learning_rate / self.batch

    @property
    def noise_at_minimum(self) -> float:
        """D there."""
        return float(self.diffusion(np.array([self.minimum]))[0])

    @property
    def deviation(self) -> float:
        """Of the Gaussian approximation: sqrt(D/rate) at the minimum."""
        return float(np.sqrt(self.noise_at_minimum / self.rate))

    @property
    def bayes_noise(self) -> float | None:
        """d = 2 sigma^2/N, with which exp(-L/d) is Bayes' posterior; None where the residual is not known."""
        return None if self.residual is None else 2.0 * self.residual / self.samples
