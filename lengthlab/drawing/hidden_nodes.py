"""Hidden nodes: one node's law against the Gaussian, and two nodes of a layer together."""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from lengthlab.activations import Array
from lengthlab.drawing.node_law import NodeLaw
from lengthlab.drawing.node_sample import SHARES, NodeSample, NodeStatistics, node_statistics
from lengthlab.drawing.parts import (
    BAR,
    CURVE,
    INK,
    LAW,
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
from lengthlab.drawing.places import Places, Room, label_few, legend_height, put_legend

_BINS = 60  # on each side of 0
_NEAR = 4  # of them, where the law is drawn finer
_POINTS = 1500  # pairs shown
_ENOUGH = 40  # networks for limits of their own
_STEPS = [1, 2, 4, 5, 10]  # of tick labels with few digits
_APART = 0.52  # inches of a label from its axis


@dataclass
class HiddenNodesArtists:
    """Axes and artists; made by `draw_hidden_nodes`, moved by `update_hidden_nodes`."""

    figure: Figure
    places: Places
    one: Axes
    two: Axes
    bars: PathPatch
    gaussian: Line2D
    law: Line2D
    pairs: Line2D
    rings: Line2D
    sampled_rings: Line2D
    no_gaussian: Text
    no_second: Text
    arrangement: tuple[int, bool] | None = None
    named: tuple[bool, ...] | None = None
    beyond: int = 0  # nodes that the axis does not reach
    view: "_Reach | None" = None
    counts: "_Counts | None" = None
    densities: tuple[object, tuple[Array, Array]] | None = None

    @property
    def moving(self) -> tuple[Artist, ...]:
        """The artists that `update_hidden_nodes` moves, lowest first."""
        return (
            *(self.bars, self.law, self.gaussian),
            *(self.pairs, self.sampled_rings, self.rings),
        )


def draw_hidden_nodes(
    sample: NodeSample, law: NodeLaw | None = None, *, log: bool = False
) -> HiddenNodesArtists:
    """Draw the picture on a new figure.

    Parameters
    ----------
    sample : NodeSample
    law : NodeLaw, optional
        If it is there already.
    log : bool
        A logarithmic axis of densities, and a longer one of nodes: tails.

    Returns
    -------
    HiddenNodesArtists
    """
    places = Places()
    figure = Figure(figsize=(9.6, 4.7), dpi=100, layout=places)
    one, two = figure.subplots(1, 2)
    words = {"ha": "center", "va": "top", "fontsize": 9, "color": INK}
    artists = HiddenNodesArtists(
        figure=figure,
        places=places,
        one=one,
        two=two,
        bars=patch(one, BAR, 1, alpha=0.45),
        gaussian=line(one, "--", CURVE, 3, lw=2),
        law=line(one, "-", LAW, 2, lw=1.8),
        pairs=line(two, "s", BAR, 1, ms=1.7, mew=0),
        rings=line(two, "--", CURVE, 3, lw=2),
        sampled_rings=line(two, "-", INK, 2, lw=1.6),
        no_gaussian=one.text(0.5, 0.99, "", transform=one.transAxes, **words),
        no_second=two.text(0.5, 0.6, "", transform=two.transAxes, **words),
    )
    label_below(one, r"one node  $h_{\ell,1}$")
    label_apart(one, "density", _APART)
    label_below(two, r"$h_{\ell,1}$")
    label_apart(two, r"$h_{\ell,2}$", _APART)
    two.set_box_aspect(1)
    for axes in (one, two):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=9)
    one.xaxis.set_major_locator(MaxNLocator(6, steps=_STEPS))
    for axis in (two.xaxis, two.yaxis):  # they go equally far
        axis.set_major_locator(MaxNLocator(5, steps=_STEPS))
    arrange_hidden_nodes(artists)
    update_hidden_nodes(artists, sample, node_statistics(sample), law, log=log)
    return artists


