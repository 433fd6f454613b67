"""Coefficients of a process in several dimensions, at nodes, faces and corners of the grid: every half step in s.

Index units: one step is one cell, so along axis i a length is x_i'(s) ds_i.  There

    Dh_ij = D_ij/(x_i' ds_i x_j' ds_j),    Fh = x' ds (D^-1 (A - c div D)),

and ln p gains the line integral of Fh where nothing flows; c = 1 (Ito), 0 (isothermal), 1/2 (Stratonovich, diagonal
tensors).  div D is taken by differences of sixth order on the half lattice, so that it costs no further calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import InvalidInput
from fpsolve.functions import Points
from fpsolve.operators.lattice import Lattice
from fpsolve.process import CONVENTIONS, Process

__all__ = ["Coefficients"]

Array = NDArray[np.float64]
SINGULAR = 1e-12  # smallest over largest eigenvalue of a tensor that counts as rank deficient


@dataclass(frozen=True, eq=False)
class Coefficients:
    """What drift and diffusion are on the lattice of `grid` at time t.

    noisy: per axis, whether there is noise along it anywhere.  diagonal: whether every tensor is.
    """

    process: Process
    lattice: Lattice
    t: float

    @cached_property
    def diffusion(self) -> Array:
        """D, shape (ndim, ndim, *lattice shape); the lattice's part is 1s where D is constant."""
        process, lattice, ndim = self.process, self.lattice, self.lattice.grid.ndim
        if process.constant_diffusion:
            one = Points(lattice.grid.names, tuple(x[:1] for x in lattice.points.coordinates), (("point", (1,)),))
            return process.diffusion_at(one, self.t).reshape(ndim, ndim, *(1 for _ in range(ndim)))
        return process.diffusion_at(lattice.points, self.t).reshape(ndim, ndim, *lattice.shape)

    @cached_property
    def drift(self) -> Array:
        """A, shape (ndim, *lattice shape); in a reservoir the drift that the process has there."""
        lattice, grid = self.lattice, self.lattice.grid
        drift = self.process.drift_at(lattice.points, self.t).reshape(grid.ndim, *lattice.shape)
        for k, axis in enumerate(grid.axes):
            for upper in (False, True):
                if axis.ends[upper] == "reservoir":
                    row = lattice.nodes(k).start + (2 * (axis.cells - 1) if upper else 0)
                    index = tuple(row if i == k else slice(None) for i in range(grid.ndim))
                    drift[(slice(None), *index)] = self._settled(k, index)
        return drift

    def _settled(self, k: int, index: tuple[int | slice, ...]) -> Array:
        """The drift in the cells before a reservoir at an end of axis k."""
        lattice, grid = self.lattice, self.lattice.grid
        chosen = tuple(x.reshape(lattice.shape)[index].ravel() for x in lattice.points.coordinates)
        rest = tuple(n for i, n in enumerate(lattice.shape) if i != k)
        points = Points(grid.names, chosen, (("half cell of the reservoir", rest),))
        return self.process.reservoir_drift_at(points, self.t).reshape(grid.ndim, *rest)

    @cached_property
    def noisy(self) -> tuple[bool, ...]:
        """Per axis, whether there is noise along it anywhere."""
        return tuple(bool(np.any(self.diffusion[k, k] > 0)) for k in range(self.lattice.grid.ndim))

    @cached_property
    def diagonal(self) -> bool:
        """Whether every tensor is diagonal."""
        ndim = self.lattice.grid.ndim
        return not any(np.any(self.diffusion[i, j]) for i in range(ndim) for j in range(i))

    @property
    def c(self) -> float:
        """How much of div D the drift that balances the noise contains."""
        return CONVENTIONS[self.process.convention]

    @cached_property
    def potential(self) -> Array:
        """The loss over the temperature at the nodes, shape of the grid; Gibbs processes only."""
        grid = self.lattice.grid
        mesh = [x.ravel() for x in np.meshgrid(*grid.nodes, indexing="ij")]
        points = Points(grid.names, tuple(mesh), (("cell", grid.shape),))
        found = self.process.potential_at(points, self.t).reshape(grid.shape)
        for k, axis in enumerate(grid.axes):
            if axis.periodic:
                self._check_closed(k, float(np.abs(found).max() + np.ptp(found)))
        return found

    def _check_closed(self, k: int, size: float) -> None:
        """The loss must be the same at both ends of a periodic axis."""
        grid = self.lattice.grid
        ends = np.array([grid.axes[k].lo, grid.axes[k].hi])
        mesh = np.meshgrid(*(ends if i == k else x for i, x in enumerate(grid.nodes)), indexing="ij")
        shape = mesh[0].shape
        points = Points(grid.names, tuple(x.ravel() for x in mesh), (("end", shape),))
        gaps = np.diff(self.process.potential_at(points, self.t).reshape(shape), axis=k)
        if np.abs(gaps).max() > 1e-9 * size:
            worst = float(gaps.ravel()[int(np.argmax(np.abs(gaps)))]) * (self.process.temperature or 1.0)
            raise InvalidInput(
                f"loss differs by {worst:.6g} between the two ends of the periodic axis {grid.names[k]}: it is no "
                "function on a ring; give drift and diffusion instead"
            )

    def on_lattice(self, values: Array) -> Array:
        """Values of D's shape, constant or not, on the whole lattice."""
        return np.broadcast_to(values, (*values.shape[: values.ndim - self.lattice.grid.ndim], *self.lattice.shape))

    @cached_property
    def slopes(self) -> Array:
        """Fh, shape (ndim, *lattice shape), of tensors that are not diagonal; NaN where there is no noise at all."""
        if self.c == CONVENTIONS["stratonovich"] and not self.process.constant_diffusion:
            raise InvalidInput(
                "convention is 'stratonovich' and the diffusion tensor is not diagonal: it does not say how the noise "
                "is split among its sources; give the drift in the Ito convention"
            )
        axes = [k for k, some in enumerate(self.noisy) if some]
        lattice, force = self.lattice, np.array(self.drift[axes])
        if self.c and not self.process.constant_diffusion:
            for row, i in enumerate(axes):
                for j in axes:
                    force[row] -= self.c * lattice.derivative(self.diffusion[i, j], j) / lattice.lengths[j]
        tensors, quiet = self.noisy_tensors
        tensors = np.where(quiet[..., None, None], np.eye(len(axes)), tensors)
        found = _solved(tensors, np.moveaxis(force, 0, -1))
        slopes = np.zeros((lattice.grid.ndim, *lattice.shape))
        for row, i in enumerate(axes):
            slopes[i] = np.where(quiet, np.nan, found[..., row] * lattice.lengths[i])
        return slopes

    @cached_property
    def noisy_tensors(self) -> tuple[Array, NDArray[np.bool_]]:
        """D among the axes with noise, shape (*lattice shape, d, d), and where it is 0; deficient ranks are refused."""
        axes = [k for k, some in enumerate(self.noisy) if some]
        tensors = np.moveaxis(self.diffusion[np.ix_(axes, axes)], (0, 1), (-2, -1))
        quiet = ~np.any(tensors, axis=(-2, -1))
        self._check_rank(tensors, quiet)
        return tensors, quiet

    def _check_rank(self, tensors: Array, quiet: NDArray[np.bool_]) -> None:
        eigenvalues = _eigenvalues(tensors)
        bad = ~quiet & (eigenvalues[..., 0] <= SINGULAR * eigenvalues[..., 1])
        if np.any(bad):
            where = int(np.argmax(np.broadcast_to(bad, self.lattice.shape)))
            low, high = (np.broadcast_to(eigenvalues[..., i], self.lattice.shape).ravel()[where] for i in (0, 1))
            raise InvalidInput(
                f"diffusion is rank deficient at {self.lattice.points.describe(where)} (eigenvalues {low:.3g} to "
                f"{high:.3g}) along a direction that is no axis: choose coordinates in which the tensor is diagonal, "
                "or add a small isotropic diffusion to the process yourself and see how the answer depends on it"
            )


