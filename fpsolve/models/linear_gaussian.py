"""Linear drift and constant noise in one to three dimensions: everything in closed form.

    dX = -K (X - mean) dt + sqrt(2 D) dW,     K S + S K' = 2 D  (Lyapunov)

The stationary law is Gaussian with covariance S.  With Q = K S - D, antisymmetric, its current is J = Q grad p: it
follows the level sets of p, vanishes in detailed balance only, turns with the frequency Im eig(Q S^-1), and produces
the entropy tr(D^-1 Q S^-1 Q') per unit time.  Near a minimum of a loss, SGD has K = H and D = T Sigma/2, Sigma the
covariance of a sample's gradient: no current if and only if H and Sigma commute.
Source: Risken (1996), section 6.5; Kwon, Ao & Thouless, PNAS 102, 13029 (2005).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.asking import shown
from fpsolve.axis import read_only
from fpsolve.errors import InvalidInput, NotNormalizable
from fpsolve.grid import Grid
from fpsolve.memory import require
from fpsolve.models.gaussian_law import NAMES, GaussianLaw
from fpsolve.models.matrices import ROUNDING, per_axis, square, symmetric, tensor
from fpsolve.models.temperature import checked_temperature
from fpsolve.problem import Problem
from fpsolve.process import Process
from fpsolve.starts import Gaussian, Point
from fpsolve.values.exact import ExactDensity

__all__ = ["LinearGaussian"]

Array = NDArray[np.float64]
BYTES_PER_CELL = 80.0
FEW_TURNS = 1.0  # |K| t up to which one exponential is enough


@dataclass(frozen=True, eq=False)
class LinearGaussian:
    """A linear process with constant noise.

    drift_matrix: K, shape (d, d), d <= 3, or a number; a stationary law needs eigenvalues of positive real part.
    diffusion: D, symmetric and positive semidefinite: a number, one per axis, or shape (d, d); it may have no full
        rank, as long as the drift carries the noise everywhere.
    mean: where the drift vanishes; one number per axis, or one for all.

    Raises InvalidInput for shapes that do not fit, numbers that are not finite, and a D that cannot be.

    >>> flow = LinearGaussian([[1.0, 1.5], [-0.5, 1.0]], [[1.0, 0.4], [0.4, 0.5]])
    >>> flow.covariance.round(6).tolist(), round(flow.entropy_production, 9)
    ([[0.764286, 0.157143], [0.157143, 0.578571]], 2.297794118)
    """

    drift_matrix: Array
    diffusion: Array
    mean: Array = 0.0  # type: ignore[assignment]

    def __post_init__(self) -> None:
        matrix = square("drift_matrix", self.drift_matrix)
        object.__setattr__(self, "drift_matrix", read_only(matrix))
        object.__setattr__(self, "diffusion", read_only(tensor("diffusion", self.diffusion, len(matrix))))
        object.__setattr__(self, "mean", read_only(per_axis("mean", self.mean, len(matrix))))

    @classmethod
    def from_sgd(
        cls,
        hessian: ArrayLike,
        sigma: ArrayLike,
        temperature: float | None = None,
        *,
        learning_rate: float | None = None,
        batch: int | None = None,
        minimum: ArrayLike = 0.0,
    ) -> LinearGaussian:
        """SGD near a minimum: K the Hessian of the loss, D = T Sigma/2.

        sigma: the covariance of one sample's gradient at the minimum.  temperature: T = learning_rate/batch, or give
        these two.  Raises InvalidInput as the class does, and for a Hessian that is not symmetric.

        >>> model = LinearGaussian.from_sgd([[1, 0], [0, 3]], [[1, 1], [1, 1]], temperature=0.1)
        >>> model.covariance.round(9).tolist(), round(model.rotation_frequency**2, 9), model.entropy_production
        ([[0.05, 0.025], [0.025, 0.016666667]], 3.0, inf)
        """
        t, matrix = checked_temperature(temperature, learning_rate, batch), symmetric("hessian", hessian)
        return cls(matrix, 0.5 * t * tensor("sigma", sigma, len(matrix)), per_axis("minimum", minimum, len(matrix)))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the axes: x, y, z."""
        return NAMES[: self.mean.size]

    @cached_property
    def relaxation_time(self) -> float:
        """1/(smallest real part of the eigenvalues of K).

        Raises NotNormalizable where that is not positive: the process spreads for ever.
        """
        slowest = float(np.linalg.eigvals(self.drift_matrix).real.min())
        if slowest <= ROUNDING * np.abs(self.drift_matrix).max():
            raise NotNormalizable(
                f"the drift matrix has an eigenvalue of real part {slowest:.6g}: the process never settles, and no "
                "stationary density exists; ask for a time instead: at(t, start), exact_density(t, start)",
                end="infinity",
                exponent=-slowest,
                uncertainty=0.0,
            )
        return 1.0 / slowest

    @cached_property
    def covariance(self) -> Array:
        """S, shape (d, d): the stationary covariance.  Raises NotNormalizable where the drift is not stable."""
        from scipy.linalg import solve_continuous_lyapunov

        assert self.relaxation_time > 0
        found = solve_continuous_lyapunov(self.drift_matrix, 2.0 * self.diffusion)
        return read_only(np.asarray(0.5 * (found + found.T)))  # symmetric but for rounding

    @cached_property
    def circulation(self) -> Array:
        """Q = K S - D = (K S - S K')/2, antisymmetric: J = Q grad p."""
        flow = self.drift_matrix @ self.covariance
        return read_only(np.asarray(0.5 * (flow - flow.T)))

    @cached_property
    def is_equilibrium(self) -> bool:
        """Whether nothing flows, to rounding."""
        pull = np.linalg.solve(self._law.root, self.drift_matrix @ self._law.root)
        return bool(np.linalg.norm(self._turning) <= ROUNDING * np.linalg.norm(pull))

    @property
    def rotation_frequency(self) -> float:
        """Im eig(Q S^-1) >= 0: the angular velocity of the mean flow J/p where S is a circle."""
        return float(np.linalg.norm(self._turning) / np.sqrt(2.0))

    @cached_property
    def entropy_production(self) -> float:
        """int J D^-1 J/p = tr(D^-1 Q S^-1 Q'), k_B = 1.

        inf where D has no full rank: with v'D = 0, v'Q = v'K S is not 0, so the flow always leaves the noise's range.
        """
        if self.is_equilibrium:
            return 0.0
        scale = np.sqrt(np.diag(self.diffusion))
        if not np.all(scale > 0):
            return np.inf
        sizes, frame = np.linalg.eigh(self.diffusion / np.outer(scale, scale))
        if sizes[0] <= ROUNDING:
            return np.inf
        flow = frame.T @ (self.circulation / np.outer(scale, scale))
        return float(np.einsum("ai,ij,aj,a->", flow, self._law.precision * np.outer(scale, scale), flow, 1.0 / sizes))

    def current(self, *x: ArrayLike) -> Any:
        """J = (A - D grad ln p) p = Q grad p: one array per axis; in one dimension an array (of zeros)."""
        flow = np.einsum("ij,j...->i...", self.circulation, self._law.gradient(*x))
        return flow[0] if len(flow) == 1 else tuple(flow)

    def stream_function(self, x: ArrayLike, y: ArrayLike) -> Array:
        """psi = Q_01 p, with J = (d psi/dy, -d psi/dx).  Raises InvalidInput unless there are two dimensions."""
        if self.mean.size != 2:
            raise InvalidInput(f"a stream function needs two dimensions, not {self.mean.size}; use current")
        return np.asarray(self.circulation[0, 1] * np.exp(self._law.log(x, y)))

    def at(self, t: float, start: Point | Gaussian) -> Gaussian:
        """The law at time t of a process that starts at a point or with a Gaussian; the drift need not be stable.

            mean + exp(-K t) (X_0 - mean),   exp(-K t) S_0 exp(-K' t) + int_0^t exp(-K s) 2 D exp(-K' s) ds

        Raises InvalidInput for t < 0, and where no noise has come to some direction yet: there is no density.
        """
        if not (np.isfinite(t) and t >= 0):
            raise InvalidInput(f"t is {t}; give a finite time >= 0")
        center, spread = self._moments(start)
        propagator, added = self._propagated(float(t))
        mean = self.mean + propagator @ (center - self.mean)
        return Gaussian(tuple(mean.tolist()), cov=propagator @ spread @ propagator.T + added)

    def exact_density(self, t: float | None = None, start: Point | Gaussian | None = None) -> ExactDensity:
        """The stationary density, or that at time t after `start`, on a grid of its own.

        Raises NotNormalizable for a drift that is not stable, InvalidInput where noise never reaches some direction.
        """
        if (t is None) != (start is None):
            raise InvalidInput(f"t is {t} and start is {start}; give both, or neither for the stationary density")
        if t is None or start is None:
            law, name = self._law, "exact"
        else:
            then = self.at(t, start)
            law, name = GaussianLaw(then.center, then.covariance), f"exact, t={t:g}"
        grid = law.grid()
        require(BYTES_PER_CELL * grid.size, f"a density on {grid.size} cells", "it is narrow: use at(t, start)")
        return ExactDensity(law.log, grid, name)

    def process(self) -> Process:
        """The drift and the tensor."""
        drift = partial(_drift, self.drift_matrix, self.mean)
        rows = tuple(tuple(row) for row in self.diffusion.tolist())
        return Process(drift, rows if len(rows) > 1 else rows[0][0])

    def grid(self, cells: int | tuple[int, ...] | None = None, deviations: float = 7.0) -> Grid:
        """Uniform axes, `deviations` of the stationary law either way.

        cells: one number, or one per axis; otherwise 400, 128 or 48 in one, two or three dimensions, and more where
        the law's narrowest section asks for it.
        """
        return self._law.grid(cells, deviations)

    def problem(self, cells: int | tuple[int, ...] | None = None, deviations: float = 7.0) -> Problem:
        """The process on its grid."""
        return Problem(self.process(), self.grid(cells, deviations))

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    @cached_property
    def _law(self) -> GaussianLaw:
        return GaussianLaw(self.mean, self.covariance)

    @cached_property
    def _turning(self) -> Array:
        """Q in coordinates where S is a circle: antisymmetric, with the eigenvalues of Q S^-1."""
        half = np.linalg.solve(self._law.root, self.circulation)
        return np.linalg.solve(self._law.root, half.T).T

    def _moments(self, start: Point | Gaussian) -> tuple[Array, Array]:
        if not isinstance(start, (Point, Gaussian)):
            raise InvalidInput(f"start is {shown(start)}; give an fp.Point or an fp.Gaussian")
        center = np.array(start.coordinates) if isinstance(start, Point) else start.center
        if center.size != self.mean.size:
            raise InvalidInput(f"{start} has {center.size} coordinates; this process has {', '.join(self.names)}")
        return center, np.zeros((center.size, center.size)) if isinstance(start, Point) else start.covariance

    def _propagated(self, t: float) -> tuple[Array, Array]:
        """exp(-K t) and the covariance added by then: van Loan's exponential of a short time, then doubled."""
        from scipy.linalg import expm

        matrix, d, size = self.drift_matrix, self.mean.size, float(np.abs(self.diffusion).max()) or 1.0
        turns = float(np.linalg.norm(matrix)) * t
        doublings = int(np.ceil(np.log2(turns / FEW_TURNS))) if turns > FEW_TURNS else 0
        block = np.block([[matrix, 2.0 * self.diffusion / size], [np.zeros((d, d)), -matrix.T]])
        both = expm(t / 2**doublings * block)
        step = both[d:, d:].T
        added = size * step @ both[:d, d:]
        for _ in range(doublings):  # sums of what is positive: no digit is lost
            added, step = added + step @ added @ step.T, step @ step
        return step, 0.5 * (added + added.T)

    def __repr__(self) -> str:
        rank = int(np.linalg.matrix_rank(self.diffusion, hermitian=True))
        noise = f"noise of rank {rank}" if rank < self.mean.size else "noise of full rank"
        try:
            facts = f"relaxation time {self.relaxation_time:.4g}"
        except NotNormalizable:
            facts = "not stable"
        return f"LinearGaussian({', '.join(self.names)}: {facts}, {noise})"


def _drift(matrix: Array, mean: Array, *x: Array) -> Any:
    rows = []
    for row in matrix:
        rows.append(-sum(entry * (c - m) for entry, c, m in zip(row, x, mean, strict=True)))
    return rows[0] if len(rows) == 1 else tuple(rows)
