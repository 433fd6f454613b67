"""Rank-one factorisation: the ratio of the layers tends to m/k, in closed form and under real SGD."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

import fpsolve as fp
from fpsolve.models.rank_one import RankOneFactorisation
from fpsolve.particles.descent import descend

WIDE = RankOneFactorisation(outputs=4, inputs=2, noise=0.5, temperature=0.02)
MODELS = [WIDE, RankOneFactorisation(1, 5, 0.5, 0.02), RankOneFactorisation(3, 3, 0.5, 0.02)]


def printed(model, chi):
    """chi' as it stands in the theory."""
    e = np.exp(chi)
    return -2 * model.temperature * model.noise**2 * (model.inputs * e - model.outputs / e) / np.cosh(chi)


@pytest.mark.parametrize("model", MODELS)
def test_the_rate_is_the_printed_one(model):
    chi = np.linspace(-3, 3, 7)
    assert model.rate(chi) == pytest.approx(printed(model, chi), rel=1e-13, abs=1e-16)
    assert abs(model.rate(model.fixed_point)) < 1e-15
    assert model.rate(800.0) == pytest.approx(-4 * model.temperature * model.noise**2 * model.inputs)
    assert model.rate(-800.0) == pytest.approx(4 * model.temperature * model.noise**2 * model.outputs)


@pytest.mark.parametrize("model", MODELS)
def test_the_end_is_stable_with_the_rate_of_the_theory(model):
    m, k, h = model.outputs, model.inputs, 1e-5
    slope = (model.rate(model.fixed_point + h) - model.rate(model.fixed_point - h)) / (2 * h)
    assert slope == pytest.approx(-1 / model.relaxation_time, rel=1e-8)
    assert -slope == pytest.approx(8 * model.temperature * model.noise**2 * m * k / (m + k), rel=1e-8)
    assert np.exp(2 * model.fixed_point) == pytest.approx(m / k)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("start", [-2.0, 0.1, 3.0])
def test_the_closed_form_solves_the_equation(model, start):
    times = model.relaxation_time * np.array([0.0, 0.3, 1.0, 4.0, 12.0])
    path = solve_ivp(
        lambda t, chi: printed(model, chi),
        (0, times[-1]),
        [start],
        t_eval=times,
        rtol=1e-11,
        atol=1e-13,
        method="DOP853",
    )
    assert model.at(times, start) == pytest.approx(path.y[0], abs=1e-9)
    assert model.at(times[1], start) != pytest.approx(start, abs=1e-3)


@given(st.floats(-20, 20), st.floats(0, 1), st.integers(1, 50), st.integers(1, 50))
def test_times_and_places_are_inverse(start, share, m, k):
    model = RankOneFactorisation(m, k, 1.0, 0.1)
    stop = model.fixed_point + share * (start - model.fixed_point)
    if abs(stop - model.fixed_point) < 1e-6:
        assert model.at(1e9, start) == pytest.approx(model.fixed_point, abs=1e-12)
        return
    assert model.at(model.time_between(start, stop), start) == pytest.approx(stop, rel=1e-9, abs=1e-9)


def test_the_fixed_point_is_reached_never():
    assert WIDE.time_between(2.0, WIDE.fixed_point) == np.inf
    assert WIDE.at(5.0, WIDE.fixed_point) == WIDE.fixed_point
    for stop in (3.0, -1.0):
        with pytest.raises(fp.InvalidInput, match=r"never goes from 2 to .*towards 0\.34"):
            WIDE.time_between(2.0, stop)


def twin(model, weights, batch, seed, step):
    """Sample by sample: gradients of |u (w.x) - M x - sigma xi|^2, averaged over the minibatch."""
    rng = np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, 0, step]))
    n, m, k = len(weights), model.outputs, model.inputs
    xs, noises = rng.standard_normal((n, batch, k)), rng.standard_normal((n, batch, m))
    gradients = np.zeros_like(weights)
    for i in range(n):
        u, w = weights[i, :m], weights[i, m:]
        for x, xi in zip(xs[i], noises[i], strict=True):
            label = model.noise * xi
            label[0] += model.strength * x[0]
            error = u * (w @ x) - label
            gradients[i] += 2 / batch * np.concatenate([error * (w @ x), (u @ error) * x])
    return gradients


@pytest.mark.parametrize("batch", [1, 3])
def test_sgd_follows_its_samples_and_moves_the_charge_by_the_square_of_its_step(batch):
    """|u|^2 - |w|^2 changes by eta^2 (|g_u|^2 - |g_w|^2), path by path."""
    one = WIDE.sgd(1, 5, seed=3, start=0.4, batch=batch, progress=False)
    two = WIDE.sgd(1, seed=3, start=one, batch=batch, progress=False)
    eta, before = WIDE.temperature * batch, np.array(one.weights)
    g = twin(WIDE, before, batch, 3, 1)
    assert two.weights == pytest.approx(before - eta * g, abs=1e-14)

    def charge(weights):
        return (weights[:, :4] ** 2).sum(axis=1) - (weights[:, 4:] ** 2).sum(axis=1)

    change = charge(np.array(two.weights)) - charge(before)
    assert change == pytest.approx(eta**2 * charge(g), rel=1e-9, abs=1e-13)
    assert np.abs(change).max() > 1e-6


def test_a_split_run_has_the_bits_of_the_whole():
    whole = WIDE.sgd(20, 4, seed=1, progress=False, record=[5, 12])
    first = WIDE.sgd(12, 4, seed=1, progress=False)
    rest = WIDE.sgd(8, seed=1, start=first, progress=False)
    assert np.array_equal(rest.weights, whole.weights)
    assert np.array_equal(first.at(first.times[-1]), whole.at(12 * WIDE.temperature))
    assert whole.steps.tolist() == [5, 12, 20]


