"""Real columns: the corrected theory wins where skewness is small, none is right where it is large; replicas agree."""

from functools import cache

from cases import sgd_ladder as case
from fpsolve.claims import Exact
from fpsolve.paired_scores import preference, scores

fp = case.fp
EXACT = "the exact law of the discrete steps, collocated"


@cache
def judged(column, fraction=0.1):
    """The ladder without replicas."""
    return fp.ladder(case.network(column, fraction), particles=False)


def error(theory):
    return lambda found: found.row(theory).error


def at_most(name, column, bound, theory="third cumulant", wrong="Ito", fraction=0.1):
    """One theory is within `bound` of the exact law, another one is not."""
    return Exact(
        name, judged, dict(column=column, fraction=fraction), error(theory), 0.0, atol=bound, wrong=error(wrong),
        source=EXACT,
    )  # fmt: skip


@cache
def replicas(column="diabetes/sex", fraction=0.3, n=100_000):
    """Where real SGD has come, long after its start."""
    return case.network(column, fraction).sgd(31_000, n, seed=5, progress=False).positions[-1][:, 0]


def preferred(factor, column="diabetes/sex", fraction=0.3):
    """The p-value of these replicas liking the exact law at `factor` times their learning rate as much as their own."""
    net = case.network(column, fraction)
    own, other = (fp.transfer(one).stationary() for one in (net, net.replace(learning_rate=factor * net.learning_rate)))
    samples = replicas(column, fraction)
    return preference(scores(own, samples, own), scores(other, samples, own))


claims = [
    at_most("sex: the corrected law is right to KS 1e-4", "diabetes/sex", 1e-4),
    at_most("sex: and at three times the learning rate", "diabetes/sex", 1e-4, fraction=0.3),
    at_most("age: the corrected law is right to KS .001", "diabetes/age", 1e-3),
    at_most("age: Ito is right to KS .01, constant noise is not", "diabetes/age", 1e-2, "Ito", "Langevin"),
    at_most("bmi: the corrected law is right to KS .005", "diabetes/bmi", 5e-3, fraction=0.03),
    Exact(
        "worst radius, skewness 6: no theory is right",
        judged,
        dict(column="breast_cancer/worst_radius", fraction=0.03),
        lambda found: float(found.right),
        0.0,
        atol=0.5,
        wrong=dict(column="diabetes/sex"),
        source=EXACT,
    ),
    Exact(
        "worst radius: no theory's small number says that it holds",
        judged,
        dict(column="breast_cancer/worst_radius", fraction=0.03),
        lambda found: float(sum(row.expected is True for row in found.rows)),
        0.0,
        atol=0.5,
        wrong=dict(column="diabetes/sex"),
        source=EXACT,
    ),
    Exact(
        "the grid has no part in the winner's error: sex",
        judged,
        dict(column="diabetes/sex"),
        lambda found: found.best.grid / found.best.error,
        0.0,
        atol=0.1,
        wrong=lambda found: found.best.error / found.best.error,
        source="half as many cells",
    ),
    Exact(
        "the exact law's own error is below the winner's: age",
        judged,
        dict(column="diabetes/age"),
        lambda found: found.truth_error / found.best.error,
        0.0,
        atol=0.02,
        wrong=lambda found: found.best.error / found.row("finite rate").error,
        source="half as many nodes",
    ),
    Exact(
        "sex: 100,000 replicas reject a learning rate 2 % off",
        preferred,
        dict(factor=1.02),
        float,
        0.0,
        atol=0.01,
        wrong=dict(factor=1.0),
        source="paired scores of real SGD",
        slow=True,
    ),
]
