"""Random networks beside their limit: experiments, and how probable it is that they are near."""

from lengthlab.convergence.experiment import LEVEL, NO_BAND, Bins, Experiment, LayerSummary
from lengthlab.convergence.probability import Probability, convergence_probability
from lengthlab.convergence.required_width import RequiredWidth, required_width

__all__ = [
    "LEVEL",
    "NO_BAND",
    "Bins",
    "Experiment",
    "LayerSummary",
    "Probability",
    "RequiredWidth",
    "convergence_probability",
    "required_width",
]
