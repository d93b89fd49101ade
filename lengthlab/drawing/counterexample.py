"""Two activations side by side: one for which nothing settles as N grows, and one that converges.

`draw_counterexample` makes the artists, `update_counterexample` moves them to the present data.
"""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from lengthlab.activations import Array
from lengthlab.drawing.limits import is_lost
from lengthlab.drawing.parts import (
    BAR,
    CURVE,
    INK,
    label_apart,
    label_below,
    line,
    round_up,
    set_limits,
)
from lengthlab.drawing.places import Places, Room, label_few, label_nothing, put_legend
from lengthlab.drawing.sums import Side

_SETTLED = 10  # terms from which on a mean decides the axis
_ENOUGH = 10  # networks of each width for limits of their own
_PATIENCE = 0.02  # share of new networks without which quantiles will do
_LOG_FROM = 30.0
_LEAST, _MOST = 1e-280, 1e290
_BEYOND = 1e4  # times what is typical: where an axis ends at the latest
_LETTERS = 8  # points, of tick labels
_APART, _BELOW = 0.43, 0.27  # inches of a label from its axis


@dataclass
class Panel:
    """One axes: lines, marks with ranges, and the line of the limit."""

    axes: Axes
    curves: Line2D
    limit: Line2D
    ranges: Line2D
    medians: Line2D
    beyond: Line2D
    words: Text
    unseen: Text  # that the curves and the limit are not of the same phi
    low: float = math.inf
    high: float = 0.0
    settled: bool = True  # the limits are those of the present networks
    blank: bool = False  # there is no number to show

    @property
    def moving(self) -> tuple[Artist, ...]:
        """What changes at every frame."""
        return self.curves, self.limit, self.ranges, self.medians, self.beyond

    def fit(self, values: Array, limit: float, *, enough: bool, log: bool | None = None) -> None:
        """Set the limits of y to hold these values; they grow in round steps.

        Until there are enough the limits of the networks before will do, if the values are not lost
        in them: a control may be moving, and each change takes time.
        """
        known = values[np.isfinite(values) & ((values > 0) if log else (values >= 0))]
        if not len(known):
            if enough:
                self.leave_blank()
            return
        anew, self.blank = self.blank, False
        low, high = _range(known, limit)
        before, scale = (self.low, self.high), self.axes.get_yscale()
        if not self.settled and (enough or is_lost(low, high, before, log=scale == "log")):
            self.low, self.high, self.settled = math.inf, 0.0, enough
        self.low, self.high = min(self.low, low), max(self.high, high)
        low, high = max(self.low, self.high * 1e-250), self.high
        if log or (log is None and high > _LOG_FROM * low):
            bottom, top = math.floor(math.log10(low / 1.2)), math.ceil(math.log10(1.2 * high))
            limits = 10.0**bottom, 10.0 ** max(top, bottom + 1)
            log = True
        else:
            limits, log = (0.0, round_up(1.04 * high)), False
        if set_limits(self.axes, "y", limits, log=log) or anew:
            label_few(self.axes, limits, log=log)

    def leave_blank(self) -> None:
        """Take the ticks away: where there is no number to show they mean nothing."""
        if not self.blank:
            self.blank = True
            label_nothing(self.axes)


def _range(known: Array, limit: float) -> tuple[float, float]:
    """Least and largest number above 0 to show, but no exploding network: it flattens the others.

    Where all are 0, that is to be seen too: on an axis to 1 or a little more.
    """
    known = known[known > 0]
    if not len(known):
        return 1.0, 1.0
    typical = float(np.median(known))
    known = np.append(known, limit if 0 < limit < math.inf else [])
    low = max(float(known.min()), typical / _BEYOND, _LEAST)
    return low, min(float(known.max()), typical * _BEYOND, _MOST)


@dataclass
class CounterexampleArtists:
    """Axes and artists; made by `draw_counterexample`, moved by `update_counterexample`.

    Attributes
    ----------
    panels : list of list of Panel
        Of each side: means, largest shares, lengths, lengths over N.
    """

    figure: Figure
    panels: list[list[Panel]]
    places: Places
    narrow: bool | None = None
    aspect: float = 0.0
    letters: float = 9.5  # points, of the activations' names
    layer: int = 0
    names: tuple[str, ...] = ("", "")
    sides: Sequence[Side] = field(default_factory=tuple)

    @property
    def moving(self) -> tuple[Artist, ...]:
        """The artists that `update_counterexample` moves."""
        return tuple(artist for row in self.panels for panel in row for artist in panel.moving)


def draw_counterexample() -> CounterexampleArtists:
    """Draw the axes on a new figure, empty: `update_counterexample` fills them.

    Returns
    -------
    CounterexampleArtists

    Examples
    --------
    >>> from lengthlab.drawing.sums import LayerSample, Sums
    >>> from lengthlab.network import Network
    >>> picture = draw_counterexample()
    >>> side = Side(Network("tanh"), 0.39, Sums(10, gain=1.0, noise=0.0), [LayerSample(10)])
    >>> update_counterexample(picture, [side, side], layer=2)
    >>> picture.panels[0][2].axes.get_title()
    '$q_{2}$'
    """
    places = Places()
    figure = Figure(figsize=(9.6, 5.0), dpi=100, layout=places)
    panels = [[_panel(axes) for axes in row] for row in figure.subplots(2, 4)]
    artists = CounterexampleArtists(figure, panels, places)
    arrange_counterexample(artists)
    return artists


