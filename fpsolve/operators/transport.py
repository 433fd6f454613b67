"""Transport along an axis: across faces without noise, with the drift there.

Positive: the upwind cell gives, rate |A(face)|/w (first order).
Accurate: the flux at a face is extrapolated linearly in s from the two upwind cells, F = 1.5 G_j - .5 G_(j-1), G = A p
(second order; the cell at the inflow end has no second one, and gives F = G_j): rates of both signs, so densities
undershoot a little where a pulse is not resolved.
Source: Warming & Beam, AIAA J. 14, 1241 (1976).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fpsolve.operators.coefficients import Coefficients
from fpsolve.operators.product import neighbours

__all__ = ["FaceFluxes", "face_drift", "linear_upwind"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class FaceFluxes:
    """Fluxes over faces as weighted sums of the masses of two cells.

    left, right: the cells beside each face.  axis: the one it lies across.
    sources, coefficients: shape (faces, 2); the flux is sum(coefficients * masses[sources]).
    """

    left: Indices
    right: Indices
    axis: Indices
    sources: Indices
    coefficients: Array

    def fluxes(self, masses: Array) -> Array:
        """The flux over each face, left to right."""
        return np.sum(self.coefficients * masses[self.sources], axis=1)

    def matrix(self, cells: int) -> sparse.csc_matrix:
        """What the fluxes add to dm/dt = L m; columns sum to zero."""
        rows = np.concatenate([np.repeat(self.right, 2), np.repeat(self.left, 2)])
        columns = np.concatenate([self.sources.ravel(), self.sources.ravel()])
        values = np.concatenate([self.coefficients.ravel(), -self.coefficients.ravel()])
        return sparse.csc_matrix((values, (rows, columns)), shape=(cells, cells))


def face_drift(found: Coefficients, k: int) -> Array:
    """A_k at the faces across axis k; 0 for a Gibbs process, which does not drift where it has no noise."""
    if found.process.potential is not None:
        return np.zeros(found.lattice.at_faces(found.on_lattice(found.diffusion[k, k]), k).shape)
    return found.lattice.at_faces(found.drift[k], k)


def end_drift(found: Coefficients, k: int, upper: bool) -> tuple[Array, Array]:
    """D_kk and A_k at the outer faces at an absorbing end of axis k, flat."""
    lattice = found.lattice
    place = lattice.shape[k] - 1 if upper else 0
    index = tuple(place if i == k else lattice.nodes(i) for i in range(lattice.grid.ndim))
    diffusion = found.on_lattice(found.diffusion[k, k])[index].ravel()
    drift = np.zeros(diffusion.size) if found.process.potential is not None else found.drift[k][index].ravel()
    return diffusion, drift


def linear_upwind(found: Coefficients, k: int) -> FaceFluxes:
    """The second-order fluxes across an axis that has no noise anywhere."""
    lattice = found.lattice
    axis, grid = lattice.grid.axes[k], lattice.grid
    drift = face_drift(found, k)
    left, right = neighbours(grid.shape, k, axis.periodic)
    rate = (lattice.at_nodes(found.drift[k]) / lattice.along(k, axis.weights)).ravel()
    place = np.indices(grid.shape)[k].ravel()
    stride = int(np.prod(grid.shape[k + 1 :]))
    forward = drift.ravel() > 0
    near = np.where(forward, left.ravel(), right.ravel())
    step = np.where(forward, -1, 1)
    beyond = place[near] + step
    if axis.periodic:
        second = near + (beyond % axis.cells - place[near]) * stride
        has_second = np.ones(near.size, dtype=bool)
    else:
        has_second = (beyond >= 0) & (beyond < axis.cells)
        second = np.where(has_second, near + step * stride, near)
    moving = drift.ravel() != 0
    first, other = np.where(has_second, 1.5, 1.0), np.where(has_second, -0.5, 0.0)
    coefficients = np.stack([first * rate[near], other * rate[second]], axis=1)
    return FaceFluxes(
        left.ravel()[moving],
        right.ravel()[moving],
        np.full(int(moving.sum()), k),
        np.stack([near, second], axis=1)[moving],
        coefficients[moving],
    )
