"""Jumps and memory by numbers that are printed: a Gaussian under jumps, and how a mean relaxes."""

import numpy as np

import fpsolve as fp
from fpsolve.claims import Exact


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


claims = [
    laplacian(0.5, 0.121932432383, 3e-7),
    laplacian(1.0, -0.085936244587, 3e-6),
    laplacian(1.5, -0.345726954203, 4e-5),
    relaxation(0.5, 0.427583576155807),
    relaxation(0.7, 0.399611978115599),
]
