"""The balanced law: one scalar SDE for the product v of n layers, and everything known of it without solving.

    A = mobility [-kappa (beta1 v - beta2) |v|^(2-2e) + (1 - e) |v|^(4-4e) C/v - decay v],  D = mobility |v|^(4-4e) C

with e = 1/n, so that A/D = -kappa (beta1 v - beta2) |v|^(2e-2)/C + (1-e)/v - decay |v|^(4e-2)/(v C) and

    p ~ |v|^(-3(1-e)) C^-1 exp(-kappa int (beta1 v - beta2) |v|^(2e-2)/C dv)        (decay = 0)

The coordinate is signed: for v < 0 it is the law of |v| with beta2 and alpha2 reversed.  v = 0 is never crossed unless
e = 1, so each side is its own law.  Ziyin, Li & Ueda, arXiv 2308.06671.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import InvalidInput, NotNormalizable
from fpsolve.models.balanced_density import LARGE, force_integral, log_noise
from fpsolve.models.regression import Moments

__all__ = ["BalancedLaw"]

Array = NDArray[np.float64]
SCAN = np.linspace(-115.0, 115.0, 4601)  # ln(v/unit) where stationary points of p are looked for


@dataclass(frozen=True, eq=False)
class BalancedLaw:
    """Coefficients and closed forms of the balanced law; `layers` None stands for infinitely many (e = 0)."""

    moments: Moments
    layers: int | None
    kappa: float
    decay: float
    mobility: float

    @property
    def share(self) -> float:
        """e = 1/layers."""
        return 0.0 if self.layers is None else 1.0 / self.layers

    @property
    def side(self) -> float:
        """+1 or -1: the side of v = 0 on which the loss has its minimum."""
        return 1.0 if self.moments.beta2 >= 0 else -1.0

    @property
    def noise_root(self) -> complex:
        """The complex zero of C in the upper half plane (alpha1 > 0)."""
        m = self.moments
        return complex(m.alpha2, np.sqrt(m.determinant)) / m.alpha1

    @property
    def strip(self) -> float:
        """Half-width of the strip about real ln |v| in which p is analytic: the angle of C's zero."""
        return abs(np.angle(self.side * self.noise_root)) if self.moments.alpha1 > 0 else np.pi

    def drift(self, v: Array) -> Array:
        """A(v)."""
        v = np.asarray(v, dtype=float)
        m, e, size = self.moments, self.share, np.abs(v)
        total = -self.kappa * (m.beta1 * v - m.beta2) * size ** (2.0 - 2.0 * e) - self.decay * v
        if self.layers != 1:
            total = total + (1.0 - e) * np.sign(v) * size ** (3.0 - 4.0 * e) * m.gradient_variance(v)
        return self.mobility * total

    def diffusion(self, v: Array) -> Array:
        """D(v)."""
        v = np.asarray(v, dtype=float)
        return self.mobility * np.abs(v) ** (4.0 - 4.0 * self.share) * self.moments.gradient_variance(v)

    def log_diffusion(self, v: Array) -> Array:
        """ln D(v), where D itself would underflow or overflow."""
        v = np.asarray(v, dtype=float)
        noise = np.log(self.mobility) + log_noise(self.moments, v)
        return noise if self.layers == 1 else noise + (4.0 - 4.0 * self.share) * np.log(np.abs(v))

    def drift_over_diffusion(self, v: Array) -> Array:
        """A(v)/D(v) with the powers cancelled by hand."""
        v = np.asarray(v, dtype=float)
        m, e, size = self.moments, self.share, np.abs(v)
        far = (size > LARGE) & (m.alpha1 > 0)
        w = np.where(far, v, LARGE)
        per_w = w * (m.alpha1 - 2.0 * m.alpha2 / w + m.alpha3 / w / w)  # C(w)/w, which does not overflow
        near = np.where(far, 0.0, v)
        noise = m.gradient_variance(near)
        force = np.where(far, (m.beta1 - m.beta2 / w) / per_w, (m.beta1 * near - m.beta2) / noise)
        total = -self.kappa * force * size ** (2.0 * e - 2.0)
        if self.decay > 0:
            total = total - self.decay * np.where(far, 1.0 / per_w, near / noise) * size ** (4.0 * e - 4.0)
        return total if self.layers == 1 else total + (1.0 - e) / v

    def log_density(self, v: Array) -> Array:
        """The unnormalised ln p(v), in closed form; v on either side of 0 (not both sides' relative weights)."""
        self.check_noise()
        v = np.asarray(v, dtype=float)
        if self.layers == 1:
            return -log_noise(self.moments, v) - self.kappa * force_integral(self.effective_moments, 1, v)
        if np.any(v == 0):
            raise InvalidInput("the density of two or more layers has no value at v = 0; evaluate it at v > 0 or v < 0")
        with np.errstate(invalid="ignore"):
            right = self._log_density_right(np.where(v > 0, v, 1.0))
            left = self.mirrored()._log_density_right(np.where(v < 0, -v, 1.0))
        return np.where(v > 0, right, left)

    def _log_density_right(self, v: Array) -> Array:
        m = self.effective_moments
        integral = force_integral(m, self.layers, v)
        return -3.0 * (1.0 - self.share) * np.log(v) - log_noise(m, v) - self.kappa * integral

    def mirrored(self) -> BalancedLaw:
        """The law of -v."""
        return replace(self, moments=self.moments.mirrored())

    @cached_property
    def effective_moments(self) -> Moments:
        """Moments in which weight decay is absorbed: beta1 + decay/kappa (one layer), beta2 - decay/kappa (two)."""
        m, shift = self.moments, self.decay / self.kappa
        if shift == 0:
            return m
        if self.layers == 1:
            return Moments(m.alpha1, m.alpha2, m.alpha3, m.beta1 + shift, m.beta2)
        if self.layers == 2:
            return Moments(m.alpha1, m.alpha2, m.alpha3, m.beta1, m.beta2 - shift)
        raise InvalidInput(
            f"weight decay with {self.layers} layers piles all mass up at v = 0: there is no stationary density; "
            "use weight_decay=0, or depth 0 or 1"
        )

    def check_noise(self) -> None:
        """Refuse data whose gradient noise vanishes somewhere: the density there is a point mass."""
        m = self.moments
        if m.determinant > 0 or (m.alpha1 == 0 and m.alpha3 > 0):
            return
        where = f"at v = {m.alpha2 / m.alpha1:.6g}" if m.alpha1 > 0 else "everywhere"
        raise InvalidInput(
            f"the gradient noise C(v) vanishes {where} (alpha1 alpha3 = alpha2^2): v comes to rest there and has no "
            "density; add label noise, or use data that no single v fits exactly"
        )

    def exponent_at_zero(self, side: float) -> float:
        """a in p ~ |v|^a as v -> 0 on one side; +-inf where p falls or rises faster than any power."""
        m = self.moments
        if self.layers == 1:
            return 0.0
        force = self.kappa * side * m.beta2
        if self.layers == 2:
            return (force - self.decay) / m.alpha3 - 1.5
        if self.decay > 0 or force < 0:
            return -np.inf
        return np.inf if force > 0 else -3.0 * (1.0 - self.share)

    def check_normalizable(self, side: float) -> None:
        """Raise NotNormalizable where the mass at v = 0 on this side is infinite."""
        exponent = self.exponent_at_zero(side)
        if exponent > -1.0:
            return
        branch = "v > 0" if side > 0 else "v < 0"
        raise NotNormalizable(
            f"p ~ |v|^{exponent:.6g} as v -> 0 on the branch {branch}: all mass condenses on v = 0 and there is no "
            "stationary density; lower the temperature or the weight decay, or take the other branch",
            end="upper" if side < 0 else "lower",
            exponent=exponent,
            uncertainty=0.0,
        )

    @property
    def tail_exponent(self) -> float:
        """q in p ~ |v|^-q as |v| -> inf; inf where alpha1 = 0 makes the tail exponential."""
        m = self.moments
        if self.layers == 1:
            return np.inf if m.alpha1 == 0 else 2.0 + (self.kappa * m.beta1 + self.decay) / m.alpha1
        if m.alpha1 > 0:
            return 5.0 - 3.0 * self.share
        return 3.0 + self.kappa * m.beta1 / m.alpha3 if self.layers is None else np.inf

    @property
    def deepest(self) -> tuple[float, float]:
        """Where the pull (|beta2| - beta1 v) v^(1-2e) away from 0 is strongest, and how strong it is there."""
        size, power = abs(self.moments.beta2), 1.0 - 2.0 * self.share
        v = size * power / (self.moments.beta1 * (1.0 + power))
        return v, size / (1.0 + power) * v**power

    @property
    def has_minimum(self) -> bool:
        """Whether the noiseless flow has a stable rest point other than v = 0."""
        return self.layers == 1 or self.decay / self.kappa < self.deepest[1]

    @cached_property
    def minimum(self) -> float:
        """Where the noiseless flow rests away from 0: beta2/beta1, moved towards 0 by weight decay."""
        m, shift = self.moments, self.decay / self.kappa
        if self.layers == 1:
            return m.beta2 / (m.beta1 + shift)
        if not self.has_minimum:
            raise InvalidInput(
                f"the loss has no minimum away from v = 0: the pull to beta2/beta1 = {m.beta2 / m.beta1:g} is at most "
                f"{self.deepest[1]:g}, the weight decay's {shift:g}; reduce the weight decay, or take other data"
            )
        if shift == 0:
            return m.beta2 / m.beta1
        size, power = abs(m.beta2), 1.0 - 2.0 * self.share
        if self.layers == 2:
            return self.side * (size - shift) / m.beta1
        from scipy.optimize import brentq  # .6 s to import, and needed here only

        flow = partial(_flow, m.beta1, size, power, shift)
        return self.side * float(brentq(flow, self.deepest[0], size / m.beta1, xtol=1e-300, rtol=1e-15))

    @property
    def rate(self) -> float:
        """Linear rate of return to the minimum: mobility [kappa beta1 v^(2-2e) - (1 - 2e) decay] at v = minimum."""
        e = self.share
        pull = self.kappa * self.moments.beta1 * abs(self.minimum) ** (2.0 - 2.0 * e)
        return self.mobility * (pull + (2.0 * e - 1.0) * self.decay)

    @property
    def variance_at_minimum(self) -> float:
        """Laplace's variance D/rate at the minimum."""
        return float(self.diffusion(np.array(self.minimum))) / self.rate

    @property
    def mode(self) -> float:
        """Where p is largest on the side of the minimum; 0 where it diverges there."""
        self.check_noise()
        m = self.effective_moments if self.layers in (1, 2) else self.moments
        if self.layers == 1:
            return (self.kappa * m.beta2 + 2.0 * m.alpha2) / (self.kappa * m.beta1 + 2.0 * m.alpha1)
        if self.exponent_at_zero(self.side) < 0:
            return 0.0
        law = self if self.side > 0 else self.mirrored()
        unit = max(abs(m.beta2) / m.beta1, np.finfo(float).tiny)
        points = unit * np.exp(SCAN)
        slopes = law._slope(points)
        turns = np.flatnonzero((slopes[:-1] > 0) & (slopes[1:] <= 0))
        from scipy.optimize import brentq

        tops = np.array([brentq(law._slope, points[i], points[i + 1], rtol=1e-15, xtol=1e-300) for i in turns])
        return self.side * float(tops[np.argmax(law.log_density(tops))])

    def _slope(self, v: Array) -> Array:
        """v C(v) d ln p/dv for v > 0: its sign is the slope's."""
        m, e = self.effective_moments, self.share
        noise = 3.0 * (1.0 - e) * m.gradient_variance(v) + 2.0 * v * (m.alpha1 * v - m.alpha2)
        return -noise - self.kappa * (m.beta1 * v - m.beta2) * v ** (2.0 * e - 1.0)


def _flow(beta1: float, beta2: float, power: float, shift: float, v: float) -> float:
    """-d ln v/dt of the noiseless flow over mobility kappa: its upper zero is the minimum."""
    return (beta1 * v - beta2) * v**power + shift
