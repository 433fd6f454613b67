"""Strict saddles are left in the logarithm of the noise, degenerate ones in its power; and so are small networks."""

import numpy as np

from cases import saddle_escape as case
from fpsolve.claims import Exact

LINE = "int exp(-V/D) int exp(V/D)/D on the whole line"
FLOW = "the deterministic path, with the noise's mean effect"


def line(power, D):
    """The control has a tenth less noise."""
    expected = case.late(power, D)
    return Exact(
        f"along y alone, power {power}",
        case.on_the_line,
        dict(power=power, D=D),
        float,
        expected,
        atol=1e-3 * expected,
        wrong=dict(D=0.9 * D),
        source=LINE,
    )


def slope(power, low=1e-3, high=1e-2, of=np.log):
    """d of(tau)/d ln D in the plane, from two noises."""
    times = np.array([case.escape_time(power, D, cells=160) for D in (low, high)])
    return float(np.diff(of(times))[0] / np.log(high / low))


def at(v0, function=float):
    """A function of the time from v0."""
    return lambda tau: float(function(tau(v0)))


claims = [
    line(2, 1e-5),
    line(4, 1e-5),
    Exact(
        "strict saddle in the plane: d tau/d ln D",
        slope,
        dict(power=2, of=np.asarray),
        float,
        -0.5,
        atol=0.02,
        wrong=dict(power=4),
        source=LINE,
    ),
    Exact(
        "degenerate saddle in the plane: d ln tau/d ln D",
        slope,
        dict(power=4),
        float,
        -0.5,
        atol=0.02,
        wrong=dict(power=2),
        source=LINE,
    ),
    Exact(
        "two layers: time for each factor e of the start",
        case.network,
        dict(depth=1, temperature=0.02),
        lambda tau: (tau(1e-6) - tau(1e-5)) / np.log(10.0),
        1.0 / 3.76,
        atol=1e-6,
        wrong=dict(temperature=0.0201),
        source="1/(4 (beta2 - T alpha3))",
    ),
    Exact(
        "three layers: the power of the start",
        case.network,
        dict(depth=2, temperature=0.02),
        lambda tau: np.log10(tau(1e-8) / tau(1e-7)),
        1.0 / 3.0,
        atol=2e-3,
        wrong=dict(depth=1),
        source="dv/dt = 6 beta2 v^(4/3)",
    ),
    Exact(
        "three layers: the time itself",
        case.network,
        dict(depth=2, temperature=0.02),
        lambda tau: (tau(1e-8) - tau(1e-7)) / (1e-8 ** (-1 / 3) - 1e-7 ** (-1 / 3)),
        0.5,
        atol=3e-4,  # the noise's mean effect adds a logarithm
        wrong=dict(depth=1),
        source="dv/dt = 6 beta2 v^(4/3)",
    ),
]
