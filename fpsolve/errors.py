"""Errors and warnings: each message says what was got, where, why it cannot be, and the remedy."""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PACKAGE = str(Path(__file__).parent) + os.sep


class FpsolveError(Exception):
    """Base of every error that fpsolve raises on purpose."""


class InvalidInput(FpsolveError, ValueError):
    """An argument cannot be what it is: raised by whatever takes it."""


class NotNormalizable(FpsolveError):
    """The stationary density has infinite mass at an open end.

    `end` names the end, `exponent` is a in p ~ |x - end|^a or p ~ x^a (or the rate in p ~ exp(a x) on
    axes that are not logarithmic), `uncertainty` how far the local value may be from its limit.  Raised by
    `stationary`, by what needs its answer, and by the laws of models that have none.
    """

    def __init__(self, message: str, *, end: str, exponent: float, uncertainty: float) -> None:
        super().__init__(message)
        self.end = end
        self.exponent = exponent
        self.uncertainty = uncertainty


class Reducible(FpsolveError):
    """The chain falls apart into several closed classes; `sizes` counts the cells of each.

    Raised by `stationary`, `spectrum` and `quasi_stationary`; `components` answers.
    """

    def __init__(self, message: str, *, sizes: Sequence[int]) -> None:
        super().__init__(message)
        self.sizes = tuple(sizes)


class NotConverged(FpsolveError):
    """An iteration stopped short; `best` is its best estimate and `history` the residuals seen.

    Raised by solvers and time steppers, and by particles and SGD that diverge.
    """

    def __init__(self, message: str, *, best: Any = None, history: Sequence[float] = ()) -> None:
        super().__init__(message)
        self.best = best
        self.history = tuple(history)


class CorruptFile(FpsolveError, OSError):
    """A file is not what fpsolve wrote: raised by `load`."""


class MissingExtra(FpsolveError, ImportError):
    """An optional dependency is not installed: raised by what needs it, with the line that installs it."""


class NotEnoughMemory(FpsolveError, MemoryError):
    """A computation would need more memory than the machine has left: raised before anything is allocated."""


class FpsolveWarning(UserWarning):
    """Base of every warning that fpsolve gives."""


class TruncationWarning(FpsolveWarning):
    """Mass lies beyond an open end or runs out over it, or p is asked far beyond: densities, exit times, `transfer`."""


class ResolutionWarning(FpsolveWarning):
    """The grid, or a step, is too coarse where the density matters: from densities, evolutions and starts."""


class DegenerateWarning(FpsolveWarning):
    """A coefficient or a statistic degenerates: vanishing noise, infinite moment, nearly broken ergodicity."""


def warn(message: str, category: type[FpsolveWarning]) -> None:
    """Warn at the line outside this package that asked, however many functions of ours lie between."""
    frame, level = inspect.currentframe(), 1
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
