"""Noise of rank one: a full Gaussian, found by transport in coordinates along the noise; refused across the axes."""

import warnings

import numpy as np

import fpsolve as fp
from cases import rank_deficient_noise as case
from fpsolve.claims import Exact, Particles

LYAPUNOV = "H S + S H = eps Sigma"
COVARIANCE = np.array([[0.05, 0.025], [0.025, 1.0 / 60.0]])


def off_covariance(results, name):
    """Largest error of the covariance in x and y, relative."""
    return float(np.abs(case.in_old_axes(results[name]) / COVARIANCE - 1.0).max())


def second_order(cells, second_order=True):
    """One scheme on one grid."""
    return {"p": case.stationary(case.problem(second_order=second_order, cells=cells))}


def extrapolated(cells=40, h2=3.0):
    """<x y> by first-order positive transport, from n and 3 n cells."""

    def question(problem):
        return float(case.in_old_axes(fp.stationary(problem))[0, 1])

    return fp.refined(question, case.problem(h2=h2, second_order=False, cells=cells), order=1)


def refused(regularisation):
    """1 where the solver refuses the tensor and points to coordinates along the noise."""
    try:
        fp.stationary(case.regularised_problem(regularisation=regularisation, cells=32))
    except fp.InvalidInput as refusal:
        return float("choose coordinates" in str(refusal))
    return 0.0


def told_infinite(second_order, regularisation=0.0):
    """Entropy production, inf only together with its warning."""
    if regularisation:
        pr = case.regularised_problem(regularisation=regularisation, cells=96)
    else:
        pr = case.problem(second_order=second_order, cells=48)
    p = case.stationary(pr)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        sigma = fp.entropy_production(pr, p)
    warned = any(issubclass(warning.category, fp.DegenerateWarning) for warning in told)
    return 1.0 / sigma if np.isfinite(sigma) or warned else np.nan


def price(h1, h2, regularisation, cells):
    """Entropy production of the regularised process over that of its own Gaussian."""
    pr = case.regularised_problem(h1, h2, 0.1, regularisation, cells)
    return (
        fp.entropy_production(pr, fp.stationary(pr)) / case.in_x_and_y(h1, h2, 0.1, regularisation).entropy_production
    )


def covariance_of_particles(n=20_000, until=4.0, dt=0.01, seed=19, h2=3.0):
    """In x and y, where the solver refuses the tensor; h2: of the second coordinate."""
    model = case.in_x_and_y(h2=h2)
    swarm = fp.simulate(
        fp.Problem(model.process(), model.grid(32)), fp.Point(0.0, 0.0), [until], dt=dt, n=n, seed=seed, progress=False
    )
    return np.cov(swarm.at(until).T)


def transported(name, scheme_is_second_order, cells, atol, coarser):
    """The covariance by one scheme."""
    return Exact(
        f"covariance, {name}",
        second_order,
        dict(cells=cells, second_order=scheme_is_second_order),
        lambda r: off_covariance(r, "p"),
        0.0,
        atol=atol,
        wrong=dict(cells=coarser),
        source=LYAPUNOV,
    )


claims = [
    transported("second-order transport", True, 192, 5e-4, coarser=96),
    transported("positive transport", False, 192, 1.5e-2, coarser=96),
    Exact(
        "<x y> by positive transport, extrapolated",
        extrapolated,
        dict(cells=64),
        float,
        COVARIANCE[0, 1],
        atol=1e-4,
        wrong=dict(h2=2.9),
        source=LYAPUNOV,
    ),
    Exact(
        "positive transport is nowhere negative",
        second_order,
        dict(cells=48, second_order=False),
        lambda r: float(r["p"].values.min() > 0),
        1.0,
        atol=1e-9,
        wrong=dict(second_order=True),
        source="rates that are all >= 0",
    ),
    Exact(
        "J/p turns with frequency sqrt 3",
        lambda cells, h2=3.0: case.current(
            case.problem(h2=h2, cells=cells), fp.stationary(case.problem(h2=h2, cells=cells))
        ),
        dict(cells=192),
        lambda J: J.rotation_frequency,
        3.0**0.5,
        atol=3e-3,
        wrong=dict(h2=2.9),
        source="Im eig(Q S^-1)",
        slow=True,
    ),
    *(
        Exact(
            statement,
            told_infinite,
            dict(second_order=second_order),
            float,
            0.0,
            atol=1e-9,
            wrong=dict(regularisation=0.01),
            source="nothing brings the flow back",
        )
        for second_order, statement in (
            (False, "the entropy production is infinite, and told"),
            (True, "the same by second-order transport"),
        )
    ),
    Exact(
        "a tensor of rank one across the axes is refused",
        refused,
        dict(regularisation=0.0),
        float,
        1.0,
        atol=1e-9,
        wrong=dict(regularisation=0.05),
        source="positive rates cannot hold it",
    ),
    Exact(
        "a regularised tensor has the entropy production of its own Gaussian",
        price,
        dict(h1=1.0, h2=3.0, regularisation=0.01, cells=192),
        float,
        1.0,
        atol=3e-3,
        wrong=dict(regularisation=0.002),
        source="tr(D^-1 Q S^-1 Q')",
    ),
    Exact(
        "particles with noise of rank one: <x y>",
        covariance_of_particles,
        {},
        lambda S: float(S[0, 1]),
        COVARIANCE[0, 1],
        atol=1.3e-3,
        wrong=dict(h2=2.5),
        source=LYAPUNOV,
        slow=True,
    ),
    Particles(
        "particles along and across the noise",
        case.problem,
        dict(cells=128),
        until=8.0,
        n=20_000,
        dt=(4e-2, 2e-2),
        seed=23,
        wrong=dict(eps=0.15),
        slow=True,
    ),
]
