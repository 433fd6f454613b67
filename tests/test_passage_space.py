"""First passages in two and three dimensions: curved boundaries, full tensors, deep wells, sides, traps, open ends."""

import numpy as np
import pytest
from scipy.special import jn_zeros

import fpsolve as fp
from fpsolve.killed import killed
from fpsolve.operators.state_sets import region_of
from fpsolve.solvers.sets import closed_sets, reaching

TENSOR = ((1.0, 0.4), (0.4, 0.5))
INVERSE = np.linalg.inv(np.array(TENSOR))


def still(x, y):
    return 0 * x, 0 * y


def plane(cells, drift=still, diffusion=0.5, reach=1.3, scheme=None):
    """A box a little off centre, so that nothing falls on a node."""
    axes = {"x": (-reach, reach + 0.05, cells), "y": (-reach + 0.05, reach - 0.1, cells)}
    return fp.Problem(fp.Process(drift, diffusion), fp.Grid(**axes), scheme or fp.Positive())


def disc(x, y):
    return 1 - x * x - y * y


def ellipse(x, y):
    return 1 - (INVERSE[0, 0] * x * x + 2 * INVERSE[0, 1] * x * y + INVERSE[1, 1] * y * y)


def orders(errors):
    return np.log2(np.array(errors[:-1]) / np.array(errors[1:]))


@pytest.mark.parametrize(("inside", "diffusion"), [(disc, 0.5), (ellipse, TENSOR)])
def test_a_level_function_off_the_faces_is_second_order(inside, diffusion):
    # tau = (R^2 - r^2)/(2 d D), along the tensor's own ellipse for a full one
    errors = []
    for cells in (20, 40, 80):
        pr = plane(cells, diffusion=diffusion)
        exact = np.maximum(0, inside(*pr.grid.mesh())) / (2 if diffusion == 0.5 else 4)
        errors.append(np.abs(fp.mean_exit_time(pr, inside).values - exact).max())
    assert orders(errors) == pytest.approx(2.0, abs=0.2)
    assert errors[-1] < 2e-4


def test_a_boolean_disc_is_not():
    errors = []
    for cells in (20, 40, 80):
        pr = plane(cells)
        with pytest.warns(fp.ResolutionWarning, match=r"boolean function.*along x.*along y"):
            tau = fp.mean_exit_time(pr, lambda x, y: disc(x, y) > 0)
        errors.append(np.abs(tau.values - np.maximum(0, disc(*pr.grid.mesh())) / 2).max())
    assert errors[-1] > 3e-3
    assert orders(errors).mean() < 1.5


def test_a_wrong_disc_is_noticed():
    pr = plane(80)
    tau = fp.mean_exit_time(pr, lambda x, y: disc(x, y) - 0.01)
    assert np.abs(tau.values - np.maximum(0, disc(*pr.grid.mesh())) / 2).max() > 4e-3


def test_a_ball():
    grid = fp.Grid(**dict.fromkeys("xyz", (-1.2, 1.3, 20)))
    pr = fp.Problem(fp.Process(lambda x, y, z: (0 * x, 0 * y, 0 * z), 0.5), grid)
    exact = np.maximum(0, 1 - sum(x * x for x in grid.mesh())) / 3
    for method in (fp.GTH(), fp.SparseLU()):
        tau = fp.mean_exit_time(pr, lambda x, y, z: 1 - x * x - y * y - z * z, method=method)
        assert np.abs(tau.values - exact).max() < 2e-3
    assert tau(0.0, 0.0, 0.0) == pytest.approx(1 / 3, rel=0.02)


def test_an_annulus_has_a_logarithmic_committor():
    errors = []
    for cells in (24, 48, 96):
        pr = plane(cells)
        q = fp.committor(pr, source=lambda x, y: 0.16 - x * x - y * y, target=lambda x, y: -disc(x, y))
        r = np.sqrt(sum(x * x for x in pr.grid.mesh()))
        exact = np.clip(np.log(r / 0.4) / np.log(1 / 0.4), 0, 1)
        errors.append(np.abs(q.values - exact).max())
    assert orders(errors).mean() == pytest.approx(2.0, abs=0.3)
    assert errors[-1] < 3e-3


def test_exits_through_the_upper_half_of_a_disc():
    pr = plane(80)
    x, y = pr.grid.mesh()
    h = fp.exit_probability(pr, disc, through=lambda x, y: y)
    well_inside = disc(x, y) > 0.3
    exact = 0.5 + np.arctan2(2 * y, disc(x, y)) / np.pi  # harmonic measure
    assert np.abs(h.values - exact)[well_inside].max() < 0.02  # first order where the half begins
    rest = fp.exit_probability(pr, disc, through=lambda x, y: -y)
    assert (h.values + rest.values)[disc(x, y) > 0] == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("diffusion", [0.5, TENSOR])
