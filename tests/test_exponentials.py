"""Sums of exponentials are the power they stand for, to the error asked for, with positive weights."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpsolve.exponentials import sum_of_exponentials


def error(power, r0, R, eps, of=None):
    rates, weights = sum_of_exponentials(power, r0, R, eps)
    r = np.geomspace(r0, R, 400)
    return np.abs(np.exp(-np.outer(r, rates)) @ weights * r ** (of or power) - 1).max()


@settings(deadline=None, max_examples=60)
@given(st.floats(0.02, 3.0), st.floats(-12, 6), st.floats(0, 12), st.floats(-14, -3))
def test_the_error_is_what_was_asked_for(power, start, decades, digits):
    r0, eps = 10.0**start, 10.0**digits
    assert error(power, r0, r0 * 10.0**decades, eps) < eps + 1e-14


@pytest.mark.parametrize("power", [0.1, 0.7, 1.5, 2.9])
def test_terms_grow_with_the_logarithm_of_the_range(power):
    sizes = []
    for decades in (2, 4, 6, 8):
        rates, weights = sum_of_exponentials(power, 1.0, 10.0**decades, 1e-10)
        assert rates.min() >= 0
        assert weights.min() >= 0
        sizes.append(rates.size)
    assert np.ptp(np.diff(sizes)) <= 1
    assert sizes[-1] < 100


def test_another_power_is_noticed():
    assert error(0.7, 1e-3, 1e3, 1e-10, of=0.7000001) > 1e-8
    assert error(0.7, 1e-3, 1e3, 1e-3) > 1e-5  # an error that is allowed is used
