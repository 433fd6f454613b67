"""What every balanced network offers: process, grid, problem, exact density, Gaussian approximation, exact numbers.

A network states its law (BalancedLaw); everything else follows from it.  `branch` picks the side of v = 0: "positive",
"negative", "both" (one chain that falls into two), or None, the side of the minimum.  A single layer has no branches.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.errors import InvalidInput
from fpsolve.grid import Grid
from fpsolve.models.balanced import BalancedLaw
from fpsolve.models.balanced_moments import exact_moment
from fpsolve.problem import Problem
from fpsolve.process import Process
from fpsolve.values.exact import ExactDensity

__all__ = ["BalancedModel"]

Array = NDArray[np.float64]
BRANCHES = ("positive", "negative", "both")
DECADES = 12.0  # each way from the minimum: the grid spans twice as many
CELLS = 800
CELL_PER_WIDTH = 0.7  # of the peak's width: exp(-2 pi^2/0.7^2) is below rounding
CELL_PER_STRIP = 0.17  # of the distance to the nearest complex zero of C: so is exp(-2 pi/0.17)
CUT_OFF = 60.0  # ln p has fallen by this where the grid ends at the cut-off near 0
GAUSSIAN_REACH = 10.0  # standard deviations
GAUSSIAN_TAILS = 40.0  # standard deviations, for one layer whose noise does not grow with v: no power law beyond


class BalancedModel(ABC):
    """Base of DiagonalNetwork and InfiniteDepth."""

    @property
    @abstractmethod
    def law(self) -> BalancedLaw:
        """Coefficients and closed forms of the balanced law."""

    def process(self) -> Process:
        """dv = A dt + sqrt(2 D) dW (Ito), v signed; A/D and ln D are supplied directly, so tiny v do no harm."""
        law = self.law
        return Process(
            drift=law.drift,
            diffusion=law.diffusion,
            log_diffusion=law.log_diffusion,
            drift_over_diffusion=law.drift_over_diffusion,
        )

    def grid(self, cells: int | None = None, branch: str | None = None) -> Grid:
        """A grid for v that reaches 12 decades each way from the scales of the minimum and of the noise.

        A log axis on one branch, a sinh axis centred on the minimum for one layer, a sinh axis with a face at 0 for
        both branches.  `cells`: 800 unless told, and more where a low temperature makes the peak narrower than that
        can resolve; InvalidInput for an odd number on both branches, whose face is v = 0.
        """
        law, side = self.law, self._side(branch)
        law.check_noise()
        if law.layers == 1:
            width = float(np.sqrt(law.variance_at_minimum))
            far = max(abs(law.minimum), width) * 10.0**DECADES if law.moments.alpha1 > 0 else GAUSSIAN_TAILS * width
            root = (law.noise_root - law.minimum) / width if law.moments.alpha1 > 0 else 1j
            count = cells or _cells(2.0 * np.arcsinh(far / width), 1.0, abs(np.arcsinh(root).imag))
            return Grid(v=Axis.sinh(law.minimum - far, law.minimum + far, count, scale=width, center=law.minimum))
        width = float(np.sqrt(law.variance_at_minimum)) / abs(law.minimum) if law.has_minimum else 1.0
        near, far = _reach(law)
        count = cells or _cells(np.log(far / near), width, law.strip)
        if side != 0.0:
            return Grid(v=Axis.log(*((near, far) if side > 0 else (-far, -near)), count))
        count = cells or 2 * count
        if count % 2:
            raise InvalidInput(f"cells is {count}; both branches need an even number, so that v = 0 is a face")
        return Grid(v=Axis.sinh(-far, far, count, scale=near))

    def problem(self, branch: str | None = None, cells: int | None = None) -> Problem:
        """The process on its grid."""
        process = self.process()
        if branch == "both" and self.law.layers != 1:
            # a face lies at v = 0, where ln D and A/D are infinite and A and D are plainly 0
            process = process.replace(log_diffusion=None, drift_over_diffusion=None)
        return Problem(process, self.grid(cells, branch))

    def exact_density(self, branch: str | None = None) -> ExactDensity:
        """The stationary density in closed form.

            p ~ |v|^(-3(1-e)) C^-1 exp(-kappa int (beta1 v - beta2) |v|^(2e-2)/C dv),  e = 1/layers

        Raises NotNormalizable where the branch has none (above the critical temperature; the side without a minimum),
        InvalidInput where the gradient noise vanishes, or for both branches at once: their weights are arbitrary.
        """
        side = self._side(branch)
        if side == 0.0:
            raise InvalidInput("branch is 'both': v = 0 is never crossed, so their weights are arbitrary; take one")
        self.law.check_noise()
        self.law.check_normalizable(side)
        name = "positive" if side > 0 else "negative"
        return ExactDensity(self.law.log_density, self.grid(branch=None if self.law.layers == 1 else name), "exact")

    def gaussian(self) -> ExactDensity:
        """The Gaussian (Laplace) approximation: mean at the minimum, variance D/(rate of return) there."""
        mean, variance = self.law.minimum, self.law.variance_at_minimum
        reach = GAUSSIAN_REACH * float(np.sqrt(variance))
        grid = Grid(v=Axis.uniform(mean - reach, mean + reach, CELLS))
        return ExactDensity(partial(_log_gaussian, mean, variance), grid, "Gaussian approximation")

    @property
    def minimum(self) -> float:
        """Where the loss is lowest away from 0: beta2/beta1 without weight decay."""
        return self.law.minimum

    @property
    def relaxation_time(self) -> float:
        """1/rate of the linear return to the minimum, in the process's time."""
        return 1.0 / self.law.rate

    @property
    def mode(self) -> float:
        """Where the stationary density is largest; 0.0 where it diverges at v = 0."""
        return self.law.mode

    @property
    def tail_exponent(self) -> float:
        """q in p ~ |v|^-q: 5 - 3/layers, or 2 + beta1/(T alpha1) for one layer; inf where alpha1 = 0 ends the law."""
        return self.law.tail_exponent

    @property
    def exact_mean(self) -> float:
        """E v on the side of the minimum: closed form (one layer) or quadrature of the closed-form density."""
        return exact_moment(self.law, 1)

    @property
    def exact_variance(self) -> float:
        """Var v on the side of the minimum; inf where the tail does not carry it."""
        return exact_moment(self.law, 2) - exact_moment(self.law, 1) ** 2

    def exact_moment(self, order: float) -> float:
        """E v^order on the side of the minimum; inf where the tail does not carry it.

        Raises NotNormalizable where there is no stationary density.
        """
        return exact_moment(self.law, order)

    def _side(self, branch: str | None) -> float:
        if branch is not None and branch not in BRANCHES:
            raise InvalidInput(f"branch is {branch!r}; use 'positive', 'negative', 'both' or None (the minimum's side)")
        if branch is None or self.law.layers == 1:
            if branch in ("positive", "negative"):
                raise InvalidInput(f"branch is {branch!r} at depth 0: one layer lives on the whole line; leave it out")
            return self.law.side
        return {"positive": 1.0, "negative": -1.0, "both": 0.0}[branch]


