"""What is saved of each value: facts for a JSON header, and arrays; and the value that is made of them again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import read_only
from fpsolve.current import Current
from fpsolve.facts import (
    Arrays,
    Header,
    ends_facts,
    ends_of,
    floats,
    grid_facts,
    grid_of,
    info_facts,
    info_of,
    number_fact,
    number_of,
)
from fpsolve.values.density import Density
from fpsolve.values.evolution import Evolution
from fpsolve.values.field import Field
from fpsolve.values.spectrum import Spectrum
from fpsolve.values.survival import Survival
from fpsolve.values.swarm import Swarm

__all__ = ["KINDS", "Kind", "Saveable"]

Saveable = Current | Density | Evolution | Field | Spectrum | Survival | Swarm


@dataclass(frozen=True)
class Kind:
    """How one kind of value becomes facts and arrays, and is made of them again."""

    taken_apart: Callable[[Any], tuple[Header, Arrays]]
    put_together: Callable[[Header, Arrays], Any]


def _density_apart(p: Density) -> tuple[Header, Arrays]:
    facts, arrays = grid_facts(p.grid)
    facts |= {
        "info": info_facts(p.info),
        "error": number_fact(p.error),
        "time": number_fact(p.time),
        "continued": ends_facts(p.ends),
    }
    return facts, arrays | {"values": p.values, "log_values": p.log_values}


def _density_together(header: Header, arrays: Arrays) -> Density:
    continued = ends_of(header["continued"])
    return Density(
        grid_of(header, arrays, arrays["values"].shape),
        floats(arrays["values"]),
        floats(arrays["log_values"]),
        info_of(header["info"]),
        number_of(header["error"]),
        number_of(header["time"]),
        continued,
    )


def _field_apart(field: Field) -> tuple[Header, Arrays]:
    facts, arrays = grid_facts(field.grid)
    facts |= {"name": field.name, "info": info_facts(field.info), "error": number_fact(field.error)}
    for k, (s, f) in enumerate(field.between):
        arrays |= {f"between{k}_s": s, f"between{k}_f": f}
    return facts | {"between": len(field.between)}, arrays | {"values": field.values}


def _field_together(header: Header, arrays: Arrays) -> Field:
    values, info, error = floats(arrays["values"]), info_of(header["info"]), number_of(header["error"])
    count = int(header.get("between", 0))  # older files have none
    finer = tuple((floats(arrays[f"between{k}_s"]), floats(arrays[f"between{k}_f"])) for k in range(count))
    return Field(grid_of(header, arrays, values.shape), values, str(header["name"]), info, error, finer)


def _evolution_apart(path: Evolution) -> tuple[Header, Arrays]:
    facts, arrays = grid_facts(path.grid)
    facts |= {"info": info_facts(path.info), "finished": path.finished}
    if path.laws is not None:
        facts["laws"] = [ends_facts(ends) for ends in path.laws]
    tails = {} if path.tails is None else {"tails": path.tails}
    return facts, arrays | {"times": path.times, "masses": path.masses} | tails


def _evolution_together(header: Header, arrays: Arrays) -> Evolution:
    times, masses = floats(arrays["times"]), floats(arrays["masses"])
    grid = grid_of(header, arrays, masses.shape[1:])
    tails = floats(arrays["tails"]) if "tails" in arrays else None
    laws = tuple(ends_of(ends) for ends in header["laws"]) if "laws" in header else None
    return Evolution(grid, times, masses, info_of(header["info"]), bool(header["finished"]), tails, laws)


def _swarm_apart(swarm: Swarm) -> tuple[Header, Arrays]:
    names = ("times", "positions", "steps", "weights", "lost_at", "absorbed_at")
    arrays = {name: getattr(swarm, name) for name in names}
    facts = {
        "names": list(swarm.names),
        "seed": swarm.seed,
        "finished": swarm.finished,
        "relaxation_time": number_fact(swarm.relaxation_time),
    }
    return facts, {name: array for name, array in arrays.items() if array is not None}


def _swarm_together(header: Header, arrays: Arrays) -> Swarm:
    return Swarm(
        tuple(header["names"]),
        floats(arrays["times"]),
        floats(arrays["positions"]),
        arrays.get("steps"),
        arrays.get("weights"),
        header["seed"],
        arrays.get("lost_at"),
        bool(header["finished"]),
        number_of(header["relaxation_time"]),
        arrays.get("absorbed_at"),
    )


def _current_apart(J: Current) -> tuple[Header, Arrays]:
    facts, arrays = _density_apart(J.density)
    facts |= {name: number_fact(getattr(J, name)) for name in _CURRENT_NUMBERS}
    faces = {f"faces{k}": values for k, values in enumerate(J.at_faces)}
    return facts, arrays | faces | {"divergence": J.divergence}


def _current_together(header: Header, arrays: Arrays) -> Current:
    p = _density_together(header, arrays)
    faces = tuple(read_only(floats(arrays[f"faces{k}"])) for k in range(p.grid.ndim))
    for k, (values, count) in enumerate(zip(faces, p.grid.shape, strict=True)):
        if values.shape != tuple(n + (i == k) for i, n in enumerate(p.grid.shape)):
            raise ValueError(f"currents across axis {k} have shape {values.shape}, the axis {count} cells")
    if arrays["divergence"].shape != p.grid.shape:
        raise ValueError(f"the divergence has shape {arrays['divergence'].shape}, the grid {p.grid.shape}")
    numbers = {name: float(header[name]) for name in _CURRENT_NUMBERS}
    return Current(p, faces, read_only(floats(arrays["divergence"])), **numbers)


def _spectrum_apart(found: Spectrum) -> tuple[Header, Arrays]:
    facts, arrays = grid_facts(found.grid)
    facts |= {"info": info_facts(found.info), "conservative": found.conservative, "memory": found.memory}
    facts |= {"names": [mode.name for mode in found.modes], "complex": bool(np.iscomplexobj(found.rates))}
    modes = np.stack([mode.values for mode in found.modes])
    return facts, arrays | {"real": found.rates.real, "imaginary": found.rates.imag, "modes": modes}


def _spectrum_together(header: Header, arrays: Arrays) -> Spectrum:
    modes, info = floats(arrays["modes"]), info_of(header["info"])
    grid = grid_of(header, arrays, modes.shape[1:])
    fields = tuple(Field(grid, mode, str(name)) for mode, name in zip(modes, header["names"], strict=True))
    rates: NDArray[Any] = floats(arrays["real"])
    if header["complex"]:
        rates = rates + 1j * floats(arrays["imaginary"])
    return Spectrum(grid, rates, fields, bool(header["conservative"]), info, float(header.get("memory", 1.0)))


def _survival_apart(S: Survival) -> tuple[Header, Arrays]:
    initial = [number_fact(number) for number in S.initial]
    facts = {"info": info_facts(S.info), "finished": S.finished, "initial": initial, "memory": S.memory}
    return facts, {name: getattr(S, name) for name in _SURVIVAL_ARRAYS}


def _survival_together(header: Header, arrays: Arrays) -> Survival:
    times, probability, exit_density = (floats(arrays[name]) for name in _SURVIVAL_ARRAYS)
    left, rate = (float(number) for number in header["initial"])
    info, memory = info_of(header["info"]), float(header.get("memory", 1.0))
    return Survival(times, probability, exit_density, (left, rate), info, bool(header["finished"]), memory)


_CURRENT_NUMBERS = ("entropy_production", "imbalance", "rounding")
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
