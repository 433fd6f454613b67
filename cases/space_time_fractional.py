"""Lévy flights that wait: jumps without a variance on a clock without a mean, in a harmonic well.

    dX = -X dE + dL_E,    E the inverse of a stable subordinator of index beta (`memory`),

the law is that of the flight at the random time E(t) = (t/S)^beta:

    <cos qX> = <exp(-(s0 q e^-E)^2/2 - |q|^alpha (1 - e^(-alpha E))/alpha)>

from N(0, s0^2).  S = (a(U)/W)^((1-beta)/beta), U uniform and W exponential (Kanter), makes the average an integral over
a rectangle, which owes nothing to the solver.  Memory changes the way, not the rest: the same stable law in the end.
Magdziarz & Weron, Phys. Rev. E 75, 056702 (2007); Kanter, Ann. Probab. 3, 697 (1975).
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp
from fpsolve.plot_line import strokes_by_colour

SLOW_FIGURE = True  # left out of quick reports
COLOURS = ("#0072B2", "#009E73", "#D55E00")
S0, Q_STEP = 0.3, 0.05


def clocks(t: float, memory: float = 0.7, step: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Operational times E(t) and the weights of an average over them.

    W = exp(y), and U = pi - u by tanh-sinh quadrature, which does not mind what is infinite at u = 0: both trapezoidal.
    """
    r = np.arange(-3.0, 4.5, step)
    u = np.pi / (1.0 + np.exp(np.pi * np.sinh(r)))
    on_u = step * np.cosh(r) * u * (np.pi - u) / np.pi
    y = np.arange(-60.0, 5.0, step)
    on_w = step * np.exp(y - np.exp(y))
    ratio, turned = memory / (1.0 - memory), np.pi - u
    a = (
        np.sin(memory * turned) ** ratio
        * np.sin((1.0 - memory) * turned)
        / np.sin(np.minimum(u, turned)) ** (1 + ratio)
    )
    e = t**memory * np.exp((1.0 - memory) * (y[:, None] - np.log(a)))
    return e.ravel(), np.multiply.outer(on_w, on_u).ravel()


def density(x, t: float, memory: float = 0.7, alpha: float = 1.5):
    """p(x, t) by subordination, the integral over q = exp(s) by the trapezoidal rule: for |x| of a few."""
    e, weights = clocks(t, memory)
    q = np.exp(np.arange(-24.0, 5.5, Q_STEP))
    quiet, loud = 0.5 * (S0 * np.exp(-e)) ** 2, -np.expm1(-alpha * e) / alpha
    waves = np.array([weights @ np.exp(-(one**2) * quiet - one**alpha * loud) for one in q])
    return Q_STEP / np.pi * np.cos(np.multiply.outer(np.asarray(x, dtype=float), q)) @ (q * waves)


def problem(memory: float = 0.7, alpha: float = 1.5, cells: int = 801, scheme: fp.Scheme | None = None) -> fp.Problem:
    axis = fp.Axis.sinh(-1e3, 1e3, cells, scale=0.3)
    process = fp.Process(lambda x: -x, jumps=fp.Stable(alpha), memory=memory)
    return fp.Problem(process, fp.Grid(x=axis), scheme or fp.Positive())


def path(
    memory: float = 0.7,
    alpha: float = 1.5,
    cells: int = 801,
    times: tuple[float, ...] = (1.0,),
    scheme: fp.Scheme | None = None,
) -> fp.Evolution:
    """From N(0, s0^2)."""
    return fp.evolve(problem(memory, alpha, cells, scheme), fp.Gaussian(0.0, S0), times)


def solve(memory: float = 0.7, alpha: float = 1.5, cells: int = 801) -> dict[str, fp.Evolution | fp.Density | fp.Field]:
    """The way to rest with memory and without, where it ends, and p(0, t) by subordination."""
    times = tuple(np.geomspace(0.01, 1e3, 11))
    axis = fp.Axis.log(times[0], times[-1], 16)
    return {
        "waiting": path(memory, alpha, cells, times),
        "not waiting": path(1.0, alpha, cells, times),
        "at rest": fp.stationary(problem(1.0, alpha, cells)),
        "by subordination": fp.Field(
            fp.Grid(time=axis), np.array([density(0.0, t, memory, alpha) for t in axis.nodes]), "p(0, t)"
        ),
    }


def figure(results: dict[str, fp.Evolution | fp.Density | fp.Field]) -> Figure:
    """The peak's way to rest, densities with their cusp, and tails."""
    drawing = Figure(figsize=(14.0, 4.4), layout="constrained")
    peak, middle, tails = drawing.subplots(1, 3)
    waiting, plain, rest = results["waiting"], results["not waiting"], results["at rest"]
    law = results["by subordination"]
    centre = waiting.grid.size // 2
    peak.loglog(law.grid.nodes[0], law.values, color=COLOURS[0], lw=1.5, label="subordination")
    peak.loglog(waiting.times, [p.values[centre] for p in waiting], "o", color=COLOURS[0], ms=4, label="waiting")
    peak.loglog(plain.times, [p.values[centre] for p in plain], ":", color="0.3", label="not waiting")
    peak.axhline(rest.values[centre], color="0.6", lw=1, ls="--")
    peak.set(xlabel="time $t$ (dimensionless)", ylabel="$p(0, t)$ (per unit of $x$)")
    peak.legend(frameon=False)
    for n, colour in zip((1, 4, 6), COLOURS, strict=True):
        p = waiting[n]
        x = p.grid.nodes[0]
        near, out = np.abs(x) < 3.0, x > 0.05
        middle.semilogy(x[near], p.values[near], color=colour, lw=1.6, label=f"$t = {p.time:.2g}$")
        tails.loglog(x[out], p.values[out], color=colour, lw=1.6)
    x = rest.grid.nodes[0]
    near, out = np.abs(x) < 3.0, x > 0.05
    middle.semilogy(x[near], rest.values[near], ":", color="0.2", label="at rest")
    tails.loglog(x[out], rest.values[out], ":", color="0.2")
    middle.set(xlabel="$x$ (dimensionless)", ylabel="density (per unit of $x$)", ylim=(1e-3, 20))
    middle.legend(frameon=False)
    tails.set(xlabel="$x$ (dimensionless)", ylabel="density (per unit of $x$)", ylim=(1e-12, 20))
    strokes_by_colour(middle, tails)
    return drawing
