"""A loss of one's own: ten lines from the gradient of a sample to the verdict which theory describes its SGD.

    import numpy as np
    import fpsolve as fp

    x, y = np.loadtxt("data.csv", delimiter=",", skiprows=1, unpack=True)

    def gradient(w, x, y):                       # of the loss ln(1 + exp(-y w x)) of one sample, y = +-1
        return -y * x / 2 * (1 - np.tanh(y * w * x / 2))

    mine = fp.models.FromGradients(gradient, (x, y), learning_rate=0.5, batch=4)
    print(fp.ladder(mine))

Here three losses of one weight on bundled data: the square and Huber's (diabetes progression from bmi) and the logistic
one (which breast tumours are benign, from how smooth they look).  The last two are not quadratic and have no density in
closed form; the exact law of their discrete steps is known all the same, and so is every theory's error.  Huber's
gradient has a knee at every sample, which corrections for finite steps differentiate: theirs is the spiky density, and
the table's column `grid` says so.
Data: cases/data/README.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp
from fpsolve.plot_ladder import side_by_side

SLOW_FIGURE = True  # left out of quick reports
DATA = Path(__file__).parent / "data"
KNEE = 1.0  # of Huber's loss, in deviations of the target


def squared(w, x, y):
    """Gradient of (w x - y)^2/2."""
    return (w * x - y) * x


def huber(w, x, y):
    """Gradient of r^2/2 up to |r| = KNEE and of its tangent beyond, r = w x - y."""
    return np.clip(w * x - y, -KNEE, KNEE) * x


def logistic(w, x, y):
    """Gradient of ln(1 + exp(-y w x)), y = +-1."""
    return -0.5 * y * x * (1.0 - np.tanh(0.5 * y * w * x))


LOSSES = {
    "squared": (squared, "diabetes", "bmi", "progression"),
    "huber": (huber, "diabetes", "bmi", "progression"),
    "logistic": (logistic, "breast_cancer", "worst_smoothness", "benign"),
}


def model(loss: str = "logistic", learning_rate: float = 0.2, batch: int = 4) -> fp.models.FromGradients:
    """SGD of one of the losses on its column of data."""
    if loss not in LOSSES:
        raise fp.InvalidInput(f"loss is {loss!r}; it is one of {', '.join(LOSSES)}")
    gradient, name, predictor, target = LOSSES[loss]
    rows = np.genfromtxt(DATA / f"{name}.csv", delimiter=",", names=True)
    x, y = ((rows[key] - rows[key].mean()) / rows[key].std() for key in (predictor, target))
    return fp.models.FromGradients(
        gradient, (x, np.sign(y) if loss == "logistic" else y), learning_rate, batch, names=("w",)
    )


def solve(
    losses: tuple[str, ...] = tuple(LOSSES),
    learning_rate: float = 0.2,
    batch: int = 4,
    replicas: int = 20_000,
    seed: int = 1,
) -> Iterator[tuple[str, fp.Ladder]]:
    """The ladder of each loss."""
    for loss in losses:
        yield loss, fp.ladder(model(loss, learning_rate, batch), n=replicas, seed=seed)


def table(results: dict[str, fp.Ladder]) -> str:
    """The ladders, one below the other."""
    return "\n\n".join(f"{loss}: {found}" for loss, found in results.items())


def figure(results: dict[str, fp.Ladder]) -> Figure:
    """Per loss: densities over the exact law of SGD, and how far each theory is from it, beside what it predicted."""
    return side_by_side(results)
