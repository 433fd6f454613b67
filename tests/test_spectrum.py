"""Spectra: exact rates with and without detailed balance, wells that no eigenvalue solver sees, modes, bad input."""

import re

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import fpsolve as fp
from fpsolve.metastable import wells_of
from fpsolve.slowest import log_balance

MATRIX, TENSOR = np.array([[1.0, 1.5], [-0.5, 1.0]]), ((1.0, 0.4), (0.4, 0.5))


def line(drift, diffusion, axis):
    return fp.Problem(fp.Process(drift, diffusion), fp.Grid(x=axis))


def ornstein_uhlenbeck(cells=200, k=1.3):
    return line(lambda x: -k * x, 1.0, (-7, 7, cells))


def well(kT, tilt=0.0, cells=300):
    return line(lambda x: x - x**3 + tilt, 0.25 / kT, (-2.2, 2.2, cells))


def rotating(cells):
    """dX = -M X dt: its rates are sums of the eigenvalues of M."""
    grid = fp.Grid(x=(-8, 8, cells), y=(-5, 5, cells))
    return fp.Problem(fp.Process(lambda x, y: (-x - 1.5 * y, 0.5 * x - y), TENSOR), grid)


def test_ornstein_uhlenbeck_decays_at_multiples_of_k():
    found = fp.spectrum(ornstein_uhlenbeck(), 6)
    assert found.rates == pytest.approx(1.3 * np.arange(6), rel=5e-3, abs=1e-12)
    assert found.rates.dtype == float
    assert found.rates[0] == 0.0
    assert found.gap == found.rates[1]
    assert found.relaxation_time == pytest.approx(1 / 1.3, rel=2e-3)
    assert len(found) == 6
    assert found.info.residual < 1e-12
    assert "symmetric" in found.info.notes[0]


def test_rates_are_second_order_and_extrapolate():
    order = fp.convergence(lambda pr: fp.spectrum(pr, 3).gap, ornstein_uhlenbeck(60), refine=(1, 2, 4), exact=1.3)
    assert order.order == pytest.approx(2.0, abs=0.05)
    sharp = fp.refined(lambda pr: fp.spectrum(pr, 3).gap, ornstein_uhlenbeck(60))
    assert sharp == pytest.approx(1.3, abs=1e-6)


def test_a_wrong_stiffness_is_noticed():
    assert fp.spectrum(ornstein_uhlenbeck(k=1.33), 3).gap != pytest.approx(1.3, rel=1e-2)


def test_modes_are_hermite_functions():
    pr = ornstein_uhlenbeck(400, k=1.0)
    found = fp.spectrum(pr, 4)
    x = pr.grid.nodes[0]
    for mode, hermite in zip(found.modes, (1, x, x**2 - 1, x**3 - 3 * x), strict=True):
        exact = hermite * np.exp(-x * x / 2)
        exact = exact / np.sum(np.abs(exact) * pr.grid.weights)
        exact = exact * np.sign(exact[np.argmax(np.abs(mode.values))])
        assert np.abs(mode.values - exact).max() < 2e-3
        assert np.sum(np.abs(mode.values) * pr.grid.weights) == pytest.approx(1.0, rel=1e-12)
    assert found.modes[0].values == pytest.approx(fp.stationary(pr).on_grid().values, rel=1e-9)
    L = fp.generator(pr)
    m = found.modes[2].values * pr.grid.weights
    assert L.apply(m) == pytest.approx(-found.rates[2] * m, abs=1e-10)


