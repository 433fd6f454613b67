"""Where in a user's own files an exception comes from: cases/my.py:12: NameError: name 'solve' is not defined.

A frame is the user's unless it lies in this package, in Python's library or among the installed packages.
"""

from __future__ import annotations

import sysconfig
import traceback
from pathlib import Path

from fpsolve.errors import InvalidInput

__all__ = ["short", "told", "traced"]

PACKAGE = Path(__file__).resolve().parent
LIBRARY = tuple(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib"))
SHOWN = 5  # frames


def short(file: str | Path) -> str:
    """A file's path from here, where it lies below.

    >>> short(Path.cwd() / "cases" / "my.py")
    'cases/my.py'
    """
    path = Path(file).resolve()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def told(error: BaseException) -> str:
    """On one line: file and line where the user's own code raised it, its type, and what it says.

    >>> told(ValueError("no such thing"))
    'ValueError: no such thing'
    """
    if isinstance(error, SyntaxError) and error.filename:
        return f"{short(error.filename)}:{error.lineno}: {type(error).__name__}: {error.msg}"
    what = str(error) if isinstance(error, InvalidInput) else f"{type(error).__name__}: {error}"
    own = _own_frames(error)
    return f"{short(own[-1].filename)}:{own[-1].lineno}: {what}" if own else what


def traced(error: BaseException) -> str | None:
    """The same, and below it the last of the user's own frames and where it was raised; None if none is the user's."""
    own = _own_frames(error)
    if not own:
        return None
    last = traceback.extract_tb(error.__traceback__)[-1]
    shown = own[-SHOWN:] if last == own[-1] else [*own[-SHOWN:], last]
    lines = (f"  {short(frame.filename)}:{frame.lineno} in {frame.name}: {frame.line}" for frame in shown)
    return "\n".join([told(error), *lines])


def _own_frames(error: BaseException) -> list[traceback.FrameSummary]:
    return [frame for frame in traceback.extract_tb(error.__traceback__) if _is_own(frame.filename)]


def _is_own(filename: str) -> bool:
    if filename.startswith("<"):  # importlib's, and code without a file
        return False
    path = Path(filename).resolve()
    return not any(path.is_relative_to(folder) for folder in (PACKAGE, *LIBRARY))
