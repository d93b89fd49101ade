"""The three assumptions as lights, beside phi, the integrand of its length map, and the wall."""

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
from matplotlib.ticker import MaxNLocator

from lengthlab.activations import Array
from lengthlab.assumptions import Assessment
from lengthlab.drawing.integrand import Integrand, MeanCurve, View, mean_axis, q_axis
from lengthlab.drawing.parts import (
    BAND,
    BAR,
    CURVE,
    INK,
    band_between,
    label_apart,
    label_below,
    line,
    patch,
    polygons,
    set_few_ticks,
    set_limits,
    set_text,
    write_above,
)
from lengthlab.drawing.places import Places, Room, label_few, label_nothing, put_legend

SCALES = ("auto", "linear", "log")
LIGHTS = ("bounded on finite intervals", "grows slower than exp(x²)", "measurable")
"""What each light stands for, in the order of `holds`."""
SYMBOLS = {True: "✓", False: "✗", None: "?"}
WORDS = {True: "yes", False: "no", None: "not decided"}
_COLOURS = {True: "#00664a", False: "#b23c00", None: "#6b7077"}
_DECADES = 9  # of a logarithmic height axis
_TICKS = 5  # at most, for each takes its time
_NOTHING = 4.0  # z that the axis reaches where there is no curve
_APART = 0.48  # inches of a label from its axis


@dataclass
class AssumptionsArtists:
    """Made by `draw_assumptions`, moved by `update_assumptions`."""

    figure: Figure
    places: Places
    left: Axes
    middle: Axes
    right: Axes
    strip: Axes
    density: PathPatch
    phi: Line2D
    kinks: Line2D
    poles: Line2D
    above: Line2D
    below: Line2D
    area: PathPatch
    part: PathPatch
    alone: Line2D
    integrand: Line2D
    z_poles: Line2D
    peaks: Line2D
    mean: Line2D
    wall: Line2D
    point: Line2D
    infinite: Line2D
    verdict: Text
    note: Text
    lights: list[tuple[Text, Text]]
    blank: set[Axes] = field(default_factory=set)  # axes whose heights mean nothing
    layout: str = ""

    @property
    def moving(self) -> tuple[Artist, ...]:
        """The artists that `update_assumptions` moves, lowest first."""
        return (
            *(self.density, self.poles, self.phi, self.kinks, self.above, self.below),
            *(self.area, self.part, self.z_poles, self.alone, self.integrand, self.peaks),
            *(self.wall, self.mean, self.point, self.infinite),
        )


def draw_assumptions() -> AssumptionsArtists:
    """Draw the axes on a new figure; `update_assumptions` fills them.

    Returns
    -------
    AssumptionsArtists
    """
    places = Places()
    figure = Figure(figsize=(9.6, 4.6), dpi=100, layout=places)
    left, middle, right, strip = (figure.add_subplot() for _ in range(4))
    mark: dict[str, Any] = {"ms": 6, "mec": "white", "mew": 0.6, "clip_on": False}
    artists = AssumptionsArtists(
        figure=figure,
        places=places,
        left=left,
        middle=middle,
        right=right,
        strip=strip,
        density=patch(left, BAND, 0),
        phi=line(left, "-", CURVE, 3, lw=2.2),
        kinks=line(left, "o", INK, 4, ms=5.5, mfc="white", mew=1.5),
        poles=line(left, "--", INK, 2, lw=1.1),
        above=line(left, "^", CURVE, 5, **mark),
        below=line(left, "v", CURVE, 5, **mark),
        area=patch(middle, BAND, 0),
        part=patch(middle, BAR, 1, alpha=0.45),
        alone=line(middle, "-.", "#6b7077", 2, lw=1.1),
        integrand=line(middle, "-", BAR, 3, lw=1.6),
        z_poles=line(middle, "--", INK, 2, lw=1.1),
        peaks=line(middle, "v", INK, 5, **{**mark, "ms": 8}),
        mean=line(right, "-", BAR, 3, lw=2.0),
        wall=line(right, ":", INK, 2, lw=2.2),
        point=line(right, "o", INK, 5, ms=10, mec="white", mew=1.0),
        infinite=line(right, "^", INK, 5, **{**mark, "ms": 12}),
        verdict=_note(middle),
        note=_note(right),
        lights=[_light(strip) for _ in LIGHTS],
    )
    for axes, label, height in (
        (left, "x", r"$\varphi(x)$"),
        (middle, "z", r"$\varphi(\sqrt{q}\,z)^2$ times density"),
        (right, "q", r"$m(q) = \mathrm{E}\,\varphi(\sqrt{q}\,Z)^2$"),
    ):
        label_below(axes, label, 0.25)
        label_apart(axes, height, _APART)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8.5)
        axes.yaxis.get_offset_text().set(fontsize=8.5)
        axes.xaxis.set_major_locator(MaxNLocator(_TICKS, steps=[1, 2, 4, 5, 10]))
    strip.set(xlim=(0, 1), ylim=(0, 1))
    strip.set_axis_off()
    arrange_assumptions(artists)
    return artists


