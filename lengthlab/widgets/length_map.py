"""The length map with its diagonal: step by step from a start, and where it comes to rest."""

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from lengthlab import drawing
from lengthlab.activations import Activation, Array
from lengthlab.checks import check_count, check_real
from lengthlab.fixed_points import FixedPoints, fixed_points
from lengthlab.widgets.model import Model
from lengthlab.widgets.own import Own
from lengthlab.widgets.panel import Field
from lengthlab.widgets.view import View
from lengthlab.widgets.words import number

_FEW = 1e-9  # relative to the axis: the least start that a drag gives


class LengthMapView(View):
    """The length map V(q) over the diagonal: a cobweb from a start, and the fixed points.

    Parameters
    ----------
    model : str, Activation or Model
        phi of a new model, or a model to share with other widgets. Of the model's parameters width,
        depth and seed do not matter here.
    start : float, optional
        Length to start from, ``> 0``; that of layer 1 if not given.
    steps : int
        How often the map is applied, from 0 to 200.
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
    >>> view = LengthMapView("tanh", sigma_w=1.5, sigma_b=0.3, steps=3)
    >>> view.summary
    'tanh, sigma_w 1.5, sigma_b 0.3: from 2.34 in 3 steps to 1.013, fixed point 0.9608 slope 0.4246'
    >>> view.close()
    """

    sight = ("activation", "sigma_w", "sigma_b", "start", "steps")
    more = ("formula", "input_length", "keep_probability")
    counts = ()
    samples = False

    start = Own(
        Field("start", "start", min=0.05, max=5, step=0.05),
        lambda view, q: q if q is None else check_real("start", q, above=0, at_most=1e100),
        read=lambda view, q: view.model.experiment.net.first_variance if q is None else q,
        doc="Length to start from.",
    )
    steps = Own(
        Field("steps", "steps", whole=True, min=0, max=50, step=1),
        lambda view, steps: check_count("steps", steps, minimum=0, maximum=200),
        doc="How often the map is applied.",
    )

    def __init__(
        self,
        model: str | Activation | Model = "tanh",
        *,
        start: float | None = None,
        steps: int = 10,
        presentation: bool = False,
        **parameters: Any,
    ) -> None:
        self.take_model(model, parameters)
        self._integrals: tuple[Activation | None, dict[float, Array]] = (None, {})
        self._fixed: tuple[Any, FixedPoints | None] = (None, None)
        self.start, self.steps = start, steps
        self._artists = drawing.draw_cobweb(self._make())
        super().__init__(self._artists, presentation=presentation)

    def _make(self) -> drawing.Cobweb:
        net = self.model.experiment.net
        if self._integrals[0] is not net.activation:
            self._integrals = net.activation, {}
        return drawing.cobweb(net, start=self.start, steps=self.steps, table=self._integrals[1])

    def _move(self) -> None:
        drawing.update_cobweb(self._artists, self.made, self._points() or ())

    # Fixed points take longer than a control that moves can wait

    def _points(self) -> FixedPoints | None:
        return None if self._due() else self._fixed[1]

    def _due(self) -> bool:
        return self._fixed[0] is not self.model.experiment

    def _finish(self) -> None:
        self._fixed = self.model.experiment, fixed_points(self.model.experiment.net)

    # In words

    def _words(self) -> str:
        end = number(float(self.made.path[-1]))
        text = f"from {number(self.start)} in {self.steps} steps to {end}"
        parts = [text, *(f"{label} {value}" for label, value in self._found())]
        return f"{self._parameters_in_words()}: " + ", ".join(parts)

    def _pairs(self) -> list[tuple[str, str]]:
        end = number(float(self.made.path[-1]))
        pairs = [("start", number(self.start)), (f"after {self.steps} steps", end)]
        return pairs + self._found()

    def _found(self) -> list[tuple[str, str]]:
        points = self._points()
        if points is None:
            return []
        if points.every_q:
            return [("fixed points", "every length")]
        found = [("fixed point", f"{number(p.q)} slope {number(p.slope)}") for p in points]
        return found or [("fixed points", "none")]

    def _lines(self) -> list[str]:
        lines = self._about_phi()
        wall = self.made.wall
        if wall == 0:
            lines.append("The map is infinite at every q > 0.")
        elif math.isfinite(wall):
            lines.append(f"The map is infinite from q = {number(wall)} on (dotted line).")
        points = self._points()
        if points is not None and not points.certain:
            lines.append("That the map is finite rests on probing phi.")
        return lines

    def _alt(self) -> str:
        return (
            f"{self._words()}. Left: the length map as a curve over the diagonal, with a staircase "
            "between the two from the start. Right: the length after each step. Drag the start, or "
            "move it with the left and right arrow keys; up and down change the number of steps."
        )

    def _caption(self, text: str) -> None:
        drawing.caption_cobweb(self._artists, text)

    # From the reader

    def _picked(self, axes: Axes, x: float, y: float) -> None:
        if axes is self._artists.main:
            self.start = float(np.clip(x, _FEW, 1.0 / _FEW))

    def _dragged(self, axes: Axes, x: float, y: float) -> None:
        top = self.made.top
        self._picked(axes, min(max(x, _FEW * top), top), y)

    def _moved_by_key(self, key: str) -> None:
        step = self.made.top / 50
        if key in ("ArrowUp", "ArrowDown"):
            self.steps = min(max(self.steps + (1 if key == "ArrowUp" else -1), 0), 200)
        elif key in ("ArrowLeft", "ArrowRight"):
            self.start = max(self.start + (step if key == "ArrowRight" else -step), step / 10)
        else:
            self.start = None

    def _arranged(self, css_width: float) -> float | None:
        return drawing.arrange_cobweb(self._artists, css_width, compact=self.presentation)


Cobweb = LengthMapView
"""The same, by the name of its picture."""
