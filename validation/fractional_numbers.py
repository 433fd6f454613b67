"""Jumps and memory by the numbers that are printed: exits, wells, tails, a Gaussian under jumps, relaxation."""

import math

import numpy as np

import fpsolve as fp
from cases import stable_double_well, stable_exit, stable_harmonic, stable_quartic
from fpsolve.claims import Exact

GETOOR = "Getoor, Trans. Amer. Math. Soc. 101, 75 (1961)"
BLUMENTHAL = "Blumenthal, Getoor & Ray, Trans. Amer. Math. Soc. 99, 540 (1961)"
WEST = "West & Seshadri, Physica A 113, 203 (1982)"
CHECHKIN = "Chechkin et al., Phys. Rev. E 67, 010102 (2003)"
IMKELLER = "Imkeller & Pavlyukevich, J. Phys. A 39, L237 (2006)"
INSIDE = np.linspace(-0.9, 0.9, 37)


def exit_times(alpha):
    return Exact(
        f"mean time to leave (-1, 1), alpha = {alpha:g}, relative",
        stable_exit.times,
        dict(alpha=alpha),
        lambda tau: np.abs(tau(INSIDE) * math.gamma(1 + alpha) * (1 - INSIDE**2) ** (-alpha / 2) - 1).max(),
        0.0,
        atol=3e-5,
        wrong=dict(scale=1.001),
        source=GETOOR,
    )


def exit_chances(alpha):
    from scipy.special import betainc

    return Exact(
        f"chance to leave (-1, 1) on the right, alpha = {alpha:g}",
        stable_exit.chances,
        dict(alpha=alpha),
        lambda h: np.abs(h(INSIDE) - betainc(alpha / 2, alpha / 2, (1 + INSIDE) / 2)).max(),
        0.0,
        atol=3e-5,
        wrong=dict(drift=0.01),
        source=BLUMENTHAL,
    )


def harmonic(alpha, peak, atol):
    return Exact(
        f"harmonic well: p(0), alpha = {alpha:g}",
        stable_harmonic.problem,
        dict(alpha=alpha),
        lambda problem: fp.stationary(problem)(0.0),
        peak,
        atol=atol * peak,
        wrong=dict(k=1.0 + 10.0 * atol),
        source=WEST,
    )


def tail(alpha, power):
    """p |x|^(alpha + c - 1) alpha/C_alpha at x = 1e3."""

    def amplitude(problem):
        return fp.stationary(problem)(1e3) * 1e3 ** (alpha + power - 1.0) / stable_quartic.amplitude(alpha)

    return Exact(
        f"tail in |x|^{power:g}/{power:g}: amplitude and power, alpha = {alpha:g}",
        stable_quartic.problem,
        dict(alpha=alpha, power=power),
        amplitude,
        1.0,
        atol=5e-3,
        wrong=dict(ends="reflecting"),
        source=CHECHKIN,
    )


def of_gaussian(alpha, stretch=1.0, cells=1601):
    """(-Laplacian)^(alpha/2) of exp(-x^2/stretch) at x = 1."""
    axis = fp.Axis.uniform(-20.0, 20.0, cells)
    problem = fp.Problem(fp.Process(0.0, jumps=fp.Stable(alpha)), fp.Grid(x=axis), fp.Accurate())
    rate = fp.generator(problem).apply(np.exp(-(axis.nodes**2) / stretch) * axis.weights) / axis.weights
    from scipy.interpolate import CubicSpline

    return -float(CubicSpline(axis.nodes, rate)(1.0))


def laplacian(alpha, value, atol):
    return Exact(
        f"a Gaussian's fractional Laplacian at 1, alpha = {alpha:g}",
        of_gaussian,
        dict(alpha=alpha),
        float,
        value,
        atol=atol,
        wrong=dict(stretch=1.001),
        source="2^alpha Gamma((1 + alpha)/2)/sqrt(pi) 1F1((1 + alpha)/2; 1/2; -x^2)",
    )


def relaxation(memory, value):
    """<x> at t = 1 from a mean of 1, in dX = -X dE + sqrt 2 dW_E."""

    def mean(memory):
        process = fp.Process(lambda x: -x, 1.0, memory=memory)
        return fp.evolve(fp.Problem(process, fp.Grid(x=(-9, 9, 2400))), fp.Gaussian(1.0, 0.5), [1.0]).mean()[0]

    return Exact(
        f"E_beta(-1), beta = {memory:g}",
        mean,
        dict(memory=memory),
        float,
        value,
        atol=1e-5,
        wrong=dict(memory=memory + 0.001),
        source="Metzler & Klafter 2000",
    )


def escape(alpha, limit, atol):
    """(alpha/C_alpha) a^alpha with a = 1; the control is noise that is not small."""
    return Exact(
        f"escape by jumps: eps^alpha tau as eps -> 0, alpha = {alpha:g}",
        stable_double_well.reduced,
        dict(alpha=alpha, noise=1e-3),
        float,
        limit,
        atol=atol * limit,
        wrong=dict(noise=0.5),
        source=IMKELLER,
    )


claims = [
    *(exit_times(alpha) for alpha in (0.7, 1.0, 1.5)),
    *(exit_chances(alpha) for alpha in (0.7, 1.0, 1.5)),
    harmonic(0.5, 0.159154943091895, 3e-6),
    harmonic(1.0, 0.318309886183791, 1e-6),
    harmonic(1.5, 0.376538625235254, 2e-5),
    Exact(
        "quartic well, Cauchy jumps: p at 1/sqrt 2",
        stable_quartic.density,
        {},
        lambda p: p(2**-0.5),
        0.424413181578388,
        atol=1e-6,
        wrong=dict(alpha=1.001),
        source=CHECHKIN,
    ),
    Exact(
        "quartic well, Cauchy jumps: the closed form everywhere, relative",
        stable_quartic.density,
        {},
        lambda p: np.abs(p.values / stable_quartic.cauchy(p.grid.nodes[0]) - 1).max(),
        0.0,
        atol=1e-4,
        wrong=dict(alpha=1.001),
        source=CHECHKIN,
    ),
    tail(1.0, 4.0),
    tail(1.5, 4.0),
    tail(1.5, 3.0),
    laplacian(0.5, 0.121932432383, 3e-7),
    laplacian(1.0, -0.085936244587, 3e-6),
    laplacian(1.5, -0.345726954203, 4e-5),
    relaxation(0.5, 0.427583576155807),
    relaxation(0.7, 0.399611978115599),
    escape(1.0, 3.1416, 5e-3),
    escape(1.5, 5.0133, 5e-3),
]
