"""The diagonal network against 30-digit references, printed tables and identities of its theory."""

import numpy as np
import pytest
import references
from scipy.optimize import minimize_scalar

import fpsolve as fp
from fpsolve.errors import InvalidInput, NotNormalizable, Reducible
from fpsolve.models import DiagonalNetwork, InfiniteDepth, Moments, Regression

NORMAL = (2.0, 2.0, 3.0, 1.0, 1.0)  # x normal, y = x + unit noise
MOMENTS = Moments(*NORMAL)
MOMENT_NAMES = ("alpha1", "alpha2", "alpha3", "beta1", "beta2")
VISIBLE = np.log(1e-250)

TABLE = [  # depth, T, mean, variance (Ziyin, Li & Ueda's densities, evaluated independently)
    (0, 0.05, 1.0, 0.0555555555556),
    (0, 0.1, 1.0, 0.125),
    (0, 0.2, 1.0, 0.333333333333),
    (0, 0.3, 1.0, 0.75),
    (1, 0.05, 0.937630829186, 0.119801794668),
    (1, 0.1, 0.844936470935, 0.251272947281),
    (1, 0.2, 0.580905119904, 0.372096681717),
    (1, 0.3, 0.182091573119, 0.194206516705),
    (2, 0.05, 0.8701428104, 0.1546992589),
    (2, 0.1, 0.7161745306, 0.2293262079),
    (2, 0.2, 0.4605923265, 0.2362349967),
    (2, 1.0, 0.0303345513, 0.0208135810),
]


def ideal(temperature, depth=1, width=1, weight_decay=0.0, moments=MOMENTS):
    return DiagonalNetwork.from_moments(moments, temperature, depth, width, weight_decay)


@pytest.fixture(scope="module")
def data():
    return Regression.synthetic(200, seed=5)


# the density, cell by cell


def worst_error(net, reference, axis):
    p = fp.stationary(fp.Problem(net.process(), fp.Grid(v=axis))).on_grid()
    seen = reference > VISIBLE
    assert seen.sum() > 30
    return np.abs(np.expm1(p.log_values - reference))[seen].max()


CELLWISE = [  # depth, T, width, weight decay
    (1, 0.1, 1, 0.0),
    (1, 0.3, 3, 0.0),
    (1, 0.2, 2, 0.1),
    (2, 0.05, 1, 0.0),
    (2, 0.3, 3, 0.0),
    (4, 0.1, 1, 0.0),
    (4, 1.0, 4, 0.0),
]


@pytest.mark.filterwarnings("ignore::fpsolve.errors.TruncationWarning")  # hot: much of the mass is below 1e-6
@pytest.mark.parametrize(("depth", "temperature", "width", "decay"), CELLWISE)
def test_every_cell_within_1e_11_of_the_reference(depth, temperature, width, decay):
    net = ideal(temperature, depth, width, decay)
    coefficients = references.network(NORMAL, temperature, depth, width, decay)
    reference = references.on_interval(coefficients, references.log_axis(1e-6, 1e6, 400))
    axis = fp.Axis.log(1e-6, 1e6, 400)
    assert worst_error(net, reference, axis) < 1e-11
    slightly_hotter = ideal(1.001 * temperature, depth, width, decay)
    assert worst_error(slightly_hotter, reference, axis) > 1e-4
    exact = net.exact_density().on(fp.Grid(v=axis)).on_grid()
    assert np.abs(np.expm1(exact.log_values - reference))[reference > VISIBLE].max() < 2e-12


@pytest.mark.parametrize(("temperature", "width", "decay"), [(0.1, 1, 0.0), (0.4, 1, 0.0), (0.1, 3, 0.2)])
def test_every_cell_of_one_layer_within_1e_11(temperature, width, decay):
    coefficients = references.network(NORMAL, temperature, 0, width, decay)
    reference = references.on_interval(coefficients, references.sinh_axis(-1e6, 1e6, 400, 0.5, 1.0))
    axis = fp.Axis.sinh(-1e6, 1e6, 400, scale=0.5, center=1.0)
    net = ideal(temperature, 0, width, decay)
    assert worst_error(net, reference, axis) < 1e-11
    exact = net.exact_density().on(fp.Grid(v=axis)).on_grid()
    assert np.abs(np.expm1(exact.log_values - reference)).max() < 1e-12


