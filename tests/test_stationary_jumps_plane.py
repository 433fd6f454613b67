"""Densities beside stable jumps in the plane: at rest and on their way, with their tails."""

import numpy as np
import pytest
from levy_planes import SHEAR, cauchy, grid_of, relaxing, toward_middle
from scipy.integrate import quad

import fpsolve as fp
from fpsolve import stationary_jumps_plane
from fpsolve.solvers import jump_krylov


def well(jumps, grid, *, scheme=None, diffusion=None):
    return fp.Problem(fp.Process(toward_middle, diffusion, jumps=jumps), grid, scheme or fp.Accurate())


@pytest.fixture(scope="module")
def isotropic():
    return fp.stationary(well(fp.Stable(1.0), grid_of(96, 12.0)))


def worst(p, exact):
    return float(np.abs(p.values / exact(*p.grid.mesh()) - 1).max())


def mean(f):
    """<f(r)> of the Cauchy law of the plane."""
    return quad(lambda r: f(r) * r / (1 + r * r) ** 1.5, 0, np.inf, limit=200)[0]


def test_isotropic_jumps_in_a_harmonic_well_have_the_stable_law(isotropic):
    assert worst(isotropic, cauchy) < 7e-3
    assert isotropic.mass == pytest.approx(1.0, abs=1e-12)
    assert isotropic.info.residual < 1e-11
    assert worst(isotropic, lambda x, y: cauchy(x, y, 1.05)) > 2e-2


def test_its_marginal_is_the_law_on_a_line(isotropic):
    p = isotropic.marginal("y")
    np.testing.assert_allclose(p.values, 1 / (np.pi * (1 + p.grid.nodes[0] ** 2)), rtol=4e-3)
    assert p.cdf(40.0) == pytest.approx(0.5 + np.arctan(40.0) / np.pi, abs=2e-4)
    assert isotropic(20.0, 0.3) == pytest.approx(cauchy(20.0, 0.3), rel=2e-2)
    assert isotropic.conditional(x=0.3).tail_exponent((6.0, 12.0)) == pytest.approx(3.0, abs=0.05)


def test_statistics_count_the_tails(isotropic):
    assert isotropic.expect(lambda x, y: 1.0 + 0 * x) == pytest.approx(1.0, abs=1e-12)
    assert isotropic.expect(lambda x, y: np.exp(-np.hypot(x, y))) == pytest.approx(mean(lambda r: np.exp(-r)), rel=2e-3)
    assert isotropic.expect(lambda x, y: np.hypot(x, y) ** 0.5) == pytest.approx(mean(np.sqrt), rel=2e-2)
    assert isotropic.expect(lambda x, y: x**2 + y**2) == np.inf
    with pytest.raises(fp.InvalidInput, match="moment of order 1 of x does not exist"):
        isotropic.mean()
    assert isotropic.entropy() == pytest.approx(np.log(2 * np.pi) + 3.0, rel=5e-3)


def test_a_saved_density_keeps_its_tails(isotropic, tmp_path):
    again = fp.load(isotropic.save(tmp_path / "plane.npz"))
    assert again.mass == isotropic.mass
    np.testing.assert_array_equal(again.marginal("x").values, isotropic.marginal("x").values)


def test_jumps_times_a_matrix_have_the_image_of_the_stable_law():
    p = fp.stationary(well(fp.Stable(1.0, SHEAR), grid_of(80, [10.0, 6.5])))
    assert worst(p, lambda x, y: cauchy(x, y, matrix=SHEAR)) < 3e-2
    assert worst(p, lambda x, y: cauchy(x, y, matrix=((1.0, 0.2), (0.5, 0.7)))) > 0.2


def test_jumps_along_axes_have_a_product_of_stable_laws():
    axis = fp.Axis.sinh(-1e3, 1e3, 64, scale=0.5)
    p = fp.stationary(well((fp.Stable(1.0), fp.Stable(1.0, 2.0)), fp.Grid(x=axis, y=axis)))
    x, y = p.grid.mesh()
    exact = 1 / (np.pi * (1 + x**2)) * 2 / (np.pi * (4 + y**2))
    np.testing.assert_allclose(p.values, exact, rtol=4e-3)
    assert p.marginal("x").tail_exponent((30.0, 1e3)) == pytest.approx(2.0, abs=5e-3)
    assert np.abs(p.values / (1 / (np.pi * (1 + x**2) * np.pi * (1 + y**2))) - 1).max() > 0.5


def test_the_positive_form_is_positive_and_comes_near():
    p = fp.stationary(well(fp.Stable(1.5), grid_of(48, 8.0), scheme=fp.Positive()))
    better = fp.stationary(well(fp.Stable(1.5), grid_of(48, 8.0)))
    assert p.values.min() > 0
    assert float(np.abs(p.masses - better.masses).sum()) < 2e-2


