"""A diagonal network whose gradient noise has heavy tails: stable jumps instead of a Gaussian.

One layer, v on the whole line: the flow is -2 (beta1 v - beta2), and the noise of a minibatch is as large as the
deviation of the sample gradients, 2 sqrt(C(v)), C = alpha1 v^2 - 2 alpha2 v + alpha3:

    dv = -2 (beta1 v - beta2) dt + size sqrt(C(v)) dL.

Noise that grows with v makes tails of its own: with a Gaussian, dv = .. dt + sqrt(2 D) dW and D = size^2 C, p ~ v^-q,
q = 2 + 2 beta1/(size^2 alpha1); with jumps of index alpha, for which far out v^-q must be a stationary density of
-2 beta1 v and size sqrt(alpha1) |v|,

    2 beta1 (1 - q) = (2 s)^alpha Gamma(q/2) Gamma((1-q+alpha)/2)/[Gamma((1-q)/2) Gamma((q-alpha)/2)],

s = size sqrt(alpha1), below 1 + alpha, the tail that jumps of constant size leave.  alpha -> 2 returns the Gaussian's.
"""

from __future__ import annotations

import math

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp
from fpsolve.plot_line import strokes_by_colour

MOMENTS = (2.0, 2.0, 3.0, 1.0, 1.0)  # alpha1, alpha2, alpha3, beta1, beta2
ALPHAS = (1.2, 1.5, 1.8)
COLOURS = ("#0072B2", "#009E73", "#D55E00")


def network(temperature: float = 0.1) -> fp.models.DiagonalNetwork:
    """One layer: its drift is the gradient flow, its diffusion 2 T C(v)."""
    return fp.models.DiagonalNetwork.from_moments(fp.Moments(*MOMENTS), temperature, depth=0)


def spread(v):
    """sqrt(C(v))."""
    alpha1, alpha2, alpha3 = MOMENTS[:3]
    return np.sqrt(alpha1 * v**2 - 2.0 * alpha2 * v + alpha3)


def problem(
    alpha: float = 1.5, size: float = 0.3, growing: bool = True, cells: int = 801, reach: float = 1e5
) -> fp.Problem:
    """growing=False: jumps of the size they have at the minimum everywhere."""
    minimum = MOMENTS[4] / MOMENTS[3]
    scale = (lambda v: size * spread(v)) if growing else size * float(spread(minimum))
    process = fp.Process(network().process().drift, jumps=fp.Stable(alpha, scale))
    axis = fp.Axis.sinh(minimum - reach, minimum + reach, cells, scale=0.3, center=minimum)
    return fp.Problem(process, fp.Grid(v=axis))


def density(alpha: float = 1.5, size: float = 0.3, growing: bool = True, cells: int = 801) -> fp.Density:
    return fp.stationary(problem(alpha, size, growing, cells))


def gaussian(size: float = 0.3) -> fp.ExactDensity:
    """D = size^2 C: the network's own law at the temperature size^2/2."""
    return network(0.5 * size**2).exact_density()


def exponent(alpha: float = 1.5, size: float = 0.3) -> float:
    """q, by bisection between alpha and 1 + alpha."""
    s, beta1 = size * math.sqrt(MOMENTS[0]), MOMENTS[3]

    def excess(q: float) -> float:
        above = math.gamma(0.5 * q) * math.gamma(0.5 * (1.0 - q + alpha))
        below = math.gamma(0.5 * (1.0 - q)) * math.gamma(0.5 * (q - alpha))
        return 2.0 * beta1 * (1.0 - q) - (2.0 * s) ** alpha * above / below

    low, high = alpha + 0.05, 1.0 + alpha - 1e-9
    for _ in range(80):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if excess(middle) * excess(low) > 0.0 else (low, middle)
    return 0.5 * (low + high)


def solve(size: float = 0.3, cells: int = 801) -> dict[str, fp.Density | fp.ExactDensity]:
    """Jumps that grow with v by alpha, jumps that do not, and Gaussian noise of the same size."""
    return {
        **{f"alpha = {alpha:g}": density(alpha, size, cells=cells) for alpha in ALPHAS},
        "constant jumps": density(1.5, size, growing=False, cells=cells),
        "Gaussian": gaussian(size),
    }


def figure(results: dict[str, fp.Density | fp.ExactDensity]) -> Figure:
    """Peaks alike, tails not; and the tail's exponent over the size of the noise."""
    drawing = Figure(figsize=(14.0, 4.4), layout="constrained")
    peak, tails, law = drawing.subplots(1, 3)
    shown = [(f"alpha = {alpha:g}", rf"$\alpha = {alpha:g}$", c) for alpha, c in zip(ALPHAS, COLOURS, strict=True)]
    shown += [("constant jumps", r"$\alpha = 1.5$, not growing", "0.55"), ("Gaussian", "Gaussian", "0.1")]
    for name, label, colour in shown:
        p = results[name]
        v = p.grid.nodes[0]
        near, far = np.abs(v - 1.0) < 3.0, v > 1.05
        style = "-" if name.startswith("alpha") else "--"
        peak.plot(v[near], p(v[near]), style, color=colour, lw=1.6, label=label)
        tails.loglog(v[far] - 1.0, p(v[far]), style, color=colour, lw=1.6)
    peak.set(xlabel="$v$ (dimensionless)", ylabel="density (per unit of $v$)", ylim=(0, None))
    peak.legend(frameon=False, fontsize="small")
    tails.set(
        xlabel="$v - 1$, from the minimum (dimensionless)",
        ylabel="density (per unit of $v$)",
        ylim=(1e-16, 10),
        xlim=(0.05, 1e5),
    )
    sizes = np.linspace(0.05, 0.8, 60)
    for alpha, colour in zip(ALPHAS, COLOURS, strict=True):
        law.plot(sizes, [exponent(alpha, size) for size in sizes], color=colour)
        law.plot(0.3, results[f"alpha = {alpha:g}"].ends[0][1].exponent, "o", color=colour, ms=5)
    law.plot(sizes, 2.0 + 2.0 * MOMENTS[3] / (sizes**2 * MOMENTS[0]), "--", color="0.1")
    law.set(xlabel="size of the noise (dimensionless)", ylabel="tail exponent $q$ (a power)", ylim=(1, 6))
    strokes_by_colour(peak, tails, law)
    return drawing
