"""Small multiples: a histogram of the lengths of each layer, beside its predicted value."""

from dataclasses import dataclass, field

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.text import Text

from lengthlab.convergence import LEVEL, Bins, Experiment
from lengthlab.drawing.limits import Limits, band_at
from lengthlab.drawing.parts import (
    BAND,
    BAR,
    CURVE,
    INK,
    box,
    label_below,
    line,
    patch,
    polygons,
    set_few_ticks,
    set_limits,
    write_above,
)
from lengthlab.drawing.tally import Tally

AXES = ("shared", "free")
"""Whether all layers have one length axis, or each its own."""
_MOST = 12  # panels; of a deeper network so many layers are shown, evenly spread
_PANEL, _HEAD = 118.0, 48.0  # pixels: height of a row, and of what stands above all rows
_LEFT, _RIGHT, _ABOVE, _BELOW = 14.0, 14.0, 22.0, 24.0  # pixels around each panel's axes


@dataclass
class Panel:
    """One layer: its axes and artists, and what was counted."""

    axes: Axes
    band: PathPatch
    bars: PathPatch
    predicted: Line2D
    tally: Tally | None = None


@dataclass
class HistogramsArtists:
    """Made by `draw_histograms`, moved by `update_histograms`."""

    figure: Figure
    panels: list[Panel]
    caption: Text
    css_width: float = 960.0
    layers: tuple[int, ...] = ()
    view: Limits | None = field(default=None)

    @property
    def moving(self) -> tuple[Artist, ...]:
        """The artists that `update_histograms` moves, lowest first."""
        kinds = ("band", "bars", "predicted")
        return tuple(getattr(panel, kind) for panel in self.panels for kind in kinds)


def layers_shown(depth: int) -> tuple[int, ...]:
    """Layers with a panel: all, or twelve that are evenly spread.

    Examples
    --------
    >>> layers_shown(3), len(layers_shown(50)), layers_shown(50)[-1]
    ((1, 2, 3), 12, 50)
    """
    return tuple(int(k) for k in np.linspace(1, depth, min(depth, _MOST)).round())


def draw_histograms(experiment: Experiment, *, axes: str = "shared") -> HistogramsArtists:
    """Draw a panel for each layer on a new figure.

    Parameters
    ----------
    experiment : Experiment
        Networks and their prediction.
    axes : {"shared", "free"}
        One length axis for all layers, or one for each.

    Returns
    -------
    HistogramsArtists

    Examples
    --------
    >>> from lengthlab.network import Network
    >>> picture = draw_histograms(Experiment(Network("tanh"), width=64, depth=5))
    >>> picture.panels[4].axes.get_title(loc="left")
    'layer 5'
    """
    # Panels are placed by hand: a layout engine would take longer than all the rest.
    figure = Figure(figsize=(9.6, 4.6), dpi=100)
    panels = [_panel(figure.add_axes((0, 0, 1, 1))) for _ in range(_MOST)]
    caption = figure.text(0.01, 1, "", ha="left", va="top", fontsize=9, color=INK)
    artists = HistogramsArtists(figure, panels, caption)
    figure.legend(
        [panels[0].band, panels[0].bars, panels[0].predicted],
        [f"{100 * LEVEL:.0f} % at this width", "sampled networks", "length map"],
        loc="upper center",
        ncols=3,
        frameon=False,
        fontsize=8.5,
        handlelength=1.3,
        columnspacing=1.2,
        borderaxespad=0.1,
    )
    arrange_histograms(artists, experiment.depth)
    update_histograms(artists, experiment, axes=axes)
    return artists


def _panel(axes: Axes) -> Panel:
    axes.set_ylim(0, 1.08)
    axes.yaxis.set_visible(False)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(labelsize=8)
    label_below(axes, "")  # nothing, but no place is looked for either
    return Panel(
        axes,
        band=patch(axes, BAND, 1),
        bars=patch(axes, BAR, 2, alpha=0.45),
        predicted=line(axes, "-", CURVE, 4, lw=2),
    )


def arrange_histograms(
    artists: HistogramsArtists, depth: int, css_width: float | None = None
) -> float | None:
    """Place as many panels as there are layers, in rows that fit the page.

    Parameters
    ----------
    artists : HistogramsArtists
    depth : int
        Layers of the network.
    css_width : float, optional
        Width of the picture on the page, in CSS pixels; the last one if not given.

    Returns
    -------
    float or None
        Height of the picture divided by its width; None if all is in its place.
    """
    layers, width = layers_shown(depth), css_width or artists.css_width
    if (layers, width) == (artists.layers, artists.css_width):
        return None
    artists.layers, artists.css_width = layers, width
    columns = min(4 if width >= 720 else 3 if width >= 520 else 2, len(layers))
    rows = -(-len(layers) // columns)
    height = _HEAD + rows * _PANEL
    artists.caption.set_y(1 - 24 / height)
    for k, panel in enumerate(artists.panels):
        panel.axes.set_visible(k < len(layers))
        if k < len(layers):
            row, column = divmod(k, columns)
            left = _LEFT / width + column / columns
            bottom = 1 - (_HEAD + (row + 1) * _PANEL - _BELOW) / height
            across = 1 / columns - (_LEFT + _RIGHT) / width
            panel.axes.set_position((left, bottom, across, (_PANEL - _ABOVE - _BELOW) / height))
            write_above(panel.axes, f"layer {layers[k]}", pad=2)
    return height / width


def update_histograms(
    artists: HistogramsArtists, experiment: Experiment, *, axes: str = "shared"
) -> None:
    """Move the artists to the present data; limits change in round steps.

    Parameters
    ----------
    artists : HistogramsArtists
        From `draw_histograms`, arranged for the depth of the experiment.
    experiment, axes
        As in `draw_histograms`.
    """
    view = artists.view
    if view is None or not view.serves(experiment, "auto"):
        view = artists.view = Limits(experiment, "auto")
    elif not view.is_fresh():
        view = artists.view = Limits(experiment, "auto", floor=view)
    for panel, layer in zip(artists.panels, artists.layers, strict=False):
        if layer <= experiment.depth:
            bins = view.main_bins(layer) if axes == "shared" else view.detail_bins(layer)
            _update_panel(panel, experiment, layer, bins)


def caption_histograms(artists: HistogramsArtists, text: str) -> None:
    """Write what the picture shows under its legend."""
    artists.caption.set_text(text)


def _update_panel(panel: Panel, experiment: Experiment, layer: int, bins: Bins) -> None:
    tally = panel.tally
    if tally is None or not tally.serves(experiment, layer, bins):
        tally = panel.tally = Tally(experiment, layer, bins)
    if set_limits(panel.axes, "x", (bins.low, bins.high), log=bins.log):
        set_few_ticks(panel.axes, bins.low, bins.high, log=bins.log)
        panel.axes.minorticks_off()
    panel.bars.set_path(polygons([np.column_stack(tally.outline())]))
    ends = [min(max(end, bins.low), bins.high) for end in band_at(experiment.band, layer)]
    panel.band.set_path(polygons([box(ends[0], ends[1], 0.0, 1.0)] if ends else []))
    predicted = float(experiment.prediction.values[layer - 1])
    shown = [predicted] if bins.low <= predicted <= bins.high else []
    panel.predicted.set_data(2 * shown, [0.0, 1.0][: 2 * len(shown)])
