"""A harmonic well under Lévy flights: dX = -k X dt + scale dL, stable laws at rest and in motion.

    E exp(iqX) = exp(i q x0 e^(-k t) - |s(t) q|^alpha),   s(t)^alpha = scale^alpha (1 - e^(-alpha k t))/(alpha k),

so at rest s = scale/(alpha k)^(1/alpha), p(0) = Gamma(1 + 1/alpha)/(pi s) and p ~ C_alpha/(alpha k) |x|^(-1-alpha):
no variance below alpha = 2, no mean below 1.  West & Seshadri, Physica A 113, 203 (1982).
"""

from __future__ import annotations

import math

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp
from fpsolve.plot_line import strokes_by_colour

REACH = {0.5: 1e6, 1.0: 1e4, 1.5: 1e3, 1.9: 100.0}  # where the tail has become its power law
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")


def size(alpha: float, k: float = 1.0, scale: float = 1.0, t: float = np.inf) -> float:
    """s(t)."""
    return float(scale * (-np.expm1(-alpha * k * t) / (alpha * k)) ** (1.0 / alpha))


def at_zero(alpha: float, k: float = 1.0, scale: float = 1.0, t: float = np.inf) -> float:
    """p(0) of paths from 0."""
    return math.gamma(1.0 + 1.0 / alpha) / (math.pi * size(alpha, k, scale, t))


def tail(x, alpha: float, k: float = 1.0, scale: float = 1.0):
    """The power law that p becomes."""
    constant = math.gamma(1.0 + alpha) * math.sin(0.5 * math.pi * alpha) / math.pi
    return constant * scale**alpha / (alpha * k) * np.abs(x) ** (-1.0 - alpha)


def problem(alpha: float = 1.5, k: float = 1.0, scale: float = 1.0, ends: str = "open", cells: int = 801) -> fp.Problem:
    """An axis with the width of the peak in its middle and several decades of tail."""
    reach = REACH.get(alpha, 1e4)
    axis = fp.Axis.sinh(-reach, reach, cells, scale=0.3, ends=ends)
    process = fp.Process(lambda x: -k * x, jumps=fp.Stable(alpha, scale))
    return fp.Problem(process, fp.Grid(x=axis), fp.Accurate())


def motion(alpha: float = 1.0, times: tuple[float, ...] = (0.1, 0.5, 2.0), cells: int = 801) -> fp.Evolution:
    """From a point at 0."""
    return fp.evolve(problem(alpha, cells=cells), fp.Point(0.0), times)


def solve(k: float = 1.0, scale: float = 1.0, cells: int = 801) -> dict[str, fp.Density | fp.Evolution]:
    """Densities at rest, from almost Gaussian to very heavy tails, and one in motion."""
    found: dict[str, fp.Density | fp.Evolution] = {
        f"alpha = {alpha:g}": fp.stationary(problem(alpha, k, scale, cells=cells)) for alpha in REACH
    }
    return {**found, "in motion": motion(cells=cells)}


def figure(results: dict[str, fp.Density | fp.Evolution]) -> Figure:
    """Peaks, tails with their power laws, and p(0) on its way to rest."""
    drawing = Figure(figsize=(14.0, 4.4), layout="constrained")
    peak, tails, moving = drawing.subplots(1, 3)
    for (alpha, _), colour in zip(REACH.items(), COLOURS, strict=True):
        p = results[f"alpha = {alpha:g}"]
        x = p.grid.nodes[0]
        near, far = np.abs(x) < 4.0, x > 1e-2
        peak.plot(x[near], p.values[near], color=colour, lw=1.8, label=rf"$\alpha = {alpha:g}$")
        peak.plot(0.0, at_zero(alpha), "o", color=colour, ms=4)
        tails.loglog(x[far], p.values[far], color=colour, lw=1.8)
        out = x > 2.0
        tails.loglog(x[out], tail(x[out], alpha), ":", color="0.3", lw=1.0)
    peak.set(xlabel="$x$ (dimensionless)", ylabel="density at rest (per unit of $x$)", ylim=(0, None))
    peak.legend(frameon=False)
    tails.set(
        xlabel="$x$ (dimensionless)", ylabel="density at rest (per unit of $x$)", xlim=(1e-2, 1e6), ylim=(1e-12, 1)
    )
    tails.set_title(r"dotted: $C_\alpha |x|^{-1-\alpha}/\alpha$", loc="left", fontsize="medium")
    path = results["in motion"]
    for p, colour in zip(path, COLOURS, strict=False):
        x, s = p.grid.nodes[0], size(1.0, t=p.time)
        near = np.abs(x) < 3.0
        moving.semilogy(x[near], p.values[near], color=colour, lw=1.8, label=f"$t = {p.time:g}$")
        moving.semilogy(x[near], s / np.pi / (s * s + x[near] ** 2), ":", color="0.2", lw=1.2)
    moving.set(xlabel="$x$ (dimensionless)", ylabel=r"density from a point, $\alpha = 1$ (per unit of $x$)")
    moving.set_title("dotted: Cauchy laws", loc="left", fontsize="medium")
    moving.legend(frameon=False)
    strokes_by_colour(peak, tails, moving)
    return drawing
