"""Noise equilibrium: SGD takes linear layers from any start to one place.  Gradient descent leaves them where they are.

    two layers   Tr[Sx] U' Se U = Tr[Se] W Sx W'
    a chain      every singular value between the first and the last layer is c = (Tr S/sqrt(Tr Sx Tr Se))^(1/D)

Real SGD with batch 1 on fresh Gaussian samples y = M x + e, from three starts; time is learning rate * steps, and the
noise acts on the scale 1/learning rate.  Ziyin, Wang, Li & Wu, arXiv 2402.07193.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp
from fpsolve.plot_line import strokes_by_colour

TEACHER = np.array([[1.0, 0.3], [-0.2, 0.9]])
DATA = fp.models.GaussianSamples(TEACHER, [[1.5, 0.4], [0.4, 0.5]], [[0.8, 0.1], [0.1, 0.2]])
SKEW = np.array([[0.6, 0.2], [0.0, 0.8]])
RECORDS = 40
COLOURS = {"Xavier": "#0072B2", "large inputs": "#D55E00", "large outputs": "#009E73"}


def network(matrices: int = 2, learning_rate: float = 0.005, momentum: float = 0.0) -> fp.models.DenseNetwork:
    return fp.models.DenseNetwork(DATA, (2,) * (matrices - 1), learning_rate=learning_rate, momentum=momentum)


def starts(matrices: int = 2) -> dict[str, str | list[np.ndarray]]:
    """Weights drawn anew for each replica, and two chains that compute the map already."""
    one = np.eye(2)
    between = [one] * (matrices - 2)
    return {
        "Xavier": "xavier",
        "large inputs": [2.0 * one, *(1.5 * layer for layer in between), TEACHER / (2.0 * 1.5 ** len(between))],
        "large outputs": [SKEW, *between, TEACHER @ np.linalg.inv(SKEW)],
    }


def solve(
    matrices: int = 2, learning_rate: float = 0.005, duration: float = 4.0, replicas: int = 64
) -> dict[str, fp.Swarm]:
    """SGD from the three starts, for duration/learning_rate^2 steps, and gradient descent; positions are weights."""
    net = network(matrices, learning_rate)
    steps = round(duration / learning_rate**2)
    record = np.linspace(0, steps, RECORDS + 1).astype(int)
    run = {
        name: net.sgd(steps, replicas, seed=1, start=start, record=record, observe="weights")
        for name, start in starts(matrices).items()
    }
    still, start = net.replace(batch=None), starts(matrices)["large inputs"]
    run["gradient descent"] = still.sgd(steps, 1, seed=1, start=start, record=record, observe="weights")
    return run


def layers(swarm: fp.Swarm, matrices: int = 2, share: float = 0.3) -> list[np.ndarray]:
    """The layers at the recorded times of the last `share` of a run, all replicas in one row."""
    net = network(matrices)
    late = swarm.positions[swarm.times >= (1.0 - share) * swarm.times[-1]]
    return net.layers(late.reshape(-1, net.architecture.size))


def equilibrium(matrices: int = 2) -> fp.models.NoiseEquilibrium:
    return fp.models.NoiseEquilibrium(DATA, matrices)


def matrices_of(swarm: fp.Swarm) -> int:
    return len(swarm.names) // 4


def table(results: dict[str, fp.Swarm]) -> str:
    """Singular values at the end of each run beside the closed form."""
    count = matrices_of(results["Xavier"])
    law = equilibrium(count)
    rows = [f"{'':18s}  first layer       between           last layer"]
    for name, swarm in results.items():
        first, last, between = law.measured(layers(swarm, count))
        rows.append(_row(name, first, between.ravel(), last))
    rows.append(_row("closed form", law.first, np.full(2 * (count - 2), law.between), law.last))
    return "\n".join(rows)


def figure(results: dict[str, fp.Swarm]) -> Figure:
    """Singular values of the first layer, and of the second of a chain, on their way to the closed form."""
    count = matrices_of(results["Xavier"])
    law, net = equilibrium(count), network(count)
    drawing = Figure(figsize=(9.2, 3.9), layout="constrained")
    left, right = drawing.subplots(1, 2)
    for name, swarm in results.items():
        paths = [law.measured(net.layers(weights)) for weights in swarm.positions]
        other = [last if count == 2 else between[0] for _, last, between in paths]
        how = dict(color=COLOURS.get(name, "0.55"), ls="-" if name in COLOURS else ":")
        for ax, values in ((left, np.array([first for first, _, _ in paths])), (right, np.array(other))):
            for k in range(2):
                ax.plot(swarm.times, values[:, k], label=name if k == 0 else None, **how)
    for ax, values in ((left, law.first), (right, law.last if count == 2 else [law.between])):
        for k, value in enumerate(values):
            ax.axhline(value, color="black", lw=1.0, ls="--", label="closed form" if k == 0 else None, zorder=0)
        ax.set(xlabel="time $t$ (steps × learning rate)", ylabel="singular value (dimensionless)", ylim=(0.0, None))
    left.set_title("singular values of $W_1\\sqrt{\\Sigma_x}$", loc="left", fontsize="medium")
    what = "$\\sqrt{\\Sigma_\\epsilon}\\,W_2$" if count == 2 else "$W_2$, between the first and the last layer"
    right.set_title(f"singular values of {what}", loc="left", fontsize="medium")
    left.legend(frameon=False, fontsize="small", loc="center right", bbox_to_anchor=(1.0, 0.72))
    strokes_by_colour(left, right)
    return drawing


def _row(name: str, *parts: np.ndarray) -> str:
    return f"{name:18s}" + "".join(f"  {' '.join(f'{value:7.4f}' for value in part):16s}" for part in parts)
