"""The sets of first passages: intervals, level functions, rings, booleans, bad input; and the running integrals."""

import numpy as np
import pytest

import fpsolve as fp
from fpsolve.solvers.line import GAUSS, WEIGHTS, running
from tests.lines import INSIDE, double_well, problem, walk


@pytest.mark.parametrize("to", [0.0, 0.313])
def test_the_chain_is_second_order_wherever_the_target_lies(to):
    errors = []
    for cells in (60, 120, 240, 480):
        pr = double_well(0.1, (-3, 3, cells))
        exact, chain = (fp.mean_exit_time(pr, (None, to), method=method).values for method in (None, fp.GTH()))
        errors.append(np.abs(chain / exact[0] - exact / exact[0]).max())
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert orders.mean() == pytest.approx(2.0, abs=0.35)
    assert errors[-1] < 1e-3


def test_an_interval_and_level_functions_are_one_set():
    pr = double_well(0.1)
    a = fp.mean_exit_time(pr, inside=(-1.234, 0.567)).values
    b = fp.mean_exit_time(pr, inside=lambda x: (x + 1.234) * (0.567 - x)).values
    c = fp.mean_exit_time(pr, inside=lambda x: np.minimum(x + 1.234, 10 * (0.567 - x))).values
    assert a == pytest.approx(b, rel=1e-11)
    assert a == pytest.approx(c, rel=1e-11)


def test_parts_of_a_set_are_left_one_by_one():
    pr = walk()
    both = fp.mean_exit_time(pr, inside=lambda x: (x**2 - 0.25) * (2.25 - x**2)).values
    left, right = (fp.mean_exit_time(pr, inside=bounds).values for bounds in ((-1.5, -0.5), (0.5, 1.5)))
    assert both == pytest.approx(left + right, rel=1e-12)


def test_a_ring_is_cut_open_by_its_target():
    width = 2 * np.pi / 60
    ring = problem(lambda x: 0.7 + np.sin(x), 0.3, fp.Axis.uniform(0, 2 * np.pi, 60, ends="periodic"))
    line = problem(lambda x: 0.7 + np.sin(x), 0.3, (9 * width, 69 * width, 60))  # the same nodes, unrolled
    for ask in (fp.mean_exit_time, lambda pr, inside: fp.exit_probability(pr, inside, through="upper")):
        across, along = (ask(pr, inside=(1.0, 7.0)).values for pr in (ring, line))  # over the seam
        assert np.roll(across, -9) == pytest.approx(along, rel=1e-11)
    chain = fp.mean_exit_time(ring, inside=(1.0, 7.0), method=fp.GTH()).values
    assert np.roll(chain, -9) == pytest.approx(fp.mean_exit_time(line, (1, 7), method=fp.GTH()).values, rel=1e-11)


def test_fields_are_flat_outside_their_sets_and_infinite_where_they_are():
    tau = fp.mean_exit_time(double_well(0.25 / 40), inside=(None, 0.5))
    assert tau(0.51) == tau(0.6) == tau(2.9) == 0.0  # no ripple of a time of 10^18 beside it
    assert tau(0.49) > 0
    q = fp.committor(double_well(0.1), (None, -1), (1, None))
    assert (q(-2.0), q(-1.02), q(1.02), q(2.5)) == (0.0, 0.0, 1.0, 1.0)
    assert q(0.1) + q(-0.1) == pytest.approx(1.0, abs=1e-9)
    with pytest.warns(fp.DegenerateWarning, match="infinite"):
        endless = fp.mean_exit_time(walk(), (None, 1))
    assert endless(0.0) == np.inf
    assert endless(1.5) == 0.0
    assert np.isnan(endless(3.0))
    assert np.isnan(fp.Field(tau.grid, np.full(400, np.nan), "nothing")(0.2))


def test_row_54_a_boolean_set_is_of_first_order_and_said_to_be():
    pr = walk(axis=(-2, 2, 400))
    with pytest.warns(fp.ResolutionWarning, match=r"inside is a boolean function.*\(0\.01 along x\).*first order"):
        rough = fp.mean_exit_time(pr, inside=lambda x: np.abs(x) < 0.993)
    sharp = fp.mean_exit_time(pr, inside=lambda x: 0.993 - np.abs(x))
    assert 1e-4 < abs(rough(0.0) / sharp(0.0) - 1) < 0.03
    with pytest.warns(fp.ResolutionWarning, match="source is a boolean function"):
        fp.committor(pr, source=lambda x: x < -1, target=lambda x: x - 1)
    with pytest.warns(fp.ResolutionWarning, match="inside is a boolean function"):
        fp.mean_exit_time(pr, inside=lambda x: np.where(np.abs(x) < 1, 1.0, 0.0))