def test_rotation_makes_rates_complex():
    a, b = sorted(np.linalg.eigvals(MATRIX), key=lambda z: -z.imag)
    errors = []
    for cells in (40, 80):
        found = fp.spectrum(rotating(cells), 6)
        assert np.iscomplexobj(found.rates)
        assert np.all(np.diff(found.rates.real) > -1e-9)
        exact = [0, a, b, a + b, 2 * a, 2 * b]
        errors.append(np.abs(found.rates - sorted(exact, key=lambda z: (round(z.real, 6), -z.imag))).max())
        assert np.abs(found.rates[[1, 2]] - [a, b]).max() < 0.05
    gaps = [abs(fp.spectrum(rotating(cells), 2).gap - a.real) for cells in (40, 80)]
    assert gaps[0] / gaps[1] == pytest.approx(4.0, abs=0.5)
    assert "general" in found.info.notes[0]
    L = fp.generator(rotating(40))
    pair = fp.spectrum(rotating(40), 3)
    u, v = (mode.values.ravel() * rotating(40).grid.weights.ravel() for mode in pair.modes[1:])
    turned = pair.rates[1].real * u - pair.rates[1].imag * v  # L (u + i v) = -rate (u + i v)
    assert L.apply(u) == pytest.approx(-turned, abs=1e-9)
    without = fp.Problem(
        fp.Process(lambda x, y: (-x, -y), ((1.0, 0.0), (0.0, 1.0))), fp.Grid(x=(-6, 6, 40), y=(-6, 6, 40))
    )
    assert not np.iscomplexobj(fp.spectrum(without, 6).rates)


def test_equal_rates_are_all_found():
    flat = fp.Problem(fp.Process(lambda x, y: (-x, -y), 1.0), fp.Grid(x=(-6, 6, 48), y=(-6, 6, 48)))
    rates = fp.spectrum(flat, 10).rates
    assert rates == pytest.approx([0, 1, 1, 2, 2, 2, 3, 3, 3, 3], rel=0.03, abs=1e-12)


def test_rings():
    ring = fp.Grid(x=fp.Axis.uniform(0, 2 * np.pi, 128, ends="periodic"))
    still = fp.spectrum(fp.Problem(fp.Process(0.0, 0.3), ring), 5)
    assert still.rates == pytest.approx(0.3 * np.array([0, 1, 1, 4, 4]), rel=1e-3, abs=1e-12)
    driven = fp.spectrum(fp.Problem(fp.Process(0.7, 0.3), ring), 5)  # D n^2 +- i v n
    assert driven.rates == pytest.approx([0, 0.3 + 0.7j, 0.3 - 0.7j, 1.2 + 1.4j, 1.2 - 1.4j], rel=5e-3, abs=1e-12)


def test_absorbing_ends_and_sets():
    walk = line(0.0, 0.5, fp.Axis.uniform(-1, 1, 200, ends="absorbing"))
    found = fp.spectrum(walk, 4)
    assert not found.conservative
    assert found.rates == pytest.approx(np.pi**2 / 8 * np.array([1, 4, 9, 16]), rel=1e-3)
    assert found.gap == found.rates[0]
    same = fp.spectrum(line(0.0, 0.5, (-2, 2, 401)), 4, inside=(-1, 1))
    assert same.rates == pytest.approx(found.rates, rel=2e-3)
    assert same.rates[0] == pytest.approx(
        fp.quasi_stationary(
            same_problem := line(0.0, 0.5, (-2, 2, 401)), (-1, 1), method=fp.SparseLU()
        ).info.decay_rate,
        rel=1e-9,
    )
    assert np.all(same.modes[0].values[np.abs(same_problem.grid.nodes[0]) > 1] == 0)


def test_fixation_where_the_noise_vanishes_at_absorbing_ends():
    # Wright & Fisher, D = x (1 - x): rates n (n + 1)
    fisher = line(0.0, lambda x: x * (1 - x), fp.Axis.uniform(0, 1, 300, ends="absorbing"))
    assert fp.spectrum(fisher, 3).rates == pytest.approx([2, 6, 12], rel=0.01)


