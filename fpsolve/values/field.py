"""A function on a grid: an exit time, a committor, a current at the nodes, a residual."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import read_only
from fpsolve.errors import InvalidInput
from fpsolve.grid import Grid
from fpsolve.values.info import Info

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Field"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Field:
    """Values at the nodes of a grid.

    values: of the grid's shape.  name: labels plots.  info: how they were obtained.  error: largest, None until
        estimated.
    between: in one dimension (s, values) on finer points of stretches of the axis, where they are known; the field is
        constant beyond them.

    Raises InvalidInput for values of another shape.

    >>> import numpy as np, fpsolve as fp
    >>> grid = fp.Grid(x=(0, 1, 50))
    >>> height = Field(grid, grid.nodes[0] ** 2, "height")
    >>> round(height(0.5), 6)
    0.25
    """

    grid: Grid
    values: Array
    name: str = "field"
    info: Info = field(default_factory=Info)
    error: float | None = None
    between: tuple[tuple[Array, Array], ...] = ()

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=float)
        if values.shape != self.grid.shape:
            raise InvalidInput(
                f"values of {self.name} have shape {values.shape}; the grid's shape is {self.grid.shape}"
            )
        object.__setattr__(self, "values", read_only(values))
        finer = tuple((read_only(np.array(s)), read_only(np.array(f))) for s, f in self.between)
        object.__setattr__(self, "between", finer)

    def __call__(self, *x: Array | float) -> Any:
        """The value between nodes (cubic in one dimension, linear in more), NaN outside the nodes' range by a cell.

        Cubics do not reach over stretches where three neighbours or more are equal, nor over values that are not
        finite: an exit time is 0 outside its set, right up to it.  Where values rise or fall they do not leave the
        range of the two beside them.  What happens within a cell is known only where there are values `between`.
        """
        if len(x) != self.grid.ndim:
            raise InvalidInput(f"{self.name} takes {self.grid.ndim} coordinates {self.grid.names}, got {len(x)}")
        from scipy.interpolate import RegularGridInterpolator

        s = np.broadcast_arrays(*(axis.s(np.asarray(c, float)) for axis, c in zip(self.grid.axes, x, strict=True)))
        if self.grid.ndim == 1:
            axis = self.grid.axes[0]
            inside = (s[0] >= axis.start) & (s[0] <= axis.stop)
            answer = np.where(inside, self._on_line(s[0]), np.nan)
            return float(answer) if np.ndim(x[0]) == 0 else answer
        nodes = tuple(axis.s_nodes for axis in self.grid.axes)
        answer = RegularGridInterpolator(nodes, self.values, bounds_error=False)(np.stack(s, axis=-1))
        return float(answer[0]) if s[0].ndim == 0 else answer

    def _on_line(self, s: Array) -> Array:
        nodes, period = self.grid.axes[0].s_nodes, self.grid.axes[0].stop - self.grid.axes[0].start
        if not self.between:
            return _piecewise(nodes, self.values, s)
        turns = (0.0, period) if self.grid.axes[0].periodic else (0.0,)
        answer, beyond = np.full(np.shape(s), np.nan), np.ones(nodes.size, dtype=bool)
        for places, values in self.between:
            for turn in turns:
                low, high = places[0] - turn, places[-1] - turn
                beyond &= (nodes < low) | (nodes > high)
                own = (s >= low) & (s <= high)
                answer = np.where(own, _piecewise(places, values, s + turn), answer)
        if np.any(beyond):
            nearest = np.abs(nodes[beyond] - np.expand_dims(s, -1)).argmin(axis=-1)
            answer = np.where(np.isnan(answer), self.values[beyond][nearest], answer)
        return answer

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed; other values or another grid have nothing known between them."""
        if changes.keys() & {"values", "grid"}:
            changes = {"between": (), **changes}
        return dataclasses.replace(self, **changes)

    def plot(self, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
        """Draw the field; returns the Axes."""
        from fpsolve.plot import field as draw

        return draw(self, ax, label=label, log=log)

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write to an .npz file that `fp.load` reads."""
        from fpsolve.store import save

        return save(self, path, force=force)

    def to_xarray(self) -> Any:
        """As an xarray.DataArray with coordinates; needs the extra `xarray`."""
        from fpsolve.export import to_xarray

        return to_xarray(self)

    def __repr__(self) -> str:
        low, high = float(np.nanmin(self.values)), float(np.nanmax(self.values))
        return f"Field({self.name} on {self.grid.describe()}; {low:.4g} to {high:.4g})"


def _piecewise(nodes: Array, values: Array, s: Array) -> Array:
    """Cubics through runs of values that change, monotone where splines overshoot; constants where nothing changes."""
    from scipy.interpolate import CubicSpline, PchipInterpolator

    finite = np.isfinite(values)
    bad = ~(finite[:-1] & finite[1:])
    equal = values[:-1] == values[1:]
    flat = equal & (np.append(equal[1:], False) | np.append(False, equal[:-1]))
    rises = np.sign(np.diff(np.where(finite, values, 0.0)))
    before, after = np.append(rises[:1], rises[:-1]), np.append(rises[1:], rises[-1:])
    monotone = (before * rises >= 0) & (after * rises >= 0)
    at = np.clip(np.searchsorted(nodes, s) - 1, 0, nodes.size - 2)
    answer = np.asarray(np.where(finite[at], values[at + 1], values[at])[()] * np.ones(np.shape(s)))
    changing = np.flatnonzero(~bad & ~flat)
    for run in np.split(changing, np.flatnonzero(np.diff(changing) > 1) + 1) if changing.size else []:
        own = (at >= run[0]) & (at <= run[-1])
        if np.any(own):
            part = slice(run[0], run[-1] + 2)
            spline = CubicSpline(nodes[part], values[part])(s)
            low, high = np.minimum(values[at], values[at + 1]), np.maximum(values[at], values[at + 1])
            beyond = monotone[at] & ((spline < low) | (spline > high)) & own
            if np.any(beyond):
                spline = np.where(beyond, PchipInterpolator(nodes[part], values[part])(s), spline)
            answer = np.where(own, spline, answer)
    return answer
