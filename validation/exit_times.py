"""Exit times and chances against closed forms, the order of a level function, and Kramers' times to nine digits."""

import numpy as np

from cases import exit_times as case
from fpsolve.claims import Exact

GARDINER = "Gardiner 2009, section 5.5"
QUADRATURE = "int exp(L/T) int exp(-L/T)/T, quadrature to 30 digits"


def on_nodes(found, exact):
    """Largest error inside, relative to the largest value."""
    x = found.grid.mesh()
    inside = found.values > 0
    return float(np.abs(found.values - exact(*x))[inside].max() / found.values.max())


def times(drift=0.0, D=1.0):
    return case.fp.mean_exit_time(case.interval(drift, D), inside=(-1, 1))


def chances(drift=0.0, D=1.0):
    return case.fp.exit_probability(case.interval(drift, D), inside=(-1, 1), through="upper")


def order(semi_axes, tensor, exact_tensor=None):
    """Observed order of the mean over the ellipse, from the spread of three grids."""
    errors = []
    for cells in (48, 96):
        tau = case.ellipse(semi_axes, tensor, cells)
        exact = case.elliptic(*tau.grid.mesh(), semi_axes, exact_tensor or tensor)
        gap = np.where(tau.values > 0, tau.values - exact, 0.0)
        errors.append(float(np.sqrt((gap**2 * tau.grid.weights).sum())))
    return float(np.log2(errors[0] / errors[1]))


def over_barrier(temperature, target, expected):
    """The mean time from -1; the control is warmer by a millionth."""
    return Exact(
        f"double well, T = {temperature:g}: mean time from -1 to {target:g}",
        case.well,
        dict(temperature=temperature, target=target),
        lambda tau: tau(-1.0),
        expected,
        atol=2e-9 * expected,
        wrong=dict(temperature=temperature * (1 + 1e-6)),
        source=QUADRATURE,
    )


claims = [
    Exact(
        "free interval: (1 - x^2)/2D",
        times,
        dict(D=0.7),
        lambda tau: on_nodes(tau, lambda x: case.free(x, 0.7)),
        0.0,
        atol=1e-12,
        wrong=dict(D=0.70001),
        source=GARDINER,
    ),
    Exact(
        "drifted interval",
        times,
        dict(drift=3.0, D=0.7),
        lambda tau: on_nodes(tau, lambda x: case.drifted(x, 3.0, 0.7)),
        0.0,
        atol=1e-12,
        wrong=dict(drift=3.00001),
        source=GARDINER,
    ),
    Exact(
        "chance to leave at the upper end",
        chances,
        dict(drift=-3.0, D=0.7),
        lambda h: on_nodes(h, lambda x: case.upper_chance(x, -3.0, 0.7)),
        0.0,
        atol=1e-12,
        wrong=dict(drift=-3.00001),
        source=GARDINER,
    ),
    Exact(
        "ellipse with correlated noise, 96^2",
        case.ellipse,
        dict(semi_axes=(1.0, 0.7), cells=96),
        lambda tau: on_nodes(tau, lambda x, y: case.elliptic(x, y, (1.0, 0.7))),
        0.0,
        atol=4e-4,
        wrong=dict(tensor=(1.02, 0.4, 0.5)),
        source="L* of the quadratic is constant",
    ),
    Exact(
        "a level function is second order",
        order,
        dict(semi_axes=(1.0, 1.0), tensor=(1.0, 0.0, 1.0)),
        float,
        2.0,
        atol=0.1,
        wrong=dict(exact_tensor=(1.05, 0.0, 1.0)),
        source="crossed edges are shortened",
    ),
    over_barrier(0.1, 1.0, 66.268626367),
    over_barrier(0.05, 1.0, 729.67069195),
    over_barrier(0.1, 0.0, 30.821302475),
    over_barrier(0.05, 0.0, 361.90375951),
    Exact(
        "Kramers' formula in the limit: the ratio falls to 1 as 1 + O(T)",
        lambda temperature: case.well(temperature)(-1.0) / case.kramers(temperature),
        dict(temperature=0.005),
        float,
        1.0,
        atol=0.01,
        wrong=dict(temperature=0.05),
        source="Risken 1996, section 5.10",
    ),
]
