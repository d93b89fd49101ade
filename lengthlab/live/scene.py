"""What of a figure is still and what moves: records of both, and when the still part is stale."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import FigureCanvasBase, RendererBase
from matplotlib.figure import Figure

from .recorder import Recorder, Span

Header = dict[str, Any]
Part = dict[str, Any]


class _Canvas(FigureCanvasBase):
    """Measures text for the layout with the renderer that will draw it."""

    def get_renderer(self) -> Recorder:
        return Recorder(*self.get_width_height(physical=True), self.figure.dpi)


class Scene:
    """A figure, cut into units that are recorded by themselves.

    A unit is the figure or one of its axes. Its record is a pile: still layers, the moving artists
    between them, and (in the figure's) the places of the other units. A unit's still layers are
    recorded again only when something in them changed; a moving artist at every frame.

    A change is what matplotlib's artists report to their axes or figure. A few report nothing
    (single tick labels, the texts of a figure's legend): call `relayout` after changing them.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Taken over until `release`.
    moving : iterable of Artist
        The artists that change at every frame.
    """

    def __init__(self, figure: Figure, moving: Iterable[Artist]) -> None:
        self.figure = figure
        self.css_dpi = figure.dpi
        self.number = 0
        self._moving: list[Artist] = []
        self._engine = figure.get_layout_engine()
        self._stale: set[Artist] = set()
        self._units: list[Artist] = []
        self._callbacks: dict[Artist, Callable[[Artist, bool], None] | None] = {}
        self._noting = self._layout_due = True
        figure.set_layout_engine("none")
        self._canvas = _Canvas(figure)
        self.moving = moving

    @property
    def moving(self) -> Sequence[Artist]:
        """The artists that change at every frame."""
        return tuple(self._moving)

    @moving.setter
    def moving(self, artists: Iterable[Artist]) -> None:
        self._set_animated(False)
        self._moving = list(artists)
        self._set_animated(True)
        self.relayout()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in device pixels."""
        width, height = self.figure.canvas.get_width_height(physical=True)
        return int(width), int(height)

    def resize(self, css_width: float, *, aspect: float, pixel_ratio: float) -> None:
        """Give the figure a width in CSS pixels and a height of `aspect` times as many."""
        inches = css_width / self.css_dpi, css_width * aspect / self.css_dpi
        dpi = self.css_dpi * pixel_ratio
        new, old = (*inches, dpi), (*self.figure.get_size_inches(), self.figure.dpi)
        if any(abs(a - b) > 1e-3 for a, b in zip(new, old, strict=True)):
            self.figure.set_dpi(dpi)
            self.figure.set_size_inches(*inches)
            self.relayout()

    def relayout(self) -> None:
        """Let the layout engine run, and everything be recorded, before the next frame."""
        self._layout_due = True

    def record(self, *, everything: bool = False) -> tuple[Header, bytes]:
        """Record the moving artists, and the still part as far as it is stale.

        Returns
        -------
        header : dict
            ``number`` of the still part that this frame belongs to, ``moving`` (a span of
            operations for each artist), the recorder's header, and ``still``: the stale units
            with the ``base``, the number of the still part which they renew (0: all of it).
        payload : bytes
            Of the recorder.
        """
        recorder = Recorder(*self.size, self.figure.dpi)
        units = self._stale_units(everything)
        still = self._record_still(recorder, units) if units else None
        moving = [self._record_moving(recorder, artist) for artist in self._moving]
        header = {"number": self.number, "moving": moving, "still": still, **recorder.header()}
        return header, recorder.payload()

    def save(self, **options: Any) -> bytes:
        """Save the whole figure as it is now; `options` are those of ``Figure.savefig``."""
        if self._layout_due:
            self._lay_out()
        file = io.BytesIO()
        with self._as_ordinary_figure():
            self.figure.savefig(file, **{"format": "png", **options})
        return file.getvalue()

    def locate(self, x: float, y: float) -> tuple[Axes, float, float] | None:
        """Find the uppermost axes at a point and the data coordinates of the point in it.

        Parameters
        ----------
        x, y : float
            Fractions of the canvas from its left and its top.
        """
        width, height = self.size
        point = x * width, (1 - y) * height
        found = [a for a in self._all_axes() if a.get_visible() and a.bbox.contains(*point)]
        if not found:
            return None
        axes = max(found, key=lambda a: a.zorder)  # the last of equals would be drawn on top
        return axes, *self.data_at(axes, x, y)

    def data_at(self, axes: Axes, x: float, y: float) -> tuple[float, float]:
        """Find the data coordinates in `axes` of a point of the canvas, given as in `locate`."""
        width, height = self.size
        data = axes.transData.inverted().transform((x * width, (1 - y) * height))
        return float(data[0]), float(data[1])

    def release(self) -> None:
        """Give the figure back as an ordinary one."""
        self._unwatch()
        self._set_animated(False)
        self._moving = []
        self._stale.clear()
        self.figure.set_layout_engine(self._engine)
        FigureCanvasBase(self.figure)

    # The still part

    def _stale_units(self, everything: bool) -> list[Artist]:
        """Units to be recorded now, in the order of their numbers."""
        units: list[Artist] = [self.figure, *self.figure.axes]
        if units != self._units:
            self._unwatch()
            self._watch(units)
            everything = True
        if self._layout_due:
            self._lay_out()
            everything = True
        for axes in self.figure.axes:
            axes.viewLim  # noqa: B018  (runs an autoscale that was put off, which makes it stale)
        if everything:
            self._stale = set(units)
        return [unit for unit in units if unit in self._stale]

    def _watch(self, units: list[Artist]) -> None:
        self._units = units
        for unit in units:
            self._call_back(unit, unit)
        for axes in self.figure.axes:
            for axis in (axes.xaxis, axes.yaxis):
                self._call_back(axis.label, axes)  # which tells nobody that it changed

    def _call_back(self, artist: Artist, unit: Artist) -> None:
        def note(_: Artist, value: bool) -> None:
            if self._noting:
                self._stale.add(unit)

        self._callbacks[artist] = artist.stale_callback
        artist.stale_callback = note

    def _unwatch(self) -> None:
        for artist, callback in self._callbacks.items():
            artist.stale_callback = callback
        self._units, self._callbacks = [], {}

    def _lay_out(self) -> None:
        if self._engine is not None:
            with self._as_ordinary_figure(), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # too small a canvas is the reader's to see
                self._engine.execute(self.figure)
        self._layout_due = False

    def _record_still(self, recorder: Recorder, units: Sequence[Artist]) -> Header:
        base = 0 if len(units) == len(self._units) else self.number
        piles = {}
        with self._as_ordinary_figure():
            for number, unit in enumerate(self._units):
                if unit in units:
                    piles[number] = self._record_pile(recorder, unit)
        self._stale.difference_update(units)
        self.number += 1
        return {"base": base, "size": self.size, "units": piles}

    def _record_pile(self, recorder: Recorder, unit: Artist) -> list[Part]:
        """Draw one unit; the moving artists and the other units only leave their places in it."""
        pile: list[Part] = []
        start = len(recorder.ops)

        def end_layer() -> None:
            nonlocal start
            span = start, len(recorder.ops)
            box = recorder.bounds(span)
            if box is not None:
                pile.append({"layer": span, "box": box})
            start = len(recorder.ops)

        def leave_place(part: Part, renderer: RendererBase) -> None:
            end_layer()
            pile.append(part)

        places = {a: {"moving": k} for k, a in enumerate(self._moving)}
        places |= {u: {"unit": k} for k, u in enumerate(self._units) if u is not unit}
        with _drawn_by({artist: partial(leave_place, part) for artist, part in places.items()}):
            unit.draw(recorder)
        end_layer()
        return pile

    # The moving part

    def _record_moving(self, recorder: Recorder, artist: Artist) -> Span:
        start = len(recorder.ops)
        noting, self._noting = self._noting, False
        try:
            with recorder.moving(artist):
                artist.draw(recorder)
        finally:
            self._noting = noting
        return start, len(recorder.ops)

    @contextmanager
    def _as_ordinary_figure(self) -> Iterator[None]:
        """While it lasts nothing is animated, and no change is noted."""
        self._noting = False
        self._set_animated(False)
        try:
            yield
        finally:
            self._set_animated(True)
            self._noting = True

    def _set_animated(self, value: bool) -> None:
        for artist in self._moving:
            artist.set_animated(value)

    def _all_axes(self) -> Iterator[Axes]:
        for axes in self.figure.axes:
            yield axes
            yield from (child for child in axes.child_axes if isinstance(child, Axes))


@contextmanager
def _drawn_by(substitutes: dict[Artist, Callable[[RendererBase], None]]) -> Iterator[None]:
    """While it lasts, the artists are drawn by their substitutes."""
    for artist, draw in substitutes.items():
        vars(artist)["draw"] = draw
    try:
        yield
    finally:
        for artist in substitutes:
            del vars(artist)["draw"]
