"""Grids: products of named, mapped axes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property

import numpy as np

from fpsolve.asking import shown
from fpsolve.axis import Array, Axis, read_only
from fpsolve.errors import InvalidInput

__all__ = ["Axis", "Grid"]


class Grid:
    """A product of named axes.  `Grid(x=(-3, 3, 400))` is short for `Grid(x=Axis.uniform(-3, 3, 400))`.

    Raises InvalidInput for no axes, more than three, and what is neither an Axis nor (lo, hi, cells).

    >>> grid = Grid(u=(-4, 4, 64), w=Axis.sinh(-100, 100, 32))
    >>> grid.names, grid.shape, grid.weights.shape
    (('u', 'w'), (64, 32), (64, 32))
    """

    def __init__(self, **axes: Axis | tuple[float, float, int]) -> None:
        if not 1 <= len(axes) <= 3:
            raise InvalidInput(f"a grid has one to three axes, got {len(axes)}")
        if "t" in axes:
            raise InvalidInput(f"axis 't' in {tuple(axes)}: t is reserved for time; give the coordinate another name")
        self._axes = {name: axis if isinstance(axis, Axis) else _short(name, axis) for name, axis in axes.items()}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the axes, in order."""
        return tuple(self._axes)

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes, in order."""
        return tuple(self._axes.values())

    @property
    def shape(self) -> tuple[int, ...]:
        """Cells per axis."""
        return tuple(axis.cells for axis in self.axes)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self._axes)

    @property
    def size(self) -> int:
        """Number of cells."""
        return math.prod(self.shape)

    @property
    def nodes(self) -> tuple[Array, ...]:
        """Nodes of each axis."""
        return tuple(axis.nodes for axis in self.axes)

    @property
    def faces(self) -> tuple[Array, ...]:
        """Faces of each axis."""
        return tuple(axis.faces for axis in self.axes)

    @cached_property
    def weights(self) -> Array:
        """Products of the axes' weights, of the grid's shape."""
        weights = np.ones(())
        for axis in self.axes:
            weights = np.multiply.outer(weights, axis.weights)
        return read_only(weights)

    def mesh(self) -> tuple[Array, ...]:
        """Nodes shaped to broadcast against each other, indexing "ij"."""
        return tuple(np.meshgrid(*self.nodes, indexing="ij", sparse=True))

    def areas(self, k: int) -> Array:
        """Areas of the faces across axis k, the products of the other axes' weights, shaped to broadcast."""
        product = np.ones(())
        for i, axis in enumerate(self.axes):
            product = np.multiply.outer(product, np.ones(1) if i == k else axis.weights)
        return product

    def refined(self, factor: int) -> Grid:
        """Every axis refined by `factor`."""
        return Grid(**{name: axis.refined(factor) for name, axis in self._axes.items()})

    def widened(self, factor: float) -> Grid:
        """Every axis widened by `factor`."""
        return Grid(**{name: axis.widened(factor) for name, axis in self._axes.items()})

    def __getitem__(self, name: str) -> Axis:
        if name not in self._axes:
            raise InvalidInput(f"no axis {name!r} in this grid; its axes are {self.names}")
        return self._axes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._axes)

    def describe(self) -> str:
        """One phrase for reports: names, cells, ranges and ends."""
        return "; ".join(
            f"{name}: {axis.cells} cells on [{axis.lo:.4g}, {axis.hi:.4g}], {axis.describe_ends()}"
            for name, axis in self._axes.items()
        )

    def __repr__(self) -> str:
        return "Grid(" + ", ".join(f"{name}={axis!r}" for name, axis in self._axes.items()) + ")"


def _short(name: str, axis: tuple[float, float, int]) -> Axis:
    if not isinstance(axis, (tuple, list)) or len(axis) != 3:
        raise InvalidInput(f"axis {name!r} is {shown(axis)}; give an Axis or (lo, hi, cells)")
    return Axis.uniform(*axis)
