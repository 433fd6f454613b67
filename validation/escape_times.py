"""Real SGD leaves a well and a saddle as Ito's equation says, and as no other theory does; formulas in their limits."""

from functools import cache

from cases import escape_times as case
from fpsolve.claims import Exact

REAL = "real SGD"


@cache
def in_the_well():
    """Replicas, with the survival by each theory."""
    return followed("well", case.replicas_in_the_well(n=500, span=1.0))


@cache
def at_the_saddle():
    """The same for the network."""
    return followed("saddle", case.replicas_of_the_network(n=1000))


def followed(system, swarm):
    theories = ("Ito", "Stratonovich", "isothermal", *(("Langevin",) if system == "well" else ()))
    return swarm, {theory: case.survival(theory, system, case.times_of(swarm)) for theory in theories}


def off_by(theory):
    """The survival's largest departure, in half widths of the band."""
    return lambda found: case.departure(found[0], found[1][theory])


def mean_over(theory):
    """The replicas' mean of min(t, end) over the theory's."""
    return lambda found: float(found[0].positions.mean()) / case.restricted_mean(found[1][theory])


def agrees(name, solve, wrong, atol, slow=False):
    """Ito's mean and survival are the replicas', those of another theory are not."""
    return [
        Exact(f"{name}: survival stays within its band", solve, {}, off_by("Ito"), 0.0, 1.2, off_by(wrong), REAL, slow),
        Exact(f"{name}: mean time", solve, {}, mean_over("Ito"), 1.0, atol, mean_over(wrong), REAL, slow),
    ]


claims = [
    *agrees("out of the well", in_the_well, "Stratonovich", 0.1, slow=True),
    *agrees("away from the saddle", at_the_saddle, "Stratonovich", 0.06),
    Exact(
        "Kramers' formula is the Langevin equation's time",
        case.mean_time,
        dict(theory="Langevin"),
        lambda tau: tau / case.kramers(),
        1.0,
        atol=0.06,
        wrong=dict(theory="Ito"),
        source="Kramers, Physica 7, 284 (1940)",
    ),
    Exact(
        "the power law is Ito's time where noise follows the loss",
        case.mean_time,
        dict(theory="Ito", phi=10.0),
        lambda tau: tau / case.power_law(10.0),
        1.0,
        atol=0.1,
        wrong=dict(theory="Langevin", phi=10.0),
        source="Mori et al., ICML 2022: exponent phi + 1/2",
    ),
]
