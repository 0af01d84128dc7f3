"""Plots in the course's colours, with a text for those who cannot see them, and never an empty one."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator

import numpy as np
from IPython.display import Image, display
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

TEAL, RUST, GOLD, INK, PAPER = "#0b6b6b", "#9a3412", "#b7791f", "#1d2433", "#fbfaf6"
MARKS = 2  # fewer things drawn are no plot
_DPI = 110


class EmptyPlot(Exception):
    """Nothing was drawn from data."""


@contextlib.contextmanager
def plot(title: str, x: str = "", y: str = "", size: tuple[float, float] = (8.0, 3.6)) -> Iterator[Axes]:
    """`with plot("Balances", x="account", y="coins") as axes:` shows what is drawn; the title is also its text.

    Raises EmptyPlot when fewer than MARKS points, bars or the like were drawn.
    """
    figure = Figure(figsize=size, facecolor=PAPER, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_prop_cycle(color=[TEAL, RUST, GOLD, INK])
    axes.set_facecolor(PAPER)
    axes.set_title(title, loc="left", color=INK, fontweight="bold")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    yield axes
    if drawn(axes) < MARKS:
        raise EmptyPlot(f'the plot "{title}" shows nothing')
    if axes.get_legend_handles_labels()[0]:
        figure.legend(loc="outside lower left", ncols=4, frameon=False)
    made = io.BytesIO()
    figure.savefig(made, format="png", dpi=_DPI)
    what = ", ".join(part for part in (x, y) if part)
    alt = f"Plot: {title}" + (f" ({what})" if what else "")
    display(Image(made.getvalue(), width=int(size[0] * _DPI), alt=alt))


def drawn(axes: Axes) -> int:
    """How many points, bars and other marks stand for data; lines across the whole plot do not."""
    points = sum(
        int(np.isfinite(np.asarray(line.get_ydata(), dtype=float)).sum())
        for line in axes.lines
        if all(line.get_transform().contains_branch_seperately(axes.transData))
    )
    bars = sum(1 for patch in axes.patches if patch.get_path().get_extents(patch.get_transform()).size.all())
    others = sum(max(len(group.get_offsets()), len(group.get_paths())) for group in axes.collections)
    return points + bars + others
