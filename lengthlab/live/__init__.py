"""Any matplotlib figure, painted live by the browser."""

from .figure import LiveFigure
from .recorder import UnsupportedArtistError

__all__ = ["LiveFigure", "UnsupportedArtistError"]
