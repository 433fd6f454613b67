"""Bands of samples: they hold the whole law as often as they say, where one standard error per bin does not."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from fpsolve.plot_band import LEVEL, beyond, draw_beyond, draw_in_bins, in_bins

RUNS, SIZE = 400, 500
EDGES = np.linspace(0.0, 4.0, 31)
SHARES = np.exp(-EDGES[:-1]) - np.exp(-EDGES[1:])  # of an exponential law
FEWEST = LEVEL - 3.0 * np.sqrt(LEVEL * (1.0 - LEVEL) / RUNS)


@pytest.fixture(scope="module")
def runs():
    return np.random.default_rng(1).exponential(size=(RUNS, SIZE))


def coverage(runs, bounds):
    """How often the bounds hold every bin's probability."""
    inside = 0
    for x in runs:
        low, high = bounds(np.histogram(x, EDGES)[0])
        inside += bool(np.all((low <= SHARES) & (high >= SHARES)))
    return inside / len(runs)


def test_bins_hold_the_whole_law(runs):
    assert coverage(runs, lambda counts: in_bins(counts, SIZE)) >= FEWEST


def test_standard_errors_bin_by_bin_do_not(runs):
    def two_errors(counts):
        return (counts - 2.0 * np.sqrt(counts)) / SIZE, (counts + 2.0 * np.sqrt(counts)) / SIZE

    assert coverage(runs, two_errors) < 0.5


def test_steps_between_order_statistics_hold_the_whole_tail(runs):
    inside = wrong = 0
    for x in runs:
        at, _, low, high = beyond(x)
        here, there = np.exp(-at), np.exp(-1.15 * at)
        inside += bool(np.all((low <= here) & (here <= high)))
        wrong += bool(np.all((low <= there) & (there <= high)))
    assert inside / RUNS >= FEWEST
    assert wrong / RUNS < inside / RUNS - 0.05  # a rate 15 % off is seen


def test_empty_and_full_bins_have_bounds():
    low, high = in_bins([0, 50], 50)
    assert low[0] == 0.0
    assert 0.0 < high[0] < 0.15
    assert 0.85 < low[1] < 1.0
    assert high[1] == 1.0


def test_drawn_bands_enclose_what_they_are_about(runs):
    ax = Figure().add_subplot()
    draw_in_bins(ax, runs[0], EDGES, label="in bins")
    draw_beyond(ax, runs[0], colour="black", label="beyond")
    assert ax.get_legend_handles_labels()[1] == ["in bins", "beyond"]
    corners = ax.collections[-1].get_paths()[0].vertices
    assert corners[:, 0].min() == runs[0].min()
    assert corners[:, 0].max() == runs[0].max()
    assert corners[:, 1].min() > 0.0
