"""How long SGD stays: real escape times from a well and from a saddle, against what each theory says.

    well      one weight in L = L0 + (w^2 - 1)^2/4, from the bottom at -1 to the one at 1; single samples a of real data
              (z-scored ages) push it by a sqrt(2 L/(phi T)), so that D = L/phi
    saddle    a two-layer network on diabetes sex, from v0 = 1e-4 near the saddle at 0 to half its minimum

Theories: Langevin with the noise at the bottom, and Kramers' formula for it; the noiseless flow with D(x) in the
conventions of Ito, Stratonovich and isothermal noise (Ito's own equation for the network).  Survival of the replicas
has a band that holds the whole curve with probability .95, sqrt(ln 40/(2 n)) to each side (Massart, Ann. Probab. 18,
1269 (1990)).  Replicas are followed until `span` times Ito's mean; means are of min(t, span).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp
from fpsolve.plot_line import strokes_by_colour

SLOW_FIGURE = True  # left out of quick reports
DATA = Path(__file__).parent / "data" / "diabetes.csv"
FLOOR = 0.05  # L0
LEVEL = 0.95
AT_ONCE = 500  # steps
SPREAD = 0.05  # of the start: a few cells
EVERY = 5  # steps between looks at the network
COLOURS = {"Langevin": "#D55E00", "Ito": "#0072B2", "Stratonovich": "#CC79A7", "isothermal": "#E69F00"}


def loss(w):
    """L0 + (w^2 - 1)^2/4."""
    return FLOOR + (w**2 - 1.0) ** 2 / 4.0


def standardized(column: str):
    """A column of the diabetes data."""
    x = np.genfromtxt(DATA, delimiter=",", names=True)[column]
    return (x - x.mean()) / x.std()


def well(phi: float = 2.0, learning_rate: float = 0.02) -> fp.models.FromGradients:
    """SGD in the double well, batch 1."""

    def gradient(w, a):
        return w**3 - w + a * np.sqrt(2.0 * loss(w) / (phi * learning_rate))

    return fp.models.FromGradients(gradient, (standardized("age"),), learning_rate, 1, start=-1.0, names=("w",))


def network(fraction: float = 0.3) -> fp.models.DiagonalNetwork:
    """The two-layer network on diabetes sex, at `fraction` of its critical temperature."""
    data = fp.Regression(standardized("sex"), standardized("progression"))
    critical = fp.models.DiagonalNetwork(data).critical_temperature
    return fp.models.DiagonalNetwork(data, learning_rate=fraction * critical)


def of_the_well(theory: str, phi: float = 2.0, cells: int = 801) -> tuple[fp.Problem, float, float]:
    """The theory's problem, where paths start, and where they have left."""
    grid = fp.Grid(w=fp.Axis.sinh(-1e4, 1e4, cells, scale=1.0))

    def noise(w):
        return loss(w) / phi

    if theory == "Langevin":
        return fp.Problem(fp.Process(lambda w: w - w**3, FLOOR / phi), fp.Grid(w=(-3.0, 3.0, cells))), -1.0, 1.0
    process = fp.Process(lambda w: w - w**3, noise, convention=theory.lower())
    return fp.Problem(process, grid), -1.0, 1.0


def of_the_network(
    theory: str, fraction: float = 0.3, start: float = 1e-4, cells: int = 800
) -> tuple[fp.Problem, float, float]:
    """The same for the network; its noiseless flow is that of a temperature of 0."""
    net = network(fraction)
    subject, grid = net.subject(), fp.Grid(v=fp.Axis.log(1e-14, 0.1, cells))
    process = fp.Process(subject.flow, subject.diffusion, convention=theory.lower())
    if theory == "Ito":
        process = net.process()
    return fp.Problem(process, grid), start, 0.5 * net.minimum


def mean_time(theory: str, system: str = "well", **physics) -> float:
    """The theory's mean escape time."""
    problem, start, end = (of_the_well if system == "well" else of_the_network)(theory, **physics)
    return float(fp.mean_exit_time(problem, inside=(None, end))(start))


def survival(theory: str, system: str, times, **physics) -> fp.Survival:
    """The theory's chance to be inside still."""
    problem, start, end = (of_the_well if system == "well" else of_the_network)(theory, **physics)
    return fp.survival(problem, fp.Gaussian(start, SPREAD * abs(start)), times, inside=(None, end))


def kramers(phi: float = 2.0) -> float:
    """2 pi exp(Delta L/D)/sqrt(L''(-1) |L''(0)|), D that of the bottom."""
    return float(2.0 * np.pi / np.sqrt(2.0) * np.exp(0.25 * phi / FLOOR))


def power_law(phi: float = 2.0) -> float:
    """For D = L/phi by Laplace's method at the barrier and at the bottom: tau ~ (L(0)/L0)^(phi + 1/2)."""
    barrier = FLOOR + 0.25
    peak, valley = np.sqrt(2.0 * np.pi * barrier / phi), np.sqrt(2.0 * np.pi * FLOOR / (2.0 * (1.0 + phi)))
    return float(phi * peak * valley * barrier**phi * FLOOR ** (-1.0 - phi))