def _note(axes: Axes) -> Text:
    plain = {"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": "none"}
    place: dict[str, Any] = {"transform": axes.transAxes, "ha": "center", "va": "top"}
    return axes.text(0.5, 0.96, "", **place, color=INK, zorder=6, fontsize=9.5, bbox=plain)


def _light(strip: Axes) -> tuple[Text, Text]:
    ring = {"boxstyle": "circle,pad=0.25", "edgecolor": "none"}
    symbol = strip.text(
        0, 0, "", ha="center", va="center", color="white", fontsize=11, bbox=ring, weight="bold"
    )
    return symbol, strip.text(0, 0, "", va="center", color=INK, fontsize=9.5)


def arrange_assumptions(artists: AssumptionsArtists, css_width: float = 960) -> float | None:
    """Fit the picture to a page: three axes beside each other, two by two, or all in a column."""
    layout = "wide" if css_width >= 820 else "square" if css_width >= 560 else "narrow"
    if artists.layout == layout:
        return None
    artists.layout = layout
    start, gap = {"wide": (0.01, 0.022), "square": (-0.1, 0.07), "narrow": (0.05, 0.08)}[layout]
    for k, (symbol, words) in enumerate(artists.lights):
        x, y = (start + 0.385 * k, 0.2) if layout == "wide" else (start, 0.8 - 0.3 * k)
        symbol.set_position((x, y))
        words.set_position((x + gap, y))
        words.set_fontsize({"wide": 9.0, "square": 8.5, "narrow": 9.5}[layout])
    above = 0.3 + _set_legend(artists, columns={"wide": 5, "square": 3, "narrow": 2}[layout])
    figure = artists.figure
    if layout == "wide":
        grid = GridSpec(2, 3, figure, height_ratios=[5.5, 1], width_ratios=[1, 1.2, 1])
        places = [grid[0, 0], grid[0, 1], grid[0, 2], grid[1, :]]
        room = Room(0.68, 0.12, 0.1, above, across=0.82, down=0.42)
    elif layout == "square":
        grid = GridSpec(2, 2, figure)
        places = [grid[0, 0], grid[0, 1], grid[1, 0], grid[1, 1]]
        room = Room(0.68, 0.12, 0.5, above, across=0.82, down=0.7)
    else:
        grid = GridSpec(4, 1, figure, height_ratios=[1, 1, 1, 0.55])
        places = [grid[k] for k in range(4)]
        room = Room(0.72, 0.12, 0.1, above + 0.15, down=0.62)
    four = (artists.left, artists.middle, artists.right, artists.strip)
    artists.places.put(grid, dict(zip(four, places, strict=True)), room)
    caption_assumptions(artists, "")
    return {"wide": 0.49, "square": 0.9, "narrow": 2.3}[layout]


def _set_legend(artists: AssumptionsArtists, columns: int) -> float:
    labels = {
        artists.phi: r"$\varphi$",
        artists.kinks: "kink or jump",
        artists.poles: "pole",
        artists.above: "goes on beyond",
        artists.density: "density of variance q",
        artists.integrand: "integrand",
        artists.part: "5 to 95 % of the integral",
        artists.alone: "density alone, as high",
        artists.wall: "wall: infinite from here",
        artists.point: "q: drag it",
    }
    return put_legend(artists.figure, labels, columns=columns, size=8.5, columnspacing=1.2)


