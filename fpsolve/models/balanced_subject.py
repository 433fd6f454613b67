"""A diagonal network as the ladder sees it: SGD of v, noiseless flow and loss apart from the noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fpsolve.grid import Grid
from fpsolve.models.balanced import BalancedLaw
from fpsolve.models.regression import Moments, Regression
from fpsolve.models.subject import Subject
from fpsolve.progress import Progress
from fpsolve.random_map import RandomMap
from fpsolve.values.swarm import Swarm

__all__ = ["balanced_subject"]

Array = NDArray[np.float64]


def balanced_subject(
    law: BalancedLaw,
    data: Regression,
    learning_rate: float,
    batch: int,
    grid: Grid,
    random_map: Callable[[], RandomMap],
    sgd: Callable[..., Swarm],
) -> Subject:
    """The pieces of the balanced law of v.

    flow: A without the part that Ito's rule adds for C; slope: L'(v) = 2 (beta1 v - beta2) with the decay of the
    smallest weights that make v.
    """
    m, v = law.moments, law.minimum
    still = replace(law, moments=Moments(0.0, 0.0, 0.0, m.beta1, m.beta2))
    residual = data.y - v * data.x
    g = -residual * data.x
    g = g - g.mean()
    decay = law.decay / law.kappa

    def slope(x: Array) -> Array:
        with np.errstate(divide="ignore"):
            pull = decay * np.sign(x) * np.abs(x) ** (2.0 * law.share - 1.0) if decay else 0.0
        return 2.0 * (m.beta1 * x - m.beta2 + pull)

    def run(steps: int, places: Array, seed: int, record: Sequence[int], progress: Progress) -> Swarm:
        return sgd(steps, places.size, seed, start=places, record=record, progress=progress)

    return Subject(
        name="v",
        minimum=v,
        rate=law.rate,
        flow=still.drift,
        slope=slope,
        drift=law.drift,
        diffusion=law.diffusion,
        grid=grid,
        learning_rate=learning_rate,
        batch=batch,
        samples=data.n,
        residual=float(np.mean(residual**2)),
        skewness=float(np.mean(g**3) / np.mean(g**2) ** 1.5),
        random_map=random_map(),
        sgd=run,
    )
