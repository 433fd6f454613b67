"""Covariance and third cumulant: exact laws of minibatches, honest errors of estimates, alignment told from none."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from noises import walked

import fpsolve as fp
from fpsolve import measure
from fpsolve.errors import InvalidInput
from fpsolve.values.swarm import Swarm

GRADIENTS = np.random.default_rng(1).exponential(size=(6, 2)) @ [[1.0, 0.3], [0.0, 2.0]]


def minibatches(g, batch, replacement):
    """Every minibatch's mean gradient, all equally likely."""
    draws = itertools.product(g, repeat=batch) if replacement else itertools.combinations(g, batch)
    return np.array([np.mean(rows, axis=0) for rows in draws])


@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize("batch", [1, 2, 3, 5])
def test_the_covariance_of_minibatches_is_that_of_all_of_them(batch, replacement):
    means = minibatches(GRADIENTS, batch, replacement)
    noise = measure.gradient_covariance(GRADIENTS, batch, replacement=replacement)
    exact = np.cov(means.T, ddof=0)
    assert noise.value == pytest.approx(exact, rel=1e-12)
    assert noise.mean == pytest.approx(means.mean(axis=0))
    assert noise.exact
    assert not noise.error.any()
    if batch > 1:  # the other way of drawing is noticed
        other = measure.gradient_covariance(GRADIENTS, batch, replacement=not replacement)
        assert np.abs(other.value / exact - 1).min() > 0.1


@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize("batch", [1, 2, 3, 5])
def test_the_third_cumulant_of_minibatches_is_that_of_all_of_them(batch, replacement):
    x = minibatches(GRADIENTS, batch, replacement)
    x = x - x.mean(axis=0)
    exact = np.einsum("na,nb,nc->abc", x, x, x) / len(x)
    found = measure.gradient_third_cumulant(GRADIENTS, batch, replacement=replacement)
    scale = np.abs(exact).max() + 1e-3
    assert np.abs(found.value - exact).max() < 1e-12 * scale
    assert found.skewness == pytest.approx(np.mean(x**3, axis=0) / x.std(axis=0) ** 3, abs=1e-12)
    u = np.array([0.6, -0.8])
    along = measure.gradient_third_cumulant(GRADIENTS, batch, replacement=replacement, direction=5 * u)
    assert along.value.item() == pytest.approx(found.along(u), abs=1e-12 * scale)
    if batch == 2:
        other = measure.gradient_third_cumulant(GRADIENTS, batch, replacement=not replacement)
        assert np.abs(other.value - exact).max() > 0.1 * scale


def test_a_whole_data_set_without_replacement_has_no_noise():
    assert not measure.gradient_covariance(GRADIENTS, 6, replacement=False).value.any()
    assert not measure.gradient_third_cumulant(GRADIENTS, 6, replacement=False).value.any()
    assert measure.gradient_covariance(GRADIENTS, 6).value.any()


def test_the_expected_covariance_of_n_samples_is_smaller_by_n_minus_one_over_n():
    rng, n = np.random.default_rng(2), 5
    found = [measure.gradient_covariance(rng.normal(size=(n, 1))) for _ in range(4000)]
    mean = np.mean([f.per_sample.item() for f in found])
    error = np.std([f.per_sample.item() for f in found]) / np.sqrt(4000)
    assert abs(mean - (n - 1) / n) < 3 * error
    assert abs(mean - 1.0) > 10 * error
    assert np.mean([f.population.item() for f in found]) == pytest.approx(1.0, abs=4 * error)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(3, 40), d=st.integers(1, 4), batch=st.integers(1, 3))
def test_covariances_are_symmetric_and_turn_with_the_frame(seed, n, d, batch):
    rng = np.random.default_rng(seed)
    g, turn = rng.normal(size=(n, d)), np.linalg.qr(rng.normal(size=(d, d)))[0]
    s = measure.gradient_covariance(g, batch).value
    assert np.array_equal(s, s.T) or np.abs(s - s.T).max() < 1e-15
    assert np.linalg.eigvalsh(s).min() > -1e-12
    assert measure.gradient_covariance(g @ turn + 3.0, batch).value == pytest.approx(turn.T @ s @ turn, abs=1e-10)


# estimates


