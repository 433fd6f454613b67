"""Saved values: .npz files with a JSON header, without pickles, written whole or not at all.

A file is a zip archive of .npy arrays; `header.npy` holds bytes of UTF-8 JSON: what wrote it, in which format, the
value's kind and its facts (formats.py).  zip's checksums tell a flipped byte.
"""

from __future__ import annotations

import io
import json
import os
import secrets
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import CorruptFile, InvalidInput
from fpsolve.facts import Arrays, Header
from fpsolve.formats import KINDS, Saveable
from fpsolve.version import __version__

__all__ = ["FORMAT", "load", "save", "write_whole"]

FORMAT = 1
LARGEST = 2**33  # bytes that a file may unpack to, unless told
HEADER = "header.npy"

# what zipfile, zlib and numpy raise on bytes that are not theirs
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError, LookupError, TypeError, OSError)


def save(value: Saveable, path: str | Path, *, force: bool = False) -> Path:
    """Write a value to an .npz file.

    value: a Current, Density, Evolution, Field, Spectrum, Survival or Swarm.
    path: of the file, in a folder that exists.  force: replace a file that exists.

    Returns the path.  The file is written beside its place, synced and renamed: a full disk or a killed process leaves
    what was there.
    Raises InvalidInput where the file exists and `force` is False, and for values that have no file format.

    >>> import fpsolve as fp, tempfile
    >>> p = fp.stationary(fp.Problem(fp.Process(lambda x: -x, 1.0), fp.Grid(x=(-8, 8, 200))))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     copy = load(save(p, folder + "/normal.npz"))
    >>> bool((copy.values == p.values).all()), copy.grid
    (True, Grid(x=Axis.uniform(200 cells on [-8, 8], open)))
    """
    path = Path(path)
    kind = type(value).__name__
    if kind not in KINDS:
        raise InvalidInput(f"cannot save a {kind}; values with a file format are {', '.join(KINDS)}")
    if not path.parent.is_dir():
        raise InvalidInput(f"no folder {path.parent} to save {path.name} in; make it first")
    if path.exists() and not force:
        raise InvalidInput(f"{path} exists; pass force=True to replace it (--force on the command line)")
    facts, arrays = KINDS[kind].taken_apart(value)
    header = {"made by": "fpsolve", "format": FORMAT, "library": __version__, "kind": kind, **facts}
    text = np.frombuffer(json.dumps(header, allow_nan=False).encode(), dtype=np.uint8)

    def write(file: BinaryIO) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for name, array in {"header": text, **arrays}.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                    np.lib.format.write_array(entry, np.ascontiguousarray(array), allow_pickle=False)

    write_whole(path, write)
    return path


def load(path: str | Path, *, largest: int = LARGEST) -> Any:
    """Read a value that `save` wrote.

    path: of the file.  largest: bytes that the file may unpack to; what it declares is checked before anything is read.

    Returns the value.  Raises CorruptFile where the file is truncated, altered, not ours, or holds pickled objects;
    InvalidInput where it is larger than `largest` or of a newer format; FileNotFoundError where there is none.

    >>> import fpsolve as fp, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     load(fp.Field(fp.Grid(x=(0, 1, 5)), [0.0, 1.0, 4.0, 9.0, 16.0], "height").save(folder + "/height.npz"))(0.5)
    4.0
    """
    path = Path(path)
    with path.open("rb") as file:
        try:
            arrays = _unpacked(file, path, largest)
        except (CorruptFile, InvalidInput):
            raise
        except _UNREADABLE as error:
            raise CorruptFile(f"{path} is damaged: {error or type(error).__name__}") from error
    header = _header(arrays, path)
    try:
        return KINDS[header["kind"]].put_together(header, arrays)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CorruptFile(f"{path} does not describe a {header['kind']}: {error!r}") from error


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a file beside `path`, sync it, move it into place; on any failure `path` is as it was."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(6)}.part")
    try:
        with beside.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    if os.name == "posix":  # the rename itself is on disk only when its folder is
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _unpacked(file: BinaryIO, path: Path, largest: int) -> Arrays:
    start = file.read(4)
    if start != b"PK\x03\x04":
        raise CorruptFile(f"{path} is not an .npz file: it starts with {start!r}, not with b'PK\\x03\\x04'")
    file.seek(0)
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        declared = sum(entry.file_size for entry in entries)
        if declared > largest:
            raise InvalidInput(
                f"{path} ({path.stat().st_size} bytes) unpacks to {declared} bytes, more than largest={largest}: "
                "refused unread; if you trust it, pass load(path, largest=...)"
            )
        if any(entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in entries):
            raise CorruptFile(f"{path} is compressed in a way that fpsolve never writes")
        return {entry.filename.removesuffix(".npy"): _array(archive.read(entry), entry, path) for entry in entries}


def _array(content: bytes, entry: zipfile.ZipInfo, path: Path) -> NDArray[Any]:
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in read_header:
        raise CorruptFile(f"{path}: {entry.filename} is of .npy version {version}, which fpsolve never writes")
    shape, fortran, dtype = read_header[version](stream)
    if dtype.hasobject:
        raise CorruptFile(f"{path}: {entry.filename} holds pickled objects, which can run code; refused")
    rest = content[stream.tell() :]
    if len(rest) != dtype.itemsize * int(np.prod(shape, dtype=object)):  # before numpy believes the shape
        raise CorruptFile(f"{path}: {entry.filename} declares shape {shape} of {dtype} but holds {len(rest)} bytes")
    return np.frombuffer(rest, dtype).reshape(shape, order="F" if fortran else "C")


def _header(arrays: Arrays, path: Path) -> Header:
    if "header" not in arrays:
        raise CorruptFile(f"{path} has no {HEADER}: another program wrote it (np.load reads it)")
    try:
        header = json.loads(arrays["header"].tobytes().decode())
    except ValueError as error:
        raise CorruptFile(f"{path}: {HEADER} is not JSON: {error}") from error
    if not isinstance(header, dict) or header.get("made by") != "fpsolve" or not isinstance(header.get("format"), int):
        raise CorruptFile(f"{path}: {HEADER} is not a header of fpsolve's")
    if header["format"] > FORMAT:
        raise InvalidInput(
            f"{path} is of format {header['format']}, written by fpsolve {header.get('library')}; this is fpsolve "
            f"{__version__}, which reads up to format {FORMAT}: upgrade fpsolve to read it"
        )
    if header.get("kind") not in KINDS:
        raise CorruptFile(f"{path} holds a {header.get('kind')!r}; fpsolve {header.get('library')} has no such value")
    return header
