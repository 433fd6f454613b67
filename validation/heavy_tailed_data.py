"""Heavy tails: none through kept labels, the labels' own through fresh ones, Kesten's through kept inputs."""

from functools import cache, partial

import numpy as np
from scipy.stats import levy_stable

import fpsolve as fp
from cases import heavy_tailed_data as case
from fpsolve.claims import Exact

BOUNDED = "finitely many samples: bounded noise has a variance"
KESTEN = "Kesten, Acta Math. 131, 207 (1973)"
GRINCEVICIUS = "light multipliers keep the index of what is added: Grincevicius, Lith. Math. J. 15, 580 (1975)"


@cache
def index(what, samples, method="hill"):
    """The stable index of gradients or of weights on heavy labels."""
    data = case.heavy_labels(samples)
    if what == "gradients":
        return fp.measure.tail_index(case.gradients(data, 100_000), method).index
    return fp.measure.tail_index(case.weights(case.network(data, case.RATE), 50_000, steps=60), method).index


def stable_labels(kept, alpha=1.5):
    """The index of gradients on stable labels, by their characteristic function."""
    e = levy_stable.rvs(alpha, 0.0, size=case.KEPT if kept else 100_000, random_state=4)
    i = np.random.default_rng(5).integers(e.size, size=100_000) if kept else slice(None)
    return fp.measure.tail_index(2.0 * e[i]).index


@cache
def tail(learning_rate, batch=1):
    """kappa from the largest of real SGD's weights."""
    run = case.weights(case.network(case.heavy_inputs(), learning_rate, batch), 100_000)
    return case.measured(run).exponent - 1.0


def kesten(learning_rate, batch=1):
    return case.kesten(case.network(case.heavy_inputs(), learning_rate, batch))


def over_kesten(learning_rate, batch=1, of_batch=1):
    """The measured kappa over Kesten's at the batch `of_batch`."""
    return tail(learning_rate, batch) / kesten(learning_rate, of_batch)


def diffusion(learning_rate, _):
    """The exponent of the Fokker-Planck equation over Kesten's."""
    net = case.network(case.heavy_inputs(), learning_rate)
    return (net.tail_exponent - 1.0) / kesten(learning_rate)


def moment(learning_rate, off=0.0):
    """E|1 - 2 eta x^2|^kappa over the samples."""
    factors = np.abs(1.0 - 2.0 * learning_rate * case.heavy_inputs().x ** 2)
    return float(np.mean(factors ** (kesten(learning_rate) + off)))


claims = [
    *(
        Exact(
            f"{what} on kept samples with heavy labels: the stable index is 2",
            partial(index, what),
            dict(samples=case.KEPT),
            float,
            2.0,
            atol=0.05,
            wrong=dict(samples=case.MANY),
            source=BOUNDED,
        )
        for what in ("gradients", "weights")
    ),
    Exact(
        "gradients on fresh samples have the labels' index",
        partial(index, "gradients"),
        dict(samples=case.MANY),
        float,
        case.LABELS,
        atol=0.08,
        wrong=dict(samples=case.KEPT),
        source="Student's law",
    ),
    Exact(
        "weights on fresh samples have the labels' index",
        partial(index, "weights"),
        dict(samples=case.MANY),
        float,
        case.LABELS,
        atol=0.12,
        wrong=dict(samples=case.KEPT),
        source=GRINCEVICIUS,
    ),
    Exact(
        "stable labels: index 2 on kept samples, by the characteristic function",
        stable_labels,
        dict(kept=True),
        float,
        2.0,
        atol=0.05,
        wrong=dict(kept=False),
        source=BOUNDED,
    ),
    Exact(
        "kappa solves E|1 - 2 eta x^2|^kappa = 1",
        moment,
        dict(learning_rate=0.2),
        float,
        1.0,
        atol=1e-9,
        wrong=dict(off=0.01),
        source=KESTEN,
    ),
    *(
        Exact(
            f"kept samples with heavy inputs: weights have Kesten's tail, eta = {rate:g}; the diffusion's is another",
            over_kesten,
            dict(learning_rate=rate),
            float,
            1.0,
            atol=atol,
            wrong=partial(diffusion, rate),
            source=KESTEN,
        )
        for rate, atol in ((0.2, 0.1), (0.3, 0.08))
    ),
    Exact(
        "batches of 4 lighten the tail, to Kesten's of batch 4",
        over_kesten,
        dict(learning_rate=0.3, batch=4, of_batch=4),
        float,
        1.0,
        atol=0.15,
        wrong=dict(batch=1),
        source=KESTEN,
    ),
]
