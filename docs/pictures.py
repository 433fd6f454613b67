"""The pictures of the guides: made by running their code, once for each change of a guide."""

from __future__ import annotations

from pathlib import Path

import blocks

GUIDES = (
    "first_density",
    "choosing_a_grid",
    "is_it_in_equilibrium",
    "escape_times",
    "jumps_and_memory",
    "which_model_of_sgd",
    "numerics",
    "adding",
)


def build(docs: Path, folder: Path) -> None:
    """Run each guide whose pictures are missing or older than its text."""
    for name in GUIDES:
        guide = docs / f"{name}.rst"
        made = [folder / picture for picture in blocks.pictures(guide.read_text(encoding="utf-8"))]
        if any(not one.is_file() or one.stat().st_mtime < guide.stat().st_mtime for one in made):
            blocks.run(guide, folder)
