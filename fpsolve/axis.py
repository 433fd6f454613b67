"""One mapped axis: where its cells are, what they weigh, and what happens at its ends.

An axis is uniform in a computational coordinate s and mapped to x(s).  Cells have equal width ds; nodes sit at
their middle in s, faces at their ends, and the weight x'(s) ds makes sum(weights * p) the midpoint rule in s, which
converges faster than any power of ds for densities that vanish at the ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fpsolve.asking import shown
from fpsolve.checks import number
from fpsolve.errors import InvalidInput
from fpsolve.maps import LogMap, Map, MappedMap, SinhMap, TanhMap, UniformMap, check_map
from fpsolve.memory import require

__all__ = ["ENDS", "Axis"]

Array = NDArray[np.float64]
ENDS = ("open", "reflecting", "absorbing", "periodic", "reservoir")
BYTES_PER_CELL = 64


@dataclass(frozen=True, eq=False)
class Axis:
    """One coordinate: `cells` cells, uniform in s between `start` and `stop`, mapped to x(s).

    Use the constructors `uniform`, `log`, `sinh`, `tanh` and `mapped`: they make the `map`.  `ends` is one of "open",
    "reflecting", "absorbing", "periodic", or a pair of them for the lower and the upper end.

    Raises InvalidInput for fewer than 3 cells, bounds that are not finite or do not rise, other ends, one periodic end
    without the other, and a map that does not rise; NotEnoughMemory.

    >>> axis = Axis.log(1e-2, 1e2, 4)
    >>> axis.faces
    array([1.e-02, 1.e-01, 1.e+00, 1.e+01, 1.e+02])
    """

    map: Map
    start: float
    stop: float
    cells: int
    ends: tuple[str, str] = field(default=("open", "open"))

    def __post_init__(self) -> None:
        object.__setattr__(self, "cells", _check_cells(self.cells))
        object.__setattr__(self, "ends", _check_ends(self.ends))
        if not (np.isfinite(self.start) and np.isfinite(self.stop)):
            raise InvalidInput(f"the axis runs from s={self.start} to s={self.stop}; bounds must be finite")
        require(BYTES_PER_CELL * self.cells, f"an axis of {self.cells} cells", "use fewer cells")
        if self.start >= self.stop:
            raise InvalidInput(f"the axis runs from {self.start:g} to {self.stop:g}; the lower bound must be smaller")
        check_map(self.map, self.s_nodes, self.nodes, self.gaps)

    @classmethod
    def uniform(cls, lo: float, hi: float, cells: int, *, ends: str | tuple[str, str] = "open") -> Axis:
        """Equal cells between `lo` and `hi`.

        >>> Axis.uniform(0, 1, 4).nodes
        array([0.125, 0.375, 0.625, 0.875])
        """
        lo, hi = _check_bounds(lo, hi)
        return cls(UniformMap(), lo, hi, cells, _pair(ends))

    @classmethod
    def log(cls, lo: float, hi: float, cells: int, *, ends: str | tuple[str, str] = "open") -> Axis:
        """Cells of equal ratio between `lo` and `hi`: x = +-exp(s); InvalidInput unless of one sign."""
        lo, hi = _check_bounds(lo, hi)
        if lo <= 0 <= hi:
            raise InvalidInput(
                f"a log axis from {lo:g} to {hi:g} passes through 0; use Axis.sinh, or stay on one side of 0"
            )
        sign = 1.0 if lo > 0 else -1.0
        start, stop = sorted((sign * np.log(abs(lo)), sign * np.log(abs(hi))))
        return cls(LogMap(sign), float(start), float(stop), cells, _pair(ends))

    @classmethod
    def sinh(
        cls,
        lo: float,
        hi: float,
        cells: int,
        *,
        scale: float = 1.0,
        center: float = 0.0,
        ends: str | tuple[str, str] = "open",
    ) -> Axis:
        """Uniform within `scale` > 0 of `center`, else InvalidInput; equal ratio beyond: x = center + scale sinh(s)."""
        lo, hi = _check_bounds(lo, hi)
        if not number("scale", scale) > 0:
            raise InvalidInput(f"scale is {scale}; a sinh axis needs a positive, finite scale")
        start, stop = np.arcsinh((lo - center) / scale), np.arcsinh((hi - center) / scale)
        return cls(SinhMap(float(center), float(scale)), float(start), float(stop), cells, _pair(ends))

    @classmethod
    def tanh(
        cls, lo: float, hi: float, cells: int, *, reach: float = 14.0, ends: str | tuple[str, str] = "open"
    ) -> Axis:
        """Clustered at both ends: x = (lo + hi)/2 + (hi - lo)/2 tanh(s), s in [-reach, reach].

        Outer faces come within (hi - lo) exp(-2 reach) of `lo` and `hi`; InvalidInput unless 0 < reach <= 17.
        """
        lo, hi = _check_bounds(lo, hi)
        if not 0 < reach <= 17:
            raise InvalidInput(
                f"reach is {reach}; it must lie in (0, 17]: beyond, cells at the ends are closer than rounding"
            )
        return cls(TanhMap(lo, hi), -float(reach), float(reach), cells, _pair(ends))

    @classmethod
    def mapped(
        cls,
        x: Callable[[Array], Array],
        derivative: Callable[[Array], Array],
        start: float,
        stop: float,
        cells: int,
        *,
        ends: str | tuple[str, str] = "open",
    ) -> Axis:
        """Your own map: x(s) increasing, its derivative x'(s), s from `start` to `stop`.

        >>> Axis.mapped(np.sinh, np.cosh, -9, 9, 801).cells
        801
        """
        start, stop = _check_bounds(start, stop)
        return cls(MappedMap(x, derivative), start, stop, cells, _pair(ends))

    @property
    def kind(self) -> str:
        """The map's name: "uniform", "log", "sinh", "tanh", "mapped" or "saved"."""
        return self.map.kind

    @property
    def periodic(self) -> bool:
        """Whether the two ends are one."""
        return self.ends[0] == "periodic"

    @property
    def ds(self) -> float:
        """Width of a cell in s."""
        return (self.stop - self.start) / self.cells

    @property
    def _middle(self) -> float:  # counted from here, a symmetric axis has symmetric nodes to the last bit
        return 0.5 * (self.start + self.stop)

    @cached_property
    def s_nodes(self) -> Array:
        """Nodes in s, shape (cells,)."""
        offsets = np.arange(self.cells, dtype=np.float64) + 0.5 * (1 - self.cells)
        return read_only(self._middle + offsets * self.ds)

    @cached_property
    def s_faces(self) -> Array:
        """Faces in s, shape (cells + 1,)."""
        faces = self._middle + (np.arange(self.cells + 1, dtype=np.float64) - 0.5 * self.cells) * self.ds
        faces[0], faces[-1] = self.start, self.stop
        return read_only(faces)

    @cached_property
    def nodes(self) -> Array:
        """Nodes x(s), shape (cells,); on a mapped axis a node is not the middle of its cell."""
        return read_only(self.map.x(self.s_nodes))

    @cached_property
    def faces(self) -> Array:
        """Faces x(s), shape (cells + 1,)."""
        return read_only(self.map.x(self.s_faces))

    @cached_property
    def weights(self) -> Array:
        """x'(s) ds at the nodes, shape (cells,): the mass of cell i is weights[i] * p[i]."""
        return read_only(self.map.dx(self.s_nodes) * self.ds)

    @cached_property
    def gaps(self) -> Array:
        """Distances between neighbouring nodes, without cancellation; shape (cells - 1,), or (cells,) if periodic."""
        gaps = self.map.gap(self.s_nodes[:-1], self.ds)
        if self.periodic:
            around = 0.5 * (self.weights[0] + self.weights[-1])
            gaps = np.append(gaps, around)
        return read_only(gaps)

    @property
    def lo(self) -> float:
        """Lower outer face."""
        return float(self.faces[0])

    @property
    def hi(self) -> float:
        """Upper outer face."""
        return float(self.faces[-1])

    def x(self, s: Array | float) -> Array:
        """The coordinate at s."""
        return self.map.x(np.asarray(s, dtype=float))

    def dx(self, s: Array | float) -> Array:
        """dx/ds at s."""
        return self.map.dx(np.asarray(s, dtype=float))

    def s(self, x: Array | float) -> Array:
        """The computational coordinate of x (inverse of `x`)."""
        return self.map.s(np.asarray(x, dtype=float), self.s_faces)

    def refined(self, factor: int) -> Axis:
        """The same axis with `factor` times as many cells; for odd factors the old nodes are among the new.

        Raises InvalidInput unless it is a whole number >= 1, and for an axis that a file gave.
        """
        if int(factor) != factor or factor < 1:
            raise InvalidInput(f"factor is {factor}; refine by a whole number >= 1 (odd ones keep the nodes)")
        self.map.check_refinable()
        return replace(self, cells=self.cells * int(factor))

    def widened(self, factor: float) -> Axis:
        """The same map and ds over `factor` times the range of s about its middle; InvalidInput unless > 0."""
        self.map.check_refinable()
        if not (np.isfinite(factor) and factor > 0):
            raise InvalidInput(f"factor is {factor}; widen by a positive, finite number")
        cells = max(3, round(self.cells * factor))
        middle, half = 0.5 * (self.start + self.stop), 0.5 * cells * self.ds
        return replace(self, start=middle - half, stop=middle + half, cells=cells)

    def describe_ends(self) -> str:
        """One word where both ends are alike, else both."""
        return self.ends[0] if self.ends[0] == self.ends[1] else "-".join(self.ends)

    def __repr__(self) -> str:
        return f"Axis.{self.kind}({self.cells} cells on [{self.lo:.4g}, {self.hi:.4g}], {self.describe_ends()})"


