"""What steppers know of a generator: L(t) applied, and (z - L(t))^-1, with as few factorisations as it takes.

Where L depends on time every stage of every step has a matrix of its own.  Its sparse LU costs some fifty solves, so
an increment is found from the factors of an earlier time with the same z,
    y <- y + (z - L(t0))^-1 [b - (z - L(t)) y],
which contracts by about the relative change of L since t0; where that is slow, L(t) is factored itself.
The columns of L(t) and of L(t0) have the same sums, so no correction carries mass that b does not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fpsolve.resolvent import Resolvent

__all__ = ["ROUGH", "Flow", "Generators", "Operator", "Solver"]

Array = NDArray[np.float64]
KEPT = 3  # factorisations, and generators
EXACT, ROUGH = 1e-12, 1e-2  # residuals of increments, and of what is only measured, of their right-hand sides
ROUNDING = 1e-15
FAST = 0.3  # what a correction must shrink the residual by, or a factorisation is cheaper


class Solver(Protocol):
    """(z - L)^-1."""

    def solve(self, b: Array) -> Array:
        """y with (z - L) y = b."""


class Operator(Protocol):
    """What a method asks of a generator."""

    @property
    def killing(self) -> Array:
        """Rate out of each cell for good."""

    @property
    def is_markov(self) -> bool:
        """Whether no rate is negative."""

    @property
    def memory(self) -> float:
        """Caputo order: 1 without memory."""

    @property
    def has_real_spectrum(self) -> bool:
        """Whether every eigenvalue is known to be real."""

    def apply(self, m: Array) -> Array:
        """L m."""

    def resolvent(self, z: complex) -> Solver:
        """(z - L)^-1."""


Generators = Operator | Callable[[float], Operator]


class Flow:
    """A generator, constant or in motion, with the last few factorisations."""

    def __init__(self, generator: Generators) -> None:
        self._generator = generator
        self._operators: list[tuple[float, Operator]] = []
        self._kept: list[tuple[tuple[float, float], Solver]] = []
        self.constant = not callable(generator)
        self.factored = 0

    def at(self, t: float) -> Operator:
        """L at time t."""
        if not callable(self._generator):
            return self._generator
        for known, operator in self._operators:
            if abs(known - t) <= ROUNDING * abs(t):  # a step ends where the next begins, to rounding
                return operator
        operator = self._generator(t)
        self._operators = [(t, operator), *self._operators[: KEPT - 1]]
        return operator

    def apply(self, t: float, m: Array) -> Array:
        """L(t) m."""
        return self.at(t).apply(m)

    def solve(self, t: float, z: float, b: Array) -> Array:
        """(z - L(t))^-1 b."""
        return self._factors(t, z).solve(b)

    def increment(self, t: float, z: float, b: Array, to: float = EXACT) -> Array:
        """(z - L(t))^-1 b, to a residual of `to` |b|: for what is added to a state, not for a state itself."""
        near = None if self.constant else self._near(z)
        if near is not None:
            y = self._corrected(self.at(t), near, z, b, to)
            if y is not None:
                return y
        return self.solve(t, z, b)

    def _factors(self, t: float, z: float) -> Solver:
        wanted = (0.0 if self.constant else t, z)
        for key, solver in self._kept:
            if key == wanted:
                return solver
        solver = self.at(t).resolvent(z)
        others = [kept for kept in self._kept if self.constant or kept[0][1] != z]  # an earlier time serves no more
        self._kept = [(wanted, solver), *others[: KEPT - 1]]
        self.factored += 1
        return solver

    def _near(self, z: float) -> Resolvent | None:
        """The factors kept for this z, of whatever time; a sweep costs no more than a correction and is not asked."""
        for (_, known), solver in self._kept:
            if known == z and isinstance(solver, Resolvent):
                return solver
        return None

    def _corrected(self, operator: Operator, near: Solver, z: float, b: Array, to: float) -> Array | None:
        """y with (z - L) y = b from the factors of another L; None where they are too far away."""
        y, residual, size = np.zeros_like(b), b, float(np.abs(b).sum())
        enough, left = to * size, np.inf
        while size > enough:
            if not size <= FAST * left:
                return None
            left = size
            y = y + near.solve(residual)
            residual = b - z * y + operator.apply(y)
            size = float(np.abs(residual).sum())
        return y
