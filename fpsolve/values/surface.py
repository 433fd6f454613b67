"""A density of several coordinates between its nodes.

ln p is a cubic in s along each axis, through the four nodes around (Lagrange; error (9/384) ds^4 d^4 ln p/ds^4 at most
in each direction), so that tails keep their relative accuracy.  Where one of those nodes has no ln p, p itself is taken
as linear between the nearest ones; ln p is then masked (NaN) if it is at one of these.  Beyond an open end p goes on as
its sums do: every line falls by the ratio of the two last slices, taken together, or as the power law that is known
(of the distance from a middle, where that is what p falls with).
Beyond any other end p is 0; periodic axes wrap.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.values.continuation import Beyond, log_ratio
from fpsolve.values.joint_law import JointLaw
from fpsolve.values.power_law import PowerLaw

if TYPE_CHECKING:
    from fpsolve.values.density import Density

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]
STENCIL = np.arange(4)
Fall = float | PowerLaw | None


class Surface:
    """p and ln p at any point, one coordinate per axis."""

    def __init__(self, p: Density) -> None:
        self.p = p
        self.falls = [self._falls(i) for i in range(p.grid.ndim)]
        self.radial = [(i, upper, law) for i, pair in enumerate(p.ends) for upper, law in enumerate(pair)
                       if isinstance(law, JointLaw) and not law.is_product]  # fmt: skip

    def __call__(self, *x: Array | float) -> Array:
        """p(x): negative where the density is."""
        logs, linear, curved, _, beyond = self._parts(x)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.where(curved, np.exp(logs + beyond), np.where(beyond == -np.inf, 0.0, linear * np.exp(beyond)))

    def log(self, *x: Array | float) -> Array:
        """ln p(x): -inf where p = 0, NaN beside nodes where it is masked."""
        logs, linear, curved, masked, beyond = self._parts(x)
        with np.errstate(divide="ignore", invalid="ignore"):
            straight = np.where(masked, np.nan, np.log(linear))
            return np.where(beyond == -np.inf, -np.inf, np.where(curved, logs, straight) + beyond)

    def _parts(self, x: tuple[Array | float, ...]) -> tuple[Array, Array, Flags, Flags, Array]:
        """ln p by cubics, p by lines, where the former holds, where neither gives ln p; what ln p gains beyond."""
        coordinates = np.broadcast_arrays(*(np.asarray(c, dtype=float) for c in x))
        places, beyond = self._drawn_in(coordinates)
        shape = beyond.shape
        cubic, straight = [], []
        for axis, c, falls in zip(self.p.grid.axes, places, self.falls, strict=True):
            place, more = _located(axis, c, falls)
            beyond = beyond + more
            cubic.append(_four(axis, place))
            straight.append(_two(axis, place))
        logs, finite = np.zeros(shape), np.ones(shape, dtype=bool)
        for corner in product(range(4), repeat=len(cubic)):
            index = tuple(nodes[..., k] for (nodes, _), k in zip(cubic, corner, strict=True))
            weight = np.prod([weights[..., k] for (_, weights), k in zip(cubic, corner, strict=True)], axis=0)
            term = self.p.log_values[index]
            finite &= np.isfinite(term)
            logs += weight * np.where(np.isfinite(term), term, 0.0)
        linear, masked = np.zeros(shape), np.zeros(shape, dtype=bool)
        if not np.all(finite):
            for corner in product(range(2), repeat=len(straight)):
                index = tuple(nodes[..., k] for (nodes, _), k in zip(straight, corner, strict=True))
                weight = np.prod([weights[..., k] for (_, weights), k in zip(straight, corner, strict=True)], axis=0)
                linear += weight * self.p.values[index]
                masked |= np.isnan(self.p.log_values[index]) & (weight > 0)
        return logs, linear, finite, masked, beyond

    def _drawn_in(self, x: Sequence[Array]) -> tuple[list[Array], Array]:
        """Points outside drawn back to the last nodes on the way to the middle of radial tails, and what ln p gains."""
        found, y, gain = [np.asarray(c) for c in x], np.ones(x[0].shape), np.zeros(x[0].shape)
        for i, upper, law in self.radial:
            last = (1.0 if upper else -1.0) * law.line.reach(self.p.grid.axes[i], bool(upper))[0]
            y = np.fmax(y, (found[i] - law.line.center) / last)
        for i in {i for i, _, _ in self.radial}:
            law = next(law for k, _, law in self.radial if k == i)
            found[i], gain = law.line.center + (found[i] - law.line.center) / y, -law.line.exponent * np.log(y)
        return found, gain

    def _falls(self, i: int) -> tuple[Fall, Fall]:
        """d ln(w p)/ds outward beyond the lower and the upper end, or the power law; None where nothing goes on."""
        name, axis = self.p.grid.names[i], self.p.grid.axes[i]
        if not any(self.p.ends[i]):
            return None, None
        terms = self.p.marginal(name).log_values + np.log(axis.weights)
        low, high = (_fall(terms, axis, upper, self.p.ends[i][upper]) for upper in (False, True))
        return low, high


def _fall(log_terms: Array, axis: Axis, upper: bool, beyond: Beyond) -> Fall:
    if isinstance(beyond, JointLaw):
        return beyond.line
    return log_ratio(log_terms, upper) / axis.ds if beyond else None


def _located(axis: Axis, x: Array, falls: tuple[Fall, Fall]) -> tuple[Array, Array]:
    """Where x is, in cells from the first node, held within the nodes where p goes on; and what ln p gains beyond."""
    s = axis.s(x)
    place = (s - axis.s_nodes[0]) / axis.ds
    if axis.periodic:
        return np.nan_to_num(np.mod(place, axis.cells)), np.where(np.isnan(x), np.nan, 0.0)
    gain, last = np.zeros(x.shape), axis.cells - 1.0
    for fall, end, over in ((falls[0], 0.0, -place), (falls[1], last, place - last)):
        if fall is None:
            gain = np.where(over > 0.5 * (1.0 + 1e-12), -np.inf, gain)
            continue
        node = axis.s_nodes[int(end)]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            if isinstance(fall, PowerLaw):
                gain = np.where(over > 0, fall.log_gain(x, axis, end > 0), gain)
                continue
            further = fall * over * axis.ds + np.log(axis.dx(node) / axis.dx(s))
        gain = np.where(over > 0, np.where(np.isnan(further), -np.inf, further), gain)
    held = np.clip(place, 0.0 if falls[0] is not None else -0.5, last + (0.0 if falls[1] is not None else 0.5))
    gain = np.where(np.isnan(place), -np.inf, gain)  # the far side of 0 on a log axis
    return np.nan_to_num(held), np.where(np.isnan(x), np.nan, gain)


def _four(axis: Axis, place: Array) -> tuple[Indices, Array]:
    """The four nodes around, and Lagrange's weights of a cubic through them; axes of three cells have a parabola."""
    count = min(4, axis.cells)
    first = np.floor(place).astype(np.int64) - 1
    if not axis.periodic:
        first = np.clip(first, 0, axis.cells - count)
    offset = place - first
    others = STENCIL[:count]
    weights = [np.prod([(offset - k) / (j - k) for k in others if k != j], axis=0) for j in others]
    weights += [np.zeros_like(offset)] * (4 - count)
    return (first[..., None] + np.minimum(STENCIL, count - 1)) % axis.cells, np.stack(weights, axis=-1)


def _two(axis: Axis, place: Array) -> tuple[Indices, Array]:
    """The two nodes around, and the weights of a line; constant beyond the last."""
    first = np.floor(place).astype(np.int64)
    if not axis.periodic:
        first = np.clip(first, 0, axis.cells - 2)
    share = np.clip(place - first, 0.0, 1.0)
    return (first[..., None] + STENCIL[:2]) % axis.cells, np.stack([1.0 - share, share], axis=-1)
