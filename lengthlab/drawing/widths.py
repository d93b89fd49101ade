"""Networks of many widths: histograms that narrow, and how probable it is that all layers are near.

`draw_widths` makes the artists, `update_widths` moves them to the present data.
"""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator
from numpy.typing import NDArray

from lengthlab.activations import Array
from lengthlab.convergence import Bins, Experiment, required_width
from lengthlab.convergence.first_order import Deviations, box_probability, deviations
from lengthlab.convergence.probability import CONFIDENCE, clopper_pearson
from lengthlab.drawing.limits import band_at
from lengthlab.drawing.parts import (
    BAND,
    BAR,
    CHOSEN,
    CURVE,
    INK,
    LAW,
    box,
    line,
    patch,
    polygons,
    round_up,
    set_limits,
)
from lengthlab.finite_width import InfiniteSpreadError
from lengthlab.length_map import LengthMap
from lengthlab.network import Network

WIDTHS = (4, 16, 64, 256, 1000, 4000, 16_000, 64_000, 250_000, 1_000_000)
"""Units a layer of the networks that are drawn."""

_STEP = 4.0  # ratio of a width to the one before
_FOOT, _REACH = 0.06, 0.78  # of a histogram, in steps
_ENDS = (2.5, 5e6)  # of the axes of widths
_FARTHEST = 1e13  # a width beyond which N_0 is not shown
_LOG_FROM = 30.0
_LEAST, _MOST = 1e-280, 1e290
_TYPICAL = 64  # width from which on lengths count as typical
_BEYOND = 4.0  # how far the axis goes beyond what is typical
_FEWEST_BINS, _MOST_BINS = 60, 400  # a bin is a pixel at least


# --- data -----------------------------------------------------------------------------------------


class WidthSample:
    """Networks of one width: their lengths, and how far from the length map each one gets.

    Parameters
    ----------
    width : int
    prediction : LengthMap
        For as many layers as the networks have.

    Examples
    --------
    >>> from lengthlab.length_map import length_map
    >>> sample = WidthSample(4, length_map(Network("tanh"), depth=1))
    >>> sample.add(np.array([[0.5], [1.1], [np.inf]]))
    >>> sample.drawn, sample.near(0.2), sample.interval(0.2)[0].__round__(3)
    (3, 1, 0.008)
    """

    def __init__(self, width: int, prediction: LengthMap) -> None:
        self.width, self._centre = width, prediction.values
        self._rows = np.empty((64, len(self._centre)))
        self._farthest = np.empty(64)
        self.drawn = 0

    @property
    def lengths(self) -> Array:
        """q_l of all networks so far, shape (drawn, depth)."""
        return self._rows[: self.drawn]

    def add(self, lengths: Array) -> None:
        """Take in more networks, shape (trials, depth)."""
        total = self.drawn + len(lengths)
        if total > len(self._rows):
            room = max(total, 2 * len(self._rows)) - self.drawn
            self._rows = np.concatenate([self.lengths, np.empty((room, lengths.shape[1]))])
            self._farthest = np.concatenate([self._farthest[: self.drawn], np.empty(room)])
        self._rows[self.drawn : total] = lengths
        with np.errstate(all="ignore"):  # inf - inf is not near
            off = np.abs(lengths - self._centre)
        self._farthest[self.drawn : total] = np.where(np.isnan(off), np.inf, off).max(axis=1)
        self.drawn = total

    def near(self, eps: float) -> int:
        """How many networks are within `eps` of the length map in every layer."""
        return int((self._farthest[: self.drawn] <= eps).sum())

    def interval(self, eps: float) -> tuple[float, float]:
        """Clopper-Pearson interval of the probability to be within `eps` in every layer."""
        return clopper_pearson(self.near(eps), self.drawn, CONFIDENCE)


@dataclass(frozen=True, eq=False)
class WidthTheory:
    """The probability that all layers are near, to first order.

    Attributes
    ----------
    law : Deviations or None
        None where there is no such order.
    eps : float
    required : int or None
        N_0, the smallest width with probability ``1 - delta``.
    reason : str
        Why one of the two is None, else "".
    widths, probabilities : ndarray
        A curve; empty if `law` is None.
    """

    law: Deviations | None
    eps: float
    required: int | None
    reason: str
    widths: Array
    probabilities: Array

    def at(self, width: int) -> float | None:
        """Probability at one width."""
        return self.law and box_probability(self.law, self.eps * math.sqrt(width))


