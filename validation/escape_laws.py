"""Kramers' law and the power law, each where it belongs and not where the other does; the exponent in n dimensions."""

from functools import cache

import numpy as np

from cases import escape_laws as case
from fpsolve.claims import Exact

KRAMERS = "Kramers, Physica 7, 284 (1940)"
POWER = "Mori et al., ICML 2022: phi + 1 - n/2"
LAPLACE = "both integrals by Laplace's method"


@cache
def solved(dimension=1):
    return case.solve(dimension=dimension)


def residual(noise, hypothesis):
    """Residual of the fit of ln tau, at the lowest temperature."""
    return lambda results: case.fitted(results[noise], hypothesis, 0)[2]


def held(phi, expected):
    return Exact(
        f"double well, D = L/{phi:g}: mean time from -1 to 1",
        case.double_well,
        dict(phi=phi),
        float,
        expected,
        atol=1e-8 * expected,
        wrong=dict(phi=phi * (1 + 1e-6)),
        source="int L^phi int phi L^(-1-phi), quadrature",
    )


def over_a_pass(phi):
    return Exact(
        f"two coordinates, barrier a pass: exponent phi = {phi:g}",
        case.exponent_over_a_pass,
        dict(phi=phi),
        float,
        phi,
        atol=0.01,
        wrong=dict(phi=1.02 * phi),
        source=POWER,
    )


def power(phi, dimension):
    """The exponent where the barrier is 1000 floors high; the control takes that of one more dimension."""
    return Exact(
        f"exponent phi + 1 - n/2: phi = {phi:g}, n = {dimension}",
        case.exponent,
        dict(phi=phi, dimension=dimension),
        float,
        phi + 1.0 - dimension / 2.0,
        atol=8e-3,
        wrong=dict(dimension=dimension + 1),
        source=POWER,
    )


def over_power_law(phi, of_rate=False):
    """The time from -1 to 1 (D = L/phi) over 2 pi/sqrt(h |h_s|) (L_s/L0)^(phi + 1/2), or with the rate's prefactor."""
    prefactor = 2.0 * np.pi / np.sqrt(2.0)  # h = 2, h_s = -1
    law = (1.0 / prefactor if of_rate else prefactor) * (0.3 / 0.05) ** (phi + 0.5)
    return case.double_well(phi) / law * np.sqrt(1.0 + 1.0 / phi)


claims = [
    Exact(
        "noise that follows the loss: 2 pi/sqrt(h |h_s|) is the time's prefactor, its inverse the rate's",
        lambda of_rate: 2.0 * over_power_law(40.0, of_rate) - over_power_law(20.0, of_rate),
        dict(of_rate=False),
        float,
        1.0,
        atol=2e-3,
        wrong=dict(of_rate=True),
        source=LAPLACE,
    ),
    held(2.0, 357.8710117),
    held(5.0, 81031.52461),
    held(10.0, 643179094.1),
    *(power(phi, dimension) for phi in (2.0, 5.0, 10.0) for dimension in (1, 2, 3)),
    over_a_pass(2.0),
    over_a_pass(5.0),
    Exact(
        "Kramers: T d ln tau/d Delta L in one dimension",
        lambda temperature: np.log(
            case.escape_time(16.0, temperature, False) / case.escape_time(15.0, temperature, False)
        ),
        dict(temperature=0.5),
        lambda slope: 0.5 * slope,
        1.0,
        atol=3e-3,
        wrong=dict(temperature=0.55),
        source=KRAMERS,
    ),
    Exact(
        "Kramers: prefactor pi/sqrt 2 of both exits",
        case.escape_time,
        dict(ratio=16.0, temperature=0.25, proportional=False),
        lambda tau: tau * np.exp(-60.0),
        np.pi / np.sqrt(2.0),
        atol=0.02,
        wrong=dict(ratio=16.01),
        source=LAPLACE,
    ),
    Exact(
        "constant noise is straight over Delta L, not over Delta log L",
        solved,
        {},
        residual("constant noise", "Delta L"),
        0.0,
        atol=0.1,
        wrong=residual("constant noise", "Delta log L"),
        source=KRAMERS,
    ),
    Exact(
        "noise proportional to the loss is straight over Delta log L, not over Delta L",
        solved,
        {},
        residual("noise proportional to the loss", "Delta log L"),
        0.0,
        atol=0.1,
        wrong=residual("noise proportional to the loss", "Delta L"),
        source=POWER,
    ),
    Exact(
        "in two coordinates as by the radius",
        case.in_the_plane,
        dict(ratio=4.0, temperature=0.25),
        lambda tau: tau(0.0, 0.0) / case.escape_time(4.0, 0.25, True, dimension=2),
        1.0,
        atol=0.01,
        wrong=dict(temperature=0.255),
        source="isotropy",
    ),
]
