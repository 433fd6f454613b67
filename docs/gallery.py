"""The gallery: every case with its picture and the lines that make it."""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path

from fpsolve import casefile
from fpsolve.errors import FpsolveError
from fpsolve.runner import draw

DOTS = 60  # per inch
HEAD = """Gallery
=======

Every case of the folder ``cases``, drawn by the library. The same from the command line: ``fpsolve run CASE``.
"""
LINES = """from cases import {name} as case
from fpsolve.runner import draw

print(case.__doc__)
figure = draw(case)  # case.solve(), and what it returns drawn
figure.savefig("{name}.png")
"""


def entry(name: str, title: str, picture: bool) -> str:
    """One case as reStructuredText."""
    image = f"\n.. image:: {name}.png\n   :alt: {title}\n" if picture else ""
    code = "".join(f"   {line}".rstrip() + "\n" for line in LINES.format(name=name).splitlines())
    heading = name.replace("_", " ").capitalize()
    return f"\n{heading}\n{'-' * len(heading)}\n\n{_plain(title)}\n{image}\n.. code-block:: python\n\n{code}"


def build(root: Path, folder: Path, names: list[str] | None = None, pictures: bool = True) -> Path:
    """Write folder/gallery.rst, with pictures beside it; names: only these cases."""
    text = HEAD
    for name, path in casefile.available(root).items():
        if names is None or name in names:
            text += entry(name, casefile.title(path), pictures and _drawn(path, folder / f"{name}.png"))
    target = folder / "gallery.rst"
    target.write_text(text, encoding="utf-8")
    return target


def _drawn(path: Path, picture: Path) -> bool:
    """Draw a case unless its picture is newer than the case; False where it cannot be."""
    if picture.is_file() and picture.stat().st_mtime > path.stat().st_mtime:
        return True
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            draw(casefile.load(path)).savefig(picture, dpi=DOTS)
        except FpsolveError as error:
            sys.stderr.write(f"gallery: {path.stem} has no picture: {error}\n")
            return False
    sys.stderr.write(f"gallery: {path.stem} ({time.process_time() - started:.0f} s)\n")
    return True


def _plain(text: str) -> str:
    return "".join("\\" + c if c in "\\*|_`" else c for c in text)
