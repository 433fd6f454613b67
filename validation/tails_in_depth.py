"""Tails over depth: 5 - 3/n in the density, out of SGD's reach; and none in trained tanh networks."""

from functools import cache

import numpy as np

import fpsolve as fp
from cases import tails_in_depth as case
from fpsolve.claims import Exact

SOURCE = "Ziyin, Li & Ueda, arXiv 2308.06671"
SERIES = "the density's local exponent far out, and the step of SGD"
MEASURED = "measured, this case; an open question of Ziyin, Li & Ueda, arXiv 2308.06671"


def exponent(layers):
    """The density's local exponent over the last decade of its grid."""
    return fp.local_exponent(fp.stationary(case.network(layers).problem())).value


def step(layers, temperature):
    """The size of a step of SGD where the tail begins, over its closed form."""
    net = case.network(layers, temperature)
    return case.step_there(net) / case.expected_step(net)


@cache
def diverged(layers, learning_rate):
    """The share of replicas of SGD that are lost within 2000 steps."""
    return float(case.trained(case.network(layers, learning_rate), 2000).diverged.mean())


@cache
def index(layers, real=True, replicas=40_000):
    """1/(q - 1) of the largest v: of real SGD, or of as many samples of the density."""
    net = case.network(layers, case.STABLE[layers])
    return case.far_index(case.trained(net, replicas) if real else case.drawn(net, replicas))


def tanh_index(hidden, learning_rate):
    """The extreme-value index of outputs, averaged over networks of these numbers of hidden layers.

    5 - 3/n for as many layers would have .35.
    """
    nets = [case.tanh_network(layers, learning_rate) for layers in hidden]
    return float(np.mean([case.tail(case.outputs(net, 6000)).index for net in nets]))


def spreading(learning_rate):
    """Deviation of the outputs of one hidden layer after 4000 steps over that after 2000."""
    half, end = case.outputs(case.tanh_network(1, learning_rate), 1000, 4000).positions[:, :, 0].std(axis=1)
    return float(end / half)


def lost(learning_rate):
    """The share of networks of one hidden layer that diverge within 3000 steps."""
    return float(case.outputs(case.tanh_network(1, learning_rate), 200, 3000).diverged.mean())


claims = [
    *(
        Exact(
            f"density of {layers} layers: p ~ v^-(5 - 3/n)",
            exponent,
            dict(layers=layers),
            float,
            5.0 - 3.0 / layers,
            atol=1e-3,
            wrong=dict(layers=layers + 1),
            source=SOURCE,
        )
        for layers in (2, 3, 4)
    ),
    *(
        Exact(
            f"{layers} layers: where the tail begins a step is several times v, at any learning rate",
            step,
            dict(layers=layers, temperature=2e-6),
            float,
            1.0,
            atol=0.02,
            wrong=dict(temperature=0.02),  # C is not yet alpha1 v^2 there: steps are larger still
            source=SERIES,
        )
        for layers in (2, 3)
    ),
    *(
        Exact(
            f"SGD of two layers at .7 of the critical temperature diverges: {what}",
            diverged,
            dict(layers=2, learning_rate=rate),
            float,
            share,
            atol=0.02,
            wrong=dict(learning_rate=other),
            source=MEASURED,
        )
        for what, rate, share, other in (
            ("all of it within 2000 steps", case.HOT, 1.0, case.STABLE[2]),
            ("none at a quarter of it", case.STABLE[2], 0.0, case.HOT),
        )
    ),
    *(
        Exact(
            f"SGD of {layers} layers where it does not diverge: its law ends; samples of the density go on",
            index,
            dict(layers=layers),
            float,
            0.0,
            atol=0.07,
            wrong=dict(real=False),
            source=MEASURED,
        )
        for layers in (2, 3, 4)
    ),
    Exact(
        "tanh on digits: outputs have no power law, one to three hidden layers",
        tanh_index,
        dict(hidden=(1, 2, 3), learning_rate=case.RATE),
        float,
        0.0,
        atol=0.2,
        wrong=dict(hidden=(0,), learning_rate=0.3),  # linear regression on the same pixels has one
        source=MEASURED,
        slow=True,
    ),
    Exact(
        "tanh on digits: the law of outputs is stationary at .1; at .2 it still spreads",
        spreading,
        dict(learning_rate=case.RATE),
        float,
        1.0,
        atol=0.08,
        wrong=dict(learning_rate=0.2),
        source=MEASURED,
    ),
    Exact(
        "tanh on digits, one hidden layer: everything diverges just beyond eta = 1/h, nothing just below",
        lost,
        dict(learning_rate=1.04 / case.NEURONS),
        float,
        1.0,
        atol=0.02,
        wrong=dict(learning_rate=0.96 / case.NEURONS),
        source=MEASURED,
    ),
]
