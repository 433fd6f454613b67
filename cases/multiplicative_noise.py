"""One drift, one noise, three meanings: L = x^2/2 with gradient noise of variance 1 + x^2, T = learning rate/batch.

dX = -X dt + sqrt(T (1 + X^2)) dW read as Ito, Stratonovich and isothermal has three variances (1/3, 1/2, 1 at T = .5).
Discrete SGD, x' = x - rate (x + noise/sqrt(batch)), is the Euler-Maruyama map of the Ito equation with dt = rate: its
variance is T/(2 - rate - T), so Ito is what small steps converge to.
"""

import numpy as np

import fpsolve as fp


def problem(convention: str = "ito", temperature: float = 0.5, cells: int = 800) -> fp.Problem:
    """The process in one convention, on an axis that reaches far into its power-law tails."""
    process = fp.Process(lambda x: -x, lambda x: 0.5 * temperature * (1.0 + x**2), convention)
    return fp.Problem(process, fp.Grid(x=fp.Axis.sinh(-1e6, 1e6, cells)))


def sgd(rate: float = 0.05, temperature: float = 0.5, n: int = 20_000, seed: int = 1) -> fp.Swarm:
    """Discrete SGD with Gaussian gradient noise, after twenty relaxation times."""
    until = rate * round(20.0 / rate)
    start = fp.Gaussian(0.0, 0.5)
    return fp.simulate(problem("ito", temperature), start, [until], dt=rate, n=n, seed=seed, progress=False)


def solve(temperature: float = 0.5, rate: float = 0.05, seed: int = 1) -> dict[str, fp.Density | fp.Swarm]:
    """The three stationary densities, and discrete SGD."""
    names = ("ito", "stratonovich", "isothermal")
    densities = {name: fp.stationary(problem(name, temperature)) for name in names}
    return {**densities, "discrete SGD": sgd(rate, temperature, seed=seed)}


def figure(results):
    """All four on logarithmic axes: the tails tell them apart.

    The error bars of SGD hold the probabilities of all bins at once, in 95 of 100 runs.
    """
    import matplotlib.pyplot as plt

    fig, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for name, value in results.items():
        value.plot(ax, label=name, log=True)
    ax.set_xscale("linear")
    ax.set_xlim(-8, 8)
    ax.set_ylim(1e-5, 2)
    ax.set_xlabel("$x$ (dimensionless)")
    ax.set_title("multiplicative noise: three conventions and discrete SGD")
    ax.legend()
    return fig


def discrete_variance(rate: float = 0.05, temperature: float = 0.5) -> float:
    """The exact variance of the discrete map."""
    return temperature / (2.0 - rate - temperature)


def spread(swarm: fp.Swarm) -> float:
    """Variance of the swarm's last positions."""
    return float(np.var(swarm.at(swarm.times[-1])))
