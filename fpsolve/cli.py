"""The command line: fpsolve list | run CASE | validate | doctor.

Exit codes: 0 ok, 1 a check failed, 2 usage, 3 numerical failure, 130 interrupted (what was written is kept).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from fpsolve import casefile
from fpsolve.blame import traced
from fpsolve.checks import whole
from fpsolve.claim_files import collect
from fpsolve.doctor import examine
from fpsolve.errors import FpsolveError, InvalidInput
from fpsolve.gather import cores, gather
from fpsolve.report import write_report
from fpsolve.runner import Outcome, prepare, run
from fpsolve.statements import statements

__all__ = ["main"]

OK, FAILED, USAGE, NUMERICAL, INTERRUPTED = 0, 1, 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        options, rest = _parser().parse_known_args(words)
        root = Path(options.root).resolve()
        if str(root) not in sys.path:
            sys.path.insert(0, str(root))
        command = {"list": _list, "run": _run, "validate": _validate, "doctor": _doctor}[options.command]
        return command(options, rest)
    except InvalidInput as error:
        print(f"fpsolve: {error}", file=sys.stderr)
        return USAGE
    except FpsolveError as error:
        print(f"fpsolve: {type(error).__name__}: {error}", file=sys.stderr)
        return NUMERICAL
    except KeyboardInterrupt:
        print("fpsolve: interrupted; files already written are kept", file=sys.stderr)
        return INTERRUPTED


class _Parser(argparse.ArgumentParser):
    """argparse, with errors as ours: one sentence, nearest names, exit code 2."""

    def error(self, message: str) -> NoReturn:
        raise InvalidInput(f"{message}; see {self.prog} --help")


def _parser() -> argparse.ArgumentParser:
    about = "Fokker-Planck densities, and the proof that they are right."
    parser = _Parser(prog="fpsolve", allow_abbrev=False, description=about)
    shared = _Parser(add_help=False, allow_abbrev=False)
    shared.add_argument("--root", default=".", help="the checkout that holds cases and validation (default: here)")
    shared.add_argument("--json", action="store_true", help="print pure JSON on standard output")
    shared.add_argument("--quiet", action="store_true", help="print nothing but errors and what was asked for")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser, metavar="COMMAND")
    commands.add_parser("list", parents=[shared], help="the cases")
    about = "solve a case, print, draw and save it"
    case = commands.add_parser("run", allow_abbrev=False, parents=[shared], help=about, add_help=False)
    case.add_argument("case", nargs="?", metavar="CASE", help="a name that `fpsolve list` shows, or a path")
    case.add_argument("--out", help="folder for the results (default: out/CASE)")
    case.add_argument("--seed", type=int, help="seed of every random number of the case")
    case.add_argument("--force", action="store_true", help="replace results that are there")
    case.add_argument("-h", "--help", action="store_true", help="this text, and the options of CASE")
    claims = commands.add_parser("validate", parents=[shared], help="check every claim beside its negative control")
    claims.add_argument("names", nargs="*", metavar="CASE", help="only the claims about these cases")
    claims.add_argument("--list", action="store_true", help="check nothing: show which claims measure which statement")
    claims.add_argument("--slow", action="store_true", help="the slow claims too")
    claims.add_argument("--report", metavar="DIR", help="write a page with pictures, and its facts, to this folder")
    claims.add_argument("--quick", action="store_true", help="a report of two claims a case, in two or three minutes")
    claims.add_argument("--jobs", type=int, metavar="N", help="processes side by side (default: the cores there are)")
    claims.add_argument("--force", action="store_true", help="replace a report that is there")
    commands.add_parser("doctor", parents=[shared], help="versions, threads, cache of compiled code")
    return parser


def _list(options: argparse.Namespace, rest: list[str]) -> int:
    _no_more(rest, [])
    root = Path(options.root).resolve()
    titles = {name: casefile.title(path) for name, path in casefile.available(root).items()}
    if not titles:
        raise InvalidInput(f"no cases in {root / 'cases'}; give the root of a checkout with --root")
    if options.json:
        _print_json(titles)
    else:
        width = max(map(len, titles), default=0)
        for name, title in titles.items():
            print(f"{name:<{width}}  {title}")
    return OK


def _run(options: argparse.Namespace, rest: list[str]) -> int:
    if options.case is None:
        print(_help(None) if options.help else "fpsolve: run needs a CASE; `fpsolve list` shows them", file=sys.stderr)
        return OK if options.help else USAGE
    path = casefile.find(options.case, Path(options.root).resolve())
    module = casefile.load(path)
    known = casefile.options(module.solve)
    if options.help:
        print(_help(known))
        return OK
    parameters = _read(rest, known)
    if options.seed is not None:
        if "seed" not in {option.name for option in known}:
            raise InvalidInput(f"--seed is {options.seed}, but {path.stem} draws no random numbers")
        parameters["seed"] = options.seed
    missing = [f"--{option.name}" for option in known if option.required and option.name not in parameters]
    if missing:
        raise InvalidInput(f"{path.stem} needs {' and '.join(missing)}: solve() gives no default")
    folder = Path(options.out) if options.out else Path("out") / path.stem
    prepare(folder, options.force)
    tell = (lambda _: None) if options.quiet or options.json else print
    with contextlib.redirect_stdout(sys.stderr if options.json else sys.stdout):  # a case may print
        outcome = _outcome(module, parameters, folder, tell)
    if options.json:
        _print_json(outcome.facts)
    elif options.quiet and outcome.text:
        print(outcome.text)
    return OK if outcome.finished else INTERRUPTED


def _outcome(
    module: types.ModuleType, parameters: dict[str, Any], folder: Path, tell: Callable[[str], object]
) -> Outcome:
    """Of a run; what the case's own code raises by mistake becomes InvalidInput, which shows where."""
    try:
        return run(module, parameters, folder, tell)
    except FpsolveError:
        raise
    except Exception as error:
        told = traced(error)
        if told is None:  # not the case's: ours
            raise
        raise InvalidInput(told) from error


