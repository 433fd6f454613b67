"""Gradient descent at the edge of stability, and the central flow that it follows on average.

    loss (u w - 1)^2, whose minima u w = 1 have the sharpness 2 (u^2 + w^2): descent bears 2/eta of it

Started a little beyond the edge, descent oscillates across the valley and ends a little below; the flow ends on the
edge.  Far beyond, descent leaps to much flatter minima, which no flow along the edge tells.
Cohen, Damian, Talwalkar, Kolter & Lee, arXiv 2410.24206.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp

COLOURS = ("#0072B2", "#D55E00", "#009E73")


def flow(learning_rate: float = 0.3) -> fp.models.CentralFlow:
    return fp.models.CentralFlow(lambda u, w: (2 * (u * w - 1) * w, 2 * (u * w - 1) * u), learning_rate, ("u", "w"))


def start(excess: float, learning_rate: float = 0.3) -> tuple[float, float]:
    """Beside the minimum whose sharpness is 1 + excess times the edge."""
    total = (1.0 + excess) / learning_rate  # u^2 + w^2
    u = float(np.sqrt((total + np.sqrt(total**2 - 4.0)) / 2.0))
    return u + 0.01, 1.0 / u


def solve(excess: float = 0.05, learning_rate: float = 0.3, steps: int = 1500) -> dict[str, fp.Swarm]:
    """Gradient descent and the central flow from one start."""
    found, begin = flow(learning_rate), start(excess, learning_rate)
    until = np.linspace(0.0, 100.0 * learning_rate, 51)
    return {"descent": found.descent(begin, steps), "central flow": found.path(begin, until)}


def last_sharpness(swarm: fp.Swarm, learning_rate: float = 0.3) -> float:
    """Where it ends, over the edge."""
    found = flow(learning_rate)
    return float(found.sharpness(*swarm.positions[-1, 0])) / found.edge


def figure(results: dict[str, fp.Swarm]) -> Figure:
    """Sharpness over time, of descent and of the flow; and both in the plane of the two weights."""
    found = flow()
    drawing = Figure(figsize=(9.0, 4.0), layout="constrained")
    left, right = drawing.subplots(1, 2)
    for (name, swarm), colour, style in zip(results.items(), COLOURS, ("o", "-"), strict=False):
        u, w = swarm.positions[:, 0].T
        near = swarm.times <= 100.0 * found.learning_rate
        left.plot(swarm.times[near], found.sharpness(u, w)[near], style, ms=3, color=colour, label=name)
        right.plot(u[near], w[near], style, ms=3, color=colour, label=name)
    left.axhline(found.edge, color="black", lw=0.8, ls="--", label="edge, $2/\\eta$")
    left.set(xlabel="time $t$ (steps × learning rate)", ylabel="sharpness $\\lambda_{\\max}$ (1/learning rate)")
    u = np.linspace(*right.get_xlim(), 100)
    right.plot(u, 1.0 / u, color="grey", lw=0.8, label="minima, $u\\,w = 1$")
    right.set(xlabel="weight $u$ (dimensionless)", ylabel="weight $w$ (dimensionless)")
    left.legend(frameon=False, fontsize="small")
    right.legend(frameon=False, fontsize="small", loc="center", bbox_to_anchor=(0.45, 0.3))  # inside the loop
    return drawing
