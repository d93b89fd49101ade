"""The plane of sigma_w and sigma_b: where lengths rest, and how small differences grow there."""

import math
from dataclasses import dataclass

import numpy as np
from contourpy import contour_generator
from matplotlib import colormaps
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.text import Text
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, zoom

from lengthlab.activations import Activation, Array
from lengthlab.drawing.parts import INK, line, set_text, write_above
from lengthlab.fixed_points import chi as chi_at
from lengthlab.gaussian import mean_square
from lengthlab.network import Network
from lengthlab.phase_diagram import PhaseDiagram, phase_diagram

SIGMA_W, SIGMA_B = (0.04, 4.0), (0.0, 2.0)
"""Ends of the axes."""
WORDS = {"ordered": "ordered", "chaotic": "chaotic", "exploding": "no rest: grows"}
"""Phases that are named on the picture."""
_GRID = 100  # networks along each axis
_MOST = 4.0  # chi from which on, and below its inverse, the colour stays
_NOWHERE, _STRIPE = (0.88, 0.88, 0.88), (0.72, 0.72, 0.72)
_STRIPES = 24  # pixels of the image from one stripe to the next
_FINE = 4  # pixels of the image for each network along each axis
_DARKEST = 0.13  # below it cividis loses its blue
_PALE = 0.4  # share of white in the colours, so that dark lines stand out on all of them
_LEVELS = [m * 10.0**k for k in range(-3, 7) for m in (1, 3)]  # of q*
_LABELS = 8
_ROOM = 9.0  # a phase is named where so many networks fit on each side, and 40 % as many above
_APART = 0.07, 0.12  # of the axes' width, between a number and another one, or a name
_JUMP, _STEP = 0.7, 0.15  # of log chi between neighbours; _STEP where one of them has no rest


# --- what is drawn --------------------------------------------------------------------------------


def plane(phi: Activation, *, keep_probability: float, input_length: float) -> PhaseDiagram:
    """Compute the diagram of the whole picture, in a second or so."""
    return phase_diagram(
        phi,
        sigma_w=np.linspace(*SIGMA_W, _GRID),
        sigma_b=np.linspace(*SIGMA_B, _GRID),
        keep_probability=keep_probability,
        input_length=input_length,
    )


@dataclass(frozen=True)
class Rest:
    """Where one network's lengths end, and what becomes of small differences there.

    Attributes
    ----------
    q_star, chi : float
        As in `PhaseDiagram`.
    phase : str
        As in `PhaseDiagram`.
    """

    q_star: float
    chi: float
    phase: str


def rest(net: Network) -> Rest:
    """Where a network's lengths end.

    Examples
    --------
    >>> rest(Network("relu", sigma_w=1.0, sigma_b=0.5)).phase
    'ordered'
    """
    one = phase_diagram(
        net.activation,
        sigma_w=[net.sigma_w],
        sigma_b=[net.sigma_b],
        keep_probability=net.keep_probability,
        input_length=net.input_length,
    )
    return Rest(float(one.q_star[0, 0]), float(one.chi[0, 0]), str(one.phase[0, 0]))


def rest_near(net: Network, diagram: PhaseDiagram) -> Rest | None:
    """Find the same from the networks around it, quickly; None where they do not tell.

    Newton's method on V(q) - q, from the mean of the four neighbours. It is trusted only where
    these rest at lengths that differ little, and the point it comes to lies among them.
    """
    column = int(diagram.sigma_w.searchsorted(net.sigma_w, side="right")) - 1
    row = int(diagram.sigma_b.searchsorted(net.sigma_b, side="right")) - 1
    rows, columns = diagram.q_star.shape
    if not (0 <= row <= rows - 1 and 0 <= column <= columns - 1):
        return None
    row, column = min(row, rows - 2), min(column, columns - 2)
    around = diagram.q_star[row : row + 2, column : column + 2]
    low, high = float(around.min()), float(around.max())
    if not 0 < low <= high < min(3 * low, math.inf):
        return None
    q = math.sqrt(low * high)
    bias = net.sigma_b * net.sigma_b
    for _ in range(20):
        m = mean_square(net.activation, q)
        excess, steep = net.gain * m.estimate.value + bias - q, net.gain * m.slope
        if not steep < 1 - 1e-6:  # no rest, or too near the edge of one
            return None
        step = excess / (1 - steep)
        q += step
        if not low / 1.01 <= q <= high * 1.01:
            return None
        if abs(step) < 1e-12 * q:
            stretch = chi_at(net, q).value
            kind = "critical" if abs(stretch - 1) < 1e-6 else "ordered"
            return Rest(q, stretch, "chaotic" if stretch > 1 and kind == "ordered" else kind)
    return None


