"""Annealing: the harmonic well's variance in closed form; the double well's frozen share, and what it is not."""

from functools import cache

import numpy as np

import fpsolve as fp
from cases import annealing as case
from fpsolve.claims import Exact


@cache
def harmonic(decay=4.0):
    start = fp.Gaussian(0.0, np.sqrt(case.START))
    times = np.linspace(0.0, 24.0, 9)
    return fp.evolve(case.harmonic(0.5, decay), start, times, method=fp.TRBDF2(rtol=1e-4))


@cache
def cooled(tilt=0.03, decay=40.0):
    even = fp.stationary(case.at_temperature(0.1, 0.0, 160))
    return fp.evolve(case.double_well(tilt, decay, 160), even, [0.0, 6.0 * decay], method=fp.TRBDF2(rtol=1e-3))


def away(path, decay=4.0):
    """Largest error of the variance, relative."""
    return float(np.abs(path.var() / case.variance(path.times, 0.5, case.START, decay) - 1.0).max())


def frozen(path, tilt=0.03):
    return float(case.right_shares(path, tilt)[-1])


claims = [
    Exact(
        "harmonic well: variance at all times",
        harmonic,
        {},
        away,
        0.0,
        atol=2e-3,
        wrong=dict(decay=4.1),
        source="dV/dt = -2kV + 2T(t), solved by hand",
    ),
    Exact(
        "the variance lags behind the temperature",
        harmonic,
        {},
        lambda path: path.var()[1] / case.variance(path.times[1], 0.5, case.START, 4.0),
        1.0,
        atol=2e-3,
        wrong=lambda path: case.temperature(path.times[1], decay=4.0) / 0.5 / path.var()[1],
        source="dV/dt = -2kV + 2T(t), solved by hand",
    ),
    Exact(
        "without tilt the shares stay even",
        cooled,
        dict(tilt=0.0),
        lambda path: case.right_shares(path, 0.0)[-1],
        0.5,
        atol=1e-9,
        wrong=dict(tilt=0.03),
        source="symmetry",
    ),
    Exact(
        "the frozen share is that of hops between two states, not the one at rest",
        cooled,
        {},
        lambda path: frozen(path) / case.hopping_shares(path.times)[-1],
        1.0,
        atol=0.02,
        wrong=lambda path: case.adiabatic_share(float(case.temperature(path.times[-1]))) / frozen(path),
        source="mean exit times, dP/dt = (1 - P)/tau_up - P/tau_down",
    ),
    Exact(
        "slower cooling leaves less in the shallower well, as hops say",
        cooled,
        dict(decay=80.0),
        lambda path: frozen(path) / case.hopping_shares(np.array([0.0, 480.0]), decay=80.0)[-1],
        1.0,
        atol=0.015,
        wrong=dict(decay=40.0),
        source="mean exit times, dP/dt = (1 - P)/tau_up - P/tau_down",
    ),
]
