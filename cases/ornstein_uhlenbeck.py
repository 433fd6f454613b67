"""Ornstein-Uhlenbeck: dX = -k X dt + sqrt(2 D) dW.  Risken (1996), ch. 5.

The stationary law is a Gaussian of variance D/k; particles start from it displaced and relax.
"""

from matplotlib.figure import Figure

import fpsolve as fp


def problem(k: float = 1.0, D: float = 0.5, cells: int = 400) -> fp.Problem:
    """The process on eight standard deviations to both sides."""
    reach = 8.0 * (D / k) ** 0.5
    return fp.Problem(fp.Process(drift=lambda x: -k * x, diffusion=D), fp.Grid(x=(-reach, reach, cells)))


def solve(k: float = 1.0, D: float = 0.5) -> dict[str, fp.Density | fp.ExactDensity]:
    """The stationary density and the Gaussian it must be."""
    pr = problem(k, D)
    exact = fp.ExactDensity(lambda x: -k * x**2 / (2.0 * D), pr.grid, "Gaussian, variance D/k")
    return {"stationary": fp.stationary(pr), "exact": exact}


def figure(results: dict[str, fp.Density | fp.ExactDensity]) -> Figure:
    """The density and the Gaussian, on linear and on logarithmic axes."""
    drawing = Figure(figsize=(9.6, 4.0), layout="constrained")
    for ax, log in zip(drawing.subplots(1, 2), (False, True), strict=True):
        for name, value in results.items():
            value.plot(ax, label=name, log=log)
        ax.set(xlabel="$x$ (dimensionless)", xlim=(-4, 4))
    ax.set_ylim(1e-8, 5.0)
    ax.legend(frameon=False, loc="lower center")
    return drawing
