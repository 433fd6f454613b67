"""The training kernel against its plain twin, its bits, its sampling, and what stops a replica."""

import itertools

import numba
import numpy as np
import pytest
from network_twin import gradient_twin, walk_twin

import fpsolve.particles.course as course
from fpsolve.kernels.minibatch import draw_normals
from fpsolve.models.dense_network import DenseNetwork
from fpsolve.models.samples import GaussianSamples, Samples

plenty = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="more draws than plain Python makes in a minute")

RANDOM = np.random.Generator(np.random.Philox(8))
FRESH = GaussianSamples(RANDOM.standard_normal((2, 3)), np.diag([1.0, 2.0, 0.5]) + 0.2, (0.3, 0.1))
DATA = FRESH.drawn(11, seed=3)
KINDS = {
    "regression": dict(hidden=()),
    "linear": dict(hidden=(4,)),
    "chain": dict(hidden=(2, 3)),
    "tanh": dict(hidden=(4,), activation="tanh"),
    "swish": dict(hidden=(4,), activation="swish"),
    "relu": dict(hidden=(4,), activation="relu"),
    "leaky": dict(hidden=(3, 2), activation="leaky_relu", leak=0.2),
    "Net-A": dict(hidden=(4,), activation="tanh", normalised="together"),
    "Net-B": dict(hidden=(4,), activation="tanh", normalised="each"),
}
EXTRAS = {
    "plain": {},
    "batch": dict(batch=4),
    "decay": dict(weight_decay=0.1),
    "momentum": dict(momentum=0.8, weight_decay=0.05),
    "clip": dict(clip=0.7, batch=2),
    "descent": dict(batch=None),
}


def network(kind="linear", data=DATA, **changes):
    return DenseNetwork(data, **(dict(learning_rate=0.03) | KINDS[kind] | changes))


def replicas(net, n=3):
    return 0.6 * net.initial("large", n, seed=2)


@pytest.mark.parametrize("extra", EXTRAS)
@pytest.mark.parametrize("kind", KINDS)
def test_training_agrees_with_plain_python(kind, extra):
    net = network(kind, **EXTRAS[extra])
    starts, rates, seed = replicas(net), np.linspace(0.04, 0.02, 9), 2**40 + 7
    swarm = net.sgd(9, seed=seed, start=starts, learning_rate=rates, progress=False)
    for particle, weights in enumerate(starts):
        moved, moving = walk_twin(net, weights, rates, seed, particle)
        assert net.architecture.layers(moved)[0] == pytest.approx(net.layers(swarm)[0][particle], rel=1e-12, abs=1e-13)
        assert swarm.weights[particle].ravel() == pytest.approx(
            np.concatenate([moved, moving]) if net.momentum else moved, rel=1e-12, abs=1e-13
        )
    assert net.batch is None or not np.array_equal(swarm.weights[0], swarm.weights[1])


