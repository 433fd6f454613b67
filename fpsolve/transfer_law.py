"""The stationary law of a random map as a quadrature: expectations, density, transients, and its own errors."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import read_only
from fpsolve.checks import whole
from fpsolve.collocation import Collocation, collocation
from fpsolve.errors import InvalidInput
from fpsolve.functions import Function, Points
from fpsolve.grid import Grid
from fpsolve.initial import Initial
from fpsolve.progress import Progress
from fpsolve.random_map import RandomMap
from fpsolve.random_map_ends import lower_exponent
from fpsolve.transfer_density import end_slope, law_density, node_grid
from fpsolve.transfer_steps import evolved
from fpsolve.ulam import ulam
from fpsolve.values.density import Density
from fpsolve.values.evolution import Evolution

__all__ = ["FEWEST_NODES", "ExactLaw", "MomentErrors", "law_between"]

Array = NDArray[np.float64]
FEWEST_NODES = 32
OFFSETS = 4  # grids between one another, where logarithmic singularities lie under the law
FURTHER = 2.0  # in ln x: the error is estimated on a stretch that reaches so much further
SINGULAR = 1e-13  # weight of singular branches from which they count


class MomentErrors(NamedTuple):
    """Estimated errors of the mean and the variance, n nodes against 2 n."""

    mean: float
    var: float


@dataclass(frozen=True, eq=False, repr=False)
class ExactLaw:
    """The stationary law of a random map as a quadrature, E f = sum_k weights_k f(positions_k).

    random_map: whose law.  parts: its operator, on grids that lie between one another.  s: the nodes of all of them in
    the map's coordinate, rising.  weights: signed, sum 1.  residual: max|w K - w|/max|w|.  seconds: CPU time.

    >>> import fpsolve as fp
    >>> law = fp.transfer(fp.RandomMap(lambda x, a: x / 2 + a, [-1.0, 1.0], (-2.5, 2.5)))  # uniform on [-2, 2]
    >>> round(law.var(), 9), round(law.expect(lambda x: x**4), 9)
    (1.333333333, 3.2)
    """

    random_map: RandomMap
    parts: tuple[Collocation, ...]
    s: Array
    weights: Array
    residual: float
    seconds: float

    def __post_init__(self) -> None:
        for name in ("s", "weights"):
            object.__setattr__(self, name, read_only(np.array(getattr(self, name), dtype=float)))

    @cached_property
    def positions(self) -> Array:
        """x at the nodes, in the order of s."""
        return read_only(self.random_map.position(self.s))

    def expect(self, function: Callable[[Array], Any]) -> float:
        """E f(x), f a vectorised function: as accurate as the law, where `stationary()` has a density's sums."""
        points = Points((self.random_map.name,), (self.positions,), (("node", self.positions.shape),))
        return float(self.weights @ Function(function, "function").scalar(points))

    def mean(self) -> float:
        """E x."""
        return self.moment(1)

    def var(self) -> float:
        """E (x - E x)^2."""
        return self.moment(2, central=True)

    def moment(self, order: int, central: bool = False) -> float:
        """E x^order, or E (x - E x)^order.

        Raises InvalidInput where the law's tail, P(|x| > r) ~ r^-kappa, does not carry it.
        """
        if whole("order", order, 1) >= self.tail_exponent - 1.0:
            raise InvalidInput(
                f"the moment of order {order} of {self.random_map.name} is infinite: P(|x| > r) falls as "
                f"r^-{self.tail_exponent - 1.0:.6g} only"
            )
        center = float(self.weights @ self.positions) if central else 0.0
        return float(self.weights @ (self.positions - center) ** order)

    @property
    def flux(self) -> float:
        """The share of the mass that leaves in a step: over the top, a linear coordinate's bottom, or through 0."""
        return abs(float(np.mean([part.lost @ w for part, w in self._by_part])))

    @cached_property
    def caught(self) -> float:
        """About the share of the mass that steps throw near u = 0 where the map hardly moves, so that it stays there.

        So it is with three layers and more: the time to come back grows as a power of 1/u.  0 where steps near 0 are
        multiplicative.
        """
        if not self.random_map.logarithmic or self.kappa is not None:
            return 0.0
        thrown = float(np.mean([part.singular @ np.abs(w) for part, w in self._by_part]))
        lowest = self.parts[0]
        return thrown * float(np.exp(lowest.s[0] - self._mode)) / max(abs(float(lowest.drift[0])), 1e-300)

    @cached_property
    def leaks(self) -> Array:
        """What a step sends below the lowest node, above the highest and through u = 0, (3,)."""
        return np.mean([part.leaks.T @ w for part, w in self._by_part], axis=0)

    @cached_property
    def error(self) -> MomentErrors:
        """Estimated errors of mean and variance: the difference to twice as many nodes.

        On a logarithmic coordinate these begin nearer to 0 and, under a power law's tail, end further out.
        """
        lo, hi = float(self.parts[0].s[0]), float(self.parts[0].s[-1])
        if self.random_map.logarithmic:
            further = FURTHER / abs(self.random_map.readout.power)
            lo, hi = lo - further, hi + further if np.isfinite(self.tail_exponent) else hi
        finer = law_between(self.random_map, lo, hi, 2 * self.parts[0].s.size, self._mode)
        return MomentErrors(abs(finer.mean() - self.mean()), abs(finer.var() - self.var()))

    @cached_property
    def kappa(self) -> float | None:
        """kappa in p ~ |x|^(kappa - 1) toward 0, from E|u'/u|^(-kappa power) = 1 at u = 0; None without such a law."""
        return lower_exponent(self.random_map)

    @cached_property
    def tail_exponent(self) -> float:
        """q in p ~ |x|^-q as |x| -> inf, the map's own: `RandomMap.tail_exponent`; inf without such a law."""
        return self.random_map.tail_exponent

    @cached_property
    def end_slope(self) -> float | None:
        """d ln(weight)/d ln x over the lowest nodes, to be held against kappa; None where too little is there.

        Where steps pass close to u = 0 (large learning rates) it is 1/power of the readout instead, if that is smaller.
        """
        return end_slope(self.random_map, self.parts[0], self.s, self.weights)

    @cached_property
    def grid(self) -> Grid:
        """The grid of all nodes, in x."""
        return node_grid(self.random_map, self.s)

    def stationary(self) -> Density:
        """The law as a Density: weights over cell widths; toward x = 0 continued by its power law.

        Negative values are rounding, or (warned of by ResolutionWarning) a law that is not smooth on these nodes.
        """
        return law_density(
            self.random_map,
            self.parts[0],
            self.s,
            self.weights,
            kappa=self.kappa,
            residual=self.residual,
            seconds=self.seconds,
        )

    def evolve(self, initial: Initial, steps: int | Sequence[int], *, progress: Progress = None) -> Evolution:
        """The law after some numbers of steps from a start; times are steps times the map's (the learning rate).

        initial: as for `fp.evolve` (a Point is spread over eight nodes by signed weights that keep its moments).
        steps: whole numbers >= 0, rising.  Raises InvalidInput for other steps, and for starts that are no law.
        """
        return evolved(self.random_map, self.parts, self.grid, initial, steps, progress)

    def ulam(self, cells: int = 500) -> Density:
        """The positive cross-check: cells that exchange mass, solved by GTH; first order, its variance is too large.

        Raises InvalidInput for fewer than 32 cells.
        """
        return ulam(
            self.random_map, float(self.s[0]), float(self.s[-1]), whole("cells", cells, FEWEST_NODES), self._mode
        )

    @property
    def _by_part(self) -> list[tuple[Collocation, Array]]:
        n = len(self.parts)
        return [(part, n * self.weights[i::n]) for i, part in enumerate(self.parts)]

    @property
    def _mode(self) -> float:
        return float(self.s[int(np.argmax(self.weights * (self.s > self.s[0] + 0.1 * (self.s[-1] - self.s[0]))))])

    def __repr__(self) -> str:
        name, x = self.random_map.name, sorted((float(self.positions[0]), float(self.positions[-1])))
        grids = f" on each of {len(self.parts)} grids" if len(self.parts) > 1 else ""
        return (
            f"ExactLaw({name}: {self.parts[0].s.size} nodes{grids} on [{x[0]:.4g}, {x[1]:.4g}]; flux {self.flux:.0e}, "
            f"residual {self.residual:.0e})"
        )


def law_between(
    random_map: RandomMap, lo: float, hi: float, nodes: int, mode: float | None, started: float | None = None
) -> ExactLaw:
    """The law on these nodes; on several grids between one another where branches are singular under it."""
    started = time.process_time() if started is None else started
    parts = [collocation(random_map, lo, hi, nodes)]
    laws = [parts[0].stationary(mode)]
    if float(np.abs(parts[0].singular @ np.abs(laws[0][0]))) > SINGULAR:
        h = parts[0].h
        parts += [collocation(random_map, lo + k * h / OFFSETS, hi + k * h / OFFSETS, nodes) for k in range(1, OFFSETS)]
        laws += [part.stationary(mode) for part in parts[1:]]
    s = np.stack([part.s for part in parts], axis=1).ravel()
    weights = np.stack([w for w, _ in laws], axis=1).ravel() / len(parts)
    residual = max(residual for _, residual in laws)
    return ExactLaw(random_map, tuple(parts), s, weights, residual, time.process_time() - started)
