"""What moves: dX = A(X) dt + sqrt(2 D(X)) dW, read in one of three conventions, or a Gibbs measure's own dynamics.

With c = 1 (Ito), 1/2 (Stratonovich), 0 (isothermal) the probability current is J = A p - D^(1-c) grad(D^c p), so
Ito gives dp/dt = -div(A p) + d_i d_j(D_ij p), and isothermal dp/dt = -div(A p) + div(D grad p).
Convention names follow Lau & Lubensky, Phys. Rev. E 76, 011123 (2007).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fpsolve.checks import number
from fpsolve.errors import InvalidInput
from fpsolve.functions import Array, Function, Points, UserFunction, tensor, vector

__all__ = ["CONVENTIONS", "Process"]

CONVENTIONS = {"ito": 1.0, "stratonovich": 0.5, "isothermal": 0.0}
SYMMETRY_TOLERANCE = 1e-12


@dataclass(frozen=True, eq=False)
class Process:
    """A diffusion process.

    dX = A(X) dt + sqrt(2 D(X)) dW

    drift: A, a function of the coordinates (one positional argument per axis; a tuple of one array per axis in
        several dimensions), or a constant.
    diffusion: D >= 0, a number, one per axis, or a symmetric tensor; constants or functions.
    convention: "ito" (default), "stratonovich" or "isothermal".
    log_diffusion, drift_over_diffusion: optional direct forms of ln D and A/D, one dimension only, for processes whose
        D underflows where the density still matters.
    reservoir_drift: the drift in the last cells before an end called "reservoir" (several dimensions only).

    A function with a parameter named t is time dependent; `at(t)` freezes it.
    Raises InvalidInput for an unknown convention or a coefficient that is neither a number nor a function.

    >>> well = Process(drift=lambda x: x - x**3, diffusion=0.25)
    >>> well.replace(diffusion=0.5).diffusion
    0.5
    """

    drift: UserFunction | Any
    diffusion: UserFunction | Any
    convention: str = "ito"
    log_diffusion: UserFunction | None = None
    drift_over_diffusion: UserFunction | None = None
    potential: UserFunction | None = None
    temperature: float | None = None
    gradient: UserFunction | None = None
    reservoir_drift: UserFunction | None = None

    def __post_init__(self) -> None:
        if self.convention not in CONVENTIONS:
            raise InvalidInput(f"convention is {self.convention!r}; use 'ito', 'stratonovich' or 'isothermal'")
        for label in ("drift", "diffusion"):
            _check_coefficient(getattr(self, label), label)

    @classmethod
    def gibbs(
        cls,
        loss: UserFunction,
        temperature: float,
        mobility: UserFunction | Any = 1.0,
        gradient: UserFunction | None = None,
    ) -> Process:
        """The dynamics whose stationary density is exactly p = exp(-loss/temperature)/Z.

        A = -mobility grad(loss), D = mobility * temperature, isothermal convention; mobility: a number, one per axis,
        or a symmetric tensor, constants or functions.  The solver takes differences of the loss itself; the gradient
        is needed by particles only, and is a difference within a cell unless given.
        Raises InvalidInput where the temperature is not positive, or a function depends on t.

        >>> Process.gibbs(lambda x: x**2 / 2, temperature=0.1).convention
        'isothermal'
        """
        if not number("temperature", temperature) > 0:
            raise InvalidInput(f"temperature is {temperature}; a Gibbs density needs a positive, finite one")
        if not callable(loss):
            raise InvalidInput(f"loss is {loss!r}; give a function of the coordinates")
        for label, given in (("loss", loss), ("mobility", mobility), ("gradient", gradient)):
            if given is not None and Function(given, label).takes_time:
                raise InvalidInput(
                    f"{label} depends on t; a Gibbs density belongs to one moment: bind t first, as in "
                    "lambda x: loss(x, t=1.0)"
                )
        if not callable(mobility) and np.ndim(mobility) == 0 and not number("mobility", mobility) >= 0:
            raise InvalidInput(f"mobility is {mobility}; it must be >= 0")
        slope = gradient if gradient is not None else partial(_central_gradient, loss)
        drift = partial(_downhill, slope, mobility)
        diffusion = partial(_scaled, mobility, temperature) if callable(mobility) else _times(mobility, temperature)
        return cls(drift, diffusion, "isothermal", potential=loss, temperature=float(temperature), gradient=gradient)

    @property
    def time_dependent(self) -> bool:
        """Whether a coefficient has a parameter named t."""
        return any(function.takes_time for function in self.functions.values())

    def at(self, t: float) -> Process:
        """The same process with its coefficients frozen at time t."""
        timed = {name: f.function for name, f in self.functions.items() if f.takes_time}
        return self.replace(**{name: partial(_frozen_in_time, function, t) for name, function in timed.items()})

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        unknown = set(changes) - {f.name for f in dataclasses.fields(self)}
        if unknown:
            raise InvalidInput(f"a Process has no field {sorted(unknown)}")
        return dataclasses.replace(self, **changes)

    def drift_at(self, points: Points, t: float = 0.0) -> Array:
        """A at the points, shape (ndim, size); checked."""
        return vector(self.functions["drift"], points, t)

    def diffusion_at(self, points: Points, t: float = 0.0) -> Array:
        """D at the points, shape (ndim, ndim, size); symmetric and positive semidefinite, or an error says where."""
        values = tensor(self.functions["diffusion"], points, t)
        _check_symmetric(values, points)
        _check_positive(values, points)
        return values

    @property
    def constant_diffusion(self) -> bool:
        """Whether D is made of numbers, not functions."""
        return _is_constant(self.diffusion)

    def reservoir_drift_at(self, points: Points, t: float = 0.0) -> Array:
        """The drift in the cells before a reservoir, shape (ndim, size)."""
        return vector(self.functions["reservoir_drift"], points, t)

    def potential_at(self, points: Points, t: float = 0.0) -> Array:
        """The loss over the temperature at the points, shape (size,); Gibbs processes only."""
        assert self.temperature is not None
        return self.functions["potential"].scalar(points, t) / self.temperature

    def direct_at(self, label: str, points: Points, t: float = 0.0) -> Array:
        """`log_diffusion` or `drift_over_diffusion` at the points, shape (size,)."""
        return self.functions[label].scalar(points, t, logarithm=label == "log_diffusion")

    @cached_property
    def functions(self) -> dict[str, Function]:
        """The coefficients that are given, by field name, ready to be called."""
        names = ("drift", "diffusion", "log_diffusion", "drift_over_diffusion", "potential", "reservoir_drift")
        labels = {"potential": "loss"}
        return {
            name: Function(getattr(self, name), labels.get(name, name))
            for name in names
            if getattr(self, name) is not None
        }

    def __repr__(self) -> str:
        if self.potential is not None:
            return f"Process.gibbs(temperature={self.temperature:g})"
        return f"Process({self.convention})"


def _check_coefficient(value: Any, label: str) -> None:
    if callable(value):
        return
    if isinstance(value, (tuple, list)):
        for part in value:
            _check_coefficient(part, label)
        return
    numbers = np.asarray(value)
    if numbers.dtype.kind not in "biufc":
        raise InvalidInput(f"{label} is {value!r}; give a function of the coordinates or numbers")


def _check_symmetric(values: Array, points: Points) -> None:
    if len(values) == 1:
        return
    difference = np.abs(values - np.swapaxes(values, 0, 1)).max(axis=(0, 1))
    size = np.abs(values).max(axis=(0, 1))
    if np.any(difference > SYMMETRY_TOLERANCE * size):
        worst = int(np.argmax(difference))
        raise InvalidInput(
            f"diffusion is not symmetric: entries differ by {difference[worst]:.6g} at {points.describe(worst)}; "
            "give D with D_ij = D_ji"
        )


def _check_positive(values: Array, points: Points) -> None:
    suspects = np.flatnonzero(~_minors_positive(values))
    if suspects.size == 0:
        return
    eigenvalues = np.linalg.eigvalsh(np.moveaxis(values[..., suspects], -1, 0))
    lowest, size = eigenvalues[:, 0], np.abs(eigenvalues[:, -1]) if len(values) > 1 else np.zeros(1)
    bad = lowest < -1e-12 * size
    if np.any(bad):
        worst = int(np.argmin(lowest))
        what = "is negative" if len(values) == 1 else "has a negative eigenvalue"
        raise InvalidInput(
            f"diffusion {what} ({lowest[worst]:.6g}) at {points.describe(int(suspects[worst]))}: a diffusion "
            "coefficient cannot be; check the function's sign"
        )


def _minors_positive(values: Array) -> NDArray[np.bool_]:
    """Whether every principal minor is >= 0: then no eigenvalue is negative, and none needs to be computed."""
    positive = np.all(np.einsum("iin->in", values) >= 0, axis=0)
    for i in range(len(values)):
        for j in range(i):
            positive &= values[i, i] * values[j, j] >= values[i, j] ** 2
    if len(values) == 3:
        (a, b, c), (_, d, e), (_, _, f) = values
        positive &= a * (d * f - e * e) - b * (b * f - c * e) + c * (b * e - c * d) >= 0
    return positive


def _downhill(slope: UserFunction, mobility: UserFunction | Any, *x: Array) -> Any:
    """-mobility grad(loss), the mobility a number, one per axis or a tensor."""
    gradient = slope(*x)
    factor = mobility(*x) if callable(mobility) else mobility
    if not isinstance(gradient, tuple):
        return -(factor[0] if isinstance(factor, (tuple, list)) else factor) * gradient
    if not isinstance(factor, (tuple, list)) and (np.ndim(factor) == 0 or np.shape(factor) == np.shape(x[0])):
        return tuple(-factor * part for part in gradient)
    rows = []
    for i, row in enumerate(factor):
        whole_row = isinstance(row, (tuple, list)) or (np.ndim(row) == 1 and np.shape(factor) == (len(x), len(x)))
        rows.append(-sum(m * part for m, part in zip(row, gradient, strict=True)) if whole_row else -row * gradient[i])
    return tuple(rows)


def _frozen_in_time(function: UserFunction, t: float, *x: Array) -> Any:
    return function(*x, t=t)


def _scaled(function: UserFunction, factor: float, *x: Array) -> Any:
    return _times(function(*x), factor)


def _times(numbers: Any, factor: float) -> Any:
    """Numbers, arrays or nested sequences of them, each times factor."""
    return tuple(_times(part, factor) for part in numbers) if isinstance(numbers, (tuple, list)) else numbers * factor


def _is_constant(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return all(_is_constant(part) for part in value)
    return not callable(value)


def _central_gradient(loss: Callable[..., Any], *x: Array) -> Any:
    """Fourth-order central differences, for whoever has no grid to take a better step from."""
    parts = []
    for i, coordinate in enumerate(x):
        size = np.abs(coordinate)
        h = np.where(size > 1e-12, 1e-5 * size, 1e-8)  # never across 0
        shifted = [loss(*x[:i], coordinate + k * h, *x[i + 1 :]) for k in (-2, -1, 1, 2)]
        parts.append((shifted[0] - 8.0 * shifted[1] + 8.0 * shifted[2] - shifted[3]) / (12.0 * h))
    return parts[0] if len(x) == 1 else tuple(parts)
