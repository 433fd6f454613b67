"""The jit decorator: caches that are damaged, stale or not writable, and threads that meet in one kernel."""

import importlib.util
import os
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numba
import numpy as np
import pytest

from fpsolve.kernels import jit as module
from fpsolve.kernels.jit import CacheWarning, jit

pytestmark = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled, so nothing is cached")

ROOT = Path(__file__).resolve().parents[1]
SOURCE = """
from numba import prange
from fpsolve.kernels.jit import jit

@jit
def double(x):
    return 2.0 * x

@jit(parallel=True)
def fill(out):
    for i in prange(out.size):
        out[i] = double(i) ** 0.5
"""


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache directory of its own, and the word that it is the only one."""
    folder = tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(folder))
    monkeypatch.setattr(numba.config, "CACHE_LOCATOR_CLASSES", "UserProvidedCacheLocator")
    monkeypatch.setattr(module._State, "told", set())
    return folder


@pytest.fixture
def kernels(tmp_path):
    """Import the file of kernels above anew, as a new process would."""
    path = tmp_path / "toy_kernels.py"
    path.write_text(SOURCE)

    def load():
        spec = importlib.util.spec_from_file_location("toy_kernels", path)
        loaded = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded)
        return loaded

    return load


def silently(function, *arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return function(*arguments)


def hits(kernel):
    return sum(kernel.stats.cache_hits.values())


def spoil(path, how):
    data = bytearray(path.read_bytes())
    if how == "flipped":
        data[len(data) // 2] ^= 1
    elif how == "truncated":
        del data[len(data) // 2 :]
    elif how == "empty":
        data.clear()
    else:
        data[:] = b"not a pickle at all"
    path.write_bytes(bytes(data))


def test_a_second_process_takes_its_code_from_the_cache(cache, kernels):
    assert silently(kernels().double, 3.0) == 6.0
    again = kernels()
    assert silently(again.double, 4.0) == 8.0
    assert hits(again.double) == 1


@pytest.mark.parametrize("how", ["flipped", "truncated", "empty", "replaced"])
@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
def test_a_damaged_cache_is_cleared_and_compiled_again(cache, kernels, how, suffix):
    assert kernels().double(3.0) == 6.0
    for path in cache.rglob(f"*double*.{suffix}"):
        spoil(path, how)
    hurt = kernels()
    if (suffix, how) == ("nbi", "flipped"):  # an index may also survive as one that does not know the kernel
        assert hurt.double(3.0) == 6.0
    else:
        with pytest.warns(CacheWarning, match=r"kernel double in .* is damaged .* compiled again"):
            assert hurt.double(3.0) == 6.0
    assert hits(hurt.double) == 0
    mended = kernels()
    assert silently(mended.double, 3.0) == 6.0
    assert hits(mended.double) == 1


def test_processes_that_compile_side_by_side_never_find_anothers_code(tmp_path):
    one, other = (module._Files(str(tmp_path), "kernel", "sources") for _ in range(2))
    unaware = other._load_index()
    one.save("float", "code for floats")
    other._load_index = lambda: unaware  # it had looked before `one` wrote
    other.save("int", "code for ints")
    assert one.load("int") == "code for ints"
    assert one.load("float") is None  # forgotten: compiled again, and never the code for ints
    one.save("float", "code for floats")
    assert [one.load(key) for key in ("int", "float")] == ["code for ints", "code for floats"]


def test_code_of_older_sources_is_not_taken(tmp_path):
    old, new = (module._Files(str(tmp_path), "kernel", stamp) for stamp in ("old", "new"))
    new.save("float", "new code")
    index = new._load_index()
    old.save("float", "old code")  # a process that had started before the sources changed
    assert new.load("float") is None
    new._save_index(index)
    with pytest.raises(ValueError, match="checksum"):
        new.load("float")


def test_a_cache_that_cannot_be_written_warns_once_and_compiles(tmp_path, cache, kernels, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("a file where a directory should be")
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(blocked))
    with pytest.warns(CacheWarning, match="cannot be written .* set NUMBA_CACHE_DIR") as caught:
        loaded = kernels()
    assert len([w for w in caught if w.category is CacheWarning]) == 1  # for three functions
    assert silently(loaded.double, 3.0) == 6.0
    out = np.empty(3)
    loaded.fill(out, threads=2)
    assert out[2] == 2.0


def test_a_cache_directory_that_cannot_be_used_is_named(tmp_path, cache, kernels, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(blocked))
    monkeypatch.setattr(numba.config, "CACHE_LOCATOR_CLASSES", "")
    with pytest.warns(
        CacheWarning, match=r"NUMBA_CACHE_DIR is .*file, which cannot be written: .* go to .*__pycache__"
    ):
        loaded = kernels()
    assert silently(loaded.double, 3.0) == 6.0


def test_a_cache_that_vanishes_after_import_warns_and_compiles(cache, kernels):
    loaded = kernels()
    for folder in cache.iterdir():
        folder.rmdir()
    cache.rmdir()
    cache.write_text("")
    with pytest.warns(CacheWarning, match="kernel double"):
        assert loaded.double(3.0) == 6.0


def test_an_edited_neighbour_makes_the_cache_stale(tmp_path):
    stamps = []
    for text in ("LANES = 16", "LANES = 32", "LANES = 16"):
        folder = tmp_path / str(len(stamps))
        folder.mkdir()
        (folder / "outer.py").write_text("from fpsolve.kernels.middle import f\n")
        (folder / "middle.py").write_text("from fpsolve.kernels.inner import LANES\n")
        (folder / "inner.py").write_text(text)
        stamps.append(module._source_stamp(folder / "outer.py"))
    assert stamps[0] == stamps[2] != stamps[1]


def test_the_parallel_version_has_a_cache_entry_of_its_own(cache, kernels):
    kernels().fill(np.empty(5))
    serial = kernels()
    expected, out = np.sqrt(2.0 * np.arange(1000)), np.empty(1000)
    serial.fill(out, threads=2)
    assert np.array_equal(out, expected)
    assert hits(serial.fill.parallel) == 0
    assert serial.fill.parallel.targetoptions["parallel"]
    assert not serial.fill.serial.targetoptions["parallel"]


def test_kernels_are_compiled_without_fastmath_and_without_the_lock():
    @jit
    def kernel(x):
        return x

    assert kernel.targetoptions["fastmath"] is False
    assert kernel.targetoptions["boundscheck"] is False
    assert kernel.targetoptions["nogil"] is True


def test_a_second_thread_runs_the_serial_version(cache, kernels, monkeypatch):
    loaded, used, inside, leave = kernels(), [], threading.Event(), threading.Event()

    def slow(out):
        used.append("parallel")
        inside.set()
        assert leave.wait(10)

    monkeypatch.setattr(loaded.fill, "parallel", slow)
    monkeypatch.setattr(loaded.fill, "serial", lambda out: used.append("serial"))
    first = threading.Thread(target=lambda: loaded.fill(np.empty(1), threads=2))
    first.start()
    assert inside.wait(10)
    loaded.fill(np.empty(1), threads=2)
    leave.set()
    first.join()
    loaded.fill(np.empty(1), threads=2)
    loaded.fill(np.empty(1))
    assert used == ["parallel", "serial", "parallel", "serial"]


def test_an_error_inside_a_kernel_frees_the_others(cache, kernels):
    loaded = kernels()
    with pytest.raises(numba.core.errors.TypingError):
        loaded.fill("not an array", threads=2)
    assert module._State.lock.acquire(blocking=False)
    module._State.lock.release()


def in_a_process(code, **environment):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


CROWD = """
import threading
import numpy as np
from fpsolve.kernels.random import fill_normals
def draw(out):
    for step in range(200):
        fill_normals(np.uint64(1), np.uint64(step), np.uint64(2), np.uint64(0), out, threads=2)
