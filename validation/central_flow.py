"""The central flow is what descent does near the edge of stability, and not what it does far beyond."""

from functools import cache

import numpy as np
from scipy.stats import levy_stable

import fpsolve as fp
from cases import central_flow as case
from fpsolve.claims import Exact, Published

SOURCE = "Cohen, Damian, Talwalkar, Kolter & Lee, arXiv 2410.24206"
MATRIX = ((0.1, 0.02), (0.02, 0.05))


def ends_apart(results):
    """Sharpness of the flow's end less that of descent's, over the edge."""
    return case.last_sharpness(results["central flow"]) - case.last_sharpness(results["descent"])


def slack(always):
    """The largest sigma^2 (1 - sharpness/edge) on the way to the edge and along it; `always`: were the push never 0."""
    flow = fp.models.CentralFlow(lambda x, y: (y**2 / 2 - 0.02, x * y), 0.5)
    x, y = flow.path((3.0, 0.0), (20.0, 40.0, 100.0)).positions[:, 0].T
    push = np.full(x.size, 0.04) if always else flow.oscillation(x, y)
    assert push[-1] > 0.039
    return float(np.abs(push * (1.0 - flow.sharpness(x, y) / flow.edge)).max())


def sharpening(at):
    """sigma^2 on the edge of L = x y^2/2 - .02 x, where sharpness x rises at the rate .02: -2 grad L . grad x = .04."""
    return float(fp.models.CentralFlow(lambda x, y: (y**2 / 2 - 0.02, x * y), 0.5).oscillation(at, 0.0))


@cache
def jumping(alpha):
    """The refined model: the same flow with stable noise times a matrix; (x, y) at t = .5 from (2, 0)."""
    flow = fp.models.CentralFlow(lambda x, y: (y**2 / 2 - 0.02, x * y), 0.5)
    process = fp.Process(flow.velocity, jumps=fp.Stable(alpha, MATRIX))
    problem, start = fp.Problem(process, fp.Grid(x=(-8, 8, 60), y=(-8, 8, 60))), fp.Gaussian((2.0, 0.0), 0.001)
    return fp.simulate(problem, start, [0.5], dt=0.02, n=10_000, seed=1, progress=False).positions[-1]


def along_x(places, alpha=1.5, row=MATRIX[0]):
    """Half the distance of the quartiles of x, over that of a stable law of scale |row| t^(1/alpha)."""
    quartiles = np.quantile(places[:, 0], (0.25, 0.75))
    return float(np.ptp(quartiles) / 2.0 / (np.hypot(*row) * 0.5 ** (1.0 / alpha) * levy_stable.ppf(0.75, alpha, 0.0)))


claims = [
    Exact(
        "the least push that holds the edge: sigma^2 (1 - sharpness/edge) = 0, below it and on it",
        slack,
        dict(always=False),
        float,
        0.0,
        atol=1e-7,
        wrong=dict(always=True),
        source=SOURCE,
        slow=True,
    ),
    Exact(
        "on the edge sigma^2 = -2 grad L . grad lambda/|grad lambda|^2",
        sharpening,
        dict(at=4.0),
        float,
        0.04,
        atol=1e-9,
        wrong=dict(at=3.999),
        source=SOURCE,
    ),
    Exact(
        "the refined model, this flow with stable noise times a matrix: the index of its particles, measured",
        jumping,
        dict(alpha=1.5),
        lambda places: fp.measure.tail_index(places[:, 0]).index,
        1.5,
        atol=0.06,
        wrong=dict(alpha=1.8),
        source="10,000 particles",
        slow=True,
    ),
    Exact(
        "its jumps are the matrix's: quartiles of one coordinate",
        jumping,
        dict(alpha=1.5),
        along_x,
        1.0,
        atol=0.04,
        wrong=lambda places: along_x(places, row=MATRIX[1]),
        source="a row of the matrix is a coordinate's scale",
    ),
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
