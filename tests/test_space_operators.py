"""The generator in two and three dimensions: Markov by construction, exact for Gibbs measures, of the stated order."""

import numpy as np
import planes
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components

import fpsolve as fp
from fpsolve.operators.coefficients import Coefficients
from fpsolve.operators.lattice import Lattice
from fpsolve.operators.selling import stencil

TURN = ((1.0, 0.4), (0.4, 0.5))
NARROW = ((0.505, 0.49), (0.49, 0.505))  # condition 66
ENDS = ["open", "reflecting", "absorbing", ("absorbing", "open"), ("reflecting", "absorbing")]
SOME_ENDS = st.sampled_from([*ENDS, "periodic"])


def axis_of(kind, cells, ends):
    if kind == "log":
        return fp.Axis.log(0.1, 10, cells, ends="open" if ends == "periodic" else ends)
    if kind == "sinh":
        return fp.Axis.sinh(-20, 20, cells, ends="open" if ends == "periodic" else ends)
    return fp.Axis.uniform(-2, 3, cells, ends=ends)


def tensor_of(*x, twist, decades, size):
    """Turning with the coordinates, of condition 10^decades in its plane, one more direction in three dimensions."""
    angle = twist * sum(np.arctan(part) for part in x)
    c, s, low = np.cos(angle), np.sin(angle), 10.0**-decades
    a, b, d = c * c + low * s * s, (1 - low) * c * s, s * s + low * c * c
    big = 10.0**size * (1 + 0.5 * np.sin(x[0]))
    if len(x) == 2:
        return (big * a, big * b), (big * b, big * d)
    mixed = 0.1 * low * big
    return (big * a, big * b, mixed), (big * b, big * d, 0 * mixed), (mixed, 0 * mixed, big)


def random_problem(kinds, cells, ends, convention, force, twist, decades, size):
    axes = {name: axis_of(*given) for name, *given in zip("xyz", kinds, cells, ends, strict=False)}

    def drift(*x):
        return tuple(force * np.cos(k + 2 * part) - part for k, part in enumerate(x))

    def diffusion(*x):
        return tensor_of(*x, twist=twist, decades=decades, size=size)

    return fp.Problem(fp.Process(drift, diffusion, convention), fp.Grid(**axes))


def check_markov(L):
    rates = L.rates()
    largest = abs(rates).max()
    assert L.is_markov
    off = rates.copy()
    off.setdiag(0.0)
    assert off.min() >= 0
    assert np.abs(np.asarray(rates.sum(axis=0)).ravel() + L.killing).max() <= 1e-13 * largest
    return rates, largest


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(*[st.sampled_from(["uniform", "log", "sinh"])] * 3),
    st.tuples(*[st.integers(3, 7)] * 3),
    st.tuples(*[SOME_ENDS] * 3),
    st.sampled_from(["ito", "isothermal"]),
    st.floats(-1e3, 1e3),
    st.floats(0.0, 3.0),
    st.floats(0.0, 2.0),
    st.floats(-6.0, 6.0),
    st.integers(2, 3),
)
def test_rates_are_positive_and_columns_sum_to_minus_the_killing(
    kinds, cells, ends, convention, force, twist, decades, size, ndim
):
    pr = random_problem(kinds[:ndim], cells[:ndim], ends[:ndim], convention, force, twist, decades, size)
    L = fp.generator(pr)
    matrix, largest = check_markov(L)
    rng = np.random.default_rng(3)
    m, f = rng.random(L.size), rng.normal(size=L.size)
    assert np.abs(L.apply(m) - matrix @ m).max() <= 1e-12 * largest
    assert np.abs(L.adjoint(f) - matrix.T @ f).max() <= 1e-11 * largest
    if not np.any(L.killing):
        assert np.abs(L.adjoint(np.ones(L.size))).max() == 0.0  # constants are harmonic, to the last bit


def test_a_negative_rate_is_refused_with_its_count(monkeypatch):
    """Row 6: what the property above would find, found at once."""
    import sys

    module = sys.modules["fpsolve.generator"]
    honest = module.space_edges

    def broken(*arguments):
        edges, fluxes = honest(*arguments)
        edges.up[5:7] = [-2.0, -7.0]
        return edges, fluxes

    monkeypatch.setattr(module, "space_edges", broken)
    with pytest.raises(fp.InvalidInput, match=r"Positive\(\) lost the positivity of 2 rates \(worst -7\)"):
        fp.generator(planes.linear(16).problem)


