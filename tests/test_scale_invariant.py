"""Scale-invariant losses: Ito's terms, the law of the norm, the angle's temperature, and real SGD."""

import numpy as np
import pytest

import fpsolve as fp
from fpsolve.models.normalised import NormalisedRegression
from fpsolve.models.scale_invariant import ScaleInvariant


def cosine(phi):
    return -np.cos(phi)


def uneven(phi):
    return 1.5 + np.cos(2 * phi)


PLAIN = ScaleInvariant(cosine, noise=2.0, temperature=0.1, weight_decay=0.05)
UNEVEN = PLAIN.replace(noise=uneven)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(40, 2)) * [1.0, 0.6]
    return NormalisedRegression(x, x @ [0.8, 0.5] + 0.4 * rng.normal(size=40))


def cartesian(model, f, r, phi, h=1e-3):
    """The generator of d theta = (-grad L - 2 gamma theta) dt + sqrt(T Sigma) dW applied to f(r, phi), by differences.

    Sigma = S e_phi e_phi'/r^2.
    """
    theta, e = r * np.array([np.cos(phi), np.sin(phi)]), np.array([-np.sin(phi), np.cos(phi)])

    def at(place):
        return f(np.hypot(*place), np.arctan2(place[1], place[0]))

    def loss(place):
        return model.loss(np.arctan2(place[1], place[0]))

    axes = np.eye(2) * h
    slope = np.array([(loss(theta + a) - loss(theta - a)) / (2 * h) for a in axes])
    gradient = np.array([(at(theta + a) - at(theta - a)) / (2 * h) for a in axes])
    second = (at(theta + h * e) - 2 * at(theta) + at(theta - h * e)) / h**2  # along e_phi
    noise = model.temperature * float(model.noise_at(phi)) / r**2
    return (-slope - 2 * model.weight_decay * theta) @ gradient + 0.5 * noise * second


@pytest.mark.parametrize("model", [PLAIN, UNEVEN])
@pytest.mark.parametrize("place", [(0.8, 0.3), (1.7, 2.0)])
def test_coefficients_are_those_of_the_weights_own_equation(model, place):
    r, phi = (np.array([c]) for c in place)
    process = model.process()
    drift, diffusion = process.drift(r, phi), process.diffusion[1](r, phi)
    for k, f in enumerate((lambda r, phi: r, lambda r, phi: phi)):
        assert drift[k][0] == pytest.approx(cartesian(model, f, *place), abs=1e-5)
    square = cartesian(model, lambda r, p: (p - place[1]) ** 2, *place)  # 2 D + terms that vanish there
    assert diffusion[0] == pytest.approx(0.5 * square, rel=1e-4)
    assert cartesian(model, lambda r, p: (r - place[0]) ** 2, *place) == pytest.approx(0.0, abs=1e-5)  # no radial noise
    without = model.replace(weight_decay=0.0).process().drift(r, phi)[0][0]
    assert without > 1e-3  # Ito's term alone


def test_the_fourth_power_of_the_norm_moves_linearly():
    for model in (PLAIN, UNEVEN):
        r, phi = np.array([0.7, 1.3]), np.array([0.4, 3.0])
        assert 4 * r**3 * model.process().drift(r, phi)[0] == pytest.approx(model.fourth_power_rate(r, phi), rel=1e-13)


@pytest.mark.parametrize("decay", [0.05, 0.0])
def test_the_norm_has_its_closed_form(decay):
    model, t, h = PLAIN.replace(weight_decay=decay), np.array([0.0, 0.4, 3.0]), 1e-5
    r = model.norm_at(t, 2.0)
    assert r[0] == 2.0
    slope = (model.norm_at(t[1:] + h, 2.0) ** 4 - model.norm_at(t[1:] - h, 2.0) ** 4) / (2 * h)
    assert slope == pytest.approx(model.fourth_power_rate(r[1:], 0.0), rel=1e-6)
    if decay:
        assert model.norm_at(1e4, 2.0) == pytest.approx(model.settled_norm, rel=1e-12)
        assert model.fourth_power_rate(model.settled_norm, 1.0) == pytest.approx(0.0, abs=1e-15)
        tiny = model.replace(weight_decay=1e-13)
        assert tiny.norm_at(3.0, 2.0) == pytest.approx(model.replace(weight_decay=0.0).norm_at(3.0, 2.0), rel=1e-11)
    else:
        assert model.settled_norm == np.inf
        assert r[2] ** 4 == pytest.approx(16 + 2 * 0.1 * 2.0 * 3.0)


