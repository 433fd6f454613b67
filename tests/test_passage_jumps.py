"""First passages of paths that jump: closed forms on an interval, sets of a wider grid, wells, and what has no mean."""

from math import gamma, pi, sin

import numpy as np
import pytest
from scipy.special import betainc

import fpsolve as fp

REACHES = [(0.7, 16, 1e-5), (1.0, 14, 1e-5), (1.5, 10, 2e-5)]
RATES = {0.5: 0.970165, 1.0: 1.1577738, 1.5: 1.597504}  # of survival in (-1, 1): Kwasnicki (2012), table 2


def flight(alpha, axis, drift=0.0, diffusion=None, scale=1.0, scheme=None):
    process = fp.Process(drift, diffusion, jumps=fp.Stable(alpha, scale))
    return fp.Problem(process, fp.Grid(x=axis), scheme or fp.Positive())


def interval(alpha, reach=12, cells=801, **others):
    return flight(alpha, fp.Axis.tanh(-1, 1, cells, reach=reach, ends="absorbing"), **others)


def mean_time(x, alpha):
    return (1 - x**2) ** (alpha / 2) / gamma(1 + alpha)


def well(alpha=1.0, size=0.1, scheme=None, diffusion=None, cells=801):
    axis = fp.Axis.sinh(-1e3, 1e3, cells, scale=0.2)
    return flight(alpha, axis, lambda x: x - x**3, diffusion, size, scheme)


@pytest.mark.parametrize(("alpha", "reach", "error"), REACHES)
def test_times_and_chances_of_an_interval_have_their_closed_forms(alpha, reach, error):
    problem = interval(alpha, reach)
    x, tau = problem.grid.nodes[0], fp.mean_exit_time(problem)
    h = fp.exit_probability(problem, through="upper")
    assert np.abs(tau.values - mean_time(x, alpha)).max() < error
    assert np.abs(h.values - betainc(alpha / 2, alpha / 2, (1 + x) / 2)).max() < error
    assert fp.exit_probability(problem, through="lower").values == pytest.approx(1 - h.values, abs=1e-9)
    assert tau.info.method == "direct solve of jumps and drift"


def test_a_wrong_scale_is_noticed():
    problem = interval(1.0, 14, scale=1.0001)
    assert np.abs(fp.mean_exit_time(problem).values - mean_time(problem.grid.nodes[0], 1.0)).max() > 2e-5


def test_the_second_moment_is_the_mean_time_of_the_mean_time():
    problem = interval(1.5, 10)
    second = fp.mean_exit_time(problem, moment=2)
    path = fp.survival(problem, fp.Gaussian(0.0, 0.05), np.linspace(0, 12, 241))
    t, s = path.times, path.probability
    by_survival = 2 * np.trapezoid(t * s, t)
    start = np.exp(-0.5 * (problem.grid.nodes[0] / 0.05) ** 2) * problem.grid.weights
    assert start @ second.values / start.sum() == pytest.approx(by_survival, rel=1e-3)


@pytest.mark.parametrize("alpha", [0.7, 1.5])
def test_an_interval_of_a_wider_grid_converges_to_the_closed_form(alpha):
    errors, edges = [], []
    for cells in (100, 300, 900):
        problem = flight(alpha, fp.Axis.uniform(-2, 2, cells))
        x, tau = problem.grid.nodes[0], fp.mean_exit_time(problem, inside=(-1, 1)).values
        assert np.all(tau[np.abs(x) >= 1] == 0)
        inside = np.abs(x) < 1
        off = np.abs(tau[inside] - mean_time(x[inside], alpha))
        errors.append(off[np.abs(x[inside]) < 0.5].max())
        edges.append(off.max())
    assert errors[2] < 6e-4
    assert np.log(errors[0] / errors[2]) / np.log(9) == pytest.approx(1.0, abs=0.02)
    assert np.log(edges[0] / edges[2]) / np.log(9) > 0.8 * alpha / 2


def test_an_edge_within_a_cell_is_where_it_is():
    times = []
    for shift in np.linspace(0.0, 0.02, 5):
        problem = flight(1.5, fp.Axis.uniform(-2.0 - shift, 2.0 - shift, 201))
        times.append(fp.mean_exit_time(problem, inside=(-1, 1))(0.0))
    assert times == pytest.approx([mean_time(0.0, 1.5)] * 5, abs=2.5e-3)


