"""Drawing what was measured: eigenvalues, tail indices, correlations, displacements, drift and diffusion in bins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fpsolve.measure.alignment import Alignment, Anisotropy, anisotropy
from fpsolve.measure.autocorrelation import Autocorrelation
from fpsolve.measure.covariance import NoiseCovariance
from fpsolve.measure.displacement import Displacement
from fpsolve.measure.kramers_moyal import KramersMoyal
from fpsolve.measure.kramers_moyal_plane import KramersMoyalPlane
from fpsolve.measure.tail_index import TailIndex
from fpsolve.plot_line import DENSITY, labelled, new_axes, next_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "correlation",
    "covariance_eigenvalues",
    "diffusion_in_bins",
    "displacement",
    "drift_in_bins",
    "drift_on_plane",
    "eigenvalues",
    "tail_curve",
    "variance_against_curvature",
]

Array = NDArray[np.float64]
DASHES = (0, (5, 3))
ELLIPSE = 40  # points


def eigenvalues(a: Anisotropy, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
    """Draw the eigenvalues with their errors, largest first, and their mean.  Returns the Axes."""
    ax = new_axes(ax)
    colour, rank = next_colour(ax, DENSITY), np.arange(1, a.eigenvalues.size + 1, dtype=np.float64)
    label = label or f"effective rank {a.effective_rank:.3g} of {rank.size}"
    ax.plot(rank, a.eigenvalues, "o-", color=colour, ms=4, lw=1.0, gid=DENSITY, label=label)
    _bars(ax, rank, a.eigenvalues, a.eigenvalue_error, colour)
    ax.axhline(float(a.eigenvalues.mean()), color=colour, lw=0.9, ls=DASHES)
    if log is not False and a.eigenvalues[-1] > 0:
        ax.set_yscale("log")
    ax.locator_params(axis="x", integer=True)
    return labelled(ax, "rank", "eigenvalue of the covariance")


def covariance_eigenvalues(
    s: NoiseCovariance, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None
) -> Axes:
    """Draw a covariance by its eigenvalues.  Returns the Axes."""
    return eigenvalues(anisotropy(s), ax, label=label, log=log)


def variance_against_curvature(
    a: Alignment, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None
) -> Axes:
    """Draw the noise along each eigenvector of the Hessian against its curvature; dashed: proportional to it."""
    ax = new_axes(ax)
    colour = next_colour(ax, DENSITY)
    label = label or f"cosine {a.cosine:.3g}, commutator {a.commutator:.2g}"
    ax.plot(a.curvatures, a.variances, "o", color=colour, ms=5, gid=DENSITY, label=label)
    _bars(ax, a.curvatures, a.variances, a.variance_error, colour)
    positive = bool(np.all(a.curvatures > 0) and np.all(a.variances > 0))
    if positive:
        line = a.curvatures * (a.variances.sum() / a.curvatures.sum())
        ax.plot(a.curvatures, line, color="black", lw=1.0, ls=DASHES, label="proportional to the curvature")
    if log or (log is None and positive):
        ax.set_xscale("log")
        ax.set_yscale("log")
    return labelled(ax, "curvature", "variance of the noise along it")


def tail_curve(a: TailIndex, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
    """Draw alpha against k or u with its standard error, and the estimate.  Returns the Axes."""
    ax = new_axes(ax)
    colour, by_k = next_colour(ax, DENSITY), a.method == "hill"
    x, alpha, error = a.curve_x, a.curve, a.curve_error
    ax.fill_between(x, alpha - error, alpha + error, color=colour, alpha=0.2, lw=0)
    name = "Hill" if by_k else "|phi(u)|, stable law"
    ax.plot(x, alpha, color=colour, lw=1.4, gid=DENSITY, label=label or (name if x.size else "bounded: no tail"))
    if np.isfinite(a.used):
        chosen = f"alpha = {a.alpha:.4g} ± {a.error:.1g}" + ("" if a.heavy else ": no heavy tail")
        ax.errorbar([a.used], [a.alpha], [a.error], fmt="o", color="black", ms=4, label=chosen)
    ax.axhline(2.0, color="black", lw=0.8, ls=DASHES)
    if log is not False and x.size:
        ax.set_xscale("log")
    return labelled(ax, "k, samples used" if by_k else "largest u used", "alpha")


def correlation(
    r: Autocorrelation, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None
) -> Axes:
    """Draw the autocorrelation with its error, and the 95 % band of white noise.  Returns the Axes."""
    ax = new_axes(ax)
    colour = next_colour(ax, DENSITY)
    shown = slice(1, None) if log else slice(None)
    lag, value, error = r.lags[shown], r.value[shown], r.error[shown]
    ax.axhspan(-r.white, r.white, color="black", alpha=0.08, lw=0, label="white noise, 95 %")
    ax.fill_between(lag, value - error, value + error, color=colour, alpha=0.25, lw=0)
    label = label or f"time {r.time:.3g} ± {r.time_error:.1g}"
    ax.plot(lag, value, color=colour, lw=1.4, gid=DENSITY, label=label)
    if log:
        ax.set_xscale("log")
    return labelled(ax, "lag", "autocorrelation")


def displacement(m: Displacement, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
    """Draw the mean-square displacement with its error, and the power law in its window.  Returns the Axes."""
    ax = new_axes(ax)
    colour = next_colour(ax, DENSITY)
    ax.plot(m.times, m.value, "o", color=colour, ms=3.5, gid=DENSITY, label=label or f"{m.n} replicas")
    _bars(ax, m.times, m.value, m.error, colour)
    t = np.geomspace(*m.window, 50)
    law = f"$t^{{{m.exponent:.3f}}}$, ± {m.exponent_error:.1g}" + ("" if m.power_law else " (it bends)")
    ax.plot(t, m.prefactor * t**m.exponent, color="black", lw=1.2, ls=DASHES, label=law)
    if log is not False:
        ax.set_xscale("log")
        ax.set_yscale("log")
    return labelled(ax, "t", "mean-square displacement")


def drift_in_bins(
    k: KramersMoyal, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None
) -> Axes:
    """Draw the drift in bins: one standard error as bars, the bias it may have as a band.  Returns the Axes."""
    ax = _in_bins(k, k.drift, k.drift_error, k.drift_bias, ax, label or "drift", log)
    ax.axhline(0.0, color="black", lw=0.6)
    return labelled(ax, "x", "drift")


def diffusion_in_bins(
    k: KramersMoyal, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None
) -> Axes:
    """Draw the diffusion in bins: one standard error as bars, the bias it may have as a band.  Returns the Axes."""
    ax = _in_bins(k, k.diffusion, k.diffusion_error, k.diffusion_bias, ax, label or "diffusion", log)
    if log:
        ax.set_yscale("log")
    return labelled(ax, "x", "diffusion")


def drift_on_plane(
    k: KramersMoyalPlane, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None
) -> Axes:
    """Draw the drift as arrows, and ellipses of half axes sqrt(2 D), the noise in all directions.  Returns the Axes."""
    ax = new_axes(ax)
    colour, noise = next_colour(ax, DENSITY), "#999999"
    seen = np.isfinite(k.drift[..., 0])
    x, a, d = k.x[seen], k.drift[seen], k.diffusion[seen]
    ax.quiver(x[:, 0], x[:, 1], a[:, 0], a[:, 1], color=colour, angles="xy", width=0.004)
    ax.plot(x[:, 0], x[:, 1], "o", ms=2, color=colour, gid=DENSITY, label=label or "drift")
    turn = 2.0 * np.pi * np.arange(ELLIPSE + 1) / ELLIPSE
    sizes, frames = np.linalg.eigh(d)
    # the largest ellipse is as wide as a bin of average width
    gap = min(np.ptp(x[:, i]) / max(seen.shape[i] - 1, 1) for i in (0, 1))
    unit = 0.45 * gap / np.sqrt(np.median(sizes[:, 1]))
    for place, size, frame in zip(x, sizes, frames, strict=True):
        root = unit * np.sqrt(np.maximum(size, 0.0))[:, None] * np.array([np.cos(turn), np.sin(turn)])
        outline = place[:, None] + frame @ root
        ax.plot(*outline, color=noise, lw=0.8)
    ax.plot([], [], color=noise, lw=0.8, label=f"noise $\\sqrt{{2D}}$ (largest {np.sqrt(2 * sizes.max()):.3g})")
    if log:
        ax.set_xscale("log")
        ax.set_yscale("log")
    return labelled(ax, k.names[0], k.names[1])


def _in_bins(
    k: KramersMoyal, value: Array, error: Array, bias: Array, ax: Axes | None, label: str, log: bool | None
) -> Axes:
    ax = new_axes(ax)
    colour = next_colour(ax, DENSITY)
    ax.fill_between(k.x, value - bias, value + bias, color=colour, alpha=0.2, lw=0)
    ax.plot(k.x, value, "o", color=colour, ms=3.5, gid=DENSITY, label=label)
    _bars(ax, k.x, value, error, colour)
    if log:
        ax.set_xscale("log")
    return ax


def _bars(ax: Axes, x: Array, value: Array, error: Array, colour: str) -> None:
    ax.errorbar(x, value, error, fmt="none", ecolor=colour, elinewidth=1.0)