@pytest.mark.parametrize("scheme", [fp.Positive(), fp.Accurate()])
@pytest.mark.parametrize("ends", ["open", "absorbing", "periodic"])
def test_apply_adjoint_rates_and_resolvent_are_one_operator(scheme, ends):
    """Noise along y only, transport both ways along x."""
    grid = fp.Grid(x=fp.Axis.uniform(0, 6, 7, ends=ends), y=(-3, 3, 6))
    L = fp.generator(fp.Problem(fp.Process(lambda x, y: (np.sin(x) + y, -y), (0.0, 1.0)), grid, scheme))
    matrix = L.rates().toarray()
    rng = np.random.default_rng(1)
    m, f = rng.random(L.size), rng.normal(size=L.size)
    assert L.apply(m) == pytest.approx(matrix @ m, abs=1e-13)
    assert L.adjoint(f) == pytest.approx(matrix.T @ f, abs=1e-13)
    assert matrix.sum(axis=0) == pytest.approx(-L.killing, abs=1e-13)
    assert np.any(L.killing > 0) == (ends == "absorbing")
    assert L.is_markov == isinstance(scheme, fp.Positive)
    off = matrix - np.diag(matrix.diagonal())
    assert (off.min() < 0) == isinstance(scheme, fp.Accurate)
    inverse = np.linalg.inv(0.7 * np.eye(L.size) - matrix)
    assert L.resolvent(0.7).solve(m) == pytest.approx(inverse @ m, abs=1e-11)
    assert L.resolvent(0.7).solve_adjoint(f) == pytest.approx(inverse.T @ f, abs=1e-11)


# Gibbs measures


def landscape(*x):
    return sum(part**2 for part in x) / 2 + 0.5 * np.sin(2 * x[0]) * np.cos(x[1])


def logarithmic(x, y):
    return 2 * np.log(x) ** 2 + 0.5 * np.log1p(y * y) * 6 + np.cos(y) / (1 + x)


def turned_100(x, y):
    return planes.turned(x, y, 100.0)


def turned_on_logs(x, y):
    """Condition 100 in the cells' own units: lengths x along x, sqrt(1 + y^2) along y."""
    (a, b), (_, d) = planes.turned(np.log(x), np.arcsinh(y), 100.0)
    h = np.sqrt(1 + y * y)
    return (a * x * x, b * x * h), (b * x * h, d * h * h)


def ridge_100(x, y, z):
    """The ridge, with 0.02 for 0.2: condition up to 150."""
    return tuple(
        tuple(part - 0.18 * (i == j) for j, part in enumerate(row)) for i, row in enumerate(planes.ridge(x, y, z))
    )


@pytest.mark.parametrize(
    ("loss", "mobility", "grid", "largest"),
    [
        (landscape, turned_100, fp.Grid(x=(-4.5, 4.5, 40), y=(-4.5, 4.5, 41)), 5),
        (logarithmic, turned_on_logs, fp.Grid(x=fp.Axis.log(1e-2, 1e2, 40), y=fp.Axis.sinh(-1e3, 1e3, 60)), 5),
        (landscape, ridge_100, fp.Grid(x=(-6, 6, 13), y=(-6, 6, 12), z=(-6, 6, 14)), 4),
        (
            lambda x, y: np.cos(x) + np.sin(x + y),
            turned_100,
            fp.Grid(**dict.fromkeys("xy", fp.Axis.uniform(0, 2 * np.pi, 24, ends="periodic"))),
            5,
        ),
        (landscape, (1.0, 0.01), fp.Grid(x=fp.Axis.sinh(-6, 6, 30), y=(-5, 5, 30)), 1),
    ],
    ids=["uniform", "mapped", "space", "torus", "diagonal"],
)
def test_a_gibbs_density_is_exact_in_every_cell(loss, mobility, grid, largest):
    pr = fp.Problem(fp.Process.gibbs(loss, 1.0, mobility=mobility), grid)
    edges = fp.generator(pr).edges
    assert np.abs(edges.offsets).max() >= largest  # wide offsets are in use
    p = fp.stationary(pr)
    exact = planes.on_cells(grid, -loss(*grid.mesh()))
    assert np.abs(p.masses / p.masses.sum() / exact - 1).max() < 2e-13


