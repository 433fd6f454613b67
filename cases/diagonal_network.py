"""A diagonal linear network under SGD: the stationary law of v = sum of products of n = depth + 1 balanced weights.

    dv = A dt + sqrt(2 D) dW,  D = 2 T n^2 d^(4/n-2) v^(4-4/n) C(v),  C = alpha1 v^2 - 2 alpha2 v + alpha3

Moments alpha = (2, 2, 3), beta = (1, 1): x normal, y = x + unit noise.  At depth 1 the density exists below T_c = 1/3;
v = 0 is never crossed, so the two branches are separate laws.  Ziyin, Li & Ueda, arXiv 2308.06671.
"""

from __future__ import annotations

import fpsolve as fp

MOMENTS = (2.0, 2.0, 3.0, 1.0, 1.0)


def network(
    depth: int = 1, temperature: float = 0.1, width: int = 1, weight_decay: float = 0.0
) -> fp.models.DiagonalNetwork:
    return fp.models.DiagonalNetwork.from_moments(fp.Moments(*MOMENTS), temperature, depth, width, weight_decay)


def problem(
    depth: int = 1,
    temperature: float = 0.1,
    width: int = 1,
    weight_decay: float = 0.0,
    branch: str | None = None,
    cells: int | None = None,
) -> fp.Problem:
    """branch: "positive", "negative", "both" (the chain falls into two), or None, the side of the minimum."""
    return network(depth, temperature, width, weight_decay).problem(branch, cells)


def solve(
    depth: int = 1,
    temperature: float = 0.1,
    width: int = 1,
    weight_decay: float = 0.0,
    branch: str | None = None,
) -> dict[str, fp.Density | fp.ExactDensity]:
    """The stationary density of one branch beside its closed form; with branch="both", every branch that has one."""
    net = network(depth, temperature, width, weight_decay)
    if branch == "both":
        parts = fp.components(net.problem(branch), skip=True)
        return {"positive" if p.mean() > 0 else "negative": p for p in parts}
    return {"stationary": fp.stationary(net.problem(branch)), "closed_form": net.exact_density(branch)}
