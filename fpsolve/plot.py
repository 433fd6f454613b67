"""Drawing values: densities solid, closed forms dashed black, histograms filled lightly, all overlaying on one Axes.

The i-th density and the i-th histogram of an Axes share a colour (Okabe & Ito's palette, legible to all).  An axis is
drawn as its grid maps it: logarithmic where that is, symmetric-logarithmic for sinh.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.axis import Axis
from fpsolve.errors import InvalidInput
from fpsolve.laws import Samples, side_of
from fpsolve.maps import SinhMap
from fpsolve.values.density import Density
from fpsolve.values.exact import ExactDensity
from fpsolve.values.field import Field
from fpsolve.values.swarm import Swarm

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fpsolve.tails import HillEstimate, LocalExponent

__all__ = ["PALETTE", "density", "exact", "exponent_curve", "field", "hill_curve", "histogram"]

Array = NDArray[np.float64]
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
DECADES = 16.0  # below the peak, in logarithmic plots
DECADES_2D = 10.0
SEEN = 1e-10  # of the largest mass per cell: where a logarithmic x axis begins and ends
MOST_BINS = 80
LEFT_OUT = 1e-3  # of the mass, at each end of a heavy tail drawn on a linear axis
BOTTOM = 1e-60  # of the highest bar: where bars stand on a logarithmic axis, below any limit
DENSITY, EXACT, HISTOGRAM = "fpsolve density", "fpsolve exact", "fpsolve histogram"


def density(p: Density, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
    """Draw a density: a solid line, or a colour map of two coordinates.  Returns the Axes.

    log: True for a logarithmic p axis, False for linear axes throughout; None for what the grid's axes are or, where
    something is drawn already, for what the Axes has.
    """
    ax = _axes(ax)
    if p.grid.ndim > 1:
        return _map(ax, p.grid.axes, p.grid.names, p.values, f"p({', '.join(p.grid.names)})", log)
    if label is None:
        label = "density" if p.time is None else f"t = {p.time:g}"
    ax.plot(p.grid.axes[0].nodes, p.values, color=_colour(ax, DENSITY), lw=2.0, label=label, gid=DENSITY, zorder=3)
    return _finish(ax, p, log)


def exact(e: ExactDensity, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
    """Draw a closed form: a dashed black line over what was computed.  Returns the Axes.  log: as for `density`."""
    ax = _axes(ax)
    p = e.density
    if p.grid.ndim > 1:
        return density(p, ax, label=label, log=log)
    x = p.grid.axes[0].nodes
    ax.plot(x, p.values, color="black", lw=1.0, ls=(0, (4, 4)), label=label or e.name, gid=EXACT, zorder=4)
    return _finish(ax, p, log)


def field(f: Field, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
    """Draw a field: a line, or a colour map of two coordinates, diverging where it changes sign.  Returns the Axes."""
    ax = _axes(ax)
    if f.grid.ndim > 1:
        return _map(ax, f.grid.axes, f.grid.names, f.values, label or f.name, log)
    axis = f.grid.axes[0]
    ax.plot(axis.nodes, f.values, color=_colour(ax, DENSITY), lw=1.6, label=label or f.name, gid=DENSITY)
    if log or (log is None and len(ax.lines) == 1):
        _scale_x(ax, axis)
    if log:
        ax.set_yscale("log")
    return _labelled(ax, f.grid.names[0], f.name)


def histogram(
    swarm: Swarm | ArrayLike,
    ax: Axes | None = None,
    *,
    label: str | None = None,
    log: bool | None = None,
    t: float | None = None,
) -> Axes:
    """Draw samples as a histogram normalised as a density is, with Poisson error bars.  Returns the Axes.

    swarm: a Swarm (its living replicas at t, default the last time) or samples (n,) or (n, 2).
    log: None follows the Axes if something is drawn there, else the samples (logarithmic where they are positive and
    spread over three decades); True for both axes logarithmic, False for linear ones.
    Bins are equal on the axis as it is drawn.  Heights count all samples, also those outside the range drawn.
    """
    side = side_of(swarm, t, "swarm")
    if not isinstance(side, Samples) or side.ndim > 2:
        raise InvalidInput(f"a histogram needs samples of one or two coordinates, not {type(swarm).__name__}")
    ax = _axes(ax)
    names = swarm.names if isinstance(swarm, Swarm) else ("x", "y")[: side.ndim]
    if side.ndim == 2:
        return _map_of_counts(ax, side, names, log)
    x = side.lower.points
    fresh = not _drawn(ax)
    if fresh and (log or (log is None and x[0] > 0 and x[int(0.999 * x.size)] > 1e3 * x[int(0.001 * x.size)])):
        ax.set_xscale("log" if x[0] > 0 else "symlog")
        ax.set_yscale("log")
    elif log and not fresh:
        ax.set_yscale("log")
    edges = _bins(ax, x, fresh)
    counts = np.histogram(x, edges)[0]
    some, scale = counts > 0, 1.0 / (side.n * np.diff(edges))
    heights, colour = counts * scale, _colour(ax, HISTOGRAM)
    label = f"{side.n} samples" if label is None else label
    floor = 0.0 if ax.get_yscale() == "linear" else float(heights.max()) * BOTTOM
    filled = np.where(some, heights, floor)
    ax.stairs(filled, edges, baseline=floor, fill=True, color=colour, alpha=0.25, lw=0, label=label, gid=HISTOGRAM)
    if floor == 0.0:
        ax.stairs(heights, edges, baseline=floor, color=colour, alpha=0.5, lw=0.7)
    low = np.where(counts == 1, 0.9, np.sqrt(counts))  # the bar of a single count stays on a logarithmic axis
    bars = np.stack([low, np.sqrt(counts)])[:, some] * scale[some]
    ax.errorbar(_middle(ax, edges)[some], heights[some], bars, fmt="none", ecolor=colour, elinewidth=0.7, alpha=0.8)
    if fresh and floor > 0:
        ax.set_ylim(float(heights[some].min()) * 0.2, float(heights.max()) * 3.0)
    if fresh:
        ax.set_xlim(edges[0], edges[-1])
    return _labelled(ax, names[0], f"p({names[0]})")


def exponent_curve(
    q: LocalExponent, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None
) -> Axes:
    """Draw q(x) = -d ln p/d ln |x| with the window and the value fitted in it.  Returns the Axes."""
    ax = _axes(ax)
    colour = _colour(ax, DENSITY)
    ax.plot(np.abs(q.x), q.slope, color=colour, lw=1.6, gid=DENSITY, label=label or "local exponent")
    ax.axvspan(*q.window, color=colour, alpha=0.12, lw=0)
    ax.plot(q.window, [q.value, q.value], color="black", lw=1.1, ls=(0, (5, 3)), label=f"{q.value:.4g} in the window")
    if log is not False:
        ax.set_xscale("log")
    return _labelled(ax, f"|{q.name}|", "tail exponent q")


def hill_curve(
    estimate: HillEstimate, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None
) -> Axes:
    """Draw the k-plot: exponent against k, its standard error, and the k that was chosen.  Returns the Axes."""
    ax = _axes(ax)
    colour = _colour(ax, DENSITY)
    k, q, error = estimate.curve_k, estimate.curve, estimate.curve_error
    ax.fill_between(k, q - error, q + error, color=colour, alpha=0.2, lw=0)
    ax.plot(k, q, color=colour, lw=1.4, gid=DENSITY, label=label or "Hill estimate")
    chosen = f"k = {estimate.k}: {estimate.exponent:.3g} ± {estimate.error:.1g}"
    ax.errorbar([estimate.k], [estimate.exponent], [estimate.error], fmt="o", color="black", ms=4, label=chosen)
    if log is not False:
        ax.set_xscale("log")
    return _labelled(ax, "k, samples used", "tail exponent q")


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(6.4, 4.2), layout="constrained")[1]


def _drawn(ax: Axes) -> bool:
    """Whether something of ours is on the Axes."""
    return any(artist.get_gid() in (DENSITY, EXACT, HISTOGRAM) for artist in (*ax.lines, *ax.patches))


def _colour(ax: Axes, gid: str) -> str:
    return PALETTE[sum(artist.get_gid() == gid for artist in (*ax.lines, *ax.patches)) % len(PALETTE)]


def _scale_x(ax: Axes, axis: Axis, which: str = "x") -> None:
    """The scale of the axis's own map."""
    scale = ax.set_xscale if which == "x" else ax.set_yscale
    if axis.kind == "log" and axis.lo > 0:
        scale("log")
    elif axis.kind == "log":
        scale("symlog", linthresh=-axis.hi)
    elif isinstance(axis.map, SinhMap):
        scale("symlog", linthresh=10.0 ** np.ceil(np.log10(axis.map.scale)))  # its ticks are powers of ten


