"""The ladder as a value: theories of SGD in rows, each judged by the law that SGD has."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from fpsolve.errors import InvalidInput
from fpsolve.rungs import Measured
from fpsolve.validity import HOLDS, Validity
from fpsolve.values.density import Density
from fpsolve.values.swarm import Swarm

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["GOOD", "WIDTH", "Ladder", "Row", "beside"]

GOOD = 0.01  # KS: closer than that a theory counts as right
WIDTH = 140  # of a printed table
LEGEND = (
    "grid: what of the KS distance may be the theory's own grid.  predicted: the distance foretold before any replica "
    f"ran; !: on the wrong side of {GOOD:g}.  validity: the largest of the theory's small numbers; -: not below "
    f"{HOLDS:g}, not expected to hold.  fitted: parameters taken from replicas.  p: of no preference of replicas "
    "held out between this theory and the best (Holm)."
)


@dataclass(frozen=True)
class Row:
    """One theory of the ladder.

    error: KS distance of its density from the exact law; None where it has no density, and `reason` says why.
    grid: what the theory's own grid has in it, bounded by half as many cells; the rest is the theory's.
    predicted: the error foretold without any replica.  hit: whether prediction and truth fall on one side of GOOD.
    validity: the largest of the theory's small numbers (fpsolve/validity.py); None for theories with fitted parameters.
    fitted: parameters measured on the half of the replicas that it is not judged by.
    p_value: that SGD's held-out replicas prefer the best theory to this one, or this one to it, by chance alone,
        corrected for the number of theories (Holm); None for the best itself and without particles.
    """

    name: str
    error: float | None
    grid: float | None
    predicted: float | None
    hit: bool | None
    validity: Validity | None
    fitted: int
    p_value: float | None
    reason: str
    notes: tuple[str, ...]

    @property
    def expected(self) -> bool | None:
        """Whether the theory's small number said that it would hold."""
        return None if self.validity is None else self.validity.value < HOLDS


