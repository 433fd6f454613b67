"""TR-BDF2: its tableau, errors near rtol, how steps share them, positivity, factorisations (and test_one_step.py)."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from steppers import double_well, swinging

import fpsolve as fp
from fpsolve.initial import masses
from fpsolve.methods.budget import Budget
from fpsolve.methods.march import march
from fpsolve.methods.steps import Adaptive, Equal
from fpsolve.methods.tr_bdf2 import EMBEDDED, B, D, G

A = np.array([[0.0, 0.0, 0.0], [D, D, 0.0], B])
C = A.sum(axis=1)


def line(drift, diffusion, axis):
    return fp.Problem(fp.Process(drift, diffusion), fp.Grid(x=axis))


RING = fp.Axis.uniform(0, 2 * np.pi, 60, ends="periodic")
EXITS = fp.Axis.uniform(-1, 1, 60, ends="absorbing")
TAILS = fp.Axis.sinh(-100, 100, 80, scale=0.5)
ONE_WAY = fp.Grid(
    x=fp.Axis.uniform(-4, 4, 20, ends="reflecting"), q=fp.Axis.uniform(-2, 1, 25, ends=("reflecting", "reflecting"))
)
SQUARE = fp.Grid(x=(-2, 2, 18), y=(-2, 2, 18))
TEN = {
    "Ornstein-Uhlenbeck": (line(lambda x: -x, 1.0, (-7, 7, 100)), fp.Gaussian(2, 0.3), 1.0),
    "well": (line(lambda x: x - x**3, 0.25, (-3, 3, 80)), fp.Gaussian(-1, 0.2), 1.0),
    "top of a barrier": (line(lambda x: x - x**3, 0.1, (-2, 2, 80)), fp.Gaussian(0, 0.2), 2.0),
    "ring": (line(lambda x: 2 + np.sin(x), 0.3, RING), fp.Gaussian(1, 0.4), 1.0),
    "drift": (line(lambda x: 1 + 0 * x, 0.05, (-3, 6, 120)), fp.Gaussian(0, 0.3), 1.0),
    "tails": (line(lambda x: -x, lambda x: 0.2 * (1 + x**2), TAILS), fp.Gaussian(1, 0.3), 1.0),
    "exits": (line(lambda x: -x, 0.5, EXITS), fp.Gaussian(0, 0.15), 0.5),
    "point": (line(lambda x: -x, 0.5, (-5, 5, 41)), fp.Point(0.0), 1.0),
    "two coordinates": (
        fp.Problem(fp.Process(lambda x, y: (x - x**3, -y), 0.1), SQUARE),
        fp.Gaussian((-0.9, 0.3), 0.25),
        0.5,
    ),
    "one way": (
        fp.Problem(fp.Process(lambda x, q: (-x, -1 + 0 * q), lambda x, q: (1.0 + 0 * x, 0 * x)), ONE_WAY),
        fp.Gaussian((0.0, 0.0), (0.8, 0.3)),
        0.5,
    ),
}


def start(name):
    pr, initial, t = TEN[name]
    return fp.generator(pr), masses(initial, pr.grid, normalize=True).ravel(), t


def test_the_tableau_is_of_order_two_and_stiffly_accurate():
    b = np.array(B)
    assert pytest.approx([0, G, 1], abs=1e-15) == C
    assert b.sum() == pytest.approx(1, abs=1e-15)
    assert b @ C == pytest.approx(0.5, abs=1e-15)
    assert abs(b @ C**2 - 1 / 3) > 0.03  # and no more
    z = -1e8  # what decays at once is gone after a step
    assert abs(1 + z * b @ np.linalg.solve(np.eye(3) - z * A, np.ones(3))) < 1e-6


def test_the_embedded_formula_is_of_order_three():
    b = np.array(EMBEDDED)
    assert [b.sum(), b @ C, b @ C**2, b @ A @ C] == pytest.approx([1, 1 / 2, 1 / 3, 1 / 6], abs=1e-15)


@pytest.mark.parametrize("name", list(TEN))
def test_the_error_of_a_run_is_near_rtol(name):
    """At most 3 rtol, and not much below rtol; steps in proportion to rtol^(-1/2)."""
    check_errors(name, (1e-3, 1e-4, 1e-5, 1e-6))


@pytest.mark.slow
@pytest.mark.parametrize("name", list(TEN))
def test_the_error_of_a_run_is_near_rtol_down_to_1e_8(name):
    check_errors(name, (1e-7, 1e-8))


def check_errors(name, tolerances):
    L, m0, t = start(name)
    exact, taken = fp.Krylov(tol=1e-12).states(L, m0, [t])[0][0], []
    for rtol in tolerances:
        rows, info = fp.TRBDF2(rtol=rtol).states(L, m0, [0.3 * t, t])
        error = np.abs(rows[1] - exact).sum() / exact.sum()
        assert (0.1 if rtol < 1e-3 else 0.02) * rtol < error < 3 * rtol
        assert error < info.time_error < 3 * rtol
        taken.append(info.steps)
    growth = math.sqrt(tolerances[-2] / tolerances[-1])
    assert taken[-1] / taken[-2] == pytest.approx(growth, rel=0.2)


def test_an_error_per_step_would_grow_with_the_number_of_steps():
    """The control: SDIRK2 allows rtol to every step."""
    L, m0, t = start("drift")
    exact = fp.Krylov(tol=1e-12).states(L, m0, [t])[0][0]
    assert np.abs(fp.SDIRK2(rtol=1e-6).states(L, m0, [t])[0][0] - exact).sum() > 1e-5


def test_errors_are_near_rtol_where_the_generator_moves():
    L, m0 = swinging()
    exact = solve_ivp(lambda t, m: L(t).apply(m), (0, 1), m0, method="Radau", rtol=1e-9, atol=1e-13).y[:, -1]
    for rtol in (1e-3, 1e-4):
        rows, info = fp.TRBDF2(rtol=rtol).states(L, m0, [1.0])
        assert 0.05 * rtol < np.abs(rows[0] - exact).sum() < 3 * rtol
        assert info.time_error < 3 * rtol


def point(cells=401):
    pr = line(lambda x: -x, 0.5, (-5, 5, cells))
    return pr, fp.Point(pr.grid.nodes[0][cells // 2])


def test_equal_steps_that_would_go_negative_are_halved_and_the_shortest_taken_by_backward_euler():
    pr, initial = point(1601)
    path = fp.evolve(pr, initial, [0.1, 1.0], method=fp.TRBDF2(dt=0.1))
    assert path.info.smallest >= -1e-10 * path[0].values.max()
    (note,) = (note for note in path.info.notes if "negative density" in note)
    assert re.fullmatch(
        r"\d+ steps that left a negative density were taken again by shorter ones, \d of these by backward Euler", note
    )
    assert path.info.mass_error < 1e-13
    assert path.info.steps == 10
    exact = fp.evolve(pr, initial, [0.1, 1.0])
    assert fp.distance(path[0], exact[0], "L1") < 0.02
    assert fp.distance(path[1], exact[1], "L1") < 2e-3
    with pytest.warns(fp.ResolutionWarning, match="of its peak"):  # the control
        other = fp.evolve(pr, initial, [0.1], method=fp.SDIRK2(dt=0.1))
    assert other.info.smallest < -0.1 * other[0].values.max()


class Undershooting:
    """Steps without an error that leave a negative mass if they are longer than .1."""

    dt, rtol, order = None, 0.5, 2

    def __init__(self):
        self.taken = []

    def step(self, flow, t, h, m, estimate):
        self.taken.append(h)
        return m + np.array([0.2, -0.2, 0.0]) * (h > 0.1), np.zeros(3)


def unchanged(flow, t, h, e):
    return e


def test_adaptive_steps_that_would_go_negative_are_shortened():
    pr = line(lambda x: -x, 0.5, (-5, 5, 3))
    method = Undershooting()
    m0 = np.array([0.8, 0.1, 0.1])
    rows, info = march(method, fp.generator(pr), m0, [1.0], carry=unchanged, positive=True)
    assert rows[0].tolist() == m0.tolist()
    long = sum(h > 0.1 for h in method.taken)
    assert long > 0
    assert info.notes[-1] == f"{long} steps that left a negative density were taken again by shorter ones"
    assert info.steps == len(method.taken) - long
    loose, _ = march(Undershooting(), fp.generator(pr), m0, [1.0], carry=unchanged)
    assert loose.min() < 0  # the control


def test_accurate_transport_may_undershoot_and_is_left_alone():
    """No step, however short, keeps a density positive that its own generator makes negative."""
    pr, _, t = TEN["one way"]
    steep = fp.Problem(pr.process, pr.grid, fp.Accurate())
    narrow = fp.Gaussian((0.0, 0.0), (0.8, 0.08))
    path = fp.evolve(steep, narrow, [t], method=fp.TRBDF2(dt=t / 40), normalize=True)
    assert path.info.smallest < 0
    assert path.info.steps == 40
    assert not any("taken again" in note for note in path.info.notes)
    assert any("accurate transport undershoots" in note for note in path.info.notes)


def test_steps_are_judged_by_their_share_of_the_run():
    budget = Budget(3e-3, 0.0, 10.0, 1.0)
    steps = Adaptive(1e-3, 2, 1.0, budget)
    steps.enter(0.0, 10.0)
    steps.h  # noqa: B018 - known before it is judged
    assert steps.count == 12  # 3 2^2
    first = budget.allowed(0.0, 10 / 12, 1.0)
    assert first > 3e-3 / 12  # the early ones may err by more than their length says
    assert steps.judge(0.99 * first)
    assert not steps.judge(1.01 * budget.allowed(steps.t, steps.h, 1.0))
    assert steps.total == budget.bound == pytest.approx(0.99 * first)
    assert not steps.judge(0.0, sound=False)
    assert Equal(1.0).judge(None, sound=False)


@given(st.lists(st.tuples(st.floats(0.01, 1), st.floats(0, 1), st.floats(0, 1)), min_size=1), st.floats(1e-9, 1e3))
def test_the_bound_never_exceeds_the_budget(steps, scale):
    """Whatever steps take of what they may, and whatever decays: (length, part of it taken, part of errors kept)."""
    length = sum(h for h, _, _ in steps)
    budget, t = Budget(1.0, 0.0, length, scale), 0.0
    for h, part, kept in steps:
        allowed = budget.allowed(t, h, kept)
        assert allowed >= 0
        budget.take(part * allowed, kept)
        t += h
    assert budget.worst <= 1 + 1e-12


def test_a_budget_is_used_up_by_steps_that_take_what_they_may():
    budget, h = Budget(1.0, 5.0, 2.0, 1e-3), 2.0 / 64
    for k in range(64):
        budget.take(budget.allowed(5.0 + k * h, h, 1.0), 1.0)
    assert budget.bound == pytest.approx(1.0, rel=1e-12)


def test_what_has_decayed_may_be_spent_again():
    budget = Budget(1.0, 0.0, 10.0, 1.0)
    budget.take(0.5, 1.0)
    assert budget.allowed(1.0, 1.0, 0.6) - budget.allowed(1.0, 1.0, 1.0) == pytest.approx(0.2)
    budget.take(0.1, 0.6)
    assert budget.bound == pytest.approx(0.4)
    assert budget.worst == 0.5


def test_long_runs_in_a_contracting_well_take_few_steps():
    """Nothing happens after t = 10, and errors decay like exp(-t): 18 046 steps if shared by lengths."""
    L, m0, _ = start("Ornstein-Uhlenbeck")
    stops = [1.0, 5.0, 100.0]
    rows, info = fp.TRBDF2(rtol=1e-5).states(L, m0, stops)
    exact = fp.Krylov(tol=1e-12).states(L, m0, stops)[0]
    errors = np.abs(rows - exact).sum(axis=1)
    assert info.steps < 1400  # 5 700 by lengths
    assert errors.max() < info.time_error < 3e-5
    assert errors.max() > 3e-7


def test_constant_generators_are_factored_once_per_step_size():
    L, m0 = double_well()
    _, info = march(fp.TRBDF2(dt=0.05), L, m0, np.linspace(0, 10, 41))
    assert "200 steps, 0 refused, 1 factorisations" in info.notes[0]
    assert info.time_error is None


def test_row_50_an_interrupted_run_goes_on(monkeypatch):
    pr, initial, _ = TEN["well"]
    method, stop = fp.TRBDF2(dt=0.02), []

    def progress(done, total):
        stop.append(done / total)
        if stop[-1] > 0.5:
            raise KeyboardInterrupt

    with pytest.warns(fp.FpsolveWarning, match="interrupted at t="):
        part = fp.evolve(pr, initial, [0.2, 1.0], method=method, progress=progress)
    assert part.times == pytest.approx([0.2, 0.5], abs=0.03)
    rest = fp.evolve(pr, part, [1.0], method=method)
    whole = fp.evolve(pr, initial, [1.0], method=method)
    assert rest.masses[0] == pytest.approx(whole.masses[0], abs=1e-13)
