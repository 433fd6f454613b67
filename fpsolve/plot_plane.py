"""Two coordinates: maps of colours of densities, fields and samples, and what lies on them.

On logarithmic colours a map shows ten decades below its peak and says so; what is below has the lowest colour, and
cells with p <= 0 have none.  On a map that is there, densities are contours that enclose shares of their mass, haloed
in white so that they are seen on dark and light, and samples are points.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.errors import InvalidInput
from fpsolve.laws import Samples
from fpsolve.plot_line import PALETTE, scale_like, shown_range, spread_out
from fpsolve.values.density import Density

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["colours", "density_on_plane", "heat_map", "samples_on_plane"]

Array = NDArray[np.float64]
DECADES = 10.0  # below the peak, on logarithmic colours
ENCLOSED = (0.5, 0.9, 0.99)  # shares of the mass inside contours, where none are asked for
MOST_BINS = 80
MOST_POINTS = 600
MAP, OVERLAY = "fpsolve map", "fpsolve overlay"


def density_on_plane(
    ax: Axes,
    p: Density,
    label: str | None,
    log: bool | None,
    levels: Sequence[float] | None,
    *,
    closed_form: str | None = None,
    colour: str | None = None,
    bar: bool = True,
) -> Axes:
    """A map of p, or contours on a map that is there: dashed black for a closed form, else in the next colour."""
    if _is_map(ax):
        style = "--" if closed_form else "-"
        colour = colour or ("black" if closed_form else _next_colour(ax))
        return _contours(ax, p, colour, style, label or closed_form or "density", levels or ENCLOSED)
    heavy = any(axis.kind in ("log", "sinh") for axis in p.grid.axes)
    title = label or _density_title(p.grid.names)
    heat_map(ax, p.grid.axes, p.grid.names, p.values, title, True if log is None and heavy else log, bar=bar)
    if log is False:
        ranges = [shown_range(p.marginal(name), linear=True) for name in p.grid.names]
        ax.set(xlim=ranges[0], ylim=ranges[1])
    return ax if levels is None else _contours(ax, p, "black", "-", "density", levels)


def heat_map(
    ax: Axes,
    axes: Sequence[Axis],
    names: Sequence[str],
    values: Array,
    title: str,
    log: bool | None,
    *,
    bar: bool = True,
) -> Axes:
    """Values at the nodes of two axes as colours, each axis as it is mapped unless log is False."""
    if len(axes) > 2:
        raise InvalidInput(
            f"{title} has {len(axes)} coordinates; draw a marginal, or all of them by fpsolve.plot.corner"
        )
    look = colours(values, bool(log))
    mesh = ax.pcolormesh(axes[0].faces, axes[1].faces, values.T, rasterized=True, gid=MAP, **look)
    if log is not False:
        scale_like(ax, axes[0])
        scale_like(ax, axes[1], "y")
    return _finish(ax, mesh, names, title, bar)


def samples_on_plane(
    ax: Axes,
    samples: Samples,
    names: Sequence[str],
    label: str | None,
    log: bool | None,
    *,
    colour: str | None = None,
    bar: bool = True,
) -> Axes:
    """A map of the samples' density in bins that are equal as drawn, or points on a map that is there."""
    if _is_map(ax):
        return _points(ax, samples, colour or _next_colour(ax), label)
    count = min(MOST_BINS, max(8, int(samples.n**0.25 * 4)))
    columns = np.sort(samples.positions, axis=0).T
    wide = [log is not False and spread_out(x) for x in columns]
    x_faces, y_faces = (_faces(x, count, w) for x, w in zip(columns, wide, strict=True))
    heights = np.histogramdd(samples.positions, bins=[x_faces, y_faces], density=True)[0]
    shown = np.where(heights > 0, heights, np.nan)
    mesh = ax.pcolormesh(x_faces, y_faces, shown.T, rasterized=True, gid=MAP, **colours(shown, bool(log) or any(wide)))
    ax.set(xscale="log" if wide[0] else "linear", yscale="log" if wide[1] else "linear")
    return _finish(ax, mesh, names, _density_title(names), bar)


