"""Two modes of a diagonal network leave the saddle at 0 one after the other: which first, when, and with what chance.

Labels y = s_1 x_1 + s_2 x_2 + noise on inputs x_i = +-1.  The product v_i of the two layers of mode i follows, balanced
and apart from the other's error,

    dv = 4 v (s_i - v + T sigma^2) dt + 4 v sqrt(T sigma^2) dW,   T = learning rate/batch, sigma^2 the labels' variance,

from a small start.  A mode is learned where v_i > LEARNED s_i; which of them are names the regions 00, 10, 01, 11.
The plane is asked for what the line gives too, since the modes are independent: with S_i(t) the chance that mode i is
not learned yet, and f_i = -S_i',

    P(1 first) = int f_1 S_2 dt,   <first> = int S_1 S_2 dt,   <both> = int 1 - (1 - S_1)(1 - S_2) dt,

and with q_i(t) the chance that v_i is above its threshold at t, region 10 holds q_1 (1 - q_2).
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp

STRENGTHS = (1.0, 0.9)
LEARNED = 0.3  # of its strength: where a mode counts as learned
START = 1e-3
TEMPERATURE, VARIANCE = 0.05, 1.0
REGIONS = ("00", "10", "01", "11")
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
MARKS = "osD^"
Strengths = tuple[float, ...]


def mode(strength: float, temperature: float = TEMPERATURE) -> fp.Process:
    """One mode: the balanced law of two layers whose only noise is the labels'."""
    moments = fp.Moments(0.0, 0.0, VARIANCE, 1.0, strength)
    return fp.models.DiagonalNetwork.from_moments(moments, temperature, depth=1).process()


def axis(cells: int) -> fp.Axis:
    """ln v in equal cells, with START on a node (for a cell count divisible by 4)."""
    step = np.log(8.0 / START) / (0.75 * cells - 0.5)
    return fp.Axis.log(START * np.exp(-(0.25 * cells + 0.5) * step), 8.0, cells)


def line(strength: float, temperature: float = TEMPERATURE, cells: int = 800) -> fp.Problem:
    """One mode alone."""
    return fp.Problem(mode(strength, temperature), fp.Grid(v=axis(cells)))


def plane(strengths: Strengths = STRENGTHS, temperature: float = TEMPERATURE, cells: int = 128) -> fp.Problem:
    """Both modes."""
    one, two = (mode(s, temperature) for s in strengths)
    process = fp.Process(
        lambda v, w: (one.drift(v) + 0.0 * w, two.drift(w) + 0.0 * v),
        lambda v, w: (one.diffusion(v) + 0.0 * w, two.diffusion(w) + 0.0 * v),
    )
    return fp.Problem(process, fp.Grid(v=axis(cells), w=axis(cells)))


def below(strengths: Strengths = STRENGTHS) -> tuple[tuple[None, float], ...]:
    """Region 00."""
    return tuple((None, LEARNED * s) for s in strengths)


def not_both(strengths: Strengths = STRENGTHS):
    """Positive until both modes are learned."""
    a, b = (LEARNED * s for s in strengths)
    return lambda v, w: np.log(np.maximum(a / v, b / w))


def solve(
    strengths: Strengths = STRENGTHS, temperature: float = TEMPERATURE, until: float = 3.0, times: int = 13,
    cells: int = 96,
) -> dict[str, fp.Field]:  # fmt: skip
    """By where both start: the chance that 1 is learned first, the mean times to the first and to both.

    And over time from START, the chance of each region, in the plane and from the two lines.
    """
    pr = plane(strengths, temperature, cells)
    moments = np.linspace(0.0, until, times)
    found = {
        "chance": fp.exit_probability(pr, below(strengths), through=("v", "upper")),
        "first": fp.mean_exit_time(pr, below(strengths)),
        "both": fp.mean_exit_time(pr, not_both(strengths)),
    }
    often = np.linspace(0.0, until, 6 * times - 5)
    seen, exact = kernel(strengths, temperature, moments, cells), by_lines(strengths, temperature, often, 4 * cells)
    for k, name in enumerate(REGIONS):
        found[name] = over_time(moments, seen[k], f"region {name}")
        found[f"{name} by lines"] = over_time(often, exact[k], f"region {name}")
    return found