def extrapolated(model, start, share, replicas=100):
    """chi after `share` relaxation times, from two temperatures to T = 0, and its standard error."""
    found = []
    for factor in (2.0, 1.0):
        warm = model.replace(temperature=factor * model.temperature)
        steps = round(share * warm.relaxation_time / warm.temperature)
        chi = warm.sgd(steps, replicas, seed=1, start=start, progress=False).positions[-1, :, 0]
        found.append((chi.mean(), chi.std() / np.sqrt(replicas)))
    (warm, warm_error), (cold, cold_error) = found
    return 2 * cold - warm, np.hypot(2 * cold_error, warm_error)


@pytest.mark.parametrize(
    ("model", "start"), list(zip(MODELS, (-0.6, 0.5, 1.0), strict=True)), ids=["4:2", "1:5", "3:3"]
)
def test_real_sgd_tends_to_the_ratio_of_the_widths(model, start):
    """Within statistics; the law's own error is of first order in T and is extrapolated away."""
    chi, error = extrapolated(model, start, 2.0)
    expected = model.at(2.0 * model.relaxation_time, start)
    assert abs(chi - expected) < 4 * error
    assert error < 0.025
    if model.outputs != model.inputs:  # equal norms are excluded
        assert abs(chi) > 10 * error


def test_a_wrong_law_is_noticed():
    chi, error = extrapolated(WIDE, -0.6, 1.0)
    assert abs(chi - WIDE.at(WIDE.relaxation_time, -0.6)) < 4 * error
    assert abs(chi - WIDE.at(0.7 * WIDE.relaxation_time, -0.6)) > 4 * error


def test_the_product_of_the_norms_stays_at_the_minimum():
    swarm = WIDE.replace(temperature=0.005).sgd(2000, 50, seed=1, start=-0.6, progress=False)
    assert swarm.names == ("chi", "growth")
    assert abs(swarm.mean()[-1, 1]) < 0.02


def test_process_and_grid():
    assert WIDE.problem().grid.names == ("chi",)
    swarm = fp.simulate(WIDE.problem(), fp.Point(1.0), [10.0], dt=0.05, n=2, seed=1, progress=False)
    assert swarm.at(10.0)[:, 0] == pytest.approx(WIDE.at(10.0, 1.0), abs=1e-3)


def test_replicas_that_diverge_are_counted_and_too_many_refused():
    hot = RankOneFactorisation.from_sgd(4, 2, 0.5, learning_rate=0.6)
    with pytest.raises(fp.NotConverged, match=r"replicas diverged by .*learning rate 0\.6") as caught:
        hot.sgd(2000, 50, seed=1, start=2.0, progress=False)
    assert caught.value.best.diverged.any()
    assert np.all(np.isfinite(caught.value.best.positions))


def test_an_interrupted_run_keeps_what_it_has():
    def interrupt(done, total):
        if done >= 50:
            raise KeyboardInterrupt

    with pytest.warns(fp.FpsolveWarning, match="a partial swarm"):
        partial = WIDE.sgd(200, 3, seed=1, progress=interrupt, record=[10])
    assert not partial.finished
    rest = WIDE.sgd(150, seed=1, start=partial, progress=False)
    assert np.array_equal(rest.weights, WIDE.sgd(200, 3, seed=1, progress=False).weights)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: RankOneFactorisation(0, 2, 1.0, 0.1), "outputs is 0"),
        (lambda: RankOneFactorisation(1, 2.5, 1.0, 0.1), "inputs is 2.5"),
        (lambda: RankOneFactorisation(1, 2, -1.0, 0.1), "noise is -1"),
        (lambda: RankOneFactorisation(1, 2, 1.0, 0.0), "temperature is 0"),
        (lambda: RankOneFactorisation(1, 2, 1.0, 0.1, 0.0), "strength is 0"),
        (lambda: RankOneFactorisation.from_sgd(1, 2, 1.0, learning_rate=0.1, batch=0), "batch is 0"),
        (lambda: WIDE.at(-1.0, 0.0), "t is -1"),
        (lambda: WIDE.sgd(0, 1, seed=1), "steps is 0"),
        (lambda: WIDE.sgd(5, 0, seed=1), "n is 0"),
        (lambda: WIDE.sgd(5, None, seed=1), "n is missing"),
        (lambda: WIDE.sgd(5, 1, seed=-1), "seed is -1"),
        (lambda: WIDE.sgd(5, 1, seed=1, record=[9]), "record has step 9; this run goes from step 0 to 5"),
        (lambda: WIDE.sgd(5, 1, seed=1, start=np.nan), "start is nan"),
        (
            lambda: WIDE.sgd(5, seed=1, start=fp.simulate(WIDE.problem(), fp.Point(0.0), [1.0], dt=0.1, n=2, seed=1)),
            "without weights",
        ),
    ],
)
def test_messages_say_what_and_why(call, message):
    with pytest.raises(fp.InvalidInput, match=message):
        call()


def test_descent_warns_of_nothing_and_prints_in_one_line():
    swarm = descend(
        lambda w, rng: w + rng.standard_normal(w.shape), np.zeros((2, 1)), names=("w",), observe=lambda w: w,
        learning_rate=0.5, steps=3, seed=1, progress=False,
    )  # fmt: skip
    assert swarm.times.tolist() == [1.5]
    assert "|u|^2/|w|^2 tends to 2)" in repr(WIDE)
