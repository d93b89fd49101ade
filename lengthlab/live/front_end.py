"""Front ends: modules of plain JavaScript in the package, loaded once a page."""

from importlib import resources

import anywidget
import traitlets


def read(package: str, *names: str) -> str:
    """Read text files of a package, one after the other."""
    folder = resources.files(package)
    return "\n".join(folder.joinpath(name).read_text(encoding="utf-8") for name in names)


class SharedWidget(anywidget.AnyWidget):
    """A widget whose front end is loaded once for all widgets of its kind.

    A page never frees a widget's own module, so that module is only a loader; the front end is the
    trait `_front_end`, which each subclass fills.
    """

    _esm = read("lengthlab.live", "loader.js")
    _front_end = traitlets.Unicode("").tag(sync=True)
