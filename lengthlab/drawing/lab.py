"""The lab's picture: histograms of sampled lengths beside the predicted curve.

`draw_lab` makes the artists, `update_lab` moves them; the same picture serves the screen, the
stored notebook and the page. No pyplot, no global style.
"""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.ticker import MaxNLocator

from lengthlab.activations import Array
from lengthlab.convergence import LEVEL, NO_BAND, Bins, Experiment
from lengthlab.drawing.limits import Limits, band_at
from lengthlab.drawing.parts import (
    BAND,
    BAR,
    CHOSEN,
    CURVE,
    INK,
    LAW,
    PATIENCE,
    band_between,
    box,
    label_apart,
    label_below,
    line,
    patch,
    polygons,
    set_few_ticks,
    set_limits,
    write_above,
)
from lengthlab.drawing.tally import PLAIN, Backdrop, Shapes, Tally
from lengthlab.finite_width import Band

SCALES = ("auto", "linear", "log")
_BAR_FOOT, _BAR_REACH = 0.06, 0.72


class Arrangement(NamedTuple):
    """How the picture is fitted to a page."""

    rows: int  # of the legend
    columns: int  # at the most
    narrow: bool  # one axes above the other
    shown: tuple[str, ...]
    alone: bool  # the main axes


@dataclass
class LabArtists:
    """The lab's axes and artists; made by `draw_lab`, moved by `update_lab`."""

    figure: Figure
    main: Axes
    detail: Axes
    chosen: PathPatch
    band: PathPatch
    bars: PathPatch
    law: PathPatch
    dense: PathPatch
    curve: Line2D
    beyond: Line2D
    detail_band: PathPatch
    detail_bars: PathPatch
    detail_law: PathPatch
    detail_dense: PathPatch
    predicted: Line2D
    quantiles: Line2D
    arrangement: Arrangement | None = None
    view: Limits | None = None
    tallies: dict[Experiment, list[Tally]] = field(default_factory=dict)
    detail_tallies: dict[str, Tally] = field(default_factory=dict)
    shapes: Shapes | None = None
    above: int = 0  # sampled lengths beyond the axis

    @property
    def moving(self) -> tuple[Artist, ...]:
        """The artists that `update_lab` moves, lowest first."""
        return (
            self.chosen,
            self.band,
            self.bars,
            self.law,
            self.dense,
            self.curve,
            self.beyond,
            self.detail_band,
            self.detail_bars,
            self.detail_law,
            self.detail_dense,
            self.predicted,
            self.quantiles,
        )


def draw_lab(
    experiment: Experiment,
    *,
    layer: int | None = None,
    scale: str = "auto",
    beside: Backdrop = PLAIN,
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
    beside : Backdrop
        The band, the exact law, networks with weight matrices.

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
        chosen=patch(main, CHOSEN, 0),
        band=patch(main, BAND, 1),
        bars=patch(main, BAR, 2, alpha=0.45),
        law=_outline(main, LAW, 2.5, linestyle=(0, (3, 1.5))),
        dense=_outline(main, INK, 3),
        curve=line(main, "-o", CURVE, 4, lw=2, ms=5.5, mec="white", mew=0.8),
        beyond=line(main, "^", BAR, 3, ms=7, mec="white", mew=0.8, clip_on=False),
        detail_band=patch(detail, BAND, 1),
        detail_bars=patch(detail, BAR, 2, alpha=0.45),
        detail_law=_outline(detail, LAW, 2.5, linestyle=(0, (3, 1.5))),
        detail_dense=_outline(detail, INK, 3),
        predicted=line(detail, "-", CURVE, 4, lw=2),
        quantiles=line(detail, "^", INK, 5, ms=7, mec="white", mew=0.8, clip_on=False),
    )
    label_below(main, "layer")
    label_apart(main, r"length  $q_\ell = |h_\ell|^2 / N$", 0.48)
    main.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    main.spines[["top", "right"]].set_visible(False)
    detail.set(ylim=(0, 1.08), yticks=[])
    detail.spines[["top", "right", "left"]].set_visible(False)
    for artist in artists.moving:
        artist.set_in_layout(False)  # the axes hold them; where they are must not move the axes
    arrange_lab(artists)
    update_lab(artists, experiment, layer=layer, scale=scale, beside=beside)
    return artists


