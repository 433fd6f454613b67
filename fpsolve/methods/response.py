"""What a small matrix H = V^T (1 - s L)^-1 V says of exp(t L) on the first vector, for many times.

    A = (1 - H^-1)/s,   y(t) = exp(t A) e1,   or, of what exp(t L) adds to a state that (1 - s L)^-1 moves by v,
    y(t) = [exp(t A) - 1] (H - 1)^-1 e1 = (1/s) int_0^t exp(r A) dr H^-1 e1.
By the eigenvalues w of H, which serve for every t, or by scaling and squaring of
    t [[A, H^-1 e1/s], [0, 0]].
The former loses digits where eigenvectors are nearly dependent, as for mass carried one way, the latter where A is
large: their condition is weighed against |s A|.
exp(t (1 - 1/w)/s) and all its derivatives vanish as w falls to 0, so what rounding puts beyond 0 counts as 0.
Source: Al-Mohy & Higham, SIAM J. Matrix Anal. Appl. 31, 970 (2009), for the second way.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["Response"]

Array = NDArray[np.float64]
DEPENDENT = 100.0  # times |s A|: the condition of eigenvectors that loses as many digits as squaring does, measured
AT_ONE = 1e-8  # eigenvalues of H this close to 1 belong to what does not move
SMALLEST = 1e-100  # eigenvalues: those below count as 0


class Response:
    """y(t) for one H, (m, m).  added: whether y is what is added to a state, or a state itself."""

    def __init__(self, projected: Array, s: float, added: bool) -> None:
        self.projected, self.s, self.added = projected, s, added

    def __call__(self, times: Array) -> tuple[Array, Array]:
        """y and dy/dt at the times, each (len(times), m)."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return self._by_modes(times) if self._independent else self._by_squaring(times)

    @cached_property
    def _independent(self) -> bool:
        """Whether the eigenvectors are independent enough."""
        size = float(np.linalg.norm(np.eye(len(self.projected)) - self._inverse, 1))
        return self.condition < DEPENDENT * size

    @property
    def condition(self) -> float:
        """Of the eigenvectors, in the 1-norm."""
        _, modes, inverse = self._spectrum
        return float(np.linalg.norm(modes, 1) * np.linalg.norm(inverse, 1))

    @cached_property
    def _spectrum(self) -> tuple[Array, Array, Array]:
        """Eigenvalues and eigenvectors of H, and the inverse of these."""
        w, modes = np.linalg.eig(self.projected)
        return w, modes, _inverted(modes)

    @cached_property
    def _inverse(self) -> Array:
        return _inverted(self.projected)

    def _by_modes(self, times: Array) -> tuple[Array, Array]:
        w, modes, inverse_modes = self._spectrum
        first = inverse_modes[:, 0]
        t, alive = times[:, None], w.real > SMALLEST
        inverse = 1.0 / np.where(alive, w, 1.0)
        rates = (1.0 - inverse) / self.s
        decay = np.where(alive, np.exp(t * rates), 0.0)
        if self.added:
            moving = np.abs(w - 1.0) > AT_ONE
            gone = np.where(alive, np.expm1(t * rates), -1.0)
            gain = np.where(moving, gone / np.where(moving, w - 1.0, 1.0), t / self.s)
            slope = decay * inverse / self.s
        else:
            gain, slope = decay, decay * rates
        return ((gain * first) @ modes.T).real, ((slope * first) @ modes.T).real

    def _by_squaring(self, times: Array) -> tuple[Array, Array]:
        from scipy.linalg import expm

        m, inverse = len(self.projected), self._inverse
        if not np.all(np.isfinite(inverse)):
            return np.full((times.size, m), np.nan), np.full((times.size, m), np.nan)
        small = np.zeros((m + 1, m + 1))
        small[:m, :m] = (np.eye(m) - inverse) / self.s
        small[:m, m] = inverse[:, 0] / self.s
        powers = expm(times[:, None, None] * small)
        if self.added:
            return powers[:, :m, m], powers[:, :m, :m] @ small[:m, m]
        return powers[:, :m, 0], powers[:, :m, :m] @ small[:m, 0]


def _inverted(matrix: Array) -> Array:
    """The inverse; inf where there is none."""
    try:
        return np.asarray(np.linalg.inv(matrix))
    except np.linalg.LinAlgError:
        return np.full_like(matrix, np.inf)
