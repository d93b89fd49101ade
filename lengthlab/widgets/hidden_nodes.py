"""Hidden nodes of one layer: neither Gaussian nor independent at finite width."""

from typing import Any, ClassVar

from lengthlab.activations import Activation
from lengthlab.checks import check_count
from lengthlab.drawing import hidden_nodes as drawing
from lengthlab.drawing.node_law import NodeLaw, node_law, why_no_kurtosis
from lengthlab.drawing.node_sample import (
    NodeSample,
    NodeStatistics,
    node_statistics,
    nodes_table,
)
from lengthlab.widgets.model import Model
from lengthlab.widgets.own import Own, switch
from lengthlab.widgets.panel import Field
from lengthlab.widgets.view import View
from lengthlab.widgets.words import number

_PATIENCE = 0.02


class HiddenNodesView(View):
    """One node of a layer against the Gaussian of infinite width, and two nodes of it together.

    The nodes are those of the model's networks: given its length, a layer's direction is uniform.

    Parameters
    ----------
    model : str, Activation or Model
        phi of a new model, or a model to share with other widgets.
    layer : int
        The layer whose nodes are shown, from 1.
    log : bool
        A logarithmic density axis, over a longer axis of nodes: it shows the tails.
    presentation : bool
        For a lecture: larger letters, fewer controls.
    **parameters
        Of a new `Model`, of sigma_w sqrt(2), width 5, depth 5 and 10000 trials if not given.

    Attributes
    ----------
    sample : NodeSample
        Two nodes of each network drawn.
    law : NodeLaw
        The exact law of one node, its kurtosis, or why they are not known.

    Raises
    ------
    TypeError, ValueError
        By the constructor, if an argument breaks its rule.

    Examples
    --------
    >>> view = HiddenNodesView("relu", width=5, layer=2)
    >>> view.run(5000)
    >>> round(view.law.kurtosis, 9), round(view.law.of_squares, 9)
    (6.0, 0.2)
    >>> view.close()
    """

    sight = ("activation", "sigma_w", "sigma_b", "width", "layer")
    lecture = ("activation", "width", "layer")
    more = (
        *("formula", "log", "depth"),
        *("trials", "input_length", "keep_probability", "seed"),
    )
    forms = ("png", "svg", "csv")
    ranges: ClassVar[dict[str, dict[str, Any]]] = {"width": {"max": 1000}}

    layer = Own(
        Field("layer", "layer", whole=True, min=1, max=10, step=1),
        lambda view, layer: _check_layer(view.model.depth, layer),
        read=lambda view, layer: min(layer, view.model.depth),
        doc="The layer whose nodes are shown.",
    )
    log = Own(
        Field("log", "logarithmic density", kind="switch"),
        switch("log"),
        doc="Whether the density axis is logarithmic.",
    )

    def __init__(
        self,
        model: str | Activation | Model = "relu",
        *,
        layer: int = 2,
        log: bool = False,
        presentation: bool = False,
        **parameters: Any,
    ) -> None:
        if not isinstance(model, Model):
            given = {"sigma_w": 2**0.5, "width": 5, "depth": 5, "trials": 10_000}
            parameters = {**given, **parameters}
        self.take_model(model, parameters)
        self._law: tuple[Any, NodeLaw | None] = (None, None)
        self._numbers: NodeStatistics | None = None
        self._sample: NodeSample | None = None
        self.layer, self.log = layer, log
        self._artists = drawing.draw_hidden_nodes(self.sample, log=log)
        super().__init__(self._artists, presentation=presentation)

    # What the picture shows

    @property
    def sample(self) -> NodeSample:
        """Two nodes of each network drawn."""
        experiment, seed = self.model.experiment, self.model.seed
        found = self._sample
        if found is None or (found.experiment, found.layer) != (experiment, self.layer):
            found = self._sample = NodeSample(experiment, layer=self.layer, seed=seed)
            self._numbers = None
        found.update()
        return found

    @property
    def law(self) -> NodeLaw:
        """The exact law of one node."""
        self.complete()
        assert self._law[1] is not None
        return self._law[1]

    def _move(self) -> None:
        sample = self.sample
        law = None if self._due() else self._law[1]
        drawing.update_hidden_nodes(
            *(self._artists, sample, self._statistics(), law),
            log=self.log,
            running=self.model.running,
        )

    def _statistics(self) -> NodeStatistics:
        sample, found = self.sample, self._numbers
        patience = 1 + (_PATIENCE if self.model.running else 0)
        if found is None or not found.drawn <= sample.drawn <= patience * found.drawn:
            found = self._numbers = node_statistics(sample)
        return found

    def _due(self) -> bool:
        return bool(self._law[0] != (self.model.experiment, self.layer))

    def _finish(self) -> None:
        experiment = self.model.experiment
        law = node_law(experiment.net, width=experiment.width, layer=self.layer)
        self._law = (experiment, self.layer), law

    # In words

    @property
    def summary(self) -> str:
        """One line of numbers: kurtosis and correlation of squares, sampled and exact."""
        self.complete()
        self._move()  # what lies beyond the axis is counted there
        return self._words()

    def _pairs(self) -> list[tuple[str, str]]:
        law, found = None if self._due() else self._law[1], self._statistics()
        qt = float(self.model.experiment.prediction.values[self.layer - 1])
        pairs = [("layer", str(self.layer)), ("limit variance", number(qt))]
        sampled = not self._without_kurtosis()
        if sampled and found.kurtosis is not None and found.error is not None:
            error = number(float(f"{found.error:.2g}"))
            pairs.append(("kurtosis", f"{number(found.kurtosis)} ± {error} (Gaussian 3)"))
        if law and law.kurtosis is not None:
            pairs.append(("kurtosis exact", number(law.kurtosis)))
        if sampled and found.of_squares is not None:
            pairs.append(("Corr(h_1^2, h_2^2)", f"{found.of_squares:.3f}"))
        if law and law.of_squares is not None and self.model.width > 1:
            pairs.append(("Corr(h_1^2, h_2^2) exact", number(law.of_squares)))
        pairs += [("law", law.name)] if law and law.name else []
        for label, count in (("h = 0", found.dead), ("infinite", found.infinite)):
            if count:
                pairs.append((label, f"{100 * count / found.drawn:.3g} %"))
        if self._artists.beyond:
            pairs.append(("beyond the axis", str(self._artists.beyond)))
        return [*pairs, ("networks drawn", str(self.model.experiment.drawn))]

    def _without_kurtosis(self) -> str:
        """Say why a sampled kurtosis would tell nothing."""
        experiment, law = self.model.experiment, None if self._due() else self._law[1]
        without = why_no_kurtosis(experiment.net, experiment.prediction, layer=self.layer)
        return without or (law.reason if law and law.rare else "")

    def _lines(self) -> list[str]:
        lines = super()._lines()
        law, without = None if self._due() else self._law[1], self._without_kurtosis()
        if law and law.cdf is None:
            lines.append(f"No exact law of this layer: {law.reason}.")
        elif law and law.reason and not without:
            lines.append(f"No exact kurtosis of this layer: {law.reason}.")
        if without:
            lines.append(f"No kurtosis and no Corr(h_1^2, h_2^2): {without}.")
        if self.model.width == 1:
            lines.append("A layer of width 1 has no second node.")
        return lines

    def _alt(self) -> str:
        return (
            f"{self._words()}. Left: a histogram of one node of layer {self.layer}, beside its "
            "exact law and the Gaussian of infinite width, dashed. Right: two nodes of the layer "
            "against each other, a point a network, with circles that hold 50 and 90 percent of "
            "them and, dashed, of independent Gaussians. Left and right arrow keys choose the "
            "layer, up and down a logarithmic or linear density axis, space pauses."
        )

    def _caption_in_words(self) -> str:
        return f"{self._parameters_in_words()}, layer {self.layer}"

    def _caption(self, text: str) -> None:
        drawing.caption_hidden_nodes(self._artists, text)

    def _table(self) -> str:
        return nodes_table(self.sample)

    # From the reader

    def _moved_by_key(self, key: str) -> None:
        last = self.model.depth
        step = {"ArrowLeft": -1, "ArrowRight": 1, "Home": -last, "End": last}.get(key, 0)
        if step:
            self.layer = min(max(self.layer + step, 1), last)
        else:
            self.log = key == "ArrowUp"

    def _arranged(self, css_width: float) -> float | None:
        return drawing.arrange_hidden_nodes(self._artists, css_width)


def _check_layer(depth: int, layer: Any) -> int:
    if check_count("layer", layer) > depth:
        msg = f"layer must be an integer >= 1 and <= {depth}, got {layer}; make depth larger first"
        raise ValueError(msg)
    return int(layer)