def arrange_hidden_nodes(artists: HiddenNodesArtists, css_width: float = 960) -> float | None:
    """Fit the picture to a page: on a narrow one the two axes stand one above the other.

    Returns
    -------
    float or None
        Height of the picture divided by its width; None if it is arranged so already.
    """
    columns, narrow = (3 if css_width >= 560 else 2), css_width < 640
    if artists.arrangement == (columns, narrow):
        return None
    artists.arrangement, artists.named = (columns, narrow), None
    names = len(_legend(artists))
    rows, legend = math.ceil(names / columns), legend_height(names, columns=columns)
    grid = GridSpec(1, 2, artists.figure, width_ratios=[1.35, 1])
    room = Room(0.76, 0.15, 0.52, legend + 0.22, across=0.85)
    if narrow:
        grid = GridSpec(2, 1, artists.figure, height_ratios=[1, 1.25])
        room = Room(0.78, 0.15, 0.52, legend + 0.4, down=0.65)
    artists.places.put(grid, {artists.one: grid[0], artists.two: grid[1]}, room)
    _name_artists(artists, (True, True, True))
    caption_hidden_nodes(artists, "")
    return (1.75 if narrow else 0.46) + rows * (0.06 if narrow else 0.02)


def _legend(
    artists: HiddenNodesArtists, *, law: bool = True, gaussian: bool = True, two: bool = True
) -> dict[Artist, str]:
    """Names of the artists that have something to show."""
    dots = Line2D([], [], ls="", marker="s", ms=4, color=BAR, mew=0)
    return {
        artists.bars: "one node, sampled",
        **({artists.law: "its exact law"} if law else {}),
        **({artists.gaussian: "Gaussian, infinite width"} if gaussian else {}),
        **({dots: "two nodes", artists.sampled_rings: "50, 90 % of them"} if two else {}),
        **({artists.rings: "50, 90 % of Gaussian pairs"} if gaussian and two else {}),
    }


def _name_artists(artists: HiddenNodesArtists, named: tuple[bool, ...]) -> None:
    """Put the legend; its place stays that of the longest."""
    if artists.named == named or artists.arrangement is None:
        return
    artists.named, (columns, _) = named, artists.arrangement
    law, gaussian, two = named
    labels = _legend(artists, law=law, gaussian=gaussian, two=two)
    size = 9 if columns == 3 else 8
    put_legend(artists.figure, labels, columns=columns, size=size, columnspacing=1.3)


def caption_hidden_nodes(artists: HiddenNodesArtists, text: str) -> None:
    """Write what the picture shows above it; "" keeps the place."""
    narrow = artists.arrangement is not None and artists.arrangement[1]
    lines, letters = (2, 11) if narrow else (1, 13)  # letters an inch
    words = textwrap.fill(text, int(letters * artists.figure.get_figwidth()), max_lines=lines)
    write_above(artists.one, words or "\n".join(lines * " "))


def update_hidden_nodes(
    artists: HiddenNodesArtists,
    sample: NodeSample,
    numbers: NodeStatistics,
    law: NodeLaw | None = None,
    *,
    log: bool = False,
    running: bool = False,
) -> None:
    """Move the artists to the present data; limits change in round steps.

    Parameters
    ----------
    artists : HiddenNodesArtists
        From `draw_hidden_nodes`.
    sample : NodeSample
    numbers : NodeStatistics
        Of the sample, or of an earlier part of it.
    law, log
        As in `draw_hidden_nodes`.
    running : bool
        Whether more networks will soon be there: until there are enough, the limits of those before
        will do. A control may be moving, and each change takes time.
    """
    view = artists.view
    enough = sample.drawn >= _ENOUGH or (sample.drawn > 0 and not running)
    if view is None or not view.serves(sample, log):
        lender = view if view is not None and view.log == log and not enough else None
        view = artists.view = _Reach(sample, log, lender=lender)
    elif view.lent and enough:
        view = artists.view = _Reach(sample, log)
    elif not view.is_fresh():
        view = artists.view = _Reach(sample, log, floor=view)
    _update_one(artists, view, law)
    _update_two(artists, view, numbers)
    known = law is None or law.cdf is not None  # None: it is not there yet
    gaussian = 0 < view.qt < math.inf
    _name_artists(artists, (known, gaussian, sample.experiment.width > 1))