def arrange_lab(
    artists: LabArtists,
    css_width: float = 960,
    shown: Sequence[str] = ("band",),
    *,
    compact: bool = False,
) -> float | None:
    """Fit the picture to a page: on a narrow one the two axes stand one above the other.

    Parameters
    ----------
    artists : LabArtists
    css_width : float
        Width of the picture on the page, in CSS pixels.
    shown : sequence of {"band", "law", "dense"}
        What the legend names beside the samples and the length map.
    compact : bool
        On a narrow page the main axes stand alone, and without room for a caption.

    Returns
    -------
    float or None
        Height of the picture divided by its width; None if it is arranged so already.
    """
    narrow = css_width < 640
    alone = narrow and compact
    labels = {
        artists.band: f"{100 * LEVEL:.0f} % at this width" if "band" in shown else "",
        artists.law: "law at this width" if "law" in shown else "",
        artists.bars: "sampled networks",
        artists.dense: "with weight matrices" if "dense" in shown else "",
        artists.curve: "length map (infinite width)",
        artists.quantiles: "" if alone else "5, 50, 95 % of the sample",
    }
    labels = {artist: label for artist, label in labels.items() if label}
    most = 5 if css_width >= 900 else 3 if css_width >= 560 else 2 if css_width >= 440 else 1
    rows = math.ceil(len(labels) / most)
    arrangement = Arrangement(rows, most, narrow, tuple(shown), alone)
    if artists.arrangement == arrangement:
        return None
    artists.arrangement = arrangement
    artists.detail.set_visible(not alone)
    if alone:
        grid = GridSpec(1, 1, artists.figure)
    elif narrow:
        grid = GridSpec(2, 1, artists.figure, height_ratios=[1.6, 1])
    else:
        grid = GridSpec(1, 2, artists.figure, width_ratios=[2.5, 1])
    artists.main.set_subplotspec(grid[0])
    artists.detail.set_subplotspec(grid[-1])
    for old in list(artists.figure.legends):
        old.remove()
    artists.figure.legend(
        list(labels),
        list(labels.values()),
        loc="outside upper center",
        ncols=math.ceil(len(labels) / rows),
        frameon=False,
        fontsize=9 if most > 1 else 8,
        handlelength=1.6,
        columnspacing=1.6,
    )
    caption_lab(artists, "")
    if alone:
        return 0.72
    return (1.22 if narrow else 0.46) + rows * (0.1 if most == 1 else 0.04 if narrow else 0.02)


def update_lab(
    artists: LabArtists,
    experiment: Experiment,
    *,
    layer: int | None = None,
    scale: str = "auto",
    beside: Backdrop = PLAIN,
) -> None:
    """Move the lab's artists to the present data; limits change in round steps.

    Parameters
    ----------
    artists : LabArtists
        From `draw_lab`.
    experiment, layer, scale, beside
        As in `draw_lab`.
    """
    layer = experiment.depth if layer is None else layer
    view = artists.view
    if view is None or not view.serves(experiment, scale):
        view = artists.view = Limits(experiment, scale)
    elif not view.is_fresh():
        view = artists.view = Limits(experiment, scale, floor=view)
    if artists.shapes is None or artists.shapes.law is not beside.law:
        artists.shapes = None if beside.law is None else Shapes(beside.law)
    _update_main(artists, view, beside)
    _update_chosen(artists, view, layer)
    _update_detail(artists, view, layer, beside)


def caption_lab(artists: LabArtists, text: str) -> None:
    """Write what the picture shows above it: for pictures that stand without controls."""
    # Blanks keep the place, for the layout is made once.
    if artists.arrangement is None or artists.arrangement.alone:
        lines = 1
    else:
        lines = {5: 1, 3: 2, 2: 2, 1: 3}[artists.arrangement.columns]
    words = textwrap.fill(text, int(14 * artists.figure.get_figwidth() - 11), max_lines=lines)
    write_above(artists.main, words or "\n".join(lines * " "))


def save_lab(path: str | FilePath, experiment: Experiment, *, caption: str = "") -> None:
    """Write the lab's picture to a file; its suffix chooses the format (png, svg, pdf)."""
    artists = draw_lab(experiment)
    caption_lab(artists, caption)
    artists.figure.savefig(path, dpi=150)


# --- each axes ------------------------------------------------------------------------------------


