"""A few small answers that must not depend on the compiler: continuous integration runs them with it off."""

import numpy as np
import pytest

import fpsolve as fp


def test_a_density_by_plain_python():
    p = fp.stationary(fp.Problem(fp.Process(lambda x: -x, 1.0), fp.Grid(x=(-8, 8, 60))))
    assert p.var() == pytest.approx(1.0, abs=1e-12)


def test_a_ring_by_plain_python():
    ring = fp.Grid(x=fp.Axis.uniform(0, 1, 12, ends="periodic"))
    p = fp.stationary(fp.Problem(fp.Process(2.0, 0.5), ring))
    assert p.info.current == pytest.approx(2.0, rel=1e-13)


def test_sgd_by_plain_python_keeps_the_noether_charge_falling():
    rng = np.random.default_rng(1)
    x = rng.normal(size=20)
    net = fp.models.DiagonalNetwork(fp.Regression(x, x + rng.normal(size=20)), learning_rate=0.01)
    swarm = net.sgd(steps=20, n=4, seed=3, progress=False)
    assert np.all(np.isfinite(swarm.positions))
    assert np.array_equal(swarm.positions, net.sgd(steps=20, n=4, seed=3, progress=False).positions)


def test_particles_by_plain_python():
    problem = fp.Problem(fp.Process(lambda x: -x, 1.0), fp.Grid(x=fp.Axis.uniform(-4, 4, 40, ends="reflecting")))
    swarm = fp.simulate(problem, fp.Point(0.1), [0.1], dt=1e-2, n=10, seed=1, progress=False)
    assert np.all(np.abs(swarm.positions) <= 4)
