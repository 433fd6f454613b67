"""The balanced equation as printed: drift and noise at any depth and width, both sides of 0, decay, and its slips."""

from functools import cache

import numpy as np

import fpsolve as fp
from cases import diagonal_network as case
from fpsolve.claims import Exact

PAPER = "Ziyin, Li & Ueda, arXiv 2308.06671"
A1, A2, A3, B1, B2 = case.MOMENTS
PLACES = np.array([1e-3, 0.2, 0.7, 1.5, 30.0])
SHAPES = tuple((layers, width) for layers in (1, 2, 3, 5) for width in (1, 4))
GAUSS = np.polynomial.legendre.leggauss(60)


def noise(v, side=1.0):
    """C(v), of |v| and with alpha2 reversed on the other side."""
    return A1 * v**2 - 2.0 * side * A2 * v + A3


def printed(v, layers, width, T, decay, side=1.0):
    """A and D at |v| = v."""
    n, d = layers, float(width)
    pull = -2.0 * n * d ** (2 / n - 1) * (B1 * v - side * B2) * v ** (2 - 2 / n)
    lift = 2.0 * T * n * (n - 1) * d ** (4 / n - 2) * v ** (3 - 4 / n) * noise(v, side)
    return pull + lift - 2.0 * n * decay * v, 2.0 * T * n**2 * d ** (4 / n - 2) * v ** (4 - 4 / n) * noise(v, side)


def equation_apart(side, decay=0.05, reversed_moments=True):
    """Largest relative difference of drift and noise from the printed ones; on v < 0 with beta2, alpha2 reversed."""
    worst = 0.0
    for layers, width in SHAPES if side > 0 else SHAPES[2:]:
        process = case.network(layers - 1, 0.2, width, 0.05).process()
        A, D = printed(PLACES, layers, width, 0.2, decay, side if reversed_moments else 1.0)
        found = side * process.drift(side * PLACES), process.diffusion(side * PLACES)
        worst = max(worst, *(float(np.abs(one / other - 1.0).max()) for one, other in zip(found, (A, D), strict=True)))
    return worst


def integral(v, integrand):
    """From 1 to v, over ln v."""
    points, parts = GAUSS
    half = 0.5 * np.log(v)[:, None]
    u = np.exp(half * (points + 1.0))
    return (half * parts * integrand(u) * u).sum(axis=1)


def by_quadrature(layers, width, power=-3.0, T=0.2):
    """Range of ln p less power (1 - 1/n) ln v - ln C - d^(1-2/n)/(n T) int (beta1 v - beta2)/(v^(2-2/n) C) dv."""
    n, d = layers, float(width)
    p = fp.stationary(case.problem(layers - 1, T, width))
    v = p.grid.nodes[0]
    seen = (v > 1e-2) & (v < 1e4)
    v = v[seen]
    force = integral(v, lambda u: (B1 * u - B2) / (u ** (2 - 2 / n) * noise(u)))
    law = power * (1 - 1 / n) * np.log(v) - np.log(noise(v)) - d ** (1 - 2 / n) / (n * T) * force
    return float(np.ptp(p.log_values[seen] - law))


def lower_limit(layers):
    """The power of v with which the exponent's integral from v to 1 diverges as v -> 0."""
    v = np.array([1e-14, 1e-12])
    return float(np.diff(np.log(integral(v, lambda u: (B1 * u - B2) / (u ** (2 - 2 / layers) * noise(u)))))[0] / 4.605)


def decayed(decay, layers=3, width=2, T=0.2):
    """Range of ln p(gamma) - ln p(0) + gamma d^(2-4/n)/(n T) int v^(4/n-3)/C dv, gamma = .1, above v = .05."""
    grid = fp.Grid(v=fp.Axis.log(0.05, 1e4, 400, ends="reflecting"))
    with_it, without = (
        fp.stationary(fp.Problem(case.network(layers - 1, T, width, gamma).process(), grid)) for gamma in (decay, 0.0)
    )
    strength = 0.1 * width ** (2 - 4 / layers) / (layers * T)
    gained = strength * integral(grid.nodes[0], lambda u: u ** (4 / layers - 3) / noise(u))
    return float(np.ptp(with_it.log_values - without.log_values + gained))


