"""Where dense networks start: normal weights of a known scale, weights that are given, or a swarm that goes on.

| start | deviation of a weight of a layer with `in` inputs and `out` outputs |
|---|---|
| "small" | 10^-3: saddle to saddle |
| "kaiming" | sqrt(1/in), sqrt(2/in) under (leaky) ReLU |
| "xavier" | sqrt(2/(in + out)) |
| "large" | 1: lazy |
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.asking import shown
from fpsolve.checks import seed_key, whole
from fpsolve.errors import InvalidInput
from fpsolve.kernels.random import STARTS, fill_normals
from fpsolve.models.architecture import Architecture
from fpsolve.values.swarm import Swarm

__all__ = ["STARTING", "NetworkStart", "drawn_weights", "network_weights"]

Array = NDArray[np.float64]
NetworkStart = str | ArrayLike | Sequence[ArrayLike] | Swarm
STARTING = ("small", "kaiming", "xavier", "large")
SMALL = 1e-3


def drawn_weights(shape: Architecture, kind: str, n: int, seed: int) -> Array:
    """Weights (n, size) of one of the kinds above; the same seed gives the same bits, whatever n."""
    if kind not in STARTING:
        raise InvalidInput(f"start is {kind!r}; use one of {', '.join(map(repr, STARTING))}, or give weights")
    normals = np.empty((whole("n", n, 1), shape.size))
    fill_normals(seed_key(seed), np.uint64(0), STARTS, np.uint64(0), normals)
    deviations = [_deviation(shape, kind, rows, columns) for rows, columns in shape.shapes]
    return normals * np.repeat(deviations, np.diff(shape.offsets))


def network_weights(shape: Architecture, start: NetworkStart, n: int | None, seed: int, momentum: bool) -> Array:
    """The weights (n, 1, size), or with momentum (n, 2, size), that a start stands for.

    start: a kind; weights (size,) or (n, size); the layers' matrices, each (outputs, inputs) or (n, outputs, inputs);
    or a Swarm.  Raises InvalidInput for a start of another shape, not finite, or in conflict with n.
    """
    if isinstance(start, Swarm):
        weights = _continued(shape, start, momentum)
    else:
        flat = drawn_weights(shape, start, _count(n), seed) if isinstance(start, str) else _given(shape, start, n)
        weights = np.stack([flat, np.zeros_like(flat)], axis=1) if momentum else flat[:, None]
    if n is not None and whole("n", n, 1) != len(weights):
        raise InvalidInput(f"n is {n} but start has {len(weights)} replicas; leave n out, or give as many starts")
    return weights


def flattened(shape: Architecture, layers: Sequence[ArrayLike]) -> Array:
    """Weights (..., size) from the layers' matrices, each (..., outputs, inputs)."""
    parts = [np.asarray(layer, dtype=float) for layer in layers]
    found = tuple(part.shape[-2:] for part in parts)
    if found != shape.shapes:
        raise InvalidInput(f"start has layers of shapes {found}; this network has {shape.shapes}")
    rows = np.broadcast_shapes(*(part.shape[:-2] for part in parts))
    flat = [np.broadcast_to(part, (*rows, *part.shape[-2:])).reshape(*rows, -1) for part in parts]
    return np.concatenate(flat, axis=-1)


def _deviation(shape: Architecture, kind: str, rows: int, columns: int) -> float:
    if kind == "kaiming":
        return float(np.sqrt((2.0 if shape.activation in ("relu", "leaky_relu") else 1.0) / columns))
    if kind == "xavier":
        return float(np.sqrt(2.0 / (rows + columns)))
    return SMALL if kind == "small" else 1.0


def _given(shape: Architecture, start: ArrayLike | Sequence[ArrayLike], n: int | None) -> Array:
    layers = isinstance(start, (list, tuple)) and len(start) == len(shape.shapes) and np.ndim(start[0]) >= 2
    try:
        flat = flattened(shape, start) if layers else np.asarray(start, dtype=float)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            f"start is {shown(start)}; give weights, the layers' matrices, or a Swarm: {error}"
        ) from error
    if flat.shape[-1:] != (shape.size,) or flat.ndim > 2 or flat.size == 0:
        raise InvalidInput(
            f"start has shape {flat.shape}; give ({shape.size},) or (replicas, {shape.size}), or the layers' matrices"
        )
    if not np.all(np.isfinite(flat)):
        raise InvalidInput(f"start has {np.sum(~np.isfinite(flat))} weights that are not finite; give finite numbers")
    return np.array(flat) if flat.ndim == 2 else np.repeat(flat[None], _count(n), axis=0)


def _continued(shape: Architecture, swarm: Swarm, momentum: bool) -> Array:
    if swarm.weights is None:
        raise InvalidInput("start is a swarm without weights; only a swarm that SGD returned can be continued")
    wanted = (len(swarm), 2, shape.size) if momentum else (len(swarm), shape.size)
    if swarm.weights.shape != wanted:
        raise InvalidInput(
            f"start has weights of shape {swarm.weights.shape}; to go on, this network needs {wanted}: weights, and "
            "with momentum also what they move by"
        )
    return np.array(swarm.weights).reshape(len(swarm), -1, shape.size)


def _count(n: int | None) -> int:
    if n is None:
        raise InvalidInput("n is missing: give the number of replicas, or one start for each")
    return whole("n", n, 1)
