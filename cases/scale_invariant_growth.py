"""Scale-invariant networks: SGD makes their norms grow as the fourth root of time.  Gradient descent keeps them.

    d(r^4)/dt = -8 gamma r^4 + 2 T s,      r^4 tends to T s/(4 gamma), or grows for ever without weight decay

r is the norm of a group of weights that the network divides by, s the trace of its gradients' covariance at r = 1.
Net-A computes with theta/|theta|: only the norm of all weights grows, path by path, while its layers trade among
themselves.  Net-B computes with W_l/|W_l|: each layer's norm grows.
Two layers learn y = M x + e from fresh samples; two weights on two columns of real data (diabetes) obey the same law.
Ziyin, Wang, Li & Wu, arXiv 2402.07193.  Data: cases/data/README.md.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp

TEACHER = np.array([[0.3, 0.0, 0.1], [0.0, 0.2, 0.0]])
DATA = fp.models.GaussianSamples(TEACHER, 1.0, 0.25)
NETS = {"Net-A": "together", "Net-B": "each"}
COLOURS = {"Net-A": "#0072B2", "Net-B": "#D55E00"}
START = 1.5  # |theta|
DECAY = 0.02
PROBE = 1e-3  # learning rate at which gradients are read off single steps


def network(
    name: str = "Net-A", learning_rate: float = 0.05, weight_decay: float = 0.0, momentum: float = 0.0
) -> fp.models.DenseNetwork:
    how = dict(learning_rate=learning_rate, weight_decay=weight_decay, momentum=momentum)
    return fp.models.DenseNetwork(DATA, (3,), normalised=NETS[name], **how)


def starts(replicas: int, seed: int = 1) -> np.ndarray:
    """Xavier weights, scaled to the norm START."""
    weights = network().initial("xavier", replicas, seed)
    return START * weights / np.linalg.norm(weights, axis=1, keepdims=True)


def solve(learning_rate: float = 0.05, duration: float = 800.0, replicas: int = 32) -> dict[str, fp.Swarm]:
    """Squared norms of the layers over time: SGD without and with weight decay, and gradient descent."""
    found = {}
    for name in NETS:
        net, begin = network(name, learning_rate), starts(replicas)
        runs = {name: net, f"{name}, weight decay": net.replace(weight_decay=DECAY)}
        runs[f"{name}, gradient descent"] = net.replace(batch=None)
        for label, which in runs.items():
            found[label] = trained(which, begin, duration)
    return found


def trained(net: fp.models.DenseNetwork, begin: np.ndarray, duration: float) -> fp.Swarm:
    """The squared norms of its layers at 61 times."""
    steps = round(duration / net.learning_rate)
    return net.sgd(steps, start=begin, seed=1, observe="norms", record=np.linspace(0, steps, 61).astype(int))


def gradient_noise(net: fp.models.DenseNetwork, weights: np.ndarray, draws: int = 400) -> np.ndarray:
    """The trace of the gradients' covariance in each layer (layers,), where the normalised groups are scaled to 1.

    From `draws` single steps of each of the weights (n, size).
    """
    layers = net.layers(weights)
    sizes = [np.sum(W * W, axis=(-2, -1)) for W in layers]
    total = sum(sizes)
    scales = [np.sqrt(total if net.normalised == "together" else size) for size in sizes]
    unit = np.concatenate(
        [(W / r[:, None, None]).reshape(len(r), -1) for W, r in zip(layers, scales, strict=True)], axis=1
    )
    probe = net.replace(learning_rate=PROBE, weight_decay=0.0)
    before = np.repeat(unit, draws, axis=0)
    gradients = (before - probe.sgd(1, start=before, seed=2).weights) / PROBE
    spread = gradients.reshape(len(unit), draws, -1).var(axis=1, ddof=1).mean(axis=0)
    return net.architecture.norms(np.sqrt(spread))


def fourth_power(name: str, run: fp.Swarm) -> np.ndarray:
    """<r^4> over time, (times, groups): of all weights in Net-A, of each layer in Net-B."""
    norms = run.positions if name == "Net-B" else run.positions.sum(axis=-1, keepdims=True)
    return (norms**2).mean(axis=1)


def expected_slope(name: str, run: fp.Swarm) -> np.ndarray:
    """2 T s, (groups,), with s measured where the run ends."""
    s, learning_rate = gradient_noise(network(name), run.weights), run.times[-1] / run.steps[-1]
    return 2.0 * learning_rate * (s if name == "Net-B" else s.sum(keepdims=True))


def falling(name: str, steps: int = 400, group: bool = False) -> float:
    """The share of steps in which a layer's norm falls; `group`: the norms that the network divides by."""
    net = network(name)
    weights = net.sgd(steps, start=starts(16), seed=1, observe="weights", record=range(steps + 1)).positions
    norms = net.charges(weights) if group else net.architecture.norms(weights)
    return float((np.diff(norms, axis=0) < -1e-14 * norms[:-1]).mean())


