"""The slowest relaxation rates of a process, and their modes."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import read_only
from fpsolve.errors import InvalidInput
from fpsolve.grid import Grid
from fpsolve.values.field import Field
from fpsolve.values.info import Info

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Spectrum"]


@dataclass(frozen=True, eq=False, repr=False)
class Spectrum:
    """Rates and modes with L mode = -rate mode, slowest first.

    rates: (modes,), real where they all are, else complex; the first is 0 where nothing is lost.
    modes: one Field a rate, sum |masses| = 1, positive where it is largest; of a complex pair the real part, then the
        imaginary one.  conservative: whether the first is the stationary density.
    memory: beta, of the process: modes relax as E_beta(-rate t^beta), which is exp(-rate t) for beta = 1.
    info: how they were obtained.  Raises InvalidInput for modes that are not one a rate, on this grid.

    >>> import fpsolve as fp
    >>> found = fp.spectrum(fp.Problem(fp.Process(lambda x: -x, 1.0), fp.Grid(x=(-8, 8, 400))), 3)
    >>> round(found.gap, 3), round(found.modes[1](0.0), 12) + 0.0
    (1.0, 0.0)
    """

    grid: Grid
    rates: NDArray[Any]
    modes: tuple[Field, ...]
    conservative: bool
    info: Info = field(default_factory=Info)
    memory: float = 1.0

    def __post_init__(self) -> None:
        rates = np.array(self.rates)
        if rates.ndim != 1 or rates.size == 0 or len(self.modes) != rates.size:
            raise InvalidInput(f"{rates.shape} rates and {len(self.modes)} modes; give as many of both, one or more")
        object.__setattr__(self, "rates", read_only(rates))
        object.__setattr__(self, "modes", tuple(self.modes))

    @property
    def gap(self) -> float:
        """The real part of the slowest rate at which anything decays; InvalidInput where rate 0 is all."""
        first = 1 if self.conservative else 0
        if self.rates.size <= first:
            raise InvalidInput("one mode, the stationary one, has no gap; ask for two modes or more")
        return float(self.rates[first].real)

    @property
    def relaxation_time(self) -> float:
        """1/gap; with memory gap^(-1/memory), when the slowest mode has fallen to E_beta(-1)."""
        return float(self.gap ** (-1.0 / self.memory))

    def plot(self, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
        """Draw the rates one by one, complex ones in their plane; log: of real rates.  Returns the Axes."""
        from fpsolve.plot_passage import rates

        return rates(self, ax, label=label, log=log)

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write to an .npz file that `fp.load` reads."""
        from fpsolve.store import save

        return save(self, path, force=force)

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def __len__(self) -> int:
        return int(self.rates.size)

    def __repr__(self) -> str:
        shown = ", ".join(_short(rate) for rate in self.rates[:6]) + (", ..." if len(self) > 6 else "")
        return f"Spectrum({self.grid.describe()}; rates {shown})"


def _short(rate: complex) -> str:
    if np.imag(rate) == 0:
        return f"{np.real(rate):.6g}"
    return f"{np.real(rate):.6g}{'+' if np.imag(rate) > 0 else '-'}{abs(np.imag(rate)):.6g}i"