# --- the picture ----------------------------------------------------------------------------------


@dataclass
class PhaseArtists:
    """Made by `draw_phase_diagram`, moved by `update_phase_diagram`."""

    figure: Figure
    main: Axes
    bar: Axes
    image: AxesImage
    levels: Line2D
    edge: Line2D
    halo: Line2D
    names: dict[str, Text]
    labels: list[Text]
    waiting: Text
    marker: Line2D
    outside: Line2D
    shown: PhaseDiagram | None = None
    stale: bool = True  # drawn for another page, or not at all
    narrow: bool | None = None

    @property
    def moving(self) -> tuple[Artist, ...]:
        """The artists that `update_phase_diagram` moves; the plane stays while phi does."""
        return self.marker, self.outside


def draw_phase_diagram(net: Network, diagram: PhaseDiagram | None) -> PhaseArtists:
    """Draw the plane of a network's phi on a new figure, with the network as a point.

    Parameters
    ----------
    net : Network
    diagram : PhaseDiagram or None
        From `plane`; None while it is being computed.

    Returns
    -------
    PhaseArtists
    """
    layout = ConstrainedLayoutEngine(w_pad=0.12, wspace=0.0)
    figure = Figure(figsize=(9.6, 5.2), dpi=100, layout=layout)
    main, bar = figure.subplots(1, 2, width_ratios=[26, 1])
    empty = np.full((2, 2, 3), 255, dtype=np.uint8)
    place = {"aspect": "auto", "origin": "lower", "interpolation": "nearest", "zorder": 0}
    named = {"ha": "center", "va": "center", "color": INK, "zorder": 5}
    white = {"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": "none"}
    artists = PhaseArtists(
        figure=figure,
        main=main,
        bar=bar,
        image=main.imshow(empty, extent=(*SIGMA_W, *SIGMA_B), **place),
        levels=line(main, "-", INK, 2, lw=0.7),
        halo=line(main, "-", "white", 3, lw=5.5),
        edge=line(main, "-", INK, 4, lw=2.8),
        names={
            kind: main.text(0, 0, "", fontsize=12, bbox={**white, "alpha": 0.85}, **named)
            for kind in WORDS
        },
        labels=[
            main.text(0, 0, "", fontsize=7.5, bbox={**white, "alpha": 0.75, "pad": 0.1}, **named)
            for _ in range(_LABELS)
        ],
        waiting=main.text(0.5, 0.5, "", transform=main.transAxes, **named),
        marker=line(main, "o", INK, 7, ms=13, mfc="white", mew=3),
        outside=line(main, ">", INK, 7, ms=13, mfc="white", mew=2, clip_on=False),
    )
    main.set(xlabel=r"$\sigma_w$", ylabel=r"$\sigma_b$", xlim=SIGMA_W, ylim=SIGMA_B)
    scale = _colours(np.linspace(-1, 1, 201)[:, None] * math.log(_MOST))
    bar.imshow(scale, extent=(0, 1, -1, 1), **place)
    bar.set(xticks=[], yticks=np.linspace(-1, 1, 5), title=r"$\chi$")
    bar.set_yticklabels(["¼", "½", "1", "2", "4"])
    bar.yaxis.tick_right()
    bar.axhline(0.0, color=INK, lw=2.8)
    for artist in (*artists.moving, *artists.names.values(), *artists.labels):
        artist.set_in_layout(False)
    arrange_phase_diagram(artists)
    update_phase_diagram(artists, net, diagram)
    return artists


