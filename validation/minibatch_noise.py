"""The noise of minibatches and of two linear layers: covariances and Hessian in closed form, the symmetry's pull."""

from itertools import combinations, product

import numpy as np

import fpsolve as fp
from fpsolve.claims import Exact

COUNTING = "all minibatches, counted"
LAYERS = "product rule"
SYMMETRY = "Ziyin, Wang, Li & Wu, arXiv 2402.07193"
GRADIENTS = np.random.default_rng(1).exponential(size=(6, 2)) @ [[1.0, 0.3], [0.0, 2.0]]
INPUTS, HIDDEN, OUTPUTS = 3, 2, 2
STEP = 1e-4  # of differences; the loss is a polynomial of degree 4


def minibatches(batch, replacement, told=None):
    """Largest relative error of the covariance of a minibatch's mean against that of all minibatches."""
    draws = product(GRADIENTS, repeat=batch) if replacement else combinations(GRADIENTS, batch)
    exact = np.cov(np.array([np.mean(rows, axis=0) for rows in draws]).T, ddof=0)
    found = fp.measure.gradient_covariance(GRADIENTS, batch, replacement=replacement if told is None else told)
    return float(np.abs(found.value / exact - 1.0).max())


def expected_covariance(n=4, unbiased=False):
    """The mean, over all data sets of n zeros and ones, of their covariance; over the law's, which is 1/4."""
    sets = (np.array(bits, dtype=float) for bits in product((0.0, 1.0), repeat=n))
    found = [fp.measure.gradient_covariance(x) for x in sets]
    return float(np.mean([(c.population if unbiased else c.per_sample).item() for c in found]) * 4.0)


