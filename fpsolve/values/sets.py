"""How much of every cell lies inside a set given by a level function, positive inside.

Within a cell the level is replaced by its linear part a + b.s, s in [-1/2, 1/2]^d, which is positive on the share

    sum over the corners c of (prod sign c) max(0, a + b.c)^d / (d! prod b),

so that integrals over the set are of second order in the cell width wherever its boundary runs.
Source: Scardovelli & Zaleski, J. Comput. Phys. 164, 228 (2000), for such volumes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.asking import shown
from fpsolve.errors import InvalidInput
from fpsolve.functions import Function, Points
from fpsolve.grid import Grid

__all__ = ["shares_inside"]

Array = NDArray[np.float64]
FLAT = 1e-3  # of the largest slope: gentler ones are taken for that, or the corners' sum would lose its digits


def shares_inside(level: Callable[..., Any], grid: Grid) -> Array:
    """The share of each cell in which `level` (one argument per axis) is positive, of the grid's shape.

    Raises InvalidInput where the level is not a finite number at a node, or is not a function.
    """
    if not callable(level):
        raise InvalidInput(f"the set is {shown(level)}; give a function of {grid.names} that is positive inside it")
    mesh = [x.ravel() for x in np.meshgrid(*grid.nodes, indexing="ij")]
    points = Points(grid.names, tuple(mesh), (("cell", grid.shape),))
    height = Function(level, "level").scalar(points).reshape(grid.shape)
    slopes = np.stack([np.gradient(height, axis=k) for k in range(grid.ndim)])
    steepest = np.abs(slopes).max(axis=0)
    sure = np.abs(height) >= 0.5 * np.abs(slopes).sum(axis=0)
    shares = np.where(height > 0, 1.0, 0.0)
    cut = ~sure & (steepest > 0)
    shares[cut] = _linear_share(height[cut], slopes[:, cut], steepest[cut])
    return shares


def _linear_share(height: Array, slopes: Array, steepest: Array) -> Array:
    b = np.maximum(np.abs(slopes), FLAT * steepest)  # the share does not depend on their signs
    d = len(b)
    total = np.zeros(height.shape)
    for corner in itertools.product((-0.5, 0.5), repeat=d):
        reached = np.maximum(0.0, height + sum(c * part for c, part in zip(corner, b, strict=True)))
        total += np.prod(np.sign(corner)) * reached**d
    return total / (math.factorial(d) * np.prod(b, axis=0))
