"""Claims: what a case promises, checked beside a negative control that must fail.

`Exact` compares with a closed form, `Published` with a printed value and its uncertainty, `Particles` with real SGD or
with the SDE itself, extrapolated in its step.  `wrong` is the control: parameters (or another quantity) on which the
same check has to fail; a check that cannot fail proves nothing.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.blame import told
from fpsolve.checks import number
from fpsolve.claim_checks import (
    check_control,
    check_function,
    check_parameters,
    check_run,
    check_tolerance,
    check_words,
)
from fpsolve.errors import InvalidInput
from fpsolve.particles.simulate import simulate
from fpsolve.problem import Problem
from fpsolve.starts import Point
from fpsolve.stationary import stationary
from fpsolve.values.density import Density
from fpsolve.values.swarm import Swarm
from fpsolve.verdict import Verdict

__all__ = ["Claim", "Exact", "Particles", "Published", "Verdict"]

Parameters = Mapping[str, Any]
Quantity = Callable[[Any], float]
KOLMOGOROV = 1.9495  # sqrt(n) KS of n samples from the law itself exceeds this once in a thousand runs


@dataclass(frozen=True, eq=False)
class Claim(ABC):
    """One promise about a case, whose `name` says it; subclasses measure it and its control.

    >>> class Sum(Claim):
    ...     origin = "arithmetic"
    ...     measure = lambda self: (4.0, 2.0 + 2.0, 1e-9, 5.0)
    >>> Sum("two and two").check().passed
    True
    """

    name: str

    @abstractmethod
    def measure(self) -> tuple[float, float, float, float]:
        """Expected, measured, tolerance, and the control's value."""

    @property
    @abstractmethod
    def origin(self) -> str:
        """Where the expected value comes from."""

    @property
    def expensive(self) -> bool:
        """Whether it belongs to the slow tests."""
        return bool(getattr(self, "slow", False))

    @property
    def known_limit(self) -> str:
        """How far a claim that is known not to hold is off, in words; empty for all others."""
        return str(getattr(self, "limit", ""))

    def check(self, case: str = "") -> Verdict:
        """Measure the claim and its control; InvalidInput unless its tolerance is positive."""
        started = time.process_time()
        expected, measured, tolerance, control = self.measure()
        if not (math.isfinite(tolerance) and tolerance > 0):
            raise InvalidInput(f"the tolerance of {self.name!r} is {tolerance}; it must be positive and finite")
        seconds = time.process_time() - started
        kind = type(self).__name__
        values = expected, measured, tolerance, control
        return Verdict(self.name, case, kind, *values, self.origin, seconds, self.known_limit)


@dataclass(frozen=True, eq=False)
class Exact(Claim):
    """A closed form: quantity(solve(**parameters)) equals `expected` within `atol`.

    name: what is claimed.  source: of the form.  slow: where it takes more than 10 s.
    wrong: changed parameters, or another quantity of the same results, on which the check must fail.
    limit: a sentence with the measured figure, for what is known not to hold; it is reported, and fails no run.

    Raises InvalidInput, when made, for what can be no claim: parameters that `solve` does not take, no tolerance, no
    control; when checked, for a quantity that is no number.

    >>> claim = Exact("twice", lambda k=1: k, dict(k=2), lambda r: 2.0 * r, 4.0, atol=1e-9, wrong=dict(k=3), source="")
    >>> claim.check().passed
    True
    """

    solve: Callable[..., Any]
    parameters: Parameters
    quantity: Quantity
    expected: float
    atol: float
    wrong: Parameters | Quantity
    source: str
    slow: bool = False
    limit: str = ""

    def __post_init__(self) -> None:
        _check(self, self.atol)

    @property
    def origin(self) -> str:
        """The closed form's source."""
        return self.source

    def measure(self) -> tuple[float, float, float, float]:
        """Solve twice, or once where the control is another quantity."""
        return (float(self.expected), *_value_and_control(self, self.atol))


@dataclass(frozen=True, eq=False)
class Published(Claim):
    """A printed value: quantity(solve(**parameters)) equals `expected` within its `uncertainty`; source: where.

    name, wrong, slow, limit: as for `Exact`.

    >>> claim = Published("e", lambda n=9: (1 + 10**-n) ** 10**n, {}, float, 2.718, 5e-4, dict(n=1), source="p. 1")
    >>> claim.check().passed
    True
    """

    solve: Callable[..., Any]
    parameters: Parameters
    quantity: Quantity
    expected: float
    uncertainty: float
    wrong: Parameters | Quantity
    source: str
    slow: bool = False
    limit: str = ""

    def __post_init__(self) -> None:
        _check(self, self.uncertainty)

    @property
    def origin(self) -> str:
        """Publication, and table or figure."""
        return self.source

    def measure(self) -> tuple[float, float, float, float]:
        """Solve twice, or once where the control is another quantity."""
        return (float(self.expected), *_value_and_control(self, self.uncertainty))


