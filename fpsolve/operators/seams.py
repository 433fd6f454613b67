"""Does a periodic axis hold whole periods?  Not if drift or diffusion jump where its two ends meet."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import ResolutionWarning, warn
from fpsolve.functions import Points
from fpsolve.grid import Grid
from fpsolve.process import Process

__all__ = ["warn_of_seams"]

Array = NDArray[np.float64]
LARGE = 10.0  # times the largest difference of neighbours elsewhere
TINY = 1e-3  # of the largest value
LINES = 5  # along which to look, for each other axis


def warn_of_seams(process: Process, grid: Grid, t: float) -> None:
    """Warn where a coefficient jumps at the seam of a periodic axis, and nowhere else like that."""
    for k, axis in enumerate(grid.axes):
        if axis.periodic:
            message = _jump(process, grid, k, t)
            if message:
                warn(message, ResolutionWarning)


def _jump(process: Process, grid: Grid, k: int, t: float) -> str:
    places = [
        axis.nodes if i == k else axis.nodes[np.unique(np.linspace(0, axis.cells - 1, LINES).astype(int))]
        for i, axis in enumerate(grid.axes)
    ]
    mesh = np.meshgrid(*places, indexing="ij")
    points = Points(grid.names, tuple(part.ravel() for part in mesh), (("seam check", mesh[0].shape),))
    axis, name = grid.axes[k], grid.names[k]
    for label, values in _coefficients(process, points, t).items():
        along = np.moveaxis(values.reshape(-1, *mesh[0].shape), 1 + k, -1).reshape(-1, axis.cells)
        seam = np.abs(along[:, 0] - along[:, -1])
        worst = int(np.argmax(seam))
        elsewhere = float(np.abs(np.diff(along, axis=1)).max())
        if seam[worst] > LARGE * elsewhere and seam[worst] > TINY * np.abs(along).max():
            times = f"{seam[worst] / elsewhere:.3g} times what neighbours" if elsewhere > 0 else "and no neighbours"
            return (
                f"{label} jumps from {along[worst, -1]:.4g} at {name}={axis.nodes[-1]:.4g} to {along[worst, 0]:.4g} at "
                f"{name}={axis.nodes[0]:.4g}, where the ends of the periodic axis meet: {times} differ by elsewhere; "
                f"give an axis of whole periods, not [{axis.lo:.4g}, {axis.hi:.4g}] (or move a jump that is meant "
                "inside)"
            )
    return ""


def _coefficients(process: Process, points: Points, t: float) -> dict[str, Array]:
    """What must go on over a seam, each of shape (components, points); a loss that does not close is refused before."""
    diffusion = {"diffusion": process.diffusion_at(points, t).reshape(-1, points.size)}
    return diffusion if process.potential is not None else {"drift": process.drift_at(points, t), **diffusion}
