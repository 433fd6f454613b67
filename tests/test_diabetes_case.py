"""The main job: real SGD on real data follows the Fokker-Planck law and not the Gaussian."""

import pytest

import fpsolve as fp
from cases import diabetes_sgd as case

PRINTED = {0.3: (0.03014358766, 0.0007788186766), 0.6: (0.01722492264, None)}


@pytest.fixture(scope="module")
def results():
    return case.solve(fractions=(0.3,), replicas=4000, seed=1)


@pytest.mark.parametrize("fraction", PRINTED)
def test_fokker_planck_moments_to_10_digits(fraction):
    mean, variance = PRINTED[fraction]
    p = fp.stationary(case.problem(fraction))
    assert p.mean() == pytest.approx(mean, rel=5e-10)
    assert variance is None or p.var() == pytest.approx(variance, rel=5e-10)


@pytest.mark.slow
def test_real_sgd_agrees_with_fokker_planck_and_not_with_the_gaussian(results):
    close = fp.compare(results["fokker_planck_0.3"], results["sgd_0.3"], "KS", resamples=100)
    far = fp.compare(results["gaussian_0.3"], results["sgd_0.3"], "KS", resamples=100)
    assert close.value < 1.2 * close.noise_floor
    assert far.value > 10 * far.noise_floor


@pytest.mark.slow
def test_table_and_figure_show_every_law(results):
    text = case.table(results)
    assert all(label in text for label in case.LABELS.values())
    assert "differs from SGD" in text
    assert len(case.figure(results).axes) == 2


def test_unknown_column_names_the_known_ones():
    with pytest.raises(fp.InvalidInput, match="has sex, age, bmi"):
        case.regression("height")
