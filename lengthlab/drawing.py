"""The lab's picture: histograms of sampled lengths beside the predicted curve.

`draw_lab` makes the artists, `update_lab` moves them; the same picture serves the screen, the
stored notebook and the page. No pyplot, no global style.
"""

import math
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from lengthlab.activations import Array
from lengthlab.convergence import LEVEL, Bins, Experiment
from lengthlab.finite_width import Band

# Okabe & Ito's blue and vermilion: apart for colour-blind readers; in grey print the band is light,
# the bars are dark and the curve is the line with white-rimmed dots.
INK, BAR, BAND, CURVE, CHOSEN = "#1b1f24", "#0072b2", "#d7e6f2", "#d55e00", "#eceae4"
SCALES = ("auto", "linear", "log")
_ROUND = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_BAR_FOOT, _BAR_REACH = 0.06, 0.72
_LOG_FROM = 30.0  # ratio of the largest to the smallest length from which the axis is logarithmic
_DETAIL_BINS = 60
_PATIENCE = 0.02
_EMPTY = Path(np.empty((0, 2)))


@dataclass
class LabArtists:
    """The lab's axes and artists; made by `draw_lab`, moved by `update_lab`."""

    figure: Figure
    main: Axes
    detail: Axes
    chosen: PathPatch
    band: PathPatch
    bars: PathPatch
    curve: Line2D
    beyond: Line2D
    detail_band: PathPatch
    detail_bars: PathPatch
    predicted: Line2D
    quantiles: Line2D
    view: "_View | None" = None
    tallies: list["_Tally"] = field(default_factory=list)
    detail_tally: "_Tally | None" = None

    @property
    def moving(self) -> tuple[Artist, ...]:
        """The artists that `update_lab` moves, lowest first."""
        return (
            self.chosen,
            self.band,
            self.bars,
            self.curve,
            self.beyond,
            self.detail_band,
            self.detail_bars,
            self.predicted,
            self.quantiles,
        )


def draw_lab(
    experiment: Experiment, *, layer: int | None = None, scale: str = "auto"
) -> LabArtists:
    """Draw the lab's picture on a new figure.

    Parameters
    ----------
    experiment : Experiment
        Networks and their prediction.
    layer : int, optional
        The layer shown large, from 1; the last one if not given.
    scale : {"auto", "linear", "log"}
        Of the length axes; "auto" decides by the data.

    Returns
    -------
    LabArtists

    Examples
    --------
    >>> from lengthlab.network import Network
    >>> picture = draw_lab(Experiment(Network("tanh"), width=64, depth=5))
    >>> picture.main.get_xlabel()
    'layer'
    """
    figure = Figure(figsize=(9.6, 4.6), dpi=100, layout="constrained")
    main, detail = figure.subplots(1, 2, width_ratios=[2.5, 1])
    artists = LabArtists(
        figure=figure,
        main=main,
        detail=detail,
        chosen=_patch(main, CHOSEN, 0),
        band=_patch(main, BAND, 1),
        bars=_patch(main, BAR, 2, alpha=0.75),
        curve=_line(main, "-o", CURVE, 4, lw=2, ms=5.5, mec="white", mew=0.8),
        beyond=_line(main, "^", BAR, 3, ms=7, mec="white", mew=0.8, clip_on=False),
        detail_band=_patch(detail, BAND, 1),
        detail_bars=_patch(detail, BAR, 2, alpha=0.75),
        predicted=_line(detail, "-", CURVE, 4, lw=2),
        quantiles=_line(detail, "^", INK, 5, ms=7, mec="white", mew=0.8, clip_on=False),
    )
    main.set(xlabel="layer", ylabel=r"length  $q_\ell = |h_\ell|^2 / N$")
    main.xaxis.set_major_locator(MaxNLocator(integer=True))
    main.spines[["top", "right"]].set_visible(False)
    detail.set(ylim=(0, 1.08), yticks=[])
    detail.spines[["top", "right", "left"]].set_visible(False)
    for artist in artists.moving:
        artist.set_in_layout(False)  # the axes hold them; where they are must not move the axes
    arrange_lab(artists)
    update_lab(artists, experiment, layer=layer, scale=scale)
    return artists


