"""Axes without noise: transport of first and second order, its mass, its positivity, and reservoirs at its end."""

import re

import numpy as np
import planes
import pytest
from scipy.sparse.linalg import expm_multiply

import fpsolve as fp


def bump(x, mean, deviation):
    return np.exp(-((x - mean) ** 2) / 2 / deviation**2) / np.sqrt(2 * np.pi) / deviation


FLOWS = {
    "forward": (lambda x: 1 + 0 * x, lambda x, t: bump(x, t - 0.5, 0.6), "open"),
    "backward": (lambda x: -1 + 0 * x, lambda x, t: bump(x, 2.5 - t, 0.6), "open"),
    "contracting": (lambda x: (1 - x) / 4, lambda x, t: bump(x, 1 + np.exp(-t / 4) / 2, 0.7 * np.exp(-t / 4)), "open"),
    "expanding": (lambda x: 0.5 * x - 0.5, lambda x, t: bump(x, 1 - 0.2 * np.exp(t / 2), 0.5 * np.exp(t / 2)), "open"),
    "leaving": (lambda x: 2 + 0 * x, lambda x, t: bump(x, 4 + 2 * t, 0.6), "absorbing"),
    "round": (lambda x: 1.5 + 0 * x, lambda x, t: (1 + 0.5 * np.sin(np.pi / 5 * (x - 1.5 * t))) / 10, "periodic"),
}


def transported(flow, cells, scheme):
    """(L1 error of the law of x at t = 1, smallest mass, change of mass beyond what left) for noise along y only."""
    drift, exact, ends = FLOWS[flow]
    grid = fp.Grid(x=fp.Axis.uniform(-4, 6, cells, ends=ends), y=(-5, 5, 4))
    L = fp.generator(fp.Problem(fp.Process(lambda x, y: (drift(x), -y), (0.0, 1.0)), grid, scheme))
    x, w = grid.nodes[0], grid.axes[0].weights
    start = np.outer(exact(x, 0.0) * w, [0.1, 0.4, 0.4, 0.1]).ravel()
    m = expm_multiply(L.rates(), start)
    assert np.abs(np.asarray(L.rates().sum(axis=0)).ravel() + L.killing).max() < 1e-11
    return np.abs(m.reshape(grid.shape).sum(axis=1) - exact(x, 1.0) * w).sum(), m.min(), m.sum() - start.sum()


@pytest.mark.parametrize("flow", list(FLOWS))
def test_upwind_transport_is_of_first_order_and_positive(flow):
    found = [transported(flow, n, fp.Positive()) for n in (320, 640)]
    assert planes.order([error for error, _, _ in found])[0] == pytest.approx(1.0, abs=0.1)
    assert min(smallest for _, smallest, _ in found) >= 0
    assert (abs(found[-1][2]) < 1e-12) == (flow != "leaving")


@pytest.mark.parametrize("flow", list(FLOWS))
def test_accurate_transport_is_of_second_order_and_conserves(flow):
    """Of second order where all flows one way; where it flows both ways of third, but where the flow turns."""
    found = [transported(flow, n, fp.Accurate()) for n in (160, 320)]
    order = planes.order([error for error, _, _ in found])[0]
    assert order == pytest.approx(2.0, abs=0.1) if flow not in ("contracting", "expanding") else order > 2.2
    assert (abs(found[-1][2]) < 1e-12) == (flow != "leaving")
    assert found[-1][0] < 0.25 * transported(flow, 320, fp.Positive())[0]


def test_a_pulse_that_is_not_resolved_undershoots_with_accurate_only():
    FLOWS["sharp"] = (lambda x: 1 + 0 * x, lambda x, t: bump(x, t - 0.5, 0.02), "open")
    try:
        assert transported("sharp", 80, fp.Accurate())[1] < -5e-4
        assert transported("sharp", 80, fp.Positive())[1] >= 0
    finally:
        del FLOWS["sharp"]


