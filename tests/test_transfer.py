"""The exact law of discrete SGD: printed numbers, maps solved by hand, real SGD, its own checks, what is refused."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fpsolve as fp
from cases import diabetes_sgd as case
from fpsolve.errors import InvalidInput, NotConverged, NotNormalizable, ResolutionWarning, TruncationWarning
from fpsolve.models import DiagonalNetwork, FiniteRate

CRITICAL = 0.04296229509  # of the column sex
HOT = 0.3 * case.network(1.0).learning_rate


def network(column, learning_rate, **how):
    return DiagonalNetwork(case.regression(column), learning_rate=learning_rate, **how)


PRINTED = [  # column, learning rate, more, nodes, mean, variance, digits
    pytest.param("sex", HOT, {}, 1000, 0.03014061325866, 7.794603755777e-4, 10, id="sex"),
    pytest.param("age", 0.02, {}, 1000, 0.17124862002877, 5.67958518910e-3, 10, id="age"),
    pytest.param("bmi", 0.02, {}, 1000, 0.57450757230521, 1.362791700189e-2, 10, id="bmi"),
    pytest.param("bmi", 0.05, {}, 2000, 0.5507832, 0.0380854, 7, id="bmi, large steps", marks=pytest.mark.slow),
    pytest.param("age", 0.1, dict(batch=8), 400, 0.177229398649, 3.77183915e-3, 9, id="age, batch 8"),
    pytest.param("age", 0.02, dict(depth=2), 1000, 0.169812081833, 4.67655538e-3, 9, id="age, three layers"),
]


@pytest.mark.parametrize(("column", "rate", "how", "nodes", "mean", "variance", "digits"), PRINTED)
def test_printed_moments_are_met(column, rate, how, nodes, mean, variance, digits):
    exact = fp.transfer(network(column, rate, **how), nodes)
    assert exact.mean() == pytest.approx(mean, rel=10.0**-digits)
    assert exact.var() == pytest.approx(variance, rel=10.0 ** -(digits - 1))
    assert exact.flux < 1e-13
    reach = (exact.positions[0], exact.positions[-1])
    other = fp.transfer(network(column, 1.001 * rate, **how), 300, domain=reach)
    assert other.mean() != pytest.approx(mean, rel=10.0**-digits)


def test_1000_nodes_take_less_than_half_a_second():
    net = network("sex", HOT)
    fp.transfer(net)
    started = time.process_time()
    fp.transfer(net, 1000)
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(("fraction", "ks"), [(0.3, 2.5e-4), (0.6, 7.5e-4), (0.8, 1.5e-3)])
def test_fokker_planck_is_off_as_known_and_its_correction_is_not(fraction, ks):
    net = case.network(fraction)
    exact = fp.transfer(net).stationary()
    assert fp.distance(exact, fp.stationary(net.problem()), "KS") == pytest.approx(ks, rel=0.1)
    rate = FiniteRate(net.random_map())
    assert fp.distance(exact, rate.third_order(), "KS") < 5e-5
    assert fp.distance(exact, rate.corrected(), "KS") < 1.1e-4
    assert 1.5e-4 < fp.distance(exact, rate.plain(), "KS") < 3e-4


@pytest.mark.parametrize("fraction", [0.3, 0.6, 0.8])
def test_the_lower_end_falls_as_its_own_equation_says(fraction):
    net = case.network(fraction)
    exact = fp.transfer(net)
    product = net.data.x * net.data.y
    assert np.mean(np.abs(1 + 2 * net.learning_rate * product) ** (-2 * exact.kappa)) == pytest.approx(1, abs=1e-11)
    assert exact.end_slope == pytest.approx(exact.kappa, rel=1e-8)
    fokker_planck = 0.5 * (1.0 / fraction - 1.0)
    assert exact.end_slope != pytest.approx(fokker_planck, rel=1e-3)
    p = exact.stationary()
    assert p.mass == pytest.approx(1.0, abs=1e-10)
    assert p.mean() == pytest.approx(exact.mean(), rel=1e-10)
    assert p.var() == pytest.approx(exact.var(), rel=1e-9)
    if fraction == 0.8:
        assert p.beyond > 0.01
        assert p.values[:200].min() > 0


# maps solved by hand


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.floats(-0.7, 0.7), min_size=2, max_size=6),
    st.floats(0.2, 2.0),
    st.integers(1, 2),
    st.integers(0, 2**31),
)
def test_affine_maps_have_their_first_two_moments(slopes, noise, batch, seed):
    a = np.array(slopes)
    b = noise * np.random.Generator(np.random.Philox(seed)).standard_normal((20, a.size))
    a, b = np.repeat(a[None], 20, axis=0).ravel(), b.ravel()
    reach = np.abs(b).max() / (1.0 - np.abs(a).max())  # nothing leaves
    model = fp.RandomMap(
        lambda x, m: m, (a, b), (-reach, reach), statistic=lambda x, a, b: a * x + b, batch=batch
    )  # fmt: skip
    exact = fp.transfer(model, 200, domain=(-1.01 * reach, 1.01 * reach))
    mean = b.mean() / (1.0 - a.mean())
    # E x'^2 = E[(a x + b)^2] at batch 1; for a mean of `batch` draws the variance of a x + b is divided
    aa, ab, bb = (np.mean(p * q) for p, q in ((a, a), (a, b), (b, b)))
    aa, ab, bb = (
        first / batch + (1 - 1 / batch) * square
        for first, square in ((aa, a.mean() ** 2), (ab, a.mean() * b.mean()), (bb, b.mean() ** 2))
    )
    second = (bb + 2.0 * ab * mean) / (1.0 - aa)
    assert exact.mean() == pytest.approx(mean, abs=1e-9 * noise)
    assert exact.expect(np.square) == pytest.approx(second, rel=1e-8)


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_one_step_of_the_map_is_one_step_of_sgd(depth, sign):
    data = fp.Regression(case.regression("age").x[:20], sign * case.regression("age").y[:20])
    net = DiagonalNetwork(data, depth, 2, learning_rate=0.03, weight_decay=0.1)
    net = net if depth < 2 else net.replace(weight_decay=0.0)
    random_map = net.random_map()
    v = 0.3 if random_map.readout.scale > 0 else -0.3
    moved = net.sgd(1, 400, seed=3, start=v, progress=False).at(0.03)[:, 0]
    s = random_map.coordinate_of([v])
    reached = np.sort(random_map.position(s[:, None] + random_map.displacement(random_map.moved(s)))[0])
    nearest = reached[np.argmin(np.abs(moved[:, None] - reached), axis=1)]
    assert nearest == pytest.approx(moved, rel=1e-12)
    assert np.unique(nearest).size == 20
    assert random_map.mirrored == (depth % 2 == 1)


def test_both_sides_of_zero_are_mirror_images():
    plain = fp.transfer(network("age", 0.02))
    data = case.regression("age")
    mirrored = fp.transfer(DiagonalNetwork(fp.Regression(data.x, -data.y), learning_rate=0.02))
    assert mirrored.mean() == -plain.mean()
    p, q = plain.stationary(), mirrored.stationary()
    assert q.grid.axes[0].hi < 0
    assert q.cdf(-0.2) == pytest.approx(1.0 - p.cdf(0.2), abs=1e-12)
    start = mirrored.evolve(fp.Point(-0.2), [0, 1])
    assert start[0].mean() == pytest.approx(-0.2, rel=1e-12)
    assert start[1].mean() == pytest.approx(-plain.evolve(fp.Point(0.2), [1])[0].mean(), rel=1e-12)


@pytest.mark.parametrize("depth", [2, 3])
def test_the_coordinate_does_not_matter(depth):
    net = network("age", 0.02, depth=depth)
    log = fp.transfer(net)
    other = fp.transfer(net.random_map().replace(coordinate="linear", domain=(0.02, 1.3)))
    assert other.mean() == pytest.approx(log.mean(), rel=1e-10)
    assert other.var() == pytest.approx(log.var(), rel=1e-9)
    assert (
        fp.distance(log.stationary(), other.stationary(), "KS") < 5e-6
    )  # as well as a density interpolates its masses


# the law's own checks


def test_the_error_estimate_is_that_of_the_law():
    net = network("age", 0.02)
    coarse, fine = fp.transfer(net, 80, domain=(1e-3, 2.5)), fp.transfer(net, 1200)
    assert coarse.error.mean == pytest.approx(abs(coarse.mean() - fine.mean()), rel=0.2)
    assert coarse.error.mean > 1e-12
    assert fine.error.mean < 1e-14
    assert fine.error.var < 1e-15


def test_cells_and_gth_agree_crudely_and_stay_positive():
    exact = fp.transfer(network("age", 0.02))
    crude = [exact.ulam(cells) for cells in (200, 400, 800)]
    assert all(p.values.min() >= 0 for p in crude)
    assert all(p.mass == pytest.approx(1.0) for p in crude)
    excess = [p.var() / exact.var() - 1.0 for p in crude]
    assert 0.5 > excess[0] > excess[1] > excess[2] > 2e-3  # numerical diffusion: first order
    assert fp.distance(crude[-1], exact.stationary(), "KS") < 0.02
    assert fp.distance(crude[-1], fp.transfer(network("age", 0.04)).stationary(), "KS") > 0.05


def test_a_law_forgets_its_start():
    net = network("age", 0.1, batch=8)
    exact = fp.transfer(net, 300)
    path = exact.evolve(fp.Point(0.4), [0, 1, 50, 400])
    assert path.times.tolist() == pytest.approx([0.0, 0.1, 5.0, 40.0])
    assert path.mass == pytest.approx(1.0, abs=1e-12)
    assert path[0].mean() == pytest.approx(0.4, rel=1e-12)
    assert path[0].var() == pytest.approx(0.0, abs=1e-11)
    m = (0.4 * net.data.x - net.data.y) * net.data.x
    once = 0.4 * (1.0 - 0.4 * m.mean() + 0.04 * (m.mean() ** 2 + m.var() / 8))
    assert path[1].mean() == pytest.approx(once, rel=1e-10)
    assert fp.distance(path[3], exact.stationary(), "KS") < 1e-9
    assert fp.distance(path[2], exact.stationary(), "KS") > 1e-3
    other = exact.evolve(fp.Gaussian(0.2, 0.02), 400)
    assert len(other) == 1
    assert other[0].mean() == pytest.approx(exact.mean(), rel=1e-9)
    assert exact.evolve(exact.stationary(), 3)[0].var() == pytest.approx(exact.var(), rel=1e-10)


def test_a_law_where_steps_pass_through_zero_is_averaged_over_grids():
    exact = fp.transfer(network("bmi", 0.05), 400)
    assert len(exact.parts) > 1
    assert exact.error.mean < 2e-6
    assert exact.mean() == pytest.approx(0.55078318, abs=1e-6)
    path = exact.evolve(fp.Point(0.58), [300])
    assert path[0].mean() == pytest.approx(exact.mean(), abs=1e-8)
    assert len(fp.transfer(network("bmi", 0.02), 300).parts) == 1


def test_the_density_has_all_that_densities_have(tmp_path):
    exact = fp.transfer(network("sex", HOT), 500)
    p = exact.stationary()
    assert fp.load(p.save(tmp_path / "law.npz")).mean() == pytest.approx(p.mean(), rel=1e-14)
    assert p.quantile(p.cdf(0.03)) == pytest.approx(0.03, rel=1e-6)
    assert fp.compare(p, p.sample(2000, seed=1), "KS", resamples=20).agrees
    assert exact.expect(np.log) == pytest.approx(p.expect(np.log), rel=1e-7)
    assert exact.expect(lambda v: v) == exact.mean()
    assert exact.moment(3, central=True) == pytest.approx(p.moment(3, central=True), rel=1e-9)
    assert repr(exact).startswith("ExactLaw(v: 500 nodes on [")
    with pytest.raises(ValueError, match="read-only"):
        exact.weights[0] = 1.0


# what is refused


def test_above_the_critical_temperature_all_mass_condenses():
    with pytest.raises(NotNormalizable, match="condenses at v = 0") as caught:
        fp.transfer(case.network(1.02))
    assert caught.value.end == "v -> 0"
    assert -1.05 < caught.value.exponent < -1.0
    assert fp.transfer(case.network(0.98), 400).kappa == pytest.approx(0.0104, rel=0.02)
    with pytest.raises(NotNormalizable, match="condenses at v = 0"):
        fp.transfer(network("age", 0.02, weight_decay=0.5))
    with pytest.raises(NotNormalizable, match="condenses at v = 0"):
        fp.transfer(network("age", 0.02, depth=2, weight_decay=0.1))


@pytest.mark.parametrize("rate", [0.2, 0.5, 2.0])
def test_a_learning_rate_without_a_law_is_refused(rate):
    with pytest.raises((NotConverged, NotNormalizable), match=r"no stationary law|leads upward everywhere"):
        fp.transfer(network("bmi", rate), 200)


def test_where_replicas_leave_rarely_the_law_is_that_of_those_left():
    with pytest.warns(TruncationWarning, match="of the mass leaves the stretch from v="):
        exact = fp.transfer(network("bmi", 0.1), 300)
    assert 1e-6 < exact.flux < 1e-5
    left = exact.evolve(fp.Point(0.5), [100, 400]).mass
    assert left[0] - left[1] == pytest.approx(300 * exact.flux, rel=0.05)
    with pytest.raises(NotConverged, match="in every step") as caught:
        fp.transfer(network("bmi", 0.15), 200)
    assert caught.value.best.flux > 1e-5


def test_deep_networks_thrown_near_zero_stay_there():
    with pytest.raises(NotConverged, match="where it hardly moves") as caught:
        fp.transfer(network("age", 0.05, depth=3), 400)
    assert caught.value.best.caught > 1e-4
    assert fp.transfer(network("age", 0.02, depth=3), 400).caught < 1e-12


def test_moments_that_do_not_exist_are_refused():
    heavy = fp.RandomMap(lambda x, a: a * x + 1.0, np.linspace(0.2, 1.5, 40), (0.5, 1e6), "log")
    exact = fp.transfer(heavy)
    a = heavy.atoms[0]
    assert exact.tail_exponent == heavy.tail_exponent
    assert np.mean(a ** (exact.tail_exponent - 1.0)) == pytest.approx(1.0, abs=1e-12)
    assert exact.mean() == pytest.approx(1.0 / (1.0 - a.mean()), rel=1e-9)
    assert exact.moment(2) == pytest.approx((1.0 + 2.0 * a.mean() * exact.mean()) / (1.0 - np.mean(a * a)), rel=3e-5)
    assert exact.error.var > 0.8 * abs(exact.moment(2) - 95.27896994651532) > 1e-4  # the tail beyond the top
    with pytest.raises(InvalidInput, match=r"moment of order 4 of x is infinite: P\(\|x\| > r\) falls as r\^-3\."):
        exact.moment(4)
    with pytest.raises(NotNormalizable, match="the map diverges"):
        fp.transfer(heavy.replace(atoms=np.linspace(0.8, 1.5, 40)))


def test_a_law_that_is_not_smooth_says_so():
    cantor = fp.RandomMap(lambda x, a: x / 3.0 + a, [-1.0, 1.0], (-2.0, 2.0))
    exact = fp.transfer(cantor)
    assert exact.var() == pytest.approx(9.0 / 8.0, rel=1e-11)
    with pytest.warns(ResolutionWarning, match="not smooth on these 1000 nodes"):
        exact.stationary()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fp.transfer(3), "model is int"),
        (lambda: fp.transfer(DiagonalNetwork.from_moments(fp.Moments(2, 2, 3, 1, 1), 0.1)), "no data"),
        (lambda: fp.transfer(DiagonalNetwork(fp.Regression([1.0, 2.0], [1.0, 2.0]))), "noise C\\(v\\) vanishes"),
        (lambda: fp.transfer(network("age", 0.02), 8), "nodes is 8"),
        (lambda: fp.transfer(network("age", 0.02), domain=(1.0, 1.0)), "two different v"),
        (lambda: fp.transfer(network("age", 0.02), domain=(-1.0, 1.0)), "coordinate reaches"),
        (lambda: fp.transfer(network("age", 0.02), domain=0.3), "give \\(lo, hi\\) in v"),
        (lambda: fp.transfer(network("age", 0.02), 100).evolve(fp.Point(0.2), [3, 3]), "steps that rise"),
        (lambda: fp.transfer(network("age", 0.02), 100).evolve(fp.Point(0.2), [-1]), "steps is -1"),
        (lambda: fp.transfer(network("age", 0.02), 100).evolve(fp.Point(50.0), [1]), "outside the grid"),
        (lambda: fp.transfer(network("age", 0.02), 100).ulam(3), "cells is 3"),
        (lambda: fp.transfer(network("age", 0.02), 100).moment(0), "order is 0"),
        (lambda: fp.transfer(fp.RandomMap(lambda x, a: np.where(x > 0.5, np.nan, 0.5 * x + a), [0.1, 0.2], (0.0, 1.0))),
         "step is nan at u=0.5"),
    ],
)  # fmt: skip
def test_messages_say_what_and_why(call, message):
    with pytest.raises(InvalidInput, match=message):
        call()


# closed forms corrected for the learning rate


def autoregressive(eta, atoms):
    return fp.RandomMap(lambda x, a: x - eta * (x - a), atoms, (-4.0, 4.0), time=eta)


def test_the_correction_is_of_second_order_in_the_learning_rate():
    atoms = np.random.Generator(np.random.Philox(2)).standard_normal(300)
    atoms -= atoms.mean()

    def errors(eta):
        rate = FiniteRate(autoregressive(eta, atoms))
        exact = eta * atoms.var() / (2.0 - eta)
        drift_alone = fp.stationary(
            fp.Problem(
                fp.Process(rate.process(corrected=True).drift, rate.process(corrected=False).diffusion), rate.grid
            )
        )
        return [abs(p.var() / exact - 1.0) for p in (rate.plain(), rate.corrected(), drift_alone)]

    (plain, corrected, alone), half = errors(0.1), errors(0.05)
    assert plain == pytest.approx(0.05, rel=0.1)
    assert np.log2(plain / half[0]) == pytest.approx(1.0, abs=0.1)
    assert np.log2(corrected / half[1]) == pytest.approx(2.0, abs=0.1)
    assert alone > 1.8 * plain  # the wrong way


def test_the_third_cumulant_is_what_a_diffusion_misses():
    atoms = np.random.Generator(np.random.Philox(3)).exponential(size=400)
    atoms -= atoms.mean()
    eta = 0.02
    exact = fp.transfer(autoregressive(eta, atoms))
    third = eta**3 * np.mean(atoms**3) / (1.0 - (1.0 - eta) ** 3)
    assert exact.moment(3, central=True) == pytest.approx(third, rel=1e-9)
    rate = FiniteRate(autoregressive(eta, atoms))
    assert abs(rate.corrected().moment(3, central=True)) < 1e-3 * third
    assert rate.third_order().moment(3, central=True) == pytest.approx(third, rel=0.5)
    p = exact.stationary()
    assert fp.distance(p, rate.third_order(), "KS") < 0.2 * fp.distance(p, rate.corrected(), "KS")


def test_corrections_say_where_they_do_not_hold():
    rate = FiniteRate(network("bmi", 0.05).random_map())
    assert not rate.holds
    assert rate.plain().mass == pytest.approx(1.0)
    with pytest.raises(InvalidInput, match=r"corrected diffusion d~ is -.* at v=.*coordinate='linear'"):
        rate.third_order()
    still = fp.RandomMap(lambda x, a: 0.9 * x + 0.0 * a, [1.0, 2.0], (-1.0, 1.0))
    with pytest.raises(InvalidInput, match="do not vary"):
        FiniteRate(still, (-1.0, 1.0)).drift(np.zeros(1))


# against real SGD

REAL = [  # column, learning rate, more, steps
    ("sex", HOT, {}, 400),
    ("age", 0.02, {}, 800),
    ("bmi", 0.02, {}, 400),
    ("bmi", 0.05, {}, 300),
    ("age", 0.1, dict(batch=8), 200),
    ("age", 0.02, dict(depth=2), 300),
]


@pytest.mark.slow
def test_a_million_replicas_of_real_sgd_follow_the_law_in_six_cases():
    p_values, wrong = [], {}
    for column, rate, how, steps in REAL:
        net = network(column, rate, **how)
        swarm = net.sgd(steps, 1_000_000, seed=11, start=net.minimum, progress=False)

        def p_value(net, swarm=swarm, start=net.minimum, steps=steps):
            law = fp.transfer(net).evolve(fp.Point(start), steps)[0]
            return fp.compare(law, swarm, "KS", resamples=20).p_value

        p_values.append(p_value(net))
        if not how:
            wrong.setdefault(column, []).append(p_value(network(column, 1.01 * rate)))
    holm = np.maximum.accumulate(np.sort(p_values) * np.arange(len(p_values), 0, -1))
    assert holm[0] > 0.01, p_values
    assert max(wrong["sex"] + wrong["age"]) < 1e-4  # a learning rate 1 % off is seen


def test_a_law_no_wider_than_a_step_has_a_density():
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    y = x + rng.normal(size=400)
    p = fp.transfer(fp.models.DiagonalNetwork(fp.Regression(x, y), learning_rate=0.01)).stationary()
    assert p.mass == pytest.approx(1.0, abs=1e-9)
