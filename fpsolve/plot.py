"""Drawing values: densities solid, closed forms dashed black, histograms filled lightly, all overlaying on one Axes.

The i-th density and the i-th histogram of an Axes share a colour (Okabe & Ito's palette, legible to all).  An axis is
drawn as its grid maps it: logarithmic where that is, symmetric-logarithmic for sinh.  Of two coordinates the first
value is a map of colours; what follows lies on it as contours or points.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.errors import InvalidInput
from fpsolve.laws import Samples, side_of
from fpsolve.plot_corner import corner
from fpsolve.plot_line import (
    DENSITY,
    EXACT,
    HISTOGRAM,
    PALETTE,
    bars,
    dashed_line,
    labelled,
    new_axes,
    next_colour,
    scale_like,
    solid_line,
)
from fpsolve.plot_plane import density_on_plane, heat_map, samples_on_plane
from fpsolve.values.density import Density
from fpsolve.values.exact import ExactDensity
from fpsolve.values.field import Field
from fpsolve.values.swarm import Swarm

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fpsolve.tails import HillEstimate, LocalExponent

__all__ = [
    "DENSITY",
    "EXACT",
    "HISTOGRAM",
    "PALETTE",
    "corner",
    "density",
    "exact",
    "exponent_curve",
    "field",
    "hill_curve",
    "histogram",
]

Array = NDArray[np.float64]


def density(
    p: Density,
    ax: Axes | None = None,
    *,
    label: str | None = None,
    log: bool | None = None,
    levels: Sequence[float] | None = None,
) -> Axes:
    """Draw a density: a solid line, or a colour map of two coordinates.  Returns the Axes.

    Colours and widths are set on what is drawn: `density(p).lines[-1].set(color="red", ls="--")`.
    log: True for a logarithmic p axis, False for linear axes throughout; None for what the grid's axes are or, where
    something is drawn already, for what the Axes has.
    levels: of two coordinates, contours that enclose these shares of the mass.  Over a map that is there already a
    density is drawn by contours alone, of 50, 90 and 99 % where none are given.
    """
    ax = new_axes(ax)
    if p.grid.ndim > 1:
        return density_on_plane(ax, p, label, log, levels)
    if label is None:
        label = "density" if p.time is None else f"t = {p.time:g}"
    return solid_line(ax, p, label, log)


def exact(e: ExactDensity, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
    """Draw a closed form: a dashed black line over what was computed.  Returns the Axes.  log: as for `density`."""
    ax = new_axes(ax)
    if e.grid.ndim > 1:
        return density_on_plane(ax, e.density, label, log, None, closed_form=e.name)
    return dashed_line(ax, e.density, label or e.name, log)


def field(f: Field, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
    """Draw a field: a line, or a colour map of two coordinates, diverging where it changes sign.  Returns the Axes."""
    ax = new_axes(ax)
    if f.grid.ndim > 1:
        return heat_map(ax, f.grid.axes, f.grid.names, f.values, label or f.name, log)
    axis = f.grid.axes[0]
    ax.plot(axis.nodes, f.values, color=next_colour(ax, DENSITY), lw=1.6, label=label or f.name, gid=DENSITY)
    if log or (log is None and len(ax.lines) == 1):
        scale_like(ax, axis)
    if log:
        ax.set_yscale("log")
    return labelled(ax, f.grid.names[0], f.name)


def histogram(
    swarm: Swarm | ArrayLike,
    ax: Axes | None = None,
    *,
    label: str | None = None,
    log: bool | None = None,
    t: float | None = None,
) -> Axes:
    """Draw samples as a histogram normalised as a density is, with error bars.  Returns the Axes.

    swarm: a Swarm (its living replicas at t, default the last time) or samples (n,) or (n, 2).
    log: None follows the Axes if something is drawn there, else the samples (logarithmic where they are positive and
    spread over three decades); True for both axes logarithmic, False for linear ones.
    The bars hold the probabilities of all bins at once, 95 times in a hundred (`fpsolve.plot_band.in_bins`).
    Bins are equal on the axis as it is drawn.  Heights count all samples, also those outside the range drawn.  Samples
    of two coordinates are a map of counts, or points on a map that is there already.
    """
    side = side_of(swarm, t, "swarm")
    if not isinstance(side, Samples) or side.ndim > 2:
        raise InvalidInput(f"a histogram needs samples of one or two coordinates, not {type(swarm).__name__}")
    ax = new_axes(ax)
    names = swarm.names if isinstance(swarm, Swarm) else ("x", "y")[: side.ndim]
    if side.ndim == 2:
        return samples_on_plane(ax, side, names, label, log)
    return bars(ax, side.lower.points, names[0], label, log)


def exponent_curve(
    q: LocalExponent, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None
) -> Axes:
    """Draw q(x) = -d ln p/d ln |x| with the window and the value fitted in it.  Returns the Axes."""
    ax = new_axes(ax)
    colour = next_colour(ax, DENSITY)
    ax.plot(np.abs(q.x), q.slope, color=colour, lw=1.6, gid=DENSITY, label=label or "local exponent")
    ax.axvspan(*q.window, color=colour, alpha=0.12, lw=0)
    ax.plot(q.window, [q.value, q.value], color="black", lw=1.1, ls=(0, (5, 3)), label=f"{q.value:.4g} in the window")
    if log is not False:
        ax.set_xscale("log")
    return labelled(ax, f"|{q.name}|", "tail exponent q")


def hill_curve(
    estimate: HillEstimate, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None
) -> Axes:
    """Draw the k-plot: exponent against k, its standard error, and the k that was chosen.  Returns the Axes."""
    ax = new_axes(ax)
    colour = next_colour(ax, DENSITY)
    k, q, error = estimate.curve_k, estimate.curve, estimate.curve_error
    ax.fill_between(k, q - error, q + error, color=colour, alpha=0.2, lw=0)
    ax.plot(k, q, color=colour, lw=1.4, gid=DENSITY, label=label or "Hill estimate")
    chosen = f"k = {estimate.k}: {estimate.exponent:.3g} ± {estimate.error:.1g}"
    ax.errorbar([estimate.k], [estimate.exponent], [estimate.error], fmt="o", color="black", ms=4, label=chosen)
    if log is not False:
        ax.set_xscale("log")
    return labelled(ax, "k, samples used", "tail exponent q")
