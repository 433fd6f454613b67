"""Drawn currents: streamlines go where J/p goes on any axes, contours hold the stream function, files hold both."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

import fpsolve as fp
from fpsolve import plot_current
from fpsolve.errors import CorruptFile, InvalidInput
from fpsolve.plot_current import level_sets, stream_contours, streamlines

mpl.use("Agg")
pytestmark = pytest.mark.usefixtures("figures_closed")


def turning(spin, **axes):
    """A round Gaussian that turns at the angular velocity `spin`."""
    process = fp.Process(lambda u, w: (-u - spin * w, spin * u - w), 1.0)
    problem = fp.Problem(process, fp.Grid(**axes))
    return fp.current(problem, fp.stationary(problem))


def on_a_cone(cells):
    """Turning in ln u: the drawn axis is logarithmic, du/dt = -u ln w ..., so that ln u and ln w turn."""
    grid = fp.Grid(u=fp.Axis.log(1e-3, 1e3, cells), w=fp.Axis.log(1e-3, 1e3, cells))

    def drift(u, w):
        a, b = np.log(u), np.log(w)
        return u * (1.0 - a - 2.0 * b), w * (1.0 + 2.0 * a - b)

    problem = fp.Problem(fp.Process(drift, lambda u, w: (u**2, w**2)), grid)
    return fp.current(problem, fp.stationary(problem))


ROUND = turning(2.0, u=(-6, 6, 40), w=(-6, 6, 48))
CLOCKWISE = turning(-2.0, u=(-6, 6, 40), w=(-6, 6, 40))
STILL = turning(0.0, u=(-6, 6, 32), w=(-6, 6, 32))
SINH = turning(2.0, u=fp.Axis.sinh(-8, 8, 64, scale=0.5), w=fp.Axis.sinh(-8, 8, 64, scale=0.5))
CONE = on_a_cone(80)


def tagged(ax, gid):
    return [part for part in ax.collections if part.get_gid() == gid]


def pieces(ax):
    """Middles and directions of the streamlines' pieces, in the coordinates as drawn."""
    (lines,) = tagged(ax, plot_current.STREAM)
    segments = np.array(lines.get_segments())
    step = segments[:, 1] - segments[:, 0]
    size = np.linalg.norm(step, axis=1)
    keep = size > 0
    return segments.mean(axis=1)[keep], step[keep] / size[keep, None]


@pytest.mark.parametrize(("J", "sense"), [(ROUND, 1.0), (CLOCKWISE, -1.0)])
def test_streamlines_turn_as_the_current_does(J, sense, axes):
    assert J.plot(axes) is axes
    places, steps = pieces(axes)
    radius = np.linalg.norm(places, axis=1)
    around = np.stack([-places[:, 1], places[:, 0]], axis=1) / radius[:, None]
    assert len(places) > 500
    assert np.median((around * steps).sum(axis=1)) == pytest.approx(sense, abs=1e-3)
    assert np.mean(np.abs((places * steps).sum(axis=1)) / radius) < 0.02  # none inward or outward


@pytest.mark.parametrize("J", [SINH, CONE])
def test_streamlines_turn_on_mapped_axes_as_they_are_drawn(J, axes):
    """On log axes the turning Gaussian of (ln u, ln w) is a circle on paper; on sinh axes its lines close as well."""
    streamlines(J, axes)
    assert axes.get_xscale() == {"log": "log", "sinh": "asinh"}[J.grid.axes[0].kind]
    places, steps = pieces(axes)
    if J is CONE:
        around = np.stack([-places[:, 1], places[:, 0]], axis=1) / np.linalg.norm(places, axis=1)[:, None]
        assert np.mean((around * steps).sum(axis=1)) > 0.99
    else:
        u, w = (
            side.get_transform().inverted().transform(part)
            for side, part in zip((axes.xaxis, axes.yaxis), places.T, strict=True)
        )
        assert np.mean((u * steps[:, 1] - w * steps[:, 0]) > 0) > 0.97
    wrong = np.stack([-places[:, 1], -places[:, 0]], axis=1) / np.linalg.norm(places, axis=1)[:, None]
    assert abs(np.mean((wrong * steps).sum(axis=1))) < 0.5


