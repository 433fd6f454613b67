"""Dense networks: conserved charges path by path, starts, exact laws of regression, divergence, what is refused."""

import numpy as np
import pytest

import fpsolve as fp
from fpsolve.models.architecture import Architecture
from fpsolve.models.dense_network import DenseNetwork
from fpsolve.models.network_start import flattened
from fpsolve.models.samples import GaussianSamples, Samples

RANDOM = np.random.Generator(np.random.Philox(8))
FRESH = GaussianSamples(RANDOM.standard_normal((2, 3)), np.diag([1.0, 2.0, 0.5]) + 0.2, (0.3, 0.1))
DATA = FRESH.drawn(30, seed=3)


def network(data=DATA, hidden=(4,), activation="linear", **changes):
    return DenseNetwork(data, hidden, activation, **(dict(learning_rate=0.02) | changes))


def path(net, steps=40, n=4, **how):
    """The weights after every step, (steps + 1, n, size)."""
    return net.sgd(steps, n, seed=6, record=range(steps + 1), observe="weights", **how).positions


CHARGED = [
    dict(hidden=(4,)),
    dict(hidden=(3, 5)),
    dict(activation="relu"),
    dict(hidden=(4, 3), activation="leaky_relu"),
    *(dict(activation=phi, normalised=how) for phi in ("tanh", "swish", "linear") for how in ("together", "each")),
]
RUNS = [
    dict(),
    dict(data=FRESH),
    dict(batch=5, clip=1.0),
    dict(batch=None),
    dict(weight_decay=0.3),
]


@pytest.mark.parametrize("run", RUNS, ids=str)
@pytest.mark.parametrize("kind", CHARGED, ids=str)
def test_charges_obey_their_law_path_by_path_to_rounding(kind, run):
    net = network(**(kind | run))
    if net.data is FRESH and net.batch is None:
        pytest.skip("needs samples that are kept")
    weights = path(net)
    size = np.sum(weights**2, axis=-1)[:-1, :, None]
    assert np.all(np.abs(net.noether_gap(weights[:-1], weights[1:])) < 4e-15 * size)
    moved = np.abs(net.charges(weights[1:]) - net.charges(weights[:-1]))
    assert np.any(moved > 1e-9 * size)  # it is a law, not a constant


def test_momentum_breaks_the_law():
    net = network(momentum=0.5)
    weights = path(net)
    assert np.abs(net.noether_gap(weights[:-1], weights[1:])).max() > 1e-5


@pytest.mark.parametrize("phi", ["tanh", "swish"])
def test_neurons_without_a_symmetry_have_no_charge(phi):
    net = network(activation=phi)
    assert net.architecture.charge_names == ()
    assert net.sgd(3, 2, seed=1).names == ("|W1|^2", "|W2|^2")
    wrong = DenseNetwork(DATA, (4,), "relu", learning_rate=0.02)  # the charges of another network are not kept
    weights = path(net)
    assert np.abs(wrong.noether_gap(weights[:-1], weights[1:])).max() > 1e-5


def test_off_diagonal_charges_of_neurons_are_not_conserved():
    net, linear = network(activation="relu"), network()
    weights = path(net)
    gap = np.abs(linear.noether_gap(weights[:-1], weights[1:])).max(axis=(0, 1))
    diagonal = [name.count("0") % 2 == 0 and name[3] == name[5] for name in linear.architecture.charge_names]
    assert np.all(gap[[name[3] == name[5] for name in linear.architecture.charge_names]] < 1e-13)
    assert np.all(gap[[name[3] != name[5] for name in linear.architecture.charge_names]] > 1e-6)
    assert any(diagonal)


def test_recorded_charges_are_those_of_the_weights():
    net = network(hidden=(3, 2))
    swarm = net.sgd(20, 4, seed=1, record=[0, 7])
    assert swarm.names[:3] == ("C1[0,0]", "C1[0,1]", "C1[0,2]")
    assert swarm.names[-1] == "C2[1,1]"
    W1, W2, W3 = net.layers(swarm)
    expected = np.swapaxes(W2, 1, 2) @ W2 - W1 @ np.swapaxes(W1, 1, 2)
    assert swarm.positions[-1][:, [0, 1, 5]] == pytest.approx(expected[:, [0, 0, 2], [0, 1, 2]])
    assert swarm.positions[-1][:, -1] == pytest.approx((W3[:, :, 1] ** 2).sum(1) - (W2[:, 1] ** 2).sum(1))
    assert net.sgd(20, 4, seed=1, observe="norms").positions[-1][:, 0] == pytest.approx((W1**2).sum((1, 2)))
    assert np.array_equal(net.sgd(20, 4, seed=1, observe="weights").positions[-1], swarm.weights)


