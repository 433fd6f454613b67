"""The project's one way to compile: numba.njit with a cache that survives damage and threads that do not collide.

    @jit                     a kernel, compiled at its first call (types come from the arguments), cached on disk
    @jit(inline=True)        the same, put into its callers before they are optimised: loops over it become SIMD
    @jit(parallel=True)      a `ParallelKernel`: kernel(*arguments) is serial, kernel(*arguments, threads=2) is not

Compiled without fastmath (a * b + c is two roundings, so the bits do not depend on how a loop is vectorised),
without bounds checks, and without the interpreter lock, so that other Python threads go on.

Cache.  Compiled code is kept where numba keeps it (NUMBA_CACHE_DIR, else __pycache__, else the user's cache).
numba keys it to the kernel's own file alone; here the key covers every kernel file that it imports from, so an
edited helper is never linked from an old copy, and the code carries a checksum.  A damaged entry is cleared and
compiled again; a directory that cannot be written costs a compilation per process.  Both say so, by `CacheWarning`.

Threads.  A parallel kernel is two functions: a serial one, and one whose `prange` loop numba spreads over threads.
One lock lets a single Python thread into the second at a time (the workqueue layer aborts the process when two
enter); whoever finds it taken runs the serial one, as does a forked child (OpenMP does not survive a fork; spawned
processes start afresh).  So a kernel must give the same bits either way: each turn of its `prange` writes its own
cells only, and draws its own random numbers (kernels/random.py).

NUMBA_DISABLE_JIT=1 leaves plain Python functions, slow and equal in what they compute.
"""

from __future__ import annotations

import functools
import hashlib
import os
import pickle
import re
import threading
import types
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, overload

import numba
from numba.core.caching import FunctionCache, IndexDataCacheFile


class CacheWarning(UserWarning):
    """numba's cache of compiled code is damaged or cannot be written."""


class ParallelKernel:
    """A kernel in two versions: `serial`, and `parallel` over threads; calling it chooses."""

    def __init__(self, serial: Callable[..., Any], parallel: Callable[..., Any]) -> None:
        self.serial = serial
        self.parallel = parallel
        functools.update_wrapper(self, serial)

    def __call__(self, *arguments: Any, threads: int | None = None) -> Any:
        """Run on `threads` threads (default one); serially where another thread is inside, or after a fork."""
        if threads is None or threads <= 1 or numba.config.DISABLE_JIT or _State.forked:
            return self.serial(*arguments)
        if not _State.lock.acquire(blocking=False):
            return self.serial(*arguments)
        try:
            before = numba.get_num_threads()
            numba.set_num_threads(min(int(threads), numba.config.NUMBA_NUM_THREADS))
            try:
                return self.parallel(*arguments)
            finally:
                numba.set_num_threads(before)
        finally:
            _State.lock.release()


@overload
def jit(function: Callable[..., Any], *, parallel: bool = False, inline: bool = False) -> Any: ...
@overload
def jit(function: None = None, *, parallel: bool = False, inline: bool = False) -> Callable[[Any], Any]: ...
def jit(function: Callable[..., Any] | None = None, *, parallel: bool = False, inline: bool = False) -> Any:
    """Compile a kernel at its first call; with `parallel=True` return a `ParallelKernel`.

    Raises nothing where the cache cannot be used: a `CacheWarning` says what that costs.
    """
    if function is None:
        return lambda decorated: jit(decorated, parallel=parallel, inline=inline)
    serial = _compiled(function, False, inline)
    return ParallelKernel(serial, _compiled(_twin(function), True, inline)) if parallel else serial


class _State:
    """What belongs to this process: who is inside a parallel kernel, and which warnings were given."""

    lock = threading.Lock()
    forked = False
    told: ClassVar[set[str]] = set()

    @classmethod
    def after_fork(cls) -> None:
        cls.lock = threading.Lock()  # the parent's may have been held
        cls.forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_State.after_fork)

# what pickle raises on a stream that is not one
_UNREADABLE = (
    pickle.UnpicklingError,
    EOFError,
    ValueError,
    TypeError,
    AttributeError,
    ImportError,
    LookupError,
    MemoryError,
    OverflowError,
    OSError,
)


