"""A probability density on a grid: values and logarithms at the nodes, masses, and what statistics ask of them.

Sums over cells are midpoint rules in the computational coordinate, continued beyond open ends (values/continuation.py).
With `beyond` that share of the mass, sum(masses) + beyond = mass.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis, read_only
from fpsolve.errors import InvalidInput
from fpsolve.grid import Grid
from fpsolve.values import coarse, conditional, statistics, tail
from fpsolve.values.continuation import Beyond, along_axis, continued_ends, mass_beyond
from fpsolve.values.cumulative import Cumulative, Interpolant
from fpsolve.values.extrapolation import asked
from fpsolve.values.field import Field
from fpsolve.values.info import Info
from fpsolve.values.masked import masked_log
from fpsolve.values.sets import shares_inside
from fpsolve.values.surface import Surface

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Density", "Ends"]

Array = NDArray[np.float64]
Ends = tuple[tuple[Beyond, Beyond], ...]


@dataclass(frozen=True, eq=False, repr=False)
class Density:
    """A density p on a grid.

    values, log_values: p and ln p at the nodes, of the grid's shape; ln p carries what underflows in p.
    info: how it was obtained.  error: estimate of the largest relative error, None until estimated.
    time: when, for densities in motion.  continued: per axis, whether sums go on beyond the (lower, upper) end; in
    one dimension a PowerLaw where the tail there is known (beside jumps).  Raises InvalidInput for other shapes.

    >>> import fpsolve as fp
    >>> p = fp.stationary(fp.Problem(fp.Process(lambda x: -x, 1.0), fp.Grid(x=(-8, 8, 200))))
    >>> round(p.var(), 10), round(p.mass, 12)
    (1.0, 1.0)
    """

    grid: Grid
    values: Array
    log_values: Array
    info: Info = field(default_factory=Info)
    error: float | None = None
    time: float | None = None
    continued: Ends | None = None

    def __post_init__(self) -> None:
        for name in ("values", "log_values"):
            array = np.array(getattr(self, name), dtype=float)
            if array.shape != self.grid.shape:
                raise InvalidInput(f"{name} has shape {array.shape}; the grid's shape is {self.grid.shape}")
            object.__setattr__(self, name, read_only(array))
        if self.continued is None:
            object.__setattr__(self, "continued", tuple(continued_ends(axis) for axis in self.grid.axes))

    @classmethod
    def from_log(
        cls, grid: Grid, log_values: Array, *, info: Info | None = None, continued: Ends | None = None
    ) -> Density:
        """The density proportional to exp(log_values), normalised with its continuation, or else InvalidInput."""
        top = np.max(log_values + np.log(grid.weights))
        if not np.isfinite(top):
            raise InvalidInput(f"the largest log mass is {top}; a density needs a finite one")
        raw = cls(grid, np.exp(log_values - top), log_values - top, continued=continued)
        if not np.isfinite(raw.mass):
            raise InvalidInput(
                f"the mass beyond the open ends is {raw.mass}: p does not fall toward one of them; widen the grid "
                "until it does, or end it there (ends='reflecting')"
            )
        shifted = raw.log_values - np.log(raw.mass)
        return cls(grid, np.exp(shifted), shifted, info or Info(), continued=raw.continued)

    @classmethod
    def from_masses(cls, grid: Grid, masses: Array, *, info: Info | None = None, time: float | None = None) -> Density:
        """The density with these masses; ln p is masked, NaN, where one is < 0 or at most info.floor of the largest."""
        cells, info = np.asarray(masses, dtype=float).reshape(grid.shape), info or Info()
        logs = masked_log(cells, info.floor) - np.log(grid.weights)
        return cls(grid, cells / grid.weights, logs, info, time=time)

    @cached_property
    def masses(self) -> Array:
        """values * weights, of the grid's shape."""
        return read_only(np.asarray(self.values * self.grid.weights))

    @cached_property
    def mass(self) -> float:
        """Total mass: that of the cells and that beyond open ends."""
        return float(self.masses.sum()) + sum(self.shares) if self.grid.ndim == 1 else self.total(self.masses)

    @cached_property
    def beyond(self) -> float:
        """Share of the mass that the continuation holds beyond the open ends."""
        return self.mass - float(self.masses.sum()) if self.grid.ndim > 1 else float(sum(self.shares))

    def mean(self, name: str | None = None) -> Any:
        """<x>: a number in one dimension or for a named axis, else one per axis."""
        return self._per_axis(self._average, name)

    def var(self, name: str | None = None) -> Any:
        """<(x - <x>)^2>; inf, with a DegenerateWarning, where the tail is too heavy."""
        return self._per_axis(lambda i: statistics.moment(self, i, 2, self._average(i)), name)

    def moment(self, order: float, central: bool = False, name: str | None = None) -> Any:
        """<x^order>, or <(x - <x>)^order>.

        Infinite, with a DegenerateWarning that names the exponent, where the tail is too heavy.  Raises InvalidInput
        where both ends diverge with opposite signs.
        """
        return self._per_axis(lambda i: statistics.moment(self, i, order, self._average(i) if central else 0.0), name)

    def expect(self, function: Callable[..., Any]) -> float:
        """<f>: f takes one array per axis."""
        return statistics.expect(self, function)

    def covariance(self) -> Array:
        """<(x - <x>)(y - <y>)>, shape (ndim, ndim), in the order of the axes; NaN beside an infinite variance."""
        return statistics.covariance(self)

    def probability(self, inside: Callable[..., Any]) -> float:
        """P(inside): `inside` takes one array per axis and is positive inside the set; on the grid alone."""
        return float(np.sum(shares_inside(inside, self.grid) * self.masses))

    def marginal(self, *names: str) -> Density:
        """The density of the named coordinates, in that order, the others integrated out."""
        return conditional.marginal(self, names)

    def conditional(self, **given: float) -> Density:
        """The law of the other coordinates where some have a value: p.conditional(u=0.3) is p(w | u = 0.3).

        ln p is interpolated between nodes.  Raises InvalidInput outside the grid and where there is no mass.
        """
        return conditional.conditional(self, given)

    def conditional_mean(self, name: str, given: str | tuple[str, ...]) -> Field:
        """<name | given> at the nodes of `given`, one name or several; NaN where there is no mass."""
        return conditional.conditional_mean(self, name, (given,) if isinstance(given, str) else given)

    def coarsened(self, factor: int) -> Density:
        """p at the nodes of a grid with `factor` times fewer cells along every axis, normalised there."""
        return coarse.coarsened(self, factor)

    def cdf(self, x: Array | float) -> Any:
        """P(X <= x), one dimension."""
        return _plain(self._cumulative(x))

    def quantile(self, probability: Array | float) -> Any:
        """The x with P(X <= x) = probability, one dimension; InvalidInput outside [0, 1]."""
        wanted = np.asarray(probability, dtype=float)
        if not np.all((wanted >= 0) & (wanted <= 1)):
            raise InvalidInput(f"probability is {probability}; it must lie in [0, 1]")
        return _plain(self._cumulative.quantile(wanted))

    def mode(self) -> Any:
        """Where p is largest, between nodes; the end itself where p grows toward an end."""
        return statistics.mode(self)

    def entropy(self) -> float:
        """-<ln p>, in nats."""
        return statistics.entropy(self)

    def tail_exponent(self, window: tuple[float, float] | None = None, end: str | None = None) -> float:
        """q in p ~ |x|^-q: minus the least-squares slope of ln p against ln |x| over `window` (in |x|).

        Default: the outermost decade of the grid before `end`, "upper" or "lower" (the one at infinity).
        inf (-inf toward 0), with a DegenerateWarning, where p falls faster than any power: its local exponent grows
        over the window without levelling off.  One that has not settled is a warning too, and the slope.
        """
        return tail.tail_exponent(self, window, end)

    def sample(self, n: int, seed: int) -> Array:
        """n independent draws, shape (n,) in one dimension, else (n, ndim) from the law on the grid."""
        return statistics.draw(self, n, seed)

    def on_grid(self) -> Density:
        """Normalised on the grid alone, without continuation: for comparison on one interval."""
        log_total = np.log(self.masses.sum())
        none = tuple((False, False) for _ in self.grid.axes)
        return self.replace(
            values=self.values / np.exp(log_total), log_values=self.log_values - log_total, continued=none
        )

    def log(self, *x: Array | float) -> Any:
        """ln p(x) between and beyond the nodes, one argument per axis; NaN beside nodes where it is masked."""
        return _plain(asked(self, x).log(*x))

    def __call__(self, *x: Array | float) -> Any:
        """p(x), interpolated between nodes; beyond open ends the continuation, beyond other ends 0.

        Warns TruncationWarning where the law of the last cells (an exponential on uniform axes, a power on others) was
        still changing, so that its continuation may be off by more than a tenth.
        """
        return _plain(asked(self, x)(*x))

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def plot(self, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
        """Draw p; returns the Axes, to be styled and drawn over.  log=None: logarithmic where the axis is."""
        from fpsolve.plot import density

        return density(self, ax, label=label, log=log)

    def corner(self, *others: Any, labels: Sequence[str] | None = None, log: bool | None = None) -> Figure:
        """Draw all coordinates and all pairs of them, other values over each; returns the Figure."""
        from fpsolve.plot_corner import corner

        return corner(self, *others, labels=labels, log=log)

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write to an .npz file that `fp.load` reads."""
        from fpsolve.store import save

        return save(self, path, force=force)

    def to_xarray(self) -> Any:
        """As an xarray.DataArray with coordinates; needs the extra `xarray`."""
        from fpsolve.export import to_xarray

        return to_xarray(self)

    @property
    def ends(self) -> Ends:
        """Per axis, whether sums go on beyond the (lower, upper) end."""
        assert self.continued is not None
        return self.continued

    def total(self, terms: Array) -> float:
        """Sum over all cells and, as a series, beyond open ends, axis by axis."""
        for i in reversed(range(self.grid.ndim)):
            terms = along_axis(terms, i, self.ends[i])
        return float(terms)

    @cached_property
    def shares(self) -> tuple[float, float]:
        """Mass beyond the lower and the upper end, one dimension."""
        axis, ends = self.grid.axes[0], self.ends[0]
        low, high = (mass_beyond(self.masses, axis, upper, ends[upper]) for upper in (False, True))
        return low, high

    @cached_property
    def curve(self) -> Interpolant | Surface:
        """What p(x) and p.log(x) evaluate, without their warning: for sums in which what lies beyond hardly counts."""
        if self.grid.ndim > 1 or np.isnan(self.log_values).any():
            return Surface(self)
        return Interpolant(self.grid.axes[0], self.log_values, self.ends[0])

    def only_axis(self, what: str) -> Axis:
        """The axis of a one-dimensional density; `what` names the asker in the InvalidInput of others."""
        if self.grid.ndim != 1:
            raise InvalidInput(f"{what} needs one dimension, not {self.grid.names}; take a marginal first")
        return self.grid.axes[0]

    def _average(self, i: int) -> float:
        return statistics.moment(self, i, 1, 0.0)

    @cached_property
    def _cumulative(self) -> Cumulative:
        return Cumulative(self.only_axis("cdf"), self.masses, self.ends[0])

    def _per_axis(self, statistic: Callable[[int], float], name: str | None) -> Any:
        if name is not None:
            self.grid[name]
            return statistic(self.grid.names.index(name))
        return statistic(0) if self.grid.ndim == 1 else np.array([statistic(i) for i in range(self.grid.ndim)])

    def __repr__(self) -> str:
        facts = [] if self.time is None else [f"t={self.time:g}"]
        off = self.mass - 1.0
        facts.append(f"mass 1 {'-' if off < 0 else '+'} {abs(off):.0e}" if abs(off) < 0.5 else f"mass {self.mass:.4g}")
        if self.info.residual is not None:
            facts.append(f"residual {self.info.residual:.0e}")
        facts.append(f"edge mass {self.beyond:.0e}")
        facts.append("error not estimated" if self.error is None else f"error {self.error:.1e}")
        return f"Density({self.grid.describe()}; {', '.join(facts)})"


def _plain(answer: Array) -> Any:
    """A float where all coordinates were numbers."""
    return float(answer) if np.ndim(answer) == 0 else answer
