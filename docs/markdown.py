"""As much Markdown as docs/theory.md uses, as reStructuredText: headings, formulas, tables, lists, emphasis, code."""

from __future__ import annotations

import re

MARK = re.compile(r"^<!-- statement: ([\d.]+) -->$")
INLINE = re.compile(r"(?<![\\$])\$([^$]+)\$")
CODE = re.compile(r"`([^`]+)`")
EMPHASIS = re.compile(r"(?<!\*)\*([^*]+)\*(?!\*)")
UNDERLINES = {1: "=", 2: "-", 3: "~"}


def as_rst(text: str) -> str:
    """The same page for Sphinx; a marked statement becomes a target, `statement-2-6`."""
    result: list[str] = []
    paragraphs = text.strip().split("\n\n")
    for paragraph in paragraphs:
        lines = paragraph.split("\n")
        mark = MARK.match(lines[0])
        if mark:
            result += [f".. _statement-{mark[1].replace('.', '-')}:", ""]
            lines = lines[1:]
        result += [*_paragraph(lines), ""]
    return "\n".join(result)


def _paragraph(lines: list[str]) -> list[str]:
    if lines[0].startswith("#"):
        level, title = len(lines[0]) - len(lines[0].lstrip("#")), lines[0].lstrip("# ")
        return [title, UNDERLINES[level] * len(title)]
    joined = "\n".join(lines)
    if joined.startswith("$$"):
        return [".. math::", "", *("   " + line for line in joined.strip("$").strip().split("\n"))]
    if lines[0].startswith("|"):
        return _table(lines)
    return _inline(joined).split("\n")


def _table(lines: list[str]) -> list[str]:
    rows = [[_inline(cell.strip()) for cell in line.strip("|").split("|")] for k, line in enumerate(lines) if k != 1]
    result = [".. list-table::", "   :header-rows: 1", ""]
    for row in rows:
        result += [f"   {'* ' if k == 0 else '  '}- {cell}".rstrip() for k, cell in enumerate(row)]
    return result


def _inline(text: str) -> str:
    """Formulas and code, which may be broken over lines; names in [1], [2] as they are."""
    text = CODE.sub(lambda found: "\0" + " ".join(found[1].split()) + "\0", text)
    text = INLINE.sub(lambda found: ":math:`" + " ".join(found[1].split()) + "`\\ ", text)
    return text.replace("\0", "``")
