"""Stable noise in a harmonic well of the plane: dX = -X dt + scale M dL, and what its isotropy is good for.

Isotropic jumps have the isotropic stable law of scale (1/alpha)^(1/alpha) scale at rest; jumps times a matrix its
linear image; independent jumps along the axes a product of stable laws, with tails along the axes and little between.
For alpha = 1 they are Cauchy laws:

    scale/(2 pi (scale^2 + r^2)^(3/2)),   r = |M^-1 x|,      scale^2/(pi^2 (scale^2 + x^2)(scale^2 + y^2)).

Samorodnitsky & Taqqu, Stable Non-Gaussian Random Processes (1994), ch. 2; Chechkin et al., Chem. Phys. 284, 233 (2002).
"""

import numpy as np

import fpsolve as fp

SHEAR = ((1.0, 0.5), (0.2, 0.7))


def toward_middle(x, y):
    return -x, -y


def jumps(kind: str, alpha: float = 1.0, scale: float = 1.0) -> fp.Stable | tuple[fp.Stable, fp.Stable]:
    """kind: "isotropic", "image" (isotropic jumps times SHEAR) or "axes"."""
    if kind == "axes":
        return fp.Stable(alpha, scale), fp.Stable(alpha, scale)
    return fp.Stable(alpha, scale if kind == "isotropic" else tuple(tuple(scale * m for m in row) for row in SHEAR))


def problem(
    kind: str = "isotropic", alpha: float = 1.0, scale: float = 1.0, cells: int = 128, reach: float = 16.0
) -> fp.Problem:
    """The process on +-reach to every side; jumps go on beyond."""
    grid = fp.Grid(x=(-reach, reach, cells), y=(-reach, reach, cells))
    process = fp.Process(toward_middle, jumps=jumps(kind, alpha, scale))
    return fp.Problem(process, grid, scheme=fp.Accurate())


def cauchy(kind: str, x, y, scale: float = 1.0):
    """The density at rest for alpha = 1."""
    if kind == "axes":
        return scale**2 / (np.pi**2 * (scale**2 + x**2) * (scale**2 + y**2))
    matrix = np.array(SHEAR) if kind == "image" else np.eye(2)
    (a, b), (c, d) = np.linalg.inv(matrix)
    square = scale**2 + (a * x + b * y) ** 2 + (c * x + d * y) ** 2
    return scale / (2.0 * np.pi * square**1.5 * np.linalg.det(matrix))


def solve(scale: float = 1.0, cells: int = 128, reach: float = 16.0) -> dict[str, fp.Density]:
    """The densities at rest of the three kinds of Cauchy noise."""
    return {kind: fp.stationary(problem(kind, 1.0, scale, cells, reach)) for kind in ("isotropic", "image", "axes")}


def figure(results):
    """The three densities in logarithmic colours, and their tails along an axis and a diagonal."""
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(11.0, 8.4), layout="constrained")
    panels = drawing.subplots(2, 2).ravel()
    titles = {"isotropic": "isotropic jumps", "image": "times a matrix", "axes": "independent along the axes"}
    for ax, (kind, title) in zip(panels, titles.items(), strict=False):
        results[kind].plot(ax, log=True).set(xlabel="$x$ (dimensionless)", ylabel="$y$ (dimensionless)")
        ax.set_title(title, loc="left", fontsize="medium")
    tails, reach = panels[3], results["isotropic"].grid.axes[0].hi
    r = np.geomspace(0.1, 4 * reach, 120)
    for color, (kind, title) in zip(("#0072B2", "#D55E00", "#CC79A7"), titles.items(), strict=True):
        p = results[kind]
        tails.loglog(r, p(r, 0 * r), color=color, label=title)
        tails.loglog(r, p(r / np.sqrt(2), r / np.sqrt(2)), color=color, linestyle="--")
        tails.loglog(r[::8], cauchy(kind, r[::8], 0 * r[::8]), color=color, linestyle="", marker="o", markersize=3)
    tails.axvline(reach, color="0.8", zorder=0)
    tails.text(reach, 0.97, " the grid ends", color="0.4", va="top", transform=tails.get_xaxis_transform())
    tails.set(xlabel="distance from the middle (dimensionless)", ylabel="density (per unit area)")
    tails.set_title("tails along x (dashed: along the diagonal; dots: exact)", loc="left", fontsize="medium")
    tails.legend(frameon=False, fontsize="small")
    return drawing
