"""What to do about an open end, by the shape of the density in the cells before it: where the bulk is, or a pole."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis

__all__ = ["distance_from", "past_the_bulk", "power_at"]

Array = NDArray[np.float64]
ALIKE = 0.05  # exponents of a power law, from cell to cell


def past_the_bulk(axis: Axis, name: str, log_p: Array, upper: bool) -> str:
    """Where p has no finite mass beyond an end: what to do.

    Where p rises all the way to that end, ever more slowly, the grid may miss the bulk: the place where its slope would
    vanish if it goes on falling as over the last tenth.

    >>> axis = Axis.uniform(-3, 3, 60)
    >>> past_the_bulk(axis, "x", -0.5 * (axis.nodes - 10) ** 2, upper=True)[:76]
    'p rises all the way to it, ever more slowly, as if the bulk lay beyond, near'
    """
    values, places = (log_p, axis.nodes) if upper else (log_p[::-1], -axis.nodes[::-1])
    if axis.map.tail == "exponential" and np.all(np.diff(values) > 0.0):
        slopes = np.diff(values) / np.diff(places)
        back = max(1, slopes.size // 10)
        last, fall = float(slopes[-1]), float(slopes[-1 - back] - slopes[-1])
        if fall > ALIKE * last:
            peak = float(places[-1] + last * (places[-1] - places[-1 - back]) / fall)
            return (
                "p rises all the way to it, ever more slowly, as if the bulk lay beyond, near "
                f"{name}={peak if upper else -peak:.3g}: widen the grid past that, change the parameters, or make the "
                "end reflecting"
            )
    return "change the parameters, widen the grid if it ends inside the bulk, or make the end reflecting"


def power_at(axis: Axis, log_p: Array, upper: bool) -> float:
    """a > 0 where p ~ distance^a over the last four cells of a uniform axis, as beside a pole of the drift; else 0.

    >>> axis = Axis.uniform(0, 6, 60)
    >>> round(power_at(axis, 2 * np.log(axis.nodes), upper=False), 9), power_at(axis, axis.nodes, upper=False)
    (2.0, 0.0)
    """
    values = log_p[-4:][::-1] if upper else log_p[:4]
    if axis.kind != "uniform" or values.size < 4 or not np.all(np.isfinite(values)):
        return 0.0
    powers = np.diff(values) / np.diff(np.log(np.arange(4) + 0.5))
    return float(powers[0]) if np.ptp(powers) < ALIKE * powers.min() else 0.0


def distance_from(name: str, place: float) -> str:
    """|x - place|, for messages.

    >>> distance_from("x", 0.0), distance_from("x", 0.5)
    ('|x|', '|x - 0.5|')
    """
    return f"|{name}|" if place == 0.0 else f"|{name} - {place:.4g}|"