@pytest.mark.parametrize("kT", [5, 10, 15, 25, 30])
def test_eigenvalues_and_first_passages_meet_to_the_order_of_exp_minus_barrier(kT):
    pr = well(kT)
    found = fp.spectrum(pr, 3)
    L = fp.generator(pr)
    rates = L.rates()
    by_wells = wells_of(rates, L.killing, np.arange(L.size)[:, None], 1, True, False)
    assert by_wells.rates[0] == pytest.approx(found.gap, rel=4 * np.exp(-kT) + 1e-11)
    exact = well_rate(pr)
    assert found.gap == pytest.approx(exact, rel=4e-3 + 2 * np.exp(-kT))
    assert not any("tau_12" in note for note in found.info.notes)


def well_rate(pr, left=-1.0, right=1.0):
    """1/tau_12 + 1/tau_21 by scale and speed."""
    there, back = fp.mean_exit_time(pr, (None, right)), fp.mean_exit_time(pr, (left, None))
    return 1 / there(left) + 1 / back(right)


@pytest.mark.parametrize("kT", [40, 80, 200])
def test_rates_below_rounding_come_from_first_passages(kT):
    pr = well(kT, tilt=0.01, cells=600)
    found = fp.spectrum(pr, 4)
    assert found.gap == pytest.approx(well_rate(pr), rel=1e-3 * kT / 20)
    assert any("1/tau_12 + 1/tau_21" in note for note in found.info.notes)
    assert found.rates[2] == pytest.approx(1.0, rel=0.1)  # the saddle's own rate, as ever
    slow = found.modes[1].values * pr.grid.weights
    left = slow[pr.grid.nodes[0] < 0].sum()
    assert abs(left) == pytest.approx(0.5, rel=1e-9)  # what one well loses the other wins
    assert slow.sum() == pytest.approx(0.0, abs=1e-9)


def test_a_fine_grid_is_not_taken_for_deep_wells():
    # 1e-9 of the fastest rate is nothing special on a fine grid: first passages would be exp(-2.5) off
    coarse, fine = (fp.spectrum(line(lambda x: x - x**3, 0.1, (-3, 3, cells)), 3) for cells in (1000, 60_000))
    assert fine.gap == pytest.approx(coarse.gap, rel=1e-4)
    assert not any("tau_12" in note for note in fine.info.notes)


def test_three_wells_have_two_slow_rates():
    loss = lambda x: 1.5 * (x**6 / 6 - 1.25 * x**4 + 2 * x**2) + 0.05 * x  # noqa: E731
    shallow = fp.Problem(fp.Process.gibbs(loss, 0.05), fp.Grid(x=(-2.6, 2.6, 260)))
    L, shown = fp.generator(shallow), fp.spectrum(shallow, 5)
    wells = wells_of(L.rates(), L.killing, np.arange(260)[:, None], 2, True, False)
    assert shown.rates[1:3] == pytest.approx(wells.rates, rel=1e-6)  # 1e-29 beside 1e-12
    pr = fp.Problem(fp.Process.gibbs(loss, 0.02), fp.Grid(x=(-2.6, 2.6, 260)))
    found = fp.spectrum(pr, 5)
    assert found.rates[1] < 1e-60
    assert found.rates[1] < 1e-20 * found.rates[2]
    assert found.rates[2] < 1e-20
    assert found.rates[3] > 1
    bottoms = (-1.996, -0.0065, 1.996)
    hop = fp.mean_exit_time(pr, (-1.99, 1.99), method=fp.GTH())
    assert found.rates[2] == pytest.approx(1 / hop(bottoms[1]), rel=0.05)  # from the shallow middle, mostly
    residual = fp.generator(pr).apply(found.modes[2].values * pr.grid.weights)
    assert np.abs(residual).sum() < 1e-10


