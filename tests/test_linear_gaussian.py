"""Linear processes: Lyapunov, currents, rotation and entropy in closed form, against quadrature and particles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.integrate import quad_vec
from scipy.linalg import expm

import fpsolve as fp
from fpsolve.models.linear_gaussian import LinearGaussian

TURNING = LinearGaussian([[1.0, 1.5], [-0.5, 1.0]], [[1.0, 0.4], [0.4, 0.5]], (0.3, -0.2))
ONE_LINE = LinearGaussian.from_sgd([[1, 0], [0, 3]], [[1, 1], [1, 1]], temperature=0.1)
DEEP = LinearGaussian(
    [[1.0, 2.0, 0.0], [-2.0, 1.0, 0.5], [0.0, -0.5, 0.7]], [[1.0, 0.5, -0.3], [0.5, 0.8, 0.2], [-0.3, 0.2, 0.6]]
)
MODELS = [TURNING, ONE_LINE, DEEP, LinearGaussian(2.0, 0.5)]


def imbalance(model):
    """K S + S K' - 2 D, relative."""
    flow = model.drift_matrix @ model.covariance
    return np.abs(flow + flow.T - 2 * model.diffusion).max() / np.abs(flow).max()


@pytest.mark.parametrize("model", MODELS)
def test_the_covariance_balances_drift_and_noise(model):
    assert imbalance(model) < 1e-13
    wrong = model.replace(diffusion=1.1 * model.diffusion)
    flow = wrong.drift_matrix @ model.covariance
    assert np.abs(flow + flow.T - 2 * wrong.diffusion).max() / np.abs(flow).max() > 1e-2


@pytest.mark.parametrize("model", MODELS)
def test_the_covariance_is_the_integral_of_what_noise_leaves(model):
    def integrand(s):
        propagator = expm(-model.drift_matrix * s)
        return propagator @ (2 * model.diffusion) @ propagator.T

    whole, _ = quad_vec(integrand, 0, 20 * model.relaxation_time, epsrel=1e-8)
    assert model.covariance == pytest.approx(whole, rel=1e-6, abs=1e-9)


@settings(max_examples=50)
@given(
    arrays(float, (2, 3, 3), elements=st.integers(-50, 50).map(lambda k: k / 50)), st.integers(1, 3), st.integers(1, 3)
)
def test_random_processes_balance_and_their_flow_carries_no_mass(numbers, d, rank):
    root = numbers[1, :d, :rank]
    model = LinearGaussian(numbers[0, :d, :d] + 2 * d * np.eye(d), root @ root.T)
    if np.any(root):
        assert imbalance(model) < 1e-12
    assert np.array_equal(model.circulation, -model.circulation.T)  # so div(Q grad p) = 0


def test_published_entropy_production():
    assert TURNING.entropy_production == pytest.approx(2.297794118, abs=5e-10)
    assert TURNING.replace(diffusion=[[1.0, 0.3], [0.3, 0.5]]).entropy_production != pytest.approx(2.2978, abs=1e-2)


@pytest.mark.parametrize(("h", "rho"), [((1.0, 3.0), 0.5), ((0.2, 5.0), -0.9), ((1.0, 1.0), 0.7), ((1.0, 2.0), 0.0)])
def test_entropy_production_of_sgd_near_a_minimum(h, rho):
    model = LinearGaussian.from_sgd(np.diag(h), [[1, rho], [rho, 1]], learning_rate=0.02, batch=4)
    exact = (h[0] - h[1]) ** 2 * rho**2 / ((h[0] + h[1]) * (1 - rho**2))
    assert model.entropy_production == pytest.approx(exact, rel=1e-12)
    assert model.is_equilibrium == (exact == 0)


