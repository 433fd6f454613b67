"""Two layers of one weight each under SGD: the imbalance z = u^2 - w^2 dies out, while v = u w goes to its own law.

    dv = [-2 (beta1 v - beta2) s + 4 T v C] dt + 2 sqrt(T C) s dW,   dz = -4 T C(v) z dt,   s = sqrt(z^2 + 4 v^2)

z has no noise of its own: in (zeta, q) = (asinh(2 v/|z|), ln|z|) the density is carried along q and spread along zeta.
The equation is solved as it stands (second-order transport), and beside it particles of the same process.
Ziyin, Li & Ueda, arXiv 2308.06671.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp
from fpsolve.plot_band import in_bins
from fpsolve.plot_line import strokes_by_colour

SLOW_FIGURE = True  # left out of quick reports
MOMENTS = fp.Moments(1.0, 0.5, 1.0, 1.0, 1.0)
MEAN, DEVIATION = (1.6, 0.3), 0.05  # of the weights (u, w) at the start


def pair(temperature: float = 0.3) -> fp.models.RescalingPair:
    return fp.models.RescalingPair.from_moments(MOMENTS, temperature)


def problem(
    temperature: float = 0.3, dzeta: float = 0.06, dq: float = 0.02, q_min: float = -12.0, positive: bool = False
) -> fp.Problem:
    """The pair on a grid of these cells, second order unless `positive`."""
    model = pair(temperature)
    scheme = fp.Positive() if positive else fp.Accurate()
    return model.problem(model.grid(dzeta=dzeta, dq=dq, q_min=q_min), scheme)


def evolution(
    temperature: float = 0.3,
    times: tuple[float, ...] = (0.5, 4.0),
    dzeta: float = 0.06,
    dq: float = 0.02,
    q_min: float = -12.0,
    positive: bool = False,
) -> fp.Evolution:
    """The densities at `times`, in steps of dq; backward Euler, which keeps every sign, with `positive`."""
    method = fp.BackwardEuler(dt=dq) if positive else fp.SDIRK2(dt=dq)
    pr = problem(temperature, dzeta, dq, q_min, positive)
    return fp.evolve(pr, pair(temperature).initial(MEAN, DEVIATION), times, method=method)


def solve(
    temperature: float = 0.3, times: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0), replicas: int = 40_000, seed: int = 1
) -> dict[str, fp.Evolution | fp.Swarm]:
    """The densities at `times`, and particles in their own clocks."""
    model = pair(temperature)
    particles = model.simulate(model.initial(MEAN, DEVIATION), times, n=replicas, seed=seed)
    return {"densities": evolution(temperature, times), "particles": particles}


def numbers(p: fp.Density, temperature: float = 0.3) -> dict[str, float]:
    """E[z], the median of z, and P(v < 1)."""
    model = pair(temperature)
    return {
        "E[z]": p.expect(model.z),
        "median z": float(np.exp(p.marginal("q").quantile(0.5))),
        "P(v < 1)": p.probability(lambda zeta, q: 1.0 - model.v(zeta, q)),
    }


def seen(particles: fp.Swarm, t: float, temperature: float = 0.3) -> dict[str, tuple[float, float]]:
    """The same numbers of the particles, each with its standard error."""
    model, (zeta, q) = pair(temperature), particles.at(t).T
    z, below, n = np.exp(q), model.v(zeta, q) < 1.0, len(q)
    median = float(np.median(z))
    spread = 0.5 / np.sqrt(n)  # of the probability at the median
    low, high = np.quantile(z, [0.5 - spread, 0.5 + spread])
    share = float(below.mean())
    return {
        "E[z]": (float(z.mean()), float(z.std() / np.sqrt(n))),
        "median z": (median, float(0.5 * (high - low))),
        "P(v < 1)": (share, float(np.sqrt(share * (1.0 - share) / n))),
    }


def table(results: dict[str, fp.Evolution | fp.Swarm]) -> str:
    """Per time: E[z], median of z and P(v < 1), of the density and of the particles."""
    path, particles = results["densities"], results["particles"]
    lines = [f"{'t':>5} {'':10} {'density':>12} {'particles':>12} {'standard error':>15}"]
    for p in path:
        counted = seen(particles, p.time)
        for name, value in numbers(p).items():
            lines.append(f"{p.time:5g} {name:10} {value:12.6g} {counted[name][0]:12.6g} {counted[name][1]:15.2g}")
    return "\n".join(lines)


def figure(results: dict[str, fp.Evolution | fp.Swarm]) -> Figure:
    """Left: the law of the imbalance z at each time; right: its mean, and the law of balance it approaches.

    Boxes hold the probabilities of all bins of a time at once, in 95 of 100 runs.
    """
    path, particles = results["densities"], results["particles"]
    colours = ["#0072B2", "#009E73", "#E69F00", "#D55E00", "#CC79A7", "#56B4E9"]
    drawing = Figure(figsize=(9.6, 4.2), layout="constrained")
    left, right = drawing.subplots(1, 2)
    for i, p in enumerate(path):
        colour = colours[i % len(colours)]
        q, marginal = p.grid.nodes[1][1:], p.marginal("q").values[1:]  # the first row holds all that fell below
        left.plot(np.exp(q), marginal, color=colour, lw=1.8, label=f"t = {p.time:g}")
        fallen = particles.at(p.time)[:, 1]
        edges = np.arange(q[0], fallen.max() + 0.15, 0.15)
        low, high = (bound / np.diff(edges) for bound in in_bins(np.histogram(fallen, edges)[0], fallen.size))
        left.stairs(high, np.exp(edges), baseline=low, color=colour, alpha=0.3, fill=True)
    left.set(
        xscale="log", yscale="log", xlabel="$z = u^2 - w^2$ (dimensionless)", ylabel="density of $\\ln z$ (per nat)"
    )
    left.set(ylim=(1e-4, 20.0), xlim=(np.exp(path[-1].grid["q"].lo), 4.0))
    left.set_title("lines: Fokker-Planck; boxes: particles, 95 % band", loc="left", fontsize="medium")
    left.legend(frameon=False)
    model = pair()
    for name, colour, marker in (("E[z]", colours[0], "o"), ("median z", colours[3], "s")):
        right.plot(path.times, [numbers(p)[name] for p in path], color=colour, lw=1.8, label=f"{name}, Fokker-Planck")
        counted = np.array([seen(particles, t)[name] for t in path.times])
        right.errorbar(path.times, counted[:, 0], 2 * counted[:, 1], fmt=marker, color=colour, mfc="none", ms=6)
    late = numbers(path[-1])["median z"] * np.exp(model.rate_of_ln_z * (path.times - path.times[-1]))
    right.plot(path.times, late, "--", color="0.5", label=f"law of balance, $e^{{{model.rate_of_ln_z:.4g}\\,t}}$")
    right.set_title("symbols: particles, 2 sigma", loc="left", fontsize="medium")
    right.set(yscale="log", xlabel="time $t$ (steps × learning rate)", ylabel="imbalance $z$ (dimensionless)")
    right.legend(frameon=False)
    strokes_by_colour(left, right)
    return drawing
