"""Better closed forms for SGD of one parameter: exact moments of a step, a finite learning rate, a third cumulant.

With xi = s' - s of one step, in the computational coordinate s of its random map, and eta the time that it takes:

    b = E xi/eta,   d = Var xi/(2 eta),   c = kappa3(xi)/(6 eta) - eta d d'
    b~ = b - (eta/2)(b b' + d b''),       d~ = d - (eta/2)(b d' + 2 d b' + d d'')
    p  = p~ exp(phi),   phi' = (c'' + 2 c' q' + c (q'' + q'^2))/d~,   q' = (b~ - d~')/d~

p~ is the stationary density of ds = b~ dt + sqrt(2 d~) dW.  The correction by eta matches the discrete steps to second
order in eta; moving the drift alone would move the variance the wrong way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fpsolve.branches import branches
from fpsolve.checks import whole
from fpsolve.errors import InvalidInput
from fpsolve.grid import Grid
from fpsolve.problem import Problem
from fpsolve.process import Process
from fpsolve.random_map import RandomMap, map_of
from fpsolve.random_map_domain import core_stretch
from fpsolve.stationary import stationary
from fpsolve.values.density import Density

if TYPE_CHECKING:
    from scipy.interpolate import BSpline

__all__ = ["FiniteRate"]

Array = NDArray[np.float64]
DEGREE = 7  # of the splines through the moments
MARGIN = 12  # nodes beyond the stretch on each side
CHUNK = 2_000_000  # branches at once
OUTERMOST = 1e-9  # quantile beyond which phi stays as it is
FEWEST_NODES = 64


@dataclass(frozen=True, eq=False, repr=False)
class FiniteRate:
    """A random map's moments per unit of time on a stretch of s, and the diffusions made of them.

    random_map: `net.random_map()`, a model that has one, or your own; its coordinate is the one in which corrections
        are made: replace coordinate="linear" where d~ <= 0 in the logarithm.
    span: (lo, hi) in s; where the law is unless given.  nodes: of the splines that b, d and c are taken from.

    Raises InvalidInput, once asked, where the steps' variance vanishes on the stretch.

    >>> import fpsolve as fp
    >>> x, y = np.array([1.0, -1.0, 2.0, 0.5]), np.array([1.1, -0.7, 1.6, 0.9])
    >>> net = fp.models.DiagonalNetwork(fp.Regression(x, y), learning_rate=0.02)
    >>> rate, exact = FiniteRate(net.random_map()), fp.transfer(net)
    >>> [round(p.mean() / exact.mean() - 1, 5) for p in (fp.stationary(net.problem()), rate.plain(), rate.corrected())]
    [5e-05, 0.0, -1e-05]
    """

    random_map: RandomMap
    span: tuple[float, float] | None = None
    nodes: int = 1000

    def __post_init__(self) -> None:
        object.__setattr__(self, "random_map", map_of(self.random_map))
        whole("nodes", self.nodes, FEWEST_NODES)
        if self.span is None:
            object.__setattr__(self, "span", core_stretch(self.random_map))

    def drift(self, s: Array, order: int = 0) -> Array:
        """b(s), or a derivative."""
        return self._moments[0](s, order)

    def noise(self, s: Array, order: int = 0) -> Array:
        """d(s), or a derivative."""
        return self._moments[1](s, order)

    def corrected_drift(self, s: Array, order: int = 0) -> Array:
        """b~(s), or a derivative."""
        return self._corrected[0](s, order)

    def corrected_noise(self, s: Array, order: int = 0) -> Array:
        """d~(s), or a derivative; it may be negative where the learning rate is large."""
        return self._corrected[1](s, order)

    def third(self, s: Array, order: int = 0) -> Array:
        """c(s), or a derivative."""
        return self._third(s, order)

    @property
    def holds(self) -> bool:
        """Whether d~ > 0 on all of the stretch, so that there are corrected processes in this coordinate."""
        return bool(np.all(self.corrected_noise(self._s) > 0))

    @property
    def grid(self) -> Grid:
        """A grid for x over the stretch, uniform in s, one cell a node; open toward x = 0 in the logarithm only."""
        assert self.span is not None
        ends = ("open" if self.random_map.logarithmic else "reflecting", "reflecting")
        return self.random_map.grid(*self.span, self.nodes, ends)

    def process(self, *, corrected: bool) -> Process:
        """The diffusion of x with b and d, or with b~ and d~ (Ito).

        Raises InvalidInput where d~ <= 0, with the place.
        """
        if corrected:
            self._check_noise()
        b, d = (self.corrected_drift, self.corrected_noise) if corrected else (self.drift, self.noise)
        return Process(
            drift=partial(_drift_of_x, self.random_map, b, d), diffusion=partial(_diffusion_of_x, self.random_map, d)
        )

    def plain(self) -> Density:
        """The stationary density with the exact first two moments of a step."""
        return stationary(Problem(self.process(corrected=False), self.grid))

    def corrected(self) -> Density:
        """The stationary density corrected for the finite learning rate, p~."""
        return stationary(Problem(self.process(corrected=True), self.grid))

    def third_order(self) -> Density:
        """p~ exp(phi): corrected for the third cumulant too; phi stays constant beyond the quantiles 1e-9, 1 - 1e-9."""
        p = self.corrected()
        s = self.random_map.coordinate_of(p.grid.nodes[0])
        ends = np.sort(self.random_map.coordinate_of(p.quantile(np.array([OUTERMOST, 1.0 - OUTERMOST]))))
        phi = self._phi(np.clip(s, *ends))
        return Density.from_log(p.grid, p.log_values + phi, info=p.info, continued=p.continued)

    @cached_property
    def _s(self) -> Array:
        assert self.span is not None
        lo, hi = self.span
        steps = np.arange(-MARGIN, self.nodes + MARGIN + 1, dtype=np.float64)
        return lo + (hi - lo) / self.nodes * steps

    @cached_property
    def _moments(self) -> tuple[BSpline, BSpline, BSpline]:
        """b, d and kappa3/(6 eta)."""
        rows = max(16, CHUNK // self.random_map.atoms[0].size)
        parts = []
        for first in range(0, self._s.size, rows):
            found = branches(self.random_map, self._s[first : first + rows], smoothed=False)
            mean = found.mean
            centred = found.displacements - mean[:, None]
            parts.append((mean, (found.weights * centred**2).sum(axis=1), (found.weights * centred**3).sum(axis=1)))
        mean, variance, third = (np.concatenate(part) for part in zip(*parts, strict=True))
        if not np.all(variance > 0):
            raise InvalidInput(
                f"the steps do not vary at {self.random_map.name}="
                f"{float(self.random_map.position(self._s[np.argmin(variance)])):.6g}: a diffusion needs noise"
            )
        eta = self.random_map.time
        return self._spline(mean / eta), self._spline(variance / (2.0 * eta)), self._spline(third / (6.0 * eta))

    @cached_property
    def _corrected(self) -> tuple[BSpline, BSpline]:
        s, half = self._s, 0.5 * self.random_map.time
        (b, b1, b2), (d, d1, d2) = ([spline(s, k) for k in range(3)] for spline in self._moments[:2])
        return self._spline(b - half * (b * b1 + d * b2)), self._spline(d - half * (b * d1 + 2 * d * b1 + d * d2))

    @cached_property
    def _third(self) -> BSpline:
        d, s = self._moments[1], self._s
        return self._spline(self._moments[2](s) - self.random_map.time * d(s) * d(s, 1))

    @cached_property
    def _phi(self) -> BSpline:
        self._check_noise()
        s = self._s
        b, d = self.corrected_drift(s), self.corrected_noise(s)
        slope = (b - self.corrected_noise(s, 1)) / d
        curve = self._spline(slope)(s, 1)
        c, c1, c2 = (self.third(s, k) for k in range(3))
        return self._spline((c2 + 2.0 * c1 * slope + c * (curve + slope**2)) / d).antiderivative()

    def _spline(self, values: Array) -> BSpline:
        from scipy.interpolate import make_interp_spline

        return make_interp_spline(self._s, values, k=DEGREE)

    def _check_noise(self) -> None:
        if self.holds:
            return
        worst = self._s[np.argmin(self.corrected_noise(self._s))]
        raise InvalidInput(
            f"the corrected diffusion d~ is {float(self.corrected_noise(worst)):.3g} at {self.random_map.name}="
            f"{float(self.random_map.position(worst)):.4g}: the learning rate is too large for the correction in this "
            "coordinate; use random_map.replace(coordinate='linear'), or the plain density"
        )

    def __repr__(self) -> str:
        return f"FiniteRate({self.random_map!r}; corrected {'everywhere' if self.holds else 'not everywhere'})"


def _slopes(random_map: RandomMap, s: Array) -> tuple[Array, Array]:
    """dx/ds and d2x/ds2."""
    x, u, power = random_map.position(s), random_map.state(s), random_map.readout.power
    if random_map.logarithmic:
        return power * x, power**2 * x
    first = random_map.readout.slope(u)
    return first, np.zeros_like(u) if power == 1 else (power - 1.0) * first / u


def _drift_of_x(random_map: RandomMap, b: Callable[[Array], Array], d: Callable[[Array], Array], x: Array) -> Array:
    s = random_map.coordinate_of(x)
    first, second = _slopes(random_map, s)
    return first * b(s) + second * d(s)


def _diffusion_of_x(random_map: RandomMap, d: Callable[[Array], Array], x: Array) -> Array:
    s = random_map.coordinate_of(x)
    return _slopes(random_map, s)[0] ** 2 * d(s)
