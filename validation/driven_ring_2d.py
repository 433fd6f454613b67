"""The stirred ring: the rotation leaves p as it is, and current, turns and entropy are quadratures along the radius."""

import numpy as np

import fpsolve as fp
from cases import driven_ring_2d as case
from fpsolve.claims import Exact, Particles

SOURCE = "p = exp(-U/D)/Z, J = omega (-y, x) p"
PHYSICS = dict(D=0.1, spin=1.0, shear=-0.5)


def l1(results):
    """Distance of the density from the closed form."""
    return float(np.abs(results["stationary"].masses - results["exact"].density.masses).sum())


def current_error(results, spin=1.0, shear=-0.5):
    """L1 distance of the current from omega (-y, x) p, relative."""
    J, p = results["current"], results["exact"].density
    x, y = p.grid.mesh()
    omega = case.rotation(x**2 + y**2, spin, shear)
    exact = (-omega * y * p.values, omega * x * p.values)
    apart = sum(np.abs(part.values - true).sum() for part, true in zip(J.at_nodes, exact, strict=True))
    return float(apart / sum(np.abs(true).sum() for true in exact))


def extrapolated(quantity, cells=48, **physics):
    """A number from the current, extrapolated from nested grids."""

    def question(problem):
        return quantity(fp.current(problem, fp.stationary(problem)))

    return fp.refined(question, case.problem(**physics, cells=cells), order=2)


def turns_of_particles(until=4.0, records=80, n=4000, dt=0.01, seed=11, **physics):
    """Turns per unit time: angles unwrapped between records, from the stationary law."""
    pr = case.problem(**physics)
    times = np.linspace(0.0, until, records + 1)
    swarm = fp.simulate(pr, fp.stationary(pr), times, dt=dt, n=n, seed=seed, progress=False)
    angles = np.unwrap(np.arctan2(swarm.positions[..., 1], swarm.positions[..., 0]), axis=0)
    return float((angles[-1] - angles[0]).mean() / (2.0 * np.pi * until))


claims = [
    Exact(
        "rotation leaves the density as it is",
        case.solve,
        dict(PHYSICS, cells=128),
        l1,
        0.0,
        atol=4e-3,
        wrong=dict(cells=64),
        source=SOURCE,
    ),
    Exact(
        "without rotation nothing flows",
        case.solve,
        dict(PHYSICS, spin=0.0, cells=64),
        lambda r: r["current"].entropy_production,
        0.0,
        atol=1e-4,
        wrong=dict(spin=0.05),
        source="detailed balance",
    ),
    Exact(
        "current against the closed form, L1",
        case.solve,
        dict(PHYSICS, cells=128),
        current_error,
        0.0,
        atol=5e-3,
        wrong=lambda r: current_error(r, shear=-0.6),
        source=SOURCE,
    ),
    Exact(
        "turns per unit time",
        extrapolated,
        dict(PHYSICS, quantity=lambda J: J.circulation),
        float,
        case.turns(**PHYSICS),
        atol=2e-5,
        wrong=dict(shear=-0.51),
        source="<omega>/(2 pi)",
    ),
    Exact(
        "entropy production",
        extrapolated,
        dict(PHYSICS, quantity=lambda J: J.entropy_production),
        float,
        case.entropy_production(**PHYSICS),
        atol=1e-2,
        wrong=dict(shear=-0.51),
        source="<omega^2 r^2>/D",
    ),
    Exact(
        "particles turn as often",
        turns_of_particles,
        dict(PHYSICS),
        float,
        case.turns(**PHYSICS),
        atol=3e-3,
        wrong=dict(spin=-1.0),
        source="<omega>/(2 pi)",
    ),
    Particles(
        "particles in both coordinates",
        case.problem,
        dict(PHYSICS),
        until=12.0,
        n=20_000,
        dt=(4e-2, 2e-2),
        seed=13,
        wrong=dict(D=0.4),
    ),
]
