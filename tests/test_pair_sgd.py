"""Real minibatch SGD of the rescaling pair: its exact law path by path, and its agreement with the pair's particles."""

import math

import numba
import numpy as np
import pytest
from sgd_twin import samples_twin

from fpsolve.errors import DegenerateWarning, FpsolveWarning, InvalidInput, NotConverged
from fpsolve.models import DiagonalNetwork, Moments, Regression, RescalingPair
from fpsolve.particles.sgd import diagonal_sgd

plenty = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="more steps than plain Python makes in a minute")

RANDOM = np.random.Generator(np.random.Philox(3))
X = RANDOM.standard_normal(11)
DATA = Regression(X, 0.6 * X + 0.5 * RANDOM.standard_normal(11))


def made(**changes):
    return RescalingPair(DATA, **(dict(learning_rate=0.03) | changes))


def run(pair, steps=40, n=20, seed=9, start=(1.3, 0.4), **changes):
    return pair.sgd(steps, n, seed, start=start, **changes)


def minibatch_means(pair, swarm, step, replacement=True):
    """g, the minibatch mean of (v x - y) x at a step, from the documented stream of sample numbers."""
    x, y, v = pair.data.x, pair.data.y, pair.v(*swarm.positions[step].T)
    drawn = [samples_twin(swarm.seed, step, i, x.size, pair.batch, not replacement) for i in range(v.size)]
    return np.array([np.mean((v[i] * x[s] - y[s]) * x[s]) for i, s in enumerate(drawn)])


@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize(("sign", "start"), [(1, (1.3, 0.4)), (-1, (-0.2, 0.9))])
@pytest.mark.parametrize(("batch", "decay"), [(1, 0.0), (1, 0.2), (4, 0.2)])
def test_the_law_of_balance_holds_path_by_path(batch, decay, sign, start, replacement):
    pair = made(weight_decay=decay, batch=batch, sign=sign)
    swarm, eta = run(pair, start=start, record=range(41), replacement=replacement), pair.learning_rate
    for step in range(40):
        before, after = (swarm.positions[k].T for k in (step, step + 1))
        g = minibatch_means(pair, swarm, step, replacement)
        law = pair.z(*before) * ((1 - 2 * eta * decay) ** 2 - 4 * eta**2 * g**2)
        size = np.hypot(pair.z(*before), 2 * pair.v(*before))  # u^2 + w^2
        assert np.all(np.abs(pair.z(*after) - law) < 1e-14 * size)
        assert not np.all(np.abs(pair.z(*after) - pair.z(*before) * (1 - 2 * eta * decay) ** 2) < 1e-14 * size)


def test_positions_are_the_coordinates_of_the_weights():
    pair = made(weight_decay=0.1)
    swarm = run(pair, record=[0, 7, 33])
    assert swarm.names == ("zeta", "q")
    assert list(swarm.steps) == [0, 7, 33, 40]
    assert swarm.times == pytest.approx(0.03 * swarm.steps)
    assert swarm.positions[0] == pytest.approx(np.tile(np.array(pair.coordinates(1.3, 0.4)), (20, 1)))
    u, w = swarm.weights[:, :, 0].T
    assert np.array_equal(np.stack(pair.coordinates(u, w), axis=-1), swarm.positions[-1])
    assert pair.v(*swarm.positions[-1].T) == pytest.approx(u * w)


def test_the_network_of_depth_1_walks_the_same_path():
    pair, net = made(), DiagonalNetwork(DATA, depth=1, learning_rate=0.03)
    swarm = run(pair, record=range(41))
    weights = np.tile([[1.3], [0.4]], (20, 1, 1))
    other = net.sgd(40, 20, 9, start=weights, record=range(41))
    assert np.array_equal(swarm.weights, other.weights)
    assert np.array_equal(swarm.times, other.times)
    assert pair.v(*np.moveaxis(swarm.positions, -1, 0)) == pytest.approx(other.positions[:, :, 0], rel=1e-12)


@pytest.mark.parametrize("replacement", [True, False])
def test_bits_do_not_depend_on_threads_splits_company_or_records(replacement):
    pair = made(batch=3)
    whole = run(pair, record=range(41), replacement=replacement)
    assert np.array_equal(run(pair, record=range(41), replacement=replacement, threads=2).positions, whole.positions)
    assert np.array_equal(run(pair, n=4, replacement=replacement).weights, whole.weights[:4])
    assert np.array_equal(run(pair, replacement=replacement).positions[-1], whole.positions[-1])
    part = run(pair, steps=13, replacement=replacement)
    rest = run(pair, steps=27, n=None, start=part, record=range(13, 41), replacement=replacement)
    assert np.array_equal(rest.positions, whole.positions[13:])
    assert list(rest.steps) == list(range(13, 41))
    assert not np.array_equal(run(pair, seed=10).weights, whole.weights)


