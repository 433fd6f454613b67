"""Double well: both routes give exp(-L/T)/Z, and particles fill both wells alike."""

import numpy as np

from cases import double_well as case
from fpsolve.claims import Exact, Particles


def disagreement(results):
    """Largest difference of ln p between the two routes."""
    return float(np.abs(results["from the drift"].log_values - results["from the loss"].log_values).max())


def off_boltzmann(results, temperature=0.1):
    """Largest departure of ln p + L/T from a constant."""
    p = results["from the loss"]
    rest = p.log_values + case.loss(p.grid.nodes[0]) / temperature
    return float(rest.max() - rest.min())


claims = [
    Exact(
        "drift and loss give one density",
        case.solve,
        dict(temperature=0.1),
        disagreement,
        0.0,
        atol=1e-11,
        wrong=lambda r: float(np.abs(r["from the drift"].log_values - 1.001 * r["from the loss"].log_values).max()),
        source="detailed balance",
    ),
    Exact(
        "ln p + L/T is constant",
        case.solve,
        dict(temperature=0.1),
        off_boltzmann,
        0.0,
        atol=1e-11,
        wrong=dict(temperature=0.11),
        source="Gibbs measure",
    ),
    Particles(
        "particles fill both wells",
        case.problem,
        dict(temperature=0.25),
        until=12.0,
        n=20_000,
        dt=(2e-2, 1e-2),
        seed=11,
        wrong=dict(temperature=1.0),
        slow=True,
    ),
]
