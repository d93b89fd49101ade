"""Widgets: one model, many thin views."""

from lengthlab.widgets.lab import LengthLab
from lengthlab.widgets.model import Model

__all__ = ["LengthLab", "Model"]
