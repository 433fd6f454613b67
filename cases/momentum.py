"""Heavy-ball SGD as an underdamped process: noise in the momentum only, and the position merely carried along.

    v' = beta v - eta g,  x' = x + v';    m = v/sqrt(eta), time sqrt(eta) per step:

    dx = m dt,   dm = -(gamma m + k x) dt + sqrt(2 D) dW,   gamma = (1 - beta)/sqrt(eta),  D = sqrt(eta) sigma^2/(2 B)

in a well L = k x^2/2.  The law is Gaussian at all times, and at rest <m^2> = k <x^2> = D/gamma, <x m> = 0.
Below gamma = 2 sqrt(k) the mean swings.  Risken (1996), chapter 10; Ornstein & Uhlenbeck, Phys. Rev. 36, 823 (1930).
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp

START = fp.Gaussian((1.5, 0.0), cov=[[0.15, 0.0], [0.0, 0.15]])
REACH = 7.0  # standard deviations
START_REACH = (1.5 + REACH * np.sqrt(0.15), REACH * np.sqrt(0.15))
COLOURS = ("#0072B2", "#D55E00")


def model(gamma: float = 0.6, k: float = 1.0, temperature: float = 0.4) -> fp.models.LinearGaussian:
    """The process with D = gamma temperature, temperature = <m^2> at rest."""
    return fp.models.LinearGaussian([[0.0, -1.0], [k, gamma]], (0.0, gamma * temperature))


def from_sgd(
    learning_rate: float, momentum: float, variance: float, batch: int = 1, k: float = 1.0
) -> fp.models.LinearGaussian:
    """The process of heavy-ball SGD, by the variance of one sample's gradient."""
    gamma = (1.0 - momentum) / np.sqrt(learning_rate)
    return model(gamma, k, np.sqrt(learning_rate) * variance / (2.0 * batch * gamma))


def problem(gamma: float = 0.6, k: float = 1.0, temperature: float = 0.4, cells: int = 96) -> fp.Problem:
    """Seven deviations at rest or at the start, and transport of second order along x."""
    rest = model(gamma, k, temperature)
    x, m = np.maximum(REACH * np.sqrt(np.diag(rest.covariance)), START_REACH).tolist()
    return fp.Problem(rest.process(), fp.Grid(x=(-x, x, cells), m=(-m, m, cells)), fp.Accurate())


def solve(
    gamma: float = 0.6, k: float = 1.0, temperature: float = 0.4, until: float = 6.0, times: int = 25, cells: int = 96
) -> dict[str, fp.Evolution]:
    """The density of position and momentum from a start beside the minimum, and the Gaussian that it must be."""
    path = fp.evolve(problem(gamma, k, temperature, cells), START, np.linspace(0.0, until, times))
    return {"densities": path, "exact": exact_path(path, gamma, k, temperature)}


def exact_path(path: fp.Evolution, gamma: float = 0.6, k: float = 1.0, temperature: float = 0.4) -> fp.Evolution:
    """The Gaussian on the same cells at the same times."""
    law = model(gamma, k, temperature)
    rows = [law.exact_density(t, START).on(path.grid).masses for t in path.times.tolist()]
    return fp.Evolution(path.grid, path.times, np.array(rows))


def distances(path: fp.Evolution, exact: fp.Evolution) -> np.ndarray:
    """L1 distance at each time."""
    return np.abs(path.masses - exact.masses).sum(axis=(1, 2))


def figure(results: dict[str, fp.Evolution]) -> Figure:
    """Means and variances over time, against the Gaussian's; and the density while it swings."""
    path, exact = results["densities"], results["exact"]
    drawing = Figure(figsize=(14.0, 4.2), layout="constrained")
    means, spreads, plane = drawing.subplots(1, 3)
    for ax, seen, law in ((means, path.mean(), exact.mean()), (spreads, path.var(), exact.var())):
        for k, (name, mark) in enumerate((("position $x$", "o"), ("momentum $m$", "s"))):
            ax.plot(path.times, seen[:, k], mark, color=COLOURS[k], ms=5, label=name)
            ax.plot(path.times, law[:, k], "--", color=COLOURS[k], lw=1.2, label="exact")
        ax.set_xlabel(r"time $t$ (steps × $\sqrt{\eta}$)")
        ax.legend(frameon=False)
    means.set_ylabel("mean (dimensionless)")
    spreads.set_ylabel("variance (dimensionless)")
    middle = path[len(path) // 4]
    middle.plot(plane)
    plane.set(xlabel="position $x$ (dimensionless)", ylabel=r"momentum $m$ (step of $x$ / $\sqrt{\eta}$)")
    plane.set_title(f"density at t = {middle.time:g}", loc="left", fontsize="medium")
    return drawing
