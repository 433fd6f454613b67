"""Exit times and exit chances in closed form, and the well that has none: Kramers' problem.

    (1 - x^2)/(2 D)                                      free, from (-1, 1)
    (2 h - 1 - x)/mu,  h = (1 - e^(-mu (1+x)/D))/(1 - e^(-2 mu/D))    drift mu; h: the chance to leave at 1
    (1 - x' M x)/(2 tr(M D))                             constant tensor D, from the ellipse x' M x < 1
    2 pi exp(Delta L/T)/sqrt(L''(-1) |L''(0)|)           over the barrier of L = (x^2 - 1)^2/4, as T -> 0

Gardiner (2009), section 5.5.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp

TENSOR = (1.0, 0.4, 0.5)  # D_xx, D_xy, D_yy
COLOURS = ("#0072B2", "#D55E00", "#009E73")


def free(x, D=1.0):
    return (1.0 - x**2) / (2.0 * D)


def upper_chance(x, drift=1.0, D=1.0):
    """h above: the chance to leave (-1, 1) at 1."""
    return np.expm1(-drift * (1.0 + x) / D) / np.expm1(-2.0 * drift / D)


def drifted(x, drift=1.0, D=1.0):
    return (2.0 * upper_chance(x, drift, D) - 1.0 - x) / drift


def elliptic(x, y, semi_axes=(1.0, 1.0), tensor=TENSOR):
    a, b = semi_axes
    return (1.0 - (x / a) ** 2 - (y / b) ** 2) / (2.0 * (tensor[0] / a**2 + tensor[2] / b**2))


def interval(drift: float = 0.0, D: float = 1.0, cells: int = 100) -> fp.Problem:
    """Constant drift and diffusion on a grid wider than (-1, 1)."""
    return fp.Problem(fp.Process(drift, D), fp.Grid(x=(-1.5, 1.5, cells)))


def ellipse(semi_axes: tuple[float, ...] = (1.0, 1.0), tensor: tuple[float, ...] = TENSOR, cells: int = 64) -> fp.Field:
    """The mean exit time from an ellipse that the cells do not follow: its zero cuts their edges."""
    a, b = semi_axes
    xx, xy, yy = tensor
    grid = fp.Grid(x=(-1.1 * a, 1.1 * a, cells), y=(-1.1 * b, 1.1 * b, cells))
    walk = fp.Problem(fp.Process((0.0, 0.0), ((xx, xy), (xy, yy))), grid)
    return fp.mean_exit_time(walk, inside=lambda x, y: 1.0 - (x / a) ** 2 - (y / b) ** 2)


def well(temperature: float = 0.1, target: float = 1.0, cells: int = 400) -> fp.Field:
    """The mean time to reach `target` from below in L = (x^2 - 1)^2/4."""
    pr = fp.Problem(fp.Process(lambda x: x - x**3, temperature), fp.Grid(x=(-3, 3, cells)))
    return fp.mean_exit_time(pr, inside=(None, target))


def kramers(temperature: float) -> float:
    """Kramers' mean time from -1 to 1."""
    return float(2.0 * np.pi / np.sqrt(2.0) * np.exp(0.25 / temperature))


def solve(drift: float = 3.0, D: float = 1.0, temperature: float = 0.1, cells: int = 64) -> dict[str, fp.Field]:
    """Exit times from an interval, a drifted one (and the chance to leave it above), a disc and a well."""
    moved = interval(drift, D)
    return {
        "free": fp.mean_exit_time(interval(0.0, D), inside=(-1, 1)),
        "drifted": fp.mean_exit_time(moved, inside=(-1, 1)),
        "chance": fp.exit_probability(moved, inside=(-1, 1), through="upper"),
        "disc": ellipse(cells=cells),
        "well": well(temperature),
    }


def figure(results: dict[str, fp.Field]) -> Figure:
    """Times and chances over the start; the disc; and the plateau of the well, on both sides of its barrier."""
    drawing = Figure(figsize=(14.0, 4.2), layout="constrained")
    line, disc, deep = drawing.subplots(1, 3)
    for name, mark, colour in zip(("free", "drifted", "chance"), ("-", "--", ":"), COLOURS, strict=True):
        found = results[name]
        x = found.grid.nodes[0]
        inside = np.abs(x) <= 1
        label = {"free": "time, no drift", "drifted": "time, with drift", "chance": "chance to leave at 1"}[name]
        line.plot(x[inside], found.values[inside], mark, color=colour, lw=2, label=label)
    line.set(xlabel="start $x$ (half widths)", ylabel="mean exit time ($1/D$), or chance", ylim=(0, None))
    line.legend(frameon=False)
    results["disc"].plot(disc, label="mean exit time (radius²/D)")
    disc.set_title("mean exit time of a disc", loc="left", fontsize="medium")
    disc.set(xlabel="start $x$ (radii)", ylabel="start $y$ (radii)", aspect="equal")
    tau = results["well"]
    x = tau.grid.nodes[0]
    shown = (x > -2) & (tau.values > 0)
    deep.semilogy(x[shown], tau.values[shown], color=COLOURS[0], lw=2, label=r"mean time to reach $x = 1$")
    deep.axvline(0.0, color="0.6", lw=1, ls="--", label="top of the barrier")
    deep.set(xlabel="start $x$ (dimensionless)", ylabel="mean time (units of the drift)")
    deep.legend(frameon=False)
    return drawing