def _eigenvalues(tensors: Array) -> Array:
    """Smallest and largest eigenvalue, shape (..., 2)."""
    if tensors.shape[-1] == 2:
        mean = 0.5 * (tensors[..., 0, 0] + tensors[..., 1, 1])
        half = np.hypot(0.5 * (tensors[..., 0, 0] - tensors[..., 1, 1]), tensors[..., 0, 1])
        high = mean + half
        determinant = tensors[..., 0, 0] * tensors[..., 1, 1] - tensors[..., 0, 1] ** 2
        with np.errstate(invalid="ignore", divide="ignore"):
            low = np.where(high > 0, determinant / high, 0.0)  # their difference would lose the small one
        return np.stack([low, high], axis=-1)
    values: Array = np.asarray(np.linalg.eigvalsh(tensors), dtype=np.float64)
    return values[..., [0, -1]]


def _solved(tensors: Array, right: Array) -> Array:
    """tensors^-1 right, shape (..., d)."""
    if tensors.shape[-1] == 2:
        a, b, c = tensors[..., 0, 0], tensors[..., 0, 1], tensors[..., 1, 1]
        x, y = right[..., 0], right[..., 1]
        return np.stack([c * x - b * y, a * y - b * x], axis=-1) / (a * c - b * b)[..., None]
    whole = np.broadcast_to(tensors, (*right.shape, right.shape[-1]))
    return np.asarray(np.linalg.solve(whole, right[..., None])[..., 0], dtype=np.float64)
