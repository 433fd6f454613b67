"""Is the density normalisable?  What its last cells say about an open end, and about a zero of the noise inside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.errors import NotNormalizable, ResolutionWarning, TruncationWarning, warn
from fpsolve.operators.end_hints import distance_from, past_the_bulk, power_at
from fpsolve.values.continuation import EndLaw, end_law, share_beyond

Array = NDArray[np.float64]
TOLERATED_TRUNCATION = 1e-6
TOLERATED_SINGULARITY = 1e-4
ENOUGH = 1e-9
NOTHING = 1e-9  # of the largest mass
CONSTANT = 1e-6  # what ln p changes by over the whole axis
FAR_BELOW, VERY_FAR_BELOW = np.log(1e-2), np.log(1e-6)
VANISHED = -40.0  # in ln(w p) below the peak
MOST_BEYOND = 0.1  # of the mass: a marginal that falls so slowly may as well not fall at all
LAYER = 20  # a twentieth of the axis: how far a pile-up before an end may reach


def check_open_end(axis: Axis, name: str, log_p: Array, upper: bool, *, marginal: bool = False) -> EndLaw:
    """The law of ln(w p) at an open end.  Raises NotNormalizable where its mass diverges, or cannot be told.

    marginal: log_p is a marginal of several coordinates, whose last cells carry the scheme's error too: one that still
    falls, far below its peak, is taken for finite (and warned of by its share).
    """
    law, verdict = judge_open_end(axis, log_p, upper, marginal=marginal)
    if verdict == "finite":
        return law
    shape, end, exponent, error = described(axis, name, law, upper)
    reason = "its integral diverges" if verdict == "infinite" else "whether its integral converges is undecided"
    raise NotNormalizable(
        f"no stationary density: toward {end} it goes like {shape}, and {reason} at this open end "
        f"({name}={axis.hi if upper else axis.lo:.4g}); {past_the_bulk(axis, name, log_p, upper)}",
        end=end,
        exponent=exponent,
        uncertainty=error,
    )


def judge_open_end(axis: Axis, log_p: Array, upper: bool, *, marginal: bool = False) -> tuple[EndLaw, str]:
    """The law of ln(w p) at an open end, and whether what lies beyond is "finite", "infinite" or "undecided".

    marginal: as for `check_open_end`.
    """
    terms = log_p + np.log(axis.weights)
    law = end_law(terms, axis.ds, upper)
    verdict = "finite" if _ripples_down(terms, upper) else law.verdict
    if verdict == "undecided" and _vanishes(axis, terms, law, upper):
        verdict = "finite"
    if verdict == "finite" and _flattens(axis, law):
        verdict = _against_power_law(axis, log_p, law, upper)
    if marginal and verdict == "undecided" and law.slope < 0:
        last = (terms[-1] if upper else terms[0]) - np.max(terms)
        verdict = "finite" if last < (FAR_BELOW if axis.map.tail == "exponential" else VERY_FAR_BELOW) else verdict
    if marginal and verdict == "finite" and _share_beyond(terms, upper) > MOST_BEYOND:
        verdict = "undecided"
    return law, verdict


def described(axis: Axis, name: str, law: EndLaw, upper: bool) -> tuple[str, str, float, float]:
    """For messages: the shape of a law, the end, the exponent and how far it may be off."""
    shape, exponent, error = _shape(axis, name, law, upper)
    return shape, f"{name} -> {_limit(axis, upper)}", exponent, error


def piled_up(axis: Axis, name: str, masses: Array, upper: bool) -> bool:
    """Whether the masses of a marginal, far below their peak, rise just before an open end: a current is cut off there.

    The end then works as a wall, and the last cells say nothing about what lies beyond.  Warns of the mass they hold.
    """
    outward = masses if upper else masses[::-1]
    last = outward[-max(4, outward.size // LAYER) :]
    lowest = int(np.argmin(last))
    if lowest in (0, last.size - 1) or not np.log(last[-1] / outward.max()) < FAR_BELOW:
        return False
    held = float(last[lowest + 1 :].sum())
    if held > TOLERATED_TRUNCATION:
        warn(
            f"{held:.2g} of the mass piles up in the last {last.size - 1 - lowest} cells before the open end "
            f"{name}={axis.hi if upper else axis.lo:.4g}, which cuts off a current; widen the grid there",
            TruncationWarning,
        )
    return True


def check_noise_zero(nodes: Array, name: str, log_p: Array, zero: float, upper: bool) -> float:
    """The power law beside a zero of the noise at x = `zero`, the (upper?) end of a closed class.

    nodes, log_p: of the class alone.  Returns a (0 where too few cells tell).
    Raises NotNormalizable where p ~ |x - zero|^a with a <= -1.
    """
    values, places = (log_p[::-1], nodes[::-1]) if upper else (log_p, nodes)
    distance = np.abs(places - zero)
    if values.size < 4 or not np.all(np.isfinite(values[:4])):
        return 0.0
    slopes = np.diff(values[:4]) / np.diff(np.log(distance[:4]))
    exponent, error = float(slopes[0]), float(abs(slopes[0] - slopes[1]))
    if exponent > -1.0:
        return exponent
    side = f"{name} {'<' if upper else '>'} {zero:.4g}"
    raise NotNormalizable(
        f"no stationary density on {side}: the noise vanishes at {name}={zero:.4g}, where p goes like "
        f"{distance_from(name, zero)}^{exponent:.4g} (+- {error:.1g}), which is not integrable for exponents <= -1: "
        "all mass condenses there; components(problem, skip=True) returns the branches that have a density",
        end=side,
        exponent=exponent,
        uncertainty=error,
    )


def doubt_beyond(axis: Axis, law: EndLaw, share: float, reach: float) -> float:
    """How far the share of the mass that lies beyond an end may be off, of all mass.

    reach: distance of the end from the mode.
    """
    doubt = share * min(1.0, max(law.drift, law.uncertainty) / abs(law.slope)) if law.slope else share
    if _flattens(axis, law):
        q = -law.slope * reach
        doubt = max(doubt, share / (q - 1.0)) if q > 1.0 else np.inf
    return doubt


def warn_of_truncation(
    axis: Axis, name: str, law: EndLaw, share: float, reach: float, upper: bool, log_p: Array | None = None
) -> None:
    """Say so where the mass beyond an end is not small and its law is not straight enough to trust.

    reach: distance of the end from the mode.  log_p: where the end may be a singular point, beyond which nothing lies.
    """
    doubt = doubt_beyond(axis, law, share, reach)
    if not doubt > TOLERATED_TRUNCATION:
        return
    power = 0.0 if log_p is None else power_at(axis, log_p, upper)
    if power > 0.0:
        shape = f"{distance_from(name, axis.hi if upper else axis.lo)}^{power:.3g}"
        remedy = (
            f"p falls to 0 there like {shape}, as where the drift has a pole: if nothing lies beyond, make the end "
            "reflecting"
        )
    elif _flattens(axis, law):
        remedy = (
            f"the tail flattens like |{name}|^-{-law.slope * reach:.3g}: use fp.Axis.sinh, which continues power laws"
        )
    else:
        remedy = extension(axis, name, law.slope, share, upper)
    warn(
        f"{share:.2g} of the mass lies beyond the open end {name}={axis.hi if upper else axis.lo:.4g}, known to "
        f"about {doubt:.1g} by continuation; {remedy}",
        TruncationWarning,
    )


def warn_of_singularity(p_mass: float, name: str, exponent: float, place: float) -> None:
    """p ~ |x - place|^a with -1 < a < 0 is integrable, but its first cell's midpoint misses part of the integral."""
    missing = p_mass * (2.0**exponent / (1.0 + exponent) - 1.0)
    if exponent < 0.0 and missing > TOLERATED_SINGULARITY:
        warn(
            f"the density diverges like |{name} - {place:.4g}|^{exponent:.3g} at {name}={place:.4g}, and the cell "
            f"there misses about {missing:.2g} of the mass; cluster the cells: fp.Axis.tanh for a bounded interval, "
            "fp.Axis.log beside 0",
            ResolutionWarning,
        )


