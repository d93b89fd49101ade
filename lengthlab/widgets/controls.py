"""The controls of a model: five parameters and three buttons in sight, the rest under "More"."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lengthlab.activations import Activation, catalogue
from lengthlab.widgets.model import PARAMETERS, Model
from lengthlab.widgets.panel import Field, Panel
from lengthlab.widgets.words import notes

_FIELDS = (
    Field("activation", "activation"),
    Field("sigma_w", "sigma_w", min=0.05, max=4, step=0.05),
    Field("sigma_b", "sigma_b", min=0, max=2, step=0.05),
    Field("width", "width", whole=True, min=1, max=1e7, log=True),
    Field("depth", "depth", whole=True, min=1, max=50, step=1),
    Field("trials", "trials", more=True, whole=True, min=10, max=1e5, log=True),
    Field("input_length", "input_length", more=True, min=0.05, max=4, step=0.05),
    Field("keep_probability", "keep_probability", more=True, min=0.05, max=1, step=0.05),
    Field("seed", "seed", more=True, whole=True),
)


class Controls(Panel):
    """The panel of a model, and of the fields that a view adds.

    Parameters
    ----------
    model : Model
        Stays when the controls are closed.
    fields : sequence of Field
        The view's own: attributes of the same name, whose setters raise if a value is refused.
    options : mapping
        As in `Panel`, of the view's own fields.
    **others
        Of the widget's other parts.
    """

    _watched: tuple[tuple[Callable[[Any], object], tuple[str, ...]], ...] = ()

    def __init__(
        self,
        model: Model,
        fields: Sequence[Field] = (),
        options: Mapping[str, Sequence[str]] | None = None,
        **others: Any,
    ) -> None:
        self.model = model
        self._own = tuple(field.name for field in fields)
        self._others: dict[str, Activation] = {}  # seen here, and not of the catalogue
        super().__init__(
            (*_FIELDS, *fields),
            self._parameters(),
            {"activation": catalogue(), **(options or {})},
            edit=self._edited,
            press=self._pressed,
            **{"running": model.running, **others},
        )
        self.observe(self._run_or_pause, "running")
        self._show_parameters()

    def watch(self, handler: Callable[[Any], object], *names: str) -> None:
        """Call `handler` when one of the model's traits changes, until this is closed."""
        self._watched = (*self._watched, (handler, names))
        self.model.observe(handler, list(names))

    def close(self) -> None:
        """Release everything; the model stays."""
        watched, self._watched = self._watched, ()  # ipywidgets closes more than once
        for handler, names in watched:
            self.model.unobserve(handler, list(names))
        super().close()

    # From the reader

    def _edited(self, name: str, value: Any) -> bool:
        with self.model.lock:
            if name in self._own:
                return self._edited_own(name, value)
            if name == "activation":
                value = self._others.get(value, value)
            setattr(self.model, name, value)
            self._show_state()
            return not self.model.message

    def _edited_own(self, name: str, value: Any) -> bool:
        try:
            setattr(self, name, value)
        except (TypeError, ValueError) as error:
            self.model.complain(str(error))
            return False
        self.model.complain("")
        return True

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
        self._notes = notes(self.model.experiment)
        self._show_state()

    def _show_state(self, _: object = None) -> None:
        self.running, self.message = self.model.running, self.model.message

    def _parameters(self) -> dict[str, Any]:
        numbers = {name: getattr(self.model, name) for name in (*PARAMETERS[1:], "trials")}
        return {"activation": self._name(self.model.activation), **numbers}

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
