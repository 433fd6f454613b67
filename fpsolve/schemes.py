"""How the generator is discretised: positive by construction, or of higher order where that pays."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Positive:
    """Exponential fitting: rates >= 0 on every grid, so densities are positive and mass is conserved (default).

        rate i -> i+1 = k B(-step)/w_i,   step = int A/D dx from node to node,   k = D/distance,   B(x) = x/(e^x - 1)

    Second order in the cell width; transport, and drift beside jumps, of first order.

    >>> import fpsolve as fp
    >>> steep = fp.Problem(fp.Process(lambda x: -10 * x, 1.0), fp.Grid(x=(-4, 4, 100)), Positive())
    >>> bool(fp.stationary(steep).values.min() > 0)
    True
    """


@dataclass(frozen=True)
class Accurate:
    """Higher order for transport and for drift beside jumps; equal to `Positive` where a problem has neither.

    Second order for transport, whose rates may be negative then, and so may p; 4 - alpha beside jumps.

    >>> import fpsolve as fp
    >>> flight = fp.Process(lambda x: -x, jumps=fp.Stable(alpha=1.0))
    >>> grid = fp.Grid(x=fp.Axis.sinh(-100, 100, 101, scale=0.5))
    >>> cauchy = [fp.stationary(fp.Problem(flight, grid, scheme)).cdf(1.0) for scheme in (Positive(), Accurate())]
    >>> [float(abs(P - 0.75)) < error for P, error in zip(cauchy, (1e-2, 1e-4))]
    [True, True]
    """


Scheme = Positive | Accurate
