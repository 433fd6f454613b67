"""The code of a guide: its python blocks, run one after another in one namespace, and what the text says they print."""

from __future__ import annotations

import contextlib
import io
import os
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r"^\.\. code-block:: (python|text)\n\n((?:(?: {3}.*)?\n)+)", re.MULTILINE)
PICTURE = re.compile(r"^\.\. image:: generated/(\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A python block; printed: the text block that follows it, or None.  line: of its first line of code."""

    code: str
    printed: str | None
    line: int


def blocks(text: str) -> Iterator[Block]:
    """The python blocks of a guide."""
    found = list(BLOCK.finditer(text))
    for k, block in enumerate(found):
        if block[1] == "python":
            follower = found[k + 1] if k + 1 < len(found) else None
            adjacent = follower is not None and follower[1] == "text" and follower.start() == block.end()
            printed = textwrap.dedent(follower[2]).strip() if follower is not None and adjacent else None
            yield Block(textwrap.dedent(block[2]), printed, text[: block.start(2)].count("\n") + 1)


def pictures(text: str) -> list[str]:
    """The names of the pictures that a guide shows."""
    return PICTURE.findall(text)


def run(path: Path, folder: Path) -> list[tuple[Block, str]]:
    """Run a guide's blocks in `folder`, where its pictures land; returns each with what it printed."""
    namespace: dict[str, object] = {"__name__": "__main__"}  # a module that exists: dataclasses look theirs up
    outcome = []
    text = path.read_text(encoding="utf-8")
    with contextlib.chdir(folder):
        for block in blocks(text):
            said = io.StringIO()
            with contextlib.redirect_stdout(said):
                code = "\n" * (block.line - 1) + block.code  # so that a traceback names the guide's own line
                exec(compile(code, os.fspath(path), "exec"), namespace)
            outcome.append((block, said.getvalue().strip()))
    return outcome
