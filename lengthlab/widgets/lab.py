"""The length lab: random networks, live, beside the predicted curve."""

import math
from typing import Any

from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lengthlab import drawing
from lengthlab.activations import Activation
from lengthlab.checks import check_count
from lengthlab.live import LiveFigure
from lengthlab.widgets.controls import Controls
from lengthlab.widgets.model import Model
from lengthlab.widgets.panel import Field
from lengthlab.widgets.view import View
from lengthlab.widgets.words import describe_layer, readout

_FRAMES = 120  # a run is spread over so many at least, or nobody would see it grow


class LengthLab(View):
    """Random networks fall into histograms, layer by layer, beside the length map.

    Parameters
    ----------
    model : str, Activation or Model
        phi of a new model, or a model to share with other widgets.
    layer : int, optional
        The layer shown large, from 1; the last one if not given.
    scale : {"auto", "linear", "log"}
        Of the length axes.
    **parameters
        Of a new `Model`: sigma_w, sigma_b, width, depth, seed, trials, ...

    Attributes
    ----------
    activation, sigma_w, sigma_b, width, depth, input_length, keep_probability, seed
        The model's parameters, to read and to set. A bad value is refused; `message` says why.
    trials, running
        The model's, to read and to set.
    drawn, generation, message
        The model's, to read.

    Raises
    ------
    TypeError, ValueError
        By the constructor, if an argument breaks its rule.

    Examples
    --------
    >>> lab = LengthLab("tanh", sigma_w=1.5, sigma_b=0.3, width=64, depth=4)
    >>> lab.run(500)
    >>> lab.summary.split(": ")[0]
    'tanh, sigma_w 1.5, sigma_b 0.3, width 64, depth 4, seed 0'
    >>> lab.close()
    """

    def __init__(
        self,
        model: str | Activation | Model = "tanh",
        *,
        layer: int | None = None,
        scale: str = "auto",
        **parameters: Any,
    ) -> None:
        if isinstance(model, Model) and parameters:
            msg = f"a shared model has its own parameters; set them on it, got {sorted(parameters)}"
            raise TypeError(msg)
        model = model if isinstance(model, Model) else Model(model, **parameters)
        self.model = model
        self._layer = layer if layer is None else check_layer(layer, self.model.depth)
        self._scale = check_scale(scale)
        self._artists = drawing.draw_lab(self.model.experiment, layer=self.layer, scale=scale)
        self._live = LiveFigure(
            self._artists.figure,
            self._artists.moving,
            advance=self._advance,
            update=self._update,
            generation=lambda: self.model.generation,
            readout=self._readout,
            summary=lambda: self.summary,
            on_pick=self._picked,
            on_key=self._pressed,
            on_resize=self._resized,
            on_error=self.model.fail,
            lock=self.model.lock,
            running=self.model.running,
        )
        self.watch(self._refresh, "generation")  # first: the reader waits for the picture
        self._controls = Controls(
            model,
            (
                Field("layer", "layer", more=True, whole=True),
                Field("scale", "length axis", more=True),
            ),
            {"layer": self.layer, "scale": scale},
            {"scale": drawing.SCALES},
            lambda name, value: setattr(self, name, value),
        )
        super().__init__(model, [self._controls, self._live])
        self._live.observe(self._run_by_key, "running")
        self.watch(self._changed, "generation")
        self.watch(self._run_or_rest, "running")
        self.watch(self._drawn_at_rest, "drawn")
        self._changed()

    # As a Python object

    @property
    def figure(self) -> Figure:
        """The picture, with all networks drawn so far."""
        with self.model.lock:
            self._update()
        return self._artists.figure

    @property
    def summary(self) -> str:
        """One line of numbers: the parameters, and the layer that is shown large."""
        return f"{self.model.caption}: {describe_layer(self.model.experiment, self.layer)}"

    @property
    def layer(self) -> int:
        """The layer that is shown large."""
        depth: int = self.model.depth
        return min(self._layer or depth, depth)

    @layer.setter
    def layer(self, layer: int) -> None:
        with self.model.lock:
            self._layer = check_layer(layer, self.model.depth)
            self._refresh()
            self._changed()

    @property
    def scale(self) -> str:
        """Scale of the length axes: "auto", "linear" or "log"."""
        return self._scale

    @scale.setter
    def scale(self, scale: str) -> None:
        with self.model.lock:
            self._scale = check_scale(scale)
            self._refresh()
            self._changed()

    def still(self) -> dict[str, str]:
        """Return the present picture and numbers for where no kernel runs, by MIME type."""
        with self.model.lock:
            drawing.caption_lab(self._artists, self.model.caption)
            try:
                return self._live.still()
            finally:
                drawing.caption_lab(self._artists, "")

    # From the reader

    def _picked(self, axes: Axes, x: float, y: float) -> None:
        if axes is self._artists.main:
            self.layer = min(max(int(x + 0.2), 1), self.model.depth)

    def _pressed(self, key: str) -> None:
        last = self.model.depth
        step = {"ArrowLeft": -1, "ArrowRight": 1, "Home": -last, "End": last}.get(key, 0)
        if step:
            self.layer = min(max(self.layer + step, 1), last)

    def _resized(self, css_width: float) -> None:
        aspect = drawing.arrange_lab(self._artists, css_width)
        if aspect is not None:
            self._live.aspect = aspect
            self._live.relayout()

    def _run_by_key(self, change: Any) -> None:
        if change["new"] and not self.model.running:
            self.model.resume()
        elif not change["new"]:
            self.model.running = False

    # From the model

    def _advance(self, seconds: float) -> None:
        self.model.advance(seconds, at_most=math.ceil(self.model.trials / _FRAMES))

    def _update(self) -> None:
        drawing.update_lab(
            self._artists, self.model.experiment, layer=self.layer, scale=self._scale
        )

    def _readout(self) -> list[tuple[str, str]]:
        patience = 0.02 if self.model.running else 0.0
        pairs = readout(self.model.experiment, self.layer, patience=patience)
        beyond = sum(tally.above for tally in self._artists.tallies)
        return [*pairs, ("▲ beyond the axis", str(beyond))] if beyond else pairs

    def _changed(self, _: object = None) -> None:
        self._controls.show({"layer": self.layer, "scale": self.scale})
        self._describe()

    def _refresh(self, _: object = None) -> None:
        self._live.refresh()

    def _describe(self) -> None:
        """Say in words what the canvas shows and takes."""
        self._live.alt = (
            f"{self.summary}. Left: a histogram of the lengths of sampled networks at each layer, "
            "beside the curve of the length map. Right: one layer, large. Left and right arrow "
            "keys or a click choose the layer, space pauses."
        )

    def _run_or_rest(self, _: object = None) -> None:
        self._live.running = self.model.running
        self._drawn_at_rest()

    def _drawn_at_rest(self, _: object = None) -> None:
        if not self.model.running:  # else the browser asks for itself
            self._describe()
            self._live.refresh()

    def _ipython_display_(self) -> None:
        """Show the still picture, and the live one in its place while a kernel runs.

        Two outputs, for a page shows the live part of one output or nothing of it: so a notebook
        that is opened without a kernel has its picture and numbers. `live.css` hides the still.
        """
        view = super()._repr_mimebundle_() or {}
        display(self.still(), raw=True)  # type: ignore[no-untyped-call]
        live = {key: data for key, data in view.items() if "widget-view" in key}
        display(live, raw=True)  # type: ignore[no-untyped-call]

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle = super()._repr_mimebundle_(**kwargs)
        return {**bundle, **self.still()} if bundle else bundle


def check_layer(layer: Any, depth: int) -> int:
    """Return `layer` if it is one, or say which there are."""
    if check_count("layer", layer) > depth:
        msg = f"layer must be an integer >= 1 and <= {depth}, got {layer!r}"
        raise ValueError(msg)
    return int(layer)


def check_scale(scale: Any) -> str:
    """Return `scale` if it is one, or say which there are."""
    if scale not in drawing.SCALES:
        msg = f"scale must be one of {', '.join(drawing.SCALES)}; got {scale!r}"
        raise ValueError(msg)
    return str(scale)
