"""Depth against width: the logarithm of the length spreads out and sinks, while the mean stays."""

import math
import textwrap
from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from lengthlab.activations import Array
from lengthlab.convergence import LEVEL, Experiment
from lengthlab.drawing.depth_laws import DepthLaw
from lengthlab.drawing.parts import (
    BAR,
    CURVE,
    LAW,
    band_between,
    label_apart,
    label_below,
    line,
    patch,
    polygons,
    round_up,
    set_limits,
    write_above,
)
from lengthlab.drawing.places import Places, Room, label_few, put_legend

X_AXES = ("depth / width", "layers")
"""What the x axis counts: layers by the width, or layers."""
_MOST_LAYERS = 60  # with order statistics; the others lie between them
_MARKS = 16
_FAN = 15  # networks that are shown one by one
_STEPS = 10  # that an axis has, or a few more
_FEW_STEPS = 5  # while a control moves
_FILLED = 0.5  # part of an axis that is filled at least, while a control moves
_FIRM = 20_000  # networks from which order statistics are asked for more seldom
_GREY = "#5f6670"
_BAND = "#b9d6ea"


@dataclass(frozen=True, eq=False)
class DepthSample:
    """Sampled lengths in numbers, at some of the layers; nan where there are none.

    Attributes
    ----------
    drawn : int
        Networks.
    layers : ndarray
        Ascending, 1 and the last among them.
    low, median, high : ndarray
        Logarithms of order statistics that enclose the central 90 %; -inf for dead networks.
    log_mean : ndarray
        Logarithm of the mean length.
    mean_log, deviation : ndarray
        Of log q_l, over the networks whose length is neither 0 nor infinite.
    alive : ndarray of int
        How many those are.
    """

    drawn: int
    layers: NDArray[np.intp]
    low: Array
    median: Array
    high: Array
    log_mean: Array
    mean_log: Array
    deviation: Array
    alive: NDArray[np.intp]


class DepthTally:
    """Keeps the numbers of an experiment's layers up to date.

    Parameters
    ----------
    experiment : Experiment
        Also what it takes in later.
    law : DepthLaw
        Of it: sums are taken around its means.
    """

    def __init__(self, experiment: Experiment, law: DepthLaw) -> None:
        self.experiment = experiment
        number = min(experiment.depth, _MOST_LAYERS)
        self.layers = np.linspace(1, experiment.depth, number).round().astype(np.intp)
        self._around = np.nan_to_num(np.where(law.exact, law.mean, law.limit)[self.layers - 1])
        self._seen = 0
        self._alive = np.zeros(number, dtype=np.intp)
        self._sums = np.zeros((3, number))  # of q, and of log q and its square around the means
        self._last: DepthSample | None = None

    def sample(self, *, patience: float = 0.0) -> DepthSample:
        """Numbers of the networks so far.

        Parameters
        ----------
        patience : float
            The last answer will do until so large a share of networks more is there.
        """
        drawn, last = self.experiment.drawn, self._last
        if drawn > _FIRM:
            patience *= 4
        if last is None or not last.drawn <= drawn <= (1 + patience) * last.drawn:
            last = self._last = self._count(drawn)
        return last

    def _count(self, drawn: int) -> DepthSample:
        columns = np.ascontiguousarray(self.experiment.lengths[:, self.layers - 1].T)
        nothing = np.full(len(self.layers), math.nan)
        if not drawn:
            alive = self._alive.copy()
            return DepthSample(
                *(0, self.layers, nothing, nothing, nothing), nothing, nothing, nothing, alive
            )
        self._add(columns[:, self._seen :])
        self._seen = drawn
        tail = (1 - LEVEL) / 2
        places = [max(math.ceil(p * drawn) - 1, 0) for p in (tail, 0.5, 1 - tail)]
        columns.partition(sorted(set(places)), axis=1)
        alive = np.maximum(self._alive, 1)
        q, first, second = self._sums / [np.full_like(alive, drawn), alive, alive]
        with np.errstate(divide="ignore", invalid="ignore"):
            low, median, high = np.log(columns[:, places].T)
            deviation = np.sqrt(np.maximum(second - first * first, 0.0))
            mean = np.where(self._alive > 0, self._around + first, math.nan)
            log_mean, deviation = np.log(q), np.where(self._alive > 1, deviation, math.nan)
        orders = low, median, high
        alive = self._alive.copy()
        return DepthSample(drawn, self.layers, *orders, log_mean, mean, deviation, alive)

    def _add(self, q: Array) -> None:
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            logs = np.log(q) - self._around[:, None]
            there = np.isfinite(logs)
            logs[~there] = 0.0
            self._alive = self._alive + there.sum(axis=1)
            self._sums += [q.sum(axis=1), logs.sum(axis=1), (logs * logs).sum(axis=1)]


