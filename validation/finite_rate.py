"""Finite learning rates: every term of the correction is needed; skewed gradients cost sqrt T beyond any diffusion."""

from functools import cache

import numpy as np
from scipy.interpolate import CubicSpline

import fpsolve as fp
from cases import sgd_ladder
from fpsolve.claims import Exact

MATCHING = "one step's moments against exp(eta (b d + s d^2)), to second order in eta"
EXACT = "the exact law of the discrete steps, collocated"
TERMS = ("b b'", "s b''", "b s'", "s b'", "s s''")
T, BEND, SWING = 0.3, 0.8, 0.6  # noise is the same at every learning rate: T = eta/S
NOISE, ODDS = np.polynomial.hermite_e.hermegauss(9)
X = np.linspace(-6.0, 6.0, 6001)


def drift(x, order=0):
    """b and its derivatives."""
    wave = (np.sin, np.cos, lambda x: -np.sin(x))[order](x)
    return -(x * (order == 0) + (order == 0) * 0.3 + (order == 1) + BEND * wave)


def noise(x, order=0):
    """s and its derivatives."""
    wave = (np.sin, np.cos, lambda x: -np.sin(x))[order](x)
    return 0.5 * T * ((order == 0) + SWING * wave)


def corrected(rate, without):
    """The density of the corrected drift and noise on X, with what -eta s s' d^3 adds; `without` one of the terms."""
    b, b1, b2 = (drift(X, k) for k in range(3))
    s, s1, s2 = (noise(X, k) for k in range(3))
    on = {term: float(term != without) for term in TERMS}
    A = b - 0.5 * rate * (on["b b'"] * b * b1 + on["s b''"] * s * b2)
    D = s - 0.5 * rate * (on["b s'"] * b * s1 + 2.0 * on["s b'"] * s * b1 + on["s s''"] * s * s2)
    h = X[1] - X[0]
    slope = (A - np.gradient(D, h)) / D
    c = -rate * s * s1
    c1 = np.gradient(c, h)
    phi = (np.gradient(c1, h) + 2.0 * c1 * slope + c * (np.gradient(slope, h) + slope**2)) / D
    log_p = CubicSpline(X, slope + phi).antiderivative()(X)
    p = np.exp(log_p - log_p.max())
    return p / p.sum()


def steps(rate):
    """x' = x + rate b + sqrt(2 rate s) g, g normal by nine points."""
    return fp.RandomMap(
        lambda x, g: x + rate * drift(x) + np.sqrt(2.0 * rate * noise(x)) * g, NOISE, (-5.0, 5.0),
        weights=ODDS / ODDS.sum(), time=rate,
    )  # fmt: skip


@cache
def exact(rate):
    """Mean, variance and third moment of the discrete steps."""
    law = fp.transfer(steps(rate))
    return np.array([law.mean(), law.var(), law.expect(lambda x: x**3)])


def error(without, rate=0.02):
    """The largest error of three moments over the learning rate, extrapolated to a learning rate of 0."""
    found = []
    for eta in (2.0 * rate, rate):
        p = corrected(eta, without)
        mean = p @ X
        found.append((np.array([mean, p @ (X - mean) ** 2, p @ X**3]) - exact(eta)) / eta)
    return float(np.abs(2.0 * found[1] - found[0]).max())


def printed_terms(without=None, rate=0.05):
    """Largest difference of the library's corrected drift and noise from the printed ones, relative."""
    found = fp.models.FiniteRate(steps(rate))
    x = np.linspace(*found.span, 60)[5:-5]
    on = {term: float(term != without) for term in TERMS}
    b, b1, b2 = (drift(x, k) for k in range(3))
    s, s1, s2 = (noise(x, k) for k in range(3))
    A = b - 0.5 * rate * (on["b b'"] * b * b1 + on["s b''"] * s * b2)
    D = s - 0.5 * rate * (on["b s'"] * b * s1 + 2.0 * on["s b'"] * s * b1 + on["s s''"] * s * s2)
    gaps = found.corrected_drift(x) - A, found.corrected_noise(x) - D
    return float(max(np.abs(gap).max() / np.abs(one).max() for gap, one in zip(gaps, (A, D), strict=True)))


@cache
def off(fraction, theory, column="diabetes/age"):
    """KS distance of a theory from SGD's law, skewed gradients, at a fraction of the critical temperature."""
    net = sgd_ladder.network(column, fraction)
    rate = fp.models.FiniteRate(net.random_map())
    density = rate.corrected() if theory == "corrected" else rate.third_order()
    return fp.distance(density, fp.transfer(net).stationary(), "KS")


def power_of_temperature(theory, column="diabetes/age"):
    """How the distance grows with T, from .0025 to .01 of the critical one."""
    return float(np.log(off(0.01, theory, column) / off(0.0025, theory, column)) / np.log(4.0))


claims = [
    *(
        Exact(
            f"a finite learning rate: three moments to second order, not without {term}",
            error,
            dict(without=None),
            float,
            0.0,
            atol=1e-4,
            wrong=dict(without=term),
            source=MATCHING,
        )
        for term in TERMS
    ),
    Exact(
        "the library's correction is the printed one, term by term",
        printed_terms,
        {},
        float,
        0.0,
        atol=1e-9,
        wrong=dict(without="s s''"),
        source=MATCHING,
    ),
    *(
        Exact(
            f"skewed gradients: what no diffusion sees grows like sqrt T: {column}",
            power_of_temperature,
            dict(theory="corrected", column=column),
            float,
            0.5,
            atol=atol,
            wrong=dict(theory="third order"),  # with the third cumulant, like T
            source=EXACT,
            slow=column == "diabetes/bmi",
        )
        for column, atol in (("diabetes/age", 0.04), ("diabetes/bmi", 0.1))
    ),
]