@cache
def deep(width, ratio=2.0, depth=400):
    """The mean at width/(depth T) = ratio."""
    return case.network(depth, width / (ratio * depth), width).exact_mean


def tail(depth, temperature):
    return fp.stationary(case.problem(depth, temperature)).tail_exponent()


def through_zero(depth):
    """The rate from the last cell of v > 0 to the first of v < 0."""
    whole_line = fp.Problem(case.network(0, 0.2).process(), fp.Grid(v=fp.Axis.sinh(-1e6, 1e6, 800)))
    problem = case.problem(depth, 0.2, branch="both") if depth else whole_line
    v = problem.grid.nodes[0]
    first = int(np.searchsorted(v, 0.0))
    mass = np.zeros(v.size)
    mass[first] = 1.0
    return float(fp.generator(problem).apply(mass)[first - 1])


def refusals(branch):
    """How many of twelve densities are refused, over temperatures from .01 to 10 and depths."""
    count = 0
    for depth in (1, 2, 4):
        for temperature in (0.01, 0.1, 1.0, 10.0):
            try:
                fp.stationary(case.problem(depth, temperature, branch=branch))
            except fp.NotNormalizable:
                count += 1
    return float(count)


def mirrored(beta2):
    """The mean for the moments alpha2 and beta2 reversed, on v < 0."""
    net = fp.models.DiagonalNetwork.from_moments(fp.Moments(A1, -A2, A3, B1, beta2), 0.2)
    return fp.stationary(net.problem("negative")).mean()


@cache
def crossing_share(depth):
    """The share of real SGD's replicas that are on the other side of v = 0."""
    net = fp.models.DiagonalNetwork(fp.Regression.synthetic(100, seed=2), depth=depth, learning_rate=0.05)
    swarm = net.sgd(400, 2000, seed=3, progress=False, max_diverged=1.0)
    return float((swarm.positions[-1, swarm.alive(), 0] < 0).mean())


def infinitely_deep(k_power=2, turn_power=2, ratio=2.0):
    """Range of ln p less the closed form, with alpha3 to these powers in its two denominators."""
    p = fp.stationary(fp.models.DiagonalNetwork.infinite_depth(fp.Moments(*case.MOMENTS), ratio).problem())
    v, root = p.grid.nodes[0], np.sqrt(A1 * A3 - A2**2)
    k = ratio * (A3 * B1 - 2 * A2 * B2) / A3**k_power
    turn = (A2 * A3 * B1 - 2 * A2**2 * B2 + A1 * A3 * B2) / (A3**turn_power * root)
    law = -(3 + k) * np.log(v) - (1 - k / 2) * np.log(noise(v))
    law -= ratio * (B2 / (A3 * v) + turn * np.arctan((A1 * v - A2) / root))
    seen = p.log_values > p.log_values.max() - 600.0
    return float(np.ptp((p.log_values - law)[seen]))


def cells_alone(p):
    """The mean by the cells, as if nothing were beyond them."""
    return float(p.masses @ p.grid.nodes[0] / p.masses.sum())


