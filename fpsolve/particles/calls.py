"""A process's coefficients as particles call them: as they are, for all at once, after one check at the start.

Whatever form the user gave them (functions.py), answers have one: numbers (n,); the drift (d, n); the diffusion packed
as (m, n): its diagonal D_00, D_11, D_22 and, where it is a tensor, D_01, D_02, D_12 (those that there are).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import InvalidInput
from fpsolve.functions import Function

__all__ = ["Coefficient", "pairs"]

Array = NDArray[np.float64]
RAISED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)  # what a user's function may raise
ASYMMETRY = 1e-11  # of the trace: beyond it an entry is no number, so that the place is looked at and told
TELLING = 4  # places from which on one number per place cannot be one per axis


def pairs(d: int) -> tuple[tuple[int, int], ...]:
    """The axes of each entry above the diagonal, in the order in which a tensor is packed.

    >>> pairs(2), pairs(3)
    (((0, 1),), ((0, 1), (0, 2), (1, 2)))
    """
    return tuple((i, j) for i in range(d) for j in range(i + 1, d))


class Coefficient:
    """A function, a constant or a nest of both, called at places x, shape (d, n), and times t.

    function: the coefficient with its label; names: the axes'; x, t: where it is tried, to see whether it takes arrays.
    Raises InvalidInput, with the range of the particles, where the function raises.
    """

    def __init__(self, function: Function, names: tuple[str, ...], x: Array, t: float) -> None:
        self.label, self.names = function.label, names
        self.call = _caller(function, x, t)

    def numbers(self, x: Array, t: float) -> Array:
        """One per place, shape (n,)."""
        return np.broadcast_to(np.asarray(_only(self._ask(x, t), x.shape[1]), dtype=float), x.shape[1])

    def vector(self, x: Array, t: float) -> Array:
        """One per axis and place, shape (d, n)."""
        if len(x) == 1:
            return self.numbers(x, t)[None]
        n, x = x.shape[1], _telling(x)
        parts = [np.broadcast_to(np.asarray(part, dtype=float), x.shape[1]) for part in self._ask(x, t)]
        return np.array(parts)[:, :n]

    def tensor(self, x: Array, t: float) -> Array:
        """A number, one per axis or a matrix, packed: shape (d, n), or (d (d+1)/2, n) where it is a matrix."""
        if len(x) == 1:
            return self.numbers(x, t)[None]
        n, x = x.shape[1], _telling(x)
        return _packed(self._ask(x, t), *x.shape)[:, :n]

    def _ask(self, x: Array, t: float) -> Any:
        try:
            return self.call(x, t)
        except RAISED as error:
            where = " and ".join(
                f"{name}={low:.6g} to {high:.6g}"
                for name, low, high in zip(self.names, x.min(axis=1), x.max(axis=1), strict=True)
            )
            raise InvalidInput(
                f"{self.label} raised {type(error).__name__}: {error} at t={t:g}, for particles from {where}"
            ) from error


def _caller(function: Function, x: Array, t: float) -> Callable[[Array, float], Any]:
    """The function itself, of x and t; point by point where it takes scalars only, as the check has warned."""
    given = function.function
    if isinstance(given, (tuple, list)):
        parts = [_caller(Function(part, function.label), x, t) for part in given]
        return lambda x, t: tuple(part(x, t) for part in parts)
    if not callable(given):
        return lambda x, t: given
    called = (lambda x, t: given(*x, t=t)) if function.takes_time else (lambda x, t: given(*x))
    try:
        with np.errstate(all="ignore"):
            called(x[:, :2], t)
    except RAISED:
        return lambda x, t: np.moveaxis(np.array([called(place, t) for place in x.T], dtype=float), 0, -1)
    return called


def _only(answer: Any, n: int) -> Any:
    """The single component of a one-dimensional coefficient; a list may hold one number per place."""
    while isinstance(answer, (tuple, list)) and not (isinstance(answer, list) and len(answer) == n > 1):
        answer = answer[0]
    return answer


def _telling(x: Array) -> Array:
    """Enough places, the last repeated, to tell a component from a place by the length of the answer."""
    n = x.shape[1]
    return x if n >= TELLING else np.concatenate([x, np.repeat(x[:, -1:], TELLING - n, axis=1)], axis=1)


def _packed(answer: Any, d: int, n: int) -> Array:
    if not isinstance(answer, (tuple, list)) and np.shape(answer) in ((), (1,), (n,)):
        return np.broadcast_to(np.asarray(answer, dtype=float), (d, n))
    rows = [row if _is_row(row, d) else None for row in answer]
    packed = np.zeros((d + len(pairs(d)), n))
    for i, (row, part) in enumerate(zip(rows, answer, strict=True)):
        packed[i] = part if row is None else row[i]
    if all(row is None for row in rows):
        return packed[:d]
    for k, (i, j) in enumerate(pairs(d)):
        above, below = (0.0 if row is None else row[other] for row, other in ((rows[i], j), (rows[j], i)))
        packed[d + k] = above
        if above is not below:
            packed[d + k, np.abs(packed[d + k] - below) > ASYMMETRY * np.abs(packed[i] + packed[j])] = np.nan
    return packed


def _is_row(part: Any, d: int) -> bool:
    """Whether this is a row of a matrix, not one number per place."""
    return isinstance(part, (tuple, list)) or np.ndim(part) == 2 or np.shape(part) == (d,)
