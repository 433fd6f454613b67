"""Processes with an axis without noise: momentum, coloured noise; exact Gaussian laws, first and second order."""

import contextlib
from functools import cache

import numpy as np
import planes
import pytest

import fpsolve as fp
from fpsolve.models import LinearGaussian

FRICTION, HEAT = 0.8, 0.6
MOMENTUM = LinearGaussian([[0.0, -1.0], [1.5, FRICTION]], [[0.0, 0.0], [0.0, FRICTION * HEAT]])
COLOURED = LinearGaussian([[1.0, -1.0], [0.0, 2.0]], [[0.0, 0.0], [0.0, 1.6]])
START = fp.Gaussian((0.8, -0.4), (0.45, 0.45))


def momentum(cells, scheme):
    """Heavy-ball SGD on a quadratic loss: dx = m dt, dm = -(1.5 x + friction m) dt + sqrt(2 friction heat) dW."""
    process = fp.Process(lambda x, m: (m, -1.5 * x - FRICTION * m), (0.0, FRICTION * HEAT))
    return fp.Problem(process, fp.Grid(x=(-4.5, 4.5, cells), m=(-5.5, 5.5, cells)), scheme)


def coloured(cells, scheme):
    """Gradient noise with a memory: dx = (-x + xi) dt, dxi = -2 xi dt + sqrt(3.2) dW."""
    process = fp.Process(lambda x, xi: (-x + xi, -2 * xi), (0.0, 1.6))
    return fp.Problem(process, fp.Grid(x=(-4, 4, cells), xi=(-6, 6, cells)), scheme)


CASES = {"momentum": (momentum, MOMENTUM), "coloured noise": (coloured, COLOURED)}


def exact_masses(grid, law):
    mesh = np.meshgrid(*grid.nodes, indexing="ij")
    return law.density(*(x.ravel() for x in mesh)).reshape(grid.shape) * grid.weights


@cache
def transient(case, cells, scheme):
    """The L1 error at t = 1, and the evolution."""
    make, model = CASES[case]
    path = fp.evolve(make(cells, scheme), START, [1.0])
    return np.abs(path.masses[0] - exact_masses(path.grid, model.at(1.0, START))).sum(), path


@pytest.mark.parametrize("case", list(CASES))
def test_positive_transport_is_of_first_order_and_positive(case):
    errors = []
    for cells in (64, 128):
        e, path = transient(case, cells, fp.Positive())
        errors.append(e)
        assert path.info.smallest >= -1e-10 * path[0].values.max()
        assert path.info.mass_error < 1e-13
    assert planes.order(errors)[0] == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("case", list(CASES))
def test_accurate_transport_is_of_second_order_and_fifteen_times_as_good(case):
    errors = [transient(case, cells, fp.Accurate())[0] for cells in (64, 128)]
    assert 1.85 < planes.order(errors)[0] < 3.1
    assert errors[1] < transient(case, 128, fp.Positive())[0] / 15


@pytest.mark.parametrize("case", list(CASES))
def test_a_wrong_friction_is_noticed(case):
    make, model = CASES[case]
    wrong = model.replace(drift_matrix=model.drift_matrix + np.diag([0.0, 0.2]))
    p = fp.evolve(make(80, fp.Accurate()), START, [1.0])
    assert np.abs(p.masses[0] - exact_masses(p.grid, wrong.at(1.0, START))).sum() > 0.05


@pytest.mark.parametrize("case", list(CASES))
def test_moments_follow_the_matrix_exponential(case):
    make, model = CASES[case]
    path = fp.evolve(make(80, fp.Accurate()), START, [0.5, 1.0, 3.0])
    for p, t in zip(path, path.times, strict=True):
        law = model.at(t, START)
        assert p.mean() == pytest.approx(law.center, abs=1e-2)
        assert p.covariance() == pytest.approx(law.covariance, abs=2e-2)


@pytest.mark.parametrize("case", list(CASES))
@pytest.mark.parametrize(("scheme", "method"), [(fp.Positive(), fp.GTH()), (fp.Accurate(), fp.SparseLU())])
def test_stationary_laws(case, scheme, method):
    make, model = CASES[case]
    first, errors = isinstance(scheme, fp.Positive), []
    for cells in (48, 96):
        with pytest.warns(fp.ResolutionWarning, match="upwind") if first else contextlib.nullcontext():
            p = fp.stationary(make(cells, scheme), method=method)
        law = fp.Gaussian((0.0, 0.0), cov=model.covariance)
        errors.append(np.abs(p.masses - exact_masses(p.grid, law)).sum())
    assert planes.order(errors)[0] == pytest.approx(1.0, abs=0.15) if first else planes.order(errors)[0] > 1.85
    assert errors[1] < (0.2 if first else 0.012)
    if first:
        assert p.values.min() > 0


def test_the_equilibrium_of_momentum_is_that_of_the_temperature():
    """exp(-(1.5 x^2 + m^2)/(2 heat)): x and m are independent whatever the friction."""
    assert np.diag([HEAT / 1.5, HEAT]) == pytest.approx(MOMENTUM.covariance, abs=1e-12)
    p = fp.evolve(momentum(80, fp.Accurate()), START, [25.0])[0]
    assert p.covariance() == pytest.approx(np.diag([HEAT / 1.5, HEAT]), abs=1.5e-2)


def test_coloured_noise_becomes_white_as_its_memory_goes():
    """dx = (-x + xi) dt, dxi = -xi/tau dt + sqrt(2 D)/tau dW: var x = D/(1 + tau)."""

    def variance(tau):
        process = fp.Process(lambda x, xi: (-x + xi, -xi / tau), (0.0, 0.5 / tau**2))
        reach = 6 * np.sqrt(0.5 / tau)
        pr = fp.Problem(process, fp.Grid(x=(-4, 4, 64), xi=(-reach, reach, 64)), fp.Accurate())
        return fp.stationary(pr, method=fp.SparseLU()).var("x")

    for tau in (1.0, 0.3):
        assert variance(tau) == pytest.approx(0.5 / (1 + tau), rel=0.02)


def test_momentum_crosses_a_barrier_that_friction_slows_down():
    """Underdamped in a double well: the mass that has crossed by t = 10 depends on the friction."""

    def crossed(friction):
        process = fp.Process(lambda x, m: (m, x - x**3 - friction * m), (0.0, friction * 0.15))
        pr = fp.Problem(process, fp.Grid(x=(-2.2, 2.2, 64), m=(-2.6, 2.6, 64)), fp.Accurate())
        path = fp.evolve(pr, fp.Gaussian((-1, 0), (0.25, 0.35)), [10.0])
        assert path.info.mass_error < 1e-12
        return path[0].probability(lambda x, m: x + 0 * m)

    assert crossed(0.5) > crossed(4.0) > 0.05


def test_time_steppers_agree_on_a_kinetic_equation():
    pr = momentum(40, fp.Accurate())
    best = fp.evolve(pr, START, [0.5])
    for method, bound in ((fp.TRBDF2(rtol=1e-4), 3e-4), (fp.SDIRK2(dt=0.01), 1e-3)):
        path = fp.evolve(pr, START, [0.5], method=method)
        assert np.abs(path.masses - best.masses).sum() < bound