claims = [
    *(
        Exact(
            f"drift and noise are the printed ones, 1 to 5 layers, width 1 and 4, weight decay: {where}",
            equation_apart,
            dict(side=side),
            float,
            0.0,
            atol=1e-13,
            wrong=wrong,
            source=PAPER,
        )
        for where, side, wrong in (
            ("v > 0", 1.0, dict(decay=0.0501)),
            ("v < 0, with beta2 and alpha2 reversed", -1.0, dict(reversed_moments=False)),
        )
    ),
    *(
        Exact(
            f"{layers} layers of width {width}: ln p is the formula with its integral by quadrature",
            by_quadrature,
            dict(layers=layers, width=width),
            float,
            0.0,
            atol=1e-11,
            wrong=dict(power=-2.999),
            source=PAPER,
        )
        for layers, width in ((3, 1), (3, 3), (4, 3), (6, 1))
    ),
    Exact(
        "from 0 the exponent's integral diverges, at 4 layers as v^-1/2",
        lower_limit,
        dict(layers=4),
        float,
        -0.5,
        atol=1e-3,
        wrong=dict(layers=5),
        source=PAPER,
    ),
    *(
        Exact(
            f"infinite depth: alpha3 is squared in the denominator of {what}",
            infinitely_deep,
            {},
            float,
            0.0,
            atol=1e-7,
            wrong=wrong,
            source=f"{PAPER}; one square is missing in print",
        )
        for what, wrong in (("k", dict(k_power=1)), ("the arctangent", dict(turn_power=1)))
    ),
    Exact(
        "400 layers: width 4 at four times the temperature has the mean of width 1",
        lambda ratio: deep(4, ratio) / deep(1),
        dict(ratio=2.0),
        float,
        1.0,
        atol=0.005,
        wrong=dict(ratio=0.5),
        source=PAPER,
    ),
    Exact(
        "from two layers on the tail does not hear the temperature; that of one layer does",
        lambda depth: max(abs(tail(one, 0.1) - tail(one, 0.3)) for one in depth),
        dict(depth=(1, 2, 4)),
        float,
        0.0,
        atol=1e-6,
        wrong=dict(depth=(0,)),
        source=PAPER,
    ),
    *(
        Exact(
            f"nothing goes from v > 0 to v < 0 by diffusion: {layers} layers",
            through_zero,
            dict(depth=layers - 1),
            float,
            0.0,
            atol=1e-12,
            wrong=dict(depth=0),
            source="D(0) = 0",
        )
        for layers in (2, 3)
    ),
    *(
        Exact(
            f"real SGD of {layers} layers {what}",
            lambda depth: float(crossing_share(depth) > 0.1),
            dict(depth=layers - 1),
            float,
            crosses,
            atol=1e-9,
            wrong=dict(depth=layers),
            source="u' = u - 2 eta m u^(n-1), v = d u^n",
        )
        for layers, crosses, what in ((4, 0.0, "stays on its side, n even"), (5, 1.0, "crosses v = 0, n odd"))
    ),
    Exact(
        "the branch v < 0 has no density at any of four temperatures and three depths",
        refusals,
        dict(branch="negative"),
        float,
        12.0,
        atol=1e-9,
        wrong=dict(branch="positive"),  # two: two layers have none at T = 1 and 10
        source=PAPER,
    ),
    Exact(
        "moments with beta2 and alpha2 reversed: the same law on the other side",
        mirrored,
        dict(beta2=-B2),
        float,
        -0.580905119904,
        atol=1e-10,
        wrong=dict(beta2=-1.0001 * B2),
        source=PAPER,
    ),
    Exact(
        "three layers have a density at T = 100 too",
        lambda temperature: fp.stationary(case.problem(2, temperature)).mean() / case.network(2, 100.0).exact_mean,
        dict(temperature=100.0),
        float,
        1.0,
        atol=1e-9,
        wrong=dict(temperature=99.0),
        source=PAPER,
    ),
    Exact(
        "near T_c the mean needs what lies beyond the grid",
        lambda: fp.stationary(case.problem(1, 0.3)),
        {},
        lambda p: p.mean(),
        0.182091573119,
        atol=6e-10,
        wrong=cells_alone,
        source="30-digit quadrature",
    ),
    Exact(
        "weight decay at three layers, above v = .05: -(gamma d^(2-4/n)/(n T)) int v^(4/n-3)/C dv in ln p",
        decayed,
        dict(decay=0.1),
        float,
        0.0,
        atol=1e-10,
        wrong=dict(decay=0.1001),
        source=PAPER,
    ),
]
