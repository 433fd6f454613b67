"""Multiplicative noise: each convention has its variance, and discrete SGD has the one that goes over into Ito's."""

from cases import multiplicative_noise as case
from fpsolve.claims import Exact, Particles

SOURCE = "moment equation: -2 V + T (1 + V) (Ito), with drift corrections for the others"
VARIANCES = {"ito": 1 / 3, "stratonovich": 1 / 2, "isothermal": 1.0}
SWAPPED = {"ito": "stratonovich", "stratonovich": "isothermal", "isothermal": "ito"}


def variance_in(convention):
    """The claim for one convention; another convention's density is its control."""
    return Exact(
        f"variance, {convention}",
        case.solve,
        dict(temperature=0.5),
        lambda r: r[convention].var(),
        VARIANCES[convention],
        atol=1e-9,
        wrong=lambda r: r[SWAPPED[convention]].var(),
        source=SOURCE,
    )


claims = [
    *(variance_in(convention) for convention in VARIANCES),
    Exact(
        "variance of discrete SGD is T/(2 - rate - T)",
        case.sgd,
        dict(rate=0.25, n=100_000),
        case.spread,
        case.discrete_variance(rate=0.25),
        atol=0.01,  # five standard errors: fourth moments are heavy here
        wrong=lambda swarm: case.spread(swarm) - case.discrete_variance(0.25) + 1 / 3,
        source="one step of the map",
    ),
    Particles(
        "particles follow Ito",
        case.problem,
        dict(convention="ito"),
        until=8.0,
        n=20_000,
        dt=(2e-2, 1e-2),
        seed=3,
        wrong=dict(convention="stratonovich"),
    ),
]