def test_sides_of_a_box_share_all_exits(diffusion):
    ends = {"x": fp.Axis.uniform(-1, 1, 31, ends="absorbing"), "y": fp.Axis.uniform(-1.4, 1.5, 37)}
    pr = fp.Problem(fp.Process(still, diffusion), fp.Grid(**ends))
    sides = [(name, side) for name in "xy" for side in ("lower", "upper")]
    parts = {side: fp.exit_probability(pr, (None, (-1, 1)), through=side) for side in sides}
    inside = np.abs(pr.grid.mesh()[1]) < 1 + 0 * pr.grid.mesh()[0]
    assert sum(part.values for part in parts.values())[inside] == pytest.approx(1.0, abs=1e-12)
    if diffusion == 0.5:
        assert parts["x", "upper"](0.0, 0.0) == pytest.approx(0.25, abs=2e-3)
        assert parts["y", "lower"](0.0, 0.0) == pytest.approx(0.25, abs=2e-3)
    upper = fp.exit_probability(pr, (None, (-1, 1)), through=(None, (0.5, None)))  # a set holds what lies in it
    assert np.all(upper.values[inside] > parts["y", "upper"].values[inside])


def test_bounds_on_the_outer_faces_are_targets():
    grid = fp.Grid(x=(-1, 1, 20), y=(-1, 1, 20))
    pr = fp.Problem(fp.Process(still, 0.5), grid)
    walls = fp.Grid(x=fp.Axis.uniform(-1, 1, 20, ends="absorbing"), y=fp.Axis.uniform(-1, 1, 20, ends="absorbing"))
    a = fp.mean_exit_time(pr, ((-1, 1), (-1, 1)))
    b = fp.mean_exit_time(pr.replace(grid=walls))
    assert a.values == pytest.approx(b.values, rel=1e-12)
    assert a(0.0, 0.0) == pytest.approx(0.5894, rel=5e-3)  # of the square, D = 1/2
    with pytest.raises(fp.InvalidInput, match="beyond the last node x=-0.95: put it on the outer face -1"):
        fp.mean_exit_time(pr, ((-0.98, 1), None))


def deep_well(kT, cells=(60, 24)):
    reach = 3.0 / np.sqrt(kT)
    grid = fp.Grid(x=(-1.8, 1.8, cells[0]), y=(-reach, reach, cells[1]))
    return fp.Problem(fp.Process(lambda x, y: (x - x**3, -y), 0.25 / kT), grid)


@pytest.mark.parametrize("kT", [10, 40, 150])
def test_behind_deep_wells_every_digit_of_the_chain_is_right(kT):
    pr = deep_well(kT)
    tau = fp.mean_exit_time(pr, ((None, 0.4), None))
    line = fp.Problem(fp.Process(lambda x: x - x**3, 0.25 / kT), fp.Grid(x=(-1.8, 1.8, 60)))
    alone = fp.mean_exit_time(line, (None, 0.4), method=fp.GTH())
    assert tau.values == pytest.approx(np.repeat(alone.values[:, None], 24, axis=1), rel=1e-9)
    if kT > 10:
        with pytest.raises(fp.NotConverged, match=r"fp\.GTH\(\)"):
            fp.mean_exit_time(pr, ((None, 0.4), None), method=fp.SparseLU())


def test_transition_rates_of_a_product_are_those_of_its_factor():
    pr = deep_well(40)
    rate = fp.transition_rate(pr, ((None, -1), None), ((1, None), None))
    line = fp.Problem(fp.Process(lambda x: x - x**3, 0.25 / 40), fp.Grid(x=(-1.8, 1.8, 60)))
    assert rate == pytest.approx(fp.transition_rate(line, (None, -1), (1, None), method=fp.GTH()), rel=1e-8)
    assert rate.share == pytest.approx(0.5, rel=1e-9)


def driven(cells, D=0.2, turn=0.7):
    """Rotation along the level sets of V = x^4/4 - x^2/2 + y^2/2 leaves p = exp(-V/D) as it is."""
    grid = fp.Grid(x=(-2.7, 2.7, cells), y=(-3.5, 3.5, cells))
    drift = lambda x, y: (x - x**3 - turn * y, -y + turn * (x**3 - x))  # noqa: E731
    return fp.Problem(fp.Process(drift, D), grid)


def near(sign):
    return lambda x, y: 0.09 - (x - sign) ** 2 - y * y


