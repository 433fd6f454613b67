"""Transition rates and quasi-stationary densities in one dimension, behind barriers up to 200 kT."""

import numpy as np
import pytest

import fpsolve as fp
from tests.lines import INSIDE, double_well, nodes, problem, walk

TIMES = {0.05: 729.670691942322799, 0.25 / 200: 3.21647120275202853e87}  # -1 -> 1, in 40 digits


def test_transition_rates():
    pr = double_well(0.05, (-3, 3, 240))
    rate = fp.transition_rate(pr, source=(None, -1), target=(1, None))
    assert 1 / rate == pytest.approx(TIMES[0.05], rel=1e-12)
    assert rate.share == pytest.approx(0.5, rel=1e-12)
    assert rate.flux == pytest.approx(rate / 2, rel=1e-12)
    assert "transitions per unit time" in repr(rate)
    with pytest.raises(AttributeError, match="frozen"):
        rate.flux = 1.0
    chain = fp.transition_rate(pr, source=(None, -1), target=(1, None), method=fp.GTH())
    assert chain == pytest.approx(rate, rel=2e-3)
    tilted = problem(lambda x: x - x**3 + 0.1, 0.05, (-3, 3, 240))
    there, back = (fp.transition_rate(tilted, a, b) for a, b in (((None, -1), (1, None)), ((1, None), (None, -1))))
    assert there.flux == pytest.approx(back.flux, rel=1e-13)  # as many go as come back
    assert there.share + back.share == pytest.approx(1.0, abs=1e-13)
    deep = fp.transition_rate(double_well(0.25 / 200), (None, -1), (1, None))
    assert 1 / deep == pytest.approx(TIMES[0.25 / 200], rel=1e-11)


def test_transitions_of_a_driven_ring_balance():
    ring = problem(lambda x: 0.5 + np.sin(x), 0.3, fp.Axis.uniform(0, 2 * np.pi, 400, ends="periodic"))
    there = fp.transition_rate(ring, (2.5, 3.5), (5.5, 6.5))
    back = fp.transition_rate(ring, (5.5, 6.5), (2.5, 3.5))
    assert there.flux == pytest.approx(back.flux, rel=3e-4)  # second order
    assert there.share + back.share == pytest.approx(1.0, abs=1e-12)
    with pytest.raises(fp.InvalidInput, match="touch"):
        fp.transition_rate(ring, (2.0, 3.0), (3.001, 4.0))


def test_quasi_stationary_density_of_an_interval():
    pr = walk()
    p = fp.quasi_stationary(pr, INSIDE)
    inside, x = nodes(pr, *INSIDE)
    assert p.info.decay_rate == pytest.approx(np.pi**2 / 8, rel=1e-12)
    shape = np.cos(np.pi * x[inside] / 2)
    assert p.values[inside] / p.values.max() == pytest.approx(shape / shape.max(), rel=1e-11)
    assert np.all(p.values[~inside] == 0)
    assert p.mass == pytest.approx(1.0, abs=1e-14)
    for method in (fp.SparseLU(), fp.GTH()):
        chain = fp.quasi_stationary(pr, INSIDE, method=method)
        assert chain.info.decay_rate == pytest.approx(np.pi**2 / 8, rel=1e-3)
        assert np.abs(chain.masses - p.masses).sum() < 1e-3


@pytest.mark.parametrize("kT", [10, 40, 200])
def test_paths_leave_a_quasi_stationary_density_at_its_rate(kT):
    pr = double_well(0.25 / kT)
    p, tau = fp.quasi_stationary(pr, (None, 0)), fp.mean_exit_time(pr, (None, 0))
    assert p.info.decay_rate * np.sum(p.masses * tau.values) == pytest.approx(1.0, rel=1e-8)
    chain, times = (
        fp.quasi_stationary(pr, (None, 0), method=fp.GTH()),
        fp.mean_exit_time(pr, (None, 0), method=fp.GTH()),
    )
    assert chain.info.decay_rate * np.sum(chain.masses * times.values) == pytest.approx(1.0, rel=1e-12)
    assert chain.info.decay_rate == pytest.approx(p.info.decay_rate, rel=0.02)


def test_quasi_stationary_refuses_what_has_none():
    with pytest.raises(fp.Reducible, match="2 parts"):
        fp.quasi_stationary(walk(), lambda x: (x**2 - 0.25) * (2.25 - x**2))
    with pytest.raises(fp.InvalidInput, match=r"no quasi-stationary density.*mean exit time is infinite"):
        fp.quasi_stationary(walk(), (None, 1))
    with pytest.raises(fp.NotConverged, match=r"rounding may move the decay rate.*use fp\.GTH"):
        fp.quasi_stationary(double_well(0.25 / 40), (None, 0), method=fp.SparseLU())
    with pytest.raises(fp.InvalidInput, match="method is"):
        fp.quasi_stationary(walk(), INSIDE, method=fp.Multigrid())
