"""The length lab: random networks, live, beside the predicted curve."""

from typing import Any

from matplotlib.axes import Axes

from lengthlab import drawing
from lengthlab.activations import Activation
from lengthlab.checks import check_count
from lengthlab.widgets.model import Model
from lengthlab.widgets.panel import Field
from lengthlab.widgets.view import View
from lengthlab.widgets.words import describe_layer, readout

_FIELDS = (
    Field("layer", "layer", more=True, whole=True),
    Field("scale", "length axis", more=True),
)


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
        self.take_model(model, parameters)
        self._layer = layer if layer is None else check_layer(layer, self.model.depth)
        self._scale = check_scale(scale)
        self._artists = drawing.draw_lab(self.model.experiment, layer=self.layer, scale=scale)
        super().__init__(self._artists, fields=_FIELDS, options={"scale": drawing.SCALES})

    # As a Python object

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
            self._changed_own()

    @property
    def scale(self) -> str:
        """Scale of the length axes: "auto", "linear" or "log"."""
        return self._scale

    @scale.setter
    def scale(self, scale: str) -> None:
        with self.model.lock:
            self._scale = check_scale(scale)
            self._changed_own()

    def still(self) -> dict[str, str]:
        """Return the present picture and numbers for where no kernel runs, by MIME type."""
        with self.model.lock:
            drawing.caption_lab(self._artists, self.model.caption)
            try:
                return super().still()
            finally:
                drawing.caption_lab(self._artists, "")

    # From the reader

    def _picked(self, axes: Axes, x: float, y: float) -> None:
        if axes is self._artists.main:
            self.layer = min(max(int(x + 0.2), 1), self.model.depth)

    def _moved_by_key(self, key: str) -> None:
        last = self.model.depth
        step = {"ArrowLeft": -1, "ArrowRight": 1, "Home": -last, "End": last}.get(key, 0)
        if step:
            self.layer = min(max(self.layer + step, 1), last)

    def _resized(self, css_width: float) -> None:
        aspect = drawing.arrange_lab(self._artists, css_width)
        if aspect is not None:
            self.aspect = aspect
            self.relayout()

    # From the model

    def _move(self) -> None:
        drawing.update_lab(
            self._artists, self.model.experiment, layer=self.layer, scale=self._scale
        )

    def _pairs(self) -> list[tuple[str, str]]:
        patience = 0.02 if self.model.running else 0.0
        pairs = readout(self.model.experiment, self.layer, patience=patience)
        beyond = sum(tally.above for tally in self._artists.tallies)
        return [*pairs, ("▲ beyond the axis", str(beyond))] if beyond else pairs

    def _alt(self) -> str:
        return (
            f"{self.summary}. Left: a histogram of the lengths of sampled networks at each layer, "
            "beside the curve of the length map. Right: one layer, large. Left and right arrow "
            "keys or a click choose the layer, space pauses."
        )


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