def test_the_errors_of_a_sampled_covariance_are_its_scatter():
    rng, found = np.random.default_rng(3), []
    mix = np.array([[1.0, 0.5], [0.0, 2.0]])
    for _ in range(200):
        found.append(measure.sample_covariance(rng.laplace(size=(1000, 2)) @ mix))
    pulls = np.array([(f.value - 2 * mix.T @ mix) / f.error for f in found])
    assert np.abs(pulls.mean(axis=0)).max() < 0.35
    assert pulls.std(axis=0) == pytest.approx(np.ones((2, 2)), abs=0.2)
    wrong = np.array([(f.value - 2.5 * mix.T @ mix) / f.error for f in found])
    assert np.abs(wrong.mean(axis=0)).min() > 0.8


def test_minibatch_gradients_show_the_exact_covariance():
    rng = np.random.default_rng(4)
    drawn = GRADIENTS[rng.integers(6, size=(20_000, 3))].mean(axis=1)
    found = measure.sample_covariance(drawn)
    for exact, held in (
        (measure.gradient_covariance(GRADIENTS, 3), True),
        (measure.gradient_covariance(GRADIENTS), False),
    ):
        assert bool(np.abs(found.value - exact.value).max() < 3 * found.error.max()) is held
    swarm = Swarm(("a", "b"), [0.0], drawn[None])
    assert measure.sample_covariance(swarm).value == pytest.approx(found.value)


def test_increments_show_twice_the_diffusion():
    rng, dt = np.random.default_rng(5), 0.01
    root = np.sqrt([0.5, 2.0])
    for n, k in ((200, 100), (1, 20_000)):
        x = np.empty((k, n, 2))
        x[0] = rng.normal(size=(n, 2)) * root
        for i in range(1, k):
            x[i] = walked(rng, lambda q: -3.0 * q, lambda q: root**2, x[i - 1], dt, 1)
        found = measure.increment_covariance(x, dt * np.arange(k))
        assert np.abs((found.value - np.diag(2 * root**2)) / found.error).max() < 3.5
        assert np.abs((found.value - np.diag(2.2 * root**2)) / found.error).max() > 4
        late = measure.increment_covariance(x, dt * np.arange(k), lag=0.1)
        shrunk = 2 * root**2 * (1 - np.exp(-0.6)) / 0.6
        assert np.diag(late.value) == pytest.approx(shrunk, rel=0.1)


def test_sgd_shows_its_own_gradient_covariance():
    data = fp.Regression.synthetic(200, seed=1)
    net = fp.models.DiagonalNetwork(data, depth=0, learning_rate=0.01, batch=4)
    swarm = net.sgd(1001, 4000, 1, record=[1000, 1001], progress=False)
    found = measure.increment_covariance(swarm)
    v, m = swarm.at(swarm.times[0])[:, 0], data.moments
    expected = net.temperature * 4 * m.gradient_variance(v).mean()
    assert abs(found.value.item() - expected) < 3 * found.error.item()
    assert abs(found.value.item() - 1.3 * expected) > 3 * found.error.item()


def test_the_errors_of_a_third_cumulant_are_its_scatter():
    rng = np.random.default_rng(6)
    found = [measure.third_cumulant(rng.gamma(16.0, size=(1500, 2)) * [1.0, -1.0]) for _ in range(120)]
    exact = np.zeros((2, 2, 2))
    exact[0, 0, 0], exact[1, 1, 1] = 32.0, -32.0
    pulls = np.array([(f.value - exact) / f.error for f in found])
    assert np.abs(pulls.mean(axis=0)).max() < 0.4
    assert pulls.std(axis=0) == pytest.approx(np.ones((2, 2, 2)), abs=0.25)
    skews = np.array([(f.skewness - [0.5, -0.5]) / f.skewness_error for f in found])
    assert skews.std(axis=0) == pytest.approx([1.0, 1.0], abs=0.25)
    assert np.abs(skews.mean(axis=0)).max() < 0.4
    gaussian = measure.third_cumulant(rng.normal(size=(20_000, 2)))
    assert np.abs(gaussian.value / gaussian.error).max() < 3.5
    assert np.abs(found[0].skewness / found[0].skewness_error).min() > 5


# shape and alignment


def test_anisotropy_of_known_matrices():
    a = measure.anisotropy(np.diag([1.0, 4.0, 1.0]))
    assert a.eigenvalues == pytest.approx([4.0, 1.0, 1.0])
    assert a.condition == pytest.approx(4.0)
    assert a.effective_rank == pytest.approx(36 / 18)
    assert measure.anisotropy(np.eye(5)).effective_rank == pytest.approx(5.0)
    flat = measure.anisotropy(np.ones((3, 3)))
    assert flat.condition == np.inf
    assert flat.effective_rank == pytest.approx(1.0)


