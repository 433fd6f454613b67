"""Cases of two coordinates: each solves, draws, saves what comes back, and says what it found."""

from pathlib import Path

import numpy as np
import pytest

from fpsolve.casefile import find, load
from fpsolve.runner import facts
from tests.case_runs import check_run

ROOT = Path(__file__).resolve().parents[1]
SMALL = {
    "anisotropic_linear": dict(cells=64),
    "double_well_2d": dict(cells=48),
    "rotating_anisotropy": dict(cells=64, spin=0.1),
    "driven_ring_2d": dict(cells=64),
    "sgd_two_layer_noise": dict(cells=64),
    "rank_deficient_noise": dict(cells=64, regularisation=0.03),
}


def solved(name, **physics):
    return load(find(name, ROOT)).solve(**physics)


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_a_case_draws_and_saves_what_it_solved(name, tmp_path):
    check_run(load(find(name, ROOT)), SMALL[name], tmp_path / name)


def test_facts_of_a_current_name_its_entropy_production():
    J = solved("anisotropic_linear", cells=64)["current"]
    found = facts(J)
    assert found["entropy_production"] == J.entropy_production
    assert found["equilibrium"] is False
    endless = solved("rank_deficient_noise", cells=48, regularisation=0.05)["positive: current"]
    assert facts(endless)["entropy_production"] == "inf"


def test_a_loss_is_drawn_only_where_the_drift_is_a_gradient():
    case = load(find("anisotropic_linear", ROOT))
    assert "loss" in solved("anisotropic_linear", cells=64)
    results = solved("anisotropic_linear", cells=64, **case.SPIRAL)
    assert "loss" not in results
    labels = [text.get_text() for text in case.figure(results).axes[0].get_legend().get_texts()]
    assert labels == ["level sets of p"]


def test_moments_of_two_layer_noise_solve_their_own_equations():
    """<x^4> = 3 eps <L x^2> with <L x^2> = L0 <x^2> + (h1 <x^4> + h2 <x^2 y^2>)/2, and so on by symmetry."""
    case = load(find("sgd_two_layer_noise", ROOT))
    h1, h2, eps, floor = 0.7, 2.2, 0.13, 0.4
    V = case.variance(h1, h2, eps, floor)
    xx, xy, yy = (k * V**2 for k in case.kurtoses(h1, h2, eps, floor))
    of_x, of_y = floor * V + (h1 * xx + h2 * xy) / 2, floor * V + (h1 * xy + h2 * yy) / 2
    assert np.allclose([xx, yy], [3 * eps * of_x, 3 * eps * of_y], rtol=1e-13)
    assert (h1 + h2) * xy == pytest.approx(eps * (h1 * of_y + h2 * of_x), rel=1e-13)
    assert not np.isclose(xx, 3 * V**2, rtol=0.05)
