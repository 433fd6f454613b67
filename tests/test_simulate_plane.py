"""Simulated paths in two and three dimensions: tensors, ends per axis, conventions, and the same bits however cut.

Tolerances are five standard errors of the sample unless they say otherwise.
"""

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.linalg import expm

import fpsolve as fp
from fpsolve.kernels.random import BRIDGES, fill_normals
from fpsolve.particles.correlated import correlations, mixed, possible
from fpsolve.particles.increments import exponentials
from fpsolve.particles.simulate import simulate
from fpsolve.particles.walls import Walls
from fpsolve.starts import Gaussian, Point

N = 20_000
K = np.array([[1.0, 1.5], [-0.5, 1.0]])
FULL, DIAGONAL, ONE = ((1.0, 0.4), (0.4, 0.5)), (0.8, 0.3), ((1.0, -2.0), (-2.0, 4.0))


def plane(drift, diffusion, x=(-6, 6, 40), y=(-6, 6, 40), convention="ito"):
    return fp.Problem(fp.Process(drift, diffusion, convention), fp.Grid(x=x, y=y))


def space(drift, diffusion):
    return fp.Problem(fp.Process(drift, diffusion), fp.Grid(x=(-6, 6, 40), y=(-6, 6, 40), z=(-6, 6, 40)))


def linear(diffusion, matrix=K):
    return plane(lambda x, y: tuple(-(row[0] * x + row[1] * y) for row in matrix), diffusion)


def run(pr, initial, times, dt, n=N, seed=7):
    return simulate(pr, initial, times, dt=dt, n=n, seed=seed, progress=False)


def off(sample, mean):
    """Distance of the sample mean from `mean`, in standard errors."""
    return abs(sample.mean() - mean) / (sample.std() / np.sqrt(sample.size))


def covariance_error(x, mean, covariance):
    """The largest departure of a second moment about `mean`, in standard errors."""
    y = x - mean
    return max(off(y[:, i] * y[:, j], covariance[i][j]) for i in range(y.shape[1]) for j in range(i + 1))


def stepped(matrix, tensor, dt, k):
    """The exact covariance of k Euler steps."""
    one, total = np.eye(len(matrix)) - dt * matrix, np.zeros_like(tensor)
    for _ in range(k):
        total = one @ total @ one.T + 2.0 * dt * tensor
    return np.linalg.matrix_power(one, k), total


def lasting(matrix, tensor, t):
    """The covariance of the process itself, by van Loan's matrix exponential."""
    d = len(matrix)
    both = expm(t * np.block([[matrix, 2.0 * tensor], [np.zeros((d, d)), -matrix.T]]))
    return both[d:, d:].T @ both[:d, d:]


# linear processes


@pytest.mark.parametrize("diffusion", [FULL, DIAGONAL, ONE, 0.7], ids=["tensor", "per axis", "rank one", "number"])
def test_linear_processes_have_the_law_of_their_steps(diffusion):
    tensor = np.diag(np.broadcast_to(diffusion, 2)) if np.ndim(diffusion) < 2 else np.array(diffusion)
    propagator, covariance = stepped(K, tensor, 0.1, 10)
    swarm = run(linear(diffusion), Point(1.0, -2.0), [1.0], 0.1)
    mean = propagator @ [1.0, -2.0]
    assert max(off(swarm.at(1.0)[:, i], mean[i]) for i in (0, 1)) < 5
    assert covariance_error(swarm.at(1.0), mean, covariance) < 5


def test_a_wrong_tensor_is_noticed():
    _, covariance = stepped(K, np.array([[1.0, 0.2], [0.2, 0.5]]), 0.1, 10)
    assert covariance_error(run(linear(FULL), Point(0.0, 0.0), [1.0], 0.1).at(1.0), 0.0, covariance) > 5


def test_the_bias_halves_with_dt_and_extrapolates_to_the_exact_covariance():
    exact, found = lasting(K, np.array(FULL), 1.5), []
    for dt in (0.15, 0.075):
        x = run(linear(FULL), Point(0.0, 0.0), [1.5], dt, n=80_000).at(1.5)
        found.append(np.cov(x.T))
    bias = [np.trace(c - exact) for c in found]
    assert bias[0] > 20 * np.sqrt(2 * np.trace(exact @ exact) / 80_000)  # the check below would see a bias left over
    assert bias[0] / bias[1] == pytest.approx(2.0, abs=0.4)
    assert 2 * found[1] - found[0] == pytest.approx(exact, abs=0.03)


