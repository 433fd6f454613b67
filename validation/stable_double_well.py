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


def near_two(alpha, noise=0.2):
    """The share of its limit that eps^alpha tau has reached."""
    return case.reduced(alpha, noise) / case.limit(alpha)


def from_afar(way, alpha=1.5, noise=1e-4):
    """The time from the bottom to a saddle at this distance, over (alpha/C_alpha) way^alpha eps^-alpha for 2."""
    well = fp.Process(lambda x: x - x**3 / way**2, jumps=fp.Stable(alpha, noise))
    tau = fp.mean_exit_time(fp.Problem(well, case.problem(alpha, noise).grid), inside=(None, 0.0))
    return float(tau(-way)) * noise**alpha / case.limit(alpha, 2.0)


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
    *(
        Exact(
            f"noise 0.2, alpha = {alpha:g}: the time has {share:g} of its limit, and the less the nearer alpha is to 2",
            near_two,
            dict(alpha=alpha),
            float,
            share,
            atol=0.005,
            wrong=dict(alpha=other),
            source="measured, this case",
        )
        for alpha, share, other in ((1.0, 0.829, 1.5), (1.5, 0.655, 1.9), (1.95, 0.373, 1.0))
    ),
    Exact(
        "a saddle at the distance 2: the time grows by 2^alpha",
        from_afar,
        dict(way=2.0),
        float,
        1.0,
        atol=2e-3,
        wrong=dict(way=1.0),
        source=JUMP,
    ),
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
        slow=True,
    ),
]
