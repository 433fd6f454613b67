"""The ladder of theories drawn: how far each is from the exact law, and the densities on top of one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fpsolve.plot_line import new_axes
from fpsolve.values.density import Density

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from fpsolve.ladder_plane import PlaneLadder, PlaneRow
    from fpsolve.ladder_table import Ladder, Row

__all__ = ["densities", "errors", "plane_errors"]

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#666666"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
SHOWN = ("gaussian", "tempered posterior", "Langevin", "Stratonovich", "Ito", "third cumulant")


def errors(found: Ladder, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
    """KS distance to the exact law, a bar per theory; a diamond where it was predicted; the sampling floor."""
    floor = None if found.floor is None or found.held_out is None else (found.floor, len(found.held_out))
    return _bars(found.rows, "KS distance from the exact law of SGD", floor, ax, label, log)


def plane_errors(
    found: PlaneLadder, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None
) -> Axes:
    """Sliced W2 to the replicas, a bar per theory; a diamond where it was predicted; the sampling floor."""
    floor = found.floor, len(found.swarm)
    return _bars(found.rows, "sliced W2 from SGD, in its deviations", floor, ax, label, log)


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
    for name, colour in zip(SHOWN, COLOURS, strict=True):
        if name in named:
            ax.plot(x, named[name](x), color=colour, lw=1.2, label=name)
    if log:
        ax.set_yscale("log")
    ax.set(xlabel=found.coordinate, ylabel=f"density of {found.coordinate}")
    ax.legend(frameon=False, fontsize="small")
    return ax
