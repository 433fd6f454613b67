"""Where a diagonal network starts: v = sum_j prod_l w[l, j] spread evenly over n layers and d columns.

Balanced weights have |w[l, j]| = |v/d|^(1/n); the sign of v is that of the first layer.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.asking import shown
from fpsolve.checks import whole
from fpsolve.errors import InvalidInput
from fpsolve.values.swarm import Swarm

__all__ = ["balanced_weights", "start_weights"]

Array = NDArray[np.float64]
Start = float | ArrayLike | Swarm | None


def balanced_weights(v: ArrayLike, layers: int, width: int) -> Array:
    """Equal weights (replicas, layers, width) whose network computes v (replicas,).

    >>> balanced_weights([-8.0], layers=3, width=1).ravel()
    array([-2.,  2.,  2.])
    """
    share = np.atleast_1d(np.asarray(v, dtype=float)) / width
    size = np.abs(share) ** (1.0 / layers)
    weights = np.repeat(size, layers * width).reshape(share.size, layers, width)
    weights[:, 0, :] *= np.sign(share)[:, None]
    return weights


def start_weights(start: Start, n: int | None, layers: int, width: int, minimum: float) -> Array:
    """The weights (replicas, layers, width) that `start` stands for; see `diagonal_sgd`.

    Raises InvalidInput for a start of another shape, not finite, or in conflict with n.
    """
    if isinstance(start, Swarm):
        if start.weights is None:
            raise InvalidInput("start is a swarm without weights; only a swarm that SGD returned can be continued")
        weights = np.array(start.weights)
    else:
        weights = _fresh_weights(start, n, layers, width, minimum)
    if weights.ndim != 3 or weights.shape[1:] != (layers, width):
        raise InvalidInput(
            f"start has weights of shape {weights.shape}; {layers} layers of width {width} need "
            f"(replicas, {layers}, {width})"
        )
    if n is not None and whole("n", n, 1) != len(weights):
        raise InvalidInput(f"n is {n} but start has {len(weights)} replicas; leave n out, or give as many starts")
    return weights


def _fresh_weights(start: ArrayLike | None, n: int | None, layers: int, width: int, minimum: float) -> Array:
    try:
        given = np.asarray(minimum if start is None else start, dtype=float)
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            f"start is {shown(start)}; give v (a number or one per replica), the weights, or a Swarm to go on from"
        ) from error
    if not np.all(np.isfinite(given)):
        raise InvalidInput(f"start has {np.sum(~np.isfinite(given))} values that are not finite; give finite numbers")
    if start is None and minimum == 0.0 and layers > 1:
        raise InvalidInput("E[x y] is 0, so the minimum is v = 0, where balanced weights never move; give start=")
    if given.ndim in (0, 2):  # one start for all: v, or the weights (layers, width)
        if n is None:
            raise InvalidInput("n is missing: give the number of replicas, or one start for each")
        given = np.repeat(given[None], whole("n", n, 1), axis=0)
    if given.size == 0 or given.ndim not in (1, 3):
        raise InvalidInput(
            f"start has shape {given.shape}; give v (a number or one per replica), weights ({layers}, {width}) or "
            f"(replicas, {layers}, {width}), or a Swarm"
        )
    return balanced_weights(given, layers, width) if given.ndim == 1 else np.array(given)