def _panel(axes: Axes) -> Panel:
    axes.set(xscale="log")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=_LETTERS)
    axes.yaxis.get_offset_text().set(fontsize=_LETTERS, x=-0.02, ha="right")
    # At fixed places: to look for free ones takes half the time of drawing.
    axes.set_title("", y=1.0)
    label_apart(axes, "", _APART)
    label_below(axes, "", _BELOW)
    plain = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"}
    words: Any = {"ha": "right", "fontsize": _LETTERS, "color": INK, "zorder": 6, "visible": False}
    words |= {"transform": axes.transAxes, "bbox": plain}
    panel = Panel(
        axes=axes,
        limit=line(axes, "--", CURVE, 3, lw=2),
        curves=line(axes, "-", BAR, 2, lw=0.9),
        ranges=line(axes, "-", BAR, 2, lw=2.2),
        medians=line(axes, "o", INK, 4, ms=5, mec="white", mew=0.7),
        beyond=line(axes, "^", INK, 4, ms=6, mec="white", mew=0.7, clip_on=False),
        words=axes.text(0.97, 0.05, "", va="bottom", **words),
        unseen=axes.text(0.97, 0.5, "", va="center", **words),
    )
    panel.leave_blank()
    return panel


def arrange_counterexample(artists: CounterexampleArtists, css_width: float = 960) -> float | None:
    """Fit the picture to a page: on a narrow one the activations are columns, not rows.

    Returns
    -------
    float or None
        Height of the picture divided by its width; None if it is arranged so already.
    """
    narrow = css_width < 640
    wide = css_width >= 780
    aspect = (0.52 if wide else 0.75) if not narrow else 1.4 if css_width >= 480 else 2.1
    if artists.aspect == aspect:
        return None
    artists.narrow, artists.aspect = narrow, aspect
    artists.letters = 9.5 if wide else 8.0
    first, third = artists.panels[0][0], artists.panels[0][2]
    labels: dict[Artist, str] = {
        first.curves: "a network",
        third.medians: "median",
        third.ranges: "90 % of networks",
        third.beyond: "beyond the axis",
        first.limit: "length map",
    }
    columns = 2 if narrow else 5 if wide else 3
    above = (0.4 if narrow else 0.25) + put_legend(artists.figure, labels, columns=columns)
    grid = GridSpec(4, 2, artists.figure) if narrow else GridSpec(2, 4, artists.figure)
    cells = {
        panel.axes: grid[(column, row) if narrow else (row, column)]
        for row, panels in enumerate(artists.panels)
        for column, panel in enumerate(panels)
    }
    below, down = (0.85, 0.5) if narrow else (0.7, 0.3)
    artists.places.put(grid, cells, Room(0.8, 0.12, below, above, across=0.5, down=down))
    caption_counterexample(artists, "")
    _label(artists)
    return aspect


def caption_counterexample(artists: CounterexampleArtists, text: str) -> None:
    """Write what the picture shows below it; "" keeps the place."""
    lines = 2 if artists.narrow else 1
    words = textwrap.fill(text, int(13 * artists.figure.get_figwidth()), max_lines=lines)
    blanks = "\n".join(lines * " ")
    artists.figure.supxlabel(words or blanks, x=0.02, ha="left", fontsize=9, color=INK)


def _label(artists: CounterexampleArtists) -> None:
    """Name the quantities and the activations, as rows and columns."""
    layer = artists.layer
    quantities = (
        "mean of n terms",
        "largest term's share",
        f"$q_{{{layer}}}$",
        f"$q_{{{layer}}}\\,/\\,N$",
    )
    places = ("terms  $n$", "terms  $n$", "width  $N$", "width  $N$")
    for row, panels in enumerate(artists.panels):
        name = _folded(_short(artists.names[row]))
        for column, panel in enumerate(panels):
            if artists.narrow:
                title, side = ("" if column else name), ("" if row else quantities[column])
                below = places[column] if column in (1, 3) else ""
            else:
                title, side = ("" if row else quantities[column]), ("" if column else name)
                below = places[column] if row else ""
            panel.axes.tick_params(axis="x", labelbottom=bool(below))  # with the quantity's name
            weights = ("bold", "normal") if artists.narrow else ("normal", "bold")
            words = (panel.axes.title, panel.axes.yaxis.label, panel.axes.xaxis.label)
            for artist, text, weight in zip(
                words, (title, side, below), (*weights, "normal"), strict=True
            ):
                looks = (text, weight, artists.letters if weight == "bold" else 9.5)
                if (artist.get_text(), artist.get_fontweight(), artist.get_fontsize()) != looks:
                    artist.set(text=text, weight=weight, fontsize=looks[-1])


