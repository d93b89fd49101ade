"""Two inputs: the correlation map, and their correlation layer by layer in sampled networks."""

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
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from lengthlab.activations import Array
from lengthlab.drawing.correlation_series import CorrelationSteps
from lengthlab.drawing.parts import (
    BAR,
    CURVE,
    INK,
    label_apart,
    label_below,
    line,
    patch,
    polygons,
    round_up,
    set_limits,
    set_text,
    write_above,
)
from lengthlab.drawing.places import Places, Room, put_legend

SCALES = ("angle", "correlation")
_DIAGONAL = "#8a8f96"
_FOOT, _REACH = 0.06, 0.72  # of the bars beside a layer
_BINS = 160
_LEAST = {"angle": 1e-4, "correlation": 1e-3}  # length of an axis
_ALONE = {"angle": 1.0, "correlation": 0.01}  # the same where all inputs are one
_BEYOND = 1.6  # times a typical angle: where the axis ends at the latest
_APART = 0.5, 0.58  # inches of the labels from their axes
_ROUNDING = 2e-15  # of a correlation


@dataclass(frozen=True, eq=False)
class Correlations:
    """What is predicted of two inputs.

    Attributes
    ----------
    angle : float
        Between the inputs, in degrees.
    depth : int
    path : ndarray
        c_1, c_2, ... at infinite width, as far as they are known.
    c, following : ndarray
        The map of the last layer, c to c'; nan where it is not known.
    """

    angle: float
    depth: int
    path: Array
    c: Array
    following: Array


def correlations(steps: CorrelationSteps, *, angle: float, depth: int) -> Correlations:
    """Follow two inputs through the layers.

    Parameters
    ----------
    steps : CorrelationSteps
    angle : float
        Between the inputs, in degrees, from 0 to 180.
    depth : int

    Returns
    -------
    Correlations
    """
    c = np.cos(np.linspace(math.pi, 0, 121))
    c[60] = 0.0
    return Correlations(angle, depth, steps.path(cosine(angle)), c, steps.curve(c))


def cosine(angle: float) -> float:
    """Cosine of an angle in degrees, exact at right angles.

    Examples
    --------
    >>> cosine(60.0).__round__(15), cosine(90.0)
    (0.5, 0.0)
    """
    return math.sin(math.radians(90.0 - angle))


def degrees(c: Array) -> Array:
    """Angle of a correlation, in degrees; nan stays nan.

    Examples
    --------
    >>> degrees(np.array([1.0 - 2e-16, 0.0, -1.0])).tolist()
    [0.0, 90.0, 180.0]
    """
    with np.errstate(invalid="ignore"):
        near = 1.0 - np.abs(c) <= _ROUNDING  # whose angle would be one of the rounding
    return np.asarray(np.degrees(np.arccos(np.where(near, np.sign(c), c))))


@dataclass
class CorrelationArtists:
    """Axes and artists; made by `draw_correlation`, moved by `update_correlation`."""

    figure: Figure
    places: Places
    map: Axes
    layers: Axes
    diagonal: Line2D
    curve: Line2D
    web: Line2D
    points: Line2D
    start: Line2D
    fixed: Line2D
    bars: PathPatch
    beyond: Line2D
    path: Line2D
    level: Line2D
    input: Line2D
    no_map: Text
    arrangement: tuple[int, bool] | None = None
    view: "_Axis | None" = None
    counts: "_Counts | None" = None

    @property
    def moving(self) -> tuple[Artist, ...]:
        """The artists that `update_correlation` moves, lowest first."""
        return (
            *(self.diagonal, self.curve, self.web, self.points, self.fixed, self.start),
            *(self.level, self.bars, self.beyond, self.path, self.input),
        )


def draw_correlation(
    data: Correlations, sampled: Array, *, fixed: float | None = None, scale: str = "angle"
) -> CorrelationArtists:
    """Draw the picture on a new figure.

    Parameters
    ----------
    data : Correlations
    sampled : ndarray, shape (networks, depth)
        Correlations in sampled networks; nan where there is none.
    fixed : float, optional
        The fixed point, if it is known.
    scale : {"angle", "correlation"}
        Of the layers' axes.

    Returns
    -------
    CorrelationArtists
    """
    places = Places()
    figure = Figure(figsize=(9.6, 4.8), dpi=100, layout=places)
    left, right = figure.subplots(1, 2)
    words = {"ha": "center", "va": "top", "fontsize": 9, "color": INK}
    artists = CorrelationArtists(
        figure=figure,
        places=places,
        map=left,
        layers=right,
        diagonal=line(left, "-", _DIAGONAL, 1, lw=1),
        curve=line(left, "-", CURVE, 3, lw=2.2),
        web=line(left, "-", BAR, 4, lw=1.2),
        points=line(left, "o", BAR, 5, ms=5, mec="white", mew=0.6),
        start=line(left, "v", BAR, 7, ms=10, mec="white", mew=0.8, clip_on=False),
        fixed=line(left, "D", INK, 6, ms=8, mec="white", mew=0.8, clip_on=False),
        bars=patch(right, BAR, 2, alpha=0.5, edgecolor=BAR, linewidth=0.6),
        beyond=line(right, "^", BAR, 3, ms=6, mec="white", mew=0.7, clip_on=False),
        path=line(right, "-o", CURVE, 4, lw=2, ms=5.5, mec="white", mew=0.8),
        level=line(right, ":", INK, 1, lw=1.6),
        input=line(right, "v", BAR, 5, ms=10, mec="white", mew=0.8, clip_on=False),
        no_map=left.text(0.5, 0.97, "", transform=left.transAxes, **words),
    )
    label_below(left, r"correlation now  $c_\ell$")
    label_apart(left, r"in the next layer  $c_{\ell+1}$", _APART[0])
    left.set(xlim=(-1, 1), ylim=(-1, 1), xticks=[-1, -0.5, 0, 0.5, 1], yticks=[-1, -0.5, 0, 0.5, 1])
    left.set_box_aspect(1)
    label_below(right, "layer (0: the inputs)")
    label_apart(right, "", _APART[1])
    right.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    right.ticklabel_format(axis="y", useOffset=False)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=9)
    arrange_correlation(artists)
    update_correlation(artists, data, sampled, fixed=fixed, scale=scale)
    return artists


