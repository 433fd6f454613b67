"""The outcome of a claim: what was expected, what was measured, and what the negative control gave."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from fpsolve.blame import told

__all__ = ["Verdict"]

WORDS = {"pass": "PASS", "fail": "FAIL", "limit": "KNOWN LIMIT"}


@dataclass(frozen=True)
class Verdict:
    """A claim holds if the measured value is within the tolerance of the expected one and the control's is not.

    claim, case, kind: the claim's name, its file and its class.  seconds: CPU time.
    limit: how far a claim that is known not to hold is off, in words.  trouble: the error that kept the claim from
        being measured.

    >>> Verdict("twice two", "sums", "Exact", 4.0, 4.1, 0.2, control=5.0, source="arithmetic", seconds=0.0).word
    'PASS'
    """

    claim: str
    case: str
    kind: str
    expected: float
    measured: float
    tolerance: float
    control: float
    source: str
    seconds: float
    limit: str = ""
    trouble: str = ""

    @classmethod
    def broken(cls, claim: str, case: str, kind: str, error: Exception) -> Verdict:
        """Of a claim whose measurement raised `error`."""
        return cls(claim, case, kind, *(math.nan,) * 4, source="", seconds=0.0, trouble=told(error))

    @property
    def agrees(self) -> bool:
        """Whether the measured value is within the tolerance."""
        return abs(self.measured - self.expected) <= self.tolerance

    @property
    def control_fails(self) -> bool:
        """Whether the control is outside the tolerance, as it must be; one that is no number proves nothing."""
        return abs(self.control - self.expected) > self.tolerance

    @property
    def passed(self) -> bool:
        """Whether the claim holds and its control fails."""
        return self.agrees and self.control_fails

    @property
    def status(self) -> str:
        """One of "pass", "limit" (known and stated not to hold) and "fail"."""
        return "pass" if self.passed else ("limit" if self.limit else "fail")

    @property
    def word(self) -> str:
        """The status in words."""
        return WORDS[self.status]

    @property
    def margin(self) -> float:
        """Distance from the expected value, in tolerances: below 1 agrees."""
        return abs(self.measured - self.expected) / self.tolerance

    @property
    def line(self) -> str:
        """Everything on one line, the result first."""
        why = "" if self.passed else f"  <- {self.trouble or self.limit or ('off', 'the control passes')[self.agrees]}"
        return (
            f"{self.word}  {self.case:<20} {self.claim:<58} measured {self.measured:<13.8g} expected "
            f"{self.expected:<13.8g} +- {self.tolerance:<8.1e} control {self.control:<11.5g} {self.seconds:5.1f} s{why}"
        )

    def facts(self) -> dict[str, Any]:
        """Everything, for JSON."""
        derived = {"margin": self.margin, "control_fails": self.control_fails}
        return {"passed": self.passed, "status": self.word, **asdict(self), **derived}
