"""The files of claims, validation/*.py of a checkout: found by name, and read."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from fpsolve.blame import short
from fpsolve.casefile import load_file
from fpsolve.claims import Claim
from fpsolve.errors import InvalidInput

__all__ = ["claim_files", "collect"]


def collect(root: str | Path = ".", names: Sequence[str] = ()) -> dict[str, list[Claim]]:
    """The claims of every file in root/validation, by file name.

    root: of a checkout.  names: of the files; all unless given.

    Returns lists by name.  Raises InvalidInput where there is no such folder or file.

    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as root:
    ...     folder = pathlib.Path(root, "validation")
    ...     folder.mkdir()
    ...     _ = (folder / "sums.py").write_text("claims = []")
    ...     collect(root)
    {'sums': []}
    """
    return {name: _claims_in(file) for name, file in claim_files(root, names).items()}


def claim_files(root: str | Path = ".", names: Sequence[str] = ()) -> dict[str, Path]:
    """The files that `collect` reads, by name, and no more than found.

    root: of a checkout; it can be imported from then on, so that claims find cases.  names: of the files; all unless
        given.

    Raises InvalidInput where there is no such folder or file.

    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as root:
    ...     pathlib.Path(root, "validation").mkdir()
    ...     claim_files(root)
    {}
    """
    root = Path(root).resolve()
    folder = root / "validation"
    if not folder.is_dir():
        raise InvalidInput(f"no folder {folder} with claims; give the root of a checkout with --root")
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    found = {file.stem: file for file in sorted(folder.glob("*.py")) if not file.stem.startswith("_")}
    unknown = [name for name in names if name not in found]
    if unknown:
        raise InvalidInput(f"no claims about {', '.join(unknown)}; there are claims about {', '.join(found)}")
    return {name: file for name, file in found.items() if not names or name in names}


def _claims_in(file: Path) -> list[Claim]:
    claims = getattr(load_file(file), "claims", None)
    if claims is None:
        raise InvalidInput(f"{short(file)} has no list of claims; end it with claims = [...]")
    if not isinstance(claims, (list, tuple)):
        raise InvalidInput(f"{short(file)}: claims is {type(claims).__name__}; write a list, claims = [...]")
    for i, claim in enumerate(claims):
        if not isinstance(claim, Claim):
            raise InvalidInput(
                f"{short(file)}: claims[{i}] is {type(claim).__name__}; a claim is Exact, Published or Particles"
            )
    return list(claims)