class _Files(IndexDataCacheFile):
    """numba's index and data files, safe against flipped bits and against processes that compile side by side.

    The data carry a checksum of themselves and of the sources.  numba numbers its data files and names them in the
    index before they are there, so that two processes can take one number for two signatures; here the name is made
    of the signature, and the index comes last.
    """

    def save(self, key: Any, data: Any) -> None:
        name = self._index_name.replace(".nbi", f".{hashlib.sha256(repr(key).encode()).hexdigest()[:16]}.nbc")
        self._save_data(name, data)
        self._save_index({**self._load_index(), key: name})

    def _checksum(self, code: bytes) -> int:
        return zlib.crc32(code, zlib.crc32(str(self._source_stamp).encode()))

    def _save_data(self, name: str, data: Any) -> None:
        code = self._dump(data)
        super()._save_data(name, (self._checksum(code), code))

    def _load_data(self, name: str) -> Any:
        checksum, code = super()._load_data(name)
        if self._checksum(code) != checksum:
            raise ValueError("the checksum does not match")
        return pickle.loads(code)


class _CheckedCache(FunctionCache):
    """A kernel's compiled code on disk; damage costs a compilation and a warning, never a wrong number."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        stamp = _source_stamp(Path(function.__code__.co_filename))
        self._kernel = function.__qualname__
        self._cache_file = _Files(self._cache_path, self._impl.filename_base, stamp)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except _UNREADABLE as error:
            _warn(
                f"numba's cache of the kernel {self._kernel} in {self.cache_path} is damaged ({error!r}): it is "
                "cleared and the kernel compiled again, which takes seconds"
            )
        try:
            self.flush()
        except OSError:
            self.disable()  # compiled in each process from now on; the warning above stands
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except _UNREADABLE as error:
            self.disable()
            _warn(
                f"numba cannot write the kernel {self._kernel} to its cache in {self.cache_path} ({error!r}): each "
                "process compiles it again; make room there, or set NUMBA_CACHE_DIR to a directory you can write"
            )


def _compiled(function: Callable[..., Any], parallel: bool, inline: bool) -> Any:
    options = dict(nogil=True, boundscheck=False, fastmath=False, inline="always" if inline else "never")
    kernel = numba.njit(parallel=parallel, **options)(function)
    if not numba.config.DISABLE_JIT:
        kernel._cache = _cache_of(function, kernel._cache)
    return kernel


def _cache_of(function: Callable[..., Any], otherwise: Any) -> Any:
    try:
        cache = _CheckedCache(function)
    except RuntimeError as error:  # numba's word for: no directory can be written
        _warn(
            f"numba's cache cannot be written ({error}): each process compiles the kernels again, 1 to 20 s each; "
            "set NUMBA_CACHE_DIR to a directory you can write",
            once="unwritable",
        )
        return otherwise
    wanted = numba.config.CACHE_DIR
    if wanted and Path(wanted).absolute() not in Path(cache.cache_path).absolute().parents:
        _warn(
            f"NUMBA_CACHE_DIR is {wanted}, which cannot be written: compiled kernels go to {cache.cache_path} "
            "instead; name a directory you can write",
            once="elsewhere",
        )
    return cache


def _twin(function: Callable[..., Any]) -> Callable[..., Any]:
    # numba's cache ignores compiler flags, so the parallel version needs a name of its own
    twin = types.FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__ + "_parallel",
        function.__defaults__,
        function.__closure__,
    )
    twin.__qualname__ = function.__qualname__ + "_parallel"
    twin.__module__, twin.__doc__ = function.__module__, function.__doc__
    return twin


@functools.cache
def _source_stamp(path: Path) -> str:
    """Digest of a kernel file and, in turn, of the kernel files that it imports from."""
    source = path.read_bytes() if path.exists() else b""
    digest = hashlib.sha256(source)
    for name in sorted(set(re.findall(rb"^from fpsolve\.kernels\.(\w+) import", source, re.MULTILINE))):
        digest.update(_source_stamp(path.with_name(name.decode() + ".py")).encode())
    return digest.hexdigest()


def _warn(message: str, *, once: str | None = None) -> None:
    if once is None or once not in _State.told:
        _State.told.add(once or "")
        warnings.warn(message, CacheWarning, stacklevel=2)
