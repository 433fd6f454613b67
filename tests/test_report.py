"""The validation report: self-contained, honest in its verdict, and readable by people and machines."""

import io
import json
import math
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fpsolve.claims import Exact
from fpsolve.cli import main
from fpsolve.errors import InvalidInput
from fpsolve.evidence import Evidence, Picture, Section
from fpsolve.gather import gather
from fpsolve.report import write_report

ROOT = Path(__file__).resolve().parents[1]
VOID = {"meta", "img", "link", "br", "hr", "input"}


def doubled(k=1.0):
    return 2.0 * k


def judged(expected, *, limit="", wrong=5.0, name="twice <two>"):
    claim = Exact(name, doubled, {"k": 1.0}, lambda r: r, expected, 1e-9, {"k": wrong}, "arithmetic", limit=limit)
    return claim.check("case")


def evidence(*claims, picture=None):
    section = Section("case", "Twice a number", "2 k & nothing else", claims, picture)
    return Evidence((section,), {"command": "fpsolve validate", "commit": "none"}, (("what `x < 1`", "a figure"),))


class Tags(HTMLParser):
    """Whether every element is closed, and what the attributes say."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.images = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"]] if "href" in found else []
        self.images += [found] if tag == "img" else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_every_claim_holds_or_the_verdict_says_so(tmp_path):
    assert evidence(judged(2.0)).verdict.startswith("All 1 claims hold")
    assert evidence(judged(2.0), judged(2.5)).verdict.startswith("1 of 2 claims fail")
    assert evidence(judged(2.0, wrong=1.0)).failed  # a control that passes proves nothing
    assert evidence(judged(2.0, wrong=math.nan)).failed  # nor does one that is no number
    known = evidence(judged(2.0), judged(2.5, limit="off by .5"))
    assert (known.failed, known.count("limit")) == (False, 1)
    page, facts = write_report(known, tmp_path)
    assert "KNOWN LIMIT" in page.read_text()
    assert json.loads(facts.read_text())["claims"][1]["limit"] == "off by .5"


def test_the_page_stands_alone_and_is_well_formed(tmp_path):
    picture = Picture(b"\x89PNG" + bytes(20), "Twice, drawn", "", 0.1)
    text = write_report(evidence(judged(2.0), picture=picture), tmp_path)[0].read_text()
    tags = Tags(text)
    assert tags.open == []
    assert len(tags.ids) == len(set(tags.ids))
    assert all(link.startswith("#") and link[1:] in tags.ids for link in tags.links)
    assert not re.search(r"(src|href)=\"(?!data:|#)", text)
    assert "default-src 'none'" in text
    assert "<script" not in text
    assert tags.images
    assert all(image["alt"] for image in tags.images)
    assert "twice &lt;two&gt;" in text  # names are text, not markup
    assert "<dt>what <code>x &lt; 1</code></dt>" in text
    assert text.count('scope="col"') == 10 + 9  # a case's own table does not repeat its name


def test_a_case_that_cannot_be_drawn_is_told(tmp_path):
    picture = Picture(b"", "Twice, drawn", "the grid is too small", 0.0)
    assert "the grid is too small" in write_report(evidence(judged(2.0), picture=picture), tmp_path)[0].read_text()


def test_evidence_of_a_real_case():
    told = []
    found = gather(ROOT, ["ornstein_uhlenbeck"], slow=False, quick=True, pictures=True, tell=told.append)
    (section,) = found.sections
    assert not found.failed
    assert len(section.claims) == 2  # quick: two a case
    assert section.picture.png.startswith(b"\x89PNG")
    assert {"commit", "processor", "numpy", "command", "seeds"} <= set(found.provenance)
    assert any(line.startswith("PASS") for line in told)


@pytest.fixture
def checkout(tmp_path):
    """One claim that holds, one that does not, one that breaks, one unread, and a case whose picture breaks."""
    for folder in ("cases", "validation"):
        (tmp_path / folder).mkdir()
    claim = "Exact('two', lambda k=1: k, dict(k=2), lambda r: {quantity}, 2.0, 1e-9, dict(k=3), 'sum')"
    for name, quantity in (("good", "r"), ("bad", "r + 1"), ("broken", "r / 0")):
        text = f"from fpsolve.claims import Exact\nclaims = [{claim.format(quantity=quantity)}]\n"
        (tmp_path / "validation" / f"{name}.py").write_text(text)
    (tmp_path / "validation" / "unread.py").write_text("claims = [Exact()]")
    (tmp_path / "cases" / "good.py").write_text('"""Good."""\ndef solve(seed=7):\n    return {}[0]\n')
    return tmp_path


@pytest.mark.parametrize("workers", [1, 2])
def test_what_breaks_is_a_failure_and_the_rest_goes_on(checkout, workers):
    told = []
    found = gather(checkout, [], slow=True, quick=False, pictures=True, tell=told.append, workers=workers)
    assert [section.name for section in found.sections] == ["bad", "broken", "good", "unread"]
    assert [claim.status for claim in found.claims] == ["fail", "fail", "pass", "fail"]
    assert found.claims[1].trouble.endswith("broken.py:2: ZeroDivisionError: division by zero")
    assert found.claims[3].trouble.endswith("unread.py:1: NameError: name 'Exact' is not defined")
    assert found.undrawn == ["good"]
    assert found.verdict == "3 of 4 claims fail; no picture could be made of good."
    assert sum(line.startswith("FAIL") for line in told) == 4
    assert found.provenance["seeds"].startswith("good 7")


def test_a_report_with_a_failing_claim_exits_with_1(checkout, tmp_path, capsys):
    def validate(*words):
        return main(["validate", "--root", str(checkout), "--jobs", "1", *words])

    (checkout / "cases" / "good.py").unlink()
    assert validate("good", "--report", str(tmp_path / "good")) == 0
    assert validate("bad", "--report", str(tmp_path / "bad")) == 1
    assert validate("broken", "--report", str(tmp_path / "broken")) == 1
    assert "ZeroDivisionError" in (tmp_path / "broken" / "report.html").read_text()
    assert json.loads((tmp_path / "broken" / "report.json").read_text())["claims"][0]["measured"] == "nan"
    assert validate("good", "--jobs", "0") == 2
    assert "--jobs is 0" in capsys.readouterr().err


def test_the_command_writes_both_files_and_refuses_to_overwrite(tmp_path, capsys):
    words = ["validate", "tilted_ring", "--quick", "--report", str(tmp_path / "r"), "--root", str(ROOT)]
    assert main(words) == 0
    assert {path.name for path in (tmp_path / "r").iterdir()} == {"report.html", "report.json"}
    assert main(words) == 2
    assert "--force" in capsys.readouterr().err
    assert main(["validate", "--quick", "--root", str(ROOT)]) == 2


def test_unknown_cases_are_refused():
    with pytest.raises(InvalidInput, match="no claims about nothing"):
        gather(ROOT, ["nothing"], slow=False, quick=True, pictures=False, tell=print)


PROBE = """<script>addEventListener("load", () => {
    const sticksOut = e => e.getBoundingClientRect().right > innerWidth + 1 || e.scrollWidth > e.clientWidth + 1
    const all = [...document.querySelectorAll("body *")]
    const seen = all.filter(e => e.clientWidth > 1 && !e.closest("thead, .drawing"))
    parent.postMessage(`${innerWidth} wide, ${seen.filter(sticksOut).length} stick out`, "*")
})</script>"""
FRAME = """<body style="margin:0"><p id="told"></p>
<iframe src="page.html" style="width:{width}px;height:1500px;border:0"></iframe>
<script>addEventListener("message", e => {{ document.getElementById("told").textContent = e.data }})</script></body>"""


def laid_out(folder, text, width, dark=False):
    """What Chromium tells of the page in a frame (its windows are 500 pixels wide at least), and a picture."""
    page = re.sub(r"<meta http-equiv=[^>]*>", "", text).replace(
        "</body>", PROBE + "</body>"
    )  # the page itself runs none
    (folder / "page.html").write_text(page)
    (folder / "frame.html").write_text(FRAME.format(width=width))
    words = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", f"--window-size={width},1600"]
    words += ["--force-dark-mode"] * dark + ["--virtual-time-budget=4000"]
    picture, address = folder / "page.png", f"file://{folder / 'frame.html'}"
    dumped = ""
    for wanted in (f"--screenshot={picture}", "--dump-dom"):
        done = subprocess.run([*words, wanted, address], capture_output=True, text=True, timeout=120, check=True)
        dumped += done.stdout
    return re.search(r'<p id="told">(.*?)</p>', dumped)[1], picture


needs_chromium = pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium: apt-get install chromium")


@needs_chromium
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.slow
def test_nothing_sticks_out_of_the_page(tmp_path, width, dark):
    claims = judged(2.0), judged(2.5, name="a_long_name" * 12), judged(2.5, limit="off by one half " * 9)
    wide = io.BytesIO()
    Image.new("RGB", (1500, 400)).save(wide, "PNG")  # scrolls in its own box
    text = write_report(evidence(*claims, picture=Picture(wide.getvalue(), "", "", 0.1)), tmp_path)[0].read_text()
    told, picture = laid_out(tmp_path, text, width, dark)
    assert told == f"{width} wide, 0 stick out"
    ground = np.asarray(Image.open(picture).convert("L"))[1400, 2]
    assert (ground < 100) == dark


@needs_chromium
@pytest.mark.slow
def test_what_sticks_out_is_noticed(tmp_path):
    text = write_report(evidence(judged(2.0)), tmp_path)[0].read_text()
    wide = text.replace("<h2", '<p style="width: 600px">wide</p><h2', 1)
    assert not laid_out(tmp_path, wide, 390)[0].endswith(" 0 stick out")