def arrange_phase_diagram(artists: PhaseArtists, css_width: float = 960) -> float | None:
    """Fit the picture to a page, as `arrange_lab` does."""
    narrow = css_width < 640
    if artists.narrow == narrow:
        return None
    artists.narrow = narrow
    artists.stale = True  # numbers need more room, or less
    for old in list(artists.figure.legends):
        old.remove()
    labels = {
        artists.marker: "this model: drag it",
        artists.edge: r"edge of chaos, $\chi = 1$",
        artists.levels: "length $q^*$ at which it rests",
    }
    artists.figure.legend(
        list(labels),
        list(labels.values()),
        loc="outside upper center",
        ncols=1 if narrow else 3,
        frameon=False,
        fontsize=9,
        handlelength=1.8,
        markerscale=0.7,
    )
    caption_phase_diagram(artists, "")
    return 1.05 if narrow else 0.54


def update_phase_diagram(
    artists: PhaseArtists, net: Network, diagram: PhaseDiagram | None, waiting: str = ""
) -> None:
    """Move the point, and draw the plane anew where it is that of another phi.

    Parameters
    ----------
    artists : PhaseArtists
        From `draw_phase_diagram`.
    net, diagram
        As in `draw_phase_diagram`.
    waiting : str
        What stands in the place of a plane that is not there.
    """
    right, top = net.sigma_w > SIGMA_W[1], net.sigma_b > SIGMA_B[1]
    x, y = max(min(net.sigma_w, SIGMA_W[1]), SIGMA_W[0]), min(net.sigma_b, SIGMA_B[1])
    artists.marker.set_data(*([[], []] if right or top else [[x], [y]]))
    artists.outside.set_data(*([[x], [y]] if right or top else [[], []]))
    artists.outside.set_marker(">" if right else "^")
    set_text(artists.waiting, "" if diagram is not None else waiting)
    if artists.stale or diagram is not artists.shown:
        artists.shown, artists.stale = diagram, False
        _draw_plane(artists, diagram)


def caption_phase_diagram(artists: PhaseArtists, text: str) -> None:
    """Write what the picture shows above it: for pictures that stand without controls."""
    write_above(artists.main, text or " ")


# --- its parts ------------------------------------------------------------------------------------


def _draw_plane(artists: PhaseArtists, diagram: PhaseDiagram | None) -> None:
    for text in (*artists.names.values(), *artists.labels):
        set_text(text, "")
        text.set_visible(False)  # or its white box would stay
    if diagram is None:
        artists.image.set_data(np.full((2, 2, 3), 255, dtype=np.uint8))
        for curve in (artists.levels, artists.halo, artists.edge):
            curve.set_data([], [])
        return
    with np.errstate(divide="ignore"):
        log_chi = np.clip(np.log(diagram.chi), -20.0, 20.0)
        log_q = np.log10(np.maximum(diagram.q_star, 1e-9))
    nowhere = np.isinf(diagram.q_star)
    artists.image.set_data(_picture(log_chi, nowhere))
    edge = _without_jumps(_contour(log_chi, 0.0), log_chi, nowhere)
    for curve in (artists.halo, artists.edge):
        curve.set_data(*_places(diagram, edge))
    _name_phases(artists, diagram)
    _draw_levels(artists, np.ma.masked_array(log_q, nowhere))


