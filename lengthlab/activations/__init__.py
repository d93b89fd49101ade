"""Activations: phi with what is known of it, and the catalogue."""

from lengthlab.activations import common, special  # noqa: F401 - they fill the catalogue, in order
from lengthlab.activations.catalogue import activation, catalogue
from lengthlab.activations.core import Activation, Array, Homogeneous, Pole

__all__ = ["Activation", "Array", "Homogeneous", "Pole", "activation", "catalogue"]