@pytest.mark.parametrize("ratio", [0.5, 2.0])
def test_every_cell_at_infinite_depth_within_1e_11(ratio):
    coefficients = references.infinite_network(NORMAL, ratio)
    reference = references.on_interval(coefficients, references.log_axis(1e-6, 1e6, 400))
    axis = fp.Axis.log(1e-6, 1e6, 400)
    net = DiagonalNetwork.infinite_depth(MOMENTS, ratio)
    assert worst_error(net, reference, axis) < 1e-11
    exact = net.exact_density().on(fp.Grid(v=axis)).on_grid()
    assert np.abs(np.expm1(exact.log_values - reference))[reference > VISIBLE].max() < 2e-12


def test_deep_networks_tend_to_the_infinite_one():
    grid = fp.Grid(v=fp.Axis.log(1e-4, 1e4, 400))
    limit = DiagonalNetwork.infinite_depth(MOMENTS, 2.0).exact_density().on(grid)
    gaps = []
    for depth in (40, 400):
        deep = ideal(1.0 / (2.0 * depth), depth).exact_density().on(grid)
        gaps.append(np.abs(deep.values - limit.values).max() / limit.values.max())
    assert gaps[1] < 0.02
    assert gaps[0] / gaps[1] == pytest.approx(10.0, rel=0.1)


def test_constant_curvature_noise_has_its_own_closed_form():
    moments = Moments(0.0, 0.0, 2.0, 1.0, 0.8)  # x = +-1
    for depth in (0, 1, 2, 3):
        net = ideal(0.1, depth, moments=moments)
        p, exact = fp.stationary(net.problem()), net.exact_density()
        seen = p.log_values > -500
        assert np.abs(p.log_values - exact.log(p.grid.axes[0].nodes))[seen].max() < 1e-10
        assert p.mean() == pytest.approx(net.exact_mean, rel=1e-10)
        assert net.tail_exponent == np.inf


# moments


@pytest.mark.parametrize(("depth", "temperature", "mean", "variance"), TABLE)
def test_table_of_means_and_variances_to_9_digits(depth, temperature, mean, variance):
    net = ideal(temperature, depth)
    p = fp.stationary(net.problem())
    assert p.mean() == pytest.approx(mean, rel=5e-10, abs=5e-11)
    assert p.var() == pytest.approx(variance, rel=5e-10, abs=5e-11)
    assert p.mean() == pytest.approx(net.exact_mean, rel=1e-10)
    assert p.var() == pytest.approx(net.exact_variance, rel=1e-10)


@pytest.mark.parametrize(("depth", "temperature"), [(1, 0.05), (1, 0.3), (2, 0.1), (4, 0.2)])
def test_moments_over_the_half_line_to_12_digits(depth, temperature):
    coefficients = references.network(NORMAL, temperature, depth)
    first, second = references.moments_on_half_line(coefficients, (1, 2), 1e-16, 1e16, 740)
    net = ideal(temperature, depth)
    assert net.exact_moment(1) == pytest.approx(first, rel=1e-12)
    assert net.exact_moment(2) == pytest.approx(second, rel=1e-12)


@pytest.mark.parametrize("temperature", [0.05, 0.1, 0.2, 0.3])
def test_identity_between_the_first_two_moments(temperature):
    p = fp.stationary(ideal(temperature).problem())
    a1, a2, a3, b1, b2 = NORMAL

    def left(mean):
        return temperature * a1 * p.moment(2) + (b1 - 2 * a2 * temperature) * mean

    assert left(p.mean()) == pytest.approx(b2 - a3 * temperature, rel=1e-10)
    assert left(1.01 * p.mean()) != pytest.approx(b2 - a3 * temperature, rel=1e-4)


def highest(function, lo, hi):
    found = minimize_scalar(lambda t: -function(t), bounds=(lo, hi), method="bounded", options=dict(xatol=1e-8))
    return found.x, -found.fun


