"""The law of balance: the late rate of ln z in closed form, and v in the law of the balanced network."""

from functools import cache

from cases import law_of_balance as case
from fpsolve.claims import Exact

SOURCE = "Ziyin, Li & Ueda, arXiv 2308.06671"


@cache
def solved(temperature=0.3, weight_decay=0.0):
    return case.solve(temperature, weight_decay)


def inside_one(results):
    """P(v < 1) at the end."""
    model = case.pair()
    return results["densities"][-1].probability(lambda zeta, q: 1.0 - model.v(zeta, q))


def rate(weight_decay, wrong):
    """d<ln z>/dt from t = 6 to 8, v up to 1000 at z = exp(-40)."""
    expected = case.pair(weight_decay=weight_decay).rate_of_ln_z
    return Exact(
        f"late rate of ln z, weight decay {weight_decay:g}",
        solved,
        dict(weight_decay=weight_decay),
        case.late_rate,
        expected,
        atol=5e-3 * abs(expected),
        wrong=wrong,
        source=SOURCE,
        slow=weight_decay > 0.0,
    )


claims = [
    rate(0.0, wrong=dict(temperature=0.33)),
    rate(0.1, wrong=dict(weight_decay=0.12)),
    Exact(
        "the rate's closed form for the reference moments",
        case.pair,
        {},
        lambda pair: pair.rate_of_ln_z,
        -1.41188,
        atol=5e-6,
        wrong=dict(temperature=0.301),
        source=SOURCE,
    ),
    Exact(
        "late v has the balanced law: P(v < 1)",
        solved,
        {},
        inside_one,
        float(case.pair().exact_density().density.cdf(1.0)),
        atol=2e-3,
        wrong=lambda r: r["densities"][2].probability(lambda zeta, q: 1.0 - case.pair().v(zeta, q)),
        source=SOURCE,
    ),
]
