"""An evolution: the masses of all cells at a few times, and the densities they are."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import read_only
from fpsolve.errors import InvalidInput
from fpsolve.grid import Grid
from fpsolve.values.density import Density, Ends
from fpsolve.values.info import Info

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Evolution"]

Array = NDArray[np.float64]
AT_REST = 1e-2  # of epsilon: what the last two densities may differ by


@dataclass(frozen=True, eq=False, repr=False)
class Evolution:
    """Cell masses at k times, each row a density in motion.

    times (k,), rising.  masses: (k, *grid.shape), as they were computed: where p is far below its peak they may be
    negative by rounding or by an unresolved step.  There, and where a mass does not exceed what the method says that it
    errs by (`info.floor`, of the largest mass at its time), ln p is masked: NaN.
    info: how they were obtained; finished: False where the run was interrupted, the last time being where it stopped.
    tails (k,): what lies beyond open ends, and laws, one entry a time: how p goes on there; both beside jumps only.

    Without jumps a density in motion has no law yet beyond an open end: sums are over the grid alone.
    Raises InvalidInput for shapes that do not fit together.

    >>> import fpsolve as fp
    >>> well = fp.Problem(fp.Process(lambda x: -x, 1.0), fp.Grid(x=(-6, 6, 120)))
    >>> path = fp.evolve(well, fp.Gaussian(1, 0.5), [0, 1, 2])
    >>> len(path), path.mean().round(2), path.at(2.0).time
    (3, array([1.  , 0.37, 0.14]), 2.0)
    """

    grid: Grid
    times: Array
    masses: Array
    info: Info = field(default_factory=Info)
    finished: bool = True
    tails: Array | None = None
    laws: tuple[Ends, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("times", "masses"):
            object.__setattr__(self, name, read_only(np.array(getattr(self, name), dtype=float)))
        shape = (self.times.size, *self.grid.shape)
        if self.times.ndim != 1 or self.times.size == 0 or self.masses.shape != shape:
            raise InvalidInput(
                f"times has shape {self.times.shape}, masses {self.masses.shape}; give (k,), k > 0, and "
                f"(k, {', '.join(map(str, self.grid.shape))})"
            )
        if np.any(np.diff(self.times) <= 0):
            raise InvalidInput(f"times is {self.times}; times must rise")

    def at(self, t: float) -> Density:
        """The density at a recorded time.

        Raises InvalidInput, with the times there are, where t is not one of them.
        """
        index = int(np.argmin(np.abs(self.times - t)))
        if not np.isclose(self.times[index], t, rtol=1e-9, atol=1e-12 * float(np.abs(self.times).max())):
            known = ", ".join(f"{x:.9g}" for x in self.times[:4]) + (", ..." if self.times.size > 4 else "")
            raise InvalidInput(f"t is {t:.9g}, not recorded; the {self.times.size} times recorded are {known}")
        return self[index]

    @property
    def mass(self) -> Array:
        """The mass at each time, shape (k,): what is left where ends absorb."""
        inside = self.masses.reshape(len(self), -1).sum(axis=1)
        return inside if self.tails is None else inside + self.tails

    def mean(self) -> Array:
        """<x> at each time: (k,) in one dimension, else (k, ndim)."""
        return np.array([p.mean() for p in self])

    def var(self) -> Array:
        """<(x - <x>)^2> at each time: (k,) in one dimension, else (k, ndim)."""
        return np.array([p.var() for p in self])

    def expect(self, function: Callable[..., Any]) -> Array:
        """<f> at each time, shape (k,): f takes one array per axis."""
        return np.array([p.expect(function) for p in self])

    def distance_to(self, other: Any, metric: str = "TV") -> Array:
        """The distance of the density at each time from another law, shape (k,); metrics as `fp.distance` has them.

        other: a Density, an ExactDensity, a Swarm or samples; the stationary density, for what is left to relax.
        """
        from fpsolve.distance import distance

        return np.array([distance(p, other, metric) for p in self])

    def mixing_time(self, epsilon: float = 0.25, stationary: Density | None = None) -> float:
        """When the total variation distance to the stationary density falls to epsilon for good.

            max {t : 1/2 int |p(x, t) - p_s(x)| dx >= epsilon},   ln of the distance linear between recorded times

        stationary: p_s; None: the density at the last time, if the last two differ by less than epsilon/100.
        Returns a time, the first recorded one where p is as close as that from the beginning.
        Raises InvalidInput unless 0 < epsilon < 1; where the run ends too early, with the distance that is left.
        """
        if not 0.0 < epsilon < 1.0:
            raise InvalidInput(f"epsilon is {epsilon}; a total variation distance lies between 0 and 1")
        if stationary is None:
            moved = 0.5 * float(np.abs(self.masses[-1] - self.masses[-2]).sum()) if len(self) > 1 else np.inf
            if not moved < epsilon * AT_REST:
                raise InvalidInput(
                    f"p moves by {moved:.2g} between the last two times, so the last is not yet the stationary "
                    "density: evolve further, or give stationary=fp.stationary(problem)"
                )
            stationary = self[-1]
        distances = self.distance_to(stationary)
        far = np.flatnonzero(distances > epsilon)
        if far.size == 0:
            return float(self.times[0])
        last = int(far[-1])
        if last == len(self) - 1:
            raise InvalidInput(f"the distance is still {distances[-1]:.3g} at t={self.times[-1]:g}; evolve further")
        logs = np.log(np.maximum(distances[last : last + 2], np.finfo(float).tiny))
        share = (logs[0] - np.log(epsilon)) / (logs[0] - logs[1])
        return float(self.times[last] + share * (self.times[last + 1] - self.times[last]))

    def plot(self, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
        """Draw p(x, t) as a colour map, in two dimensions a row of maps; returns the Axes.  log=True: log colours."""
        from fpsolve.plot_evolution import evolution

        return evolution(self, ax, label=label, log=log)

    def animate(self, file: str | Path, *, fps: int = 10, log: bool | None = None, force: bool = False) -> Path:
        """Write a moving picture, a .gif, or an .mp4 where ffmpeg is installed, a frame a recorded time."""
        from fpsolve.animation import animate

        return animate(self, file, fps=fps, log=log, force=force)

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write to an .npz file that `fp.load` reads."""
        from fpsolve.store import save

        return save(self, path, force=force)

    def to_xarray(self) -> Any:
        """As an xarray.DataArray with the dimension t before the axes'; needs the extra `xarray`."""
        from fpsolve.export import to_xarray

        return to_xarray(self)

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def __getitem__(self, index: int) -> Density:
        masses, t = self.masses[index], float(self.times[index])
        info = dataclasses.replace(self.info, smallest=float((masses / self.grid.weights).min()))
        still = tuple((False, False) for _ in self.grid.axes)
        beyond = still if self.laws is None else self.laws[index]
        return Density.from_masses(self.grid, masses, info=info, time=t).replace(continued=beyond)

    def __iter__(self) -> Iterator[Density]:
        return (self[i] for i in range(len(self)))

    def __len__(self) -> int:
        return int(self.times.size)

    def __repr__(self) -> str:
        first, last = f"{self.times[0]:g}", f"{self.times[-1]:g}"
        facts = [f"{len(self)} times from t={first} to {last}" if len(self) > 1 else f"t={first}"]
        off = float(self.mass[-1]) - 1.0
        facts.append(f"mass 1 {'-' if off < 0 else '+'} {abs(off):.0e}" if abs(off) < 1e-6 else f"mass {1 + off:.6g}")
        if self.info.smallest is not None:
            facts[-1] += f", smallest {self.info.smallest:.0e}"
        if not self.finished:
            facts.append("partial: stopped before its end")
        return f"Evolution({self.grid.describe()}; {'; '.join(facts)})"
