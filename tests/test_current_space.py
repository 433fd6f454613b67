"""Currents in two and three dimensions: closed forms, stream functions, detailed balance, entropy, Hodge's split."""

import findiff
import numpy as np
import planes
import pytest
from scipy.linalg import solve_continuous_lyapunov

import fpsolve as fp
from fpsolve.hodge import hodge_split

ENTROPY_PRODUCTION_3 = 1.4425858070618305  # of LINEAR_3 and NOISE_3: tr(K^T D^-1 K S) - tr K
LOSS_AGAINST_NOISE = [(1.0, 3.0, 0.5), (1.0, 3.0, -0.5), (1.0, 2.0, 0.8), (2.0, 2.0, 0.7), (0.5, 4.0, 0.0)]


def stationary_current(given):
    return fp.current(given.problem, fp.stationary(given.problem))


@pytest.fixture(scope="module")
def spiral():
    given = planes.linear(128)
    return given, stationary_current(given)


def area_rate():
    """q in J = (d(q p)/dy, -d(q p)/dx), the stream function of `linear`: half the rate at which area is swept."""
    S = solve_continuous_lyapunov(planes.LINEAR, 2 * planes.NOISE)
    return float((planes.NOISE - planes.LINEAR @ S)[1, 0])


def exact_stream(grid):
    """q p at the corners of the cells."""
    S = solve_continuous_lyapunov(planes.LINEAR, 2 * planes.NOISE)
    x, y = np.meshgrid(*grid.faces, indexing="ij")
    inverse = np.linalg.inv(S)
    squares = inverse[0, 0] * x * x + 2 * inverse[0, 1] * x * y + inverse[1, 1] * y * y
    return area_rate() * np.exp(-squares / 2) / (2 * np.pi * np.sqrt(np.linalg.det(S)))


# a linear drift


def test_the_current_of_a_linear_drift_is_within_half_a_percent(spiral):
    given, J = spiral
    assert given.current_error(J) < 5e-3
    assert J.entropy_production == pytest.approx(planes.ENTROPY_PRODUCTION, rel=1.5e-3)
    assert fp.entropy_production(given.problem, J.density) == J.entropy_production
    assert not J.is_equilibrium
    assert J.imbalance > 1e10 * J.rounding
    other = planes.linear(128, noise=planes.NOISE * [[1.0, 1.1], [1.1, 1.0]])
    assert other.current_error(J) > 0.02  # the exact current of a slightly different noise is told apart


def test_current_and_entropy_production_are_of_second_order():
    found = []
    for cells in (48, 96):
        given = planes.linear(cells)
        J = stationary_current(given)
        found.append((given.current_error(J), planes.ENTROPY_PRODUCTION - J.entropy_production))
    assert planes.order(found)[0] == pytest.approx([2.0, 2.0], abs=0.15)


def test_the_stream_function_is_the_same_along_both_paths_and_of_second_order(spiral):
    _, J = spiral
    psi = J.stream_function
    through = [J.at_faces[k] * J.grid.areas(k) for k in range(2)]
    other = np.zeros_like(psi)
    other[1:, 0] = -np.cumsum(through[1][:, 0])
    other[:, 1:] = other[:, :1] + np.cumsum(through[0], axis=1)
    assert np.abs(psi - other).max() <= 1e-12 * np.abs(psi).max()
    assert max(np.abs(edge).max() for edge in (psi[0], psi[-1], psi[:, 0], psi[:, -1])) < 1e-12
    errors = [
        np.abs(stationary_current(planes.linear(n)).stream_function - exact_stream(planes.linear(n).problem.grid)).max()
        for n in (48, 96)
    ]
    assert errors[1] < 0.01 * np.abs(psi).max()
    assert planes.order(errors)[0] == pytest.approx(2.0, abs=0.1)


def test_circulation_is_positive_counterclockwise(spiral):
    """LINEAR turns counterclockwise: J_y > 0 at x > 0, and the stream function has its extreme q p(0) in the middle."""
    given, J = spiral
    assert J.at_nodes[1].values[80, 64] > 0
    assert J.circulation == pytest.approx(float(np.abs(exact_stream(given.problem.grid)).max()), rel=5e-3)
    back = planes.linear(48, matrix=planes.LINEAR * [[1.0, -1.0], [-1.0, 1.0]], noise=np.diag([1.0, 0.5]))
    assert stationary_current(back).circulation < -0.05


