"""Fields, buttons and messages: all controls of a widget in one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import traitlets

from lengthlab.live.front_end import SharedWidget


@dataclass(frozen=True)
class Field:
    """A number to edit, with a slider if it has a range; or a choice, if it has options.

    Attributes
    ----------
    name, label : str
        The parameter, and what the reader sees.
    more : bool
        Shown only after a press on "More".
    whole : bool
        An integer.
    min, max, step : float, optional
        Range of the slider; the text field takes any value.
    log : bool
        The slider is logarithmic.
    """

    name: str
    label: str
    more: bool = False
    whole: bool = False
    min: float | None = None
    max: float | None = None
    step: float | None = None
    log: bool = False


class Panel(SharedWidget):
    """A group of fields over the buttons Run or Pause, Same seed, New seed and More.

    Parameters
    ----------
    fields : sequence of Field
    values : mapping of str to float or str
        What the fields show at first.
    options : mapping of str to sequence of str
        What can be chosen in each field that is a choice.
    edit : callable
        ``edit(name, value) -> bool``: take a new value, or refuse it (the field is then marked, and
        keeps what was typed). `value` is a number, or the text if it is none.
    press : callable
        ``press(button)``: "run", "same" or "new" was pressed.
    **others
        Of the widget's other parts.

    Attributes
    ----------
    running : bool
        Whether the first button offers a pause.
    message : str
        What is wrong, or ""; read out by a screen reader when it changes.
    """

    running = traitlets.Bool(False).tag(sync=True)
    message = traitlets.Unicode("").tag(sync=True)
    _fields: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    _values = traitlets.Dict().tag(sync=True)
    _options = traitlets.Dict().tag(sync=True)
    _notes: traitlets.List[str] = traitlets.List().tag(sync=True)  # lines under the buttons

    def __init__(
        self,
        fields: Sequence[Field],
        values: Mapping[str, Any],
        options: Mapping[str, Sequence[str]],
        *,
        edit: Callable[[str, Any], bool],
        press: Callable[[str], object],
        **others: Any,
    ) -> None:
        self._whole = {field.name for field in fields if field.whole}
        self._edit: Callable[[str, Any], bool] | None = edit
        self._press: Callable[[str], object] | None = press
        specs = [{k: v for k, v in asdict(field).items() if v is not None} for field in fields]
        traits = {"_fields": specs, "_values": dict(values), "_options": _lists(options)}
        super().__init__(**traits, **others)
        self.on_msg(self._hear)

    def close(self) -> None:
        """Release everything."""
        self._edit = self._press = None
        self.on_msg(self._hear, remove=True)
        super().close()

    def _offer(self, options: Mapping[str, Sequence[str]]) -> None:
        """Offer other choices in the fields named."""
        self._options = {**self._options, **_lists(options)}

    def _show(self, values: Mapping[str, Any]) -> None:
        """Show other values in the fields named."""
        self._values = {**self._values, **values}

    def _hear(self, _: object, content: dict[str, Any], buffers: object) -> None:
        kind = content.get("kind")
        if kind == "press" and self._press is not None:
            self._press(content["button"])
        elif kind == "edit" and self._edit is not None:
            name = content["name"]
            accepted = False
            try:
                accepted = self._edit(name, _parse(content["text"], name in self._whole))
            finally:  # the browser waits for an answer
                self.send({"kind": "edited", "name": name, "accepted": accepted})


def _lists(options: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    return {name: list(choices) for name, choices in options.items()}


def _parse(text: str, whole: bool) -> Any:
    try:
        return int(text) if whole else float(text)
    except ValueError:
        pass
    try:
        value = float(text)  # an integer may be written 1e3
    except ValueError:
        return text
    return int(value) if value.is_integer() else value