def test_a_schedule_of_learning_rates_sets_the_time():
    rates = np.linspace(0.03, 0.01, 40)
    swarm = run(made(), learning_rate=rates, record=[1, 25])
    assert swarm.times == pytest.approx([rates[0], rates[:25].sum(), rates.sum()], rel=1e-14)


def test_starts_are_those_of_the_particles():
    pair = made()
    u, w = pair.initial().draw(20, seed=9)
    drawn = run(pair, start=pair.initial(), record=[0])
    assert np.array_equal(drawn.positions, run(pair, start=(u, w), n=None, record=[0]).positions)
    assert np.array_equal(drawn.positions[0], pair.simulate(pair.initial(), [0.0], n=20, seed=9).at(0.0))


@plenty
def test_as_the_learning_rate_falls_sgd_becomes_the_pair():
    """Mean fall of ln|z| over that of the SDE's particles: off by a multiple of the learning rate."""
    x = np.random.Generator(np.random.Philox(4)).standard_normal(60)
    data = Regression(x, x + np.random.Generator(np.random.Philox(5)).standard_normal(60))
    n, t, ratios = 10_000, 6.0, []
    for eta in (0.02, 0.01):
        pair = RescalingPair(data, learning_rate=eta)
        real = pair.sgd(round(t / eta), n, 2, start=(1.3, 0.4)).positions[-1]
        ideal = pair.simulate((1.3, 0.4), [t], n=n, seed=3).at(t)
        ratios.append(
            ((real - pair.coordinates(1.3, 0.4))[:, 1].mean()) / (ideal - pair.coordinates(1.3, 0.4))[:, 1].mean()
        )
    assert ratios[0] - 1 == pytest.approx(2 * (ratios[1] - 1), rel=0.2)
    assert 2 * ratios[1] - ratios[0] == pytest.approx(1.0, abs=5e-3)
    assert ratios[1] != pytest.approx(1.0, abs=5e-3)  # at a temperature 2 % off this would fail


@plenty
def test_replicas_that_change_sheets_are_told():
    pair = made(learning_rate=0.25)
    with pytest.warns(DegenerateWarning, match=r"changed its sign in \d+ of 200 replicas") as caught:
        swarm = run(pair, n=200, steps=3, max_diverged=1.0)
    crossed = np.abs(swarm.weights[:, 0, 0]) < np.abs(swarm.weights[:, 1, 0])
    assert 0 < crossed.sum() < 200
    assert f"in {crossed.sum()} of 200" in str(caught[0].message)
    with pytest.warns(DegenerateWarning, match=r"below rounding, 1e-13 \(u\^2 \+ w\^2\), in 5"):
        run(made(learning_rate=0.1), n=5, steps=6000)


def test_divergence_and_interruption_keep_their_swarms():
    with pytest.raises(NotConverged) as caught:
        run(RescalingPair(Regression(3 * X, DATA.y), learning_rate=0.5), steps=4000, n=200)
    assert caught.value.best.names == ("zeta", "q")

    def impatient(done, total):
        if done >= total // 2:
            raise KeyboardInterrupt

    with pytest.warns(FpsolveWarning, match="interrupted after step 20 of 40"):
        partial = run(made(), progress=impatient, record=[0, 8, 32])
    assert list(partial.steps) == [0, 8, 20]
    assert np.array_equal(run(made(), steps=20, n=None, start=partial).weights, run(made()).weights)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(n=None), "n is missing"),
        (dict(n=3, start=([1.0, 2.0], [0.1, 0.2])), "n is 3 but the start has 2"),
        (dict(start=(0.4, 1.3)), r"u, w = 0.4, 1.3 \(20 of 20\)"),
        (dict(start=1.0), "start is 1.0; give pair.initial"),
        (dict(start=(1.3, math.inf)), "not finite weights"),
        (dict(steps=0), "steps is 0"),
        (dict(seed=-1), "seed is -1"),
        (dict(record=[41]), "record has step 41"),
        (dict(learning_rate=-0.1), "learning_rate is -0.1"),
    ],
)
def test_bad_arguments_are_named(changes, message):
    with pytest.raises(InvalidInput, match=message):
        run(made(), **changes)


def test_a_pair_of_moments_has_no_data_to_train_on():
    pair = RescalingPair.from_moments(Moments(2, 2, 3, 1, 1), 0.1)
    with pytest.raises(InvalidInput, match="no data to draw minibatches from"):
        run(pair)


def test_an_observer_sees_the_weights_when_they_are_recorded():
    settings = dict(learning_rate=0.03, steps=40, n=5, seed=9, record=range(0, 41, 5))
    plain = diagonal_sgd(X, DATA.y, **settings)
    seen = diagonal_sgd(X, DATA.y, **settings, names=("product",), observe=lambda w: w[:, 0] * w[:, 1])
    assert seen.names == ("product",)
    assert np.array_equal(seen.positions, plain.positions)