def test_divergence_is_rounding_and_the_generators_own(spiral):
    given, J = spiral
    m = J.density.masses.ravel()
    through = max(float(np.abs(J.at_faces[k] * J.grid.areas(k)).max()) for k in range(2))
    assert np.abs(J.divergence * J.grid.weights).max() < 1e-12 * through
    assert J.divergence * J.grid.weights == pytest.approx(
        -fp.generator(given.problem).apply(m).reshape(J.grid.shape), abs=1e-15
    )


def along(J, gradient):
    """The mean of |J.gradient| over |J||gradient|, by |J|."""
    u, v = (part.values for part in J.at_nodes)
    size = np.hypot(u, v)
    cosine = np.abs(u * gradient[0] + v * gradient[1]) / np.maximum(np.hypot(*gradient), 1e-300)
    return float(cosine.sum() / size.sum())


def test_the_current_follows_the_level_sets_of_p_and_not_those_of_the_loss():
    """Drift -grad L, L = (x^2 + 3 y^2)/2, noise with correlation 1/2: p is no function of L."""
    tensor = np.array([[1.0, 0.5], [0.5, 1.0]])
    given = planes.linear(96, matrix=np.diag([1.0, 3.0]), noise=tensor)
    J = stationary_current(given)
    x, y = np.broadcast_arrays(*given.problem.grid.mesh())
    inverse = np.linalg.inv(solve_continuous_lyapunov(np.diag([1.0, 3.0]), 2 * tensor))
    of_p = planes.product(inverse, (x, y))
    assert along(J, of_p) < 5e-3
    assert along(J, (x, 3 * y)) > 0.1


@pytest.mark.parametrize(("h1", "h2", "rho"), LOSS_AGAINST_NOISE)
def test_entropy_production_of_a_loss_and_a_noise_that_do_not_commute(h1, h2, rho):
    """(h1 - h2)^2 rho^2/((h1 + h2)(1 - rho^2)), whatever the temperature."""
    exact = (h1 - h2) ** 2 * rho**2 / ((h1 + h2) * (1 - rho**2))
    given = planes.linear(56, matrix=np.diag([h1, h2]), noise=0.1 * np.array([[1.0, rho], [rho, 1.0]]))

    def produced(pr):
        return fp.entropy_production(pr, fp.stationary(pr))

    if exact == 0:
        assert stationary_current(given).is_equilibrium
    else:
        assert fp.refined(produced, given.problem, order=2) == pytest.approx(exact, rel=5e-4)


@pytest.mark.parametrize("angle", [0.0, 0.4])
def test_a_loss_and_a_noise_that_commute_have_no_current(angle):
    """H = diag(1, 3) and Sigma = diag(1, 4), on the grid's axes and turned against them."""
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s], [s, c]])
    given = planes.linear(64, matrix=(turn * [1.0, 3.0]) @ turn.T, noise=(turn * [1.0, 4.0]) @ turn.T)
    J = stationary_current(given)
    assert max(np.abs(faces).max() for faces in J.at_faces) < 1e-12
    assert J.is_equilibrium
    assert 0 <= J.entropy_production < 1e-20
    assert "equilibrium" in repr(J)
    assert J.stream_function == pytest.approx(0.0, abs=1e-12)


def test_a_current_of_1e_10_is_no_equilibrium():
    given = planes.linear(48, matrix=np.array([[1.0, 1e-10], [-1e-10, 3.0]]), noise=np.diag([1.0, 4.0]))
    J = stationary_current(given)
    assert not J.is_equilibrium
    assert given.current_error(J) < 0.05


def test_findiff_sees_no_divergence_and_the_right_curl(spiral):
    """Differences of the nodes' values by another package, of fourth order: what is left is the scheme's second."""
    given, J = spiral
    steps = [axis.ds for axis in J.grid.axes]
    ddx, ddy = (findiff.Diff(k, steps[k], acc=4) for k in range(2))
    u, v = (part.values for part in J.at_nodes)
    p = given.masses / J.grid.weights
    exact_u, exact_v = (part * p for part in given.velocity)
    curl, exact_curl = ddx(v) - ddy(u), ddx(exact_v) - ddy(exact_u)
    size = np.abs(exact_curl).max()
    assert np.abs(ddx(u) + ddy(v)).max() < 1e-3 * size
    assert np.abs(curl - exact_curl).max() < 0.02 * size
    assert np.abs(ddx(v) + ddy(v)).max() > 0.1 * size  # what a wrong component would show


