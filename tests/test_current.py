"""Currents: closed forms, rings in any tilt, transients, and what the generator says of the same density."""

import mpmath as mp
import numpy as np
import pytest
from scipy.integrate import quad

import fpsolve as fp
from fpsolve.current import current, entropy_production
from fpsolve.initial import masses
from fpsolve.starts import Gaussian

MESHES = (12, 60, 400)
TILTS = (1.0, -1.0, 1e-9, 1e-13, 30.0)


def ring(drift, diffusion, cells, convention="ito"):
    grid = fp.Grid(x=fp.Axis.uniform(0, 2 * np.pi, cells, ends="periodic"))
    return fp.Problem(fp.Process(drift, diffusion, convention), grid)


def stationary_current(pr):
    return current(pr, fp.stationary(pr))


def smooth(x):
    return 1 + 0.5 * np.cos(x)


@pytest.mark.parametrize("cells", MESHES)
@pytest.mark.parametrize("tilt", TILTS)
def test_constant_force_on_a_ring_in_closed_form(tilt, cells):
    J = stationary_current(ring(lambda x: tilt + 0 * x, 1.0, cells))
    assert J.at_faces[0] == pytest.approx(np.full(cells + 1, tilt / (2 * np.pi)), rel=1e-13)
    assert J.entropy_production == pytest.approx(tilt**2, rel=1e-12)
    assert not J.is_equilibrium


@pytest.mark.parametrize("cells", MESHES)
@pytest.mark.parametrize("tilt", TILTS)
def test_entropy_production_is_current_times_circulation_on_any_mesh(tilt, cells):
    """sigma = J * closed integral of A/D; here A/D is the tilt, to the last digit, while D varies."""
    J = stationary_current(ring(lambda x: tilt * smooth(x), smooth, cells))
    assert J.entropy_production == pytest.approx(J.at_faces[0][0] * 2 * np.pi * tilt, rel=1e-12)
    assert np.ptp(J.at_faces[0]) == 0.0
    assert np.all(J.divergence == 0.0)


@pytest.mark.parametrize("diffusion", [1.0, smooth], ids=["constant", "varying"])
def test_circulation_of_a_wavy_force(diffusion):
    d = diffusion if callable(diffusion) else lambda x: 1.0 + 0 * x
    for cells in MESHES:
        J = stationary_current(ring(lambda x: (1 + np.sin(x)) * d(x), diffusion, cells))
        assert J.entropy_production == pytest.approx(J.at_faces[0][0] * 2 * np.pi, rel=1e-12)


@pytest.mark.parametrize(("tilt", "rel"), [(1.0, 5e-6), (1e-9, 1e-5), (1e-13, 1e-2), (-1e-9, 1e-5)])
def test_the_ring_current_is_the_integral_formula(tilt, rel):
    """D = 1, A = f + sin x: J = (1 - exp(-2 pi f))/I, I = 2 pi integral of exp(-f u) I_0(2 sin(u/2)) du.

    In double precision f + sin x knows f = 1e-13 to three digits.
    """
    with mp.workdps(30):
        f = mp.mpf(tilt)
        weight = 2 * mp.pi * mp.quad(lambda u: mp.exp(-f * u) * mp.besseli(0, 2 * mp.sin(u / 2)), [0, mp.pi, 2 * mp.pi])
        exact = float(-mp.expm1(-2 * mp.pi * f) / weight)
    J = stationary_current(ring(lambda x: tilt + np.sin(x), 1.0, 800))
    assert J.at_faces[0][5] == pytest.approx(exact, rel=rel)


@pytest.mark.parametrize("convention", ["ito", "stratonovich", "isothermal"])
def test_the_ring_current_is_second_order_in_the_mesh(convention):
    """J against scipy's quadrature with D = 1 + cos(x)/2, whose place in the formula the convention decides."""
    c = {"ito": 1.0, "stratonovich": 0.5, "isothermal": 0.0}[convention]
    phi = lambda x: 0.7 * x + 1 - np.cos(x) - c * np.log(smooth(x))  # noqa: E731

    def inner(y):
        return quad(lambda u: np.exp(phi(y) - phi(y + u)) / smooth(y + u), 0, 2 * np.pi, epsabs=1e-12)[0]

    exact = -np.expm1(-0.7 * 2 * np.pi) / quad(inner, 0, 2 * np.pi, epsabs=1e-11)[0]
    errors = []
    for cells in (80, 160, 320):
        J = stationary_current(ring(lambda x: (0.7 + np.sin(x)) * smooth(x), smooth, cells, convention))
        errors.append(abs(J.at_faces[0][0] - exact))
    assert np.log2(np.array(errors[:-1]) / errors[1:]) == pytest.approx(2.0, abs=0.1)


