"""Rules beside plain SGD: clipping is a random map of one weight, RMSProp a process of two, label noise a process."""

from functools import cache

import numpy as np

import fpsolve as fp
from fpsolve.claims import Exact

DATA = fp.Regression.synthetic(60, seed=4)
RATE = 0.1
NOISE = 2.0  # of RMSProp's gradients: their mean square is 4 at rest, which halves the drift
STEPWISE = "the rule itself, step by step"


@cache
def clipped(longest):
    """Mean and variance of one weight under real SGD with clipped gradients, 100,000 replicas."""
    samples = fp.models.Samples(DATA.x, DATA.y)
    net = fp.models.DenseNetwork(samples, (), learning_rate=RATE, clip=longest)
    run = net.sgd(400, 100_000, seed=1, start=np.array([1.0]), observe="weights", progress=False)
    return float(run.positions[-1].mean()), float(run.positions[-1].var())


def as_a_map(longest):
    """The law of the same steps as a random map, without Monte Carlo."""

    def step(w, x, y):
        return w - RATE * np.clip(2.0 * (w * x * x - x * y), -longest, longest)

    return fp.transfer(fp.RandomMap(step, (DATA.x, DATA.y), (-3.0, 5.0), time=RATE))


def off_map(longest, told=None):
    """Replicas' mean and variance against the map's, in standard errors; told: the map's own longest gradient."""
    law, (mean, variance) = as_a_map(told or longest), clipped(longest)
    scores = (mean - law.mean()) / np.sqrt(law.var()), (variance / law.var() - 1.0) / np.sqrt(2.0)
    return float(np.abs(scores).max() * np.sqrt(100_000))


@cache
def labels(noise, rate):
    """The variance of one weight on fresh samples, x normal, y = x + noise."""
    net = fp.models.DenseNetwork(fp.models.GaussianSamples([[1.0]], 1.0, noise**2), (), learning_rate=rate)
    start = np.array([1.0])
    steps, n = round(6.0 / rate), 50_000
    return float(net.sgd(steps, n, seed=1, start=start, observe="weights", progress=False).positions[-1].var())


def over_process(noise):
    """The same over the process's whose label noise is 1, extrapolated to a learning rate of 0."""
    ratios = []
    for rate in (0.04, 0.02):
        process = fp.models.DiagonalNetwork.from_moments(fp.Moments(2, 2, 3, 1, 1), rate, 0)
        ratios.append(labels(noise, rate) / fp.stationary(process.problem()).var())
    return 2.0 * ratios[1] - ratios[0]


@cache
def rms_prop(rate, adaptive=True, n=50_000, until=20.0):
    """Variance of the weight over the rate: w -= eta g/sqrt v, v += eta (g^2 - v), g = w + 2 xi."""
    rng = np.random.default_rng(1)
    w, v = np.zeros(n), np.full(n, NOISE**2)
    for _ in range(round(until / rate)):
        g = w + NOISE * rng.standard_normal(n)
        w, v = w - rate * g / np.sqrt(v), v + adaptive * rate * (g * g - v)
        v = v if adaptive else np.ones(n)
    return float(w.var() / rate)


@cache
def rms_process(rate):
    """The same of the process of (w, v); their noises are correlated, as one gradient moves both."""

    def drift(w, v):
        return -w / np.sqrt(v), w * w + NOISE**2 - v

    def tensor(w, v):
        shared = -rate * NOISE**2 * w / np.sqrt(v)
        return (0.5 * rate * NOISE**2 / v, shared), (shared, rate * NOISE**2 * (NOISE**2 + 2.0 * w * w))

    # a wall at v = .5, beyond which the process, whose v may turn negative, would have 3e-5 of its mass
    grid = fp.Grid(w=(-6.0 * rate**0.5, 6.0 * rate**0.5, 96), v=fp.Axis.log(0.5, 20.0, 96, ends=("reflecting", "open")))
    return float(fp.stationary(fp.Problem(fp.Process(drift, tensor), grid, fp.Accurate())).var()[0] / rate)


def over_rms_process(adaptive):
    """The quotient of both, extrapolated to a learning rate of 0."""
    ratios = [rms_prop(rate, adaptive) / rms_process(rate) for rate in (0.05, 0.025)]
    return 2.0 * ratios[1] - ratios[0]


claims = [
    Exact(
        "clipped gradients: mean and variance of real SGD are the random map's, in standard errors",
        off_map,
        dict(longest=1.0),
        float,
        0.0,
        atol=3.0,
        wrong=dict(told=1.05),
        source=STEPWISE,
    ),
    Exact(
        "label noise drawn anew in every step: the process's variance, as the learning rate goes to 0",
        over_process,
        dict(noise=1.0),
        float,
        1.0,
        atol=0.06,  # 50,000 replicas, extrapolated: .014
        wrong=dict(noise=1.1),
        source=STEPWISE,
        slow=True,
    ),
    Exact(
        "RMSProp on one weight: the variance of its process of two coordinates, as the learning rate goes to 0",
        over_rms_process,
        dict(adaptive=True),
        float,
        1.0,
        atol=0.06,
        wrong=dict(adaptive=False),
        source=STEPWISE,
        slow=True,
    ),
]
