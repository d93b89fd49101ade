"""Widgets: one model, many thin views."""

from lengthlab.widgets.counterexample import CounterexampleView
from lengthlab.widgets.histograms import Histograms
from lengthlab.widgets.lab import LengthLab
from lengthlab.widgets.length_map import Cobweb, LengthMapView
from lengthlab.widgets.model import Model
from lengthlab.widgets.side_by_side import SideBySide
from lengthlab.widgets.view import View
from lengthlab.widgets.widths import WidthExplorer

__all__ = [
    "Cobweb",
    "CounterexampleView",
    "Histograms",
    "LengthLab",
    "LengthMapView",
    "Model",
    "SideBySide",
    "View",
    "WidthExplorer",
]

VIEWS: tuple[type[View], ...] = (
    LengthLab,
    Histograms,
    LengthMapView,
    WidthExplorer,
    CounterexampleView,
)
"""Every widget that shows a model."""
