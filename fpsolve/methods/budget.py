"""What a run may err by, and how its steps share that.

exp(t L) of a Markov generator lengthens no difference of masses, and most of them it shortens: of what a step errs by,
the part that has not decayed is what counts.  With e the estimated errors so far, carried on through every step,
    kept = |carried e|/|e|,    bound <- kept bound + |new error|,
bounds the error whenever it is asked for: the triangle inequality, with contraction as it is observed.  A step may take
    (what is left of the budget) * (its share of the time left) + (1 - kept) bound,
so what has decayed can be spent again, and the bound stays below the budget all the way.
Shares are half by the length of a step, half by the logarithm of time since the start (in units of the time scale of
the start): where all happens early they are what equal errors of all steps would need, to a logarithm, and where the
same happens all the time they cost at most sqrt(2) times as many steps of a method of order 2.
"""

from __future__ import annotations

import math

__all__ = ["Budget"]


class Budget:
    """The error a run of `length` from `start` may have, relative to the mass; `scale` is a time.

    bound: on the error now.  worst: the largest that it has been.

    >>> budget = Budget(3e-6, 0.0, 10.0, 1.0)
    >>> budget.allowed(0.0, 10.0, 1.0), budget.allowed(0.0, 1.0, 1.0) > 3e-7
    (3e-06, True)
    """

    def __init__(self, total: float, start: float, length: float, scale: float) -> None:
        self.total, self.start, self.length, self.scale = total, start, length, min(scale, length)
        self.bound = self.worst = 0.0

    def allowed(self, t: float, h: float, kept: float) -> float:
        """The error allowed to a step from t to t + h, over which `kept` of the earlier ones remains."""
        before, after = self._share(t - self.start), self._share(t + h - self.start)
        left, share = 1.0 - before, after - before
        part = share / left if share < left else 1.0
        return (self.total - self.bound) * part + (1.0 - kept) * self.bound

    def take(self, error: float, kept: float) -> None:
        """A step was taken."""
        self.bound = kept * self.bound + error
        self.worst = max(self.worst, self.bound)

    def _share(self, t: float) -> float:
        """Of the first t of the run."""
        return 0.5 * t / self.length + 0.5 * math.log1p(t / self.scale) / math.log1p(self.length / self.scale)