def _reach(law: BalancedLaw) -> tuple[float, float]:
    """Smallest and largest |v|: 12 decades beyond the scales of minimum and noise, and past the cut-off at 0.

    With three or more layers p ~ exp(-(scale/v)^(1-2e)) ends the law v^(-3(1-e)); in hot networks at very small v.
    """
    m = law.moments
    scales = [abs(m.beta2) / m.beta1] if m.beta2 else [1.0]
    if m.alpha1 > 0 and m.alpha3 > 0:
        scales.append(float(np.sqrt(m.alpha3 / m.alpha1)))
    near = 10.0 ** (round(np.log10(min(scales))) - DECADES)
    far = 10.0 ** (round(np.log10(max(scales))) + DECADES)
    power = 1.0 - 2.0 * law.share
    if power > 0 and m.beta2 and m.alpha3 > 0:
        near = min(near, (law.kappa * abs(m.beta2) / (power * m.alpha3) / CUT_OFF) ** (1.0 / power))
    return near, far


def _cells(span: float, width: float, strip: float) -> int:
    """Cells enough for a midpoint error below rounding: for a peak of that width, analytic within that strip."""
    return max(CELLS, int(np.ceil(span / min(CELL_PER_WIDTH * width, CELL_PER_STRIP * strip))))


def _log_gaussian(mean: float, variance: float, v: Array) -> Array:
    return -0.5 * (np.asarray(v, dtype=float) - mean) ** 2 / variance
