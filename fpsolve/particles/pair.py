"""Paths of the rescaling pair, by Heun's steps in each particle's own clock or by Euler's steps in t.

    own clock, dtau = 4 T C dt:   dzeta = (beta2 - beta1 v)/(T C) dtau + 2 dW,   dq = -(1 + gamma/(T C)) dtau
    in t:                         dzeta = -4 (beta1 v - beta2) dt + 4 sqrt(T C) dW,   dq = -4 (T C + gamma) dt

with v = exp(q) sinh(zeta)/2.  C(v) has no bound, so that fixed steps in t blow up; on the own clock drift and noise are
bounded, and q falls like a clock's hand.  Kloeden & Platen (1992), ch. 14 and 15: weak orders 2 and 1, the former
from dtau = .04 on.  With alpha = (1, .5, 1), beta = (1, 1), T = .3 the mean of z at t = 4 is too large by 1 % at
dtau = .08, .34 % at .04 and .13(5) % at .02, and too small by 2.6 % at dt = .05 and 1.1 % at .02.

A run goes from one recorded time to the next, and each such stretch has normals of its own (kernels/pair.py): the bits
depend on which times are recorded, but not on the number of particles or threads, nor on whether a run is split there.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.checks import number, rising_times, seed_key
from fpsolve.errors import FpsolveWarning, InvalidInput, warn
from fpsolve.kernels.pair import walk_clock, walk_euler
from fpsolve.memory import require
from fpsolve.progress import Progress, reporting
from fpsolve.values.swarm import Swarm

__all__ = ["PairLaw", "pair_paths"]

Array = NDArray[np.float64]
COMPANY = 2048  # particles moved between two looks at the keyboard
LONGEST = 0.2  # step of the own clock: five times that, the contraction by one step, is still stable
LONGEST_IN_TIME = 1.0
FARTHEST = 300.0  # ln|v| of a start: C(v) would overflow not far beyond


@dataclass(frozen=True, eq=False)
class PairLaw:
    """What moves the pair: noise = T (alpha1, alpha2, alpha3), pull = (beta1, beta2), decay = gamma."""

    noise: tuple[float, float, float]
    pull: tuple[float, float]
    decay: float

    @property
    def stands_still(self) -> bool:
        """Whether C(v) vanishes somewhere: there the own clock stops while time goes on."""
        first, cross, last = self.noise
        return not (first * last - cross**2 > 1e-12 * first * last or (first == 0 and last > 0))


def pair_paths(
    start: ArrayLike | Swarm,
    times: ArrayLike,
    law: PairLaw,
    *,
    seed: int,
    dtau: float = 0.02,
    dt: float | None = None,
    threads: int | None = None,
    progress: Progress = None,
) -> Swarm:
    """Positions (zeta, q) at `times` of particles that start at `start`, shape (n, 2), or where a Swarm ended.

    times: rising, not before the start (0, or the swarm's last time).  dtau: the step of the own clock, at most .2.
    dt: Euler's steps of dt/(1 + 4 T C + 4 beta1 dv/dzeta) in t instead; the only way where C(v) vanishes at some v.
    seed: the same seed gives the same bits for any `threads`.

    Returns a Swarm; interrupted from the keyboard, what is recorded, with `finished` False and a FpsolveWarning.
    Raises InvalidInput for arguments out of range, and for dtau where C(v) vanishes.

    >>> law = PairLaw(noise=(0.3, 0.15, 0.3), pull=(1.0, 1.0), decay=0.0)
    >>> swarm = pair_paths(np.tile([0.4, 0.9], (1000, 1)), [0.5, 4], law, seed=1, progress=False)
    >>> swarm, bool(np.all(swarm.at(4)[:, 1] < swarm.at(0.5)[:, 1]))
    (Swarm(zeta, q: 1000 replicas, 2 times to t=4), True)
    """
    places = _check_places(start.positions[-1] if isinstance(start, Swarm) else start)
    begin = float(start.times[-1]) if isinstance(start, Swarm) else 0.0
    stops = rising_times(times, begin, "the swarm")
    run = _Run(seed_key(seed), law, _walk(dtau, dt, law), dtau if dt is None else dt, threads)
    require(16.0 * len(places) * (stops.size + 3), f"{len(places)} particles at {stops.size} times", "use fewer")
    kept: list[Array] = []
    try:
        with reporting(stops.size * len(places), progress, "particles") as tell:
            for first, last in zip([begin, *stops], stops, strict=False):
                moved = run.stretch(kept[-1] if kept else places.T, float(first), float(last), tell, len(kept))
                kept.append(moved)
    except KeyboardInterrupt:
        reached = stops[len(kept) - 1] if kept else begin
        warn(f"interrupted: a partial swarm up to t={reached:g} of {stops[-1]:g}", FpsolveWarning)
    rows, seen = (kept, stops[: len(kept)]) if kept else ([places.T], np.array([begin]))
    positions = np.array([row.T for row in rows])
    return Swarm(("zeta", "q"), seen, positions, seed=int(seed), finished=len(kept) == stops.size)


@dataclass(frozen=True, eq=False)
class _Run:
    key: np.uint64
    law: PairLaw
    walk: Callable[..., None]
    step: float
    threads: int | None

    def stretch(self, places: Array, first: float, last: float, tell: Callable[[int], object], done: int) -> Array:
        """Where particles at `places`, shape (2, n), at the time `first` are at the time `last`."""
        moved, n, law = np.array(places, order="C"), places.shape[1], self.law
        base = np.uint64(zlib.crc32(np.float64(first).tobytes()) << 32)  # a stretch is known by when it begins
        for one in range(0, n, COMPANY):
            zeta, q = moved[:, one : one + COMPANY]
            self.walk(
                self.key, base, np.uint64(one), last - first, self.step, law.noise, law.pull, law.decay, zeta, q,
                threads=self.threads,
            )  # fmt: skip
            tell(done * n + one + zeta.size)
        return moved


def _walk(dtau: float, dt: float | None, law: PairLaw) -> Callable[..., None]:
    if dt is not None:
        if not 0 < number("dt", dt) <= LONGEST_IN_TIME:
            raise InvalidInput(
                f"dt is {dt}; Euler's step lies in (0, {LONGEST_IN_TIME:g}], or is None: the own clock's"
            )
        return walk_euler
    if not 0 < number("dtau", dtau) <= LONGEST:
        raise InvalidInput(f"dtau is {dtau}; the own clock's step lies in (0, {LONGEST}]: zeta moves by 2 sqrt(dtau)")
    if law.stands_still:
        raise InvalidInput(
            "the gradient noise C(v) vanishes at some v (alpha1 alpha3 = alpha2^2), where the own clock stands still; "
            "give dt, a step in t"
        )
    return walk_clock


def _check_places(start: ArrayLike) -> Array:
    places = np.array(start, dtype=float)
    if places.ndim != 2 or places.shape[1] != 2 or places.size == 0:
        raise InvalidInput(f"start has shape {places.shape}; give (n, 2): zeta and q of each particle")
    wrong = np.flatnonzero(~np.isfinite(places).all(axis=1))
    if wrong.size:
        raise InvalidInput(
            f"particle {wrong[0]} starts at zeta, q = {places[wrong[0]]} ({wrong.size} of {len(places)} are not "
            "finite): where u^2 = w^2 the pair is balanced already, which is a DiagonalNetwork of depth 1"
        )
    highest = float((places[:, 1] + np.abs(places[:, 0])).max())
    if highest > FARTHEST:
        raise InvalidInput(f"a particle starts at |v| = exp({highest:.4g})/4, where C(v) overflows; start further in")
    return places
