"""Stationary densities beside stable jumps in several dimensions: the null vector of L by preconditioned GMRES.

(-L + g 1') m = g,  sum(g) = 1:   the columns of L have the sum 0, so that sum(m) = 1 and L m = 0.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import InvalidInput, NotConverged, ResolutionWarning, TruncationWarning, warn
from fpsolve.generator import Generator, generator
from fpsolve.operators.plane_jumps import PlaneJumps
from fpsolve.problem import Problem
from fpsolve.schemes import Accurate, Positive
from fpsolve.solvers.gmres import gmres
from fpsolve.solvers.jump_krylov import NearPlane
from fpsolve.values.density import Density
from fpsolve.values.info import Info
from fpsolve.values.joint_law import JointLaw
from fpsolve.values.power_law import PowerLaw

__all__ = ["density_with_jumps_in_space"]

Array = NDArray[np.float64]
RTOL = 1e-12  # of the residual, seen through the preconditioner
TOLERATED_DOUBT = 5e-3  # of the mass
JUST_INSIDE = (0.6, 0.9)  # of the distance to an end: where the tail should have its exponent


def density_with_jumps_in_space(problem: Problem, L: Generator) -> Density:
    """The density of a process with jumps in two or three dimensions.

    Raises NotNormalizable where the drift does not lead back from an open end, NotConverged (with the residuals) where
    GMRES stalls.  Warns TruncationWarning where the tail has not reached its power law at an open end;
    ResolutionWarning where Accurate() gives negative densities, and the positive form is returned.
    """
    started = time.process_time()
    if np.any(L.killing > 0):
        ends = [
            name for name, axis in zip(problem.grid.names, problem.grid.axes, strict=True) if "absorbing" in axis.ends
        ]
        raise InvalidInput(
            f"every path ends at the absorbing end of {', '.join(ends)}, so no stationary density exists; make the end "
            "reflecting or open"
        )
    jumps = _jumps(L)
    jumps.jumps.check_normalizable()
    m, products = _null_vector(L)
    if isinstance(problem.scheme, Accurate) and np.any(m <= 0):
        L, m, products = _positive(problem, m / jumps.capacity)
    p = _density(problem, jumps, m)
    _warn_of_tails(p)
    info = Info(
        method=f"GMRES around a coarse grid and sparse LU, {products} products",
        residual=_residual(L, m),
        mass_error=abs(p.mass - 1.0),
        smallest=float(p.values.min()),
        edge_mass=p.beyond,
        seconds=time.process_time() - started,
    )
    return p.replace(info=info)


def _jumps(L: Generator) -> PlaneJumps:
    assert isinstance(L.jumps, PlaneJumps)
    return L.jumps


def _null_vector(L: Generator) -> tuple[Array, int]:
    """m with L m = 0, sum(m) = 1, and the products it took."""
    jumps = _jumps(L)
    border = jumps.capacity / jumps.capacity.sum()
    near = NearPlane(jumps, L.beside_jumps(), L.apply, L.adjoint, 0j, border)
    m, history = gmres(lambda y: near.solve(near.product(y)), near.solve(border), RTOL)
    return m, len(history) - 1


def _positive(problem: Problem, p: Array) -> tuple[Generator, Array, int]:
    """The positive form's answer instead."""
    warn(
        f"fluxes of fourth order give negative densities in {int((p <= 0).sum())} cells (the smallest "
        f"{p.min() / p.max():.2g} of the largest): {Positive()!r}, of first order where drift is stronger than "
        "the jumps between neighbours, is returned instead; use more cells",
        ResolutionWarning,
    )
    L = generator(problem.replace(scheme=Positive()))
    return L, *_null_vector(L)


def _density(problem: Problem, jumps: PlaneJumps, m: Array) -> Density:
    if np.any(m <= 0):
        raise NotConverged(
            f"{int((m <= 0).sum())} masses are not positive (the smallest {m.min():.3g}): some cells hold less than "
            "GMRES resolves; narrow the grid to where the density is, or let jumps reach all of it",
            best=m,
        )
    log_p = np.log(m / jumps.capacity).reshape(problem.grid.shape)
    return Density.from_log(problem.grid, log_p, continued=jumps.laws)


def _residual(L: Generator, m: Array) -> float:
    """Largest net flow into a cell over the largest one-way flow."""
    leaving = (_jumps(L).jumps.outflow + np.abs(L.beside_jumps().diagonal())) * m
    return float(np.abs(L.apply(m)).max() / leaving.max())


def _warn_of_tails(p: Density) -> None:
    """Say so where marginals have not yet the exponent of their tails where the grid stops, of the worst end."""
    worst, message = TOLERATED_DOUBT, ""
    for k, (name, axis) in enumerate(zip(p.grid.names, p.grid.axes, strict=True)):
        profile = p.marginal(name)
        for upper, law in enumerate(p.ends[k]):
            if not isinstance(law, JointLaw):
                continue
            off, share = _off_its_law(profile, law.marginal, bool(upper)), profile.shares[upper]
            if off * share > worst:
                worst, end = off * share, axis.hi if upper else axis.lo
                message = (
                    f"{share:.2g} of the mass lies beyond the open end {name}={end:.4g}, known to about {worst:.1g}: "
                    f"there the marginal falls off by {off:.2g} from its power law |{name}|^-"
                    f"{law.marginal.exponent:.4g}; widen the grid"
                )
    if message:
        warn(message, TruncationWarning)


def _off_its_law(p: Density, law: PowerLaw, upper: bool) -> float:
    """By how much the local exponent of a marginal near an end differs, over q - 1."""
    axis = p.grid.axes[0]
    y, end = (axis.nodes - law.center) * (1.0 if upper else -1.0), law.reach(axis, upper)[1]
    used = (y > JUST_INSIDE[0] * end) & (y < JUST_INSIDE[1] * end)
    if used.sum() < 2:
        return 1.0
    return abs(float(np.polyfit(np.log(y[used]), p.log_values[used], 1)[0]) + law.exponent) / (law.exponent - 1.0)
