"""Gradient noise with a memory: an Ornstein-Uhlenbeck noise xi that drives the position, with noise in xi only.

    dx = (-k x + xi) dt,   dxi = -(xi/tau) dt + sqrt(2 D)/tau dW

As tau -> 0 the position sees white noise of strength D.  At rest, Gaussian:

    <x^2> = D/(k (1 + k tau)),   <x xi> = D/(1 + k tau),   <xi^2> = D/tau.

A finite correlation time narrows the law, by 1 + k tau, at the same D; and the pair turns, out of equilibrium.
Haenggi & Jung, Adv. Chem. Phys. 89, 239 (1995).
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp

REACH = 7.0  # standard deviations


def model(k: float = 1.0, tau: float = 0.5, D: float = 0.5) -> fp.models.LinearGaussian:
    return fp.models.LinearGaussian([[k, -1.0], [0.0, 1.0 / tau]], (0.0, D / tau**2))


def covariance(k: float = 1.0, tau: float = 0.5, D: float = 0.5) -> np.ndarray:
    """The closed form above."""
    cross = D / (1.0 + k * tau)
    return np.array([[cross / k, cross], [cross, D / tau]])


def problem(
    k: float = 1.0, tau: float = 0.5, D: float = 0.5, cells: int = 128, second_order: bool = True
) -> fp.Problem:
    """Seven deviations; along x there is transport only, by default of second order."""
    x, xi = model(k, tau, D).grid(cells, REACH).axes
    return fp.Problem(model(k, tau, D).process(), fp.Grid(x=x, xi=xi), fp.Accurate() if second_order else fp.Positive())


def solve(
    k: float = 1.0, tau: float = 0.5, D: float = 0.5, cells: int = 128
) -> dict[str, fp.Density | fp.ExactDensity]:
    """The stationary density, the Gaussian that it must be, and the position's law under white noise."""
    return {
        "stationary": fp.stationary(problem(k, tau, D, cells)),
        "exact": model(k, tau, D).exact_density(),
        "white": fp.models.LinearGaussian(k, D).exact_density(),
    }


def figure(results) -> Figure:
    """Position and noise, with the Gaussian's contours; and the position alone beside that of white noise."""
    p, exact, white = results["stationary"], results["exact"], results["white"]
    drawing = Figure(figsize=(11.0, 4.4), layout="constrained")
    plane, line = drawing.subplots(1, 2)
    p.plot(plane)
    exact.plot(plane)
    plane.set(xlabel="position $x$ (dimensionless)", ylabel=r"noise $\xi$ (dimensionless)")
    p.marginal("x").plot(line, label="coloured noise", log=True)
    white.plot(line, label="white noise of the same strength")
    line.set(xlabel="position $x$ (dimensionless)", ylabel="density (per unit of $x$)", ylim=(1e-8, 50.0))
    line.legend(frameon=False, loc="upper center")
    return drawing