def _read(words: list[str], known: list[casefile.Option]) -> dict[str, Any]:
    """The case's own options: --name value, --name=value, or several values for a tuple."""
    by_name = {option.name: option for option in known}
    found: dict[str, list[str]] = {}
    name = None
    for word in words:
        if word.startswith("--"):
            flag, _, value = word[2:].partition("=")
            name = flag.replace("-", "_")
            if name not in by_name:
                raise InvalidInput(f"no option --{flag}{casefile.nearest(name, list(by_name))}")
            found[name] = [value] if value else []
        elif name is None:
            raise InvalidInput(f"{word!r} belongs to no option; write --name value")
        else:
            found[name].append(word)
    return {name: by_name[name].read(values) for name, values in found.items()}


def _help(known: list[casefile.Option] | None) -> str:
    lines = ["usage: fpsolve run CASE [--option value ...] [--out DIR] [--seed N] [--force] [--json] [--quiet]"]
    for option in known or ():
        lines.append(f"  --{option.name.replace('_', '-'):<16} {option.about}")
    return "\n".join(lines)


def _validate(options: argparse.Namespace, rest: list[str]) -> int:
    """All claims, but the slow ones, or, on one page with all pictures, those too."""
    _no_more(rest, ["--list", "--slow", "--report", "--quick", "--jobs", "--force", "--json", "--quiet", "--root"])
    if options.list:
        return _mapping(options)
    report = bool(options.report)
    if not report and (options.quick or options.force):
        raise InvalidInput("--quick and --force belong to a report; add --report DIR")
    if report:
        prepare(Path(options.report), options.force)
    workers = cores() if options.jobs is None else whole("--jobs", options.jobs, least=1)
    evidence = gather(
        Path(options.root).resolve(),
        options.names,
        slow=options.slow or (report and not options.quick),
        quick=options.quick,
        pictures=report,
        tell=_teller(options),
        workers=workers,
    )
    written = write_report(evidence, Path(options.report)) if report else ()
    if options.json:
        _print_json(evidence.facts())
    else:
        print(evidence.verdict)
        if written:
            print(f"wrote {' and '.join(map(str, written))}")
    return FAILED if evidence.failed else OK


def _teller(options: argparse.Namespace) -> Callable[[str], object]:
    """Line by line; when quiet, what fails."""
    if options.json:
        return lambda _: None
    if options.quiet:
        return lambda line: print(line, flush=True) if line.startswith("FAIL") else None
    return lambda line: print(line, flush=True)


def _mapping(options: argparse.Namespace) -> int:
    """The numbered statements of docs/theory.md and their claims (about some cases only, where names are given)."""
    found = statements(options.root, collect(options.root))
    if options.names:
        collect(options.root, options.names)  # refuses unknown ones
        found = [one for one in found if any(case in options.names for case, _ in one.claims)]
    if options.json:
        _print_json([{"statement": one.number, "title": one.title, "claims": one.claims} for one in found])
    else:
        for one in found:
            print(f"{one.number:<6}{one.title}")
            for case, claim in one.claims or (("no claim", "nothing measures this statement"),):
                print(f"      {case}: {claim}")
    return FAILED if any(not one.claims for one in found) else OK


def _doctor(options: argparse.Namespace, rest: list[str]) -> int:
    _no_more(rest, ["--json", "--quiet", "--root"])
    found = examine()
    if options.json:
        _print_json(found)
    else:
        for name, fact in found.items():
            print(f"{name:<24} {fact}")
    return OK


def _no_more(rest: list[str], known: list[str]) -> None:
    if rest:
        raise InvalidInput(f"unknown argument {rest[0]!r}{casefile.nearest(rest[0], known)}")


def _print_json(found: Any) -> None:
    print(json.dumps(found, indent=2, allow_nan=False, default=str))


if __name__ == "__main__":
    sys.exit(main())
