"""SDIRK2: its tableau, steps that meet every time, mass by increments, few factorisations (and test_one_step.py)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from steppers import double_well

import fpsolve as fp
from fpsolve.initial import masses
from fpsolve.methods.sdirk2 import EMBEDDED, B, G
from fpsolve.methods.steps import Adaptive, Equal
from fpsolve.resolvent import Resolvent

A = np.array([[G, 0.0], [1.0 - G, G]])
C = A.sum(axis=1)


class Dense:
    """A matrix with the members that a method asks for; it counts its factorisations."""

    def __init__(self, matrix, counts=None):
        self.matrix, self.counts = matrix, [] if counts is None else counts

    def apply(self, m):
        return self.matrix @ m

    def resolvent(self, z):
        self.counts.append(z)
        inverse = np.linalg.inv(z * np.eye(len(self.matrix)) - self.matrix)
        return type("Inverse", (), {"solve": lambda _, b: inverse @ b})()


def test_the_tableau_is_of_order_two_and_stiffly_accurate():
    assert (A[1] == B).all()  # what decays at once is gone after a step: L-stable
    assert sum(B) == pytest.approx(1, abs=1e-15)
    assert np.dot(B, C) == pytest.approx(0.5, abs=1e-15)
    assert abs(B @ A @ C - 1 / 6) > 0.04  # and no more


def test_the_embedded_formula_is_of_order_three_for_constant_generators():
    b, full = np.array(EMBEDDED), np.zeros((3, 3))
    full[1:, 1:] = A
    c = full.sum(axis=1)
    assert [b.sum(), b @ c, b @ full @ c] == pytest.approx([1, 1 / 2, 1 / 6], abs=1e-15)


def test_stages_sample_the_generator_where_they_should():
    seen = []

    def at(t):
        seen.append(t)
        return Dense(np.array([[-1.0, 1.0], [1.0, -1.0]]))

    fp.SDIRK2(dt=0.5).states(at, np.array([1.0, 0.0]), [2.5], start=2.0)
    assert sorted(set(seen)) == pytest.approx([2.0 + 0.5 * G, 2.5])


@pytest.mark.parametrize("rtol", [1e-3, 1e-5, 1e-7])
def test_the_sum_of_the_estimates_bounds_the_error(rtol):
    L, m0 = double_well()
    exact = expm(2.0 * L.rates().toarray()) @ m0
    rows, info = fp.SDIRK2(rtol=rtol).states(L, m0, [0.3, 2.0])
    error = np.abs(rows[-1] - exact).sum()
    bound = float(info.notes[1].split("add up to ")[1].split()[0])
    assert error < bound < 100 * error
    assert error < 20 * rtol  # an error of rtol is allowed to every step


def test_adaptive_steps_follow_a_point_into_equilibrium():
    pr = fp.Problem(fp.Process(lambda x: x - x**3, 0.25), fp.Grid(x=(-3, 3, 601)))
    L, m0 = fp.generator(pr), masses(fp.Point(0.0), pr.grid)
    rows, info = fp.SDIRK2().states(L, m0, [0.01, 1.0, 100.0])
    taken, refused, factored = (int(word) for word in info.notes[0].split() if word.isdigit())
    assert taken < 300
    assert refused < 10
    assert factored < 45  # over seven decades of step sizes
    assert rows.min() >= 0
    assert rows[-1] == pytest.approx(fp.stationary(pr).masses, abs=1e-6)


def test_stiff_components_are_gone_after_one_long_step():
    L, m0 = double_well()
    fast = Dense(1e6 * L.rates().toarray())
    rows, _ = fp.SDIRK2(dt=1.0).states(fast, m0, [1.0])
    settled = fp.stationary(fp.Problem(fp.Process(lambda x: x - x**3, 0.25), fp.Grid(x=(-3, 3, 60)))).masses
    assert np.abs(rows[0] - settled).sum() < 1e-3
    trapezoidal = np.linalg.solve(np.eye(60) - 0.5 * fast.matrix, m0 + 0.5 * fast.apply(m0))
    assert np.abs(trapezoidal - settled).sum() > 0.5  # the control: A-stable is not enough


def test_mass_is_kept_to_rounding_in_long_stiff_runs():
    pr = fp.Problem(fp.Process(lambda x: x - x**3, 0.25), fp.Grid(x=(-3, 3, 2001)))
    L, m0 = fp.generator(pr), masses(fp.Gaussian(-1, 0.1), pr.grid)
    rows, _ = fp.SDIRK2(dt=0.05).states(L, m0, [1.0, 20.0])
    assert rows.sum(axis=1) == pytest.approx(m0.sum(), abs=1e-13)
    z, m = 1.0 / (G * 0.05), m0
    solve = Resolvent(L.rates(), z).solve
    for _ in range(400):  # the control: the same method in states, not in increments, loses mass at every step
        m = (1 + np.sqrt(2)) * z**2 * solve(solve(m)) - np.sqrt(2) * z * solve(m)
    assert rows[1] == pytest.approx(m, abs=1e-12)
    assert abs(m.sum() - m0.sum()) > 1e-12


def test_mass_is_kept_where_rates_spread_over_ten_decades():
    process = fp.Process(lambda v: -v * (v - 1), lambda v: 0.1 * v**2 * (v**2 - 2 * v + 2))
    pr = fp.Problem(process, fp.Grid(v=fp.Axis.log(1e-4, 1e4, 200)))
    L, m0 = fp.generator(pr), masses(fp.Gaussian(1, 0.1), pr.grid)
    rows, _ = fp.SDIRK2(dt=0.01).states(L, m0, [10.0, 20.0])
    assert rows.sum(axis=1) == pytest.approx(m0.sum(), abs=1e-13)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=5), st.sampled_from([0.1, 0.07, 0.25]))
def test_equal_steps_meet_every_time(gaps, dt):
    times = np.cumsum(gaps) * 0.13
    steps, now = Equal(dt), 0.0
    for end in times:
        steps.enter(now, float(end))
        while steps.left:
            assert steps.t == pytest.approx(now, rel=1e-12, abs=1e-12)
            assert steps.h <= dt * (1 + 1e-9)
            now = steps.t + steps.h
            steps.judge(None)
        assert now == pytest.approx(end, rel=1e-12)
        now = float(end)
    assert steps.taken == sum(int(np.ceil(gap * 0.13 / dt - 1e-9)) for gap in gaps)


@settings(deadline=None, max_examples=25)
@given(st.floats(1e-6, 10.0), st.floats(1e-3, 3.0), st.integers(0, 10_000))
def test_adaptive_steps_meet_every_time_in_halves_and_thirds(first, scale, seed):
    """The error of a step is (h/scale)^3 of what is allowed, times a factor that no one can foresee."""
    steps, now, rng = Adaptive(1e-3, 2, first), 0.0, np.random.default_rng(seed)
    for end in (0.3, 1.0):
        steps.enter(now, end)
        length = end - now
        while steps.left:
            t, h = steps.t, steps.h
            assert t == pytest.approx(now, abs=1e-12)
            parts = round(length / h)
            assert length / h == pytest.approx(parts, rel=1e-9)
            assert parts & (parts - 1) == 0 or (parts % 3 == 0 and (parts // 3) & (parts // 3 - 1) == 0)
            error = 1e-3 * (h / scale) ** 3 * rng.uniform(0.1, 2.0)
            assert steps.judge(error) == (error <= 1e-3)
            now = t + h if error <= 1e-3 else now
        assert now == pytest.approx(end, rel=1e-12)
        now = end
    assert steps.refused < 0.3 * steps.taken + 10


def test_equal_steps_share_one_factorisation():
    counts = []
    matrix = double_well(60)[0].rates().toarray()[:10, :10]
    fp.SDIRK2(dt=0.05).states(Dense(matrix, counts), np.full(10, 0.1), np.linspace(0, 10, 41))
    assert len(counts) == 1
    counts.clear()
    fp.SDIRK2(dt=0.05).states(Dense(matrix, counts), np.full(10, 0.1), [0.5, 4.0, 1000.0, 1000.1])
    assert len(counts) == 1  # 0.1 after 1000 has the rounding of 1000
    counts.clear()
    fp.SDIRK2(dt=0.05).states(Dense(matrix, counts), np.full(10, 0.1), [0.5, 0.53, 1.03, 1.06])
    assert len(counts) == 2  # .05 and .03, each kept


def test_a_start_at_the_first_time_is_returned_as_it_is():
    L, m0 = double_well()
    assert np.array_equal(fp.SDIRK2().states(L, m0, [0.0, 1.0])[0][0], m0)
    assert np.array_equal(fp.SDIRK2(dt=0.1).states(L, m0, [0.0])[0], [m0])


def test_what_is_not_finite_stops_the_run_with_the_last_good_state():
    def at(t):
        return Dense(np.full((2, 2), np.nan) if t > 0.5 else np.array([[-1.0, 1.0], [1.0, -1.0]]))

    with pytest.raises(fp.NotConverged, match=r"no longer finite at t=0\.6") as caught:
        fp.SDIRK2(dt=0.1).states(at, np.array([1.0, 0.0]), [1.0])
    assert caught.value.best.sum() == pytest.approx(1.0)


def test_an_estimate_that_is_never_small_stops_the_run():
    class Hopeless(Dense):
        def apply(self, m):
            return super().apply(m) + np.random.default_rng().normal(size=2) * 1e60

    with pytest.raises(fp.NotConverged, match="the step fell to"):
        fp.SDIRK2().states(Hopeless(np.array([[-1.0, 1.0], [1.0, -1.0]])), np.array([1.0, 0.0]), [1.0])
