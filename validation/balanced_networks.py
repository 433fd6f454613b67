"""Balanced networks: closed forms at every depth, both ends of the law, and where there is none."""

import warnings

import numpy as np

import fpsolve as fp
from cases import diagonal_network as case
from fpsolve.claims import Exact

PAPER = "Ziyin, Li & Ueda, arXiv 2308.06671"
QUADRATURE = "the closed form, 20-digit quadrature in ln v"
A1, A2, A3, B1, B2 = case.MOMENTS
ROOT = np.sqrt(A1 * A3 - A2**2)
SEEN = 600.0  # of ln p below its maximum: beyond, p is 0 in every double


def noise(v):
    """C(v)."""
    return A1 * v**2 - 2.0 * A2 * v + A3


def angle(v):
    return np.arctan((A1 * v - A2) / ROOT)


def one_layer(v, T):
    return -(1 + B1 / (2 * T * A1)) * np.log(noise(v)) - (A2 * B1 - A1 * B2) / (T * A1 * ROOT) * angle(v)


def two_layers(v, T):
    straight = (B2 / (2 * T * A3) - 1.5) * np.log(v) - (1 + B2 / (4 * T * A3)) * np.log(noise(v))
    return straight - (A3 * B1 - A2 * B2) / (2 * T * A3 * ROOT) * angle(v)


def many_layers(v, ratio):
    """ratio: d/(D T)."""
    k = ratio * (A3 * B1 - 2 * A2 * B2) / A3**2
    turn = (A2 * A3 * B1 - 2 * A2**2 * B2 + A1 * A3 * B2) / (A3**2 * ROOT)
    return -(3 + k) * np.log(v) - (1 - k / 2) * np.log(noise(v)) - ratio * (B2 / (A3 * v) + turn * angle(v))


def limit(ratio):
    return fp.models.DiagonalNetwork.infinite_depth(fp.Moments(*case.MOMENTS), ratio)


def off(p, log_density, parameter):
    """Range of ln p less the closed form, wherever p is a positive double."""
    v, log_p = p.grid.nodes[0], p.log_values
    seen = log_p > log_p.max() - SEEN
    rest = (log_p - log_density(v, parameter))[seen]
    return float(rest.max() - rest.min())


def closed_form(name, problem, log_density, parameter):
    """The control has one part in a million more noise."""
    return Exact(
        f"{name}: ln p is the closed form",
        lambda: fp.stationary(problem()),
        {},
        lambda p: off(p, log_density, parameter),
        0.0,
        atol=1e-7,
        wrong=lambda p: off(p, log_density, parameter * (1 + 1e-6)),
        source=PAPER,
    )


def any_depth(depth, width):
    """The computed density against p ~ v^(-3(1-1/n)) C^-1 exp(-...)."""

    def gap(problem, net):
        p = fp.stationary(problem)
        seen = p.log_values > p.log_values.max() - SEEN
        return float(np.abs(p.log_values - net.exact_density().on(p.grid).log_values)[seen].max())

    net = case.network(depth, 0.2, width)
    return Exact(
        f"depth {depth}, width {width}: ln p at every node",
        case.problem,
        dict(depth=depth, temperature=0.2, width=width),
        lambda problem: gap(problem, net),
        0.0,
        atol=1e-9,
        wrong=dict(temperature=0.2 * (1 + 1e-6)),
        source=PAPER,
    )


def refusal(depth=1, temperature=0.1, weight_decay=0.0, branch=None):
    """1 where the density is refused for want of finite mass."""
    try:
        fp.stationary(case.problem(depth, temperature, 1, weight_decay, branch))
    except fp.NotNormalizable:
        return 1.0
    return 0.0


def refused(name, wrong, **how):
    """The control is normalisable."""
    return Exact(f"no density: {name}", refusal, how, float, 1.0, atol=1e-9, wrong=wrong, source=PAPER)


def fraction_below(v, expected):
    return Exact(
        f"share of mass below v = {v:g} at T = 0.3",
        case.problem,
        dict(temperature=0.3),
        lambda problem: fp.stationary(problem).cdf(v),
        expected,
        atol=1e-8,
        wrong=dict(temperature=0.3001),
        source=QUADRATURE,
    )


def crossings(depth):
    """1 where a replica of real SGD has changed the sign of v."""
    data = fp.Regression.synthetic(100, seed=2)
    net = fp.models.DiagonalNetwork(data, depth=depth, learning_rate=0.05)
    swarm = net.sgd(400, 2000, seed=3, progress=False, max_diverged=1.0)
    return float((swarm.positions[-1, swarm.alive(), 0] < 0).any())


def missing_square(problem):
    """How the part of <v^2> beyond v falls with v, from the density's cells: v^-1/2."""
    p = fp.stationary(problem)
    v = p.grid.nodes[0]
    beyond = np.cumsum((p.masses * v**2)[::-1])[::-1]
    i, k = np.searchsorted(v, (1e4, 1e6))
    return float(np.log(beyond[k] / beyond[i]) / np.log(v[k] / v[i]))


