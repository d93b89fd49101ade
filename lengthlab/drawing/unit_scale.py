"""Scales of the weights side by side: what each makes of the lengths, layer by layer."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.text import Text

from lengthlab.drawing.parts import (
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
    round_up,
    set_limits,
    set_text,
    write_above,
)
from lengthlab.drawing.scale_maps import LAYERS, OWN, ScaleMap

_STYLES = {
    "unit scale": ("-o", LAW, 0),
    "LeCun": ("--s", BAR, 2),
    "Glorot": (":v", INK, 4),
    "He": ("-.^", "#009e73", 6),
    "PyTorch": (":D", "#cc79a7", 8),
}
_ROWS = 1 + len(_STYLES)
_EVERY = 10  # layers between two markers of a line
_LOG_FROM = 30.0  # ratio of the largest to the smallest length from which the axis is logarithmic
_LEAST, _MOST = 1e-8, 1e8  # the axis never goes further; marks at its ends say so
_NEAR = 0.06  # of the height of the axes: a click so near to a line means it


@dataclass
class Row:
    """One scale's line in the picture, and its row beside it."""

    curve: Line2D
    sample: Line2D
    name: Text
    fate: Text


@dataclass
class UnitScaleArtists:
    """Made by `draw_unit_scale`, moved by `update_unit_scale`."""

    figure: Figure
    main: Axes
    strip: Axes
    unit: Line2D
    own: Row
    rows: dict[str, Row]
    chosen: PathPatch
    ends: Line2D
    above: Line2D
    below: Line2D
    shown: tuple[ScaleMap, ...] = ()
    narrow: bool | None = None

    @property
    def moving(self) -> tuple[Artist, ...]:
        """The artists that `update_unit_scale` moves, lowest first."""
        rows = [self.own, *self.rows.values()]
        curves = [row.curve for row in rows]
        samples = [row.sample for row in rows]
        marks = (self.ends, self.above, self.below, self.chosen)
        # The own row's texts change with every sigma_w: the others need not be sent again.
        return (self.unit, *curves, *marks, *samples, self.own.name, self.own.fate)


def draw_unit_scale(maps: Sequence[ScaleMap]) -> UnitScaleArtists:
    """Draw the maps on a new figure.

    Parameters
    ----------
    maps : sequence of ScaleMap
        The model's own first, then those in common use.

    Returns
    -------
    UnitScaleArtists
    """
    layout = ConstrainedLayoutEngine(w_pad=0.12, wspace=0.0)
    figure = Figure(figsize=(9.6, 4.8), dpi=100, layout=layout)
    main, strip = figure.subplots(1, 2)
    unit = line(main, "-", "#8a8f96", 1, lw=1)
    own = _row(main, strip, "-", CURVE, 2, lw=6, alpha=0.45, solid_capstyle="round")
    rows = {name: _named_row(main, strip, name) for name in _STYLES}
    mark = {"ms": 8, "mec": "white", "mew": 0.8, "clip_on": False}
    artists = UnitScaleArtists(
        figure=figure,
        main=main,
        strip=strip,
        unit=unit,
        own=own,
        rows=rows,
        chosen=patch(strip, CHOSEN, 0),
        ends=line(main, "x", INK, 5, ms=9, mew=2.2),
        above=line(main, "^", INK, 5, **mark),
        below=line(main, "v", INK, 5, **mark),
    )
    label_below(main, "layer")
    main.set_xlim(0, LAYERS + 1)
    label_apart(main, r"length  $\widetilde{q}_\ell$", 0.48)
    main.set_xticks([1, *range(10, LAYERS + 1, 10)])
    main.spines[["top", "right"]].set_visible(False)
    strip.set(xlim=(0, 1), xticks=[], yticks=[])
    strip.spines[:].set_visible(False)
    for artist in (*artists.moving, *(t for r in (own, *rows.values()) for t in (r.name, r.fate))):
        artist.set_in_layout(False)
    arrange_unit_scale(artists)
    update_unit_scale(artists, maps)
    return artists


def _named_row(main: Axes, strip: Axes, name: str) -> Row:
    style, colour, first = _STYLES[name]
    every = slice(first, None, _EVERY)
    return _row(main, strip, style, colour, 3, lw=1.8, ms=6, mec="white", mew=0.7, markevery=every)


def _row(main: Axes, strip: Axes, style: str, colour: str, zorder: float, **more: object) -> Row:
    curve = line(main, style, colour, zorder, **more)
    sample = line(strip, style, colour, zorder, **{**more, "markevery": [1]})
    texts = [strip.text(0.17, 0, "", va="center", fontsize=size, color=INK) for size in (9.5, 9)]
    return Row(curve, sample, *texts)


def arrange_unit_scale(artists: UnitScaleArtists, css_width: float = 960) -> float | None:
    """Fit the picture to a page, as `arrange_lab` does."""
    narrow = css_width < 640
    if artists.narrow == narrow:
        return None
    artists.narrow = narrow
    if narrow:
        grid = GridSpec(2, 1, artists.figure, height_ratios=[1.1, 1])
    else:
        grid = GridSpec(1, 2, artists.figure, width_ratios=[1.7, 1])
    artists.main.set_subplotspec(grid[0])
    artists.strip.set_subplotspec(grid[1])
    caption_unit_scale(artists, "")
    return 1.5 if narrow else 0.5


