"""A network with stable gradient noise: tail exponents from Gamma functions, beside those of Gaussian noise."""

from functools import cache

from cases import stable_diagonal_network as case
from fpsolve.claims import Exact, Particles

POWER = "v^-q must be stationary far out: Riesz derivatives of powers"
GAUSS = "Ziyin, Li & Ueda, arXiv 2308.06671: q = 2 + beta1/(T alpha1)"


@cache
def density(alpha=1.5, size=0.3, growing=True):
    return case.density(alpha, size, growing)


def exponent(p):
    return p.ends[0][1].exponent


def tail(alpha, size):
    return Exact(
        f"tail exponent at alpha = {alpha:g}, size {size:g}",
        density,
        dict(alpha=alpha, size=size),
        exponent,
        case.exponent(alpha, size),
        atol=2e-3,
        wrong=dict(size=1.2 * size),
        source=POWER,
    )


claims = [
    tail(1.2, 0.5),
    tail(1.5, 0.3),
    tail(1.5, 0.5),
    tail(1.8, 0.5),
    Exact(
        "jumps that do not grow leave the tail 1 + alpha, lighter than those that do",
        density,
        dict(growing=False),
        exponent,
        2.5,
        atol=2e-3,
        wrong=dict(growing=True),
        source="alpha + c - 1, c = 2",
    ),
    Exact(
        "Gaussian noise of the same size has a tail of another kind",
        case.gaussian,
        dict(size=0.5),
        lambda p: p.density.tail_exponent(),
        2.0 + 2.0 / (0.5**2 * 2.0),
        atol=1e-6,
        wrong=dict(size=0.51),
        source=GAUSS,
    ),
    Particles(
        "particles follow the density",
        case.problem,
        dict(alpha=1.5, size=0.3),
        wrong=dict(size=0.4),
        seed=5,
        until=4.0,
        n=20_000,
        dt=(0.04, 0.02),
    ),
]
