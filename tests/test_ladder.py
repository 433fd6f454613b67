"""The ladder: the right theory wins, predictions come first, and what is wrong is told to be."""

import dataclasses
import json

import numpy as np
import pytest

import fpsolve as fp
from fpsolve.ladder_table import GOOD
from fpsolve.models import DiagonalNetwork, FromGradients
from fpsolve.models.subject import Subject
from fpsolve.plot_ladder import side_by_side
from fpsolve.values.swarm import Swarm

DATA = fp.Regression.synthetic(80, noise=0.5, seed=3)
NET = DiagonalNetwork(DATA, depth=0, learning_rate=0.02)


class Wrapped:
    """A model that is nothing but its subject."""

    def __init__(self, subject):
        self.of = subject

    def subject(self):
        return self.of

    def __repr__(self):
        return "Wrapped()"


@pytest.fixture(scope="module")
def found():
    return fp.ladder(NET, n=4000, progress=False)


def test_the_corrected_theory_wins(found):
    assert found.best.name == "third cumulant"
    assert found.right
    errors = [found.row(name).error for name in ("third cumulant", "Ito", "Bayes' posterior")]
    assert errors == sorted(errors)
    assert found.verdict.startswith("third cumulant is")


def test_the_error_is_split(found):
    assert found.truth_error < 1e-3 * GOOD
    for row in found.rows:
        if row.error is not None:
            assert row.grid < max(0.1 * row.error, 1e-4), row.name


def test_the_floor_is_that_of_the_half_that_judges(found):
    from scipy.stats import kstwo

    assert len(found.held_out) == 2000
    assert found.floor == pytest.approx(kstwo.ppf(0.95, 2000))
    assert found.floor != pytest.approx(kstwo.ppf(0.95, 4000), rel=0.1)
    assert fp.distance(found.truth, found.held_out, "KS") < 1.4 * found.floor  # once in a thousand


def test_replicas_reject_what_is_far_and_not_what_is_near(found):
    assert found.row("Bayes' posterior").p_value < 1e-6
    assert found.best.p_value is None
    assert found.row("finite rate").p_value > 0.01
    for row in found.rows:
        if row.error is not None and row.error < 0.1 * found.floor and row is not found.best:
            assert row.p_value > 1e-3, row.name


def test_of_equals_the_one_with_fewest_fitted_parameters_is_best(found):
    rows = [dataclasses.replace(row, error=0.5) for row in found.rows if row.name in ("memory", "stable noise", "Ito")]
    assert dataclasses.replace(found, rows=tuple(rows[::-1])).best.name == "Ito"


def test_fitted_parameters_are_counted_and_no_theory_with_them_is_predicted(found):
    assert {row.name: row.fitted for row in found.rows if row.fitted} == {"stable noise": 1, "memory": 1, "refined": 3}
    assert all(row.predicted is None and row.validity is None for row in found.rows if row.fitted)
    assert found.measured.memory == pytest.approx(1.0, abs=5.0 * found.measured.memory_error)
    assert found.measured.scale is None


def test_a_winner_that_is_wrong_is_called_so():
    fast = fp.ladder(DiagonalNetwork(DATA, depth=0, learning_rate=0.1), particles=False)
    assert fast.best.error > GOOD
    assert not fast.right
    assert fast.verdict.startswith("No theory is right to 0.01: the nearest, ")


def test_hits_compare_predictions_with_what_came(found):
    told = [row for row in found.rows if row.hit is not None]
    assert all(row.hit == ((row.predicted < GOOD) == (row.error < GOOD)) for row in told)
    assert found.hits == (sum(row.hit for row in told), len(told))
    wrong = dataclasses.replace(found, rows=tuple(dataclasses.replace(row, hit=False) for row in told))
    assert f"held for 0 of {len(told)} theories" in wrong.verdict
    told_by_number = [row for row in found.rows if row.error is not None and row.validity is not None]
    assert found.validity_hits[1] == len(told_by_number)


def test_predictions_are_written_before_any_replica_runs(tmp_path):
    def never(*arguments):
        raise RuntimeError("replicas ran")

    path = tmp_path / "predictions.json"
    model = Wrapped(dataclasses.replace(NET.subject(), sgd=never))
    with pytest.raises(RuntimeError, match="replicas ran"):
        fp.ladder(model, n=1000, predictions=path, progress=False)
    told = json.loads(path.read_text())
    assert set(told["predicted KS"]) == set(told["validity"])
    assert told["predicted KS"]["Ito"] > 0
    assert told["counts as right below"] == GOOD


def test_the_same_seed_gives_the_same_ladder(found):
    again = fp.ladder(NET, n=4000, progress=False)
    assert json.dumps(again.facts()) == json.dumps(found.facts())
    other = fp.ladder(NET, n=4000, seed=2, progress=False)
    assert other.row("Ito").error == found.row("Ito").error
    assert other.row("Ito").p_value != found.row("Ito").p_value


def test_it_prints_draws_and_names_its_rows(found):
    text = str(found)
    assert all(row.name in text for row in found.rows)
    assert found.verdict in text
    assert repr(found).startswith("Ladder(DiagonalNetwork(")
    assert len(found.plot().patches) == len([row for row in found.rows if row.error is not None])
    assert len(found.plot_densities().lines) >= 5
    panels = side_by_side({"one": found, "two": found})
    assert [ax.get_title(loc="left") for ax in panels.axes[:2]] == ["one", "two"]
    told = [text.get_text() for text in panels.legends[0].get_texts()]
    assert len(told) == len(set(told))
    assert {"exact law of SGD", "Ito", "measured"} <= set(told)
    with pytest.raises(fp.InvalidInput, match="there is no theory 'Langevine'"):
        found.row("Langevine")


