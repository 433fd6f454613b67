"""Steps from saddle to saddle: their times, their order, what the start costs, and how noise delays them."""

from functools import cache, partial

import numpy as np

import fpsolve as fp
from cases import saddle_to_saddle as case
from fpsolve.claims import Exact

LOGISTIC = "logistic curves: Saxe, McClelland & Ganguli, arXiv 1312.6120"
NOISE = "E ln|1 + 2 eta x y| over the samples; Ziyin, Li & Ueda, arXiv 2308.06671"
DATA = fp.Regression.synthetic(300, seed=4)


@cache
def late_by(learning_rate, seeds=case.seeds):
    """The median time of each step of gradient descent over its logistic curve's."""
    net = case.network(learning_rate=learning_rate)
    start = net.initial("small", 32, seed=2)
    return np.median(case.learnt_at(case.trained(net, start, 7.0)) / case.logistic(seeds(net, start)), axis=0)


def extrapolated(mode, seeds=case.seeds):
    return float((2.0 * late_by(0.01, seeds) - late_by(0.02, seeds))[mode])


def undivided(net, weights):
    """a_i as if the modes shared no neurons."""
    W, U = net.layers(weights)
    return np.square(0.5 * (np.swapaxes(W, -1, -2) + U)).sum(axis=-1)


def in_order(strengths):
    """The share of SGD's replicas that learn the modes in the order in which they stand."""
    net = case.network(learning_rate=0.01, batch=1, strengths=strengths)
    run = case.trained(net, net.initial("small", 128, seed=2), 12.0)
    return float((np.diff(case.learnt_at(run, strengths), axis=1) > 0).all(axis=1).mean())


def per_factor(strength, layers=2, small=1e-4, learning_rate=0.002):
    """What a start smaller by e costs a single mode, in time."""
    net = case.network((1,) * (layers - 1), learning_rate, strengths=(strength,))
    times = []
    for a in (small, small / np.e):
        run = case.trained(net, [np.full((1, 1), a ** (1.0 / layers))] * layers, 1.2 * waits(strength, layers, a))
        times.append(case.learnt_at(run, (strength,))[0, 0])
    return float(times[1] - times[0])


def waits(strength, layers, a):
    """About how long a single mode takes."""
    return np.log(1.0 / a) / (4.0 * strength) + 1.0 if layers == 2 else 1.0 / (2.0 * strength * a ** (1.0 / 3.0)) + 1.0


def growth(learning_rate, n=20000, duration=2.0):
    """The rate at which SGD makes <ln v> grow near the saddle, two layers of one neuron."""
    net = fp.models.DiagonalNetwork(DATA, learning_rate=learning_rate)
    run = net.sgd(round(duration / learning_rate), n, seed=3, start=1e-9)
    return float(np.log(run.positions[-1, :, 0] / 1e-9).mean() / run.times[-1])


def walk(learning_rate):
    """Its closed form."""
    return float(2.0 * np.log(np.abs(1.0 + 2.0 * learning_rate * DATA.x * DATA.y)).mean() / learning_rate)


claims = [
    *(
        Exact(
            f"mode {mode + 1} is learnt when its logistic curve says, as the learning rate goes to 0",
            extrapolated,
            dict(mode=mode),
            float,
            1.0,
            atol=0.003,
            wrong=wrong,
            source=LOGISTIC,
        )
        for mode, wrong in enumerate((lambda _: late_by(0.02)[0], dict(seeds=undivided), dict(seeds=undivided)))
    ),
    Exact(
        "SGD learns the modes in the order of their strengths",
        in_order,
        dict(strengths=case.STRENGTHS),
        float,
        1.0,
        atol=0.02,
        wrong=dict(strengths=(1.2, 1.2, 1.2)),
        source=LOGISTIC,
    ),
    Exact(
        "two layers: each factor e of the start costs 1/(4 s)",
        per_factor,
        dict(strength=1.2),
        float,
        1.0 / 4.8,
        atol=1e-3,
        wrong=dict(strength=1.25),
        source=LOGISTIC,
    ),
    Exact(
        "three layers: it costs (e^(1/3) - 1)/(2 s a^(1/3)) instead",
        partial(per_factor, small=1e-3),
        dict(strength=1.2, layers=3),
        float,
        (np.exp(1.0 / 3.0) - 1.0) / (2.0 * 1.2 * 0.1),
        atol=0.01,
        wrong=dict(layers=2),
        source=LOGISTIC,
    ),
    Exact(
        "noise delays: near the saddle SGD's ln v grows as a random walk, slower than gradient descent's",
        growth,
        dict(learning_rate=0.02),
        float,
        walk(0.02),
        atol=0.02,
        wrong=lambda _: 2.0 * np.log(1.0 + 2.0 * 0.02 * DATA.moments.beta2) / 0.02,
        source=NOISE,
    ),
]
