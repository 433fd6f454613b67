"""Random maps with finitely many branches: what one step of minibatch SGD does to one parameter.

    u' = F(u, m),   m = the mean over the batch of m(u, a_i),   a_i drawn with replacement, weights w_i

u is the state, a weight of the model say; x = scale u^power is what is read off it, the model's output.  Steps are
followed in a computational coordinate s, ln|u| or u itself, and as displacements s' - s: differences of positions
would lose digits.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.asking import ask, check_repeats, reals, shown
from fpsolve.axis import Axis, read_only
from fpsolve.checks import number, whole
from fpsolve.errors import InvalidInput
from fpsolve.grid import Grid

__all__ = ["HasRandomMap", "Power", "RandomMap", "map_of"]

Array = NDArray[np.float64]
COORDINATES = ("log", "linear")
SMALLEST = 1e-300  # |u'/u| that counts as 0


@runtime_checkable
class HasRandomMap(Protocol):
    """A model whose training is a random map of one parameter."""

    def random_map(self) -> RandomMap: ...


@dataclass(frozen=True)
class Power:
    """What is read off the state: x = scale u^power."""

    scale: float = 1.0
    power: float = 1.0

    def __call__(self, u: Array) -> Array:
        """x at u > 0, or at any u where the power is 1."""
        return self.scale * (u if self.power == 1 else u**self.power)

    def slope(self, u: Array) -> Array:
        """dx/du."""
        return self.scale * self.power * (np.ones_like(u) if self.power == 1 else u ** (self.power - 1.0))

    def inverse(self, x: Array) -> Array:
        """u at x."""
        ratio = np.asarray(x, dtype=float) / self.scale
        return ratio if self.power == 1 else ratio ** (1.0 / self.power)


@dataclass(frozen=True, eq=False, repr=False)
class RandomMap:
    """A random map of one variable with finitely many branches, and minibatches of them.

    step: u' from (u, *atoms), or from (u, m) where a statistic is given; a vectorised function that broadcasts.
    atoms: what is drawn at every step, an array (k,) or a tuple of them, one per column of the data.
    domain: (lo, hi) in u, where the law is expected; `transfer` cuts off what is empty and reaches further up.
    coordinate: "log", s = ln|u|, for maps that keep u > 0 (near 0 the law is followed down to its
        power law), or "linear", s = u.
    weights: of the atoms, >= 0, sum 1; equal unless given.
    statistic: m of one sample, from (u, *atoms); `batch` of them are averaged, drawn with replacement.
    mirrored: whether -u is as good as u, F(-u) = -F(u) (log only); otherwise u' < 0 counts as leaving.
    readout: x = scale u^power.  time: that one step takes, the learning rate.  name: of x.

    Raises InvalidInput for empty, unequal or non-finite columns, weights that are no law, a domain out of order or
    (log) not positive, and a batch larger than 1 without a statistic.

    >>> noisy = RandomMap(lambda x, a: 0.5 * x + a, [-1.0, 1.0], (-2.5, 2.5))
    >>> noisy
    RandomMap(x: 2 branches on [-2.5, 2.5])
    >>> RandomMap(lambda x, g: x - 0.1 * g, ([1.0, 2.0], [0.5, 2.5]), (0.1, 3.0), "log", batch=4,
    ...           statistic=lambda x, a, y: (a * x - y) * a, time=0.1)
    RandomMap(x: 2 samples in batches of 4 on [0.1, 3], log)
    """

    step: Callable[..., Any]
    atoms: tuple[Array, ...]
    domain: tuple[float, float]
    coordinate: str = "linear"
    weights: Array = None  # type: ignore[assignment]
    statistic: Callable[..., Any] | None = None
    batch: int = 1
    mirrored: bool = False
    readout: Power = Power()
    time: float = 1.0
    name: str = "x"

    def __post_init__(self) -> None:
        if not callable(self.step) or not (self.statistic is None or callable(self.statistic)):
            raise InvalidInput(f"step is {self.step!r} and statistic {self.statistic!r}; give functions")
        object.__setattr__(self, "atoms", _columns(self.atoms))
        size = self.atoms[0].size
        weights = np.full(size, 1.0 / size) if self.weights is None else np.array(reals("weights", self.weights))
        if weights.shape != (size,) or not np.all(weights >= 0) or not abs(weights.sum() - 1.0) < 1e-9:
            raise InvalidInput(
                f"weights has shape {weights.shape}, smallest {weights.min(initial=np.inf):g}, sum "
                f"{weights.sum():.9g}; give {size} numbers >= 0 whose sum is 1"
            )
        object.__setattr__(self, "weights", read_only(weights))
        if self.coordinate not in COORDINATES:
            raise InvalidInput(f"coordinate is {self.coordinate!r}; use 'log' or 'linear'")
        object.__setattr__(self, "domain", self._checked(self.domain))
        if whole("batch", self.batch, 1) > 1 and self.statistic is None:
            raise InvalidInput(
                f"batch is {self.batch} without a statistic; give the function of one sample whose mean the step takes"
            )
        if not number("time", self.time) > 0:
            raise InvalidInput(f"time is {self.time}; a step takes a positive time (the learning rate)")

    @property
    def logarithmic(self) -> bool:
        """Whether s = ln|u|."""
        return self.coordinate == "log"

    @property
    def tail_exponent(self) -> float:
        """q in p ~ |x|^-q as |x| -> inf, E|x'/x|^(q - 1) = 1 there; inf without such a law, < 1 where mass runs away.

        Source: Kesten, Acta Math. 131, 207 (1973).

        >>> doubled = RandomMap(lambda x, a, b: a * x + b, ([0.5, 0.5, 2.0], [-1.0, 1.0, 0.5]), (-9.0, 9.0))
        >>> round(doubled.tail_exponent, 9)
        2.0
        """
        from fpsolve.random_map_ends import upper_exponent

        kappa = upper_exponent(self)
        return np.inf if kappa is None else 1.0 + kappa

    @property
    def span(self) -> tuple[float, float]:
        """The domain in s."""
        lo, hi = self.domain
        return (float(np.log(lo)), float(np.log(hi))) if self.logarithmic else (lo, hi)

    def state(self, s: ArrayLike) -> Array:
        """u at s."""
        return np.exp(np.asarray(s, dtype=float)) if self.logarithmic else np.asarray(s, dtype=float)

    def position(self, s: ArrayLike) -> Array:
        """x at s."""
        return self.readout(self.state(s))

    def coordinate_of(self, x: ArrayLike) -> Array:
        """s at x."""
        with np.errstate(divide="ignore", invalid="ignore"):
            u = self.readout.inverse(np.asarray(x, dtype=float))
            return np.log(u) if self.logarithmic else u

    def samples(self, s: Array) -> Array:
        """m of each atom at each s, shape (s.size, atoms): the statistic, or the number of the atom without one."""
        if self.statistic is None:
            return np.broadcast_to(np.arange(self.atoms[0].size, dtype=float), (s.size, self.atoms[0].size))
        answer = ask(self.statistic, "statistic", self.state(s)[:, None], *(column[None, :] for column in self.atoms))
        return self._array(answer, s, "statistic")

    def moved(self, s: Array, m: Array | None = None) -> Array:
        """Where s goes: u'/u (log) or u' - u (linear), shape (s.size, branches); m: batch means, or None for atoms."""
        u = self.state(s)[:, None]
        if self.statistic is None:
            new = self._array(ask(self.step, "step", u, *(column[None, :] for column in self.atoms)), s, "step")
        else:
            means = self.samples(s) if m is None else m
            new = self._array(ask(self.step, "step", u, means), s, "step", means.shape[1])
        return new / u if self.logarithmic else new - u

    def moved_each(self, s: Array, atom: NDArray[np.int64]) -> Array:
        """u'/u or u' - u for pairs of an s and an atom's number, shape (s.size,)."""
        u, columns = self.state(s), tuple(column[atom] for column in self.atoms)
        new = self.step(u, *columns) if self.statistic is None else self.step(u, self.statistic(u, *columns))
        new = np.broadcast_to(np.asarray(new, dtype=float), u.shape)
        return new / u if self.logarithmic else new - u

    def check(self) -> None:
        """InvalidInput where the step, asked twice, goes elsewhere."""
        s = np.linspace(*self.span, 5)
        check_repeats("step", self.moved(s)[:1], self.moved(s[:1]), f"at u={float(self.state(s[0])):.6g}")

    def displacement(self, moved: Array) -> Array:
        """s' - s of what `moved` returned."""
        return np.log(np.maximum(np.abs(moved), SMALLEST)) if self.logarithmic else moved

    def grid(self, start: float, stop: float, cells: int, ends: tuple[str, str] = ("open", "open")) -> Grid:
        """A grid for x, uniform in s between `start` and `stop`; `ends` at these."""
        readout, sign = self.readout, float(np.sign(self.readout.scale))
        ends = ends if sign > 0 else (ends[1], ends[0])
        if self.logarithmic or readout.power == 1:
            lo, hi = sorted(float(x) for x in self.position([start, stop]))
            make = Axis.log if self.logarithmic else Axis.uniform
            return Grid(**{self.name: make(lo, hi, cells, ends=ends)})
        first, last = sorted((sign * start, sign * stop))
        slope = partial(_slope_in_order, readout, sign)
        axis = Axis.mapped(lambda s: readout(sign * s), slope, first, last, cells, ends=ends)
        return Grid(**{self.name: axis})

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def _array(self, answer: Any, s: Array, label: str, columns: int | None = None) -> Array:
        values, shape = reals(label, answer), (s.size, columns or self.atoms[0].size)
        try:
            values = np.broadcast_to(values, shape)
        except ValueError as error:
            raise InvalidInput(
                f"{label} returned shape {values.shape} for {shape[0]} states and {shape[1]} branches; it must "
                "broadcast: a number for each pair"
            ) from error
        if not np.all(np.isfinite(values)):
            row, branch = np.argwhere(~np.isfinite(values))[0]
            raise InvalidInput(
                f"{label} is {values[row, branch]} at u={float(self.state(s[row])):.6g}, branch {branch}; it must be "
                "finite on the whole domain"
            )
        return values

    def _checked(self, domain: Any) -> tuple[float, float]:
        if not isinstance(domain, (tuple, list)) or len(domain) != 2:
            raise InvalidInput(f"domain is {shown(domain)}; give (lo, hi) in the state's own units")
        lo, hi = number("domain[0]", domain[0]), number("domain[1]", domain[1])
        if lo >= hi:
            raise InvalidInput(f"domain is ({lo:g}, {hi:g}); lo must be smaller than hi")
        if lo <= 0 and self.coordinate == "log":
            raise InvalidInput(f"domain begins at {lo:g}, but the coordinate is 'log'; give lo > 0")
        return lo, hi

    def __repr__(self) -> str:
        size = self.atoms[0].size
        branches = f"{size} branches" if self.batch == 1 else f"{size} samples in batches of {self.batch}"
        log = ", log" if self.logarithmic else ""
        return f"RandomMap({self.name}: {branches} on [{self.domain[0]:.4g}, {self.domain[1]:.4g}]{log})"


