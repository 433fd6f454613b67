"""A nearly symmetric loss: where its charge rests, how far it is displaced, and real SGD."""

import numpy as np
import pytest

import fpsolve as fp
from fpsolve.models.nearly_symmetric import NearlySymmetric

FLAT = NearlySymmetric.from_moments(fp.Moments(0, 0, 1.5, 1, 1), strength=1.0, charge=1.5, temperature=0.05)
CURVED = NearlySymmetric.from_moments(fp.Moments(1, 0.5, 1, 1, 0.8), strength=2.0, charge=-0.7, temperature=0.05)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(1)
    x = rng.choice([-1.0, 1.0], size=400)
    return fp.Regression(x, x + 1.2 * rng.normal(size=400))


def ito(process, f, u, w, h=1e-4):
    """The generator of the process in (u, w) applied to f(u, w), by differences."""
    place, axes = np.array([u, w]), h * np.eye(2)
    drift = np.array([float(part) for part in process.drift(*place)])
    D = np.array([[float(entry) for entry in row] for row in process.diffusion(*place)])
    gradient = np.array([(f(*(place + a)) - f(*(place - a))) / (2 * h) for a in axes])
    hessian = np.array(
        [
            [sum(i * j * f(*(place + i * a + j * b)) for i in (1, -1) for j in (1, -1)) / (4 * h * h) for b in axes]
            for a in axes
        ]
    )
    return drift @ gradient + (D * hessian).sum()


@pytest.mark.parametrize("model", [FLAT, CURVED])
@pytest.mark.parametrize("place", [(1.4, 0.6), (0.3, -1.2)])
@pytest.mark.parametrize("regularisation", [0.0, 0.3])
def test_coordinates_have_the_coefficients_of_the_weights(model, place, regularisation):
    v, z = model.coordinates(*place)
    s, weights = place[0] ** 2 + place[1] ** 2, model.weights_process(regularisation)
    drift, noise = model.process().drift(v, z), model.process().diffusion[0](v, z)
    pair = model.coordinates
    assert ito(weights, lambda u, w: pair(u, w)[0], *place) == pytest.approx(drift[0], rel=1e-6)
    assert ito(weights, lambda u, w: pair(u, w)[1], *place) == pytest.approx(drift[1], rel=1e-6)
    assert ito(weights, lambda u, w: (pair(u, w)[0] - v) ** 2, *place) / 2 == pytest.approx(
        noise + regularisation * s, rel=1e-5
    )
    spread = ito(weights, lambda u, w: (pair(u, w)[1] - z) ** 2, *place) / 2
    assert spread == pytest.approx(4 * regularisation * s, abs=1e-6)  # none without it
    assert ito(weights, lambda u, w: (pair(u, w)[0] - v) * (pair(u, w)[1] - z), *place) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("place", [(1.4, 0.6), (0.3, -1.2), (-1.4, -0.6), (0.0, 0.9)])
def test_weights_and_coordinates_are_inverse(place):
    sign = 1.0 if max(place, key=abs) > 0 else -1.0
    assert np.array(FLAT.weights(*FLAT.coordinates(*place))) * sign == pytest.approx(np.array(place), abs=1e-15)
    assert np.all(np.array(FLAT.weights(0.0, 0.0)) == 0.0)


def test_the_noise_has_rank_one_along_the_symmetry_whatever_the_data():
    process = CURVED.weights_process()
    D = np.array(process.diffusion(1.4, 0.6))
    assert np.abs(D @ [1.4, -0.6]).max() < 1e-16  # A theta
    assert np.trace(np.diag([1, -1]) @ D) * 2 / CURVED.temperature == pytest.approx(
        CURVED.noise_trace(*CURVED.coordinates(1.4, 0.6))
    )


@pytest.mark.parametrize("model", [FLAT, CURVED])
def test_the_charge_rests_where_the_noise_balances_the_loss(model):
    """zeta grad L1' A theta = s2 Tr[Sigma A]."""
    v = np.array([-1.0, 0.2, model.minimum, 3.0])
    z = model.balanced_charge(v)
    u, w = model.weights(v, z)
    pull = 2 * (z - model.charge) * (u**2 + w**2)
    assert model.strength * pull == pytest.approx(0.5 * model.temperature * model.noise_trace(v, z), rel=1e-9)
    assert np.all((z / model.charge > 0) & (z / model.charge < 1))
    assert model.charge_rate(v, z) == pytest.approx(np.zeros(4), abs=1e-12)
    assert np.all(np.abs(model.charge_rate(v, 1.01 * z)) > 1e-4)
    assert model.balanced_charge() == z[2]


