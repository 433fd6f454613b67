"""Data for one-parameter regression y ~ v x, and the five moments through which it enters every model.

    alpha1 = Var[x^2],  alpha2 = Cov[x^2, x y],  alpha3 = Var[x y],  beta1 = E[x^2],  beta2 = E[x y]

With the loss (v x - y)^2 the mean gradient is 2 (beta1 v - beta2) and its variance over samples 4 C(v),
C(v) = alpha1 v^2 - 2 alpha2 v + alpha3.  Ziyin, Li & Ueda, arXiv 2308.06671.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.checks import number, whole
from fpsolve.errors import InvalidInput

__all__ = ["Moments", "Regression"]

Array = NDArray[np.float64]
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Moments:
    """The five moments of the data that a linear model's SGD depends on.

    alpha1, alpha2, alpha3, beta1, beta2: Var[x^2], Cov[x^2, x y], Var[x y], E[x^2] and E[x y].

    Raises InvalidInput where no data can have them: a value not finite, alpha1 < 0, alpha3 < 0, beta1 <= 0, or
    alpha1 alpha3 < alpha2^2 (Cauchy-Schwarz) beyond rounding.

    >>> float(Moments(2, 2, 3, 1, 1).gradient_variance(1.0))
    1.0
    """

    alpha1: float
    alpha2: float
    alpha3: float
    beta1: float
    beta2: float

    def __post_init__(self) -> None:
        for name in ("alpha1", "alpha2", "alpha3", "beta1", "beta2"):
            object.__setattr__(self, name, number(name, getattr(self, name)))
        for name, meaning in (("alpha1", "Var[x^2]"), ("alpha3", "Var[x y]")):
            if getattr(self, name) < 0:
                raise InvalidInput(f"{name} is {getattr(self, name):g}; it is the variance {meaning}, give it >= 0")
        if self.beta1 <= 0:
            raise InvalidInput(f"beta1 is {self.beta1:g}; it is the mean E[x^2], give it > 0")
        product = self.alpha1 * self.alpha3
        if product - self.alpha2**2 < -ROUNDING * product:
            raise InvalidInput(
                f"alpha1 alpha3 = {product:g} is smaller than alpha2^2 = {self.alpha2**2:g}; no covariance "
                "exceeds the product of the deviations: check that alpha2 is Cov[x^2, x y]"
            )

    @property
    def determinant(self) -> float:
        """Delta = alpha1 alpha3 - alpha2^2 >= 0; 0 where rounding cannot tell it from 0."""
        product = self.alpha1 * self.alpha3
        delta = product - self.alpha2**2
        return delta if delta > ROUNDING * product else 0.0

    def gradient_variance(self, v: ArrayLike) -> Array:
        """C(v) = alpha1 v^2 - 2 alpha2 v + alpha3, a quarter of the gradient's variance at v (any shape)."""
        x = np.asarray(v, dtype=float)
        return self.alpha1 * x * x - 2.0 * self.alpha2 * x + self.alpha3

    def mirrored(self) -> Moments:
        """The moments of (x, -y): what the coordinate -v sees."""
        return Moments(self.alpha1, -self.alpha2, self.alpha3, self.beta1, -self.beta2)

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={getattr(self, name):.6g}" for name in ("alpha1", "alpha2", "alpha3"))
        return f"Moments({values}, beta1={self.beta1:.6g}, beta2={self.beta2:.6g})"


@dataclass(frozen=True, eq=False)
class Regression:
    """Samples (x_i, y_i) of a one-dimensional regression: real columns or synthetic ones.

    `x` and `y` have shape (n,) and are kept as read-only float64 copies.

    Raises InvalidInput for empty, two-dimensional or unequal columns, NaN or infinite entries (with their index) and
    a constant column.

    >>> Regression([-1.0, 0.5, 2.0], [-1.0, 1.0, 1.5]).moments.beta1
    1.75
    """

    x: Array
    y: Array

    def __post_init__(self) -> None:
        for name in ("x", "y"):
            object.__setattr__(self, name, _column(name, getattr(self, name)))
        if self.x.size != self.y.size:
            raise InvalidInput(
                f"x has {self.x.size} samples and y has {self.y.size}; every x needs its y: check how they were read"
            )

    @classmethod
    def synthetic(cls, n: int, *, slope: float = 1.0, noise: float = 1.0, seed: int = 0) -> Regression:
        """n samples of y = slope x + noise xi, x and xi standard normal.

        With slope = noise = 1 the moments tend to alpha = (2, 2, 3), beta = (1, 1).  Raises InvalidInput unless n >= 2,
        noise >= 0 and seed >= 0 are finite, n and seed whole.
        """
        whole("n", n, 2)
        whole("seed", seed, 0)
        if not (np.isfinite(slope) and np.isfinite(noise)) or noise < 0:
            raise InvalidInput(f"slope is {slope} and noise is {noise}; both must be finite and noise >= 0")
        random = np.random.Generator(np.random.Philox(int(seed)))
        x = random.standard_normal(n)
        return cls(x, slope * x + noise * random.standard_normal(n))

    @property
    def n(self) -> int:
        """How many samples."""
        return int(self.x.size)

    @cached_property
    def moments(self) -> Moments:
        """The population moments of these samples (divided by n: minibatches are drawn from them)."""
        square, product = self.x * self.x, self.x * self.y
        covariance = np.mean((square - square.mean()) * (product - product.mean()))
        return Moments(
            float(square.var()), float(covariance), float(product.var()), float(square.mean()), float(product.mean())
        )

    def standardized(self) -> Regression:
        """Both columns shifted to mean 0 and scaled to population deviation 1 (so beta1 = 1, beta2 the correlation)."""
        return Regression((self.x - self.x.mean()) / self.x.std(), (self.y - self.y.mean()) / self.y.std())

    def __repr__(self) -> str:
        m = self.moments
        return f"Regression({self.n} samples; E[x^2] {m.beta1:.6g}, E[x y] {m.beta2:.6g})"


def _column(name: str, values: ArrayLike) -> Array:
    raw = np.asarray(values)
    if raw.dtype.kind not in "iufb":
        raise InvalidInput(f"{name} has dtype {raw.dtype}; give real numbers: convert the column first")
    if raw.ndim != 1:
        raise InvalidInput(f"{name} has shape {raw.shape}; give one column, shape (n,): pick a column or ravel it")
    if raw.size == 0:
        raise InvalidInput(f"{name} is empty; a regression needs samples: check the file or the selection")
    column = np.array(raw, dtype=np.float64)
    wrong = np.flatnonzero(~np.isfinite(column))
    if wrong.size:
        raise InvalidInput(
            f"{name}[{wrong[0]}] is {column[wrong[0]]} ({wrong.size} of {column.size} samples are not finite); "
            "drop those samples from both columns"
        )
    if np.all(column == column[0]):
        raise InvalidInput(
            f"{name} is constant ({column[0]:g} in all {column.size} samples); it carries no regression: choose another"
        )
    column.setflags(write=False)
    return column
