"""Latent alignment: under SGD the hidden layer's covariance W Sx W' turns towards U' Se U.  Under gradient descent not.

Eight neurons, f(x) = U phi(W x), learn y = x + e from 400 samples of four uneven inputs with uneven label noise, both
ways from the same Xavier weights.  The alignment is the cosine of the two matrices, averaged over replicas.  Linear
layers reach 1 at their noise equilibrium; for neurons it is what is measured here, not a theorem.
Ziyin, Wang, Li & Wu, arXiv 2402.07193.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp
from fpsolve.plot_line import strokes_by_colour

ACTIVATIONS = {"tanh": "#0072B2", "swish": "#D55E00", "relu": "#009E73", "leaky_relu": "#CC79A7", "linear": "#E69F00"}
NEURONS = 8
INPUTS, LABELS = (2.0, 1.0, 0.5, 0.25), (1.0, 0.3, 0.1, 0.03)  # variances along axes of their own
DESCENT = 0.1  # learning rate of gradient descent


def covariances(noise: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Sx, in axes turned against the outputs', and Se."""
    turn = np.linalg.qr(np.random.Generator(np.random.Philox(3)).standard_normal((4, 4)))[0]
    return turn @ np.diag(INPUTS) @ turn.T, noise * np.diag(LABELS)


def network(activation: str = "tanh", noise: float = 0.1, learning_rate: float = 0.02) -> fp.models.DenseNetwork:
    """noise: the largest variance of a label's noise."""
    data = fp.models.GaussianSamples(np.eye(4), *covariances(noise)).drawn(400, seed=1)
    return fp.models.DenseNetwork(data, (NEURONS,), activation, learning_rate=learning_rate, leak=0.1)


def solve(
    noise: float = 0.1, learning_rate: float = 0.02, duration: float = 16.0, replicas: int = 16
) -> dict[str, fp.Swarm]:
    """SGD for duration/learning_rate^2 steps, and gradient descent, for each activation; positions are the weights."""
    steps, results = round(duration / learning_rate**2), {}
    for activation in ACTIVATIONS:
        net = network(activation, noise, learning_rate)
        start = net.initial("xavier", replicas, seed=1)
        how = dict(seed=1, observe="weights")
        results[activation] = net.sgd(steps, start=start, record=np.linspace(0, steps, 25).astype(int), **how)
        still = net.replace(batch=None, learning_rate=DESCENT)
        results[f"{activation}, gradient descent"] = still.sgd(600, start=start[:8], record=range(0, 600, 25), **how)
    return results


def alignment(weights: np.ndarray) -> np.ndarray:
    """The cosine of W Sx W' and U' Se U, (...), of weights (..., 64)."""
    W, U = network().layers(weights)
    Sx, Se = covariances()
    A, B = W @ Sx @ np.swapaxes(W, -1, -2), np.swapaxes(U, -1, -2) @ Se @ U
    norms = np.linalg.norm(A, axis=(-2, -1)) * np.linalg.norm(B, axis=(-2, -1))
    return np.einsum("...ij,...ij->...", A, B) / norms


def late_alignment(swarm: fp.Swarm) -> float:
    """Its mean over replicas and the last half of the recorded times."""
    return float(alignment(swarm.positions[len(swarm.times) // 2 :]).mean())


def table(results: dict[str, fp.Swarm]) -> str:
    rows = [f"{'activation':12s} {'SGD':>8s} {'gradient descent':>18s}"]
    for name in ACTIVATIONS:
        still = results[f"{name}, gradient descent"]
        rows.append(f"{name:12s} {late_alignment(results[name]):8.3f} {late_alignment(still):18.3f}")
    return "\n".join(rows)


def figure(results: dict[str, fp.Swarm]) -> Figure:
    """The alignment of both layers over time, mean over replicas: under SGD, and under gradient descent."""
    drawing = Figure(figsize=(9.6, 4.0), layout="constrained")
    left, right = drawing.subplots(1, 2, sharey=True)
    for name, colour in ACTIVATIONS.items():
        for ax, key in ((left, name), (right, f"{name}, gradient descent")):
            cosines = alignment(results[key].positions)
            ax.plot(results[key].times, cosines.mean(axis=1), color=colour, label=name.replace("_", " "))
    left.set_title("SGD, batch 1", loc="left", fontsize="medium")
    right.set_title("gradient descent", loc="left", fontsize="medium")
    left.set(
        xlabel="time $t$ (steps × learning rate)", ylabel="cosine of $W\\Sigma_xW'$ and $U'\\Sigma_\\epsilon U$ (of 1)"
    )
    right.set(xlabel="time $t$ (steps × learning rate)", ylim=(0.0, 1.0))
    left.legend(frameon=False, fontsize="small", loc="lower right")
    strokes_by_colour(left, right)
    return drawing
