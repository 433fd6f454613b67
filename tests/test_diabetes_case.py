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
    assert all(word in case.HEADINGS for word in ("T_c", "95 % level", "visible from", "tail"))
    drawing = case.figure(results)
    assert all(ax.get_title(loc="left") for ax in drawing.axes)
    assert len(drawing.legends[0].get_texts()) == 5


def test_the_tail_column_tells_a_law_whose_tail_is_too_light():
    p = fp.ExactDensity(lambda x: -(x**2) / 2, fp.Grid(x=(-9, 9, 200)))
    x = p.density.sample(100_000, seed=1)
    count = float(case._tail(p, x).split()[0])
    assert abs(count - 1.0) < 3 * 0.1
    assert float(case._tail(p, 1.2 * x).split()[0]) > 1.0 + 10 * 0.1


def test_unknown_column_names_the_known_ones():
    with pytest.raises(fp.InvalidInput, match="has sex, age, bmi"):
        case.regression("height")
