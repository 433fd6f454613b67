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


def exact_law(name, quantity, expected, atol, wrong, **how):
    """A number of the law of the discrete steps, without Monte Carlo."""
    return Exact(
        name, case.network, how, lambda net: quantity(net, case.fp.transfer(net)), expected, atol=atol, wrong=wrong,
        source="collocation of the steps' Markov operator, independently computed",
    )  # fmt: skip


def departure(net, exact):
    """KS distance between the Fokker-Planck density and the law of the discrete steps."""
    return case.fp.distance(exact.stationary(), case.fp.stationary(net.problem()), "KS")


def departure_corrected(net, exact):
    """The same of the density corrected for the learning rate and the third cumulant."""
    corrected = case.fp.models.FiniteRate(net.random_map()).third_order()
    return case.fp.distance(exact.stationary(), corrected, "KS")


claims = [
    exact_law(
        "mean of the discrete law at 0.3 T_c",
        lambda net, e: e.mean(),
        0.03014061325866,
        1e-13,
        dict(fraction=0.3001),
        fraction=0.3,
    ),
    exact_law(
        "variance of the discrete law at 0.3 T_c",
        lambda net, e: e.var(),
        7.794603755777e-4,
        1e-14,
        dict(fraction=0.3001),
        fraction=0.3,
    ),
    exact_law(
        "exponent of the discrete law toward 0 at 0.3 T_c",
        lambda net, e: e.end_slope,
        1.169889,
        1e-6,
        lambda net: net.tail_exponent,
        fraction=0.3,
    ),
    *(
        exact_law(
            f"the Fokker-Planck density is off by KS {ks:g} at {fraction:g} T_c",
            departure,
            ks,
            0.1 * ks,
            lambda net: departure_corrected(net, case.fp.transfer(net)),
            fraction=fraction,
        )
        for fraction, ks in ((0.3, 2.5e-4), (0.6, 7.5e-4), (0.8, 1.5e-3))
    ),
    *(
        exact_law(
            f"corrected, the density is off by KS 5e-5 at most at {fraction:g} T_c",
            departure_corrected,
            0.0,
            5e-5,
            lambda net: departure(net, case.fp.transfer(net)),
            fraction=fraction,
        )
        for fraction in (0.3, 0.6)
    ),
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