def test_deep_wells_in_the_plane_with_and_without_driving():
    grid = fp.Grid(x=(-1.7, 1.7, 48), y=(-0.6, 0.6, 24))
    still = fp.Problem(fp.Process(lambda x, y: (x - x**3, -y), 0.25 / 40), grid)
    alone = fp.spectrum(line(lambda x: x - x**3, 0.25 / 40, (-1.7, 1.7, 48)), 2).gap
    assert fp.spectrum(still, 3).gap == pytest.approx(alone, rel=1e-9)
    driven = fp.Process(lambda x, y: (x - x**3 - 0.7 * y, -y + 0.7 * (x**3 - x)), 0.25 / 40)
    found = fp.spectrum(still.replace(process=driven), 3)
    a, b = (fp.mean_exit_time(still.replace(process=driven), (bounds, None)) for bounds in ((None, 0.9), (-0.9, None)))
    i, j = (int(np.argmin(np.abs(grid.nodes[0] - place))) for place in (-1, 1))
    assert found.gap == pytest.approx(1 / a.values[i, 12] + 1 / b.values[j, 12], rel=1e-3)


def test_slow_exits_from_two_wells():
    pr = well(60)
    found = fp.spectrum(pr, 4, inside=(-1.3, 1.3))
    p = [fp.quasi_stationary(pr, bounds, method=fp.GTH()).info.decay_rate for bounds in ((-1.3, 0.0), (0.0, 1.3))]
    assert found.rates[:2] == pytest.approx(p, rel=1e-6)
    one = fp.spectrum(pr, 3, inside=(None, 0.0))
    assert one.rates[0] == pytest.approx(
        fp.quasi_stationary(pr, (None, 0.0), method=fp.GTH()).info.decay_rate, rel=1e-9
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(3, 12), st.integers(0, 10_000))
def test_balance_is_found_where_it_is(cells, seed):
    rng = np.random.default_rng(seed)
    log_m, traffic = 50 * rng.normal(size=cells), np.exp(rng.normal(size=(cells, cells)))
    traffic = np.triu(traffic, 1) + np.triu(traffic, 1).T
    rates = traffic * np.exp(0.5 * (log_m[:, None] - log_m[None, :]))  # entry [y, x]: from x to y
    found = log_balance(sparse.csc_matrix(rates))
    assert found is not None
    assert found == pytest.approx(log_m - log_m.max(), abs=1e-9)
    rates[0, 1] *= 1.01
    assert log_balance(sparse.csc_matrix(rates)) is None
    rates[0, 1] = 0.0
    assert log_balance(sparse.csc_matrix(rates)) is None


def test_wells_keep_rates_that_are_far_apart():
    # a chain of four states with flows over 40 decades, against 60 digits
    masses, flows = np.array([0.4, 0.3, 0.2, 0.1]), {(0, 1): 1e-40, (1, 2): 1e-12, (2, 3): 1e-30, (0, 3): 1e-45}
    moves = np.zeros((4, 4))
    with mpmath.workdps(60):
        exact = mpmath.zeros(4)
        for (i, j), flow in flows.items():
            moves[j, i], moves[i, j] = flow / masses[i], flow / masses[j]
            f, a, b = mpmath.mpf(flow), mpmath.mpf(masses[i]), mpmath.mpf(masses[j])
            exact[i, i] += f / a
            exact[j, j] += f / b
            exact[i, j] = exact[j, i] = -f / mpmath.sqrt(a * b)
        wanted = [float(value) for value in mpmath.eigsy(exact, eigvals_only=True)][1:]
    rates = sparse.csc_matrix(moves - np.diag(moves.sum(axis=0)))

    from fpsolve.metastable import _in_balance

    table = np.zeros((4, 5))
    for (i, j), flow in flows.items():
        table[i, j] = table[j, i] = flow
    values = np.sort(_in_balance(table, masses)[0])[1:]
    assert values == pytest.approx(wanted, rel=1e-10, abs=0)
    assert not np.allclose(np.sort(np.linalg.eigvals(rates.toarray()))[1:], wanted, rtol=1e-3, atol=0)  # the control


