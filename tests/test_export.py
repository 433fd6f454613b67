"""Export: an xarray.DataArray holds the values, the geometry and what is known of them."""

import sys

import numpy as np
import pytest

import fpsolve as fp
from fpsolve.errors import InvalidInput, MissingExtra
from fpsolve.export import to_xarray
from fpsolve.values.exact import ExactDensity
from fpsolve.values.field import Field

WELL = fp.stationary(fp.Problem(fp.Process(lambda x: x - x**3, 0.25), fp.Grid(x=(-3, 3, 200))))
PLANE = fp.Grid(u=(-6, 6, 40), w=fp.Axis.sinh(-50, 50, 30))


def test_a_density_keeps_its_values_places_and_masses():
    array = WELL.to_xarray()
    assert array.name == "p"
    assert array.dims == ("x",)
    assert np.array_equal(array.values, WELL.values)
    assert np.array_equal(array.x, WELL.grid.nodes[0])
    assert np.array_equal(array * array.weights, WELL.masses)
    assert float(array.sel(x=1.0, method="nearest")) == pytest.approx(WELL(1.0), rel=1e-3)
    array[:] = 0.0
    assert WELL.values.max() > 0  # a copy


def test_attributes_tell_what_is_known():
    attributes = WELL.replace(error=1e-6, time=2.0).to_xarray().attrs
    assert attributes["method"] == WELL.info.method
    assert attributes["residual"] == WELL.info.residual
    assert attributes["ends_x"] == "open"
    assert attributes["error"] == 1e-6
    assert attributes["mass_beyond"] == WELL.beyond
    assert "current" not in attributes  # not known
    assert float(WELL.replace(time=2.0).to_xarray().t) == 2.0
    assert "t" not in WELL.to_xarray().coords


def test_two_coordinates_and_fields():
    p = ExactDensity(lambda u, w: -(u**2) / 2 - np.abs(w), PLANE).density
    array = p.to_xarray()
    assert array.dims == ("u", "w")
    assert array.weights.shape == (40, 30)
    assert float((array * array.weights).sum()) == pytest.approx(p.masses.sum(), rel=1e-14)
    field = Field(PLANE, p.values, "height").to_xarray()
    assert field.name == "height"
    assert field.dims == ("u", "w")
    assert "mass_beyond" not in field.attrs


def test_it_survives_netcdf(tmp_path):
    xarray = pytest.importorskip("xarray")
    WELL.replace(time=1.0).to_xarray().to_netcdf(tmp_path / "well.nc", engine="h5netcdf")
    again = xarray.open_dataarray(tmp_path / "well.nc", engine="h5netcdf")
    assert np.array_equal(again.values, WELL.values)
    assert again.attrs["method"] == WELL.info.method
    assert np.array_equal(again.weights, WELL.grid.weights)


def test_a_missing_xarray_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(MissingExtra, match=r"pip install 'fpsolve\[xarray\]'"):
        WELL.to_xarray()


def test_other_values_are_refused():
    with pytest.raises(InvalidInput, match="value is list; a Density or a Field"):
        to_xarray([1.0])