@dataclass(frozen=True, eq=False, repr=False)
class Ladder:
    """The theories of SGD for one model, judged by the law that it has.

    coordinate: the axis.  rows: in the order of the ladder.
    truth: the exact law's density, or SGD's held-out replicas where there is none.
    floor: the KS distance that as many replicas as were held out would keep from their own law with probability .95;
        None without any.  truth_error: KS between the exact law on its nodes and on half as many; None for replicas.
    contraction: learning_rate times the rate of return, skewness: of a sample's gradient: where theories begin to fail.
    densities: of the rows, in their order.  notes: what was warned of on the way, of the exact law first.
    swarm, held_out: all replicas, and the half that judges; measured: what the other half says of noise and memory; all
        None without replicas.

    >>> import fpsolve as fp
    >>> data = fp.Regression.synthetic(200, noise=1.0, seed=3)
    >>> found = fp.ladder(fp.models.DiagonalNetwork(data, depth=0, learning_rate=0.01), particles=False)
    >>> found.row("Ito").error < 0.01 < found.row("tempered posterior").error
    True
    """

    model: str
    coordinate: str
    rows: tuple[Row, ...]
    truth: Density | Swarm
    truth_error: float | None
    densities: tuple[Density | None, ...]
    contraction: float
    skewness: float
    swarm: Swarm | None
    held_out: Swarm | None
    floor: float | None
    measured: Measured | None
    notes: tuple[str, ...]

    def row(self, name: str) -> Row:
        """The row of one theory; InvalidInput names those there are."""
        for row in self.rows:
            if row.name == name:
                return row
        raise InvalidInput(f"there is no theory {name!r}; there are {', '.join(row.name for row in self.rows)}")

    @property
    def best(self) -> Row:
        """The theory nearest to the exact law; of equals the one with the fewest fitted parameters."""
        return min((row for row in self.rows if row.error is not None), key=lambda row: (row.error, row.fitted))

    @property
    def right(self) -> bool:
        """Whether any theory is: the best one's error is below GOOD.  A best one that is not may be so by chance."""
        best = self.best.error
        return best is not None and best < GOOD

    @property
    def hits(self) -> tuple[int, int]:
        """Of how many theories the prediction was right, and of how many there was one."""
        told = [row.hit for row in self.rows if row.hit is not None]
        return sum(told), len(told)

    @property
    def validity_hits(self) -> tuple[int, int]:
        """The same of their small numbers: below HOLDS for an error below GOOD."""
        told = [row.expected == (row.error < GOOD) for row in self.rows if row.error is not None and row.validity]
        return sum(told), len(told)

    @property
    def verdict(self) -> str:
        """In words: which theory wins and by how much, whether any is right, and what the predictions were worth."""
        best = self.best
        assert best.error is not None
        others = [row.error for row in self.rows if row.error is not None and row is not best and not row.fitted]
        ahead = f", {min(others) / best.error:.2g} times nearer than the next" if others and best.error else ""
        coarse = f" (its grid may be {best.grid:.1g} of it)" if best.grid and best.grid > 0.1 * best.error else ""
        found = f"{best.name} is {best.error:.2g} (KS) from the law of SGD{coarse}{ahead}"
        if not self.right:
            found = f"No theory is right to {GOOD:g}: the nearest, {found}"
        if self.floor is not None and self.held_out is not None:
            seen = "less" if best.error < self.floor else "more"
            found += f"; {seen} than {len(self.held_out)} replicas could see ({self.floor:.2g})"
        told, numbers = self.hits, self.validity_hits
        return (
            f"{found}; predictions of validity held for {told[0]} of {told[1]} theories (by their small numbers alone, "
            f"{numbers[0]} of {numbers[1]})."
        )

    def facts(self) -> dict[str, Any]:
        """Everything but the densities, for JSON."""
        return {
            "model": self.model,
            "coordinate": self.coordinate,
            "contraction per step": self.contraction,
            "skewness": self.skewness,
            "sampling floor": self.floor,
            "error of the exact law": self.truth_error,
            "measured": None if self.measured is None else asdict(self.measured),
            "verdict": self.verdict,
            "notes": self.notes,
            "rows": [asdict(row) | {"expected": row.expected} for row in self.rows],
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
        head = f"{'theory':19}{'KS to law':>10}{'grid':>9}{'predicted':>11}{'validity':>10}{'fitted':>8}{'p':>9}"
        lines = [self.model, head, *(_line(row) for row in self.rows)]
        if self.floor is not None and self.held_out is not None:
            lines.append(f"{'sampling':19}{self.floor:10.2g}  of {len(self.held_out)} replicas held out (95 %)")
        if self.truth_error is not None:
            lines.append(f"{'exact law':19}{self.truth_error:10.2g}  its own error")
        return "\n".join([*lines, *wrap(LEGEND, WIDTH), self.verdict, *(f"note: {note}" for note in self.notes)])

    def __repr__(self) -> str:
        return f"Ladder({self.model}: {len(self.rows)} theories; {self.verdict})"


def beside(figures: str, reason: str) -> str:
    """A line of a table and a sentence beside it, whole, on as many lines as it takes."""
    indent = len(figures) + 2
    return f"{figures}  " + f"\n{' ' * indent}".join(wrap(reason, WIDTH - indent)) if reason else figures.rstrip()


def _line(row: Row) -> str:
    if row.error is None:
        return beside(f"{row.name:19}{'none':>10}", row.reason)
    grid = "" if row.grid is None else f"{row.grid:.1g}"
    told = "" if row.predicted is None else f"{row.predicted:.2g}{'' if row.hit else ' !'}"
    number = "" if row.validity is None else f"{row.validity.value:.2g}{'' if row.expected else ' -'}"
    chance = "" if row.p_value is None else f"{row.p_value:.1g}"
    figures = f"{row.name:19}{row.error:10.2g}{grid:>9}{told:>11}{number:>10}{row.fitted:8d}{chance:>9}"
    return beside(figures, row.reason)
