"""Diagonal networks: means and variances by depth, the identity of depth 1, tail exponents."""

import fpsolve as fp
from cases import diagonal_network as case
from fpsolve.claims import Exact, Published

PAPER = "Ziyin, Li & Ueda, arXiv 2308.06671"
TABLE = {  # depth, temperature: mean and variance for alpha = (2, 2, 3), beta = (1, 1), by 30-digit quadrature
    (0, 0.05): (1.0, 0.0555555556),
    (0, 0.3): (1.0, 0.75),
    (1, 0.05): (0.937630829186, 0.119801794668),
    (1, 0.1): (0.844936470935, 0.251272947281),
    (1, 0.2): (0.580905119904, 0.372096681717),
    (1, 0.3): (0.182091573119, 0.194206516705),
    (2, 0.05): (0.8701428104, 0.1546992589),
    (2, 0.1): (0.7161745306, 0.2293262079),
    (2, 0.2): (0.4605923265, 0.2362349967),
    (2, 1.0): (0.0303345513, 0.0208135810),
}
PRINTED = {0: 6e-11, 1: 5e-12, 2: 6e-11}  # what the digits given allow, by depth


def density(results):
    """The computed density among the case's results."""
    return results["stationary"]


def tabulated(depth, temperature):
    """Mean and variance at one depth and temperature; at depth 0 the mean is 1 at every temperature: no control."""
    expected = dict(zip(("mean", "var"), TABLE[depth, temperature], strict=True))
    return [statistic(name, depth, temperature, expected[name]) for name in ("mean", "var") if depth or name == "var"]


def statistic(name, depth, temperature, expected):
    """The claim on one number of the table."""
    return Exact(
        f"{name} at depth {depth}, T = {temperature:g}",
        case.solve,
        dict(depth=depth, temperature=temperature),
        lambda r: getattr(density(r), name)(),
        expected,
        atol=PRINTED[depth],
        wrong=dict(temperature=1.01 * temperature),
        source=PAPER,
    )


def identity(temperature):
    """T alpha1 <v^2> + (beta1 - 2 alpha2 T) <v> = beta2 - alpha3 T at depth 1."""

    def left_minus_right(results):
        p = density(results)
        return temperature * 2 * p.moment(2) + (1 - 4 * temperature) * p.mean() - (1 - 3 * temperature)

    return Exact(
        f"moment identity at T = {temperature:g}",
        case.solve,
        dict(depth=1, temperature=temperature),
        left_minus_right,
        0.0,
        atol=1e-10,
        wrong=dict(temperature=1.001 * temperature),
        source=PAPER,
    )


def tail(depth):
    """q = 5 - 3/n for n = depth + 1 layers."""
    return Published(
        f"tail exponent at depth {depth}",
        case.solve,
        dict(depth=depth, temperature=0.2),
        lambda r: density(r).tail_exponent(),
        5 - 3 / (depth + 1),
        uncertainty=1e-6,
        wrong=dict(depth=depth + 1),
        source=PAPER + ", section 4",
    )


def exponent_at_zero(problem):
    """a in p ~ v^a at v = 0, as the refusal of a density without finite mass tells it."""
    try:
        return -fp.stationary(problem).tail_exponent(end="lower")
    except fp.NotNormalizable as refusal:
        return refusal.exponent


def condensation(temperature):
    """beta2/(2 T alpha3) - 3/2 at depth 1: below -1 above T_c = 1/3, where all mass condenses on v = 0."""
    return Exact(
        f"exponent at v = 0, T = {temperature:g}",
        case.problem,
        dict(depth=1, temperature=temperature),
        exponent_at_zero,
        1 / (6 * temperature) - 1.5,
        atol=1e-6,
        wrong=dict(temperature=1.01 * temperature),
        source=PAPER,
    )


claims = [
    *(condensation(temperature) for temperature in (0.3, 0.34, 0.4, 1.0)),
    *(claim for key in TABLE for claim in tabulated(*key)),
    *(identity(temperature) for temperature in (0.05, 0.1, 0.2, 0.3)),
    *(tail(depth) for depth in (1, 2, 4)),
]
