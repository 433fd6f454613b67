"""Transport along an axis: across faces without noise, with the drift there.

Positive: the upwind cell gives, rate |A(face)|/w (first order).
Accurate: the flux at a face is a polynomial in s through G = A p of the cells around it, j the one upwind of it,
    F = 1.5 G_j - .5 G_(j-1)                  where the drift along the axis has one sign (second order, for a sweep),
    F = (2 G_(j+1) + 5 G_j - G_(j-1))/6       where it has both (third order);
the cell at an inflow end, without another upwind of it, gives F = G_j or (G_j + G_(j+1))/2.  There are rates of both
signs, so densities undershoot a little where a pulse is not resolved.
Sources: Warming & Beam, AIAA J. 14, 1241 (1976); van Leer, J. Comput. Phys. 32, 101 (1979).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fpsolve.axis import Axis
from fpsolve.operators.coefficients import Coefficients
from fpsolve.operators.product import neighbours

__all__ = ["FaceFluxes", "face_drift", "higher_order"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
# weights of the cell upwind of a face, the one farther upwind, and the one downwind
FIRST, SECOND = (1.0, 0.0), (1.5, -0.5)
CENTRAL, THIRD = (0.5, 0.0, 0.5), (5.0 / 6.0, -1.0 / 6.0, 1.0 / 3.0)


@dataclass(frozen=True, eq=False)
class FaceFluxes:
    """Fluxes over faces as weighted sums of the masses of two or three cells.

    left, right: the cells beside each face.  axis: the one it lies across.
    sources, coefficients: shape (faces, 2 or 3), the cell upwind of the face first; the flux over it is
        sum(coefficients * masses[sources]).
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
        width = self.sources.shape[1]
        rows = np.concatenate([np.repeat(self.right, width), np.repeat(self.left, width)])
        columns = np.concatenate([self.sources.ravel(), self.sources.ravel()])
        values = np.concatenate([self.coefficients.ravel(), -self.coefficients.ravel()])
        return sparse.csc_matrix((values, (rows, columns)), shape=(cells, cells))


def face_drift(found: Coefficients, k: int) -> Array:
    """A_k at the faces across axis k; 0 for a Gibbs process, which does not drift where it has no noise."""
    if found.process.potential is not None:
        return np.zeros(found.lattice.at_faces(found.on_lattice(found.diffusion[k, k]), k).shape)
    return found.lattice.at_faces(found.drift[k], k)


def higher_order(found: Coefficients, k: int) -> FaceFluxes:
    """The fluxes of second or third order across an axis that has no noise anywhere."""
    lattice = found.lattice
    axis, grid = lattice.grid.axes[k], lattice.grid
    drift = face_drift(found, k).ravel()
    left, right = (cells.ravel() for cells in neighbours(grid.shape, k, axis.periodic))
    rate = (lattice.at_nodes(found.drift[k]) / lattice.along(k, axis.weights)).ravel()
    forward = drift > 0
    near, far = np.where(forward, left, right), np.where(forward, right, left)
    second, known = _upwind_of(near, np.where(forward, -1, 1), axis, grid.shape, k)
    both_ways = bool(np.any(forward)) and bool(np.any(drift < 0))
    inner, first = (THIRD, CENTRAL) if both_ways else (SECOND, FIRST)
    sources = np.stack([near, second, far][: len(inner)], axis=1)
    coefficients = np.where(known[:, None], inner, first) * rate[sources]
    moving = drift != 0
    faces = np.full(int(moving.sum()), k)
    return FaceFluxes(left[moving], right[moving], faces, sources[moving], coefficients[moving])


def _upwind_of(
    cells: Indices, step: Indices, axis: Axis, shape: tuple[int, ...], k: int
) -> tuple[Indices, NDArray[np.bool_]]:
    """The cells `step` farther along axis k, and whether there are any; elsewhere the cells themselves."""
    stride = int(np.prod(shape[k + 1 :]))
    place = cells // stride % axis.cells
    beyond = place + step
    if axis.periodic:
        return cells + (beyond % axis.cells - place) * stride, np.ones(cells.size, dtype=bool)
    known = (beyond >= 0) & (beyond < axis.cells)
    return np.where(known, cells + step * stride, cells), known
