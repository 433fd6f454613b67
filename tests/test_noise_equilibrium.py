"""Where SGD's noise leads: two layers, a chain, rank one, norms; the closed forms, and trained networks within 2 %."""

from functools import reduce

import numba
import numpy as np
import pytest

import fpsolve as fp
from fpsolve.models import DenseNetwork, GaussianSamples, NoiseEquilibrium, RankOneFactorisation

plenty = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="more steps than plain Python makes in an hour")

TEACHER = np.array([[1.0, 0.3], [-0.2, 0.9]])
DATA = GaussianSamples(TEACHER, [[1.5, 0.4], [0.4, 0.5]], [[0.8, 0.1], [0.1, 0.2]])
ONE = np.eye(2)
SKEW = np.array([[0.6, 0.2], [0.0, 0.8]])
STARTS = {  # two of the three at the minimum, one far to each side
    2: ("xavier", [2 * ONE, TEACHER / 2], [SKEW, TEACHER @ np.linalg.inv(SKEW)]),
    3: ("xavier", [2 * ONE, 1.5 * ONE, TEACHER / 3], [SKEW, ONE, TEACHER @ np.linalg.inv(SKEW)]),
}
RATE, DURATION = 0.005, 4.0  # of learning rate times time


def trained(matrices, start, data=DATA, rate=RATE, duration=DURATION, n=64):
    """The layers at 16 times after 70 % of a run, each (16 n, outputs, inputs)."""
    net = DenseNetwork(data, (2,) * (matrices - 1), learning_rate=rate)
    steps = int(duration / rate**2)
    record = np.linspace(0.7 * steps, steps, 16).astype(int)
    swarm = net.sgd(steps, n, seed=2, start=start, record=record, observe="weights")
    return net.layers(swarm.positions.reshape(-1, net.architecture.size))


def at_balance(matrices, data=DATA):
    """A chain of 2 x 2 matrices at its noise equilibrium, from the closed form."""
    balance = NoiseEquilibrium(data, matrices)
    Lx, Le = data.root[:2, :2], data.root[2:, 2:]
    left, _, right = np.linalg.svd(Le.T @ data.teacher @ Lx)
    turn = np.linalg.qr(np.random.Generator(np.random.Philox(1)).standard_normal((2, 2)))[0]
    first = turn @ np.diag(balance.first) @ right @ np.linalg.inv(Lx)
    last = np.linalg.inv(Le.T) @ left @ np.diag(balance.last) @ turn.T
    return [first, *[balance.between * ONE] * (matrices - 2), last]


@pytest.mark.parametrize("matrices", [2, 3, 4])
def test_the_closed_form_computes_the_map_and_is_measured_as_itself(matrices):
    layers, balance = at_balance(matrices), NoiseEquilibrium(DATA, matrices)
    assert np.linalg.multi_dot(layers[::-1]) == pytest.approx(TEACHER)
    first, last, between = balance.measured(layers)
    assert first == pytest.approx(balance.first)
    assert last == pytest.approx(balance.last)
    assert between == pytest.approx(np.full((matrices - 2, 2), balance.between))


@pytest.mark.parametrize("matrices", [2, 3])
def test_no_charge_drifts_at_the_closed_form(matrices):
    # d<C>/dt ~ <g'A g>: every charge of every hidden layer, with exact means over Gaussian samples at the minimum
    layers = at_balance(matrices)
    Sx, Se = DATA.input_covariance, DATA.label_covariance

    def product(layers):
        return reduce(np.matmul, reversed(layers), ONE)

    def drifts(layers):
        found = []
        for k in range(1, matrices):
            before, after, nearer, further = (
                product(part) for part in (layers[:k], layers[k:], layers[: k - 1], layers[k + 1 :])
            )
            gain = np.trace(further.T @ Se @ further) * before @ Sx @ before.T
            found.append(gain - np.trace(nearer @ Sx @ nearer.T) * after.T @ Se @ after)
        return np.abs(found).max()

    assert drifts(layers) < 1e-14
    assert drifts([1.01 * layers[0], *layers[1:-1], layers[-1] / 1.01]) > 1e-3


def test_two_layers_balance_at_the_closed_form_only():
    W, U = at_balance(2)
    balance = NoiseEquilibrium(DATA)
    assert balance.imbalance([W, U]) < 1e-14
    assert balance.imbalance([1.01 * W, U / 1.01]) == pytest.approx(0.04, rel=0.05)
    turn = np.array([[0.6, 0.8], [-0.8, 0.6]])
    assert balance.imbalance([np.stack([W, turn @ W]), np.stack([U, U @ turn.T])]) < 1e-14


@plenty
@pytest.mark.parametrize("start", [0, *(pytest.param(k, marks=pytest.mark.slow) for k in (1, 2))])
def test_sgd_takes_two_layers_to_their_noise_equilibrium(start):
    balance = NoiseEquilibrium(DATA)
    layers = trained(2, STARTS[2][start])
    first, last, _ = balance.measured(layers)
    assert balance.imbalance(layers) < 0.02
    assert first == pytest.approx(balance.first, rel=0.02)
    assert last == pytest.approx(balance.last, rel=0.02)
    isotropic = NoiseEquilibrium(GaussianSamples(TEACHER, 1.0, 0.5))
    assert isotropic.imbalance(layers) > 0.05  # with other data it would balance elsewhere


