"""The command line: exit codes, pure JSON, what bad words get, and outputs that are checked before anything runs."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fpsolve as fp
from fpsolve import casefile, cli

ROOT = Path(__file__).resolve().parents[1]
CASE = '''"""A small case."""
import fpsolve as fp

def problem(k: float = 1.0):
    return fp.Problem(fp.Process(lambda x: -k * x, 1.0), fp.Grid(x=(-8, 8, 100)))

def solve(k: float = 1.0, flag: bool = False, levels: tuple[float, ...] = (1.0,), seed: int = 0):
    return {"law": fp.stationary(problem(k)), "numbers": fp.Field(fp.Grid(x=(0, 1, 4)), [k, flag, sum(levels), seed])}

def table(results):
    return f"variance {results['law'].var():.6f}"
'''


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "small.py").write_text(CASE)
    return tmp_path


def run(checkout, *words):
    return cli.main(["run", *words, "--root", str(checkout), "--out", str(checkout / "results")])


def test_a_case_is_solved_printed_drawn_and_saved(checkout, capsys):
    assert run(checkout, "small", "--k", "2", "--levels", "1", "2.5", "--flag", "yes", "--seed", "7") == 0
    printed = capsys.readouterr().out
    assert "law: Density(x: 100 cells" in printed
    assert "variance 0.500000" in printed
    folder = checkout / "results"
    assert fp.load(folder / "law.npz").var() == pytest.approx(0.5)
    assert fp.load(folder / "numbers.npz").values == pytest.approx([2, 1, 3.5, 7])
    assert (folder / "figure.png").read_bytes().startswith(b"\x89PNG")
    facts = json.loads((folder / "results.json").read_text())
    assert facts["results"]["law"]["variance"] == pytest.approx(0.5)
    assert facts["parameters"]["levels"] == [1.0, 2.5]


def test_json_is_pure(checkout, capsys):
    assert run(checkout, "small", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["case"] == "small"
    assert facts["results"]["law"]["kind"] == "Density"


def test_numbers_without_a_json_word_become_text(checkout, capsys):
    source = CASE.replace("lambda x: -k * x, 1.0", "lambda x: -k * x, lambda x: 2 * (1 + x**2)").replace(
        "(-8, 8, 100)", "fp.Axis.sinh(-1e6, 1e6, 300)"
    )
    (checkout / "cases" / "heavy.py").write_text(source.replace("results['law'].var()", "0"))
    with pytest.warns(fp.DegenerateWarning, match="infinite"):
        assert run(checkout, "heavy", "--json") == 0
    assert json.loads(capsys.readouterr().out)["results"]["law"]["variance"] == "inf"


def test_json_is_pure_though_the_case_prints(checkout, capsys):
    (checkout / "cases" / "loud.py").write_text(CASE.replace('return {"law"', 'print("hello")\n    return {"law"'))
    assert run(checkout, "loud", "--json") == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["case"] == "loud"
    assert "hello" in printed.err


def test_quiet_prints_the_table_alone(checkout, capsys):
    assert run(checkout, "small", "--quiet") == 0
    assert capsys.readouterr().out == "variance 1.000000\n"


def test_row_39_unknown_words_are_answered_with_the_nearest(checkout, capsys):
    for words, message in (
        (["smal"], "no case 'smal'.*did you mean small"),
        (["small", "--kk", "2"], "no option --kk.*did you mean k"),
        (["small", "--k", "two"], "--k is 'two'; it takes float"),
        (["small", "--k"], "--k takes one value, got 0"),
        (["small", "--flag", "perhaps"], "--flag is 'perhaps'; it takes bool"),
        (["small", "--levels", "1", "x"], "--levels is 'x'"),
        (["nowhere.py"], "no case file nowhere.py"),
    ):
        assert run(checkout, *words) == 2
        assert re.search(message, capsys.readouterr().err), words
    assert cli.main(["solve"]) == 2
    assert "invalid choice: 'solve'" in capsys.readouterr().err
    assert cli.main(["list", "--al"]) == 2
    assert cli.main(["run"]) == 2
    assert cli.main(["validate", "nobody", "--root", str(ROOT)]) == 2
    assert "no claims about nobody" in capsys.readouterr().err


def test_row_40_existing_or_unwritable_outputs_stop_before_computing(checkout, capsys, monkeypatch):
    results = checkout / "results"
    results.mkdir()
    (results / "old.npz").write_text("precious")
    monkeypatch.setattr(fp, "stationary", lambda _: pytest.fail("it computed first"))
    assert run(checkout, "small") == 2
    assert "holds results already; pass --force" in capsys.readouterr().err
    (results / "old.npz").unlink()
    results.rmdir()
    results.write_text("a file")
    assert run(checkout, "small") == 2
    assert "is a file" in capsys.readouterr().err
    monkeypatch.undo()
    results.unlink()
    assert run(checkout, "small") == 0
    assert run(checkout, "small", "--force") == 0


def test_row_40_a_folder_that_cannot_be_written(checkout, capsys, monkeypatch):
    monkeypatch.setattr(Path, "touch", lambda *_: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    assert run(checkout, "small") == 2
    assert "cannot write to" in capsys.readouterr().err


def test_row_48_doctor_tells_versions_threads_and_cache(capsys):
    assert cli.main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["numpy"] == np.__version__
    assert found["cores"] >= 1
    assert "kernels" in found["cache of compiled code"] or "cannot" in found["cache of compiled code"]
    assert cli.main(["doctor"]) == 0
    assert "threading layer" in capsys.readouterr().out
    assert cli.main(["doctor", "now"]) == 2


def test_row_50_an_interrupted_run_keeps_what_it_has_and_exits_130(checkout, capsys):
    stopped = CASE.replace('return {"law"', 'raise KeyboardInterrupt\n    return {"law"')
    (checkout / "cases" / "stopped.py").write_text(stopped)
    assert run(checkout, "stopped") == 130
    assert "interrupted" in capsys.readouterr().err
    partial = CASE.replace(
        'return {"law"', 'return {"swarm": fp.Swarm(("x",), [1.0], [[[0.5]]], finished=False), "law"'
    ).replace("results['law'].var()", "0")
    (checkout / "cases" / "partial.py").write_text(partial)
    assert run(checkout, "partial") == 130
    assert (checkout / "results" / "swarm.npz").exists()


def test_row_50_values_that_a_case_yields_are_kept_one_by_one(checkout, capsys):
    yields = CASE.replace(
        'return {"law": fp.stationary(problem(k)), "numbers"', 'yield "law", fp.stationary(problem(k))\n    {}'
    )
    source = yields.partition("\ndef table")[0].rpartition("\n    ")[0]
    (checkout / "cases" / "long.py").write_text(source + "\n    raise KeyboardInterrupt\n")
    assert run(checkout, "long") == 130
    assert "are kept" in capsys.readouterr().err
    assert fp.load(checkout / "results" / "law.npz").var() == pytest.approx(1.0)
    (checkout / "cases" / "short.py").write_text(source + "\n")
    assert run(checkout, "short", "--force") == 0


def test_values_whose_files_would_collide_are_refused(checkout, capsys):
    (checkout / "cases" / "twice.py").write_text(
        CASE.replace('"numbers": ', '"l_w": fp.stationary(problem(1.0)), "l w": ')
    )
    assert run(checkout, "twice") == 2
    assert "two values for l_w.npz; rename 'l w'" in capsys.readouterr().err


def test_a_mean_that_does_not_exist_does_not_lose_the_results(checkout, capsys):
    cauchy = CASE.replace("lambda x: -k * x, 1.0", "lambda x: 0 * x, lambda x: 1 + x**2")
    source = cauchy.replace("(-8, 8, 100)", "fp.Axis.sinh(-1e6, 1e6, 300)").partition("\ndef table")[0]
    (checkout / "cases" / "cauchy.py").write_text(source)
    assert run(checkout, "cauchy", "--json") == 0
    facts = json.loads(capsys.readouterr().out)["results"]["law"]
    assert "does not exist" in str(facts["mean"]), facts


def test_row_51_broken_case_files_are_told_with_file_and_line(checkout, capsys):
    (checkout / "cases" / "broken.py").write_text("x = 1\ndef solve(:\n    pass\n")
    assert run(checkout, "broken") == 2
    assert "broken.py:2: SyntaxError: " in capsys.readouterr().err
    (checkout / "cases" / "empty.py").write_text('"""Nothing."""\n')
    assert run(checkout, "empty") == 2
    assert "has no solve()" in capsys.readouterr().err
    (checkout / "cases" / "lost.py").write_text("import no_such_module_at_all\n")
    assert run(checkout, "lost") == 2
    assert "no_such_module_at_all" in capsys.readouterr().err
    (checkout / "cases" / "wrong.py").write_text("def solve():\n    return 3\n")
    assert run(checkout, "wrong") == 2
    assert "must return values by name" in capsys.readouterr().err
    (checkout / "cases" / "greedy.py").write_text("def solve(force: float = 1.0):\n    return {}\n")
    assert run(checkout, "greedy") == 2
    assert "rename it" in capsys.readouterr().err


def test_numerical_failures_exit_3(checkout, capsys):
    (checkout / "cases" / "flat.py").write_text(CASE.replace("-k * x, 1.0", "k * x, 1.0"))
    assert run(checkout, "flat") == 3
    assert "NotNormalizable" in capsys.readouterr().err


def test_seed_is_refused_where_nothing_is_drawn(checkout, capsys):
    (checkout / "cases" / "still.py").write_text("def solve(k: float = 1.0):\n    return {}\n")
    assert run(checkout, "still", "--seed", "1") == 2
    assert "draws no random numbers" in capsys.readouterr().err


def test_a_parameter_without_default_is_required(checkout, capsys):
    (checkout / "cases" / "needy.py").write_text(CASE.replace("k: float = 1.0, flag", "k: float, flag"))
    assert run(checkout, "needy") == 2
    assert "needs --k" in capsys.readouterr().err
    assert run(checkout, "needy", "--k", "-1e-1") == 3
    assert run(checkout, "needy", "--k=1") == 0


def test_help_shows_the_options_of_the_case(checkout, capsys):
    assert run(checkout, "small", "--help") == 0
    assert "--levels" in capsys.readouterr().out


def test_list_names_the_cases(capsys):
    assert cli.main(["list", "--root", str(ROOT)]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in casefile.available(ROOT))
    assert cli.main(["list", "--root", str(ROOT), "--json"]) == 0
    assert "diabetes_sgd" in json.loads(capsys.readouterr().out)


def test_list_goes_on_past_a_broken_case(checkout, capsys):
    (checkout / "cases" / "broken.py").write_text("def solve(:\n")
    assert cli.main(["list", "--root", str(checkout)]) == 0
    printed = capsys.readouterr().out
    assert "A small case." in printed
    assert "line 1" in printed
    assert cli.main(["list", "--root", str(checkout / "cases")]) == 2
    assert "no cases in" in capsys.readouterr().err


def test_row_48_doctor_tells_where_the_cache_really_is(tmp_path):
    (tmp_path / "file").write_text("")

    def doctor(**environment):
        command = [sys.executable, "-W", "ignore", "-m", "fpsolve", "doctor", "--json"]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=True, env={**os.environ, **environment}
        )
        return json.loads(done.stdout)

    usable = doctor(NUMBA_CACHE_DIR=str(tmp_path))["cache of compiled code"]
    assert usable.startswith(str(tmp_path))
    assert "writable" in usable
    blocked = doctor(NUMBA_CACHE_DIR=str(tmp_path / "file" / "below"))["cache of compiled code"]
    assert not blocked.startswith(str(tmp_path))
    assert "instead of NUMBA_CACHE_DIR" in blocked or "compiles anew" in blocked
    assert doctor(NUMBA_DISABLE_JIT="1")["compiler"].startswith("off")


def test_validate_prints_results_first_and_fails_when_a_claim_does(checkout, capsys):
    folder = checkout / "validation"
    folder.mkdir()
    claim = "Exact('two', lambda k=1: k, dict(k=2), lambda r: r, {expected}, 1e-9, dict(k=3), 'sum')"
    for name, expected in (("good_claims", 2.0), ("bad_claims", 5.0)):
        text = f"from fpsolve.claims import Exact\nclaims = [{claim.format(expected=expected)}]\n"
        (folder / f"{name}.py").write_text(text)
    code = "import sys; from fpsolve.cli import main; sys.exit(main(sys.argv[1:]))"
    environment = {"PYTHONPATH": str(ROOT), "PATH": "", "HOME": str(checkout)}

    def validate(*words):
        command = [sys.executable, "-c", code, "validate", "--jobs", "1", *words, "--root", str(checkout)]
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    good = validate("good_claims")
    assert good.returncode == 0
    assert good.stdout.startswith("PASS")
    everything = validate("--json")
    assert everything.returncode == 1
    assert json.loads(everything.stdout)["failed"] == 1
    assert "FAIL" in validate().stdout
