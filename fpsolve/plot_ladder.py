"""The ladder of theories drawn: how far each is from the exact law, densities over one another, and how all turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fpsolve.ladder_plane import PlaneLadder
from fpsolve.plot_line import PALETTE, density_label, new_axes, strokes_by_colour
from fpsolve.values.density import Density

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fpsolve.ladder_plane import PlaneRow
    from fpsolve.ladder_table import Ladder, Row

__all__ = ["densities", "errors", "plane_errors", "rotations", "side_by_side"]

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#666666"
ERRORS = 3  # standard errors of the replicas' rotation
SHOWN = ("gaussian", "tempered posterior", "Langevin", "Stratonovich", "Ito", "third cumulant")


def errors(found: Ladder, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
    """KS distance to the exact law, a bar per theory; a diamond where it was predicted; the sampling floor."""
    floor = None if found.floor is None or found.held_out is None else (found.floor, len(found.held_out))
    return _bars(found.rows, "KS distance from the exact law (of 1)", floor, ax, label, log)


def plane_errors(
    found: PlaneLadder, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None
) -> Axes:
    """Sliced W2 to the replicas, a bar per theory; a diamond where it was predicted; the sampling floor."""
    floor = found.floor, len(found.swarm)
    return _bars(found.rows, "sliced W2 from SGD (its deviations)", floor, ax, label, log)


def _bars(
    given: Sequence[Row] | Sequence[PlaneRow],
    what: str,
    floor: tuple[float, int] | None,
    ax: Axes | None,
    label: str | None,
    log: bool | None,
) -> Axes:
    ax = new_axes(ax)
    rows = [row for row in given if row.error is not None]
    place = np.arange(len(rows))[::-1]
    lengths = np.array([row.error for row in rows], dtype=float)
    ax.barh(place, lengths, color=BLUE, height=0.6, label=label or "measured")
    told = [(y, row.predicted) for y, row in zip(place, rows, strict=True) if row.predicted]
    if told:
        ax.plot([p for _, p in told], [y for y, _ in told], "D", color=ORANGE, ms=5, label="predicted", ls="none")
    if floor is not None:
        ax.axvline(floor[0], color=GREY, ls="--", lw=1, label=f"seen by {floor[1]} replicas")
    ax.set_yticks(place, [row.name for row in rows])
    if log is not False:
        ax.set_xscale("log")
        smallest = min(lengths[lengths > 0].min(), np.inf if floor is None else floor[0])
        ax.set_xlim(10.0 ** np.floor(np.log10(smallest) - 0.1), None)
        ax.tick_params(axis="x", which="minor", labelbottom=False)
    ax.set_xlabel(what)
    ax.legend(frameon=False, fontsize="small", loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3)
    return ax


def densities(found: Ladder, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
    """The densities of six theories over the exact law's (or SGD's histogram)."""
    ax = new_axes(ax)
    named = {row.name: p for row, p in zip(found.rows, found.densities, strict=True) if p is not None}
    truth = found.truth
    if isinstance(truth, Density):
        lo, hi = (float(x) for x in np.asarray(truth.quantile(np.array([1e-4, 1.0 - 1e-4]))))
    else:
        lo, hi = (float(x) for x in np.quantile(truth.positions[-1], [1e-4, 1.0 - 1e-4]))
    x = np.linspace(lo, hi, 600)
    if isinstance(truth, Density):
        ax.plot(x, truth(x), color="black", lw=3.0, alpha=0.35, label=label or "exact law of SGD")
    else:
        ax.hist(truth.positions[-1].ravel(), bins=120, range=(lo, hi), density=True, color="lightgrey", label="SGD")
    for name, colour in zip(SHOWN, PALETTE, strict=False):
        if name in named:
            ax.plot(x, named[name](x), color=colour, lw=1.2, label=name)
    if log:
        ax.set_yscale("log")
    ax.set(xlabel=f"{found.coordinate} (dimensionless)", ylabel=density_label(found.coordinate))
    ax.legend(frameon=False, fontsize="small")
    strokes_by_colour(ax)
    return ax


def rotations(found: PlaneLadder, ax: Axes | None = None, *, label: str | None = None) -> Axes:
    """The rotation of each theory, and that of the replicas as a band of three standard errors to each side."""
    ax = new_axes(ax)
    turn, error = found.rotation
    ax.axvspan(turn - ERRORS * error, turn + ERRORS * error, color="0.8", label="replicas of SGD")
    rows = [row for row in found.rows if row.error is not None]
    place = np.arange(len(rows))[::-1]
    ax.plot(np.array([row.rotation for row in rows], dtype=float), place, "o", color=BLUE, label=label or "theory")
    ax.set_yticks(place, [row.name for row in rows])
    ax.set(xlabel="rotation (radians per time)", ylim=(-0.6, len(rows) - 0.4))
    ax.locator_params(axis="x", nbins=4)
    ax.legend(frameon=False, fontsize="small")
    return ax


def side_by_side(found: Mapping[str, Ladder] | Mapping[str, PlaneLadder]) -> Figure:
    """A column for each ladder: densities above errors, or in the plane errors above rotations; one legend for all."""
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(3.7 * len(found) + 3.0, 7.0), layout="constrained")
    panels = drawing.subplots(2, len(found), squeeze=False)
    for (name, one), upper, lower in zip(found.items(), *panels, strict=True):
        if isinstance(one, PlaneLadder):
            plane_errors(one, upper)
            rotations(one, lower)
        else:
            densities(one, upper)
            errors(one, lower)
            if isinstance(one.truth, Density):
                upper.set_ylim(0.0, 1.5 * float(one.truth.values.max()))  # corrections may spike
        upper.set_title(name, loc="left", fontsize="medium")
    entries: dict[str, Any] = {}
    for ax in panels.ravel():
        # strokes are those of the legend's own lines
        legend = ax.get_legend()
        assert legend is not None
        entries |= {text.get_text(): handle for text, handle in zip(legend.texts, legend.legend_handles, strict=True)}
        legend.remove()
        first = panels[0 if ax in panels[0] else 1, 0]
        if ax is not first and _names(ax) and _names(ax) == _names(first):
            ax.tick_params(labelleft=False)
    drawing.legend(list(entries.values()), list(entries), loc="outside right center", frameon=False, fontsize="small")
    return drawing


def _names(ax: Axes) -> list[str]:
    """The theories at the ticks of an Axes of bars or rotations, none where it has numbers."""
    from matplotlib.ticker import FixedLocator

    fixed = isinstance(ax.yaxis.get_major_locator(), FixedLocator)
    return [tick.get_text() for tick in ax.get_yticklabels()] if fixed else []
