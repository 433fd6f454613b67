"""Corner plots: every coordinate on the diagonal, every pair of them below it, several values over each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import InvalidInput
from fpsolve.laws import Comparable, Samples, side_of
from fpsolve.plot_line import PALETTE, bars, dashed_line, solid_line
from fpsolve.plot_plane import density_on_plane, samples_on_plane
from fpsolve.values.density import Density
from fpsolve.values.exact import ExactDensity
from fpsolve.values.swarm import Swarm

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["corner"]

Value = Density | ExactDensity | Samples
PANEL = 2.4  # inches


def corner(p: Comparable, *others: Comparable, labels: Sequence[str] | None = None, log: bool | None = None) -> Figure:
    """Draw all coordinates and all pairs of them: marginals on the diagonal, maps of p below, the others over both.

    p, others: densities, closed forms, swarms (their living replicas at the last time) or samples (n, d), all of the
    same coordinates, two or more.  Over p's maps the others are contours that enclose 50, 90 and 99 % of their mass, or
    points.  labels: one for each.  log: True for logarithmic p, False for linear axes throughout, None for what the
    grid's axes are.  Each map has its own range of greys, from the least to the largest p, or ten decades.

    Returns the Figure.  Raises InvalidInput where coordinates differ or there is but one.

    >>> import fpsolve as fp
    >>> p = fp.ExactDensity(lambda u, w: -(u**2 - u * w + w**2), fp.Grid(u=(-4, 4, 40), w=(-4, 4, 40))).density
    >>> figure = corner(p, p.sample(500, seed=1))
    >>> [ax.get_xlabel() for ax in figure.axes]
    ['', 'u', 'w']
    """
    names, values = _values((p, *others))
    if labels is not None and len(labels) != len(values):
        raise InvalidInput(f"labels are {len(labels)}; give one for each of the {len(values)} values")
    titles = list(labels) if labels is not None else [_title(value) for value in values]
    figure, grid = _panels(len(names))
    for i, name in enumerate(names):
        for value, title in zip(values, titles, strict=True):
            _draw_one(grid[i, i], value, i, name, title, log)
    for j, i in combinations(range(len(names)), 2):
        for k, value in enumerate(values):
            _draw_pair(grid[i, j], value, (j, i), names, _colour(values, k), log)
        grid[i, j].set(xlim=grid[j, j].get_xlim(), ylim=grid[i, i].get_xlim())
    _tidy(figure, grid, names)
    return figure


def _values(given: tuple[Comparable, ...]) -> tuple[tuple[str, ...], list[Value]]:
    """The coordinates' names, and what is to be drawn."""
    values: list[Value] = []
    named: list[tuple[str, ...] | None] = []
    for k, value in enumerate(given):
        if isinstance(value, (Density, ExactDensity)):
            values.append(value)
            named.append(value.grid.names)
        else:
            side = side_of(value, None, f"value {k}")
            assert isinstance(side, Samples)
            values.append(side)
            named.append(value.names if isinstance(value, Swarm) else None)
    counts = [value.ndim if isinstance(value, Samples) else value.grid.ndim for value in values]
    unnamed = tuple("xyz"[: counts[0]]) if counts[0] <= 3 else tuple(f"x{i}" for i in range(counts[0]))
    names = next((found for found in named if found is not None), unnamed)
    for k, (found, count) in enumerate(zip(named, counts, strict=True)):
        if count != len(names) or found not in (None, names) or count < 2:
            raise InvalidInput(
                f"value {k} has the coordinates {found or count}, others {names}; a corner plot needs the same two or "
                "more of all, in one order"
            )
    return names, values


def _title(value: Value) -> str:
    if isinstance(value, Samples):
        return f"{value.n} samples"
    if isinstance(value, ExactDensity):
        return value.name
    return "density" if value.time is None else f"t = {value.time:g}"


def _colour(values: list[Value], k: int) -> str | None:
    """The colour that the k-th value has on the diagonal; None for closed forms."""
    if isinstance(values[k], ExactDensity):
        return None
    return PALETTE[sum(type(value) is type(values[k]) for value in values[:k]) % len(PALETTE)]


def _draw_one(ax: Axes, value: Value, i: int, name: str, title: str, log: bool | None) -> None:
    if isinstance(value, Samples):
        bars(ax, np.sort(value.positions[:, i]), name, title, log)
    elif isinstance(value, ExactDensity):
        dashed_line(ax, value.marginal(name), title, log)
    else:
        solid_line(ax, value.marginal(name), title, log)


def _draw_pair(
    ax: Axes, value: Value, pair: tuple[int, int], names: tuple[str, ...], colour: str | None, log: bool | None
) -> None:
    both = [names[i] for i in pair]
    fresh = not ax.collections
    if isinstance(value, Samples):
        samples_on_plane(ax, Samples(value.positions[:, pair]), both, None, log, colour=colour, bar=False)
    else:
        closed_form = value.name if isinstance(value, ExactDensity) else None
        density_on_plane(ax, value.marginal(*both), None, log, None, closed_form=closed_form, colour=colour, bar=False)
    if fresh:
        ax.collections[0].set_cmap("Greys")  # on which the palette's colours are seen


def _panels(ndim: int) -> tuple[Figure, NDArray[Any]]:
    """ndim x ndim Axes, those above the diagonal taken away."""
    import matplotlib.pyplot as plt

    size = PANEL * ndim
    figure, grid = plt.subplots(ndim, ndim, figsize=(size, size), layout="constrained", squeeze=False)
    for i, j in combinations(range(ndim), 2):
        grid[i, j].remove()
    return figure, grid


def _tidy(figure: Figure, grid: NDArray[Any], names: tuple[str, ...]) -> None:
    """Labels at the left and below only, one legend where no panel is."""
    lines, texts = grid[0, 0].get_legend_handles_labels()
    figure.legend(lines, texts, loc="upper right", frameon=False)
    last = len(names) - 1
    for i, j in zip(*np.tril_indices(len(names)), strict=True):
        ax = grid[i, j]
        if ax.get_legend() is not None:
            ax.get_legend().remove()
        ax.set_xlabel(names[j] if i == last else "")
        ax.set_ylabel(names[i] if j == 0 and i > 0 else "")
        ax.tick_params(labelbottom=i == last, labelleft=j == 0 and i > 0, labelsize="small")
        if i == j:
            ax.set_title(f"p({names[i]})", fontsize="medium")
            ax.tick_params(left=False)
