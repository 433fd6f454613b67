"""Drawing densities in motion: p(x, t) as one map in one dimension, a row of maps with one colour scale in two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import InvalidInput
from fpsolve.plot_line import new_axes, scale_like
from fpsolve.plot_plane import colours
from fpsolve.values.evolution import Evolution

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["evolution"]

Array = NDArray[np.float64]
MOST_PANELS = 5
PANEL = 2.4  # inches
GAP = 0.06  # of a panel's width
LONG = 100.0  # times that begin above 0 and span this factor are drawn on a logarithmic axis


def evolution(path: Evolution, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
    """Draw an evolution; returns the Axes, in two dimensions the one that the panels are set into.

    label: of the colours.  log: True for logarithmic colours, False for linear axes throughout; None for what the
    grid's axes are: logarithmic where one is log or sinh.  Of many times in two dimensions five are drawn.
    """
    names = path.grid.names
    if len(names) > 2:
        raise InvalidInput(f"p has {len(names)} coordinates {names}; draw path[i].marginal(name)")
    if len(path) == 1:
        return path[0].plot(ax, label=label, log=log)
    values, heavy = path.masses / path.grid.weights, any(axis.kind in ("log", "sinh") for axis in path.grid.axes)
    draw = _space_time if len(names) == 1 else _panels
    return draw(path, values, ax, label or f"p({', '.join(names)}, t)", log, heavy if log is None else log)


def _space_time(path: Evolution, values: Array, ax: Axes | None, label: str, log: bool | None, deep: bool) -> Axes:
    axis, name, t, ax = path.grid.axes[0], path.grid.names[0], path.times, new_axes(ax)
    long = log is not False and t[0] > 0 and t[-1] >= LONG * t[0]
    mesh = ax.pcolormesh(_faces(t, long), axis.faces, values.T, rasterized=True, **colours(values, deep))
    if long:
        ax.set_xscale("log")
    if log is not False:
        scale_like(ax, axis, "y")
    ax.figure.colorbar(mesh, ax=ax, label=label)
    ax.set_xlabel("t")
    ax.set_ylabel(name)
    return ax


def _faces(times: Array, long: bool) -> Array:
    """Where the strips of the recorded times meet: midway as they are drawn; the first and the last are half strips."""
    s = np.log(times) if long else times
    middle = 0.5 * (s[:-1] + s[1:])
    faces = np.concatenate([s[:1], middle, s[-1:]])
    return np.exp(faces) if long else faces


def _panels(path: Evolution, values: Array, ax: Axes | None, label: str, log: bool | None, deep: bool) -> Axes:
    from matplotlib.colors import Normalize

    chosen = np.unique(np.linspace(0, len(path) - 1, min(len(path), MOST_PANELS)).round().astype(int))
    ax = new_axes(ax, (1.2 + PANEL * chosen.size, PANEL))
    values, (first, second) = values[chosen], path.grid.axes
    look = colours(values, deep)
    norm = look.get("norm") or Normalize(
        look.get("vmin", min(0.0, float(values.min()))), look.get("vmax", float(values.max()))
    )
    ax.set_axis_off()
    for k, i in enumerate(chosen):
        panel = ax.inset_axes((k / chosen.size, 0.0, (1.0 - GAP) / chosen.size, 1.0))
        mesh = panel.pcolormesh(first.faces, second.faces, values[k].T, rasterized=True, cmap=look["cmap"], norm=norm)
        if log is not False:
            scale_like(panel, first)
            scale_like(panel, second, "y")
        if panel.get_xscale() == "linear":
            panel.locator_params(axis="x", nbins=5, prune="both")
        panel.set_title(f"t = {path.times[i]:g}", fontsize="medium")
        panel.set_xlabel(path.grid.names[0])
        panel.set_ylabel("" if k else path.grid.names[1])
        panel.tick_params(labelleft=not k)
    ax.figure.colorbar(mesh, ax=ax, label=label, pad=0.02)
    return ax
