"""A process's coefficients as particles call them: as they are, for all at once, after one check at the start.

Whatever form the user gave them (functions.py), answers have one: numbers (n,); the drift (d, n); the diffusion packed
as (m, n): its diagonal D_00, D_11, D_22 and, where it is a tensor, D_01, D_02, D_12 (those that there are).
Where particles wait, each has a time of its own, and functions are given the array of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import DegenerateWarning, InvalidInput, warn
from fpsolve.functions import Function
from fpsolve.grid import Grid

__all__ = ["Coefficient", "Time", "at", "pairs", "refuse_inside"]

Array = NDArray[np.float64]
Time = float | Array  # of all particles, or one for each
RAISED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)  # what a user's function may raise
ASYMMETRY = 1e-11  # of the trace: beyond it an entry is no number, so that the place is looked at and told
TELLING = 4  # places from which on one number per place cannot be one per axis


def pairs(d: int) -> tuple[tuple[int, int], ...]:
    """The axes of each entry above the diagonal, in the order in which a tensor is packed.

    >>> pairs(2), pairs(3)
    (((0, 1),), ((0, 1), (0, 2), (1, 2)))
    """
    return tuple((i, j) for i in range(d) for j in range(i + 1, d))


def at(t: Time, index: Any) -> Time:
    """The times of some of the particles."""
    return t[index] if isinstance(t, np.ndarray) else t


def refuse_inside(
    grid: Grid, x: Array, t: Time, wrong: NDArray[np.bool_], check: Callable[[Array, float], None]
) -> None:
    """A coefficient that fails inside the grid is the function's fault; outside, the particle has diverged.

    wrong (n,): where it fails; check: raises, with the place, at a time.
    """
    low, high = (np.array([[getattr(axis, end)] for axis in grid.axes]) for end in ("lo", "hi"))
    inside = np.flatnonzero(wrong & np.all((x >= low) & (x <= high), axis=0))
    if isinstance(t, np.ndarray):
        inside = inside[:1]
    if inside.size:
        check(x[:, inside], float(np.max(at(t, inside))))


class Coefficient:
    """A function, a constant or a nest of both, called at places x, shape (d, n), and times t.

    function: the coefficient with its label; names: the axes'; x, t: where it is tried, to see whether it takes arrays
    of places and, where particles have their own times, of times.
    Raises InvalidInput, with the range of the particles, where the function raises.
    """

    def __init__(self, function: Function, names: tuple[str, ...], x: Array, t: float, own_times: bool = False) -> None:
        self.label, self.names = function.label, names
        self.call = _caller(function, x, t, own_times)

    def numbers(self, x: Array, t: Time) -> Array:
        """One per place, shape (n,)."""
        return np.broadcast_to(np.asarray(_only(self._ask(x, t), x.shape[1]), dtype=float), x.shape[1])

    def vector(self, x: Array, t: Time) -> Array:
        """One per axis and place, shape (d, n)."""
        if len(x) == 1:
            return self.numbers(x, t)[None]
        n, x, t = x.shape[1], _telling(x), _telling(t)
        parts = [np.broadcast_to(np.asarray(part, dtype=float), x.shape[1]) for part in self._ask(x, t)]
        return np.array(parts)[:, :n]

    def tensor(self, x: Array, t: Time) -> Array:
        """A number, one per axis or a matrix, packed: shape (d, n), or (d (d+1)/2, n) where it is a matrix."""
        if len(x) == 1:
            return self.numbers(x, t)[None]
        n, x, t = x.shape[1], _telling(x), _telling(t)
        return _packed(self._ask(x, t), *x.shape)[:, :n]

    def _ask(self, x: Array, t: Time) -> Any:
        try:
            return self.call(x, t)
        except RAISED as error:
            where = " and ".join(
                f"{name}={low:.6g} to {high:.6g}"
                for name, low, high in zip(self.names, x.min(axis=1), x.max(axis=1), strict=True)
            )
            when = " to ".join(f"{x:g}" for x in dict.fromkeys((np.min(t), np.max(t))))
            raise InvalidInput(
                f"{self.label} raised {type(error).__name__}: {error} at t={when}, for particles from {where}"
            ) from error


def _caller(function: Function, x: Array, t: float, own_times: bool) -> Callable[[Array, Time], Any]:
    """The function itself, of x and t; point by point where it takes scalars only, as the check has warned."""
    given = function.function
    if isinstance(given, (tuple, list)):
        parts = [_caller(Function(part, function.label), x, t, own_times) for part in given]
        return lambda x, t: tuple(part(x, t) for part in parts)
    if not callable(given):
        return lambda x, t: given
    called = (lambda x, t: given(*x, t=t)) if function.takes_time else (lambda x, t: given(*x))

    def one_by_one(x: Array, t: Time) -> Any:
        times = np.broadcast_to(t, x.shape[1])
        return np.moveaxis(np.array([called(*each) for each in zip(x.T, times, strict=True)], dtype=float), 0, -1)

    try:
        with np.errstate(all="ignore"):
            called(x[:, :2], t)
    except RAISED:
        return one_by_one
    if own_times and function.takes_time and not _takes_times(called, one_by_one, x, t):
        warn(
            f"{function.label} takes one time for all places only, and where particles wait each has its own: it is "
            "called particle by particle; write it with numpy functions of t to make it fast",
            DegenerateWarning,
        )
        return one_by_one
    return called


def _takes_times(
    called: Callable[[Array, Time], Any], one_by_one: Callable[[Array, Time], Any], x: Array, t: float
) -> bool:
    """Whether two times at once give what they give one by one."""
    if x.shape[1] == 0:
        return True
    few, times = x[:, np.arange(TELLING) % x.shape[1]], t + np.arange(TELLING) / TELLING
    with np.errstate(all="ignore"):
        expected = one_by_one(few, times)
        try:
            got = np.concatenate(_rows(called(few, times)))
        except RAISED:
            return False
    return got.size == expected.size and np.allclose(got, expected.reshape(got.shape), equal_nan=True)


def _rows(answer: Any) -> list[Array]:
    """The components of an answer for TELLING places, each with a row for every one."""
    if isinstance(answer, (tuple, list)):
        return [row for part in answer for row in _rows(part)]
    numbers = np.asarray(answer, dtype=float)
    if numbers.shape[-1:] == (TELLING,):
        return [numbers.reshape(-1, TELLING)]
    return [np.repeat(numbers.reshape(-1, 1), TELLING, axis=1)]


def _only(answer: Any, n: int) -> Any:
    """The single component of a one-dimensional coefficient; a list may hold one number per place."""
    while isinstance(answer, (tuple, list)) and not (isinstance(answer, list) and len(answer) == n > 1):
        answer = answer[0]
    return answer


def _telling(x: Any) -> Any:
    """Enough places (or times), the last repeated, to tell a component from a place by the length of the answer."""
    n = TELLING if np.ndim(x) == 0 else x.shape[-1]
    return x if n >= TELLING else np.concatenate([x, np.repeat(x[..., -1:], TELLING - n, axis=-1)], axis=-1)


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
