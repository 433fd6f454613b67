"""Statistics of a density: moments, mode, entropy, continued beyond open ends as far as they exist."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.checks import whole
from fpsolve.errors import DegenerateWarning, InvalidInput, warn
from fpsolve.functions import Function, Points
from fpsolve.values.continuation import along_axis, share_beyond, share_of
from fpsolve.values.joint_law import JointLaw
from fpsolve.values.power_law import PowerLaw
from fpsolve.values.sampling import drawn
from fpsolve.values.tail import fitted_exponent

if TYPE_CHECKING:
    from fpsolve.values.density import Density

Array = NDArray[np.float64]
FAR = np.array([1e6, 1e7])  # of the distance to an end
TIE = 0.02  # of an exponent: as near to divergence


def moment(p: Density, i: int, order: float, center: float) -> float:
    """<(x_i - center)^order>; inf with a DegenerateWarning, or InvalidInput where both tails diverge oppositely."""
    if p.grid.ndim > 1:  # the marginal's tail has a law, where a sum of both signs over the others has rounding
        p, i = p.marginal(p.grid.names[i]), 0
    if not np.isfinite(center):
        return float("nan") if np.isnan(center) else float("inf")
    name = p.grid.names[i]
    if order < 0 and p.grid.axes[i].lo < center < p.grid.axes[i].hi:
        raise InvalidInput(f"the moment of order {order:g} of {name} does not exist: p > 0 at {name}={center:g}")
    with np.errstate(invalid="ignore", divide="ignore"):
        powers = (p.grid.mesh()[i] - center) ** order
    if not np.all(np.isfinite(powers)):
        raise InvalidInput(f"{name}^{order:g} is not finite at every node of {name}; this moment needs {name} > 0")
    total = _total(p, lambda x: (x - center) ** order)
    if np.isfinite(total):
        return total
    if np.isnan(total):
        raise InvalidInput(f"the moment of order {order:g} of {name} does not exist: {_exponents(p, i)}")
    warn(f"the moment of order {order:g} of {name} is infinite: {_exponents(p, i)}", DegenerateWarning)
    return total


def covariance(p: Density) -> Array:
    """<(x_i - <x_i>)(x_j - <x_j>)>, shape (ndim, ndim); beside an infinite variance NaN.

    By <(a + b)^2> - <(a - b)^2> = 4 <a b> of standardised coordinates: sums of one sign continue beyond open ends.
    """
    ndim = p.grid.ndim
    means = [moment(p, i, 1, 0.0) for i in range(ndim)]
    answer = np.diag([moment(p, i, 2, mean) for i, mean in enumerate(means)])
    widths = np.sqrt(np.diag(answer))
    for i, j in combinations(range(ndim), 2):
        if not np.isfinite(widths[i] * widths[j]):
            answer[i, j] = answer[j, i] = np.nan
            continue
        places = {k: (p.grid.mesh()[k] - means[k]) / (widths[k] or 1.0) for k in (i, j)}
        together, apart = (p.total(p.masses * (places[i] + sign * places[j]) ** 2) for sign in (1.0, -1.0))
        answer[i, j] = answer[j, i] = 0.25 * (together - apart) * widths[i] * widths[j]
    return answer


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
    joint = [(k, up, law) for k, pair in enumerate(p.ends) for up, law in enumerate(pair) if isinstance(law, JointLaw)]
    if joint:
        terms = values(*(x.ravel() for x in mesh)).reshape(p.grid.shape)
        return _expect_with_laws(p, terms, min(_falls_over(p, values, k, bool(up), law) for k, up, law in joint))
    return _expect_by_signs(p, values(*(x.ravel() for x in mesh)).reshape(p.grid.shape))


def _falls_over(p: Density, function: Callable[..., Array], k: int, upper: bool, law: JointLaw) -> float:
    """(q - 1 - g)/(q - 1) beyond an end where the marginal falls like y^-q and f grows like y^g, g >= 0."""
    middle = [0.5 * (axis.lo + axis.hi) for axis in p.grid.axes]
    far = [np.full(2, x) for x in middle]
    far[k] = law.marginal.center + (1.0 if upper else -1.0) * law.marginal.reach(p.grid.axes[k], upper)[1] * FAR
    values = np.abs(function(*far))
    growth = float(np.log10(values[1] / values[0])) if np.all(values > 0) else 0.0
    return 1.0 - max(growth, 0.0) / (law.marginal.exponent - 1.0)


def _expect_with_laws(p: Density, f: Array, fall: float) -> float:
    """<f> in several dimensions with tails that are known: what is beyond the last cells counts 1/fall times."""
    inside, whole = (float(part) for part in ((p.masses * f).sum(), p.total(p.masses * f)))
    if fall > TIE:
        return inside + (whole - inside) / fall
    if np.all(f >= 0) or np.all(f <= 0):
        return float(np.copysign(np.inf, f.sum()))
    raise InvalidInput("this mean does not exist: f grows with both signs too fast for the tails beyond open ends")


def _expect_by_signs(p: Density, f: Array) -> float:
    """<f> in several dimensions: where f has one sign its sum goes on as a series, where it changes it has none."""
    parts = [p.total(p.masses * np.where(sign * f > 0, f, 0.0)) for sign in (1.0, -1.0)]
    if np.all(np.isfinite(parts)):
        return sum(parts)
    sides = [np.moveaxis(np.abs(f), i, 0)[[0, -1]].max() for i, ends in enumerate(p.ends) if any(ends)]
    if max(sides) < np.abs(f).max():
        return float((p.masses * f).sum())
    if np.all(np.isinf(parts)):
        raise InvalidInput("this mean does not exist: its sum diverges with both signs beyond open ends")
    return sum(parts)


def mode(p: Density) -> Any:
    """Where p is largest: between nodes by a polynomial through ln p; the end itself where p grows toward it."""
    known = np.where(np.isnan(p.log_values), -np.inf, p.log_values)
    peak = np.unravel_index(int(np.argmax(known)), p.grid.shape)
    if p.grid.ndim > 1:
        return _summit(p, peak)
    axis, i = p.grid.axes[0], int(peak[0])
    if i in (0, axis.cells - 1) and not axis.periodic:
        return _place(axis, i, None)
    return _place(axis, i, _peak(p.log_values, i, axis.periodic))


def _place(axis: Axis, i: int, shift: float | None) -> float:
    """The coordinate `shift` cells from node i; without a shift the end beside it."""
    if shift is not None:
        return float(axis.x(axis.s_nodes[i] + shift * axis.ds))
    toward_zero = axis.kind == "log" and (i == 0) == (axis.lo > 0)
    return 0.0 if toward_zero else float(axis.faces[0 if i == 0 else -1])


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


def _summit(p: Density, peak: tuple[Any, ...]) -> tuple[float, ...]:
    """Where the parabola through ln p around its largest node is largest; the node itself without such a parabola."""
    axes, logs = p.grid.axes, p.log_values
    inner = [k for k, axis in enumerate(axes) if axis.periodic or 0 < peak[k] < axis.cells - 1]
    steps = np.eye(logs.ndim, dtype=int)[inner]

    def at(step: NDArray[np.int_]) -> float:
        return float(logs[tuple((np.array(peak) + step) % logs.shape)])

    slope = np.array([0.5 * (at(a) - at(-a)) for a in steps])
    curvature = np.array([[0.25 * (at(a + b) - at(a - b) - at(b - a) + at(-a - b)) for b in steps] for a in steps])
    np.fill_diagonal(curvature, [at(a) - 2.0 * at(0 * a) + at(-a) for a in steps])
    shift = np.zeros(len(inner))
    if inner and np.all(np.isfinite(curvature)) and np.all(np.linalg.eigvalsh(curvature) < 0):
        found = np.linalg.solve(curvature, -slope)
        shift = found if np.all(np.abs(found) <= 1.0) else shift
    shifts = dict(zip(inner, shift, strict=True))
    return tuple(_place(axis, int(i), shifts.get(k)) for k, (axis, i) in enumerate(zip(axes, peak, strict=True)))


def entropy(p: Density) -> float:
    """-<ln p> in nats, continued beyond open ends; cells where ln p is masked hold too little to count."""
    used = (p.masses > 0) & ~np.isnan(p.log_values)
    if p.grid.ndim > 1:
        return _entropy_of_slices(p.masses, np.where(used, p.masses * p.log_values, 0.0), p)
    total = -float(np.sum(p.masses[used] * p.log_values[used]))
    logs, masses = p.log_values, p.masses
    for upper, last, before in ((False, 0, 1), (True, -1, -2)):
        beyond = p.ends[0][upper]
        if isinstance(beyond, PowerLaw):
            total += beyond.entropy(float(logs[last]), masses, p.grid.axes[0], upper)
            continue
        share = share_beyond(masses, upper) if beyond else 0.0
        if share > 0:  # sum of m r^k (ln p + k fall) over k >= 1
            ratio = masses[last] / masses[before]
            total -= share * (logs[last] + (logs[last] - logs[before]) / (1.0 - ratio))
    return total


def _entropy_of_slices(masses: Array, terms: Array, p: Density) -> float:
    """-sum(terms), terms = m ln p: beyond an end m falls by the ratio r of two slices, ln p by ln(r w/w') a slice."""
    for i in reversed(range(p.grid.ndim)):
        axis, profile = p.grid.axes[i], masses.sum(axis=tuple(range(i)))
        total = terms.sum(axis=-1)
        for upper, last, before in ((False, 0, 1), (True, -1, -2)):
            beyond = p.ends[i][upper]
            if isinstance(beyond, JointLaw):
                total = total + beyond.added(terms[..., last] - masses[..., last] * beyond.log_fall(summed=i == 0))
                continue
            share = share_beyond(profile, upper) if beyond else 0.0
            if share != 0.0:  # sum of m r^k (ln p + k fall) over k >= 1
                ratio, gain = profile[last] / profile[before], share / profile[last]
                fall = np.log(ratio * axis.weights[before] / axis.weights[last])
                total = total + gain * (terms[..., last] + masses[..., last] * fall / (1.0 - ratio))
        masses, terms = along_axis(masses, i, p.ends[i]), total
    return -float(terms)


def draw(p: Density, n: int, seed: int) -> Array:
    """n independent draws: by quantiles in one dimension, in several cell by cell (sampling.py)."""
    whole("n", n, 1)
    rng = np.random.default_rng(whole("seed", seed, 0))
    if p.grid.ndim == 1:
        return np.asarray(p.quantile(rng.random(n)))
    return drawn(p, n, rng)


def _total(p: Density, function: Callable[[Array], Array]) -> float:
    """sum(masses * f) in one dimension, continued."""
    axis = p.grid.axes[0]
    total = float(np.sum(p.masses * function(axis.nodes)))
    ends = p.ends[0]
    return total + sum(share_of(function, p.masses, axis, upper, ends[upper]) for upper in (False, True) if ends[upper])


def _exponents(p: Density, i: int) -> str:
    marginal = p if p.grid.ndim == 1 else p.marginal(p.grid.names[i])
    name = p.grid.names[i]
    laws = {end: law for end, law in zip(("lower", "upper"), p.ends[i], strict=True) if law}
    exponents = {
        end: -(law.exponent if isinstance(law, PowerLaw) else fitted_exponent(marginal, None, end))
        for end, law in laws.items()
    }
    return ", ".join(f"p ~ |{name}|^{exponent:.4g} at the {end} end" for end, exponent in exponents.items())
