"""lengthlab: the length process of random networks, and the length map it converges to."""

from lengthlab.activations import Activation, activation, catalogue
from lengthlab.network import Network

__all__ = ["Activation", "Network", "activation", "catalogue"]
__version__ = "0.1.0"
