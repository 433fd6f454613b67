"""How long a well holds: exp(Delta L/T) under constant noise, a power of the loss ratio under noise that follows it.

Wells L = L0 + Delta L (2 u - u^2), u = (r/a)^2 with a^2 = 4 Delta L, of Hessian 1 at r = 0 and -2 at the barrier r = a,
in `dimension` coordinates; paths start at the bottom, and leave where the loss is back at its floor, r = sqrt 2 a.

    D = T          tau ~ exp(Delta L/T)                           Kramers
    D = L/phi      tau ~ (L(a)/L0)^(phi + 1 - n/2)                Ito; n = dimension, L(a) = L0 + Delta L

The radius alone is a process, with the drift -L'(r) + (n - 1) D/r; so every dimension is one quadrature.  Its dimension
enters by the bottom, which holds a share L0^(n/2 - 1 - phi), whatever the curvatures: p ~ L^(-1 - phi).  Whether the
barrier is a ring or a pass does not matter.
Mori, Liu, Liu & Ueda, ICML 2022 (exponent phi + 1 - n/2); Kramers, Physica 7, 284 (1940).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp

FLOOR = 1.0  # the unit of the loss
START = 1e-6  # of the bottom's width: where a radius begins in several dimensions
COLOURS = {"constant noise": "#0072B2", "noise proportional to the loss": "#D55E00"}


def loss(square, ratio):
    """L by r^2, for a barrier `ratio` times as high as the floor."""
    barrier = FLOOR * (ratio - 1.0)
    u = square / (4.0 * barrier)
    return FLOOR + barrier * u * (2.0 - u)


def diffusion(temperature, ratio, proportional):
    """D by r^2: T, or T L = L/phi."""
    return lambda square: temperature * (loss(square, ratio) if proportional else np.ones_like(square))


def escape_time(ratio: float, temperature: float, proportional: bool, dimension: int = 1, cells: int = 200) -> float:
    """The mean time from the bottom, by the radius; temperature: T, or 1/phi for noise proportional to the loss."""
    square = 4.0 * FLOOR * (ratio - 1.0)
    D = diffusion(temperature, ratio, proportional)

    def drift(r):
        return -r * (1.0 - r**2 / square) + ((dimension - 1) * D(r**2) / r if dimension > 1 else 0.0)

    start = START * np.sqrt(FLOOR) if dimension > 1 else 0.0
    axis = fp.Axis.uniform(start, np.sqrt(2.0 * square), cells, ends=("reflecting", "absorbing"))
    tau = fp.mean_exit_time(fp.Problem(fp.Process(drift, lambda r: D(r**2)), fp.Grid(r=axis)))
    return float(tau.values[0])  # half a cell from the bottom


def in_the_plane(ratio: float = 4.0, temperature: float = 0.25, proportional: bool = True, cells: int = 96) -> fp.Field:
    """The same in two coordinates, with the exit as a level function."""
    square, D = 4.0 * FLOOR * (ratio - 1.0), diffusion(temperature, ratio, proportional)

    def drift(x, y):
        pull = (x**2 + y**2) / square - 1.0
        return pull * x, pull * y

    def tensor(x, y):
        d = D(np.minimum(x**2 + y**2, 2.0 * square))  # beyond the exit as on it: L ends up below 0
        return (d, 0.0 * d), (0.0 * d, d)

    edge = 1.1 * np.sqrt(2.0 * square)
    axis = fp.Axis.uniform(-edge, edge, cells)
    pr = fp.Problem(fp.Process(drift, tensor), fp.Grid(x=axis, y=axis))
    return fp.mean_exit_time(pr, inside=lambda x, y: 2.0 * square - x**2 - y**2)


def double_well(phi: float = 2.0, floor: float = 0.05, cells: int = 800) -> float:
    """The mean time from -1 to 1 in L = floor + (v^2 - 1)^2/4 with D = L/phi."""

    def noise(v):
        return (floor + (v**2 - 1.0) ** 2 / 4.0) / phi

    pr = fp.Problem(fp.Process(lambda v: v - v**3, noise), fp.Grid(v=fp.Axis.sinh(-1e4, 1e4, cells, scale=1.0)))
    return float(fp.mean_exit_time(pr, inside=(None, 1.0))(-1.0))


def exponent(phi: float, dimension: int = 1, ratio: float = 1000.0) -> float:
    """d ln tau/d ln(L(a)/L0) at a ratio."""
    ratios = np.array([ratio / 1.05, ratio * 1.05])
    times = [escape_time(one, 1.0 / phi, True, dimension) for one in ratios]
    return float(np.diff(np.log(times))[0] / np.diff(np.log(ratios))[0])


def over_a_pass(floor: float, phi: float, cells: int = 96) -> float:
    """The mean time from (-1, 0) to x = 1 in L = floor + (x^2 - 1)^2/4 + y^2, round at its bottom, with D = L/phi."""

    def noise(x, y):
        d = (floor + (x**2 - 1.0) ** 2 / 4.0 + y**2) / phi
        return (d, 0.0 * d), (0.0 * d, d)

    width = 3.0 * np.sqrt(floor)
    x = fp.Axis.sinh(-2.2, 1.6, cells, scale=width, center=-1.0)
    y = fp.Axis.sinh(-2.0, 2.0, cells, scale=width)
    pr = fp.Problem(fp.Process(lambda x, y: (x - x**3, -2.0 * y), noise), fp.Grid(x=x, y=y))
    return float(fp.mean_exit_time(pr, inside=((None, 1.0), None))(-1.0, 0.0))


def exponent_over_a_pass(phi: float, floor: float = 0.0025) -> float:
    """The same derivative where the barrier is a pass, not a ring, by halving the floor."""
    floors = np.array([2.0 * floor, floor])
    times = [over_a_pass(one, phi) for one in floors]
    return float(np.diff(np.log(times))[0] / np.diff(np.log1p(0.25 / floors))[0])


def doublings(first: float, count: int) -> fp.Axis:
    """An axis with the nodes first, 2 first, 4 first, ..."""
    return fp.Axis.log(first / np.sqrt(2.0), first * 2.0 ** (count - 0.5), count)


def solve(
    temperature: float = 0.5, inverse_phi: float = 0.125, dimension: int = 1, wells: int = 12, highest: float = 16.0
) -> dict[str, fp.Field]:
    """Escape times over the barrier's ratio and three temperatures T (or 1/phi), each twice the one before."""
    ratios = fp.Axis.log(2.5, highest, wells)
    results = {}
    for name, first in zip(COLOURS, (temperature, inverse_phi), strict=True):
        grid = fp.Grid(ratio=ratios, temperature=doublings(first, 3))
        times = [
            [escape_time(ratio, T, name != "constant noise", dimension) for T in grid.axes[1].nodes]
            for ratio in grid.axes[0].nodes
        ]
        results[name] = fp.Field(grid, np.array(times), "mean escape time")
    return results