def test_three_dimensions_have_their_full_covariance():
    matrix = np.array([[1.0, 2.0, 0.0], [-2.0, 1.0, 0.5], [0.0, -0.5, 0.7]])
    tensor = np.array([[1.0, 0.5, -0.3], [0.5, 0.8, 0.2], [-0.3, 0.2, 0.6]])
    pr = space(lambda x, y, z: tuple(-(a * x + b * y + c * z) for a, b, c in matrix), tuple(map(tuple, tensor)))
    _, covariance = stepped(matrix, tensor, 0.05, 20)
    assert covariance_error(run(pr, Point(0.0, 0.0, 0.0), [1.0], 0.05).at(1.0), 0.0, covariance) < 5


def test_an_axis_without_noise_is_carried_by_its_drift():
    """dx = y dt, dy = -y dt + sqrt(2) dW: the covariance of Ornstein and Uhlenbeck's particle."""
    pr = plane(lambda x, y: (y, -y), (0.0, 1.0))
    swarm = run(pr, Point(0.0, 1.0), [0.05, 2.0], 0.05)
    assert np.all(swarm.at(0.05)[:, 0] == 0.05)
    matrix, tensor = np.array([[0.0, -1.0], [0.0, 1.0]]), np.diag([0.0, 1.0])
    propagator, covariance = stepped(matrix, tensor, 0.05, 40)
    assert covariance_error(swarm.at(2.0), propagator @ [0.0, 1.0], covariance) < 5


# the factor of the tensor


@pytest.mark.parametrize("angle", [0.3, 1.1, 2.5])
def test_rank_one_noise_stays_on_its_line(angle):
    c, s = np.cos(angle), np.sin(angle)
    pr = plane(
        (0.0, 0.0), lambda x, y: ((c * c * (1 + x**2), c * s * (1 + x**2)), (c * s * (1 + x**2), s * s * (1 + x**2)))
    )
    x = run(pr, Point(0.3, -0.2), [1.0], 0.05, n=2000).at(1.0) - [0.3, -0.2]
    assert np.abs(x @ [c, s]).max() > 1
    assert np.abs(x @ [-s, c]).max() < 1e-12 * np.abs(x).max()


def test_a_wider_tensor_leaves_the_line():
    x = run(plane((0.0, 0.0), ((1.0, 1.0), (1.0, 1.0 + 1e-8))), Point(0.0, 0.0), [1.0], 0.05, n=2000).at(1.0)
    assert off((x[:, 1] - x[:, 0]) ** 2, 2e-8) < 5


@given(
    arrays(float, (3, 3), elements=st.integers(-300, 300).map(lambda k: k / 100)),
    st.sampled_from([1, 2, 3]),
    st.sampled_from([2, 3]),
)
def test_correlated_normals_have_the_correlations_and_the_rank_of_the_tensor(columns, rank, d):
    root = columns[:d, :rank]
    tensor = root @ root.T
    packed = np.array([tensor[i, i] for i in range(d)] + [tensor[i, j] for i in range(d) for j in range(i + 1, d)])
    r = correlations(packed[:, None], d)
    with np.errstate(divide="ignore", invalid="ignore"):
        wanted = np.where(tensor == 0, 0.0, tensor / np.sqrt(np.diag(tensor)) / np.sqrt(np.diag(tensor))[:, None])
    np.fill_diagonal(wanted, 1.0)
    if not np.all(np.isfinite(wanted)):
        return  # products that underflow
    factor = mixed(np.eye(d), np.repeat(r, d, axis=1))  # column j: the answer to the j-th normal alone
    assert possible(r).all()
    assert factor @ factor.T == pytest.approx(wanted, abs=1e-7)  # what is dropped, as a deviation
    scaled = np.sqrt(np.diag(tensor))[:, None] * factor
    _, sizes, frame = np.linalg.svd(root.T)
    empty = frame[np.sum(sizes > 1e-9 * sizes.max(initial=1e-300)) :] if np.any(root) else np.eye(d)
    if np.all(sizes[sizes > 1e-9 * sizes.max(initial=1e-300)] > 1e-2):  # else rounding alone widens the range
        assert np.abs(empty @ scaled).max(initial=0.0) < 1e-9


