"""One coordinate: lines of densities, dashed lines of closed forms, bars of samples, overlaying on one Axes.

What is drawn first chooses scales and limits; what follows keeps the scales and widens the limits.  Lines differ by
their dashes too, for those who do not see colours.  Error bars hold the whole law at once, 95 times in a hundred.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.asking import check_kind
from fpsolve.axis import Axis
from fpsolve.maps import SinhMap
from fpsolve.plot_band import in_bins
from fpsolve.values.density import Density

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "DENSITY",
    "EXACT",
    "HISTOGRAM",
    "PALETTE",
    "STROKES",
    "bars",
    "dashed_line",
    "density_label",
    "labelled",
    "new_axes",
    "next_colour",
    "next_stroke",
    "scale_like",
    "shown_range",
    "solid_line",
    "spread_out",
    "strokes_by_colour",
]

Array = NDArray[np.float64]
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
STROKES = ("-", (0, (6, 1.5)), (0, (6, 1.5, 1.5, 1.5)), (0, (1.5, 1)), (0, (6, 1.5, 1.5, 1.5, 1.5, 1.5)))
DECADES = 16.0  # below the peak, in logarithmic plots
SEEN = 1e-10  # of the largest mass per cell: where a logarithmic x axis begins and ends
MOST_BINS = 80
LEFT_OUT = 1e-3  # of the mass, at each end of a heavy tail drawn on a linear axis
MOST_TICKS = 11
BOTTOM = 1e-60  # of the highest bar: where bars stand on a logarithmic axis, below any limit
DENSITY, EXACT, HISTOGRAM = "fpsolve density", "fpsolve exact", "fpsolve histogram"


def solid_line(ax: Axes, p: Density, label: str, log: bool | None) -> Axes:
    """A density, in the next colour of the palette."""
    how = dict(color=next_colour(ax, DENSITY), ls=next_stroke(ax, DENSITY), lw=2.0, gid=DENSITY, zorder=3)
    ax.plot(p.grid.axes[0].nodes, p.values, label=label, **how)
    return _finish(ax, p, log)


def dashed_line(ax: Axes, p: Density, label: str, log: bool | None) -> Axes:
    """A closed form, black and thin over what was computed."""
    x = p.grid.axes[0].nodes
    ax.plot(x, p.values, color="black", lw=1.0, ls=(0, (4, 4)), label=label, gid=EXACT, zorder=4)
    return _finish(ax, p, log)


def bars(ax: Axes, x: Array, name: str, label: str | None, log: bool | None) -> Axes:
    """Sorted samples as a histogram, with bars that hold the probabilities of all bins at once."""
    fresh = not _drawn(ax)
    if fresh and (log or (log is None and spread_out(x))):
        if x[0] > 0:
            ax.set_xscale("log")
        else:
            _both_signs(ax, "x", float(np.median(np.abs(x))), float(np.abs(x).max()))
        ax.set_yscale("log")
    elif log and not fresh:
        ax.set_yscale("log")
    edges = _bins(ax, x, fresh)
    counts = np.histogram(x, edges)[0]
    some, scale = counts > 0, 1.0 / (x.size * np.diff(edges))
    heights, colour = counts * scale, next_colour(ax, HISTOGRAM)
    label = f"{x.size} samples" if label is None else label
    floor = 0.0 if ax.get_yscale() == "linear" else float(heights.max()) * BOTTOM
    filled = np.where(some, heights, floor)
    ax.stairs(filled, edges, baseline=floor, fill=True, color=colour, alpha=0.25, lw=0, label=label, gid=HISTOGRAM)
    if floor == 0.0:
        ax.stairs(heights, edges, baseline=floor, color=colour, alpha=0.5, lw=0.7)
    bounds = np.stack(in_bins(counts, x.size)) / np.diff(edges)
    spread = np.abs(bounds - heights)[:, some]
    ax.errorbar(_middle(ax, edges)[some], heights[some], spread, fmt="none", ecolor=colour, elinewidth=0.7, alpha=0.8)
    if fresh and floor > 0:
        ax.set_ylim(float(heights[some].min()) * 0.2, float(heights.max()) * 3.0)
    if fresh:
        ax.set_xlim(edges[0], edges[-1])
    return labelled(ax, name, density_label(name))


def spread_out(x: Array) -> bool:
    """Whether sorted samples are positive and range over three decades: they are drawn on a logarithmic axis."""
    return bool(x[0] > 0 and x[int(0.999 * x.size)] > 1e3 * x[int(0.001 * x.size)])


def new_axes(ax: Axes | None, size: tuple[float, float] = (6.4, 4.2)) -> Axes:
    """The Axes given, or that of a new figure.  InvalidInput for anything else, such as a format."""
    if ax is not None:
        import matplotlib.axes

        remedy = "give a matplotlib Axes or nothing, and style what the Axes returned has: ax.lines[-1].set(color=...)"
        check_kind("ax", ax, matplotlib.axes.Axes, remedy)
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=size, layout="constrained")[1]


def next_colour(ax: Axes, gid: str) -> str:
    """The palette's colour for one more artist of this kind."""
    return PALETTE[_count(ax, gid) % len(PALETTE)]


