"""Stable jumps in the plane: the kernel and its correction, and a generator that is Markov whatever the ends."""

import math
from itertools import product

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from levy_planes import INDICES, SHEAR, grid_of, of_gaussian, toward_middle, whole_plane

import fpsolve as fp
from fpsolve.operators import fractional_plane
from fpsolve.operators.epstein import lattice_moments
from fpsolve.operators.fractional_plane import PlaneKernel, constant_in_plane

ENDS = ["open", "reflecting", "absorbing", "periodic", ("absorbing", "open"), ("reflecting", "open"),
        ("reflecting", "absorbing")]  # fmt: skip


def square_sum(s):
    """sum' |m|^(-2 s) over Z^2, continued: 4 zeta(s) beta(s)."""
    beta = mpmath.mpf(4) ** -s * (mpmath.zeta(s, mpmath.mpf(1) / 4) - mpmath.zeta(s, mpmath.mpf(3) / 4))
    return float(4 * mpmath.zeta(s) * beta)


def scaled(x, y):
    return 1.0 + 0.3 * np.cos(x) * np.sin(y)


def still(x, y):
    return 0 * x, 0 * y


def error(alpha, cells, matrix=((1.0, 0.0), (0.0, 1.0)), reach=6.0, exact=None):
    """Largest error of the jumps' action on a Gaussian."""
    reaches = [reach * sum(map(abs, row)) for row in matrix]
    grid = grid_of(cells, reaches, "absorbing")  # where p is 0, so that it is whole
    L = fp.generator(fp.Problem(fp.Process(still, jumps=fp.Stable(alpha, matrix)), grid))
    p, change = of_gaussian(alpha if exact is None else exact, *grid.mesh(), matrix)
    return float(np.abs(L.apply((p * grid.weights).ravel()).reshape(grid.shape) / grid.weights - change).max())


def lattice_total(form, s):
    """sum' (m.A m)^(-1-s), the rates to all other cells, by exponential integrals."""
    size, total = math.sqrt(np.linalg.det(form)), 1.0 / s - 1.0 / (1.0 + s)
    m = [m for m in product(range(-16, 17), repeat=2) if any(m)]
    for unit, order in ((form / size, -s), (np.linalg.inv(form) * size, 1.0 + s)):
        squares = np.einsum("ni,ij,nj->n", m, unit, m)
        total += float(sum(mpmath.expint(order, math.pi * x) for x in squares[squares < 13.0]))
    return total * (math.pi / size) ** (1.0 + s) / math.gamma(1.0 + s)


@pytest.mark.parametrize("alpha", INDICES)
def test_sums_over_the_square_lattice_are_zeta_values(alpha):
    moments = lattice_moments(np.eye(2), alpha / 2)
    assert moments[0, 0] + moments[1, 1] == pytest.approx(square_sum(alpha / 2), rel=1e-13)
    assert abs(moments[0, 1]) < 1e-15
    assert lattice_total(np.eye(2), alpha / 2) == pytest.approx(square_sum(1 + alpha / 2), rel=1e-13)


@given(st.floats(0.1, 1.9), st.floats(-1.0, 1.0), st.floats(0.2, 5.0))
@settings(max_examples=20, deadline=None)
def test_sums_do_not_depend_on_the_basis_of_the_lattice(alpha, slant, stretch):
    form = np.array([[1.0, slant], [slant, slant**2 + stretch]])
    basis = np.array([[2.0, 1.0], [1.0, 1.0]])
    moved, back = lattice_moments(basis.T @ form @ basis, alpha / 2), np.linalg.inv(basis)
    known = lattice_moments(form, alpha / 2)
    np.testing.assert_allclose(moved, back @ known @ back.T, atol=1e-11 * np.abs(moved).max())
    assert np.trace(form @ known) == pytest.approx(trace(form, alpha), rel=1e-10)


def trace(form, alpha):
    """sum' (m.A m)^(-alpha/2), continued, from a sum that converges: by its functional equation."""
    s, inverse = alpha / 2, np.linalg.inv(form)
    ratio = np.pi ** (2 * s - 1) * float(mpmath.gamma(1 - s) / mpmath.gamma(s)) / np.sqrt(np.linalg.det(form))
    return ratio * np.trace(inverse @ lattice_moments(inverse, 1 - s))


