"""What tests of one-step methods share: a generator at rest, one in motion, and the observed order."""

from functools import partial

import numpy as np

import fpsolve as fp
from fpsolve.initial import masses


def double_well(cells=60):
    """A constant generator, and masses to start from."""
    pr = fp.Problem(fp.Process(lambda x: x - x**3, 0.25), fp.Grid(x=(-3, 3, cells)))
    return fp.generator(pr), masses(fp.Gaussian(-1, 0.3), pr.grid)


def swinging(cells=40):
    """A generator of t, and masses to start from."""
    process = fp.Process(lambda x, t: np.cos(3 * t) - x, lambda x, t: 0.5 + 0.3 * np.sin(2 * t) + 0.05 * x**2)
    pr = fp.Problem(process, fp.Grid(x=(-5, 5, cells)))
    return partial(fp.generator, pr), masses(fp.Gaussian(1, 0.5), pr.grid)


def orders(errors):
    """Observed orders of errors whose steps are halved."""
    return np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
