"""How heavy is noise: its stable index alpha, from the characteristic function or from its largest values.

    |phi(u)| = exp(-|scale u|^alpha);     P(|x| > r) ~ r^-alpha     (alpha < 2)

Noise of finite variance, whatever its tails, adds up to Gaussian noise: its stable index is 2.  Minibatch gradients of
finitely many samples are bounded, so 2 is their index, however heavy the data look; an estimator has to say so before
it may say anything else.  Give it many more minibatch gradients than there are samples, or it sees the data's law.
Either method gives some number for any law; `heavy` tells whether it means anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.axis import read_only
from fpsolve.errors import DegenerateWarning, InvalidInput, warn
from fpsolve.measure.characteristic import REJECTED, characteristic_fit
from fpsolve.measure.inputs import draws, spread
from fpsolve.tails import FEWEST_ABOVE, HillEstimate, hill
from fpsolve.values.swarm import Swarm

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["TailIndex", "tail_index"]

Array = NDArray[np.float64]
FEWEST_SAMPLES = 500
TRENDS = 2.5  # standard errors that are worth telling


@dataclass(frozen=True, eq=False, repr=False)
class TailIndex:
    """An index alpha with its standard error, and whether the noise is heavy-tailed at all.

    alpha, error: the estimate as it is, also where it means nothing (then see `index`).
    heavy: whether alpha is below 2 by two standard errors, a power law of the largest values is seen, and the shape of
        |phi| as u -> 0 is that of one.
    scale, scale_error: of |phi| = exp(-|scale u|^alpha); None by Hill's method.
    p_value: that the noise is stable, by the shape of |phi| and by its trend; None by Hill's method.
    trend: how alpha changes as larger u are used, in standard errors: about 0 for stable noise; None by Hill's method.
    method: "characteristic" or "hill".  n: samples.
    curve_x, curve, curve_error: alpha from all u up to curve_x, or from the curve_x largest values.
    used: the curve_x of the estimate.

    >>> found = tail_index(np.random.default_rng(1).normal(size=2000))
    >>> found.heavy, found.stable, found.index
    (False, True, 2.0)
    """

    alpha: float
    error: float
    heavy: bool
    scale: float | None
    scale_error: float | None
    p_value: float | None
    trend: float | None
    method: str
    n: int
    curve_x: Array
    curve: Array
    curve_error: Array
    used: float

    @property
    def index(self) -> float:
        """The stable index: alpha where the noise is heavy, else 2."""
        return self.alpha if self.heavy else 2.0

    @property
    def stable(self) -> bool | None:
        """Whether the shape of |phi| is a stable law's (Gaussian included); None by Hill's method."""
        return None if self.p_value is None else self.p_value > REJECTED

    def plot(self, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
        """Draw the estimate against u, or against k (Hill's plot), with its error (log=False: linear).

        Returns the Axes.
        """
        from fpsolve.plot_measure import tail_curve

        return tail_curve(self, ax, label=label, log=log)

    def __repr__(self) -> str:
        found = f"alpha = {self.alpha:.4g} +- {self.error:.2g} by its {self._named}"
        shape = "" if self.stable is not False else f"; not a stable law (p = {self.p_value:.1g}"
        if shape:
            shape += f"): {self._doubt}" if self.heavy else ")"
        verdict = "heavy tail" if self.heavy else "no heavy tail: the stable index is 2"
        return f"TailIndex({verdict}; {found}, {self.n} samples{shape})"

    @property
    def _doubt(self) -> str:
        """Why alpha is not to be believed where a heavy tail is not a stable law's."""
        trend = self.trend or 0.0
        way = f"{'falls' if trend < 0 else 'rises'} with the u used, by {abs(trend):.2g} standard errors"
        return f"alpha {way}; use method='hill'" if abs(trend) > TRENDS else "use method='hill'"

    @property
    def _named(self) -> str:
        return "characteristic function" if self.method == "characteristic" else "largest values"


def tail_index(
    samples: Swarm | ArrayLike,
    method: Literal["characteristic", "hill"] = "characteristic",
    *,
    k: int | None = None,
    t: float | None = None,
) -> TailIndex:
    """The stable index of noise from independent draws of one coordinate.

        "characteristic": ln(-ln|phi(u)|) = alpha ln u + const, weighted as a stable law wants it
        "hill":           1/alpha = < ln(|x|_(i)/|x|_(k+1)) >_{i <= k} of the k largest, about the median

    samples: (n,), n >= 500, or a Swarm (its replicas at t, default the last time).  k: of Hill's method only; default:
        as far as no trend is seen (see fpsolve.tails).

    The characteristic function is the sharper one where the noise is stable (+- .005 at 10^5 samples), and tells where
    it is not (Student's law of 1.7 degrees from 10^4 samples on; 2000 of it pass for alpha = 1.33); a power law with
    another body (Student's, Pareto's) is for Hill's, which in turn is biased upward for stable noise of alpha > 1.7.
    A component along one direction of noise in several coordinates is one coordinate.
    Returns a TailIndex.  Raises InvalidInput for few or constant samples, values that are not finite, several
    coordinates, and k with the other method.  Warns DegenerateWarning where the tail is heavy and |phi| not that of a
    stable law: alpha then depends on which u are used.
    Source: Koutrouvelis, J. Am. Stat. Assoc. 75, 918 (1980); Hill, Ann. Stat. 3, 1163 (1975).

    >>> rng = np.random.default_rng(2)
    >>> tail_index(np.tan(np.pi * (rng.random(20_000) - 0.5)))
    TailIndex(heavy tail; alpha = 1.002 +- 0.009 by its characteristic function, 20000 samples)
    >>> bounded = tail_index(rng.choice([-3.0, 1.0, 2.0], 20_000))
    >>> bounded.heavy, bounded.index
    (False, 2.0)
    """
    x = draws(samples, "samples", FEWEST_SAMPLES, t)
    if x.shape[1] > 1:
        raise InvalidInput(f"samples has {x.shape[1]} coordinates; give one, or the component along a direction")
    spread(x, "the noise")
    x = x[:, 0] - np.median(x)
    if method == "hill":
        return _by_hill(np.abs(x), k)
    if method != "characteristic":
        raise InvalidInput(f"method is {method!r}; use 'characteristic' or 'hill'")
    if k is not None:
        raise InvalidInput(f"k is {k!r}, which the characteristic function does not have; leave it out, or use 'hill'")
    return _by_characteristic(x)


def _by_characteristic(x: Array) -> TailIndex:
    found = characteristic_fit(x)
    best, curve = found.chosen, found.curve
    tail = None if _bounded(np.abs(x)) else hill(np.abs(x))
    index = TailIndex(
        alpha=best.alpha,
        error=best.error,
        heavy=found.fits and tail is not None and tail.heavy and best.alpha + 2.0 * best.error < 2.0,
        scale=best.scale,
        scale_error=best.scale_error,
        p_value=found.stable_p,
        trend=found.bend,
        method="characteristic",
        n=x.size,
        curve_x=read_only(np.array([found.u[fit.points - 1] for fit in curve])),
        curve=read_only(np.array([fit.alpha for fit in curve])),
        curve_error=read_only(np.array([fit.error for fit in curve])),
        used=float(found.u[best.points - 1]),
    )
    if index.heavy and not index.stable:
        warn(
            f"the noise has a heavy tail and is not stable (p = {found.stable_p:.1g}): the alpha = {best.alpha:.3g} +- "
            f"{best.error:.1g} of its characteristic function depends on the u used and need not be the tail's; "
            "take the index of its largest values, method='hill'",
            DegenerateWarning,
        )
    return index


def _by_hill(size: Array, k: int | None) -> TailIndex:
    if _bounded(size):
        nothing = read_only(np.empty(0))
        return TailIndex(
            np.inf, np.nan, False, None, None, None, None, "hill", size.size, nothing, nothing, nothing, np.nan
        )  # fmt: skip
    found: HillEstimate = hill(size, k)
    alpha = found.exponent - 1.0  # of P(|x| > r), one less than of the density
    return TailIndex(
        alpha=alpha,
        error=found.error,
        heavy=found.heavy and alpha + 2.0 * found.error < 2.0,
        scale=None,
        scale_error=None,
        p_value=None,
        trend=None,
        method="hill",
        n=size.size,
        curve_x=read_only(found.curve_k.astype(float)),
        curve=read_only(found.curve - 1.0),
        curve_error=found.curve_error,
        used=float(found.k),
    )


def _bounded(size: Array) -> bool:
    """Whether the largest values are the same few again and again: the law has atoms at its bound."""
    return np.unique(np.sort(size)[-FEWEST_ABOVE:]).size <= FEWEST_ABOVE // 2