@pytest.mark.parametrize(("depth", "where", "value"), [(1, 0.202396, 0.372174), (2, 0.150369, 0.247320)])
def test_fluctuations_turn_with_temperature(depth, where, value):
    temperature, variance = highest(lambda t: ideal(t, depth).exact_variance, 0.02, 0.32)
    assert temperature == pytest.approx(where, abs=1e-6)
    assert variance == pytest.approx(value, abs=1e-6)


def test_fluctuations_of_a_single_weight_turn_too():
    temperature, variance = highest(lambda t: ideal(t).exact_moment(1) - ideal(t).exact_moment(0.5) ** 2, 0.02, 0.33)
    assert temperature == pytest.approx(0.251301, abs=1e-6)
    assert variance == pytest.approx(0.182535, abs=1e-6)


def test_one_layer_variance_is_infinite_from_its_threshold():
    assert ideal(0.4999, 0).exact_variance < np.inf
    assert ideal(0.5, 0).exact_variance == np.inf
    assert ideal(0.25, 0, width=2).exact_variance == np.inf


def test_third_moment_of_two_layers_is_infinite():
    assert ideal(0.1).exact_moment(2.49) < np.inf
    assert ideal(0.1).exact_moment(2.5) == np.inf
    assert ideal(0.3).exact_moment(-0.2) == np.inf


# exact numbers


@pytest.mark.parametrize(("depth", "exponent"), [(1, 3.5), (2, 4.0), (4, 4.4), (9, 4.7)])
def test_tail_exponent_is_5_minus_3_over_layers(depth, exponent):
    net = ideal(0.1, depth)
    assert net.tail_exponent == pytest.approx(exponent)
    p = fp.stationary(net.problem())
    assert p.tail_exponent(window=(1e9, 1e11)) == pytest.approx(exponent, abs=1e-4)


def test_tail_exponent_of_one_layer_depends_on_temperature():
    net = ideal(0.1, 0, width=2)
    assert net.tail_exponent == pytest.approx(2.0 + 1.0 / (2 * 0.1 * 2.0))
    assert fp.stationary(net.problem()).tail_exponent(window=(1e5, 1e7)) == pytest.approx(net.tail_exponent, abs=1e-4)


def test_infinite_depth_has_tail_exponent_5():
    net = DiagonalNetwork.infinite_depth(MOMENTS, 1.0)
    assert isinstance(net, InfiniteDepth)
    assert net.tail_exponent == 5.0
    assert fp.stationary(net.problem()).tail_exponent(window=(1e7, 1e9)) == pytest.approx(5.0, abs=1e-4)


@pytest.mark.parametrize("temperature", [0.02, 0.05, 0.1, 0.109])
def test_mode_of_two_layers_is_the_quadratic_root(temperature):
    a1, a2, a3, b1, b2 = NORMAL
    coefficients = [7 * a1 * temperature, b1 - 10 * a2 * temperature, -(b2 - 3 * a3 * temperature)]
    assert ideal(temperature).mode == pytest.approx(max(np.roots(coefficients).real), rel=1e-12)


def test_mode_is_zero_where_the_density_diverges_there():
    assert ideal(0.12).mode == 0.0


@pytest.mark.parametrize("net", [ideal(0.1, 0), ideal(0.1, 2), ideal(0.3, 5, 2), InfiniteDepth(MOMENTS, 1.0)])
def test_density_is_highest_at_its_mode(net):
    exact = net.exact_density()
    around = net.mode * np.array([0.9, 0.999, 1.0, 1.001, 1.1])
    assert np.argmax(exact(around)) == 2
    assert fp.stationary(net.problem()).mode() == pytest.approx(net.mode, rel=1e-2)


def test_width_pairs_with_temperature_at_infinite_depth_and_drops_at_depth_1():
    grid = fp.Grid(v=fp.Axis.log(1e-4, 1e4, 200))
    narrow, wide = (ideal(0.1, 1, width).exact_density().on(grid).values for width in (1, 7))
    assert np.allclose(narrow, wide, rtol=1e-13)
    one, other = (ideal(0.1 * d ** (1 - 2 / 3), 2, d).exact_density().on(grid).values for d in (1, 8))
    assert np.allclose(one, other, rtol=1e-12)