@pytest.mark.filterwarnings("ignore:the current is not resolved")
def test_driven_transitions_converge_and_balance():
    rates = [fp.transition_rate(driven(cells), near(-1), near(1)) for cells in (32, 64, 128)]
    assert (rates[1] - rates[0]) / (rates[2] - rates[1]) == pytest.approx(4.0, abs=1.2)
    back = fp.transition_rate(driven(64), near(1), near(-1))
    assert back.flux == pytest.approx(rates[1].flux, rel=1e-10)
    assert back.share + rates[1].share == pytest.approx(1.0, abs=1e-10)
    assert rates[1] > 1.1 * fp.transition_rate(driven(64, turn=0.0), near(-1), near(1))  # driving helps


@pytest.mark.filterwarnings("ignore:the current is not resolved")
def test_the_backward_committor_is_not_the_forward_one_without_balance():
    # taking q- = 1 - q+ gives another flux, and one that does not balance
    pr = driven(48)
    p = fp.stationary(pr).masses
    q = fp.committor(pr, near(-1), near(1)).values
    rate = fp.transition_rate(pr, near(-1), near(1))
    assert abs(np.sum(p * (1 - q)) / rate.share - 1) < 1e-6  # by symmetry both are a half
    tilted = fp.Process(lambda x, y: (x - x**3 - 2 * y + 0.1, -y + 2 * (x**3 - x) + 0.3), 0.2)
    there, back = (
        fp.transition_rate(pr.replace(process=tilted), a, b) for a, b in ((near(-1), near(1)), (near(1), near(-1)))
    )
    assert there.flux == pytest.approx(back.flux, rel=0.02)  # second order
    assert there.share + back.share == pytest.approx(1.0, abs=1e-10)
    forward = fp.committor(pr.replace(process=tilted), near(-1), near(1)).values
    masses = fp.stationary(pr.replace(process=tilted)).masses
    assert abs(np.sum(masses * (1 - forward)) / there.share - 1) > 0.02


def test_quasi_stationary_densities():
    pr = plane(48)
    p = fp.quasi_stationary(pr, disc)
    assert p.info.decay_rate == pytest.approx(0.5 * jn_zeros(0, 1)[0] ** 2, rel=2e-3)
    assert p.info.decay_rate * np.sum(p.masses * fp.mean_exit_time(pr, disc).values) == pytest.approx(1.0, rel=1e-9)
    same = fp.quasi_stationary(pr, disc, method=fp.GTH())
    assert same.info.decay_rate == pytest.approx(p.info.decay_rate, rel=1e-9)
    assert same.masses == pytest.approx(p.masses, rel=1e-7, abs=1e-12)
    turning = fp.Problem(driven(48, D=0.25 / 60).process, fp.Grid(x=(-2, 2, 48), y=(-1.5, 1.5, 48)))
    deep = fp.quasi_stationary(turning, ((None, 0.0), None))
    tau = fp.mean_exit_time(turning, ((None, 0.0), None))
    assert deep.info.decay_rate < 1e-18
    assert deep.info.decay_rate * np.sum(deep.masses * tau.values) == pytest.approx(1.0, rel=1e-10)


@pytest.mark.parametrize("scheme", [fp.Positive(), fp.Accurate()])
def test_transport_carries_paths_out(scheme):
    # x' = 1, noise along y only: tau = 1 - x
    pr = plane(40, lambda x, y: (1 + 0 * x, -y), (0.0, 0.03), scheme=scheme)
    tau = fp.mean_exit_time(pr, ((None, 1.0), None))
    x = np.broadcast_to(pr.grid.mesh()[0], pr.grid.shape)
    assert tau.values[x < 0.9] == pytest.approx(1 - x[x < 0.9], abs=0.06)
    assert np.all(tau.values[x > 1] == 0)
    if isinstance(scheme, fp.Accurate):
        assert "LU" in tau.info.method
        with pytest.raises(fp.InvalidInput, match=r"use scheme=fp\.Positive"):
            fp.exit_probability(pr, ((None, 1.0), None), through=("x", "upper"))


def test_paths_that_stall_are_infinite_only_where_they_can():
    # no noise and no drift for x < -1, drift to the right elsewhere
    def drift(x, y):
        return np.where(x < -1, 0.0, 1.0), -y

    grid = fp.Grid(x=(-2, 2, 40), y=(-2, 2, 10))
    pr = fp.Problem(fp.Process(drift, lambda x, y: (0 * x, 0 * y)), grid)
    with pytest.warns(fp.DegenerateWarning, match="mean exit time is infinite from"):
        tau = fp.mean_exit_time(pr, ((None, 1.5), None))
    x = grid.nodes[0]
    assert np.all(np.isinf(tau.values[x < -1.1]))
    assert np.all(np.isfinite(tau.values[x > -1.1]))
    assert np.all(fp.exit_probability(pr, ((None, 1.5), None), through=("x", "upper")).values[x < -1.1] == 0)


