"""The widget: answers the browser's requests with records of a matplotlib figure."""

from __future__ import annotations

import base64
import html
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import traitlets
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .front_end import SharedWidget, front_end
from .scene import Scene

Message = tuple[dict[str, Any], list[bytes]]

LIVE = tuple((__package__, name) for name in ("live.css", "painter.js", "pump.js", "stage.js"))
"""Files of the front end that paints."""
BUDGET = 0.010
"""Seconds of work for one frame."""
HASTY_BUDGET = 0.004
"""The same while a control moves, which wants to see its effect at once."""
HASTE = 0.3
"""Seconds after `refresh` during which a control counts as moving."""
WIDTHS = (50.0, 4096.0)
"""CSS pixels that a view can ask for."""
RATIOS = (0.5, 4.0)
"""Device pixels per CSS pixel that a view can ask for."""


class LiveFigure(SharedWidget):
    """Any matplotlib Figure; its moving artists are painted live by the browser.

    Between two frames the owner may move artists and change limits, titles and scales at will.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Made without pyplot. Its layout engine runs once per size, and on `relayout`.
    moving : iterable of Artist
        What changes at every frame. The rest is sent only when its axes changed.
    advance : callable, optional
        ``advance(seconds)``: do about that much work. Called once per frame asked for.
    update : callable, optional
        ``update()``: move the artists to the present data. Called before every recording.
    generation : callable, optional
        ``generation()``: a number, shown as ``data-generation`` by the canvas that paints it.
    readout : callable, optional
        ``readout()``: pairs of label and value, shown as a line of text under the canvas.
    summary : callable, optional
        ``summary()``: one line that stands for the figure where only text can be shown.
    due : callable, optional
        ``due()``: whether something is left to do that is too slow for a control that moves.
    finish : callable, optional
        ``finish()``: do it. Called once the reader's hand rests, and before a still picture.
    on_pick : callable, optional
        ``on_pick(axes, x, y)``: a click, in the data coordinates of the axes.
    on_drag : callable, optional
        ``on_drag(axes, x, y)``: the same for each place that the pressed pointer comes to; `axes`
        is where it went down, and x, y may lie outside.
    on_key : callable, optional
        ``on_key(key)``: an arrow key, Home or End was pressed on the canvas.
    on_resize : callable, optional
        ``on_resize(css_width)``: called before the layout; may rearrange axes or set `aspect`.
    on_error : callable, optional
        ``on_error(exception)``: any of these callables or the drawing raised. By then `running`
        is False. Without it the message is shown under the canvas.
    lock : context manager, optional
        Re-entrant; held whenever these callables run. The owner's own, or a new one.
    **traits
        Values of the traits below.

    Attributes
    ----------
    running : bool
        The browser asks for frames only while it is True, and only where they would be seen.
    alt : str
        The text alternative of the canvas and of the still picture.
    max_width : int
        Largest width of the canvas in CSS pixels.
    fps : float
        Frames to ask for in a second.
    aspect : float
        Height of the figure divided by its width.
    """

    _front_end = traitlets.Unicode(front_end(*LIVE, (__package__, "figure.js"))).tag(sync=True)
    _takes_picks = traitlets.Bool(False).tag(sync=True)
    _takes_drags = traitlets.Bool(False).tag(sync=True)
    _takes_keys = traitlets.Bool(False).tag(sync=True)

    running = traitlets.Bool(False).tag(sync=True)
    alt = traitlets.Unicode("").tag(sync=True)
    max_width = traitlets.Int(960).tag(sync=True)
    fps = traitlets.Float(30.0).tag(sync=True)
    aspect = traitlets.Float(0.6).tag(sync=True)

    _scene: Scene | None = None

    def __init__(
        self,
        figure: Figure,
        moving: Iterable[Artist],
        *,
        advance: Callable[[float], object] | None = None,
        update: Callable[[], object] | None = None,
        generation: Callable[[], int] | None = None,
        readout: Callable[[], Iterable[tuple[str, str]]] | None = None,
        summary: Callable[[], str] | None = None,
        due: Callable[[], bool] | None = None,
        finish: Callable[[], object] | None = None,
        on_pick: Callable[[Axes, float, float], object] | None = None,
        on_drag: Callable[[Axes, float, float], object] | None = None,
        on_key: Callable[[str], object] | None = None,
        on_resize: Callable[[float], object] | None = None,
        on_error: Callable[[Exception], object] | None = None,
        lock: AbstractContextManager[Any] | None = None,
        **traits: Any,
    ) -> None:
        self._lock: AbstractContextManager[Any] = lock or threading.RLock()
        self._advance, self._update, self._generation = advance, update, generation
        self._readout, self._summary = readout, summary
        self._due, self._finish = due, finish
        self._on_pick, self._on_drag, self._on_key = on_pick, on_drag, on_key
        self._held: Axes | None = None  # where the pointer went down
        self._on_resize, self._on_error = on_resize, on_error
        self._touched = -HASTE
        self._view: tuple[float, float] | None = None
        width, height = figure.get_size_inches()
        traits.setdefault("aspect", height / width)
        self._scene = Scene(figure, moving)
        super().__init__(
            _takes_picks=on_pick is not None,
            _takes_drags=on_drag is not None,
            _takes_keys=on_key is not None,
            **traits,
        )
        self.on_msg(self._receive)

    # For the owner

    @property
    def figure(self) -> Figure:
        """The matplotlib figure."""
        return self._living().figure

    @property
    def moving(self) -> Sequence[Artist]:
        """The artists that change at every frame; can be set."""
        return self._living().moving

    @moving.setter
    def moving(self, artists: Iterable[Artist]) -> None:
        with self._lock:
            self._living().moving = artists

    @property
    def budget(self) -> float:
        """Seconds of work for the next frame: few while a control moves."""
        return HASTY_BUDGET if time.monotonic() - self._touched < HASTE else BUDGET

    def refresh(self) -> None:
        """Send a frame that nobody asked for, now: a control moved."""
        self._touched = time.monotonic()
        self._push(self._frame)

    def relayout(self) -> None:
        """Let the layout engine run again, and send the whole figure."""
        with self._lock:
            self._living().relayout()
        self._push(self._frame)

    def png(self, **options: Any) -> bytes:
        """Save the present figure; `options` are those of ``Figure.savefig``."""
        with self._lock:
            self.complete()
            if self._update is not None:
                self._update()
            return self._living().save(**options)

    def complete(self) -> None:
        """Do now what is left to do."""
        with self._lock:
            if self._finish is not None and self._due is not None and self._due():
                self._finish()

    def still(self) -> dict[str, str]:
        """Return the present picture for where no kernel runs, by MIME type."""
        with self._lock:
            picture = base64.b64encode(self.png()).decode("ascii")
            summary = self.alt if self._summary is None else self._summary()
        image = f'<img alt="{html.escape(self.alt)}" src="data:image/png;base64,{picture}">'
        caption = f"<figcaption>{html.escape(summary)}</figcaption>"
        page = f'<figure class="lengthlab-still" style="margin:0">{image}{caption}</figure>'
        return {"text/plain": summary, "image/png": picture, "text/html": page}

    def close(self) -> None:
        """Release everything; the figure is an ordinary one again."""
        # ipywidgets closes what is left, when nothing works any more, and what was never made.
        if sys.is_finalizing() or self._scene is None:
            return
        with self._lock:
            scene, self._scene = self._scene, None
            if scene is None:
                return
            scene.release()
            self._advance = self._update = self._generation = None
            self._readout = self._summary = self._due = self._finish = None
            self._on_pick = self._on_drag = self._on_key = self._held = None
            self._on_resize = self._on_error = None
            self.on_msg(self._receive, remove=True)
            super().close()
            self.layout.close()  # which ipywidgets leaves open
            self.unobserve_all()

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle
        return {**data, **self.still()}, metadata

    # For the browser

    def _receive(self, _: object, content: dict[str, Any], buffers: object) -> None:
        with self._lock:
            kind = content.get("kind")
            if self._scene is None:
                return
            if kind == "frame":
                self._answer(self._step, slot=content.get("slot"))
            elif kind == "view":
                self._answer(lambda: self._resize(content))
            elif kind == "finish":
                self._answer(self._finished)
            elif kind in ("pick", "drag"):
                self._answer(lambda: self._pick(kind, float(content["x"]), float(content["y"])))
            elif kind == "key":
                self._answer(lambda: self._keyed(str(content["key"])))

    def _answer(self, action: Callable[[], Message | None], *, slot: object = None) -> None:
        """Send what `action` returns, or that it failed: a request is never left open."""
        error = None
        try:
            message = action()
        except Exception as exception:
            error = exception
            message = {"error": str(error) if self._on_error is None else ""}, []
        if message is not None:
            header, buffers = message
            self.send({"kind": "frame", "slot": slot, **header}, buffers)
        if error is not None:
            self.running = False
            if self._on_error is not None:
                self._on_error(error)

    def _step(self) -> Message:
        if self.running and self._advance is not None:
            self._advance(self.budget)
        return self._frame()

    def _finished(self) -> Message:
        self.complete()
        return self._frame()

    def _frame(self, *, everything: bool = False) -> Message:
        if self._update is not None:
            self._update()
        header, payload = self._living().record(everything=everything)
        generation = 0 if self._generation is None else int(self._generation())
        pairs = () if self._readout is None else self._readout()
        readout = [(str(label), str(value)) for label, value in pairs]
        due = self._due is not None and self._due()
        header |= {"generation": generation, "readout": readout, "due": due}
        return header, [payload]

    def _resize(self, content: dict[str, Any]) -> Message:
        width = min(max(float(content["width"]), WIDTHS[0]), WIDTHS[1])
        ratio = min(max(float(content["ratio"]), RATIOS[0]), RATIOS[1])
        if self._on_resize is not None:
            self._view = None  # no frame in between when it sets the aspect
            self._on_resize(width)
        self._view = width, ratio
        return self._fitted(everything=bool(content.get("fresh")))

    def _fitted(self, *, everything: bool = False) -> Message:
        if self._view is not None:
            width, ratio = self._view
            self._living().resize(width, aspect=self.aspect, pixel_ratio=ratio)
        return self._frame(everything=everything)

    @traitlets.observe("aspect")
    def _fit(self, _: object) -> None:
        self._push(self._fitted)

    def _push(self, action: Callable[[], Message]) -> None:
        """Send a frame that nobody asked for, once somebody looks."""
        with self._lock:
            if self._view is not None and self._scene is not None:
                self._answer(action)

    def _pick(self, kind: str, x: float, y: float) -> None:
        if kind == "drag":
            if self._held is not None and self._on_drag is not None:
                self._on_drag(self._held, *self._living().data_at(self._held, x, y))
            return
        found = self._living().locate(x, y)
        self._held = found[0] if found else None
        if found is not None and self._on_pick is not None:
            self._on_pick(*found)

    def _keyed(self, key: str) -> None:
        if self._on_key is not None:
            self._on_key(key)

    def _living(self) -> Scene:
        if self._scene is None:
            msg = "this LiveFigure is closed; make a new one"
            raise RuntimeError(msg)
        return self._scene
