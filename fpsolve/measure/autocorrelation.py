"""How long noise remembers: the autocorrelation of a stationary record, and the time over which it forgets.

    r(l) = <(x_t - m)(x_{t+l} - m)>/<(x_t - m)^2>;     time = dt (1/2 + sum_{l >= 1} r(l))

Averages are over replicas and times, by FFT; m is the mean of all.  Of many replicas the error is their scatter, of few
it is Bartlett's, which takes the record for linear:

    n Var r(l) = sum_k r(k)^2 + r(k+l) r(k-l) - 4 r(l) r(k) r(k-l) + 2 r(k)^2 r(l)^2

The sum for the time stops at the first l >= 5 times what that of |r| has reached, since r is noise beyond.  m being
estimated, r is too low by about 2 time/duration for a single record.
Source: Bartlett, Suppl. J. R. Stat. Soc. 8, 27 (1946); Madras & Sokal, J. Stat. Phys. 50, 109 (1988).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.axis import read_only
from fpsolve.checks import whole
from fpsolve.errors import InvalidInput
from fpsolve.measure.inputs import paths
from fpsolve.measure.resampling import grouped, jackknife_error, without_each
from fpsolve.values.swarm import Swarm

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Autocorrelation", "autocorrelation"]

Array = NDArray[np.float64]
FEWEST_TIMES = 8
MANY_REPLICAS = 20  # whose scatter is an error
WINDOW = 5.0  # times the correlation time


@dataclass(frozen=True, eq=False, repr=False)
class Autocorrelation:
    """Autocorrelation against lag.

    lags: (m,), in the unit of the times, from 0.  value, error: (m,); value[0] is 1.
    white: uncorrelated noise stays within +- white at a lag, with 95 %.
    time, time_error: the integrated correlation time, dt/2 for white noise.  n: values it was taken from.

    >>> steps = np.random.default_rng(2).normal(size=10_001)
    >>> found = autocorrelation(steps[1:] + steps[:-1], lags=20)
    >>> found.is_white, bool(abs(found.value[1] - 0.5) < 4 * found.error[1])
    (False, True)
    """

    lags: Array
    value: Array
    error: Array
    white: float
    time: float
    time_error: float
    n: int

    @property
    def effective_samples(self) -> float:
        """How many independent values the record is worth: n dt/(2 time)."""
        return float(self.n * self.lags[1] / (2.0 * self.time))

    @property
    def is_white(self) -> bool:
        """Whether the time is within two standard errors of white noise's, and the first lag within three bands/2."""
        dt = float(self.lags[1])
        return abs(self.time - 0.5 * dt) <= 2.0 * self.time_error and abs(float(self.value[1])) <= 1.5 * self.white

    def plot(self, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
        """Draw it against the lag, with its error and the band of white noise; log=True: logarithmic lags.

        Returns the Axes.
        """
        from fpsolve.plot_measure import correlation

        return correlation(self, ax, label=label, log=log)

    def __repr__(self) -> str:
        verdict = "white" if self.is_white else "correlated"
        return (
            f"Autocorrelation({verdict}: time {self.time:.4g} +- {self.time_error:.2g}, {self.value.size} lags to "
            f"{self.lags[-1]:g}, {self.n} values)"
        )


def autocorrelation(
    trajectories: Swarm | ArrayLike, times: ArrayLike | None = None, *, lags: int | None = None
) -> Autocorrelation:
    """The autocorrelation of stationary trajectories in one coordinate, with its error, and the correlation time.

    trajectories: a Swarm, or positions (k,) or (k, n) at equally spaced `times` (k,) (default 0, 1, ...).
    lags: how many beside 0; default a quarter of the times.

    A record that has not settled shows its settling as correlation: leave that out first.
    Returns an Autocorrelation.  Raises InvalidInput for fewer than 8 times, times that are not equally spaced,
    several coordinates, a constant replica, values that are not finite, and more lags than half the times.
    Source: the head of this module.

    >>> autocorrelation(np.random.default_rng(2).normal(size=10_000), lags=20)
    Autocorrelation(white: time 0.4872 +- 0.018, 21 lags to 20, 10000 values)
    """
    seen = paths(trajectories, times, FEWEST_TIMES)
    x, dt = seen.only, seen.spacing
    k, n = x.shape
    most = max(4, k // 4) if lags is None else whole("lags", lags, 1)
    if most > k // 2:
        raise InvalidInput(f"lags is {most}, but there are {k} times; at most half of them: {k // 2}")
    flat = np.flatnonzero(np.all(x == x[:1], axis=0))
    if flat.size:
        raise InvalidInput(
            f"replica {flat[0]} is constant ({x[0, flat[0]]:g}), {flat.size} of {n} are: nothing to correlate; leave "
            "it out if it belongs to another class of states"
        )
    products = _products(x - x.mean(), most)
    value = products.mean(axis=1) / products[0].mean()
    total = k * n
    w = _window(value)
    time = 0.5 + float(value[1 : w + 1].sum())
    if n >= MANY_REPLICAS:
        sums = without_each(np.add.reduceat(products, grouped(n), axis=1).T)
        others = sums / sums[:, :1]
        error, time_error = jackknife_error(others), float(jackknife_error(others[:, 1 : w + 1].sum(axis=1)))
    else:
        error = np.sqrt(_bartlett(value, w, total))
        time_error = float(np.sqrt(2.0 * (2.0 * w + 1.0) / total) * abs(time))  # Madras & Sokal
    white = 1.96 / np.sqrt(total)
    lag = dt * np.arange(most + 1)
    return Autocorrelation(read_only(lag), read_only(value), read_only(error), white, time * dt, time_error * dt, total)


def _products(x: Array, most: int) -> Array:
    """Mean products at each lag 0, ..., most of every replica, (most + 1, n)."""
    from scipy.fft import irfft, next_fast_len, rfft

    k = len(x)
    size = next_fast_len(k + most, real=True)  # zeros beyond, so that the ends do not meet
    rows = [irfft(np.abs(rfft(part, size, axis=0)) ** 2, size, axis=0)[: most + 1] for part in _columns(x)]
    return np.asarray(np.concatenate(rows, axis=1) / (k - np.arange(most + 1.0))[:, None])


def _columns(x: Array) -> list[Array]:
    return np.array_split(x, max(1, x.size // 2_000_000), axis=1) if x.shape[1] > 1 else [x]


def _window(r: Array) -> int:
    """The first lag at five times the correlation time summed up to it, whatever the signs."""
    reached = 0.5 + np.cumsum(np.append(0.0, np.abs(r[1:])))
    past = np.flatnonzero(np.arange(r.size) >= WINDOW * reached)
    return int(past[0]) if past.size else r.size - 1


def _bartlett(r: Array, w: int, n: int) -> Array:
    """The variance of r at each lag; r counts as 0 beyond the window w."""
    lags, k = np.arange(r.size), np.arange(-w, w + 1)

    def at(lag: NDArray[np.int64]) -> Array:
        size = np.abs(lag)
        return np.where(size <= w, r[np.minimum(size, w)], 0.0)

    own, behind, ahead = at(k), at(k[None, :] - lags[:, None]), at(k[None, :] + lags[:, None])
    here = r[:, None] * (lags <= w)[:, None]
    # terms in r(k + l) r(k - l) reach beyond |k| <= w only where both vanish
    terms = own**2 + ahead * behind - 4.0 * here * own * behind + 2.0 * own**2 * here**2
    return np.asarray(terms.sum(axis=1) / n)
