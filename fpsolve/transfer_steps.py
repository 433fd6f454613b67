"""Laws in motion under a random map: w_n = w_0 K^n."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fpsolve.checks import whole
from fpsolve.collocation import Collocation
from fpsolve.errors import InvalidInput
from fpsolve.grid import Grid
from fpsolve.initial import Initial, masses
from fpsolve.kernels.collocation import collocate
from fpsolve.progress import Progress, reporting
from fpsolve.random_map import RandomMap
from fpsolve.starts import Point
from fpsolve.values.evolution import Evolution
from fpsolve.values.info import Info

__all__ = ["evolved"]

Array = NDArray[np.float64]
REPORTS = 200
ROUNDING = 1e-15  # of the largest mass


def evolved(
    random_map: RandomMap,
    parts: tuple[Collocation, ...],
    grid: Grid,
    initial: Initial,
    steps: int | Sequence[int],
    progress: Progress,
) -> Evolution:
    """The masses on all nodes after each of `steps` steps."""
    marks = _marks(steps)
    started = time.process_time()
    sign = -1 if random_map.readout.scale < 0 else 1
    w = _start(random_map, parts, grid, initial, sign)
    rows, done = [], 0
    every = max(1, marks[-1] // REPORTS)
    with reporting(marks[-1], progress, "steps") as tell:
        for mark in marks:
            while done < mark:
                w = [part.transposed @ each for part, each in zip(parts, w, strict=True)]
                done += 1
                if done % every == 0:
                    tell(done)
            rows.append(np.stack(w, axis=1).ravel()[::sign] / len(parts))
    info = Info(
        method="dual collocation of degree 7", steps=done, seconds=time.process_time() - started, floor=ROUNDING
    )  # fmt: skip
    return Evolution(grid, np.array(marks) * random_map.time, np.array(rows), info)


def _start(
    random_map: RandomMap, parts: tuple[Collocation, ...], grid: Grid, initial: Initial, sign: int
) -> list[Array]:
    """Weights on the nodes of each part."""
    n = len(parts)
    if not isinstance(initial, Point):
        on_all = masses(initial, grid).ravel()[::sign]
        return [n * on_all[i::n] for i in range(n)]
    place = float(random_map.coordinate_of(initial.inside(grid)[0]))
    return [_spread(part, place) for part in parts]


def _spread(part: Collocation, place: float) -> Array:
    """The eight weights of a point: what the basis functions are there."""
    node = int(np.clip(round((place - part.s[0]) / part.h), 0, part.s.size - 1))
    row, leak = np.zeros((1, part.s.size)), np.zeros((1, 3))
    shift = np.array([[(place - part.s[node]) / part.h]])
    collocate(node, shift, np.ones((1, 1)), part.reach, row, leak)
    return row[0]


def _marks(steps: int | Sequence[int]) -> list[int]:
    given = [steps] if np.ndim(steps) == 0 else list(steps)  # type: ignore[arg-type]
    marks = [whole("steps", step, 0) for step in given]
    if not marks or any(b <= a for a, b in pairwise(marks)):
        raise InvalidInput(f"steps is {steps}; give numbers of steps that rise, one or more")
    return marks