def _finish(ax: Axes, p: Density, log: bool | None) -> Axes:
    """Scales, limits that show what matters together with what was there, labels and legend."""
    axis, name = p.grid.axes[0], p.grid.names[0]
    first = len([line for line in ax.lines if line.get_gid() in (DENSITY, EXACT)]) == 1 and not ax.patches
    old_x, old_y = ax.get_xlim(), ax.get_ylim()
    heavy = axis.kind in ("log", "sinh")
    if heavy and (log or (log is None and first)):
        _scale_x(ax, axis)
    if log or (log is None and first and heavy):
        ax.set_yscale("log")
    left, right = _range(p, ax.get_xscale() == "linear")
    y = p.values[(axis.nodes >= left) & (axis.nodes <= right)]
    ax.set_xlim((left, right) if first else (min(left, old_x[0]), max(right, old_x[1])))
    if ax.get_yscale() == "log":
        bottom, top = max(float(y[y > 0].min()), float(y.max()) * 10.0**-DECADES) * 0.5, float(y.max()) * 3.0
        ax.set_ylim((bottom, top) if first or old_y[0] <= 0 else (min(bottom, old_y[0]), max(top, old_y[1])))
    elif first:
        ax.set_ylim(min(0.0, 1.05 * float(y.min())), None)
    return _labelled(ax, name, f"p({name})")


