"""A matplotlib Figure in a lesson: one line of numbers, and a description for those who cannot see.

The text comes with every picture, in every viewer: it is compared in tests, printed on paper and
read aloud.
"""

import base64
import html
import io
from typing import Any

from matplotlib.figure import Figure


class Picture:
    """What `show` returns: a still picture with its text alternative and its numbers."""

    def __init__(self, figure: Figure, *, alt: str, summary: str) -> None:
        self._png = _png(figure)
        self._alt = alt
        self._summary = summary

    def __repr__(self) -> str:
        return f"{self._summary}\n[picture: {self._alt}]"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[Any, Any]:
        encoded = base64.b64encode(self._png).decode()
        alt, summary = html.escape(self._alt), html.escape(self._summary)
        style = "max-width:100%;height:auto;background:white"
        image = f'<img src="data:image/png;base64,{encoded}" alt="{alt}" style="{style}">'
        # A browser joins lines, and some hosts drop styles: only an element breaks a line anywhere.
        caption = f"<figcaption>{'<br>'.join(summary.splitlines())}</figcaption>"
        data = {
            "text/plain": repr(self),
            "text/html": f'<figure style="margin:0">{image}{caption}</figure>',
            "image/png": self._png,
        }
        return data, {"image/png": {"alt": self._alt}}


def show(figure: Figure, *, alt: str, summary: str) -> Picture:
    """Make `figure` the output of a cell, as its last expression.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Drawn once, now; it belongs to no global state.
    alt : str
        What the picture shows, for a reader who does not see it.
    summary : str
        Numbers, of at most four significant digits each, in one line or a few.

    Returns
    -------
    Picture
        Its text is `summary` and `alt`; its picture is a png.

    Examples
    --------
    >>> show(Figure(), alt="An empty page.", summary="0 curves")
    0 curves
    [picture: An empty page.]
    """
    return Picture(figure, alt=alt, summary=summary)


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110, metadata={"Software": None})
    return file.getvalue()
