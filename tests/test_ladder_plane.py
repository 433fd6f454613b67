"""The ladder in two parameters: densities, rotations, floors and what is refused."""

import json

import numpy as np
import pytest

import fpsolve as fp
from fpsolve.models import FromGradients
from fpsolve.paired_scores import plane_scores, preference
from fpsolve.plot_ladder import side_by_side
from fpsolve.rungs_plane import plane_rungs

RNG = np.random.default_rng(2)
X1, X2, E = RNG.normal(size=(3, 40))
X2 = 0.6 * X2


def line(theta, x1, x2, y):
    residual = theta[0] * x1 + theta[1] * x2 - y
    return residual * x1, residual * x2


def model(learning_rate=0.05, louder=1.0, **how):
    y = X1 + X2 + E * louder * np.abs(X1 + X2 / 0.6)
    return FromGradients(line, (X1, X2, y), learning_rate, 4, start=(1.0, 1.0), names=("u", "w"), **how)


@pytest.fixture(scope="module", autouse=True)
def fewer_cells():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fpsolve.rungs_plane.CELLS", 48)
        yield


@pytest.fixture(scope="module")
def found(fewer_cells):
    return fp.ladder(model(), n=6000, steps=200, progress=False)


@pytest.fixture(scope="module")
def densities(found):
    return {row.name: p for row, p in zip(found.rows, found.densities, strict=True)}


def test_the_gaussian_rung_is_that_of_the_linear_process(found, densities):
    law, p = model().gaussian(), densities["gaussian"]
    assert np.asarray(p.covariance()) == pytest.approx(law.covariance, rel=0.05, abs=1e-3)
    assert abs(found.row("gaussian").rotation) == pytest.approx(law.rotation_frequency, rel=0.03)
    assert p.grid.names == ("u", "w")


def test_isotropic_noise_drives_no_rotation_and_the_tensor_does(found):
    for name in ("tempered posterior", "isotropic Langevin"):
        assert abs(found.row(name).rotation) < 1e-12
        assert not found.row(name).turns_right
    for name in ("gaussian", "anisotropic Langevin", "Ito"):
        assert found.row(name).turns_right
    assert abs(found.rotation.value) > 5.0 * found.rotation.error


def test_a_mirrored_plane_turns_the_other_way(found):
    def mirrored(theta, x1, x2, y):
        du, dw = line((theta[1], theta[0]), x1, x2, y)
        return dw, du

    y = X1 + X2 + E * np.abs(X1 + X2 / 0.6)
    other = FromGradients(mirrored, (X1, X2, y), 0.05, 4, start=(1.0, 1.0), names=("w", "u"))
    (ito,) = (rung for rung in plane_rungs(other) if rung.name == "Ito")
    assert ito.rotation == pytest.approx(-found.row("Ito").rotation, rel=1e-6)


def test_the_right_theories_are_near_and_the_wrong_ones_far(found):
    assert found.best.name in ("Ito", "gaussian", "anisotropic Langevin", "isothermal")
    assert found.row("Ito").error < 0.08 < found.row("isotropic Langevin").error
    assert found.row("isotropic Langevin").p_value < 1e-6
    assert found.best.p_value is None
    assert all(row.mmd > 0 and row.grid < 0.02 for row in found.rows)


def test_the_floor_is_what_samples_keep_from_their_own_law(densities):
    p = densities["Ito"]
    from fpsolve.ladder_plane import _floors

    for n in (1000, 4000):
        x = p.sample(n, seed=1)
        floor = _floors(x, 1)[0]
        own = np.median([fp.distance(p, p.sample(n, seed=k), "sliced W2") for k in range(2, 7)])
        assert own == pytest.approx(floor, rel=0.6)


def test_samples_prefer_their_own_law_in_the_plane(densities):
    x = densities["Ito"].sample(4000, seed=3)
    own, other = plane_scores(densities["Ito"], x), plane_scores(densities["isotropic Langevin"], x)
    assert own.mean() < other.mean()
    assert preference(own, other) < 1e-6


def test_predictions_come_before_replicas(tmp_path, monkeypatch):
    def never(*arguments, **how):
        raise RuntimeError("replicas ran")

    monkeypatch.setattr(FromGradients, "sgd", never)
    path = tmp_path / "told.json"
    with pytest.raises(RuntimeError, match="replicas ran"):
        fp.ladder(model(), n=1000, predictions=path, progress=False)
    told = json.loads(path.read_text())
    assert told["predicted sliced W2"]["tempered posterior"] > 0
    assert told["predicted sliced W2"]["Ito"] is None


def test_it_prints_draws_and_gives_its_facts(found):
    text = str(found)
    assert all(row.name in text for row in found.rows)
    assert all(sign in text for sign in ("grid:", "predicted:", "!:", "rotation:", "p:"))
    assert json.loads(json.dumps(found.facts()))["replicas"] == 6000
    assert len(found.plot().patches) == len(found.rows)
    upper, lower = side_by_side({"one": found}).axes
    (marks,) = (line for line in lower.lines if line.get_label() == "theory")
    assert list(marks.get_xdata()) == [row.rotation for row in found.rows]
    assert [tick.get_text() for tick in lower.get_yticklabels()] == [row.name for row in found.rows]
    assert len(upper.patches) == len(found.rows)
    with pytest.raises(fp.InvalidInput, match="there is no theory"):
        found.row("Itoo")


def test_noise_of_one_direction_is_refused():
    """The balanced pair: every sample's gradient points the same way at the minimum."""

    def pair(theta, x, y):
        u, w = theta
        residual = u * w * x - y
        return residual * w * x + 0.1 * u, residual * u * x + 0.1 * w

    mine = FromGradients(pair, (X1, X1 + E), 0.05, 4, start=(1.0, 1.0))
    with pytest.raises(fp.InvalidInput, match="collapse on a line"):
        fp.ladder(mine, n=1000, progress=False)
    with pytest.raises(fp.InvalidInput, match="replicas are the truth"):
        fp.ladder(model(), particles=False)
