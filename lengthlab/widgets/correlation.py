"""Two inputs: how their angle changes from layer to layer, predicted and sampled."""

import math
from typing import Any, ClassVar

import numpy as np
from matplotlib.axes import Axes

from lengthlab.activations import Activation, Array
from lengthlab.checks import check_real
from lengthlab.correlation import CorrelationMap, correlation_map
from lengthlab.drawing import correlation as drawing
from lengthlab.drawing.correlation import Correlations, correlations, cosine, degrees
from lengthlab.drawing.correlation_series import CorrelationSteps, correlation_steps
from lengthlab.widgets.correlation_source import PairedNetworks, most_pairs
from lengthlab.widgets.model import Model
from lengthlab.widgets.own import Own, choice
from lengthlab.widgets.panel import Field
from lengthlab.widgets.view import View
from lengthlab.widgets.words import number

_EDGE = 1e-9  # distance of chi from 1 that is one of rounding


class CorrelationView(View):
    """The correlation map of two inputs, and their angle in each layer of sampled networks.

    Parameters
    ----------
    model : str, Activation or Model
        phi of a new model, or a model to share with other widgets.
    angle : float
        Between the two inputs, in degrees, from 0 to 180; both have the model's input_length.
    scale : {"angle", "correlation"}
        What is shown against the layer.
    presentation : bool
        For a lecture: larger letters, fewer controls.
    **parameters
        Of a new `Model`: sigma_w, sigma_b, width, depth, seed, trials, ...

    Attributes
    ----------
    sampled : ndarray, shape (networks, depth)
        Correlations in the networks drawn; nan where a length is 0 or infinite.

    Raises
    ------
    TypeError, ValueError
        By the constructor, if an argument breaks its rule.

    Examples
    --------
    >>> view = CorrelationView("relu", sigma_w=2**0.5, depth=3, angle=90)
    >>> view.run(200)
    >>> view.summary.split(": ")[1].split(", ")[:2]
    ['inputs 90°', 'predicted in layer 3 60.41°']
    >>> view.close()
    """

    sight = ("activation", "sigma_w", "sigma_b", "angle", "depth")
    lecture = ("activation", "sigma_w", "angle")
    more = (
        *("formula", "width", "scale"),
        *("trials", "input_length", "keep_probability", "seed"),
    )
    options: ClassVar = {"scale": drawing.SCALES}
    forms = ("png", "svg", "csv")

    angle = Own(
        Field("angle", "angle (degrees)", min=0, max=180, step=1),
        lambda _, angle: check_real("angle", angle, at_least=0, at_most=180),
        doc="Angle between the two inputs, in degrees.",
    )
    scale = Own(
        Field("scale", "against the layer", kind="choice"),
        choice("scale", drawing.SCALES),
        doc='What is shown against the layer: "angle" or "correlation".',
    )

    _turning = False

    def __init__(
        self,
        model: str | Activation | Model = "tanh",
        *,
        angle: float = 60.0,
        scale: str = "angle",
        presentation: bool = False,
        **parameters: Any,
    ) -> None:
        self.take_model(model, parameters)
        self._steps: tuple[Any, CorrelationSteps | None] = (None, None)
        self._limit: tuple[Any, float, CorrelationMap | None] = (None, math.nan, None)
        self.angle, self.scale = angle, scale
        self._networks = PairedNetworks(cosine(self.angle))
        nothing = np.empty((0, self.model.depth))
        self._artists = drawing.draw_correlation(self._make(), nothing, scale=scale)
        super().__init__(self._artists, source=self._networks, presentation=presentation)

    @property
    def sampled(self) -> Array:
        """Correlations in the networks drawn."""
        return self._networks.correlations

    def changed_own(self) -> None:
        """Show a value of the view's own that has changed: other inputs need other networks."""
        rho = cosine(self.angle)
        if self._networks.rho != rho:
            self._networks.rho, self._turning = rho, True
            self.model.enlist(self._networks)  # which begins it anew
            self.model.dismiss(self._networks)
            self._turning = False
        super().changed_own()

    # What the picture shows

    def _make(self) -> Correlations:
        return correlations(self._maps(), angle=self.angle, depth=self.model.depth)

    def _maps(self) -> CorrelationSteps:
        experiment, steps = self.model.experiment, self._steps[1]
        if steps is None or self._steps[0] is not experiment:
            steps = correlation_steps(experiment.net, experiment.prediction)
            self._steps = experiment, steps
        return steps

    def _move(self) -> None:
        limit = self._found()
        fixed = limit.fixed_point if limit else None
        drawing.update_correlation(
            self._artists, self.made, self.sampled, fixed=fixed, scale=self.scale
        )

    def _found(self) -> CorrelationMap | None:
        return None if self._due() else self._limit[2]

    def _due(self) -> bool:
        experiment, angle, limit = self._limit
        if experiment is not self.model.experiment:
            return True
        # Between 0 and 180 degrees the limit is the same, unless every correlation is kept.
        kept = limit is None or limit.fixed_point == limit.values[0]
        return angle != self.angle and (kept or {angle, self.angle} & {0.0, 180.0} != set())

    def _finish(self) -> None:
        experiment = self.model.experiment
        limit = correlation_map(experiment.net, depth=1, rho=cosine(self.angle))
        self._limit = experiment, self.angle, limit

    # In words

    def _pairs(self) -> list[tuple[str, str]]:
        path, depth = self.made.path, self.model.depth
        pairs = [("inputs", f"{number(self.angle)}°")]
        if len(path) == depth:
            end = number(float(degrees(path[-1])))
            pairs.append((f"predicted in layer {depth}", f"{end}°"))
        last = self.sampled[:, -1]
        angles = degrees(last[np.isfinite(last)])
        if len(angles):
            error = float(angles.std()) / math.sqrt(len(angles))
            mean, off = number(float(angles.mean())), number(float(f"{error:.2g}"))
            pairs.append(("sampled", f"{mean}° ± {off}°"))
        if len(angles) < len(last):
            pairs.append(("without an angle", str(len(last) - len(angles))))
        limit = self._found()
        if limit is not None:
            c, chi = limit.fixed_point, limit.chi
            pairs.append(("fixed point", "none" if c is None else f"c = {number(round(c, 12))}"))
            pairs += [] if chi is None else [("chi", _chi_in_words(chi))]
        return [*pairs, ("networks drawn", str(len(last)))]

    def _lines(self) -> list[str]:
        net, width, depth = self.model.experiment.net, self.model.width, self.model.depth
        lines, steps = self._about_phi(), self._maps()
        if steps.reason:
            lines.append(f"{steps.reason[0].upper()}{steps.reason[1:]}.")
        elif len(self.made.path) < depth:
            lines.append("Angles as small as these take slower integrals: no prediction.")
        if math.isinf(self.model.experiment.prediction.values[steps.layers - 1 :].max()):
            lines.append("Sampled networks have an angle all the same.")
        most = most_pairs(net, width=width, depth=depth)
        if most < self.model.trials:
            count = f"at most {most}" if most else "none"
            lines.append(f"Networks of this width take time: {count} of them are drawn.")
        return lines

    def _alt(self) -> str:
        shown = "angle in degrees" if self.scale == "angle" else "correlation"
        return (
            f"{self._words()}. Left: the correlation map over the diagonal, with a staircase from "
            f"the two inputs, layer by layer, and the fixed point. Right: the {shown} of the two "
            "against the layer, predicted as a curve, with a histogram of sampled networks at each "
            "layer. Drag the inputs' correlation, or turn them with the arrow keys: left and right "
            "by 1 degree, up and down by 10; space pauses."
        )

    def _show_at_rest(self, change: object = None) -> None:
        if not self._turning:
            super()._show_at_rest(change)

    def _caption(self, text: str) -> None:
        drawing.caption_correlation(self._artists, text)

    def _table(self) -> str:
        return drawing.correlations_table(self.sampled)

    # From the reader

    def _picked(self, axes: Axes, x: float, y: float) -> None:
        if axes is self._artists.map:
            net = self.model.experiment.net
            bias, weight = net.sigma_b**2, net.sigma_w**2 * net.input_length
            rho = (x * net.first_variance - bias) / weight
        else:
            rho = cosine(min(max(y, 0.0), 180.0)) if self.scale == "angle" else y
        angle = round(float(degrees(np.clip(rho, -1.0, 1.0))), 1)
        if angle != self.angle:
            self.angle = angle

    def _dragged(self, axes: Axes, x: float, y: float) -> None:
        self._picked(axes, x, y)

    def _moved_by_key(self, key: str) -> None:
        step = {"ArrowLeft": -1, "ArrowRight": 1, "ArrowDown": -10, "ArrowUp": 10}.get(key, 0)
        ends = {"Home": 0.0, "End": 180.0}
        self.angle = ends.get(key, min(max(self.angle + step, 0.0), 180.0))

    def _arranged(self, css_width: float) -> float | None:
        return drawing.arrange_correlation(self._artists, css_width)


def _chi_in_words(chi: float) -> str:
    """Say chi and its phase: beside the edge as a distance from 1, for both would read 1."""
    off = chi - 1
    if abs(off) < _EDGE:
        return f"{number(chi)} (edge of chaos)"
    value = number(chi)
    if float(f"{chi:.4g}") == 1:
        value = f"1 {'+' if off > 0 else '-'} {abs(off):.2g}"
    return f"{value} ({'chaotic' if off > 0 else 'ordered'})"
