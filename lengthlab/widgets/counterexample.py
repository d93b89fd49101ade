"""The failing case beside a converging one, on the same seeds."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from lengthlab.activations import Activation, catalogue
from lengthlab.checks import check_count
from lengthlab.drawing import counterexample as drawing
from lengthlab.drawing.sums import Side, sides_table
from lengthlab.outcome import Outcome, outcome
from lengthlab.widgets.counterexample_source import LARGEST, BothSides
from lengthlab.widgets.model import Model
from lengthlab.widgets.own import Own, choice
from lengthlab.widgets.panel import Field
from lengthlab.widgets.view import View
from lengthlab.widgets.words import number, unseen

_DEEPEST = 50
_WIDTH = 1_000_000
_PATIENCE = 0.02


class CounterexampleView(View):
    """One activation whose averages never settle, and one whose do, as the width grows.

    The terms are ``phi(h_i)^2`` of the units of the layer before `layer`. Above, the model's
    activation; below, the other one, on the same normal draws.

    Parameters
    ----------
    model : str, Activation or Model
        phi of a new model, or a model to share with other widgets. Its width is the largest N.
    against : str
        The other activation, by its name in the catalogue.
    layer : int
        The layer whose length is shown, from 2 to 50.
    presentation : bool
        For a lecture: larger letters, fewer controls.
    **parameters
        Of a new `Model`: sigma_w, sigma_b, width (10^6 if not given), seed, trials, ...

    Attributes
    ----------
    sides : sequence of Side
        What was drawn of both.
    outcomes : sequence of Outcome
        What becomes of both as N grows without end.

    Raises
    ------
    TypeError, ValueError
        By the constructor, if an argument breaks its rule.

    Examples
    --------
    >>> view = CounterexampleView("reciprocal", against="tanh", width=1000)
    >>> view.run(200)
    >>> [outcome.kind for outcome in view.outcomes]
    ['fails', 'converges']
    >>> view.close()
    """

    sight = ("activation", "sigma_w", "sigma_b", "against", "layer")
    lecture = ("activation", "against", "layer")
    more = ("formula", "width", "trials", "seed")
    options: ClassVar = {"against": catalogue()}
    forms = ("png", "svg", "csv")
    counts = ("width", "seed")

    against = Own(
        Field("against", "against", kind="choice"),
        choice("against", catalogue()),
        doc="The other activation.",
    )
    layer = Own(
        Field("layer", "layer", whole=True, min=2, max=10, step=1),
        lambda _, layer: check_count("layer", layer, minimum=2, maximum=_DEEPEST),
        doc="The layer whose length is shown.",
    )

    def __init__(
        self,
        model: str | Activation | Model = "reciprocal",
        *,
        against: str = "tanh",
        layer: int = 2,
        presentation: bool = False,
        **parameters: Any,
    ) -> None:
        if not isinstance(model, Model):
            parameters = {"width": _WIDTH, **parameters}
        self.take_model(model, parameters)
        self._outcomes: tuple[Any, Sequence[Outcome]] = None, ()
        self.against, self.layer = against, layer
        self._pair = BothSides(self.against, self.layer)
        self._artists = drawing.draw_counterexample()
        super().__init__(self._artists, source=self._pair, presentation=presentation)

    @property
    def sides(self) -> Sequence[Side]:
        """What was drawn of both, the model's activation first."""
        return self._pair.sides

    @property
    def outcomes(self) -> Sequence[Outcome]:
        """What becomes of both as N grows without end."""
        self.complete()
        return self._outcomes[1]

    def changed_own(self) -> None:
        """Show a value of the view's own that has changed: what is drawn begins anew."""
        pair = self._pair
        if (self.against, self.layer) != (pair.against, pair.layer):
            self.model.dismiss(pair)
            pair.against, pair.layer = self.against, self.layer
            self.model.enlist(pair)
        super().changed_own()
        self._notes = self._lines()

    # What the picture shows

    def _draw_networks(self, seconds: float) -> None:
        self.model.advance(seconds)  # in portions of its own: all grow together

    def _move(self) -> None:
        running = self.model.running
        drawing.update_counterexample(self._artists, self.sides, layer=self.layer, running=running)

    def _key(self) -> tuple[Any, ...]:
        return self.model.experiment, self.against, self.layer

    def _due(self) -> bool:
        return bool(self._outcomes[0] != self._key())

    def _finish(self) -> None:
        found = tuple(_outcome(side, self.layer) for side in self.sides)
        self._outcomes = self._key(), found

    # In words

    def _pairs(self) -> list[tuple[str, str]]:
        known = () if self._due() else self._outcomes[1]
        pairs = []
        for k, side in enumerate(self.sides):
            name, sample = side.name, side.samples[-1]
            fate = _fate(known[k]) if known else "…"
            pairs.append((name, fate if side.faithful else f"{fate} (no float can tell)"))
            pairs.append(("length map", side.no_limit or number(side.limit)))
            low, median, high = sample.quantiles(_PATIENCE if self.model.running else 0.0)
            if sample.drawn:
                whose = "" if side.faithful else " of floats"
                where = f"q_{self.layer}{whose} at N = {sample.width}"
                pairs.append((where, f"{number(median)} ({number(low)} to {number(high)})"))
            shares = side.sums.shares[:, -1]
            if np.isfinite(shares).any():
                pairs.append(("largest share", number(float(np.nanmedian(shares)))))
            if sample.drawn:
                pairs.append(("networks", str(sample.drawn)))
        return pairs

    def _lines(self) -> list[str]:
        lines = [
            f"Terms: phi(h)^2 of the units of layer {self.layer - 1}; their mean times sigma_w^2, "
            f"plus sigma_b^2, is compared with the length map at layer {self.layer}."
        ]
        if not self._due():
            for side, found in zip(self.sides, self._outcomes[1], strict=True):
                what = [f"{side.name}: {found.reason}", *unseen(side.net.activation)]
                lines.append(" ".join(what))
        if self.model.width > LARGEST:
            lines.append(f"Drawn up to N = {LARGEST}: wider networks take minutes.")
        return lines

    def _alt(self) -> str:
        return (
            f"{self._words()}. One row for each of the two activations, one above the other. From "
            f"left to right: the mean of the first n terms, with the length map as a dashed line; "
            f"the share of the largest of n terms in their sum; the length of layer {self.layer} "
            "against the width N, as medians with the range of 90 percent of the networks; the "
            "same divided by N. Left and right arrow keys choose the layer, space pauses."
        )

    def _caption_in_words(self) -> str:
        return f"{self._parameters_in_words()}, layer {self.layer}"

    def _caption(self, text: str) -> None:
        drawing.caption_counterexample(self._artists, text)

    def _table(self) -> str:
        return sides_table(self.sides, self.layer)

    # From the reader

    def _moved_by_key(self, key: str) -> None:
        step = {"ArrowLeft": -1, "ArrowRight": 1, "Home": 2 - self.layer}.get(key, 0)
        if step:
            self.layer = min(max(self.layer + step, 2), _DEEPEST)

    def _arranged(self, css_width: float) -> float | None:
        return drawing.arrange_counterexample(self._artists, css_width)


def _outcome(side: Side, layer: int) -> Outcome:
    """Say what becomes of a network; undecided where phi does not let it be known."""
    try:
        return outcome(side.net, depth=layer)
    except Exception as error:
        return Outcome("undecided", None, f"phi raised {type(error).__name__}: {error}.")


def _fate(found: Outcome) -> str:
    return found.kind if found.layer is None else f"{found.kind} at layer {found.layer}"
