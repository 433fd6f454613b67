"""Minibatch SGD on real data against its Fokker-Planck equation and against the Gaussian approximation.

A two-layer linear network v = u w learns diabetes progression from one column (442 patients, z-scored) by SGD with
minibatches drawn with replacement; T = learning_rate/batch.  The stationary Fokker-Planck density

    p ~ v^(beta2/(2 T alpha3) - 3/2) C^(-1 - beta2/(4 T alpha3)) exp(-const atan(...)),   T < T_c = beta2/alpha3

predicts the replicas; the Gaussian about the minimum v = beta2/beta1 does not: near T_c the mass moves to v = 0.
Law: Ziyin, Li & Ueda, arXiv 2308.06671.  Data: Efron et al., Ann. Stat. 32 (2004) 407; see cases/data/README.md.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

import fpsolve as fp
from fpsolve.plot_band import draw_in_bins

DATA = Path(__file__).parent / "data" / "diabetes.csv"
RELAXATION_TIMES = 6.0  # of the slowest bound, for SGD to forget its start
RESAMPLES = 200
FAR = 1e-3  # of the mass: the tail that KS does not judge
SGD = "0.35"
COLOURS = {"fokker_planck": "#0072B2", "closed_form": "black", "gaussian": "#D55E00"}  # distinct for the colour-blind
STYLES = {"fokker_planck": "-", "closed_form": ":", "gaussian": "--"}
LABELS = {"sgd": "real minibatch SGD", "fokker_planck": "Fokker-Planck", "gaussian": "Gaussian approximation"}

VERDICTS = {"agrees": "agrees with SGD", "differs": "differs from SGD", "undecided": "too few runs to tell"}
HEADINGS = """T_c           the temperature learning_rate/batch above which all mass falls on v = 0
KS            largest difference between the distribution functions of a law and of the SGD replicas
95 % level    what replicas of the law itself stay below in 95 of 100 runs
visible from  a law at this distance or more would be told from SGD in 95 of 100 runs
tail          thousandths of the replicas beyond the law's own 99.9 % quantile: 1 expected, and the binomial error;
              KS, a difference of shares, does not judge so little"""

Value = fp.Density | fp.ExactDensity | fp.Swarm


def regression(column: str = "sex") -> fp.Regression:
    """One column against progression, both z-scored with the population deviation."""
    with DATA.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    if column not in rows[0] or column == "progression":
        predictors = ", ".join(name for name in rows[0] if name != "progression")
        raise fp.InvalidInput(f"column is {column!r}; {DATA.name} has {predictors}")
    x, y = (np.array([float(row[name]) for row in rows]) for name in (column, "progression"))
    return fp.Regression(x, y).standardized()


def network(fraction: float = 0.3, column: str = "sex", batch: int = 1) -> fp.models.DiagonalNetwork:
    """The two-layer network at temperature `fraction` of T_c."""
    data = regression(column)
    critical = fp.models.DiagonalNetwork(data).critical_temperature
    return fp.models.DiagonalNetwork(data, learning_rate=fraction * critical * batch, batch=batch)


def problem(fraction: float = 0.3, column: str = "sex", batch: int = 1) -> fp.Problem:
    return network(fraction, column, batch).problem()


def solve(
    fractions: tuple[float, ...] = (0.3, 0.6),
    column: str = "sex",
    batch: int = 1,
    replicas: int = 10_000,
    seed: int = 1,
) -> dict[str, Value]:
    """Per temperature (a fraction of T_c): Fokker-Planck and its closed form, SGD that forgot its start, a Gaussian."""
    results: dict[str, Value] = {}
    for fraction in fractions:
        net = network(fraction, column, batch)
        p = fp.stationary(net.problem())
        _, slowest = p.info.relaxation_time
        steps = int(np.ceil(RELAXATION_TIMES * slowest / net.learning_rate))
        results[f"fokker_planck_{fraction:g}"] = p
        results[f"closed_form_{fraction:g}"] = net.exact_density()
        results[f"sgd_{fraction:g}"] = net.sgd(steps, replicas, seed, threads=2).replace(relaxation_time=slowest)
        results[f"gaussian_{fraction:g}"] = net.gaussian()
    return results


def table(results: dict[str, Value]) -> str:
    """Mean, variance, KS distance from real SGD and its tail, with what chance alone allows and what it could see."""
    head = f"{'T/T_c':>6}  {'':22} {'mean':>11} {'variance':>12} {'KS':>8} {'95 % level':>11} {'visible from':>13}"
    lines, notes = [f"{head} {'tail':>14}"], ["", HEADINGS, ""]
    for fraction, parts in _by_fraction(results).items():
        v = _positions(parts)
        notes.append(f"{fraction} T_c: {parts['sgd']!r}")
        mean, variance = v.mean(), v.var(ddof=1)
        errors = (np.sqrt(variance / v.size), np.sqrt(np.var((v - mean) ** 2) / v.size))
        lines.append(f"{fraction:>6}  {LABELS['sgd']:22} {mean:11.6f} {variance:12.4e}")
        lines.append(f"{'':>6}  {'  standard error':22} {errors[0]:11.6f} {errors[1]:12.4e}")
        for kind in ("fokker_planck", "gaussian"):
            against = fp.compare(parts[kind], parts["sgd"], "KS", resamples=RESAMPLES)
            lines.append(
                f"{'':>6}  {LABELS[kind]:22} {parts[kind].mean():11.6f} {parts[kind].var():12.4e} {against.value:8.4f} "
                f"{against.noise_floor:11.4f} {against.smallest_departure:13.4f} {_tail(parts[kind], v):>14}  "
                + VERDICTS[against.verdict]
            )
    return "\n".join([*lines, *notes])


def _tail(law: Value, v: np.ndarray) -> str:
    """The share of the replicas beyond the law's own 99.9 % quantile, in thousandths, with what chance makes of it."""
    share, error = np.mean(v > law.quantile(1.0 - FAR)), np.sqrt(FAR * (1.0 - FAR) / v.size)
    return f"{1e3 * share:.2g} (1 +- {1e3 * error:.2g})"


