"""Sphinx: the guides with pictures made by their own code, theory, the gallery and the reference.  Nothing
is fetched to build them, nor to read them: formulas are typeset by a MathJax that comes with the pages.

sphinx-build -W docs docs/_build              guides, theory, reference
sphinx-build -W -t gallery docs docs/_build   and the gallery's pictures, some minutes
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("MPLBACKEND", "Agg")
DOCS = Path(__file__).resolve().parent
for place in (DOCS, DOCS.parent):
    if str(place) not in sys.path:
        sys.path.insert(0, str(place))

import gallery  # noqa: E402
import markdown  # noqa: E402
import pictures  # noqa: E402
import reference  # noqa: E402

from fpsolve.version import __version__  # noqa: E402

project = "fpsolve"
author = "fpsolve developers"
copyright = author
release = version = __version__
extensions = ["sphinx.ext.autodoc", "sphinx.ext.mathjax", "sphinx-mathjax-offline"]
html_theme = "alabaster"
html_theme_options = {"page_width": "1100px", "description": "Probability densities of stochastic dynamics"}
exclude_patterns = ["_build"]
autodoc_member_order = "bysource"
autodoc_typehints = "none"
smartquotes = False
highlight_language = "none"  # of formulas; examples and guides say that they are Python
html_static_path = ["style"]


def setup(app: Any) -> None:
    """Make what is generated before the sources are read, and docstrings readable."""
    app.connect("builder-inited", _generate)
    app.connect("autodoc-process-docstring", _readable)


def _generate(app: Any) -> None:
    folder = DOCS / "generated"
    folder.mkdir(exist_ok=True)
    theory = markdown.as_rst((DOCS / "theory.md").read_text(encoding="utf-8"))
    (folder / "theory.rst").write_text(theory, encoding="utf-8")
    (folder / "api.rst").write_text(reference.page(), encoding="utf-8")
    pictures.build(DOCS, folder)
    gallery.build(DOCS.parent, folder, pictures=app.tags.has("gallery"))


def _readable(app: Any, what: str, name: str, found: Any, options: Any, lines: list[str]) -> None:  # noqa: ARG001
    lines[:] = reference.as_rst(lines) + reference.head(name)
