"""The ladder in two parameters: theories of SGD judged by replicas, in where they are and in how they turn.

    error = SW2(theory, replicas), MMD, and (rotation of the theory - that of the replicas)/its standard error

The replicas' rotation is their mean angular momentum per step, <x1 dx2 - x2 dx1>/(2 eta sqrt(det S)), about their mean;
no density says anything about it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fpsolve.checks import whole
from fpsolve.distance import distance
from fpsolve.errors import InvalidInput
from fpsolve.ladder_table import WIDTH, beside
from fpsolve.models.from_gradients import FromGradients
from fpsolve.paired_scores import holm, plane_scores, preference
from fpsolve.progress import Progress
from fpsolve.rungs_plane import PlaneRung, plane_rungs, rotation_of
from fpsolve.values.density import Density
from fpsolve.values.swarm import Swarm

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PlaneLadder", "PlaneRow", "plane_ladder"]

Array = NDArray[np.float64]
RELAXATIONS = 10.0
SHORT = 12  # steps at the end whose angular momentum is taken
PAIRS = 3000  # replicas that the MMD takes, all pairs
SCORED = 20_000  # replicas whose scores are paired
SPLITS = 4
ROUNDING = 1e-9  # of the rotation's standard error: shown as 0
SIGMAS = 3.0  # a rotation within so many standard errors is the replicas'
LEGEND = (
    "sliced W2: distance from the replicas, in their deviations.  grid: what of it may be the theory's own grid.  "
    "predicted: the distance from Ito's density, before any replica ran.  MMD: kernel distance.  rotation: of the "
    f"theory's current; !: more than {SIGMAS:g} standard errors from the replicas'.  p: of no preference of replicas "
    "between this theory and the best (Holm)."
)


class Measured(NamedTuple):
    """A number and its standard error."""

    value: float
    error: float


@dataclass(frozen=True)
class PlaneRow:
    """One theory of the ladder in two parameters.

    error: sliced W2 to the replicas, over their root mean square deviation; mmd: to PAIRS of them; None without a
        density.
    grid: what of the error may be the grid's.  predicted: the error foretold, the distance from Ito's density; None for
        Ito itself.  rotation: of its current.  turns_right: within 3 standard errors of the replicas' rotation.
    p_value: that the replicas prefer the best theory to this one, or this one to it, by chance (Holm).
    """

    name: str
    error: float | None
    mmd: float | None
    grid: float | None
    predicted: float | None
    rotation: float | None
    turns_right: bool | None
    p_value: float | None
    reason: str
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False, repr=False)
class PlaneLadder:
    """The theories of SGD for a model of two parameters, judged by its replicas.

    rows: in the order of the ladder.  swarm: the replicas.
    floor, mmd_floor: the distances that as many replicas keep from their own law, half of those between their halves,
        the largest of four splits.
    rotation: of the replicas, with its standard error.  deviation: theirs, root mean square.  densities: of the rows.

    `fp.ladder(model)` gives one; by hand:

    >>> rows = [PlaneRow(name, error, *[None] * 6, "", ()) for name, error in (("Ito", 0.02), ("Gaussian", 0.1))]
    >>> swarm, still = Swarm(("x", "y"), [0.0], [[[0.0, 1.0]]]), Measured(0.0, 0.1)
    >>> PlaneLadder("mine", tuple(rows), swarm, 0.03, 0.03, still, 1.0, (None, None)).best.name
    'Ito'
    """

    model: str
    rows: tuple[PlaneRow, ...]
    swarm: Swarm
    floor: float
    mmd_floor: float
    rotation: Measured
    deviation: float
    densities: tuple[Density | None, ...]

    def row(self, name: str) -> PlaneRow:
        """The row of one theory; InvalidInput names those there are."""
        for row in self.rows:
            if row.name == name:
                return row
        raise InvalidInput(f"there is no theory {name!r}; there are {', '.join(row.name for row in self.rows)}")

    @property
    def best(self) -> PlaneRow:
        """The theory nearest to the replicas."""
        return min((row for row in self.rows if row.error is not None), key=lambda row: row.error or 0.0)

    @property
    def verdict(self) -> str:
        """In words: which theory is nearest, whether the replicas see its error, and which turn as they do."""
        best = self.best
        assert best.error is not None
        seen = "less" if best.error < self.floor else "more"
        turning = [row.name for row in self.rows if row.turns_right]
        return (
            f"{best.name} is nearest, {best.error:.2g} deviations (sliced W2) from SGD, {seen} than {len(self.swarm)} "
            f"replicas see ({self.floor:.2g}); of the replicas' rotation, {self.rotation.value:.3g} +- "
            f"{self.rotation.error:.1g}, {', '.join(turning) or 'no theory'} knows."
        )

    def facts(self) -> dict[str, Any]:
        """Everything but densities and replicas, for JSON."""
        return {
            "model": self.model,
            "replicas": len(self.swarm),
            "floor": self.floor,
            "MMD floor": self.mmd_floor,
            "rotation": self.rotation._asdict(),
            "deviation": self.deviation,
            "verdict": self.verdict,
            "rows": [asdict(row) for row in self.rows],
        }

    def plot(self, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
        """Errors of the theories as bars, with what was predicted and the sampling floor; returns the Axes."""
        from fpsolve import plot_ladder

        return plot_ladder.plane_errors(self, ax, label=label, log=log)

    def __str__(self) -> str:
        head = f"{'theory':21}{'sliced W2':>10}{'grid':>9}{'predicted':>11}{'MMD':>9}{'rotation':>11}{'p':>9}"
        lines = [self.model, head]
        for row in self.rows:
            if row.error is None:
                lines.append(beside(f"{row.name:21}{'none':>10}", row.reason))
                continue
            told = "" if row.predicted is None else f"{row.predicted:.2g}"
            chance = "" if row.p_value is None else f"{row.p_value:.1g}"
            seen = row.rotation is not None and abs(row.rotation) > ROUNDING * self.rotation.error
            turn = f"{row.rotation if seen else 0.0:.3g}{'' if row.turns_right else ' !'}"
            lines.append(f"{row.name:21}{row.error:10.2g}{row.grid:9.1g}{told:>11}{row.mmd:9.2g}{turn:>11}{chance:>9}")
        lines.append(f"{'sampling':21}{self.floor:10.2g}{'':20}{self.mmd_floor:9.2g}{self.rotation.error:11.1g}")
        return "\n".join([*lines, *wrap(LEGEND, WIDTH), self.verdict])

    def __repr__(self) -> str:
        return f"PlaneLadder({self.model}: {len(self.rows)} theories; {self.verdict})"


def plane_ladder(
    model: FromGradients, *, n: int, steps: int | None, seed: int, predictions: str | Path | None, progress: Progress
) -> PlaneLadder:
    """Judge every theory of SGD for a model of two parameters by n replicas; see `fpsolve.ladder.ladder`."""
    rungs = plane_rungs(model)
    scale = float(np.sqrt(np.trace(model.gaussian().covariance)))
    foretold = _predicted(rungs, scale)
    if predictions is not None:
        facts = {"model": repr(model), "predicted sliced W2": foretold, "rotation": {r.name: r.rotation for r in rungs}}
        Path(predictions).write_text(json.dumps(facts, indent=1) + "\n")
    swarm = _run(model, n, steps, seed, progress)
    x = swarm.positions[-1][swarm.alive()]
    deviation, rotation = float(np.sqrt(x.var(axis=0).sum())), _rotation(swarm, model.learning_rate)
    errors = [None if r.density is None else distance(r.density, x, "sliced W2") / deviation for r in rungs]
    floor, mmd_floor = _floors(x, seed)
    chances = _chances(rungs, errors, x[:SCORED])
    rows = tuple(
        _row(rung, error, x[:PAIRS], deviation, foretold[rung.name], rotation, chance)
        for rung, error, chance in zip(rungs, errors, chances, strict=True)
    )
    densities = tuple(rung.density for rung in rungs)
    return PlaneLadder(repr(model), rows, swarm, floor / deviation, mmd_floor, rotation, deviation, densities)


def _predicted(rungs: Sequence[PlaneRung], scale: float) -> dict[str, float | None]:
    """Each theory's distance from Ito's density, in deviations of the Gaussian."""
    (ito,) = (rung for rung in rungs if rung.name == "Ito")
    found: dict[str, float | None] = {rung.name: None for rung in rungs}
    for rung in rungs:
        if rung.density is not None and ito.density is not None and rung is not ito:
            found[rung.name] = distance(rung.density, ito.density, "sliced W2") / scale
    return found


def _run(model: FromGradients, n: int, steps: int | None, seed: int, progress: Progress) -> Swarm:
    """From the Gaussian at the minimum, ten times the slowest relaxation."""
    slowest = 1.0 / (float(np.linalg.eigvalsh(model.hessian)[0]) * model.learning_rate)
    count = math.ceil(RELAXATIONS * slowest) if steps is None else whole("steps", steps, SHORT + 1)
    last = max(count, SHORT + 1)
    rng = np.random.Generator(np.random.Philox(key=[seed, 1]))
    start = rng.multivariate_normal(model.minimum, model.gaussian().covariance, size=whole("n", n, 1000))
    return model.sgd(last, seed=seed, start=start, record=range(last - SHORT, last + 1), progress=progress)


def _rotation(swarm: Swarm, learning_rate: float) -> Measured:
    """The mean angular momentum of the steps about the mean, over 2 eta sqrt(det S); its error over the replicas."""
    x = swarm.positions[:, swarm.alive()]
    x = x - x[-1].mean(axis=0)
    step, place = np.diff(x, axis=0), x[:-1]
    momentum = (place[..., 0] * step[..., 1] - place[..., 1] * step[..., 0]).mean(axis=0) / learning_rate
    unit = rotation_of(1.0, np.cov(x[-1].T))
    return Measured(float(momentum.mean()) * unit, float(momentum.std(ddof=1)) / math.sqrt(momentum.size) * unit)


def _floors(x: Array, seed: int) -> tuple[float, float]:
    """Half the distances between halves: two samples of n/2 are twice as far from one another as n from their law."""
    rng = np.random.default_rng([seed, 2])
    found = []
    for _ in range(SPLITS):
        mixed = rng.permutation(len(x))
        one, other = x[mixed[: len(x) // 2]], x[mixed[len(x) // 2 :]]
        few = x[mixed[:PAIRS]]
        mmd = distance(few[: len(few) // 2], few[len(few) // 2 :], "MMD")
        found.append((distance(one, other, "sliced W2"), mmd))
    largest = np.max(found, axis=0)
    return 0.5 * float(largest[0]), 0.5 * float(largest[1])


def _chances(rungs: Sequence[PlaneRung], errors: Sequence[float | None], x: Array) -> list[float | None]:
    """Holm-corrected p-values of the replicas having no preference between the best theory and each other."""
    known = [k for k, error in enumerate(errors) if error is not None]
    best = min(known, key=lambda k: errors[k] or 0.0)
    found = {k: plane_scores(density, x) for k in known if (density := rungs[k].density) is not None}
    others = [k for k in known if k != best]
    result: list[float | None] = [None] * len(rungs)
    if others:
        for k, p in zip(others, holm([preference(found[best], found[k]) for k in others]), strict=True):
            result[k] = float(p)
    return result


def _row(
    rung: PlaneRung,
    error: float | None,
    few: Array,
    deviation: float,
    predicted: float | None,
    rotation: Measured,
    chance: float | None,
) -> PlaneRow:
    if rung.coarse is None or rung.rotation is None or rung.grid is None:
        return PlaneRow(rung.name, None, None, None, None, None, None, None, rung.reason, rung.notes)
    right = abs(rung.rotation - rotation.value) < SIGMAS * rotation.error
    mmd = distance(rung.coarse, few, "MMD")  # all pairs of cells: the finer one would cost sixteen times as much
    return PlaneRow(
        rung.name, error, mmd, rung.grid / deviation, predicted, rung.rotation, right, chance, rung.reason, rung.notes
    )
