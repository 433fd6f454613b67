"""Contour inversion: its tolerance is a bound, mass is kept, no eigenvalue is left out, one set serves many times."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mittag_leffler import E, eigenvectors, interval, of_any, on_line
from scipy.special import gamma

import fpsolve as fp
from fpsolve.initial import masses
from fpsolve.methods.hyperbola import hyperbola
from fpsolve.methods.march import Interrupted, Method

ON_AXIS = np.pi * np.array([0.5 + 1e-9, 0.51, 0.53, 0.6, 0.75, 1.0])  # |arg| of eigenvalues


def line(drift, diffusion, axis, memory):
    return fp.Problem(fp.Process(drift, diffusion, memory=memory), fp.Grid(x=axis))


def ou(memory, cells=1000, reach=8):
    return line(lambda x: -x, 1.0, (-reach, reach, cells), memory)


def ring(memory, speed=5.0, D=0.02, cells=100):
    return line(speed, D, fp.Axis.uniform(0, 2 * np.pi, cells, ends="periodic"), memory)


def started(problem, start):
    return fp.generator(problem), masses(start, problem.grid).ravel()


def scalar_error(theta, beta, ratio, tol, args):
    """Of E_beta(l t^beta) over eigenvalues l of the given |arg|, in the window [1, ratio]."""
    z, weights = hyperbola(theta, 1.0, ratio, tol).nodes()
    sizes, worst = np.append(0.0, np.geomspace(1e-3, 1e6, 80)), 0.0
    for t in (1.0, np.sqrt(ratio), ratio):
        shares = weights * np.exp(z * t) * z ** (beta - 1)
        for rates in sizes[:, None] * np.exp(1j * args) / t**beta:
            found = np.sum(shares / (z**beta - rates[:, None]), axis=1)
            found += np.sum(shares.conj() / (z.conj() ** beta - rates[:, None]), axis=1)
            worst = max(worst, np.abs(found - E(rates * t**beta, beta)).max())
    return worst


@pytest.mark.parametrize("tol", [1e-5, 1e-9, 1e-13])
@pytest.mark.parametrize("ratio", [1.0, 7.0, 1e4])
def test_the_tolerance_bounds_the_error(tol, ratio):
    for beta in (0.1, 0.5, 0.9, 1.0):
        assert scalar_error(np.pi / 2, beta, ratio, tol, np.array([np.pi])) < tol
    for beta in (0.4, 0.72, 0.85):
        theta = min(np.pi / 2, np.pi / 2 * (1 / beta - 1))
        assert scalar_error(theta, beta, ratio, tol, ON_AXIS) < tol


def test_singularities_in_front_of_their_rays_are_missed():
    theta = np.pi / 2 * (1 / 0.85 - 1)
    assert scalar_error(theta + 0.4, 0.85, 1.0, 1e-12, ON_AXIS) > 1e-4


def test_contours_are_as_short_as_the_published_ones():
    """Weideman & Trefethen: errors 2.2e-10 with 10 nodes for one time, exp(-1.02 n) for a decade."""
    assert hyperbola(np.pi / 2, 1.0, 1.0, 1e-11).count <= 12
    assert hyperbola(np.pi / 2, 1.0, 10.0, 1e-11).count <= 28
    best = hyperbola(np.pi / 2, 2.0, 2.0, 1e-12)
    assert best.angle == pytest.approx(1.172, abs=0.07)
    assert best.mu * 2.0 / best.count == pytest.approx(4.49, rel=0.35)


def test_ornstein_uhlenbeck_is_that_of_its_eigenvectors():
    known = eigenvectors(fp.generator(ou(0.5)))
    for beta in (0.3, 0.5, 0.7, 0.9, 1.0):
        L, m0 = started(ou(beta), fp.Gaussian(2.0, 0.3))
        for t in (0.01, 1.0, 100.0):
            rows, info = fp.Contour().states(L, m0, np.array([t]))
            assert np.abs(rows[0] - on_line(L, m0, beta, t, known)[0]).sum() < 2e-11
            assert info.steps <= 14
            assert abs(rows[0].sum() - m0.sum()) < 1e-13
            assert rows[0].min() > -1e-13 * rows[0].max()
    assert np.abs(rows[0] - on_line(L, m0, 0.9999, t, known)[0]).sum() > 1e-7


def test_twenty_times_of_a_decade_share_one_contour():
    L, m0 = started(ou(0.7, 400), fp.Gaussian(2.0, 0.3))
    times = np.geomspace(0.2, 2.0, 20)
    rows, many = fp.Contour().states(L, m0, times)
    assert many.steps < 2.5 * fp.Contour().states(L, m0, times[-1:])[1].steps
    for row, exact in zip(rows, on_line(L, m0, 0.7, times), strict=True):
        assert np.abs(row - exact).sum() < 1e-11


def test_few_times_far_apart_have_a_contour_each():
    L, m0 = started(ou(0.7, 200), fp.Gaussian(2.0, 0.3))
    times = np.array([0.0, 1e-8, 1.0, 1e9])
    rows, info = fp.Contour().states(L, m0, times)
    assert "3 contours" in info.notes[0]
    assert np.array_equal(rows[0], m0)
    assert rows[3] == pytest.approx(fp.stationary(ou(0.7, 200)).on_grid().masses, abs=1e-6)


def test_moments_of_ornstein_uhlenbeck_relax_as_mittag_leffler_functions():
    t = np.geomspace(0.05, 5.0, 12)
    for beta in (0.3, 0.7, 0.95):
        coarse, fine = (fp.evolve(ou(beta, n, 9), fp.Gaussian(2.0, 0.3), t) for n in (600, 1800))
        mean = (9 * fine.mean() - coarse.mean()) / 8  # second order in the cells
        square = (9 * fine.expect(lambda x: x * x) - coarse.expect(lambda x: x * x)) / 8
        assert mean == pytest.approx(2 * E(-(t**beta), beta).real, abs=1e-7)
        assert square == pytest.approx(1 + 3.09 * E(-2 * t**beta, beta).real, abs=1e-7)
        assert np.abs(mean - 2 * np.exp(-t)).max() > 1e-2


def test_five_thousand_cells_are_enough_for_six_digits():
    beta, t = 0.7, np.array([0.3, 1.0])
    path = fp.evolve(ou(beta, 5000, 7), fp.Gaussian(2.0, 0.3), t)
    assert path.mean() == pytest.approx(2 * E(-(t**beta), beta).real, abs=1e-6)


@pytest.mark.parametrize("beta", [0.3, 0.5, 0.7, 0.9])
def test_free_diffusion_with_memory(beta):
    found = []
    for cells in (401, 1203):
        p = fp.evolve(line(0.0, 1.0, (-25, 25, cells), beta), fp.Point(0.0), [1.0])[0]
        assert p.var() == pytest.approx(2 / gamma(1 + beta), rel=1e-8)
        found.append(p.values[cells // 2])
    assert (9 * found[1] - found[0]) / 8 == pytest.approx(1 / (2 * gamma(1 - beta / 2)), rel=1e-4)


@pytest.mark.parametrize("beta", [0.5, 0.72, 0.9, 0.97])
def test_a_turning_ring_is_solved_though_its_eigenvalues_are_complex(beta):
    L, m0 = started(ring(beta, cells=48), fp.Gaussian(2.0, 0.3))
    assert not L.has_real_spectrum
    times = np.array([0.2, 0.5, 2.0]) if beta < 0.9 else np.array([2.0])
    rows, _ = fp.Contour().states(L, m0, times)
    for row, exact in zip(rows, of_any(L, m0, beta, times), strict=True):
        assert row == pytest.approx(exact, abs=1e-13)


def test_a_contour_too_narrow_for_a_turning_ring_is_caught():
    for beta, sector in ((0.8, np.pi), (0.8, 2.0), (0.95, np.pi)):
        L, m0 = started(ring(beta), fp.Gaussian(2.0, 0.3))
        with pytest.raises(fp.NotConverged, match=r"two contours differ by .* eigenvalues lie outside the sector"):
            fp.Contour(sector=sector).states(L, m0, np.array([2.0]))
    L, m0 = started(ring(0.8, speed=0.01), fp.Gaussian(2.0, 0.3))  # hardly turning: eigenvalues are nearly real
    rows, info = fp.Contour(sector=2.5).states(L, m0, np.array([2.0]))
    assert "half as wide agrees" in info.notes[1]
    assert rows[0] == pytest.approx(of_any(L, m0, 0.8, 2.0)[0], abs=1e-12)


def test_two_contours_that_both_miss_an_eigenvalue_agree():
    """Why no contour is used that could miss one: agreement of two does not show it."""
    beta, rate = 0.9, 30.0 * np.exp(0.51j * np.pi)
    found = []
    for angle in (0.6, 0.8):
        mu = 4.0 / (1 - np.sin(angle))
        step = np.arccosh((1 + 38.0 / mu) / np.sin(angle)) / 40
        s = 1j * (np.arange(40) + 0.5) * step - angle
        z, weights = mu * (1 + np.sin(s)), step * mu * np.cos(s) / (2 * np.pi)
        shares = weights * np.exp(z) * z ** (beta - 1)
        found.append(np.sum(shares / (z**beta - rate)) + np.sum(shares.conj() / (z.conj() ** beta - rate)))
    assert abs(found[0] - found[1]) < 1e-6
    assert abs(found[0] - E(rate, beta)) > 100 * abs(found[0] - found[1])
    theta = np.pi / 2 * (1 / beta - 1)
    assert scalar_error(theta, beta, 1.0, 1e-10, np.array([0.51 * np.pi])) < 1e-10


def plane(memory, turning):
    process = fp.Process(lambda x, y: (-x - turning * y, turning * x - y), ((1.0, 0.0), (0.0, 1.0)), memory=memory)
    return fp.Problem(process, fp.Grid(x=(-5, 5, 20), y=(-5, 5, 20)))


@pytest.mark.parametrize(("turning", "real", "solves"), [(0.0, True, 13), (1.5, False, 49)])
def test_a_plane_is_solved_on_the_contour_that_its_balance_allows(turning, real, solves):
    L, m0 = started(plane(0.8, turning), fp.Gaussian((1.5, 0.0), 0.6))
    assert L.has_real_spectrum == real
    rows, info = fp.Contour().states(L, m0, np.array([0.7]))
    assert info.steps == solves
    assert rows[0] == pytest.approx(of_any(L, m0, 0.8, 0.7)[0], abs=1e-12)
    assert rows[0].sum() == pytest.approx(m0.sum(), abs=1e-13)


@settings(deadline=None, max_examples=15)
@given(
    st.floats(-20, 20),
    st.floats(0.01, 5),
    st.floats(1e-4, 30.0),
    st.sampled_from(["periodic", "reflecting", "open"]),
    st.integers(0, 40),
    st.floats(0.1, 0.9),
)
def test_mass_is_kept_and_no_density_negative(force, strength, t, ends, cell, beta):
    axis = fp.Axis.uniform(-np.pi, np.pi, 41, ends=ends)
    pr = line(lambda x: force * np.cos(x) + 1, lambda x: strength * (1.1 + np.sin(x)), axis, beta)
    L, m0 = started(pr, fp.Point(axis.nodes[cell]))
    rows, _ = fp.Contour().states(L, m0, np.array([0.1 * t, t]))
    assert rows.sum(axis=1) == pytest.approx(1.0, abs=1e-12)
    assert rows.min() >= -1e-12


def test_mass_is_kept_where_rates_spread_over_sixteen_decades():
    process = fp.Process(lambda v: -v * (v - 1), lambda v: 0.1 * v**2 * (v**2 - 2 * v + 2), memory=0.6)
    pr = fp.Problem(process, fp.Grid(v=fp.Axis.log(1e-8, 1e8, 400)))
    L, m0 = started(pr, fp.Gaussian(1, 0.1))
    rows, _ = fp.Contour().states(L, m0, np.array([0.1, 1.0, 1e4]))
    assert rows.sum(axis=1) == pytest.approx(m0.sum(), abs=1e-12)


@pytest.mark.parametrize("beta", [0.4, 0.7])
def test_survival_of_waiting_paths(beta):
    t = np.geomspace(0.05, 1e5, 25)
    exact, density = interval(t, beta)
    S = fp.survival(line(0.0, 0.5, (-2, 2, 401), beta), fp.Point(0.0), np.append(0.0, t), inside=(-1, 1))
    assert S.probability[1:] == pytest.approx(exact, abs=2e-5)
    assert S.exit_density[1:] == pytest.approx(density, rel=5e-3)
    assert (S[0], S.exit_density[0]) == (1.0, 0.0)
    slope = np.diff(np.log(S.probability[-2:])) / np.diff(np.log(t[-2:]))
    assert slope == pytest.approx(-beta, abs=1e-2)  # an exponential of no rate
    assert np.abs(S.probability[1:] - interval(t, beta + 0.01)[0]).max() > 1e-3


def test_absorbing_ends_and_their_flux():
    exits = fp.Axis.uniform(-1, 1, 201, ends="absorbing")
    pr = line(lambda x: -x, 0.5, exits, 0.6)
    L, m0 = started(pr, fp.Gaussian(0.2, 0.15))
    t = np.geomspace(0.1, 10, 60)
    path = fp.evolve(pr, fp.Gaussian(0.2, 0.15), t)
    assert path.info.mass_error is None
    assert path.masses[30] == pytest.approx(on_line(L, m0, 0.6, t[30])[0], abs=1e-12)
    S = fp.survival(pr, fp.Gaussian(0.2, 0.15), t)
    slope = -np.gradient(S.probability, t, edge_order=2)[5:-5]
    assert slope == pytest.approx(S.exit_density[5:-5], rel=2e-2)


def test_a_run_is_told_interrupted_and_kept():
    L, m0 = started(ou(0.7, 100), fp.Gaussian(1.0, 0.3))
    told = []
    fp.Contour().states(L, m0, np.array([1.0, 1e6]), progress=lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1] == 26

    def stop(done, total):
        if done == 20:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        fp.Contour().states(L, m0, np.array([1.0, 1e6]), progress=stop)
    assert caught.value.times.tolist() == [1.0]
    with pytest.warns(fp.FpsolveWarning, match="with memory nothing goes on from it"):
        path = fp.evolve(ou(0.7, 100), fp.Gaussian(1.0, 0.3), [1.0, 1e6], progress=stop)
    assert not path.finished
    assert len(path) == 1


def test_a_contour_is_a_method():
    assert isinstance(fp.Contour(), Method)
    path = fp.evolve(ou(0.5, 100), fp.Gaussian(1.0, 0.5), [0.0, 1.0])
    assert path.info.method.startswith("Contour")
    assert path.info.time_error == path.info.floor == 1e-12
    assert path.info.mass_error < 1e-13
