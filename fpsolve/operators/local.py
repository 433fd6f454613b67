"""Drift and diffusion in one dimension: exponential fitting, exact at equilibrium.

    step_i = int_{x_i}^{x_{i+1}} A/D dx + c (ln D(x_i) - ln D(x_{i+1})),   k_i = D(face)/(x_{i+1} - x_i),
    rate i -> i+1 = k_i B(-step_i)/w_i,   rate i+1 -> i = k_i B(step_i)/w_{i+1},

with c = 1 (Ito), 1/2 (Stratonovich), 0 (isothermal), and the integral by Gauss-Legendre in s (4 points per cell).
Integrating ln D instead of D' means that no derivative is taken.  For a Gibbs process the step is an exact difference
of the loss.
Where D = 0 an edge carries transport only, upwind: step is then +-inf and the conductance 0.
Sources: Scharfetter & Gummel (1969); Allen & Southwell (1955).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.errors import InvalidInput
from fpsolve.kernels.fluxes import fitted_rates
from fpsolve.operators.degenerate import DIP, noise_zeros
from fpsolve.operators.edges import Edges
from fpsolve.operators.outflow import conductance_to_zero
from fpsolve.operators.sampling import Samples
from fpsolve.process import CONVENTIONS, Process

__all__ = ["Chain", "chain_edges"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
AT_A_NODE = 1e-6  # of a cell
STILL = 1e-12  # of the largest drift: no transport


@dataclass(frozen=True, eq=False)
class Chain(Edges):
    """The fitted edges of a chain (cells - 1 of them) or a ring (cells of them).

    dead: cells whose node is a zero of noise and drift: no path is ever there.
    zeros: where on an edge without noise D vanishes (NaN on the others).
    natural: whether the noise vanishes at the lower and at the upper outer face.
    """

    dead: Flags
    zeros: Array
    natural: tuple[bool, bool]


def chain_edges(process: Process, axis: Axis, name: str, t: float = 0.0) -> Chain:
    """Edges of `process` on `axis` at time t.  Raises InvalidInput where a coefficient is not what it must be."""
    if "reservoir" in axis.ends:
        raise InvalidInput(f"{name} ends in a reservoir, but a reservoir is filled along one axis beside another")
    samples = Samples(process, axis, name, t)
    places, inner = samples.places, samples.intervals.inner
    step, log_conductance = samples.steps(), samples.log_d_middle - places.log_lengths
    up, down, killing = np.empty(inner), np.empty(inner), np.zeros(axis.cells)
    fitted_rates(step[:inner], log_conductance[:inner], *places.log_weights, up, down)
    for k, upper in enumerate(samples.intervals.halves, start=inner):
        killing[-1 if upper else 0] += _outflow(samples, axis, k, upper, float(step[k]), float(log_conductance[k]))
    dead, transport, zeros = _vanishing_noise(samples, axis, inner)
    noiseless = np.isfinite(transport)
    if np.any(noiseless):
        i, j = np.flatnonzero(noiseless), (np.flatnonzero(noiseless) + 1) % axis.cells
        drift = transport[i]
        up[i] = np.where(drift > 0, drift, 0.0) / axis.weights[i]
        down[i] = np.where(drift < 0, -drift, 0.0) / axis.weights[j]
        step[i] = np.where(drift == 0, 0.0, np.copysign(np.inf, drift))
        log_conductance[i] = -np.inf
    left, right, offsets = places.links
    return Chain(
        left=left,
        right=right,
        offsets=offsets,
        step=step[:inner],
        log_conductance=log_conductance[:inner],
        up=up,
        down=down,
        noiseless=noiseless,
        killing=killing,
        dead=dead,
        zeros=zeros,
        natural=samples.natural,
    )


def _outflow(samples: Samples, axis: Axis, k: int, upper: bool, step: float, log_conductance: float) -> float:
    """Rate over an absorbing face, over the k-th interval.

    Where D vanishes on the face itself it is taken for a power of the distance (outflow.py).
    """
    cell = -1 if upper else 0
    if log_conductance == -np.inf or samples.log_d_nodes[cell] == -np.inf:  # no noise: transport
        drift = samples.drift_at_end(upper)
        return max(drift if upper else -drift, 0.0) / float(axis.weights[cell])
    if samples.log_d_at_end(upper) == -np.inf:
        gap, middle = samples.intervals.length[k], np.exp(samples.log_d_middle[k])
        pull = samples.pull_to_end(k, upper)
        c = CONVENTIONS[samples.process.convention]
        return float(conductance_to_zero(np.exp(samples.log_d_nodes[cell]), middle, pull, gap, c) / axis.weights[cell])
    up, down, log_w = np.empty(1), np.empty(1), np.log(axis.weights[[cell]])
    fitted_rates(np.array([step]), np.array([log_conductance]), log_w, log_w, up, down)
    return float(up[0] if upper else down[0])


def _vanishing_noise(samples: Samples, axis: Axis, inner: int) -> tuple[Flags, Array, Array]:
    """Dead cells; per edge without noise the drift that moves mass over it, and the zero of D on it (NaN elsewhere).

    Mass moves upwind with the drift at the face, or at the isolated zero of D that the edge contains.
    """
    dead, transport, zeros = np.zeros(axis.cells, dtype=bool), np.full(inner, np.nan), np.full(inner, np.nan)
    if samples.lowest > samples.highest + DIP:  # D hardly varies
        return dead, transport, zeros
    flat = _without_noise(samples, inner)
    if np.any(flat):
        drift = samples.drift_at_middles()
        drift[np.abs(drift) <= STILL * np.abs(drift).max()] = 0.0
        transport[flat] = drift[flat]
        zeros[flat] = axis.x(samples.intervals.middle[:inner][flat])
    for zero in noise_zeros(*samples.along(), samples.at):
        place = (zero.s - axis.start) / axis.ds - 0.5
        node = round(place)
        edges = slice(int(place), int(place) + 1)
        if abs(place - node) < AT_A_NODE and 0 <= node < axis.cells:
            dead[node] = zero.drift == 0.0
            edges = slice(max(node - 1, 0), node + 1)
        transport[edges], zeros[edges] = zero.drift, float(axis.x(zero.s))
    return dead, transport, zeros


def _without_noise(samples: Samples, inner: int) -> Flags:
    """Edges on which a sample of D is 0."""
    zero_nodes = samples.log_d_nodes == -np.inf
    flat = (
        (samples.log_d_middle[:inner] == -np.inf)
        | zero_nodes[:inner]
        | np.append(zero_nodes[1:], zero_nodes[0])[:inner]
    )
    if samples.log_d_quad.size:
        flat |= np.any(samples.log_d_quad.reshape(samples.s_quad.shape)[:inner] == -np.inf, axis=1)
    return flat
