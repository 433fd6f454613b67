"""Tilted ring: dX = (f + a sin X) dt + sqrt(2 D) dW on a circle, a steady state that is driven.  Risken (1996), ch. 11.

The current J is constant and the entropy production is J times the closed integral of A/D, 2 pi f/D.
"""

import numpy as np
from matplotlib.figure import Figure

import fpsolve as fp


def problem(tilt: float = 0.5, roughness: float = 1.0, D: float = 0.3, cells: int = 400) -> fp.Problem:
    """The process on a periodic axis."""
    process = fp.Process(drift=lambda x: tilt + roughness * np.sin(x), diffusion=D)
    return fp.Problem(process, fp.Grid(x=fp.Axis.uniform(0, 2 * np.pi, cells, ends="periodic")))


def solve(tilt: float = 0.5, roughness: float = 1.0, D: float = 0.3, cells: int = 400) -> dict[str, fp.Density]:
    """The stationary density; its constant current is in `info.current`."""
    return {"stationary": fp.stationary(problem(tilt, roughness, D, cells))}


def entropy_production(tilt: float = 0.5, roughness: float = 1.0, D: float = 0.3, cells: int = 400) -> dict[str, float]:
    """Schnakenberg's sum over the edges, and J times the closed integral of A/D."""
    pr = problem(tilt, roughness, D, cells)
    p = fp.stationary(pr)
    return {"sum": fp.entropy_production(pr, p), "law": p.info.current * 2 * np.pi * tilt / D}


def figure(results: dict[str, fp.Density]) -> Figure:
    """The density, and the one that there would be without the tilt."""
    drawing = Figure(figsize=(7.0, 4.4), layout="constrained")
    p = results["stationary"]
    ax = p.plot(drawing.subplots(), label="tilted: it turns")
    level = fp.stationary(problem(tilt=0.0))
    level.plot(ax, label="level: at rest")
    ax.set(xlabel="angle $x$ (radians)", ylabel="$p(x)$ (per radian)", ylim=(0.0, 1.1 * level.values.max()))
    ax.set_title(f"current {p.info.current:.4g} turns per time", loc="left", fontsize="medium")
    return drawing