def kinetic(cells, scheme):
    """dx = v dt, dv = -(x + v) dt + noise: p = exp(-(x^2 + v^2)/2); position has no noise of its own."""
    grid = fp.Grid(x=(-6, 6, cells), v=(-6, 6, cells))
    pr = fp.Problem(fp.Process(lambda x, v: (v, -x - v), (0.0, 1.0)), grid, scheme)
    x, v = grid.mesh()
    return pr, planes.on_cells(grid, -(x * x + v * v) / 2)


def test_a_kinetic_equation_converges_at_first_order():
    errors = []
    for cells in (64, 128):
        pr, exact = kinetic(cells, fp.Positive())
        with pytest.warns(fp.ResolutionWarning, match="upwind"):
            p = fp.stationary(pr)
        errors.append(np.abs(p.masses - exact).sum())
        assert p.values.min() > 0
    assert planes.order(errors)[0] == pytest.approx(1.0, abs=0.1)
    with pytest.warns(fp.DegenerateWarning, match="entropy production is infinite"):
        assert fp.entropy_production(pr, p) == np.inf


def test_a_kinetic_equation_converges_at_second_order_with_accurate():
    errors = []
    for cells in (32, 64):
        pr, exact = kinetic(cells, fp.Accurate())
        p = fp.stationary(pr, method=fp.SparseLU())
        errors.append(np.abs(p.masses - exact).sum())
        assert abs(p.masses.sum() - 1) < 1e-12
        assert any("small undershoots are possible" in note for note in p.info.notes)
        assert any("masses are negative, the smallest -" in note for note in p.info.notes) == (p.masses.min() < 0)
    assert planes.order(errors)[0] == pytest.approx(2.0, abs=0.15)
    with pytest.warns(fp.ResolutionWarning, match="upwind"):
        first = fp.stationary(kinetic(64, fp.Positive())[0])
    assert errors[-1] < 0.1 * np.abs(first.masses - exact).sum()


def told_of_upwind(pr):
    """The density, and what the warning says: diffusion, then percents of variances by name."""
    with pytest.warns(fp.ResolutionWarning, match="upwind transport along") as found:
        p = fp.stationary(pr)
    (message,) = (str(one.message) for one in found if "upwind" in str(one.message))
    assert found[0].filename == __file__
    percents = re.findall(r"variance of (\S+) ([+-][\d.]+)%", message)
    return p, float(re.search(r"a diffusion of (\S+) to", message)[1]), {name: float(of) for name, of in percents}


@pytest.mark.parametrize("cells", [48, 96])
def test_what_upwind_transport_adds_is_told(cells):
    """Of the oscillator's covariance, exactly: 2 d to x, d to v, -d between them, where d = <|v|> dx/2 is added."""
    pr, _ = kinetic(cells, fp.Positive())
    p, added, percents = told_of_upwind(pr)
    covariance = p.covariance()
    assert added == pytest.approx(p.expect(lambda x, v: np.abs(v) + 0 * x) * 6 / cells, rel=0.06)
    assert [covariance[0, 0] - 1, covariance[1, 1] - 1] == pytest.approx([2 * added, added], rel=0.08)
    true = 100 * (1 - 1 / np.diag(covariance))
    assert [percents["x"], percents["v"]] == pytest.approx(true, rel=0.35)
    assert any(note.startswith("upwind transport along x") for note in p.info.notes)


def test_a_double_wells_momentum_is_told_to_be_too_hot():
    """No Gaussian: the heat of the momentum is .15 whatever the loss, and the variance of x hardly changes."""
    process = fp.Process(lambda x, m: (m, x - x**3 - 0.5 * m), (0.0, 0.075))
    p, _, percents = told_of_upwind(fp.Problem(process, fp.Grid(x=(-2, 2, 96), m=(-2.6, 2.6, 96))))
    assert percents["m"] == pytest.approx(100 * (1 - 0.15 / p.var("m")), rel=0.4)
    assert abs(percents["x"]) < 1.0


