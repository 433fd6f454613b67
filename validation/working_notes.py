"""Tempered posteriors, finite learning rates and escape by loss: what survives of rules of thumb about SGD's law."""

import numpy as np

import fpsolve as fp
from cases import diabetes_sgd
from cases import multiplicative_noise as case
from fpsolve.claims import Exact

EPS = 0.5  # learning rate over batch
NOTES = "the stationary equation with D = eps Sigma/2"
BAYES = "conjugate Gaussian regression"


def conventions_apart(crossed):
    """L1 between Ito's law and the isothermal one, Sigma = diag(1 + y^2, 1 + x^2), or without crossing the axes."""

    def tensor(x, y):
        a, b = (y, x) if crossed else (x, y)
        return (0.25 * (1.0 + a**2), 0.0 * x), (0.0 * x, 0.25 * (1.0 + b**2))

    axis = fp.Axis.uniform(-4, 4, 48, ends="reflecting")
    ito, other = (
        fp.stationary(fp.Problem(fp.Process(lambda x, y: (-x - 0.3 * y, 0.5 * x - y), tensor, convention=name),
                                 fp.Grid(x=axis, y=axis)))
        for name in ("ito", "isothermal")
    )  # fmt: skip
    return float(np.abs(ito.masses - other.masses).sum())


def fractional_gaussian(hurst):
    """K(1,2) K(2,3)/(K(2,2) K(1,3)) of fractional Brownian motion: 1 if and only if it is a Markov process."""

    def K(s, t):
        return 0.5 * (s ** (2 * hurst) + t ** (2 * hurst) - abs(t - s) ** (2 * hurst))

    return K(1, 2) * K(2, 3) / (K(2, 2) * K(1, 3))


def taken(noise):
    """1 where a process takes the noise, 0 where it refuses it and says what it takes."""
    try:
        fp.Process(lambda x: -x, jumps=noise)
    except fp.InvalidInput as refusal:
        return 0.0 if "give fp.Stable" in str(refusal) else np.nan
    return 1.0


def additive(eps=EPS):
    """L = x^2/2 with noise of covariance Sigma = 1."""
    return fp.stationary(fp.Problem(fp.Process(lambda x: -x, 0.5 * eps), fp.Grid(x=(-8, 8, 400))))


def rule(exponent, root):
    """The variance of Sigma^-root exp(-exponent L), Sigma = 1 + x^2."""
    grid = fp.Grid(x=fp.Axis.sinh(-40, 40, 800))
    return fp.ExactDensity(lambda x: -root * np.log1p(x**2) - exponent * x**2 / 2, grid, "rule").var()


def ito_rule(temperature=EPS):
    """Range of ln p - ln(Sigma^-1 exp(-(2/eps) int L'/Sigma)), where int L'/Sigma = ln(1 + x^2)/2."""
    p = fp.stationary(case.problem("ito", temperature))
    return float(np.ptp(p.log_values + (1.0 + 1.0 / EPS) * np.log1p(p.grid.nodes[0] ** 2)))


def posterior(samples=40, noise=0.7, factor=1.0):
    """The variance of exp(-N L/(2 sigma^2)), L the mean of (theta x - y)^2, over the posterior's of a flat prior."""
    data = fp.Regression.synthetic(samples, slope=0.5, noise=noise, seed=1)
    x, y = data.x, data.y
    temperature = factor * 2.0 * noise**2 / samples

    def loss(theta):
        return np.mean((np.multiply.outer(theta, x) - y) ** 2, axis=-1)

    centre, width = (x @ y) / (x @ x), noise / np.sqrt(x @ x)
    grid = fp.Grid(theta=(centre - 9 * width, centre + 9 * width, 400))
    p = fp.stationary(fp.Problem(fp.Process.gibbs(loss, temperature=temperature), grid))
    return p.var() / width**2


def at_a_finite_rate(rate=0.1, drift=True, noise=True):
    """Error of the variance of x' = x - rate (x + g), over rate: moved by the drift's and the noise's correction."""
    s = 0.5 * rate
    b = 1.0 + 0.5 * rate * drift
    corrected = s * (1.0 + rate * noise)
    p = fp.stationary(fp.Problem(fp.Process(lambda x: -b * x, corrected), fp.Grid(x=(-5, 5, 600))))
    return float((p.var() * (2.0 - rate) / rate - 1.0) / rate)


