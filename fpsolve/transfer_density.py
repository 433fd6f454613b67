"""A random map's law as a Density: weights over cell widths, and the power law by which it goes on toward x = 0."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsolve.branches import branches
from fpsolve.collocation import Collocation
from fpsolve.errors import ResolutionWarning, warn
from fpsolve.grid import Grid
from fpsolve.random_map import RandomMap
from fpsolve.values.density import Density
from fpsolve.values.info import Info

__all__ = ["end_slope", "law_density", "node_grid"]

Array = NDArray[np.float64]
BESIDE = 24  # nodes above the extrapolation at the lower end in which its weights ring,
STEPS_BESIDE = 5.0  # and largest steps
WINDOW = 2.0  # in ln x, over which the slope at the lower end is fitted
FEWEST = 8  # nodes in it
RESOLVED = 1e-12  # of the largest weight: what lies lower has no slope to be trusted
CONSISTENT = 0.02  # of kappa
ROUNDING = 1e-15  # of the largest mass
NEGLIGIBLE = 1e-12  # weight of a branch whose step does not count
WAVY = 1e-6  # negative weights beyond this share of the largest are not rounding


def end_slope(random_map: RandomMap, part: Collocation, s: Array, weights: Array) -> float | None:
    """d ln(weight)/d ln x over the lowest nodes above the extrapolation; None where they hold too little."""
    if not random_map.logarithmic:
        return None
    power = abs(random_map.readout.power)
    start = _untouched(random_map, part)
    density = np.where(s >= start, weights, 0.0)
    window = (s >= start) & (s <= start + WINDOW / power)
    rising = start + WINDOW / power < s[np.argmax(density)]
    if not rising or window.sum() < FEWEST or weights[window].min() < RESOLVED * density.max():
        return None
    return float(np.polyfit(s[window], np.log(weights[window]), 1)[0]) / power


def law_density(
    random_map: RandomMap,
    part: Collocation,
    s: Array,
    weights: Array,
    *,
    kappa: float | None,
    residual: float,
    seconds: float,
) -> Density:
    """The density with these weights; without the lowest nodes, and continued, where the end's power law is seen."""
    slope = end_slope(random_map, part, s, weights)
    first = int(np.searchsorted(s, _untouched(random_map, part)))
    follows = False
    if slope is not None and kappa is not None and abs(slope - kappa) <= CONSISTENT * kappa:
        # the continuation takes the slope of the last pair, which grids between one another make uneven
        pair = np.log(weights[first + 1] / weights[first]) / (s[1] - s[0]) / abs(random_map.readout.power)
        follows = bool(abs(pair - slope) <= CONSISTENT * slope)
    first = first if follows else 0
    masses, continued = weights[first:], (follows, False)
    above = weights[s >= _untouched(random_map, part)]  # nothing where one step reaches as far as the whole law
    _check_waves(masses if follows or not random_map.logarithmic or above.size == 0 else above)
    if random_map.readout.scale < 0:
        masses, continued = masses[::-1], continued[::-1]
    p = Density.from_masses(node_grid(random_map, s[first:]), masses, info=Info(floor=ROUNDING))
    p = p.replace(continued=(continued,))
    info = Info(
        method="dual collocation of degree 7",
        residual=residual,
        mass_error=abs(p.mass - 1.0),
        smallest=float(p.values.min()),
        edge_mass=p.beyond,
        seconds=seconds,
        floor=ROUNDING,
    )
    return p.replace(info=info)


def _untouched(random_map: RandomMap, part: Collocation) -> float:
    """The s from which on the weights are a density: above the extrapolation at the lower end, and what it rings in."""
    steps = branches(random_map, part.s[:1], smoothed=False)
    largest = float(np.abs(steps.displacements[steps.weights > NEGLIGIBLE]).max())
    return float(part.s[0]) + (part.reach + BESIDE) * part.h + STEPS_BESIDE * largest


def node_grid(random_map: RandomMap, s: Array) -> Grid:
    """The grid in x whose nodes are those at the uniform s."""
    half = 0.5 * float(s[-1] - s[0]) / (s.size - 1)
    return random_map.grid(float(s[0]) - half, float(s[-1]) + half, s.size)


def _check_waves(weights: Array) -> None:
    lowest, largest = float(weights.min()), float(weights.max())
    if lowest >= -WAVY * largest:
        return
    warn(
        f"the law is not smooth on these {weights.size} nodes: weights reach {lowest / largest:.2g} of the largest. "
        "Means of smooth functions (expect) stand; the density does not: use more nodes, or ulam()",
        ResolutionWarning,
    )
