"""How a density beside stable jumps goes on beyond an open end, from the drift and the scale there.

Far out the drift brings back what the jumps carry over: |A| p = <scale^alpha> (C/alpha) y^-alpha, so that
    p ~ y^-q,   q = alpha + c - 1,   A ~ -y^(c-1) toward the end (U ~ y^c),
for a constant scale, and for scale^alpha ~ y^g while jumps out there matter less than the drift: g < alpha + c - 2.
Diffusion alone would leave a tail of its own, which counts where it is the slower one.  Where the drift does not lead
back, jumps of a free path are all there is: q = 1 + alpha, though not of a stationary density.
Source: Chechkin, Klafter, Gonchar, Metzler & Tanatarov, Phys. Rev. E 67, 010102 (2003).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.errors import InvalidInput, NotNormalizable
from fpsolve.maps import SinhMap
from fpsolve.operators.jump_ends import OpenEnd, Tail
from fpsolve.operators.local import Chain
from fpsolve.values.power_law import PowerLaw

__all__ = ["check_ends", "check_normalizable", "check_returns", "fitted_tail", "is_derived", "tail_at"]

Array = NDArray[np.float64]
FEWEST_CELLS = 4  # two on each side of the middle
LEAST = 1.0 + 1e-6  # exponent of a tail with a finite mass
MARGIN = 0.05  # of an exponent
FITTED = (0.125, 0.5)  # of the distance to the end: where exponents are fitted, clear of the last cells
FEWEST = 5  # cells
SAMPLES = 12  # places where a drift is looked at for ripples


def check_ends(axis: Axis, name: str) -> None:
    """Refuse ends that jumps cannot have."""
    if "reservoir" in axis.ends:
        raise InvalidInput(f"{name} ends in a reservoir, which is filled by drift alone; jumps have no such end")
    for upper in (False, True):
        if axis.ends[upper] != "open":
            continue
        end = axis.hi if upper else axis.lo
        if axis.map.tail == "none":
            raise InvalidInput(
                f"{name} ends at {end:.4g}, where the map ends too, and is open there: jumps reach beyond, and nothing "
                "goes on; make the end 'absorbing' or 'reflecting'"
            )
        if axis.kind == "log" and upper == (axis.lo < 0):
            raise InvalidInput(
                f"{name} is open toward 0, on a log axis: jumps reach across 0, where this axis has no cells; make "
                "that end 'absorbing' or 'reflecting', or use fp.Axis.sinh over both signs"
            )


def middle_of(axis: Axis, drift: Array) -> float:
    """What tails are powers of the distance from: the axis's own middle, or where the drift leads from both ends."""
    if isinstance(axis.map, SinhMap):
        return axis.map.center
    if axis.kind == "log":
        return 0.0
    turns = np.flatnonzero((drift[:-1] > 0) & (drift[1:] <= 0))
    if turns.size == 0:
        return 0.0 if axis.lo < 0.0 < axis.hi else 0.5 * (axis.lo + axis.hi)
    share = drift[turns] / (drift[turns] - drift[turns + 1])
    x = axis.nodes
    return float(np.mean((x[turns] + share * (x[turns + 1] - x[turns]))[[0, -1]]))


