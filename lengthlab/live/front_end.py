"""Front ends: modules of plain JavaScript in the package, loaded once a page."""

import json
from importlib import resources
from importlib.resources.abc import Traversable

import anywidget
import traitlets


def front_end(*files: tuple[str, str]) -> str:
    """Join scripts and style sheets, given as (package, file name), to one module.

    The last script exports the front end, as ``parts`` of ``host.js`` makes it.
    """
    texts: dict[str, list[str]] = {".js": [], ".css": []}
    for package, name in (("lengthlab.live", "host.js"), *files):
        file: Traversable = resources.files(package).joinpath(name)
        texts[name[name.rindex(".") :]].append(file.read_text(encoding="utf-8"))
    style = json.dumps("".join(texts[".css"]))
    return "\n".join([f"const STYLE = {style};", *texts[".js"]])


class SharedWidget(anywidget.AnyWidget):
    """A widget whose front end is loaded once for all widgets of its kind.

    A page never frees a widget's own module, so that module is only a loader; the front end is the
    trait `_front_end`, which each subclass fills.
    """

    _esm = resources.files("lengthlab.live").joinpath("loader.js").read_text(encoding="utf-8")
    _front_end = traitlets.Unicode("").tag(sync=True)
