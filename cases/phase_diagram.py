"""The regimes of a two-layer network over temperature and label noise: peaked, divergent at 0, and condensed.

    p ~ v^(beta2/(2 T alpha3) - 3/2) as v -> 0:   T_c = beta2/alpha3,  divergent from T_c/3 on, no density beyond T_c

x normal, y = x + noise of deviation sigma: alpha3 = 2 + sigma^2.  The solver is not told where the lines are: it
finds that a density cannot be normalised, and the exponent, by itself.
Ziyin, Li & Ueda, arXiv 2308.06671.
"""

from __future__ import annotations

import warnings

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp


def network(temperature: float = 0.1, noise: float = 1.0) -> fp.models.DiagonalNetwork:
    moments = fp.Moments(2.0, 2.0, 2.0 + noise**2, 1.0, 1.0)
    return fp.models.DiagonalNetwork.from_moments(moments, temperature, depth=1)


def problem(temperature: float = 0.1, noise: float = 1.0, cells: int = 400) -> fp.Problem:
    return network(temperature, noise).problem(cells=cells)


def solve(noise: float = 1.0, shares: tuple[float, ...] = (0.25, 0.5, 0.8)) -> dict[str, fp.Density]:
    """Stationary densities at shares of the critical temperature: peaked, divergent at 0, and close to condensing."""
    critical = network(noise=noise).critical_temperature
    return {f"T_{share:g}_Tc": fp.stationary(network(share * critical, noise).problem()) for share in shares}


def exponent(temperature: float, noise: float) -> float:
    """Of p as v -> 0, from the computed density or from the refusal of one that cannot be normalised."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fp.TruncationWarning)  # beside T_c most of the mass is below any v
        try:
            return -fp.stationary(problem(temperature, noise)).tail_exponent(end="lower")
        except fp.NotNormalizable as refusal:
            return refusal.exponent


def boundary(noise: float, of: float, low: float = 0.01, high: float = 1.0) -> float:
    """The temperature at which the exponent falls to `of`: 0 where p begins to diverge, -1 where no density is left."""
    for _ in range(30):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if exponent(middle, noise) > of else (low, middle)
    return 0.5 * (low + high)


def figure(results: dict[str, fp.Density]) -> Figure:
    """The plane of temperature and label noise with its three regimes, and a density on each side of T_c/3."""
    drawing = Figure(figsize=(9.6, 4.0), layout="constrained")
    plane, lines = drawing.subplots(1, 2)
    noise = np.linspace(0.0, 3.0, 121)
    critical = 1.0 / (2.0 + noise**2)
    plane.fill_between(noise, 0.0, critical / 3.0, color="#0072B2", alpha=0.30)
    plane.fill_between(noise, critical / 3.0, critical, color="#E69F00", alpha=0.35)
    plane.fill_between(noise, critical, 0.6, color="#999999", alpha=0.35)
    for of, style, label in ((-1.0, "o", "found: no density beyond"), (0.0, "s", "found: $p(0)$ diverges beyond")):
        places = np.array([0.25, 1.0, 2.0, 3.0])
        plane.plot(places, [boundary(float(x), of) for x in places], style, color="black", ms=5, label=label)
    plane.text(2.0, 0.4, "condensed on $v = 0$", ha="center")
    plane.text(0.55, 0.24, "divergent at 0", ha="left")
    plane.text(0.1, 0.05, "peaked at the minimum")
    plane.set(
        xlim=(0, 3.05),
        ylim=(0, 0.6),
        xlabel="label noise $\\sigma$ (deviations of $x$)",
        ylabel="temperature $T$ (learning rate / batch)",
    )
    plane.legend(frameon=False, fontsize="small", loc="upper right")
    v = np.geomspace(1e-4, 10.0, 400)
    for (name, p), style in zip(results.items(), ("-", "--", ":"), strict=False):
        lines.plot(v, p(v), style, color="#0072B2", label=f"$T = {name.split('_')[1]}\\,T_c$")
    lines.set(
        xscale="log", yscale="log", ylim=(1e-6, 1e4), xlabel="$v$ (dimensionless)", ylabel="$p(v)$ (per unit of $v$)"
    )
    lines.legend(frameon=False, fontsize="small")
    return drawing
