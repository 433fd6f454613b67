"""What a validation report rests on: every claim checked, every case drawn, and where and how that was done."""

from __future__ import annotations

import base64
import io
import platform
import subprocess
import sys
import time
import types
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fpsolve import casefile
from fpsolve.claims import Claim, Verdict, collect
from fpsolve.doctor import examine
from fpsolve.errors import FpsolveError
from fpsolve.runner import draw

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Evidence", "Judged", "Picture", "Section", "gather"]

DOTS = 110  # per inch
WORDS = {"pass": "PASS", "fail": "FAIL", "limit": "KNOWN LIMIT"}


@dataclass(frozen=True)
class Judged:
    """A claim's verdict, and the word for it: "pass", "fail", or "limit" where it is known and stated not to hold."""

    verdict: Verdict
    status: str
    limit: str

    @property
    def word(self) -> str:
        """The status in words."""
        return WORDS[self.status]

    def facts(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return {**self.verdict.facts(), "status": self.word, "limit": self.limit}


@dataclass(frozen=True)
class Picture:
    """A case's figure as PNG, with what it shows in words; or why there is none."""

    png: bytes
    caption: str
    reason: str
    seconds: float

    @property
    def inline(self) -> str:
        """As the source of an image."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode()


@dataclass(frozen=True)
class Section:
    """One case: what it is, its claims and its picture."""

    name: str
    title: str
    about: str
    claims: tuple[Judged, ...]
    picture: Picture | None


@dataclass(frozen=True)
class Evidence:
    """All sections, with where they come from."""

    sections: tuple[Section, ...]
    provenance: dict[str, Any]
    limits: tuple[tuple[str, str], ...]

    @property
    def judged(self) -> list[Judged]:
        """Every claim."""
        return [claim for section in self.sections for claim in section.claims]

    def count(self, status: str) -> int:
        """How many claims ended so."""
        return sum(claim.status == status for claim in self.judged)

    @property
    def failed(self) -> int:
        """Claims that do not hold, or whose control does not fail, and are no known limits."""
        return self.count("fail")

    @property
    def verdict(self) -> str:
        """One sentence."""
        total, limits = len(self.judged), self.count("limit")
        known = f"; {limits} known not to hold, each with its measured figure" if limits else ""
        if self.failed:
            return f"{self.failed} of {total} claims fail{known}."
        return f"All {total - limits} claims hold, each beside a negative control that fails{known}."

    def facts(self) -> dict[str, Any]:
        """Everything but the pictures, for JSON."""
        return {
            "verdict": self.verdict,
            "failed": self.failed,
            "claims": [claim.facts() for claim in self.judged],
            "known limits": [{"what": what, "figure": figure} for what, figure in self.limits],
            "provenance": self.provenance,
        }


def gather(
    root: Path, names: list[str], *, slow: bool, quick: bool, tell: Callable[[str], object], pictures: bool = True
) -> Evidence:
    """Check the claims about `names` (all cases unless given) and draw them.

    slow: the expensive claims too.  quick: the first two claims of a case that are not, and no pictures of cases that
    say SLOW_FIGURE.
    """
    started = time.perf_counter()
    sections = []
    for name, claims in collect(root, names).items():
        chosen = [claim for claim in claims if slow or not claim.expensive]
        chosen = [claim for claim in chosen if not claim.expensive][:2] if quick else chosen
        judged = tuple(_judged(claim, name, tell) for claim in chosen)
        cases = casefile.available(root)
        module = casefile.load(cases[name]) if name in cases else casefile.load_file(root / "validation" / f"{name}.py")
        wanted = pictures and name in cases and not (quick and getattr(module, "SLOW_FIGURE", False))
        about = (module.__doc__ or "").strip()
        title, _, rest = about.partition("\n")
        sections.append(Section(name, title, rest.strip(), judged, _drawn(module, name, tell) if wanted else None))
    provenance = _provenance(root, time.perf_counter() - started)
    return Evidence(tuple(sections), provenance, _limits(root))


def _judged(claim: Claim, case: str, tell: Callable[[str], object]) -> Judged:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        verdict = claim.check(case)
    limit = str(getattr(claim, "limit", ""))
    status = "pass" if verdict.passed else ("limit" if limit else "fail")
    tell(f"{WORDS[status]}  {case}: {claim.name}")
    return Judged(verdict, status, limit)


def _drawn(module: types.ModuleType, name: str, tell: Callable[[str], object]) -> Picture:
    started = time.process_time()
    told = getattr(getattr(module, "figure", None), "__doc__", None) or "What the case computes, each by its own plot."
    caption = " ".join(told.split())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            drawing = draw(module)
        except FpsolveError as error:
            return Picture(b"", caption, str(error), time.process_time() - started)
        png = _png(drawing)
    seconds = time.process_time() - started
    tell(f"drawn {name} ({seconds:.1f} s)")
    return Picture(png, caption, "", seconds)


def _png(drawing: Figure) -> bytes:
    """The figure in a palette of 256 colours: a third of the size, with no difference to be seen."""
    from PIL import Image  # comes with matplotlib

    full, small = io.BytesIO(), io.BytesIO()
    drawing.savefig(full, format="png", dpi=DOTS)
    Image.open(full).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(small, format="png", optimize=True)
    return small.getvalue()


def _limits(root: Path) -> tuple[tuple[str, str], ...]:
    """What is known not to work, from validation/_known_limits.py."""
    path = root / "validation" / "_known_limits.py"
    return tuple(casefile.load_file(path).limits) if path.is_file() else ()


def _provenance(root: Path, seconds: float) -> dict[str, Any]:
    return {
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": " ".join(["fpsolve", *sys.argv[1:]]),
        "commit": _commit(root),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "seconds": round(seconds, 1),
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
