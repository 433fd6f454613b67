"""The chance that a path has not left yet, and the density of the time at which it leaves."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.axis import read_only
from fpsolve.errors import InvalidInput
from fpsolve.values.info import Info

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Survival"]

Array = NDArray[np.float64]
LEFT = 1e-12  # of the paths: what is left of them is nothing


@dataclass(frozen=True, eq=False, repr=False)
class Survival:
    """What is left of paths at k times: numpy takes it for its probabilities.

    times: (k,), rising.  probability: of being inside still, (k,).  exit_density: -d probability/dt, (k,).
    initial: both at the start, t = 0.
    info: how they were obtained; finished: False where the run was interrupted.
    memory: of the process; below 1 the probability falls like t^-memory.

    Raises InvalidInput for shapes that do not fit together.

    >>> import numpy as np
    >>> t = np.linspace(0, 4, 200)
    >>> decay = Survival(t, np.exp(-2 * t), 2 * np.exp(-2 * t), (1.0, 2.0))
    >>> round(decay.mean_exit_time(), 7), decay
    (0.5, Survival(200 times from t=0 to 4; 0.000335 left))
    """

    times: Array
    probability: Array
    exit_density: Array
    initial: tuple[float, float]
    info: Info = field(default_factory=Info)
    finished: bool = True
    memory: float = 1.0

    def __post_init__(self) -> None:
        for name in ("times", "probability", "exit_density"):
            object.__setattr__(self, name, read_only(np.array(getattr(self, name), dtype=float)))
        shapes = {getattr(self, name).shape for name in ("times", "probability", "exit_density")}
        if len(shapes) > 1 or self.times.ndim != 1 or self.times.size == 0:
            raise InvalidInput(
                f"times, probability and exit_density have shapes {shapes}; give (k,), k > 0, of all three"
            )

    def mean_exit_time(self) -> float:
        """The integral of the probability from t = 0 on, that of paths outside from the start being 0.

        Between recorded times by the cubic through probabilities and exit densities, fourth order in their distances;
        beyond the last as an exponential, so let them reach until one mode is left.  With memory it is infinite.
        """
        if self.memory < 1.0:
            return float("inf")
        times, left = np.append(0.0, self.times), np.append(self.initial[0], self.probability)
        slope = -np.append(self.initial[1], self.exit_density)
        h = np.diff(times)
        inner = 0.5 * h * (left[1:] + left[:-1]) + h * h / 12.0 * (slope[:-1] - slope[1:])
        tail = left[-1] ** 2 / -slope[-1] if left[-1] > LEFT and slope[-1] < 0 else 0.0
        return float(inner.sum() + tail)

    def plot(self, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
        """Draw the probability against time, logarithmically if log=True; returns the Axes."""
        from fpsolve.plot_passage import survival

        return survival(self, ax, label=label, log=log)

    def plot_density(self, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
        """Draw the density of exit times, with both axes logarithmic if log=True; returns the Axes."""
        from fpsolve.plot_passage import exit_density

        return exit_density(self, ax, label=label, log=log)

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write to an .npz file that `fp.load` reads."""
        from fpsolve.store import save

        return save(self, path, force=force)

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> ArrayLike:
        return np.array(self.probability, dtype=dtype)

    def __getitem__(self, index: int) -> float:
        return float(self.probability[index])

    def __len__(self) -> int:
        return int(self.times.size)

    def __repr__(self) -> str:
        partial = "" if self.finished else "; partial: stopped before its end"
        span = (
            f"{len(self)} times from t={self.times[0]:g} to {self.times[-1]:g}"
            if len(self) > 1
            else f"t={self.times[0]:g}"
        )
        return f"Survival({span}; {self.probability[-1]:.3g} left{partial})"
