"""Values that belong to one view: declared once, checked, and shown by a control."""

from collections.abc import Callable, Iterable
from typing import Any

from lengthlab.widgets.panel import Field


class Own:
    """A value of the view's own, with its control; a descriptor.

    To set it checks the value and shows it. A bad one raises, and the old one stays.

    Parameters
    ----------
    field : Field
        Its control; `name` is that of the attribute.
    check : callable
        ``check(view, value)``: the accepted form of a value, or an exception that names it.
    read : callable, optional
        ``read(view, value)``: what the attribute gives, where that depends on the model.
    doc : str
        What it is.
    """

    def __init__(
        self,
        field: Field,
        check: Callable[[Any, Any], Any],
        *,
        read: Callable[[Any, Any], Any] | None = None,
        doc: str,
    ) -> None:
        self.field, self._check, self._read = field, check, read
        self.__doc__ = doc

    def __get__(self, view: Any, owner: type | None = None) -> Any:
        if view is None:
            return self
        value = vars(view)[f"_{self.field.name}"]
        return value if self._read is None else self._read(view, value)

    def __set__(self, view: Any, value: Any) -> None:
        with view.model.lock:
            vars(view)[f"_{self.field.name}"] = self._check(view, value)
            if view.shown:
                view.changed_own()


def owned(view: type) -> tuple[Field, ...]:
    """Fields of the values that a class and those above it declare."""
    known = {name: value for cls in view.__mro__[::-1] for name, value in vars(cls).items()}
    return tuple(value.field for value in known.values() if isinstance(value, Own))


def choice(name: str, choices: Iterable[str]) -> Callable[[Any, Any], str]:
    """Return a check for one of some words."""
    words = tuple(choices)

    def check(_: Any, value: Any) -> str:
        if value not in words:
            msg = f"{name} must be one of {', '.join(words)}; got {value!r}"
            raise ValueError(msg)
        return str(value)

    return check


def switch(name: str) -> Callable[[Any, Any], bool]:
    """Return a check for True or False."""

    def check(_: Any, value: Any) -> bool:
        if not isinstance(value, bool):
            msg = f"{name} must be True or False, got {value!r}"
            raise TypeError(msg)
        return value

    return check
