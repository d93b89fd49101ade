"""Where axes, a legend and ticks stand: by fixed rules, so that nothing need be measured."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec, SubplotSpec
from matplotlib.layout_engine import LayoutEngine
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

_LEAST = 0.05  # inches of an axes: on too small a canvas it leaves the picture
_TICKS = 5  # at most, for each takes its time
_POINTS = 72.0  # an inch
_DECADES = (1, 2, 5, 10, 20, 50, 100, 200)  # between two ticks
_ROW, _EDGE = 1.6, 1.0  # height of a legend's row and of its edges, in letters


@dataclass(frozen=True)
class Room:
    """Inches around all axes, and between two: for the labels that stand there.

    Attributes
    ----------
    left, right, below, above : float
        Between the axes and the edges of the figure.
    across, down : float
        Between two axes that stand beside, or one below, each other.
    """

    left: float
    right: float
    below: float
    above: float
    across: float = 0.0
    down: float = 0.0


class Places(LayoutEngine):
    """A layout engine that keeps margins: to measure all labels takes longer than to draw them.

    Examples
    --------
    >>> figure = Figure(figsize=(4, 2), layout=Places())
    >>> left, right = figure.subplots(1, 2)
    >>> grid = GridSpec(1, 2, figure)
    >>> cells = {left: grid[0], right: grid[1]}
    >>> figure.get_layout_engine().put(grid, cells, Room(0.5, 0.1, 0.5, 0.3, across=0.4))
    >>> figure.draw_without_rendering()
    >>> [round(float(x), 3) for x in right.get_position().bounds]
    [0.6, 0.25, 0.375, 0.6]
    """

    _adjust_compatible = True
    _colorbar_gridspec = True

    def __init__(self) -> None:
        super().__init__()
        self._grid: GridSpec | None = None
        self._cells: dict[Axes, SubplotSpec] = {}
        self._room = Room(0.0, 0.0, 0.0, 0.0)

    def put(self, grid: GridSpec, cells: Mapping[Axes, SubplotSpec], room: Room) -> None:
        """Put axes into the cells of a grid, from the next layout on."""
        self._grid, self._cells, self._room = grid, dict(cells), room

    def execute(self, fig: Figure) -> None:
        """Lay out: called by matplotlib, once a size."""
        grid, room = self._grid, self._room
        if grid is None:
            return
        width, height = fig.get_size_inches()
        rows, columns = grid.get_geometry()
        across, down = (columns - 1) * room.across, (rows - 1) * room.down
        each = max((width - room.left - room.right - across) / columns, _LEAST)
        high = max((height - room.below - room.above - down) / rows, _LEAST)
        grid.update(
            left=room.left / width,
            right=(room.left + columns * each + across) / width,
            bottom=room.below / height,
            top=(room.below + rows * high + down) / height,
            wspace=room.across / each,
            hspace=room.down / high,
        )
        for axes, cell in self._cells.items():
            axes.set_subplotspec(cell)


def put_legend(
    figure: Figure, labels: Mapping[Artist, str], *, columns: int, size: float = 9.0, **more: Any
) -> float:
    """Put a legend above all axes, in place of the one before.

    Returns
    -------
    float
        Its height in inches.
    """
    for old in list(figure.legends):
        old.remove()
    looks = {"frameon": False, "handlelength": 1.8, "columnspacing": 1.5, **more}
    looks |= {"loc": "upper center", "ncols": columns, "fontsize": size}
    figure.legend(list(labels), list(labels.values()), **looks)
    return legend_height(len(labels), columns=columns, size=size)


def legend_height(entries: int, *, columns: int, size: float = 9.0) -> float:
    """Height in inches of a legend with so many entries."""
    return (_ROW * -(-entries // columns) + _EDGE) * size / _POINTS


def label_few(axes: Axes, limits: tuple[float, float], *, log: bool) -> None:
    """Label the y axis, whose limits these are, at five places or so and in few digits."""
    if log:
        low, high = (math.log10(limit) for limit in limits)
        step = next(k for k in _DECADES if k >= (high - low) / _TICKS)
        powers = np.arange(step * math.ceil(low / step - 1e-9), high + 1e-9, step)
        axes.yaxis.set_major_locator(FixedLocator((10.0**powers).tolist()))
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        axes.yaxis.set_major_locator(MaxNLocator(_TICKS, steps=[1, 2, 5, 10]))
        axes.ticklabel_format(axis="y", scilimits=(-3, 4))


def label_nothing(axes: Axes) -> None:
    """Take the ticks of the y axis away: where there is no height to show they mean nothing."""
    axes.yaxis.set_major_locator(NullLocator())
    axes.yaxis.set_minor_locator(NullLocator())
