"""Minibatch SGD: each kernel against its plain twin, the bits, the sampling, exact laws of the dynamics, faults."""

import math

import numba
import numpy as np
import pytest
from scipy import stats
from sgd_twin import samples_twin, step_twin

import fpsolve.particles.course as course
import fpsolve.particles.sgd as sgd
from fpsolve.errors import FpsolveWarning, InvalidInput, NotConverged
from fpsolve.kernels.walk import walk_layers, walk_pair
from fpsolve.particles.sgd import diagonal_sgd
from fpsolve.particles.starts import balanced_weights

plenty = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="more draws than plain Python makes in a minute")

RANDOM = np.random.Generator(np.random.Philox(3))
X = RANDOM.standard_normal(11)
Y = 0.6 * X + 0.5 * RANDOM.standard_normal(11)
NETWORKS = [(2, 1, 1), (2, 1, 3), (1, 1, 1), (3, 1, 2), (2, 3, 1), (4, 2, 5)]  # layers, width, batch


def run(**changes):
    arguments = dict(learning_rate=0.02, steps=40, n=5, seed=9)
    return diagonal_sgd(X, Y, **(arguments | changes))


def drawn(n, steps, data, batch=1, shuffled=False, seed=4):
    """The mean sample number of each minibatch, (steps, n): one layer, x = 0, x y = number, steps of v <- v + mean."""
    weights, numbers = np.zeros((n, 1, 1)), np.arange(float(data))
    record = np.empty((steps, n))
    walk_layers(
        np.uint64(seed), np.uint64(0), np.full(steps, 0.5), 0.0, 1e12, np.array([0 * numbers, numbers]), batch,
        shuffled, weights, np.arange(1, steps + 1), record,
    )  # fmt: skip
    return np.diff(record, axis=0, prepend=0.0)


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize(("layers", "width", "batch"), NETWORKS)
def test_sgd_agrees_bit_for_bit_with_plain_python(layers, width, batch, shuffled):
    starts = 1.0 + 0.3 * np.random.Generator(np.random.Philox(5)).standard_normal((3, layers, width))
    rates = np.linspace(0.02, 0.01, 26)
    swarm = diagonal_sgd(
        X, Y, depth=layers - 1, width=width, batch=batch, learning_rate=rates, steps=26, seed=2**40 + 5, start=starts,
        weight_decay=0.1, replacement=not shuffled,
    )  # fmt: skip
    for particle, weights in enumerate(starts):
        for step, eta in enumerate(rates):
            samples = samples_twin(2**40 + 5, step, particle, X.size, batch, shuffled)
            weights = step_twin(weights, eta, 0.1, X**2, X * Y, samples)
        assert np.array_equal(swarm.weights[particle], weights)
    assert not np.array_equal(swarm.weights[0], swarm.weights[1])


@pytest.mark.parametrize("batch", [1, 3, 4])
@pytest.mark.parametrize("shuffled", [False, True])
def test_the_fast_path_gives_the_bits_of_the_general_one(shuffled, batch):
    data, rates = np.array([X**2, X * Y]), np.linspace(0.03, 0.01, 90)
    stops = np.array([3, 50, 90])
    pair = 0.7 + 0.1 * np.random.Generator(np.random.Philox(1)).standard_normal((35, 2, 1))
    layers = pair.copy()
    seen = [np.empty((3, 35)), np.empty((3, 35))]
    start = (np.uint64(1), np.uint64(6), rates, 0.2, 1e12, data, batch, shuffled)
    walk_pair(*start, pair, stops, seen[0])
    walk_layers(*start, layers, stops, seen[1])
    assert np.array_equal(pair, layers)
    assert np.array_equal(seen[0], seen[1])
    assert np.array_equal(seen[0][2], pair[:, 0, 0] * pair[:, 1, 0])


@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize(("layers", "width", "batch"), [(2, 1, 1), (3, 2, 3)])
def test_bits_do_not_depend_on_threads_splits_or_company(layers, width, batch, replacement):
    how = dict(depth=layers - 1, width=width, batch=batch, replacement=replacement, steps=61, n=37, record=range(62))
    whole = run(**how)
    threaded = run(**how, threads=2)
    assert np.array_equal(threaded.positions, whole.positions)
    few = run(**(how | dict(n=4)))
    assert np.array_equal(few.positions, whole.positions[:, :4])
    assert not np.array_equal(run(**(how | dict(seed=10))).positions, whole.positions)
    for cut in (1, 2, 3, 4, 10, 11, 33, 60):
        part = run(**(how | dict(steps=cut, record=range(cut + 1))))
        rest = run(**(how | dict(steps=61 - cut, record=None, start=part)))
        assert np.array_equal(part.positions, whole.positions[: cut + 1])
        assert np.array_equal(rest.weights, whole.weights)
        assert rest.steps[-1] == 61
        assert rest.times[-1] == pytest.approx(whole.times[-1], rel=1e-14)


