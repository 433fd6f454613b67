"""The generator: a Markov matrix by construction, and the same operator from every side."""

import gc
import sys
import threading
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

import fpsolve as fp

ENDS = ["open", "reflecting", "absorbing", "periodic", ("absorbing", "open"), ("reflecting", "absorbing")]


def problem(ends="open", cells=30, force=0.7, roughness=1.0):
    process = fp.Process(lambda x: force - roughness * np.sin(x), lambda x: 0.6 + 0.3 * np.cos(2 * x))
    return fp.Problem(process, fp.Grid(x=fp.Axis.uniform(-np.pi, np.pi, cells, ends=ends)))


@pytest.mark.parametrize("ends", ENDS)
def test_columns_sum_to_minus_the_killing_rate(ends):
    L = fp.generator(problem(ends))
    rates = L.rates()
    assert np.asarray(rates.sum(axis=0)).ravel() == pytest.approx(-L.killing, abs=1e-12 * abs(rates).max())
    assert (np.any(L.killing > 0)) == ("absorbing" in ends)
    off = rates.toarray() - np.diag(rates.diagonal())
    assert off.min() >= 0
    assert L.is_markov


@settings(max_examples=40, deadline=None)
@given(st.floats(-1e4, 1e4), st.floats(0, 1e4), st.integers(3, 60), st.sampled_from(ENDS))
def test_rates_are_positive_on_any_grid(force, roughness, cells, ends):
    L = fp.generator(problem(ends, cells, force, roughness))
    rates = L.rates()
    assert L.is_markov
    assert np.abs(np.asarray(rates.sum(axis=0)).ravel() + L.killing).max() <= 1e-11 * abs(rates).max()


@pytest.mark.parametrize("ends", ENDS)
def test_apply_adjoint_rates_and_resolvent_are_one_operator(ends):
    L = fp.generator(problem(ends))
    matrix = L.rates().toarray()
    rng = np.random.default_rng(1)
    m, f = rng.random(L.size), rng.normal(size=L.size)
    assert L.apply(m) == pytest.approx(matrix @ m, abs=1e-11 * abs(matrix).max())
    assert L.adjoint(f) == pytest.approx(matrix.T @ f, abs=1e-11 * abs(matrix).max())
    for z in (0.7, 2.0 + 3.0j, *((0.0,) if "absorbing" in ends else ())):
        inverse = np.linalg.inv(z * np.eye(L.size) - matrix)
        assert L.resolvent(z).solve(m) == pytest.approx(inverse @ m, rel=1e-9)
        assert L.resolvent(z).solve_adjoint(f) == pytest.approx(inverse.T @ f, rel=1e-8, abs=1e-10)
    columns = rng.normal(size=(L.size, 3))
    assert L.resolvent(1.0).solve(columns) == pytest.approx(np.linalg.inv(np.eye(L.size) - matrix) @ columns, abs=1e-10)


def test_complex_right_hand_sides_at_a_real_shift():
    L = fp.generator(problem())
    b = np.arange(L.size) * (1 + 2j)
    assert L.resolvent(1.0).solve(b) == pytest.approx((1 + 2j) * L.resolvent(1.0).solve(np.arange(L.size)))


def test_exponential_keeps_mass_and_positivity():
    L = fp.generator(problem("reflecting"))
    m = expm(0.3 * L.rates().toarray()) @ np.eye(L.size)[0]
    assert m.sum() == pytest.approx(1.0, abs=1e-12)
    assert m.min() > 0


def test_the_generator_is_kept_as_long_as_its_problem():
    pr = problem()
    L = fp.generator(pr)
    assert fp.generator(pr) is L
    assert fp.generator(pr, t=3.0) is L  # nothing depends on time
    alive = weakref.ref(L)
    del pr, L
    gc.collect()
    assert alive() is None


def test_time_dependent_coefficients_are_taken_at_t():
    process = fp.Process(lambda x, t: -x * (1 + t), lambda x, t: 1.0 + 0 * x)
    pr = fp.Problem(process, fp.Grid(x=(-4, 4, 20)))
    late = fp.generator(pr, t=1.0)
    same = fp.generator(fp.Problem(fp.Process(lambda x: -2 * x, 1.0), pr.grid))
    assert late.rates().toarray() == pytest.approx(same.rates().toarray(), rel=1e-12)
    assert fp.generator(pr, t=0.0).rates().toarray() != pytest.approx(late.rates().toarray())


