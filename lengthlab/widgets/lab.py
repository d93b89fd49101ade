"""The length lab: random networks, live, beside the predicted curve."""

from typing import Any, ClassVar

from matplotlib.axes import Axes

from lengthlab import drawing
from lengthlab.activations import Activation
from lengthlab.checks import check_count
from lengthlab.drawing.parts import PATIENCE
from lengthlab.finite_width import LengthLaw, UnresolvedError, length_law
from lengthlab.widgets.model import Model
from lengthlab.widgets.own import Own, choice, switch
from lengthlab.widgets.panel import Field
from lengthlab.widgets.sources import WIDEST_DENSE, DenseNetworks
from lengthlab.widgets.view import View
from lengthlab.widgets.words import describe_layer, readout

BEHIND = ("band and law", "band", "law", "nothing")
"""What the lab shows beside the sampled networks."""


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
    behind : {"band and law", "band", "law", "nothing"}
        The central 90 % to first order, and the exact law at this width, without sampling.
    dense : bool
        Draw networks with weight matrices as well, at widths up to 1000: they have the same law.
    presentation : bool
        For a lecture: larger letters, fewer controls.
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

    more = (
        *("formula", "layer", "scale", "behind", "dense"),
        *("trials", "input_length", "keep_probability", "seed"),
    )
    lecture = ("activation", "sigma_w", "width")
    options: ClassVar = {"scale": drawing.SCALES, "behind": BEHIND}
    forms = ("png", "svg", "csv")
    banded = True

    layer = Own(
        Field("layer", "layer", whole=True),
        lambda lab, layer: layer and check_count("layer", layer, maximum=lab.model.depth),
        read=lambda lab, layer: min(layer or lab.model.depth, lab.model.depth),
        doc="The layer that is shown large.",
    )
    scale = Own(
        Field("scale", "length axis", kind="choice"),
        choice("scale", drawing.SCALES),
        doc='Scale of the length axes: "auto", "linear" or "log".',
    )
    behind = Own(
        Field("behind", "behind the bars", kind="choice"),
        choice("behind", BEHIND),
        doc="What is shown beside the sampled networks.",
    )
    dense = Own(
        Field("dense", "weight matrices too", kind="switch"),
        lambda lab, dense: _check_dense(lab.model.width, dense),
        doc="Whether networks with weight matrices are drawn as well.",
    )

    _matrices: DenseNetworks | None = None
    _css_width = 960.0

    def __init__(
        self,
        model: str | Activation | Model = "tanh",
        *,
        layer: int | None = None,
        scale: str = "auto",
        behind: str = "band and law",
        dense: bool = False,
        presentation: bool = False,
        **parameters: Any,
    ) -> None:
        self.take_model(model, parameters)
        self._law: tuple[Any, LengthLaw | None, str] = (None, None, "")
        self.layer, self.scale, self.behind, self.dense = layer, scale, behind, dense
        self._artists = drawing.draw_lab(self.model.experiment, layer=self.layer, scale=scale)
        super().__init__(self._artists, presentation=presentation)

    @property
    def summary(self) -> str:
        """One line of numbers: the parameters, and the layer that is shown large."""
        return self._words()

    def _words(self) -> str:
        """Give it without what depends on the axis, or on a law that is slow."""
        layer = describe_layer(self.model.experiment, self.layer)
        return f"{self._parameters_in_words()}: {layer}"

    def changed_own(self) -> None:
        """Show a value of the view's own that has changed."""
        if self.dense and self._matrices is None:
            self._matrices = DenseNetworks()
            self.model.enlist(self._matrices)
        elif not self.dense:
            self._dismiss_matrices()
        self._arrange()
        super().changed_own()

    def _dismiss_matrices(self) -> None:
        matrices, self._matrices = self._matrices, None
        if matrices is not None:
            self.model.dismiss(matrices)

    def close(self) -> None:
        """Release everything; the model stays."""
        self._dismiss_matrices()
        super().close()

    # What the picture shows

    def _move(self) -> None:
        experiment = self.model.experiment
        if not self.model.running:
            experiment.summary(self.layer)  # the last word is exact
        drawing.update_lab(
            self._artists,
            experiment,
            layer=self.layer,
            scale=self.scale,
            beside=drawing.Backdrop(
                band="band" in self.behind,
                law=self._law[1] if "law" in self.behind and not self._due() else None,
                dense=self._matrices.experiment if self._matrices else None,
            ),
        )

    def _due(self) -> bool:
        return "law" in self.behind and self._law[0] is not self.model.experiment

    def _finish(self) -> None:
        experiment = self.model.experiment
        try:
            law = length_law(experiment.net, width=experiment.width, depth=experiment.depth)
        except UnresolvedError as error:
            self._law = experiment, None, error.reason
        else:
            self._law = experiment, law, ""

    def _lines(self) -> list[str]:
        lines = super()._lines()
        if not self._due() and self._law[2]:
            lines.append(f"No exact law at this width: {self._law[2]}.")
        if self._matrices and self._matrices.experiment is None:
            lines.append(f"Weight matrices are drawn up to a width of {WIDEST_DENSE}.")
        return lines

    def _pairs(self) -> list[tuple[str, str]]:
        patience = PATIENCE if self.model.running else 0.0
        pairs = readout(self.model.experiment, self.layer, patience=patience)
        if self._artists.above:
            pairs.append(("▲ beyond the axis", str(self._artists.above)))
        if self._matrices and self._matrices.experiment:
            pairs.append(("with matrices", str(self._matrices.experiment.drawn)))
        return pairs

    def _alt(self) -> str:
        return (
            f"{self.summary}. Left: a histogram of the lengths of sampled networks at each layer, "
            "beside the curve of the length map. Right: one layer, large. Left and right arrow "
            "keys or a click choose the layer, space pauses."
        )

    def _caption(self, text: str) -> None:
        drawing.caption_lab(self._artists, text)

    def _table(self) -> str:
        return self.model.experiment.table()

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
        self._css_width = css_width
        self._arrange()

    def _arrange(self) -> None:
        shown = [name for name in ("band", "law") if name in self.behind]
        shown += ["dense"] if self.dense else []
        aspect = drawing.arrange_lab(
            self._artists, self._css_width, shown, compact=self.presentation
        )
        if aspect is not None:
            self.aspect = aspect
            self.relayout()


def _check_dense(width: int, dense: Any) -> bool:
    if switch("dense")(None, dense) and width > WIDEST_DENSE:
        msg = (
            f"dense takes a width <= {WIDEST_DENSE}, got {width}: weight matrices take time; "
            "make the width smaller first"
        )
        raise ValueError(msg)
    return bool(dense)
