"""The law of balance beyond its rate: discrete SGD path by path, the frozen z, and layers of unequal width."""

import numpy as np

import fpsolve as fp
from cases import diagonal_network
from cases import law_of_balance as case
from fpsolve.claims import Exact, Published

PAPER = "Ziyin, Li & Ueda, arXiv 2308.06671"
SYMMETRY = "Ziyin, Wang, Li & Wu, arXiv 2402.07193"
PLACES = np.array([[0.4, 1.3], [-0.2, 0.7]])  # zeta, and q


def path_of_sgd(weight_decay=0.1, batch=4):
    """One step of real SGD of the pair from many weights: before, after, and the minibatch mean g, from u alone."""
    pair = fp.models.RescalingPair(
        fp.Regression.synthetic(50, seed=4), learning_rate=0.02, batch=batch, weight_decay=weight_decay
    )
    swarm = pair.sgd(100, 50, 7, start=(1.3, 0.4), record=range(101), progress=False)
    zeta, q = np.moveaxis(swarm.positions, -1, 0)
    u, w = pair.u(zeta, q), pair.w(zeta, q)
    g = ((1.0 - 2.0 * 0.02 * weight_decay) * u[:-1] - u[1:]) / (2.0 * 0.02 * w[:-1])
    return u**2 - w**2, g, weight_decay


def off_balance(run, second_order=True):
    """Largest departure of z' from z [(1 - 2 eta gamma)^2 - 4 eta^2 g^2], or from what gradient flow would do."""
    z, g, decay = run
    keep = (1.0 - 2.0 * 0.02 * decay) ** 2
    return float(np.abs(z[1:] - z[:-1] * (keep - second_order * 4.0 * 0.02**2 * g**2)).max())


def chain_rule(decay=0.1):
    """Largest relative departure from the printed equations, gamma = .1: of v and z by Ito's rule, and of zeta."""
    T, gamma = 0.3, 0.1
    pair = case.pair(T, decay)
    zeta, q = PLACES
    m, v, z = pair.moments, pair.v(zeta, q), np.exp(q)
    s, C = np.hypot(z, 2.0 * v), m.gradient_variance(v)
    by_zeta, by_q = pair.drift(zeta, q)
    spread, none = pair.diffusion(zeta, q)
    found = (
        0.5 * s * by_zeta + v * by_q + v * spread,  # dv/dzeta = s/2, dv/dq = v, d2v/dzeta2 = v
        0.25 * s**2 * spread,
        z * by_q,
        by_zeta,
        spread,
    )
    printed = (
        -2.0 * (m.beta1 * v - m.beta2) * s - 4.0 * gamma * v + 4.0 * T * v * C,
        2.0 * T * C * s**2,
        -4.0 * (T * C + gamma) * z,
        -4.0 * (m.beta1 * v - m.beta2),
        8.0 * T * C,
    )
    gaps = [np.abs(one / other - 1.0).max() for one, other in zip(found, printed, strict=True)]
    return float(max(*gaps, np.abs(none).max()))


def frozen(fixed, z=1.0, T=0.3):
    """The stationary density of v with z held: at given v ("v"), or at given zeta ("zeta"), where v follows z."""
    m = case.MOMENTS
    noise = 4.0 if fixed == "v" else 8.0

    def drift(v):
        return -2.0 * (m.beta1 * v - m.beta2) * np.hypot(z, 2 * v) + noise * T * v * m.gradient_variance(v)

    process = fp.Process(drift, lambda v: 2.0 * T * m.gradient_variance(v) * (z**2 + 4.0 * v**2))
    return fp.stationary(fp.Problem(process, fp.Grid(v=fp.Axis.sinh(-1e4, 1e4, 1200))))


def ratio_of_the_frozen(power=0.5):
    """Range of ln(p_zeta/p_v) - power ln s."""
    by_v, by_zeta = frozen("v"), frozen("zeta")
    v = by_v.grid.nodes[0]
    return float(np.ptp(by_zeta.log_values - by_v.log_values - power * np.log(np.hypot(1.0, 2.0 * v))))


def mean_noise(reach=np.inf):
    """<C> in the balanced state, of v up to `reach`: slow, as C p falls like v^-3/2."""
    law = case.pair().balanced().exact_density()
    v = np.geomspace(1e-9, min(reach, 1e14), 100_001)
    weights = np.exp(law.log(v)) * v
    noise = case.pair().moments.gradient_variance(v)
    return float(np.trapezoid(weights * noise, np.log(v)) / np.trapezoid(weights, np.log(v)))


def rate_of_particles(temperature=0.3, n=10_000):
    """d<ln z>/dt of particles from t = 6 to 8."""
    pair = case.pair(temperature)
    swarm = pair.simulate(pair.initial(), (6.0, 8.0), n=n, seed=3, progress=False)
    return float(np.diff(swarm.positions[:, :, 1].mean(axis=1))[0] / 2.0)


