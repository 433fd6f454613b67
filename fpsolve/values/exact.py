"""A closed-form density: callable, in logarithms too, with moments, and drawn over what was computed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import InvalidInput
from fpsolve.functions import Function, Points
from fpsolve.grid import Grid
from fpsolve.values.density import Density
from fpsolve.values.info import Info

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ExactDensity"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class ExactDensity:
    """A density known in closed form, p = exp(log_density)/Z.

    log_density: ln p up to a constant, a vectorised function of one array per axis; -inf where p = 0.
    grid: of one to three axes, where Z and the moments are summed (midpoint rule in s, continued beyond open ends)
    and what plots show.
    name: its label.

    >>> import fpsolve as fp
    >>> normal = ExactDensity(lambda x: -(x**2) / 2, fp.Grid(x=(-9, 9, 200)), "normal law")
    >>> round(normal(0.0), 10), round(normal.var(), 12)
    (0.3989422804, 1.0)
    >>> tilted = ExactDensity(lambda u, w: -(u**2 - u * w + w**2), fp.Grid(u=(-7, 7, 60), w=(-7, 7, 60)))
    >>> tilted.covariance().round(10).tolist()
    [[0.6666666667, 0.3333333333], [0.3333333333, 0.6666666667]]
    """

    log_density: Callable[..., Any]
    grid: Grid
    name: str = "exact"

    def on(self, grid: Grid) -> Density:
        """The density at the nodes of another grid, normalised there with its continuation."""
        mesh = np.broadcast_arrays(*grid.mesh())
        points = Points(grid.names, tuple(x.ravel() for x in mesh), (("cell", grid.shape),))
        log_values = Function(self.log_density, "log_density").scalar(points, logarithm=True)
        return Density.from_log(grid, log_values.reshape(grid.shape), info=Info(method="closed form"))

    @cached_property
    def density(self) -> Density:
        """The density on its own grid."""
        return self.on(self.grid)

    @cached_property
    def _log_z(self) -> float:
        index = np.unravel_index(int(np.argmax(self.density.log_values)), self.grid.shape)
        place = [axis.nodes[i : i + 1] for axis, i in zip(self.grid.axes, index, strict=True)]
        return float(np.asarray(self.log_density(*place)).ravel()[0] - self.density.log_values[index])

    def log(self, *x: Array | float) -> Any:
        """ln p(x), one argument per axis, else InvalidInput."""
        if len(x) != self.grid.ndim:
            raise InvalidInput(f"{self.name} takes {self.grid.ndim} coordinates {self.grid.names}, got {len(x)}")
        answer = np.asarray(self.log_density(*(np.asarray(c, dtype=float) for c in x))) - self._log_z
        return float(answer) if answer.ndim == 0 else answer

    def __call__(self, *x: Array | float) -> Any:
        """p(x), one argument per axis."""
        answer = np.exp(self.log(*x))
        return float(answer) if np.ndim(answer) == 0 else answer

    def mean(self, name: str | None = None) -> Any:
        """<x>, summed on the grid."""
        return self.density.mean(name)

    def var(self, name: str | None = None) -> Any:
        """<(x - <x>)^2>, summed on the grid."""
        return self.density.var(name)

    def moment(self, order: float, central: bool = False, name: str | None = None) -> Any:
        """<x^order>, summed on the grid."""
        return self.density.moment(order, central, name)

    def expect(self, function: Callable[..., Any]) -> float:
        """<f>, summed on the grid."""
        return self.density.expect(function)

    def covariance(self) -> Array:
        """<(x - <x>)(y - <y>)>, shape (ndim, ndim), summed on the grid."""
        return self.density.covariance()

    def marginal(self, *names: str) -> Density:
        """The density of some coordinates, the others summed over on the grid."""
        return self.density.marginal(*names)

    def cdf(self, x: Array | float) -> Any:
        """P(X <= x), one dimension."""
        return self.density.cdf(x)

    def quantile(self, probability: Array | float) -> Any:
        """The x with P(X <= x) = probability, one dimension."""
        return self.density.quantile(probability)

    def plot(self, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
        """Draw the density as a thin dashed line; returns the Axes."""
        from fpsolve.plot import exact

        return exact(self, ax, label=label, log=log)

    def __repr__(self) -> str:
        return f"ExactDensity({self.name}; {self.grid.describe()})"
