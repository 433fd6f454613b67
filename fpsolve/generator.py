"""The generator L of a problem: dm/dt = L m for the cell masses m.

Off-diagonal rates are >= 0 and columns sum to minus the killing rate, so L is a Markov rate matrix (transposed): mass
is conserved and densities stay positive whatever the grid.
"""

from __future__ import annotations

import cmath
import threading
import weakref
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fpsolve.errors import InvalidInput
from fpsolve.jump_resolvent import EndedSolver, JumpResolvent, jump_resolvent
from fpsolve.kernels.edges import carry_along, flow_along, rise_along, rise_of_carried
from fpsolve.memory import require
from fpsolve.operators.edges import Edges
from fpsolve.operators.jump_line import line_with_jumps
from fpsolve.operators.jump_terms import JumpTerms
from fpsolve.operators.local import Chain, chain_edges
from fpsolve.operators.plane_jumps import space_with_jumps
from fpsolve.operators.space import space_edges
from fpsolve.operators.transport import FaceFluxes
from fpsolve.problem import Problem, check_problem
from fpsolve.resolvent import Resolvent
from fpsolve.schemes import Positive
from fpsolve.slowest import log_balance
from fpsolve.solvers.quasiseparable import LineSolver
from fpsolve.solvers.sweep import Bands, Sweep, sweepable

__all__ = ["Generator", "generator"]

Array = NDArray[np.float64]
_known: weakref.WeakKeyDictionary[Problem, Generator] = weakref.WeakKeyDictionary()
_lock = threading.Lock()
BYTES_PER_CELL = {1: 300, 2: 900, 3: 2500}  # measured: samples, edges and what is made of them


@dataclass(frozen=True, eq=False, repr=False)
class Generator:
    """L of one problem at one time.  Vectors are flat, C order, one entry a cell; they hold masses, not densities.

    t: the time.  edges: rates between cells, and out of them.  shape: the grid's.  transport: along axes without noise.
    memory: the Caputo order in D_t^memory m = L m; it changes how time is stepped, not L.
    jumps: what jumps add to the edges.

    >>> import numpy as np, fpsolve as fp
    >>> L = fp.generator(fp.Problem(fp.Process(0.0, 1.0), fp.Grid(x=(0, 4, 4))))
    >>> L.rates().toarray()[1], L.apply(np.array([0.0, 1.0, 0.0, 0.0]))
    (array([ 1., -2.,  1.,  0.]), array([ 1., -2.,  1.,  0.]))
    """

    t: float
    edges: Edges
    shape: tuple[int, ...]
    transport: tuple[FaceFluxes, ...] = ()
    memory: float = 1.0
    jumps: JumpTerms | None = None

    @property
    def chain(self) -> Chain:
        """The edges of a one-dimensional problem; InvalidInput in others."""
        if not isinstance(self.edges, Chain):
            raise InvalidInput(f"this generator has {len(self.shape)} dimensions; a chain has one")
        return self.edges

    @property
    def size(self) -> int:
        """Number of cells."""
        return self.edges.killing.size

    @property
    def killing(self) -> Array:
        """Rate out of each cell at absorbing ends."""
        return self.edges.killing if self.jumps is None else self.edges.killing + self.jumps.killing

    @property
    def is_markov(self) -> bool:
        """Whether every off-diagonal rate and every killing rate is >= 0."""
        edges = self.edges
        if self.transport:
            return False
        if self.jumps is not None:
            return self.jumps.is_markov
        return bool(np.all(edges.up >= 0) and np.all(edges.down >= 0) and np.all(edges.killing >= 0))

    def apply(self, m: Array) -> Array:
        """L m: the rate of change of the masses m, shape (cells,)."""
        m, edges = self._check(m), self.edges
        change = -edges.killing * m
        flow_along(edges.left, edges.right, edges.up, edges.down, m, change)
        for part in self.transport:
            carry_along(part.left, part.right, part.sources, part.coefficients, m, change)
        return change if self.jumps is None else change + self.jumps.apply(m)

    def adjoint(self, f: Array) -> Array:
        """L^T f: the rate of change of the expectation of f, seen from each cell, shape (cells,)."""
        f, edges = self._check(f), self.edges
        change = -edges.killing * f
        rise_along(edges.left, edges.right, edges.up, edges.down, f, change)
        for part in self.transport:
            rise_of_carried(part.left, part.right, part.sources, part.coefficients, f, change)
        return change if self.jumps is None else change + self.jumps.adjoint(f)

    def rates(self) -> sparse.csc_matrix:
        """The matrix of dm/dt = L m: entry [y, x] is the rate x -> y, the diagonal minus all that leaves x.

        Raises InvalidInput beside jumps among more than 4000 cells: they join every pair.
        """
        matrix = self.beside_jumps()
        return matrix if self.jumps is None else sparse.csc_matrix(matrix + self.jumps.matrix())

    def beside_jumps(self) -> sparse.csc_matrix:
        """The rates of drift and diffusion."""
        matrix = self.edges.matrix()
        for part in self.transport:
            matrix = matrix + part.matrix(self.size)
        return matrix

    @cached_property
    def bands(self) -> Bands | None:
        """The bands of a sweep: of a chain, or where one axis of two is transported one way; None elsewhere."""
        if self.jumps is not None:
            return None
        if self._is_line:
            return Bands.line(self.edges.up, self.edges.down, self.edges.killing)
        if len(self.shape) != 2 or not (self.transport or np.any(self.edges.noiseless)):
            return None
        rates = self.rates()
        way = sweepable(rates, self.shape)
        return None if way is None else Bands.of(rates, self.shape, *way, self.killing)

    @property
    def _is_line(self) -> bool:
        """Whether cells lie in a row, the last of them without a way to the first."""
        return len(self.shape) == 1 and self.edges.left.size < self.size

    @cached_property
    def has_real_spectrum(self) -> bool:
        """Whether every eigenvalue is known to be real: cells in a row, or rates in detailed balance."""
        if self.jumps is not None or not self.is_markov:
            return False
        return self._is_line or log_balance(self.rates()) is not None

    def resolvent(self, z: complex) -> Resolvent | Sweep | JumpResolvent | LineSolver | EndedSolver:
        """(z - L)^-1, with members `solve` and `solve_adjoint`: by a sweep (chains, one-way transport) or sparse LU.

        Raises InvalidInput at z = 0 where nothing is killed: L is singular there.
        """
        z = complex(z)
        if not cmath.isfinite(z):
            raise InvalidInput(f"z is {z}; a resolvent needs a finite z")
        if z == 0 and not np.any(self.killing > 0):
            raise InvalidInput("z = 0 with no absorbing end: L has a null vector, so -L has no inverse; use stationary")
        if self.jumps is not None:
            return jump_resolvent(self, self.jumps, z)
        if self.bands is not None and (z.imag != 0 or z.real >= 0):
            return self.bands.resolvent(z)
        return Resolvent(self.rates(), z)

    def __repr__(self) -> str:
        jumps = ", with jumps" if self.jumps is not None else ""
        return f"Generator({self.size} cells, {self.edges.left.size} edges{jumps}; markov {self.is_markov})"

    def _check(self, vector: Array) -> Array:
        vector = np.ascontiguousarray(vector, dtype=float)
        if vector.shape != (self.size,):
            raise InvalidInput(f"got a vector of shape {vector.shape}; expected one entry a cell, ({self.size},)")
        return vector