def test_critical_temperatures():
    assert ideal(0.1).critical_temperature == pytest.approx(1.0 / 3.0)
    assert ideal(0.1, 1, 1, 0.4).critical_temperature == pytest.approx(0.2)
    assert ideal(0.1, 0).critical_temperature == np.inf
    assert ideal(0.1, 2).critical_temperature == np.inf
    assert ideal(0.1, 2, 1, 0.01).critical_temperature == 0.0
    assert ideal(0.1, 1, 1, 2.0).critical_temperature == 0.0


def test_lyapunov_exponent_changes_sign_at_the_critical_temperature():
    assert ideal(0.1).lyapunov_exponent == pytest.approx(4 * (1 - 0.3))
    assert ideal(1.0 / 3.0).lyapunov_exponent == pytest.approx(0.0, abs=1e-14)
    assert ideal(0.1, 3, 1, 0.5).lyapunov_exponent == pytest.approx(-4.0)
    with pytest.raises(InvalidInput, match="no Lyapunov exponent"):
        _ = ideal(0.1, 0).lyapunov_exponent


@pytest.mark.parametrize(
    ("depth", "width", "decay"), [(0, 1, 0.0), (0, 3, 0.5), (1, 2, 0.3), (2, 1, 0.0), (3, 2, 0.05)]
)
def test_minimum_and_rate_are_those_of_the_noiseless_flow(depth, width, decay):
    net = ideal(1e-9, depth, width, decay)
    h = 1e-5 * net.minimum
    drift = net.process().drift
    scale = abs(float(drift(np.array(2.0 * net.minimum))))
    assert abs(float(drift(np.array(net.minimum)))) < 1e-6 * scale
    slope = (float(drift(np.array(net.minimum + h))) - float(drift(np.array(net.minimum - h)))) / (2 * h)
    assert -slope * net.relaxation_time == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_gaussian_approximation_becomes_exact_when_cold(depth):
    net = ideal(1e-5, depth, 2, 0.0)
    gaussian = net.gaussian()
    assert gaussian.mean() == pytest.approx(net.exact_mean, rel=1e-3)
    assert gaussian.var() == pytest.approx(net.exact_variance, rel=1e-3)
    n, d, m = depth + 1, 2.0, MOMENTS
    v = m.beta2 / m.beta1
    printed = 1e-5 * n * d ** (2 / n - 1) * v ** (2 - 2 / n) * float(m.gradient_variance(v)) / m.beta1
    assert gaussian.var() == pytest.approx(printed, rel=1e-10)


def test_gaussian_approximation_fails_when_hot():
    net = ideal(0.3)
    assert net.gaussian().mean() > 5 * net.exact_mean


# branches


def test_negative_side_is_the_mirror_of_reversed_data():
    reversed_net = ideal(0.1, 2, moments=MOMENTS.mirrored())
    p = fp.stationary(reversed_net.problem())
    assert p.mean() == pytest.approx(-ideal(0.1, 2).exact_mean, rel=1e-11)
    assert reversed_net.exact_mean == pytest.approx(p.mean(), rel=1e-11)
    assert reversed_net.mode == pytest.approx(-ideal(0.1, 2).mode, rel=1e-12)
    assert p.var() == pytest.approx(reversed_net.exact_variance, rel=1e-11)


@pytest.mark.parametrize("depth", [1, 2])
def test_side_without_a_minimum_has_no_density(depth):
    net = ideal(0.1, depth)
    with pytest.raises(NotNormalizable, match="v -> 0"):
        fp.stationary(net.problem("negative"))
    with pytest.raises(NotNormalizable, match="v < 0"):
        net.exact_density("negative")


