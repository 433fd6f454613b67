"""SGD on a user's own loss: one or two parameters, known by the gradient of a single sample.

    theta <- theta - eta (mean of g over a minibatch),     g = gradient(theta, *data of the sample)

Its Fokker-Planck equation (Ito) has A = -E g and D = (T/2) Cov g, T = eta/S, both averages over the data.  Without
replacement D has the factor (N - S)/(N - 1).
Source: Li, Tai & E, J. Mach. Learn. Res. 20, 40 (2019).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.checks import number, parameter_names, whole, yes_or_no
from fpsolve.errors import InvalidInput
from fpsolve.grid import Grid
from fpsolve.models.gradient_process import GradientProcess
from fpsolve.models.linear_gaussian import LinearGaussian
from fpsolve.models.own_grid import line_for, plane_for
from fpsolve.models.regression import Regression
from fpsolve.models.rest_point import hessian, rest_point
from fpsolve.models.sample_gradients import GradientMoments, SampleGradients
from fpsolve.models.subject import Subject
from fpsolve.models.temperature import checked_temperature
from fpsolve.particles.descent import descend, replicas
from fpsolve.problem import Problem
from fpsolve.process import Process
from fpsolve.progress import Progress
from fpsolve.random_map import RandomMap
from fpsolve.values.swarm import Swarm

__all__ = ["FromGradients"]

Array = NDArray[np.float64]
CELLS = {1: 800, 2: 128}
DEVIATIONS = 8.0  # of the Gaussian at the minimum: how far a plane reaches


@dataclass(frozen=True, eq=False)
class FromGradients:
    """SGD on a loss of one or two parameters, from the gradient of one sample.

        A = -E g,   D = (T/2) Cov g,   T = learning_rate/batch

    gradient: g(theta, *columns), vectorised: theta has the shape (places, 1), a column (samples,), the answer (places,
        samples).  Two parameters: theta is one tuple of two such arrays, and so is the answer.
    data: an fp.Regression (columns x and y), or a tuple of arrays with one row per sample.
    start: where to begin looking for the minimum: a number, or a tuple for two parameters (which also says that there
        are two).  Without it a single parameter's minimum is looked for on the whole line.
    names: of the parameters.  replacement: whether minibatches are drawn with replacement.

    Raises InvalidInput for empty or non-finite data, a batch larger than the data, numbers out of range, and gradients
    that raise, have another shape, are not real or differ from one call to the next.

    >>> data = Regression.synthetic(200, noise=0.5, seed=3)
    >>> mine = FromGradients(lambda v, x, y: 2 * (v * x - y) * x, data, learning_rate=0.05, batch=4)
    >>> mine, round(float(mine.minimum[0] - data.moments.beta2 / data.moments.beta1), 9) + 0.0
    (FromGradients(theta: learning rate 0.05, batch 4; 200 samples), 0.0)
    """

    gradient: Callable[..., Any]
    data: Regression | Sequence[ArrayLike]
    learning_rate: float
    batch: int
    start: float | tuple[float, float] | None = None
    names: tuple[str, ...] = ()
    replacement: bool = True

    def __post_init__(self) -> None:
        parameters = 1 if self.start is None or np.ndim(self.start) == 0 else len(np.atleast_1d(self.start))
        if parameters > 2:
            raise InvalidInput(f"start has {parameters} numbers; densities are solved for one or two parameters")
        names = self.names or (("theta",) if parameters == 1 else ("theta1", "theta2"))
        object.__setattr__(self, "names", parameter_names(names, (parameters,)))
        yes_or_no("replacement", self.replacement)
        checked_temperature(None, self.learning_rate, self.batch)
        if whole("batch", self.batch, 1) > self.samples.n:
            raise InvalidInput(f"batch is {self.batch} but the data have {self.samples.n} samples; at most that many")
        if self.start is None:
            self.samples.check(np.ones(1))
            return
        point = np.array([number("start", value) for value in np.atleast_1d(self.start)])
        self.samples(point[:, None])
        self.samples.check(point)

    @cached_property
    def samples(self) -> SampleGradients:
        """The gradients of the data's samples; InvalidInput for data that are no columns."""
        data = (self.data.x, self.data.y) if isinstance(self.data, Regression) else self.data
        if isinstance(data, np.ndarray) or not isinstance(data, (tuple, list)):
            raise InvalidInput(f"data is a {type(data).__name__}; give an fp.Regression, or a tuple of columns")
        names = ("x", "y") if isinstance(self.data, Regression) else ()
        return SampleGradients(self.gradient, tuple(data), 2 if np.ndim(self.start or 0) else 1, names)

    @property
    def temperature(self) -> float:
        """T = learning_rate/batch."""
        return self.learning_rate / self.batch

    @property
    def ndim(self) -> int:
        """The number of parameters."""
        return len(self.names)

    @cached_property
    def minimum(self) -> Array:
        """Where full-batch gradient descent from `start` comes to rest, shape (parameters,).

        Raises InvalidInput where none is found.
        """
        start = None if self.start is None else np.atleast_1d(np.array(self.start, dtype=float))
        return rest_point(self.samples.mean, start, self.learning_rate)

    @cached_property
    def hessian(self) -> Array:
        """The loss's at the minimum, by differences, shape (parameters, parameters)."""
        return hessian(self.samples.mean, self.minimum)

    @cached_property
    def covariance(self) -> Array:
        """Of one sample's gradient at the minimum, shape (parameters, parameters)."""
        return self.moments(self.minimum[:, None]).cov[:, :, 0]

    def moments(self, theta: ArrayLike) -> GradientMoments:
        """Mean, covariance and third cumulant of one sample's gradient at theta (parameters, k)."""
        return self.samples.moments(np.atleast_2d(np.array(theta, dtype=float)))

    @property
    def noise_factor(self) -> float:
        """D over Cov g: T/2, times (N - S)/(N - 1) without replacement."""
        n = self.samples.n
        share = 1.0 if self.replacement or n == 1 else (n - self.batch) / (n - 1.0)
        return 0.5 * self.temperature * share

    def process(self) -> Process:
        """d theta = -E g dt + sqrt(2 D) dW (Ito)."""
        return Process(drift=self._equation.drift, diffusion=self._equation.diffusion)

    def grid(self, cells: int | tuple[int, ...] | None = None) -> Grid:
        """A grid around the minimum that holds the density: one axis as far as it lives, two of 8 deviations each way.

        Raises InvalidInput where the noise vanishes at the minimum: the density is then a point.
        """
        law = self.gaussian()
        widths = np.sqrt(np.diag(law.covariance))
        if self.ndim == 1:
            count = CELLS[1] if cells is None else whole("cells", cells, 3)
            axis = line_for(self._equation.log_slope, self._no_noise, float(self.minimum[0]), float(widths[0]), count)
            return Grid(**{self.names[0]: axis})
        return plane_for(self.names, self.minimum, DEVIATIONS * widths, CELLS[2] if cells is None else cells)

    def problem(self, cells: int | tuple[int, ...] | None = None) -> Problem:
        """The process on its grid."""
        return Problem(self.process(), self.grid(cells))

    def gaussian(self) -> LinearGaussian:
        """The linear process at the minimum, drift matrix H, D as there (else InvalidInput): Laplace's law."""
        if self.noise_factor == 0.0:
            raise InvalidInput(
                f"batch is {self.batch}, all of the data, and drawn without replacement: that is gradient descent, "
                "whose density is a point; give a smaller batch, or replacement=True"
            )
        if not np.linalg.eigvalsh(self.covariance)[-1] > 0:
            raise InvalidInput(
                "every sample's gradient vanishes at the minimum: SGD comes to rest there and has no density; add "
                "label noise, or use data that no single set of parameters fits exactly"
            )
        return LinearGaussian(self.hessian, self.noise_factor * self.covariance, self.minimum)

    def random_map(self) -> RandomMap:
        """One step of SGD as a random map, whose exact law `fp.transfer` gives; one parameter, drawn with replacement.

        Raises InvalidInput for two parameters, data that are not plain columns, and draws without replacement.
        """
        columns = self.samples.columns
        if self.ndim != 1 or not self.replacement or any(column.ndim != 1 for column in columns):
            raise InvalidInput(
                "the exact law needs one parameter, minibatches drawn with replacement, and data of plain columns (one "
                "number per sample each); use `sgd` for the rest"
            )
        axis = self.grid().axes[0]
        log = axis.kind == "log"
        if log and axis.lo < 0:
            raise InvalidInput(
                f"the parameter is negative ({float(self.minimum[0]):.4g} at the minimum) and its noise vanishes at 0: "
                f"change the parameter's sign (or is {self.samples.call} not what the gradient takes?)"
            )
        low, high = (axis.lo, axis.hi) if log else self._domain()
        return RandomMap(
            step=lambda u, g: u - self.learning_rate * g,
            statistic=self.gradient,
            atoms=columns,
            domain=(low, high),
            coordinate="log" if log else "linear",
            batch=self.batch,
            time=self.learning_rate,
            name=self.names[0],
        )

    def sgd(
        self,
        steps: int,
        n: int | None = None,
        *,
        seed: int,
        start: ArrayLike | Swarm | None = None,
        record: Sequence[int] | None = None,
        progress: Progress = None,
    ) -> Swarm:
        """Real minibatch SGD: n replicas, `steps` steps, positions and `.weights` theta, t = steps * learning_rate.

        start: where all replicas begin (the minimum unless given), an array (n, parameters), or a Swarm that goes on.
        Bits, record and errors: fpsolve/particles/descent.py.
        """
        if not isinstance(start, Swarm):
            start = replicas(self.minimum if start is None else start, n, self.ndim)
        rate = float(np.linalg.eigvalsh(self.hessian)[0])
        return descend(
            self._step, start, names=self.names, observe=lambda theta: theta, learning_rate=self.learning_rate,
            steps=steps, seed=seed, record=record, progress=progress, relaxation_time=1.0 / rate if rate > 0 else None,
        )  # fmt: skip

    def subject(self) -> Subject:
        """What `fp.ladder` asks; InvalidInput for two parameters.  No residual: no loss is known to be squares."""
        if self.ndim != 1:
            raise InvalidInput(f"the model has the parameters {self.names}; a ladder of densities needs one of them")
        minimum, found = float(self.minimum[0]), self.moments(self.minimum[:, None])
        variance = float(found.cov[0, 0, 0])
        return Subject(
            name=self.names[0],
            minimum=minimum,
            rate=float(self.hessian[0, 0]),
            flow=self._equation.drift,
            slope=lambda theta: -self._equation.drift(theta),
            drift=self._equation.drift,
            diffusion=self._equation.diffusion,
            grid=self.grid(),
            learning_rate=self.learning_rate,
            batch=self.batch,
            samples=self.samples.n,
            residual=None,
            skewness=float(found.third[0, 0]) / variance**1.5,
            random_map=self.random_map() if self.replacement else None,
            sgd=lambda steps, places, seed, record, progress: self.sgd(
                steps, start=places[:, None], seed=seed, record=record, progress=progress
            ),
        )

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def _step(self, theta: Array, rng: np.random.Generator) -> Array:
        n, size = self.samples.n, (len(theta), self.batch)
        if self.replacement:
            samples = rng.integers(n, size=size)
        else:
            samples = np.argsort(rng.random((len(theta), n)), axis=1)[:, : self.batch]
        return theta - self.learning_rate * self.samples.of_samples(theta.T, samples).mean(axis=2).T

    @cached_property
    def _equation(self) -> GradientProcess:
        return GradientProcess(self.samples, self.noise_factor)

    def _no_noise(self, theta: float) -> bool:
        """Whether D vanishes at theta, to rounding of the gradients there."""
        g = self.samples(np.array([[theta]]))[0, 0]
        return bool(np.var(g) <= 1e-24 * max(float(np.var(self.samples(self.minimum[:, None])[0, 0])), 1e-300))

    def _domain(self) -> tuple[float, float]:
        """Where the law is looked for in theta itself; `transfer` reaches further up where it must."""
        m, w = float(self.minimum[0]), float(np.sqrt(self.gaussian().covariance[0, 0]))
        return m - DEVIATIONS * w, m + DEVIATIONS * w

    def __repr__(self) -> str:
        kind = "" if self.replacement else ", without replacement"
        return (
            f"FromGradients({', '.join(self.names)}: learning rate {self.learning_rate:g}, batch {self.batch}{kind}; "
            f"{self.samples.n} samples)"
        )
