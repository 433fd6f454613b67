"""A stiff, turning tensor: the density, its order, the current and the entropy against closed forms."""

import warnings

import numpy as np

import fpsolve as fp
from cases import rotating_anisotropy as case
from fpsolve.claims import Exact

SOURCE = "p = exp(-U)/Z, J = spin (-U_y, U_x) p"


def order(condition, spin, cells):
    """Observed order of the L1 error from `cells` and twice as many."""
    errors = [case.distance(case.solve(condition, spin, n)) for n in (cells, 2 * cells)]
    return float(np.log2(errors[0] / errors[1]))


def error(condition, spin, cells, atol, coarser):
    """The L1 error on one grid, which a coarser grid does not reach."""
    return Exact(
        f"L1 error at {cells}^2, condition {condition:g}, spin {spin:g}",
        case.solve,
        dict(condition=condition, spin=spin, cells=cells),
        case.distance,
        0.0,
        atol=atol,
        wrong=dict(cells=coarser),
        source=SOURCE,
    )


def observed(condition, spin, cells, expected, atol, wrong):
    """The order of the scheme; the control has the other one."""
    return Exact(
        f"order from {cells}^2, condition {condition:g}, spin {spin:g}",
        order,
        dict(condition=condition, spin=spin, cells=cells),
        lambda rate: rate,
        expected,
        atol=atol,
        wrong=wrong,
        source="edges fitted with Simpson's rule",
    )


def current_error(results, spin=1.0):
    """L1 distance of the current from spin (-U_y, U_x) p, relative."""
    J, p = results["current"], results["exact"].density
    x, y = p.grid.mesh()
    u, v = case.slope(x, y)
    exact = (-spin * v * p.values, spin * u * p.values)
    apart = sum(np.abs(part.values - true).sum() for part, true in zip(J.at_nodes, exact, strict=True))
    return float(apart / sum(np.abs(true).sum() for true in exact))


def is_told(condition, spin, cells):
    """1 where a warning says that the grid does not resolve the current."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        fp.stationary(case.problem(condition, spin, cells))
    return float(any(issubclass(warning.category, fp.ResolutionWarning) for warning in told))


claims = [
    error(100.0, 0.0, 64, 1.5e-4, coarser=56),
    error(100.0, 0.0, 128, 8e-6, coarser=112),
    error(10.0, 1.0, 192, 5e-3, coarser=144),
    observed(100.0, 0.0, 64, 4.0, 0.3, wrong=dict(condition=10.0, spin=0.3, cells=128)),
    observed(10.0, 1.0, 128, 2.0, 0.1, wrong=dict(spin=0.0)),
    Exact(
        "smallest density at 64^2, condition 100, over its exact value",
        case.solve,
        dict(condition=100.0, spin=0.0, cells=64),
        lambda r: float(r["stationary"].values.min() / r["exact"].density.values.min()),
        1.0,
        atol=0.02,
        wrong=lambda r: float((r["stationary"].values - 1e-11).min() / r["exact"].density.values.min()),
        source=SOURCE,
    ),
    Exact(
        "current against the closed form, L1",
        case.solve,
        dict(condition=10.0, spin=1.0, cells=128),
        current_error,
        0.0,
        atol=2.5e-2,
        wrong=lambda r: current_error(r, spin=1.05),
        source=SOURCE,
    ),
    Exact(
        "the stream function is spin p",
        case.solve,
        dict(condition=10.0, spin=1.0, cells=128),
        lambda r: r["current"].circulation / float(r["exact"].density.values.max()),
        1.0,
        atol=5e-3,
        wrong=lambda r: r["current"].circulation / float(r["stationary"].values.max()),
        source=SOURCE,
    ),
    Exact(
        "entropy production",
        case.solve,
        dict(condition=10.0, spin=1.0, cells=256),
        lambda r: r["current"].entropy_production,
        case.entropy_production(10.0, 1.0),
        atol=0.06,
        wrong=dict(cells=128),
        source="spin^2 <n . D^-1 n> by quadrature",
    ),
    Exact(
        "a current that no grid of this size resolves is told",
        is_told,
        dict(condition=100.0, spin=1.0, cells=128),
        lambda told: told,
        1.0,
        atol=1e-9,
        wrong=dict(condition=10.0),
        source="L1 error 2 there",
    ),
]
