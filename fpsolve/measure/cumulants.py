"""The third cumulant of the noise: what no diffusion sees, of relative size sqrt(temperature).

    kappa_abc = <(g - m)_a (g - m)_b (g - m)_c>,     along u: kappa = <(u'(g - m))^3>,  skewness kappa/sigma^3

Of the mean of a minibatch of B: kappa/B^2, and (N - B)(N - 2B)/((N - 1)(N - 2)) of that without replacement.
From n draws n^2/((n - 1)(n - 2)) times the sample's own is unbiased; its standard error is that of the mean of

    x_a x_b x_c - kappa_abc - S_ab x_c - S_bc x_a - S_ca x_b,     x = g - m

which takes into account that the mean is estimated, too.  Source: Kendall & Stuart, Advanced Theory of Statistics,
vol. 1, ch. 12 (k-statistics, finite populations).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.asking import shown
from fpsolve.axis import read_only
from fpsolve.checks import yes_or_no
from fpsolve.errors import InvalidInput
from fpsolve.measure.inputs import batch_size, draws, spread
from fpsolve.values.swarm import Swarm

__all__ = ["ThirdCumulant", "gradient_third_cumulant", "third_cumulant"]

Array = NDArray[np.float64]
MOST_COORDINATES = 24  # a tensor of 13 824 entries
BLOCK = 2_000_000  # numbers held at once


@dataclass(frozen=True, eq=False, repr=False)
class ThirdCumulant:
    """A third cumulant with its standard error.

    value, error: (d, d, d), or (1, 1, 1) along a direction; the error is 0 where it is exact.
    skewness, skewness_error: (d,) or (1,), kappa_aaa/sigma_a^3, along each coordinate or the direction.
    n: how many gave it.

    >>> found = gradient_third_cumulant([[0.0, 0.0], [0.0, 3.0], [3.0, 0.0]])
    >>> found.value[0, 0].round(6), round(found.along([1.0, 0.0]), 6)
    (array([ 2., -1.]), 2.0)
    """

    value: Array
    error: Array
    skewness: Array
    skewness_error: Array
    n: int

    def __post_init__(self) -> None:
        for name in ("value", "error", "skewness", "skewness_error"):
            object.__setattr__(self, name, read_only(np.array(getattr(self, name), dtype=float)))

    def along(self, direction: ArrayLike) -> float:
        """The third cumulant along a direction u, (d,), which is normalised: sum kappa_abc u_a u_b u_c."""
        u = _direction(direction, len(self.value))
        return float(np.einsum("abc,a,b,c", self.value, u, u, u))

    def __repr__(self) -> str:
        shown = ", ".join(f"{s:.3g}" for s in self.skewness[:4]) + (", ..." if self.skewness.size > 4 else "")
        error = f" +- {self.skewness_error.max():.2g}" if self.skewness_error.any() else " (exact)"
        return f"ThirdCumulant({len(self.value)} coordinates; skewness {shown}{error}; n = {self.n})"


def gradient_third_cumulant(
    gradients: ArrayLike, batch: int = 1, *, replacement: bool = True, direction: ArrayLike | None = None
) -> ThirdCumulant:
    """The third cumulant of a minibatch's mean gradient, exactly, from the gradients of all samples at one point.

        kappa/B^2;     replacement=False: kappa/B^2 (N - B)(N - 2B)/((N - 1)(N - 2))

    gradients: (N, d), or (N,) for one parameter.  batch: B.  replacement: whether a minibatch may hold a sample twice.
    direction: (d,), normalised here; then only the cumulant along it is formed (needed beyond 24 parameters).

    Returns a ThirdCumulant of error 0.  Raises InvalidInput for fewer than 3 samples, values that are not finite,
    gradients that are all equal, a batch larger than the data, and directions of another size or 0.

    >>> round(gradient_third_cumulant([0.0, 0.0, 3.0], batch=2).value.item(), 12)
    0.5
    """
    g = _along(draws(gradients, "gradients", 3), direction)
    spread(g, "the gradient")
    n, size = len(g), batch_size(batch, len(g))
    x = g - g.mean(axis=0)
    cube, sigma = _cubes(x), np.sqrt(np.mean(x**2, axis=0))
    share, shrink = 1.0 / size**2, 1.0 / size
    if not yes_or_no("replacement", replacement):
        share *= (n - size) * (n - 2.0 * size) / ((n - 1.0) * (n - 2.0))
        shrink *= (n - size) / (n - 1.0)
    diagonal = np.einsum("aaa->a", cube)
    skewness = share / shrink**1.5 * diagonal / sigma**3 if shrink > 0 else np.full(sigma.size, np.nan)
    return ThirdCumulant(share * cube, np.zeros_like(cube), skewness, np.zeros_like(sigma), n)


def third_cumulant(
    samples: Swarm | ArrayLike, *, direction: ArrayLike | None = None, t: float | None = None
) -> ThirdCumulant:
    """The third cumulant of the law that independent draws came from, unbiased, with its standard error.

        n^2/((n - 1)(n - 2)) <x_a x_b x_c>,     x = g - <g>

    samples: (n, d) or (n,), or a Swarm (its replicas at t, default the last time).
    direction: (d,), normalised here; then only the cumulant along it is formed (needed beyond 24 coordinates).

    A law without a sixth moment has no standard error: the one given then grows with n instead of falling.
    Returns a ThirdCumulant.  Raises InvalidInput for fewer than 8 samples, values that are not finite, a constant
    coordinate, and directions of another size or 0.

    >>> third_cumulant(np.random.default_rng(1).exponential(size=100_000))
    ThirdCumulant(1 coordinates; skewness 1.99 +- 0.026; n = 100000)
    """
    g = _along(draws(samples, "samples", 8, t), direction)
    spread(g, "the noise")
    n = len(g)
    x = g - g.mean(axis=0)
    cube, covariance = _cubes(x), x.T @ x / n
    unbiased = n * n / ((n - 1.0) * (n - 2.0))
    sigma = np.sqrt(np.diag(covariance))
    z = x / sigma
    skewness = np.mean(z**3, axis=0)
    # how each sample moves kappa/sigma^3, sigma being estimated from the same
    influence = z**3 - skewness - 3.0 * z - 1.5 * skewness * (z**2 - 1.0)
    return ThirdCumulant(
        unbiased * cube,
        np.sqrt(_influences(x, cube, covariance) / n),
        skewness * np.sqrt(n * (n - 1.0)) / (n - 2.0),
        influence.std(axis=0) / np.sqrt(n),
        n,
    )


def _along(g: Array, direction: ArrayLike | None) -> Array:
    """The draws, or their components along a direction."""
    if direction is not None:
        return (g @ _direction(direction, g.shape[1]))[:, None]
    if g.shape[1] > MOST_COORDINATES:
        raise InvalidInput(
            f"the third cumulant of {g.shape[1]} coordinates has {g.shape[1] ** 3} entries; give a direction, or at "
            f"most {MOST_COORDINATES} coordinates"
        )
    return g


def _direction(given: ArrayLike, d: int) -> Array:
    u = np.array(given, dtype=float)
    if u.shape != (d,) or not np.all(np.isfinite(u)) or not u.any():
        raise InvalidInput(f"direction is {shown(given)}; give {d} finite numbers, not all 0")
    return np.asarray(u / np.linalg.norm(u))


def _cubes(x: Array) -> Array:
    """<x_a x_b x_c>, (d, d, d)."""
    d = x.shape[1]
    total = np.zeros((d, d * d))
    for part in _blocks(x):
        total += part.T @ (part[:, :, None] * part[:, None, :]).reshape(len(part), d * d)
    return (total / len(x)).reshape(d, d, d)


def _influences(x: Array, cube: Array, s: Array) -> Array:
    """The variance of one sample's share in <x_a x_b x_c>, (d, d, d)."""
    total = np.zeros_like(cube)
    for part in _blocks(x):
        a, b, c = part[:, :, None, None], part[:, None, :, None], part[:, None, None, :]
        share = a * b * c - cube - s[:, :, None] * c - s[None, :, :] * a - s[:, None, :] * b
        total += np.sum(share**2, axis=0)
    return total / len(x)


def _blocks(x: Array) -> list[Array]:
    return np.array_split(x, max(1, len(x) * x.shape[1] ** 3 // BLOCK))