def arrange_lab(artists: LabArtists, css_width: float = 960) -> float:
    """Fit the picture to a page: on a narrow one the two axes stand one above the other.

    Parameters
    ----------
    artists : LabArtists
    css_width : float
        Width of the picture on the page, in CSS pixels.

    Returns
    -------
    float
        Height of the picture divided by its width.
    """
    narrow = css_width < 640
    if narrow:
        grid = GridSpec(2, 1, artists.figure, height_ratios=[1.6, 1])
    else:
        grid = GridSpec(1, 2, artists.figure, width_ratios=[2.5, 1])
    artists.main.set_subplotspec(grid[0])
    artists.detail.set_subplotspec(grid[1])
    for old in list(artists.figure.legends):
        old.remove()
    artists.figure.legend(
        [artists.band, artists.bars, artists.curve, artists.quantiles],
        [
            f"{100 * LEVEL:.0f} % at this width",
            "sampled networks",
            "length map (infinite width)",
            "5, 50, 95 % of the sample",
        ],
        loc="outside upper center",
        ncols=4 if css_width >= 800 else 2,
        frameon=False,
        fontsize=9 if css_width >= 500 else 8,
        handlelength=1.6,
        columnspacing=1.6,
    )
    return 1.3 if narrow else 0.48


def update_lab(
    artists: LabArtists, experiment: Experiment, *, layer: int | None = None, scale: str = "auto"
) -> None:
    """Move the lab's artists to the present data; limits change in round steps.

    Parameters
    ----------
    artists : LabArtists
        From `draw_lab`.
    experiment, layer, scale
        As in `draw_lab`.
    """
    layer = experiment.depth if layer is None else layer
    view = artists.view
    if view is None or not view.serves(experiment, scale):
        view = artists.view = _View(experiment, scale)
    elif not view.is_fresh():
        view = artists.view = _View(experiment, scale, floor=view)
    _update_main(artists, view)
    _update_chosen(artists, view, layer)
    _update_detail(artists, view, layer)


def caption_lab(artists: LabArtists, text: str) -> None:
    """Write what the picture shows above it: for pictures that stand without controls."""
    artists.main.set_title(text, loc="left", fontsize=10, color=INK)


def save_lab(path: str | FilePath, experiment: Experiment, *, caption: str = "") -> None:
    """Write the lab's picture to a file; its suffix chooses the format (png, svg, pdf)."""
    artists = draw_lab(experiment)
    caption_lab(artists, caption)
    artists.figure.savefig(path, dpi=150)


# --- limits --------------------------------------------------------------------------------------


class _View:
    """Axis limits, scale and bins for an experiment as far as it has come."""

    def __init__(self, experiment: Experiment, asked: str, floor: "_View | None" = None) -> None:
        self.experiment, self.asked = experiment, asked
        self.seen = experiment.drawn
        low, high = _range(experiment, slice(None))
        if floor is not None:
            low, high = min(low, floor.low), max(high, floor.high)
        self.low: float = low
        self.high: float = high
        wide = high > _LOG_FROM * low or (floor is not None and floor.log)
        self.log: bool = low > 0 and (asked == "log" or (asked == "auto" and wide))
        self.limits = _log_limits(low, high) if self.log else (0.0, _round_up(1.04 * high))
        self._detail: dict[int, Bins] = {}

    def serves(self, experiment: Experiment, scale: str) -> bool:
        """Whether it was made for this experiment and scale."""
        return self.experiment is experiment and self.asked == scale

    def is_fresh(self) -> bool:
        """Whether the limits need no second look: not until a third more networks are there."""
        return self.experiment.drawn < max(1.33 * self.seen, self.seen + 20)

    def main_bins(self, layer: int) -> Bins:
        """Bins of one layer in the main picture: fine enough for the shape of a narrow one."""
        low, high = self.limits
        ends = [low, high, *_band_at(self.experiment.band, layer)]
        if self.log:
            ends = [math.log(end) if end > 0 else -math.inf for end in ends]
        number = 90
        if len(ends) == 4 and 0 < ends[3] - ends[2] < math.inf:
            share = (ends[3] - ends[2]) / (ends[1] - ends[0])
            number = int(min(max(18 / share, number), 20_000))
        return Bins(low, high, number, self.log)

    def detail_bins(self, layer: int) -> Bins:
        """Bins of the layer that is shown large; their limits are those of its axis."""
        if layer not in self._detail:
            low, high = _detail_limits(self.experiment, layer, log=self.log)
            log = self.log and high > 3 * low > 0
            self._detail[layer] = Bins(low, high, _DETAIL_BINS, log)
        return self._detail[layer]