def test_stretches_leave_no_trace(monkeypatch):
    whole = run(steps=100, replacement=False)
    monkeypatch.setattr(course, "STRETCHES", (1, 1))
    assert np.array_equal(run(steps=100, replacement=False).weights, whole.weights)
    monkeypatch.setattr(course, "STRETCH_WORK", (1, 1))
    assert np.array_equal(run(steps=100, replacement=False).weights, whole.weights)


@plenty
def test_samples_are_drawn_evenly_with_replacement():
    counts = np.bincount(drawn(400, 500, 11).astype(int).ravel(), minlength=11)
    assert stats.chisquare(counts).pvalue > 1e-3
    counts[0] += 900  # a sample drawn 5 % too often is seen
    assert stats.chisquare(counts).pvalue < 1e-3


@plenty
def test_successive_draws_are_independent():
    numbers = drawn(400, 500, 5).astype(int)
    for lag in (1, 4):
        table = np.zeros((5, 5))
        np.add.at(table, (numbers[:-lag], numbers[lag:]), 1)
        assert stats.chi2_contingency(table).pvalue > 1e-3


@plenty
@pytest.mark.parametrize(("data", "batch"), [(7, 1), (8, 1), (9, 3), (10, 1)])
def test_without_replacement_every_epoch_uses_every_sample_once(data, batch):
    sums = drawn(20, 6 * data, data, batch, shuffled=True) * batch
    epochs = sums.reshape(6 * batch, data // batch, 20)
    assert np.all(np.rint(epochs.sum(axis=1)) == data * (data - 1) / 2)
    if batch == 1:
        assert np.all(np.sort(epochs, axis=1) == np.arange(data)[None, :, None])
        orders = {tuple(order) for order in epochs.transpose(0, 2, 1).reshape(-1, data)}
        assert len(orders) > 110  # of 120: epochs and replicas have their own
        assert not np.all(np.sort(drawn(20, data, data), axis=0) == np.arange(data)[:, None])


@plenty
def test_every_order_of_an_epoch_is_equally_likely():
    epochs = drawn(2400, 20, 4, shuffled=True).astype(int).reshape(5, 4, 2400)
    code = (epochs * np.array([64, 16, 4, 1])[None, :, None]).sum(axis=1).ravel()
    counts = np.unique(code, return_counts=True)[1]
    assert counts.size == 24
    assert stats.chisquare(counts).pvalue > 1e-3


def test_a_batch_moves_by_the_mean_of_its_samples():
    single, triple = drawn(30, 36, 11), drawn(30, 12, 11, batch=3)
    assert triple == pytest.approx(single.reshape(12, 3, 30).mean(axis=1), abs=1e-12)


def test_weight_decay_alone_shrinks_every_weight():
    swarm = diagonal_sgd(
        [1.0, 0.0], [0.0, 3.0], learning_rate=0.1, steps=7, seed=1, weight_decay=0.5, start=[[0.0], [2.0]], n=3
    )
    assert swarm.weights[:, 0, 0] == pytest.approx(np.zeros(3))
    assert swarm.weights[:, 1, 0] == pytest.approx(np.full(3, 2.0 * 0.9**7), rel=1e-14)


@pytest.mark.parametrize("batch", [1, 4])
def test_the_imbalance_of_two_layers_obeys_its_law_path_by_path(batch):
    eta, gamma, seed = 0.03, 0.2, 21
    start = np.tile([[1.3], [0.4]], (20, 1, 1))
    swarm = run(learning_rate=eta, weight_decay=gamma, batch=batch, start=start, n=None, seed=seed, steps=1)
    for _ in range(30):
        after = run(learning_rate=eta, weight_decay=gamma, batch=batch, start=swarm, n=None, seed=seed, steps=1)
        v = swarm.positions[-1, :, 0]
        used = [samples_twin(seed, int(swarm.steps[-1]), i, X.size, batch, False) for i in range(20)]
        g = np.array([np.mean((v[i] * X[s] - Y[s]) * X[s]) for i, s in enumerate(used)])
        before, behind = (s.weights[:, 0, 0] ** 2 - s.weights[:, 1, 0] ** 2 for s in (swarm, after))
        law = before * ((1 - 2 * eta * gamma) ** 2 - 4 * eta**2 * g**2)
        size = (swarm.weights**2).sum(axis=(1, 2))
        assert np.all(np.abs(behind - law) < 2e-15 * size)
        assert not np.all(np.abs(behind - before) < 2e-15 * size)
        swarm = after


@plenty
@pytest.mark.parametrize("batch", [1, 3])
def test_one_layer_has_the_moments_of_its_exact_law(batch):
    # v' = a v + b with (a, b) independent of v: m = E b/(1 - E a), E v^2 = (E b^2 + 2 m E ab)/(1 - E a^2)
    eta, n = 0.05, 40_000
    swarm = run(depth=0, learning_rate=eta, steps=400, n=n, batch=batch)
    q, r = X**2, X * Y
    spread = lambda f, g: np.mean(f * g) / batch + (1 - 1 / batch) * f.mean() * g.mean()  # noqa: E731
    mean = r.mean() / q.mean()
    second = (4 * eta**2 * spread(r, r) + 2 * mean * (2 * eta * r.mean() - 4 * eta**2 * spread(q, r))) / (
        4 * eta * q.mean() - 4 * eta**2 * spread(q, q)
    )
    variance = second - mean**2
    assert abs(swarm.mean()[-1] - mean) < 4 * math.sqrt(variance / n)
    assert swarm.var()[-1] == pytest.approx(variance, rel=0.04)
    assert swarm.var()[-1] != pytest.approx(1.1 * variance, rel=0.04)


@plenty
def test_diverged_replicas_are_counted_kept_and_stopped():
    settings = dict(learning_rate=0.16, steps=400, n=200, start=1.0, seed=2)
    swarm = diagonal_sgd(3 * X, Y, **settings, max_diverged=1.0, record=range(0, 401, 10))
    lost = swarm.diverged
    assert lost.sum() > 0
    assert len(swarm) == 200
    assert f"{lost.sum()} diverged" in repr(swarm)
    later = diagonal_sgd(3 * X, Y, **(settings | dict(steps=50, start=swarm)), max_diverged=1.0)
    assert np.array_equal(later.weights[lost], swarm.weights[lost], equal_nan=True)
    assert np.array_equal(later.lost_at[lost], swarm.lost_at[lost])
    first = swarm.times[np.argmax(~(np.abs(swarm.positions[:, :, 0]) <= sgd.DIVERGED), axis=0)]
    assert np.array_equal(swarm.lost_at[lost], first[lost])


@plenty
def test_too_many_diverged_replicas_are_an_error_that_keeps_them():
    with pytest.raises(
        NotConverged, match=r"of 200 replicas diverged .* max_diverged=0.01 .* learning rate \(0.5"
    ) as caught:
        diagonal_sgd(3 * X, Y, learning_rate=0.5, steps=4000, n=200, seed=2, start=1.0)
    assert caught.value.best.diverged.mean() > 0.01
    assert caught.value.best.steps[-1] < 4000  # no time is spent on a lost run
    assert "partial" in repr(caught.value.best)


def test_ctrl_c_keeps_a_partial_swarm_that_can_go_on():
    def impatient(done, total):
        if done >= total // 2:
            raise KeyboardInterrupt

    with pytest.warns(FpsolveWarning, match="interrupted after step 20 of 40"):
        partial = run(progress=impatient, record=[0, 7, 33])
    assert not partial.finished
    assert "partial" in repr(partial)
    assert list(partial.steps) == [0, 7, 20]
    rest = run(start=partial, steps=20)
    assert rest.finished
    assert np.array_equal(rest.weights, run().weights)


def test_progress_is_told_often_and_to_the_end():
    told = []
    run(steps=400, progress=lambda done, total: told.append((done, total)))
    assert 10 <= len(told) <= 50
    assert told[-1] == (400, 400)
    assert told == sorted(told)


def test_time_is_the_sum_of_the_learning_rates():
    schedule = lambda step: 0.02 / (1 + 0.1 * step)  # noqa: E731
    rates = np.array([schedule(step) for step in range(40)])
    swarm = run(learning_rate=schedule, record=[0, 1, 25])
    assert swarm.times == pytest.approx([0, rates[0], rates[:25].sum(), rates.sum()], rel=1e-14)
    assert np.array_equal(run(learning_rate=rates).weights, swarm.weights)
    assert run().times[-1] == 40 * 0.02


def test_a_constant_schedule_is_a_constant():
    assert np.array_equal(run(learning_rate=np.full(40, 0.02)).weights, run().weights)


@pytest.mark.parametrize(("layers", "width"), [(1, 1), (2, 1), (2, 4), (3, 2)])
def test_starts_compute_what_is_asked(layers, width):
    how = dict(depth=layers - 1, width=width, record=[0])
    minimum = (X @ Y) / (X @ X)
    assert run(**how).positions[0] == pytest.approx(np.full((5, 1), minimum))
    assert run(**how, start=-0.3).positions[0] == pytest.approx(np.full((5, 1), -0.3))
    each = np.array([-2.0, -0.5, 0.1, 1.0, 3.0])
    swarm = run(**how, start=each, n=None)
    assert swarm.positions[0, :, 0] == pytest.approx(each)
    weights = balanced_weights(each, layers, width)
    assert np.ptp(np.abs(weights), axis=(1, 2)) == pytest.approx(np.zeros(5))
    assert np.array_equal(run(**how, start=weights, n=None).weights, swarm.weights)
    assert np.array_equal(run(**how, start=weights[0]).positions[0, 0], swarm.positions[0, 0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(seed=-1), "seed is -1"),
        (dict(seed=1.5), "seed is 1.5"),
        (dict(seed=2**64), "64-bit"),
        (dict(seed=True), "seed is True"),
        (dict(batch=0), "batch is 0"),
        (dict(batch=12), "batch is 12 but the data have 11 samples"),
        (dict(batch=2.5), "batch is 2.5"),
        (dict(learning_rate=0.0), "learning_rate is 0.0 at step 0"),
        (dict(learning_rate=-0.1), "learning_rate is -0.1"),
        (dict(learning_rate=math.nan), "learning_rate is nan"),
        (dict(learning_rate=np.full(39, 0.1)), r"shape \(39,\)"),
        (dict(learning_rate=np.where(np.arange(40) == 17, -1.0, 0.1)), "at step 17"),
        (dict(learning_rate=lambda step: 0.1 if step < 30 else math.inf), "learning_rate is inf at step 39"),
        (dict(learning_rate=lambda step: 0.1 if step != 30 else 0.0), "learning_rate is 0.0 at step 30"),
        (dict(weight_decay=-1.0), "weight_decay is -1.0"),
        (dict(steps=0), "steps is 0"),
        (dict(n=0), "n is 0"),
        (dict(n=None), "n is missing"),
        (dict(depth=-1), "depth is -1"),
        (dict(width=0), "width is 0"),
        (dict(threads=0), "threads is 0"),
        (dict(record=[41]), "record has step 41"),
        (dict(record=[-1, 3]), "record has step -1"),
        (dict(record=[0.5]), "whole step numbers"),
        (dict(max_diverged=1.5), "max_diverged is 1.5"),
        (dict(start=[1.0, 2.0]), "n is 5 but start has 2"),
        (dict(start=math.nan), "not finite"),
        (dict(start=np.ones((5, 3, 1))), "need .replicas, 2, 1."),
        (dict(start=np.ones((1, 1, 1, 1))), "start has shape"),
    ],
)
def test_bad_arguments_are_named(changes, message):
    with pytest.raises(InvalidInput, match=message):
        run(**changes)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([], [], "one length >= 1"),
        ([1.0, 2.0], [1.0], "one length"),
        ([1.0, math.nan], [1.0, 2.0], r"x\[1\] is nan"),
        ([1.0, 2.0], [math.inf, 2.0], r"y\[0\] is inf"),
        ([0.0, 0.0], [1.0, 2.0], "x is 0 in every sample"),
        ([1.0, -1.0], [1.0, 1.0], r"E\[x y\] is 0"),
    ],
)
def test_bad_data_are_named(x, y, message):
    with pytest.raises(InvalidInput, match=message):
        diagonal_sgd(x, y, learning_rate=0.1, steps=1, n=1, seed=0)


def test_only_a_swarm_of_sgd_can_be_continued():
    swarm = run()
    with pytest.raises(InvalidInput, match="without weights"):
        run(start=swarm.replace(weights=None))
    with pytest.raises(InvalidInput, match="without step numbers"):
        run(start=swarm.replace(steps=None))
    with pytest.raises(InvalidInput, match=r"need .replicas, 3, 1."):
        run(start=swarm, depth=2)
