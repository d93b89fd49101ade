"""What all views of a model share: they forward to it, watch it, and let go of it."""

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as ipw

from lengthlab.widgets.model import PARAMETERS, Model

_FORWARDED = (*PARAMETERS, "trials", "running", "drawn", "generation", "message")


class Watching(ipw.Widget):  # type: ignore[misc]
    """A widget that watches a model until it is closed; the model stays."""

    model: Model
    _watched: Sequence[tuple[Callable[[Any], object], tuple[str, ...]]] = ()

    def watch(self, handler: Callable[[Any], object], *names: str) -> None:
        """Call `handler` when one of the model's traits changes."""
        self._watched = [*self._watched, (handler, names)]
        self.model.observe(handler, list(names))

    def close(self) -> None:
        """Release everything."""
        watched, self._watched = self._watched, ()  # ipywidgets closes more than once
        for handler, names in watched:
            self.model.unobserve(handler, list(names))
        if self.comm is not None and hasattr(self, "layout"):
            self.layout.close()  # which ipywidgets leaves open
        super().close()


class View(Watching, ipw.VBox):  # type: ignore[misc]
    """A column of widgets over one model, whose traits it forwards.

    Parameters
    ----------
    model : Model
        Stays when the view is closed.
    children : sequence of Widget
        Closed with the view.
    """

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

    def close(self) -> None:
        """Release everything; the model stays."""
        for child in self.children if self.comm is not None else ():
            child.close()
        super().close()


def _forward(name: str) -> property:
    def get(self: View) -> Any:
        return getattr(self.model, name)

    def put(self: View, value: Any) -> None:
        setattr(self.model, name, value)

    return property(get, put, doc=f"The model's `{name}`.")


for _name in _FORWARDED:
    setattr(View, _name, _forward(_name))
