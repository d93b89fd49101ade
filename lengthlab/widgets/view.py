"""What all views of a model share: controls over a live picture, and the model's traits."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

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
from lengthlab.widgets.model import PARAMETERS, Model
from lengthlab.widgets.panel import Field

_FORWARDED = (*PARAMETERS, "trials", "drawn", "generation")
_FRAMES = 120  # a run is spread over so many at least, or nobody would see it grow
_FILES = (
    ("lengthlab.widgets", "panel.css"),
    *LIVE,
    ("lengthlab.widgets", "panel.js"),
    ("lengthlab.widgets", "view.js"),
)


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
    says what they show by `_move`, `_readout` and `_alt`.

    Parameters
    ----------
    artists : Drawn
    fields, options
        Of the view's own controls, as in `Controls`.
    """

    _front_end = traitlets.Unicode(front_end(*_FILES)).tag(sync=True)

    def __init__(
        self,
        artists: Drawn,
        *,
        fields: Sequence[Field] = (),
        options: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        super().__init__(
            self.model,
            fields,
            options,
            figure=artists.figure,
            moving=artists.moving,
            advance=self._draw_networks,
            update=self._move,
            generation=lambda: self.model.generation,
            readout=self._pairs,
            summary=lambda: self.summary,
            on_pick=self._picked,
            on_key=self._moved_by_key,
            on_resize=self._resized,
            on_error=self.model.fail,
            lock=self.model.lock,
        )
        self.watch(self._redraw, "generation")  # first: the reader waits for the picture
        self.watch(self._show_parameters, "generation", "trials")
        self.watch(self._show_state, "running", "message")
        self.watch(self._describe, "generation")
        self.watch(self._show_at_rest, "running", "drawn")
        self._describe()

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
        """The picture, with all networks drawn so far."""
        with self.model.lock:
            self._move()
        return super().figure

    @property
    def summary(self) -> str:
        """One line of numbers."""
        return self.model.summary

    # For subclasses

    def _move(self) -> None:
        """Move the artists to the present data."""

    def _pairs(self) -> Sequence[tuple[str, str]]:
        """Pairs of label and value under the picture."""
        return ()

    def _alt(self) -> str:
        """Say in words what the canvas shows and takes."""
        return self.summary

    def _picked(self, axes: Axes, x: float, y: float) -> None:
        """Take a click."""

    def _moved_by_key(self, key: str) -> None:
        """Take an arrow key, Home or End."""

    def _resized(self, css_width: float) -> None:
        """Arrange the axes for this width."""

    def _changed_own(self) -> None:
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