@pytest.mark.parametrize("model", [FLAT, CURVED])
def test_the_displacement_is_of_first_order_in_the_inverse_strength(model):
    errors = []
    for strength in (40.0, 80.0):
        strong = model.replace(strength=strength)
        found = strong.balanced_charge() - strong.charge
        errors.append(found / strong.displacement - 1)
        assert abs(errors[-1]) < 0.02
    assert errors[0] / errors[1] == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("model", [FLAT, CURVED])
def test_the_weights_are_displaced_along_an_eigenvector_of_the_hessian(model):
    strong, h = model.replace(strength=1e4), 1e-5
    at = np.array(strong.weights(strong.minimum, strong.charge))
    along = at * [1, -1]  # A theta'
    pull, axes = strong.weights_process().drift, h * np.eye(2)
    hessian = -np.array([(np.array(pull(*(at + a))) - np.array(pull(*(at - a)))) / (2 * h) for a in axes])
    assert hessian @ along == pytest.approx(strong.strength * strong.stiffness * along, rel=1e-6)
    moved = np.array(strong.weights(strong.minimum, strong.balanced_charge())) - at
    size = np.linalg.norm(along)
    assert moved @ along / size == pytest.approx(strong.weight_displacement, rel=1e-3)
    assert np.linalg.norm(moved) == pytest.approx(abs(strong.weight_displacement), rel=1e-3)


def test_gradient_descent_is_not_displaced():
    cold = FLAT.replace(temperature=1e-12)
    assert cold.balanced_charge() == pytest.approx(cold.charge, abs=1e-11)


@pytest.mark.parametrize("model", [FLAT, CURVED])
def test_the_law_of_v_at_a_held_charge_is_exact(model):
    p, exact = fp.stationary(model.pinned_problem()), model.exact_density()
    assert p.mean() == pytest.approx(exact.mean(), rel=1e-8)
    assert np.abs(p.log_values - exact.density.log_values)[exact.density.values > 1e-8].max() < 1e-5
    other = model.replace(temperature=1.1 * model.temperature).exact_density()
    assert p.mean() != pytest.approx(other.mean(), rel=1e-5)


def test_the_tail_is_that_of_two_layers():
    hot = CURVED.replace(temperature=2.0)
    assert hot.exact_density().density.tail_exponent(window=(50.0, 180.0)) == pytest.approx(3.5, abs=0.03)


def stationary_particles(model, dt, n=4000, until=6.0, seed=3):
    grid = fp.Grid(v=fp.Axis.uniform(-4, 6, 50), z=fp.Axis.uniform(0, 2, 50))
    start = fp.Point(model.minimum, model.balanced_charge())
    return (
        fp.simulate(fp.Problem(model.process(), grid), start, [until], dt=dt, n=n, seed=seed, progress=False)
        .at(until)
        .T
    )


def test_particles_rest_where_the_balance_holds_on_average():
    """<zeta grad L1' A theta> = s2 <Tr[Sigma A]>, and near the displacement that the asymptotics gives."""
    v, z = stationary_particles(FLAT, 0.01)
    rate = FLAT.charge_rate(v, z)
    assert abs(rate.mean()) < 5 * rate.std() / np.sqrt(v.size)
    wrong = FLAT.replace(strength=1.1).charge_rate(v, z)
    assert abs(wrong.mean()) > 5 * wrong.std() / np.sqrt(v.size)
    assert z.mean() - FLAT.charge == pytest.approx(FLAT.displacement, rel=0.1)
    assert abs(v.mean() - FLAT.exact_density().mean()) < 0.05


def weights_after(model, regularisation, dt, n=4000):
    grid = fp.Grid(u=(-3, 3, 30), w=(-3, 3, 30))
    start = fp.Point(*(float(c) for c in model.weights(model.minimum, model.charge)))
    problem = fp.Problem(model.weights_process(regularisation), grid)
    x = fp.simulate(problem, start, [1.5], dt=dt, n=n, seed=3, progress=False).at(1.5)
    return model.coordinates(*x.T)[1]


def test_the_charge_of_the_weights_is_free_of_noise_unless_regularised():
    z = weights_after(FLAT, 0.0, 0.005)
    assert z.mean() - FLAT.charge == pytest.approx(FLAT.displacement, rel=0.1)
    noisy = weights_after(FLAT, 0.02, 0.005)
    assert noisy.var() == pytest.approx(0.02 / FLAT.strength, rel=0.15)
    assert z.var() < 0.05 * noisy.var()