@dataclass(frozen=True, eq=False)
class Particles(Claim):
    """Particles follow the stationary density of problem(**parameters): their KS distance is what chance allows.

    The SDE is run to `until` with both steps of `dt` (coarse, fine) from the median, and the distribution functions
    are extrapolated to dt = 0; or `sgd(**parameters)` returns a Swarm of the real dynamics, whose known difference
    from the density is at most `bias`.  The tolerance is exceeded by chance once in a thousand runs.  In several
    dimensions every coordinate's marginal is compared, and the largest distance counts.

    n, seed: particles, and the key of their random numbers.  wrong: parameters whose density the same particles must
        not follow.  name, slow: as for `Exact`.
    Raises InvalidInput for neither `sgd` nor `until`, `n` and `dt`, and for steps that are no pair.

    >>> import fpsolve as fp
    >>> well = lambda D=1.0: fp.Problem(fp.Process(lambda x: -x, D), fp.Grid(x=(-9, 9, 100)))
    >>> claim = Particles("they follow", well, dict(D=0.5), dict(D=2.0), seed=1, until=3.0, n=9000, dt=(0.1, 0.05))
    >>> claim.check().passed
    True
    """

    problem: Callable[..., Problem]
    parameters: Parameters
    wrong: Parameters
    seed: int = 0
    until: float | None = None
    n: int | None = None
    dt: tuple[float, float] | None = None
    sgd: Callable[..., Swarm] | None = None
    bias: float = 0.0
    slow: bool = False

    def __post_init__(self) -> None:
        check_words(self.name)
        check_function(self.name, "problem", self.problem)
        check_parameters(self.name, self.problem, self.parameters, self.wrong)
        check_control(self.name, self.wrong, quantity=False)
        if number(f"claim {self.name!r}: bias", self.bias) < 0:
            raise InvalidInput(f"claim {self.name!r}: bias is {self.bias}; it is a distance: give one >= 0")
        if self.sgd is None:
            check_run(self.name, self.until, self.n, self.dt)
        else:
            check_function(self.name, "sgd", self.sgd)

    @property
    def origin(self) -> str:
        """What ran."""
        return "real SGD" if self.sgd else f"{self.n} particles, dt = {self.dt} extrapolated"

    def measure(self) -> tuple[float, float, float, float]:
        """One set of particles against the density, and against the wrong density."""
        right = stationary(self.problem(**self.parameters))
        other = stationary(self.problem(**{**self.parameters, **self.wrong}))
        if self.sgd is not None:
            swarm = self.sgd(**self.parameters)
            runs, weights = [_last(swarm)], [1.0]
        else:
            runs, weights = self._runs(right)
        noise = KOLMOGOROV * math.sqrt(sum(w**2 / len(run) for w, run in zip(weights, runs, strict=True)))
        return 0.0, _departure(right, runs, weights), noise + self.bias, _departure(other, runs, weights)

    def _runs(self, p: Density) -> tuple[list[NDArray[np.float64]], list[float]]:
        assert self.until is not None
        assert self.n is not None
        assert self.dt is not None
        coarse, fine = self.dt
        problem, start = self.problem(**self.parameters), Point(*(law.quantile(0.5) for law in _marginals(p)))
        swarms = [
            simulate(problem, start, [self.until], dt=dt, n=self.n, seed=self.seed + i, progress=False)
            for i, dt in enumerate(self.dt)
        ]
        ratio = coarse / fine
        return [_last(swarm) for swarm in swarms], [-1.0 / (ratio - 1.0), ratio / (ratio - 1.0)]


def _check(claim: Exact | Published, tolerance: object) -> None:
    check_words(claim.name, claim.source)
    check_function(claim.name, "solve", claim.solve)
    check_function(claim.name, "quantity", claim.quantity)
    check_parameters(claim.name, claim.solve, claim.parameters, claim.wrong)
    check_control(claim.name, claim.wrong, quantity=True)
    number(f"claim {claim.name!r}: expected", claim.expected)
    check_tolerance(claim.name, tolerance)


def _value_and_control(claim: Exact | Published, tolerance: float) -> tuple[float, float, float]:
    results = claim.solve(**claim.parameters)
    measured = _number_of(claim, claim.quantity, results)
    if callable(claim.wrong):
        return measured, float(tolerance), _number_of(claim, claim.wrong, results)
    others = claim.solve(**{**claim.parameters, **claim.wrong})
    return measured, float(tolerance), _number_of(claim, claim.quantity, others)


def _number_of(claim: Exact | Published, quantity: Quantity, results: Any) -> float:
    try:
        value = quantity(results)
    except KeyError as error:
        if not isinstance(results, Mapping) or not error.args or error.args[0] in results:
            raise
        there = ", ".join(map(repr, results)) or "none"
        raise InvalidInput(f"{told(error)}; the results of solve are {there}") from error
    if np.ndim(value) != 0 or not isinstance(value, (int, float, np.number, np.ndarray)):
        raise InvalidInput(f"the quantity of {claim.name!r} gave {type(value).__name__}; it must give one number")
    return float(value)


def _last(swarm: Swarm) -> NDArray[np.float64]:
    return np.sort(swarm.positions[-1, swarm.alive()], axis=0)


def _marginals(p: Density) -> list[Density]:
    return [p] if p.grid.ndim == 1 else [p.marginal(name) for name in p.grid.names]


def _departure(p: Density, runs: list[NDArray[np.float64]], weights: list[float]) -> float:
    """Largest difference of the weighted empirical distribution functions from the law's, over the coordinates."""
    columns = ([run[:, k] for run in runs] for k in range(p.grid.ndim))
    return max(_distance(law, column, weights) for law, column in zip(_marginals(p), columns, strict=True))


def _distance(p: Density, runs: list[NDArray[np.float64]], weights: list[float]) -> float:
    """At all the samples, which are sorted."""
    x = np.concatenate(runs)
    levels = [np.searchsorted(run, x, side="right") / run.size for run in runs]
    mixed = sum(weight * level for weight, level in zip(weights, levels, strict=True))
    return float(np.max(np.abs(mixed - p.cdf(x))))
