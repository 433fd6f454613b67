"""Stable jumps on one axis: order, positive rates, kept mass, ends, and what is refused."""

import dataclasses

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import gamma, hyp1f1

import fpsolve as fp
from fpsolve.operators.jump_drift import drift_fluxes, positive_drift
from fpsolve.operators.jump_ends import OpenEnd, over_end
from fpsolve.operators.jump_kernel import constant_of, kernel_of, local_conductance, riemann_zeta

ENDS = ["open", "reflecting", "absorbing", ("absorbing", "open"), ("open", "reflecting")]
AXES = {
    "uniform": lambda n: fp.Axis.uniform(-18.5, 18.5, n, ends="absorbing"),
    "sinh": lambda n: fp.Axis.sinh(-100, 100, n, scale=5.0, ends="absorbing"),
}


def generator(axis, alpha, drift=0.0, scale=1.0, diffusion=None, scheme=None):
    process = fp.Process(drift, diffusion, jumps=fp.Stable(alpha, scale))
    return fp.generator(fp.Problem(process, fp.Grid(x=axis), scheme or fp.Positive()))


def laplacian_of_gaussian(alpha, x):
    return 2**alpha * gamma((1 + alpha) / 2) / np.sqrt(np.pi) * hyp1f1((1 + alpha) / 2, 0.5, -(x**2))


def error_on_gaussian(axis, alpha, correction=True):
    """The largest error of -(-Laplacian)^(alpha/2) exp(-x^2) where |x| < 5."""
    L = generator(axis, alpha)
    x = axis.nodes
    found = L.apply(np.exp(-(x**2)) * axis.weights) / axis.weights
    if not correction:  # the killing as it is without what the midpoint rule misses beyond the ends
        for upper, distance in ((False, x - axis.lo), (True, axis.hi - x)):
            plain = constant_of(alpha) / alpha * distance**-alpha
            found += (over_end(alpha, axis, upper) - plain) * np.exp(-(x**2))
    near = np.abs(x) < 5.0
    return np.abs(found + laplacian_of_gaussian(alpha, x))[near].max()


def test_the_closed_form_used_here_is_that_of_the_literature():
    values = {0.5: 0.121932432383, 1.0: -0.085936244587, 1.5: -0.345726954203}
    for alpha, value in values.items():
        assert laplacian_of_gaussian(alpha, 1.0) == pytest.approx(value, abs=1e-12)
        assert float(2**alpha * mpmath.gamma((1 + alpha) / 2) / mpmath.sqrt(mpmath.pi)) * float(
            mpmath.hyp1f1((1 + alpha) / 2, 0.5, -1)
        ) == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("kind", AXES)
@pytest.mark.parametrize(("alpha", "largest"), [(0.5, 1e-7), (1.0, 2.0e-6), (1.5, 3.5e-5), (1.9, 3.2e-4)])
def test_the_operator_has_order_four_minus_alpha(alpha, largest, kind):
    errors = [error_on_gaussian(AXES[kind](n), alpha) for n in (533, 1599)]
    assert np.log(errors[0] / errors[1]) / np.log(3.0) == pytest.approx(4.0 - alpha, abs=0.1)
    assert errors[1] < largest


def test_without_its_end_correction_the_order_is_lost():
    axes = [fp.Axis.uniform(-6, 6, n, ends="absorbing") for n in (533, 1599)]
    errors = [error_on_gaussian(axis, 0.5, correction=False) for axis in axes]
    assert np.log(errors[0] / errors[1]) / np.log(3.0) < 2.5
    assert errors[1] > 5 * error_on_gaussian(axes[1], 0.5)


