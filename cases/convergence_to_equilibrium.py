"""How fast SGD reaches its noise equilibrium: at a rate of learning rate/batch, for any number of hidden neurons.

One neuron between k inputs and m outputs of unit covariance, labels' noise of variance s^2, from a minimum off balance:
chi = ln(|U|/|W|) follows a closed form (`fp.models.RankOneFactorisation`) whose last rate is 8 T s^2 m k/(m + k).
And d inputs, d outputs, h neurons between them, from Kaiming's weights: at the minimum

    d(|U|^2 - |W|^2)/dt = -4 T s^2 d (|U|^2 - |W|^2)            (T = learning rate/batch)

whatever h, so that wide layers need as long as narrow ones.  Both hold as the learning rate goes to 0; a finite one
makes it faster, the more the wider the layers are (14 % at .005 and h = 24), since weights that jitter add to the
labels' noise.  Gradient descent never gets there.
Ziyin, Wang, Li & Wu, arXiv 2402.07193.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp
from fpsolve.plot_line import strokes_by_colour

SHAPES = {(4, 1): "#0072B2", (1, 4): "#D55E00", (2, 2): "#009E73", (6, 3): "#CC79A7"}  # outputs, inputs
SETTINGS = ((0.01, 1), (0.005, 1), (0.0025, 1), (0.01, 4))  # learning rate, batch
WIDTHS = {6: "#0072B2", 12: "#D55E00", 24: "#009E73"}
RATES = (0.01, 0.005, 0.0025)
OFF = 1.2  # chi at the start, less its end
UPPER, LOWER = 0.8, 0.3  # the part of the way on which the rate is measured, as shares of OFF
SIZE, NOISE = 3, 1.0  # d and s^2


def single(outputs: int, inputs: int, learning_rate: float, batch: int = 1) -> fp.models.RankOneFactorisation:
    return fp.models.RankOneFactorisation.from_sgd(
        outputs, inputs, NOISE**0.5, learning_rate=learning_rate, batch=batch
    )


def wide(neurons: int, learning_rate: float) -> fp.models.DenseNetwork:
    data = fp.models.GaussianSamples(np.eye(SIZE), 1.0, NOISE)
    return fp.models.DenseNetwork(data, (neurons,), learning_rate=learning_rate)


def solve(replicas: int = 64) -> dict[str, fp.Swarm]:
    """chi over time for each of SHAPES and SETTINGS; |U|^2 - |W|^2 for each of WIDTHS and RATES."""
    found = {}
    for shape in SHAPES:
        for setting in SETTINGS:
            found[single_name(shape, setting)] = approach(*shape, *setting, replicas=replicas)
    for neurons in WIDTHS:
        for learning_rate in RATES:
            found[f"{neurons} neurons, {learning_rate:g}"] = excess(neurons, learning_rate, replicas)
    return found


def single_name(shape: tuple[int, int], setting: tuple[float, int]) -> str:
    return f"{shape[0]} outputs, {shape[1]} inputs, {setting[0]:g}, batch {setting[1]}"


def approach(
    outputs: int, inputs: int, learning_rate: float, batch: int = 1, replicas: int = 64, stochastic: bool = True
) -> fp.Swarm:
    """chi of one neuron, 47 times until it should be LOWER of the way off."""
    model = single(outputs, inputs, learning_rate, batch)
    begin = model.fixed_point + OFF
    # the model's minima: u and w along the first output and the first input
    u, w = np.zeros((outputs, 1)), np.zeros((1, inputs))
    u[0, 0], w[0, 0] = np.exp([0.5 * begin, -0.5 * begin])
    steps = round(1.4 * model.time_between(begin, model.fixed_point + LOWER * OFF) / learning_rate)
    net = model.network(batch) if stochastic else model.network(batch).replace(batch=None)
    record = np.linspace(0, steps, 47).astype(int)
    run = net.sgd(steps, replicas, seed=1, start=[w, u], observe="norms", record=record)
    into, out = np.moveaxis(run.positions, -1, 0)
    return run.replace(names=("chi",), positions=(0.5 * np.log(out / into))[..., None])


def excess(neurons: int, learning_rate: float, replicas: int = 64, start: str = "kaiming") -> fp.Swarm:
    """|U|^2 - |W|^2 of wide layers, for 1.4 relaxation times."""
    steps = round(1.4 / (4.0 * learning_rate * NOISE * SIZE * learning_rate))
    net, record = wide(neurons, learning_rate), np.linspace(0, steps, 61).astype(int)
    run = net.sgd(steps, replicas, seed=1, start=start, observe="norms", record=record)
    return run.replace(names=("excess",), positions=(run.positions[..., 1] - run.positions[..., 0])[..., None])


def single_rate(run: fp.Swarm, shape: tuple[int, int], setting: tuple[float, int]) -> tuple[float, float]:
    """1/time from UPPER to LOWER of the way off, measured (0 where it is never reached) and in closed form."""
    model = single(*shape, *setting)
    off = (run.mean() - model.fixed_point) / OFF
    closed = model.time_between(model.fixed_point + UPPER * OFF, model.fixed_point + LOWER * OFF)
    if off.min() > LOWER:
        return 0.0, 1.0 / closed
    stops = [float(np.interp(-level, -np.minimum.accumulate(off), run.times)) for level in (UPPER, LOWER)]
    return 1.0 / (stops[1] - stops[0]), 1.0 / closed


def wide_rate(run: fp.Swarm, learning_rate: float) -> float:
    """The rate of |U|^2 - |W|^2 over 4 T s^2 d, once the map is learnt."""
    expected = 4.0 * learning_rate * NOISE * SIZE
    part = (run.times > 0.15 / expected) & (run.times < 1.2 / expected)
    return -float(np.polyfit(run.times[part], np.log(np.abs(run.mean()[part])), 1)[0]) / expected


def table(results: dict[str, fp.Swarm]) -> str:
    """Measured rates over those in closed form."""
    rows = [f"{'outputs, inputs':24}" + "".join(f"{f'{rate:g}, batch {batch}':>16}" for rate, batch in SETTINGS)]
    for shape in SHAPES:
        pairs = [single_rate(results[single_name(shape, setting)], shape, setting) for setting in SETTINGS]
        rows.append(f"{shape[0]}, {shape[1]:<21}" + "".join(f"{found / closed:16.3f}" for found, closed in pairs))
    rows.append(f"{'hidden neurons':24}" + "".join(f"{rate:16g}" for rate in RATES))
    for neurons in WIDTHS:
        ratios = [wide_rate(results[f"{neurons} neurons, {rate:g}"], rate) for rate in RATES]
        rows.append(f"{neurons:<24}" + "".join(f"{ratio:16.3f}" for ratio in ratios))
    return "\n".join(rows)


def figure(results: dict[str, fp.Swarm]) -> Figure:
    """Rates against their closed form; wide layers on one curve; what a finite learning rate adds."""
    drawing = Figure(figsize=(13.0, 4.0), layout="constrained")
    rates, curves, ratios = drawing.subplots(1, 3)
    for shape, colour in SHAPES.items():
        for (learning_rate, batch), mark in zip(SETTINGS, "osD^", strict=True):
            setting = (learning_rate, batch)
            found, closed = single_rate(results[single_name(shape, setting)], shape, setting)
            rates.plot(closed, found, mark, color=colour, ms=6)
        rates.plot([], [], "o", color=colour, label=f"{shape[0]} outputs, {shape[1]} inputs")
    for (learning_rate, batch), mark in zip(SETTINGS, "osD^", strict=True):
        rates.plot([], [], mark, color="0.4", label=f"learning rate {learning_rate:g}, batch {batch}")
    rates.plot([0.003, 0.3], [0.003, 0.3], color="black", lw=0.8)
    rates.set(
        xscale="log",
        yscale="log",
        ylim=(3e-3, 10.0),
        xlabel="rate in closed form (1/time)",
        ylabel="rate of SGD (1/time)",
    )
    rates.legend(frameon=False, fontsize="small")
    smallest = RATES[-1]
    for neurons, colour in WIDTHS.items():
        run = results[f"{neurons} neurons, {smallest:g}"]
        scaled = run.times * 4.0 * smallest * NOISE * SIZE
        curves.plot(scaled, run.mean() / run.mean()[0], color=colour, label=f"{neurons} neurons")
        found = [wide_rate(results[f"{neurons} neurons, {rate:g}"], rate) for rate in RATES]
        ratios.plot(RATES, found, "o-", color=colour, lw=1.0, label=f"{neurons} neurons")
    curves.plot(scaled, np.exp(-scaled), "k--", lw=1.0, label="$e^{-4T\\sigma^2 d\\,t}$")
    curves.set(
        xlabel="time (relaxation times, $1/(4T\\sigma^2 d)$)", ylabel="$|U|^2-|W|^2$ (of its start)", yscale="log"
    )
    ratios.axhline(1.0, color="black", lw=0.8, ls="--")
    ratios.set(
        xlabel="learning rate (dimensionless)",
        ylabel="rate of SGD (in $4T\\sigma^2d$)",
        xlim=(0.0, None),
        ylim=(0.95, None),
    )
    for ax in (curves, ratios):
        ax.legend(frameon=False, fontsize="small")
    strokes_by_colour(curves, ratios)
    return drawing
