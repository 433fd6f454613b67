"""Drawing what first passages and spectra give: survival, exit densities, rates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fpsolve.plot_line import DENSITY, labelled, new_axes, next_colour
from fpsolve.values.spectrum import Spectrum
from fpsolve.values.survival import Survival

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["exit_density", "rates", "survival"]


def survival(S: Survival, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
    """Draw the chance to be inside still against time; returns the Axes.  log=True: a logarithmic chance."""
    ax = new_axes(ax)
    ax.plot(S.times, S.probability, color=next_colour(ax, DENSITY), lw=1.8, label=label or "still inside", gid=DENSITY)
    if log:
        ax.set_yscale("log")
    elif len(ax.lines) == 1:
        ax.set_ylim(0.0, None)
    return labelled(ax, "t", "probability to be inside")


def exit_density(S: Survival, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
    """Draw the density of exit times; returns the Axes.  log=True: both axes logarithmic."""
    ax = new_axes(ax)
    ax.plot(S.times, S.exit_density, color=next_colour(ax, DENSITY), lw=1.8, label=label or "exit time", gid=DENSITY)
    if log:
        ax.set_xscale("log")
        ax.set_yscale("log")
    return labelled(ax, "t", "density of exit times")


def rates(found: Spectrum, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
    """Draw rates: one by one where they are real, else in the complex plane; returns the Axes.

    log: None for a logarithmic axis where real rates span two decades.  A rate of 0 is left out of one.
    """
    ax = new_axes(ax)
    colour = next_colour(ax, DENSITY)
    if np.iscomplexobj(found.rates):
        ax.plot(found.rates.real, found.rates.imag, "o", color=colour, label=label or "rates", gid=DENSITY)
        return labelled(ax, "rate of decay", "rate of turning")
    shown = found.rates > 0
    positive = found.rates[shown]
    deep = bool(positive.size and positive.max() > 100.0 * positive.min()) if log is None else log
    n = np.arange(found.rates.size)
    kept = shown if deep else np.ones(n.size, dtype=bool)
    ax.plot(n[kept], found.rates[kept], "o", color=colour, label=label or "rates", gid=DENSITY)
    if deep:
        ax.set_yscale("log")
    ax.locator_params(axis="x", integer=True)
    return labelled(ax, "mode", "rate")