def arrange_correlation(artists: CorrelationArtists, css_width: float = 960) -> float | None:
    """Fit the picture to a page: on a narrow one the two axes stand one above the other.

    Returns
    -------
    float or None
        Height of the picture divided by its width; None if it is arranged so already.
    """
    columns = 6 if css_width >= 900 else 3 if css_width >= 560 else 2
    narrow = css_width < 640
    if artists.arrangement == (columns, narrow):
        return None
    artists.arrangement = columns, narrow
    labels = {
        artists.curve: "infinite width",
        artists.points: "layer by layer",
        artists.start: "inputs (left: in layer 1)",
        artists.fixed: "fixed point",
        artists.bars: "sampled networks",
        artists.beyond: "beyond the axis",
    }
    size = 9 if css_width >= 560 else 8
    legend = put_legend(artists.figure, labels, columns=columns, size=size, handlelength=1.6)
    grid = GridSpec(1, 2, artists.figure, width_ratios=[1, 1.35])
    room = Room(0.72, 0.2, 0.52, legend + 0.36, across=0.9)
    if narrow:
        grid = GridSpec(2, 1, artists.figure, height_ratios=[1.3, 1])
        room = Room(0.8, 0.2, 0.52, legend + 0.4, down=0.7)
    artists.places.put(grid, {artists.map: grid[0], artists.layers: grid[1]}, room)
    caption_correlation(artists, "")
    rows = math.ceil(len(labels) / columns)
    return (1.7 if narrow else 0.46) + rows * (0.06 if narrow else 0.02)


def caption_correlation(artists: CorrelationArtists, text: str) -> None:
    """Write what the picture shows above it; "" keeps the place."""
    narrow = artists.arrangement is not None and artists.arrangement[1]
    lines, letters = (2, 10.5) if narrow else (2, 4.8)  # letters an inch
    words = textwrap.fill(text, int(letters * artists.figure.get_figwidth()), max_lines=lines)
    write_above(artists.map, words or "\n".join(lines * " "))


def update_correlation(
    artists: CorrelationArtists,
    data: Correlations,
    sampled: Array,
    *,
    fixed: float | None = None,
    scale: str = "angle",
) -> None:
    """Move the artists to the present data; limits change in round steps.

    Parameters
    ----------
    artists : CorrelationArtists
        From `draw_correlation`.
    data, sampled, fixed, scale
        As in `draw_correlation`.
    """
    _update_map(artists, data, [] if fixed is None else [fixed])
    view = artists.view
    if view is None or not view.serves(data, scale):
        view = artists.view = _Axis(data, sampled, scale)
    elif not view.is_fresh(sampled):
        view = artists.view = _Axis(data, sampled, scale, floor=view)
    _update_layers(artists, view, sampled)
    level = view.shown(np.array([] if fixed is None else 2 * [fixed]))
    artists.level.set_data([-0.5, data.depth + 0.95][: len(level)], level)


def _update_map(artists: CorrelationArtists, data: Correlations, fixed: list[float]) -> None:
    artists.diagonal.set_data([-1, 1], [-1, 1])
    artists.curve.set_data(data.c, data.following)
    path = data.path
    corners = np.repeat(path, 2)
    artists.web.set_data(corners[:-1], np.concatenate([[-1.0], corners[2:]]))
    artists.points.set_data(path[:-1], path[1:])
    artists.start.set_data([path[0]], [-1.0])
    artists.fixed.set_data(fixed, fixed)
    known = bool(np.isfinite(data.following).any())
    set_text(artists.no_map, "" if known else "no correlation map to draw (see below)")


