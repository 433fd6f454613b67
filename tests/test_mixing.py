"""Evolutions on their way to rest: distances per time, mixing times in closed form, moving pictures."""

import math
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import erf

import fpsolve as fp
from fpsolve.animation import animate
from fpsolve.values.evolution import Evolution

mpl.use("Agg")

OU = fp.Problem(fp.Process(lambda x: -x, 1.0), fp.Grid(x=(-8, 8, 400)))
REST = fp.stationary(OU)
PATH = fp.evolve(OU, fp.Gaussian(2.0, 1.0), np.linspace(0, 12, 61))


def variation(t):
    """Total variation between N(2 exp(-t), 1) and N(0, 1)."""
    return erf(2 * math.exp(-t) / 2 / math.sqrt(2))


def test_total_variation_per_time_is_exact():
    assert PATH.distance_to(REST) == pytest.approx([variation(t) for t in PATH.times], abs=2e-4)


def test_other_metrics_and_samples():
    shifts = 2 * np.exp(-PATH.times[:3])
    early = PATH.replace(times=PATH.times[:3], masses=PATH.masses[:3])
    assert early.distance_to(REST, "W1") == pytest.approx(shifts, abs=2e-3)
    assert early.distance_to(REST, "KL") == pytest.approx(shifts**2 / 2, abs=5e-3)
    samples = np.random.default_rng(1).normal(2.0, 1.0, 4000)
    assert early.distance_to(samples, "KS")[0] < 0.03
    assert early.distance_to(samples, "KS")[2] > 0.2


@pytest.mark.parametrize("epsilon", [0.5, 0.25, 0.01])
def test_mixing_times_in_closed_form(epsilon):
    exact = brentq(lambda t: variation(t) - epsilon, 0, 20)
    assert PATH.mixing_time(epsilon, REST) == pytest.approx(exact, abs=2e-3)
    coarse = fp.evolve(OU, fp.Gaussian(2.0, 1.0), np.linspace(0, 12, 13))
    assert coarse.mixing_time(epsilon, REST) == pytest.approx(exact, abs=0.05)


def test_the_last_density_serves_once_it_is_at_rest():
    assert PATH.mixing_time() == pytest.approx(PATH.mixing_time(0.25, REST), abs=1e-4)
    moving = PATH.replace(times=PATH.times[:5], masses=PATH.masses[:5])
    with pytest.raises(fp.InvalidInput, match=r"p moves by 0\.0\d+ between the last two times, so the last is not"):
        moving.mixing_time()
    with pytest.raises(fp.InvalidInput, match=r"the distance is still 0\.\d+ at t=0\.8; evolve further"):
        moving.mixing_time(stationary=REST)


def test_a_start_that_is_mixed_needs_no_time():
    assert fp.evolve(OU, fp.Gaussian(0.1, 1.0), [0.0, 1.0]).mixing_time(stationary=REST) == 0.0


def test_it_counts_from_when_the_distance_is_small_for_good():
    grid = fp.Grid(x=fp.Axis.uniform(0, 1, 3, ends="reflecting"))
    rest = fp.stationary(fp.Problem(fp.Process(0.0, 1.0), grid))
    shift = np.array([1.0, -1.0, 0.0])
    near, far = rest.masses + 0.05 * shift, rest.masses + 0.3 * shift
    path = Evolution(grid, [0.0, 1.0, 2.0, 3.0], [far, near, far, near])
    assert 2.0 < path.mixing_time(0.1, rest) < 3.0


@pytest.mark.parametrize("epsilon", [0.0, 1.0, -0.1, np.nan])
def test_epsilon_is_a_total_variation(epsilon):
    with pytest.raises(fp.InvalidInput, match="epsilon is"):
        PATH.mixing_time(epsilon, REST)


def test_absorbed_mass_has_no_distance():
    axis = fp.Axis.uniform(-1, 1, 60, ends="absorbing")
    path = fp.evolve(fp.Problem(fp.Process(0.0, 0.5), fp.Grid(x=axis)), fp.Gaussian(0, 0.1), [0.1, 1.0])
    with pytest.raises(fp.InvalidInput, match="mass"):
        path.distance_to(path[0].on_grid())


LINE = PATH.replace(times=PATH.times[:3], masses=PATH.masses[:3])
PLANE = fp.evolve(
    fp.Problem(fp.Process(lambda x, y: (-x, -y), 0.5), fp.Grid(x=(-4, 4, 20), y=(-4, 4, 16))),
    fp.Gaussian((1, 0), (0.6, 0.6)),
    [0.0, 0.5],
)


@pytest.mark.parametrize(("path", "log"), [(LINE, None), (LINE, True), (PLANE, None), (PLANE, True)])
def test_a_gif_has_a_frame_for_every_time(path, log, tmp_path):
    image = pytest.importorskip("PIL.Image")
    file = path.animate(tmp_path / "move.gif", fps=5, log=log)
    assert file == tmp_path / "move.gif"
    with image.open(file) as picture:
        assert picture.n_frames == len(path)
        assert picture.info["duration"] == 200
        first = np.asarray(picture.convert("RGB"))
        picture.seek(len(path) - 1)
        assert (np.asarray(picture.convert("RGB")) != first).any()
    assert [p.name for p in tmp_path.iterdir()] == ["move.gif"]


def test_row_40_a_picture_is_not_replaced_unless_told(tmp_path):
    file = tmp_path / "move.gif"
    file.write_bytes(b"mine")
    with pytest.raises(fp.InvalidInput, match="exists; pass force=True"):
        LINE.animate(file)
    assert file.read_bytes() == b"mine"
    LINE.animate(file, force=True)
    assert file.read_bytes().startswith(b"GIF")


def test_a_picture_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    from matplotlib.animation import PillowWriter

    def fail(self, **options):
        raise OSError("disk full")

    monkeypatch.setattr(PillowWriter, "grab_frame", fail)
    file = tmp_path / "move.gif"
    file.write_bytes(b"mine")
    with pytest.raises(OSError, match="disk full"):
        LINE.animate(file, force=True)
    assert [p.name for p in tmp_path.iterdir()] == ["move.gif"]
    assert file.read_bytes() == b"mine"


def test_an_mp4_needs_ffmpeg(tmp_path, monkeypatch):
    from matplotlib.animation import FFMpegWriter

    monkeypatch.setattr(FFMpegWriter, "isAvailable", classmethod(lambda cls: False))
    with pytest.raises(fp.MissingExtra, match=r"an \.mp4 needs the program ffmpeg.*or write a \.gif"):
        LINE.animate(tmp_path / "move.mp4")


@pytest.mark.parametrize(
    ("file", "options", "message"),
    [
        ("move.png", {}, r"move\.png ends in '\.png'; an animation is a \.gif or an \.mp4"),
        ("nowhere/move.gif", {}, "no folder"),
        ("move.gif", {"fps": 0}, "fps is 0; give a whole number >= 1"),
    ],
)
def test_what_cannot_be_written_is_told(file, options, message, tmp_path):
    with pytest.raises(fp.InvalidInput, match=message):
        LINE.animate(tmp_path / file, **options)


def test_three_coordinates_are_not_drawn(tmp_path):
    cube = Evolution(fp.Grid(x=(0, 1, 3), y=(0, 1, 3), z=(0, 1, 3)), [0.0], np.full((1, 3, 3, 3), 1 / 27))
    with pytest.raises(fp.InvalidInput, match="3 coordinates"):
        animate(cube, Path(tmp_path / "move.gif"))