def read_only(array: Array) -> Array:
    """The same array, no longer writable."""
    array.setflags(write=False)
    return array


def _pair(ends: str | tuple[str, str]) -> tuple[str, str]:
    if isinstance(ends, str):
        return (ends, ends)
    if not isinstance(ends, (tuple, list)) or len(ends) != 2:
        raise InvalidInput(f"ends is {shown(ends)}; give one word for both ends, or a pair (lower, upper)")
    return (ends[0], ends[1])


def _check_cells(cells: int) -> int:
    if isinstance(cells, bool) or not isinstance(cells, (int, np.integer)):
        raise InvalidInput(f"cells is {shown(cells)}; it must be a whole number")
    if cells < 3:
        raise InvalidInput(f"cells is {cells}; an axis needs at least 3")
    return int(cells)


def _check_ends(ends: tuple[str, str]) -> tuple[str, str]:
    for end in ends:
        if end not in ENDS:
            raise InvalidInput(
                f"ends is {shown(end)}; use 'open', 'reflecting', 'absorbing' or 'periodic' ('reservoir' on an axis "
                "without noise, beside others)"
            )
    if ("periodic" in ends) and ends[0] != ends[1]:
        raise InvalidInput(f"ends are {ends}: a periodic axis is periodic at both ends")
    return ends


def _check_bounds(lo: float, hi: float) -> tuple[float, float]:
    for name, bound in (("lo", lo), ("hi", hi)):
        if isinstance(bound, (int, float, np.number)) and not np.isfinite(bound):
            raise InvalidInput(f"{name} is {bound}; bounds must be finite: an open end continues by itself")
    lo, hi = number("lo", lo), number("hi", hi)
    if lo >= hi:
        raise InvalidInput(f"the axis runs from {lo:g} to {hi:g}; the lower bound must be smaller")
    return lo, hi
