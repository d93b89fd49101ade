"""What all views of a model share: they forward to it, watch it, and let go of it."""

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as ipw

from lengthlab.widgets.model import PARAMETERS, Model

_FORWARDED = (*PARAMETERS, "trials", "running", "drawn", "generation", "message")


class View(ipw.VBox):  # type: ignore[misc]
    """A column of widgets over one model, whose traits it forwards.

    Parameters
    ----------
    model : Model
        Stays when the view is closed.
    children : sequence of Widget
        Closed with the view.
    """

    _watching: Sequence[tuple[Callable[[Any], object], tuple[str, ...]]] = ()

    def __init__(self, model: Model, children: Sequence[ipw.Widget]) -> None:
        self.model = model
        super().__init__(list(children))

    def run(self, trials: int) -> None:
        """Start again from the seed, draw exactly so many networks, and rest.

        Parameters
        ----------
        trials : int
            ``>= 1``.

        Raises
        ------
        TypeError, ValueError
            If `trials` is no count, or what phi raises.
        """
        self.model.run(trials)

    def watch(self, handler: Callable[[Any], object], *names: str) -> None:
        """Call `handler` when one of the model's traits changes, until the view is closed."""
        self._watching = [*self._watching, (handler, names)]
        self.model.observe(handler, list(names))

    def close(self) -> None:
        """Release everything; the model stays."""
        watching, self._watching = self._watching, ()  # ipywidgets closes more than once
        for handler, names in watching:
            self.model.unobserve(handler, list(names))
        if self.comm is not None:
            _close_children(self)
        super().close()


def _close_children(box: ipw.Box) -> None:
    """Close a box's children with their layouts and styles, which ipywidgets leaves open."""
    for child in box.children:
        if isinstance(child, ipw.Box) and not isinstance(child, View):
            _close_children(child)
        for part in (getattr(child, "style", None), getattr(child, "layout", None)):
            if isinstance(part, ipw.Widget):
                part.close()
        child.close()
    box.layout.close()


def _forward(name: str) -> property:
    def get(self: View) -> Any:
        return getattr(self.model, name)

    def put(self: View, value: Any) -> None:
        setattr(self.model, name, value)

    return property(get, put, doc=f"The model's `{name}`.")


for _name in _FORWARDED:
    setattr(View, _name, _forward(_name))
