"""Plots: what is drawn, on which scale, in which colour; overlays share one Axes."""

import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import LogNorm, to_hex

import fpsolve as fp
from fpsolve import plot
from fpsolve.errors import InvalidInput
from fpsolve.plot_band import in_bins
from fpsolve.plot_line import MOST_TICKS, STROKES, strokes_by_colour
from fpsolve.tails import hill, local_exponent
from fpsolve.values.exact import ExactDensity
from fpsolve.values.field import Field
from fpsolve.values.swarm import Swarm

mpl.use("Agg")
pytestmark = pytest.mark.usefixtures("figures_closed")

WELL = fp.stationary(fp.Problem(fp.Process(lambda x: x - x**3, 0.25), fp.Grid(x=(-3, 3, 200))))
LAW = ExactDensity(lambda x: -(x**4 / 4 - x**2 / 2) / 0.25, WELL.grid, "exp(-U/D)")
GAMMA = ExactDensity(lambda v: -0.5 * np.log(v) - v, fp.Grid(v=fp.Axis.log(1e-8, 1e8, 300)), "Gamma")
CAUCHY = ExactDensity(lambda x: -np.log1p(x**2), fp.Grid(x=fp.Axis.sinh(-1e4, 1e4, 301, scale=0.5)))
PLANE = fp.Grid(u=(-4, 4, 40), w=(-5, 5, 30))
NORMAL = ExactDensity(lambda u, w: -(u**2 + w**2) / 2, PLANE)


def swarm_of(p, n=2000, name="x"):
    return Swarm((name,), [0.0, 1.0], np.stack([p.sample(n, seed=1) + 100, p.sample(n, seed=2)])[:, :, None])


def tagged(ax, gid):
    return [artist for artist in (*ax.lines, *ax.patches) if artist.get_gid() == gid]


def test_density_swarm_and_closed_form_overlay_on_one_axes(axes):
    assert WELL.plot(axes, label="Fokker-Planck") is axes
    assert swarm_of(WELL).plot(axes) is axes
    assert LAW.plot(axes) is axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["Fokker-Planck", "2000 samples", "exp(-U/D)"]
    (line,), (law,) = tagged(axes, plot.DENSITY), tagged(axes, plot.EXACT)
    assert np.array_equal(line.get_ydata(), WELL.values)
    assert line.get_linestyle() == "-"
    assert law.get_linestyle() != "-"
    assert law.get_color() == "black"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x", "p(x) (per unit of x)")
    assert axes.get_xlim() == (-3.0, 3.0)
    assert axes.get_ylim()[0] == 0.0


def test_the_ith_histogram_has_the_colour_of_the_ith_density(axes):
    for i in range(3):
        WELL.plot(axes)
        swarm_of(WELL).plot(axes)
        assert tagged(axes, plot.DENSITY)[i].get_color() == plot.PALETTE[i]
        assert to_hex(tagged(axes, plot.HISTOGRAM)[i].get_facecolor()).upper() == plot.PALETTE[i]
    assert len(set(plot.PALETTE)) == 7


@pytest.mark.parametrize(("value", "scale"), [(GAMMA, "log"), (CAUCHY, "asinh"), (LAW, "linear")])
def test_scales_are_those_of_the_grid(value, scale):
    for drawn in (value, value.density):
        ax = drawn.plot()
        assert ax.get_xscale() == scale
        assert ax.get_yscale() == ("linear" if scale == "linear" else "log")
        assert drawn.plot(log=False).get_xscale() == "linear"
        assert drawn.plot(log=False).get_yscale() == "linear"
        assert drawn.plot(log=True).get_yscale() == "log"


