"""Stable jumps of index 2 are diffusion with D = scale^2 (M M^T for a matrix): one representation for one law."""

from __future__ import annotations

from typing import Any

import numpy as np

from fpsolve.asking import shown
from fpsolve.errors import InvalidInput
from fpsolve.functions import Function, UserFunction
from fpsolve.jumps import Jumps, Stable

__all__ = ["is_constant_scale", "with_gaussian_jumps", "without_zeros"]

GAUSSIAN = 2.0


def with_gaussian_jumps(diffusion: Any, jumps: Any) -> tuple[Any, Jumps | None]:
    """The diffusion with the jumps of index 2 added to it, and the jumps that are left.

    Raises InvalidInput where `jumps` is neither a Stable nor a tuple of one per axis, and where the sum of the two
    cannot be written down here.
    """
    each = isinstance(jumps, (tuple, list))
    given = tuple(jumps) if each else (jumps,)
    if not given or not all(isinstance(jump, Stable) or (each and jump is None) for jump in given):
        raise InvalidInput(
            f"jumps is {shown(jumps)}; give fp.Stable(alpha, scale), or a tuple of one per axis (or None).  Noise that "
            "remembers has no such equation: coloured noise needs a coordinate of its own, fractional Brownian noise "
            "infinitely many"
        )
    if not each:
        return (diffusion, jumps) if jumps.alpha < GAUSSIAN else (_sum(diffusion, jumps), None)
    matrices = [jump for jump in given if jump is not None and np.ndim(0 if callable(jump.scale) else jump.scale)]
    if matrices:
        raise InvalidInput(f"{matrices[0]!r} stands for one axis; a matrix belongs to one Stable for all axes")
    gaussian = [jump is not None and jump.alpha == GAUSSIAN for jump in given]
    if any(gaussian):
        squares = [
            jump.scale if jump is not None and is_two else 0.0 for jump, is_two in zip(given, gaussian, strict=True)
        ]
        if any(callable(square) for square in squares):
            raise InvalidInput(f"{_WRITTEN_OUT}: the scale of one axis is a function")
        diffusion = _plus(diffusion, np.diag(np.square(np.array(squares, dtype=float))))
    left = tuple(None if is_two else jump for jump, is_two in zip(given, gaussian, strict=True))
    return diffusion, left if any(jump is not None for jump in left) else None


def without_zeros(jumps: Any) -> Any:
    """The jumps that are left where those of scale 0, which are none, go; None where none is left."""
    each = isinstance(jumps, (tuple, list))
    left = tuple(None if _is_zero(jump) else jump for jump in (jumps if each else (jumps,)))
    if not any(map(_is_zero, jumps if each else (jumps,))):
        return jumps
    return None if all(jump is None for jump in left) else left


def _is_zero(jump: Any) -> bool:
    return isinstance(jump, Stable) and not callable(jump.scale) and not np.any(jump.scale)


def is_constant_scale(jumps: Any) -> bool:
    """Whether no scale is a function."""
    given = jumps if isinstance(jumps, (tuple, list)) else (jumps,)
    return all(jump is None or jump.constant for jump in given)


_WRITTEN_OUT = "jumps of index 2 are diffusion; add scale^2 to `diffusion` yourself"


def _sum(diffusion: Any, jump: Stable) -> Any:
    """D + scale^2, or D + M M^T."""
    if np.ndim(0 if callable(jump.scale) else jump.scale) == 2:
        return _plus(diffusion, np.array(jump.scale) @ np.array(jump.scale).T)
    if isinstance(diffusion, (tuple, list, np.ndarray)) and not callable(jump.scale):
        return _plus(diffusion, jump.scale**2 * np.eye(len(diffusion)))
    if isinstance(diffusion, (tuple, list, np.ndarray)):
        raise InvalidInput(f"{_WRITTEN_OUT}: the scale is a function and D has several entries")
    if callable(diffusion) or callable(jump.scale):
        return _sum_of(diffusion, jump.scale)
    return diffusion + jump.scale**2


def _sum_of(diffusion: Any, scale: Any) -> UserFunction:
    """The function D + scale^2; it takes t if one of the two does."""
    parts = [Function(diffusion, "diffusion"), Function(scale, "scale")]

    def total(x: tuple[Any, ...], t: float) -> Any:
        d, s = (
            part.function
            if not callable(part.function)
            else part.function(*x, t=t)
            if part.takes_time
            else part.function(*x)
            for part in parts
        )
        if isinstance(d, (tuple, list)):
            raise InvalidInput(f"{_WRITTEN_OUT}: D has several entries and is a function")
        return d + s**2

    if any(part.takes_time for part in parts):
        return lambda *x, t: total(x, t)
    return lambda *x: total(x, 0.0)


def _plus(diffusion: Any, more: np.ndarray) -> Any:
    """A constant D (number, one per axis or tensor) plus the matrix `more`."""
    try:
        d = np.array(diffusion, dtype=float)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{_WRITTEN_OUT}: D is a function") from error
    tensor = d * np.eye(len(more)) if d.ndim < 2 else d
    if tensor.shape != more.shape:
        raise InvalidInput(f"diffusion has shape {d.shape} and the jumps have {len(more)} axes; give one entry an axis")
    return tuple(map(tuple, (tensor + more).tolist()))
