"""What moves: dX = A(X) dt + sqrt(2 D(X)) dW, read in one of three conventions, or a Gibbs measure's own dynamics.

With c = 1 (Ito), 1/2 (Stratonovich), 0 (isothermal) the probability current is J = A p - D^(1-c) grad(D^c p), so
Ito gives dp/dt = -div(A p) + d_i d_j(D_ij p), and isothermal dp/dt = -div(A p) + div(D grad p).
Convention names follow Lau & Lubensky, Phys. Rev. E 76, 011123 (2007).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fpsolve.asking import shown
from fpsolve.checks import number
from fpsolve.downhill import central_gradient, downhill, scaled, times
from fpsolve.errors import InvalidInput
from fpsolve.functions import Array, Function, Points, UserFunction, tensor, vector
from fpsolve.gaussian_jumps import is_constant_scale, with_gaussian_jumps, without_zeros
from fpsolve.jumps import Jumps, Stable

__all__ = ["CONVENTIONS", "Process"]

CONVENTIONS = {"ito": 1.0, "stratonovich": 0.5, "isothermal": 0.0}
SYMMETRY_TOLERANCE = 1e-12


@dataclass(frozen=True, eq=False)
class Process:
    """A diffusion process.

        dX = A(X) dt + sqrt(2 D(X)) dW + scale(X-) dL, in the time of a clock that may stand still (memory < 1)

    drift: A, a function of the coordinates (one positional argument per axis; a tuple of one array per axis in
        several dimensions), or a constant.
    diffusion: D >= 0, a number, one per axis, or a symmetric tensor; constants or functions.  Where the noise is
        written sigma dW, D = sigma^2/2 (a tensor: sigma sigma^T/2).  0 where it is left out beside jumps.
    convention: "ito" (default), "stratonovich" or "isothermal"; of the diffusion, not of the jumps.
    jumps: fp.Stable(alpha, scale); in several dimensions one for all axes (isotropic) or a tuple of one per axis (None
        where there are none).  Those with alpha = 2 become part of the diffusion.
    memory: Caputo order in (0, 1]: below 1 the process waits, its clock the inverse of a stable subordinator.
    log_diffusion, drift_over_diffusion: optional direct forms of ln D and A/D, one dimension only, for processes whose
        D underflows where the density still matters.
    potential, temperature, gradient: what `gibbs` was given; use that.
    reservoir_drift: the drift in the last cells before an end called "reservoir" (several dimensions only).

    A function with a parameter named t is time dependent; `at(t)` freezes it.
    Raises InvalidInput for an unknown convention, a coefficient that is neither a number nor a function, and a memory
    outside (0, 1].

    >>> well = Process(drift=lambda x: x - x**3, diffusion=0.25)
    >>> well.replace(diffusion=0.5).diffusion
    0.5
    """

    drift: UserFunction | Any
    diffusion: UserFunction | Any = None
    convention: str = "ito"
    log_diffusion: UserFunction | None = None
    drift_over_diffusion: UserFunction | None = None
    potential: UserFunction | None = None
    temperature: float | None = None
    gradient: UserFunction | None = None
    reservoir_drift: UserFunction | None = None
    jumps: Jumps | None = None
    memory: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 < number("memory", self.memory) <= 1.0:
            raise InvalidInput(f"memory is {self.memory}; a Caputo order lies in (0, 1] (1: no memory)")
        self._take_in_jumps()
        if self.convention not in CONVENTIONS:
            raise InvalidInput(f"convention is {shown(self.convention)}; use 'ito', 'stratonovich' or 'isothermal'")
        for label in ("drift", "diffusion"):
            _check_coefficient(getattr(self, label), label)

    def _take_in_jumps(self) -> None:
        """Check the jumps, leave out those of scale 0, and turn those of index 2 into diffusion."""
        if self.jumps is None:
            if self.diffusion is None:
                raise InvalidInput("diffusion is missing; give D, or jumps=fp.Stable(alpha, scale), or both")
            return
        diffusion, given = 0.0 if self.diffusion is None else self.diffusion, without_zeros(self.jumps)
        diffusion, jumps = (diffusion, None) if given is None else with_gaussian_jumps(diffusion, given)
        if jumps is not given:
            if self.log_diffusion is not None or self.drift_over_diffusion is not None or self.potential is not None:
                raise InvalidInput(
                    "jumps of index 2 are diffusion, and this process gives its diffusion in another form (a Gibbs "
                    "loss, log_diffusion or drift_over_diffusion); add scale^2 there"
                )
            if self.convention != "ito" and not is_constant_scale(self.jumps):
                raise InvalidInput(
                    f"jumps of index 2 with a scale that varies follow Ito's rule, and the convention is "
                    f"{self.convention!r}; write them as diffusion"
                )
        object.__setattr__(self, "diffusion", diffusion)
        object.__setattr__(self, "jumps", jumps)

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
            raise InvalidInput(f"loss is {shown(loss)}; give a function of the coordinates")
        for label, given in (("loss", loss), ("mobility", mobility), ("gradient", gradient)):
            if given is not None and Function(given, label).takes_time:
                raise InvalidInput(
                    f"{label} depends on t; a Gibbs density belongs to one moment: bind t first, as in "
                    "lambda x: loss(x, t=1.0)"
                )
        if not callable(mobility) and np.ndim(mobility) == 0 and not number("mobility", mobility) >= 0:
            raise InvalidInput(f"mobility is {mobility}; it must be >= 0")
        slope = gradient if gradient is not None else partial(central_gradient, loss)
        drift = partial(downhill, slope, mobility)
        diffusion = partial(scaled, mobility, temperature) if callable(mobility) else times(mobility, temperature)
        return cls(drift, diffusion, "isothermal", potential=loss, temperature=float(temperature), gradient=gradient)

    @cached_property
    def time_dependent(self) -> bool:
        """Whether a coefficient has a parameter named t."""
        return any(f.takes_time for f in (*self.functions.values(), *self.scales))

    def at(self, t: float) -> Process:
        """The same process with its coefficients frozen at time t."""
        timed = {name: f.function for name, f in self.functions.items() if f.takes_time}
        frozen = {name: partial(_frozen_in_time, function, t) for name, function in timed.items()}
        return self.replace(jumps=_jumps_at(self.jumps, t), **frozen)

    @property
    def scales(self) -> tuple[Function, ...]:
        """The scales of the jumps, one per Stable."""
        jumps = self.jumps if isinstance(self.jumps, tuple) else (self.jumps,)
        return tuple(jump.function for jump in jumps if jump is not None)

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
        parts = [self.convention]
        if self.jumps is not None:
            parts.append(repr(self.jumps))
        if self.memory < 1.0:
            parts.append(f"memory={self.memory:g}")
        if self.potential is None:
            return f"Process({', '.join(parts)})"
        return f"Process.gibbs({', '.join([f'temperature={self.temperature:g}', *parts[1:]])})"


def _check_coefficient(value: Any, label: str) -> None:
    if callable(value):
        return
    if isinstance(value, (tuple, list)):
        for part in value:
            _check_coefficient(part, label)
        return
    numbers = np.asarray(value)
    if numbers.dtype.kind not in "biufc":
        raise InvalidInput(f"{label} is {shown(value)}; give a function of the coordinates or numbers")


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
    if len(values) == 1 and np.all(values >= 0.0):
        return
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


def _jumps_at(jumps: Jumps | None, t: float) -> Jumps | None:
    """The jumps with their scales frozen at time t."""
    if isinstance(jumps, tuple):
        return tuple(None if jump is None else _jump_at(jump, t) for jump in jumps)
    return None if jumps is None else _jump_at(jumps, t)


def _jump_at(jump: Stable, t: float) -> Stable:
    return jump.replace(scale=partial(_frozen_in_time, jump.scale, t)) if jump.function.takes_time else jump


def _frozen_in_time(function: UserFunction, t: float, *x: Array) -> Any:
    return function(*x, t=t)


def _is_constant(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return all(_is_constant(part) for part in value)
    return not callable(value)
