"""Lévy flights leave (-1, 1) by a jump: mean times and chances in closed form.

    tau = (1 - x^2)^(alpha/2)/Gamma(1 + alpha),    P(at the upper side) = I_((1+x)/2)(alpha/2, alpha/2)

I the regularised incomplete beta function, whose density is that of Beta(alpha/2, alpha/2).  Near the edge both
behave like distance^(alpha/2): a walk of small steps leaves at once from there, a flight may leap back across.
Getoor, Trans. Amer. Math. Soc. 101, 75 (1961); Blumenthal, Getoor & Ray, Trans. Amer. Math. Soc. 99, 540 (1961).
"""

from __future__ import annotations

import math

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp
from fpsolve.plot_line import strokes_by_colour

REACH = {0.7: 16.0, 1.0: 14.0, 1.5: 10.0}  # of the clustered axis: far for small alpha, whose edge is steep
COLOURS = ("#0072B2", "#D55E00", "#009E73")
STEP = 1.0 / 64.0


def mean_time(x, alpha: float):
    return (1.0 - x**2) ** (0.5 * alpha) / math.gamma(1.0 + alpha)


def upper_chance(x, alpha: float):
    """I_((1+x)/2)(alpha/2, alpha/2): u = (1 + tanh y)/2 takes its integrand to sech(y)^alpha, smooth and even."""
    nodes, weights = np.polynomial.legendre.leggauss(12)
    y = np.arctanh(np.asarray(x, dtype=float))
    edges = np.arange(0.0, 40.0 / alpha + STEP, STEP)
    points = edges[:-1, None] + 0.5 * STEP * (1.0 + nodes)
    known = np.append(0.0, np.cumsum(0.5 * STEP * (np.cosh(points) ** -alpha) @ weights))
    cell = np.minimum((np.abs(y) / STEP).astype(int), edges.size - 2)
    rest = np.abs(y) - edges[cell]
    inner = edges[cell][..., None] + 0.5 * rest[..., None] * (1.0 + nodes)
    half = known[cell] + 0.5 * rest * (np.cosh(inner) ** -alpha @ weights)
    return 0.5 + 0.5 * np.sign(y) * half / known[-1]


def problem(alpha: float = 1.0, scale: float = 1.0, cells: int = 801, reach: float | None = None) -> fp.Problem:
    """Free flights on an axis clustered at both ends, which absorb."""
    axis = fp.Axis.tanh(-1, 1, cells, reach=reach or REACH[alpha], ends="absorbing")
    return fp.Problem(fp.Process(0.0, jumps=fp.Stable(alpha, scale)), fp.Grid(x=axis))


def times(alpha: float = 1.0, scale: float = 1.0, cells: int = 801) -> fp.Field:
    return fp.mean_exit_time(problem(alpha, scale, cells))


def chances(alpha: float = 1.0, cells: int = 801, drift: float = 0.0) -> fp.Field:
    pr = problem(alpha, cells=cells)
    return fp.exit_probability(pr.replace(process=pr.process.replace(drift=drift)), through="upper")


def solve(cells: int = 801) -> dict[str, fp.Field]:
    """Times and chances over the start, by alpha."""
    return {
        **{f"time, alpha = {alpha:g}": times(alpha, cells=cells) for alpha in REACH},
        **{f"chance, alpha = {alpha:g}": chances(alpha, cells) for alpha in REACH},
    }


def figure(results: dict[str, fp.Field]) -> Figure:
    """Both beside their closed forms, those of diffusion for comparison; and the times close to the edge."""
    drawing = Figure(figsize=(14.0, 4.4), layout="constrained")
    middle, edge, chance = drawing.subplots(1, 3)
    fine = np.linspace(-1.0, 1.0, 201)
    for alpha, colour in zip(REACH, COLOURS, strict=True):
        tau, h = results[f"time, alpha = {alpha:g}"], results[f"chance, alpha = {alpha:g}"]
        x = tau.grid.nodes[0]
        some = slice(None, None, 8)
        middle.plot(fine, mean_time(fine, alpha), color=colour, lw=1.5, label=rf"$\alpha = {alpha:g}$")
        middle.plot(x[some], tau.values[some], "o", color=colour, ms=3)
        near = 2.0 / (1.0 + np.exp(2.0 * tau.grid["x"].s_nodes))  # 1 - x, without cancellation
        right = x > 0.0
        edge.loglog(near[right][some], tau.values[right][some], "o", color=colour, ms=3)
        law = (near * (2.0 - near)) ** (0.5 * alpha) / math.gamma(1.0 + alpha)
        edge.loglog(near[right], law[right], color=colour, lw=1.2)
        inner = fine[1:-1]
        chance.plot(inner, upper_chance(inner, alpha), color=colour, lw=1.5)
        chance.plot(x[some], h.values[some], "o", color=colour, ms=3)
    middle.plot(fine, 0.5 * (1.0 - fine**2), ":", color="0.4", label="diffusion")
    chance.plot(fine, 0.5 * (1.0 + fine), ":", color="0.4")
    middle.set(xlabel="start $x$ (half widths)", ylabel=r"mean exit time (1/scale$^\alpha$)", ylim=(0, None))
    middle.legend(frameon=False)
    edge.set(xlabel="distance from the edge, $1 - x$ (half widths)", ylabel=r"mean exit time (1/scale$^\alpha$)")
    chance.set(xlabel="start $x$ (half widths)", ylabel="chance to leave above (of 1)")
    strokes_by_colour(middle, edge, chance)
    return drawing
