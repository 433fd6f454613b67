"""Problems of one coordinate whose first passages are known: a double well and a free walk."""

import numpy as np

import fpsolve as fp

INSIDE = (-1.0, 1.0)


def problem(drift, diffusion, axis, convention="ito"):
    return fp.Problem(fp.Process(drift, diffusion, convention), fp.Grid(x=axis))


def double_well(D, axis=(-3, 3, 400)):
    """dX = (X - X^3) dt + sqrt(2 D) dW."""
    return problem(lambda x: x - x**3, D, axis)


def walk(D=0.5, axis=(-2, 2, 160)):
    return problem(0.0, D, axis)


def nodes(pr, lo=-np.inf, hi=np.inf):
    """Nodes strictly between lo and hi, as flags, and where they are."""
    x = pr.grid.nodes[0]
    return (x > lo) & (x < hi), x