def _update_one(artists: HiddenNodesArtists, view: "_Reach", law: NodeLaw | None) -> None:
    reach = view.reach
    counts = artists.counts
    if counts is None or counts.view is not view:
        counts = artists.counts = _Counts(view, counts)
    counts.update()
    artists.beyond = counts.beyond
    edges, step = view.edges, reach / _BINS
    density = counts.counts / (max(counts.seen, 1) * step)
    middle = (edges[1:] + edges[:-1]) / 2
    places, expected = np.empty(0), np.empty(0)
    if law is not None and law.cdf is not None:
        places, expected = _density(artists, view, law)
    qt = view.qt
    dashed = np.empty(0)
    if 0 < qt < math.inf and math.sqrt(qt) > 1e-3 * reach:
        dashed = np.exp(-(middle**2) / (2 * qt)) / math.sqrt(2 * math.pi * qt)
    top = view.top(density, expected, dashed)
    low = 10.0 ** math.floor(math.log10(top) - 5) if view.log else 0.0
    set_limits(artists.one, "x", (-reach, reach))
    if set_limits(artists.one, "y", (low, top), log=view.log):
        label_few(artists.one, (low, top), log=view.log)
    heights = np.concatenate([[low], np.repeat(np.maximum(density, low), 2), [low]])
    artists.bars.set_path(polygons([np.column_stack([np.repeat(edges, 2), heights])]))
    artists.gaussian.set_data(middle[: len(dashed)], dashed)
    artists.law.set_data(places, expected)
    missing = "" if qt < math.inf else "the limit variance is infinite: no Gaussian"
    set_text(artists.no_gaussian, missing)


def _density(artists: HiddenNodesArtists, view: "_Reach", law: NodeLaw) -> tuple[Array, Array]:
    """Give the law's density in bins, finer ones near 0, without what lies at 0 itself."""
    key = law, view.reach
    if artists.densities is None or artists.densities[0] != key:
        assert law.cdf is not None
        right = view.edges[_BINS:]
        edges = np.concatenate([np.linspace(0, right[_NEAR], 8 * _NEAR + 1), right[_NEAR + 1 :]])
        middle, found = (edges[1:] + edges[:-1]) / 2, np.diff(law.cdf(edges)) / np.diff(edges)
        middle, found = np.append(-middle[::-1], middle), np.append(found[::-1], found)
        artists.densities = key, (middle, found)
    return artists.densities[1]


def _update_two(artists: HiddenNodesArtists, view: "_Reach", numbers: NodeStatistics) -> None:
    sample, reach = view.sample, view.reach
    for which in "xy":
        set_limits(artists.two, which, (-reach, reach))
    alone = sample.experiment.width == 1
    set_text(artists.no_second, "a layer of width 1\nhas no second node" if alone else "")
    if alone:
        for artist in (artists.pairs, artists.rings, artists.sampled_rings):
            artist.set_data([], [])
        return
    last = sample.nodes[-_POINTS:]
    shown = last[(np.abs(last) < reach).all(axis=1)]
    artists.pairs.set_data(shown[:, 0], shown[:, 1])
    artists.sampled_rings.set_data(*_circles(numbers.radii, reach))
    qt = view.qt
    radii = [math.sqrt(-2 * qt * math.log(1 - p)) for p in SHARES if 0 < qt < math.inf]
    artists.rings.set_data(*_circles(radii, reach))