def test_a_sinh_axis_is_drawn_as_it_is_mapped_and_so_without_corners():
    ax, axis = CAUCHY.plot(), CAUCHY.grid.axes[0]
    places = ax.xaxis.get_transform().transform(axis.nodes)
    assert np.diff(places) == pytest.approx(np.diff(places)[0], rel=1e-6)
    low, high = ax.get_xlim()
    ticks = np.array([x for x in ax.get_xticks() if low <= x <= high])
    assert 3 <= ticks.size <= MOST_TICKS + 2
    assert 0.0 in ticks
    apart = np.diff(ax.xaxis.get_transform().transform(ticks)) / np.ptp(places)
    assert apart.min() > 0.03  # labels do not overlap


def test_overlays_keep_the_scales_that_are_there(axes):
    GAMMA.density.plot(axes, log=False)
    GAMMA.plot(axes)
    swarm_of(GAMMA.density, name="v").plot(axes)
    assert (axes.get_xscale(), axes.get_yscale()) == ("linear", "linear")
    assert axes.get_xlim()[1] < 20.0  # where the mass is, not 1e8


@pytest.mark.parametrize("value", [GAMMA, CAUCHY, LAW])
def test_logarithmic_plots_show_a_sensible_range(value):
    ax = value.plot(log=True)
    low, high = ax.get_ylim()
    shown = (value.density.grid.nodes[0] >= ax.get_xlim()[0]) & (value.density.grid.nodes[0] <= ax.get_xlim()[1])
    peak = value.density.values[shown].max()
    assert peak < high < 10 * peak
    assert 4 <= np.log10(peak / low) <= 20
    assert value.density.masses[shown].sum() > 1 - 1e-3


def test_a_second_density_widens_the_limits(axes):
    narrow = ExactDensity(lambda x: -50 * x**2, fp.Grid(x=(-1, 1, 100))).density
    narrow.plot(axes, log=True)
    low = axes.get_ylim()[0]
    WELL.plot(axes, log=True)
    assert axes.get_xlim() == (-3.0, 3.0)
    assert axes.get_ylim()[0] <= low
    narrow.plot(axes, log=True)
    assert axes.get_xlim() == (-3.0, 3.0)


@pytest.mark.parametrize("value", [LAW, GAMMA, CAUCHY])
def test_histograms_are_normalised_as_the_density_is(value, axes):
    p = value.density
    p.plot(axes)
    x = p.sample(20_000, seed=3)
    plot.histogram(x, axes)
    (bars,) = tagged(axes, plot.HISTOGRAM)
    heights, edges, floor = bars.get_data()
    counts = heights * np.diff(edges) * x.size
    some = heights > 1e3 * floor if floor else heights > 0
    assert counts[some].sum() == pytest.approx(np.sum((x >= edges[0]) & (x <= edges[-1])))
    expected = np.diff(p.cdf(edges)) * x.size
    pulls = ((counts - expected) / np.sqrt(expected))[expected > 25]
    assert np.abs(pulls).max() < 4.5
    wrong = np.abs(1.3 * counts - expected)[expected > 25] / np.sqrt(expected[expected > 25])
    assert wrong.max() > 4.5
    (bar,) = axes.collections
    low, high = bar.get_segments()[int(np.argmax(counts[some]))][:, 1]
    width = np.diff(edges)[np.argmax(counts)]
    bounds = np.stack(in_bins(counts.round(), x.size))[:, np.argmax(counts)] / width
    assert (low, high) == pytest.approx(tuple(bounds), rel=1e-6)


def test_a_histogram_alone_chooses_its_axes():
    wide = plot.histogram(np.exp(5 * np.random.default_rng(0).normal(size=5000)))
    narrow = plot.histogram(np.arange(50.0))
    assert (wide.get_xscale(), wide.get_yscale()) == ("log", "log")
    assert (narrow.get_xscale(), narrow.get_yscale()) == ("linear", "linear")
    assert plot.histogram(np.random.default_rng(0).normal(size=500), log=True).get_xscale() == "asinh"
    assert plot.histogram(np.ones(10)).get_xlim() == (0.5, 1.5)
    later, earlier = plot.histogram(swarm_of(WELL)), plot.histogram(swarm_of(WELL), t=0.0)
    assert later.get_xlim()[1] < 5 < earlier.get_xlim()[0]


