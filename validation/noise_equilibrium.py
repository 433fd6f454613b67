"""Noise equilibria: two layers and a chain of three from three starts within 2 %; charges path by path to rounding."""

from functools import cache, partial

import numpy as np

from cases import noise_equilibrium as case
from fpsolve.claims import Exact

SOURCE = "Ziyin, Wang, Li & Wu, arXiv 2402.07193"
TOLERANCE = 0.02


@cache
def solved(matrices):
    return case.solve(matrices)


def imbalance(start, results):
    """|difference|/|mean| of both sides of the equilibrium of two layers."""
    return case.equilibrium().imbalance(case.layers(results[start]))


def worst(start, results):
    """The largest relative deviation of a chain's singular values from the closed form."""
    law = case.equilibrium(3)
    first, last, between = law.measured(case.layers(results[start], 3))
    ratios = [first / law.first, last / law.last, between / law.between]
    return float(max(np.abs(ratio - 1.0).max() for ratio in ratios))


def gap(momentum=0.0):
    """The largest departure of one step's charges from their law, over |w|^2: 400 steps of 8 replicas."""
    net = case.network(3, 0.02, momentum)
    weights = net.sgd(400, 8, seed=1, start="xavier", record=range(401), observe="weights").positions
    size = np.square(weights).sum(axis=-1)[:-1, :, None]
    return float((np.abs(net.noether_gap(weights[:-1], weights[1:])) / size).max())


claims = [
    *(
        Exact(
            f"two layers balance, from {start}",
            solved,
            dict(matrices=2),
            partial(imbalance, start),
            0.0,
            atol=TOLERANCE,
            wrong=partial(imbalance, "gradient descent"),
            source=SOURCE,
        )
        for start in case.starts()
    ),
    *(
        Exact(
            f"singular values of a chain of three, from {start}",
            solved,
            dict(matrices=3),
            partial(worst, start),
            0.0,
            atol=TOLERANCE,
            wrong=partial(worst, "gradient descent"),
            source=SOURCE,
            slow=True,
        )
        for start in case.starts()
    ),
    Exact(
        "charges change by eta^2 g'A g in every step",
        gap,
        {},
        float,
        0.0,
        atol=5e-15,
        wrong=dict(momentum=0.3),
        source=SOURCE,
    ),
]
