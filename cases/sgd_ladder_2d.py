"""Which theory of SGD is right in two parameters?  Where replicas are, and how they turn.

    aligned     y = u x1 + w x2, noise that knows nothing of x:        H and Sigma commute, no current
    driven      the same line, noise louder where x1 + x2 is large:    [H, Sigma] != 0, a current
    neuron      y = u (w x1 + x2), a hidden neuron with a skip:        as unbalanced as its data make it

The truth is a swarm of real SGD.  Noise that is isotropic, at whatever temperature, drives no current; the constant
tensor and Ito's equation know the rotation.  The pair y = u w x itself has no density in two parameters: its noise has
one direction, and it collapses on the balanced line (law_of_balance); the ladder refuses it and says so.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp
from fpsolve.plot_ladder import side_by_side

SLOW_FIGURE = True  # left out of quick reports
SYSTEMS = ("aligned", "driven", "neuron")


def line(theta, x1, x2, y):
    """Gradient of (u x1 + w x2 - y)^2/2."""
    residual = theta[0] * x1 + theta[1] * x2 - y
    return residual * x1, residual * x2


def neuron(theta, x1, x2, y):
    """Gradient of (u (w x1 + x2) - y)^2/2."""
    u, w = theta
    residual = u * (w * x1 + x2) - y
    return residual * (w * x1 + x2), residual * u * x1


def pair(theta, x, y):
    """Gradient of (u w x - y)^2/2."""
    residual = theta[0] * theta[1] * x - y
    return residual * theta[1] * x, residual * theta[0] * x


def model(
    system: str = "driven", learning_rate: float = 0.05, batch: int = 4, samples: int = 400, seed: int = 4
) -> fp.models.FromGradients:
    """SGD of one of the systems on synthetic data."""
    rng = np.random.default_rng(seed)
    x1, x2, e = rng.normal(size=(3, samples))
    x2 = 0.5 * x2
    how = {"learning_rate": learning_rate, "batch": batch, "names": ("u", "w")}
    if system == "aligned":
        return fp.models.FromGradients(line, (x1, x2, x1 + x2 + e), start=(1.0, 1.0), **how)
    if system == "driven":
        loud = e * np.abs(x1 + 2.0 * x2)
        return fp.models.FromGradients(line, (x1, x2, x1 + x2 + loud), start=(1.0, 1.0), **how)
    if system == "neuron":
        return fp.models.FromGradients(neuron, (x1, x2, 2.0 * (x1 + x2) + e), start=(2.0, 1.0), **how)
    raise fp.InvalidInput(f"system is {system!r}; it is one of {', '.join(SYSTEMS)}")


def balanced_pair(learning_rate: float = 0.05) -> fp.models.FromGradients:
    """The pair (u, w), held by a little weight decay: its noise has one direction."""
    x, e = np.random.default_rng(4).normal(size=(2, 400))

    def gradient(theta, x, y):
        u, w = pair(theta, x, y)
        return u + 0.1 * theta[0], w + 0.1 * theta[1]

    return fp.models.FromGradients(gradient, (x, x + e), learning_rate, 1, start=(1.0, 1.0), names=("u", "w"))


def solve(
    systems: tuple[str, ...] = SYSTEMS,
    learning_rate: float = 0.05,
    batch: int = 4,
    replicas: int = 100_000,
    seed: int = 1,
) -> Iterator[tuple[str, fp.PlaneLadder]]:
    """The ladder of each system."""
    for system in systems:
        yield system, fp.ladder(model(system, learning_rate, batch), n=replicas, seed=seed)


def table(results: dict[str, fp.PlaneLadder]) -> str:
    """The ladders, one below the other."""
    return "\n\n".join(f"{system}: {found}" for system, found in results.items())


def figure(results: dict[str, fp.PlaneLadder]) -> Figure:
    """Per system: how far each theory is from the replicas, and rotations, theirs in grey (three standard errors)."""
    return side_by_side(results)
