"""Widgets: one model, many thin views."""

from lengthlab.widgets.histograms import Histograms
from lengthlab.widgets.lab import LengthLab
from lengthlab.widgets.length_map import Cobweb, LengthMapView
from lengthlab.widgets.model import Model

__all__ = ["Cobweb", "Histograms", "LengthLab", "LengthMapView", "Model"]
