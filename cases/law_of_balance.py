"""The law of balance: SGD equalises two layers exponentially, d ln|z|/dt -> -4 (T <C> + gamma), z = u^2 - w^2.

With T <C> = beta2 - gamma - beta1 <v> in the state that is reached, the rate is -4 (beta2 - beta1 <v>), <v> the mean of
the balanced network.  Gradient descent without weight decay keeps z for ever.
Mean of ln z by the Fokker-Planck equation of the pair; real minibatch SGD obeys its own exact law step by step,

    z' = z [(1 - 2 eta gamma)^2 - 4 eta^2 g^2],   g the minibatch mean of (v x - y) x.

The mean of ln z hears of rare excursions to large v, where z falls fast: the grid ends at z = exp(-40), v = 1000.
Ziyin, Li & Ueda, arXiv 2308.06671.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp

MOMENTS = fp.Moments(1.0, 0.5, 1.0, 1.0, 1.0)
TIMES = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0)


def pair(temperature: float = 0.3, weight_decay: float = 0.0) -> fp.models.RescalingPair:
    return fp.models.RescalingPair.from_moments(MOMENTS, temperature, weight_decay)


def problem(
    temperature: float = 0.3, weight_decay: float = 0.0, q_min: float = -40.0, reach: float = 1000.0
) -> fp.Problem:
    """The pair down to |z| = exp(q_min), with v up to `reach` there."""
    model = pair(temperature, weight_decay)
    return model.problem(model.grid(dzeta=0.15, dq=0.15, q_min=q_min, reach=reach), fp.Accurate())


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
    """The mean of ln z, and the straight line that the law of balance says it becomes."""
    path, model = results["densities"], pair()
    drawing = Figure(figsize=(6.4, 4.2), layout="constrained")
    ax = drawing.subplots()
    q = mean_of_ln_z(path)
    ax.plot(path.times, q, "o-", color="#0072B2", ms=4, label="Fokker-Planck, mean")
    line = q[-1] + model.rate_of_ln_z * (path.times - path.times[-1])
    ax.plot(path.times, line, "--", color="#D55E00", label=f"slope {model.rate_of_ln_z:.5f}, in closed form")
    ax.axhline(q[0], color="0.5", lw=1, label="gradient descent")
    ax.set(xlabel="time $t$ = steps × learning rate", ylabel="$\\langle\\ln(u^2 - w^2)\\rangle$")
    ax.legend(frameon=False)
    return drawing
