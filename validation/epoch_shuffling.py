"""Epochs that are shuffled: the variance falls thirtyfold at their ends, threefold in their middle; no other law's."""

from functools import cache

import fpsolve as fp
from cases import diabetes_sgd as case
from fpsolve.claims import Exact

SAMPLES = 442
EPOCHS = 13  # the law is at rest after ten
REPLICAS = 20_000
MEASURED = "real SGD, over the exact law of independent draws"


@cache
def narrower(part, replacement=False):
    """The exact variance at 0.3 T_c, single samples drawn independently, over that at a part of a shuffled epoch."""
    net = case.network(0.3)
    steps = EPOCHS * SAMPLES + round(part * SAMPLES)
    run = net.sgd(steps, REPLICAS, 5, replacement=replacement, progress=False)
    return float(fp.transfer(net).var() / run.positions[-1].var())


claims = [
    Exact(
        "diabetes sex: at the ends of shuffled epochs the variance is 30 times smaller",
        narrower,
        dict(part=0.0),
        float,
        30.0,
        atol=1.2,  # four standard errors
        wrong=dict(replacement=True),
        source=MEASURED,
    ),
    Exact(
        "diabetes sex: in the middle of epochs it is 3.3 times smaller",
        narrower,
        dict(part=0.5),
        float,
        3.3,
        atol=0.2,
        wrong=dict(part=0.0),
        source=MEASURED,
        slow=True,
    ),
]
