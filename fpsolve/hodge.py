"""The Helmholtz-Hodge split of a current: J = -grad phi + R, div R = 0, with R tangential at walls.

phi solves the Poisson equation -lap phi = div J on the grid (five points in two dimensions, each face's area over the
distance of its nodes), so that R is free of divergence cell by cell.
Source: Chorin & Marsden, A Mathematical Introduction to Fluid Mechanics (1993), section 1.3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fpsolve.axis import read_only
from fpsolve.grid import Grid
from fpsolve.operators.product import neighbours
from fpsolve.values.field import Field

__all__ = ["Hodge", "hodge_split"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Hodge:
    """Two parts of a current, each per axis at the faces as `Current.at_faces`.

    potential: phi at the nodes.  gradient: -grad phi.  rotation: the rest, free of divergence.
    sizes: int |part|^2 dx of the gradient and of the rotation; the two are orthogonal, so they add up to J's.
    """

    potential: Field
    gradient: tuple[Array, ...]
    rotation: tuple[Array, ...]
    sizes: tuple[float, float]

    def __repr__(self) -> str:
        total = sum(self.sizes)
        share = self.sizes[1] / total if total > 0 else 0.0
        return f"Hodge(gradient {self.sizes[0]:.4g}, rotation {self.sizes[1]:.4g}: {100 * share:.3g} % rotational)"


@dataclass(frozen=True, eq=False)
class _Across:
    """The faces inside the grid across one axis: cells beside them, areas, distances of their nodes, and J there."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    area: Array
    gap: Array
    current: Array

    @classmethod
    def of(cls, grid: Grid, k: int, at_faces: Array) -> _Across:
        axis = grid.axes[k]
        left, right = neighbours(grid.shape, k, axis.periodic)
        area = np.broadcast_to(grid.areas(k), left.shape)
        gap = axis.gaps.reshape([-1 if i == k else 1 for i in range(grid.ndim)])
        inside = np.moveaxis(at_faces, k, 0)[1 : None if axis.periodic else -1]
        return cls(left, right, area, gap, np.moveaxis(inside, 0, k))


def hodge_split(grid: Grid, at_faces: tuple[Array, ...]) -> Hodge:
    """Split a current given at the faces; what leaves at absorbing ends is left in the rotation."""
    from scipy.sparse.linalg import splu

    cells = grid.size
    parts = [_Across.of(grid, k, faces) for k, faces in enumerate(at_faces)]
    laplacian, divergence = sparse.csc_matrix((cells, cells)), np.zeros(cells)
    for part in parts:
        left, right = part.left.ravel(), part.right.ravel()
        flux, weight = (part.current * part.area).ravel(), (part.area / part.gap).ravel()
        divergence += np.bincount(left, flux, minlength=cells) - np.bincount(right, flux, minlength=cells)
        rows, columns = np.concatenate([left, right, left, right]), np.concatenate([left, right, right, left])
        values = np.concatenate([weight, weight, -weight, -weight])
        laplacian = laplacian + sparse.csc_matrix((values, (rows, columns)), shape=(cells, cells))
    pinned = laplacian[:-1, :-1].tocsc()  # phi is known up to a constant: 0 in the last cell
    factors = splu(pinned, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    phi = np.append(factors.solve(divergence[:-1]), 0.0)
    return _split(grid, at_faces, phi, parts)


def _split(grid: Grid, at_faces: tuple[Array, ...], phi: Array, parts: list[_Across]) -> Hodge:
    gradient, sizes = [], [0.0, 0.0]
    for k, (faces, part) in enumerate(zip(at_faces, parts, strict=True)):
        downhill = (phi[part.left] - phi[part.right]) / part.gap
        whole = np.zeros(faces.shape)
        moved, inside = np.moveaxis(whole, k, 0), np.moveaxis(downhill, k, 0)
        if grid.axes[k].periodic:
            moved[1:], moved[0] = inside, inside[-1]
        else:
            moved[1:-1] = inside
        gradient.append(read_only(whole))
        volume = part.area * part.gap
        sizes[0] += float(np.sum(downhill**2 * volume))
        sizes[1] += float(np.sum((part.current - downhill) ** 2 * volume))
    rotation = tuple(read_only(faces - part) for faces, part in zip(at_faces, gradient, strict=True))
    return Hodge(Field(grid, phi.reshape(grid.shape), "potential"), tuple(gradient), rotation, (sizes[0], sizes[1]))
