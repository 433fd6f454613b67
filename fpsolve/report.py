"""The validation report: one page that stands alone, and the same facts as JSON."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

from fpsolve.errors import MissingExtra
from fpsolve.evidence import Evidence
from fpsolve.store import write_whole

__all__ = ["write_report"]

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
NAME = re.compile(r"`([^`\n]+)`")
PAGE, FACTS = "report.html", "report.json"


def write_report(evidence: Evidence, folder: Path) -> tuple[Path, Path]:
    """Write report.html and report.json into `folder`; returns both paths.

    Raises MissingExtra without jinja2.
    """
    page, facts = folder / PAGE, folder / FACTS
    text = _page(evidence)
    write_whole(page, lambda file: file.write(text.encode()))
    write_whole(facts, lambda file: file.write(json.dumps(evidence.facts(), indent=1, allow_nan=False).encode()))
    return page, facts


def _page(evidence: Evidence) -> str:
    try:
        from jinja2 import Environment, StrictUndefined
        from markupsafe import Markup, escape
    except ImportError as error:
        raise MissingExtra("a report needs jinja2; pip install 'fpsolve[report]'") from error
    source = files("fpsolve").joinpath("templates/report.html").read_text()
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["short"] = _short
    environment.filters["breakable"] = lambda name: Markup(str(escape(name)).replace("_", "_<wbr>"))
    environment.filters["coded"] = lambda text: Markup(NAME.sub(r"<code>\1</code>", str(escape(text))))
    return environment.from_string(source).render(evidence=evidence)


def _short(number: float) -> str:
    """Six digits, powers of ten as they are read."""
    text = f"{number:.6g}"
    mantissa, mark, power = text.partition("e")
    return f"{mantissa} × 10{str(int(power)).translate(RAISED)}" if mark else text