def tail_at(axis: Axis, alpha: float, upper: bool, drift: Array, strength: Array, fitted: Chain | None) -> Tail:
    """The tail beyond an open end.

    drift, strength: A and scale^alpha at the nodes.  fitted: the edges of drift and diffusion, where there is any.
    """
    center = middle_of(axis, drift)
    with np.errstate(divide="ignore"):  # at the middle
        log_y = np.log(_outward(np.abs(axis.nodes - center), upper))
    inward = _outward(drift * (-1.0 if upper else 1.0), upper)
    growth = _slope(_outward(strength, upper), log_y, 0)
    if not np.all(inward[:2] > 0):
        source = "1 + alpha, of free paths: the drift does not lead back"
        return Tail(PowerLaw(1.0 + alpha, center), 0.0, source, np.nan, 0.0)
    rise, error = _rise(inward, log_y, max(1, axis.cells // 20))
    exponent, source = alpha + rise, f"alpha + c - 1, c = {rise + 1.0:.4g} from the drift at the end"
    if fitted is not None:  # ln p gained from the last node but one to the last
        own = -float(fitted.step[-1] if upper else -fitted.step[0]) / float(log_y[0] - log_y[1])
        if own < exponent:
            exponent, source = own, "of diffusion and drift alone, slower than that of the jumps"
    law = PowerLaw(exponent if exponent > LEAST else 1.0 + alpha, center)
    return Tail(law, growth, source, exponent, error)


def _outward(values: Array, upper: bool) -> Array:
    """From the end inward."""
    return values[::-1] if upper else values


def _rise(inward: Array, log_y: Array, back: int) -> tuple[float, float]:
    """d ln|A| / d ln y at the end, and how far it may be off: over the last gap, or the last half where A ripples.

    back: gaps from the end to where else it is taken, to see whether it has settled.
    """
    last, earlier = _slope(inward, log_y, 0), _slope(inward, log_y, back)
    half = np.arange(np.argmax(log_y < log_y[0] - np.log(2.0)))
    if half.size > 2 * SAMPLES and np.all(inward[half] > 0):
        few = half[np.linspace(0, half.size - 1, SAMPLES).astype(int)]
        slopes = np.diff(np.log(inward[few])) / np.diff(log_y[few])
        turns = np.sum(np.diff(np.sign(np.diff(slopes))) != 0)
        if turns >= 2 and np.ptp(slopes) > MARGIN:
            fit = np.polynomial.Polynomial.fit(log_y[half], np.log(inward[half]), 1).convert()
            off = np.log(inward[half]) - fit(log_y[half])
            return float(fit.coef[1]), float(2.0 * np.std(off) / np.log(2.0))
    return last, abs(last - earlier)


def _slope(values: Array, log_y: Array, first: int) -> float:
    """d ln(values) / d ln y over one gap, the `first` from the end; 0 where a value is not positive."""
    pair = values[first : first + 2]
    if not np.all(pair > 0):
        return 0.0
    return float(np.log(pair[0] / pair[1]) / (log_y[first] - log_y[first + 1]))


def check_normalizable(axis: Axis, name: str, upper: bool, tail: Tail) -> None:
    """Raise NotNormalizable where the tail beyond an open end holds infinite mass, or may do so."""
    end = f"{name} -> {'infinity' if upper else '-infinity'}"
    place = f"at this open end ({name}={axis.hi if upper else axis.lo:.4g})"
    if np.isnan(tail.stationary) and axis.cells < FEWEST_CELLS:
        raise InvalidInput(
            f"{name} has {axis.cells} cells, too few to tell how the drift goes on beyond an open end: at least "
            f"{FEWEST_CELLS}"
        )
    if np.isnan(tail.stationary):
        raise NotNormalizable(
            f"no stationary density: toward {end} the drift does not lead back {place}, and jumps carry mass there for "
            "good; add a drift toward the middle, or make the end reflecting",
            end=end,
            exponent=np.nan,
            uncertainty=0.0,
        )
    q, error = tail.stationary, tail.uncertainty
    if q > LEAST + error:
        return
    reason, remedy = "its integral diverges", "a stronger drift or a larger alpha confines"
    if q > LEAST - error:
        reason, remedy = "whether its integral converges is undecided", "widen the grid to where the drift is a power"
    raise NotNormalizable(
        f"no stationary density: toward {end} it goes like |{name}|^-{q:.4g} (+- {error:.1g}; {tail.source}), and "
        f"{reason} {place}; {remedy}, or make the end reflecting",
        end=end,
        exponent=-q,
        uncertainty=error,
    )


def check_returns(axis: Axis, name: str, alpha: float, end: OpenEnd) -> None:
    """Refuse a scale that grows so fast toward an open end that jumps from beyond it carry back without bound.

    Per unit of p in the last cell int y^(g-q) |x - x_i|^(-1-alpha) dx returns to cell i: finite for g - q < alpha; and
    over the other end, where that is no wall, for g - q < alpha - 1.
    """
    if np.all(end.back >= 0.0) and end.lost >= 0.0:
        return
    g, q, other = end.tail.growth, end.tail.exponent, axis.ends[not end.upper]
    most = alpha - 1.0 if other in ("open", "absorbing") else alpha
    place = axis.hi if end.upper else axis.lo
    raise InvalidInput(
        f"toward the open end {name}={place:.4g} the scale of jumps grows like |{name}|^{g / alpha:.3g} over the last "
        f"two cells, scale^alpha like |{name}|^{g:.3g}, and p falls like |{name}|^-{q:.3g} ({end.tail.source}): jumps "
        f"from beyond that end would bring back mass without bound, for {g:.3g} - {q:.3g} is not below {most:.3g}; let "
        f"the scale level off there (slower than |{name}|^{(q + most) / alpha:.3g}), use more cells if it only seems "
        "to grow, or make that end 'reflecting' or 'absorbing'; fp.stationary with fp.Accurate() fits the tail instead"
    )


def is_derived(tail: Tail) -> bool:
    """Whether jumps that begin out there matter less than the drift, as the derivation of the exponent takes it."""
    return tail.growth < tail.stationary - 1.0 - MARGIN


def fitted_tail(axis: Axis, upper: bool, tail: Tail, density: Array) -> Tail:
    """The same tail with the exponent that the density has there, clear of the last cells."""
    end = tail.law.reach(axis, upper)[1]
    y = (axis.nodes - tail.law.center) * (1.0 if upper else -1.0)
    used = (y > FITTED[0] * end) & (y < FITTED[1] * end) & (density > 0)
    if used.sum() < FEWEST:
        return tail
    q = -float(np.polyfit(np.log(y[used]), np.log(density[used]), 1)[0])
    source = "fitted to the last cells: the scale grows too fast for alpha + c - 1"
    return replace(tail, law=PowerLaw(max(q, LEAST), tail.law.center), source=source, stationary=q)