# --- the picture ----------------------------------------------------------------------------------


@dataclass
class DepthWidthArtists:
    """Axes and artists; made by `draw_depth_width`, moved by `update_depth_width`."""

    figure: Figure
    places: Places
    main: Axes
    single: Axes
    spread: PathPatch
    edges: Line2D
    limit: Line2D
    mean: Line2D
    median: Line2D
    means: Line2D
    fan: Line2D
    fan_limit: Line2D
    arrangement: tuple[int, bool] | None = None
    limits: tuple[object, float, float] | None = None
    ends: tuple[float, float] = (0.0, 0.0)  # of the y axes

    @property
    def moving(self) -> tuple[Artist, ...]:
        """The artists that `update_depth_width` moves, lowest first."""
        return (
            *(self.spread, self.edges, self.limit, self.mean, self.median, self.means),
            *(self.fan, self.fan_limit),
        )


def draw_depth_width(
    experiment: Experiment, law: DepthLaw, sample: DepthSample, *, x_axis: str = X_AXES[0]
) -> DepthWidthArtists:
    """Draw the picture on a new figure.

    Parameters
    ----------
    experiment : Experiment
        The networks.
    law : DepthLaw
    sample : DepthSample
        Both of these networks.
    x_axis : {"depth / width", "layers"}

    Returns
    -------
    DepthWidthArtists
    """
    places = Places()
    figure = Figure(figsize=(9.6, 4.8), dpi=100, layout=places)
    main, single = figure.subplots(1, 2)
    artists = DepthWidthArtists(
        figure=figure,
        places=places,
        main=main,
        single=single,
        spread=patch(main, _BAND, 1),
        edges=line(main, ":", LAW, 3, lw=1.8),
        limit=line(main, "-", CURVE, 4, lw=2.2),
        mean=line(main, "--", LAW, 5, lw=2),
        median=line(main, "-", BAR, 3, lw=2.2),
        means=line(main, "^", BAR, 6, ms=7, mec="white", mew=0.8),
        fan=line(single, "-", _GREY, 2, lw=0.8),
        fan_limit=line(single, "-", CURVE, 3, lw=2.2),
    )
    label_apart(main, r"logarithm of the length  $\log\, q_\ell$", 0.42)
    for axes in (main, single):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=9)
        axes.xaxis.set_major_locator(MaxNLocator(5))
    arrange_depth_width(artists)
    update_depth_width(artists, experiment, law, sample, x_axis=x_axis)
    return artists


def arrange_depth_width(artists: DepthWidthArtists, css_width: float = 960) -> float | None:
    """Fit the picture to a page: on a narrow one the two axes stand one above the other.

    Returns
    -------
    float or None
        Height of the picture divided by its width; None if it is arranged so already.
    """
    columns = 4 if css_width >= 700 else 3 if css_width >= 560 else 2
    narrow = css_width < 640
    if artists.arrangement == (columns, narrow):
        return None
    artists.arrangement = columns, narrow
    labels = {
        artists.limit: "length map",
        artists.means: "log of the mean, sampled",
        artists.mean: "mean of the log, theory",
        artists.edges: "90 %, theory",
        artists.median: "median, sampled",
        artists.spread: "90 %, sampled",
        artists.fan: "single networks",
    }
    legend = put_legend(
        artists.figure,
        labels,
        columns=columns,
        size=9 if css_width >= 560 else 8,
        columnspacing=1.4,
    )
    grid = GridSpec(1, 2, artists.figure, width_ratios=[2, 1])
    room = Room(0.68, 0.15, 0.52, legend + 0.22, across=0.3)
    if narrow:
        grid = GridSpec(2, 1, artists.figure, height_ratios=[1.6, 1])
        room = Room(0.68, 0.15, 0.52, legend + 0.4, down=0.6)
    artists.places.put(grid, {artists.main: grid[0], artists.single: grid[1]}, room)
    # Beside each other they have one y axis.
    artists.single.tick_params(labelleft=narrow)
    caption_depth_width(artists, "")
    rows = math.ceil(len(labels) / columns)
    return (1.5 if narrow else 0.45) + rows * (0.05 if narrow else 0.02)


