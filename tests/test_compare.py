"""Comparisons: the noise floor is what samples of the law make of it, and a departure beyond it is seen."""

import time

import numpy as np
import pytest
from scipy import stats

import fpsolve as fp
from fpsolve.compare import compare
from fpsolve.distance import METRICS, distance
from fpsolve.errors import InvalidInput
from fpsolve.laws import paired
from fpsolve.noise import resampled, same_law
from fpsolve.values.exact import ExactDensity
from fpsolve.values.swarm import Swarm

LINE = fp.Grid(x=(-9, 9, 120))
NORMAL = ExactDensity(lambda x: -(x**2) / 2, LINE)
LAW = paired(NORMAL, np.zeros(2))[0]
SIMULATED = [metric for metric in METRICS if metric != "KS"]


def draws(n, runs, seed=0, mean=0.0):
    return np.random.default_rng(seed).normal(mean, 1.0, size=(runs, n))


def test_the_floor_of_ks_is_kolmogorovs():
    answer = compare(NORMAL, draws(8000, 1)[0], "KS")
    assert answer.noise_floor == pytest.approx(stats.kstwo.ppf(0.95, 8000), rel=1e-12)
    assert answer.noise_floor == pytest.approx(0.0152, abs=1e-4)
    assert answer.smallest_departure == 2 * answer.noise_floor
    assert answer.p_value == pytest.approx(stats.kstest(draws(8000, 1)[0], "norm").pvalue, abs=5e-3)
    assert compare(NORMAL, draws(8000, 1)[0], "KS", level=0.5).noise_floor < 0.7 * answer.noise_floor


@pytest.mark.parametrize(("metric", "n"), [*((m, 60) for m in SIMULATED), ("TV", 2000), ("MMD", 1000)])
def test_simulated_noise_has_the_law_of_real_samples(metric, n):
    real = np.array([distance(x, NORMAL, metric) for x in draws(n, 60, seed=n)])
    simulated = same_law(LAW, n, metric, 400, np.random.default_rng(1))
    assert stats.ks_2samp(real, simulated).pvalue > 1e-3
    other = same_law(LAW, 3 * n, metric, 400, np.random.default_rng(2))  # the check notices another n
    assert stats.ks_2samp(real, other).pvalue < 1e-3


def test_simulated_noise_of_a_heavy_tail_has_the_law_of_real_samples():
    grid = fp.Grid(x=fp.Axis.sinh(-1e4, 1e4, 201, scale=0.5))
    student = ExactDensity(lambda x: -2 * np.log1p(x**2 / 3), grid)
    law = paired(student, np.zeros(2))[0]
    x = stats.t.rvs(3, size=(60, 100), random_state=5)
    real = np.array([distance(row, student, "W2") for row in x])
    simulated = same_law(law, 100, "W2", 1000, np.random.default_rng(1))
    assert stats.ks_2samp(real, simulated).pvalue > 1e-3


@pytest.mark.parametrize("metric", ["KS", "TV", "KL"])
def test_p_values_of_true_samples_are_uniform(metric):
    p = [compare(NORMAL, x, metric, resamples=99, seed=i).p_value for i, x in enumerate(draws(300, 50, seed=9))]
    assert stats.kstest(p, "uniform").pvalue > 1e-3
    shifted = [compare(NORMAL, x, metric, resamples=99).p_value for x in draws(300, 10, seed=9, mean=0.4)]
    assert stats.kstest(shifted, "uniform").pvalue < 1e-3


@pytest.mark.parametrize("metric", ["KS", "W1", "W2"])
def test_the_interval_holds_the_true_distance(metric):
    shift = 0.25
    truth = {"KS": 2 * stats.norm.cdf(shift / 2) - 1, "W1": shift, "W2": shift}[metric]
    found = [compare(NORMAL, x, metric, resamples=60).interval for x in draws(400, 25, seed=3, mean=shift)]
    held = np.mean([low <= truth <= high for low, high in found])
    assert held >= 0.9
    assert np.mean([low <= 2.5 * truth <= high for low, high in found]) < 0.5


@pytest.mark.parametrize("metric", ["KS", "TV"])
def test_the_smallest_departure_is_seen(metric):
    n = 400
    departure = compare(NORMAL, draws(n, 1)[0], metric, resamples=200).smallest_departure
    shift = 2 * stats.norm.ppf((1 + departure) / 2)  # by which KS and TV are the departure
    seen = [not compare(NORMAL, x, metric, resamples=40).agrees for x in draws(n, 40, seed=4, mean=shift)]
    assert np.mean(seen) >= 0.95
    hardly = [not compare(NORMAL, x, metric, resamples=40).agrees for x in draws(n, 40, seed=4, mean=shift / 8)]
    assert np.mean(hardly) < 0.5


@pytest.mark.parametrize("metric", METRICS)
def test_the_right_law_agrees_and_a_wrong_one_does_not(metric):
    x = draws(2000, 1, seed=4)[0]
    right = compare(NORMAL, x, metric, resamples=100)
    assert right.agrees
    assert 0.0 <= right.interval[0] <= right.value <= right.interval[1]
    wrong = compare(ExactDensity(lambda x: -((x - 0.3) ** 2) / 2, LINE), x, metric, resamples=100)
    assert not wrong.agrees
    assert wrong.p_value < 0.02


