"""How far ln p may be trusted beyond the last node, where it goes on as the last cells fall.

There ln(w p) is continued as a straight line in s (values/continuation.py).  Where its slope f was still changing, by
f' per unit of s, the line leaves ln p at a distance d by

    f' d^2/2,    or, where the changes shrink toward the end like exp(-k s),    f'/k (d - (1 - exp(-k d))/k)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.errors import InvalidInput, TruncationWarning, warn
from fpsolve.values.continuation import end_slopes
from fpsolve.values.joint_law import JointLaw
from fpsolve.values.power_law import PowerLaw

if TYPE_CHECKING:
    from fpsolve.values.cumulative import Interpolant
    from fpsolve.values.density import Density
    from fpsolve.values.surface import Surface

__all__ = ["asked", "log_error"]

Array = NDArray[np.float64]
TRUSTED = 0.1  # of ln p: values to a tenth
SERIES = 1e-4  # of k d: below, the second formula is the first to as much


def asked(p: Density, x: Sequence[Array | float]) -> Interpolant | Surface:
    """What answers p(x) and p.log(x); warns, once for all points, where it goes farther beyond the grid than it can.

    Silent where the law of the last cells is straight or known, and beyond ends where p is 0.
    """
    if len(x) != p.grid.ndim:
        raise InvalidInput(f"p takes {p.grid.ndim} coordinates {p.grid.names}, got {len(x)}")
    found = []
    for i, (axis, c) in enumerate(zip(p.grid.axes, x, strict=True)):
        places = np.asarray(c, dtype=float)
        ends = () if axis.periodic or places.size == 0 else p.ends[i]
        for upper, beyond in enumerate(ends):
            farthest = _farthest(axis, places, bool(upper))
            if not beyond or isinstance(beyond, (PowerLaw, JointLaw)) or farthest is None:
                continue
            logs = (p if p.grid.ndim == 1 else p.marginal(p.grid.names[i])).log_values
            place, further = farthest
            found.append((log_error(logs + np.log(axis.weights), axis.ds, bool(upper), further), place, upper, i))
    if found and max(found)[0] > TRUSTED:
        off, place, upper, i = max(found)
        _warn(p.grid.names[i], p.grid.axes[i], bool(upper), place, off)
    return p.curve


def log_error(log_terms: Array, ds: float, upper: bool, further: float) -> float:
    """How far the straight continuation of ln(w p) may be off, `further` beyond the last node in s; 0 if unknown."""
    slopes, apart, rounding = end_slopes(log_terms, ds, upper)
    if len(slopes) < 3:
        return 0.0
    first, second = slopes[0] - slopes[1], slopes[1] - slopes[2]
    if not np.isfinite(first + second) or abs(first) <= rounding:
        return 0.0
    shrinks = np.log(second / first) if first * second > 0 else 0.0
    k, straight = float(shrinks) / apart, 0.5 * abs(first) / apart * further**2
    if k * further < SERIES:  # also where the changes grow
        return straight
    return 2.0 * straight * (1.0 + float(np.expm1(-k * further)) / (k * further)) / (k * further)


def _farthest(axis: Axis, x: Array, upper: bool) -> tuple[float, float] | None:
    """The farthest finite point beyond the last node, and its distance in s."""
    node = float(axis.s_nodes[-1 if upper else 0])
    with np.errstate(invalid="ignore", divide="ignore"):
        over = (axis.s(x) - node) * (1.0 if upper else -1.0)
    over = np.where(np.isfinite(over), over, 0.0)
    far = int(over.argmax())
    return (float(x.ravel()[far]), float(over.ravel()[far])) if over.max() > 0.5 * axis.ds else None


def _warn(name: str, axis: Axis, upper: bool, place: float, off: float) -> None:
    end = axis.hi if upper else axis.lo
    law = "an exponential" if axis.kind == "uniform" else f"a power of {name}"
    warn(
        f"p is asked at {name}={place:.6g}, {abs(place - end):.3g} beyond the end {name}={end:g} of its grid, and goes "
        f"on there as {law}, the law of its last cells; that law was still changing, and ln p may be off by "
        f"{off:.2g} at {name}={place:.6g}: extend the grid",
        TruncationWarning,
    )