@pytest.mark.parametrize("matrix", [((1.0, 0.0), (0.0, 1.0)), SHEAR, ((1.0, 0.0), (0.0, 0.5))], ids=["1", "M", "2:1"])
@pytest.mark.parametrize("alpha", INDICES)
def test_jumps_are_of_order_four_minus_alpha(alpha, matrix):
    coarse, fine = (error(alpha, cells, matrix) for cells in (60, 120))
    assert np.log2(coarse / fine) == pytest.approx(4 - alpha, abs=0.1)


def test_another_index_is_noticed():
    assert error(1.0, 120, exact=1.02) > 10 * error(1.0, 120)


def test_a_wrong_correction_is_noticed(monkeypatch):
    monkeypatch.setattr(fractional_plane, "lattice_moments", lambda *given: 0.98 * lattice_moments(*given))
    assert np.log2(error(1.0, 60) / error(1.0, 120)) < 2.0


@given(st.floats(0.1, 1.99), st.floats(-2.0, 2.0), st.floats(0.05, 1.0), st.floats(0.1, 10.0))
@settings(max_examples=15, deadline=None)
def test_rates_are_positive_for_any_matrix_and_any_cells(alpha, slant, stretch, ratio):
    kernel = PlaneKernel(alpha, np.array([1.0, ratio]), np.array([[1.0, slant], [0.0, stretch]]))
    i, j = np.meshgrid(np.arange(-9.0, 10.0), np.arange(-9.0, 10.0))
    assert np.all(kernel.near[1] >= 0)
    assert kernel.far(i, j).min() >= 0


@pytest.mark.parametrize("periods", [(7, None), (None, 5)])
def test_jumps_round_a_periodic_axis_are_sums_over_all_laps(periods):
    kernel = PlaneKernel(1.2, np.array([0.3, 0.4]), np.array(SHEAR), periods)
    i, j = np.meshgrid(np.arange(7.0), np.arange(-3.0, 4.0))
    laps = [np.arange(-300, 301) * n if n else np.zeros(1) for n in periods]
    known = sum(kernel.direct(i + a, j + b) for a in laps[0] for b in laps[1])
    np.testing.assert_allclose(kernel.rates(i, j), known, rtol=3e-4)


@pytest.mark.parametrize("alpha", INDICES)
def test_jumps_round_both_axes_reach_every_cell_of_the_plane_once(alpha):
    kernel = PlaneKernel(alpha, np.array([0.3, 0.4]), np.array(SHEAR), (7, 5))
    i, j = np.meshgrid(np.arange(7.0), np.arange(-2.0, 3.0))
    total = kernel.constant * lattice_total(kernel.form, alpha / 2)
    assert kernel.rates(i, j).sum() == pytest.approx(total, rel=1e-11)
    other = PlaneKernel(alpha, np.array([0.4, 0.3]), np.array(SHEAR)[::-1], (5, 7))
    np.testing.assert_allclose(kernel.rates(i, j), other.rates(j, i), rtol=1e-10)


def test_rates_between_cells_are_the_formula():
    grid, alpha = grid_of(9, 2.0, "reflecting"), 1.3
    rates = fp.generator(fp.Problem(fp.Process(still, jumps=fp.Stable(alpha, 0.8)), grid)).rates().toarray()
    h = grid.axes[0].ds
    x, y = (part.ravel() for part in np.meshgrid(*grid.nodes, indexing="ij"))
    apart = np.hypot(x[:, None] - x, y[:, None] - y)
    with np.errstate(divide="ignore"):
        known = 0.8**alpha * constant_in_plane(alpha) * h**2 * apart ** (-2 - alpha)
    local = -(0.8**alpha) * constant_in_plane(alpha) * square_sum(alpha / 2) / 4 * h**-alpha
    known[np.isclose(apart, h)] += local
    np.fill_diagonal(known, 0.0)
    np.fill_diagonal(known, -known.sum(axis=0))
    np.testing.assert_allclose(rates, known, rtol=1e-11)


@pytest.mark.parametrize("alpha", INDICES)
def test_what_leaves_through_absorbing_ends_is_the_rest_of_the_plane(alpha):
    grid = grid_of(16, [2.0, 3.0], "absorbing")
    L = fp.generator(fp.Problem(fp.Process(still, jumps=fp.Stable(alpha)), grid))
    widths = [axis.ds for axis in grid.axes]
    local = 2 * (L.jumps.jumps.kernel.near[1] - L.jumps.jumps.kernel.direct(*L.jumps.jumps.kernel.near[0].T)).sum()
    np.testing.assert_allclose(-L.rates().diagonal(), whole_plane(alpha, widths) + local, rtol=2e-4)
    assert L.killing.min() > 0


