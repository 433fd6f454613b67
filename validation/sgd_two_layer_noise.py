"""Noise proportional to loss times Hessian: moments for any h1/h2, a closed form for h1 = h2, else a small current."""

import numpy as np

import fpsolve as fp
from cases import sgd_two_layer_noise as case
from fpsolve.claims import Exact, Particles

MOMENTS = "moment equations of second and fourth order"
UNEQUAL = dict(h1=1.0, h2=3.0, eps=0.1, floor=0.5)
ROUND = dict(h1=1.0, h2=1.0, eps=0.5, floor=0.5)  # Sigma = (1 + r^2) I and L = 1/2 + r^2/2
EXPANSION = "first order in eps about the Gaussian"


def kurtosis(k):
    """One of <x^4>, <x^2 y^2>, <y^4>, over the square of the exact variance."""
    function = (lambda x, y: x**4, lambda x, y: x**2 * y**2, lambda x, y: y**4)[k]
    return Exact(
        f"<{('x^4', 'x^2 y^2', 'y^4')[k]}>/<x^2>^2",
        case.solve,
        dict(UNEQUAL, cells=192),
        lambda r: r["stationary"].expect(function) / case.variance(**UNEQUAL) ** 2,
        case.kurtoses(**UNEQUAL)[k],
        atol=4e-3,
        wrong=dict(h2=2.9),
        source=MOMENTS,
    )


def log_ratio(results, power):
    """Range of ln p + power ln L over twenty decades of p."""
    p, L = results["stationary"], results["loss"]
    rest = (p.log_values + power * np.log(L.values))[p.values > 1e-20 * p.values.max()]
    return float(rest.max() - rest.min())


def eastward(results):
    """Stream function over (eps/2) (h1 - h2) h1 h2/(h1 + h2) x y p, at the vortex in x, y > 0."""
    J = results["current"]
    x, y = J.grid.faces
    inside = np.abs(J.stream_function * ((x > 0)[:, None] & (y > 0)))
    i, k = np.unravel_index(int(np.argmax(inside)), inside.shape)
    return float(J.stream_function[i, k] / (x[i] * y[k] * J.density(x[i], y[k])))


def in_the_limit(quantity, h1=1.0, h2=3.0, floor=0.5, cells=60):
    """A number over eps or eps^2, extrapolated to eps = 0 and to vanishing cells."""

    def at(eps):
        def question(problem):
            p = fp.stationary(problem)
            return quantity({"current": fp.current(problem, p)}, eps)

        problem = case.problem(h1, h2, eps, floor, cells, reach=20.0, ends="reflecting")  # no tail is left there
        return float(fp.refined(question, problem, order=2))

    return 2.0 * at(0.02) - at(0.04)


claims = [
    Exact(
        "the variances are equal although the curvatures are not",
        case.solve,
        dict(UNEQUAL, cells=192),
        lambda r: float(np.ptp(r["stationary"].var()) / case.variance(**UNEQUAL)),
        0.0,
        atol=5e-4,
        wrong=lambda r: float(np.ptp(r["stationary"].var() * np.array([1.0, 3.0])) / case.variance(**UNEQUAL)),
        source=MOMENTS,
    ),
    Exact(
        "<y^2> = eps L0/(1 - eps (h1 + h2)/2)",
        case.solve,
        dict(UNEQUAL, cells=192),
        lambda r: r["stationary"].var("y"),
        case.variance(**UNEQUAL),
        atol=1e-5,
        wrong=dict(h2=3.01),
        source=MOMENTS,
    ),
    *(kurtosis(k) for k in range(3)),
    Exact(
        "h1 = h2: p ~ (1 + r^2)^-(1 + 1/eps)",
        case.solve,
        dict(ROUND, cells=192),
        lambda r: log_ratio(r, case.exponent(1.0, 0.5)),
        0.0,
        atol=5e-3,
        wrong=lambda r: log_ratio(r, 2.01 * 1.5),
        source="D^-1 (A - div D) = -(1 + 1/eps) grad ln L",
    ),
    Exact(
        "h1 = h2: noise that depends on the state drives no current",
        case.solve,
        dict(ROUND, cells=128),
        lambda r: r["current"].entropy_production,
        0.0,
        atol=1e-8,
        wrong=dict(h2=1.02),
        source="D^-1 (A - div D) is a gradient",
    ),
    Exact(
        "four vortices: the stream function for small eps, over eps x y p",
        in_the_limit,
        dict(quantity=lambda r, eps: eastward(r) / eps),
        float,
        0.5 * (1.0 - 3.0) * 3.0 / 4.0,
        atol=0.03,
        wrong=dict(h2=2.8),
        source=EXPANSION,
    ),
    Exact(
        "entropy production for small eps, over eps^2",
        in_the_limit,
        dict(quantity=lambda r, eps: r["current"].entropy_production / eps**2),
        float,
        0.5 * 3.0 * 4.0 / 4.0,
        atol=0.03,
        wrong=dict(h2=2.9),
        source=EXPANSION,
    ),
    Particles(
        "particles in both coordinates",
        case.problem,
        dict(UNEQUAL),
        until=8.0,
        n=20_000,
        dt=(4e-2, 2e-2),
        seed=17,
        wrong=dict(eps=0.15),
        slow=True,
    ),
]