def further(axis: Axis, slope: float, share: float, upper: bool) -> float | None:
    """The end that leaves nothing beyond, None where no double holds it: a law that hardly falls reaches past 1e308."""
    gap = np.log(share / ENOUGH) / abs(slope)
    s = axis.s_faces[-1] + gap if upper else axis.s_faces[0] - gap
    with np.errstate(over="ignore"):
        place = float(axis.x(s))
    return place if np.isfinite(place) and not (axis.kind == "log" and place == 0.0) else None


def extension(axis: Axis, name: str, slope: float, share: float, upper: bool) -> str:
    """Where to extend the grid to, if ln of the masses goes on with this slope in s."""
    place = further(axis, slope, share, upper)
    if place is None:
        return "no grid reaches far enough to hold it, only a wall would"
    return f"extend the grid to {name}={place:.4g}"


def _flattens(axis: Axis, law: EndLaw) -> bool:
    """Perhaps a power law, x^-q, which an exponential in x does not continue."""
    return axis.map.tail == "exponential" and law.limit > law.slope


def _vanishes(axis: Axis, terms: Array, law: EndLaw, upper: bool) -> bool:
    """Whether p is e^-40 below its peak and falls so fast that the trend of its slope can be left open.

    The slope's trend over the last tenth, carried on, would leave p falling for another tenth of the axis at least.  To
    hold a billionth of the mass out there p would have to turn after that and climb by e^20, of which no cell says
    anything; where it turns sooner the end stays undecided, and so does a tail that p has flattened into (slower than
    1/x: `_against_power_law`).  A log or sinh axis reaches too far for such an argument.
    """
    if axis.map.tail != "exponential":
        return False
    last = (terms[-1] if upper else terms[0]) - np.max(terms)
    return bool(last < VANISHED and law.slope + 2.0 * law.drift < 0.0)


