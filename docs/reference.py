"""The reference: a page of every public name, and docstrings, written for a terminal, as reStructuredText."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from types import ModuleType

import fpsolve
from fpsolve import claims, measure, models

GROUPS = {  # of the names that `import fpsolve as fp` gives; those of no group come last
    "The problem": ("Process Stable Grid Axis Problem Positive Accurate Gaussian Point").split(),
    "Questions": (
        "stationary components evolve mean_exit_time exit_probability committor survival transition_rate "
        "quasi_stationary spectrum current entropy_production refined convergence generator strong_residual"
    ).split(),
    "Particles and comparison": ("simulate distance compare hill local_exponent").split(),
    "Discrete SGD": ("transfer RandomMap ladder Moments Regression").split(),
    "Methods": ("Krylov TRBDF2 SDIRK2 BackwardEuler Contour FastL1 GTH SparseLU Multigrid").split(),
    "Values": (
        "Density ExactDensity Evolution Field Swarm Spectrum Survival TransitionRate Current Comparison "
        "Convergence ExactLaw Ladder Generator Info"
    ).split(),
    "Files": ("load save").split(),
    "Errors and warnings": (
        "FpsolveError InvalidInput NotNormalizable Reducible NotConverged NotEnoughMemory CorruptFile "
        "MissingExtra FpsolveWarning TruncationWarning ResolutionWarning DegenerateWarning"
    ).split(),
}
MODULES = (models, measure, claims)
PARTS = {"__version__", "models", "measure"}
ENTRY = re.compile(r"^(?P<names>[a-z_][\w, ()]{0,60}?): (?P<rest>.*)$")
SPECIAL = re.compile(r"([\\*|_])")
OUTSIDE = re.compile(r"(`[^`]+`|https?://\S+)")


def page() -> str:
    """The reference as reStructuredText."""
    grouped = [name for names in GROUPS.values() for name in names]
    groups = {**GROUPS, "More": sorted(set(fpsolve.__all__) - set(grouped) - PARTS)}
    text = _heading("Reference", "=") + "``import fpsolve as fp``: every public name.\n"
    for title, names in groups.items():
        text += _heading(title, "-") * bool(names) + "".join(_directive(fpsolve, name) for name in names)
    for module in MODULES:
        names = [name for name in module.__all__ if name not in grouped]
        text += _heading(module.__name__, "-") + f".. automodule:: {module.__name__}\n"
        text += "".join(_directive(module, name) for name in names)
    return text


def _heading(title: str, line: str) -> str:
    return f"\n{title}\n{line * len(title)}\n\n"


def _directive(module: ModuleType, name: str) -> str:
    found = getattr(module, name)
    if not inspect.isclass(found):
        return f"\n.. autofunction:: {module.__name__}.{name}\n"
    if issubclass(found, BaseException):
        return f"\n.. autoexception:: {module.__name__}.{name}\n"
    return f"\n.. autoclass:: {module.__name__}.{name}\n   :members:\n   :inherited-members:\n"


def as_rst(lines: list[str]) -> list[str]:
    """The lines of a docstring, ready for Sphinx: formulas and examples literal, arguments a list, the rest plain."""
    result: list[str] = []
    for block in _paragraphs(lines):
        if block[0].startswith(">>>"):
            result += [*block, ""]
        elif all(line.startswith("  ") for line in block):
            result += ["::", "", *("    " + line.strip() for line in block), ""]
        else:
            result += [*_prose(block), ""]
    return result


def _paragraphs(lines: list[str]) -> Iterator[list[str]]:
    block: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            block.append(line.rstrip())
        elif block:
            yield block
            block = []


def _prose(block: list[str]) -> list[str]:
    """A paragraph, or, where its lines begin with names and colons, a list of them."""
    joined: list[str] = []
    for line in block:
        if joined and (line.startswith("  ") or not ENTRY.match(line)):
            joined[-1] += " " + line.strip()
        else:
            joined.append(line.strip())
    if not any(ENTRY.match(line) for line in joined):
        return [_plain(line) for line in joined]
    result: list[str] = []
    for line in joined:
        entry = ENTRY.match(line)
        text = f"* **{_plain(entry['names'])}**: {_plain(entry['rest'])}" if entry else _plain(line)
        result += [text, ""]
    return result[:-1]


def _plain(text: str) -> str:
    """Names in `...` literal; characters that mean something to Sphinx as they are."""
    parts = OUTSIDE.split(text)
    return "".join(
        f"`{part}`" if part.startswith("`") else part if part.startswith("http") else SPECIAL.sub(r"\\\1", part)
        for part in parts
    )