def caption_assumptions(artists: AssumptionsArtists, text: str) -> None:
    """Write what the picture shows above it; "" keeps the place."""
    lines, letters = (2, 11) if artists.layout == "narrow" else (1, 13)  # letters an inch
    words = textwrap.fill(text, int(letters * artists.figure.get_figwidth()), max_lines=lines)
    # Higher than the topmost tick labels of the axes beside: it may be longer than its own axes.
    write_above(artists.left, words or "\n".join(lines * " "), pad=9)


def update_assumptions(
    artists: AssumptionsArtists,
    view: View | None,
    found: Integrand | None,
    *,
    curve: MeanCurve | None,
    known: Assessment | None,
    scale: str = "auto",
) -> None:
    """Move the artists to another phi or length.

    Parameters
    ----------
    artists : AssumptionsArtists
        From `draw_assumptions`.
    view, found : View, Integrand or None
        None where phi cannot be computed.
    curve, known : MeanCurve, Assessment or None
        None until they are there.
    scale : {"auto", "linear", "log"}
        Of the integrand; "auto" is logarithmic where it does not decay.
    """
    _draw_phi(artists, view, 1.0 if found is None else found.q)
    _draw_integrand(artists, found, scale)
    _draw_mean(artists, curve, found)
    holds = [] if known is None else [known.bounded, known.growth, known.measurable]
    for k, (symbol, words) in enumerate(artists.lights):
        holding = holds[k].holds if holds else None
        set_text(symbol, SYMBOLS[holding] if holds else "…")
        box = symbol.get_bbox_patch()
        if box is not None and symbol.get_gid() != str(holding):
            symbol.set_gid(str(holding))  # what its colour says
            box.set_facecolor(_COLOURS[holding])
        set_text(words, f"{LIGHTS[k]}: {WORDS[holding] if holds else '…'}")


def _set_height(
    artists: AssumptionsArtists, axes: Axes, limits: tuple[float, float], *, log: bool
) -> None:
    """Set the limits of a y axis, and label it in few digits."""
    if not set_limits(axes, "y", limits, log=log) and axes not in artists.blank:
        return
    artists.blank.discard(axes)
    label_few(axes, limits, log=log)


def _leave_blank(artists: AssumptionsArtists, axes: Axes) -> None:
    """Take the ticks away: where there is no height they mean nothing."""
    if axes not in artists.blank:
        artists.blank.add(axes)
        label_nothing(axes)


# --- its parts ------------------------------------------------------------------------------------


def _upright(places: Array, low: float, high: float) -> tuple[Array, Array]:
    """Lines from `low` to `high` at some places, as one line with gaps."""
    x = np.column_stack([places, places, np.full(len(places), np.nan)])
    y = np.tile([low, high, np.nan], len(places))
    return x.ravel(), y


def _draw_phi(artists: AssumptionsArtists, view: View | None, q: float) -> None:
    if view is None:
        for artist in (artists.phi, artists.kinks, artists.poles, artists.above, artists.below):
            artist.set_data([], [])
        artists.density.set_path(polygons([]))
        return
    room = 0.02 * (view.high - view.low)
    low, high = view.low - room, view.high + room
    set_limits(artists.left, "x", (-view.reach, view.reach))
    _set_height(artists, artists.left, (low, high), log=False)
    x = np.linspace(-view.reach, view.reach, 121)
    foot = max(low, 0.0)
    bell = foot + 0.9 * (high - foot) * np.exp(-x * x / (2 * q))
    artists.density.set_path(polygons([band_between(x, np.full(len(x), foot), bell)]))
    artists.phi.set_data(view.x, np.clip(view.phi, 3 * low - 2 * high, 3 * high - 2 * low))
    artists.kinks.set_data(*view.kinks.T)
    artists.poles.set_data(*_upright(view.poles, low, high))
    known = ~np.isnan(view.phi)
    for artist, beyond, end in (
        (artists.above, view.phi > high, high),
        (artists.below, view.phi < low, low),
    ):
        changes = (beyond[1:] != beyond[:-1]) & known[1:] & known[:-1]
        crossings = np.flatnonzero(changes)[:40]
        artist.set_data(view.x[crossings + ~beyond[crossings]], np.full(len(crossings), end))


