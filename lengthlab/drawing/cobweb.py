"""The length map as a curve over the diagonal, with a cobweb and the fixed points."""

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
from matplotlib.ticker import MaxNLocator

from lengthlab.activations import Activation, Array
from lengthlab.drawing.parts import (
    BAR,
    CURVE,
    INK,
    label_apart,
    label_below,
    line,
    round_up,
    set_limits,
    write_above,
)
from lengthlab.fixed_points import FixedPoint
from lengthlab.gaussian import critical_variance, mean_square
from lengthlab.network import Network

_POINTS = 81  # of the curve
_LABEL = r"length in the next layer  $V(q)$"
_APART = 0.42  # inches from an axis to its label
_ROOM = 1.25  # of the axis beyond the largest length of the path


@dataclass(frozen=True, eq=False)
class Cobweb:
    """A length map, and the lengths that it leads to from a start.

    Attributes
    ----------
    path : ndarray, shape (steps + 1,)
        The start, and after each step the next length; inf where the map is infinite.
    top : float
        End of both axes, a round number.
    q, v : ndarray, shape (points,)
        The curve on (0, top]; v is nan where the map is infinite.
    wall : float
        Where the map becomes infinite; inf if nowhere.
    """

    path: Array
    top: float
    q: Array
    v: Array
    wall: float


def cobweb(net: Network, *, start: float, steps: int, table: dict[float, Array]) -> Cobweb:
    """Iterate the length map from a start.

    Parameters
    ----------
    net : Network
        Activation and scales.
    start : float
        Squared length per unit, ``> 0``.
    steps : int
        How often to apply the map, ``>= 0``.
    table : dict
        Of m(q) on (0, top] by `top`, for this phi: filled here and used again, because a moved
        sigma_w or sigma_b changes no integral.

    Returns
    -------
    Cobweb

    Examples
    --------
    >>> web = cobweb(Network("relu", sigma_w=1.0), start=2.0, steps=2, table={})
    >>> web.path
    array([2. , 1. , 0.5])
    """
    phi, path = net.activation, [start]
    wall = critical_variance(phi, 2)
    for _ in range(steps):
        path.append(_next(net, path[-1]))
    lengths = np.array(path)
    seen = lengths[np.isfinite(lengths) & (lengths < 1e150)]
    top = round_up(_ROOM * max(float(seen.max()), start, 1e-150))
    q = np.linspace(0, top, _POINTS)
    q[0] = 1e-6 * top
    if top not in table:
        table[top] = np.array([_finite(phi, x) for x in q.tolist()])
    return Cobweb(lengths, top, q, net.gain * table[top] + net.sigma_b**2, wall)


def _next(net: Network, q: float) -> float:
    if math.isinf(q):
        return math.inf
    return net.gain * mean_square(net.activation, q).estimate.value + net.sigma_b**2


def _finite(phi: Activation, q: float) -> float:
    m = mean_square(phi, q).estimate.value
    return m if math.isfinite(m) else math.nan


@dataclass
class CobwebArtists:
    """Made by `draw_cobweb`, moved by `update_cobweb`."""

    figure: Figure
    main: Axes
    layers: Axes
    diagonal: Line2D
    curve: Line2D
    web: Line2D
    start: Line2D
    stable: Line2D
    unstable: Line2D
    wall: Line2D
    path: Line2D
    arrangement: tuple[bool, bool] | None = None  # narrow, and the map alone

    @property
    def moving(self) -> tuple[Artist, ...]:
        """The artists that `update_cobweb` moves, lowest first."""
        return (
            *(self.diagonal, self.wall, self.curve, self.web),
            *(self.stable, self.unstable, self.start, self.path),
        )


