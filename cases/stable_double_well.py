"""Escape from a double well by jumps: a power of the noise, where Kramers has an exponential.

    dX = (X - X^3) dt + eps dL,    from -1 until 0 is passed:    tau -> (alpha/C_alpha) a^alpha eps^-alpha,  a = 1,

C_alpha = Gamma(1+alpha) sin(pi alpha/2)/pi: the mean wait for one jump longer than the way a to the saddle, however
high the barrier.  With diffusion of the same size, dX = (X - X^3) dt + sqrt(2) eps dW, D = eps^2, it is

    tau -> pi exp(1/(4 eps^2))/sqrt(2),

half of the time to the other well.  Near alpha = 2 many small jumps do better than one large one until eps is tiny.
Imkeller & Pavlyukevich, J. Phys. A 39, L237 (2006).
"""

from __future__ import annotations

import math

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp
from fpsolve.plot_line import strokes_by_colour

ALPHAS = (0.7, 1.0, 1.5, 1.9)
NOISES = tuple(float(10.0**k) for k in np.arange(-3.0, 0.01, 0.25))
COLOURS = ("#0072B2", "#009E73", "#D55E00", "#CC79A7")


def limit(alpha: float, way: float = 1.0) -> float:
    """(alpha/C_alpha) way^alpha."""
    return way**alpha / (math.gamma(alpha) * math.sin(0.5 * math.pi * alpha) / math.pi)


def kramers(noise):
    """The time to pass the saddle with D = noise^2, as noise -> 0."""
    return np.pi / np.sqrt(2.0) * np.exp(0.25 / noise**2)


def problem(alpha: float = 1.0, noise: float = 0.1, ends: str = "open", cells: int = 1601) -> fp.Problem:
    """alpha = 2 is diffusion."""
    axis = fp.Axis.sinh(-1e3, 1e3, cells, scale=0.1, ends=ends) if alpha < 2.0 else fp.Axis.uniform(-3, 3, cells)
    process = fp.Process(lambda x: x - x**3, jumps=fp.Stable(alpha, noise))
    return fp.Problem(process, fp.Grid(x=axis))


def escape_time(alpha: float = 1.0, noise: float = 0.1, start: float = -1.0, cells: int = 1601) -> float:
    """The mean time until the saddle is passed."""
    return float(fp.mean_exit_time(problem(alpha, noise, cells=cells), inside=(None, 0.0))(start))


def reduced(alpha: float = 1.0, noise: float = 1e-3, cells: int = 1601) -> float:
    """eps^alpha tau, which has a limit."""
    return noise**alpha * escape_time(alpha, noise, cells=cells)


def exponent(alpha: float = 1.0, noise: float = 1e-3) -> float:
    """-d ln tau/d ln eps."""
    return float(-np.log(escape_time(alpha, 2.0 * noise) / escape_time(alpha, noise)) / np.log(2.0))


def solve(cells: int = 1601) -> dict[str, fp.Field]:
    """Escape times over the noise, by alpha, with diffusion, and the committor between the wells."""
    found = {}
    for alpha in ALPHAS:
        axis = fp.Axis.log(NOISES[0] / 10**0.125, NOISES[-1] * 10**0.125, len(NOISES))
        times = np.array([escape_time(alpha, noise, cells=cells) for noise in axis.nodes])
        found[f"alpha = {alpha:g}"] = fp.Field(fp.Grid(noise=axis), times, "mean escape time")
    axis = fp.Axis.log(0.12, 1.2, 24)
    times = np.array([escape_time(2.0, noise, cells=cells) for noise in axis.nodes])
    found["diffusion"] = fp.Field(fp.Grid(noise=axis), times, "mean escape time")
    for alpha in (1.0, 2.0):
        found[f"committor, alpha = {alpha:g}"] = fp.committor(
            problem(alpha, 0.1, cells=cells), (None, -1.0), (1.0, None)
        )
    return found


def figure(results: dict[str, fp.Field]) -> Figure:
    """Times: powers and an exponential; their approach to the limits; and who reaches the other well."""
    drawing = Figure(figsize=(14.0, 4.4), layout="constrained")
    times, limits, chance = drawing.subplots(1, 3)
    for alpha, colour in zip(ALPHAS, COLOURS, strict=True):
        tau = results[f"alpha = {alpha:g}"]
        noise = tau.grid.nodes[0]
        times.loglog(noise, tau.values, "o", color=colour, ms=4, label=rf"$\alpha = {alpha:g}$")
        times.loglog(noise, limit(alpha) * noise**-alpha, color=colour, lw=1.0)
        limits.semilogx(noise, tau.values * noise**alpha / limit(alpha), "o-", color=colour, ms=3, lw=1.0)
    tau = results["diffusion"]
    noise = tau.grid.nodes[0]
    times.loglog(noise, tau.values, "s", color="0.2", ms=3, label="diffusion")
    times.loglog(noise, kramers(noise), ":", color="0.2", label="Kramers")
    times.set(
        xlabel=r"noise $\epsilon$ (dimensionless)", ylabel="mean time to pass the saddle (1/curvature)", ylim=(0.5, 1e8)
    )
    times.legend(frameon=False)
    limits.axhline(1.0, color="0.6", lw=1, ls="--")
    limits.set(
        xlabel=r"noise $\epsilon$ (dimensionless)",
        ylabel=r"$\tau\,\epsilon^\alpha C_\alpha/\alpha$ (of its limit)",
        ylim=(0, 1.3),
    )
    for name, label, style in (("1", r"$\alpha = 1$", "-"), ("2", "diffusion", ":")):
        q = results[f"committor, alpha = {name}"]
        x = q.grid.nodes[0]
        near = np.abs(x) < 1.5
        chance.plot(x[near], q.values[near], style, color=COLOURS[1] if name == "1" else "0.2", label=label)
    chance.set(xlabel=r"start $x$, $\epsilon = 0.1$ (dimensionless)", ylabel="chance to reach 1 before -1 (of 1)")
    chance.legend(frameon=False)
    strokes_by_colour(times, limits)
    return drawing
