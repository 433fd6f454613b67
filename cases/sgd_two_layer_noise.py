"""SGD at interpolation: noise proportional to the loss times the Hessian, dX = -grad L dt + sqrt(eps 2 L H) dW (Ito).

L = L0 + (h1 x^2 + h2 y^2)/2, H = diag(h1, h2), eps = learning rate/batch, so D = eps L H.  Moments close:

    <x^2> = <y^2> = eps <L>,   <L> = L0/(1 - eps (h1 + h2)/2)

whatever h1/h2: p is nearly round where the loss is an ellipse.  D^-1 (A - div D) is a gradient if and only if
h1 = h2 = h; then p ~ L^-(1 + 1/(eps h)) and nothing flows.  Else there is a current of four vortices; for small eps

    psi = (eps/2) (h1 - h2) h1 h2/(h1 + h2) x y p,   entropy production (eps^2/2) h1 h2 (h1 - h2)^2/(h1 + h2),

by a first-order expansion about the Gaussian of variance eps L0.  Its streamlines are level sets of neither p nor L.
Noise of this form: Mori, Ziyin, Liu & Ueda, "Power-law escape rate of SGD", ICML 2022.
"""

import numpy as np

import fpsolve as fp


def loss(x, y, h1=1.0, h2=3.0, floor=0.5):
    return floor + 0.5 * (h1 * x**2 + h2 * y**2)


def variance(h1: float = 1.0, h2: float = 3.0, eps: float = 0.1, floor: float = 0.5) -> float:
    """<x^2> = <y^2>."""
    return eps * floor / (1.0 - 0.5 * eps * (h1 + h2))


def kurtoses(h1: float = 1.0, h2: float = 3.0, eps: float = 0.1, floor: float = 0.5) -> tuple[float, float, float]:
    """<x^4>, <x^2 y^2>, <y^4> over the square of the variance, by the moment equations of fourth order."""
    V = variance(h1, h2, eps, floor)
    # <x^4> = 3 eps <L x^2>,  (h1 + h2) <x^2 y^2> = eps (h1 <L y^2> + h2 <L x^2>),  <y^4> = 3 eps <L y^2>
    of_x = np.array([0.5 * h1, 0.5 * h2, 0.0])  # <L x^2> - floor V in terms of the three
    of_y = np.array([0.0, 0.5 * h1, 0.5 * h2])
    matrix = np.diag([1.0, h1 + h2, 1.0]) - eps * np.stack([3.0 * of_x, h1 * of_y + h2 * of_x, 3.0 * of_y])
    xx, xy, yy = np.linalg.solve(matrix, eps * floor * V * np.array([3.0, h1 + h2, 3.0])) / V**2
    return float(xx), float(xy), float(yy)


def exponent(h: float, eps: float) -> float:
    """a in p ~ L^-a where h1 = h2 = h."""
    return 1.0 + 1.0 / (eps * h)


def problem(
    h1: float = 1.0,
    h2: float = 3.0,
    eps: float = 0.1,
    floor: float = 0.5,
    cells: int = 128,
    reach: float = 1e3,
    ends: str = "open",
) -> fp.Problem:
    """Sinh axes reach far into the power-law tails; reach: in standard deviations."""
    width = float(np.sqrt(variance(h1, h2, eps, floor)))

    def noise(x, y):
        L = eps * loss(x, y, h1, h2, floor)
        return L * h1, L * h2

    axis = fp.Axis.sinh(-reach * width, reach * width, cells, scale=2.0 * width, ends=ends)
    return fp.Problem(fp.Process(lambda x, y: (-h1 * x, -h2 * y), noise), fp.Grid(x=axis, y=axis))


def solve(
    h1: float = 1.0, h2: float = 3.0, eps: float = 0.1, floor: float = 0.5, cells: int = 128
) -> dict[str, fp.Density | fp.Current | fp.Field]:
    """The stationary density, its current, and the loss."""
    pr = problem(h1, h2, eps, floor, cells)
    p = fp.stationary(pr)
    field = fp.Field(pr.grid, loss(*pr.grid.mesh(), h1, h2, floor), "loss")
    return {"stationary": p, "current": fp.current(pr, p), "loss": field}


def figure(results):
    """The four vortices over the density, level sets of p and of the loss through the same points, and the tails."""
    from matplotlib.figure import Figure

    from fpsolve.plot_current import level_sets

    J = results["current"]
    drawing = Figure(figsize=(11.0, 4.6), layout="constrained")
    near, far = drawing.subplots(1, 2)
    width = float(np.sqrt(J.density.var("x")))
    places = [(width, 0.0), (2.0 * width, 0.0)]
    level_sets(J.density, J.plot(near, log=False), through=places)
    level_sets(results["loss"], near, through=places, label="level sets of the loss")
    reach = max(np.abs(near.axis()))
    near.set(xlim=(-reach, reach), ylim=(-reach, reach), box_aspect=1.0)
    near.set_title("p is round, the loss is not", loc="left", fontsize="medium")
    J.plot(far, log=True)
    for ax in (near, far):
        ax.set(xlabel="$x$ (dimensionless)", ylabel="$y$ (dimensionless)")
    near.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2, frameon=False)
    far.set_title(f"tails; entropy production {J.entropy_production:.3g}", loc="left", fontsize="medium")
    return drawing