def test_a_table_cuts_no_sentence_and_explains_its_columns(found):
    reason = "no stationary density: " + "toward infinity it decays too slowly, " * 8 + "and that is the end"
    without = dataclasses.replace(found.row("Ito"), error=None, reason=reason)
    remarked = dataclasses.replace(found.row("memory"), reason=reason)
    text = str(dataclasses.replace(found, rows=(*found.rows, without, remarked)))
    assert " ".join(text.split()).count(reason) == 2
    assert max(map(len, text.partition("grid: ")[0].splitlines())) <= 140
    for sign in ("!:", "-:", "validity:", "fitted:", "p:", "grid:"):
        assert sign in text


def test_the_stages_of_a_ladder_are_shown_and_a_function_is_told_of_replicas_alone(capsys):
    fp.ladder(NET, n=1000, particles=False, progress=True)
    assert "ladder" in capsys.readouterr().err
    told = []
    fp.ladder(NET, n=1000, progress=lambda done, total: told.append((done, total)))
    assert len({total for _, total in told}) == 1
    assert capsys.readouterr().err == ""


def test_warnings_are_notes_of_the_ladder():
    """Steps that cross 0 rarely: `transfer` warns, the ladder keeps it."""
    x, y = np.array([1.0, -1.0, 2.0, 0.5, 2.2]), np.array([1.1, -0.7, 1.6, 0.9, -0.2])
    leaking = DiagonalNetwork(fp.Regression(x, y), learning_rate=0.13).random_map()
    with pytest.warns(fp.TruncationWarning):
        fp.transfer(leaking)
    noted = fp.ladder(DiagonalNetwork(fp.Regression(x, y), learning_rate=0.13), particles=False)
    assert any("quasi-stationary" in note for note in noted.notes)
    assert "note: " in str(noted)


def heavy(alpha, scale=1.0, n_samples=1000):
    """x' = x - eta (x - xi), xi stable: noise whose index is below 2 within the reach of the steps."""
    eta = 0.05

    def run(steps, places, seed, record, progress):
        from scipy.stats import levy_stable

        rng, x, kept = np.random.default_rng(seed), np.array(places, dtype=float), []
        x = np.clip(x, -5.0, 5.0)
        for step in range(steps + 1):
            if step in record:
                kept.append(x.copy())
            x = x - eta * (x - levy_stable.rvs(alpha, 0.0, scale=scale, size=x.size, random_state=rng))
        numbers = np.array(sorted(record))
        return Swarm(("x",), numbers * eta, np.array(kept)[:, :, None], numbers)

    return Wrapped(
        Subject(
            name="x",
            minimum=0.0,
            rate=1.0,
            flow=lambda x: -np.asarray(x),
            slope=np.asarray,
            drift=lambda x: -np.asarray(x),
            diffusion=lambda x: np.full_like(x, 0.5 * eta),
            grid=fp.Grid(x=(-3.0, 3.0, 400)),
            learning_rate=eta,
            batch=1,
            samples=n_samples,
            residual=None,
            skewness=0.0,
            random_map=None,
            sgd=run,
        )
    )


def test_stable_noise_is_found_where_there_is_some():
    found = fp.ladder(heavy(1.5), n=6000, steps=150, progress=False)
    assert found.measured.scale is not None
    assert found.measured.alpha == pytest.approx(1.5, abs=0.05)
    assert found.best.name == "stable noise"
    assert found.row("stable noise").fitted == 2
    assert found.row("stable noise").error < 2.0 * found.floor < 0.1 < found.row("Ito").error
    assert found.row("Ito").p_value < 1e-6


def test_gaussian_noise_is_not_taken_for_stable_noise():
    found = fp.ladder(heavy(2.0, scale=np.sqrt(0.5)), n=3000, steps=60, progress=False)
    assert found.measured.scale is None
    assert found.best.name in ("gaussian", "Langevin", "Ito", "Stratonovich", "isothermal")
    assert found.best.error < 2.0 * found.floor


@pytest.mark.slow
def test_without_an_exact_law_replicas_are_the_truth():
    mine = FromGradients(lambda v, x, y: 2 * (v * x - y) * x, DATA, 0.02, 4, replacement=False)
    found = fp.ladder(mine, n=1000, progress=False)
    assert found.truth is found.held_out
    assert found.truth_error is None
    assert found.row("Ito").error < 2.0 * found.floor
    with pytest.raises(fp.InvalidInput, match="needs particles=True"):
        fp.ladder(mine, particles=False)


REFUSED = {
    "no model": (3.0, {}, "method subject"),
    "no data": (DiagonalNetwork.from_moments(fp.Moments(2, 2, 3, 1, 1), temperature=0.1), {}, "Regression"),
    "few replicas": (NET, {"n": 10}, "n is 10"),
    "no seed": (NET, {"seed": -1}, "seed"),
    "few steps": (NET, {"steps": 3}, "steps"),
}


@pytest.mark.parametrize(("model", "how", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_bad_input_is_refused(model, how, says):
    with pytest.raises(fp.InvalidInput, match=says):
        fp.ladder(model, **how, progress=False)
