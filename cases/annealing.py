"""A learning rate that warms up and decays is a temperature that depends on time; and a double well remembers it.

    dX = -L'(X) dt + sqrt(2 T(t)) dW,   T(t) = T_end + T_peak (e^(-t/decay) - e^(-20 t/decay))

with t the sum of the learning rates, so that the drift does not change.  Harmonic, L = k x^2/2:

    V(t) = V(0) e^(-2kt) + sum_i 2 c_i (e^(-r_i t) - e^(-2kt))/(2k - r_i),   T = sum_i c_i e^(-r_i t).

Tilted double well, L = (x^2 - 1)^2/4 + tilt x: at each temperature the deeper side has its share, but once hops across
the barrier are slower than the cooling, the share freezes.  Hops at the rate 1/tau of mean exit times say when:

    dP/dt = (1 - P)/tau_up - P/tau_down,   P the share right of the barrier.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp

T_END = 0.01
WARM_UP = 0.05  # of the decay time
START = 0.2  # variance
RTOL = 1e-4
HOP_STEPS = 400  # between two times
COLOURS = ("#0072B2", "#D55E00", "#009E73")
STYLES = {
    "Fokker-Planck": ("o", COLOURS[0]),
    "exact": ("-", COLOURS[1]),
    "two states": ("-", COLOURS[1]),
    "at rest": (":", COLOURS[2]),
}


def parts(decay: float = 40.0, peak: float = 0.25) -> tuple[tuple[float, float], ...]:
    """(c, r): T(t) = sum of c exp(-r t)."""
    return (T_END, 0.0), (peak, 1.0 / decay), (-peak, 1.0 / (WARM_UP * decay))


def temperature(t, decay: float = 40.0):
    return sum(c * np.exp(-r * np.asarray(t)) for c, r in parts(decay))


def between(t, r: float, s: float):
    """(e^(-rt) - e^(-st))/(s - r)."""
    return t * np.exp(-r * t) if r == s else -np.exp(-r * t) * np.expm1((r - s) * t) / (s - r)


def variance(t, k: float, start: float, decay: float):
    """V(t) of the harmonic well."""
    t = np.asarray(t)
    gained = (2.0 * c * between(t, r, 2.0 * k) for c, r in parts(decay))
    return start * np.exp(-2 * k * t) + sum(gained)


def harmonic(k: float = 0.5, decay: float = 4.0, cells: int = 300) -> fp.Problem:
    process = fp.Process(lambda x: -k * x, lambda x, t: temperature(t, decay=decay) + 0.0 * x)
    return fp.Problem(process, fp.Grid(x=(-5, 5, cells)))


def pull(x, tilt):
    return x - x**3 - tilt


def barrier(tilt: float) -> float:
    """Where the loss has its maximum."""
    return float(np.sort(np.roots([1.0, 0.0, -1.0, tilt]).real)[1])


def double_well(tilt: float = 0.03, decay: float = 40.0, cells: int = 300) -> fp.Problem:
    process = fp.Process(lambda x: pull(x, tilt), lambda x, t: temperature(t, decay=decay) + 0.0 * x)
    return fp.Problem(process, fp.Grid(x=(-3, 3, cells)))


def at_temperature(T: float, tilt: float = 0.03, cells: int = 300) -> fp.Problem:
    """The double well at rest."""
    return fp.Problem(fp.Process(lambda x: pull(x, tilt), T), fp.Grid(x=(-3, 3, cells)))


def solve(
    k: float = 0.5, tilt: float = 0.03, decay: float = 40.0, until: float = 240.0, times: int = 49, cells: int = 160
) -> dict[str, fp.Evolution | fp.Field]:
    """A double well from equal shares, a harmonic well on a clock ten times as fast, and what they must be."""
    moments = np.linspace(0.0, until, times)
    even = fp.stationary(at_temperature(0.1, 0.0, cells))
    well, harmonic_well = double_well(tilt, decay, cells), harmonic(k, decay / 10, cells)
    path = fp.evolve(well, even, moments, method=fp.TRBDF2(rtol=RTOL))
    fast = moments / 10
    start = fp.Gaussian(0.0, np.sqrt(START))
    resting = np.array([adiabatic_share(T, tilt) for T in temperature(moments, decay=decay)])
    return {
        "harmonic": fp.evolve(harmonic_well, start, fast, method=fp.TRBDF2(rtol=RTOL)),
        "double well": path,
        "exact variance": over_time(fast, variance(fast, k, START, decay / 10), "variance"),
        "variance at rest": over_time(fast, temperature(fast, decay=decay / 10) / k, "variance"),
        "share": over_time(moments, right_shares(path, tilt), "share"),
        "share by hops": over_time(moments, hopping_shares(moments, tilt, decay, 0.5), "share"),
        "share at rest": over_time(moments, resting, "share"),
    }


def over_time(times: np.ndarray, values: np.ndarray, name: str) -> fp.Field:
    """A Field whose nodes are the times."""
    half = 0.5 * (times[1] - times[0])
    return fp.Field(fp.Grid(time=(times[0] - half, times[-1] + half, times.size)), values, name)


def right_shares(path: fp.Evolution, tilt: float = 0.03) -> np.ndarray:
    """P(right of the barrier) at each time."""
    edge = barrier(tilt)
    return np.array([p.probability(lambda x: x - edge) for p in path])


def adiabatic_share(T: float, tilt: float = 0.03) -> float:
    """The same at rest."""
    edge = barrier(tilt)
    return float(fp.stationary(at_temperature(T, tilt)).probability(lambda x: x - edge))


def hopping_shares(times: np.ndarray, tilt: float = 0.03, decay: float = 40.0, start: float = 0.5) -> np.ndarray:
    """P of the two-state equation: hops from a well's bottom to the other's, at the temperature of the moment."""
    low, _, high = np.sort(np.roots([1.0, 0.0, -1.0, tilt]).real)
    grid, logs = np.geomspace(T_END, 0.3, 24), []
    for T in grid:
        up = fp.mean_exit_time(at_temperature(T, tilt), inside=(None, high))(low)
        down = fp.mean_exit_time(at_temperature(T, tilt), inside=(low, None))(high)
        logs.append((np.log(up), np.log(down)))
    faces = np.linspace(times[0], times[-1], HOP_STEPS * (len(times) - 1) + 1)
    inverse = 1.0 / temperature(0.5 * (faces[1:] + faces[:-1]), decay=decay)
    up, down = (np.exp(-_at(inverse, grid, np.array(column))) for column in zip(*logs, strict=True))
    shares = [start]
    for a, b, step in zip(up, down, np.diff(faces), strict=True):  # exact for the rates of each step's middle
        shares.append(a / (a + b) + (shares[-1] - a / (a + b)) * np.exp(-(a + b) * step))
    return np.array(shares[::HOP_STEPS])


def _at(inverse, grid, logs):
    """ln tau, nearly linear in 1/T."""
    return np.interp(inverse, 1.0 / grid[::-1], logs[::-1])


def figure(results: dict[str, fp.Evolution | fp.Field]) -> Figure:
    """Variance and share over time: what the schedule makes of them, and what they would be at rest."""
    drawing = Figure(figsize=(11.0, 4.4), layout="constrained")
    left, right = drawing.subplots(1, 2)
    path = results["harmonic"]
    left.semilogy(path.times, path.var(), "o", color=COLOURS[0], ms=5, label="Fokker-Planck")
    for ax, seen in (
        (left, (("exact variance", "exact"), ("variance at rest", "at rest, $T(t)/k$"))),
        (right, (("share", "Fokker-Planck"), ("share by hops", "two states"), ("share at rest", "at rest, $T(t)$"))),
    ):
        for name, label in seen:
            t, values = results[name].grid.nodes[0], results[name].values
            mark, colour = STYLES[label.split(",")[0]]
            ax.semilogy(t, values, mark, color=colour, lw=1.5, ms=5, label=label)
        ax.set_xlabel("time $t$ (sum of the learning rates)")
        ax.legend(frameon=False)
    left.set(ylabel="variance of $x$ (dimensionless)", yscale="linear")
    left.set_title("harmonic well", loc="left", fontsize="medium")
    right.set_ylabel("share in the shallower well (of 1)")
    right.set_title("double well: the share freezes", loc="left", fontsize="medium")
    return drawing
