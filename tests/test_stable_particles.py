"""Particles that jump: their increments, ends, steep drifts, and the same bits however a run is cut.

Laws are compared through characteristic functions, whose sample has errors even where no moment exists: five standard
errors unless a test says otherwise.
"""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import betainc, gamma
from stable_laws import characteristic, farthest, off

import fpsolve as fp
from fpsolve.kernels.random import JUMPS
from fpsolve.particles import steep
from fpsolve.particles.leaps import stable_variates
from fpsolve.particles.moves import Moves

N = 40_000
FREE = fp.Axis.sinh(-1e3, 1e3, 201)


def flight(drift=0.0, axis=FREE, **stable):
    return fp.Problem(fp.Process(drift, jumps=fp.Stable(**stable)), fp.Grid(x=axis))


def run(problem, start, times, dt, n=N, seed=7):
    return fp.simulate(problem, start, times, dt=dt, n=n, seed=seed, progress=False)


def last(swarm):
    return swarm.positions[-1, :, 0]


@pytest.mark.parametrize(("alpha", "skew"), [(0.6, 0.0), (1.0, 0.0), (1.7, 0.0), (1.4, 0.7)])
def test_increments_grow_as_the_root_of_time(alpha, skew):
    """Ten steps, and a time between two of them, have the law of one."""
    swarm = run(flight(alpha=alpha, scale=0.8, skew=skew), fp.Point(0.0), [0.37, 1.0], 0.1)
    for t in (0.37, 1.0):
        size = 0.8 * t ** (1 / alpha)
        assert farthest(swarm.at(t)[:, 0], lambda k: characteristic(k, alpha, skew, size)) < 5  # noqa: B023
        assert farthest(swarm.at(t)[:, 0], lambda k: characteristic(k, alpha, skew, 1.2 * size)) > 5  # noqa: B023


def test_jumps_and_diffusion_add():
    process = fp.Process(0.5, 0.3, jumps=fp.Stable(1.2, 0.7))
    x = last(run(fp.Problem(process, fp.Grid(x=FREE)), fp.Point(0.0), [1.0], 0.25))
    assert farthest(x, lambda k: np.exp(0.5j * k - 0.3 * k**2) * characteristic(k, 1.2, scale=0.7)) < 5
    assert farthest(x, lambda k: np.exp(0.5j * k) * characteristic(k, 1.2, scale=0.7)) > 5


def test_a_scale_is_read_where_the_jump_starts():
    """E exp(i k X2) is the mean of exp(i k X1 - dt |k scale(X1)|^alpha) over the places after one step."""
    scale = lambda x: 0.3 + 0.5 * np.abs(np.sin(x))  # noqa: E731
    swarm = run(flight(alpha=1.3, scale=scale), fp.Gaussian(0.0, 1.0), [1.0, 2.0], 1.0)
    before, after = swarm.positions[:, :, 0]

    def change(k, place):
        return np.exp(1j * k * after) - np.exp(1j * k * before) * characteristic(k, 1.3, scale=scale(place))

    assert max(off(change(k, before), 0.0) for k in (0.5, 1.5, 3.0)) < 5
    assert max(off(change(k, 0.5 * (before + after)), 0.0) for k in (0.5, 1.5, 3.0)) > 5


def test_harmonic_cauchy_flights_are_stationary():
    """Euler's chain has the stationary scale dt/(1 - (1 - dt)) = 1 for any dt."""
    x = last(run(flight(lambda x: -x, alpha=1.0), fp.Point(0.0), [5.0], 0.25))
    assert stats.kstest(x, "cauchy").pvalue > 0.01
    wrong = last(run(flight(lambda x: -x, alpha=1.1), fp.Point(0.0), [5.0], 0.25))
    assert stats.kstest(wrong, "cauchy").pvalue < 0.01


def cauchy_quartic(x):
    """The distribution function of 1/(pi (1 - x^2 + x^4)), by integrating it."""
    from scipy.integrate import cumulative_trapezoid

    y = np.sinh(np.linspace(-12, 12, 4001))
    levels = cumulative_trapezoid(1 / (np.pi * (1 - y**2 + y**4)), y, initial=0)
    return np.interp(x, y, levels / levels[-1])


