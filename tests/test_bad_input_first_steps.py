"""Natural mistakes of a first day: arguments in another order, names for objects, a grid that misses the bulk."""

import warnings

import numpy as np
import pytest

import fpsolve as fp
from fpsolve.asking import shown

DRIFT = fp.Process(lambda x: x - x**3, 0.25)
GRID = fp.Grid(x=(-3, 3, 60))
WELL = fp.Problem(DRIFT, GRID)
PLANE = fp.Problem(fp.Process(lambda x, y: (-x, -y), 0.25), fp.Grid(x=(-3, 3, 12), y=(-3, 3, 12)))
P = fp.stationary(WELL)
START, SETS, INSIDE = fp.Gaussian(0.5, 0.5), ((None, -1), (1, None)), (-1, 1)
RNG = np.random.default_rng(0)
X = RNG.normal(size=50)
DATA = fp.Regression(X, X + 0.5 * RNG.normal(size=50))
MANY = np.linspace(-3, 3, 400)


def slope(w, x, y):
    return 2 * (w * x - y) * x


def own(gradient=slope, **rest):
    return fp.models.FromGradients(gradient, DATA, 0.05, 1, **rest)


QUESTIONS = {
    "stationary": fp.stationary,
    "components": fp.components,
    "evolve": lambda pr, **how: fp.evolve(pr, START, [1], **how),
    "mean_exit_time": lambda pr, **how: fp.mean_exit_time(pr, inside=INSIDE, **how),
    "exit_probability": lambda pr, **how: fp.exit_probability(pr, inside=INSIDE, through="upper", **how),
    "committor": lambda pr, **how: fp.committor(pr, *SETS, **how),
    "transition_rate": lambda pr, **how: fp.transition_rate(pr, *SETS, **how),
    "quasi_stationary": lambda pr, **how: fp.quasi_stationary(pr, inside=INSIDE, **how),
    "survival": lambda pr, **how: fp.survival(pr, START, [1], inside=INSIDE, **how),
}
OTHERS = {
    "spectrum": fp.spectrum,
    "generator": fp.generator,
    "simulate": lambda pr: fp.simulate(pr, START, [1], dt=0.1, n=3, seed=1),
    "current": lambda pr: fp.current(pr, P),
    "entropy_production": lambda pr: fp.entropy_production(pr, P),
    "strong_residual": lambda pr: fp.strong_residual(pr, P),
    "refined": lambda pr: fp.refined(fp.stationary, pr),
    "convergence": lambda pr: fp.convergence(fp.stationary, pr),
}
STEPPERS, NULLS, PASSAGES = "fp.Krylov.*fp.FastL1", "GTH.*SparseLU.*Multigrid", "fp.GTH.. or fp.SparseLU"
FITTING = {"stationary": NULLS, "components": NULLS, "evolve": STEPPERS, "survival": STEPPERS}


@pytest.mark.parametrize("ask", [*QUESTIONS.values(), *OTHERS.values()], ids=[*QUESTIONS, *OTHERS])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (DRIFT, r"problem is Process\(ito\), without a grid; give an fp.Problem\(process, grid\)"),
        (GRID, r"problem is Grid.*, without a process"),
        (P, r"problem is Density.*; give an fp.Problem \("),
        (own(), r"problem is the model FromGradients.*; give what its .problem\(\) returns"),
        (fp.Problem, "problem is the class Problem, not one of its objects"),
        (None, "problem is None; give an fp.Problem"),
    ],
    ids=["process", "grid", "density", "model", "class", "none"],
)
def test_every_question_needs_a_problem(ask, given, message):
    with pytest.raises(fp.InvalidInput, match=message):
        ask(given)


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("method", ["GTH", fp.GTH, fp.Process(0.0, 1.0)], ids=["name", "class", "other"])
def test_methods_are_objects_and_those_that_fit_are_named(question, method):
    what = "the class GTH" if method is fp.GTH else "'GTH'" if method == "GTH" else "Process"
    with pytest.raises(fp.InvalidInput, match=f"method is {what}.*{FITTING.get(question, PASSAGES)}"):
        QUESTIONS[question](WELL, method=method)


