"""Several views in a row, that leave a picture and their numbers where no kernel runs."""

import base64
import io
from collections.abc import Sequence
from typing import Any

import ipywidgets
from IPython.display import display
from PIL import Image

from lengthlab.widgets.view import View


class SideBySide(ipywidgets.HBox):  # type: ignore[misc]
    """Views beside one another, each with its share of the page.

    An `ipywidgets.HBox` of them is as good on a page with a kernel. This one is also read without.

    Parameters
    ----------
    *views : View
        Most often of one model.

    Raises
    ------
    TypeError
        If one of them is not a view.

    Examples
    --------
    >>> from lengthlab.widgets import Histograms, LengthMapView, Model
    >>> model = Model("tanh", sigma_w=1.5, sigma_b=0.3)
    >>> row = SideBySide(Histograms(model), LengthMapView(model))
    >>> row.summary.splitlines()[1].split(": ")[0]
    'tanh, sigma_w 1.5, sigma_b 0.3'
    >>> row.close()
    """

    def __init__(self, *views: View) -> None:
        for view in views:
            if not isinstance(view, View):
                msg = f"views must be widgets of lengthlab, got {view!r}; use ipywidgets.HBox"
                raise TypeError(msg)
        super().__init__(children=views)

    @property
    def summary(self) -> str:
        """A line of numbers for each view."""
        return "\n".join(view.summary for view in self.children)

    def still(self) -> dict[str, str]:
        """Return the present pictures and numbers for where no kernel runs, by MIME type."""
        stills = [view.still() for view in self.children]
        pictures = [Image.open(io.BytesIO(base64.b64decode(s["image/png"]))) for s in stills]
        file = io.BytesIO()
        _in_a_row(pictures).save(file, format="png")
        parts = [f'<div style="flex:1 1 0">{s["text/html"]}</div>' for s in stills]
        return {
            "text/plain": "\n".join(s["text/plain"] for s in stills),
            "image/png": base64.b64encode(file.getvalue()).decode("ascii"),
            "text/html": f'<div style="display:flex;gap:12px">{"".join(parts)}</div>',
        }

    def close(self) -> None:
        """Release the row and the views; their model stays."""
        for view in self.children:
            view.close()
        super().close()

    def _ipython_display_(self) -> None:
        data: dict[str, Any] = self._repr_mimebundle_()
        live = {key: value for key, value in data.items() if "widget-view" in key}
        display(self.still(), raw=True)  # type: ignore[no-untyped-call]
        display(live, raw=True)  # type: ignore[no-untyped-call]


def _in_a_row(pictures: Sequence[Image.Image]) -> Image.Image:
    size = sum(p.width for p in pictures), max(p.height for p in pictures)
    row = Image.new("RGB", size, "white")
    left = 0
    for picture in pictures:
        row.paste(picture, (left, 0))
        left += picture.width
    return row
