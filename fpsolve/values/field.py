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
    """Values at the nodes of a grid; `name` labels plots; error: largest, None until estimated.

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

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=float)
        if values.shape != self.grid.shape:
            raise InvalidInput(
                f"values of {self.name} have shape {values.shape}; the grid's shape is {self.grid.shape}"
            )
        object.__setattr__(self, "values", read_only(values))

    def __call__(self, *x: Array | float) -> Any:
        """The value between nodes (cubic in one dimension, linear in more), NaN outside the nodes' range by a cell.

        Cubics do not reach over stretches where three neighbours or more are equal, nor over values that are not
        finite: an exit time is 0 outside its set, right up to it.
        """
        if len(x) != self.grid.ndim:
            raise InvalidInput(f"{self.name} takes {self.grid.ndim} coordinates {self.grid.names}, got {len(x)}")
        from scipy.interpolate import RegularGridInterpolator

        s = np.broadcast_arrays(*(axis.s(np.asarray(c, float)) for axis, c in zip(self.grid.axes, x, strict=True)))
        if self.grid.ndim == 1:
            axis = self.grid.axes[0]
            inside = (s[0] >= axis.start) & (s[0] <= axis.stop)
            answer = np.where(inside, _piecewise(axis.s_nodes, self.values, s[0]), np.nan)
            return float(answer) if np.ndim(x[0]) == 0 else answer
        nodes = tuple(axis.s_nodes for axis in self.grid.axes)
        answer = RegularGridInterpolator(nodes, self.values, bounds_error=False)(np.stack(s, axis=-1))
        return float(answer[0]) if s[0].ndim == 0 else answer

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
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
    """Cubics through runs of values that change; constants where they do not."""
    from scipy.interpolate import CubicSpline

    finite = np.isfinite(values)
    bad = ~(finite[:-1] & finite[1:])
    equal = values[:-1] == values[1:]
    flat = equal & (np.append(equal[1:], False) | np.append(False, equal[:-1]))
    at = np.clip(np.searchsorted(nodes, s) - 1, 0, nodes.size - 2)
    answer = np.asarray(np.where(finite[at], values[at + 1], values[at])[()] * np.ones(np.shape(s)))
    changing = np.flatnonzero(~bad & ~flat)
    for run in np.split(changing, np.flatnonzero(np.diff(changing) > 1) + 1) if changing.size else []:
        own = (at >= run[0]) & (at <= run[-1])
        if np.any(own):
            part = slice(run[0], run[-1] + 2)
            answer = np.where(own, CubicSpline(nodes[part], values[part])(s), answer)
    return answer
