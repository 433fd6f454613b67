"""The reference: a page of every public name, and docstrings, written for a terminal, as reStructuredText.

A module's docstring has the equation and its source: the page shows it below the first public name of that module.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from functools import cache
from itertools import groupby
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
        "Convergence ExactLaw Ladder PlaneLadder Generator Info"
    ).split(),
    "Files": ("load save").split(),
    "Errors and warnings": (
        "FpsolveError InvalidInput NotNormalizable Reducible NotConverged NotEnoughMemory CorruptFile "
        "MissingExtra FpsolveWarning TruncationWarning ResolutionWarning DegenerateWarning"
    ).split(),
}
MODULES = (models, measure, claims)
PARTS = {"__version__", "models", "measure"}
NAMED = (  # by the above: what they return, and where arguments are told
    "refine.Estimate tails.HillEstimate tails.LocalExponent hodge.Hodge ladder_table.Row ladder_plane.PlaneRow "
    "models.architecture.Architecture methods.march.Method particles.sgd.diagonal_sgd particles.pair.pair_paths "
    "particles.descent.descend"
).split()
THROUGHOUT = {  # arguments of many methods, which do not explain them again
    "progress": "None: a bar where standard error is a terminal; True, False, or a function of (done, total).",
    "path, force": "a file, and whether to replace one that exists.",
    "changes": "fields with their new values; InvalidInput for what is no field.",
    "ax, label, log": "the Axes to draw on (None: new ones), a name for the legend, and logarithmic axes.",
    "cells": "how many, one number or one per axis.  branch: the side of 0, as `grid` has it.",
    "steps, n, seed": "of SGD: its steps, its replicas, and the key of its random numbers.",
}
NAME = r"[a-z_]\w*(?: \([\w, ]*\))?"  # perhaps with its shape
NAMES = rf"{NAME}(?:, {NAME})*"
ENTRY = re.compile(rf"^(?P<names>{NAMES}): +(?P<rest>.*)$")
NEXT_ENTRY = re.compile(rf"(?<=\.)  (?={NAMES}: )")
NEXT_PART = re.compile(r"(?<=[.:)])  ?(?=(?:Returns|Raises|Warns) [A-Za-z]|Sources?: )")
PART = re.compile(r"^(Returns|Raises|Warns|Sources?:)")
SPECIAL = re.compile(r"([\\*|_])")
OUTSIDE = re.compile(r"(`[^`]+`|https?://\S+)")


def page() -> str:
    """The reference as reStructuredText."""
    text = _heading("Reference", "=") + "``import fpsolve as fp``: every public name.\n\n" + _contents()
    for title, names in _sections().items():
        module = sys.modules.get(title)
        text += _heading(title, "-") + (f".. automodule:: {title}\n" if module else "")
        text += "".join(map(_directive, names))
    return text


@cache
def _sections() -> dict[str, list[str]]:
    """Titles, and the full names below each: functions before the values that they return."""
    grouped = [name for names in GROUPS.values() for name in names]
    groups = {**GROUPS, "More": sorted(set(fpsolve.__all__) - set(grouped) - PARTS), "Named by these": NAMED}
    sections = {title: [f"fpsolve.{name}" for name in names] for title, names in groups.items() if names}
    for module in MODULES:
        names = sorted(set(module.__all__) - set(grouped), key=lambda n: (inspect.isclass(getattr(module, n)), n))
        sections[module.__name__] = [f"{module.__name__}.{name}" for name in names]
    return sections


def _contents() -> str:
    """Links to all names, and what is said once for all of them."""
    text = ""
    for title, names in _sections().items():
        links = ", ".join(f":py:obj:`{name.rpartition('.')[2]} <{name}>`" for name in names)
        text += f"* `{title}`_: {links}\n"
    text += "\nArrays hold float64 unless an entry says otherwise, units are the process's.  Wherever they occur:\n\n"
    return text + "\n".join(f"* **{names}**: {_plain(said)}" for names, said in THROUGHOUT.items()) + "\n"


def _heading(title: str, line: str) -> str:
    return f"\n{title}\n{line * len(title)}\n\n"


def _directive(name: str) -> str:
    found = _found(name)
    if not inspect.isclass(found):
        return f"\n.. autofunction:: {name}\n"
    if issubclass(found, BaseException):
        return f"\n.. autoexception:: {name}\n"
    return f"\n.. autoclass:: {name}\n   :members:\n   :inherited-members: float, tuple\n"


def _found(name: str) -> object:
    owner, _, own = name.rpartition(".")
    return getattr(importlib.import_module(owner), own)


@cache
def _heads() -> dict[str, ModuleType]:
    """The first name listed of each module whose docstring has more than a title."""
    heads: dict[str, ModuleType] = {}
    for name in (name for names in _sections().values() for name in names):
        module = sys.modules[_found(name).__module__]
        if module not in (*heads.values(), *MODULES) and "\n\n" in (module.__doc__ or ""):
            heads[name] = module
    return heads


def head(name: str) -> list[str]:
    """The docstring of the module that `name` comes from, boxed, where it is the first one listed; else nothing."""
    module = _heads().get(name)
    if module is None:
        return []
    lines = as_rst(inspect.cleandoc(module.__doc__ or "").split("\n"))
    title = f".. admonition:: {module.__name__.replace('.', '/')}.py"
    return [title, "", *(f"   {line}".rstrip() for line in lines), ""]


def as_rst(lines: list[str]) -> list[str]:
    """The lines of a docstring, ready for Sphinx: formulas and examples literal, arguments a list, the rest plain."""
    result: list[str] = []
    for i, block in enumerate(_blocks(lines)):
        if block[0].startswith(">>>"):
            result += [*block, ""]
        elif block[0].startswith("  "):
            result += ["::", "", *textwrap.indent(textwrap.dedent("\n".join(block)), "    ").split("\n"), ""]
        else:
            result += [*_prose(block, entries=i > 0), ""]
    return result


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    """Paragraphs; those that are no list are taken apart where formulas, which are indented, begin and end."""
    for block in _paragraphs(lines):
        if block[0].startswith(">>>") or any(map(ENTRY.match, block)):
            yield block
        else:
            yield from (list(run) for _, run in groupby(block, lambda line: line.startswith("  ")))


def _paragraphs(lines: list[str]) -> Iterator[list[str]]:
    block: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            block.append(line.rstrip())
        elif block:
            yield block
            block = []


def _prose(block: list[str], entries: bool) -> list[str]:
    """A paragraph, or, where lines begin with names and colons, a list of them; what is returned and raised apart."""
    joined: list[str] = []
    for line in block:
        if joined and (line.startswith("  ") or not ((entries and ENTRY.match(line)) or PART.match(line))):
            joined[-1] += " " + line.strip()
        else:
            joined.append(line.strip())
    parts = [part for line in joined for part in NEXT_PART.split(line)]
    result: list[str] = []
    for part in (piece for line in parts for piece in (NEXT_ENTRY.split(line) if entries else [line])):
        entry = ENTRY.match(part) if entries else None
        text = f"* **{_plain(entry['names'])}**: {_plain(entry['rest'])}" if entry else _plain(part)
        result += [PART.sub(r"**\1**", text), ""]
    return result[:-1]


def _plain(text: str) -> str:
    """Names in `...` literal; characters that mean something to Sphinx as they are."""
    parts = OUTSIDE.split(text)
    return "".join(
        f"`{part}`" if part.startswith("`") else part if part.startswith("http") else SPECIAL.sub(r"\\\1", part)
        for part in parts
    )
