"""Which model of SGD is right?  Every theory's density against the law that SGD really has.

    error = KS(theory, exact law) = grid + continuous time, against the sampling floor of n replicas

The exact law is `transfer`'s, without Monte Carlo; where a model has none, replicas of SGD stand for it.  Before any
replica runs, each theory's error is predicted: by its distance from the highest rung that has a density.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.checks import whole
from fpsolve.distance import distance
from fpsolve.errors import InvalidInput
from fpsolve.ladder_runs import Trajectories, trajectories
from fpsolve.models.subject import HasSubject, Subject
from fpsolve.paired_scores import holm, preference, scores
from fpsolve.progress import Progress
from fpsolve.rungs import Measured, Rung, rungs_of
from fpsolve.transfer import transfer
from fpsolve.values.density import Density
from fpsolve.values.swarm import Swarm

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Ladder", "Row", "ladder"]

Array = NDArray[np.float64]
GOOD = 0.01  # KS: closer than that a theory counts as right
TOP = ("third cumulant", "finite rate", "exact moments", "Ito")  # the highest rungs, best first
LEVEL = 0.95


@dataclass(frozen=True)
class Row:
    """One theory of the ladder.

    error: KS distance of its density from the exact law; None where it has no density, and `reason` says why.
    predicted: the error foretold without any replica.  hit: whether prediction and truth fall on one side of GOOD.
    grid: what of the error is the grid's.  fitted: parameters measured from trajectories.
    p_value: that SGD's held-out replicas prefer the best theory to this one by chance alone, corrected for the number
        of theories (Holm); None for the best itself and without particles.
    """

    name: str
    error: float | None
    predicted: float | None
    hit: bool | None
    fitted: int
    p_value: float | None
    reason: str
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Ladder:
    """The theories of SGD for one model, judged by the law that it has.

    rows: in the order of the ladder.  truth: the exact law's density, or SGD's replicas where there is none.
    floor: the KS distance that as many replicas of the right law would keep with probability .95; None without any.
    contraction: learning_rate times the rate of return, skewness: of a sample's gradient: where theories begin to fail.
    densities: of the rows, in their order.

    >>> import fpsolve as fp
    >>> data = fp.Regression.synthetic(200, noise=0.5, seed=3)
    >>> found = fp.ladder(fp.models.DiagonalNetwork(data, depth=0, learning_rate=0.02), particles=False)
    >>> found.row("Ito").error < 0.01 < found.row("isothermal").error
    True
    """

    model: str
    coordinate: str
    rows: tuple[Row, ...]
    truth: Density | Swarm
    densities: tuple[Density | None, ...]
    contraction: float
    skewness: float
    swarm: Swarm | None
    floor: float | None
    measured: Measured | None

    def row(self, name: str) -> Row:
        """The row of one theory."""
        for row in self.rows:
            if row.name == name:
                return row
        raise InvalidInput(f"there is no theory {name!r}; there are {', '.join(row.name for row in self.rows)}")

    @property
    def best(self) -> Row:
        """The theory nearest to the exact law; of equals the one with the fewest fitted parameters."""
        known = [row for row in self.rows if row.error is not None]
        return min(known, key=lambda row: (row.error, row.fitted))

    @property
    def verdict(self) -> str:
        """One sentence: which theory wins, by how much, and what the predictions were worth."""
        best, named = self.best, [row for row in self.rows if row.hit is not None]
        others = [row.error for row in self.rows if row.error is not None and row is not best and not row.fitted]
        ahead = f", {min(others) / best.error:.2g} times nearer than the next" if others and best.error else ""
        seen = ""
        if self.floor is not None:
            n = 0 if self.swarm is None else len(self.swarm)
            below = "less" if best.error is not None and best.error < self.floor else "more"
            seen = f"; {below} than {n} replicas could see ({self.floor:.2g})"
        hits = f"; {sum(bool(row.hit) for row in named)} of {len(named)} predictions of validity held"
        return f"{best.name} is {best.error:.2g} (KS) from the law of SGD{ahead}{seen}{hits}."

    def facts(self) -> dict[str, Any]:
        """Everything but the densities, for JSON."""
        return {
            "model": self.model,
            "coordinate": self.coordinate,
            "contraction per step": self.contraction,
            "skewness": self.skewness,
            "sampling floor": self.floor,
            "measured": None if self.measured is None else asdict(self.measured),
            "verdict": self.verdict,
            "rows": [asdict(row) for row in self.rows],
        }

    def plot(self, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
        """Errors of the theories as bars, with what was predicted and the sampling floor; returns the Axes."""
        from fpsolve import plot_ladder

        return plot_ladder.errors(self, ax, label=label, log=log)

    def plot_densities(self, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
        """The theories' densities over the exact law's; returns the Axes."""
        from fpsolve import plot_ladder

        return plot_ladder.densities(self, ax, label=label, log=log)

    def __str__(self) -> str:
        lines = [f"{self.model}", f"{'theory':20}{'KS to exact':>12}{'predicted':>11}{'fitted':>8}{'p':>9}  "]
        for row in self.rows:
            if row.error is None:
                lines.append(f"{row.name:20}  none: {row.reason[:90]}")
                continue
            told = "" if row.predicted is None else f"{row.predicted:.2g}{'' if row.hit else ' !'}"
            chance = "" if row.p_value is None else f"{row.p_value:.1g}"
            lines.append(
                f"{row.name:20}{row.error:12.2g}{told:>11}{row.fitted:8d}{chance:>9}  {row.reason[:60]}".rstrip()
            )
        return "\n".join([*lines, self.verdict])

    def __repr__(self) -> str:
        return f"Ladder({self.model}: {len(self.rows)} theories; {self.verdict})"


def ladder(
    model: HasSubject,
    *,
    n: int = 20_000,
    steps: int | None = None,
    seed: int = 1,
    particles: bool = True,
    predictions: str | Path | None = None,
    progress: Progress = None,
) -> Ladder:
    """Judge every theory of SGD for a model of one parameter by the law that its SGD has.

    model: a DiagonalNetwork with data, or FromGradients with one parameter.
    n, steps: replicas of real SGD, and how long they run (10 relaxation times unless given) from starts drawn from
        Ito's law.  seed: of them.  particles=False leaves them out, and with them what is measured on trajectories.
    predictions: a JSON file that the predicted errors are written to before any replica runs.

    Returns a Ladder: `.rows`, `.best`, `.verdict`, `.plot()`; printed, it is a table.
    What is fitted (index of the noise, memory) is fitted on one half of the replicas, and judged on the other.
    Raises InvalidInput for models of another kind; what `transfer` and the model raise.
    """
    if not isinstance(model, HasSubject):
        raise InvalidInput(
            f"model is {type(model).__name__}; the ladder needs one with a method subject: a DiagonalNetwork with "
            "data, or FromGradients"
        )
    subject = model.subject()
    whole("n", n, 1000)
    plain = rungs_of(subject)
    foretold = _predicted(plain)
    if predictions is not None:
        _write(Path(predictions), repr(model), foretold)
    runs = trajectories(subject, _start(plain), n, steps, seed, progress) if particles else None
    measured = None if runs is None else runs.measured
    rungs = plain if measured is None else rungs_of(subject, measured)
    truth = _truth(subject, runs)
    errors = [None if rung.density is None else distance(rung.density, truth, "KS") for rung in rungs]
    chances = [None] * len(rungs) if runs is None else _chances(rungs, errors, runs, truth)
    rows = tuple(
        _row(rung, error, foretold.get(rung.name), chance)
        for rung, error, chance in zip(rungs, errors, chances, strict=True)
    )
    return Ladder(
        model=repr(model),
        coordinate=subject.name,
        rows=rows,
        truth=truth,
        densities=tuple(rung.density for rung in rungs),
        contraction=subject.learning_rate * subject.rate,
        skewness=subject.skewness,
        swarm=None if runs is None else runs.swarm,
        floor=None if runs is None else _floor(len(runs.swarm)),
        measured=measured,
    )


def _predicted(rungs: Sequence[Rung]) -> dict[str, float | None]:
    """Each theory's distance from the highest that has a density; the highest's own, from the next below it."""
    known = {rung.name: rung.density for rung in rungs if rung.density is not None}
    top = [known[name] for name in TOP if name in known]
    names = [name for name in TOP if name in known]
    found: dict[str, float | None] = {rung.name: None for rung in rungs}
    for name, density in known.items():
        other = top[0] if name != names[0] else (top[1] if len(top) > 1 else None)
        found[name] = None if other is None else distance(density, other, "KS")
    return found


def _write(path: Path, model: str, foretold: dict[str, float | None]) -> None:
    facts = {"model": model, "predicted KS": foretold, "counts as right below": GOOD}
    path.write_text(json.dumps(facts, indent=1) + "\n")


def _start(rungs: Sequence[Rung]) -> Density:
    for name in ("Ito", "gaussian"):
        for rung in rungs:
            if rung.name == name and rung.density is not None:
                return rung.density
    raise InvalidInput("neither Ito's equation nor a Gaussian has a density here, so replicas have nowhere to start")


def _truth(subject: Subject, runs: Trajectories | None) -> Density | Swarm:
    if subject.random_map is not None:
        return transfer(subject.random_map).stationary()
    if runs is None:
        raise InvalidInput("this model has no exact law (drawn without replacement): the ladder needs particles=True")
    return runs.held_out


def _chances(
    rungs: Sequence[Rung], errors: Sequence[float | None], runs: Trajectories, truth: Density | Swarm
) -> list[float | None]:
    """Holm-corrected p-values of the held-out replicas having no preference between the best theory and each other."""
    known = [k for k, error in enumerate(errors) if error is not None]
    best = min(known, key=lambda k: (errors[k], rungs[k].fitted))
    common = truth if isinstance(truth, Density) else rungs[best].density
    samples = runs.held_out.positions[-1][:, 0]
    found = {k: scores(rungs[k].density, samples, common) for k in known}  # type: ignore[arg-type]
    others = [k for k in known if k != best]
    corrected = holm([preference(found[best], found[k]) for k in others]) if others else np.empty(0)
    result: list[float | None] = [None] * len(rungs)
    for k, p in zip(others, corrected, strict=True):
        result[k] = float(p)
    return result


def _row(rung: Rung, error: float | None, predicted: float | None, chance: float | None) -> Row:
    hit = None if error is None or predicted is None else (error < GOOD) == (predicted < GOOD)
    return Row(rung.name, error, predicted, hit, rung.fitted, chance, rung.reason, rung.notes)


def _floor(n: int) -> float:
    from scipy.stats import kstwo

    return float(kstwo.ppf(LEVEL, n))