def figure(results: dict[str, Value]) -> Figure:
    """Per temperature: the density near the minimum, and on logarithmic axes with its divergence at 0 and its tail.

    T_c is the temperature learning_rate/batch above which all mass falls on v = 0.  Lines are shares of SGD replicas
    per bin, means over bins as wide as they are; boxes hold the probabilities of all bins of a panel at once, in 95 of
    100 runs.  In the outermost bins of the tail, where single replicas lie, a line above the curve is inside its box.
    """
    rows = _by_fraction(results)
    drawing = Figure(figsize=(9.6, 3.3 * len(rows) + 0.5), layout="constrained")
    axes = drawing.subplots(len(rows), 2, squeeze=False)
    for (near, wide), (fraction, parts) in zip(axes, rows.items(), strict=True):
        _near(near, parts)
        _wide(wide, parts)
        near.set_title(f"$T = {fraction}\\,T_c$: the bulk", loc="left")
        wide.set_title(f"$T = {fraction}\\,T_c$: toward 0, and the tail", loc="left")
    handles, labels = axes[0][0].get_legend_handles_labels()
    drawing.legend(handles, labels, loc="outside upper center", ncols=5, frameon=False, fontsize="small")
    return drawing


def _by_fraction(results: dict[str, Value]) -> dict[str, dict[str, Value]]:
    rows: dict[str, dict[str, Value]] = {}
    for key, value in results.items():
        kind, _, fraction = key.rpartition("_")
        rows.setdefault(fraction, {})[kind] = value
    return rows


def _positions(parts: dict[str, Value]) -> np.ndarray:
    swarm = parts["sgd"]
    return swarm.positions[-1, swarm.alive(), 0]


def _near(ax: Axes, parts: dict[str, Value]) -> None:
    """Linear axes about the bulk; the Gaussian's share of v < 0, which SGD never visits, is in view."""
    p = parts["fokker_planck"]
    lo, hi = -0.6 * parts["gaussian"].mean(), float(p.quantile(0.995))
    edges = np.linspace(0.0, hi, 41)
    ax.plot([], [], color=SGD, lw=1.0, label=f"{LABELS['sgd']}, per bin")
    draw_in_bins(ax, _positions(parts), edges, colour=SGD, label="its 95 % band, all bins at once")
    _laws(ax, parts, np.linspace(lo, hi, 700))
    top = float(p.cdf(edges[1])) / edges[1]  # p itself may diverge at 0
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.set(xlim=(lo, hi), ylim=(0.0, 1.15 * max(top, float(p(edges[1:]).max()))))


def _wide(ax: Axes, parts: dict[str, Value]) -> None:
    """Both axes logarithmic, over the range that the replicas reach."""
    v, p = _positions(parts), parts["fokker_planck"]
    edges = np.geomspace(*p.quantile(np.array([20.0 / v.size, 1.0 - 0.1 / v.size])), 31)
    draw_in_bins(ax, v, edges, colour=SGD)
    x = np.geomspace(edges[0], 2.0 * edges[-1], 600)
    _laws(ax, parts, x)
    shown = p(edges)
    ax.set(xscale="log", yscale="log", xlim=(x[0], x[-1]), ylim=(0.03 * shown.min(), 10.0 * shown.max()))


def _laws(ax: Axes, parts: dict[str, Value], x: np.ndarray) -> None:
    """The theories' densities; those on v > 0 only there."""
    for kind, style in STYLES.items():
        at = x if kind == "gaussian" else x[x > 0.0]
        ax.plot(at, parts[kind](at), style, color=COLOURS[kind], lw=1.8, label=LABELS.get(kind, "closed form"))
    ax.set(xlabel="$v = u\\,w$ (dimensionless)", ylabel="$p(v)$ (per unit of $v$)")
