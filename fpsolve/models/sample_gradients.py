"""A user's per-sample gradients: called, checked, and averaged over the data.

    mean = E g,   cov_ij = E g_i g_j - E g_i E g_j,   third = E (g - E g)^3        (E: over the samples, each 1/N)

The function gets the parameters with their places down the rows and the columns of the data along the rows, so that
g has the shape (places, samples): one array for one parameter, a tuple of two for two.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.asking import ask, check_repeats, reals, shown
from fpsolve.axis import read_only
from fpsolve.errors import InvalidInput
from fpsolve.functions import Function

__all__ = ["GradientMoments", "SampleGradients"]

Array = NDArray[np.float64]
AT_ONCE = 2_000_000  # gradients in memory


@dataclass(frozen=True, eq=False)
class GradientMoments:
    """Of one sample's gradient, at k places: mean (d, k), cov (d, d, k), third (d, k), each axis alone."""

    mean: Array
    cov: Array
    third: Array


@dataclass(frozen=True, eq=False)
class SampleGradients:
    """g(theta, *columns) for `parameters` parameters.

    columns: the data, each with one row per sample.  names: of the columns, where they have any.

    Raises InvalidInput for empty data, columns of different lengths and data that are not finite numbers, and for a
    gradient with other arguments; `check` for one that raises, has another shape, is not real, or differs from one call
    to the next.
    """

    gradient: Callable[..., Any]
    columns: tuple[Array, ...]
    parameters: int
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not callable(self.gradient):
            raise InvalidInput(f"gradient is {shown(self.gradient)}; give the function g(theta, x, y) of one sample")
        object.__setattr__(self, "columns", _columns(self.columns))
        self._check_arguments()

    @property
    def call(self) -> str:
        """How the gradient is called, for messages."""
        columns = self.names or tuple(f"column{k + 1}" for k in range(len(self.columns)))
        theta = "theta" if self.parameters == 1 else "theta = (theta1, theta2)"
        return f"gradient({', '.join((theta, *columns))})"

    def _check_arguments(self) -> None:
        """As many as there are, and named columns in their places."""
        parameters = Function(self.gradient, "gradient").parameters
        takes = tuple(parameter.name for parameter in parameters)
        try:
            inspect.Signature(parameters).bind(*range(1 + len(self.columns)))
        except TypeError:
            right = not parameters  # builtins and ufuncs do not say
        else:
            right = not set(self.names) <= set(takes) or takes[1 : 1 + len(self.names)] == self.names
        if not right:
            tuples = "" if self.parameters == 1 else ": both parameters come as one tuple, a, b = theta"
            raise InvalidInput(f"gradient takes ({', '.join(takes)}), but it is called as {self.call}{tuples}")

    @property
    def n(self) -> int:
        """The number of samples."""
        return len(self.columns[0])

    def check(self, theta: Array) -> None:
        """Ask at a few places from theta (d,) on, and again at the first alone; what is not finite passes here."""
        k = 3 if self.n != 3 else 2  # a mean over the samples, (places,), must not pass for a row of them
        places = theta[:, None] * np.linspace(1.0, 1.25, k)
        first, again = (
            self._shaped(self._ask(some[:, :, None], self.columns), (some.shape[1], self.n))
            for some in (places, places[:, :1])
        )
        where = ", ".join(f"{value:.6g}" for value in theta)
        check_repeats("gradient", first[:, :1], again, f"at theta=({where})", self.call)

    def __call__(self, theta: Array) -> Array:
        """All gradients at the places theta (d, k), shape (d, k, samples); checked."""
        g = self._shaped(self._ask(theta[:, :, None], self.columns), (theta.shape[1], self.n))
        if not np.all(np.isfinite(g)):
            i, place, sample = np.argwhere(~np.isfinite(g))[0]
            where = ", ".join(f"{value:.6g}" for value in theta[:, place])
            raise InvalidInput(
                f"gradient is {g[i, place, sample]} at theta=({where}), sample {sample}; it must be finite"
            )
        return g

    def of_samples(self, theta: Array, samples: NDArray[np.int64]) -> Array:
        """The gradients at theta (d, k) of each place's own samples (k, m), shape (d, k, m); not checked."""
        answer = self._ask(theta[:, :, None], tuple(column[samples] for column in self.columns))
        return self._shaped(answer, samples.shape)

    def moments(self, theta: Array) -> GradientMoments:
        """Mean, covariance and third cumulant at theta (d, k), as many places at a time as memory likes."""
        d, k = theta.shape
        size = max(1, AT_ONCE // (self.n * d))
        mean, cov, third = np.empty((d, k)), np.empty((d, d, k)), np.empty((d, k))
        for first in range(0, k, size):
            part = slice(first, first + size)
            g = self(theta[:, part])
            mean[:, part] = g.mean(axis=2)
            g = g - mean[:, part, None]
            cov[:, :, part] = np.einsum("ikn,jkn->ijk", g, g) / self.n
            third[:, part] = np.mean(g**3, axis=2)
        return GradientMoments(mean, cov, third)

    def mean(self, theta: Array) -> Array:
        """The full-batch gradient at theta (d, k), shape (d, k); not finite where the function is not."""
        size = max(1, AT_ONCE // (self.n * len(theta)))
        parts = []
        with np.errstate(all="ignore"):
            for first in range(0, theta.shape[1], size):
                part = theta[:, first : first + size]
                answer = self._ask(part[:, :, None], self.columns)
                parts.append(self._shaped(answer, (part.shape[1], self.n)).mean(axis=2))
        return np.concatenate(parts, axis=1)

    def _ask(self, theta: Array, columns: tuple[Array, ...]) -> Any:
        with np.errstate(all="ignore"):  # what is not finite is told with its place
            places = theta[0] if self.parameters == 1 else tuple(theta)
            return ask(self.gradient, "gradient", places, *columns, call=self.call)

    def _shaped(self, answer: Any, shape: tuple[int, ...]) -> Array:
        """The answer as an array (d, places, samples)."""
        parts = tuple(answer) if isinstance(answer, (tuple, list)) else (answer,)
        if len(parts) != self.parameters:
            raise InvalidInput(
                f"gradient returned {len(parts)} parts for {self.parameters} parameters; give one array for one "
                "parameter, a tuple of one array each for more"
            )
        numbers = [reals("gradient", part) for part in parts]
        if shape[1] > 1 and not all(part.ndim for part in numbers):
            raise InvalidInput(
                f"gradient returned one number for {shape[0]} places and {shape[1]} samples; give one gradient per "
                f"place and sample, shape {shape}, not their mean: {self.call} is called with theta as a column"
            )
        try:
            return np.stack([np.broadcast_to(part, shape) for part in numbers])
        except ValueError as error:
            raise InvalidInput(
                f"gradient returned shapes {[np.shape(part) for part in parts]} for {shape[0]} places and {shape[1]} "
                "samples; theta comes as a column (places, 1), so that products with the data have shape "
                f"{shape}: one number per place and sample, not their mean"
            ) from error


def _columns(given: Sequence[ArrayLike]) -> tuple[Array, ...]:
    columns = []
    for k, column in enumerate(given):
        raw = np.asarray(column)
        if raw.dtype.kind not in "biuf" or raw.ndim == 0:
            raise InvalidInput(f"data[{k}] has dtype {raw.dtype} and shape {raw.shape}; give numbers, a row per sample")
        values = np.array(raw, dtype=float)
        if not np.all(np.isfinite(values)):
            row = int(np.argwhere(~np.isfinite(values))[0][0])
            raise InvalidInput(f"data[{k}] is {values[row]} in sample {row}; drop samples that are not finite")
        columns.append(read_only(values))
    if not columns or len({len(column) for column in columns}) > 1 or len(columns[0]) == 0:
        lengths = [len(column) for column in columns]
        raise InvalidInput(f"data has columns of {lengths} samples; give one or more columns with as many in each")
    return tuple(columns)
