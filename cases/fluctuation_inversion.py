"""Hotter SGD fluctuates less: the variance of a network's output turns over with temperature, the deeper the sooner.

    v = product of n layers,   T = learning_rate/batch,   p ~ v^-(5 - 3/n) for large v

Towards the critical temperature of two layers the mass moves to v = 0 and takes the fluctuations with it; from three
layers on there is no transition, but the same inversion.  Moments alpha = (2, 2, 3), beta = (1, 1).
Ziyin, Li & Ueda, arXiv 2308.06671.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp

MOMENTS = fp.Moments(2.0, 2.0, 3.0, 1.0, 1.0)
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")


def network(depth: int, temperature: float) -> fp.models.DiagonalNetwork:
    return fp.models.DiagonalNetwork.from_moments(MOMENTS, temperature, depth)


def problem(depth: int = 1, temperature: float = 0.1) -> fp.Problem:
    return network(depth, temperature).problem()


def solve(depths: tuple[int, ...] = (1, 2, 4), temperatures: tuple[float, ...] = (0.05, 0.2)) -> dict[str, fp.Density]:
    """Stationary densities, a temperature and a depth at a time."""
    return {
        f"depth_{depth}_T_{temperature:g}": fp.stationary(problem(depth, temperature))
        for depth in depths
        for temperature in temperatures
    }


def hottest(depth: int, low: float, high: float, of_weight: bool = False, rounds: int = 24) -> tuple[float, float]:
    """(temperature, largest variance) of v, or of a single weight v^(1/n), between two temperatures; golden section."""

    def variance(temperature: float) -> float:
        p = fp.stationary(problem(depth, temperature))
        if not of_weight:
            return float(p.var())
        power = 1.0 / (depth + 1)
        return float(p.expect(lambda v: v ** (2.0 * power)) - p.expect(lambda v: v**power) ** 2)

    golden = (np.sqrt(5.0) - 1.0) / 2.0
    a, b = low, high
    c, d = b - golden * (b - a), a + golden * (b - a)
    at_c, at_d = variance(c), variance(d)
    for _ in range(rounds):
        if at_c > at_d:
            b, d, at_d = d, c, at_c
            c = b - golden * (b - a)
            at_c = variance(c)
        else:
            a, c, at_c = c, d, at_d
            d = a + golden * (b - a)
            at_d = variance(d)
    return 0.5 * (a + b), max(at_c, at_d)


def figure(results: dict[str, fp.Density]) -> Figure:
    """Densities at two temperatures and three depths, with their tails; variance over temperature by depth."""
    drawing = Figure(figsize=(10.0, 4.2), layout="constrained")
    left, right = drawing.subplots(1, 2)
    keys = [name.split("_") for name in results]
    depths = sorted({int(key[1]) for key in keys})
    temperatures = sorted({float(key[3]) for key in keys})
    v = np.geomspace(1e-3, 1e3, 500)
    for depth, colour in zip(depths, COLOURS, strict=False):
        for temperature, style in zip(temperatures, ("-", "--", ":"), strict=False):
            p = results[f"depth_{depth}_T_{temperature:g}"]
            left.plot(v, p(v), style, color=colour, label=f"depth {depth}, $T = {temperature:g}$")
        T = np.linspace(0.01, 0.33 if depth == 1 else 0.6, 60)
        right.plot(T, [network(depth, t).exact_variance for t in T], color=colour, label=f"depth {depth}")
        points = [results[f"depth_{depth}_T_{t:g}"].var() for t in temperatures]
        right.plot(temperatures, points, "o", color=colour)
    left.set(
        xscale="log", yscale="log", ylim=(1e-12, 30.0), xlabel="$v$ (dimensionless)", ylabel="$p(v)$ (per unit of $v$)"
    )
    right.axvline(1.0 / 3.0, color="grey", lw=0.8, ls=":")
    right.text(0.34, 0.01, "$T_c$ of depth 1", color="grey", fontsize="small")
    right.set(
        xlabel="temperature $T$ (learning rate / batch)", ylabel="variance of $v$ (dimensionless)", ylim=(0.0, None)
    )
    for ax in (left, right):
        ax.legend(frameon=False, fontsize="small")
    return drawing
