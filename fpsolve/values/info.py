"""How an answer was obtained and how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Info:
    """What a solver reports beside its answer.

    method: the solver's name.
    residual: largest net flow into a cell over the largest one-way flow, at the answer.
    mass_error: distance of the total mass from 1.
    smallest: smallest value of the density.
    edge_mass: share of the mass beyond the open ends.
    seconds: CPU time.
    current: the constant current of a periodic axis (None elsewhere).
    relaxation_time: bounds (low, high) on the slowest relaxation time, where they are known.
    steps: how many a time stepper took (of a Krylov method: vectors, of a contour: solves).
    time_error: estimated error of stepping in time, the sum of its magnitudes over the mass.
    floor: the largest error of a cell's mass, of the largest mass at its time: where a mass does not exceed it, ln p
        is masked (None: nowhere).
    decay_rate: of the mass that is left, under a quasi-stationary density.
    notes: sentences worth reading.

    >>> import fpsolve as fp
    >>> p = fp.stationary(fp.Problem(fp.Process(lambda x: -x, 1.0), fp.Grid(x=(-8, 8, 100))))
    >>> p.info.residual < 1e-12, p.info.edge_mass < 1e-12
    (True, True)
    """

    method: str = "given"
    residual: float | None = None
    mass_error: float | None = None
    smallest: float | None = None
    edge_mass: float | None = None
    seconds: float | None = None
    current: float | None = None
    relaxation_time: tuple[float, float] | None = None
    steps: int | None = None
    time_error: float | None = None
    floor: float | None = None
    decay_rate: float | None = None
    notes: tuple[str, ...] = ()