def colours(values: Array, log: bool) -> dict[str, Any]:
    """Colour map and range: logarithmic, diverging where the sign changes, or plain."""
    from matplotlib.colors import LogNorm

    top, bottom = float(np.nanmax(values)), float(np.nanmin(values))
    if log:
        return {"cmap": "viridis", "norm": LogNorm(max(bottom, top * 10.0**-DECADES), top)}
    if bottom < 0 < top and -bottom > 1e-3 * top:
        return {"cmap": "RdBu_r", "vmin": -max(top, -bottom), "vmax": max(top, -bottom)}
    return {"cmap": "viridis"}


def _contours(ax: Axes, p: Density, colour: str, style: str, label: str, shares: Sequence[float]) -> Axes:
    """Lines of equal p that enclose these shares of the mass."""
    from matplotlib.patheffects import withStroke

    wanted = np.sort(np.asarray(shares, dtype=float))
    if wanted.ndim != 1 or wanted.size == 0 or not np.all((wanted > 0) & (wanted < 1)):
        raise InvalidInput(f"levels are {shares}; give shares of the mass, between 0 and 1")
    densest = np.argsort(p.values, axis=None)[::-1]
    inside = np.cumsum(p.masses.ravel()[densest])
    levels = np.unique(p.values.ravel()[densest][np.searchsorted(inside, wanted * inside[-1])])
    limits = ax.axis()
    lines = ax.contour(*p.grid.nodes, p.values.T, levels=levels, colors=colour, linestyles=style, linewidths=1.2)
    lines.set_path_effects([withStroke(linewidth=2.8, foreground="white", alpha=0.85)])
    lines.set_gid(OVERLAY)
    enclosed = ", ".join(f"{100 * share:g}" for share in wanted)
    ax.plot([], [], color=colour, ls=style, lw=1.2, label=f"{label}, {enclosed} %")
    ax.axis(limits)
    return _legend(ax)


def _faces(x: Array, count: int, wide: bool) -> Array:
    """Faces of equal bins over sorted samples, on a logarithmic axis or a linear one."""
    if x[0] == x[-1]:
        return np.linspace(x[0] - 0.5, x[0] + 0.5, count + 1)
    return np.asarray((np.geomspace if wide else np.linspace)(x[0], x[-1], count + 1))


def _points(ax: Axes, samples: Samples, colour: str, label: str | None) -> Axes:
    """Samples as points, 600 of them at most, within what is shown."""
    limits = ax.axis()
    x, y = samples.positions[:MOST_POINTS].T
    shown = f"{samples.n} samples" if samples.n <= MOST_POINTS else f"{MOST_POINTS} of {samples.n} samples"
    drawn = ax.scatter(x, y, s=5.0, color=colour, edgecolors="white", linewidths=0.3, alpha=0.8, label=label or shown)
    drawn.set_gid(OVERLAY)
    ax.axis(limits)
    return _legend(ax)


def _is_map(ax: Axes) -> bool:
    return any(artist.get_gid() == MAP for artist in ax.collections)


def _next_colour(ax: Axes) -> str:
    """The palette's colours after blue, which maps have."""
    drawn = sum(artist.get_gid() == OVERLAY for artist in ax.collections)
    return PALETTE[1 + drawn % (len(PALETTE) - 1)]


def _legend(ax: Axes) -> Axes:
    ax.legend(framealpha=0.85, fontsize="small", loc="upper right")
    return ax


def _density_title(names: Sequence[str]) -> str:
    return f"p({', '.join(names)}) (per unit area)"


def _finish(ax: Axes, mesh: Any, names: Sequence[str], title: str, bar: bool) -> Axes:
    """Labels, and a colour bar that tells where the colours end before the values do."""
    from matplotlib.colors import LogNorm

    ax.set_xlabel(names[0])
    ax.set_ylabel(names[1])
    if not bar:
        return ax
    lowest = float(np.nanmin(np.ma.filled(mesh.get_array(), np.nan)))
    cut = isinstance(mesh.norm, LogNorm) and float(mesh.norm.vmin or 0.0) > lowest
    label = f"{title}, {DECADES:g} decades shown" if cut else title
    ax.figure.colorbar(mesh, ax=ax, label=label, extend="min" if cut else "neither")
    return ax
