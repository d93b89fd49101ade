"""The three assumptions on phi: decided with evidence, or left open."""

from lengthlab.assumptions.assessment import assess
from lengthlab.assumptions.report import Assessment, Assumption, Evidence, Singularity

__all__ = ["Assessment", "Assumption", "Evidence", "Singularity", "assess"]