def map_of(model: RandomMap | HasRandomMap) -> RandomMap:
    """A random map itself, or a model's; InvalidInput for whatever has none."""
    if isinstance(model, RandomMap):
        return model
    if not isinstance(model, HasRandomMap) or isinstance(model, type):
        name = model.__name__ if isinstance(model, type) else type(model).__name__
        raise InvalidInput(
            f"model is {name}; give an fp.RandomMap, or a model whose training is a random map of one parameter (one "
            "with a method random_map)"
        )
    return model.random_map()


def _slope_in_order(readout: Power, sign: float, s: Array) -> Array:
    """d readout(sign s)/ds, which is positive."""
    return sign * readout.slope(sign * s)


def _columns(atoms: ArrayLike | Sequence[ArrayLike]) -> tuple[Array, ...]:
    given = atoms if isinstance(atoms, tuple) else (atoms,)
    columns = []
    for i, column in enumerate(given):
        raw = np.asarray(column)
        if raw.ndim != 1 or raw.size == 0 or raw.dtype.kind not in "iufb":
            raise InvalidInput(
                f"atoms[{i}] has shape {raw.shape} and dtype {raw.dtype}; give real numbers in a row, one or more"
            )
        values = np.array(raw, dtype=float)
        wrong = np.flatnonzero(~np.isfinite(values))
        if wrong.size:
            raise InvalidInput(
                f"atoms[{i}][{wrong[0]}] is {values[wrong[0]]} ({wrong.size} are not finite); drop those"
            )
        columns.append(read_only(values))
    if not columns or len({column.size for column in columns}) > 1:
        raise InvalidInput(f"atoms has columns of {[column.size for column in columns]} numbers; give as many in each")
    return tuple(columns)
