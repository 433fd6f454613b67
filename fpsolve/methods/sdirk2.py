"""SDIRK2: two implicit stages, order 2, L-stable, one factorisation per step size.

    k1 = L(t + g h) (m + g h k1),   k2 = L(t + h) (m + (1 - g) h k1 + g h k2),   m' = m + (1 - g) h k1 + g h k2,
    g = 1 - 1/sqrt 2.
Increments are solved for, not states: h k = (1/g) (z - L)^-1 L m with z = 1/(g h).  The columns of L sum to zero, so
each increment carries no mass, and what rounding gives it shrinks with the increments.
The local error is that against a formula of order 3 (order 2 where L depends on t) on f0 = L(t) m, k1 and k2, filtered
by the same factorisation, so that components that have decayed do not count.
Sources: Alexander, SIAM J. Numer. Anal. 14, 1006 (1977); Hairer & Wanner (1996), ch. IV.6 and IV.8.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fpsolve.methods.flow import ROUGH, Flow, Generators
from fpsolve.methods.march import march
from fpsolve.methods.steps import check_steps
from fpsolve.progress import Progress
from fpsolve.values.info import Info

__all__ = ["SDIRK2"]

Array = NDArray[np.float64]
G = 1.0 - 1.0 / math.sqrt(2.0)
B = (1.0 - G, G)
_E1 = 1.0 / (6.0 * (1.0 - 3.0 * G))
EMBEDDED = (0.5 - _E1 * (1.0 - G), _E1, 0.5 - _E1 * G)  # of f0, k1, k2


@dataclass(frozen=True)
class SDIRK2:
    """Second order and L-stable; not positive for every step.

    dt: equal steps of at most dt between output times; None: adaptive steps, whose local error, summed over the cells
    and relative to the mass, is estimated at rtol or less.
    Raises InvalidInput unless dt > 0 and 0 < rtol < 1.

    >>> SDIRK2(rtol=1e-6)
    SDIRK2(dt=None, rtol=1e-06)
    """

    dt: float | None = None
    rtol: float = 1e-4
    order: ClassVar[int] = 2

    def __post_init__(self) -> None:
        check_steps(self.dt, self.rtol)

    def states(
        self, generator: Generators, m0: Array, times: Array, *, start: float = 0.0, progress: Progress = None
    ) -> tuple[Array, Info]:
        """The masses at `times`, from m0 at `start`; see `fpsolve.methods.march.Method`."""
        return march(self, generator, m0, times, start=start, progress=progress)

    def step(self, flow: Flow, t: float, h: float, m: Array, estimate: bool) -> tuple[Array, Array | None]:
        """The masses at t + h, and their estimated local error where asked for."""
        z, middle, end = 1.0 / (G * h), t + G * h, t + h
        rate = flow.apply(middle, m)
        one = flow.increment(middle, z, rate) / G
        two = flow.increment(end, z, flow.apply(end, m + B[0] * one)) / G
        new = m + B[0] * one + B[1] * two
        if not estimate:
            return new, None
        zero = h * (rate if flow.constant else flow.apply(t, m))
        off = EMBEDDED[0] * zero + (EMBEDDED[1] - B[0]) * one + (EMBEDDED[2] - B[1]) * two
        return new, z * flow.increment(end, z, off, to=ROUGH)
