"""Null vectors and mean first-passage times of Markov chains by elimination without subtraction (GTH).

A state k is cut out of the chain: a_ij += a_ik a_kj / s_k, s_k = the sum of its rates to the states that remain.
Nothing is subtracted, so every mass is right to rounding relative to itself: tails, and the weights of wells that are
hundreds of kT apart.
Sources: Grassmann, Taksar & Heyman, Oper. Res. 33, 1107 (1985); O'Cinneide, Numer. Math. 65, 109 (1993).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from fpsolve.errors import InvalidInput, NotConverged
from fpsolve.kernels.dissection import Graph
from fpsolve.kernels.gth import CLEAR, eliminate, substitute
from fpsolve.memory import require
from fpsolve.progress import Progress, reporting
from fpsolve.solvers.dissection import Dissection, dissection, graph_of, uphill

__all__ = ["GTH"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
LOST = 1e-306  # of the largest rate: what underflow may have lost of the rates out of a state
NEGLIGIBLE = 1e-280  # of the largest mass: what underflow may do to a mass
ATTEMPTS = 3  # at a state to end with
CHUNK = 2e8  # multiplications between two reports


@dataclass(frozen=True)
class GTH:
    """Elimination without subtraction, in the order of a nested dissection: the default in two and three dimensions.

    Every mass has about 14 digits relative to itself, down to 1e-280 of the largest at least; below 1e-308 it becomes
    0.  Barriers between wells may be some 650 kT high; where they are higher it refuses.

    >>> import numpy as np
    >>> from scipy import sparse
    >>> rates = sparse.csc_matrix([[-1e-30, 1.0, 0.0], [1e-30, -2.0, 1e-30], [0.0, 1.0, -1e-30]])
    >>> GTH().null_vector(rates, np.arange(3)[:, None])
    array([5.e-01, 5.e-31, 5.e-01])
    """

    @property
    def name(self) -> str:
        """What it is called in `info.method`."""
        return "GTH elimination by nested dissection"

    def null_vector(self, rates: sparse.csc_matrix, indices: Indices, *, progress: Progress = None) -> Array:
        """Masses m with L m = 0, sum(m) = 1, of a chain whose cells all reach one another.

        rates: entry [y, x] is the rate from x to y, (cells, cells); the diagonal is not read.
        indices: places of the cells on the grid, (cells, ndim); they lead the order of elimination, no more.
        Raises InvalidInput for rates that are negative or not finite; NotConverged for cells that no path leaves, and
        for barriers beyond double precision; NotEnoughMemory before anything large is made.
        """
        graph, places = graph_of(rates, indices)
        if places.shape[0] == 1:
            return np.ones(1)
        graph, _ = _scaled(graph)
        last, tried = uphill(graph), []
        while True:
            plan = dissection(graph, places, last)
            beside = np.zeros((places.shape[0], 2))
            beside[:, 0] = LOST
            factors, stuck = _eliminated(graph, plan, beside, False, progress)
            if stuck is None:
                return _masses(plan, factors, places)
            tried.append(last)
            if stuck.cell in tried or len(tried) == ATTEMPTS:
                raise NotConverged(_split(stuck, places, last))
            last = stuck.cell  # a state that is not left holds mass: end there

    def first_passage(
        self,
        rates: sparse.csc_matrix,
        killing: ArrayLike,
        rhs: ArrayLike,
        indices: Indices,
        *,
        progress: Progress = None,
    ) -> Array:
        """tau with (killing_k + sum_j a_kj) tau_k = rhs_k + sum_j a_kj tau_j, a_kj the rate from k to j.

        rates, indices: as for `null_vector`; the diagonal is not read.
        killing: rate out of the chain (into the target) from each cell, (cells,), >= 0.
        rhs: (cells,) or (cells, columns), >= 0: ones give the mean time, the rates into a part of the target the
            probability to end there.
        Returns tau in the shape of rhs, each entry with about 14 digits relative to itself.
        Raises as `null_vector` does; NotConverged names a cell from which no path leaves the chain.

        >>> import numpy as np
        >>> from scipy import sparse
        >>> rates = sparse.csc_matrix([[0.0, 2.0], [3.0, 0.0]])
        >>> GTH().first_passage(rates, [0.5, 0.0], [1.0, 1.0], np.arange(2)[:, None])
        array([5. , 5.5])
        """
        graph, places = graph_of(rates, indices)
        leaving, right = _checked(places.shape[0], killing, rhs)
        graph, scale = _scaled(graph, float(leaving.max()))
        plan = dissection(graph, places)
        beside = np.column_stack([np.full_like(leaving, LOST), scale * leaving, right])[plan.tree.order]
        factors, stuck = _eliminated(_reversed(graph), plan, beside, True, progress)
        if stuck is not None:
            raise NotConverged(_no_way_out(stuck, places))
        tau = beside[:, 2:].copy()
        substitute(plan.tree, plan.factor, factors, tau)
        answer = np.empty_like(tau)
        answer[plan.tree.order] = scale * tau
        if not np.all(np.isfinite(answer)):
            raise NotConverged("first-passage times exceed 1e308: the barrier is too high for double precision")
        return answer.reshape(right.shape)


@dataclass(frozen=True)
class _Stuck:
    """A cell that cannot be left, and its rate out, in units of the largest."""

    cell: int
    rate: float


def _eliminated(
    graph: Graph, plan: Dissection, beside: Array, turned: bool, progress: Progress
) -> tuple[Array, _Stuck | None]:
    """The factors of an elimination, chunk by chunk, or where it is stuck."""
    cells = plan.tree.place.size
    require(plan.bytes, f"the elimination of {cells} cells", "use fewer cells, or fp.Multigrid()")
    front, updates, factors = np.empty(plan.front), np.empty(plan.height), np.empty(plan.factor[-1])
    done = np.cumsum(plan.work)
    ends = np.flatnonzero(np.diff(np.floor(done / CHUNK), append=np.inf)) + 1
    report = np.zeros(2)
    with reporting(int(done[-1]), progress, "multiplications") as tell:
        begin = 0
        for end in ends.tolist():
            sizes, space = (plan.factor, plan.stack), (front, updates, factors)
            if not eliminate(plan.tree, graph, turned, begin, end, *sizes, *space, beside, report):
                return factors, _Stuck(int(plan.tree.order[int(report[0])]), float(report[1]))
            tell(int(done[end - 1]))
            begin = end
    return factors, None


def _masses(plan: Dissection, factors: Array, places: Indices) -> Array:
    """Masses by cell, from that of the last state upward, beside what underflow may have done to them."""
    start = 1.0
    for _ in range(3):  # until the largest is near 1, so that tails reach down to 1e-308
        x = np.full((plan.tree.place.size, 2), [0.0, LOST])
        x[-1] = start, 0.0
        substitute(plan.tree, plan.factor, factors, x)
        largest = float(x[:, 0].max())
        if 0.5 <= largest <= 1e3:
            break
        start = start / largest if largest < np.inf else 1e-300
    masses, lost = np.empty_like(x).T
    masses[plan.tree.order], lost[plan.tree.order] = x.T
    doubtful = ~(lost <= np.maximum(masses / CLEAR, NEGLIGIBLE))
    if np.any(doubtful):
        raise NotConverged(_behind(masses, doubtful, places))
    return masses / masses.sum()


def _scaled(graph: Graph, least: float = 0.0) -> tuple[Graph, float]:
    """The chain in units of time in which its largest rate is between 1/2 and 1, and by what rates were multiplied."""
    largest = max(float(graph.outward.max(initial=0.0)), least)
    scale = 2.0 ** -np.frexp(largest)[1] if largest > 0.0 else 1.0
    return graph._replace(outward=graph.outward * scale, inward=graph.inward * scale), float(scale)


def _reversed(graph: Graph) -> Graph:
    return graph._replace(outward=graph.inward, inward=graph.outward)


def _checked(cells: int, killing: ArrayLike, rhs: ArrayLike) -> tuple[Array, Array]:
    arrays = np.asarray(killing, dtype=float), np.asarray(rhs, dtype=float)
    for name, array, most in zip(("killing", "rhs"), arrays, (1, 2), strict=True):
        if not 1 <= array.ndim <= most or array.shape[0] != cells:
            raise InvalidInput(f"{name} has shape {array.shape}; expected one entry a cell, {cells}")
        bad = ~((array >= 0.0) & (array < np.inf))
        if np.any(bad):
            place = tuple(int(i) for i in np.argwhere(bad)[0])
            raise InvalidInput(
                f"{name} has {int(bad.sum())} entries that are negative or not finite, the first {array[place]:.6g} at "
                f"cell {place[0]}; they must be >= 0"
            )
    return arrays


def _split(stuck: _Stuck, places: Indices, last: int) -> str:
    here, there = _place(places, stuck.cell), _place(places, last)
    if stuck.rate == 0.0:
        return (
            f"no path leads from cell {stuck.cell} (at {here}) to cell {last} (at {there}): the chain is reducible, or "
            "rates across a barrier vanish; solve each closed class by itself"
        )
    return (
        f"the barrier between cell {stuck.cell} (at {here}) and cell {last} (at {there}) is too high: rates across it "
        "are lost to underflow (below 1e-294 of the largest rate), and with them the weights of the two wells; solve "
        "each well by itself, or lower the barrier"
    )


def _behind(masses: Array, doubtful: NDArray[np.bool_], places: Indices) -> str:
    worst = int(np.argmax(np.where(doubtful, masses, -1.0)))
    return (
        f"{int(doubtful.sum())} cells around cell {worst} (at {_place(places, worst)}) lie behind a barrier too high: "
        f"their masses, {masses[worst]:.2g} of the largest, are lost to underflow on its top; solve each well by "
        "itself, or lower the barrier"
    )


def _no_way_out(stuck: _Stuck, places: Indices) -> str:
    here = _place(places, stuck.cell)
    if stuck.rate == 0.0:
        return f"no path leads from cell {stuck.cell} (at {here}) out of the chain: the mean time there is infinite"
    return (
        f"the barrier that cell {stuck.cell} (at {here}) has to cross is too high: rates across it are lost to "
        "underflow (below 1e-294 of the largest rate); lower it"
    )


def _place(places: Indices, cell: int) -> str:
    return "(" + ", ".join(str(int(i)) for i in places[cell]) + ")"