def two_layers(seed=3, samples=40):
    """Data and weights that are at no special place: x (N, 3), y (N, 2), W1 (2, 3), W2 (2, 2)."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(samples, INPUTS)) * [1.0, 2.0, 0.5], rng.normal(size=(samples, OUTPUTS))
    return x, y, rng.normal(size=(HIDDEN, INPUTS)), rng.normal(size=(OUTPUTS, HIDDEN))


def flat(W1, W2):
    """Both, column by column."""
    return np.concatenate([W1.T.ravel(), W2.T.ravel()])


def by_differences(x, y, W1, W2):
    """Gradients of all samples (N, 10) by complex steps."""
    theta = flat(W1, W2).astype(complex)
    moved = theta + 1e-30j * np.eye(theta.size)
    cut = HIDDEN * INPUTS
    rows = []
    for point in moved:
        A, B = point[:cut].reshape(INPUTS, HIDDEN).T, point[cut:].reshape(HIDDEN, OUTPUTS).T
        rows.append(((x @ A.T @ B.T - y) ** 2).sum(axis=1).imag / 1e-30)
    return np.array(rows).T


def noise_apart(factor=4.0):
    """Largest difference of 4 J C J' from the covariance of the samples' gradients; J = [I x W2'; W1 x I]."""
    x, y, W1, W2 = two_layers()
    residual = x @ W1.T @ W2.T - y
    J = np.vstack([np.kron(np.eye(INPUTS), W2.T), np.kron(W1, np.eye(OUTPUTS))])
    C = np.cov(np.einsum("ni,nj->nji", residual, x).reshape(len(x), -1).T, ddof=0)  # of vec(r x'), by columns
    exact = fp.measure.gradient_covariance(by_differences(x, y, W1, W2)).value
    return float(np.abs(factor * J @ C @ J.T - exact).max() / np.abs(exact).max())


def gradient_apart(factor=2.0):
    """Largest difference of 2 J vec<r x'> from the mean gradient."""
    x, y, W1, W2 = two_layers()
    residual = x @ W1.T @ W2.T - y
    mean = (residual.T @ x / len(x)).T.ravel()
    J = np.vstack([np.kron(np.eye(INPUTS), W2.T), np.kron(W1, np.eye(OUTPUTS))])
    exact = by_differences(x, y, W1, W2).mean(axis=0)
    return float(np.abs(factor * J @ mean - exact).max() / np.abs(exact).max())


def hessian(x, y, W1, W2, crossed=True):
    """2 [Sx x W2'W2, Sx W1' x W2' + (R' x I) K; ..., W1 Sx W1' x I], R = <r x'>, K the commutation matrix."""
    Sx, R = x.T @ x / len(x), (x @ W1.T @ W2.T - y).T @ x / len(x)
    K = np.zeros((OUTPUTS * HIDDEN, OUTPUTS * HIDDEN))  # vec(M') = K vec(M)
    for i, j in product(range(OUTPUTS), range(HIDDEN)):
        K[i * HIDDEN + j, j * OUTPUTS + i] = 1.0
    mixed = np.kron(Sx @ W1.T, W2.T) + crossed * np.kron(R.T, np.eye(HIDDEN)) @ K
    return 2.0 * np.block([[np.kron(Sx, W2.T @ W2), mixed], [mixed.T, np.kron(W1 @ Sx @ W1.T, np.eye(OUTPUTS))]])


def hessian_apart(crossed=True):
    """Largest difference from second differences of the mean loss."""
    x, y, W1, W2 = two_layers()
    theta, unit = flat(W1, W2), STEP * np.eye(HIDDEN * (INPUTS + OUTPUTS))

    def gradient(point):
        return by_differences(x, y, point[:6].reshape(INPUTS, HIDDEN).T, point[6:].reshape(HIDDEN, OUTPUTS).T).mean(0)

    exact = np.array([(gradient(theta + e) - gradient(theta - e)) / (2.0 * STEP) for e in unit])
    return float(np.abs(hessian(x, y, W1, W2, crossed) - exact).max() / np.abs(exact).max())


def sharpness_apart(outputs=OUTPUTS):
    """Tr H over 2 (d_y Tr[W Sx W'] + |U|^2 Tr Sx), less 1."""
    x, y, W1, W2 = two_layers()
    Sx = x.T @ x / len(x)
    formula = 2.0 * (outputs * np.trace(W1 @ Sx @ W1.T) + (W2**2).sum() * np.trace(Sx))
    return float(np.trace(hessian(x, y, W1, W2)) / formula - 1.0)


def pull(shift):
    """Tr[Sigma A] at e^(shift A) theta, and the largest g'A theta: A stretches W1 by a symmetric B, undoes it in W2."""
    x, y, W1, W2 = two_layers()
    values, axes = np.linalg.eigh([[0.7, 0.4], [0.4, -0.5]])
    stretch = (axes * np.exp(shift * values)) @ axes.T
    first, second, B = stretch @ W1, W2 @ np.linalg.inv(stretch), (axes * values) @ axes.T
    g = by_differences(x, y, first, second)
    A = np.zeros((10, 10))
    A[:6, :6], A[6:, 6:] = np.kron(np.eye(INPUTS), B), -np.kron(B, np.eye(OUTPUTS))
    across = float(np.abs(g @ A @ flat(first, second)).max())
    return float(np.trace(fp.measure.gradient_covariance(g).value @ A)), across


def steepest(sign=1.0):
    """The largest slope of Tr[Sigma A] along an orbit, times `sign`: never positive, and it changes its sign."""
    heights = np.array([pull(shift)[0] for shift in np.linspace(-3.0, 3.0, 61)])
    if not heights[0] > 0 > heights[-1]:
        return np.nan
    return float(max(0.0, np.diff(sign * heights).max()))


claims = [
    *(
        Exact(
            f"minibatches of {batch}, {'with' if replacement else 'without'} replacement: {law}",
            minibatches,
            dict(batch=batch, replacement=replacement),
            float,
            0.0,
            atol=1e-12,
            wrong=dict(told=not replacement),
            source=COUNTING,
        )
        for batch in (2, 3)
        for replacement, law in ((True, "Sigma/B"), (False, "Sigma/B (N - B)/(N - 1)"))
    ),
    Exact(
        "the expected covariance of N samples is (N - 1)/N of the law's",
        expected_covariance,
        {},
        float,
        0.75,
        atol=1e-12,
        wrong=dict(unbiased=True),
        source=COUNTING,
    ),
    *(
        Exact(f"two linear layers: {law}", apart, {}, float, 0.0, atol=atol, wrong=wrong, source=LAYERS)
        for law, apart, atol, wrong in (
            ("the gradient is 2 J vec<r x'>", gradient_apart, 1e-12, dict(factor=1.0)),
            ("the noise is 4 J C J'", noise_apart, 1e-12, dict(factor=1.0)),
            ("the Hessian", hessian_apart, 1e-6, dict(crossed=False)),
            ("Tr H = 2 (d_y Tr[W Sx W'] + |U|^2 Tr Sx)", sharpness_apart, 1e-12, dict(outputs=1)),
        )
    ),
    Exact(
        "every sample's gradient is across the orbit: g'A theta = 0",
        pull,
        dict(shift=0.4),
        lambda found: found[1],
        0.0,
        atol=1e-11,
        wrong=lambda found: found[0],
        source=SYMMETRY,
    ),
    Exact(
        "Tr[Sigma A] falls all along an orbit and vanishes once",
        steepest,
        {},
        float,
        0.0,
        atol=1e-12,
        wrong=dict(sign=-1.0),
        source=SYMMETRY,
    ),
]
