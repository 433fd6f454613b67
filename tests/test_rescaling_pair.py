"""The rescaling pair: coordinates and coefficients against the SDE of the weights, its balance, starts and grids."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

import fpsolve as fp
from fpsolve.errors import InvalidInput
from fpsolve.initial import masses
from fpsolve.models import DiagonalNetwork, Moments, Regression, RescalingPair
from fpsolve.models.pair_coordinates import to_coordinates, to_output, to_weights
from fpsolve.models.pair_start import GaussianWeights
from fpsolve.starts import Integrated

REFERENCE = Moments(1.0, 0.5, 1.0, 1.0, 1.0)
WEIGHTS = [(1.6, 0.3), (1.1, -0.7), (-0.9, -0.4), (0.3, 1.6), (-0.2, 0.8)]


def ideal(temperature=0.3, weight_decay=0.0, sign=1, moments=REFERENCE):
    return RescalingPair.from_moments(moments, temperature, weight_decay, sign)


# coordinates


@given(st.floats(-30, 30), st.floats(-30, 30))
def test_coordinates_and_weights_are_inverse(u, w):
    if abs(abs(u) - abs(w)) < 1e-6 * (abs(u) + abs(w)) or u == w:
        return
    sign = 1 if abs(u) > abs(w) else -1
    zeta, q = to_coordinates(u, w)
    again = np.array(to_weights(zeta, q, sign))
    common = np.sign(u if sign > 0 else w)
    assert again == pytest.approx(common * np.array([u, w]), rel=1e-9, abs=1e-9 * (abs(u) + abs(w)))
    assert to_output(zeta, q) == pytest.approx(u * w, rel=1e-9, abs=1e-12 * (u * u + w * w))
    assert sign * np.exp(q) == pytest.approx(u * u - w * w, rel=1e-9)


def test_a_pair_tells_its_weights():
    for u, w in WEIGHTS:
        pair = ideal(sign=1 if abs(u) > abs(w) else -1)
        place = pair.coordinates(u, w)
        assert pair.u(*place) * pair.w(*place) == pytest.approx(u * w)
        assert pair.v(*place) == pytest.approx(u * w)
        assert pair.z(*place) == pytest.approx(u**2 - w**2)
        assert (abs(pair.u(*place)), abs(pair.w(*place))) == pytest.approx((abs(u), abs(w)))
    with pytest.raises(InvalidInput, match=r"u, w = 0.3, 1.6 \(2 of 3\) are not finite weights with u\^2 > w\^2"):
        ideal().coordinates([1.0, 0.3, np.nan], [0.5, 1.6, 0.1])


def test_nothing_overflows_where_z_has_long_died_out():
    zeta, q = np.array([1500.0, -1500.0, 0.0]), np.array([-1498.0, -1498.0, -1498.0])
    assert to_output(zeta, q) == pytest.approx([np.exp(2) / 4, -np.exp(2) / 4, 0.0])
    u, w = to_weights(zeta, q, 1)
    assert u * w == pytest.approx(to_output(zeta, q))


# coefficients


def weights_sde(pair, v):
    """beta1 v - beta2 and T C, in 30 digits."""
    m, t = pair.moments, mp.mpf(pair.temperature)
    return m.beta1 * v - m.beta2, t * (m.alpha1 * v * v - 2 * m.alpha2 * v + m.alpha3)


def by_ito(pair, f, u, w, second=0.5):
    """Drift and D of f(u, w), du = -(2 h w + 2 gamma u) dt + 2 sqrt(T C) w dW, dw the same with u and w exchanged."""
    h, noise = weights_sde(pair, u * w)
    gamma = pair.weight_decay
    du, dw = mp.diff(f, (u, w), (1, 0)), mp.diff(f, (u, w), (0, 1))
    bend = (
        w * w * mp.diff(f, (u, w), (2, 0)) + 2 * u * w * mp.diff(f, (u, w), (1, 1)) + u * u * mp.diff(f, (u, w), (0, 2))
    )
    drift = -(2 * h * w + 2 * gamma * u) * du - (2 * h * u + 2 * gamma * w) * dw + second * 4 * noise * bend
    return float(drift), float(2 * noise * (w * du + u * dw) ** 2)


@pytest.mark.parametrize("decay", [0.0, 0.15])
@pytest.mark.parametrize(("u", "w"), WEIGHTS)
def test_drift_and_diffusion_are_those_of_the_weights(u, w, decay):
    pair = ideal(weight_decay=decay, sign=1 if abs(u) > abs(w) else -1, moments=Moments(1.3, 0.4, 0.9, 0.8, 0.6))
    place = pair.coordinates(u, w)
    with mp.workdps(30):
        u, w = mp.mpf(u), mp.mpf(w)
        along = lambda u, w: mp.asinh(2 * u * w / abs(u * u - w * w))  # noqa: E731
        across = lambda u, w: mp.log(abs(u * u - w * w))  # noqa: E731
        exact = [by_ito(pair, f, u, w) for f in (along, across)]
        stratonovich = by_ito(pair, across, u, w, second=0.0)[0]
    for k in range(2):
        assert pair.drift(*place)[k] == pytest.approx(exact[k][0], rel=1e-10)
        assert pair.diffusion(*place)[k] == pytest.approx(exact[k][1], rel=1e-10, abs=1e-12)
    assert abs(stratonovich - exact[1][0]) > 0.1  # without the second derivatives z would not decay by noise


@pytest.mark.parametrize("decay", [0.0, 0.15])
@pytest.mark.parametrize("zeta", [-2.0, 0.7, 3.0])
def test_where_z_rests_v_goes_on_as_it_must(zeta, decay):
    pair, q = ideal(weight_decay=decay), -1.2
    size, v = mp.exp(mp.mpf(q)), mp.mpf(float(pair.v(zeta, q)))
    with mp.workdps(30):
        h, noise = weights_sde(pair, v)
        s = mp.sqrt(size**2 + 4 * v * v)
        slope, bend = (mp.diff(lambda x: mp.asinh(2 * x / size), v, k) for k in (1, 2))
        first = float((-2 * h * s - 4 * decay * v + 4 * noise * v) * slope)
        drift, diffusion = first + float(2 * noise * s * s * bend), float(2 * noise * s * s * slope**2)
    assert pair.settled_drift(zeta, q)[0] == pytest.approx(drift, rel=1e-10)
    assert pair.settled_drift(zeta, q)[1] == 0
    assert pair.diffusion(zeta, q)[0] == pytest.approx(diffusion, rel=1e-10)
    assert abs(pair.drift(zeta, q)[0] - drift) > 0.1
    assert abs(first - drift) > 0.1


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_the_last_row_has_the_balanced_density(decay):
    """p(zeta) ~ exp(int A/D)/D where nothing flows, against the closed form of v, dv = dzeta |v| there."""
    pair, q, h = ideal(0.2, decay), -40.0, 1e-5
    exact = pair.exact_density()
    for v in (0.05, 0.4, 1.0, 3.0):
        zeta = np.arcsinh(2 * v / np.exp(q))
        log_p = lambda s: exact.log(pair.v(s, q)) + np.log(pair.v(s, q))  # noqa: E731
        slope = (log_p(zeta + h) - log_p(zeta - h)) / (2 * h)
        diffusion = pair.diffusion(zeta, q)[0]
        bend = (pair.diffusion(zeta + h, q)[0] - pair.diffusion(zeta - h, q)[0]) / (2 * h)
        assert (pair.settled_drift(zeta, q)[0] - bend) / diffusion == pytest.approx(slope, abs=1e-8)
        assert abs((pair.drift(zeta, q)[0] - bend) / diffusion - slope) > 0.3


def test_a_process_has_them_all():
    pair = ideal()
    process = pair.process()
    place = pair.coordinates(1.6, 0.3)
    assert process.drift(*place) == pair.drift(*place)
    assert process.reservoir_drift(*place) == pair.settled_drift(*place)
    problem = pair.problem(pair.grid(0.5, 0.5), fp.Accurate())
    assert problem.grid.names == ("zeta", "q")
    assert problem.scheme == fp.Accurate()
    assert pair.problem(problem.grid).scheme == fp.Positive()


# the law of balance


def test_the_late_rate_has_its_printed_value():
    assert ideal().rate_of_ln_z == pytest.approx(-1.41188, abs=5e-6)
    assert ideal(0.29).rate_of_ln_z != pytest.approx(-1.41188, abs=5e-3)
    assert ideal().exact_density().mean() == pytest.approx(1 - 1.41188 / 4, abs=1e-5)


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("moments", [REFERENCE, Moments(2, 2, 3, 1, 1), Moments(1, -0.5, 1, 1, -1)])
def test_the_late_rate_is_that_of_the_mean_noise(moments, decay):
    pair = ideal(0.2, decay, moments=moments)
    net, m = pair.balanced(), pair.moments
    mean_noise = m.alpha1 * net.exact_moment(2) - 2 * m.alpha2 * net.exact_moment(1) + m.alpha3
    assert pair.rate_of_ln_z == pytest.approx(-4 * (pair.temperature * mean_noise + decay), rel=1e-9)
    assert pair.rate_of_ln_z != pytest.approx(-4 * (0.21 * mean_noise + decay), rel=1e-2)


def test_the_late_rate_is_continuous_where_v_dies_out():
    pair = ideal(weight_decay=0.1)
    critical = pair.critical_temperature
    assert critical == pytest.approx(0.9)
    rates = [ideal(t * critical, 0.1).rate_of_ln_z for t in (0.9999, 1.0001, 2.0)]
    assert rates[0] == pytest.approx(rates[1], rel=1e-3)
    assert rates[2] == pytest.approx(-4 * (1.8 + 0.1))


def test_the_balanced_network_is_the_one_of_depth_1():
    pair = RescalingPair(Regression.synthetic(50, seed=1), learning_rate=0.02, batch=4, weight_decay=0.01)
    net = DiagonalNetwork(pair.data, depth=1, learning_rate=0.02, batch=4, weight_decay=0.01)
    assert pair.temperature == net.temperature == 0.005
    assert pair.critical_temperature == net.critical_temperature
    v = np.array([0.2, 1.0, 2.0])
    assert pair.exact_density().log(v) == pytest.approx(net.exact_density().log(v))
    assert pair.replace(batch=2).temperature == 0.01


# starts


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("std", [0.05, (0.05, 0.02)])
@pytest.mark.parametrize("width", [0.7, 0.1, 0.02])
def test_start_masses_are_exact_integrals(width, std, sign):
    grid = fp.Grid(zeta=fp.Axis.uniform(-2, 3, round(5 / width)), q=fp.Axis.uniform(-1.5, 2, round(3.5 / width)))
    start = ideal(sign=sign).initial(std=std if sign > 0 or np.ndim(std) == 0 else std[::-1])
    found = masses(start, grid)
    assert found.sum() == pytest.approx(1.0, abs=2e-14)
    assert np.all(found >= 0)
    # zeta < c means (1 - e^c) near + (1 + e^c) far < 0, where `near` is the larger weight: a normal variable
    across, along = 1 - np.exp(grid["zeta"].faces[1:]), 1 + np.exp(grid["zeta"].faces[1:])
    a, b = np.broadcast_to(std, (2,))
    below = ndtr(-(1.6 * across + 0.3 * along) / np.hypot(a * across, b * along))
    assert np.abs(np.cumsum(found.sum(axis=1)) - below).max() < 3e-14
    finer = masses(start, grid.refined(3)).reshape(grid.shape[0], 3, grid.shape[1], 3).sum(axis=(1, 3))
    assert np.abs(finer - found).max() < 1e-14
    if width > 0.05:  # the midpoint rule would not do
        midpoint = start(*grid.mesh()) * grid.weights
        assert np.abs(midpoint.sum(axis=1) - np.diff(below, prepend=0)).max() > 1e-3


def test_a_start_is_normalised_on_the_grid_or_refused():
    assert isinstance(ideal().initial(), Integrated)
    with pytest.raises(InvalidInput, match="initial mass is 0.4"):
        masses(ideal().initial(), ideal().grid(0.5, 0.05, q_max=0.9, q_min=-2.0))
    with pytest.raises(InvalidInput, match="the grid's axes are"):
        masses(ideal().initial(), fp.Grid(u=(0, 2, 9), w=(0, 2, 9)))
    start = GaussianWeights((-1.6, -0.3), 0.05)  # these have the coordinates of (1.6, 0.3)
    grid = ideal().grid(0.1, 0.1)
    assert masses(start, grid) == pytest.approx(masses(ideal().initial(), grid), abs=1e-15)


@pytest.mark.parametrize(("mean", "std"), [((1.0, 0.4), 0.062), ((-1.0, 0.3), 0.1), ((1.0, 0.98), 0.2)])
def test_the_mass_on_the_other_sheet_is_told(mean, std):
    low, high = (ndtr((mean[0] + k * mean[1]) / (std * np.sqrt(2))) for k in (-1, 1))
    exact = low * (1 - high) + high * (1 - low)
    with pytest.raises(InvalidInput, match=r"u\^2 < w\^2, but this pair has u\^2 > w\^2.*sign=-1") as caught:
        ideal().initial(mean, std)
    assert float(str(caught.value).split()[0]) == pytest.approx(exact, rel=5e-3)
    with pytest.raises(InvalidInput, match=r"u\^2 > w\^2"):
        ideal(sign=-1).initial(mean, std)


def test_less_than_a_millionth_of_a_millionth_is_no_matter():
    assert 0 < 1 - masses(ideal().initial((1.0, 0.4), 0.06), ideal().grid(0.1, 0.1)).sum() < 1e-12


def test_drawn_weights_have_the_law_of_the_start():
    start = ideal().initial((1.2, -0.4), (0.1, 0.03))
    u, w = start.draw(40_000, seed=3)
    assert np.array_equal(start.draw(7, seed=3)[0], u[:7])
    assert (u.mean(), w.mean()) == pytest.approx((1.2, -0.4), abs=3e-3)
    assert (u.std(), w.std()) == pytest.approx((0.1, 0.03), rel=0.02)
    assert abs(np.corrcoef(u, w)[0, 1]) < 0.02


@pytest.mark.parametrize(
    ("mean", "std", "message"),
    [
        ((1.6,), 0.05, "mean is .1.6,.; give two numbers"),
        ((1.6, np.nan), 0.05, "mean is nan"),
        ((1.6, 0.3), 0.0, "std is 0.0"),
        ((1.6, 0.3), (0.1, -0.1), "std is .0.1, -0.1."),
        ((1.6, 0.3), np.inf, "std is inf"),
    ],
)
def test_bad_starts_are_named(mean, std, message):
    with pytest.raises(InvalidInput, match=message):
        ideal().initial(mean, std)


# grids and arguments


def test_the_grid_reaches_as_far_as_it_says():
    pair = ideal()
    grid = pair.grid(dzeta=0.1, dq=0.05, q_min=-9.0)
    zeta, q = grid["zeta"], grid["q"]
    assert float(pair.v(zeta.hi, -9.0)) == pytest.approx(1000.0)
    assert (zeta.lo, q.lo) == (-zeta.hi, -9.0)
    assert (zeta.ds, q.ds) <= (0.1, 0.05)
    assert zeta.ds == pytest.approx(0.1, rel=0.01)
    assert zeta.ends == ("reflecting", "reflecting")
    assert q.ends == ("reservoir", "reflecting")
    assert q.hi == pair.initial().highest
    assert pair.grid(q_max=2.0)["q"].hi == 2.0
    assert masses(pair.initial(), grid).sum() == pytest.approx(1.0, abs=1e-14)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(dzeta=0.0), "dzeta is 0.0"),
        (dict(dq=-1.0), "dq is -1.0"),
        (dict(reach=np.nan), "reach is nan"),
        (dict(q_min=3.0), "q runs from 3 up to 1.4"),
        (dict(q_max=-20.0), "q runs from -12 up to -20"),
    ],
)
def test_bad_grids_are_named(changes, message):
    with pytest.raises(InvalidInput, match=message):
        ideal().grid(**changes)


def test_bad_pairs_are_named():
    for wrong in (0, 2, True, 0.5):
        with pytest.raises(InvalidInput, match="sign is"):
            ideal(sign=wrong)
    with pytest.raises(InvalidInput, match="temperature is -1"):
        ideal(-1)
    with pytest.raises(InvalidInput, match="weight_decay is -1"):
        ideal(weight_decay=-1)
    with pytest.raises(InvalidInput, match="moments is tuple"):
        RescalingPair.from_moments((1, 2, 3, 4, 5), 0.1)
    with pytest.raises(InvalidInput, match="batch is 90"):
        RescalingPair(Regression.synthetic(50, seed=1), batch=90)
    assert repr(ideal(sign=-1)) == "RescalingPair(u^2 < w^2, temperature 0.3 (critical 1); from moments)"
