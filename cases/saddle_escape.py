"""Leaving a saddle: as the logarithm of the noise where it is strict, as a power of it where it is degenerate.

    L = x^4/4 - y^2/2, strict though flat along x:   tau ~ -(1/2) ln D
    L = x^2/2 - y^4/4, degenerate:                   tau ~ (sqrt(pi) varpi/4) D^(-1/2),  varpi = 2.62205755...

from the origin until the loss has fallen by `fall`, with constant noise; along y alone, to y = +-1,

    strict:      ln(1/D)/2 + (gamma + ln 2)/2        degenerate:      sqrt(pi) varpi/(4 sqrt D) - 1/2.

Near its origin a diagonal network of n layers has no noise, and a start v0 takes its place: two layers are strict,
tau ~ ln(1/v0)/(4 (beta2 - T alpha3)); three are degenerate, tau ~ v0^(-1/3)/(2 beta2).
Escape by loss: the first time that L(start) - L exceeds a threshold.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp

LEMNISCATE = 2.6220575542921198
NAMES = {2: "strict: x^4/4 - y^2/2", 4: "degenerate: x^2/2 - y^4/4"}  # by the power of y
MOMENTS = fp.Moments(2.0, 2.0, 3.0, 1.0, 1.0)
COLOURS = ("#0072B2", "#D55E00")


def downhill(power: int, y):
    """Drift along y of L = -|y|^power/power."""
    return np.sign(y) * np.abs(y) ** (power - 1)


def problem(power: int = 4, D: float = 1e-3, cells: int = 128, reach: float = 3.0) -> fp.Problem:
    """The saddle with the power `power` along y, in cells as fine as the noise's own width at the origin."""
    stable = 4 if power == 2 else 2
    wide, narrow = D ** (1.0 / stable), D ** (1.0 / power)
    grid = fp.Grid(x=(-5 * wide, 5 * wide, max(cells // 3, 24)), y=fp.Axis.sinh(-reach, reach, cells, scale=narrow))
    return fp.Problem(fp.Process(lambda x, y: (-downhill(stable, x), downhill(power, y)), (D, D)), grid)


def escape_time(power: int = 4, D: float = 1e-3, fall: float = 0.25, cells: int = 128) -> float:
    """The mean time from the origin until the loss has fallen by `fall`."""
    stable = 4 if power == 2 else 2
    tau = fp.mean_exit_time(
        problem(power, D, cells), inside=lambda x, y: fall + np.abs(x) ** stable / stable - np.abs(y) ** power / power
    )
    return float(tau(0.0, 0.0))


def on_the_line(power: int = 4, D: float = 1e-5, cells: int = 400) -> float:
    """The mean time from 0 to +-1 along y alone."""
    grid = fp.Grid(y=fp.Axis.sinh(-1.5, 1.5, cells, scale=D ** (1.0 / power)))
    return float(fp.mean_exit_time(fp.Problem(fp.Process(lambda y: downhill(power, y), D), grid), inside=(-1, 1))(0.0))


def late(power: int, D: float) -> float:
    """The same in closed form, for little noise."""
    if power == 2:
        return float(0.5 * (np.log(2.0 / D) + np.euler_gamma))
    return float(np.sqrt(np.pi / D) * LEMNISCATE / 4.0 - 0.5)


def network(depth: int = 2, temperature: float = 0.02, fall: float = 0.2, smallest: float = 1e-9) -> fp.Field:
    """The mean time until the loss of a diagonal network has fallen by `fall` below the origin's, by v at the start."""
    net = fp.models.DiagonalNetwork.from_moments(MOMENTS, temperature, depth)
    pr = fp.Problem(net.process(), fp.Grid(v=fp.Axis.log(smallest, MOMENTS.beta2 / MOMENTS.beta1, 800)))
    return fp.mean_exit_time(pr, inside=lambda v: fall - 2.0 * MOMENTS.beta2 * v + MOMENTS.beta1 * v**2)


def solve(
    noises: int = 7, loudest: float = 0.1, quietest: float = 1e-4, temperature: float = 0.02, cells: int = 128
) -> dict[str, fp.Field]:
    """Escape times over the noise at both saddles, and over the start of networks of two and three layers."""
    axis = fp.Axis.log(quietest, loudest, noises)
    results = {}
    for power, name in NAMES.items():
        times = np.array([escape_time(power, D, cells=cells) for D in axis.nodes])
        results[name] = fp.Field(fp.Grid(noise=axis), times, "mean escape time")
    return results | {f"network of {depth + 1} layers": network(depth, temperature) for depth in (1, 2)}


def hypotheses(tau: fp.Field) -> dict[str, tuple[float, float]]:
    """Slope and relative rms residual of tau over ln noise, and of ln tau over ln noise."""
    x, y = np.log(tau.grid.nodes[0]), tau.values
    found = {}
    for name, data, back in (("logarithm", y, lambda fit: fit), ("power", np.log(y), np.exp)):
        line = np.polyfit(x, data, 1)
        away = back(np.polyval(line, x)) / y - 1.0
        found[name] = float(line[0]), float(np.sqrt(np.mean(away**2)))
    return found


def table(results: dict[str, fp.Field]) -> str:
    """Both laws fitted to both saddles."""
    lines = [f"{'saddle':30s}{'law':>12s}{'slope':>10s}{'rms residual':>14s}"]
    for name in NAMES.values():
        for law, (slope, residual) in hypotheses(results[name]).items():
            lines.append(f"{name:30s}{law:>12s}{slope:10.4f}{residual:13.2%}")
    return "\n".join(lines)


def figure(results: dict[str, fp.Field]) -> Figure:
    """Times over the noise at the saddles, over the start of networks: a power is straight, a logarithm bends."""
    drawing = Figure(figsize=(11.0, 4.4), layout="constrained")
    left, right = drawing.subplots(1, 2)
    for (power, name), colour, mark in zip(NAMES.items(), COLOURS, "os", strict=True):
        D, tau = results[name].grid.nodes[0], results[name].values
        kind, formula = name.split(": ")
        left.loglog(D, tau, mark, color=colour, label=f"{kind}: $L = {formula}$")
        anchor = tau[0] - 0.5 * np.log(D / D[0]) if power == 2 else tau[0] * np.sqrt(D[0] / D)
        law = r"$-\frac{1}{2}\ln D$" if power == 2 else "$D^{-1/2}$"
        left.loglog(D, anchor, "--", color=colour, lw=1.2, label=law)
    left.set(xlabel="noise $D$ (length²/time)", ylabel=r"mean escape time $\tau$ (1/curvature)")
    for layers, colour, style in zip((2, 3), COLOURS, ("-", "--"), strict=True):
        name = f"network of {layers} layers"
        v, tau = results[name].grid.nodes[0], results[name].values
        shown = (v < 0.1) & (tau > 0)
        right.loglog(v[shown], tau[shown], style, color=colour, lw=2, label=name)
    right.set(xlabel="start $v_0$ (dimensionless)", ylabel=r"mean escape time $\tau$ (steps × learning rate)")
    for ax in (left, right):
        ax.legend(frameon=False)
    return drawing
