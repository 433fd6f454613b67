"""Flights out of an interval: mean times and chances in closed form, and particles that leap out."""

import numpy as np

import fpsolve as fp
from cases import stable_exit as case
from fpsolve.claims import Exact

TIMES, CHANCES = "Getoor 1961", "Blumenthal, Getoor & Ray 1961"
ALLOWED = {0.7: 1e-5, 1.0: 1e-5, 1.5: 2e-5}


def off_time(alpha):
    return lambda tau: float(np.abs(tau.values - case.mean_time(tau.grid.nodes[0], alpha)).max())


def off_chance(alpha):
    return lambda h: float(np.abs(h.values - case.upper_chance(h.grid.nodes[0], alpha)).max())


def particles(alpha=1.0, start=0.5):
    """The share of 20,000 flights from `start` that leave above."""
    swarm = fp.simulate(case.problem(alpha, cells=201), fp.Gaussian(start, 1e-3), [12.0], dt=0.01, n=20_000, seed=3,
                        progress=False)  # fmt: skip
    assert np.all(swarm.absorbed)
    return float(np.mean(swarm.positions[-1, :, 0] > 0.0))


claims = [
    *(
        Exact(
            f"mean time at alpha = {alpha:g}, 801 cells: largest error",
            case.times,
            dict(alpha=alpha),
            off_time(alpha),
            0.0,
            atol=atol,
            wrong=dict(scale=1.0002),
            source=TIMES,
        )
        for alpha, atol in ALLOWED.items()
    ),
    *(
        Exact(
            f"chance to leave above at alpha = {alpha:g}, 801 cells: largest error",
            case.chances,
            dict(alpha=alpha),
            off_chance(alpha),
            0.0,
            atol=atol,
            wrong=dict(drift=1e-4),
            source=CHANCES,
        )
        for alpha, atol in ALLOWED.items()
    ),
    Exact(
        "two of three flights from 1/2 leave above at alpha = 1",
        particles,
        {},
        float,
        2.0 / 3.0,
        atol=0.011,  # 3.3 standard errors
        wrong=dict(start=0.55),
        source=f"{CHANCES}: arcsine law",
    ),
]
