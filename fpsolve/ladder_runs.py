"""Replicas of real SGD for the ladder: one half measured, the other half kept to judge by."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fpsolve.checks import whole
from fpsolve.measure import mean_square_displacement, tail_index
from fpsolve.models.subject import Subject
from fpsolve.progress import Progress
from fpsolve.rungs import Measured
from fpsolve.values.density import Density
from fpsolve.values.swarm import Swarm

__all__ = ["Trajectories", "trajectories"]

Array = NDArray[np.float64]
RELAXATIONS = 10.0
SHORT = 8  # steps at the end, recorded one by one: the noise and its memory are measured on them


@dataclass(frozen=True, eq=False)
class Trajectories:
    """swarm: all replicas, at the last steps.  held_out: the half to judge by.  measured: on the other half."""

    swarm: Swarm
    held_out: Swarm
    measured: Measured


def trajectories(
    subject: Subject, start: Density, n: int, steps: int | None, seed: int, progress: Progress
) -> Trajectories:
    """Run SGD from places drawn from `start`."""
    eta = subject.learning_rate
    count = math.ceil(RELAXATIONS / (subject.rate * eta)) if steps is None else whole("steps", steps, SHORT + 1)
    last = max(count, SHORT + 1)
    places = np.ravel(start.sample(n, seed=seed))
    swarm = subject.sgd(last, places, seed, list(range(last - SHORT, last + 1)), progress)
    half = n // 2
    return Trajectories(swarm, _part(swarm, slice(half, None)), _measured(subject, _part(swarm, slice(0, half))))


def _part(swarm: Swarm, which: slice) -> Swarm:
    alive = swarm.alive()[which]
    return replace(
        swarm, positions=swarm.positions[:, which][:, alive], weights=None, lost_at=None, absorbed_at=None
    )  # fmt: skip


def _measured(subject: Subject, swarm: Swarm) -> Measured:
    """Index and scale of the noise of a step in units of sqrt(2 D eta), and the exponent of its sum's growth."""
    eta = subject.learning_rate
    x = swarm.positions[:, :, 0]
    drift = np.stack([subject.drift(row) for row in x[:-1]])
    spread = np.sqrt(2.0 * eta * np.stack([subject.diffusion(row) for row in x[:-1]]))
    noise = (np.diff(x, axis=0) - eta * drift) / spread
    tail = tail_index(noise.ravel())
    paths = Swarm(
        swarm.names, swarm.times - swarm.times[0],
        np.concatenate([np.zeros((1, noise.shape[1])), np.cumsum(noise, axis=0)])[:, :, None],
    )  # fmt: skip
    grows = mean_square_displacement(paths)
    return Measured(
        tail.index, tail.error, tail.scale if tail.heavy else None, float(grows.exponent), float(grows.exponent_error)
    )
