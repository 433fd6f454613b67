"""Backward Euler: first order, positive for every step, mass conserved; beside SDIRK2, which is not positive."""

import numpy as np
import pytest
from scipy.linalg import expm

import fpsolve as fp

WELL = fp.Problem(fp.Process(lambda x: x - x**3, 0.1), fp.Grid(x=(-2.5, 2.5, 60)))
START = fp.Gaussian(-0.8, 0.15)


def exact(t):
    m0 = fp.evolve(WELL, START, [0.0])[0].masses
    return expm(t * fp.generator(WELL).rates().toarray()) @ m0


def error(dt, t=1.0):
    return np.abs(fp.evolve(WELL, START, [t], method=fp.BackwardEuler(dt=dt))[0].masses - exact(t)).sum()


def test_order_is_one():
    coarse, fine = error(1 / 40), error(1 / 120)
    assert np.log(coarse / fine) / np.log(3) == pytest.approx(1.0, abs=0.1)


def test_positive_for_every_step_where_second_order_is_not():
    problem = WELL.replace(grid=fp.Grid(x=(-2.5, 2.5, 400)))
    with pytest.warns(fp.ResolutionWarning, match="of its peak"):
        other = fp.evolve(problem, fp.Point(-0.79375), [0.25], method=fp.SDIRK2(dt=0.25))[0]
    assert other.values.min() < 0  # the control: this start does go negative
    for dt in (0.25, 0.1, 1e-3):
        p = fp.evolve(problem, fp.Point(-0.79375), [0.25], method=fp.BackwardEuler(dt=dt))[0]
        assert p.values.min() >= 0
        assert p.mass == pytest.approx(1.0, abs=1e-13)


def test_positive_in_two_dimensions_with_a_full_tensor():
    spiral = fp.Process(lambda x, y: (-x - 3 * y, y - x), ((1.0, 0.6), (0.6, 0.5)))
    problem = fp.Problem(spiral, fp.Grid(x=(-5, 5, 32), y=(-4, 4, 32)))
    path = fp.evolve(problem, fp.Gaussian((1.5, 0.0), (0.3, 0.3)), [0, 0.02], method=fp.BackwardEuler(dt=0.01))
    assert path[1].values.min() >= 0
    assert path.mass[1] == pytest.approx(path.mass[0], abs=1e-12)


def test_adaptive_steps_keep_the_error_estimate():
    errors = []
    for rtol in (1e-4, 1e-6):
        p = fp.evolve(WELL, START, [1.0], method=fp.BackwardEuler(rtol=rtol))[0]
        errors.append(np.abs(p.masses - exact(1.0)).sum())
    assert errors[1] < 0.2 * errors[0] < 0.01
    assert errors[1] < 1e-3
