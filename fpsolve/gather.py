"""Gathering evidence: every claim checked and every case drawn, one process a core, case by case."""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import textwrap
import time
import types
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fpsolve import casefile
from fpsolve.blame import told
from fpsolve.claim_files import claim_files, collect
from fpsolve.claims import Claim
from fpsolve.errors import FpsolveError, InvalidInput
from fpsolve.evidence import Evidence, Picture, Section
from fpsolve.provenance import provenance
from fpsolve.runner import draw
from fpsolve.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["cores", "gather"]

Tell = Callable[[str], object]
DOTS = 110  # per inch
BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class _Work:
    """One case's share; alone: nothing else was asked for."""

    root: Path
    name: str
    slow: bool
    quick: bool
    pictures: bool
    alone: bool

    def section(self, tell: Tell) -> Section:
        """Its claims checked, and its picture drawn; a file that cannot be read is a claim that fails."""
        try:
            claims, module = self._loaded()
        except InvalidInput as error:
            if self.alone:
                raise
            verdict = Verdict.broken("its files can be read", self.name, "File", error)
            tell(verdict.line)
            return Section(self.name, "", "", (verdict,), None)
        chosen = [claim for claim in claims if self.slow or not claim.expensive]
        chosen = [claim for claim in chosen if not claim.expensive][:2] if self.quick else chosen
        title, _, about = (module.__doc__ or "").strip().partition("\n")
        verdicts = tuple(_checked(claim, self.name, tell) for claim in chosen)
        drawn = self.pictures and self._has_case and not (self.quick and getattr(module, "SLOW_FIGURE", False))
        picture = _drawn(module, self.name, tell) if drawn else None
        left_out = sum(claim.expensive and claim not in chosen for claim in claims)
        return Section(self.name, title, textwrap.dedent(about).strip("\n"), verdicts, picture, left_out)

    @property
    def _has_case(self) -> bool:
        return self.name in casefile.available(self.root)

    def _loaded(self) -> tuple[list[Claim], types.ModuleType]:
        """The claims, and the module that says what they are about: the case's, or their own."""
        claims = collect(self.root, [self.name])[self.name]
        if self._has_case:
            return claims, casefile.load(casefile.available(self.root)[self.name])
        return claims, casefile.load_file(self.root / "validation" / f"{self.name}.py")

    def told(self) -> tuple[Section, list[str]]:
        """The section, with what there is to tell: for another process, which cannot be told from here."""
        lines: list[str] = []
        return self.section(lines.append), lines


def gather(
    root: Path, names: list[str], *, slow: bool, quick: bool, pictures: bool, tell: Tell, workers: int = 1
) -> Evidence:
    """Check the claims about `names` (all cases unless given), and draw those cases where pictures are wanted.

    slow: the expensive claims too.  quick: the first two claims of a case that are not, and no pictures of cases that
    say SLOW_FIGURE.  workers: processes; with one, all is done here.  A claim or a picture that raises is a failure
    that says what was raised, and the rest goes on; so is a file that cannot be read, unless it is the only one.

    Raises InvalidInput for names without claims, and where the only file cannot be read; FpsolveError if a worker dies.
    """
    started = time.perf_counter()
    limits, found = _limits(root), claim_files(root, names)
    works = [_Work(root, name, slow, quick, pictures, alone=len(found) == 1) for name in found]
    sections = _side_by_side(works, tell, workers) if min(workers, len(works)) > 1 else [w.section(tell) for w in works]
    facts = provenance(root)
    facts |= {"seconds": round(time.perf_counter() - started, 1), "processes": workers, "seeds": _seeds(root, names)}
    return Evidence(tuple(sections), facts, limits)


def cores() -> int:
    """How many processes can really run side by side here."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _side_by_side(works: list[_Work], tell: Tell, workers: int) -> list[Section]:
    """In fresh processes: threads of compiled code and BLAS do not survive a fork."""
    with _one_blas_thread(), ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        waiting = {pool.submit(work.told): work.name for work in works}
        done = {}
        try:
            for future in as_completed(waiting):
                done[waiting[future]], lines = future.result()
                for line in lines:
                    tell(line)
        except BrokenProcessPool as error:
            left = [name for name in waiting.values() if name not in done]
            raise FpsolveError(
                f"a worker process was ended from outside (memory?) with {', '.join(left)} left; try --jobs 1"
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return [done[work.name] for work in works]


@contextlib.contextmanager
def _one_blas_thread() -> Iterator[None]:
    """Processes started within have BLAS on one thread each, unless the user has set another number."""
    new = [name for name in BLAS_THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(new, "1"))
    try:
        yield
    finally:
        for name in new:
            del os.environ[name]


def _checked(claim: Claim, case: str, tell: Tell) -> Verdict:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            verdict = claim.check(case)
        except Exception as error:  # noqa: BLE001  whatever it is, the claim does not hold and the others are checked
            verdict = Verdict.broken(claim.name, case, type(claim).__name__, error)
    tell(verdict.line)
    return verdict


def _drawn(module: types.ModuleType, name: str, tell: Tell) -> Picture:
    started = time.process_time()
    about = getattr(getattr(module, "figure", None), "__doc__", None) or "What the case computes, each by its own plot."
    png, reason = b"", ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            png = _png(draw(module))
        except Exception as error:  # noqa: BLE001  as above
            reason = told(error)
    seconds = time.process_time() - started
    tell(f"FAIL  {name}: no picture: {reason}" if reason else f"drawn {name} ({seconds:.1f} s)")
    return Picture(png, " ".join(about.split()), reason, seconds)


def _png(drawing: Figure) -> bytes:
    """The figure in a palette of 256 colours: a third of the size, with no difference to be seen."""
    from PIL import Image  # comes with matplotlib

    full, small = io.BytesIO(), io.BytesIO()
    drawing.savefig(full, format="png", dpi=DOTS)
    Image.open(full).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(small, format="png", optimize=True)
    return small.getvalue()


def _seeds(root: Path, names: list[str]) -> str:
    """Those of the cases; a claim that draws random numbers has its seed in its own file."""
    wanted = {name: path for name, path in casefile.available(root).items() if not names or name in names}
    seeds = []
    for name, path in wanted.items():
        try:
            options = casefile.options(casefile.load(path).solve)
        except InvalidInput as error:
            seeds.append(f"{name} unknown ({error})")
            continue
        seeds += [f"{name} {option.default}" for option in options if option.name == "seed"]
    return ", ".join([*seeds, "claims as in validation/"])


def _limits(root: Path) -> tuple[tuple[str, str], ...]:
    """What is known not to work, from validation/_known_limits.py."""
    path = root / "validation" / "_known_limits.py"
    return tuple(casefile.load_file(path).limits) if path.is_file() else ()