def _range(experiment: Experiment, layers: slice) -> tuple[float, float]:
    """Smallest and largest length to show: prediction, band, and nearly all sampled lengths.

    The few that are farther than a factor of 10^4 from all that is typical are left to the mark at
    the axis' end, or one exploding network would flatten all others.
    """
    band = experiment.band
    typical = [experiment.prediction.values[layers], band.lower[layers], band.upper[layers]]
    lengths = experiment.lengths[:, layers]
    tails = np.empty(0)
    if len(lengths):
        quantiles = np.quantile(lengths, [0.002, 0.25, 0.75, 0.998], axis=0, method="inverted_cdf")
        typical += [quantiles[1], quantiles[2]]
        tails = quantiles[[0, 3]].ravel()
    core = _positive(np.concatenate(typical))
    if not len(core):
        return 0.0, 1.0
    low, high = float(core.min()), float(core.max())
    tails = _positive(tails)
    if len(tails):
        low = min(low, max(float(tails.min()), 1e-4 * low))
        high = max(high, min(float(tails.max()), 1e4 * high))
    return low, high


def _positive(values: Array) -> Array:
    return values[np.isfinite(values) & (values > 0)]


def _band_at(band: Band, layer: int) -> list[float]:
    """Give the ends of the band at a layer; none where it has none."""
    return [float(end[layer - 1]) for end in (band.lower, band.upper) if layer <= len(end)]


def _round_up(x: float) -> float:
    """Smallest round number that is not below `x`."""
    power = 10.0 ** math.floor(math.log10(x))
    return next((r * power for r in _ROUND if r * power >= x), 10 * power)


def _log_limits(low: float, high: float) -> tuple[float, float]:
    bottom = 10.0 ** max(math.floor(math.log10(low)), -307)
    top = 10.0 ** min(math.ceil(math.log10(high)), 308)
    return bottom, top if top > bottom else 10 * bottom


def _detail_limits(experiment: Experiment, layer: int, *, log: bool) -> tuple[float, float]:
    """Limits of one layer's lengths, on a grid of round steps."""
    low, high = _range(experiment, slice(layer - 1, layer))
    if log and high > 3 * low > 0:
        quarters = math.floor(4 * math.log10(low)), math.ceil(4 * math.log10(high))
        return 10 ** (quarters[0] / 4), 10 ** (quarters[1] / 4)
    room = 0.15 * (high - low) if high > low else 0.1 * high
    step = _round_up((high - low + 2 * room) / 6)
    return max(0.0, step * math.floor((low - room) / step)), step * math.ceil((high + room) / step)


# --- histograms ----------------------------------------------------------------------------------


class _Tally:
    """Counts of one layer in bins, kept up to date by counting new networks only."""

    def __init__(self, experiment: Experiment, layer: int, bins: Bins) -> None:
        self.experiment, self.layer, self.bins = experiment, layer, bins
        self.edges = bins.edges
        self.counts: NDArray[np.intp] = np.zeros(bins.number, dtype=np.intp)
        self.seen = self.above = 0

    def serves(self, experiment: Experiment, layer: int, bins: Bins) -> bool:
        """Whether it counts just this."""
        return (self.experiment, self.layer, self.bins) == (experiment, layer, bins)

    def outline(self) -> tuple[Array, Array]:
        """Staircase around the counts, highest bin 1: lengths and heights, corner by corner."""
        new = self.experiment.lengths[self.seen :, self.layer - 1]
        self.counts += self.bins.count(new)
        self.above += int((new >= self.bins.high).sum())
        self.seen += len(new)
        filled = np.flatnonzero(self.counts)
        if not len(filled):
            return np.empty(0), np.empty(0)
        first, last = int(filled[0]), int(filled[-1]) + 1
        heights = self.counts[first:last] / self.counts.max()
        lengths = np.repeat(self.edges[first : last + 1], 2)
        return lengths, np.concatenate([[0.0], np.repeat(heights, 2), [0.0]])


