"""Statements of theory, and the claims that measure them: docs/theory.md numbers them, validation/statements.toml maps.

A statement is marked in the text,

    <!-- statement: 2.6 -->
    **2.6 Tails.** For n >= 2 ...

and the map names its claims as "file in validation: claim", where * stands for anything.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fpsolve.claims import Claim
from fpsolve.errors import InvalidInput

__all__ = ["Statement", "statements"]

TEXT, MAP = Path("docs/theory.md"), Path("validation/statements.toml")
MARK = re.compile(r"<!-- statement: (?P<number>[\d.]+) -->\n\*\*(?P=number) (?P<title>[^*\n]+?)\.?\*\*")
ANY_MARK = re.compile(r"<!-- statement: ([^>]*) -->")


@dataclass(frozen=True)
class Statement:
    """A numbered statement; claims: the names (file, claim) of those that measure it."""

    number: str
    title: str
    claims: tuple[tuple[str, str], ...]


def statements(root: str | Path, claims: Mapping[str, Sequence[Claim]]) -> list[Statement]:
    """The statements of root/docs/theory.md in their order, with those of `claims`, by file, that measure them.

    Raises InvalidInput where text and map disagree, or a claim of the map does not exist; a statement without claims
    is returned as it is.
    """
    root = Path(root)
    for path in (TEXT, MAP):
        if not (root / path).is_file():
            raise InvalidInput(f"no {root / path}; give the root of a checkout with --root")
    text = (root / TEXT).read_text(encoding="utf-8")
    titles = {found["number"]: found["title"] for found in MARK.finditer(text)}
    _check_marks(ANY_MARK.findall(text), titles)
    patterns = tomllib.loads((root / MAP).read_text(encoding="utf-8"))["claims"]
    apart = sorted(titles.keys() ^ patterns.keys())
    if apart:
        raise InvalidInput(f"{MAP} and {TEXT} differ in statement {', '.join(apart)}; add the missing entries")
    names = [(file, claim.name) for file, group in claims.items() for claim in group]
    return [Statement(number, title, _matching(number, patterns[number], names)) for number, title in titles.items()]


def _check_marks(marks: list[str], titles: Mapping[str, str]) -> None:
    if len(marks) != len(titles):
        odd = sorted({mark for mark in marks if mark not in titles or marks.count(mark) > 1})
        raise InvalidInput(
            f"statement {', '.join(odd)} of {TEXT} has no title '**number title.**' below its mark, or two"
        )


def _matching(number: str, patterns: Sequence[str], names: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    found: dict[tuple[str, str], None] = {}
    for pattern in patterns:
        file, _, wanted = pattern.partition(": ")
        form = re.compile(re.escape(wanted).replace(r"\*", ".*"))
        matches = [name for name in names if name[0] == file and form.fullmatch(name[1])]
        if not matches:
            raise InvalidInput(f"statement {number} names a claim {pattern!r} that does not exist; mend {MAP}")
        found.update(dict.fromkeys(matches))
    return tuple(found)