def test_the_twin_notices_a_wrong_rate():
    net = network("tanh")
    start = replicas(net)[0]
    swarm = net.sgd(9, 1, seed=1, start=start, learning_rate=0.03)
    assert swarm.weights[0] != pytest.approx(walk_twin(net, start, [0.0301] * 9, 1, 0)[0], rel=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_the_loss(kind):
    net = network(kind, batch=None)
    weights, h = replicas(net)[0], 1e-6
    slopes = [
        (net.loss((weights + h * e)[None]) - net.loss((weights - h * e)[None]))[0] / (2 * h)
        for e in np.eye(weights.size)
    ]
    found = (weights - net.sgd(1, 1, seed=0, start=weights, learning_rate=0.5).weights[0]) / 0.5
    assert found == pytest.approx(slopes, rel=1e-6, abs=1e-8)
    assert found == pytest.approx(gradient_twin(net, weights, DATA.x, DATA.y), rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("shuffled", [False, True])
def test_shuffled_epochs_agree_with_plain_python(shuffled):
    net = network("relu", batch=3)
    swarm = net.sgd(13, 2, seed=5, start=replicas(net)[0], replacement=not shuffled)
    for particle in range(2):
        moved, _ = walk_twin(net, replicas(net)[0], [0.03] * 13, 5, particle, shuffled)
        assert swarm.weights[particle] == pytest.approx(moved, rel=1e-12)
        assert swarm.weights[particle] != pytest.approx(
            walk_twin(net, replicas(net)[0], [0.03] * 13, 5, particle, not shuffled)[0]
        )


@pytest.mark.parametrize("batch", [1, 3])
def test_fresh_samples_agree_with_plain_python(batch):
    net = network("tanh", FRESH, batch=batch, learning_rate=0.01)
    swarm = net.sgd(7, 2, seed=2**50 + 1, start=replicas(net)[0])
    for particle in range(2):
        moved, _ = walk_twin(net, replicas(net)[0], [0.01] * 7, 2**50 + 1, particle)
        assert swarm.weights[particle] == pytest.approx(moved, rel=1e-11)


@plenty
def test_fresh_samples_have_the_covariance_asked_for():
    z = np.empty((7, 64))
    drawn = []
    for draw in range(2000):
        draw_normals(np.uint64(1), np.uint64(draw), 0, 5, z)
        drawn.append(FRESH.root @ z[:5])
    found = np.cov(np.concatenate(drawn, axis=1))
    M, Sx = FRESH.teacher, FRESH.input_covariance
    expected = np.block([[Sx, Sx @ M.T], [M @ Sx, M @ Sx @ M.T + FRESH.label_covariance]])
    assert found == pytest.approx(expected, abs=0.03)
    assert found != pytest.approx(expected * 1.05, abs=0.03)


SOURCES = {
    "replaced": dict(batch=3),
    "shuffled": dict(batch=3),
    "descent": dict(batch=None),
    "fresh": dict(data=FRESH, batch=2),
    "momentum": dict(momentum=0.5),
}


@pytest.mark.parametrize("source", SOURCES)
def test_bits_do_not_depend_on_threads_splits_or_company(source):
    net = network("relu", **(dict(learning_rate=0.01) | SOURCES[source]))
    starts = replicas(net, 70)
    how = dict(seed=4, start=starts, replacement=source != "shuffled", record=range(31), observe="weights")
    whole = net.sgd(30, **how)
    assert np.array_equal(net.sgd(30, **how, threads=2).positions, whole.positions)
    assert np.array_equal(net.sgd(30, **(how | dict(start=starts[:5]))).positions, whole.positions[:, :5])
    assert np.array_equal(net.sgd(30, **(how | dict(record=None))).weights, whole.weights)
    if source != "descent":
        assert not np.array_equal(net.sgd(30, **(how | dict(seed=5))).weights, whole.weights)
    for cut in (1, 3, 11, 29):
        part = net.sgd(cut, **(how | dict(record=None)))
        rest = net.sgd(30 - cut, **(how | dict(start=part, record=None)))
        assert np.array_equal(rest.weights, whole.weights)
        assert rest.steps[-1] == 30
        assert rest.times[-1] == pytest.approx(whole.times[-1], rel=1e-14)


def test_stretches_leave_no_trace(monkeypatch):
    net = network("tanh", batch=2)
    whole = net.sgd(60, 3, seed=1, replacement=False)
    monkeypatch.setattr(course, "STRETCHES", (1, 1))
    monkeypatch.setattr(course, "STRETCH_WORK", (1, 1))
    assert np.array_equal(net.sgd(60, 3, seed=1, replacement=False).weights, whole.weights)


def test_a_lost_replica_stays_where_it_was_stopped_and_its_company_goes_on():
    net = network("chain", learning_rate=0.02)
    starts = np.concatenate([replicas(net, 2), 1e6 * replicas(net, 1)])
    swarm = net.sgd(50, seed=1, start=starts, max_diverged=0.5, record=range(0, 51, 10))
    assert swarm.diverged.tolist() == [False, False, True]
    assert swarm.lost_at[2] == pytest.approx(0.2)  # the first recorded time
    assert np.array_equal(swarm.weights[:2], net.sgd(50, seed=1, start=starts[:2]).weights)
    later = net.sgd(20, seed=1, start=swarm, max_diverged=0.5)
    assert np.array_equal(later.weights[2], swarm.weights[2])
    assert np.array_equal(later.lost_at, swarm.lost_at)
    assert not np.array_equal(later.weights[0], swarm.weights[0])


def test_diagonal_and_dense_networks_are_the_same_where_they_overlap():
    from fpsolve.particles.sgd import diagonal_sgd

    x, y = DATA.x[:, 0], DATA.y[:, 0]
    for batch, replacement in itertools.product((1, 3), (True, False)):
        pair = diagonal_sgd(
            x, y, learning_rate=0.02, steps=40, n=5, seed=3, start=[[0.9], [0.4]], batch=batch, replacement=replacement
        )
        net = DenseNetwork(Samples(x, y), hidden=(1,), learning_rate=0.02, batch=batch)
        dense = net.sgd(40, 5, seed=3, start=[0.9, 0.4], replacement=replacement)
        assert dense.weights == pytest.approx(pair.weights[:, :, 0], rel=1e-12)
