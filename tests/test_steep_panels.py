"""First passages under drifts that are strong for the noise: panels over which ln p changes by thousands."""

import mpmath
import numpy as np
import pytest

import fpsolve as fp
from fpsolve.passage_line import check_agreement
from fpsolve.solvers.line import GAUSS, running

QUIET = 1e-7


def line(drift, D, axis):
    return fp.Problem(fp.Process(drift, D), fp.Grid(y=axis))


def saddle(D=QUIET, cells=401):
    return line(lambda y: y, D, (-1.5, 1.5, cells))


def from_the_saddle(y, D):
    """Mean time from y to +-1: the integral of Dawson's function."""
    with mpmath.workdps(25):
        width = mpmath.sqrt(2 * mpmath.mpf(D))
        below = [width * 2**k for k in range(-2, 20) if y < width * 2**k < 1]
        inner = mpmath.quad(
            lambda x: mpmath.exp(-((x / width) ** 2)) * mpmath.erfi(x / width), [mpmath.mpf(y), *below, 1]
        )
        return float(inner * mpmath.sqrt(mpmath.pi) / width)


def test_a_saddle_is_left_in_the_time_of_its_quadrature():
    pr = saddle()
    tau = fp.mean_exit_time(pr, inside=(-1, 1))
    assert tau(0.0) == pytest.approx(8.69422919820989, rel=2e-8)
    for k in (1, 20, 100):
        assert tau.values[200 + k] == pytest.approx(from_the_saddle(tau.grid.nodes[0][200 + k], QUIET), rel=2e-8)
    assert int(tau.info.method.split()[-2]) < 3000  # of 2 * 10^7 over which ln p changes by .5
    up = fp.exit_probability(pr, inside=(-1, 1), through="upper")
    assert up.values[200] == pytest.approx(0.5, abs=1e-8)
    assert up.values[201] == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("cells", [4000, 400, 40])
@pytest.mark.parametrize("D", [QUIET, 1e-4])
def test_a_top_within_a_cell_is_seen_though_its_sides_are_level(D, cells):
    tau = fp.mean_exit_time(saddle(D, cells), inside=(-1, 1))
    exact = from_the_saddle(1e-12, D)
    assert tau(0.0) == pytest.approx(exact, rel=3e-6)
    if cells * np.sqrt(D) < 4:
        assert abs(tau.replace(values=tau.values)(0.0) / exact - 1) > 1e-4  # the control: from the nodes alone


def test_what_is_known_between_nodes_is_saved_too(tmp_path):
    pr = saddle(1e-4, 40)
    tau = fp.mean_exit_time(pr, inside=(-1, 1))
    x = np.linspace(-1.6, 1.6, 401)
    assert np.array_equal(fp.load(tau.save(tmp_path / "tau.npz"))(x), tau(x), equal_nan=True)
    inside = np.abs(x) < 1
    assert np.all(tau(x[inside]) > 0)
    assert np.all(tau(x[(np.abs(x) > 1.01) & (np.abs(x) < 1.5)]) == 0)
    q = fp.committor(pr, source=(None, -1), target=(1, None))(x[np.abs(x) < 1.5])
    assert np.all(np.diff(q) >= -1e-12)
    assert q[0] == 0.0
    assert q[-1] == 1.0


def test_stretches_of_a_ring_are_known_all_round():
    ring = fp.Problem(fp.Process(1.0, 0.5), fp.Grid(x=fp.Axis.uniform(0, 2 * np.pi, 50, ends="periodic")))
    tau = fp.mean_exit_time(ring, inside=lambda x: np.cos(x) + 0.5)
    fine = fp.mean_exit_time(ring.replace(grid=ring.grid.refined(9)), inside=lambda x: np.cos(x) + 0.5)
    assert tau(fine.grid.nodes[0]) == pytest.approx(fine.values, abs=1e-6)


def test_the_second_moment_is_that_of_a_logarithm():
    """T = -ln|Z| + const with Z normal, for little noise: Var T = pi^2/8."""
    first, second = (fp.mean_exit_time(saddle(), inside=(-1, 1), moment=n).values[200] for n in (1, 2))
    assert second - first**2 == pytest.approx(np.pi**2 / 8, rel=1e-5)


def test_another_noise_is_noticed():
    assert fp.mean_exit_time(saddle(1.001 * QUIET), inside=(-1, 1))(0.0) != pytest.approx(8.69422919820989, rel=2e-5)


@pytest.mark.parametrize("barrier", [3.0, 8.0])
@pytest.mark.parametrize("cells", [401, 2001])
def test_a_well_between_steep_walls(barrier, cells):
    """tau(0 -> b) = sqrt(2 pi) int_0^b exp(u^2/2) Phi(u) du, with 5 * 10^6 kT of wall on the other side."""
    with mpmath.workdps(25):
        exact = mpmath.quad(
            lambda u: mpmath.exp(u * u / 2) * mpmath.erfc(-u / mpmath.sqrt(2)), mpmath.linspace(0, barrier, 5)
        )
        exact = float(exact * mpmath.sqrt(mpmath.pi / 2))
    pr = line(lambda y: -y, QUIET, (-1, 1, cells))
    tau = fp.mean_exit_time(pr, inside=(None, barrier * np.sqrt(QUIET)))
    assert tau.values[cells // 2] == pytest.approx(exact, rel=1e-9)
    p = fp.quasi_stationary(pr, inside=(None, barrier * np.sqrt(QUIET)))
    assert p.info.decay_rate * exact == pytest.approx(1.0, abs=1e-10 + 2 * np.exp(-(barrier**2) / 2) * np.log(exact))


def test_rates_between_wells_with_steep_walls():
    pr = line(lambda y: y - y**3, 2e-3, (-30, 30, 1201))
    rate = fp.transition_rate(pr, source=(None, -1), target=(1, None))
    assert rate * fp.mean_exit_time(pr, inside=(None, 1))(-1.0) == pytest.approx(1.0, rel=1e-7)


def test_a_drift_that_turns_everywhere_is_refused():
    rough = line(lambda y: y * (1 + 3 * np.sin(1e4 * y)), QUIET, (-1.5, 1.5, 4000))
    with pytest.raises(fp.NotConverged, match=r"too strong for the noise.*panels.*fp\.GTH\(\)"):
        fp.mean_exit_time(rough, inside=(-1, 1))


def test_answers_that_halving_changes_are_refused():
    check_agreement(np.array([1.0, 5000.0, -np.inf]), np.array([1.0 + 1e-9, 4000.0, -np.inf]))
    with pytest.raises(fp.NotConverged, match="changes by 0.01") as refused:
        check_agreement(np.array([1.0, 2.0]), np.array([1.0, 2.01]))
    assert refused.value.best == pytest.approx(np.exp([1.0, 2.01]))


@pytest.mark.parametrize("rate", [13.0, -40.0, 7500.0, -7500.0])
def test_running_integrals_of_steep_exponentials(rate):
    at_breaks, at_points = running((rate * (GAUSS + 0.01 * GAUSS**2))[None])
    with mpmath.workdps(30):
        for stop, found in zip((*GAUSS, 1.0), (*at_points[0], at_breaks[1]), strict=True):
            top = max(0.0, rate * (stop + 0.01 * stop**2))
            near = [stop - min(stop, 40 / rate)] if rate > 0 else [min(stop, -40 / rate)]
            exact = mpmath.quad(lambda s, top=top: mpmath.exp(rate * (s + s * s / 100) - top), [0, *near, stop])
            assert found == pytest.approx(float(mpmath.log(exact)) + top, rel=1e-13, abs=1e-11)