def test_both_sides_at_once_are_reducible():
    problem = ideal(0.1).problem("both")
    assert 0.0 in problem.grid.axes[0].faces
    with pytest.raises(Reducible):
        fp.stationary(problem)
    (right,) = fp.components(problem, skip=True)
    assert right.mean() == pytest.approx(ideal(0.1).exact_mean, rel=1e-10)
    with pytest.raises(NotNormalizable, match="v < 0"):
        fp.components(problem)


@pytest.mark.parametrize("temperature", [0.34, 0.5, 2.0])
def test_no_density_above_the_critical_temperature(temperature):
    net = ideal(temperature)
    exponent = 1.0 / (6.0 * temperature) - 1.5
    with pytest.raises(NotNormalizable) as caught:
        fp.stationary(net.problem())
    assert caught.value.exponent == pytest.approx(exponent, abs=1e-6)
    with pytest.raises(NotNormalizable) as caught:
        net.exact_density()
    assert caught.value.exponent == pytest.approx(exponent)
    with pytest.raises(NotNormalizable):
        _ = net.exact_mean


def test_weight_decay_from_depth_2_on_leaves_no_density():
    with pytest.raises(NotNormalizable):
        fp.stationary(ideal(0.1, 2, 1, 0.05).problem())
    with pytest.raises(NotNormalizable):
        ideal(0.1, 2, 1, 0.05).exact_density()


def test_grids_reach_24_decades_and_resolve_cold_peaks():
    grid = ideal(0.1).grid()
    assert (grid.axes[0].lo, grid.axes[0].hi, grid.size) == (pytest.approx(1e-12), pytest.approx(1e12), 800)
    cold = ideal(1e-5)
    p = fp.stationary(cold.problem())
    assert p.var() == pytest.approx(cold.exact_variance, rel=1e-9)
    with pytest.warns(fp.ResolutionWarning, match="narrower than the cell"):
        coarse = fp.stationary(cold.problem(cells=800))
    assert coarse.var() != pytest.approx(cold.exact_variance, rel=1e-2)


def test_coefficients_hold_where_the_diffusion_underflows():
    process = ideal(0.1).process()
    assert process.drift_over_diffusion(np.array(1e-160)) == pytest.approx((1.0 / 0.6 + 0.5) * 1e160, rel=1e-12)
    assert process.log_diffusion(np.array(1e-160)) == pytest.approx(np.log(2.4) - 320 * np.log(10))
    assert process.drift_over_diffusion(np.array(1e170)) == pytest.approx(0.5e-170, rel=1e-12, abs=0.0)


@pytest.mark.parametrize(("depth", "width"), [(0, 1), (0, 3), (1, 1), (1, 4), (2, 3), (4, 2)])
def test_coefficients_are_those_of_one_step_of_sgd(data, depth, width):
    rate, v, layers = 1e-6, 0.7, depth + 1
    weight = (v / width) ** (1 / layers)
    gradient = 2.0 * (v * data.x - data.y) * data.x * weight**depth
    moved = width * (weight - rate * gradient) ** layers - v
    net = DiagonalNetwork(data, depth, width, learning_rate=rate)
    assert moved.var() / (2 * rate) == pytest.approx(net.process().diffusion(np.array(v)), rel=1e-4, abs=0.0)
    assert moved.mean() / rate == pytest.approx(net.process().drift(np.array(v)), rel=1e-4, abs=0.0)
    printed = references.network([getattr(data.moments, k) for k in MOMENT_NAMES], rate, depth, width, 0.3)
    decayed = DiagonalNetwork(data, depth, width, learning_rate=rate, weight_decay=0.3).process()
    assert float(printed[0](v)) == pytest.approx(decayed.drift(np.array(v)), rel=1e-12)
    assert float(printed[1](v)) == pytest.approx(decayed.diffusion(np.array(v)), rel=1e-12, abs=0.0)


