"""Two parameters: Ito is near, a constant tensor knows the rotation, isotropic noise does not; the pair collapses."""

from functools import cache

import numpy as np

from cases import sgd_ladder_2d as case
from fpsolve.claims import Exact

fp = case.fp
REAL = "real SGD"


@cache
def judged(system="driven"):
    """The ladder of a system with fewer samples and replicas."""
    return fp.ladder(case.model(system, samples=60), n=10_000, progress=False)


def turning(theory):
    """A theory's rotation less the replicas', in standard errors."""
    return lambda found: (found.row(theory).rotation - found.rotation.value) / found.rotation.error


def turns():
    """Im eig(Q/S) of the linear process at the driven model's minimum."""
    return case.model("driven", samples=60).gaussian().rotation_frequency


def one_direction(mine):
    """The smaller eigenvalue of D at the minimum over the larger one."""
    small, large = np.linalg.eigvalsh(mine.gaussian().diffusion)
    return small / large


claims = [
    Exact(
        "driven: the constant tensor's rotation is the replicas'",
        judged,
        {},
        turning("anisotropic Langevin"),
        0.0,
        atol=4.0,
        wrong=turning("isotropic Langevin"),
        source=REAL,
        slow=True,
    ),
    Exact(
        "driven: the rotation on the grid is Im eig(Q/S)",
        judged,
        {},
        lambda found: abs(found.row("gaussian").rotation) / turns(),
        1.0,
        atol=0.015,
        wrong=lambda found: abs(found.row("tempered posterior").rotation) / turns(),
        source="Lyapunov's equation",
        slow=True,
    ),
    Exact(
        "driven: Ito is within .04 deviations of SGD, isotropic noise is not",
        judged,
        {},
        lambda found: found.row("Ito").error,
        0.0,
        atol=0.04,
        wrong=lambda found: found.row("isotropic Langevin").error,
        source=REAL,
        slow=True,
    ),
    Exact(
        "the pair's noise has one direction: no density in two parameters",
        lambda pair: case.balanced_pair() if pair else case.model("aligned"),
        dict(pair=True),
        one_direction,
        0.0,
        atol=1e-9,
        wrong=dict(pair=False),
        source="law of balance",
    ),
]