def replicas_in_the_well(
    phi: float = 2.0, learning_rate: float = 0.02, n: int = 1000, span: float = 2.0, seed: int = 1
) -> fp.Swarm:
    """Exit times of real SGD, those not out by the end counted as the end."""
    mine, end = well(phi, learning_rate), span * mean_time("Ito", phi=phi)
    steps = int(np.ceil(end / learning_rate))
    swarm, out = np.full((n, 1), -1.0), np.full(n, np.inf)
    for first in range(0, steps, AT_ONCE):
        count = min(AT_ONCE, steps - first)
        swarm = mine.sgd(count, seed=seed, start=swarm, record=range(first, first + count + 1), progress=False)
        over = swarm.positions[:, :, 0] >= 1.0
        now = np.where(over.any(axis=0), (swarm.steps[0] + over.argmax(axis=0)) * learning_rate, np.inf)
        out = np.minimum(out, now)
    return fp.Swarm(("t",), [end], np.minimum(out, end)[None, :, None])


def replicas_of_the_network(
    fraction: float = 0.3, start: float = 1e-4, n: int = 2000, span: float = 2.0, seed: int = 1
) -> fp.Swarm:
    """The same for the network, looked at every few steps."""
    net = network(fraction)
    end = span * mean_time("Ito", "saddle", fraction=fraction, start=start)
    steps = int(np.ceil(end / net.learning_rate / EVERY)) * EVERY
    record = range(0, steps + 1, EVERY)
    swarm = net.sgd(steps, n, seed=seed, start=np.full(n, start), record=record, progress=False)
    over = swarm.positions[:, :, 0] >= 0.5 * net.minimum
    out = np.where(over.any(axis=0), over.argmax(axis=0) * EVERY * net.learning_rate, np.inf)
    return fp.Swarm(("t",), [end], np.minimum(out, end)[None, :, None])


def still_inside(swarm: fp.Swarm, times):
    """The share of replicas that are inside at each time, and the half width of its band."""
    out = np.sort(swarm.positions[0, :, 0])
    share = 1.0 - np.searchsorted(out, times, side="right") / out.size
    return share, float(np.sqrt(np.log(2.0 / (1.0 - LEVEL)) / (2.0 * out.size)))


def departure(swarm: fp.Swarm, found: fp.Survival) -> float:
    """The largest distance between both survivals, before the end; in half widths of the band."""
    share, band = still_inside(swarm, found.times[:-1])
    return float(np.abs(share - found.probability[:-1]).max() / band)


def restricted_mean(found: fp.Survival) -> float:
    """The integral of the survival up to the last time, from 0 on."""
    times, left = np.append(0.0, found.times), np.append(found.initial[0], found.probability)
    return float(np.sum(0.5 * np.diff(times) * (left[1:] + left[:-1])))


def times_of(swarm: fp.Swarm, points: int = 60):
    """Where survivals are compared: up to the replicas' end."""
    return np.linspace(0.0, swarm.times[0], points + 1)[1:]


def solve(
    phi: float = 2.0, fraction: float = 0.3, learning_rate: float = 0.02, replicas: int = 1000
) -> dict[str, fp.Swarm | fp.Survival]:
    """Exit times of the replicas and survival by every theory, for the well and for the saddle."""
    results: dict[str, fp.Swarm | fp.Survival] = {}
    swarms = {
        "well": replicas_in_the_well(phi, learning_rate, replicas),
        "saddle": replicas_of_the_network(fraction, n=2 * replicas),
    }
    for system, swarm in swarms.items():
        results[f"{system}: SGD"] = swarm
        physics = {"phi": phi} if system == "well" else {"fraction": fraction}
        for theory in COLOURS:
            if system == "well" or theory != "Langevin":  # at the saddle there is no noise
                results[f"{system}: {theory}"] = survival(theory, system, times_of(swarm), **physics)
    return results


def table(results: dict[str, fp.Swarm | fp.Survival]) -> str:
    """Means of min(t, end) and the departures of the survival curves, in half widths of the band."""
    lines = [
        f"{'system and theory':24}{'mean of min(t, end)':>20}{'survival off by':>17}  (half widths of the 95 % band)"
    ]
    for name, found in results.items():
        if isinstance(found, fp.Swarm):
            out = found.positions[0, :, 0]
            lines.append(f"{name:24}{out.mean():12.4g} +- {out.std() / np.sqrt(out.size):4.2g}{'':17}")
            swarm = found
            continue
        lines.append(f"{name:24}{restricted_mean(found):20.4g}{departure(swarm, found):17.3g}")
    lines.append(f"well: Kramers {kramers():.4g}, power law {power_law():.4g}, Ito's mean {mean_time('Ito'):.4g}")
    return "\n".join(lines)


def figure(results: dict[str, fp.Swarm | fp.Survival]) -> Figure:
    """Survival of the replicas, and of each theory; the band holds the whole curve, in 95 of 100 runs."""
    drawing = Figure(figsize=(11.0, 4.4), layout="constrained")
    for ax, system in zip(drawing.subplots(1, 2), ("well", "saddle"), strict=True):
        swarm = results[f"{system}: SGD"]
        times = times_of(swarm, 400)[:-1]
        share, band = still_inside(swarm, times)
        ax.fill_between(times, share - band, share + band, color="0.8", label="SGD, 95 % band of the curve")
        ax.plot(times, share, color="black", lw=1.0, label=f"SGD, {len(swarm)} replicas")
        for theory, colour in COLOURS.items():
            found = results.get(f"{system}: {theory}")
            if found is not None:
                ax.plot(found.times, found.probability, color=colour, lw=1.6, label=theory)
        ax.set(xlabel="time (steps × learning rate)", ylabel="probability to be inside still (of 1)")
        ax.set(ylim=(0.0, 1.02), xlim=(0.0, times[-1]))
        ax.set_title(
            {"well": "out of the well", "saddle": "away from the saddle"}[system], loc="left", fontsize="medium"
        )
        ax.legend(frameon=False, fontsize="small")
    strokes_by_colour(*drawing.axes)
    return drawing
