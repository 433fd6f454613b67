"""Claims: what a case promises, checked beside a negative control that must fail.

`Exact` compares with a closed form, `Published` with a printed value and its uncertainty, `Particles` with real SGD or
with the SDE itself, extrapolated in its step.  `wrong` is the control: parameters (or another quantity) on which the
same check has to fail; a check that cannot fail proves nothing.
"""

from __future__ import annotations

import math
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.casefile import load_file
from fpsolve.errors import InvalidInput
from fpsolve.particles.simulate import simulate
from fpsolve.problem import Problem
from fpsolve.starts import Point
from fpsolve.stationary import stationary
from fpsolve.values.density import Density
from fpsolve.values.swarm import Swarm
from fpsolve.verdict import Verdict

__all__ = ["Claim", "Exact", "Particles", "Published", "Verdict", "collect"]

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
        if self.until is None or self.n is None or self.dt is None:
            raise InvalidInput(f"{self.name!r} needs until, n and dt, or sgd")
        coarse, fine = self.dt
        problem, start = self.problem(**self.parameters), Point(*(law.quantile(0.5) for law in _marginals(p)))
        swarms = [
            simulate(problem, start, [self.until], dt=dt, n=self.n, seed=self.seed + i, progress=False)
            for i, dt in enumerate(self.dt)
        ]
        ratio = coarse / fine
        return [_last(swarm) for swarm in swarms], [-1.0 / (ratio - 1.0), ratio / (ratio - 1.0)]


def collect(root: str | Path = ".", names: Sequence[str] = ()) -> dict[str, list[Claim]]:
    """The claims of every file in root/validation, by file name.

    root: of a checkout.  names: of the files; all unless given.

    Returns lists by name.  Raises InvalidInput where there is no such folder or file.

    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as root:
    ...     folder = pathlib.Path(root, "validation")
    ...     folder.mkdir()
    ...     _ = (folder / "sums.py").write_text("claims = []")
    ...     collect(root)
    {'sums': []}
    """
    root = Path(root).resolve()
    folder = root / "validation"
    if not folder.is_dir():
        raise InvalidInput(f"no folder {folder} with claims; give the root of a checkout with --root")
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    found = {file.stem: file for file in sorted(folder.glob("*.py")) if not file.stem.startswith("_")}
    unknown = [name for name in names if name not in found]
    if unknown:
        raise InvalidInput(f"no claims about {', '.join(unknown)}; there are claims about {', '.join(found)}")
    return {name: list(load_file(file).claims) for name, file in found.items() if not names or name in names}


def _value_and_control(claim: Exact | Published, tolerance: float) -> tuple[float, float, float]:
    results = claim.solve(**claim.parameters)
    measured = float(claim.quantity(results))
    if callable(claim.wrong):
        return measured, float(tolerance), float(claim.wrong(results))
    return measured, float(tolerance), float(claim.quantity(claim.solve(**{**claim.parameters, **claim.wrong})))


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