def test_tensors_that_cannot_be_are_found():
    assert not possible(np.array([[1.1]]))[0]
    assert not possible(np.array([[np.nan]]))[0]
    assert not possible(np.array([[0.9], [0.9], [-0.9]]))[0]
    assert not possible(correlations(np.array([[0.0], [1.0], [0.1]]), 2))[0]
    assert possible(correlations(np.array([[0.0], [1.0], [0.0]]), 2))[0]


@pytest.mark.parametrize(
    "diffusion",
    [
        lambda x, y: np.array([[1.0, 0.4], [0.4, 0.5]]),
        lambda x, y: ((1.0 + 0 * x, 0.4 + 0 * x), (0.4, 0.5)),
        ((lambda x, y: 1.0 + 0 * x, 0.4), (0.4, lambda x, y: 0.5)),
        np.array(FULL),
        lambda x, y: np.array([[1.0, 0.4], [0.4, 0.5]])[:, :, None] + 0 * x,
    ],
)
@pytest.mark.parametrize("n", [2, 9])
def test_a_tensor_may_be_given_in_any_form(diffusion, n):
    start = Gaussian((0, 0), 1.0)
    assert np.array_equal(
        run(linear(diffusion), start, [1.0], 0.1, n=n).positions, run(linear(FULL), start, [1.0], 0.1, n=n).positions
    )


@pytest.mark.parametrize(
    "diffusion", [lambda x, y: np.array(DIAGONAL), lambda x, y: (0.8 + 0 * x, 0.3), np.array(DIAGONAL)]
)
@pytest.mark.parametrize("n", [2, 9])
def test_one_number_per_axis_may_be_given_in_any_form(diffusion, n):
    one, other = (run(linear(d), Point(1.0, 0.0), [1.0], 0.1, n=n).positions for d in (diffusion, DIAGONAL))
    assert np.array_equal(one, other)


# conventions


def second_moments(pr, p, dt, convention):
    process = pr.process.replace(convention=convention)
    x = run(pr.replace(process=process), p, [1.0], dt).at(1.0)
    return np.array([(x[:, 0] ** 2).mean(), (x[:, 0] * x[:, 1]).mean(), (x[:, 1] ** 2).mean()])


def rotating(x, y):
    c, s = np.cos(0.7 * x + 0.4 * y), np.sin(0.7 * x + 0.4 * y)
    return (c * c + 0.1 * s * s, 0.9 * c * s), (0.9 * c * s, s * s + 0.1 * c * c)


def loss(x, y):
    return 0.5 * x**2 + 0.5 * y**2 + 0.5 * np.sin(2 * x) * np.cos(y)


def slope(x, y):
    return x + np.cos(2 * x) * np.cos(y), y - 0.5 * np.sin(2 * x) * np.sin(y)


def test_gibbs_particles_keep_their_law_whatever_the_tensor():
    grid = fp.Grid(x=(-5, 5, 80), y=(-5, 5, 80))
    pr = fp.Problem(fp.Process.gibbs(loss, 1.0, mobility=rotating, gradient=slope), grid)
    p = fp.ExactDensity(lambda x, y: -loss(x, y), grid).density
    exact = np.array([p.expect(f) for f in (lambda x, y: x * x, lambda x, y: x * y, lambda x, y: y * y)])
    coarse, fine = (second_moments(pr, p, dt, "isothermal") for dt in (0.04, 0.02))
    error = 5 * np.sqrt(5 * 2 / N)
    assert np.abs(2 * fine - coarse - exact).max() < error
    assert np.abs(second_moments(pr, p, 0.02, "ito") - exact).max() > 2 * error


def test_gibbs_particles_find_their_own_gradient():
    grid = fp.Grid(x=(-5, 5, 80), y=(-5, 5, 80))
    given, found = (
        run(fp.Problem(fp.Process.gibbs(loss, 1.0, rotating, g), grid), Gaussian((0, 0), 1.0), [1.0], 0.02, n=200)
        for g in (slope, None)
    )
    assert found.positions == pytest.approx(given.positions, abs=1e-4)


def test_a_stratonovich_process_with_a_diagonal_tensor():
    """dX = X o dW on each axis: ln X is driftless."""
    pr = plane((0.0, 0.0), lambda x, y: (0.2 * x**2, 0.1 * y**2), convention="stratonovich")
    x = np.log(run(pr, Point(1.0, 2.0), [1.0], 0.01).at(1.0))
    assert off(x[:, 0], 0.0) < 5
    assert off(x[:, 1], np.log(2)) < 5


