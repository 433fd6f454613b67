"""Running a case: outputs checked first, then solve, print, draw and save.

Results are values with files of their own, and plain numbers, which go into results.json.
"""

from __future__ import annotations

import json
import math
import time
import types
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fpsolve.blame import short
from fpsolve.current import Current
from fpsolve.errors import InvalidInput
from fpsolve.formats import KINDS
from fpsolve.ladder import Ladder, PlaneLadder
from fpsolve.store import save, write_whole
from fpsolve.values.density import Density
from fpsolve.values.evolution import Evolution
from fpsolve.values.exact import ExactDensity
from fpsolve.values.swarm import Swarm
from fpsolve.version import __version__

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Outcome", "draw", "prepare", "run"]

NUMBERS = (bool, int, float, np.number, np.bool_)


@dataclass(frozen=True)
class Outcome:
    """What a run produced: its facts for JSON, its text, and whether everything finished."""

    facts: dict[str, Any]
    text: str
    finished: bool


def prepare(folder: Path, force: bool) -> None:
    """Make sure that results can be written to `folder`, before anything is computed."""
    if folder.exists() and not folder.is_dir():
        raise InvalidInput(f"{folder} is a file; give another folder with --out")
    if folder.is_dir() and any(folder.iterdir()) and not force:
        raise InvalidInput(f"{folder} holds results already; pass --force to replace them, or another --out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InvalidInput(f"cannot write to {folder}: {error.strerror}; give another folder with --out") from error


def run(case: types.ModuleType, parameters: dict[str, Any], folder: Path, tell: Callable[[str], object]) -> Outcome:
    """Solve the case and write its values, figure and facts to `folder`, which `prepare` has made."""
    started = time.perf_counter()
    results: dict[str, Any] = {}
    files: list[str] = []
    for name, value in _values(case, case.solve(**parameters)):
        results[name] = value
        tell(f"{name}: {value!r}")
        if isinstance(value, NUMBERS):
            continue
        path = folder / f"{_slug(name)}.{'json' if isinstance(value, (Ladder, PlaneLadder)) else 'npz'}"
        if str(path) in files:
            raise InvalidInput(
                f"solve() of {short(str(case.__file__))} gave two values for {path.name}; rename {name!r}"
            )
        files.append(str(_saved(value, path)))
    text = case.table(results) if hasattr(case, "table") else ""
    if text:
        tell(f"\n{text}\n")
    if hasattr(case, "figure") or _drawable(results):
        drawing = _figure(case, results)
        picture = folder / "figure.png"
        write_whole(picture, lambda file: drawing.savefig(file, format="png", dpi=160))
        files.append(str(picture))
    found = {
        "case": Path(str(case.__file__)).stem,
        "fpsolve": __version__,
        "parameters": _plain(parameters),
        "results": {name: facts(value) for name, value in results.items()},
        "table": text,
        "files": files,
        "seconds": time.perf_counter() - started,
    }
    summary = folder / "results.json"
    write_whole(summary, lambda file: file.write(json.dumps(found, indent=2, allow_nan=False).encode()))
    tell(f"wrote {len(files) + 1} files to {folder}")
    finished = all(value.finished for value in results.values() if isinstance(value, (Evolution, Swarm)))
    return Outcome(found, text, finished)


def draw(case: types.ModuleType) -> Figure:
    """Solve the case with its defaults and draw it."""
    return _figure(case, dict(_values(case, case.solve())))


def _figure(case: types.ModuleType, results: dict[str, Any]) -> Figure:
    if hasattr(case, "figure"):
        drawing = case.figure(results)
        if not hasattr(drawing, "savefig"):
            raise InvalidInput(
                f"figure() of {short(str(case.__file__))} gave {type(drawing).__name__}; it must return a matplotlib "
                "Figure (of axes: return ax.figure)"
            )
        return drawing
    if not _drawable(results):
        raise InvalidInput(
            f"solve() of {short(str(case.__file__))} gives numbers alone; define figure(results) that draws them"
        )
    return _overlay(_drawable(results), _title(case))


def _drawable(results: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in results.items() if not isinstance(value, NUMBERS)}


def _values(case: types.ModuleType, returned: Any) -> Iterator[tuple[str, Any]]:
    """Names and values: of a dict, or one by one as a generator yields them, so that each is saved before the next.

    Raises InvalidInput for what is no result: of a dict, before any is saved.
    """
    file = short(str(case.__file__))
    pairs = returned.items() if isinstance(returned, dict) else returned
    if not isinstance(pairs, Iterable) or returned == {}:
        raise InvalidInput(f"solve() of {file} gave {type(returned).__name__}; it must return values by name")
    for pair in [_checked(pair, file) for pair in pairs] if isinstance(returned, dict) else pairs:
        yield _checked(pair, file)


def _checked(pair: Any, file: str) -> tuple[str, Any]:
    if not (isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str)):
        raise InvalidInput(f"solve() of {file} gave {type(pair).__name__}; it must give (name, value) pairs")
    name, value = pair
    if not isinstance(value, (ExactDensity, Ladder, PlaneLadder, *NUMBERS)) and type(value).__name__ not in KINDS:
        raise InvalidInput(
            f"{name!r} of solve() in {file} is {type(value).__name__}; give numbers, {', '.join(KINDS)}, ExactDensity "
            "or Ladder (an array goes into a Field)"
        )
    return name, value


