"""The norm follows its closed form, grows without weight decay, and the angle settles to its temperature."""

from functools import cache

import numpy as np

from cases import scale_invariant as case
from fpsolve.claims import Exact

SOURCE = "Ziyin, Wang, Li & Wu, arXiv 2402.07193"


@cache
def solved(weight_decay=0.05, until=2.0):
    problem = case.problem(weight_decay=weight_decay)
    start = case.fp.Gaussian(case.START, case.SPREAD)
    return case.fp.evolve(problem, start, [until], method=case.fp.SDIRK2(dt=0.02))


def angle_off(path, weight_decay=0.2):
    """L1 between the marginal of the angle and exp(-L/sqrt(gamma T s))."""
    angle = path[-1].marginal("phi")
    exact = case.model(weight_decay=weight_decay).exact_density()
    return float(np.sum(angle.grid.weights * np.abs(angle.values - exact(angle.grid.nodes[0]))))


def growth():
    """<r^4> at t = 1 without weight decay, over the straight line r0^4 + 2 T s t."""
    model = case.model(weight_decay=0.0)
    problem = case.fp.Problem(model.process(), model.grid((200, 64), radius=(0.55, 1.25)), case.fp.Accurate())
    path = case.fp.evolve(problem, case.fp.Gaussian(case.START, case.SPREAD), [0, 1], method=case.fp.SDIRK2(dt=0.02))
    return float(np.diff(case.fourth_power(path))[0])


def descent():
    """What gradient descent does to r^4: nothing."""
    return 0.0


def equation_apart(stretch=1.0, T=0.1, gamma=0.05):
    """Largest relative difference from dr = (-2 gamma r + T S/(2 r^3)) dt, dphi = -L'/r^2 dt + sqrt(T S)/r^2 dW."""
    model = case.fp.models.ScaleInvariant(
        lambda phi: -np.cos(phi), lambda phi: 2.0 + np.sin(phi), T, gamma, slope=np.sin
    )
    r, phi = np.array([0.5, 1.0, 1.7]), np.array([0.3, 2.0, 4.0])
    S = stretch * (2.0 + np.sin(phi))
    printed = -2.0 * gamma * r + T * S / (2.0 * r**3), -np.sin(phi) / r**2, 0.5 * T * S / r**4
    process = model.process()
    diffusion = [part(r, phi) if callable(part) else part for part in process.diffusion]
    found = *process.drift(r, phi), diffusion[1]
    gaps = [np.abs(one / other - 1.0).max() for one, other in zip(found, printed, strict=True)]
    return float(max(*gaps, np.abs(diffusion[0]).max()))


claims = [
    Exact(
        "drift and noise of norm and angle are the printed ones, and the norm has no noise",
        equation_apart,
        {},
        float,
        0.0,
        atol=1e-12,
        wrong=dict(stretch=1.001),
        source=SOURCE,
    ),
    Exact(
        "<r^4> relaxes to T s/(4 gamma): t = 2",
        solved,
        {},
        lambda path: float(case.fourth_power(path)[0]),
        float(case.expected_fourth_power(2.0)),
        atol=5e-5,
        wrong=dict(weight_decay=0.051),
        source=SOURCE,
    ),
    Exact(
        "without weight decay SGD makes r^4 grow by 2 T s per unit time",
        growth,
        {},
        lambda rise: rise,
        0.4,
        atol=1e-4,
        wrong=lambda _: descent(),
        source=SOURCE,
    ),
    Exact(
        "the angle settles to exp(-L/sqrt(gamma T s)), L1",
        solved,
        dict(weight_decay=0.2, until=8.0),
        angle_off,
        0.0,
        atol=4e-3,
        wrong=lambda path: angle_off(path, weight_decay=0.19),
        source=SOURCE,
    ),
]