def test_cells_from_which_others_are_reached():
    L = fp.generator(fp.Problem(fp.Process(lambda x: 1 + 0 * x, 0.0), fp.Grid(x=(0, 1, 5))))
    assert reaching(L.edges, L.transport, np.array([2])).tolist() == [True, True, True, False, False]
    assert [list(part) for part in closed_sets(L.edges, L.transport)] == [[4]]


def test_a_killed_generator_is_a_markov_generator_on_the_free_cells():
    pr = plane(16, lambda x, y: (np.sin(y), -x), TENSOR)
    L = fp.generator(pr)
    k = killed(L, pr.grid, [region_of(disc, pr.grid, "inside").complement])
    assert k.generator.is_markov
    rates = k.generator.rates()
    sums = -np.asarray(rates.sum(axis=0)).ravel()
    assert sums == pytest.approx(k.generator.killing, abs=1e-12 * abs(rates).max())
    assert sums[k.free] == pytest.approx(k.loss[k.free], abs=1e-12 * abs(rates).max())
    outside = np.setdiff1d(np.arange(L.size), k.free)
    assert rates[outside][:, k.free].nnz == 0 or abs(rates[outside][:, k.free]).max() == 0


def test_open_ends_are_not_taken_for_walls():
    grid = fp.Grid(x=(-6, 6, 60), y=(-6, 6, 60))
    free = fp.Problem(fp.Process(still, 1.0), grid)
    outside = lambda x, y: x * x + y * y - 1  # noqa: E731
    with pytest.warns(fp.DegenerateWarning, match="the mean exit time is infinite: toward"):
        tau = fp.mean_exit_time(free, outside)
    assert tau(3.0, 3.0) == np.inf
    with pytest.warns(fp.TruncationWarning, match="which sends them back"):
        fp.exit_probability(free, outside, through=lambda x, y: x)
    blown = fp.Problem(fp.Process(lambda x, y: (x, y), 1.0), grid)
    with pytest.warns(fp.DegenerateWarning, match="infinite"):
        fp.mean_exit_time(blown, outside)
    pulled = fp.Problem(fp.Process(lambda x, y: (-x, -y), 1.0), grid)
    assert np.all(np.isfinite(fp.mean_exit_time(pulled, outside).values))  # no warning


def test_bad_input_is_explained():
    pr = plane(12)
    for inside, message in (
        ((-1, 1), r"inside along x is -1; give one \(lo, hi\) per axis of \('x', 'y'\)"),
        (((-1, 1),), "give one"),
        (((-1, 1), (1, -1)), "inside along y runs from 1 to -1"),
        (((-5, 1), None), "stops at its open end x=-1.3"),
        (lambda x, y: -1 - x * x, "no node lies inside"),
        (lambda x: x, "takes 1 coordinates"),
    ):
        with pytest.raises(fp.InvalidInput, match=message):
            fp.mean_exit_time(pr, inside)
    for through, message in (
        ("upper", r"give \(axis, 'lower'\) or \(axis, 'upper'\)"),
        (("z", "upper"), r"the axes are \('x', 'y'\)"),
        (("x", "top"), "sides"),
        (("y", "upper"), "paths cannot leave there"),
    ):
        with pytest.raises(fp.InvalidInput, match=message):
            fp.exit_probability(pr, ((-1, 1), None), through=through)
    with pytest.raises(fp.InvalidInput, match="paths cannot leave there"):
        fp.exit_probability(pr, disc, through=("x", "upper"))


def test_sparse_lu_solves_first_passages_of_any_rates():
    rng = np.random.default_rng(4)
    from scipy import sparse

    moves = sparse.random(30, 30, 0.3, random_state=rng, format="csc") + sparse.eye(30, k=1) + sparse.eye(30, k=-1)
    rates = sparse.csc_matrix(moves - sparse.diags(moves.diagonal()))
    killing, right = rng.random(30), rng.random((30, 2))
    dense = np.diag(np.asarray(rates.sum(axis=0)).ravel() + killing) - rates.toarray().T
    places = np.arange(30)[:, None]
    for solver in (fp.SparseLU(), fp.GTH()):
        assert solver.first_passage(rates, killing, right, places) == pytest.approx(np.linalg.solve(dense, right))
    assert fp.SparseLU().first_passage(rates, killing, right[:, 0], places).shape == (30,)
