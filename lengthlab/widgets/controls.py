"""The controls of a model: five parameters and three buttons in sight, the rest under "More"."""

from typing import Any

import ipywidgets as ipw

from lengthlab.activations import Activation, catalogue
from lengthlab.widgets.fields import Field, Fields
from lengthlab.widgets.model import PARAMETERS, Model
from lengthlab.widgets.view import View

_IN_SIGHT = (
    Field("activation", "activation"),
    Field("sigma_w", "sigma_w", min=0.05, max=4, step=0.05),
    Field("sigma_b", "sigma_b", min=0, max=2, step=0.05),
    Field("width", "width", whole=True, min=1, max=1e7, log=True),
    Field("depth", "depth", whole=True, min=1, max=50, step=1),
)
_UNDER_MORE = (
    Field("trials", "trials", whole=True, min=10, max=1e5, log=True),
    Field("input_length", "input_length", min=0.05, max=4, step=0.05),
    Field("keep_probability", "keep_probability", min=0.05, max=1, step=0.05),
    Field("seed", "seed", whole=True),
)


class Controls(View):
    """Dropdown, sliders, number fields and buttons over one `Model`.

    Parameters
    ----------
    model : Model
    extras : sequence of Widget
        Controls of the view itself, shown under "More"; closed with this widget.
    """

    def __init__(self, model: Model, extras: tuple[ipw.Widget, ...] = ()) -> None:
        self._others: dict[str, Activation] = {}  # seen here, and not of the catalogue
        self._fields = Fields(_IN_SIGHT, _values(model), self._edit, {"activation": catalogue()})
        self._run = ipw.Button(icon="pause", description="Pause")
        self._same = ipw.Button(icon="repeat", description="Same seed")
        self._new = ipw.Button(icon="random", description="New seed")
        self._more = ipw.ToggleButton(description="More", icon="sliders")
        self._more_fields = Fields(_UNDER_MORE, _values(model), self._edit)
        self._drawer = ipw.VBox([self._more_fields, *extras])
        self._drawer.layout.display = "none"
        buttons = ipw.HBox([self._run, self._same, self._new, self._more])
        buttons.layout.flex_flow = "row wrap"
        for button in buttons.children:
            button.layout.width = "8.5em"
        super().__init__(model, [self._fields, buttons, self._drawer])
        self._run.on_click(self._run_or_pause)
        self._same.on_click(self._replay)
        self._new.on_click(self._reseed)
        self._more.observe(self._toggle_drawer, "value")
        self.watch(self._show_parameters, "generation", "trials")
        self.watch(self._show_running, "running")
        self._show_parameters()
        self._show_running()

    # From the reader

    def _edit(self, name: str, value: Any) -> bool:
        with self.model.lock:
            if name == "activation":
                value = self._others.get(value, value)
            setattr(self.model, name, value)
            return not self.model.message

    def _run_or_pause(self, _: object) -> None:
        if self.model.running:
            self.model.running = False
        else:
            self.model.resume()

    def _replay(self, _: object) -> None:
        self.model.replay()
        self.model.running = True

    def _reseed(self, _: object) -> None:
        self.model.reseed()
        self.model.running = True

    def _toggle_drawer(self, change: Any) -> None:
        self._drawer.layout.display = "" if change["new"] else "none"

    # From the model

    def _show_parameters(self, _: object = None) -> None:
        phi = self.model.activation
        if phi.name not in catalogue() and phi.name not in self._others:
            self._others[phi.name] = phi
            self._fields.offer({"activation": (*catalogue(), *self._others)})
        self._fields.show(_values(self.model))
        self._more_fields.show(_values(self.model))

    def _show_running(self, _: object = None) -> None:
        running = self.model.running
        self._run.description = "Pause" if running else "Run"
        self._run.icon = "pause" if running else "play"


def _values(model: Model) -> dict[str, Any]:
    numbers = {name: getattr(model, name) for name in (*PARAMETERS[1:], "trials")}
    return {"activation": model.activation.name, **numbers}
