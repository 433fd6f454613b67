"""Kramers-Moyal: drift and diffusion come back inside their stated errors, finite lags and steps of maps included."""

import numpy as np
import pytest
from noises import stable, walked

import fpsolve as fp
from fpsolve.errors import InvalidInput
from fpsolve.measure import kramers_moyal, kramers_moyal_plane

SYSTEMS = {
    "linear": (lambda x: -x, lambda x: 0.5 + 0 * x),
    "double well": (lambda x: x - x**3, lambda x: 0.25 + 0 * x),
    "multiplicative": (lambda x: -x, lambda x: 0.25 * (1 + x**2)),
}


def record(name, lag, n=45_000, seed=1):
    drift, diffusion = SYSTEMS[name]
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n) * 0.8
    return np.array([x, walked(rng, drift, diffusion, x, lag / 10, 10)])


def held(found, drift, diffusion):
    """The share of drifts and of diffusions within two stated errors."""
    far = found.departures(drift(found.x), diffusion(found.x))
    return [float(np.mean(f <= 2.0)) for f in far]


@pytest.mark.parametrize("lag", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("name", SYSTEMS)
def test_drift_and_diffusion_are_inside_their_stated_errors(name, lag):
    drift, diffusion = SYSTEMS[name]
    found = kramers_moyal(record(name, lag), [0.0, lag])
    inside = held(found, drift, diffusion)
    assert min(inside) >= 0.85
    if lag < 0.3:  # at a third of the relaxation time the bias stated is as large as that
        wrong = held(found, lambda x: drift(x) + 0.5, lambda x: 1.3 * diffusion(x))
        assert max(wrong) <= 0.5


def test_a_finite_lag_left_in_is_noticed():
    drift, diffusion = SYSTEMS["linear"]
    rng = np.random.default_rng(7)
    x = rng.normal(size=120_000)
    later = x * np.exp(-0.3) + np.sqrt(0.5 * (1 - np.exp(-0.6))) * rng.normal(size=x.size)
    raw = kramers_moyal(np.array([x, later]), [0.0, 0.3], continuous=False)
    assert max(held(raw, drift, diffusion)) < 0.5
    exact = [lambda x: -x * (1 - np.exp(-0.3)) / 0.3, lambda x: 0.5 * (1 - np.exp(-0.6)) / 0.6 + 0 * x]
    assert min(held(raw, *exact)) >= 0.85


def test_wide_bins_state_their_bias():
    drift, diffusion = SYSTEMS["double well"]
    found = kramers_moyal(record("double well", 0.02, 100_000), [0.0, 0.02], bins=np.linspace(-1.6, 1.6, 9))
    curved = np.abs(-6 * found.x * (0.4**2 / 12) / 2)
    outer = np.abs(found.x) > 1
    assert np.all(found.drift_bias[outer] > 0.25 * curved[outer])
    assert min(held(found, drift, diffusion)) >= 0.85


def test_the_network_step_by_step_has_the_moments_of_its_data():
    data = fp.Regression.synthetic(300, seed=4)
    net = fp.models.DiagonalNetwork(data, depth=1, learning_rate=0.02, batch=1)
    marks = 1000 + 50 * np.arange(12)
    swarm = net.sgd(1600, 4000, 1, record=sorted({*marks, *(marks + 1)}), progress=False)
    found = kramers_moyal(swarm, lag=0.02, continuous=False)

    def moves(v):
        """What each sample does to v = u^2 in a step."""
        pull = 2 * (data.x**2 * v[:, None] - data.x * data.y)
        return v[:, None] * ((1 - 0.02 * pull) ** 2 - 1)

    exact = [lambda v: moves(v).mean(axis=1) / 0.02, lambda v: moves(v).var(axis=1) / 0.04]
    assert min(held(found, *exact)) >= 0.85
    assert min(held(found, lambda v: exact[0](v) + 0.2, lambda v: 1.4 * exact[1](v))) < 0.6
    assert np.median(found.kurtosis) > 3  # single samples are no Gaussian steps


def test_the_network_as_a_diffusion_is_inside_its_stated_errors():
    net = fp.models.DiagonalNetwork.from_moments(fp.Moments(2, 2, 3, 1, 1), temperature=0.1)
    problem = net.problem()
    start = fp.stationary(problem).sample(30_000, seed=1)
    lag = 0.01
    rng, process = np.random.default_rng(2), net.process()
    drift, diffusion = process.drift, process.diffusion
    y = np.log(start)  # in ln v, so that no step crosses 0

    def drift_of_log(s):
        return drift(np.exp(s)) / np.exp(s) - diffusion(np.exp(s)) / np.exp(2 * s)

    y = walked(rng, drift_of_log, lambda s: diffusion(np.exp(s)) / np.exp(2 * s), y, lag / 10, 10)
    found = kramers_moyal(np.array([start, np.exp(y)]), [0.0, lag])
    assert min(held(found, drift, diffusion)) >= 0.85
    assert min(held(found, drift, lambda v: 1.3 * diffusion(v))) < 0.5


def test_jumps_show_in_the_kurtosis():
    rng = np.random.default_rng(3)
    x = rng.normal(size=20_000)
    calm = kramers_moyal(np.array([x, x - 0.1 * x + 0.1 * rng.normal(size=x.size)]))
    wild = kramers_moyal(np.array([x, x - 0.1 * x + 0.1 * stable(rng, 1.7, x.size)]))
    assert np.abs(np.median(calm.kurtosis)) < 0.3
    assert np.median(wild.kurtosis) > 10


def test_pairs_at_a_lag_are_found_among_uneven_times():
    drift, diffusion = SYSTEMS["linear"]
    one, two = record("linear", 0.1, seed=5), record("linear", 0.1, seed=6)
    times = [0.0, 0.1, 7.0, 7.1]
    both = kramers_moyal(np.concatenate([one, two]), times, lag=0.1)
    assert both.n == 2 * one.shape[1]
    assert min(held(both, drift, diffusion)) >= 0.85
    with pytest.raises(InvalidInput, match="not equally spaced"):
        kramers_moyal(np.concatenate([one, two]), times)
    with pytest.raises(InvalidInput, match="lag is 0.2, but no two recorded times are that far apart"):
        kramers_moyal(np.concatenate([one, two]), times, lag=0.2)


# two coordinates

TENSOR = np.array([[1.0, 0.5], [0.5, 0.8]])
FLOW = np.array([[-1.0, -2.0], [1.0, -1.0]])


def plane_record(lag, n=100_000, seed=1):
    rng, root = np.random.default_rng(seed), np.linalg.cholesky(2 * TENSOR)
    x = rng.normal(size=(n, 2))
    y = x
    for _ in range(10):
        y = y + y @ FLOW.T * lag / 10 + np.sqrt(lag / 10) * rng.normal(size=(n, 2)) @ root.T
    return np.array([x, y])


def test_a_turning_flow_and_its_tensor_come_back():
    found = kramers_moyal_plane(plane_record(0.05), [0.0, 0.05], bins=(8, 8))
    drift, pull = found.x @ FLOW.T, np.maximum(found.drift_error, 1e-300)
    far = np.maximum(np.abs(found.drift - drift) - found.drift_bias, 0) / pull
    assert np.mean(far <= 2) >= 0.9
    wrong = np.maximum(np.abs(found.drift - found.x @ np.diag(np.diag(FLOW))) - found.drift_bias, 0) / pull
    assert np.mean(wrong <= 2) < 0.8
    for tensor, inside in ((TENSOR, True), (np.diag(np.diag(TENSOR)), False)):
        far = np.maximum(np.abs(found.diffusion - tensor) - found.diffusion_bias, 0) / found.diffusion_error
        assert bool(np.mean(far <= 2) >= 0.9) is inside


def test_bins_without_data_are_empty_not_wrong():
    found = kramers_moyal_plane(plane_record(0.05, 5000), [0.0, 0.05], bins=(np.linspace(-6, 6, 13),) * 2)
    few = found.counts < 20
    assert few.any()
    assert np.all(np.isnan(found.drift[few]))
    assert np.all(np.isfinite(found.x[~few]))


def test_records_without_enough_of_them_are_refused():
    x = np.random.default_rng(4).normal(size=(2, 100))
    for message, call in [
        ("100 increments in 30 bins are fewer than 20 each", lambda: kramers_moyal(x)),
        ("bins is 4; give a whole number >= 5", lambda: kramers_moyal(x, bins=4)),
        ("give a whole number >= 5, or 6 or more rising edges", lambda: kramers_moyal(x, bins=[3, 2, 1, 0, -1, -2])),
        ("only 1 of 5 bins hold 20 or more", lambda: kramers_moyal(x, bins=[-9, 9, 10, 11, 12, 13])),
        ("the trajectory is constant", lambda: kramers_moyal(np.ones((2, 100)))),
        (
            "have no width: 2 places only",
            lambda: kramers_moyal(
                np.repeat([[0.0, 1.0]], 100, 0).T.reshape(2, 100) * [[1], [2]] + [[0.0] * 50 + [1.0] * 50] * 2, bins=5
            ),
        ),
        ("are all alike, in 5 of 5 bins", lambda: kramers_moyal(np.repeat(x[:1], 2, 0), bins=5)),
        ("lag is -1; give a time > 0", lambda: kramers_moyal(x, lag=-1)),
        ("the trajectories have 1 coordinates, not 2", lambda: kramers_moyal_plane(x)),
        ("bins is 5; give two", lambda: kramers_moyal_plane(np.stack([x, x], axis=2), bins=5)),
        ("the trajectories have 1 times; this needs 2", lambda: kramers_moyal(x[:1])),
    ]:
        with pytest.raises(InvalidInput, match=message):
            call()
