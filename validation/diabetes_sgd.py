"""Real data: the moments and means of the law, and minibatch SGD within what chance allows."""

from cases import diabetes_sgd as case
from fpsolve.claims import Exact, Particles

SOURCE = "30-digit quadrature of the balanced law"


def statistic(name, fraction, expected, atol):
    """Mean or variance of the Fokker-Planck density at a fraction of T_c."""
    return Exact(
        f"{name} of v at {fraction:g} T_c",
        case.problem,
        dict(fraction=fraction),
        lambda problem: getattr(case.fp.stationary(problem), name)(),
        expected,
        atol=atol,
        wrong=dict(fraction=1.01 * fraction),
        source=SOURCE,
    )


claims = [
    statistic("mean", 0.3, 0.03014358766, 1e-11),
    statistic("var", 0.3, 0.0007788186766, 1e-12),
    statistic("mean", 0.6, 0.01722492264, 1e-11),
]
