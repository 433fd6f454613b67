"""Which model of SGD is right?  Every theory's density against the law that SGD really has.

    error = KS(theory, exact law) = grid + continuous time, against the sampling floor of n replicas

The exact law is `transfer`'s, without Monte Carlo; where a model has none, replicas of SGD stand for it.  Before any
replica runs, each theory's error is predicted: by its distance from the highest rung that has a density.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fpsolve.checks import whole
from fpsolve.distance import distance
from fpsolve.errors import FpsolveWarning, InvalidInput
from fpsolve.ladder_plane import PlaneLadder, plane_ladder
from fpsolve.ladder_runs import Trajectories, trajectories
from fpsolve.ladder_table import GOOD, Ladder, Row
from fpsolve.models.from_gradients import FromGradients
from fpsolve.models.subject import HasSubject, Subject
from fpsolve.paired_scores import holm, preference, scores
from fpsolve.progress import Progress, reporting
from fpsolve.rungs import Rung, measured_rungs, plain_rungs
from fpsolve.transfer import transfer
from fpsolve.validity import HOLDS, Validity, validity_of
from fpsolve.values.density import Density
from fpsolve.values.swarm import Swarm

__all__ = ["Ladder", "PlaneLadder", "Row", "ladder"]

TOP = ("third cumulant", "finite rate", "exact moments", "Ito")  # the highest rungs, best first
LEVEL = 0.95
STAGES = 3  # theories without replicas; replicas; what is measured on them, and the exact law
NODES = 1000  # of the exact law
REPLICAS = 20_000, 100_000  # unless given: of one parameter, of two


def ladder(
    model: HasSubject,
    *,
    n: int | None = None,
    steps: int | None = None,
    seed: int = 1,
    particles: bool = True,
    predictions: str | Path | None = None,
    progress: Progress = None,
) -> Ladder | PlaneLadder:
    """Judge every theory of SGD for a model by the law that its SGD has.

    model: a DiagonalNetwork with data, or FromGradients of one parameter, or of two: then replicas are the truth, and
        theories are judged by where they are (sliced W2, MMD) and by how they turn (fpsolve/ladder_plane.py).
    n, steps: replicas of real SGD (20 000, or 100 000 in two parameters), and how long they run (10 relaxation times
        unless given) from starts drawn from Ito's law, or in two parameters from the Gaussian.  seed: of them.
        particles=False leaves them out, and with them what is measured on trajectories.
    predictions: a JSON file that the predicted errors are written to before any replica runs.
    progress: of the stages, and of the replicas' steps: bars where standard error is a terminal; True shows them
        anywhere; a function is told of the steps.  A step of FromGradients costs n times `batch` gradients, measuring
        the noise n times all samples: minutes for batches of hundreds; fewer replicas (n) cost less.

    Returns a Ladder: `.rows`, `.best`, `.right`, `.verdict`, `.plot()`; printed, it is a table.  In two parameters a
    PlaneLadder.
    What is fitted (index of the noise, memory) is fitted on one half of the replicas, and judged on the other: by the
    exact law, with paired scores of the held-out half and Holm-corrected p-values; so a fitted parameter has to pay for
    itself, and of equals the theory with the fewest is best.  Without an exact law the held-out half is the truth.
    Raises InvalidInput for models of another kind; what `transfer` and the model raise.

    >>> import fpsolve as fp
    >>> data = fp.Regression.synthetic(200, noise=1.0, seed=3)
    >>> mine = fp.models.FromGradients(lambda v, x, y: 2 * (v * x - y) * x, data, learning_rate=0.01, batch=1)
    >>> found = fp.ladder(mine, n=2000, progress=False)
    >>> found.best.name, found.right, found.row("stable noise").reason
    ('third cumulant', True, 'index 2, no heavy tails: Gaussian noise, as Ito')
    """
    if not isinstance(model, HasSubject):
        raise InvalidInput(
            f"model is {type(model).__name__}; the ladder needs one with a method subject: a DiagonalNetwork with "
            "data, or FromGradients"
        )
    if isinstance(model, FromGradients) and model.ndim == 2:
        if not particles:
            raise InvalidInput(
                "particles is False; in two parameters no exact law is known, and replicas are the truth"
            )
        count = REPLICAS[1] if n is None else n
        return plane_ladder(model, n=count, steps=steps, seed=seed, predictions=predictions, progress=progress)
    subject, n = model.subject(), whole("n", REPLICAS[0] if n is None else n, 1000)
    with reporting(STAGES, False if callable(progress) else progress, "ladder") as tell:
        rungs, validity = plain_rungs(subject), validity_of(subject)
        tell(1)
        foretold = _predicted(rungs)
        if predictions is not None:
            _write(Path(predictions), repr(model), foretold, validity)
        runs = trajectories(subject, _start(rungs), n, steps, seed, progress) if particles else None
        tell(2)
        if runs is not None:
            rungs = [*rungs, *measured_rungs(subject, runs.measured, rungs)]
        truth, truth_error, notes = _truth(subject, runs)
        tell(STAGES)
    errors = [None if rung.density is None else distance(rung.density, truth, "KS") for rung in rungs]
    chances = [None] * len(rungs) if runs is None else _chances(rungs, errors, runs, truth)
    rows = tuple(
        _row(rung, error, foretold.get(rung.name), validity.get(rung.name), chance)
        for rung, error, chance in zip(rungs, errors, chances, strict=True)
    )
    return Ladder(
        model=repr(model),
        coordinate=subject.name,
        rows=rows,
        truth=truth,
        truth_error=truth_error,
        densities=tuple(rung.density for rung in rungs),
        contraction=subject.learning_rate * subject.rate,
        skewness=subject.skewness,
        swarm=None if runs is None else runs.swarm,
        held_out=None if runs is None else runs.held_out,
        floor=None if runs is None else _floor(len(runs.held_out)),
        measured=None if runs is None else runs.measured,
        notes=tuple(dict.fromkeys([*notes, *(f"{rung.name}: {note}" for rung in rungs for note in rung.notes)])),
    )


def _predicted(rungs: Sequence[Rung]) -> dict[str, float | None]:
    """Each theory's distance from the highest that has a density; the highest's own, from the next below it."""
    known = {rung.name: rung.density for rung in rungs if rung.density is not None}
    names = [name for name in TOP if name in known]
    found: dict[str, float | None] = {rung.name: None for rung in rungs}
    for name, density in known.items():
        above = [other for other in names if other != name][:1]
        found[name] = distance(density, known[above[0]], "KS") if above else None
    return found


def _write(path: Path, model: str, foretold: dict[str, float | None], validity: dict[str, Validity]) -> None:
    facts = {
        "model": model,
        "predicted KS": foretold,
        "counts as right below": GOOD,
        "validity": {name: one._asdict() for name, one in validity.items()},
        "expected to hold below": HOLDS,
    }
    path.write_text(json.dumps(facts, indent=1) + "\n")


def _start(rungs: Sequence[Rung]) -> Density:
    for name in ("Ito", "gaussian"):
        for rung in rungs:
            if rung.name == name and rung.density is not None:
                return rung.density
    raise InvalidInput("neither Ito's equation nor a Gaussian has a density here, so replicas have nowhere to start")


def _truth(subject: Subject, runs: Trajectories | None) -> tuple[Density | Swarm, float | None, list[str]]:
    """The law to judge by, its own error, and what was warned of it."""
    if subject.random_map is None:
        if runs is None:
            raise InvalidInput(
                "this model has no exact law (drawn without replacement): the ladder needs particles=True"
            )
        return runs.held_out, None, []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FpsolveWarning)
        law = transfer(subject.random_map, NODES)
        density = law.stationary()
    notes = [str(w.message) for w in caught if issubclass(w.category, FpsolveWarning)]
    ends = sorted((float(law.positions[0]), float(law.positions[-1])))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FpsolveWarning)  # the finer one has been heard
        coarse = transfer(subject.random_map, NODES // 2, domain=(ends[0], ends[1])).stationary()
    return density, distance(density, coarse, "KS"), notes


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


def _row(
    rung: Rung, error: float | None, predicted: float | None, validity: Validity | None, chance: float | None
) -> Row:
    hit = None if error is None or predicted is None else (error < GOOD) == (predicted < GOOD)
    return Row(
        rung.name, error, rung.grid, predicted, hit, validity, rung.fitted, chance, rung.reason, rung.notes
    )  # fmt: skip


def _floor(n: int) -> float:
    from scipy.stats import kstwo

    return float(kstwo.ppf(LEVEL, n))
