"""What is saved of each value: facts for a JSON header, and arrays; and the value that is made of them again.

An axis in closed form is saved by its map and built anew, to the same bits; a mapped axis by its arrays, and what is
loaded refuses to be refined.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis, read_only
from fpsolve.current import Current
from fpsolve.grid import Grid
from fpsolve.maps import LogMap, Map, SavedMap, SinhMap, TanhMap, UniformMap
from fpsolve.values.continuation import Beyond
from fpsolve.values.density import Density, Ends
from fpsolve.values.evolution import Evolution
from fpsolve.values.field import Field
from fpsolve.values.info import Info
from fpsolve.values.joint_law import JointLaw
from fpsolve.values.power_law import PowerLaw
from fpsolve.values.spectrum import Spectrum
from fpsolve.values.survival import Survival
from fpsolve.values.swarm import Swarm

__all__ = ["KINDS", "Arrays", "Header", "Kind", "Saveable"]

Saveable = Current | Density | Evolution | Field | Spectrum | Survival | Swarm
Arrays = dict[str, NDArray[Any]]
Header = dict[str, Any]


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
        "saved": lambda: SavedMap(*(_float(arrays[f"axis{index}_{name}"]) for name in ("s", "x", "dx"))),
    }
    lower, upper = facts["ends"]
    return Axis(known[facts["map"]](), facts["start"], facts["stop"], facts["cells"], (lower, upper))


def _grid_facts(grid: Grid) -> tuple[Header, Arrays]:
    axes: list[Header] = []
    arrays: Arrays = {}
    for index, (name, axis) in enumerate(zip(grid.names, grid.axes, strict=True)):
        facts, points = _axis_facts(axis, index)
        axes.append({"name": name, **facts})
        arrays |= points
    return {"grid": axes}, arrays


def _grid(header: Header, arrays: Arrays, shape: tuple[int, ...]) -> Grid:
    cells = [facts["cells"] for facts in header["grid"]]
    if list(shape) != cells:  # before an axis of that many cells is built
        raise ValueError(f"values have shape {shape}, the axes {cells} cells")
    return Grid(**{facts["name"]: _axis(facts, arrays, index) for index, facts in enumerate(header["grid"])})


@dataclass(frozen=True)
class Kind:
    """How one kind of value becomes facts and arrays, and is made of them again."""

    taken_apart: Callable[[Any], tuple[Header, Arrays]]
    put_together: Callable[[Header, Arrays], Any]


def _density_apart(p: Density) -> tuple[Header, Arrays]:
    facts, arrays = _grid_facts(p.grid)
    facts |= {
        "info": _info_facts(p.info),
        "error": _number(p.error),
        "time": _number(p.time),
        "continued": _ends_facts(p.ends),
    }
    return facts, arrays | {"values": p.values, "log_values": p.log_values}


def _density_together(header: Header, arrays: Arrays) -> Density:
    continued = _ends(header["continued"])
    return Density(
        _grid(header, arrays, arrays["values"].shape),
        _float(arrays["values"]),
        _float(arrays["log_values"]),
        _info(header["info"]),
        _maybe(header["error"]),
        _maybe(header["time"]),
        continued,
    )


def _ends_facts(ends: Ends) -> list[list[bool | Header]]:
    return [[_end_facts(end) for end in pair] for pair in ends]


def _end_facts(end: Beyond) -> bool | Header:
    if isinstance(end, JointLaw):
        laws = {"marginal": asdict(end.marginal), "line": asdict(end.line)}
        return {"gains": end.gains.tolist(), "gain": end.gain, **laws}
    return asdict(end) if isinstance(end, PowerLaw) else end


def _ends(facts: list[list[bool | Header]]) -> Ends:
    return tuple((_beyond(lower), _beyond(upper)) for lower, upper in facts)


def _beyond(fact: bool | Header) -> Beyond:
    if isinstance(fact, dict) and "gains" in fact:
        marginal, line = (
            PowerLaw(float(law["exponent"]), float(law["center"])) for law in (fact["marginal"], fact["line"])
        )
        return JointLaw(np.array(fact["gains"], dtype=float), float(fact["gain"]), marginal, line)
    if isinstance(fact, dict):
        return PowerLaw(float(fact["exponent"]), float(fact["center"]))
    return bool(fact)


def _field_apart(field: Field) -> tuple[Header, Arrays]:
    facts, arrays = _grid_facts(field.grid)
    facts |= {"name": field.name, "info": _info_facts(field.info), "error": _number(field.error)}
    for k, (s, f) in enumerate(field.between):
        arrays |= {f"between{k}_s": s, f"between{k}_f": f}
    return facts | {"between": len(field.between)}, arrays | {"values": field.values}


def _field_together(header: Header, arrays: Arrays) -> Field:
    values, info, error = _float(arrays["values"]), _info(header["info"]), _maybe(header["error"])
    count = int(header.get("between", 0))  # older files have none
    finer = tuple((_float(arrays[f"between{k}_s"]), _float(arrays[f"between{k}_f"])) for k in range(count))
    return Field(_grid(header, arrays, values.shape), values, str(header["name"]), info, error, finer)


def _evolution_apart(path: Evolution) -> tuple[Header, Arrays]:
    facts, arrays = _grid_facts(path.grid)
    facts |= {"info": _info_facts(path.info), "finished": path.finished}
    if path.laws is not None:
        facts["laws"] = [_ends_facts(ends) for ends in path.laws]
    tails = {} if path.tails is None else {"tails": path.tails}
    return facts, arrays | {"times": path.times, "masses": path.masses} | tails


def _evolution_together(header: Header, arrays: Arrays) -> Evolution:
    times, masses = _float(arrays["times"]), _float(arrays["masses"])
    grid = _grid(header, arrays, masses.shape[1:])
    tails = _float(arrays["tails"]) if "tails" in arrays else None
    laws = tuple(_ends(ends) for ends in header["laws"]) if "laws" in header else None
    return Evolution(grid, times, masses, _info(header["info"]), bool(header["finished"]), tails, laws)


def _swarm_apart(swarm: Swarm) -> tuple[Header, Arrays]:
    names = ("times", "positions", "steps", "weights", "lost_at", "absorbed_at")
    arrays = {name: getattr(swarm, name) for name in names}
    facts = {
        "names": list(swarm.names),
        "seed": swarm.seed,
        "finished": swarm.finished,
        "relaxation_time": _number(swarm.relaxation_time),
    }
    return facts, {name: array for name, array in arrays.items() if array is not None}


def _swarm_together(header: Header, arrays: Arrays) -> Swarm:
    return Swarm(
        tuple(header["names"]),
        _float(arrays["times"]),
        _float(arrays["positions"]),
        arrays.get("steps"),
        arrays.get("weights"),
        header["seed"],
        arrays.get("lost_at"),
        bool(header["finished"]),
        _maybe(header["relaxation_time"]),
        arrays.get("absorbed_at"),
    )


def _current_apart(J: Current) -> tuple[Header, Arrays]:
    facts, arrays = _density_apart(J.density)
    facts |= {name: _number(getattr(J, name)) for name in _CURRENT_NUMBERS}
    faces = {f"faces{k}": values for k, values in enumerate(J.at_faces)}
    return facts, arrays | faces | {"divergence": J.divergence}


def _current_together(header: Header, arrays: Arrays) -> Current:
    p = _density_together(header, arrays)
    faces = tuple(read_only(_float(arrays[f"faces{k}"])) for k in range(p.grid.ndim))
    for k, (values, count) in enumerate(zip(faces, p.grid.shape, strict=True)):
        if values.shape != tuple(n + (i == k) for i, n in enumerate(p.grid.shape)):
            raise ValueError(f"currents across axis {k} have shape {values.shape}, the axis {count} cells")
    if arrays["divergence"].shape != p.grid.shape:
        raise ValueError(f"the divergence has shape {arrays['divergence'].shape}, the grid {p.grid.shape}")
    numbers = {name: float(header[name]) for name in _CURRENT_NUMBERS}
    return Current(p, faces, read_only(_float(arrays["divergence"])), **numbers)


def _spectrum_apart(found: Spectrum) -> tuple[Header, Arrays]:
    facts, arrays = _grid_facts(found.grid)
    facts |= {"info": _info_facts(found.info), "conservative": found.conservative, "memory": found.memory}
    facts |= {"names": [mode.name for mode in found.modes], "complex": bool(np.iscomplexobj(found.rates))}
    modes = np.stack([mode.values for mode in found.modes])
    return facts, arrays | {"real": found.rates.real, "imaginary": found.rates.imag, "modes": modes}


def _spectrum_together(header: Header, arrays: Arrays) -> Spectrum:
    modes, info = _float(arrays["modes"]), _info(header["info"])
    grid = _grid(header, arrays, modes.shape[1:])
    fields = tuple(Field(grid, mode, str(name)) for mode, name in zip(modes, header["names"], strict=True))
    rates: NDArray[Any] = _float(arrays["real"])
    if header["complex"]:
        rates = rates + 1j * _float(arrays["imaginary"])
    return Spectrum(grid, rates, fields, bool(header["conservative"]), info, float(header.get("memory", 1.0)))


def _survival_apart(S: Survival) -> tuple[Header, Arrays]:
    initial = [_number(number) for number in S.initial]
    facts = {"info": _info_facts(S.info), "finished": S.finished, "initial": initial, "memory": S.memory}
    return facts, {name: getattr(S, name) for name in _SURVIVAL_ARRAYS}


def _survival_together(header: Header, arrays: Arrays) -> Survival:
    times, probability, exit_density = (_float(arrays[name]) for name in _SURVIVAL_ARRAYS)
    left, rate = (float(number) for number in header["initial"])
    info, memory = _info(header["info"]), float(header.get("memory", 1.0))
    return Survival(times, probability, exit_density, (left, rate), info, bool(header["finished"]), memory)


_SURVIVAL_ARRAYS = ("times", "probability", "exit_density")
KINDS = {
    "Current": Kind(_current_apart, _current_together),
    "Density": Kind(_density_apart, _density_together),
    "Evolution": Kind(_evolution_apart, _evolution_together),
    "Field": Kind(_field_apart, _field_together),
    "Spectrum": Kind(_spectrum_apart, _spectrum_together),
    "Survival": Kind(_survival_apart, _survival_together),
    "Swarm": Kind(_swarm_apart, _swarm_together),
}


def _info_facts(info: Info) -> Header:
    facts = asdict(info)
    return {name: _number(fact) if isinstance(fact, float) else fact for name, fact in facts.items()} | {
        "relaxation_time": None if info.relaxation_time is None else [_number(bound) for bound in info.relaxation_time]
    }


def _info(facts: Header) -> Info:
    numbers = {name: _maybe(facts.get(name)) for name in _INFO_NUMBERS}
    steps = facts.get("steps")
    bounds = facts["relaxation_time"]
    relaxation = None if bounds is None else (float(bounds[0]), float(bounds[1]))
    steps = None if steps is None else int(steps)
    return Info(str(facts["method"]), relaxation_time=relaxation, steps=steps, notes=tuple(facts["notes"]), **numbers)


_CURRENT_NUMBERS = ("entropy_production", "imbalance", "rounding")
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


def _number(value: float | None) -> float | str | None:
    """JSON has no infinity and no NaN: they become words, which float() reads."""
    return value if value is None or np.isfinite(value) else str(float(value))


def _maybe(fact: float | str | None) -> float | None:
    return None if fact is None else float(fact)


def _float(array: NDArray[Any]) -> NDArray[np.float64]:
    if array.dtype != np.float64:
        raise ValueError(f"an array is of {array.dtype}, not of float64")
    return array