def test_absorbing_ends_sit_on_the_last_face():
    # free diffusion between absorbing faces: the mean exit time (1 - x^2)/(2 D) solves L^T tau = -1
    grid = fp.Grid(x=fp.Axis.uniform(-1, 1, 101, ends="absorbing"))
    L = fp.generator(fp.Problem(fp.Process(0.0, 0.5), grid))
    tau = L.resolvent(0.0).solve_adjoint(np.ones(L.size))
    x = grid.nodes[0]
    assert tau == pytest.approx(1 - x**2, abs=1e-4)


def test_absorbing_ends_are_second_order_with_drift():
    def error(cells):
        grid = fp.Grid(x=fp.Axis.uniform(0, 1, cells, ends="absorbing"))
        L = fp.generator(fp.Problem(fp.Process(2.0, 1.0), grid))
        tau = L.resolvent(0.0).solve_adjoint(np.ones(L.size))
        x = grid.nodes[0]
        return np.abs(tau - (np.expm1(-2 * x) / np.expm1(-2.0) - x) / 2).max()

    order = np.log(error(50) / error(150)) / np.log(3)
    assert order == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda L: L.resolvent(0.0), "null vector"),
        (lambda L: L.resolvent(np.nan), "finite z"),
        (lambda L: L.apply(np.ones(3)), r"shape \(3,\); expected one entry a cell"),
        (lambda L: L.resolvent(1.0).solve(np.ones(3)), r"shape \(3,\)"),
        (lambda L: fp.generator(problem(), t=np.inf), "finite time"),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(fp.InvalidInput, match=message):
        call(fp.generator(problem()))


def test_row_6_negative_rates_are_refused_with_their_count(monkeypatch):
    generator_module = sys.modules["fpsolve.generator"]
    honest = generator_module.chain_edges

    def broken(*args):
        edges = honest(*args)
        edges.up[3:5] = [-2.0, -7.0]
        return edges

    monkeypatch.setattr(generator_module, "chain_edges", broken)
    with pytest.raises(fp.InvalidInput, match=r"Positive\(\) lost the positivity of 2 rates \(worst -7\)"):
        fp.generator(problem())


def test_row_49_threads_may_ask_at_once():
    pr, answers = problem("periodic", cells=2000), []
    threads = [threading.Thread(target=lambda: answers.append(fp.stationary(pr.replace()).values)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert all(np.array_equal(answers[0], other) for other in answers)


def test_row_33_too_little_memory_is_told_before_anything_is_allocated(monkeypatch):
    with pytest.raises(fp.NotEnoughMemory, match=r"1000000000000 cells needs about 6\.4e\+04 GB, and .* GB are"):
        fp.Axis.uniform(0, 1, 10**12)
    pr = problem(cells=50)
    memory = sys.modules["fpsolve.memory"]
    monkeypatch.setattr(memory, "available_bytes", lambda: 1e4)
    monkeypatch.setattr(memory, "SMALL", 0.0)
    with pytest.raises(fp.NotEnoughMemory, match=r"generator of 50 cells needs about 1\.5e-05 GB, and 1e-05 GB are"):
        fp.generator(pr)
    assert issubclass(fp.NotEnoughMemory, MemoryError)


def test_row_33_holds_for_particles():
    pr = problem("periodic", cells=50)
    with pytest.raises(fp.NotEnoughMemory, match="1000000000000 particles at 1 times needs"):
        fp.simulate(pr, fp.Point(0.0), [1.0], dt=0.1, n=10**12, seed=1)
    net = fp.models.DiagonalNetwork(fp.Regression([1.0, -1.0, 2.0], [1.0, -0.5, 1.0]))
    with pytest.raises(fp.NotEnoughMemory, match="SGD of 1000000000000 replicas needs"):
        net.sgd(steps=10, n=10**12, seed=1)
