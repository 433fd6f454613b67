"""The public interface as the design promises it: every call that exists, with its shapes and members."""

import numpy as np
import pytest

import fpsolve as fp


@pytest.fixture(scope="module")
def problem():
    return fp.Problem(fp.Process(drift=lambda x: x - x**3, diffusion=0.25), fp.Grid(x=fp.Axis.uniform(-3, 3, 120)))


@pytest.fixture(scope="module")
def p(problem):
    return fp.stationary(problem)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(1)
    x = rng.normal(size=300)
    return fp.Regression(x, x + rng.normal(size=300))


def test_processes():
    fp.Process(drift=lambda x, y: (-x - 1.5 * y, 0.5 * x - y), diffusion=((1.0, 0.4), (0.4, 0.5)))
    for convention in ("ito", "stratonovich", "isothermal"):
        assert fp.Process(lambda x: -x, 1.0, convention=convention).convention == convention
    gibbs = fp.Process.gibbs(lambda x: x**2, temperature=0.1, mobility=1.0, gradient=None)
    assert gibbs.temperature == 0.1
    assert fp.Process(drift=lambda x, t: -x, diffusion=lambda x, t: 0.1 / (1 + t)).time_dependent


def test_grids():
    line = fp.Grid(x=(-3, 3, 40))
    assert line["x"].kind == "uniform"
    assert fp.Grid(v=fp.Axis.log(1e-6, 1e6, 40)).shape == (40,)
    assert fp.Grid(x=fp.Axis.sinh(-1e4, 1e4, 81, scale=0.5)).size == 81
    exit_ = fp.Grid(x=fp.Axis.tanh(-1, 1, 81, reach=14, ends="absorbing"))
    assert exit_["x"].ends == ("absorbing", "absorbing")
    assert fp.Grid(x=fp.Axis.mapped(np.sinh, np.cosh, -9, 9, 81))["x"].kind == "mapped"
    plane = fp.Grid(u=fp.Axis.uniform(-4, 4, 25), w=fp.Axis.uniform(-4, 4, 16, ends=("absorbing", "reflecting")))
    assert plane.names == ("u", "w")
    assert plane.shape == (25, 16)
    assert plane.ndim == 2
    assert [len(nodes) for nodes in plane.nodes] == [25, 16]
    assert [len(faces) for faces in plane.faces] == [26, 17]
    assert plane.weights.shape == plane.shape
    assert np.broadcast_shapes(*(m.shape for m in plane.mesh())) == plane.shape
    assert plane.refined(3).shape == (75, 48)
    assert plane.widened(2.0).shape == (50, 32)


def test_generators(problem):
    L = fp.generator(problem, t=0.0)
    m = np.full(120, 1 / 120)
    assert L.apply(m).shape == L.adjoint(m).shape == (120,)
    assert L.resolvent(1.0).solve(m).shape == L.resolvent(1.0).solve_adjoint(m).shape == (120,)
    rates = L.rates()
    assert rates.format == "csc"
    assert rates[5, 4] > 0
    assert L.is_markov is True


def test_densities(problem, p, tmp_path):
    assert p.values.shape == p.masses.shape == p.log_values.shape == (120,)
    assert p.grid is problem.grid
    assert p.mass == pytest.approx(1.0)
    assert p.masses.sum() + p.beyond == pytest.approx(p.mass)
    for number in (p.mean(), p.var(), p.moment(3, central=False), p.expect(np.cos), p.quantile(0.5), p.cdf(0.3)):
        assert isinstance(number, float)
    assert isinstance(p.mode(), float)
    assert isinstance(p.entropy(), float)
    with pytest.warns(fp.DegenerateWarning, match="no power law is seen"):
        assert isinstance(p.tail_exponent(window=(1.0, 2.9)), float)
    assert p.sample(1000, seed=1).shape == (1000,)
    assert p(0.3) == pytest.approx(float(p(np.array([0.3]))[0]))
    assert p.marginal("x").values == pytest.approx(p.values)
    assert p.on_grid().masses.sum() == pytest.approx(1.0)
    for fact in ("method", "residual", "mass_error", "smallest", "edge_mass", "seconds"):
        assert getattr(p.info, fact) is not None
    assert p.error is None
    p.save(tmp_path / "well.npz")
    assert np.array_equal(fp.load(tmp_path / "well.npz").values, p.values)


def test_plots_overlay(p):
    ax = p.plot(label="stationary")
    exact = fp.ExactDensity(lambda x: 4 * (x**2 / 2 - x**4 / 4), p.grid)
    assert exact.plot(ax) is ax
    swarm = fp.simulate(
        fp.Problem(fp.Process(lambda x: -x, 1.0), p.grid), fp.Point(0.025), [0.1], dt=1e-2, n=200, seed=1
    )
    assert swarm.plot(ax) is ax
    ax.figure.clear()


