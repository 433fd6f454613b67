"""The exponent of a tail, p ~ |x|^-q, where there is one: the local exponent has to level off.

    q(x) = -d ln p/d ln |x|:   constant for a power law, x^2 for a Gaussian, growing like ln x for a log-normal law

Slopes in the three thirds of the window (equal in ln |x|) tell.  A power law with a correction x^-k has slopes whose
changes shrink toward the end; where they grow steadily instead, p falls faster than any power, as `hill` says of
samples by an extreme-value index that is not above 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.errors import DegenerateWarning, InvalidInput, warn
from fpsolve.values.power_law import PowerLaw

if TYPE_CHECKING:
    from fpsolve.values.density import Density

__all__ = ["fitted_exponent", "tail_exponent"]

Array = NDArray[np.float64]
Window = tuple[float, float]
STILL_CHANGING = 0.1  # of max(|q|, 1), while |x| grows by a factor e
STEADY_GROWTH = 0.02  # the same, where the growth does not slow down
SLOWS_DOWN = 0.9  # the growth in the outer half of the window over that in the inner half, at most
IN_ERRORS = 3.0


def tail_exponent(p: Density, window: Window | None, end: str | None) -> float:
    """q in p ~ |x|^-q; inf (-inf toward 0) where p falls faster than any power; both that and a drift warn."""
    logs, log_p, end, shrinking = _tail(p, window, end)
    q = _slope(logs, log_p)
    if logs.size < 6:
        return q
    outward = -1.0 if shrinking else 1.0
    thirds = np.array_split(np.argsort(outward * logs), _cuts(np.sort(outward * logs)))
    places = np.array([outward * logs[k].mean() for k in thirds])
    slopes = np.array([outward * _slope(logs[k], log_p[k]) for k in thirds])
    errors = np.array([_error(logs[k], log_p[k]) for k in thirds])
    growth, scale = np.diff(slopes) / np.diff(places), max(abs(q), 1.0)
    if np.abs(slopes[2] - slopes[0]) <= IN_ERRORS * np.hypot(errors[0], errors[2]):
        return q
    steady = growth[0] > 0 and growth[1] > SLOWS_DOWN * growth[0] and growth.mean() > STEADY_GROWTH * scale
    steady = steady and not isinstance(p.ends[0][end == "upper"], PowerLaw)
    if not steady and abs(slopes[2] - slopes[0]) <= STILL_CHANGING * scale * (places[2] - places[0]):
        return q
    name, low, high = p.grid.names[0], np.exp(logs.min()), np.exp(logs.max())
    seen = (
        f"the local exponent of p at the {end} end goes from {outward * slopes[0]:.3g} to {outward * slopes[2]:.3g} "
        f"over |{name}| in [{low:.3g}, {high:.3g}]"
    )
    if steady:
        found = "without levelling off, as where p falls faster than any power: no power law is seen on this grid"
    else:
        found = f"and has not settled: {q:.3g} is its mean, not the exponent of a power law; widen the grid"
    warn(f"{seen}, {found}; fp.local_exponent shows it", DegenerateWarning)
    return outward * np.inf if steady else q


def fitted_exponent(p: Density, window: Window | None, end: str | None) -> float:
    """Minus the least-squares slope of ln p against ln |x| over `window`, whatever the tail is."""
    logs, log_p, _, _ = _tail(p, window, end)
    return _slope(logs, log_p)


def _tail(p: Density, window: Window | None, end: str | None) -> tuple[Array, Array, str, bool]:
    """ln |x| and ln p at the nodes of the window, which end it is before, and whether |x| shrinks toward it."""
    if end is None:
        end = "lower" if p.grid.axes[0].kind == "log" and p.grid.axes[0].hi < 0 else "upper"
    if end not in ("upper", "lower"):
        raise InvalidInput(f"end is {end!r}; use 'upper' or 'lower'")
    axis = p.only_axis("tail_exponent")
    x, shrinking = axis.nodes, _toward_zero(axis, end)
    if window is None:
        far = abs(x[-1] if end == "upper" else x[0])
        window = (far, 10 * far) if axis.kind == "log" and shrinking else (far / 10, far)
    if not 0 <= window[0] < window[1]:
        raise InvalidInput(f"window is {window}; give (low, high) in |x| with 0 <= low < high")
    inside = (np.abs(x) >= window[0] * (1 - 1e-12)) & (np.abs(x) <= window[1] * (1 + 1e-12))
    if axis.lo * axis.hi < 0:
        inside &= x > 0 if end == "upper" else x < 0
    inside &= np.isfinite(p.log_values)
    if inside.sum() < 2:
        raise InvalidInput(f"window {window} holds {int(inside.sum())} nodes where p > 0; a slope needs two")
    return np.log(np.abs(x[inside])), p.log_values[inside], end, shrinking


def _toward_zero(axis: Axis, end: str) -> bool:
    """Whether |x| shrinks toward this end."""
    return axis.lo * axis.hi >= 0 and (end == "lower") == (axis.lo >= 0)


def _cuts(places: Array) -> Array:
    """Where sorted places are cut into thirds of equal length, with at least two in each."""
    wanted = places[0] + (places[-1] - places[0]) * np.array([1.0, 2.0]) / 3.0
    first, second = np.searchsorted(places, wanted)
    first = int(np.clip(first, 2, places.size - 4))
    return np.array([first, int(np.clip(second, first + 2, places.size - 2))])


def _slope(logs: Array, log_p: Array) -> float:
    return -float(np.polyfit(logs, log_p, 1)[0])


def _error(logs: Array, log_p: Array) -> float:
    """The standard error of that slope."""
    left = log_p - np.polyval(np.polyfit(logs, log_p, 1), logs)
    return float(np.sqrt((left**2).sum() / max(logs.size - 2, 1) / ((logs - logs.mean()) ** 2).sum()))
