"""Do the particles follow the law?  A distance, with what chance alone would make of it and what it could have seen.

noise_floor and p_value are Kolmogorov's exact law for KS, and `resamples` simulations of n samples of p otherwise
(then no p-value is below 1/(resamples + 1)).  interval is value +- r, not below 0, r the level quantile of the
distance between the samples and their bootstrap resamples: by the triangle inequality it holds the true distance
at least as often as that distance stays below r.  (Percentiles of bootstrapped distances to p would count the
noise twice.)  smallest_departure is the floor plus the same-law quantile once more: by the same inequality a law
that far away, whatever its shape, is seen with probability `level`; departures of a favourable shape are seen from
about 4/5 of it.  It is distribution free for KS; elsewhere it takes the noise of the true law to be that of p.
Where that is more than the metric can be, nothing was tested and the verdict is "undecided" (KS: up to 6 samples).
KL is no metric: its r is the level quantile of |KL* - median KL*|, its departure 4 floors (2^2: KL is quadratic).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.checks import whole
from fpsolve.distance import check_metric, distance
from fpsolve.errors import InvalidInput
from fpsolve.laws import Comparable, Law, Samples, paired
from fpsolve.noise import resampled, same_law

__all__ = ["Comparison", "compare"]

Array = NDArray[np.float64]
FEWEST_RESAMPLES = 20
LARGEST = {"KS": 1.0, "TV": 1.0, "L1": 2.0, "hellinger": 1.0, "MMD": float(np.sqrt(2.0))}  # others have no bound


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """How far n samples are from a law, and how far chance alone would have put them.

    value: the distance.  interval: where the distance of the samples' true law lies, at `level`.
    noise_floor: the distance that n samples of the law itself stay below with probability `level`.
    p_value: the probability that n samples of the law itself are as far as `value` or farther.
    smallest_departure: a true law at this distance or more exceeds the noise floor with probability `level` or more.
    n: samples.  level: of the interval, the floor and the departure.  metric: of all of them.

    >>> import fpsolve as fp
    >>> p = fp.ExactDensity(lambda x: -(x**2) / 2, fp.Grid(x=(-9, 9, 100)), "normal law")
    >>> found = fp.compare(p, p.density.sample(500, seed=1) + 0.5)
    >>> found.agrees, found.value > found.noise_floor
    (False, True)
    """

    metric: str
    value: float
    interval: tuple[float, float]
    noise_floor: float
    p_value: float
    smallest_departure: float
    n: int
    level: float

    @property
    def agrees(self) -> bool:
        """Whether the distance is within what chance alone would make of it, and a law far enough away would not be."""
        return self.verdict == "agrees"

    @property
    def verdict(self) -> str:
        """ "agrees", "differs", or "undecided": so few samples that no law at all is sure to be seen."""
        if self.value > self.noise_floor:
            return "differs"
        return "agrees" if self.smallest_departure < LARGEST.get(self.metric, np.inf) else "undecided"

    def __repr__(self) -> str:
        departure = f"would see a departure of {self.smallest_departure:.3g}"
        told = {"agrees": "agrees with the law", "differs": "differs from the law"}.get(self.verdict)
        if told is None:
            told = f"undecided, {self.n} cannot tell it from the law"
            departure += f", where {LARGEST[self.metric]:.3g} is the most there is"
        return (
            f"Comparison({self.metric} {self.value:.3g} in [{self.interval[0]:.3g}, {self.interval[1]:.3g}], "
            f"{self.n} sample{'s' * (self.n > 1)}: {told}, whose own samples stay below {self.noise_floor:.3g} "
            f"({100 * self.level:g} %), p = {self.p_value:.2g}; {departure})"
        )


def compare(
    p: Comparable,
    swarm: Comparable,
    metric: str = "KS",
    *,
    resamples: int = 500,
    seed: int = 0,
    level: float = 0.95,
    t: float | None = None,
) -> Comparison:
    """Compare a swarm with a density, against what sampling alone would do.

        d_n = distance(samples, p);   floor: P(d_n <= floor | samples of p) = level

    p: a Density or an ExactDensity.  swarm: a Swarm (its living replicas at t, default the last time) or samples.
    metric: as for `distance`; KL is of the samples against p.
    resamples, seed: of the bootstrap and of the simulated samples of p.  level: between 0 and 1.

    How floor, interval and departure are found stands at the head of this module.
    Replicas are taken to be independent.  Returns a Comparison.
    Raises InvalidInput for unknown metrics, a p that is no density, or W1 and W2 where p lacks the moment.
    Source: Efron & Tibshirani, An Introduction to the Bootstrap (1993), ch. 13; Massart, Ann. Probab. 18, 1269 (1990).

    >>> import fpsolve as fp
    >>> p = fp.stationary(fp.Problem(fp.Process(lambda x: -x, 1.0), fp.Grid(x=(-8, 8, 200))))
    >>> compare(p, p.sample(2000, seed=1), "KS").agrees, compare(p, p.sample(2000, seed=1) + 0.1, "KS").agrees
    (True, False)
    """
    check_metric(metric)
    _check(resamples, seed, level)
    law, samples = paired(p, swarm, t)
    if not isinstance(law, Law) or not isinstance(samples, Samples):
        raise InvalidInput(
            f"compare takes a density and then a swarm or samples, not {type(p).__name__} and {type(swarm).__name__}; "
            "for two of a kind use distance"
        )
    _check_moments(law, metric)
    if law.ndim > 1 and metric in ("W1", "W2", "MMD"):
        raise InvalidInput(
            f"compare by {metric} needs one dimension, not {law.ndim}: hundreds of resamples would take too long; use "
            "'sliced W1', 'sliced W2', L1 or hellinger, or compare marginals"
        )
    rng = np.random.default_rng([seed, samples.n])
    value = distance(swarm, p, metric, t=t)
    floor, p_value = _chance(law, samples.n, metric, value, resamples, level, rng)
    around = resampled(law, samples, metric, resamples, rng)
    if metric == "KL":
        around = np.abs(around - np.median(around))
    radius = float(np.quantile(around, level))
    return Comparison(
        metric=metric,
        value=value,
        interval=(max(value - radius, 0.0), value + radius),
        noise_floor=floor,
        p_value=p_value,
        smallest_departure=floor * (4.0 if metric == "KL" else 2.0),
        n=samples.n,
        level=level,
    )


def _chance(
    law: Law, n: int, metric: str, value: float, resamples: int, level: float, rng: np.random.Generator
) -> tuple[float, float]:
    """The noise floor and the p-value."""
    if metric == "KS":
        from scipy.stats import kstwo

        return float(kstwo.ppf(level, n)), float(kstwo.sf(value, n))
    chance = same_law(law, n, metric, resamples, rng)
    return float(np.quantile(chance, level)), float((1 + np.sum(chance >= value)) / (1 + resamples))


def _check(resamples: int, seed: int, level: float) -> None:
    whole("resamples", resamples, FEWEST_RESAMPLES)
    whole("seed", seed, 0)
    if not 0.0 < level < 1.0:
        raise InvalidInput(f"level is {level}; it must lie between 0 and 1")


def _check_moments(law: Law, metric: str) -> None:
    order = {"W1": 1, "W2": 2}.get(metric.removeprefix("sliced "))
    if order is None:
        return
    for end, e in law.exponents():
        if e <= order:
            raise InvalidInput(
                f"{metric} between p and any samples is infinite: p ~ |x|^-{1 + e:.4g} at its {end}; use KS, TV or "
                "hellinger"
            )