def test_xarray(p):
    pytest.importorskip("xarray")
    array = p.to_xarray()
    assert array.dims == ("x",)
    assert array.sizes["x"] == 120


def test_components_current_and_entropy_production(problem, p):
    two = fp.components(fp.Problem(fp.Process(lambda x: x - x**3, lambda x: 0.1 * x**2), fp.Grid(x=(-3, 3, 100))))
    assert len(two) == 2
    J = fp.current(problem, p)
    assert len(J.at_faces) == 1
    assert J.at_faces[0].shape == (121,)
    assert J.at_nodes[0].values.shape == (120,)
    assert J.divergence.shape == (120,)
    assert J.entropy_production == pytest.approx(fp.entropy_production(problem, p), abs=1e-12)


@pytest.fixture(scope="module")
def spiral():
    ou2 = fp.Process(drift=lambda x, y: (-x - 1.5 * y, 0.5 * x - y), diffusion=((1.0, 0.4), (0.4, 0.5)))
    return fp.Problem(ou2, fp.Grid(x=(-7, 7, 40), y=(-5, 5, 32)))


def test_the_plane(spiral):
    p = fp.stationary(spiral)
    assert p.values.shape == p.masses.shape == p.log_values.shape == (40, 32)
    assert p.mean().shape == p.var().shape == (2,)
    assert p.covariance().shape == (2, 2)
    assert p.sample(100, seed=1).shape == (100, 2)
    assert p.marginal("x").grid.names == ("x",)
    assert p.conditional_mean("y", given="x").values.shape == (40,)
    assert p.conditional(x=0.3).grid.names == ("y",)
    assert isinstance(p.probability(lambda x, y: 1 - x**2 - y**2), float)
    assert isinstance(float(p(0.3, 0.1)), float)
    for method in (fp.GTH(), fp.SparseLU()):
        assert fp.stationary(spiral, method=method).values == pytest.approx(p.values, abs=1e-12)
    assert fp.generator(spiral).is_markov
    assert fp.distance(p, p, "L1") == 0.0


def test_currents_in_the_plane(spiral):
    p = fp.stationary(spiral)
    J = fp.current(spiral, p)
    assert [faces.shape for faces in J.at_faces] == [(41, 32), (40, 33)]
    assert [field.values.shape for field in J.at_nodes] == [(40, 32)] * 2
    assert [field.values.shape for field in J.irreversible_drift] == [(40, 32)] * 2
    assert J.stream_function.shape == (41, 33)
    assert J.divergence.shape == (40, 32)
    assert J.entropy_production == pytest.approx(fp.entropy_production(spiral, p))
    assert not J.is_equilibrium
    assert J.circulation != 0
    assert len(J.hodge.rotation) == 2
    J.plot().figure.clear()


def test_space():
    process = fp.Process.gibbs(lambda x, y, z: x**2 + y**2 + z**2 + x * y, 0.5, mobility=np.diag([1.0, 2.0, 0.5]))
    p = fp.stationary(fp.Problem(process, fp.Grid(x=(-3, 3, 12), y=(-3, 3, 12), z=(-3, 3, 12))))
    assert p.values.shape == (12, 12, 12)
    assert p.marginal("x", "y").grid.names == ("x", "y")


def test_evolutions(problem, tmp_path):
    path = fp.evolve(problem, fp.Gaussian(-1, 0.2), [0, 0.5, 4], method=fp.SDIRK2(rtol=1e-4))
    assert isinstance(path, fp.Evolution)
    assert len(path) == 3
    assert isinstance(path[1], fp.Density)
    assert path.at(4.0).time == 4.0
    assert list(path.times) == [0, 0.5, 4]
    assert path.mean().shape == path.var().shape == path.mass.shape == (3,)
    assert path.expect(np.cos).shape == (3,)
    path.save(tmp_path / "path.npz")
    assert np.array_equal(fp.load(tmp_path / "path.npz").masses, path.masses)
    order = fp.convergence(
        lambda pr: fp.evolve(pr, fp.Gaussian(-1, 0.2), [0.1], method=fp.SDIRK2(dt=0.01))[0], problem, refine=(1, 3, 9)
    )
    assert order is not None


