"""Mistakes in a user's own case and claim files are told in a line or two: what, where, and what to do."""

import json
import re
import sys

import pytest

from fpsolve import casefile, cli
from fpsolve.blame import told, traced
from fpsolve.claim_files import collect
from fpsolve.claims import Exact, Particles, Published
from fpsolve.errors import InvalidInput

CASE = '''"""Twice a number."""
def solve(k: float = 1.0):
    return {"m": 2.0 * k}
'''
CLAIM = 'Exact("twice", solve, dict(k=2.0), lambda r: r["m"], 4.0, 1e-9, dict(k=3.0), "arithmetic")'
HEAD = "from fpsolve.claims import Exact, Particles\ndef solve(k=1.0):\n    return {'m': 2.0 * k}\n"


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    for folder in ("cases", "validation"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])  # to which the command adds its root
    return tmp_path


def write(checkout, path, text):
    (checkout / path).write_text(text)


def answer(capsys, *words):
    """Exit code, and everything that was printed."""
    code = cli.main([*words])
    printed = capsys.readouterr()
    return code, printed.out + printed.err


def doubled(k=1.0):
    return {"m": 2.0 * k}


SOUND = {
    "name": "twice",
    "solve": doubled,
    "parameters": {"k": 2.0},
    "quantity": lambda r: r["m"],
    "expected": 4.0,
    "atol": 1e-9,
    "wrong": {"k": 3.0},
    "source": "arithmetic",
}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"wrong": None}, "wrong is None; give parameters, or another quantity"),
        ({"wrong": {}}, "wrong is {}; .* on which the check must fail"),
        ({"wrong": {"q": 1.0}}, r"'q' in wrong.* doubled\(\) does not take; it takes k"),
        ({"parameters": 2.0}, r"parameters is 2.0; give a mapping, dict\(name=value\)"),
        ({"parameters": {"kk": 2.0}}, r"'kk' in parameters.*it takes k"),
        ({"atol": 0.0}, "tolerance is 0.0; it must be positive"),
        ({"atol": "small"}, "tolerance.*is 'small'; give a number"),
        ({"expected": "4"}, "expected.*is '4'; give a number"),
        ({"solve": 3.0}, "solve is 3.0; give a function"),
        ({"quantity": "m"}, "quantity is 'm'; give a function"),
        ({"name": doubled}, "name.*give its words"),
        ({"source": 7}, "source is 7; say where"),
    ],
)
def test_a_claim_that_makes_no_sense_is_refused_when_it_is_made(change, says):
    Exact(**SOUND)
    with pytest.raises(InvalidInput, match=says):
        Exact(**SOUND | change)
    renamed = SOUND | change
    with pytest.raises(InvalidInput, match=says):
        Published(**{("uncertainty" if key == "atol" else key): value for key, value in renamed.items()})


def test_parameters_that_solve_needs_are_asked_for():
    with pytest.raises(InvalidInput, match=r"needs 'a'"):
        Exact(**SOUND | {"solve": lambda a, k: {"m": k}})
    assert Exact(**SOUND | {"solve": lambda **physics: {"m": 2.0 * physics["k"]}}).check().passed
    assert Exact(**SOUND | {"solve": max, "parameters": {}}).name  # built in: it tells no signature


FOLLOWS = {"problem": doubled, "parameters": {"k": 1.0}, "wrong": {"k": 2.0}, "until": 1.0, "n": 100, "dt": (0.2, 0.1)}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"dt": 0.02}, r"dt is 0.02; give two steps, coarse and fine: dt=\(0.04, 0.02\)"),
        ({"dt": (0.1, 0.2)}, "dt is .*coarse"),
        ({"dt": (0.1, -0.2)}, "dt is .*coarse"),
        ({"dt": None}, "needs until, n and dt, or sgd"),
        ({"until": "late"}, "until.* is 'late'"),
        ({"n": 0}, "n.* is 0"),
        ({"wrong": lambda r: 1.0}, "wrong is <function.*give parameters"),
        ({"wrong": {}}, "wrong is {}"),
        ({"parameters": None}, "parameters is None"),
        ({"problem": {}}, "problem is {}; give a function"),
        ({"sgd": 3.0}, "sgd is 3.0; give a function"),
        ({"bias": -1.0}, "bias is -1.0"),
    ],
)
def test_particles_that_make_no_sense_are_refused_when_they_are_made(change, says):
    Particles("they follow", **FOLLOWS)
    with pytest.raises(InvalidInput, match=says):
        Particles("they follow", **FOLLOWS | change)


