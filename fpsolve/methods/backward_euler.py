"""Backward Euler: (1 - h L(t + h)) m' = m, order 1, positive for every step.

With off-diagonal rates >= 0 the matrix on the left is an M-matrix, so m' >= 0 wherever m >= 0, however long the step.
The state itself is solved for, m' = z (z - L)^-1 m with z = 1/h, since an increment could lose a sign to rounding.
The local error is half the change of the rate over the step, filtered by the same factorisation.
Source: Hairer & Wanner, Solving Ordinary Differential Equations II (1996), ch. IV.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fpsolve.methods.flow import Flow, Generators
from fpsolve.methods.march import march
from fpsolve.methods.steps import check_steps
from fpsolve.progress import Progress
from fpsolve.values.info import Info

__all__ = ["BackwardEuler"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class BackwardEuler:
    """First order, and positive for every step: where a density must not be negative anywhere, ever.

    dt: equal steps of at most dt between output times; None: adaptive steps, whose local error, summed over the cells
    and relative to the mass, is estimated at rtol or less.
    Raises InvalidInput unless dt > 0 and 0 < rtol < 1.

    >>> BackwardEuler(dt=0.01)
    BackwardEuler(dt=0.01, rtol=0.0001)
    """

    dt: float | None = None
    rtol: float = 1e-4
    order: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check_steps(self.dt, self.rtol)

    def states(
        self, generator: Generators, m0: Array, times: Array, *, start: float = 0.0, progress: Progress = None
    ) -> tuple[Array, Info]:
        """The masses at `times`, from m0 at `start`; see `fpsolve.methods.march.Method`."""
        return march(self, generator, m0, times, start=start, progress=progress)

    def step(self, flow: Flow, t: float, h: float, m: Array, estimate: bool) -> tuple[Array, Array | None]:
        """The masses at t + h, and their estimated local error where asked for."""
        z, end = 1.0 / h, t + h
        new = z * flow.solve(end, z, m)
        if not estimate:
            return new, None
        return new, z * flow.solve(end, z, 0.5 * (new - m - h * flow.apply(t, m)))
