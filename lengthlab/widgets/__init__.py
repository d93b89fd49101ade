"""Widgets: one model, many thin views."""

from lengthlab.widgets.assumptions import AssumptionsView
from lengthlab.widgets.correlation import CorrelationView
from lengthlab.widgets.counterexample import CounterexampleView
from lengthlab.widgets.depth_width import DepthWidth
from lengthlab.widgets.hidden_nodes import HiddenNodesView
from lengthlab.widgets.histograms import Histograms
from lengthlab.widgets.lab import LengthLab
from lengthlab.widgets.length_map import Cobweb, LengthMapView
from lengthlab.widgets.model import Model
from lengthlab.widgets.phase_diagram import PhaseDiagram
from lengthlab.widgets.side_by_side import SideBySide
from lengthlab.widgets.unit_scale import UnitScaleView
from lengthlab.widgets.view import View
from lengthlab.widgets.widths import WidthExplorer

__all__ = [
    "AssumptionsView",
    "Cobweb",
    "CorrelationView",
    "CounterexampleView",
    "DepthWidth",
    "HiddenNodesView",
    "Histograms",
    "LengthLab",
    "LengthMapView",
    "Model",
    "PhaseDiagram",
    "SideBySide",
    "UnitScaleView",
    "View",
    "WidthExplorer",
]

VIEWS: tuple[type[View], ...] = (
    LengthLab,
    Histograms,
    LengthMapView,
    WidthExplorer,
    AssumptionsView,
    CounterexampleView,
    HiddenNodesView,
    UnitScaleView,
    PhaseDiagram,
    CorrelationView,
    DepthWidth,
)
"""Every widget that shows a model."""