def over_time(times: np.ndarray, values: np.ndarray, name: str) -> fp.Field:
    """A Field whose nodes are the times."""
    half = 0.5 * (times[1] - times[0])
    return fp.Field(fp.Grid(time=(times[0] - half, times[-1] + half, times.size)), values, name)


def kernel(strengths: Strengths, temperature: float, times: np.ndarray, cells: int = 96) -> np.ndarray:
    """The row of the transition kernel that starts in 00, at START: chances of the regions (4, times), in the plane."""
    a, b = (np.log(LEARNED * s) for s in strengths)
    path = fp.evolve(plane(strengths, temperature, cells), fp.Point(START, START), times)
    one = np.array([p.probability(lambda v, w: np.log(v) - a + 0.0 * w) for p in path])
    two = np.array([p.probability(lambda v, w: np.log(w) - b + 0.0 * v) for p in path])
    none = np.array([p.probability(lambda v, w: np.minimum(a - np.log(v), b - np.log(w))) for p in path])
    return np.stack([none, 1.0 - none - two, 1.0 - none - one, one + two + none - 1.0])


def by_lines(strengths: Strengths, temperature: float, times: np.ndarray, cells: int = 400) -> np.ndarray:
    """The same from one mode at a time."""
    one, two = (
        np.array([p.probability(lambda v, s=s: np.log(v / (LEARNED * s))) for p in path])
        for s in strengths
        for path in [fp.evolve(line(s, temperature, cells), fp.Point(START), times)]
    )
    return np.stack([(1 - one) * (1 - two), one * (1 - two), (1 - one) * two, one * two])


def competition(
    strengths: Strengths = STRENGTHS, temperature: float = TEMPERATURE, cells: int = 800
) -> tuple[float, float, float]:
    """P(1 first), <first> and <both> from the two lines."""
    times = np.linspace(0.0, 8.0, 801)[1:]
    one, two = (
        fp.survival(line(s, temperature, cells), fp.Point(START), times, inside=(None, LEARNED * s)) for s in strengths
    )
    a, b = (np.append(1.0, run.probability) for run in (one, two))
    rate = np.append(0.0, one.exit_density)
    step = times[0]
    return tuple(float(np.trapezoid(part, dx=step)) for part in (rate * b, a * b, a + b - a * b))  # type: ignore[return-value]


def figure(results: dict[str, fp.Field]) -> Figure:
    """Which mode is first and how long both take, by where they start; and the regions over time.

    White: starts where a mode has been learned already.
    """
    drawing = Figure(figsize=(14.0, 4.2), layout="constrained")
    chance, time, shares = drawing.subplots(1, 3)
    first = results["chance"]
    undecided = first.replace(values=np.where(results["first"].values > 0, first.values, np.nan))
    for ax, field, title, unit in (
        (chance, undecided, "chance that mode 1 is learned first", "chance (of 1)"),
        (time, results["both"], "mean time until both are learned", "mean time (steps × learning rate)"),
    ):
        field.plot(ax, label=unit)
        ax.plot(START, START, "x", color="white", ms=8, mew=2)
        ax.annotate("start", (START, START), (6, 4), textcoords="offset points", color="white")
        ax.set(xlabel="start $v_1$ (dimensionless)", ylabel="start $v_2$ (dimensionless)")
        ax.set_title(title, loc="left", fontsize="medium")
    for name, colour, mark in zip(REGIONS, COLOURS, MARKS, strict=True):
        seen, exact = results[name], results[f"{name} by lines"]
        shares.plot(seen.grid.nodes[0], seen.values, mark, color=colour, ms=5, label=f"region {name}")
        shares.plot(exact.grid.nodes[0], exact.values, "-", color=colour, lw=1.2)
    shares.set(xlabel="time $t$ (steps × learning rate)", ylabel="chance (of 1)")
    shares.set_title("from 00: plane (marks), two lines (curves)", loc="left", fontsize="medium")
    shares.legend(frameon=False)
    return drawing
