"""The controls of a model and of one view of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lengthlab.activations import Activation, catalogue
from lengthlab.formula import formula
from lengthlab.widgets.model import Model
from lengthlab.widgets.panel import Field, Panel
from lengthlab.widgets.run import PARAMETERS
from lengthlab.widgets.words import formula_note, notes, unseen

_NUMBERS = (*PARAMETERS[1:], "trials")
_FIELDS = (
    Field("activation", "activation", kind="choice"),
    Field("formula", "phi(x) =", kind="text"),
    Field("sigma_w", "sigma_w", min=0.05, max=4, step=0.05),
    Field("sigma_b", "sigma_b", min=0, max=2, step=0.05),
    Field("width", "width", whole=True, min=1, max=1e7, log=True),
    Field("depth", "depth", whole=True, min=1, max=50, step=1),
    Field("trials", "trials", whole=True, min=10, max=1e5, log=True),
    Field("input_length", "input_length", min=0.05, max=4, step=0.05),
    Field("keep_probability", "keep_probability", min=0.05, max=1, step=0.05),
    Field("seed", "seed", whole=True),
)


class Controls(Panel):
    """The panel of a model, and of the fields that a view adds.

    Parameters
    ----------
    model : Model
        Stays when the controls are closed.
    own : sequence of Field
        The view's own: attributes of the same name, whose setters raise if a value is refused.
    sight, more : sequence of str
        Names of fields, the view's own and the model's, in the order in which they stand: always in
        sight, and after a press on "More". The rest is left out.
    options : mapping
        As in `Panel`, of the view's own fields.
    ranges : mapping
        Attributes of fields that are to differ, by the name of the field.
    **others
        Of the widget's other parts.
    """

    banded = False  # whether the picture shows the band of this width
    _watched: tuple[tuple[Callable[[Any], object], tuple[str, ...]], ...] = ()

    def __init__(
        self,
        model: Model,
        *,
        own: Sequence[Field] = (),
        sight: Sequence[str],
        more: Sequence[str] = (),
        options: Mapping[str, Sequence[str]] | None = None,
        ranges: Mapping[str, Mapping[str, Any]] | None = None,
        **others: Any,
    ) -> None:
        self.model = model
        self._own = tuple(field.name for field in own)
        self._others: dict[str, Activation] = {}  # seen here, and not of the catalogue
        other = ranges or {}
        known = {f.name: replace(f, **other.get(f.name, {})) for f in (*_FIELDS, *own)}
        fields = [known[name] for name in sight]
        fields += [replace(known[name], more=True) for name in more]
        super().__init__(
            fields,
            self._parameters(),
            {"activation": catalogue(), **(options or {})},
            edit=self._edited,
            press=self._pressed,
            **others,
        )
        self.observe(self._run_or_pause, "running")
        self._show_parameters()

    def watch(self, handler: Callable[[Any], object], *names: str) -> None:
        """Call `handler` when one of the model's traits changes, until this is closed."""
        self._watched = (*self._watched, (handler, names))
        self.model.observe(handler, list(names))

    def unwatch(self) -> None:
        """Watch the model no more."""
        watched, self._watched = self._watched, ()  # ipywidgets closes more than once
        for handler, names in watched:
            self.model.unobserve(handler, list(names))

    def close(self) -> None:
        """Release everything; the model stays."""
        self.unwatch()
        super().close()

    # From the reader

    def _edited(self, name: str, value: Any) -> bool:
        with self.model.lock:
            try:
                if name in self._own:
                    setattr(self, name, value)
                    self.model.complain("")
                elif name == "formula":
                    self.model.activation = self._typed(" ".join(value.split()))
                elif name == "activation":
                    self.model.activation = self._others.get(value, value)
                else:
                    setattr(self.model, name, value)
            except (TypeError, ValueError) as error:
                self.model.complain(str(error))
            self._show_state()
            return not self.model.message

    def _typed(self, text: str) -> str | Activation:
        present: Activation = self.model.activation
        if text == present.expression:
            return present
        return text if text in catalogue() else self._others.get(text) or formula(text)

    def _pressed(self, button: str) -> None:
        with self.model.lock:
            if button == "run":
                self.running = not self.model.running
            else:
                (self.model.replay if button == "same" else self.model.reseed)()
                self.model.running = True

    def _run_or_pause(self, change: Any) -> None:
        with self.model.lock:
            if not change["new"]:
                self.model.running = False
            elif not self.model.running:
                self.model.resume()

    # From the model

    def _show_parameters(self, _: object = None) -> None:
        values = {**self._parameters(), **{name: getattr(self, name) for name in self._own}}
        if tuple(self._options["activation"]) != self._names():
            self._offer({"activation": self._names()})
        self._show(values)
        self._notes = self._lines()
        self._show_state()

    def _show_state(self, _: object = None) -> None:
        self.running, self.message = self.model.running, self.model.message

    def _lines(self) -> list[str]:
        """Sentences under the buttons."""
        return self._about_phi() + notes(self.model.experiment, band=self.banded)

    def _about_phi(self) -> list[str]:
        """Say phi's formula, and what of phi no networks show; in a lecture what warns only."""
        phi = self.model.activation
        return ([] if self.presentation else formula_note(phi)) + unseen(phi)

    def _parameters(self) -> dict[str, Any]:
        phi = self.model.activation
        values = {name: getattr(self.model, name) for name in _NUMBERS}
        return {"activation": self._name(phi), "formula": phi.expression, **values}

    def _names(self) -> tuple[str, ...]:
        return (*catalogue(), *self._others)

    def _name(self, phi: Activation) -> str:
        """Name of phi in the list: a number tells it from another one of the same label."""
        if phi.into is not None and phi.label in catalogue():
            return phi.label
        for name, other in self._others.items():
            if other is phi:
                return name
        names = (phi.label, *(f"{phi.label} ({k})" for k in range(2, 1000)))
        name = next(name for name in names if name not in self._names())
        self._others[name] = phi
        return name