def test_a_steep_drift_brings_long_jumps_back():
    """The Cauchy quartic: core by Kolmogorov's 1 % level, tail by the number of particles in it, beyond dt^-1/2 too."""
    x = last(run(flight(lambda x: -x * x * x, alpha=1.0), fp.Point(0.0), [2.0], 0.025, 10_000))
    assert stats.kstest(x, cauchy_quartic).pvalue > 0.01
    assert abs(beyond(x, 3.0)) < 4
    assert abs(beyond(x, 8.0)) < 4


def beyond(x, far):
    """How many more of the samples are out there than the Cauchy quartic has, in standard errors."""
    expected = 2 * x.size * cauchy_quartic(-far)
    return ((np.abs(x) > far).sum() - expected) / math.sqrt(expected)


def test_a_jump_at_the_very_end_of_its_step_would_be_seen_too_long(monkeypatch):
    monkeypatch.setattr(Moves, "_settled", lambda moves, begun, place, moving, folding, duration: place)
    x = last(run(flight(lambda x: -x * x * x, alpha=1.0), fp.Point(0.0), [0.1], 0.02, 40_000))
    assert beyond(x, 8.0) > 5


def test_without_substeps_a_steep_drift_would_explode(monkeypatch):
    monkeypatch.setattr(steep, "CHANGE", np.inf)
    with pytest.raises(fp.NotConverged, match=r"particles diverged by t=.*does not bring them back"):
        run(flight(lambda x: -x * x * x, alpha=1.0), fp.Point(0.0), [3.0], 0.05, n=1000)


def test_a_drift_with_a_step_takes_its_steps():
    """It changes within every step however short: particles rest there, up to the last jump; none is lost."""
    jump = 0.5 * 0.1 ** (1 / 1.5) * np.median(np.abs(stable_variates(np.uint64(7), 3, JUMPS, np.arange(N), 1.5)))
    for drift in (lambda x: -5 * np.sign(x), lambda x: -5 * np.tanh(1e4 * x)):
        x = last(run(flight(drift, alpha=1.5, scale=0.5), fp.Point(0.3), [0.3], 0.1, n=400))
        assert np.median(np.abs(x)) == pytest.approx(jump, rel=0.15)


def test_a_drift_that_leads_away_is_counted_as_divergence():
    with pytest.raises(fp.NotConverged, match="check the signs of drift and scale") as caught:
        run(flight(lambda x: x**3, alpha=1.5), fp.Point(0.5), [5.0], 0.1, n=200)
    assert caught.value.best.diverged.any()
    assert np.all(np.isfinite(caught.value.best.positions))


def test_isotropic_jumps_do_not_know_the_axes():
    process = fp.Process(lambda x, y: (0 * x, 0 * y), jumps=fp.Stable(1.3, 0.6))
    x = run(fp.Problem(process, fp.Grid(x=FREE, y=FREE)), fp.Point(0.0, 0.0), [1.0], 0.5).at(1.0)
    for k in ((1.0, 0.0), (0.0, 1.0), (1.2, 0.9), (-0.6, 0.8)):
        assert off(np.exp(1j * x @ k), characteristic(np.hypot(*k), 1.3, scale=0.6)) < 5
    product = characteristic(1.2, 1.3, scale=0.6) * characteristic(0.9, 1.3, scale=0.6)
    assert off(np.exp(1j * x @ (1.2, 0.9)), product) > 5


def test_jumps_along_the_axes_are_independent():
    process = fp.Process(lambda x, y: (0 * x, 0 * y), 0.2, jumps=(fp.Stable(1.3, 0.6), fp.Stable(0.8, 0.4, skew=1.0)))
    x = run(fp.Problem(process, fp.Grid(x=FREE, y=FREE)), fp.Point(0.0, 0.0), [1.0], 0.5).at(1.0)
    for k in ((1.2, 0.0), (0.0, 0.7), (1.2, 0.7)):
        product = characteristic(k[0], 1.3, scale=0.6) * characteristic(k[1], 0.8, 1.0, 0.4)
        assert off(np.exp(1j * x @ k), product * np.exp(-0.2 * np.dot(k, k))) < 5


def test_an_axis_without_jumps_has_none():
    process = fp.Process(lambda x, y: (0 * x, 0 * y), 0.0, jumps=(None, fp.Stable(1.0)))
    x = run(fp.Problem(process, fp.Grid(x=FREE, y=FREE)), fp.Point(0.5, 0.0), [1.0], 0.5, n=50).at(1.0)
    assert np.all(x[:, 0] == 0.5)
    assert np.all(x[:, 1] != 0.0)


