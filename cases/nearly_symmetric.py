"""A nearly symmetric loss: SGD displaces the charge z = u^2 - w^2 from where the loss wants it.  Descent does not.

    loss = (u w x - y)^2 + zeta (z - z0)^2/2:   zeta grad L1' A theta = (T/2) Tr[Sigma A] on average

so the noise pulls the charge towards balanced layers, by -T C z0/(zeta s) for strong zeta.  In (v, z) the charge has no
noise: the density is stationary under transport of both signs.
Ziyin, Wang, Li & Wu, arXiv 2402.07193.
"""

from __future__ import annotations

from matplotlib.figure import Figure

import fpsolve as fp

MOMENTS = fp.Moments(0.5, 0.2, 1.0, 1.0, 1.0)
DECADES = 6  # of the density, drawn


def model(strength: float = 1.0, temperature: float = 0.05, charge: float = 1.5) -> fp.models.NearlySymmetric:
    return fp.models.NearlySymmetric.from_moments(MOMENTS, strength, charge, temperature)


def problem(strength: float = 1.0, temperature: float = 0.05, cells: tuple[int, int] = (320, 160)) -> fp.Problem:
    """The density of (v, z), with second-order transport of z: upwind its variance would be 2 % too large."""
    found = model(strength, temperature)
    grid = found.grid(cells)
    z = fp.Axis.uniform(grid["z"].lo, grid["z"].hi, cells[1], ends="reflecting")
    return fp.Problem(found.process(), fp.Grid(v=grid["v"], z=z), fp.Accurate())


def solve(strength: float = 1.0, temperature: float = 0.05) -> dict[str, fp.Density]:
    """The stationary density."""
    return {"stationary": fp.stationary(problem(strength, temperature))}


def displacement(p: fp.Density, charge: float = 1.5) -> float:
    """<z> - z0."""
    return float(p.mean("z")) - charge


def figure(results: dict[str, fp.Density]) -> Figure:
    """The density of v and z, with the balance at each v and where the loss alone would hold the charge."""
    p, found = results["stationary"], model()
    drawing = Figure(figsize=(6.6, 4.6), layout="constrained")
    ax = drawing.subplots()
    v = p.grid.nodes[0]
    p.plot(ax, log=True)
    # far below the peak rounding decides on signs: what has none is as pale as what has little
    ax.collections[0].set_clim(vmin=10.0**-DECADES * float(p.values.max()))
    drawing.axes[1].set_ylabel(f"p(v, z) (per unit area), {DECADES} decades shown")
    ax.set_facecolor(ax.collections[0].get_cmap()(0.0))
    ax.plot(v, found.balanced_charge(v), color="#D55E00", lw=2.0, label="noise balances the loss at each $v$")
    ax.axhline(found.charge, color="white", lw=1.4, ls="--", label="gradient descent, $z = z_0$")
    ax.axhline(p.mean("z"), color="white", lw=1.2, ls=":", label="mean of $z$")
    ax.set(xscale="linear", xlim=(-0.5, 3.5), ylim=(p.grid["z"].lo, found.charge + 0.025))
    ax.set(xlabel="$v = u\\,w$ (dimensionless)", ylabel="charge $z = u^2 - w^2$ (dimensionless)")
    ax.legend(loc="upper right", facecolor="0.75", framealpha=1.0, fontsize="small")
    return drawing