def test_commuting_noise_is_told_from_noise_that_turns():
    h = np.diag([1.0, 3.0])
    exact = measure.alignment(np.diag([1.0, 4.0]), h)
    assert exact.commutes
    assert exact.cosine == pytest.approx(13 / np.sqrt(170))
    assert measure.alignment(h, h).cosine == pytest.approx(1.0)
    assert measure.alignment(np.eye(2), h).cosine == pytest.approx(measure.alignment(h, h).isotropic)
    assert not measure.alignment([[1.0, 0.01], [0.01, 4.0]], h).commutes
    rng, seen = np.random.default_rng(7), {0.0: 0, 0.3: 0}
    for rho in seen:
        root = np.linalg.cholesky([[1.0, rho], [rho, 4.0]])
        for _ in range(40):
            found = measure.alignment(measure.sample_covariance(rng.normal(size=(2000, 2)) @ root.T), h)
            seen[rho] += found.commutes
            assert abs(
                found.cosine - np.trace(root @ root.T @ h) / np.linalg.norm(root @ root.T) / np.linalg.norm(h)
            ) < (4.5 * found.cosine_error)
            assert np.abs((found.variances - [4.0, 1.0]) / found.variance_error).max() < 5
    assert seen[0.0] >= 35
    assert seen[0.3] == 0


def test_errors_of_anisotropy_come_from_the_samples():
    rng = np.random.default_rng(8)
    found = [measure.anisotropy(measure.sample_covariance(rng.normal(size=(1000, 2)) * [1.0, 2.0])) for _ in range(150)]
    pulls = np.array([(f.effective_rank - 25 / 17) / f.effective_rank_error for f in found])
    assert pulls.std() == pytest.approx(1.0, abs=0.2)
    conditions = np.array([(f.condition - 4.0) / f.condition_error for f in found])
    assert conditions.std() == pytest.approx(1.0, abs=0.2)
    assert np.abs(conditions.mean()) < 0.4


# bad input


def test_bad_data_are_refused():
    x = np.random.default_rng(9).normal(size=(30, 2))
    gap = np.where(np.arange(60).reshape(30, 2) == 7, np.nan, x)
    for message, call in [
        (
            "gradients has 1 samples of 30 that are not finite, the first at index 3",
            lambda: measure.gradient_covariance(gap),
        ),
        ("batch is 31 but the data have 30 samples", lambda: measure.gradient_covariance(x, 31)),
        ("batch is 0; give a whole number >= 1", lambda: measure.gradient_third_cumulant(x, 0)),
        ("gradients has 1 samples; this needs 2 or more", lambda: measure.gradient_covariance(x[:1])),
        ("shape \\(0, 2\\)", lambda: measure.sample_covariance(x[:0])),
        ("the noise is constant \\(1 in all 30", lambda: measure.third_cumulant(np.ones(30))),
        ("the third cumulant of 25 coordinates has 15625 entries", lambda: measure.third_cumulant(np.ones((30, 25)))),
        ("give 2 finite numbers, not all 0", lambda: measure.third_cumulant(x, direction=[0.0, 0.0])),
        ("the covariance is 0", lambda: measure.anisotropy(np.zeros((2, 2)))),
        ("negative eigenvalue -1", lambda: measure.anisotropy(np.diag([1.0, -1.0]))),
        ("covariance is not symmetric: entries differ by 1", lambda: measure.anisotropy([[1.0, 1.0], [0.0, 1.0]])),
        ("hessian has shape \\(3, 3\\); give shape \\(2, 2\\)", lambda: measure.alignment(np.eye(2), np.eye(3))),
        ("hessian is 0", lambda: measure.alignment(np.eye(2), np.zeros((2, 2)))),
        ("only gradient_covariance knows single samples", lambda: measure.sample_covariance(x).population),
        ("there are 2 increments in 1 coordinates; give 6", lambda: measure.increment_covariance([1.0, 2.0, 3.0])),
        (
            "times are given beside a Swarm",
            lambda: measure.increment_covariance(Swarm(("x",), [0.0], [[[1.0]]]), [0.0]),
        ),
    ]:
        with pytest.raises(InvalidInput, match=message):
            call()
