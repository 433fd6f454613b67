"""A scale-invariant loss of two weights: SGD makes the norm grow, weight decay settles it, gradient descent keeps it.

    dr = (-2 gamma r + T s/(2 r^3)) dt,   dphi = -L'(phi)/r^2 dt + sqrt(T s)/r^2 dW,   L = -cos phi

The norm has no noise: r is an axis along which the density is carried.  Closed forms: r^4(t) tends to T s/(4 gamma),
and the angle to p ~ exp(-L/sqrt(gamma T s)): weight decay sets the temperature of the angle.
Ziyin, Wang, Li & Wu, arXiv 2402.07193.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp
from fpsolve.plot_line import strokes_by_colour

START = (0.7, 0.8)  # r and phi, with the deviations
SPREAD = (0.02, 0.3)


def model(temperature: float = 0.1, weight_decay: float = 0.05, noise: float = 2.0) -> fp.models.ScaleInvariant:
    return fp.models.ScaleInvariant(lambda phi: -np.cos(phi), noise, temperature, weight_decay, slope=np.sin)


def problem(
    temperature: float = 0.1, weight_decay: float = 0.05, cells: tuple[int, int] = (200, 64), positive: bool = False
) -> fp.Problem:
    """Norm and angle; second-order transport of the norm unless `positive`."""
    grid = model(temperature, weight_decay).grid(cells, radius=(0.55, 1.25))
    scheme = fp.Positive() if positive else fp.Accurate()
    return fp.Problem(model(temperature, weight_decay).process(), grid, scheme)


def solve(
    temperature: float = 0.1,
    weight_decay: float = 0.05,
    times: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0, 4.0),
    replicas: int = 4000,
    seed: int = 1,
) -> dict[str, fp.Evolution | fp.Swarm | fp.ExactDensity]:
    """The densities of (r, phi) at `times`, particles, and the law to which the angle settles."""
    pr = problem(temperature, weight_decay)
    start = fp.Gaussian(START, SPREAD)
    path = fp.evolve(pr, start, times, method=fp.SDIRK2(dt=0.02))
    particles = fp.simulate(pr, start, times, dt=0.01, n=replicas, seed=seed)
    return {"densities": path, "particles": particles, "angle": model(temperature, weight_decay).exact_density()}


def fourth_power(path: fp.Evolution) -> np.ndarray:
    """<r^4> at each time."""
    return path.expect(lambda r, phi: r**4)


def expected_fourth_power(times, temperature: float = 0.1, weight_decay: float = 0.05, noise: float = 2.0):
    """<r^4> in closed form from the Gaussian start."""
    mean, deviation = START[0], SPREAD[0]
    first = mean**4 + 6 * mean**2 * deviation**2 + 3 * deviation**4
    settled = temperature * noise / (4 * weight_decay)
    return settled + (first - settled) * np.exp(-8 * weight_decay * np.asarray(times))


def figure(results) -> Figure:
    """Left: the norm against its closed form; right: the angle settling."""
    path, particles, angle = results["densities"], results["particles"], results["angle"]
    drawing = Figure(figsize=(9.6, 4.0), layout="constrained")
    left, right = drawing.subplots(1, 2)
    fine = np.linspace(0.0, path.times[-1], 200)
    left.plot(fine, expected_fourth_power(fine), color="#0072B2", label="closed form")
    left.plot(path.times, fourth_power(path), "o", color="#D55E00", label="Fokker-Planck")
    r = particles.positions[:, :, 0]
    left.plot(particles.times, (r**4).mean(axis=1), "x", color="black", label="particles")
    left.axhline(model().settled_norm ** 4, color="0.5", lw=1, ls="--", label="$T s/(4\\gamma)$")
    left.set(xlabel="time $t$ (steps × learning rate)", ylabel="$\\langle r^4\\rangle$ (dimensionless)")
    left.legend(frameon=False)
    for p, colour in zip(list(path)[::2], ("#56B4E9", "#009E73", "#0072B2"), strict=False):
        right.plot(p.grid.nodes[1], p.marginal("phi").values, color=colour, lw=1.8, label=f"t = {p.time:g}")
    right.plot(angle.grid.nodes[0], angle(angle.grid.nodes[0]), "k--", lw=1.2, label="settled, closed form")
    right.set(xlabel="angle $\\phi$ (radians)", ylabel="$p(\\phi)$ (per radian)")
    right.legend(frameon=False)
    strokes_by_colour(right)
    return drawing