def test_a_gibbs_density_with_another_loss_is_noticed():
    grid = fp.Grid(x=(-4.5, 4.5, 24), y=(-4.5, 4.5, 24))
    p = fp.stationary(fp.Problem(fp.Process.gibbs(landscape, 1.0, mobility=turned_100), grid))
    exact = planes.on_cells(grid, -(1 + 1e-12) * landscape(*grid.mesh()))
    assert np.abs(p.masses / p.masses.sum() / exact - 1).max() > 5e-12


def test_offsets_longer_than_the_box_are_clipped_to_it():
    """Condition 1e6: offsets of tens of cells, none inside a box of 9 x 8 cells, and still one connected chain."""
    c, s = np.cos(0.3), np.sin(0.3)
    mobility = ((c * c + 1e-6 * s * s, (1 - 1e-6) * c * s), ((1 - 1e-6) * c * s, s * s + 1e-6 * c * c))
    grid = fp.Grid(x=fp.Axis.uniform(0, 9, 9, ends="reflecting"), y=fp.Axis.uniform(0, 8, 8, ends="reflecting"))
    pr = fp.Problem(fp.Process.gibbs(lambda x, y: np.sin(x) + y / 4, 1.0, mobility=mobility), grid)
    own = stencil(Coefficients(pr.process, Lattice(grid), 0.0))
    assert np.abs(own.offsets).sum(axis=1).max(initial=0) == 1  # nothing but what runs along the walls
    L = fp.generator(pr)
    assert connected_components(L.rates(), connection="strong")[0] == 1
    x, y = grid.mesh()
    assert fp.stationary(pr).masses == pytest.approx(planes.on_cells(grid, -np.sin(x) - y / 4), rel=1e-12)


# products, conventions, consistency


@pytest.mark.parametrize("convention", ["ito", "stratonovich", "isothermal"])
def test_independent_coordinates_have_the_product_of_their_densities(convention):
    """A/D is a polynomial of third degree, which both quadratures integrate exactly."""

    def rough(x):
        return 1 + 0.5 * np.sin(2 * x)

    lines = {
        "x": fp.Process(lambda x: (x - x**3) * rough(x), rough, convention),
        "y": fp.Process(lambda y: -2 * y * rough(3 * y), lambda y: rough(3 * y), convention),
        "z": fp.Process(lambda z: 0.3 - z, 0.5, convention),
    }
    axes = {"x": (-4, 4, 24), "y": (-5, 5, 20), "z": fp.Axis.uniform(-4, 4, 16, ends="reflecting")}
    parts = [fp.stationary(fp.Problem(line, fp.Grid(**{name: axes[name]}))) for name, line in lines.items()]

    def together(names):
        picked = [lines[name] for name in names]
        process = fp.Process(
            lambda *x: tuple(line.drift(part) for line, part in zip(picked, x, strict=True)),
            lambda *x: tuple(
                line.diffusion(part) if callable(line.diffusion) else line.diffusion + 0 * part
                for line, part in zip(picked, x, strict=True)
            ),
            convention,
        )
        return fp.stationary(fp.Problem(process, fp.Grid(**{name: axes[name] for name in names})))

    flat, solid = together("xy"), together("xyz")
    for p, factors in ((flat, parts[:2]), (solid, parts)):
        expected = 1.0
        for factor in factors:
            expected = np.multiply.outer(expected, factor.masses / factor.masses.sum())
        assert np.abs(p.masses / p.masses.sum() / expected - 1).max() < 1e-11
    assert np.abs(flat.masses / np.outer(parts[0].masses, parts[0].masses[:20]) - 1).max() > 0.1  # another product


def test_a_full_tensor_without_correlation_is_a_diagonal_one():
    """The two ways of assembly meet: edges across faces, and Selling's offsets of a diagonal tensor."""
    grid = fp.Grid(x=(-4, 4, 12), y=fp.Axis.sinh(-5, 5, 11))

    def drift(x, y):
        return -x + y, np.cos(x) - y

    def chain_of(mixed):
        process = fp.Process(drift, lambda x, y: ((1 + 0 * x, mixed * x), (mixed * x, 2 + 0 * x)), "isothermal")
        return fp.generator(fp.Problem(process, grid)).rates().toarray()

    diagonal, almost = chain_of(0.0), chain_of(1e-13)
    gap = np.abs(diagonal - almost).max()
    # conductances differ by their means: at the face, or of the two ends; here only through the mapped axis
    assert gap < 0.02 * np.abs(diagonal).max()
    uniform = fp.Grid(x=(-4, 4, 12), y=(-4, 4, 11))
    grid = uniform
    assert np.abs(chain_of(0.0) - chain_of(1e-13)).max() < 1e-10 * np.abs(diagonal).max()