def test_chances_count_where_jumps_land():
    problem = flight(1.0, fp.Axis.uniform(-2, 2, 200))
    up = fp.exit_probability(problem, (-1, 1), through="upper").values
    down = fp.exit_probability(problem, (-1, 1), through="lower").values
    by_set = fp.exit_probability(problem, (-1, 1), through=lambda x: x).values
    inside = np.abs(problem.grid.nodes[0]) < 1
    assert (up + down)[inside] == pytest.approx(np.ones(inside.sum()), abs=1e-12)
    assert by_set == pytest.approx(up, abs=1e-12)
    near = fp.exit_probability(problem, (-1, 1), through=lambda x: (x - 1) * (1.5 - x)).values
    assert np.all(near[inside] < up[inside])
    assert np.all(near[inside] > 0)


def test_paths_leap_over_a_target():
    problem = flight(1.0, fp.Axis.uniform(-3, 3, 300), lambda x: -x)
    with pytest.warns(fp.TruncationWarning):
        fp.stationary(problem)
    gate = fp.committor(problem, source=(-1.2, -1), target=(1, 1.2)).values
    wall = fp.committor(problem, source=(None, -1), target=(1, None)).values
    x = problem.grid.nodes[0]
    assert gate[x > 2].max() < 0.95  # beyond the gate paths may still leap back to the source
    assert np.all(wall[x > 1] == 1.0)
    assert gate[np.abs(x) < 1e-9 + problem.grid.weights[0]].mean() == pytest.approx(0.5, abs=1e-9)


@pytest.mark.parametrize("scheme", [fp.Positive(), fp.Accurate()])
def test_the_direct_solve_is_elimination_on_the_matrix(scheme):
    problem = well(1.3, 0.4, scheme, diffusion=0.1, cells=201)
    inside, other = (None, 0.3), fp.GTH() if scheme == fp.Positive() else fp.SparseLU()
    for ask in (
        lambda m: fp.mean_exit_time(problem, inside, method=m),
        lambda m: fp.committor(problem, (-1.2, -0.9), (0.9, 1.3), method=m),
    ):
        assert ask(None).values == pytest.approx(ask(other).values, rel=1e-9)


def test_many_cells_are_no_matrix():
    tau = [fp.mean_exit_time(well(cells=cells), (None, 0.0))(-1.0) for cells in (801, 6001)]
    assert tau[0] == pytest.approx(tau[1], rel=3e-3)
    with pytest.raises(fp.InvalidInput, match="up to 4000 cells"):
        fp.mean_exit_time(well(cells=6001), (None, 0.0), method=fp.GTH())


def test_escape_from_a_well_tends_to_its_power_law():
    times = [size * fp.mean_exit_time(well(1.0, size), (None, 0.0))(-1.0) for size in (0.1, 0.01, 0.001)]
    assert np.all(np.diff(times) > 0)
    assert times[2] == pytest.approx(pi, rel=0.01)
    constant = gamma(2.5) * sin(0.75 * pi) / pi
    limit = 1e-2**1.5 * fp.mean_exit_time(well(1.5, 1e-2), (None, 0.0))(-1.0)
    assert limit == pytest.approx(1.5 / constant, rel=0.05)


def test_a_well_has_one_rate_however_it_is_asked():
    problem = well(1.0, 0.01)
    rate = fp.transition_rate(problem, (None, -0.8), (0.8, None))
    assert rate.share == pytest.approx(0.5, abs=1e-9)
    assert rate == pytest.approx(1 / fp.mean_exit_time(problem, (None, 0.8))(-1.0), rel=2e-3)
    assert fp.spectrum(problem, 2).rates[1] == pytest.approx(2 * rate, rel=0.02)
    staying = fp.quasi_stationary(problem, (None, 0.0))
    assert staying.info.decay_rate == pytest.approx(1 / fp.mean_exit_time(problem, (None, 0.0))(-1.0), rel=2e-3)


def test_transitions_balance_over_sets_that_paths_leap_between():
    """Stationary transitions there are as many as transitions back, for any process."""
    problem = flight(1.2, fp.Axis.sinh(-1e3, 1e3, 401), lambda x: 0.3 - x, 0.2, lambda x: 1 + 0.5 * np.tanh(x))
    there = fp.transition_rate(problem, (-1, 0), (1, 2))
    back = fp.transition_rate(problem, (1, 2), (-1, 0))
    assert there.flux == pytest.approx(back.flux, rel=1e-9)
    assert there.share + back.share == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(("alpha", "reach"), [(0.5, 17), (1.0, 14), (1.5, 10)])
def test_survival_decays_at_the_rate_of_the_interval(alpha, reach):
    problem = interval(alpha, reach, 401)
    staying = fp.quasi_stationary(problem)
    assert staying.info.decay_rate == pytest.approx(RATES[alpha], rel=2e-4)
    assert fp.spectrum(problem, 3).rates[0] == pytest.approx(staying.info.decay_rate, rel=1e-9)
    path = fp.survival(problem, staying, [0.0, 1.0, 2.0])
    assert path.probability == pytest.approx(np.exp(-staying.info.decay_rate * path.times), rel=1e-6)
    assert path.exit_density == pytest.approx(staying.info.decay_rate * path.probability, rel=1e-6)


