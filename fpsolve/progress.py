"""Progress of long runs: a bar on a terminal, or a caller's own function."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Progress", "reporting"]

Progress = bool | Callable[[int, int], object] | None


@contextmanager
def reporting(total: int, progress: Progress, label: str) -> Iterator[Callable[[int], object]]:
    """Yield a function that is told how much of `total` is done.

    progress: None shows a bar where standard error is a terminal; True or False decide; a function is called with
    (done, total).

    >>> with reporting(4, print, "steps") as tell:
    ...     tell(1), tell(4)
    1 4
    4 4
    (None, None)
    """
    if callable(progress):
        yield lambda done: progress(done, total)
    elif progress or (progress is None and sys.stderr.isatty()):
        from tqdm import tqdm

        with tqdm(total=total, desc=label, unit_scale=True) as bar:
            yield lambda done: bar.update(done - bar.n)
    else:
        yield lambda done: None