def test_a_current_from_another_tilt_is_not_taken_for_stationary():
    p = fp.stationary(ring(lambda x: 1.0 + np.sin(x), 1.0, 60))
    other = current(ring(lambda x: 1.01 + np.sin(x), 1.0, 60), p)
    assert np.ptp(other.at_faces[0]) > 1e-4
    assert np.abs(other.divergence).max() > 1e-4


def test_a_stationary_density_knows_its_current_after_losing_its_info():
    pr = ring(lambda x: 1e-10 * smooth(x), smooth, 60)
    p = fp.stationary(pr)
    assert current(pr, p.replace(info=fp.Info())).at_faces[0][0] == pytest.approx(p.info.current, rel=1e-13)


@pytest.mark.parametrize("ends", ["open", "reflecting"])
def test_detailed_balance_is_recognised_with_its_margin(ends):
    pr = fp.Problem(fp.Process(lambda x: x - x**3, 0.25), fp.Grid(x=fp.Axis.uniform(-3, 3, 200, ends=ends)))
    J = stationary_current(pr)
    assert J.is_equilibrium
    assert J.imbalance <= J.rounding < 1e-11
    assert J.entropy_production < 1e-24
    assert J.at_faces[0][0] == J.at_faces[0][-1] == 0.0


def test_a_ring_without_circulation_is_in_equilibrium_and_a_tiny_one_is_not():
    assert stationary_current(ring(np.sin, 1.0, 60)).is_equilibrium
    assert not stationary_current(ring(lambda x: 1e-13 + np.sin(x), 1.0, 60)).is_equilibrium


def moving_gaussian(cells):
    grid = fp.Grid(x=(-8, 8, cells))
    pr = fp.Problem(fp.Process(lambda x: -x, 1.0), grid)
    return pr, fp.Density.from_masses(grid, masses(Gaussian(1.0, 0.7), grid))


def test_the_transient_current_of_a_shifted_gaussian_is_second_order():
    """J = (-x + (x - 1)/v) p, sigma = integral of J^2/(D p) = v (1 - 1/v)^2 + 1 by Gaussian moments, v = 0.49."""
    errors = []
    for cells in (50, 100, 200, 400):
        pr, p = moving_gaussian(cells)
        J, x, v = current(pr, p), pr.grid.faces[0], 0.49
        exact = (-x + (x - 1) / v) * np.exp(-((x - 1) ** 2) / (2 * v)) / np.sqrt(2 * np.pi * v)
        sigma = v * (1 - 1 / v) ** 2 + 1
        errors.append((np.abs(J.at_faces[0] - exact).max(), abs(J.entropy_production - sigma)))
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert orders[-2:] == pytest.approx(np.full((2, 2), 2.0), abs=0.1)


@pytest.mark.parametrize("ends", ["open", "reflecting", "absorbing", ("absorbing", "reflecting"), "periodic"])
def test_divergence_is_what_the_generator_says(ends):
    grid = fp.Grid(x=fp.Axis.uniform(-2, 3, 80, ends=ends))
    pr = fp.Problem(fp.Process(lambda x: 1 - x, lambda x: 0.3 + 0.1 * np.cos(x)), grid)
    m = masses(lambda x: 1 + 0.5 * np.sin(x), grid, normalize=True)
    J = current(pr, fp.Density.from_masses(grid, m))
    assert J.divergence * grid.weights == pytest.approx(-fp.generator(pr).apply(m), abs=1e-12)
    faces, killing = J.at_faces[0], fp.generator(pr).killing * m
    if ends == "periodic":
        assert faces[0] == faces[-1] != 0
    else:
        assert (faces[0], faces[-1]) == (-killing[0], killing[-1])
    assert J.at_nodes[0].values == pytest.approx(0.5 * (faces[1:] + faces[:-1]), abs=0)


def test_a_negative_mass_still_has_its_flux():
    pr, p = moving_gaussian(60)
    m = p.masses.copy()
    m[3] = -1e-17
    J = current(pr, fp.Density.from_masses(pr.grid, m))
    assert J.divergence * pr.grid.weights == pytest.approx(-fp.generator(pr).apply(m), abs=1e-14)


def test_time_dependent_coefficients_are_taken_at_the_time_of_the_density():
    pr, p = moving_gaussian(60)
    timed = pr.replace(process=fp.Process(lambda x, t: -t * x, 1.0))
    assert current(timed, p.replace(time=1.0)).at_faces[0] == pytest.approx(current(pr, p).at_faces[0], abs=1e-14)
    assert np.abs(current(timed, p.replace(time=2.0)).at_faces[0] - current(pr, p).at_faces[0]).max() > 0.1