def test_resamples_scatter_about_the_samples_as_samples_about_their_law():
    x = np.sort(draws(2000, 1, seed=6)[0])
    samples = paired(NORMAL, x)[1]
    for metric in ("KS", "W1", "W2"):
        around = resampled(LAW, samples, metric, 60, np.random.default_rng(0))
        index = np.random.default_rng(0).integers(2000, size=2000)
        assert around[0] == pytest.approx(distance(np.array(x[index]), x, metric), rel=1e-9), metric


def test_resamples_of_kl_are_held_against_the_law():
    samples = paired(NORMAL, draws(2000, 1, mean=0.6)[0])[1]
    around = resampled(LAW, samples, "KL", 60, np.random.default_rng(0))
    assert np.median(around) == pytest.approx(0.6**2 / 2 + (60 - 1) / 2000, rel=0.15)  # with the bias of two samplings


def test_the_seed_decides_every_bit():
    x = draws(500, 1, seed=1)[0]
    for metric in METRICS:
        one, again, other = (compare(NORMAL, x, metric, resamples=50, seed=s) for s in (3, 3, 4))
        assert (one.interval, one.noise_floor, one.p_value) == (again.interval, again.noise_floor, again.p_value)
        assert one.interval != other.interval, metric


def test_it_prints_in_one_line():
    text = repr(compare(NORMAL, draws(8000, 1, seed=3)[0], "KS"))
    assert "\n" not in text
    assert "8000 samples: agrees with the law, whose own samples stay below 0.0152 (95 %)" in text
    assert "differs from the law, whose" in repr(compare(NORMAL, 0.2 + draws(8000, 1)[0], "KS"))


@pytest.mark.parametrize(("metric", "few", "enough"), [("KS", 6, 7), ("TV", 10, 400), ("hellinger", 10, 400)])
def test_samples_too_few_to_differ_do_not_agree(metric, few, enough):
    undecided = compare(NORMAL, draws(few, 1, seed=5)[0], metric, resamples=100)
    assert undecided.verdict == "undecided"
    assert not undecided.agrees
    assert f"{few} samples: undecided, {few} cannot tell it from the law" in repr(undecided)
    assert "is the most there is" in repr(undecided)
    assert compare(NORMAL, draws(enough, 1, seed=5)[0], metric, resamples=100).verdict == "agrees"


def test_one_sample_far_away_differs():
    assert compare(NORMAL, [0.0]).verdict == "undecided"
    assert compare(NORMAL, [7.0]).verdict == "differs"


def test_a_swarm_is_taken_at_a_time():
    positions = np.stack([draws(500, 1, mean=2.0)[0], draws(500, 1)[0]])[:, :, None]
    swarm = Swarm(("x",), [0.0, 1.0], positions)
    assert compare(NORMAL, swarm).agrees
    assert not compare(NORMAL, swarm, t=0.0).agrees


def test_binned_metrics_compare_two_coordinates():
    plane = fp.Grid(u=(-6, 6, 24), w=(-6, 6, 24))
    p = ExactDensity(lambda u, w: -(u**2) / 2 - w**2 / 2, plane).density
    x = p.sample(3000, seed=1)
    for metric in ("TV", "hellinger"):
        assert compare(p, x, metric, resamples=50).agrees
        assert not compare(p, x + 0.2, metric, resamples=50).agrees
    with pytest.raises(InvalidInput, match="MMD needs one dimension"):
        compare(p, x, "MMD")


def test_requests_that_make_no_sense_are_refused():
    x = draws(50, 1)[0]
    heavy = ExactDensity(lambda x: -1.25 * np.log1p(x**2), fp.Grid(x=fp.Axis.sinh(-1e4, 1e4, 201)))
    for message, arguments, options in [
        ("the nearest is 'KS'", (NORMAL, x, "K-S"), {}),
        ("resamples is 3", (NORMAL, x), {"resamples": 3}),
        ("seed is -1; give a whole number >= 0", (NORMAL, x), {"seed": -1}),
        ("seed is 1.5", (NORMAL, x), {"seed": 1.5}),
        ("level is 95; it must lie between 0 and 1", (NORMAL, x), {"level": 95}),
        ("a density and then a swarm or samples, not ExactDensity and ExactDensity", (NORMAL, NORMAL), {}),
        ("a density and then a swarm or samples, not ndarray and ExactDensity", (x, NORMAL), {}),
        (r"W2 between p and any samples is infinite: p ~ \|x\|\^-2.5 at its lower end", (heavy, x, "W2"), {}),
    ]:
        with pytest.raises(InvalidInput, match=message):
            compare(*arguments, **options)


def test_a_hundred_thousand_samples_take_seconds():
    x = draws(100_000, 1)[0]
    started = time.process_time()
    assert compare(NORMAL, x, "KS").agrees
    assert time.process_time() - started < 5.0  # about 1 s on one core