def test_particles_keep_one_norm_and_settle_to_the_exact_law_of_the_angle():
    problem, p = PLAIN.problem(radius=(0.5, 3.0)), PLAIN.exact_density()
    exact = np.array([p.expect(np.cos), p.expect(np.sin), p.expect(lambda phi: np.cos(2 * phi))])
    found = []
    for dt in (0.1, 0.05):
        swarm = fp.simulate(problem, fp.Point(1.6, 1.0), [2.0, 40.0], dt=dt, n=2000, seed=2, progress=False)
        r, phi = swarm.at(2.0)[:, 0], swarm.at(40.0)[:, 1]
        assert np.ptp(r) < 1e-14
        found.append(np.array([r[0], np.cos(phi).mean(), np.sin(phi).mean(), np.cos(2 * phi).mean()]))
    best = 2 * found[1] - found[0]
    assert best[0] == pytest.approx(PLAIN.norm_at(2.0, 1.6), abs=1e-5)
    assert np.abs(best[1:] - exact).max() < 5 * np.sqrt(5 * 0.1 / 2000)
    assert exact[0] > 0.9
    other = PLAIN.replace(weight_decay=0.3).exact_density().expect(np.cos)
    assert abs(best[1] - other) > 5 * np.sqrt(5 * 0.1 / 2000)


def test_the_law_of_the_angle_is_that_of_the_process_at_the_settled_norm():
    model = ScaleInvariant(lambda phi: np.cos(phi) + 0.3 * np.sin(2 * phi), 0.7, 0.2, 0.1)
    r = model.settled_norm
    process = model.process()
    along = fp.Process(
        lambda phi: process.drift(r + 0 * phi, phi)[1], lambda phi: process.diffusion[1](r + 0 * phi, phi)
    )
    p, exact = fp.stationary(fp.Problem(along, model.exact_density().grid)), model.exact_density()
    assert p.values == pytest.approx(exact.density.values, rel=1e-9)
    assert process.drift(np.array([r]), np.array([0.3]))[0][0] == pytest.approx(0.0, abs=1e-15)


def test_uneven_noise_balances_on_average():
    swarm = fp.simulate(UNEVEN.problem(), fp.Point(1.0, 1.0), [30.0], dt=0.05, n=2000, seed=2, progress=False)
    r, phi = swarm.at(30.0).T
    assert r.std() > 1e-3
    rate = UNEVEN.fourth_power_rate(r, phi)
    assert abs(rate.mean()) < 5 * rate.std() / np.sqrt(2000)
    wrong = UNEVEN.replace(temperature=0.12).fourth_power_rate(r, phi)
    assert abs(wrong.mean()) > 5 * wrong.std() / np.sqrt(2000)


def test_slopes_by_difference_are_as_good_as_given_ones():
    phi = np.linspace(-4, 4, 9)
    given = PLAIN.replace(slope=np.sin)
    assert PLAIN.slope_at(phi) == pytest.approx(given.slope_at(phi), abs=1e-12)


# real data


def samples_twin(data, phi):
    """Loss and slope of each sample, (samples,), from f = x.(cos, sin)."""
    error = data.x @ [np.cos(phi), np.sin(phi)] - data.y
    return error**2, 2 * error * (data.x @ [-np.sin(phi), np.cos(phi)])


def test_loss_and_noise_are_those_of_the_samples(data):
    for phi in (0.0, 0.9, 4.0):
        losses, slopes = samples_twin(data, phi)
        assert data.loss(phi) == pytest.approx(losses.mean(), rel=1e-12)
        assert data.slope(phi) == pytest.approx(slopes.mean(), rel=1e-12)
        assert data.noise(phi) == pytest.approx(slopes.var(), rel=1e-12)
    assert data.noise(np.zeros((2, 3))).shape == (2, 3)


def test_sgd_moves_the_norm_by_the_square_of_its_step_and_by_decay(data):
    """r^2 changes to (1 - 2 eta gamma)^2 r^2 + eta^2 |g|^2, path by path, for every minibatch."""
    model, eta, seed = ScaleInvariant.from_data(data, learning_rate=0.1, batch=2, weight_decay=0.3), 0.1, 9
    one = model.sgd(3, 6, seed=seed, start=(0.7, 0.4), progress=False)
    two = model.sgd(1, seed=seed, start=one, progress=False)
    theta = np.array(one.weights)
    picks = np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, 0, 3])).integers(data.n, size=(6, 2))
    r, phi = one.positions[-1].T
    slopes = np.array([samples_twin(data, angle)[1][pick].mean() for angle, pick in zip(phi, picks, strict=True)])
    assert two.positions[-1, :, 0] ** 2 == pytest.approx(
        (1 - 0.6 * eta) ** 2 * r**2 + eta**2 * slopes**2 / r**2, rel=1e-12
    )
    assert np.array_equal(two.weights, model.sgd(4, 6, seed=seed, start=(0.7, 0.4), progress=False).weights)
    assert np.hypot(*theta.T) == pytest.approx(r)