def facts(value: Any) -> dict[str, Any]:
    """What JSON says of a value: its kind, its printed line, its mean and variance where it has them."""
    found: dict[str, Any] = {"kind": type(value).__name__, "summary": repr(value)}
    if isinstance(value, NUMBERS):
        found |= {"value": value}
    if isinstance(value, (Density, ExactDensity)):
        found |= {"mean": _where_it_exists(value.mean), "variance": _where_it_exists(value.var)}
    if isinstance(value, Density):
        found |= {"mass": value.mass, "beyond": value.beyond, "residual": value.info.residual, "error": value.error}
    if isinstance(value, Evolution):
        found |= {"times": value.times, "mean": value.mean(), "mass": value.mass}
    if isinstance(value, Current):
        found |= {"entropy_production": value.entropy_production, "equilibrium": value.is_equilibrium}
    if isinstance(value, (Ladder, PlaneLadder)):
        found |= {"verdict": value.verdict, "best": value.best.name}
    if isinstance(value, Swarm):
        alive = value.positions[-1, value.alive()]
        found |= {"mean": alive.mean(axis=0), "variance": alive.var(axis=0), "diverged": int(value.diverged.sum())}
    return {key: _plain(fact) for key, fact in found.items()}


def _where_it_exists(statistic: Callable[[], Any]) -> Any:
    try:
        return statistic()
    except InvalidInput as error:  # both tails too heavy: there is no such number, and the sentence says why
        return str(error)


def _plain(fact: Any) -> Any:
    """JSON's own types; numbers that JSON has no word for become strings."""
    if isinstance(fact, dict):
        return {str(key): _plain(part) for key, part in fact.items()}
    if isinstance(fact, np.ndarray):
        return [_plain(part) for part in fact.tolist()]
    if isinstance(fact, (tuple, list)):
        return [_plain(part) for part in fact]
    if isinstance(fact, np.generic):
        return _plain(fact.item())
    if isinstance(fact, float) and not math.isfinite(fact):
        return str(fact)
    return fact if isinstance(fact, (bool, int, float, str, type(None))) else repr(fact)


def _saved(value: Any, path: Path) -> Path:
    """Values go into files of their own kind; a ladder is facts, and goes into JSON."""
    if isinstance(value, (Ladder, PlaneLadder)):
        write_whole(path, lambda file: file.write(json.dumps(_plain(value.facts()), indent=1).encode()))
        return path
    return save(value.density if isinstance(value, ExactDensity) else value, path, force=True)


def _slug(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in name)


def _title(case: types.ModuleType) -> str:
    return (case.__doc__ or Path(str(case.__file__)).stem).strip().splitlines()[0]


def _overlay(results: dict[str, Any], title: str) -> Figure:
    """Every value drawn by its own plot on one pair of axes."""
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(7.0, 4.4), layout="constrained")
    ax = drawing.subplots()
    for name, value in results.items():
        value.plot(ax, label=name)
    ax.set_title(title, fontsize="medium", loc="left", wrap=True)
    ax.legend(frameon=False)
    return drawing