@plenty
@pytest.mark.slow
@pytest.mark.parametrize("start", range(3))
def test_sgd_takes_a_chain_of_three_to_its_noise_equilibrium(start):
    balance = NoiseEquilibrium(DATA, 3)
    first, last, between = balance.measured(trained(3, STARTS[3][start]))
    assert between == pytest.approx(np.full((1, 2), balance.between), rel=0.02)
    assert first == pytest.approx(balance.first, rel=0.02)
    assert last == pytest.approx(balance.last, rel=0.02)
    assert between != pytest.approx(np.full((1, 2), 1.05 * balance.between), rel=0.02)


def test_gradient_descent_stays_where_it_is():
    balance = NoiseEquilibrium(DATA)
    net = DenseNetwork(DATA, (2,), learning_rate=RATE, batch=None)
    for start in STARTS[2][1:]:
        swarm = net.sgd(20_000, 1, seed=1, start=start, record=[0])
        assert swarm.positions[-1] == pytest.approx(swarm.positions[0], abs=1e-12)
        assert balance.imbalance(net.layers(swarm)) > 1.0


@plenty
def test_rank_one_layers_balance_to_the_ratio_of_their_widths():
    model = RankOneFactorisation(outputs=4, inputs=2, noise=1.0, temperature=0.004)
    net = model.network()
    steps = int(6 * model.relaxation_time / net.learning_rate)
    start = [[[0.5, 0.0]], [[2.0], [0.0], [0.0], [0.0]]]
    record = [int(share * steps) for share in (0.7, 0.8, 0.9)]
    swarm = net.sgd(steps, 64, seed=1, start=start, record=record, observe="norms")
    w, u = swarm.positions.mean(axis=(0, 1))
    assert u / w == pytest.approx(2.0, rel=0.02)
    assert u / w != pytest.approx(2.1, rel=0.02)


def test_the_network_of_rank_one_is_its_model():
    model = RankOneFactorisation(outputs=3, inputs=2, noise=0.5, temperature=0.01, strength=1.5)
    net = model.network(batch=2)
    assert (net.learning_rate, net.batch, net.temperature) == (0.02, 2, 0.01)
    assert net.data.teacher.tolist() == [[1.5, 0], [0, 0], [0, 0]]
    assert net.data.label_covariance == pytest.approx(0.25 * np.eye(3))
    start = [[[1.0, 0.0]], [[1.5], [0.0], [0.0]]]
    slow, fast = (
        model.sgd(400, 1000, seed=1, start=0.5 * np.log(2.25), batch=2),
        net.sgd(400, 1000, seed=1, start=start),
    )
    u, w = slow.weights[:, :3], slow.weights[:, 3:]
    W, U = net.layers(fast)
    for mine, theirs in (((U**2).sum((1, 2)), (u**2).sum(1)), ((W**2).sum((1, 2)), (w**2).sum(1))):
        error = np.hypot(mine.std(), theirs.std()) / np.sqrt(1000)
        assert abs(mine.mean() - theirs.mean()) < 4 * error


@plenty
@pytest.mark.parametrize("weight_decay", [0.0, 0.01])
def test_the_norm_of_a_scale_invariant_regression_obeys_the_fourth_power_law(weight_decay):
    # s = 4 sigma^2 (d - 1), and a share of T (d + 1)/r^2 more as the d - 1 angles spread, each by T sigma^2/r^2
    d, T, noise, duration = 5, 0.004, 1.0, 60.0
    data = GaussianSamples(np.eye(d)[:1], 1.0, noise)
    net = DenseNetwork(data, (), learning_rate=T, normalised="together", weight_decay=weight_decay)
    s = 4.0 * noise * (d - 1)
    swarm = net.sgd(int(duration / T), 64, seed=1, start=np.eye(d)[0])
    law = fp.models.ScaleInvariant(lambda phi: 0.0 * phi, noise=s, temperature=T, weight_decay=weight_decay)
    r4, expected, bound = (swarm.positions[-1] ** 2).mean(), law.norm_at(duration, 1.0) ** 4, T * (d + 1)
    assert r4 == pytest.approx(expected, rel=bound)
    assert r4 != pytest.approx(1.05 * expected, rel=bound)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NoiseEquilibrium(DATA, 1), "matrices is 1"),
        (lambda: NoiseEquilibrium(DATA.drawn(10, 1)), "data is Samples"),
        (lambda: NoiseEquilibrium(GaussianSamples(TEACHER, 1.0, 0.0)), "label_covariance is 0"),
        (lambda: NoiseEquilibrium(DATA, 3).imbalance([ONE, ONE, ONE]), "3 matrices; `imbalance` is of two"),
        (lambda: NoiseEquilibrium(DATA, 3).measured([ONE, ONE]), "layers has 2 entries; give 3"),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises(fp.InvalidInput, match=message):
        make()
