"""The lines of the phase diagram, found by the solver's own verdicts, lie where the closed form puts them."""

from cases import phase_diagram as case
from fpsolve.claims import Exact

SOURCE = "Ziyin, Li & Ueda, arXiv 2308.06671"


def line(noise, of, expected, what):
    """The temperature of one line at one label noise."""
    return Exact(
        f"{what} at label noise {noise:g}",
        case.boundary,
        dict(noise=noise, of=of),
        lambda found: found,
        expected,
        atol=1e-4 * expected,
        wrong=dict(noise=1.01 * noise),
        source=SOURCE,
    )


claims = [
    *(line(noise, -1.0, 1 / (2 + noise**2), "no density beyond T_c = beta2/alpha3,") for noise in (0.5, 1.0, 2.0)),
    *(line(noise, 0.0, 1 / (6 + 3 * noise**2), "p diverges at 0 beyond T_c/3,") for noise in (0.5, 1.0, 2.0)),
]
