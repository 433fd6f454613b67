"""What networks are trained on: samples of several inputs and outputs, given once, or drawn afresh for every step.

    y = M x + e

with x of covariance Sx, and e of covariance Se, independent of x.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.asking import reals
from fpsolve.axis import read_only
from fpsolve.checks import whole
from fpsolve.errors import InvalidInput
from fpsolve.models.matrices import tensor

__all__ = ["GaussianSamples", "Samples"]

Array = NDArray[np.float64]
Law = Callable[[np.random.Generator, tuple[int, int]], Any]


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples x (n, inputs) and y (n, outputs), real or synthetic; a column may be given as (n,).

    bias: append a column of ones to x, since networks here have no biases of their own.

    Raises InvalidInput for no samples, unequal lengths, numbers that are not finite, and constant columns.

    >>> Samples([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]], [1.0, 2.0, 3.0])
    Samples(3 samples; 2 inputs, 1 outputs)
    """

    x: Array
    y: Array
    bias: bool = False

    def __post_init__(self) -> None:
        x, y = _columns("x", self.x), _columns("y", self.y)
        if len(x) != len(y):
            raise InvalidInput(
                f"x has {len(x)} samples and y has {len(y)}; every x needs its y: check how they were read"
            )
        if self.bias:
            x = np.column_stack([x, np.ones(len(x))])
        object.__setattr__(self, "x", read_only(x))
        object.__setattr__(self, "y", read_only(y))

    @property
    def n(self) -> int:
        """How many samples."""
        return len(self.x)

    @property
    def inputs(self) -> int:
        """Columns of x."""
        return int(self.x.shape[1])

    @property
    def outputs(self) -> int:
        """Columns of y."""
        return int(self.y.shape[1])

    def __repr__(self) -> str:
        return f"Samples({self.n} samples; {self.inputs} inputs, {self.outputs} outputs)"


@dataclass(frozen=True, eq=False)
class GaussianSamples:
    """Fresh Gaussian samples of a noisy linear map: x ~ N(0, Sx), y = M x + N(0, Se).

    teacher: M (outputs, inputs).  input_covariance, label_covariance: Sx and Se, each a matrix, one number per
    column, or one for all.

    Raises InvalidInput for other shapes, numbers that are not finite, and matrices that are no covariances.

    >>> fresh = GaussianSamples([[1.0, 0.0]], input_covariance=(1.0, 4.0), label_covariance=0.25)
    >>> fresh, fresh.drawn(500, seed=1)
    (GaussianSamples(2 inputs, 1 outputs), Samples(500 samples; 2 inputs, 1 outputs))
    """

    teacher: Array
    input_covariance: ArrayLike = 1.0
    label_covariance: ArrayLike = 1.0

    def __post_init__(self) -> None:
        teacher = np.array(reals("teacher", self.teacher))
        if teacher.ndim != 2 or teacher.size == 0 or not np.all(np.isfinite(teacher)):
            raise InvalidInput(f"teacher has shape {teacher.shape}; give finite numbers, shape (outputs, inputs)")
        object.__setattr__(self, "teacher", read_only(teacher))
        for name, d in (("input_covariance", self.inputs), ("label_covariance", self.outputs)):
            object.__setattr__(self, name, read_only(tensor(name, getattr(self, name), d)))
        if not np.any(self.input_covariance):
            raise InvalidInput("input_covariance is 0, so x is 0 in every sample; give it a positive direction")

    @property
    def inputs(self) -> int:
        """Columns of M."""
        return int(self.teacher.shape[1])

    @property
    def outputs(self) -> int:
        """Rows of M."""
        return int(self.teacher.shape[0])

    @cached_property
    def root(self) -> Array:
        """The lower triangular matrix that turns standard normals into (x, y)."""
        Lx, Le = _root(np.asarray(self.input_covariance)), _root(np.asarray(self.label_covariance))
        return np.block([[Lx, np.zeros((self.inputs, self.outputs))], [self.teacher @ Lx, Le]])

    @cached_property
    def points(self) -> Array:
        """Rows (x, y) whose mean squared error is that of the law without its label noise, for linear networks.

        x are columns of sqrt(inputs) Sx^(1/2), y = M x.
        """
        x = np.sqrt(self.inputs) * _root(np.asarray(self.input_covariance)).T
        return np.hstack([x, x @ self.teacher.T])

    def drawn(self, n: int, seed: int, law: Law | None = None) -> Samples:
        """n samples of the same covariances, kept: x = Lx z, y = M x + Le z', Lx and Le roots of Sx and Se.

        law: what draws z and z', from a numpy Generator and a shape, instead of standard normals: heavy-tailed samples
        by `lambda random, shape: random.standard_t(3, shape)`, or by any sampler of stable numbers.

        Raises InvalidInput for n < 2, a seed that is no whole number, and a law that gives another shape.
        """
        random = np.random.Generator(np.random.Philox(whole("seed", seed, 0)))
        shape = (whole("n", n, 2), self.inputs + self.outputs)
        z = np.asarray(random.standard_normal(shape) if law is None else law(random, shape), dtype=float)
        if z.shape != shape:
            raise InvalidInput(f"law returned shape {z.shape} when asked for {shape}; give numbers of that shape")
        x, y = np.split(z @ self.root.T, [self.inputs], axis=1)
        return Samples(x, y)

    def __repr__(self) -> str:
        return f"GaussianSamples({self.inputs} inputs, {self.outputs} outputs)"


def _columns(name: str, given: ArrayLike) -> Array:
    raw = np.asarray(given)
    if raw.dtype.kind not in "iufb":
        raise InvalidInput(f"{name} has dtype {raw.dtype}; give real numbers: convert the columns first")
    columns = np.array(raw[:, None] if raw.ndim == 1 else raw, dtype=float)
    if columns.ndim != 2 or columns.size == 0:
        raise InvalidInput(f"{name} has shape {raw.shape}; give one row a sample, shape (n, columns), n > 0")
    wrong = np.argwhere(~np.isfinite(columns))
    if len(wrong):
        i, j = wrong[0]
        raise InvalidInput(
            f"{name}[{i}, {j}] is {columns[i, j]}; drop the samples that are not finite ({len(wrong)} are)"
        )
    constant = np.flatnonzero(np.ptp(columns, axis=0) == 0)
    if constant.size:
        j = constant[0]
        raise InvalidInput(
            f"column {j} of {name} is constant ({columns[0, j]:g} in all {len(columns)} samples); leave it out; "
            "bias=True adds a column of ones"
        )
    return columns


def _root(covariance: Array) -> Array:
    """A lower triangular L with L L' = covariance, which need not have full rank."""
    sizes, frame = np.linalg.eigh(covariance)
    root = frame * np.sqrt(np.maximum(sizes, 0.0))  # below 0 by rounding only
    upper = np.asarray(np.linalg.qr(root.T, mode="r"))
    return np.asarray(upper.T * np.where(np.diag(upper) < 0, -1.0, 1.0))
