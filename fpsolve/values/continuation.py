"""Beyond the last node: at an open end the terms w p f go on as a geometric series, and so does their sum.

In the computational coordinate s, a power law on a log or sinh axis and an exponential on a uniform one are both
w p = const exp(-lambda s).  The ratio r of the last two terms therefore gives all the rest, r/(1 - r) of the last term,
to the accuracy of the law itself; integrating from the last face instead would cost the midpoint rule's precision.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.values.joint_law import JointLaw
from fpsolve.values.power_law import PowerLaw

Array = NDArray[np.float64]
# whether sums go on beyond an end, and the law where it is known and not read off the cells
Beyond = bool | PowerLaw | JointLaw
NEGLIGIBLE = 1e-40
MOST_FURTHER_NODES = 1_000_000


@dataclass(frozen=True)
class EndLaw:
    """How ln(w p) falls per unit of s toward one end: `slope` (negative: it falls) and how far that may be off.

    `limit` extrapolates the slope's own trend beyond the grid; `drift` is its change over the last twentieth.
    """

    slope: float
    limit: float
    uncertainty: float
    drift: float

    @property
    def verdict(self) -> str:
        """ "finite", "infinite" or "undecided": the mass beyond the end."""
        if self.slope < 0 and max(self.slope, self.limit) < -self.uncertainty:
            return "finite"
        if self.slope >= 0 and self.limit >= 0:
            return "infinite"
        return "undecided"


def continued_ends(axis: Axis) -> tuple[bool, bool]:
    """Which ends of the axis a sum goes on beyond: open ones, unless the map itself ends there (tanh)."""
    goes_on = axis.map.tail != "none"
    return (goes_on and axis.ends[0] == "open", goes_on and axis.ends[1] == "open")


def log_ratio(log_terms: Array, upper: bool) -> float:
    """ln of the last term over the last but one, toward the end; -inf where the end carries nothing."""
    last, before = (log_terms[-1], log_terms[-2]) if upper else (log_terms[0], log_terms[1])
    if last == -np.inf:
        return -np.inf
    return float(last - before)


def end_slopes(log_terms: Array, ds: float, upper: bool) -> tuple[list[float], float, float]:
    """d ln(w p)/ds outward at the last pair and at two pairs farther in, how far they are apart, and their rounding.

    One slope alone on fewer than 4 cells, and -inf where the end carries nothing.
    """
    terms = log_terms if upper else log_terms[::-1]
    if terms[-1] == -np.inf:
        return [-np.inf], ds, 0.0
    back = max(1, min(terms.size // 20, (terms.size - 2) // 2))
    pairs = range(3) if terms.size >= 4 else range(1)
    with np.errstate(invalid="ignore"):
        slopes = [float((terms[-1 - k * back] - terms[-2 - k * back]) / ds) for k in pairs]
    return slopes, back * ds, 8 * np.finfo(float).eps * float(np.abs(terms[-2:]).max() + 1.0) / ds


def end_law(log_terms: Array, ds: float, upper: bool) -> EndLaw:
    """Fit the law of ln(w p) at an end: the slope of the last pair, and its trend over the last tenth of the grid."""
    slopes, _, rounding = end_slopes(log_terms, ds, upper)
    if slopes[0] == -np.inf:
        return EndLaw(-np.inf, -np.inf, 0.0, 0.0)
    if len(slopes) == 1:
        return EndLaw(slopes[0], slopes[0], 0.0, abs(slopes[0]))
    if not np.all(np.isfinite(slopes)):
        return EndLaw(slopes[0], slopes[0], 0.0, 0.0)
    first, second = slopes[0] - slopes[1], slopes[1] - slopes[2]
    if first <= rounding:  # steepening, or straight: the last slope is the worst case
        return EndLaw(slopes[0], slopes[0], rounding, abs(first))
    shrink = min(max(first / second, 0.0), 0.9) if second > 0 else 0.9
    limit = slopes[0] + first * shrink / (1.0 - shrink)
    return EndLaw(slopes[0], limit, rounding, abs(first))


def share_beyond(terms: Array, upper: bool) -> float:
    """What a positive or sign-definite series adds beyond one end; inf where it diverges, 0 where nothing is left.

    terms: w p f at the nodes, shape (cells,).
    """
    last, before = (terms[-1], terms[-2]) if upper else (terms[0], terms[1])
    scale = float(np.abs(terms).max())
    if last == 0.0 or abs(last) <= NEGLIGIBLE * scale:
        return 0.0
    if before == 0.0 or last / before < 0:
        return 0.0  # it oscillates: no law to continue
    ratio = float(last / before)
    if ratio >= 1.0:
        return float(np.copysign(np.inf, last))
    return float(last) * ratio / (1.0 - ratio)


def mass_beyond(masses: Array, axis: Axis, upper: bool, beyond: Beyond) -> float:
    """The mass beyond one end."""
    if isinstance(beyond, PowerLaw):
        return beyond.share(masses, axis, upper)
    return share_beyond(masses, upper) if beyond else 0.0


def log_fall(log_masses: Array, axis: Axis, upper: bool, beyond: Beyond) -> float:
    """ln(w p) gained per cell beyond one end."""
    if isinstance(beyond, PowerLaw):
        return beyond.log_fall(axis, upper)
    return log_ratio(log_masses, upper)


def share_of(
    function: Callable[[Array], Array], masses: Array, axis: Axis, upper: bool, beyond: Beyond = True
) -> float:
    """What sum(masses * function) gains beyond one end.

    On log and sinh axes a power of x is geometric in s, so the products are; on a uniform axis only the masses are,
    and the function is taken where the further nodes would be.
    """
    if isinstance(beyond, PowerLaw):
        return beyond.share_of(function, masses, axis, upper)
    if axis.kind != "uniform":
        return share_beyond(masses * function(axis.nodes), upper)
    share = share_beyond(masses, upper)
    if share == 0.0 or not np.isfinite(share):
        return share
    if _diverges(function, masses, axis, upper):
        return float(np.copysign(np.inf, function(axis.nodes[[-1 if upper else 0]])[0]))
    last, before = (masses[-1], masses[-2]) if upper else (masses[0], masses[1])
    fall = float(np.log(last / before))
    steps = np.arange(1.0, min(np.ceil(np.log(NEGLIGIBLE) / fall), MOST_FURTHER_NODES) + 1.0)
    nodes = axis.nodes[-1] + steps * axis.ds if upper else axis.nodes[0] - steps * axis.ds
    return float(np.sum(last * np.exp(fall * steps) * function(nodes)))


def _diverges(function: Callable[[Array], Array], masses: Array, axis: Axis, upper: bool) -> bool:
    """A flattening tail on a uniform axis, x^-q at its end, under a function that grows as x^(q - 1) or faster."""
    with np.errstate(divide="ignore", invalid="ignore"):
        law = end_law(np.log(masses), axis.ds, upper)
    if not law.limit > law.slope:
        return False
    ends = axis.nodes[[-1, -2]] if upper else axis.nodes[[0, 1]]
    values = np.abs(function(ends))
    if not (values[0] > values[1] > 0):
        return False
    reach = abs(float(ends[0]) - float(axis.nodes[int(np.argmax(masses))]))
    growth = float(np.log(values[0] / values[1])) / axis.ds * reach
    return -law.slope * reach <= 1.02 * (growth + 1.0)  # the exponents are local: a tie diverges


def along_axis(terms: Array, dimension: int, ends: tuple[Beyond, Beyond]) -> Array:
    """Sum `terms` along one dimension of a grid, continued beyond the ends that are open.

    In several dimensions the ratio at an end is that of the two last slices, taken together.
    """
    terms = np.moveaxis(terms, dimension, 0)
    total = terms.sum(axis=0)
    for upper in (False, True):
        if not ends[upper]:
            continue
        last, beyond = terms[-1] if upper else terms[0], ends[upper]
        if isinstance(beyond, JointLaw):
            total = total + beyond.added(last)
            continue
        if terms.ndim == 1:
            total = total + share_beyond(terms, upper)
            continue
        profile = terms.reshape(len(terms), -1).sum(axis=1)
        edge = profile[-1] if upper else profile[0]
        share = share_beyond(profile, upper) if edge != 0.0 else 0.0
        if np.isinf(share):
            total = np.where(last == 0.0, total, share)
        elif share != 0.0:
            total = total + last * (share / edge)
    return total
