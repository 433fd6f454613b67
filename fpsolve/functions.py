"""Calling user functions: coordinates by position, arrays in and out, and every fault told with its place.

A user function gets one array per axis, in grid order, and by name t if it has a parameter called t.  Its parameters
with defaults are left alone.  Whatever it returns is checked here, once, so that no solver meets a NaN.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import DegenerateWarning, InvalidInput, warn

Array = NDArray[np.float64]
UserFunction = Callable[..., Any]
REPEATED_POINTS = 16


@dataclass(frozen=True, eq=False)
class Points:
    """Where functions are evaluated: one flat array per axis, made of labelled sections (nodes, faces, ...)."""

    names: tuple[str, ...]
    coordinates: tuple[Array, ...]
    sections: tuple[tuple[str, tuple[int, ...]], ...]

    @property
    def size(self) -> int:
        """Number of points."""
        return self.coordinates[0].size

    def describe(self, index: int) -> str:
        """Coordinates and kind of the point, for messages."""
        where = ", ".join(f"{name}={x[index]:.6g}" for name, x in zip(self.names, self.coordinates, strict=True))
        for label, shape in self.sections:
            length = int(np.prod(shape))
            if index < length:
                place = np.unravel_index(index, shape)
                return f"{where} ({label} {', '.join(str(int(i)) for i in place)})"
            index -= length
        return where


@dataclass(frozen=True, eq=False)
class Function:
    """A user's function or constant with its name in messages ("drift", "diffusion", ...)."""

    function: UserFunction | Any
    label: str

    @cached_property
    def parameters(self) -> tuple[inspect.Parameter, ...]:
        """Its signature; empty for constants and for functions that have none."""
        if not callable(self.function):
            return ()
        try:
            return tuple(inspect.signature(self.function).parameters.values())
        except (TypeError, ValueError):  # builtins and ufuncs may have none
            return ()

    @cached_property
    def takes_time(self) -> bool:
        """Whether it has a parameter named t."""
        return any(parameter.name == "t" for parameter in self.parameters)

    @cached_property
    def required(self) -> tuple[str, ...] | None:
        """The coordinates it asks for; None where its signature does not say."""
        parameters = self.parameters
        if not parameters or any(p.kind is p.VAR_POSITIONAL for p in parameters):
            return None
        positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        return tuple(p.name for p in parameters if p.default is p.empty and p.kind in positional and p.name != "t")

    def check_signature(self, names: tuple[str, ...]) -> None:
        """One required parameter per axis, in the grid's order where their names are the axes'."""
        required = self.required
        if required is None or required == names:
            return
        if sorted(required) == sorted(names):
            raise InvalidInput(
                f"{self.label} takes ({', '.join(required)}) but the grid's axes are ({', '.join(names)}): "
                "coordinates are passed by position, in grid order; reorder one of the two"
            )
        if len(required) != len(names):
            raise InvalidInput(
                f"{self.label} takes {len(required)} coordinates ({', '.join(required)}) "
                f"but the grid has {len(names)} axes ({', '.join(names)})"
            )

    def __call__(self, points: Points, t: float = 0.0) -> Any:
        """The raw answer at the points (a constant is returned as it is)."""
        if not callable(self.function):
            return self.function
        self.check_signature(points.names)
        keywords = {"t": t} if self.takes_time else {}
        try:
            with np.errstate(all="ignore"):
                answer = self.function(*points.coordinates, **keywords)
        except Exception as error:  # noqa: BLE001 - a user's function may raise anything; it is chained or survived
            return self._one_by_one(points, keywords, error)
        known = _asked_twice.get(self)
        if known is None or known() is not points:  # at another time the same points have been asked twice already
            self._check_repeats(answer, points, keywords)
            _asked_twice[self] = weakref.ref(points)
        return answer

    def scalar(self, points: Points, t: float = 0.0, *, logarithm: bool = False) -> Array:
        """One finite number per point, shape (points.size,); the logarithm of something may be -inf."""
        return _as_numbers(self(points, t), self.label, points, logarithm)

    def _one_by_one(self, points: Points, keywords: dict[str, float], error: Exception) -> Any:
        """Call point by point: the function may take scalars only; if not, say where it fails."""
        answers = []
        for i in range(points.size):
            try:
                answers.append(self.function(*(float(x[i]) for x in points.coordinates), **keywords))
            except Exception as inner:  # noqa: BLE001 - chained with the point at which it happened
                at = f"{self.label} raised {type(inner).__name__}: {inner} at {points.describe(i)}"
                raise InvalidInput(at) from (inner if i else error)
        warn(
            f"{self.label} accepts scalars only ({type(error).__name__}: {error}); it was called point by point, "
            f"{points.size} times: write it with numpy functions to make it fast",
            DegenerateWarning,
        )
        return np.moveaxis(np.asarray(answers), 0, -1)

    def _check_repeats(self, answer: Any, points: Points, keywords: dict[str, float]) -> None:
        """Ask again at a few points: the answer must depend on the point alone."""
        if points.size <= REPEATED_POINTS:
            return
        few = np.linspace(0, points.size - 1, REPEATED_POINTS).astype(int)
        with np.errstate(all="ignore"):
            again = self.function(*(x[few] for x in points.coordinates), **keywords)
        for first, second in zip(_leaves(answer), _leaves(again), strict=False):
            if np.shape(first) != (points.size,) or np.shape(second) != few.shape:
                continue
            expected, got = np.asarray(first)[few], np.asarray(second)
            if expected.dtype.kind not in "biufc" or got.dtype.kind not in "biufc":
                continue
            with np.errstate(invalid="ignore"):
                wrong = np.abs(got * 1.0 - expected * 1.0) > 1e-9 * np.abs(expected * 1.0)
            if wrong.any():
                bad = int(np.argmax(wrong))
                raise InvalidInput(
                    f"{self.label} gave {expected[bad]:.9g} and then {got[bad]:.9g} at "
                    f"{points.describe(int(few[bad]))}: it must depend on the coordinates alone, point by point"
                )


