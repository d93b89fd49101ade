"""lengthlab: the length process of random networks, and the length map it converges to."""

import importlib
from typing import Any

from lengthlab.activations import Activation, activation, catalogue
from lengthlab.dense_network import sample_lengths_dense
from lengthlab.finite_width import Band, band
from lengthlab.gaussian import Estimate, expectation
from lengthlab.length_map import LengthMap, length_map
from lengthlab.length_process import LengthProcess, sample_lengths
from lengthlab.network import Network

__all__ = [
    "Activation",
    "activation",
    "catalogue",
    "Network",
    "Estimate",
    "expectation",
    "LengthMap",
    "length_map",
    "Band",
    "band",
    "LengthProcess",
    "sample_lengths",
    "sample_lengths_dense",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Load ``lengthlab.widgets`` when it is asked for: it needs matplotlib and ipywidgets."""
    if name == "widgets":
        return importlib.import_module("lengthlab.widgets")
    msg = f"module 'lengthlab' has no attribute {name!r}"
    raise AttributeError(msg)