def test_jumps_between_walls_and_round_a_ring():
    grid = fp.Grid(x=fp.Axis.uniform(-2, 2, 40, ends="reflecting"), y=fp.Axis.uniform(0, 6, 40, ends="periodic"))
    p = fp.stationary(fp.Problem(fp.Process(lambda x, y: (0 * x, 1 + 0 * y), jumps=fp.Stable(1.2)), grid))
    np.testing.assert_allclose(p.values, 1 / 24, rtol=1e-10)


@pytest.mark.parametrize("scheme", [fp.Positive(), fp.Accurate()])
def test_densities_in_motion_have_the_exact_characteristic_function(scheme):
    grid, start, std = grid_of(40, 8.0), (1.0, -0.5), 0.6
    process = fp.Process(toward_middle, 0.3, jumps=fp.Stable(1.5))
    path = fp.evolve(fp.Problem(process, grid, scheme), fp.Gaussian(start, std), [0.7], method=fp.Krylov(tol=1e-5))
    exact = relaxing(grid, 1.5, 0.7, start, std, 0.3)
    assert path.mass[0] == pytest.approx(1.0, abs=1e-12)
    assert float((np.abs(path[0].values - exact) * grid.weights).sum()) < 2e-2
    other = relaxing(grid, 1.3, 0.7, start, std, 0.3)
    assert float((np.abs(path[0].values - other) * grid.weights).sum()) > 4e-2


@pytest.mark.parametrize("z", [0.7, 0.3 + 2.0j])
@pytest.mark.parametrize("jumps", [fp.Stable(1.2), (fp.Stable(0.8), None)], ids=["isotropic", "axis"])
def test_resolvents_invert(jumps, z):
    L = fp.generator(well(jumps, grid_of(24, 4.0), diffusion=(0.0, 0.2)))
    assert L.size > jump_krylov.FEW
    b = np.random.default_rng(0).random((L.size, 2))
    y, x = L.resolvent(z).solve(b), L.resolvent(z).solve_adjoint(b[:, 0])
    for column in range(2):
        change = L.apply(y[:, column].real) + 1j * L.apply(np.ascontiguousarray(y[:, column].imag))
        np.testing.assert_allclose(z * y[:, column] - change, b[:, column], atol=1e-9)
    change = L.adjoint(x.real) + 1j * L.adjoint(np.ascontiguousarray(x.imag))
    np.testing.assert_allclose(z * x - change, b[:, 0], atol=1e-9)


def test_a_stalled_iteration_is_told_with_its_residuals(monkeypatch):
    monkeypatch.setattr(jump_krylov.NearPlane, "solve", lambda self, b: b)  # nothing near inside
    with pytest.raises(fp.NotConverged, match="stalls") as caught:
        fp.stationary(well(fp.Stable(0.7), grid_of(48, 30.0)))
    assert len(caught.value.history) > 10
    assert min(caught.value.history) > stationary_jumps_plane.RTOL
    assert caught.value.best.shape == (48 * 48,)


def test_free_flights_and_absorbing_ends_have_no_density():
    with pytest.raises(fp.NotNormalizable, match="does not lead back"):
        fp.stationary(fp.Problem(fp.Process(lambda x, y: (0 * x, -y), jumps=fp.Stable(1.0)), grid_of(12, 3.0)))
    with pytest.raises(fp.InvalidInput, match="absorbing end of y"):
        fp.stationary(well(fp.Stable(1.0), grid_of(12, 3.0, ["open", "absorbing"])))


def test_a_grid_too_small_for_its_tails_is_told():
    with pytest.warns(fp.TruncationWarning, match=r"of the mass lies beyond the open end .*marginal falls off"):
        fp.stationary(well(fp.Stable(0.5), grid_of(40, 8.0)))


def test_negative_densities_are_not_returned():
    steep = fp.Process(lambda x, y: (-30 * x**3, -30 * y**3), jumps=fp.Stable(0.3, 0.05))
    with pytest.warns(fp.ResolutionWarning, match="Positive"):
        p = fp.stationary(fp.Problem(steep, grid_of(24, 4.0), fp.Accurate()))
    assert p.values.min() > 0


def test_a_coarse_grid_and_a_sparse_LU_come_to_what_one_dense_LU_has(monkeypatch):
    problem = well(fp.Stable(1.0), grid_of(28, 12.0))
    p = fp.stationary(problem)
    monkeypatch.setattr(jump_krylov, "FEW", 1000)
    np.testing.assert_allclose(fp.stationary(problem).values, p.values, rtol=1e-9)
