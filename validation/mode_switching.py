"""Which mode leaves first, when, and the kernel between regions: the plane against two lines, and against particles."""

import numpy as np

import fpsolve as fp
from cases import mode_switching as case
from fpsolve.claims import Exact

COMPETITION = "two escapes on the line, by quadrature over time"
WEAKER = (1.0, 0.85)


def in_the_plane(question, strengths=case.STRENGTHS, temperature=case.TEMPERATURE):
    """A question's answer at START, extrapolated from 96^2 and 288^2 cells."""
    found = []
    for cells in (96, 288):
        field = question(case.plane(strengths, temperature, cells), strengths)
        found.append(field.values[cells // 4, cells // 4])
    return float((9.0 * found[1] - found[0]) / 8.0)


def chance(pr, strengths):
    return fp.exit_probability(pr, case.below(strengths), through=("v", "upper"))


def first(pr, strengths):
    return fp.mean_exit_time(pr, case.below(strengths))


def both(pr, strengths):
    return fp.mean_exit_time(pr, case.not_both(strengths))


def against_lines(name, question, k, atol):
    """The control's lines have a second mode that is weaker."""
    return Exact(
        name,
        lambda strengths: in_the_plane(question) / case.competition(strengths)[k],
        dict(strengths=case.STRENGTHS),
        float,
        1.0,
        atol=atol,
        wrong=dict(strengths=WEAKER),
        source=COMPETITION,
        slow=True,
    )


def kernel_error(strengths):
    """Largest difference of the regions' chances between plane and lines."""
    times = np.array([1.5, 2.0, 2.5])
    coarse, fine = (case.kernel(case.STRENGTHS, case.TEMPERATURE, times, cells) for cells in (64, 128))
    exact = case.by_lines(strengths, case.TEMPERATURE, times)
    return float(np.abs((4.0 * fine - coarse) / 3.0 - exact).max())


def raced(strengths, n=3000):
    """The share of particles that end on mode 1's threshold, and their mean time to the first."""
    grid = fp.Grid(
        **{
            name: fp.Axis.log(1e-6, case.LEARNED * s, 100, ends=("open", "absorbing"))
            for name, s in zip("vw", strengths, strict=True)
        }
    )
    pr = case.plane(strengths).replace(grid=grid)
    times = np.linspace(0.0, 6.0, 301)[1:]
    swarm = fp.simulate(pr, fp.Point(case.START, case.START), times, dt=8e-3, n=n, seed=5, progress=False)
    ended = swarm.positions[-1] / grid["v"].hi
    return float(np.mean(ended[:, 0] >= 1.0 - 1e-9)), float(swarm.absorbed_at.mean() - 0.01)


def from_afar(strength):
    """The mean time until one mode is learned, from far smaller starts."""
    pr = fp.Problem(case.mode(strength), fp.Grid(v=fp.Axis.log(1e-9, 8.0, 400)))
    return fp.mean_exit_time(pr, (None, case.LEARNED * strength))


claims = [
    against_lines("chance that the stronger mode is first", chance, 0, 1e-3),
    against_lines("mean time to the first mode", first, 1, 1e-3),
    against_lines("mean time to both modes", both, 2, 5e-3),  # one just learned may step back: the lines do not wait
    Exact(
        "the kernel from the origin is the product of two lines'",
        kernel_error,
        dict(strengths=case.STRENGTHS),
        float,
        0.0,
        atol=5e-3,
        wrong=dict(strengths=WEAKER),
        source="independent modes",
    ),
    Exact(
        "particles: the stronger mode is first",
        raced,
        dict(strengths=case.STRENGTHS),
        lambda found: found[0],
        0.62379,
        atol=0.03,
        wrong=dict(strengths=WEAKER),
        source=COMPETITION,
        slow=True,
    ),
    Exact(
        "each factor e of the start costs 1/(4 (s - T sigma^2))",
        from_afar,
        dict(strength=0.9),
        lambda tau: (tau(1e-7) - tau(1e-6)) / np.log(10.0),
        1.0 / (4.0 * (0.9 - case.TEMPERATURE * case.VARIANCE)),
        atol=1e-6,
        wrong=dict(strength=0.901),
        source="a drifted walk in ln v",
    ),
]
