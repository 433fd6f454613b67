"""Tilted ring: the entropy production is J times the closed integral of A/D, on any mesh and for any tilt."""

from cases import tilted_ring as case
from fpsolve.claims import Exact, Particles


def ratio(numbers):
    """Schnakenberg's sum over the law."""
    return numbers["sum"] / numbers["law"]


def on_a_mesh(cells, tilt):
    """One claim for one mesh and tilt."""
    return Exact(
        f"entropy production is J times the closed integral of A/D: {cells} cells, tilt {tilt:g}",
        case.entropy_production,
        dict(cells=cells, tilt=tilt),
        ratio,
        1.0,
        atol=1e-12,
        wrong=lambda numbers: ratio(numbers) * (1 + 1e-11),
        source="Schnakenberg, Rev. Mod. Phys. 48 (1976) 571",
    )


claims = [
    *(on_a_mesh(cells, tilt) for cells in (12, 60, 400) for tilt in (0.5, -3.0)),
    Exact(
        "a free ring carries the current f/(2 pi)",
        case.solve,
        dict(tilt=0.5, roughness=0.0, cells=30),
        lambda r: r["stationary"].info.current,
        0.5 / 6.283185307179586,
        atol=1e-14,
        wrong=dict(roughness=0.1),
        source="constant drift",
    ),
    Particles(
        "particles on the ring",
        case.problem,
        dict(tilt=0.5),
        until=20.0,
        n=10_000,
        dt=(2e-2, 1e-2),
        seed=5,
        wrong=dict(tilt=1.5),
        slow=True,
    ),
]