@settings(max_examples=25, deadline=None)
@given(
    st.floats(0.1, 1.99),
    st.sampled_from(["uniform", "sinh", "log", "tanh", "ring"]),
    st.sampled_from(ENDS),
    st.integers(3, 90),
    st.floats(-5.0, 5.0),
    st.booleans(),
)
def test_rates_are_never_negative_and_mass_is_kept(alpha, kind, ends, cells, pull, noise):
    axis = {
        "uniform": lambda: fp.Axis.uniform(-3, 5, cells, ends=ends),
        "sinh": lambda: fp.Axis.sinh(-50, 80, cells, ends=ends),
        "log": lambda: fp.Axis.log(1e-2, 1e3, cells, ends=("reflecting", "open")),
        "tanh": lambda: fp.Axis.tanh(-1, 1, cells, reach=5.0, ends="absorbing"),
        "ring": lambda: fp.Axis.uniform(0, 7, cells, ends="periodic"),
    }[kind]()
    scale = 1.5 if kind == "log" else lambda x: 1.0 + 0.5 * np.cos(2 * np.pi * x / 7)
    args = axis, alpha, lambda x: pull * np.sin(2 * np.pi * x / 7), scale, 0.1 if noise else None
    if kind == "sinh" and ends == "open" and cells < 40:  # the scale may seem to grow faster than any tail falls
        try:
            generator(*args)
        except fp.InvalidInput:
            assume(False)
    L = generator(*args)
    rates = L.rates().toarray()
    assert L.is_markov
    assert (rates - np.diag(np.diag(rates))).min() >= 0.0
    assert np.abs(rates.sum(axis=0) + L.killing).max() < 1e-13 * np.abs(rates).max()
    m = np.random.default_rng(1).random(cells)
    assert L.apply(m) == pytest.approx(rates @ m, abs=1e-11 * np.abs(rates).max())
    assert L.adjoint(m) == pytest.approx(rates.T @ m, abs=1e-11 * np.abs(rates).max())


@pytest.mark.parametrize("alpha", [0.1, 0.5, 1.0, 1.5, 1.9, 1.99])
@pytest.mark.parametrize("axis", [AXES["uniform"](301), fp.Axis.sinh(-1e3, 1e3, 301)], ids=["uniform", "sinh"])
def test_columns_sum_to_zero(alpha, axis):
    open_axis = dataclasses.replace(axis, ends=("open", "open"))
    rates = generator(open_axis, alpha, lambda x: -x).rates().toarray()
    assert np.abs(rates.sum(axis=0)).max() < 1e-11
    assert (rates - np.diag(np.diag(rates))).min() >= 0.0


WAYS = [("sinh", fp.Positive(), ends) for ends in ENDS] + [("uniform", fp.Positive(), "open")]
WAYS += [("uniform", fp.Accurate(), "periodic"), ("sinh", fp.Accurate(), "absorbing"), ("sinh", fp.Accurate(), "open")]


@pytest.mark.parametrize(("kind", "scheme", "ends"), WAYS, ids=str)
def test_resolvents_are_inverses_of_z_minus_l(kind, scheme, ends):
    axis = fp.Axis.uniform(-6, 6, 403, ends=ends) if kind == "uniform" else fp.Axis.sinh(-90, 90, 403, ends=ends)
    L = generator(axis, 1.3, lambda x: -np.sin(np.pi * x / 6), lambda x: 1 + 0.2 * np.cos(np.pi * x / 6), None, scheme)
    rates, b = L.rates().toarray(), np.random.default_rng(2).standard_normal(403)
    for z in (0.7, 0.4 + 1.3j):
        matrix = z * np.eye(403) - rates
        for found, exact in (
            (L.resolvent(z).solve(b), np.linalg.solve(matrix, b)),
            (L.resolvent(z).solve_adjoint(b), np.linalg.solve(matrix.T, b)),
        ):
            assert found == pytest.approx(exact, abs=1e-9 * np.abs(exact).max())


