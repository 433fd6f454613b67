"""Evolutions: densities by index and time, statistics per time, files, xarray, pictures."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

import fpsolve as fp
from fpsolve.export import to_xarray
from fpsolve.values.evolution import Evolution

mpl.use("Agg")
pytestmark = pytest.mark.usefixtures("figures_closed")

WELL = fp.Problem(fp.Process(lambda x: x - x**3, 0.25), fp.Grid(x=(-3, 3, 120)))
PATH = fp.evolve(WELL, fp.Gaussian(-1, 0.2), [0.0, 0.5, 4.0])
PLANE = fp.Grid(u=(-4, 4, 24), w=fp.Axis.uniform(-3, 3, 18, ends=("reflecting", "open")))
TURNING = fp.evolve(
    fp.Problem(fp.Process(lambda u, w: (-u + 2 * w, -w - 2 * u), 0.1), PLANE), fp.Gaussian((1, 0), (0.4, 0.4)), [0, 1]
)


def test_densities_are_found_by_index_and_by_time():
    assert len(PATH) == 3
    for i, t in enumerate(PATH.times):
        for p in (PATH[i], PATH.at(t), PATH[i - 3], list(PATH)[i]):
            assert isinstance(p, fp.Density)
            assert p.time == t
            assert p.masses == pytest.approx(PATH.masses[i], rel=1e-15)
            assert p.grid is PATH.grid
    assert PATH.at(0.5 * (1 + 1e-12)).time == 0.5
    with pytest.raises(fp.InvalidInput, match=r"t is 1, not recorded; the 3 times recorded are 0, 0\.5, 4"):
        PATH.at(1.0)
    with pytest.raises(IndexError):
        PATH[3]


def test_statistics_are_those_of_the_densities():
    assert PATH.mean() == pytest.approx([p.mean() for p in PATH])
    assert PATH.var() == pytest.approx([p.var() for p in PATH])
    assert PATH.expect(np.cos) == pytest.approx([p.expect(np.cos) for p in PATH])
    assert PATH.mass == pytest.approx([1, 1, 1], abs=1e-13)
    assert TURNING.mean().shape == TURNING.var().shape == (2, 2)
    assert TURNING.mean()[0] == pytest.approx([1, 0], abs=1e-6)
    assert TURNING.expect(lambda u, w: u * w)[0] == pytest.approx(0, abs=1e-6)
    assert TURNING.mass.shape == (2,)


def test_a_density_in_motion_has_no_tail_beyond_its_grid():
    """Its masses are all of it: rounding in an open end's last cells is no law to continue."""
    masses = PATH.masses.copy()
    masses[2, -2:] = [1e-19, 3e-19]  # rises outward: a continued series would diverge
    p = Evolution(PATH.grid, PATH.times, masses)[2]
    assert p.mass == pytest.approx(1.0, abs=1e-13)
    assert p.beyond == 0.0
    assert p.mean() == pytest.approx(PATH[2].mean())
    assert p.replace(continued=((False, True),)).mass == np.inf  # the control


def test_negative_masses_are_kept_and_their_logarithms_masked():
    masses = PATH.masses.copy()
    masses[1, 3] = -1e-7
    p = Evolution(PATH.grid, PATH.times, masses)[1]
    assert p.masses[3] == pytest.approx(-1e-7)
    assert np.flatnonzero(np.isnan(p.log_values)).tolist() == [3]
    assert p.info.smallest == p.values.min() < 0


def test_an_evolution_is_frozen_and_copies_what_it_is_given():
    given = np.array(PATH.masses)
    path = Evolution(PATH.grid, PATH.times, given)
    given[:] = 0
    assert np.array_equal(path.masses, PATH.masses)
    with pytest.raises(ValueError, match="read-only"):
        path.masses[0] = 1.0
    with pytest.raises(AttributeError):
        path.times = None
    assert path.replace(finished=False).finished is False


@pytest.mark.parametrize(
    ("times", "masses", "message"),
    [
        (
            [0.0, 1.0],
            np.zeros((3, 120)),
            r"times has shape \(2,\), masses \(3, 120\); give \(k,\), k > 0, and \(k, 120\)",
        ),
        ([], np.zeros((0, 120)), "k > 0"),
        ([0.0], np.zeros((1, 24, 18)), r"\(k, 120\)"),
        ([1.0, 1.0], np.zeros((2, 120)), "times must rise"),
    ],
)
def test_shapes_that_do_not_fit_are_named(times, masses, message):
    with pytest.raises(fp.InvalidInput, match=message):
        Evolution(PATH.grid, times, masses)


def test_one_line_says_what_matters():
    line = repr(Evolution(PATH.grid, [0.0, 2.0], np.full((2, 120), 0.7 / 120), fp.Info(smallest=-2e-9), finished=False))
    assert line == (
        "Evolution(x: 120 cells on [-3, 3], open; 2 times from t=0 to 2; mass 0.7, smallest -2e-09; "
        "partial: stopped before its end)"
    )
    assert repr(Evolution(PATH.grid, [3.0], np.full((1, 120), 0.1 / 120))).endswith("open; t=3; mass 0.1)")
    assert "\n" not in repr(TURNING)


