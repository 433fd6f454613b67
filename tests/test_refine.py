"""Richardson's extrapolation and observed orders, on quantities whose order is known by construction."""

import matplotlib as mpl
import numpy as np
import pytest

import fpsolve as fp
from fpsolve.convergence import convergence
from fpsolve.refine import Estimate, refined
from fpsolve.values.field import Field

mpl.use("Agg")


def wall(cells=60):
    """p = exp(-x) on x > 0: the scheme is exact, the midpoint sum beside the wall of second order; mean 1."""
    grid = fp.Grid(x=fp.Axis.uniform(0, 12, cells, ends=("reflecting", "open")))
    return fp.Problem(fp.Process(-1.0, 1.0), grid)


def ring(cells=20):
    """A tilted ring: its density is of second order."""
    grid = fp.Grid(x=fp.Axis.uniform(0, 2 * np.pi, cells, ends="periodic"))
    return fp.Problem(fp.Process(lambda x: 0.5 + np.sin(x), 1.0), grid)


def well(cells=60):
    return fp.Problem(fp.Process(lambda x: x - x**3, 0.25), fp.Grid(x=(-3, 3, cells)))


def mean(pr):
    return fp.stationary(pr).mean()


def of_order(q, limit=2.0):
    """A made-up answer with an error of order q."""
    return lambda pr: limit + 3.0 * pr.grid.axes[0].ds ** q * (1 + pr.grid.axes[0].ds ** 2)


