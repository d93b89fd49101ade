"""lengthlab: the length process of random networks, and the length map it converges to."""

import importlib
from typing import Any

from lengthlab.activations import Activation, activation, catalogue
from lengthlab.assumptions import Assessment, assess
from lengthlab.convergence import (
    Probability,
    RequiredWidth,
    convergence_probability,
    required_width,
)
from lengthlab.correlation import CorrelationMap, correlation_map, gram_spectrum, sample_gram
from lengthlab.dense_network import sample_lengths_dense
from lengthlab.finite_width import Band, LengthLaw, UnresolvedError, band, length_law
from lengthlab.fixed_points import FixedPoint, FixedPoints, chi, fixed_points, slope
from lengthlab.formula import formula
from lengthlab.gains import Gain, gains
from lengthlab.gaussian import Estimate, expectation
from lengthlab.hidden_nodes import sample_hidden_nodes
from lengthlab.length_map import LengthMap, length_map
from lengthlab.length_process import LengthProcess, sample_lengths
from lengthlab.network import Network
from lengthlab.outcome import Outcome, outcome
from lengthlab.passport import Passport, passport
from lengthlab.phase_diagram import PhaseDiagram, phase_diagram
from lengthlab.sweep import SweepError, sweep
from lengthlab.unit_scale import unit_scale

__all__ = [
    "Activation",
    "activation",
    "catalogue",
    "formula",
    "Network",
    "Estimate",
    "expectation",
    "LengthMap",
    "length_map",
    "unit_scale",
    "slope",
    "chi",
    "FixedPoint",
    "FixedPoints",
    "fixed_points",
    "PhaseDiagram",
    "phase_diagram",
    "Gain",
    "gains",
    "Assessment",
    "assess",
    "Outcome",
    "outcome",
    "Passport",
    "passport",
    "Band",
    "band",
    "LengthLaw",
    "length_law",
    "UnresolvedError",
    "Probability",
    "convergence_probability",
    "RequiredWidth",
    "required_width",
    "CorrelationMap",
    "correlation_map",
    "LengthProcess",
    "sample_lengths",
    "sample_lengths_dense",
    "sample_hidden_nodes",
    "sample_gram",
    "gram_spectrum",
    "sweep",
    "SweepError",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Load ``lengthlab.widgets`` when it is asked for: it needs matplotlib and ipywidgets."""
    if name == "widgets":
        return importlib.import_module("lengthlab.widgets")
    msg = f"module 'lengthlab' has no attribute {name!r}"
    raise AttributeError(msg)