def test_a_wrong_key_is_answered_with_the_results_there_are():
    with pytest.raises(InvalidInput, match=r"test_own_files.py:\d+: KeyError: 'mean'; the results of solve are 'm'"):
        Exact(**SOUND | {"quantity": lambda r: r["mean"]}).check()
    with pytest.raises(KeyError, match="m"):  # which is there: a mistake of another kind
        Exact(**SOUND | {"quantity": lambda r: {}["m"]}).check()


def test_a_quantity_that_is_no_number_is_told():
    with pytest.raises(InvalidInput, match="quantity of 'twice' gave dict; it must give one number"):
        Exact(**SOUND | {"quantity": lambda r: r}).check()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("claims = Exact(solve)\n", r"validation/my.py:1: NameError: name 'Exact'"),
        (HEAD + f"claims = {CLAIM}\n", r"validation/my.py: claims is Exact; write a list, claims = \[...\]"),
        (HEAD + "claims = [solve]\n", r"validation/my.py: claims\[0\] is function"),
        (HEAD + "claim = 1\n", r"validation/my.py has no list of claims; end it with claims = \[...\]"),
        (HEAD + CLAIM.replace("dict(k=3.0), ", ""), "validation/my.py:4: TypeError: .*missing 1 .*'source'"),
        (HEAD + f"claims = [{CLAIM.replace('1e-9', '0.0')}]", "validation/my.py:4: .*tolerance is 0.0"),
        ("import sys\nsys.exit(0)\n", "validation/my.py:2: SystemExit"),
        ("def f(:\n", "validation/my.py:1: SyntaxError"),
    ],
)
def test_a_claim_file_that_cannot_be_read_is_told_in_a_line(checkout, capsys, text, says):
    write(checkout, "validation/my.py", text)
    code, printed = answer(capsys, "validate", "my")
    assert code == 2
    assert re.search(says, printed), printed
    assert printed.count("\n") == 1


def test_a_file_that_cannot_be_read_is_one_failed_claim_and_the_others_go_on(checkout, capsys):
    write(checkout, "validation/my.py", "claims = [solve]\n")
    write(checkout, "validation/other.py", f"{HEAD}claims = [{CLAIM}]\n")
    write(checkout, "cases/my.py", "import nothing_of_that_name\n")
    code, printed = answer(capsys, "validate", "--jobs", "1")
    assert code == 1
    assert "validation/my.py:1: NameError: name 'solve' is not defined" in printed
    assert "PASS  other" in printed
    assert "1 of 2 claims fail" in printed


def test_a_bug_that_a_claim_meets_is_told_with_its_line(checkout, capsys):
    write(checkout, "validation/my.py", HEAD.replace("2.0 * k", "2.0 * k / 0") + f"claims = [{CLAIM}]\n")
    code, printed = answer(capsys, "validate", "my")
    assert code == 1
    assert "validation/my.py:3: ZeroDivisionError: float division by zero" in printed


def test_no_claims_are_no_success(checkout, capsys):
    write(checkout, "validation/my.py", "claims = []\n")
    code, printed = answer(capsys, "validate", "my")
    assert code == 1
    assert "nothing is claimed about my" in printed
    write(checkout, "validation/other.py", f"{HEAD}claims = [{CLAIM}]\n")
    code, printed = answer(capsys, "validate", "--jobs", "1")
    assert code == 1
    assert "nothing is claimed about my" in printed


def test_slow_claims_alone_are_left_out_and_said_to_be(checkout, capsys):
    write(checkout, "validation/my.py", f"{HEAD}claims = [{CLAIM[:-1]}, slow=True)]\n")
    code, printed = answer(capsys, "validate", "my")
    assert code == 0
    assert "1 slow one left out; --slow checks it" in printed
    assert "0 claims" not in printed
    code, printed = answer(capsys, "validate", "my", "--slow")
    assert code == 0
    assert "All 1 claims hold" in printed
    assert json.loads(answer(capsys, "validate", "my", "--json")[1])["slow claims left out"] == 1


