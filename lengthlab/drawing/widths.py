"""Networks of many widths: histograms that narrow, and how probable it is that all layers are near.

`draw_widths` makes the artists, `update_widths` moves them to the present data.
"""

import math
import textwrap
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.text import Text
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator

from lengthlab.drawing.parts import (
    BAND,
    BAR,
    CHOSEN,
    CURVE,
    INK,
    LAW,
    box,
    label_apart,
    label_below,
    line,
    patch,
    polygons,
    set_limits,
    write_above,
)
from lengthlab.drawing.places import Places, Room, label_few, label_nothing, put_legend
from lengthlab.drawing.width_axis import Counts, LengthAxis
from lengthlab.drawing.width_samples import FARTHEST, WidthsData

_STEP = 4.0  # ratio of a width to the one before
_FOOT, _REACH = 0.06, 0.78  # of a histogram, in steps
_ENDS = (2.5, 5e6)  # of the axes of widths
_ENOUGH = 10  # networks of each width for limits of their own
_APART = 0.5, 0.42  # inches of the labels from their axes


@dataclass
class WidthsArtists:
    """Axes and artists; made by `draw_widths`, moved by `update_widths`."""

    figure: Figure
    places: Places
    lengths: Axes
    chance: Axes
    chosen: PathPatch
    band: PathPatch
    limit: Line2D
    bars: PathPatch
    beyond: Line2D
    narrowest: Line2D
    level: Line2D
    theory: Line2D
    required: Line2D
    intervals: Line2D
    points: Line2D
    pointed: Line2D
    no_limit: Text
    no_theory: Text
    arrangement: tuple[int, bool] | None = None
    above: int = 0  # lengths beyond the axis
    blank: bool = False  # there is no length to show
    view: LengthAxis | None = None
    counted: dict[int, Counts] = field(default_factory=dict)

    @property
    def moving(self) -> tuple[Artist, ...]:
        """The artists that `update_widths` moves, lowest first."""
        return (
            *(self.chosen, self.band, self.limit, self.bars, self.beyond, self.narrowest),
            *(self.level, self.theory, self.required, self.intervals, self.points, self.pointed),
        )


def draw_widths(data: WidthsData) -> WidthsArtists:
    """Draw the picture on a new figure.

    Parameters
    ----------
    data : WidthsData

    Returns
    -------
    WidthsArtists

    Examples
    --------
    >>> from lengthlab.convergence import Experiment
    >>> from lengthlab.network import Network
    >>> experiment = Experiment(Network("tanh"), width=1, depth=3)
    >>> picture = draw_widths(WidthsData(experiment, [], layer=3, eps=0.2, delta=0.05))
    >>> picture.lengths.get_ylabel()
    'length of layer 3'
    """
    places = Places()
    figure = Figure(figsize=(9.6, 4.6), dpi=100, layout=places)
    lengths, chance = figure.subplots(1, 2, width_ratios=[1.5, 1])
    artists = WidthsArtists(
        figure=figure,
        places=places,
        lengths=lengths,
        chance=chance,
        chosen=patch(lengths, CHOSEN, 0),
        band=patch(lengths, BAND, 1),
        limit=line(lengths, "-", CURVE, 2, lw=2),
        # An edge, so that a histogram of a pixel's height is seen.
        bars=patch(lengths, BAR, 3, alpha=0.55, edgecolor=BAR, linewidth=0.8),
        beyond=line(lengths, "^", BAR, 4, ms=7, mec="white", mew=0.8, clip_on=False),
        narrowest=line(lengths, ":", INK, 2.5, lw=1.5),
        level=line(chance, "--", INK, 1, lw=1),
        theory=line(chance, "-", LAW, 2, lw=1.8),
        required=line(chance, ":", INK, 2.5, lw=1.5),
        intervals=line(chance, "-", BAR, 3, lw=1.6, clip_on=False),
        points=line(chance, "o", BAR, 4, ms=6, mec="white", mew=0.8, clip_on=False),
        pointed=line(chance, "o", INK, 5, ms=11, mfc="none", mew=1.2, clip_on=False),
        # Where the histograms of the narrow widths, and small probabilities, leave room.
        no_limit=_words(lengths, 0.94),
        no_theory=_words(chance, 0.82),
    )
    for axes in (lengths, chance):
        axes.set(xscale="log", xlim=_ENDS)
        label_below(axes, r"width  $N$")
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=9)
        axes.xaxis.set_minor_formatter(NullFormatter())
    # The probabilities' limits leave room for marks at 0 and 1.
    chance.set(ylim=(-0.03, 1.03), yticks=np.linspace(0, 1, 6))
    label_apart(chance, r"P( all layers within $\epsilon$ )", _APART[1])
    label_apart(lengths, "", _APART[0])
    arrange_widths(artists)
    update_widths(artists, data)
    return artists