def next_stroke(ax: Axes, gid: str) -> Any:
    """The dashes for one more line of this kind."""
    return STROKES[_count(ax, gid) % len(STROKES)]


def scale_like(ax: Axes, axis: Axis, which: str = "x") -> None:
    """The scale of the axis's own map."""
    scale = ax.set_xscale if which == "x" else ax.set_yscale
    if axis.kind == "log" and axis.lo > 0:
        scale("log")
    elif axis.kind == "log":
        scale("symlog", linthresh=-axis.hi)
    elif isinstance(axis.map, SinhMap):
        _both_signs(ax, which, axis.map.scale, max(-axis.lo, axis.hi))


def strokes_by_colour(*axes: Axes) -> None:
    """Give solid lines in the palette's colours dashes of their own, in the legends too: seen without colours."""
    for ax in axes:
        legend = ax.get_legend()
        for line in (*ax.lines, *(legend.get_lines() if legend else ())):
            if line.get_linestyle() == "-" and line.get_color() in PALETTE:
                line.set_linestyle(STROKES[PALETTE.index(line.get_color()) % len(STROKES)])


def density_label(name: str) -> str:
    """The label of a density's axis, with its unit."""
    return f"p({name}) (per unit of {name})"


def labelled(ax: Axes, x: str, y: str) -> Axes:
    """Axis labels, unless something else has set them, and the legend."""
    ax.set_xlabel(ax.get_xlabel() or x)
    ax.set_ylabel(ax.get_ylabel() or y)
    ax.legend(frameon=False)
    return ax


def _both_signs(ax: Axes, which: str, width: float, reach: float) -> None:
    """Logarithmic toward both ends as asinh(x/width) is: symlog would bend smooth densities where it turns linear."""
    from matplotlib.ticker import NullLocator, SymmetricalLogLocator

    scale, axis = (ax.set_xscale, ax.xaxis) if which == "x" else (ax.set_yscale, ax.yaxis)
    width, reach = (width, reach) if width > 0 else (1.0, 1.0)
    scale("asinh", linear_width=width)
    first = min(np.ceil(np.log10(width)), np.floor(np.log10(reach)))
    ticks = SymmetricalLogLocator(base=10.0, linthresh=10.0**first)  # 0 and powers of ten
    ticks.set_params(numticks=MOST_TICKS)
    axis.set_major_locator(ticks)
    axis.set_minor_locator(NullLocator())


def _count(ax: Axes, gid: str) -> int:
    return sum(artist.get_gid() == gid for artist in (*ax.lines, *ax.patches))


def _drawn(ax: Axes) -> bool:
    """Whether something of ours is on the Axes."""
    return any(artist.get_gid() in (DENSITY, EXACT, HISTOGRAM) for artist in (*ax.lines, *ax.patches))


def _finish(ax: Axes, p: Density, log: bool | None) -> Axes:
    """Scales, limits that show what matters together with what was there, labels and legend."""
    axis, name = p.grid.axes[0], p.grid.names[0]
    first = len([line for line in ax.lines if line.get_gid() in (DENSITY, EXACT)]) == 1 and not ax.patches
    old_x, old_y = ax.get_xlim(), ax.get_ylim()
    heavy = axis.kind in ("log", "sinh")
    if heavy and (log or (log is None and first)):
        scale_like(ax, axis)
    if log or (log is None and first and heavy):
        ax.set_yscale("log")
    left, right = shown_range(p, ax.get_xscale() == "linear")
    y = p.values[(axis.nodes >= left) & (axis.nodes <= right)]
    if ax.get_xscale() == "log" and left <= 0.0:
        left = old_x[0]  # a linear axis drawn over a logarithmic one
    ax.set_xlim((left, right) if first else (min(left, old_x[0]), max(right, old_x[1])))
    if ax.get_yscale() == "log":
        bottom, top = max(float(y[y > 0].min()), float(y.max()) * 10.0**-DECADES) * 0.5, float(y.max()) * 3.0
        ax.set_ylim((bottom, top) if first or old_y[0] <= 0 else (min(bottom, old_y[0]), max(top, old_y[1])))
    elif first:
        ax.set_ylim(min(0.0, 1.05 * float(y.min())), None)
    return labelled(ax, name, density_label(name))


def shown_range(p: Density, linear: bool) -> tuple[float, float]:
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
