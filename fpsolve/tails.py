"""How heavy is a tail: the local exponent of a density, and the Hill estimate from samples.

    p ~ x^-q:   q(x) = -d ln p / d ln x;   1/(q - 1) = < ln(x_(i)/x_(k+1)) >_{i <= k},  x_(1) >= x_(2) >= ...

Under a power law the scaled log spacings i ln(x_(i)/x_(i+1)) are independent and alike, so a trend in them is bias.
Guillou & Hall's statistic tells up to which k no trend is seen; there bias is as large as the error, so the
estimate takes a quarter of that k, where the error bar is twice as long and the bias smaller: two standard errors
then held the truth in 83 to 99 % of runs on Pareto, Student, inverse-gamma and mixed samples of 500 to 100 000.

A tail lighter than any power still gets a number, since any tail is steep somewhere: the exponent of a Gaussian
sample grows as k shrinks or n grows, without plateau.  `heavy` tells: the moment estimate of the extreme-value
index, which is 0 or below there, must exceed 0 by two standard errors.  Log-normal samples pass
for power laws longest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import read_only
from fpsolve.errors import InvalidInput
from fpsolve.laws import Comparable, Samples, side_of
from fpsolve.values.density import Density
from fpsolve.values.exact import ExactDensity
from fpsolve.values.tail import fitted_exponent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["HillEstimate", "LocalExponent", "hill", "local_exponent"]

Array = NDArray[np.float64]
FEWEST_SAMPLES = 50  # positive ones, for k to be chosen
FEWEST_ABOVE = 10
TREND = 1.25  # of the trend statistic's local mean: Guillou & Hall's critical value
CURVE_POINTS = 200


@dataclass(frozen=True, eq=False, repr=False)
class LocalExponent:
    """q(x) = -d ln p/d ln |x| along one side of a density.

    x, slope: the curve, over the nodes of that side.  window: where `value` was fitted, in |x|.
    value: minus the least-squares slope of ln p against ln |x| there.
    error: the largest departure of the curve from `value` in the window; a tail that is no power law shows in an error
    that is no small part of the value.
    """

    name: str
    end: str
    x: Array
    slope: Array
    window: tuple[float, float]
    value: float
    error: float

    def plot(self, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
        """The curve, the window and the fitted value; log=False for a linear x axis.  Returns the Axes."""
        from fpsolve.plot import exponent_curve

        return exponent_curve(self, ax, label=label, log=log)

    def __repr__(self) -> str:
        low, high = self.window
        return (
            f"LocalExponent(p ~ |{self.name}|^-{self.value:.4g}, within {self.error:.2g}, at the {self.end} end, "
            f"|{self.name}| in [{low:.3g}, {high:.3g}])"
        )


@dataclass(frozen=True, eq=False, repr=False)
class HillEstimate:
    """The exponent q of p ~ x^-q from the k largest of n samples.

    exponent, error: q = 1 + 1/(mean log excess), and its standard error (q - 1)/sqrt(k).
    k, threshold: how many samples were used, and the one they exceed.
    index, index_error: the moment estimate of the extreme-value index, 1/(q - 1) for a power law and <= 0 for tails
    lighter than any, from the `index_k` largest.
    curve_k, curve, curve_error: exponent and standard error against k.
    """

    exponent: float
    error: float
    k: int
    threshold: float
    index: float
    index_error: float
    index_k: int
    n: int
    end: str
    curve_k: NDArray[np.int64]
    curve: Array
    curve_error: Array

    @property
    def heavy(self) -> bool:
        """Whether the samples show a power law at all: the index exceeds 0 by two standard errors."""
        return self.index > 2.0 * self.index_error

    def plot(self, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
        """The k-plot: the exponent against k, with its error and the k chosen.  Returns the Axes."""
        from fpsolve.plot import hill_curve

        return hill_curve(self, ax, label=label, log=log)

    def __repr__(self) -> str:
        verdict = ""
        if not self.heavy:
            index = f"{self.index:.2g} +- {self.index_error:.1g}"
            verdict = f"; no power law seen: extreme-value index {index} is compatible with 0"
        return (
            f"HillEstimate(p ~ x^-q, q = {self.exponent:.4g} +- {self.error:.2g}, from {self.k} of {self.n} samples "
            f"at the {self.end} end{verdict})"
        )


def local_exponent(
    p: Density | ExactDensity, window: tuple[float, float] | None = None, *, end: str = "upper"
) -> LocalExponent:
    """The tail exponent of a density with its local curve.

        q(x) = -d ln p/d ln |x|, by central differences of `log_values`

    p: one dimension.  window: (low, high) in |x|; default: the outermost decade of the grid at that end.
    end: "upper" or "lower".

    Returns a LocalExponent.  Raises InvalidInput for other ends, several dimensions, and windows of fewer than 3 nodes.

    >>> import fpsolve as fp
    >>> from fpsolve.values.exact import ExactDensity
    >>> cauchy = ExactDensity(lambda x: -np.log1p(x**2), fp.Grid(x=fp.Axis.sinh(-1e4, 1e4, 400)))
    >>> local_exponent(cauchy)
    LocalExponent(p ~ |x|^-2, within 1.7e-06, at the upper end, |x| in [1e+03, 1e+04])
    """
    p = p.density if isinstance(p, ExactDensity) else p
    axis, name = p.only_axis("local_exponent"), p.grid.names[0]
    if end not in ("upper", "lower"):
        raise InvalidInput(f"end is {end!r}; use 'upper' or 'lower'")
    if window is None:
        far = abs(axis.hi if end == "upper" else axis.lo)
        toward_zero = axis.kind == "log" and (end == "lower") == (axis.lo > 0)
        window = (far, 10.0 * far) if toward_zero else (far / 10.0, far)
    side = np.isfinite(p.log_values) & (axis.nodes != 0.0)
    if axis.lo * axis.hi < 0:
        side &= axis.nodes > 0 if end == "upper" else axis.nodes < 0
    x, logs = axis.nodes[side], p.log_values[side]
    inside = (np.abs(x) >= window[0]) & (np.abs(x) <= window[1])
    if inside.sum() < 3:
        raise InvalidInput(
            f"window {window} holds {int(inside.sum())} nodes of {name} where p > 0; a slope and its error need three: "
            f"|{name}| runs from {np.abs(x).min(initial=np.inf):.3g} to {np.abs(x).max(initial=0.0):.3g} at this end"
        )
    slope = -np.gradient(logs, np.log(np.abs(x)), edge_order=2)
    value = fitted_exponent(p, window, end)
    error = float(np.abs(slope[inside] - value).max())
    return LocalExponent(name, end, read_only(x), read_only(slope), window, value, error)


def hill(samples: Comparable, k: int | None = None, *, end: str = "upper", t: float | None = None) -> HillEstimate:
    """Hill's estimate of the exponent q of the density p ~ x^-q (Hill's index plus one).

        q - 1 = k / sum_{i <= k} ln(x_(i)/x_(k+1)),   standard error (q - 1)/sqrt(k)

    samples: of one coordinate, shape (n,), or a Swarm (at t, default its last time).  end: "upper" for x -> inf,
    "lower" for x -> -inf.  k: how many of the largest; default: as the head of this module says.

    Returns a HillEstimate.  Raises InvalidInput for fewer than 50 samples on that side (unless k is given), k outside
    [2, number of positive samples - 1], samples that are all equal, and other ends.
    Source: Hill, Ann. Stat. 3, 1163 (1975); Guillou & Hall, J. R. Stat. Soc. B 63, 293 (2001);
    Dekkers, Einmahl & de Haan, Ann. Stat. 17, 1833 (1989) for the moment estimate.

    >>> hill(np.random.default_rng(1).pareto(2.0, 20_000) + 1.0)
    HillEstimate(p ~ x^-q, q = 3.009 +- 0.035, from 3332 of 20000 samples at the upper end)
    """
    x, n = _largest_first(samples, end, t)
    if k is None and x.size < FEWEST_SAMPLES:
        raise InvalidInput(
            f"{x.size} of {n} samples lie on the {end} side of 0; choosing k needs at least {FEWEST_SAMPLES}: "
            "give more samples, or k"
        )
    if k is not None and (isinstance(k, bool) or not isinstance(k, (int, np.integer)) or not 2 <= k < x.size):
        raise InvalidInput(
            f"k is {k!r}; give a whole number from 2 to {x.size - 1}: only {x.size} of {n} samples lie on the {end} "
            "side of 0, and a power law needs |x| > 0"
        )
    logs = np.log(x)
    counts = np.arange(1, x.size)
    excess = np.cumsum(logs[:-1]) / counts - logs[1:]
    most = _without_trend(logs) if k is None else int(k)
    used = max(most // 4, FEWEST_ABOVE) if k is None else most
    if excess[used - 1] <= 0.0:
        raise InvalidInput(f"the {used + 1} largest samples are all {x[0]:.6g}; a tail has no exponent without spread")
    shown = np.unique(np.geomspace(min(FEWEST_ABOVE, used), x.size - 1, CURVE_POINTS).astype(int))
    shown = shown[excess[shown - 1] > 0.0]
    index = _moment_index(logs, most)
    return HillEstimate(
        exponent=float(1.0 + 1.0 / excess[used - 1]),
        error=float(1.0 / excess[used - 1] / np.sqrt(used)),
        k=used,
        threshold=float(x[used] if end == "upper" else -x[used]),
        index=index,
        index_error=float(np.sqrt((1.0 + max(index, 0.0) ** 2) / most)),
        index_k=most,
        n=n,
        end=end,
        curve_k=shown,
        curve=1.0 + 1.0 / excess[shown - 1],
        curve_error=1.0 / excess[shown - 1] / np.sqrt(shown),
    )


def _largest_first(samples: Comparable, end: str, t: float | None) -> tuple[Array, int]:
    """|x| of the samples on one side of 0, the farthest first, and how many there were in all."""
    if end not in ("upper", "lower"):
        raise InvalidInput(f"end is {end!r}; use 'upper' or 'lower'")
    side = side_of(samples, t, "samples")
    if not isinstance(side, Samples) or side.ndim != 1:
        raise InvalidInput(
            f"samples is {type(samples).__name__}; give samples of one coordinate (local_exponent takes densities)"
        )
    x = side.upper.points * -1.0 if end == "upper" else -side.lower.points
    return x[x > 0.0], side.n


def _without_trend(logs: Array) -> int:
    """The largest k for which Guillou & Hall's averaged trend statistic is below its critical value."""
    i = np.arange(1.0, logs.size)
    spacings = i * -np.diff(logs)
    sums, moments = np.cumsum(spacings), np.cumsum(i * spacings)
    with np.errstate(invalid="ignore", divide="ignore"):
        trend = np.sqrt(3.0 / i) * ((i + 1.0) * sums - 2.0 * moments) / sums
    squares = np.concatenate([[0.0], np.cumsum(np.nan_to_num(trend) ** 2)])
    k = np.arange(2 * FEWEST_ABOVE, int(i.size / 1.5))
    half = k // 2
    average = np.sqrt((squares[k + half] - squares[k - half - 1]) / (2 * half + 1))
    quiet = np.flatnonzero(average <= TREND)
    return int(k[quiet[-1]] if quiet.size else k[0])


def _moment_index(logs: Array, k: int) -> float:
    """M1 + 1 - 1/(2 (1 - M1^2/M2)), M_j the mean j-th power of the log excesses."""
    excess = logs[:k] - logs[k]
    first, second = excess.mean(), (excess**2).mean()
    return float(first + 1.0 - 0.5 / (1.0 - first**2 / second))
