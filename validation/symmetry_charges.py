"""Charges in vector form: their mean rate, fixed points to rounding, decay's share, and neurons that end alike."""

from functools import cache
from itertools import product

import numpy as np

import fpsolve as fp
from fpsolve.claims import Exact

BALANCE = "Ziyin, Li & Ueda, arXiv 2308.06671"
SYMMETRY = "Ziyin, Wang, Li & Wu, arXiv 2402.07193"
RATE, DECAY = 0.02, 0.1
INPUTS = np.array([[1.2, 0.3], [-1.2, -0.3], [0.2, -0.7], [-0.2, 0.7]])
LABELS = np.array([[0.5, 0.4], [-0.5, -0.4], [-0.3, 0.6], [0.3, -0.6]])
TEACHER = np.array([[1.0, 0.3], [-0.2, 0.9]])
MODELS = {  # architecture, with what each is trained on: hidden units, activation, normalised
    "three matrices": ((3, 2), "linear", None),
    "ReLU": ((4,), "relu", None),
    "leaky ReLU": ((4,), "leaky_relu", None),
    "Net-A": ((4,), "tanh", "together"),
    "Net-B": ((4,), "tanh", "each"),
}


def stepped(x, y, hidden, layers, decay=0.0):
    """Weights before, and after one step on this minibatch, with their network.

    With each sample goes its mirror image, whose gradient is the same: lone samples have constant columns.
    """
    data = fp.models.Samples(np.concatenate([x, -x]), np.concatenate([y, -y]))
    net = fp.models.DenseNetwork(data, hidden, learning_rate=RATE, batch=None, weight_decay=decay)
    before = np.concatenate([np.ravel(layer) for layer in layers])
    after = net.sgd(1, 1, seed=0, start=before, observe="weights", progress=False).positions[-1, 0]
    return net, before, after


def vector_form(batch=1, exchanged=False):
    """E C' - keep^2 C - C(eta <g>) over all minibatches, less -(eta^2/S)(u'C1 u - w'C2 w), over the latter; C1, C2 from
    A = 2 r x', of one neuron u w'.
    """
    rng = np.random.default_rng(5)
    x, y, u, w = rng.normal(size=(5, 3)), rng.normal(size=(5, 2)), rng.normal(size=2), rng.normal(size=3)
    A = 2.0 * np.einsum("ni,nj->nij", np.outer(x @ w, u) - y, x)
    C1 = np.einsum("nij,nkj->ik", A, A) / 5 - A.mean(axis=0) @ A.mean(axis=0).T
    C2 = np.einsum("nij,nik->jk", A, A) / 5 - A.mean(axis=0).T @ A.mean(axis=0)
    law = -(RATE**2) / batch * (u @ C1 @ u - w @ C2 @ w) * (-1.0 if exchanged else 1.0)
    keep = 1.0 - 2.0 * RATE * DECAY

    def charge(rows):
        net, before, after = stepped(x[rows], y[rows], (1,), (w, u), DECAY)
        return float(net.charges(after)[0]), after - keep * before, float(net.charges(before)[0])

    mean = np.mean([charge(list(rows))[0] for rows in product(range(5), repeat=batch)])
    _, step, start = charge(list(range(5)))
    drift = float(step[3:] @ step[3:] - step[:3] @ step[:3])  # C(eta <g>)
    return float((mean - keep**2 * start - drift) / law - 1.0)


def worst_gap(momentum=0.0):
    """The largest departure of a step's charges from keep^2 C + C(eta g), over |w|^2: five models, batch 1 and 4."""
    rng = np.random.default_rng(2)
    data, found = fp.models.Samples(rng.normal(size=(20, 3)), rng.normal(size=(20, 2))), 0.0
    for (hidden, activation, normalised), batch in product(MODELS.values(), (1, 4)):
        net = fp.models.DenseNetwork(data, hidden, activation, 0.01, batch, 0.1, momentum, normalised=normalised)
        w = net.sgd(100, 4, seed=1, observe="weights", record=range(101), progress=False).positions
        found = max(found, float((np.abs(net.noether_gap(w[:-1], w[1:])) / (w**2).sum(axis=-1)[:-1, :, None]).max()))
    return found


def every_pair(teacher):
    """All inputs with all label noises: residuals at a minimum are independent of the inputs, exactly."""
    x = np.repeat(INPUTS, len(LABELS), axis=0)
    return x, x @ teacher.T + np.tile(LABELS, (len(INPUTS), 1))


def root(S):
    sizes, frame = np.linalg.eigh(S)
    return (frame * np.sqrt(sizes)) @ frame.T