def diabetes(learning_rate: float = 0.1, weight_decay: float = 0.0) -> fp.models.ScaleInvariant:
    """Two weights, of body mass index and blood pressure, on disease progression; columns z-scored."""
    with (Path(__file__).parent / "data" / "diabetes.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    columns = np.array([[float(row[key]) for key in ("bmi", "bp", "progression")] for row in rows])
    columns = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    data = fp.models.NormalisedRegression(columns[:, :2], columns[:, 2])
    return fp.models.ScaleInvariant.from_data(data, learning_rate, 1, weight_decay)


def table(results: dict[str, fp.Swarm]) -> str:
    """Growth and resting places of r^4 beside 2 T s and T s/(4 gamma)."""
    rows = [f"{'':22}{'d<r^4>/dt':>18}{'2 T s':>18}{'settled r^4':>18}{'T s/(4 gamma)':>18}"]
    for name in NETS:
        run, decayed = results[name], results[f"{name}, weight decay"]
        late = slice(len(run.times) // 2, None)
        slope = np.polyfit(run.times[late], fourth_power(name, run)[late], 1)[0]
        rest = fourth_power(name, decayed)[late].mean(axis=0)
        parts = (slope, expected_slope(name, run), rest, expected_slope(name, decayed) / (8.0 * DECAY))
        rows.append(f"{name:22}" + "".join(f"{' '.join(f'{x:.3f}' for x in part):>18}" for part in parts))
    for name in NETS:
        start, *_, end = results[f"{name}, gradient descent"].positions.sum(axis=-1).mean(axis=-1)
        rows.append(f"{name}, gradient descent: |theta|^2 from {start:.4f} to {end:.4f}")
    return "\n".join(rows)


def figure(results: dict[str, fp.Swarm]) -> Figure:
    """r^4 of each net, without and with weight decay, beside the law; and the layers of each."""
    drawing = Figure(figsize=(13.0, 4.0), layout="constrained")
    growing, settling, layers = drawing.subplots(1, 3)
    for name, colour in COLOURS.items():
        run, decayed, still = (results[f"{name}{what}"] for what in ("", ", weight decay", ", gradient descent"))
        power, slope = fourth_power(name, run), expected_slope(name, run)
        for k, style in zip(range(power.shape[1]), ("-", "--"), strict=False):
            of = f", layer {k + 1}" if name == "Net-B" else ", all weights"
            growing.plot(run.times, power[:, k], style, color=colour, label=f"{name}{of}")
            growing.plot(run.times[::6], power[0, k] + slope[k] * run.times[::6], "x", color="black", ms=5)
            settling.plot(decayed.times, fourth_power(name, decayed)[:, k], style, color=colour, label=f"{name}{of}")
            settling.axhline(expected_slope(name, decayed)[k] / (8.0 * DECAY), color="0.5", lw=0.8, ls=":")
        growing.plot(still.times, fourth_power(name, still), color="0.6", lw=1.0)
        for k, style in enumerate(("-", "--")):
            layers.plot(run.times, run.positions[:, 0, k], style, color=colour, lw=1.1, label=f"{name}, layer {k + 1}")
    growing.plot([], [], "x", color="black", label="$r_0^4 + 2Ts\\,t$")
    growing.plot([], [], color="0.6", label="gradient descent")
    growing.set(xlabel="time $t$ (steps × learning rate)", ylabel="$\\langle r^4\\rangle$ (dimensionless)")
    growing.set_title("without weight decay", loc="left", fontsize="medium")
    settling.set(
        xlabel="time $t$ (steps × learning rate)",
        ylabel="$\\langle r^4\\rangle$ (dimensionless)",
        xlim=(0, 200),
        ylim=(0, None),
    )
    settling.set_title("with weight decay; dotted: $Ts/(4\\gamma)$", loc="left", fontsize="medium")
    layers.set(xlabel="time $t$ (steps × learning rate)", ylabel="$|W_l|^2$ (dimensionless)")
    layers.set_title("one path", loc="left", fontsize="medium")
    for ax in (growing, settling, layers):
        ax.legend(frameon=False, fontsize="small")
    return drawing
