"""SGD on a loss of one's own: its coefficients, minimum, grid and particles, against models whose forms are known."""

import numpy as np
import pytest

import fpsolve as fp
from fpsolve.models import DiagonalNetwork, FromGradients

DATA = fp.Regression.synthetic(60, noise=1.0, seed=3)
LEARNING = {"learning_rate": 0.05, "batch": 2}


def slope(v, x, y):
    return 2.0 * (v * x - y) * x


def layered(u, x, y):
    return 2.0 * (u * u * x - y) * x * u


def line(theta, x, y):
    residual = theta[0] * x + theta[1] - y
    return 2.0 * residual * x, 2.0 * residual


def test_coefficients_are_those_of_the_linear_network():
    mine, net = FromGradients(slope, DATA, **LEARNING), DiagonalNetwork(DATA, depth=0, **LEARNING)
    v = np.linspace(-3.0, 4.0, 11)
    a, b = mine.process(), net.process()
    assert a.drift(v) == pytest.approx(b.drift(v), rel=1e-13)
    assert a.diffusion(v) == pytest.approx(b.diffusion(v), rel=1e-13)
    assert mine.minimum[0] == pytest.approx(net.minimum, rel=1e-14)


@pytest.mark.parametrize("seed", [0, 8, 13])
def test_a_density_has_room_on_its_own_grid(seed):
    # of a tanh neuron; the slope of ln p flattens to less than half of itself beyond the ends of the last two
    rng = np.random.default_rng(seed)
    u = rng.normal(size=100)
    t = np.tanh(1.5 * u) + 0.3 * rng.normal(size=100)
    neuron = FromGradients(
        lambda w, u, t: 2 * (np.tanh(w * u) - t) * u / np.cosh(w * u) ** 2,
        (u, t),
        learning_rate=0.05,
        batch=1,
        start=1.5,
    )
    p = fp.stationary(neuron.problem())
    lo, hi = p.grid["theta"].lo, p.grid["theta"].hi
    wide = fp.stationary(neuron.problem().replace(grid=fp.Grid(theta=(lo - 0.4 * (hi - lo), hi, 1120))))
    assert p.beyond < 1e-24
    assert p.mean() == pytest.approx(wide.mean(), rel=1e-12)


def test_density_of_a_linear_model_is_the_exact_one():
    net = DiagonalNetwork(DATA, depth=0, **LEARNING)
    p = fp.stationary(FromGradients(slope, DATA, **LEARNING).problem(400))
    assert p.mean() == pytest.approx(net.exact_mean, rel=1e-10)
    assert p.var() == pytest.approx(net.exact_variance, rel=1e-9)
    wrong = fp.stationary(FromGradients(slope, DATA, learning_rate=0.052, batch=2).problem(400))
    assert wrong.var() != pytest.approx(net.exact_variance, rel=1e-2)


@pytest.mark.parametrize("start", [1.0, -1.0])
def test_noise_that_vanishes_at_zero_gets_a_log_axis(start):
    mine = FromGradients(layered, DATA, start=start, **LEARNING)
    net = DiagonalNetwork(DATA, depth=1, **LEARNING)
    axis = mine.grid(400).axes[0]
    assert axis.kind == "log"
    assert np.sign(axis.lo) == np.sign(start)
    p = fp.stationary(mine.problem(400))
    assert p.expect(lambda u: u * u) == pytest.approx(net.exact_mean, rel=1e-9)


def test_third_cumulant_is_that_of_the_samples():
    mine = FromGradients(slope, DATA, **LEARNING)
    g = slope(0.7, DATA.x, DATA.y)
    found = mine.moments([[0.7]])
    assert found.mean[0, 0] == pytest.approx(g.mean(), rel=1e-13)
    assert found.cov[0, 0, 0] == pytest.approx(g.var(), rel=1e-13)
    assert found.third[0, 0] == pytest.approx(np.mean((g - g.mean()) ** 3), rel=1e-12)


def test_many_places_are_taken_in_parts(monkeypatch):
    mine = FromGradients(line, DATA, start=(0.0, 0.0), **LEARNING)
    places = np.random.default_rng(1).normal(size=(2, 50))
    whole = mine.moments(places)
    monkeypatch.setattr("fpsolve.models.sample_gradients.AT_ONCE", 7 * 2 * DATA.n)
    assert mine.moments(places).cov == pytest.approx(whole.cov, rel=1e-14)


