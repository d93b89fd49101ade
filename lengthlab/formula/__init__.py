"""Typed text into an Activation."""

from lengthlab.formula.tree import Node, parse
from lengthlab.formula.typed import formula

__all__ = ["Node", "formula", "parse"]
