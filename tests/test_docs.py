"""The guides do what they say: their code prints what the text shows; the reference lists every public name."""

import importlib.util
import re
import sys
import time
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

import fpsolve as fp

mpl.use("Agg")
ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
NUMBER = re.compile(r"[-+]?\d+\.?\d*(?:e[-+]?\d+)?")
ROUNDING, SAME = 1e-11, 2e-5
LARGEST = 100_000  # bytes of a picture


def module(name):
    """One of the files that build the pages, by its own name, so that they find each other."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


blocks, markdown, reference, gallery = (module(name) for name in ("blocks", "markdown", "reference", "gallery"))
pictures = module("pictures")


def same(said, shown):
    """Equal words, and numbers equal to the digits that any machine gives; all below 1e-11 are rounding."""
    said, shown = " ".join(said.split()), " ".join(shown.split())
    if NUMBER.sub("#", said) != NUMBER.sub("#", shown):
        return False
    a, b = (np.array([float(x) for x in NUMBER.findall(text)]) for text in (said, shown))
    return bool(np.all((np.abs(a - b) <= SAME * np.abs(b)) | ((np.abs(a) < ROUNDING) & (np.abs(b) < ROUNDING))))


@pytest.mark.parametrize("guide", pictures.GUIDES)
def test_guides_print_what_they_show_and_draw_their_pictures(guide, tmp_path):
    path, started = DOCS / f"{guide}.rst", time.process_time()
    for block, said in blocks.run(path, tmp_path):
        assert same(said, block.printed or ""), f"{path.name}:{block.line} printed\n{said}"
    drawn = {file.name: file.stat().st_size for file in tmp_path.iterdir()}
    assert set(drawn) == set(blocks.pictures(path.read_text()))
    assert all(size < LARGEST for size in drawn.values())
    assert time.process_time() - started < 10


def test_a_wrong_number_or_word_is_noticed():
    assert same("mean 0.50001 residual 3e-16", "mean  0.50001 residual 8e-16")
    assert not same("mean 0.51", "mean 0.50")
    assert not same("True", "False")
    assert not same("mean 0.5 0.5", "mean 0.5")


def test_blocks_keep_their_lines(tmp_path):
    guide = tmp_path / "guide.rst"
    guide.write_text(
        "Title\n=====\n\n.. code-block:: python\n\n   x = 1\n\n   print(x)\n\n.. code-block:: text\n\n   1\n"
    )
    (block,) = blocks.blocks(guide.read_text())
    assert (block.line, block.printed, block.code.strip()) == (6, "1", "x = 1\n\nprint(x)")
    guide.write_text(guide.read_text().replace("x = 1", "x = 1/0"))
    with pytest.raises(ZeroDivisionError) as failure:
        blocks.run(guide, tmp_path)
    assert failure.traceback[-1].lineno + 1 == 6


def test_every_guide_is_in_the_index_and_run():
    listed = set(re.findall(r"^   (\w+)$", (DOCS / "index.rst").read_text(), re.MULTILINE))
    assert listed == set(pictures.GUIDES)
    assert listed == {path.stem for path in DOCS.glob("*.rst")} - {"index"}


@pytest.mark.parametrize("owner", [fp, fp.models, fp.measure], ids=lambda owner: owner.__name__)
def test_the_reference_lists_every_public_name(owner):
    listed = re.findall(r"^\.\. auto\w+:: (\S+)$", reference.page(), re.MULTILINE)
    assert len(listed) == len(set(listed))
    for name in set(owner.__all__) - reference.PARTS:
        assert {f"{owner.__name__}.{name}", f"fpsolve.{name}"} & set(listed), name


def test_docstrings_become_plain_text_lists_and_literals():
    lines = [
        "The law of |x|.",
        "",
        "    p ~ x^-q * C",
        "",
        "problem: any.",
        "grid, t: with `nodes`, and",
        "    more.",
        "",
        ">>> 1",
        "1",
    ]
    assert reference.as_rst(lines) == [
        "The law of \\|x\\|.", "", "::", "", "    p ~ x^-q * C", "", "* **problem**: any.", "",
        "* **grid, t**: with ``nodes``, and more.", "", ">>> 1", "1", "",
    ]  # fmt: skip


def test_theory_becomes_a_page_with_a_target_for_each_statement():
    text = markdown.as_rst(
        "# A\n\n<!-- statement: 2.1 -->\n**2.1 B.** $p$ and `x`.\n\n$$q$$\n\n| a | b |\n|---|---|\n| 1 | $z$ |"
    )
    assert text.split("\n")[:5] == ["A", "=", "", ".. _statement-2-1:", ""]
    assert "**2.1 B.** :math:`p`\\  and ``x``." in text
    assert ".. math::\n\n   q" in text
    assert "   * - a\n     - b\n   * - 1\n     - :math:`z`" in text


def test_the_gallery_shows_each_case_with_its_lines(tmp_path):
    page = gallery.build(ROOT, tmp_path, ["ornstein_uhlenbeck"])
    text = page.read_text()
    assert ".. image:: ornstein_uhlenbeck.png" in text
    assert 0 < (tmp_path / "ornstein_uhlenbeck.png").stat().st_size < LARGEST
    code = "\n".join(blocks.blocks(text).__next__().code.splitlines())
    exec(compile(code.replace("ornstein_uhlenbeck.png", str(tmp_path / "again.png")), "gallery", "exec"), {})
    assert (tmp_path / "again.png").is_file()


@pytest.mark.slow
def test_the_pages_build_without_a_warning(tmp_path):
    build = pytest.importorskip("sphinx.cmd.build", reason="pip install 'fpsolve[docs]'")
    assert build.build_main(["-q", "-W", str(DOCS), str(tmp_path)]) == 0
    page = (tmp_path / "generated" / "api.html").read_text()
    assert all(f'id="fpsolve.{name}"' in page for name in set(fp.__all__) - reference.PARTS)
