"""A quartic well under Lévy flights: dX = -X^3 dt + dL, and wells |x|^c/c beside it.

With Cauchy jumps the density has two peaks and a closed form,

    p = 1/(pi (1 - x^2 + x^4)),    4/(3 pi) at its maxima x = +-1/sqrt(2),    tail |x|^-4/pi;

in general p ~ C_alpha/alpha |x|^-(alpha + c - 1), as jumps bring what the drift takes back, so that c > 4 - alpha is
needed for a variance.  Ends that suppress the jumps beyond them lose the tail.
Chechkin, Klafter, Gonchar, Metzler & Tanatarov, Phys. Rev. E 67, 010102 (2003).
"""

from __future__ import annotations

import math

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp
from fpsolve.plot_line import strokes_by_colour

COLOURS = ("#0072B2", "#D55E00", "#009E73")
MEASURED = (10.0, 1e3)  # where tails are measured


def cauchy(x):
    """The closed form at alpha = 1."""
    return 1.0 / (np.pi * (1.0 - x**2 + x**4))


def amplitude(alpha: float) -> float:
    """C_alpha/alpha."""
    return math.gamma(alpha) * math.sin(0.5 * math.pi * alpha) / math.pi


def problem(
    alpha: float = 1.0, power: float = 4.0, ends: str = "open", cells: int = 1601, reach: float = 1e4
) -> fp.Problem:
    """The well |x|^power/power."""
    axis = fp.Axis.sinh(-reach, reach, cells, scale=0.5, ends=ends)
    process = fp.Process(lambda x: -np.sign(x) * np.abs(x) ** (power - 1.0), jumps=fp.Stable(alpha))
    return fp.Problem(process, fp.Grid(x=axis), fp.Accurate())


def density(alpha: float = 1.0, power: float = 4.0, ends: str = "open", cells: int = 1601) -> fp.Density:
    return fp.stationary(problem(alpha, power, ends, cells))


def solve(cells: int = 1601) -> dict[str, fp.Density]:
    """The quartic well for three alphas, the closed form of one of them, and what suppressed jumps make of it."""
    return {
        **{f"alpha = {alpha:g}": density(alpha, cells=cells) for alpha in (0.7, 1.0, 1.5)},
        "suppressed": density(ends="reflecting", cells=cells),
    }


def figure(results: dict[str, fp.Density]) -> Figure:
    """Two peaks without a barrier; tails; and how far suppressed jumps are off, at every domain size alike."""
    drawing = Figure(figsize=(14.0, 4.4), layout="constrained")
    peaks, tails, off = drawing.subplots(1, 3)
    for alpha, colour in zip((0.7, 1.0, 1.5), COLOURS, strict=True):
        p = results[f"alpha = {alpha:g}"]
        x = p.grid.nodes[0]
        near, far = np.abs(x) < 2.5, x > 0.1
        peaks.plot(x[near], p.values[near], color=colour, lw=1.8, label=rf"$\alpha = {alpha:g}$")
        tails.loglog(x[far], p.values[far], color=colour, lw=1.8)
        out = x > 2.0
        tails.loglog(x[out], amplitude(alpha) * x[out] ** -(alpha + 3.0), ":", color="0.3", lw=1.0)
    peaks.plot(x[near], cauchy(x[near]), ":", color="0.2", lw=1.5, label="closed form")
    peaks.set(xlabel="$x$ (dimensionless)", ylabel="density (per unit of $x$)", ylim=(0, None))
    peaks.legend(frameon=False)
    tails.set(xlabel="$x$ (dimensionless)", ylabel="density (per unit of $x$)")
    tails.set_title(r"dotted: $(C_\alpha/\alpha)\, x^{-(\alpha+3)}$", loc="left", fontsize="medium")
    for name, label, colour in (
        ("alpha = 1", "tail carried on", COLOURS[1]),
        ("suppressed", "jumps beyond the end suppressed", "0.4"),
    ):
        p = results[name]
        x = p.grid.nodes[0]
        off.loglog(x[x > 1], np.abs(p.values / cauchy(x) - 1.0)[x > 1], color=colour, label=label)
    off.set(xlabel="$x$ (dimensionless)", ylabel=r"relative error, $\alpha = 1$ (of 1)", ylim=(1e-9, 2))
    off.legend(frameon=False)
    strokes_by_colour(peaks, tails)
    return drawing