def cube(problem):
    """1/<v^3>, 0 where the moment is infinite and this is told."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = fp.stationary(problem).moment(3)
    return 1.0 / found if np.isfinite(found) or told else np.nan


def cut_off(problem):
    """Slope of ln(-ln p) over ln v toward 0 at 3 layers: -(1 - 2/n)."""
    p = fp.stationary(problem)
    v, height = p.grid.nodes[0], p.log_values.max() - p.log_values
    return float(np.log(height[1] / height[0]) / np.log(v[1] / v[0]))


claims = [
    closed_form("one layer", lambda: case.problem(0, 0.2), one_layer, 0.2),
    closed_form("two layers", lambda: case.problem(1, 0.2), two_layers, 0.2),
    closed_form("two layers of width 5", lambda: case.problem(1, 0.2, 5), two_layers, 0.2),
    closed_form("infinite depth", lambda: limit(2.0).problem(), many_layers, 2.0),
    *(any_depth(depth, width) for depth, width in ((0, 1), (1, 1), (2, 1), (2, 3), (4, 1))),
    Exact(
        "width and depth pair with temperature: mean at 400 layers over the limit's",
        lambda depth, width: case.network(depth, width / (2.0 * depth), width).exact_mean / limit(2.0).exact_mean,
        dict(depth=400, width=4),
        float,
        1.0,
        atol=0.01,
        wrong=dict(depth=10),
        source=PAPER,
    ),
    Exact(
        "one layer: q = 2 + beta1/(T alpha1)",
        case.solve,
        dict(depth=0, temperature=0.2),
        lambda r: r["stationary"].tail_exponent(),
        2.0 + 1.0 / (0.2 * 2.0),
        atol=1e-6,
        wrong=dict(temperature=0.2001),
        source=PAPER,
    ),
    Exact(
        "one layer: the variance is infinite from T = beta1/alpha1 on",
        lambda temperature: case.network(0, temperature),
        dict(temperature=0.5),
        lambda net: 1.0 / net.exact_variance,
        0.0,
        atol=1e-9,
        wrong=dict(temperature=0.499),
        source=PAPER,
    ),
    *(
        Exact(
            f"one layer: T C(beta2/beta1)/(beta1 - T alpha1) at T = {T:g}",
            lambda temperature: fp.stationary(case.problem(0, temperature)),
            dict(temperature=T),
            lambda p: p.var(),
            variance,
            atol=1e-10,
            wrong=dict(temperature=1.001 * T),
            source=PAPER,
        )
        for T, variance in ((0.1, 0.125), (0.2, 1 / 3))
    ),
    Exact(
        "one layer: the mean is beta2/beta1 at any temperature",
        lambda temperature: fp.stationary(case.problem(0, temperature)),
        dict(temperature=0.3),
        lambda p: p.mean(),
        1.0,
        atol=1e-10,
        wrong=lambda p: fp.stationary(case.problem(1, 0.3)).mean(),
        source=PAPER,
    ),
    Exact(
        "infinite depth: q = 5",
        lambda: fp.stationary(limit(2.0).problem()),
        {},
        lambda p: p.tail_exponent(),
        5.0,
        atol=1e-6,
        wrong=lambda p: fp.stationary(case.problem(9, 0.2)).tail_exponent(),
        source=PAPER,
    ),
    Exact(
        "two layers: what <v^2> lacks falls as v^-1/2",
        case.problem,
        dict(temperature=0.2),
        missing_square,
        -0.5,
        atol=1e-3,
        wrong=dict(depth=2),
        source="p ~ v^-7/2",
    ),
    Exact(
        "two layers: <v^3> is infinite",
        case.problem,
        dict(temperature=0.2),
        cube,
        0.0,
        atol=1e-12,
        wrong=dict(depth=0, temperature=0.1),
        source="p ~ v^-7/2",
    ),
    refused("two layers above T_c = 1/3", dict(temperature=0.33), temperature=0.34),
    refused(
        "two layers above T_c = (beta2 - gamma)/alpha3", dict(weight_decay=0.09), temperature=0.3, weight_decay=0.11
    ),
    refused("the branch v < 0, two layers", dict(branch="positive"), branch="negative"),
    refused("the branch v < 0, three layers", dict(branch="positive"), depth=2, branch="negative"),
    refused("three layers with weight decay", dict(weight_decay=0.0), depth=2, weight_decay=0.01),
    refused("two layers at T = 1, where three have one", dict(depth=2), temperature=1.0),
    Exact(
        "three layers: p ~ exp(-c v^-1/3) at 0",
        lambda depth: fp.Problem(case.network(depth, 0.2).process(), fp.Grid(v=fp.Axis.log(1e-15, 1e12, 1200))),
        dict(depth=2),
        cut_off,
        -1.0 / 3.0,
        atol=2e-3,
        wrong=dict(depth=3),
        source=PAPER,
    ),
    fraction_below(1e-6, 0.39379198918),
    fraction_below(1e-12, 0.18278203537),
    Exact(
        "SGD at depth 2 jumps across v = 0, at depth 1 it cannot",
        crossings,
        dict(depth=2),
        float,
        1.0,
        atol=1e-9,
        wrong=dict(depth=1),
        source="u' = u - 2 eta m u^(n-1), v = u^n",
    ),
    Exact(
        "growth of ln v at 0: 4 (beta2 - T alpha3)",
        lambda temperature: case.problem(1, temperature).process,
        dict(temperature=0.1),
        lambda process: float((process.drift(np.array([1e-9])) - process.diffusion(np.array([1e-9])) / 1e-9)[0] * 1e9),
        4.0 * (1.0 - 0.3),
        atol=1e-6,
        wrong=dict(temperature=0.101),
        source="Ito: d ln v = (A/v - D/v^2) dt + ...",
    ),
    Exact(
        "the mode of two layers",
        case.solve,
        dict(temperature=0.05),
        lambda r: np.polyval([7 * A1 * 0.05, B1 - 10 * A2 * 0.05, -(B2 - 3 * A3 * 0.05)], r["stationary"].mode()),
        0.0,
        atol=1e-5,
        wrong=dict(temperature=0.051),
        source="d ln p/dv = 0",
    ),
]