Hypothesis = Callable[[np.ndarray], np.ndarray]
HYPOTHESES: dict[str, Hypothesis] = {"Delta L": lambda ratio: FLOOR * (ratio - 1.0), "Delta log L": np.log}
SYMBOLS = {"Delta L": r"$\Delta L$", "Delta log L": r"$\Delta \log L$"}


def fitted(tau: fp.Field, hypothesis: str, k: int) -> tuple[float, float, float]:
    """Slope, intercept, and root mean square residual of ln tau over the wells, at the k-th temperature."""
    x, y = HYPOTHESES[hypothesis](tau.grid.axes[0].nodes), np.log(tau.values[:, k])
    slope, intercept = np.polyfit(x, y, 1)
    return float(slope), float(intercept), float(np.sqrt(np.mean((y - slope * x - intercept) ** 2)))


def table(results: dict[str, fp.Field]) -> str:
    """Slopes and residuals of both hypotheses on both data sets, at every temperature."""
    lines = [f"{'noise':32s}{'T or 1/phi':>12s}{'ln tau over':>14s}{'slope':>10s}{'slope T':>10s}{'rms residual':>14s}"]
    for name, tau in results.items():
        for k, T in enumerate(tau.grid.axes[1].nodes):
            for hypothesis in HYPOTHESES:
                slope, _, residual = fitted(tau, hypothesis, k)
                lines.append(f"{name:32s}{T:12.4g}{hypothesis:>14s}{slope:10.4f}{slope * T:10.4f}{residual:14.4f}")
    return "\n".join(lines)


def figure(results: dict[str, fp.Field]) -> Figure:
    """ln tau at the lowest temperatures over Delta L and over Delta log L: each kind of noise is straight in one."""
    drawing = Figure(figsize=(11.0, 4.4), layout="constrained")
    for ax, hypothesis in zip(drawing.subplots(1, 2), HYPOTHESES, strict=True):
        for (name, tau), mark in zip(results.items(), "os", strict=True):
            x = HYPOTHESES[hypothesis](tau.grid.axes[0].nodes)
            slope, intercept, residual = fitted(tau, hypothesis, 0)
            ax.semilogy(x, tau.values[:, 0], mark, color=COLOURS[name], ms=5, label=name)
            label = f"slope {slope:.3g}, residual {residual:.2g}"
            ax.semilogy(x, np.exp(intercept + slope * x), "--", color=COLOURS[name], lw=1.2, label=label)
        ax.set_title(f"straight over {SYMBOLS[hypothesis]}?", loc="left", fontsize="medium")
        ax.legend(frameon=False, fontsize="small")
    left, right = drawing.axes
    left.set(xlabel=r"$\Delta L = L(a) - L_0$ (in units of $L_0$)", ylabel=r"mean escape time $\tau$ (1/Hessian)")
    right.set(xlabel=r"$\Delta\log L = \ln(L(a)/L_0)$ (nats)", ylabel=left.get_ylabel())
    return drawing
