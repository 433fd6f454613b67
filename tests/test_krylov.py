"""Krylov: errors below its tolerance, mass to rounding, few factorisations, masks where it is blind, faults."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.linalg import expm

import fpsolve as fp
from fpsolve.initial import masses
from fpsolve.methods.basis import Basis
from fpsolve.methods.flow import Flow
from fpsolve.methods.march import Interrupted, Method
from fpsolve.methods.response import Response


def line(drift, diffusion, axis):
    return fp.Problem(fp.Process(drift, diffusion), fp.Grid(x=axis))


def case_t(cells):
    """A double well of two coordinates, from a Gaussian beside its left minimum."""
    grid = fp.Grid(x=(-2, 2, cells), y=(-2, 2, cells))
    return fp.Problem(fp.Process(lambda x, y: (x - x**3, -y), 0.1), grid), fp.Gaussian((-1, 0.3), 0.15)


RING = fp.Axis.uniform(0, 2 * np.pi, 80, ends="periodic")
EXITS = fp.Axis.uniform(-1, 1, 101, ends="absorbing")
PROBLEMS = {
    "well": (line(lambda x: x - x**3, 0.25, (-3, 3, 100)), fp.Gaussian(-1, 0.2), 2.0),
    "cold well": (line(lambda x: x - x**3, 0.02, (-2, 2, 200)), fp.Gaussian(0, 0.1), 10.0),
    "point": (line(lambda x: -x, 0.5, (-5, 5, 101)), fp.Point(0.0), 0.5),
    "driven ring": (line(lambda x: 3 + np.sin(x), 0.1, RING), fp.Gaussian(1, 0.4), 1.0),
    "exits": (line(lambda x: -x, 0.5, EXITS), fp.Gaussian(0, 0.1), 1.0),
    "drift": (line(lambda x: 1 + 0 * x, 0.05, (-3, 7, 200)), fp.Gaussian(0, 0.3), 2.0),
    "plane": (*case_t(20), 2.0),
}
STARTED = {name: (fp.generator(pr), masses(start, pr.grid).ravel(), t) for name, (pr, start, t) in PROBLEMS.items()}
EXACT = {name: expm(t * L.rates().toarray()) @ m0 for name, (L, m0, t) in STARTED.items()}


def error(name, method):
    L, m0, t = STARTED[name]
    rows, info = method.states(L, m0, [t])
    return np.abs(rows[0] - EXACT[name]).sum() / EXACT[name].sum(), info


@pytest.mark.parametrize("name", list(PROBLEMS))
@pytest.mark.parametrize("tol", [1e-4, 1e-7, 1e-10])
def test_the_error_is_below_its_estimate_and_that_below_the_tolerance(name, tol):
    found, info = error(name, fp.Krylov(tol=tol))
    assert found < 3 * info.time_error + 1e-12  # the exponential that it is compared with has some 1e-12
    assert info.time_error <= tol
    assert info.steps < 60


def test_a_frozen_coefficient_at_the_wrong_time_is_noticed():
    L, m0, t = STARTED["well"]
    assert np.abs(fp.Krylov().states(L, m0, [1.01 * t])[0][0] - EXACT["well"]).sum() > 1e-4


@settings(deadline=None, max_examples=25)
@given(
    st.floats(-20, 20),
    st.floats(0.01, 5),
    st.floats(1e-4, 30.0),
    st.sampled_from(["periodic", "reflecting", "open"]),
    st.integers(0, 40),
)
def test_mass_is_kept_to_rounding(force, strength, t, ends, cell):
    axis = fp.Axis.uniform(-np.pi, np.pi, 41, ends=ends)
    pr = line(lambda x: force * np.cos(x) + 1, lambda x: strength * (1.1 + np.sin(x)), axis)
    rows, info = fp.Krylov().states(fp.generator(pr), masses(fp.Point(axis.nodes[cell]), pr.grid), [0.1 * t, t])
    assert rows.sum(axis=1) == pytest.approx(1.0, abs=1e-14)
    assert rows.min() >= -1e-10
    assert info.time_error <= 1e-10


def test_mass_is_kept_where_rates_spread_over_sixteen_decades_and_equilibrium_is_reached():
    process = fp.Process(lambda v: -v * (v - 1), lambda v: 0.1 * v**2 * (v**2 - 2 * v + 2))
    pr = fp.Problem(process, fp.Grid(v=fp.Axis.log(1e-8, 1e8, 400)))
    m0 = masses(fp.Gaussian(1, 0.1), pr.grid)
    rows, _ = fp.Krylov().states(fp.generator(pr), m0, [0.1, 1.0, 1e4])
    assert rows.sum(axis=1) == pytest.approx(m0.sum(), abs=1e-14)
    assert rows[-1] == pytest.approx(m0.sum() * fp.stationary(pr).on_grid().masses, abs=1e-12)


def test_a_double_well_of_two_coordinates_stays_positive():
    pr, start = case_t(64)
    path = fp.evolve(pr, start, [2.0])
    assert path.info.method.startswith("Krylov")
    assert path.info.smallest >= -1e-15 * path[0].values.max()
    assert path.info.mass_error < 1e-14


def test_twenty_times_of_a_decade_share_one_basis():
    L, m0, t = STARTED["plane"]
    one = fp.Krylov().states(L, m0, [t])[1]
    times = np.geomspace(0.1 * t, t, 20)
    rows, many = fp.Krylov().states(L, m0, times)
    assert "in 1 bases, 1 factorisations" in many.notes[0]
    assert many.steps < 2 * one.steps
    for k in (0, 7, 19):
        exact = expm(times[k] * L.rates().toarray()) @ m0
        assert np.abs(rows[k] - exact).sum() < 1e-10


def test_times_over_many_decades_take_a_basis_each():
    L, m0, _ = STARTED["well"]
    times = [1e-6, 1e-3, 1.0, 1.0 + 1e-9, 1e3]
    rows, info = fp.Krylov().states(L, m0, times)
    assert "in 4 bases" in info.notes[0]
    for t, row in zip(times, rows, strict=True):
        assert np.abs(row - expm(t * L.rates().toarray()) @ m0).sum() < 2e-10


def test_a_basis_that_is_not_enough_is_begun_again():
    L, m0, t = STARTED["drift"]
    rows, info = fp.Krylov(vectors=15).states(L, m0, [0.3 * t, t])
    assert int(info.notes[0].split(" in ")[1].split()[0]) > 4
    assert np.abs(rows[-1] - EXACT["drift"]).sum() < 2e-10
    assert info.time_error < 2e-10
    assert rows.sum(axis=1) == pytest.approx(1.0, abs=1e-13)


def test_vectors_beyond_what_there_is_do_no_harm():
    pr = line(lambda x: x - x**3, 0.02, (-2, 2, 60))
    L, m0, t = fp.generator(pr), masses(fp.Gaussian(-1, 0.2), pr.grid), 200.0
    basis = Basis(Flow(L), m0, t / 20, 100)
    basis.grow(100)
    exact = expm(t * L.rates().toarray()) @ m0
    assert np.abs(basis.states(np.array([t]))[0] - exact).sum() < 1e-11


@pytest.mark.parametrize("added", [True, False])
def test_eigenvalues_that_rounding_puts_beyond_0_count_as_0(added):
    """They belong to what decays at once; with exp(t l) as it stands they would explode."""
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    times, s = np.array([1.0, 2.0]), 0.1

    def response(w):
        return Response(turn @ np.diag([0.5, w]) @ turn.T, s, added)(times)

    for beyond, limit in zip(response(-1e-3), response(1e-9), strict=True):
        assert beyond == pytest.approx(limit, abs=2e-3)
    assert times[0] * (1 - 1 / -1e-3) / s > 700  # the control: beyond what exp can hold


@pytest.mark.parametrize("added", [True, False])
def test_both_ways_to_the_response_agree(added):
    rng = np.random.default_rng(1)
    rates = -np.diag(rng.uniform(0.1, 30, 8)) + 0.3 * rng.normal(size=(8, 8))
    H, times = np.linalg.inv(np.eye(8) - 0.05 * rates), np.array([0.3, 1.0])
    response = Response(H, 0.05, added)
    assert response.condition < 1e3
    with np.errstate(all="raise"):
        by_squaring = response._by_squaring(times)
    for one, other in zip(response(times), by_squaring, strict=True):
        assert one == pytest.approx(other, abs=1e-11)
    first = np.eye(8)[0]
    exact = np.array([expm(t * rates) @ first for t in times])
    if added:
        exact = (exact - first) @ np.linalg.inv(H - np.eye(8)).T
    assert response(times)[0] == pytest.approx(exact, abs=1e-11)


def test_mass_carried_one_way_has_no_eigenvectors_and_needs_none():
    """Drift against a wall, 98 times the noise in a cell: the eigenvectors of H are parallel to rounding."""
    axis = fp.Axis.uniform(-np.pi, np.pi, 41, ends="reflecting")
    pr = line(1.0, lambda x: 0.0156 * (1.1 + np.sin(x)), axis)
    L, m0 = fp.generator(pr), masses(fp.Point(axis.nodes[30]), pr.grid)
    rows, _ = fp.Krylov().states(L, m0, [2.2])
    assert np.abs(rows[0] - expm(2.2 * L.rates().toarray()) @ m0).sum() < 2e-10
    basis = Basis(Flow(L), m0, 0.1, 60)
    basis.grow(40)
    assert Response(basis._projected[:30, :30], 0.1, True).condition > 1e9


def test_what_absorbing_ends_leave_keeps_its_digits():
    """Free diffusion from the middle: the survival at t = 40, e^-49, is right to ten of its own digits."""
    pr = line(0.0, 0.5, EXITS)
    L = fp.generator(pr)
    rows, _ = fp.Krylov().states(L, masses(fp.Point(0.0), pr.grid), [1.0, 2.0, 40.0])
    slowest = float(np.linalg.eigvalsh(L.rates().toarray()).max())
    left = rows.sum(axis=1)
    assert math.log(left[2] / left[1]) == pytest.approx(38.0 * slowest, abs=1e-9)
    assert slowest == pytest.approx(-(np.pi**2) / 8, rel=1e-3)
    assert rows.min() > 0


def test_an_equilibrium_needs_no_vectors():
    L, _, _ = STARTED["well"]
    m = fp.stationary(PROBLEMS["well"][0]).on_grid().masses
    rows, info = fp.Krylov().states(L, m, [1e-3, 100.0])
    assert rows[0] == pytest.approx(m, abs=1e-14)
    assert rows[1] == pytest.approx(m, abs=1e-13)
    assert info.time_error <= 1e-10


def test_logarithms_are_masked_where_p_does_not_exceed_its_error():
    pr = PROBLEMS["well"][0]
    p, best = (fp.evolve(pr, fp.Gaussian(-1, 0.2), [0.5], method=fp.Krylov(tol=tol))[0] for tol in (1e-6, 1e-13))
    masked = np.isnan(p.log_values)
    level = p.info.floor * p.masses.max()
    assert np.array_equal(masked, p.masses <= level)
    assert 0 < masked.sum() < masked.size
    assert np.abs(p.masses - best.masses).max() <= level
    clear = p.masses > 100 * level
    assert p.log_values[clear] == pytest.approx(best.log_values[clear], abs=0.01)
    dark, lit = p.grid.nodes[0][masked][0], p.grid.nodes[0][~masked][10]
    assert np.isnan(p.log(dark + 0.01))
    assert p(dark + 0.01) == pytest.approx(0.0, abs=1e-5)
    assert p(lit + 0.01) == pytest.approx(best(lit + 0.01), rel=1e-3)
    assert math.exp(p.log(lit + 0.01)) == pytest.approx(p(lit + 0.01))
    assert p.entropy() == pytest.approx(best.entropy(), abs=1e-4)
    assert p.mode() == pytest.approx(best.mode(), abs=1e-4)
    assert fp.distance(p, best, "TV") < 1e-6
    assert fp.distance(p, best.replace(grid=best.grid), "KL") < 1e-6


def test_masked_densities_are_compared_on_other_grids_and_in_two_dimensions():
    fine = line(lambda x: x - x**3, 0.25, (-3, 3, 200))
    p, q = (fp.evolve(pr, fp.Gaussian(-1, 0.2), [0.5])[0] for pr in (PROBLEMS["well"][0], fine))
    assert fp.distance(p, q, "TV") < 2e-3
    pr, start = case_t(24)
    r = fp.evolve(pr, start, [0.1])[0]
    assert np.isnan(r.log_values).any()
    assert np.isnan(r.log(1.9, 1.9))
    assert abs(r(1.9, 1.9)) < 1e-9
    assert r.entropy() == pytest.approx(-np.sum(r.masses * np.log(np.maximum(r.values, 1e-300))), abs=1e-6)
    assert np.isfinite(r.marginal("x").values).all()


def test_a_generator_in_motion_is_refused():
    pr = line(lambda x, t: np.cos(t) - x, 0.5, (-5, 5, 50))
    with pytest.raises(fp.InvalidInput, match=r"does not depend on time, and this one does: use fp\.TRBDF2\(\)"):
        fp.evolve(pr, fp.Gaussian(0, 1), [1.0], method=fp.Krylov())
    assert fp.evolve(pr.replace(process=pr.process.at(0.0)), fp.Gaussian(0, 1), [1.0]).info.method.startswith("Krylov")


def test_the_default_is_krylov_where_nothing_moves():
    moving = line(lambda x, t: np.cos(t) - x, 0.5, (-5, 5, 50))
    assert fp.evolve(PROBLEMS["well"][0], fp.Gaussian(-1, 0.2), [0.1, 0.2]).info.method.startswith("Krylov")
    assert fp.evolve(moving, fp.Gaussian(0, 1), [0.1]).info.method.startswith("TRBDF2")


class Lying:
    """A generator whose solves belong to another one."""

    def __init__(self, L, other):
        self.L, self.other = L, other
        self.killing, self.is_markov = L.killing, True

    def apply(self, m):
        return self.L.apply(m)

    def resolvent(self, z):
        return self.other.resolvent(z)


def test_solves_of_another_generator_are_noticed():
    L, m0, t = STARTED["well"]
    other = fp.generator(line(lambda x: x - x**3, 0.2501, (-3, 3, 100)))
    assert fp.Krylov().states(Lying(L, L), m0, [t])[1].steps < 30  # the control
    with pytest.raises(fp.NotConverged, match="30 vectors do not reach t="):
        fp.Krylov(vectors=30).states(Lying(L, other), m0, [t])


class Stop:
    def __init__(self, at):
        self.at, self.told = at, []

    def __call__(self, done, total):
        self.told.append(done)
        assert total == 1000
        if done >= self.at:
            raise KeyboardInterrupt


def test_row_50_an_interrupted_run_keeps_the_times_it_has():
    L, m0, _ = STARTED["well"]
    times = [0.01, 0.05, 1.0, 30.0]
    with pytest.raises(Interrupted) as caught:
        fp.Krylov().states(L, m0, times, progress=Stop(20))
    kept = caught.value
    assert kept.times.tolist() == [0.01, 0.05]
    assert kept.masses == pytest.approx(fp.Krylov().states(L, m0, times)[0][:2], abs=1e-15)
    with pytest.raises(Interrupted) as caught:
        fp.Krylov().states(L, m0, [2.0], progress=Stop(1))
    assert caught.value.times.tolist() == [0.0]
    assert np.array_equal(caught.value.masses[0], m0)


def test_progress_rises_within_one_basis():
    L, m0, _ = STARTED["well"]
    watch = Stop(1001)
    fp.Krylov().states(L, m0, [2.0], progress=watch)
    assert watch.told == sorted(watch.told)
    assert watch.told[-1] == 1000
    assert len(set(watch.told)) > 3


def test_a_run_that_goes_on_equals_one_run():
    pr, start, _ = PROBLEMS["well"]
    whole = fp.evolve(pr, start, [0.5, 2.0])
    rest = fp.evolve(pr, fp.evolve(pr, start, [0.5]), [2.0])
    assert np.abs(rest.masses[0] - whole.masses[1]).sum() < 2e-10


@pytest.mark.parametrize("tol", [0.0, -1.0, 1e-15, 0.5, np.nan])
def test_row_32_a_tolerance_is_one_that_can_be_kept(tol):
    with pytest.raises(fp.InvalidInput, match="tol is"):
        fp.Krylov(tol=tol)


def test_it_is_a_method_and_a_value():
    assert isinstance(fp.Krylov(), Method)
    assert fp.Krylov(tol=1e-8) == fp.Krylov(tol=1e-8)
    with pytest.raises(fp.InvalidInput, match="vectors is 3; give a whole number >= 10"):
        fp.Krylov(vectors=3)


def test_refined_transients_have_eight_digits():
    """Ornstein-Uhlenbeck, k = D = 1, from N(2, .1): L1 error at t = 1."""
    pr = line(lambda x: -x, 1.0, (-7, 7, 400))
    start = fp.Gaussian(2, cov=0.1)
    mean, var = 2 * math.exp(-1), 1 - 0.9 * math.exp(-2)

    def l1(p):
        exact = np.exp(-((p.grid.nodes[0] - mean) ** 2) / (2 * var)) / math.sqrt(2 * math.pi * var)
        return float(np.sum(p.grid.weights * np.abs(p.values - exact)))

    assert quad(lambda x: math.exp(-((x - mean) ** 2) / (2 * var)), -7, 7)[0] == pytest.approx(
        math.sqrt(2 * math.pi * var)
    )
    plain = fp.evolve(pr, start, [1.0])[0]
    sharp = fp.refined(lambda problem: fp.evolve(problem, start, [1.0])[0], pr)
    assert 1e-5 < l1(plain) < 3e-4
    assert l1(sharp) < 1e-8
