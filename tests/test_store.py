"""Saved values come back to the last bit, or not at all: rows 40 to 44 of what faults get."""

import errno
import io
import json
import os
import zipfile

import numpy as np
import pytest

import fpsolve as fp
from fpsolve import store


@pytest.fixture
def p():
    return fp.stationary(fp.Problem(fp.Process(lambda x: -x, 1.0), fp.Grid(x=(-8, 8, 40))))


@pytest.fixture
def saved(p, tmp_path):
    return p.save(tmp_path / "p.npz")


def entries(path):
    """The arrays' bytes, by file name inside the archive."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite(path, changed, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in changed.items():
            archive.writestr(name, content)


def npy(array, *, allow_pickle=False):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, allow_pickle=allow_pickle)
    return stream.getvalue()


def header_of(path):
    with np.load(path) as arrays:
        return json.loads(arrays["header"].tobytes())


def with_header(path, **changes):
    header = {**header_of(path), **changes}
    text = npy(np.frombuffer(json.dumps(header).encode(), dtype=np.uint8))
    rewrite(path, {**entries(path), "header.npy": text})


AXES = {
    "uniform": fp.Axis.uniform(-3, 3, 20, ends=("reflecting", "open")),
    "log": fp.Axis.log(1e-6, 1e6, 30),
    "negative log": fp.Axis.log(-1e3, -1e-3, 30),
    "sinh": fp.Axis.sinh(-1e4, 2e4, 31, scale=0.3, center=0.1),
    "tanh": fp.Axis.tanh(-1, 2, 21, ends="absorbing"),
    "periodic": fp.Axis.uniform(0, 2 * np.pi, 12, ends="periodic"),
}


@pytest.mark.parametrize("axis", AXES.values(), ids=AXES)
def test_axes_in_closed_form_are_rebuilt_to_the_last_bit_and_can_be_refined(axis, tmp_path):
    field = fp.Field(fp.Grid(x=axis), np.arange(axis.cells), "height")
    copy = fp.load(field.save(tmp_path / "f.npz"))
    again = copy.grid["x"]
    assert (again.kind, again.cells, again.ends) == (axis.kind, axis.cells, axis.ends)
    for member in ("nodes", "faces", "weights", "gaps"):
        np.testing.assert_array_equal(getattr(again, member), getattr(axis, member))
    np.testing.assert_array_equal(again.refined(3).nodes, axis.refined(3).nodes)
    assert copy.name == "height"


def test_a_mapped_axis_comes_back_as_arrays_and_refuses_to_be_refined(tmp_path):
    axis = fp.Axis.mapped(np.sinh, np.cosh, -5, 5, 61)
    field = fp.Field(fp.Grid(x=axis), axis.nodes**2)
    first = fp.load(field.save(tmp_path / "f.npz"))
    for copy in (first, fp.load(first.save(tmp_path / "again.npz"))):
        again = copy.grid["x"]
        assert again.kind == "saved"
        for member in ("nodes", "faces", "weights"):
            np.testing.assert_array_equal(getattr(again, member), getattr(axis, member))
        np.testing.assert_allclose(again.gaps, axis.gaps, rtol=1e-12)
        with pytest.raises(fp.InvalidInput, match=r"loaded from a file .* not the function x\(s\)"):
            again.refined(3)


def test_a_density_comes_back_whole(tmp_path):
    problem = fp.Problem(fp.Process(lambda v: v - v**2, lambda v: 0.2 * v**2), fp.Grid(v=fp.Axis.log(1e-6, 1e6, 100)))
    p = fp.stationary(problem).replace(time=2.5, error=1e-9)
    copy = fp.load(p.save(tmp_path / "p.npz"))
    np.testing.assert_array_equal(copy.values, p.values)
    np.testing.assert_array_equal(copy.log_values, p.log_values)
    assert (copy.info, copy.time, copy.error, copy.continued) == (p.info, 2.5, 1e-9, p.continued)
    assert copy.var() == p.var()
    assert repr(copy) == repr(p)


def test_facts_that_json_has_no_word_for_survive(p, tmp_path):
    info = fp.Info("odd", residual=float("nan"), relaxation_time=(1.0, np.inf), notes=("a note – with a dash",))
    copy = fp.load(p.replace(info=info).save(tmp_path / "p.npz"))
    assert np.isnan(copy.info.residual)
    assert copy.info.relaxation_time == (1.0, np.inf)
    assert copy.info.notes == info.notes


def test_a_swarm_comes_back_whole(tmp_path):
    swarm = fp.Swarm(
        ("v",), [0.0, 1.0], np.arange(6.0).reshape(2, 3, 1), [0, 10], np.ones((3, 2, 1)), 7, [np.inf, 1.0, np.inf],
        finished=False, relaxation_time=0.3,
    )  # fmt: skip
    copy = fp.load(swarm.save(tmp_path / "s.npz"))
    for member in ("times", "positions", "steps", "weights", "lost_at"):
        np.testing.assert_array_equal(getattr(copy, member), getattr(swarm, member))
    assert (copy.names, copy.seed, copy.finished, copy.relaxation_time) == (("v",), 7, False, 0.3)
    assert repr(copy) == repr(swarm)


def test_a_grid_of_two_axes_comes_back(tmp_path):
    grid = fp.Grid(u=(-1, 1, 4), w=fp.Axis.mapped(np.sinh, np.cosh, -1, 1, 5))
    copy = fp.load(fp.Field(grid, np.arange(20).reshape(4, 5)).save(tmp_path / "f.npz"))
    assert copy.grid.names == ("u", "w")
    np.testing.assert_array_equal(copy.grid.weights, grid.weights)


def test_what_has_no_format_is_refused(tmp_path):
    with pytest.raises(fp.InvalidInput, match="cannot save a dict; values with a file format are .*Density"):
        fp.save({}, tmp_path / "x.npz")
    assert not (tmp_path / "x.npz").exists()


def test_row_40_an_existing_file_is_kept_unless_forced(p, saved):
    before = saved.read_bytes()
    other = p.replace(time=1.0)
    with pytest.raises(fp.InvalidInput, match=r"p\.npz exists; pass force=True.*--force"):
        other.save(saved)
    assert saved.read_bytes() == before
    other.save(saved, force=True)
    assert fp.load(saved).time == 1.0


@pytest.mark.parametrize("fault", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("where", ["fsync", "replace", "write"])
def test_row_41_a_fault_in_mid_write_leaves_the_old_file(fault, where, p, saved, monkeypatch):
    before = saved.read_bytes()

    def fail(*_, **__):
        raise fault

    if where == "write":
        monkeypatch.setattr(np.lib.format, "write_array", fail)
    else:
        monkeypatch.setattr(os, where, fail)
    with pytest.raises(type(fault)):
        p.replace(time=1.0).save(saved, force=True)
    monkeypatch.undo()
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == ["p.npz"]


def test_row_41_a_disk_that_is_really_full_leaves_nothing_behind(p, tmp_path):
    resource = pytest.importorskip("resource")
    signal = pytest.importorskip("signal")
    limit, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, limit[1]))  # no file may grow beyond 512 bytes
    try:
        with pytest.raises(OSError, match="too large"):
            p.save(tmp_path / "p.npz")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)
    assert list(tmp_path.iterdir()) == []


def test_row_41_bytes_are_synced_before_the_file_takes_its_name(p, tmp_path, monkeypatch):
    calls, real = [], {"fsync": os.fsync, "replace": os.replace}
    for name in real:
        monkeypatch.setattr(os, name, lambda *given, name=name: (calls.append(name), real[name](*given)))
    p.save(tmp_path / "p.npz")
    assert calls[:2] == ["fsync", "replace"]


def test_row_42_a_truncated_file_is_corrupt_wherever_it_ends(saved):
    content = saved.read_bytes()
    for length in (0, 3, 30, len(content) // 2, len(content) - 30, len(content) - 1):
        saved.write_bytes(content[:length])
        with pytest.raises(fp.CorruptFile, match=r"p\.npz"):
            fp.load(saved)


def test_row_42_a_flipped_byte_is_noticed_or_harmless_wherever_it_is(p, saved):
    """Bytes that zip does not use (dates, attributes) may flip: then the value is the same."""
    content, noticed = saved.read_bytes(), 0
    for place in range(0, len(content), 3):
        saved.write_bytes(content[:place] + bytes([content[place] ^ 0x5A]) + content[place + 1 :])
        try:
            copy = fp.load(saved)
        except (fp.CorruptFile, fp.InvalidInput):  # InvalidInput: a length that becomes larger than files may be
            noticed += 1
        else:
            np.testing.assert_array_equal(copy.values, p.values)
            np.testing.assert_array_equal(copy.log_values, p.log_values)
            np.testing.assert_array_equal(copy.grid["x"].nodes, p.grid["x"].nodes)
    assert noticed > len(content) / 3 * 0.75


def test_row_42_without_checksums_the_flip_would_pass(p, saved, monkeypatch):
    """The control: the byte in question does change the value."""
    content = bytearray(saved.read_bytes())
    content[content.index(p.values.tobytes()) + 100] ^= 0x5A
    saved.write_bytes(content)
    with pytest.raises(fp.CorruptFile, match="Bad CRC"):
        fp.load(saved)
    monkeypatch.setattr(zipfile.ZipExtFile, "_update_crc", lambda *_: None)
    assert not np.array_equal(fp.load(saved).values, p.values)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "not an .npz"), (b"v,p\n1,2\n", "starts with b'v,p"), (b"\x93NUMPY\x01\x00", "not an .npz")],
)
def test_row_42_another_kind_of_file_is_corrupt(content, message, tmp_path):
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(fp.CorruptFile, match=message):
        fp.load(tmp_path / "x.npz")


def test_row_42_a_missing_header_or_array_is_told(p, saved):
    whole = entries(saved)
    rewrite(saved, {name: content for name, content in whole.items() if name != "header.npy"})
    with pytest.raises(fp.CorruptFile, match=r"no header\.npy: another program wrote it"):
        fp.load(saved)
    rewrite(saved, {name: content for name, content in whole.items() if name != "log_values.npy"})
    with pytest.raises(fp.CorruptFile, match=r"does not describe a Density.*log_values"):
        fp.load(saved)
    rewrite(saved, {**whole, "header.npy": npy(np.frombuffer(b"{not json", dtype=np.uint8))})
    with pytest.raises(fp.CorruptFile, match="is not JSON"):
        fp.load(saved)
    rewrite(saved, {**whole, "header.npy": npy(np.frombuffer(b"[1]", dtype=np.uint8))})
    with pytest.raises(fp.CorruptFile, match="not a header"):
        fp.load(saved)
    rewrite(saved, {**whole, "values.npy": npy(np.ones(3))})
    with pytest.raises(fp.CorruptFile, match=r"values have shape \(3,\)"):
        fp.load(saved)
    rewrite(saved, {**whole, "values.npy": npy(np.ones(40, dtype=np.float32))})
    with pytest.raises(fp.CorruptFile, match="float32, not of float64"):
        fp.load(saved)


def test_row_42_a_header_cannot_make_huge_arrays(saved):
    grid = header_of(saved)["grid"]
    with_header(saved, grid=[{**grid[0], "cells": 10**12}])
    with pytest.raises(fp.CorruptFile, match="1000000000000"):
        fp.load(saved)


def test_an_unknown_kind_is_told(saved):
    with_header(saved, kind="Orbit")
    with pytest.raises(fp.CorruptFile, match="holds a 'Orbit'"):
        fp.load(saved)


class Bomb:
    """Unpickling it would run code."""

    exploded = False

    def __reduce__(self):
        return (setattr, (Bomb, "exploded", True))


def test_row_43_pickled_objects_are_refused_and_not_run(saved):
    content = npy(np.array([Bomb()], dtype=object), allow_pickle=True)
    rewrite(saved, {**entries(saved), "values.npy": content})
    with pytest.raises(fp.CorruptFile, match=r"values\.npy holds pickled objects"):
        fp.load(saved)
    assert not Bomb.exploded
    np.lib.format.read_array(io.BytesIO(content), allow_pickle=True)
    assert Bomb.exploded  # the control: it is armed


def test_row_43_a_zip_bomb_is_refused_by_its_declared_size_before_it_is_read(saved, monkeypatch):
    rewrite(saved, {**entries(saved), "more.npy": bytes(50_000_000)}, zipfile.ZIP_DEFLATED)
    assert saved.stat().st_size < 100_000
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("it was read"))
    with pytest.raises(fp.InvalidInput, match=r"unpacks to 50\d+ bytes, more than largest=1000000: refused unread"):
        store.load(saved, largest=1_000_000)


def test_row_43_an_array_that_declares_more_than_it_holds_is_refused(saved):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": (10**13,)})
    rewrite(saved, {**entries(saved), "values.npy": stream.getvalue() + b"12345678"})
    with pytest.raises(fp.CorruptFile, match=r"declares shape \(10000000000000,\) of float64 but holds 8 bytes"):
        fp.load(saved)


def test_row_44_a_newer_format_is_refused_with_both_versions(saved):
    with_header(saved, format=store.FORMAT + 1, library="9.7.5")
    with pytest.raises(
        fp.InvalidInput, match=rf"written by fpsolve 9\.7\.5; this is fpsolve {fp.__version__}.*upgrade"
    ):
        fp.load(saved)


def test_a_file_says_what_made_it(saved):
    header = header_of(saved)
    assert (header["made by"], header["format"], header["kind"]) == ("fpsolve", store.FORMAT, "Density")
    assert header["library"] == fp.__version__


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(FileNotFoundError):
        fp.load(tmp_path / "none.npz")