_asked_twice: weakref.WeakKeyDictionary[Function, weakref.ref[Points]] = weakref.WeakKeyDictionary()


def vector(function: Function, points: Points, t: float = 0.0) -> Array:
    """One finite number per axis and point, shape (ndim, size)."""
    ndim = len(points.names)
    answer = function(points, t)
    if ndim == 1 and isinstance(answer, list) and len(answer) == points.size:
        answer = np.asarray(answer)  # one number per point, as a list
    if ndim == 1 and not isinstance(answer, (tuple, list)):
        return _as_numbers(answer, function.label, points)[None]
    _check_components(answer, ndim, function.label)
    return np.stack([_as_numbers(part, f"{function.label}[{i}]", points) for i, part in enumerate(answer)])


def tensor(function: Function, points: Points, t: float = 0.0) -> Array:
    """A number, one per axis, or a matrix of functions or constants, as shape (ndim, ndim, size)."""
    ndim = len(points.names)
    answer = function(points, t)
    if ndim == 1 and not isinstance(answer, (tuple, list)) and np.ndim(answer) <= 1:
        return _as_numbers(answer, function.label, points)[None, None]
    result = np.zeros((ndim, ndim, points.size))
    if not isinstance(answer, (tuple, list)) and np.ndim(answer) <= 1 and not _one_per_axis(answer, ndim, points):
        values = _as_numbers(answer, function.label, points)
        for i in range(ndim):
            result[i, i] = values
        return result
    _check_components(answer, ndim, function.label)
    for i, row in enumerate(answer):
        if isinstance(row, (tuple, list)) or _is_row(row, ndim, points):
            _check_components(row, ndim, f"{function.label}[{i}]")
            for j, part in enumerate(row):
                result[i, j] = _entry(part, f"{function.label}[{i}][{j}]", points, t)
        else:
            result[i, i] = _entry(row, f"{function.label}[{i}]", points, t)
    return result


def _entry(part: Any, label: str, points: Points, t: float) -> Array:
    return Function(part, label).scalar(points, t)


def _one_per_axis(answer: Any, ndim: int, points: Points) -> bool:
    return ndim > 1 and np.shape(answer) == (ndim,) and points.size != ndim


def _is_row(row: Any, ndim: int, points: Points) -> bool:
    return not callable(row) and (np.ndim(row) == 2 or _one_per_axis(row, ndim, points))


def _leaves(answer: Any) -> list[Any]:
    if isinstance(answer, (tuple, list)):
        return [leaf for part in answer for leaf in _leaves(part)]
    return [] if callable(answer) else [answer]


def _check_components(answer: Any, expected: int, label: str) -> None:
    if isinstance(answer, (tuple, list)):
        got = len(answer)
    else:
        got = len(answer) if np.ndim(answer) > 0 else 1
    if got != expected:
        raise InvalidInput(f"{label} has {got} components; expected {expected}, one per axis")


def _as_numbers(answer: Any, label: str, points: Points, logarithm: bool = False) -> Array:
    """Float64, of the points' shape, finite; exact real parts of complex numbers, casts of int and float32."""
    values = np.asarray(answer)
    if values.dtype.kind == "c":
        if np.any(values.imag != 0):
            worst = int(np.argmax(np.abs(np.broadcast_to(values.imag, (points.size,)))))
            raise InvalidInput(f"{label} is complex at {points.describe(worst)}; it must be real")
        values = values.real
    if values.dtype.kind not in "biuf":
        raise InvalidInput(f"{label} returned {values.dtype} values; expected real numbers")
    if values.shape not in ((), (1,), (points.size,)):
        raise InvalidInput(f"{label} returned shape {values.shape} for {points.size} points; expected ({points.size},)")
    if values.size == 1:
        values = np.full(points.size, values.item())
    values = np.asarray(values, dtype=np.float64)
    if not np.isfinite(values).all() and not (logarithm and np.all(values < np.inf)):
        bad = int(np.argmax(~np.isfinite(values)))
        raise InvalidInput(f"{label} is {values[bad]} at {points.describe(bad)}; it must be finite on the whole grid")
    return values