def test_anisotropic_noise_that_commutes_with_the_hessian_drives_nothing():
    model = LinearGaussian.from_sgd(np.diag([1, 3]), np.diag([1, 4]), 0.1)
    assert model.is_equilibrium
    assert model.entropy_production == model.rotation_frequency == 0.0
    assert np.all(np.array(model.current(0.1, 0.2)) == 0.0)
    angle = np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    turned = LinearGaussian.from_sgd(angle @ np.diag([1, 3]) @ angle.T, angle @ np.diag([1, 4]) @ angle.T, 0.1)
    assert turned.is_equilibrium
    assert not LinearGaussian.from_sgd(np.diag([1, 3]), angle @ np.diag([1, 4]) @ angle.T, 0.1).is_equilibrium


def test_noise_along_one_line_still_fills_the_plane():
    assert ONE_LINE.covariance == pytest.approx(np.array([[0.05, 0.025], [0.025, 1 / 60]]), abs=1e-15)
    assert ONE_LINE.rotation_frequency == pytest.approx(np.sqrt(3), abs=1e-13)
    assert ONE_LINE.entropy_production == np.inf
    assert ONE_LINE.exact_density().covariance() == pytest.approx(ONE_LINE.covariance, rel=1e-10)


def test_the_frequency_is_that_of_the_eigenvalues():
    for model in (TURNING, ONE_LINE, DEEP):
        values = np.linalg.eigvals(model.circulation @ np.linalg.inv(model.covariance))
        assert model.rotation_frequency == pytest.approx(values.imag.max(), rel=1e-12)
        assert np.abs(values.real).max() < 1e-12


def test_entropy_production_is_infinite_wherever_noise_has_no_full_rank():
    fed = LinearGaussian([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [-1.0, -0.5, 1.0]], (1.0, 2.0, 0.0))
    assert fed.entropy_production == np.inf
    almost = [fed.replace(diffusion=(1.0, 2.0, small)).entropy_production for small in (1e-3, 1e-6)]
    assert almost[1] == pytest.approx(1e3 * almost[0], rel=0.01)
    with pytest.raises(fp.InvalidInput, match="no full rank"):
        LinearGaussian(np.eye(3), (1.0, 1.0, 0.0)).exact_density()


@pytest.mark.parametrize("model", [TURNING, DEEP])
def test_entropy_production_is_the_integral_of_the_current(model):
    p = model.exact_density()
    mesh = np.meshgrid(*p.grid.nodes, indexing="ij")
    J = np.array(model.current(*mesh))
    inverse = np.linalg.inv(model.diffusion)
    values = np.einsum("i...,ij,j...->...", J, inverse, J) / p(*mesh)
    assert np.sum(values * p.grid.weights) == pytest.approx(model.entropy_production, rel=1e-9)


@pytest.mark.parametrize("model", [TURNING, ONE_LINE, DEEP])
def test_the_current_is_that_of_the_density(model):
    """J_i = A_i p - sum_j D_ij dp/dx_j, by differences."""
    x, h = model.mean + np.sqrt(np.diag(model.covariance)) * np.linspace(0.3, 0.9, model.mean.size), 1e-6
    p = model.exact_density()
    gradient = np.array([(p(*(x + h * e)) - p(*(x - h * e))) / (2 * h) for e in np.eye(x.size)])
    expected = -model.drift_matrix @ (x - model.mean) * p(*x) - model.diffusion @ gradient
    scale = np.abs(model.diffusion @ gradient).max()
    assert np.array(model.current(*x)) == pytest.approx(expected, abs=1e-8 * scale)
    assert np.abs(expected).max() > 1e-2 * scale


def test_the_stream_function_gives_the_current():
    x, y, h = 0.4, 0.7, 1e-6
    psi = TURNING.stream_function
    along = (psi(x, y + h) - psi(x, y - h)) / (2 * h), -(psi(x + h, y) - psi(x - h, y)) / (2 * h)
    assert TURNING.current(x, y) == pytest.approx(along, rel=1e-7)
    with pytest.raises(fp.InvalidInput, match="two dimensions, not 3"):
        DEEP.stream_function(0.0, 0.0)