def test_the_rescaling_pair(data):
    pair = fp.models.RescalingPair(data, learning_rate=0.01, batch=1)
    grid = pair.grid(dzeta=0.4, dq=0.1, q_min=-3.0)
    problem = pair.problem(grid, fp.Accurate())
    path = fp.evolve(problem, pair.initial(mean=(1.6, 0.3), std=0.05), [0, 0.5], method=fp.SDIRK2(dt=0.1))
    for function in (pair.z, pair.v, pair.u, pair.w):
        assert np.isfinite(path[1].expect(function))
    assert pair.sgd(20, 50, seed=1, start=(1.6, 0.3)).at(0.2).shape == (50, 2)
    assert pair.rate_of_ln_z < 0


def test_other_models():
    linear = fp.models.LinearGaussian(((1.0, 1.5), (-0.5, 1.0)), ((1.0, 0.4), (0.4, 0.5)))
    assert linear.covariance.shape == (2, 2)
    assert linear.entropy_production == pytest.approx(2.297794118)
    assert linear.problem().grid.ndim == 2
    assert fp.models.ScaleInvariant(lambda phi: -np.cos(phi), weight_decay=0.1).settled_norm > 0
    assert fp.models.RankOneFactorisation(2, 3, noise=0.5, temperature=0.1).balanced_ratio == pytest.approx(2 / 3)
    near = fp.models.NearlySymmetric.from_moments(fp.Moments(0, 0, 1, 1, 1), 2.0, 1.5, temperature=0.02)
    assert near.displacement < 0


def test_first_passages_and_spectra(problem):
    tau = fp.mean_exit_time(problem, inside=(-np.inf, 0.0))
    assert isinstance(tau, fp.Field)
    assert fp.mean_exit_time(problem, inside=lambda x: -x, moment=2).values.shape == (120,)
    q = fp.committor(problem, source=lambda x: -1 - x, target=lambda x: x - 1)
    h = fp.exit_probability(problem, inside=(-1, 1), through="upper")
    assert q.values.shape == h.values.shape == (120,)
    S = fp.survival(problem, fp.Point(-1.025), [0.0, 1.0], inside=(-np.inf, 0.0))
    assert np.asarray(S).shape == S.exit_density.shape == (2,)
    assert isinstance(fp.transition_rate(problem, (None, -1), (1, None)), float)
    p = fp.quasi_stationary(problem, inside=(-np.inf, 0.0))
    assert p.info.decay_rate > 0
    modes = fp.spectrum(problem, modes=6)
    assert modes.rates.shape == (6,)
    assert len(modes.modes) == 6
    assert modes.relaxation_time == pytest.approx(1 / modes.gap)


def test_jumps_and_memory():
    flight = fp.Process(drift=lambda x: -(x**3), jumps=fp.Stable(alpha=1.0, scale=1.0))
    well = fp.Problem(flight, fp.Grid(x=fp.Axis.sinh(-1e4, 1e4, 201, scale=0.5)))
    p, L = fp.stationary(well), fp.generator(well)
    assert p.tail_exponent(window=(10, 1e3)) == pytest.approx(4.0, abs=0.1)
    m = p.masses
    assert L.apply(m).shape == L.adjoint(m).shape == L.resolvent(1.0).solve(m).shape == (201,)
    assert L.rates().shape == (201, 201)
    assert L.is_markov
    assert isinstance(fp.transition_rate(well, (None, -1), (1, None)), float)
    with pytest.warns(fp.DegenerateWarning, match="entropy production is infinite"):  # the drift has no way back
        J = fp.current(well, fp.evolve(well, p, [0.1])[0])
    assert np.abs(J.at_faces[0]).max() < 1e-6
    exit_ = fp.Grid(x=fp.Axis.tanh(-1, 1, 201, reach=14, ends="absorbing"))
    out = fp.Problem(fp.Process(0.0, jumps=fp.Stable(1.0)), exit_)
    assert fp.mean_exit_time(out).values.shape == fp.exit_probability(out, through="upper").values.shape == (201,)
    assert fp.quasi_stationary(out).info.decay_rate == pytest.approx(fp.spectrum(out, 2).rates[0])
    assert np.asarray(fp.survival(out, fp.Gaussian(0, 0.2), [0.0, 1.0])).shape == (2,)
    assert fp.simulate(well, fp.Point(0.0), [0.1], dt=0.01, n=50, seed=1).at(0.1).shape == (50, 1)
    slow = fp.Process(drift=lambda x: -x, diffusion=1.0, memory=0.7)
    path = fp.evolve(fp.Problem(slow, fp.Grid(x=(-8, 8, 200))), fp.Gaussian(1.0, 0.3), [0.5, 1.0])
    assert path.mean()[1] == pytest.approx(0.3996, abs=1e-3)  # Mittag-Leffler's E_0.7(-1)
    assert fp.Process(lambda x: -x, jumps=fp.Stable(1.5, lambda x: 1 + 0.1 * np.cos(x), skew=0)).diffusion is not None


