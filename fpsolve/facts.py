"""Grids, ends, infos and numbers as a JSON header has them, with arrays beside it; and made of these again.

An axis in closed form is saved by its map and built anew, to the same bits; a mapped axis by its arrays, and what is
loaded refuses to be refined.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.grid import Grid
from fpsolve.maps import LogMap, Map, SavedMap, SinhMap, TanhMap, UniformMap
from fpsolve.values.continuation import Beyond
from fpsolve.values.density import Ends
from fpsolve.values.info import Info
from fpsolve.values.joint_law import JointLaw
from fpsolve.values.power_law import PowerLaw

__all__ = [
    "Arrays",
    "Header",
    "ends_facts",
    "ends_of",
    "floats",
    "grid_facts",
    "grid_of",
    "info_facts",
    "info_of",
    "number_fact",
    "number_of",
]

Arrays = dict[str, NDArray[Any]]
Header = dict[str, Any]
_INFO_NUMBERS = (
    "decay_rate",
    "residual",
    "mass_error",
    "smallest",
    "edge_mass",
    "seconds",
    "current",
    "time_error",
    "floor",
)


def grid_facts(grid: Grid) -> tuple[Header, Arrays]:
    """The axes as facts; those that have no closed form with arrays."""
    axes: list[Header] = []
    arrays: Arrays = {}
    for index, (name, axis) in enumerate(zip(grid.names, grid.axes, strict=True)):
        facts, points = _axis_facts(axis, index)
        axes.append({"name": name, **facts})
        arrays |= points
    return {"grid": axes}, arrays


def grid_of(header: Header, arrays: Arrays, shape: tuple[int, ...]) -> Grid:
    """The grid of a header, for values of this shape."""
    cells = [facts["cells"] for facts in header["grid"]]
    if list(shape) != cells:  # before an axis of that many cells is built
        raise ValueError(f"values have shape {shape}, the axes {cells} cells")
    return Grid(**{facts["name"]: _axis(facts, arrays, index) for index, facts in enumerate(header["grid"])})


def ends_facts(ends: Ends) -> list[list[bool | Header]]:
    """Per axis what goes on beyond its ends: whether anything does, or the law's numbers."""
    return [[_end_facts(end) for end in pair] for pair in ends]


def ends_of(facts: list[list[bool | Header]]) -> Ends:
    """What goes on beyond the ends, from its facts."""
    return tuple((_beyond(lower), _beyond(upper)) for lower, upper in facts)


def info_facts(info: Info) -> Header:
    """The fields of an Info."""
    facts = {name: number_fact(fact) if isinstance(fact, float) else fact for name, fact in asdict(info).items()}
    bounds = info.relaxation_time
    return facts | {"relaxation_time": None if bounds is None else [number_fact(bound) for bound in bounds]}


def info_of(facts: Header) -> Info:
    """The Info of its fields."""
    numbers = {name: number_of(facts.get(name)) for name in _INFO_NUMBERS}
    steps = facts.get("steps")
    bounds = facts["relaxation_time"]
    relaxation = None if bounds is None else (float(bounds[0]), float(bounds[1]))
    steps = None if steps is None else int(steps)
    return Info(str(facts["method"]), relaxation_time=relaxation, steps=steps, notes=tuple(facts["notes"]), **numbers)


def number_fact(value: float | None) -> float | str | None:
    """JSON has no infinity and no NaN: they become words, which float() reads."""
    return value if value is None or np.isfinite(value) else str(float(value))


def number_of(fact: float | str | None) -> float | None:
    """The number of a fact, infinite and NaN too."""
    return None if fact is None else float(fact)


def floats(array: NDArray[Any]) -> NDArray[np.float64]:
    """The array, if it holds floats of 64 bits.  Raises ValueError otherwise."""
    if array.dtype != np.float64:
        raise ValueError(f"an array is of {array.dtype}, not of float64")
    return array


def _axis_facts(axis: Axis, index: int) -> tuple[Header, Arrays]:
    facts: Header = {"start": axis.start, "stop": axis.stop, "cells": axis.cells, "ends": list(axis.ends)}
    if isinstance(axis.map, (UniformMap, LogMap, SinhMap, TanhMap)):
        return {"map": axis.kind, **asdict(axis.map), **facts}, {}
    s = np.empty(2 * axis.cells + 1)
    s[0::2], s[1::2] = axis.s_faces, axis.s_nodes
    points = {"s": s, "x": axis.x(s), "dx": axis.dx(s)}
    return {"map": "saved", **facts}, {f"axis{index}_{name}": array for name, array in points.items()}


def _axis(facts: Header, arrays: Arrays, index: int) -> Axis:
    known: dict[str, Callable[[], Map]] = {
        "uniform": UniformMap,
        "log": lambda: LogMap(facts["sign"]),
        "sinh": lambda: SinhMap(facts["center"], facts["scale"]),
        "tanh": lambda: TanhMap(facts["low"], facts["high"]),
        "saved": lambda: SavedMap(*(floats(arrays[f"axis{index}_{name}"]) for name in ("s", "x", "dx"))),
    }
    lower, upper = facts["ends"]
    return Axis(known[facts["map"]](), facts["start"], facts["stop"], facts["cells"], (lower, upper))


def _end_facts(end: Beyond) -> bool | Header:
    if isinstance(end, JointLaw):
        laws = {"marginal": asdict(end.marginal), "line": asdict(end.line)}
        return {"gains": end.gains.tolist(), "gain": end.gain, **laws}
    return asdict(end) if isinstance(end, PowerLaw) else end


def _beyond(fact: bool | Header) -> Beyond:
    if isinstance(fact, dict) and "gains" in fact:
        marginal, line = (
            PowerLaw(float(law["exponent"]), float(law["center"])) for law in (fact["marginal"], fact["line"])
        )
        return JointLaw(np.array(fact["gains"], dtype=float), float(fact["gain"]), marginal, line)
    if isinstance(fact, dict):
        return PowerLaw(float(fact["exponent"]), float(fact["center"]))
    return bool(fact)
