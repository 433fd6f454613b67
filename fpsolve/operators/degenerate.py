"""Where the noise vanishes inside a grid: isolated zeros of D, found between the sampled points too.

At such a point x0 nothing diffuses.  If the drift vanishes there as well, no path crosses it and the line falls apart
into two; if not, paths cross one way.  Rates computed from samples beside x0 would see neither.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.kernels.fluxes import dips

Array = NDArray[np.float64]
FEW_ZEROS = 16
DIP = float(np.log(0.5))  # a sampled minimum this far below its neighbours three samples away deserves a search
ZERO = np.log(1e-9)  # a minimum this far below its neighbours is a zero


@dataclass(frozen=True)
class NoiseZero:
    """An isolated zero of D at `s`, with the drift there relative to its size nearby."""

    s: float
    drift: float


def noise_zeros(s: Array, log_diffusion: Array, sample: Callable[[float], tuple[float, float]]) -> list[NoiseZero]:
    """Isolated zeros of D along sorted samples half a cell apart; `sample(s)` gives (ln D, A) anywhere."""
    found = []
    candidates, count = np.empty(FEW_ZEROS, dtype=np.int64), FEW_ZEROS
    while count == candidates.size:  # full: there may be more
        candidates = np.empty(4 * candidates.size, dtype=np.int64)
        count = dips(np.ascontiguousarray(log_diffusion), DIP, candidates)
    for k in candidates[:count]:
        around = float(min(log_diffusion[k - 3], log_diffusion[k + 3]))
        if around == -np.inf:
            continue
        place = float(s[k])
        if log_diffusion[k] > ZERO + around:
            place, lowest = _lowest(float(s[k - 1]), float(s[k + 1]), around, sample)
            if lowest > ZERO + around:
                continue
        nearby = max(abs(sample(float(s[k - 3]))[1]), abs(sample(float(s[k + 3]))[1]))
        drift = sample(place)[1]
        found.append(NoiseZero(place, 0.0 if abs(drift) <= 1e-6 * nearby else drift))
    return found


def _lowest(
    low: float, high: float, around: float, sample: Callable[[float], tuple[float, float]]
) -> tuple[float, float]:
    from scipy.optimize import minimize_scalar

    middle = 0.5 * (low + high)  # searched as an offset from here: the search's tolerance is relative
    result = minimize_scalar(
        lambda offset: float(np.exp(sample(middle + float(offset))[0] - around)),
        bounds=(low - middle, high - middle),
        method="bounded",
        options={"xatol": 1e-13 * (high - low), "maxiter": 200},
    )
    place = middle + float(result.x)
    return place, sample(place)[0]