def test_survival_integrates_to_the_mean_time_with_an_open_end_free():
    problem = well(1.0, 0.5, cells=401)
    tau = fp.mean_exit_time(problem, (None, 0.5))
    start = fp.Gaussian(-1.0, 0.1)
    path = fp.survival(problem, start, np.linspace(0, 60, 241), (None, 0.5))
    x = problem.grid.nodes[0]
    m = np.exp(-0.5 * ((x + 1) / 0.1) ** 2) * problem.grid.weights
    assert path.mean_exit_time() == pytest.approx(m @ tau.values / m.sum(), rel=1e-5)


def test_relaxation_in_a_harmonic_well_is_that_of_its_mean_forces():
    spectrum = fp.spectrum(flight(1.5, fp.Axis.sinh(-1e3, 1e3, 401, scale=0.3), lambda x: -x), 2)
    assert spectrum.rates[0] == 0.0
    assert spectrum.rates[1] == pytest.approx(1.0, abs=0.01)
    assert spectrum.conservative


def test_free_paths_that_wander_off_have_no_mean_time():
    problem = flight(1.5, fp.Axis.uniform(-10, 2, 240))
    with pytest.warns(fp.DegenerateWarning, match="jumps carry paths beyond the open end x=-10"):
        tau = fp.mean_exit_time(problem, (None, 1.0))
    assert np.all(np.isinf(tau.values[tau.grid.nodes[0] < 1]))
    with pytest.raises(fp.InvalidInput, match="no quasi-stationary density: jumps carry"):
        fp.quasi_stationary(problem, (None, 1.0))
    with pytest.warns(fp.TruncationWarning, match="what becomes of them is a guess"):
        fp.committor(problem, (-2, -1), (1, None))


def test_weak_drifts_bring_paths_back_too_late_or_nobody_knows():
    axis = fp.Axis.sinh(-1e3, 1e3, 401)
    with pytest.warns(fp.DegenerateWarning, match=r"spend their time like \|x\|\^-0\.5"):
        fp.mean_exit_time(flight(1.0, axis, lambda x: -x / (1 + x * x) ** 0.75), (None, 1.0))
    with pytest.raises(fp.NotNormalizable, match="undecided"):
        fp.mean_exit_time(flight(1.0, axis, lambda x: -x / (1 + x * x) ** 0.5), (None, 1.0))


def test_rounding_that_shows_is_refused():
    axis = fp.Axis.uniform(-2, 2, 401, ends="reflecting")
    deep = flight(1.9, axis, lambda x: x - x**3, 0.008, 1e-9)
    with pytest.raises(fp.NotConverged, match="rounding may change the answer"):
        fp.mean_exit_time(deep, (None, 0.0))
    plain = fp.Problem(deep.process.replace(jumps=None), deep.grid)
    tau = fp.mean_exit_time(deep, (None, 0.0), method=fp.GTH())
    assert tau(-1.0) == pytest.approx(fp.mean_exit_time(plain, (None, 0.0))(-1.0), rel=0.05)


def test_a_ring_is_left_through_sets_only():
    ring = flight(1.0, fp.Axis.uniform(0, 2, 100, ends="periodic"))
    on_the_line = 0.5 * mean_time(0.0, 1.0)  # of half the width
    assert on_the_line < fp.mean_exit_time(ring, (0.5, 1.5))(1.0) < 1.15 * on_the_line  # jumps of a lap stay inside
    with pytest.raises(fp.InvalidInput, match="on a ring a jump lands both above and below"):
        fp.exit_probability(ring, (0.5, 1.5), through="upper")


def test_several_coordinates_are_refused_with_the_reason():
    plane = fp.Problem(fp.Process(lambda x, y: (-x, -y), jumps=fp.Stable(1.5)), fp.Grid(x=(-4, 4, 20), y=(-4, 4, 20)))
    with pytest.raises(fp.InvalidInput, match="passages in several coordinates is not answered for jumps"):
        fp.mean_exit_time(plane, ((-1, 1), (-1, 1)))


def test_where_nothing_moves_paths_stay():
    dead = flight(1.0, fp.Axis.tanh(-1, 1, 101, reach=8, ends="absorbing"), scale=lambda x: np.maximum(x, 0.0))
    with pytest.warns(fp.DegenerateWarning, match="nothing moves"):
        assert np.all(np.isinf(fp.mean_exit_time(dead).values))
