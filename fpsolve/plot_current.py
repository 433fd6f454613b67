"""Drawing currents of two coordinates: streamlines of J/p over p, contours of the stream function, level sets.

Streamlines are integrated on the axes as they are drawn: with u the drawn coordinate of x (its logarithm on a
logarithmic axis), du/dt = (J/p) du/dx.  Between two contours of the stream function passes the same probability.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.current import Current
from fpsolve.errors import InvalidInput
from fpsolve.plot_line import new_axes
from fpsolve.values.density import Density
from fpsolve.values.exact import ExactDensity
from fpsolve.values.field import Field

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["level_sets", "stream_contours", "streamlines"]

Array = NDArray[np.float64]
SEEN, SEEN_LOG = 5e-3, 1e-9  # of the peak of p: how far out a current is drawn, with linear and logarithmic colours
POINTS = 161  # along each axis, between which streamlines and level sets are interpolated
STEPS = 10  # contours of the stream function between 0 and its extreme
DECADES = 8  # of the stream function, in logarithmic steps
DEVIATIONS = 3  # level sets of p where none are asked for: those of a Gaussian at 1, 2, 3 standard deviations
THIN, THICK = 0.4, 1.9  # lines, at rest and at the largest speed
BOWLS = 6  # level sets of other surfaces
STREAM, CONTOUR, LEVEL = "fpsolve stream", "fpsolve contour", "fpsolve level"
STREAM_COLOUR, P_COLOUR, LOSS_COLOUR = "0.15", "#D55E00", "#009E73"


def streamlines(J: Current, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
    """Draw p as a map of colours and, where it matters, streamlines of J/p, thicker where they are faster.

    label: of the colours.  log: True for logarithmic colours, False for linear axes throughout; None for what the
    grid's axes are.  In equilibrium there is nothing but the map, and a line that says so.  Returns the Axes.
    Raises InvalidInput unless there are two coordinates.
    """
    _check_plane(J.density, "streamlines")
    fresh = ax is None or not new_axes(ax).has_data()
    ax = J.density.plot(ax, label=label, log=log)
    ax.collections[-1].set_cmap("Blues")  # pale where little happens, so that lines are seen
    if fresh:
        _zoom(ax, J.density, bool(log))
    if J.is_equilibrium:
        ax.annotate("in equilibrium: no current", (0.02, 0.02), xycoords="axes fraction", fontsize="small")
        return ax
    (u, x), (v, y) = _drawn(ax)
    velocity = [_between(J.density, field.values, x, y) for field in J.irreversible_drift]
    floor = (SEEN_LOG if log else SEEN) * float(J.density.values.max())
    seen = _between(J.density, J.density.values, x, y) > floor
    du = np.where(seen, velocity[0] / np.gradient(x, u)[:, None], np.nan)
    dv = np.where(seen, velocity[1] / np.gradient(y, v), np.nan)
    speed = np.hypot(du / np.ptp(u), dv / np.ptp(v))
    width = THIN + (THICK - THIN) * np.nan_to_num(speed / np.nanmax(speed))
    limits = ax.axis()
    drawn = ax.streamplot(
        *(u, v, du.T, dv.T),
        color=STREAM_COLOUR,
        linewidth=width.T,
        density=1.3,
        arrowsize=0.9,
        transform=ax.transLimits + ax.transAxes,
    )
    drawn.lines.set_gid(STREAM)
    ax.axis(limits)
    return ax


def stream_contours(J: Current, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
    """Draw contours of the stream function: solid about counterclockwise vortices, dashed about clockwise ones.

    label: for the legend; by default the probability that passes between two contours per unit time.  log: True for
    a contour per decade.  Returns the Axes.  Raises InvalidInput unless there are two coordinates and J is stationary.
    """
    _check_plane(J.density, "contours of the stream function")
    ax = new_axes(ax, (5.6, 4.6))
    fresh = not ax.has_data()
    psi = J.stream_function
    largest = float(np.abs(psi).max())
    if log:
        positive = largest * 10.0 ** -np.arange(DECADES, -1.0, -1.0)[:-1]
    else:
        positive = np.arange(1, STEPS) * largest / STEPS
    if not J.is_equilibrium:
        levels = np.concatenate([-positive[::-1], positive])
        found = ax.contour(*J.grid.faces, psi.T, levels=levels, colors=STREAM_COLOUR, linewidths=0.9)
        found.set_gid(CONTOUR)
    steps = "decades" if log else f"steps of {largest / STEPS:.2g}"
    _legend(ax, STREAM_COLOUR, "-", label or f"stream function, {steps}")
    if fresh:
        _zoom(ax, J.density, bool(log))
    return _labelled(ax, J.grid.names)


def level_sets(
    surface: Density | ExactDensity | Field | Callable[..., Any],
    ax: Axes,
    *,
    through: Sequence[tuple[float, float]] | None = None,
    label: str | None = None,
    color: str | None = None,
) -> Axes:
    """Lay level sets of a density (solid) or of a function such as the loss (dashed) over what is drawn on the Axes.

    surface: a density, a field, or a vectorised function of the two coordinates.  through: points that the level sets
    pass through, so that those of several surfaces can be compared; by default a density's are where a Gaussian's
    would be at 1, 2, 3 standard deviations, and six of any other surface where a bowl's would be equidistant.
    Returns the Axes.  Raises InvalidInput unless there are two coordinates.

    >>> import fpsolve as fp
    >>> from matplotlib.figure import Figure
    >>> grid = fp.Grid(x=(-4, 4, 40), y=(-4, 4, 40))
    >>> ax = fp.ExactDensity(lambda x, y: -(x**2 + y**2) / 2, grid).plot(Figure().add_subplot())
    >>> level_sets(lambda x, y: x**2 + 3 * y**2, ax, through=[(1, 0), (2, 0)]) is ax
    True
    """
    is_density = isinstance(surface, (Density, ExactDensity))
    height = _height(surface)
    (_, x), (_, y) = _drawn(ax)
    values = np.broadcast_to(height(x[:, None], y[None, :]), (x.size, y.size))
    if through is not None:
        places = np.array(through, dtype=float).reshape(-1, 2)
        levels = np.broadcast_to(height(places[:, 0], places[:, 1]), len(places))
    elif is_density:
        levels = float(np.nanmax(values)) - 0.5 * np.arange(1.0, DEVIATIONS + 1) ** 2
    else:
        bottom, top = float(np.nanmin(values)), float(np.nanmax(values))
        levels = bottom + (top - bottom) * (np.arange(1, BOWLS + 1) / (BOWLS + 1.0)) ** 2
    color, style = color or (P_COLOUR if is_density else LOSS_COLOUR), "-" if is_density else "--"
    found = ax.contour(x, y, values.T, levels=np.unique(levels), colors=color, linestyles=style, linewidths=1.7)
    found.set_gid(LEVEL)
    _legend(ax, color, style, label or ("level sets of p" if is_density else "level sets"))
    return ax


def _height(surface: Density | ExactDensity | Field | Callable[..., Any]) -> Callable[[Array, Array], Array]:
    """What has the level sets: ln p of a density, anything else as it is."""
    if isinstance(surface, (Density, ExactDensity)):
        _check_plane(surface if isinstance(surface, Density) else surface.density, "level sets")
        surface = surface.log
    return lambda x, y: np.asarray(surface(x, y), dtype=float)


def _check_plane(p: Density, what: str) -> None:
    if p.grid.ndim != 2:
        raise InvalidInput(f"{what} need two coordinates, not {p.grid.names}; draw a marginal, or at_nodes one by one")


def _zoom(ax: Axes, p: Density, log: bool) -> None:
    """Limits about where p matters."""
    seen = p.values > (SEEN_LOG if log else SEEN) * p.values.max()
    limits = []
    for k, axis in enumerate(p.grid.axes):
        inside = np.flatnonzero(seen.any(axis=1 - k))
        limits += [axis.faces[inside[0]], axis.faces[inside[-1] + 1]]
    ax.axis(tuple(limits))


def _drawn(ax: Axes) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Per axis, points that are equidistant as drawn: their drawn and their true coordinates."""
    found = []
    for side, limits in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
        transform = side.get_transform()
        ends = transform.transform(np.array(limits))
        u = np.linspace(ends[0], ends[1], POINTS)
        found.append((u, np.asarray(transform.inverted().transform(u), dtype=float)))
    return found[0], found[1]


def _between(p: Density, values: Array, x: Array, y: Array) -> Array:
    """Values at the nodes, interpolated in the computational coordinates; those of the last node beyond it."""
    from scipy.interpolate import RegularGridInterpolator

    places = []
    for axis, points in zip(p.grid.axes, (x, y), strict=True):
        inside = np.clip(points, axis.nodes[0], axis.nodes[-1])
        places.append(np.clip(axis.s(inside), axis.s_nodes[0], axis.s_nodes[-1]))
    nodes = tuple(axis.s_nodes for axis in p.grid.axes)
    return np.asarray(RegularGridInterpolator(nodes, values)(tuple(np.meshgrid(*places, indexing="ij"))))


def _legend(ax: Axes, color: str, style: str, label: str) -> None:
    """An entry for contours, which have none of their own."""
    limits = ax.axis()
    ax.plot([], [], color=color, ls=style, lw=1.5, label=label)
    ax.axis(limits)
    ax.legend(frameon=True, framealpha=0.85, fontsize="small", loc="upper right")


def _labelled(ax: Axes, names: tuple[str, ...]) -> Axes:
    ax.set_xlabel(ax.get_xlabel() or names[0])
    ax.set_ylabel(ax.get_ylabel() or names[1])
    return ax