@given(
    st.sampled_from(["isotropic", "function", "matrix", "axes", "one axis"]),
    st.tuples(st.sampled_from(ENDS), st.sampled_from(ENDS)),
    st.floats(0.2, 1.95),
    st.sampled_from([None, 0.2, ((0.3, 0.1), (0.1, 0.2))]),
    st.floats(-20.0, 20.0),
)
@settings(max_examples=14, deadline=None)
def test_generator_is_markov_and_conserves_mass(kind, ends, alpha, diffusion, force):
    kinds = {
        "isotropic": fp.Stable(alpha, 0.7),
        "function": fp.Stable(alpha, scaled),
        "matrix": fp.Stable(alpha, SHEAR),
        "axes": (fp.Stable(alpha), fp.Stable(1.2, scaled)),
        "one axis": (None, fp.Stable(alpha, scaled)),
    }
    grid = grid_of(8, [2.0, 3.0], list(ends))
    process = fp.Process(lambda x, y: (force * np.sin(y) - x, force * np.cos(x) - y), diffusion, jumps=kinds[kind])
    for scheme in (fp.Positive(), fp.Accurate()):
        L = fp.generator(fp.Problem(process, grid, scheme))
        rates, m = L.rates().toarray(), np.random.default_rng(1).random((2, L.size))
        largest = np.abs(rates).max()
        assert np.abs(rates.sum(axis=0) + L.killing).max() < 1e-13 * largest
        np.testing.assert_allclose(L.apply(m[0]), rates @ m[0], atol=1e-13 * largest * m.sum())
        np.testing.assert_allclose(L.adjoint(m[1]), rates.T @ m[1], atol=1e-13 * largest * m.sum())
        if isinstance(scheme, fp.Positive):
            assert L.is_markov
            assert (rates - np.diag(rates.diagonal())).min() >= -1e-13 * largest


def test_a_negative_rate_is_noticed():
    from dataclasses import replace

    jumps = fp.generator(fp.Problem(fp.Process(toward_middle, jumps=fp.Stable(1.0)), grid_of(8, 2.0))).jumps
    assert jumps.is_markov
    assert not replace(jumps, beside=replace(jumps.beside, up=jumps.beside.up - 10.0)).is_markov


def test_jumps_along_three_axes():
    grid = fp.Grid(**dict.fromkeys("xyz", fp.Axis.sinh(-50, 50, 12, scale=0.5)))
    process = fp.Process(lambda x, y, z: (-x, -y, -z), (0.0, 0.3, 0.0), jumps=(fp.Stable(1.0), None, fp.Stable(1.5)))
    L = fp.generator(fp.Problem(process, grid))
    rates, m = L.rates(), np.random.default_rng(0).random(L.size)
    assert L.is_markov
    np.testing.assert_allclose(L.apply(m), rates @ m, atol=1e-12 * abs(rates).max())
    assert abs(L.apply(m).sum()) < 1e-12 * abs(rates).max()


@pytest.mark.parametrize(
    ("jumps", "grid", "message"),
    [
        (
            fp.Stable(1.0),
            fp.Grid(x=fp.Axis.sinh(-9, 9, 9), y=(-1, 1, 9)),
            "x is a sinh axis; isotropic jumps need equal",
        ),
        (fp.Stable(1.0, ((1.0, 1.0), (1.0, 1.0))), grid_of(9, 1.0), "would keep to a line"),
        ((fp.Stable(1.5, skew=0.5), None), grid_of(9, 1.0), "has a skew; the equation is solved"),
        ((fp.Stable(1.5, SHEAR), None), grid_of(9, 1.0), "a matrix belongs to one Stable"),
        (fp.Stable(1.5, lambda x, y: x), grid_of(9, 1.0), "scale is negative"),
    ],
)
def test_jumps_that_cannot_be_are_refused(jumps, grid, message):
    with pytest.raises(fp.InvalidInput, match=message):
        fp.generator(fp.Problem(fp.Process(toward_middle, jumps=jumps), grid))


def test_isotropic_jumps_on_three_axes_are_refused():
    grid = fp.Grid(**dict.fromkeys("xyz", (-1, 1, 5)))
    with pytest.raises(fp.InvalidInput, match="isotropic jumps on 3 axes"):
        fp.generator(fp.Problem(fp.Process(lambda x, y, z: (-x, -y, -z), jumps=fp.Stable(1.0)), grid))