def test_a_method_of_another_question_is_refused_in_the_plane():
    with pytest.raises(fp.InvalidInput, match=r"method is Krylov.*fp.GTH\(\), fp.SparseLU\(\) or fp.Multigrid"):
        fp.stationary(PLANE, method=fp.Krylov())
    assert fp.stationary(PLANE, method=fp.GTH()).mass == pytest.approx(1)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: fp.current(P, WELL), "problem is Density.*first the problem, then p"),
        (lambda: fp.current(WELL, WELL), "p is Problem.*; give an fp.Density"),
        (lambda: fp.strong_residual(WELL, WELL), r"give an fp.Density \(strong_residual\(problem, p\)\)"),
        (lambda: fp.refined(WELL, fp.stationary), r"no function of a Problem; give refined\(question, problem\)"),
        (lambda: fp.convergence(WELL, fp.stationary), r"no function of a Problem; give convergence\(quantity, problem"),
        (lambda: fp.Problem(GRID, DRIFT), r"process is Grid.*the call is Problem\(process, grid\)"),
        (lambda: P.plot("r--"), r"ax is 'r--'; give a matplotlib Axes or nothing, and style what"),
        (lambda: P.plot([0, 1]), r"ax is \[0, 1\]; give a matplotlib Axes"),
        (lambda: fp.stationary(WELL).marginal("x").plot(3), "ax is 3; give a matplotlib Axes"),
    ],
)
def test_arguments_in_another_place_are_told(ask, message):
    with pytest.raises(fp.InvalidInput, match=message):
        ask()


@pytest.mark.parametrize(
    "make",
    [
        lambda: fp.Grid(x=MANY),
        lambda: fp.Problem(DRIFT, MANY),
        lambda: fp.Problem(MANY, GRID),
        lambda: fp.Axis.uniform(MANY, 3, 40),
        lambda: fp.Axis.uniform(0, 3, MANY),
        lambda: fp.stationary(WELL, method=MANY),
        lambda: fp.Stable(MANY),
    ],
)
def test_arrays_are_shortened_in_messages(make):
    with pytest.raises(fp.InvalidInput, match=r"is array\(\[-3\. *, -2\.985 *, -2\.9699, \.\.\., ") as told:
        make()
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 240


def test_values_are_shown_on_one_line():
    assert [shown("GTH"), shown(np.arange(3))] == ["'GTH'", "array([0, 1, 2])"]
    assert "\n" not in shown(np.ones((40, 40)))
    assert len(shown("x" * 1000)) < 110


@pytest.mark.parametrize(
    ("gradient", "rest", "message"),
    [
        (
            lambda w, x, y: np.mean(slope(w, x, y)),
            {},
            r"one number.*one gradient per place and sample.*\(3, 50\)",
        ),
        (lambda x, y, w: slope(w, x, y), {}, r"takes \(x, y, w\), but it is called as gradient\(theta, x, y\)$"),
        (lambda w, y, x: slope(w, x, y), {}, r"takes \(w, y, x\), but it is called as gradient\(theta, x, y\)"),
        (lambda w, x, y, z: slope(w, x, y), {}, r"takes \(w, x, y, z\), but it is called as gradient\(theta, x, y\)"),
        (
            lambda a, b, x, y: (a + b * x - y, (a + b * x - y) * x),
            {"start": (0.0, 0.0)},
            r"takes \(a, b, x, y\), but .*\(theta = \(theta1, theta2\), x, y\): both parameters come as one tuple",
        ),
        (lambda w, x, y: slope(w, x, y) + RNG.normal(size=x.size), {}, r"the call is gradient\(theta, x, y\)"),
        (lambda w, x, y: 2 * (float(w) * x - y), {}, r"called as gradient\(theta, x, y\) with arrays"),
    ],
    ids=["mean", "order", "swapped", "too many", "two", "noise", "floats"],
)
def test_gradients_of_another_form_are_told_the_call(gradient, rest, message):
    with pytest.raises(fp.InvalidInput, match=message):
        own(gradient, **rest)


def test_gradients_may_name_their_arguments_as_they_like():
    def named_otherwise(x, a, b):
        return slope(x, a, b)

    def unnamed(*arguments):
        return slope(*arguments)

    same = [own(gradient).minimum[0] for gradient in (slope, named_otherwise, unnamed)]
    assert same[0] == same[1] == same[2]
    columns = fp.models.FromGradients(lambda w, y, x: slope(w, x, y), (DATA.y, DATA.x), 0.05, 1)  # own columns
    assert columns.minimum[0] == pytest.approx(same[0], rel=1e-12)


def test_a_negative_parameter_is_told_the_call():
    model = own(lambda u, x, y: 4 * (u**2 * x - y) * x * u, start=-1.0)
    with pytest.raises(fp.InvalidInput, match=r"negative .*\(or is gradient\(theta, x, y\) not what"):
        model.random_map()


# ends, depths and seams


def solved(drift, diffusion, grid):
    return fp.stationary(fp.Problem(fp.Process(drift, diffusion), grid))