def decayed(depth, width, weight_decay):
    """The stationary density of a balanced network at T = 0.1 with weight decay."""
    return fp.stationary(diagonal_network.problem(depth, 0.1, width, weight_decay))


def undecayed(depth, width, to_beta1=0.0, to_beta2=0.0):
    """The network of other moments that the decayed one must equal."""
    alpha1, alpha2, alpha3, beta1, beta2 = diagonal_network.MOMENTS
    moments = fp.Moments(alpha1, alpha2, alpha3, beta1 + to_beta1, beta2 + to_beta2)
    return fp.models.DiagonalNetwork.from_moments(moments, 0.1, depth, width)


def valley(sigma=0.7, outputs=4, inputs=2, T=0.01):
    """Largest relative departure of chi' from -2 T sigma^2 (k e^chi - m e^-chi)/cosh chi, for sigma = .7."""
    chi = np.array([-2.0, -0.5, 0.1, 0.6, 3.0])
    law = -2.0 * T * 0.7**2 * (inputs * np.exp(chi) - outputs * np.exp(-chi)) / np.cosh(chi)
    return float(np.abs(fp.models.RankOneFactorisation(outputs, inputs, sigma, T).rate(chi) / law - 1.0).max())


def slope_at_rest(outputs=4, inputs=2):
    """-d chi'/d chi at the fixed point, over 8 T sigma^2."""
    model = fp.models.RankOneFactorisation(outputs, inputs, 1.0, 0.01)
    end = model.fixed_point
    return float((model.rate(end - 1e-5) - model.rate(end + 1e-5)) / 2e-5 / 0.08)


claims = [
    Exact(
        "z' = z [(1 - 2 eta gamma)^2 - 4 eta^2 g^2] in every step of SGD",
        path_of_sgd,
        {},
        off_balance,
        0.0,
        atol=1e-12,
        wrong=lambda run: off_balance(run, second_order=False),
        source=PAPER,
    ),
    Exact(
        "Ito's rule takes (zeta, q) to (v, z), and z has no noise",
        chain_rule,
        {},
        float,
        0.0,
        atol=1e-12,
        wrong=dict(decay=0.101),
        source=PAPER,
    ),
    Exact(
        "z frozen at given v or at given zeta: densities apart by s^1/2",
        ratio_of_the_frozen,
        {},
        float,
        0.0,
        atol=1e-6,
        wrong=dict(power=0.0),
        source="drifts 4 T v C and 8 T v C",
    ),
    Exact(
        "<C> in the balanced state",
        mean_noise,
        {},
        float,
        1.17657,
        atol=1e-5,
        wrong=dict(reach=1e6),
        source="(beta2 - beta1 <v>)/T",
    ),
    Exact(
        "<C> of v < 100: a domain that ends there is 2.5 % off",
        mean_noise,
        dict(reach=100.0),
        float,
        1.1468,
        atol=5e-5,
        wrong=dict(reach=120.0),
        source="p ~ v^-7/2",
    ),
    Published(
        "late rate of ln z, particles",
        rate_of_particles,
        {},
        float,
        -1.4114,
        0.034,
        wrong=dict(temperature=0.33),
        source="10,000 particles, four standard errors; the printed run has 1.4114(9)",
    ),
    Exact(
        "unequal widths: |u|^2/|w|^2 ends at m/k",
        lambda outputs: fp.models.RankOneFactorisation(outputs, 2, 1.0, 0.01),
        dict(outputs=4),
        lambda model: model.rate(0.5 * np.log(2.0)),
        0.0,
        atol=1e-12,
        wrong=dict(outputs=5),
        source=SYMMETRY,
    ),
    Exact(
        "unequal widths: chi' = -2 T sigma^2 (k e^chi - m e^-chi)/cosh chi",
        valley,
        {},
        float,
        0.0,
        atol=1e-12,
        wrong=dict(sigma=0.701),
        source=SYMMETRY,
    ),
    Exact(
        "unequal widths: the linear rate is 8 T sigma^2 m k/(m + k)",
        slope_at_rest,
        {},
        float,
        4.0 * 2.0 / 6.0,
        atol=1e-6,
        wrong=dict(outputs=5),
        source=SYMMETRY,
    ),
    Exact(
        "weight decay at two layers: beta2 - gamma for beta2",
        decayed,
        dict(depth=1, width=1, weight_decay=0.2),
        lambda p: p.mean() / undecayed(1, 1, to_beta2=-0.2).exact_mean,
        1.0,
        atol=1e-9,
        wrong=dict(weight_decay=0.2001),
        source=PAPER,
    ),
    Exact(
        "weight decay at one layer: beta1 + gamma/d for beta1",
        decayed,
        dict(depth=0, width=4, weight_decay=0.2),
        lambda p: p.var() / undecayed(0, 4, to_beta1=0.05).exact_variance,
        1.0,
        atol=1e-9,
        wrong=dict(weight_decay=0.201),
        source=PAPER,
    ),
]
