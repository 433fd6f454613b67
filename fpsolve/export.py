"""Values as xarray.DataArray, for those who go on in xarray or write netCDF."""

from __future__ import annotations

import dataclasses
from typing import Any

from fpsolve.errors import InvalidInput, MissingExtra
from fpsolve.values.density import Density
from fpsolve.values.evolution import Evolution
from fpsolve.values.field import Field
from fpsolve.values.info import Info

__all__ = ["to_xarray"]


def to_xarray(value: Density | Evolution | Field) -> Any:
    """A Density, an Evolution or a Field as an xarray.DataArray.

    Dimensions are the axes' names, with their nodes as coordinates; `weights` is a coordinate of the grid's shape, so
    that (array * array.weights).sum() is the mass on the grid.  A density's time is the scalar coordinate t; an
    evolution's times are the first dimension, t.
    Attributes: what `info` knows, the error estimate, and ends_<name> for each axis; all can be written to netCDF.

    Raises MissingExtra where xarray is not installed, InvalidInput for other values.

    >>> import fpsolve as fp
    >>> p = fp.stationary(fp.Problem(fp.Process(lambda x: -x, 1.0), fp.Grid(x=(-8, 8, 200))))
    >>> array = to_xarray(p)
    >>> array.dims, round(float((array * array.weights).sum()), 12)
    (('x',), 1.0)
    """
    if not isinstance(value, (Density, Evolution, Field)):
        raise InvalidInput(f"value is {type(value).__name__}; a Density or a Field can be exported, and an Evolution")
    try:
        import xarray
    except ImportError as error:
        raise MissingExtra("to_xarray needs xarray: pip install 'fpsolve[xarray]'") from error
    grid = value.grid
    coordinates: dict[str, Any] = dict(zip(grid.names, grid.nodes, strict=True))
    coordinates["weights"] = (grid.names, grid.weights)
    attributes = _attributes(value.info)
    attributes.update({f"ends_{name}": axis.describe_ends() for name, axis in zip(grid.names, grid.axes, strict=True)})
    if isinstance(value, Density):
        attributes["mass_beyond"] = value.beyond
        if value.time is not None:
            coordinates["t"] = value.time
        if value.error is not None:
            attributes["error"] = value.error
    name, dimensions = value.name if isinstance(value, Field) else "p", grid.names
    if isinstance(value, Evolution):
        attributes["finished"] = int(value.finished)  # netCDF has no true and false
        coordinates["t"], dimensions = value.times, ("t", *grid.names)
        values = value.masses / grid.weights
    else:
        values = value.values.copy()
    return xarray.DataArray(values, dims=dimensions, coords=coordinates, name=name, attrs=attributes)


def _attributes(info: Info) -> dict[str, Any]:
    """What `info` knows, as numbers and words that netCDF can hold."""
    known = {field.name: getattr(info, field.name) for field in dataclasses.fields(info)}
    known["notes"] = "; ".join(info.notes)
    if info.relaxation_time is not None:
        known["relaxation_time"] = list(info.relaxation_time)
    return {name: entry for name, entry in known.items() if entry is not None and entry != ""}