def _circles(radii: Sequence[float], reach: float) -> tuple[Array, Array]:
    """Circles around 0 in one line, those that would be seen as such."""
    angle = np.append(np.linspace(0, 2 * math.pi, 121), math.nan)
    shown = np.array([r for r in radii if 1e-3 * reach < r < 1.4 * reach])
    return np.outer(shown, np.cos(angle)).ravel(), np.outer(shown, np.sin(angle)).ravel()


class _Reach:
    """How far the axes reach to both sides, and how high the density is."""

    def __init__(
        self,
        sample: NodeSample,
        log: bool,
        floor: "_Reach | None" = None,
        lender: "_Reach | None" = None,
    ) -> None:
        self.sample, self.log, self.seen = sample, log, sample.drawn
        self.qt = float(sample.experiment.prediction.values[sample.layer - 1])
        found = self._typical()
        if floor is not None:
            found = max(found, floor.reach)
        self.reach: float = round_up(found)
        self.lent = lender is not None and 0.4 * lender.reach < found < 1.25 * lender.reach
        if self.lent and lender is not None:
            self.reach, floor = lender.reach, lender
        self.edges = np.linspace(-self.reach, self.reach, 2 * _BINS + 1)
        same = floor is not None and floor.reach == self.reach
        self._top: float = floor._top if floor is not None and same else 0.0

    def serves(self, sample: NodeSample, log: bool) -> bool:
        """Whether it was made for this sample."""
        return self.sample is sample and self.log == log

    def is_fresh(self) -> bool:
        """Whether it needs no second look: not until a third more networks are there."""
        return self.lent or self.sample.drawn < max(1.33 * self.seen, self.seen + 40)

    def _typical(self) -> float:
        """Reach over the Gaussian's bulk, and the sample's without its far tail."""
        gaussian = 4 * math.sqrt(self.qt) if 0 < self.qt < 1e300 else math.nan
        sizes = np.abs(self.sample.nodes[:, 0])
        sizes = sizes[(sizes > 0) & (sizes < math.inf)]
        if len(sizes) < 20:
            first = 4 * math.sqrt(self.sample.experiment.net.first_variance)
            return gaussian if math.isfinite(gaussian) else first
        share, times = (0.9995, 30.0) if self.log else (0.998, 6.0)
        bulk, far = np.quantile(sizes, [0.75, share]).tolist()
        reach = min(far, times * bulk)
        if math.isfinite(gaussian):
            reach = max(reach, min(1.5 * gaussian if self.log else gaussian, times * bulk))
        return float(min(max(reach, 1e-290), 1e290))

    def top(self, *densities: Array) -> float:
        """Top of the density axis: it changes in round steps, and seldom."""
        highest = max((float(d.max()) for d in densities if len(d)), default=0.0)
        highest = highest or 1 / self.reach
        if self.log:
            return float(10.0 ** math.ceil(math.log10(1.2 * highest)))
        if self.lent and self._top > 0.8 * highest:  # few networks make a jagged histogram
            return self._top
        if not 0.5 * self._top < 1.02 * highest <= self._top:
            self._top = round_up(1.1 * highest)
        return self._top


class _Counts:
    """Counts in bins, kept up to date by counting new nodes only; those that are 0 apart."""

    def __init__(self, view: _Reach, old: "_Counts | None" = None) -> None:
        self.view = view
        self.counts: NDArray[np.intp] = np.zeros(2 * _BINS, dtype=np.intp)
        self.seen = self.beyond = 0
        if old is not None and old.view.sample is view.sample and old.view.reach == view.reach:
            self.counts, self.seen, self.beyond = old.counts, old.seen, old.beyond

    def update(self) -> None:
        """Count what is new."""
        new = self.view.sample.nodes[self.seen :, 0]
        self.seen += len(new)
        inside = new[(np.abs(new) < self.view.reach) & (new != 0)]
        self.beyond += len(new) - len(inside) - int((new == 0).sum())
        place = ((inside / self.view.reach + 1) * _BINS).astype(np.intp)
        self.counts += np.bincount(np.minimum(place, 2 * _BINS - 1), minlength=2 * _BINS)
