"""Norms under SGD: r^4 grows by 2 T s, settles at T s/(4 gamma), path by path upward; gradient descent keeps it."""

from functools import cache, partial

import numpy as np

from cases import scale_invariant_growth as case
from fpsolve.claims import Exact

SOURCE = "Ziyin, Wang, Li & Wu, arXiv 2402.07193"


@cache
def run(name, weight_decay=0.0, stochastic=True, learning_rate=0.05, duration=400.0):
    net = case.network(name, learning_rate, weight_decay)
    return case.trained(net if stochastic else net.replace(batch=None), case.starts(32), duration)


def growth(name, stochastic=True):
    """The slope of <r^4> over the later half, over 2 T s; of the group where they differ most."""
    swarm = run(name, stochastic=stochastic)
    late = slice(len(swarm.times) // 2, None)
    slope = np.polyfit(swarm.times[late], case.fourth_power(name, swarm)[late], 1)[0]
    ratios = slope / case.expected_slope(name, run(name))
    return float(ratios[np.argmax(np.abs(ratios - 1.0))])


def settled(name, weight_decay=case.DECAY, learning_rate=0.01):
    """<r^4> over the later half, over T s/(4 gamma) at the weight decay of the case."""
    swarm = run(name, weight_decay, True, learning_rate, 200.0)
    late = case.fourth_power(name, swarm)[len(swarm.times) // 2 :].mean(axis=0)
    law = case.expected_slope(name, swarm) / (8.0 * case.DECAY)
    ratios = late / law
    return float(ratios[np.argmax(np.abs(ratios - 1.0))])


def gap(name, momentum=0.0):
    """The largest departure of one step's squared norm from its law, over |w|^2."""
    net = case.network(name, 0.05, case.DECAY, momentum)
    weights = net.sgd(300, start=case.starts(8), seed=1, observe="weights", record=range(301)).positions
    size = np.square(weights).sum(axis=-1)[:-1, :, None]
    return float((np.abs(net.noether_gap(weights[:-1], weights[1:])) / size).max())


@cache
def real_paths(learning_rate=0.02, weight_decay=0.01, steps=1500, replicas=200):
    model = case.diabetes(learning_rate, weight_decay)
    return model.sgd(steps, replicas, seed=3, start=(1.5, 0.5), record=range(steps + 1))


def real_columns(weight_decay, learning_rate=0.02):
    """The change of <r^4> on the diabetes columns, over the integral of its law along the same paths."""
    swarm, law = real_paths(), case.diabetes(learning_rate, weight_decay)
    r, phi = np.moveaxis(swarm.positions, -1, 0)
    rate = law.fourth_power_rate(r, phi).mean(axis=1)
    return float(((r[-1] ** 4).mean() - (r[0] ** 4).mean()) / (learning_rate * rate[:-1].sum()))


claims = [
    *(
        Exact(
            f"{name}: r^4 grows by 2 T s per unit time, not under gradient descent",
            growth,
            dict(name=name),
            float,
            1.0,
            atol=0.03,
            wrong=dict(stochastic=False),
            source=SOURCE,
        )
        for name in case.NETS
    ),
    *(
        Exact(
            f"{name}: r^4 settles at T s/(4 gamma)",
            settled,
            dict(name=name),
            float,
            1.0,
            atol=0.06,
            wrong=dict(weight_decay=1.2 * case.DECAY),
            source=SOURCE,
        )
        for name in case.NETS
    ),
    *(
        Exact(
            f"{name}: squared norms change by eta^2 |g|^2 and decay in every step",
            partial(gap, name),
            {},
            float,
            0.0,
            atol=5e-15,
            wrong=dict(momentum=0.3),
            source=SOURCE,
        )
        for name in case.NETS
    ),
    Exact(
        "Net-B: no layer's norm ever falls; in Net-A they trade",
        case.falling,
        dict(name="Net-B"),
        float,
        0.0,
        atol=1e-9,
        wrong=dict(name="Net-A"),
        source=SOURCE,
    ),
    Exact(
        "Net-A: the norm of all weights never falls",
        lambda group: case.falling("Net-A", group=group),
        dict(group=True),
        float,
        0.0,
        atol=1e-9,
        wrong=dict(group=False),
        source=SOURCE,
    ),
    Exact(
        "real columns, two weights: r^4 follows its law along the paths, weight decay included",
        real_columns,
        dict(weight_decay=0.01),
        float,
        1.0,
        atol=0.03,
        wrong=dict(weight_decay=0.012),
        source=SOURCE,
    ),
]
