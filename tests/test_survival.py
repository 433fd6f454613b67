"""Survival: exit densities in closed form, integrals that are mean times, moving drifts, interruptions, bad input."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import jn_zeros, jv

import fpsolve as fp
from fpsolve.initial import masses
from fpsolve.values.survival import Survival


def line(drift, diffusion, axis):
    return fp.Problem(fp.Process(drift, diffusion), fp.Grid(x=axis))


def walk(cells=201):
    return line(0.0, 0.5, (-2, 2, cells))


def interval(t, D=0.5, terms=60):
    """Survival of free diffusion from the middle of (-1, 1)."""
    n = 2 * np.arange(terms)[:, None] + 1
    return np.sum(4 / (np.pi * n) * (-1.0) ** ((n - 1) // 2) * np.exp(-D * (np.pi * n / 2) ** 2 * t), axis=0)


LONG = np.append(0.0, np.geomspace(1e-4, 40, 260))


def test_free_diffusion_in_an_interval():
    t = np.linspace(0.05, 4, 40)
    errors = []
    for cells in (101, 201, 401):
        S = fp.survival(walk(cells), fp.Point(0.0), t, inside=(-1, 1))
        errors.append(np.abs(S.probability - interval(t)).max())
    assert errors[-1] < 2e-5
    assert np.log2(errors[0] / errors[2]) / 2 == pytest.approx(2.0, abs=0.4)
    assert S[0] == S.probability[0]
    assert np.asarray(S) == pytest.approx(S.probability)
    assert -np.gradient(S.probability, t, edge_order=2)[5:-5] == pytest.approx(S.exit_density[5:-5], abs=4e-3)


def test_a_wrong_interval_is_noticed():
    t = np.linspace(0.05, 4, 40)
    S = fp.survival(walk(), fp.Point(0.0), t, inside=(-1, 1.02))
    assert np.abs(S.probability - interval(t)).max() > 3e-3


def test_the_exit_density_of_a_drifted_walk_is_inverse_gaussian():
    v, D, x0 = 1.0, 0.5, 1.0
    t = np.geomspace(0.05, 12, 50)
    exact = x0 / np.sqrt(4 * np.pi * D * t**3) * np.exp(-((x0 - v * t) ** 2) / (4 * D * t))
    errors = []
    for cells in (260, 520):
        width = 13.0 / cells
        pr = line(-v, D, (-1 - width / 2, 12 - width / 2, cells))  # nodes at 0 and 1
        S = fp.survival(pr, fp.Point(x0), t, inside=(0, None))
        errors.append(np.abs(S.exit_density - exact).max())
    assert errors[1] < 3e-3
    assert errors[0] / errors[1] == pytest.approx(4.0, abs=0.6)
    assert fp.survival(pr, fp.Point(x0), np.append(0, np.geomspace(1e-3, 15, 400)), (0, None)).mean_exit_time() == (
        pytest.approx(x0 / v, rel=1e-4)
    )


@pytest.mark.parametrize("start", [fp.Point(0.0), fp.Gaussian(0.1, 0.15)])
def test_survival_integrates_to_the_mean_exit_time(start):
    for pr, inside in (
        (walk(), (-1, 1)),
        (walk(), lambda x: 0.97 - x**2),
        (line(lambda x: x - x**3, 0.25, (-3, 3, 301)), (-1.5, 0.8)),
    ):
        S = fp.survival(pr, start, LONG, inside)
        tau = fp.mean_exit_time(pr, inside, method=fp.GTH())
        assert S.mean_exit_time() == pytest.approx(np.sum(masses(start, pr.grid) * tau.values), rel=1e-6)
        second = fp.mean_exit_time(pr, inside, moment=2, method=fp.GTH())
        t, f = S.times, S.exit_density
        moment = np.sum(0.5 * np.diff(t) * (t[1:] ** 2 * f[1:] + t[:-1] ** 2 * f[:-1]))
        assert moment == pytest.approx(np.sum(masses(start, pr.grid) * second.values), rel=2e-3)


def test_on_a_fine_grid_that_is_the_mean_exit_time_in_closed_form():
    width = 2.0 / 800
    pr = line(0.0, 0.5, (-1 - width / 2, 1 + width / 2, 801))  # the targets on nodes
    S = fp.survival(pr, fp.Point(0.0), LONG, inside=(-1, 1))
    assert S.mean_exit_time() == pytest.approx(1.0, rel=1e-6)


def test_late_exits_are_those_of_the_quasi_stationary_density():
    pr = line(lambda x: x - x**3, 0.1, (-3, 3, 300))
    p = fp.quasi_stationary(pr, (None, 0), method=fp.SparseLU())
    S = fp.survival(pr, fp.Gaussian(-1.2, 0.1), [100.0, 150.0], (None, 0))
    assert S.exit_density / S.probability == pytest.approx(p.info.decay_rate, rel=1e-6)
    assert np.log(S[0] / S[1]) / 50 == pytest.approx(p.info.decay_rate, rel=1e-6)
    steady = fp.survival(pr, p, [10.0], (None, 0))
    assert steady[0] == pytest.approx(np.exp(-10 * p.info.decay_rate), rel=1e-8)


def test_a_disc():
    grid = fp.Grid(x=(-1.3, 1.3, 41), y=(-1.25, 1.25, 41))
    pr = fp.Problem(fp.Process(lambda x, y: (0 * x, 0 * y), 0.5), grid)
    t = np.linspace(0.1, 2, 8)
    S = fp.survival(pr, fp.Point(0.0, 0.0), t, lambda x, y: 1 - x * x - y * y)
    roots = jn_zeros(0, 12)[:, None]
    exact = np.sum(2 / (roots * jv(1, roots)) * np.exp(-0.5 * roots**2 * t), axis=0)
    assert np.abs(S.probability - exact).max() < 3e-3


def test_absorbing_ends_and_starts_outside():
    ends = line(0.0, 0.5, fp.Axis.uniform(-1, 1, 101, ends="absorbing"))
    t = np.linspace(0.1, 3, 10)
    S = fp.survival(ends, fp.Point(0.0), t)
    assert S.probability == pytest.approx(interval(t), abs=1e-3)
    mass = fp.evolve(ends, fp.Point(0.0), t).mass
    assert S.probability == pytest.approx(mass, abs=1e-9)
    outside = fp.survival(walk(), fp.Gaussian(1.5, 0.05), [0.0, 1.0], (-1, 1))
    assert np.all(np.asarray(outside) < 1e-20)
    assert outside.mean_exit_time() < 1e-20


def test_a_drift_that_changes_in_time():
    # a constant drift told as a function of t, and one that grows
    still, moving = line(0.4, 0.5, (-2, 2, 101)), line(lambda x, t: 0.4 + 0 * x * t, 0.5, (-2, 2, 101))
    t, method = np.linspace(0.2, 1, 5), fp.SDIRK2(dt=0.01)
    a, b = (fp.survival(pr, fp.Gaussian(0, 0.2), t, (-1, 1), method=method) for pr in (still, moving))
    assert b.probability == pytest.approx(a.probability, abs=1e-12)
    assert b.exit_density == pytest.approx(a.exit_density, abs=1e-12)
    pushed = line(lambda x, t: 0.4 + 3 * t, 0.5, (-2, 2, 101))
    c = fp.survival(pushed, fp.Gaussian(0, 0.2), t, (-1, 1), method=method)
    assert np.all(c.probability[1:] < a.probability[1:])
    assert np.all(c.exit_density[2:] > a.exit_density[2:])


def test_second_order_transport_is_counted():
    grid = fp.Grid(x=(-1, 2, 60), y=(-3, 3, 24))
    process = fp.Process(lambda x, y: (1 + 0 * x, -y), (0.0, 0.2))
    start = fp.Gaussian((0.0, 0.0), (0.15, 0.4))
    for scheme in (fp.Positive(), fp.Accurate()):
        S = fp.survival(fp.Problem(process, grid, scheme), start, np.linspace(0, 2, 81), ((None, 1), None))
        assert np.trapezoid(S.exit_density, S.times) == pytest.approx(S[0] - S[-1], abs=2e-3)
        assert S.mean_exit_time() == pytest.approx(1.0, abs=0.05)


@settings(max_examples=15, deadline=None)
@given(st.floats(-2, 2), st.floats(0.2, 1.0), st.floats(-0.8, 0.0), st.floats(0.1, 0.9))
def test_survival_falls_from_one_to_nothing(drift, D, lo, hi):
    S = fp.survival(line(drift, D, (-1.5, 1.5, 61)), fp.Gaussian(0.05, 0.02), [0.0, 0.1, 1.0, 30.0], (lo, hi),
                    normalize=True)  # fmt: skip
    assert 0.9 < S[0] <= 1.0 + 1e-12 or hi < 0.15 or lo > -0.05
    assert np.all(np.diff(S.probability) <= 1e-10)
    assert np.all(S.exit_density >= -1e-8)
    assert S[3] < 1e-3


def test_row_50_ctrl_c_keeps_what_is_done():
    calls = []

    def stop(done, total):
        calls.append(done)
        if done > total // 3:
            raise KeyboardInterrupt

    with pytest.warns(fp.FpsolveWarning, match="interrupted at t="):
        S = fp.survival(
            walk(), fp.Point(0.0), np.linspace(0.1, 4, 40), (-1, 1), progress=stop, method=fp.SDIRK2(dt=0.05)
        )
    assert not S.finished
    assert 1 < len(S) < 40
    assert "partial" in repr(S)
    assert len(calls) > 1


@pytest.mark.parametrize(
    ("initial", "message"),
    [
        (lambda x: -np.exp(-x * x), "negative"),  # row 26
        (fp.Gaussian(5.0, 0.1), "mass is|is 0 in every cell"),  # row 27
        (lambda x: 0 * x, "0 in every cell"),  # row 28
    ],
)
def test_rows_26_to_28_bad_starts(initial, message):
    with pytest.raises(fp.InvalidInput, match=message):
        fp.survival(walk(), initial, [1.0], (-1, 1))


def test_row_27_a_start_of_another_mass_is_accepted_when_told():
    S = fp.survival(walk(), lambda x: 3 * np.exp(-50 * x * x), [0.0], (-1, 1), normalize=True)
    assert S[0] == pytest.approx(1.0)


def test_row_29_a_point_between_nodes_is_moved_and_told():
    with pytest.warns(fp.ResolutionWarning, match="lies between nodes"):
        fp.survival(walk(), fp.Point(0.007), [1.0], (-1, 1))


def test_rows_30_and_31_bad_steps_and_times():
    for dt in (0.0, -1.0, np.nan):
        with pytest.raises(fp.InvalidInput, match="dt is"):
            fp.survival(walk(), fp.Point(0.0), [1.0], (-1, 1), method=fp.SDIRK2(dt=dt))
    with pytest.raises(fp.InvalidInput, match="run lasts"):
        fp.survival(walk(), fp.Point(0.0), [1.0], (-1, 1), method=fp.SDIRK2(dt=2.0))
    for times, message in (
        ([2, 1], "must rise"),
        ([1, 1], "must rise"),
        ([-1, 1], "the start is at t=0"),
        ([np.nan], "finite"),
    ):
        with pytest.raises(fp.InvalidInput, match=message):
            fp.survival(walk(), fp.Point(0.0), times, (-1, 1))
    with pytest.raises(fp.InvalidInput, match="method is"):
        fp.survival(walk(), fp.Point(0.0), [1.0], (-1, 1), method=fp.GTH())
    with pytest.raises(fp.InvalidInput, match="no path ever leaves"):
        fp.survival(walk(), fp.Point(0.0), [1.0])


def test_survivals_print_save_and_draw(tmp_path):
    S = fp.survival(walk(), fp.Point(0.0), np.linspace(0, 2, 9), (-1, 1))
    copy = fp.load(S.save(tmp_path / "S.npz"))
    assert np.array_equal(copy.exit_density, S.exit_density)
    assert copy.mean_exit_time() == S.mean_exit_time()
    assert repr(copy) == repr(S)
    assert len(S) == 9
    for draw in (S.plot, S.plot_density):
        ax = draw()
        assert draw(ax, label="again", log=True) is ax
        ax.figure.clear()
    assert repr(Survival([1.0], [0.5], [0.1], (1.0, 0.0))) == "Survival(t=1; 0.5 left)"
    with pytest.raises(fp.InvalidInput, match="shapes"):
        Survival([1.0, 2.0], [0.5], [0.1], (1.0, 0.0))
    assert sys.getsizeof(S) > 0