def test_gradient_descent_keeps_charges_as_its_rate_tends_to_zero_and_sgd_does_not():
    drift = {}
    for rate in (0.02, 0.01):
        for batch in (None, 1):
            net = network(FRESH, learning_rate=rate, batch=batch)
            start = net.initial("xavier", 32, seed=1)
            swarm = net.sgd(int(20 / rate), seed=1, start=start, record=[0])
            drift[rate, batch] = np.abs(swarm.positions[-1] - swarm.positions[0]).mean()
    assert drift[0.01, None] < 0.6 * drift[0.02, None]
    assert drift[0.01, 1] > 10 * drift[0.01, None]


def test_gradient_descent_on_fresh_samples_is_that_of_the_mean_loss():
    net = network(FRESH, batch=None)
    w = net.initial("xavier", 2, seed=3)
    W, U = net.layers(w)
    error = U @ W - FRESH.teacher
    expected = np.einsum("nij,jk,nik->n", error, FRESH.input_covariance, error) + np.trace(FRESH.label_covariance)
    assert net.loss(w) == pytest.approx(expected)
    assert net.loss(w) == pytest.approx(network(FRESH.drawn(200_000, seed=1)).loss(w), rel=0.02)
    slope = 2 * np.swapaxes(U, 1, 2) @ error @ FRESH.input_covariance
    moved = net.layers(net.sgd(1, seed=1, start=w))[0]
    assert moved == pytest.approx(W - net.learning_rate * slope)


def test_regression_has_the_second_moment_of_its_exact_law():
    # y = v x + e, d = w - v: E d'^2 = (1 - 4 eta s + 12 eta^2 s^2) E d^2 + 4 eta^2 s e^2, s = E x^2, e^2 -> e
    s, e, eta, n = 1.5, 0.4, 0.05, 40_000
    net = DenseNetwork(GaussianSamples([[0.7]], s, e), (), learning_rate=eta)
    w = net.sgd(150, n, seed=2, start=[0.7]).weights[:, 0] - 0.7
    variance = 4 * eta**2 * s * e / (4 * eta * s - 12 * eta**2 * s**2)
    assert abs(w.mean()) < 4 * np.sqrt(variance / n)
    assert w.var() == pytest.approx(variance, rel=0.04)
    assert w.var() != pytest.approx(1.1 * variance, rel=0.04)


def test_norms_grow_under_sgd_by_the_squared_gradient_and_stay_under_gradient_descent():
    noisy = DenseNetwork(FRESH.drawn(12, seed=1), (3,), "tanh", learning_rate=0.05, normalised="each")
    still = noisy.replace(batch=None, learning_rate=2e-3)
    grown = noisy.sgd(400, 8, seed=1, record=[0, 100, 200, 300]).positions
    assert np.all(np.diff(grown, axis=0) > 0)
    kept = still.sgd(10_000, 2, seed=1, record=[0]).positions
    assert kept[1] == pytest.approx(kept[0], rel=1e-2)
    assert grown[-1].min() > 1.05 * grown[0].min()


STARTS = {"small": 1e-3, "kaiming": 50**-0.5, "xavier": (2 / 90) ** 0.5, "large": 1.0}


@pytest.mark.parametrize("kind", STARTS)
def test_starts_have_their_deviation(kind):
    net = network(GaussianSamples(np.ones((2, 50))), hidden=(40,))
    W, _ = net.layers(net.initial(kind, 50, seed=1))
    assert W.std() == pytest.approx(STARTS[kind], rel=0.01)
    assert np.array_equal(net.initial(kind, 5, seed=1), net.initial(kind, 50, seed=1)[:5])
    assert not np.array_equal(net.initial(kind, 5, seed=1), net.initial(kind, 5, seed=2))


def test_kaiming_is_wider_under_relu():
    net = network(GaussianSamples(np.ones((2, 50))), hidden=(40,), activation="relu")
    assert net.layers(net.initial("kaiming", 50, seed=1))[0].std() == pytest.approx(0.2, rel=0.01)


def test_starts_may_be_given_as_layers_or_flat():
    net = network(hidden=(2,))
    layers = [np.arange(6.0).reshape(2, 3), np.arange(4.0).reshape(2, 2)]
    flat = np.concatenate([layer.ravel() for layer in layers])
    runs = [net.sgd(3, n, seed=1, start=start) for n, start in ((2, layers), (2, flat), (None, np.tile(flat, (2, 1))))]
    for run in runs:
        assert np.array_equal(run.weights, runs[0].weights)
    stacked = [np.stack([layer, 2 * layer]) for layer in layers]
    assert flattened(net.architecture, stacked)[1] == pytest.approx(2 * flat)


def test_saddle_to_saddle_from_small_weights():
    # from small weights the stronger direction is learnt first, from Kaiming's there is no such wait
    net = network(GaussianSamples(np.diag([2.0, 0.5]), 1.0, 0.0), hidden=(2,), learning_rate=0.01, batch=None)

    def learnt(start):
        W, U = net.layers(net.sgd(250, 4, seed=1, start=start))
        return np.abs(np.einsum("nij,njk->nik", U, W)[:, [0, 1], [0, 1]]).mean(axis=0)

    strong, weak = learnt("small")
    assert strong > 1.8
    assert weak < 0.05
    assert learnt("kaiming")[1] > 0.2