def width_theory(net: Network, *, depth: int, eps: float, delta: float) -> WidthTheory:
    """Compute the theory that stands beside sampled networks.

    Parameters
    ----------
    net : Network
    depth : int
        Number of layers, ``>= 1``.
    eps : float
        Largest distance of a length from the length map, ``> 0``.
    delta : float
        Probability that is allowed for more, ``1e-9 <= delta < 1``.

    Returns
    -------
    WidthTheory

    Examples
    --------
    >>> theory = width_theory(Network("relu", sigma_w=2**0.5), depth=5, eps=0.1, delta=0.05)
    >>> theory.required, round(theory.at(theory.required), 4)
    (36301, 0.95)
    >>> width_theory(Network("reciprocal"), depth=2, eps=0.1, delta=0.05).reason
    'the length map is infinite at layer 2'
    """
    nothing = np.empty(0)
    try:
        law = deviations(net, depth=depth)
    except InfiniteSpreadError as error:
        return WidthTheory(None, eps, None, error.reason, nothing, nothing)
    required, reason = None, ""
    try:
        required = required_width(net, depth=depth, eps=eps, delta=delta, budget=0).theory
    except ValueError as error:  # N_0 is beyond every float
        reason = str(error)
    widths = np.geomspace(1, _FARTHEST, 209)
    return WidthTheory(law, eps, required, reason, widths, _curve(law, eps * np.sqrt(widths)))


def _curve(law: Deviations, reaches: Array) -> Array:
    """Box probabilities, ascending; those that differ from 0 or 1 by 1e-3 at most are not asked."""
    from scipy.special import ndtr

    with np.errstate(divide="ignore", over="ignore"):
        beyond = 2 * ndtr(-reaches[:, None] / np.sqrt(law.variance)).sum(axis=1)
    found = np.maximum(1 - beyond, 0.0)  # a union bound: what is left where it is nearly 1
    for k in np.flatnonzero(beyond > 1e-3)[::-1]:
        found[k] = box_probability(law, float(reaches[k]))
        if found[k] < 1e-3:
            found[:k] = 0.0
            break
    return found


@dataclass(frozen=True)
class WidthsData:
    """What the picture shows.

    Attributes
    ----------
    experiment : Experiment
        Of the same network, for its prediction and its band.
    samples : sequence of WidthSample
        Networks of each width, ascending.
    layer : int
        The layer whose lengths are shown, from 1.
    eps, delta : float
    theory : WidthTheory or None
        None while it is not there yet.
    chosen : int or None
        A width to point out.
    """

    experiment: Experiment
    samples: Sequence[WidthSample]
    layer: int
    eps: float
    delta: float
    theory: WidthTheory | None = None
    chosen: int | None = None

    @property
    def predicted(self) -> float:
        """qt of the layer; inf where it is infinite."""
        return float(self.experiment.prediction.values[self.layer - 1])

    @property
    def required(self) -> int | None:
        """N_0, if it is known."""
        return self.theory.required if self.theory else None


def widths_table(data: WidthsData) -> str:
    """Comma separated values, a row a width: the probability, and the lengths of the layer."""
    names = ("width", "networks", "near", "lower", "upper", "first_order", "q_5", "q_50", "q_95")
    rows = [",".join(names)]
    for sample in data.samples:
        row: list[float | None] = [sample.width, sample.drawn]
        if sample.drawn:
            row += [sample.near(data.eps), *sample.interval(data.eps)]
            row.append(data.theory.at(sample.width) if data.theory else None)
            q = sample.lengths[:, data.layer - 1]
            row += np.quantile(q, [0.05, 0.5, 0.95], method="inverted_cdf").tolist()
        rows.append(",".join("" if value is None else repr(value) for value in row))
    return "\n".join([*rows, ""])


# --- the picture ----------------------------------------------------------------------------------


