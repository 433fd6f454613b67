"""Noise and symmetry breaking balance on average; for strong breaking the displacement is that of first order."""

from cases import nearly_symmetric as case
from fpsolve.claims import Exact

SOURCE = "Ziyin, Wang, Li & Wu, arXiv 2402.07193"


def mean_rate(results, strength=1.0):
    """<dz/dt>, 0 in a stationary state: <zeta grad L1' A theta> = (T/2) <Tr[Sigma A]>."""
    return results["stationary"].expect(case.model(strength).charge_rate)


def over_first_order(strength, temperature):
    """The displacement over -T C z0/(zeta s)."""
    p = case.fp.stationary(case.problem(strength, temperature))
    return case.displacement(p) / case.model(strength, temperature).displacement


claims = [
    Exact(
        "the charge is at rest on average",
        case.solve,
        {},
        mean_rate,
        0.0,
        atol=5e-4,
        wrong=lambda results: mean_rate(results, strength=1.01),
        source=SOURCE,
    ),
    Exact(
        "strong breaking: displacement over its first order",
        over_first_order,
        dict(strength=5.0, temperature=0.01),
        lambda ratio: ratio,
        1.0,
        atol=0.015,
        wrong=dict(strength=5.0, temperature=0.05),
        source=SOURCE,
        slow=True,
    ),
]
