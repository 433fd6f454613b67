"""Linear drift: covariance, current, rotation and entropy against closed forms; balance if and only if K, D commute."""

import numpy as np

import fpsolve as fp
from cases import anisotropic_linear as case
from fpsolve.claims import Exact, Particles

LYAPUNOV = "K S + S K' = 2 D, solved by hand"
SPIRAL_COVARIANCE = np.array([[10.7, 2.2], [2.2, 8.1]]) / 14.0
SPIRAL_ENTROPY = 2.297794117647059  # 625/272
CORRELATED = case.hessian_frame(1.0, 3.0, 0.6)


def l1(results, exact=None):
    """Distance of the density from the Gaussian, cell by cell."""
    p = results["stationary"]
    return float(np.abs(p.masses - (exact or results["exact"]).on(p.grid).masses).sum())


def order(drift, diffusion, cells, against=None):
    """Observed order of that distance from `cells` and twice as many; `against`: the Gaussian of another diffusion."""
    exact = case.model(drift, against or diffusion).exact_density()
    errors = [l1(case.solve(drift, diffusion, n), exact) for n in (cells, 2 * cells)]
    return float(np.log2(errors[0] / errors[1]))


def current_error(results, drift=case.SPIRAL["drift"], diffusion=case.SPIRAL["diffusion"]):
    """L1 distance of J from Q grad p, relative."""
    J, exact = results["current"], case.model(drift, diffusion).current(*results["current"].grid.mesh())
    apart = sum(np.abs(part.values - true).sum() for part, true in zip(J.at_nodes, exact, strict=True))
    return float(apart / sum(np.abs(true).sum() for true in exact))


def largest_current(results):
    """|J| over |D grad p|, the largest of both."""
    J = results["current"]
    slopes = np.gradient(J.density.values, *J.grid.nodes)
    return float(max(np.abs(part).max() for part in J.at_faces) / max(np.abs(slope).max() for slope in slopes))


def across(results, surface):
    """<|J . grad f|>/<|J| |grad f|>: 0 where the current follows the level sets of f."""
    J = results["current"]
    heights = {"p": results["exact"].on(J.grid).values, "loss": results["loss"].values}[surface]
    weights = J.density.masses if surface == "loss" else np.ones(J.grid.shape)
    gradient, flow = np.gradient(heights, *J.grid.nodes), [part.values for part in J.at_nodes]
    along = np.abs(sum(j * g for j, g in zip(flow, gradient, strict=True)))
    return float((weights * along).sum() / (weights * np.hypot(*flow) * np.hypot(*gradient)).sum())


def crossing(surface):
    """The same, as a quantity of a claim."""
    return lambda results: across(results, surface)


def driven(h1, h2, rho):
    """Entropy production of -H x with unit noise of correlation rho, whatever its size."""
    return Exact(
        f"entropy production of -Hx, H = ({h1:g}, {h2:g}), correlation {rho:g}",
        case.solve,
        dict(**case.hessian_frame(h1, h2, rho), cells=128),
        lambda r: r["current"].entropy_production,
        (h1 - h2) ** 2 * rho**2 / ((h1 + h2) * (1 - rho**2)),
        atol=4e-3 * (h1 - h2) ** 2 * rho**2 / ((h1 + h2) * (1 - rho**2)),
        wrong=case.hessian_frame(h1, h2, 1.01 * rho),
        source="tr(D^-1 Q S^-1 Q')",
    )


def balanced(name, parameters, wrong):
    """No current, to rounding, where K and D commute."""
    return Exact(
        f"anisotropy without current: {name}",
        case.solve,
        dict(parameters, cells=64),
        largest_current,
        0.0,
        atol=1e-12,
        wrong=wrong,
        source="K D = D K'",
    )


def swarm(drift, diffusion, lag=0.5, n=100_000, dt=0.005, seed=3):
    """Particles that start from the stationary law, then and `lag` later."""
    S = case.model(drift, diffusion).covariance
    start = fp.Gaussian((0.0, 0.0), cov=S)
    return fp.simulate(case.problem(drift, diffusion), start, [0.0, lag], dt=dt, n=n, seed=seed, progress=False)


def sense(particles):
    """<x(0) y(t) - y(0) x(t)>, positive where the particles turn counterclockwise."""
    (x0, y0), (x1, y1) = (particles.at(t).T for t in particles.times)
    return float(np.mean(x0 * y1 - y0 * x1))