def over_step_size(net, variance):
    """Error of a variance over 4 eta v* beta1, on real data."""
    size = 4.0 * net.learning_rate * net.minimum * net.moments.beta1
    return abs(fp.transfer(net).var() / variance - 1.0) / size


def by_loss(epsilon=0.5, edge=1.0):
    """Mean time until L(0) - L(x) > epsilon on L = -x^2/2, over that from the interval |x| < edge."""
    hill = fp.Problem(fp.Process(lambda x: x, 0.2), fp.Grid(x=(-3, 3, 601)))
    fallen = fp.mean_exit_time(hill, inside=lambda x: epsilon - x**2 / 2)
    return float(fallen(0.0) / fp.mean_exit_time(hill, inside=(-edge, edge))(0.0))


claims = [
    Exact(
        "div Sigma = 0: Ito's law is the isothermal one, although Sigma is not constant",
        conventions_apart,
        dict(crossed=True),
        float,
        0.0,
        atol=1e-12,
        wrong=dict(crossed=False),
        source=NOTES,
    ),
    Exact(
        "fractional Brownian noise has no generator: K(1,2) K(2,3) is not K(2,2) K(1,3), as a Markov process needs",
        fractional_gaussian,
        dict(hurst=0.75),
        float,
        1.042926445,
        atol=1e-9,
        wrong=dict(hurst=0.5),
        source="Doob's criterion; Mandelbrot & Van Ness, SIAM Review 10, 422 (1968)",
    ),
    Exact(
        "a process refuses noise that is no stable process, and says what it takes",
        taken,
        dict(noise="fractional Brownian"),
        float,
        0.0,
        atol=1e-9,
        wrong=dict(noise=fp.Stable(1.5)),
        source="it needs independent increments",
    ),
    Exact(
        "the tempered posterior of constant noise is exp(-(2B/eta) L), not exp(-(B/(2 eta)) L)",
        additive,
        {},
        lambda p: p.var(),
        EPS / 2.0,
        atol=1e-9,
        wrong=lambda _: 2.0 * EPS,
        source=NOTES,
    ),
    Exact(
        "Sigma^-1/2 exp(-(2B/eta) L) has another variance than Ito's 1/3",
        rule,
        dict(exponent=2.0 / EPS, root=0.5),
        float,
        0.21481269913,
        atol=1e-10,
        wrong=lambda _: fp.stationary(case.problem("ito", EPS)).var(),
        source="30-digit quadrature",
    ),
    Exact(
        "Ito in one coordinate: Sigma^-1 exp(-(2B/eta) int L'/Sigma)",
        ito_rule,
        {},
        float,
        0.0,
        atol=1e-9,
        wrong=dict(temperature=0.501),
        source=NOTES,
    ),
    Exact(
        "Bayes: exp(-N L/(2 sigma^2)) is the posterior",
        posterior,
        {},
        float,
        1.0,
        atol=1e-9,
        wrong=dict(factor=1.01),
        source=BAYES,
    ),
    Exact(
        "drift and noise corrected by the learning rate: the variance to second order",
        at_a_finite_rate,
        {},
        float,
        0.0,
        atol=0.06,
        wrong=dict(noise=False, drift=False),
        source="x' = x - eta (x + g), variance eta/(2 - eta)",
    ),
    Exact(
        "the drift's correction alone moves the variance the wrong way",
        at_a_finite_rate,
        dict(noise=False),
        float,
        -1.0,
        atol=0.06,
        wrong=dict(drift=False),
        source="x' = x - eta (x + g), variance eta/(2 - eta)",
    ),
    *(
        Exact(
            f"Fokker-Planck's variance is off by 0.75 times 4 eta v* beta1: {column} at {rate:g}",
            lambda column, rate: fp.models.DiagonalNetwork(diabetes_sgd.regression(column), learning_rate=rate),
            dict(column=column, rate=rate),
            lambda net: over_step_size(net, net.exact_variance),
            0.75,
            atol=0.08,
            wrong=lambda net: over_step_size(net, net.gaussian().var()),
            source="the exact law of discrete SGD",
        )
        for column, rate in (("age", 0.02), ("bmi", 0.02), ("bmi", 0.05))
    ),
    Exact(
        "escape by loss is exit from a level set",
        by_loss,
        {},
        float,
        1.0,
        atol=1e-4,
        wrong=dict(edge=1.01),
        source="L(0) - L(x) = x^2/2",
    ),
]