def test_a_stratonovich_tensor_is_refused_unless_it_is_constant():
    with pytest.raises(fp.InvalidInput, match=r"'stratonovich' and diffusion is a tensor .*isothermal"):
        run(plane((0.0, 0.0), rotating, convention="stratonovich"), Point(0.1, 0.1), [1.0], 0.1, n=5)
    one, other = (
        run(plane((0.0, 0.0), FULL, convention=name), Point(0.0, 0.0), [1.0], 0.1, n=5).positions
        for name in ("stratonovich", "ito")
    )
    assert np.array_equal(one, other)


def test_log_axes_keep_signs_and_correlations_at_long_steps():
    """Correlated geometric Brownian motion; on the negative axis ln|X| is correlated the other way."""
    pr = plane(
        (0.0, 0.0),
        lambda x, y: ((0.5 * x**2, 0.3 * x * y), (0.3 * x * y, 0.4 * y**2)),
        fp.Axis.log(1e-2, 1e2, 40),
        fp.Axis.log(-1e2, -1e-2, 40),
    )
    x = run(pr, Point(1.0, -2.0), [3.0], 0.5).at(3.0)
    assert x[:, 0].min() > 0 > x[:, 1].max()
    logs = np.log(np.abs(x)) - [-1.5, np.log(2) - 1.2]
    assert max(off(logs[:, 0], 0.0), off(logs[:, 1], 0.0)) < 5
    assert covariance_error(logs, 0.0, 6.0 * np.array([[0.5, 0.3], [0.3, 0.4]])) < 5


# ends


