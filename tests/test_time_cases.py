"""Cases of densities in motion and of exit times: each solves, draws, saves what comes back, and says what it found."""

from pathlib import Path

import numpy as np
import pytest

from fpsolve.casefile import find, load
from tests.case_runs import check_run

ROOT = Path(__file__).resolve().parents[1]
SMALL = {
    "exit_times": dict(cells=24),
    "escape_laws": dict(wells=4),
    "saddle_escape": dict(noises=3, quietest=1e-2, cells=48),
    "momentum": dict(cells=48, until=2.0, times=3),
    "subdiffusive_well": dict(cells=300),
    "coloured_noise": dict(cells=48),
    "annealing": dict(until=30.0, decay=10.0, times=4, cells=120),
    "mode_switching": dict(cells=48, times=4),
}


def case(name):
    return load(find(name, ROOT))


@pytest.mark.parametrize("name", SMALL)
def test_a_case_saves_what_it_solved_and_draws_it_with_labels(name, tmp_path, monkeypatch):
    module, drawn = case(name), []
    draw = module.figure

    def figure(results):
        drawn.append(draw(results))
        return drawn[-1]

    monkeypatch.setattr(module, "figure", figure)
    check_run(module, SMALL[name], tmp_path / name)
    for ax in drawn[0].axes:
        assert ax.get_ylabel(), f"an axis of {name} has no label"


def test_every_hypothesis_and_noise_has_a_row_in_the_table():
    laws = case("escape_laws")
    rows = laws.table(laws.solve(wells=4)).splitlines()[1:]
    assert len(rows) == 2 * 3 * 2
    assert {row.split("Delta")[1].split()[0] for row in rows} == {"L", "log"}


def test_each_noise_prefers_its_own_law():
    laws = case("escape_laws")
    found = laws.solve(wells=6)
    for name, own, other in (
        ("constant noise", "Delta L", "Delta log L"),
        ("noise proportional to the loss", "Delta log L", "Delta L"),
    ):
        for k in range(3):
            assert laws.fitted(found[name], own, k)[2] < 0.3 * laws.fitted(found[name], other, k)[2]


def test_escape_times_of_proportional_noise_know_no_scale_but_the_ratio():
    """L -> s L, r -> sqrt(s) r, D = L/phi -> s D: the floor's own size changes nothing."""
    laws = case("escape_laws")
    time = laws.escape_time(5.0, 0.25, True)
    laws.FLOOR = 7.0
    assert laws.escape_time(5.0, 0.25, True) == pytest.approx(time, rel=1e-10)
    assert laws.escape_time(5.0, 2.0, False) != pytest.approx(time, rel=0.1)


def test_a_degenerate_saddle_holds_longer_than_a_strict_one():
    saddles = case("saddle_escape")
    found = saddles.solve(**SMALL["saddle_escape"])
    strict, degenerate = (found[name].values for name in saddles.NAMES.values())
    assert np.all(degenerate > strict)
    assert np.all(np.diff(strict) < 0)  # over the noise


def test_schedules_are_sums_of_their_parts():
    schedule = case("annealing")
    assert schedule.temperature(0.0) == pytest.approx(schedule.T_END)
    assert schedule.temperature(1e6) == pytest.approx(schedule.T_END)
    times = np.linspace(0.0, 20.0, 20_001)
    V = schedule.variance(times, 0.5, 0.2, 4.0)
    slope = np.gradient(V, times, edge_order=2)
    assert np.allclose(slope, 2.0 * schedule.temperature(times, decay=4.0) - V, atol=1e-4)
    assert not np.allclose(slope, 2.0 * schedule.temperature(times, decay=4.2) - V, atol=1e-4)
