"""What every one-step method keeps: its order whether L moves or not, an honest estimate, mass, and bounds on input."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from steppers import double_well, orders, swinging

import fpsolve as fp
from fpsolve.methods.flow import Flow
from fpsolve.methods.march import Method, march

SECOND = [fp.SDIRK2, fp.TRBDF2]
METHODS = [fp.BackwardEuler, *SECOND]
STEPS = (0.1, 0.05, 0.025, 0.0125)  # none of them halved where masses would be negative
MOVED = {}


def moved():
    """The swinging generator, its masses, and those at t = 1, to nine digits."""
    if not MOVED:
        L, m0 = swinging()
        exact = solve_ivp(lambda t, m: L(t).apply(m), (0, 1), m0, method="Radau", rtol=1e-9, atol=1e-12).y[:, -1]
        MOVED["known"] = L, m0, exact
    return MOVED["known"]


@pytest.mark.parametrize("method", METHODS)
def test_the_order_against_the_exponential(method):
    L, m0 = double_well()
    exact = expm(L.rates().toarray()) @ m0
    errors = [np.abs(march(method(dt=dt), L, m0, [1.0])[0][0] - exact).sum() for dt in STEPS]
    assert orders(errors) == pytest.approx(method.order, abs=0.1)
    assert errors[-1] < (3e-6 if method.order == 2 else 3e-3)


@pytest.mark.parametrize("method", METHODS)
def test_the_order_where_the_generator_moves(method):
    L, m0, exact = moved()

    def error(generator, dt):
        return np.abs(method(dt=dt).states(generator, m0, [1.0])[0][0] - exact).sum()

    errors = [error(L, dt) for dt in STEPS[:3]]
    assert orders(errors) == pytest.approx(method.order, abs=0.1)
    assert errors[-1] < (2e-4 if method.order == 2 else 3e-2)
    assert error(L(0.5), 0.025) > 0.05  # the control: coefficients frozen half way


@pytest.mark.parametrize("method", SECOND)
@pytest.mark.parametrize("generator", [double_well, swinging])
def test_the_estimate_is_the_local_error(method, generator):
    """Asymptotically the same; SDIRK2's is of the same size only where the generator moves."""
    (L, m0), h = generator(), 0.02
    flow = Flow(L)
    new, estimate = method().step(flow, 0.0, h, m0, True)
    exact = solve_ivp(flow.apply, (0, h), m0, method="Radau", rtol=1e-11, atol=1e-14).y[:, -1]
    error = np.abs(exact - new).sum()
    rough = method is fp.SDIRK2 and generator is swinging
    assert np.abs(estimate).sum() == pytest.approx(error, rel=0.8 if rough else 0.2)
    assert error > 1e-8


@pytest.mark.parametrize("method", METHODS)
def test_mass_is_kept_to_rounding_in_long_stiff_runs(method):
    L, m0 = double_well(1001)
    rows, _ = method(dt=0.05).states(L, m0, [1.0, 20.0])
    assert rows.sum(axis=1) == pytest.approx(m0.sum(), abs=1e-12 if method is fp.BackwardEuler else 1e-13)


@pytest.mark.parametrize("method", METHODS)
def test_it_is_a_method_and_a_value(method):
    assert isinstance(method(), Method)
    assert method(rtol=1e-5) == method(rtol=1e-5)
    assert repr(method(dt=0.5, rtol=1e-3)) == f"{method.__name__}(dt=0.5, rtol=0.001)"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dt", [0.0, -1.0, np.nan, np.inf, "fast", True])
def test_row_30_a_step_must_be_positive_and_finite(method, dt):
    with pytest.raises(fp.InvalidInput, match="dt is"):
        method(dt=dt)


@pytest.mark.parametrize("method", METHODS)
def test_row_30_a_step_beyond_the_end_is_refused(method):
    L, m0 = double_well()
    with pytest.raises(fp.InvalidInput, match="dt is 2 but the run lasts 1"):
        method(dt=2.0).states(L, m0, [0.5, 1.0])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("rtol", [0.0, -1e-3, 1.0, np.nan])
def test_row_32_rtol_lies_between_0_and_1(method, rtol):
    with pytest.raises(fp.InvalidInput, match="rtol is"):
        method(rtol=rtol)