def test_beside_a_pole_the_grid_is_not_extended():
    bessel = (lambda x: 1 / x - x, 1.0)
    with pytest.warns(fp.TruncationWarning, match=r"p falls to 0 there like \|x\|\^0\.999, .* make the end reflecting"):
        p = solved(*bessel, fp.Grid(x=(0, 6, 200)))
    wall = solved(*bessel, fp.Grid(x=fp.Axis.uniform(0, 6, 200, ends=("reflecting", "open"))))
    assert abs(wall.mean() - np.sqrt(np.pi / 2)) < 1e-4 < abs(p.mean() - np.sqrt(np.pi / 2))
    with pytest.warns(fp.TruncationWarning, match=r"extend the grid to x=3\.\d+"):  # no pole, and the old advice
        solved(lambda x: -x, 0.25, fp.Grid(x=(-6, 2, 200)))


@pytest.mark.parametrize("sign", [1, -1])
def test_a_grid_that_misses_the_bulk_says_where_it_would_be(sign):
    with pytest.raises(fp.NotNormalizable, match=f"ever more slowly, as if the bulk lay beyond, near x={10 * sign}:"):
        solved(lambda x: 10 * sign - x, 1.0, fp.Grid(x=(-3, 3, 200)))


def test_ends_without_a_bulk_beyond_are_not_told_so():
    with pytest.raises(fp.NotNormalizable, match="like a constant, .*; change the parameters") as flat:
        solved(lambda x: 0 * x, 1.0, fp.Grid(x=(-3, 3, 200)))
    with pytest.raises(fp.NotNormalizable, match=r"like exp\(1 x\).*; change the parameters") as straight:
        solved(lambda x: 1 + 0 * x, 1.0, fp.Grid(x=(-3, 3, 200)))
    assert "bulk lay" not in str(flat.value) + str(straight.value)


def test_rates_that_no_double_holds_are_told_by_their_power_of_ten():
    with pytest.warns(fp.DegenerateWarning, match=r"rate is below 10\^-10[78]\d, .* shorter than 10\^10[78]\d never"):
        solved(lambda x: x - x**3, 1e-4, fp.Grid(x=(-3, 3, 2000)))  # exp(-2500) = 10^-1086
    with pytest.warns(fp.DegenerateWarning, match=r"is between 4e-29 and 3\.2e-28"):
        solved(lambda x: x - x**3, 4e-3, fp.Grid(x=(-3, 3, 2000)))


START_IN_PLANE = fp.Gaussian((1.0, 0.0), (0.2, 0.8))


def ring(length, cells=100):
    return fp.Axis.uniform(0, length, cells, ends="periodic")


WRONG = {
    "drift": fp.Process(lambda x: 0.5 + np.sin(x), 1.0),
    "diffusion": fp.Process(0.0, lambda x: 1.5 + np.sin(x)),
}


@pytest.mark.parametrize("label", WRONG)
def test_a_wrong_period_is_told_and_the_right_one_is_not(label):
    with pytest.warns(fp.ResolutionWarning, match=rf"{label} jumps from .* at x=1\.99 to .* at x=0\.01.*whole periods"):
        fp.stationary(fp.Problem(WRONG[label], fp.Grid(x=ring(2.0))))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for cells in (12, 100, 400):
            fp.stationary(fp.Problem(WRONG[label], fp.Grid(x=ring(2 * np.pi, cells))))


def test_a_loss_that_does_not_close_is_refused():
    with pytest.raises(fp.InvalidInput, match="loss differs by 0.909297 between the two ends"):
        fp.generator(fp.Problem(fp.Process.gibbs(np.sin, 1.0), fp.Grid(x=ring(2.0))))


def test_a_wrong_period_is_told_in_the_plane():
    swirl = fp.Process(lambda x, y: (0.5 + np.sin(x) * np.exp(-(y**2)), -y), 1.0)
    y = fp.Axis.uniform(-6, 6, 24)
    with pytest.warns(fp.ResolutionWarning, match=r"drift jumps .* where the ends of the periodic axis meet"):
        fp.stationary(fp.Problem(swirl, fp.Grid(x=ring(2.0), y=y)))
    with pytest.warns(fp.ResolutionWarning, match="whole periods"):
        fp.evolve(fp.Problem(swirl, fp.Grid(x=ring(2.0), y=y)), START_IN_PLANE, [0.1])
    fp.stationary(fp.Problem(swirl, fp.Grid(x=ring(2 * np.pi), y=y)))


def test_steps_inside_excuse_a_step_at_the_seam():
    ratchet = fp.Process(lambda x: np.where(x < 0.3, -2.0, 1.0), 0.1)
    fp.stationary(fp.Problem(ratchet, fp.Grid(x=ring(1.0))))


def test_the_pace_of_sgd_is_in_the_repr():
    assert "learning rate 0.01, batch 1; 50 samples" in repr(fp.models.DiagonalNetwork(DATA))
    assert "learning rate 0.02, batch 5; 50 samples" in repr(fp.models.RescalingPair(DATA, learning_rate=0.02, batch=5))