def test_refinement(problem):
    sharp = fp.refined(fp.stationary, problem)
    assert sharp.error is not None
    order = fp.convergence(lambda pr: fp.stationary(pr).mean(), problem, refine=(1, 3, 9))
    assert len(order.cells) == 3


def test_particles_and_distances(problem, p):
    swarm = fp.simulate(problem, fp.Point(0.025), [0, 0.5, 1.0], dt=1e-2, n=500, seed=7)
    assert swarm.at(1.0).shape == (500, 1)
    for metric in ("L1", "TV", "KL", "hellinger", "W1", "W2", "KS", "MMD"):
        assert np.isfinite(fp.distance(p, p, metric))
    assert fp.distance(p, swarm, "W1") > 0
    comparison = fp.compare(p, swarm, "KS", resamples=50, seed=3)
    assert comparison.interval[0] <= comparison.interval[1]
    assert comparison.noise_floor > 0
    assert 0 <= comparison.p_value <= 1
    assert comparison.smallest_departure > 0


def test_starts():
    assert fp.Gaussian(-1, 0.1).mean is not None
    assert fp.Gaussian((0, 1), (0.1, 0.2)) is not None
    assert fp.Point(0.0, 1.0) is not None


def test_diagonal_networks(data):
    net = fp.models.DiagonalNetwork(data, depth=1, width=1, learning_rate=0.01, batch=1, weight_decay=0.0)
    assert net.temperature == pytest.approx(0.01)
    assert net.critical_temperature > 0
    assert net.tail_exponent == pytest.approx(3.5)
    assert isinstance(net.exact_density(), fp.ExactDensity)
    assert isinstance(fp.stationary(net.problem()), fp.Density)
    assert net.grid().names == ("v",)
    assert isinstance(net.process(), fp.Process)
    swarm = net.sgd(steps=200, n=100, seed=1)
    assert swarm.at(swarm.times[-1]).shape == (100, 1)
    assert swarm.times[-1] == pytest.approx(200 * 0.01)
    assert swarm.weights.shape[0] == 100
    ideal = fp.models.DiagonalNetwork.from_moments(fp.Moments(2, 2, 3, 1, 1), temperature=0.1, depth=2)
    with pytest.raises(fp.InvalidInput, match="data"):
        ideal.sgd(steps=10, n=10, seed=1)
    limit = fp.models.DiagonalNetwork.infinite_depth(fp.Moments(2, 2, 3, 1, 1), ratio=1.0)
    assert isinstance(fp.stationary(limit.problem()), fp.Density)
    assert data.moments.alpha1 > 0


def test_the_exact_law_of_sgd(data):
    net = fp.models.DiagonalNetwork(data, learning_rate=0.01)
    exact = fp.transfer(net, nodes=300)
    assert isinstance(exact.stationary(), fp.Density)
    assert exact.flux < 1e-12
    path = exact.evolve(fp.Point(net.minimum), 5)
    assert len(path) >= 1
    ready = fp.RandomMap(lambda x, a: 0.5 * x + a, [-1.0, 0.0, 1.0], (-2.5, 2.5))
    assert fp.transfer(ready, nodes=64).mean() == pytest.approx(0.0, abs=1e-12)


def test_a_loss_of_ones_own_and_the_ladder(data):
    mine = fp.models.FromGradients(
        gradient=lambda theta, x, y: 2 * (theta * x - y) * x, data=data, learning_rate=0.01, batch=4
    )
    assert mine.grid(50).shape == (50,)
    found = fp.ladder(mine, particles=False)
    assert found.best.error < found.row("isothermal").error
    assert "SGD" in found.verdict
    assert found.plot().get_xlabel()


def test_measured_noise(data):
    g = 2 * (0.5 * data.x - data.y) * data.x
    assert fp.measure.gradient_covariance(g[:, None], batch=4).value.shape == (1, 1)
    assert fp.measure.tail_index(np.random.default_rng(1).normal(size=2000)).index == 2.0


def test_errors_and_warnings_have_one_root():
    for error in (fp.InvalidInput, fp.NotNormalizable, fp.Reducible, fp.NotConverged, fp.CorruptFile, fp.MissingExtra):
        assert issubclass(error, fp.FpsolveError)
    assert issubclass(fp.InvalidInput, ValueError)
    for warning in (fp.TruncationWarning, fp.ResolutionWarning, fp.DegenerateWarning):
        assert issubclass(warning, fp.FpsolveWarning)