def test_flow_across_an_edge_without_noise_produces_infinite_entropy():
    grid = fp.Grid(x=(-8, 8, 160))
    pr = fp.Problem(fp.Process(1.0, lambda x: np.where(np.abs(x - 1) < 0.5, 0.0, 1.0)), grid)
    p = fp.Density.from_masses(grid, masses(Gaussian(1.0, 0.7), grid))
    with pytest.warns(fp.DegenerateWarning, match=r"infinite: 0\.5\d+ flows over 1\d edges that let nothing back"):
        assert entropy_production(pr, p) == np.inf
    with pytest.warns(fp.DegenerateWarning, match="entropy production is infinite"):
        J = current(pr, p)
    assert J.divergence * grid.weights == pytest.approx(-fp.generator(pr).apply(p.masses), abs=1e-14)


def test_a_density_that_vanishes_beside_mass_produces_infinite_entropy():
    pr, _ = moving_gaussian(60)
    m = np.zeros(60)
    m[20:40] = 0.05
    with pytest.warns(fp.DegenerateWarning, match="over 2 edges that let nothing back"):
        assert entropy_production(pr, fp.Density.from_masses(pr.grid, m)) == np.inf


def floored(m0, times, tol=1e-10):
    """A double well and what Krylov makes of m0, with masks below its floor."""
    pr = fp.Problem(fp.Process(lambda x: x - x**3, 0.25), fp.Grid(x=(-3, 3, 200)))
    return pr, fp.evolve(pr, m0, times, method=fp.Krylov(tol=tol))


@pytest.mark.parametrize("times", [(0.1, 1.0), (0.1, 1.0, 30.0, 100.0)])
def test_masses_below_the_floor_of_a_method_produce_no_entropy(times):
    pr, found = floored(fp.Point(0.495), times)
    assert np.isnan(found[0].log_values).sum() > 90
    _, sharp = floored(fp.Point(0.495), times[:2], tol=1e-13)
    for p, exact in zip(found, sharp, strict=False):
        assert entropy_production(pr, p) == pytest.approx(entropy_production(pr, exact), rel=1e-8)


def test_negative_masses_that_no_floor_explains_still_produce_infinite_entropy():
    pr, found = floored(fp.Point(0.495), (0.1, 1.0, 30.0, 100.0))
    with pytest.warns(fp.DegenerateWarning, match="entropy production is infinite"):
        assert entropy_production(pr, found[0].replace(info=fp.Info())) == np.inf


def test_flow_into_what_a_floor_hides_is_bounded_from_below():
    (pr, found), (_, exact) = floored(Gaussian(0.5, 0.1), (0.01,), tol=1e-2), floored(Gaussian(0.5, 0.1), (0.01,))
    p = found[0].replace(info=fp.Info(floor=0.05))
    p = fp.Density.from_masses(p.grid, p.masses, info=p.info)
    with pytest.warns(
        fp.ResolutionWarning, match=r"known from below only: .* into cells whose mass is below .* 0\.05 of"
    ):
        least = entropy_production(pr, p)
    assert 0 < least < entropy_production(pr, exact[0])


def test_one_way_flows_stay_infinite_above_a_floor():
    pr, found = floored(fp.Point(0.495), (0.0, 1.0))  # nothing but one cell holds mass at 0, exactly
    with pytest.warns(fp.DegenerateWarning, match="over 2 edges that let nothing back"):
        assert entropy_production(pr, found[0]) == np.inf
    carried = fp.Problem(fp.Process(1.0, 0.0), fp.Grid(x=fp.Axis.uniform(0, 6, 60, ends="reflecting")))
    p = fp.evolve(carried, Gaussian(2.0, 0.3), (0.5,), method=fp.Krylov())[0]
    assert np.isnan(p.log_values).any()
    with pytest.warns(fp.DegenerateWarning, match="entropy production is infinite"):
        assert entropy_production(carried, p) == np.inf


def test_entropy_production_is_a_function_too():
    pr = ring(lambda x: 1.0 + np.sin(x), 1.0, 60)
    p = fp.stationary(pr)
    assert entropy_production(pr, p) == current(pr, p).entropy_production > 0


def test_what_has_no_answer_is_refused():
    pr, p = moving_gaussian(60)
    with pytest.raises(fp.InvalidInput, match="two dimensions"):
        _ = current(pr, p).stream_function
    with pytest.raises(fp.InvalidInput, match="solve and ask on one grid"):
        current(pr.replace(grid=pr.grid.refined(3)), p)


def test_a_current_prints_in_one_line_and_is_frozen():
    J = current(*moving_gaussian(60))
    assert "no equilibrium" in repr(J)
    assert "\n" not in repr(J)
    with pytest.raises(ValueError, match="read-only"):
        J.at_faces[0][0] = 1.0