def draw_cobweb(web: Cobweb, points: Sequence[FixedPoint] = ()) -> CobwebArtists:
    """Draw the map and the path on a new figure.

    Parameters
    ----------
    web : Cobweb
    points : sequence of FixedPoint
        Those that are known.

    Returns
    -------
    CobwebArtists
    """
    layout = ConstrainedLayoutEngine(w_pad=0.12, wspace=0.03)
    figure = Figure(figsize=(9.6, 4.8), dpi=100, layout=layout)
    main, layers = figure.subplots(1, 2)
    artists = CobwebArtists(
        figure=figure,
        main=main,
        layers=layers,
        diagonal=line(main, "-", "#8a8f96", 1, lw=1),
        curve=line(main, "-", CURVE, 3, lw=2.2),
        web=line(main, "-", BAR, 4, lw=1.2),
        start=line(main, "v", BAR, 6, ms=10, mec="white", mew=0.8, clip_on=False),
        stable=line(main, "o", INK, 5, ms=8),
        unstable=line(main, "o", INK, 5, ms=8, mfc="white", mew=1.8),
        wall=line(main, ":", INK, 2, lw=1.6),
        path=line(layers, "-o", BAR, 3, lw=1.4, ms=4.5, mec="white", mew=0.6),
    )
    label_below(main, r"length now  $q$")
    label_apart(main, _LABEL, _APART)
    label_below(layers, "steps")
    label_apart(layers, "length", _APART)
    layers.xaxis.set_major_locator(MaxNLocator(integer=True))
    for axes in (main, layers):
        axes.spines[["top", "right"]].set_visible(False)
    for artist in artists.moving:
        artist.set_in_layout(False)
    arrange_cobweb(artists)
    update_cobweb(artists, web, points)
    return artists


def arrange_cobweb(
    artists: CobwebArtists, css_width: float = 960, *, compact: bool = False
) -> float | None:
    """Fit the picture to a page, as `arrange_lab` does."""
    narrow = css_width < 640
    alone = narrow and compact
    if artists.arrangement == (narrow, alone):
        return None
    artists.arrangement = narrow, alone
    artists.layers.set_visible(not alone)
    if alone:
        grid = GridSpec(1, 1, artists.figure)
    elif narrow:
        grid = GridSpec(2, 1, artists.figure, height_ratios=[1.7, 1])
    else:
        grid = GridSpec(1, 2, artists.figure, width_ratios=[1.25, 1])
    artists.main.set_ylabel(r"next layer  $V(q)$" if alone else _LABEL)
    artists.main.set_subplotspec(grid[0])
    artists.layers.set_subplotspec(grid[-1])
    for old in list(artists.figure.legends):
        old.remove()
    labels = {
        artists.curve: "length map V",
        artists.web: "from layer to layer",
        artists.start: "start",
        artists.stable: "stable fixed point",
        artists.unstable: "unstable" if alone else "fixed point that is not stable",
    }
    artists.figure.legend(
        list(labels),
        list(labels.values()),
        loc="outside upper center",
        ncols=2 if narrow else 5,
        frameon=False,
        fontsize=8 if narrow else 9,
        handlelength=1.6,
        columnspacing=1.4,
    )
    caption_cobweb(artists, "")
    return 0.72 if alone else 1.55 if narrow else 0.5


def update_cobweb(artists: CobwebArtists, web: Cobweb, points: Sequence[FixedPoint] = ()) -> None:
    """Move the artists to another map, start or number of steps.

    Parameters
    ----------
    artists : CobwebArtists
        From `draw_cobweb`.
    web, points
        As in `draw_cobweb`.
    """
    top = web.top
    set_limits(artists.main, "x", (0.0, top))
    set_limits(artists.main, "y", (0.0, top))
    artists.diagonal.set_data([0, top], [0, top])
    artists.curve.set_data(web.q, np.minimum(web.v, 2 * top))
    shown = np.minimum(web.path, 2 * top)
    corners = np.repeat(shown, 2)
    artists.web.set_data(corners[:-1], np.concatenate([[0.0], corners[2:]]))
    artists.start.set_data([web.path[0]], [0.0])
    inside = [point for point in points if point.q <= top]
    artists.stable.set_data(*_places([p.q for p in inside if p.stable]))
    artists.unstable.set_data(*_places([p.q for p in inside if not p.stable]))
    artists.wall.set_data(*([[web.wall] * 2, [0, top]] if web.wall <= top else [[], []]))
    steps = len(web.path) - 1
    set_limits(artists.layers, "x", (-0.3, max(steps, 1) + 0.3))
    set_limits(artists.layers, "y", (0.0, top))
    artists.path.set_data(range(steps + 1), np.where(web.path <= 2 * top, web.path, np.nan))


def caption_cobweb(artists: CobwebArtists, text: str) -> None:
    """Write what the picture shows above it: for pictures that stand without controls."""
    write_above(artists.main, text or " ")


def _places(lengths: list[float]) -> tuple[list[float], list[float]]:
    return lengths, lengths
