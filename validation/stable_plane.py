"""Stable noise in the plane: laws at rest and on the way there in closed form, tails, and particles."""

import math

import numpy as np
from scipy.integrate import quad

import fpsolve as fp
from cases import stable_plane as case
from fpsolve.claims import Exact, Particles

SOURCE = "X = integral of exp(-s) dL: a stable law of scale^alpha / alpha"
START, TIME = 0.5, 0.5


def at_rest(**how):
    return fp.stationary(case.problem(**how))


def worst(kind):
    """The largest relative error on the grid against the law of scale 1."""

    def quantity(p):
        return float(np.abs(p.values / case.cauchy(kind, *p.grid.mesh()) - 1.0).max())

    return quantity


def law(kind, cells, reach, atol):
    return Exact(
        f"{kind}: every density on the grid, relative",
        at_rest,
        dict(kind=kind, cells=cells, reach=reach),
        worst(kind),
        0.0,
        atol=atol,
        wrong=dict(scale=1.0 + 3.0 * atol),
        source=SOURCE,
    )


def marginal_error(p):
    x = p.grid.nodes[0]
    return float(np.abs(p.marginal("x").values * np.pi * (1.0 + x**2) - 1.0).max())


def on_the_way(alpha=1.5, scale=1.0, cells=64):
    """From a Gaussian in the middle."""
    problem = case.problem("isotropic", alpha, scale, cells, 10.0)
    return fp.evolve(problem, fp.Gaussian((0.0, 0.0), START), [TIME], method=fp.Krylov(tol=1e-6), progress=False)


def middle_on_the_way(alpha):
    """(1/2 pi) int k exp(-k^alpha (1 - exp(-alpha t))/alpha - s^2 exp(-2 t) k^2/2) dk."""
    jumps, start = (1.0 - math.exp(-alpha * TIME)) / alpha, 0.5 * (START * math.exp(-TIME)) ** 2
    return quad(lambda k: k * math.exp(-jumps * k**alpha - start * k**2), 0.0, 60.0)[0] / (2.0 * math.pi)


def particles(kind, slow):
    return Particles(
        f"particles: {kind}",
        case.problem,
        dict(kind=kind, cells=80, reach=16.0),
        wrong=dict(scale=1.6),
        seed=11,
        until=6.0,
        n=10_000,
        dt=(0.08, 0.04),
        slow=slow,
    )


claims = [
    law("isotropic", 96, 12.0, 8e-3),
    law("image", 128, 10.0, 3e-2),
    law("axes", 96, 12.0, 1e-2),
    Exact(
        "isotropic: the marginal is the law of one coordinate",
        at_rest,
        dict(cells=96, reach=12.0),
        marginal_error,
        0.0,
        atol=4e-3,
        wrong=dict(scale=1.02),
        source="Cauchy, 1/(pi (1 + x^2))",
    ),
    Exact(
        "isotropic: p ~ r^-3 on a line through the middle",
        at_rest,
        dict(cells=96, reach=12.0),
        lambda p: p.conditional(y=0.0).tail_exponent((6.0, 12.0)),
        3.0,
        atol=0.06,
        wrong=dict(kind="axes"),
        source="alpha + c, U ~ r^c",
    ),
    Exact(
        "alpha = 1.5: the density in the middle",
        at_rest,
        dict(alpha=1.5, cells=96, reach=10.0),
        lambda p: p(0.0, 0.0),
        math.gamma(2 / 1.5) * 1.5 ** (2 / 1.5) / (2 * math.pi * 1.5),
        atol=5e-4,
        wrong=dict(scale=1.05),
        source="Gamma(2/alpha) alpha^(2/alpha) / (2 pi alpha)",
    ),
    Exact(
        "on the way: the density in the middle",
        on_the_way,
        dict(alpha=1.5),
        lambda path: path[0](0.0, 0.0),
        middle_on_the_way(1.5),
        atol=2e-3,
        wrong=dict(alpha=1.4),
        source="characteristic function",
    ),
    Exact(
        "on the way: mass is kept, tails included",
        on_the_way,
        dict(alpha=1.5, cells=64),
        lambda path: float(path.mass[0]) - 1.0,
        0.0,
        atol=1e-12,
        wrong=lambda path: float(path.masses.sum()) - 1.0,
        source="columns of L sum to 0",
    ),
    particles("isotropic", slow=False),
    particles("image", slow=True),
    particles("axes", slow=True),
]
