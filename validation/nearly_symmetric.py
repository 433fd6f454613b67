"""Noise and symmetry breaking balance on average; for strong breaking the displacement is that of first order."""

import numpy as np

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


def at_balance(strength, printed_strength=None, of="weights", temperature=0.05):
    """Where noise and breaking balance at the minimum, over the printed first order.

    s2 Tr[Sigma A]/(zeta h |A theta'|), 2 s2 Tr[Sigma A]/(zeta h); s2 = T/2, Tr[Sigma A] = -4 C z0, h = 4 (u^2 + w^2).
    """
    m = case.model(strength, temperature)
    v, z0 = m.minimum, m.charge
    u, w = (float(part) for part in m.weights(v, z0))
    pull = 0.5 * temperature * (-4.0 * float(m.moments.gradient_variance(v)) * z0)
    first = pull / ((printed_strength or strength) * 4.0 * (u * u + w * w))
    if of == "charge":
        return (m.balanced_charge() - z0) / (2.0 * first)
    moved, along = np.array(m.weights(v, m.balanced_charge())) - (u, w), np.array([u, -w])
    return float(moved @ along / first)  # both times |A theta'|


def off_eigenvector(stiffness=4.0, strength=2.0):
    """|H A theta' - zeta h A theta'| at the minimum over the latter, H by differences of the whole loss's gradient."""
    m = case.model(strength)
    slope, step = m.weights_process().drift, 1e-5
    theta = np.array([float(part) for part in m.weights(m.minimum, m.charge)])
    along = theta * (1.0, -1.0)
    high, low = (np.array(slope(*(theta + sign * step * along))) for sign in (1.0, -1.0))
    law = strength * stiffness * (theta @ theta) * along
    return float(np.linalg.norm((low - high) / (2.0 * step) - law) / np.linalg.norm(law))


claims = [
    *(
        Exact(
            f"strong breaking: where noise balances it the {of} {law}",
            at_balance,
            dict(strength=1000.0, of=of),
            float,
            1.0,
            atol=1e-3,
            wrong=dict(printed_strength=1005.0),
            source=SOURCE,
        )
        for of, law in (
            ("weights", "have moved by s2 Tr[Sigma A]/(zeta h |A theta'|), along A theta'"),
            ("charge", "has moved by 2 s2 Tr[Sigma A]/(zeta h)"),
        )
    ),
    Exact(
        "A theta' is an eigenvector of the Hessian, of eigenvalue zeta h",
        off_eigenvector,
        {},
        float,
        0.0,
        atol=1e-6,
        wrong=dict(stiffness=4.001),
        source=SOURCE,
    ),
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
