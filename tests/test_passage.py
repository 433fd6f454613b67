"""First passages in one dimension: barriers to 200 kT, closed forms, ends that paths never reach."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fpsolve as fp
from tests.lines import INSIDE, double_well, nodes, problem, walk

# dX = (X - X^3) dt + sqrt(2 D) dW from -1: nested 16-point Gauss-Legendre rules in 40 digits
TIMES = {
    (0.1, 1.0): 66.2686263649178808,
    (0.1, 0.0): 30.8213024726656897,
    (0.05, 1.0): 729.670691942322799,
    (0.05, 0.0): 361.903759500924366,
    (0.25 / 10, 1.0): 102108.365457169837,
    (0.25 / 40, 1.0): 1.05590086823710231e18,
    (0.25 / 80, 1.0): 2.47334846710316183e35,
    (0.25 / 200, 1.0): 3.21647120275202853e87,
}
PRINTED = {(0.1, 1.0): 66.26862636, (0.05, 1.0): 729.6706919, (0.1, 0.0): 30.82130247, (0.05, 0.0): 361.9037595}


@pytest.mark.parametrize(("D", "to"), TIMES)
def test_escape_times_have_twelve_digits_up_to_200_kT(D, to):
    width = 2 / 133.5
    tau = fp.mean_exit_time(double_well(D, (-3, -3 + 400 * width, 400)), inside=(None, to))
    assert tau.grid.nodes[0][133] == pytest.approx(-1.0, abs=1e-14)
    assert tau.values[133] == pytest.approx(TIMES[D, to], rel=2e-12)
    assert tau(-1.0 + width / 3) == pytest.approx(TIMES[D, to], rel=1e-2)


@pytest.mark.parametrize(("D", "to"), PRINTED)
def test_kramers_numbers_of_the_notes(D, to):
    assert fp.mean_exit_time(double_well(D), inside=(-np.inf, to))(-1.0) == pytest.approx(PRINTED[D, to], rel=1e-9)


def test_a_wrong_barrier_is_noticed():
    wrong = problem(lambda x: 1.001 * (x - x**3), 0.1, (-3, 3, 400))
    assert fp.mean_exit_time(wrong, inside=(None, 1.0))(-1.0) != pytest.approx(TIMES[0.1, 1.0], rel=1e-4)


@pytest.mark.parametrize(("phi", "time"), [(2, 357.8710117), (5, 81031.52461), (10, 643179094.1)])
def test_power_law_escape_under_noise_proportional_to_the_loss(phi, time):
    def loss(v):
        return 0.05 + (v * v - 1) ** 2 / 4

    grid = fp.Grid(v=fp.Axis.sinh(-1e3, 1e3, 1200))
    pr = fp.Problem(fp.Process(lambda v: v - v**3, lambda v: loss(v) / phi), grid)
    assert fp.mean_exit_time(pr, inside=(None, 1))(-1.0) == pytest.approx(time, rel=2e-10)


@pytest.mark.parametrize("barrier", [0.5, 10, 40, 80, 200])
def test_ornstein_uhlenbeck_agrees_with_the_single_integral(barrier):
    # tau(0 -> b) = sqrt(2 pi) int_0^b exp(u^2/2) Phi(u) du
    b = float(np.sqrt(2 * barrier))
    with mpmath.workdps(25):
        exact = mpmath.quad(
            lambda u: mpmath.exp(u * u / 2) * mpmath.erfc(-u / mpmath.sqrt(2)), mpmath.linspace(0, b, 9)
        )
        exact = float(exact * mpmath.sqrt(mpmath.pi / 2))
    pr = problem(lambda x: -x, 1.0, fp.Axis.uniform(-10, 22, 321))
    assert fp.mean_exit_time(pr, inside=(None, b))(0.0) == pytest.approx(exact, rel=1e-6)  # between nodes .1 apart
    pr = problem(lambda x: -x, 1.0, fp.Axis.uniform(-10.05, 22.05, 321))
    assert pr.grid.nodes[0][100] == pytest.approx(0.0, abs=1e-13)
    assert fp.mean_exit_time(pr, inside=(None, b)).values[100] == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("ends", ["absorbing", "open"])
def test_free_diffusion_leaves_an_interval_in_1_minus_x2(ends):
    pr = walk(0.7, fp.Axis.uniform(-1, 1, 40, ends=ends))
    _, x = nodes(pr)
    tau = fp.mean_exit_time(pr, inside=None if ends == "absorbing" else INSIDE)  # a bound on the outer face
    assert tau.values == pytest.approx((1 - x * x) / 1.4, rel=1e-13)
    second = fp.mean_exit_time(pr, inside=INSIDE, moment=2)
    assert second.values == pytest.approx((5 - 6 * x**2 + x**4) / (12 * 0.7**2), rel=1e-13)
    third = fp.mean_exit_time(pr, inside=INSIDE, moment=3)
    assert third.values == pytest.approx((61 - 75 * x**2 + 15 * x**4 - x**6) / (120 * 0.7**3), rel=1e-13)


def test_a_drifted_interval():
    v, D = 0.8, 0.5
    pr = problem(v, D, fp.Axis.uniform(-1, 1, 50, ends="absorbing"))
    _, x = nodes(pr)
    up = (1 - np.exp(-v * (x + 1) / D)) / (1 - np.exp(-2 * v / D))
    assert fp.exit_probability(pr, through="upper").values == pytest.approx(up, rel=1e-13)
    assert fp.exit_probability(pr, through="lower").values == pytest.approx(1 - up, abs=1e-14)
    assert fp.mean_exit_time(pr).values == pytest.approx((2 * up - (x + 1)) / v, rel=1e-12)


def test_a_set_counts_the_exits_that_it_holds():
    pr = problem(0.3, 1.0, (-3, 3, 60))
    up = fp.exit_probability(pr, INSIDE, through="upper")
    for through in ((0.5, None), lambda x: x, lambda x: x - 1, (1, 2)):
        assert fp.exit_probability(pr, INSIDE, through=through).values == pytest.approx(up.values, abs=1e-15)
    everything = fp.exit_probability(pr, INSIDE, through=(None, None)).values
    assert everything[nodes(pr, *INSIDE)[0]] == pytest.approx(1.0, abs=1e-14)
    assert np.all(fp.exit_probability(pr, INSIDE, through=(3, 4)).values == 0)


@pytest.mark.parametrize("D", [0.1, 0.25 / 40, 0.25 / 200])
def test_committor_of_a_double_well(D):
    pr = double_well(D)
    inside, x = nodes(pr, -1, 1)
    q = fp.committor(pr, source=lambda x: -1 - x, target=lambda x: x - 1)
    assert np.all(q.values[x < -1] == 0)
    assert np.all(q.values[x > 1] == 1)
    with mpmath.workdps(20):
        pieces = [mpmath.quad(lambda y: mpmath.exp((y**4 / 4 - y**2 / 2) / D), mpmath.linspace(a, b, 3))
                  for a, b in zip(np.linspace(-1, 0.5, 16), np.linspace(-0.9, 0.6, 16), strict=True)]  # fmt: skip
        below = mpmath.fsum(pieces[:10])  # R(-1, 0)
        exact = {0.0: 0.5, -0.5: float(mpmath.fsum(pieces[:5]) / (2 * below))}
    for place, value in exact.items():
        assert q(place) == pytest.approx(value, rel=1e-6 if D > 0.01 else 1e-3)  # a cubic between nodes
    other = fp.committor(pr, source=lambda x: x - 1, target=lambda x: -1 - x)
    assert q.values[inside] + other.values[inside] == pytest.approx(1.0, abs=1e-12)
    assert q.values[inside] == pytest.approx(other.values[inside][::-1], rel=1e-11)  # the wells are alike


@pytest.mark.parametrize("convention", ["ito", "stratonovich", "isothermal"])
def test_conventions_agree_with_the_drift_they_stand_for(convention):
    c = {"ito": 1.0, "stratonovich": 0.5, "isothermal": 0.0}[convention]

    def diffusion(x):
        return 0.2 + 0.1 * np.sin(2 * x)

    def slope(x):
        return 0.2 * np.cos(2 * x)

    pr = problem(lambda x: -x - (1 - c) * slope(x), diffusion, (-4, 4, 100), convention)
    same = problem(lambda x: -x, diffusion, (-4, 4, 100))
    a, b = (fp.mean_exit_time(one, inside=(None, 1.3)).values for one in (pr, same))
    assert a == pytest.approx(b, rel=1e-11)
    wrong = fp.mean_exit_time(problem(lambda x: -x - (1 - c) * slope(x), diffusion, (-4, 4, 100)), inside=(None, 1.3))
    assert (convention == "ito") == bool(np.allclose(wrong.values, b, rtol=1e-6))


def test_gibbs_and_drift_are_one_process():
    loss = lambda x: x**4 / 4 - x**2 / 2  # noqa: E731
    gibbs = fp.Problem(fp.Process.gibbs(loss, 0.05), fp.Grid(x=(-3, 3, 200)))
    a = fp.mean_exit_time(gibbs, inside=(None, 1)).values
    assert a == pytest.approx(fp.mean_exit_time(double_well(0.05, (-3, 3, 200)), inside=(None, 1)).values, rel=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.floats(-3, 3), st.floats(-2, 2), st.floats(0.3, 2), st.floats(-0.9, 0.9), st.floats(0.3, 1.5))
def test_the_chain_converges_to_the_closed_form(a, b, D, lo, width):
    pr = problem(lambda x: a * np.sin(2 * x) + b, lambda x: D * (1 + 0.3 * np.cos(x)), fp.Axis.uniform(-2.5, 2.5, 300))
    inside = (lo, lo + width)
    exact, chain = (fp.mean_exit_time(pr, inside, method=method).values for method in (None, fp.GTH()))
    coarse = (1 + (abs(a) + abs(b)) / D) * (pr.grid.axes[0].ds / width) ** 2  # second order
    assert np.abs(chain - exact).max() < 3.0 * coarse * exact.max()
    assert np.all((exact > 0) == (chain > 0))
    up, down = (fp.exit_probability(pr, inside, through=side).values for side in ("upper", "lower"))
    assert (up + down)[exact > 0] == pytest.approx(1.0, abs=1e-13)
    discrete = fp.exit_probability(pr, inside, through="upper", method=fp.GTH()).values
    assert np.abs(discrete - up).max() < 3.0 * coarse


def test_methods_agree_on_the_chain():
    pr = double_well(0.05)
    a, b = (fp.mean_exit_time(pr, (None, 1), method=method) for method in (fp.GTH(), fp.SparseLU()))
    assert a.values == pytest.approx(b.values, rel=1e-7)
    assert "GTH" in a.info.method
    assert "LU" in b.info.method
    with pytest.raises(fp.NotConverged, match=r"rounding may move the times by .* use fp\.GTH\(\)"):
        fp.mean_exit_time(double_well(0.25 / 40), (None, 1), method=fp.SparseLU())
    deep = fp.mean_exit_time(double_well(0.25 / 40, (-3, 3, 1600)), (None, 1), method=fp.GTH())
    assert deep(-1.0) == pytest.approx(TIMES[0.25 / 40, 1.0], rel=1e-3)


def test_null_recurrent_paths_take_for_ever():
    pr = problem(0.0, 1.0, (-3, 3, 60))
    with pytest.warns(fp.DegenerateWarning, match=r"mean exit time is infinite: toward x -> -infinity"):
        tau = fp.mean_exit_time(pr, inside=(None, 1))
    inside, _ = nodes(pr, hi=1)
    assert np.all(np.isinf(tau.values[inside]))
    assert np.all(tau.values[~inside] == 0)
    assert fp.exit_probability(pr, (None, 1), through="upper").values[inside] == pytest.approx(1.0)  # they come


def test_paths_that_drift_away_may_never_return():
    pr = problem(-1.0, 1.0, (-3, 30, 330))
    inside, x = nodes(pr, hi=1)
    with pytest.warns(fp.DegenerateWarning, match="mean exit time is infinite"):
        assert np.all(np.isinf(fp.mean_exit_time(pr, inside=(None, 1)).values[inside]))
    back = fp.exit_probability(pr, (None, 1), through="upper").values[inside]
    assert back == pytest.approx(np.exp(x[inside] - 1), rel=1e-11)  # exp(-v (1 - x)/D)
    q = fp.committor(pr, source=(1, 2), target=(3, 4)).values
    assert np.all(q[x < 1] == 0)
    assert q[x > 4] == pytest.approx(1.0)


@pytest.mark.parametrize(("a", "verdict"), [(0.8, "infinite"), (1.0, "undecided"), (2.0, "finite")])
def test_row_17_power_law_tails_decide_whether_paths_come_back_in_finite_time(a, verdict):
    # dX = -a X/(1 + X^2) dt + sqrt(2) dW: speed |x|^-a
    pr = problem(lambda x: -a * x / (1 + x * x), 1.0, fp.Axis.sinh(-1e5 if a == 1 else -1e6, 5, 600))
    if verdict == "undecided":
        with pytest.raises(
            fp.NotNormalizable, match=r"like \|x\|\^-1 .*whether the mean exit time is finite is undecided"
        ):
            fp.mean_exit_time(pr, (None, 1))
    elif verdict == "infinite":
        with pytest.warns(fp.DegenerateWarning, match=r"infinite: toward x -> -infinity.*\|x\|\^-0\.8"):
            assert fp.mean_exit_time(pr, (None, 1))(0.0) == np.inf
    else:  # int_0^1 (1 + y^2) (pi/2 + atan y) dy
        exact = np.pi / 2 * 4 / 3 + (np.pi / 4 + np.pi / 12) - (np.log(2) / 2 + (1 - np.log(2)) / 6)
        assert fp.mean_exit_time(pr, (None, 1))(0.0) == pytest.approx(exact, rel=1e-6)
    assert fp.exit_probability(pr, (None, 1), through="upper")(0.0) == pytest.approx(1.0)


def power_law(e):
    """Speed |x|^-(1 + e): the time spent beyond x is finite for e > 0."""
    axis = fp.Axis.sinh(-1e3, 1e3, 200)
    return problem(lambda x: -(1 + e) * np.sign(x) / np.maximum(np.abs(x), 1e-9), 1.0, axis)


@pytest.mark.parametrize("e", [-1e-15, 0.0, 1e-15, 1e-12, 1e-6])
def test_a_time_that_all_lies_in_doubt_beyond_the_end_is_undecided(e):
    with pytest.raises(fp.NotNormalizable, match="whether the mean exit time is finite is undecided"):
        fp.mean_exit_time(power_law(e), inside=(1, None))
    assert fp.exit_probability(power_law(e), (1, None), through="lower")(2.0) == pytest.approx(1.0)


@pytest.mark.parametrize("e", [1e-3, 1e-2])
def test_a_time_beyond_every_grid_is_told_without_a_place_for_its_end(e):
    with pytest.warns(
        fp.TruncationWarning, match=r"known to about 0\.00\d+ by continuation; no grid reaches far enough"
    ):
        tau = fp.mean_exit_time(power_law(e), inside=(1, None))
    assert tau(2.0) == pytest.approx(1.5 / e, rel=0.01)  # int_1^2 y^(1 + e) y^-e/e dy


def test_what_lies_beyond_an_open_end_counts():
    full = fp.mean_exit_time(problem(lambda x: -x, 1.0, (-8, 2, 400)), inside=(None, 1))
    with pytest.warns(fp.TruncationWarning, match="beyond the open end x=-2"):
        cut = fp.mean_exit_time(problem(lambda x: -x, 1.0, (-2, 2, 160)), inside=(None, 1))
    wall = fp.mean_exit_time(
        problem(lambda x: -x, 1.0, fp.Axis.uniform(-2, 2, 160, ends=("reflecting", "open"))), inside=(None, 1)
    )
    assert abs(cut(0.0) / full(0.0) - 1) < 0.25 * abs(wall(0.0) / full(0.0) - 1)


def test_a_logarithmic_axis_is_the_same_process_seen_in_x():
    # y = ln x is Ornstein-Uhlenbeck; its open end y -> -infinity lies at x = 0
    process = fp.Process(lambda x: x - x * np.log(x), lambda x: x * x)
    log = fp.Problem(process, fp.Grid(x=fp.Axis.log(np.exp(-9.0), np.exp(3.0), 240)))
    plain = problem(lambda x: -x, 1.0, (-9, 3, 240))
    a, b = fp.mean_exit_time(log, (None, np.e)).values, fp.mean_exit_time(plain, (None, 1)).values
    assert a == pytest.approx(b, rel=1e-10)
    assert fp.mean_exit_time(log, (None, np.e), moment=3).values == pytest.approx(
        fp.mean_exit_time(plain, (None, 1), moment=3).values, rel=1e-9
    )


def test_a_wall_sends_paths_back():
    pr = walk(0.5, fp.Axis.uniform(0, 2, 40, ends=("reflecting", "absorbing")))
    _, x = nodes(pr)
    assert fp.mean_exit_time(pr).values == pytest.approx(4 - x * x, rel=1e-13)
    assert fp.exit_probability(pr, through="upper").values == pytest.approx(1.0, abs=1e-15)


def test_fixation_where_the_noise_vanishes_at_the_target():
    # Wright & Fisher: dX = sqrt(2 x (1 - x)) dW, tau = -x ln x - (1 - x) ln (1 - x)
    pr = problem(0.0, lambda x: x * (1 - x), fp.Axis.uniform(0, 1, 80, ends="absorbing"))
    _, x = nodes(pr)
    assert fp.mean_exit_time(pr).values == pytest.approx(-x * np.log(x) - (1 - x) * np.log1p(-x), rel=1e-9)
    assert fp.exit_probability(pr, through="upper").values == pytest.approx(x, rel=1e-12)


def test_a_target_that_is_never_reached():
    # geometric Brownian motion never reaches 0
    pr = problem(lambda x: 0.3 * x, lambda x: 0.5 * x * x, fp.Axis.uniform(0, 1, 50, ends=("absorbing", "open")))
    with pytest.warns(fp.DegenerateWarning, match=r"the noise vanishes like \|x - 0\|\^2.*for ever to reach it"):
        assert np.all(np.isinf(fp.mean_exit_time(pr, inside=(None, 0.5)).values[:25]))
    bessel = problem(1.0, lambda x: 0.5 * x, fp.Axis.uniform(0, 3, 60, ends=("absorbing", "reflecting")))
    x = bessel.grid.nodes[0]
    assert fp.exit_probability(bessel, (None, 1), through="upper").values[x < 1] == pytest.approx(1.0)  # 0 repels
    tau = fp.mean_exit_time(bessel, (None, 1)).values
    assert tau[x < 1] == pytest.approx(1 - x[x < 1], rel=1e-9)  # L x = 1


def test_paths_between_a_wall_and_an_end_that_repels_never_leave():
    bessel = problem(2.0, lambda x: 0.5 * x, fp.Axis.uniform(0, 3, 60, ends=("absorbing", "reflecting")))
    with pytest.warns(fp.DegenerateWarning, match="paths never reach an end of the set"):
        assert np.all(np.isinf(fp.mean_exit_time(bessel).values))
    assert np.all(fp.exit_probability(bessel, through="lower").values == 0)


def test_where_no_noise_is_paths_follow_the_drift():
    pr = problem(lambda x: 1 + 0 * x, 0.0, (-2, 2, 80))
    inside, x = nodes(pr, hi=1.013)
    tau = fp.mean_exit_time(pr, inside=(None, 1.013))
    assert tau.values[inside] == pytest.approx(1.013 - x[inside], rel=1e-12)


def test_paths_that_stall_never_leave():
    with pytest.warns(fp.DegenerateWarning, match=r"infinite from 49 of 49 cells inside.*among 1 cells"):
        tau = fp.mean_exit_time(problem(lambda x: -1 + 0 * x, lambda x: np.maximum(x, 0), (-3, 3, 60)), (None, 1.95))
    assert np.all(np.isinf(tau.values[:49]))
    with pytest.warns(fp.DegenerateWarning, match="infinite from 20 of 40"):
        half = fp.mean_exit_time(problem(lambda x: -x, lambda x: 0.1 + 0 * x, (-3, 3, 60)).replace(
            process=fp.Process(lambda x: np.where(x < 0, -1 - x, 1.0), 0.0)), (-2, 2))  # fmt: skip
    assert np.isfinite(half.values).sum() == 40


def test_moments_beyond_double_precision_are_said_to_be():
    with pytest.warns(fp.DegenerateWarning, match=r"largest exit time is 10\^3\d\d"):
        tau = fp.mean_exit_time(double_well(0.25 / 720), inside=(None, 1))
    assert tau.values[0] == np.inf