def test_real_sgd_grows_and_settles_as_the_diffusion_says(data):
    """<r^4> of SGD and of particles of (r, phi), within statistics and what a step is in units of r^2."""
    model, start = ScaleInvariant.from_data(data, learning_rate=0.01, weight_decay=0.02), (0.7, 0.567)
    swarm = model.sgd(2000, 400, seed=4, start=start, record=[500], progress=False)
    problem = model.problem(radius=(0.1, 2.0))
    paths = fp.simulate(problem, fp.Point(*start), [5.0, 20.0], dt=0.05, n=400, seed=5, progress=False)
    for t in (5.0, 20.0):
        powers = [s.at(t)[:, 0] ** 4 for s in (swarm, paths)]
        mean, error = powers[1].mean(), np.sqrt(sum(p.var() for p in powers) / 400)
        allowed = 4 * error + 0.01 / np.sqrt(mean) * mean
        assert abs(powers[0].mean() - mean) < allowed
        assert mean - 0.7**4 * np.exp(-8 * 0.02 * t) > 5 * allowed  # weight decay without noise


# grids and messages


def test_grids_hold_every_norm_at_which_it_may_settle():
    r = UNEVEN.grid()["r"]
    assert r.lo < (0.1 * 0.5 / 0.2) ** 0.25 < (0.1 * 2.5 / 0.2) ** 0.25 < r.hi
    assert UNEVEN.grid((40, 30)).shape == (40, 30)
    assert UNEVEN.problem().grid["phi"].periodic


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: PLAIN.replace(temperature=0.0), "temperature is 0"),
        (lambda: PLAIN.replace(weight_decay=-1.0), "weight_decay is -1"),
        (lambda: PLAIN.replace(noise=-1.0), "noise is -1 at phi=0"),
        (lambda: PLAIN.replace(noise=np.cos), r"noise is -1 at phi=3\.14"),
        (lambda: PLAIN.replace(noise="loud"), "noise is 'loud'"),
        (lambda: PLAIN.replace(loss=3.0), "give a function of the angle"),
        (lambda: PLAIN.replace(loss=lambda phi: phi), r"loss changes by 6\.28\d* over a full turn"),
        (lambda: PLAIN.replace(loss=lambda phi: 1 / np.sin(phi)), "loss is .*inf at phi=0"),
        (lambda: PLAIN.replace(slope=np.cos), r"slope is .* at phi=.*, but the loss changes there by"),
        (lambda: PLAIN.replace(batch=0), "batch is 0"),
        (lambda: UNEVEN.settled_norm, "fourth_power_rate, which holds for any noise"),
        (UNEVEN.exact_density, "noise is a function of the angle"),
        (lambda: PLAIN.replace(weight_decay=0.0).exact_density(), "weight_decay or noise is 0"),
        (lambda: PLAIN.replace(weight_decay=0.0).grid(), r"give radius=\(from, to\)"),
        (lambda: PLAIN.grid(radius=(2.0, 1.0)), "must be positive and rise"),
        (lambda: PLAIN.norm_at(-1.0, 1.0), "times >= 0"),
        (lambda: PLAIN.norm_at(1.0, 0.0), "norms > 0"),
        (lambda: PLAIN.sgd(5, 1, seed=1), "use from_data"),
        (lambda: ScaleInvariant.from_data([1, 2], 0.1), "give a NormalisedRegression"),
        (lambda: NormalisedRegression(np.ones((3, 3)), np.ones(3)), r"x has shape \(3, 3\)"),
        (lambda: NormalisedRegression([[1.0, np.nan]], [1.0]), "sample 0 is"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_messages_say_what_and_why(call, message):
    with pytest.raises(fp.InvalidInput, match=message):
        call()


def test_prints_in_one_line(data):
    assert repr(PLAIN) == "ScaleInvariant(noise 2, temperature 0.1, weight decay 0.05)"
    assert "noise of the angle" in repr(ScaleInvariant.from_data(data, 0.1))
    assert repr(data) == "NormalisedRegression(40 samples)"
