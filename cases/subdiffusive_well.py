"""A harmonic well whose particles wait: subdiffusion, by a clock that stands still for times without a mean.

    dX = (-k X + f cos(w t)) dE + sqrt(2 D) dW_E,     E the inverse of a stable subordinator of index beta (`memory`)

Without the force, with E_beta Mittag-Leffler's function:

    <x> = x0 E_beta(-k t^beta),    <x^2> = D/k + (x0^2 + s0^2 - D/k) E_beta(-2 k t^beta);

free (k = 0) and driven, since the force acts while clocks run only, by s^(beta-1)/Gamma(beta) of the time,

    <x> = x0 + f int_0^t cos(w s) s^(beta-1)/Gamma(beta) ds.

Paths that leave (-1, 1) do so in a time without a mean: S(t) -> tau t^-beta/Gamma(1-beta), tau the mean exit time of
the same process without waiting.  Where particles began a cusp of those that never moved stays, for all times.
Metzler & Klafter, Phys. Rep. 339, 1 (2000); Magdziarz, Weron & Klafter, Phys. Rev. Lett. 101, 210601 (2008).
"""

from __future__ import annotations

import math

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp
from fpsolve.plot_line import strokes_by_colour

X0, S0 = 2.0, 0.1  # mean and deviation of the start
COLOURS = ("#0072B2", "#D55E00", "#009E73")
STEP = 0.05  # in ln r, of the quadrature


def mittag_leffler(x, beta: float = 0.7):
    """E_beta(-x), 0 < beta < 1, x >= 0: a mixture of exponentials, by the trapezoidal rule in ln r.

    E_beta(-x) = sin(pi beta)/pi int_0^inf exp(-r x^(1/beta)) r^(beta-1)/(r^(2 beta) + 2 r^beta cos(pi beta) + 1) dr
    """
    s = np.arange(-40.0 / beta, 40.0 / beta, STEP)
    y = np.exp(beta * s)
    weights = STEP * math.sin(math.pi * beta) / math.pi * y / (y * y + 2.0 * y * math.cos(math.pi * beta) + 1.0)
    return np.exp(-np.multiply.outer(np.asarray(x) ** (1.0 / beta), np.exp(s))) @ weights


def mean(t, memory: float = 0.7, k: float = 1.0):
    return X0 * mittag_leffler(k * np.asarray(t) ** memory, memory)


def second_moment(t, memory: float = 0.7, k: float = 1.0, D: float = 0.5):
    return D / k + (X0**2 + S0**2 - D / k) * mittag_leffler(2.0 * k * np.asarray(t) ** memory, memory)


def driven_mean(t: float, memory: float = 0.7, force: float = 2.0, frequency: float = 3.0) -> float:
    """<x> of free particles from 0, the integral in u = s^memory by Gauss-Legendre panels."""
    nodes, weights = np.polynomial.legendre.leggauss(20)
    edges = np.linspace(0.0, t**memory, 41)
    half = 0.5 * np.diff(edges)[:, None]
    u = 0.5 * (edges[1:] + edges[:-1])[:, None] + half * nodes
    return float(force * np.sum(half * weights * np.cos(frequency * u ** (1.0 / memory))) / math.gamma(1.0 + memory))


def problem(memory: float = 0.7, k: float = 1.0, D: float = 0.5, cells: int = 900) -> fp.Problem:
    return fp.Problem(fp.Process(lambda x: -k * x, D, memory=memory), fp.Grid(x=(-6, 6, cells)))


def driven(
    memory: float = 0.7, force: float = 2.0, frequency: float = 3.0, D: float = 0.5, cells: int = 400
) -> fp.Problem:
    """Free particles under a force that depends on physical time."""
    push = fp.Process(lambda x, t: force * np.cos(frequency * t) + 0.0 * x, D, memory=memory)
    return fp.Problem(push, fp.Grid(x=(-12, 12, cells)))


def free(memory: float = 0.7, cells: int = 801) -> fp.Evolution:
    """No force, D = 1: from a point to t = 1."""
    walk = fp.Problem(fp.Process(0.0, 1.0, memory=memory), fp.Grid(x=(-25, 25, cells)))
    return fp.evolve(walk, fp.Point(0.0), [1.0])


