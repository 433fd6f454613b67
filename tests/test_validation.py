"""Every claim holds, every control fails, and no case goes without a claim: the same claims as `fpsolve validate`."""

from pathlib import Path

import pytest

from cases import ornstein_uhlenbeck as case
from fpsolve.casefile import available
from fpsolve.claim_files import collect
from fpsolve.claims import Exact, Particles, Published

ROOT = Path(__file__).resolve().parents[1]
CLAIMS = [(case, claim) for case, claims in collect(ROOT).items() for claim in claims]


def parameter(case, claim):
    marks = [pytest.mark.slow] if claim.expensive else []
    return pytest.param(case, claim, id=f"{case}: {claim.name}", marks=marks)


@pytest.mark.parametrize(("case", "claim"), [parameter(*pair) for pair in CLAIMS])
def test_claim_holds_and_its_control_fails(case, claim):
    verdict = claim.check(case)
    if claim.known_limit:
        assert verdict.status == "limit", "the claim holds by now: it is no limit any more"
        return
    assert verdict.agrees, f"{verdict.measured} is not {verdict.expected} +- {verdict.tolerance}"
    assert verdict.control_fails, f"the control {verdict.control} passes within {verdict.tolerance}"
    assert verdict.passed


@pytest.mark.parametrize("case", available(ROOT))
def test_every_case_has_a_claim(case):
    assert any(name == case for name, _ in CLAIMS)


def test_claims_have_distinct_names():
    names = [(case, claim.name) for case, claim in CLAIMS]
    assert len(names) == len(set(names))


def doubled(k=1.0):
    return {"value": 2.0 * k}


@pytest.mark.parametrize("kind", [Exact, Published])
@pytest.mark.parametrize(
    ("expected", "wrong", "agrees", "control_fails"),
    [
        (2.0, {"k": 3.0}, True, True),
        (2.5, {"k": 3.0}, False, True),
        (2.0, {"k": 1.0}, True, False),  # a control that passes proves nothing
        (2.0, lambda r: r["value"], True, False),
        (2.0, lambda r: float("nan"), True, False),  # nor does one that is no number
        (2.0, lambda r: float("inf"), True, True),
    ],
)
def test_a_verdict_needs_agreement_and_a_failing_control(kind, expected, wrong, agrees, control_fails):
    claim = kind("double", doubled, {}, lambda r: r["value"], expected, 1e-9, wrong, "arithmetic")
    verdict = claim.check("case")
    assert (verdict.agrees, verdict.control_fails) == (agrees, control_fails)
    assert verdict.passed == (agrees and control_fails)
    assert verdict.facts()["passed"] == verdict.passed


def test_particles_are_extrapolated_in_their_step():
    claim = Particles("coarse steps", case.problem, {"k": 1.0}, {"k": 2.0}, 3, until=8.0, n=4000, dt=(0.4, 0.2))
    verdict = claim.check()
    assert verdict.passed
    biased = Particles("one step", case.problem, {"k": 1.0}, {"k": 2.0}, 3, until=8.0, n=40_000, dt=(0.8, 0.79999))
    assert biased.check().tolerance > 1  # steps too close to extrapolate: the noise says so


def test_tolerances_must_be_positive():
    with pytest.raises(ValueError, match="tolerance"):
        Exact("exactly", doubled, {}, lambda r: r["value"], 2.0, 0.0, {"k": 2}, "").check()
    with pytest.raises(ValueError, match="needs until, n and dt"):
        Particles("nothing", case.problem, {}, {"k": 2.0}).check()


def test_unknown_claims_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"no claims about nobody; there are claims about .*tilted_ring"):
        collect(ROOT, ["nobody"])
    with pytest.raises(ValueError, match=r"no folder .*--root"):
        collect(tmp_path)
