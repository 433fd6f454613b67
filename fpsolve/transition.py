"""Transition rates between two sets, by transition path theory.

With the backward committor q- (the chance that a path has been in the source since it was in the target: that the
time-reversed process reaches the source first) and the stationary density p, paths go over

    F = sum over edges into the target of p(x) q-(x) rate(x -> target)

times per unit time, and spend the share <q-> of their time coming from the source: the rate is F/<q->.  In one
dimension without a current, F = 1/(Z R), Z the integral of the speed and R the resistance between the two sets.
Paths that jump go over by jumps from anywhere to the target as well, from the source straight away too.
Sources: E & Vanden-Eijnden, J. Stat. Phys. 123, 503 (2006); Metzner, Schuette & Vanden-Eijnden, Multiscale Model.
Simul. 7, 1192 (2009).
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import DegenerateWarning, InvalidInput
from fpsolve.evolve import with_tails
from fpsolve.killed import killed
from fpsolve.operators.state_sets import StateSet
from fpsolve.operators.stretches import FreeStretch, free_stretches
from fpsolve.passage_line import check_agreement, end_of, ends_of, graded
from fpsolve.passage_sets import Asked, between, refuse_memory
from fpsolve.passage_space import FirstPassage, chosen
from fpsolve.problem import Problem
from fpsolve.progress import Progress
from fpsolve.reversal import reversed_into, reversed_rates
from fpsolve.solvers.line import Line, line_of
from fpsolve.solvers.resistances import TARGET, End, Stretch
from fpsolve.stationary import stationary
from fpsolve.values.rate import TransitionRate

__all__ = ["transition_rate"]

Array = NDArray[np.float64]
SOURCE_SET, TARGET_SET = 0, 1


def transition_rate(
    problem: Problem,
    source: StateSet,
    target: StateSet,
    *,
    method: FirstPassage | None = None,
    progress: Progress = None,
) -> TransitionRate:
    """How often the stationary process goes over from `source` to `target`, per unit time spent coming from the source.

        rate = F/<q->, F the flux of paths that go from the source to the target

    Its inverse is the mean time to the target from where paths enter the source.  With or without detailed balance.
    problem, source, target, method, progress: as for `committor`.  In one dimension without a current, exact to
    rounding.

    Returns a TransitionRate, a float with `.flux` and `.share`.
    Raises InvalidInput for sets that overlap, touch, or hold no node; what `stationary` raises where there is no
    stationary density.

    >>> import fpsolve as fp
    >>> well = fp.Problem(fp.Process(lambda x: x - x**3, 0.05), fp.Grid(x=(-3, 3, 120)))
    >>> rate = transition_rate(well, source=(None, -1), target=(1, None))
    >>> tau = fp.mean_exit_time(well, inside=(None, 1))
    >>> round(rate * tau(-1.0), 6), round(rate.share, 12)
    (1.0, 0.5)
    """
    refuse_memory(problem, "its transitions have no rate: the longer it runs the fewer there are")
    asked = between(problem, source, target)
    if asked.jumps:
        return _with_jumps(asked)
    left, right = asked.owner[asked.L.edges.left], asked.owner[asked.L.edges.right]
    if np.any((left >= 0) & (right >= 0) & (left != right)):
        raise InvalidInput(
            "source and target touch: an edge leads from one to the other, past every free node, so paths go over all "
            "the time; keep the sets apart, or use more cells"
        )
    periodic = any(axis.periodic for axis in problem.grid.axes)
    if method is None and asked.in_closed_form and not periodic:
        return _on_line(asked)
    return _in_space(asked, method, progress)


def _on_line(asked: Asked) -> TransitionRate:
    problem, axis, name = asked.problem, asked.problem.grid.axes[0], asked.problem.grid.names[0]
    ends = ends_of(problem, asked.L)
    sides = [ends.end(upper) for upper in (False, True)]
    for upper, side in enumerate(sides):
        if side.target or side.speed != "finite":
            _refuse(asked, side.why, upper)
    free = free_stretches(asked.regions, axis)
    own = free_stretches([asked.regions[SOURCE_SET].complement], axis)
    bounds = np.array([(one.start, one.stop) for one in (*free, *own)]).ravel()
    breaks = graded(
        np.unique(np.concatenate([axis.s_faces[[0, -1]], axis.s_nodes, bounds])), sides[0].zero, sides[1].zero
    )
    line = line_of(problem.process, axis, name, 0.0, _apart(breaks, axis.ds))
    outer = [end_of(ends, line, side, bool(upper)) for upper, side in enumerate(sides)]
    answer = _flux_and_shares(line, free, own, outer)
    if line.finer is not None:
        check_agreement(answer, _flux_and_shares(line.finer, free, own, outer))
    flux, share, total = answer
    return TransitionRate(np.exp(flux - share), np.exp(flux - total), np.exp(share - total))


def _flux_and_shares(line: Line, free: list[FreeStretch], own: list[FreeStretch], outer: list[End]) -> Array:
    """ln of the flux from the source to the target, of the mass that comes from the source, and of all mass."""
    total = np.logaddexp.reduce([line.log_integral(0.0), outer[0].log_mass, outer[1].log_mass])
    flux, share = -np.inf, -np.inf
    for one in free:
        stretch = Stretch(line.between(one.start, one.stop), *_ends(one, outer))
        if {one.below, one.above} == {SOURCE_SET, TARGET_SET}:
            flux = np.logaddexp(flux, -stretch.line.log_resistance)
        share = np.logaddexp(share, _log_time_from_source(one, stretch))
    for one in own:
        beyond = [outer[k].log_mass for k, owner in enumerate((one.below, one.above)) if owner is None]
        share = np.logaddexp.reduce([share, line.between(one.start, one.stop).log_integral(0.0), *beyond])
    return np.array([flux, share, total])


def _ends(one: FreeStretch, outer: list[End]) -> tuple[End, End]:
    return (outer[0] if one.below is None else TARGET, outer[1] if one.above is None else TARGET)


def _log_time_from_source(one: FreeStretch, stretch: Stretch) -> float:
    """ln of the integral of m q- over a stretch and what lies beyond its open ends."""
    at_breaks, at_points = np.full(stretch.line.s.size, -np.inf), np.full(stretch.line.log_speed.shape, -np.inf)
    for owner, share in ((one.below, "log_downward"), (one.above, "log_upward")):
        if owner == SOURCE_SET:
            breaks, points = getattr(stretch, share)
            at_breaks, at_points = np.logaddexp(at_breaks, breaks), np.logaddexp(at_points, points)
    parts = [stretch.line.log_integral(at_points)]
    for owner, end, last in ((one.below, stretch.lower, at_breaks[0]), (one.above, stretch.upper, at_breaks[-1])):
        if owner is None:
            parts.append(end.log_mass + last)
    return float(np.logaddexp.reduce(parts))


def _with_jumps(asked: Asked) -> TransitionRate:
    """By the direct solve, with edges as they are: y = m q- is what the source sends to the free cells."""
    p, L = stationary(asked.problem), asked.L
    k = killed(L, asked.problem.grid, asked.regions, to_nodes=True)
    m, free = p.masses.ravel() * with_tails(L, asked.problem.grid), k.owner < 0
    in_source = np.where(k.owner == SOURCE_SET, m, 0.0)
    y = in_source + np.where(free, k.generator.resolvent(0.0).solve(np.where(free, L.apply(in_source), 0.0)), 0.0)
    flux = float(y @ np.where(k.owner == TARGET_SET, 0.0, L.adjoint((k.owner == TARGET_SET).astype(float))))
    return TransitionRate(flux / y.sum(), flux, float(y.sum()))


def _apart(breaks: Array, ds: float) -> Array:
    """Rising breaks without those that are others but for rounding."""
    kept = np.append(True, np.diff(breaks) > 1e-12 * ds)
    return breaks[kept]


def _refuse(asked: Asked, why: str, upper: int) -> None:
    axis, name = asked.problem.grid.axes[0], asked.problem.grid.names[0]
    stationary(asked.problem)  # says what is wrong, in its own words
    end = f"{name}={axis.hi if upper else axis.lo:.4g}"
    raise InvalidInput(
        f"no transition rate: {why or 'mass is lost'} at the end {end}, so there is no stationary density"
    )


def _in_space(asked: Asked, method: FirstPassage | None, progress: Progress) -> TransitionRate:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "nearly reducible", DegenerateWarning)  # by how much is what is asked
        p = stationary(asked.problem, progress=progress)
    k, masses, log_p = asked.chain, p.on_grid().masses.ravel(), p.log_values.ravel()
    edges = asked.ended_generator.edges
    into = [reversed_into(k, edges, index, log_p) for index in (SOURCE_SET, TARGET_SET)]
    cells = k.free[masses[k.free] > 0]
    log_masses = np.log(masses[cells])
    rates = reversed_rates(k.generator.rates()[cells][:, cells].tocsc(), log_masses)
    places = np.stack(np.unravel_index(cells, k.grid.shape), axis=1)
    leaving, reward = into[SOURCE_SET] + into[TARGET_SET], into[SOURCE_SET][cells]
    back = chosen(method, k).first_passage(rates, leaving[cells], reward, places, progress=progress)
    flux = float(np.sum(masses[cells] * back * k.into(TARGET_SET)[cells]))
    share = float(np.sum(masses[cells] * back) + masses[k.owner == SOURCE_SET].sum())
    return TransitionRate(flux / share, flux, share)
