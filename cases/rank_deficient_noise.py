"""SGD whose noise has rank one: H = diag(h1, h2), Sigma = (1,1)(1,1)', D = eps Sigma/2; drift -H x.

The drift carries the noise everywhere, so p is a full Gaussian all the same; for H = diag(1, 3) and eps = .1 its
covariance is [.05, .025; .025, 1/60] and J/p turns with frequency sqrt 3.  The flow crosses the directions without
noise, so nothing brings it back: the entropy production is infinite.

Positive rates cannot hold a tensor of rank one that lies across the axes, so the solver refuses it.  Two ways out:
coordinates a = (x + y)/sqrt 2 along the noise and b = (y - x)/sqrt 2 across it, of which only the first is noisy,

    da = -(m a + k b) dt + sqrt(2 eps) dW,   db = -(k a + m b) dt,   m = (h1 + h2)/2,  k = (h2 - h1)/2,

or an isotropic regularisation D + eps2, said aloud: covariance and entropy production then depend on it,

    S = S_0 + eps2 diag(1/h1, 1/h2),   entropy production ~ 1/eps2.
"""

import warnings

import numpy as np

import fpsolve as fp

REACH = 7.0  # standard deviations


def in_x_and_y(
    h1: float = 1.0, h2: float = 3.0, eps: float = 0.1, regularisation: float = 0.0
) -> fp.models.LinearGaussian:
    """The process as it comes."""
    noise = 0.5 * eps * np.ones((2, 2)) + regularisation * np.eye(2)
    return fp.models.LinearGaussian(np.diag([h1, h2]), noise)


def along_the_noise(h1: float = 1.0, h2: float = 3.0, eps: float = 0.1) -> fp.models.LinearGaussian:
    """The process in coordinates along and across the noise."""
    middle, skew = 0.5 * (h1 + h2), 0.5 * (h2 - h1)
    return fp.models.LinearGaussian([[middle, skew], [skew, middle]], (eps, 0.0))


def problem(
    h1: float = 1.0, h2: float = 3.0, eps: float = 0.1, second_order: bool = True, cells: int = 128
) -> fp.Problem:
    """In coordinates along and across the noise; across it there is transport only."""
    model = along_the_noise(h1, h2, eps)
    axes = (
        fp.Axis.uniform(-REACH * width, REACH * width, cells) for width in np.sqrt(np.diag(model.covariance)).tolist()
    )
    grid = fp.Grid(**dict(zip(("along", "across"), axes, strict=True)))
    return fp.Problem(model.process(), grid, fp.Accurate() if second_order else fp.Positive())


def regularised_problem(
    h1: float = 1.0, h2: float = 3.0, eps: float = 0.1, regularisation: float = 0.01, cells: int = 128
) -> fp.Problem:
    """In x and y; with regularisation 0 the solver refuses the tensor."""
    process = in_x_and_y(h1, h2, eps, regularisation).process()
    return fp.Problem(process, in_x_and_y(h1, h2, eps).grid(cells, REACH))


def stationary(problem: fp.Problem) -> fp.Density:
    """The density; how far transport of first order is off is what this case compares, and no surprise."""
    with warnings.catch_warnings():
        if problem.scheme == fp.Positive():
            warnings.simplefilter("ignore", fp.ResolutionWarning)
        return fp.stationary(problem)


def current(problem: fp.Problem, p: fp.Density) -> fp.Current:
    """The current; that its entropy production is infinite is what this case is about, and no surprise."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fp.DegenerateWarning)
        return fp.current(problem, p)


def solve(
    h1: float = 1.0, h2: float = 3.0, eps: float = 0.1, regularisation: float = 0.01, cells: int = 128
) -> dict[str, fp.Density | fp.Current | fp.ExactDensity]:
    """Second-order and positive transport, and the regularised tensor, with their currents; the exact Gaussian."""
    results: dict[str, fp.Density | fp.Current | fp.ExactDensity] = {}
    problems = {
        "second order": problem(h1, h2, eps, True, cells),
        "positive": problem(h1, h2, eps, False, cells),
        "regularised": regularised_problem(h1, h2, eps, regularisation, cells),
    }
    for name, pr in problems.items():
        p = stationary(pr)
        results |= {name: p, f"{name}: current": current(pr, p)}
    law = along_the_noise(h1, h2, eps).exact_density()
    results["exact"] = fp.ExactDensity(law.log_density, problems["positive"].grid, "exact")
    return results


def in_old_axes(p: fp.Density) -> np.ndarray:
    """The covariance in x and y of a density in along and across."""
    turn = np.array([[1.0, -1.0], [1.0, 1.0]]) / np.sqrt(2.0)
    return turn @ p.covariance() @ turn.T


def figure(results):
    """The current in coordinates along the noise, tails across it, and what a regularisation makes of the current."""
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(15.0, 4.4), layout="constrained")
    flow, tails, regular = drawing.subplots(1, 3)
    results["second order: current"].plot(flow)
    flow.set(xlabel="along the noise (dimensionless)", ylabel="across the noise (dimensionless)")
    flow.set_title("noise along one axis, transport across it", loc="left", fontsize="medium")
    for name in ("second order", "positive"):
        results[name].marginal("across").plot(tails, label=name, log=True)
    exact = results["exact"].marginal("across")
    tails.plot(exact.grid.nodes[0], exact.values, "k--", lw=1.0, zorder=4, label="exact")
    tails.set_xlabel("across the noise (dimensionless)")
    tails.legend(frameon=False)
    J = results["regularised: current"]
    J.plot(regular).set(xlabel="$x$ (dimensionless)", ylabel="$y$ (dimensionless)")
    regular.set_title(f"regularised: entropy production {J.entropy_production:.3g}", loc="left", fontsize="medium")
    return drawing
