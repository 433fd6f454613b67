"""Power laws in depth: the diffusion's tails p ~ v^-(5 - 3/n), and why SGD itself never gets there.

A diagonal network of n >= 2 layers has the stationary density of the Fokker-Planck equation, whose tail no temperature
changes; one layer has 2 + beta1/(T alpha1), which for SGD itself becomes Kesten's exponent (case heavy_tailed_data).
From two layers on, SGD has no such tail.  The density's local exponent is within a tenth of q = 5 - 3/n only beyond

    v^(2-2/n) = 10 beta1/(n T alpha1 q),

where a single step, 2 eta n v^(1-2/n) (x^2 v - x y), changes v by the factor 20 beta1 sqrt(alpha1 + beta1^2)/(q alpha1)
in root mean square at batch 1, and by more at larger batches: 4.9 for Gaussian data and two layers, whatever the
learning rate.  Such steps throw SGD out: at the temperatures where it does not diverge its law ends, where as many
samples of the density reach on.

Tanh networks on two pixels of handwritten digits (single samples, no weight decay): the exponent of their outputs'
stationary law is an open question of the paper below.  Measured here, 4 neurons in each of one to three hidden layers,
learning rate .1: no power law; the extreme-value index 1/(q - 1) is 0 within its error of .1, where 5 - 3/n would
have .3 to .4.  A single hidden layer can hardly do otherwise: its h neurons put out |a|^2 < h, so that the step of the
last layer, w -> (1 - 2 eta a a') w + 2 eta y a, stretches nothing up to eta = 1/h, while beyond, once the neurons are
saturated, it stretches always, and all replicas diverge.  Near 1/h no law is stationary: outputs still spread.
Ziyin, Li & Ueda, arXiv 2308.06671.  Data: cases/data/README.md.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import fpsolve as fp
from fpsolve.plot_band import draw_beyond
from fpsolve.plot_line import strokes_by_colour

SLOW_FIGURE = True  # left out of quick reports
LAYERS = {1: "#56B4E9", 2: "#0072B2", 3: "#D55E00", 4: "#009E73"}
DEEP = (2, 3, 4, 6, 8, 12)  # layers whose exponents are measured
HOT = 0.2  # a temperature: .7 of two layers' critical one
STABLE = {1: 0.2, 2: 0.05, 3: 0.03, 4: 0.02}  # learning rates, about as large as SGD bears
LARGEST = 0.001  # the share of the replicas that is the tail
NEURONS, RATE = 4, 0.1  # of a tanh network's layer, and its learning rate
INPUT = (1.0, 1.0, 1.0)  # where the function is looked at: both pixels a deviation brighter than usual; and the bias
NEAR = 0.1  # of the exponent: where the tail begins


def network(layers: int, learning_rate: float = HOT) -> fp.models.DiagonalNetwork:
    """On 300 samples of y = x + noise, batch 1."""
    data = fp.Regression.synthetic(300, seed=4)
    return fp.models.DiagonalNetwork(data, depth=layers - 1, learning_rate=learning_rate)


def digits() -> fp.models.Samples:
    """Two pixels, z-scored, and a bias, on the digit, z-scored."""
    with (Path(__file__).parent / "data" / "digits.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    columns = np.array([[float(row[key]) for key in ("pixel_52", "pixel_27", "digit")] for row in rows])
    columns = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    return fp.models.Samples(columns[:, :2], columns[:, 2], bias=True)


def tanh_network(hidden: int, learning_rate: float = RATE) -> fp.models.DenseNetwork:
    """`hidden` layers of tanh neurons; none is linear regression."""
    return fp.models.DenseNetwork(digits(), (NEURONS,) * hidden, "tanh", learning_rate=learning_rate)


def solve(replicas: int = 40_000, tanh_replicas: int = 4000) -> dict[str, fp.Density | fp.Swarm]:
    """Densities over depth at HOT; SGD there and at STABLE; outputs of tanh networks over depth."""
    found: dict[str, fp.Density | fp.Swarm] = {}
    for layers in LAYERS:
        found[f"density, {layers} layers"] = fp.stationary(network(layers).problem())
        for name, rate in (("stable", STABLE[layers]), ("hot", HOT)):
            found[f"SGD, {name}, {layers} layers"] = trained(network(layers, rate), replicas)
    for hidden in (1, 2, 3):
        found[f"tanh, {hidden} hidden layers"] = outputs(tanh_network(hidden), tanh_replicas)
    return found


def trained(net: fp.models.DiagonalNetwork, replicas: int, steps: int = 2000) -> fp.Swarm:
    """v of real SGD, from the minimum; replicas that diverge stay where they were stopped."""
    return net.sgd(steps, replicas, 1, max_diverged=1.0)


def outputs(net: fp.models.DenseNetwork, replicas: int, steps: int = 1500) -> fp.Swarm:
    """f(INPUT) after half of the steps and at the end of SGD from Xavier's weights."""
    how = dict(observe="weights", record=(steps // 2, steps), max_diverged=1.0)
    run = net.sgd(steps, replicas, seed=1, start="xavier", **how)
    values = [net.outputs(weights, [INPUT])[:, 0] for weights in run.positions]
    return run.replace(names=("f",), positions=np.array(values))


def tail(run: fp.Swarm) -> fp.HillEstimate:
    """Hill's estimate of the distance from the median, of the replicas that have not diverged."""
    x = run.positions[-1, run.alive(), 0]
    return fp.hill(np.abs(x - np.median(x)))


def drawn(net: fp.models.DiagonalNetwork, replicas: int, seed: int = 1) -> fp.Swarm:
    """As many samples of the density."""
    p = fp.stationary(net.problem())
    return fp.Swarm(
        ("v",), [0.0], p.quantile(np.random.Generator(np.random.Philox(seed)).random(replicas))[None, :, None]
    )


def far_index(run: fp.Swarm) -> float:
    """1/(q - 1) of the LARGEST v, by Hill: it tends to 0 where the law ends, as fewer are taken."""
    x = run.positions[-1, run.alive(), 0]
    return 1.0 / (fp.hill(x, round(LARGEST * x.size)).exponent - 1.0)


def onset(net: fp.models.DiagonalNetwork) -> float:
    """The v beyond which the density's local exponent is within NEAR of its last one."""
    axis = fp.Axis.log(1e-2, 1e8, 4000)
    nodes, q = axis.nodes, net.tail_exponent
    slope = -np.gradient(net.law.log_density(nodes), np.log(nodes))
    return float(nodes[np.flatnonzero(np.abs(slope - q) > NEAR * q)[-1] + 1])


def step_there(net: fp.models.DiagonalNetwork) -> float:
    """The root mean square factor by which one step at the onset changes v, to first order in the learning rate."""
    v, n = onset(net), net.layers
    pull = np.sqrt(np.mean((net.data.x**2 * v - net.data.x * net.data.y) ** 2))
    return float(2.0 * net.learning_rate * n * v ** (1.0 - 2.0 / n) * pull)


def expected_step(net: fp.models.DiagonalNetwork) -> float:
    """Its closed form, for a far onset."""
    m = net.moments
    return float(2.0 * m.beta1 * np.sqrt(m.alpha1 + m.beta1**2) / (NEAR * net.tail_exponent * m.alpha1))


def table(results: dict[str, fp.Density | fp.Swarm]) -> str:
    """Exponents of the densities; sizes of a step; how far SGD's law reaches beside samples of the density."""
    rows = [
        f"{'layers':8}{'q':>8}{'density':>10}{'step at onset':>15}{'diverged, hot':>15}{'index: SGD':>12}{'density':>9}"
    ]
    for layers in LAYERS:
        hot, stable = (results[f"SGD, {name}, {layers} layers"] for name in ("hot", "stable"))
        net, samples = network(layers), drawn(network(layers, STABLE[layers]), len(stable))
        slope = fp.local_exponent(results[f"density, {layers} layers"]).value
        step = f"{step_there(net):15.2f}" if layers > 1 else f"{'':15}"
        row = f"{layers:<8}{net.tail_exponent:8.3f}{slope:10.4f}{step}{hot.diverged.mean():15.3f}"
        rows.append(f"{row}{far_index(stable):12.3f}{far_index(samples):9.3f}")
    for hidden in (1, 2, 3):
        found = tail(results[f"tanh, {hidden} hidden layers"])
        index = f"extreme-value index {found.index:.2f} +- {found.index_error:.2f}"
        rows.append(f"tanh, {hidden} hidden: Hill {found.exponent:.1f} +- {found.error:.1f}, {index}")
    return "\n".join(rows)


def figure(results: dict[str, fp.Density | fp.Swarm]) -> Figure:
    """Densities; their exponents over depth; SGD beside them where it is stable; outputs of tanh networks.

    The shaded steps hold the whole share that exceeds v at once, for each network in 95 of 100 runs.
    """
    drawing = Figure(figsize=(10.4, 8.0), layout="constrained")
    (tails, depth), (beside, tanh) = drawing.subplots(2, 2)
    v, x = np.geomspace(0.05, 1e3, 200), np.geomspace(1.0, 10.0, 100)
    for layers, colour in LAYERS.items():
        net, p = network(layers), results[f"density, {layers} layers"]
        tails.plot(v, p(v), color=colour, label=f"{layers} layer{'s' * (layers > 1)}: q = {net.tail_exponent:.3g}")
        if layers > 1:
            tails.plot(onset(net), p(onset(net)), "o", color=colour, ms=5)
        stable, line = results[f"SGD, stable, {layers} layers"], network(layers, STABLE[layers])
        beside.plot(
            x,
            1.0 - fp.stationary(line.problem()).cdf(x),
            color=colour,
            label=f"{layers} layer{'s' * (layers > 1)}, T = {STABLE[layers]:g}",
        )
        draw_beyond(beside, stable.positions[-1, stable.alive(), 0], colour=colour)
    for hidden, colour in zip((1, 2, 3), list(LAYERS.values())[1:], strict=True):
        run = results[f"tanh, {hidden} hidden layers"]
        f = run.positions[-1, run.alive(), 0]
        draw_beyond(tanh, np.abs(f - np.median(f)), colour=colour, label=f"{hidden} hidden")
    far = np.array([0.7, 7.0])
    tanh.plot(far, 0.3 * (far / far[0]) ** -2.5, color="black", lw=1.0, ls=":", label="q = 3.5, two layers' law")
    _over_depth(depth)
    _finish(
        tails, f"Fokker-Planck, T = {HOT:g}; dots: onset of the tail", "$v$ (dimensionless)", "$p(v)$ (per unit of $v$)"
    )
    tails.set(ylim=(1e-13, 10))
    share = "share that exceeds it (of 1)"
    _finish(beside, "lines: Fokker-Planck; dots: SGD, 95 % band", "$v$ (dimensionless)", share)
    beside.set(xlim=(1.0, 10.0), ylim=(3e-5, 1.0))
    beside.set_xticks([1, 2, 5, 10], ["1", "2", "5", "10"])
    beside.set_xticks([], minor=True)
    _finish(tanh, "tanh networks on digits, 95 % band", "$|f - $ median$|$ (deviations of the digit)", share)
    tanh.set(xlim=(0.05, 20), ylim=(2e-4, 1.5))
    strokes_by_colour(tails, beside)
    return drawing


def _over_depth(ax: Axes) -> None:
    """Exponents measured on densities, at two temperatures, over the number of layers."""
    n = np.linspace(2.0, DEEP[-1], 200)
    ax.plot(n, 5.0 - 3.0 / n, color="black", lw=1.2, label="$5 - 3/n$")
    ax.axhline(5.0, color="0.5", lw=1.0, ls="--", label="infinite depth")
    for temperature, mark, colour in ((0.5 * HOT, "o", LAYERS[2]), (HOT, "x", LAYERS[3])):
        found = [fp.local_exponent(fp.stationary(network(k, temperature).problem())).value for k in DEEP]
        ax.plot(DEEP, found, mark, color=colour, ms=8 if mark == "x" else 6, label=f"density, T = {temperature:g}")
    ax.set(xlabel="layers $n$ (a number)", ylabel="tail exponent $q$ (a power)", ylim=(3.3, 5.15))
    ax.legend(frameon=False, fontsize="small", loc="lower right")


def _finish(ax: Axes, title: str, x: str, y: str) -> None:
    ax.set(xscale="log", yscale="log", xlabel=x, ylabel=y)
    ax.set_title(title, loc="left", fontsize="medium")
    ax.legend(frameon=False, fontsize="small")