def generator(problem: Problem, t: float = 0.0) -> Generator:
    """The generator of `problem` at time `t`; the last one built for a problem is kept as long as the problem lives.

    Returns a Generator with `.apply(m)`, `.adjoint(f)`, `.resolvent(z)`, `.rates()`, `.is_markov`.
    Raises InvalidInput where a coefficient is not what it must be, with the place.

    >>> import numpy as np, fpsolve as fp
    >>> L = fp.generator(fp.Problem(fp.Process(lambda x: -x, 1.0), fp.Grid(x=(-6, 6, 100))))
    >>> bool(abs(L.rates().sum(axis=0)).max() < 1e-11), L.is_markov
    (True, True)
    """
    check_problem(problem)
    if not np.isfinite(t):
        raise InvalidInput(f"t is {t}; a generator is taken at a finite time")
    t = float(t) if problem.process.time_dependent else 0.0
    with _lock:
        known = _known.get(problem)
    if known is not None and known.t == t:
        return known
    cells, ndim = problem.grid.size, problem.grid.ndim
    require(
        BYTES_PER_CELL[ndim] * cells, f"the generator of {cells} cells", "use fewer cells; a log or sinh axis needs few"
    )
    built = _built(problem, t)
    _check_positive(built, problem)
    with _lock:
        _known[problem] = built
    return built


def _built(problem: Problem, t: float) -> Generator:
    process, grid, scheme = problem.process, problem.grid, problem.scheme
    if grid.ndim > 1:
        if process.jumps is not None:
            edges, fluxes, jumps = space_with_jumps(process, grid, scheme, t)
            return Generator(t, edges, grid.shape, fluxes, process.memory, jumps)
        plane, fluxes = space_edges(process, grid, scheme, t)
        return Generator(t, plane, grid.shape, fluxes, process.memory)
    axis, name = grid.axes[0], grid.names[0]
    if process.jumps is None:
        return Generator(t, chain_edges(process, axis, name, t), grid.shape, memory=process.memory)
    chain, fluxes, along = line_with_jumps(process, axis, name, scheme, t)
    return Generator(t, chain, grid.shape, fluxes, process.memory, along)


def _check_positive(built: Generator, problem: Problem) -> None:
    """The promise of the positive scheme, kept or refused."""
    if built.jumps is not None:
        if isinstance(problem.scheme, Positive) and not built.is_markov:
            raise InvalidInput(
                f"{problem.scheme!r} lost the positivity of rates between neighbours: a coefficient is too irregular "
                "for the grid; check it, or refine"
            )
        return
    parts = (built.edges.up, built.edges.down, built.edges.killing)
    if all(part.min(initial=0.0) >= 0.0 for part in parts):  # not so where one is NaN
        return
    rates = np.concatenate(parts)
    bad = ~(rates >= 0)
    worst = np.nanmin(rates[bad], initial=np.inf)
    raise InvalidInput(
        f"{problem.scheme!r} lost the positivity of {int(bad.sum())} rates (worst {worst:.6g}): "
        "a coefficient is too irregular for the grid; check it, or refine"
    )
