"""Which start survives: SGD that diverges from Kaiming's weights and from Xavier's, with a warm-up or without.

Two linear layers of 24 neurons between three inputs and three outputs, y = x + e, batch 1.  Kaiming's weights, drawn
for the number of inputs of each layer alone, make f large and the loss sharp; Xavier's see both sides of a layer.  A
step is stable where its learning rate is below about 2/sharpness of its own sample: a warm-up waits until SGD has
flattened the loss (case progressive_sharpening), and saves most of what a sharp start would lose.
Ziyin, Wang, Li & Wu, arXiv 2402.07193.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp
from fpsolve.plot_band import in_bins

WIDTH, NEURONS, NOISE = 3, 24, 0.5  # of inputs and outputs; hidden; the variance of a label's noise
RATES = (0.01, 0.02, 0.03, 0.04, 0.05, 0.06)
STEPS, RAMP = 800, 200  # of a run, and of its warm-up
STARTS = {("kaiming", 0): ("#0072B2", "o-"), ("kaiming", RAMP): ("#0072B2", "o--"),
          ("xavier", 0): ("#D55E00", "s-"), ("xavier", RAMP): ("#D55E00", "s--")}  # fmt: skip


def network(learning_rate: float = 0.02) -> fp.models.DenseNetwork:
    data = fp.models.GaussianSamples(np.eye(WIDTH), 1.0, NOISE)
    return fp.models.DenseNetwork(data, (NEURONS,), learning_rate=learning_rate)


def trained(start: str, ramp: int, learning_rate: float, replicas: int = 500) -> fp.Swarm:
    """SGD whose learning rate grows linearly over the first `ramp` steps; the weights at the end."""

    def rate(step: int) -> float:
        return learning_rate * min(1.0, (step + 1) / max(ramp, 1))

    how = dict(seed=1, start=start, learning_rate=rate, max_diverged=1.0, observe="norms")
    return network(learning_rate).sgd(STEPS, replicas, **how)


def lost(run: fp.Swarm) -> float:
    """The share of replicas that have diverged."""
    return float(run.diverged.mean())


def solve(rates: tuple[float, ...] = RATES, replicas: int = 500) -> dict[str, fp.Swarm]:
    """SGD from each of STARTS at each learning rate."""
    return {label(*start, rate): trained(*start, rate, replicas) for start in STARTS for rate in rates}


def label(start: str, ramp: int, rate: float | None = None) -> str:
    name = start.capitalize() + (", warm-up" if ramp else "")
    return name if rate is None else f"{name}, {rate:g}"


def figure(results: dict[str, fp.Swarm]) -> Figure:
    """The share of replicas that diverge, over the learning rate, by start.

    The bars of a curve hold all of its true shares at once, in 95 of 100 runs; its points are drawn beside one another.
    """
    drawing = Figure(figsize=(6.8, 4.4), layout="constrained")
    ax = drawing.subplots()
    for k, (start, (colour, style)) in enumerate(STARTS.items()):
        runs = {float(name.rpartition(", ")[2]): run for name, run in results.items()
                if name.rpartition(", ")[0] == label(*start)}  # fmt: skip
        counts, n = np.array([run.diverged.sum() for run in runs.values()]), len(next(iter(runs.values())))
        low, high = in_bins(counts, n)
        at, share = np.array(list(runs)) + 2e-4 * (k - 1.5), counts / n  # beside one another
        ax.errorbar(at, share, [share - low, high - share], fmt=style, color=colour, ms=5, lw=1.4, label=label(*start))
    ax.set(xlabel="learning rate (dimensionless)", ylabel=f"share lost within {STEPS} steps (of 1)", ylim=(-0.02, 1.02))
    ax.legend(frameon=False, loc="upper left")
    return drawing
