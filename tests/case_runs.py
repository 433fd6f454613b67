"""A case run into a folder, and what must be in it."""

import fpsolve as fp
from fpsolve.runner import prepare, run


def check_run(module, physics, folder):
    """It finishes, draws, and saves every result in a file that loads."""
    prepare(folder, force=False)
    outcome = run(module, physics, folder, tell=lambda sentence: None)
    assert outcome.finished
    assert (folder / "figure.png").stat().st_size > 10_000
    for file in outcome.facts["files"]:
        if file.endswith(".npz"):
            fp.load(file)
    assert len(outcome.facts["files"]) == len(outcome.facts["results"]) + 1
