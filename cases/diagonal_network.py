"""A diagonal linear network under SGD: the stationary law of v = sum of products of n = depth + 1 balanced weights.

    dv = A dt + sqrt(2 D) dW,  D = 2 T n^2 d^(4/n-2) v^(4-4/n) C(v),  C = alpha1 v^2 - 2 alpha2 v + alpha3

Moments alpha = (2, 2, 3), beta = (1, 1): x normal, y = x + unit noise.  At depth 1 the density exists below T_c = 1/3;
v = 0 is never crossed, so the two branches are separate laws.  Ziyin, Li & Ueda, arXiv 2308.06671.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp
from fpsolve.plot_band import draw_in_bins

MOMENTS = (2.0, 2.0, 3.0, 1.0, 1.0)
COLD, FRESH, BINS = 0.02, 100_000, 40  # a temperature; samples, hardly seen twice, and replicas; bins of v


def network(
    depth: int = 1, temperature: float = 0.1, width: int = 1, weight_decay: float = 0.0
) -> fp.models.DiagonalNetwork:
    return fp.models.DiagonalNetwork.from_moments(fp.Moments(*MOMENTS), temperature, depth, width, weight_decay)


def problem(
    depth: int = 1,
    temperature: float = 0.1,
    width: int = 1,
    weight_decay: float = 0.0,
    branch: str | None = None,
    cells: int | None = None,
) -> fp.Problem:
    """branch: "positive", "negative", "both" (the chain falls into two), or None, the side of the minimum."""
    return network(depth, temperature, width, weight_decay).problem(branch, cells)


def solve(
    depth: int = 1,
    temperature: float = 0.1,
    width: int = 1,
    weight_decay: float = 0.0,
    branch: str | None = None,
) -> dict[str, fp.Density | fp.ExactDensity]:
    """The stationary density of one branch beside its closed form; with branch="both", every branch that has one."""
    net = network(depth, temperature, width, weight_decay)
    if branch == "both":
        parts = fp.components(net.problem(branch), skip=True)
        return {"positive" if p.mean() > 0 else "negative": p for p in parts}
    return {"stationary": fp.stationary(net.problem(branch)), "closed_form": net.exact_density(branch)}


def trained(temperature: float = COLD, depth: int = 1) -> tuple[fp.models.DiagonalNetwork, fp.Swarm]:
    """Real SGD with batch 1 of the network on samples of x and y, six relaxation times long."""
    x, e = np.random.Generator(np.random.Philox(1)).standard_normal((2, FRESH))
    net = fp.models.DiagonalNetwork(fp.Regression(x, x + e), depth, learning_rate=temperature)
    return net, net.sgd(int(6.0 * net.relaxation_time / temperature), FRESH, seed=1)


def figure(results: dict[str, fp.Density | fp.ExactDensity]) -> Figure:
    """Left: the density over its closed form, over ten decades and more.  Right: real SGD of small steps beside both.

    The boxes hold the probabilities of all bins at once, in 95 of 100 runs: what leaves them is no chance.  There, in
    the tails, single steps are too large for a diffusion.
    """
    drawing = Figure(figsize=(9.6, 4.2), layout="constrained")
    wide, near = drawing.subplots(1, 2)
    for name, value in results.items():
        value.plot(wide, label=name.replace("_", " "))
    net, run = trained()
    p, law = fp.stationary(net.problem()), net.exact_density()
    edges = np.geomspace(*p.quantile(np.array([1e-1, FRESH - 1e-1]) / FRESH), BINS + 1)
    draw_in_bins(near, run.positions[-1, :, 0], edges, label=f"real SGD, {FRESH} replicas, 95 % band")
    v = np.geomspace(edges[0], edges[-1], 400)
    near.plot(v, p(v), color="#0072B2", lw=2.0, label="Fokker-Planck")
    near.plot(v, law(v), color="black", lw=1.0, ls=(0, (4, 4)), label="closed form")
    near.set(xscale="log", yscale="log", ylim=(1e-7, 1e4), ylabel="$p(v)$ (per unit of $v$)")
    near.set_xticks([0.2, 0.5, 1.0, 2.0, 4.0], ["0.2", "0.5", "1", "2", "4"])
    near.set_xticks([], minor=True)
    for ax in (wide, near):
        ax.set_xlabel("$v$ (dimensionless)")
        ax.legend(frameon=False)
    near.set_title(f"$T = {COLD:g}$", loc="left", fontsize="medium")
    return drawing