def balanced_chain(matrices, share=1.0):
    """Layers W_1, ..., W_D of the closed form; share: by how much the first is larger and the last smaller."""
    Sx, Se = INPUTS.T @ INPUTS / len(INPUTS), LABELS.T @ LABELS / len(LABELS)
    left, S, right = np.linalg.svd(root(Se) @ TEACHER @ root(Sx))
    ratio = np.sqrt(np.trace(Sx) / np.trace(Se))
    c = (S.sum() / np.sqrt(np.trace(Sx) * np.trace(Se))) ** (1.0 / matrices)
    turns = [np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) for a in range(1, matrices)]
    first = share * turns[0] @ np.diag(np.sqrt(S * ratio / c ** (matrices - 2))) @ right @ np.linalg.inv(root(Sx))
    last = np.linalg.inv(root(Se)) @ left @ np.diag(np.sqrt(S / ratio / c ** (matrices - 2))) @ turns[-1].T / share
    return [first, *(c * turns[i + 1] @ turns[i].T for i in range(matrices - 2)), last]


def pull(layers):
    """The largest mean change of a charge in one step of single samples, over the mean of |eta g|^2; at a minimum."""
    x, y = every_pair(TEACHER)
    hidden, total, size = tuple(len(layer) for layer in layers[:-1]), 0.0, 0.0
    for i in range(len(x)):
        net, before, after = stepped(x[i : i + 1], y[i : i + 1], hidden, layers)
        total, size = total + net.charges(after - before), size + (after - before) @ (after - before)
    return float(np.abs(total).max() / size)


def with_decay(decay, outputs=6, inputs=2):
    """|u|^2/|w|^2 at the end of SGD, at a temperature of .01 and .005, decay in proportion, extrapolated to 0."""

    @cache
    def ended(T, gamma):
        rank_one = fp.models.RankOneFactorisation(outputs, inputs, 1.0, T, 2.0)
        steps = round(0.5 / T**2)
        net, record = rank_one.network().replace(weight_decay=gamma), np.linspace(0.6 * steps, steps, 20).astype(int)
        run = net.sgd(steps, 64, seed=1, start="xavier", observe="norms", record=record, progress=False)
        w, u = run.positions.reshape(-1, 2).mean(axis=0)
        return u / w

    return float(2.0 * ended(0.005, 0.5 * decay) - ended(0.01, decay))


def scalar_network(batch=1, momentum=0.0):
    """f = sum of u_i w_i x over four neurons."""
    data = fp.Regression.synthetic(60, seed=4)
    samples = fp.models.Samples(data.x, data.y)
    return fp.models.DenseNetwork(samples, (4,), "linear", 0.02, batch, 0.0, momentum)


@cache
def trained(batch=1, momentum=0.0, steps=9000, every=1500, replicas=64):
    net = scalar_network(batch, momentum)
    start = np.random.default_rng(7).normal(size=(replicas, 8))
    run = net.sgd(
        steps, replicas, seed=3, start=start, observe="weights", record=range(0, steps + 1, every), progress=False
    )
    return net, run


def matrix_charge(momentum):
    """Largest departure of uu' - ww' from its law in a step, uu' - ww' times 1 - 4 eta^2 g^2, g from u alone."""
    net, run = trained(1, momentum, 400, 1)
    w, u = np.split(run.positions, 2, axis=-1)
    g = ((u[:-1] - u[1:]) * w[:-1]).sum(axis=-1) / (2.0 * net.learning_rate * (w[:-1] ** 2).sum(axis=-1))
    C = np.einsum("...i,...j->...ij", u, u) - np.einsum("...i,...j->...ij", w, w)
    keep = (1.0 - 4.0 * net.learning_rate**2 * g**2)[..., None, None]
    return float(np.abs(C[1:] - keep * C[:-1]).max())


def alike(run):
    """1 where every replica's neurons end with one sign of u_i w_i and |u_i| = |w_i| to 1e-3."""
    w, u = np.split(run[1].positions[-1], 2, axis=-1)
    signs = np.abs(np.sign(u * w).sum(axis=-1)) == 4.0
    return float((signs & (np.abs(np.abs(u / w) - 1.0) < 1e-3).all(axis=-1)).mean())


def exponential(batch=1):
    """The late rate of ln |uu' - ww'|, over -4 (beta2 - beta1 <v>), <v> in the balanced state."""
    net, run = trained(batch)
    w, u = np.split(run.positions[[2, 6]], 2, axis=-1)
    C = np.einsum("...i,...j->...ij", u, u) - np.einsum("...i,...j->...ij", w, w)
    slope = np.diff(np.log(np.linalg.norm(C, axis=(-2, -1))).mean(axis=1))[0] / (6000 * net.learning_rate)
    law = fp.models.DiagonalNetwork(fp.Regression.synthetic(60, seed=4), learning_rate=net.learning_rate)
    return float(-slope / 4.0 / (law.moments.beta2 - law.moments.beta1 * law.exact_mean))