@pytest.mark.parametrize("convention", ["ito", "stratonovich", "isothermal"])
def test_constant_tensors_know_no_convention(convention):
    pr = planes.linear(16).problem
    other = pr.replace(process=pr.process.replace(convention=convention))
    assert abs(fp.generator(other).rates() - fp.generator(pr).rates()).max() == 0.0


def torus_problem(cells, convention):
    grid = fp.Grid(**dict.fromkeys("xy", fp.Axis.uniform(0, 2 * np.pi, cells, ends="periodic")))

    def diffusion(x, y):
        return (1.5 + np.sin(x + y), 0.4 * np.cos(x)), (0.4 * np.cos(x), 1.2 + 0.5 * np.cos(y))

    return fp.Problem(fp.Process(lambda x, y: (np.sin(y), 1 + np.cos(x + y)), diffusion, convention), grid)


@pytest.mark.parametrize(("convention", "div"), [("ito", 0.0), ("isothermal", 1.0)])
def test_the_adjoint_is_the_backward_operator_to_second_order(convention, div):
    """L^T f = A.grad f + D:grad grad f (+ div D . grad f) for f = sin(x + 2 y), on a torus with a full tensor."""

    def error(cells, div=div):
        pr = torus_problem(cells, convention)
        x, y = pr.grid.mesh()
        f, slope, bend = np.sin(x + 2 * y), np.cos(x + 2 * y), -np.sin(x + 2 * y)
        (a, b), (_, d) = pr.process.diffusion(x, y)
        u, v = pr.process.drift(x, y)
        u, v = u + div * np.cos(x + y), v - div * (0.4 * np.sin(x) + 0.5 * np.sin(y))
        exact = u * slope + 2 * v * slope + (a + 4 * b + 4 * d) * bend
        return np.abs(fp.generator(pr).adjoint(f.ravel()).reshape(f.shape) - exact).mean()

    # in the mean: along the lines where the offsets change, their weights have kinks, and the order is less
    errors = [error(n) for n in (96, 192)]
    assert planes.order(errors)[-1] == pytest.approx(2.0, abs=0.1)
    assert error(96, div=1.0 - div) > 0.1  # the other convention's operator


def test_an_equilibrium_on_mapped_axes_is_of_fourth_order():
    """Test b on sinh and mapped axes, the drift given as a function."""

    def solved(cells):
        bent = fp.Axis.mapped(lambda s: s + 0.3 * np.sin(s), lambda s: 1 + 0.3 * np.cos(s), -6, 6, cells)
        given = planes.rotating(cells, 10, grid=fp.Grid(x=fp.Axis.sinh(-6, 6, cells, scale=2.0), y=bent))
        return given.error(fp.stationary(given.problem))

    errors = [solved(n) for n in (24, 48)]
    assert errors[-1] < 1e-4
    assert planes.order(errors)[-1] == pytest.approx(4.0, abs=0.3)


# the torus


@pytest.mark.parametrize("tensor", [TURN, NARROW, ((1.0, 0.97), (0.97, 1.0))])
def test_a_constant_flow_on_a_torus_has_the_uniform_density(tensor):
    """p = 1/area, J = A p, entropy production A.D^-1 A, whatever the tensor: some offsets wrap round twice."""
    grid = fp.Grid(x=fp.Axis.uniform(0, 1, 6, ends="periodic"), y=fp.Axis.uniform(0, 2, 5, ends="periodic"))
    pr = fp.Problem(fp.Process(lambda x, y: (1 + 0 * x, -0.3 + 0 * x), tensor), grid)
    p = fp.stationary(pr)
    assert p.values == pytest.approx(np.full((6, 5), 0.5), rel=1e-13)
    J = fp.current(pr, p)
    assert J.at_faces[0] == pytest.approx(np.full((7, 5), 0.5), rel=1e-12)
    assert J.at_faces[1] == pytest.approx(np.full((6, 6), -0.15), rel=1e-12)
    assert J.entropy_production == pytest.approx(np.dot([1, -0.3], np.linalg.solve(tensor, [1, -0.3])), rel=1e-12)