# real SGD


def test_a_step_of_sgd_is_that_of_its_samples(data):
    model, eta = NearlySymmetric(data, 0.7, 1.2, learning_rate=0.02, batch=3), 0.02
    one = model.sgd(2, 5, seed=4, start=(1.3, 0.4), progress=False)
    two = model.sgd(1, seed=4, start=one, progress=False)
    picks = np.random.Generator(np.random.Philox(key=4, counter=[0, 0, 0, 2])).integers(data.n, size=(5, 3))
    for (u, w), after, pick in zip(one.weights, two.weights, picks, strict=True):
        g = 2 * np.mean((u * w * data.x[pick] - data.y[pick]) * data.x[pick])
        held = 2 * 0.7 * (u**2 - w**2 - 1.2)
        assert after == pytest.approx([u - eta * (g * w + held * u), w - eta * (g * u - held * w)], rel=1e-12)
    assert two.positions[-1] == pytest.approx(np.stack(model.coordinates(*two.weights.T), axis=1))


def test_real_sgd_is_displaced_as_the_theory_says(data):
    """The mean rate of the charge vanishes to first order in the learning rate, which two of them extrapolate."""
    rates, displacements = [], []
    for eta, batch in ((0.04, 2), (0.02, 1)):
        model = NearlySymmetric(data, 1.0, 1.5, learning_rate=eta, batch=batch)
        v, z = model.sgd(round(5 / eta), 4000, seed=2, progress=False).positions[-1].T
        rate = model.charge_rate(v, z)
        rates.append((rate.mean(), rate.std() / np.sqrt(v.size)))
        displacements.append(z.mean() - model.charge)
    (coarse, wide), (fine, narrow) = rates
    assert abs(2 * fine - coarse) < 4 * np.hypot(wide, 2 * narrow)
    assert 2 * displacements[1] - displacements[0] == pytest.approx(model.displacement, rel=0.1)
    wrong = model.replace(strength=1.2).charge_rate(v, z)
    assert abs(wrong.mean()) > 4 * np.hypot(wide, 2 * narrow)


# grids and messages


@pytest.mark.parametrize("model", [FLAT, CURVED, FLAT.replace(strength=100.0)])
def test_grids_hold_the_balances(model):
    v, z = model.grid((60, 40)).axes
    around = np.linspace(model.minimum - 5 * model._width, model.minimum + 5 * model._width, 30)
    balances = model.balanced_charge(around)
    assert z.lo < balances.min()
    assert balances.max() < z.hi
    assert z.lo < model.charge < z.hi
    assert z.lo * z.hi >= 0
    assert v.lo < -20
    assert model.problem((60, 40)).grid.names == ("v", "z")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: FLAT.replace(strength=0.0), "strength is 0.0; .*RescalingPair"),
        (lambda: FLAT.replace(charge=0.0), "charge is 0"),
        (lambda: FLAT.replace(temperature=-1.0), "temperature is -1"),
        (lambda: NearlySymmetric([1.0], 1.0, 1.0), r"data is list; give fp\.Regression"),
        (lambda: NearlySymmetric.from_moments([1], 1.0, 1.0, 0.1), "moments is list"),
        (lambda: NearlySymmetric(fp.Regression([1.0, 2.0], [1.0, 3.0]), 1.0, 1.0, batch=3), "batch is 3 but"),
        (lambda: NearlySymmetric(fp.Regression([1.0, 2.0], [1.0, 3.0]), 1.0, 1.0, batch=None), "batch is None; give a"),
        (lambda: FLAT.weights_process(-1.0), "regularisation is -1"),
        (lambda: FLAT.sgd(5, 1, seed=1), r"build it on fp\.Regression"),
        (lambda: FLAT.replace(data=fp.Moments(1, 1, 1, 1, 1)).exact_density(), "vanishes at"),
        (lambda: FLAT.replace(data=fp.Moments(0, 0, 0, 1, 1)).grid(), "noise vanishes at the minimum"),
    ],
)
def test_messages_say_what_and_why(call, message):
    with pytest.raises(fp.InvalidInput, match=message):
        call()


def test_prints_in_one_line(data):
    assert repr(FLAT).startswith("NearlySymmetric(strength 1, charge 1.5 displaced by -0.045, temperature 0.05")
    assert "400 samples" in repr(NearlySymmetric(data, 1.0, 1.5))
    assert NearlySymmetric(data, 1.0, 1.5).replace(batch=2).temperature == 0.005
