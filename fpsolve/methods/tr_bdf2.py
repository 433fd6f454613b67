"""TR-BDF2: the trapezoidal rule to t + g h, then BDF2 to t + h; order 2, L-stable, one factorisation per step size.

    k1 = L(t) m,  k2 = L(t + g h) (m + h d (k1 + k2)),  k3 = L(t + h) m',  m' = m + h (w k1 + w k2 + d k3),
    g = 2 - sqrt 2,  d = g/2,  w = sqrt 2/4.
Increments are solved for, not states: h k = (1/d) (z - L)^-1 L (...) with z = 1/(d h), so that each of them carries no
mass.  The local error is that against the formula of order 3 on k1, k2 and k3, filtered by the same factorisation.
Sources: Bank et al., IEEE Trans. Electron Devices 32, 1992 (1985); Hosea & Shampine, Appl. Numer. Math. 20, 21 (1996).
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

__all__ = ["TRBDF2"]

Array = NDArray[np.float64]
G = 2.0 - math.sqrt(2.0)
D = 0.5 * G
W = math.sqrt(2.0) / 4.0
B = (W, W, D)
EMBEDDED = ((1.0 - W) / 3.0, (3.0 * W + 1.0) / 3.0, D / 3.0)  # of order 3


@dataclass(frozen=True)
class TRBDF2:
    """Second order and L-stable: the default where coefficients depend on time.

    dt: equal steps of at most dt between output times; None: adaptive steps that share out what the run may err by: its
    error, summed over the cells and relative to the mass, is about rtol at the end, at no time more than 3 rtol.  What
    an earlier step erred by counts as far as it has not decayed.
    Where rates are never negative, a step that leaves a mass below -1e-10 of the largest is taken again by shorter
    ones, the last resort being backward Euler; `info.notes` counts them.
    Raises InvalidInput unless dt > 0 and 0 < rtol < 1.

    >>> TRBDF2(rtol=1e-4)
    TRBDF2(dt=None, rtol=0.0001)
    """

    dt: float | None = None
    rtol: float = 1e-6
    order: ClassVar[int] = 2

    def __post_init__(self) -> None:
        check_steps(self.dt, self.rtol)

    def states(
        self, generator: Generators, m0: Array, times: Array, *, start: float = 0.0, progress: Progress = None
    ) -> tuple[Array, Info]:
        """The masses at `times`, from m0 at `start`; see `fpsolve.methods.march.Method`."""
        return march(self, generator, m0, times, start=start, progress=progress, carry=self.carry, positive=True)

    def step(self, flow: Flow, t: float, h: float, m: Array, estimate: bool) -> tuple[Array, Array | None]:
        """The masses at t + h, and their estimated local error where asked for."""
        z, middle, end = 1.0 / (D * h), t + G * h, t + h
        one = h * flow.apply(t, m)
        two = flow.increment(middle, z, flow.apply(middle, m + D * one)) / D
        both = m + W * (one + two)
        three = flow.increment(end, z, flow.apply(end, both)) / D
        new = both + D * three
        if not estimate:
            return new, None
        off = (EMBEDDED[0] - B[0]) * one + (EMBEDDED[1] - B[1]) * two + (EMBEDDED[2] - B[2]) * three
        return new, z * flow.increment(end, z, off, to=ROUGH)

    def carry(self, flow: Flow, t: float, h: float, e: Array) -> Array:
        """What becomes of a difference e of masses over a step, or more: backward Euler over D h, factored already."""
        z = 1.0 / (D * h)
        return z * flow.increment(t + h, z, e, to=ROUGH)
