"""The law of balance: SGD equalises two layers exponentially, d ln|z|/dt -> -4 (T <C> + gamma), z = u^2 - w^2.

With T <C> = beta2 - gamma - beta1 <v> in the state that is reached, the rate is -4 (beta2 - beta1 <v>), <v> the mean of
the balanced network.  Gradient descent without weight decay keeps z for ever.
Mean of ln z by the Fokker-Planck equation of the pair; real minibatch SGD obeys its own exact law step by step,

    z' = z [(1 - 2 eta gamma)^2 - 4 eta^2 g^2],   g the minibatch mean of (v x - y) x.

In a wide network every pair (u_i, w_i) has the same g, and all decay alike, whatever they started from.
The mean of ln z hears of rare excursions to large v, where z falls fast: the grid ends at z = exp(-40), v = 1000.
Ziyin, Li & Ueda, arXiv 2308.06671.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp

MOMENTS = fp.Moments(1.0, 0.5, 1.0, 1.0, 1.0)
RATE, WIDTH, UNTIL, LOOKS = 0.05, 6, 40.0, 60  # of a wide network: learning rate, pairs, time, times it is looked at
TIMES = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0)


def pair(temperature: float = 0.3, weight_decay: float = 0.0) -> fp.models.RescalingPair:
    return fp.models.RescalingPair.from_moments(MOMENTS, temperature, weight_decay)


def problem(
    temperature: float = 0.3, weight_decay: float = 0.0, q_min: float = -40.0, reach: float = 1000.0
) -> fp.Problem:
    """The pair down to |z| = exp(q_min), with v up to `reach` there."""
    model = pair(temperature, weight_decay)
    return model.problem(model.grid(dzeta=0.15, dq=0.15, q_min=q_min, reach=reach), fp.Accurate())


def wide(replacement: bool = True) -> tuple[fp.models.DiagonalNetwork, fp.Swarm]:
    """A wide network and u_i^2 - w_i^2 along one run of SGD with batch 1; without replacement, of gradient descent."""
    data = fp.Regression.synthetic(300, seed=4)
    net = fp.models.DiagonalNetwork(data, 1, WIDTH, learning_rate=RATE, batch=1 if replacement else data.n)
    u = np.linspace(0.5, 1.1, WIDTH)
    steps, run, found = round(UNTIL / RATE / LOOKS), np.stack([u, 0.5 / WIDTH / u]), []
    for _ in range(LOOKS):
        run = net.sgd(steps, 1, seed=2, start=run, replacement=replacement, progress=False)
        found.append(run.weights[:, 0] ** 2 - run.weights[:, 1] ** 2)
    times = RATE * steps * np.arange(1, LOOKS + 1)
    return net, fp.Swarm(tuple(f"z{i + 1}" for i in range(WIDTH)), times, found)


def solve(temperature: float = 0.3, weight_decay: float = 0.0) -> dict[str, fp.Evolution]:
    """The densities up to t = 8."""
    model = pair(temperature, weight_decay)
    path = fp.evolve(problem(temperature, weight_decay), model.initial(), TIMES, method=fp.SDIRK2(dt=0.1))
    return {"densities": path}


def mean_of_ln_z(path: fp.Evolution) -> np.ndarray:
    return path.mean()[:, 1]


def late_rate(results: dict[str, fp.Evolution]) -> float:
    """d<ln z>/dt over the last two units of time."""
    path = results["densities"]
    q = mean_of_ln_z(path)
    return float((q[-1] - q[-3]) / (path.times[-1] - path.times[-3]))


def figure(results: dict[str, fp.Evolution]) -> Figure:
    """Left: the mean of ln z, and the straight line that the law of balance says it becomes.

    Right: u_i^2 - w_i^2 of every pair of a wide network under real SGD, all by the same factor, and under gradient
    descent, which keeps them.
    """
    path, model = results["densities"], pair()
    drawing = Figure(figsize=(9.6, 4.2), layout="constrained")
    ax, elements = drawing.subplots(1, 2)
    q = mean_of_ln_z(path)
    ax.plot(path.times, q, "o-", color="#0072B2", ms=4, label="Fokker-Planck, mean")
    line = q[-1] + model.rate_of_ln_z * (path.times - path.times[-1])
    ax.plot(path.times, line, "--", color="#D55E00", label=f"slope {model.rate_of_ln_z:.5f}, in closed form")
    ax.axhline(q[0], color="0.5", lw=1, label="gradient descent")
    net, run = wide()
    _, still = wide(replacement=False)
    slope = fp.models.RescalingPair.from_moments(net.moments, net.temperature).rate_of_ln_z
    for i in range(WIDTH):
        kept = elements.plot(still.times, still.positions[:, 0, i], color="0.6", lw=1.0, ls=":")
        lost = elements.plot(run.times, run.positions[:, 0, i], color="#0072B2", lw=1.4)
    law = run.positions[0, 0, WIDTH // 2] * np.exp(slope * (run.times - run.times[0]))
    closed = elements.plot(run.times, law, "--", color="#D55E00", lw=2.0)
    names = ("gradient descent", f"SGD, batch 1, {WIDTH} pairs", f"slope {slope:.3f}, in closed form")
    elements.legend((*kept, *lost, *closed), names, frameon=False)
    time = "time $t$ (steps × learning rate)"
    elements.set(yscale="log", xlabel=time, ylabel="$u_i^2 - w_i^2$ (dimensionless)")
    ax.set(xlabel=time, ylabel="$\\langle\\ln(u^2 - w^2)\\rangle$ (nats)")
    ax.legend(frameon=False)
    return drawing
