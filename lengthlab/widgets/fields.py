"""Numbers to edit and choices to make, all in one widget."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import traitlets

from lengthlab.live.front_end import SharedWidget, read


@dataclass(frozen=True)
class Field:
    """A number to edit, with a slider if it has a range; or a choice, if options are given for it.

    Attributes
    ----------
    name, label : str
        The parameter, and what the reader sees.
    whole : bool
        An integer.
    min, max, step : float, optional
        Range of the slider; the text field takes any value.
    log : bool
        The slider is logarithmic.
    """

    name: str
    label: str
    whole: bool = False
    min: float | None = None
    max: float | None = None
    step: float | None = None
    log: bool = False


class Fields(SharedWidget):
    """A group of fields; what is typed, dragged or chosen is given to `edit`, which judges it.

    Parameters
    ----------
    fields : sequence of Field
    values : mapping of str to float or str
        What they show at first.
    edit : callable
        ``edit(name, value) -> bool``: take a new value, or refuse it (the field is then marked, and
        keeps what was typed). `value` is a number, or the text if it is none.
    options : mapping of str to sequence of str
        What can be chosen in each field that is a choice.
    """

    _css = read("lengthlab.widgets", "fields.css")
    _front_end = traitlets.Unicode(read("lengthlab.widgets", "fields.js")).tag(sync=True)
    fields: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)
    options = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        fields: tuple[Field, ...],
        values: Mapping[str, Any],
        edit: Callable[[str, Any], bool],
        options: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._whole = {field.name for field in fields if field.whole}
        self._edit: Callable[[str, Any], bool] | None = edit
        specs = [{k: v for k, v in asdict(field).items() if v is not None} for field in fields]
        super().__init__(fields=specs, values=dict(values), options=_lists(options or {}))
        self.on_msg(self._receive)

    def offer(self, options: Mapping[str, Sequence[str]]) -> None:
        """Offer other choices."""
        self.options = _lists(options)

    def show(self, values: Mapping[str, Any]) -> None:
        """Show other values."""
        self.values = {field["name"]: values[field["name"]] for field in self.fields}

    def close(self) -> None:
        """Release everything."""
        self._edit = None
        self.on_msg(self._receive, remove=True)
        self.layout.close()
        super().close()

    def _receive(self, _: object, content: dict[str, Any], buffers: object) -> None:
        name, text = content["name"], content["text"]
        accepted = self._edit is not None and self._edit(name, _parse(text, name in self._whole))
        self.send({"name": name, "accepted": accepted})


def _lists(options: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    return {name: list(choices) for name, choices in options.items()}


def _parse(text: str, whole: bool) -> Any:
    try:
        value = float(text)
    except ValueError:
        return text
    return int(value) if whole and value.is_integer() else value