def test_ends_may_differ_from_axis_to_axis():
    """Free diffusion: survival on the absorbing axis, uniform between walls, wrapped on the ring."""
    axes = dict(
        x=fp.Axis.uniform(-1, 1, 40, ends="absorbing"),
        y=fp.Axis.uniform(0, 1, 40, ends="reflecting"),
        z=fp.Axis.uniform(-np.pi, np.pi, 40, ends="periodic"),
    )
    pr = fp.Problem(fp.Process((0.0, 0.0, 1.0), (1.0, 2.0, 0.5)), fp.Grid(**axes))
    swarm = run(pr, Point(0.0, 0.3, 3.0), [0.3], 0.01)
    k, alive = 2 * np.arange(40) + 1, swarm.alive()
    exact = (4 / np.pi * (-1.0) ** (k // 2) / k * np.exp(-((k * np.pi / 2) ** 2) * 0.3)).sum()
    assert abs(alive.mean() - exact) < 5 * np.sqrt(exact * (1 - exact) / N)
    x, y, z = swarm.at(0.3).T
    assert np.all(np.abs(x[~alive]) == 1)
    assert np.all(np.abs(x[alive]) < 1)
    assert (y.min(), y.max()) == (pytest.approx(0.0, abs=1e-3), pytest.approx(1.0, abs=1e-3))
    assert off(y[alive], 0.5 - 4 / np.pi**2 * np.exp(-2 * np.pi**2 * 0.3) * np.cos(0.3 * np.pi)) < 5
    assert np.abs(np.exp(1j * z[alive]).mean() - np.exp(3.3j - 0.15)) < 5 / np.sqrt(alive.sum())


def leaning(x, y):
    """A tensor whose lean changes along the wall and away from it."""
    c = 0.8 * np.cos(3 * x - 0.5 * y)
    return (1.0 + 0 * x, c), (c, 1.0 + 0 * x)


def against_a_wall(dt, mobility):
    """<x>, <y>, <x y>, <y^2>: where no current crosses the wall, p = exp(-x - y^2/2) on x > 0, whatever the tensor."""
    process = fp.Process.gibbs(lambda x, y: x + 0.5 * y**2, 1.0, mobility, gradient=lambda x, y: (1.0 + 0 * x, y))
    pr = fp.Problem(process, fp.Grid(x=fp.Axis.uniform(0, 20, 60, ends=("reflecting", "open")), y=(-8, 8, 60)))
    start = fp.ExactDensity(lambda x, y: -x - 0.5 * y**2, pr.grid).density
    x, y = run(pr, start, [1.0], dt, n=20_000).at(1.0).T
    return np.array([x.mean(), y.mean(), (x * y).mean(), (y * y).mean()])


TILTED = ((1.0, 0.8), (0.8, 1.0))
AGAINST_A_WALL = [1.0, 0.0, 0.0, 1.0]


@pytest.mark.parametrize("mobility", [TILTED, leaning], ids=["constant", "leaning"])
def test_a_wall_pushes_along_the_tensor(mobility):
    coarse, fine = (against_a_wall(dt, mobility) for dt in (0.04, 0.02))
    assert np.abs(2 * fine - coarse - AGAINST_A_WALL).max() < 5 * np.sqrt(5 * 2 / 20_000)
    assert np.abs(fine - AGAINST_A_WALL).max() < 0.06


@pytest.mark.parametrize(
    ("mobility", "wrong"),
    [
        (TILTED, lambda slant: None),
        (leaning, lambda slant: slant and (lambda k, index, touched: slant(k, index, None))),
    ],
    ids=["straight back", "as the tensor was where the step began"],
)
def test_a_wall_that_pushes_another_way_is_noticed(monkeypatch, mobility, wrong):
    """Straight back, a current runs along the wall; by the tensor at the step's start, the bias falls as sqrt(dt)."""
    confined = Walls.confined
    monkeypatch.setattr(Walls, "confined", lambda self, x, slant=None, **more: confined(self, x, wrong(slant), **more))
    assert np.abs(against_a_wall(0.02, mobility) - AGAINST_A_WALL).max() > 0.12


def test_corners_keep_everyone_inside():
    for tensor in (((1.0, -0.9), (-0.9, 1.0)), ((1.0, -1.0), (-1.0, 1.0))):
        ends = [fp.Axis.uniform(0, 1, 40, ends="reflecting"), fp.Axis.log(0.1, 1, 40, ends="reflecting")]
        x, y = run(plane((1.0, 1.0), tensor, *ends), Point(0.9, 0.9), [1.0], 0.02, n=500).at(1.0).T
        assert 0 <= x.min() <= x.max() <= 1
        assert 0.1 * (1 - 1e-12) <= y.min() <= y.max() <= 1 + 1e-12


# bits


MIXED = fp.Problem(
    fp.Process(
        lambda x, y: (-x - y, x - 0.5 * y), lambda x, y: ((1 + x**2, 0.3 * x), (0.3 * x, 1.0 + 0 * x)), "isothermal"
    ),
    fp.Grid(
        x=fp.Axis.uniform(-2, 2, 40, ends=("reflecting", "absorbing")), y=fp.Axis.uniform(-1, 1, 40, ends="periodic")
    ),
)


def test_bits_depend_neither_on_the_times_recorded_nor_on_a_split():
    whole = run(MIXED, Point(0.5, 0.0), [0.17, 0.5, 1.1, 1.234, 2.0], 0.1, n=300)
    assert np.array_equal(run(MIXED, Point(0.5, 0.0), [2.0], 0.1, n=300).at(2.0), whole.at(2.0))
    first = run(MIXED, Point(0.5, 0.0), [1.1], 0.1, n=300)
    rest = simulate(MIXED, first, [1.234, 2.0], dt=0.1, seed=7, progress=False)
    assert np.array_equal(rest.positions, whole.positions[-2:])
    assert np.array_equal(rest.alive(), whole.alive())
    assert 0 < whole.absorbed.sum() < 300
    other = simulate(MIXED, first, [2.0], dt=0.1, seed=8, progress=False)
    assert not np.array_equal(other.at(2.0), whole.at(2.0))


def test_fewer_particles_are_the_first_of_more_for_any_number_of_threads():
    many = run(MIXED, Point(0.5, 0.0), [1.0], 0.1, n=900)
    threads = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        few = run(MIXED, Point(0.5, 0.0), [1.0], 0.1, n=90)
    finally:
        numba.set_num_threads(threads)
    assert np.array_equal(few.at(1.0), many.at(1.0)[:90])


def test_places_between_steps_have_the_law_of_the_process():
    swarm = run(plane((0.0, 0.0), FULL), Point(0.0, 0.0), [0.05, 0.12, 0.2], 0.2)
    for t in (0.05, 0.12, 0.2):
        assert covariance_error(swarm.at(t), 0.0, 2 * t * np.array(FULL)) < 5


def test_the_ends_of_each_axis_have_draws_of_their_own():
    key, wide = np.uint64(3), np.empty((50, 6))
    fill_normals(key, np.uint64(4), BRIDGES[1], np.uint64(0), wide)
    for axis in range(3):
        pair = wide[:, 2 * axis : 2 * axis + 2]
        assert np.array_equal(exponentials(key, 50, 4, True, axis), 0.5 * (pair[:, 0] ** 2 + pair[:, 1] ** 2))


def test_divergence_is_counted():
    pr = plane(lambda x, y: (-(x**3), -y), 0.5)
    with pytest.raises(fp.NotConverged, match=r"particles diverged by t=.*shorten it") as caught:
        run(pr, Gaussian((0, 0), 2.0), [5.0], 0.15, n=500)
    assert caught.value.best.diverged.sum() > 5
    assert np.all(np.isfinite(caught.value.best.positions))


# what is refused, with its place


@pytest.mark.parametrize(
    ("drift", "diffusion", "message"),
    [
        ((1.0, 0.0), lambda x, y: ((1.0, 0.5 * x), (0.5 * x, 1.0 + 0 * x)), r"negative eigenvalue .* at x=-?2\."),
        ((1.0, 0.0), lambda x, y: (2.5 - x, 1.0), r"negative eigenvalue .* at x=2"),
        ((1.0, 0.0), lambda x, y: ((1.0, 0.2), (np.where(x > 2, 0.3, 0.2), 1.0)), r"not symmetric: .* at x=2\.\d+"),
        (lambda x, y: (np.where(x > 2, np.nan, 1.0), y), 0.1, r"drift\[0\] is nan at x=2\.\d+, y="),
        (lambda x, y: (1.0,), 0.1, r"drift has 1 components; expected 2"),
        (lambda x, y: 1.0 + 0 * x, 0.1, r"drift has 5 components; expected 2"),
        ((1.0, 0.0), ((1.0, 0.2), (0.3, 1.0)), r"not symmetric: .* at x=0"),
        ((1.0, 0.0), (1.0, 1.0, 1.0), r"diffusion has 3 components"),
    ],
)
def test_coefficients_are_checked_where_the_particles_go(drift, diffusion, message):
    with pytest.raises(fp.InvalidInput, match=message):
        run(plane(drift, diffusion), Point(0.0, 0.0), [5.0], 0.05, n=5)


def test_a_function_that_raises_is_told_with_the_places():
    def breaks(x, y):
        if np.max(x) > 2:
            raise ZeroDivisionError("too far")
        return 1.0 + 0 * x, 0 * y

    with pytest.raises(fp.InvalidInput, match=r"drift raised ZeroDivisionError: too far at t=.*x=.* to .* and y="):
        run(plane(breaks, 0.1), Point(0.0, 0.0), [5.0], 0.01, n=20)


def test_functions_of_scalars_are_called_point_by_point_with_a_warning():
    def scalar(x, y):
        return (-x, -y) if x > 0 else (-0.5 * x, -y)

    with pytest.warns(fp.FpsolveWarning, match="accepts scalars only"):
        swarm = run(plane(scalar, FULL), Gaussian((0, 0), 1.0), [1.0], 0.1, n=50)
    array = plane(lambda x, y: (np.where(x > 0, -x, -0.5 * x), -y), FULL)
    assert np.array_equal(swarm.at(1.0), run(array, Gaussian((0, 0), 1.0), [1.0], 0.1, n=50).at(1.0))


def test_steps_that_overshoot_or_spiral_out_are_told():
    with pytest.raises(fp.InvalidInput, match=r"contracts or turns at rate 1e\+03 .*use dt < 0\.0002"):
        run(linear(1.0, [[0.1, -10.0], [10.0, 0.1]]), Point(1.0, 0.0), [10.0], 0.01, n=50)
    with pytest.warns(fp.ResolutionWarning, match=r"overshoot by 0\.5 "):
        run(linear(1.0, [[30.0, 0.0], [0.0, 1.0]]), Point(0.0, 0.0), [1.0], 0.05, n=50)
    free = linear(0.0, [[0.0, -1.0], [1.0, 0.0]])  # neither contracts: a short run is as good as its steps are short
    assert np.hypot(*run(free, Point(1.0, 0.0), [1.0], 0.01, n=1).at(1.0)[0]) == pytest.approx(1.0, abs=0.006)
