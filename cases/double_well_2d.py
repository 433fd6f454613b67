"""A double well of two coordinates whose mobility is a full tensor that varies: p = exp(-U/T)/Z all the same.

U = (x^2 - 1)^2/4 + y^2/2 + tilt x, D = T M(x, y), isothermal: the mobility decides how fast the wells are exchanged,
not what they weigh.  A thermostat that is right in the bulk may still be wrong in the tails, and a solver that is
right within a well may put the wrong mass into the other: both are compared with the closed form, cell by cell.
"""

import numpy as np

import fpsolve as fp

REACH = 2.2, 2.4  # U is 3.7 to 6.6 along the walls


def loss(x, y, tilt=0.0):
    return (x**2 - 1.0) ** 2 / 4.0 + y**2 / 2.0 + tilt * x


def mobility(x, y, condition=10.0):
    """Eigenvalues 1 and 1/condition; the fast direction turns with the place."""
    angle = 0.8 * x + 0.5 * y
    c, s, small = np.cos(angle), np.sin(angle), 1.0 / condition
    cross = (1.0 - small) * c * s
    return (c**2 + small * s**2, cross), (cross, s**2 + small * c**2)


def problem(temperature: float = 0.1, tilt: float = 0.02, condition: float = 10.0, cells: int = 96) -> fp.Problem:
    process = fp.Process.gibbs(
        lambda x, y: loss(x, y, tilt), temperature, mobility=lambda x, y: mobility(x, y, condition)
    )
    axes = {
        name: fp.Axis.uniform(-reach, reach, cells, ends="reflecting") for name, reach in zip("xy", REACH, strict=True)
    }
    return fp.Problem(process, fp.Grid(**axes))


def solve(
    temperature: float = 0.1, tilt: float = 0.02, condition: float = 10.0, cells: int = 96
) -> dict[str, fp.Density | fp.ExactDensity]:
    """The stationary density, and the Gibbs law that it must be."""
    pr = problem(temperature, tilt, condition, cells)
    exact = fp.ExactDensity(lambda x, y: -loss(x, y, tilt) / temperature, pr.grid, "exp(-U/T)/Z")
    return {"stationary": fp.stationary(pr), "exact": exact}


def right_well(p: fp.Density) -> float:
    """Mass at x > 0."""
    return float(p.masses[p.grid.nodes[0] > 0].sum() / p.masses.sum())


def figure(results):
    """The density, its far tails, and the marginal along x beside the closed form."""
    from matplotlib.figure import Figure

    p, exact = results["stationary"], results["exact"]
    drawing = Figure(figsize=(13.5, 4.2), layout="constrained")
    near, far, along = drawing.subplots(1, 3)
    p.plot(near)
    p.plot(far, log=True)
    p.marginal("x").plot(along, label="stationary", log=True)
    along.plot(exact.grid.nodes[0], exact.marginal("x").values, "k--", lw=1.0, zorder=4, label=exact.name)
    along.legend(frameon=False)
    for ax in (near, far):
        ax.set(xlabel="$x$ (dimensionless)", ylabel="$y$ (dimensionless)")
    along.set_xlabel("$x$ (dimensionless)")
    near.set_title(f"right well: {right_well(p):.4g} of the mass", loc="left", fontsize="medium")
    far.set_title("tails", loc="left", fontsize="medium")
    return drawing