# transients and Hodge's split


def shifted(cells, tensor=planes.NOISE):
    """A Gaussian that is not stationary, with its exact current (A - D grad ln p) p at the faces across x."""
    grid = fp.Grid(x=(-6, 7, cells), y=(-6, 6, cells))
    pr = fp.Problem(fp.Process(lambda *x: planes.product(-planes.LINEAR, x), tuple(map(tuple, tensor))), grid)

    def density(x, y):
        return np.exp(-((x - 0.5) ** 2) - y * y / 1.5) / (np.pi * np.sqrt(1.5))

    def exact(x, y):
        u, v = planes.product(-planes.LINEAR, (x, y))
        slope = (-2 * (x - 0.5), -y / 0.75)
        a, b = planes.product(tensor, slope)
        return (u - a) * density(x, y), (v - b) * density(x, y)

    x, y = grid.mesh()
    return pr, fp.Density.from_masses(grid, density(x, y) * grid.weights), exact


def test_the_transient_current_is_of_second_order():
    errors = []
    for cells in (48, 96):
        pr, p, exact = shifted(cells)
        J = fp.current(pr, p)
        faces, nodes = pr.grid.faces, pr.grid.nodes
        across = exact(*np.meshgrid(faces[0], nodes[1], indexing="ij"))[0]
        upward = exact(*np.meshgrid(nodes[0], faces[1], indexing="ij"))[1]
        errors.append([np.abs(J.at_faces[0] - across).mean(), np.abs(J.at_faces[1] - upward).mean()])
        rate = fp.generator(pr).apply(p.masses.ravel()).reshape(pr.grid.shape)
        assert J.divergence * pr.grid.weights == pytest.approx(-rate, abs=1e-14)
    assert planes.order(errors)[0] == pytest.approx([2.0, 2.0], abs=0.1)


def test_a_transient_current_has_no_stream_function():
    pr, p, _ = shifted(32)
    with pytest.raises(fp.InvalidInput, match=r"not free of divergence \(0\.\d+ of the largest flux.*see hodge"):
        _ = fp.current(pr, p).stream_function


def fluxes(grid, faces):
    return [part * grid.areas(k) for k, part in enumerate(faces)]


def divergence(grid, faces):
    return sum(np.diff(flux, axis=k) for k, flux in enumerate(fluxes(grid, faces)))


def inner(grid, one, other):
    """int one.other dx over the inner faces, as Hodge's sizes are."""
    total = 0.0
    for k, (a, b) in enumerate(zip(one, other, strict=True)):
        axis = grid.axes[k]
        kept = slice(1, None) if axis.periodic else slice(1, -1)
        gap = axis.gaps.reshape([-1 if i == k else 1 for i in range(grid.ndim)])
        inside = (slice(None),) * k + (kept,)
        total += float(np.sum(a[inside] * b[inside] * np.broadcast_to(grid.areas(k) * gap, a[inside].shape)))
    return total


GRIDS = {
    "open": fp.Grid(x=(-6, 7, 30), y=(-6, 6, 28)),
    "mapped": fp.Grid(x=fp.Axis.sinh(-6, 7, 30), y=fp.Axis.tanh(-6, 6, 28, reach=3)),
    "cylinder": fp.Grid(x=fp.Axis.uniform(-6, 7, 30, ends="periodic"), y=(-6, 6, 28)),
    "space": fp.Grid(x=(-3, 3, 9), y=fp.Axis.sinh(-3, 3, 10), z=fp.Axis.uniform(-3, 3, 8, ends="periodic")),
}


def some_current(grid):
    """A current that is neither, from a process with a full tensor and a density that is not stationary."""
    names = len(grid.names)
    matrix, noise = (planes.LINEAR, planes.NOISE) if names == 2 else (planes.LINEAR_3, planes.NOISE_3)
    pr = fp.Problem(fp.Process(lambda *x: planes.product(-matrix, np.sin(x)), tuple(map(tuple, noise))), grid)
    p = fp.Density.from_masses(grid, planes.on_cells(grid, -sum(np.cos(part) + part**2 / 4 for part in grid.mesh())))
    return fp.current(pr, p)


