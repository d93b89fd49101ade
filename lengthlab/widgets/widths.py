"""The explorer of widths: the same network at widths from 4 to 10^6."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from matplotlib.axes import Axes

from lengthlab.activations import Activation
from lengthlab.checks import check_count, check_real
from lengthlab.drawing import widths as drawing
from lengthlab.drawing.width_samples import (
    WIDTHS,
    WidthSample,
    WidthsData,
    WidthTheory,
    no_theory,
    width_theory,
    widths_table,
)
from lengthlab.widgets.model import Model
from lengthlab.widgets.own import Own
from lengthlab.widgets.panel import Field
from lengthlab.widgets.view import View
from lengthlab.widgets.widths_source import NetworksOfAllWidths, most_networks
from lengthlab.widgets.words import number

NEAREST = "nearest to N_0"


class WidthExplorer(View):
    """Histograms narrow around the length map, and all layers come near it, as the width grows.

    Parameters
    ----------
    model : str, Activation or Model
        phi of a new model, or a model to share with other widgets; its own width plays no part.
    layer : int, optional
        The layer whose lengths are shown, from 1; the last one if not given.
    eps : float
        How far from the length map counts as near, ``> 0``.
    delta : float
        Probability that is allowed for more, ``1e-9 <= delta < 1``: N_0 belongs to eps and delta.
    at_width : str or int
        Width of the numbers under the picture: one of 4, 16, 64, 256, 1000, ..., 1000000.
    presentation : bool
        For a lecture: larger letters, fewer controls.
    **parameters
        Of a new `Model`: sigma_w, sigma_b, depth, seed, trials, ...

    Attributes
    ----------
    by_width : sequence of WidthSample
        The networks drawn, one sample a width.
    theory : WidthTheory
        The probability to first order, and N_0.

    Raises
    ------
    TypeError, ValueError
        By the constructor, if an argument breaks its rule.

    Examples
    --------
    >>> explorer = WidthExplorer("tanh", sigma_w=1.5, sigma_b=0.3, depth=3, eps=0.5)
    >>> explorer.run(20)
    >>> explorer.theory.required, [sample.drawn for sample in explorer.by_width][::3]
    (171, [20, 20, 20, 20])
    >>> explorer.close()
    """

    sight = ("activation", "sigma_w", "sigma_b", "depth", "eps")
    lecture = ("activation", "sigma_w", "eps")
    more = (
        *("formula", "delta", "layer", "at_width"),
        *("trials", "input_length", "keep_probability", "seed"),
    )
    options: ClassVar = {"at_width": (NEAREST, *map(str, WIDTHS))}
    forms = ("png", "svg", "csv")
    counts = ("depth", "seed")

    layer = Own(
        Field("layer", "layer", whole=True),
        lambda view, layer: layer and check_count("layer", layer, maximum=view.model.depth),
        read=lambda view, layer: min(layer or view.model.depth, view.model.depth),
        doc="The layer whose lengths are shown.",
    )
    eps = Own(
        Field("eps", "eps", min=0.01, max=10, log=True),
        lambda _, eps: check_real("eps", eps, above=0),
        doc="How far from the length map counts as near.",
    )
    delta = Own(
        Field("delta", "delta", min=0.001, max=0.5, log=True),
        lambda _, delta: check_real("delta", delta, at_least=1e-9, below=1),
        doc="Probability that is allowed for more.",
    )
    at_width = Own(
        Field("at_width", "numbers at width", kind="choice"),
        lambda _, width: _check_width(width),
        doc="Width of the numbers under the picture.",
    )

    def __init__(
        self,
        model: str | Activation | Model = "tanh",
        *,
        layer: int | None = None,
        eps: float = 0.2,
        delta: float = 0.05,
        at_width: str | int = NEAREST,
        presentation: bool = False,
        **parameters: Any,
    ) -> None:
        self.take_model(model, parameters)
        self._theory: tuple[Any, WidthTheory | None] = None, None
        self._networks = NetworksOfAllWidths()
        self.layer, self.eps, self.delta, self.at_width = layer, eps, delta, at_width
        self._artists = drawing.draw_widths(self._data())
        super().__init__(self._artists, source=self._networks, presentation=presentation)

    @property
    def by_width(self) -> Sequence[WidthSample]:
        """The networks drawn, one sample a width."""
        return self._networks.samples

    @property
    def theory(self) -> WidthTheory:
        """The probability to first order, and N_0."""
        self.complete()
        assert self._theory[1] is not None
        return self._theory[1]

    @property
    def summary(self) -> str:
        """One line of numbers: N_0, and the networks of one width."""
        self.complete()
        self._move()  # what lies beyond the axis is counted there
        return self._words()

    # What the picture shows

    def _draw_networks(self, seconds: float) -> None:
        self.model.advance(seconds)  # in portions of its own: all widths grow together

    def _move(self) -> None:
        drawing.update_widths(self._artists, self._data(), running=self.model.running)

    def _data(self) -> WidthsData:
        theory = None if self._due() else self._theory[1]
        chosen = self._nearest(theory) if self.at_width == NEAREST else int(self.at_width)
        shown = self.layer, self.eps, self.delta
        return WidthsData(self.model.experiment, self.by_width, *shown, theory, chosen)

    def _nearest(self, theory: WidthTheory | None) -> int:
        """Return the width nearest to N_0; where there is no N_0, the largest."""
        if theory is None or theory.required is None:
            return WIDTHS[-1]
        least = theory.required
        return min(WIDTHS, key=lambda width: abs(math.log(width / least)))

    def _due(self) -> bool:
        return bool(self._theory[0] != (self.model.experiment, self.eps, self.delta))

    def _finish(self) -> None:
        net, depth = self.model.experiment.net, self.model.depth
        try:
            theory = width_theory(net, depth=depth, eps=self.eps, delta=self.delta)
        except Exception as error:  # whatever a phi does
            theory = no_theory(self.eps, f"phi raised {type(error).__name__}: {error}")
        self._theory = (self.model.experiment, self.eps, self.delta), theory

    # In words

    def _parameters_in_words(self) -> str:
        names = super()._parameters_in_words()
        return f"{names}, eps {number(self.eps)}, delta {number(self.delta)}"

    def _pairs(self) -> list[tuple[str, str]]:
        data = self._data()
        pairs = [("layer", str(self.layer)), ("predicted", number(data.predicted))]
        if data.theory:
            least = data.required
            pairs.append(("N_0", "none" if least is None else f"about {_rounded(least)}"))
        sample = next((s for s in self.by_width if s.width == data.chosen), None)
        if sample is not None and sample.drawn:
            low, high = map(number, sample.interval(self.eps))
            share = number(sample.near(self.eps) / sample.drawn)
            pairs.append((f"P at width {sample.width}", f"{share} ({low} to {high})"))
            theory = data.theory.at(sample.width) if data.theory else None
            pairs += [] if theory is None else [("first order", number(theory))]
            pairs.append(("networks of it", str(sample.drawn)))
        if self._artists.above:
            pairs.append(("▲ beyond the axis", str(self._artists.above)))
        return pairs

    def _lines(self) -> list[str]:
        lines = super()._lines()
        if not self._due() and self.theory.reason:
            lines.append(f"No N_0 of the first-order theory: {self.theory.reason}.")
        net, depth = self.model.experiment.net, self.model.depth
        few = {width: most_networks(net, width=width, depth=depth) for width in WIDTHS}
        fewer = [f"{n} of width {w}" for w, n in few.items() if n < self.model.trials]
        if fewer:
            lines.append(f"Wide networks take time: at most {', '.join(fewer)} are drawn.")
        return lines

    def _alt(self) -> str:
        return (
            f"{self._words()}. Left: for widths from 4 to 1000000 a histogram of the lengths of "
            f"layer {self.layer}, on the line of the length map, with what is within eps shaded. "
            "Right: the share of networks with all layers within eps against the width, with 95 "
            "percent intervals, the first-order theory as a curve, and N_0 as a dotted line. Left "
            "and right arrow keys choose the layer, up and down or a click the width of the "
            "numbers, space pauses."
        )

    def _caption(self, text: str) -> None:
        drawing.caption_widths(self._artists, text)

    def _table(self) -> str:
        self.complete()
        return widths_table(self._data())

    # From the reader

    def _picked(self, axes: Axes, x: float, y: float) -> None:
        # A histogram stands between its width and the next one.
        shift = 1.5 if axes is self._artists.lengths else 1.0
        nearest = min(WIDTHS, key=lambda width: abs(math.log(shift * width / x)))
        self.at_width = str(nearest)

    def _moved_by_key(self, key: str) -> None:
        last = self.model.depth
        step = {"ArrowLeft": -1, "ArrowRight": 1, "Home": -last, "End": last}.get(key, 0)
        if step:
            self.layer = min(max(self.layer + step, 1), last)
        else:
            place = WIDTHS.index(self._data().chosen) + (1 if key == "ArrowUp" else -1)
            self.at_width = str(WIDTHS[min(max(place, 0), len(WIDTHS) - 1)])

    def _arranged(self, css_width: float) -> float | None:
        return drawing.arrange_widths(self._artists, css_width)


def _check_width(width: Any) -> str:
    known = (NEAREST, *map(str, WIDTHS))
    if str(width) not in known:
        msg = f"at_width must be one of {', '.join(known)}; got {width!r}"
        raise ValueError(msg)
    return str(width)


def _rounded(count: int) -> str:
    """Four digits of a count, without a power of ten where it is short."""
    return str(int(float(f"{count:.4g}"))) if count < 1e9 else number(count)
