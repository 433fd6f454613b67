"""Swarms: shapes, what is asked of them at a time, and how they print."""

import numpy as np
import pytest

from fpsolve.errors import InvalidInput
from fpsolve.values.swarm import Swarm

TIMES = [0.0, 0.5, 2.0]
POSITIONS = np.arange(24.0).reshape(3, 4, 2) ** 2
PLANE = Swarm(("u", "w"), TIMES, POSITIONS)


def line(**changes):
    return Swarm(("v",), TIMES, POSITIONS[:, :, :1]).replace(**changes)


def test_positions_are_found_by_time():
    assert np.array_equal(PLANE.at(0.5), POSITIONS[1])
    with pytest.raises(InvalidInput, match=r"t is 1, not recorded; the 3 times recorded are 0, 0.5, 2"):
        PLANE.at(1.0)


def test_statistics_are_per_time_and_coordinate():
    assert PLANE.mean() == pytest.approx(POSITIONS.mean(axis=1))
    assert PLANE.var() == pytest.approx(POSITIONS.var(axis=1, ddof=1))
    assert line().mean().shape == (3,)


def test_lost_replicas_leave_the_statistics_when_they_are_lost_and_never_the_swarm():
    swarm = line(lost_at=[np.inf, 0.5, np.inf, np.inf])
    assert swarm.alive(0.0).all()
    assert np.array_equal(swarm.diverged, [False, True, False, False])
    assert swarm.mean()[0] == pytest.approx(POSITIONS[0, :, 0].mean())
    assert swarm.mean()[1] == pytest.approx(POSITIONS[1, [0, 2, 3], 0].mean())
    assert len(swarm) == len(swarm.at(2.0)) == 4
    assert np.isnan(line(lost_at=np.zeros(4)).mean()).all()


def test_a_swarm_is_frozen_and_copies_what_it_is_given():
    given = POSITIONS.copy()
    swarm = Swarm(("u", "w"), TIMES, given)
    given[:] = 0
    assert np.array_equal(swarm.positions, POSITIONS)
    with pytest.raises(ValueError, match="read-only"):
        swarm.positions[0] = 1.0
    with pytest.raises(AttributeError):
        swarm.times = None


def test_one_line_says_what_matters():
    assert repr(PLANE) == "Swarm(u, w: 4 replicas, 3 times to t=2)"
    text = repr(line(steps=[0, 5, 20], relaxation_time=0.5, lost_at=[1, np.inf, np.inf, np.inf], finished=False))
    assert text == (
        "Swarm(v: 4 replicas, 3 times to t=2; 20 steps; 4 relaxation times; 1 diverged; "
        "partial: stopped before its end)"
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(times=[0.0, 1.0]), "2 times, 1 names"),
        (dict(names=("u", "w")), "3 times, 2 names"),
        (dict(steps=[1, 2]), "2 steps"),
        (dict(positions=np.zeros((3, 4))), "give .k,., k > 0, and .k, n, d."),
        (dict(lost_at=[1.0]), "4 replicas"),
    ],
)
def test_shapes_that_do_not_fit_are_named(changes, message):
    with pytest.raises(InvalidInput, match=message):
        line(**changes)
