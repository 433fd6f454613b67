"""Which theory of SGD is right?  Fifteen columns of real data, three learning rates, and every theory against the law.

A two-layer linear network v = u w learns a target from one z-scored column by single samples; its exact law is known
without Monte Carlo (`fp.transfer`), so that each theory's error is its own.  The skewness of the samples' gradients
decides: with little of it the corrected equations are right to 1e-4 and better, with much (breast cancer's
`worst_radius`, 6) every diffusion fails, and a wrong one may win by chance.
Data: cases/data/README.md.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp

DATA = Path(__file__).parent / "data"
COLUMNS = (
    "diabetes/sex", "diabetes/age", "diabetes/bmi", "diabetes/bp", "diabetes/s1", "diabetes/s5",
    "breast_cancer/worst_radius", "breast_cancer/worst_texture", "breast_cancer/worst_smoothness",
    "digits/pixel_52", "digits/pixel_27", "wine/proline", "wine/color_intensity", "wine/flavanoids",
)  # fmt: skip
FRACTIONS = (0.03, 0.1, 0.3)  # of the critical temperature
SHOWN = ("gaussian", "Langevin", "Stratonovich", "Ito", "finite rate", "third cumulant")


def regression(column: str) -> fp.Regression:
    """`file/column` against the file's last column, both z-scored with the population deviation."""
    name, _, predictor = column.partition("/")
    path = DATA / f"{name}.csv"
    known = sorted(file.stem for file in DATA.glob("*.csv"))
    if name not in known:
        raise fp.InvalidInput(f"column is {column!r}; give file/column, the file one of {', '.join(known)}")
    with path.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    *predictors, target = rows[0]
    if predictor not in predictors:
        raise fp.InvalidInput(f"column is {column!r}; {path.name} has {', '.join(predictors)}")
    x, y = (np.array([float(row[key]) for row in rows]) for key in (predictor, target))
    return fp.Regression(x, y).standardized()


def network(column: str, fraction: float) -> fp.models.DiagonalNetwork:
    """The two-layer network at `fraction` of the critical temperature, batch 1."""
    data = regression(column)
    critical = fp.models.DiagonalNetwork(data).critical_temperature
    return fp.models.DiagonalNetwork(data, learning_rate=fraction * critical)


def solve(
    columns: tuple[str, ...] = COLUMNS,
    fractions: tuple[float, ...] = FRACTIONS,
    replicas: int = 20_000,
    seed: int = 1,
) -> Iterator[tuple[str, fp.Ladder]]:
    """A ladder per column and learning rate; those without a stationary law of SGD are left out."""
    for column in columns:
        for fraction in fractions:
            try:
                found = fp.ladder(network(column, fraction), n=replicas, seed=seed)
            except fp.NotConverged:
                continue  # steps leave every interval: SGD has no stationary law at this learning rate
            yield f"{column.replace('/', '.')} at {fraction:g}", found


def table(results: dict[str, fp.Ladder]) -> str:
    """Per column and learning rate (over its critical one): the winner, and what the predictions were worth."""
    head = f"{'column':34}{'T/T_c':>6}{'skewness':>9}{'eta rate':>9}  {'best theory':17}{'KS':>8}{'Ito':>8}"
    lines = [head + f"{'gaussian':>9}{'seen from':>10}{'hits':>7}"]
    for name, found in results.items():
        column, _, fraction = name.rpartition(" at ")
        told = [row for row in found.rows if row.hit is not None]
        errors = "".join(_number(found, theory, width) for theory, width in (("Ito", 8), ("gaussian", 9)))
        lines.append(
            f"{column:34}{fraction:>6}{found.skewness:9.2f}{found.contraction:9.2g}  {found.best.name:17}"
            f"{found.best.error:8.2g}{errors}{found.floor or np.nan:10.2g}"
            f"{sum(bool(row.hit) for row in told):4}/{len(told)}"
        )
    return "\n".join(lines)


def figure(results: dict[str, fp.Ladder]) -> Figure:
    """Errors of six theories over the skewness of the samples' gradients, a panel per learning rate."""
    fractions = sorted({name.rpartition(" at ")[2] for name in results}, key=float)
    drawing = Figure(figsize=(3.6 * len(fractions) + 1.6, 4.2), layout="constrained")
    panels = drawing.subplots(1, len(fractions), squeeze=False, sharey=True)[0]
    marks, colours = "osD^vP", ("#0072B2", "#D55E00", "#CC79A7", "#56B4E9", "#E69F00", "#009E73")
    for ax, fraction in zip(panels, fractions, strict=True):
        chosen = [found for name, found in results.items() if name.rpartition(" at ")[2] == fraction]
        for theory, mark, colour in zip(SHOWN, marks, colours, strict=True):
            rows = [(abs(found.skewness), found.row(theory).error) for found in chosen]
            points = np.array([row for row in rows if row[1] is not None])
            ax.plot(*points.T, mark, ms=5, color=colour, label=theory, alpha=0.85)
        if chosen[0].floor is not None:
            ax.axhline(chosen[0].floor, color="grey", lw=0.8, ls="--", label=f"seen by {len(chosen[0].swarm)} replicas")
        ax.set(xscale="log", yscale="log", xlabel="|skewness| of a sample's gradient")
        ax.set_title(f"$T = {float(fraction):g}\\,T_c$, {len(chosen)} columns", loc="left", fontsize="medium")
    panels[0].set_ylabel("KS distance from the exact law of SGD")
    handles, labels = panels[0].get_legend_handles_labels()
    drawing.legend(handles, labels, loc="outside right center", frameon=False, fontsize="small")
    return drawing


def _number(found: fp.Ladder, theory: str, width: int) -> str:
    error = found.row(theory).error
    return f"{'none' if error is None else format(error, '.2g'):>{width}}"
