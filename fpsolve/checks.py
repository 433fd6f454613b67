"""Numbers, seeds and times: the same question wherever one is an argument."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.asking import reals, shown
from fpsolve.errors import InvalidInput

__all__ = ["number", "parameter_names", "rising_times", "seed_key", "whole", "yes_or_no"]


def number(name: str, value: object) -> float:
    """`value` as a float; InvalidInput unless it is a finite real number."""
    if isinstance(value, (bool, str, bytes)) or not isinstance(value, (int, float, np.number, np.ndarray)):
        raise InvalidInput(f"{name} is {shown(value)}; give a number")
    if np.ndim(value) != 0 or np.iscomplexobj(value) or not np.isfinite(value):
        raise InvalidInput(f"{name} is {shown(value)}; give one finite, real number")
    return float(value)


def whole(name: str, value: object, least: int) -> int:
    """`value` as an int; InvalidInput unless it is a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise InvalidInput(f"{name} is {shown(value)}; give a whole number >= {least}")
    return int(value)


def parameter_names(names: object, counts: tuple[int, ...]) -> tuple[str, ...]:
    """`names` as a tuple; InvalidInput unless they are different strings, as many as one of `counts`."""
    given = tuple(names) if isinstance(names, (tuple, list)) else ()
    if len(given) not in counts or len(set(given)) < len(given) or not all(isinstance(name, str) for name in given):
        many = " or ".join(map(str, counts))
        raise InvalidInput(f"names is {shown(names)} for {many} parameters; give as many different names, in a tuple")
    return given


def yes_or_no(name: str, value: object) -> bool:
    """`value` as a bool; InvalidInput unless it is True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise InvalidInput(f"{name} is {shown(value)}; use True or False")
    return bool(value)


def seed_key(seed: object) -> np.uint64:
    """A seed as the 64-bit key of the random numbers; InvalidInput unless it is a whole number in [0, 2^64)."""
    number = whole("seed", seed, 0)
    if number >= 2**64:
        raise InvalidInput(f"seed is {number}; it is a 64-bit number: give one below 2^64")
    return np.uint64(number)


def rising_times(times: ArrayLike, first: float, before: str) -> NDArray[np.float64]:
    """`times` as an array (k,); InvalidInput unless they are finite, rise, and begin no earlier than `first`.

    before: what ends at `first` where that is not 0, for the message.
    """
    stops = np.array(reals("times", times), ndmin=1)
    if stops.ndim != 1 or stops.size == 0:
        raise InvalidInput(f"times is {shown(times)}; give finite times, one or more, in a row")
    if not np.all(np.isfinite(stops)):
        i = int(np.argmin(np.isfinite(stops)))
        raise InvalidInput(f"times[{i}] is {stops[i]:g}; give finite times")
    if stops[0] < first:
        begins = "the start is at t=0" if first == 0 else f"{before} ends at t={first:g}"
        raise InvalidInput(f"times begins with {stops[0]:g}, but {begins}; give later times")
    wrong = np.flatnonzero(np.diff(stops) <= 0)
    if wrong.size:
        i = int(wrong[0])
        raise InvalidInput(f"times[{i + 1}]={stops[i + 1]:g} follows times[{i}]={stops[i]:g}; times must rise")
    return stops
