"""Case files: found by name or path, loaded, and their options read from the signature of solve()."""

from __future__ import annotations

import ast
import difflib
import importlib.util
import inspect
import sys
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fpsolve.blame import short, told
from fpsolve.errors import InvalidInput

__all__ = ["Option", "available", "find", "load", "load_file", "nearest", "options", "title"]

RESERVED = ("json", "out", "force", "quiet", "root", "help")
TRUE, FALSE = ("true", "yes", "1"), ("false", "no", "0")


@dataclass(frozen=True)
class Option:
    """One parameter of solve(): its name, default, and the type that its words on a command line become."""

    name: str
    default: Any
    type: Any

    @property
    def required(self) -> bool:
        """Whether solve() gives no default."""
        return self.default is inspect.Parameter.empty

    @property
    def about(self) -> str:
        """Its default, for a help text."""
        return "required" if self.required else f"default {self.default!r}"

    def read(self, words: list[str]) -> Any:
        """The value of the words.  Raises InvalidInput naming the option, the word and the type."""
        inner = _tuple_of(self.type)
        if inner is not None:
            return tuple(self._one(word, inner) for word in words)
        if len(words) != 1:
            raise InvalidInput(f"--{self.name} takes one value, got {len(words)}: {' '.join(words)}")
        return self._one(words[0], self.type)

    def _one(self, word: str, kind: Any) -> Any:
        choices = [part for part in typing.get_args(kind) if part is not type(None)] or [kind]
        if word.lower() == "none" and type(None) in typing.get_args(kind):
            return None
        for choice in choices:
            try:
                return _boolean(word) if choice is bool else choice(word)
            except (TypeError, ValueError):
                continue
        names = " or ".join(choice.__name__ for choice in choices)
        real = f"; for real numbers write {self.name}={self.default}.0 in solve()" if self._wants_real(word) else ""
        raise InvalidInput(f"--{self.name} is {word!r}; it takes {names} ({self.about}){real}")

    def _wants_real(self, word: str) -> bool:
        """Whether the word is a number, and refused only because the default has no decimal point."""
        return self.type is int and type(self.default) is int and _is_real(word)


def find(case: str, root: Path) -> Path:
    """The file of a case given by its name or path.  Raises InvalidInput with the nearest names."""
    path = Path(case)
    if path.suffix == ".py":
        if path.is_file():
            return path.resolve()
        if (root / path).is_file():
            return (root / path).resolve()
        raise InvalidInput(f"no case file {case}; give a path that exists, or a name that `fpsolve list` shows")
    known = available(root)
    if case in known:
        return known[case]
    raise InvalidInput(f"no case {case!r} in {root / 'cases'}{nearest(case, list(known))}")


def available(root: Path) -> dict[str, Path]:
    """The cases below root, by name."""
    files = sorted((root / "cases").glob("*.py"))
    return {file.stem: file.resolve() for file in files if not file.stem.startswith("_")}


def title(path: Path) -> str:
    """The first line of a case's docstring, read without running it; what is wrong, where it has a syntax error."""
    try:
        return (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]
    except SyntaxError as error:
        return f"cannot be read: line {error.lineno}: {error.msg}"


def load(path: Path) -> types.ModuleType:
    """The case's module.  Raises InvalidInput, with file and line, where it cannot be read, or has no solve()."""
    module = load_file(path)
    if not callable(getattr(module, "solve", None)):
        raise InvalidInput(f"{short(path)} has no solve(); a case defines solve(**physics) -> dict of values")
    return module


def load_file(path: Path) -> types.ModuleType:
    """The module in a file, whatever its folder.

    Raises InvalidInput, with file and line, for whatever the file itself raises, and for what it calls.
    """
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise InvalidInput(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # whatever it is, it is the file's, and the caller says what goes on
        del sys.modules[spec.name]
        raise InvalidInput(told(error)) from error
    return module


def options(solve: Callable[..., Any]) -> list[Option]:
    """What the command line may set: the parameters of solve()."""
    try:
        hints = typing.get_type_hints(solve)
    except NameError as error:
        raise InvalidInput(f"the annotations of solve() cannot be read: {error}") from error
    found = []
    for name, parameter in inspect.signature(solve).parameters.items():
        if name in RESERVED:
            raise InvalidInput(f"solve() has a parameter {name!r}, which is an option of fpsolve itself; rename it")
        guess = type(parameter.default) if parameter.default is not parameter.empty else str
        found.append(Option(name, parameter.default, hints.get(name, guess)))
    return found


def nearest(word: str, known: list[str]) -> str:
    """A phrase that names the nearest known words."""
    close = difflib.get_close_matches(word, known, n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(close)}?" if close else f"; there are {', '.join(known) or 'none'}"


def _tuple_of(kind: Any) -> Any:
    arguments = typing.get_args(kind)
    return arguments[0] if typing.get_origin(kind) in (tuple, list) and arguments else None


def _is_real(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _boolean(word: str) -> bool:
    if word.lower() in TRUE:
        return True
    if word.lower() in FALSE:
        return False
    raise ValueError(word)