outs = [np.empty((500, 1)) for _ in range(6)]
draw(outs[0])
crowd = [threading.Thread(target=draw, args=(out,)) for out in outs]
for thread in crowd: thread.start()
for thread in crowd: thread.join()
print(all(np.array_equal(out, outs[0]) for out in outs))
"""

FORK = """
import os
import numpy as np
from fpsolve.kernels.random import fill_normals
def draw():
    out = np.empty((500, 1))
    fill_normals(np.uint64(1), np.uint64(3), np.uint64(2), np.uint64(0), out, threads=2)
    return out
before = draw()
child = os.fork()
if child == 0:
    os._exit(0 if np.array_equal(draw(), before) else 3)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_threads_that_meet_in_a_parallel_kernel_do_not_abort():
    assert in_a_process(CROWD, NUMBA_THREADING_LAYER="workqueue") == "True"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("layer", ["workqueue", "omp"])
def test_a_forked_child_computes_the_same(layer):
    assert in_a_process(FORK, NUMBA_THREADING_LAYER=layer) == "0"


def test_without_compilation_the_numbers_are_the_same():
    code = """
import warnings; warnings.simplefilter("error")
from fpsolve.particles.sgd import diagonal_sgd
for how in (dict(replacement=True), dict(replacement=False, batch=2, depth=2)):
    swarm = diagonal_sgd([1.0, -1.0, 2.0], [1.0, -0.5, 1.0], learning_rate=0.01, steps=9, n=2, seed=1, threads=2, **how)
    print(swarm.weights.tobytes().hex())
"""
    assert in_a_process(code, NUMBA_DISABLE_JIT="1") == in_a_process(code)