def test_wells_are_the_same_without_the_assumption_of_balance():
    loss = lambda x: 1.5 * (x**6 / 6 - 1.25 * x**4 + 2 * x**2) + 0.01 * x  # noqa: E731
    L = fp.generator(fp.Problem(fp.Process.gibbs(loss, 0.06), fp.Grid(x=(-2.6, 2.6, 120))))
    places = np.arange(L.size)[:, None]
    a, b = (wells_of(L.rates(), L.killing, places, 2, balanced, False) for balanced in (True, False))
    assert a.rates == pytest.approx(b.rates.real, rel=1e-6)
    assert np.array_equal(np.sort(a.bottoms), np.sort(b.bottoms))
    for n in range(2):
        u, v = a.modes[:, n], b.modes[:, n].real
        assert abs(u @ v) == pytest.approx(np.linalg.norm(u) * np.linalg.norm(v), rel=1e-9)
    with pytest.raises(fp.NotConverged, match=r"but there are \d+ wells"):
        wells_of(L.rates(), L.killing, places, 9, True, False)


def test_what_has_no_spectrum_is_refused():
    pr = ornstein_uhlenbeck(30)
    for modes, message in ((0, "modes is 0"), (2.5, r"modes is 2\.5"), (40, "only 30 cells are inside")):
        with pytest.raises(fp.InvalidInput, match=message):
            fp.spectrum(pr, modes)
    with pytest.raises(fp.InvalidInput, match="freeze it"):
        fp.spectrum(line(lambda x, t: -x, 1.0, (-5, 5, 50)))
    with pytest.raises(fp.InvalidInput, match="no gap"):
        _ = fp.spectrum(pr, 1).gap
    split = line(lambda x: x - x**3, lambda x: 0.1 * x**2, (-3, 3, 100))
    with pytest.raises(fp.Reducible, match="2 closed sets"):
        fp.spectrum(split)


def test_spectra_print_save_and_draw(tmp_path):
    for found in (fp.spectrum(ornstein_uhlenbeck(60), 4), fp.spectrum(rotating(16), 3)):
        copy = fp.load(found.save(tmp_path / f"{len(found)}.npz"))
        assert np.array_equal(copy.rates, found.rates)
        assert copy.rates.dtype == found.rates.dtype
        assert np.array_equal(copy.modes[1].values, found.modes[1].values)
        assert repr(copy) == repr(found)
        ax = found.plot()
        assert found.plot(ax, label="again") is ax
        ax.figure.clear()
    assert repr(fp.spectrum(ornstein_uhlenbeck(60), 2)).startswith(
        "Spectrum(x: 60 cells on [-7, 7], open; rates 0, 1.2"
    )
    with pytest.raises(fp.InvalidInput, match="give as many of both"):
        fp.Spectrum(found.grid, found.rates, found.modes[:1], True)


def test_second_order_transport_has_a_spectrum():
    # x' = v on a ring, noise in y: rates i v n + k m, turned by transport and damped by the scheme
    grid = fp.Grid(x=fp.Axis.uniform(0, 2 * np.pi, 64, ends="periodic"), y=(-5, 5, 24))
    process = fp.Process(lambda x, y: (1 + 0 * x, -y), (0.0, 1.0))
    errors = [
        np.abs(fp.spectrum(fp.Problem(process, grid, scheme), 4).rates[1] - 1j)
        for scheme in (fp.Positive(), fp.Accurate())
    ]
    assert errors[1] < 0.1 * errors[0]


def told_of_cut_modes(pr, modes=4):
    """The rates, and by how many percent the warning says that each is too large."""
    with pytest.warns(fp.TruncationWarning, match="modes reach beyond the open end") as found:
        rates = fp.spectrum(pr, modes).rates
    assert len(found) == 1
    assert found[0].filename == __file__
    told = re.findall(r"(\d) by ([\d.]+)%", str(found[0].message))
    return rates, {int(n): float(percent) for n, percent in told}, str(found[0].message)