def test_two_parameters_rest_at_the_least_squares_line():
    mine = FromGradients(line, DATA, start=(0.0, 0.0), names=("a", "b"), **LEARNING)
    design = np.stack([DATA.x, np.ones(DATA.n)], axis=1)
    assert mine.minimum == pytest.approx(np.linalg.lstsq(design, DATA.y, rcond=None)[0], rel=1e-10)
    assert mine.hessian == pytest.approx(2.0 * design.T @ design / DATA.n, rel=1e-8)
    p = fp.stationary(mine.problem(32))
    assert p.mean() == pytest.approx(mine.minimum, abs=1e-5)
    assert p.grid.names == ("a", "b")


@pytest.mark.parametrize("replacement", [True, False])
def test_covariance_of_a_minibatch_is_the_diffusion(replacement):
    mine = FromGradients(slope, DATA, learning_rate=0.1, batch=20, replacement=replacement)
    swarm = mine.sgd(1, 40_000, seed=2, progress=False)
    expected = 2.0 * mine.noise_factor * float(mine.covariance[0, 0]) * 0.1  # 2 D eta: one step's variance
    assert swarm.positions[-1][:, 0].var() == pytest.approx(expected, rel=0.03)
    assert mine.noise_factor == pytest.approx(0.0025 * (1.0 if replacement else 40 / 59), rel=1e-12)


def test_sgd_is_the_plain_loop():
    mine = FromGradients(line, DATA, start=(0.5, 0.5), **LEARNING)
    swarm = mine.sgd(1, 3, seed=4, start=(0.5, 0.5), progress=False)
    rng = np.random.Generator(np.random.Philox(key=4, counter=[0, 0, 0, 0]))
    drawn = rng.integers(DATA.n, size=(3, 2))
    for replica, samples in enumerate(drawn):
        g = np.mean([line((0.5, 0.5), DATA.x[i], DATA.y[i]) for i in samples], axis=0)
        assert swarm.at(0.05)[replica] == pytest.approx(0.5 - 0.05 * g, rel=1e-13)


def test_the_exact_law_of_its_random_map_is_the_networks():
    mine = FromGradients(slope, DATA, learning_rate=0.02, batch=1)
    found = fp.transfer(mine)
    a = 1.0 - 0.04 * DATA.x**2  # v' = a v + b
    b = 0.04 * DATA.x * DATA.y
    mean = b.mean() / (1.0 - a.mean())
    second = (np.mean(b * b) + 2.0 * np.mean(a * b) * mean) / (1.0 - np.mean(a * a))
    assert found.expect(lambda v: v) == pytest.approx(mean, rel=1e-9)
    assert found.expect(lambda v: v * v) == pytest.approx(second, rel=1e-8)


BAD = {
    "empty": dict(data=([], [])),
    "unequal": dict(data=([1.0, 2.0], [1.0])),
    "not finite": dict(data=([1.0, np.nan], [1.0, 2.0])),
    "a table": dict(data=np.ones((4, 2))),
    "batch above the data": dict(batch=61),
    "no batch": dict(batch=0),
    "no learning rate": dict(learning_rate=0.0),
    "three parameters": dict(start=(0.0, 0.0, 0.0)),
    "no function": dict(gradient=3.0),
    "names": dict(names=("a", "b")),
    "mean over the samples": dict(gradient=lambda v, x, y: np.ones(7), start=0.0),
    "two parts for one": dict(gradient=lambda v, x, y: (x, y), start=0.0),
    "infinite": dict(gradient=lambda v, x, y: v * x / np.zeros_like(x), start=0.0),
}


@pytest.mark.parametrize("changes", BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused(changes):
    arguments = {"gradient": slope, "data": DATA, **LEARNING, **changes}
    with np.errstate(all="ignore"), pytest.raises(fp.InvalidInput):
        FromGradients(**arguments)


def test_a_loss_without_minimum_is_refused():
    with pytest.raises(fp.InvalidInput, match="never changes from negative"):
        FromGradients(lambda v, x, y: x**2 + 0 * v, DATA, **LEARNING).minimum  # noqa: B018
    with pytest.raises(fp.InvalidInput, match="diverges"):
        FromGradients(lambda v, x, y: -(v**3) * x**2, DATA, start=1.0, **LEARNING).minimum  # noqa: B018
    exact = fp.Regression(DATA.x, 2.0 * DATA.x)
    with pytest.raises(fp.InvalidInput, match="no density"):
        FromGradients(slope, exact, **LEARNING).grid()