def test_a_ring_that_transport_smooths_is_told():
    grid = fp.Grid(x=fp.Axis.uniform(0, 2 * np.pi, 32, ends="periodic"), y=(-5, 5, 24))
    told_of_upwind(fp.Problem(fp.Process(lambda x, y: (1 + 0.5 * np.sin(x) + 0.3 * y, -y), (0.0, 1.0)), grid))


def test_transport_of_second_order_and_noise_along_all_axes_are_not_accused():
    assert not any("upwind" in note for note in fp.stationary(kinetic(48, fp.Accurate())[0]).info.notes)
    both = fp.Problem(fp.Process(lambda x, y: (y - x, -x - y), 1.0), fp.Grid(x=(-6, 6, 48), y=(-6, 6, 48)))
    assert not any("upwind" in note for note in fp.stationary(both).info.notes)


def test_refined_takes_away_what_upwind_transport_adds_and_says_nothing_of_it():
    variance = fp.refined(lambda one: fp.stationary(one).var("x"), kinetic(48, fp.Positive())[0], order=1)
    assert abs(variance - 1) < 0.015
    assert abs(variance - 1) < variance.error < 0.1
    assert fp.stationary(kinetic(48, fp.Accurate())[0]).var("x") - 1 > 0.015


def test_a_density_that_does_not_extrapolate_says_how_and_what_does():
    with pytest.warns(fp.ResolutionWarning, match=r"known to about .* on average over the mass") as found:
        p = fp.refined(fp.stationary, kinetic(24, fp.Positive())[0], order=1)
    assert p.error > 1
    assert len(found) == 1
    assert 'var("x"), problem, order=1)' in str(found[0].message)
    assert found[0].filename == __file__


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("scheme", [fp.Positive(), fp.Accurate()])
def test_a_reservoir_gathers_what_arrives_and_has_its_own_drift(upper, scheme):
    """Everything is carried to the last row, where y relaxes to 1 instead of to 0."""
    sign = 1.0 if upper else -1.0
    ends = ("open", "reservoir") if upper else ("reservoir", "open")
    grid = fp.Grid(x=fp.Axis.uniform(0, 1, 5, ends=ends), y=(-6, 7, 40))
    process = fp.Process(lambda x, y: (sign + 0 * x, -y), (0.0, 1.0), reservoir_drift=lambda x, y: (0 * x, 1 - y))
    pr = fp.Problem(process, grid, scheme)
    L = fp.generator(pr)
    assert np.abs(np.asarray(L.rates().sum(axis=0)).ravel()).max() < 1e-12
    m = expm_multiply(50.0 * L.rates(), np.full(200, 1 / 200)).reshape(grid.shape)
    row = -1 if upper else 0
    assert m[row].sum() == pytest.approx(1.0, abs=1e-12)
    y = grid.nodes[1]
    assert m[row] == pytest.approx(planes.on_cells(fp.Grid(y=grid.axes[1]), -((y - 1) ** 2) / 2), abs=1e-9)
    assert fp.stationary(pr).masses == pytest.approx(m, abs=1e-9)


@pytest.mark.parametrize(
    ("process", "message"),
    [
        (
            fp.Process(lambda x, y: (-1 + 0 * x, -y), (0.0, 1.0)),
            "does not say how it moves there; give reservoir_drift",
        ),
        (
            fp.Process(lambda x, y: (-1 + 0 * x, -y), 1.0, reservoir_drift=lambda x, y: (0 * x, -y)),
            "x ends in a reservoir but has noise along it",
        ),
    ],
)
def test_a_reservoir_needs_transport_and_a_drift(process, message):
    grid = fp.Grid(x=fp.Axis.uniform(0, 1, 5, ends=("reservoir", "open")), y=(-6, 6, 10))
    with pytest.raises(fp.InvalidInput, match=message):
        fp.generator(fp.Problem(process, grid))