def test_the_three_forms_of_the_kernel_agree():
    uniform, sinh = fp.Axis.uniform(-4, 4, 500), fp.Axis.sinh(-1e3, 1e3, 500)
    v = np.random.default_rng(3).random(500)
    for axis, form in ((uniform, "Toeplitz"), (sinh, "Exponentials")):
        kernel = kernel_of(1.3, axis)
        assert type(kernel).__name__ == form
        assert kernel.apply(v) == pytest.approx(kernel.matrix() @ v, rel=1e-9)
        assert kernel.neighbours() == pytest.approx(np.diag(kernel.matrix(), 1), rel=1e-12)


@pytest.mark.parametrize("s", [-1.0, -0.9, -0.5, -1e-3, 0.3, 0.9, 0.999])
def test_zeta_is_right_left_of_one(s):
    assert riemann_zeta(s) == pytest.approx(float(mpmath.zeta(s)), rel=1e-13)


def test_as_alpha_goes_to_two_jumps_become_the_plain_laplacian():
    axis = fp.Axis.sinh(-5, 5, 50)
    assert local_conductance(2 - 1e-7, axis) == pytest.approx(1 / axis.gaps, rel=1e-5)
    near, far = (kernel_of(alpha, axis).matrix().max() for alpha in (2 - 1e-7, 1.0))
    assert near < 1e-5 * far


def test_a_ring_knows_its_own_waves():
    axis = fp.Axis.uniform(0, 2 * np.pi, 900, ends="periodic")
    L = generator(axis, 1.3)
    for k in (1, 2, 5):  # -(-Laplacian)^(alpha/2) cos kx = -k^alpha cos kx
        wave = np.cos(k * axis.nodes)
        assert L.apply(wave) == pytest.approx(-(k**1.3) * wave, abs=2e-5 * k**4)


def test_absorbing_ends_give_the_mean_time_to_leave():
    for alpha, reach, error in ((0.7, 16, 1e-5), (1.0, 14, 1e-5), (1.5, 10, 2e-5)):
        axis = fp.Axis.tanh(-1, 1, 801, reach=reach, ends="absorbing")
        tau = generator(axis, alpha).resolvent(0.0).solve_adjoint(np.ones(801))
        assert tau == pytest.approx((1 / np.cosh(axis.s_nodes)) ** alpha / gamma(1 + alpha), abs=error)


def returns_by_quadrature(alpha, axis, end: OpenEnd, i):
    """C w_i int_b^inf (y/y_N)^(g - q) |x - x_i|^(-1 - alpha) dx."""
    tail, b, last = end.tail, mpmath.mpf(axis.hi), mpmath.mpf(float(axis.nodes[-1]))
    power = tail.growth - tail.exponent
    kernel = lambda x: (x / last) ** power * (x - float(axis.nodes[i])) ** (-1 - alpha)  # noqa: E731
    return constant_of(alpha) * axis.weights[i] * float(mpmath.quad(kernel, [b, 2 * b, 10 * b, mpmath.inf]))


def test_tails_return_as_their_integral_says():
    axis = fp.Axis.sinh(-20, 20, 40)
    L = generator(axis, 1.3, lambda x: -(x**3), lambda x: np.sqrt(1 + x * x) ** 0.5)
    upper = L.jumps.ends[1]
    assert upper.tail.exponent == pytest.approx(1.3 + 3.0, rel=1e-6)
    assert upper.tail.growth == pytest.approx(0.65, rel=1e-2)
    for i in (1, 20, 38):
        assert upper.back[i] == pytest.approx(returns_by_quadrature(1.3, axis, upper, i), rel=1e-8)


def test_what_lands_beyond_an_open_end_is_in_its_last_cell():
    L = generator(fp.Axis.sinh(-20, 20, 40), 1.3, lambda x: -x)
    censored = generator(fp.Axis.sinh(-20, 20, 40, ends="reflecting"), 1.3, lambda x: -x)
    beyond = L.rates().toarray()[-1, 20] - censored.rates().toarray()[-1, 20]
    assert beyond == pytest.approx(over_end(1.3, fp.Axis.sinh(-20, 20, 40), True)[20], rel=1e-9)


