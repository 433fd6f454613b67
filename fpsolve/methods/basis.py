"""Rational Krylov bases: exp(t L) m0 for many t from a few dozen solves with one factorisation.

    W = (1 - s L)^-1,   V an orthonormal basis of v, W v, W^2 v, ...,   H = V^T W V,
    m(t) = m0 + V f(H) V^T v,   v = W m0 - m0,   f(w) = (exp(t l) - 1)/(w - 1),   l = (1 - 1/w)/s.
v has no mass, nor has any W^k v: written so, whatever f may be, m(t) has the mass of m0.  What rounding gives to a
vector is taken out of it along W m0, where the mass is.  Where ends absorb, v = m0 and f(w) = exp(t l) instead.
f(H) is that of response.py.  With m = m0 + V y the filtered residual is s W (m' - L m) = h u (s y' - y)_last, where h u
is the part of W V that V lacks.
Sources: van den Eshof & Hochbruck, SIAM J. Sci. Comput. 27, 1438 (2006); Moret & Novati, BIT 44, 595 (2004).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsolve.methods.flow import Flow
from fpsolve.methods.response import Response

__all__ = ["Basis"]

Array = NDArray[np.float64]
EXHAUSTED = 1e-14  # of a vector: what is left of it when the basis has the rest
AT_REST = 1e-15  # of the mass: a start that changes by less in s is an equilibrium
NOTHING = 1e-280  # of the starting mass


class Basis:
    """The vectors made from m0 so far, of at most `most`, with the shift s; times t count from m0."""

    def __init__(self, flow: Flow, m0: Array, s: float, most: int) -> None:
        self.flow, self.m0, self.s = flow, m0, s
        self.size, self.exhausted = 0, False
        self._responses: dict[int, Response] = {}
        self._conserves = not np.any(flow.at(0.0).killing > 0)
        self._vectors = np.empty((most + 1, m0.size))
        self._projected = np.zeros((most + 1, most))
        self._nothing = max(NOTHING * float(np.abs(m0).sum()), 1e-300)  # to divide by, where all has been absorbed
        if self._conserves:
            moved = self._solve(m0)
            self._carrier = moved / moved.sum()
            first = self._without_mass(moved - m0)
        else:
            first = m0
        self._length = float(np.linalg.norm(first))
        self._vectors[0] = first / self._length if self._length > 0 else 0.0
        if np.abs(first).sum() <= AT_REST * np.abs(m0).sum():
            self._length, self.exhausted = 0.0, True

    def grow(self, count: int) -> None:
        """Add `count` vectors, as long as there are any."""
        for _ in range(count):
            j = self.size
            if self.exhausted or j == self._projected.shape[1]:
                return
            x, known, column = self._solve(self._vectors[j]), self._vectors[: j + 1], self._projected[:, j]
            before = np.linalg.norm(x)
            for _ in range(2):  # the second pass takes out what rounding left
                shares = known @ x
                x -= shares @ known
                column[: j + 1] += shares
            if self._conserves:
                x = self._without_mass(x)
            column[j + 1] = np.linalg.norm(x)
            self.exhausted = not column[j + 1] > EXHAUSTED * before
            self._vectors[j + 1] = 0.0 if self.exhausted else x / column[j + 1]
            self.size = j + 1

    def states(self, times: Array) -> Array:
        """m(t) at the times, (len(times), cells)."""
        return self._offset + self._coefficients(times, self.size)[0] @ self._vectors[: self.size]

    def errors(self, times: Array) -> tuple[float, float]:
        """The largest estimate at the times: its sum over the cells over the mass, and its maximum over the peak.

        What the last vector changed, which is the error before it, or the residual, whichever is larger.
        """
        if self.size == 0:
            return 0.0, 0.0
        y, slope = self._coefficients(times, self.size)
        change = y.copy()
        change[:, :-1] -= self._coefficients(times, self.size - 1)[0]
        basis, ahead = self._vectors[: self.size], self._vectors[self.size]
        h = self._projected[self.size, self.size - 1]
        residual = np.abs(h * (self.s * slope - y)[:, -1:] * ahead)
        parts, states = np.abs(change @ basis), np.abs(self._offset + y @ basis)
        worst = np.maximum(parts.sum(axis=1), residual.sum(axis=1)) / np.maximum(states.sum(axis=1), self._nothing)
        highest = np.maximum(parts.max(axis=1), residual.max(axis=1)) / np.maximum(states.max(axis=1), self._nothing)
        return float(worst.max()), float(highest.max())

    def residual(self, times: Array) -> float:
        """The largest filtered residual at the times, over the mass: s W (m' - L m), with the generator itself."""
        y, slope = self._coefficients(times, self.size)
        basis, worst = self._vectors[: self.size], 0.0
        for state, rate in zip(self._offset + y @ basis, slope @ basis, strict=True):
            left = self.s * self._solve(rate - self.flow.apply(0.0, state))
            worst = max(worst, float(np.abs(left).sum()) / max(float(np.abs(state).sum()), self._nothing))
        return worst

    @property
    def _offset(self) -> Array | float:
        return self.m0 if self._conserves else 0.0

    def _solve(self, b: Array) -> Array:
        """W b."""
        z = 1.0 / self.s
        return z * self.flow.solve(0.0, z, b)

    def _without_mass(self, x: Array) -> Array:
        return np.asarray(x - x.sum() * self._carrier)

    def _coefficients(self, times: Array, size: int) -> tuple[Array, Array]:
        """y in m(t) = offset + V y with `size` vectors, and dy/dt, each (len(times), size)."""
        if self._length == 0.0 or size == 0:
            return np.zeros((times.size, size)), np.zeros((times.size, size))
        if size not in self._responses:
            self._responses[size] = Response(self._projected[:size, :size].copy(), self.s, self._conserves)
        y, slope = self._responses[size](times)
        return self._length * y, self._length * slope
