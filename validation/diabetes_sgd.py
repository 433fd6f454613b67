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


def trained(fraction):
    """Real minibatch SGD, run until it forgets its start."""
    return case.solve(fractions=(fraction,))[f"sgd_{fraction:g}"]


def against_sgd(fraction, wrong):
    """The densities at two temperatures against the replicas of one; the law's own error is 2.5e-4 to 7.5e-4."""
    return Particles(
        f"real SGD follows the density at {fraction:g} T_c",
        case.problem,
        dict(fraction=fraction),
        wrong=dict(fraction=wrong),
        sgd=trained,
        bias=1e-3,
    )


def trained_in_numbers(fraction):
    """A hundred thousand replicas: chance then hides no more than the law's own error."""
    return case.network(fraction).sgd(31_000, 100_000, seed=5, threads=2, progress=False)


claims = [
    Particles(
        "100,000 runs of real SGD follow the density at 0.3 T_c",
        case.problem,
        dict(fraction=0.3),
        wrong=dict(fraction=0.31),
        sgd=trained_in_numbers,
        bias=2.5e-4,
        slow=True,
    ),
    statistic("mean", 0.3, 0.03014358766, 1e-11),
    statistic("var", 0.3, 0.0007788186766, 1e-12),
    statistic("mean", 0.6, 0.01722492264, 1e-11),
    against_sgd(0.3, wrong=0.4),
    against_sgd(0.6, wrong=0.7),
]
