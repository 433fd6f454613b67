"""Progressive sharpening: whether SGD sharpens or flattens a network is decided by the noise of its labels.

Two linear layers f(x) = U W x that have learnt y = M x + e lie in a valley of minima of unequal sharpness,

    Tr H = 2 (d_y Tr[W Sx W'] + |U|^2 Tr Sx) >= 4 sqrt(d_y Tr Sx) Tr (Sx^(1/2) M' M Sx^(1/2))^(1/2),

which gradient descent enters anywhere and stays in.  SGD goes along it to the noise equilibrium, whose sharpness is

    Tr H = 2 r (d_y Tr R + Tr Se Tr[Se^-1 R]),   R = (Se^(1/2) M Sx M' Se^(1/2))^(1/2),   r^2 = Tr Sx/Tr Se.

Even label noise makes it the flattest of all minima; uneven noise makes it sharp, as the noise of the quietest label
goes to 0.  Weight decay balances the layers instead, which here is the flattest place but for its own shrinking.
A warm-up only delays: the clock of noise is the sum of squared learning rates.
Ziyin, Wang, Li & Wu, arXiv 2402.07193.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp
from fpsolve.plot_line import strokes_by_colour

WIDTH, HIDDEN, NOISE = 3, 6, 0.5  # of inputs and of outputs; the mean variance of a label's noise
DECAY, QUIET = 0.1, 0.02
RATIOS = (1.0, 0.3, 0.1, 0.03)
WARM_UP = 0.5  # of the noise's clock at which it ends
STARTS = {"Kaiming": "#0072B2", "Xavier": "#D55E00"}


def samples(ratio: float = QUIET) -> fp.models.GaussianSamples:
    """y = x + e; ratio: the variance of the other labels' noise over the first one's."""
    labels = np.array([1.0] + [ratio] * (WIDTH - 1))
    return fp.models.GaussianSamples(np.eye(WIDTH), 1.0, NOISE * WIDTH * labels / labels.sum())


def network(ratio: float = QUIET, learning_rate: float = 0.01, weight_decay: float = 0.0) -> fp.models.DenseNetwork:
    return fp.models.DenseNetwork(samples(ratio), (HIDDEN,), learning_rate=learning_rate, weight_decay=weight_decay)


def sharpness(net: fp.models.DenseNetwork, weights: np.ndarray) -> np.ndarray:
    """Tr H of weights (..., size)."""
    W, U = net.layers(weights)
    inputs = np.asarray(net.data.input_covariance)
    into = np.einsum("...ik,kl,...il->...", W, inputs, W)
    return 2.0 * (U.shape[-2] * into + np.square(U).sum(axis=(-2, -1)) * np.trace(inputs))


def flattest(data: fp.models.GaussianSamples) -> float:
    """The least Tr H of all minima."""
    inputs = np.asarray(data.input_covariance)
    learnt = np.linalg.svd(data.teacher @ _root(inputs), compute_uv=False).sum()
    return float(4.0 * np.sqrt(len(data.teacher) * np.trace(inputs)) * learnt)


def at_equilibrium(data: fp.models.GaussianSamples) -> float:
    """Tr H where the noise of SGD leaves the layers."""
    inputs, labels = np.asarray(data.input_covariance), np.asarray(data.label_covariance)
    root = _root(labels)
    R = _root(root @ data.teacher @ inputs @ data.teacher.T @ root)
    total = len(labels) * np.trace(R) + np.trace(labels) * np.trace(np.linalg.solve(labels, R))
    return float(2.0 * np.sqrt(np.trace(inputs) / np.trace(labels)) * total)


def warmed_up(learning_rate: float, first: float = 0.1) -> tuple[int, object]:
    """How many steps a warm-up from first * learning_rate takes, and the rate as a function of the step."""
    # the mean square of a linear ramp from f to 1 is (1 + f + f^2)/3
    ramp = round(3.0 * WARM_UP / ((1.0 + first + first**2) * learning_rate**2))
    return ramp, lambda step: learning_rate * min(1.0, first + (1.0 - first) * (step + 0.5) / ramp)


def solve(
    ratio: float = QUIET, learning_rate: float = 0.01, duration: float = 4.0, replicas: int = 32
) -> dict[str, fp.Swarm]:
    """Tr H over time: SGD for duration/learning_rate^2 steps from both starts, gradient descent, decay, a warm-up.

    And SGD from both starts, with decay too, for each of RATIOS of the label noise.
    """
    steps = round(duration / learning_rate**2)
    found = {}
    for start in STARTS:
        found[start] = trained(network(ratio, learning_rate), start, steps, replicas)
        found[f"{start}, gradient descent"] = descent(network(ratio), start, replicas)
    found["Xavier, weight decay"] = trained(network(ratio, learning_rate, DECAY), "Xavier", steps, replicas)
    ramp, rate = warmed_up(learning_rate)
    longer = steps + ramp - round(WARM_UP / learning_rate**2)
    found["Xavier, warm-up"] = trained(network(ratio, learning_rate), "Xavier", longer, replicas, rate)
    for other in RATIOS:
        for start in STARTS:
            found[f"{start}, ratio {other:g}"] = trained(network(other, learning_rate), start, steps, replicas)
        found[f"decay, ratio {other:g}"] = trained(network(other, learning_rate, DECAY), "Xavier", steps, replicas)
    return found


def trained(net: fp.models.DenseNetwork, start: str, steps: int, replicas: int, rate=None) -> fp.Swarm:
    """SGD; positions are Tr H at 81 times."""
    record = np.linspace(0, steps, 81).astype(int)
    how = dict(seed=1, observe="weights", record=record, learning_rate=rate)
    return observed(net, net.sgd(steps, replicas, start=start.lower(), **how))


def descent(net: fp.models.DenseNetwork, start: str, replicas: int) -> fp.Swarm:
    """Gradient descent from the same weights, to rest; positions are Tr H."""
    still = net.replace(batch=None, learning_rate=0.05)
    run = still.sgd(600, replicas, seed=1, start=start.lower(), observe="weights", record=range(0, 601, 6))
    return observed(net, run)


def observed(net: fp.models.DenseNetwork, run: fp.Swarm) -> fp.Swarm:
    return run.replace(names=("sharpness",), positions=sharpness(net, run.positions)[..., None])


def late(run: fp.Swarm, share: float = 0.4) -> float:
    """Tr H, averaged over replicas and the last `share` of the run."""
    return float(run.mean()[run.times >= (1.0 - share) * run.times[-1]].mean())


def clock(run: fp.Swarm, rate=None) -> np.ndarray:
    """The sum of squared learning rates at the recorded times; rate: a function of the step, or None, constant."""
    if rate is None:
        return run.times * run.times[-1] / run.steps[-1]
    rates = np.array([rate(step) for step in range(run.steps[-1])])
    return np.concatenate([[0.0], np.cumsum(rates**2)])[run.steps]


def table(results: dict[str, fp.Swarm]) -> str:
    """Where each start is led, over the flattest minimum."""
    rows = [f"{'label noise':>12}{'closed form':>13}" + "".join(f"{name:>10}" for name in (*STARTS, "decay"))]
    for ratio in RATIOS:
        low = flattest(samples(ratio))
        ends = [late(results[f"{name}, ratio {ratio:g}"]) / low for name in (*STARTS, "decay")]
        rows.append(f"{ratio:12g}{at_equilibrium(samples(ratio)) / low:13.3f}" + "".join(f"{e:10.3f}" for e in ends))
    valley = [f"{name} {late(results[f'{name}, gradient descent']) / low:.3f}" for name in STARTS]
    return "\n".join([*rows, f"gradient descent, over the flattest minimum: {', '.join(valley)}"])


def figure(results: dict[str, fp.Swarm]) -> Figure:
    """Left: sharpness over the clock of noise.  Right: where it ends, over the evenness of the label noise."""
    drawing = Figure(figsize=(10.4, 4.2), layout="constrained")
    left, right = drawing.subplots(1, 2)
    for name, colour in STARTS.items():
        run = results[name]
        left.plot(clock(run), run.mean(), color=colour, label=name)
        left.axhline(late(results[f"{name}, gradient descent"]), color=colour, lw=1.0, ls=":")
        ends = [late(results[f"{name}, ratio {ratio:g}"]) for ratio in RATIOS]
        right.plot(
            RATIOS, ends, "os"[name == "Xavier"], color=colour, ms=9 - 3 * (name == "Xavier"), label=f"SGD from {name}"
        )
    constant = results["Xavier"]
    warm, rate = results["Xavier, warm-up"], warmed_up(constant.times[-1] / constant.steps[-1])[1]
    left.plot(clock(warm, rate), warm.mean(), color="#CC79A7", ls="--", label="Xavier, warm-up")
    decayed = results["Xavier, weight decay"]
    left.plot(clock(decayed), decayed.mean(), color="#009E73", label="Xavier, weight decay")
    left.plot([], [], color="0.4", lw=1.0, ls=":", label="gradient descent")
    left.axhline(flattest(samples()), color="black", lw=0.8, label="flattest minimum")
    left.set(xlabel="$\\sum\\eta^2$ (the clock of noise)", ylabel="sharpness Tr H (1/learning rate)", ylim=(25.0, 65.0))
    fine = np.geomspace(0.02, 1.0, 60)
    right.plot(fine, [at_equilibrium(samples(float(f))) for f in fine], color="black", lw=1.2, label="closed form")
    right.plot(
        RATIOS, [late(results[f"decay, ratio {f:g}"]) for f in RATIOS], "D", color="#009E73", label="weight decay"
    )
    right.axhline(flattest(samples()), color="black", lw=0.8, ls=":", label="flattest minimum")
    right.set(
        xscale="log",
        xlabel="label noise (quiet over loud variance)",
        ylabel="sharpness Tr H at the end (1/learning rate)",
    )
    for ax in (left, right):
        ax.legend(frameon=False, fontsize="small")
    strokes_by_colour(left)
    return drawing


def _root(matrix: np.ndarray) -> np.ndarray:
    """The symmetric root of a covariance."""
    sizes, frame = np.linalg.eigh(matrix)
    return frame @ np.diag(np.sqrt(np.maximum(sizes, 0.0))) @ frame.T  # below 0 by rounding only
