"""Every numbered statement of theory is measured by a claim; a statement, a map or a claim that is missing is told."""

import json
from pathlib import Path

import pytest

from fpsolve import cli
from fpsolve.claim_files import collect
from fpsolve.claims import Exact
from fpsolve.errors import InvalidInput
from fpsolve.statements import statements

ROOT = Path(__file__).resolve().parents[1]
CLAIMS = collect(ROOT)
ALL = statements(ROOT, CLAIMS)
TEXT = """# Theory
<!-- statement: 1.1 -->
**1.1 Twice.** Two is twice one.

<!-- statement: 1.2 -->
**1.2 Thrice [x].** So is three.
"""
MAP = '[claims]\n"1.1" = ["arithmetic: twice *"]\n"1.2" = []\n'


@pytest.fixture
def checkout(tmp_path):
    for path, text in (("docs/theory.md", TEXT), ("validation/statements.toml", MAP)):
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_text(text)
    claim = "Exact('twice one', lambda k=1: k, dict(k=2), lambda r: r, 2.0, 1e-9, dict(k=3), 'sum')"
    (tmp_path / "validation" / "arithmetic.py").write_text(f"from fpsolve.claims import Exact\nclaims = [{claim}]\n")
    return tmp_path


@pytest.mark.parametrize("statement", ALL, ids=lambda one: one.number)
def test_every_statement_has_a_claim(statement):
    assert statement.claims, f"{statement.number} {statement.title}: nothing measures it"


def test_numbers_rise_and_every_section_has_statements():
    numbers = [tuple(map(int, one.number.split("."))) for one in ALL]
    assert numbers == sorted(numbers)
    assert {section for section, _ in numbers} == {2, 3, 4, 5, 6, 7}


def test_claims_are_found_by_their_names(checkout):
    first, second = statements(checkout, collect(checkout))
    assert (first.number, first.title, first.claims) == ("1.1", "Twice", (("arithmetic", "twice one"),))
    assert (second.title, second.claims) == ("Thrice [x]", ())


@pytest.mark.parametrize(
    ("path", "old", "new", "message"),
    [
        ("validation/statements.toml", "twice *", "thrice *", r"statement 1.1 names a claim .* does not exist"),
        ("validation/statements.toml", '"1.2" = []', "", "differ in statement 1.2"),
        ("validation/statements.toml", '"1.2"', '"1.3"', "differ in statement 1.2, 1.3"),
        ("docs/theory.md", "**1.2 Thrice [x].**", "Thrice.", "statement 1.2 .* has no title"),
        ("docs/theory.md", "1.2", "1.1", "statement 1.1 .* or two"),
    ],
)
def test_text_and_map_must_agree(checkout, path, old, new, message):
    file = checkout / path
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(InvalidInput, match=message):
        statements(checkout, collect(checkout))


def test_a_folder_without_theory_is_told(tmp_path):
    with pytest.raises(InvalidInput, match=r"no .*theory.md; give the root"):
        statements(tmp_path, {"one": [Exact("a", dict, {}, len, 0.0, 1.0, {"b": 1}, "")]})


def test_the_list_shows_statements_and_fails_where_one_has_no_claim(checkout, capsys):
    words = ["validate", "--list", "--root", str(checkout)]
    assert cli.main(words) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["1.1   Twice", "      arithmetic: twice one"]
    assert "nothing measures" in lines[3]
    assert cli.main([*words, "arithmetic", "--json"]) == 0
    (only,) = json.loads(capsys.readouterr().out)
    assert only == {"statement": "1.1", "title": "Twice", "claims": [["arithmetic", "twice one"]]}
    assert cli.main([*words, "nobody"]) == 2