def kept(batch, inputs=3, outputs=2):
    """How far the charges of gradient descent move until it has learnt, over their size, as the learning rate -> 0."""
    rng = np.random.default_rng(6)
    x = rng.normal(size=(40, inputs))
    y = x @ rng.normal(size=(inputs, outputs)) + 0.5 * rng.normal(size=(40, outputs))
    ends = []
    for rate in (0.004, 0.002):
        net = fp.models.DenseNetwork(fp.models.Samples(x, y), (2,), learning_rate=rate, batch=batch)
        run = net.sgd(round(40.0 / rate), 1, seed=1, start="large", record=(0,), progress=False).positions[:, 0]
        ends.append(run[-1])
    return float(np.abs(2.0 * ends[1] - ends[0] - run[0]).max() / np.abs(run[0]).max())


def from_small(batch):
    """|U|^2/|W|^2 where descent from small weights ends, 3 inputs and 2 outputs."""
    data = fp.models.GaussianSamples([[1.0, 0.3, 0.0], [-0.2, 0.9, 0.5]], 1.0, 1.0)
    net = fp.models.DenseNetwork(data, (2,), learning_rate=0.01, batch=batch)
    run = net.sgd(20_000, 16, seed=1, start="small", observe="norms", progress=False)
    return float(np.divide(*run.positions[-1].mean(axis=0)[::-1]))


claims = [
    *(
        Exact(
            f"one neuron, batch {batch}: E C' = keep^2 C + C(eta <g>) - (eta^2/S)(u'C1 u - w'C2 w), relative",
            vector_form,
            dict(batch=batch),
            float,
            0.0,
            atol=1e-11,
            wrong=dict(exchanged=True),
            source=BALANCE,
        )
        for batch in (1, 2)
    ),
    Exact(
        "five models with symmetries, batch 1 and 4: charges change by eta^2 g'A g and decay in every step",
        worst_gap,
        {},
        float,
        0.0,
        atol=5e-15,
        wrong=dict(momentum=0.3),
        source=SYMMETRY,
    ),
    *(
        Exact(
            f"{matrices} matrices in the closed form: the noise leaves every charge where it is, to rounding",
            lambda matrices, share: pull(balanced_chain(matrices, share)),
            dict(matrices=matrices, share=1.0),
            float,
            0.0,
            atol=1e-13,
            wrong=dict(share=1.0001),
            source=SYMMETRY,
        )
        for matrices in (2, 3, 4)
    ),
    Exact(
        "isotropic data, 3 inputs, 2 outputs: SGD from small weights ends at |U|^2/|W|^2 = 2/3, descent at 1",
        from_small,
        dict(batch=1),
        float,
        2.0 / 3.0,
        atol=0.03,
        wrong=dict(batch=None),
        source=SYMMETRY,
    ),
    Exact(
        "gradient descent from small weights balances the norms",
        from_small,
        dict(batch=None),
        float,
        1.0,
        atol=1e-5,
        wrong=dict(batch=1),
        source=SYMMETRY,
    ),
    Exact(
        "gradient descent keeps its charges as the learning rate goes to 0, SGD does not",
        kept,
        dict(batch=None),
        float,
        0.0,
        atol=1e-4,
        wrong=dict(batch=1),
        source=SYMMETRY,
    ),
    Exact(
        "with weight decay the charge ends at (T/(4 gamma)) Tr[Sigma A]: |u|^2/|w|^2 = (gamma + T m)/(gamma + T k)",
        with_decay,
        dict(decay=0.02),
        float,
        2.0,
        atol=0.06,
        wrong=dict(decay=0.04),
        source=SYMMETRY,
    ),
    Exact(
        "neurons in parallel: uu' - ww' is multiplied by 1 - 4 eta^2 g^2 in every step",
        matrix_charge,
        dict(momentum=0.0),
        float,
        0.0,
        atol=1e-12,
        wrong=dict(momentum=0.3),
        source=BALANCE,
    ),
    Exact(
        "neurons in parallel: all end with one sign and |u_i| = |w_i|",
        trained,
        {},
        alike,
        1.0,
        atol=1e-9,
        wrong=dict(batch=None),
        source=BALANCE,
    ),
    Exact(
        "neurons in parallel: they do so exponentially, at the rate 4 (beta2 - beta1 <v>)",
        exponential,
        {},
        float,
        1.0,
        atol=0.08,  # .047 of it is the learning rate's
        wrong=dict(batch=None),
        source=BALANCE,
    ),
]
