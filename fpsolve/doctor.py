"""The state of this installation: versions, optional packages, threads, and the cache of compiled code."""

from __future__ import annotations

import os
import platform
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numba
import numpy as np

from fpsolve.kernels.random import fill_normals
from fpsolve.version import __version__

__all__ = ["examine"]

CORE = ("numpy", "scipy", "numba", "findiff", "matplotlib", "tqdm")
EXTRAS = {"amg": "pyamg", "xarray": "xarray", "ot": "POT", "report": "jinja2"}


def examine() -> dict[str, Any]:
    """Facts by name, all of them plain text or numbers."""
    return {
        "fpsolve": __version__,
        "package": _package(),
        "python": platform.python_version(),
        **{name: _version(name) for name in CORE},
        **{f"extra {extra}": _version(package) for extra, package in EXTRAS.items()},
        "cores": os.cpu_count(),
        "numba threads": numba.config.NUMBA_NUM_THREADS,
        "threading layer": _threading_layer(),
        "compiler": "off (NUMBA_DISABLE_JIT)" if numba.config.DISABLE_JIT else "on",
        "cache of compiled code": _cache(),
    }


def _package() -> str:
    """Where the code that runs lies, and whether other code of the same name lies here, whose edits it does not see."""
    mine, here = Path(__file__).resolve().parent, Path.cwd() / "fpsolve"
    if not (here / "__init__.py").is_file() or here.resolve() == mine:
        return str(mine)
    return f"{mine}; not {here}, whose edits are not seen: pip install -e ."


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _threading_layer() -> str:
    """The layer a parallel kernel really gets, found by running one."""
    if numba.config.DISABLE_JIT:
        return "none"
    try:
        fill_normals(*(np.uint64(0),) * 4, np.empty((64, 2)), threads=2)
        return str(numba.threading_layer())
    except ValueError:  # numba has started no layer
        return "none: kernels run on one thread"


def _cache() -> str:
    """Where compiled kernels are really kept (numba falls back from folder to folder), and whether they can be."""
    if numba.config.DISABLE_JIT:
        return "not used"
    place = fill_normals.serial.stats.cache_path
    if place is None:
        return "nowhere that can be written; every process compiles anew: set NUMBA_CACHE_DIR to a folder you can write"
    folder, wanted = Path(place), numba.config.CACHE_DIR
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return f"{folder}: cannot be written ({error.strerror}); every process compiles anew"
    moved = wanted and Path(wanted).absolute() not in folder.absolute().parents
    instead = f", instead of NUMBA_CACHE_DIR={wanted}, which cannot be written" if moved else ""
    return f"{folder}: writable, {len(list(folder.glob('*.nbi')))} kernels{instead}"
