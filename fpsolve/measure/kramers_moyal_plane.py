"""Drift and diffusion tensor from trajectories in two coordinates: the conditional moments of kramers_moyal.py.

    A_i = <dx_i | x>/tau,     D_ij = Cov(dx_i, dx_j | x)/(2 tau)

both with the finite lag taken out (finite_lag.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.asking import shown
from fpsolve.axis import read_only
from fpsolve.errors import InvalidInput
from fpsolve.measure.conditional import edges_of, moments_in_bins
from fpsolve.measure.finite_lag import coefficients
from fpsolve.measure.inputs import paths, spread
from fpsolve.values.swarm import Swarm

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["KramersMoyalPlane", "kramers_moyal_plane"]

Array = NDArray[np.float64]
BINS = (10, 10)


@dataclass(frozen=True, eq=False, repr=False)
class KramersMoyalPlane:
    """Drift vector and diffusion tensor in bins of two coordinates, with standard errors and biases they may have.

    names: of the coordinates.  x: (bx, by, 2), the mean place in each bin.  edges: (bx + 1,) and (by + 1,).
    counts: (bx, by), increments in each.
    drift, drift_error, drift_bias: (bx, by, 2).  diffusion, diffusion_error, diffusion_bias: (bx, by, 2, 2).
    nan where a bin has fewer than 20 increments; biases, and with continuous=True all, also where it has fewer than
    seven such neighbours.  lag: tau.  continuous: whether the finite lag was taken out.  n: increments in all.

    >>> x = np.random.default_rng(1).normal(size=(2, 10_000, 2))
    >>> found = kramers_moyal_plane([x[0], x[0] + x[1]], bins=(5, 5), continuous=False)
    >>> found.diffusion.shape, bool(abs(found.diffusion[2, 2, 0, 0] - 0.5) < 3 * found.diffusion_error[2, 2, 0, 0])
    ((5, 5, 2, 2), True)
    """

    names: tuple[str, ...]
    x: Array
    edges: tuple[Array, Array]
    counts: NDArray[np.int64]
    drift: Array
    drift_error: Array
    drift_bias: Array
    diffusion: Array
    diffusion_error: Array
    diffusion_bias: Array
    lag: float
    continuous: bool
    n: int

    def __post_init__(self) -> None:
        for name in ("x", "drift", "drift_error", "drift_bias", "diffusion", "diffusion_error", "diffusion_bias"):
            object.__setattr__(self, name, read_only(np.array(getattr(self, name), dtype=float)))

    def plot(self, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
        """Draw the drift as arrows and the noise's root sqrt(2 D) as ellipses, on the plane.  Returns the Axes.

        log: True for logarithmic axes.
        """
        from fpsolve.plot_measure import drift_on_plane

        return drift_on_plane(self, ax, label=label, log=log)

    def __repr__(self) -> str:
        how = "finite lag corrected" if self.continuous else "of one step"
        return (
            f"KramersMoyalPlane({', '.join(self.names)}: {int(np.isfinite(self.drift[..., 0]).sum())} of "
            f"{self.counts.size} bins, {self.n} increments over {self.lag:g}, {how})"
        )


def kramers_moyal_plane(
    trajectories: Swarm | ArrayLike,
    times: ArrayLike | None = None,
    *,
    bins: tuple[int | ArrayLike, int | ArrayLike] = BINS,
    lag: float | None = None,
    continuous: bool = True,
) -> KramersMoyalPlane:
    """Drift vector and diffusion tensor of a process in two coordinates, as the trajectories show them.

    trajectories: a Swarm of two coordinates, or positions (k, n, 2) at `times` (k,).
    bins: for each coordinate how many, of equal counts, or their edges.  lag, continuous: as for `kramers_moyal`.

    Returns a KramersMoyalPlane.  Raises InvalidInput for other than two coordinates, and as `kramers_moyal` does.
    Source: Siegert, Friedrich & Peinke, Phys. Lett. A 243, 275 (1998).

    >>> import fpsolve as fp
    >>> flow = fp.Process(lambda x, y: (-x - y, x - y), ((1.0, 0.5), (0.5, 1.0)))
    >>> plane = fp.Problem(flow, fp.Grid(x=(-6, 6, 50), y=(-6, 6, 50)))
    >>> start = fp.Gaussian((0.0, 0.0), (1.0, 1.0))
    >>> swarm = fp.simulate(plane, start, [0.5, 0.52], dt=0.01, n=20_000, seed=7, progress=False)
    >>> kramers_moyal_plane(swarm, bins=(5, 5))
    KramersMoyalPlane(x, y: 25 of 25 bins, 20000 increments over 0.02, finite lag corrected)
    """
    seen = paths(trajectories, times, 2)
    if len(seen.names) != 2:
        raise InvalidInput(f"the trajectories have {len(seen.names)} coordinates, not 2; use kramers_moyal for one")
    tau, first, later = seen.pairs(lag)
    x = seen.positions[first].reshape(-1, 2)
    dx = seen.positions[later].reshape(-1, 2) - x
    spread(x, "the trajectory")
    if not isinstance(bins, (tuple, list)) or len(bins) != 2:
        raise InvalidInput(f"bins is {shown(bins)}; give two, one for each coordinate")
    edges = (edges_of("bins[0]", x[:, 0], bins[0]), edges_of("bins[1]", x[:, 1], bins[1]))
    shape = (edges[0].size - 1, edges[1].size - 1)
    found = moments_in_bins(x, dx, edges)
    c = coefficients(found, shape, tau, continuous)
    vector, tensor = (*shape, 2), (*shape, 2, 2)
    return KramersMoyalPlane(
        seen.names, found.place.reshape(vector), edges, found.counts.reshape(shape),
        c.drift.reshape(vector), c.drift_error.reshape(vector), c.drift_bias.reshape(vector),
        c.diffusion.reshape(tensor), c.diffusion_error.reshape(tensor), c.diffusion_bias.reshape(tensor),
        tau, continuous, int(found.counts.sum()),
    )  # fmt: skip
