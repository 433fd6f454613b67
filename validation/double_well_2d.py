"""Double well of two coordinates: the Gibbs law cell by cell for any mobility, in the tails, and between far wells."""

import warnings

import numpy as np

import fpsolve as fp
from cases import double_well_2d as case
from fpsolve.claims import Exact, Particles

GIBBS = "Gibbs measure"
FAR = dict(temperature=0.25 / 40, tilt=0.0048, condition=10.0, cells=64)  # 40 kT between the wells, 1.5 kT apart


def worst_log(results, factor=1.0):
    """Largest error of ln p where p exceeds 1e-290."""
    p, exact = results["stationary"], results["exact"].density
    seen = p.values > 1e-290
    return float(np.abs(p.log_values - factor * exact.log_values)[seen].max())


def gibbs(temperature, condition):
    """ln p = -U/T - ln Z, node by node; at T = .025 p falls to 1e-109."""
    return Exact(
        f"ln p at T = {temperature:g}, mobility of condition {condition:g}",
        case.solve,
        dict(temperature=temperature, tilt=0.02, condition=condition),
        worst_log,
        0.0,
        atol=1e-12,
        wrong=lambda r: worst_log(r, factor=1 + 1e-10),
        source=GIBBS,
    )


def far_wells(**physics):
    """The right well's weight over that of the closed form, by elimination and by LU (its rejected estimate)."""
    pr = case.problem(**physics)
    exact = fp.ExactDensity(lambda x, y: -case.loss(x, y, physics["tilt"]) / physics["temperature"], pr.grid)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fp.DegenerateWarning)  # no run ever sees the other well: meant so
        weight = case.right_well(fp.stationary(pr))
    try:
        rejected = case.right_well(fp.stationary(pr, method=fp.SparseLU()))
    except fp.NotConverged as refusal:
        rejected = float(refusal.best.reshape(pr.grid.shape)[pr.grid.nodes[0] > 0].sum())
    truth = case.right_well(exact.density)
    return {"elimination": weight / truth, "LU": rejected / truth}


claims = [
    gibbs(0.1, 10.0),
    gibbs(0.1, 100.0),
    gibbs(0.025, 10.0),
    Exact(
        "weights of two wells behind 40 kT",
        far_wells,
        FAR,
        lambda ratios: ratios["elimination"],
        1.0,
        atol=1e-12,
        wrong=lambda ratios: ratios["LU"],
        source=GIBBS,
    ),
    Exact(
        "nothing flows, whatever the mobility",
        lambda **how: fp.current(case.problem(**how), fp.stationary(case.problem(**how))),
        dict(condition=100.0),
        lambda J: J.imbalance / J.rounding,
        0.0,
        atol=1.0,
        wrong=lambda J: (J.imbalance + 1e-10) / J.rounding,
        source="detailed balance",
    ),
    Particles(
        "particles in both coordinates",
        case.problem,
        dict(temperature=0.25, tilt=0.1, condition=3.0),
        until=12.0,
        n=8_000,
        dt=(8e-2, 4e-2),
        seed=5,
        wrong=dict(tilt=0.0),
    ),
]
