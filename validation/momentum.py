"""Momentum: the exact Gaussian at all times, second order; heavy-ball SGD itself; equipartition at rest."""

from functools import cache

import numpy as np

import fpsolve as fp
from cases import momentum as case
from fpsolve.claims import Exact

GAUSSIAN = "mean exp(-K t), Lyapunov's covariance"
STEPS = (0.04, 0.02)  # sqrt(eta)


@cache
def solved(gamma=0.6, k=1.0, cells=96):
    return case.solve(gamma=gamma, k=k, until=4.0, times=5, cells=cells)


def moment_error(results, gamma=0.6):
    """Largest error of means and covariances over the times."""
    exact, worst = case.model(gamma), 0.0
    for p in results["densities"]:
        law = exact.at(p.time, case.START)
        worst = max(worst, np.abs(p.mean() - law.center).max(), np.abs(p.covariance() - law.covariance).max())
    return float(worst)


def order(exact_gamma=0.6):
    """Observed order of the L1 distance at the last time."""
    paths = [solved(cells=n)["densities"] for n in (64, 128)]
    errors = [case.distances(path, case.exact_path(path, exact_gamma))[-1] for path in paths]
    return float(np.log2(errors[0] / errors[1]))


def heavy_ball(gamma=0.6, temperature=0.4, time=2.0):
    """Variance of the position of heavy-ball SGD from a point, step by step, extrapolated in sqrt(eta)."""
    found = []
    for step in STEPS:
        momentum, noise = 1.0 - gamma * step, 2.0 * gamma * temperature * step**3  # eta^2 sigma^2
        turn = np.array([[1.0 - step**2, momentum], [-(step**2), momentum]])  # of (x, v)
        spread = np.zeros((2, 2))
        for _ in range(round(time / step)):
            spread = turn @ spread @ turn.T + noise
        found.append(float(spread[0, 0]))
    return (STEPS[0] * found[1] - STEPS[1] * found[0]) / (STEPS[0] - STEPS[1])


def at_rest(gamma=0.6, k=2.0, cells=96):
    return fp.stationary(case.problem(gamma, k, cells=cells))


claims = [
    Exact(
        "means and covariances at all times, 96^2",
        solved,
        dict(cells=96),
        moment_error,
        0.0,
        atol=6e-3,
        wrong=dict(gamma=0.63),
        source=GAUSSIAN,
    ),
    Exact(
        "L1 distance from the Gaussian, 128^2",
        solved,
        dict(cells=128),
        lambda r: case.distances(r["densities"], r["exact"]).max(),
        0.0,
        atol=6e-3,
        wrong=lambda r: case.distances(r["densities"], case.exact_path(r["densities"], k=1.02)).max(),
        source=GAUSSIAN,
    ),
    Exact("order of the density", order, {}, float, 2.0, atol=0.1, wrong=dict(exact_gamma=0.63), source="Accurate()"),
    Exact(
        "heavy-ball SGD has the process's variance",
        heavy_ball,
        {},
        float,
        float(case.model().at(2.0, fp.Point(1.5, 0.0)).covariance[0, 0]),
        atol=1e-3,
        wrong=dict(gamma=0.61),
        source="one step is sqrt(eta) of time",
    ),
    Exact(
        "its process by learning rate, momentum and noise",
        case.from_sgd,
        dict(learning_rate=4e-4, momentum=0.988, variance=24.0),
        lambda m: m.diffusion[1, 1] / m.drift_matrix[1, 1],
        0.4,
        atol=1e-12,
        wrong=dict(batch=2),
        source="D = sqrt(eta) sigma^2/(2 B), gamma = (1 - beta)/sqrt(eta)",
    ),
    Exact(
        "at rest k <x^2> = <m^2>: momentum leaves no trace",
        at_rest,
        {},
        lambda p: 2.0 * p.var("x") / p.var("m"),
        1.0,
        atol=1e-2,
        wrong=lambda p: p.var("x") / p.var("m"),
        source="Risken 1996, section 10.2",
    ),
]
