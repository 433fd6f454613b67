"""Plots of what was measured: each draws its estimate on the Axes it is given, and says what it is."""

import matplotlib as mpl
import numpy as np
import pytest
from noises import stable

from fpsolve import measure

mpl.use("Agg")
import matplotlib.pyplot as plt

RNG = np.random.default_rng(1)
DRAWS = RNG.normal(size=(2000, 2)) * [1.0, 2.0]
WALK = np.cumsum(RNG.normal(size=(101, 60)), axis=0)
STEPS = np.array([DRAWS, 0.9 * DRAWS + 0.1 * RNG.normal(size=DRAWS.shape)])
LINE = measure.kramers_moyal(STEPS[:, :, 0], bins=6)
VALUES = {
    "covariance": (measure.sample_covariance(DRAWS), "effective rank", (True, False)),
    "anisotropy": (measure.anisotropy(np.eye(2)), "effective rank 2 of 2", (True, False)),
    "alignment": (measure.alignment(measure.sample_covariance(DRAWS), np.diag([1.0, 3.0])), "cosine", (True, True)),
    "characteristic": (measure.tail_index(stable(RNG, 1.5, 2000)), "|phi(u)|", (False, True)),
    "hill": (measure.tail_index(stable(RNG, 1.2, 2000), "hill"), "Hill", (False, True)),
    "bounded": (measure.tail_index(RNG.choice([-1.0, 1.0], 2000), "hill"), "bounded: no tail", (False, False)),
    "autocorrelation": (measure.autocorrelation(WALK[:, :1]), "white noise, 95 %", (False, False)),
    "displacement": (measure.mean_square_displacement(WALK), "60 replicas", (True, True)),
    "drift": (LINE, "drift", (False, False)),
    "plane": (measure.kramers_moyal_plane(STEPS, bins=(5, 5)), "drift", (False, False)),
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_every_value_draws_itself(value):
    value, text, logs = value
    figure, ax = plt.subplots()
    assert value.plot(ax) is ax
    assert any(text in entry.get_text() for entry in ax.get_legend().get_texts())
    assert (ax.get_yscale() == "log", ax.get_xscale() == "log") == logs
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    lines = len(ax.lines)
    value.plot(ax, label="again", log=False)
    assert len(ax.lines) > lines
    assert any("again" in entry.get_text() for entry in ax.get_legend().get_texts())
    figure.canvas.draw()
    plt.close(figure)


def test_the_diffusion_is_drawn_where_it_is():
    figure, ax = plt.subplots()
    LINE.plot_diffusion(ax)
    assert ax.lines[0].get_ydata() == pytest.approx(LINE.diffusion)
    LINE.plot(ax)
    assert ax.lines[-2].get_ydata() == pytest.approx(LINE.drift)
    plt.close(figure)


def test_every_value_prints_in_one_line():
    for value, _, _ in VALUES.values():
        assert "\n" not in repr(value)
        assert repr(value).startswith(type(value).__name__)
