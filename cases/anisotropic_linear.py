"""A linear drift with correlated noise: dX = -K X dt + sqrt(2 D) dW, a Gaussian that turns unless K D = D K'.

With K S + S K' = 2 D the covariance is S, and Q = K S - D, antisymmetric, gives the current J = Q grad p: it follows
the level sets of p, not those of the loss, and vanishes for K symmetric if and only if K and D commute.
Default: SGD near the minimum of L = (x^2 + 3 y^2)/2 with noise of correlation .6.  Risken (1996), section 6.5.
"""

import numpy as np

import fpsolve as fp

SPIRAL = dict(drift=(1.0, 1.5, -0.5, 1.0), diffusion=(1.0, 0.4, 0.5))  # a drift that turns by itself
COMMUTING = dict(drift=(1.0, 0.0, 0.0, 3.0), diffusion=(0.5, 0.0, 2.0))  # anisotropic, and in detailed balance


def hessian_frame(h1: float, h2: float, rho: float) -> dict[str, tuple[float, ...]]:
    """SGD at the minimum of L = (h1 x^2 + h2 y^2)/2: noise of unit variance and correlation rho, times 1/2."""
    return dict(drift=(h1, 0.0, 0.0, h2), diffusion=(0.5, 0.5 * rho, 0.5))


def turned(angle: float) -> dict[str, tuple[float, ...]]:
    """COMMUTING in axes turned by an angle: both matrices are full, and still commute."""
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s], [s, c]])
    K, D = (turn @ np.diag(sizes) @ turn.T for sizes in ((1.0, 3.0), (0.5, 2.0)))
    return dict(drift=tuple(map(float, K.ravel())), diffusion=(float(D[0, 0]), float(D[0, 1]), float(D[1, 1])))


def model(
    drift: tuple[float, ...] = (1.0, 0.0, 0.0, 3.0), diffusion: tuple[float, ...] = (0.5, 0.3, 0.5)
) -> fp.models.LinearGaussian:
    """drift: K row by row.  diffusion: D_xx, D_xy, D_yy."""
    xx, xy, yy = diffusion
    return fp.models.LinearGaussian(np.reshape(drift, (2, 2)), [[xx, xy], [xy, yy]])


def problem(
    drift: tuple[float, ...] = (1.0, 0.0, 0.0, 3.0), diffusion: tuple[float, ...] = (0.5, 0.3, 0.5), cells: int = 128
) -> fp.Problem:
    """The process on seven standard deviations to every side."""
    return model(drift, diffusion).problem(cells)


def solve(
    drift: tuple[float, ...] = (1.0, 0.0, 0.0, 3.0), diffusion: tuple[float, ...] = (0.5, 0.3, 0.5), cells: int = 128
) -> dict[str, fp.Density | fp.Current | fp.Field | fp.ExactDensity]:
    """The stationary density, its current, the Gaussian that it must be and, for a symmetric K, the loss."""
    pr = problem(drift, diffusion, cells)
    p = fp.stationary(pr)
    results = {
        "stationary": p,
        "current": fp.current(pr, p),
        "exact": model(drift, diffusion).exact_density(),
    }
    if drift[1] == drift[2]:
        x, y = pr.grid.mesh()
        loss = 0.5 * (drift[0] * x**2 + 2.0 * drift[1] * x * y + drift[3] * y**2)
        results["loss"] = fp.Field(pr.grid, loss, "loss")
    return results


def figure(results):
    """The current over the density, with level sets of p and of the loss through the same points; and its far tails."""
    from matplotlib.figure import Figure

    from fpsolve.plot_current import level_sets

    J = results["current"]
    drawing = Figure(figsize=(11.0, 4.6), layout="constrained")
    near, far = drawing.subplots(1, 2)
    width = float(np.sqrt(J.density.var("x")))
    places = [(width, 0.0), (2.0 * width, 0.0)]
    level_sets(J.density, J.plot(near), through=places)
    if "loss" in results:
        level_sets(results["loss"], near, through=places, label="level sets of the loss")
    near.set_title("the current follows the level sets of p", loc="left", fontsize="medium")
    J.plot(far, log=True)
    for ax in (near, far):
        ax.set(xlabel="$x$ (dimensionless)", ylabel="$y$ (dimensionless)")
    near.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2, frameon=False)
    far.set_title(f"entropy production {J.entropy_production:.4g}", loc="left", fontsize="medium")
    return drawing
