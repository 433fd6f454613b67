"""The probability current of a density, and the entropy that it produces.

Over the edge between two cells flows F = k (B(-step) p_left - B(step) p_right), with the affinity
a = step + ln p_left - ln p_right; the generator's own fluxes, so div J = -(L m)/w cell by cell.  Schnakenberg's sum
sigma = sum F a (k_B = 1) is >= 0 edge by edge.
A ring's stationary current is found from its circulation Phi = closed integral of A/D, not as a difference: with
f the one-way fluxes, F = J everywhere means sum -ln(1 - J/f) = Phi, whose root keeps its digits however small it is.
Source: Schnakenberg, Rev. Mod. Phys. 48, 571 (1976).
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import read_only
from fpsolve.errors import DegenerateWarning, InvalidInput
from fpsolve.generator import Generator, generator
from fpsolve.grid import Grid
from fpsolve.kernels.fluxes import face_fluxes
from fpsolve.operators.local import Edges
from fpsolve.problem import Problem
from fpsolve.values.density import Density
from fpsolve.values.field import Field

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Current", "current", "entropy_production"]

Array = NDArray[np.float64]
EPSILON = float(np.finfo(float).eps)
ROUNDINGS = 16.0  # per logarithm that enters a flux
NEGLIGIBLE = 1e-12  # of the largest flux


@dataclass(frozen=True, eq=False, repr=False)
class Current:
    """The current J of a density.

    at_faces: per axis, J at its faces, shape (cells + 1,) in one dimension: 0 at reflecting and open ends, what leaves
        at absorbing ones, the same value first and last on a ring.
    at_nodes: per axis, a Field: the mean of the two faces beside each node.
    divergence: div J per cell, -(L m)/w, of the grid's shape.
    entropy_production: sum of flux times affinity over the edges (what leaves at absorbing ends is not counted).
    imbalance: the largest net flux over its one-way flux, 0 in detailed balance; rounding: what it can be by rounding.
    """

    grid: Grid
    at_faces: tuple[Array, ...]
    divergence: Array
    entropy_production: float
    imbalance: float
    rounding: float

    @property
    def at_nodes(self) -> tuple[Field, ...]:
        """J at the nodes, one Field per axis."""
        faces = self.at_faces[0]
        return (Field(self.grid, 0.5 * (faces[:-1] + faces[1:]), "current"),)

    @property
    def is_equilibrium(self) -> bool:
        """Whether nothing flows, to rounding: imbalance <= rounding."""
        return self.imbalance <= self.rounding

    @property
    def stream_function(self) -> Array:
        """psi with J = (d psi/dy, -d psi/dx), two dimensions only: raises InvalidInput in one."""
        raise InvalidInput(
            f"a stream function needs two dimensions, this grid has the axis {self.grid.names[0]} alone; "
            "use at_faces or at_nodes"
        )

    def plot(self, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
        """Draw J at the nodes; returns the Axes."""
        return self.at_nodes[0].plot(ax, label=label, log=log)

    def __repr__(self) -> str:
        largest = max(float(np.abs(faces).max()) for faces in self.at_faces)
        balance = "equilibrium" if self.is_equilibrium else "no equilibrium"
        return (
            f"Current({self.grid.describe()}; largest {largest:.4g}, entropy production {self.entropy_production:.4g}, "
            f"{balance}: net over one-way flux {self.imbalance:.1e}, rounding {self.rounding:.0e})"
        )


def current(problem: Problem, p: Density) -> Current:
    """The current of p under `problem`, at p.time where the process depends on t.

    J = A p - D^(1-c) d(D^c p)/dx

    p: a density on the problem's grid, stationary or not.  Returns a Current.
    Raises InvalidInput where p lives on another grid.
    Warns DegenerateWarning where something flows over an edge without noise, or out of p > 0 into p = 0: the entropy
    production is then infinite.

    >>> import numpy as np, fpsolve as fp
    >>> ring = fp.Grid(x=fp.Axis.uniform(0, 2 * np.pi, 60, ends="periodic"))
    >>> tilted = fp.Problem(fp.Process(lambda x: 0.5 + np.sin(x), 1.0), ring)
    >>> J = current(tilted, fp.stationary(tilted))
    >>> bool(abs(J.entropy_production / (J.at_faces[0][0] * np.pi) - 1) < 1e-12), J.is_equilibrium
    (True, False)
    """
    L = _checked_generator(problem, p)
    found = _flows(L.edges, p)
    inner, axis = found.fluxes, problem.grid.axes[0]
    low, high = (inner[-1], inner[-1]) if axis.periodic else (-L.killing[0] * p.masses[0], L.killing[-1] * p.masses[-1])
    faces = np.concatenate([[low], inner[:-1] if axis.periodic else inner, [high]])
    return Current(
        grid=problem.grid,
        at_faces=(read_only(faces),),
        divergence=read_only(np.diff(faces) / axis.weights),
        entropy_production=_entropy_production(found),
        imbalance=float(np.max(found.imbalance, initial=0.0)),
        rounding=float(np.max(found.rounding, initial=0.0)),
    )


def entropy_production(problem: Problem, p: Density) -> float:
    """The rate at which p produces entropy under `problem` (k_B = 1): sum of flux times affinity over the edges.

    Infinite, with a DegenerateWarning, where something flows over an edge without noise.  Raises InvalidInput where p
    lives on another grid.

    >>> import fpsolve as fp
    >>> well = fp.Problem(fp.Process(lambda x: x - x**3, 0.25), fp.Grid(x=(-3, 3, 100)))
    >>> entropy_production(well, fp.stationary(well)) < 1e-25
    True
    """
    return _entropy_production(_flows(_checked_generator(problem, p).edges, p))


@dataclass(frozen=True, eq=False)
class _Flows:
    """Per edge: the net flux, the affinity, and the net over the one-way flux beside what rounding makes of it."""

    fluxes: Array
    affinities: Array
    imbalance: Array
    rounding: Array


def _checked_generator(problem: Problem, p: Density) -> Generator:
    one, other = problem.grid, p.grid
    same = one is other or (
        one.names == other.names
        and one.shape == other.shape
        and all(np.array_equal(a, b) for a, b in zip(one.nodes, other.nodes, strict=True))
    )
    if not same:
        raise InvalidInput(f"p lives on {other!r}, the problem on {one!r}; solve and ask on one grid")
    return generator(problem, p.time or 0.0)


def _flows(edges: Edges, p: Density) -> _Flows:
    """Fluxes in log space; from masses where p is not positive; carried by the drift alone where there is no noise."""
    left, right = p.log_values[edges.left], p.log_values[edges.right]
    size = edges.step.size
    fluxes, affinities = np.empty(size), np.empty(size)
    plain = edges.noiseless | np.isnan(left) | np.isnan(right)
    step, conductance = np.where(plain, 0.0, edges.step), np.where(plain, 0.0, edges.log_conductance)
    face_fluxes(step, conductance, np.where(plain, 0.0, left), np.where(plain, 0.0, right), fluxes, affinities)
    forth, back = edges.up * p.masses[edges.left], edges.down * p.masses[edges.right]
    fluxes = np.where(plain, forth - back, fluxes)
    with np.errstate(divide="ignore", invalid="ignore"):
        affinities = np.where(plain, np.log(forth / back), affinities)
    affinities = np.where(fluxes == 0.0, 0.0, affinities)
    doubt = EPSILON * ROUNDINGS * (1.0 + np.abs(step) + _finite(left) + _finite(right))
    imbalance = -np.expm1(-np.abs(affinities))
    found = _Flows(fluxes, affinities, np.where(np.isnan(affinities), 1.0, imbalance), doubt)
    ring = edges.step.size == edges.killing.size and not np.any(plain)
    return _on_a_ring(edges, left, found) if ring else found


def _on_a_ring(edges: Edges, log_left: Array, found: _Flows) -> _Flows:
    """The constant current of a stationary density on a ring; what was found if p is not stationary.

    With r = min(f)/f and y = J/min(f), the root of sum -log1p(-y r) = Phi lies between Phi/(sum r + Phi) and Phi/sum r.
    """
    phi = math.fsum(edges.step)
    if not np.all(np.isfinite(log_left)) or abs(phi) > 700.0 * edges.step.size:
        return found
    one_way = (edges.log_coefficients[0] if phi >= 0 else edges.log_coefficients[1]) + (
        log_left if phi >= 0 else np.roll(log_left, -1)
    )
    ratios = np.exp(one_way.min() - one_way)
    share = _root(abs(phi), ratios)
    J = math.copysign(share * math.exp(one_way.min()), phi)
    if np.any(np.abs(found.fluxes - J) > found.rounding * np.exp(one_way) + 4 * EPSILON * abs(J)):
        return found
    doubt = EPSILON * float(np.abs(edges.step).sum()) / float(ratios.sum())
    with np.errstate(divide="ignore"):
        affinities = np.copysign(-np.log1p(-share * ratios), phi)
    constant = np.full(edges.step.size, J)
    # where J/f is 1 to rounding the sum of logarithms has no digits: there the affinities themselves have them all
    affinities = np.where(share * ratios < 0.5, affinities, found.affinities)
    return _Flows(constant, affinities, share * ratios, np.full(edges.step.size, doubt))


def _root(phi: float, ratios: Array) -> float:
    """y in [0, 1] with sum -log1p(-y ratios) = phi >= 0; the largest ratio is 1."""
    from scipy.optimize import brentq

    total = float(ratios.sum())
    low, high = phi / (total + phi), min(phi / total, 1.0 - 0.5 * EPSILON)

    def excess(y: float) -> float:
        return math.fsum(-np.log1p(-y * ratios)) - phi

    if low >= high or excess(low) >= 0.0:
        return low
    if excess(high) <= 0.0:
        return high
    return float(brentq(excess, low, high, xtol=EPSILON * low, rtol=4 * EPSILON))


def _entropy_production(found: _Flows) -> float:
    flows = found.fluxes != 0.0
    endless = flows & ~np.isfinite(found.affinities)
    # what p loses to rounding or underflow in its far tails has no affinity either, and counts for nothing
    counts = endless & (np.abs(found.fluxes) > NEGLIGIBLE * np.abs(found.fluxes).max(initial=0.0))
    if np.any(counts):
        warnings.warn(
            f"the entropy production is infinite: {np.abs(found.fluxes[counts]).max():.3g} flows over "
            f"{int(counts.sum())} edges that let nothing back (no noise there, or p = 0 beyond); give the process "
            "noise there, or a density that is positive",
            DegenerateWarning,
            stacklevel=3,
        )
        return math.inf
    used = flows & ~endless
    return math.fsum(found.fluxes[used] * found.affinities[used])


def _finite(logs: Array) -> Array:
    return np.where(np.isfinite(logs), np.abs(logs), 0.0)