def caption_depth_width(artists: DepthWidthArtists, text: str) -> None:
    """Write what the picture shows above it; "" keeps the place."""
    narrow = artists.arrangement is not None and artists.arrangement[1]
    lines, letters = (2, 10.5) if narrow else (1, 13)  # letters an inch
    words = textwrap.fill(text, int(letters * artists.figure.get_figwidth()), max_lines=lines)
    write_above(artists.main, words or "\n".join(lines * " "))


def update_depth_width(
    artists: DepthWidthArtists,
    experiment: Experiment,
    law: DepthLaw,
    sample: DepthSample,
    *,
    x_axis: str = X_AXES[0],
    running: bool = False,
) -> None:
    """Move the artists to the present data; limits change in round steps.

    Parameters
    ----------
    artists : DepthWidthArtists
        From `draw_depth_width`.
    experiment, law, sample, x_axis
        As in `draw_depth_width`.
    running : bool
        Whether more networks will soon be there: limits that show these well will then do. A
        control may be moving, and each change takes time.
    """
    unit = 1.0 if x_axis == "layers" else 1.0 / experiment.width
    depth = experiment.depth
    with np.errstate(divide="ignore"):
        paths = _finite(np.log(experiment.lengths[:_FAN]))
    low, high = artists.ends = _limits(artists, law, sample, paths, running=running)
    for axes in (artists.main, artists.single):
        set_limits(axes, "x", ((0.5 if depth == 1 else 0.0) * unit, (depth + 0.5) * unit))
        if set_limits(axes, "y", (low, high)):
            label_few(axes, (low, high), log=False)
        label = "layer" if x_axis == "layers" else "depth / width"
        if axes.get_xlabel() != label:
            label_below(axes, label)
    x = unit * np.arange(1.0, depth + 1)
    places = np.asarray(unit * sample.layers, dtype=np.float64)
    artists.limit.set_data(x, law.limit)
    artists.mean.set_data(x, law.mean)
    edges = np.concatenate([law.low, [math.nan], law.high])
    artists.edges.set_data(np.concatenate([x, [math.nan], x]), edges)
    far = high + 10 * (high - low)
    shown = [np.clip(y, low - 10 * (high - low), far) for y in (sample.low, sample.high)]
    outline = band_between(places, *shown) if sample.drawn else np.empty((0, 2))
    artists.spread.set_path(polygons([outline]))
    artists.median.set_data(places, _finite(sample.median))
    marked = np.unique(np.linspace(0, len(places) - 1, _MARKS).round().astype(int))
    artists.means.set_data(places[marked], _finite(sample.log_mean)[marked])
    gaps = np.full((len(paths), 1), math.nan)
    artists.fan.set_data(
        np.tile(np.append(x, math.nan), len(paths)), np.hstack([paths, gaps]).ravel()
    )
    artists.fan_limit.set_data(x, law.limit)


def _finite(y: Array) -> Array:
    return np.where(np.isfinite(y), y, math.nan)


def _limits(
    artists: DepthWidthArtists, law: DepthLaw, sample: DepthSample, paths: Array, *, running: bool
) -> tuple[float, float]:
    """Limits of log q on a grid of round steps, coarse ones while a control may be moving."""
    parts = [law.limit, law.low, law.high, sample.low, sample.high, sample.log_mean]
    known = np.concatenate([*parts, paths.ravel()])
    known = known[np.isfinite(known)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (-1.0, 1.0)
    if artists.limits is not None and artists.limits[0] is law:
        low, high = min(low, artists.limits[1]), max(high, artists.limits[2])
    artists.limits = law, low, high
    first, last = artists.ends
    if running and first <= low and high <= last and high - low >= _FILLED * (last - first):
        return artists.ends
    room = max(0.04 * (high - low), 1e-9 * max(abs(low), abs(high), 1e-3))
    step = round_up((high - low + 2 * room) / (_FEW_STEPS if running else _STEPS))
    return step * math.floor((low - room) / step), step * math.ceil((high + room) / step)


def depth_table(law: DepthLaw, sample: DepthSample) -> str:
    """Comma separated values, a row a layer."""
    names = ("layer", "log_map", "mean_log", "deviation", "first_order")
    sampled = ("low", "median", "high", "log_mean", "mean_log", "deviation")
    rows = [",".join([*names, *(f"sampled_{name}" for name in sampled)])]
    for k, layer in enumerate(sample.layers.tolist()):
        theory = (law.limit, law.mean, law.deviation, law.first_order)
        row = [float(values[layer - 1]) for values in theory]
        row += [float(getattr(sample, name)[k]) for name in sampled]
        rows.append(",".join([str(layer), *(repr(x) if math.isfinite(x) else "" for x in row)]))
    return "\n".join([*rows, ""])