def test_a_matrix_mixes_isotropic_jumps():
    """exp(-|M' k|^alpha)."""
    m = np.array([[0.8, 0.3], [-0.2, 0.4]])
    process = fp.Process(lambda x, y: (0 * x, 0 * y), jumps=fp.Stable(1.4, m))
    x = run(fp.Problem(process, fp.Grid(x=FREE, y=FREE)), fp.Point(0.0, 0.0), [1.0], 0.5).at(1.0)
    for k in ((1.0, 0.0), (0.3, 2.0), (1.2, -0.9)):
        assert off(np.exp(1j * x @ k), characteristic(np.hypot(*(m.T @ k)), 1.4)) < 5
    assert off(np.exp(1j * x @ (1.2, -0.9)), characteristic(np.hypot(*(m @ (1.2, -0.9))), 1.4)) > 5


def test_jumps_wrap_on_a_ring():
    ring = fp.Axis.uniform(-np.pi, np.pi, 60, ends="periodic")
    x = last(run(flight(1.0, ring, alpha=0.7), fp.Point(3.0), [1.0], 0.2))
    assert np.abs(x).max() <= np.pi
    for k in (1, 2):
        assert off(np.exp(1j * k * x), np.exp(1j * k * 4.0 - 1.0 * k**0.7)) < 5


def test_jumps_that_would_leave_by_a_wall_are_suppressed():
    """In one step of a Cauchy flight on (0, 1) from x: P(no move) = 1 - [atan((1-x)/dt) + atan(x/dt)]/pi."""
    axis = fp.Axis.uniform(0, 1, 50, ends="reflecting")
    x = last(run(flight(0.0, axis, alpha=1.0), fp.Point(0.2), [0.3], 0.3))
    rest = 1 - (math.atan(0.8 / 0.3) + math.atan(0.2 / 0.3)) / np.pi
    assert abs((x == 0.2).mean() - rest) < 5 * math.sqrt(rest * (1 - rest) / N)
    assert x.min() >= 0
    assert x.max() <= 1


def test_the_uniform_law_between_walls_is_invariant():
    """The censored chain's kernel is symmetric: a folded jump would keep it too, one put on the wall would not."""
    axis = fp.Axis.uniform(0, 1, 50, ends="reflecting")
    pr = flight(0.0, axis, alpha=1.5, scale=0.7)
    x = last(run(pr, lambda x: 1.0 + 0 * x, [2.0], 0.1))
    assert stats.kstest(x, "uniform").pvalue > 0.01
    assert np.mean((x == 0) | (x == 1)) == 0


def test_jumps_beyond_an_absorbing_end_are_killed():
    axis = fp.Axis.uniform(0, 1, 50, ends=("absorbing", "reflecting"))
    swarm = run(flight(0.0, axis, alpha=1.0), fp.Point(0.2), [0.3], 0.3)
    killed = 0.5 - math.atan(0.2 / 0.3) / np.pi
    assert abs(swarm.absorbed.mean() - killed) < 5 * math.sqrt(killed * (1 - killed) / N)
    assert np.all(last(swarm)[swarm.absorbed] == 0.0)
    assert np.all(last(swarm)[swarm.alive()] > 0.0)


def exits(alpha, x, dt, n):
    """Mean exit time of (-1, 1) from x, and the probability to leave on the right; exits are seen at whole steps."""
    axis = fp.Axis.uniform(-1, 1, 50, ends="absorbing")
    swarm = run(flight(0.0, axis, alpha=alpha), fp.Point(x), np.arange(1, round(10 / dt) + 1) * dt, dt, n)
    assert swarm.absorbed.mean() > 0.9995
    ended = swarm.absorbed_at[swarm.absorbed]
    return ended.mean(), (last(swarm)[swarm.absorbed] > 0).mean()


@pytest.mark.slow
@pytest.mark.parametrize(("alpha", "order"), [(0.7, 1.0), (1.0, 1.0), (1.5, 1 / 1.5)])
def test_exits_have_their_closed_forms(alpha, order):
    """E tau = (1 - x^2)^(alpha/2)/Gamma(1 + alpha); P(right) = I_((1+x)/2)(alpha/2, alpha/2).

    The bias is of order dt, or dt^(1/alpha) where that is larger (the path between steps is not seen): extrapolated.
    """
    x, n = 0.4, 30_000
    exact = (1 - x**2) ** (alpha / 2) / gamma(1 + alpha)
    side = betainc(alpha / 2, alpha / 2, (1 + x) / 2)
    (coarse, left), (fine, right) = (exits(alpha, x, dt, n) for dt in (0.04, 0.01))
    ratio = 4**order
    time, place = ((ratio * b - a) / (ratio - 1) for a, b in ((coarse, fine), (left, right)))
    errors = np.hypot(ratio, 1) / (ratio - 1) * np.array([exact, 0.5]) / math.sqrt(n)
    assert coarse - exact > 4 * exact / math.sqrt(n)  # the bias that is extrapolated away
    assert abs(time - exact) < 4 * errors[0]
    assert abs(place - side) < 4 * errors[1]


