"""Currents and entropy production of paths that jump: over faces, on rings, reversible and driven."""

import numpy as np
import pytest

import fpsolve as fp

SCHEMES = [fp.Positive(), fp.Accurate()]


def ring(drift, diffusion=0.5, alpha=1.4, scale=0.8, cells=120, scheme=None):
    grid = fp.Grid(x=fp.Axis.uniform(0, 2 * np.pi, cells, ends="periodic"))
    return fp.Problem(fp.Process(drift, diffusion, jumps=fp.Stable(alpha, scale)), grid, scheme or fp.Positive())


def wavy(x):
    return 0.7 + 0.6 * np.sin(x)


def well(diffusion=0.5, alpha=1.0, cells=401, reach=1e3, scheme=None, ends="open"):
    axis = fp.Axis.sinh(-reach, reach, cells, scale=0.3, ends=ends)
    process = fp.Process(lambda x: -x, diffusion, jumps=fp.Stable(alpha))
    return fp.Problem(process, fp.Grid(x=axis), scheme or fp.Positive())


def stationary_current(problem):
    return fp.current(problem, fp.stationary(problem))


def pairs(problem, p):
    """(rate x -> y) m_x as a matrix [y, x], the diagonal 0: every way at once."""
    flows = fp.generator(problem).rates().toarray() * p.masses
    np.fill_diagonal(flows, 0.0)
    return flows


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_current_of_a_ring_is_the_mean_drift(scheme):
    """Jumps and diffusion carry nothing round on the whole: 2 pi J = <A>."""
    problem = ring(wavy, scheme=scheme)
    p = fp.stationary(problem)
    J = fp.current(problem, p)
    assert np.ptp(J.at_faces[0]) < 1e-12
    assert J.at_faces[0][0] == pytest.approx(p.expect(wavy) / (2 * np.pi), rel=2e-4)
    assert np.abs(J.divergence).max() < 1e-11
    assert not J.is_equilibrium


def test_a_flat_ring_produces_what_it_does_without_jumps():
    J = stationary_current(ring(lambda x: 0.7 + 0 * x))
    assert J.entropy_production == pytest.approx(0.7**2 / 0.5, rel=1e-10)
    assert J.at_faces[0] == pytest.approx(np.full(121, 0.7 / (2 * np.pi)), rel=1e-10)


@pytest.mark.parametrize("scale", [0.8, lambda x: 1 + 0.5 * np.sin(x)])
def test_jumps_alone_are_in_balance(scale):
    J = stationary_current(ring(0.0, None, scale=scale))
    assert J.is_equilibrium
    assert abs(J.entropy_production) < 1e-20
    assert np.abs(J.at_faces[0]).max() < 1e-12


def test_walls_keep_jumps_in_balance():
    axis = fp.Axis.uniform(-1, 2, 150, ends="reflecting")
    scale = fp.Stable(0.8, lambda x: 1 + x * x)
    J = stationary_current(fp.Problem(fp.Process(0.0, jumps=scale), fp.Grid(x=axis)))
    assert J.is_equilibrium
    assert np.abs(J.at_faces[0]).max() < 1e-12


def test_entropy_production_converges_to_that_of_all_pairs():
    """Pairs of neighbours count once, whatever takes mass between them: less than way by way, alike in the limit."""
    one, other = [], []
    for cells in (100, 300, 900):
        problem = ring(wavy, cells=cells)
        p = fp.stationary(problem)
        flows = pairs(problem, p)
        with np.errstate(divide="ignore", invalid="ignore"):
            other.append(0.5 * np.nansum((flows - flows.T) * np.log(flows / flows.T)))
        one.append(fp.entropy_production(problem, p))
    assert np.ptp(one) < 3e-4 * one[0]
    gaps = np.array(one) - other
    assert np.all(gaps > 0)
    assert gaps[1:] / gaps[:-1] == pytest.approx(np.full(2, 3.0**-0.6), rel=0.1)


