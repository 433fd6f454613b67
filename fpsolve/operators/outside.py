"""What becomes of jumps in the plane that leave the grid, and how the density goes on where its ends are open.

Cells go on beyond the grid: half its length each way one by one, then as points on rays from its middle, out to
infinity (Gauss and Jacobi's rule in the inverse distance, for which the kernel is analytic).  A jump to such a place

    is the end of the process   where an end that it passes is absorbing,
    does not happen             else, where one is reflecting,
    lands in the last cell      else: where the straight way back to the middle enters the grid,

the middle being that of the axes with open ends (the wall, where only one end is open); it is divided among the two
cells next to that point.  p goes on outward along the same ways: p = p_cell y^-q, y the distance from the middle over
that of the last nodes, with the exponents of plane_tails.py.  What a cell stands for there is part of its mass, and
jumps from there as all mass does: into the grid, and from the tail of one cell to that of another.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fpsolve.grid import Grid

__all__ = ["Outside", "Places", "radial_rule"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]
SHARE, LEAST = 2, 4  # a grid goes on, cell by cell, by half of its cells, at least by four
RADII = 10


@dataclass(frozen=True, eq=False)
class Places:
    """Places outside: `at` (2, n) in cells from the first node, `area` (n,) in cells."""

    at: Array
    area: Array


def radial_rule(alpha: float) -> tuple[Array, Array]:
    """Nodes and weights of int_0^1 u^(alpha-1) f(u) du, u the inverse distance from the middle."""
    from scipy.special import roots_jacobi

    nodes, weights = roots_jacobi(RADII, 0.0, alpha - 1.0)
    return 0.5 * (1.0 + nodes), weights * 0.5**alpha


@dataclass(frozen=True, eq=False)
class Outside:
    """The surroundings of a grid of two axes for jumps of index alpha.

    longest: cells that a jump between near cells spans.
    """

    grid: Grid
    alpha: float
    longest: int = 1

    @property
    def margins(self) -> tuple[int, int]:
        """Cells by which each axis goes on, at both its ends."""
        least = max(LEAST, self.longest)
        first, second = (0 if axis.periodic else max(least, axis.cells // SHARE) for axis in self.grid.axes)
        return first, second

    @cached_property
    def open_axes(self) -> tuple[int, ...]:
        """Axes with an open end."""
        return tuple(k for k, axis in enumerate(self.grid.axes) if "open" in axis.ends)

    @cached_property
    def middle(self) -> Array:
        """Where tails come from, in cells from the first node."""
        found = []
        for axis in self.grid.axes:
            low, high = (end == "open" for end in axis.ends)
            found.append(0.5 * (axis.cells - 1) if low == high else axis.cells - 0.5 if low else -0.5)
        return np.array(found)

    @cached_property
    def close(self) -> Places:
        """Cells around the grid, in the order of the larger one."""
        (a, b), (n, m) = self.margins, self.grid.shape
        at = np.stack(np.meshgrid(np.arange(-a, n + a), np.arange(-b, m + b), indexing="ij"))
        around = ((at[0] < 0) | (at[0] >= n) | (at[1] < 0) | (at[1] >= m)).ravel()
        return Places(at.reshape(2, -1)[:, around].astype(float), np.ones(int(around.sum())))

    @cached_property
    def far(self) -> Places:
        """Points beyond `close`, on rays through the middles of the grid's outer faces."""
        u, weights = radial_rule(self.alpha)
        at, area = [np.empty((2, 0))], [np.empty(0)]
        for k, axis in enumerate(self.grid.axes):
            if axis.periodic:
                continue
            other, half = self.grid.axes[1 - k], 0.5 * axis.cells
            across = np.arange(float(other.cells)) - 0.5 * (other.cells - 1)
            start = np.full(across.size, (half + self.margins[k]) / half)  # of each ray, over the distance of its face
            if not other.periodic:
                with np.errstate(divide="ignore"):
                    start = np.minimum(start, (0.5 * other.cells + self.margins[1 - k]) / np.abs(across))
            further = start[:, None] / u
            spread = 1.0 if other.periodic else 2.0
            for side in (-1.0, 1.0):
                point = np.empty((2, *further.shape))
                point[k] = 0.5 * (axis.cells - 1) + side * half * further
                point[1 - k] = 0.5 * (other.cells - 1) + across[:, None] * (1.0 if other.periodic else further)
                at.append(point.reshape(2, -1))
                area.append((half * weights * u ** (-self.alpha - spread) * start[:, None] ** spread).ravel())
        return Places(np.concatenate(at, axis=1), np.concatenate(area))

    def absorbed(self, places: Places) -> Flags:
        """Whether a jump there is the end."""
        return self._past(places.at, ("absorbing",))

    def landing(self, places: Places) -> sparse.csr_matrix:
        """Shares (places, cells) of the cells where jumps to the places land, 0 where they do not."""
        return self._shares(places, None)

    def carried(self, places: Places, powers: Array) -> sparse.csr_matrix:
        """Densities at the places, of those of the cells: (places, cells).  powers: those of y, one per cell, flat."""
        return self._shares(places, powers)

    def _shares(self, places: Places, powers: Array | None) -> sparse.csr_matrix:
        """Shares of the two cells next to where ways back from the places enter the grid, times y^-powers."""
        n, m = self.grid.shape
        found = sparse.csr_matrix((places.area.size, n * m))
        if not self.open_axes:
            return found
        lands = np.flatnonzero(~self._past(places.at, ("absorbing", "reflecting")))
        y, back = self._back(places.at[:, lands])
        low = np.clip(np.floor(back), 0, np.array([[n], [m]]) - 2).astype(np.int64)
        share = np.clip(back - low, 0.0, 1.0)
        for corner in ((0, 0), (0, 1), (1, 0), (1, 1)):
            weight = np.prod([part if up else 1.0 - part for part, up in zip(share, corner, strict=True)], axis=0)
            cell = np.ravel_multi_index(tuple(low + np.array(corner)[:, None]), (n, m))
            if powers is not None:
                weight *= y ** -powers[cell]
            found = found + sparse.csr_matrix((weight, (lands, cell)), shape=found.shape)
        found.eliminate_zeros()
        return found.tocsr()

    def _past(self, at: Array, kinds: tuple[str, ...]) -> Flags:
        found = np.zeros(at.shape[1], dtype=bool)
        for x, axis in zip(at, self.grid.axes, strict=True):
            if axis.ends[0] in kinds:
                found |= x < -0.5
            if axis.ends[1] in kinds:
                found |= x > axis.cells - 0.5
        return found

    def _back(self, at: Array) -> tuple[Array, Array]:
        """The distance from the middle over that of the last nodes on the way back, and where that enters the grid."""
        y, rim, back = np.ones(at.shape[1]), np.ones(at.shape[1]), at.copy()
        for k in self.open_axes:
            axis, x, middle = self.grid.axes[k], at[k] - self.middle[k], self.middle[k]
            if axis.ends[0] == "open":
                y, rim = np.maximum(y, -x / middle), np.maximum(rim, -x / (0.5 + middle))
            if axis.ends[1] == "open":
                last = axis.cells - 1.0 - middle
                y, rim = np.maximum(y, x / last), np.maximum(rim, x / (last + 0.5))
        for k in self.open_axes:
            back[k] = self.middle[k] + (at[k] - self.middle[k]) / rim
        return y, back
