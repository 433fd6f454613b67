"""Some coordinates of a density: marginals, conditional laws and conditional means.

    p(u) = int p(u, w) dw,    p(w | u) = p(u, w)/p(u),    <w | u> = int w p(w | u) dw

Sums are taken in logarithms, row by row, so that a marginal or a conditional mean keeps its digits where p itself
underflows.  Beyond an open end they go on as all sums over a density do (continuation.py): the last slice counts
`gain` times, one and what the geometric series adds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.errors import DegenerateWarning, InvalidInput, warn
from fpsolve.grid import Grid
from fpsolve.values.coarse import law_at
from fpsolve.values.continuation import Beyond, along_axis, share_beyond
from fpsolve.values.field import Field
from fpsolve.values.joint_law import JointLaw
from fpsolve.values.masked import masked_log

if TYPE_CHECKING:
    from fpsolve.values.density import Density

Array = NDArray[np.float64]


def marginal(p: Density, names: Sequence[str]) -> Density:
    """The density of the named coordinates, in the order in which they are named."""
    keep = _places(p.grid, names, "marginal")
    if keep == tuple(range(p.grid.ndim)):
        return p
    masses, logs = p.masses, _log_masses(p)
    for i in reversed([i for i in range(p.grid.ndim) if i not in keep]):
        logs = _log_sum(logs, i, gains(masses, i, p.ends[i]))
        masses = along_axis(masses, i, p.ends[i])
    if np.any(np.isnan(p.log_values)):  # undershoots have no logarithm, their sums may
        logs = masked_log(masses, p.info.floor)
    elif any(isinstance(end, JointLaw) for pair in p.ends for end in pair):  # each line has a gain of its own
        logs = np.log(masses)
    order, ends = np.argsort(np.argsort(keep)), tuple(p.ends[i] for i in keep)
    if len(keep) == 1:
        low, high = (end.marginal if isinstance(end, JointLaw) else end for end in ends[0])
        ends = ((low, high),)
    masses, logs = np.transpose(masses, order), np.transpose(logs, order)
    grid = Grid(**{name: p.grid[name] for name in names})
    values, log_values = masses / grid.weights, logs - np.log(grid.weights)
    return p.replace(grid=grid, values=values, log_values=log_values, error=None, continued=ends)


def conditional(p: Density, given: dict[str, float]) -> Density:
    """The law of the other coordinates where those in `given` have these values, between nodes by interpolation."""
    if not given:
        raise InvalidInput(
            f"conditional needs a value for one of {p.grid.names}, as in p.conditional({p.grid.names[0]}=0)"
        )
    _places(p.grid, tuple(given), "conditional")
    rest = [i for i, name in enumerate(p.grid.names) if name not in given]
    if not rest:
        raise InvalidInput(f"conditional fixes all of {p.grid.names}; leave at least one coordinate free")
    for name, value in given.items():
        _check_inside(p.grid[name], name, value)
    grid = Grid(**{p.grid.names[i]: p.grid.axes[i] for i in rest})
    mesh = iter(grid.mesh())
    place = [given[name] if name in given else next(mesh) for name in p.grid.names]
    if not np.any(p.curve.log(*place) > -np.inf):
        where = ", ".join(f"{name}={value:g}" for name, value in given.items())
        raise InvalidInput(f"p is 0 wherever {where}; a conditional law needs mass there")
    ends = tuple(p.ends[i] for i in rest)
    if len(rest) == 1:
        low, high = (end.line if isinstance(end, JointLaw) else end for end in ends[0])
        ends = ((low, high),)
    return law_at(p, grid, place, ends)


def conditional_mean(p: Density, name: str, given: Sequence[str]) -> Field:
    """<name | given> on the axes of `given`: NaN without mass, inf with a DegenerateWarning where there is no mean."""
    _places(p.grid, (name, *given), "conditional_mean")
    joint = marginal(p, (*given, name))
    axis, ends, last = joint.grid.axes[-1], joint.ends[-1], joint.grid.ndim - 1
    masses, logs = joint.masses, _log_masses(joint)
    rows = masses if np.any(np.isnan(logs)) else np.exp(logs - _scale(logs))  # each row on its own scale
    below = rows @ gains(masses, last, ends)
    far = gains(masses * axis.nodes, last, ends)
    if not np.all(np.isfinite(far)):
        warn(
            f"<{name} | {', '.join(given)}> is infinite: the tail of {name} is too heavy for a mean; ask "
            "conditional laws for their medians",
            DegenerateWarning,
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        means = np.where(rows == 0.0, 0.0, rows * axis.nodes * far).sum(axis=-1) / below
    grid = Grid(**{key: joint.grid[key] for key in given})
    return Field(grid, means, f"<{name} | {', '.join(given)}>", info=p.info)


def gains(terms: Array, dimension: int, ends: tuple[Beyond, Beyond]) -> Array:
    """How often each slice counts in a sum along one dimension: once, and the outermost for all beyond an open end.

    sum over the dimension of gains * terms is `along_axis(terms, dimension, ends)`.
    """
    slices = np.moveaxis(terms, dimension, 0)
    profile = slices.reshape(terms.shape[dimension], -1).sum(axis=1)
    counts = np.ones(profile.size)
    for upper, place in ((False, 0), (True, -1)):
        beyond = ends[upper]
        if isinstance(beyond, JointLaw):
            share = float(beyond.added(slices[place]).sum())
        else:
            share = share_beyond(profile, upper) if beyond else 0.0
        if share != 0.0:
            counts[place] += share / profile[place]
    return counts


def gathered(p: Density) -> Array:
    """Masses of p's cells, what lies beyond its open ends gathered in the outermost ones: they sum to p.mass."""
    masses, answer = p.masses, np.array(p.masses)
    for i in reversed(range(p.grid.ndim)):
        counts = gains(masses, i, p.ends[i])
        answer *= counts.reshape([-1 if j == i else 1 for j in range(p.grid.ndim)])
        masses = along_axis(masses, i, p.ends[i])
    return answer


def _log_masses(p: Density) -> Array:
    return np.asarray(p.log_values + np.log(p.grid.weights))


def _log_sum(logs: Array, dimension: int, counts: Array) -> Array:
    """ln sum(counts * exp(logs)) along one dimension."""
    logs = np.moveaxis(logs, dimension, -1)
    scale = _scale(logs)
    with np.errstate(divide="ignore"):
        return np.log(np.exp(logs - scale) @ counts) + scale[..., 0]


def _scale(logs: Array) -> Array:
    """The largest of each row, 0 for a row without mass."""
    top = logs.max(axis=-1, keepdims=True)
    return np.where(np.isfinite(top), top, 0.0)


def _places(grid: Grid, names: Sequence[str], what: str) -> tuple[int, ...]:
    """Where the named axes are in the grid."""
    if not names:
        raise InvalidInput(f"{what} needs the name of a coordinate; the axes are {grid.names}")
    for name in names:
        grid[name]
    if len(set(names)) < len(names):
        raise InvalidInput(f"{what} names {', '.join(names)}: give each coordinate once")
    return tuple(grid.names.index(name) for name in names)


def _check_inside(axis: Axis, name: str, value: float) -> None:
    if not np.isfinite(value) or (not axis.periodic and not axis.lo <= value <= axis.hi):
        raise InvalidInput(
            f"{name} is {value}; a conditional law is known on the grid, from {axis.lo:g} to {axis.hi:g}"
        )
