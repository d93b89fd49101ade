"""The controls of a model: five parameters and three buttons in sight, the rest under "More"."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lengthlab.activations import Activation, catalogue
from lengthlab.widgets.model import PARAMETERS, Model
from lengthlab.widgets.panel import Field, Panel
from lengthlab.widgets.view import Watching
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


class Controls(Watching, Panel):
    """The panel of a model, and of the fields that a view adds.

    Parameters
    ----------
    model : Model
        Stays when the controls are closed.
    fields : sequence of Field
        The view's own.
    values, options : mapping
        As in `Panel`, of the view's own fields.
    edit : callable
        ``edit(name, value)``: set the view's own; raises if the value is refused.
    """

    def __init__(
        self,
        model: Model,
        fields: Sequence[Field],
        values: Mapping[str, Any],
        options: Mapping[str, Sequence[str]],
        edit: Callable[[str, Any], object],
    ) -> None:
        self.model = model
        self._own = {field.name for field in fields}
        self._edit_own = edit
        self._others: dict[str, Activation] = {}  # seen here, and not of the catalogue
        super().__init__(
            (*_FIELDS, *fields),
            {**self._values(), **values},
            {"activation": catalogue(), **options},
            edit=self._set,
            press=self._pressed,
        )
        self.watch(self._show_parameters, "generation", "trials")
        self.watch(self._show_state, "running", "message")
        self._show_parameters()

    # From the reader

    def _set(self, name: str, value: Any) -> bool:
        with self.model.lock:
            if name in self._own:
                return self._set_own(name, value)
            if name == "activation":
                value = self._others.get(value, value)
            setattr(self.model, name, value)
            self._show_state()
            return not self.model.message

    def _set_own(self, name: str, value: Any) -> bool:
        try:
            self._edit_own(name, value)
        except (TypeError, ValueError) as error:
            self.model.complain(str(error))
            return False
        self.model.complain("")
        return True

    def _pressed(self, button: str) -> None:
        with self.model.lock:
            if button == "run" and self.model.running:
                self.model.running = False
            elif button == "run":
                self.model.resume()
            else:
                (self.model.replay if button == "same" else self.model.reseed)()
                self.model.running = True

    # From the model

    def _show_parameters(self, _: object = None) -> None:
        values = self._values()
        if tuple(self.options["activation"]) != self._names():
            self.offer({"activation": self._names()})
        self.show(values)
        self.notes = notes(self.model.experiment)
        self._show_state()

    def _values(self) -> dict[str, Any]:
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

    def _show_state(self, _: object = None) -> None:
        self.running, self.message = self.model.running, self.model.message
