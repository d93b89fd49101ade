"""Small multiples: a live histogram of the lengths of each layer."""

from typing import Any, ClassVar

from lengthlab import drawing
from lengthlab.activations import Activation
from lengthlab.drawing.parts import PATIENCE
from lengthlab.widgets.model import Model
from lengthlab.widgets.own import Own, choice
from lengthlab.widgets.panel import Field
from lengthlab.widgets.view import View
from lengthlab.widgets.words import number


class Histograms(View):
    """A histogram for each layer, side by side, with the predicted length and the band.

    Parameters
    ----------
    model : str, Activation or Model
        phi of a new model, or a model to share with other widgets.
    axes : {"shared", "free"}
        One length axis for all layers, or each layer its own. Of a network with more than twelve
        layers twelve are shown.
    presentation : bool
        For a lecture: larger letters, fewer controls.
    **parameters
        Of a new `Model`: sigma_w, sigma_b, width, depth, seed, trials, ...

    Raises
    ------
    TypeError, ValueError
        By the constructor, if an argument breaks its rule.

    Examples
    --------
    >>> view = Histograms("relu", sigma_w=2**0.5, width=50, depth=8)
    >>> view.run(400)
    >>> view.summary.split(": ")[1]
    'predicted 2 to 2 in layers 1 to 8, sampled medians 2.005 to 1.441, networks drawn 400'
    >>> view.close()
    """

    more = ("formula", "axes", "trials", "input_length", "keep_probability", "seed")
    options: ClassVar = {"axes": drawing.AXES}
    forms = ("png", "svg", "csv")
    banded = True

    axes = Own(
        Field("axes", "length axes", kind="choice"),
        choice("axes", drawing.AXES),
        doc='One length axis for all layers ("shared"), or each its own ("free").',
    )

    def __init__(
        self,
        model: str | Activation | Model = "tanh",
        *,
        axes: str = "shared",
        presentation: bool = False,
        **parameters: Any,
    ) -> None:
        self.take_model(model, parameters)
        self.axes = axes
        self._artists = drawing.draw_histograms(self.model.experiment, axes=axes)
        super().__init__(self._artists, presentation=presentation)

    def _pairs(self) -> list[tuple[str, str]]:
        experiment = self.model.experiment
        ends = 1, experiment.depth
        patience = PATIENCE if self.model.running else 0.0
        first, last = (experiment.summary(layer, patience=patience) for layer in ends)
        places = f"in layers 1 to {ends[1]}"
        pairs = [("predicted", f"{number(first.predicted)} to {number(last.predicted)} {places}")]
        if experiment.drawn:
            pairs.append(("sampled medians", f"{number(first.median)} to {number(last.median)}"))
        return [*pairs, ("networks drawn", str(experiment.drawn))]

    def _alt(self) -> str:
        layers = drawing.layers_shown(self.model.depth)
        return (
            f"{self.summary}. {len(layers)} histograms of the lengths of sampled networks, one a "
            "layer, each with a vertical line at the length map and the central 90 percent of this "
            "width shaded. The space key pauses."
        )

    def _move(self) -> None:
        self._arrange(None)
        drawing.update_histograms(self._artists, self.model.experiment, axes=self.axes)

    def _arrange(self, css_width: float | None) -> None:
        aspect = drawing.arrange_histograms(self._artists, self.model.depth, css_width)
        if aspect is not None:
            self.aspect = aspect

    def _resized(self, css_width: float) -> None:
        self._arrange(css_width)

    def _caption(self, text: str) -> None:
        drawing.caption_histograms(self._artists, text)

    def _table(self) -> str:
        return self.model.experiment.table()
