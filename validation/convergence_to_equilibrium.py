"""Rates of approach to the noise equilibrium: the closed form as the learning rate goes to 0, for any width."""

from functools import cache

from cases import convergence_to_equilibrium as case
from fpsolve.claims import Exact

SOURCE = "Ziyin, Wang, Li & Wu, arXiv 2402.07193; closed form of the model"
MEASURED = "measured, this case"


@cache
def single(shape, setting, stochastic=True):
    run = case.approach(*shape, *setting, replicas=256, stochastic=stochastic)
    return case.single_rate(run, shape, setting)[0]


def extrapolated(shape, against, stochastic=True):
    """The rate at a learning rate of 0, from .005 and .0025, over T times the closed form of the shape `against`."""
    found = [single(shape, (rate, 1), stochastic) / rate for rate in (0.005, 0.0025)]
    model = case.single(*against, 1.0)
    end = model.fixed_point
    closed = 1.0 / model.time_between(end + case.UPPER * case.OFF, end + case.LOWER * case.OFF)
    return (2.0 * found[1] - found[0]) / closed


def batches(batch):
    """The rate at the learning rate .01 over that of single samples at .0025."""
    return single((1, 4), (0.01, batch)) / single((1, 4), (0.0025, 1))


@cache
def wide(neurons, learning_rate):
    return case.wide_rate(case.excess(neurons, learning_rate), learning_rate)


def wide_extrapolated(neurons):
    return 2.0 * wide(neurons, 0.0025) - wide(neurons, 0.005)


claims = [
    *(
        Exact(
            f"{shape[0]} outputs, {shape[1]} inputs: the rate of the closed form, as the learning rate goes to 0",
            extrapolated,
            dict(shape=shape, against=shape),
            float,
            1.0,
            atol=0.06,
            wrong=wrong,
            source=SOURCE,
        )
        for shape, wrong in (
            ((1, 4), dict(against=(2, 2))),
            ((2, 2), dict(against=(1, 4))),
            ((6, 3), dict(stochastic=False)),
        )
    ),
    Exact(
        "batch 4 at four times the learning rate is as fast; at the same learning rate it is not",
        batches,
        dict(batch=4),
        float,
        1.0,
        atol=0.06,
        wrong=dict(batch=1),
        source=SOURCE,
    ),
    *(
        Exact(
            f"{neurons} neurons: |U|^2 - |W|^2 falls at the rate 4 T s^2 d",
            wide_extrapolated,
            dict(neurons=neurons),
            float,
            1.0,
            atol=0.04,
            wrong=lambda found, neurons=neurons: found * neurons / case.SIZE,
            source=SOURCE,
        )
        for neurons in case.WIDTHS
    ),
    Exact(
        "a learning rate of .005 adds 14 % at 24 neurons",
        lambda neurons: wide(neurons, 0.005),
        dict(neurons=24),
        float,
        1.14,
        atol=0.02,
        wrong=dict(neurons=12),
        source=MEASURED,
    ),
]
