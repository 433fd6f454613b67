"""Flights that wait: densities by subordination, the same rest as without waiting, and particles."""

from functools import cache

import numpy as np

import fpsolve as fp
from cases import space_time_fractional as case
from fpsolve.claims import Exact

SUBORDINATION = "Magdziarz & Weron 2007; Kanter 1975"
PLACES = (0.0, 0.5, 1.0, 2.0)
ONE_PERCENT = 1.6276  # sqrt(n) KS of n samples from the law itself exceeds this once in a hundred runs


@cache
def path(memory=0.7, alpha=1.5):
    return case.path(memory, alpha)


@cache
def accurate(memory=0.7, alpha=1.5):
    return case.path(memory, alpha, scheme=fp.Accurate())


def off(found):
    return float(np.abs(found[0](np.array(PLACES)) - case.density(PLACES, 1.0)).max())


def late(memory=0.7):
    """p(0) at rest less p(0, t), over what is left by the power t^-memory, far out in time."""
    t, rest = 1e3, fp.stationary(case.problem(1.0))
    p = case.path(memory, times=(t, 10.0 * t))
    gaps = [abs(q(0.0) - rest(0.0)) for q in p]
    return float(np.log10(gaps[0] / gaps[1]))


@cache
def swarm(n, dt, seed):
    """Places at t = 1, sorted."""
    start = fp.Gaussian(0.0, case.S0)
    found = fp.simulate(case.problem(), start, [1.0], dt=dt, n=n, seed=seed, progress=False)
    return np.sort(found.positions[-1, :, 0])


def extrapolated(found):
    """Kolmogorov-Smirnov distance of 20,000 particles with dE = 0.04 and 0.02, over what 1 % of such runs exceed."""
    coarse, x = swarm(20_000, 0.04, 8), swarm(20_000, 0.02, 9)
    levels = [np.searchsorted(run, x, side="right") / x.size for run in (coarse, x)]
    return float(np.abs(2.0 * levels[1] - levels[0] - found[0].cdf(x)).max() * np.sqrt(x.size / 5.0) / ONE_PERCENT)


def many(found):
    """The same of a million, with a step whose bias is below what they show."""
    x = swarm(1_000_000, 0.01, 11)
    levels = (np.arange(x.size) + 0.5) / x.size
    return float(np.abs(found[0].cdf(x) - levels).max() * np.sqrt(x.size) / ONE_PERCENT)


claims = [
    Exact(
        "densities at t = 1 by subordination, 801 cells",
        path,
        {},
        off,
        0.0,
        atol=2e-5,
        wrong=dict(memory=0.701),
        source=SUBORDINATION,
    ),
    Exact(
        "the same with fluxes of high order",
        accurate,
        {},
        off,
        0.0,
        atol=2e-6,
        wrong=dict(alpha=1.5001),
        source=SUBORDINATION,
        slow=True,
    ),
    Exact(
        "what is left to relax falls like t^-memory",
        late,
        {},
        float,
        0.7,
        atol=0.01,
        wrong=dict(memory=0.72),
        source="Mittag-Leffler functions at late times",
    ),
    Exact(
        "particles that leap and wait follow the density",
        path,
        {},
        extrapolated,
        0.0,
        atol=1.0,
        wrong=dict(memory=0.35),
        source="20,000 particles, dE = 0.04 and 0.02 extrapolated",
    ),
    Exact(
        "a million particles lie in the band of 1 %",
        path,
        {},
        many,
        0.0,
        atol=1.0,
        wrong=dict(memory=0.75),
        source="1,000,000 particles, dE = 0.01",
        slow=True,
    ),
]
