"""From saddle to saddle: a deep linear network learns one mode after another from a small start, the stronger first.

Two layers on y = M x + e, M = diag(s_1, s_2, s_3): mode i, seen alone and balanced, grows as a logistic curve and takes

    t_i = ln(s_i/a_i - 1)/(4 s_i)     to half its strength, from a_i = |U' l_i + W r_i|^2/4 at the start

(l_i, r_i its singular vectors): the logarithm of the start, over the strength.  A mode that comes later has first to
lose what it shares with the neurons of those before; a_i counts the rest.  Three layers wait 1/(2 s a^(1/3)) instead.
Gradient descent follows this to the order of its learning rate; SGD comes later, as its noise shrinks what is small:
ln a grows by 4 (s - T alpha3) only, alpha3 the variance of x y, for a single neuron of a single mode.
Saxe, McClelland & Ganguli, arXiv 1312.6120; noise: Ziyin, Li & Ueda, arXiv 2308.06671.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp

STRENGTHS = (2.0, 1.2, 0.6)
COLOURS = ("#0072B2", "#D55E00", "#009E73")
HALF = 0.5  # of its strength: where a mode counts as learnt
NEURONS = 8


def network(
    hidden: Sequence[int] = (NEURONS,), learning_rate: float = 0.01, batch: int | None = None, strengths=STRENGTHS
) -> fp.models.DenseNetwork:
    data = fp.models.GaussianSamples(np.diag(strengths), 1.0, 0.1)
    return fp.models.DenseNetwork(data, hidden, learning_rate=learning_rate, batch=batch)


def solve(
    duration: float = 9.0, learning_rates: tuple[float, ...] = (0.005, 0.02), replicas: int = 64
) -> dict[str, fp.Swarm]:
    """The modes' strengths over time: gradient descent and SGD from the same small weights; descent of three layers."""
    start = network().initial("small", replicas, seed=2)
    found = {"gradient descent": trained(network(), start, duration)}
    for rate in learning_rates:
        found[f"SGD, {rate:g}"] = trained(network(learning_rate=rate, batch=1), start, duration)
    deep = network((3, 3))
    found["three layers"] = trained(deep, [0.1 * np.eye(3)] * 3, 12.0)
    return found


def trained(
    net: fp.models.DenseNetwork, start, duration: float, replicas: int | None = None, seed: int = 1
) -> fp.Swarm:
    """The modes' strengths, diag(W_L ... W_1), at about 500 times; one replica of matrices unless told."""
    steps = round(duration / net.learning_rate)
    if isinstance(start, list):
        replicas = replicas or 1
    record = range(0, steps + 1, max(1, steps // 500))
    run = net.sgd(steps, replicas, seed=seed, start=start, observe="weights", record=record)
    product, *others = net.layers(run.positions)
    for W in others:
        product = W @ product
    modes = np.einsum("...ii->...i", product)
    return run.replace(names=tuple(f"mode {i + 1}" for i in range(modes.shape[-1])), positions=modes)


def learnt_at(run: fp.Swarm, strengths=STRENGTHS) -> np.ndarray:
    """When each mode of each replica first has HALF its strength, (n, modes); inf where never."""
    times = np.full(run.positions.shape[1:], np.inf)
    for i, strength in enumerate(strengths):
        over = run.positions[:, :, i] > HALF * strength
        for j in np.flatnonzero(over.any(axis=0)):
            k = int(np.argmax(over[:, j]))
            before, after = run.positions[k - 1 : k + 1, j, i]
            share = (HALF * strength - before) / (after - before)
            times[j, i] = run.times[k - 1] + share * (run.times[k] - run.times[k - 1])
    return times


def seeds(net: fp.models.DenseNetwork, weights: np.ndarray) -> np.ndarray:
    """a_i, (n, modes), of weights (n, size): what each mode has outside the neurons of those that came before."""
    W, U = net.layers(weights)
    halves = 0.5 * (np.swapaxes(W, -1, -2) + U)  # (n, modes, neurons): M is diagonal
    outside = np.linalg.qr(np.swapaxes(halves, -1, -2), mode="r")
    return np.square(np.einsum("nii->ni", outside))


def logistic(a: np.ndarray, strengths=STRENGTHS) -> np.ndarray:
    """t_i of seeds a (..., modes)."""
    s = np.array(strengths)
    return np.log(s / a - 1.0) / (4.0 * s)


def closed_form(results: dict[str, fp.Swarm]) -> np.ndarray:
    """t_i of the replicas of `solve`, (n, modes)."""
    net = network()
    return logistic(seeds(net, net.initial("small", len(results["gradient descent"]), seed=2)))


def table(results: dict[str, fp.Swarm]) -> str:
    """Mean times of the steps, over the logistic curves'."""
    closed = closed_form(results)
    rows = [f"{'':28}" + "".join(f"{f'mode {i + 1}, s = {s:g}':>16}" for i, s in enumerate(STRENGTHS))]
    rows.append(f"{'closed form':28}" + "".join(f"{t:16.3f}" for t in closed.mean(axis=0)))
    for name, run in results.items():
        if name != "three layers":
            ratios = np.median(learnt_at(run) / closed, axis=0)
            rows.append(f"{f'{name}, over it':28}" + "".join(f"{ratio:16.4f}" for ratio in ratios))
    return "\n".join(rows)


def figure(results: dict[str, fp.Swarm]) -> Figure:
    """One replica of each; the times of all against their closed form; three layers."""
    drawing = Figure(figsize=(13.0, 4.0), layout="constrained")
    one, all_of_them, deep = drawing.subplots(1, 3)
    closed = closed_form(results)
    descent, stochastic = results["gradient descent"], list(results)[-2]
    for i, (strength, colour) in enumerate(zip(STRENGTHS, COLOURS, strict=True)):
        one.plot(descent.times, descent.positions[:, 0, i], color=colour, label=f"mode {i + 1}, s = {strength:g}")
        run = results[stochastic]
        one.plot(run.times, run.positions[:, 0, i], color=colour, lw=0.7, alpha=0.6)
        one.axvline(closed[0, i], color=colour, lw=0.8, ls=":")
        all_of_them.plot(closed[:, i], learnt_at(descent)[:, i], "o", ms=3, color=colour, label=f"mode {i + 1}")
        all_of_them.plot(closed[:, i], learnt_at(run)[:, i], "x", ms=4, color=colour)
        slow = results["three layers"]
        deep.plot(slow.times, slow.positions[:, 0, i], color=colour)
        deep.axvline(1.0 / (2.0 * strength * 0.1), color=colour, lw=0.8, ls=":")
    one.set(xlabel="time $t$ (steps × learning rate)", ylabel="strength of a mode (dimensionless)", ylim=(-0.1, 3.3))
    one.set_title(f"gradient descent; thin: {stochastic}; dotted: closed form", loc="left", fontsize="medium")
    all_of_them.plot([1, 6], [1, 6], color="black", lw=0.8)
    all_of_them.set(
        xlabel="time of the step, closed form (steps × learning rate)", ylabel="time measured (steps × learning rate)"
    )
    all_of_them.set_title(f"dots: gradient descent; crosses: {stochastic}", loc="left", fontsize="medium")
    deep.set(xlabel="time $t$ (steps × learning rate)", ylabel="strength of a mode (dimensionless)")
    deep.set_title("three layers; dotted: $1/(2s\\,a^{1/3})$", loc="left", fontsize="medium")
    for ax in (one, all_of_them):
        ax.legend(frameon=False, fontsize="small")
    return drawing