@pytest.mark.parametrize("name", list(GRIDS))
def test_hodges_parts_add_up_and_are_orthogonal(name):
    grid = GRIDS[name]
    J = some_current(grid)
    split = J.hodge
    size = inner(grid, J.at_faces, J.at_faces)
    assert abs(inner(grid, split.gradient, split.rotation)) < 1e-12 * size
    assert sum(split.sizes) == pytest.approx(size, rel=1e-12)
    assert min(split.sizes) > 1e-3 * size
    for whole, one, other in zip(J.at_faces, split.gradient, split.rotation, strict=True):
        assert one + other == pytest.approx(whole, abs=1e-15)
    largest = max(np.abs(flux).max() for flux in fluxes(grid, J.at_faces))
    assert np.abs(divergence(grid, split.rotation)).max() < 1e-12 * largest
    assert np.abs(divergence(grid, split.gradient)).max() > 1e-3 * largest
    assert "% rotational" in repr(split)


@pytest.mark.parametrize("name", list(GRIDS))
def test_a_gradient_has_no_rotation_and_gives_its_potential_back(name):
    grid = GRIDS[name]
    phi = sum(np.cos(2 * np.pi * (part - grid[key].lo) / (grid[key].hi - grid[key].lo)) * (k + 1)
              for k, (key, part) in enumerate(zip(grid.names, grid.mesh(), strict=True)))  # fmt: skip
    faces = []
    for k, axis in enumerate(grid.axes):
        gap = axis.gaps.reshape([-1 if i == k else 1 for i in range(grid.ndim)])
        ahead = np.roll(phi, -1, axis=k) if axis.periodic else phi.take(range(1, axis.cells), axis=k)
        before = phi if axis.periodic else phi.take(range(axis.cells - 1), axis=k)
        inside = (before - ahead) / gap
        edge = np.zeros_like(phi.take([0], axis=k))
        last = inside.take([-1], axis=k)
        faces.append(np.concatenate([last, inside] if axis.periodic else [edge, inside, edge], axis=k))
    split = hodge_split(grid, tuple(faces))
    assert split.sizes[1] < 1e-22 * split.sizes[0]
    assert split.potential.values - split.potential.values.flat[-1] == pytest.approx(phi - phi.flat[-1], abs=1e-11)


def test_a_stationary_current_is_all_rotation_and_a_ring_flow_too(spiral):
    _, J = spiral
    assert J.hodge.sizes[0] < 1e-20 * J.hodge.sizes[1]
    grid = GRIDS["cylinder"]
    steady = hodge_split(grid, (np.ones((31, 28)), np.zeros((30, 29))))
    assert steady.sizes[0] < 1e-25 * steady.sizes[1]


# three dimensions, ends, axes


def test_a_linear_current_in_space_is_of_second_order():
    found = []
    for cells in (16, 24):
        given = planes.linear_in_space(cells)
        J = stationary_current(given)
        through = max(np.abs(flux).max() for flux in fluxes(J.grid, J.at_faces))
        assert np.abs(divergence(J.grid, J.at_faces)).max() < 1e-12 * through
        found.append((given.current_error(J), abs(J.entropy_production - ENTROPY_PRODUCTION_3)))
    assert found[1][0] < 0.065
    assert planes.order(found, 1.5)[0] == pytest.approx([2.0, 2.0], abs=0.2)
    with pytest.raises(fp.InvalidInput, match="a stream function needs two dimensions"):
        _ = J.stream_function


def test_an_equilibrium_in_space_has_no_current():
    given = planes.equilibrium_in_space(12)
    process = fp.Process.gibbs(planes.potential_in_space, 1.0, mobility=planes.ridge)
    pr = fp.Problem(process, fp.Grid(x=(-6, 6, 12), y=(-6, 6, 12), z=(-6, 6, 12)))
    J = fp.current(pr, fp.stationary(pr))
    assert J.is_equilibrium
    assert max(np.abs(faces).max() for faces in J.at_faces) < 1e-12
    assert not stationary_current(given).is_equilibrium  # the drift as a function: an error of fourth order