def _update_layers(artists: CorrelationArtists, view: "_Axis", sampled: Array) -> None:
    data = view.data
    set_limits(artists.layers, "x", (-0.5, data.depth + 0.95))
    if set_limits(artists.layers, "y", view.limits):
        artists.layers.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 3, 5, 10]))
    angles = view.scale == "angle"
    label = "angle in degrees" if angles else r"correlation  $c_\ell$"
    if artists.layers.get_ylabel() != label:
        artists.layers.set_ylabel(label)
        artists.beyond.set_marker("^" if angles else "v")
    counts = artists.counts
    if counts is None or counts.view is not view or counts.sampled is not sampled.base:
        counts = artists.counts = _Counts(view, sampled)
    artists.bars.set_path(polygons(counts.outlines(sampled)))
    beyond = np.flatnonzero(counts.beyond)
    end = view.limits[1 if angles else 0]
    artists.beyond.set_data(beyond + 1 + _FOOT, np.full(len(beyond), end))
    artists.path.set_data(np.arange(1, len(data.path) + 1), view.shown(data.path))
    artists.input.set_data([0], [view.shown(np.array([cosine(data.angle)]))[0]])


class _Axis:
    """Scale and limits of the layers' axes."""

    def __init__(
        self, data: Correlations, sampled: Array, scale: str, floor: "_Axis | None" = None
    ) -> None:
        self.data, self.scale, self.seen = data, scale, len(sampled)
        low, high = self._range(sampled)
        if floor is not None:
            low, high = min(low, floor.low), max(high, floor.high)
        self.low: float = low
        self.high: float = high
        self.limits: tuple[float, float]
        length = high if scale == "angle" else 1.0 - low
        end = round_up(max(1.03 * length, _LEAST[scale]) if length > _ROUNDING else _ALONE[scale])
        self.limits = (0.0, min(end, 180.0)) if scale == "angle" else (max(1.0 - end, -1.0), 1.0)

    def shown(self, c: Array) -> Array:
        """Where a correlation stands on the axis."""
        return degrees(c) if self.scale == "angle" else c

    def serves(self, data: Correlations, scale: str) -> bool:
        """Whether it was made for just this."""
        return self.data is data and self.scale == scale

    def is_fresh(self, sampled: Array) -> bool:
        """Whether it needs no second look: not until a third more networks are there."""
        return self.seen <= len(sampled) < max(1.33 * self.seen, self.seen + 40)

    def _range(self, sampled: Array) -> tuple[float, float]:
        """Least and largest place to show: the far tail of few networks would flatten the rest."""
        known = np.append(self.shown(self.data.path), self.shown(np.array(cosine(self.data.angle))))
        low, high = float(known.min()), float(known.max())
        there = sampled[np.isfinite(sampled)]
        if len(there):
            ends = np.quantile(there, [0.001, 0.05, 0.95, 0.999], method="inverted_cdf")
            least, less, more, most = np.sort(self.shown(ends)).tolist()
            if self.scale == "angle":
                low, high = min(low, least), max(high, min(most, _BEYOND * max(more, high)))
            else:  # 1 - c goes like the angle's square
                typical = 1.0 - min(low, less)
                low, high = min(low, max(least, 1.0 - _BEYOND**2 * typical)), max(high, most)
        return low, high


class _Counts:
    """Counts of each layer in bins, kept up to date by counting new networks only."""

    def __init__(self, view: _Axis, sampled: Array) -> None:
        self.view, self.sampled, self.seen = view, sampled.base, 0
        shape = (view.data.depth, _BINS)
        self.counts: NDArray[np.intp] = np.zeros(shape, dtype=np.intp)
        self.beyond: NDArray[np.intp] = np.zeros(view.data.depth, dtype=np.intp)
        self.edges = np.linspace(*view.limits, _BINS + 1)

    def outlines(self, sampled: Array) -> list[Array]:
        """Staircases beside the layers, the highest bin of each the same."""
        self._add(self.view.shown(sampled[self.seen :]))
        self.seen = len(sampled)
        shapes = []
        for layer, counts in enumerate(self.counts, start=1):
            heights = np.concatenate([[0], counts, [0]]) / max(int(counts.max()), 1)
            turns = np.flatnonzero(np.diff(heights))
            corners = np.column_stack([heights[turns], heights[turns + 1]]).ravel()
            places = np.repeat(self.edges[turns], 2)
            shapes.append(np.column_stack([layer + _FOOT + _REACH * corners, places]))
        return shapes

    def _add(self, new: Array) -> None:
        low, high = self.view.limits
        inside = (new >= low) & (new <= high)
        layers = np.nonzero(inside)[1]
        place = ((new[inside] - low) / (high - low) * _BINS).astype(np.intp)
        index = layers * _BINS + np.minimum(place, _BINS - 1)
        self.counts += np.bincount(index, minlength=self.counts.size).reshape(self.counts.shape)
        self.beyond += ((new < low) | (new > high)).sum(axis=0)


def correlations_table(sampled: Array) -> str:
    """Comma separated values: a row a network; nothing where it has no correlation."""
    names = ",".join(f"c_{layer}" for layer in range(1, sampled.shape[1] + 1))
    rows = (",".join(map(repr, row)) for row in sampled.tolist())
    return "\n".join([names, *rows, ""]).replace("nan", "")