def test_axes_are_named_and_coloured_as_the_density_is(axes):
    ROUND.plot(axes)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("u", "w")
    assert axes.figure.axes[1].get_ylabel() == "p(u, w) (per unit area)"
    assert not isinstance(axes.collections[0].norm, LogNorm)
    logarithmic = ROUND.plot(Figure().add_subplot(), log=True)
    assert isinstance(logarithmic.collections[0].norm, LogNorm)
    assert ROUND.plot(Figure().add_subplot(), label="probability").figure.axes[1].get_ylabel() == "probability"


def test_streamlines_stay_where_p_matters(axes):
    ROUND.plot(axes)
    places, _ = pieces(axes)
    floor = plot_current.SEEN * ROUND.density.values.max()
    assert ROUND.density(*places.T).min() > 0.8 * floor
    far, _ = pieces(ROUND.plot(Figure().add_subplot(), log=True))
    assert ROUND.density(*far.T).min() < 1e-3 * floor
    assert axes.get_xlim()[1] < 4.5 < 6.0  # what is drawn ends there too


def test_lines_are_thicker_where_the_flow_is_faster(axes):
    process = fp.Process(lambda u, w: (-u - 4.0 * w, 0.5 * u - w), 1.0)  # fast along u, slow along w
    problem = fp.Problem(process, fp.Grid(u=(-12, 12, 128), w=(-6, 6, 128)))
    J = fp.current(problem, fp.stationary(problem))
    (lines,) = tagged(J.plot(axes), plot_current.STREAM)
    middles = np.array(lines.get_segments()).mean(axis=1)
    sizes = np.ptp(axes.get_xlim()), np.ptp(axes.get_ylim())
    speed = np.hypot(*(field(*middles.T) / size for field, size in zip(J.irreversible_drift, sizes, strict=True)))
    assert np.corrcoef(speed, lines.get_linewidths())[0, 1] > 0.98


def test_equilibrium_is_said_and_not_drawn(axes):
    STILL.plot(axes)
    assert tagged(axes, plot_current.STREAM) == []
    assert [text.get_text() for text in axes.texts] == ["in equilibrium: no current"]
    contours = STILL.plot_stream()
    assert tagged(contours, plot_current.CONTOUR) == []


@pytest.mark.parametrize("log", [None, True])
def test_contours_hold_the_stream_function(log, axes):
    assert ROUND.plot_stream(axes, log=log) is axes
    (found,) = tagged(axes, plot_current.CONTOUR)
    drawn = [(level, path) for level, path in zip(found.levels, found.get_paths(), strict=True) if path.vertices.size]
    assert len(drawn) == (plot_current.DECADES if log else plot_current.STEPS - 1)
    for level, path in drawn:
        radius = np.linalg.norm(path.vertices, axis=1)
        exact = 2.0 * np.exp(-(radius.mean() ** 2) / 2) / (2 * np.pi)  # psi = spin p
        if radius.max() < 3.0:
            assert level == pytest.approx(exact, rel=0.1)
            assert np.ptp(radius) < 0.05 * radius.mean() + 0.02
        else:  # between corners whose values are decades apart, and near the walls
            assert 0.1 < level / exact < 10.0
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("u", "w")
    assert "stream function" in axes.get_legend().get_texts()[0].get_text()


def test_clockwise_vortices_are_dashed(axes):
    stream_contours(CLOCKWISE, axes)
    (found,) = tagged(axes, plot_current.CONTOUR)
    negative = found.levels < 0
    styles = [style[1] is not None for style in found.get_linestyles()]
    assert np.array_equal(styles, negative)
    used = [level for level, path in zip(found.levels, found.get_paths(), strict=True) if path.vertices.size]
    assert max(used) < 0


