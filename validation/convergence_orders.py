"""Orders: two in space and in time where two is promised, one for backward Euler, three for flights' smooth density."""

from cases import convergence_orders as case
from fpsolve.claims import Exact


def by_cells(system, cells):
    """Errors over cells."""
    return case.over("cells", cells, [case.off_by(system, k) for k in cells])


def by_steps(method, steps):
    """Errors over steps."""
    return case.over("dt", steps, [case.late_by(method, dt) for dt in steps])


def claim(name, solve, parameters, expected, wrong, source):
    """The control is a scheme of another order."""
    return Exact(name, solve, parameters, case.order, expected, atol=0.1, wrong=wrong, source=source)


claims = [
    claim(
        "line: a rate of relaxation has order 2",
        by_cells,
        dict(system="line", cells=(50, 100, 200, 400)),
        2.0,
        dict(system="jumps", cells=(243, 729, 2187)),
        "midpoint rates; D pi^2 + A^2/(4 D) between two walls",
    ),
    claim(
        "plane: a driven density with cross diffusion has order 2",
        by_cells,
        dict(system="plane", cells=(40, 80, 160)),
        2.0,
        dict(system="jumps", cells=(243, 729, 2187)),
        "exp(-U)/Z",
    ),
    claim(
        "jumps: Cauchy flights in a quartic well have order 3",
        by_cells,
        dict(system="jumps", cells=(243, 729, 2187)),
        3.0,
        dict(system="line", cells=(50, 100, 200)),
        "Chechkin et al., Phys. Rev. E 67, 010102 (2003)",
    ),
    claim(
        "time: backward Euler has order 1",
        by_steps,
        dict(method="backward Euler", steps=(0.0125, 0.025, 0.05)),
        1.0,
        dict(method="SDIRK2"),
        "the exponential of the generator",
    ),
    claim(
        "time: SDIRK2 has order 2",
        by_steps,
        dict(method="SDIRK2", steps=(0.0125, 0.025, 0.05)),
        2.0,
        dict(method="backward Euler"),
        "the exponential of the generator",
    ),
]