@pytest.mark.parametrize("reach", [2.5, 3.0, 3.5, 4.0])
def test_rates_that_open_ends_cut_off_are_told_with_how_far_they_are_off(reach):
    """Ornstein-Uhlenbeck: 0, 1, 2, 3 on the whole line."""
    rates, told, message = told_of_cut_modes(line(lambda x: -x, 1.0, (-reach, reach, 400)))
    assert 0 not in told
    for n, percent in told.items():
        assert 0.5 < percent / (100 * (rates[n] / n - 1)) < 2.0
    untold = [n for n in range(1, 4) if n not in told]
    assert rates[untold] == pytest.approx(untold, rel=2e-3)
    assert f"x={-reach:g} and x={reach:g}" in message
    place = float(re.search(r"extend the grid to \S+ and x=([\d.]+)", message)[1])
    assert fp.spectrum(line(lambda x: -x, 1.0, (-place, place, 400)), 4).rates == pytest.approx(range(4), rel=5e-3)


def test_modes_are_judged_at_each_end_of_each_axis():
    _, _, message = told_of_cut_modes(line(lambda x: -x, 1.0, (-3, 8, 300)))
    assert "x=-3;" in message
    assert "x=8" not in message
    flat = fp.Problem(fp.Process(lambda x, y: (-x, -y), 1.0), fp.Grid(x=(-2.5, 2.5, 40), y=(-6, 6, 40)))
    rates, told, message = told_of_cut_modes(flat, 3)
    cut = int(np.argmax(rates))
    assert told[cut] == pytest.approx(100 * (rates[cut] - 1), rel=0.5)
    assert max(percent for n, percent in told.items() if n != cut) < 2  # the mode of y
    assert "y=" not in message
    turning = rotating(40)
    short = turning.replace(grid=fp.Grid(x=(-3, 3, 40), y=(-2, 2, 40)))
    assert set(told_of_cut_modes(short, 3)[1]) == {1, 2}
    assert fp.spectrum(turning, 3).rates.size == 3


def test_a_continuous_spectrum_is_not_taken_for_rates():
    """D = (1 + x^2)/4: p ~ x^-6, rates n - n (n - 1)/4 below 25/16 and a continuum above."""
    grid = fp.Axis.sinh(-1e4, 1e4, 400)
    with pytest.warns(fp.TruncationWarning, match=r"a continuous spectrum: rate 3, 4;") as found:
        rates = fp.spectrum(line(lambda x: -x, lambda x: 0.25 * (1 + x * x), grid), 5).rates
    assert rates[:3] == pytest.approx([0, 1, 1.5], rel=3e-3)
    assert " by " not in str(found[0].message).split("continuous")[0]


@pytest.mark.parametrize("drift", [lambda x: x, lambda x: 0 * x])
def test_what_has_no_stationary_density_on_open_ends_has_no_spectrum(drift):
    with pytest.raises(fp.NotNormalizable, match="no stationary density"):
        fp.spectrum(line(drift, 1.0, (-3, 3, 100)), 3)
    away = fp.Process(lambda x, y: (drift(x), -y), 1.0)
    with pytest.raises(fp.NotNormalizable, match="no stationary density"):
        fp.spectrum(fp.Problem(away, fp.Grid(x=(-3, 3, 24), y=(-5, 5, 24))), 3)
    walled = fp.Axis.uniform(-3, 3, 100, ends="reflecting")
    assert fp.spectrum(line(drift, 1.0, walled), 2).rates[0] == 0.0


def test_slow_exits_beside_an_open_end_are_judged_too():
    """Paths end at 1, the line goes on below: at -8 the grid holds the modes, at -2 it does not."""
    ends = ("open", "absorbing")
    far, near = (line(lambda x: -x, 1.0, fp.Axis.uniform(low, 1, 300, ends=ends)) for low in (-8, -2))
    exact = fp.spectrum(far, 2).rates
    rates, told, _ = told_of_cut_modes(near, 2)
    assert told[1] == pytest.approx(100 * (rates[1] / exact[1] - 1), rel=1.0)
