"""Absorbing ends where there is no noise: transport leaves at its own rate, and vanishing noise is not a wall."""

import numpy as np
import pytest

import fpsolve as fp

CONVENTIONS = ("ito", "stratonovich", "isothermal")


def axis(ends, cells=40):
    return fp.Axis.uniform(-1, 1, cells, ends=ends)


def on_line(drift, D, convention="ito", cells=40):
    return fp.Problem(fp.Process(drift, D, convention), fp.Grid(x=axis(("reflecting", "absorbing"), cells)))


def in_plane(drift, D, convention="ito", cells=40):
    """The same along x, beside a y that knows nothing of it."""

    def tensor(x, y):
        return (D(x) + 0 * y, 0 * x * y), (0 * x * y, 1 + 0 * x * y)

    process = fp.Process(lambda x, y: (drift(x) + 0 * y, 0 * x * y), tensor, convention)
    return fp.Problem(process, fp.Grid(x=axis(("reflecting", "absorbing"), cells), y=fp.Axis.uniform(0, 1, 4)))


def lost(pr):
    """Rates out of the last cell along x, and of all others."""
    killing = fp.generator(pr).killing.reshape(pr.grid.shape).reshape(pr.grid.shape[0], -1)
    return killing[-1], killing[:-1]


def kinetic(ends, scheme):
    """dx = m dt, dm = -m dt + noise: x is merely carried along."""
    grid = fp.Grid(x=axis(ends), m=fp.Axis.uniform(-7, 7, 48))
    return fp.Problem(fp.Process(lambda x, m: (m + 0 * x, -m + 0 * x), (0.0, 1.0)), grid, scheme)


@pytest.mark.parametrize("scheme", [fp.Positive(), fp.Accurate()])
def test_transport_leaves_at_its_own_rate(scheme):
    pr = kinetic("absorbing", scheme)
    x, m = pr.grid.axes
    killing = fp.generator(pr).killing.reshape(pr.grid.shape)
    assert killing[-1] == pytest.approx(np.maximum(m.nodes, 0) / x.weights[-1], rel=1e-13)
    assert killing[0] == pytest.approx(np.maximum(-m.nodes, 0) / x.weights[0], rel=1e-13)
    assert np.all(killing[1:-1] == 0)
    assert np.all(fp.generator(kinetic("reflecting", scheme)).killing == 0)


BEAM = fp.Gaussian((0.0, 2.0), (0.15, 0.4))


def left_over(ends, scheme, times):
    """Mass of a beam along x, from x = 0 with m = 2, at each time."""
    return fp.evolve(kinetic(ends, scheme), BEAM, times).masses.sum(axis=(1, 2))


@pytest.mark.slow
def test_a_beam_leaves_through_the_absorbing_end():
    early, late, last = left_over("absorbing", fp.Accurate(), [0.1, 0.7, 6.0])
    swarm = fp.simulate(kinetic("absorbing", fp.Positive()), BEAM, [0.7], dt=2e-3, n=6000, seed=3)
    assert early == pytest.approx(1.0, abs=1e-4)
    assert late == pytest.approx(1.0 - np.mean(swarm.absorbed), abs=0.03)
    assert 0.3 < late < 0.8
    assert last < 0.05


def test_walls_keep_the_beam():
    assert left_over("reflecting", fp.Accurate(), [0.7]) == pytest.approx(1.0, abs=1e-10)


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("pull", [1.0, 0.0, -0.4])
@pytest.mark.parametrize("power", [1, 2])
def test_vanishing_noise_lets_go_as_in_one_dimension(convention, pull, power):
    args = lambda x: pull + 0 * x, lambda x: (1 - x) ** power, convention
    (line, inner), (plane, others) = lost(on_line(*args)), lost(in_plane(*args))
    if power == 1:
        assert plane == pytest.approx(np.full(4, line[0]), rel=1e-12, abs=1e-12)
        share = {"ito": 1.0, "stratonovich": 0.5, "isothermal": 0.0}[convention] + pull  # J = (share) p at the face
        assert plane == pytest.approx(max(share, 0.0) * 20.0 * np.ones(4), abs=1e-9)
    assert np.all(inner == 0)
    assert np.all(others == 0)


def test_nodes_without_noise_leave_by_transport():
    for where in (lambda x: np.where(x > 0.9, 0.0, 0.1), lambda x: np.where(np.abs(x - 0.975) < 1e-9, 0.0, 0.1)):
        for pull in (1.0, -1.0):
            assert lost(in_plane(lambda x, a=pull: a + 0 * x, where))[0] == pytest.approx(
                max(20 * pull, 0) + np.zeros(4)
            )


def fixation(D, cells):
    """Mean time to x = +-1, both absorbing, of dX = sqrt(2 D) dW: on the line, and in the plane (cells,)."""
    x = axis("absorbing", cells)

    def tensor(x, y):
        return (D(x) + 0 * y, 0 * x * y), (0 * x * y, 1 + 0 * x * y)

    plane = fp.Process(lambda x, y: (0 * x * y, 0 * x * y), tensor)
    for pr in (
        fp.Problem(fp.Process(0.0, D), fp.Grid(x=x)),
        fp.Problem(plane, fp.Grid(x=x, y=fp.Axis.uniform(0, 1, 4))),
    ):
        L = fp.generator(pr)
        yield L.resolvent(0.0).solve_adjoint(np.ones(L.size)).reshape(cells, -1)[:, 0]


def test_fixation_takes_as_long_beside_another_coordinate():
    """tau = -(1+x) ln((1+x)/2) - (1-x) ln((1-x)/2) for D = (1 - x^2)/2 (Kimura): no drift helps paths out."""
    errors = []
    for cells in (40, 160):
        line, plane = fixation(lambda x: (1 - x * x) / 2, cells)
        share = (1 + axis("open", cells).nodes) / 2
        exact = -2 * (share * np.log(share) + (1 - share) * np.log(1 - share))
        assert plane == pytest.approx(line, rel=1e-9)
        errors.append(np.abs(plane - exact).max())
    assert errors[0] < 0.03
    assert errors[1] < 0.4 * errors[0]