def test_level_sets_pass_through_the_points_asked_for(axes):
    ROUND.plot(axes)
    places = [(1.0, 0.0), (2.0, 0.0)]
    level_sets(ROUND.density, axes, through=places)
    level_sets(lambda u, w: u**2 + 4 * w**2, axes, through=places, label="loss")
    of_p, of_loss = tagged(axes, plot_current.LEVEL)
    assert np.allclose(of_loss.levels, [1.0, 4.0])
    for level, path in zip(of_loss.levels, of_loss.get_paths(), strict=True):
        assert np.allclose(path.vertices[:, 0] ** 2 + 4 * path.vertices[:, 1] ** 2, level, rtol=0.02)
    for radius, path in zip((2.0, 1.0), of_p.get_paths(), strict=True):  # ln p falls outward
        assert np.allclose(np.linalg.norm(path.vertices, axis=1), radius, rtol=0.02)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["level sets of p", "loss"]


def test_level_sets_by_default(axes):
    law = fp.ExactDensity(lambda u, w: -(u**2 + w**2) / 2, ROUND.grid)
    ROUND.plot(axes)
    level_sets(law, axes)
    level_sets(fp.Field(ROUND.grid, sum(x**2 for x in ROUND.grid.mesh())), axes)
    of_p, of_field = tagged(axes, plot_current.LEVEL)
    peak = law.log(0.0, 0.0)
    assert of_p.levels == pytest.approx([peak - 4.5, peak - 2.0, peak - 0.5], abs=2e-3)
    assert len(of_field.levels) == plot_current.BOWLS
    assert np.ptp(np.diff(np.sqrt(of_field.levels))) < 0.02  # equidistant on a bowl


def test_other_dimensions_are_refused(axes):
    ring = fp.Grid(x=fp.Axis.uniform(0, 2 * np.pi, 40, ends="periodic"))
    problem = fp.Problem(fp.Process(lambda x: 1 + np.sin(x), 1.0), ring)
    J = fp.current(problem, fp.stationary(problem))
    for draw in (streamlines, stream_contours):
        with pytest.raises(InvalidInput, match="two coordinates"):
            draw(J)
    with pytest.raises(InvalidInput, match="two coordinates"):
        level_sets(J.density, ROUND.plot(axes))
    with pytest.raises(InvalidInput, match="two dimensions"):
        _ = J.rotation_frequency


def test_the_sense_and_the_speed_of_turning_are_numbers():
    assert ROUND.rotation_frequency == pytest.approx(2.0, rel=0.02)
    assert CLOCKWISE.rotation_frequency == pytest.approx(2.0, rel=0.02)
    assert STILL.rotation_frequency == pytest.approx(0.0, abs=1e-12)
    assert ROUND.circulation == pytest.approx(2.0 / (2 * np.pi), rel=0.02)  # counterclockwise
    assert CLOCKWISE.circulation == pytest.approx(-2.0 / (2 * np.pi), rel=0.02)


def test_a_current_comes_back_from_its_file(tmp_path):
    copy = fp.load(ROUND.save(tmp_path / "current.npz"))
    assert isinstance(copy, fp.Current)
    for name in ("entropy_production", "imbalance", "rounding", "circulation"):
        assert getattr(copy, name) == getattr(ROUND, name)
    assert all(np.array_equal(a, b) for a, b in zip(copy.at_faces, ROUND.at_faces, strict=True))
    assert np.array_equal(copy.divergence, ROUND.divergence)
    assert np.array_equal(copy.density.values, ROUND.density.values)
    with pytest.raises(ValueError, match="read-only"):
        copy.at_faces[0][0] = 1.0


def test_a_current_on_faces_that_are_not_its_grids_is_corrupt(tmp_path):
    wrong = fp.Current(ROUND.density, ROUND.at_faces[::-1], ROUND.divergence, 1.0, 1.0, 1e-12)
    with pytest.raises(CorruptFile, match="currents across axis 0 have shape"):
        fp.load(wrong.save(tmp_path / "wrong.npz"))


def test_an_infinite_entropy_production_survives_a_file(tmp_path):
    endless = fp.Current(ROUND.density, ROUND.at_faces, ROUND.divergence, np.inf, 1.0, 1e-12)
    assert fp.load(endless.save(tmp_path / "endless.npz")).entropy_production == np.inf


def test_every_drawing_can_be_saved(tmp_path):
    for i, ax in enumerate((SINH.plot(log=True), CONE.plot(log=False), CONE.plot_stream(), STILL.plot())):
        path = tmp_path / f"{i}.png"
        ax.figure.savefig(path, dpi=40)
        assert path.stat().st_size > 1000