def _picture(log_chi: Array, nowhere: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Pixels of the plane: chi as a colour, and stripes where lengths grow for ever."""
    if not nowhere.all():  # no colour of those is seen, and none may bleed into the others
        nearest = distance_transform_edt(nowhere, return_distances=False, return_indices=True)
        log_chi = log_chi[tuple(nearest)]
    pixels = _colours(zoom(log_chi, _FINE, order=1))
    hidden = zoom(nowhere.astype(float), _FINE, order=1) > 0.5
    rows, columns = hidden.shape
    stripes = (np.arange(rows)[:, None] + np.arange(columns)) % _STRIPES < _STRIPES / 4
    grey = np.where(stripes[..., None], _STRIPE, _NOWHERE)
    return np.where(hidden[..., None], 255 * grey, pixels).astype(np.uint8)


def _colours(log_chi: Array) -> NDArray[np.uint8]:
    """Cividis, which is even to colour-blind readers and in grey, without its end, lightened."""
    share = (np.clip(log_chi / math.log(_MOST), -1, 1) + 1) / 2
    colours = colormaps["cividis"](_DARKEST + (1 - _DARKEST) * share)[..., :3]
    pixels: NDArray[np.uint8] = (255 * (_PALE + (1 - _PALE) * colours)).round().astype(np.uint8)
    return pixels


def _contour(z: Array, level: float) -> list[Array]:
    """Lines of a level, each (points, 2), in rows and columns of the grid: column first."""
    return [np.asarray(points) for points in contour_generator(z=z).lines(level)]


def _without_jumps(lines: list[Array], z: Array, nowhere: NDArray[np.bool_]) -> list[Array]:
    """Leave out the points of a contour at which z jumps: two phases meet there, and no more."""
    kept = []
    for points in lines:
        low = np.floor(points + 1e-9).astype(int)
        high = np.minimum(np.ceil(points - 1e-9).astype(int), np.array(z.shape)[::-1] - 1)
        ends = (high[:, 1], high[:, 0]), (low[:, 1], low[:, 0])
        most = np.where(nowhere[ends[0]] != nowhere[ends[1]], _STEP, _JUMP)
        smooth = np.abs(z[ends[0]] - z[ends[1]]) < most
        kept.append(np.where(smooth[:, None], points, np.nan))
    return kept


def _places(diagram: PhaseDiagram, lines: list[Array]) -> tuple[Array, Array]:
    """Join lines of the grid, with gaps, in sigma_w and sigma_b."""
    gap = np.full((1, 2), np.nan)
    points = np.concatenate([part for points in lines for part in (points, gap)] or [gap])
    return (
        np.interp(points[:, 0], np.arange(len(diagram.sigma_w)), diagram.sigma_w),
        np.interp(points[:, 1], np.arange(len(diagram.sigma_b)), diagram.sigma_b),
    )


def _place(artists: PhaseArtists, text: Text, words: str, row: float, column: float) -> None:
    rows, columns = artists.shown.q_star.shape if artists.shown else (2, 2)
    x = SIGMA_W[0] + column / (columns - 1) * (SIGMA_W[1] - SIGMA_W[0])
    text.set_position((x, SIGMA_B[0] + row / (rows - 1) * (SIGMA_B[1] - SIGMA_B[0])))
    set_text(text, words)
    text.set_visible(True)


def _name_phases(artists: PhaseArtists, diagram: PhaseDiagram) -> None:
    """Write each phase's name where it has most room."""
    phase = np.where(diagram.phase == "vanishing", "ordered", diagram.phase)
    for kind, words in WORDS.items():
        room = distance_transform_edt(np.pad(phase == kind, 1), sampling=(2.5, 1.0))[1:-1, 1:-1]
        row, column = np.unravel_index(int(room.argmax()), room.shape)
        if room[row, column] >= _ROOM:
            _place(artists, artists.names[kind], words, float(row), float(column))


def _draw_levels(artists: PhaseArtists, log_q: Array) -> None:
    """Draw thin lines of q*, each with its number, where there is room for it."""
    to_share = artists.main.transLimits.transform
    names = [text for text in artists.names.values() if text.get_visible()]
    wide = 1.8 if artists.narrow else 1.0  # as letters are, by the axes
    taken = [(*to_share(text.get_position()), wide * _APART[1]) for text in names]
    free = iter(artists.labels)
    all_lines: list[Array] = []
    for level in _LEVELS:
        lines = _contour(log_q, math.log10(level))
        all_lines += lines
        points = max(lines, key=len, default=np.empty((0, 2)))
        shares = points / (np.array(log_q.shape)[::-1] - 1)
        for k in np.argsort(np.abs(np.arange(len(points)) - len(points) / 2)).tolist():
            x, y = shares[k]
            inside = 0.04 * wide < x < 1 - 0.04 * wide and 0.04 < y < 0.96
            if inside and all(math.hypot(x - a, 1.5 * (y - b)) > room for a, b, room in taken):
                text = next(free, None)
                if text is not None:
                    _place(artists, text, f"{level:g}", points[k, 1], points[k, 0])
                    taken.append((x, y, wide * _APART[0]))
                break
    assert artists.shown is not None
    artists.levels.set_data(*_places(artists.shown, all_lines))
