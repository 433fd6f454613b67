"""The rungs of the ladder: densities with known forms, the grid's part in them, and why some have none."""

import dataclasses

import numpy as np
import pytest

import fpsolve as fp
from fpsolve.models import DiagonalNetwork, FromGradients
from fpsolve.rungs import Measured, measured_rungs, plain_rungs
from fpsolve.validity import HOLDS, NUMBERS, validity_of

DATA = fp.Regression.synthetic(60, noise=1.0, seed=3)
NET = DiagonalNetwork(DATA, depth=0, learning_rate=0.02)
SUBJECT = NET.subject()
GAUSSIAN_NOISE = Measured(alpha=2.0, alpha_error=0.02, scale=None, memory=1.0, memory_error=0.01)
HEAVY_NOISE = Measured(alpha=1.6, alpha_error=0.02, scale=0.7, memory=1.0, memory_error=0.01)


@pytest.fixture(scope="module")
def rungs():
    return {rung.name: rung for rung in plain_rungs(SUBJECT)}


def test_gaussian_rungs_have_the_variances_that_they_say(rungs):
    v, noise, rate = SUBJECT.minimum, SUBJECT.noise_at_minimum, SUBJECT.rate
    expected = {
        "gaussian": noise / rate,
        "Langevin": noise / rate,  # a linear flow
        "tempered posterior": 0.5 * NET.temperature / rate,
        "Bayes' posterior": np.mean((DATA.y - v * DATA.x) ** 2) / np.sum(DATA.x**2),
    }
    for name, variance in expected.items():
        assert rungs[name].density.var() == pytest.approx(variance, rel=1e-4), name
        assert rungs[name].density.mean() == pytest.approx(v, abs=1e-6), name
        assert rungs[name].density.var() != pytest.approx(1.01 * variance, rel=1e-3)


def test_ito_is_the_exact_density(rungs):
    assert rungs["Ito"].density.var() == pytest.approx(NET.exact_variance, rel=1e-6)
    assert rungs["Stratonovich"].density.var() != pytest.approx(NET.exact_variance, rel=1e-2)


def test_the_grids_part_bounds_its_error(rungs):
    for name in ("gaussian", "Langevin", "Ito", "Stratonovich"):
        rung = rungs[name]
        finer = rung.density.grid.refined(3)
        process = {
            "gaussian": fp.Process(lambda x: -SUBJECT.rate * (x - SUBJECT.minimum), SUBJECT.noise_at_minimum),
            "Langevin": fp.Process(SUBJECT.flow, SUBJECT.noise_at_minimum),
            "Ito": fp.Process(SUBJECT.drift, SUBJECT.diffusion),
            "Stratonovich": fp.Process(SUBJECT.flow, SUBJECT.diffusion, "stratonovich"),
        }[name]
        true = fp.distance(rung.density, fp.stationary(fp.Problem(process, finer)), "KS")
        assert true <= 1.05 * rung.grid + 1e-9
        assert rung.grid < 1e-3


def test_a_theory_without_density_says_why():
    wide = DiagonalNetwork(DATA, depth=1, learning_rate=0.02).subject()
    rung = next(rung for rung in plain_rungs(wide) if rung.name == "isothermal")
    assert rung.density is None
    assert "no stationary density" in rung.reason
    assert rung.grid is None


def test_noise_of_index_two_and_memory_leave_itos_law(rungs):
    found = {rung.name: rung for rung in measured_rungs(SUBJECT, GAUSSIAN_NOISE, list(rungs.values()))}
    for name, fitted in (("stable noise", 1), ("memory", 1), ("refined", 3)):
        assert found[name].density is rungs["Ito"].density
        assert found[name].fitted == fitted
        assert found[name].reason


def test_stable_noise_of_a_linear_flow_is_a_stable_law():
    rate, d = SUBJECT.rate, SUBJECT.noise_at_minimum
    flat = dataclasses.replace(SUBJECT, diffusion=lambda x: np.full_like(x, d))
    rung = measured_rungs(flat, HEAVY_NOISE, plain_rungs(flat))[0]
    eta, alpha = flat.learning_rate, HEAVY_NOISE.alpha
    unit = HEAVY_NOISE.scale * np.sqrt(2.0 * d * eta) * eta ** (-1.0 / alpha)
    width = unit * (alpha * rate) ** (-1.0 / alpha)  # of the stable law
    peak = np.exp(rung.density.log_values.max())
    from scipy.special import gamma

    assert peak == pytest.approx(gamma(1.0 + 1.0 / alpha) / (np.pi * width), rel=2e-3)
    assert peak != pytest.approx(gamma(1.0 + 1.0 / alpha) / (np.pi * 1.01 * width), rel=2e-3)
    assert rung.fitted == 2
    assert "1.6" in rung.reason


def test_beyond_the_edge_of_stability_nothing_rests(rungs):
    fast = dataclasses.replace(SUBJECT, rate=2.1 / SUBJECT.learning_rate)
    refined = measured_rungs(fast, GAUSSIAN_NOISE, list(rungs.values()))[-1]
    assert refined.density is None
    assert "edge of stability" in refined.reason


def test_small_numbers_are_those_of_the_model():
    found = validity_of(SUBJECT)
    step = NET.learning_rate * SUBJECT.rate
    assert set(found) == set(NUMBERS)
    assert found["finite rate"].value == pytest.approx(max(step**2, abs(SUBJECT.skewness) * np.sqrt(step)), rel=1e-12)
    assert found["Ito"].value >= found["third cumulant"].value
    assert found["tempered posterior"].limit == "level"
    flat = dataclasses.replace(SUBJECT, diffusion=lambda x: np.full_like(x, 0.5 * NET.temperature), skewness=0.0)
    of_flat = validity_of(flat)
    for theory in ("gaussian", "Langevin", "Stratonovich", "tempered posterior"):
        assert of_flat[theory].limit == "contraction"
        assert of_flat[theory].value == pytest.approx(step)


def test_a_theory_of_small_number_is_right():
    """Slow learning on symmetric data: Ito is expected to hold and does, a steep one is not and does not."""
    for rate, expected in ((0.001, True), (0.2, False)):
        subject = DiagonalNetwork(DATA, depth=0, learning_rate=rate).subject()
        ito = next(rung for rung in plain_rungs(subject) if rung.name == "Ito")
        error = fp.distance(ito.density, fp.transfer(subject.random_map).stationary(), "KS")
        assert (validity_of(subject)["Ito"].value < HOLDS) == expected
        assert (error < 0.01) == expected


@pytest.mark.slow
def test_a_double_well_is_seen_whole():
    """A constant-noise theory reaches over the barrier: both wells have their share."""
    shift = np.linspace(-1.5, 1.5, 101)
    mine = FromGradients(lambda x, a: x**3 - x + a, (shift,), 0.2, 1, start=1.0, replacement=False)
    langevin = next(rung for rung in plain_rungs(mine.subject()) if rung.name == "Langevin")
    assert langevin.density.cdf(0.0) == pytest.approx(0.5, abs=1e-3)
