"""Fields, buttons and messages: all controls of a widget in one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import traitlets

from lengthlab.live.front_end import SharedWidget

BUTTONS = ("run", "same", "new")
"""Run or pause, the same seed again, a new seed."""


@dataclass(frozen=True)
class Field:
    """A control of one value.

    Attributes
    ----------
    name, label : str
        The parameter, and what the reader sees.
    kind : {"number", "choice", "text", "switch"}
        A number has a slider if it has a range; a switch is on or off.
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
    kind: Literal["number", "choice", "text", "switch"] = "number"
    more: bool = False
    whole: bool = False
    min: float | None = None
    max: float | None = None
    step: float | None = None
    log: bool = False


class Panel(SharedWidget):
    """A group of fields over a row of buttons, the last of which is More.

    Parameters
    ----------
    fields : sequence of Field
    values : mapping of str to float, str or bool
        What the fields show at first.
    options : mapping of str to sequence of str
        What can be chosen in each field that is a choice.
    edit : callable
        ``edit(name, value) -> bool``: take a new value, or refuse it (the field is then marked, and
        keeps what was typed). `value` is a number, or the text if it is none; of a switch a bool.
    press : callable
        ``press(button)``: one of `buttons` was pressed.
    save : callable, optional
        ``save(form)``: the bytes of a file to hand to the reader, and its MIME type.
    buttons : sequence of str
        Those of `BUTTONS` that are there.
    forms : sequence of str
        Of the files that can be saved: suffixes, each a button under "More".
    **others
        Of the widget's other parts.

    Attributes
    ----------
    running : bool
        Whether the first button offers a pause.
    message : str
        What is wrong, or ""; read out by a screen reader when it changes.
    status : str
        What a screen reader says, in its own time, when it changes; not seen.
    presentation : bool
        For a projector: larger letters.
    """

    running = traitlets.Bool(False).tag(sync=True)
    message = traitlets.Unicode("").tag(sync=True)
    status = traitlets.Unicode("").tag(sync=True)
    presentation = traitlets.Bool(False).tag(sync=True)
    _fields: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    _values = traitlets.Dict().tag(sync=True)
    _options = traitlets.Dict().tag(sync=True)
    _buttons: traitlets.List[str] = traitlets.List(list(BUTTONS)).tag(sync=True)
    _forms: traitlets.List[str] = traitlets.List().tag(sync=True)
    _notes: traitlets.List[str] = traitlets.List().tag(sync=True)  # lines under the buttons

    def __init__(
        self,
        fields: Sequence[Field],
        values: Mapping[str, Any],
        options: Mapping[str, Sequence[str]],
        *,
        edit: Callable[[str, Any], bool],
        press: Callable[[str], object],
        save: Callable[[str], tuple[bytes, str]] | None = None,
        buttons: Sequence[str] = BUTTONS,
        forms: Sequence[str] = (),
        **others: Any,
    ) -> None:
        self._named = {field.name: field for field in fields}
        self._edit: Callable[[str, Any], bool] | None = edit
        self._press: Callable[[str], object] | None = press
        self._save: Callable[[str], tuple[bytes, str]] | None = save
        specs = [{k: v for k, v in asdict(field).items() if v is not None} for field in fields]
        traits = {"_fields": specs, "_values": self._known(values), "_options": _lists(options)}
        super().__init__(**traits, _buttons=list(buttons), _forms=list(forms), **others)
        self.on_msg(self._hear)

    def close(self) -> None:
        """Release everything."""
        self._edit = self._press = self._save = None
        self.on_msg(self._hear, remove=True)
        super().close()

    def _offer(self, options: Mapping[str, Sequence[str]]) -> None:
        """Offer other choices in the fields named."""
        self._options = {**self._options, **_lists(options)}

    def _show(self, values: Mapping[str, Any]) -> None:
        """Show other values in the fields named."""
        self._values = {**self._values, **self._known(values)}

    def _known(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in values.items() if name in self._named}

    def _hear(self, _: object, content: dict[str, Any], buffers: object) -> None:
        kind = content.get("kind")
        if kind == "press" and self._press is not None:
            self._press(content["button"])
        elif kind == "save" and self._save is not None:
            data, mime = self._save(content["form"])
            self.send({"kind": "file", "form": content["form"], "mime": mime}, [data])
        elif kind == "edit" and self._edit is not None:
            name = content["name"]
            accepted = False
            try:
                accepted = self._edit(name, _parse(content["text"], self._named[name]))
            finally:  # the browser waits for an answer
                self.send({"kind": "edited", "name": name, "accepted": accepted})


def _lists(options: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    return {name: list(choices) for name, choices in options.items()}


def _parse(text: str, field: Field) -> Any:
    if field.kind == "switch":
        return text == "on"
    if field.kind != "number":
        return text
    try:
        return int(text) if field.whole else float(text)
    except ValueError:
        pass
    try:
        value = float(text)  # an integer may be written 1e3
    except ValueError:
        return text
    return int(value) if value.is_integer() else value