@pytest.mark.parametrize(
    ("depth", "width"), [(1, 1), *(pytest.param(*s, marks=pytest.mark.slow) for s in ((0, 2), (2, 2)))]
)
def test_real_sgd_has_the_predicted_mean_and_variance(data, depth, width):
    net = DiagonalNetwork(data, depth, width, learning_rate=0.01)
    steps = int(np.ceil(10 * net.relaxation_time / 0.01))
    swarm = net.sgd(steps, 4000, seed=2)
    p = fp.stationary(net.problem())
    assert swarm.relaxation_time == net.relaxation_time
    assert swarm.times[-1] == pytest.approx(steps * 0.01)
    assert swarm.mean()[-1] == pytest.approx(p.mean(), abs=4 * np.sqrt(p.var() / 4000) + 0.01 * p.mean())
    assert swarm.var()[-1] == pytest.approx(p.var(), rel=0.15)  # a finite step and 4000 replicas
    other = DiagonalNetwork(data, depth, width, learning_rate=0.02)
    assert swarm.var()[-1] != pytest.approx(fp.stationary(other.problem()).var(), rel=0.15)


# what is refused


def test_temperature_is_learning_rate_over_batch(data):
    assert DiagonalNetwork(data, learning_rate=0.04, batch=4).temperature == pytest.approx(0.01)
    assert DiagonalNetwork(data, learning_rate=0.04, batch=4, temperature=0.01).temperature == pytest.approx(0.01)


def test_a_changed_copy_keeps_temperature_consistent(data):
    net = DiagonalNetwork(data, learning_rate=0.04, batch=4)
    assert net.replace(batch=8).temperature == pytest.approx(0.005)
    assert net.replace(depth=2).temperature == pytest.approx(0.01)
    assert ideal(0.1).replace(temperature=0.2).exact_mean == pytest.approx(ideal(0.2).exact_mean)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(temperature=0.02), r"temperature is 0.02 but learning_rate/batch = 0.01/1 = 0.01"),
        (dict(batch=201), "batch is 201 but the data have 200 samples"),
        (dict(batch=0), "batch is 0"),
        (dict(learning_rate=0.0), "learning_rate is 0"),
        (dict(learning_rate=np.nan), "learning_rate is nan"),
        (dict(depth=-1), "depth is -1"),
        (dict(depth=1.5), "depth is 1.5"),
        (dict(width=0), "width is 0"),
        (dict(width=True), "width is True"),
        (dict(weight_decay=-0.1), "weight_decay is -0.1"),
        (dict(temperature=-1.0), "temperature is -1"),
    ],
)
def test_bad_arguments_are_refused(data, arguments, message):
    with pytest.raises(InvalidInput, match=message):
        DiagonalNetwork(data, **arguments)


def test_no_data_no_sgd():
    with pytest.raises(InvalidInput, match=r"build it on fp\.Regression"):
        ideal(0.1).sgd(steps=10, n=10, seed=1)


def test_noiseless_data_have_no_density():
    x = np.array([1.0, -1.0, 2.0, 0.5])
    with pytest.raises(InvalidInput, match=r"vanishes at v = 3"):
        DiagonalNetwork(Regression(x, 3.0 * x)).exact_density()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ideal(0.1).grid(branch="left"), "branch is 'left'"),
        (lambda: ideal(0.1, 0).grid(branch="positive"), "whole line"),
        (lambda: ideal(0.1).grid(cells=401, branch="both"), "even number"),
        (lambda: ideal(0.1).exact_density("both"), "weights are arbitrary"),
        (lambda: ideal(0.1).exact_density().log(0.0), "no value at v = 0"),
        (lambda: ideal(0.1, 2, 1, 5.0).minimum, "no minimum away from v = 0"),
        (lambda: ideal(0.1, 0).exact_moment(3), "closed forms for orders"),
        (lambda: DiagonalNetwork([1, 2]), "give fp.Regression"),
        (lambda: InfiniteDepth(MOMENTS, -1.0), "ratio is -1"),
    ],
)
def test_messages_say_what_and_why(call, message):
    with pytest.raises(InvalidInput, match=message):
        call()


def test_prints_in_one_line(data):
    assert repr(ideal(0.1)) == ("DiagonalNetwork(depth 1, width 1, temperature 0.1 (critical 0.333333); from moments)")
    assert "200 samples" in repr(DiagonalNetwork(data, weight_decay=0.01))
