"""GMRES: solve A x = b with A known by its products, here always with a direct solve of something near inside them.

    x = V y,  V an orthonormal basis of b, A b, A^2 b, ...,  y minimising |b - A V y|
Every cycle begins from the true residual, so that rounding in the basis does not stay in the answer.
Source: Saad & Schultz, SIAM J. Sci. Stat. Comput. 7, 856 (1986).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import NotConverged

__all__ = ["gmres"]

CYCLE = 60  # products before it begins again
SHRINK = 0.5  # what a cycle must make of the residual
ROUNDING = 100.0  # how far short of what is asked for rounding may stop it


def gmres(
    product: Callable[[NDArray], NDArray], right: NDArray, rtol: float, most: int = 300
) -> tuple[NDArray, tuple[float, ...]]:
    """(x, residuals relative to |b| along the way).

    Where rounding stops the residual short of rtol, but within 100 of it, that is the answer.
    Raises NotConverged, with the best x and those residuals, where they stop falling or `most` products are spent.
    """
    size = float(np.linalg.norm(right))
    x, history = np.zeros_like(right), [1.0]
    if size == 0.0:
        return x, (0.0,)
    residual = right
    while len(history) <= most:
        before = float(np.linalg.norm(residual))
        step, seen = _cycle(product, residual, rtol * size / before, min(CYCLE, most + 1 - len(history)))
        trial = right - product(x + step)
        now = float(np.linalg.norm(trial))
        history += [value * before / size for value in seen]
        if now < before:
            x, residual = x + step, trial
        if now <= rtol * size:
            return x, (*history, now / size)
        if not now < SHRINK * before:
            break
    if min(now, before) <= ROUNDING * rtol * size:
        return x, (*history, min(now, before) / size)
    raise NotConverged(
        f"GMRES stalls after {len(history) - 1} products at a residual of {min(now, before) / size:.2g} of the "
        f"right-hand side, where {rtol:g} was asked for: the drift is too steep for fluxes of high order on this grid; "
        "refine it, or use fp.Positive(), which is solved directly",
        best=x,
        history=history,
    )


def _cycle(
    product: Callable[[NDArray], NDArray], residual: NDArray, rtol: float, most: int
) -> tuple[NDArray, list[float]]:
    """A correction from one basis, and the residuals as it grew, relative to the first."""
    size = np.linalg.norm(residual)
    basis = [residual / size]
    hessenberg = np.zeros((most + 1, most), dtype=residual.dtype)
    target = np.zeros(most + 1, dtype=residual.dtype)
    target[0] = size
    seen: list[float] = []
    for k in range(most):
        w = product(basis[k])
        for _ in range(2):  # once is not enough to keep the basis orthogonal
            for i, v in enumerate(basis):
                share = np.vdot(v, w)
                hessenberg[i, k] += share
                w = w - share * v
        hessenberg[k + 1, k] = np.linalg.norm(w)
        y = np.linalg.lstsq(hessenberg[: k + 2, : k + 1], target[: k + 2], rcond=None)[0]
        seen.append(float(np.linalg.norm(target[: k + 2] - hessenberg[: k + 2, : k + 1] @ y) / size))
        if seen[-1] <= rtol or abs(hessenberg[k + 1, k]) <= np.finfo(float).eps * size:
            break
        basis.append(w / hessenberg[k + 1, k])
    return np.stack(basis[: y.size], axis=1) @ y, seen
