"""Heavy-tailed data: what passes to SGD's noise and to its weights.  On kept samples nothing passes through the labels.

One weight, loss (v x - y)^2: a step is v -> (1 - 2 eta m) v + 2 eta b, m and b the minibatch means of x^2 and x y.

Heavy labels make b heavy: gradients and weights have the labels' index alpha, as long as samples are fresh.  On samples
that are kept, gradients are bounded, the stable index of noise is 2, and the weights' law ends.
Heavy inputs make m heavy, and there boundedness does not help: where some samples have |1 - 2 eta m| > 1,

    P(|v - v*| > r) ~ r^-kappa,      E|1 - 2 eta m|^kappa = 1                       (Kesten)

with kappa known from the kept samples alone; larger batches make it larger.  The Fokker-Planck equation has a power law
too, 1 + beta1/(T alpha1) in place of kappa, which is another one.
Kesten, Acta Math. 131, 207 (1973); Hodgkinson & Mahoney, arXiv 2006.06293, for SGD.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp
from fpsolve.plot_band import draw_beyond
from fpsolve.plot_line import strokes_by_colour

LABELS, INPUTS = 1.5, 5.0  # degrees of freedom of Student's law
KEPT, MANY = 300, 2_000_000  # samples; so many that a run hardly sees one twice
RATE = 0.1  # learning rate on heavy labels
SETTINGS = {(0.1, 1): "#0072B2", (0.2, 1): "#D55E00", (0.3, 1): "#009E73", (0.3, 4): "#CC79A7"}  # eta, batch


def heavy_labels(samples: int, index: float = LABELS, seed: int = 3) -> fp.Regression:
    """y = x + e, x = +-1 and e of Student's law."""
    random = np.random.Generator(np.random.Philox(seed))
    x = np.where(random.random(samples) < 0.5, 1.0, -1.0)
    return fp.Regression(x, x + random.standard_t(index, samples))


def heavy_inputs(samples: int = KEPT, index: float = INPUTS, seed: int = 3) -> fp.Regression:
    """y = x + e, both of Student's law."""
    random = np.random.Generator(np.random.Philox(seed))
    x = random.standard_t(index, samples)
    return fp.Regression(x, x + random.standard_t(index, samples))


def network(data: fp.Regression, learning_rate: float, batch: int = 1) -> fp.models.DiagonalNetwork:
    return fp.models.DiagonalNetwork(data, depth=0, learning_rate=learning_rate, batch=batch)