@dataclass
class WidthsArtists:
    """Axes and artists; made by `draw_widths`, moved by `update_widths`."""

    figure: Figure
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
    arrangement: tuple[int, bool] | None = None
    above: int = 0  # lengths beyond the axis
    view: "_LengthAxis | None" = None
    counted: dict[int, "_Counts"] = field(default_factory=dict)

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
    >>> experiment = Experiment(Network("tanh"), width=1, depth=3)
    >>> picture = draw_widths(WidthsData(experiment, [], layer=3, eps=0.2, delta=0.05))
    >>> picture.lengths.get_ylabel()
    'length of layer 3'
    """
    layout = ConstrainedLayoutEngine(w_pad=0.15, wspace=0.03)  # tick labels change later
    figure = Figure(figsize=(9.6, 4.6), dpi=100, layout=layout)
    lengths, chance = figure.subplots(1, 2, width_ratios=[1.5, 1])
    artists = WidthsArtists(
        figure=figure,
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
    )
    for axes in (lengths, chance):
        axes.set(xscale="log", xlabel=r"width  $N$", xlim=_ENDS)
        axes.spines[["top", "right"]].set_visible(False)
        axes.xaxis.set_minor_formatter(NullFormatter())
    # The probabilities' limits leave room for marks at 0 and 1.
    chance.set(ylim=(-0.03, 1.03), yticks=np.linspace(0, 1, 6))
    chance.set_ylabel(r"P( all layers within $\epsilon$ )")
    for artist in artists.moving:
        artist.set_in_layout(False)
    arrange_widths(artists)
    update_widths(artists, data)
    return artists


def arrange_widths(artists: WidthsArtists, css_width: float = 960) -> float | None:
    """Fit the picture to a page: on a narrow one the two axes stand one above the other.

    Returns
    -------
    float or None
        Height of the picture divided by its width; None if it is arranged so already.
    """
    columns = 7 if css_width >= 900 else 4 if css_width >= 640 else 3 if css_width >= 480 else 2
    narrow = css_width < 640
    if artists.arrangement == (columns, narrow):
        return None
    artists.arrangement = columns, narrow
    grid = GridSpec(2, 1, artists.figure, height_ratios=[1.3, 1])
    if not narrow:
        grid = GridSpec(1, 2, artists.figure, width_ratios=[1.5, 1])
    artists.lengths.set_subplotspec(grid[0])
    artists.chance.set_subplotspec(grid[1])
    for old in list(artists.figure.legends):
        old.remove()
    labels = {
        artists.bars: "networks",
        artists.limit: "length map",
        artists.band: r"within $\epsilon$",
        artists.points: "sampled, 95 %",
        artists.theory: "first order",
        artists.level: r"$1 - \delta$",
        artists.required: r"$N_0$",
    }
    artists.figure.legend(
        list(labels),
        list(labels.values()),
        loc="outside upper center",
        ncols=columns,
        frameon=False,
        fontsize=9,
        handlelength=1.6,
        columnspacing=1.6,
    )
    caption_widths(artists, "")
    rows = math.ceil(len(labels) / columns)
    return (1.3 if narrow else 0.46) + rows * (0.06 if narrow else 0.02)


def caption_widths(artists: WidthsArtists, text: str) -> None:
    """Write what the picture shows above it; "" keeps the place."""
    lines = 2 if artists.arrangement and artists.arrangement[1] else 1
    words = textwrap.fill(text, int(14 * artists.figure.get_figwidth()), max_lines=lines)
    artists.lengths.set_title(words or "\n".join(lines * " "), loc="left", fontsize=9, color=INK)


def update_widths(artists: WidthsArtists, data: WidthsData) -> None:
    """Move the artists to the present data; limits change in round steps."""
    view = artists.view
    if view is None or not view.serves(data):
        view = artists.view = _LengthAxis(data)
    elif not view.is_fresh():
        view = artists.view = _LengthAxis(data, floor=view)
    _update_lengths(artists, data, view)
    _update_chance(artists, data)


def _update_lengths(artists: WidthsArtists, data: WidthsData, view: "_LengthAxis") -> None:
    axes, (low, high) = artists.lengths, view.limits
    set_limits(axes, "y", view.limits, log=view.log)
    if axes.get_ylabel() != f"length of layer {data.layer}":
        axes.set_ylabel(f"length of layer {data.layer}")
    outlines, artists.above, beyond = [], 0, []
    for sample in data.samples:
        counts = artists.counted.get(sample.width)
        if counts is None or not counts.serves(sample, view):
            counts = artists.counted[sample.width] = _Counts(sample, view)
        lengths, heights = counts.outline()
        places = sample.width * _STEP ** (_FOOT + _REACH * heights)
        outlines.append(np.column_stack([places, lengths]))
        artists.above += counts.above
        beyond += [sample.width * _STEP ** (_FOOT + _REACH / 2)] if counts.above else []
    artists.bars.set_path(polygons(outlines))
    artists.beyond.set_data(beyond, [high] * len(beyond))
    centre, shown = data.predicted, [] if math.isinf(data.predicted) else [data.predicted]
    artists.limit.set_data(_ENDS[: 2 * len(shown)], 2 * shown)
    ends = [min(max(end, low), high) for end in (centre - data.eps, centre + data.eps) if shown]
    artists.band.set_path(polygons([box(*_ENDS, *ends)] if ends and ends[1] > ends[0] else []))
    marked = [] if data.chosen is None else [data.chosen]
    columns = [box(n * _STEP**-0.08, n * _STEP**0.92, low, high) for n in marked]
    artists.chosen.set_path(polygons(columns))
    least = data.required
    least = least if least is not None and _ENDS[0] < least < _ENDS[1] else None
    artists.narrowest.set_data(*(([], []) if least is None else ([least] * 2, [low, high])))


def _update_chance(artists: WidthsArtists, data: WidthsData) -> None:
    theory, least = data.theory, data.required
    right = _ENDS[1]
    if least is not None and right / 2 < least < _FARTHEST / 10:
        right = 10.0 ** math.ceil(math.log10(2 * least))
    if set_limits(artists.chance, "x", (_ENDS[0], right), log=True) or not data.samples:
        _set_ticks(artists)
    artists.level.set_data([_ENDS[0], right], [1 - data.delta] * 2)
    artists.theory.set_data(*((theory.widths, theory.probabilities) if theory else ([], [])))
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
    for axes in (artists.lengths, artists.chance):
        axes.xaxis.set_major_locator(LogLocator(numticks=6))
        axes.xaxis.set_minor_locator(NullLocator())


class _LengthAxis:
    """Limits, scale and bins of the lengths of one layer."""

    def __init__(self, data: WidthsData, floor: "_LengthAxis | None" = None) -> None:
        self.by_width, self.layer, self.experiment = data.samples, data.layer, data.experiment
        self.seen = self._drawn()
        low, high, top = self._range(data.predicted)
        if floor is not None:
            low, high, top = min(low, floor.low), max(high, floor.high), max(top, floor.top)
        self.low, self.high, self.top = low, high, top
        self.log = high > _LOG_FROM * low or (floor is not None and floor.log)
        self.limits = (0.0, round_up(1.04 * top))
        if self.log:
            bottom, top = math.floor(math.log10(low)), math.ceil(math.log10(max(high, top)))
            self.limits = 10.0**bottom, 10.0 ** max(top, bottom + 1)

    def _drawn(self) -> int:
        return sum(sample.drawn for sample in self.by_width)

    def serves(self, data: WidthsData) -> bool:
        """Whether it was made for this layer of these networks."""
        return self.by_width is data.samples and self.layer == data.layer

    def is_fresh(self) -> bool:
        """Whether it needs no second look: not until a third more networks are there."""
        return self._drawn() < max(1.33 * self.seen, self.seen + 40)

    def _range(self, predicted: float) -> tuple[float, float, float]:
        """Give the least and largest typical length, and what the narrowest networks come to.

        These decide the top of an axis and not its scale: they would flatten all others.
        """
        typical, extreme = [predicted], []
        for sample in self.by_width:
            if sample.drawn:
                q = sample.lengths[:, self.layer - 1]
                ends = np.quantile(q, [0.1, 0.9, 0.99], method="inverted_cdf").tolist()
                typical += ends[:2] if sample.width >= _TYPICAL else []
                extreme.append(ends[2])
        known = [q for q in typical if 0 < q < math.inf] or [1.0]
        low, high = min(known), min(max(*known, _LEAST), _MOST)
        low = min(max(low, _LEAST, high * 1e-280), high)
        ends = [q for q in extreme if q < math.inf] or [2 * high]
        return low, high, min(max(high, *ends), _BEYOND * high)

    def bins(self, width: int) -> Bins:
        """Fine enough for the shape of a narrow histogram, as far as pixels go."""
        low, high = self.limits
        ends = band_at(self.experiment.band, self.layer)
        number = _FEWEST_BINS
        if len(ends) == 2 and 0 < ends[0] < ends[1] < math.inf:
            spread = math.log(ends[1] / ends[0]) * math.sqrt(self.experiment.width / width)
            span = math.log(high / low) if self.log else (high - low) / math.sqrt(ends[0] * ends[1])
            number = int(min(max(18 * span / spread, number), _MOST_BINS))
        return Bins(low, high, number, self.log)


class _Counts:
    """Counts of one width's networks in bins, kept up to date by counting new ones only."""

    def __init__(self, sample: WidthSample, view: _LengthAxis) -> None:
        self.sample, self.layer, self.bins = sample, view.layer, view.bins(sample.width)
        self.counts: NDArray[np.intp] = np.zeros(self.bins.number, dtype=np.intp)
        self.seen = self.above = 0

    def serves(self, sample: WidthSample, view: _LengthAxis) -> bool:
        """Whether it counts just this."""
        same = self.sample is sample and self.layer == view.layer
        return same and self.bins == view.bins(sample.width)

    def outline(self) -> tuple[Array, Array]:
        """Corners of the staircase around the counts, highest bin 1; none of empty stretches."""
        new = self.sample.lengths[self.seen :, self.layer - 1]
        self.counts += self.bins.count(new)
        self.above += int((new >= self.bins.high).sum())
        self.seen += len(new)
        heights = np.concatenate([[0], self.counts, [0]]) / max(self.counts.max(), 1)
        turns = np.flatnonzero(np.diff(heights))
        corners = np.column_stack([heights[turns], heights[turns + 1]])
        return np.repeat(self.bins.edges[turns], 2), corners.ravel()
