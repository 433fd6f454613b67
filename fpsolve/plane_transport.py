"""Wasserstein distances in several dimensions: the cheapest of all plans between two sets of weighted points.

    W_k^k = min over plans m_ij >= 0, sum_j m_ij = a_i, sum_i m_ij = b_j, of sum_ij m_ij |x_i - y_j|^k

solved exactly (network simplex of POT).  Source: Bonneel et al., ACM Trans. Graph. 30, 158 (2011); Peyre & Cuturi,
Computational Optimal Transport (2019), section 3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import InvalidInput, MissingExtra, NotConverged
from fpsolve.laws import Law, Side
from fpsolve.transport import atoms, lacks_moment
from fpsolve.values.sampling import refuse_negative

__all__ = ["plan_cost"]

Array = NDArray[np.float64]
MOST_PAIRS = 2**24
MOST_PIVOTS = 10_000_000


def plan_cost(a: Side, b: Side, order: int) -> float:
    """W_order between samples and cells taken as points at their nodes; inf as in one dimension.

    Raises InvalidInput where there are more than 2^24 pairs, MissingExtra without POT, NotConverged with the
    best estimate where the simplex stops short.
    """
    if lacks_moment(a, b, order):
        return float("inf")
    (x, p), (y, q) = _points(a), _points(b)
    metric = f"W{order}"
    if p.size * q.size > MOST_PAIRS:
        raise InvalidInput(
            f"{metric} needs one dimension, not {a.ndim}, or fewer points: {p.size} in a and {q.size} in b make more "
            f"than 2^24 pairs; take 'sliced {metric}', fewer cells (p.coarsened(2)), or give fewer samples"
        )
    try:
        import ot
    except ImportError as error:
        raise MissingExtra(
            f"{metric} in several dimensions needs POT: pip install 'fpsolve[ot]'; 'sliced {metric}' needs nothing more"
        ) from error
    from scipy.spatial.distance import cdist

    costs = cdist(x, y, "sqeuclidean" if order == 2 else "euclidean")
    total, log = ot.emd2(p, q, costs, numItermax=MOST_PIVOTS, log=True)
    found = float(max(total, 0.0)) ** (1.0 / order)  # costs are >= 0: only rounding can be below
    if log["warning"] is not None:
        raise NotConverged(f"{metric}: the simplex stopped after {MOST_PIVOTS} pivots: {log['warning']}", best=found)
    return found


def _points(side: Side) -> tuple[Array, Array]:
    """Points and masses > 0 that sum to 1."""
    if isinstance(side, Law):
        refuse_negative(side.density, "a plan moves shares of mass, which cannot be negative")
    x, masses = atoms(side)
    some = masses > 0
    return x[some], masses[some] / masses[some].sum()
