"""The covariance of the noise: of minibatch gradients exactly, of draws and of increments as an estimate.

    Sigma = <(g - <g>)(g - <g>)'> over the N samples;     Cov[minibatch mean] = Sigma/B,  times (N - B)/(N - 1) where a
    minibatch has no sample twice

The N samples are all there is for SGD on them, so this is exact.  As an estimate of the law they came from, Sigma is
too small by (N - 1)/N on average; `population` is not.  Minibatches that share an epoch are correlated besides: that
is in no single covariance.  Source: Cochran, Sampling Techniques (1977), section 2.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.axis import read_only
from fpsolve.checks import yes_or_no
from fpsolve.errors import InvalidInput
from fpsolve.measure.inputs import batch_size, draws, paths
from fpsolve.measure.resampling import grouped, jackknife_error, without_each
from fpsolve.values.swarm import Swarm

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["NoiseCovariance", "gradient_covariance", "increment_covariance", "sample_covariance"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class NoiseCovariance:
    """A covariance matrix with its standard error.

    value, error: (d, d); the error is 0 where the covariance is exact.  mean: (d,).  n: how many gave it.
    per: what it is the covariance of, in words.
    per_sample: Sigma of one sample's gradient, where it is known.
    left_out: (g, d, d), the estimates that leave one of g groups out, from which errors of functions of it follow;
        None where it is exact.

    >>> exact = gradient_covariance([1.0, 2.0, 3.0])
    >>> exact.exact, exact.value.round(6), exact.population
    (True, array([[0.666667]]), array([[1.]]))
    """

    value: Array
    error: Array
    mean: Array
    n: int
    per: str
    per_sample: Array | None = None
    left_out: Array | None = None

    def __post_init__(self) -> None:
        for name in ("value", "error", "mean", "per_sample", "left_out"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, read_only(np.array(getattr(self, name), dtype=float)))

    @property
    def exact(self) -> bool:
        """Whether it is no estimate."""
        return self.left_out is None

    @property
    def population(self) -> Array:
        """N/(N - 1) Sigma: unbiased for one sample's covariance in the law that the N samples came from.

        Raises InvalidInput where no single samples were given.
        """
        if self.per_sample is None:
            raise InvalidInput(f"this is the covariance of {self.per}; only gradient_covariance knows single samples")
        return self.per_sample * (self.n / (self.n - 1.0))

    def plot(self, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
        """Draw the eigenvalues with their errors, largest first (log=False: on a linear axis).  Returns the Axes."""
        from fpsolve.plot_measure import covariance_eigenvalues

        return covariance_eigenvalues(self, ax, label=label, log=log)

    def __repr__(self) -> str:
        trace = float(np.trace(self.value))
        if self.left_out is None:
            return f"NoiseCovariance({len(self.value)} coordinates, trace {trace:.6g}: exact, of {self.per})"
        error = float(jackknife_error(np.trace(self.left_out, axis1=1, axis2=2)))
        return f"NoiseCovariance({len(self.value)} coordinates, trace {trace:.4g} +- {error:.2g}, of {self.per})"


def gradient_covariance(gradients: ArrayLike, batch: int = 1, *, replacement: bool = True) -> NoiseCovariance:
    """The covariance of a minibatch's mean gradient, exactly, from the gradients of all samples at one point.

        Sigma/B;     replacement=False: Sigma/B (N - B)/(N - 1)

    gradients: (N, d), or (N,) for one parameter: a row for every sample of the data.  batch: B.
    replacement: whether a minibatch may hold a sample twice.

    Returns a NoiseCovariance of error 0.  Raises InvalidInput for fewer than 2 samples, values that are not finite,
    and a batch larger than the data.

    >>> noise = gradient_covariance([[1.0, 0.0], [-1.0, 2.0], [3.0, 1.0]], batch=2)
    >>> noise.value.round(6).tolist(), noise.mean.tolist()
    ([[1.333333, -0.333333], [-0.333333, 0.333333]], [1.0, 1.0])
    >>> gradient_covariance([1.0, -1.0, 3.0], batch=3, replacement=False).value.item()
    0.0
    """
    g = draws(gradients, "gradients", 2)
    n, size = len(g), batch_size(batch, len(g))
    centred = g - g.mean(axis=0)
    sigma = centred.T @ centred / n
    share = 1.0 / size if yes_or_no("replacement", replacement) else (n - size) / (size * (n - 1.0))
    how = "with" if replacement else "without"
    per = f"minibatch gradients ({size} of {n} samples, {how} replacement)"
    return NoiseCovariance(sigma * share, np.zeros_like(sigma), g.mean(axis=0), n, per, sigma)


def sample_covariance(samples: Swarm | ArrayLike, *, t: float | None = None) -> NoiseCovariance:
    """The covariance of the law that independent draws came from, such as minibatch gradients drawn at one point.

        S = sum (g - <g>)(g - <g>)'/(n - 1), unbiased;   errors by leaving out one of 50 groups

    samples: (n, d) or (n,), or a Swarm (its replicas at t, default the last time).

    Returns a NoiseCovariance.  Raises InvalidInput for fewer than 3 samples, and values that are not finite.

    >>> sample_covariance(np.random.default_rng(1).normal(size=(10_000, 2)) * [1.0, 2.0])
    NoiseCovariance(2 coordinates, trace 4.961 +- 0.054, of 10000 draws)
    """
    g = draws(samples, "samples", 3, t)
    mean = g.mean(axis=0)
    value, left_out = _estimated(g - mean, 1)
    return NoiseCovariance(value, jackknife_error(left_out), mean, len(g), f"{len(g)} draws", None, left_out)


def increment_covariance(
    trajectories: Swarm | ArrayLike, times: ArrayLike | None = None, *, lag: float | None = None
) -> NoiseCovariance:
    """The noise per unit time of trajectories: the covariance of their increments over the lag, which is 2 <D>.

        2 <D> = Cov[dx - a - b x]/lag,     a + b x: the increments' least-squares fit, which is the drift near a minimum

    trajectories: a Swarm, or positions (k,), (k, n) or (k, n, d) at `times` (k,) (default 0, 1, ...).
    lag: the time between the two ends of an increment (default: the spacing of the times, which must then be equal).

    Where the noise depends on the place, the result is its mean over the places visited (`kramers_moyal` resolves it).
    Drift beyond a + b x adds its variance times the lag; a relaxation of rate r lowers the value by about r lag of it.
    SGD recorded at each step, in t = steps times learning rate, has 2 <D> = T Sigma, T = learning rate/batch size.

    Returns a NoiseCovariance.  Raises InvalidInput for too few increments, lags that were not recorded, and values
    that are not finite.

    >>> x = np.cumsum(np.random.default_rng(1).normal(size=(200, 50)), axis=0) * 0.1
    >>> increment_covariance(x, 0.01 * np.arange(200))
    NoiseCovariance(1 coordinates, trace 0.998 +- 0.015, of increments over 0.01, per unit time)
    """
    seen = paths(trajectories, times, 2)
    tau, first, later = seen.pairs(lag)
    d = seen.positions.shape[2]
    # replica by replica, so that a group of neighbours holds whole stretches of few paths
    x = seen.positions[first].swapaxes(0, 1).reshape(-1, d)
    dx = seen.positions[later].swapaxes(0, 1).reshape(-1, d) - x
    if len(dx) < 2 * (d + 2):
        raise InvalidInput(f"there are {len(dx)} increments in {d} coordinates; give {2 * (d + 2)} or more")
    mean = x.mean(axis=0)
    design = np.column_stack([np.ones(len(x)), x - mean])
    fitted = np.linalg.lstsq(design, dx, rcond=None)[0]
    value, left_out = _estimated(dx - design @ fitted, d + 1)
    per = f"increments over {tau:g}, per unit time"
    return NoiseCovariance(
        value / tau, jackknife_error(left_out) / tau, fitted[0] / tau, len(dx), per, None, left_out / tau
    )


def _estimated(centred: Array, fitted: int) -> tuple[Array, Array]:
    """S of centred rows after `fitted` parameters per column, and the same without each group."""
    n, starts = len(centred), grouped(len(centred))
    stops = np.append(starts[1:], n)
    parts = np.array([centred[i:j].T @ centred[i:j] for i, j in zip(starts, stops, strict=True)])
    sums = np.array([centred[i:j].sum(axis=0) for i, j in zip(starts, stops, strict=True)])
    rest, count = -sums, n - (stops - starts)
    outer = rest[:, :, None] * rest[:, None, :] / count[:, None, None]  # leaving rows out moves the mean
    left_out = (without_each(parts) - outer) / (count - fitted)[:, None, None]
    return parts.sum(axis=0) / (n - fitted), left_out