def solve(replicas: int = 100_000) -> dict[str, fp.Swarm]:
    """Gradients and weights on heavy labels, kept and fresh; weights on heavy inputs, for each of SETTINGS."""
    found = {}
    for name, samples in (("kept", KEPT), ("fresh", MANY)):
        data = heavy_labels(samples)
        found[f"gradients, {name}"] = gradients(data, replicas)
        found[f"weights, {name}"] = weights(network(data, RATE), replicas // 2, steps=60)
    for setting in SETTINGS:
        found[inputs_name(setting)] = weights(network(heavy_inputs(), *setting), replicas)
    return found


def inputs_name(setting: tuple[float, int]) -> str:
    return f"inputs, {setting[0]:g}, batch {setting[1]}"


def gradients(data: fp.Regression, draws: int, v: float = 1.0, seed: int = 1) -> fp.Swarm:
    """Draws of a single sample's gradient at v."""
    i = np.random.Generator(np.random.Philox(seed)).integers(data.n, size=draws)
    g = 2.0 * (v * data.x - data.y)[i] * data.x[i]
    return fp.Swarm(("gradient",), [0.0], g[None, :, None])


def weights(net: fp.models.DiagonalNetwork, replicas: int, steps: int = 400) -> fp.Swarm:
    """v - v* at the end of real SGD."""
    run = net.sgd(steps, replicas, 1, start=float(net.minimum), max_diverged=1.0)
    return run.replace(positions=run.positions - net.minimum)


def measured(run: fp.Swarm) -> fp.HillEstimate:
    """Hill's estimate of q = index + 1, of |v - v*|."""
    return fp.hill(np.abs(run.positions[-1, :, 0]))


def kesten(net: fp.models.DiagonalNetwork) -> float:
    """kappa."""
    return net.random_map().tail_exponent - 1.0


def table(results: dict[str, fp.Swarm]) -> str:
    """Indices measured by Hill's method, beside the laws that are expected."""
    rows = [f"{'heavy labels':24}{'by largest values':>22}{'stable index':>14}{'expected':>10}"]
    for what in ("gradients", "weights"):
        for name, expected in (("kept", 2.0), ("fresh", LABELS)):
            found = fp.measure.tail_index(results[f"{what}, {name}"], "hill")
            index = f"{found.alpha:.3g} +- {found.error:.2g}"
            rows.append(f"{f'{what}, {name}':24}{index:>22}{found.index:14.3f}{expected:10g}")
    rows.append(f"{'heavy inputs':24}{'weights':>22}{'Kesten':>14}{'Fokker-Planck':>15}")
    for setting in SETTINGS:
        net, found = network(heavy_inputs(), *setting), measured(results[inputs_name(setting)])
        index = f"{found.exponent - 1.0:.3f} +- {found.error:.2g}"
        row = f"{f'eta {setting[0]:g}, batch {setting[1]}':24}{index:>22}{kesten(net):14.3f}"
        rows.append(f"{row}{net.tail_exponent - 1.0:15.3f}")
    return "\n".join(rows)


def figure(results: dict[str, fp.Swarm]) -> Figure:
    """How often a size is exceeded, beside power laws of the expected indices.

    The shaded steps hold the whole of a curve at once, in 95 of 100 runs; samples that are kept repeat themselves.
    """
    drawing = Figure(figsize=(10.4, 4.2), layout="constrained")
    left, right = drawing.subplots(1, 2)
    for name, colour in (("kept", "#0072B2"), ("fresh", "#D55E00")):
        for what, style in (("gradients", "--"), ("weights", "-")):
            run = results[f"{what}, {name}"]
            left.plot(*_exceedance(run), style, color=colour, label=f"{what}, {name} samples")
            if what == "weights":
                draw_beyond(left, np.abs(run.positions[-1, :, 0]), colour=colour)
    for setting, colour in SETTINGS.items():
        net, label = network(heavy_inputs(), *setting), f"$\\eta$ = {setting[0]:g}, batch {setting[1]}"
        size, share = _exceedance(results[inputs_name(setting)])
        draw_beyond(right, np.abs(results[inputs_name(setting)].positions[-1, :, 0]), colour=colour)
        right.plot(size, share, color=colour, label=f"{label}: $\\kappa$ = {kesten(net):.2f}")
        _power_law(right, size, share, kesten(net))
    _power_law(left, *_exceedance(results["weights, fresh"]), LABELS)
    left.set_title(f"heavy labels, index {LABELS:g}", loc="left", fontsize="medium")
    right.set_title(f"heavy inputs, {KEPT} kept samples; dotted: Kesten", loc="left", fontsize="medium")
    left.set(xlabel="size of a gradient, or of $v-v^*$ (dimensionless)", xlim=(1e-2, 3e4))
    right.set(xlabel="size of $v-v^*$ (dimensionless)", xlim=(1e-2, 1e4))
    for ax in (left, right):
        ax.set(xscale="log", yscale="log", ylim=(5e-6, 1.5), ylabel="share that exceeds it (of 1)")
        ax.legend(frameon=False, fontsize="small")
    strokes_by_colour(right)
    return drawing


def _exceedance(run: fp.Swarm) -> tuple[np.ndarray, np.ndarray]:
    """Sizes, and the share of the replicas beyond each; thinned where they are dense."""
    size = np.sort(np.abs(run.positions[-1, :, 0]))[::-1]
    rank = np.unique(np.geomspace(1, size.size, 400).astype(int))
    return size[rank - 1], rank / size.size


def _power_law(ax, size: np.ndarray, share: np.ndarray, index: float) -> None:
    """A line of slope -index through the point that one in a thousand exceeds, over the last two decades of shares."""
    middle = int(np.argmin(np.abs(np.log(share) - np.log(1e-3))))
    shares = np.array([1e-2, 1e-5])
    ax.plot(size[middle] * (shares / share[middle]) ** (-1.0 / index), shares, color="black", lw=1.0, ls=":")
