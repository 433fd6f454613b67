"""The pair (u, w): the density's numbers at t = 0.5 and 4, its mass and signs, and particles that agree."""

from functools import cache

import numpy as np

from cases import rescaling_pair as case
from fpsolve.claims import Exact, Published

SOURCE = "independent solutions on three nested grids, extrapolated; uncertainty in the last digit"
EARLY = {"E[z]": 1.15883, "median z": 1.2687, "P(v < 1)": 0.7595}  # t = 0.5
LATE = {"E[z]": 0.014132, "median z": 0.01209, "P(v < 1)": 0.8283}  # t = 4


@cache
def early(temperature=0.3):
    """The density at t = 0.5, on cells a quarter as wide as the pulse it starts from."""
    return case.evolution(temperature, (0.5,), dzeta=0.04, dq=0.015, q_min=-6.0)


@cache
def late():
    """The densities at t = 4 on two grids, 3:2."""
    return [case.evolution(times=(4.0,), dzeta=width, dq=width)[0] for width in (0.06, 0.04)]


def worst(found, reference):
    """The largest relative deviation of the three numbers."""
    return max(abs(found[name] / value - 1.0) for name, value in reference.items())


def extrapolated(densities):
    coarse, fine = (case.numbers(p) for p in densities)
    return {name: fine[name] + (fine[name] - coarse[name]) / (1.5**2 - 1.0) for name in fine}


def refined_mean(temperature=0.3, t=0.5):
    """E[z] in the positive form: first order in q and t, extrapolated from 1:3."""
    model = case.pair(temperature)
    start, lowest = model.initial(case.MEAN, case.DEVIATION), []

    def mean(problem):
        method = case.fp.BackwardEuler(dt=problem.grid["q"].ds)
        p = case.fp.evolve(problem, start, [t], method=method)[0]
        lowest.append(float(p.values.min()))
        return p.expect(model.z)

    grid = dict(dzeta=0.1, dq=0.05, q_min=-9.0, positive=True)
    value = case.fp.refined(mean, case.problem(temperature, **grid), order=1.0)
    return {"mean": float(value), "lowest": min(lowest)}


@cache
def run(temperature=0.3, replicas=100_000):
    """Particles of the pair, to t = 4."""
    model = case.pair(temperature)
    return model.simulate(model.initial(case.MEAN, case.DEVIATION), (0.5, 4.0), n=replicas, seed=11, threads=2)


def in_standard_errors(particles):
    """Root mean square distance of the density's six numbers from the particles', in standard errors: 1 by chance."""
    both = {0.5: case.numbers(early()[0]), 4.0: extrapolated(late())}
    scores = [(value - both[t][name]) / error for t in both for name, (value, error) in case.seen(particles, t).items()]
    return float(np.sqrt(np.mean(np.square(scores))))


claims = [
    Published(
        "E[z], median of z and P(v < 1) at t = 0.5, worst relative deviation",
        early,
        {},
        lambda path: worst(case.numbers(path[0]), EARLY),
        0.0,
        3e-4,
        wrong=dict(temperature=0.303),
        source=SOURCE,
    ),
    Published(
        "E[z], median of z and P(v < 1) at t = 4, worst relative deviation",
        late,
        {},
        lambda densities: worst(extrapolated(densities), LATE),
        0.0,
        3e-4,
        wrong=lambda densities: worst(case.numbers(densities[0]), LATE),
        source=SOURCE,
        slow=True,
    ),
    Exact(
        "mass is conserved",
        early,
        {},
        lambda path: float(path.mass[0]) - 1.0,
        0.0,
        atol=1e-13,
        wrong=lambda path: float(path.masses[0][:, 1:].sum()) - 1.0,  # without the balanced state
        source="dm/dt = L m, columns of L sum to 0",
    ),
    Exact(
        "undershoot of second-order transport, cells a third of the pulse",
        case.evolution,
        dict(times=(0.5,), dzeta=0.02, dq=0.02, q_min=-6.0),
        lambda path: float(np.minimum(path.masses[0], 0.0).sum()),
        0.0,
        atol=1e-10,
        wrong=dict(times=(0.5,), dzeta=0.1, dq=0.1, q_min=-6.0),
        source="a pulse wider than three cells is resolved",
        slow=True,
    ),
    Exact(
        "E[z] at t = 0.5 of the positive form, extrapolated",
        refined_mean,
        {},
        lambda found: found["mean"] if found["lowest"] >= 0.0 else np.nan,
        EARLY["E[z]"],
        atol=0.01 * EARLY["E[z]"],
        wrong=dict(temperature=0.33),
        source=SOURCE,
        slow=True,
    ),
    Exact(
        "E[z] at t = 4 of the positive form, extrapolated",
        refined_mean,
        dict(t=4.0),
        lambda found: found["mean"] if found["lowest"] >= 0.0 else np.nan,
        LATE["E[z]"],
        atol=0.01 * LATE["E[z]"],
        wrong=dict(t=4.0, temperature=0.31),
        source=SOURCE,
        slow=True,
    ),
    Exact(
        "particles within two standard errors of E[z], median z and P(v < 1), root mean square",
        run,
        {},
        in_standard_errors,
        0.0,
        atol=2.0,
        wrong=dict(temperature=0.29),
        source="the same process, particle by particle",
        slow=True,
    ),
]