def test_a_flow_round_a_cylinder_on_a_mapped_axis():
    """p = exp(-y^2/2) round a ring, A = D grad ln p + (1 + y^2/4, 0): J_x = (1 + y^2/4) p, J_y = 0."""
    tensor = np.array([[1.0, 0.5], [0.5, 1.0]])
    errors = []
    for cells in (32, 64):
        grid = fp.Grid(x=fp.Axis.uniform(0, 2 * np.pi, cells, ends="periodic"), y=fp.Axis.sinh(-7, 7, cells, scale=2))
        process = fp.Process(lambda x, y: (-0.5 * y + 1 + y * y / 4, -y + 0 * x), tuple(map(tuple, tensor)))
        J = fp.current(pr := fp.Problem(process, grid), fp.stationary(pr))
        y = grid.nodes[1]
        exact = (1 + y * y / 4) * np.exp(-y * y / 2) / (2 * np.pi) ** 1.5
        weights = grid.weights
        assert np.abs(J.at_faces[0][0] - J.at_faces[0][-1]).max() == 0.0
        errors.append(np.sum(np.abs(J.at_nodes[0].values - exact) * weights))
        assert np.sum(np.abs(J.at_nodes[1].values) * weights) < 1e-2 * np.sum(exact * weights)
    assert planes.order(errors)[0] > 1.9
    assert errors[1] < 2e-3


@pytest.mark.parametrize("scheme", [fp.Positive(), fp.Accurate()])
def test_flow_across_an_axis_without_noise_produces_infinite_entropy(scheme):
    """dx = v dt, dv = -(x + v) dt + noise."""
    grid = fp.Grid(x=(-6, 6, 48), v=(-6, 6, 48))
    pr = fp.Problem(fp.Process(lambda x, v: (v, -x - v), (0.0, 1.0)), grid, scheme)
    x, v = grid.mesh()
    p = fp.Density.from_masses(grid, planes.on_cells(grid, -(x * x + v * v) / 2))
    with pytest.warns(fp.DegenerateWarning, match=r"entropy production is infinite: \S+ flows over \d+ edges"):
        J = fp.current(pr, p)
    assert J.entropy_production == np.inf
    rate = fp.generator(pr).apply(p.masses.ravel()).reshape(grid.shape)
    assert J.divergence * grid.weights == pytest.approx(-rate, abs=1e-14)
    exact = v * p.values
    error = np.abs(J.at_nodes[0].values - exact).sum() / np.abs(exact).sum()
    assert error < (0.15 if isinstance(scheme, fp.Positive) else 0.03)
    assert np.abs(J.irreversible_drift[0].values - v)[24, 24] < 0.15


@pytest.mark.parametrize("ends", ["absorbing", ("reflecting", "absorbing"), "periodic"])
def test_what_leaves_leaves_through_the_faces(ends):
    grid = fp.Grid(x=fp.Axis.uniform(-2, 3, 20, ends=ends), y=fp.Axis.uniform(-2, 2, 18, ends="absorbing"))
    tensor = ((0.505, 0.49), (0.49, 0.505))
    pr = fp.Problem(fp.Process(lambda x, y: (0.5 - x * y, x - y), tensor), grid)
    p = fp.Density.from_masses(grid, planes.on_cells(grid, -sum(part**2 for part in grid.mesh())))
    J, L = fp.current(pr, p), fp.generator(pr)
    m = p.masses.ravel()
    assert J.divergence * grid.weights == pytest.approx(-L.apply(m).reshape(grid.shape), abs=1e-14)
    out = 0.0
    for k, flux in enumerate(fluxes(grid, J.at_faces)):
        if not grid.axes[k].periodic:
            low, high = flux.take(0, axis=k), flux.take(-1, axis=k)
            assert np.all(low <= 0)  # each end lets out its own
            assert np.all(high >= 0)
            assert high.sum() > 0
            out += high.sum() - low.sum()
    assert out == pytest.approx((L.killing * m).sum(), rel=1e-12)
    lowest = J.at_faces[0][0]
    assert np.all(lowest == 0) if ends == ("reflecting", "absorbing") else np.any(lowest != 0)


def test_a_density_of_another_problem_is_not_taken_for_stationary():
    given = planes.linear(32)
    p = fp.stationary(given.problem)
    other = given.problem.replace(
        process=fp.Process(lambda *x: planes.product(-1.02 * planes.LINEAR, x), ((1, 0.4), (0.4, 0.5)))
    )
    J = fp.current(other, p)
    through = max(np.abs(flux).max() for flux in fluxes(J.grid, J.at_faces))
    assert np.abs(divergence(J.grid, J.at_faces)).max() > 1e-4 * through
    with pytest.raises(fp.InvalidInput, match="solve and ask on one grid"):
        fp.current(planes.linear(33).problem, p)
