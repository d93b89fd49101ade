"""The three assumptions on phi, and where the integral of its square lives."""

import math
from typing import Any, ClassVar, NamedTuple

from matplotlib.axes import Axes

from lengthlab.activations import Activation
from lengthlab.assumptions import Assessment, assess
from lengthlab.checks import check_real
from lengthlab.drawing import assumptions as picture
from lengthlab.drawing.integrand import (
    Integrand,
    MeanCurve,
    integrand,
    mean_curve,
    q_axis,
    view_of,
)
from lengthlab.drawing.integrand import View as PhiView
from lengthlab.gaussian import critical_variance
from lengthlab.widgets.model import Model
from lengthlab.widgets.own import Own, choice
from lengthlab.widgets.panel import Field
from lengthlab.widgets.view import View
from lengthlab.widgets.words import number

_MOST = 1e100  # of a length that is looked at
_KEYS = {"ArrowLeft": -0.05, "ArrowRight": 0.05, "ArrowDown": -0.5, "ArrowUp": 0.5}


class Shown(NamedTuple):
    """Phi as a Gaussian of variance q sees it, and the integrand; None if phi failed."""

    view: PhiView | None
    integrand: Integrand | None


class AssumptionsView(View):
    """phi, its square times the Gaussian density, and the three assumptions as lights.

    Parameters
    ----------
    model : str, Activation or Model
        phi of a new model, or a model to share with other widgets. Of the model's other parameters
        sigma_w, sigma_b and input_length matter, for they make the length of layer 1.
    q : float, optional
        Squared length per unit at which to look, ``> 0``; that of layer 1 if not given.
    scale : {"auto", "linear", "log"}
        Of the integrand; "auto" is logarithmic where it does not decay.
    presentation : bool
        For a lecture: larger letters, fewer controls.
    **parameters
        Of a new `Model`: sigma_w, sigma_b, ...

    Attributes
    ----------
    assessment : Assessment or None
        What `assess` says of phi; None if phi raised. To read.

    Raises
    ------
    TypeError, ValueError
        By the constructor, if an argument breaks its rule.

    Examples
    --------
    >>> view = AssumptionsView("exp_square", q=1.0)
    >>> view.summary.split(": ")[1]
    'q 1, m(q) 1.291, 5 to 95 % of it at z -2.123 to 2.123, peak 0, wall q = 2.5, permissible no'
    >>> view.close()
    """

    sight = ("activation", "formula", "q", "sigma_w", "sigma_b")
    more = ("scale", "input_length")
    options: ClassVar = {"scale": picture.SCALES}
    counts = ()
    samples = False

    q = Own(
        Field("q", "q", min=0.05, max=5, step=0.05),
        lambda view, q: q if q is None else check_real("q", q, above=0, at_most=_MOST),
        read=lambda view, q: view.first if q is None else q,
        doc="Squared length per unit at which to look.",
    )
    scale = Own(
        Field("scale", "height of the integrand", kind="choice"),
        choice("scale", picture.SCALES),
        doc='Scale of the integrand: "auto", "linear" or "log".',
    )

    def __init__(
        self,
        model: str | Activation | Model = "tanh",
        *,
        q: float | None = None,
        scale: str = "auto",
        presentation: bool = False,
        **parameters: Any,
    ) -> None:
        self.take_model(model, parameters)
        self._verdict: tuple[Activation | None, Assessment | None] = (None, None)
        self._means: dict[tuple[Activation, float], MeanCurve | None] = {}
        self.q, self.scale = q, scale
        self._artists = picture.draw_assumptions()
        super().__init__(self._artists, presentation=presentation)

    @property
    def first(self) -> float:
        """Length of layer 1."""
        return min(self.model.experiment.net.first_variance, _MOST)

    @property
    def assessment(self) -> Assessment | None:
        """What `assess` says of phi; None if phi raised."""
        self.complete()
        return self._assessed()

    # What the picture shows

    def _make(self) -> Shown:
        phi, known = self.model.activation, self._assessed()
        poles = () if known is None else tuple(pole.location for pole in known.poles)
        try:
            return Shown(view_of(phi, self.q, poles), integrand(phi, self.q, poles))
        except Exception as error:  # phi's
            self.model.fail(error)
            return Shown(None, None)

    def _move(self) -> None:
        shown: Shown = self.made
        picture.update_assumptions(
            self._artists, *shown, curve=self._curve(), known=self._assessed(), scale=self.scale
        )

    # The assumptions take up to a second, and m(q) on its axis some hundredths

    def _assessed(self) -> Assessment | None:
        phi, found = self._verdict
        return found if phi is self.model.activation else None

    def _wall(self) -> float:
        """From which q on m(q) is infinite, as far as that is known."""
        declared, known = critical_variance(self.model.activation, 2), self._assessed()
        found = None if known is None else known.critical_variance
        return declared if found is None else min(declared, found)

    def _axis(self) -> tuple[Activation, float]:
        return self.model.activation, q_axis(self.q, self._wall())

    def _curve(self) -> MeanCurve | None:
        return self._means.get(self._axis())

    def _due(self) -> bool:
        return self._verdict[0] is not self.model.activation or self._axis() not in self._means

    def _finish(self) -> None:
        phi = self.model.activation
        try:
            if self._verdict[0] is not phi:
                self._verdict, self._means = (phi, None), {}
                self._verdict = phi, assess(phi)
                self._made = None, None  # there may be more poles
            if self._axis() not in self._means:
                self._means[self._axis()] = None
                _, top = self._axis()
                self._means[self._axis()] = mean_curve(phi, top, self._wall())
        except Exception as error:  # phi's
            self._means.setdefault(self._axis(), None)
            self.model.fail(error)

    # In words

    def _pairs(self) -> list[tuple[str, str]]:
        pairs, found = [("q", number(self.q))], self.made.integrand
        if found is not None:
            mean = "beyond every float" if found.mean.overflow else number(found.mean.value)
            pairs.append(("m(q)", "infinite" if mean == "∞" else mean))
            if found.part:
                low, high = map(number, found.part)
                pairs.append(("5 to 95 % of it", f"at z {low} to {high}"))
            if found.peaks:
                pairs.append(("peak", " and ".join(number(z) for z in found.peaks)))
        wall, known = self._wall(), self._assessed()
        if wall < math.inf:
            pairs.append(("wall", f"q = {number(wall)}" if wall else "at every q > 0"))
        if known is not None:
            pairs.append(("permissible", picture.WORDS[known.permissible]))
        return pairs

    def _lines(self) -> list[str]:
        lines, known = self._about_phi(), self._assessed()
        if known is None:
            return lines
        for name, found in zip(
            picture.LIGHTS, (known.bounded, known.growth, known.measurable), strict=True
        ):
            symbol, word = picture.SYMBOLS[found.holds], picture.WORDS[found.holds]
            lines.append(f"{symbol} {name}: {word}. {found.reason}")
        if known.permissible is False and known.critical_variance == math.inf:
            lines.append("m(q) is finite all the same: the assumptions are sufficient only.")
        found = self.made.integrand
        if found is not None and not found.faithful:
            lines.append("The picture shows phi as floats see it; m(q) is exact.")
        return lines

    def _alt(self) -> str:
        known = self._assessed()
        lights = [] if known is None else [known.bounded, known.growth, known.measurable]
        words = "; ".join(
            f"{name}: {picture.WORDS[light.holds]}"
            for name, light in zip(picture.LIGHTS, lights, strict=False)
        )
        return (
            f"{self._words()}. First: phi over four standard deviations, with its kinks and poles. "
            "Second: its square times the Gaussian density at q, with the part that holds 5 to 95 "
            "percent of the integral dark. Third: the integral m(q) against q, with a dotted wall "
            f"from which on it is infinite. Lights: {words or 'not decided yet'}. Drag the point "
            "on the third, or move q with the arrow keys; Home takes the length of layer 1."
        )

    def _caption_in_words(self) -> str:
        return f"{self._parameters_in_words()}, q {number(self.q)}"

    def _caption(self, text: str) -> None:
        picture.caption_assumptions(self._artists, text)

    # From the reader

    def _picked(self, axes: Axes, x: float, y: float) -> None:
        if axes is self._artists.right:
            top = axes.get_xlim()[1]
            self.q = float(f"{min(max(x, 1e-3 * top), top):.3g}")

    def _dragged(self, axes: Axes, x: float, y: float) -> None:
        self._picked(axes, x, y)

    def _moved_by_key(self, key: str) -> None:
        if key in _KEYS:
            self.q = min(max(round(self.q + _KEYS[key], 6), 0.05), _MOST)
        elif key == "Home":
            self.q = None

    def _arranged(self, css_width: float) -> float | None:
        return picture.arrange_assumptions(self._artists, css_width)
