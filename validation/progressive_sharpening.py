"""Sharpness under SGD: its closed form at the noise equilibrium, both directions, weight decay, a warm-up's clock."""

from functools import cache

import numpy as np

from cases import progressive_sharpening as case
from fpsolve.claims import Exact

SOURCE = "Ziyin, Wang, Li & Wu, arXiv 2402.07193"
MEASURED = "measured, this case; Ziyin, Wang, Li & Wu, arXiv 2402.07193, for the directions"


@cache
def ended(start="Xavier", ratio=0.1, learning_rate=0.01, weight_decay=0.0, duration=2.0):
    """Tr H at the end of SGD from a start."""
    net = case.network(ratio, learning_rate, weight_decay)
    return case.late(case.trained(net, start, round(duration / learning_rate**2), 32))


def extrapolated(start, ratio, weight_decay=0.0):
    """To a learning rate of 0, from .01 and .005, over the closed form."""
    found = [ended(start, ratio, rate, weight_decay) for rate in (0.01, 0.005)]
    return (2.0 * found[1] - found[0]) / case.at_equilibrium(case.samples(0.1))


@cache
def gained(start, ratio, stochastic=True):
    """Tr H at the end of SGD, over where gradient descent from the same weights rests."""
    still = case.late(case.descent(case.network(ratio), start, 32))
    return ended(start, ratio, duration=4.0) / still if stochastic else 1.0


def delay(by_steps):
    """Tr H after a warm-up over that of a constant rate, on the flank: at equal noise, or at an equal step."""
    net, (ramp, rate) = case.network(), case.warmed_up(0.01)
    constant = case.trained(net, "Xavier", 16000, 64)
    warm = case.trained(net, "Xavier", 16000 + ramp - round(case.WARM_UP / 1e-4), 64, rate)
    x, y = (constant.steps, warm.steps) if by_steps else (case.clock(constant), case.clock(warm, rate))
    flank = np.linspace(0.35, 0.5, 20) * x[-1]
    return float(np.mean(np.interp(flank, y, warm.mean()) / np.interp(flank, x, constant.mean())))


def curvature(ratio, cells=1e-3):
    """Tr H by differences of the network's own loss, over the formula; random weights, not at a minimum."""
    net = case.network(ratio)
    theta = net.initial("xavier", 1, seed=2)
    steps = cells * np.eye(theta.size)
    rise = net.loss(theta + steps) + net.loss(theta - steps) - 2.0 * net.loss(theta)
    return float(rise.sum() / cells**2 / case.sharpness(net, theta)[0])


claims = [
    Exact(
        "the formula is the trace of the loss's Hessian",
        curvature,
        dict(ratio=0.1),
        float,
        1.0,
        atol=1e-6,
        wrong=lambda found: 1.01 * found,
        source="two layers are linear in each",
    ),
    *(
        Exact(
            f"SGD from {start} ends at the closed form",
            extrapolated,
            dict(start=start, ratio=0.1),
            float,
            1.0,
            atol=0.02,
            wrong=dict(ratio=0.08),
            source=SOURCE,
        )
        for start in case.STARTS
    ),
    Exact(
        "even label noise leads to the flattest minimum of all",
        lambda ratio: ended(ratio=ratio) / case.flattest(case.samples(ratio)),
        dict(ratio=1.0),
        float,
        1.0,
        atol=0.02,
        wrong=dict(ratio=0.3),
        source=SOURCE,
    ),
    Exact(
        "weight decay balances the layers, whatever the noise",
        lambda weight_decay: ended(ratio=0.03, weight_decay=weight_decay, duration=1.0) / case.flattest(case.samples()),
        dict(weight_decay=case.DECAY),
        float,
        1.0 - case.DECAY,
        atol=0.02,
        wrong=dict(weight_decay=0.0),
        source=SOURCE,
    ),
    Exact(
        "Kaiming is flattened: .72 of where gradient descent rests, at a label noise of .1",
        gained,
        dict(start="Kaiming", ratio=0.1),
        float,
        0.72,
        atol=0.02,
        wrong=dict(stochastic=False),
        source=MEASURED,
    ),
    Exact(
        "Xavier is sharpened, slightly: 1.11 of where gradient descent rests, at a label noise of .02",
        gained,
        dict(start="Xavier", ratio=0.02),
        float,
        1.11,
        atol=0.02,
        wrong=dict(start="Xavier", ratio=0.1),
        source=MEASURED,
    ),
    Exact(
        "a warm-up only delays: equal sharpness at an equal sum of squared learning rates",
        delay,
        dict(by_steps=False),
        float,
        1.0,
        atol=0.03,
        wrong=dict(by_steps=True),
        source=MEASURED,
    ),
]
