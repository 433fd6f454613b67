"""Beyond an open end of one of several axes p goes on along every line of cells as a power law that is known.

    mass beyond a line = gain * mass of its last cell,
one gain for every line where p is a product of the axes' laws, others for each where it is a function of the distance
from a middle.  Once the other axes have been summed over, the axis has the power law of its marginal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.values.power_law import PowerLaw

__all__ = ["JointLaw"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class JointLaw:
    """Beyond one end: gains, shaped like the last cells of the lines (or one for all), and the laws of single axes.

    marginal: of the axis when the others are summed over, gain its own; line: along the line through the middle.
    """

    gains: Array
    gain: float
    marginal: PowerLaw
    line: PowerLaw

    @classmethod
    def product(cls, law: PowerLaw, axis: Axis, upper: bool) -> JointLaw:
        """Where p is a product: one law for every line and for their sum."""
        gain = law.weight(axis, upper) / float(axis.weights[-1 if upper else 0])
        return cls(np.array(gain), gain, law, law)

    def added(self, last: Array) -> Array:
        """What lies beyond, from the terms of the last cells; a number where the other axes are summed over."""
        return np.asarray(last * (self.gains if np.ndim(last) else self.gain))

    def log_fall(self, summed: bool) -> float:
        """<ln p_last - ln p> over what lies beyond a line, or beyond all of them together."""
        return self.line.exponent / ((self.marginal if summed else self.line).exponent - 1.0)

    @property
    def is_product(self) -> bool:
        """Whether p is a product of the axes' laws; else it is a power of the distance on every way out."""
        return self.gains.ndim == 0
