"""Depth against width: how far the logarithm of a deep network's length spreads, and sinks."""

import math
from typing import Any, ClassVar

import numpy as np

from lengthlab.activations import Activation
from lengthlab.drawing import depth_width as drawing
from lengthlab.drawing.depth_laws import DepthLaw, depth_law
from lengthlab.drawing.depth_width import DepthSample, DepthTally
from lengthlab.widgets.model import Model
from lengthlab.widgets.own import Own, choice
from lengthlab.widgets.panel import Field
from lengthlab.widgets.view import View
from lengthlab.widgets.words import number

_PATIENCE = 0.05


class DepthWidth(View):
    """The logarithm of the length against depth / width: its mean sinks and its spread grows.

    For positively homogeneous phi without bias (relu, leaky_relu, abs, identity) the mean and the
    spread of the logarithm are exact at every width; else they are those of first order.

    Parameters
    ----------
    model : str, Activation or Model
        phi of a new model, or a model to share with other widgets.
    x_axis : {"depth / width", "layers"}
        What the layers are counted in.
    presentation : bool
        For a lecture: larger letters, fewer controls.
    **parameters
        Of a new `Model`, of sigma_w sqrt(2), width 50 and depth 100 if not given.

    Attributes
    ----------
    law : DepthLaw
        Mean and spread of the logarithm at this width, layer by layer.
    sample : DepthSample
        The same of the networks drawn.

    Raises
    ------
    TypeError, ValueError
        By the constructor, if an argument breaks its rule.

    Examples
    --------
    >>> view = DepthWidth("relu", width=50, depth=100)
    >>> view.run(200)
    >>> view.summary.split(": ")[1].split(", ")[:4]
    ['depth / width 2', 'length map 2', 'mean 9.696', 'median 0.01124']
    >>> view.close()
    """

    lecture = ("activation", "width", "depth")
    banded = True  # by the 90 % of first order
    more = ("formula", "x_axis", "trials", "input_length", "keep_probability", "seed")
    options: ClassVar = {"x_axis": drawing.X_AXES}
    forms = ("png", "svg", "csv")
    ranges: ClassVar[dict[str, dict[str, Any]]] = {
        "depth": {"max": 1000, "log": True},
        "width": {"max": 1e5},
    }

    x_axis = Own(
        Field("x_axis", "x axis", kind="choice"),
        choice("x_axis", drawing.X_AXES),
        doc='What the layers are counted in: "depth / width" or "layers".',
    )

    def __init__(
        self,
        model: str | Activation | Model = "relu",
        *,
        x_axis: str = drawing.X_AXES[0],
        presentation: bool = False,
        **parameters: Any,
    ) -> None:
        if not isinstance(model, Model):
            parameters = {"sigma_w": 2**0.5, "width": 50, "depth": 100, **parameters}
        self.take_model(model, parameters)
        self._tallied: tuple[DepthLaw, DepthTally] | None = None
        self.x_axis = x_axis
        self._artists = drawing.draw_depth_width(
            self.model.experiment, self.law, self.sample, x_axis=x_axis
        )
        super().__init__(self._artists, presentation=presentation)

    @property
    def law(self) -> DepthLaw:
        """Mean and spread of the logarithm at this width."""
        return self._both()[0]

    @property
    def sample(self) -> DepthSample:
        """Numbers of the networks drawn."""
        return self._both()[1].sample(patience=_PATIENCE if self.model.running else 0.0)

    def _both(self) -> tuple[DepthLaw, DepthTally]:
        experiment = self.model.experiment
        if self._tallied is None or self._tallied[1].experiment is not experiment:
            law = depth_law(experiment)
            self._tallied = law, DepthTally(experiment, law)
        return self._tallied

    def _move(self) -> None:
        drawing.update_depth_width(
            self._artists,
            self.model.experiment,
            self.law,
            self.sample,
            x_axis=self.x_axis,
            running=self.model.running,
        )

    # In words

    def _pairs(self) -> list[tuple[str, str]]:
        law, sample, experiment = self.law, self.sample, self.model.experiment
        limit = float(experiment.prediction.values[-1])
        pairs = [("depth / width", number(experiment.depth / experiment.width))]
        pairs.append(("length map", number(limit)))
        if sample.drawn:
            pairs.append(("mean", _raised(sample.log_mean[-1])))
            pairs.append(("median", _raised(sample.median[-1])))
        for label, theory, sampled in (
            ("mean of log q", law.mean[-1], sample.mean_log[-1]),
            ("deviation of log q", law.deviation[-1], sample.deviation[-1]),
        ):
            words = [f"{number(sampled)} sampled"] if math.isfinite(sampled) else []
            known = "exact" if law.exact else "to first order"
            words += [f"{number(theory)} {known}"] if math.isfinite(theory) else []
            pairs += [(label, ", ".join(words))] if words else []
        if law.exact:
            pairs.append(("first-order mean", number(law.first_order[-1])))
        lost = sample.drawn - int(sample.alive[-1])
        pairs += [("0 or infinite", str(lost))] if lost else []
        return [*pairs, ("networks drawn", str(experiment.drawn))]

    def _lines(self) -> list[str]:
        lines = super()._lines()
        if self.law.exact:
            lines.append(
                "Mean and spread of the logarithm are exact at this width, of networks that are "
                "not dead (the sampled median and 90 % count those too); the dotted lines take the "
                "logarithm for normal."
            )
        elif np.isfinite(self.law.low[1:]).any():
            lines.append("The 90 % by theory are of first order, around the length map.")
        return lines

    def _alt(self) -> str:
        return (
            f"{self.summary}. Left: the logarithm of the length against the {self.x_axis}: the "
            "length map as a line, with triangles for the logarithm of the sampled mean near it; "
            "below, the sampled median with its 90 percent shaded, beside the mean of the "
            "logarithm by theory, dashed, and its 90 percent, dotted. Right: single networks. "
            "Up and down arrow keys choose what the x axis counts; space pauses."
        )

    def _caption(self, text: str) -> None:
        drawing.caption_depth_width(self._artists, text)

    def _table(self) -> str:
        return drawing.depth_table(self.law, self.sample)

    # From the reader

    def _moved_by_key(self, key: str) -> None:
        self.x_axis = drawing.X_AXES[key in ("ArrowUp", "ArrowRight", "End")]

    def _arranged(self, css_width: float) -> float | None:
        return drawing.arrange_depth_width(self._artists, css_width)


def _raised(logarithm: float) -> str:
    """Say what has this logarithm, 0 and infinite too."""
    return number(math.exp(logarithm) if logarithm < 709 else math.inf)