def _update_main(artists: LabArtists, view: Limits, beside: Backdrop) -> None:
    experiment = view.experiment
    depth = experiment.depth
    set_limits(artists.main, "x", (0.5, depth + 0.95))
    set_limits(artists.main, "y", view.limits, log=view.log)
    tallies = _tallies(artists, experiment, view)
    artists.bars.set_path(polygons([_beside_layer(t.layer, *t.outline()) for t in tallies]))
    matrices = _tallies(artists, beside.dense, view) if beside.dense else []
    scaled = [(t.layer, *t.outline(like=bars)) for t, bars in zip(matrices, tallies, strict=False)]
    artists.dense.set_path(polygons([_beside_layer(*corners) for corners in scaled]))
    shapes = artists.shapes
    laws = [_beside_layer(t.layer, *shapes.outline(t)) for t in tallies] if shapes else []
    artists.law.set_path(polygons(laws))
    artists.above = sum(tally.above for tally in tallies)
    above = [tally.layer + _BAR_REACH / 2 for tally in tallies if tally.above]
    artists.beyond.set_data(above, [view.limits[1]] * len(above))
    layers = np.arange(1.0, depth + 1)
    values = experiment.prediction.values
    artists.curve.set_data(layers, np.where(np.isfinite(values), values, np.nan))
    band = experiment.band if beside.band else NO_BAND
    artists.band.set_path(polygons([_band_outline(band, view.limits)]))


def _tallies(artists: LabArtists, experiment: Experiment, view: Limits) -> list[Tally]:
    """One a layer, kept from frame to frame."""
    kept = artists.tallies.get(experiment, [])
    if not kept or not kept[0].serves(experiment, 1, view.main_bins(1)):
        # Of no other experiment: those of an earlier generation would never be asked for again.
        shown = (view.experiment, experiment)
        artists.tallies = {e: t for e, t in artists.tallies.items() if e in shown}
        layers = range(1, experiment.depth + 1)
        kept = [Tally(experiment, layer, view.main_bins(layer)) for layer in layers]
        artists.tallies[experiment] = kept
    return kept


def _beside_layer(layer: int, lengths: Array, heights: Array) -> Array:
    return np.column_stack([layer + _BAR_FOOT + _BAR_REACH * heights, lengths])


def _band_outline(band: Band, limits: tuple[float, float]) -> Array:
    layers = np.arange(1.0, len(band.lower) + 1)
    lower, upper = np.clip(band.lower, *limits), np.clip(band.upper, *limits)
    if len(layers) == 1:  # a band needs some width
        layers, lower, upper = np.array([1.0, 1.8]), np.repeat(lower, 2), np.repeat(upper, 2)
    return band_between(layers, lower, upper)


def _update_chosen(artists: LabArtists, view: Limits, layer: int) -> None:
    artists.chosen.set_path(polygons([box(layer - 0.12, layer + 0.86, *view.limits)]))


def _update_detail(artists: LabArtists, view: Limits, layer: int, beside: Backdrop) -> None:
    experiment, bins = view.experiment, view.detail_bins(layer)
    if set_limits(artists.detail, "x", (bins.low, bins.high), log=bins.log):
        set_few_ticks(artists.detail, bins.low, bins.high, log=bins.log)
    label = f"length of layer {layer}"
    if artists.detail.get_xlabel() != label:
        label_below(artists.detail, label)
    tally = _detail_tally(artists, "bars", experiment, layer, bins)
    artists.detail_bars.set_path(polygons([np.column_stack(tally.outline())]))
    dense = beside.dense and _detail_tally(artists, "dense", beside.dense, layer, bins)
    corners = [np.column_stack(dense.outline(like=tally))] if dense else []
    artists.detail_dense.set_path(polygons(corners))
    law = artists.shapes and artists.shapes.outline(tally)
    artists.detail_law.set_path(polygons([np.column_stack(law)] if law else []))
    ends = [min(max(end, bins.low), bins.high) for end in band_at(experiment.band, layer)]
    ends = ends if beside.band else []
    artists.detail_band.set_path(polygons([box(ends[0], ends[1], 0.0, 1.0)] if ends else []))
    numbers = experiment.summary(layer, patience=PATIENCE)
    shown = [q for q in [numbers.predicted] if bins.low <= q <= bins.high]
    artists.predicted.set_data(2 * shown, [0.0, 1.0][: 2 * len(shown)])
    marks = [q for q in (numbers.low, numbers.median, numbers.high) if bins.low <= q <= bins.high]
    artists.quantiles.set_data(marks, [0.0] * len(marks))


def _detail_tally(
    artists: LabArtists, key: str, experiment: Experiment, layer: int, bins: Bins
) -> Tally:
    kept = artists.detail_tallies.get(key)
    if kept is None or not kept.serves(experiment, layer, bins):
        kept = artists.detail_tallies[key] = Tally(experiment, layer, bins)
    return kept


def _outline(axes: Axes, colour: str, zorder: float, **more: Any) -> PathPatch:
    return patch(axes, "none", zorder, edgecolor=colour, linewidth=1.2, **more)
