"""The exact law of discrete minibatch SGD of one parameter, without Monte Carlo.

    w K = w,   E f = sum_k w_k f(x_k);   after n steps w_n = w_0 K^n

K is the Markov operator of the random map that one step is, collocated (fpsolve/collocation.py).  What is left of its
error falls with the eighth power of the distance of the nodes: densities of the Fokker-Planck equation and of its
corrections are judged by it.
"""

from __future__ import annotations

import time

import numpy as np

from fpsolve.asking import shown
from fpsolve.checks import number, whole
from fpsolve.errors import InvalidInput, NotConverged, TruncationWarning, warn
from fpsolve.random_map import HasRandomMap, RandomMap, map_of
from fpsolve.random_map_domain import LEAST_FLUX, fitted_stretch
from fpsolve.random_map_ends import check_ends
from fpsolve.transfer_law import FEWEST_NODES, ExactLaw, MomentErrors, law_between

__all__ = ["ExactLaw", "MomentErrors", "transfer"]

LARGEST_FLUX = 1e-5  # a step: where more leaves there is no law to speak of,
LARGEST_CAUGHT = 1e-4  # nor where more of the mass sticks near 0


def transfer(
    model: RandomMap | HasRandomMap, nodes: int = 1000, *, domain: tuple[float, float] | None = None
) -> ExactLaw:
    """The exact stationary law of discrete SGD, or of any random map with finitely many branches.

        p(x') = sum_a w_a int delta(x' - F(x, a)) p(x) dx

    model: a RandomMap, or a model that has one: `net.random_map()`.
    nodes: of the collocation.  domain: (lo, hi) in x; without it, where the law is found to be, so that less than 1e-15
        of the mass leaves it in a step.

    Returns an ExactLaw: `.expect(f)`, `.mean()`, `.var()`, `.stationary()`, `.evolve(start, steps)`, `.flux`, `.error`,
    `.kappa`, `.tail_exponent`, `.ulam()`.
    Raises NotNormalizable where all mass condenses at x = 0 or runs away, NotConverged (its `best` is the law of what
    has not left yet) where the map diverges: the learning rate is too large for a law to exist; InvalidInput for a
    model without data.  Warns TruncationWarning where replicas leave rarely, with the rate.
    Source: Dellnitz & Junge, SIAM J. Numer. Anal. 36, 491 (1999) for the operator; Ziyin, Li & Ueda, arXiv 2308.06671
    for the networks.

    >>> import fpsolve as fp
    >>> x, y = np.array([1.0, -1.0, 2.0, 0.5]), np.array([1.1, -0.7, 1.6, 0.9])
    >>> net = fp.models.DiagonalNetwork(fp.Regression(x, y), learning_rate=0.05)
    >>> exact = transfer(net)
    >>> round(exact.mean(), 8), round(exact.var(), 8), exact.flux < 1e-15
    (0.86964586, 0.0041646, True)
    >>> p = exact.stationary()
    >>> round(fp.distance(p, fp.stationary(net.problem()), "KS"), 4)
    0.0818
    """
    random_map = map_of(model)
    whole("nodes", nodes, FEWEST_NODES)
    started = time.process_time()
    check_ends(random_map)
    mode = None
    if domain is None:
        lo, hi, mode = fitted_stretch(random_map)
    else:
        lo, hi = _given(random_map, domain)
    random_map.check()
    law = law_between(random_map, lo, hi, nodes, mode, started)
    _check_flux(law)
    return law


def _given(random_map: RandomMap, domain: tuple[float, float]) -> tuple[float, float]:
    if not isinstance(domain, (tuple, list)) or len(domain) != 2:
        raise InvalidInput(f"domain is {shown(domain)}; give (lo, hi) in {random_map.name}")
    ends = np.sort(random_map.coordinate_of([number("domain[0]", domain[0]), number("domain[1]", domain[1])]))
    if not np.all(np.isfinite(ends)) or ends[0] >= ends[1]:
        raise InvalidInput(
            f"domain is {domain}; give two different {random_map.name} that the map's coordinate reaches"
        )
    return float(ends[0]), float(ends[1])


def _check_flux(law: ExactLaw) -> None:
    flux, caught, name = law.flux, law.caught, law.random_map.name
    where = f"the stretch from {name}={law.positions[0]:.4g} to {law.positions[-1]:.4g}"
    if not flux <= LARGEST_FLUX or not caught <= LARGEST_CAUGHT:
        what = f"{flux:.2g} of the mass leaves {where} in every step: it diverges, or crosses {name} = 0"
        if caught > LARGEST_CAUGHT:
            what = (
                f"steps throw mass near {name} = 0, where it hardly moves: {caught:.2g} of it is there, and more later"
            )
        raise NotConverged(
            f"no stationary law: {what}; lower the learning rate, or enlarge the batch; `best` has the law of what has "
            "not left yet",
            best=law,
        )
    if flux > 100.0 * LEAST_FLUX or caught > 100.0 * LEAST_FLUX:
        warn(
            f"{flux:.2g} of the mass leaves {where} in every step, and {caught:.2g} of it is caught near {name} = 0: "
            "the law is that of what has not left yet (quasi-stationary)",
            TruncationWarning,
        )
