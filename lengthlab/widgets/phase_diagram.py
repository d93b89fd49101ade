"""The plane of sigma_w and sigma_b: pick a network's fate, and all views of its model go there."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from lengthlab.activations import Activation
from lengthlab.drawing import phase_diagram as picture
from lengthlab.phase_diagram import PhaseDiagram as Plane
from lengthlab.widgets.model import Model
from lengthlab.widgets.view import View
from lengthlab.widgets.words import number

_STEP = 0.05  # of an arrow key
_DIGITS = 2  # of a place that is clicked
_WORDS = {
    "vanishing": "vanishing: lengths fall to 0",
    "ordered": "ordered: differences of inputs fade",
    "critical": "critical: at the edge of chaos",
    "chaotic": "chaotic: differences of inputs grow",
    "exploding": "no rest: lengths grow without end",
}


class PhaseDiagram(View):
    """Where lengths rest and how differences grow, over sigma_w and sigma_b; the model is a point.

    A click, or a drag of the point, gives the model its sigma_w and sigma_b, and the other views of
    the model go there.

    Parameters
    ----------
    model : str, Activation or Model
        phi of a new model, or a model to share with other widgets. Of the model's parameters width,
        depth and seed do not matter here.
    presentation : bool
        For a lecture: larger letters, fewer controls.
    **parameters
        Of a new `Model`: sigma_w, sigma_b, ...

    Raises
    ------
    TypeError, ValueError
        By the constructor, if an argument breaks its rule.

    Examples
    --------
    >>> view = PhaseDiagram("tanh", sigma_w=1.5, sigma_b=0.3)
    >>> view.summary
    'tanh, sigma_w 1.5, sigma_b 0.3: q* 0.9608, chi 1.061, chaotic: differences of inputs grow'
    >>> view.close()
    """

    sight = ("activation", "sigma_w", "sigma_b", "formula")
    more = ("input_length", "keep_probability")
    counts = ()
    samples = False

    def __init__(
        self,
        model: str | Activation | Model = "tanh",
        *,
        presentation: bool = False,
        **parameters: Any,
    ) -> None:
        self.take_model(model, parameters)
        self._planes: tuple[Any, Plane | None] = (None, None)
        self._exact: tuple[Any, picture.Rest | None] = (None, None)
        self._artists = picture.draw_phase_diagram(self.model.experiment.net, None)
        super().__init__(self._artists, presentation=presentation)

    # What the picture shows: the plane waits for a second, the point for nothing

    @property
    def _plane(self) -> Plane | None:
        """The plane of the present phi, if it is there."""
        return self._planes[1] if self._planes[0] == self._of() else None

    def _of(self) -> tuple[Any, ...]:
        """Say what a plane belongs to."""
        return self.model.activation, self.model.keep_probability, self.model.input_length

    def _make(self) -> picture.Rest | None:
        """Where the model's lengths rest; None where that takes longer."""
        if self._plane is None:
            return None
        try:
            return picture.rest_near(self.model.experiment.net, self._plane)
        except Exception as error:  # phi's
            self.model.fail(error)
            return None

    def _rest(self) -> picture.Rest | None:
        found: picture.Rest | None = self.made
        return found or (self._exact[1] if self._exact[0] is self.model.experiment else None)

    def _move(self) -> None:
        waiting = "the plane is being computed" if self._due() else "no plane of this phi"
        net = self.model.experiment.net
        picture.update_phase_diagram(self._artists, net, self._plane, waiting)

    def _due(self) -> bool:
        if self._planes[0] != self._of():
            return True
        return self.made is None and self._exact[0] is not self.model.experiment

    def _finish(self) -> None:
        experiment = self.model.experiment
        phi, keep, length = self._of()
        self._exact = experiment, None
        try:
            if self._planes[0] != self._of():
                self._planes = self._of(), None
                plane = picture.plane(phi, keep_probability=keep, input_length=length)
                self._planes = self._of(), plane
                self._made = None, None  # the point has neighbours now
            if self.made is None:
                self._exact = experiment, picture.rest(experiment.net)
        except Exception as error:  # phi's
            self.model.fail(error)

    # In words

    def _words(self) -> str:
        numbers = [f"{label} {value}" for label, value in self._pairs()[:2]]
        parts = [*numbers, *(value for _, value in self._pairs()[2:])]
        return f"{self._parameters_in_words()}: {', '.join(parts) or 'not known'}"

    def _pairs(self) -> list[tuple[str, str]]:
        found = self._rest()
        if found is None:
            return []
        return [
            ("q*", number(found.q_star)),
            ("chi", number(found.chi) if found.phase != "exploding" else "does not apply"),
            ("phase", _WORDS[found.phase]),
        ]

    def _lines(self) -> list[str]:
        lines = self._about_phi()
        outside = self.model.sigma_w > picture.SIGMA_W[1] or self.model.sigma_b > picture.SIGMA_B[1]
        if outside:
            lines.append("The model's point is outside of the picture: the arrow points to it.")
        if self._plane is not None and _jumps(self._plane):
            lines.append(
                "Where lengths rest above 0 chi is infinite: phi jumps, or its slope has no mean "
                "square."
            )
        if self._plane is not None and not self._plane.certain:
            lines.append("That the lengths are finite rests on probing phi.")
        return lines

    def _alt(self) -> str:
        names = [text.get_text() for text in self._artists.names.values() if text.get_text()]
        phases = f" Phases with a name on it: {', '.join(names)}." if names else ""
        return (
            f"{self._words()}. The plane of sigma_w, to the right, and sigma_b, upwards: chi as a "
            "colour, a strong line at chi = 1, the edge of chaos, thin lines of the length q* at "
            f"which the lengths rest, stripes where they grow without end.{phases} A ring marks "
            "this model: drag it, click, or move it with the arrow keys."
        )

    def _caption(self, text: str) -> None:
        picture.caption_phase_diagram(self._artists, text)

    # From the reader

    def _picked(self, axes: Axes, x: float, y: float) -> None:
        if axes is self._artists.main:
            self._go(x, y)

    def _dragged(self, axes: Axes, x: float, y: float) -> None:
        self._picked(axes, x, y)

    def _moved_by_key(self, key: str) -> None:
        right = {"ArrowLeft": -_STEP, "ArrowRight": _STEP}.get(key, 0.0)
        up = {"ArrowDown": -_STEP, "ArrowUp": _STEP}.get(key, 0.0)
        if right or up:
            self._go(self.model.sigma_w + right, self.model.sigma_b + up)

    def _go(self, sigma_w: float, sigma_b: float) -> None:
        """Give the model both at once, on the plane, as one generation."""
        w = round(min(max(sigma_w, _STEP), picture.SIGMA_W[1]), _DIGITS)
        b = round(min(max(sigma_b, picture.SIGMA_B[0]), picture.SIGMA_B[1]), _DIGITS)
        with self.model.hold_trait_notifications():
            self.model.sigma_w, self.model.sigma_b = w, b

    def _arranged(self, css_width: float) -> float | None:
        return picture.arrange_phase_diagram(self._artists, css_width)


def _jumps(plane: Plane) -> bool:
    resting = np.isfinite(plane.q_star) & (plane.q_star > 0)
    return bool(resting.any() and np.isinf(plane.chi[resting]).all())