def _words(axes: Axes, height: float) -> Text:
    plain: Any = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"}
    looks: Any = {"va": "top", "color": INK, "fontsize": 9, "zorder": 6, "bbox": plain}
    words = axes.text(0.03, height, "", transform=axes.transAxes, **looks)
    words.set_visible(False)
    return words


def arrange_widths(artists: WidthsArtists, css_width: float = 960) -> float | None:
    """Fit the picture to a page: on a narrow one the two axes stand one above the other.

    Returns
    -------
    float or None
        Height of the picture divided by its width; None if it is arranged so already.
    """
    columns = 8 if css_width >= 900 else 4 if css_width >= 600 else 3 if css_width >= 480 else 2
    narrow = css_width < 520
    if artists.arrangement == (columns, narrow):
        return None
    artists.arrangement = columns, narrow
    labels = {
        artists.bars: "networks",
        artists.limit: "length map",
        artists.band: r"within $\epsilon$",
        artists.chosen: "numbers below",
        artists.points: "sampled, 95 %",
        artists.theory: "first order",
        artists.level: r"$1 - \delta$",
        artists.required: r"$N_0$",
    }
    legend = put_legend(artists.figure, labels, columns=columns, handlelength=1.5)
    grid = GridSpec(1, 2, artists.figure, width_ratios=[1.5, 1])
    room = Room(0.74, 0.15, 0.52, legend + 0.22, across=0.75)
    if narrow:
        grid = GridSpec(2, 1, artists.figure, height_ratios=[1.3, 1])
        room = Room(0.74, 0.15, 0.52, legend + 0.52, down=0.6)
    artists.places.put(grid, {artists.lengths: grid[0], artists.chance: grid[1]}, room)
    caption_widths(artists, "")
    rows = math.ceil(len(labels) / columns)
    height = 1.3 if narrow else 0.46 if css_width >= 640 else 0.56
    return height + rows * (0.06 if narrow else 0.02)


def caption_widths(artists: WidthsArtists, text: str) -> None:
    """Write what the picture shows above it; "" keeps the place."""
    narrow = artists.arrangement is not None and artists.arrangement[1]
    lines, letters = (3, 11) if narrow else (1, 13)  # letters an inch
    words = textwrap.fill(text, int(letters * artists.figure.get_figwidth()), max_lines=lines)
    write_above(artists.lengths, words or "\n".join(lines * " "))


def update_widths(artists: WidthsArtists, data: WidthsData, *, running: bool = False) -> None:
    """Move the artists to the present data; limits change in round steps.

    Parameters
    ----------
    artists : WidthsArtists
    data : WidthsData
    running : bool
        Whether more networks will soon be there: until there are enough, the limits of those before
        will do. A control may be moving, and each change takes time.
    """
    view = artists.view
    drawn = [sample.drawn for sample in data.samples]
    enough = min(drawn, default=0) >= _ENOUGH or (any(drawn) and not running)
    if view is None or not view.serves(data):
        view = artists.view = LengthAxis(data, floor=None if enough else view, lent=not enough)
    elif view.lent and enough:
        view = artists.view = LengthAxis(data)
    elif not view.is_fresh():
        view = artists.view = LengthAxis(data, floor=view, lent=view.lent)
    _update_lengths(artists, data, view)
    _update_chance(artists, data)


