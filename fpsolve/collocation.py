"""The Markov operator of a random map, collocated, and its stationary law as a quadrature.

    K_jk = sum_a w_a phi_k(s_j + xi_a(s_j)),   w K = w,   sum_k w_k = 1,   E f = sum_k w_k f(x_k)

Nodes s_k are uniform, phi_k is Lagrange's local basis of degree 7; rows sum to 1.  The law comes out as signed weights
at the nodes, w_k/h its density between the ends.  On a logarithmic coordinate what falls below the lowest node is
extrapolated linearly from it and from a node one unit of ln x above: so Poisson's equation is solved there, f - E f =
g - K g, by g linear in s.  What leaves over the top, a linear coordinate's bottom or through u = 0 is lost: then w is
the quasi-stationary law, w K = (1 - flux) w, of what has not left yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fpsolve.branches import branches
from fpsolve.errors import NotConverged
from fpsolve.kernels.collocation import collocate
from fpsolve.memory import require
from fpsolve.random_map import RandomMap

__all__ = ["Collocation", "collocation"]

Array = NDArray[np.float64]
CHUNK = 2_000_000  # numbers at once: branches, or entries of rows
BATCH_BRANCHES = 8000  # of a batch's law, about, at most
MOST_SOLVES = 10
SHARE = 1e-13  # of the mass: by so much what stays may change in the last solve
SHORTEST_REACH = 8  # nodes, of the extrapolation at the lower end


@dataclass(frozen=True, eq=False)
class Collocation:
    """K on the nodes s, with what each row sends beyond the ends.

    leaks: (nodes, 3), the weight of each row below the lowest node, above the highest, and through u = 0.
    drift: E[s' - s] per node.  singular: see `Branches`.  reach: nodes that the lower end's extrapolation spans, 0
    where there is none.
    """

    s: Array
    operator: sparse.csr_matrix
    leaks: Array
    drift: Array
    singular: Array
    reach: int

    @property
    def h(self) -> float:
        """Distance of the nodes."""
        return float(self.s[1] - self.s[0])

    @cached_property
    def transposed(self) -> sparse.csr_matrix:
        """K^T, by rows: w K = K^T w."""
        return self.operator.T.tocsr()

    def stationary(self, mode: float | None = None) -> tuple[Array, float]:
        """w with w K = share w, share near 1, sum(w) = 1, and the residual max|w K - share w| over max|w|.

        One weight near the mode is set, its equation left out, the rest solved by LU and refined once; where mass
        leaves, again with the share that stays.
        mode: where in s the largest weight is expected.
        Raises NotConverged where the largest weight is not found, or is no finite number.
        """
        n = self.s.size
        pin = int(np.clip(np.searchsorted(self.s, mode), 0, n - 1)) if mode is not None else int(0.75 * n)
        share = 1.0
        for _ in range(MOST_SOLVES):
            w = self._pinned(pin, share)
            if not np.all(np.isfinite(w)):
                break
            top = int(np.argmax(np.abs(w)))
            if abs(w[top]) > 10.0 * abs(w[pin]):
                pin = top
                continue
            w = w / w.sum()
            stays = 1.0 - float(self.lost @ w)
            if abs(stays - share) <= SHARE:
                return w, float(np.abs(self.transposed @ w - share * w).max() / np.abs(w).max())
            share = stays
        raise NotConverged(
            f"no stationary law was found between s={self.s[0]:.4g} and {self.s[-1]:.4g} (the map's coordinate): mass "
            f"leaves too fast, up to {self.lost.max():.2g} in a step, so the map diverges there, or its law lies "
            "elsewhere; lower the learning rate, enlarge the batch, or give another domain"
        )

    @property
    def lost(self) -> Array:
        """The weight of each row that leaves for good."""
        return self.leaks[:, 1:].sum(axis=1) + (self.leaks[:, 0] if self.reach == 0 else 0.0)

    def _pinned(self, pin: int, share: float) -> Array:
        from scipy.sparse.linalg import splu

        n = self.s.size
        kept = np.delete(np.arange(n), pin)
        equations = (self.transposed - share * sparse.identity(n, format="csr"))[kept].tocsc()
        right = -equations[:, [pin]].toarray()[:, 0]
        matrix = equations[:, kept].tocsc()
        try:
            factors = splu(matrix, permc_spec="NATURAL")
        except RuntimeError as error:  # exactly singular: more than one law
            raise NotConverged(
                "the random map has no single stationary law on these nodes, or none that is smooth: its branches lead "
                f"from s={self.s[0]:.4g} to {self.s[-1]:.4g} (the map's coordinate) to points of their own, or out; "
                "give atoms that differ, and a domain that holds the law"
            ) from error
        w = factors.solve(right)
        w += factors.solve(right - matrix @ w)
        return np.insert(w, pin, 1.0)


def collocation(random_map: RandomMap, lo: float, hi: float, nodes: int) -> Collocation:
    """K on `nodes` uniform nodes from lo to hi, both in s.

    >>> K = collocation(RandomMap(lambda x, a: 0.5 * x + a, [-1.0, 1.0], (-2.5, 2.5)), -2.5, 2.5, 50)
    >>> w, residual = K.stationary()
    >>> round(float(w @ K.s**2), 9), bool(residual < 1e-14)
    (1.333333333, True)
    """
    s, size = np.linspace(lo, hi, nodes), random_map.atoms[0].size
    require(24.0 * nodes * nodes, f"the operator on {nodes} nodes", "use fewer nodes")
    reach = _reach(random_map, s)
    rows = max(4, CHUNK // max(size, nodes, 1 if random_map.batch == 1 else BATCH_BRANCHES))
    parts, leaks = [], np.zeros((nodes, 3))
    drift, singular = np.empty(nodes), np.zeros(nodes)
    for first in range(0, nodes, rows):
        last = min(first + rows, nodes)
        begin, end = max(first - 1, 0), min(last + 1, nodes)  # singularities lie between neighbours
        here = branches(random_map, s[begin:end])
        cut = slice(first - begin, last - begin)
        shifts, weights = here.displacements[cut] / (s[1] - s[0]), here.weights
        weights = weights if len(weights) == 1 else weights[cut]
        dense = np.zeros((last - first, nodes))
        # copies, writable and in C order: one signature is compiled
        shifts, weights = np.array(shifts, order="C"), np.array(weights, order="C")
        collocate(first, shifts, weights, reach, dense, leaks[first:last])
        parts.append(sparse.csr_matrix(dense))
        leaks[first:last, 2] = here.crossing[cut]
        drift[first:last], singular[first:last] = here.mean[cut], here.singular[cut]
    return Collocation(s, sparse.vstack(parts, format="csr"), leaks, drift, singular, reach)


def _reach(random_map: RandomMap, s: Array) -> int:
    if not random_map.logarithmic:
        return 0
    unit = 1.0 / abs(random_map.readout.power)  # of ln x
    return int(np.clip(round(unit / float(s[1] - s[0])), SHORTEST_REACH, max(SHORTEST_REACH, s.size // 8)))
