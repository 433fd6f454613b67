"""Where one step of a random map leads from each node: displacements and their weights, for single atoms and batches.

A batch's mean of S samples has S-fold convolved weights: at every node the samples are laid on bins, transformed, taken
to the S-th power and back.  Where u' passes through 0 the displacement ln|u'/u| has a logarithmic singularity under
the sum over nodes (batches: over bins); the sum is right again, to third order, with ln|u'/u| at the two neighbours
changed by -(1 - theta) c + e and -theta c - e, where theta is the singularity's place between them,
c = ln(2 sin(pi theta)) and e = Cl_2(2 pi theta)/(2 pi) (Clausen's function).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.kernels.collocation import deposit_means
from fpsolve.random_map import RandomMap

__all__ = ["Branches", "branches"]

Array = NDArray[np.float64]
Places = tuple[NDArray[np.int64], NDArray[np.int64]]
BINS = 2048  # of the sum of a batch, at least
BINS_PER_SAMPLE = 64  # at least, of one sample's range
TAIL = 43.0  # exp(-43) of a batch's law is left out
NEGLIGIBLE = 1e-19  # weight of a bin that is left out
CLOSEST = 1e-9  # of a node's distance: a singularity is taken to be so far from either neighbour
ROOT_STEPS = 3


@dataclass(frozen=True, eq=False)
class Branches:
    """From each node s_j: displacements s' - s_j, (nodes, branches), and weights, (nodes or 1, branches).

    singular: per node, the weight of the branches whose u' passes through 0 between this node and the next.
    crossing: per node, the weight of the branches that leave through u = 0; they weigh 0 in `weights`.
    """

    displacements: Array
    weights: Array
    singular: Array
    crossing: Array

    @property
    def mean(self) -> Array:
        """E[s' - s] at each node."""
        return (self.displacements * self.weights).sum(axis=1)


def branches(random_map: RandomMap, s: Array, *, smoothed: bool = True) -> Branches:
    """The branches at the nodes s; smoothed: with the logarithmic singularities treated, for uniform nodes.

    >>> found = branches(RandomMap(lambda x, a: 0.5 * x + a, [-1.0, 1.0], (-2.5, 2.5)), np.array([0.0, 1.0]))
    >>> found.displacements.tolist(), found.mean.tolist()
    ([[-1.0, 1.0], [-1.5, 0.5]], [0.0, -0.5])
    """
    if random_map.batch > 1:
        means, weights = _batch_law(random_map.samples(s), random_map.weights, random_map.batch)
        moved = random_map.moved(s, means)
    else:
        moved, weights = random_map.moved(s), random_map.weights[None, :]
    singular, crossing = np.zeros(s.size), np.zeros(s.size)
    if not random_map.logarithmic or not np.any(moved <= 0):
        return Branches(random_map.displacement(moved), weights, singular, crossing)
    if not random_map.mirrored:
        kept = np.where(moved > 0, weights, 0.0)
        crossing, weights = (weights - kept).sum(axis=1), kept
    if smoothed and random_map.batch > 1:
        moved = _smoothed_bins(moved)
    elif smoothed:
        rows, atoms = _sign_changes(moved)
        moved = _smoothed_nodes(random_map, s, moved, rows, atoms)
        np.add.at(singular, rows, random_map.weights[atoms])
    return Branches(random_map.displacement(moved), weights, singular, crossing)


def _batch_law(samples: Array, weights: Array, batch: int) -> tuple[Array, Array]:
    """Means of `batch` samples and their weights, both (nodes, bins)."""
    bins = max(BINS_PER_SAMPLE, BINS // batch)
    low, high = samples.min(axis=1), samples.max(axis=1)
    width = (high - low) / (bins - 3)
    laid = np.zeros((samples.shape[0], bins))
    writable = np.array(samples, order="C"), np.array(weights)  # one signature to compile
    deposit_means(*writable, low, width, laid)
    middle = laid @ np.arange(bins)
    variance = laid @ np.arange(bins) ** 2 - middle**2
    size = _window(bins, float(variance.max()), batch)
    law = np.fft.irfft(_power(np.fft.rfft(_folded(laid, size), axis=1), batch), size, axis=1)
    # the transform is periodic: each index stands for the one of its class that is nearest to the mean
    first = np.round(batch * middle).astype(np.int64) - size // 2 if size < batch * bins else np.zeros_like(middle, int)
    index = first[:, None] + np.arange(size)
    law = np.take_along_axis(law, index % size, axis=1)
    used = np.flatnonzero(np.abs(law).max(axis=0) > NEGLIGIBLE)
    used = np.arange(used[0], used[-1] + 1)  # without gaps: neighbours are searched for sign changes
    return low[:, None] + width[:, None] * (index[:, used] / batch - 1.0), law[:, used]


def _window(bins: int, variance: float, batch: int) -> int:
    """Bins of the sum that hold all but exp(-TAIL) of it, by Bernstein's inequality; a power of 2."""
    reach = bins * TAIL / 3.0
    reach += np.sqrt(reach**2 + 2.0 * TAIL * batch * max(variance, 1.0))
    return 1 << int(np.ceil(np.log2(min(2.0 * reach, float(batch * bins)))))


def _folded(laid: Array, size: int) -> Array:
    """The bins modulo `size`."""
    if laid.shape[1] <= size:
        return np.pad(laid, ((0, 0), (0, size - laid.shape[1])))
    turns = -(-laid.shape[1] // size)
    return np.pad(laid, ((0, 0), (0, turns * size - laid.shape[1]))).reshape(len(laid), turns, size).sum(axis=1)


def _power(z: NDArray[np.complex128], n: int) -> NDArray[np.complex128]:
    """z^n by repeated squaring: numpy's own goes through logarithms."""
    answer = np.ones_like(z)
    while n:
        if n & 1:
            answer = answer * z
        n >>= 1
        z = z * z if n else z
    return answer


def _sign_changes(moved: Array) -> Places:
    """(node, branch) where u'/u changes its sign between this node and the next."""
    below = moved < 0
    rows, columns = np.nonzero(below[:-1] != below[1:])
    return rows, columns


def _smoothed_nodes(
    random_map: RandomMap, s: Array, moved: Array, rows: NDArray[np.int64], atoms: NDArray[np.int64]
) -> Array:
    h = float(s[1] - s[0])
    left, right = moved[rows, atoms], moved[rows + 1, atoms]
    theta = left / (left - right)
    for _ in range(ROOT_STEPS):  # inverse interpolation through the two nodes and the last estimate
        middle = random_map.moved_each(s[rows] + theta * h, atoms)
        theta = np.clip(_inverse_parabola(left, middle, right, theta), 0.0, 1.0)
    half = random_map.moved_each(s[rows] + 0.5 * h, atoms)
    slopes = (4.0 * half - 3.0 * left - right, left - 4.0 * half + 3.0 * right)
    return _smoothed(moved, (rows, atoms), (rows + 1, atoms), theta, slopes)


def _smoothed_bins(moved: Array) -> Array:
    columns, rows = _sign_changes(np.ascontiguousarray(moved.T))
    left, right = moved[rows, columns], moved[rows, columns + 1]
    return _smoothed(moved, (rows, columns), (rows, columns + 1), left / (left - right), (right - left, right - left))


def _smoothed(moved: Array, left: Places, right: Places, theta: Array, slopes: tuple[Array, Array]) -> Array:
    """u'/u with its zeros between neighbours smoothed; slopes: its derivatives at these, per distance of the two."""
    from scipy.special import spence

    theta = np.clip(theta, CLOSEST, 1.0 - CLOSEST)
    correction = np.log(2.0 * np.sin(np.pi * theta))
    tilt = spence(1.0 - np.exp(2j * np.pi * theta)).imag / (2.0 * np.pi)
    answer = moved.copy()
    for place, distance, slope, side in ((left, theta, slopes[0], 1.0), (right, 1.0 - theta, slopes[1], -1.0)):
        tight = distance <= CLOSEST  # |u'/u| there is rounding
        answer[tuple(index[tight] for index in place)] = np.abs(slope[tight]) * CLOSEST
        np.multiply.at(answer, place, np.exp(-(1.0 - distance) * correction + side * tilt))
    return answer


def _inverse_parabola(left: Array, middle: Array, right: Array, theta: Array) -> Array:
    """The zero of the inverse quadratic through (0, left), (theta, middle), (1, right)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        answer = theta * left * right / ((middle - left) * (middle - right)) + left * middle / (
            (right - left) * (right - middle)
        )
    return np.where(np.isfinite(answer), answer, theta)
