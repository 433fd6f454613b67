"""Where the variance turns over, from the computed densities, against the maxima of the closed forms."""

from cases import fluctuation_inversion as case
from fpsolve.claims import Exact

SOURCE = "Ziyin, Li & Ueda, arXiv 2308.06671; maxima by 30-digit quadrature"
MAXIMA = {  # what: depth, bracket, of a single weight?, temperature, largest variance
    "v at depth 1": (1, (0.15, 0.26), False, 0.202396, 0.372174),
    "v at depth 2": (2, (0.1, 0.2), False, 0.150369, 0.247320),
    "a single weight at depth 1": (1, (0.2, 0.29), True, 0.251301, 0.182535),
}


def turn(what):
    """Two claims: the temperature, and the largest variance."""
    depth, (low, high), of_weight, temperature, variance = MAXIMA[what]
    given = dict(depth=depth, low=low, high=high, of_weight=of_weight)
    return [
        Exact(
            f"temperature of the largest variance of {what}",
            case.hottest,
            given,
            lambda found: found[0],
            temperature,
            atol=2e-5,
            wrong=lambda found: 1.001 * found[0],
            source=SOURCE,
        ),
        Exact(
            f"largest variance of {what}",
            case.hottest,
            given,
            lambda found: found[1],
            variance,
            atol=2e-6,
            wrong=dict(depth=3 - depth, low=0.1, high=0.16) if not of_weight else dict(of_weight=False),
            source=SOURCE,
        ),
    ]


claims = [claim for what in MAXIMA for claim in turn(what)]
