"""Discrete SGD on real data: moments of the data, its exact law, the Gaussian's failure, collapse on balance, eta_c."""

from functools import cache

import numpy as np

import fpsolve as fp
from cases import diabetes_sgd as case
from fpsolve.claims import Exact, Published

COLLOCATION = "collocation of the steps' Markov operator, independently computed"
DATA = "columns and target z-scored with the population deviation"
MOMENTS = {  # alpha1, alpha2, alpha3, beta2, T_c
    "sex": (0.016116764312879, 0.000694020079886, 1.0023207177727, 0.043061998451605, 0.04296229509),
    "age": (1.32280130990125, 0.210430049269316, 0.841242533228871, 0.18788875071892, 0.223347),
    "bmi": (2.08047812866813, 1.17729733200561, 1.21037946547769, 0.586450134474688, 0.484518),
}
LAWS = {  # column, learning rate, batch, depth: mean, variance, digits
    ("age", 0.02, 1, 1): (0.17124862002877, 5.67958518910e-3, 1e-10),
    ("bmi", 0.02, 1, 1): (0.57450757230521, 1.362791700189e-2, 1e-10),
    ("bmi", 0.05, 1, 1): (0.5507832, 0.0380854, 1e-6),
    ("age", 0.1, 8, 1): (0.177229398649, 3.77183915e-3, 1e-8),
    ("age", 0.02, 1, 2): (0.169812081833, 4.67655538e-3, 1e-8),
}
PRINTED_SGD = {0.3: ("mean", 0.030322, 0.000319), 0.6: ("mean", 0.017097, 0.000338)}  # real SGD, standard error


def network(column, learning_rate, batch=1, depth=1):
    return fp.models.DiagonalNetwork(case.regression(column), depth, 1, learning_rate, batch)


def of_column(column):
    """alpha1, alpha2, alpha3 and beta2 to 12 digits; T_c to its six (sex: ten)."""
    other = {"sex": "age", "age": "bmi", "bmi": "sex"}[column]
    moments, critical = MOMENTS[column][:4], MOMENTS[column][4]
    return [
        Exact(
            f"moments of {column}, worst relative deviation",
            lambda column: np.array(_moments(column)[:4]) / moments - 1.0,
            dict(column=column),
            lambda ratios: float(np.abs(ratios).max()),
            0.0,
            atol=1e-12,
            wrong=dict(column=other),
            source=DATA,
        ),
        Exact(
            f"critical temperature of {column}, beta2/alpha3",
            lambda column: _moments(column)[4],
            dict(column=column),
            float,
            critical,
            atol=5e-12 if column == "sex" else 5e-7,
            wrong=dict(column=other),
            source=DATA,
        ),
    ]


def _moments(column):
    net = network(column, 0.01)
    m = net.moments
    return m.alpha1, m.alpha2, m.alpha3, m.beta2, net.critical_temperature


@cache
def law(column, learning_rate, batch, depth):
    """Mean and variance of the exact law."""
    exact = fp.transfer(network(column, learning_rate, batch, depth))
    return exact.mean(), exact.var()


def exact_law(key):
    """Both moments; the control is the Fokker-Planck density's."""
    column, rate, batch, depth = key
    mean, variance, digits = LAWS[key]

    def worst(found):
        return max(abs(found[0] / mean - 1.0), abs(found[1] / variance - 1.0))

    def of_diffusion(_):
        net = network(*key)
        return worst((net.exact_mean, net.exact_variance))

    return Exact(
        f"mean and variance of the discrete law: {column} at {rate:g}, batch {batch}, depth {depth}",
        law,
        dict(column=column, learning_rate=rate, batch=batch, depth=depth),
        worst,
        0.0,
        atol=digits,
        wrong=of_diffusion,
        source=COLLOCATION,
    )


def printed_run(fraction):
    """The exact law's mean lies within three of the printed run's standard errors; the Gaussian's does not."""
    _, mean, error = PRINTED_SGD[fraction]
    return Published(
        f"mean of real SGD at {fraction:g} T_c",
        case.network,
        dict(fraction=fraction),
        lambda net: fp.transfer(net).mean(),
        mean,
        3.0 * error,
        wrong=lambda net: net.gaussian().mean(),
        source="printed run of real SGD, one standard error in its last digits",
    )


def gaussian_apart(fraction, ks):
    """KS distance of the Gaussian (Laplace) approximation from the exact law."""
    return Published(
        f"the Gaussian approximation is off by KS {ks:g} at {fraction:g} T_c",
        case.network,
        dict(fraction=fraction),
        lambda net: fp.distance(net.gaussian().density, fp.transfer(net).stationary(), "KS"),
        ks,
        0.0152,
        wrong=lambda net: fp.distance(fp.stationary(net.problem()), fp.transfer(net).stationary(), "KS"),
        source="printed run of real SGD; 95 % level of its KS distance",
    )


def transverse(net, sign=1.0):
    """E ln|1 + 2 eta m|, how z dies out, per step; sign = -1: along the balanced line, where it is 0."""
    x, y, eta = net.data.x, net.data.y, net.learning_rate
    return fp.transfer(net).expect(
        lambda v: np.mean(np.log(np.abs(1.0 + sign * 2.0 * eta * (np.multiply.outer(v, x * x) - x * y))), axis=-1)
    )


def threshold(batch, of_batch):
    """The learning rate where ln v stops growing at 0, E ln|1 + 2 eta <x y>| = 0, over its estimate; column `sex`."""
    from scipy.optimize import brentq

    data = case.regression("sex")
    m, xy = data.moments, data.x * data.y
    means = xy if batch == 1 else np.add.outer(xy, xy).ravel() / 2.0
    guess, estimate = (m.beta2 / (m.alpha3 / size + m.beta2**2) for size in (batch, of_batch))
    return brentq(lambda eta: np.mean(np.log(np.abs(1.0 + 2.0 * eta * means))), 0.3 * guess, 2.0 * guess) / estimate


claims = [
    *(claim for column in MOMENTS for claim in of_column(column)),
    *(exact_law(key) for key in LAWS),
    *(printed_run(fraction) for fraction in PRINTED_SGD),
    gaussian_apart(0.3, 0.280),
    gaussian_apart(0.6, 0.439),
    Published(
        "variance of real SGD at 0.3 T_c",
        case.network,
        dict(fraction=0.3),
        lambda net: fp.transfer(net).var(),
        0.000816,
        3 * 0.000026,
        wrong=lambda net: net.gaussian().var(),
        source="printed run of real SGD, one standard error in its last digits",
    ),
    Exact(
        "unbalanced layers collapse on balance: transverse exponent over -4 eta (beta2 - beta1 <v>)",
        case.network,
        dict(fraction=0.3),
        lambda net: transverse(net) / (-4.0 * net.learning_rate * (net.moments.beta2 - net.exact_mean)),
        1.0,
        atol=0.05,
        wrong=lambda net: transverse(net, -1.0),
        source="z' = z (1 - 2 eta m)(1 + 2 eta m), the mean of ln|1 - 2 eta m| is 0",
    ),
    *(
        Exact(
            f"eta_c is near beta2/(alpha3/S + beta2^2): S = {batch}",
            threshold,
            dict(batch=batch, of_batch=batch),
            float,
            1.0,
            atol=0.02,
            wrong=dict(of_batch=3 - batch),  # the form without S holds for single samples only
            source="E ln|1 + 2 eta <x y>| = 0, all minibatches",
        )
        for batch in (1, 2)
    ),
]