def test_currents_broadcast():
    x, y = np.linspace(-1, 1, 5)[:, None], np.linspace(-1, 1, 3)
    J = TURNING.current(x, y)
    assert [part.shape for part in J] == [(5, 3), (5, 3)]
    assert J[0][2, 1] == pytest.approx(TURNING.current(0.0, 0.0)[0])
    assert np.all(LinearGaussian(1.0, 1.0).current(x) == 0.0)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("t", [0.05, 3.0])
def test_the_law_in_motion_solves_its_equations(model, t):
    """d mean/dt = -K (mean - m), dS/dt = -K S - S K' + 2 D."""
    d, h = model.mean.size, 1e-4
    start = fp.Gaussian(tuple(np.arange(1.0, d + 1)), cov=0.01 * np.eye(d))
    before, now, after = (model.at(s, start) for s in (t - h, t, t + h))
    K = model.drift_matrix
    assert (after.center - before.center) / (2 * h) == pytest.approx(-K @ (now.center - model.mean), abs=1e-6)
    flow = -K @ now.covariance - now.covariance @ K.T + 2 * model.diffusion
    assert (after.covariance - before.covariance) / (2 * h) == pytest.approx(flow, abs=1e-6)


def test_the_law_in_motion_begins_and_ends_right():
    start = fp.Gaussian((1.0, 2.0), cov=[[0.3, 0.1], [0.1, 0.2]])
    assert TURNING.at(0.0, start).covariance == pytest.approx(start.covariance, abs=1e-15)
    late = TURNING.at(300.0, start)
    assert late.covariance == pytest.approx(TURNING.covariance, rel=1e-12)
    assert late.center == pytest.approx(TURNING.mean, abs=1e-12)


def test_a_short_time_keeps_its_digits():
    """Noise on one axis reaches the other as t^3: S - exp(-Kt) S exp(-K't) would have lost it."""
    model = LinearGaussian([[0.0, -1.0], [0.5, 1.0]], (0.0, 1.0))
    for t in (1e-3, 1e-2):
        found = model.at(t, fp.Point(0.0, 0.0)).covariance
        assert found[0, 0] == pytest.approx(2 * t**3 / 3, rel=2 * t)
        assert found[0, 1] == pytest.approx(t**2, rel=2 * t)


def test_an_unstable_drift_has_a_law_at_every_time_but_no_last_one():
    model = LinearGaussian([[-1.0, 0.0], [0.0, 2.0]], 1.0)
    assert np.diag(model.at(2.0, fp.Point(0.0, 0.0)).covariance) == pytest.approx(
        [np.expm1(4.0), 0.5 * -np.expm1(-8.0)], rel=1e-13
    )
    for ask in (model.exact_density, model.grid, lambda: model.covariance, lambda: model.entropy_production):
        with pytest.raises(fp.NotNormalizable, match="real part -1"):
            ask()
    assert "not stable" in repr(model)
    assert model.exact_density(1.0, fp.Point(0.0, 0.0)).covariance()[0, 0] == pytest.approx(np.expm1(2.0))


@pytest.mark.parametrize("model", MODELS)
def test_densities_have_the_moments_of_the_model(model):
    p = model.exact_density()
    x = p.grid.nodes[0][:3]
    assert p.density.mass == pytest.approx(1.0, abs=1e-12)
    assert np.atleast_1d(p.mean()) == pytest.approx(model.mean, abs=1e-10)
    assert np.atleast_1d(p.var()) == pytest.approx(np.diag(model.covariance), rel=1e-9)
    assert p(*([x] * model.mean.size)).shape == (3,)


def test_a_narrow_law_gets_the_cells_that_it_needs():
    model = LinearGaussian(np.eye(2), [[1.0, 0.999], [0.999, 1.0]])
    assert min(model.grid().shape) > 400
    assert model.exact_density().covariance() == pytest.approx(model.covariance, rel=1e-9)
    assert model.grid(cells=(40, 50), deviations=5.0).shape == (40, 50)
    coarse = fp.ExactDensity(model.exact_density().log_density, model.grid(cells=64))
    assert coarse.covariance() != pytest.approx(model.covariance, rel=1e-4)


