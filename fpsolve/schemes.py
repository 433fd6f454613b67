"""How the generator is discretised: positive by construction, or of higher order where that pays."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Positive:
    """Exponential fitting: rates >= 0 on every grid, so densities are positive and mass is conserved (default)."""


@dataclass(frozen=True)
class Accurate:
    """Higher order for transport and for drift beside jumps; equal to `Positive` where a problem has neither."""


Scheme = Positive | Accurate
