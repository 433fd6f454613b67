"""How far paths get with time: the mean-square displacement, its exponent, and whether it is a power law at all.

    <|x(t) - x(0)|^2> = K t^beta:     beta = 1 diffusion, < 1 memory (subdiffusion), 2 ballistic

For free motion with Caputo memory beta the exponent is the memory.  The average is over replicas: time averages of one
path with memory grow like the lag to the power 1, whatever beta (weak ergodicity breaking), while those of fractional
Brownian motion, which has the same ensemble average, grow with beta; `time_averaged` tells them apart.  Steps that are
not small beside the first times bend the curve there, a confining potential bends it at the end: `power_law` tells.
Source: Metzler & Klafter, Phys. Rep. 339, 1 (2000), section 3; He, Burov, Metzler & Barkai, PRL 101, 058101 (2008).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.axis import read_only
from fpsolve.checks import number, whole
from fpsolve.errors import InvalidInput
from fpsolve.measure.inputs import Paths, paths
from fpsolve.values.swarm import Swarm

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Displacement", "mean_square_displacement"]

Array = NDArray[np.float64]
FEWEST_REPLICAS = 20
MOST_POINTS = 40
BLOCK = 4_000_000  # numbers held at once
SHORT = 10.0  # the first lag times this is where the default window begins
FEWEST_RESAMPLES = 50
BENT = 3.0  # standard errors


@dataclass(frozen=True, eq=False, repr=False)
class Displacement:
    """Mean-square displacement against time, and the power law fitted in a window.

    times, value, error: (m,).  window: (first, last) time of the fit.
    exponent, exponent_error: beta and its bootstrap standard error.  prefactor: K.
    bend, bend_error: d beta/d ln t inside the window, 0 for a power law.  n: replicas.

    >>> found = mean_square_displacement(np.outer(np.arange(50.0), np.linspace(0.5, 1.5, 100)))
    >>> round(found.exponent, 6), found.power_law  # ballistic
    (2.0, True)
    """

    times: Array
    value: Array
    error: Array
    window: tuple[float, float]
    exponent: float
    exponent_error: float
    prefactor: float
    bend: float
    bend_error: float
    n: int

    @property
    def power_law(self) -> bool:
        """Whether no bend is seen: it is within three standard errors of 0."""
        return abs(self.bend) <= BENT * self.bend_error

    def plot(self, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
        """Draw it against time with its error and the power law (log=False: on linear axes).  Returns the Axes."""
        from fpsolve.plot_measure import displacement

        return displacement(self, ax, label=label, log=log)

    def __repr__(self) -> str:
        low, high = self.window
        law = (
            "" if self.power_law else f"; no power law: the exponent bends by {self.bend:.2g} +- {self.bend_error:.1g}"
        )
        return (
            f"Displacement(<x^2> ~ t^{self.exponent:.4g} +- {self.exponent_error:.2g} for t in "
            f"[{low:.3g}, {high:.3g}], {self.n} replicas{law})"
        )


def mean_square_displacement(
    trajectories: Swarm | ArrayLike,
    times: ArrayLike | None = None,
    *,
    window: tuple[float, float] | None = None,
    centred: bool = False,
    time_averaged: bool = False,
    resamples: int = 200,
    seed: int = 0,
) -> Displacement:
    """The mean-square displacement of many replicas, and its exponent by a fit of ln <x^2> against ln t.

        <|x(t0 + t) - x(t0)|^2> = K t^beta

    trajectories: a Swarm, or positions (k, n) or (k, n, d) at `times` (k,) (default 0, 1, ...), n >= 20; the first time
        is t0.  window: (first, last) t of the fit; default: from 10 times the first on where a decade is left then.
    centred: take the mean displacement out, so that a drift alike for all does not count.
    time_averaged: average over t0 along each path too (times must then be equally spaced); see the head of this module.
    resamples, seed: of the bootstrap over replicas that gives the errors.

    Returns a Displacement.  Raises InvalidInput for fewer than 20 replicas, fewer than 3 times in the window, replicas
    that do not move, and values that are not finite.
    Source: the head of this module.

    >>> steps = np.random.default_rng(1).normal(size=(200, 1000))
    >>> mean_square_displacement(np.cumsum(steps, axis=0))
    Displacement(<x^2> ~ t^1.02 +- 0.022 for t in [10, 199], 1000 replicas)
    """
    seen = paths(trajectories, times, 4)
    if seen.positions.shape[1] < FEWEST_REPLICAS:
        raise InvalidInput(
            f"there are {seen.positions.shape[1]} replicas; errors by bootstrap need {FEWEST_REPLICAS} or more"
        )
    whole("resamples", resamples, FEWEST_RESAMPLES)
    rng = np.random.default_rng(whole("seed", seed, 0))
    t, square, mean = _along_time(seen) if time_averaged else _from_start(seen)
    value = _averaged(square.mean(axis=1), mean.mean(axis=1), centred)
    if not np.all(value > 0.0):
        raise InvalidInput(f"no replica has moved by t={t[np.argmin(value)]:g}; give paths that move, or a later start")
    inside, window = _chosen(t, window)
    others = _resampled(square, mean, centred, resamples, rng)
    slope, bend, level = _fitted(t[inside], value[None, inside])[:, 0]
    error = _fitted(t[inside], others[:, inside]).std(axis=1, ddof=1)
    return Displacement(
        read_only(t),
        read_only(value),
        read_only(others.std(axis=0, ddof=1)),
        window,
        float(slope),
        float(error[0]),
        float(np.exp(level)),
        float(bend),
        float(error[1]),
        square.shape[1],
    )


def _from_start(seen: Paths) -> tuple[Array, Array, Array]:
    """Times, squared displacements (m, n) and displacements (m, n, d), at times spread evenly in ln t."""
    t = seen.times[1:] - seen.times[0]
    keep = _spread(t)
    moved = seen.positions[1:][keep] - seen.positions[0]
    return t[keep], np.asarray(np.sum(moved**2, axis=2)), moved


def _along_time(seen: Paths) -> tuple[Array, Array, Array]:
    """The same against lag, averaged over all starts; lags reach to a quarter of the record."""
    lags = np.arange(1, max(len(seen.times) // 4, 3) + 1)
    lags = lags[_spread(lags.astype(float))]
    x = seen.positions
    square = np.array([np.sum((x[lag:] - x[:-lag]) ** 2, axis=2).mean(axis=0) for lag in lags])
    mean = np.array([(x[lag:] - x[:-lag]).mean(axis=0) for lag in lags])
    return np.asarray(seen.spacing * lags, dtype=float), square, mean


def _spread(t: Array) -> NDArray[np.int64]:
    """Indices of at most 40 times, evenly in ln t."""
    wanted = np.geomspace(t[0], t[-1], MOST_POINTS)
    return np.unique(np.searchsorted(t, wanted * (1.0 - 1e-9)).clip(max=t.size - 1))


def _averaged(square: Array, mean: Array, centred: bool) -> Array:
    return square - np.sum(mean**2, axis=-1) if centred else square


def _resampled(square: Array, mean: Array, centred: bool, resamples: int, rng: np.random.Generator) -> Array:
    """The displacement of replicas drawn with replacement, (resamples, m)."""
    n = square.shape[1]
    rows: list[Array] = []
    while len(rows) < resamples:
        size = min(max(1, BLOCK // n), resamples - len(rows))
        drawn = rng.multinomial(n, np.full(n, 1.0 / n), size=size) / n
        shifts = np.einsum("rn,mnd->rmd", drawn, mean, optimize=True) if centred else np.zeros((size, 1, 1))
        rows.extend(_averaged(drawn @ square.T, shifts, centred))
    return np.array(rows)


def _chosen(t: Array, window: tuple[float, float] | None) -> tuple[NDArray[np.bool_], tuple[float, float]]:
    if window is None:
        first = SHORT * t[0] if t[-1] >= SHORT**2 * t[0] * (1.0 - 1e-9) else t[0]
        window = (float(first), float(t[-1]))
    low, high = number("window[0]", window[0]), number("window[1]", window[1])
    inside = (t >= low * (1.0 - 1e-9)) & (t <= high * (1.0 + 1e-9))
    if inside.sum() < 3:
        raise InvalidInput(
            f"window is ({low:g}, {high:g}) and holds {int(inside.sum())} of the times between {t[0]:g} and {t[-1]:g}; "
            "a slope with its error needs 3"
        )
    return inside, (low, high)


def _fitted(t: Array, value: Array) -> Array:
    """Slope, bend and level (3, rows) of ln value (rows, m) against ln t; the bend is that of a parabola of its own."""
    s, y = np.log(t), np.log(value).T
    slope, level = np.polyfit(s, y, 1)
    return np.array([slope, 2.0 * np.polyfit(s - s.mean(), y, 2)[0], level])
