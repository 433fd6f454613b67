"""Does the grid hold the modes?  They reach farther out than the density p: mode/p grows outward.

On a grid that lets nothing through its last face, at s = b, a rate differs from that of the whole line by

    (rate on the grid) - rate = [D p f' g](b)/int p f g,      f, g = mode/p on the line and on the grid

(Green's identity).  With D and the slope q = -d ln p/ds of the last cells beyond them too, f is exp(k s) with
D (k^2 - q k) + rate = 0 (the smaller k), g has a part of the other one, and, relative to the rate,

    (rate on the grid)/rate - 1 = p g^2/(int p g^2 sqrt(q^2 - 4 rate/D))(b),

about the share of mode^2/p that lies beyond.  Above the rate D q^2/4 modes do not fall off at all.  Under a power law q
and D (in s) stay as they are: the rate is that of the end, or of a continuous spectrum.  Elsewhere they grow, and the
root is taken for half of q at least; in several dimensions, where a rate is not of one axis, for q, and modes that
do not vary along the axis are accused though they lose nothing but mass.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.errors import TruncationWarning, warn
from fpsolve.generator import Generator
from fpsolve.grid import Grid
from fpsolve.operators.ends import check_open_end, further
from fpsolve.stationary_space import ROUNDING, end_laws
from fpsolve.values.continuation import continued_ends, end_law, share_beyond

__all__ = ["check_density", "warn_of_cut_modes"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
TOLERATED = 1e-3  # of a rate
NOTHING = 1e-9  # of the largest mode^2/p: what lies beyond tells nothing
LEAST_BEND = 0.25  # of 1 - 4 rate/(D q^2)
NOISE = 1e-12  # of the largest entry: what an eigenvalue solver leaves


def check_density(grid: Grid, L: Generator, cells: Indices, masses: Array, log_m: Array | None) -> None:
    """Raise NotNormalizable, as `stationary` does, where mode 0 holds infinite mass beyond an open end.

    masses: of mode 0 in `cells`.  log_m: their logarithms, where they are known to more digits.
    """
    dense = np.zeros(grid.size)
    dense[cells] = np.abs(masses)
    if grid.ndim > 1 or log_m is None:
        if not any(_ends(grid, L, 0)) and grid.ndim == 1:
            return
        end_laws(grid, L.edges, dense / dense.sum(), ROUNDING)
        return
    axis, name = grid.axes[0], grid.names[0]
    log_p = np.full(grid.size, -np.inf)
    log_p[cells] = log_m - np.log(axis.weights[cells])
    for upper, cell in ((False, 0), (True, -1)):
        if _ends(grid, L, 0)[upper] and np.isfinite(log_p[cell]):
            check_open_end(axis, name, log_p, upper)


def warn_of_cut_modes(
    grid: Grid, L: Generator, cells: Indices, values: NDArray[Any], vectors: NDArray[Any], log_m: Array
) -> None:
    """Say which rates change by how much because modes are cut off at open ends.

    values, vectors: rates and modes' masses in `cells`.  log_m: ln of the stationary masses there.
    """
    found: dict[str, str] = {}
    worst = np.zeros(values.size)
    for k, (name, axis) in enumerate(zip(grid.names, grid.axes, strict=True)):
        for upper in (False, True):
            if not _ends(grid, L, k)[upper]:
                continue
            profiles = [_profile(grid, k, cells, vectors[:, n], log_m) for n in range(values.size)]
            edge = _edge(L, cells, log_m, upper) if grid.ndim == 1 else np.inf
            shares = [_change(profiles[n], upper, axis, values[n].real, edge) for n in range(values.size)]
            worst += shares
            if max(shares) > 0.25 * TOLERATED:
                found[f"{name}={axis.hi if upper else axis.lo:.4g}"] = _where(axis, name, profiles[-1], upper)
    cut = np.flatnonzero(worst > TOLERATED)
    if cut.size == 0:
        return
    known, endless = cut[np.isfinite(worst[cut])], cut[np.isinf(worst[cut])]
    parts = []
    if known.size:
        shown = ", ".join(f"{n} by {_percent(worst[n])}" for n in known)
        parts.append(f"too large for it, by about what mode^2/p holds beyond: rate {shown}")
    if endless.size:
        shown = ", ".join(str(n) for n in endless)
        parts.append(f"of modes that do not fall off before, or of a continuous spectrum: rate {shown}")
    places = " and ".join(place for place in found.values() if place) or "where they fall off"
    warn(
        f"modes reach beyond the open end {' and '.join(found)}; {'; '.join(parts)}; extend the grid to {places}, or "
        "make the end reflecting, if that is meant",
        TruncationWarning,
    )


def _ends(grid: Grid, L: Generator, k: int) -> tuple[bool, bool]:
    """Which ends of axis k the line goes on beyond: open ones, but where the map or the noise ends there."""
    low, high = continued_ends(grid.axes[k])
    natural = L.chain.natural if grid.ndim == 1 else (False, False)
    return low and not natural[0], high and not natural[1]


def _profile(grid: Grid, k: int, cells: Indices, vector: NDArray[Any], log_m: Array) -> Array:
    """mode^2/p, summed over all axes but k."""
    root = np.exp(0.5 * log_m)
    size = np.abs(vector)
    size = np.where(size > NOISE * size.max() * np.minimum(1.0, root / root.max()), size, 0.0)
    psi = np.divide(size, root, out=np.zeros(size.size), where=root > 0.0)
    dense = np.zeros(grid.size)
    dense[cells] = psi**2
    return dense.reshape(grid.shape).sum(axis=tuple(i for i in range(grid.ndim) if i != k))


def _edge(L: Generator, cells: Indices, log_m: Array, upper: bool) -> float:
    """D q^2/4 at the end of a line, in s; D is half of what hops from its last cell but one move squared."""
    last, before = (-1, -2) if upper else (0, 1)
    fall = float(log_m[before] - log_m[last]) if np.isfinite(log_m[last]) else np.inf
    out = L.edges.up[L.edges.left == cells[before]].sum() + L.edges.down[L.edges.right == cells[before]].sum()
    edge = float(0.5 * out * fall**2 / 4.0)  # ds cancels
    return edge if edge > 0.0 else np.inf


def _change(profile: Array, upper: bool, axis: Axis, rate: float, edge: float) -> float:
    """By how much a rate is too large, of itself; inf where its mode does not fall toward the end.

    profile: mode^2/p.  edge: the rate above which modes do not fall off.
    """
    if rate == 0.0 or profile[-1 if upper else 0] <= NOTHING * profile.max():
        return 0.0
    share, bend = share_beyond(profile, upper) / float(profile.sum()), 1.0 - rate / edge
    if axis.map.tail == "power":
        return share / float(np.sqrt(bend)) if bend > 0.0 else np.inf
    return share / float(np.sqrt(max(bend, LEAST_BEND)))


def _where(axis: Axis, name: str, profile: Array, upper: bool) -> str:
    """How far mode^2/p is to be continued, "" where it does not fall."""
    share = share_beyond(profile, upper) / float(profile.sum())
    if not 0.0 < share < np.inf:
        return ""
    with np.errstate(divide="ignore"):
        law = end_law(np.log(profile), axis.ds, upper)
    place = further(axis, law.slope, share, upper)
    return f"{name}={place:.4g}" if place is not None else ""


def _percent(share: float) -> str:
    return f"{share:.2%}" if share < 0.01 else f"{share:.0%}" if share < 1.0 else "100% or more"
