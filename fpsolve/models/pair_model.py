"""The pair (u, w) in the coordinates (zeta, q): where it is, how it moves, and the grid it is solved on.

    dzeta = -4 (beta1 v - beta2) dt + 4 sqrt(T C(v)) dW,   dq = -4 (T C(v) + gamma) dt

q carries no noise and only falls, to a reservoir: the row of cells in which |z| rests and v goes on as it would if the
layers were balanced.  Both C and the rates are unbounded, which is why zeta reaches far.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.axis import Axis
from fpsolve.checks import number
from fpsolve.errors import InvalidInput
from fpsolve.grid import Grid
from fpsolve.models.pair_coordinates import to_coordinates, to_output, to_weights
from fpsolve.models.pair_start import GaussianWeights
from fpsolve.models.pair_weights import check_sheet
from fpsolve.models.regression import Moments
from fpsolve.problem import Problem
from fpsolve.process import Process
from fpsolve.schemes import Positive, Scheme

__all__ = ["PairModel"]

Array = NDArray[np.float64]


class PairModel(ABC):
    """Base of RescalingPair: a model with moments, temperature, weight decay and the sign of z = u^2 - w^2."""

    temperature: float
    weight_decay: float
    sign: int

    @property
    @abstractmethod
    def moments(self) -> Moments:
        """alpha1, alpha2, alpha3, beta1, beta2 of the data."""

    def v(self, zeta: ArrayLike, q: ArrayLike) -> Array:
        """v = u w = exp(q) sinh(zeta)/2."""
        return to_output(zeta, q)

    def z(self, zeta: ArrayLike, q: ArrayLike) -> Array:
        """z = u^2 - w^2 = sign exp(q)."""
        return self.sign * np.exp(np.broadcast_arrays(np.asarray(q, dtype=float), zeta)[0])

    def u(self, zeta: ArrayLike, q: ArrayLike) -> Array:
        """u, up to the common sign of u and w: the larger of the two is taken as positive."""
        return to_weights(zeta, q, self.sign)[0]

    def w(self, zeta: ArrayLike, q: ArrayLike) -> Array:
        """w, up to the common sign of u and w: the larger of the two is taken as positive."""
        return to_weights(zeta, q, self.sign)[1]

    def coordinates(self, u: ArrayLike, w: ArrayLike) -> tuple[Array, Array]:
        """(zeta, q) of weights; raises InvalidInput where u^2 - w^2 has not this pair's sign."""
        check_sheet(u, w, self.sign)
        return to_coordinates(u, w)

    def drift(self, zeta: ArrayLike, q: ArrayLike) -> tuple[Array, Array]:
        """(-4 (beta1 v - beta2), -4 (T C(v) + gamma)); weight decay does not move zeta, since v and z shrink alike."""
        m, v = self.moments, self.v(zeta, q)
        noise = self.temperature * m.gradient_variance(v)
        return -4.0 * (m.beta1 * v - m.beta2), -4.0 * (noise + self.weight_decay)

    def diffusion(self, zeta: ArrayLike, q: ArrayLike) -> tuple[Array, Array]:
        """(8 T C(v), 0)."""
        noise = 8.0 * self.temperature * self.moments.gradient_variance(self.v(zeta, q))
        return noise, np.zeros_like(noise)

    def settled_drift(self, zeta: ArrayLike, q: ArrayLike) -> tuple[Array, Array]:
        """The drift in the last row of the grid, where |z| rests and v goes on as in the balanced network.

            A_zeta = -4 (beta1 v - beta2) - 4 (T C + gamma) tanh(zeta),   A_q = 0

        Ito's term of v, and the decay that z no longer shares, are in the second part; the diffusion is the same.
        """
        along, fall = self.drift(zeta, q)
        return along + fall * np.tanh(zeta), np.zeros_like(fall)

    def process(self) -> Process:
        """dX = A dt + sqrt(2 D) dW in (zeta, q), with `settled_drift` in the reservoir at the lower end of q."""
        return Process(drift=self.drift, diffusion=self.diffusion, reservoir_drift=self.settled_drift)

    def grid(
        self,
        dzeta: float = 0.05,
        dq: float = 0.05,
        q_max: float | None = None,
        q_min: float = -12.0,
        reach: float = 1000.0,
    ) -> Grid:
        """A uniform grid in zeta and q, with cells of at most dzeta and dq.

        q_max: just above the start, since q only falls (default: `initial().highest`).  q_min: where q ends in a
        reservoir, the balanced state; quantiles of |z| below exp(q_min) are not resolved.
        reach: the largest |v| at q_min, where walls are; a wall at 6 spoils E[z] by 14 % in the reference case.
        Raises InvalidInput for widths that are not positive, and a q_min above the start.
        """
        for name, width in (("dzeta", dzeta), ("dq", dq), ("reach", reach)):
            if not number(name, width) > 0:
                raise InvalidInput(f"{name} is {width}; give a positive, finite number")
        top, bottom = self.initial().highest if q_max is None else number("q_max", q_max), number("q_min", q_min)
        if top <= bottom:
            raise InvalidInput(f"q runs from {bottom:g} up to {top:g}; q_min must lie below the start")
        side = float(np.arcsinh(2.0 * reach * np.exp(-bottom)))
        across, down = 2 * int(np.ceil(side / dzeta)) + 1, max(3, int(np.ceil((top - bottom) / dq)))
        return Grid(
            zeta=Axis.uniform(-side, side, across, ends="reflecting"),
            q=Axis.uniform(bottom, top, down, ends=("reservoir", "reflecting")),
        )

    def problem(self, grid: Grid | None = None, scheme: Scheme | None = None) -> Problem:
        """The process on its grid (default: `grid()`), with Positive() unless told otherwise."""
        return Problem(self.process(), self.grid() if grid is None else grid, Positive() if scheme is None else scheme)

    def initial(self, mean: Sequence[float] | None = None, std: float | Sequence[float] = 0.05) -> GaussianWeights:
        """u and w independent and normal: a start for `evolve`, `simulate` and `sgd`.

        mean: (u, w), default (1.6, 0.3) where u^2 > w^2 and (0.3, 1.6) where not.  std: one deviation, or one each.
        Raises InvalidInput where more than 1e-12 of it lies on the other sheet.
        """
        return GaussianWeights((1.6, 0.3)[:: self.sign] if mean is None else mean, std, self.sign)
