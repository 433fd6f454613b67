"""Resolvents of chains, and where one axis is transported one way: a single sweep along the flow, without fill.

If mass moves along one axis in one direction only, reaching one or two rows ahead (first or second order upwind), and
along the other axis between neighbours, then z - L is block lower triangular with tridiagonal blocks, and
    y = (z - L)^-1 b
costs a tridiagonal solve per row.  A chain of cells is one row.  Kernels and pivots: kernels/sweep.py.
"""

from __future__ import annotations

import cmath
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fpsolve.errors import InvalidInput, NotConverged
from fpsolve.kernels import sweep as kernels

__all__ = ["Bands", "Sweep", "sweepable"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
REACH = 2  # rows ahead
ROUNDING = 1e-12  # of a column's largest rate: what its sum may be off by


def sweepable(rates: sparse.csc_matrix, shape: tuple[int, ...]) -> tuple[int, int] | None:
    """(axis, direction) along which `rates` on a grid of `shape` can be swept; None where there is no such axis.

    direction: 1 where mass moves to higher indices, -1 where to lower ones.
    """
    if len(shape) != 2:
        return None
    steps = _Steps.of(rates, shape)
    for axis in (0, 1):
        for direction in (1, -1):
            if not np.any(steps.outside(axis, direction)):
                return axis, direction
    return None


@dataclass(frozen=True, eq=False)
class Bands:
    """The rates of a sweepable generator by where they come from: arrays (rows, cells of a row), rows in flow order.

    lower, upper: into a cell from the one before and behind it in its row.  back, back2: from one and two rows ago.
    leak: out of a cell, to later rows and for good.
    """

    lower: Array
    upper: Array
    back: Array
    back2: Array
    leak: Array
    axis: int
    direction: int

    @property
    def shape(self) -> tuple[int, ...]:
        """The grid's shape."""
        return self.leak.shape if self.axis == 0 else self.leak.shape[::-1]

    @classmethod
    def of(
        cls, rates: sparse.csc_matrix, shape: tuple[int, ...], axis: int, direction: int, killing: Array | None = None
    ) -> Bands:
        """The bands of dm/dt = `rates` m on a grid of `shape`, transported along `axis` in `direction` (1 or -1).

        killing: rate out of each cell for good; None: minus the column sums, known to rounding only.
        Raises InvalidInput where a rate lies outside the bands, and where columns do not sum to -killing.
        """
        if len(shape) != 2 or axis not in (0, 1) or direction not in (1, -1):
            raise InvalidInput(f"shape {shape}, axis {axis}, direction {direction}; a sweep has two axes and 1 or -1")
        steps = _Steps.of(rates, shape)
        outside = steps.outside(axis, direction)
        if np.any(outside):
            raise InvalidInput(steps.complaint(outside, axis, direction))
        kills = _checked_killing(rates, killing)
        ahead, beside = steps.along(axis, direction)
        bands = []
        for place in ((0, 1), (0, -1), (1, 0), (2, 0)):
            band, chosen = np.zeros(kills.size), (ahead == place[0]) & (beside == place[1])
            band[steps.into[chosen]] = steps.rates[chosen]
            bands.append(_by_rows(band, shape, axis, direction))
        lower, upper, back, back2 = bands
        leak = _by_rows(kills, shape, axis, direction)
        leak[:-1] += back[1:]
        leak[:-2] += back2[2:]
        return cls(lower, upper, back, back2, leak, axis, direction)

    @classmethod
    def line(cls, up: Array, down: Array, killing: Array) -> Bands:
        """A chain of cells as one row: rates from each cell to the next and back, (cells - 1,), and what leaves it."""
        leak = killing[None]
        lower, upper, none = np.zeros(leak.shape), np.zeros(leak.shape), np.zeros(leak.shape)
        lower[0, 1:], upper[0, :-1] = up, down
        return cls(lower, upper, none, none, leak, 0, 1)

    def resolvent(self, z: complex) -> Sweep:
        """(z - L)^-1.  Raises InvalidInput unless z is finite, and off the negative real axis."""
        number = complex(z)
        if not cmath.isfinite(number) or (number.imag == 0.0 and number.real < 0.0):
            raise InvalidInput(f"z is {z}; a sweep needs a finite z, real ones >= 0; elsewhere use fpsolve.resolvent")
        return Sweep(self, number.real if number.imag == 0.0 else number)


@dataclass(frozen=True, eq=False)
class Sweep:
    """(z - L)^-1 for one z >= 0, or one with an imaginary part, factored once when first used.

    `solve(b)` and `solve_adjoint(b)` take a vector of cells in C order, or a matrix of columns.
    """

    bands: Bands
    z: float | complex

    @cached_property
    def _factors(self) -> tuple[NDArray, NDArray, NDArray]:
        bands = self.bands
        gain, inverse, share = (np.empty(bands.leak.shape, dtype=type(self.z)) for _ in range(3))
        try:
            kernels.factor(self.z, bands.lower, bands.upper, bands.leak, gain, inverse, share)
        except ZeroDivisionError:  # uncompiled kernels leave inf instead
            inverse[:] = np.inf
        if not np.all(np.isfinite(inverse)):
            raise NotConverged(f"z - L is singular at z = {self.z}: z is an eigenvalue of the generator")
        return gain, inverse, share

    def solve(self, b: NDArray) -> NDArray:
        """y with (z - L) y = b."""
        return self._solve(b, kernels.solve)

    def solve_adjoint(self, b: NDArray) -> NDArray:
        """y with (z - L)^T y = b."""
        return self._solve(b, kernels.solve_adjoint)

    def _solve(self, b: NDArray, kernel: Callable[..., None]) -> NDArray:
        bands = self.bands
        b = np.asarray(b)
        real = isinstance(self.z, float)
        if np.iscomplexobj(b) and real:
            return self._solve(b.real, kernel) + 1j * self._solve(b.imag, kernel)
        if b.shape[:1] != (bands.leak.size,):
            raise InvalidInput(f"the right-hand side has shape {b.shape}; expected ({bands.leak.size},)")
        if b.ndim > 1:
            return np.stack([self._solve(column, kernel) for column in b.T], axis=1)
        given = _by_rows(b, bands.shape, bands.axis, bands.direction)
        given = given if real else given.astype(complex)
        y = np.empty_like(given)
        kernel(*self._factors, bands.back, bands.back2, given, y)
        return (y[:: bands.direction] if bands.axis == 0 else y[:: bands.direction].T).ravel()


@dataclass(frozen=True, eq=False)
class _Steps:
    """Every rate that is not 0 and where it leads: the cell, and how far along either axis."""

    into: Indices
    rates: Array
    first: Indices
    second: Indices

    @classmethod
    def of(cls, rates: sparse.csc_matrix, shape: tuple[int, ...]) -> _Steps:
        cells = int(np.prod(shape))
        if rates.shape != (cells, cells):
            raise InvalidInput(f"the rates have shape {rates.shape}; a grid of shape {shape} has {cells} cells")
        entries = rates.tocoo()
        used = (entries.data != 0.0) & (entries.row != entries.col)
        into, source = entries.row[used].astype(np.int64), entries.col[used].astype(np.int64)
        first = into // shape[1] - source // shape[1]
        return cls(into, entries.data[used], first, into - source - first * shape[1])

    def along(self, axis: int, direction: int) -> tuple[Indices, Indices]:
        """Rows ahead in the flow, and cells beside, that each rate leads."""
        return (direction * self.first, self.second) if axis == 0 else (direction * self.second, self.first)

    def outside(self, axis: int, direction: int) -> NDArray[np.bool_]:
        """Which rates no sweep along `axis` in `direction` has a band for."""
        ahead, beside = self.along(axis, direction)
        return ~np.where(beside == 0, (ahead > 0) & (ahead <= REACH), (ahead == 0) & (np.abs(beside) == 1))

    def complaint(self, outside: NDArray[np.bool_], axis: int, direction: int) -> str:
        worst = int(np.argmax(np.where(outside, np.abs(self.rates), -1.0)))
        ahead, beside = self.along(axis, direction)
        return (
            f"{int(outside.sum())} rates lie outside the bands of a sweep along axis {axis} in direction {direction}: "
            f"the largest, {self.rates[worst]:.4g} into cell {self.into[worst]}, leads {ahead[worst]} rows ahead and "
            f"{beside[worst]} cells beside; a sweep takes 1 or 2 rows ahead, or 1 cell beside: use sparse LU"
        )


def _checked_killing(rates: sparse.csc_matrix, killing: Array | None) -> Array:
    sums = -np.asarray(rates.sum(axis=0), dtype=float).ravel()
    if killing is None:
        return sums
    kills = np.asarray(killing, dtype=float)
    off = np.abs(sums - kills) - ROUNDING * abs(rates).max(axis=0).toarray().ravel()
    if np.any(off > 0):
        worst = int(np.argmax(off))
        raise InvalidInput(
            f"the rates out of cell {worst} leave {sums[worst]:.6g} of what leaves it for good, but its killing rate "
            f"is {kills[worst]:.6g}; the two must agree"
        )
    return kills


def _by_rows(cells: NDArray, shape: tuple[int, ...], axis: int, direction: int) -> NDArray:
    """A vector of cells as (rows in flow order, cells of a row)."""
    rows = (cells.reshape(shape) if axis == 0 else cells.reshape(shape).T)[::direction]
    return np.array(rows, dtype=np.result_type(rows, float), order="C")
