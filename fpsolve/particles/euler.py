"""One Euler step of many particles: Ito drift and diffusion at their places, and the move, per axis in x or in ln|x|.

    dX = a dt + sqrt(2 D) dW,  a = A + (1 - c) div D     (Ito; c = 1, 1/2, 0: the process's convention)

The noise of axis k is sqrt(2 D_kk dt) g_k, the g_k correlated as D is (correlated.py): a tensor of rank one moves
particles along one line.  On log axes the step is taken in ln|X|, so that X keeps its sign: with u = a dt/X and
v = 2 D dt/X^2,

    X <- X exp(u - v/2 + sqrt(v) g)                   (exact where A ~ X and D ~ X^2)

Where dt does not resolve the process, u or v above 1 (near 0, if D/X^2 diverges there), that exponential would make
wild leaps.  There v is replaced by 1 + ln v, which leaves the variance of the plain Euler step to a factor e, and
exp(u) by e + (u - 1) (by its inverse for u < -1), which adds a dt as the plain step does.
Derivatives are central differences over a thousandth of a cell.  Functions are checked once, where the particles
start; after that they are called as they are, once a step for all particles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.errors import InvalidInput
from fpsolve.functions import Points
from fpsolve.grid import Grid
from fpsolve.particles.calls import Coefficient, Time, pairs, refuse_inside
from fpsolve.particles.correlated import correlations, mixed, possible
from fpsolve.particles.draws import reach
from fpsolve.process import CONVENTIONS, Process

__all__ = ["Local", "LocalCoefficients"]

Array = NDArray[np.float64]
DIFFERENCE = 1e-3  # of a cell
DIRECT = ("log_diffusion", "drift_over_diffusion")
WATCHED = 1000  # particles


@dataclass(frozen=True, eq=False)
class Local:
    """What a step needs, of X on plain axes and of ln|X| on log axes.

    a, d: the Ito drift and the diffusion of each axis, shape (axes, n).
    r: the correlations of their noise, one row per pair of axes; None where it is independent.
    """

    a: Array
    d: Array
    r: Array | None

    def at(self, index: NDArray[np.int64]) -> Local:
        """That of some of the particles."""
        return Local(self.a[:, index], self.d[:, index], None if self.r is None else self.r[:, index])


class LocalCoefficients:
    """The coefficients of `process` on the axes of `grid`, checked at the places x (d, n) and time t of the start.

    own_times: whether they will be asked for with a time for each particle.
    Raises InvalidInput where they are not what they must be, and for a Stratonovich process whose tensor depends on
    the place and is not diagonal.
    """

    def __init__(self, process: Process, grid: Grid, x: Array, t: float, own_times: bool = False) -> None:
        self.process, self.grid, self.ndim = process, grid, grid.ndim
        self.logarithmic = np.array([axis.kind == "log" for axis in grid.axes])
        self.signs = np.array([np.sign(axis.lo) if axis.kind == "log" else 1.0 for axis in grid.axes])
        self.direct = self.ndim == 1 and all(label in process.functions for label in DIRECT)
        self.uniform = process.constant_diffusion and not np.any(self.logarithmic)  # the noise is the same everywhere
        self.correction = 0.0 if process.constant_diffusion else 1.0 - CONVENTIONS[process.convention]
        self.downhill = process.potential is not None and process.gradient is None  # D/T is the mobility
        self.check(x, t)
        plain = ("potential", "diffusion") if self.downhill else ("drift", "diffusion")
        labels = DIRECT if self.direct else plain
        self.calls = {label: Coefficient(process.functions[label], grid.names, x, t, own_times) for label in labels}

    def __call__(self, x: Array, t: Time) -> Local:
        """What a step needs at places x, shape (d, n); raises InvalidInput where coefficients fail inside the grid."""
        if x.shape[1] == 0:
            return Local(np.zeros_like(x), np.zeros_like(x), None)
        with np.errstate(all="ignore"):
            a, packed = self._logarithms(x, t) if self.direct else self._plainly(x, t)
            d, r = packed[: self.ndim], correlations(packed, self.ndim)
            right = np.all(np.isfinite(a) & np.isfinite(d) & (d >= 0.0), axis=0)
            if r is not None:
                right &= possible(r)
            if not right.all():
                refuse_inside(self.grid, x, t, ~right, self.check)
        return Local(a, d, r)

    def moved(self, x: Array, local: Local, dt: Time, normals: Array) -> Array:
        """Where particles at x are after a step dt, one for all or one for each; normals: independent, shape (d, n)."""
        new, g = np.empty_like(x), mixed(normals, local.r)
        with np.errstate(all="ignore"):
            for k in range(self.ndim):
                step = _grown if self.logarithmic[k] else _shifted
                new[k] = step(x[k], local.a[k] * dt, 2.0 * local.d[k] * dt, g[k])
        return new

    def drifted(self, x: Array, a: Array, dt: Time) -> Array:
        """Where the drift alone takes particles in a step."""
        if not np.any(self.logarithmic):
            with np.errstate(all="ignore"):
                return x + a * dt
        still = np.zeros_like(x)
        return self.moved(x, Local(a, still, None), dt, still)

    def slant(self, local: Local, k: int) -> Array:
        """D_jk/D_kk in each axis's own measure (ln|x| upwards on log axes): along it a wall of axis k pushes back."""
        result = np.zeros_like(local.d)
        result[k] = 1.0
        if local.r is None:
            return result
        for r, (i, j) in zip(np.clip(local.r, -1.0, 1.0), pairs(self.ndim), strict=True):
            if k in (i, j):
                other = i + j - k
                with np.errstate(divide="ignore", invalid="ignore"):
                    ratio = np.sqrt(local.d[other] / local.d[k])
                result[other] = np.where(local.d[k] > 0.0, r * ratio * self.signs[i] * self.signs[j], 0.0)
        return result

    def stiffness(self, x: Array, t: float, duration: float) -> float:
        """The rate, in the median over the particles, that an explicit step must resolve; log axes do not count.

        |lambda|^2/Re lambda, lambda the eigenvalues of -da/dx: -da/dx itself in one dimension.  A rotation that hardly
        contracts counts by what its steps would gain over the duration of the run.
        """
        plain = np.flatnonzero(~self.logarithmic)
        if plain.size == 0 or x.shape[1] == 0:
            return 0.0
        few = x[:, :: max(1, x.shape[1] // WATCHED)]
        with np.errstate(all="ignore"):  # far out places differ by less than they are rounded
            slopes = [self._slope(lambda y: self(y, t).a[plain], few, int(k)) for k in plain]
        matrices = -np.moveaxis(np.array(slopes), -1, 0)
        matrices = matrices[np.all(np.isfinite(matrices), axis=(1, 2))]
        if len(matrices) == 0:
            return 0.0
        values = np.linalg.eigvals(matrices)
        real, lasting = values.real, 1.0 / duration
        rates = np.where(real > -lasting, np.abs(values) ** 2 / np.maximum(real, lasting), 0.0)
        return float(np.median(rates.max(axis=1)))

    def check(self, x: Array, t: float) -> None:
        """Raises InvalidInput unless drift and diffusion are what they must be at every one of the places x."""
        points = Points(self.grid.names, tuple(x), (("particle", x.shape[1:]),))
        if self.downhill:
            self.process.potential_at(points, t)
        else:
            self.process.drift_at(points, t)
        self.process.diffusion_at(points, t)

    def _plainly(self, x: Array, t: Time) -> tuple[Array, Array]:
        packed = self.calls["diffusion"].tensor(x, t)
        if self.downhill:
            a = _times(-packed / (self.process.temperature or 1.0), self._gradient(x, t))
        else:
            a = self.calls["drift"].vector(x, t)
        if self.correction:
            if self.correction < 1.0:
                self._refuse_tensor(packed)
            a = a + self.correction * self._divergence(x, t)
        if np.any(self.logarithmic):
            scale = np.where(self.logarithmic[:, None], x, 1.0)
            a, packed = a / scale, np.array(packed)
            for row, (i, j) in enumerate((*((i, i) for i in range(len(x))), *pairs(len(x)))[: len(packed)]):
                packed[row] = packed[row] / scale[i] / scale[j]  # x^2 would underflow first
        return a, packed

    def _logarithms(self, x: Array, t: Time) -> tuple[Array, Array]:
        """From ln D and A/D, for processes whose D underflows; one dimension."""
        log_d, ratio = (self.calls[label].vector(x, t) for label in DIRECT)
        if self.correction:
            ratio = ratio + self.correction * self._slope(lambda y: self.calls["log_diffusion"].vector(y, t), x, 0)
        if self.logarithmic[0]:
            d = np.exp(log_d - 2.0 * np.log(np.abs(x)))
            return d * ratio * x, d
        d = np.exp(log_d)
        return d * ratio, d

    def _gradient(self, x: Array, t: Time) -> Array:
        loss = self.calls["potential"]
        return np.array([self._slope(lambda y: loss.numbers(y, t), x, k) for k in range(self.ndim)])

    def _divergence(self, x: Array, t: Time) -> Array:
        """sum_j dD_ij/dx_j, shape (d, n)."""
        total, diffusion = np.zeros_like(x), self.calls["diffusion"]
        for k in range(self.ndim):
            slopes = self._slope(lambda y: diffusion.tensor(y, t), x, k)
            total[k] += slopes[k]
            for row, (i, j) in zip(slopes[self.ndim :], pairs(self.ndim), strict=False):
                if k in (i, j):
                    total[i + j - k] += row
        return total

    def _slope(self, ask: Callable[[Array], Array], x: Array, k: int) -> Array:
        """Derivative along axis k of what `ask` gives; one-sided where a wall is nearer than the difference."""
        axis: Axis = self.grid.axes[k]
        low, high = reach(axis)
        if self.logarithmic[k]:
            step = DIFFERENCE * axis.ds * np.abs(x[k])
        else:
            near = np.clip(x[k], axis.lo, axis.hi)
            step = DIFFERENCE * axis.ds * axis.dx(np.clip(axis.s(near), axis.start, axis.stop))
        above, below = np.minimum(x[k] + step, high), np.maximum(x[k] - step, low)
        return (ask(_replaced(x, k, above)) - ask(_replaced(x, k, below))) / (above - below)

    def _refuse_tensor(self, packed: Array) -> None:
        if np.any(packed[self.ndim :] != 0.0):
            raise InvalidInput(
                "convention is 'stratonovich' and diffusion is a tensor that depends on the place, with entries off "
                "its diagonal: the midpoint rule then needs one of its square roots, which D does not tell; use "
                "'ito' or 'isothermal', or coordinates in which the tensor is diagonal"
            )


def _shifted(x: Array, u: Array, v: Array, g: Array) -> Array:
    return x + u + np.sqrt(v) * g


def _grown(x: Array, u: Array, v: Array, g: Array) -> Array:
    v = np.where(v > 1.0, 1.0 + np.log(v), v)
    grown = np.exp(np.clip(u, -1.0, 1.0) - 0.5 * v + np.sqrt(v) * g)
    return x * (grown + np.maximum(u - 1.0, 0.0)) / (1.0 + np.maximum(-u - 1.0, 0.0) / np.e)


def _times(packed: Array, vector: Array) -> Array:
    """The packed tensor times a vector, shape (d, n)."""
    d = len(vector)
    result = packed[:d] * vector
    for row, (i, j) in zip(packed[d:], pairs(d), strict=False):
        result[i] += row * vector[j]
        result[j] += row * vector[i]
    return result


def _replaced(x: Array, k: int, row: Array) -> Array:
    return np.concatenate([x[:k], row[None], x[k + 1 :]])
