"""The strong-form residual: of its differences' order where the density is right, and large where it is wrong."""

import numpy as np
import pytest

import fpsolve as fp
from fpsolve.residual import strong_residual

CONVENTIONS = ("ito", "stratonovich", "isothermal")


def problem(axis, convention="ito", pull=1.0):
    process = fp.Process(lambda x: -pull * x + 0.3 * np.sin(2 * x), lambda x: 0.25 * np.sqrt(1 + x**2), convention)
    return fp.Problem(process, fp.Grid(x=axis))


def line(cells):
    return fp.Axis.uniform(-8, 8, cells)


def residual(pr, p=None, accuracy=4):
    return strong_residual(pr, p if p is not None else fp.stationary(pr), accuracy).info.residual


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("accuracy", [2, 4, 6])
def test_the_residual_has_the_order_of_its_differences(convention, accuracy):
    found = [residual(problem(line(cells), convention), accuracy=accuracy) for cells in (300, 600, 1200)]
    assert np.log2(np.array(found[:-1]) / found[1:])[-1] == pytest.approx(accuracy, abs=0.15)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_wrong_drift_is_noticed(convention):
    right = problem(line(400), convention)
    p = fp.stationary(right)
    assert residual(right, p) < 1e-6
    assert residual(problem(line(400), convention, pull=1.001), p) > 3e-4


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_another_convention_is_noticed(convention):
    p = fp.stationary(problem(line(400), convention))
    for other in set(CONVENTIONS) - {convention}:
        assert residual(problem(line(400), other), p) > 1e-2


@pytest.mark.parametrize(
    "axis",
    [fp.Axis.sinh(-50, 50, 800), fp.Axis.mapped(lambda s: s + s**3 / 9, lambda s: 1 + s**2 / 3, -4, 4, 500)],
    ids=lambda axis: axis.kind,
)
def test_mapped_axes_are_differenced_in_s(axis):
    assert residual(problem(axis)) < 3e-6


def test_a_power_law_over_eight_decades():
    """Two-layer network, T = 0.1 (moments 2, 2, 3, 1, 1): ln p from its own closed form, not from the solver."""
    c = lambda v: 2 * v**2 - 4 * v + 3  # noqa: E731
    process = fp.Process(lambda v: -4 * (v - 1) * v + 0.4 * v * c(v), lambda v: 0.8 * v**2 * c(v))
    pr = fp.Problem(process, fp.Grid(v=fp.Axis.log(1e-4, 1e4, 800)))
    v, power = pr.grid.nodes[0], 1 / 0.6
    log_p = (power - 1.5) * np.log(v) - (1 + power / 2) * np.log(c(v))
    log_p -= (3 - 2) / (0.6 * np.sqrt(2)) * np.arctan((2 * v - 2) / np.sqrt(2))
    exact = fp.Density.from_log(pr.grid, log_p)
    assert residual(pr, exact) < 1e-6
    assert residual(pr) < 1e-6
    assert residual(pr, fp.Density.from_log(pr.grid, log_p + 1e-3 * np.log(v))) > 20 * residual(pr, exact)


def test_a_ring_with_a_current_is_right_to_the_scheme():
    grid = fp.Axis.uniform(0, 2 * np.pi, 100, ends="periodic")
    process = fp.Process(lambda x: 0.5 + np.sin(x), lambda x: 1 + 0.5 * np.cos(x))
    found = [residual(fp.Problem(process, fp.Grid(x=grid.refined(k)))) for k in (1, 2, 4)]
    assert np.log2(np.array(found[:-1]) / found[1:]) == pytest.approx(2.0, abs=0.1)  # the density's own error
    assert found[-1] < 4e-6


def test_a_ring_has_no_beginning():
    def field(shift):
        grid = fp.Grid(x=fp.Axis.uniform(shift, shift + 2 * np.pi, 60, ends="periodic"))
        pr = fp.Problem(fp.Process(lambda x: 0.5 + np.sin(x), lambda x: 1 + 0.5 * np.cos(x)), grid)
        return strong_residual(pr, fp.stationary(pr)).values

    assert field(20 * 2 * np.pi / 60) == pytest.approx(np.roll(field(0.0), -20), rel=1e-6)


def test_direct_forms_are_used_where_the_diffusion_underflows():
    process = fp.Process(
        lambda v: v - v**2,
        lambda v: v**2,
        log_diffusion=lambda v: 2 * np.log(v),
        drift_over_diffusion=lambda v: 1 / v - 1,
    )
    pr = fp.Problem(process, fp.Grid(v=fp.Axis.log(1e-3, 1e3, 600, ends="reflecting")))
    assert residual(pr) < 1e-6


def test_the_residual_does_not_ask_the_scheme(monkeypatch):
    pr = problem(line(200))
    p = fp.stationary(pr)

    def refuse(*arguments, **keywords):
        raise AssertionError("the residual asked the scheme")

    for module in ("generator", "operators.local", "operators.sampling", "kernels.fluxes"):
        for name in ("generator", "chain_edges", "Samples", "face_fluxes"):
            monkeypatch.setattr(f"fpsolve.{module}.{name}", refuse, raising=False)
    assert residual(pr, p) < 1e-5


def test_a_zero_of_the_noise_is_left_out():
    pr = fp.Problem(fp.Process(lambda x: x - x**3, lambda x: 0.1 * x**2), fp.Grid(x=(-3, 3, 401)))
    field = strong_residual(pr, fp.components(pr)[1])
    assert np.isnan(field.values[200])
    assert np.isfinite(field.values[300])


def test_what_has_no_residual_is_refused():
    pr = problem(line(100))
    p = fp.stationary(pr)
    with pytest.raises(fp.InvalidInput, match="accuracy is 3"):
        strong_residual(pr, p, 3)
    with pytest.raises(fp.InvalidInput, match="freeze it"):
        strong_residual(pr.replace(process=fp.Process(lambda x, t: -x, 1.0)), p)
    with pytest.raises(fp.InvalidInput, match="both need the same one"):
        strong_residual(pr.replace(grid=fp.Grid(y=line(100))), p)
    with pytest.raises(fp.InvalidInput, match="cells are too few"):
        strong_residual(problem(line(8)), fp.stationary(problem(fp.Axis.uniform(-1, 1, 8, ends="reflecting"))))