def relaxation(memory: float = 0.7, k: float = 1.0, D: float = 0.5, cells: int = 900, times: int = 30) -> fp.Evolution:
    """From a narrow Gaussian, over five decades of time."""
    return fp.evolve(problem(memory, k, D, cells), fp.Gaussian(X0, S0), decades(times).nodes)


def exits(memory: float = 0.7, D: float = 0.5, cells: int = 401, times: int = 70) -> fp.Survival:
    """Free paths that begin at 0, until they leave (-1, 1)."""
    walk = fp.Problem(fp.Process(0.0, D, memory=memory), fp.Grid(x=(-2, 2, cells)))
    return fp.survival(walk, fp.Point(0.0), decades(times, 1e5).nodes, inside=(-1, 1))


def decades(times: int, last: float = 1e3) -> fp.Axis:
    """An axis whose nodes are times."""
    return fp.Axis.log(1e-2, last, times)


def solve(
    memory: float = 0.7, k: float = 1.0, D: float = 0.5, cells: int = 900
) -> dict[str, fp.Evolution | fp.Survival | fp.Field]:
    """The relaxation with memory and without, survival in an interval, and what moments and tail must be."""
    path, S = relaxation(memory, k, D, cells), exits(memory, D)
    time, late = fp.Grid(time=decades(30)), fp.Grid(time=decades(70, 1e5))
    tail = S.times**-memory / (2.0 * D * math.gamma(1.0 - memory))
    return {
        "waiting": path,
        "not waiting": relaxation(1.0, k, D, cells),
        "mean": fp.Field(time, mean(path.times, memory, k), "mean"),
        "second moment": fp.Field(time, second_moment(path.times, memory, k, D), "second moment"),
        "exits": S,
        "exits at once": exits(1.0, D),
        "tail": fp.Field(late, tail, "tail"),
    }


def figure(results: dict[str, fp.Evolution | fp.Survival | fp.Field]) -> Figure:
    """Moments over time beside Mittag-Leffler functions, densities with their cusp, and the tail of survival."""
    drawing = Figure(figsize=(14.0, 4.4), layout="constrained")
    moments, densities, tail = drawing.subplots(1, 3)
    path, plain = results["waiting"], results["not waiting"]
    for name, of, values, colour in (
        ("mean", r"\langle x\rangle", path.mean(), COLOURS[0]),
        ("second moment", r"\langle x^2\rangle", path.expect(lambda x: x * x), COLOURS[1]),
    ):
        moments.semilogx(path.times, values, "o", color=colour, ms=4, label=f"${of}$")
        moments.semilogx(path.times, results[name].values, color=colour, lw=1.5, label=f"${of}$, Mittag-Leffler")
    moments.semilogx(plain.times, plain.mean(), ":", color="0.4", label=r"$\langle x\rangle$ without waiting")
    moments.set(xlabel="time $t$ (dimensionless)", ylabel="moment (dimensionless)")
    for n, colour in zip((9, 14, 19), COLOURS, strict=True):
        p = path[n]
        densities.semilogy(p.grid.nodes[0], p.values, color=colour, lw=1.5, label=f"$t = {p.time:.2g}$")
    densities.semilogy(plain.grid.nodes[0], plain[-1].values, ":", color="0.4", label="at rest")
    densities.set(xlabel="$x$ (dimensionless)", ylabel="density (per unit of $x$)", xlim=(-3.5, 4), ylim=(1e-4, 4))
    S, at_once, law = results["exits"], results["exits at once"], results["tail"].values
    tail.loglog(S.times, S.probability, "o", color=COLOURS[0], ms=3, label="waiting")
    late = law < 1.0
    tail.loglog(S.times[late], law[late], color=COLOURS[1], label=r"$\tau\, t^{-\beta}/\Gamma(1-\beta)$")
    seen = at_once.probability > 1e-8
    tail.loglog(at_once.times[seen], at_once.probability[seen], ":", color="0.4", label="without waiting")
    tail.set(xlabel="time $t$ (dimensionless)", ylabel="share still in $(-1, 1)$ (of 1)", ylim=(1e-4, 1.5))
    for ax in (moments, densities, tail):
        ax.legend(frameon=False, fontsize="small")
    strokes_by_colour(densities)
    return drawing
