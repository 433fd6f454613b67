"""When a theory of SGD is expected to hold: small numbers, known before anything is solved or run.

    contraction   c = learning rate times rate of return       a step is no differential: variances off by c/2
    skewness      k = |skewness of a gradient| sqrt(c/batch)   what no diffusion sees: KS of about .06 k
    noise         deviation |D'|/D at the minimum              noise that is not constant
    bending       deviation |A''|/(2 rate)                     a return that is not linear
    level         |ln D/d|                                     the noise d that a posterior takes for granted

A corrected theory leaves the square of what it corrects.  Each theory is as good as the largest of its numbers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fpsolve.models.subject import Subject

__all__ = ["HOLDS", "Validity", "validity_of"]

HOLDS = 0.1  # numbers below it: a theory is expected to be right within a KS distance of some .01
DIFFERENCE = 0.05  # of a deviation, for slopes at the minimum
STEPS = ("contraction", "skewness")
NUMBERS = {
    "gaussian": (*STEPS, "noise", "bending"),
    "tempered posterior": (*STEPS, "level", "noise"),
    "Bayes' posterior": (*STEPS, "level", "noise"),
    "Langevin": (*STEPS, "noise"),
    "Ito": STEPS,
    "Stratonovich": (*STEPS, "noise"),
    "isothermal": (*STEPS, "noise"),
    "exact moments": STEPS,
    "finite rate": ("contraction squared", "skewness"),
    "third cumulant": ("contraction squared", "skewness squared"),
}


class Validity(NamedTuple):
    """The largest of a theory's small numbers, and which it is."""

    value: float
    limit: str


def validity_of(subject: Subject) -> dict[str, Validity]:
    """For each theory without fitted parameters: what limits it most."""
    step = subject.learning_rate * subject.rate
    skewness = abs(subject.skewness) * np.sqrt(step / subject.batch)
    at = subject.minimum + DIFFERENCE * subject.deviation * np.array([-1.0, 0.0, 1.0])
    flow, noise = subject.flow(at), subject.diffusion(at)
    numbers = {
        "contraction": step,
        "skewness": float(skewness),
        "contraction squared": step**2,
        "skewness squared": float(skewness**2),
        "noise": float(abs(noise[2] - noise[0]) / (2.0 * DIFFERENCE * noise[1])),
        "bending": float(
            abs(flow[2] - 2.0 * flow[1] + flow[0]) / (2.0 * subject.rate * subject.deviation * DIFFERENCE**2)
        ),
    }
    found = {}
    for theory, names in NUMBERS.items():
        of_it = dict(numbers)
        if "level" in names:
            d = subject.bayes_noise if theory == "Bayes' posterior" else 0.5 * subject.temperature
            if d is None:
                continue
            of_it["level"] = float(abs(np.log(subject.noise_at_minimum / d)))
        limit = max(names, key=lambda name: of_it[name])
        found[theory] = Validity(of_it[limit], limit)
    return found