def reference(pr, factor=81):
    return fp.stationary(pr.replace(grid=pr.grid.refined(factor))).log_values[factor // 2 :: factor]


def test_a_mean_beside_a_wall_is_of_second_order_and_extrapolates():
    plain, sharp = mean(wall()), refined(mean, wall())
    assert sharp.order == pytest.approx(2.0, abs=0.1)
    assert abs(plain - 1) > 3e-3
    assert abs(sharp - 1) < 1e-8
    assert abs(sharp - 1) < sharp.error < 1e-6


@pytest.mark.parametrize("q", [1.0, 1.5, 2.0, 4.0])
def test_the_order_is_observed(q):
    sharp = refined(of_order(q), wall(120))
    assert sharp.order == pytest.approx(q, abs=0.1)
    assert abs(sharp - 2) < sharp.error < abs(of_order(q)(wall(120)) - 2)
    assert convergence(of_order(q), wall(120)).order == pytest.approx(q, abs=0.1)
    assert convergence(of_order(q), wall(120), exact=2.0).order == pytest.approx(q, abs=0.1)


def test_a_wrong_order_is_noticed():
    assert abs(refined(of_order(1.0), wall(), order=2.0) - 2) > 0.1
    assert abs(refined(of_order(1.0), wall(), order=1.0) - 2) < 0.02


def test_two_grids_are_enough_where_the_order_is_known():
    asked = []
    sharp = refined(lambda pr: asked.append(pr.grid.size) or mean(pr), wall(), order=2)
    assert asked == [60, 180]
    assert abs(sharp - 1) < 5e-7
    assert abs(sharp - 1) < sharp.error


def test_a_density_is_extrapolated_in_logarithms():
    pr = ring()
    truth, plain, sharp = reference(pr), fp.stationary(pr), refined(fp.stationary, pr)
    assert np.abs(plain.log_values - truth).max() > 3e-3
    assert np.abs(sharp.log_values - truth).max() < 2e-6
    assert np.abs(sharp.log_values - truth).max() < sharp.error < 1e-5
    assert sharp.mass == pytest.approx(1.0, abs=1e-14)
    assert np.all(sharp.values > 0)
    assert sharp.grid is pr.grid
    assert "order 2.00" in sharp.info.notes[-1]
    assert refined(fp.stationary, pr, order=2).error == pytest.approx(3.5e-4, rel=0.1)


def test_a_density_that_is_exact_already_says_so():
    sharp = refined(fp.stationary, well())
    assert sharp.error < 1e-12
    assert "order undetermined" in sharp.info.notes[-1]
    assert np.abs(sharp.log_values - fp.stationary(well()).log_values).max() < 1e-12


def test_shape_and_mass_are_extrapolated_apart():
    """Mass that leaves: exp(-1)(1 + h^2) of a normal law times (1 + h^2 cos x)."""

    def leaving(pr):
        x, h = pr.grid.nodes[0], pr.grid.axes[0].ds
        raw = np.exp(-(x**2) / 2 + h**2 * np.cos(x)) / np.sqrt(2 * np.pi)
        total = np.exp(-1) * (1 + h**2)
        return fp.Density.from_masses(pr.grid, raw * pr.grid.weights / (raw * pr.grid.weights).sum() * total, time=2.5)

    pr = fp.Problem(fp.Process(lambda x: -x, 1.0), fp.Grid(x=fp.Axis.uniform(-7, 7, 70, ends="absorbing")))
    sharp = refined(leaving, pr)
    assert sharp.mass == pytest.approx(np.exp(-1), rel=1e-6)
    assert sharp.time == 2.5
    x = pr.grid.nodes[0]
    assert sharp.log_values == pytest.approx(-1 - x**2 / 2 - 0.5 * np.log(2 * np.pi), abs=2e-5)


def test_cells_without_mass_stay_without():
    pr = fp.Problem(fp.Process(lambda x: x - x**3, lambda x: 0.1 * x**2), fp.Grid(x=(-3, 3, 61)))
    sharp = refined(lambda pr: fp.components(pr)[1], pr)
    assert np.all(sharp.values[:30] == 0)
    assert sharp.mass == pytest.approx(1.0, abs=1e-14)


def test_a_field_is_extrapolated():
    def height(pr):
        x, h = pr.grid.nodes[0], pr.grid.axes[0].ds
        return Field(pr.grid, np.cos(x) + h**2 * np.sin(x) + h**4, "height")

    sharp = refined(height, wall())
    assert isinstance(sharp, Field)
    assert sharp.values == pytest.approx(np.cos(wall().grid.nodes[0]), abs=1e-5)
    assert "order 2.00" in sharp.info.notes[-1]
    assert convergence(height, wall()).order == pytest.approx(2.0, abs=0.1)
    assert convergence(height, wall(), exact=np.cos).order == pytest.approx(2.0, abs=0.1)


def test_no_order_is_invented():
    noisy = iter([1.0, 1.1, 0.9])
    sharp = refined(lambda pr: next(noisy), wall())
    assert (float(sharp), sharp.order) == (0.9, None)
    assert sharp.error == pytest.approx(0.2)
    assert "undetermined" in repr(sharp)
    same = convergence(lambda pr: 0.25, wall())
    assert np.isnan(same.order)
    assert "order undetermined" in repr(same)


def test_the_finest_grids_own_error_does_not_bias_the_order():
    found = convergence(of_order(2.0), wall(120), refine=(1, 3, 5, 9))
    plain = -np.polyfit(np.log([1, 3, 5]), np.log(found.errors), 1)[0]
    assert abs(plain - 2) > 0.1  # what a straight line through the same errors says
    assert found.order == pytest.approx(2.0, abs=0.02)
    assert found.orders == pytest.approx([2.0, 2.0], abs=0.05)


def test_a_convergence_tells_and_draws_itself():
    found = convergence(fp.stationary, ring())
    assert found.cells == (20, 60, 180)
    assert found.order == pytest.approx(2.0, abs=0.1)
    assert isinstance(found.values[0], fp.Density)
    assert repr(found).startswith("Convergence(order 2.")
    axes = found.plot(label="ring")
    assert (axes.get_xscale(), len(axes.lines)) == ("log", 2)
    assert axes.get_legend_handles_labels()[0]
    mpl.pyplot.close(axes.figure)


def test_exact_densities_serve_as_truth():
    normal = fp.ExactDensity(lambda x: -(x**2) / 2, fp.Grid(x=(-9, 9, 400)), "normal")

    def off(pr):
        x, h = pr.grid.nodes[0], pr.grid.axes[0].ds
        return fp.Density.from_log(pr.grid, -(x**2) / 2 + h**2 * np.cos(x))

    pr = fp.Problem(fp.Process(lambda x: -x, 1.0), fp.Grid(x=(-8, 8, 60)))
    assert convergence(off, pr, exact=normal).order == pytest.approx(2.0, abs=0.1)


def test_an_estimate_is_a_frozen_number():
    number = Estimate(0.25, error=1e-9, order=2.0)
    assert number + 1 == 1.25
    with pytest.raises(AttributeError, match="frozen"):
        number.error = 0.0


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: refined(mean, wall(), order=0), "order is 0"),
        (lambda: refined(mean, wall(), order=np.nan), "order is nan"),
        (lambda: refined(lambda pr: "p", wall()), "question returned str"),
        (lambda: convergence(mean, wall(), (1, 3)), "3 or more whole factors"),
        (lambda: convergence(mean, wall(), (3, 1, 9)), "that rise"),
        (lambda: convergence(mean, wall(), (1, 2.5, 9)), "whole factors"),
        (lambda: convergence(fp.stationary, ring(), (1, 2, 4)), "use odd factors"),
        (lambda: convergence(lambda pr: "p", wall()), "needs numbers"),
    ],
)
def test_wrong_questions_are_refused(ask, message):
    with pytest.raises(fp.InvalidInput, match=message):
        ask()