def test_particles_have_the_exact_covariance_in_motion():
    start, found = fp.Point(1.0, 0.5), []
    exact = ONE_LINE.at(0.8, start)
    for dt in (0.04, 0.02):
        x = fp.simulate(ONE_LINE.problem(), start, [0.8], dt=dt, n=40_000, seed=5, progress=False).at(0.8)
        found.append(np.append(x.mean(axis=0), np.cov(x.T).ravel()))
    wanted = np.append(exact.center, exact.covariance.ravel())
    assert np.abs(2 * found[1] - found[0] - wanted).max() < 5 * np.sqrt(5 * 0.05 / 40_000)
    assert np.abs(found[1] - np.append(start.coordinates, exact.covariance.ravel())).max() > 0.1


def test_temperatures_come_from_either_form():
    one, other = (
        LinearGaussian.from_sgd(1.0, 2.0, **how) for how in (dict(temperature=0.05), dict(learning_rate=0.2, batch=4))
    )
    assert one.diffusion == other.diffusion == 0.05
    assert LinearGaussian.from_sgd(2.0, 1.0, 0.1, minimum=3.0).mean == 3.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: LinearGaussian(np.eye(4), 1.0), r"drift_matrix has shape \(4, 4\); .*1 to 3 rows"),
        (lambda: LinearGaussian(np.ones((2, 3)), 1.0), "square matrix"),
        (lambda: LinearGaussian([[np.nan]], 1.0), "drift_matrix is .*finite"),
        (
            lambda: LinearGaussian(np.eye(2), [[1, 0.2], [0.3, 1]]),
            r"diffusion is not symmetric: entries differ by 0\.1",
        ),
        (lambda: LinearGaussian(np.eye(2), [[1, 2], [2, 1]]), "negative eigenvalue -1"),
        (lambda: LinearGaussian(np.eye(2), -1.0), "negative eigenvalue -1"),
        (lambda: LinearGaussian(np.eye(2), np.eye(3)), r"diffusion has shape \(3, 3\) for 2 axes"),
        (lambda: LinearGaussian(np.eye(2), 1.0, (1, 2, 3)), "each of the 2 axes"),
        (lambda: LinearGaussian.from_sgd([[1, 2], [0, 1]], 1.0, 0.1), "hessian is not symmetric"),
        (lambda: LinearGaussian.from_sgd(1.0, 1.0), "learning_rate is missing"),
        (lambda: LinearGaussian.from_sgd(1.0, 1.0, 0.1, learning_rate=0.1, batch=2), "temperature is 0.1 but"),
        (lambda: LinearGaussian.from_sgd(1.0, 1.0, -0.1), "temperature is -0.1"),
        (lambda: LinearGaussian.from_sgd(1.0, 1.0, learning_rate=0.1, batch=0), "batch is 0"),
        (lambda: LinearGaussian(np.eye(2), (1.0, 0.0)).current(0.0, 0.0), "noise never reaches"),
        (lambda: LinearGaussian(np.eye(2), (1.0, 0.0)).at(1.0, fp.Point(0, 0)), "cov is not a covariance"),
        (lambda: TURNING.at(-1.0, fp.Point(0, 0)), "t is -1"),
        (lambda: TURNING.at(1.0, fp.Point(0.0)), "has 1 coordinates"),
        (lambda: TURNING.at(1.0, 0.0), "give an fp.Point or an fp.Gaussian"),
        (lambda: TURNING.exact_density(1.0), "give both"),
        (lambda: TURNING.current(1.0), "got 1 coordinates"),
        (lambda: TURNING.grid(deviations=0.0), "deviations is 0"),
        (lambda: TURNING.grid(cells=(1, 2, 3)), "cells is"),
    ],
)
def test_messages_say_what_and_why(call, message):
    with pytest.raises(fp.InvalidInput, match=message):
        call()


def test_prints_in_one_line():
    assert repr(ONE_LINE) == "LinearGaussian(x, y: relaxation time 1, noise of rank 1)"
    assert repr(DEEP).startswith("LinearGaussian(x, y, z: relaxation time ")
