"""A swarm: the positions of many independent replicas at a few times, as particles and SGD return them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import read_only
from fpsolve.errors import InvalidInput

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Swarm"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Swarm:
    """Positions of n replicas in d coordinates at k times.

    names: the coordinates' names (d of them); times (k,), rising; positions (k, n, d).
    steps (k,): the step numbers of those times.  weights: the whole state at the last time, replicas first, where a
    model has more than its coordinates (a network's (n, layers, width)).  seed: what the run drew its numbers from.
    lost_at (n,): the first recorded time at which a replica had diverged, inf for all others (default: none has).
    absorbed_at (n,): the first recorded time at which an absorbing end had taken a replica; it rests on that end.
    finished: False where the run was interrupted; then the last time is where it stopped.
    relaxation_time: of the process, where it is known; the printed line then tells the run length in it.

    Raises InvalidInput for shapes that do not fit together.

    >>> swarm = Swarm(("v",), [0.0, 1.0], [[[1.0], [2.0]], [[3.0], [5.0]]])
    >>> swarm
    Swarm(v: 2 replicas, 2 times to t=1)
    >>> swarm.at(1.0)[:, 0], swarm.mean()
    (array([3., 5.]), array([1.5, 4. ]))
    """

    names: tuple[str, ...]
    times: Array
    positions: Array
    steps: NDArray[np.int64] | None = None
    weights: Array | None = None
    seed: int | None = None
    lost_at: Array | None = None
    finished: bool = True
    relaxation_time: float | None = None
    absorbed_at: Array | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(self.names))
        for name, dtype in (("times", float), ("positions", float), ("steps", np.int64), ("weights", float)):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, read_only(np.array(value, dtype=dtype)))
        if self.times.ndim != 1 or self.times.size == 0 or self.positions.ndim != 3:
            raise InvalidInput(
                f"times has shape {self.times.shape}, positions {self.positions.shape}; give (k,), k > 0, and (k, n, d)"
            )
        k, n, d = self.positions.shape
        if (self.times.size, len(self.names)) != (k, d) or (self.steps is not None and self.steps.shape != (k,)):
            steps = "" if self.steps is None else f", {self.steps.size} steps"
            raise InvalidInput(
                f"positions has shape {self.positions.shape}, but there are {self.times.size} times, {len(self.names)} "
                f"names{steps}; positions is (times, replicas, coordinates)"
            )
        for name in ("lost_at", "absorbed_at"):
            since = np.full(n, np.inf) if getattr(self, name) is None else np.array(getattr(self, name), dtype=float)
            if since.shape != (n,):
                raise InvalidInput(f"{name} has shape {since.shape}; there are {n} replicas: give one time for each")
            object.__setattr__(self, name, read_only(since))

    def at(self, t: float) -> Array:
        """The positions (n, d) at a recorded time, diverged replicas included; see `alive`.

        Raises InvalidInput, with the times there are, where t is not one of them.
        """
        return self.positions[self._index(t)]

    def alive(self, t: float | None = None) -> NDArray[np.bool_]:
        """Which replicas (n,) had neither diverged nor been absorbed by a recorded time (default: the last)."""
        return self._gone_at > self.times[-1 if t is None else self._index(t)]

    @property
    def absorbed(self) -> NDArray[np.bool_]:
        """Which replicas (n,) an absorbing end has taken by the last time; their positions are on it."""
        assert self.absorbed_at is not None
        return self.absorbed_at <= self.times[-1]

    @property
    def diverged(self) -> NDArray[np.bool_]:
        """Which replicas (n,) have diverged by the last time; their positions are where they were stopped."""
        assert self.lost_at is not None
        return self.lost_at <= self.times[-1]

    def mean(self) -> Array:
        """<x> over the replicas alive at each time: (k,) for one coordinate, else (k, d)."""
        return self._per_time(lambda x: x.mean(axis=0), least=1)

    def var(self) -> Array:
        """Unbiased variance over the replicas alive at each time: (k,) for one coordinate, else (k, d)."""
        return self._per_time(lambda x: x.var(axis=0, ddof=1), least=2)

    def plot(self, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
        """Histogram of the living replicas at the last time, normalised as a density is; returns the Axes."""
        from fpsolve.plot import histogram

        return histogram(self, ax, label=label, log=log)

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write to an .npz file that `fp.load` reads."""
        from fpsolve.store import save

        return save(self, path, force=force)

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def __len__(self) -> int:
        return int(self.positions.shape[1])

    @property
    def _gone_at(self) -> Array:
        assert self.lost_at is not None
        assert self.absorbed_at is not None
        return np.minimum(self.lost_at, self.absorbed_at)

    def _index(self, t: float) -> int:
        index = int(np.argmin(np.abs(self.times - t)))
        if not np.isclose(self.times[index], t, rtol=1e-9, atol=1e-12 * float(np.abs(self.times).max())):
            known = ", ".join(f"{x:.9g}" for x in self.times[:4]) + (", ..." if self.times.size > 4 else "")
            raise InvalidInput(f"t is {t:.9g}, not recorded; the {self.times.size} times recorded are {known}")
        return index

    def _per_time(self, statistic: Any, least: int) -> Array:
        rows = []
        for t, x in zip(self.times, self.positions, strict=True):
            living = x[self._gone_at > t]
            rows.append(statistic(living) if len(living) >= least else np.full(len(self.names), np.nan))
        result = np.array(rows)
        return result[:, 0] if len(self.names) == 1 else result

    def __repr__(self) -> str:
        times = f"{self.times.size} times to " if self.times.size > 1 else ""
        facts = [f"{len(self)} replicas, {times}t={self.times[-1]:g}"]
        if self.steps is not None:
            facts.append(f"{self.steps[-1]} steps")
        if self.relaxation_time:
            facts.append(f"{self.times[-1] / self.relaxation_time:.3g} relaxation times")
        if self.absorbed.any():
            facts.append(f"{self.absorbed.sum()} absorbed")
        if self.diverged.any():
            facts.append(f"{self.diverged.sum()} diverged")
        if not self.finished:
            facts.append("partial: stopped before its end")
        return f"Swarm({', '.join(self.names)}: {'; '.join(facts)})"