@pytest.mark.parametrize(
    ("inside", "message"),
    [
        (3.0, r"inside is 3\.0; give \(lo, hi\)"),
        ((1, 2, 3), r"give \(lo, hi\)"),
        ((1.0, -1.0), "the lower bound must be smaller"),
        ((np.nan, 1.0), "the lower bound must be smaller"),
        (("a", "b"), "the bounds being numbers"),
        ((-5.0, 1.0), r"stops at its open end x=-2: widen the grid beyond -5, or give -inf"),
        ((5.0, 6.0), "reaches to x=6, but the grid stops|no node lies inside"),
        ((0.001, 0.002), "no node lies inside"),
        (lambda x: -1 - x**2, "no node lies inside"),
        (lambda x: 1 + x**2, "inside is the whole grid"),
        ((None, None), "inside is the whole grid"),
        (None, "no set is given"),
        (np.sqrt, "inside is nan at x="),
        (lambda x, t: x, "inside depends on t"),
        (lambda x, y: x, "takes 2 coordinates"),
    ],
)
def test_bad_sets_are_explained(inside, message):
    with pytest.raises(fp.InvalidInput, match=message):
        fp.mean_exit_time(walk(), inside)


def test_other_bad_input_is_explained():
    pr = walk()
    for moment in (0, 1.5, True):
        with pytest.raises(fp.InvalidInput, match="moment is"):
            fp.mean_exit_time(pr, INSIDE, moment=moment)
    with pytest.raises(fp.InvalidInput, match=r"fp\.GTH\(\) or fp\.SparseLU\(\)"):
        fp.mean_exit_time(pr, INSIDE, method=fp.Multigrid())
    with pytest.raises(fp.InvalidInput, match=r"depends on t.*freeze it"):
        fp.mean_exit_time(problem(lambda x, t: -x, 1.0, (-2, 2, 50)), INSIDE)
    with pytest.raises(fp.InvalidInput, match=r"give an fp\.Problem"):
        fp.mean_exit_time(pr.process, INSIDE)
    with pytest.raises(fp.InvalidInput, match=r"through is 'up'; give 'lower', 'upper'"):
        fp.exit_probability(pr, INSIDE, through="up")
    with pytest.raises(fp.InvalidInput, match="source and target overlap in .* first at x="):
        fp.committor(pr, source=(-1, 0.5), target=(0, 1))
    with pytest.raises(fp.InvalidInput, match="no node lies in target"):
        fp.committor(pr, source=(-1, 0.5), target=(0.9991, 0.9992))
    with pytest.raises(fp.InvalidInput, match=r"absorbing end|every path ends"):
        fp.transition_rate(walk(axis=fp.Axis.uniform(-2, 2, 40, ends="absorbing")), (None, -1), (1, None))
    with pytest.raises(fp.InvalidInput, match="beyond the last node"):
        fp.mean_exit_time(pr, (-1.999, 1), method=fp.GTH())


def test_times_refine_save_and_print(tmp_path):
    pr = walk(axis=fp.Axis.uniform(-2, 2, 61))
    sharp = fp.refined(lambda one: fp.mean_exit_time(one, (-1.003, 1), method=fp.GTH()), pr, order=2)
    assert sharp.error is not None
    tau = fp.mean_exit_time(pr, INSIDE)
    copy = fp.load(tau.save(tmp_path / "tau.npz"))
    assert np.array_equal(copy.values, tau.values)
    assert "mean exit time" in repr(tau)
    assert "panels" in tau.info.method
    p = fp.quasi_stationary(pr, INSIDE)
    assert fp.load(p.save(tmp_path / "p.npz")).info.decay_rate == p.info.decay_rate


def test_running_integrals_are_those_of_the_polynomial():
    rng = np.random.default_rng(2)
    breaks = np.linspace(0, 2, 9)
    width = np.diff(breaks)[:, None]
    x = breaks[:-1, None] + GAUSS * width
    logs = np.log(width) + 3 * x + 500.0 * rng.random()
    at_breaks, at_points = running(logs)
    shift = logs[0, 0] - np.log(width[0, 0]) - 3 * x[0, 0]
    with np.errstate(divide="ignore"):
        assert at_breaks == pytest.approx(shift + np.log(np.expm1(3 * breaks) / 3), abs=1e-12)
    assert at_points == pytest.approx(shift + np.log(np.expm1(3 * x) / 3), abs=1e-6)  # sixth order inside a panel
    twin = np.concatenate([[0.0], np.cumsum(np.exp(logs - shift) @ WEIGHTS)])
    assert np.exp(at_breaks - shift) == pytest.approx(twin, rel=1e-12)


def test_running_integrals_rise_whatever_they_are_given():
    logs = np.log(np.array([[1.0, 1e-9, 1.0, 1e-9, 1.0, 1e-9], [1e-300] * 6, [1e300] * 6]))
    at_breaks, at_points = running(logs, 0.0)
    rising = np.concatenate([[0.0], *[np.append(row, end) for row, end in zip(at_points, at_breaks[1:], strict=True)]])
    assert np.all(np.diff(rising) >= 0)
    empty = np.full((1, 6), -np.inf)
    assert running(empty, 2.0)[0] == pytest.approx([2.0, 2.0])
