"""What lies beyond the end of a stretch: a target, a wall, an open end, or a zero of the noise.

Beyond an open end the laws of the speed m and of the scale S' tell.  Where the speed measure is finite, paths come
back, and the end is a wall with that much time beyond it.  Where it is infinite, so are mean times; paths are lost
there if the resistance is finite, else they come back all the same.
At an end where the noise vanishes, at distance d, D ~ d^p and A/D ~ a/d toward it, the resistance is finite for
a + p (c - 1) > -1, the speed measure for a + p c < 1, and the end is reached in a finite mean time if p < 2 besides.
Source: Karlin & Taylor, A Second Course in Stochastic Processes (1981), section 15.6 (Feller's classification).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.errors import InvalidInput
from fpsolve.functions import Points
from fpsolve.operators.ends import described, judge_open_end
from fpsolve.operators.local import Chain
from fpsolve.operators.sampling import NATURAL, log_diffusion_and_slope
from fpsolve.process import CONVENTIONS, Process
from fpsolve.values.continuation import EndLaw, continued_ends

__all__ = ["Beyond", "Beyonds"]

Array = NDArray[np.float64]
NEAR, NEARER = 1e-4, 1e-7  # of the last cell: where exponents at a zero of the noise are read
SLACK = 1e-3  # of an exponent


@dataclass(frozen=True)
class Beyond:
    """What lies beyond one end.

    target: whether paths end there.  speed, scale: whether the integrals of m and S' beyond it are "finite",
    "infinite" or "undecided" (a target and a wall: "finite" and "infinite").
    law: of ln(w m) at an open end; scale_law: of ln(w S').  zero: whether the noise vanishes at the end.
    why: for messages, what m does there.
    """

    target: bool
    speed: str
    scale: str
    law: EndLaw | None = None
    scale_law: EndLaw | None = None
    zero: bool = False
    why: str = ""


class Beyonds:
    """The ends of one process on one axis."""

    def __init__(self, process: Process, axis: Axis, name: str, chain: Chain, log_m: Array) -> None:
        """log_m: ln of the speed at the nodes, up to a constant."""
        self.process, self.axis, self.name, self.chain, self.log_m = process, axis, name, chain, log_m
        nodes = Points((name,), (axis.nodes,), (("cell", axis.nodes.shape),))
        self.log_d = log_diffusion_and_slope(process, nodes, 0.0)[0]

    def end(self, upper: bool) -> Beyond:
        """Beyond an end of the axis itself."""
        kind = self.axis.ends[upper]
        face, node = self.axis.s_faces[-1 if upper else 0], self.axis.s_nodes[-1 if upper else 0]
        if kind == "absorbing":
            return self.target(float(face), float(node))
        if self.chain.natural[upper]:
            return self._zero(float(face), float(node), target=False)
        if kind == "open" and continued_ends(self.axis)[upper]:
            return self._open(upper)
        return Beyond(False, "finite", "infinite")

    def target(self, s: float, node: float) -> Beyond:
        """Beyond a target at s, `node` (in s) being the last one before it."""
        here, there = self._at(np.array([s])), self._at(np.array([node]))
        if here is None or there is None or here[0][0] > there[0][0] + NATURAL:
            return Beyond(True, "finite", "finite")
        return self._zero(s, node, target=True)

    def _open(self, upper: bool) -> Beyond:
        law, speed = judge_open_end(self.axis, self.log_m, upper)
        scale_law, scale = judge_open_end(self.axis, -self.log_m - self.log_d, upper)
        shape, end, _, _ = described(self.axis, self.name, law, upper)
        return Beyond(False, speed, scale, law, scale_law, why=f"toward {end} the stationary density goes like {shape}")

    def _zero(self, s: float, node: float, *, target: bool) -> Beyond:
        """Feller's test."""
        a, p = self._exponents(s, node)
        c = CONVENTIONS[self.process.convention]
        resistance, speed = a + p * (c - 1.0) > -1.0 + SLACK, a + p * c < 1.0 - SLACK
        why = (
            f"the noise vanishes like |{self.name} - {float(self.axis.x(s)):.4g}|^{p:.3g} at {self.name}="
            f"{float(self.axis.x(s)):.4g}"
        )
        if target and resistance:
            return Beyond(True, "finite" if p < 2.0 - SLACK else "infinite", "finite", zero=True, why=why)
        return Beyond(False, "finite" if speed else "infinite", "infinite", zero=True, why=why)

    def _exponents(self, s: float, node: float) -> tuple[float, float]:
        place = s + np.array([NEAR, NEARER]) * (node - s)
        distance = np.abs(self.axis.x(place) - self.axis.x(s))
        found = self._at(place)
        if found is None:
            raise InvalidInput(f"the coefficients are not finite beside {self.name}={float(self.axis.x(s)):.6g}")
        fall = float(np.log(distance[1] / distance[0]))
        p = float(found[0][1] - found[0][0]) / fall
        if self.process.potential is not None:
            loss = self.process.potential_at(Points((self.name,), (self.axis.x(place),), (("point", (2,)),)))
            return float(loss[1] - loss[0]) / fall, p
        return float(found[1][1] * distance[1]) * (1.0 if s > node else -1.0), p

    def _at(self, s: Array) -> tuple[Array, Array] | None:
        """ln D and A/D, or None where a coefficient diverges."""
        try:
            return log_diffusion_and_slope(
                self.process, Points((self.name,), (self.axis.x(s),), (("point", s.shape),)), 0.0
            )
        except InvalidInput:
            return None
