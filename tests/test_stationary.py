"""Stationary densities: exact laws, conventions, rings, branches, and what has no density."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fpsolve as fp


def solve(drift, diffusion, **axes_and_convention):
    convention = axes_and_convention.pop("convention", "ito")
    return fp.stationary(fp.Problem(fp.Process(drift, diffusion, convention), fp.Grid(**axes_and_convention)))


def gauss(x, var=1.0):
    return np.exp(-(x**2) / (2 * var)) / np.sqrt(2 * np.pi * var)


def test_gaussian_cell_by_cell_down_to_the_end():
    p = solve(lambda x: -x, 1.0, x=(-30, 30, 400))
    assert p.log_values == pytest.approx(-(p.grid.nodes[0] ** 2) / 2 - 0.5 * np.log(2 * np.pi), abs=2e-13)


def test_a_wrong_drift_is_noticed():
    p = solve(lambda x: -1.001 * x, 1.0, x=(-30, 30, 400))
    assert np.abs(p.log_values + p.grid.nodes[0] ** 2 / 2 + 0.5 * np.log(2 * np.pi)).max() > 0.1


@pytest.mark.parametrize(("convention", "variance"), [("ito", 1 / 3), ("stratonovich", 1 / 2), ("isothermal", 1.0)])
def test_the_three_conventions_have_their_variances(convention, variance):
    axis = fp.Axis.sinh(-1e6, 1e6, 800)
    p = solve(lambda x: -x, lambda x: 0.25 * (1 + x**2), x=axis, convention=convention)
    assert p.var() == pytest.approx(variance, abs=1e-9)
    assert p.mass == pytest.approx(1.0, abs=1e-14)


def test_gibbs_is_exact_at_the_nodes_whatever_the_mobility():
    loss = lambda x: x**4 / 4 - x**2 / 2 + 0.3 * np.sin(5 * x)  # noqa: E731
    grid = fp.Grid(x=(-3, 3, 37))
    p = fp.stationary(fp.Problem(fp.Process.gibbs(loss, 0.1, mobility=lambda x: 1 / (1 + x**2)), grid))
    expected = -loss(grid.nodes[0]) / 0.1
    assert p.log_values - p.log_values.max() == pytest.approx(expected - expected.max(), abs=1e-13)


def test_row_22_a_huge_potential_does_not_overflow():
    p = fp.stationary(fp.Problem(fp.Process.gibbs(lambda x: 1e6 + x**2 / 2, 1.0), fp.Grid(x=(-9, 9, 300))))
    assert p.var() == pytest.approx(1.0, rel=1e-9)


def test_row_21_densities_far_below_1e_300_are_carried_by_logarithms():
    p = solve(lambda x: -x, 1.0, x=(-60, 60, 400))
    assert p.values[0] == 0.0
    assert p.log_values[0] == pytest.approx(-(59.85**2) / 2 - 0.5 * np.log(2 * np.pi), rel=1e-13)


@pytest.mark.filterwarnings("ignore::fpsolve.errors.ResolutionWarning")  # three cells are few
@settings(max_examples=25, deadline=None)
@given(st.floats(-3, 3), st.floats(0.05, 3), st.integers(3, 80), st.sampled_from(["reflecting", "periodic"]))
def test_density_is_positive_on_any_grid(a, strength, cells, ends):
    axis = fp.Axis.uniform(0, 2 * np.pi, cells, ends=ends)
    p = solve(lambda x: strength * np.cos(x) + a * (ends == "periodic"), lambda x: 0.2 + 0.1 * np.sin(x), x=axis)
    assert np.all(np.isfinite(p.log_values))
    assert p.mass == pytest.approx(1.0, abs=1e-13)
    L = fp.generator(fp.Problem(fp.Process(lambda x: strength * np.cos(x), 1.0), p.grid))
    assert L.size == cells
    assert p.info.residual < 1e-13


def test_the_null_vector_is_that_of_the_generator():
    process = fp.Process(lambda x: 0.4 - np.sin(x), lambda x: 0.5 + 0.2 * np.cos(x))
    problem = fp.Problem(process, fp.Grid(x=fp.Axis.uniform(-np.pi, np.pi, 50, ends="periodic")))
    p, L = fp.stationary(problem), fp.generator(problem)
    assert np.abs(L.apply(p.masses)).max() < 1e-14 * abs(L.rates()).max()
    assert np.abs(L.apply(np.roll(p.masses, 1))).max() > 1e-6 * abs(L.rates()).max()  # the control


@pytest.mark.parametrize("force", [0.3, -0.3, 1e-12])
def test_a_ring_carries_its_constant_current(force):
    ring = fp.Axis.uniform(0, 2 * np.pi, 90, ends="periodic")
    p = solve(lambda x: force + np.sin(x), 0.5, x=ring)

    def density_over_current(x):  # p/J by quadrature: int_x^(x + 2 pi) exp(phi(x) - phi(y)) dy / (D (1 - exp(-Phi)))
        phi = lambda y: 2 * (force * y - mpmath.cos(y))  # noqa: E731
        return mpmath.quad(lambda y: mpmath.exp(phi(x) - phi(y)), mpmath.linspace(x, x + 2 * mpmath.pi, 5))

    with mpmath.workdps(20):
        nodes = np.asarray(ring.nodes)
        total = sum(density_over_current(float(x)) for x in nodes) * float(ring.ds) / 0.5
        exact = float(-mpmath.expm1(-4 * mpmath.pi * force) / total)
    assert p.info.current == pytest.approx(exact, rel=1e-3)  # second order in the mesh


def test_the_current_of_a_free_ring_is_exact():
    p = solve(2.0, 0.5, x=fp.Axis.uniform(0, 1, 7, ends="periodic"))
    assert p.values == pytest.approx(np.ones(7), rel=1e-14)
    assert p.info.current == pytest.approx(2.0, rel=1e-14)


def test_current_conserving_axes_are_flat_when_nothing_drives_them():
    p = solve(0.0, lambda x: 1 + 0.5 * np.sin(x), x=fp.Axis.uniform(0, 2 * np.pi, 40, ends="periodic"))
    expected = 1 / (1 + 0.5 * np.sin(p.grid.nodes[0]))
    assert p.values / p.values[0] == pytest.approx(expected / expected[0], rel=1e-13)


def test_reflecting_walls_keep_all_mass_inside():
    p = solve(-1.0, 1.0, x=fp.Axis.uniform(0, 3, 300, ends="reflecting"))
    assert p.beyond == 0.0
    assert p.mean() == pytest.approx(1 - 3 / np.expm1(3), abs=1e-4)


def test_mixed_ends_are_each_their_own():
    p = solve(-1.0, 1.0, x=fp.Axis.uniform(0, 3, 300, ends=("reflecting", "open")))
    assert p.mean() == pytest.approx(1.0, abs=1e-4)  # exp(-x) on the half line, continued beyond 3
    assert p.beyond == pytest.approx(np.exp(-3), rel=1e-3)


@pytest.mark.parametrize("cells", [400, 401, 402, 403])
@pytest.mark.parametrize("hi", [3.0, 3.1])
def test_two_branches_split_by_a_zero_of_the_noise_are_both_returned(cells, hi):
    problem = fp.Problem(fp.Process(lambda x: x - x**3, lambda x: 0.1 * x**2), fp.Grid(x=(-3, hi, cells)))
    with pytest.raises(fp.Reducible, match=r"2 closed classes.*fp\.components") as caught:
        fp.stationary(problem)
    assert len(caught.value.sizes) == 2
    left, right = fp.components(problem)
    exact = fp.ExactDensity(lambda x: 8 * np.log(x) - 5 * x**2, fp.Grid(x=fp.Axis.log(1e-3, 10, 400)))
    assert right.mean() == pytest.approx(exact.mean(), rel=1e-4)
    assert left.mean() == pytest.approx(-exact.mean(), rel=1e-4)
    assert np.all(left.log_values[left.grid.nodes[0] > 0.02] == -np.inf)


def test_a_branch_without_a_density_is_named_and_can_be_skipped():
    # p ~ |v|^(1/(8 T a3) ...): integrable at 0 for v > 0, not for v < 0
    drift = lambda v: 0.5 * np.abs(v) - v * np.abs(v)  # noqa: E731
    grid = fp.Grid(v=fp.Axis.sinh(-1e6, 1e6, 800, scale=1e-8))
    problem = fp.Problem(fp.Process(drift, lambda v: 0.1 * v**2 * (1 + v**2)), grid)
    with pytest.raises(fp.Reducible):
        fp.stationary(problem)
    with pytest.raises(fp.NotNormalizable, match=r"v < 0.*v=0.*\|v\|\^-7.*skip=True") as caught:
        fp.components(problem)
    assert caught.value.end == "v < 0"
    assert caught.value.exponent == pytest.approx(-7, abs=0.01)
    (positive,) = fp.components(problem, skip=True)
    assert positive.cdf(0.0) == pytest.approx(0.0, abs=1e-15)
    assert positive.mass == pytest.approx(1.0, abs=1e-14)


def test_a_noise_zero_that_the_drift_crosses_is_one_way():
    # D = 0 at x = 0 where A = 1: paths cross to the right and never return
    axis = fp.Axis.sinh(-4, 1e6, 1000, scale=0.3, ends=("reflecting", "open"))
    problem = fp.Problem(fp.Process(lambda x: 1 - 0.5 * x, lambda x: 0.2 * x**2), fp.Grid(x=axis))
    p = fp.stationary(problem)
    assert p.cdf(0.0) == pytest.approx(0.0, abs=1e-12)
    assert p.mean() == pytest.approx(2.0, rel=1e-4)


def test_row_5_a_region_without_noise_is_measured():
    axis = fp.Axis.uniform(-2, 2, 80, ends="reflecting")
    problem = fp.Problem(
        fp.Process(lambda x: 1.0 + 0 * x, lambda x: np.where(np.abs(x) < 0.5, 0.0, 1.0)), fp.Grid(x=axis)
    )
    with pytest.warns(fp.DegenerateWarning, match=r"diffusion is 0 on 2\d of 79 edges, between x=-0\.\d+ and 0\.\d+"):
        p = fp.stationary(problem)
    assert p.cdf(0.45) == 0.0  # carried through, never to return
    still = problem.replace(process=fp.Process(lambda x: -x * (np.abs(x) > 0.5), problem.process.diffusion))
    with pytest.warns(fp.DegenerateWarning), pytest.raises(fp.Reducible, match="closed classes"):
        fp.stationary(still)


def test_a_natural_boundary_has_nothing_beyond_it():
    # square-root process on x > 0: a gamma law, p ~ x^(a - 1) at the natural boundary 0
    p = solve(lambda x: 2.0 - x, lambda x: x, x=fp.Axis.uniform(0, 40, 4000))
    assert p.beyond < 1e-12
    assert p.mean() == pytest.approx(2.0, rel=1e-4)
    with pytest.raises(fp.NotNormalizable, match=r"x > 0.*\|x\|\^-1\.1"):
        solve(lambda x: -0.1 - x, lambda x: x, x=fp.Axis.uniform(0, 40, 4000))


@pytest.mark.parametrize(
    ("drift", "axis", "end", "exponent"),
    [
        (lambda v: v * (1 - 1.2 * v), fp.Axis.log(1e-9, 1e9, 600), None, None),
        (lambda v: v * (-0.1 - v), fp.Axis.log(1e-9, 1e9, 600), "v -> 0", -2.2),
        (lambda v: -0.4 * v + 0 * v, fp.Axis.log(1e-3, 1e9, 600, ends=("reflecting", "open")), None, None),
        (lambda v: 0.7 * v, fp.Axis.log(1e-3, 1e9, 600, ends=("reflecting", "open")), "v -> infinity", -0.6),
    ],
)
def test_row_17_power_laws_decide_on_log_axes(drift, axis, end, exponent):
    problem = fp.Problem(fp.Process(drift, lambda v: 0.5 * v**2), fp.Grid(v=axis))
    if end is None:
        assert fp.stationary(problem).mass == pytest.approx(1.0, abs=1e-12)
        return
    with pytest.raises(fp.NotNormalizable, match="its integral diverges") as caught:
        fp.stationary(problem)
    assert caught.value.end == end
    assert caught.value.exponent == pytest.approx(exponent, abs=1e-6)
    assert caught.value.uncertainty < 1e-6


def test_row_17_on_uniform_axes():
    with pytest.raises(fp.NotNormalizable, match=r"x -> infinity it goes like exp\(0\.5 x\)"):
        solve(0.5, 1.0, x=fp.Axis.uniform(-3, 3, 60, ends=("reflecting", "open")))
    with pytest.raises(fp.NotNormalizable, match="diverges"):
        solve(0.0, 1.0, x=(-3, 3, 60))
    with pytest.raises(fp.NotNormalizable, match="undecided") as caught:  # p ~ x^-0.5 ends like an exponential here
        solve(lambda x: -0.5 * x / (1 + x**2), 1.0, x=(-50, 50, 400))
    assert caught.value.uncertainty > 0


def turning_outward(reach):
    """ln p = -x^2/2 + x^4/1600, which turns outward at x = 20, on (-reach, reach)."""
    return solve(lambda x: -x + x**3 / 400, 1.0, x=(-reach, reach, 400))


def dented(depth):
    """ln p = -depth x^2/100 to x = 10, but for a dent that slows its fall down there."""
    axis = fp.Axis.uniform(-9, 9.7, 400, ends=("reflecting", "open"))
    return solve(lambda x: -depth / 50 * x + 0.1 * depth * np.exp(-((x - 11) ** 2) / 4), 1.0, x=axis)


def test_an_end_where_nothing_is_left_is_taken_though_the_slope_flattens():
    p = dented(100)
    assert p.log_values[-1] - p.log_values.max() < -40
    assert p.beyond < 1e-17
    with pytest.raises(fp.NotNormalizable, match="undecided"):  # as flat, but not as far down
        dented(10)


@pytest.mark.parametrize(("reach", "why"), [(19, "undecided"), (22, "diverges")])
def test_a_drift_that_turns_outward_is_refused_however_far_down(reach, why):
    with pytest.raises(fp.NotNormalizable, match=why):
        turning_outward(reach)


def test_a_heavy_tail_is_refused_however_far_down():
    # exp(-x^2/2) + exp(-60) (1 + x^2)^(-1/4): a density but for |x|^-0.5, 60 below the peak
    def drift(x):
        core, tail = np.exp(-x * x / 2), np.exp(-60.0) * (1 + x * x) ** -0.25
        return -(core * x + tail * x / (2 * (1 + x * x))) / (core + tail)

    for axis in ((-30, 30, 600), fp.Axis.sinh(-1e4, 1e4, 600)):
        with pytest.raises(fp.NotNormalizable):
            solve(drift, 1.0, x=axis)


def test_the_marginal_power_law_is_undecided_whatever_the_cells():
    for cells in (200, 400):
        with pytest.raises(fp.NotNormalizable, match="undecided"):
            solve(lambda x: -np.sign(x) / np.maximum(np.abs(x), 1e-9), 1.0, x=fp.Axis.sinh(-1e3, 1e3, cells))


def test_row_18_mass_beyond_an_open_end_is_told_with_a_remedy():
    with pytest.warns(fp.TruncationWarning, match=r"0\.0\d+ of the mass lies beyond the open end x=2, .*to x=\d"):
        p = solve(lambda x: -x, 1.0, x=fp.Axis.uniform(-8, 2, 300))
    assert p.beyond == pytest.approx(0.02275, rel=0.3)
    assert p.mass == pytest.approx(1.0, abs=1e-14)


def test_an_exact_power_law_beyond_the_end_is_no_truncation():
    # (1 + x^2)^-2 on a short sinh axis: a few per cent lie beyond, known to many digits
    p = solve(lambda x: -x, lambda x: 0.5 * (1 + x**2), x=fp.Axis.sinh(-3000, 3000, 400))
    assert p.beyond > 1e-12
    assert p.var() == pytest.approx(1.0, rel=1e-6)


def test_row_20_nearly_broken_ergodicity_is_told_with_its_rate():
    with pytest.warns(fp.DegenerateWarning, match=r"nearly reducible: the slowest relaxation rate is between .*e-\d+"):
        p = solve(lambda x: 40 * (x - x**3), 0.25, x=(-2, 2, 600))
    assert p.cdf(0.0) == pytest.approx(0.5, abs=1e-12)


def test_row_25_an_unresolved_drift_is_told_with_the_peclet_number():
    with pytest.warns(fp.ResolutionWarning, match=r"largest cell Peclet number is .*e\+0\d at x="):
        solve(lambda x: -1e6 * np.tanh(1e6 * x), 1.0, x=fp.Axis.uniform(-1, 1, 41, ends="reflecting"))


def test_absorbing_ends_leave_no_stationary_density():
    with pytest.raises(fp.InvalidInput, match="every path ends at the absorbing end of x"):
        solve(lambda x: -x, 1.0, x=fp.Axis.uniform(-1, 1, 40, ends=("open", "absorbing")))


def test_accurate_equals_positive_here_and_says_so():
    problem = fp.Problem(fp.Process(lambda x: -x, 1.0), fp.Grid(x=(-8, 8, 100)), scheme=fp.Accurate())
    p = fp.stationary(problem)
    assert p.values == pytest.approx(fp.stationary(problem.replace(scheme=fp.Positive())).values, rel=0)
    assert "equals Positive()" in p.info.notes[0]


def test_direct_forms_carry_a_diffusion_that_underflows():
    process = fp.Process(
        lambda v: -v * v,
        lambda v: v**2 * 1e-5,
        log_diffusion=lambda v: 2 * np.log(v) + np.log(1e-5),
        drift_over_diffusion=lambda v: -1e5 + 0 * v,
    )
    with pytest.raises(fp.NotNormalizable):  # p ~ v^-2 at 0
        fp.stationary(fp.Problem(process, fp.Grid(v=fp.Axis.log(1e-200, 1.0, 2000))))
    wrong = process.replace(drift_over_diffusion=lambda v: -2e5 + 0 * v)
    with pytest.raises(fp.InvalidInput, match=r"drift_over_diffusion disagrees .* A/D is -200000 against -100000"):
        fp.stationary(fp.Problem(wrong, fp.Grid(v=fp.Axis.log(1e-200, 1.0, 2000))))


def test_very_fine_grids_lose_nothing():
    p = solve(lambda x: x - x**3, 0.25, x=(-3, 3, 120_000))
    q = solve(lambda x: x - x**3, 0.25, x=(-3, 3, 40_000))
    assert p.log_values[1::3] == pytest.approx(q.log_values, abs=1e-11)


@pytest.mark.parametrize("drift", [1.0, -1.0])
def test_a_ring_with_a_stretch_without_noise_has_one_current(drift):
    axis = fp.Axis.uniform(0, 2 * np.pi, 60, ends="periodic")
    process = fp.Process(lambda x: drift + 0 * x, lambda x: np.where(np.abs(x - 3) < 0.5, 0.0, 0.3), "isothermal")
    with pytest.warns(fp.DegenerateWarning, match="diffusion is 0 on"):
        p = fp.stationary(fp.Problem(process, fp.Grid(x=axis)))
    assert p.info.current == pytest.approx(drift / (2 * np.pi), rel=1e-12)
    assert p.info.residual < 1e-13


def test_row_35_an_answer_that_is_no_null_vector_is_refused(monkeypatch):
    import sys

    module = sys.modules["fpsolve.stationary_line"]
    monkeypatch.setattr(module, "log_density", lambda step, log_w: np.zeros(step.size + 1))
    axis = fp.Axis.uniform(-3, 3, 40, ends="reflecting")
    with pytest.raises(fp.NotConverged, match=r"residual 0\.\d+ .*best") as caught:
        solve(lambda x: -x, 1.0, x=axis)
    assert isinstance(caught.value.best, fp.Density)


def test_the_residual_is_measured_against_the_larger_one_way_flow():
    axis = fp.Axis.uniform(0, 2 * np.pi, 3, ends="periodic")
    p = solve(lambda x: np.cos(x) - 2, lambda x: 0.2 + 0.1 * np.sin(x), x=axis)
    assert p.info.residual < 1e-13
    assert np.abs(fp.generator(fp.Problem(fp.Process(lambda x: np.cos(x) - 2, 1.0), p.grid)).size) == 3


@pytest.mark.parametrize("stiffness", [1e4, 1e5])
def test_a_peak_narrower_than_a_cell_is_told(stiffness):
    with pytest.warns(fp.ResolutionWarning, match=r"of the mass lies in the one cell at x=|Peclet"):
        solve(lambda x: -stiffness * (x - 0.0071), 1.0, x=(-6, 6, 400))


def test_three_cells_are_enough_for_an_answer():
    with pytest.warns((fp.TruncationWarning, fp.ResolutionWarning)):
        assert solve(lambda x: -x, 1.0, x=(-3, 3, 3)).mean() == pytest.approx(0.0, abs=1e-12)


def test_many_branches_are_all_found():
    problem = fp.Problem(
        fp.Process(lambda x: 0.05 * np.sin(80 * x), lambda x: np.sin(40 * x) ** 2),
        fp.Grid(x=fp.Axis.uniform(-6, 6, 8000, ends="reflecting")),
    )
    with pytest.raises(fp.Reducible) as caught:
        fp.stationary(problem)
    assert len(caught.value.sizes) == 2 + 2 * int(6 * 40 / np.pi)


def test_a_loss_must_close_on_a_ring_and_have_its_own_gradient():
    ring = fp.Grid(x=fp.Axis.uniform(0, 2 * np.pi, 60, ends="periodic"))
    with pytest.raises(fp.InvalidInput, match=r"loss differs by 6\.28319 between the two ends"):
        fp.stationary(fp.Problem(fp.Process.gibbs(lambda x: np.cos(x) + x, 1.0), ring))
    assert fp.stationary(fp.Problem(fp.Process.gibbs(np.cos, 1.0), ring)).info.current == pytest.approx(0, abs=1e-15)
    line = fp.Grid(x=(-8, 8, 200))
    with pytest.raises(fp.InvalidInput, match=r"gradient is .* but the loss changes there by"):
        fp.stationary(fp.Problem(fp.Process.gibbs(lambda x: x**2 / 2, 1.0, gradient=lambda x: 2 * x), line))
    right = fp.Process.gibbs(lambda x: x**2 / 2, 1.0, gradient=lambda x: x)
    assert fp.stationary(fp.Problem(right, line)).var() == pytest.approx(1.0)
    with pytest.raises(fp.InvalidInput, match="loss depends on t"):
        fp.Process.gibbs(lambda x, t: t * x**2, 1.0)


def test_gibbs_needs_no_gradient_on_a_log_axis():
    grid = fp.Grid(x=fp.Axis.log(1e-8, 1e8, 400))
    p = fp.stationary(fp.Problem(fp.Process.gibbs(lambda x: 0.5 * np.log(x) ** 2, 1.0), grid))
    assert p.mean() == pytest.approx(np.exp(1.5), rel=1e-10)
    wall = fp.Process.gibbs(lambda x: np.where(np.abs(x) < 2, x**2, np.inf), 1.0)
    with pytest.raises(fp.InvalidInput, match="loss is inf at x="):
        fp.stationary(fp.Problem(wall, fp.Grid(x=(-3, 3, 40))))


def test_a_problem_is_needed():
    with pytest.raises(fp.InvalidInput, match=r"give an fp\.Problem"):
        fp.stationary(fp.Process(lambda x: -x, 1.0))


def test_integrable_singularities_are_told_with_the_mass_they_cost():
    # p = 1/(pi sqrt(x (1 - x))): variance 1/8
    wright_fisher = fp.Process(lambda x: 0.5 - x, lambda x: x * (1 - x))
    with pytest.warns(fp.ResolutionWarning, match=r"diverges like .*misses about 0\.0095 of the mass.*Axis\.tanh"):
        coarse = fp.stationary(fp.Problem(wright_fisher, fp.Grid(x=(0, 1, 400))))
    assert coarse.var() != pytest.approx(0.125, rel=1e-3)
    fine = fp.stationary(fp.Problem(wright_fisher, fp.Grid(x=fp.Axis.tanh(0, 1, 400, reach=16))))
    assert fine.var() == pytest.approx(0.125, rel=1e-6)
    walls = fp.Grid(x=fp.Axis.uniform(0, 1, 400, ends="reflecting"))
    with pytest.warns(fp.ResolutionWarning, match="diverges"):
        fp.stationary(fp.Problem(wright_fisher, walls))


def test_power_laws_on_a_uniform_axis_are_doubted_as_they_deserve():
    cauchy = fp.Process.gibbs(lambda x: np.log(1 + x * x), 1.0)
    with pytest.warns(fp.TruncationWarning, match=r"flattens like \|x\|\^-2: use fp\.Axis\.sinh"):
        p = fp.stationary(fp.Problem(cauchy, fp.Grid(x=(-100, 100, 2000))))
    with pytest.raises(fp.InvalidInput, match=r"order 1 of x does not exist: p ~ \|x\|\^-1\.998"):
        p.var()
    student = solve(lambda x: -2 * x, lambda x: 1 + x * x, x=(-100, 100, 2000))  # p ~ x^-4
    assert student.var() == pytest.approx(1.0, rel=0.02)
    with pytest.warns(fp.DegenerateWarning, match="order 4 of x is infinite"):
        assert student.moment(4) == np.inf
    wide = fp.stationary(fp.Problem(cauchy, fp.Grid(x=fp.Axis.sinh(-1e6, 1e6, 400))))
    assert wide.cdf(1.0) == pytest.approx(0.75, abs=1e-6)


@pytest.mark.parametrize("reach", [6, 7, 8, 9, 10])
def test_a_rippled_potential_is_confined_wherever_the_grid_ends(reach):
    p = solve(lambda x: -x - 3 * np.sin(3 * x), 1.0, x=(-reach, reach, 800))
    assert p.beyond < 1e-8
    assert p.mean() == pytest.approx(0.0, abs=1e-12)


def test_a_ripple_on_a_density_that_grows_is_still_refused():
    with pytest.raises(fp.NotNormalizable):
        solve(lambda x: 0.2 * x - 3 * np.sin(3 * x), 1.0, x=(-8, 8, 800))