def test_two_coordinates_are_colours():
    ax = NORMAL.density.plot()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("u", "w")
    assert ax.get_xlim() == (-4.0, 4.0)
    assert len(ax.figure.axes) == 2  # the colour bar
    assert ax.figure.axes[1].get_ylabel() == "p(u, w) (per unit area)"
    assert np.asarray(ax.collections[0].get_array()).shape == (30, 40)
    assert isinstance(NORMAL.plot(log=True).collections[0].norm, LogNorm)
    assert not isinstance(ax.collections[0].norm, LogNorm)
    counts = plot.histogram(Swarm(("u", "w"), [0.0], NORMAL.density.sample(500, seed=1)[None]))
    assert (counts.get_xlabel(), counts.get_ylabel()) == ("u", "w")
    solid = fp.Grid(**{name: fp.Axis.uniform(0, 1, 4, ends="reflecting") for name in "xyz"})
    with pytest.raises(InvalidInput, match="3 coordinates; draw a marginal"):
        ExactDensity(lambda x, y, z: 0 * x, solid).plot()
    with pytest.raises(InvalidInput, match="one or two coordinates"):
        plot.histogram(np.zeros((5, 3)))


def test_fields_are_lines_and_maps():
    ax = Field(WELL.grid, WELL.grid.nodes[0] ** 2, "exit time").plot(log=True)
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("x", "exit time", "log")
    signed = Field(PLANE, 1 + PLANE.mesh()[0] * np.ones((1, 30)), "current").plot().collections[0]
    assert signed.get_clim()[0] == -signed.get_clim()[1]
    assert Field(GAMMA.grid, GAMMA.grid.nodes[0], "field").plot().get_xscale() == "log"


def test_tails_are_drawn_with_their_window_and_their_k(axes):
    q = local_exponent(CAUCHY)
    assert q.plot(axes) is axes
    assert (axes.get_xscale(), axes.get_ylabel()) == ("log", "tail exponent q")
    assert axes.get_legend().get_texts()[1].get_text() == "2 in the window"
    estimate = hill(np.random.default_rng(0).pareto(2.0, 3000) + 1)
    ax = estimate.plot(log=False)
    assert ax.get_xscale() == "linear"
    assert np.array_equal(ax.lines[0].get_xdata(), estimate.curve_k)


def test_every_plot_can_be_saved(tmp_path):
    for i, value in enumerate((GAMMA, CAUCHY, NORMAL, swarm_of(WELL))):
        path = tmp_path / f"{i}.png"
        value.plot().figure.savefig(path, dpi=40)
        assert path.stat().st_size > 1000


def test_matplotlib_is_loaded_by_the_first_plot_only():
    code = "import sys, fpsolve.plot, fpsolve.tails; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_lines_differ_by_their_dashes_too(axes):
    for _ in range(len(plot.PALETTE)):
        WELL.plot(axes)
    drawn = [(line.get_color(), line._dash_pattern) for line in tagged(axes, plot.DENSITY)]
    assert len({str(dashes) for _, dashes in drawn}) == len(STROKES)
    assert len({str(pair) for pair in drawn}) == len(drawn)


def test_solid_lines_get_the_dashes_of_their_colour_in_legends_too(axes):
    for colour in (*plot.PALETTE[:3], "black"):
        axes.plot([0, 1], color=colour, label=colour)
    axes.legend()
    strokes_by_colour(axes)
    on_axes = [str(line._dash_pattern) for line in axes.lines]
    assert len(set(on_axes)) == 3
    assert on_axes[0] == on_axes[3]  # the palette's first stays solid, as black does
    assert [line.get_linestyle() for line in axes.get_legend().get_lines()].count("-") == 2
