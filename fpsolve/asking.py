"""What was given, checked: its kind, functions that are no coefficients on a grid, and numbers given as arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import FpsolveError, InvalidInput

__all__ = ["ask", "check_kind", "check_repeats", "reals", "shown"]

Array = NDArray[np.float64]
REPEATS = 1e-9  # relative: sums of another length are rounded otherwise
LONGEST = 100  # characters of a value in a message


def shown(value: object) -> str:
    """A value for a message: its repr on one line, arrays by their first and last entries.

    >>> shown("GTH"), len(shown(np.arange(10_000.0))) < 100
    ("'GTH'", True)
    """
    with np.printoptions(threshold=8, edgeitems=3, precision=4):
        text = " ".join(repr(value).split())
    return text if len(text) <= LONGEST else text[:LONGEST] + "..."


def check_kind(name: str, given: object, kind: type | tuple[type, ...], remedy: str) -> None:
    """InvalidInput unless `given` is one of a `kind`: the thing itself, not its class or its name.

    >>> check_kind("method", "GTH", int, "use fp.GTH()")
    Traceback (most recent call last):
    ...
    fpsolve.errors.InvalidInput: method is 'GTH'; use fp.GTH()
    """
    if isinstance(given, type):
        raise InvalidInput(f"{name} is the class {given.__name__}, not one of its objects; {remedy}")
    if not isinstance(given, kind):
        raise InvalidInput(f"{name} is {shown(given)}; {remedy}")


def ask(function: Callable[..., Any], label: str, *arguments: Any, call: str = "") -> Any:
    """function(*arguments); whatever it raises is chained to an InvalidInput that names it.

    call: how it is called, for the message.

    >>> ask(lambda x: float(x), "slope", np.zeros((2, 1)))
    Traceback (most recent call last):
    ...
    fpsolve.errors.InvalidInput: slope raised TypeError: only 0-dimensional arrays can be converted to Python scalars, \
for arguments of shape (2, 1); it is called with arrays: write it with numpy functions
    """
    try:
        return function(*arguments)
    except FpsolveError:
        raise
    except Exception as error:  # a user's function may raise anything; it is chained
        said = f"{label} raised {type(error).__name__}: {error}"
        if not any(map(np.ndim, arguments)):
            raise InvalidInput(f"{said}, for {', '.join(map(str, arguments))}") from error
        shapes = ", ".join(str(np.shape(part)) for part in arguments)
        called = f"called as {call} with arrays" if call else "called with arrays"
        raise InvalidInput(
            f"{said}, for arguments of shape {shapes}; it is {called}: write it with numpy functions"
        ) from error


def reals(label: str, given: Any) -> Array:
    """`given` as float64; InvalidInput unless it is made of real numbers (exact real parts of complex ones too).

    >>> reals("start", [1, 2 + 0j])
    array([1., 2.])
    """
    try:
        values = np.asarray(given)
    except ValueError as error:  # rows of several lengths
        raise InvalidInput(f"{label} has rows of several lengths ({error}); give real numbers in one shape") from error
    if values.dtype.kind == "c":
        if np.any(values.imag != 0):
            worst = values.ravel()[int(np.argmax(np.abs(values.imag)))]
            raise InvalidInput(f"{label} is complex ({worst:.6g}); it must be real")
        values = values.real
    if values.dtype.kind not in "biuf":
        raise InvalidInput(f"{label} is {type(given).__name__} of type {values.dtype}; give real numbers")
    return np.asarray(values, dtype=float)


def check_repeats(label: str, first: Array, again: Array, where: str, call: str = "") -> None:
    """InvalidInput where two answers to one question differ; where: the question, call: its form, for the message.

    >>> check_repeats("step", np.array([1.0]), np.array([1.0]), "at x=1")
    """
    with np.errstate(invalid="ignore"):
        wrong = np.abs(first - again) > REPEATS * np.abs(first).max(initial=0.0)
    if np.any(wrong):
        at = tuple(np.argwhere(wrong)[0])
        raise InvalidInput(
            f"{label} gave {first[at]:.9g} and then {again[at]:.9g} {where}: it must depend on its arguments alone, "
            "place by place; noise of your own belongs into the data" + (f" (the call is {call})" if call else "")
        )