def exact_sense(drift, diffusion, lag=0.5):
    """The same of exp(-K t) S."""
    model = case.model(drift, diffusion)
    values, vectors = np.linalg.eig(model.drift_matrix)
    later = ((vectors * np.exp(-values * lag)) @ np.linalg.inv(vectors)).real @ model.covariance
    return float(later[1, 0] - later[0, 1])


claims = [
    Exact(
        "L1 error at 256^2",
        case.solve,
        dict(case.SPIRAL, cells=256),
        l1,
        0.0,
        atol=2.3e-4,
        wrong=dict(cells=192),
        source=LYAPUNOV,
    ),
    Exact(
        "order of the density",
        order,
        dict(case.SPIRAL, cells=64),
        lambda rate: rate,
        2.0,
        atol=0.1,
        wrong=dict(against=(1.0, 0.41, 0.5)),
        source="second-order scheme",
    ),
    Exact(
        "covariance, extrapolated",
        lambda **how: fp.refined(lambda pr: fp.stationary(pr).covariance()[0, 1], case.problem(**how), order=2),
        dict(case.SPIRAL, cells=60),
        float,
        SPIRAL_COVARIANCE[0, 1],
        atol=2e-5,
        wrong=dict(diffusion=(1.0, 0.401, 0.5)),
        source=LYAPUNOV,
    ),
    Exact(
        "current against Q grad p, L1",
        case.solve,
        dict(case.SPIRAL, cells=128),
        current_error,
        0.0,
        atol=5e-3,
        wrong=dict(cells=64),
        source="J = Q grad p",
    ),
    Exact(
        "circulation is Q_12 p(0)",
        case.solve,
        dict(case.SPIRAL, cells=128),
        lambda r: r["current"].circulation,
        0.625 / (2 * np.pi * np.sqrt(np.linalg.det(SPIRAL_COVARIANCE))),
        atol=5e-4,
        wrong=dict(drift=(1.0, 1.55, -0.5, 1.0)),
        source="psi = Q_12 p",
    ),
    Exact(
        "rotation frequency",
        case.solve,
        dict(case.SPIRAL, cells=128),
        lambda r: r["current"].rotation_frequency,
        0.625 / np.sqrt(np.linalg.det(SPIRAL_COVARIANCE)),
        atol=3e-3,
        wrong=dict(drift=(1.0, 1.55, -0.5, 1.0)),
        source="Im eig(Q S^-1)",
    ),
    Exact(
        "entropy production of the spiral",
        case.solve,
        dict(case.SPIRAL, cells=128),
        lambda r: r["current"].entropy_production,
        SPIRAL_ENTROPY,
        atol=1.5e-3 * SPIRAL_ENTROPY,
        wrong=dict(diffusion=(1.0, 0.39, 0.5)),
        source="tr(D^-1 Q S^-1 Q')",
    ),
    Exact(
        "the stream function closes",
        case.solve,
        dict(case.SPIRAL, cells=128),
        lambda r: float(np.abs(np.diff(r["current"].stream_function[-1])).max() / r["current"].circulation),
        0.0,
        atol=1e-12,
        wrong=lambda r: float(np.abs(np.diff(r["current"].stream_function[64])).max() / r["current"].circulation),
        source="div J = 0",
    ),
    driven(1.0, 3.0, 0.6),
    driven(2.0, 1.0, -0.8),
    balanced("H = diag(1, 3), Sigma = diag(1, 4)", case.COMMUTING, dict(diffusion=(0.5, 1e-3, 2.0))),
    balanced("the same in axes turned by .4", case.turned(0.4), dict(drift=case.COMMUTING["drift"])),
    Exact(
        "the current follows the level sets of p, not the loss's",
        case.solve,
        dict(CORRELATED, cells=128),
        crossing("p"),
        0.0,
        atol=5e-3,
        wrong=crossing("loss"),
        source="J = Q grad p",
    ),
    Exact(
        "particles turn as the current says",
        swarm,
        dict(CORRELATED),
        sense,
        exact_sense(**CORRELATED),
        atol=3e-3,
        wrong=lambda particles: -sense(particles),
        source="<x(t) x(0)'> = exp(-K t) S",
    ),
    Particles(
        "particles in both coordinates",
        case.problem,
        dict(CORRELATED),
        until=6.0,
        n=20_000,
        dt=(4e-2, 2e-2),
        seed=7,
        wrong=case.hessian_frame(1.5, 3.0, 0.6),
    ),
]
