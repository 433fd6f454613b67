"""One step of minibatch SGD of a balanced diagonal network, as a random map of one weight.

    u' = (1 - 2 eta gamma) u - 2 eta m u^(n-1),   m = mean over the batch of (x^2 v - x y),   |v| = d u^n

All n d weights are u in size, and stay so: balance is kept by every step, and unbalanced layers approach it.  The side
v < 0 is that of (x, -y).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.models.balanced import BalancedLaw
from fpsolve.models.regression import Regression
from fpsolve.random_map import Power, RandomMap

__all__ = ["balanced_map"]

Array = NDArray[np.float64]
DEVIATIONS = 40.0  # of the law at the minimum, reached upward and downward
DEEPEST = 27.0  # in ln v, reached downward


@dataclass(frozen=True)
class _Step:
    """u' of u and the batch's m."""

    learning_rate: float
    weight_decay: float
    layers: int

    def __call__(self, u: Array, m: Array) -> Array:
        pull = m if self.layers == 1 else m * u ** (self.layers - 1)
        return u - 2.0 * self.learning_rate * (pull + self.weight_decay * u)


@dataclass(frozen=True)
class _Statistic:
    """x^2 |v| - |x y| of one sample, with the sign that pulls |v| up."""

    width: int
    layers: int

    def __call__(self, u: Array, square: Array, product: Array) -> Array:
        return square * (self.width * u**self.layers) - product


def balanced_map(
    data: Regression,
    law: BalancedLaw,
    *,
    layers: int,
    width: int,
    learning_rate: float,
    batch: int,
    weight_decay: float,
) -> RandomMap:
    """The random map of u on the side of the minimum; one layer has the whole line.

    The domain is where the law may be: down to 27 below ln of the minimum and up to 40 deviations above it.
    """
    side = 1.0 if layers == 1 else law.side
    readout = Power(side * width, float(layers))
    return RandomMap(
        _Step(learning_rate, weight_decay, layers),
        (data.x**2, side * data.x * data.y),
        _domain(law, readout, layers),
        "linear" if layers == 1 else "log",
        statistic=_Statistic(width, layers),
        batch=batch,
        mirrored=layers % 2 == 0,
        readout=readout,
        time=learning_rate,
        name="v",
    )


def _domain(law: BalancedLaw, readout: Power, layers: int) -> tuple[float, float]:
    if not law.has_minimum:  # nothing to find: all mass goes to v = 0
        return 1e-6, 1.0
    middle, reach = law.minimum, DEVIATIONS * float(np.sqrt(law.variance_at_minimum))
    if layers == 1:
        lo, hi = readout.inverse(np.array([middle - reach, middle + reach]))
        return float(lo), float(hi)
    far = middle + np.copysign(reach, middle)
    near = middle * np.exp(-np.clip(reach / abs(middle), 1.0, DEEPEST))
    lo, hi = readout.inverse(np.array([near, far]))
    return float(lo), float(hi)