def test_a_bug_in_solve_shows_its_own_lines_and_not_ours(checkout, capsys):
    write(checkout, "cases/my.py", CASE.replace("2.0 * k", "half(k)") + "def half(k):\n    return k / 0\n")
    code, printed = answer(capsys, "run", "my")
    assert code == 2
    assert printed.splitlines()[0] == "fpsolve: cases/my.py:5: ZeroDivisionError: float division by zero"
    assert "cases/my.py:3 in solve" in printed
    assert "cases/my.py:5 in half: return k / 0" in printed
    assert "Traceback" not in printed
    assert "runner.py" not in printed


def test_an_error_that_is_not_the_users_is_not_hidden(checkout, monkeypatch):
    write(checkout, "cases/my.py", CASE)

    monkeypatch.setattr(cli, "run", int)  # which takes no case
    with pytest.raises(TypeError):
        cli.main(["run", "my"])


def test_where_the_library_raised_is_the_last_line(checkout):
    write(checkout, "cases/my.py", "import json\ndef solve():\n    return json.loads('nothing')\n")
    module = casefile.load(checkout / "cases" / "my.py")
    with pytest.raises(json.JSONDecodeError) as caught:
        module.solve()
    frames = caught.value
    frames.__traceback__ = frames.__traceback__.tb_next  # this test's own
    lines = traced(frames).splitlines()
    assert lines[0].startswith("cases/my.py:3: JSONDecodeError: ")
    assert lines[1].startswith("  cases/my.py:3 in solve")
    assert "json" in lines[2]
    assert len(lines) == 3
    assert traced(ValueError("raised nowhere")) is None
    assert told(ValueError("raised nowhere")) == "ValueError: raised nowhere"


def test_numbers_are_results(checkout, capsys):
    write(checkout, "cases/my.py", CASE)
    code, printed = answer(capsys, "run", "my", "--k", "3", "--out", "there")
    assert code == 0
    assert "m: 6.0" in printed
    facts = json.loads((checkout / "there" / "results.json").read_text())
    assert facts["results"]["m"] == {"kind": "float", "summary": "6.0", "value": 6.0}
    assert not (checkout / "there" / "figure.png").exists()  # there is nothing to draw
    assert facts["files"] == []


def test_results_of_another_kind_are_refused_before_any_is_saved(checkout, capsys):
    write(checkout, "cases/my.py", CASE.replace('{"m": 2.0 * k}', '{"m": 1.0, "list": [1, 2]}'))
    code, printed = answer(capsys, "run", "my", "--out", "there")
    assert code == 2
    assert "'list' of solve() in cases/my.py is list; give numbers, Current, Density, " in printed
    assert list((checkout / "there").iterdir()) == []


def test_a_figure_that_is_none_is_told(checkout, capsys):
    write(checkout, "cases/my.py", CASE + "def figure(results):\n    pass\n")
    code, printed = answer(capsys, "run", "my")
    assert code == 2
    assert "figure() of cases/my.py gave NoneType; it must return a matplotlib Figure" in printed


def test_a_real_number_for_a_whole_default_is_told_how(checkout, capsys):
    write(checkout, "cases/my.py", CASE.replace("k: float = 1.0", "k=1"))
    code, printed = answer(capsys, "run", "my", "--k", "0.5")
    assert code == 2
    assert "--k is '0.5'; it takes int (default 1); for real numbers write k=1.0 in solve()" in printed
    assert "real numbers" not in answer(capsys, "run", "my", "--k", "x")[1]


def test_doctor_says_which_package_runs_and_whether_another_lies_here(checkout, capsys):
    (checkout / "fpsolve").mkdir()
    _, printed = answer(capsys, "doctor", "--json")
    assert json.loads(printed)["package"].endswith("fpsolve")
    write(checkout, "fpsolve/__init__.py", "")
    _, printed = answer(capsys, "doctor")
    (line,) = [line for line in printed.splitlines() if line.startswith("package")]
    assert f"not {checkout / 'fpsolve'}, whose edits are not seen: pip install -e ." in line


def test_claims_without_a_fault_are_collected(checkout):
    write(checkout, "validation/my.py", f"{HEAD}claims = ({CLAIM},)\n")
    assert [claim.name for claim in collect(checkout)["my"]] == ["twice"]