def update_unit_scale(artists: UnitScaleArtists, maps: Sequence[ScaleMap]) -> None:
    """Move the artists to other maps.

    Parameters
    ----------
    artists : UnitScaleArtists
        From `draw_unit_scale`.
    maps : sequence of ScaleMap
        As in `draw_unit_scale`.
    """
    artists.shown = tuple(maps)
    log, low, high = _axis(maps)
    set_limits(artists.main, "y", (low, high), log=log)
    artists.unit.set_data([0, LAYERS + 1], [1.0, 1.0])
    by_name = {m.names[0]: m for m in maps}
    for name, row in _all_rows(artists).items():
        values = by_name[name].values if name in by_name else np.empty(0)
        seen = np.where((low <= values) & (values <= high), values, np.nan)
        # The first one outside is kept, so that the line runs to the edge of the axes.
        outside = np.isfinite(values) & np.isnan(seen)
        edge = np.clip(values, low / 10 if log else -high, 10 * high)
        row.curve.set_data(np.arange(1, len(values) + 1), np.where(outside, edge, seen))
    _mark_ends(artists, maps, low, high)
    _fill_strip(artists, maps)


def caption_unit_scale(artists: UnitScaleArtists, text: str) -> None:
    """Write what the picture shows above it: for pictures that stand without controls."""
    write_above(artists.main, text or " ")


def scale_at(artists: UnitScaleArtists, axes: Axes, x: float, y: float) -> float | None:
    """Find the sigma_w of the scale that a click means; None if it means none."""
    maps = artists.shown[1:]
    if axes is artists.strip:
        row = math.floor(-y)
        return maps[row - 1].sigma_w if 1 <= row <= len(maps) else None
    layer = min(max(round(x), 1), LAYERS)
    height = artists.main.transAxes.inverted().transform
    place = artists.main.transData.transform

    def level(length: float) -> float:
        return float(height(place((layer, length)))[1])

    lengths = [(m, float(m.values[layer - 1])) for m in maps if len(m.values)]
    known = [(abs(level(q) - level(y)), m.sigma_w) for m, q in lengths if 0 < q < math.inf]
    return min(known)[1] if known and min(known)[0] < _NEAR else None


# --- its parts ------------------------------------------------------------------------------------


def _all_rows(artists: UnitScaleArtists) -> dict[str, Row]:
    return {OWN: artists.own, **artists.rows}


def _axis(maps: Sequence[ScaleMap]) -> tuple[bool, float, float]:
    """Whether the length axis is logarithmic, and its ends, in round steps."""
    seen = np.concatenate([m.values for m in maps if len(m.values)] or [np.ones(1)])
    seen = seen[np.isfinite(seen) & (seen > 0)]
    ends = np.append(seen, 1.0)
    low, high = max(float(ends.min()), _LEAST), min(float(ends.max()), _MOST)
    if high <= _LOG_FROM * low:
        return False, 0.0, round_up(1.08 * high)
    return (
        True,
        10.0 ** math.floor(math.log10(low) - 0.05),
        10.0 ** math.ceil(math.log10(high) + 0.05),
    )


def _mark_ends(
    artists: UnitScaleArtists, maps: Sequence[ScaleMap], low: float, high: float
) -> None:
    """Mark where a map becomes infinite, and where a line leaves the axes."""
    ends: list[tuple[float, float]] = []
    above: list[tuple[float, float]] = []
    below: list[tuple[float, float]] = []
    for m in maps:
        for layer, q in enumerate(m.values.tolist(), start=1):
            if q > high and math.isfinite(q):
                above.append((layer, high))
                break
            if q < low:
                below.append((layer, low))
                break
            if math.isinf(q):
                if layer > 1:
                    ends.append((layer - 1, float(m.values[layer - 2])))
                else:
                    above.append((1, high))
                break
    for artist, places in ((artists.ends, ends), (artists.above, above), (artists.below, below)):
        artist.set_data([x for x, _ in places], [y for _, y in places])


def _fill_strip(artists: UnitScaleArtists, maps: Sequence[ScaleMap]) -> None:
    set_limits(artists.strip, "y", (-float(_ROWS), 0.0))
    places = {m.names[0]: k for k, m in enumerate(maps)}
    for name, row in _all_rows(artists).items():
        k = places.get(name)
        shown = [] if k is None else [-k - 0.3] * 3
        row.sample.set_data([0.02, 0.075, 0.13][: len(shown)], shown)
        if k is None:
            set_text(row.name, "")
            set_text(row.fate, "")
            continue
        for text, below in ((row.name, 0.3), (row.fate, 0.62)):
            if text.get_position()[1] != -k - below:
                text.set_y(-k - below)
        set_text(row.name, f"{', '.join(maps[k].names)}: sigma_w {maps[k].sigma_w:.4g}")
        set_text(row.fate, maps[k].fate or "…")
    same = [k for k, m in enumerate(maps) if k and math.isclose(m.sigma_w, maps[0].sigma_w)]
    rows = [box(0.0, 1.0, -k - 0.86, -k - 0.06) for k in same]
    artists.chosen.set_path(polygons(rows))
