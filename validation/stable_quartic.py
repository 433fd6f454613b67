"""The quartic well under flights: its closed form with Cauchy jumps, tails, and what suppressed jumps lose."""

from functools import cache

import numpy as np

from cases import stable_quartic as case
from fpsolve.claims import Exact

PAPER = "Chechkin et al., Phys. Rev. E 67, 010102 (2003)"


@cache
def density(alpha=1.0, power=4.0, ends="open", cells=1601):
    return case.density(alpha, power, ends, cells)


def off(p):
    return float(np.abs(p.values - case.cauchy(p.grid.nodes[0])).max())


def tail_off(p):
    """Largest relative error between 1 and 1000."""
    x = p.grid.nodes[0]
    near = (x > 1.0) & (x < 1e3)
    return float(np.abs(p.values / case.cauchy(x) - 1.0)[near].max())


def exponent(p):
    return p.tail_exponent(window=case.MEASURED)


def tail(alpha, power):
    return Exact(
        f"tail exponent alpha + c - 1: alpha = {alpha:g}, c = {power:g}",
        density,
        dict(alpha=alpha, power=power),
        exponent,
        alpha + power - 1.0,
        atol=5e-3,
        wrong=dict(alpha=alpha + 0.05),
        source=PAPER,
    )


claims = [
    Exact(
        "Cauchy jumps: 1/(pi (1 - x^2 + x^4)), 4001 cells",
        density,
        dict(cells=4001),
        off,
        0.0,
        atol=1e-7,
        wrong=dict(alpha=1.0001),
        source=PAPER,
    ),
    Exact(
        "its tail out to 1000; suppressed jumps are off by more than half of it",
        density,
        dict(cells=4001),
        tail_off,
        0.0,
        atol=1e-5,
        wrong=dict(ends="reflecting"),
        source=PAPER,
    ),
    Exact(
        "two maxima of height 4/(3 pi)",
        density,
        {},
        lambda p: float(p(np.sqrt(0.5))),
        4.0 / (3.0 * np.pi),
        atol=1e-5,
        wrong=dict(alpha=1.01),
        source=PAPER,
    ),
    tail(0.7, 4.0),
    tail(1.0, 4.0),
    tail(1.5, 4.0),
    tail(1.0, 3.0),
    Exact(
        "the tail's amplitude is C_alpha/alpha at alpha = 1.5",
        density,
        dict(alpha=1.5),
        lambda p: float(p(300.0) * 300.0**4.5 / case.amplitude(1.5)),
        1.0,
        atol=2e-3,
        wrong=dict(power=4.01),
        source=PAPER,
    ),
]
