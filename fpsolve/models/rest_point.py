"""Where gradient descent comes to rest: a minimum of a loss known by its gradient."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import InvalidInput

__all__ = ["hessian", "rest_point"]

Array = NDArray[np.float64]
Mean = Callable[[Array], Array]
DESCENT = 20_000  # steps
DIFFERENCE = 1e-4  # of a coordinate; fourth order
SCAN = np.concatenate([-np.geomspace(1e4, 1e-4, 400), [0.0], np.geomspace(1e-4, 1e4, 400)])


def rest_point(mean: Mean, start: Array | None, learning_rate: float) -> Array:
    """The minimum that full-batch gradient descent from `start` leads to; without a start the lowest on a line.

    mean: the gradient (d, k) at places (d, k).  Raises InvalidInput where no minimum is found.
    """
    if start is None:
        return _lowest_on_line(mean)
    theta = np.array(start, dtype=float)
    for _ in range(DESCENT):
        with np.errstate(all="ignore"):
            step = learning_rate * mean(theta[:, None])[:, 0]
        if not np.all(np.isfinite(step)) or np.any(np.abs(theta) > 1e100):
            raise InvalidInput(
                f"full-batch gradient descent from {_shown(start)} diverges at learning rate {learning_rate:g}; lower "
                "it, or give a start in the valley"
            )
        theta = theta - step
        if np.all(np.abs(step) <= 1e-3 * learning_rate * (1.0 + np.abs(theta))):
            break
    from scipy.optimize import root  # .3 s to import, and needed here only

    found = root(lambda x: mean(x[:, None])[:, 0], theta, tol=1e-14)
    theta, curvature = found.x, hessian(mean, found.x)
    slope = np.abs(mean(theta[:, None])[:, 0]).max()
    lowest = float(np.linalg.eigvalsh(curvature)[0])
    if not slope <= 1e-8 * max(1.0, np.abs(curvature).max()) * max(1.0, np.abs(theta).max()) or not lowest > 0:
        raise InvalidInput(
            f"no minimum found from start {_shown(start)}: descent stops at {_shown(theta)}, where the gradient is "
            f"{slope:.3g} and the smallest curvature {lowest:.3g}; a density around a minimum needs curvature > 0: "
            "give another start"
        )
    return theta


def hessian(mean: Mean, theta: Array) -> Array:
    """The second derivatives of the loss at theta (d,), fourth-order differences of its gradient, symmetrised."""
    d = theta.size
    rows = np.empty((d, d))
    for k in range(d):
        h = DIFFERENCE * max(abs(float(theta[k])), 1e-2)
        places = np.repeat(theta[:, None], 4, axis=1)
        places[k] += h * np.array([-2.0, -1.0, 1.0, 2.0])
        g = mean(places)
        rows[k] = (g[:, 0] - 8.0 * g[:, 1] + 8.0 * g[:, 2] - g[:, 3]) / (12.0 * h)
    return 0.5 * (rows + rows.T)


def _lowest_on_line(mean: Mean) -> Array:
    from scipy.optimize import brentq

    def slope(x: float) -> float:
        return float(mean(np.array([[x]]))[0, 0])

    values = mean(SCAN[None])[0]
    turns = np.flatnonzero((values[:-1] < 0) & (values[1:] >= 0))
    if not np.any(np.isfinite(values)):
        raise InvalidInput(
            "the mean gradient is finite at no theta between -1e4 and 1e4; check the function and the data"
        )
    if turns.size == 0:
        raise InvalidInput(
            "no minimum found for theta between -1e4 and 1e4: the mean gradient never changes from negative to "
            "positive; check its sign (gradient, not descent direction), or give a start"
        )
    steps = 0.5 * (values[1:] + values[:-1]) * np.diff(SCAN)
    loss = np.concatenate([[0.0], np.cumsum(steps)])
    best = turns[int(np.argmin(loss[turns]))]
    return np.array([float(brentq(slope, SCAN[best], SCAN[best + 1], xtol=1e-300, rtol=1e-15))])


def _shown(theta: Array) -> str:
    return f"({', '.join(f'{value:.6g}' for value in theta)})"
