"""Coloured noise: the stationary covariance in closed form, and the whole density."""

import numpy as np

import fpsolve as fp
from cases import coloured_noise as case
from fpsolve.claims import Exact

SOURCE = "Lyapunov's equation, solved by hand"


def at_rest(k=1.0, tau=0.5, D=0.5, cells=128):
    return fp.stationary(case.problem(k, tau, D, cells))


def entry(i, j):
    """One entry of the covariance over that of the default process."""
    return lambda p: float(p.covariance()[i, j] / case.covariance()[i, j])


def l1(p):
    """Distance from the Gaussian of the default process."""
    return float(np.abs(p.masses - case.model().exact_density().on(p.grid).masses).sum())


def order(exact_tau=0.5):
    """Observed order of <x xi>."""
    exact = case.covariance(tau=exact_tau)[0, 1]
    coarse, fine = (abs(at_rest(cells=n).covariance()[0, 1] - exact) for n in (128, 256))
    return float(np.log2(coarse / fine))


def covariance(name, i, j):
    return Exact(
        f"{name}, 128^2",
        at_rest,
        {},
        entry(i, j),
        1.0,
        atol=4e-3,
        wrong=dict(tau=0.52),
        source=SOURCE,
    )


claims = [
    covariance("<x^2>", 0, 0),
    covariance("<x xi>", 0, 1),
    covariance("<xi^2>", 1, 1),
    Exact(
        "L1 distance from the Gaussian, 128^2",
        at_rest,
        {},
        l1,
        0.0,
        atol=3e-3,
        wrong=dict(cells=64),
        source=SOURCE,
    ),
    Exact("order of <x xi>", order, {}, float, 2.0, atol=0.1, wrong=dict(exact_tau=0.52), source="Accurate()"),
    Exact(
        "a correlation time narrows the law by 1 + k tau",
        at_rest,
        dict(tau=0.25, k=2.0),
        lambda p: 0.25 / p.var("x"),
        1.5,
        atol=6e-3,
        wrong=dict(tau=0.26),
        source=SOURCE,
    ),
    Exact(
        "closed form against the Lyapunov equation",
        case.model,
        dict(k=1.7, tau=0.3, D=0.6),
        lambda m: float(np.abs(m.covariance - case.covariance(1.7, 0.3, 0.6)).max()),
        0.0,
        atol=1e-13,
        wrong=dict(tau=0.3001),
        source=SOURCE,
    ),
]
