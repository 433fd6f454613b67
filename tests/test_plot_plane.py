"""Maps and corner plots: what is drawn, in which colours and scales, and what overlays what."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import LogNorm, to_hex

import fpsolve as fp
from fpsolve import plot

mpl.use("Agg")
pytestmark = pytest.mark.usefixtures("figures_closed")

PLANE = fp.Grid(u=(-5, 5, 40), w=(-6, 6, 36))
NORMAL = fp.ExactDensity(lambda u, w: -(u**2 - 0.6 * u * w + w**2) / 2, PLANE, "normal law")
HEAVY = fp.ExactDensity(
    lambda a, v: -1.5 * np.log1p(a**2) - 0.5 * np.log(v) - 3 * np.log1p(v),
    fp.Grid(a=fp.Axis.sinh(-100, 100, 40, scale=0.5), v=fp.Axis.log(1e-4, 1e4, 36)),
    "power laws",
)
SOLID = fp.ExactDensity(
    lambda x, y, z: -(x**2 + y**2 + z**2 - x * z) / 2, fp.Grid(x=(-5, 5, 16), y=(-5, 5, 18), z=(-5, 5, 20))
)
DRAWS = NORMAL.density.sample(2000, seed=1)
SWARM = fp.Swarm(("u", "w"), [0.0, 1.0], np.stack([DRAWS + 100, DRAWS]))


def bar(ax):
    return ax.figure.axes[-1]


# maps


def test_logarithmic_colours_show_ten_decades_and_say_so(axes):
    NORMAL.density.plot(axes, log=True)
    mesh = axes.collections[0]
    top = NORMAL.density.values.max()
    assert isinstance(mesh.norm, LogNorm)
    assert (mesh.norm.vmin, mesh.norm.vmax) == pytest.approx((1e-10 * top, top))
    assert bar(axes).get_ylabel() == "p(u, w) (per unit area), 10 decades shown"
    narrow = fp.ExactDensity(lambda u, w: -0.1 * (u**2 + w**2), PLANE).plot(log=True)
    assert bar(narrow).get_ylabel() == "p(u, w) (per unit area)"  # nothing is left out there
    assert bar(NORMAL.density.plot(label="pressure")).get_ylabel() == "pressure"


def test_maps_have_the_scales_of_their_grid():
    ax = HEAVY.density.plot()
    assert (ax.get_xscale(), ax.get_yscale()) == ("asinh", "log")
    assert isinstance(ax.collections[0].norm, LogNorm)  # p spans as many decades as the axes
    flat = HEAVY.density.plot(log=False)
    assert (flat.get_xscale(), flat.get_yscale()) == ("linear", "linear")
    assert not isinstance(flat.collections[0].norm, LogNorm)
    assert flat.get_ylim()[1] < 100  # where the mass is, not 1e4
    plain = NORMAL.density.plot()
    assert (plain.get_xscale(), plain.get_xlim(), plain.get_ylim()) == ("linear", (-5, 5), (-6, 6))


def test_cells_without_mass_have_no_colour(axes):
    u, w = PLANE.mesh()
    fp.Density.from_log(PLANE, np.where(u < 0, -(u**2) - w**2, -np.inf)).plot(axes, log=True)
    mesh = axes.collections[0]
    mesh.update_scalarmappable()
    alpha = mesh.get_facecolors()[:, 3].reshape(36, 40)
    assert np.all(alpha[:, :20] == 1.0)
    assert np.all(alpha[:, 20:] == 0.0)


@pytest.mark.parametrize("value", [NORMAL, HEAVY])
def test_contours_enclose_the_mass_they_name(value, axes):
    p = value.density
    plot.density(p, axes, levels=(0.9, 0.5))
    levels = axes.collections[-1].levels
    for level, share in zip(levels, (0.9, 0.5), strict=True):
        inside = p.masses[p.values >= level].sum() / p.masses.sum()
        assert share <= inside < share + 0.03
        assert p.masses[p.values >= 1.5 * level].sum() / p.masses.sum() < share  # the control
    assert axes.get_legend().get_texts()[0].get_text() == "density, 50, 90 %"
    for bad in ((), (50, 90), (0.0,)):
        with pytest.raises(fp.InvalidInput, match="give shares of the mass, between 0 and 1"):
            plot.density(p, levels=bad)


def test_what_follows_lies_on_the_map(axes):
    p = NORMAL.density
    p.plot(axes)
    SWARM.plot(axes)
    NORMAL.plot(axes)
    fp.ExactDensity(lambda u, w: -(u**2) - w**2, PLANE).density.plot(axes, label="wrong")
    mesh, points, exact, wrong = axes.collections
    assert np.asarray(mesh.get_array()).shape == (36, 40)
    assert len(axes.figure.axes) == 2  # one colour bar
    assert len(points.get_offsets()) == 600
    assert np.abs(points.get_offsets()).max() < 10  # the last time, not the first
    assert to_hex(exact.get_edgecolors()[0]) == "#000000"
    colours = [to_hex(artist).upper() for artist in (points.get_facecolors()[0], wrong.get_edgecolors()[0])]
    assert colours == [plot.PALETTE[1], plot.PALETTE[3]]  # the i-th overlay
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts == ["600 of 2000 samples", "normal law, 50, 90, 99 %", "wrong, 50, 90, 99 %"]
    assert (axes.get_xlim(), axes.get_ylim()) == ((-5.0, 5.0), (-6.0, 6.0))


def test_maps_of_samples_are_normalised_as_the_density_is():
    ax = plot.histogram(SWARM)
    mesh = ax.collections[0]
    x, y = (np.unique(mesh.get_coordinates()[..., k]) for k in (0, 1))
    heights = np.ma.filled(mesh.get_array(), 0.0)
    heights = np.where(np.isnan(heights), 0.0, heights)
    assert np.sum(heights * np.diff(y)[:, None] * np.diff(x)) == pytest.approx(1.0, rel=1e-9)
    wide = plot.histogram(np.stack([np.exp(4 * DRAWS[:, 0]), DRAWS[:, 1]], axis=-1))
    assert (wide.get_xscale(), wide.get_yscale()) == ("log", "linear")
    assert plot.histogram(np.ones((5, 2))).get_xlim() == (0.5, 1.5)


# corners


def test_corners_show_marginals_and_pairs():
    p = SOLID.density
    figure = p.corner(SOLID, p.sample(500, seed=1))
    assert len(figure.axes) == 6
    assert [ax.get_title() for ax in figure.axes if ax.get_title()] == ["p(x)", "p(y)", "p(z)"]
    diagonal = {ax.get_title(): ax for ax in figure.axes}
    line = next(line for line in diagonal["p(z)"].lines if line.get_gid() == plot.DENSITY)
    assert np.array_equal(line.get_ydata(), p.marginal("z").values)
    pairs = [ax for ax in figure.axes if not ax.get_title()]
    for ax, names in zip(pairs, (("x", "y"), ("x", "z"), ("y", "z")), strict=True):
        assert np.asarray(ax.collections[0].get_array()) == pytest.approx(p.marginal(*names).values.T)
        assert len(ax.collections) == 3
        assert ax.get_legend() is None
    assert [ax.get_xlabel() for ax in figure.axes] == ["", "", "", "x", "y", "z"]
    assert [ax.get_ylabel() for ax in figure.axes] == ["", "y", "", "z", "", ""]
    assert pairs[1].get_xlim() == diagonal["p(x)"].get_xlim()
    assert pairs[1].get_ylim() == diagonal["p(z)"].get_xlim()
    assert {text.get_text() for text in figure.legends[0].get_texts()} == {"density", "500 samples", "exact"}


def test_corners_have_the_colours_of_their_diagonal():
    p = NORMAL.density
    wrong = fp.ExactDensity(lambda u, w: -(u**2) - w**2, PLANE).density
    figure = p.corner(wrong, SWARM, labels=["theory", "wrong", "SGD"])
    diagonal, pair = figure.axes[0], figure.axes[1]
    lines = [line.get_color() for line in diagonal.lines if line.get_gid() == plot.DENSITY]
    assert lines == list(plot.PALETTE[:2])
    _, contours, points = pair.collections
    assert to_hex(contours.get_edgecolors()[0]).upper() == plot.PALETTE[1]
    assert to_hex(points.get_facecolors()[0]).upper() == plot.PALETTE[0]
    assert {text.get_text() for text in figure.legends[0].get_texts()} == {"theory", "wrong", "SGD"}


def test_corners_of_samples_and_of_heavy_tails(tmp_path):
    figure = plot.corner(DRAWS, NORMAL)
    assert figure.axes[1].get_xlabel() == "u"
    assert plot.corner(DRAWS, DRAWS).axes[1].get_xlabel() == "x"
    heavy = HEAVY.density.corner(HEAVY.density.sample(300, seed=1))
    assert (heavy.axes[1].get_xscale(), heavy.axes[1].get_yscale()) == ("asinh", "log")
    assert (heavy.axes[2].get_xscale(), heavy.axes[2].get_yscale()) == ("log", "log")
    figure.savefig(tmp_path / "corner.png", dpi=40)
    assert (tmp_path / "corner.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (SOLID.plot, r"has 3 coordinates; draw a marginal, or all of them by fpsolve.plot.corner"),
        (lambda: NORMAL.marginal("u").corner(), r"value 0 has the coordinates \('u',\).* the same two or more"),
        (
            lambda: NORMAL.density.corner(SOLID),
            r"value 1 has the coordinates \('x', 'y', 'z'\), others \('u', 'w'\)",
        ),
        (lambda: plot.corner(DRAWS, SOLID.density), "value 0 has the coordinates 2, others"),
        (lambda: NORMAL.density.corner(np.zeros((5, 3))), "value 1 has the coordinates 3"),
        (lambda: NORMAL.density.corner(SWARM, labels=["one"]), "labels are 1; give one for each of the 2 values"),
    ],
)
def test_what_cannot_be_drawn_is_refused(call, message):
    with pytest.raises(fp.InvalidInput, match=message):
        call()
