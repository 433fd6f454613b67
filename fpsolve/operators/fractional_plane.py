"""The kernel of stable jumps in the plane, on equal cells: rates between cells, and what the nearest need in addition.

Jumps M L of an isotropic stable L of unit scale have the density C |M^-1 y|^(-2-alpha)/|det M|,
C = 2^alpha Gamma(1 + alpha/2)/(pi |Gamma(-alpha/2)|).  With y = H m, H the cell's widths and G = M^-1 H,

    far:   rate(m) = C |det G| |G m|^(-2-alpha),   m in Z^2, m != 0,
    near:  the tensor  -(C/2) |det G| sum' m m^T |G m|^(-2-alpha)  of diffusion, in cells,

the first a punctured midpoint rule, the second what it misses at the singularity, with the sum continued beyond where
it converges (Epstein).  Together they are of order 4 - alpha; for M = 1 and square cells the tensor is
-C zeta(alpha/2) beta(alpha/2) h^(-alpha) on the diagonal.  Cells elongated in the metric of M have tensors with a
negative eigenvalue: then the nearest rates, shell by shell, are turned into the diffusion of the same second moment
until it has none.  Selling's decomposition makes edges of it: every rate is >= 0, whatever M and the cells.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import InvalidInput
from fpsolve.kernels.selling import decompose
from fpsolve.operators.epstein import lattice_moments
from fpsolve.operators.images import around

__all__ = ["PlaneKernel", "constant_in_plane"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
SINGULAR = 1e-6  # smallest over largest singular value of M that counts as a line
ALIKE = 1e-9
MOST_SHELLS = 400
NOTHING = 1e-12  # of the largest weight


def constant_in_plane(alpha: float) -> float:
    """C: the density of isotropic jumps of unit scale is C |r|^(-2-alpha)."""
    return 0.5 * alpha * 2.0**alpha * math.gamma(1.0 + 0.5 * alpha) / (math.pi * math.gamma(1.0 - 0.5 * alpha))


@dataclass(frozen=True, eq=False)
class PlaneKernel:
    """Rates of jumps by whole cells.

    widths: of a cell, (2,).  matrix: M, (2, 2).  periods: cells of each periodic axis, None for others.
    """

    alpha: float
    widths: Array
    matrix: Array
    periods: tuple[int | None, int | None] = (None, None)

    def __post_init__(self) -> None:
        sizes = np.linalg.svd(self.matrix, compute_uv=False)
        if not sizes[1] > SINGULAR * sizes[0]:
            raise InvalidInput(
                f"the scale {self.matrix.tolist()} of the jumps has singular values {sizes[0]:.3g} and {sizes[1]:.3g}: "
                "they would keep to a line, which no cells follow; use coordinates along that line and "
                "jumps=(fp.Stable(...), None)"
            )

    @cached_property
    def form(self) -> Array:
        """G^T G: the squared length of a jump m, in units of M, is m.form m."""
        g = np.linalg.solve(self.matrix, np.diag(self.widths))
        return np.asarray(g.T @ g)

    @cached_property
    def constant(self) -> float:
        """C |det G|."""
        return constant_in_plane(self.alpha) * math.sqrt(float(np.linalg.det(self.form)))

    def direct(self, i: Array | float, j: Array | float) -> Array:
        """The rate per cell of a jump by (i, j) cells, whole or not; 0 for none, laps round periodic axes left out."""
        (a, b), (_, c) = self.form
        square = np.asarray(a * i * i + 2.0 * b * i * j + c * j * j)
        with np.errstate(divide="ignore"):
            return np.where(square > 0.0, self.constant * square ** (-1.0 - 0.5 * self.alpha), 0.0)

    def rates(self, i: Array, j: Array) -> Array:
        """The same, with all laps round periodic axes."""
        return self.direct(i, j) + around(self.form, 2.0 + self.alpha, self.periods, i, j) * self.constant

    def far(self, i: Array, j: Array) -> Array:
        """Rates of jumps by (i, j) cells but for those that `near` has."""
        found = self.rates(i, j)
        for offset in self._near[2]:
            for sign in (1, -1):
                apart = [_apart(x, sign * e, n) for x, e, n in zip((i, j), offset, self.periods, strict=True)]
                found[(apart[0] == 0) & (apart[1] == 0)] -= self.direct(*offset.astype(float))
        return found

    @property
    def near(self) -> tuple[Indices, Array]:
        """Offsets (k, 2), of either sign, and the whole rate of each; (1, 0) and (0, 1) come first."""
        return self._near[0], self._near[1]

    @cached_property
    def _near(self) -> tuple[Indices, Array, Indices]:
        """`near`, and the offsets that the kernel leaves to it."""
        tensor, taken = self._tensor()
        offsets, weights = np.zeros((1, 3, 2), dtype=np.int64), np.zeros((1, 3))
        if decompose(tensor[:, :, None], offsets, weights) >= 0:
            raise InvalidInput(f"jumps of scale {self.matrix.tolist()} on cells of {self.widths.tolist()} are too "
                               "elongated for this grid; use cells of another shape")  # fmt: skip
        rates: dict[tuple[int, int], float] = {(1, 0): 0.0, (0, 1): 0.0}
        for (i, j), weight in zip(offsets[0], weights[0], strict=True):
            if weight > NOTHING * weights.max():
                rates[int(i), int(j)] = rates.get((int(i), int(j)), 0.0) + float(weight)
        kept = [offset for offset in rates if not np.any(np.all(taken == offset, axis=1))]
        for i, j in kept:
            rates[i, j] += float(self.direct(i, j))
        apart = np.concatenate([taken, np.array(kept, dtype=np.int64).reshape(-1, 2)])
        return np.array(list(rates), dtype=np.int64), np.array(list(rates.values())), apart

    def _tensor(self) -> tuple[Array, Indices]:
        """What is left to diffusion, in cells, and the offsets whose jumps it contains."""
        tensor = -0.5 * self.constant * lattice_moments(self.form, 0.5 * self.alpha)
        m, length = _half_plane(self.form)
        size = self.constant * float(length[0]) ** (-1.0 - 0.5 * self.alpha)
        taken = 0
        for _ in range(MOST_SHELLS):
            if np.linalg.eigvalsh(tensor)[0] >= -ALIKE * size:
                return tensor, m[:taken]
            shell = int(np.searchsorted(length, length[taken] * (1.0 + ALIKE)))
            rates = self.direct(*m[taken:shell].T.astype(float))
            tensor = tensor + np.einsum("n,ni,nj->ij", rates, m[taken:shell], m[taken:shell])
            taken = shell
        raise InvalidInput(f"the cells, {self.widths.tolist()}, are too elongated for jumps of scale "
                           f"{self.matrix.tolist()}; use cells of another shape")  # fmt: skip


def _apart(cells: Array, offset: float, period: int | None) -> Array:
    return cells - offset if period is None else (cells - offset) % period


def _half_plane(form: Array) -> tuple[Indices, Array]:
    """One of every pair m, -m of short offsets, by length, and m.form m."""
    sizes = np.linalg.eigvalsh(form)
    reach = min(2 * MOST_SHELLS, 4 + math.ceil(4.0 * math.sqrt(float(sizes[1] / sizes[0]))))
    along = np.arange(-reach, reach + 1)
    m = np.stack(np.meshgrid(along, along, indexing="ij"), axis=-1).reshape(-1, 2)
    m = m[(m[:, 0] > 0) | ((m[:, 0] == 0) & (m[:, 1] > 0))]
    length = np.einsum("ni,ij,nj->n", m, form, m)
    order = np.argsort(length, kind="stable")
    return m[order], length[order]
