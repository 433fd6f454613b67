"""Escape by jumps: a power law with its constant for every alpha, where diffusion has Kramers' exponential."""

from functools import cache

import numpy as np

import fpsolve as fp
from cases import stable_double_well as case
from fpsolve.claims import Exact

JUMP = "Imkeller & Pavlyukevich 2006: the wait for one long jump"
KRAMERS = "Kramers, Physica 7, 284 (1940)"
LIMITS = {1.0: 3.1416, 1.5: 5.0133}


def constant(alpha):
    return Exact(
        f"eps^alpha tau tends to alpha/C_alpha at alpha = {alpha:g}",
        case.reduced,
        dict(alpha=alpha, noise=1e-4),
        float,
        LIMITS.get(alpha, case.limit(alpha)),
        atol=2e-3 * case.limit(alpha),
        wrong=dict(noise=1e-2),
        source=JUMP,
    )


def power(alpha):
    return Exact(
        f"tau ~ eps^-alpha at alpha = {alpha:g}",
        case.exponent,
        dict(alpha=alpha, noise=1e-4),
        float,
        alpha,
        atol=3e-3,
        wrong=dict(alpha=alpha + 0.01),
        source=JUMP,
    )


def gaussian(noise):
    """Over Kramers' time; jumps of index 2 are diffusion."""
    return case.escape_time(2.0, noise, cells=401) / case.kramers(noise)


def start_dependence(alpha=1.0, noise=1e-3):
    """How much longer it takes from deep in the well than from half-way to the saddle."""
    tau = fp.mean_exit_time(case.problem(alpha, noise), inside=(None, 0.0))
    return float(tau(-1.0) / tau(-0.5) - 1.0)


START, LATER, COUNT = fp.Gaussian(-1.0, 0.1), [20.0], 2000


@cache
def share_of_particles():
    """Still in the well, with alpha = 1 and noise 0.1."""
    half = fp.Grid(x=fp.Axis.uniform(-40, 0, 2000, ends=("open", "absorbing")))
    pr = case.problem(1.0, 0.1).replace(grid=half)
    return float(np.mean(fp.simulate(pr, START, LATER, dt=0.02, n=COUNT, seed=4, progress=False).alive()))


def stayed(alpha=1.0, noise=0.1):
    """Particles still in the well, less what survival says, in standard errors."""
    S = float(fp.survival(case.problem(alpha, noise), START, LATER, inside=(None, 0.0))[0])
    return (share_of_particles() - S) / np.sqrt(S * (1.0 - S) / COUNT)


claims = [
    *(constant(alpha) for alpha in (0.7, 1.0, 1.5)),
    *(power(alpha) for alpha in (0.7, 1.0, 1.5)),
    Exact(
        "diffusion: Kramers' time, to its first correction",
        gaussian,
        dict(noise=0.12),
        float,
        1.0,
        atol=0.05,
        wrong=dict(noise=0.4),
        source=KRAMERS,
    ),
    Exact(
        "jumps do not ask how deep the start lies",
        start_dependence,
        {},
        float,
        0.0,
        atol=0.01,
        wrong=dict(noise=0.5),
        source=JUMP,
    ),
    Exact(
        "flights stay as long as survival says",
        stayed,
        {},
        float,
        0.0,
        atol=4.0,  # standard errors, and half of one for the step
        wrong=dict(noise=0.14),
        source="2000 particles, dt = 0.02",
    ),
]
