"""What all views of a model share: controls over a live picture, and the model's traits."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Protocol

import traitlets
from IPython.display import display
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lengthlab.activations import Activation
from lengthlab.live import LiveFigure
from lengthlab.live.figure import LIVE
from lengthlab.live.front_end import front_end
from lengthlab.widgets.controls import Controls
from lengthlab.widgets.model import Model
from lengthlab.widgets.own import owned
from lengthlab.widgets.panel import BUTTONS
from lengthlab.widgets.run import PARAMETERS, Source
from lengthlab.widgets.words import in_words

_FORWARDED = (*PARAMETERS, "trials", "drawn", "generation")
_FRAMES = 120  # a run is spread over so many at least, or nobody would see it grow
_FILES = (
    ("lengthlab.widgets", "panel.css"),
    *LIVE,
    ("lengthlab.widgets", "panel.js"),
    ("lengthlab.widgets", "view.js"),
)
_ENLARGED = 1.5  # letters on a projector
_LECTURE = 3  # controls that a lecture keeps in sight
_MIME = {"png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf", "csv": "text/csv"}


class Drawn(Protocol):
    """What a view draws with: a figure and the artists that change at every frame."""

    @property
    def figure(self) -> Figure:
        """Made without pyplot."""

    @property
    def moving(self) -> Sequence[Artist]:
        """Of the figure."""


class View(Controls, LiveFigure):
    """Controls over a live picture of one model, whose traits it forwards.

    A subclass sets `model` by `take_model`, draws its artists, and then calls this constructor. It
    says what they show by `_move`, `_pairs`, `summary` and `_alt`, which controls it has by the
    class variables below, and what values of its own by attributes of type `Own`.

    Parameters
    ----------
    artists : Drawn
    source : Source, optional
        What this view draws at random in place of the model's own networks.
    presentation : bool
        For a lecture: larger letters, and only the controls that are moved while people watch.

    Attributes
    ----------
    sight, more : tuple of str
        Names of the controls in sight, five at most, and of those under "More".
    lecture : tuple of str
        Names of the controls in a lecture, three at most; by default the first of those in sight.
    options : mapping of str to sequence of str
        Of the view's own choices.
    ranges : mapping of str to mapping
        Of the model's sliders, where this view wants others: attributes of `Field` by name.
    forms : tuple of str
        Suffixes of the files that can be saved.
    counts : tuple of str
        Those of width, depth and seed on which the picture depends.
    samples : bool
        Whether it shows anything drawn at random: if not, it has no run and no seed.
    """

    sight: ClassVar[tuple[str, ...]] = ("activation", "sigma_w", "sigma_b", "width", "depth")
    more: ClassVar[tuple[str, ...]] = ()
    lecture: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[Mapping[str, Sequence[str]]] = {}
    ranges: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    forms: ClassVar[tuple[str, ...]] = ("png", "svg")
    counts: ClassVar[tuple[str, ...]] = ("width", "depth", "seed")
    samples: ClassVar[bool] = True
    shown = False  # until all is made
    _enlisted = False

    _front_end = traitlets.Unicode(front_end(*_FILES)).tag(sync=True)

    def __init__(
        self,
        artists: Drawn,
        *,
        source: Source | None = None,
        presentation: bool = False,
    ) -> None:
        self._source = source
        self._made: tuple[Any, Any] = (None, None)
        self._letters = _ENLARGED if presentation else 1.0
        artists.figure.set_dpi(self._letters * artists.figure.dpi)
        buttons = BUTTONS if self.samples else ()
        super().__init__(
            self.model,
            own=owned(type(self)),
            sight=(self.lecture or self.sight[:_LECTURE]) if presentation else self.sight,
            more=() if presentation else self.more,
            options=self.options,
            ranges=self.ranges,
            buttons=buttons[::2] if presentation else buttons,
            save=self.saved,
            forms=() if presentation else self.forms,
            presentation=presentation,
            figure=artists.figure,
            moving=artists.moving,
            advance=self._draw_networks if self.samples else None,
            update=self._move,
            generation=lambda: self.model.generation,
            readout=self._pairs,
            summary=lambda: self.summary,
            due=self._due,
            finish=self._finish,
            on_pick=self._picked,
            on_drag=self._dragged if self._takes_hold() else None,
            on_key=self._moved_by_key,
            on_resize=lambda width: self._resized(width / self._letters),
            on_error=self.model.fail,
            lock=self.model.lock,
        )
        self.watch(self._redraw, "generation")  # first: the reader waits for the picture
        self.watch(self._show_parameters, "generation", "trials")
        self.watch(self._show_state, "running", "message")
        self.watch(self._describe, "generation")
        if self.samples:
            self.watch(self._show_at_rest, "running", "drawn")
            self._enlisted = True
            self.model.enlist(source)
        self.shown = True
        self.changed_own()

    def take_model(self, model: str | Activation | Model, parameters: dict[str, Any]) -> None:
        """Take a model to share, or make one of phi and its parameters."""
        if isinstance(model, Model) and parameters:
            msg = f"a shared model has its own parameters; set them on it, got {sorted(parameters)}"
            raise TypeError(msg)
        self.model = model if isinstance(model, Model) else Model(model, **parameters)

    def run(self, trials: int) -> None:
        """Start again from the seed, draw exactly so many networks, and rest.

        Parameters
        ----------
        trials : int
            ``>= 1``.

        Raises
        ------
        TypeError, ValueError
            If `trials` is no count, or what phi raises.
        """
        self.model.run(trials)

    @property
    def figure(self) -> Figure:
        """The picture, with all that was drawn so far."""
        with self.model.lock:
            self.complete()
            self._move()
        return super().figure

    @property
    def summary(self) -> str:
        """One line of numbers: the parameters, and what stands under the picture."""
        self.complete()
        return self._words()

    def still(self) -> dict[str, str]:
        """Return the present picture and numbers for where no kernel runs, by MIME type."""
        with self._captioned():
            self.complete()
            self._move()
            self._describe()
            return super().still()

    def save(self, path: str | Path) -> None:
        """Write the present picture, or its numbers, to a file.

        Parameters
        ----------
        path : str or Path
            Its suffix chooses the form: png, svg or pdf, or csv where the view has numbers to give.

        Raises
        ------
        ValueError
            If the suffix is another.
        OSError
            If the file cannot be written.
        """
        path = Path(path)
        data, _ = self.saved(path.suffix.removeprefix(".").lower())
        path.write_bytes(data)

    def saved(self, form: str) -> tuple[bytes, str]:
        """Give what `save` writes, and its MIME type.

        Parameters
        ----------
        form : str
            A suffix.
        """
        forms = dict.fromkeys((*self.forms, "pdf"))
        if form not in forms:
            msg = f"path must end in one of {', '.join(forms)}; got {form!r}"
            raise ValueError(msg)
        with self._captioned():
            data = self._table().encode() if form == "csv" else self.png(format=form)
        return data, _MIME[form]

    def close(self) -> None:
        """Release everything; the model stays."""
        enlisted, self._enlisted = self._enlisted, False  # ipywidgets closes more than once
        self.unwatch()  # first: to let the source go changes the model
        if enlisted:
            self.model.dismiss(self._source)
        super().close()

    def complete(self) -> None:
        """Do now what is left to do."""
        if self._due():
            super().complete()
            self._notes = self._lines()
            self._describe()

    # For subclasses

    def _move(self) -> None:
        """Move the artists to the present data."""

    def _make(self) -> Any:
        """Compute what the picture needs, of the present parameters and the view's own values."""

    def _words(self) -> str:
        """Give the summary as far as it is known, without slow work."""
        return f"{self._parameters_in_words()}: {in_words(self._pairs())}"

    def _parameters_in_words(self) -> str:
        """Say what the numbers depend on."""
        return self.model.captioned(*self.counts)

    def _caption_in_words(self) -> str:
        """Say what the picture depends on, for where it stands without controls."""
        return self._parameters_in_words()

    def _pairs(self) -> Sequence[tuple[str, str]]:
        """Pairs of label and value under the picture."""
        return ()

    def _alt(self) -> str:
        """Say in words what the canvas shows and takes."""
        return self._words()

    def _caption(self, text: str) -> None:
        """Write at the picture, where it stands without controls; "" takes it away."""

    def _table(self) -> str:
        """Numbers of the picture as comma separated values, if "csv" is one of `forms`."""
        raise NotImplementedError

    def _due(self) -> bool:
        """Whether something is left to do that is too slow for a control that moves."""
        return False

    def _finish(self) -> None:
        """Do it."""

    def _picked(self, axes: Axes, x: float, y: float) -> None:
        """Take a click, or the start of a drag."""

    def _dragged(self, axes: Axes, x: float, y: float) -> None:
        """Take a place that the pressed pointer comes to."""

    def _moved_by_key(self, key: str) -> None:
        """Take an arrow key, Home or End."""

    def _arranged(self, css_width: float) -> float | None:
        """Arrange the axes for this width; the new aspect, or None where all is in its place."""
        return None

    def _resized(self, css_width: float) -> None:
        """Fit the picture to this width, in pixels of ordinary letters."""
        aspect = self._arranged(css_width)
        if aspect is not None:
            self.aspect = aspect
            self.relayout()

    @property
    def made(self) -> Any:
        """What `_make` gave, for the present generation and the view's own values."""
        key = self.model.experiment, *(getattr(self, name) for name in self._own)
        if self._made[0] != key:
            self._made = key, self._make()
        return self._made[1]

    def changed_own(self) -> None:
        """Show a value of the view's own that has changed."""
        self._redraw()
        self._show({name: getattr(self, name) for name in self._own})
        self._describe()

    # From the model

    def _draw_networks(self, seconds: float) -> None:
        self.model.advance(seconds, at_most=math.ceil(self.model.trials / _FRAMES))

    def _redraw(self, _: object = None) -> None:
        self.refresh()

    def _describe(self, _: object = None) -> None:
        self.alt = self._alt()

    def _show_at_rest(self, _: object = None) -> None:
        if not self.model.running:  # else the browser asks for itself
            self._describe()
            self.refresh()
            if self.model.drawn:
                self.status = self._words()

    def _takes_hold(self) -> bool:
        return type(self)._dragged is not View._dragged

    @contextmanager
    def _captioned(self) -> Iterator[None]:
        with self.model.lock:
            self._caption(self._caption_in_words())
            try:
                yield
            finally:
                self._caption("")

    # On a page

    def _ipython_display_(self) -> None:
        """Show the still picture, and the live one in its place while a kernel runs.

        Two outputs, for a page shows the live part of one output or nothing of it: so a notebook
        that is opened without a kernel has its picture and numbers. `live.css` hides the still.
        """
        data, _ = self._repr_mimebundle_() or ({}, {})
        live = {key: value for key, value in data.items() if "widget-view" in key}
        display(self.still(), raw=True)  # type: ignore[no-untyped-call]
        display(live, raw=True)  # type: ignore[no-untyped-call]


def _forward(name: str) -> property:
    def get(self: View) -> Any:
        return getattr(self.model, name)

    def put(self: View, value: Any) -> None:
        setattr(self.model, name, value)

    return property(get, put, doc=f"The model's `{name}`.")


for _name in _FORWARDED:
    setattr(View, _name, _forward(_name))
