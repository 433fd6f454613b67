"""The subdiffusive well: moments by Mittag-Leffler functions, the tail of survival, and a force in physical time."""

import math
from functools import cache

import numpy as np

import fpsolve as fp
from cases import subdiffusive_well as case
from fpsolve.claims import Exact

RELAXATION = "Metzler & Klafter 2000"
TAIL = "S -> tau t^-beta/Gamma(1-beta), from the Laplace transform at 0"


@cache
def relaxation(memory=0.7):
    return case.relaxation(memory, cells=1500, times=10)


@cache
def exits(memory=0.7):
    return case.exits(memory)


@cache
def driven(memory=0.7, frequency=3.0):
    method = fp.FastL1(steps=600)
    return fp.evolve(case.driven(memory, frequency=frequency), fp.Gaussian(0.0, 0.3), [0.7, 1.5], method=method)


def off_mean(path):
    return float(np.abs(path.mean() - case.mean(path.times)).max())


def off_square(path):
    return float(np.abs(path.expect(lambda x: x * x) - case.second_moment(path.times)).max())


def slope(S):
    """d ln S/d ln t at the end."""
    return float(np.log(S[-1] / S[-11]) / np.log(S.times[-1] / S.times[-11]))


def amplitude(S):
    """S t^beta Gamma(1-beta) of the default process at the end."""
    return float(S[-1] * S.times[-1] ** 0.7 * math.gamma(0.3))


def mean_of_driven(path):
    return float(np.abs(path.mean() - [case.driven_mean(t) for t in path.times]).max())


def particles(memory=0.7, seed=5):
    """Kolmogorov-Smirnov distance of 20,000 driven particles from the density, over what one in a thousand exceeds."""
    pr, times = case.driven(memory), [1.5]
    swarm = fp.simulate(pr, fp.Gaussian(0.0, 0.3), times, dt=5e-3, n=20_000, seed=seed, progress=False)
    x = np.sort(swarm.positions[-1].ravel())
    levels = (np.arange(x.size) + 0.5) / x.size
    return float(np.abs(driven().at(1.5).cdf(x) - levels).max() * math.sqrt(x.size) / 1.9495)


def rest_apart(until, memory=0.7):
    """L1 between what a tilted well with memory comes to, and its stationary law without."""
    process = fp.Process(lambda x: 0.5 * np.sin(2.0 * x) - x, 1.0, memory=memory)
    with_it = fp.Problem(process, fp.Grid(x=(-7, 7, 300)))
    end = fp.evolve(with_it, fp.Gaussian(1.0, 0.3), [until])[-1]
    rest = fp.stationary(with_it.replace(process=process.replace(memory=1.0)))
    return float(np.abs(end.masses - rest.masses).sum())


claims = [
    Exact(
        "memory leads to the same stationary law, another way",
        rest_apart,
        dict(until=1e8),
        float,
        0.0,
        atol=5e-6,
        wrong=dict(until=1e3),
        source="dp/dt of order beta vanishes where L p does",
    ),
    Exact(
        "the mean relaxes as E_beta(-k t^beta), 1500 cells",
        relaxation,
        {},
        off_mean,
        0.0,
        atol=2e-5,
        wrong=dict(memory=0.701),
        source=RELAXATION,
    ),
    Exact(
        "the second moment relaxes as E_beta(-2 k t^beta)",
        relaxation,
        {},
        off_square,
        0.0,
        atol=6e-5,
        wrong=dict(memory=0.701),
        source=RELAXATION,
    ),
    Exact(
        "the mean does not relax exponentially",
        relaxation,
        {},
        lambda path: float(path.mean()[-1] / case.mean(path.times[-1])),
        1.0,
        atol=1e-4,
        wrong=lambda path: case.X0 * math.exp(-path.times[-1]) / case.mean(path.times[-1]),
        source=RELAXATION,
    ),
    Exact(
        "survival falls like t^-beta",
        exits,
        {},
        slope,
        -0.7,
        atol=1e-3,
        wrong=dict(memory=0.72),
        source=TAIL,
    ),
    Exact(
        "its amplitude is the mean exit time without waiting",
        exits,
        {},
        amplitude,
        1.0,
        atol=1e-3,
        wrong=dict(memory=0.702),
        source=TAIL,
    ),
    Exact(
        "a force acts while clocks run: the driven mean",
        driven,
        {},
        mean_of_driven,
        0.0,
        atol=2e-3,
        wrong=dict(frequency=3.05),
        source="Magdziarz, Weron & Klafter 2008",
    ),
    Exact(
        "driven particles follow the density",
        particles,
        {},
        float,
        0.0,
        atol=1.0,
        wrong=dict(memory=0.8),
        source="20,000 particles, dE = 0.005",
        slow=True,
    ),
    Exact(
        "free: p(0) = 1/(2 Gamma(1 - beta/2))",
        case.free,
        dict(memory=0.5, cells=2001),
        lambda path: float(path[0].values[1000] * 2.0 * math.gamma(0.75)),
        1.0,
        atol=1e-4,
        wrong=dict(memory=0.51),
        source=RELAXATION,
    ),
    Exact(
        "free: <x^2> = 2 t^beta/Gamma(1 + beta)",
        case.free,
        dict(memory=0.4),
        lambda path: float(path.var()[0] * math.gamma(1.4) / 2.0),
        1.0,
        atol=1e-8,
        wrong=dict(memory=0.401),
        source=RELAXATION,
    ),
]
