"""Where and with what a result was made."""

from __future__ import annotations

import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fpsolve.doctor import examine

__all__ = ["provenance"]


def provenance(root: Path) -> dict[str, Any]:
    """Time, command, commit of the checkout at `root`, machine and versions, as plain text and numbers."""
    return {
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": " ".join(["fpsolve", *sys.argv[1:]]),
        "commit": _commit(root),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
        **examine(),
    }


def _commit(root: Path) -> str:
    try:
        words = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown: not a git checkout"


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"