def _share_beyond(terms: Array, upper: bool) -> float:
    """What the mass beyond an end would be of all, by the ratio of the last two terms."""
    masses = np.exp(terms - np.max(terms))
    share = share_beyond(masses, upper)
    return share / (share + float(masses.sum())) if np.isfinite(share) else 1.0


def _ripples_down(terms: Array, upper: bool) -> bool:
    """A tail that falls all the way to nothing, but in waves: extrapolating its slope would say little."""
    outward = terms if upper else terms[::-1]
    slopes = np.diff(outward[-max(4, outward.size // 3) :])
    waves = int(np.sum(np.diff(np.sign(np.diff(slopes))) != 0))
    return bool(waves >= 2 and slopes.max() < 0.0 and outward[-1] < outward.max() + np.log(NOTHING))


def _against_power_law(axis: Axis, log_p: Array, law: EndLaw, upper: bool) -> str:
    """On a uniform axis a flattening tail may be a power law: integrable if it falls faster than 1/x."""
    mode = axis.nodes[int(np.argmax(log_p))]
    reach = abs((axis.hi if upper else axis.lo) - mode)
    return "finite" if -law.slope * reach > 1.0 else "undecided"


def _shape(axis: Axis, name: str, law: EndLaw, upper: bool) -> tuple[str, float, float]:
    """The law in x: p ~ x^a on log and sinh axes, p ~ exp(a x) on others."""
    outward = 1.0 if upper else -1.0
    error = max(law.uncertainty, abs(law.limit - law.slope))
    if axis.map.tail == "power":
        shrinking = axis.kind == "log" and upper == (axis.lo < 0)
        exponent = (-law.slope if shrinking else law.slope) - 1.0
        return f"|{name}|^{exponent:.4g} (+- {error:.1g})", exponent, error
    exponent = outward * law.slope
    if abs(exponent) * (axis.hi - axis.lo) < CONSTANT:
        return "a constant", exponent, error
    return f"exp({exponent:.4g} {name}) (+- {error:.1g})", exponent, error


def _limit(axis: Axis, upper: bool) -> str:
    if axis.kind == "log" and upper == (axis.lo < 0):
        return "0"
    if axis.map.tail == "none":
        return f"{axis.hi if upper else axis.lo:.4g}"
    return "infinity" if upper else "-infinity"
