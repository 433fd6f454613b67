"""Densities with jumps in motion: closed forms, mass with its tails, steppers against each other."""

import numpy as np
import pytest
from scipy.stats import levy_stable

import fpsolve as fp

AXIS = fp.Axis.sinh(-1e4, 1e4, 801, scale=0.5)


def cauchy(width):
    """A density of Cauchy's law with its tail."""
    law = fp.ExactDensity(lambda x: np.log(width / np.pi) - np.log(width**2 + x**2), fp.Grid(x=AXIS))
    return law.density


def problem(drift, scheme=None, alpha=1.0):
    return fp.Problem(fp.Process(drift, jumps=fp.Stable(alpha)), fp.Grid(x=AXIS), scheme or fp.Accurate())


@pytest.mark.parametrize(
    ("drift", "width"),
    [(lambda x: -x, lambda t: 0.5 * np.exp(-t) + 1 - np.exp(-t)), (0.0, lambda t: 0.5 + t)],
    ids=["harmonic", "free"],
)
def test_cauchy_laws_stay_cauchy_laws(drift, width):
    path = fp.evolve(problem(drift), cauchy(0.5), [0.5, 2.0])
    near = np.abs(AXIS.nodes) < 1e3
    for p, t in zip(path, (0.5, 2.0), strict=True):
        w = width(t)
        exact = w / np.pi / (w**2 + AXIS.nodes**2)
        assert np.abs(p.values - exact).max() < 5e-7
        assert np.abs(p.values / exact - 1)[near].max() < 3e-6
        assert p.mass == pytest.approx(1.0, abs=1e-12)
        assert p.beyond == pytest.approx(2 * w / np.pi / 1e4, rel=1e-3)


def test_a_flight_in_a_harmonic_well_has_stable_laws():
    t, alpha, width = 1.0, 1.5, lambda s: (0.1 * np.exp(-1.5 * s) - np.expm1(-1.5 * s) / 1.5) ** (1 / 1.5)
    axis = fp.Axis.sinh(-1e3, 1e3, 501, scale=0.3)
    well = fp.Problem(fp.Process(lambda x: -x, jumps=fp.Stable(alpha)), fp.Grid(x=axis))

    def law(s):
        return levy_stable.pdf(axis.nodes, alpha, 0.0, scale=width(s))

    start = fp.Density.from_log(well.grid, np.log(law(0.0)), continued=fp.generator(well).jumps.laws)
    p = fp.evolve(well, start, [t])[0]
    assert p.values == pytest.approx(law(t), abs=5e-5)
    assert np.abs(p.values - law(1.01 * t)).max() > 3e-4


def test_a_wrong_width_is_noticed():
    path = fp.evolve(problem(0.0), cauchy(0.5), [0.5])
    w = 1.001
    assert np.abs(path[0].values - w / np.pi / (w**2 + AXIS.nodes**2)).max() > 1e-5


def test_mass_is_kept_with_its_tails_and_on_the_grid_it_is_not():
    path = fp.evolve(problem(lambda x: -x, fp.Positive()), fp.Gaussian(0.0, 0.3), [0.0, 0.1, 1.0])
    assert path.mass == pytest.approx(np.ones(3), abs=1e-11)
    assert path.tails[0] == 0.0
    assert path.masses[2].sum() == pytest.approx(1.0 - path.tails[2], abs=1e-11)
    assert path.tails[2] == pytest.approx(2 * (1 - np.exp(-1)) / np.pi / 1e4, rel=1e-2)
    assert path.info.edge_mass == pytest.approx(path.tails.max())
    assert path.info.mass_error < 1e-11
    assert path.masses.min() > -1e-12


def test_an_evolution_goes_on_from_where_it_was():
    ou = problem(lambda x: -x, fp.Positive())
    whole = fp.evolve(ou, fp.Gaussian(0.0, 0.3), [1.0, 2.0])
    first = fp.evolve(ou, fp.Gaussian(0.0, 0.3), [1.0])
    again = fp.evolve(ou, first, [2.0])
    assert again.masses[0] == pytest.approx(whole.masses[1], abs=1e-10)
    assert again.tails[0] == pytest.approx(whole.tails[1], rel=1e-6)


def test_steppers_agree():
    ou, times = problem(lambda x: -x, fp.Positive(), 1.5), [0.3, 1.0]
    start = fp.Gaussian(1.0, 0.4)
    reference = fp.evolve(ou, start, times)
    for method, error in ((fp.SDIRK2(rtol=1e-4), 1e-3), (fp.TRBDF2(rtol=1e-4), 1e-3)):
        other = fp.evolve(ou, start, times, method=method)
        assert np.abs(other.masses - reference.masses).sum(axis=1).max() < error


def test_long_after_it_is_the_stationary_density():
    ou = problem(lambda x: -x, fp.Positive(), 1.5)
    p, q = fp.evolve(ou, fp.Gaussian(1.0, 0.4), [40.0])[0], fp.stationary(ou)
    assert p.masses == pytest.approx(q.masses, abs=1e-9)
    assert p.beyond == pytest.approx(q.beyond, rel=1e-6)


def test_absorbing_ends_take_what_jumps_over_them():
    axis = fp.Axis.tanh(-1, 1, 201, reach=10, ends="absorbing")
    path = fp.evolve(
        fp.Problem(fp.Process(0.0, jumps=fp.Stable(1.0)), fp.Grid(x=axis)), fp.Gaussian(0.0, 0.1), [3.0, 6.0]
    )
    rate = -np.log(path.mass[1] / path.mass[0]) / 3.0
    assert rate == pytest.approx(1.1577738, rel=2e-4)  # Kwasnicki, J. Funct. Anal. 262, 2379 (2012), table 2


def test_a_drift_in_motion_and_jumps_together():
    driven = fp.Process(lambda x, t: -(x - np.sin(t)), jumps=fp.Stable(1.0))
    grid = fp.Grid(x=fp.Axis.sinh(-1e3, 1e3, 401, scale=0.5))
    path = fp.evolve(fp.Problem(driven, grid), fp.Gaussian(0.0, 0.3), [1.0], method=fp.TRBDF2(rtol=1e-3))
    middle = 0.5 * (np.sin(1) - np.cos(1) + np.exp(-1))  # x' = sin t - x from 0
    assert path[0].quantile(0.5) == pytest.approx(middle, abs=0.01)
    assert path.mass[0] == pytest.approx(1.0, abs=1e-9)


def test_files_keep_tails(tmp_path):
    path = fp.evolve(problem(lambda x: -x, fp.Positive()), fp.Gaussian(0.0, 0.3), [0.5, 1.0])
    again = fp.load(path.save(tmp_path / "path.npz"))
    assert again.laws == path.laws
    assert again.mass == pytest.approx(path.mass, abs=0)
    assert again[1].beyond == path[1].beyond
