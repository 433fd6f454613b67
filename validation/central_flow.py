"""The central flow is what descent does near the edge of stability, and not what it does far beyond."""

from cases import central_flow as case
from fpsolve.claims import Exact, Published

SOURCE = "Cohen, Damian, Talwalkar, Kolter & Lee, arXiv 2410.24206"


def ends_apart(results):
    """Sharpness of the flow's end less that of descent's, over the edge."""
    return case.last_sharpness(results["central flow"]) - case.last_sharpness(results["descent"])


claims = [
    Exact(
        "the flow ends on the edge of stability",
        case.solve,
        dict(excess=0.05, steps=10),
        lambda results: case.last_sharpness(results["central flow"]),
        1.0,
        atol=1e-3,
        wrong=lambda results: case.last_sharpness(results["descent"]),
        source=SOURCE,
    ),
    Published(
        "near the edge descent ends where the flow does",
        case.solve,
        dict(excess=0.01),
        ends_apart,
        0.0,
        0.02,
        wrong=dict(excess=0.5),  # far beyond it leaps to minima 40 % flatter
        source=SOURCE,
    ),
    Exact(
        "far beyond the edge descent leaps to flatter minima, which the flow does not tell",
        case.solve,
        dict(excess=0.5),
        lambda results: case.last_sharpness(results["descent"]),
        0.6020,
        atol=1e-3,
        wrong=lambda results: case.last_sharpness(results["central flow"]),
        source="gradient descent itself; twice its distance from the edge is no small number",
    ),
]
