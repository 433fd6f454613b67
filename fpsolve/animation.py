"""Densities in motion as moving pictures: a GIF by Pillow, an MP4 where ffmpeg is installed; one frame a recorded time.

All frames share their scales, so that what is seen to change is p.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fpsolve.checks import whole
from fpsolve.errors import InvalidInput, MissingExtra
from fpsolve.plot_line import DECADES, PALETTE, scale_like
from fpsolve.plot_plane import colours
from fpsolve.values.evolution import Evolution

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["animate"]

HEADROOM = 1.05  # above the highest p
DPI = 100


def animate(path: Evolution, file: str | Path, *, fps: int = 10, log: bool | None = None, force: bool = False) -> Path:
    """Draw the densities of `path` one after the other; returns the file's path.

    file: its ending says what it becomes, .gif (always) or .mp4 (where ffmpeg is installed).
    fps: frames, which are recorded times, a second.  log: True for logarithmic densities, None where the grid's axes
        are logarithmic.  force: replace a file.
    The file is written beside its place and renamed: what was there stays until the new one is whole.
    Raises InvalidInput for other endings, files that exist, three coordinates and fps < 1; MissingExtra for .mp4
    without ffmpeg.

    >>> import numpy as np, fpsolve as fp, tempfile
    >>> well = fp.Problem(fp.Process(lambda x: x - x**3, 0.25), fp.Grid(x=(-3, 3, 60)))
    >>> path = fp.evolve(well, fp.Gaussian(-1, 0.2), np.linspace(0, 1, 3))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path.animate(folder + "/well.gif").name
    'well.gif'
    """
    file = Path(file)
    if path.grid.ndim > 2:
        raise InvalidInput(f"p has {path.grid.ndim} coordinates {path.grid.names}; animate takes one or two")
    whole("fps", fps, 1)
    if not file.parent.is_dir():
        raise InvalidInput(f"no folder {file.parent} to save {file.name} in; make it first")
    if file.exists() and not force:
        raise InvalidInput(f"{file} exists; pass force=True to replace it")
    writer = _writer(file, fps)
    heavy = any(axis.kind in ("log", "sinh") for axis in path.grid.axes)
    figure, draw = (_line if path.grid.ndim == 1 else _map)(path, heavy if log is None else log)
    draw(0)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # found once: the frames differ by what p is
    beside = file.with_name(f".{file.stem}.{secrets.token_hex(6)}{file.suffix}")
    try:
        writer.setup(figure, str(beside), DPI)
        for index in range(len(path)):
            draw(index)
            writer.grab_frame()
        writer.finish()
        os.replace(beside, file)
    finally:
        beside.unlink(missing_ok=True)
    return file


def _writer(file: Path, fps: int) -> Any:
    from matplotlib.animation import FFMpegWriter, PillowWriter

    if file.suffix == ".gif":
        return PillowWriter(fps=fps)
    if file.suffix != ".mp4":
        raise InvalidInput(f"{file.name} ends in {file.suffix!r}; an animation is a .gif or an .mp4")
    if not FFMpegWriter.isAvailable():
        raise MissingExtra("an .mp4 needs the program ffmpeg, which is not installed: install it, or write a .gif")
    return FFMpegWriter(fps=fps)


def _line(path: Evolution, log: bool) -> tuple[Figure, Callable[[int], None]]:
    """A curve over the axis."""
    from matplotlib.figure import Figure

    figure, axis, values = Figure(figsize=(6.0, 4.0), layout="constrained"), path.grid.axes[0], _values(path)
    ax = figure.add_subplot()
    (curve,) = ax.plot(axis.nodes, values[0], color=PALETTE[0], lw=2.0)
    top = float(values.max())
    scale_like(ax, axis)
    if log:
        ax.set_yscale("log")
    ax.set_ylim(top * 10.0**-DECADES if log else min(0.0, float(values.min())), HEADROOM * top)
    ax.set_xlabel(path.grid.names[0])
    ax.set_ylabel(f"p({path.grid.names[0]}, t)")
    title = ax.set_title("")

    def draw(index: int) -> None:
        curve.set_ydata(values[index])
        title.set_text(f"t = {path.times[index]:.4g}")

    return figure, draw


def _map(path: Evolution, log: bool) -> tuple[Figure, Callable[[int], None]]:
    """A colour map over both axes."""
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

    figure, (first, second), values = Figure(figsize=(6.0, 5.0), layout="constrained"), path.grid.axes, _values(path)
    ax, look = figure.add_subplot(), colours(values, log)
    norm = look.get("norm") or Normalize(look.get("vmin", min(0.0, float(values.min()))), float(values.max()))
    mesh = ax.pcolormesh(first.faces, second.faces, values[0].T, cmap=look["cmap"], norm=norm, rasterized=True)
    scale_like(ax, first)
    scale_like(ax, second, "y")
    ax.set_xlabel(path.grid.names[0])
    ax.set_ylabel(path.grid.names[1])
    figure.colorbar(mesh, ax=ax, label=f"p({', '.join(path.grid.names)}, t)")
    title = ax.set_title("")

    def draw(index: int) -> None:
        mesh.set_array(values[index].T)
        title.set_text(f"t = {path.times[index]:.4g}")

    return figure, draw


def _values(path: Evolution) -> Any:
    return np.asarray(path.masses / path.grid.weights)
