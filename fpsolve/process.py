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
        mobility: UserFunction | float = 1.0,
        gradient: UserFunction | None = None,
    ) -> Process:
        """The dynamics whose stationary density is exactly p = exp(-loss/temperature)/Z.

        A = -mobility grad(loss), D = mobility * temperature, isothermal convention.  The solver takes differences of
        the loss itself; the gradient is needed by particles only, and is a difference within a cell unless given.
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
        if not callable(mobility) and not number("mobility", mobility) >= 0:
            raise InvalidInput(f"mobility is {mobility}; it must be >= 0")
        slope = gradient if gradient is not None else partial(_central_gradient, loss)
        drift = partial(_downhill, slope, mobility)
        diffusion = partial(_scaled, mobility, temperature) if callable(mobility) else mobility * temperature
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
        names = ("drift", "diffusion", "log_diffusion", "drift_over_diffusion", "potential")
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
    if len(values) == 1:
        lowest, size = values[0, 0], np.zeros(1)
    else:
        eigenvalues = np.linalg.eigvalsh(np.moveaxis(values, -1, 0))
        lowest, size = eigenvalues[:, 0], np.abs(eigenvalues[:, -1])
    bad = lowest < -1e-12 * size
    if np.any(bad):
        worst = int(np.argmin(lowest))
        what = "is negative" if len(values) == 1 else "has a negative eigenvalue"
        raise InvalidInput(
            f"diffusion {what} ({lowest[worst]:.6g}) at {points.describe(worst)}: a diffusion coefficient cannot be; "
            "check the function's sign"
        )


def _downhill(slope: UserFunction, mobility: UserFunction | float, *x: Array) -> Any:
    gradient = slope(*x)
    factor = mobility(*x) if callable(mobility) else mobility
    if isinstance(gradient, tuple):
        return tuple(-factor * part for part in gradient)
    return -factor * gradient


def _frozen_in_time(function: UserFunction, t: float, *x: Array) -> Any:
    return function(*x, t=t)


def _scaled(function: UserFunction, factor: float, *x: Array) -> Any:
    return factor * function(*x)


def _central_gradient(loss: Callable[..., Any], *x: Array) -> Any:
    """Fourth-order central differences, for whoever has no grid to take a better step from."""
    parts = []
    for i, coordinate in enumerate(x):
        size = np.abs(coordinate)
        h = np.where(size > 1e-12, 1e-5 * size, 1e-8)  # never across 0
        shifted = [loss(*x[:i], coordinate + k * h, *x[i + 1 :]) for k in (-2, -1, 1, 2)]
        parts.append((shifted[0] - 8.0 * shifted[1] + 8.0 * shifted[2] - shifted[3]) / (12.0 * h))
    return parts[0] if len(x) == 1 else tuple(parts)
