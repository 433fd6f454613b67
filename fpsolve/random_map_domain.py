"""The stretch of s that carries the law of a random map: empty ends are cut off, leaking ones reach further out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsolve.branches import branches
from fpsolve.collocation import Collocation, collocation
from fpsolve.errors import NotConverged
from fpsolve.random_map import RandomMap

__all__ = ["LEAST_FLUX", "core_stretch", "fitted_stretch"]

Array = NDArray[np.float64]
COARSE = 500  # nodes of a trial
ROUNDS = 12
EMPTY = 1e-18  # of the largest weight
MARGIN = 0.03  # of the stretch, left beside what is not empty
WIDER = 0.1  # of the stretch, added at a leaking end
LEAST_FLUX = 1e-15  # a step
CORE = 1e-11  # of the largest weight: the core of a law
SAME = 0.3  # of the stretch: a cut by less is not tried again


def fitted_stretch(random_map: RandomMap) -> tuple[float, float, float]:
    """From where to where in s the law is, and where its largest weight: trials on few nodes, from the map's domain on.

    Raises NotConverged where the mean step leads upward on all of the domain: the map diverges.
    """
    lo, hi = _inward(random_map, *random_map.span)
    mode = None
    for _ in range(ROUNDS):
        trial = collocation(random_map, lo, hi, COARSE)
        w, _ = trial.stationary(mode)
        mode = float(trial.s[np.argmax(w)])
        new, length = _moved_ends(random_map, trial, w), hi - lo
        if new[0] < lo or new[1] > hi:
            new = _inward(random_map, *new)
        wider = new[0] < lo - 1e-9 * length or new[1] > hi + 1e-9 * length
        again = wider or (new[1] - new[0]) < (1.0 - SAME) * length
        lo, hi = new
        if not again:
            break
    assert mode is not None
    return lo, hi, mode


def core_stretch(random_map: RandomMap) -> tuple[float, float]:
    """From where to where in s weights are above 1e-11 of the largest: there a step's moments describe it well."""
    lo, hi, mode = fitted_stretch(random_map)
    trial = collocation(random_map, lo, hi, COARSE)
    size = np.abs(trial.stationary(mode)[0])
    full = np.flatnonzero(size > CORE * size.max())
    return float(trial.s[full[0]]), float(trial.s[full[-1]])


def _moved_ends(random_map: RandomMap, trial: Collocation, w: Array) -> tuple[float, float]:
    size = np.abs(w)
    full = np.flatnonzero(size > EMPTY * size.max())
    length = float(trial.s[-1] - trial.s[0])
    ends = [
        max(float(trial.s[0]), float(trial.s[full[0]]) - MARGIN * length),
        min(float(trial.s[-1]), float(trial.s[full[-1]]) + MARGIN * length),
    ]
    below, above, _ = np.abs(trial.leaks.T @ w).tolist()
    if above > LEAST_FLUX:
        ends[1] = float(trial.s[-1]) + WIDER * length
    if below > LEAST_FLUX and not random_map.logarithmic and random_map.readout.power == 1:
        ends[0] = float(trial.s[0]) - WIDER * length
    return ends[0], ends[1]


def _inward(random_map: RandomMap, lo: float, hi: float) -> tuple[float, float]:
    """The ends, moved in to where the mean step leads inward."""
    s = np.linspace(lo, hi, COARSE)
    drift = branches(random_map, s, smoothed=False).mean
    returns = np.flatnonzero(drift < 0)
    if returns.size == 0:
        raise NotConverged(
            f"the mean step leads upward everywhere on the domain ({float(random_map.position(lo)):.4g} to "
            f"{float(random_map.position(hi)):.4g}): the map diverges, or its law lies above; lower the learning rate, "
            "or give a domain that holds the law"
        )
    top = min(returns[-1] + 1, s.size - 1)
    if random_map.logarithmic:
        return lo, float(s[top])
    rises = np.flatnonzero(drift > 0)
    bottom = max(int(rises[0]) - 1, 0) if rises.size else 0
    return float(s[bottom]), float(s[top])
