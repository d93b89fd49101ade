"""What every picture is made of: colours, artists in one call, limits that change rarely."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import (
    FuncFormatter,
    LogFormatterMathtext,
    LogLocator,
    MaxNLocator,
    NullFormatter,
)
from matplotlib.transforms import ScaledTranslation

from lengthlab.activations import Array

# Okabe & Ito's blue and vermilion, apart for colour-blind readers. In grey print the band is light,
# the bars, half transparent, are in the middle, and the curve and the predicted line are dark.
INK, BAR, BAND, CURVE, CHOSEN = "#1b1f24", "#0072b2", "#d7e6f2", "#d55e00", "#eceae4"
LAW = "#003a63"
PATIENCE = 0.1
"""Share of new networks without which order statistics will do, while a picture runs."""
EMPTY = Path(np.empty((0, 2)))
_ROUND = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


def patch(axes: Axes, colour: str, zorder: float, **more: Any) -> PathPatch:
    """Add an area that is empty at first; `polygons` fills it."""
    artist = PathPatch(EMPTY, **{"facecolor": colour, "linewidth": 0, "zorder": zorder, **more})
    axes.add_artist(artist)
    return artist


def line(axes: Axes, style: str, colour: str, zorder: float, **more: Any) -> Line2D:
    """Add a line that is empty at first; ``set_data`` fills it."""
    (artist,) = axes.plot([], [], style, color=colour, zorder=zorder, **more)
    return artist


def box(left: float, right: float, low: float, high: float) -> Array:
    """Corners of a rectangle, shape (4, 2)."""
    return np.array([[left, low], [left, high], [right, high], [right, low]])


def polygons(shapes: Sequence[Array]) -> Path:
    """One path for all closed outlines, each (corners, 2)."""
    vertices, codes = [], []
    for shape in shapes:
        if len(shape):
            vertices += [shape, shape[:1]]
            code = np.full(len(shape) + 1, Path.LINETO, dtype=np.uint8)
            code[0], code[-1] = Path.MOVETO, Path.CLOSEPOLY
            codes.append(code)
    if not vertices:
        return EMPTY
    return Path(np.concatenate(vertices), np.concatenate(codes))


def band_between(x: Array, lower: Array, upper: Array) -> Array:
    """Outline of the area between two curves over the same `x`, shape (2 * points, 2)."""
    across = np.concatenate([x, x[::-1]])
    return np.column_stack([across, np.concatenate([lower, upper[::-1]])])


def set_limits(axes: Axes, which: str, limits: tuple[float, float], *, log: bool = False) -> bool:
    """Change what differs only: each change makes the axes' still part stale. True if any did."""
    scale = "log" if log else "linear"
    rescaled = getattr(axes, f"get_{which}scale")() != scale
    if rescaled:
        getattr(axes, f"set_{which}scale")(scale)
    moved = tuple(getattr(axes, f"get_{which}lim")()) != limits
    if moved:
        getattr(axes, f"set_{which}lim")(*limits)
    return rescaled or moved


def set_text(artist: Any, text: str) -> None:
    """Change a text if it differs."""
    if artist.get_text() != text:
        artist.set_text(text)


def set_few_ticks(axes: Axes, low: float, high: float, *, log: bool) -> None:
    """Label few numbers on the x axis, and plainly: the axis is short."""
    if not log:
        axes.xaxis.set_major_locator(MaxNLocator(4))
        return
    decades = math.log10(high) - math.log10(low)
    subs = (1, 2, 5) if decades < 1 else (1, 3) if decades < 2 else (1,)
    axes.xaxis.set_major_locator(LogLocator(subs=subs, numticks=5))
    axes.xaxis.set_minor_formatter(NullFormatter())
    if decades < 4:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    else:
        axes.xaxis.set_major_formatter(LogFormatterMathtext())


def label_apart(axes: Axes, label: str, inches: float) -> None:
    """Put a y label at a fixed distance: numbers that grow after the layout find room before it."""
    axes.set_ylabel(label)
    shift = ScaledTranslation(-inches, 0, axes.figure.dpi_scale_trans)
    axes.yaxis.set_label_coords(0, 0.5, transform=axes.transAxes + shift)


def label_below(axes: Axes, label: str, inches: float = 0.28) -> None:
    """Put an x label at a fixed distance: to look for one takes a third of the time of drawing."""
    axes.set_xlabel(label)
    shift = ScaledTranslation(0, -inches, axes.figure.dpi_scale_trans)
    axes.xaxis.set_label_coords(0.5, 0, transform=axes.transAxes + shift)


def write_above(axes: Axes, words: str, *, pad: float | None = None) -> None:
    """Write a line, or lines, above the axes; blanks keep the place.

    At a fixed height: to look for one that is free takes a quarter of the time of drawing. The
    power of ten of the y axis stands left of it.
    """
    axes.yaxis.get_offset_text().set(x=-0.02, ha="right")
    axes.set_title(words, loc="left", y=1.0, pad=pad, fontsize=9, color=INK)


def round_up(x: float) -> float:
    """Smallest round number that is not below `x`, for limits that change rarely.

    Examples
    --------
    >>> round_up(0.037), round_up(2.0)
    (0.04, 2.0)
    """
    power = 10.0 ** math.floor(math.log10(x))
    return next((r * power for r in _ROUND if r * power >= x), 10 * power)
