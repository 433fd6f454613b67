"""The central flow: gradient flow below the edge of stability, and along it once there."""

import numpy as np
import pytest

import fpsolve as fp
from fpsolve.models import CentralFlow


def sharpening(x, y, rate=0.02):
    """L = x y^2/2 - rate x: lambda_max = x at y = 0."""
    return y**2 / 2 - rate, x * y


def test_below_the_edge_it_is_the_gradient_flow():
    flow = CentralFlow(sharpening, learning_rate=0.05)
    assert flow.sharpness(3.0, 0.0) == pytest.approx(3.0, rel=1e-9)
    assert flow.oscillation(3.0, 0.0) == 0.0
    path = flow.path((3.0, 0.5), [1.0]).positions[0, 0]
    x, y = 3.0, 0.5
    for _ in range(4000):  # Heun, a quarter of a thousandth at a time
        g = np.array(sharpening(x, y))
        ahead = np.array(sharpening(*(np.array([x, y]) - 2.5e-4 * g)))
        x, y = np.array([x, y]) - 1.25e-4 * (g + ahead)
    assert path == pytest.approx([x, y], rel=5e-5)


@pytest.mark.parametrize("rate", [0.01, 0.05])
def test_at_the_edge_the_oscillation_balances_the_sharpening(rate):
    flow = CentralFlow(lambda x, y: sharpening(x, y, rate), learning_rate=0.5)
    assert flow.oscillation(4.0, 0.0) == pytest.approx(2.0 * rate, rel=1e-8)
    assert flow.path((3.99, 0.0), [3.0]).positions[0, 0] == pytest.approx([4.0, 0.0], abs=2e-3)
    assert CentralFlow(lambda x, y: sharpening(x, y, rate), 0.4).oscillation(4.0, 0.0) == 0.0  # its edge is at 5


def test_beyond_the_edge_it_leads_back():
    flow = CentralFlow(sharpening, learning_rate=0.5)
    x = flow.path((4.3, 0.0), [5.0, 20.0]).positions[:, 0, 0]
    assert 4.3 > x[0] > x[1] > 4.0


def test_it_is_a_drift():
    flow = CentralFlow(sharpening, learning_rate=0.5)
    assert fp.generator(fp.Problem(flow.process(0.01), fp.Grid(x=(3.0, 5.0, 16), y=(-1.0, 1.0, 16)))).is_markov
    plain = fp.Process(lambda x, y: tuple(-part for part in sharpening(x, y)), 0.01)
    assert flow.velocity(3.5, 0.2) == pytest.approx(plain.drift(3.5, 0.2), rel=1e-12)


def test_descent_that_diverges_is_told():
    with pytest.raises(fp.NotConverged, match="diverges after") as caught:
        CentralFlow(lambda x: (4.0 * x,), 1.0, names=("x",)).descent(1.0, 100)
    assert caught.value.best.positions.shape[1:] == (1, 1)


@pytest.mark.parametrize(
    "arguments",
    [
        dict(learning_rate=0.0),
        dict(learning_rate=np.nan),
        dict(names=("x", "y", "z")),
        dict(names="xy"),
        dict(gradient=lambda x, y: x),
    ],
)
def test_bad_input_is_refused(arguments):
    with pytest.raises(fp.InvalidInput):
        CentralFlow(**{"gradient": sharpening, "learning_rate": 0.5, **arguments})


def test_a_start_of_another_shape_is_refused():
    with pytest.raises(fp.InvalidInput, match="start is"):
        CentralFlow(sharpening, 0.5).path((1.0,), [1.0])