def test_jumps_produce_entropy_where_nothing_flows_on_the_whole():
    found = [stationary_current(well(cells=cells)) for cells in (401, 1201)]
    for J in found:
        assert np.abs(J.at_faces[0]).max() < 1e-11
        assert not J.is_equilibrium
    assert found[0].entropy_production > 0.1
    assert found[0].entropy_production == pytest.approx(found[1].entropy_production, rel=0.02)


def test_drift_beside_jumps_alone_has_no_way_back():
    """The sum over pairs grows like width^(alpha - 2): its limit is infinite, and is what is returned."""
    sums = []
    for cells in (101, 401):
        problem = well(None, 1.4, cells, reach=200)
        p = fp.stationary(problem)
        with pytest.warns(fp.DegenerateWarning, match="let nothing back"):
            assert fp.entropy_production(problem, p) == np.inf
        flows, near = pairs(problem, p), np.abs(p.grid.nodes[0]) < 2
        flows = flows[np.ix_(near, near)]
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = (flows - flows.T) * np.log(flows / flows.T)
        sums.append(0.5 * terms[np.isfinite(terms)].sum())
    assert sums[1] / sums[0] > 1.5


def test_a_current_is_the_mass_that_lands_on_the_other_side():
    """Face by face, pair by pair, with what absorbing ends take; an open end's tail is one more place beyond."""
    axis = fp.Axis.uniform(-2, 3, 60, ends=("absorbing", "open"))
    problem = fp.Problem(fp.Process(lambda x: -x, 0.3, jumps=fp.Stable(1.2)), fp.Grid(x=axis))
    x = problem.grid.nodes[0]
    density = fp.Density.from_log(problem.grid, -0.5 * ((x - 0.5) / 0.4) ** 2)
    J = fp.current(problem, density)
    L = fp.generator(problem)
    m = density.masses * (L.jumps.capacity / problem.grid.weights)
    flows = L.rates().toarray() * m
    np.fill_diagonal(flows, 0.0)
    lost = np.concatenate([[0.0], np.cumsum(L.killing * m)])
    for face in range(1, axis.cells):
        net = flows[face:, :face].sum() - flows[:face, face:].sum()
        above = lost[-1] - lost[face]  # over the lower end from above this face
        assert J.at_faces[0][face] == pytest.approx(net - above, rel=1e-9, abs=1e-13)
    assert J.at_faces[0][0] == pytest.approx(-lost[-1], rel=1e-12)
    assert J.at_faces[0][-1] == 0.0
    assert J.divergence == pytest.approx(-L.apply(m) / problem.grid.weights, rel=1e-9, abs=1e-12)


def test_what_leaves_an_interval_leaves_at_both_ends():
    axis = fp.Axis.tanh(-1, 1, 401, reach=10, ends="absorbing")
    problem = fp.Problem(fp.Process(0.0, jumps=fp.Stable(1.0)), fp.Grid(x=axis))
    p = fp.quasi_stationary(problem)
    J, rate = fp.current(problem, p), p.info.decay_rate
    assert J.at_faces[0][[0, -1]] == pytest.approx([-0.5 * rate, 0.5 * rate], rel=1e-9)
    assert J.divergence == pytest.approx(rate * p.values, abs=1e-6)


def test_a_moving_density_flows():
    problem = well(None, 1.5, reach=30)
    path = fp.evolve(problem, fp.Gaussian(2.0, 0.3), [0.1])
    with pytest.warns(fp.DegenerateWarning, match="let nothing back"):
        J = fp.current(problem, path[0])
    near = np.argmin(np.abs(problem.grid.nodes[0] - 1.0))
    assert J.at_faces[0][near] < -0.1


def test_several_coordinates_are_refused():
    plane = fp.Problem(fp.Process(lambda x, y: (-x, -y), jumps=fp.Stable(1.5)), fp.Grid(x=(-4, 4, 20), y=(-4, 4, 20)))
    p = fp.Density.from_log(plane.grid, -np.add.outer(np.linspace(-4, 4, 20) ** 2, np.linspace(-4, 4, 20) ** 2))
    with pytest.raises(fp.InvalidInput, match="a current over faces in several coordinates is not answered for jumps"):
        fp.current(plane, p)
