"""Pick phi, see the scale of the weights that keeps a length of 1, beside those in common use."""

from typing import Any

from matplotlib.axes import Axes

from lengthlab.activations import Activation
from lengthlab.drawing import unit_scale as picture
from lengthlab.drawing.scale_maps import LAYERS, KnownScales, ScaleMap, Shown, scale_table
from lengthlab.gaussian import Estimate
from lengthlab.widgets.model import Model
from lengthlab.widgets.view import View
from lengthlab.widgets.words import number

_STEP = 0.05  # of an arrow key
_EDGE = 1e-9  # a slope so near to 1 counts as 1


class UnitScaleView(View):
    """The lengths of 50 layers at several scales of the weights: unit scale and those in use.

    Parameters
    ----------
    model : str, Activation or Model
        phi of a new model, or a model to share with other widgets. Of the model's parameters width,
        depth and seed do not matter here.
    presentation : bool
        For a lecture: larger letters, fewer controls.
    **parameters
        Of a new `Model`: sigma_w, sigma_b, ...

    Attributes
    ----------
    unit_scale : float or None
        The sigma_w at which this model keeps a length of 1; None if there is none. To read.

    Raises
    ------
    TypeError, ValueError
        By the constructor, if an argument breaks its rule.

    Examples
    --------
    >>> view = UnitScaleView("tanh")
    >>> view.summary
    "tanh, sigma_w 1, sigma_b 0: unit scale 1.593, slope V'(1) 0.4611 stable, sigma_w 1 decays to 0"
    >>> view.close()
    """

    sight = ("activation", "sigma_w", "sigma_b", "formula")
    more = ("input_length", "keep_probability")
    counts = ()
    samples = False
    forms = ("png", "svg", "csv")

    def __init__(
        self,
        model: str | Activation | Model = "tanh",
        *,
        presentation: bool = False,
        **parameters: Any,
    ) -> None:
        self.take_model(model, parameters)
        self._facts_of = KnownScales(self.model.activation)
        self._artists = picture.draw_unit_scale(self._make().maps)
        super().__init__(self._artists, presentation=presentation)

    @property
    def unit_scale(self) -> float | None:
        """The sigma_w at which this model keeps a length of 1; None if there is none."""
        shown: Shown = self.made
        return shown.unit

    # What the picture shows

    @property
    def _facts(self) -> KnownScales:
        if self._facts_of.phi is not self.model.activation:
            self._facts_of = KnownScales(self.model.activation)
        return self._facts_of

    def _make(self) -> Shown:
        try:
            return self._facts.shown(self.model.experiment.net)
        except Exception as error:  # phi's
            self.model.fail(error)
            return Shown([], why_none=self.model.message)

    def _maps(self) -> list[ScaleMap]:
        return self._facts.with_limits(self.model.experiment.net, self.made.maps)

    def _move(self) -> None:
        picture.update_unit_scale(self._artists, self._maps())

    # The scales in use, and where lengths end, take some tenths of a second

    def _due(self) -> bool:
        return self._facts.lacks(self.model.experiment.net, self.made.maps)

    def _finish(self) -> None:
        try:
            self._facts.learn(self.model.experiment.net)
        except Exception as error:  # phi's
            self._facts.broken = True
            self.model.fail(error)
        self._made = None, None  # with a table, and of more scales

    # In words

    def _pairs(self) -> list[tuple[str, str]]:
        shown: Shown = self.made
        if not shown.maps:
            return []
        pairs = [("unit scale", "none" if shown.unit is None else number(shown.unit))]
        if shown.slope is not None:
            pairs.append(("slope V'(1)", f"{number(shown.slope.value)} {_stability(shown.slope)}"))
        own = self._maps()[0]
        fate = own.fate or f"comes to {number(float(own.values[-1]))} in {LAYERS} layers"
        return [*pairs, (f"sigma_w {number(own.sigma_w)}", fate)]

    def _lines(self) -> list[str]:
        lines = self._about_phi()
        if self.made.why_none:
            lines.append(f"No unit scale: {self.made.why_none}.")
        keep = self.model.keep_probability
        if keep < 1 and self.unit_scale is not None:
            lines.append(f"Dropout makes the unit scale smaller, by the root of {number(keep)}.")
        for m in self._maps():
            if m.first_infinite or m.first_overflow:
                lines.append(f"{_called(m)}: {m.fate}.")
        if not self.model.experiment.prediction.certain:
            lines.append("That the lengths are finite rests on probing phi.")
        return lines

    def _alt(self) -> str:
        fates = "; ".join(f"{_called(m)}: {m.fate}" for m in self._maps()[1:] if m.fate)
        return (
            f"{self._words()}. Left: the length map over {LAYERS} layers, one line for "
            f"each scale of the weights, the model's own thick. Right: the scales. {fates}. "
            "A click on a line or a row gives the model its scale, as the up and down arrow keys "
            "do, one after the other; left and right change sigma_w, Home sets it to the unit "
            "scale."
        )

    def _caption(self, text: str) -> None:
        picture.caption_unit_scale(self._artists, text)

    def _table(self) -> str:
        self.complete()
        return scale_table(self.made.maps)

    # From the reader

    def _picked(self, axes: Axes, x: float, y: float) -> None:
        found = picture.scale_at(self._artists, axes, x, y)
        if found is not None:
            self.model.sigma_w = found

    def _moved_by_key(self, key: str) -> None:
        own, scales = self.model.sigma_w, sorted(m.sigma_w for m in self.made.maps[1:])
        if key in ("ArrowLeft", "ArrowRight"):
            step = _STEP if key == "ArrowRight" else -_STEP
            self.model.sigma_w = max(round(own + step, 9), _STEP)
        elif key == "ArrowUp":
            self.model.sigma_w = next((s for s in scales if s > own * (1 + 1e-12)), own)
        elif key == "ArrowDown":
            self.model.sigma_w = next((s for s in scales[::-1] if s < own * (1 - 1e-12)), own)
        elif key == "Home" and self.unit_scale is not None:
            self.model.sigma_w = self.unit_scale
        elif key == "Home":
            self.model.complain(f"No unit scale: {self.made.why_none}")

    def _arranged(self, css_width: float) -> float | None:
        return picture.arrange_unit_scale(self._artists, css_width)


def _stability(steep: Estimate) -> str:
    if abs(steep.value - 1) <= max(steep.error, _EDGE):
        return "marginal"
    return "stable" if steep.value < 1 else "unstable"


def _called(m: ScaleMap) -> str:
    return f"{', '.join(m.names)} (sigma_w {number(m.sigma_w)})"