def _draw_integrand(artists: AssumptionsArtists, found: Integrand | None, scale: str) -> None:
    lines = (artists.alone, artists.integrand, artists.z_poles, artists.peaks)
    set_text(artists.verdict, _verdict(found))
    artists.verdict.set_visible(bool(artists.verdict.get_text()))
    if found is None or not len(found.z):
        for artist in lines:
            artist.set_data([], [])
        for area in (artists.area, artists.part):
            area.set_path(polygons([]))
        set_limits(artists.middle, "x", (-_NOTHING, _NOTHING))
        _leave_blank(artists, artists.middle)
        return
    log = scale == "log" or (scale == "auto" and found.grows)
    top = 10.0 ** math.ceil(math.log10(found.top)) if log else found.top
    foot = top * 10.0**-_DECADES if log else 0.0
    set_limits(artists.middle, "x", (-found.reach, found.reach))
    _set_height(artists, artists.middle, (foot, top), log=log)
    heights = np.clip(found.height, foot, 3 * top)
    artists.integrand.set_data(found.z, heights)
    outline = band_between(found.z, np.full(len(heights), foot), heights)
    artists.area.set_path(polygons([outline]))
    artists.part.set_path(polygons([_between(found, heights, foot)] if found.part else []))
    z = np.linspace(-found.reach, found.reach, 161)
    level = float(np.minimum(found.height, found.top).max(initial=0.0))
    alone = level * np.exp(-z * z / 2)
    artists.alone.set_data(z, np.where(alone >= foot, alone, np.nan))
    artists.z_poles.set_data(*_upright(found.poles, foot, top))
    peaks = np.array(found.peaks)
    k = np.clip(found.z.searchsorted(peaks), 1, len(heights) - 1)
    artists.peaks.set_data(peaks, np.maximum(heights[k - 1], heights[k]))  # at a jump the upper end


def _between(found: Integrand, heights: Array, foot: float) -> Array:
    assert found.part is not None
    low, high = found.part
    z = np.concatenate([[low], found.z[(low < found.z) & (found.z < high)], [high]])
    return band_between(z, np.full(len(z), foot), np.interp(z, found.z, heights))


def _verdict(found: Integrand | None) -> str:
    """Say in the picture what no curve can."""
    if found is None:
        return ""
    if found.mean.overflow:
        return "finite, but beyond every float"
    if math.isinf(found.mean.value):
        why = "it does not decay" if found.grows else "too much at a pole"
        return f"the integral is infinite:\n{why}"
    return "" if found.faithful else "as floats see it;\nthe integral is another"


def _draw_mean(
    artists: AssumptionsArtists, curve: MeanCurve | None, found: Integrand | None
) -> None:
    for artist in (artists.mean, artists.wall, artists.point, artists.infinite):
        artist.set_data([], [])
    nowhere = curve is not None and curve.wall == 0
    set_text(artists.note, "infinite at every q > 0" if nowhere else "")
    artists.note.set_visible(nowhere)
    if found is None:
        return
    top_q = q_axis(found.q) if curve is None else curve.top
    here = found.mean.value
    log, foot, top = mean_axis(np.empty(0) if curve is None else curve.m, here)
    if set_limits(artists.right, "x", (0.0, top_q)):
        set_few_ticks(artists.right, 0.0, top_q, log=False)
    if math.isfinite(here) or (curve is not None and len(curve.m)):
        _set_height(artists, artists.right, (foot, top), log=log)
    else:
        set_limits(artists.right, "y", (foot, top))
        _leave_blank(artists, artists.right)
    if curve is not None:
        end = 3 * top * (min((top / foot) ** 0.1, 1e15) if log else 1.0)  # not to be seen
        artists.mean.set_data(curve.q, np.clip(curve.m, foot, end))
        if curve.wall <= top_q:
            artists.wall.set_data([max(curve.wall, 0.005 * top_q)] * 2, [foot, top])
    shown = artists.point if here <= top else artists.infinite
    shown.set_data([found.q], [min(max(here, foot), top)])
