"""How a density beside stable jumps goes on beyond the open ends of the plane, from the drift and the scale there.

Far out the drift brings back what the jumps carry over, so that on straight ways from the middle
    p ~ y^-q,   q = alpha + c + d - 2,
where the drift toward the middle grows like y^(c-1) and d axes are open: with d = 1 as along one axis (jump_tails.py).
Where it does not lead back, and where that would not be integrable, q = d + alpha: the jumps of free paths.  The scale
goes on as scale^alpha ~ y^g.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import NotNormalizable
from fpsolve.operators.outside import Outside
from fpsolve.values.joint_law import JointLaw
from fpsolve.values.power_law import PowerLaw

__all__ = ["PlaneTails", "check_normalizable", "law_beyond", "plane_tails"]

Array = NDArray[np.float64]
POINTS = np.polynomial.legendre.leggauss(24)
INWARD = 0.9  # of the distance from the middle: where powers are read


@dataclass(frozen=True, eq=False)
class PlaneTails:
    """p ~ y^-exponents, scale^alpha ~ y^growths on the ways out through each cell, flat; confined: led back there.

    inward: per axis, the mean drift into the grid over its (lower, upper) last cells.
    """

    exponents: Array
    growths: Array
    confined: NDArray[np.bool_]
    inward: tuple[tuple[float, float], ...]


def plane_tails(outside: Outside, drift: Array, strength: Array) -> PlaneTails:
    """Read from the drift (2, *shape) and from scale^alpha (*shape) at the nodes."""
    grid, d = outside.grid, len(outside.open_axes)
    middle: Array = outside.middle.reshape(2, 1, 1)
    out = np.stack(np.meshgrid(*(np.arange(float(n)) for n in grid.shape), indexing="ij"))
    away = out - middle
    for k in range(2):
        if k not in outside.open_axes:
            away[k] = 0.0
    place = out - (1.0 - INWARD) * away
    away *= np.array([axis.ds for axis in grid.axes]).reshape(2, 1, 1)
    toward = -(drift * away).sum(axis=0)  # |away| times the drift toward the middle
    before = -sum(_between(part, place) * x for part, x in zip(drift, away, strict=True))
    confined = (toward > 0) & (before > 0)
    rise = np.log(np.where(confined, toward / np.where(confined, before, 1.0), 1.0)) / -np.log(INWARD)
    exponents = outside.alpha + rise + d - 1.0
    confined &= exponents > d
    inner = _between(strength, place)
    scaled = (strength > 0) & (inner > 0) & confined
    growths = np.log(np.where(scaled, strength / np.where(scaled, inner, 1.0), 1.0)) / -np.log(INWARD)
    exponents = np.where(confined, exponents, d + outside.alpha)
    last = [np.moveaxis(part, k, 0)[[0, -1]].reshape(2, -1).mean(axis=1) for k, part in enumerate(drift)]
    inward = tuple((float(low), -float(high)) for low, high in last)
    return PlaneTails(exponents.ravel(), growths.ravel(), confined.ravel(), inward)


def law_beyond(outside: Outside, tails: PlaneTails, form: Array, k: int, upper: bool) -> JointLaw:
    """How p goes on beyond an open end of axis k: as |x - middle|^-q, |x|^2 = x.form x in cells."""
    grid, d = outside.grid, len(outside.open_axes)
    axis, other = grid.axes[k], 1 - k
    exponents: Array = np.moveaxis(tails.exponents.reshape(grid.shape), k, 0)[-1 if upper else 0]
    sign, last = (1.0, axis.cells - 1.0) if upper else (-1.0, 0.0)
    node, face = last - outside.middle[k], last + 0.5 * sign - outside.middle[k]
    across = np.arange(float(grid.shape[other])) - outside.middle[other]
    if other not in outside.open_axes:
        across = np.zeros_like(across)
    v, dv = 0.5 + 0.5 * POINTS[0], 0.5 * POINTS[1]
    u = v ** (1.0 / (exponents[:, None] - 1.0))  # the distance to the face over that to x: u^(q-2) du is flat in v

    def square(along: Array | float) -> Array:
        mixed = 2.0 * form[k, other] * along * across[:, None]
        return np.asarray(form[k, k] * along**2 + mixed + form[other, other] * across[:, None] ** 2)

    ratio = (square(face / u) * u**2 / square(node)) ** (-0.5 * exponents[:, None])
    gains = abs(face) / (exponents - 1.0) * (ratio @ dv)
    middle = float(axis.nodes[0] + outside.middle[k] * axis.ds)
    q = float(exponents[exponents.size // 2])
    line, marginal = PowerLaw(q, middle), PowerLaw(q - (d - 1.0), middle)
    return JointLaw(gains, marginal.weight(axis, upper) / axis.ds, marginal, line)


def check_normalizable(outside: Outside, tails: PlaneTails) -> None:
    """Raise NotNormalizable where the drift does not lead back from beyond an open end, or too slowly."""
    grid, confined = outside.grid, tails.confined.reshape(outside.grid.shape)
    for k, (name, axis) in enumerate(zip(grid.names, grid.axes, strict=True)):
        for upper in (False, True):
            away = ~np.moveaxis(confined, k, 0)[-1 if upper else 0]
            if axis.ends[upper] != "open" or not (np.any(away) or tails.inward[k][upper] <= 0.0):
                continue
            other = grid.axes[1 - k]
            place = (
                f"{name}={axis.hi if upper else axis.lo:.4g}, {grid.names[1 - k]}={other.nodes[np.argmax(away)]:.4g}"
            )
            raise NotNormalizable(
                f"no stationary density: the drift does not lead back to the middle at the open end {place}, or too "
                "slowly for the jumps that go there; add a drift toward the middle, or make the end reflecting",
                end=f"{name} -> {'infinity' if upper else '-infinity'}",
                exponent=np.nan,
                uncertainty=0.0,
            )


def _between(values: Array, place: Array) -> Array:
    """Linear interpolation between nodes, at places in cells."""
    low = [np.clip(np.floor(x), 0, n - 2).astype(np.int64) for x, n in zip(place, values.shape, strict=True)]
    share = [np.clip(x - i, 0.0, 1.0) for x, i in zip(place, low, strict=True)]
    (i, j), (a, b) = low, share
    near = (1 - b) * values[i, j] + b * values[i, j + 1]
    return np.asarray((1 - a) * near + a * ((1 - b) * values[i + 1, j] + b * values[i + 1, j + 1]))
