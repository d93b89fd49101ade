"""The lab's picture: histograms of sampled lengths beside the predicted curve.

`draw_lab` makes the artists, `update_lab` moves them; the same picture serves the screen, the
stored notebook and the page. No pyplot, no global style.
"""

import math
import textwrap
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.layout_engine import ConstrainedLayoutEngine
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

from lengthlab.activations import Array
from lengthlab.convergence import LEVEL, Bins, Experiment
from lengthlab.drawing.limits import Limits, band_at
from lengthlab.drawing.tally import Tally
from lengthlab.finite_width import Band

# Okabe & Ito's blue and vermilion, apart for colour-blind readers. In grey print the band is light,
# the bars, half transparent, are in the middle, and the curve and the predicted line are dark.
INK, BAR, BAND, CURVE, CHOSEN = "#1b1f24", "#0072b2", "#d7e6f2", "#d55e00", "#eceae4"
SCALES = ("auto", "linear", "log")
_BAR_FOOT, _BAR_REACH = 0.06, 0.72
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
    arrangement: tuple[int, bool] = (0, False)  # columns of the legend, axes one above the other
    view: Limits | None = None
    tallies: list[Tally] = field(default_factory=list)
    detail_tally: Tally | None = None

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
    # Room beside the axes: tick labels change after the layout was made.
    layout = ConstrainedLayoutEngine(w_pad=0.15, wspace=0.03)
    figure = Figure(figsize=(9.6, 4.6), dpi=100, layout=layout)
    main, detail = figure.subplots(1, 2, width_ratios=[2.5, 1])
    artists = LabArtists(
        figure=figure,
        main=main,
        detail=detail,
        chosen=_patch(main, CHOSEN, 0),
        band=_patch(main, BAND, 1),
        bars=_patch(main, BAR, 2, alpha=0.45),
        curve=_line(main, "-o", CURVE, 4, lw=2, ms=5.5, mec="white", mew=0.8),
        beyond=_line(main, "^", BAR, 3, ms=7, mec="white", mew=0.8, clip_on=False),
        detail_band=_patch(detail, BAND, 1),
        detail_bars=_patch(detail, BAR, 2, alpha=0.45),
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


def arrange_lab(artists: LabArtists, css_width: float = 960) -> float | None:
    """Fit the picture to a page: on a narrow one the two axes stand one above the other.

    Parameters
    ----------
    artists : LabArtists
    css_width : float
        Width of the picture on the page, in CSS pixels.

    Returns
    -------
    float or None
        Height of the picture divided by its width; None if it is arranged so already.
    """
    columns = 4 if css_width >= 800 else 2 if css_width >= 440 else 1
    narrow = css_width < 640
    if artists.arrangement == (columns, narrow):
        return None
    artists.arrangement = columns, narrow
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
        ncols=columns,
        frameon=False,
        fontsize=9 if columns > 1 else 8,
        handlelength=1.6,
        columnspacing=1.6,
    )
    caption_lab(artists, "")
    return {4: 0.48, 2: 1.3 if narrow else 0.52, 1: 1.7}[columns]


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
        view = artists.view = Limits(experiment, scale)
    elif not view.is_fresh():
        view = artists.view = Limits(experiment, scale, floor=view)
    _update_main(artists, view)
    _update_chosen(artists, view, layer)
    _update_detail(artists, view, layer)


def caption_lab(artists: LabArtists, text: str) -> None:
    """Write what the picture shows above it: for pictures that stand without controls."""
    # Blanks keep the place, for the layout is made once.
    lines = 1 if artists.arrangement[0] == 4 else 2 if artists.arrangement[0] == 2 else 3
    words = textwrap.fill(text, int(14 * artists.figure.get_figwidth()), max_lines=lines)
    artists.main.set_title(words or "\n".join(lines * " "), loc="left", fontsize=9, color=INK)


def save_lab(path: str | FilePath, experiment: Experiment, *, caption: str = "") -> None:
    """Write the lab's picture to a file; its suffix chooses the format (png, svg, pdf)."""
    artists = draw_lab(experiment)
    caption_lab(artists, caption)
    artists.figure.savefig(path, dpi=150)


# --- each axes ------------------------------------------------------------------------------------


def _update_main(artists: LabArtists, view: Limits) -> None:
    experiment = view.experiment
    depth = experiment.depth
    _set_limits(artists.main, "x", (0.5, depth + 0.95), log=False)
    _set_limits(artists.main, "y", view.limits, log=view.log)
    first = artists.tallies[0] if artists.tallies else None
    if first is None or not first.serves(experiment, 1, view.main_bins(1)):
        artists.tallies = [Tally(experiment, k, view.main_bins(k)) for k in range(1, depth + 1)]
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


def _update_chosen(artists: LabArtists, view: Limits, layer: int) -> None:
    artists.chosen.set_path(_polygons([_box(layer - 0.12, layer + 0.86, *view.limits)]))


def _update_detail(artists: LabArtists, view: Limits, layer: int) -> None:
    experiment, bins = view.experiment, view.detail_bins(layer)
    tally = artists.detail_tally
    if tally is None or not tally.serves(experiment, layer, bins):
        tally = artists.detail_tally = Tally(experiment, layer, bins)
    if _set_limits(artists.detail, "x", (bins.low, bins.high), log=bins.log):
        _set_few_ticks(artists.detail, bins)
    label = f"length of layer {layer}"
    if artists.detail.get_xlabel() != label:
        artists.detail.set_xlabel(label)
    artists.detail_bars.set_path(_polygons([np.column_stack(tally.outline())]))
    ends = [min(max(end, bins.low), bins.high) for end in band_at(experiment.band, layer)]
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


def _set_limits(axes: Axes, which: str, limits: tuple[float, float], *, log: bool) -> bool:
    """Change what differs only: each change makes the axes' still part stale. True if any did."""
    scale = "log" if log else "linear"
    rescaled = getattr(axes, f"get_{which}scale")() != scale
    if rescaled:
        getattr(axes, f"set_{which}scale")(scale)
    moved = tuple(getattr(axes, f"get_{which}lim")()) != limits
    if moved:
        getattr(axes, f"set_{which}lim")(*limits)
    return rescaled or moved


def _set_few_ticks(axes: Axes, bins: Bins) -> None:
    """Label few numbers, and plainly: the axis is short."""
    if not bins.log:
        axes.xaxis.set_major_locator(MaxNLocator(4))
        return
    decades = math.log10(bins.high) - math.log10(bins.low)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 3) if decades < 2 else (1,), numticks=5))
    axes.xaxis.set_minor_formatter(NullFormatter())
    if decades < 4:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    else:
        axes.xaxis.set_major_formatter(LogFormatterMathtext())
