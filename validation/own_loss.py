"""A loss of one's own: its ladder has the exact law's numbers, its coefficients, and tells which theory is right."""

from functools import cache

import numpy as np

from cases import own_loss as case
from fpsolve.claims import Exact

fp = case.fp


@cache
def judged(loss, learning_rate=0.2, batch=4):
    """The ladder without replicas."""
    return fp.ladder(case.model(loss, learning_rate, batch), particles=False)


def variance(learning_rate):
    """Of SGD on the squared loss, batch 4, the exact law's over the closed form's."""
    mine = case.model("squared", learning_rate)
    return fp.transfer(mine).var(), mine.samples.columns


def closed_form(found):
    """w' - m = a (w - m) + b: Var = E b^2/(1 - E a^2), where E ab = 0 is not; batch means of four."""
    value, (x, y) = found
    eta, batch = 0.2, 4
    m = np.mean(x * y) / np.mean(x * x)
    slope, noise = 1.0 - eta * x * x, eta * x * (y - m * x)  # of one sample; the mean of noise is 0
    square = slope.mean() ** 2 + slope.var() / batch
    both, own = np.mean((slope - slope.mean()) * noise) / batch, np.mean(noise**2) / batch
    assert abs(noise.mean()) < 1e-14
    assert np.isfinite(both)  # it multiplies E(w - m) = 0
    return value / (own / (1.0 - square))


claims = [
    Exact(
        "squared loss: the variance of SGD in closed form",
        variance,
        dict(learning_rate=0.2),
        closed_form,
        1.0,
        atol=1e-8,
        wrong=dict(learning_rate=0.2002),
        source="w' - m = a (w - m) + b, moments by moments",
    ),
    *(
        Exact(
            f"{loss} loss: only the correction for skewness is right to KS {bound:g}",
            judged,
            dict(loss=loss, learning_rate=rate, batch=batch),
            lambda found: found.row("third cumulant").error,
            0.0,
            atol=bound,
            wrong=lambda found: min(found.row(name).error for name in ("Ito", "finite rate", "Langevin")),
            source="the exact law of the discrete steps",
        )
        for loss, rate, batch, bound in (("squared", 0.05, 1, 6e-3), ("logistic", 0.2, 4, 3e-3))
    ),
    Exact(
        "Huber's knees: corrections for finite steps depend on the grid, Ito does not",
        judged,
        dict(loss="huber"),
        lambda found: found.row("Ito").grid / found.row("Ito").error,
        0.0,
        atol=0.01,
        wrong=lambda found: found.row("third cumulant").grid / found.row("third cumulant").error,
        source="half as many cells",
        slow=True,
    ),
]