def _update_lengths(artists: WidthsArtists, data: WidthsData, view: LengthAxis) -> None:
    axes, (low, high) = artists.lengths, view.limits
    moved = set_limits(axes, "y", view.limits, log=view.log)
    if view.nothing and not artists.blank:
        label_nothing(axes)
    elif (moved or artists.blank) and not view.nothing:
        label_few(axes, view.limits, log=view.log)
    artists.blank = view.nothing
    if axes.get_ylabel() != f"length of layer {data.layer}":
        axes.set_ylabel(f"length of layer {data.layer}")
    outlines, artists.above, beyond = [], 0, []
    for sample in data.samples:
        counts = artists.counted.get(sample.width)
        if counts is None or not counts.serves(sample, view):
            counts = artists.counted[sample.width] = Counts(sample, view)
        lengths, heights = counts.outline()
        places = sample.width * _STEP ** (_FOOT + _REACH * heights)
        outlines.append(np.column_stack([places, lengths]))
        artists.above += counts.above
        beyond += [sample.width * _STEP ** (_FOOT + _REACH / 2)] if counts.above else []
    artists.bars.set_path(polygons(outlines))
    artists.beyond.set_data(beyond, [high] * len(beyond))
    centre, shown = data.predicted, [] if math.isinf(data.predicted) else [data.predicted]
    _say(artists.no_limit, "" if shown else f"length map: {_infinite(data)}")
    artists.limit.set_data(_ENDS[: 2 * len(shown)], 2 * shown)
    ends = [min(max(end, low), high) for end in (centre - data.eps, centre + data.eps) if shown]
    artists.band.set_path(polygons([box(*_ENDS, *ends)] if ends and ends[1] > ends[0] else []))
    marked = [] if data.chosen is None else [data.chosen]
    columns = [box(n * _STEP**-0.08, n * _STEP**0.92, low, high) for n in marked]
    artists.chosen.set_path(polygons(columns))
    least = data.required
    least = least if least is not None and _ENDS[0] < least < _ENDS[1] else None
    at = [] if least is None else [least, least]
    artists.narrowest.set_data(at, [low, high][: len(at)])


def _say(words: Text, text: str) -> None:
    if words.get_text() != text:
        words.set(text=text, visible=bool(text))


def _infinite(data: WidthsData) -> str:
    """Say what kind of infinity the length map is at the layer."""
    first = data.experiment.prediction.first_infinite
    return "beyond every float" if first is None or first > data.layer else "infinite"


def _update_chance(artists: WidthsArtists, data: WidthsData) -> None:
    theory, least = data.theory, data.required
    _say(artists.no_theory, "no first-order theory" if theory and theory.law is None else "")
    right = _ENDS[1]
    if least is not None and right / 2 < least < FARTHEST / 10:
        right = 10.0 ** math.ceil(math.log10(2 * least))
    if set_limits(artists.chance, "x", (_ENDS[0], right), log=True) or not data.samples:
        _set_ticks(artists)
    artists.level.set_data([_ENDS[0], right], [1 - data.delta] * 2)
    artists.theory.set_data(theory.widths if theory else [], theory.probabilities if theory else [])
    marked = [] if least is None else [least, least]
    artists.required.set_data(marked, [-0.03, 1.03][: len(marked)])
    drawn = [sample for sample in data.samples if sample.drawn]
    widths = np.array([sample.width for sample in drawn], dtype=float)
    shares = np.array([sample.near(data.eps) / sample.drawn for sample in drawn])
    artists.points.set_data(widths, shares)
    ends = [(*sample.interval(data.eps), math.nan) for sample in drawn]
    artists.intervals.set_data(np.repeat(widths, 3), np.ravel(ends))
    pointed = widths == data.chosen
    artists.pointed.set_data(widths[pointed], shares[pointed])


def _set_ticks(artists: WidthsArtists) -> None:
    for axes, number in ((artists.lengths, 5), (artists.chance, 4)):
        axes.xaxis.set_major_locator(LogLocator(numticks=number))
        axes.xaxis.set_minor_locator(NullLocator())
