"""The harmonic well under flights: stable laws at rest and in motion, their tails, and particles."""

from functools import cache

import numpy as np
from scipy.stats import levy_stable

import fpsolve as fp
from cases import stable_harmonic as case
from fpsolve.claims import Exact, Particles

LAW = "West & Seshadri 1982: a stable law of scale (alpha k)^(-1/alpha)"
BOTTOM = {0.5: 0.159154943091895, 1.0: 0.318309886183791, 1.5: 0.376538625235254}


@cache
def density(alpha=1.5, k=1.0, scale=1.0, ends="open"):
    return fp.stationary(case.problem(alpha, k, scale, ends))


@cache
def motion(alpha=1.0):
    return case.motion(alpha, (0.5, 2.0))


def at_zero(p):
    return float(p.values[p.grid.size // 2])


def bottom(alpha):
    return Exact(
        f"p(0) at alpha = {alpha:g}",
        density,
        dict(alpha=alpha),
        at_zero,
        BOTTOM.get(alpha, case.at_zero(alpha)),
        atol=1e-5,
        wrong=dict(scale=1.0001),
        source=LAW,
    )


def whole_law(alpha, k, scale, told=None):
    """Largest relative error of p at four places against the stable law of scale `told`, by default the closed form."""
    p, x = fp.stationary(case.problem(alpha, k, scale)), np.array([0.0, 0.5, 2.0, 10.0])
    law = levy_stable.pdf(x, alpha, 0.0, scale=told or scale * (alpha * k) ** (-1.0 / alpha))
    return float(np.abs(p(x) / law - 1.0).max())


def amplitude(alpha, ends="open"):
    """p over its power law, at a tenth of the reach."""
    p = density(alpha, ends=ends)
    x = 0.1 * case.REACH[alpha]
    return float(p(x) / case.tail(x, alpha))


def moving(path):
    """Largest difference from Cauchy's laws, of their peaks, where particles have spread over several cells."""
    off = []
    for p in path:
        x, s = p.grid.nodes[0], case.size(1.0, t=p.time)
        off.append(np.abs(p.values * np.pi * s - s * s / (s * s + x * x)).max())
    return float(max(off))


claims = [
    *(bottom(alpha) for alpha in case.REACH),
    *(
        Exact(
            f"k = {k:g}, scale {scale:g}, alpha = {alpha:g}: the stable law of scale times (alpha k)^(-1/alpha)",
            whole_law,
            dict(alpha=alpha, k=k, scale=scale),
            float,
            0.0,
            atol=5e-5,
            wrong=dict(told=scale / k ** (1.0 / alpha)),  # as if alpha had no part in it
            source=LAW,
        )
        for alpha, k, scale in ((1.5, 2.0, 0.7), (0.7, 0.5, 1.3))
    ),
    *(
        Exact(
            f"the tail has its amplitude C/(alpha k) at alpha = {alpha:g}",
            amplitude,
            dict(alpha=alpha),
            float,
            1.0,
            atol=0.02,
            wrong=dict(ends="reflecting"),
            source="one jump brings what the drift takes back",
        )
        for alpha in (1.0, 1.5)
    ),
    Exact(
        "in motion: Cauchy laws of width 1 - exp(-t)",
        motion,
        {},
        moving,
        0.0,
        atol=2e-4,
        wrong=dict(alpha=1.01),
        source=LAW,
    ),
    Particles(
        "flights follow the density",
        lambda alpha, k=1.0: case.problem(alpha, k),
        dict(alpha=1.5),
        wrong=dict(alpha=1.3),
        seed=11,
        until=6.0,
        n=20_000,
        dt=(0.1, 0.05),
    ),
]
