"""The cases' pictures: every axis has a name and a unit, nothing is cut off, no text lies upon other text."""

import itertools
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from fpsolve.casefile import available, load
from fpsolve.runner import draw

ROOT = Path(__file__).resolve().parents[1]
QUICK = ("double_well", "ornstein_uhlenbeck", "tilted_ring")
LONG = ("convergence_to_equilibrium", "diabetes_sgd", "heavy_tailed_data", "space_time_fractional")  # more than 5 s


def is_slow(name):
    return "SLOW_FIGURE = True" in (ROOT / "cases" / f"{name}.py").read_text()


OTHERS = [name for name in available(ROOT) if name not in QUICK + LONG and not is_slow(name)]


def faults(drawing):
    """What a reader would miss, as sentences."""
    drawing.draw_without_rendering()
    found, (left, bottom, right, top) = [], drawing.bbox.extents
    for i, ax in enumerate(drawing.axes):
        bar = hasattr(ax, "_colorbar")
        shown = [ax.yaxis.label] if bar or not any(t.get_text() for t in ax.get_xticklabels()) else []
        shown = shown or [ax.xaxis.label, ax.yaxis.label]
        names = [tick.get_text() for tick in ax.get_yticklabels()]
        words = any(name[:1].isalpha() for name in names)  # theories, not numbers
        repeated = not any(tick.get_visible() and tick.get_text() for tick in ax.get_yticklabels())
        for label in shown:
            if label is ax.yaxis.label and (words or repeated or not ax.yaxis.get_tick_params()["labelleft"]):
                continue
            if "(" not in label.get_text():
                found.append(f"axes {i}: {label.get_text()!r} names no unit")
        box = ax.get_tightbbox()
        if box.x0 < left - 1 or box.y0 < bottom - 1 or box.x1 > right + 1 or box.y1 > top + 1:
            found.append(f"axes {i}: is cut off at {box.extents.round()} of {drawing.bbox.extents}")
        for axis in (ax.xaxis, ax.yaxis):
            ticks = [
                t.get_window_extent() for t in axis.get_ticklabels(which="both") if t.get_text() and t.get_visible()
            ]
            ticks = sorted(
                (t for t in ticks if t.width), key=lambda t: (t.x0, t.y0) if axis is ax.xaxis else (t.y0, t.x0)
            )
            if any(one.shrunk(0.96, 0.8).overlaps(two.shrunk(0.96, 0.8)) for one, two in itertools.pairwise(ticks)):
                found.append(f"axes {i}: numbers of the {axis.axis_name} axis overlap")
    return found


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS)])
def test_a_picture_can_be_read(name):
    case = load(available(ROOT)[name])
    assert case.figure.__doc__, "a caption says what is shown"
    assert faults(draw(case)) == []


def test_faults_are_found():
    drawing = Figure(figsize=(3, 2))
    ax = drawing.add_axes((0.02, 0.3, 0.9, 0.6))
    ax.set(xlabel="time", ylabel="p (per metre)")
    ax.set_xticks([0.0, 0.01, 0.02, 1.0], ["0.000", "0.001", "0.002", "1.000"])
    found = faults(drawing)
    assert any("'time' names no unit" in fault for fault in found)
    assert any("cut off" in fault for fault in found)
    assert any("overlap" in fault for fault in found)
    assert len(found) == 3
