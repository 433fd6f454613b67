"""Paired scores: Holm's rule by hand, a proper score, and preferences that are there, or are not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fpsolve as fp
from fpsolve.paired_scores import holm, preference, scores


def normal(variance, cells=400):
    return fp.stationary(fp.Problem(fp.Process(lambda x: -x, variance), fp.Grid(x=(-8, 8, cells))))


TRUE, NEAR, FAR = normal(1.0), normal(1.1), normal(1.5)


def test_holms_rule_by_hand():
    # sorted .005, .01, .03, .04; times 4, 3, 2, 1 they are .02, .03, .06, .04; none below the one before it
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == pytest.approx([1.0, 1.0])
    assert holm(0.2) == pytest.approx([0.2])


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12))
def test_corrected_p_values_keep_their_order_and_lie_between_one_and_m_times_as_large(p):
    found, p = holm(p), np.array(p)
    assert np.all((found >= p) & (found <= np.minimum(1.0, p.size * p)))
    assert np.all(np.diff(found[np.argsort(p, kind="stable")]) >= 0)


@pytest.mark.parametrize("wrong", [[-0.1, 0.2], [0.5, 1.1], [np.nan], [[0.1, 0.2]]])
def test_what_is_no_probability_is_refused(wrong):
    with pytest.raises(fp.InvalidInput, match="between 0 and 1"):
        holm(wrong)


def test_the_score_is_the_integral_that_it_says():
    y = np.asarray(TRUE.quantile((np.arange(1000) + 0.5) / 1000))
    for x in (-0.7, 0.0, 2.0):
        plain = np.mean((np.asarray(FAR.cdf(y)) - (x <= y)) ** 2)
        assert scores(FAR, np.array([x]), TRUE)[0] == pytest.approx(plain, rel=1e-12)


@settings(max_examples=20)
@given(st.floats(0.5, 2.0), st.floats(-1.0, 1.0))
def test_the_score_is_proper(variance, shift):
    other = fp.stationary(fp.Problem(fp.Process(lambda x: shift - x, variance), fp.Grid(x=(-12, 12, 200))))
    samples = np.asarray(
        TRUE.quantile((np.arange(4000) + 0.5) / 4000)
    )  # every law is scored by the true one's quantiles
    for common in (TRUE, FAR):
        assert scores(TRUE, samples, common).mean() <= scores(other, samples, common).mean() + 1e-7


def test_samples_prefer_their_own_law():
    samples = TRUE.sample(20_000, seed=1)
    own = scores(TRUE, samples, TRUE)
    assert own.mean() < scores(FAR, samples, TRUE).mean()
    assert preference(own, scores(FAR, samples, TRUE)) < 1e-6
    own_of_far = scores(FAR, FAR.sample(20_000, seed=1), TRUE)
    assert own_of_far.mean() < scores(TRUE, FAR.sample(20_000, seed=1), TRUE).mean()  # as the other law's do


def test_few_samples_prefer_nothing():
    samples = TRUE.sample(200, seed=2)
    assert preference(scores(TRUE, samples, TRUE), scores(NEAR, samples, TRUE)) > 0.01
    assert preference(scores(TRUE, samples, TRUE), scores(TRUE, samples, TRUE)) == 1.0


@pytest.mark.slow
def test_p_values_are_uniform_where_two_laws_are_equally_far():
    left, right = (
        fp.stationary(fp.Problem(fp.Process(lambda x, s=s: s - x, 1.0), fp.Grid(x=(-8, 8, 400)))) for s in (-0.2, 0.2)
    )
    found = []
    for seed in range(100):
        samples = TRUE.sample(300, seed=seed)
        found.append(preference(scores(left, samples, TRUE), scores(right, samples, TRUE)))
    assert fp.distance(np.array(found), np.random.default_rng(0).random(200_000), "KS") < 0.195  # 1.95/sqrt(100)
    assert np.mean(np.array(found) < 0.05) < 0.13
