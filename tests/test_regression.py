"""Data and moments: right to the last digits on the bundled data, and every impossible input told."""

import csv
from pathlib import Path

import numpy as np
import pytest

from fpsolve.errors import InvalidInput
from fpsolve.models import Moments, Regression

DIABETES = Path(__file__).parent.parent / "cases" / "data" / "diabetes.csv"
PRINTED = {  # alpha1, alpha2, alpha3, beta2 of the z-scored columns
    "sex": (0.016116764312879, 0.000694020079886, 1.0023207177727, 0.043061998451605),
    "age": (1.32280130990125, 0.210430049269316, 0.841242533228871, 0.18788875071892),
    "bmi": (2.08047812866813, 1.17729733200561, 1.21037946547769, 0.586450134474688),
}


def column(name):
    with DIABETES.open(newline="") as lines:
        return np.array([float(row[name]) for row in csv.DictReader(lines)])


@pytest.mark.parametrize("name", PRINTED)
def test_moments_of_the_diabetes_data_to_12_digits(name):
    data = Regression(column(name), column("progression")).standardized()
    m = data.moments
    assert data.n == 442
    assert np.allclose((m.alpha1, m.alpha2, m.alpha3, m.beta2), PRINTED[name], rtol=1e-12, atol=0.0)
    assert m.beta1 == pytest.approx(1.0, abs=1e-14)


def test_unscaled_data_have_other_moments():
    assert Regression(column("age"), column("progression")).moments.beta1 > 2000


def test_gradient_variance_is_that_of_the_samples():
    data = Regression.synthetic(500, slope=0.7, noise=0.5, seed=3)
    for v in (-1.0, 0.3, 2.0):
        gradients = 2.0 * (v * data.x - data.y) * data.x
        assert np.var(gradients) == pytest.approx(4.0 * data.moments.gradient_variance(v), rel=1e-12)


def test_synthetic_moments_tend_to_the_normal_ones():
    m = Regression.synthetic(400_000, seed=1).moments
    assert np.allclose((m.alpha1, m.alpha2, m.alpha3, m.beta1, m.beta2), (2, 2, 3, 1, 1), atol=0.05)


def test_mirrored_moments_are_those_of_minus_y():
    data = Regression.synthetic(100, seed=2)
    mirrored, direct = data.moments.mirrored(), Regression(data.x, -data.y).moments
    assert np.allclose((mirrored.alpha2, mirrored.beta2), (direct.alpha2, direct.beta2), rtol=1e-12)


def test_data_are_copied_and_read_only():
    x = np.array([1.0, 2.0, 4.0])
    data = Regression(x, [0.0, 1.0, 5.0])
    x[0] = 9.0
    assert data.x[0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        data.x[0] = 3.0


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([], [], "x is empty"),
        ([1.0, np.nan, 2.0], [1.0, 2.0, 3.0], r"x\[1\] is nan \(1 of 3"),
        ([1.0, 2.0, 3.0], [1.0, 2.0, np.inf], r"y\[2\] is inf"),
        ([2.0, 2.0, 2.0], [1.0, 2.0, 3.0], r"x is constant \(2 in all 3 samples\)"),
        ([1.0, 2.0, 3.0], [4.0, 4.0, 4.0], "y is constant"),
        ([1.0, 2.0, 3.0], [1.0, 2.0], "x has 3 samples and y has 2"),
        ([[1.0, 2.0]], [1.0, 2.0], r"x has shape \(1, 2\)"),
        (["a", "b"], [1.0, 2.0], "x has dtype"),
    ],
)
def test_bad_data_are_refused_with_their_place(x, y, message):
    with pytest.raises(InvalidInput, match=message):
        Regression(x, y)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((np.nan, 0, 1, 1, 1), "alpha1 is nan"),
        ((-1, 0, 1, 1, 1), "alpha1 is -1; it is the variance"),
        ((1, 0, -2, 1, 1), "alpha3 is -2"),
        ((1, 0, 1, 0, 1), "beta1 is 0"),
        ((1, 1.1, 1, 1, 1), "smaller than alpha2"),
    ],
)
def test_impossible_moments_are_refused(values, message):
    with pytest.raises(InvalidInput, match=message):
        Moments(*values)


def test_perfectly_correlated_moments_are_allowed_within_rounding():
    assert Moments(1.0, 1.0 + 1e-14, 1.0, 1.0, 1.0).determinant == 0.0


@pytest.mark.parametrize("arguments", [dict(n=1), dict(n=10, seed=-1), dict(n=10, noise=-1.0), dict(n=2.5)])
def test_synthetic_refuses_bad_arguments(arguments):
    with pytest.raises(InvalidInput):
        Regression.synthetic(**arguments)


def test_prints_in_one_line():
    assert repr(Regression.synthetic(50, seed=1)).startswith("Regression(50 samples; E[x^2]")
    assert repr(Moments(2, 2, 3, 1, 1)) == "Moments(alpha1=2, alpha2=2, alpha3=3, beta1=1, beta2=1)"
