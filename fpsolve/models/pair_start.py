"""A Gaussian of the weights (u, w) as a start for the rescaling pair: cell masses in (zeta, q), or drawn particles.

    p(zeta, q) = [N(u, w) + N(-u, -w)] exp(q)/4          (both points have these coordinates)

Masses are integrals over cells, by Gauss-Legendre rules on panels of a deviation or so: exact to rounding on any grid,
also where a cell is wider than the Gaussian.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.asking import shown
from fpsolve.checks import number, seed_key, whole
from fpsolve.errors import InvalidInput
from fpsolve.grid import Grid
from fpsolve.kernels.random import STARTS, fill_normals
from fpsolve.models.pair_coordinates import to_coordinates, to_weights

__all__ = ["GaussianWeights"]

Array = NDArray[np.float64]
OTHER_SHEET = 1e-12  # of the mass
REACH = 9.0  # deviations: 3e-18 lies beyond
CIRCLE = 720  # points on that ellipse
PANEL, ORDER = 1.5, 10  # deviations a panel, points on it
NARROW_PANEL, LOW_ORDER = 0.3, 4  # enough for cells that are small anyway
TAILS = np.linspace(-12.0, 12.0, 4801)


@dataclass(frozen=True, eq=False, repr=False)
class GaussianWeights:
    """u and w independent and normal, on the sheet where z = u^2 - w^2 has the sign `sign`.

    mean: (u, w).  std: their deviation, or one for each.
    Raises InvalidInput for what is not finite or positive, and where more than 1e-12 lies on the other sheet.

    >>> start = GaussianWeights((1.6, 0.3), 0.05)
    >>> start
    GaussianWeights(mean (1.6, 0.3), std 0.05)
    >>> u, w = start.draw(1000, seed=1)
    >>> bool(np.all(u > np.abs(w)))
    True
    """

    mean: Sequence[float]
    std: float | Sequence[float]
    sign: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", _two("mean", self.mean))
        object.__setattr__(self, "std", _two("std", self.std) if np.ndim(self.std) else number("std", self.std))
        if not np.all(np.asarray(self.std) > 0):
            raise InvalidInput(f"std is {self.std}; give a deviation > 0, or one each for u and w")
        if self.sign not in (1, -1):
            raise InvalidInput(f"sign is {self.sign!r}; it is that of z = u^2 - w^2: give 1 or -1")
        beyond = self._on_the_other_sheet()
        if beyond > OTHER_SHEET:
            here, there = ("u^2 > w^2", "u^2 < w^2") if self.sign > 0 else ("u^2 < w^2", "u^2 > w^2")
            raise InvalidInput(
                f"{beyond:.3g} of {self!r} has {there}, but this pair has {here}: z keeps its sign, so each sheet is a "
                f"problem of its own; move or narrow the start, or take sign={-self.sign}"
            )

    def masses_on(self, grid: Grid) -> Array:
        """The integral of the density over each cell, of the grid's shape."""
        if grid.names != ("zeta", "q"):
            raise InvalidInput(f"{self!r} starts the pair, in zeta and q; the grid's axes are {grid.names}")
        rules = [self._rule(axis.faces, k) for k, axis in enumerate(grid.axes)]
        (rows, zeta, over_zeta), (columns, q, over_q) = rules
        result = np.zeros(grid.shape)
        for i, (x, over_x) in enumerate(zip(zeta, over_zeta, strict=True), start=rows.start):
            result[i, columns] = np.einsum("ajb,a,jb->j", self(x[:, None, None], q), over_x, over_q, optimize=True)
        return result

    def draw(self, n: int, seed: int) -> tuple[Array, Array]:
        """The weights (u, w) of n particles; the same seed gives the same bits."""
        normals = np.empty((whole("n", n, 1), 2))
        fill_normals(seed_key(seed), np.uint64(0), STARTS, np.uint64(0), normals)
        u, w = (np.array(self.mean) + normals * self._deviations).T
        return u, w

    @property
    def highest(self) -> float:
        """The largest q that it reaches."""
        return float(self._ellipse[1].max())

    def __call__(self, zeta: Array, q: Array) -> Array:
        """p(zeta, q)."""
        u, w = to_weights(zeta, q, self.sign)
        return 0.25 * np.exp(q) * (self._normal(u, w) + self._normal(-u, -w))

    @property
    def _deviations(self) -> Array:
        return np.broadcast_to(np.asarray(self.std, dtype=float), (2,))

    def _normal(self, u: Array, w: Array) -> Array:
        (mean_u, mean_w), (a, b) = self.mean, self._deviations
        return np.exp(-0.5 * (((u - mean_u) / a) ** 2 + ((w - mean_w) / b) ** 2)) / (2.0 * np.pi * a * b)

    @cached_property
    def _ellipse(self) -> tuple[Array, Array, Array, Array]:
        """zeta, q, u, w on the ellipse of REACH deviations, or on the largest that stays on the sheet."""
        a, b = self._deviations
        edge = min(abs(self.mean[0] - self.mean[1]), abs(self.mean[0] + self.mean[1])) / np.hypot(a, b)
        angle = np.linspace(0.0, 2.0 * np.pi, CIRCLE, endpoint=False)
        radius = min(REACH, 0.999 * edge)
        u, w = self.mean[0] + radius * a * np.cos(angle), self.mean[1] + radius * b * np.sin(angle)
        return *to_coordinates(u, w), u, w

    def _narrowest(self, k: int) -> float:
        """The least deviation along zeta (k = 0; u' = w/2, w' = u/2) or q (k = 1; u' = u/2, w' = w/2)."""
        a, b = self._deviations
        _, _, u, w = self._ellipse
        return 2.0 / float(np.hypot(w / a, u / b).max() if k == 0 else np.hypot(u / a, w / b).max())

    def _rule(self, faces: Array, k: int) -> tuple[slice, Array, Array]:
        """The cells along axis k that it reaches, and the points and weights of their rules, (cells, points)."""
        reached = self._ellipse[k]
        first = max(int(np.searchsorted(faces, reached.min())) - 2, 0)
        last = max(min(int(np.searchsorted(faces, reached.max())) + 1, faces.size - 1), first)
        low, width = faces[first:last], np.diff(faces[first : last + 1])
        ratio = float(width.max(initial=0.0)) / self._narrowest(k)
        panels = max(1, int(np.ceil(ratio / PANEL)))
        points, weights = np.polynomial.legendre.leggauss(LOW_ORDER if ratio < NARROW_PANEL else ORDER)
        share = ((np.arange(panels)[:, None] + 0.5 * (points + 1.0)) / panels).ravel()
        return (
            slice(first, last),
            low[:, None] + width[:, None] * share,
            width[:, None] * np.tile(0.5 * weights / panels, panels),
        )

    def _on_the_other_sheet(self) -> float:
        """P(|w| > |u|) on the sheet z > 0, P(|u| > |w|) on the other."""
        from scipy.special import ndtr

        near, far = np.asarray(self.mean)[:: self.sign]
        a, b = self._deviations[:: self.sign]
        size = np.abs(near + a * TAILS)
        beyond = ndtr((far - size) / b) + ndtr((-far - size) / b)
        return float(np.sum(beyond * np.exp(-0.5 * TAILS**2)) * (TAILS[1] - TAILS[0]) / np.sqrt(2.0 * np.pi))

    def __repr__(self) -> str:
        spread = f"{self.std:g}" if np.ndim(self.std) == 0 else "({:g}, {:g})".format(*self._deviations)
        return f"GaussianWeights(mean ({self.mean[0]:g}, {self.mean[1]:g}), std {spread})"


def _two(name: str, given: Any) -> tuple[float, float]:
    if np.ndim(given) != 1 or np.size(given) != 2:
        raise InvalidInput(f"{name} is {shown(given)}; give two numbers, for u and w")
    first, second = (number(name, part) for part in np.asarray(given).tolist())
    return first, second