@pytest.mark.parametrize("path", [PATH, TURNING, PATH.replace(finished=False)], ids=["line", "plane", "partial"])
def test_a_saved_evolution_comes_back_to_the_last_bit(path, tmp_path):
    copy = fp.load(path.save(tmp_path / "path.npz"))
    assert isinstance(copy, Evolution)
    assert np.array_equal(copy.masses, path.masses)
    assert np.array_equal(copy.times, path.times)
    assert np.array_equal(copy.grid.weights, path.grid.weights)
    assert (copy.info, copy.finished, repr(copy)) == (path.info, path.finished, repr(path))
    with pytest.raises(fp.InvalidInput, match="exists"):
        path.save(tmp_path / "path.npz")


def test_a_run_goes_on_from_a_file(tmp_path):
    copy = fp.load(PATH.save(tmp_path / "path.npz"))
    method = fp.SDIRK2(dt=0.1)
    assert np.array_equal(
        fp.evolve(WELL, copy, [5.0], method=method).masses, fp.evolve(WELL, PATH, [5.0], method=method).masses
    )


@pytest.mark.parametrize("path", [PATH, TURNING], ids=["line", "plane"])
def test_xarray_keeps_values_times_and_masses_also_in_netcdf(path, tmp_path):
    xarray = pytest.importorskip("xarray")
    array = path.to_xarray()
    assert array.dims == ("t", *path.grid.names)
    assert np.array_equal(array.t, path.times)
    assert (array * array.weights).values == pytest.approx(path.masses, rel=1e-15)
    assert array.sel(t=path.times[1]).values == pytest.approx(path[1].values, rel=1e-15)
    assert array.attrs["method"] == path.info.method
    assert array.attrs["finished"] == 1
    to_xarray(path).to_netcdf(tmp_path / "path.nc", engine="h5netcdf")
    again = xarray.open_dataarray(tmp_path / "path.nc", engine="h5netcdf")
    assert np.array_equal(again.values, array.values)
    assert np.array_equal(again.weights, path.grid.weights)


def mesh(ax):
    (found,) = ax.collections
    return found


def test_a_line_is_drawn_in_space_and_time():
    ax = Figure().add_subplot()
    assert PATH.plot(ax) is ax
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("t", "x")
    assert np.array_equal(mesh(ax).get_array().reshape(120, 3), PATH.masses.T / PATH.grid.weights[:, None])
    corners = np.asarray(mesh(ax).get_coordinates())
    assert corners[0, :, 0] == pytest.approx([0, 0.25, 2.25, 4])  # strips meet midway
    assert corners[:, 0, 1] == pytest.approx(PATH.grid.faces[0])
    assert not isinstance(mesh(ax).norm, LogNorm)
    assert isinstance(mesh(PATH.plot(log=True)).norm, LogNorm)


def test_times_over_decades_and_mapped_axes_are_drawn_logarithmically():
    grid = fp.Grid(v=fp.Axis.log(1e-3, 1e3, 160))
    path = fp.evolve(
        fp.Problem(fp.Process(lambda v: 1 - v, lambda v: 0.1 * v**2), grid), fp.Gaussian(1, 0.15), [0.01, 0.1, 1, 10]
    )
    ax = path.plot()
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    corners = np.asarray(mesh(ax).get_coordinates())
    assert corners[0, :, 0] == pytest.approx([0.01, 10**-1.5, 10**-0.5, 10**0.5, 10])
    assert isinstance(mesh(ax).norm, LogNorm)
    plain = path.plot(log=False)
    assert not isinstance(mesh(plain).norm, LogNorm)
    assert (plain.get_xscale(), plain.get_yscale()) == ("linear", "linear")


def test_a_plane_is_a_row_of_maps_with_one_scale():
    ax = TURNING.plot(log=True)
    assert [panel.get_title() for panel in ax.child_axes] == ["t = 0", "t = 1"]
    first, second = (mesh(panel) for panel in ax.child_axes)
    assert (first.norm.vmin, first.norm.vmax) == (second.norm.vmin, second.norm.vmax)
    assert np.array_equal(first.get_array().reshape(18, 24), (TURNING.masses[0] / PLANE.weights).T)
    linear = [mesh(panel) for panel in TURNING.plot().child_axes]
    assert linear[0].get_clim() == linear[1].get_clim()
    many = Evolution(PLANE, np.arange(9.0), np.repeat(TURNING.masses[:1], 9, axis=0)).plot()
    assert [panel.get_title() for panel in many.child_axes] == [f"t = {t}" for t in (0, 2, 4, 6, 8)]


def test_one_time_is_drawn_as_a_density_and_three_coordinates_are_refused():
    (line,) = Evolution(PATH.grid, [1.0], PATH.masses[:1]).plot().lines
    assert line.get_label() == "t = 1"
    cube = Evolution(fp.Grid(x=(0, 1, 3), y=(0, 1, 3), z=(0, 1, 3)), [0.0, 1.0], np.full((2, 3, 3, 3), 1 / 27))
    with pytest.raises(fp.InvalidInput, match="3 coordinates .*; draw path.i..marginal"):
        cube.plot()
