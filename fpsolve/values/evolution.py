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
from fpsolve.values.density import Density
from fpsolve.values.info import Info

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Evolution"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Evolution:
    """Cell masses at k times, each row a density in motion.

    times (k,), rising.  masses: (k, *grid.shape), as they were computed: where p is far below its peak they may be
    negative by rounding or by an unresolved step, and ln p is then NaN.
    info: how they were obtained; finished: False where the run was interrupted, the last time being where it stopped.

    A density in motion has no law yet beyond an open end: sums are over the grid alone.
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
        """The mass on the grid at each time, shape (k,): what is left where ends absorb."""
        return self.masses.reshape(len(self), -1).sum(axis=1)

    def mean(self) -> Array:
        """<x> at each time: (k,) in one dimension, else (k, ndim)."""
        return np.array([p.mean() for p in self])

    def var(self) -> Array:
        """<(x - <x>)^2> at each time: (k,) in one dimension, else (k, ndim)."""
        return np.array([p.var() for p in self])

    def expect(self, function: Callable[..., Any]) -> Array:
        """<f> at each time, shape (k,): f takes one array per axis."""
        return np.array([p.expect(function) for p in self])

    def plot(self, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
        """Draw p(x, t) as a colour map, in two dimensions a row of maps; returns the Axes.  log=True: log colours."""
        from fpsolve.plot_evolution import evolution

        return evolution(self, ax, label=label, log=log)

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
        return Density.from_masses(self.grid, masses, info=info, time=t).replace(continued=still)

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
