"""Where SGD's noise leaves a linear network: its noise equilibrium, at the minimum and without weight decay.

Two layers, f = U W x, inputs of covariance Sx and label noise of covariance Se:

    Tr[Sx] U' Se U = Tr[Se] W Sx W'

A chain V = W_D ... W_1, with sqrt(Se) V sqrt(Sx) = L S R (S its singular values): the layers between the first and the
last are rotations times c, and the first and last have singular values, in the metrics of Sx and Se,

    c = (Tr S/sqrt(Tr Sx Tr Se))^(1/D),   s_first^2 = S sqrt(Tr Sx/Tr Se)/c^(D-2),   s_last^2 likewise, mirrored.

Gradient descent keeps the layers as they are; SGD leads here from any start.
Source: Ziyin, Wang, Li & Wu, arXiv 2402.07193.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.checks import whole
from fpsolve.errors import InvalidInput
from fpsolve.models.samples import GaussianSamples

__all__ = ["NoiseEquilibrium"]

Array = NDArray[np.float64]
ROUNDING = 1e-12  # of the largest singular value


@dataclass(frozen=True, eq=False)
class NoiseEquilibrium:
    """The noise equilibrium of a chain of `matrices` linear layers that has learnt the map of fresh samples.

    data: fresh samples.  matrices: layers, two or more.

    Raises InvalidInput for fewer than two layers, and without label noise, where nothing moves the layers.

    >>> balance = NoiseEquilibrium(GaussianSamples([[2.0, 0.0], [0.0, 0.5]], input_covariance=4.0), matrices=3)
    >>> balance.singular_values, round(balance.between, 9), balance.first.round(6)
    (array([4., 1.]), 1.077217345, array([2.725168, 1.362584]))
    """

    data: GaussianSamples
    matrices: int = 2

    def __post_init__(self) -> None:
        whole("matrices", self.matrices, 2)
        if not isinstance(self.data, GaussianSamples):
            raise InvalidInput(f"data is {type(self.data).__name__}; give GaussianSamples, of known covariances")
        if not np.any(self.data.label_covariance):
            raise InvalidInput("label_covariance is 0: without noise at the minimum nothing moves the layers")

    @cached_property
    def singular_values(self) -> Array:
        """S, falling, those that are not 0."""
        values = np.linalg.svd(self._label_root.T @ self.data.teacher @ self._input_root, compute_uv=False)
        return np.asarray(values[values > ROUNDING * values.max(initial=0.0)])

    @property
    def between(self) -> float:
        """c, every singular value of every layer between the first and the last."""
        total = float(self.singular_values.sum())
        return float((total / np.sqrt(self._noise[0] * self._noise[1])) ** (1.0 / self.matrices))

    @property
    def first(self) -> Array:
        """The singular values of W_1 sqrt(Sx)."""
        return self._outer(self._noise[0] / self._noise[1])

    @property
    def last(self) -> Array:
        """The singular values of sqrt(Se) W_D."""
        return self._outer(self._noise[1] / self._noise[0])

    def measured(self, layers: Sequence[ArrayLike]) -> tuple[Array, Array, Array]:
        """`first`, `last` and c of trained layers W_1, ..., W_D, each (..., outputs, inputs): c is (D - 2, rank).

        The hidden units may be turned into each other, and noise does so; hence squares that no such turn changes, as
        (W_2 W_1)'(W_2 W_1), are averaged over all leading axes, replicas and times, before roots are taken.
        """
        chain = self._chain(layers)
        first = _roots(_mean_square(chain[0] @ self._input_root))[: self.singular_values.size]
        last = _roots(_mean_square(np.swapaxes(chain[-1], -1, -2) @ self._label_root))[: self.singular_values.size]
        so_far, between = chain[0] @ self._learnt, []
        for W in chain[1:-1]:
            further = W @ so_far
            between.append(
                _roots(np.asarray(np.linalg.solve(_mean_square(so_far), _mean_square(further)), dtype=np.float64))
            )
            so_far = further
        return first, last, np.array(between).reshape(self.matrices - 2, self.singular_values.size)

    def imbalance(self, layers: Sequence[ArrayLike]) -> float:
        """|difference|/|mean| of both sides of the equilibrium of two layers (W, U), else InvalidInput; 0 in balance.

        Of W'(...)W, averaged over all leading axes, so that turns of the hidden units do not matter; Frobenius norms.
        """
        if self.matrices != 2:
            raise InvalidInput(f"this chain has {self.matrices} matrices; `imbalance` is of two layers: use `measured`")
        W, U = self._chain(layers)
        inputs, labels = np.asarray(self.data.input_covariance), np.asarray(self.data.label_covariance)
        square, V = np.swapaxes(W, -1, -2) @ W, U @ W
        into = self._noise[1] * _mean(square @ inputs @ square)
        out = self._noise[0] * _mean(np.swapaxes(V, -1, -2) @ labels @ V)
        return float(2.0 * np.linalg.norm(out - into) / np.linalg.norm(out + into))

    def _chain(self, layers: Sequence[ArrayLike]) -> list[Array]:
        chain = [np.asarray(layer, dtype=float) for layer in layers]
        if len(chain) != self.matrices or any(layer.ndim < 2 for layer in chain):
            raise InvalidInput(f"layers has {len(chain)} entries; give {self.matrices} matrices (..., outputs, inputs)")
        return chain

    @cached_property
    def _learnt(self) -> Array:
        """Inputs that span what the map does not send to 0, (inputs, rank)."""
        _, values, rows = np.linalg.svd(self._label_root.T @ self.data.teacher @ self._input_root)
        return self._input_root @ rows[: int((values > ROUNDING * values.max(initial=0.0)).sum())].T

    @property
    def _noise(self) -> tuple[float, float]:
        """Tr Sx, Tr Se."""
        return float(np.trace(self.data.input_covariance)), float(np.trace(self.data.label_covariance))

    @property
    def _input_root(self) -> Array:
        return self.data.root[: self.data.inputs, : self.data.inputs]

    @property
    def _label_root(self) -> Array:
        return self.data.root[self.data.inputs :, self.data.inputs :]

    def _outer(self, ratio: float) -> Array:
        return np.sqrt(self.singular_values * np.sqrt(ratio) / self.between ** (self.matrices - 2))

    def __repr__(self) -> str:
        values = ", ".join(f"{value:.4g}" for value in self.singular_values)
        return f"NoiseEquilibrium({self.matrices} matrices, singular values {values}; c = {self.between:.6g})"


def _mean(squares: Array) -> Array:
    """Over all leading axes."""
    return np.asarray(squares.reshape(-1, *squares.shape[-2:]).mean(axis=0))


def _mean_square(matrix: Array) -> Array:
    return _mean(np.swapaxes(matrix, -1, -2) @ matrix)


def _roots(square: Array) -> Array:
    """Square roots of the eigenvalues, falling; of a square or a quotient of two, real but for rounding."""
    return np.asarray(np.sqrt(np.abs(np.sort(np.linalg.eigvals(square).real)[::-1])))
