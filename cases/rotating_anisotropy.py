"""A stiff, turning diffusion tensor, with and without a current: p = exp(-U)/Z and J = spin (-U_y, U_x) p exactly.

U = (x^2 + y^2)/2 + .5 sin 2x cos y.  The fast axis of D stands at the angle .7 x + .4 y + .3 sin(xy/3), the other is
`condition` times slower, and A = -D grad U + spin (-U_y, U_x) (isothermal).  The spin is along the level sets of U, so
it leaves p as it is: its stream function is spin p.  Walls at 4.5, where p is below 1e-4 of its peak.
"""

import numpy as np

import fpsolve as fp

REACH = 4.5


def potential(x, y):
    return (x**2 + y**2) / 2.0 + 0.5 * np.sin(2.0 * x) * np.cos(y)


def slope(x, y):
    """grad U."""
    return x + np.cos(2.0 * x) * np.cos(y), y - 0.5 * np.sin(2.0 * x) * np.sin(y)


def tensor(x, y, condition=10.0):
    """Eigenvalues 1 and 1/condition."""
    angle = 0.7 * x + 0.4 * y + 0.3 * np.sin(x * y / 3.0)
    c, s, small = np.cos(angle), np.sin(angle), 1.0 / condition
    cross = (1.0 - small) * c * s
    return (c**2 + small * s**2, cross), (cross, s**2 + small * c**2)


def problem(condition: float = 10.0, spin: float = 1.0, cells: int = 128) -> fp.Problem:
    def drift(x, y):
        (xx, xy), (_, yy) = tensor(x, y, condition)
        u, v = slope(x, y)
        return -xx * u - xy * v - spin * v, -xy * u - yy * v + spin * u

    process = fp.Process(drift, lambda x, y: tensor(x, y, condition), "isothermal")
    axis = fp.Axis.uniform(-REACH, REACH, cells, ends="reflecting")
    return fp.Problem(process, fp.Grid(x=axis, y=axis))


def solve(
    condition: float = 10.0, spin: float = 1.0, cells: int = 128
) -> dict[str, fp.Density | fp.Current | fp.ExactDensity]:
    """The stationary density, its current, and the closed form."""
    pr = problem(condition, spin, cells)
    p = fp.stationary(pr)
    exact = fp.ExactDensity(lambda x, y: -potential(x, y), pr.grid, "exp(-U)/Z")
    return {"stationary": p, "current": fp.current(pr, p), "exact": exact}


def distance(results) -> float:
    """L1 distance of the density from the closed form."""
    p, exact = results["stationary"], results["exact"].density
    return float(np.abs(p.masses - exact.masses).sum())


def entropy_production(condition: float = 10.0, spin: float = 1.0, points: int = 1500) -> float:
    """spin^2 <n . D^-1 n>, n = (-U_y, U_x), by the midpoint rule."""
    x = -REACH + 2.0 * REACH * (np.arange(points) + 0.5) / points
    x, y = x[:, None], x[None, :]
    (xx, xy), (_, yy) = tensor(x, y, condition)
    u, v = slope(x, y)
    weights = np.exp(-potential(x, y))
    square = (yy * v**2 + 2.0 * xy * u * v + xx * u**2) / (xx * yy - xy**2)
    return float(spin**2 * (weights * square).sum() / weights.sum())


def figure(results):
    """The current, the stream function beside the level sets of U, and the error of p."""
    from matplotlib.figure import Figure

    from fpsolve.plot_current import level_sets

    J, p, exact = results["current"], results["stationary"], results["exact"]
    drawing = Figure(figsize=(15.0, 4.4), layout="constrained")
    flow, stream, error = drawing.subplots(1, 3)
    J.plot(flow)
    level_sets(exact, J.plot_stream(stream))
    stream.set_title("the current follows the level sets of p", loc="left", fontsize="medium")
    fp.Field(p.grid, p.values - exact.density.values, "error of p").plot(error, label="error of p (per unit area)")
    for ax in (flow, stream, error):
        ax.set(xlabel="$x$ (dimensionless)", ylabel="$y$ (dimensionless)")
    stream.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2, frameon=False)
    error.set_title(f"L1 error {distance(results):.2g}", loc="left", fontsize="medium")
    return drawing
