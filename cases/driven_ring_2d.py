"""A Mexican hat that is stirred: U = (r^2 - 1)^2/4 and a rotation omega(r) = spin (1 + shear (r^2 - 1)), D constant.

    A = -grad U + omega(r) (-y, x),   p = exp(-U/D)/Z,   J = omega(r) (-y, x) p

The rotation runs along the level sets of p and leaves it as it is; the state is driven all the same: it circulates
<omega>/(2 pi) turns per unit time and produces the entropy <omega^2 r^2>/D.
Seifert, Rep. Prog. Phys. 75 (2012) 126001.
"""

import numpy as np

import fpsolve as fp

REACH = 2.2


def loss(x, y):
    return (x**2 + y**2 - 1.0) ** 2 / 4.0


def rotation(square, spin=1.0, shear=-0.5):
    """omega at r^2."""
    return spin * (1.0 + shear * (square - 1.0))


def problem(D: float = 0.1, spin: float = 1.0, shear: float = -0.5, cells: int = 128) -> fp.Problem:
    def drift(x, y):
        square = x**2 + y**2
        omega = rotation(square, spin, shear)
        return (1.0 - square) * x - omega * y, (1.0 - square) * y + omega * x

    return fp.Problem(fp.Process(drift, D), fp.Grid(x=(-REACH, REACH, cells), y=(-REACH, REACH, cells)))


def solve(
    D: float = 0.1, spin: float = 1.0, shear: float = -0.5, cells: int = 128
) -> dict[str, fp.Density | fp.Current | fp.ExactDensity]:
    """The stationary density, its current, and the closed form."""
    pr = problem(D, spin, shear, cells)
    p = fp.stationary(pr)
    exact = fp.ExactDensity(lambda x, y: -loss(x, y) / D, pr.grid, "exp(-U/D)/Z")
    return {"stationary": p, "current": fp.current(pr, p), "exact": exact}


def average(function, D: float = 0.1, points: int = 4000) -> float:
    """<f(r^2)> under p, with q = r^2 uniform: dx dy = pi dq; the midpoint rule."""
    q = 2.0 * REACH**2 * (np.arange(points) + 0.5) / points
    weights = np.exp(-((q - 1.0) ** 2) / (4.0 * D))
    return float((weights * function(q)).sum() / weights.sum())


def turns(D: float = 0.1, spin: float = 1.0, shear: float = -0.5) -> float:
    """<omega>/(2 pi): how often per unit time probability goes round."""
    return average(lambda q: rotation(q, spin, shear), D) / (2.0 * np.pi)


def entropy_production(D: float = 0.1, spin: float = 1.0, shear: float = -0.5) -> float:
    """<omega^2 r^2>/D."""
    return average(lambda q: rotation(q, spin, shear) ** 2 * q, D) / D


def figure(results):
    """The ring with its current, and the current across a radius beside the closed form."""
    from matplotlib.figure import Figure

    J, p = results["current"], results["stationary"]
    drawing = Figure(figsize=(11.0, 4.4), layout="constrained")
    ring, radius = drawing.subplots(1, 2)
    J.plot(ring)
    ring.set(xlabel="$x$ (radii)", ylabel="$y$ (radii)")
    x, y = (axis.nodes for axis in p.grid.axes)
    row = int(np.searchsorted(y, 0.0))
    radius.plot(x, J.at_nodes[1].values[:, row], color="#0072B2", lw=2.0, label="current along y at y = 0")
    radius.plot(x, p.values[:, row], color="#E69F00", lw=2.0, label="p at y = 0")
    radius.plot(x, results["exact"].density.values[:, row], "k--", lw=1.0, label=results["exact"].name)
    radius.axhline(0.0, color="0.8", lw=0.7)
    radius.set(xlabel="$x$ (radii)", ylabel="$p$ and current (per unit area; and time)")
    radius.legend(frameon=False, fontsize="small")
    ring.set_aspect("equal")
    ring.set_title(f"{J.circulation:.4g} turns per unit time", loc="left", fontsize="medium")
    return drawing
