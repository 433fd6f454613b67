"""Double well: p = exp(-L/T)/Z with L = (x^2 - 1)^2/4, by two routes that must agree.

As a Gibbs process (differences of the loss) and as a drift with constant diffusion (quadrature of A/D).
"""

import fpsolve as fp


def loss(x):
    return (x**2 - 1.0) ** 2 / 4.0


def problem(temperature: float = 0.1, cells: int = 400) -> fp.Problem:
    """The process given by its drift."""
    return fp.Problem(fp.Process(drift=lambda x: x - x**3, diffusion=temperature), fp.Grid(x=(-3, 3, cells)))


def solve(temperature: float = 0.1, cells: int = 400) -> dict[str, fp.Density]:
    """The stationary density from the drift, and from the loss."""
    by_drift = problem(temperature, cells)
    by_loss = by_drift.replace(process=fp.Process.gibbs(loss, temperature))
    return {"from the drift": fp.stationary(by_drift), "from the loss": fp.stationary(by_loss)}


def figure(results):
    """Both routes in one picture."""
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(7.0, 4.4), layout="constrained")
    ax = drawing.subplots()
    for name, p in results.items():
        p.plot(ax, label=name)
    ax.set_xlabel("$x$ (dimensionless)")
    ax.set_title("double well: two routes to exp(-L/T)/Z", loc="left", fontsize="medium")
    ax.legend(frameon=False)
    return drawing