def _folded(name: str, most: int = 16) -> str:
    """Put the parameters of a long name on a line of their own."""
    first, _, inside = name.partition("(")
    return f"{first}\n({inside}" if len(name) > most and "=" in inside else name


def _short(name: str, most: int = 24) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"


def update_counterexample(
    artists: CounterexampleArtists, sides: Sequence[Side], *, layer: int, running: bool = False
) -> None:
    """Move the artists to the present data.

    Parameters
    ----------
    artists : CounterexampleArtists
    sides : sequence of Side
        The suspect, and the one beside it.
    layer : int
        Whose lengths are shown, ``>= 2``.
    running : bool
        Whether more will soon be there: quantiles and limits may then lag behind.
    """
    if artists.sides is not sides:
        artists.sides = sides
        for panel in (panel for row in artists.panels for panel in row):
            panel.settled = False
    names = tuple(side.name for side in sides)
    if (artists.names, artists.layer) != (names, layer):
        artists.names, artists.layer = names, layer
        _label(artists)
    for (means, shares, lengths, over), side in zip(artists.panels, sides, strict=True):
        _update_sums(means, shares, side, running)
        _update_lengths(lengths, over, side, running)


def _update_sums(means: Panel, shares: Panel, side: Side, running: bool) -> None:
    sums = side.sums
    settled = sums.values[:, sums.n >= min(_SETTLED, sums.n[-1])]
    complete = not np.isnan(sums.values[:, -1]).any()
    means.fit(settled, side.limit, enough=complete or not running)
    for panel in (means, shares):  # one point makes no line
        panel.curves.set_marker("None" if len(sums.n) > 1 else ".")
    _lines(means.curves, sums.n, sums.values)
    _set_x(means.axes, 1, int(sums.n[-1]))
    _set_limit(means, side)
    _say(means.unseen, "" if side.faithful else "as floats see it;\nthe map is another")
    _lines(shares.curves, sums.n, sums.shares)
    if np.isfinite(sums.shares).any():
        if set_limits(shares.axes, "y", (0.0, 1.05)) or shares.blank:
            shares.axes.yaxis.set_major_locator(MaxNLocator(5))
            shares.blank = False
    elif not running:
        shares.leave_blank()
    _set_x(shares.axes, 1, int(sums.n[-1]))


def _update_lengths(lengths: Panel, over: Panel, side: Side, running: bool) -> None:
    drawn = [sample for sample in side.samples if sample.drawn]
    n = np.array([sample.width for sample in drawn], dtype=float)
    found = np.array([sample.quantiles(_PATIENCE if running else 0.0) for sample in drawn]).reshape(
        -1, 3
    )
    enough = not running or min(sample.drawn for sample in side.samples) >= _ENOUGH
    lengths.fit(found, side.limit, enough=enough)
    with np.errstate(under="ignore"):
        scaled = found / n[:, None]
    # What the widest networks will come to, or each new width would move the axis.
    over.fit(scaled, side.limit / side.samples[-1].width, enough=enough, log=True)
    for panel, quantiles in ((lengths, found), (over, scaled)):
        low, high = panel.axes.get_ylim()
        within = np.clip(quantiles, low, high)
        ends = np.column_stack([within[:, 0], within[:, 2], np.full(len(n), np.nan)])
        panel.ranges.set_data(np.repeat(n, 3), ends.ravel())
        shown = (quantiles[:, 1] >= low) & (quantiles[:, 1] <= high)
        panel.medians.set_data(n[shown], within[shown, 1])
        beyond = quantiles[:, 2] > high
        panel.beyond.set_data(n[beyond], np.full(int(beyond.sum()), high))
        _set_x(panel.axes, side.samples[0].width, side.samples[-1].width)
    _set_limit(lengths, side)


def _lines(artist: Line2D, n: Any, values: Array) -> None:
    """Several curves in one artist, with a gap after each."""
    known = np.where(np.isfinite(values), values, np.nan)
    gaps = np.full((len(values), 1), np.nan)
    artist.set_data(np.tile(np.append(n, n[-1]), len(values)), np.hstack([known, gaps]).ravel())


def _set_limit(panel: Panel, side: Side) -> None:
    limit = side.limit
    _say(panel.words, f"length map:\n{side.no_limit}" if side.no_limit else "")
    left, right = panel.axes.get_xlim()
    panel.limit.set_data(([left, right], [limit] * 2) if limit < math.inf else ([], []))


def _say(words: Text, text: str) -> None:
    if words.get_text() != text:
        words.set(text=text, visible=bool(text))


def _set_x(axes: Axes, first: int, last: int) -> None:
    room = 1.5 if last == first or first > 1 else 1.0
    if set_limits(axes, "x", (first / room, last * max(room, 1.05)), log=True):
        # Those within the limits only: a tick takes as long to make as a line.
        low, high = math.ceil(math.log10(first)), math.floor(math.log10(last))
        powers = range(low, high + 1, max(1, -(-(high - low) // 4)))
        axes.xaxis.set_major_locator(FixedLocator([10.0**power for power in powers]))
        axes.xaxis.set_minor_locator(NullLocator())
