"""Contour inversion: E_beta(t^beta L) m0, the masses of a process with memory, without steps and without a history.

    m(t) = m0 + 2 Re sum_k weight_k exp(z_k t) z_k^-1 [z_k^beta (z_k^beta - L)^-1 - 1] m0
on a hyperbola (hyperbola.py) that has the singularities of (z^beta - L)^-1 on its left: one complex solve a node.
Written so, what the sum errs by for L = 0 is taken out exactly, and m(t) has the mass of m0.

An eigenvalue l with |arg l| >= sector is singular at arg z = sector/beta.  sector = pi where all are real, and pi/2
for any Markov generator.  A hyperbola that leaves an eigenvalue on its right gives an answer with the right mass and no
sign of what is missing, and another one that misses it too agrees; so no hyperbola is used that could, unless the
caller says what the sector is, and then one half as wide has to agree.
Sources: Weideman & Trefethen, Math. Comp. 76, 1341 (2007); Podlubny, Fractional Differential Equations (1999), ch. 1.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fpsolve.checks import number
from fpsolve.errors import InvalidInput, NotConverged
from fpsolve.methods.flow import Generators, Operator
from fpsolve.methods.hyperbola import hyperbola
from fpsolve.methods.march import Interrupted
from fpsolve.progress import Progress, reporting
from fpsolve.values.info import Info

__all__ = ["Contour"]

Array = NDArray[np.float64]
FINEST, COARSEST = 1e-13, 1e-2
ANY, REAL = 0.5 * math.pi, math.pi  # sectors: of any Markov generator, of a real spectrum
NARROWEST = 1e-3  # what must be left between the imaginary axis and the singularities
LOST = 1e-6  # of the mass, in one solve: the factors are not what they should be
AGREEMENT = 100.0  # times tol


@dataclass(frozen=True)
class Contour:
    """The default with memory, for generators that do not depend on time: one set of solves serves many times.

    tol: the error, relative to what the masses sum to; some 13 solves for one time and 30 for a decade where the
    spectrum is real (one dimension, detailed balance), more as memory -> 1 where it is not.
    sector: a bound on |arg| of the eigenvalues of L, between pi/2 and pi, for who knows one; None: pi where they are
    known to be real, else pi/2.  A bound that is given is checked.
    Raises InvalidInput unless 1e-13 <= tol <= 1e-2 and pi/2 <= sector <= pi; `states` does for a generator in motion,
    and where memory is too close to 1; NotConverged where the sector is wrong.

    >>> Contour(tol=1e-10)
    Contour(tol=1e-10, sector=None)
    """

    tol: float = 1e-12
    sector: float | None = None
    remembers: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not FINEST <= number("tol", self.tol) <= COARSEST:
            raise InvalidInput(f"tol is {self.tol}; contours reach errors from {FINEST:g} to {COARSEST:g}")
        if self.sector is not None and not ANY <= number("sector", self.sector) <= REAL:
            raise InvalidInput(f"sector is {self.sector}; eigenvalues have |arg| between pi/2 and pi")

    def states(
        self, generator: Generators, m0: Array, times: Array, *, start: float = 0.0, progress: Progress = None
    ) -> tuple[Array, Info]:
        """The masses at `times`, from m0 at `start`; see `fpsolve.methods.march.Method`."""
        return self._inverted(generator, m0, np.asarray(times, dtype=float) - start, 1.0, start, progress)

    def moving(
        self, generator: Generators, m0: Array, times: Array, *, progress: Progress = None
    ) -> tuple[Array, Info]:
        """D_t^(1-beta) m at `times` > 0, from m0 at 0: the masses whose clocks run, by the time that these show."""
        beta = float(getattr(generator, "memory", 1.0))
        return self._inverted(generator, m0, np.asarray(times, dtype=float), beta, 0.0, progress)

    def _inverted(
        self, generator: Generators, m0: Array, times: Array, power: float, start: float, progress: Progress
    ) -> tuple[Array, Info]:
        """The inverse Laplace transforms of z^-power z^beta (z^beta - L)^-1 m0."""
        if callable(generator):
            raise InvalidInput(
                "Contour needs a generator that does not depend on time, and this one does: use fp.FastL1(), or "
                "freeze the process at one time, process.at(t)"
            )
        sector, proven = self._sector(generator)
        run = _Run(generator, np.array(m0, dtype=float), times, power, self.tol, _opening(sector, generator.memory))
        try:
            run.follow(progress)
        except KeyboardInterrupt as stop:
            if power != 1.0:
                raise
            raise Interrupted.at(times + start, run.rows, (start, run.m0), run.info(repr(self))) from stop
        if not proven:
            self._check(run, sector, progress)
        return np.array(run.rows), run.info(repr(self))

    def _sector(self, generator: Operator) -> tuple[float, bool]:
        """The sector, and whether no eigenvalue can lie outside it."""
        real = generator.has_real_spectrum
        known = REAL if real else ANY
        sector = known if self.sector is None else self.sector
        return sector, sector <= known and (real or generator.is_markov)

    def _check(self, run: _Run, sector: float, progress: Progress) -> None:
        """Against a hyperbola half as wide; raises NotConverged where the two differ."""
        other = _Run(run.generator, run.m0, run.times, run.power, self.tol, 0.5 * run.theta)
        other.follow(progress)
        run.solves += other.solves
        off = max(float(np.abs(a - b).sum()) for a, b in zip(run.rows, other.rows, strict=True))
        size = float(np.abs(run.m0).sum())
        if off > AGREEMENT * self.tol * size:
            raise NotConverged(
                f"two contours differ by {off / size:.2g} of the mass: eigenvalues lie outside the sector |arg| >= "
                f"{sector:.4g}, between them or to the right of both; leave the sector out, or use fp.FastL1()",
                best=np.array(other.rows),
            )
        run.notes.append(f"a contour half as wide agrees to {off / size:.1g} of the mass")


class _Run:
    """One set of hyperbolas through the plane: `rows` are the transforms at the first of `times`, as far as it is."""

    def __init__(self, generator: Operator, m0: Array, times: Array, power: float, tol: float, theta: float) -> None:
        self.generator, self.m0, self.times, self.power = generator, m0, times, power
        self.tol, self.theta = tol, theta
        self.rows: list[Array] = []
        self.notes: list[str] = []
        self.solves = self.contours = 0
        self.lost = 0.0
        self.killing = generator.killing
        self.began = time.process_time()

    def follow(self, progress: Progress) -> None:
        """Through all times."""
        if self.times[0] == 0.0:
            self.rows.append(self.m0)
        windows = self._windows()
        total = sum(hyperbola(self.theta, *ends, self.tol).count for _, ends in windows)
        with reporting(max(total, 1), progress, "evolve") as tell:
            for times, ends in windows:
                self.rows.extend(self._invert(times, ends, tell))

    def _windows(self) -> list[tuple[Array, tuple[float, float]]]:
        """Times that share a hyperbola, and the first and last of them: one more shares it if that costs no more."""
        left, windows = self.times[self.times > 0.0], []
        alone = hyperbola(self.theta, 1.0, 1.0, self.tol).count
        while left.size:
            count, size = alone, 1
            while size < left.size:
                wider = hyperbola(self.theta, left[0], left[size], self.tol).count
                if wider > count + alone:
                    break
                count, size = wider, size + 1
            windows.append((left[:size], (float(left[0]), float(left[size - 1]))))
            left = left[size:]
        return windows

    def _invert(self, times: Array, ends: tuple[float, float], tell: Callable[[int], object]) -> Array:
        """The transforms at `times`."""
        z, weights = hyperbola(self.theta, *ends, self.tol).nodes()
        beta, rows = self.generator.memory, np.zeros((times.size, self.m0.size))
        shares = 2.0 * weights * np.exp(np.outer(times, z)) * z**-self.power  # (times, nodes)
        for k, point in enumerate(z**beta):
            found = self._solved(complex(point))
            share = shares[:, k : k + 1] * point
            rows += share.real * found.real - share.imag * found.imag
            self.solves += 1
            tell(self.solves)
        self.contours += 1
        still = times ** (self.power - 1.0) / math.gamma(self.power)  # the transform for L = 0
        return np.asarray(rows + (still - shares.sum(axis=1).real)[:, None] * self.m0)

    def _solved(self, z: complex) -> NDArray[np.complex128]:
        """(z - L)^-1 m0; what it loses of the mass is noted."""
        found = self.generator.resolvent(z).solve(self.m0)
        left = z * found.sum() + (self.killing * found).sum() - self.m0.sum()
        self.lost = max(self.lost, abs(left) / max(float(np.abs(self.m0).sum()), 1e-300))
        if not self.lost < LOST:
            raise NotConverged(
                f"a solve at z = {z:.4g} lost {self.lost:.2g} of the mass: rates are too far apart for an LU in double "
                "precision; use fp.FastL1(), or a grid of fewer decades"
            )
        return np.asarray(found, dtype=complex)

    def info(self, method: str) -> Info:
        """How it went."""
        counts = f"{self.solves} solves on {self.contours} contours, singularities behind {self._angle}"
        error = max(self.tol, self.lost)
        return Info(
            method=method,
            seconds=time.process_time() - self.began,
            steps=self.solves,
            time_error=error,
            floor=error,
            notes=(counts, *self.notes),
        )

    @property
    def _angle(self) -> str:
        return f"|arg z| = {0.5 * math.pi + self.theta:.4g}"


def _opening(sector: float, beta: float) -> float:
    """theta: singularities have |arg z| >= pi/2 + theta.  Raises InvalidInput where nothing is left of it."""
    theta = min(sector / beta, math.pi) - 0.5 * math.pi
    if theta < NARROWEST:
        other = "fp.Krylov()" if beta == 1.0 else "fp.FastL1()"
        raise InvalidInput(
            f"memory is {beta:g}, and eigenvalues may lie on the imaginary axis: no contour passes between them and "
            f"the origin; use {other}, or give Contour(sector=...) a bound on their |arg|"
        )
    return theta