def _update_main(artists: LabArtists, view: _View) -> None:
    experiment = view.experiment
    depth = experiment.depth
    _set_limits(artists.main, "x", (0.5, depth + 0.95), log=False)
    _set_limits(artists.main, "y", view.limits, log=view.log)
    first = artists.tallies[0] if artists.tallies else None
    if first is None or not first.serves(experiment, 1, view.main_bins(1)):
        artists.tallies = [_Tally(experiment, k, view.main_bins(k)) for k in range(1, depth + 1)]
    shapes = []
    for tally in artists.tallies:
        lengths, heights = tally.outline()
        shapes.append(np.column_stack([tally.layer + _BAR_FOOT + _BAR_REACH * heights, lengths]))
    artists.bars.set_path(_polygons(shapes))
    above = [tally.layer + _BAR_REACH / 2 for tally in artists.tallies if tally.above]
    artists.beyond.set_data(above, [view.limits[1]] * len(above))
    layers = np.arange(1.0, depth + 1)
    values = experiment.prediction.values
    artists.curve.set_data(layers, np.where(np.isfinite(values), values, np.nan))
    artists.band.set_path(_polygons([_band_outline(experiment.band, view.limits)]))


def _band_outline(band: Band, limits: tuple[float, float]) -> Array:
    layers = np.arange(1.0, len(band.lower) + 1)
    lower, upper = np.clip(band.lower, *limits), np.clip(band.upper, *limits)
    if len(layers) == 1:  # a band needs some width
        layers, lower, upper = np.array([1.0, 1.8]), np.repeat(lower, 2), np.repeat(upper, 2)
    across = np.concatenate([layers, layers[::-1]])
    return np.column_stack([across, np.concatenate([lower, upper[::-1]])])


def _update_chosen(artists: LabArtists, view: _View, layer: int) -> None:
    artists.chosen.set_path(_polygons([_box(layer - 0.12, layer + 0.86, *view.limits)]))


def _update_detail(artists: LabArtists, view: _View, layer: int) -> None:
    experiment, bins = view.experiment, view.detail_bins(layer)
    tally = artists.detail_tally
    if tally is None or not tally.serves(experiment, layer, bins):
        tally = artists.detail_tally = _Tally(experiment, layer, bins)
    _set_limits(artists.detail, "x", (bins.low, bins.high), log=bins.log)
    label = f"length of layer {layer}"
    if artists.detail.get_xlabel() != label:
        artists.detail.set_xlabel(label)
    artists.detail_bars.set_path(_polygons([np.column_stack(tally.outline())]))
    ends = [min(max(end, bins.low), bins.high) for end in _band_at(experiment.band, layer)]
    artists.detail_band.set_path(_polygons([_box(ends[0], ends[1], 0.0, 1.0)] if ends else []))
    numbers = experiment.summary(layer, patience=_PATIENCE)
    shown = [q for q in [numbers.predicted] if bins.low <= q <= bins.high]
    artists.predicted.set_data(2 * shown, [0.0, 1.0][: 2 * len(shown)])
    marks = [q for q in (numbers.low, numbers.median, numbers.high) if bins.low <= q <= bins.high]
    artists.quantiles.set_data(marks, [0.0] * len(marks))


# --- small things --------------------------------------------------------------------------------


def _patch(axes: Axes, colour: str, zorder: float, **more: float) -> PathPatch:
    patch = PathPatch(_EMPTY, facecolor=colour, linewidth=0, zorder=zorder, **more)
    axes.add_artist(patch)
    return patch


def _line(axes: Axes, style: str, colour: str, zorder: float, **more: Any) -> Line2D:
    (line,) = axes.plot([], [], style, color=colour, zorder=zorder, **more)
    return line


def _box(left: float, right: float, low: float, high: float) -> Array:
    return np.array([[left, low], [left, high], [right, high], [right, low]])


def _polygons(shapes: list[Array]) -> Path:
    """One path for all closed outlines, each (corners, 2)."""
    vertices, codes = [], []
    for shape in shapes:
        if len(shape):
            vertices += [shape, shape[:1]]
            code = np.full(len(shape) + 1, Path.LINETO, dtype=np.uint8)
            code[0], code[-1] = Path.MOVETO, Path.CLOSEPOLY
            codes.append(code)
    if not vertices:
        return _EMPTY
    return Path(np.concatenate(vertices), np.concatenate(codes))


def _set_limits(axes: Axes, which: str, limits: tuple[float, float], *, log: bool) -> None:
    """Change what differs only: each change makes the axes' still part stale."""
    scale = "log" if log else "linear"
    if getattr(axes, f"get_{which}scale")() != scale:
        getattr(axes, f"set_{which}scale")(scale)
    if tuple(getattr(axes, f"get_{which}lim")()) != limits:
        getattr(axes, f"set_{which}lim")(*limits)
