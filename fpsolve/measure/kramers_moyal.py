"""Drift and diffusion from trajectories in one coordinate: conditional moments of the increments over a lag tau.

    A1(x) = <dx | x>/tau,     D1(x) = Var(dx | x)/(2 tau)

in bins, with dx fitted by a line inside each, so that the drift's slope is no noise.  For a lag that is not 0 a
process of drift A and diffusion D has, to first order in tau,

    A1 = A + (tau/2)(A A' + D A''),     D1 = D + (tau/2)(A D' + 2 D A' + D D''),

which is taken out with derivatives measured by local parabolas (finite_lag.py).  What one step of a random map does
needs no such correction: there A1 and D1 are drift and variance of the step themselves.  Biases are stated beside the
statistical errors: a bin of variance s^2 shows A + A'' s^2/2, and the next order in tau is about what the correction
changes when it is made twice.  Both hold as long as tau |A'| is well below 1.
Source: Siegert, Friedrich & Peinke, Phys. Lett. A 243, 275 (1998); Gottschall & Peinke, New J. Phys. 10, 083034 (2008);
Friedrich, Peinke, Sahimi & Tabar, Phys. Rep. 506, 87 (2011).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.axis import read_only
from fpsolve.measure.conditional import edges_of, moments_in_bins
from fpsolve.measure.finite_lag import coefficients
from fpsolve.measure.inputs import paths, spread
from fpsolve.values.swarm import Swarm

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["KramersMoyal", "kramers_moyal"]

Array = NDArray[np.float64]
BINS = 30


@dataclass(frozen=True, eq=False, repr=False)
class KramersMoyal:
    """Drift and diffusion in bins, each with a statistical error (one standard error) and a bias that it may have.

    x: (bins,), the mean place in each; edges: (bins + 1,).  counts: increments in each.
    drift, drift_error, drift_bias, diffusion, diffusion_error, diffusion_bias: (bins,); nan where a bin has fewer than
        20 increments.  kurtosis: (bins,), excess, of the increments: 0 for a diffusion at short lags, large for jumps.
    lag: tau.  continuous: whether the finite-lag correction was taken out.  n: increments in all.

    >>> x = np.random.default_rng(1).normal(size=(2, 20_000))
    >>> found = kramers_moyal([x[0], 0.5 * x[0] + x[1]], bins=10, continuous=False)  # one step of a random map
    >>> bool(np.all(found.departures(-0.5 * found.x, np.full(10, 0.5))[0] < 4))
    True
    """

    x: Array
    edges: Array
    counts: NDArray[np.int64]
    drift: Array
    drift_error: Array
    drift_bias: Array
    diffusion: Array
    diffusion_error: Array
    diffusion_bias: Array
    kurtosis: Array
    lag: float
    continuous: bool
    n: int

    def __post_init__(self) -> None:
        for name in ("x", "edges", "drift", "drift_error", "drift_bias", "kurtosis"):
            object.__setattr__(self, name, read_only(np.array(getattr(self, name), dtype=float)))
        for name in ("diffusion", "diffusion_error", "diffusion_bias"):
            object.__setattr__(self, name, read_only(np.array(getattr(self, name), dtype=float)))
        object.__setattr__(self, "counts", read_only(np.array(self.counts, dtype=np.int64)))

    def departures(self, drift: ArrayLike, diffusion: ArrayLike) -> tuple[Array, Array]:
        """How far drift and diffusion at `x` are, in stated errors: (distance - bias)/error, 0 within the bias."""
        far = []
        for given, found, error, bias in (
            (drift, self.drift, self.drift_error, self.drift_bias),
            (diffusion, self.diffusion, self.diffusion_error, self.diffusion_bias),
        ):
            far.append(np.maximum(np.abs(np.asarray(given, dtype=float) - found) - bias, 0.0) / error)
        return far[0], far[1]

    def plot(self, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
        """Draw the drift with its errors, the bias as a band; log=True: logarithmic x.  Returns the Axes."""
        from fpsolve.plot_measure import drift_in_bins

        return drift_in_bins(self, ax, label=label, log=log)

    def plot_diffusion(self, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
        """Draw the diffusion with its errors, the bias as a band; log=True: both axes.  Returns the Axes."""
        from fpsolve.plot_measure import diffusion_in_bins

        return diffusion_in_bins(self, ax, label=label, log=log)

    def __repr__(self) -> str:
        seen = np.isfinite(self.drift)
        worst = float(np.median(self.diffusion_error[seen] / self.diffusion[seen]))
        how = "finite lag corrected" if self.continuous else "of one step"
        return (
            f"KramersMoyal({int(seen.sum())} bins on [{self.edges[0]:.4g}, {self.edges[-1]:.4g}], {self.n} increments "
            f"over {self.lag:g}, {how}; diffusion within {100 * worst:.2g} % in the median bin)"
        )


def kramers_moyal(
    trajectories: Swarm | ArrayLike,
    times: ArrayLike | None = None,
    *,
    bins: int | ArrayLike = BINS,
    lag: float | None = None,
    continuous: bool = True,
) -> KramersMoyal:
    """Drift and diffusion of dX = A dt + sqrt(2 D) dW (Ito) as the trajectories show them.

    trajectories: a Swarm, or positions (k,) or (k, n) at `times` (k,) (default 0, 1, ...).
    bins: how many, of equal counts; or their edges.  lag: the time between the two ends of an increment (default: the
        spacing of the times, which must then be equal; else every two recorded times that far apart).
    continuous: True takes the finite lag out; False gives what one step does, for random maps recorded step by step.

    SGD recorded at each step with continuous=True gives the drift and diffusion corrected for the learning rate.
    Too short a lag is no trouble for a diffusion, but noise of measurement or with memory then adds or hides noise:
    compare two lags.  Returns a KramersMoyal.
    Raises InvalidInput for several coordinates (see `kramers_moyal_plane`), too few increments for the bins, edges that
    do not rise, lags that were not recorded, constant trajectories, and values that are not finite.
    Source: the head of this module.

    >>> import fpsolve as fp
    >>> well = fp.Problem(fp.Process(lambda x: -x, 0.5), fp.Grid(x=(-6, 6, 100)))
    >>> swarm = fp.simulate(well, fp.Gaussian(0.0, 0.7), [1.0, 1.05], dt=0.005, n=20_000, seed=7, progress=False)
    >>> kramers_moyal(swarm, bins=10)
    KramersMoyal(...)
    """
    seen = paths(trajectories, times, 2)
    positions = seen.only
    tau, first, later = seen.pairs(lag)
    x = positions[first].ravel()
    spread(x[:, None], "the trajectory")
    edges = edges_of("bins", x, bins)
    found = moments_in_bins(x[:, None], (positions[later].ravel() - x)[:, None], (edges,))
    c = coefficients(found, found.counts.shape, tau, continuous)
    return KramersMoyal(
        found.place[:, 0], edges, found.counts,
        c.drift[:, 0], c.drift_error[:, 0], c.drift_bias[:, 0],
        c.diffusion[:, 0, 0], c.diffusion_error[:, 0, 0], c.diffusion_bias[:, 0, 0],
        found.kurtosis[:, 0], tau, continuous, int(found.counts.sum()),
    )  # fmt: skip
