"""Is there room?  Asked before large arrays are made, since a machine that runs out of memory stops without a word."""

from __future__ import annotations

import os
from pathlib import Path

from fpsolve.errors import NotEnoughMemory

__all__ = ["available_bytes", "require"]

GIGA = 1e9
SMALL = 1e8  # bytes that need no question


def require(estimate: float, what: str, remedy: str) -> None:
    """Raise NotEnoughMemory, with both numbers, where `what` needs more bytes than are available.

    >>> require(1e3, "a small grid", "use fewer cells")
    """
    if estimate < SMALL:
        return
    available = available_bytes()
    if available is not None and estimate > available:
        raise NotEnoughMemory(
            f"{what} needs about {estimate / GIGA:.3g} GB, and {available / GIGA:.3g} GB are available; {remedy}"
        )


def available_bytes() -> float | None:
    """Memory that can be had without swapping; None where the system does not say."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024.0 * float(line.split()[1])
    except OSError:
        pass
    try:
        return float(os.sysconf("SC_PHYS_PAGES")) * float(os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):
        return None