@pytest.mark.parametrize("ends", ["open", "absorbing", "reflecting", "periodic"])
def test_a_split_run_has_the_bits_of_the_whole(ends):
    axis = fp.Axis.uniform(-1, 1, 50, ends=ends)
    process = fp.Process(lambda x: -(x**3), 0.1, jumps=fp.Stable(1.2, lambda x: 0.2 + 0.1 * x**2))
    pr = fp.Problem(process, fp.Grid(x=axis))
    whole = run(pr, fp.Point(0.5), [0.5, 1.1, 2.0], 0.1, n=200)
    first = run(pr, fp.Point(0.5), [1.1], 0.1, n=200)
    rest = fp.simulate(pr, first, [2.0], dt=0.1, seed=7, progress=False)
    assert np.array_equal(rest.at(2.0), whole.at(2.0))
    assert np.array_equal(rest.alive(), whole.alive())
    few = run(pr, fp.Point(0.5), [2.0], 0.1, n=9)
    assert np.array_equal(few.at(2.0), whole.at(2.0)[:9])
    assert not np.array_equal(run(pr, fp.Point(0.5), [2.0], 0.1, n=9, seed=8).at(2.0), few.at(2.0))


def test_jumps_do_not_change_the_bits_of_the_rest():
    still = fp.Process(lambda x: -x, 0.5, jumps=fp.Stable(1.5, 0.0))
    plain = fp.Process(lambda x: -x, 0.5)
    one, other = (run(fp.Problem(p, fp.Grid(x=FREE)), fp.Point(1.0), [1.0], 0.1, n=50).at(1.0) for p in (still, plain))
    assert np.array_equal(one, other)


def test_row_23_a_negative_scale_is_told_with_its_place():
    with pytest.raises(fp.InvalidInput, match=r"scale is negative \(-0\.5\) at x=0\.5"):
        run(flight(alpha=1.5, scale=lambda x: -x), fp.Point(0.5), [1.0], 0.1, n=5)
    with pytest.raises(fp.InvalidInput, match=r"scale is negative .* at x=2"):
        run(flight(2.0, alpha=1.5, scale=lambda x: np.minimum(0.01, 2.0 - x)), fp.Point(0.0), [2.0], 0.1, n=5)
    with pytest.raises(fp.InvalidInput, match="scale is nan at x="):
        run(flight(alpha=1.5, scale=lambda x: np.where(x > 1, np.nan, 1.0)), fp.Point(0.0), [5.0], 0.1, n=50)


def test_jumps_across_zero_are_refused_on_a_log_axis_without_a_wall():
    open_axis = fp.Axis.log(1e-2, 1e2, 50)
    with pytest.raises(fp.InvalidInput, match=r"whose end beside 0 is open: jumps would cross 0"):
        run(flight(0.0, open_axis, alpha=1.5), fp.Point(1.0), [1.0], 0.1, n=5)
    walled = fp.Axis.log(1e-2, 1e2, 50, ends=("reflecting", "open"))
    x = last(run(flight(0.0, walled, alpha=1.5), fp.Point(1.0), [1.0], 0.1, n=500))
    assert x.min() >= 1e-2
    outwards = last(run(flight(0.0, open_axis, alpha=0.5, skew=1.0), fp.Point(1.0), [1.0], 0.1, n=500))
    assert outwards.min() > 1.0


def test_time_dependent_scales():
    """scale(t)^alpha integrated over the steps."""
    x = last(run(flight(alpha=1.5, scale=lambda x, t: 1.0 + t), fp.Point(0.0), [1.0], 0.125))
    size = ((1 + 0.125 * np.arange(8)) ** 1.5).sum() * 0.125
    assert farthest(x, lambda k: np.exp(-size * abs(k) ** 1.5), (0.3, 0.8)) < 5
