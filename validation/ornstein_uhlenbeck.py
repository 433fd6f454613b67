"""Ornstein-Uhlenbeck: the variance is D/k, the tail is a Gaussian's, and particles agree."""

import numpy as np

from cases import ornstein_uhlenbeck as case
from fpsolve.claims import Exact, Particles


def log_tail(results):
    """ln p at the outermost node over the Gaussian's, cell by cell the worst."""
    p, exact = results["stationary"], results["exact"]
    return float(np.abs(p.log_values - exact.log(p.grid.nodes[0])).max())


claims = [
    Exact(
        "variance is D/k",
        case.solve,
        dict(k=2.0),
        lambda r: r["stationary"].var(),
        0.25,
        atol=1e-9,
        wrong=dict(k=2.2),
        source="Risken 1996, eq. 5.28",
    ),
    Exact(
        "ln p is a parabola at every node",
        case.solve,
        dict(k=2.0),
        log_tail,
        0.0,
        atol=1e-12,
        wrong=lambda r: float(np.abs(r["stationary"].log_values + r["exact"].grid.nodes[0] ** 2).max()),
        source="Risken 1996, eq. 5.28",
    ),
    Particles(
        "particles relax to the Gaussian",
        case.problem,
        dict(k=2.0),
        until=4.0,
        n=20_000,
        dt=(2e-2, 1e-2),
        seed=7,
        wrong=dict(k=4.0),
    ),
]
