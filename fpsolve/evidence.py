"""What a validation report rests on: the verdict of every claim, the picture of every case, and their origin."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from fpsolve.verdict import Verdict

__all__ = ["Evidence", "Picture", "Section"]


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

    @property
    def width(self) -> int:
        """In pixels, as the head of a PNG says."""
        return int.from_bytes(self.png[16:20])


@dataclass(frozen=True)
class Section:
    """One case: what it is, the verdicts on its claims, and its picture.

    left_out: how many of its claims are slow, and were not checked.
    """

    name: str
    title: str
    about: str
    claims: tuple[Verdict, ...]
    picture: Picture | None
    left_out: int = 0


@dataclass(frozen=True)
class Evidence:
    """All sections, with where they come from and what is known not to work."""

    sections: tuple[Section, ...]
    provenance: dict[str, Any]
    limits: tuple[tuple[str, str], ...]

    @property
    def claims(self) -> list[Verdict]:
        """Every claim's verdict."""
        return [claim for section in self.sections for claim in section.claims]

    @property
    def undrawn(self) -> list[str]:
        """The cases that could not be drawn."""
        return [section.name for section in self.sections if section.picture and section.picture.reason]

    @property
    def unclaimed(self) -> list[str]:
        """What nothing is claimed about: a check of nothing is no success."""
        return [section.name for section in self.sections if not section.claims and not section.left_out]

    @property
    def left_out(self) -> int:
        """How many claims were not checked, because they are slow."""
        return sum(section.left_out for section in self.sections)

    def count(self, status: str) -> int:
        """How many claims ended so: "pass", "fail" or "limit"."""
        return sum(claim.status == status for claim in self.claims)

    @property
    def failed(self) -> bool:
        """Whether a claim fails that is no known limit, a case could not be drawn, or has no claim."""
        return bool(self.count("fail") or self.undrawn or self.unclaimed or not self.sections)

    @property
    def verdict(self) -> str:
        """One sentence."""
        held, limits, fails = self.count("pass"), self.count("limit"), self.count("fail")
        parts = [f"{fails} of {len(self.claims)} claims fail"] if fails else []
        parts += [f"no picture could be made of {', '.join(self.undrawn)}"] if self.undrawn else []
        if self.unclaimed:
            parts += [f"nothing is claimed about {', '.join(self.unclaimed)}: put claims in the list `claims`"]
        if held and not parts:
            parts = [f"All {held} claims hold, each beside a negative control that fails"]
        if self.left_out and not self.claims:
            one = self.left_out == 1
            ones = f"{self.left_out} slow {'one' if one else 'ones'} left out; --slow checks {'it' if one else 'them'}"
            parts += [f"no claim was checked: {ones}"]
        parts += [] if self.sections else ["there are no claims"]
        parts += [f"{limits} known not to hold, each with its measured figure"] if limits else []
        return "; ".join(parts) + "."

    def facts(self) -> dict[str, Any]:
        """Everything but the pictures, for JSON."""
        found = {
            "verdict": self.verdict,
            "failed": self.count("fail"),
            "not drawn": self.undrawn,
            "nothing claimed": self.unclaimed,
            "slow claims left out": self.left_out,
            "claims": [claim.facts() for claim in self.claims],
            "known limits": [{"what": what, "figure": figure} for what, figure in self.limits],
            "provenance": self.provenance,
        }
        return {name: _plain(fact) for name, fact in found.items()}


def _plain(fact: Any) -> Any:
    """JSON has no word for numbers that are not finite."""
    if isinstance(fact, dict):
        return {key: _plain(part) for key, part in fact.items()}
    if isinstance(fact, (list, tuple)):
        return [_plain(part) for part in fact]
    if isinstance(fact, float) and not float("-inf") < fact < float("inf"):
        return str(fact)
    return fact
