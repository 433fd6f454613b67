"""Whole numbers and seeds: the same question wherever one is an argument."""

from __future__ import annotations

import numpy as np

from fpsolve.errors import InvalidInput

__all__ = ["number", "seed_key", "whole"]


def number(name: str, value: object) -> float:
    """`value` as a float; InvalidInput unless it is a finite real number."""
    if isinstance(value, (bool, str, bytes)) or not isinstance(value, (int, float, np.number, np.ndarray)):
        raise InvalidInput(f"{name} is {value!r}; give a number")
    if np.ndim(value) != 0 or np.iscomplexobj(value) or not np.isfinite(value):
        raise InvalidInput(f"{name} is {value!r}; give one finite, real number")
    return float(value)


def whole(name: str, value: object, least: int) -> int:
    """`value` as an int; InvalidInput unless it is a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise InvalidInput(f"{name} is {value!r}; give a whole number >= {least}")
    return int(value)


def seed_key(seed: object) -> np.uint64:
    """A seed as the 64-bit key of the random numbers; InvalidInput unless it is a whole number in [0, 2^64)."""
    number = whole("seed", seed, 0)
    if number >= 2**64:
        raise InvalidInput(f"seed is {number}; it is a 64-bit number: give one below 2^64")
    return np.uint64(number)
