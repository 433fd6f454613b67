"""Statistics of a density: moments, mode, entropy, tail exponent, continued beyond open ends as far as they exist."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.checks import whole
from fpsolve.errors import DegenerateWarning, InvalidInput
from fpsolve.functions import Function, Points
from fpsolve.values.continuation import share_beyond, share_of

if TYPE_CHECKING:
    from fpsolve.values.density import Density

Array = NDArray[np.float64]


def moment(p: Density, i: int, order: float, center: float) -> float:
    """<(x_i - center)^order>; inf with a DegenerateWarning, or InvalidInput where both tails diverge oppositely."""
    if not np.isfinite(center):
        return float("nan") if np.isnan(center) else float("inf")
    name = p.grid.names[i]
    if order < 0 and p.grid.axes[i].lo < center < p.grid.axes[i].hi:
        raise InvalidInput(f"the moment of order {order:g} of {name} does not exist: p > 0 at {name}={center:g}")
    with np.errstate(invalid="ignore", divide="ignore"):
        powers = (p.grid.mesh()[i] - center) ** order
    if not np.all(np.isfinite(powers)):
        raise InvalidInput(f"{name}^{order:g} is not finite at every node of {name}; this moment needs {name} > 0")
    total = _total(p, lambda x: (x - center) ** order) if p.grid.ndim == 1 else p.total(p.masses * powers)
    if np.isfinite(total):
        return total
    if np.isnan(total):
        raise InvalidInput(f"the moment of order {order:g} of {name} does not exist: {_exponents(p, i)}")
    warnings.warn(
        f"the moment of order {order:g} of {name} is infinite: {_exponents(p, i)}", DegenerateWarning, stacklevel=5
    )
    return total


def expect(p: Density, function: Callable[..., Any]) -> float:
    """<f>; a bounded f that oscillates has no law to continue, and is summed on the grid alone."""
    f = Function(function, "function")

    def values(*x: Array) -> Array:
        return f.scalar(Points(p.grid.names, x, (("cell", x[0].shape),)))

    if p.grid.ndim == 1:
        total, inside = _total(p, values), np.abs(values(p.grid.nodes[0]))
        bounded = max(inside[0], inside[-1]) < inside.max()
        return float((p.masses * values(p.grid.nodes[0])).sum()) if np.isinf(total) and bounded else total
    mesh = np.broadcast_arrays(*p.grid.mesh())
    return p.total(p.masses * values(*(x.ravel() for x in mesh)).reshape(p.grid.shape))


def mode(p: Density) -> Any:
    """Where p is largest: between nodes by a polynomial through ln p; the end itself where p grows toward it."""
    peak = np.unravel_index(int(np.argmax(p.log_values)), p.grid.shape)
    if p.grid.ndim > 1:
        return tuple(float(axis.nodes[i]) for axis, i in zip(p.grid.axes, peak, strict=True))
    axis, i = p.grid.axes[0], int(peak[0])
    if i in (0, axis.cells - 1) and not axis.periodic:
        toward_zero = axis.kind == "log" and (i == 0) == (axis.lo > 0)
        return 0.0 if toward_zero else float(axis.faces[0 if i == 0 else -1])
    return float(axis.x(axis.s_nodes[i] + _peak(p.log_values, i, axis.periodic) * axis.ds))


def _peak(logs: Array, i: int, periodic: bool) -> float:
    """Where, in cells from node i, the polynomial through the nodes around it is largest."""
    reach = min(3, (logs.size - 1) // 2) if periodic else min(3, i, logs.size - 1 - i)
    offsets = np.arange(-reach, reach + 1)
    around = logs[(i + offsets) % logs.size]
    if reach == 0 or not np.all(np.isfinite(around)):
        return 0.0
    slope = np.polynomial.Polynomial.fit(offsets, around, 2 * reach).deriv()
    roots = [float(root.real) for root in slope.roots() if abs(root.imag) < 1e-9 and abs(root.real) <= 1.0]
    return min(roots, key=abs, default=0.0)


def entropy(p: Density) -> float:
    """-<ln p> in nats; in one dimension continued beyond open ends."""
    used = p.masses > 0
    total = -float(np.sum(p.masses[used] * p.log_values[used]))
    if p.grid.ndim > 1:
        return total
    logs, masses = p.log_values, p.masses
    for upper, last, before in ((False, 0, 1), (True, -1, -2)):
        share = share_beyond(masses, upper) if p.ends[0][upper] else 0.0
        if share > 0:  # sum of m r^k (ln p + k fall) over k >= 1
            ratio = masses[last] / masses[before]
            total -= share * (logs[last] + (logs[last] - logs[before]) / (1.0 - ratio))
    return total


def tail_exponent(p: Density, window: tuple[float, float] | None, end: str | None) -> float:
    """q in p ~ |x|^-q: minus the least-squares slope of ln p against ln |x| over `window`."""
    if end is None:
        end = "lower" if p.grid.axes[0].kind == "log" and p.grid.axes[0].hi < 0 else "upper"
    if end not in ("upper", "lower"):
        raise InvalidInput(f"end is {end!r}; use 'upper' or 'lower'")
    axis = p.only_axis("tail_exponent")
    x = axis.nodes
    if window is None:
        far = abs(x[-1] if end == "upper" else x[0])
        shrinking = axis.kind == "log" and (end == "lower") == (axis.lo > 0)
        window = (far, 10 * far) if shrinking else (far / 10, far)
    if not 0 <= window[0] < window[1]:
        raise InvalidInput(f"window is {window}; give (low, high) in |x| with 0 <= low < high")
    inside = (np.abs(x) >= window[0] * (1 - 1e-12)) & (np.abs(x) <= window[1] * (1 + 1e-12))
    if axis.lo * axis.hi < 0:
        inside &= x > 0 if end == "upper" else x < 0
    inside &= np.isfinite(p.log_values)
    if inside.sum() < 2:
        raise InvalidInput(f"window {window} holds {int(inside.sum())} nodes where p > 0; a slope needs two")
    return -float(np.polyfit(np.log(np.abs(x[inside])), p.log_values[inside], 1)[0])


def draw(p: Density, n: int, seed: int) -> Array:
    """n independent draws: by quantiles in one dimension, else a cell by its mass and a place in it, uniform in s."""
    whole("n", n, 1)
    rng = np.random.default_rng(whole("seed", seed, 0))
    if p.grid.ndim == 1:
        return np.asarray(p.quantile(rng.random(n)))
    masses = p.masses.ravel()
    cells = np.unravel_index(rng.choice(masses.size, size=n, p=masses / masses.sum()), p.grid.shape)
    columns = []
    for axis, index in zip(p.grid.axes, cells, strict=True):
        columns.append(axis.x(axis.s_nodes[index] + (rng.random(n) - 0.5) * axis.ds))
    return np.stack(columns, axis=-1)


def _total(p: Density, function: Callable[[Array], Array]) -> float:
    """sum(masses * f) in one dimension, continued."""
    axis = p.grid.axes[0]
    total = float(np.sum(p.masses * function(axis.nodes)))
    return total + sum(share_of(function, p.masses, axis, upper) for upper in (False, True) if p.ends[0][upper])


def _exponents(p: Density, i: int) -> str:
    marginal = p if p.grid.ndim == 1 else p.marginal(p.grid.names[i])
    name = p.grid.names[i]
    open_ends = [end for end, goes in zip(("lower", "upper"), p.ends[i], strict=True) if goes]
    exponents = {end: -marginal.tail_exponent(end=end) for end in open_ends}
    return ", ".join(f"p ~ |{name}|^{exponent:.4g} at the {end} end" for end, exponent in exponents.items())
