"""The orders that schemes have: errors over cells and over steps, the truth known in closed form or to ten digits more.

    line     the slowest rate of relaxation between two walls, D pi^2 + A^2/(4 D) under a constant drift A
    plane    a driven density, its noise turned against the axes from place to place: L1 to exp(-U)/Z
    jumps    the quartic well under Cauchy flights, where the density is 1/(pi (1 - x^2 + x^4)): L1 to it
    time     a density on its way in a double well: L1 to the exponential of the same generator, by a contour integral

Densities and exit times on a line would show nothing: they are exact at the nodes of every grid.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp

CELLS = {"line": (25, 50, 100, 200, 400), "plane": (40, 80, 160), "jumps": (81, 243, 729, 2187)}
STEPS = (0.1, 0.05, 0.025, 0.0125, 0.00625)
METHODS = {"backward Euler": fp.BackwardEuler, "SDIRK2": fp.SDIRK2}
MARKS = {"line": "o", "plane": "s", "jumps": "^", "backward Euler": "o", "SDIRK2": "s"}
COLOURS = {"line": "#0072B2", "plane": "#D55E00", "jumps": "#009E73", "backward Euler": "#0072B2", "SDIRK2": "#D55E00"}


def box(cells: int, drift: float = -3.0, D: float = 0.5) -> fp.Problem:
    """A constant drift between two walls."""
    return fp.Problem(fp.Process(drift, D), fp.Grid(x=fp.Axis.uniform(0, 1, cells, ends="reflecting")))


def slowest(drift: float = -3.0, D: float = 0.5) -> float:
    """The slowest rate of relaxation in the box."""
    return D * np.pi**2 + drift**2 / (4.0 * D)


def valley(x, y):
    """U of the plane."""
    return (x**2 + y**2) / 2.0 + 0.5 * np.sin(2.0 * x) * np.cos(y)


def tensor(x, y, small: float = 0.3):
    """Eigenvalues 1 and `small`."""
    c, s = np.cos(0.7 * x + 0.4 * y), np.sin(0.7 * x + 0.4 * y)
    return (c**2 + small * s**2, (1.0 - small) * c * s), ((1.0 - small) * c * s, s**2 + small * c**2)


def plane(cells: int, spin: float = 0.5) -> fp.Problem:
    """A current along the level sets of U, which leaves exp(-U) as it is."""

    def drift(x, y):
        (xx, xy), (_, yy) = tensor(x, y)
        u, v = x + np.cos(2.0 * x) * np.cos(y), y - 0.5 * np.sin(2.0 * x) * np.sin(y)
        return -xx * u - xy * v - spin * v, -xy * u - yy * v + spin * u

    axis = fp.Axis.uniform(-4.5, 4.5, cells, ends="reflecting")
    return fp.Problem(fp.Process(drift, tensor, "isothermal"), fp.Grid(x=axis, y=axis))


def flights(cells: int) -> fp.Problem:
    """Cauchy flights in the well x^4/4."""
    axis = fp.Axis.sinh(-1e4, 1e4, cells, scale=0.5)
    return fp.Problem(fp.Process(lambda x: -(x**3), jumps=fp.Stable(1.0)), fp.Grid(x=axis), fp.Accurate())


def off_by(system: str, cells: int) -> float:
    """The error of one system at one number of cells."""
    if system == "line":
        return abs(float(fp.spectrum(box(cells), 2).rates[1]) / slowest() - 1.0)
    pr = plane(cells) if system == "plane" else flights(cells)
    log = (lambda x, y: -valley(x, y)) if system == "plane" else (lambda x: -np.log1p(x**4 - x**2))
    return fp.distance(fp.stationary(pr), fp.ExactDensity(log, pr.grid, "exact"), "L1")


def late_by(name: str, dt: float, until: float = 1.0) -> float:
    """The error of one method at one step."""
    well = fp.Problem(fp.Process(lambda x: x - x**3, 0.25), fp.Grid(x=(-3, 3, 300)))
    methods = METHODS[name](dt=dt), fp.Contour(tol=1e-12)
    found, truth = (fp.evolve(well, fp.Gaussian(0.3, 0.3), [until], method=method)[-1] for method in methods)
    return float(np.abs(found.masses - truth.masses).sum())


def solve() -> dict[str, fp.Field]:
    """Errors over cells and over steps."""
    found = {name: over("cells", cells, [off_by(name, k) for k in cells]) for name, cells in CELLS.items()}
    return found | {name: over("dt", STEPS[::-1], [late_by(name, dt) for dt in STEPS[::-1]]) for name in METHODS}


def order(errors: fp.Field) -> float:
    """The power of the cells' or the steps' width that fits best."""
    slope = np.polyfit(np.log(errors.grid.nodes[0]), np.log(errors.values), 1)[0]
    return float(slope if errors.grid.names == ("dt",) else -slope)


def table(results: dict[str, fp.Field]) -> str:
    return "\n".join(f"{name:16}order {order(errors):.3f}" for name, errors in results.items())


def figure(results: dict[str, fp.Field]) -> Figure:
    """Errors, and the powers that fit them; left over the number of cells, right over the size of a step."""
    drawing = Figure(figsize=(9.6, 4.2), layout="constrained")
    space, time = drawing.subplots(1, 2)
    for name, errors in results.items():
        ax, sign = (time, 1.0) if name in METHODS else (space, -1.0)
        x, e, q = errors.grid.nodes[0], errors.values, order(errors)
        ax.plot(x, e, MARKS[name], color=COLOURS[name], ms=6, label=f"{name}: order {q:.2f}")
        fitted = np.exp(np.mean(np.log(e) - sign * q * np.log(x))) * x ** (sign * q)
        ax.plot(x, fitted, "--", color=COLOURS[name], lw=1.2)
    space.set(xlabel="cells along an axis (a number)", ylabel="error (of the answer's size)")
    time.set(xlabel="step $dt$ (dimensionless)", ylabel="L1 error (of the mass)")
    for ax in (space, time):
        ax.set(xscale="log", yscale="log")
        ax.legend(frameon=False)
    return drawing


def over(name: str, at: tuple[float, ...], errors: list[float]) -> fp.Field:
    """Errors on an axis whose nodes are these numbers, a constant factor apart."""
    edge = np.sqrt(at[1] / at[0])
    return fp.Field(fp.Grid(**{name: fp.Axis.log(at[0] / edge, at[-1] * edge, len(at))}), np.array(errors), "error")
