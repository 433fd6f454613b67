"""What chance alone makes of a distance: between a law and n samples of it, and between samples and their resamples.

A law is simulated through its quantiles on a fixed table of levels, geometric toward both ends, or through the counts
in its cells; a resample is a set of multinomial counts on samples sorted once.  For sliced
distances a law is some 16 000 points of equal mass (twice as many for more draws than that), sorted once along each
direction, and more samples than those points are represented by some of them; n draws are counts again.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fpsolve.laws import Law, Samples
from fpsolve.partition import cell_integrals, counts_in, kullback_leibler, squared_hellinger
from fpsolve.sliced import directions
from fpsolve.transport import interquartile_range
from fpsolve.values.sampling import drawn

__all__ = ["resampled", "same_law"]

Array = NDArray[np.float64]
BLOCK = 4_000_000  # numbers held at once
LOWEST = 1e-12  # level of the outermost quantile
PER_DECADE = 50
LEVELS = 2500  # between 1 % and 99 %
ATOMS = 1000  # of equal mass, for MMD
POOL = 2**14  # points that stand for a law of several coordinates; with n > 4 points, W2 would be 10 % too large


def same_law(law: Law, n: int, metric: str, resamples: int, rng: np.random.Generator) -> Array:
    """Distances between the law and n samples drawn from it, shape (resamples,); every metric but KS."""
    if law.ndim > 1 and metric.startswith("sliced"):
        return _sliced(drawn(law.density, _pool_size(n), rng), n, metric, resamples, rng)
    metric = metric.removeprefix("sliced ")
    if metric == "MMD":
        x = law.lower.quantile((np.arange(ATOMS) + 0.5) / ATOMS)
        return _discrepancies(x, n, resamples, rng)
    if metric in ("W1", "W2"):
        levels, x = _table(law)
        one = _first_order if metric == "W1" else _second_order
        draw = one(levels, x, n, rng)
        return np.array([draw() for _ in range(resamples)])
    shares = cell_integrals(law)
    return _of_counts(shares, n, metric, resamples, rng)


def resampled(law: Law, samples: Samples, metric: str, resamples: int, rng: np.random.Generator) -> Array:
    """Distances between the samples and resamples of them, drawn with replacement, shape (resamples,).

    For KL, which is no metric: of the resamples against the law.
    """
    if law.ndim > 1 and metric.startswith("sliced"):
        size = min(samples.n, _pool_size(samples.n))
        pool = samples.positions if size == samples.n else rng.choice(samples.positions, size, replace=False)
        return _sliced(pool, samples.n, metric, resamples, rng)
    metric = metric.removeprefix("sliced ")
    if metric == "MMD":
        parts = np.array_split(samples.lower.points, min(ATOMS, samples.n))
        return _discrepancies(np.array([part[part.size // 2] for part in parts]), samples.n, resamples, rng)
    if metric in ("L1", "TV", "KL", "hellinger"):
        counts = counts_in(law.density.grid, samples) / samples.n
        return _of_counts(counts, samples.n, metric, resamples, rng, cell_integrals(law) if metric == "KL" else None)
    x = samples.lower.points
    n, measure = x.size, {"KS": _jumps, "W1": _areas, "W2": _displacements}[metric](x)
    return np.array([measure(np.bincount(rng.integers(n, size=n), minlength=n)) for _ in range(resamples)])


def _of_counts(
    shares: Array, n: int, metric: str, resamples: int, rng: np.random.Generator, against: Array | None = None
) -> Array:
    """A binned metric between multinomial counts of n and the shares they have on average (or those given)."""
    used = shares > 0.0
    shares = shares[used] / shares[used].sum()
    target = shares if against is None else against[used]
    rows = max(1, BLOCK // shares.size)
    answers = []
    for start in range(0, resamples, rows):
        drawn = rng.multinomial(n, shares, size=min(rows, resamples - start)) / n
        answers.append(_binned(drawn, target, metric))
    return np.concatenate(answers)


def _binned(drawn: Array, target: Array, metric: str) -> Array:
    if metric in ("L1", "TV"):
        return np.abs(drawn - target).sum(axis=-1) * (1.0 if metric == "L1" else 0.5)
    with np.errstate(divide="ignore"):
        logs, log_target = np.log(drawn), np.log(target)
    return kullback_leibler(logs, log_target) if metric == "KL" else np.sqrt(squared_hellinger(logs, log_target))


def _discrepancies(x: Array, n: int, resamples: int, rng: np.random.Generator) -> Array:
    """MMD between n draws of equally likely points and the points themselves."""
    h = interquartile_range(x, np.full(x.size, 1.0 / x.size)) or float(np.ptp(x)) or 1.0
    kernel = np.exp(-np.abs(x[:, None] - x) / h)
    apart = rng.multinomial(n, np.full(x.size, 1.0 / x.size), size=resamples) / n - 1.0 / x.size
    return np.sqrt(np.abs(((apart @ kernel) * apart).sum(axis=1)))


def _pool_size(n: int) -> int:
    return POOL if n <= POOL else 2 * POOL


def _sliced(pool: Array, n: int, metric: str, resamples: int, rng: np.random.Generator) -> Array:
    """Sliced distances between n draws of equally likely points and the points themselves, each sorted once."""
    vectors, shares = directions(pool.shape[1])
    order = 1 if metric.endswith("W1") else 2
    sides = []
    for e in vectors:
        place = np.argsort(pool @ e)
        sides.append((place, (_gaps if order == 1 else _shifts)((pool @ e)[place], n)))
    answers = np.empty(resamples)
    for i in range(resamples):
        counts = np.bincount(rng.integers(pool.shape[0], size=n), minlength=pool.shape[0])
        answers[i] = shares @ [cost(counts[place]) for place, cost in sides]
    return answers ** (1.0 / order)


def _gaps(x: Array, n: int) -> Callable[[NDArray[np.int64]], float]:
    """int |F_n - F| dx of counts on sorted points."""
    gaps, levels = np.diff(x), np.arange(1.0, x.size) / x.size
    return lambda counts: float(np.sum(np.abs(np.cumsum(counts)[:-1] / n - levels) * gaps))


def _shifts(x: Array, n: int) -> Callable[[NDArray[np.int64]], float]:
    """int (F_n^-1 - F^-1)^2 du of counts on sorted points: sum of x^2 - 2 x <F^-1> + <(F^-1)^2> over the n draws."""
    partial = np.interp(np.arange(n + 1) / n, np.arange(x.size + 1) / x.size, np.append(0.0, np.cumsum(x)) / x.size)
    means, square = np.diff(partial), float(np.mean(x**2))

    def cost(counts: NDArray[np.int64]) -> float:
        drawn = np.repeat(x, counts)
        return abs(square - float(np.sum(drawn * (2.0 * means - drawn / n))))  # rounding of equal laws

    return cost


def _table(law: Law) -> tuple[Array, Array]:
    """Levels and quantiles of the law: linear between them, it is itself a law, within 1e-4 of a step."""
    tail = np.geomspace(LOWEST, 0.01, int(PER_DECADE * np.log10(0.01 / LOWEST)) + 1)[:-1]
    half = np.append(tail, np.linspace(0.01, 0.5, LEVELS // 2))
    levels = np.concatenate([half, 1.0 - half[-2::-1]])
    return levels, np.concatenate([law.lower.quantile(half), -law.upper.quantile(half[-2::-1])])


def _first_order(levels: Array, x: Array, n: int, rng: np.random.Generator) -> Callable[[], float]:
    """W1 = int |F_n - F| dx with n draws, from their counts between the levels of the table."""
    shares = np.diff(levels, prepend=0.0, append=1.0)
    widths = np.diff(x)

    def draw() -> float:
        apart = np.cumsum(rng.multinomial(n, shares)[:-1]) / n - levels
        sizes = np.abs(apart)
        return float(np.sum(0.5 * (sizes[:-1] + sizes[1:]) * widths))  # no BLAS: its threads cost more than they save

    return draw


def _second_order(levels: Array, x: Array, n: int, rng: np.random.Generator) -> Callable[[], float]:
    """W2^2 = sum_i int over u in [(i-1)/n, i/n] of (x_(i) - Q(u))^2, with the integrals of Q tabulated once."""
    steps = np.diff(levels)
    first = np.concatenate([[0.0], np.cumsum(0.5 * (x[:-1] + x[1:]) * steps)])
    square = float(((x[:-1] ** 2 + x[:-1] * x[1:] + x[1:] ** 2) / 3.0) @ steps)
    places = np.clip(np.arange(n + 1) / n, levels[0], levels[-1])
    cell = np.clip(np.searchsorted(levels, places, side="right") - 1, 0, steps.size - 1)
    beyond = places - levels[cell]
    partial = first[cell] + x[cell] * beyond + 0.5 * np.diff(x)[cell] / steps[cell] * beyond**2
    means = np.diff(partial)

    def draw() -> float:
        waits = np.cumsum(rng.standard_exponential(n + 1))
        drawn = np.interp(waits[:-1] / waits[-1], levels, x)
        return float(np.sqrt(np.abs(square - np.sum(drawn * (2.0 * means - drawn / n)))))

    return draw


def _jumps(x: Array) -> Callable[[NDArray[np.int64]], float]:
    """sup |F_n* - F_n|, at the last of each group of equal samples."""
    last = np.flatnonzero(np.diff(x, append=np.inf) > 0)
    expected = last + 1.0
    return lambda counts: float(np.abs(np.cumsum(counts)[last] - expected).max()) / x.size


def _areas(x: Array) -> Callable[[NDArray[np.int64]], float]:
    """int |F_n* - F_n| dx."""
    gaps, expected = np.diff(x) / x.size, np.arange(1.0, x.size)
    return lambda counts: float(np.sum(np.abs(np.cumsum(counts)[:-1] - expected) * gaps))


def _displacements(x: Array) -> Callable[[NDArray[np.int64]], float]:
    """The root mean square distance between the i-th of the resample and the i-th of the samples."""
    return lambda counts: float(np.sqrt(np.mean((np.repeat(x, counts) - x) ** 2)))
