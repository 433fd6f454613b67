"""The probability current of a density, and the entropy that it produces.

J_i = A_i p - d_j(D_ij p), from the generator's own fluxes (flows.py), so that div J = -(L m)/w cell by cell.  A steady
state in detailed balance has none; one that is driven circulates, along the level sets of p where D is constant.
Source: Risken (1996), section 6.4; Schnakenberg, Rev. Mod. Phys. 48, 571 (1976).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fpsolve.asking import check_kind
from fpsolve.axis import read_only
from fpsolve.errors import InvalidInput
from fpsolve.flows import Flows, entropy_production_of, flows_of, masses_of, over_faces
from fpsolve.generator import Generator, generator
from fpsolve.grid import Grid
from fpsolve.hodge import Hodge, hodge_split
from fpsolve.initial import same_cells
from fpsolve.jump_flows import jump_entropy_production, jump_imbalance, over_faces_by_jumps
from fpsolve.operators.jump_terms import refuse_jumps
from fpsolve.operators.line_jumps import LineJumps
from fpsolve.problem import Problem, check_problem
from fpsolve.values.density import Density
from fpsolve.values.field import Field

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Current", "current", "entropy_production"]

Array = NDArray[np.float64]
CLOSED = 1e-6  # divergence over the largest flux through a cell that a stream function tolerates


@dataclass(frozen=True, eq=False, repr=False)
class Current:
    """The current J of a density.

    density: whose current it is.
    at_faces: per axis, J at the faces across it, of the grid's shape with one more along that axis: 0 at reflecting and
        open ends, what leaves at absorbing ones, the same values first and last on a periodic axis.
    divergence: div J per cell, -(L m)/w, of the grid's shape.
    entropy_production: sum of flux times affinity over the edges (what leaves at absorbing ends is not counted).
    imbalance: the largest net flux over its one-way flux, 0 in detailed balance; rounding: what it can be by rounding.

    >>> import fpsolve as fp
    >>> turning = fp.Process(lambda x, y: (-x - y, x - y), 1.0)
    >>> plane = fp.Problem(turning, fp.Grid(x=(-6, 6, 40), y=(-6, 6, 40)))
    >>> J = fp.current(plane, fp.stationary(plane))
    >>> J.is_equilibrium, round(J.rotation_frequency, 1), round(J.entropy_production, 1)
    (False, 1.0, 2.0)
    """

    density: Density
    at_faces: tuple[Array, ...]
    divergence: Array
    entropy_production: float
    imbalance: float
    rounding: float

    @property
    def grid(self) -> Grid:
        """The density's grid."""
        return self.density.grid

    @cached_property
    def at_nodes(self) -> tuple[Field, ...]:
        """J at the nodes, one Field per axis: the mean of the two faces beside each."""
        names = ["current"] if self.grid.ndim == 1 else [f"current along {name}" for name in self.grid.names]
        return tuple(Field(self.grid, values, name) for values, name in zip(self._at_nodes, names, strict=True))

    @cached_property
    def irreversible_drift(self) -> tuple[Field, ...]:
        """J/p at the nodes, one Field per axis: the velocity of probability; NaN where p = 0."""
        p = self.density.values
        with np.errstate(divide="ignore", invalid="ignore"):
            drifts = [np.where(p > 0, values / p, np.nan) for values in self._at_nodes]
        names = [f"irreversible drift along {name}" for name in self.grid.names]
        return tuple(Field(self.grid, values, name) for values, name in zip(drifts, names, strict=True))

    @property
    def is_equilibrium(self) -> bool:
        """Whether nothing flows, to rounding: imbalance <= rounding."""
        return self.imbalance <= self.rounding

    @cached_property
    def stream_function(self) -> Array:
        """psi at the corners of the cells, shape (cells + 1, cells + 1), 0 at the lowest one: two dimensions only.

        J = (d psi/dy, -d psi/dx), so psi is constant along the current.  Raises InvalidInput in other dimensions, and
        for currents that are not free of divergence (use `hodge`).
        """
        if self.grid.ndim != 2:
            raise InvalidInput(
                f"a stream function needs two dimensions, this grid has {self.grid.names}; use at_faces or at_nodes"
            )
        through = [self._fluxes(k) for k in range(2)]
        largest = max(float(np.abs(flux).max()) for flux in through)
        gap = float(np.abs(self.divergence * self.grid.weights).max())
        # net fluxes are known to the rounding of one-way fluxes, which are at least largest/imbalance
        known = max(CLOSED, 4.0 * self.rounding / max(self.imbalance, self.rounding))
        if gap > known * largest and not self.is_equilibrium:
            raise InvalidInput(
                f"the current is not free of divergence ({gap / largest:.3g} of the largest flux in one cell), so it "
                "has no stream function: the density is not stationary; see hodge for the part that is"
            )
        psi = np.zeros((self.grid.shape[0] + 1, self.grid.shape[1] + 1))
        psi[0, 1:] = np.cumsum(through[0][0])
        psi[1:] = psi[0] - np.cumsum(through[1], axis=0)
        return read_only(psi)

    @property
    def circulation(self) -> float:
        """Probability that passes, per unit time, between a vortex's centre and the lowest corner: the extreme of psi.

        Positive: counterclockwise, about a maximum of psi.  Two dimensions only, as the stream function.
        """
        psi = self.stream_function
        return float(psi.ravel()[int(np.argmax(np.abs(psi)))])

    @property
    def rotation_frequency(self) -> float:
        """How fast the linear flow nearest to J/p turns: Im eig(V S^-1) >= 0, V_ij = int J_i (x_j - <x_j>) dx.

        S is the covariance; for linear drifts this is the angular velocity of J/p where S is a circle.  Raises
        InvalidInput in one dimension.
        """
        if self.grid.ndim == 1:
            raise InvalidInput(f"nothing turns along {self.grid.names[0]} alone; a rotation needs two dimensions")
        shifts = [x - mean for x, mean in zip(self.grid.mesh(), self.density.mean(), strict=True)]
        flow = [[np.sum(J * shift * self.grid.weights) for shift in shifts] for J in self._at_nodes]
        return float(np.linalg.eigvals(np.array(flow) @ np.linalg.inv(self.density.covariance())).imag.max())

    @cached_property
    def hodge(self) -> Hodge:
        """The Helmholtz-Hodge split, J = -grad(potential) + rotation, div rotation = 0."""
        return hodge_split(self.grid, self.at_faces)

    def plot(self, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
        """Draw J at the nodes in one dimension, p with streamlines of J/p in two; returns the Axes."""
        if self.grid.ndim == 1:
            return self.at_nodes[0].plot(ax, label=label, log=log)
        from fpsolve.plot_current import streamlines

        return streamlines(self, ax, label=label, log=log)

    def plot_stream(self, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
        """Draw contours of the stream function; log=True for one per decade; returns the Axes."""
        from fpsolve.plot_current import stream_contours

        return stream_contours(self, ax, label=label, log=log)

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write to an .npz file that `fp.load` reads."""
        from fpsolve.store import save

        return save(self, path, force=force)

    @cached_property
    def _at_nodes(self) -> tuple[Array, ...]:
        found = []
        for k, faces in enumerate(self.at_faces):
            moved = np.moveaxis(faces, k, 0)
            found.append(np.moveaxis(0.5 * (moved[:-1] + moved[1:]), 0, k))
        return tuple(found)

    def _fluxes(self, k: int) -> Array:
        """What passes the faces across axis k, per unit time."""
        return self.at_faces[k] * self.grid.areas(k)

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
    Jumps, along one axis, count at every face that they pass: J there is the net mass that goes over from anywhere
    below to anywhere above, per unit time.  In a stationary state without a ring it is 0 at every face, though pairs
    of places need not balance: the entropy production says so.
    Raises InvalidInput where p lives on another grid.
    Warns DegenerateWarning where something flows over an edge without noise, or out of p > 0 into p = 0: the entropy
    production is then infinite; and ResolutionWarning as `entropy_production` does.

    >>> import numpy as np, fpsolve as fp
    >>> ring = fp.Grid(x=fp.Axis.uniform(0, 2 * np.pi, 60, ends="periodic"))
    >>> tilted = fp.Problem(fp.Process(lambda x: 0.5 + np.sin(x), 1.0), ring)
    >>> J = current(tilted, fp.stationary(tilted))
    >>> bool(abs(J.entropy_production / (J.at_faces[0][0] * np.pi) - 1) < 1e-12), J.is_equilibrium
    (True, False)
    """
    L = _checked_generator(problem, p)
    found = flows_of(L, p)
    faces, balance = over_faces(L, p.grid, p, found), (0.0, 0.0)
    if isinstance(L.jumps, LineJumps):
        m = masses_of(L, p)
        faces, balance = (faces[0] + over_faces_by_jumps(L.jumps, m),), jump_imbalance(L.jumps, m)
    return Current(
        density=p,
        at_faces=tuple(read_only(part) for part in faces),
        divergence=read_only(_divergence(p.grid, faces)),
        entropy_production=_entropy_production(L, p, found),
        imbalance=float(np.max(found.imbalance, initial=balance[0])),
        rounding=float(np.max(found.rounding, initial=balance[1])),
    )


def entropy_production(problem: Problem, p: Density) -> float:
    """The rate at which p produces entropy under `problem` (k_B = 1): sum of flux times affinity over the edges.

        1/2 sum_xy (a_yx m_x - a_xy m_y) ln(a_yx m_x/(a_xy m_y)),   a_yx the rate from cell x to cell y, m the masses

    p: a density on the problem's grid.

    With jumps, along one axis, every pair of cells is an edge too, and so is each cell with the tail beyond an open
    end.  Drift beside jumps alone, without diffusion, is a flow that no noise brings back: with finer cells the sum
    over pairs grows like width^(alpha - 2) without end, and infinite is the answer.
    Masses that a method masks, below its floor delta = info.floor max(m), are not known.  Edges between them do
    not count: no more than a delta passes over each.  An edge to one of them from a known mass counts by its least,
    with delta there, where that still lets more out than in; what is returned is then a lower bound.
    Returns a number, per unit time; infinite, with a DegenerateWarning, where something flows over an edge without
    noise.  Raises InvalidInput where p lives on another grid.  Warns ResolutionWarning where more than a thousandth of
    the answer is such a lower bound.
    Source: Schnakenberg, Rev. Mod. Phys. 48, 571 (1976).

    >>> import fpsolve as fp
    >>> well = fp.Problem(fp.Process(lambda x: x - x**3, 0.25), fp.Grid(x=(-3, 3, 100)))
    >>> entropy_production(well, fp.stationary(well)) < 1e-25
    True
    """
    L = _checked_generator(problem, p)
    return _entropy_production(L, p, flows_of(L, p))


def _entropy_production(L: Generator, p: Density, found: Flows) -> float:
    jumps = L.jumps
    if not isinstance(jumps, LineJumps):
        return entropy_production_of(L, p, found)
    if not jumps.exact:  # fluxes of higher order have no affinities: as the positive form sees this density
        L = dataclasses.replace(L, edges=jumps.positive, transport=())
        found = flows_of(L, p)
    return entropy_production_of(L, p, found) + jump_entropy_production(jumps, masses_of(L, p))


def _checked_generator(problem: Problem, p: Density) -> Generator:
    check_problem(problem, "first the problem, then p")
    check_kind("p", p, Density, "give an fp.Density (first the problem, then p)")
    one, other = problem.grid, p.grid
    if not same_cells(one, other):
        raise InvalidInput(f"p lives on {other!r}, the problem on {one!r}; solve and ask on one grid")
    if problem.grid.ndim > 1:
        refuse_jumps(problem.process, "a current over faces in several coordinates")
    return generator(problem, p.time or 0.0)


def _divergence(grid: Grid, at_faces: tuple[Array, ...]) -> Array:
    leaving = sum(np.diff(faces * grid.areas(k), axis=k) for k, faces in enumerate(at_faces))
    return np.asarray(leaving / grid.weights)
