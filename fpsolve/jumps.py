"""Lévy noise: stable jumps, whose increments have no variance below alpha = 2."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fpsolve.asking import shown
from fpsolve.checks import number
from fpsolve.errors import InvalidInput
from fpsolve.functions import Function, UserFunction

__all__ = ["Jumps", "Stable"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Stable:
    """Stable jumps of index alpha.

        the term -(-Laplacian)^(alpha/2) (scale^alpha p) of dp/dt; increments over a time t have the characteristic
        function exp(-t |scale k|^alpha (1 - i skew sign(k) tan(pi alpha/2)))

    alpha: in (0, 2]; 2 is diffusion with D = scale^2.
    scale: >= 0; a number, a function of the coordinates (read where the jump starts, as Ito's rule reads noise), or in
        several dimensions a matrix M with constant entries: isotropic jumps times M.
    skew: in [-1, 1], one coordinate only: 1 jumps to the right only; alpha = 1 has none.

    Raises InvalidInput for numbers out of range.
    Source: Samorodnitsky & Taqqu, Stable Non-Gaussian Random Processes (1994), ch. 1.

    >>> Stable(alpha=1.5, scale=0.2)
    Stable(alpha=1.5, scale=0.2)
    """

    alpha: float
    scale: UserFunction | Any = 1.0
    skew: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 < number("alpha", self.alpha) <= 2.0:
            raise InvalidInput(f"alpha is {self.alpha}; a stable law has an index in (0, 2] (2 is Gaussian)")
        if not -1.0 <= number("skew", self.skew) <= 1.0:
            raise InvalidInput(f"skew is {self.skew}; it lies between -1 and 1 (0: jumps both ways alike)")
        if self.skew != 0.0 and self.alpha == 1.0:
            raise InvalidInput(f"skew is {self.skew} at alpha = 1, where its drift is infinite; use an alpha beside 1")
        if callable(self.scale):
            return
        if isinstance(self.scale, (tuple, list)) or np.ndim(self.scale) == 2:
            object.__setattr__(self, "scale", _matrix(self.scale))
            if self.skew != 0.0:
                raise InvalidInput(f"skew is {self.skew} with a matrix for a scale: skew belongs to one coordinate")
        elif not number("scale", self.scale) >= 0.0:
            raise InvalidInput(f"scale is {self.scale}; the size of jumps must be >= 0")

    @property
    def function(self) -> Function:
        """The scale, ready to be called."""
        return Function(self.scale, "scale")

    @property
    def constant(self) -> bool:
        """Whether the scale is made of numbers."""
        return not callable(self.scale)

    def replace(self, **changes: Any) -> Self:
        """A copy with another alpha, scale or skew."""
        unknown = set(changes) - {"alpha", "scale", "skew"}
        if unknown:
            raise InvalidInput(f"Stable has no field {sorted(unknown)}; its fields are alpha, scale and skew")
        return replace(self, **changes)

    def __repr__(self) -> str:
        size = "function" if callable(self.scale) else self.scale if np.ndim(self.scale) else f"{self.scale:g}"
        skew = f", skew={self.skew:g}" if self.skew else ""
        return f"Stable(alpha={self.alpha:g}, scale={size}{skew})"


Jumps = Stable | tuple[Stable | None, ...]


def _matrix(scale: Any) -> tuple[tuple[float, ...], ...]:
    try:
        m = np.array(scale, dtype=float)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"scale is {shown(scale)}; a matrix of jumps has rows of numbers of one length") from error
    if m.ndim != 2 or m.shape[0] != m.shape[1] or not np.all(np.isfinite(m)):
        raise InvalidInput(f"scale is {shown(scale)}; give a number, a function, or a square matrix of finite numbers")
    return tuple(tuple(float(entry) for entry in row) for row in m)