def _range(p: Density, linear: bool) -> tuple[float, float]:
    """What is shown of x: the whole of an axis that is drawn as it is mapped, else where the mass is."""
    axis = p.grid.axes[0]
    if not linear:
        seen = axis.nodes[p.masses > SEEN * p.masses.max()]
        return float(seen[0]), float(seen[-1])
    if axis.kind not in ("log", "sinh"):
        return axis.lo, axis.hi
    below = np.cumsum(p.masses) / p.masses.sum()
    inside = axis.nodes[(below > LEFT_OUT) & (below < 1.0 - LEFT_OUT)]
    return float(inside.min(initial=axis.hi)), float(inside.max(initial=axis.lo))


def _labelled(ax: Axes, x: str, y: str) -> Axes:
    ax.set_xlabel(ax.get_xlabel() or x)
    ax.set_ylabel(ax.get_ylabel() or y)
    ax.legend(frameon=False)
    return ax


def _bins(ax: Axes, x: Array, fresh: bool) -> Array:
    """Edges, equal on the axis as it is drawn, over what is drawn of the samples."""
    low, high = (x[0], x[-1]) if fresh else (max(x[0], ax.get_xlim()[0]), min(x[-1], ax.get_xlim()[1]))
    if fresh and ax.get_xscale() == "linear" and x.size > 1000:
        low, high = x[int(5e-4 * x.size)], x[int((1 - 5e-4) * x.size)]
    if not low < high:
        low, high = x[0] - 0.5, x[-1] + 0.5
    transform = ax.xaxis.get_transform()
    ends = transform.transform(np.array([low, high], dtype=float))
    count = min(MOST_BINS, max(8, int(2.0 * x.size ** (1.0 / 3.0))))
    edges = np.asarray(transform.inverted().transform(np.linspace(ends[0], ends[1], count + 1)), dtype=float)
    edges[0], edges[-1] = low, high
    return edges


def _middle(ax: Axes, edges: Array) -> Array:
    transform = ax.xaxis.get_transform()
    s = transform.transform(edges)
    return np.asarray(transform.inverted().transform(0.5 * (s[:-1] + s[1:])), dtype=float)


def _map(ax: Axes, axes: tuple[Axis, ...], names: tuple[str, ...], values: Array, title: str, log: bool | None) -> Axes:
    """Two coordinates as colours."""
    if len(axes) > 2:
        raise InvalidInput(f"{title} has {len(axes)} coordinates; draw a marginal")
    mesh = ax.pcolormesh(axes[0].faces, axes[1].faces, values.T, rasterized=True, **_colours(values, bool(log)))
    if log is not False:
        _scale_x(ax, axes[0])
        _scale_x(ax, axes[1], "y")
    ax.figure.colorbar(mesh, ax=ax, label=title)
    ax.set_xlabel(names[0])
    ax.set_ylabel(names[1])
    return ax


def _colours(values: Array, log: bool) -> dict[str, Any]:
    from matplotlib.colors import LogNorm

    top, bottom = float(np.nanmax(values)), float(np.nanmin(values))
    if log:
        return {"cmap": "viridis", "norm": LogNorm(max(bottom, top * 10.0**-DECADES_2D), top, clip=True)}
    if bottom < 0 < top and -bottom > 1e-3 * top:
        return {"cmap": "RdBu_r", "vmin": -max(top, -bottom), "vmax": max(top, -bottom)}
    return {"cmap": "viridis"}


def _map_of_counts(ax: Axes, samples: Samples, names: tuple[str, ...], log: bool | None) -> Axes:
    count = min(MOST_BINS, max(8, int(samples.n**0.25 * 4)))
    heights, x, y = np.histogram2d(samples.positions[:, 0], samples.positions[:, 1], bins=count, density=True)
    colours = _colours(np.where(heights > 0, heights, np.nan), bool(log))
    mesh = ax.pcolormesh(x, y, np.where(heights > 0, heights, np.nan).T, rasterized=True, **colours)
    ax.figure.colorbar(mesh, ax=ax, label=f"p({', '.join(names)})")
    ax.set_xlabel(names[0])
    ax.set_ylabel(names[1])
    return ax
