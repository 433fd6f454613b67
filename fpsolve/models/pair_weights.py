"""The weights (u, w) of many replicas: as a start that is given, and as the end of a run.

The coordinates (zeta, q) hold |z| only, so a sheet, the sign of z = u^2 - w^2, is told from the weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.asking import shown
from fpsolve.checks import whole
from fpsolve.errors import DegenerateWarning, InvalidInput, warn
from fpsolve.models.pair_start import GaussianWeights
from fpsolve.values.swarm import Swarm

__all__ = ["Weights", "check_sheet", "drawn_weights", "tell_of_crossings"]

Array = NDArray[np.float64]
Weights = Sequence[ArrayLike] | Array
ROUNDING = 1e-13  # of u^2 + w^2: below, z is what many steps' rounding has made of it


def drawn_weights(start: GaussianWeights | Weights, n: int | None, seed: int, sign: int) -> tuple[Array, Array]:
    """u and w, shape (n,) each, of a start: a Gaussian, two numbers for all replicas, or two arrays.

    Raises InvalidInput for a start of another shape or sheet, or in conflict with n.
    """
    if isinstance(start, GaussianWeights):
        u, w = start.draw(_count(n), seed)
    else:
        u, w = _given(start)
        if u.ndim == 0:
            u, w = np.full(_count(n), u), np.full(_count(n), w)
        elif n is not None and whole("n", n, 1) != u.size:
            raise InvalidInput(f"n is {n} but the start has {u.size} replicas; leave n out, or give as many starts")
    check_sheet(u, w, sign)
    return u, w


def check_sheet(u: ArrayLike, w: ArrayLike, sign: int) -> None:
    """Raises InvalidInput unless all weights are finite, with z of this sign."""
    u, w = (np.ravel(part) for part in np.broadcast_arrays(np.asarray(u, float), np.asarray(w, float)))
    wrong = np.flatnonzero(~(np.isfinite(u) & np.isfinite(w) & (sign * (np.abs(u) - np.abs(w)) > 0)))
    if wrong.size:
        side, i = "u^2 > w^2" if sign > 0 else "u^2 < w^2", wrong[0]
        raise InvalidInput(
            f"u, w = {u[i]:.6g}, {w[i]:.6g} ({wrong.size} of {u.size}) are not finite weights with {side}: z keeps its "
            f"sign, so take a pair with sign={-sign} for the others; weights with u^2 = w^2 are a DiagonalNetwork"
        )


def tell_of_crossings(swarm: Swarm, sign: int) -> None:
    """Warn of replicas whose z has changed its sign by the end of a run, or is lost in rounding."""
    assert swarm.weights is not None
    u, w = np.abs(swarm.weights[~swarm.diverged, :, 0]).T
    lost = np.abs(u - w) * (u + w) <= ROUNDING * (u * u + w * w)
    crossed = ~lost & (sign * (u - w) < 0)
    if np.any(lost | crossed):
        warn(
            f"z = u^2 - w^2 has changed its sign in {crossed.sum()} of {len(swarm)} replicas, and is below rounding, "
            f"{ROUNDING:g} (u^2 + w^2), in {lost.sum()}: zeta and q hold |z| only; ask .weights, or stop earlier",
            DegenerateWarning,
        )


def _count(n: int | None) -> int:
    if n is None:
        raise InvalidInput("n is missing: give the number of replicas, or weights (u, w) for each")
    return whole("n", n, 1)


def _given(start: Any) -> tuple[Array, Array]:
    try:
        u, w = (np.asarray(part, dtype=float) for part in start)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"start is {shown(start)}; give pair.initial(...), weights (u, w), or a Swarm") from error
    if u.shape != w.shape or u.ndim > 1 or u.size == 0:
        raise InvalidInput(f"u has shape {u.shape}, w {w.shape}; give two numbers, or two arrays of one length")
    return u, w
