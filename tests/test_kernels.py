"""Kernels against high precision and plain numpy twins."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpsolve.kernels.bernoulli import bernoulli, log_bernoulli
from fpsolve.kernels.chain import chain_log_density, hardy_constants, log_add
from fpsolve.kernels.fluxes import dips, face_fluxes, fitted_rates, log_coefficients, quadrature
from fpsolve.solvers.cyclic import log_density_and_current

EPS = np.finfo(float).eps
SIZES = (1e-300, 1e-14, 1e-8, 1e-3, 0.5, 1.0, 30.0, 36.9, 37.1, 300.0, 700.0)
ARGUMENTS = [0.0, *(sign * z for z in SIZES for sign in (1, -1))]


def exact_bernoulli(z):
    with mpmath.workdps(60):
        z = mpmath.mpf(z)
        return mpmath.mpf(1) if z == 0 else z / mpmath.expm1(z)


@pytest.mark.parametrize("z", ARGUMENTS)
def test_bernoulli_has_full_relative_precision(z):
    exact = exact_bernoulli(z)
    assert abs(bernoulli(z) / exact - 1) < 4 * EPS
    assert abs(log_bernoulli(z) - float(mpmath.log(exact))) <= 4 * EPS * max(1.0, abs(float(mpmath.log(exact))))


def test_the_textbook_quotient_fails_the_same_check():
    z = 1.3e-15
    assert abs(z / (np.exp(z) - 1) / float(exact_bernoulli(z)) - 1) > 1e-3


def test_bernoulli_at_its_limits():
    assert bernoulli(np.inf) == 0.0
    assert bernoulli(800.0) == 0.0
    assert bernoulli(-1e300) == 1e300
    assert log_bernoulli(1e6) == pytest.approx(np.log(1e6) - 1e6, rel=1e-15)


@given(st.floats(-600, 600))
def test_bernoulli_of_opposite_arguments(z):
    assert bernoulli(-z) - bernoulli(z) == pytest.approx(z, abs=4 * EPS * (abs(z) + 1))


@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
def test_log_add_is_logaddexp(a, b):
    assert log_add(a, b) == pytest.approx(np.logaddexp(a, b), rel=1e-14, abs=1e-14)


def test_quadrature_is_a_weighted_sum():
    rng = np.random.default_rng(1)
    values, weights = rng.normal(size=(7, 4)), rng.random(4)
    assert quadrature(values, weights) == pytest.approx(values @ weights, rel=1e-14)


def steps_and_conductances(n, seed, scale=3.0):
    rng = np.random.default_rng(seed)
    return scale * rng.normal(size=n), rng.normal(size=n), rng.normal(size=n), rng.normal(size=n)


def test_rates_are_those_of_numpy():
    step, log_k, left, right = steps_and_conductances(50, 2)
    up, down = np.empty(50), np.empty(50)
    fitted_rates(step, log_k, left, right, up, down)
    with np.errstate(all="ignore"):
        assert up == pytest.approx(np.exp(log_k - left) * -step / np.expm1(-step), rel=1e-13)
        assert down == pytest.approx(np.exp(log_k - right) * step / np.expm1(step), rel=1e-13)


def test_fluxes_and_coefficients_are_those_of_numpy():
    step, log_k, left, right = steps_and_conductances(50, 3)
    fluxes, affinities, forward, backward = (np.empty(50) for _ in range(4))
    face_fluxes(step, log_k, left, right, fluxes, affinities)
    log_coefficients(step, log_k, forward, backward)
    k = np.exp(log_k)
    up, down = k * -step / np.expm1(-step) * np.exp(left), k * step / np.expm1(step) * np.exp(right)
    assert np.exp(forward + left) == pytest.approx(up, rel=1e-12)
    assert np.exp(backward + right) == pytest.approx(down, rel=1e-12)
    assert fluxes == pytest.approx(up - down, abs=1e-12 * np.abs(up).max())
    assert affinities == pytest.approx(np.log(up / down), abs=1e-12)


def test_flux_between_empty_cells_is_zero():
    fluxes, affinities = np.empty(1), np.empty(1)
    face_fluxes(np.array([1.0]), np.array([0.0]), np.array([-np.inf]), np.array([-np.inf]), fluxes, affinities)
    assert fluxes[0] == 0.0


def test_chain_sums_outward_from_the_mode():
    step, _, _, _ = steps_and_conductances(2000, 4, scale=1.0)
    log_w = np.zeros(2001)
    log_p = chain_log_density(step, log_w)
    with mpmath.workdps(40):
        exact = [mpmath.mpf(0)]
        for value in step:
            exact.append(exact[-1] + mpmath.mpf(float(value)))
        top = max(exact)
        errors = [abs(float(mpmath.mpf(float(a)) - (b - top))) for a, b in zip(log_p, exact, strict=True)]
    assert log_p.max() == 0.0
    assert max(errors) < 2 * EPS * np.abs(log_p).max()


@pytest.mark.parametrize("tilt", [0.7, -0.7, 1e-9, 40.0])
def test_ring_is_the_null_vector_of_its_rate_matrix(tilt):
    n = 12
    step, log_k, log_w, _ = steps_and_conductances(n, 5, scale=0.5)
    step = step - step.mean() + tilt / n
    forward, backward = np.empty(n), np.empty(n)
    log_coefficients(step, log_k, forward, backward)
    log_p, current = log_density_and_current(step, forward, backward, log_w)
    with mpmath.workdps(60):
        matrix = mpmath.zeros(n)
        for i in range(n):
            j = (i + 1) % n
            k = mpmath.exp(mpmath.mpf(float(log_k[i])))
            up, down = k * exact_bernoulli(-float(step[i])), k * exact_bernoulli(float(step[i]))
            matrix[i, i] -= up
            matrix[j, i] += up
            matrix[j, j] -= down
            matrix[i, j] += down
        for j in range(n):
            matrix[0, j] = mpmath.exp(mpmath.mpf(float(log_w[j])))
        exact = mpmath.lu_solve(matrix, mpmath.matrix([1] + [0] * (n - 1)))
        k0 = mpmath.exp(mpmath.mpf(float(log_k[3])))
        flux = k0 * (exact_bernoulli(-float(step[3])) * exact[3] - exact_bernoulli(float(step[3])) * exact[4])
    assert np.exp(log_p) == pytest.approx(np.array([float(v) for v in exact]), rel=1e-13)
    assert current == pytest.approx(float(flux), rel=1e-6 if abs(tilt) < 1e-6 else 1e-12)


def test_an_edge_that_lets_nothing_back_closes_the_ring():
    step = np.array([0.3, -0.2, np.inf])
    forward, backward = np.empty(3), np.empty(3)
    log_coefficients(step, np.zeros(3), forward, backward)
    forward[2], backward[2] = np.log(2.0), -np.inf
    log_p, current = log_density_and_current(step, forward, backward, np.zeros(3))
    p = np.exp(log_p)
    assert p.sum() == pytest.approx(1.0, rel=1e-14)
    assert 2.0 * p[2] == pytest.approx(current, rel=1e-14)
    for i in range(2):
        assert np.exp(forward[i]) * p[i] - np.exp(backward[i]) * p[i + 1] == pytest.approx(current, rel=1e-13)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000))
def test_relaxation_time_lies_between_hardys_bounds(seed):
    rng = np.random.default_rng(seed)
    n = 30
    log_p = np.cumsum(rng.normal(size=n))
    log_m = log_p - np.log(np.exp(log_p).sum())
    log_flow = rng.normal(size=n - 1) + 0.5 * (log_m[:-1] + log_m[1:])
    bound = max(hardy_constants(np.exp(log_m), np.exp(log_flow), 0.0))
    m, c = np.exp(log_m), np.exp(log_flow)
    L = np.diag(np.r_[c, 0] + np.r_[0, c]) - np.diag(c, 1) - np.diag(c, -1)
    slowest = np.sort(np.linalg.eigvalsh(L / np.sqrt(np.outer(m, m))))[1]
    assert bound / 2 <= 1 / slowest * (1 + 1e-9)
    assert 1 / slowest <= 4 * bound * (1 + 1e-9)


def test_dips_are_deep_minima_only():
    x = np.linspace(-1, 1, 41)
    found = np.empty(4, dtype=np.int64)
    assert dips(np.log((x - 0.1) ** 2 + 1e-30), np.log(0.5), found) == 1
    assert x[found[0]] == pytest.approx(0.1, abs=0.05)
    assert dips(np.log(1 + x**2), np.log(0.5), found) == 0