def test_heavy_tailed_samples_keep_their_map():
    heavy = FRESH.drawn(20_000, seed=1, law=lambda random, shape: random.standard_t(3, shape))
    assert (heavy.x**4).mean() > 3 * (FRESH.drawn(20_000, seed=1).x ** 4).mean()
    fitted = np.linalg.lstsq(heavy.x, heavy.y, rcond=None)[0].T
    assert fitted == pytest.approx(FRESH.teacher, abs=0.05)


def test_a_bias_is_a_column_of_ones():
    data = Samples(DATA.x, DATA.y + 3.0, bias=True)
    net = DenseNetwork(data, (), learning_rate=0.02, batch=None)
    swarm = net.sgd(4000, 1, seed=0, start="small")
    design = np.column_stack([DATA.x, np.ones(30)])
    fitted = np.linalg.lstsq(design, DATA.y + 3.0, rcond=None)[0]
    assert net.layers(swarm)[0][0] == pytest.approx(fitted.T, abs=1e-6)


def test_rank_deficient_covariances_are_drawn():
    flat = GaussianSamples([[1.0, 0.0]], [[1.0, 1.0], [1.0, 1.0]], 0.0).drawn(50, seed=1)
    assert flat.x[:, 0] == pytest.approx(flat.x[:, 1])
    assert flat.y[:, 0] == pytest.approx(flat.x[:, 0])


def test_swarms_are_saved_and_go_on(tmp_path):
    net = network(momentum=0.5)
    part = net.sgd(10, 3, seed=1)
    loaded = fp.load(part.save(tmp_path / "part.npz"))
    assert np.array_equal(net.sgd(5, seed=1, start=loaded).weights, net.sgd(15, 3, seed=1).weights)


def test_the_printed_line_names_what_is_set():
    net = network(activation="tanh", normalised="each", weight_decay=0.1, clip=2.0, momentum=0.5, batch=4)
    text = repr(net)
    assert text.startswith("DenseNetwork(3-4-2 tanh, normalised each; learning rate 0.02, batch 4, weight decay 0.1")
    assert "momentum 0.5, clip 2; Samples(30 samples" in text
    assert "gradient descent" in repr(net.replace(batch=None))
    assert net.temperature == pytest.approx(0.005)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: network(activation="gelu"), "activation is 'gelu'; use one of 'linear'"),
        (lambda: network(normalised="all"), "normalised is 'all'"),
        (lambda: network(hidden=(0,)), "widths is 0"),
        (lambda: network(momentum=1.0), "momentum is 1.0"),
        (lambda: network(clip=0.0), "clip is 0.0"),
        (lambda: network(FRESH, activation="tanh", batch=None), "tanh neurons on fresh samples has no closed form"),
        (lambda: network(FRESH, activation="tanh").loss(np.ones((1, 20))), "the mean loss of tanh neurons"),
        (lambda: network(FRESH).sgd(2, 1, seed=1, replacement=False), "fresh samples are never repeated"),
        (lambda: network().sgd(2, 1, seed=1, observe="loss"), "observe is 'loss'"),
        (lambda: network().sgd(2, 1, seed=1, start="zero"), "start is 'zero'; use one of 'small'"),
        (lambda: network().sgd(2, 1, seed=1, start=[1.0, 2.0]), r"start has shape \(2,\)"),
        (lambda: network().sgd(2, 1, seed=1, start=[np.eye(3), np.eye(2)]), "start has layers of shapes"),
        (lambda: network().sgd(2, 1, seed=1, start=np.full(20, np.nan)), "20 weights that are not finite"),
        (lambda: network(momentum=0.1).sgd(2, seed=1, start=network().sgd(2, 1, seed=1)), "with momentum also"),
        (lambda: network().layers(np.ones((2, 7))), "this network has 20"),
        (lambda: network().layers(network().sgd(1, 1, seed=1).replace(weights=None)), "the swarm has no weights"),
        (lambda: Architecture((3,)), "give the inputs"),
        (lambda: GaussianSamples([1.0, 2.0]), "teacher has shape"),
        (lambda: GaussianSamples([[1.0]], 0.0), "input_covariance is 0"),
        (lambda: GaussianSamples(np.ones((1, 2)), [[1.0, 2.0], [2.0, 1.0]]), "negative eigenvalue"),
        (lambda: GaussianSamples([[1.0]]).drawn(5, 1, law=lambda random, shape: 1.0), r"law returned shape \(\)"),
        (lambda: Samples([["a"]], [1.0]), "x has dtype"),
    ],
)  # fmt: skip
def test_bad_arguments_are_named(make, message):
    with pytest.raises(fp.InvalidInput, match=message):
        make()