def test_rates_of_many_cells_are_refused_with_the_reason():
    L = generator(fp.Axis.sinh(-1e3, 1e3, 4001), 1.0, lambda x: -x)
    with pytest.raises(fp.InvalidInput, match=r"4001 cells join every pair.*apply, adjoint and resolvent"):
        L.rates()
    assert np.abs(L.apply(np.ones(4001))).max() > 0


def test_fluxes_of_high_order_take_the_derivative_of_smooth_functions():
    errors = []
    for cells in (60, 180):
        axis = fp.Axis.sinh(-9, 9, cells, scale=3.0)
        drift, p = 2 + np.sin(axis.nodes), np.exp(-(axis.nodes**2) / 4)
        part = drift_fluxes(axis, drift, (np.zeros(2), np.zeros(2)), axis.weights)
        change = part.matrix(cells) @ (p * axis.weights) / axis.weights
        exact = -(np.cos(axis.nodes) - drift * axis.nodes / 2) * p
        errors.append(np.abs(change - exact)[np.abs(axis.nodes) < 5].max())
    assert np.log(errors[0] / errors[1]) / np.log(3) > 4.5


def test_positive_drift_is_central_where_jumps_allow_it():
    axis = fp.Axis.uniform(-1, 1, 40)
    strong = np.full(39, 1e3)
    up, down = positive_drift(axis, np.ones(40), (strong, strong), axis.weights)
    assert up * axis.weights[0] == pytest.approx(np.full(39, 0.5))
    none = np.zeros(39)
    up, down = positive_drift(axis, np.ones(40), (none, none), axis.weights)  # upwind
    assert up * axis.weights[0] == pytest.approx(np.ones(39))
    assert np.abs(down).max() < 1e-12


def test_row_23_a_scale_below_zero_or_not_a_number_is_refused_with_the_place():
    axis = fp.Axis.uniform(-8, 8, 101)
    with pytest.raises(fp.InvalidInput, match=r"scale is negative \(-0\.9.* at x=.*cell"):
        generator(axis, 1.0, lambda x: -x, np.sin)
    with pytest.raises(fp.InvalidInput, match=r"scale is nan at x=1\."):
        generator(axis, 1.0, lambda x: -x, lambda x: np.where(x > 1, np.nan, 1.0))


def test_ends_that_jumps_cannot_have_are_refused():
    with pytest.raises(fp.InvalidInput, match="open toward 0, on a log axis"):
        generator(fp.Axis.log(0.1, 10, 50), 1.0)
    with pytest.raises(fp.InvalidInput, match="where the map ends too"):
        generator(fp.Axis.tanh(-1, 1, 50), 1.0)
    with pytest.raises(fp.InvalidInput, match=r"4001 cells that are not equal.*uniform axis"):
        generator(fp.Axis.mapped(np.sinh, np.cosh, -3, 3, 4001, ends="periodic"), 1.0)
    with pytest.raises(fp.InvalidInput, match=r"has a skew.*fp\.simulate"):
        fp.generator(fp.Problem(fp.Process(0.0, jumps=fp.Stable(1.5, 1.0, 0.5)), fp.Grid(x=(-1, 1, 9))))
    with pytest.raises(fp.InvalidInput, match="5 cells are too few for fluxes of fifth order"):
        generator(fp.Axis.uniform(-1, 1, 5), 1.0, lambda x: -x, scheme=fp.Accurate())


def test_the_strong_residual_does_not_know_jumps_and_refuses_them():
    problem = fp.Problem(fp.Process(lambda x: -x, 1.0, jumps=fp.Stable(1.5)), fp.Grid(x=(-30, 30, 100)))
    still = problem.replace(process=problem.process.replace(jumps=None))
    with pytest.raises(fp.InvalidInput, match="is not answered for jumps"):
        fp.strong_residual(problem, fp.stationary(still))
