"""A grid for a density on a line that is known by d ln(D p)/dx = A/D: as far out as it holds any mass.

Outward from the minimum in steps that grow; an end lies where D p has fallen by exp(-FALL), where its power-law tail
holds nothing more, or before a zero of the noise at 0, towards which the axis is logarithmic.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fpsolve.asking import shown
from fpsolve.axis import Axis
from fpsolve.errors import InvalidInput
from fpsolve.grid import Grid

__all__ = ["line_for", "plane_for"]

Array = NDArray[np.float64]
FALL = 60.0  # in ln(D p)
FARTHEST = 1e9  # widths: power laws are continued from there
NEAREST = 1e-60  # of the minimum: towards a zero of the noise
STEPS = 2000  # out to FARTHEST


def line_for(
    slope: Callable[[Array], Array], no_noise: Callable[[float], bool], minimum: float, width: float, cells: int
) -> Axis:
    """The axis: log where the noise vanishes at 0, uniform for tails that fall fast, sinh for those that do not.

    slope: A/D at places (k,); no_noise: whether D vanishes at a place; width: of the peak at the minimum.
    """
    if minimum != 0.0 and no_noise(0.0):
        near, far = (abs(minimum) * factor for factor in _log_reach(slope, minimum))
        return Axis.log(*((near, far) if minimum > 0 else (-far, -near)), cells)
    below, above = (_reach(slope, minimum, width, sign) for sign in (-1.0, 1.0))
    if max(below, above) < 40.0 * width:
        return Axis.uniform(minimum - below, minimum + above, cells)
    far = max(below, above)
    return Axis.sinh(minimum - far, minimum + far, cells, scale=width, center=minimum)


def _reach(slope: Callable[[Array], Array], minimum: float, width: float, sign: float) -> float:
    """How far from the minimum D p has fallen by FALL."""
    distance = width * np.sinh(np.linspace(0.0, np.arcsinh(FARTHEST), STEPS))
    return float(distance[_last(slope(minimum + sign * distance) * sign, distance)])


def _log_reach(slope: Callable[[Array], Array], minimum: float) -> tuple[float, float]:
    """The smallest and the largest |x| over |minimum|; in ln|x| the slope is A x/D."""
    reaches = []
    for sign, end in ((-1.0, np.log(NEAREST)), (1.0, np.log(FARTHEST))):
        logs = np.linspace(0.0, abs(end), STEPS)
        x = minimum * np.exp(sign * logs)
        reaches.append(float(np.exp(sign * logs[_last(sign * slope(x) * x, logs)])))
    return reaches[0], reaches[1]


def _last(outward: Array, places: Array) -> int:
    """The first place where the integral of the slope has fallen by FALL; the last one where it never does."""
    steps = 0.5 * (outward[1:] + outward[:-1]) * np.diff(places)
    steps = np.where(np.isfinite(steps), steps, 0.0)
    fallen = np.flatnonzero(np.cumsum(steps) < -FALL)
    return int(fallen[0]) + 1 if fallen.size else places.size - 1


def plane_for(names: tuple[str, ...], middle: Array, reach: Array, cells: int | tuple[int, ...]) -> Grid:
    """Uniform axes from middle - reach to middle + reach; cells: of each, or one number for both."""
    counts = tuple(cells) if isinstance(cells, (tuple, list)) else (cells, cells)
    if len(counts) != len(names):
        raise InvalidInput(f"cells is {shown(cells)}; give a whole number, or one for each of {names}")
    rows = zip(names, middle, reach, counts, strict=True)
    return Grid(**{name: Axis.uniform(m - r, m + r, count) for name, m, r, count in rows})
