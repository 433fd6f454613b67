"""The generator L of a problem: dm/dt = L m for the cell masses m.

Off-diagonal rates are >= 0 and columns sum to minus the killing rate, so L is a Markov rate matrix (transposed): mass
is conserved and densities stay positive whatever the grid.
"""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fpsolve.errors import InvalidInput
from fpsolve.memory import require
from fpsolve.operators.local import Edges, fitted_edges
from fpsolve.problem import Problem
from fpsolve.resolvent import Resolvent

__all__ = ["Generator", "generator"]

Array = NDArray[np.float64]
_known: weakref.WeakKeyDictionary[Problem, Generator] = weakref.WeakKeyDictionary()
_lock = threading.Lock()
BYTES_PER_CELL = 300  # measured: samples, edges and what is made of them


@dataclass(frozen=True, eq=False)
class Generator:
    """L of one problem at one time.  Vectors are flat, C order, one entry a cell; they hold masses, not densities."""

    t: float
    edges: Edges

    @property
    def size(self) -> int:
        """Number of cells."""
        return self.edges.killing.size

    @property
    def killing(self) -> Array:
        """Rate out of each cell at absorbing ends."""
        return self.edges.killing

    @cached_property
    def _outflow(self) -> Array:
        edges = self.edges
        return (
            np.bincount(edges.left, edges.up, minlength=self.size)
            + np.bincount(edges.right, edges.down, minlength=self.size)
            + edges.killing
        )

    @property
    def is_markov(self) -> bool:
        """Whether every off-diagonal rate and every killing rate is >= 0."""
        edges = self.edges
        return bool(np.all(edges.up >= 0) and np.all(edges.down >= 0) and np.all(edges.killing >= 0))

    def apply(self, m: Array) -> Array:
        """L m: the rate of change of the masses m, shape (cells,)."""
        m = self._check(m)
        edges = self.edges
        flux = edges.up * m[edges.left] - edges.down * m[edges.right]
        change = np.bincount(edges.right, flux, minlength=self.size) - np.bincount(
            edges.left, flux, minlength=self.size
        )
        return change - edges.killing * m

    def adjoint(self, f: Array) -> Array:
        """L^T f: the rate of change of the expectation of f, seen from each cell, shape (cells,)."""
        f = self._check(f)
        edges = self.edges
        rise = f[edges.right] - f[edges.left]
        return (
            np.bincount(edges.left, edges.up * rise, minlength=self.size)
            - np.bincount(edges.right, edges.down * rise, minlength=self.size)
            - edges.killing * f
        )

    def rates(self) -> sparse.csc_matrix:
        """The matrix of dm/dt = L m: entry [y, x] is the rate x -> y, the diagonal minus all that leaves x."""
        edges, cells = self.edges, np.arange(self.size)
        rows = np.concatenate([edges.right, edges.left, cells])
        columns = np.concatenate([edges.left, edges.right, cells])
        values = np.concatenate([edges.up, edges.down, -self._outflow])
        return sparse.csc_matrix((values, (rows, columns)), shape=(self.size, self.size))

    def resolvent(self, z: complex) -> Resolvent:
        """(z - L)^-1, with members `solve` and `solve_adjoint`.

        Raises InvalidInput at z = 0 where nothing is killed: L is singular there.
        """
        z = complex(z)
        if not np.isfinite(z):
            raise InvalidInput(f"z is {z}; a resolvent needs a finite z")
        if z == 0 and not np.any(self.edges.killing > 0):
            raise InvalidInput("z = 0 with no absorbing end: L has a null vector, so -L has no inverse; use stationary")
        return Resolvent(self.rates(), z)

    def _check(self, vector: Array) -> Array:
        vector = np.asarray(vector, dtype=float)
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
    if not isinstance(problem, Problem):
        raise InvalidInput(f"problem is {problem!r}; give an fp.Problem (a model makes one: net.problem())")
    if not np.isfinite(t):
        raise InvalidInput(f"t is {t}; a generator is taken at a finite time")
    t = float(t) if problem.process.time_dependent else 0.0
    with _lock:
        known = _known.get(problem)
    if known is not None and known.t == t:
        return known
    if problem.grid.ndim != 1:
        raise InvalidInput(f"the grid has axes {problem.grid.names}; generators are built in one dimension")
    cells = problem.grid.size
    require(BYTES_PER_CELL * cells, f"the generator of {cells} cells", "use fewer cells; a log or sinh axis needs few")
    built = Generator(t, fitted_edges(problem.process, problem.grid.axes[0], problem.grid.names[0], t))
    _check_positive(built, problem)
    with _lock:
        _known[problem] = built
    return built


def _check_positive(built: Generator, problem: Problem) -> None:
    """The promise of the positive scheme, kept or refused."""
    if built.is_markov:
        return
    rates = np.concatenate([built.edges.up, built.edges.down, built.edges.killing])
    bad = ~(rates >= 0)
    worst = np.nanmin(rates[bad], initial=np.inf)
    raise InvalidInput(
        f"{problem.scheme!r} lost the positivity of {int(bad.sum())} rates (worst {worst:.6g}): "
        "a coefficient is too irregular for the grid; check it, or refine"
    )
