"""The order of an elimination: nested dissection of the cells' graph, led by their places on the grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fpsolve.errors import InvalidInput
from fpsolve.kernels.dissection import Graph, climb, couple, dissect
from fpsolve.kernels.fronts import Tree, find_boundaries, lay_out

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
LEAF = 32  # cells that are not cut further
SAMPLE = 300  # cells whose offsets are looked at
COMMON = 0.25  # of them: an offset so common may lead a cut


@dataclass(frozen=True, eq=False)
class Dissection:
    """Cells in the order of their elimination, the nodes that they fall into, and what these need.

    factor: where each node's factor begins, and the size of all; stack: where its update is kept; work: its
    multiplications; height, front: the sizes of the stack and of the largest front.  Sizes in numbers of 8 bytes.
    """

    tree: Tree
    factor: Indices
    stack: Indices
    work: Array
    height: int
    front: int

    @property
    def bytes(self) -> float:
        """Memory that the elimination needs."""
        return 8.0 * (float(self.factor[-1]) + self.height + self.front)


def dissection(graph: Graph, indices: Indices, last: int | None = None) -> Dissection:
    """The elimination of all cells, or of all but `last`, which then has the last position.

    indices: the cells' places, (cells, ndim).
    """
    cells = indices.shape[0]
    order = np.arange(cells) if last is None else np.delete(np.arange(cells), last)
    first = dissect(graph, _coordinates(graph, indices), order, LEAF)
    if last is not None:
        order = np.append(order, last)
    place = np.empty(cells, dtype=np.int64)
    place[order] = np.arange(cells)
    tree = find_boundaries(graph, order, place, first)
    return Dissection(tree, *lay_out(tree))


def graph_of(rates: sparse.csc_matrix, indices: Indices, *, positive: bool = True) -> tuple[Graph, Indices]:
    """Who exchanges mass with whom, from `rates` (entry [y, x]: from x to y), and the places as int64.

    Raises InvalidInput for rates that are not finite, for negative ones (unless positive=False), and where the shapes
    do not agree.
    """
    if not sparse.issparse(rates) or rates.ndim != 2 or rates.shape[0] != rates.shape[1] or rates.shape[0] == 0:
        shape = getattr(rates, "shape", None)
        raise InvalidInput(f"rates has shape {shape}; give a sparse square matrix, one column a cell")
    cells = rates.shape[0]
    places = np.ascontiguousarray(indices, dtype=np.int64)
    if places.ndim != 2 or places.shape[0] != cells:
        raise InvalidInput(f"indices has shape {places.shape}; expected ({cells}, ndim), the place of each cell")
    down = sparse.csc_matrix(rates, dtype=float)
    if not (down.has_sorted_indices and down.has_canonical_format):
        down = down.copy()
        down.sum_duplicates()
    finite = np.isfinite(down.data)
    if not finite.all():
        worst = int(np.flatnonzero(~finite)[0])
        column = int(np.searchsorted(down.indptr, worst, side="right")) - 1
        raise InvalidInput(
            f"{int((~finite).sum())} rates are not finite, the first from cell {column} to cell "
            f"{down.indices[worst]}; check the coefficients there"
        )
    up = down.tocsr()
    graph = couple(down.indptr, down.indices, down.data, up.indptr, up.indices, up.data)
    if positive:
        _check_positive(graph)
    return graph, places


def uphill(graph: Graph) -> int:
    """A cell to which the chain is drawn: where the path of most favourable rates from the middle cell ends."""
    return int(climb(graph, (graph.pointer.size - 1) // 2))


def _coordinates(graph: Graph, places: Indices) -> Indices:
    """Whole numbers across which cells may be cut: their places, and what stays the same along common long offsets.

    Where most cells exchange mass along one oblique line, a cut along that line has few cells beside it.
    """
    some = np.unique(np.linspace(0, places.shape[0] - 1, SAMPLE).astype(np.int64))
    edges = np.concatenate([np.arange(graph.pointer[x], graph.pointer[x + 1]) for x in some])
    starts = np.repeat(places[some], graph.pointer[some + 1] - graph.pointer[some], axis=0)
    offsets = places[graph.neighbour[edges]] - starts
    offsets = offsets[np.all(np.abs(offsets) <= np.ptp(places, axis=0) // 2, axis=1)]  # the others go round a ring
    if places.shape[1] == 1 or np.abs(offsets).max(initial=0) <= 1:
        return places
    offsets, counts = np.unique(offsets, axis=0, return_counts=True)
    common = offsets[counts >= COMMON * some.size]
    across = {axis for offset in common if np.abs(offset).max() > 1 for axis in _normals(offset, common)}
    return np.ascontiguousarray(np.column_stack([places, *(places @ np.array(axis) for axis in sorted(across))]))


def _normals(offset: Indices, others: Indices) -> list[tuple[int, ...]]:
    """Smallest whole vectors normal to `offset`, in three dimensions also to another one; up to their sign."""
    if offset.size == 2:
        found = [np.array([-offset[1], offset[0]])]
    else:
        found = [np.cross(offset, other) for other in others]
    found = [normal // np.gcd.reduce(normal) for normal in found if np.any(normal)]
    return [tuple(int(i) for i in (normal if tuple(normal) > tuple(-normal) else -normal)) for normal in found]


def _check_positive(graph: Graph) -> None:
    negative = graph.outward < 0
    if not np.any(negative):
        return
    worst = int(np.argmin(graph.outward))
    cell = int(np.searchsorted(graph.pointer, worst, side="right")) - 1
    raise InvalidInput(
        f"{int(negative.sum())} rates between cells are negative, the worst {graph.outward[worst]:.6g} from cell "
        f"{cell} to cell {graph.neighbour[worst]}: this is no Markov chain, and the method needs one; use fp.Positive()"
    )
